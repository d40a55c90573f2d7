"""The tables that answer one question each, brought to a store that answers it by one read."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from lakehouse.commands import Target
from lakehouse.console import ConsoleReporter, counted
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import LandingError, SettingsError
from lakehouse.pipeline.databases import open_database
from lakehouse.pipeline.dataset import SAMPLE, Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.project import find_project, go_to, with_logs_named
from lakehouse.pipeline.targets import check_target
from lakehouse.serving.export import Origin, export, warehouse
from lakehouse.serving.questions import print_questions
from lakehouse.serving.store import Store
from lakehouse.serving.tables import served_tables
from lakehouse.storage.owner_only import protect

EXAMPLES = (
    "export --to dynamodb --dataset udacity",
    "export --to cassandra --target athena --dataset mine",
)


class Kind(StrEnum):
    """The stores that there are."""

    DYNAMODB = "dynamodb"
    CASSANDRA = "cassandra"


@stops_in_one_line("What was exported stays. The same command goes on from there.")
def main(
    *,
    to: Annotated[Kind, typer.Option(help="Keyspaces is asked as Cassandra is; CASSANDRA_HOST says which it is.")],
    dataset: Annotated[str, typer.Option(help="Name of the data that was built.")] = SAMPLE,
    target: Target = "duckdb",
    replace: Annotated[
        bool, typer.Option("--replace", help="Put this data in the place of what another landing zone's export left.")
    ] = False,
    shell: Annotated[
        bool, typer.Option("--shell", help="Open cqlsh afterwards, with the questions to ask (cassandra only).")
    ] = False,
) -> None:
    """Export the tables that answer one question each to DynamoDB, Cassandra or Keyspaces.

    Only what changed is written, after what is gone was deleted. The tables are made where they are missing.
    docs/serving.md tells the keys, the rights and the settings.
    """
    if shell and to is not Kind.CASSANDRA:
        raise SettingsError("--shell opens cqlsh, Cassandra's prompt: it goes with --to cassandra")
    reporter = ConsoleReporter()
    project = find_project()
    data = Dataset.named(project, [], dataset, 1)
    os.environ["LANDING_ZONE"] = data.zone  # dbt reads it, too
    go_to(project)
    protect(project, data.zone, reporter)
    check_target(project, target)
    zone_id = data.zone_id()
    if zone_id is None:
        raise LandingError(f"nothing has landed in {data.zone} yet: run `lakehouse run` first")
    dbt = DbtSession(project, target, data.name, reporter.console, has_known_counts=not data.was_erased_from())
    store = open_store(to)
    try:
        with with_logs_named(project):
            dbt.parse()
            with open_database(dbt, zone_id, tidy=False) as database:
                if not database.exists:
                    raise LandingError(f"{data.name} is not built on {target} yet: run `lakehouse run` first")
                dbt.operation("preflight", zone_id=zone_id)
                reporter.heading(f"export from {target} to {store.where}")
                tables, origin = served_tables(dbt.manifest), Origin(zone_id, data.name)
                done = export(tables, warehouse(dbt), store, origin, reporter, replace=replace)
    finally:
        store.close()
    changed = sum(changes.count for changes in done)
    reporter.say(f"{counted(changed, 'row')} changed" if changed else "nothing to do: the store holds it all already")
    if to is Kind.CASSANDRA:
        print_questions(project, data.name, done, reporter)
    if shell:
        from lakehouse.serving.shell import open_shell  # noqa: PLC0415 - the driver need not be there for DynamoDB

        reporter.say("`exit` or Ctrl-D leaves the prompt.")
        open_shell()


def open_store(kind: Kind) -> Store:
    """Connects to a store.

    Raises:
        ServingError: It cannot be reached.
        SettingsError: A setting is missing, or the driver is not installed.
    """
    if kind is Kind.DYNAMODB:
        from lakehouse.serving.dynamodb import DynamoDB  # noqa: PLC0415 - it takes its time to import

        return DynamoDB()
    try:
        from lakehouse.serving.cassandra import Cassandra, Settings  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise SettingsError("the driver for Cassandra is missing: make .venv/serving.installed") from error
    return Cassandra(Settings.read(os.environ))
