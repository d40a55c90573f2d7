"""Erases people from the landing zone and from the database, and looks for them afterwards."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.dbt_session import UNCOUNTED, DbtSession
from lakehouse.erasing import Erasing
from lakehouse.errors import DbtError, LandingError
from lakehouse.person_search import checked_addresses
from lakehouse.pseudonyms import key_of_zone
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
    dry_run: Annotated[bool, typer.Option(help="Say what is there, and change nothing.")] = False,
) -> None:
    """Erase people from the landing zone and the database, and look for them afterwards.

    Exit code 0: nothing of them is left; 1: something is, or the build failed; 2: it could not be done.
    """
    sys.argv[1:] = []  # dbt keeps the command line in its log and in what it makes, and here it holds addresses
    reporter = ConsoleReporter()
    zone = zone if is_s3(zone) else str(Path(zone).absolute())
    os.environ["LANDING_ZONE"] = zone  # dbt reads it, too
    try:
        addresses = checked_addresses(email or [], file)
    except LandingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    try:
        _go_to_project()
        name = dataset or zone.rstrip("/").rpartition("/")[2]
        dbt = DbtSession(PROJECT_DIR, target, name, reporter.console, variables=UNCOUNTED)
        dbt.parse()
        tables = load_tables(PROJECT_DIR)
        erasing = Erasing(zone, tables, addresses, dbt, reporter, key_of_zone(zone, tables))
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


if __name__ == "__main__":
    typer.run(main)
