"""Single queries of the project as dbt compiles them for DuckDB, to be run in memory on made-up tables."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from dbt_project import DbtProject


class CompiledQueries:
    """The compiled SQL of a copy of the project, and a database in memory with the tables that it reads."""

    def __init__(self, folder: Path, *selected: str) -> None:
        """Compiles what is selected, as dbt selects it."""
        DbtProject.copy(folder, folder / "zone", "mine").dbt(
            "compile", "--no-introspect", "--no-populate-cache", "--select", *selected
        )
        nodes = json.loads((folder / "target/manifest.json").read_text())["nodes"]
        self.sql = {
            node.get("alias") or node["name"]: node["compiled_code"]
            for node in nodes.values()
            if node.get("compiled_code")
        }
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("attach ':memory:' as lakehouse")

    def put(self, relation: str, columns: str, rows: Iterable[Sequence[object]]) -> None:
        """Makes a table.

        Args:
            relation: Its schema and name.
            columns: Their names and types, as `create table` takes them.
            rows: Its rows.
        """
        schema = relation.partition(".")[0]
        self.connection.execute(f"create schema if not exists lakehouse.{schema}")
        self.connection.execute(f"create or replace table lakehouse.{relation} ({columns})")
        values = [tuple(row) for row in rows]
        if values:
            marks = ", ".join("?" for _ in values[0])
            self.connection.executemany(f"insert into lakehouse.{relation} values ({marks})", values)  # noqa: S608 - our own names

    def fill(self, relation: str, query: str) -> None:
        """Makes a table of a query's rows."""
        schema = relation.partition(".")[0]
        self.connection.execute(f"create schema if not exists lakehouse.{schema}")
        self.connection.execute(f"create or replace table lakehouse.{relation} as {query}")
