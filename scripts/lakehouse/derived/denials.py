"""Remembers who withdrew, and who may have: a source may lose a record, a landing zone does not forget it.

- `customer_withdrawals`: when each person last denied consent, by any record that was ever landed. The time only ever
  gets later.
- `customer_suspensions`: whom the customer records name that cannot be read, also if it is gone from its file.
  It is resolved when a record of the person is landed with or after what took its place, or when somebody dismisses it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from lakehouse.declaration import Table
from lakehouse.derived.dismissals import Dismissals
from lakehouse.derived.pseudonyms import IDENTITIES_TABLE
from lakehouse.derived.suspensions import FoundSuspensions, Suspension, suspensions_of
from lakehouse.derived.table import HeldZone, land_derived, landed_zone
from lakehouse.derived.worked_out import noted_report, state_of
from lakehouse.identity import canonical_address
from lakehouse.landing import ledger
from lakehouse.landing.landed import dated_lines, landed_lines, named_reader, quarantined_rows
from lakehouse.landing.ledger import QuarantinedRecord, TableLedger
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Folder, Say

CUSTOMERS_TABLE = "customer_landing"
READINGS_TABLE = "accelerometer_landing"
STEPS_TABLE = "step_trainer_landing"
SUSPENSIONS_TABLE = "customer_suspensions"
WITHDRAWALS_TABLE = "customer_withdrawals"
OWNERS_TABLE = "device_owners"
CLAIMS_TABLE = "step_claims"
PEOPLE = "people"
"""What working out who is who is noted as."""
OF_PEOPLE = (
    CUSTOMERS_TABLE, READINGS_TABLE, STEPS_TABLE,
    SUSPENSIONS_TABLE, WITHDRAWALS_TABLE, OWNERS_TABLE, CLAIMS_TABLE, IDENTITIES_TABLE,
)  # fmt: skip
"""What that reads and writes."""
ORIGIN = "customers and their devices"  # what the ledger calls the source file of what is worked out from these
_NO_CONSENT = (None, "", "false", "0")
"""How the website writes that there is none, as the engines read text."""


class Withdrawal(msgspec.Struct, frozen=True, order=True):
    """When somebody last denied consent to research; the columns of the declared table customer_withdrawals."""

    canonical_email: str
    withdrawn_ms: int
    """Epoch milliseconds: the record's time of update, but never later than its landing."""


@dataclass(frozen=True)
class Doubts:
    """Who may have withdrawn."""

    found: FoundSuspensions
    """By the records that cannot be read."""
    lasting: set[Suspension]
    """By such records that are gone, without a later record of the person."""
    known: set[str]
    """The canonical addresses of those of them who are known."""
    changed: bool = False
    """Whether the landing zone knew of anybody else before."""


def remember_denials_before_a_load(zone: str | Path, tables: Mapping[str, Table], say: Say) -> None:
    """Remembers what a landing zone holds by now, of which a load may replace the records.

    It was remembered already, unless the last load was killed before, or was the loader's alone.

    Raises:
        LandingError: The zone cannot be read or written.
    """
    if next(open_folder(zone).list(ledger.LEDGER_FOLDER), None) is not None:
        with landed_zone(zone, say) as held:
            if noted_report(held.folder, PEOPLE, state_of_people(held.folder, tables), msgspec.Raw) is None:
                remember_denials(held, tables)


def state_of_people(folder: Folder, tables: Mapping[str, Table]) -> str:
    """A number for all that tells who is who in a landing zone.

    Raises:
        LandingError: A ledger cannot be read.
    """
    return state_of(folder, (tables[name] for name in OF_PEOPLE))


def remember_denials(held: HeldZone, tables: Mapping[str, Table], known: Collection[str] = ()) -> Doubts:
    """Lands who withdrew, and who may have.

    Args:
        held: The landing zone.
        tables: The declared tables, by name.
        known: The canonical addresses of the people of whom something else than a customer record is landed.

    Raises:
        LandingError: A part of the zone is damaged.
    """
    withdrawals, latest = _denials(held.folder, tables)
    doubts = _doubts(held.folder, tables, latest, known)
    changed = [
        land_rows(held, tables[SUSPENSIONS_TABLE], sorted({*doubts.found.suspensions, *doubts.lasting})),
        land_rows(held, tables[WITHDRAWALS_TABLE], sorted(withdrawals)),
    ]
    return Doubts(doubts.found, doubts.lasting, doubts.known, any(changed))


