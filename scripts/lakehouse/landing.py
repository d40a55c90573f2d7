"""Lands raw JSON: every record of every source file once, in the landing zone or in its quarantine."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from lakehouse import ledger
from lakehouse.checking import RecordChecker
from lakehouse.errors import LandingError, RejectLimitError
from lakehouse.ledger import Books, FileKey, LedgerEntry, QuarantinedRecord
from lakehouse.packing import PartReader, PartWriter, ensure_a_part, is_part, sweep
from lakehouse.planning import Pack, Plan, PlannedFile, SourceFile, Status, find_files, make_plan
from lakehouse.reading import BLOCK_BYTES, read_records
from lakehouse.reporting import Advance, Reporter, Silent
from lakehouse.sources import Table
from lakehouse.storage import DryRunFolder, Folder, LocalFolder, StoredFile, open_folder


@dataclass(frozen=True)
class Drift:
    """A key that the declaration does not know; records that have it are landed as they are."""

    key: str
    records: int
    first_seen: str


@dataclass
class TableReport:
    """What a load did for a table, and what the table's ledger says after it."""

    name: str
    files: dict[str, int] = field(default_factory=dict)
    """Number of files by status: new, changed, unchanged, vanished, not named."""
    copies: dict[str, str] = field(default_factory=dict)
    """Every file that is a copy, and of which one."""
    vanished: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    records_found: int = 0
    records_landed: int = 0
    records_quarantined: int = 0
    rejects: list[QuarantinedRecord] = field(default_factory=list)
    """The records that this load put in quarantine."""
    drift: list[Drift] = field(default_factory=list)
    parts_written: int = 0
    changed: bool = False
    """Whether the load changed anything of the table."""


@dataclass
class LandingReport:
    """What a load did."""

    zone: str
    dry_run: bool
    tables: dict[str, TableReport]
    unclaimed: list[str]
    """Files of the sources that belong to no table."""

    @property
    def changed(self) -> bool:
        """Whether the load changed anything."""
        return any(table.changed for table in self.tables.values())

    @property
    def rejects(self) -> list[QuarantinedRecord]:
        """The records that this load put in quarantine."""
        return [reject for table in self.tables.values() for reject in table.rejects]


def land(  # noqa: PLR0913 - every option of the command, by keyword
    sources: Sequence[str | Path],
    zone: str | Path,
    tables: Mapping[str, Table],
    *,
    forget_vanished: bool = False,
    max_rejects: int | None = None,
    dry_run: bool = False,
    reporter: Reporter | None = None,
) -> LandingReport:
    """Lands the records of source folders in a landing zone.

    Args:
        sources: The folders to land from.
        zone: The folder to land in; it is made where there is none.
        tables: The declared tables, by name. Those without source files are left alone.
        forget_vanished: Whether the records of files that are gone from a source are removed.
        max_rejects: How many records may be refused before the load stops; None for any number.
        dry_run: Whether to do everything but change the landing zone.
        reporter: Who is told what happens meanwhile.

    Returns:
        What was done, table by table.

    Raises:
        RejectLimitError: Too many records were refused; the landing zone is as it was.
        LandingError: The load cannot be done.
    """
    to_land = _loadable(tables)
    with _explained(zone):
        files, to_folder = _open(sources, zone, to_land)
        target: Folder = DryRunFolder(to_folder) if dry_run else to_folder
        with target.exclusive():
            load = _Load(target, files, reporter or Silent(), forget_vanished, max_rejects)
            unclaimed = [key for source in files for key in source.unclaimed()]
            return LandingReport(to_folder.location, dry_run, load.run(to_land), unclaimed)


def check_sources(sources: Sequence[str | Path], zone: str | Path, tables: Mapping[str, Table]) -> None:
    """Checks that `land` would find something, for whoever has dear work to do before it.

    Raises:
        LandingError: It would not.
    """
    with _explained(zone):
        _open(sources, zone, _loadable(tables))


def _loadable(tables: Mapping[str, Table]) -> list[Table]:
    return [table for table in tables.values() if table.source_files]


@contextmanager
def _explained(zone: str | Path) -> Iterator[None]:
    """Tells a person what the operating system refused."""
    try:
        yield
    except OSError as error:
        name = error.filename or zone
        raise LandingError(f"{name}: {error.strerror or error}; nothing that was landed before is lost") from error


