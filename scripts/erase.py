"""Erases people from the landing zone and from the database, and looks for them afterwards."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.dbt_session import UNCOUNTED, DbtSession
from lakehouse.erasing import Erasing
from lakehouse.errors import DbtError, LandingError
from lakehouse.person_search import checked_addresses
from lakehouse.pseudonyms import PseudonymKey, key_for, public_datasets
from lakehouse.reporting import ConsoleReporter
from lakehouse.sources import load_tables
from lakehouse.storage import is_s3

PROJECT_DIR = Path(__file__).resolve().parents[1]


def main(  # noqa: PLR0913 - one parameter an option
    *,
    zone: Annotated[str, typer.Option(help="Landing zone, a folder or s3:// prefix.")],
    email: Annotated[list[str] | None, typer.Option(help="Address of a person; may stand several times.")] = None,
    file: Annotated[Path | None, typer.Option(help="File of addresses, one a line.")] = None,
    target: Annotated[str, typer.Option(help="Output of profiles.yml: duckdb, redshift or athena.")] = "duckdb",
    dataset: Annotated[str, typer.Option(help="Name of the data, by default that of the zone's folder.")] = "",
    exact: Annotated[
        bool, typer.Option("--exact", help="Erase by these very letters only, not by every spelling of the address.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what is there, and change nothing.")] = False,
) -> None:
    """Erase people from the landing zone and the database, and look for them afterwards.

    Exit code 0: nothing of them is left; 1: something is, or the build failed; 2: it could not be done; 4: a fault of
    this program.
    """
    sys.argv[1:] = []  # dbt keeps the command line in its log and in what it makes, and here it holds addresses
    reporter = ConsoleReporter()
    zone = zone if is_s3(zone) else str(Path(zone).absolute())
    os.environ["LANDING_ZONE"] = zone  # dbt reads it, too
    try:
        addresses = checked_addresses(email or [], file, exact=exact)
    except LandingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    try:
        _go_to_project()
        name = dataset or zone.rstrip("/").rpartition("/")[2]
        dbt = DbtSession(PROJECT_DIR, target, name, reporter.console, variables=UNCOUNTED)
        dbt.parse()
        erasing = Erasing(zone, load_tables(PROJECT_DIR), addresses, dbt, reporter, _key(name), exact=exact)
        if dry_run:
            erasing.dry_run()
        elif not erasing.run():
            raise typer.Exit(1)
    except (LandingError, DbtError) as error:
        typer.echo(f"error: {error}", err=True)
        typer.echo("what was erased stays erased; erase again when this is mended", err=True)
        raise typer.Exit(2) from error


def _go_to_project() -> None:
    """Goes where `make run` builds: dbt opens, or makes, the database in the folder that it is called in."""
    if os.environ.get("DUCKDB_PATH"):
        os.environ["DUCKDB_PATH"] = str(Path(os.environ["DUCKDB_PATH"]).absolute())
    os.chdir(PROJECT_DIR)


def _key(dataset: str) -> PseudonymKey | None:
    """The key of the pseudonyms; erasing goes without one, too, if not as far."""
    try:
        return key_for(dataset, public_datasets(PROJECT_DIR))
    except LandingError:
        return None


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)  # it would print the addresses
    app.command()(main)
    try:
        app()
    except Exception:  # Python would exit with 1, which says that something is still found
        traceback.print_exc()
        sys.exit(4)
