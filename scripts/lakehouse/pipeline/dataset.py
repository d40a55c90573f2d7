"""The data set that a command works on: its name, where it is landed, and how it comes there."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath

from lakehouse.console import ConsoleReporter, counted
from lakehouse.declaration import Table, load_tables
from lakehouse.derived.denials import remember_denials_before_a_load
from lakehouse.derived.part_facts import forget_notes
from lakehouse.derived.people import land_people, tell_of_suspensions
from lakehouse.derived.pseudonyms import check_key
from lakehouse.derived.release_pseudonyms import land_release_pseudonyms
from lakehouse.derived.text_repair import is_repaired, repair_text
from lakehouse.errors import LandingError
from lakehouse.landing.contents import Contents, contents_of
from lakehouse.landing.days import Days
from lakehouse.landing.ledger import sources_of
from lakehouse.landing.load import check_sources, days_in, land
from lakehouse.landing.outcome import LandingReport, together
from lakehouse.landing.pseudonym_key import key_of_landed, key_to_come, public_fingerprints
from lakehouse.landing.report import print_summary
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.fingerprints import Fingerprint, fingerprints, settings_of
from lakehouse.pipeline.run_report import Tell, nobody
from lakehouse.sample import SampleError, generate
from lakehouse.storage import open_folder
from lakehouse.storage.folder import is_s3
from lakehouse.storage.zone import give_zone_id, was_erased_from, zone_id

SAMPLE = "sample"
SAMPLE_FOLDER = "sample_data"


@dataclass(frozen=True)
class Dataset:
    """Data that is landed and built under one name: somebody's, or the sample that is made here.

    Attributes:
        project_dir: Where the declarations are.
        name: Its name.
        sources: Folders and S3 prefixes; none for the sample.
        scale: Size of the sample, in times the real data's.
        zone: Where it is landed.
        sample_dir: The folder in which the sample is made; the project's by default.
    """

    project_dir: Path
    name: str
    sources: list[str]
    scale: float
    zone: str
    sample_dir: Path | None = None

    @classmethod
    def named(cls, project_dir: Path, sources: list[str], name: str | None, scale: float) -> "Dataset":
        """Gives data a name, by default its first folder's, and a landing zone.

        Raises:
            LandingError: It cannot be the name.
        """
        chosen = checked_name(name, sources) if name or sources else sample_name(scale)
        return cls(project_dir, chosen, sources, scale, landing_zone(project_dir, chosen))

    def check(self) -> None:
        """Checks, before what takes minutes, that there is something to land, and a key for pseudonyms.

        Raises:
            LandingError: There is not, or the key is not the landing zone's.
        """
        tables = load_tables(self.project_dir)
        if self.sources:
            check_sources(self.sources, self.zone, tables)
        self._check_that_nothing_made_up_is_mixed(tables)
        public = public_fingerprints(self.sample_dir or self.project_dir)
        check_key(self.zone, tables, key_to_come(self.sources, self.zone, tables, public, kept_out=self._sample_folder))

    def _check_that_nothing_made_up_is_mixed(self, tables: Mapping[str, Table]) -> None:
        """Checks that a LANDING_ZONE which stayed exported does not get the sample beside real data, or the reverse.

        Raises:
            LandingError: It would, or the landing zone cannot be read.
        """
        try:
            there = sources_of(open_folder(self.zone), tables)
        except OSError as error:
            raise LandingError(f"{error.filename or self.zone}: {error.strerror or error}") from error
        made_up = {source for source in there if PurePath(source).name == SAMPLE_FOLDER}
        if not self.sources and (others := there - made_up):
            raise LandingError(
                f"{self.zone} holds data from {min(others)}: made-up data is not landed beside it. "
                "Give SOURCE for data of yours, or another LANDING_ZONE for the sample"
            )
        if self.sources and made_up and not any(PurePath(source).name == SAMPLE_FOLDER for source in self.sources):
            raise LandingError(
                f"{self.zone} holds made-up data from {min(made_up)}: other data is not landed beside it. "
                "Give another LANDING_ZONE"
            )

    def was_erased_from(self) -> bool:
        """Whether people were erased from the landing zone.

        Raises:
            LandingError: It cannot be read.
        """
        try:
            return was_erased_from(open_folder(self.zone))
        except OSError as error:
            raise LandingError(f"{error.filename or self.zone}: {error.strerror or error}") from error

    def zone_id(self) -> str | None:
        """The id of the landing zone; None where nothing was landed there yet.

        Raises:
            LandingError: It cannot be read.
        """
        return zone_id(open_folder(self.zone))

    def contents(self) -> dict[str, Contents]:
        """What every landing table holds.

        Raises:
            LandingError: A ledger cannot be read.
        """
        return contents_of(open_folder(self.zone), load_tables(self.project_dir))

    def still_holds(self, contents: Mapping[str, Contents]) -> bool:
        """Whether the landing tables hold that, and all texts that are repaired are those of these records.

        If not, another load is at work, or was killed at it.

        Raises:
            LandingError: A ledger cannot be read.
        """
        # asked first: repairs that come after it are other contents
        return is_repaired(self.zone, load_tables(self.project_dir)) and self.contents() == contents

    def made_of(self, dbt: DbtSession, contents: Mapping[str, Contents]) -> dict[str, Fingerprint]:
        """What every node of the project is made of, where landing tables hold that."""
        settings = settings_of(self.project_dir, dbt.target, dbt.manifest)
        built_from = f"{self.name}, {'with' if dbt.has_known_counts else 'without'} known counts"
        return fingerprints(dbt.manifest, settings, contents, built_from)

    def days(self, reporter: ConsoleReporter) -> dict[str, set[date]]:
        """The days of which the sources hold files, by table; without the tables whose files tell no day.

        Raises:
            SampleError: The sample cannot be made.
            LandingError: There is nothing to land.
        """
        return days_in(self._sources(reporter), self.zone, load_tables(self.project_dir))

    def land(
        self,
        reporter: ConsoleReporter,
        max_rejects: int | None = None,
        *,
        forget_vanished: bool = False,
        days: Days | None = None,
        tell: Tell = nobody,
    ) -> LandingReport:
        """Lands the data and what is worked out from it: repairs of its text, pseudonyms of customers.

        Args:
            reporter: Who is told what happens.
            max_rejects: How many records may be refused before a load stops; None for any number.
            forget_vanished: Whether the records of files that are gone from a source are removed.
            days: The days whose files are landed, each by a load of its own; all files by one load without it.
            tell: Takes what the run reports of it.

        Raises:
            SampleError: The sample cannot be made.
            LandingError: It cannot be landed.
        """
        sources = self._sources(reporter)
        reporter.heading(f"land {', '.join(sources)}")
        tables = load_tables(self.project_dir)
        remember_denials_before_a_load(self.zone, tables, reporter.say)
        # the sample is the whole of its data set: what a sample made before it had, this one need not have
        reports = []
        for number, day in enumerate(days or [None], 1):
            reports.append(
                land(
                    sources,
                    self.zone,
                    tables,
                    forget_vanished=forget_vanished or not self.sources,
                    max_rejects=max_rejects,
                    days=Days(day, day) if day else None,
                    reporter=reporter,
                )
            )
            if days:
                reporter.say(f"{day}, {number:,} of {len(days):,}: {_news(reports[-1])}")
        report = together(reports)
        give_zone_id(open_folder(self.zone), reporter.say)
        print_summary(report, reporter)
        for table in report.tables.values():
            tell(
                "table_landed",
                table=table.name,
                records_new=table.records_new,
                records_landed=table.records_landed,
                records_quarantined=table.records_quarantined,
            )
        repairs = repair_text(self.zone, tables, reporter.say)
        reporter.say(f"texts that were encoded twice, and are repaired: {repairs.repairs:,}")
        key = key_of_landed(self.zone, tables, public_fingerprints(self.sample_dir or self.project_dir))
        people = land_people(self.zone, tables, key, reporter.say)
        land_release_pseudonyms(self.zone, tables, reporter.say)
        reporter.say(f"pseudonyms: {counted(people.customers, 'customer')}")
        tell("people_suspended", people=people.suspended)
        tell_of_suspensions(people, reporter)
        return report

    def work_out_anew(self) -> None:
        """Has the next load work out from all records what is worked out from them, whatever is noted of it.

        Raises:
            LandingError: The landing zone cannot be written.
        """
        if self.zone_id() is not None:
            forget_notes(open_folder(self.zone))

    def _sources(self, reporter: ConsoleReporter) -> Sequence[str]:
        return self.sources or [self._make_sample(reporter)]

    @property
    def _sample_folder(self) -> str:
        return str((self.sample_dir or self.project_dir) / SAMPLE_FOLDER)

    def _make_sample(self, reporter: ConsoleReporter) -> str:
        """Makes the sample unless it is there, and gives its folder."""
        reporter.heading("sample data")
        try:
            report = generate(Path(self._sample_folder), self.scale, progress=reporter.say)
        except OSError as error:
            raise SampleError(f"{error.filename or 'sample_data'}: {error.strerror}") from error
        state = (
            "up to date" if report.was_up_to_date else f"{counted(report.files, 'file')}, {report.megabytes:,.1f} MB"
        )
        reporter.say(f"{report.to}: {state}")
        return str(report.to)


def _news(report: LandingReport) -> str:
    """What a load of one day brought, in a few words."""
    landed = {name: table.records_new for name, table in report.tables.items() if table.records_new}
    news = [f"{counted(number, 'record')} of {name}" for name, number in landed.items()]
    if report.records_rejected:
        news.append(f"{report.records_rejected:,} in quarantine")
    return ", ".join(news) or "nothing new"


def separated(sources: str) -> list[str]:
    """The folders and S3 prefixes in a text, with blanks between them; one that has a blank itself stands in quotes.

    A text that is the name of a folder as it stands is that one.

    Raises:
        LandingError: A quote is not closed.
    """
    if Path(sources).is_dir() and sources.strip():
        return [sources]
    try:
        return shlex.split(sources)
    except ValueError as error:
        raise LandingError(
            f"SOURCE={sources}: {error}; a folder with a blank or a quote in its name stands in quotes of its own"
        ) from error


def landing_zone(project_dir: Path, name: str) -> str:
    """Where a data set is landed."""
    zone = os.environ.get("LANDING_ZONE") or str(project_dir / "landing" / name)
    return zone if is_s3(zone) else str(Path(zone).absolute())


def sample_name(scale: float) -> str:
    """The name of the sample data, of which only the plain size has known row counts."""
    return SAMPLE if scale == 1 else f"{SAMPLE}_x{scale:g}"


def checked_name(name: str | None, sources: list[str]) -> str:
    """The name of data that is not made here: the given one, or else the first folder's.

    Raises:
        LandingError: It cannot be a name, or it is the made-up data's, which has counts and public pseudonyms.
    """
    chosen = name or Path(sources[0]).resolve().name
    if not re.fullmatch(r"\w[\w.-]*", chosen, re.ASCII):
        raise LandingError(
            f"{chosen!r} cannot name a data set (letters, digits, _ . - only): choose a name with DATASET=…"
        )
    if sources and re.match(rf"{SAMPLE}(_x|$)", chosen):
        raise LandingError(f"{chosen!r} is the name of the data that is made here: choose another one with DATASET=…")
    return chosen