@dataclass(frozen=True)
class _SourceFolder:
    folder: Folder
    files: Mapping[str, Sequence[StoredFile]]
    """The files that belong to each table, by its name."""

    def unclaimed(self) -> list[str]:
        """The files that belong to no table: a person may have meant them to."""
        claimed = {stored.key for files in self.files.values() for stored in files}
        return [f"{self.folder.location}/{stored.key}" for stored in self.folder.list() if stored.key not in claimed]


def _open(
    sources: Sequence[str | Path], zone: str | Path, tables: Sequence[Table]
) -> tuple[list[_SourceFolder], LocalFolder]:
    """Opens the folders, each source once, and finds the sources' files."""
    to_folder = open_folder(zone)
    if to_folder.path.exists() and not to_folder.path.is_dir():
        raise LandingError(f"landing zone {zone} is a file: name a folder")
    opened: dict[str, LocalFolder] = {}
    for source in sources:
        folder = open_folder(source)
        if not folder.path.exists():
            raise LandingError(f"source folder {source} does not exist: check the path, or make sample data first")
        if not folder.path.is_dir():
            raise LandingError(f"source {source} is a file: name the folder that holds it")
        if to_folder.path.is_relative_to(folder.path) or folder.path.is_relative_to(to_folder.path):
            raise LandingError(
                f"landing zone {zone} and source {source} lie one in the other: a load would read what it wrote"
            )
        opened[folder.location] = folder
    if not opened:
        raise LandingError("no source is named: say from which folder to land")
    return [_SourceFolder(folder, _find(folder, tables)) for folder in opened.values()], to_folder


def _find(folder: Folder, tables: Sequence[Table]) -> dict[str, Sequence[StoredFile]]:
    files: dict[str, Sequence[StoredFile]] = {table.name: find_files(folder, table) for table in tables}
    if not any(files.values()):
        patterns = "\n  ".join(pattern for table in tables for pattern in table.source_files)
        raise LandingError(f"nothing to land in {folder.location}: no file matches any of\n  {patterns}")
    return files


@dataclass
class _Staged:
    """What is to become of a table, and what has been made ready for it."""

    table: Table
    books: Books
    plan: Plan
    entries: list[LedgerEntry] = field(default_factory=list)
    quarantined: list[QuarantinedRecord] = field(default_factory=list)
    report: TableReport = field(init=False)

    def __post_init__(self) -> None:
        """Begins the report."""
        self.report = TableReport(self.table.name)

    def files_to_read(self) -> list[PlannedFile]:
        """The files whose records are not in the landing zone yet."""
        return [planned for pack in self.plan.packs for planned in pack.files if planned.carried is None]

    def finish_report(self, drift: Mapping[str, Drift]) -> None:
        """Sums up what the staging did."""
        report, plan = self.report, self.plan
        report.files = {status.value: 0 for status in Status}
        for planned in plan.files:
            report.files[planned.status.value] += 1
        report.copies = {
            _path(planned.file.key): _path(planned.copy_of) for planned in plan.copies if planned.copy_of is not None
        }
        report.vanished = [_path(planned.file.key) for planned in plan.files if planned.status is Status.VANISHED]
        report.empty = [_path(planned.file.key) for planned in plan.files if planned.file.size == 0]
        report.forgotten = [_path(entry.key) for entry in plan.forgotten]
        report.records_found = sum(entry.records_found for entry in self.entries)
        report.records_landed = sum(entry.records_landed for entry in self.entries)
        report.records_quarantined = sum(entry.records_quarantined for entry in self.entries)
        report.drift = list(drift.values())
        report.changed = bool(plan.packs) or {entry.key: entry for entry in self.entries} != self.books.entries


