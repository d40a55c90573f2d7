"""Reads the files of a COPY one after the other, and makes of them the rows that PostgreSQL takes."""

from collections.abc import Iterator
from contextlib import closing

from dbt_local_aws.redshift.copy import delimited, json_records
from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.json_records import JsonPath, at_path
from dbt_local_aws.redshift.copy.parquet import ParquetReader
from dbt_local_aws.redshift.copy.record import INVALID_LINE, Record
from dbt_local_aws.redshift.copy.report import LoadedFile, LoadError, LoadReport
from dbt_local_aws.redshift.copy.s3 import S3, files_of, paths_of
from dbt_local_aws.redshift.copy.streams import decoded, decompressed
from dbt_local_aws.redshift.copy.values import ConversionError, Converter, converter
from dbt_local_aws.redshift.errors import INTERNAL_ERROR, SYNTAX_ERROR, RedshiftError

_CHUNK_SIZE = 1 << 18


class LoadFailedError(RedshiftError):
    """There are as many errors as the load may not have: the report has them."""


def read_files(
    command: CopyCommand, columns: list[Column], environment: LoadEnvironment, report: LoadReport
) -> Iterator[bytes]:
    """The rows of the files that a command names. What came of each file is in the report once it was read."""
    bucket = S3(environment, command.region)
    if command.format == "parquet":
        parquet = ParquetReader(command, columns, report)
        for url in files_of(command, bucket, needs_length=True):
            with closing(bucket.open(url)) as stream:
                yield from parquet.read(url, stream)
        return
    if command.format == "fixedwidth" and len(command.widths) != len(columns):
        raise RedshiftError(SYNTAX_ERROR, f"{len(command.widths)} fixed widths for {len(columns)} columns")
    reader = _Reader(command, columns, paths_of(command, columns, bucket), report)
    for url in files_of(command, bucket):
        with closing(bucket.open(url)) as stream:
            pieces = decoded(decompressed(url, stream, command.compression), command.replacement)
            file = LoadedFile(url, stream.length, 0)
            report.files.append(file)
            yield from reader.read(file, pieces)


class _Reader:
    """Reads the files of one load, whose records are lines or JSON values."""

    def __init__(
        self, command: CopyCommand, columns: list[Column], paths: list[JsonPath] | None, report: LoadReport
    ) -> None:
        self._command = command
        self._columns = columns
        self._converters: list[Converter] = [converter(column, command) for column in columns]
        self._paths = paths
        self._report = report

    def read(self, file: LoadedFile, pieces: Iterator[str]) -> Iterator[bytes]:
        """Converts the records of a file; raises where there are as many errors as there may not be."""
        rows: list[str] = []
        size = 0
        for record in self._records(pieces):
            file.lines_scanned = record.line
            error, row = self._convert(file.url, record)
            if error is None:
                rows.append(row)
                size += len(row)
            else:
                self._report.errors.append(error)
                if self._command.has_failed(len(self._report.errors)):
                    raise LoadFailedError(INTERNAL_ERROR, "the load failed")
            if size >= _CHUNK_SIZE:
                yield self._encoded(rows)
                rows, size = [], 0
        if rows:
            yield self._encoded(rows)

    def _encoded(self, rows: list[str]) -> bytes:
        self._report.rows += len(rows)
        return "".join(rows).encode()

    def _records(self, pieces: Iterator[str]) -> Iterator[Record]:
        if self._command.format == "json":
            return json_records.read_records(pieces)
        return delimited.read_records(pieces, self._command, len(self._columns))

    def _convert(self, url: str, record: Record) -> tuple[LoadError | None, str]:
        if record.fault:
            return LoadError(url, record, record.code, record.fault), ""
        if self._command.format == "json" and self._paths is None and not isinstance(record.value, dict):
            return LoadError(url, record, INVALID_LINE, "Invalid JSON: an object was expected"), ""
        fields = []
        for column, convert, value in zip(self._columns, self._converters, self._values(record.value), strict=True):
            try:
                converted = convert(value)
            except ConversionError as error:
                shown = None if value is None else str(value)
                return LoadError(url, record, error.code, error.message, column, error.position, shown), ""
            fields.append("\\N" if converted is None else converted)
        return None, "\t".join(fields) + "\n"

    def _values(self, value: object) -> list[object]:
        """What is meant for each column."""
        if isinstance(value, list) and self._command.format != "json":
            return [
                _filled(field, column) if field is delimited.MISSING else field
                for field, column in zip(value, self._columns, strict=True)
            ]
        if self._paths is not None:
            return [at_path(value, path) for path in self._paths]
        if not isinstance(value, dict):
            raise TypeError("a record that is not an object")
        if self._command.json == "auto ignorecase":
            value = {key.lower(): item for key, item in value.items()}
        return [value.get(column.name) for column in self._columns]


def _filled(field: object, column: Column) -> object:
    """What FILLRECORD gives: an empty VARCHAR, and null for any other type."""
    return field if column.type == "character varying" else None
