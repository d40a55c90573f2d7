"""Draws the site anew from what is built. `make site` calls it; every run draws it at its end."""

import os

from lakehouse.commands import DatasetName, Target
from lakehouse.console import ConsoleReporter
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import LandingError
from lakehouse.pipeline.databases import open_database
from lakehouse.pipeline.dataset import SAMPLE, Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.project import find_project, go_to, with_logs_named
from lakehouse.pipeline.run_report import RunReport
from lakehouse.pipeline.targets import check_target
from lakehouse.site.pages import (
    WANTED,
    are_docs_of,
    is_report_of,
    note_docs,
    publish_docs,
    write_lineage,
    write_report,
    write_start_page,
)
from lakehouse.site.runs import recorded_runs
from lakehouse.site.tables import read_tables
from lakehouse.storage.zone import NO_ZONE_YET

EXAMPLES = (
    "site",
    "site --dataset udacity --target athena",
)


@stops_in_one_line("Each page is there whole, as it was or anew. The same command begins anew.")
def main(*, dataset: DatasetName = None, target: Target = "duckdb") -> None:
    """Draw the site anew from what is built: start page, report, run history, lineage and docs.

    It is of the data that was built last on the target, or of the data set that is named. Nothing is built.
    """
    reporter = ConsoleReporter()
    project = find_project()
    history = recorded_runs(project, dataset, target)
    name = dataset or (history.published.dataset if history.published else SAMPLE)
    data = Dataset.named(project, [], name, 1)
    os.environ["LANDING_ZONE"] = data.zone  # dbt reads it, too
    go_to(project)
    check_target(project, target)
    dbt = DbtSession(project, target, name, reporter.console)
    with with_logs_named(project):
        dbt.parse()
        with open_database(dbt, data.zone_id() or NO_ZONE_YET, tidy=False) as database:
            if not database.exists:
                raise LandingError(f"nothing is built of {name} in {data.zone}: make run builds it, and the site")
            draw(dbt, history.published)
        reporter.say(f"{'site:':18}{write_start_page(project, recorded_runs(project, name, target))}")


def draw(
    dbt: DbtSession, run: RunReport | None, *, is_built: bool = False, made_of: str = "", rows_of: str = ""
) -> None:
    """Draws the pages that need the database: the report, dbt's docs, and the lineage, which needs their manifest.

    Args:
        dbt: The session, which has parsed the project and has the database open.
        run: The run that built what is there; None if none is on record.
        is_built: Whether the session has just built everything.
        made_of: All code and all settings, as a number: docs and lineage of the same are not drawn again.
        rows_of: The database, and what its rows come from: a report of the same is not drawn again.

    Raises:
        DbtError: dbt cannot make its docs.
    """
    if not (made_of and are_docs_of(dbt.project_dir, made_of)):
        docs = dbt.docs(is_built=is_built)
        publish_docs(dbt.project_dir, docs)
        write_lineage(dbt.project_dir, docs.with_name("manifest.json"))
        note_docs(dbt.project_dir, made_of)
    if not (rows_of and is_report_of(dbt.project_dir, rows_of)):
        write_report(dbt.project_dir, run, read_tables(dbt, WANTED), rows_of)
