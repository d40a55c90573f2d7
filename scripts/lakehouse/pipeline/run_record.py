"""Runs on record in the database: the tables loader.runs and loader.run_relations, for whoever asks in SQL."""

from lakehouse.console import ConsoleReporter
from lakehouse.errors import DbtError, ExitCode
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.run_report import RunReport, is_unusual
from lakehouse.pipeline.run_watch import RunWatch


def compare_rows(dbt: DbtSession, report: RunReport, reporter: ConsoleReporter, *, is_whole: bool) -> None:
    """Compares the rows with those of the last run that left everything built, and warns of what moved unusually.

    Args:
        dbt: The session.
        report: The run, whose rows have been counted.
        reporter: Warns.
        is_whole: Whether all of the data set is landed: of a part, nothing is unusual.

    Raises:
        DbtError: The runs cannot be read.
    """
    before: dict[str, int] = dict(dbt.ask("tell_rows_before"))  # type: ignore[arg-type]  # pairs, as the macro answers
    moved = {
        relation: before[relation]
        for relation, rows in report.rows.items()
        if is_whole and relation in before and is_unusual(before[relation], rows)
    }
    dbt.tell("rows_compared", before=before, unusual=moved)
    for relation, was in moved.items():
        rows = report.rows[relation]
        reporter.warn(f"{relation} has {rows:,} rows, and had {was:,} in the run before: is that right?")


def record_run(dbt: DbtSession, watch: RunWatch, code: ExitCode, reporter: ConsoleReporter) -> None:
    """Appends a run to the tables. No run fails if they cannot be written: its log has the same."""
    try:
        dbt.operation("record_run", run=_of_run(watch, code), relations=_of_relations(watch.report))
    except DbtError as error:
        reporter.warn(f"the run is not on record in loader.runs, only in logs/runs: {error}")


def _of_run(watch: RunWatch, code: ExitCode) -> dict[str, object]:
    report = watch.report
    return {
        "run_id": report.run_id,
        "dataset": report.dataset,
        "started_at": report.started_at.replace("T", " ").removesuffix("Z"),
        "seconds": round(watch.seconds, 3),
        "outcome": code.name.lower(),
        "relations_built": report.relations_built,
        "tests_passed": report.tests_passed,
        "tests_failed": len(report.failures),
        "records_landed": sum(report.records_landed.values()),
        "records_quarantined": sum(report.quarantine.values()),
        "suspended_people": report.suspended_people,
    }


def _of_relations(report: RunReport) -> list[dict[str, object]]:
    return [
        {
            "run_id": report.run_id,
            "relation": relation,
            "rows_before": report.rows_before.get(relation),
            "rows_after": report.rows.get(relation),
            "rows_expected": report.unexpected_rows.get(relation),
            "seconds": report.relation_seconds.get(relation),
        }
        for relation in sorted({*report.rows, *report.relation_seconds})
    ]
