"""Queries as the API sees them: started, waited for, stopped, and their results left in S3."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt_local_aws.athena import engine
from dbt_local_aws.athena.errors import AthenaError, InvalidRequestError, QueryCancelledError
from dbt_local_aws.athena.objects import ObjectStore, as_folder
from dbt_local_aws.athena.reading import as_written, without_leading_comments
from dbt_local_aws.athena.results import Result, Spool
from dbt_local_aws.athena.statement import DefaultLocation, Statement
from dbt_local_aws.athena.trino.client import Statistics, TrinoQuery

RUNNING_AT_ONCE = 8
"""How many queries run at once, the rest wait; Athena's quota is larger, this machine is smaller."""
MOST_KEPT = 5000
"""How many queries the history keeps; results of older ones are only in S3."""
_USER_ERROR, _SYSTEM_ERROR = 2, 1
_ICEBERG_ERROR_TYPE, _OTHER_ERROR_TYPE = 233, 1
FINISHED = ("SUCCEEDED", "FAILED", "CANCELLED")
_STOPPED = "Query cancelled by user"


@dataclass
class Execution:
    """One query of the history."""

    id: str
    sql: str
    schema: str
    catalog: str
    work_group: str
    output_folder: str
    output_is_enforced: bool = False
    parameters: tuple[str, ...] = ()
    bytes_cutoff: int | None = None
    state: str = "QUEUED"
    submitted: float = field(default_factory=time.time)
    started: float | None = None
    completed: float | None = None
    reason: str | None = None
    error: dict[str, Any] | None = None
    statement_type: str = ""
    subtype: str | None = None
    spool: Spool | None = None
    output_location: str = ""
    is_stopped: bool = False
    queries: list[TrinoQuery] = field(default_factory=list)

    def is_same_request(self, other: Execution) -> bool:
        """Whether the same was asked for."""
        parts = ("sql", "schema", "catalog", "work_group", "output_folder", "parameters")
        return all(getattr(self, part) == getattr(other, part) for part in parts)

    def millis(self) -> int:
        """How long it has run."""
        return round(((self.completed or time.time()) - (self.started or self.submitted)) * 1000)

    def statistics(self) -> Statistics:
        """What Trino says of the queries that it came to."""
        each = [query.statistics for query in self.queries]
        return Statistics(
            sum(one.bytes_scanned for one in each),
            sum(one.rows_scanned for one in each),
            sum(one.queued_millis for one in each),
            sum(one.elapsed_millis for one in each),
        )


