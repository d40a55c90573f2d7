"""Tables that are worked out from the landed records, and landed beside them: no source file holds their records."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from lakehouse.declaration import Column, Table
from lakehouse.errors import LandingError
from lakehouse.landing import ledger
from lakehouse.landing.housekeeping import take_stock, tidy_up
from lakehouse.landing.ledger import Books, LandedFile, QuarantinedRecord, Segment
from lakehouse.landing.manifests import write_copy_files
from lakehouse.landing.parts import PartPress, PartWriter, name_load, read_part
from lakehouse.storage.folder import Claim, DryRunFolder, Folder, Say, open_folder
from lakehouse.storage.source_files import SourceFile

SOURCE = "landing zone"  # what the ledger calls the source of a derived table


class HeldZone(NamedTuple):
    """A landing zone that every other load is kept out of."""

    folder: Folder
    still_ours: Claim


@contextmanager
def landed_zone(zone: str | Path, say: Say, *, dry_run: bool = False) -> Iterator[HeldZone]:
    """Opens a landing zone that something was landed in, and keeps every other load out of it.

    A dry run locks nobody out, and changes nothing.

    Raises:
        LandingError: There is no landing zone, it is empty, or it cannot be read or written.
    """
    folder = open_folder(zone)
    folder.check_zone()
    try:
        if next(folder.list(ledger.LEDGER_FOLDER), None) is None:
            raise LandingError(f"landing zone {zone} is empty: land something first")
        held: Folder = DryRunFolder(folder) if dry_run else folder
        with held.exclusive(say) as still_ours:
            yield HeldZone(held, still_ours)
    except OSError as error:
        raise LandingError(f"{error.filename or zone}: {error.strerror or error}") from error


def landed_lines(zone: Folder, table: Table) -> Iterator[bytes]:
    """Yields the landed records of a table, each with its line break.

    Raises:
        LandingError: A part is damaged.
    """
    return (line for line, _ in dated_lines(zone, table))


def dated_lines(zone: Folder, table: Table) -> Iterator[tuple[bytes, int]]:
    """Yields the landed records of a table, each with when it was landed, in epoch milliseconds.

    Raises:
        LandingError: A part is damaged.
    """
    files = ledger.read_books(zone, table.name).files.values()
    loads = {key: landed.landed_at for landed in files for key in landed.object_keys}  # one for all files of a part
    for key in sorted(loads):
        for line in read_part(zone, key):
            yield line, loads[key]


def quarantined_rows(zone: Folder, books: Books) -> Iterator[QuarantinedRecord]:
    """Yields what a table's ledger says is in quarantine.

    Raises:
        LandingError: A part is damaged.
    """
    decoder = msgspec.json.Decoder(QuarantinedRecord)
    for key in sorted({key for landed in books.files.values() for key in landed.quarantine_keys}):
        yield from map(decoder.decode, read_part(zone, key))


def column_reader(table: Table, columns: Sequence[Column]) -> Callable[[bytes], tuple[str | None, ...]]:
    """Makes a function that reads columns of a record, as the engines read text: a JSON number as it is written."""
    fields = [(f"column_{position}", msgspec.Raw, msgspec.Raw()) for position, _ in enumerate(columns)]
    names = {name: column.name for (name, *_), column in zip(fields, columns, strict=True)}
    decoder = msgspec.json.Decoder(msgspec.defstruct(table.name, fields, rename=names))

    def read(line: bytes) -> tuple[str | None, ...]:
        return tuple(_text(bytes(raw)) for raw in msgspec.structs.astuple(decoder.decode(line)))

    return read


def named_reader(table: Table, *names: str) -> Callable[[bytes], tuple[str | None, ...]]:
    """The same for columns that are given by their names."""
    declared = {column.name: column for column in table.columns}
    return column_reader(table, [declared[name] for name in names])


def _text(value: bytes) -> str | None:
    if value.startswith(b'"'):
        return msgspec.json.decode(value, type=str)
    return None if value in (b"", b"null") else value.decode()


def land_derived(zone: HeldZone, table: Table, lines: Sequence[bytes], origin: str, version: str | None = None) -> bool:
    """Lands the records of a derived table in place of those that are there.

    Args:
        zone: The landing zone.
        table: The derived table.
        lines: Its records, each with its line break.
        origin: What they were worked out from; the ledger calls it the source file.
        version: What else decides the records; by default their fingerprint.

    Returns:
        Whether the zone held others, or none, before.
    """
    folder, still_ours = zone
    books = ledger.read_books(folder, table.name)
    stock = take_stock(folder, table, books)
    load = name_load()
    still_ours()
    books = tidy_up(folder, books, stock, load)
    sha256 = hashlib.sha256()
    for line in lines:
        sha256.update(line)
    fingerprint = sha256.hexdigest()
    file = SourceFile(SOURCE, origin, sum(map(len, lines)), version or fingerprint, fingerprint)
    before = books.files.get(file.key)
    if before is not None and before.file == file and before.object_keys <= stock.parts:
        ledger.write_books(folder, books, books.files.values(), load)  # if it is of an older format
        return False
    with PartPress(folder, load) as press:
        writer = PartWriter(press, table.folder)
        records = Counter(writer.add(line) for line in lines)
        writer.finish()
        press.wait()
    segments = tuple(Segment(key, None, count, 0) for key, count in records.items()) or (Segment(),)
    landed = [LandedFile(file, segments, ledger.now_ms())]
    still_ours()
    write_copy_files(folder, table, landed)
    ledger.write_books(folder, books, landed, load)
    return True
