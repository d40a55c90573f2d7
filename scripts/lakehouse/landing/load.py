"""Lands raw JSON: every record of every source file once, in the landing zone or in its quarantine."""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from lakehouse.console import Reporter, Silent
from lakehouse.declaration import Table
from lakehouse.errors import LandingError
from lakehouse.landing import ledger
from lakehouse.landing.checksums import checksums_of
from lakehouse.landing.days import Days, days_of_files
from lakehouse.landing.housekeeping import Inventory, take_inventory, tidy_up
from lakehouse.landing.ledger import LandedFile, TableLedger
from lakehouse.landing.manifests import write_copy_files
from lakehouse.landing.moved import moved_sources, truly_moved, with_sources_renamed
from lakehouse.landing.outcome import LandingReport, TableReport
from lakehouse.landing.parts import PartUploader, name_load
from lakehouse.landing.plan import Plan, Situation, Status, make_plan
from lakehouse.landing.stage import Rejects, Stager, good_by_now
from lakehouse.landing.suppression import Sieve, read_suppressions
from lakehouse.records.fetch import ReadAhead
from lakehouse.records.pool import checking_processes
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Claim, DryRunFolder, Folder, is_one_in_the_other
from lakehouse.storage.source_files import FileKey, Source, SourceFile, look_into

log = logging.getLogger(__name__)


def land(  # noqa: PLR0913 - every option of the command, by keyword
    sources: Sequence[str | Path],
    zone: str | Path,
    tables: Mapping[str, Table],
    *,
    forget_vanished: bool = False,
    max_rejects: int | None = None,
    replay: bool = False,
    dry_run: bool = False,
    days: Days | None = None,
    reporter: Reporter | None = None,
) -> LandingReport:
    """Lands the records of sources in a landing zone.

    Args:
        sources: The folders and S3 prefixes to land from.
        zone: The folder or S3 prefix to land in; a folder is made where there is none.
        tables: The declared tables, by name. Those without source files are left alone.
        forget_vanished: Whether the records of files that are gone from a source are removed.
        max_rejects: How many records may be refused before the load stops; None for any number.
        replay: Whether quarantined records are looked at again, and landed if the declaration accepts them by now.
        dry_run: Whether to do everything but change the landing zone.
        days: Of tables whose files tell their day, only those of these days are looked at; all without it.
        reporter: Who is told what happens meanwhile.

    Returns:
        What was done, table by table.

    Raises:
        RejectLimitError: Too many records were refused; the landing zone is as it was.
        LandingError: The load cannot be done.
    """
    to_land = _loadable(tables)
    listener = reporter or Silent()
    with _explained(zone):
        folders, to_folder = _open(sources, zone)
        target: Folder = DryRunFolder(to_folder) if dry_run else to_folder
        with target.exclusive(listener.say) as still_ours:
            started = time.monotonic()
            found = [
                look_into(folder, to_land) for folder in folders
            ]  # by now no other load lands what this one misses
            log.debug("listed %s: %.1f s", ", ".join(map(str, sources)), time.monotonic() - started)
            suppressed = read_suppressions(target)
            sieve = Sieve(suppressed) if suppressed else None
            load = _Load(target, found, listener, still_ours, dry_run, sieve, days)
            rejects = Rejects(max_rejects)
            done = load.run(to_land, rejects, forget_vanished=forget_vanished, replay=replay)
            log.debug("landed in %s: %.1f s", to_folder.location, time.monotonic() - started)
            unclaimed = {key: table for source in found for key, table in source.unclaimed.items()}
            report = LandingReport(to_folder.location, dry_run, done, unclaimed, rejects.count, rejects.first)
            report.leading_out = [key for source in found for key in source.leading_out]
            if sieve:
                report.records_suppressed, report.people_suppressed = sieve.records, len(sieve.people)
            return report


def check_sources(sources: Sequence[str | Path], zone: str | Path, tables: Mapping[str, Table]) -> None:
    """Checks that `land` would find something. It takes a moment, before what takes minutes.

    Raises:
        LandingError: It would not.
    """
    _look_into(sources, zone, _loadable(tables))


def days_in(sources: Sequence[str | Path], zone: str | Path, tables: Mapping[str, Table]) -> dict[str, set[date]]:
    """The days of which sources hold files, by table; without the tables whose files tell no day.

    Raises:
        LandingError: `land` would find nothing.
    """
    to_land = _loadable(tables)
    return days_of_files(_look_into(sources, zone, to_land), to_land)


def _look_into(sources: Sequence[str | Path], zone: str | Path, to_land: Sequence[Table]) -> list[Source]:
    """What there is to land."""
    with _explained(zone):
        folders, _ = _open(sources, zone)
        return [look_into(folder, to_land) for folder in folders]


def _loadable(tables: Mapping[str, Table]) -> list[Table]:
    return [table for table in tables.values() if table.source_files]


@contextmanager
def _explained(zone: str | Path) -> Iterator[None]:
    """Tells a person what the operating system refused."""
    try:
        yield
    except BrokenExecutor as error:
        raise LandingError(
            "a process that checked records was ended by the system, likely for want of memory: land again"
        ) from error
    except OSError as error:
        name = error.filename or zone
        raise LandingError(f"{name}: {error.strerror or error}; nothing that was landed before is lost") from error


