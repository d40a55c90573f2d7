"""What a landing table holds, as a number: two loads that leave the same records leave the same number."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from lakehouse.declaration import LOADER, Table
from lakehouse.landing.ledger import TableLedger, read_ledger
from lakehouse.storage.folder import Folder

DIGEST_CHARACTERS = 32


@dataclass(frozen=True)
class Contents:
    """What a table's ledger names.

    Attributes:
        records: Of the records: the parts that hold them, which never change, and when each was landed.
        entries: Of all that models and tests read of its ledger: the same of every file, with counts and checksums.
    """

    records: str
    entries: str
    earlier: Mapping[str, int] = field(default_factory=dict)
    """By the number of the records after each earlier load, when that load took effect, epoch milliseconds: as far as
    later loads have only added parts. Of a part that is gone nobody knows what went with it."""


def contents_of(zone: Folder, tables: Mapping[str, Table]) -> dict[str, Contents]:
    """The contents of every landing table, by its name.

    Raises:
        LandingError: A ledger cannot be read.
    """
    landing = (table for table in tables.values() if table.source_name != LOADER)
    return {table.name: contents_of_table(read_ledger(zone, table.name)) for table in landing}


def digest(values: Iterable[object]) -> str:
    """A number for values, in their order; other values, or another order, give another one."""
    return sha256("\0".join(map(repr, values)).encode()).hexdigest()[:DIGEST_CHARACTERS]


def code_of(package: Path, *patterns: str) -> str:
    """A number for the files of a package, and for the letters that its Python knows.

    Args:
        package: Its folder.
        patterns: What the files are called.
    """
    files = sorted(file for pattern in patterns for file in package.rglob(pattern))
    return digest([unicodedata.unidata_version, *(sha256(file.read_bytes()).hexdigest() for file in files)])


def contents_of_table(ledger: TableLedger) -> Contents:
    """What a table's ledger names."""
    files = ledger.files.values()
    parts = {(landed.landed_at, key) for landed in files for key in landed.object_keys}
    *earlier, (records, _) = _after_each_load(sorted(parts)) or [(digest(()), 0)]
    entries = [
        (landed.key, landed.landed_at, landed.copy_of, segment) for landed in files for segment in landed.segments
    ]
    of_entries = digest([*sorted(map(repr, entries)), *sorted(ledger.checksums.items())])
    return Contents(records, of_entries, dict(earlier))


def _after_each_load(parts: Iterable[tuple[int, str]]) -> list[tuple[str, int]]:
    """The number of the parts that were landed up to each load, and when that load took effect."""
    numbers: list[tuple[str, int]] = []
    so_far = ""
    for landed_at, of_load in groupby(parts, key=itemgetter(0)):
        so_far = digest([so_far, *of_load])
        numbers.append((so_far, landed_at))
    return numbers
