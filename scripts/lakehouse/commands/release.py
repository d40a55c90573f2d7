"""Makes a release of the training data: a Parquet file and its card, under pseudonyms that no other release has."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.commands import Target
from lakehouse.console import ConsoleReporter, counted
from lakehouse.declaration import load_tables
from lakehouse.derived.release_pseudonyms import land_release_pseudonyms
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import LakehouseError, LandingError
from lakehouse.pipeline.copy_region import tell_copy_the_region
from lakehouse.pipeline.databases import open_database
from lakehouse.pipeline.dataset import SAMPLE, Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.project import find_project, go_to, with_logs_named
from lakehouse.pipeline.releases import Release, recorded_releases, write_release, zone_state
from lakehouse.pipeline.targets import check_target
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Folder
from lakehouse.storage.zone import NO_ZONE_YET

EXAMPLES = (
    "release --dataset udacity",
    "release --dataset udacity --list",
)


class NotReleasedError(LakehouseError):
    """Something went wrong, with the exit code that it has elsewhere, too; no release was written."""


@stops_in_one_line("Nothing was released. The same command begins anew.")
def main(
    *,
    dataset: Annotated[str, typer.Option(help="Name of the data that was landed and is released.")] = SAMPLE,
    target: Target = "duckdb",
    to: Annotated[
        Path | None,
        typer.Option(help="Folder in which each release gets a folder; by default the project's releases/."),
    ] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Only print the releases on record.")] = False,
) -> None:
    """Release the training data (machine_learning_curated v3) with a data card, under new pseudonyms.

    Nothing is released unless every model is built of what is landed now, and every test passes.
    """
    reporter = ConsoleReporter()
    project = find_project()
    folder = project / "releases" if to is None else to.absolute()
    with _nothing_is_released(to or folder), with_logs_named(project):
        data = Dataset.named(project, [], dataset, 1)
        os.environ["LANDING_ZONE"] = data.zone  # dbt reads it, too
        go_to(project)
        zone = open_folder(data.zone)
        zone.check_zone()
        if list_only:
            print_records(recorded_releases(zone), data.zone, reporter)
        else:
            release(data, zone, target, folder, reporter)


@contextmanager
def _nothing_is_released(to: Path) -> Iterator[None]:
    """Says of everything that goes wrong that nothing was released."""
    try:
        yield
    except OSError as error:
        raise NotReleasedError(f"nothing was released: {error.filename or to}: {error.strerror or error}") from error
    except LakehouseError as error:
        told = NotReleasedError(f"nothing was released: {error}")
        told.exit_code = error.exit_code
        for note in getattr(error, "__notes__", ()):
            told.add_note(note)
        raise told from error


def release(data: Dataset, zone: Folder, target: str, to: Path, reporter: ConsoleReporter) -> None:
    """Draws, builds, tests, writes, and says what was released.

    Raises:
        LandingError: Nothing is landed, nobody can be released, somebody landed or erased meanwhile, or a setting
            is missing.
        DbtError: The build or one of its tests failed.
        DumpError: The engine gave a value that cannot be written.
    """
    check_target(data.project_dir, target)
    tell_copy_the_region(target, data.zone, reporter.say)
    dbt = DbtSession(data.project_dir, target, data.name, reporter.console, has_known_counts=not data.was_erased_from())
    dbt.parse()
    zone_id = data.zone_id() or NO_ZONE_YET
    with open_database(dbt, zone_id) as database:
        dbt.operation("preflight", zone_id=zone_id)
        people = land_release_pseudonyms(data.zone, load_tables(data.project_dir), reporter.say, draw_anew=True)
        reporter.say(f"new pseudonyms for {counted(people, 'person')}")
        reporter.heading(f"build and test on {target}")
        before = zone_state(zone)
        dbt.register(data.zone_id() or "")
        dbt.operation("withdraw_people")
        with database.building(reporter.say) as attempt:
            dbt.build()
            attempt.has_passed = True
            written, folder = write_release(dbt, zone, to, lambda: check_unchanged(zone, before))
            print_release(written, folder, dbt, reporter)


def check_unchanged(zone: Folder, before: Mapping[str, str]) -> None:
    """Checks that what was built is what is landed now.

    Raises:
        LandingError: Something was landed or erased meanwhile.
    """
    if zone_state(zone) != before:
        raise LandingError(f"something was landed or erased in {zone.location} meanwhile: run it again")


def print_release(release: Release, folder: Path, dbt: DbtSession, reporter: ConsoleReporter) -> None:
    """Prints what was released, what it gives away, and where it is."""
    reporter.heading(f"release {release.release_id}")
    dbt.operation("print_reidentification_risk")
    figures = release.figures
    reporter.say(
        f"\n{counted(figures.people, 'person')}, {counted(figures.sessions, 'session')}, {counted(figures.rows, 'row')}"
    )
    reporter.say(f"data and its card: {folder}")
    reporter.say("A released file cannot be called back: note to whom you give it. --list tells what was released.")


def print_records(releases: list[Release], zone: str, reporter: ConsoleReporter) -> None:
    """Prints the releases that a landing zone has on record."""
    for one in releases:
        figures = one.figures
        reporter.say(
            f"{one.release_id}  {one.released_at}  {counted(figures.people, 'person')}  {counted(figures.rows, 'row')}"
        )
    reporter.say(f"{len(releases)} releases on record in {zone}/loader/releases")
