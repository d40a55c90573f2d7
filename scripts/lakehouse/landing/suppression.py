"""The list of people who were erased and are not to come back, which every load obeys.

The list names nobody. It holds keyed hashes of canonical addresses, and of the devices that were theirs alone, under a
random key of its own, so that no hash is a pseudonym; and that key, sealed with the key of the pseudonyms, so that
nobody without it can try addresses, and that another one can take its place.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from lakehouse.declaration import Column, Person, Table
from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address
from lakehouse.landing.landed import column_reader, landed_lines
from lakehouse.landing.pseudonym_key import FORMER_KEY_VARIABLE, KEY_VARIABLE, PUBLIC, PseudonymKey, environment_key
from lakehouse.records.needles import texts_in
from lakehouse.records.read import KEPT_BYTES, Record, Run
from lakehouse.storage.folder import FileChangedError, Folder

SUPPRESSED_KEY = "loader/suppressed.json"
FORMAT = 1
_SEALING = b"suppression list, sealed with "
_HASH_DIGITS = 32
_MANY_KNOWN = 1 << 18  # values of which the answer is kept; more than that, and it begins anew

_NUMBER = re.compile(r"[\w-]+", re.ASCII)
_QUOTED = re.compile(r'"([^"\n]{1,400})"')
_NARROW_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
_WIDE_ADDRESS = re.compile(r"""[^\s"<>,;:@]+@[^\s"'<>,;:@]+""")


Number = tuple[Person, str]
"""A device or a phone: which of the two, and its number."""
_Kind = Person | Literal["exact"]


@dataclass(frozen=True)
class Suppressed:
    """Records that are neither landed nor put in quarantine, since they name people who were erased."""

    records: int


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person: a hash of the address, and hashes of the devices and phones that were theirs alone."""

    person: str
    numbers: tuple[str, ...] = ()


class _List(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    sealed_with: str
    """The fingerprint of the key of the pseudonyms that seals the list's own."""
    salt: str
    sealed_key: str
    proof: str
    """Under the list's own key: that the key was opened rightly, and that the list is as it was written."""
    suppressed: tuple[_Entry, ...] = ()


class _Format(msgspec.Struct, frozen=True):
    format: int


@dataclass(frozen=True)
class SuppressionList:
    """The people who are not to come back to a landing zone."""

    own_key: bytes = field(repr=False)
    people: Mapping[str, frozenset[str]]
    """The hashes of their devices and phones, by the hash of the address."""

    def hash_of(self, kind: _Kind, value: str) -> str:
        """What stands on the list for an address (`exact` is one in these very letters only), a device or a phone."""
        text = canonical_address(value) if kind == "email" else value
        return hmac.digest(self.own_key, f"{kind}\0{text}".encode(errors="replace"), "sha256").hex()[:_HASH_DIGITS]

    def __contains__(self, address: str) -> bool:
        """Whether the person of an address is on the list."""
        return not self.people.keys().isdisjoint(self.hashes_of(address))

    def hashes_of(self, address: str) -> set[str]:
        """What may stand on the list for an address."""
        return {self.hash_of("email", address), self.hash_of("exact", address)}

    def with_people(self, numbers_of: Mapping[str, Iterable[Number]], *, exact: bool = False) -> "SuppressionList":
        """The list with more people on it: addresses, and the numbers that are theirs alone."""
        people = dict(self.people)
        for address, numbers in numbers_of.items():
            person = self.hash_of("exact" if exact else "email", address)
            hashes = {self.hash_of(kind, number) for kind, number in numbers}
            people[person] = people.get(person, frozenset()) | hashes
        return SuppressionList(self.own_key, people)

    def without(self, addresses: Iterable[str]) -> "SuppressionList":
        """The list without some people, and without their devices and phones."""
        gone = {found for address in addresses for found in self.hashes_of(address)}
        return SuppressionList(self.own_key, {who: of for who, of in self.people.items() if who not in gone})


def read_suppressions(zone: Folder, keys: Sequence[PseudonymKey] | None = None) -> SuppressionList | None:
    """Reads the list of a landing zone; None where nobody is on it.

    Args:
        zone: The landing zone.
        keys: Of which one must open the list; by default that of the environment and the public one.

    Raises:
        LandingError: None of the keys opens it, or it is damaged.
    """
    found = _find(zone)
    if found is None or not found[0].suppressed:
        return None
    return _opened(zone, found[0], keys)


def suppress(
    zone: Folder, numbers_of: Mapping[str, Iterable[Number]], key: PseudonymKey, *, exact: bool = False
) -> bool:
    """Puts people on a landing zone's list, in one step; says whether somebody was not on it before.

    Args:
        zone: The landing zone.
        numbers_of: The people's addresses, and of each the devices and phones that are theirs alone.
        key: The key of the zone's pseudonyms.
        exact: Whether an address stands for these very letters only, not for all its spellings.

    Raises:
        LandingError: The list belongs to another key, is damaged, or was changed by somebody else meanwhile.
    """
    found = _find(zone)
    before = _opened(zone, found[0], [key]) if found else SuppressionList(secrets.token_bytes(32), {})
    after = before.with_people(numbers_of, exact=exact)
    if after.people != before.people:
        _replace(zone, after, key, found[1] if found else None)
    return after.people != before.people


def allow_again(zone: Folder, addresses: Iterable[str]) -> int:
    """Takes people off a landing zone's list, in one step, and gives the number of those who were on it.

    Raises:
        LandingError: The list belongs to another key, is damaged, or was changed by somebody else meanwhile.
    """
    found = _find(zone)
    if found is None or not found[0].suppressed:
        return 0
    key = _key_that_opens(zone, found[0], None)
    before = _opened(zone, found[0], [key])
    after = before.without(addresses)
    if after.people != before.people:
        _replace(zone, after, key, found[1])
    return len(before.people) - len(after.people)


def seal_anew(zone: Folder, key: PseudonymKey) -> None:
    """Seals a landing zone's list with a new key of pseudonyms, if there is one that another key seals.

    Raises:
        LandingError: The former key is not given, or the list is damaged.
    """
    found = _find(zone)
    if found is None or found[0].sealed_with == key.fingerprint:
        return
    given = (PUBLIC, environment_key(FORMER_KEY_VARIABLE))
    former = next((one for one in given if one and one.fingerprint == found[0].sealed_with), None)
    if former is None:
        raise LandingError(
            f"{zone.location}/{SUPPRESSED_KEY}, the list of people who were erased, is sealed with the former key: "
            f"set {FORMER_KEY_VARIABLE} to that one; or, if it is lost, delete the list: "
            "then those who were erased come back with the next file that names them"
        )
    _replace(zone, _opened(zone, found[0], [former]), key, found[1])


def _find(zone: Folder) -> tuple[_List, str] | None:
    """The list as it is written, and its version; None where there is none."""
    try:
        fetched = zone.fetch(SUPPRESSED_KEY)
    except FileNotFoundError:
        return None
    where = f"{zone.location}/{SUPPRESSED_KEY}"
    try:
        version = msgspec.json.decode(fetched.content, type=_Format).format
        if version != FORMAT:
            raise LandingError(f"{where} has format {version}, this program knows {FORMAT}: use the one that wrote it")
        return msgspec.json.decode(fetched.content, type=_List), fetched.version
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LandingError(
            f"{where}, the list of people who were erased, is damaged ({error}): restore it; nothing is landed "
            "without it, since they would come back"
        ) from error


def _key_that_opens(zone: Folder, found: _List, keys: Sequence[PseudonymKey] | None) -> PseudonymKey:
    secret = environment_key()
    candidates = keys if keys is not None else [PUBLIC, *([secret] if secret else [])]
    for key in candidates:
        if key.fingerprint == found.sealed_with:
            return key
    what = "is another one than the list's" if secret or keys else "is not set"
    raise LandingError(
        f"{zone.location} has a list of people who were erased and are not to come back, and {KEY_VARIABLE}, without "
        f"which nobody can read it, {what}: set the one with which the pseudonyms were made"
    )


def _opened(zone: Folder, found: _List, keys: Sequence[PseudonymKey] | None) -> SuppressionList:
    key = _key_that_opens(zone, found, keys)
    try:
        own_key = _seal(key, bytes.fromhex(found.salt), bytes.fromhex(found.sealed_key))
    except ValueError:
        own_key = b""
    if not hmac.compare_digest(_proof(own_key, found.suppressed).encode(), found.proof.encode()):
        raise LandingError(
            f"{zone.location}/{SUPPRESSED_KEY}, the list of people who were erased, is damaged: restore it"
        )
    return SuppressionList(own_key, {entry.person: frozenset(entry.numbers) for entry in found.suppressed})


def _seal(key: PseudonymKey, salt: bytes, own_key: bytes) -> bytes:
    """Seals a key of 32 bytes, or opens it; the salt is used once, so the pad is."""
    return bytes(one ^ other for one, other in zip(own_key, key.derived(_SEALING + salt), strict=True))


def _proof(own_key: bytes, entries: tuple[_Entry, ...]) -> str:
    return hmac.digest(own_key, b"proof\0" + msgspec.json.encode(entries), "sha256").hex()


def _replace(zone: Folder, suppressed: SuppressionList, key: PseudonymKey, version: str | None) -> None:
    salt = secrets.token_bytes(16)
    entries = tuple(_Entry(person, tuple(sorted(numbers))) for person, numbers in sorted(suppressed.people.items()))
    sealed = _seal(key, salt, suppressed.own_key).hex()
    proof = _proof(suppressed.own_key, entries)
    content = _List(FORMAT, key.fingerprint, salt.hex(), sealed, proof, entries)
    try:
        zone.replace(SUPPRESSED_KEY, msgspec.json.format(msgspec.json.encode(content)) + b"\n", version)
    except FileChangedError as error:
        raise LandingError(
            f"{zone.location}/{SUPPRESSED_KEY} was changed by another command meanwhile: try again"
        ) from error


def numbers_of(
    zone: Folder, tables: Mapping[str, Table], addresses: Iterable[str], numbers: Iterable[Number]
) -> dict[str, set[Number]]:
    """Whose each number is, of people to whom some devices and phones are known to belong alone.

    One that only broken records give to somebody is listed for all of them.
    """
    people: dict[str, set[Number]] = {canonical_address(address): set() for address in addresses}
    theirs = set(numbers)
    left = set(theirs)
    for table in tables.values():
        email = _column(table, "email")
        for kind in ("serial_number", "phone") if theirs and email else ():
            column = _column(table, kind)
            if email is None or column is None:
                continue
            for address, number in map(column_reader(table, [email, column]), landed_lines(zone, table)):
                if address is not None and number is not None and (kind, number) in theirs:
                    people.setdefault(canonical_address(address), set()).add((kind, number))
                    left.discard((kind, number))
    for own in people.values():
        own.update(left)
    return people


class Sieve:
    """Keeps the people on a list out of a load."""

    def __init__(self, suppressed: SuppressionList) -> None:
        """Takes the list."""
        self._list = suppressed
        self.records = 0
        """Number of the records that were left out."""
        self.people: set[str] = set()
        """The hashes of the people whom they name."""
        self._owners: dict[str, set[str]] = {}
        for person, numbers in suppressed.people.items():
            for number in numbers:
                self._owners.setdefault(number, set()).add(person)

    def of(self, table: Table) -> "TableSieve":
        """What keeps them out of a table."""
        return TableSieve(self, table)

    def named_by(self, person: Person, value: str) -> set[str]:
        """The people on the list whom an address, a device or a phone names."""
        if person == "email":
            return self._list.hashes_of(value) & self._list.people.keys()
        return self._owners.get(self._list.hash_of(person, value), set())

    def note(self, people: Iterable[str], records: int) -> Suppressed:
        """Counts records that are left out."""
        self.records += records
        self.people.update(people)
        return Suppressed(records)


class TableSieve:
    """Keeps the people on a list out of a table: by what names a person, as `erase` does it."""

    def __init__(self, sieve: Sieve, table: Table) -> None:
        """Takes the table, of which either a column holds addresses, or one serial numbers, or none either."""
        self._sieve = sieve
        self._column = _column(table, "email") or _column(table, "serial_number")
        self._has_numbers = _column(table, "serial_number") is not None
        self._known: dict[bytes, frozenset[str]] = {}
        self._decoder = _decoder(self._column) if self._column else None
        self._read = column_reader(table, [self._column]) if self._column else None

    def filtered(self, found: Iterable[Run | Record]) -> Iterator[Run | Record | Suppressed]:
        """Yields what was read, without the records that name people on the list; these it counts."""
        for one in found:
            if isinstance(one, Run):
                yield from self._run(one)
            else:
                people = (
                    self.whom(one.raw) if one.verdict.fault is None else self.whom_broken(one.raw, one.verdict.fault)
                )
                yield self._sieve.note(people, 1) if people else one

    def whom(self, raw: bytes) -> frozenset[str]:
        """The people on the list whom a good record names."""
        if self._decoder is None:
            return frozenset()
        (record,) = self._decoder.decode_lines(raw)
        return self._named(bytes(record.name))

    def whom_broken(self, raw: bytes, reason: str) -> frozenset[str]:
        """The people on the list whom a record names that cannot be landed, or what is said of it, anywhere in it."""
        people: set[str] = set()
        for content in (raw[:KEPT_BYTES], reason.encode(errors="replace")):  # the quarantine keeps no more
            for text in texts_in(content):
                for candidate in _candidates(text):
                    people |= self._sieve.named_by("email", candidate)
                for number in {*_NUMBER.findall(text), *_QUOTED.findall(text)} if self._has_numbers else ():
                    people |= self._sieve.named_by("serial_number", number)
                    people |= self._sieve.named_by("phone", number)
        return frozenset(people)

    def refuse(self, people: Iterable[str]) -> Suppressed:
        """Counts a record that is left out since it names people."""
        return self._sieve.note(people, 1)

    def _run(self, run: Run) -> Iterator[Run | Suppressed]:
        if self._decoder is None:
            yield run
            return
        names = [bytes(record.name) for record in self._decoder.decode_lines(run.lines)]
        listed = {name: people for name in set(names) if (people := self._named(name))}
        if not listed:
            yield run
            return
        lines = run.lines.split(b"\n")[:-1]
        kept = [line + b"\n" for line, name in zip(lines, names, strict=True) if name not in listed]
        if kept:
            yield Run(b"".join(kept), len(kept), is_as_found=False)
        yield self._sieve.note(frozenset().union(*listed.values()), len(lines) - len(kept))

    def _named(self, raw: bytes) -> frozenset[str]:
        """The people on the list whom a value names; worked out once, since it stands in many records."""
        known = self._known.get(raw)
        if known is None:
            if len(self._known) >= _MANY_KNOWN:
                self._known.clear()
            known = self._known[raw] = frozenset(self._look_up(raw))
        return known

    def _look_up(self, raw: bytes) -> set[str]:
        if self._column is None or self._column.person is None or raw in (b"", b"null"):
            return set()
        value = msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else raw.decode()
        return self._sieve.named_by(self._column.person, value)


class _Named(msgspec.Struct):
    name: msgspec.Raw = msgspec.Raw()


def _decoder(column: Column) -> "msgspec.json.Decoder[_Named]":
    named = msgspec.defstruct(
        "named", [("name", msgspec.Raw, msgspec.Raw())], bases=(_Named,), rename={"name": column.name}
    )
    return msgspec.json.Decoder(named)


def _column(table: Table, person: Person) -> Column | None:
    return next((column for column in table.columns if column.person == person), None)


def _candidates(text: str) -> set[str]:
    """What may be an address in a text: whatever is quoted, and every stretch around an @."""
    found = {*_QUOTED.findall(text), text if len(text) <= 400 else ""}
    if "@" in text:
        for pattern in (_WIDE_ADDRESS, _NARROW_ADDRESS):
            found.update(pattern.findall(text))
    found |= {candidate.rstrip(".!?)]}") for candidate in found}
    found.discard("")
    return found