@dataclass
class _Load:
    """One load of one landing zone: stages every table, and then lets one after the other take effect."""

    zone: Folder
    sources: Sequence[_SourceFolder]
    reporter: Reporter
    forget_vanished: bool
    max_rejects: int | None
    rejects: list[QuarantinedRecord] = field(default_factory=list)
    """The records that were refused so far, of all tables."""

    def run(self, tables: Sequence[Table]) -> dict[str, TableReport]:
        """Loads the tables."""
        planned = [self._plan(table) for table in tables]
        to_read = sum(file.file.size for staged in planned for file in staged.files_to_read())
        try:
            with self.reporter.progress("landing", to_read) as advance:
                for staged in planned:
                    ledger.begin_books(self.zone, staged.table.name)
                    self._stage(staged, advance)
        except RejectLimitError:
            for staged in planned:
                sweep(self.zone, staged.table.folder, _parts(staged.books.entries.values()))
            raise
        for staged in planned:
            self._commit(staged)
        return {staged.table.name: staged.report for staged in planned}

    def _plan(self, table: Table) -> _Staged:
        books = ledger.read_books(self.zone, table.name)
        sizes = sum(stored.size for source in self.sources for stored in source.files[table.name])
        with self.reporter.progress(f"comparing {table.name}", sizes) as advance:
            found = [
                SourceFile(source.folder.location, stored.key, *_measure(source.folder, stored, advance))
                for source in self.sources
                for stored in source.files[table.name]
            ]
        parts = {stored.key for stored in self.zone.list(table.folder) if stored.is_regular and is_part(stored.key)}
        if parts and not self.zone.exists(ledger.ledger_key(table.name)):
            raise LandingError(
                f"{self.zone.location}/{table.folder} holds parts, but {ledger.ledger_key(table.name)} is gone: "
                "restore it, or delete the landing zone and land again"
            )
        locations = [source.folder.location for source in self.sources]
        plan = make_plan(table, books, found, locations, parts, forget_vanished=self.forget_vanished)
        if not plan.files:
            self.reporter.warn(f"{table.name}: no file matches {' or '.join(table.source_files)}")
        return _Staged(table, books, plan)

    def _stage(self, staged: _Staged, advance: Advance) -> None:
        """Writes a table's new parts, which no ledger names yet."""
        stager = _Stager(self, staged, advance)
        staged.entries += staged.plan.kept
        for entry in staged.plan.kept:
            staged.quarantined += staged.books.quarantined.get(entry.key, ())
        for pack in staged.plan.packs:
            stager.write_part(pack)
        staged.entries += [_copy_entry(staged, planned) for planned in staged.plan.copies]
        staged.finish_report(stager.drift)

    def _commit(self, staged: _Staged) -> None:
        """Lets a table's load take effect, and clears away what it replaced."""
        parts = _parts(staged.entries)
        if not parts:
            ensure_a_part(self.zone, staged.table.folder)
        ledger.write_books(self.zone, staged.table.name, staged.entries, staged.quarantined)
        sweep(self.zone, staged.table.folder, parts)


