"""Finds everybody whom the landed records name, and which steps of a shared device each of its owners can have made.

Of readings there are many millions. So each part of them is read when it is new, and noted: who is in it, and between
which moments the owners of shared devices walked. Claims are never forgotten. So a part is read again only for steps
that are new, of the same time, and of the same people; and parts of steps likewise.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

import msgspec

from lakehouse.declaration import Table
from lakehouse.derived.denials import (
    CLAIMS_TABLE,
    CUSTOMERS_TABLE,
    OWNERS_TABLE,
    PEOPLE,
    READINGS_TABLE,
    STEPS_TABLE,
    rows_of,
)
from lakehouse.derived.part_facts import PartFacts
from lakehouse.derived.pseudonyms import IDENTITIES_TABLE
from lakehouse.derived.shared_devices import Claim, DeviceHistory, Owner
from lakehouse.derived.table import HeldZone
from lakehouse.identity import canonical_address
from lakehouse.landing.contents import digest
from lakehouse.landing.landed import landed_lines, landed_parts, named_reader, part_values, part_versions
from lakehouse.landing.pseudonym_key import PseudonymKey
from lakehouse.records.raw import as_text
from lakehouse.storage.folder import Folder

_HASH_DIGITS = 32


class Identity(msgspec.Struct, frozen=True, order=True):
    """A spelling of an address; the columns of the declared table customer_identities."""

    email: str
    canonical_email: str
    customer_pseudonym: str


class _Part(msgspec.Struct, frozen=True):
    """What was found in a part of readings or steps."""

    names: list[str]
    """Keyed hashes: in readings, of the addresses as they are spelt; in steps, of the shared devices."""
    compared_for: str
    """A number for the owners whose claims were looked for, and the claims that there were then."""
    first: int | None = None
    """When such an owner walked, or such a device was read, for the first time, in epoch milliseconds."""
    last: int | None = None

    def is_of_the_time_of(self, other: "_Part") -> bool:
        """Whether the two have a time in common."""
        if self.first is None or self.last is None or other.first is None or other.last is None:
            return False
        return self.first <= other.last and other.first <= self.last


@dataclass
class _Span:
    """The moments that were met."""

    first: int | None = None
    last: int | None = None

    def add(self, moment: int) -> None:
        self.first = moment if self.first is None else min(self.first, moment)
        self.last = moment if self.last is None else max(self.last, moment)


class Identification:
    """One look at what is landed of customers, readings and steps."""

    def __init__(self, folder: Folder, tables: Mapping[str, Table], key: PseudonymKey) -> None:
        """Finds everybody, and their claims."""
        self._folder = folder
        self._tables = tables
        self._key = key
        self._hashing_key = key.derived(b"names in parts")
        self._pseudonyms: dict[str, str] = {}
        self.identities: dict[str, Identity] = {}
        """By the address as it is spelt."""
        self.customers: set[str] = set()
        """Their pseudonyms."""
        before = list(rows_of(folder, tables[IDENTITIES_TABLE], Identity))
        self.known_before = {row.canonical_email for row in before}
        """The canonical addresses of everybody who was named when this was last worked out."""
        self._spelt = {self._hashed(row.email): row.email for row in before}
        self.history = self._history_before(before)
        """Who registered which device, and who can have made which step of a shared one, now or ever before."""
        read = [tables[name] for name in (READINGS_TABLE, STEPS_TABLE)]
        self._facts = PartFacts(folder, PEOPLE, read, key.fingerprint, _Part)
        self._read_customers()
        self._shared = {self._hashed_device(device): device for device in self.history.shared_devices}
        self._claims_for = self._state_of_claims()
        self._read_steps_and_walks()

    def note(self, held: HeldZone) -> None:
        """Notes what was found in each part, when the claims have landed."""
        compared_for = self._state_of_claims()
        for name in (READINGS_TABLE, STEPS_TABLE):
            for part in landed_parts(self._folder, self._tables[name]):
                if (found := self._facts.get(part)) is not None:
                    self._facts.add(part, msgspec.structs.replace(found, compared_for=compared_for))
        self._facts.note(held)

    def _identify(self, email: str | None) -> str | None:
        """The pseudonym of whoever is spelt so; None of a blank."""
        if not email:
            return None
        known = self.identities.get(email)
        if known is None:
            canonical = canonical_address(email)
            if not canonical:
                return None
            known = self.identities[email] = Identity(email, canonical, self._pseudonym(canonical))
        return known.customer_pseudonym

    def _pseudonym(self, canonical_email: str) -> str:
        """The pseudonym of a person, which is worked out once."""
        if canonical_email not in self._pseudonyms:
            self._pseudonyms[canonical_email] = self._key.pseudonym(canonical_email)
        return self._pseudonyms[canonical_email]

    def _hashed(self, name: str) -> str:
        """What stands for an address in what is noted: nobody without the key finds out which."""
        return hmac.digest(self._hashing_key, name.encode(), "sha256").hex()[:_HASH_DIGITS]

    def _hashed_device(self, serial_number: str) -> str:
        return self._hashed(f"\0{serial_number}")  # no address holds a zero

    def _history_before(self, before: Iterable[Identity]) -> DeviceHistory:
        """What was known of devices before, under the pseudonyms of now."""
        renamed = {row.customer_pseudonym: self._pseudonym(row.canonical_email) for row in before}
        owners = rows_of(self._folder, self._tables[OWNERS_TABLE], Owner)
        claims = rows_of(self._folder, self._tables[CLAIMS_TABLE], Claim)
        return DeviceHistory(
            (msgspec.structs.replace(row, owner_token=renamed.get(row.owner_token, row.owner_token)) for row in owners),
            (msgspec.structs.replace(row, owner_token=renamed.get(row.owner_token, row.owner_token)) for row in claims),
        )

    def _read_customers(self) -> None:
        table = self._tables[CUSTOMERS_TABLE]
        read = named_reader(table, "email", "serialNumber")
        for email, serial_number in map(read, landed_lines(self._folder, table)):
            if customer := self._identify(email):
                self.customers.add(customer)
                if serial_number:
                    self.history.add_owner(serial_number, customer)

    def _state_of_claims(self) -> str:
        """A number for the owners of shared devices, and for the claims that have landed."""
        devices = self.history.shared_devices
        owners = sorted(owner for owner in self.history.owners if owner.serial_number in devices)
        return digest([owners, sorted(part_versions(self._folder, self._tables[CLAIMS_TABLE]).items())])

    def _read_steps_and_walks(self) -> None:
        walks = landed_parts(self._folder, self._tables[READINGS_TABLE])
        steps = landed_parts(self._folder, self._tables[STEPS_TABLE]) if self.history.shared_devices else []
        new_walks = {part for part in walks if not self._is_known(part)}
        new_steps = {part for part in steps if not self._is_known(part)}
        if len(new_steps) < len(steps):  # the time of new walks says which other steps are read; claims come after that
            for part in sorted(new_walks):
                self._read_walks(part)
        for part in self._with_near(new_steps, steps, new_walks):
            self._read_steps(part)
        for part in self._with_near(new_walks, walks, new_steps):
            self._read_walks(part)
        for part in walks:
            for name in self._facts[part].names:
                self._identify(self._spelt[name])

    def _is_known(self, part: str) -> bool:
        """Whether all is known of a part: everybody in it, and every claim with what else is known."""
        found = self._facts.get(part)
        return (
            found is not None
            and found.compared_for == self._claims_for
            and all(name in self._spelt or name in self._shared for name in found.names)
        )

    def _with_near(self, new: Set[str], parts: Iterable[str], others: Iterable[str]) -> Iterator[str]:
        """The new parts, and the known ones of the time and the people of other new ones."""
        near = [(found, self._people_in(found)) for part in others if (found := self._facts.get(part)) is not None]
        for part in parts:
            if part in new or self._is_near(self._facts[part], near):
                yield part

    def _is_near(self, part: _Part, others: Iterable[tuple[_Part, Set[str]]]) -> bool:
        of_its_time = [people for other, people in others if part.is_of_the_time_of(other)]
        if not of_its_time:
            return False
        people = self._people_in(part)
        return not all(people.isdisjoint(of_other) for of_other in of_its_time)

    def _people_in(self, part: _Part) -> Set[str]:
        """The owners of shared devices who walk in a part, or whose devices are read in it."""
        walkers = {self._identify(self._spelt[name]) for name in part.names if name in self._spelt}
        owners = (self.history.owners_of(self._shared[name]) for name in part.names if name in self._shared)
        return self.history.sharers.intersection(walkers).union(*owners)

    def _read_steps(self, part: str) -> None:
        shared = self.history.shared_devices
        devices = _ByWriting(lambda text: text if text in shared else None)
        span = _Span()
        for written, moment in self._values(STEPS_TABLE, part, "serialNumber", "sensorReadingTime"):
            if (device := devices[bytes(written)]) is not None:
                at = _milliseconds(moment)
                span.add(at)
                self.history.add_step(device, at)
        names = sorted({self._hashed_device(device) for device in devices.values() if device is not None})
        self._facts.add(part, _Part(names, self._claims_for, span.first, span.last))

    def _read_walks(self, part: str) -> None:
        walkers = _ByWriting(self._identify)
        sharers = self.history.sharers
        span = _Span()
        for written, moment in self._values(READINGS_TABLE, part, "user", "timestamp"):
            if (walker := walkers[bytes(written)]) in sharers:
                at = _milliseconds(moment)
                span.add(at)
                self.history.add_walk(walker, at)
        spelt = {as_text(written) for written, walker in walkers.items() if walker is not None}
        names = {self._hashed(email): email for email in spelt if email}
        self._spelt.update(names)
        self._facts.add(part, _Part(sorted(names), self._claims_for, span.first, span.last))

    def _values(self, name: str, part: str, *columns: str) -> Iterator[tuple[msgspec.Raw, ...]]:
        return part_values(self._folder, part, self._tables[name], *columns)


class _ByWriting(dict[bytes, str | None]):
    """What a text stands for, by how the text is written in a record: of many millions, few differ."""

    def __init__(self, stands_for: Callable[[str | None], str | None]) -> None:
        self._stands_for = stands_for

    def __missing__(self, written: bytes) -> str | None:
        found = self[written] = self._stands_for(as_text(written))
        return found


def _milliseconds(written: msgspec.Raw) -> int:
    return int(as_text(bytes(written)) or 0)
