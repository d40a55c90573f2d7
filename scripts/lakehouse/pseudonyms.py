"""The key of the pseudonyms.

A pseudonym is a keyed hash of the canonical address: whoever knows an address, but not the key, cannot work its
pseudonym out. SQL would have to hold the key, and with it everything that dbt compiles and logs. So the hashing is done
in Python.
"""

import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lakehouse import ledger
from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address
from lakehouse.sources import Table
from lakehouse.storage import Folder, open_folder

IDENTITIES_TABLE = "customer_identities"
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
        """The pseudonym of an e-mail address, whose spelling does not matter."""
        return hmac.digest(self.secret, canonical_address(email).encode(), "sha256").hex()

    @property
    def fingerprint(self) -> str:
        """What tells keys apart, and gives none away."""
        return hmac.digest(self.secret, _FINGERPRINT_OF, "sha256").hex()[:_FINGERPRINT_DIGITS]


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
    """Checks that a landing zone's pseudonyms were made with a key, or that it has none yet.

    Raises:
        LandingError: They were made with another key.
    """
    if IDENTITIES_TABLE not in tables:
        raise LandingError(f"no table {IDENTITIES_TABLE} is declared: there is nowhere to land the pseudonyms")
    landed = ledger.read_books(folder, IDENTITIES_TABLE).files.values()
    if {entry.file.version for entry in landed} - {key.fingerprint}:
        raise LandingError(
            f"the pseudonyms in {folder.location} were made with another {KEY_VARIABLE} (or, of public data, none): "
            "set that one again; or, to give every customer another pseudonym than in what was published before, "
            f"run scripts/pseudonymise.py --new-key --zone {folder.location}"
        )
