"""Tables that are worked out from the landed records, and landed beside them: no source file holds their records."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lakehouse.declaration import Table
from lakehouse.errors import LandingError
from lakehouse.landing import ledger
from lakehouse.landing.checksums import checksums_of
from lakehouse.landing.housekeeping import Inventory, take_inventory, tidy_up
from lakehouse.landing.ledger import LandedFile, Segment, TableLedger
from lakehouse.landing.manifests import write_copy_files
from lakehouse.landing.parts import PartUploader, PartWriter, name_load, read_part
from lakehouse.records.checksums import ColumnChecksums
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Claim, DryRunFolder, Folder, Say
from lakehouse.storage.source_files import SourceFile

SOURCE = "landing zone"  # what the ledger calls the source of a derived table
MAX_ADDITIONS = 100
"""After so many additions, a derived table is landed anew: each of them is an object that readers open."""


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


def keep_tidy(zone: HeldZone, tables: Iterable[Table]) -> None:
    """Does for derived tables that are not landed anew what landing them does: deletes what was replaced before.

    And makes again what is lost of their folders.
    """
    for table in tables:
        table_ledger = ledger.read_ledger(zone.folder, table.name)
        inventory = take_inventory(zone.folder, table, table_ledger)
        if inventory.leftovers or inventory.folders_without_file:
            zone.still_ours()
            tidy_up(zone.folder, table_ledger, inventory, name_load())


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
    load = name_load()
    table_ledger, inventory = _tidied(zone, table, load)
    file = _file_of(lines, origin, version)
    before = table_ledger.files.get(file.key)
    if before is not None and before.file == file and before.object_keys <= inventory.parts:
        _write(zone, table, table_ledger, load, kept=[before])  # if it is of an older format
        return False
    _write(zone, table, table_ledger, load, added=(lines, file))
    return True


def land_additions(zone: HeldZone, table: Table, lines: Sequence[bytes], origin: str, version: str) -> bool:
    """Lands those records of a derived table that are not there yet, beside those that are: in a part of their own.

    So who reads the table can tell that it has only grown. All of it is landed anew if a record or a part of it is
    gone, if it was worked out in another way, and after a hundred additions.

    Args:
        zone: The landing zone.
        table: The derived table.
        lines: Its records, each once and with its line break.
        origin: What they were worked out from.
        version: How: another one may find more in records that were there before.

    Returns:
        Whether the zone held others, or none, before.
    """
    load = name_load()
    table_ledger, inventory = _tidied(zone, table, load)
    kept = list(table_ledger.files.values())
    named = {key for landed in kept for key in landed.object_keys}
    is_of_version = {landed.file.version for landed in kept} == {version}
    if not is_of_version or len(kept) > MAX_ADDITIONS or not named <= inventory.parts:
        return land_derived(zone, table, lines, origin, version)
    there = {line for key in named for line in read_part(zone.folder, key)}
    new = [line for line in lines if line not in there]
    if len(lines) - len(new) < len(there):
        return land_derived(zone, table, lines, origin, version)
    added = (new, _file_of(new, f"{origin}, added by {load}", version)) if new else None
    _write(zone, table, table_ledger, load, kept=kept, added=added)
    return bool(new)


def _tidied(zone: HeldZone, table: Table, load: str) -> tuple[TableLedger, Inventory]:
    """A table's ledger, and what the zone has of the table, when what earlier loads left is tidied up."""
    table_ledger = ledger.read_ledger(zone.folder, table.name)
    inventory = take_inventory(zone.folder, table, table_ledger)
    zone.still_ours()
    return tidy_up(zone.folder, table_ledger, inventory, load), inventory


def _file_of(lines: Iterable[bytes], origin: str, version: str | None = None) -> SourceFile:
    """What the ledger calls the source file of records."""
    sha256, size = hashlib.sha256(), 0
    for line in lines:
        sha256.update(line)
        size += len(line)
    fingerprint = sha256.hexdigest()
    return SourceFile(SOURCE, origin, size, version or fingerprint, fingerprint)


def _write(  # noqa: PLR0913 - what both ways of landing have at hand
    zone: HeldZone,
    table: Table,
    table_ledger: TableLedger,
    load: str,
    *,
    kept: Sequence[LandedFile] = (),
    added: tuple[Sequence[bytes], SourceFile] | None = None,
) -> None:
    """Writes records into parts of their own, and the ledger with the files that stay and theirs."""
    landed, checksums = list(kept), dict(table_ledger.checksums)
    if added is not None:
        lines, file = added
        with PartUploader(zone.folder, load) as uploader:
            writer = PartWriter(uploader, table.folder, ColumnChecksums(table))
            records = Counter(writer.add(line) for line in lines)
            writer.finish()
            uploader.wait()
        segments = tuple(Segment(key, None, count, 0) for key, count in records.items()) or (Segment(),)
        landed.append(LandedFile(file, segments, ledger.time_of_effect([table_ledger])))
        checksums |= uploader.checksums
    of_parts = checksums_of(zone.folder, table, landed, checksums)
    zone.still_ours()
    write_copy_files(zone.folder, table, landed)
    ledger.write_ledger(zone.folder, table_ledger, landed, of_parts, load)
