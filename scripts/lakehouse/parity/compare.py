"""Compares what two engines say of the same relations."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from lakehouse.parity.dump import Relation, read_catalogue, rows_file

TOLERANCE = 1e-12
"""By how much two floats may differ and be the same, in parts of the larger one: what the order of a sum changes."""
_DIFFERING_ROWS = Path(__file__).parent / "sql" / "differing_rows.sql"

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Comparison:
    """How a relation is on two engines.

    Attributes:
        relation: Its name.
        one: The relation on the one engine; None where it has none.
        other: The relation on the other engine; None where it has none.
        rows: How many rows the one has.
        only_one: The rows that only the one has, or has more often. Not looked for where the columns differ.
        only_other: The rows that only the other has.
    """

    relation: str
    one: Relation | None
    other: Relation | None
    rows: int
    only_one: tuple[Row, ...] = ()
    only_other: tuple[Row, ...] = ()

    @property
    def has_same_columns(self) -> bool:
        """Whether names, types and order of the columns are the same."""
        return self.one is not None and self.other is not None and self.one.columns == self.other.columns

    @property
    def is_same(self) -> bool:
        """Whether there is no difference at all."""
        return self.has_same_columns and not self.only_one and not self.only_other


def compare(one: Path, other: Path) -> Iterator[Comparison]:
    """Compares two folders of dumps, relation by relation."""
    of_one, of_other = read_catalogue(one), read_catalogue(other)
    with duckdb.connect() as connection:
        for name in sorted(of_one.keys() | of_other.keys()):
            found = Comparison(name, of_one.get(name), of_other.get(name), _count(rows_file(one, name)))
            if found.has_same_columns:
                differing = _differing_rows(connection, of_one[name], rows_file(one, name), rows_file(other, name))
                found = Comparison(name, of_one[name], of_other[name], found.rows, *differing)
            yield found


def explain(comparison: Comparison, one: str, other: str, most_rows: int = 10) -> Iterator[str]:
    """Says in lines for a person how two engines differ on a relation: the columns, or the rows, key first."""
    if comparison.one is None or comparison.other is None:
        yield f"{one if comparison.one is None else other} has no such relation"
        return
    if not comparison.has_same_columns:
        for engine, relation in {one: comparison.one, other: comparison.other}.items():
            yield f"{engine} has the columns {', '.join(f'{c.name} {c.type}' for c in relation.columns)}"
        return
    places = _key_first(comparison.one)
    differing = [(row, one) for row in comparison.only_one] + [(row, other) for row in comparison.only_other]
    differing.sort(key=lambda found: [(row_value is not None, row_value or "") for row_value in _at(places, found[0])])
    yield f"only {one} has {len(comparison.only_one):,} rows, only {other} has {len(comparison.only_other):,}"
    for row, engine in islice(differing, most_rows):
        values = (f"{comparison.one.columns[place].name}={_shown(row[place])}" for place in places)
        yield f"  only {engine}: {', '.join(values)}"
    if len(differing) > most_rows:
        yield f"  and {len(differing) - most_rows:,} more"


def _differing_rows(
    connection: duckdb.DuckDBPyConnection, relation: Relation, one: Path, other: Path
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    found: dict[str, list[Row]] = {"one": [], "other": []}
    for side, values in connection.execute(*differing_rows(relation, one, other)).fetchall():
        found[side].append(tuple(values))
    return tuple(found["one"]), tuple(found["other"])


def differing_rows(relation: Relation, one: Path, other: Path) -> tuple[str, dict[str, object]]:
    """The query for the rows that only one of two dumps has (side, row_values), with its parameters."""
    return _DIFFERING_ROWS.read_text(encoding="utf-8"), {
        "one": str(one),
        "other": str(other),
        "float_places": [place for place, column in enumerate(relation.columns, 1) if column.type == "float"],
        "tolerance": TOLERANCE,
    }


def _key_first(relation: Relation) -> list[int]:
    names = [column.name for column in relation.columns]
    key = [names.index(name) for name in relation.key]
    return key + [place for place in range(len(names)) if place not in key]


def _at(places: list[int], row: Row) -> Row:
    return tuple(row[place] for place in places)


def _shown(value: str | None) -> str:
    """A value as it is told to a person: letters that look alike are told apart, and so are null and nothing."""
    return "null" if value is None else json.dumps(value)


def _count(file: Path) -> int:
    if not file.exists():
        return 0
    with file.open("rb") as lines:
        return sum(1 for _ in lines)
