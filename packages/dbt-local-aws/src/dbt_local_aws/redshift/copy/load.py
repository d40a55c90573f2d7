"""COPY … FROM 's3://…': reads the files, converts their records, and loads them inside the client's own transaction."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.backend import Backend
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.history import Run, write_down
from dbt_local_aws.redshift.copy.reader import LoadFailedError, read_files
from dbt_local_aws.redshift.copy.report import LoadReport
from dbt_local_aws.redshift.copy.target import Target, find_target
from dbt_local_aws.redshift.errors import (
    INTERNAL_ERROR,
    RedshiftError,
)
from dbt_local_aws.redshift.wire import Message

_SAVEPOINT = "redshift_copy"


async def load(command: CopyCommand, backend: Backend, environment: LoadEnvironment) -> list[Message]:
    """Runs a COPY; gives the notices to send. Raises where it fails, after the reasons were written down."""
    started = dt.datetime.now(dt.UTC)
    target = await find_target(command, backend)
    report = LoadReport()
    failed = not await _copy(command, target, backend, environment, report)
    query_id = await write_down(Run(command, target, environment, started), report, backend, failed=failed)
    if failed:
        raise RedshiftError(
            INTERNAL_ERROR,
            f"Load into table '{target.relation}' failed. Check 'sys_load_error_detail' system table for details.",
        )
    await backend.query(
        f"select set_config('redshift.last_copy_id', '{query_id}', false), "
        f"set_config('redshift.last_copy_count', '{report.rows}', false)"
    )
    said = f"Load into table '{target.relation}' completed, {report.rows} record(s) loaded successfully."
    messages = [said]
    if report.errors:
        messages.append(
            f"Load into table '{target.relation}' completed, {len(report.errors)} record(s) could not be loaded. "
            "Check 'sys_load_error_detail' system table for details."
        )
    return [wire.fields_message(wire.NOTICE, {"S": "INFO", "C": "00000", "M": message}) for message in messages]


async def _copy(
    command: CopyCommand, target: Target, backend: Backend, environment: LoadEnvironment, report: LoadReport
) -> bool:
    """Streams the rows to PostgreSQL; whether there were fewer errors than there may not be.

    The transaction is as it was before where a file could not be loaded, so that the reason is what makes it fail.
    """
    names = ", ".join(f'"{column.name}"' for column in target.columns)
    rows = read_files(command, target.columns, environment, report)
    await backend.query(f"savepoint {_SAVEPOINT}")
    try:
        await backend.copy_in(f"copy {command.table.sql} ({names}) from stdin", _in_a_thread(rows))
    except LoadFailedError:
        await backend.query(f"rollback to savepoint {_SAVEPOINT}")
        return False
    except RedshiftError:
        await backend.query(f"rollback to savepoint {_SAVEPOINT}")
        raise
    await backend.query(f"release savepoint {_SAVEPOINT}")
    return True


async def _in_a_thread(rows: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Reads on while other sessions are served."""
    while (chunk := await asyncio.to_thread(next, rows, None)) is not None:
        yield chunk
