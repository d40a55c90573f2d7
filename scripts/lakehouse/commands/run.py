"""The whole way of the data in one command: land, register, build, test, document. `make run` calls it."""

import os
from typing import Annotated

import typer

from lakehouse.commands import DatasetName, Scale, Source, Sources, Target
from lakehouse.console import ConsoleReporter, counted
from lakehouse.ending import stops_in_one_line
from lakehouse.environment import in_environment
from lakehouse.errors import BuildError, DbtError, LandingError
from lakehouse.pipeline.databases import Database, open_database
from lakehouse.pipeline.dataset import Dataset, separated
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.project import find_project, go_to, seen_from, with_logs_named
from lakehouse.pipeline.targets import check_target
from lakehouse.storage.owner_only import protect
from lakehouse.storage.zone import NO_ZONE_YET

EXAMPLES = (
    "run",
    "run --source ../shared/data/udacity --max-rejects 100",
    "run --source s3://udacity-dend --source s3://cd0030bucket --dataset mine",
)


@stops_in_one_line("What has landed stays. The same command goes on from there.")
def main(  # noqa: PLR0913 - one parameter an option
    *,
    source: Source = None,
    sources: Sources = "",
    dataset: DatasetName = None,
    target: Target = "duckdb",
    scale: Scale = 1.0,
    max_rejects: Annotated[
        int | None, typer.Option(min=0, help="How many refused records are allowed before the load stops.")
    ] = None,
    forget_vanished: Annotated[
        bool, typer.Option("--forget-vanished", help="Remove the records of files gone from their source.")
    ] = False,
) -> None:
    """Land raw JSON, register it, build and test every model, and build the docs site."""
    reporter = ConsoleReporter()
    project = find_project()
    places = seen_from(project, [*(source or []), *separated(sources)])
    data = Dataset.named(project, places, dataset, scale)
    os.environ["LANDING_ZONE"] = data.zone  # dbt reads it, too
    go_to(project)
    protect(project, data.zone, reporter)
    check_target(project, target)
    data.check()
    was_erased_from = data.was_erased_from()
    if was_erased_from:
        reporter.say(f"people were erased from {data.zone}: the known counts of {data.name} do not apply to it")
    dbt = DbtSession(project, target, data.name, reporter.console, has_known_counts=not was_erased_from)
    with with_logs_named(project):
        dbt.parse()
        zone_id = data.zone_id() or NO_ZONE_YET
        with open_database(dbt, zone_id) as database:
            dbt.operation("preflight", zone_id=zone_id)
            refused = land(data, dbt, database, reporter, max_rejects, forget_vanished=forget_vanished)
            build_all(data, dbt, database, reporter)
    if refused:
        reporter.warn(
            f"{counted(refused, 'record')} in quarantine, with the reasons: {in_environment('loader')}.quarantine"
        )


def land(  # noqa: PLR0913 - what a load is told
    data: Dataset,
    dbt: DbtSession,
    database: Database,
    reporter: ConsoleReporter,
    max_rejects: int | None,
    *,
    forget_vanished: bool,
) -> int:
    """Lands the data, and gives the number of records in quarantine.

    If that fails, somebody's withdrawal may have landed before it did: who withdrew is taken out all the same.

    Raises:
        SampleError: The sample cannot be made.
        LandingError: The data cannot be landed.
    """
    try:
        return data.land(reporter, max_rejects, forget_vanished=forget_vanished)
    except LandingError:
        if database.exists and data.zone_id() is not None:
            try:
                withdraw(data, dbt, reporter)
            except DbtError as error:
                reporter.warn(f"who withdrew may still be published: {error}")
        raise


def withdraw(data: Dataset, dbt: DbtSession, reporter: ConsoleReporter) -> None:
    """Registers the landing zone, and takes whoever does not consent out of what is published.

    The tables that tell who consents are registered first, so that a table that cannot be registered keeps nobody in.

    Raises:
        DbtError: Something failed.
    """
    reporter.heading(f"register on {dbt.target}")
    try:
        dbt.register(data.zone_id() or "")
    except DbtError:
        dbt.operation("print_load_errors")
        dbt.operation("withdraw_people")
        raise
    dbt.operation("withdraw_people")


def build_all(data: Dataset, dbt: DbtSession, database: Database, reporter: ConsoleReporter) -> None:
    """Registers the landing zone, builds and tests every model, and builds the site.

    People who do not consent are taken out first: no build that fails keeps them in. The sources' age is told before
    the build, which does not begin on one that is too old. The row counts are printed whether or not a test failed:
    they show where to look.

    Raises:
        LandingError: The database cannot be written.
        DbtError: Something failed.
    """
    withdraw(data, dbt, reporter)
    reporter.heading(f"build on {dbt.target}")
    with database.building(reporter.say) as attempt:
        dbt.freshness()
        try:
            dbt.build()
        except BuildError as failed:
            dbt.operation("print_row_counts", not_built=sorted(failed.unfinished))
            raise
        attempt.has_passed = True
        dbt.operation("print_row_counts")
        dbt.operation("print_reidentification_risk")
        site = dbt.docs()
    reporter.say("")
    for what, where in {"database": database.where, "docs and lineage": site}.items():
        reporter.say(f"{what + ':':18}{where}")
