"""COPY … FROM 's3://…': reads the files, converts their records, and loads them inside the client's own transaction."""

import datetime as dt
from collections.abc import AsyncIterator

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.backend import Backend
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.feed import Emit, Feed
from dbt_local_aws.redshift.copy.history import Run, identity_of, write_down
from dbt_local_aws.redshift.copy.reader import LoadFailedError, read_files
from dbt_local_aws.redshift.copy.report import LoadReport
from dbt_local_aws.redshift.copy.target import find_target
from dbt_local_aws.redshift.errors import (
    INTERNAL_ERROR,
    RedshiftError,
)
from dbt_local_aws.redshift.wire import Message


async def load(command: CopyCommand, backend: Backend, environment: LoadEnvironment) -> list[Message]:
    """Runs a COPY; gives the notices to send. Raises where it fails, after the reasons were written down."""
    started = dt.datetime.now(dt.UTC)
    target = await find_target(command, backend)
    run = Run(command, target, environment, started, await identity_of(backend))
    report = LoadReport()
    try:
        await _copy(run, report, backend)
    except LoadFailedError:
        await write_down(run, report, failed=True)
        raise RedshiftError(
            INTERNAL_ERROR,
            f"Load into table '{target.relation}' failed. Check 'sys_load_error_detail' system table for details.",
        ) from None
    query_id = await write_down(run, report, failed=False)
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


async def _copy(run: Run, report: LoadReport, backend: Backend) -> None:
    """Converts the files as they come, and hands PostgreSQL the rows as it takes them."""

    def read(emit: Emit) -> None:
        for chunk in read_files(run.command, run.target.columns, run.environment, report):
            emit(chunk)

    cancellation = run.environment.cancellation
    feed = Feed(read, cancellation.check, cancellation.requested)
    names = ", ".join(f'"{column.name}"' for column in run.target.columns)
    chunks = _nothing_of(feed.chunks()) if run.command.no_load else feed.chunks()
    await backend.copy_in(f"copy {run.command.table.sql} ({names}) from stdin", chunks)
    if run.command.no_load:
        report.rows = 0


async def _nothing_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Takes what is read, and gives none of it: NOLOAD "checks the integrity of all of the data"."""
    async for chunk in chunks:
        yield chunk[:0]
