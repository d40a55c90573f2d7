"""Keeps a table's folders of the landing zone in order: what is in them, what is left over, and what must be there."""

from dataclasses import dataclass

from lakehouse.declaration import Table
from lakehouse.landing import ledger
from lakehouse.landing.ledger import TableLedger
from lakehouse.landing.manifests import stale_copy_files
from lakehouse.landing.parts import EMPTY_PART, is_part, write_empty_part
from lakehouse.storage.folder import Folder


@dataclass(frozen=True)
class Inventory:
    """What the landing zone holds of a table."""

    parts: frozenset[str]
    leftovers: tuple[str, ...]
    """What the last load replaced, or a killed one left: the ledger does not name it."""
    folders_without_file: tuple[str, ...]
    """Of those that a reader globs."""


def take_inventory(zone: Folder, table: Table, table_ledger: TableLedger) -> Inventory:
    """Lists a table's folders, and compares them with its ledger."""
    folders = (table.folder, ledger.quarantine_folder(table.name))
    stored = {stored.key for folder in folders for stored in zone.list(folder)}
    parts = frozenset(key for key in stored if is_part(key))
    named = {key for landed in table_ledger.files.values() for key in landed.object_keys | landed.quarantine_keys}
    leftovers = (*sorted(parts - named), *stale_copy_files(zone, table, table_ledger.files.values()))
    return Inventory(parts, leftovers, tuple(folder for folder in folders if f"{folder}/{EMPTY_PART}" not in stored))


def tidy_up(zone: Folder, table_ledger: TableLedger, inventory: Inventory, load: str) -> TableLedger:
    """Deletes what is left over, and makes the folders ready; only for whoever holds the zone's lock.

    Nothing is deleted right after the load that replaced it: a query that began before may still read it. The ledger is
    claimed first: a load that lost its lock while it slept could wake up and name the parts that are deleted here. An
    empty ledger cannot be told from another one, so what is found beside it waits for the next load.

    Returns:
        The ledger, which is this load's own if it had to be claimed.
    """
    if table_ledger.version is None or (inventory.leftovers and table_ledger.files):
        table_ledger = ledger.claim_ledger(zone, table_ledger, load)
    if table_ledger.files:
        zone.delete(inventory.leftovers)
    for folder in inventory.folders_without_file:
        write_empty_part(zone, folder)
    return table_ledger
