"""The whole way of the data in one command: land, register, build, test, document. `make run` calls it."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lakehouse.dbt_session import DbtSession
from lakehouse.errors import BuildError, DbtError, LandingError
from lakehouse.landing import check_sources, land
from lakehouse.landing_summary import print_summary
from lakehouse.pseudonyms import PseudonymKey, check_key, key_for, land_pseudonyms, public_datasets
from lakehouse.reporting import ConsoleReporter
from lakehouse.sample import SampleError, generate
from lakehouse.sources import load_tables
from lakehouse.storage import is_s3
from lakehouse.text_repair import repair_text

PROJECT_DIR = Path(__file__).resolve().parents[1]
SAMPLE = "sample"


def main(
    *,
    source: Annotated[
        list[str] | None, typer.Option(help="Folder or s3:// prefix; without one, sample data is made.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Name of the data, by default the first folder's.")] = None,
    target: Annotated[str, typer.Option(help="Output of profiles.yml: duckdb, redshift or athena.")] = "duckdb",
    scale: Annotated[float, typer.Option(help="Size of the sample data, in times the real data's.")] = 1.0,
    max_rejects: Annotated[
        int | None, typer.Option(min=0, help="How many refused records are borne before the load stops.")
    ] = None,
) -> None:
    """Land raw JSON, register it, build and test every model, and build the docs site."""
    reporter = ConsoleReporter()
    try:
        dataset = checked_name(dataset, source or []) if dataset or source else sample_name(scale)
        zone = landing_zone(dataset)
        os.environ["LANDING_ZONE"] = zone  # dbt reads it, too
        if source:
            check_sources(source, zone, load_tables(PROJECT_DIR))
        key = key_for(dataset, public_datasets(PROJECT_DIR))
        dbt = DbtSession(PROJECT_DIR, target, dataset, reporter.console)
        dbt.parse()
        dbt.operation("preflight")
        check_key(zone, load_tables(PROJECT_DIR), key)
        if source:
            refused = land_all(source, zone, reporter, max_rejects=max_rejects)
        else:
            refused = land_all([make_sample(scale, reporter.console)], zone, reporter, forget_vanished=True)
        derive_tables(zone, key, reporter)
        build_all(dbt)
        if refused:
            reporter.warn(f"{refused:,} records are in quarantine, with their reasons: loader.quarantine")
    except (SampleError, LandingError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    except DbtError as error:
        typer.echo(f"error: {error}", err=True)
        typer.echo(f"dbt's log, and what it ran: {PROJECT_DIR}/logs/dbt.log, {PROJECT_DIR}/target/run", err=True)
        raise typer.Exit(1) from error


def landing_zone(dataset: str) -> str:
    """Where a data set is landed."""
    zone = os.environ.get("LANDING_ZONE") or str(PROJECT_DIR / "landing" / dataset)
    return zone if is_s3(zone) else str(Path(zone).absolute())


def sample_name(scale: float) -> str:
    """The name of the sample data, of which only the plain size has known row counts."""
    return SAMPLE if scale == 1 else f"{SAMPLE}_x{scale:g}"


def checked_name(dataset: str | None, sources: list[str]) -> str:
    """The name of data that is not made here: the given one, or else the first folder's.

    Raises:
        LandingError: It cannot be a name, or it is the made-up data's, which has counts and public pseudonyms.
    """
    name = dataset or Path(sources[0]).resolve().name
    if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise LandingError(
            f"{name!r} cannot name a data set (letters, digits, _ . - only): choose a name with DATASET=…"
        )
    if sources and re.match(rf"{SAMPLE}(_x|$)", name):
        raise LandingError(f"{name!r} is the name of the data that is made here: choose another one with DATASET=…")
    return name


def make_sample(scale: float, console: Console) -> str:
    """Makes the sample data unless it is there, and gives its folder.

    Raises:
        SampleError: It cannot be made.
    """
    heading("sample data", console)
    try:
        report = generate(
            PROJECT_DIR / "sample_data", scale, progress=lambda line: console.print(line, highlight=False)
        )
    except OSError as error:
        raise SampleError(f"{error.filename or 'sample_data'}: {error.strerror}") from error
    state = "up to date" if report.was_up_to_date else f"{report.files:,} files, {report.megabytes:,.1f} MB"
    console.print(f"{report.to}: {state}", markup=False, highlight=False, soft_wrap=True)
    return str(report.to)


def land_all(
    sources: list[str],
    zone: str,
    reporter: ConsoleReporter,
    *,
    max_rejects: int | None = None,
    forget_vanished: bool = False,
) -> int:
    """Lands the sources, and gives the number of records in quarantine.

    Raises:
        LandingError: It cannot be done.
    """
    heading(f"land {', '.join(sources)}", reporter.console)
    tables = load_tables(PROJECT_DIR)
    report = land(sources, zone, tables, forget_vanished=forget_vanished, max_rejects=max_rejects, reporter=reporter)
    print_summary(report, reporter)
    return sum(table.records_quarantined for table in report.tables.values())


def derive_tables(zone: str, key: PseudonymKey, reporter: ConsoleReporter) -> None:
    """Lands what is worked out from the landed records: the repairs of their text, and the customers' pseudonyms.

    Raises:
        LandingError: It cannot be done.
    """
    tables = load_tables(PROJECT_DIR)
    repairs = repair_text(zone, tables, reporter.say)
    reporter.say(f"text that was encoded twice: {len(repairs.repairs):,} repairs found")
    pseudonyms = land_pseudonyms(zone, tables, key, reporter.say)
    reporter.say(f"pseudonyms: {pseudonyms.customers:,} customers")


def build_all(dbt: DbtSession) -> None:
    """Registers the landing zone, builds and tests every model, and builds the site.

    The row counts are printed whether or not a test failed: they show where to look.

    Raises:
        DbtError: Something failed.
    """
    heading(f"register and build on {dbt.target}", dbt.console)
    try:
        dbt.operation("register_landing")
    except DbtError:
        dbt.operation("print_load_errors")
        raise
    try:
        dbt.build()
    except BuildError as failed:
        dbt.operation("print_row_counts", not_built=sorted(failed.unfinished))
        raise
    dbt.operation("print_row_counts")
    site = dbt.docs()
    dbt.console.print()
    for what, where in {"database": database(dbt.target), "docs and lineage": site}.items():
        dbt.console.print(f"{what + ':':18}{where}", markup=False, highlight=False, soft_wrap=True)


def database(target: str) -> str:
    """Where the relations are, in words for a person."""
    if target == "duckdb":
        return str(Path(os.environ.get("DUCKDB_PATH", "lakehouse.duckdb")).absolute())
    return f"the {target} output of {PROJECT_DIR / 'profiles.yml'}"


def heading(text: str, console: Console) -> None:
    """Prints what comes next."""
    console.print(f"\n{text}", style="bold", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
