"""Reads the files of a COPY, and converts their records."""

import gzip
import re
import zlib

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.json_records import JsonPath, Record, at_path, read_records
from dbt_local_aws.redshift.copy.report import LoadedFile, LoadError, LoadReport
from dbt_local_aws.redshift.copy.s3 import S3, files_of, paths_of
from dbt_local_aws.redshift.copy.values import INVALID_JSON, ConversionError, Converter, converter
from dbt_local_aws.redshift.errors import (
    INTERNAL_ERROR,
    RedshiftError,
)

_CHUNK_BYTES = 1 << 18
_INVALID_BYTE = re.compile("[\udc80-\udcff]")  # as surrogateescape decodes it


def read_files(command: CopyCommand, columns: list[Column], environment: LoadEnvironment) -> LoadReport:
    """Reads the files that a command names, until there are as many errors as it may not have."""
    bucket = S3(environment, command.region)
    reader = _Reader(command, columns, paths_of(command, columns, bucket))
    for url in files_of(command, bucket):
        reader.read(url, bucket.read(url))
        if reader.has_failed:
            break
    return reader.report


class _Reader:
    """Reads the files of one load, one after the other."""

    def __init__(self, command: CopyCommand, columns: list[Column], paths: list[JsonPath] | None) -> None:
        self._command = command
        self._columns = columns
        self._converters: list[Converter] = [converter(column, command) for column in columns]
        self._paths = paths
        self.report = LoadReport()

    @property
    def has_failed(self) -> bool:
        """Whether there are as many errors as the load may not have."""
        return len(self.report.errors) >= max(self._command.max_errors, 1)

    def read(self, url: str, body: bytes) -> None:
        """Converts the records of a file."""
        rows: list[str] = []
        lines = 0
        for record in read_records(_decode(url, body, self._command)):
            lines = record.line
            error, row = self._convert(url, record)
            if error is None:
                rows.append(row)
            else:
                self.report.errors.append(error)
                if self.has_failed:
                    break
        encoded = "".join(rows).encode()
        self.report.rows += len(rows)
        self.report.chunks += [encoded[at : at + _CHUNK_BYTES] for at in range(0, len(encoded), _CHUNK_BYTES)]
        self.report.files.append(LoadedFile(url, len(body), lines))

    def _convert(self, url: str, record: Record) -> tuple[LoadError | None, str]:
        if record.fault:
            return LoadError(url, record, INVALID_JSON, record.fault), ""
        if self._paths is None and not isinstance(record.value, dict):
            return LoadError(url, record, INVALID_JSON, "Invalid JSON: an object was expected"), ""
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
        if self._paths is not None:
            return [at_path(value, path) for path in self._paths]
        if not isinstance(value, dict):
            raise TypeError("a record that is not an object")
        if self._command.json == "auto ignorecase":
            value = {key.lower(): item for key, item in value.items()}
        return [value.get(column.name) for column in self._columns]


def _decode(url: str, body: bytes, command: CopyCommand) -> str:
    if command.gzip:
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error) as error:
            raise RedshiftError(INTERNAL_ERROR, f"The GZIP file {url} cannot be read", detail=str(error)) from error
    text = body.decode("utf-8-sig", "surrogateescape")
    if command.replacement is None or text.isascii():
        return text
    return _INVALID_BYTE.sub(command.replacement.replace("\\", "\\\\"), text)
