"""Which key a landing zone's pseudonyms were made with.

A pseudonym is a keyed hash of the canonical address: whoever knows an address, but not the key, cannot work its
pseudonym out. SQL would have to hold the key, and with it everything that dbt compiles and logs. So the hashing is done
in Python.
"""

from collections.abc import Mapping
from pathlib import Path

from lakehouse.declaration import Table
from lakehouse.errors import LandingError
from lakehouse.landing import ledger
from lakehouse.landing.ledger import TableLedger
from lakehouse.landing.pseudonym_key import KEY_VARIABLE, PUBLIC, PseudonymKey, environment_key
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Folder

IDENTITIES_TABLE = "customer_identities"


def check_key(zone: str | Path, tables: Mapping[str, Table], key: PseudonymKey) -> None:
    """Checks that `land_people` would take the key, to be asked before long work.

    Raises:
        LandingError: The zone's pseudonyms were made with another key, or cannot be read.
    """
    try:
        folder = open_folder(zone)
        folder.check_zone()
        check_key_of(folder, tables, key)
    except OSError as error:
        raise LandingError(f"{error.filename or zone}: {error.strerror or error}") from error


def check_key_of(folder: Folder, tables: Mapping[str, Table], key: PseudonymKey) -> None:
    """Checks that an open landing zone's pseudonyms were made with a key, or that it has none yet.

    Raises:
        LandingError: They were made with another key.
    """
    if _fingerprints(_identities(folder, tables)) - {key.fingerprint}:
        by_now = "the key of public data" if key == PUBLIC else KEY_VARIABLE
        raise LandingError(
            f"the pseudonyms in {folder.location} were made with another {KEY_VARIABLE} than {by_now}, "
            "which is what the data in it asks for (private data: a secret; public data alone: the public key): "
            "set the former one again, or land in another zone; or, to give every customer another pseudonym than in "
            f"what was published before, run .venv/bin/lakehouse pseudonymise --new-key --zone {folder.location}"
        )


def key_of_zone(zone: str | Path, tables: Mapping[str, Table]) -> PseudonymKey | None:
    """The key that leads to the pseudonyms in a landing zone: the public one if they were made with it, or the secret.

    Raises:
        LandingError: The landing zone cannot be read.
    """
    try:
        table_ledger = _identities(open_folder(zone), tables)
    except OSError as error:
        raise LandingError(f"{error.filename or zone}: {error.strerror or error}") from error
    return PUBLIC if PUBLIC.fingerprint in _fingerprints(table_ledger) else environment_key()


def _identities(folder: Folder, tables: Mapping[str, Table]) -> TableLedger:
    if IDENTITIES_TABLE not in tables:
        raise LandingError(f"no table {IDENTITIES_TABLE} is declared: there is nowhere to land the pseudonyms")
    return ledger.read_ledger(folder, IDENTITIES_TABLE)


def _fingerprints(table_ledger: TableLedger) -> set[str]:
    """Of the keys with which pseudonyms were made; what has the public key and no pseudonym leaves the choice open."""
    return {
        landed.file.version
        for landed in table_ledger.files.values()
        if landed.records_landed or landed.file.version != PUBLIC.fingerprint
    }
