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
from lakehouse.landing.housekeeping import take_inventory, tidy_up
from lakehouse.landing.ledger import LandedFile, Segment
from lakehouse.landing.manifests import write_copy_files
from lakehouse.landing.parts import PartUploader, PartWriter, name_load
from lakehouse.records.checksums import ColumnChecksums
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Claim, DryRunFolder, Folder, Say
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
    folder, still_ours = zone
    table_ledger = ledger.read_ledger(folder, table.name)
    inventory = take_inventory(folder, table, table_ledger)
    load = name_load()
    still_ours()
    table_ledger = tidy_up(folder, table_ledger, inventory, load)
    sha256 = hashlib.sha256()
    for line in lines:
        sha256.update(line)
    fingerprint = sha256.hexdigest()
    file = SourceFile(SOURCE, origin, sum(map(len, lines)), version or fingerprint, fingerprint)
    before = table_ledger.files.get(file.key)
    if before is not None and before.file == file and before.object_keys <= inventory.parts:
        checksums = checksums_of(folder, table, [before], table_ledger.checksums)
        ledger.write_ledger(folder, table_ledger, [before], checksums, load)  # if it is of an older format
        return False
    with PartUploader(folder, load) as uploader:
        writer = PartWriter(uploader, table.folder, ColumnChecksums(table))
        records = Counter(writer.add(line) for line in lines)
        writer.finish()
        uploader.wait()
    segments = tuple(Segment(key, None, count, 0) for key, count in records.items()) or (Segment(),)
    landed = [LandedFile(file, segments, ledger.now_ms())]
    still_ours()
    write_copy_files(folder, table, landed)
    ledger.write_ledger(folder, table_ledger, landed, uploader.checksums, load)
    return True
