"""Erases people from a landing zone: their records, what of them is in quarantine, and what was derived of them.

A person is whatever was landed as an address, in every spelling of the same canonical address; or, on request, in
these very letters only. Which columns hold it, the serial number of a device or a phone is declared with the tables. A
reading that names a device only goes if nobody else ever registered the device, and a broken record without an address
goes by a device or a phone of theirs alone.

A part never changes: those that hold such records are written anew without them, then the tables' ledgers are replaced
one after the other, and what they no longer name is deleted at once. So a table is as it was or as it shall be, and
what a killed erasure left undone, the next one does. The customers, who say which devices are meant, come last.

Tables that remember something for good keep their rows under another token: see `erasure_tokens`.
"""

import base64
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import msgspec

from lakehouse.declaration import Column, Person, Table
from lakehouse.derived.part_facts import forget_notes
from lakehouse.derived.table import HeldZone, landed_zone
from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address
from lakehouse.landing import ledger
from lakehouse.landing.checksums import checksums_of
from lakehouse.landing.housekeeping import take_inventory
from lakehouse.landing.landed import column_reader, landed_lines
from lakehouse.landing.ledger import LandedFile, QuarantinedRecord, TableLedger
from lakehouse.landing.manifests import write_copy_files
from lakehouse.landing.parts import PartUploader, name_load, read_part
from lakehouse.privacy.tokens import begin_replacing, end_replacing, token_column, token_replacer
from lakehouse.records.checksums import ColumnChecksums
from lakehouse.records.needles import FileNames, Needles, People, addresses_within, looks_like_an_address
from lakehouse.storage.folder import Say
from lakehouse.storage.source_files import FileKey

LINES_PER_BLOCK = 4096
TELLING_CHARACTERS = 8  # that a phone, or a number in a file's name, has at least: shorter ones stand there by chance
_CLOSED = (b"PK", b"BZ")  # what archives begin with, of which only the first bytes are in quarantine

NamedBy = Literal["object_key", "quarantine_key"]
"""Which parts a ledger's column names: those of the records, or of the quarantine."""
_Stretch = tuple[FileKey, int, int]  # file, number of the segment, number of its lines
PseudonymOf = Callable[[str], str]
"""Works out the pseudonym of an address."""
_Revise = Callable[[bytes], bytes | None]
"""Says what becomes of a line: it stays as it is, is another one, or goes."""


@dataclass
class TableErasure:
    """What goes, or went, of a table."""

    records: int = 0
    quarantined: int = 0
    renamed: int = 0
    """Number of records that stay under a token that names nobody."""


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
    neighbours: list[str] = field(default_factory=list)
    """Other values that were landed as addresses and hold one of the people's, or are a piece of one."""
    names: list[str] = field(default_factory=list)
    """What else their records say that a file may be named after: names, numbers."""
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
    def telling_numbers(self) -> set[str]:
        """Those of the numbers that do not stand anywhere by chance."""
        return {number for number in self.numbers if len(number) >= TELLING_CHARACTERS}

    @property
    def lines(self) -> int:
        """Number of records, landed and quarantined, that go or change."""
        return sum(table.records + table.quarantined + table.renamed for table in self.tables.values())

    @property
    def file_names(self) -> FileNames:
        """What tells whether a file is named after one of them."""
        return FileNames(self.spellings, self.names)


def erase_from_zone(  # noqa: PLR0913 - the rest by keyword
    zone: str | Path,
    tables: Mapping[str, Table],
    addresses: Iterable[str],
    say: Say,
    *,
    exact: bool = False,
    pseudonym_of: PseudonymOf | None = None,
    dry_run: bool = False,
) -> ZoneErasure:
    """Erases people from a landing zone.

    Args:
        zone: The landing zone.
        tables: The declared tables, by name.
        addresses: What the people are known by: whatever was landed as an address.
        say: Is told what the work waits for.
        exact: Whether an address is meant in these very letters only.
        pseudonym_of: Works a pseudonym out, if the key is known: it leads to those who are not landed any more.
        dry_run: Whether to do everything but change the landing zone.

    Raises:
        LandingError: A source file is named after a person, or the landing zone cannot be read or written.
    """
    with landed_zone(zone, say, dry_run=dry_run) as held:
        erasure = _Erasure(held, tables, People(frozenset(addresses), exact), pseudonym_of)
        erasure.run()
        return erasure.report


@dataclass
class _Change:
    """What becomes of a table: parts are written, its ledger is not yet."""

    table: Table
    table_ledger: TableLedger
    landed: list[LandedFile]
    checksums: Mapping[str, str]


