"""Parquet as COPY reads it: column by column in the order of the file, each of the one type that fits.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html

Which types fit, and what is said of those that do not, no page says: it is from what users were told
(https://github.com/aws/amazon-redshift-python-driver/issues/107, https://github.com/rudderlabs/rudder-server/pull/3178).
"""

import datetime as dt
import decimal
import json
import tempfile
from collections.abc import Callable, Iterator
from io import RawIOBase
from typing import IO, Any

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.pyarrow import pyarrow
from dbt_local_aws.redshift.copy.report import LoadedFile, LoadReport
from dbt_local_aws.redshift.copy.streams import PIECE_BYTES
from dbt_local_aws.redshift.copy.values import escape
from dbt_local_aws.redshift.errors import INTERNAL_ERROR, RedshiftError

_BATCH_ROWS = 5000
_NAMES = {
    "smallint": "SMALLINT",
    "integer": "INT",
    "bigint": "BIGINT",
    "real": "REAL",
    "double precision": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "character": "CHAR",
    "character varying": "VARCHAR",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "numeric": "DECIMAL",
    "super": "SUPER",
    "binary varying": "VARBYTE",
}


class ParquetReader:
    """Reads the Parquet files of one load."""

    def __init__(self, command: CopyCommand, columns: list[Column], report: LoadReport) -> None:
        self._parquet = pyarrow("Parquet files", "pyarrow.parquet")
        self._command = command
        self._columns = columns
        self._report = report

    def read(self, url: str, stream: RawIOBase) -> Iterator[bytes]:
        """The rows of a file. Its end is what is read first, so that it lies in a temporary file meanwhile."""
        with tempfile.TemporaryFile() as local:
            while piece := stream.read(PIECE_BYTES):
                local.write(piece)
            file = LoadedFile(url, local.tell(), 0)
            self._report.files.append(file)
            with self._opened(url, local) as parquet:
                converters = self._converters(url, parquet)
                for batch in parquet.iter_batches(_BATCH_ROWS):
                    columns = [array.to_pylist() for array in batch.columns]
                    columns += [[None] * batch.num_rows] * (len(self._columns) - len(columns))
                    rows = [
                        "\t".join(convert(value) for convert, value in zip(converters, row, strict=True))
                        for row in zip(*columns, strict=True)
                    ]
                    file.lines_scanned += len(rows)
                    self._report.rows += len(rows)
                    yield "".join(f"{row}\n" for row in rows).encode()

    def _opened(self, url: str, local: IO[bytes]) -> Any:  # noqa: ANN401 - pyarrow has no types
        try:
            return self._parquet.ParquetFile(local)
        except (OSError, ValueError) as error:  # pyarrow's own inherit from these
            raise scan_error(f"Invalid Parquet file. File name: {url}", str(error)) from error

    def _converters(self, url: str, parquet: Any) -> list[Callable[[object], str]]:  # noqa: ANN401
        schema, found = parquet.schema_arrow, len(parquet.schema_arrow)
        missing = len(self._columns) - found
        if missing < 0 or (missing > 0 and not self._command.fill_record):
            raise scan_error(
                "Unmatched number of columns between table and file. "
                f"Table columns: {len(self._columns)}, Data columns: {found}, File name: {url}"
            )
        for column, field in zip(self._columns, schema, strict=False):
            if not self._fits(column, field.type):
                raise scan_error(
                    f"File '{url}' has an incompatible Parquet schema for column '{url}.{column.name}'. "
                    f"Column type: {_type_name(column)}, Parquet schema: optional {field.type} {field.name}"
                )
        return [_converter(column, url) for column in self._columns]

    def _fits(self, column: Column, parquet: Any) -> bool:  # noqa: ANN401 - pyarrow has no types
        """With SERIALIZETOJSON a SUPER column takes any type (ingest-super.html)."""
        return self._command.serialize_to_json if column.type == "super" else _fits(column, parquet)


def scan_error(context: str, cause: str = "") -> RedshiftError:
    """What Redshift says of a columnar file that it cannot read."""
    detail = f"error: Spectrum Scan Error, code: 15007, context: {context}"
    return RedshiftError(INTERNAL_ERROR, "Spectrum Scan Error", detail=f"{detail} {cause}".rstrip())


def _type_name(column: Column) -> str:
    name = _NAMES.get(column.type, column.type.upper())
    if column.type == "numeric":
        return f"{name}({column.precision or 18}, {column.scale or 0})"
    return f"{name}({column.length})" if column.length else name


def _fits(column: Column, parquet: Any) -> bool:  # noqa: ANN401
    types: Any = pyarrow("Parquet files", "pyarrow.types")
    match column.type:
        case "smallint":
            return bool(types.is_int8(parquet) or types.is_int16(parquet))
        case "integer":
            return bool(types.is_int8(parquet) or types.is_int16(parquet) or types.is_int32(parquet))
        case "numeric":
            return bool(
                types.is_decimal(parquet) and parquet.scale == (column.scale or 0)
                and parquet.precision <= (column.precision or 18)
            )  # fmt: skip
    test = _TESTS.get(column.type)
    return test is not None and any(getattr(types, f"is_{name}")(parquet) for name in test)


_TEXTS = ("string", "large_string", "binary", "large_binary", "dictionary")
_TESTS = {
    "bigint": ("int64",),
    "real": ("float32",),
    "double precision": ("float64",),
    "boolean": ("boolean",),
    "date": ("date32",),
    "binary varying": ("binary", "large_binary", "fixed_size_binary"),
    "character": _TEXTS,
    "character varying": _TEXTS,
    "timestamp without time zone": ("timestamp",),
    "timestamp with time zone": ("timestamp",),
}


def _converter(column: Column, url: str) -> Callable[[object], str]:
    def convert(value: object) -> str:
        if value is None:
            if column.not_null:
                raise scan_error(f"NULL is not allowed in column {column.name}. File name: {url}")
            return "\\N"
        if column.length is not None:
            return _text(value, column, url)
        return escape(_plain(value, column))

    return convert


def _text(value: object, column: Column, url: str) -> str:
    encoded = value if isinstance(value, bytes) else str(value).encode()
    if column.length is not None and len(encoded) > column.length:
        raise scan_error(
            f"The length of the data column {column.name} is longer than the length defined in the table. "
            f"Table: {column.length}, Data: {len(encoded)}, File name: {url}"
        )
    if column.type == "binary varying":
        return encoded.hex()
    try:
        text = encoded.decode()
    except UnicodeDecodeError as error:
        raise scan_error(f"Invalid UTF-8 in column {column.name}. File name: {url}", str(error)) from error
    return escape(text)


def _plain(value: object, column: Column) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if column.type == "super" and not isinstance(value, str):
        return _json(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    return str(value)


def _json(value: object) -> str:
    return json.dumps(value, default=_json_default, ensure_ascii=False, separators=(",", ":"))


def _json_default(value: object) -> object:
    if isinstance(value, decimal.Decimal):
        return float(value)
    return str(value)
