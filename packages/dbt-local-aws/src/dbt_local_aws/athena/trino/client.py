"""Trino's protocol for clients, https://trino.io/docs/current/develop/client-protocol.html.

Values stay as the protocol has them; a query can be cancelled from another thread at any moment, also before Trino has
answered for the first time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import urllib3

from dbt_local_aws.athena.errors import AthenaError, QueryCancelledError, athenas
from dbt_local_aws.athena.names import CATALOG

SCAN_LIMIT = "Query cancelled! : Bytes scanned limit was exceeded"
_USER = "athena"
PREPARED = "statement"
_OK, _GONE, _UNAVAILABLE = 200, 404, 503


@dataclass(frozen=True)
class Column:
    """A column of a result, with its type as text and as the protocol takes it apart."""

    name: str
    type: str
    signature: dict[str, Any]


@dataclass
class Statistics:
    """What Trino says of a query, in its own units."""

    bytes_scanned: int = 0
    rows_scanned: int = 0
    queued_millis: int = 0
    elapsed_millis: int = 0


@dataclass(frozen=True)
class Session:
    """Where a statement runs, with which settings, and which statement it may name as `statement`."""

    schema: str
    properties: Mapping[str, str] = field(default_factory=dict)
    prepared: str = ""

    def headers(self) -> dict[str, str]:
        """The request's headers."""
        headers = {
            "X-Trino-User": _USER,
            "X-Trino-Source": "local-athena",
            "X-Trino-Catalog": CATALOG,
            "X-Trino-Schema": self.schema,
            "X-Trino-Time-Zone": "UTC",
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
        }
        if self.properties:
            pairs = (f"{name}={quote(value)}" for name, value in self.properties.items())
            headers["X-Trino-Session"] = ",".join(pairs)
        if self.prepared:
            headers["X-Trino-Prepared-Statement"] = f"{PREPARED}={quote(self.prepared)}"
        return headers


class TrinoQuery:
    """One statement while Trino runs it."""

    def __init__(
        self,
        pool: urllib3.PoolManager,
        url: str,
        sql: str,
        session: Session,
        failure: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._failure = failure
        self.most_bytes: int | None = None
        self._lock = threading.Lock()
        self._cancelled = False
        self._next: str | None = None
        self.columns: list[Column] = []
        self.update_type: str | None = None
        self.update_count: int | None = None
        self.statistics = Statistics()
        self._url = f"{url}/v1/statement"
        self._sql = sql.encode()
        self._headers = session.headers()

    def batches(self) -> Iterator[list[list[Any]]]:
        """Send it and give its rows as they come.

        Raises:
            AthenaError: Trino's error, with its name and message.
            QueryCancelledError: `cancel` was called.
        """
        answer = self._ask("POST", self._url, self._sql)
        while True:
            self._take_in(answer)
            if rows := answer.get("data"):
                yield rows
            following = answer.get("nextUri")
            with self._lock:
                self._next = following
            if self._reads_too_much() and (following or not self.update_type):  # what is written already is not undone
                self._delete()
                raise QueryCancelledError(SCAN_LIMIT)
            if not following:
                return
            if self._cancelled:
                self._delete()
                raise QueryCancelledError
            answer = self._ask("GET", following)

    def _reads_too_much(self) -> bool:
        return self.most_bytes is not None and self.statistics.bytes_scanned > self.most_bytes

    def cancel(self) -> None:
        """End it: what it has written is not committed."""
        with self._lock:
            self._cancelled = True
        self._delete()

    def _delete(self) -> None:
        with self._lock:
            following = self._next
        if following:
            self._pool.request("DELETE", following)

    def _ask(self, method: str, url: str, body: bytes | None = None) -> dict[str, Any]:
        while True:
            try:
                answer = self._pool.request(method, url, body=body, headers=self._headers if body else None)
            except urllib3.exceptions.HTTPError as error:
                reason = self._failure() or f"Trino at {self._url} does not answer: {error}"
                raise AthenaError("GENERIC_INTERNAL_ERROR", reason) from error
            if answer.status == _OK:
                return dict(json.loads(answer.data))
            if answer.status == _GONE and self._cancelled:
                raise QueryCancelledError
            if answer.status != _UNAVAILABLE:
                raise AthenaError("GENERIC_INTERNAL_ERROR", f"Trino answered {answer.status}: {answer.data[:300]!r}")

    def _take_in(self, answer: dict[str, Any]) -> None:
        stats = answer.get("stats") or {}
        self.statistics = Statistics(
            stats.get("physicalInputBytes", 0),
            stats.get("processedRows", 0),
            stats.get("queuedTimeMillis", 0),
            stats.get("elapsedTimeMillis", 0),
        )
        self.update_type = answer.get("updateType", self.update_type)
        self.update_count = answer.get("updateCount", self.update_count)
        if not self.columns and answer.get("columns"):
            self.columns = [Column(c["name"], c["type"], c["typeSignature"]) for c in answer["columns"]]
        if error := answer.get("error"):
            if self._cancelled:
                raise QueryCancelledError
            raise athenas(AthenaError(error["errorName"], error["message"]))
