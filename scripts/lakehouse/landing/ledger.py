"""The loader's two records of itself: what became of every source file, and the records that could not be landed.

A table's ledger is the truth about the landing zone: a part that it does not name is no data, be it of records or of
the quarantine. Replacing it is the one step by which a load takes effect.
"""

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, TypeVar

import msgspec

from lakehouse.declaration import Table
from lakehouse.errors import LandingError
from lakehouse.landing.ledger_formats import LEDGER_FORMAT, upgraded
from lakehouse.records.read import KEPT_BYTES, Record
from lakehouse.storage.folder import FileChangedError, Folder
from lakehouse.storage.source_files import FileKey, SourceFile

LEDGER_FOLDER = "loader/ledger"
QUARANTINE_FOLDER = "loader/quarantine"
WITHOUT_LEDGER = (
    "restore it; where there is no copy of it, land into a new zone, and erase again there who was erased from this one"
)
MAX_REASON_BYTES = 4096
BY_THIS_LOAD = 0  # stands for the time of a load that has not taken effect yet


@dataclass(frozen=True)
class Segment:
    """A stretch of a source file, and the parts that hold its records; a file larger than a part has several."""

    object_key: str | None = None
    quarantine_key: str | None = None
    records_landed: int = 0
    records_quarantined: int = 0
    records_suppressed: int = 0


@dataclass(frozen=True)
class LandedFile:
    """What became of a source file."""

    file: SourceFile
    segments: tuple[Segment, ...]
    landed_at: int
    """When the load that brought its content took effect, epoch milliseconds; the same for all files of a part."""
    copy_of: str | None = None

    @property
    def key(self) -> FileKey:
        """The file that this is about."""
        return self.file.key

    @property
    def records_landed(self) -> int:
        """Number of records that were landed."""
        return sum(segment.records_landed for segment in self.segments)

    @property
    def records_quarantined(self) -> int:
        """Number of records that were put in quarantine."""
        return sum(segment.records_quarantined for segment in self.segments)

    @property
    def records_suppressed(self) -> int:
        """Number of records that were left out, since they name people who were erased."""
        return sum(segment.records_suppressed for segment in self.segments)

    @property
    def records_found(self) -> int:
        """Number of records in the file, readable or not."""
        return self.records_landed + self.records_quarantined + self.records_suppressed

    @property
    def object_keys(self) -> set[str]:
        """The parts that hold its records."""
        return {segment.object_key for segment in self.segments if segment.object_key is not None}

    @property
    def quarantine_keys(self) -> set[str]:
        """The parts that hold its refused records."""
        return {segment.quarantine_key for segment in self.segments if segment.quarantine_key is not None}


@dataclass(frozen=True)
class TableLedger:
    """What the landing zone's ledger says about a table."""

    table_name: str
    files: Mapping[FileKey, LandedFile]
    version: str | None
    """Of the ledger's object; None where there is none."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Of the columns in each part of records, as far as they are known; see `lakehouse.records.checksums`."""
    is_old: bool = False
    """Whether it is to be written anew: an older version of this project wrote it, or a source of it has moved."""


class QuarantinedRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record that could not be landed; the columns of the declared table loader.quarantine."""

    table_name: str
    source: str
    source_file: str
    line: int
    byte_offset: int
    reason: str
    record_bytes: int
    record_base64: str

    @property
    def key(self) -> FileKey:
        """The file in which it stands."""
        return self.source, self.source_file

    @property
    def kept(self) -> bytes:
        """As many of the record's bytes as are kept."""
        return base64.b64decode(self.record_base64)

    @property
    def raw(self) -> bytes | None:
        """The record's bytes; None where they are not kept whole."""
        return self.kept if len(self.kept) == self.record_bytes else None


