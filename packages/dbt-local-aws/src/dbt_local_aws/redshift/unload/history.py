"""What an UNLOAD leaves in the system tables."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from dbt_local_aws.redshift.backend import Backend
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.history import identity_of
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.unload.command import UnloadCommand
from dbt_local_aws.redshift.unload.files import WrittenFile

_FORMATS = {"text": "Text", "csv": "CSV", "json": "JSON", "parquet": "Parquet"}


@dataclass(frozen=True)
class Run:
    """One UNLOAD: what was asked for, by whom and when."""

    command: UnloadCommand
    environment: LoadEnvironment
    started: dt.datetime


async def write_down(run: Run, files: Sequence[WrittenFile], backend: Backend) -> int:
    """Writes the UNLOAD into the system tables on a connection of its own: the files stay where it is rolled back."""
    session, transaction = await identity_of(backend)
    books = await run.environment.connect()
    try:
        ((query_id,),) = (await books.query("select nextval('redshift_internal.query_id')")).rows
        user = f"(select oid from pg_catalog.pg_roles where rolname = {literal(run.environment.user)})"  # noqa: S608 - a literal
        texts = (
            run.environment.database,
            run.command.target,
            _FORMATS[run.command.format],
            run.command.compression or "",
            run.started.strftime("%Y-%m-%d %H:%M:%S.%f"),
            dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
            run.command.text,
        )
        values = ", ".join(map(literal, texts))
        await books.query(
            f"insert into redshift_internal.unload values ({query_id}, {user}, {transaction}, {session}, {values})"  # noqa: S608 - literals
        )
        for file in files:
            await books.query(
                f"insert into redshift_internal.unload_file values "  # noqa: S608 - literals
                f"({query_id}, {literal(file.url)}, {file.size}, {file.lines}, {file.rows})"
            )
    finally:
        await books.close()
    return int(query_id or 0)
