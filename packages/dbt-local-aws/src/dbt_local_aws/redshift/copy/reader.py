"""Reads the files of a COPY, and converts their records."""

import codecs
import itertools
import re
import zlib
from collections.abc import Iterable, Iterator

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.feed import Emit
from dbt_local_aws.redshift.copy.json_records import JsonPath, Record, at_path, read_records
from dbt_local_aws.redshift.copy.report import LoadedFile, LoadError, LoadReport
from dbt_local_aws.redshift.copy.s3 import S3, files_of, paths_of
from dbt_local_aws.redshift.copy.values import INVALID_JSON, ConversionError, Converter, converter
from dbt_local_aws.redshift.errors import (
    INTERNAL_ERROR,
    RedshiftError,
)

_CHUNK_BYTES = 1 << 18
_GZIP = zlib.MAX_WBITS | 16
_INVALID_BYTE = re.compile("[\udc80-\udcff]")  # as surrogateescape decodes it


def read_files(
    command: CopyCommand, columns: list[Column], environment: LoadEnvironment, report: LoadReport, emit: Emit
) -> None:
    """Reads the files that a command names, until there are as many errors as it may not have."""
    bucket = S3(environment, command.region)
    reader = _Reader(command, columns, paths_of(command, columns, bucket), report, emit)
    for url in files_of(command, bucket):
        reader.read(url, bucket.pieces(url))
        if reader.has_failed:
            break


class _Reader:
    """Reads the files of one load, one after the other."""

    def __init__(
        self,
        command: CopyCommand,
        columns: list[Column],
        paths: list[JsonPath] | None,
        report: LoadReport,
        emit: Emit,
    ) -> None:
        self._command = command
        self._columns = columns
        self._converters: list[Converter] = [converter(column, command) for column in columns]
        self._paths = paths
        self._report = report
        self._emit = emit

    @property
    def has_failed(self) -> bool:
        """Whether there are as many errors as the load may not have."""
        return len(self._report.errors) >= max(self._command.max_errors, 1)

    def read(self, url: str, pieces: Iterable[bytes]) -> None:
        """Converts the records of a file."""
        file = LoadedFile(url, 0, 0)
        self._report.files.append(file)
        rows: list[str] = []
        size = 0
        for record in read_records(_decode(url, _counted(pieces, file), self._command)):
            file.lines_scanned = record.line
            error, row = self._convert(url, record)
            if error is None:
                rows.append(row)
                size += len(row)
            else:
                self._report.errors.append(error)
                if self.has_failed:
                    break
            if size >= _CHUNK_BYTES:
                self._give(rows)
                rows, size = [], 0
        self._give(rows)

    def _give(self, rows: list[str]) -> None:
        self._report.rows += len(rows)
        if rows:
            self._emit("".join(rows).encode())

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


def _counted(pieces: Iterable[bytes], file: LoadedFile) -> Iterator[bytes]:
    for piece in pieces:
        file.bytes_scanned += len(piece)
        yield piece


def _decode(url: str, pieces: Iterator[bytes], command: CopyCommand) -> Iterator[str]:
    """The text of a file, as it comes."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
    for piece in itertools.chain(_unzipped(url, pieces) if command.gzip else pieces, [None]):
        text = decoder.decode(piece or b"", final=piece is None)
        if command.replacement is None or text.isascii():
            yield text
        else:
            yield _INVALID_BYTE.sub(command.replacement.replace("\\", "\\\\"), text)


def _unzipped(url: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What a GZIP file holds, which may be several one after the other."""
    unzip = zlib.decompressobj(_GZIP)
    begun = False
    try:
        for piece in pieces:
            rest = piece
            while rest:
                begun = True
                yield unzip.decompress(rest, _CHUNK_BYTES)
                rest = unzip.unconsumed_tail or unzip.unused_data
                if unzip.eof:
                    unzip, begun = zlib.decompressobj(_GZIP), False
        yield unzip.flush()
    except zlib.error as error:
        raise _unreadable(url, str(error)) from error
    if begun:
        raise _unreadable(url, "it ends before its end is marked")


def _unreadable(url: str, why: str) -> RedshiftError:
    return RedshiftError(INTERNAL_ERROR, f"The GZIP file {url} cannot be read", detail=why)
