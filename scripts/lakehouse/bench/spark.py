"""STEDI's five tables by Spark, in one session and in five processes as Glue's jobs, beside register and `dbt run`.

All run the same SQL: dbt compiles it for DuckDB, and sqlglot writes it for Spark. All read the same raw JSON, write
the same rows, and test nothing.
"""

import importlib.util
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from rich.console import Console
from sqlglot import exp

from lakehouse.bench.measuring import BIN, LAKEHOUSE, BenchError, Measured, figures, heading, run
from lakehouse.bench.whole_run import built_at
from lakehouse.declaration import Kind, Table, load_tables

JOB = Path(__file__).with_name("spark_job.py")
TABLES = (
    "stedi.customer_trusted",
    "stedi.accelerometer_trusted",
    "stedi.customer_curated",
    "stedi.step_trainer_trusted",
    "stedi.machine_learning_curated",
)
"""In the order in which five jobs make them."""
SPARK_TYPES: Mapping[Kind, str] = {
    "integer": "int",
    "bigint": "bigint",
    "double precision": "double",
    "varchar": "string",
    "boolean": "boolean",
}
SPARK = [
    str(BIN / "spark-submit"), "--master", "local[*]", "--driver-memory", "4g",
    "--conf", "spark.ui.enabled=false", "--conf", "spark.log.level=ERROR",
]  # fmt: skip


@dataclass(frozen=True)
class BesideSpark:
    """What STEDI's five tables took at one size, on what."""

    scale: int
    dbt: Measured
    one_session: Measured
    five_processes: Measured


def beside_spark(console: Console, project: Path, work: Path, scales: Iterable[int]) -> None:
    """Compares at several sizes of the sample, with the runs that were measured, if they are still there."""
    if importlib.util.find_spec("pyspark") is None:
        console.print("NOT MEASURED: Spark, which is not installed; make bench does it")
        return
    show(console, [measure(project, built_at(project, work, scale), scale) for scale in scales])


def measure(project: Path, folder: Path, scale: int) -> BesideSpark:
    """Measures one size.

    Args:
        project: The project.
        folder: Where the zone and the database of a run are, and room for more.
        scale: The size.

    Raises:
        BenchError: Something does not run, or gives other rows.
    """
    built = folder / "lakehouse.duckdb"
    environment = {"LANDING_ZONE": str(folder / "zone"), "DUCKDB_PATH": str(built)}
    dbt = [str(BIN / "dbt"), "--quiet"]
    run([*dbt, "compile", "--target-path", str(folder / "target")], environment, project)
    manifest = json.loads((folder / "target/manifest.json").read_text(encoding="utf-8"))
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    with duckdb.connect(str(built), read_only=True) as connection:
        plan = plan_of(nodes, connection, load_tables(project), environment["LANDING_ZONE"])
    plan_file = folder / "spark_plan.json"
    measured = []
    for jobs in ([TABLES], [(name,) for name in TABLES]):
        tables = folder / f"spark_{len(jobs)}"
        plan_file.write_text(json.dumps({**plan, "tables": str(tables)}), encoding="utf-8")
        python = {"PYSPARK_PYTHON": sys.executable}
        done = [run([*SPARK, str(JOB), str(plan_file), *map(flat, job)], python) for job in jobs]
        check_rows(built, tables)
        measured.append(together(done))
    (folder / "dbt").mkdir(exist_ok=True)
    (folder / "dbt" / built.name).unlink(missing_ok=True)
    apart = environment | {"DUCKDB_PATH": str(folder / "dbt" / built.name)}
    models = [".".join(key.split(".")[2:]) for key in needed(nodes)]
    registered = run([LAKEHOUSE, "register", "--dataset", "bench"], apart, project)
    return BesideSpark(
        scale, together([registered, run([*dbt, "run", "--select", *models], apart, project)]), *measured
    )


