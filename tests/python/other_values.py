"""Values that an engine has otherwise than they were landed, and what the test of the landing tables says of them."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

from warehouses import LANDING_TABLES, Warehouse

Row = dict[str, Any]
CONSENT = "shareWithResearchAsOfDate"


@dataclass(frozen=True)
class Change:
    """Another value in one column of records that a part has.

    Attributes:
        table: The landing table.
        column: Its column.
        rows: Chooses records, and gives each its new value; none where a part has none to choose.
        told: What is said of it.
    """

    table: str
    column: str
    rows: Callable[[list[Row]], Mapping[int, Any]]
    told: str


def exchanged(rows: list[Row]) -> Mapping[int, Any]:
    """Gives two people each other's date of consent."""
    dated = [(number, row["email"], date) for number, row in enumerate(rows) if (date := row.get(CONSENT))]
    for (one, person, date), (other, somebody_else, another) in combinations(dated, 2):
        if person != somebody_else and date != another:
            return {one: another, other: date}
    return {}


def first_with(column: str, changed: Callable[[Any], Any]) -> Callable[[list[Row]], Mapping[int, Any]]:
    """Changes the first value of a column."""

    def rows(rows: list[Row]) -> Mapping[int, Any]:
        valued = (number for number, row in enumerate(rows) if row.get(column) is not None)
        return {number: changed(rows[number][column]) for number in islice(valued, 1)}

    return rows


CHANGES = (
    Change("customer_landing", CONSENT, exchanged, "other values than those landed"),
    Change("staging_events", "location", first_with("location", lambda text: f"{text}é"), "other values than"),
    Change("staging_events", "lastName", first_with("lastName", lambda _: None), "values landed"),
    Change("accelerometer_landing", "x", first_with("x", lambda x: x + 0.5), "other values than those landed"),
    Change("step_trainer_landing", "distanceFromObject", first_with("distanceFromObject", lambda d: d + 1), "other"),
)


def assert_other_values_are_found(warehouse: Warehouse) -> None:
    """Checks that each change shows with its column's name and no other one's, and that nothing shows without it."""
    assert warehouse.agrees(), "\n".join(warehouse.messages)
    for change in CHANGES:
        assert warehouse.differences(change.table) == []
        with made(change, warehouse):
            (told,) = warehouse.differences(change.table)
        assert told.startswith(f"{change.column}: "), told
        assert change.told in told
        assert told.count(": ") == 1, told
        assert warehouse.differences(change.table) == []


@contextmanager
def made(change: Change, warehouse: Warehouse) -> Iterator[None]:
    """Makes a change for a while: in the table if the engine holds a copy, or in the part that it reads."""
    keys = sorted({row["object_key"] for row in warehouse.entries(change.table) if row["object_key"]})
    key = next(key for key in keys if change.rows(_records(warehouse.read(key))))
    before = warehouse.read(key)
    rows = _records(before)
    values = change.rows(rows)
    if warehouse.target != "athena":
        for number, value in values.items():
            _update(warehouse, change, rows[number], value)
        try:
            yield
        finally:
            for number, value in values.items():
                _update(warehouse, change, rows[number] | {change.column: value}, rows[number][change.column])
        return
    for number, value in values.items():
        rows[number][change.column] = value
    warehouse.write(key, gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
    try:
        yield
    finally:
        warehouse.write(key, before)


def _records(part: bytes) -> list[Row]:
    return [json.loads(line) for line in gzip.decompress(part).splitlines()]


def _update(warehouse: Warehouse, change: Change, row: Row, value: Any) -> None:  # noqa: ANN401 - of any type
    found = " and ".join(
        f'"{name.lower()}" is null' if old is None else f'"{name.lower()}" = {_literal(old)}'
        for name, old in row.items()
    )
    copy = LANDING_TABLES[change.table] + ("__rows" if warehouse.target == "duckdb" else "")
    warehouse.query(
        f'update {copy} set "{change.column.lower()}" = {_literal(value)} where {found}'  # noqa: S608
    )


def _literal(value: Any) -> str:  # noqa: ANN401 - of any type
    if value is None:
        return "null"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
