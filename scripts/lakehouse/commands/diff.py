"""What the working tree changes against a base revision, in Markdown, as a pull request shows it."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.commands import DatasetName, Scale, Source, Sources
from lakehouse.console import ConsoleReporter
from lakehouse.diff.difference import find_difference
from lakehouse.diff.markdown import render, summary
from lakehouse.diff.revision import find_base
from lakehouse.diff.sides import WORK_FOLDER, Base, Head, alone_in, check_data
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import DbtError, ExitCode, LakehouseError, with_hint
from lakehouse.pipeline.dataset import Dataset, separated
from lakehouse.pipeline.project import find_project, go_to, seen_from
from lakehouse.storage.owner_only import narrow

EXAMPLES = ("diff", "diff --base main --output diff.md", "diff --source ../shared/data/udacity --full")


class ChangeFailsError(LakehouseError):
    """What the working tree changes cannot be built, or fails a test; the report says what."""

    exit_code = ExitCode.FAILED


@stops_in_one_line("What was built of the base stays. The same command goes on from there.")
def main(  # noqa: PLR0913 - one parameter an option
    *,
    base: Annotated[
        str, typer.Option(help="Revision to compare with; seen from where the working tree left it.")
    ] = "main",
    output: Annotated[Path | None, typer.Option(help="File for the Markdown; the standard output by default.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Build and test everything, not what changes alone.")] = False,
    source: Source = None,
    sources: Sources = "",
    dataset: DatasetName = None,
    scale: Scale = 1.0,
) -> None:
    """Tell in Markdown what the working tree changes: models, rows, tags of personal data, tests.

    The base is built once, by its own command, from sample data or yours, on DuckDB, in .diff. What the working tree
    has otherwise, and what depends on it, is built and tested on a copy of the base's database. Your own database and
    landing zone are left alone. Of people, no value is shown, but a hash. Ends with 1 if something fails.
    """
    reporter = ConsoleReporter(stderr=True)
    project = find_project()
    report = None if output is None else output.absolute()
    data = Dataset.named(project, seen_from(project, [*(source or []), *separated(sources)]), dataset, scale)
    check_data(data)
    go_to(project)
    commit = find_base(project, base)
    work = project / WORK_FOLDER
    with alone_in(work), redirect_stdout(sys.stderr), with_hint(f"dbt's log: {work}/head/logs/dbt.log", DbtError):
        narrow([work])
        of_base = Base(work, commit, data, reporter)
        found = find_difference(of_base, Head(work, of_base, data, reporter), commit, full=full, reporter=reporter)
    text = render(found)
    if report is None:
        typer.echo(text)
    else:
        report.write_text(text, encoding="utf-8")
    reporter.heading(summary(found))
    if report is not None:
        reporter.say(f"{'report:':18}{report}")
    reporter.say(f"{'built in:':18}{work}/head/lakehouse.duckdb, beside {of_base.database}")
    if found.verdict.failures:
        raise ChangeFailsError(
            f"{len(found.verdict.failures)} of what changes cannot be built, or fails: the report says what"
        )