def plan_of(
    nodes: Mapping[str, Any], connection: duckdb.DuckDBPyConnection, declared: Mapping[str, Table], zone: str
) -> dict[str, Any]:
    """What Spark is to make, and of what.

    Args:
        nodes: Of the manifest.
        connection: To the database of a run.
        declared: The landing tables.
        zone: The landing zone, a folder.
    """
    models = {}
    sources = {}
    for key in needed(nodes):
        query = sqlglot.parse_one(nodes[key]["compiled_code"], read="duckdb")
        reads = set()
        for table in [table for table in query.find_all(exp.Table) if table.db]:
            name = f"{table.db}.{table.name}"
            reads.add(flat(name))
            table.replace(exp.to_table(flat(name), alias=table.alias or table.name))
            if table.name in declared:
                sources[flat(name)] = raw_of(connection, name, declared[table.name], zone)
        name = relation_of(nodes[key])
        models[flat(name)] = {
            "sql": query.sql(dialect="spark"),
            "reads": sorted(reads),
            "is_table": name in TABLES,
        }
    return {"models": models, "sources": sources}


def needed(nodes: Mapping[str, Any]) -> list[str]:
    """The unique ids of the models that make the tables, and of those before them."""
    found: list[str] = []
    ahead = [key for key in nodes if relation_of(nodes[key]) in TABLES]
    while ahead:
        key = ahead.pop()
        if key in nodes and key not in found:
            found.append(key)
            ahead += nodes[key]["depends_on"]["nodes"]
    return found


def raw_of(connection: duckdb.DuckDBPyConnection, name: str, table: Table, zone: str) -> dict[str, Any]:
    """Where the records of a landing table are, of what types they are, and when each file was landed."""
    schema = ", ".join(f"`{column.name}` {SPARK_TYPES[column.kind]}" for column in table.record_columns)
    if table.name == "ledger":
        return {"files": [f"{zone}/{table.folder}"], "schema": schema, "landed_at": None}
    has_time = len(table.record_columns) < len(table.columns)
    columns = "object_key, landed_at" if has_time else "object_key, null"
    objects = connection.execute(f"select distinct {columns} from {name}__rows").fetchall()  # noqa: S608 - the run's own names
    return {
        "files": [f"{zone}/{key}" for key, _ in objects],
        "schema": schema,
        "landed_at": [[Path(key).name, landed_at] for key, landed_at in objects] if has_time else None,
    }


def check_rows(built: Path, tables: Path) -> None:
    """Compares every row that Spark wrote with those of a run.

    Raises:
        BenchError: They differ.
    """
    with duckdb.connect(str(built), read_only=True) as connection:
        for name in TABLES:
            files = f"read_parquet('{tables}/{flat(name)}/*.parquet')"
            columns = ", ".join(column for column, *_ in connection.execute(f"describe {name}").fetchall())
            ours, theirs = f"select {columns} from {name}", f"select {columns} from {files}"  # noqa: S608 - our own names
            query = f"select count(*) from (({ours} except all {theirs}) union all ({theirs} except all {ours}))"  # noqa: S608
            if differing := connection.execute(query).fetchall()[0][0]:
                raise BenchError(f"Spark's {name} has {differing} rows that the run's has not, or the other way round")


def together(done: Iterable[Measured]) -> Measured:
    """What several commands took, one after the other."""
    done = list(done)
    return Measured(
        sum(one.seconds for one in done), sum(one.cpu_seconds for one in done), max(one.peak_mb for one in done)
    )


def flat(name: str) -> str:
    """A relation's name as that of a view without a schema."""
    return name.replace(".", "__")


def relation_of(node: Mapping[str, Any]) -> str:
    """A model's schema and name in the database."""
    return f"{node['schema']}.{node['alias']}"


def show(console: Console, measured: Iterable[BesideSpark]) -> None:
    """Prints what was measured."""
    grid = heading(
        console, "STEDI's five tables, without tests",
        "scale", "seconds", "CPU seconds", "peak MB", "times the seconds of dbt", "times its CPU",
    )  # fmt: skip
    for one in measured:
        for name, took in (
            ("register and dbt run", one.dbt),
            ("one Spark session", one.one_session),
            ("five Spark processes", one.five_processes),
        ):
            grid.add_row(
                name,
                *figures(one.scale, took),
                f"{took.seconds / one.dbt.seconds:.1f}",
                f"{took.cpu_seconds / one.dbt.cpu_seconds:.1f}",
            )
    console.print(grid)
