"""Receipts of erasures: what was erased when and where, and whether it was looked for afterwards; not whose it was."""

import io
import time
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from lakehouse.landing.parts import name_load
from lakehouse.privacy.proof import Places
from lakehouse.privacy.zone import ZoneErasure
from lakehouse.storage.folder import Folder
from lakehouse.storage.zone import RECEIPTS_FOLDER


class Receipt(msgspec.Struct):
    """What an erasure leaves behind: no address, no hash of one, no pseudonym, no serial number."""

    begun_at: str
    """UTC."""
    finished_at: str | None = None
    """When a search found nothing any more; null as long as none has."""
    people: int = 0
    """Number of addresses that were asked for."""
    records: dict[str, int] = {}
    """Number of landed records that were erased, by table."""
    quarantined: dict[str, int] = {}
    """Number of quarantined records that were erased, by table."""
    leftovers: int = 0
    """Number of objects of former loads that were deleted."""
    devices: int = 0
    """Number of devices of which all readings were erased."""
    shared_devices: int = 0
    """Number of devices of which the readings stay, since others registered them, too."""
    relations: dict[str, int] = {}
    """Number of rows in which a value of theirs stood, by schema, relation and column."""
    source_files: list[str] = []
    """Files that the records came from: at the source, the people have yet to be erased."""
    unnamed_source_files: int = 0
    """Number of those whose names may tell of somebody: they hold an @, or a name or number of the people's."""
    renamed: dict[str, int] = {}
    """Number of records that stay under a token that names nobody, by table."""


def begin_receipt(zone: Folder, people: int, erased: ZoneErasure, relations: Places) -> str:
    """Writes a receipt before anything is erased, and gives its key."""
    names = erased.file_names
    named = [file for file in erased.source_files if "@" not in unquote(file) and not names.may_tell(file)]
    receipt = Receipt(
        begun_at=_now(),
        people=people,
        records={name: table.records for name, table in erased.tables.items()},
        quarantined={name: table.quarantined for name, table in erased.tables.items()},
        leftovers=erased.leftovers,
        devices=len(erased.serial_numbers),
        shared_devices=erased.shared_devices,
        relations=relations,
        source_files=named,
        unnamed_source_files=len(erased.source_files) - len(named),
        renamed={name: table.renamed for name, table in erased.tables.items() if table.renamed},
    )
    key = f"{RECEIPTS_FOLDER}/{name_load()}.json"
    _write(zone, key, receipt)
    return key


def unfinished_receipts(zone: Folder) -> Iterator[tuple[str, Receipt]]:
    """Yields the receipts of erasures after which no search has found nothing yet, with their keys."""
    for stored in zone.list(RECEIPTS_FOLDER):
        receipt = msgspec.json.decode(zone.fetch(stored.key).content, type=Receipt)
        if receipt.finished_at is None:
            yield stored.key, receipt


def finish_receipts(zone: Folder) -> None:
    """Notes in all receipts that nothing was found any more: a build makes every relation of what is landed."""
    for key, receipt in list(unfinished_receipts(zone)):
        receipt.finished_at = _now()
        _write(zone, key, receipt)


def _write(zone: Folder, key: str, receipt: Receipt) -> None:
    zone.write(key, io.BytesIO(msgspec.json.format(msgspec.json.encode(receipt)) + b"\n"))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