@dataclass
class _Stager:
    """Writes the parts of one table."""

    load: _Load
    staged: _Staged
    advance: Advance

    def __post_init__(self) -> None:
        """Finds out which slice of which part holds each file's records."""
        self.drift: dict[str, Drift] = {}
        self._checker = RecordChecker(self.staged.table)
        self._parts = PartReader(self.load.zone)
        self._folders = {source.folder.location: source.folder for source in self.load.sources}
        self._starts: dict[FileKey, int] = {}
        lengths: Counter[str] = Counter()
        for key, entry in sorted(self.staged.books.entries.items()):
            if entry.object_key is not None:
                self._starts[key] = lengths[entry.object_key]
                lengths[entry.object_key] += entry.records_landed

    def write_part(self, pack: Pack) -> None:
        """Packs the records of some files into a part, if they have any."""
        with PartWriter() as part:
            entries = []
            for planned in pack.files:
                part.begin_file(planned.file.sha256)
                entries.append(self._carry(planned, part) if planned.carried else self._read(planned, part))
            key = None
            if any(entry.records_landed for entry in entries):
                key = part.publish(self.load.zone, self.staged.table.part_folder(pack.group))
                self.staged.report.parts_written += 1
        for entry in entries:
            self.staged.entries.append(msgspec.structs.replace(entry, object_key=key if entry.records_landed else None))

    def _carry(self, planned: PlannedFile, part: PartWriter) -> LedgerEntry:
        """Takes a file's records from the part that holds them already."""
        carried = cast(LedgerEntry, planned.carried)
        if carried.object_key is not None:
            for raw in self._parts.slice(carried.object_key, self._starts[carried.key], carried.records_landed):
                part.add(raw)
        file = planned.file
        for row in self.staged.books.quarantined.get(carried.key, ()):
            self.staged.quarantined.append(
                msgspec.structs.replace(row, source=file.source, source_file=file.source_file)
            )
        return self._entry(file, carried.records_landed, carried.records_quarantined)

    def _read(self, planned: PlannedFile, part: PartWriter) -> LedgerEntry:
        """Takes a file's records from its source."""
        file = planned.file
        found = landed = quarantined = 0
        with self._folders[file.source].open(file.source_file) as opened:
            stream = _Fingerprinting(opened, self.advance)
            for record in read_records(stream, self._checker.check):
                found += 1
                if record.verdict.fault is None:
                    part.add(record.raw)
                    landed += 1
                    if record.verdict.unknown_keys:
                        self._note_drift(record.verdict.unknown_keys, f"{file.source_file}:{record.line}")
                else:
                    self._quarantine(ledger.quarantine(self.staged.table.name, file.key, record))
                    quarantined += 1
        if stream.fingerprint() != file.sha256:
            raise LandingError(f"{_path(file.key)} changed while it was read: land again when nobody writes to it")
        if found != landed + quarantined:
            raise AssertionError(
                f"{_path(file.key)}: {found} records found, {landed} landed, {quarantined} quarantined"
            )
        return self._entry(file, landed, quarantined)

    def _entry(self, file: SourceFile, landed: int, quarantined: int) -> LedgerEntry:
        return LedgerEntry(
            table_name=self.staged.table.name,
            source=file.source,
            source_file=file.source_file,
            source_bytes=file.size,
            sha256=file.sha256,
            records_found=landed + quarantined,
            records_landed=landed,
            records_quarantined=quarantined,
            copy_of=None,
            object_key=None,
            landed_at=_landed_at(self.staged.books, file),
        )

    def _quarantine(self, row: QuarantinedRecord) -> None:
        self.staged.quarantined.append(row)
        self.staged.report.rejects.append(row)
        rejects, limit = self.load.rejects, self.load.max_rejects
        rejects.append(row)
        if limit is not None and len(rejects) > limit:
            shown = "\n".join(f"  {reject.source_file}:{reject.line}: {reject.reason}" for reject in rejects[:10])
            raise RejectLimitError(
                f"more than {limit} records were refused, the landing zone is left as it was:\n{shown}"
            )

    def _note_drift(self, keys: Sequence[str], where: str) -> None:
        for key in keys:
            seen = self.drift.get(key, Drift(key, 0, where))
            self.drift[key] = Drift(key, seen.records + 1, seen.first_seen)


class _Fingerprinting:
    """A stream that takes the fingerprint of what is read through it."""

    def __init__(self, stream: BinaryIO, advance: Advance) -> None:
        self._stream = stream
        self._advance = advance
        self._digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        """Reads on."""
        block = self._stream.read(size)
        self._digest.update(block)
        self._advance(len(block))
        return block

    def fingerprint(self) -> str:
        """The fingerprint of all that was read."""
        return self._digest.hexdigest()


def _measure(folder: Folder, stored: StoredFile, advance: Advance) -> tuple[int, str]:
    with folder.open(stored.key) as stream:
        digest, size = hashlib.sha256(), 0
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
            advance(len(block))
    return size, digest.hexdigest()


def _copy_entry(staged: _Staged, planned: PlannedFile) -> LedgerEntry:
    file = planned.file
    source, path = cast(FileKey, planned.copy_of)
    return LedgerEntry(
        table_name=staged.table.name,
        source=file.source,
        source_file=file.source_file,
        source_bytes=file.size,
        sha256=file.sha256,
        records_found=0,
        records_landed=0,
        records_quarantined=0,
        copy_of=path if source == file.source else f"{source}/{path}",
        object_key=None,
        landed_at=_landed_at(staged.books, file),
    )


def _landed_at(books: Books, file: SourceFile) -> int:
    """When the file's content was landed: what the ledger says if it was, or now."""
    entry = books.entries.get(file.key)
    return entry.landed_at if entry and entry.sha256 == file.sha256 else ledger.now_ms()


def _parts(entries: Collection[LedgerEntry]) -> set[str]:
    return {entry.object_key for entry in entries if entry.object_key is not None}


def _path(key: FileKey) -> str:
    return "/".join(key)