class _LedgerRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the ledger; the columns of the declared table loader.ledger."""

    table_name: str
    source: str
    source_file: str
    segment: int
    source_bytes: int
    source_version: str
    sha256: str
    records_found: int
    records_landed: int
    records_quarantined: int
    copy_of: str | None
    object_key: str | None
    quarantine_key: str | None
    landed_at: int
    written_by: str
    ledger_format: int = LEDGER_FORMAT
    records_suppressed: int = 0
    checksums: str | None = None


class _AnyRow(msgspec.Struct, frozen=True):
    """A row of a ledger of any format; the first one did not name itself."""

    ledger_format: int = 1


_Row = TypeVar("_Row")


def quarantined(table_name: str, file: FileKey, record: Record) -> QuarantinedRecord:
    """The quarantine's row for a record that was refused."""
    reason = record.verdict.fault or ""
    if record.size > KEPT_BYTES:
        reason += f" (the first {KEPT_BYTES:,} of its {record.size:,} bytes are kept)"
    reason = reason.encode("utf-8", "backslashreplace")[:MAX_REASON_BYTES].decode("utf-8", "ignore")
    kept = base64.b64encode(record.raw[:KEPT_BYTES]).decode("ascii")
    return QuarantinedRecord(table_name, *file, record.line, record.offset, reason, record.size, kept)


def ledger_key(table_name: str) -> str:
    """Where a table's ledger is in the landing zone."""
    return f"{LEDGER_FOLDER}/{table_name}.json"


def quarantine_folder(table_name: str) -> str:
    """Where the parts of a table's quarantine are in the landing zone."""
    return f"{QUARANTINE_FOLDER}/{table_name}"


def read_ledger(zone: Folder, table_name: str) -> TableLedger:
    """Reads a table's ledger; it is empty where the table was never landed.

    Raises:
        LandingError: It is damaged, or a newer version of this project wrote it.
    """
    try:
        fetched = zone.fetch(ledger_key(table_name))
    except FileNotFoundError:
        return TableLedger(table_name, {}, None)
    rows, is_old = _decode(f"{zone.location}/{ledger_key(table_name)}", fetched.content)
    files = (_landed_file(list(some)) for _, some in groupby(rows, key=lambda row: (row.source, row.source_file)))
    checksums = {row.object_key: row.checksums for row in rows if row.object_key and row.checksums}
    return TableLedger(table_name, {landed.key: landed for landed in files}, fetched.version, checksums, is_old)


def sources_of(zone: Folder, tables: Mapping[str, Table]) -> set[str]:
    """The folders and prefixes from which something lies in a landing zone.

    Raises:
        LandingError: A ledger is damaged, or a newer version of this project wrote it.
    """
    ledgers = (read_ledger(zone, table.name) for table in tables.values() if table.source_files)
    return {source for table_ledger in ledgers for source, _ in table_ledger.files}


def write_ledger(
    zone: Folder, table_ledger: TableLedger, files: Iterable[LandedFile], checksums: Mapping[str, str], load: str
) -> None:
    """Replaces a table's ledger in one step: before it the load has not happened, after it it has.

    Raises:
        LandingError: The ledger is no longer the one that the load began with.
    """
    after = replace(table_ledger, files={file.key: file for file in files}, checksums=checksums)
    if table_ledger.version is None or after != replace(table_ledger, is_old=False):
        _replace(zone, after, load)


def claim_ledger(zone: Folder, table_ledger: TableLedger, load: str) -> TableLedger:
    """Makes a table's ledger this load's own, so that no load that began with it before can still replace it.

    Raises:
        LandingError: The ledger is no longer the one that the load began with.
    """
    return replace(table_ledger, version=_replace(zone, table_ledger, load), is_old=False)


def _replace(zone: Folder, table_ledger: TableLedger, load: str) -> str:
    encoder = msgspec.json.Encoder()
    content = b"".join(encoder.encode(row) + b"\n" for row in _rows(table_ledger, load))
    try:
        return zone.replace(ledger_key(table_ledger.table_name), content, table_ledger.version)
    except FileChangedError as error:
        raise LandingError(
            f"{zone.location}/{ledger_key(table_ledger.table_name)} was changed by another load meanwhile: land again"
        ) from error


