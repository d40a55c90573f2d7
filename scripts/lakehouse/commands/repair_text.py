"""Finds text of the landed records that was encoded twice, and lands what it said before."""

from typing import Annotated

import typer

from lakehouse.console import ConsoleReporter, counted
from lakehouse.declaration import load_tables
from lakehouse.derived.text_repair import repair_text
from lakehouse.ending import stops_in_one_line
from lakehouse.pipeline.project import find_project
from lakehouse.storage.owner_only import protect

EXAMPLES = ("repair-text --zone landing/sample",)


@stops_in_one_line("What has landed stays. The same command begins anew.")
def main(zone: Annotated[str, typer.Option(help="Landing zone, a folder or an s3:// prefix.")]) -> None:
    """Find text of the landed records that was encoded twice, and land what it said before."""
    reporter = ConsoleReporter()
    project = find_project()
    protect(project, zone, reporter)
    report = repair_text(zone, load_tables(project), reporter.say)
    news = "landed in text_repairs" if report.changed else "which text_repairs has already"
    typer.echo(f"{counted(report.values, 'garbled value')}, {counted(report.repairs, 'distinct repair')}, {news}")