class Executions:
    """The history of queries, and the threads that run them."""

    def __init__(
        self,
        statement_of: Callable[[str, str, Callable[[TrinoQuery], None]], Statement],
        store: ObjectStore,
        folder: Path,
    ) -> None:
        self._statement_of = statement_of
        self._store = store
        self._folder = folder
        self._pool = ThreadPoolExecutor(RUNNING_AT_ONCE, thread_name_prefix="athena")
        self._lock = threading.Lock()
        self._known: dict[str, Execution] = {}
        self._tokens: dict[str, str] = {}
        self.prepared: dict[str, dict[str, str]] = {}

    def start(self, execution: Execution, token: str | None) -> str:
        """Queue a query. The same client token starts it only once."""
        with self._lock:
            if token and token in self._tokens:
                first = self._known[self._tokens[token]]
                if not first.is_same_request(execution):
                    raise InvalidRequestError("Idempotent parameters do not match")
                return first.id
            if token:
                self._tokens[token] = execution.id
            self._known[execution.id] = execution
            self._forget_the_oldest()
        self._pool.submit(self._run, execution)
        return execution.id

    def _forget_the_oldest(self) -> None:
        for identifier in list(self._known)[: max(0, len(self._known) - MOST_KEPT)]:
            if self._known[identifier].state in FINISHED:
                forgotten = self._known.pop(identifier)
                self._tokens = {token: known for token, known in self._tokens.items() if known != identifier}
                if forgotten.spool:
                    forgotten.spool.remove()

    def get(self, identifier: str) -> Execution:
        """A query by its id."""
        with self._lock:
            if identifier not in self._known:
                raise InvalidRequestError(f"QueryExecution {identifier} was not found")
            return self._known[identifier]

    def of_work_group(self, work_group: str) -> list[Execution]:
        """A work group's queries, the latest first."""
        with self._lock:
            found = [execution for execution in self._known.values() if execution.work_group == work_group]
        return sorted(found, key=lambda execution: execution.submitted, reverse=True)

    def stop(self, identifier: str) -> None:
        """Cancel a query: Trino ends it, and nothing of it is committed. One that has finished stays as it is."""
        execution = self.get(identifier)
        with self._lock:
            if execution.state in FINISHED:
                return
            execution.is_stopped = True
            if execution.state == "QUEUED":
                self._finish(execution, "CANCELLED", _STOPPED)
            queries = list(execution.queries)
        for query in queries:
            query.cancel()

    def stop_all(self) -> None:
        """Cancel what runs or waits, and start nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for execution in list(self._known.values()):
            self.stop(execution.id)

    def close(self) -> None:
        """Wait until everything has ended; nobody waits for a Trino that has been stopped."""
        self._pool.shutdown(wait=True)

    @staticmethod
    def _finish(execution: Execution, state: str, reason: str | None = None) -> None:
        execution.state, execution.reason, execution.completed = state, reason, time.time()

    def _run(self, execution: Execution) -> None:
        with self._lock:
            if execution.state != "QUEUED":
                return
            execution.state, execution.started = "RUNNING", time.time()
        try:
            self._succeed(execution, *self._execute(execution))
        except QueryCancelledError as error:
            with self._lock:
                self._finish(execution, "CANCELLED", str(error) or _STOPPED)
        except AthenaError as error:
            self._fail(execution, str(error), error.name)
        except InvalidRequestError as error:
            self._fail(execution, str(error), "SYNTAX_ERROR")
        except Exception as error:  # the client has to hear of a defect here, too, and must not wait for ever
            self._fail(
                execution, f"GENERIC_INTERNAL_ERROR: the local endpoint failed: {error!r}", "GENERIC_INTERNAL_ERROR"
            )
            raise

    def _execute(self, execution: Execution) -> tuple[Result, Spool]:
        def started(query: TrinoQuery) -> None:
            query.most_bytes = execution.bytes_cutoff
            with self._lock:
                execution.queries.append(query)
                if execution.is_stopped:
                    raise QueryCancelledError

        sql = without_leading_comments(execution.sql)
        result = engine.execute(self._statement(execution, sql, started))
        spool = Spool(self._folder / execution.id)
        try:
            spool.write(result)
        except AthenaError as error:
            message = str(error).removeprefix(f"{error.name}: ")
            raise AthenaError(error.name, as_written(message, result.sent or sql, sql)) from error
        if result.finish:
            result.finish()
        return result, spool

    def _statement(self, execution: Execution, sql: str, started: Callable[[TrinoQuery], None]) -> Statement:
        location = DefaultLocation(
            f"{as_folder(execution.output_folder)}tables/{execution.id}/", execution.output_is_enforced
        )
        statement = self._statement_of(sql, execution.schema.lower(), started)
        prepared = self.prepared.setdefault(execution.work_group, {})
        parameters = ", ".join(execution.parameters)
        return statement.at(location, parameters, prepared)

    def _succeed(self, execution: Execution, result: Result, spool: Spool) -> None:
        ending = ".txt" if result.is_text else ".csv"
        location = f"{as_folder(execution.output_folder)}{execution.id}{ending}"
        file = self._folder / f"{execution.id}{ending}"
        (spool.write_text if result.is_text else spool.write_csv)(file)
        self._store.upload(location, file, "text/plain" if result.is_text else "text/csv")
        file.unlink()
        self._store.put(f"{location}.metadata", spool.metadata(), "application/json")
        with self._lock:
            execution.statement_type, execution.subtype = result.statement_type, result.subtype
            execution.spool, execution.output_location = spool, location
            self._finish(execution, "SUCCEEDED")

    def _fail(self, execution: Execution, message: str, name: str) -> None:
        with self._lock:
            is_system = name == "GENERIC_INTERNAL_ERROR"
            execution.error = {
                "ErrorCategory": _SYSTEM_ERROR if is_system else _USER_ERROR,
                "ErrorType": _ICEBERG_ERROR_TYPE if name.startswith("ICEBERG_") else _OTHER_ERROR_TYPE,
                "Retryable": False,
                "ErrorMessage": message,
            }
            self._finish(execution, "FAILED", message)


def new_id() -> str:
    """An id for a query."""
    return str(uuid.uuid4())
