"""Gives every landed customer a pseudonym, and lands the pairs as a table of their own.

A pseudonym is a keyed hash of the e-mail address: whoever knows an address, but not the key, cannot work its pseudonym
out. SQL would have to hold the key, and with it everything that dbt compiles and logs. So the hashing is done here.
"""

import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import yaml

from lakehouse import ledger
from lakehouse.derived_tables import column_reader, land_derived, landed_lines, landed_zone
from lakehouse.errors import LandingError
from lakehouse.ledger import Books
from lakehouse.sources import Table
from lakehouse.storage import Folder, Say, open_folder

PSEUDONYMS_TABLE = "customer_pseudonyms"
CUSTOMERS_TABLE = "customer_landing"
KEY_VARIABLE = "PSEUDONYM_KEY"
MIN_KEY_CHARACTERS = 32
PUBLIC_KEY = "public training data, about people who do not exist"
_FINGERPRINT_OF = b"which key made these pseudonyms"
_FINGERPRINT_DIGITS = 16
_SAMPLE_OF_A_SIZE = re.compile(r"sample_x[0-9][0-9.e+-]*")


@dataclass(frozen=True)
class PseudonymKey:
    """The secret that decides the pseudonyms; it never shows when it is printed."""

    secret: bytes = field(repr=False)

    def pseudonym(self, email: str) -> str:
        """The pseudonym of an e-mail address as written."""
        return hmac.digest(self.secret, email.encode(), "sha256").hex()

    @property
    def fingerprint(self) -> str:
        """What tells keys apart, and gives none away."""
        return hmac.digest(self.secret, _FINGERPRINT_OF, "sha256").hex()[:_FINGERPRINT_DIGITS]


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


def public_datasets(project_dir: Path) -> tuple[str, ...]:
    """The data sets that the project calls public: their people are fictional, or the data is known to everybody."""
    project = yaml.safe_load((project_dir / "dbt_project.yml").read_text(encoding="utf-8"))
    return tuple(project["vars"]["public_datasets"])


def key_for(dataset: str, public: tuple[str, ...]) -> PseudonymKey:
    """The key in the environment; public data does without one.

    Args:
        dataset: The name of the data set; "" where it is not known.
        public: The names of the public data sets. Sample data of any size is public, too.

    Raises:
        LandingError: There is no key, or it is too short.
    """
    secret = os.environ.get(KEY_VARIABLE, "").strip()
    if not secret and (dataset in public or _SAMPLE_OF_A_SIZE.fullmatch(dataset)):
        return PseudonymKey(PUBLIC_KEY.encode())
    if not secret:
        whose = f"of data set {dataset!r}" if dataset else "of data that has no name"
        raise LandingError(
            f"there is no key for the pseudonyms {whose}: set {KEY_VARIABLE} to what `openssl rand -hex 32` prints, "
            "and keep it: with another key, customers get other pseudonyms"
        )
    if len(secret) < MIN_KEY_CHARACTERS:
        raise LandingError(
            f"{KEY_VARIABLE} has {len(secret)} characters, {MIN_KEY_CHARACTERS} are the least: "
            "set it to what `openssl rand -hex 32` prints"
        )
    return PseudonymKey(os.fsencode(secret))


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


def _check_key(zone: Folder, books: Books, key: PseudonymKey) -> None:
    if {landed.file.version for landed in books.files.values()} - {key.fingerprint}:
        raise LandingError(
            f"the pseudonyms in {zone.location} were made with another {KEY_VARIABLE} (or, of public data, none): "
            "set that one again; or, to give every customer another pseudonym than in what was published before, "
            f"run scripts/pseudonymise.py --new-key --zone {zone.location}"
        )
