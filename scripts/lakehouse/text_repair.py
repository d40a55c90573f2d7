"""Finds text that was encoded twice, and what it said before.

Some producers read UTF-8 as Latin-1 and wrote the result as UTF-8, two times over: `Björk` arrived as `BjÃ\\x83Â¶rk`.
Raw records stay as they are, so the repairs are landed beside them, as a table of their own.

Only text that was encoded twice is repaired. Undoing one encoding would harm clean text: `CAFÉ®`, read as Latin-1, is
valid UTF-8 of something else. Clean text does not survive two rounds: every doubly encoded character has, between two
accented capitals, a control character (U+0080 to U+009F) or a sign of U+00A0 to U+00B4. For the same reason no third
round is made: what two rounds leave may be clean, whether or not a third is possible.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lakehouse import ledger
from lakehouse.copy_files import write_copy_files
from lakehouse.errors import LandingError
from lakehouse.housekeeping import take_stock, tidy_up
from lakehouse.ledger import LandedFile, Segment
from lakehouse.packing import PartPress, PartWriter, name_load, read_part
from lakehouse.source_files import SourceFile
from lakehouse.sources import Table
from lakehouse.storage import Claim, Folder, Say, open_folder

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


def repair_text(zone: str | Path, tables: Mapping[str, Table], say: Say) -> RepairReport:
    """Finds the garbled texts of the landed records, and lands their repairs.

    Args:
        zone: The landing zone.
        tables: The declared tables, by name. Their columns with `repair_text` are searched.
        say: Is told what the search waits for.

    Raises:
        LandingError: There is no landing zone, or it cannot be read.
    """
    if REPAIRS_TABLE not in tables:
        raise LandingError(f"no table {REPAIRS_TABLE} is declared: there is nowhere to land the repairs")
    folder = open_folder(zone)
    folder.check_zone()
    if next(folder.list(ledger.LEDGER_FOLDER), None) is None:
        raise LandingError(f"landing zone {zone} is empty: land something first")
    searched = [table for table in tables.values() if table.repaired_columns]
    try:
        with folder.exclusive(say) as still_ours:
            texts = Counter(text for table in searched for text in _suspicious_texts(folder, table))
            found = {text: undo_double_encoding(text) for text in texts}
            repairs = {garbled: repaired for garbled, repaired in sorted(found.items()) if repaired is not None}
            origin = ",".join(table.folder for table in searched)
            changed = _land(folder, tables[REPAIRS_TABLE], repairs, origin, still_ours)
    except OSError as error:
        raise LandingError(f"{error.filename or zone}: {error.strerror or error}") from error
    return RepairReport(sum(texts[text] for text in repairs), repairs, changed)


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
    files = ledger.read_books(zone, table.name).files.values()
    for key in sorted({key for landed in files for key in landed.object_keys}):
        for line in read_part(zone, key):
            if line.isascii() and b"\\u" not in line:
                continue
            for raw in msgspec.structs.astuple(decoder.decode(line)):
                value = bytes(raw)
                if value.startswith(b'"') and not (value.isascii() and b"\\u" not in value):
                    yield msgspec.json.decode(value, type=str)


def _land(zone: Folder, table: Table, repairs: Mapping[str, str], origin: str, still_ours: Claim) -> bool:
    """Lands the repairs in place of those that are there, and says whether they differ."""
    lines = b"".join(msgspec.json.encode(_Repair(*repair)) + b"\n" for repair in repairs.items())
    books = ledger.read_books(zone, table.name)
    stock = take_stock(zone, table, books)
    load = name_load()
    still_ours()
    books = tidy_up(zone, books, stock, load)
    before = books.files.get((SOURCE, origin))
    fingerprint = hashlib.sha256(lines).hexdigest()
    if before is not None and before.file.sha256 == fingerprint and before.object_keys <= stock.parts:
        return False
    segment = Segment()
    if repairs:
        with PartPress(zone, load) as press:
            part = PartWriter(press, table.folder)
            segment = Segment(part.add(lines), None, len(repairs), 0)
            part.finish()
            press.wait()
    file = SourceFile(SOURCE, origin, len(lines), fingerprint, fingerprint)
    landed = [LandedFile(file, (segment,), ledger.now_ms())]
    still_ours()
    write_copy_files(zone, table, landed)
    ledger.write_books(zone, books, landed, load)
    return True
