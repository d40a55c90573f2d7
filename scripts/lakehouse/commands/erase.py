"""Erases people from the landing zone and from the database, and looks for them afterwards."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from lakehouse.commands import Target, Yes, asked, check_that_somebody_is_there
from lakehouse.console import ConsoleReporter
from lakehouse.declaration import load_tables
from lakehouse.derived.pseudonyms import key_of_zone
from lakehouse.derived.table import landed_zone
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import DbtError, ExitCode, LandingError, with_hint
from lakehouse.landing.suppression import allow_again as take_off_the_list
from lakehouse.pipeline.copy_region import tell_copy_the_region
from lakehouse.pipeline.databases import open_database
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.project import find_project, go_to
from lakehouse.pipeline.targets import check_target
from lakehouse.privacy.erase import Erasing
from lakehouse.privacy.guard import Guard, NotConfirmedError
from lakehouse.records.needles import checked_addresses
from lakehouse.site.pages import take_down_report
from lakehouse.storage import open_folder
from lakehouse.storage.folder import is_s3
from lakehouse.storage.owner_only import protect
from lakehouse.storage.zone import NO_ZONE_YET, zone_id

T = TypeVar("T")
EXAMPLES = (
    "erase --zone landing/sample --dry-run",
    "erase --zone landing/sample --file people.txt --yes",
)


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
    target: Target = "duckdb",
    dataset: Annotated[str, typer.Option(help="Name of the data, by default that of the zone's folder.")] = "",
    exact: Annotated[
        bool, typer.Option("--exact", help="Erase by these very letters only, not by every spelling of the address.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is there, and change nothing.")] = False,
    yes: Yes = False,
    allow_again: Annotated[
        bool, typer.Option("--allow-again", help="Erase nobody, but let those come back who were erased before.")
    ] = False,
) -> None:
    """Erase people from the landing zone and the database, and look for them afterwards.

    It asks for the address, shows what there is, and asks whether it is meant. Exit code 0 says that nothing of them is
    left; 1, that something is, or that the build failed.
    """
    sys.argv[1:] = []  # dbt keeps the command line in its log and in what it makes, and here it holds addresses
    reporter = ConsoleReporter()
    zone = zone if is_s3(zone) else str(Path(zone).absolute())
    os.environ["LANDING_ZONE"] = zone  # dbt reads it, too
    if not (dry_run or yes or allow_again):
        check_that_somebody_is_there("--yes, or --dry-run")
    project = find_project()
    check_target(project, target)
    tell_copy_the_region(target, zone, reporter.say)
    addresses = checked_addresses([*(email or []), *_asked(email, file)], file, exact=exact)
    if allow_again:
        _let_come_back(zone, addresses, reporter)
        return
    with with_hint("what was erased stays erased; erase again when this is mended", LandingError, DbtError):
        go_to(project)
        protect(project, zone, reporter)
        name = dataset or zone.rstrip("/").rpartition("/")[2]
        tables = load_tables(project)
        key = key_of_zone(zone, tables)
        guard = Guard(zone, tables, addresses, reporter, key, lambda question: yes or _is_sure(question), exact=exact)
        dbt = DbtSession(project, target, name, reporter.console, has_known_counts=False)
        dbt.parse()
        known = zone_id(open_folder(zone)) or NO_ZONE_YET
        with open_database(dbt, known, tidy=not dry_run):
            erasing = Erasing(zone, tables, addresses, dbt, reporter, key, exact=exact, guard=guard)
            if dry_run:
                erasing.dry_run()
            else:
                take_down_report(project)  # it may show readings of theirs
                if not erasing.run():
                    raise typer.Exit(ExitCode.FAILED)
    if guard.not_found:
        raise typer.Exit(ExitCode.NOBODY_FOUND)


def _asked(email: list[str] | None, file: Path | None) -> list[str]:
    """The addresses that a person types, or that another program pipes in, where none is given otherwise."""
    if email or file:
        return []
    if sys.stdin.isatty():
        return [_answered(lambda: str(typer.prompt("e-mail address of the person (no shell keeps it)")))]
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


def _is_sure(question: str) -> bool:
    return _answered(lambda: typer.confirm(question))


def _answered(ask: Callable[[], T]) -> T:
    """What a person answers.

    Raises:
        NotConfirmedError: They end the input instead.
        KeyboardInterrupt: They end the command instead.
    """
    answer = asked(ask)
    if answer is None:
        raise NotConfirmedError("nothing was erased")
    return answer
