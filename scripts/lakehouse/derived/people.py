"""Works out who is who in the landed records, and lands that as tables of its own.

No engine of the three can fold the case of every address or hold the key of the pseudonyms, and none remembers who is
gone. So it is done here, once for all engines:

- `customer_identities`: every spelling of an address, with the canonical address and the pseudonym;
- `customer_withdrawals` and `customer_suspensions`: who withdrew, and who may have, see `lakehouse.derived.denials`;
- `device_owners` and `step_claims`: who ever registered a device, and which steps of a shared device each of them can
  have made. These two only ever grow. A person who leaves stays in them under a pseudonym, so that the steps that may
  be theirs do not become somebody else's.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from lakehouse.console import Reporter, Silent, counted
from lakehouse.declaration import Table
from lakehouse.derived.denials import (
    CLAIMS_TABLE,
    CUSTOMERS_TABLE,
    OF_PEOPLE,
    OWNERS_TABLE,
    PEOPLE,
    Doubts,
    land_rows,
    open_doubts,
    remember_denials,
    state_of_people,
    unreadable_records,
)
from lakehouse.derived.dismissals import Dismissals
from lakehouse.derived.identification import Identification, Identity
from lakehouse.derived.pseudonyms import IDENTITIES_TABLE, check_key_of
from lakehouse.derived.suspensions import Suspension
from lakehouse.derived.table import keep_tidy, landed_zone
from lakehouse.derived.worked_out import note_report, noted_report
from lakehouse.environment import in_environment
from lakehouse.errors import LandingError
from lakehouse.landing import ledger
from lakehouse.landing.ledger import QuarantinedRecord
from lakehouse.landing.pseudonym_key import PseudonymKey
from lakehouse.records.read import KEPT_BYTES
from lakehouse.storage.folder import Say

_GONE = "the record is gone from its file, and no record of theirs came in its place"


@dataclass(frozen=True)
class PeopleReport:
    """Who was found in the landing zone."""

    customers: int
    """Number of people, each with a pseudonym."""
    suspended: int
    """Number of people who are known and whom a customer record names that cannot be read."""
    suspicions: Mapping[str, int]
    """Why: the number of records that name them by what is wrong with them."""
    naming_nobody: int
    """Number of unreadable customer records that were looked through whole and name nobody who is known."""
    changed: bool
    """Whether the landing zone held anything else before."""
    several: int = 0
    """Number of customers under several addresses in one: whose records these are, no rule can say."""
    too_large: int = 0
    """Number of unreadable customer records of which only the beginning is kept, and was looked through."""


class _Noted(msgspec.Struct, frozen=True):
    """What is noted of the work."""

    made_with: str
    """The fingerprint of the pseudonyms' key."""
    report: PeopleReport


def land_people(
    zone: str | Path, tables: Mapping[str, Table], key: PseudonymKey, say: Say, *, new_key: bool = False
) -> PeopleReport:
    """Works out who is who, and lands it.

    Args:
        zone: The landing zone.
        tables: The declared tables, by name.
        key: What decides the pseudonyms.
        say: Is told what the work waits for.
        new_key: Whether all pseudonyms may become others, since the key is another one than before.

    Raises:
        LandingError: The zone's pseudonyms were made with another key, or there is no landing zone.
    """
    with landed_zone(zone, say) as held:
        if not new_key:
            check_key_of(held.folder, tables, key)
        noted = noted_report(held.folder, PEOPLE, state_of_people(held.folder, tables), _Noted)
        if noted is not None and noted.made_with == key.fingerprint:
            keep_tidy(held, (table for name in OF_PEOPLE if not (table := tables[name]).source_files))
            return noted.report
        found = Identification(held.folder, tables, key)
        identities = sorted(found.identities.values())
        doubts = remember_denials(held, tables, {row.canonical_email for row in identities})
        changed = [
            doubts.changed,
            land_rows(held, tables[OWNERS_TABLE], sorted(found.history.owners)),
            land_rows(held, tables[CLAIMS_TABLE], sorted(found.history.claims)),
            # last: who was called what before is known until all else has the new pseudonyms
            land_rows(held, tables[IDENTITIES_TABLE], identities, key.fingerprint),
        ]
        found.note(held)
        report = _report(found, doubts)
        if found.known_before <= {row.canonical_email for row in identities}:
            # who has just left was still known here: without them, a record that cannot be read may name somebody else
            note_report(held, PEOPLE, state_of_people(held.folder, tables), _Noted(key.fingerprint, report))
    return replace(report, changed=any(changed))


