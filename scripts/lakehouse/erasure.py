"""Erases people from a landing zone: their records, what of them is in quarantine, and what was derived of them.

A person is an e-mail address, in whatever case it was written. Which columns hold it, the serial number of a device or
a phone is declared with the tables. A reading that names a device only goes if nobody else ever registered the device,
and a broken record without an address goes by a device or a phone of theirs alone.

A part never changes: those that hold such records are written anew without them, then the tables' ledgers are replaced
one after the other, and what they no longer name is deleted at once. So a table is as it was or as it shall be, and
what a killed erasure left undone, the next one does. The customers, who say which devices are meant, come last.
"""

import base64
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, compress
from pathlib import Path
from typing import Literal

import msgspec

from lakehouse import ledger
from lakehouse.copy_files import write_copy_files
from lakehouse.derived_tables import HeldZone, column_reader, landed_lines, landed_zone
from lakehouse.errors import LandingError
from lakehouse.housekeeping import take_stock
from lakehouse.identity import canonical_address
from lakehouse.ledger import Books, LandedFile, QuarantinedRecord
from lakehouse.packing import PartPress, name_load, read_part
from lakehouse.person_search import Needles
from lakehouse.pseudonyms import IDENTITIES_TABLE
from lakehouse.source_files import FileKey
from lakehouse.sources import Column, Person, Table
from lakehouse.storage import Say

LINES_PER_BLOCK = 4096
TELLING_CHARACTERS = 8  # that a phone, or a number in a file's name, has at least: shorter ones stand there by chance
_CLOSED = (b"PK", b"BZ")  # what archives begin with, of which only the first bytes are in quarantine

NamedBy = Literal["object_key", "quarantine_key"]
"""Which parts a ledger's column names: those of the records, or of the quarantine."""
_Stretch = tuple[FileKey, int, int]  # file, number of the segment, number of its lines


@dataclass
class TableErasure:
    """What goes, or went, of a table."""

    records: int = 0
    quarantined: int = 0


@dataclass
class ZoneErasure:
    """What of some people was in a landing zone, and is erased."""

    spellings: list[str] = field(default_factory=list)
    """The addresses as they were written there."""
    serial_numbers: list[str] = field(default_factory=list)
    """Of the devices that nobody else ever registered."""
    phones: list[str] = field(default_factory=list)
    """That nobody else ever gave."""
    shared_devices: int = 0
    """Number of their devices that others registered, too: the readings of these stay."""
    is_piece_of_another: bool = False
    """Whether an address is a piece of another person's, whose letters are not to be taken for it."""
    pseudonyms: list[str] = field(default_factory=list)
    tables: dict[str, TableErasure] = field(default_factory=dict)
    """What goes of each table of which something does."""
    source_files: list[str] = field(default_factory=list)
    """The files that the records came from; the person is still in these."""
    leftovers: int = 0
    """Number of objects of former loads that were deleted, since nobody knows whose records they hold."""
    closed: int = 0
    """Number of quarantined records that cannot be looked into: they are the begin of an archive."""

    @property
    def numbers(self) -> set[str]:
        """The numbers of devices and phones that are theirs alone."""
        return {*self.serial_numbers, *self.phones}

    @property
    def lines(self) -> int:
        """Number of records, landed and quarantined."""
        return sum(table.records + table.quarantined for table in self.tables.values())


def erase_from_zone(
    zone: str | Path,
    tables: Mapping[str, Table],
    addresses: Iterable[str],
    say: Say,
    *,
    dry_run: bool = False,
) -> ZoneErasure:
    """Erases people from a landing zone.

    Args:
        zone: The landing zone.
        tables: The declared tables, by name.
        addresses: The people's e-mail addresses.
        say: Is told what the work waits for.
        dry_run: Whether to do everything but change the landing zone.

    Raises:
        LandingError: A source file is named after a person, or the landing zone cannot be read or written.
    """
    with landed_zone(zone, say, dry_run=dry_run) as held:
        erasure = _Erasure(held, tables, list(addresses))
        erasure.run()
        return erasure.report


@dataclass
class _Change:
    """What becomes of a table: parts are written, its ledger is not yet."""

    table: Table
    books: Books
    landed: list[LandedFile]


@dataclass
class _Rewritten:
    """Parts that were written anew."""

    keys: dict[str, str | None] = field(default_factory=dict)
    """The new part for each old one; None where nothing is left of it."""
    removed: Counter[tuple[FileKey, int]] = field(default_factory=Counter)
    """How many lines fewer each segment of a file has."""

    @property
    def lines(self) -> int:
        """Number of lines that are gone."""
        return self.removed.total()


