"""Results: values written as Athena writes them, in the API's answer and in the files it leaves in S3."""
# ruff: noqa: S608 - what is written here is SQL; names and literals are quoted

from __future__ import annotations

import csv
import io
import json
import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import duckdb

from local_aws.athena.casts import cast
from local_aws.athena.expressions import Output, Query
from local_aws.athena.functions import Value
from local_aws.athena.queries import quoted
from local_aws.athena.types import VARCHAR, SqlType, field_names, result_name

Row = tuple[str | None, ...]
_PRECISIONS = {
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 17,
    "double": 17,
    "timestamp": 3,
    "varchar": 2**31 - 1,
}


@dataclass
class Result:
    """What a statement gives. A result without a header is plain text: what SHOW and DESCRIBE print."""

    statement_type: str = "DDL"
    subtype: str | None = None
    columns: list[tuple[str, SqlType]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    has_header: bool = False
    update_count: int | None = None
    bytes_scanned: int = 0

    def all_rows(self) -> list[Row]:
        """The rows as GetQueryResults gives them: the names come first where there are any."""
        return [tuple(name for name, _ in self.columns), *self.rows] if self.has_header else self.rows


def text_result(subtype: str, lines: Iterable[str], column: str) -> Result:
    """What SHOW, DESCRIBE and EXPLAIN print: one line a row."""
    return Result("UTILITY", subtype, [(column, VARCHAR)], [(line,) for line in lines])


# -------------------- values


def java_double(value: float, digits: str | None = None) -> str:
    """A double as Java prints it: 1.0, 0.001, 1.0E10."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    number = Decimal(digits or repr(value))
    if 1e-3 <= abs(value) < 1e7:
        plain = format(number, "f")
        return plain if "." in plain else f"{plain}.0"
    sign, parts, exponent = number.normalize().as_tuple()
    mantissa = "".join(map(str, parts))
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{int(exponent) + len(mantissa) - 1}"


def _java_float(value: float) -> str:
    for digits in range(6, 10):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return java_double(value, text)
    return java_double(value)


def _fraction(microseconds: int, precision: int) -> str:
    return f".{microseconds:06d}"[: precision + 1] if precision else ""


def _nested(value: Any, kind: SqlType) -> str:  # noqa: ANN401 - what DuckDB gives
    if kind.base == "array":
        return "[" + ", ".join(_inner(item, kind.items[0]) for item in value) + "]"
    if kind.base == "map":
        pairs = (f"{_inner(key, kind.items[0])}={_inner(item, kind.items[1])}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    values = value.values() if isinstance(value, dict) else value
    named = zip(field_names(kind), values, kind.items, strict=True)
    return "{" + ", ".join(f"{name}={_inner(item, item_kind)}" for name, item, item_kind in named) + "}"


def _inner(value: object, kind: SqlType) -> str:
    text = to_text(value, kind)
    return "null" if text is None else text


def to_text(value: object, kind: SqlType) -> str | None:  # noqa: PLR0911 - one for each type
    """One value, or None for null."""
    if value is None:
        return None
    if kind.items:
        return _nested(value, kind)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _java_float(value) if kind.base == "real" else java_double(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}".rjust(19, "0") + _fraction(value.microsecond, (kind.args or (3,))[0])
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M:%S}" + _fraction(value.microsecond, (kind.args or (3,))[0])
    if isinstance(value, bytes):
        return value.hex(" ")
    return str(value)


def _fetched(output: Output) -> str:
    """How a column is fetched: Python has no value for intervals and zones."""
    column = quoted(output.column)
    if output.type.base == "timestamp with time zone":
        return f"{cast(Value(column, output.type), VARCHAR).sql} as {column}"
    if output.type.base == "interval day to second":
        return f"epoch_us({column}) as {column}"
    if output.type.base == "interval year to month":
        return f"extract(year from {column}) * 12 + extract(month from {column}) as {column}"
    return column


def _interval(value: int, kind: SqlType) -> str:
    sign, size = "-" if value < 0 else "", abs(value)
    if kind.base == "interval year to month":
        return f"{sign}{size // 12}-{size % 12}"
    seconds, rest = divmod(size // 1000, 1000)
    minutes, hours = seconds // 60, seconds // 3600
    return f"{sign}{hours // 24} {hours % 24:02d}:{minutes % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def fetch(connection: duckdb.DuckDBPyConnection, query: Query) -> tuple[list[tuple[str, SqlType]], list[Row]]:
    """Run a query and write its values down."""
    items = [_fetched(output) for output in query.outputs]
    plain = all(item == quoted(output.column) for item, output in zip(items, query.outputs, strict=True))
    sql = query.sql if plain else f"select {', '.join(items)} from ({query.sql})"
    kinds = [output.type for output in query.outputs]
    rows = [
        tuple(
            _interval(value, kind) if kind.is_interval and value is not None else to_text(value, kind)
            for value, kind in zip(row, kinds, strict=True)
        )
        for row in connection.execute(sql).fetchall()
    ]
    columns = [(output.name or f"_col{at}", output.type) for at, output in enumerate(query.outputs)]
    return columns, rows


# -------------------- the API and the files


def column_info(name: str, kind: SqlType) -> dict[str, Any]:
    """A column as GetQueryResults describes it."""
    precision, scale = _PRECISIONS.get(kind.base, 0), 0
    if kind.base == "decimal":
        precision, scale = kind.args
    elif kind.base in ("varchar", "char") and kind.args:
        precision = kind.args[0]
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": result_name(kind),
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind.is_text,
    }


def result_set(result: Result, rows: Sequence[Row]) -> dict[str, Any]:
    """A page of rows with the description of the columns."""
    return {
        "Rows": [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in rows],
        "ResultSetMetadata": {"ColumnInfo": [column_info(name, kind) for name, kind in result.columns]},
    }


def as_csv(result: Result) -> bytes:
    """The result file of a query: everything quoted, and nothing at all for null."""
    buffer = io.StringIO()
    for row in result.all_rows():
        cells = ("" if value is None else '"' + value.replace('"', '""') + '"' for value in row)
        buffer.write(",".join(cells) + "\n")
    return buffer.getvalue().encode()


def as_text(result: Result) -> bytes:
    """The result file of a statement that prints lines."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter="\t", quoting=csv.QUOTE_NONE, escapechar="\\", lineterminator="\n").writerows(
        result.rows
    )
    return buffer.getvalue().encode()


def metadata_file(result: Result) -> bytes:
    """The file beside the result. Athena's is binary and undocumented; this one is JSON."""
    return json.dumps({"ColumnInfo": [column_info(name, kind) for name, kind in result.columns]}).encode()
