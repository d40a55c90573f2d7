"""The export: what the warehouse holds and the store does not is written, what only the store holds is deleted.

What was exported is worked out from the store itself, so that nothing has to be remembered: a killed export, a row that
somebody deleted by hand, a store that was restored from a backup come out right the same way. To read the store costs a
fraction of what writing it did.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lakehouse.console import ConsoleReporter, counted
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.relation_rows import rows_of
from lakehouse.serving.store import Store, batches
from lakehouse.serving.tables import Column, Row, ServedTable, ServingError

_AT_ONCE = 1_000
"""How many rows go to the store between two looks at the progress."""


@dataclass(frozen=True)
class Changes:
    """What makes a table of the store the warehouse's.

    Attributes:
        table: The table.
        writes: The rows that are new or another; columns as in `ServedTable.columns_key_first`.
        deletes: The keys of the rows that are no longer there.
        rows: How many rows the table has then.
        left_out: Why rows have no place in the store, and how many.
        first: The least row of the table by its key, for an example; None where it has none.
    """

    table: ServedTable
    writes: Sequence[Row]
    deletes: Sequence[Row]
    rows: int
    left_out: dict[str, int] = field(default_factory=dict)
    first: Row | None = None

    @property
    def count(self) -> int:
        """How many rows are to be changed."""
        return len(self.writes) + len(self.deletes)


Read = Callable[[ServedTable], Iterable[Row]]
"""Gives all rows of a table, as the warehouse has them; columns as in `ServedTable.columns_key_first`."""


@dataclass(frozen=True)
class Origin:
    """What is exported.

    Attributes:
        zone_id: The landing zone that the warehouse was built from.
        dataset: The data set's name.
    """

    zone_id: str
    dataset: str


def export(  # noqa: PLR0913 - what an export is told
    tables: Sequence[ServedTable], read: Read, store: Store, origin: Origin, reporter: ConsoleReporter, *, replace: bool
) -> list[Changes]:
    """Brings the store to what the warehouse holds, and gives what was changed.

    Args:
        tables: What is served.
        read: Reads the warehouse.
        store: The store.
        origin: What the warehouse holds.
        reporter: Who is told.
        replace: Whether what another landing zone's export left there may go.

    Raises:
        ServingError: The store holds another landing zone's rows, refuses something, or cannot be reached.
        DbtError: The warehouse cannot be asked.
    """
    records = {schema: _records(schema) for schema in dict.fromkeys(table.schema for table in tables)}
    for name in store.make([*records.values(), *tables]):
        reporter.say(f"made the table {name}")
    for schema, record in records.items():
        known = set() if replace else _check_owner(store, record, origin.zone_id)
        new = [table.name for table in tables if table.schema == schema and table.name not in known]
        store.write(
            record, [(name, origin.zone_id, origin.dataset, None, None) for name in new]
        )  # before the first row
    done = []
    for table in tables:
        changes = changes_of(table, read(table), store)
        _apply(store, changes, reporter)
        store.write(records[table.schema], [(table.name, origin.zone_id, origin.dataset, _now(), changes.rows)])
        _tell(changes, reporter)
        done.append(changes)
    return done


def changes_of(table: ServedTable, wanted_rows: Iterable[Row], store: Store) -> Changes:
    """Works out what is to be written and deleted, which takes the memory of the table's rows.

    Args:
        table: The table.
        wanted_rows: What it is to hold.
        store: What holds it now.
    """
    wanted: dict[Row, Row] = {}
    left_out: dict[str, int] = {}
    for row in wanted_rows:
        if reason := store.cannot_hold(table, row):
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            wanted[table.key(row)] = row
    rows, deletes = len(wanted), []
    first = wanted[min(wanted)] if wanted else None
    for stored in store.rows(table):
        key = table.key(stored)
        if key not in wanted:
            deletes.append(key)
        elif wanted[key] == stored:
            del wanted[key]
    return Changes(table, list(wanted.values()), deletes, rows, left_out, first)


def warehouse(dbt: DbtSession) -> Read:
    """Reads through dbt's adapter, which is connected once dbt has run something."""

    def read(table: ServedTable) -> Iterator[Row]:
        assert table.model is not None  # noqa: S101 - it is not a table of the export's own
        columns = table.columns_key_first
        for row in rows_of(dbt, table.model, [column.name for column in columns]):
            yield tuple(column.value(value) for column, value in zip(columns, row, strict=True))

    return read


def _apply(store: Store, changes: Changes, reporter: ConsoleReporter) -> None:
    """Deletes first: of whoever is to be forgotten, nothing stays if it ends here."""
    with reporter.counting(changes.table.full_name, changes.count) as advance:
        for keys in batches(changes.deletes, _AT_ONCE):
            store.delete(changes.table, keys)
            advance(len(keys))
        for rows in batches(changes.writes, _AT_ONCE):
            store.write(changes.table, rows)
            advance(len(rows))


def _tell(changes: Changes, reporter: ConsoleReporter) -> None:
    reporter.say(
        f"{changes.table.full_name:34} {changes.rows:>11,} rows  "
        f"{len(changes.writes):>9,} written  {len(changes.deletes):>9,} deleted"
    )
    for reason, count in changes.left_out.items():
        reporter.warn(f"{changes.table.full_name}: {counted(count, 'row')} left out, since {reason}")


def _records(schema: str) -> ServedTable:
    """The export's own table, by which a reader knows how old the others are, and an export whose they are."""
    columns = {"table_name": "text", "zone_id": "text", "dataset": "text", "exported_at": "text", "row_count": "bigint"}
    return ServedTable(schema, "exports", tuple(Column(*one) for one in columns.items()), ("table_name",))


def _check_owner(store: Store, record: ServedTable, zone_id: str) -> set[str]:
    """Checks that what the store holds comes from this landing zone, and gives the tables that are known to.

    Raises:
        ServingError: A table holds another landing zone's rows.
    """
    known = set()
    for name, owner, dataset, exported_at, rows in store.rows(record):
        if owner != zone_id:
            raise ServingError(
                f"{record.schema}.{name} in {store.where} holds data set {dataset} of another landing zone "
                f"({rows or 0:,} rows, exported at {exported_at or 'an unknown time'}): this export would delete it. "
                "If that is meant: --replace"
            )
        known.add(str(name))
    return known


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