def _report(found: Identification, doubts: Doubts) -> PeopleReport:
    gone = {reference(row) for row in doubts.lasting if row.canonical_email in doubts.known}
    return PeopleReport(
        customers=len(found.customers),
        suspended=len(doubts.known),
        suspicions={**doubts.found.reasons, **({_GONE: len(gone)} if gone else {})},
        naming_nobody=doubts.found.naming_nobody,
        changed=False,
        several=len({row.customer_pseudonym for row in found.identities.values() if _is_a_list(row)} & found.customers),
        too_large=doubts.found.too_large,
    )


def tell_of_suspensions(report: PeopleReport, reporter: Reporter) -> None:
    """Says how many people are suspended and why, and how to go on; names nobody."""
    if report.suspended:
        records = sum(report.suspicions.values())
        reporter.warn(
            f"{report.suspended:,} {'person is' if report.suspended == 1 else 'people are'} suspended: "
            f"{_records(records)} about them cannot be read, "
            "and may be a withdrawal. Their data is in no trusted and no curated relation"
        )
        for reason, count in report.suspicions.items():
            reporter.say(f"  {count:,} x {reason}")
        reporter.say("  to look at these records, and to dismiss them: .venv/bin/lakehouse suspensions --help")
    if report.naming_nobody:
        verb = "names" if report.naming_nobody == 1 else "name"
        reporter.warn(
            f"{_records(report.naming_nobody)} that cannot be read {verb} nobody who is known: look at them in "
            f"{in_environment('loader')}.quarantine"
        )
    if report.several:
        reporter.warn(
            f"{counted(report.several, 'customer')} under several addresses in one, as in a list: a withdrawal among "
            "these records withdraws none of the people. Look at them in "
            f"{in_environment('stedi_landing')}.customer_landing, and mend them"
        )
    if report.too_large:
        verb = "is" if report.too_large == 1 else "are"
        reporter.warn(
            f"{_records(report.too_large)} that cannot be read {verb} too large to be looked through: nobody is "
            f"suspended who is named behind the first {KEPT_BYTES:,} bytes. Look at them at their source, and mend them"
        )


def _records(count: int) -> str:
    return counted(count, "customer record")


def open_suspicions(zone: str | Path) -> list[QuarantinedRecord]:
    """The customer records of a landing zone that cannot be read and that nobody has dismissed.

    Raises:
        LandingError: The zone cannot be read.
    """
    with landed_zone(zone, Silent().say, dry_run=True) as held:
        return unreadable_records(held.folder)


def _is_a_list(identity: Identity) -> bool:
    return identity.canonical_email.count("@") > 1


def lasting_suspicions(zone: str | Path, tables: Mapping[str, Table]) -> Mapping[str, int]:
    """The customer records that could not be read and are gone: the number of people whom each suspends, by its name.

    Raises:
        LandingError: The zone cannot be read.
    """
    with landed_zone(zone, Silent().say, dry_run=True) as held:
        return Counter(map(reference, sorted(open_doubts(held.folder, tables).lasting)))


def reference(row: QuarantinedRecord | Suspension) -> str:
    """How a record is named to dismiss it: its file and line."""
    return f"{row.source_file}:{row.line}"


def shown(text: str) -> str:
    """A text as it may be printed to a terminal: what a terminal would obey, and nobody would see, is escaped."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


def dismiss(zone: str | Path, tables: Mapping[str, Table], record: str, note: str) -> None:
    """Notes that an unreadable customer record is no reason to suspend anybody.

    Args:
        zone: The landing zone.
        tables: The declared tables, by name.
        record: Its file and line, as in `customers.json:3`, raw or as `shown` gives it.
        note: Why.

    Raises:
        LandingError: There is no such record, or no note.
    """
    if not note.strip():
        raise LandingError("a dismissal needs a note: say with --note why the record is no withdrawal")
    with landed_zone(zone, Silent().say) as held:
        lasting = sorted(open_doubts(held.folder, tables).lasting)
        rows: list[QuarantinedRecord | Suspension] = [*unreadable_records(held.folder), *lasting]
        named = [row for row in rows if reference(row) == record]
        named = named or [row for row in rows if shown(reference(row)) == record]
        if not named:
            raise LandingError(f"{shown(record)} is not among the open records: without --dismiss they are listed")
        table_ledger = ledger.read_ledger(held.folder, CUSTOMERS_TABLE)
        held.still_ours()
        for row in named:
            dismissals = Dismissals.read(held.folder)
            if isinstance(row, Suspension):
                dismissals.add_gone(held.folder, row.source_file, row.line, note.strip())
            else:
                dismissals.add(held.folder, row, table_ledger, note.strip())
