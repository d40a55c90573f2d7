"""This project's own models, built and tested by the unmodified adapter on the local endpoint."""

# ruff: noqa: S608 - the statements are this test's own
from __future__ import annotations

from pathlib import Path

import pytest
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner

from dbt_project import DbtProject, environment, name_of
from lakehouse.landing import land
from lakehouse.sample import generate
from lakehouse.sources import Table, load_tables
from lakehouse.text_repair import repair_text
from local_aws.athena.client import Client
from real_data import PROJECT_DIR

_HIVE_TYPES = {"integer": "int", "double precision": "double"}
_SCHEMAS = {"sparkify": "sparkify_landing", "stedi": "stedi_landing", "loader": "loader"}


def upload(client: Client, zone: Path) -> None:
    for path in sorted(zone.rglob("*")):
        if path.is_file() and path.name != ".lock":
            client.put(f"landing/{path.relative_to(zone).as_posix()}", path.read_bytes())


def hive_type(declared: str) -> str:
    return "string" if declared.startswith("varchar") else _HIVE_TYPES.get(declared, declared)


def register(client: Client, table: Table, schema: str) -> None:
    """An external table over the zone's objects, and before it a view of those that the ledger names."""
    columns = ", ".join(f"`{column.name}` {hive_type(column.type)}" for column in table.columns)
    is_book = table.source_name == "loader"
    name = table.name if is_book else f"{table.name}_objects"
    client.execute(f"create schema if not exists {schema}")
    client.execute(
        f"create external table if not exists {schema}.{name} ({columns}) "
        "row format serde 'org.openx.data.jsonserde.JsonSerDe' "
        f"location 's3://{client.bucket}/landing/{table.folder}/'"
    )
    if not is_book:
        listed = ", ".join(f'"{column.name.lower()}"' for column in table.columns)
        client.execute(
            f"create or replace view {schema}.{table.name} as select {listed} from {schema}.{name} "
            f"where \"$path\" in (select 's3://{client.bucket}/landing/' || object_key from loader.ledger "
            f"where table_name = '{table.name}')"
        )


@pytest.mark.filterwarnings("ignore")  # those of dbt and its adapter
def test_project_builds_with_every_test(clients: Client, tmp_path: Path) -> None:
    zone, tables = tmp_path / "zone", load_tables(PROJECT_DIR)
    generate(tmp_path / "sample")
    land([tmp_path / "sample"], zone, tables)
    repair_text(zone, tables)
    upload(clients, zone)
    for table in sorted(tables.values(), key=lambda table: table.source_name != "loader"):
        register(clients, table, _SCHEMAS[table.source_name])
    project = DbtProject.copy(tmp_path / "project", zone, "sample")
    folders = ["--profiles-dir", str(project.folder), "--project-dir", str(project.folder)]
    settings = {
        "ATHENA_S3_STAGING_DIR": f"s3://{clients.bucket}/results/",
        "ATHENA_S3_DATA_DIR": f"s3://{clients.bucket}/lake",
        "LANDING_ZONE": str(zone),
    }
    with environment(settings):
        outcome = dbtRunner().invoke(
            # dbt-athena makes a Hive table for a unit test, which refuses an Iceberg model's timestamp(6), here as on
            # AWS: https://github.com/dbt-labs/dbt-adapters/issues/424
            ["build", "--target", "athena", "--exclude-resource-type", "unit_test", *folders],
            log_path=str(project.folder / "logs"),
            quiet=True,
            log_level="none",
            vars={"dataset": "sample"},
        )
    assert outcome.exception is None
    assert isinstance(outcome.result, RunExecutionResult)
    failures = {name_of(r.node): r.message for r in outcome.result.results if str(r.status) not in ("success", "pass")}
    assert not failures
