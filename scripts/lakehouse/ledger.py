"""The loader's two books: what became of every source file, and the records that could not be landed.

A table's ledger is the truth about the landing zone: a part that it does not name is no data. Replacing it is the one
step by which a load takes effect.
"""

import base64
import hashlib
import io
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from lakehouse.errors import LandingError
from lakehouse.reading import KEPT_BYTES, Record
from lakehouse.storage import Folder

LEDGER_FOLDER = "loader/ledger"
QUARANTINE_FOLDER = "loader/quarantine"
PENDING_FOLDER = "loader/pending"
MAX_REASON_BYTES = 4096

FileKey = tuple[str, str]
"""What tells source files apart: the source and the path below it."""


class LedgerEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a source file; the columns of the declared table loader.ledger."""

    table_name: str
    source: str
    source_file: str
    source_bytes: int
    sha256: str
    records_found: int
    records_landed: int
    records_quarantined: int
    copy_of: str | None
    object_key: str | None
    landed_at: int

    @property
    def key(self) -> FileKey:
        """The file that the entry is about."""
        return self.source, self.source_file


class QuarantinedRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record that could not be landed; the columns of the declared table loader.quarantine."""

    table_name: str
    source: str
    source_file: str
    line: int
    byte_offset: int
    reason: str
    record_base64: str


Book = TypeVar("Book", LedgerEntry, QuarantinedRecord)


class Books(msgspec.Struct, frozen=True):
    """What the landing zone's books say about a table."""

    entries: dict[FileKey, LedgerEntry]
    quarantined: dict[FileKey, list[QuarantinedRecord]]


def quarantine(table_name: str, file: FileKey, record: Record) -> QuarantinedRecord:
    """The quarantine's row for a record that was refused."""
    reason = record.verdict.fault or ""
    if record.size > KEPT_BYTES:
        reason += f" (the first {KEPT_BYTES:,} of its {record.size:,} bytes are kept)"
    reason = reason.encode("utf-8", "backslashreplace")[:MAX_REASON_BYTES].decode("utf-8", "ignore")
    kept = base64.b64encode(record.raw[:KEPT_BYTES]).decode("ascii")
    return QuarantinedRecord(table_name, *file, record.line, record.offset, reason, kept)


def ledger_key(table_name: str) -> str:
    """Where a table's ledger is in the landing zone."""
    return f"{LEDGER_FOLDER}/{table_name}.json"


def quarantine_key(table_name: str) -> str:
    """Where a table's quarantine is in the landing zone."""
    return f"{QUARANTINE_FOLDER}/{table_name}.json"


def read_books(zone: Folder, table_name: str) -> Books:
    """Reads a table's books; both are empty where the table was never landed.

    Raises:
        LandingError: A book is damaged.
    """
    pending = _pending_key(table_name, _read(zone, ledger_key(table_name)))
    entries = _decode_lines(zone, ledger_key(table_name), LedgerEntry)
    rows = _decode_lines(zone, pending if zone.exists(pending) else quarantine_key(table_name), QuarantinedRecord)
    quarantined: dict[FileKey, list[QuarantinedRecord]] = defaultdict(list)
    for row in rows:
        quarantined[row.source, row.source_file].append(row)
    return Books({entry.key: entry for entry in entries}, dict(quarantined))


def begin_books(zone: Folder, table_name: str) -> None:
    """Gives a table that was never landed an empty ledger: where there are parts, there is a ledger."""
    if not zone.exists(ledger_key(table_name)):
        zone.write(ledger_key(table_name), io.BytesIO())


def write_books(
    zone: Folder, table_name: str, entries: Sequence[LedgerEntry], quarantined: Iterable[QuarantinedRecord]
) -> None:
    """Replaces a table's books, the ledger in one step: before it the load has not happened, after it it has.

    The quarantine cannot be replaced in that same step. So the new one is first laid down under a name that says to
    which ledger it belongs. After a kill, whoever opens the books takes it for the quarantine if that ledger is there.
    """
    ledger = _encode_lines(sorted(entries, key=lambda entry: entry.key))
    rows = _encode_lines(sorted(quarantined, key=lambda row: (row.source, row.source_file, row.byte_offset)))
    pending = _pending_key(table_name, ledger)
    if not _holds(zone, quarantine_key(table_name), rows):
        zone.write(pending, io.BytesIO(rows))
    if not _holds(zone, ledger_key(table_name), ledger):
        zone.write(ledger_key(table_name), io.BytesIO(ledger))
    if not _holds(zone, quarantine_key(table_name), rows):
        zone.write(quarantine_key(table_name), io.BytesIO(rows))
    for stale in list(zone.list(f"{PENDING_FOLDER}/{table_name}")):
        zone.delete(stale.key)


def now_ms() -> int:
    """The time, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def _pending_key(table_name: str, ledger: bytes) -> str:
    return f"{PENDING_FOLDER}/{table_name}/{hashlib.sha256(ledger).hexdigest()}.next"


def _holds(zone: Folder, key: str, content: bytes) -> bool:
    return zone.exists(key) and _read(zone, key) == content


def _read(zone: Folder, key: str) -> bytes:
    if not zone.exists(key):
        return b""
    with zone.open(key) as stream:
        return stream.read()


def _encode_lines(rows: Iterable[Book]) -> bytes:
    encoder = msgspec.json.Encoder()
    return b"".join(encoder.encode(row) + b"\n" for row in rows)


def _decode_lines(zone: Folder, key: str, kind: type[Book]) -> list[Book]:
    decoder = msgspec.json.Decoder(kind)
    rows = []
    for number, line in enumerate(_read(zone, key).splitlines(), start=1):
        try:
            rows.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LandingError(
                f"{zone.location}/{key}, line {number} is damaged ({error}): "
                "restore it, or delete the landing zone and land again"
            ) from error
    return rows
