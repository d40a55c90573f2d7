"""Writes a table's new parts, which no ledger names yet, and tells what is in them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import msgspec

from lakehouse.declaration import Table
from lakehouse.errors import RejectLimitError
from lakehouse.landing import ledger
from lakehouse.landing.ledger import LandedFile, QuarantinedRecord, Segment, TableLedger
from lakehouse.landing.parts import Copy, PartReader, PartUploader, PartWriter, read_part
from lakehouse.landing.plan import Pack, PlannedFile
from lakehouse.landing.suppression import Sieve, Suppressed
from lakehouse.records.check import RecordChecker
from lakehouse.records.checksums import ColumnChecksums
from lakehouse.records.fetch import FileContent, ReadAhead
from lakehouse.records.pool import ParallelChecker
from lakehouse.records.read import Record, Run, Text, on_one_line, read_in_turn
from lakehouse.storage.folder import Folder
from lakehouse.storage.source_files import FileKey, SourceFile

_LineOf = tuple[str, FileKey, int]  # part, file, number of the segment
KEPT_REJECTS = 100  # for the report; all of them are in the quarantine
KEPT_DRIFT = 100  # for the report, of each table; data whose keys are values has as many of them as records


@dataclass(frozen=True)
class Drift:
    """A key that the declaration does not know; records that have it are landed as they are."""

    key: str
    records: int
    first_seen: str


@dataclass
class Rejects:
    """The records that a load refused, of all tables."""

    limit: int | None
    count: int = 0
    first: list[QuarantinedRecord] = field(default_factory=list)

    def add(self, row: QuarantinedRecord) -> None:
        """Notes one more.

        Raises:
            RejectLimitError: It is one too many.
        """
        self.count += 1
        if len(self.first) < KEPT_REJECTS:
            self.first.append(row)
        if self.limit is not None and self.count > self.limit:
            shown = "\n".join(f"  {reject.source_file}:{reject.line}: {reject.reason}" for reject in self.first[:10])
            raise RejectLimitError(
                f"more than {self.limit} records were refused, the landing zone is left as it was:\n{shown}"
            )


class Quarantine:
    """The rows of a table's quarantine, by file; it remembers the part that was asked for last."""

    def __init__(self, zone: Folder) -> None:
        """Takes the landing zone."""
        self._zone = zone
        self._key = ""
        self._rows: Mapping[FileKey, list[QuarantinedRecord]] = {}

    def rows(self, landed: LandedFile) -> Iterator[QuarantinedRecord]:
        """Yields the rows of a file.

        Raises:
            LandingError: Its part is damaged.
        """
        for key in sorted(landed.quarantine_keys):
            if key != self._key:
                decoder = msgspec.json.Decoder(QuarantinedRecord)
                rows: defaultdict[FileKey, list[QuarantinedRecord]] = defaultdict(list)
                for line in read_part(self._zone, key):
                    row = decoder.decode(line)
                    rows[row.key].append(row)
                self._rows, self._key = rows, key
            yield from self._rows.get(landed.key, ())


def good_by_now(table: Table, zone: Folder, files: Iterable[LandedFile]) -> set[FileKey]:
    """The files of which the quarantine holds records that the declaration accepts by now."""
    checker, quarantine = RecordChecker(table), Quarantine(zone)
    return {landed.key for landed in files if any(_is_good(checker, row) for row in quarantine.rows(landed))}


def _is_good(checker: RecordChecker, row: QuarantinedRecord) -> bool:
    raw = row.raw
    return raw is not None and checker.check(raw).fault is None


class _Segments:
    """Counts a file's records by the parts that they go into."""

    def __init__(self) -> None:
        self.counted = [Segment()]

    def land(self, key: str, count: int) -> None:
        last = self.counted[-1]
        if last.object_key not in (None, key):
            self.counted.append(last := Segment())
        self.counted[-1] = replace(last, object_key=key, records_landed=last.records_landed + count)

    def quarantine(self, key: str) -> None:
        last = self.counted[-1]
        if last.quarantine_key not in (None, key):
            self.counted.append(last := Segment())
        self.counted[-1] = replace(last, quarantine_key=key, records_quarantined=last.records_quarantined + 1)

    def suppress(self, count: int) -> None:
        last = self.counted[-1]
        self.counted[-1] = replace(last, records_suppressed=last.records_suppressed + count)


class _Opened(NamedTuple):
    """A file that is being read."""

    content: FileContent
    text: Text


