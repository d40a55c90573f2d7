"""Gives every landed customer a pseudonym, and lands the pairs as a table of their own.

A pseudonym is a keyed hash of the e-mail address: whoever knows an address, but not the key, cannot work its pseudonym
out. SQL would have to hold the key, and with it everything that dbt compiles and logs. So the hashing is done here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lakehouse import ledger
from lakehouse.derived_tables import column_reader, land_derived, landed_lines, landed_zone
from lakehouse.errors import LandingError
from lakehouse.ledger import Books
from lakehouse.pseudonym_key import KEY_VARIABLE, PUBLIC, PseudonymKey, environment_key
from lakehouse.sources import Table
from lakehouse.storage import Folder, Say, open_folder

PSEUDONYMS_TABLE = "customer_pseudonyms"
CUSTOMERS_TABLE = "customer_landing"


@dataclass(frozen=True)
class PseudonymReport:
    """What became of the pseudonyms."""

    customers: int
    """Number of distinct addresses, each with a pseudonym."""
    changed: bool
    """Whether the landing zone held others, or none, before."""


class _Pair(msgspec.Struct, frozen=True):
    """The columns of the declared table customer_pseudonyms."""

    email: str
    customer_pseudonym: str


def check_key(zone: str | Path, tables: Mapping[str, Table], key: PseudonymKey) -> None:
    """Checks that `land_pseudonyms` would take the key, for whoever has dear work to do before it.

    Raises:
        LandingError: The zone's pseudonyms were made with another key, or cannot be read.
    """
    try:
        folder = open_folder(zone)
        folder.check_zone()
        _check_key(folder, ledger.read_books(folder, _pseudonyms(tables).name), key)
    except OSError as error:
        raise LandingError(f"{error.filename or zone}: {error.strerror or error}") from error


def land_pseudonyms(
    zone: str | Path, tables: Mapping[str, Table], key: PseudonymKey, say: Say, *, new_key: bool = False
) -> PseudonymReport:
    """Gives every landed customer a pseudonym, and lands the pairs.

    Args:
        zone: The landing zone.
        tables: The declared tables, by name.
        key: What decides the pseudonyms.
        say: Is told what the work waits for.
        new_key: Whether all pseudonyms may become others, since the key is another one than before.

    Raises:
        LandingError: The zone's pseudonyms were made with another key, or there is no landing zone.
    """
    table, customers = _pseudonyms(tables), tables[CUSTOMERS_TABLE]
    with landed_zone(zone, say) as held:
        if not new_key:
            _check_key(held.folder, ledger.read_books(held.folder, table.name), key)
        read = column_reader(customers, [column for column in customers.columns if column.person == "email"])
        emails = sorted({email for line in landed_lines(held.folder, customers) for email in read(line) if email})
        lines = [msgspec.json.encode(_Pair(email, key.pseudonym(email))) + b"\n" for email in emails]
        changed = land_derived(held, table, lines, customers.folder, key.fingerprint)
    return PseudonymReport(len(emails), changed)


def _pseudonyms(tables: Mapping[str, Table]) -> Table:
    if PSEUDONYMS_TABLE not in tables:
        raise LandingError(f"no table {PSEUDONYMS_TABLE} is declared: there is nowhere to land the pseudonyms")
    return tables[PSEUDONYMS_TABLE]


def key_of_zone(zone: str | Path, tables: Mapping[str, Table]) -> PseudonymKey | None:
    """The key that leads to the pseudonyms in a landing zone: the public one if they were made with it, or the secret.

    Raises:
        LandingError: The landing zone cannot be read.
    """
    try:
        books = ledger.read_books(open_folder(zone), _pseudonyms(tables).name)
    except OSError as error:
        raise LandingError(f"{error.filename or zone}: {error.strerror or error}") from error
    return PUBLIC if PUBLIC.fingerprint in _fingerprints(books) else environment_key()


def _fingerprints(books: Books) -> set[str]:
    """Of the keys with which pseudonyms were made; what has the public key and no pseudonym leaves the choice open."""
    return {
        landed.file.version
        for landed in books.files.values()
        if landed.records_landed or landed.file.version != PUBLIC.fingerprint
    }


def _check_key(zone: Folder, books: Books, key: PseudonymKey) -> None:
    if _fingerprints(books) - {key.fingerprint}:
        by_now = "the key of public data" if key == PUBLIC else KEY_VARIABLE
        raise LandingError(
            f"the pseudonyms in {zone.location} were made with another {KEY_VARIABLE} than {by_now}, "
            "which is what the data in it asks for (private data: a secret; public data alone: the public key): "
            "set the former one again, or land in another zone; or, to give every customer another pseudonym than in "
            f"what was published before, run scripts/pseudonymise.py --new-key --zone {zone.location}"
        )
