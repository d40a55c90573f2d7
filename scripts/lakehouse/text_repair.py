"""Finds text that was encoded twice, and what it said before.

Some producers read UTF-8 as Latin-1 and wrote the result as UTF-8, two times over: `Björk` arrived as `BjÃ\\x83Â¶rk`.
Raw records stay as they are, so the repairs are landed beside them, as a table of their own.

Only text that was encoded twice is repaired. Undoing one encoding would harm clean text: `CAFÉ®`, read as Latin-1, is
valid UTF-8 of something else. Clean text does not survive two rounds: every doubly encoded character has, between two
accented capitals, a control character (U+0080 to U+009F) or a sign of U+00A0 to U+00B4. For the same reason no third
round is made: what two rounds leave may be clean, whether or not a third is possible.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lakehouse import ledger
from lakehouse.errors import LandingError
from lakehouse.ledger import LedgerEntry
from lakehouse.packing import PartWriter, ensure_a_part, read_part, sweep
from lakehouse.sources import Table
from lakehouse.storage import Folder, open_folder

REPAIRS_TABLE = "text_repairs"
SOURCE = "landing zone"  # what the ledger calls the source of the repairs


@dataclass(frozen=True)
class RepairReport:
    """What the search for garbled text found."""

    values: int
    """Number of garbled values in the landed records."""
    repairs: Mapping[str, str]
    """Every distinct garbled text, and what it said before."""
    changed: bool
    """Whether the landing zone held other repairs, or none, before."""


class _Repair(msgspec.Struct, frozen=True):
    """The columns of the declared table text_repairs."""

    garbled_text: str
    repaired_text: str


def undo_double_encoding(text: str) -> str | None:
    """What a text said before it was read as Latin-1 twice; None where it was not."""
    once = _undo_encoding(text)
    return None if once is None else _undo_encoding(once)


def repair_text(zone: str | Path, tables: Mapping[str, Table]) -> RepairReport:
    """Finds the garbled texts of the landed records, and lands their repairs.

    Args:
        zone: The landing zone.
        tables: The declared tables, by name. Their columns with `repair_text` are searched.

    Raises:
        LandingError: There is no landing zone, or it cannot be read.
    """
    folder = open_folder(zone)
    if not folder.path.is_dir():
        raise LandingError(f"landing zone {zone} does not exist: land something first")
    if REPAIRS_TABLE not in tables:
        raise LandingError(f"no table {REPAIRS_TABLE} is declared: there is nowhere to land the repairs")
    searched = [table for table in tables.values() if table.repaired_columns]
    try:
        with folder.exclusive():
            texts = [text for table in searched for text in _suspicious_texts(folder, table)]
            found = {text: undo_double_encoding(text) for text in set(texts)}
            repairs = {garbled: repaired for garbled, repaired in sorted(found.items()) if repaired is not None}
            changed = _land(folder, tables[REPAIRS_TABLE], repairs, ",".join(table.folder for table in searched))
    except OSError as error:
        raise LandingError(f"{error.filename or zone}: {error.strerror or error}") from error
    return RepairReport(sum(text in repairs for text in texts), repairs, changed)


def _undo_encoding(text: str) -> str | None:
    try:
        before = text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
    return before if before != text else None


def _suspicious_texts(zone: Folder, table: Table) -> Iterator[str]:
    """Yields the values of a table that are not plain ASCII, of the columns to repair."""
    columns = table.repaired_columns
    fields = [(f"column_{position}", msgspec.Raw, msgspec.Raw()) for position, _ in enumerate(columns)]
    names = {name: column.name for (name, *_), column in zip(fields, columns, strict=True)}
    decoder = msgspec.json.Decoder(msgspec.defstruct(table.name, fields, rename=names))
    parts = {entry.object_key for entry in ledger.read_books(zone, table.name).entries.values() if entry.object_key}
    for key in sorted(parts):
        for line in read_part(zone, key):
            if line.isascii() and b"\\u" not in line:
                continue
            for raw in msgspec.structs.astuple(decoder.decode(line)):
                value = bytes(raw)
                if value.startswith(b'"') and not (value.isascii() and b"\\u" not in value):
                    yield msgspec.json.decode(value, type=str)


def _land(zone: Folder, table: Table, repairs: Mapping[str, str], origin: str) -> bool:
    """Lands the repairs in place of those that are there, and says whether they differ."""
    rows = [msgspec.json.encode(_Repair(garbled, repaired)) for garbled, repaired in repairs.items()]
    content = b"".join(row + b"\n" for row in rows)
    fingerprint = hashlib.sha256(content).hexdigest()
    before = ledger.read_books(zone, table.name).entries.get((SOURCE, origin))
    changed = before is None or before.sha256 != fingerprint
    ledger.begin_books(zone, table.name)
    key = None
    if rows:
        with PartWriter() as part:
            part.begin_file(fingerprint)
            for row in rows:
                part.add(row)
            key = part.publish(zone, table.part_folder(""))
    else:
        ensure_a_part(zone, table.folder)
    entry = LedgerEntry(
        table_name=table.name,
        source=SOURCE,
        source_file=origin,
        source_bytes=len(content),
        sha256=fingerprint,
        records_found=len(rows),
        records_landed=len(rows),
        records_quarantined=0,
        copy_of=None,
        object_key=key,
        landed_at=ledger.now_ms() if before is None or changed else before.landed_at,
    )
    ledger.write_books(zone, table.name, [entry], [])
    sweep(zone, table.folder, [key] if key else [])
    return changed