@dataclass
class Stager:
    """Writes the parts of one table."""

    table: Table
    table_ledger: TableLedger
    zone: Folder
    sources: Mapping[str, Folder]
    content: ReadAhead
    """The files that are to be read, in the order of the packs."""
    uploader: PartUploader
    rejects: Rejects
    processes: ProcessPoolExecutor | None = None
    """That check lines meanwhile."""
    reopened: Collection[FileKey] = ()
    """The files of which quarantined records are to be landed if they are good."""
    is_dry_run: bool = False
    sieve: Sieve | None = None
    """That keeps out who was erased, if anybody was."""

    def __post_init__(self) -> None:
        """Begins with nothing staged."""
        self.keeps_out = self.sieve.of(self.table) if self.sieve else None
        self.staged: dict[FileKey, LandedFile] = {}
        self.drift: dict[str, Drift] = {}
        self.more_drift = 0
        self.parts_written = 0
        self.checker = ParallelChecker(self.table, self.processes)
        self.columns = ColumnChecksums(self.table)
        self.parts = PartReader(self.zone)
        self.quarantine = Quarantine(self.zone)

    def write(self, packs: Iterable[Pack]) -> None:
        """Packs the records of files into parts, one or more a pack."""
        starts = {**_starts(self.table_ledger.files), **_starts(self.staged)}
        packs = list(packs)
        records = self._read(planned.file for pack in packs for planned in pack.files if planned.carried is None)
        for pack in packs:
            landed = PartWriter(self.uploader, self.table.part_folder(pack.group), self.columns)
            refused = PartWriter(self.uploader, ledger.quarantine_folder(self.table.name))
            copy = None
            for planned in pack.files:
                writing = _FileWriter(self, planned, landed, refused)
                if planned.carried:
                    file = writing.carry(planned.carried, starts)
                else:
                    opened, found = next(records)
                    file, copy = writing.read(opened, self.keeps_out.filtered(found) if self.keeps_out else found)
                self.staged[file.key] = file
            landed.finish(copy if len(pack.files) == 1 else None)
            refused.finish()
            self.parts_written += landed.parts

    def _read(self, files: Iterable[SourceFile]) -> Iterator[tuple[_Opened, Iterator[Run | Record]]]:
        """Yields files as they were found in their source, with their records."""
        contents = map(self.content.content, files)
        opened = (_Opened(content, Text(content)) for content in contents)
        return read_in_turn(((file, file.text) for file in opened), self.checker)

    def copy_entry(self, planned: PlannedFile) -> LandedFile:
        """What the ledger says of a file that is a copy of another."""
        file = planned.file
        source, path = planned.copy_of or ("", "")
        copy_of = path if source == file.source else f"{source}/{path}"
        return LandedFile(file, (Segment(),), planned.landed_at, copy_of)

    def note_drift(self, keys: Iterable[str], where: str) -> None:
        """Notes keys that are not declared."""
        for key in keys:
            if key not in self.drift and len(self.drift) == KEPT_DRIFT:
                self.more_drift += 1
            else:
                seen = self.drift.get(key, Drift(key, 0, where))
                self.drift[key] = Drift(key, seen.records + 1, seen.first_seen)


@dataclass
class _FileWriter:
    """Writes the records of one file."""

    stager: Stager
    planned: PlannedFile
    landed: PartWriter
    refused: PartWriter

    def __post_init__(self) -> None:
        self._segments = _Segments()

    @property
    def file(self) -> SourceFile:
        """The file as it was found."""
        return self.planned.file

    def read(self, opened: _Opened, records: Iterable[Run | Record | Suppressed]) -> tuple[LandedFile, Copy | None]:
        """Takes the records that were read from the source; gives how to copy the file if it is a part as it is."""
        content, text = opened
        bytes_as_found = 0
        for found in records:
            if isinstance(found, Record):
                self._take(found)
            elif isinstance(found, Suppressed):
                self._segments.suppress(found.records)
            else:
                self._segments.land(self.landed.add(found.lines, found.checksums), found.records)
                bytes_as_found += len(found.lines) if found.is_as_found else 0
        file = replace(self.file, size=content.size, version=content.version, sha256=content.sha256)
        copy = None
        if text.is_one_gzip_member and bytes_as_found == text.size > 0:
            copy = partial(self.stager.zone.copy, self.stager.sources[file.source], file.source_file, file.version)
        return self._landed_file(file), copy

    def carry(self, carried: LandedFile, starts: Mapping[_LineOf, int]) -> LandedFile:
        """Takes the records from the parts that hold them already."""
        if self.stager.is_dry_run and carried.key in self.stager.staged:  # a part that this load would have written
            return LandedFile(self.file, carried.segments, self.planned.landed_at)
        for number, segment in enumerate(carried.segments):
            key = segment.object_key
            if key is not None:
                for line in self.stager.parts.slice(key, starts[key, carried.key, number], segment.records_landed):
                    self._segments.land(self.landed.add(line), 1)
            self._segments.suppress(segment.records_suppressed)
        for row in self.stager.quarantine.rows(carried):
            self._carry_refused(row, replay=carried.key in self.stager.reopened)
        return self._landed_file(self.file)

    def _take(self, record: Record) -> None:
        """Lands a single record, or puts it in quarantine."""
        if record.verdict.fault is None:
            self._segments.land(self.landed.add(record.raw + b"\n"), 1)
            self.stager.note_drift(record.verdict.unknown_keys, f"{self.file.source_file}:{record.line}")
        else:
            row = ledger.quarantined(self.stager.table.name, self.file.key, record)
            self._refuse(row)
            self.stager.rejects.add(row)

    def _refuse(self, row: QuarantinedRecord) -> None:
        self._segments.quarantine(self.refused.add(msgspec.json.encode(row) + b"\n"))

    def _carry_refused(self, row: QuarantinedRecord, *, replay: bool) -> None:
        raw = row.raw if replay else None
        keeps_out = self.stager.keeps_out
        if raw is not None and self.stager.checker.check(raw).fault is None:
            people = keeps_out.whom(raw) if keeps_out else None
            if keeps_out and people:
                self._segments.suppress(keeps_out.refuse(people).records)
            else:
                self._segments.land(self.landed.add(on_one_line(raw) + b"\n"), 1)
        else:
            self._refuse(msgspec.structs.replace(row, source=self.file.source, source_file=self.file.source_file))

    def _landed_file(self, file: SourceFile) -> LandedFile:
        return LandedFile(file, tuple(self._segments.counted), self.planned.landed_at)


def _starts(files: Mapping[FileKey, LandedFile]) -> dict[_LineOf, int]:
    """The line of its part on which each segment of each file begins, from 0."""
    starts: dict[_LineOf, int] = {}
    lines: Counter[str] = Counter()
    for key, landed in sorted(files.items()):
        for number, segment in enumerate(landed.segments):
            if segment.object_key is not None:
                starts[segment.object_key, key, number] = lines[segment.object_key]
                lines[segment.object_key] += segment.records_landed
    return starts
