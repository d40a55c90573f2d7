"""Results as the Data API shows them: typed fields, and what is known of each column.

Which type becomes which field: https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
"""

import csv
import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbt_local_aws.redshift import wire

PAGE_ROWS = 1000

Row = Sequence[str | None]


@dataclass(frozen=True)
class _Type:
    """A type as ColumnMetadata names it, with the precision and scale that it always has."""

    name: str
    precision: int = 0
    scale: int = 0
    is_signed: bool = False


_TYPES = {
    16: _Type("bool", 1),
    18: _Type("char", 1),
    19: _Type("name", 64),
    20: _Type("int8", 19, 0, True),
    21: _Type("int2", 5, 0, True),
    23: _Type("int4", 10, 0, True),
    25: _Type("varchar"),
    26: _Type("oid", 10, 0, False),
    700: _Type("float4", 8, 8, True),
    701: _Type("float8", 17, 17, True),
    1042: _Type("bpchar"),
    1043: _Type("varchar"),
    1082: _Type("date", 13),
    1083: _Type("time", 15, 6),
    1114: _Type("timestamp", 29, 6),
    1184: _Type("timestamptz", 35, 6),
    1188: _Type("intervaly2m", 32),
    1190: _Type("intervald2s", 64),
    1266: _Type("timetz", 21, 6),
    1700: _Type("numeric", 0, 0, True),
    3802: _Type("super"),
    4000: _Type("super"),
    6551: _Type("varbyte"),
}
_INTEGERS = {"int2", "int4", "int8", "oid"}
_TEXTS = {"bpchar", "varchar", "name", "char"}
_LONGEST_TEXT = 65535


@dataclass(frozen=True)
class Origin:
    """The column of a table that a column of a result is."""

    schema: str
    table: str
    not_null: bool
    default: str


def origin_key(field: wire.Field) -> tuple[int, int]:
    """A table's number and a column's place in it; zeros for what was computed."""
    table, place = struct.unpack("!IH", field.head)
    return int(table), int(place)


def column_metadata(field: wire.Field, origin: Origin | None) -> dict[str, Any]:
    """What is known of a column of a result."""
    kind = _TYPES.get(field.type_oid, _Type("varchar"))
    precision, scale = kind.precision, kind.scale
    modifier = field.modifier - 4
    if kind.name == "numeric":
        precision, scale = (modifier >> 16, modifier & 0xFFFF) if modifier > 0 else (38, 0)
    elif kind.name in ("bpchar", "varchar"):
        precision = modifier if modifier > 0 else _LONGEST_TEXT
    return {
        "name": field.name,
        "label": field.name,
        "typeName": kind.name,
        "precision": precision,
        "scale": scale,
        "length": 0,
        "nullable": 0 if origin and origin.not_null else 1,
        "isCaseSensitive": kind.name in _TEXTS,
        "isCurrency": False,
        "isSigned": kind.is_signed,
        "schemaName": origin.schema if origin else "",
        "tableName": origin.table if origin else "",
        **({"columnDefault": origin.default} if origin and origin.default else {}),
    }


def records(columns: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> list[list[dict[str, Any]]]:
    """Rows of typed fields."""
    types = [str(column["typeName"]) for column in columns]
    return [[_field(kind, value) for kind, value in zip(types, row, strict=True)] for row in rows]


def _field(kind: str, value: str | None) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    if kind in _INTEGERS:
        return {"longValue": int(value)}
    if kind in ("float4", "float8"):
        number = float(value)
        # JSON has no word for what is no number: botocore reads these texts
        return {"doubleValue": number if number - number == 0 else value.removesuffix(".0")}
    if kind == "bool":
        return {"booleanValue": value == "t"}
    return {"stringValue": value}


def csv_records(columns: Sequence[Mapping[str, Any]], rows: Sequence[Row], *, header: bool) -> list[dict[str, str]]:
    """The same rows as CSV, whose first page begins with the names of the columns."""
    written = io.StringIO()
    writer = csv.writer(written)
    if header:
        writer.writerow(column["label"] for column in columns)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return [{"CSVRecords": written.getvalue()}]


def rows_of(tag: str) -> int:
    """How many rows a command has changed; -1 where it says none."""
    number = tag.rpartition(" ")[2]
    return int(number) if number.isdigit() else -1


def size_of(rows: Sequence[Row]) -> int:
    """How many bytes a result has."""
    return sum(len(value.encode()) for row in rows for value in row if value is not None)
