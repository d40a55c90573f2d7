"""The data set that a command works on: its name, where it is landed, and how it comes there."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from lakehouse.erasure_receipts import has_receipts
from lakehouse.errors import LandingError
from lakehouse.landing import check_sources, land
from lakehouse.landing_summary import print_summary
from lakehouse.pseudonyms import PseudonymKey, check_key, key_for, land_pseudonyms, public_datasets
from lakehouse.release_pseudonyms import land_release_pseudonyms
from lakehouse.reporting import ConsoleReporter
from lakehouse.sample import SampleError, generate
from lakehouse.sources import load_tables
from lakehouse.storage import is_s3, open_folder
from lakehouse.text_repair import repair_text

SAMPLE = "sample"


@dataclass(frozen=True)
class Dataset:
    """Data that is landed and built under one name: somebody's, or the sample that is made here.

    Attributes:
        project_dir: Where the declarations are, and the sample is made.
        name: Its name.
        sources: Folders and S3 prefixes; none for the sample.
        scale: Size of the sample, in times the real data's.
        zone: Where it is landed.
    """

    project_dir: Path
    name: str
    sources: list[str]
    scale: float
    zone: str

    @classmethod
    def named(cls, project_dir: Path, sources: list[str], name: str | None, scale: float) -> "Dataset":
        """Gives data a name, by default its first folder's, and a landing zone.

        Raises:
            LandingError: It cannot be the name.
        """
        chosen = checked_name(name, sources) if name or sources else sample_name(scale)
        return cls(project_dir, chosen, sources, scale, landing_zone(project_dir, chosen))

    def check(self) -> None:
        """Checks that there is something to land, and a key for pseudonyms, for whoever has dear work to do before it.

        Raises:
            LandingError: There is not, or the key is not the landing zone's.
        """
        tables = load_tables(self.project_dir)
        if self.sources:
            check_sources(self.sources, self.zone, tables)
        check_key(self.zone, tables, self._key())

    def was_erased_from(self) -> bool:
        """Whether people were erased from the landing zone.

        Raises:
            LandingError: It cannot be read.
        """
        try:
            return has_receipts(open_folder(self.zone))
        except OSError as error:
            raise LandingError(f"{error.filename or self.zone}: {error.strerror or error}") from error

    def land(self, reporter: ConsoleReporter, max_rejects: int | None = None, *, forget_vanished: bool = False) -> int:
        """Lands the data and what is worked out from it: repairs of its text, pseudonyms of customers.

        Returns:
            The number of records in quarantine.

        Raises:
            SampleError: The sample cannot be made.
            LandingError: It cannot be landed.
        """
        sources = self.sources or [self._make_sample(reporter)]
        reporter.heading(f"land {', '.join(sources)}")
        tables = load_tables(self.project_dir)
        # the sample is the whole of its data set: what a sample made before it had, this one need not have
        report = land(
            sources,
            self.zone,
            tables,
            forget_vanished=forget_vanished or not self.sources,
            max_rejects=max_rejects,
            reporter=reporter,
        )
        print_summary(report, reporter)
        repairs = repair_text(self.zone, tables, reporter.say)
        reporter.say(f"text that was encoded twice: {len(repairs.repairs):,} repairs found")
        pseudonyms = land_pseudonyms(self.zone, tables, self._key(), reporter.say)
        reporter.say(f"pseudonyms: {pseudonyms.customers:,} customers")
        land_release_pseudonyms(self.zone, tables, reporter.say)
        return sum(table.records_quarantined for table in report.tables.values())

    def _key(self) -> PseudonymKey:
        return key_for(self.name, public_datasets(self.project_dir))

    def _make_sample(self, reporter: ConsoleReporter) -> str:
        """Makes the sample unless it is there, and gives its folder."""
        reporter.heading("sample data")
        try:
            report = generate(self.project_dir / "sample_data", self.scale, progress=reporter.say)
        except OSError as error:
            raise SampleError(f"{error.filename or 'sample_data'}: {error.strerror}") from error
        state = "up to date" if report.was_up_to_date else f"{report.files:,} files, {report.megabytes:,.1f} MB"
        reporter.say(f"{report.to}: {state}")
        return str(report.to)


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
