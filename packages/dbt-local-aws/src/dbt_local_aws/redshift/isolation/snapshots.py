"""The transactions of one session: when each of them takes its snapshot, and what it is asked for before and after."""

from collections.abc import Sequence

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.backend import Backend, BackendError
from dbt_local_aws.redshift.errors import INTERNAL_ERROR, RedshiftError
from dbt_local_aws.redshift.isolation import kinds
from dbt_local_aws.redshift.isolation.aside import Aside
from dbt_local_aws.redshift.isolation.serializing import Serializing
from dbt_local_aws.redshift.long_names import with_short_names
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.refusals.relations import is_system_relation, relations
from dbt_local_aws.redshift.statements.transactions import BEGIN
from dbt_local_aws.redshift.statements.write_locks import loads_rows, write_locks
from dbt_local_aws.redshift.tokens import QualifiedName, Token, fold_names, quote_hash_names
from dbt_local_aws.redshift.translating import Places

# Who may only insert may not lock, and what cannot be locked is told by the statement
_TOLD_LATER = {"42501", "42P01", "42809", "3F000"}
# By this transaction itself, for one: the second connection would wait for the first, and the first for the answer
_ANY_IS_LOCKED = (
    "select from pg_catalog.pg_locks "
    "where locktype = 'relation' and mode = 'AccessExclusiveLock' and relation >= 16384 limit 1"
)


class Snapshots:
    """What the transactions of one session see, and when they begin to."""

    def __init__(self, aside: Aside, serializing: Serializing) -> None:
        self._backend = aside.main
        self._aside = aside
        self._serializing = serializing
        self.is_serializable = False  # the database's isolation level
        self._is_taken = False  # this transaction has its snapshot
        self._has_definitions = False  # this transaction has made what its own connection alone sees
        self._has_temporary_tables = False  # so has the session
        self._acts_as_another = False

    async def begin(self) -> None:
        """Begins a transaction on the endpoint's own account."""
        self._is_taken = self._has_definitions = False
        await self._backend.query(BEGIN)

    async def places(self, tokens: Sequence[Token]) -> Places:
        """Where a statement runs, and where its names are looked up, neither of which takes the snapshot too early."""
        if self._backend.status == wire.IDLE:
            self._is_taken = self._has_definitions = False
        self._has_temporary_tables = self._has_temporary_tables or kinds.is_temporary(tokens)
        self._acts_as_another = self._acts_as_another or kinds.acts_as_another(tokens)
        places = await self._places(tokens)
        self._aside.is_stale = self._aside.is_stale or kinds.may_change_settings(tokens)
        return places

    async def _places(self, tokens: Sequence[Token]) -> Places:
        if self._backend.status != wire.IN_TRANSACTION or self._acts_as_another:
            return Places(self._backend, self._backend)
        aside = await self._aside.ready()
        names = self._backend if self._has_definitions else aside
        return Places(aside if await self._runs_aside(tokens, aside) else self._backend, names)

    async def _runs_aside(self, tokens: Sequence[Token], aside: Backend) -> bool:
        if kinds.reads_logs(tokens):
            return True
        if kinds.reads_nothing(tokens):
            return not self._is_taken
        has_own = self._has_definitions or self._has_temporary_tables
        if has_own or not kinds.reads_catalogue(tokens):
            return False
        return not kinds.looks_into_relations(tokens) or not (await aside.query(_ANY_IS_LOCKED)).rows

    async def prepare(self, tokens: Sequence[Token], places: Places, *, case_sensitive_names: bool) -> None:
        """Waits for others that write to the same table, before the snapshot is taken; refuses what is not in it."""
        if self._backend.status != wire.IN_TRANSACTION or places.runs is not self._backend:
            return
        tokens = with_short_names(quote_hash_names(tokens if case_sensitive_names else fold_names(tokens)))
        await self._lock(tokens)
        if self._is_taken:
            await self._refuse_later_relations(tokens)
        elif kinds.takes_snapshot(tokens):
            self._is_taken = True
            if self.is_serializable:
                await self._serializing.enter()
        self._has_definitions = self._has_definitions or kinds.defines(tokens)

    def is_watched(self, tokens: Sequence[Token], places: Places) -> bool:
        """Whether it counts which tables a statement reads and writes."""
        in_transaction = self._backend.status == wire.IN_TRANSACTION and places.runs is self._backend
        return self.is_serializable and in_transaction and kinds.is_counted(tokens)

    async def _lock(self, tokens: Sequence[Token]) -> None:
        locks = write_locks(tokens, serializable=self.is_serializable)
        if not loads_rows(tokens):
            for lock in locks:
                await self._backend.query(lock)
        elif locks:
            await self._lock_if_possible(locks)

    async def _lock_if_possible(self, locks: Sequence[str]) -> None:
        try:
            await self._backend.script(("savepoint redshift_lock", *locks, "release savepoint redshift_lock"))
        except BackendError as error:
            if error.fields.get("C") not in _TOLD_LATER:
                raise
            await self._backend.script(("rollback to savepoint redshift_lock", "release savepoint redshift_lock"))

    async def _refuse_later_relations(self, tokens: Sequence[Token]) -> None:
        """ "If the transaction reads from a table that doesn't exist in the snapshot, it throws the 1018 error".

        https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html.
        PostgreSQL would find the table without its rows: names are looked up as of now, and the catalogue is not.
        """
        named = (QualifiedName(parts[-2:]).sql for parts in relations(tokens) if not is_system_relation(parts))
        names = ", ".join(f"pg_catalog.to_regclass({literal(name)})" for name in named)
        if not names:
            return
        found = await self._backend.query(
            f"select from pg_catalog.unnest(array[{names}]) as named (relation) where relation is not null "  # noqa: S608 - literals
            "and not exists (select from pg_catalog.pg_class where oid = relation)"
        )
        if found.tag != "SELECT 0":
            raise RedshiftError(INTERNAL_ERROR, "1018", "Relation does not exist.")
