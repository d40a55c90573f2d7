"""Serializable isolation in one session: what its transaction has read and written, and whether that has an order.

PostgreSQL locks a table for whoever reads or writes it, until the transaction ends: its own books say which tables
these are, whatever views are between. A statement is refused before it runs, but after it was analysed.
"""

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.backend import BackendError
from dbt_local_aws.redshift.errors import INTERNAL_ERROR, RedshiftError
from dbt_local_aws.redshift.isolation.aside import Aside
from dbt_local_aws.redshift.isolation.graph import Graph, Snapshot, Transaction

# INSERT and COPY write, UPDATE, DELETE and MERGE do both (statements/write_locks.py); LOCK does neither
_READING = ("AccessShareLock", "ShareRowExclusiveLock")
_WRITING = ("RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareRowExclusiveLock")
_ENTERED = "select pg_catalog.pg_current_xact_id()::text, pg_catalog.pg_current_snapshot()::text"


def _locked(process: int) -> str:
    return (
        "select l.relation, l.mode from pg_catalog.pg_locks l "  # noqa: S608 - a number
        "join pg_catalog.pg_class c on c.oid = l.relation "
        f"where l.pid = {process} and l.granted and c.relkind = 'r' and c.oid >= 16384 "
        "and c.relnamespace <> all ('{pg_catalog, redshift_internal, information_schema}'::regnamespace[])"
    )


class Serializing:
    """The transaction of a session under serializable isolation."""

    def __init__(self, aside: Aside, graph: Graph, database: str) -> None:
        self._backend = aside.main
        self._aside = aside
        self._graph = graph
        self._database = database
        self._transaction: Transaction | None = None

    async def enter(self) -> None:
        """Takes the snapshot, and writes down which one it is."""
        self.settle(committed=False)
        self._transaction = self._graph.begin(self._database, self._backend.process_id)
        number, snapshot = (await self._backend.query(_ENTERED)).rows[0]
        self._transaction.number = int(number or 0)
        self._transaction.snapshot = Snapshot.of(snapshot or "")

    async def check(self) -> None:
        """Raises where the transaction has no place in any order of the others any more."""
        transaction = self._transaction
        if transaction is None or self._backend.status == wire.FAILED:
            return
        aside = await self._aside.opened()
        try:
            locks = (await aside.query(_locked(self._backend.process_id))).rows
        except BackendError as error:  # the question was cancelled, and with it the statement
            raise RedshiftError(error.fields.get("C", INTERNAL_ERROR), error.fields.get("M", "")) from error
        transaction.reads = frozenset(int(table or 0) for table, mode in locks if mode in _READING)
        transaction.writes = frozenset(int(table or 0) for table, mode in locks if mode in _WRITING)
        circle = self._graph.circle(transaction)
        if circle is None:
            return
        numbers = ", ".join(str(other.number) for other in circle.transactions)
        detail = f"Serializable isolation violation on table - {circle.table}, transactions forming the cycle are: "
        self.settle(committed=False)
        raise RedshiftError(INTERNAL_ERROR, "1023", f"{detail}{numbers} (pid:{transaction.process})")

    def settle(self, *, committed: bool) -> None:
        """The transaction has ended, if there was one."""
        if self._transaction is not None and committed:
            self._graph.commit(self._transaction)
        elif self._transaction is not None:
            self._graph.forget(self._transaction)
        self._transaction = None
