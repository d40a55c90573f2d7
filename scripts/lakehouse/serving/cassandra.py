"""Cassandra, and Amazon Keyspaces, which speaks its language: a table for each question, with that question's key.

Keyspaces differs: it has no logged batches, and none is used; it writes at LOCAL_QUORUM only, and so does this; it
makes tables in the background, so that this waits for them; it signs users in by AWS's Signature Version 4.
https://docs.aws.amazon.com/keyspaces/latest/devguide/functional-differences.html
"""

import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cassandra import ConsistencyLevel, DriverException, OperationTimedOut, RequestExecutionException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.protocol import ErrorMessage
from cassandra.protocol import RequestExecutionException as RefusedMessage

from lakehouse.errors import SettingsError
from lakehouse.serving.store import until_taken
from lakehouse.serving.tables import Row, ServedTable, ServingError, Value

_TYPES = {"text": "text", "integer": "int", "bigint": "bigint", "double": "double"}
_LONGEST_KEY = (
    65_535  # bytes: https://cassandra.apache.org/doc/latest/cassandra/reference/cql-commands/create-table.html
)
_LONGEST_KEYSPACES_KEYS = {"partition": 2_048, "clustering": 850}
"""Bytes: https://docs.aws.amazon.com/keyspaces/latest/devguide/quotas.html"""
_PROTOCOL = 4  # the newest that Keyspaces speaks; Cassandra has spoken it since 2.2
_AT_A_TIME = 32
_PAGE_ROWS = 1_000
_TABLE_SECONDS, _POLL_SECONDS = 300, 2
_TRANSIENT = (OperationTimedOut, RequestExecutionException, RefusedMessage, NoHostAvailable)
"""What a store that is asked too much of answers; every write may be repeated."""


