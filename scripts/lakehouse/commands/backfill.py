"""Lands the files of some days, each by a load of its own, and builds everything once."""

from typing import Annotated

import typer

from lakehouse.commands import (
    BudgetBytes,
    BudgetRpuSeconds,
    DatasetName,
    LandOnly,
    MaxRejects,
    Scale,
    Source,
    Sources,
    Target,
)
from lakehouse.commands.run import Load, open_dataset, run, start_page_afterwards
from lakehouse.console import ConsoleReporter, counted
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import LandingError
from lakehouse.landing.days import Days, in_words
from lakehouse.pipeline.dataset import Dataset, separated
from lakehouse.pipeline.run_watch import watched
from lakehouse.pipeline.spending import Budget

EXAMPLES = (
    "backfill 2018-11-01 2018-11-30 --source ../shared/data/udacity",
    "backfill 2018-11-01 2018-11-03 --source s3://udacity-dend --dataset mine --target athena --allow-gaps",
)


@stops_in_one_line("The days that have landed stay. The same command goes on with the next one.")
def main(  # noqa: PLR0913 - one parameter an option
    first: Annotated[str, typer.Argument(metavar="FROM", help="The first day, as 2018-11-01.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="The last day, which is landed, too.")],
    *,
    source: Source = None,
    sources: Sources = "",
    dataset: DatasetName = None,
    target: Target = "duckdb",
    scale: Scale = 1.0,
    max_rejects: MaxRejects = None,
    allow_gaps: Annotated[
        bool, typer.Option("--allow-gaps", help="Go on where a day has no file; without it, nothing is landed then.")
    ] = False,
    land_only: LandOnly = False,
    budget_bytes: BudgetBytes = None,
    budget_rpu_seconds: BudgetRpuSeconds = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look only for days without files.")] = False,
) -> None:
    """Land the files of some days, day by day, and build everything once.

    A file is of the day that stands in its path, where the table's `part_by` says so; files whose path tells no day
    are landed, too, with the first day. What is landed of other days stays.

    Every day is landed by a load of its own, and a day that is landed already is not landed again: so the same command
    goes on after a kill, and changes nothing where all is done. The models are built from all that is landed, once
    after the last day, as `run` builds them: after a backfill of every day they hold the rows that a full load gives.
    """
    days = Days.written(first, last)
    reporter = ConsoleReporter()
    data = open_dataset([*(source or []), *separated(sources)], dataset, scale, target, reporter)
    check_gaps(data, days, reporter, allow_gaps=allow_gaps)
    if dry_run:
        return
    budget = Budget(budget_bytes, budget_rpu_seconds)
    with (
        start_page_afterwards(data.project_dir, reporter),
        watched(data.project_dir, data.name, target, budget, reporter) as watch,
    ):
        run(data, watch, reporter, Load(max_rejects, days=days), land_only=land_only)


def check_gaps(data: Dataset, days: Days, reporter: ConsoleReporter, *, allow_gaps: bool) -> None:
    """Checks that every day has a file of every table whose files tell their day, and names the days that have none.

    Raises:
        SampleError: The sample cannot be made.
        LandingError: There is nothing to land, no file tells its day, or days have no file and need one.
    """
    there = data.days(reporter)
    if not there:
        raise LandingError("no file of the sources tells its day in its path: `run` lands them all")
    gaps = {table: missing for table, found in there.items() if (missing := days.without_files(found))}
    for table, found in there.items():
        reporter.say(f"{table} has files of {counted(len(found.intersection(days)), 'day')} of {len(days):,}")
    for table, missing in gaps.items():
        reporter.warn(f"{table} has no file of {in_words(missing)}")
    if gaps and not allow_gaps:
        every = sorted(day for found in there.values() for day in found)
        raise LandingError(
            f"days without files, nothing was landed: the sources have {every[0]} to {every[-1]}. Bring the files, "
            "choose other days, or say that nothing is missing: --allow-gaps"
        )
