"""Gives every customer a pseudonym that lasts for one release of the training data, and lands it.

It is random, so there is no key that could lead from one release's pseudonyms to another's, or to a person: only the
landed table leads there, which nobody but the loader and dbt reads, and which the next release replaces.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec

from lakehouse.declaration import Table
from lakehouse.derived.pseudonyms import IDENTITIES_TABLE
from lakehouse.derived.table import HeldZone, land_derived, landed_zone
from lakehouse.errors import LandingError
from lakehouse.landing.landed import landed_lines
from lakehouse.storage.folder import Say

RELEASE_PSEUDONYMS_TABLE = "release_pseudonyms"
_PSEUDONYM_BYTES = 16  # of chance: 32 hexadecimal digits, of which no two are alike however many people there are


class _Person(msgspec.Struct, frozen=True):
    """What is read of the landed pseudonyms."""

    email: str
    customer_pseudonym: str


class _Row(msgspec.Struct, frozen=True):
    """The columns of the declared table release_pseudonyms."""

    email: str
    customer_pseudonym: str
    release_pseudonym: str


def land_release_pseudonyms(zone: str | Path, tables: Mapping[str, Table], say: Say, *, draw_anew: bool = False) -> int:
    """Gives every landed customer who has none a pseudonym of the release, and forgets those of who is gone.

    Args:
        zone: The landing zone, in which the pseudonyms that last have been landed.
        tables: The declared tables, by name.
        say: Is told what the work waits for.
        draw_anew: Whether everybody gets another one, since a release is made.

    Returns:
        The number of people.

    Raises:
        LandingError: There is no landing zone, or no such table is declared.
    """
    missing = {IDENTITIES_TABLE, RELEASE_PSEUDONYMS_TABLE} - tables.keys()
    if missing:
        raise LandingError(f"no table {', '.join(sorted(missing))} is declared: there is nowhere to land pseudonyms")
    table = tables[RELEASE_PSEUDONYMS_TABLE]
    with landed_zone(zone, say) as held:
        people = [
            msgspec.json.decode(line, type=_Person) for line in landed_lines(held.folder, tables[IDENTITIES_TABLE])
        ]
        drawn = {} if draw_anew else _drawn_before(held, table)
        for person in people:
            if person.customer_pseudonym not in drawn:
                drawn[person.customer_pseudonym] = secrets.token_hex(_PSEUDONYM_BYTES)
        rows = [_Row(person.email, person.customer_pseudonym, drawn[person.customer_pseudonym]) for person in people]
        rows.sort(key=lambda row: (row.release_pseudonym, row.email))  # an order that tells nothing of the customers'
        land_derived(held, table, [msgspec.json.encode(row) + b"\n" for row in rows], table.folder)
    return len({person.customer_pseudonym for person in people})


def _drawn_before(zone: HeldZone, table: Table) -> dict[str, str]:
    rows = (msgspec.json.decode(line, type=_Row) for line in landed_lines(zone.folder, table))
    return {row.customer_pseudonym: row.release_pseudonym for row in rows}
