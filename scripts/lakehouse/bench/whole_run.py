"""A whole run, a day more and nothing new, beside a bare script that makes the same tables of the same files.

The bare script is DuckDB alone: one process that runs the SQL that dbt compiled, in dbt's order, into a file of its
own. It has no tests, no documentation, nobody to take out, and no way back if it is killed.
"""

import json
import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console

from lakehouse.bench.measuring import LAKEHOUSE, Measured, figures, heading, run

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
                *figures(runs.scale, one),
                f"{one.cpu_seconds / runs.bare.cpu_seconds:.1f}",
                f"{100 * one.cpu_seconds / runs.everything.cpu_seconds:.0f}",
            )
    console.print(grid)


def measure(project: Path, work: Path, scale: int) -> Runs:
    """Measures one size, from nothing."""
    folder = folder_of(work, scale)
    shutil.rmtree(folder, ignore_errors=True)
    source = make_source(folder, scale)
    command, environment = run_of(folder)
    day = largest_day(source)
    day.rename(folder / day.name)
    everything = run(command, environment, project)
    bare = run([sys.executable, "-c", BARE, str(project), str(folder)], environment)
    (folder / day.name).rename(day)
    return Runs(scale, bare, everything, run(command, environment, project), run(command, environment, project))


def built_at(project: Path, work: Path, scale: int) -> Path:
    """The folder of the runs at a size, in which everything is built; what is there already is taken."""
    folder = folder_of(work, scale)
    if not (folder / "lakehouse.duckdb").exists():
        shutil.rmtree(folder, ignore_errors=True)
        make_source(folder, scale)
        command, environment = run_of(folder)
        run(command, environment, project)
    return folder


def folder_of(work: Path, scale: int) -> Path:
    """Where a size is measured."""
    return work / f"whole_x{scale}"


def make_source(folder: Path, scale: int) -> Path:
    """Makes the sample of a size."""
    source = folder / "source"
    run([LAKEHOUSE, "sample", "--to", str(source), "--scale", str(scale)], {})
    return source


def run_of(folder: Path) -> tuple[list[str], dict[str, str]]:
    """A whole run of a folder's source, and its environment."""
    command = [LAKEHOUSE, "run", "--source", str(folder / "source"), "--dataset", "bench"]
    return command, {
        "LANDING_ZONE": str(folder / "zone"),
        "DUCKDB_PATH": str(folder / "lakehouse.duckdb"),
        "PSEUDONYM_KEY": secrets.token_hex(32),
    }


def largest_day(source: Path) -> Path:
    """The largest file of events."""
    return max((source / "sparkify/log_data").rglob("*.json"), key=lambda file: file.stat().st_size)


def build_bare(project_dir: str, folder: str) -> None:
    """Makes every table of the last run once more, by DuckDB alone, in a file beside that run's.

    It parses the zone's JSON once. The snapshot and what reads it are left out: the past is no query.
    """
    manifest = json.loads((Path(project_dir) / "target/manifest.json").read_text(encoding="utf-8"))
    built = Path(folder) / "lakehouse.duckdb"
    bare = Path(folder) / "bare" / built.name  # tables are called by the name of their database, which is its file's
    bare.parent.mkdir()
    seeds = [node for node in manifest["nodes"].values() if node["resource_type"] == "seed"]
    with duckdb.connect(str(bare)) as connection:
        connection.execute(f"attach '{built}' as built (read_only)")
        for (schema,) in connection.execute(
            "select schema_name from duckdb_schemas() where database_name = 'built'"
        ).fetchall():
            connection.execute(f"create schema if not exists {schema}")
        for name in ["loader.ledger", *(f"{seed['schema']}.{seed['alias']}" for seed in seeds)]:
            connection.execute(f"create table {name} as from built.{name}")
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            "where database_name = 'built' and suffix(table_name, '__rows')"
        ).fetchall():
            copy_raw(connection, schema, name)
        for (sql,) in connection.execute(
            "select sql from duckdb_views() where database_name = 'built' and not internal"
        ).fetchall():
            connection.execute(sql)
        for node in models_in_order(manifest["nodes"]):
            connection.execute(f"create table {node['relation_name']} as {node['compiled_code']}")


def copy_raw(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> None:
    """Parses the objects that a landing table of the attached run holds, into a table of the same name and columns."""
    columns = dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() "
            "where database_name = 'built' and schema_name = ? and table_name = ? order by column_index",
            [schema, name],
        ).fetchall()
    )
    from_ledger = [column for column in ("object_key", "landed_at") if column in columns]
    objects = f"(select distinct {', '.join(from_ledger)} from built.{schema}.{name})"  # noqa: S608 - the run's own names
    keys = [key for (key,) in connection.sql(f"select object_key from {objects}").fetchall()]  # noqa: S608 - the same
    if not keys:
        connection.execute(f"create table {schema}.{name} as from built.{schema}.{name}")
        return
    zone = os.environ["LANDING_ZONE"]
    names = ", ".join(f'{"objects" if column in from_ledger else "files"}."{column}"' for column in columns)
    of_records = {column: kind for column, kind in columns.items() if column not in from_ledger}
    reader = f"format = 'newline_delimited', compression = 'gzip', filename = 'file', columns = {of_records}"
    connection.execute(
        f"create table {schema}.{name} as select {names} from read_json(?, {reader}) as files "  # noqa: S608 - the same
        f"inner join {objects} as objects on files.file = '{zone}/' || objects.object_key",
        [[f"{zone}/{key}" for key in keys]],
    )


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
