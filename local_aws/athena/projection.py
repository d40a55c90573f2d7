"""Partition projection: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from local_aws.athena.catalog import Partition, Table
from local_aws.athena.errors import AthenaError, NotEmulatedError
from local_aws.athena.objects import as_folder

_JAVA_TO_STRFTIME = {
    "yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S",
}  # fmt: skip
_UNITS = {"YEARS": 365, "MONTHS": 28, "WEEKS": 7, "DAYS": 1}
_SMALL_UNITS = {"HOURS": "hours", "MINUTES": "minutes", "SECONDS": "seconds"}
_MOST_PARTITIONS = 1_000_000


def is_projected(table: Table) -> bool:
    """Whether the table's partitions are calculated, and those in Glue ignored."""
    return table.parameters.get("projection.enabled", "").lower() == "true"


def _invalid(table: Table, message: str) -> AthenaError:
    return AthenaError("INVALID_TABLE_PROPERTY", f"Table {table.schema}.{table.name} has invalid projection: {message}")


def _java_format(table: Table, pattern: str) -> str:
    def part(found: re.Match[str]) -> str:
        if found["quoted"] is not None:
            return found["quoted"]
        if found["letters"] not in _JAVA_TO_STRFTIME:
            raise NotEmulatedError(f"the projection format {pattern}")
        return _JAVA_TO_STRFTIME[found["letters"]]

    return re.sub(r"'(?P<quoted>[^']*)'|(?P<letters>([A-Za-z])\3*)", part, pattern)


def _date_bound(table: Table, text: str, pattern: str) -> datetime:
    relative = re.fullmatch(
        r"NOW(?:\s*([+-])\s*(\d+)\s*(YEARS?|MONTHS?|WEEKS?|DAYS?|HOURS?|MINUTES?|SECONDS?))?", text.strip()
    )
    if relative:
        now = datetime.now(UTC).replace(tzinfo=None)
        if not relative[1]:
            return now
        amount, unit = int(relative[1] + relative[2]), relative[3].rstrip("S") + "S"
        if unit in ("YEARS", "MONTHS"):
            months = now.year * 12 + now.month - 1 + amount * (12 if unit == "YEARS" else 1)
            return now.replace(year=months // 12, month=months % 12 + 1, day=min(now.day, 28))
        return now + timedelta(**{unit.lower(): amount})
    try:
        return datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 - partition values carry no zone
    except ValueError as error:
        raise _invalid(table, f"{text!r} is not of the format") from error


def _dates(table: Table, column: str) -> Iterator[str]:
    pattern = _java_format(table, _property(table, column, "format"))
    bounds = _property(table, column, "range").split(",")
    if len(bounds) != 2:
        raise _invalid(table, f"projection.{column}.range needs two dates")
    start, end = (_date_bound(table, bound, pattern) for bound in bounds)
    finest = next(
        (unit for letter, unit in (("S", "SECONDS"), ("M", "MINUTES"), ("H", "HOURS")) if f"%{letter}" in pattern), None
    )
    default_unit = finest or ("DAYS" if "%d" in pattern else "MONTHS" if "%m" in pattern else "YEARS")
    unit = table.parameters.get(f"projection.{column}.interval.unit", default_unit).upper()
    step = int(table.parameters.get(f"projection.{column}.interval", "1"))
    current, last = start, None
    while current <= end:
        text = current.strftime(pattern)
        if text != last:
            yield text
        last = text
        current = _after(current, unit, step)


def _after(moment: datetime, unit: str, step: int) -> datetime:
    if unit in ("YEARS", "MONTHS"):
        months = moment.year * 12 + moment.month - 1 + step * (12 if unit == "YEARS" else 1)
        return moment.replace(year=months // 12, month=months % 12 + 1, day=min(moment.day, 28))
    if unit not in (*_UNITS, *_SMALL_UNITS):
        raise NotEmulatedError(f"the projection interval unit {unit}")
    return moment + timedelta(**{unit.lower(): step})


def _integers(table: Table, column: str) -> Iterator[str]:
    bounds = _property(table, column, "range").split(",")
    if len(bounds) != 2:
        raise _invalid(table, f"projection.{column}.range needs two numbers")
    digits = int(table.parameters.get(f"projection.{column}.digits", "0"))
    step = int(table.parameters.get(f"projection.{column}.interval", "1"))
    for number in range(int(bounds[0]), int(bounds[1]) + 1, step):
        yield str(number).zfill(digits)


def _property(table: Table, column: str, name: str) -> str:
    key = f"projection.{column}.{name}"
    if key not in table.parameters:
        raise _invalid(table, f"the property {key} is missing")
    return table.parameters[key]


def _values(table: Table, column: str, wanted: dict[str, set[str]]) -> Iterator[str]:
    kind = _property(table, column, "type").lower()
    if kind == "enum":
        return (value.strip() for value in _property(table, column, "values").split(","))
    if kind == "integer":
        return _integers(table, column)
    if kind == "date":
        return _dates(table, column)
    if kind == "injected":
        if column not in wanted:
            raise AthenaError(
                "CONSTRAINT_VIOLATION",
                f"For the injected projected partition column {column}, the WHERE clause must contain only static "
                "equality conditions, and at least one such condition must be present.",
            )
        return iter(sorted(wanted[column]))
    raise _invalid(table, f"projection.{column}.type = {kind}")


def partitions(table: Table, wanted: dict[str, set[str]]) -> list[Partition]:
    """Every projected partition; `wanted` holds the values that the query asks of injected columns."""
    names = [key.name for key in table.partition_keys]
    template = table.parameters.get("storage.location.template")
    if template is None:
        template = as_folder(table.location) + "/".join(f"{name}=${{{name}}}" for name in names)
    elif missing := [name for name in names if f"${{{name}}}" not in template]:
        raise _invalid(table, f"storage.location.template does not name {', '.join(missing)}")
    combinations = itertools.product(*(_values(table, name, wanted) for name in names))
    found = [
        Partition(values, _fill(template, names, values))
        for values in itertools.islice(combinations, _MOST_PARTITIONS + 1)
    ]
    if len(found) > _MOST_PARTITIONS:
        raise NotEmulatedError(f"more than {_MOST_PARTITIONS:,} projected partitions")
    return found


def _fill(template: str, names: Sequence[str], values: Sequence[str]) -> str:
    for name, value in zip(names, values, strict=True):
        template = template.replace(f"${{{name}}}", value)
    return as_folder(template)
