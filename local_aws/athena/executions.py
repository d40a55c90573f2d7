"""Queries as the API sees them: started, waited for, stopped, and their results left in S3."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import duckdb

from local_aws.athena.engine import Engine
from local_aws.athena.errors import AthenaError, InvalidRequestError
from local_aws.athena.objects import as_folder
from local_aws.athena.results import Result, as_csv, as_text, metadata_file
from local_aws.athena.statement import DefaultLocation

_WORKERS = 8
_USER_ERROR, _SYSTEM_ERROR = 2, 1
_ICEBERG_ERROR_TYPE, _OTHER_ERROR_TYPE = 233, 1
FINISHED = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass
class Execution:
    """One query of the history."""

    id: str
    sql: str
    schema: str
    catalog: str
    work_group: str
    region: str
    output_folder: str
    output_is_enforced: bool = False
    state: str = "QUEUED"
    submitted: float = field(default_factory=time.time)
    started: float | None = None
    completed: float | None = None
    reason: str | None = None
    error: dict[str, Any] | None = None
    result: Result | None = None
    output_location: str = ""
    finished: threading.Event = field(default_factory=threading.Event)
    connection: duckdb.DuckDBPyConnection | None = None

    def is_same_request(self, other: Execution) -> bool:
        """Whether the same was asked for."""
        parts = ("sql", "schema", "catalog", "work_group", "region", "output_folder")
        return all(getattr(self, part) == getattr(other, part) for part in parts)

    def millis(self) -> int:
        """How long it has run."""
        return round(((self.completed or time.time()) - (self.started or self.submitted)) * 1000)


class Executions:
    """The history of queries, and the threads that run them."""

    def __init__(self, engine_of: Callable[[str], Engine], put: Callable[[str, str, bytes, str], None]) -> None:
        self._engine_of = engine_of
        self._put = put
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="athena")
        self._lock = threading.Lock()
        self._known: dict[str, Execution] = {}
        self._tokens: dict[str, str] = {}

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
        self._pool.submit(self._run, execution)
        return execution.id

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
        """Cancel a query; one that has finished stays as it is."""
        execution = self.get(identifier)
        with self._lock:
            if execution.state in FINISHED:
                return
            connection = execution.connection
            self._finish(execution, "CANCELLED", "Query cancelled by user")
        if connection is not None:
            connection.interrupt()

    def close(self) -> None:
        """Wait for what runs, and start nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _finish(execution: Execution, state: str, reason: str | None = None) -> None:
        execution.state, execution.reason, execution.completed = state, reason, time.time()
        execution.connection = None
        execution.finished.set()

    def _run(self, execution: Execution) -> None:
        with self._lock:
            if execution.state != "QUEUED":
                return
            execution.state, execution.started = "RUNNING", time.time()
        try:
            self._succeed(execution, self._execute(execution))
        except AthenaError as error:
            self._fail(execution, str(error), error.name)
        except InvalidRequestError as error:
            self._fail(execution, str(error), "SYNTAX_ERROR")
        except Exception as error:  # the client has to hear of a defect here, too, and must not wait for ever
            self._fail(
                execution, f"GENERIC_INTERNAL_ERROR: the local endpoint failed: {error!r}", "GENERIC_INTERNAL_ERROR"
            )
            raise

    def _execute(self, execution: Execution) -> Result:
        def started(connection: duckdb.DuckDBPyConnection) -> None:
            execution.connection = connection

        location = DefaultLocation(
            f"{as_folder(execution.output_folder)}tables/{execution.id}/", execution.output_is_enforced
        )
        return self._engine_of(execution.region).execute(execution.sql, execution.schema, location, started)

    def _succeed(self, execution: Execution, result: Result) -> None:
        is_table = result.statement_type == "DML" and result.subtype != "EXPLAIN"
        ending, content = (".csv", as_csv(result)) if is_table else (".txt", as_text(result))
        location = f"{as_folder(execution.output_folder)}{execution.id}{ending}"
        self._put(execution.region, location, content, "text/csv" if is_table else "text/plain")
        self._put(execution.region, f"{location}.metadata", metadata_file(result), "application/json")
        with self._lock:
            if execution.state == "RUNNING":
                execution.result, execution.output_location = result, location
                self._finish(execution, "SUCCEEDED")

    def _fail(self, execution: Execution, message: str, name: str) -> None:
        with self._lock:
            if execution.state == "RUNNING":
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
