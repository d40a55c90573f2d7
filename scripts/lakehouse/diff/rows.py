"""What became of the rows and the columns of a relation, by the dumps of it that were made of the base and now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import msgspec

from lakehouse.parity.compare import Row, differing_rows
from lakehouse.parity.dump import Relation, read_catalogue, rows_file

KINDS = ("added", "removed", "changed")
SAMPLE_ROWS = 3
"""Of each kind."""
_SQL = Path(__file__).parent / "sql"
_LIST_OF_TEXTS = msgspec.json.Decoder(list[str | None])


@dataclass(frozen=True)
class SampledRow:
    """A row that differs.

    Attributes:
        kind: One of `KINDS`.
        before: Its values in the base, as text, in the order of the columns that were compared; None if it was added.
        after: Its values now; None if it was removed.
    """

    kind: str
    before: Row | None
    after: Row | None


@dataclass(frozen=True)
class RelationChange:
    """How a relation is, beside how it was in the base.

    Attributes:
        name: Schema and name.
        rows_before: How many rows the base has; None where it has no such relation.
        rows_after: How many there are now; None where there is no such relation any more.
        counts: How many rows were added, removed, changed. Of two relations with other columns, by those they share.
        columns: In how many of the rows that changed each column did, by name.
        schema: Types, before and after, of columns that appear, vanish or have another one; None where there is none.
        key: The columns that tell rows apart.
        compared: The names of the columns of a sampled row.
        sample: A few rows of each kind.
    """

    name: str
    rows_before: int | None
    rows_after: int | None
    counts: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, int] = field(default_factory=dict)
    schema: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    sample: tuple[SampledRow, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether neither a row nor a column differs."""
        return not any(self.counts.values()) and not self.schema and None not in (self.rows_before, self.rows_after)


def compare_relation(base: Path, head: Path, work: Path) -> RelationChange:
    """Compares two dumps of a relation, each in a folder of its own; one of the folders need not be there.

    Args:
        base: The dump of the base.
        head: The dump of today.
        work: A folder for what is too large for the memory.
    """
    before, after = _relation_in(base), _relation_in(head)
    some = after or before
    if some is None:
        raise FileNotFoundError(f"neither {base} nor {head} is a dump")
    one, other = rows_file(base, some.name), rows_file(head, some.name)
    if before is None or after is None:
        return RelationChange(some.name, _count(one) if before else None, _count(other) if after else None)
    shared = _shared(before, after)
    schema = _schema_change(before, after)
    if [column.name for column in before.columns] != [column.name for column in after.columns]:
        one = _projected(one, before, shared, work / "base.jsonl")
        other = _projected(other, after, shared, work / "head.jsonl")
    with duckdb.connect(config={"temp_directory": str(work / "spilled")}) as connection:
        query, parameters = differing_rows(shared, one, other)
        connection.execute(f"create table differing_rows as {query}", parameters)
        places = [[column.name for column in shared.columns].index(name) + 1 for name in shared.key]
        connection.execute(f"create table changed_rows as {_sql('changed_rows')}", {"key_places": places})
        counts = dict(connection.execute("select kind, count(*) from changed_rows group by kind").fetchall())
        columns = dict(connection.execute(_sql("changed_columns")).fetchall())
        sample = connection.execute(_sql("sample"), {"most_rows": SAMPLE_ROWS}).fetchall()
    return RelationChange(
        name=some.name,
        rows_before=_count(one),
        rows_after=_count(other),
        counts={kind: counts.get(kind, 0) for kind in KINDS},
        columns={column.name: columns[place] for place, column in enumerate(shared.columns, 1) if place in columns},
        schema=schema,
        key=shared.key,
        compared=tuple(column.name for column in shared.columns),
        sample=tuple(SampledRow(kind, _row(of_base), _row(of_head)) for kind, of_base, of_head in sample),
    )


def _relation_in(dump: Path) -> Relation | None:
    return next(iter(read_catalogue(dump).values())) if dump.exists() else None


def _shared(before: Relation, after: Relation) -> Relation:
    """What two relations have in common: columns of one name, and a key of today that both have."""
    was = {column.name: column.type for column in before.columns}
    columns = tuple(column for column in after.columns if column.name in was)
    # numbers are compared by their size only where both sides have floats; else letter by letter
    exact = tuple(
        column if was[column.name] == column.type else msgspec.structs.replace(column, type="text")
        for column in columns
    )
    key = after.key if {column.name for column in columns}.issuperset(after.key) else ()
    return Relation(after.name, exact, key)


def _schema_change(before: Relation, after: Relation) -> dict[str, tuple[str | None, str | None]]:
    was = {column.name: column.type for column in before.columns}
    now = {column.name: column.type for column in after.columns}
    return {name: (was.get(name), now.get(name)) for name in {**was, **now} if was.get(name) != now.get(name)}


def _projected(rows: Path, relation: Relation, onto: Relation, to: Path) -> Path:
    """Writes the columns of another relation alone."""
    names = [column.name for column in relation.columns]
    places = [names.index(column.name) for column in onto.columns]
    encoder = msgspec.json.Encoder()
    with rows.open("rb") as lines, to.open("wb") as out:
        for line in lines:
            values = _LIST_OF_TEXTS.decode(line)
            out.write(encoder.encode([values[place] for place in places]) + b"\n")
    return to


def _count(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


def _row(values: list[str | None] | None) -> Row | None:
    return None if values is None else tuple(values)


def _sql(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")
