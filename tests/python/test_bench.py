"""What `make bench` compares is the same work: Spark gets the project's own SQL, and its rows are looked at."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import sqlglot

from dbt_project import DbtProject
from lakehouse.bench.measuring import BenchError
from lakehouse.bench.spark import TABLES, check_rows, flat, plan_of
from lakehouse.declaration import load_tables
from real_data import PROJECT_DIR


@pytest.fixture(scope="module")
def project(built_project: Callable[[str], DbtProject]) -> DbtProject:
    return built_project("sample")


def test_spark_makes_the_tables_of_raw_records_and_of_queries_that_it_can_read(project: DbtProject) -> None:
    manifest = json.loads((project.folder / "target/manifest.json").read_text())
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    with duckdb.connect(str(project.database), read_only=True) as connection:
        plan = plan_of(nodes, connection, load_tables(PROJECT_DIR), str(project.zone))
    models, sources = plan["models"], plan["sources"]
    assert {name for name, model in models.items() if model["is_table"]} == set(map(flat, TABLES))
    assert {read for model in models.values() for read in model["reads"]} <= models.keys() | sources.keys()
    for model in models.values():
        (query,) = sqlglot.parse(model["sql"], read="spark")
        assert query is not None
    assert {"stedi_landing__accelerometer_landing", "loader__ledger"} <= sources.keys()
    files = [file for source in sources.values() for file in source["files"]]
    assert [file for file in files if not Path(file).exists()] == []
    for record in ("`user` string", "`timestamp` bigint"):
        assert record in sources["stedi_landing__accelerometer_landing"]["schema"]
    landed_at = dict(sources["stedi_landing__customer_landing"]["landed_at"])
    assert {Path(file).name for file in sources["stedi_landing__customer_landing"]["files"]} == landed_at.keys()


def test_one_row_that_differs_is_noticed(project: DbtProject, tmp_path: Path) -> None:
    with duckdb.connect(str(project.database), read_only=True) as connection:
        for name in TABLES:
            (tmp_path / flat(name)).mkdir()
            connection.execute(f"copy {name} to '{tmp_path}/{flat(name)}/part.parquet'")
        check_rows(project.database, tmp_path)
        changed = tmp_path / flat("stedi.accelerometer_trusted") / "part.parquet"
        rows = "select * replace (case row_number() over () when 1 then x + 1 else x end as x)"
        connection.execute(f"copy ({rows} from stedi.accelerometer_trusted) to '{changed}'")
    with pytest.raises(BenchError, match=r"accelerometer_trusted has 2 rows"):
        check_rows(project.database, tmp_path)
