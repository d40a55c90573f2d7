"""What a person reads after a load."""

from collections.abc import Iterator

from rich.table import Table as Grid

from lakehouse.console import ConsoleReporter, counted
from lakehouse.landing.ledger import QUARANTINE_FOLDER
from lakehouse.landing.outcome import LandingReport, TableReport

SHOWN_LINES = 10


def print_summary(report: LandingReport, reporter: ConsoleReporter) -> None:
    """Prints what a load did: what to look at, then the numbers, then every refused record up to ten."""
    _print_files(report, reporter)
    reporter.console.print(_grid(report))
    done = "would be landed" if report.dry_run else "landed"
    if not report.changed:
        what = "what it is asked for" if report.is_partial else "every record"
        reporter.say(f"nothing to do: {report.zone} holds {what} already")
    else:
        reporter.say(f"{done} in {report.zone}")
    for table in report.tables.values():
        if table.left_out:
            reporter.say(f"{table.name}: {counted(table.left_out, 'file')} of other days, never landed, left for later")
    if report.records_suppressed:
        reporter.warn(
            f"{counted(report.records_suppressed, 'record')} of "
            f"{counted(report.people_suppressed, 'person')} who were erased "
            f"{'would be' if report.dry_run else 'were'} left out "
            "(lakehouse erase --allow-again lets somebody come back)"
        )
    quarantined = sum(table.records_quarantined for table in report.tables.values())
    quarantine = f"{report.zone}/{QUARANTINE_FOLDER}"
    if quarantined and report.dry_run:
        reporter.say(f"{counted(quarantined, 'record')} would be in quarantine")
    elif quarantined:
        reporter.say(f"{counted(quarantined, 'record')} in quarantine: {quarantine}")
    for reject in report.rejects[:SHOWN_LINES]:
        reporter.say(f"  {reject.source_file}:{reject.line}: {reject.reason}")
    if report.records_rejected > SHOWN_LINES:
        more = report.records_rejected - SHOWN_LINES
        reporter.say(f"  and {more:,} more" if report.dry_run else f"  and {more:,} more, in {quarantine}")


def _print_files(report: LandingReport, reporter: ConsoleReporter) -> None:
    """Prints what is to be said of files: of those that belong to tables, and of others."""
    for now, before in sorted({moved for table in report.tables.values() for moved in table.moved.items()}):
        reporter.say(f"note: {now} was {before} before: its files are known, and stay landed as they are")
    for table in report.tables.values():
        for warning in _warnings(table):
            reporter.warn(f"{table.name}: {warning}")
    for link in _shortened(
        [
            f"{path} is a link that leads out of its source, and is not followed: name its folder as a source, too"
            for path in report.leading_out
        ]
    ):
        reporter.warn(link)
    for note in _shortened(
        [f"{path} belongs to no table and is not landed" for path, table in report.unclaimed.items() if not table]
    ):
        reporter.say(f"note: {note}")
    for warning in _shortened(
        [
            f"{path} lies among the files of {table}, and is not landed: no pattern takes its name"
            for path, table in report.unclaimed.items()
            if table
        ]
    ):
        reporter.warn(warning)


def _warnings(table: TableReport) -> Iterator[str]:
    yield from _shortened([f"{file} is a copy of {original}, landed once" for file, original in table.copies.items()])
    yield from _shortened([f"{file} is empty" for file in table.empty])
    yield from _shortened(
        [f"{file} is gone from its source, its records stay (--forget-vanished)" for file in table.vanished]
    )
    yield from _shortened([f"{file} is gone from its source, its records are removed" for file in table.forgotten])
    if not_named := table.files["not named"]:
        yield f"{counted(not_named, 'file')} of sources that this load does not name: what they gave stays landed"
    yield from _shortened(
        [
            f"key {drift.key!r} is not declared: in {counted(drift.records, 'record')}, first {drift.first_seen}"
            for drift in table.drift
        ]
    )
    if table.more_drift:
        yield f"more keys are not declared: records have them {table.more_drift:,} times"


def _shortened(lines: list[str]) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - SHOWN_LINES
    return [*lines[:SHOWN_LINES], f"and {more:,} more"] if more > 0 else lines


def _grid(report: LandingReport) -> Grid:
    grid = Grid(title="would land" if report.dry_run else None, collapse_padding=True, pad_edge=False)  # 80 columns
    grid.add_column("table", no_wrap=True)
    for heading in ("files", "new", "same", "found", "landed\nnow", "landed\nin all", "in quar-\nantine"):
        grid.add_column(heading, justify="right", no_wrap=True)
    for table in report.tables.values():
        numbers = (
            sum(table.files.values()),
            table.files["new"] + table.files["changed"],
            table.files["unchanged"],
            table.records_found,
            table.records_new,
            table.records_landed,
            table.records_quarantined,
        )
        grid.add_row(table.name, *(f"{number:,}" for number in numbers))
    return grid