def time_of_effect(table_ledgers: Iterable[TableLedger]) -> int:
    """The time of a load that takes effect now, epoch milliseconds: later than that of any load before it.

    A clock that was set back does not make the later load the earlier one.
    """
    before = (landed.landed_at for table_ledger in table_ledgers for landed in table_ledger.files.values())
    return max(now_ms(), 1 + max(before, default=0))


def dated(files: Iterable[LandedFile], landed_at: int) -> list[LandedFile]:
    """The files, of which those that this load brings get its time."""
    return [replace(file, landed_at=landed_at) if file.landed_at == BY_THIS_LOAD else file for file in files]


def now_ms() -> int:
    """The time, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def _landed_file(rows: list[_LedgerRow]) -> LandedFile:
    first = rows[0]
    file = SourceFile(first.source, first.source_file, first.source_bytes, first.source_version, first.sha256)
    segments = tuple(
        Segment(row.object_key, row.quarantine_key, row.records_landed, row.records_quarantined, row.records_suppressed)
        for row in sorted(rows, key=lambda row: row.segment)
    )
    return LandedFile(file, segments, first.landed_at, first.copy_of)


def _rows(table_ledger: TableLedger, load: str) -> Iterator[_LedgerRow]:
    """Yields the ledger's rows. Of those that name one part, the first has its checksums."""
    checksums = dict(table_ledger.checksums)
    for _, landed in sorted(table_ledger.files.items()):
        file = landed.file
        for number, segment in enumerate(landed.segments):
            yield _LedgerRow(
                table_name=table_ledger.table_name,
                source=file.source,
                source_file=file.source_file,
                segment=number,
                source_bytes=file.size,
                source_version=file.version,
                sha256=file.sha256 or "",
                records_found=segment.records_landed + segment.records_quarantined + segment.records_suppressed,
                records_landed=segment.records_landed,
                records_quarantined=segment.records_quarantined,
                copy_of=landed.copy_of,
                object_key=segment.object_key,
                quarantine_key=segment.quarantine_key,
                landed_at=landed.landed_at,
                written_by=load,
                records_suppressed=segment.records_suppressed,
                checksums=checksums.pop(segment.object_key, None) if segment.object_key else None,
            )


def _decode(name: str, content: bytes) -> tuple[list[_LedgerRow], bool]:
    """Reads a ledger's rows, and says whether they were of an older format."""
    lines = content.splitlines()
    formats = set(_decoded(name, lines, msgspec.json.Decoder(_AnyRow).decode))
    if len(formats) > 1:
        raise LandingError(f"{name} is damaged (its rows are of several formats): {WITHOUT_LEDGER}")
    found = formats.pop().ledger_format if formats else LEDGER_FORMAT
    if found > LEDGER_FORMAT:
        raise LandingError(
            f"{name} is of format {found}, which a newer version of this project wrote; this one knows "
            f"{LEDGER_FORMAT}: use that version. Nothing was changed"
        )
    if found == LEDGER_FORMAT:
        return list(_decoded(name, lines, msgspec.json.Decoder(_LedgerRow).decode)), False
    rows = list(_decoded(name, lines, msgspec.json.Decoder(dict[str, Any]).decode))
    try:
        new = iter(upgraded(rows, found))
    except (KeyError, TypeError, ValueError) as error:
        raise LandingError(f"{name} is damaged (it is not of format {found}: {error!r}): {WITHOUT_LEDGER}") from error
    return list(_decoded(name, lines, lambda _: msgspec.convert(next(new), _LedgerRow))), True


def _decoded(name: str, lines: Iterable[bytes], decode: Callable[[bytes], _Row]) -> Iterator[_Row]:
    for number, line in enumerate(lines, start=1):
        try:
            yield decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise LandingError(f"{name}, line {number} is damaged ({error}): {WITHOUT_LEDGER}") from error
