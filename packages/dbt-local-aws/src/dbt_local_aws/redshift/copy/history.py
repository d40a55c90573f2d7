"""What a COPY leaves in the system tables: the load, its files and its errors."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from dbt_local_aws.redshift.backend import Backend, Result
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.report import LoadError, LoadReport
from dbt_local_aws.redshift.copy.target import Target
from dbt_local_aws.redshift.quoting import literal

# as the page of STL_LOAD_COMMITS spells them; it has none for CSV and fixed widths
_FORMATS = {"json": "JSON", "text": "Text", "csv": "CSV", "fixedwidth": "Text", "parquet": "Parquet"}


@dataclass(frozen=True)
class Run:
    """One load: what was asked for, into what, by whom and when."""

    command: CopyCommand
    target: Target
    environment: LoadEnvironment
    started: dt.datetime
    session: tuple[int, int]  # its process and its transaction


async def identity_of(backend: Backend) -> tuple[int, int]:
    """The process and the transaction of a session."""
    (row,) = (await backend.query("select pg_backend_pid(), pg_current_xact_id()::text")).rows
    return int(row[0] or 0), int(row[1] or 0)


async def write_down(run: Run, report: LoadReport, *, failed: bool) -> int:
    """Writes the load into the system tables on a connection of its own, so that a rollback leaves it there."""
    books = await run.environment.connect()
    try:
        (row,) = (await books.query("select nextval('redshift_internal.query_id')")).rows
        query_id = int(row[0] or 0)
        ended = _timestamp(dt.datetime.now(dt.UTC))
        load_row: tuple[_Value, ...] = (
            query_id,
            _user_id(run.environment.user),
            run.session[1],
            run.session[0],
            run.environment.database,
            "aborted" if failed else "completed",
            int(run.target.oid),
            run.target.relation,
            run.command.source,
            _FORMATS[run.command.format],
            _timestamp(run.started),
            ended,
            0 if failed else report.rows,
            sum(file.bytes_scanned for file in report.files),
            len(report.files),
            len(report.errors),
            run.command.text,
        )
        files = [(query_id, file.url, file.bytes_scanned, file.lines_scanned, ended) for file in report.files]
        await _insert(books, "load", [load_row])
        await _insert(books, "load_file", files)
        await _insert(books, "load_error", [_error_row(query_id, error) for error in report.errors])
    finally:
        await books.close()
    return query_id


def _user_id(name: str) -> "_Sql":
    return _Sql(f"(select oid from pg_catalog.pg_roles where rolname = {literal(name)})")  # noqa: S608 - a literal


def _timestamp(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


class _Sql(str):
    """An expression rather than a value."""

    __slots__ = ()


_Value = str | int | None


def _error_row(query_id: int, error: LoadError) -> tuple[_Value, ...]:
    column = error.column
    return (
        query_id,
        error.file,
        error.record.line,
        column.name if column else None,
        column.type.split(" ")[0][:10] if column else None,
        column.length_text[:10] if column else None,
        error.position,
        _printable(error.record.text[:1024]),
        _printable(error.value[:1024]) if error.value is not None else None,
        error.code,
        error.message,
    )


def _printable(text: str) -> str:
    """A text that PostgreSQL can keep, whatever was wrong with it."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


async def _insert(backend: Backend, table: str, rows: Sequence[Sequence[_Value]]) -> Result | None:
    if not rows:
        return None
    values = ", ".join(f"({', '.join(map(_render, row))})" for row in rows)
    return await backend.query(f"insert into redshift_internal.{table} values {values}")  # noqa: S608 - literals


def _render(value: _Value) -> str:
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, _Sql) else literal(value)
