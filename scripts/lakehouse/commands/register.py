"""Makes what has landed visible to an engine, without building anything."""

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from lakehouse.commands import Target
from lakehouse.commands.run import withdraw
from lakehouse.console import ConsoleReporter
from lakehouse.declaration import LOADER, Table, load_tables
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import LandingError
from lakehouse.landing.ledger import LEDGER_FOLDER, ledger_key
from lakehouse.pipeline.copy_region import tell_copy_the_region
from lakehouse.pipeline.databases import open_database
from lakehouse.pipeline.dataset import SAMPLE, Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.project import find_project, go_to, with_logs_named
from lakehouse.pipeline.targets import check_target
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Folder
from lakehouse.storage.zone import give_zone_id

EXAMPLES = (
    "register --dataset udacity",
    "register --dataset mine --target redshift",
)


@stops_in_one_line("What was registered stays. The same command goes on from there.")
def main(
    *,
    dataset: Annotated[str, typer.Option(help="Name of the data that was landed.")] = SAMPLE,
    target: Target = "duckdb",
    part: Annotated[
        bool, typer.Option("--part", help="Only a part of the data was landed: its known counts do not apply.")
    ] = False,
) -> None:
    """Make a landing zone visible to an engine, and take out of what is published whoever does not consent.

    The zone is LANDING_ZONE, or landing/ and the name of the data. Nothing is built, so that steps
    of a device that not only people who consent have had are out until the next build. `run` does all of it.
    """
    reporter = ConsoleReporter()
    project = find_project()
    data = Dataset.named(project, [], dataset, 1)
    os.environ["LANDING_ZONE"] = data.zone  # dbt reads it, too
    go_to(project)
    check_target(project, target)
    tell_copy_the_region(target, data.zone, reporter.say)
    zone = open_folder(data.zone)
    check_is_whole(zone, load_tables(project))
    zone_id = give_zone_id(zone, reporter.say)
    has_known_counts = not part and not data.was_erased_from()
    dbt = DbtSession(project, target, data.name, reporter.console, has_known_counts=has_known_counts)
    with with_logs_named(project):
        dbt.parse()
        with open_database(dbt, zone_id) as database:
            dbt.operation("preflight", zone_id=zone_id)
            if database.exists:
                withdraw(data, dbt, reporter)
            else:  # a file of DuckDB's that has failed is not left in the place of one
                with database.building(reporter.say) as attempt:
                    withdraw(data, dbt, reporter)
                    attempt.has_passed = True
            reporter.say(f"registered: {data.zone}, in {database.where}")


def check_is_whole(zone: Folder, tables: Mapping[str, Table]) -> None:
    """Checks that every table was landed, be it without a record.

    Raises:
        LandingError: Some were not.
    """
    landed = {stored.key for stored in zone.list(LEDGER_FOLDER)}
    have_records = [name for name, table in tables.items() if table.source_name != LOADER]
    if missing := [name for name in have_records if ledger_key(name) not in landed]:
        raise LandingError(
            f"{zone.location} has no {', '.join(missing)} yet: run `lakehouse land`, `repair-text` and `pseudonymise`, "
            "in this order, or `run`, which takes these steps by itself"
        )
