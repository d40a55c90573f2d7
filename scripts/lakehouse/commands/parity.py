"""Whether all engines agree: builds every model on each of them from the same parts, and compares every row."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from lakehouse.commands import DatasetName, Scale, Source, Sources
from lakehouse.console import ConsoleReporter
from lakehouse.ending import stops_in_one_line
from lakehouse.environment import variables
from lakehouse.errors import ExitCode, LakehouseError, LandingError
from lakehouse.parity.build import build_and_dump, copy_zone
from lakehouse.parity.compare import TOLERANCE, Comparison, compare, explain
from lakehouse.pipeline.dataset import Dataset, separated
from lakehouse.pipeline.project import find_project, go_to, seen_from
from lakehouse.storage.folder import is_s3
from lakehouse.storage.owner_only import protect

WORK_FOLDER = ".parity"
REFERENCE = "duckdb"
OTHERS = ("athena", "redshift")
EXAMPLES = ("parity --scale 0.05 --select +songplays",)


class EnginesDifferError(LakehouseError):
    """Engines give other rows of the same data."""

    exit_code = ExitCode.FAILED


@stops_in_one_line("What was dumped so far is in .parity. The same command begins anew.")
def main(
    *,
    source: Source = None,
    sources: Sources = "",
    dataset: DatasetName = None,
    scale: Scale = 1.0,
    select: Annotated[list[str] | None, typer.Option(help="Models, as dbt selects them; all by default.")] = None,
) -> None:
    """Build every model on DuckDB, Athena and Redshift from the same parts, and compare every row.

    The engines are the outputs of profiles.yml. LANDING_ZONE must be on S3, where Athena and Redshift read it; DuckDB
    reads a copy, byte for byte. Fails where engines differ. What each of them said stays in .parity.
    """
    reporter = ConsoleReporter()
    project = find_project()
    data = Dataset.named(project, seen_from(project, [*(source or []), *separated(sources)]), dataset, scale)
    go_to(project)
    protect(project, data.zone, reporter)
    work = project / WORK_FOLDER
    build_everywhere(data, work, [models for some in select or [] for models in some.split()], reporter)
    differing = compare_all(work, reporter)
    if differing:
        raise EnginesDifferError(f"engines differ on {differing} relations")


def build_everywhere(data: Dataset, work: Path, select: list[str], reporter: ConsoleReporter) -> None:
    """Lands the data once, and builds models of it on every engine.

    Raises:
        SampleError: The sample cannot be made.
        LandingError: The data cannot be landed.
        DbtError: Something cannot be built.
        DumpError: Something cannot be written down.
    """
    if not is_s3(data.zone):
        raise LandingError(f"Athena and Redshift read S3 only, LANDING_ZONE is {data.zone}: `make parity` sets one up")
    shutil.rmtree(work, ignore_errors=True)
    data.check()
    data.land(reporter)
    copy = work / "landing"
    copy_zone(data.zone, copy)
    for engine in (REFERENCE, *OTHERS):
        reporter.heading(f"build on {engine}")
        zone = str(copy) if engine == "duckdb" else data.zone
        with variables({"LANDING_ZONE": zone, "DUCKDB_PATH": str(work / "lakehouse.duckdb")}):
            build_and_dump(data, engine, work / engine, select, reporter)


def compare_all(work: Path, reporter: ConsoleReporter) -> int:
    """Prints a line for every relation, and the differences; gives the number of relations that differ."""
    reporter.heading(f"compare with {REFERENCE}: all rows, all values, floats to {TOLERANCE:g} of their size")
    one = work / REFERENCE / "rows"
    found = {engine: {c.relation: c for c in compare(one, work / engine / "rows")} for engine in OTHERS}
    differing = 0
    for relation in sorted({name for comparisons in found.values() for name in comparisons}):
        comparisons = {engine: found[engine][relation] for engine in OTHERS if relation in found[engine]}
        differing += not all(comparison.is_same for comparison in comparisons.values())
        print_comparison(relation, comparisons, reporter)
    return differing


def print_comparison(relation: str, comparisons: Mapping[str, Comparison], reporter: ConsoleReporter) -> None:
    """Prints how a relation is on the engines."""
    verdicts = ", ".join(f"{engine} {'agrees' if c.is_same else 'DIFFERS'}" for engine, c in comparisons.items())
    reporter.say(f"{relation:44} {max(c.rows for c in comparisons.values()):>10,} rows  {verdicts}")
    for engine, comparison in comparisons.items():
        if not comparison.is_same:
            for line in explain(comparison, REFERENCE, engine):
                reporter.say(f"    {line}")