@dataclass
class _Rewritten:
    """Parts that were written anew."""

    keys: dict[str, str | None] = field(default_factory=dict)
    """The new part for each old one; None where nothing is left of it."""
    removed: Counter[tuple[FileKey, int]] = field(default_factory=Counter)
    """How many lines fewer each segment of a file has."""
    changed: int = 0
    """Number of lines in whose place there is another one."""

    @property
    def lines(self) -> int:
        """Number of lines that are gone."""
        return self.removed.total()


@dataclass
class _Erasure:
    """One erasure from one landing zone."""

    held: HeldZone
    tables: Mapping[str, Table]
    people: People
    pseudonym_of: PseudonymOf | None
    name: str = field(default_factory=name_load)

    def __post_init__(self) -> None:
        """Begins with nothing found."""
        self.zone = self.held.folder
        self.report = ZoneErasure()
        self.needles = self._needles()
        self.gone = self.people.canonical
        """The canonical addresses of which nothing stays."""
        self.secret = b""
        self.addresses_seen: dict[str, bool] = {}
        """Each address that was read in what came from a source, and whether it is one of the people's."""
        self.worked_out: set[str] = set()
        """The people's addresses in what was worked out from that, or from what is no longer there."""

    @cached_property
    def personal(self) -> list[Table]:
        """The tables that name people or devices.

        Those with tokens come first, as long as there is what leads from the people to these. Those that name both
        people and devices come last, see the module.
        """
        named = [table for table in self.tables.values() if any(column.person for column in table.columns)]

        def place(table: Table) -> tuple[bool, int, str]:
            kinds = {column.person for column in table.columns if column.person}
            return token_column(table) is None, len(kinds), table.name

        return sorted(named, key=place)

    @cached_property
    def searched(self) -> list[Table]:
        """All tables that the loader fills: anything may be in a quarantine."""
        others = [table for table in self.tables.values() if table.source_files and table not in self.personal]
        return [*others, *self.personal]

    def run(self) -> None:
        """Looks for the people, and erases what there is of them."""
        self._keep_who_is_spelt_otherwise()
        self._find_numbers()
        self._find_pseudonyms()
        self._find_names()
        self._refuse_names()
        self.report.leftovers = sum(map(self._delete_leftovers, self.searched))
        self.secret = begin_replacing(self.zone) if any(map(token_column, self.personal)) else b""
        with PartUploader(self.zone, self.name) as uploader:
            changes = [change for table in self.searched if (change := self._stage(table, uploader)) is not None]
            uploader.wait()
        seen = self.addresses_seen
        self.report.spellings = sorted(address for address, is_theirs in seen.items() if is_theirs)
        self.report.spellings = self.report.spellings or sorted(self.worked_out)
        self.report.is_piece_of_another = self.needles.are_pieces_of(seen)
        self.report.neighbours = self._neighbours(address for address, is_theirs in seen.items() if not is_theirs)
        if changes:
            forget_notes(self.zone)  # under the lock: nobody notes anything about these people meanwhile
        for change in changes:
            self.held.still_ours()
            write_copy_files(self.zone, change.table, change.landed)
            ledger.write_ledger(self.zone, change.table_ledger, change.landed, change.checksums, self.name)
            self._delete_leftovers(change.table)
        if self.secret:
            end_replacing(self.zone)

    def _needles(self) -> Needles:
        columns = {
            column.name for table in self.tables.values() for column in table.columns if column.person == "email"
        }
        return Needles(self.people.addresses, self.report.numbers, exact=self.people.exact, columns=columns)

    def _neighbours(self, others: Iterable[str]) -> list[str]:
        """Values that are not the people's, but one of theirs stands in them, or they in one of theirs."""
        pieces = {piece for address in self.people.addresses for piece in addresses_within(address)}
        return sorted(
            other
            for other in others
            if looks_like_an_address(other)
            and (self.needles.name_address(other.encode()) or canonical_address(other) in pieces)
        )

    def _keep_who_is_spelt_otherwise(self) -> None:
        """Of whom only one spelling goes, what was worked out from the other ones stays."""
        if not self.people.exact:
            return
        for table in self.personal:
            email = _column(table, "email")
            if email is not None and table.source_files:
                read = column_reader(table, [email])
                for (address,) in map(read, landed_lines(self.zone, table)):
                    if address is not None and not self._is_wanted(address):
                        self.gone -= {canonical_address(address)}

    def _find_names(self) -> None:
        """Finds out after what else a file can be named that is about the people."""
        names = {*self.report.numbers}
        for table in self.personal:
            email = _column(table, "email")
            others = [column for column in table.columns if column.personal == "identifier" and column != email]
            if email is not None and others and table.source_files:
                read = column_reader(table, [email, *others])
                for address, *values in map(read, landed_lines(self.zone, table)):
                    if address is not None and self._is_wanted(address):
                        names.update(filter(None, values))
        self.report.names = sorted(names)

    def _refuse_names(self) -> None:
        """A source file's name stands in the ledger, and its records are known by it."""
        files = {file.file.path for table in self.searched for file in self._ledger_of(table).files.values()}
        numbers = self.report.telling_numbers
        names = FileNames(self.people.addresses)
        named = sorted(
            path
            for path in files
            if self.needles.are_anywhere_in(path.encode())
            or names.hold_address(path)
            or any(number in unquote(path) for number in numbers)
        )
        if named:
            listed = "\n".join(f"  {path}" for path in named)
            raise LandingError(
                f"the ledger knows source files by names that hold the address, or a number of theirs:\n{listed}\n"
                "Rename them, land again with --forget-vanished (nothing is read anew), and erase then."
            )

    def _ledger_of(self, table: Table) -> TableLedger:
        return ledger.read_ledger(self.zone, table.name)

    def _delete_leftovers(self, table: Table) -> int:
        """Deletes the objects of a table that its ledger does not name, and says how many.

        A load that lost its lock while it slept could wake up and name them, so the ledger is claimed before.
        """
        table_ledger = self._ledger_of(table)
        if table_ledger.version is None:
            return 0
        leftovers = take_inventory(self.zone, table, table_ledger).leftovers
        if leftovers:
            self.held.still_ours()
            ledger.claim_ledger(self.zone, table_ledger, self.name)
            self.zone.delete(leftovers)
        return len(leftovers)

    def _find_numbers(self) -> None:
        """Finds out which devices and phones are the people's alone."""
        devices = self._owners("serial_number")
        for device, is_theirs in self._former_owners():
            devices[device].add(is_theirs)
        self.report.serial_numbers = sorted(device for device, whose in devices.items() if whose == {True})
        self.report.shared_devices = sum(whose == {True, False} for whose in devices.values())
        self.report.phones = sorted(
            phone
            for phone, whose in self._owners("phone").items()
            if whose == {True} and len(phone) >= TELLING_CHARACTERS
        )
        self.needles = self._needles()

    def _former_owners(self) -> Iterator[tuple[str, bool]]:
        """Yields each device that a table remembers an owner of, and whether that is one of the people."""
        theirs = self._known_pseudonyms()
        for table in self.personal:
            token, serial = token_column(table), _column(table, "serial_number")
            if token is not None and serial is not None:
                for device, owner in map(column_reader(table, [serial, token]), landed_lines(self.zone, table)):
                    if device is not None and owner is not None:
                        yield device, owner in theirs

    def _owners(self, kind: Person) -> dict[str, set[bool]]:
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
        self.report.pseudonyms = sorted(self._known_pseudonyms())

    def _known_pseudonyms(self) -> set[str]:
        """The pseudonyms of those of whom nothing stays: those in the landing zone, and what the key makes of them."""
        found: set[str] = set()
        if self.pseudonym_of is not None:
            given = {address for address in self.people.addresses if canonical_address(address) in self.gone}
            found.update(map(self.pseudonym_of, {*given, *map(str.lower, given), *map(canonical_address, given)}))
        for table in self.personal:
            email = _column(table, "email")
            pseudonyms = [column for column in table.columns if column.personal == "pseudonym"]
            if email is not None and pseudonyms and not table.source_files:
                read = column_reader(table, [email, *pseudonyms])
                for address, *names in map(read, landed_lines(self.zone, table)):
                    if address and canonical_address(address) in self.gone:
                        found.update(filter(None, names))
        return found

    def _quarantined_records(self, table: Table) -> Iterator[bytes]:
        """Yields the bytes of a table's quarantined records, of those that are kept whole."""
        for key in sorted({key for landed in self._ledger_of(table).files.values() for key in landed.quarantine_keys}):
            for line in read_part(self.zone, key):
                raw = msgspec.json.decode(line, type=QuarantinedRecord).raw
                if raw is not None:
                    yield raw

    def _is_wanted(self, address: str) -> bool:
        """Whether an address is one of the people's; looked up, since it stands in many records."""
        known = self.addresses_seen.get(address)
        if known is None:
            known = self.addresses_seen[address] = self.people.include(address)
        return known

    def _stage(self, table: Table, uploader: PartUploader) -> _Change | None:
        """Writes the parts of a table anew that hold something of the people; None where none does."""
        table_ledger = self._ledger_of(table)
        columns, not_theirs = ColumnChecksums(table), _without_those(self._quarantine_test(table))
        records = self._rewrite(table_ledger, "object_key", uploader, self._revision(table), columns)
        refused = self._rewrite(table_ledger, "quarantine_key", uploader, not_theirs)
        if not records.keys and not refused.keys:
            return None
        self.report.tables[table.name] = TableErasure(records.lines, refused.lines, records.changed)
        landed = [_without(file, records, refused) for file in table_ledger.files.values()]
        if table.source_files:
            self._note_source_files(table_ledger, records, refused)
        else:  # its fingerprint is that of its records, and would tell of whom there was one
            landed = [replace(file, file=replace(file.file, sha256="")) for file in landed]
        known = {**table_ledger.checksums, **uploader.checksums}
        return _Change(table, table_ledger, landed, checksums_of(self.zone, table, landed, known))

    def _revision(self, table: Table) -> _Revise:
        """What says of a landed record what becomes of it."""
        goes, token = _without_those(self._record_test(table)), token_column(table)
        if token is None:
            return goes
        replaced = token_replacer(token, self.report.pseudonyms, self.secret)

        def revise(line: bytes) -> bytes | None:
            return None if goes(line) is None else replaced(line)

        return revise

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
            if name is None or email is None:
                return name in serial_numbers
            if table.source_files:
                return self._is_wanted(name)
            if wanted := self.people.include(name):
                self.worked_out.add(name)
            return wanted or canonical_address(name) in self.gone

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
        self,
        table_ledger: TableLedger,
        named_by: NamedBy,
        uploader: PartUploader,
        revise: _Revise,
        columns: ColumnChecksums | None = None,
    ) -> _Rewritten:
        """Writes parts anew without some of their lines, or with others in their place."""
        rewritten = _Rewritten()
        for key, stretches in sorted(_stretches(table_ledger, named_by).items()):
            lines = list(read_part(self.zone, key))
            if len(lines) != sum(count for *_, count in stretches):
                raise LandingError(f"{self.zone.location}/{key} has not the records that the ledger says: land again")
            revised = [revise(line) for line in lines]
            if revised == lines:
                continue
            start = 0
            for file, number, count in stretches:
                rewritten.removed[file, number] = revised[start : start + count].count(None)
                start += count
            kept = [line for line in revised if line is not None]
            rewritten.changed += len(kept) - sum(old == new for old, new in zip(lines, revised, strict=True))
            part = rewritten.keys[key] = _write_part(uploader, key.rpartition("/")[0], kept) if kept else None
            if part and columns and (checksums := columns.of_lines(kept)) is not None:
                uploader.checksums[part] = columns.text(checksums)
        return rewritten

    def _note_source_files(self, table_ledger: TableLedger, *rewritten: _Rewritten) -> None:
        """Notes the files that the records came from, and the copies of these."""
        origins = {file for parts in rewritten for (file, _), count in parts.removed.items() if count}
        contents = {table_ledger.files[file].file.sha256 for file in origins}
        files = {file.file.path for file in table_ledger.files.values() if file.file.sha256 in contents}
        self.report.source_files = sorted(files.union(self.report.source_files))


def _column(table: Table, person: Person) -> Column | None:
    return next((column for column in table.columns if column.person == person), None)


def _without_those(are_theirs: Callable[[bytes], bool]) -> _Revise:
    """Lets every line stay as it is but those that are somebody's."""
    return lambda line: None if are_theirs(line) else line


def _never(line: bytes) -> bool:
    """Finds nobody."""
    return False


def _stretches(table_ledger: TableLedger, named_by: NamedBy) -> Mapping[str, Sequence[_Stretch]]:
    """What each part holds, in the order in which it stands there: by file, and by segment."""
    stretches: dict[str, list[_Stretch]] = defaultdict(list)
    for file, landed in sorted(table_ledger.files.items()):
        for number, segment in enumerate(landed.segments):
            key = getattr(segment, named_by)
            count = segment.records_landed if named_by == "object_key" else segment.records_quarantined
            if key is not None:
                stretches[key].append((file, number, count))
    return stretches


def _write_part(uploader: PartUploader, folder: str, lines: Sequence[bytes]) -> str:
    part = uploader.begin(folder)
    for start in range(0, len(lines), LINES_PER_BLOCK):
        uploader.compress(part, b"".join(lines[start : start + LINES_PER_BLOCK]))
    uploader.store(part)
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