def _open(sources: Sequence[str | Path], zone: str | Path) -> tuple[list[Folder], Folder]:
    """Opens the sources, each once, and the landing zone."""
    to_folder = open_folder(zone)
    to_folder.check_zone()
    opened: dict[str, Folder] = {}
    for source in sources:
        folder = open_folder(source)
        folder.check_source()
        if is_one_in_the_other(folder, to_folder):
            raise LandingError(
                f"landing zone {zone} and source {source} lie one in the other: a load would read what it wrote"
            )
        opened[folder.location] = folder
    if not opened:
        raise LandingError("no source is named: say from which folder to land")
    return list(opened.values()), to_folder


@dataclass
class _Work:
    """What is to become of a table."""

    table: Table
    situation: Situation
    plan: Plan
    inventory: Inventory
    moved: Mapping[str, str]
    """Sources that the ledger knew by another location, each with that."""
    left_out: int
    """Number of files of other days that are not landed."""
    stager: Stager = field(init=False)

    @property
    def table_ledger(self) -> TableLedger:
        """The table's ledger before the load, with its sources where they are now."""
        return self.situation.table_ledger

    def files_to_read(self) -> list[SourceFile]:
        """The files whose records are not in the landing zone yet, in the order of the packs."""
        return [planned.file for pack in self.plan.packs for planned in pack.files if planned.carried is None]

    def landed(self) -> list[LandedFile]:
        """What the ledger shall say."""
        staged = self.stager.staged
        kept = {landed.key: landed for landed in self.plan.kept}
        packed = {planned.file.key for pack in self.plan.packs for planned in pack.files}
        copies = [self.stager.copy_entry(planned) for planned in self.plan.copies]
        return [*kept.values(), *(staged[key] for key in packed), *copies]

    def _records_new(self, landed: Iterable[LandedFile]) -> int:
        """Counts the records of content that was not landed before, and those that left the quarantine."""
        before = {
            file.file.sha256: file.records_landed for file in self.table_ledger.files.values() if not file.copy_of
        }
        return sum(max(0, file.records_landed - before.get(file.file.sha256, 0)) for file in landed)

    def report(self) -> TableReport:
        """Sums up what the load did."""
        plan, landed = self.plan, self.landed()
        files = {status.value: 0 for status in Status}
        for planned in plan.files:
            files[planned.status.value] += 1
        return TableReport(
            name=self.table.name,
            files=files,
            left_out=self.left_out,
            moved=dict(self.moved),
            copies={planned.file.path: "/".join(planned.copy_of) for planned in plan.copies if planned.copy_of},
            vanished=[planned.file.path for planned in plan.files if planned.status is Status.VANISHED],
            forgotten=[landed.file.path for landed in plan.forgotten],
            empty=[planned.file.path for planned in plan.files if planned.file.size == 0],
            records_found=sum(file.records_found for file in landed),
            records_new=self._records_new(landed),
            records_landed=sum(file.records_landed for file in landed),
            records_quarantined=sum(file.records_quarantined for file in landed),
            records_suppressed=sum(file.records_suppressed for file in landed),
            drift=list(self.stager.drift.values()),
            more_drift=self.stager.more_drift,
            parts_written=self.stager.parts_written,
            changed=bool(self.stager.staged or self.moved)
            or _content(landed) != _content(self.table_ledger.files.values()),
        )


