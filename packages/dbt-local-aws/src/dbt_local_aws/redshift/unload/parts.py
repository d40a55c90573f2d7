"""One file that UNLOAD writes, until it is whole and goes to S3."""

import bz2
import datetime as dt
import decimal
import gzip
import tempfile
from collections.abc import Callable, Sequence
from typing import IO, Any, Protocol, cast

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.pyarrow import pyarrow
from dbt_local_aws.redshift.unload.command import UnloadCommand
from dbt_local_aws.redshift.unload.rows import Row, header, line_writer

_GROUP_ROWS = 50_000


class Part(Protocol):
    """A file that is being written."""

    content: IO[bytes]
    lines: int  # with the header, as the manifest counts them
    rows: int

    def write(self, row: Row) -> None:
        """Adds a row."""

    def size(self) -> int:
        """How long it is, more or less."""

    def finish(self) -> None:
        """Ends it; it can be read from its beginning."""


def new_part(command: UnloadCommand, columns: Sequence[Column]) -> Part:
    """A file of the format that the command asks for."""
    return _ParquetPart(columns) if command.format == "parquet" else _TextPart(command, columns)


class _TextPart:
    """A file of lines."""

    def __init__(self, command: UnloadCommand, columns: Sequence[Column]) -> None:
        self.content: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed once it lies in S3
        self.lines = self.rows = 0
        self._compression = command.compression
        self._stream = _compressing(self.content, command.compression)
        self._line = line_writer(command, columns)
        if command.header:
            self.lines = 1
            self._stream.write(header(command, columns).encode())

    def write(self, row: Row) -> None:
        self._stream.write(self._line(row).encode())
        self.lines += 1
        self.rows += 1

    def size(self) -> int:
        return self.content.tell()

    def finish(self) -> None:
        if self._compression is not None:
            self._stream.close()
        self.content.seek(0)


def _compressing(content: IO[bytes], compression: str | None) -> IO[bytes]:
    match compression:
        case "gzip":
            return cast("IO[bytes]", gzip.GzipFile(fileobj=content, mode="wb", mtime=0))
        case "bzip2":
            return cast("IO[bytes]", bz2.BZ2File(content, "wb"))
        case "zstd":
            arrow: Any = pyarrow("files that ZSTD compresses")
            # it would close the file below it, which is to be read yet
            return cast("IO[bytes]", arrow.CompressedOutputStream(arrow.PythonFile(_StaysOpen(content), "w"), "zstd"))
    return content


class _StaysOpen:
    """A file that who writes into it cannot close."""

    closed = False

    def __init__(self, content: IO[bytes]) -> None:
        self.write = content.write
        self.flush = content.flush

    def close(self) -> None:
        """Leaves it open."""


class _ParquetPart:
    """A Parquet file: version 1.0, compressed with SNAPPY, as the page says."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._arrow = pyarrow("Parquet files")
        self._parquet = pyarrow("Parquet files", "pyarrow.parquet")
        self.content: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed once it lies in S3
        self.lines = self.rows = 0
        self._columns = columns
        self._waiting: list[Row] = []
        self._writer: Any = None
        self._schema: Any = None

    def write(self, row: Row) -> None:
        self._waiting.append(row)
        self.lines += 1
        self.rows += 1
        if len(self._waiting) == _GROUP_ROWS:
            self._write_group()

    def size(self) -> int:
        return self.content.tell()

    def finish(self) -> None:
        self._write_group()
        self._writer.close()
        self.content.seek(0)

    def _write_group(self) -> None:
        values = [list(column) for column in zip(*self._waiting, strict=True)] or [[] for _ in self._columns]
        if self._schema is None:
            pairs = zip(self._columns, values, strict=True)
            self._schema = self._arrow.schema([(column.name, self._type(column, texts)) for column, texts in pairs])
            self._writer = self._parquet.ParquetWriter(self.content, self._schema, version="1.0", compression="snappy")
        arrays = [
            self._arrow.array(
                [None if text is None else _CONVERTERS.get(column.type, str)(text) for text in texts], field.type
            )
            for column, texts, field in zip(self._columns, values, self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.table(arrays, schema=self._schema))
        self._waiting = []

    def _type(self, column: Column, texts: Sequence[str | None]) -> Any:  # noqa: ANN401 - pyarrow has no types
        if column.type == "numeric":
            return self._arrow.decimal128(*_dimensions(column, texts))
        return getattr(self._arrow, _ARROW[column.type])() if column.type in _ARROW else _other(self._arrow, column)


def _dimensions(column: Column, texts: Sequence[str | None]) -> tuple[int, int]:
    """A decimal's precision and scale; what a query has computed may have none here, and shows it in its digits."""
    if column.precision is not None:
        return column.precision, column.scale or 0
    return 38, max((len(text.partition(".")[2]) for text in texts if text is not None), default=0)


def _other(arrow: Any, column: Column) -> Any:  # noqa: ANN401
    return arrow.timestamp("us") if column.type.startswith("timestamp") else arrow.string()


_ARROW = {
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "real": "float32",
    "double precision": "float64",
    "boolean": "bool_",
    "date": "date32",
}


def _moment(text: str) -> dt.datetime:
    """The time alone: "If a column uses TIMESTAMPTZ data format, only the timestamp values are unloaded"."""
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


_CONVERTERS: dict[str, Callable[[str], object]] = {
    "smallint": int,
    "integer": int,
    "bigint": int,
    "real": float,
    "double precision": float,
    "numeric": decimal.Decimal,
    "boolean": lambda text: text == "t",
    "date": dt.date.fromisoformat,
    "timestamp without time zone": _moment,
    "timestamp with time zone": _moment,
}