def open_doubts(folder: Folder, tables: Mapping[str, Table]) -> Doubts:
    """Who may have withdrawn, by what is landed and remembered.

    Raises:
        LandingError: A part of the zone is damaged.
    """
    return _doubts(folder, tables, _denials(folder, tables)[1], ())


def _denials(folder: Folder, tables: Mapping[str, Table]) -> tuple[list[Withdrawal], dict[str, int]]:
    """When each person last denied consent, now or ever before, and when their latest record was landed."""
    table = tables[CUSTOMERS_TABLE]
    read = named_reader(table, "email", "lastUpdateDate", "shareWithResearchAsOfDate")
    withdrawn = {
        row.canonical_email: row.withdrawn_ms for row in rows_of(folder, tables[WITHDRAWALS_TABLE], Withdrawal)
    }
    latest: dict[str, int] = {}
    for line, landed_at in dated_lines(folder, table):
        email, updated, consented = read(line)
        if canonical := canonical_address(email or ""):
            latest[canonical] = max(landed_at, latest.get(canonical, landed_at))
            if consented in _NO_CONSENT:
                moment = min(int(updated or 0), landed_at)
                withdrawn[canonical] = max(moment, withdrawn.get(canonical, moment))
    return [Withdrawal(*row) for row in withdrawn.items()], latest


def _doubts(folder: Folder, tables: Mapping[str, Table], latest: Mapping[str, int], others: Collection[str]) -> Doubts:
    """Who may have withdrawn.

    Args:
        folder: The landing zone.
        tables: The declared tables, by name.
        latest: When the latest record of each customer was landed, by canonical address.
        others: The canonical addresses of people who are no customers.
    """
    table_ledger = ledger.read_ledger(folder, CUSTOMERS_TABLE)
    dismissals = Dismissals.read(folder)
    unreadable, settled = _unreadable(folder, table_ledger, dismissals)
    identified = {row.canonical_email for row in rows_of(folder, tables[IDENTITIES_TABLE], _Identified)}
    known = {*latest, *others, *identified}
    found = suspensions_of(unreadable, known)
    dismissed = suspensions_of(settled, known)
    before = {*rows_of(folder, tables[SUSPENSIONS_TABLE], Suspension)}
    lasting = {
        suspension
        for suspension in before - found.suspensions - dismissed.suspensions
        if not dismissals.cover_gone(suspension.source_file, suspension.line)
        and not _is_mended(suspension, table_ledger, latest)
    }
    return Doubts(found, lasting, found.known | {row.canonical_email for row in lasting} & known)


def unreadable_records(folder: Folder) -> list[QuarantinedRecord]:
    """The customer records in quarantine that nobody has dismissed.

    Raises:
        LandingError: A part of the zone is damaged.
    """
    return _unreadable(folder, ledger.read_ledger(folder, CUSTOMERS_TABLE), Dismissals.read(folder))[0]


def _unreadable(
    folder: Folder, table_ledger: TableLedger, dismissals: Dismissals
) -> tuple[list[QuarantinedRecord], list[QuarantinedRecord]]:
    """The customer records in quarantine: those that are open, and those that somebody has dismissed."""
    still_open: list[QuarantinedRecord] = []
    settled: list[QuarantinedRecord] = []
    for row in quarantined_rows(folder, table_ledger):
        (settled if dismissals.cover(row, table_ledger) else still_open).append(row)
    return still_open, settled


def _is_mended(suspension: Suspension, table_ledger: TableLedger, latest: Mapping[str, int]) -> bool:
    """Whether a record of the person came with what took the place of the one that could not be read, or later."""
    file = table_ledger.files.get((suspension.source, suspension.source_file))
    return file is not None and latest.get(suspension.canonical_email, -1) >= file.landed_at


class _Identified(msgspec.Struct, frozen=True):
    canonical_email: str


_Row = TypeVar("_Row", bound=msgspec.Struct)


def rows_of(folder: Folder, table: Table, row: type[_Row]) -> Iterator[_Row]:
    """The rows of a derived table."""
    return map(msgspec.json.Decoder(row).decode, landed_lines(folder, table))


def land_rows(held: HeldZone, table: Table, rows: Iterable[msgspec.Struct], version: str | None = None) -> bool:
    """Lands the rows of a derived table, and says whether there were others before."""
    lines = [msgspec.json.encode(row) + b"\n" for row in rows]
    return land_derived(held, table, lines, ORIGIN, version)