@dataclass
class _Erasure:
    """One erasure from one landing zone."""

    held: HeldZone
    tables: Mapping[str, Table]
    addresses: Sequence[str]
    name: str = field(default_factory=name_load)

    def __post_init__(self) -> None:
        """Begins with nothing found."""
        self.zone = self.held.folder
        self.wanted = {canonical_address(address) for address in self.addresses}
        self.needles = Needles(self.wanted)
        self.addresses_seen: dict[str, bool] = {}
        """Each address that was read, and whether it is one of the people's."""
        self.report = ZoneErasure()

    @cached_property
    def personal(self) -> list[Table]:
        """The tables that name people or devices; those that name both come last, see the module."""
        named = [table for table in self.tables.values() if any(column.person for column in table.columns)]
        return sorted(named, key=lambda table: (len({c.person for c in table.columns if c.person}), table.name))

    @cached_property
    def searched(self) -> list[Table]:
        """All tables that the loader fills: anything may be in a quarantine."""
        others = [table for table in self.tables.values() if table.source_files and table not in self.personal]
        return [*others, *self.personal]

    def run(self) -> None:
        """Looks for the people, and erases what there is of them."""
        self._find_numbers()
        self._find_pseudonyms()
        self._refuse_names()
        self.report.leftovers = sum(map(self._delete_leftovers, self.searched))
        with PartPress(self.zone, self.name) as press:
            changes = [change for table in self.searched if (change := self._stage(table, press)) is not None]
            press.wait()
        seen = self.addresses_seen
        self.report.spellings = sorted(address for address, is_theirs in seen.items() if is_theirs)
        self.report.is_piece_of_another = self.needles.are_pieces_of(seen)
        for change in changes:
            self.held.still_ours()
            write_copy_files(self.zone, change.table, change.landed)
            ledger.write_books(self.zone, change.books, change.landed, self.name)
            self._delete_leftovers(change.table)

    def _refuse_names(self) -> None:
        """A source file's name stands in the ledger, and its records are known by it."""
        files = {file.file.path for table in self.searched for file in self._books(table).files.values()}
        numbers = [number for number in self.report.numbers if len(number) >= TELLING_CHARACTERS]
        named = sorted(
            path
            for path in files
            if self.needles.are_anywhere_in(path.encode()) or any(number in path for number in numbers)
        )
        if named:
            listed = "\n".join(f"  {path}" for path in named)
            raise LandingError(
                f"the ledger knows source files by names that hold the address, or a number of theirs:\n{listed}\n"
                "Rename them, land again with --forget-vanished (nothing is read anew), and erase then."
            )

    def _books(self, table: Table) -> Books:
        return ledger.read_books(self.zone, table.name)

    def _delete_leftovers(self, table: Table) -> int:
        """Deletes the objects of a table that its ledger does not name, and says how many.

        A load that lost its lock while it slept could wake up and name them, so the ledger is claimed before.
        """
        books = self._books(table)
        if books.version is None:
            return 0
        leftovers = take_stock(self.zone, table, books).leftovers
        if leftovers:
            self.held.still_ours()
            ledger.claim_books(self.zone, books, self.name)
            self.zone.delete(leftovers)
        return len(leftovers)

    def _find_numbers(self) -> None:
        """Finds out which devices and phones are the people's alone."""
        devices = self._owners("serial_number")
        self.report.serial_numbers = sorted(device for device, whose in devices.items() if whose == {True})
        self.report.shared_devices = sum(whose == {True, False} for whose in devices.values())
        self.report.phones = sorted(
            phone
            for phone, whose in self._owners("phone").items()
            if whose == {True} and len(phone) >= TELLING_CHARACTERS
        )
        self.needles = Needles(self.wanted, self.report.numbers)

    def _owners(self, kind: Person) -> Mapping[str, set[bool]]:
        """Of each number whether it is given with the people's addresses, with others', or both; in quarantine, too."""
        owners: dict[str, set[bool]] = defaultdict(set)
        for table in self.personal:
            email, named = _column(table, "email"), _column(table, kind)
            if email is None or named is None:
                continue
            read = column_reader(table, [email, named])
            for line in chain(landed_lines(self.zone, table), self._quarantined_records(table)):
                try:
                    address, number = read(line)
                except (msgspec.DecodeError, UnicodeDecodeError):  # it is in quarantine for that
                    continue
                if address is not None and number is not None:
                    owners[number].add(self._is_wanted(address))
        return owners

    def _find_pseudonyms(self) -> None:
        table = self.tables.get(IDENTITIES_TABLE)
        if table is not None:
            declared = {column.name: column for column in table.columns}
            read = column_reader(table, [declared["email"], declared["customer_pseudonym"]])
            pairs = map(read, landed_lines(self.zone, table))
            self.report.pseudonyms = sorted(
                {pseudonym for email, pseudonym in pairs if email and pseudonym and self._is_wanted(email)}
            )

    def _quarantined_records(self, table: Table) -> Iterator[bytes]:
        """Yields the bytes of a table's quarantined records, of those that are kept whole."""
        for key in sorted({key for landed in self._books(table).files.values() for key in landed.quarantine_keys}):
            for line in read_part(self.zone, key):
                raw = msgspec.json.decode(line, type=QuarantinedRecord).raw
                if raw is not None:
                    yield raw

    def _is_wanted(self, address: str) -> bool:
        """Whether an address is one of the people's; looked up, since it stands in many records."""
        known = self.addresses_seen.get(address)
        if known is None:
            known = self.addresses_seen[address] = canonical_address(address) in self.wanted
        return known

    def _stage(self, table: Table, press: PartPress) -> _Change | None:
        """Writes the parts of a table anew that hold something of the people; None where none does."""
        books = self._books(table)
        records = self._rewrite(books, "object_key", press, self._record_test(table))
        refused = self._rewrite(books, "quarantine_key", press, self._quarantine_test(table))
        if not records.keys and not refused.keys:
            return None
        self.report.tables[table.name] = TableErasure(records.lines, refused.lines)
        landed = [_without(file, records, refused) for file in books.files.values()]
        if table.source_files:
            self._note_source_files(books, records, refused)
        else:  # its fingerprint is that of its records, and would tell of whom there was one
            landed = [replace(file, file=replace(file.file, sha256="")) for file in landed]
        return _Change(table, books, landed)

    def _record_test(self, table: Table) -> Callable[[bytes], bool]:
        """What says of a landed record whether it goes."""
        email, serial = _column(table, "email"), _column(table, "serial_number")
        named_by = email or serial
        if named_by is None:
            return _never
        read = column_reader(table, [named_by])
        serial_numbers = set(self.report.serial_numbers)

        def is_theirs(line: bytes) -> bool:
            (name,) = read(line)
            return name is not None and (self._is_wanted(name) if email is not None else name in serial_numbers)

        return is_theirs

    def _quarantine_test(self, table: Table) -> Callable[[bytes], bool]:
        """What says of a line of the quarantine whether it goes."""
        has_numbers = _column(table, "serial_number") is not None

        def is_theirs(line: bytes) -> bool:
            row = msgspec.json.decode(line, type=QuarantinedRecord)
            texts = (base64.b64decode(row.record_base64), row.reason.encode())
            self.report.closed += texts[0].startswith(_CLOSED)
            return any(
                self.needles.name_address(text) or (has_numbers and self.needles.name_number(text)) for text in texts
            )

        return is_theirs

    def _rewrite(
        self, books: Books, named_by: NamedBy, press: PartPress, is_theirs: Callable[[bytes], bool]
    ) -> _Rewritten:
        """Writes parts anew without some of their lines."""
        rewritten = _Rewritten()
        for key, stretches in sorted(_stretches(books, named_by).items()):
            lines = list(read_part(self.zone, key))
            if len(lines) != sum(count for *_, count in stretches):
                raise LandingError(f"{self.zone.location}/{key} has not the records that the ledger says: land again")
            stays = [not is_theirs(line) for line in lines]
            if all(stays):
                continue
            start = 0
            for file, number, count in stretches:
                rewritten.removed[file, number] = count - sum(stays[start : start + count])
                start += count
            kept = list(compress(lines, stays))
            rewritten.keys[key] = _write_part(press, key.rpartition("/")[0], kept) if kept else None
        return rewritten

    def _note_source_files(self, books: Books, *rewritten: _Rewritten) -> None:
        """Notes the files that the records came from, and the copies of these."""
        origins = {file for parts in rewritten for (file, _), count in parts.removed.items() if count}
        contents = {books.files[file].file.sha256 for file in origins}
        files = {file.file.path for file in books.files.values() if file.file.sha256 in contents}
        self.report.source_files = sorted(files.union(self.report.source_files))