@dataclass(frozen=True)
class Settings:
    """Where a cluster is, and who asks it.

    Attributes:
        host: A name that its certificate is made out to.
        port: Its port.
        user: Who asks; empty for Keyspaces by the AWS credential chain.
        password: Its password.
        ca_file: Who signed its certificate; None for whom this machine trusts.
        has_tls: Whether it speaks TLS.
    """

    host: str
    port: int
    user: str
    password: str
    ca_file: str | None
    has_tls: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads them from the environment.

        Raises:
            SettingsError: One is missing or makes no sense.
        """
        host = environment.get("CASSANDRA_HOST", "")
        if not host:
            raise SettingsError(
                "set CASSANDRA_HOST: a node of your Cassandra, or cassandra.<region>.amazonaws.com for Keyspaces. "
                "For one on this machine: make serve-cassandra"
            )
        is_keyspaces = _is_keyspaces(host)
        port = environment.get("CASSANDRA_PORT") or ("9142" if is_keyspaces else "9042")
        tls = environment.get("CASSANDRA_TLS", "on")
        user = environment.get("CASSANDRA_USER", "")
        if not port.isdecimal():
            raise SettingsError(f"CASSANDRA_PORT is {port!r}: set it to a number")
        if tls not in ("on", "off") or (is_keyspaces and tls == "off"):
            raise SettingsError(f"CASSANDRA_TLS is {tls!r}: set it to on, or off for a cluster of yours without TLS")
        password = environment.get("CASSANDRA_PASSWORD", "")
        return cls(host, int(port), user, password, environment.get("CASSANDRA_CA_FILE") or None, tls == "on")

    @property
    def is_keyspaces(self) -> bool:
        """Whether it is Amazon Keyspaces."""
        return _is_keyspaces(self.host)


class Cassandra:
    """A cluster, with a session that is open until `close`."""

    def __init__(self, settings: Settings) -> None:
        """Connects.

        Raises:
            ServingError: Nobody answers, or nobody is let in.
        """
        self._settings = settings
        profile = ExecutionProfile(
            consistency_level=ConsistencyLevel.LOCAL_QUORUM,
            load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy()),
            request_timeout=60,
        )
        self._cluster: Any = Cluster(
            [settings.host],
            port=settings.port,
            protocol_version=_PROTOCOL,
            auth_provider=_auth(settings),
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            ssl_context=ssl.create_default_context(cafile=settings.ca_file) if settings.has_tls else None,
            # nodes are known by their addresses, the certificate is made out to a name
            ssl_options={"server_hostname": settings.host} if settings.has_tls else None,
        )
        try:
            with _explained(self.where):
                self._session: Any = self._cluster.connect()
        except BaseException:
            self._cluster.shutdown()
            raise

    @property
    def where(self) -> str:
        """Kind, host and port."""
        kind = "Keyspaces" if self._settings.is_keyspaces else "Cassandra"
        return f"{kind} at {self._settings.host}:{self._settings.port}"

    def make(self, tables: Sequence[ServedTable]) -> list[str]:
        """Makes keyspaces and tables that are missing; a keyspace that is there keeps its replication."""
        made = []
        for schema in dict.fromkeys(table.schema for table in tables):
            if schema not in self._cluster.metadata.keyspaces:
                self._execute(f'create keyspace if not exists "{schema}" with replication = {self._replication()}')
                self._await("keyspaces", schema)
        for table in tables:
            if self._columns(table) is None:
                self._execute(_create(table))
                self._await("tables", table.schema, table.name)
                made.append(table.full_name)
            elif self._columns(table) != _columns(table):
                raise ServingError(
                    f"{self.where} has a table {table.full_name} with other columns or another key than "
                    f"{', '.join(' '.join(column) for column in _columns(table))}: drop it, and export again"
                )
        return made

    def cannot_hold(self, table: ServedTable, row: Row) -> str | None:
        """Whether a key is empty or too long."""
        for column, value in zip(table.key_columns, table.key(row), strict=True):
            is_partition = column.name in table.partition_by
            longest = _LONGEST_KEY
            if self._settings.is_keyspaces:
                longest = _LONGEST_KEYSPACES_KEYS["partition" if is_partition else "clustering"]
            if value == "" and is_partition and len(table.partition_by) == 1:
                return f"{column.name} is empty"
            if isinstance(value, str) and len(value.encode()) > longest:
                return f"{column.name} has more than {longest:,} bytes"
        return None

    def rows(self, table: ServedTable) -> Iterator[Row]:
        """Reads the table in pages."""
        names = ", ".join(f'"{column.name}"' for column in table.columns_key_first)
        with _explained(table.full_name):
            select = self._session.prepare(f"select {names} from {_quoted(table)}")  # noqa: S608 - the project's names
            select.fetch_size = _PAGE_ROWS
            for row in self._session.execute(select):
                yield tuple(column.value(value) for column, value in zip(table.columns_key_first, row, strict=True))

    def write(self, table: ServedTable, rows: Sequence[Row]) -> None:
        """Writes rows, some at a time, each by itself: a batch over partitions would burden one node with all."""
        names = ", ".join(f'"{column.name}"' for column in table.columns_key_first)
        places = ", ".join("?" for _ in table.columns)
        self._send(table, f"insert into {_quoted(table)} ({names}) values ({places})", rows)  # noqa: S608 - see above

    def delete(self, table: ServedTable, keys: Sequence[Row]) -> None:
        """Deletes rows, as they are written."""
        where = " and ".join(f'"{column.name}" = ?' for column in table.key_columns)
        self._send(table, f"delete from {_quoted(table)} where {where}", keys)  # noqa: S608 - see above

    def close(self) -> None:
        """Ends the session."""
        self._cluster.shutdown()

    def _send(self, table: ServedTable, cql: str, rows: Sequence[Sequence[Value]]) -> None:
        if not rows:
            return
        with _explained(table.full_name):
            statement = self._session.prepare(cql)

            def send(some: Sequence[Sequence[Value]]) -> Sequence[Sequence[Value]]:
                done = execute_concurrent_with_args(
                    self._session, statement, some, concurrency=_AT_A_TIME, raise_on_first_error=False
                )
                refused = []
                for row, (is_done, outcome) in zip(some, done, strict=True):
                    if not is_done:
                        if not isinstance(outcome, _TRANSIENT):
                            raise outcome
                        refused.append(row)
                return refused

            until_taken(rows, send)

    def _execute(self, cql: str) -> None:
        with _explained(cql.partition(" with ")[0]):
            self._session.execute(cql)

    def _replication(self) -> dict[str, object]:
        """Of a new keyspace: three copies in the data centre that is asked, or as many as it has nodes."""
        if self._settings.is_keyspaces:
            return {"class": "SingleRegionStrategy"}
        hosts = self._cluster.metadata.all_hosts()
        here = self._session.execute("select data_center from system.local").one().data_center
        return {"class": "NetworkTopologyStrategy", here: min(3, sum(host.datacenter == here for host in hosts))}

    def _await(self, what: str, *names: str) -> None:
        """Waits until Keyspaces has made what it was told to; Cassandra has by now."""
        if not self._settings.is_keyspaces:
            return
        columns = ("keyspace_name", "table_name")
        where = " and ".join(f"{column} = %s" for column, _ in zip(columns, names, strict=False))
        deadline = time.monotonic() + _TABLE_SECONDS
        while time.monotonic() < deadline:
            found = self._session.execute(f"select * from system_schema_mcs.{what} where {where}", names).one()  # noqa: S608
            if found is not None and getattr(found, "status", "ACTIVE") == "ACTIVE":
                self._cluster.refresh_schema_metadata()
                return
            time.sleep(_POLL_SECONDS)
        raise ServingError(f"Keyspaces has not made {'.'.join(names)} in {_TABLE_SECONDS} s: run it again")

    def _columns(self, table: ServedTable) -> list[tuple[str, str, str]] | None:
        """What a table that is there has: name, type and part in the key of each column. None if it is not there."""
        keyspace = self._cluster.metadata.keyspaces.get(table.schema)
        found = keyspace and keyspace.tables.get(table.name)
        if not found:
            return None
        partition = [column.name for column in found.partition_key]
        clustering = [column.name for column in found.clustering_key]
        return sorted(
            (column.name, column.cql_type, _part(column.name, partition, clustering))
            for column in found.columns.values()
        )


def _columns(table: ServedTable) -> list[tuple[str, str, str]]:
    clustering = [table.order_by] if table.order_by else []
    return sorted(
        (column.name, _TYPES[column.kind], _part(column.name, list(table.partition_by), clustering))
        for column in table.columns
    )


def _part(name: str, partition: Sequence[str], clustering: Sequence[str]) -> str:
    if name in partition:
        return f"partition key {partition.index(name) + 1}"
    return f"clustering key {clustering.index(name) + 1}" if name in clustering else ""


def _create(table: ServedTable) -> str:
    columns = ", ".join(f'"{column.name}" {_TYPES[column.kind]}' for column in table.columns)
    partition = ", ".join(f'"{name}"' for name in table.partition_by)
    clustering = f', "{table.order_by}"' if table.order_by else ""
    return f"create table if not exists {_quoted(table)} ({columns}, primary key (({partition}){clustering}))"


def _quoted(table: ServedTable) -> str:
    return f'"{table.schema}"."{table.name}"'


def _is_keyspaces(host: str) -> bool:
    return host.startswith("cassandra") and ".amazonaws.com" in host


def _auth(settings: Settings) -> object:
    if settings.is_keyspaces and not settings.user:
        # it takes its time to import
        from cassandra_sigv4.auth import SigV4AuthProvider  # noqa: PLC0415

        from lakehouse.storage.s3_session import session  # noqa: PLC0415 - see above

        return SigV4AuthProvider(session())
    return PlainTextAuthProvider(settings.user, settings.password) if settings.user else None


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Says in a sentence what the cluster or its driver refuses.

    Raises:
        ServingError: Something was refused.
    """
    try:
        yield
    except NoHostAvailable as error:
        reasons = error.errors.values() if isinstance(error.errors, Mapping) else error.errors
        raise ServingError(f"{what}: {'; '.join(dict.fromkeys(map(str, reasons))) or error}") from error
    except (DriverException, ErrorMessage, OSError) as error:
        raise ServingError(f"{what}: {error}") from error