@dataclass
class _Load:
    """One load of one landing zone: stages every table, and then lets one after the other take effect."""

    zone: Folder
    sources: Sequence[Source]
    reporter: Reporter
    still_ours: Claim
    is_dry_run: bool
    sieve: Sieve | None
    days: Days | None
    name: str = field(default_factory=name_load)

    def run(
        self, tables: Sequence[Table], rejects: Rejects, *, forget_vanished: bool, replay: bool
    ) -> dict[str, TableReport]:
        """Loads the tables."""
        works = [self._begin(table, forget_vanished=forget_vanished, replay=replay) for table in tables]
        self._prepare(works)
        to_read = [file for work in works for file in work.files_to_read()]
        folders = {source.folder.location: source.folder for source in self.sources}
        bytes_to_read = sum(file.size for file in to_read)
        with (
            self.reporter.progress("landing", bytes_to_read) as advance,
            checking_processes(bytes_to_read) as processes,
            ReadAhead(folders, to_read, advance) as content,
            PartUploader(self.zone, self.name) as uploader,
        ):
            for work in works:
                work.stager = Stager(
                    work.table,
                    work.table_ledger,
                    self.zone,
                    folders,
                    content,
                    uploader,
                    rejects,
                    processes,
                    work.situation.reopened,
                    self.is_dry_run,
                    self.sieve,
                )
                self._stage(work, uploader, forget_vanished=forget_vanished)
            uploader.wait()
        checksums = [self._checksums(work, uploader.checksums) for work in works]
        self.still_ours()
        named: set[str] = set()
        landed_at = ledger.time_of_effect(work.table_ledger for work in works)
        for work, of_parts in zip(works, checksums, strict=True):
            landed = ledger.dated(work.landed(), landed_at)
            write_copy_files(self.zone, work.table, landed)
            ledger.write_ledger(self.zone, work.table_ledger, landed, of_parts, self.name)
            named.update(*(file.object_keys | file.quarantine_keys for file in landed))
        self.zone.delete([key for key in uploader.written if key not in named])  # written twice: nobody has seen these
        return {work.table.name: work.report() for work in works}

    def _checksums(self, work: _Work, of_new_parts: Mapping[str, str]) -> Mapping[str, str]:
        """Those of all parts that the ledger shall name; a dry run reads none for them."""
        known = {**work.table_ledger.checksums, **of_new_parts}
        return known if self.is_dry_run else checksums_of(self.zone, work.table, work.landed(), known)

    def _begin(self, table: Table, *, forget_vanished: bool, replay: bool) -> _Work:
        """Finds out what there is to do for a table."""
        table_ledger = ledger.read_ledger(self.zone, table.name)
        listed = [file for source in self.sources for file in source.files[table.name]]
        seem_moved = moved_sources(table_ledger, listed)
        found = self._with_fingerprints(table, with_sources_renamed(table_ledger, seem_moved), listed)
        moved = truly_moved(seem_moved, table_ledger, found)
        table_ledger = with_sources_renamed(table_ledger, moved)
        found, others = self._of_the_days(table, found)
        inventory = take_inventory(self.zone, table, table_ledger)
        if inventory.parts and table_ledger.version is None:
            raise LandingError(
                f"{self.zone.location}/{table.folder} holds parts, but {ledger.ledger_key(table.name)} is gone: "
                + ledger.WITHOUT_LEDGER
            )
        situation = Situation(
            table_ledger,
            found,
            {source.folder.location for source in self.sources},
            inventory.parts,
            {},
            days=self.days,
        )
        if replay:
            held = situation.held().values()
            situation = replace(situation, reopened=good_by_now(table, self.zone, held))
        plan = make_plan(table, situation, forget_vanished=forget_vanished)
        if not plan.files and not others:
            self.reporter.warn(f"{table.name}: no file matches {' or '.join(table.source_files)}")
        left_out = sum(file.key not in table_ledger.files for file in others)
        return _Work(table, situation, plan, inventory, moved, left_out)

    def _of_the_days(self, table: Table, files: Sequence[SourceFile]) -> tuple[list[SourceFile], list[SourceFile]]:
        """Sorts files: those that this load looks at, and those of other days."""
        taken = [file for file in files if self.days is None or self.days.take(table, file.source_file)]
        keys = {file.key for file in taken}
        return taken, [file for file in files if file.key not in keys]

    def _with_fingerprints(
        self, table: Table, table_ledger: TableLedger, found: Sequence[SourceFile]
    ) -> list[SourceFile]:
        """Fills in the fingerprints of files that are as they were when they were landed.

        A file of the same version is. One of the same size may be (it was touched, or copied), and is read to know.
        """
        suspects = []
        known: dict[FileKey, SourceFile] = {}
        for file in found:
            landed = table_ledger.files.get(file.key)
            if landed is not None and landed.file.size == file.size:
                if landed.file.version == file.version:
                    known[file.key] = landed.file
                else:
                    suspects.append(file)
        folders = {source.folder.location: source.folder for source in self.sources}
        with (
            self.reporter.progress(f"comparing {table.name}", sum(file.size for file in suspects)) as advance,
            ReadAhead(folders, suspects, advance) as ahead,
        ):
            for file in suspects:
                content = ahead.content(file)
                for _ in content:
                    pass
                known[file.key] = replace(file, size=content.size, version=content.version, sha256=content.sha256)
        return [known.get(file.key, file) for file in found]

    def _prepare(self, works: Iterable[_Work]) -> None:
        """Makes the tables' folders ready."""
        self.still_ours()  # so what was found is no other load's
        for work in works:
            table_ledger = tidy_up(self.zone, work.table_ledger, work.inventory, self.name)
            work.situation = replace(work.situation, table_ledger=table_ledger)

    def _stage(self, work: _Work, uploader: PartUploader, *, forget_vanished: bool) -> None:
        """Writes a table's new parts; and once more those of packs in which some files turned out to be copies."""
        work.stager.write(work.plan.packs)
        staged = work.stager.staged
        work.situation = replace(
            work.situation,
            found=[staged[file.key].file if file.key in staged else file for file in work.situation.found],
            parts=work.situation.parts.union(
                *(landed.object_keys | landed.quarantine_keys for landed in staged.values())
            ),
            staged=dict(staged),
            reopened=(),
        )
        work.plan = make_plan(work.table, work.situation, forget_vanished=forget_vanished)
        if work.plan.packs:
            uploader.wait()
            work.stager.write(work.plan.packs)


def _content(files: Iterable[LandedFile]) -> dict[FileKey, tuple[str | None, str | None]]:
    return {landed.key: (landed.file.sha256, landed.copy_of) for landed in files}
