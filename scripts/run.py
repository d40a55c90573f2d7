"""The whole way of the data in one command: land, register, build, test, document. `make run` calls it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.dataset import Dataset
from lakehouse.dbt_session import UNCOUNTED, DbtSession
from lakehouse.ending import end_on_sigterm
from lakehouse.errors import BuildError, DbtError, LandingError
from lakehouse.reporting import ConsoleReporter
from lakehouse.sample import SampleError

PROJECT_DIR = Path(__file__).resolve().parents[1]


def main(  # noqa: PLR0913 - one parameter an option
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
    forget_vanished: Annotated[
        bool, typer.Option("--forget-vanished", help="Remove the records of files gone from their source.")
    ] = False,
) -> None:
    """Land raw JSON, register it, build and test every model, and build the docs site."""
    end_on_sigterm()
    reporter = ConsoleReporter()
    try:
        data = Dataset.named(PROJECT_DIR, source or [], dataset, scale)
        os.environ["LANDING_ZONE"] = data.zone  # dbt reads it, too
        data.check()
        variables: Mapping[str, object] = {}
        if data.was_erased_from():
            reporter.say(f"people were erased from {data.zone}: the known counts of {data.name} do not apply to it")
            variables = UNCOUNTED
        dbt = DbtSession(PROJECT_DIR, target, data.name, reporter.console, variables=variables)
        dbt.parse()
        dbt.operation("preflight")
        refused = data.land(reporter, max_rejects, forget_vanished=forget_vanished)
        build_all(dbt, reporter)
        if refused:
            reporter.warn(f"{refused:,} records are in quarantine, with their reasons: loader.quarantine")
    except (SampleError, LandingError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    except DbtError as error:
        typer.echo(f"error: {error}", err=True)
        typer.echo(f"dbt's log, and what it ran: {PROJECT_DIR}/logs/dbt.log, {PROJECT_DIR}/target/run", err=True)
        raise typer.Exit(1) from error


def build_all(dbt: DbtSession, reporter: ConsoleReporter) -> None:
    """Registers the landing zone, builds and tests every model, and builds the site.

    The sources' age is told before the build, which does not begin on one that is too old. The row counts are printed
    whether or not a test failed: they show where to look.

    Raises:
        DbtError: Something failed.
    """
    reporter.heading(f"register and build on {dbt.target}")
    try:
        dbt.operation("register_landing")
    except DbtError:
        dbt.operation("print_load_errors")
        raise
    dbt.freshness()
    try:
        dbt.build()
    except BuildError as failed:
        dbt.operation("print_row_counts", not_built=sorted(failed.unfinished))
        raise
    dbt.operation("print_row_counts")
    dbt.operation("print_reidentification_risk")
    site = dbt.docs()
    reporter.say("")
    for what, where in {"database": database(dbt.target), "docs and lineage": site}.items():
        reporter.say(f"{what + ':':18}{where}")


def database(target: str) -> str:
    """Where the relations are, in words for a person."""
    if target == "duckdb":
        return str(Path(os.environ.get("DUCKDB_PATH", "lakehouse.duckdb")).absolute())
    return f"the {target} output of {PROJECT_DIR / 'profiles.yml'}"


if __name__ == "__main__":
    typer.run(main)
