"""Statements that were sent: each runs in a thread of its own, and is remembered with what it gave."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbt_local_aws.redshift.data_api.connection import Connection, Outcome, StatementError
from dbt_local_aws.redshift.data_api.parameters import numbered
from dbt_local_aws.redshift.data_api.results import Origin, column_metadata, origin_key, rows_of, size_of
from dbt_local_aws.redshift.errors import RedshiftError
from dbt_local_aws.redshift.quoting import literal

SUBMITTED, STARTED, FINISHED, FAILED, ABORTED = "SUBMITTED", "STARTED", "FINISHED", "FAILED", "ABORTED"
_QUERY_CANCELED = "57014"

Connect = Callable[[], Connection]


def now() -> dt.datetime:
    """This moment."""
    return dt.datetime.now(dt.UTC)


@dataclass
class Part:
    """One statement: the only one, or one of a batch."""

    id: str
    sql: str
    status: str = SUBMITTED
    created: dt.datetime = field(default_factory=now)
    updated: dt.datetime = field(default_factory=now)
    error: str | None = None
    outcome: Outcome = field(default_factory=Outcome)
    columns: list[dict[str, Any]] = field(default_factory=list)
    duration: int = 0  # nanoseconds

    def turn(self, status: str) -> None:
        """Notes a new status."""
        self.status, self.updated = status, now()

    @property
    def result_rows(self) -> int:
        """How many rows were given or changed; -1 for none of both."""
        return len(self.outcome.rows) if self.outcome.has_result else rows_of(self.outcome.tag)

    @property
    def result_size(self) -> int:
        """How many bytes were given; -1 for no result."""
        return size_of(self.outcome.rows) if self.outcome.has_result else -1


@dataclass
class Request:
    """What was asked for."""

    sqls: Sequence[str]
    parameters: dict[str, str]
    is_batch: bool
    in_transaction: bool
    members: dict[str, Any]  # that are answered as they were given: ClusterIdentifier, Database, …
    name: str | None = None
    result_format: str = "JSON"


class Statement:
    """A request to run one statement or several, and how far it is."""

    def __init__(self, request: Request) -> None:
        self.id = str(uuid.uuid4())
        self.request = request
        numbers = [f":{number}" for number in range(1, len(request.sqls) + 1)] if request.is_batch else [""]
        self.parts = [Part(self.id + number, sql) for number, sql in zip(numbers, request.sqls, strict=True)]
        self.created = now()
        self.process_id = 0
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._is_cancelled = False
        self.has_ended = threading.Event()

    @property
    def status(self) -> str:
        """The status of all of it."""
        found = {part.status for part in self.parts}
        ended = next((status for status in (FAILED, ABORTED) if status in found), None)
        if ended and self.has_ended.is_set():
            return ended
        if found == {FINISHED} and self.has_ended.is_set():
            return FINISHED
        return SUBMITTED if found == {SUBMITTED} else STARTED

    @property
    def error(self) -> str | None:
        """What the first one that failed said."""
        return next((part.error for part in self.parts if part.error), None)

    @property
    def updated(self) -> dt.datetime:
        """When it changed last."""
        return max(part.updated for part in self.parts)

    def part(self, part_id: str) -> Part | None:
        """One of its statements; the only one has the request's own number."""
        return next((part for part in self.parts if part.id == part_id), None)

    def start(self, connect: Connect, release: Callable[[Connection], None]) -> None:
        """Begins to run."""
        name = f"redshift-data-{self.id}"
        threading.Thread(target=self._run, args=(connect, release), name=name, daemon=True).start()

    def cancel(self) -> bool:
        """Ends what runs; whether there was something."""
        with self._lock:
            if self.has_ended.is_set():
                return False
            self._is_cancelled = True
            if self._connection is not None:
                self._connection.cancel()
        return True

    def _run(self, connect: Connect, release: Callable[[Connection], None]) -> None:
        try:
            connection = connect()
        except (StatementError, OSError) as error:
            self._fail(self.parts[0], str(error))
            self.has_ended.set()
            return
        with self._lock:
            self._connection, self.process_id = connection, connection.process_id
        try:
            self._run_on(connection)
        finally:
            with self._lock:
                self._connection = None
            release(connection)
            self.has_ended.set()

    def _run_on(self, connection: Connection) -> None:
        together = self.request.is_batch and self.request.in_transaction
        try:
            if together:
                connection.execute("begin")
            for part in self.parts:
                self._run_part(part, connection)
                if part.status != FINISHED and together:
                    break
            if together:
                failed = any(part.status != FINISHED for part in self.parts)
                connection.execute("rollback" if failed else "commit")
        except (StatementError, OSError) as error:
            self._fail(self.parts[-1], str(error))
        for part in self.parts:
            if part.status in (SUBMITTED, STARTED):
                part.turn(ABORTED)

    def _run_part(self, part: Part, connection: Connection) -> None:
        if self._is_cancelled:
            part.turn(ABORTED)
            return
        part.turn(STARTED)
        began = now()
        try:
            sql, values = numbered(part.sql, self.request.parameters)
            part.outcome = connection.execute(sql, values)
            part.columns = _columns(part.outcome, connection)
            part.turn(FINISHED)
        except StatementError as error:
            if self._is_cancelled and error.sqlstate == _QUERY_CANCELED:
                part.turn(ABORTED)
            else:
                self._fail(part, str(error))
        except RedshiftError as error:  # its parameters cannot be found
            self._fail(part, f"ERROR: {error}")
        part.duration = (now() - began) // dt.timedelta(microseconds=1) * 1000

    @staticmethod
    def _fail(part: Part, message: str) -> None:
        part.error = message
        part.turn(FAILED)


def _columns(outcome: Outcome, connection: Connection) -> list[dict[str, Any]]:
    """What is known of the columns of a result, also of the tables that they are from."""
    keys = {origin_key(column) for column in outcome.fields}
    tables = ", ".join(sorted({str(table) for table, _ in keys if table}))
    origins: dict[tuple[int, int], Origin] = {}
    if tables:
        query = f"""
            select a.attrelid, a.attnum, n.nspname, c.relname, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
            from pg_catalog.pg_attribute a
            join pg_catalog.pg_class c on c.oid = a.attrelid
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where a.attrelid in ({tables}) and a.attnum > 0
        """  # noqa: S608 - numbers
        for table, place, schema, name, not_null, default in connection.execute(query).rows:
            origin = Origin(schema or "", name or "", not_null == "t", default or "")
            origins[int(table or 0), int(place or 0)] = origin
    return [column_metadata(column, origins.get(origin_key(column))) for column in outcome.fields]


def like(column: str, pattern: str | None) -> str:
    """A condition for a pattern with % and _, if there is one."""
    return f" and {column} like {literal(pattern)}" if pattern else ""