def _column(table: Table, person: Person) -> Column | None:
    return next((column for column in table.columns if column.person == person), None)


def _never(line: bytes) -> bool:
    """Finds nobody."""
    return False


def _stretches(books: Books, named_by: NamedBy) -> Mapping[str, Sequence[_Stretch]]:
    """What each part holds, in the order in which it stands there: by file, and by segment."""
    stretches: dict[str, list[_Stretch]] = defaultdict(list)
    for file, landed in sorted(books.files.items()):
        for number, segment in enumerate(landed.segments):
            key = getattr(segment, named_by)
            count = segment.records_landed if named_by == "object_key" else segment.records_quarantined
            if key is not None:
                stretches[key].append((file, number, count))
    return stretches


def _write_part(press: PartPress, folder: str, lines: Sequence[bytes]) -> str:
    part = press.begin(folder)
    for start in range(0, len(lines), LINES_PER_BLOCK):
        press.compress(part, b"".join(lines[start : start + LINES_PER_BLOCK]))
    press.store(part)
    return part.key


def _without(landed: LandedFile, records: _Rewritten, refused: _Rewritten) -> LandedFile:
    """What the ledger says of a file whose parts were written anew."""
    segments = []
    for number, segment in enumerate(landed.segments):
        landed_count = segment.records_landed - records.removed[landed.key, number]
        refused_count = segment.records_quarantined - refused.removed[landed.key, number]
        segments.append(
            replace(
                segment,
                object_key=_new_key(segment.object_key, records, landed_count),
                quarantine_key=_new_key(segment.quarantine_key, refused, refused_count),
                records_landed=landed_count,
                records_quarantined=refused_count,
            )
        )
    return replace(landed, segments=tuple(segments))


def _new_key(key: str | None, rewritten: _Rewritten, lines: int) -> str | None:
    """The part that holds a segment's lines by now; a segment without any needs none."""
    if key is None or key not in rewritten.keys:
        return key
    return rewritten.keys[key] if lines else None
