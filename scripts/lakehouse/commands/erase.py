"""Erases people from the landing zone and from the database, and looks for them afterwards."""

import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.console import ConsoleReporter
from lakehouse.declaration import load_tables
from lakehouse.derived.pseudonyms import key_of_zone
from lakehouse.derived.table import landed_zone
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import DbtError, LandingError
from lakehouse.landing.suppression import allow_again as take_off_the_list
from lakehouse.pipeline.databases import open_database
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.targets import check_target
from lakehouse.privacy.erase import Erasing
from lakehouse.privacy.guard import Guard, NobodyFoundError, NotConfirmedError
from lakehouse.records.needles import checked_addresses
from lakehouse.storage import open_folder
from lakehouse.storage.folder import is_s3
from lakehouse.storage.owner_only import keep_private, protect
from lakehouse.storage.zone import NO_ZONE_YET, zone_id

PROJECT_DIR = Path(__file__).resolve().parents[1]


@stops_in_one_line("What was erased stays erased. Erase again to go on.")
def main(  # noqa: PLR0913 - one parameter an option
    *,
    zone: Annotated[str, typer.Option(help="Landing zone, a folder or s3:// prefix.")],
    email: Annotated[
        list[str] | None,
        typer.Option(
            help="Address of a person; may stand several times. The list of processes shows it while it runs."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="File of addresses, one a line; by default a prompt, or the standard input.")
    ] = None,
    target: Annotated[str, typer.Option(help="Output of profiles.yml: duckdb, redshift or athena.")] = "duckdb",
    dataset: Annotated[str, typer.Option(help="Name of the data, by default that of the zone's folder.")] = "",
    exact: Annotated[
        bool, typer.Option("--exact", help="Erase by these very letters only, not by every spelling of the address.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is there, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: for where nobody can be.")] = False,
    allow_again: Annotated[
        bool, typer.Option("--allow-again", help="Erase nobody, but let those come back who were erased before.")
    ] = False,
) -> None:
    """Erase people from the landing zone and the database, and look for them afterwards.

    Exit code 0: nothing of them is left; 1: something is, or the build failed; 2: it could not be done, or was not
    wanted; 3: of an address, nothing was found anywhere: check the spelling; 4: a fault of this program.
    """
    sys.argv[1:] = []  # dbt keeps the command line in its log and in what it makes, and here it holds addresses
    keep_private()
    reporter = ConsoleReporter()
    zone = zone if is_s3(zone) else str(Path(zone).absolute())
    os.environ["LANDING_ZONE"] = zone  # dbt reads it, too
    if not (dry_run or yes or allow_again or sys.stdin.isatty()):
        typer.echo("error: nobody can be asked here whether this is meant: give --yes, or --dry-run", err=True)
        raise typer.Exit(2)
    try:
        check_target(PROJECT_DIR, target)
        addresses = checked_addresses([*(email or []), *_asked(email, file)], file, exact=exact)
        if allow_again:
            _let_come_back(zone, addresses, reporter)
            return
    except LandingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    try:
        _go_to_project()
        protect(PROJECT_DIR, zone, reporter)
        name = dataset or zone.rstrip("/").rpartition("/")[2]
        tables = load_tables(PROJECT_DIR)
        key = key_of_zone(zone, tables)
        guard = Guard(
            zone, tables, addresses, reporter, key, lambda question: yes or typer.confirm(question), exact=exact
        )
        dbt = DbtSession(PROJECT_DIR, target, name, reporter.console, has_known_counts=False)
        dbt.parse()
        known = zone_id(open_folder(zone)) or NO_ZONE_YET
        with open_database(dbt, known, tidy=not dry_run):
            erasing = Erasing(zone, tables, addresses, dbt, reporter, key, exact=exact, guard=guard)
            if dry_run:
                erasing.dry_run()
            elif not erasing.run():
                raise typer.Exit(1)
    except NobodyFoundError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(3) from error
    except NotConfirmedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except (LandingError, DbtError) as error:
        typer.echo(f"error: {error}", err=True)
        typer.echo("what was erased stays erased; erase again when this is mended", err=True)
        raise typer.Exit(2) from error
    if guard.not_found:
        raise typer.Exit(3)


def _asked(email: list[str] | None, file: Path | None) -> list[str]:
    """The addresses that a person types, or that another program pipes in, where none is given otherwise."""
    if email or file:
        return []
    if sys.stdin.isatty():
        return [typer.prompt("e-mail address of the person (no shell keeps it)")]
    return sys.stdin.read().splitlines()


def _let_come_back(zone: str, addresses: list[str], reporter: ConsoleReporter) -> None:
    """Takes people off the list of those who are kept out.

    Raises:
        LandingError: The list cannot be read or written.
    """
    with landed_zone(zone, reporter.say) as held:
        count = take_off_the_list(held.folder, addresses)
    reporter.say(f"{count:,} of {len(addresses):,} were on the list, and are not any more")
    if count:
        reporter.say(
            "they come back with the next new or changed file that names them. To have them back from a file that was "
            "landed before: move it out of its source, make run FORGET_VANISHED=1, move it back, make run"
        )


def _go_to_project() -> None:
    """Goes where `make run` builds: dbt opens, or makes, the database in the folder that it is called in."""
    if os.environ.get("DUCKDB_PATH"):
        os.environ["DUCKDB_PATH"] = str(Path(os.environ["DUCKDB_PATH"]).absolute())
    os.chdir(PROJECT_DIR)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)  # it would print the addresses
    app.command()(main)
    try:
        app()
    except Exception:  # Python would exit with 1, which says that something is still found
        traceback.print_exc()
        sys.exit(4)
