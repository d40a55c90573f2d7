"""Results: values written as Athena writes them, in the API's answer and in the files it leaves in S3."""

from __future__ import annotations

import base64
import json
import math
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from dbt_local_aws.athena.errors import AthenaError
from dbt_local_aws.athena.trino.client import Column, TrinoQuery
from dbt_local_aws.athena.types import result_type

Row = Sequence[str | None]
MOST_RESULT_BYTES = 2**31
"""How large a result may grow on this machine; Athena itself sets no such limit."""


@dataclass
class Result:
    """What a statement gives. A result without a header is plain text: what SHOW and DESCRIBE print.

    Attributes:
        statement_type: DML, DDL or UTILITY.
        subtype: As Athena names the kind of statement.
        query: Trino's query, whose rows come when they are read; None for what Trino was not asked.
        rows: The rows of what Trino was not asked.
        columns: Their columns.
        has_header: Whether the names of the columns are the first row.
        update_count: How many rows were changed.
        finish: What is to be done when the query has ended well.
        sent: What was sent to Trino, if that is not what was written.
        is_text: Whether the result file is plain text.
    """

    statement_type: str = "DDL"
    subtype: str | None = None
    query: TrinoQuery | None = None
    rows: list[Row] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    has_header: bool = False
    update_count: int | None = None
    finish: Callable[[], None] | None = None
    sent: str | None = None
    is_text: bool = True


def text_result(subtype: str, lines: Iterable[str], column: str) -> Result:
    """What SHOW and DESCRIBE print: one line a row."""
    return Result("UTILITY", subtype, rows=[(line,) for line in lines], columns=[Column(column, "varchar", {})])


# -------------------- values


def java_double(value: float, digits: str | None = None) -> str:
    """A double as Java prints it: 1.0, 0.001, 1.0E10."""
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


Writer = Callable[[Any], str]


def writer_of(signature: dict[str, Any]) -> Writer:
    """What writes the values of a type, which come as Trino's protocol has them."""
    kind = signature.get("rawType", "varchar")
    arguments = [argument["value"] for argument in signature.get("arguments", [])]
    if kind == "array":
        item = _or_null(writer_of(arguments[0]))
        return lambda values: "[" + ", ".join(map(item, values)) + "]"
    if kind == "map":
        key, value = _key_writer(arguments[0]), _or_null(writer_of(arguments[1]))
        return lambda pairs: "{" + ", ".join(f"{key(k)}={value(v)}" for k, v in pairs.items()) + "}"
    if kind == "row":
        return _row_writer(arguments)
    return _SCALARS.get(kind, str)


def _or_null(writer: Writer) -> Writer:
    return lambda value: "null" if value is None else writer(value)


def _key_writer(signature: dict[str, Any]) -> Writer:
    """Keys of maps are texts in the protocol."""
    if signature.get("rawType") in ("double", "real"):
        writer = writer_of(signature)
        return lambda text: writer(text if text in ("NaN", "Infinity", "-Infinity") else float(text))
    return str


def _row_writer(arguments: list[dict[str, Any]]) -> Writer:
    names = [(argument.get("fieldName") or {}).get("name") or f"field{at}" for at, argument in enumerate(arguments)]
    writers = [_or_null(writer_of(argument["typeSignature"])) for argument in arguments]

    def write(values: Sequence[Any]) -> str:
        parts = zip(names, writers, values, strict=True)
        return "{" + ", ".join(f"{name}={writer(value)}" for name, writer, value in parts) + "}"

    return write


_SCALARS: dict[str, Writer] = {
    "boolean": lambda value: "true" if value else "false",
    "double": lambda value: value if isinstance(value, str) else java_double(float(value)),
    "real": lambda value: value if isinstance(value, str) else _java_float(float(value)),
    "varbinary": lambda value: base64.b64decode(value).hex(" "),
}

# -------------------- the API and the files


def column_info(column: Column) -> dict[str, Any]:
    """A column as GetQueryResults describes it."""
    name, precision, scale = result_type(column.type)
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": name,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": name in ("varchar", "char"),
    }


class Spool:
    """A result on disk: written once as it comes, then read in pages and as the file for S3."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._starts = array("Q")
        self.columns: list[Column] = []
        self.has_header = False
        self.update_count: int | None = None

    def write(self, result: Result) -> None:
        """Take in all rows of a result.

        Raises:
            AthenaError: The query failed, or its result is too large for this machine.
        """
        self.has_header = result.has_header
        with self._path.open("wb") as file:
            for rows in self._batches(result):
                for row in rows:
                    self._starts.append(file.tell())
                    file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                if file.tell() > MOST_RESULT_BYTES:
                    if result.query is not None:
                        result.query.cancel()
                    raise AthenaError("EXCEEDED_LOCAL_LIMIT", f"The result is larger than {MOST_RESULT_BYTES} bytes")
            self._starts.append(file.tell())

    def _batches(self, result: Result) -> Iterator[list[Row]]:
        if result.query is None:
            self.columns, self.update_count = result.columns, result.update_count
            if result.has_header:
                yield [[column.name for column in result.columns]]
            yield result.rows
            return
        yield from self._of_query(result.query, result)

    def _of_query(self, query: TrinoQuery, result: Result) -> Iterator[list[Row]]:
        writers: list[Writer] = []
        is_update = result.update_count is not None

        def begin() -> list[Row]:
            self.columns = query.columns
            writers.extend(writer_of(column.signature) for column in query.columns)
            return [[column.name for column in query.columns]] if result.has_header else []

        for rows in query.batches():
            if is_update:
                continue
            if not writers:
                yield begin()
            yield [
                [None if value is None else writer(value) for value, writer in zip(row, writers, strict=True)]
                for row in rows
            ]
        if is_update:
            self.update_count = query.update_count or 0
        elif not writers:
            yield begin()

    @property
    def length(self) -> int:
        """How many rows there are, with the header."""
        return len(self._starts) - 1

    def page(self, at: int, size: int) -> list[Row]:
        """Some of the rows."""
        end = min(at + size, self.length)
        if at >= end:
            return []
        with self._path.open("rb") as file:
            file.seek(self._starts[at])
            return [json.loads(line) for line in file.read(self._starts[end] - self._starts[at]).splitlines()]

    def rows(self) -> Iterator[Row]:
        """All rows."""
        with self._path.open("rb") as file:
            for line in file:
                yield json.loads(line)

    def result_set(self, at: int, size: int) -> dict[str, Any]:
        """A page of rows with the description of the columns."""
        return {
            "Rows": [
                {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
                for row in self.page(at, size)
            ],
            "ResultSetMetadata": {"ColumnInfo": [column_info(column) for column in self.columns]},
        }

    def write_csv(self, path: Path) -> None:
        """The result file of a query: everything quoted, and nothing at all for null."""
        with path.open("w", newline="") as file:
            for row in self.rows():
                cells = ("" if value is None else '"' + value.replace('"', '""') + '"' for value in row)
                file.write(",".join(cells) + "\n")

    def write_text(self, path: Path) -> None:
        """The result file of a statement that prints lines."""
        with path.open("w", newline="") as file:
            file.writelines("\t".join(value or "" for value in row) + "\n" for row in self.rows())

    def metadata(self) -> bytes:
        """The file beside the result. Athena's is binary and undocumented; this one is JSON."""
        return json.dumps({"ColumnInfo": [column_info(column) for column in self.columns]}).encode()

    def remove(self) -> None:
        """Forget the rows."""
        self._path.unlink(missing_ok=True)
