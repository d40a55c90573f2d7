"""A whole run, a day more and nothing new, beside a bare script that makes the same tables of the same files.

The bare script is DuckDB alone: one process that runs the SQL that dbt compiled, in dbt's order, into a file of its
own. It has no tests, no documentation, nobody to take out, and no way back if it is killed.
"""

import json
import secrets
import shutil
import sys
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console

from lakehouse.bench.measuring import LAKEHOUSE, Measured, heading, run

BARE = "from lakehouse.bench.whole_run import build_bare; import sys; build_bare(*sys.argv[1:])"


@dataclass(frozen=True)
class Runs:
    """What was measured at one size."""

    scale: int
    bare: Measured
    everything: Measured
    day: Measured
    nothing: Measured


def whole_runs(console: Console, project: Path, work: Path, scales: tuple[int, ...]) -> None:
    """Compares whole runs with the bare script, and a day with the whole, at several sizes of the sample."""
    measured = [measure(project, work, scale) for scale in scales]
    grid = heading(
        console, "a whole run: everything, a day of events more, nothing new",
        "scale", "seconds", "CPU seconds", "peak MB", "times the bare script's CPU", "% of everything's CPU",
    )  # fmt: skip
    for runs in measured:
        for name, one in (
            ("the bare script", runs.bare),
            ("everything", runs.everything),
            ("a day more", runs.day),
            ("nothing new", runs.nothing),
        ):
            grid.add_row(
                name,
                f"{runs.scale}",
                f"{one.seconds:.1f}",
                f"{one.cpu_seconds:.1f}",
                f"{one.peak_mb:,.0f}",
                f"{one.cpu_seconds / runs.bare.cpu_seconds:.1f}",
                f"{100 * one.cpu_seconds / runs.everything.cpu_seconds:.0f}",
            )
    console.print(grid)


def measure(project: Path, work: Path, scale: int) -> Runs:
    """Measures one size, from nothing."""
    folder = work / f"whole_x{scale}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    source = folder / "source"
    run([LAKEHOUSE, "sample", "--to", str(source), "--scale", str(scale)], {})
    environment = {
        "LANDING_ZONE": str(folder / "zone"),
        "DUCKDB_PATH": str(folder / "lakehouse.duckdb"),
        "PSEUDONYM_KEY": secrets.token_hex(32),
    }
    command = [LAKEHOUSE, "run", "--source", str(source), "--dataset", "bench"]
    day = largest_day(source)
    day.rename(folder / day.name)
    everything = run(command, environment, project)
    bare = run([sys.executable, "-c", BARE, str(project), str(folder)], environment)
    (folder / day.name).rename(day)
    return Runs(scale, bare, everything, run(command, environment, project), run(command, environment, project))


def largest_day(source: Path) -> Path:
    """The largest file of events."""
    return max((source / "sparkify/log_data").rglob("*.json"), key=lambda file: file.stat().st_size)


def build_bare(project_dir: str, folder: str) -> None:
    """Makes every table of the last run once more, by DuckDB alone, in a file beside that run's.

    The snapshot and what reads it are left out: the past is no query.
    """
    manifest = json.loads((Path(project_dir) / "target/manifest.json").read_text(encoding="utf-8"))
    built = Path(folder) / "lakehouse.duckdb"
    bare = Path(folder) / "bare" / built.name  # tables are called by the name of their database, which is its file's
    bare.parent.mkdir()
    with duckdb.connect(str(built), read_only=True) as connection:
        views = connection.execute(
            "select schema_name, view_name, sql from duckdb_views() where not internal"
        ).fetchall()
        seeds = {
            node["relation_name"]: connection.execute(f"from {node['relation_name']}").fetch_arrow_table()
            for node in manifest["nodes"].values()
            if node["resource_type"] == "seed"
        }
    with duckdb.connect(str(bare)) as connection:
        for schema in {node["schema"] for node in manifest["nodes"].values()} | {schema for schema, *_ in views}:
            connection.execute(f"create schema if not exists {schema}")
        for *_, sql in sorted(views, key=lambda view: view[1] != "ledger"):  # which the others read
            connection.execute(sql)
        for relation, rows in seeds.items():
            connection.register("rows", rows)
            connection.execute(f"create table {relation} as from rows")
        for node in models_in_order(manifest["nodes"]):
            connection.execute(f"create table {node['relation_name']} as {node['compiled_code']}")


def models_in_order(nodes: dict[str, Any]) -> list[Any]:
    """The models, each after those that it reads, without those that read a snapshot."""
    reads = {key: set(node["depends_on"]["nodes"]) for key, node in nodes.items() if node["resource_type"] == "model"}
    left_out = {key for key, node in nodes.items() if node["resource_type"] == "snapshot"}
    ordered = []
    for key in TopologicalSorter(reads).static_order():
        if key in reads and not reads[key] & left_out:
            ordered.append(nodes[key])
        elif key in reads:
            left_out.add(key)
    return ordered
