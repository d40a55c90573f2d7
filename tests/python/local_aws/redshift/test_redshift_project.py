"""This project's own models, built and tested by the unmodified adapter on the local endpoint."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from mypy_boto3_s3 import S3Client

from dbt_project import DbtProject, environment
from lakehouse.landing import land
from lakehouse.sample import generate
from lakehouse.sources import load_tables
from lakehouse.text_repair import repair_text
from local_aws.redshift import LocalRedshift
from local_aws.redshift.testing import Connect, Cursor, rows
from real_data import PROJECT_DIR

pytestmark = pytest.mark.filterwarnings("ignore:ssl\\..*:DeprecationWarning")

SCALE = 0.1


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("redshift_sample")
    tables = load_tables(PROJECT_DIR)
    generate(folder / "raw", SCALE)
    land([folder / "raw"], folder / "zone", tables)
    repair_text(folder / "zone", tables)
    return folder / "zone"


def declared_sources() -> list[dict[str, Any]]:
    """Every table of the sources' YAML, with the schema that it lands in."""
    tables = []
    for file in sorted((PROJECT_DIR / "models").rglob("*__sources.yml")):
        for source in yaml.safe_load(file.read_text())["sources"]:
            tables += [table | {"schema": source["schema"]} for table in source["tables"]]
    return tables


def upload(zone: Path, s3: S3Client) -> None:
    for file in sorted(zone.rglob("*.json*")):
        s3.upload_file(str(file), "lake", f"zone/{file.relative_to(zone)}")


def landed_objects(zone: Path, table: dict[str, Any]) -> list[str]:
    folder = table["config"]["meta"]["landing_folder"]
    if table["schema"] == "loader":
        return sorted(f"{folder}/{file.name}" for file in (zone / folder).glob("*.json"))
    ledger = [json.loads(line) for line in (zone / f"loader/ledger/{table['name']}.json").read_text().splitlines()]
    return sorted({row["object_key"] for row in ledger if row["object_key"]})


def copy_table(table: dict[str, Any], zone: Path, s3: S3Client, cursor: Cursor) -> int:
    """Makes one landing table and loads it by COPY with a manifest; gives the number of its rows."""
    relation = f"{table['schema']}.{table['name']}"
    columns = ", ".join(f'"{column["name"]}" {column["data_type"]}' for column in table["columns"])
    cursor.execute(f"create schema if not exists {table['schema']}")
    cursor.execute(f"create table {relation} ({columns})")
    objects = landed_objects(zone, table)
    if not objects:
        return 0
    manifest = {"entries": [{"url": f"s3://lake/zone/{name}", "mandatory": True} for name in objects]}
    s3.put_object(Bucket="lake", Key=f"manifests/{relation}", Body=json.dumps(manifest).encode())
    paths = {"jsonpaths": [f"$['{column['name']}']" for column in table["columns"]]}
    s3.put_object(Bucket="lake", Key=f"jsonpaths/{relation}", Body=json.dumps(paths).encode())
    cursor.execute(
        f"copy {relation} from 's3://lake/manifests/{relation}' iam_role default manifest "
        f"format as json 's3://lake/jsonpaths/{relation}' {'gzip' if objects[0].endswith('.gz') else ''}"
    )
    cursor.execute("select pg_last_copy_count()")
    return int(cursor.fetchall()[0][0])


def test_every_model_and_every_test_of_the_project_passes(
    zone: Path, s3: S3Client, redshift: LocalRedshift, connect: Connect, tmp_path: Path
) -> None:
    upload(zone, s3)
    with connect() as connection:
        cursor = connection.cursor()
        loaded = {table["name"]: copy_table(table, zone, s3, cursor) for table in declared_sources()}
    assert loaded["staging_events"] > 0

    project = DbtProject.copy(tmp_path / "project", zone, "sample_x0.1")
    with environment({**redshift.environment(), "LANDING_ZONE": str(zone)}):
        outcome = dbtRunner().invoke(
            ["build", "--target", "redshift", "--profiles-dir", str(project.folder)],
            project_dir=str(project.folder),
            log_path=str(project.folder / "logs"),
            quiet=True,
            log_level="none",
            vars={"dataset": "sample_x0.1"},
        )

    assert outcome.exception is None
    assert isinstance(outcome.result, RunExecutionResult)
    failures = {r.node.name: r.message for r in outcome.result.results if r.status not in ("success", "pass")}
    assert not failures
    with connect() as connection:
        design = (
            "select diststyle, sortkey1, sortkey_num from svv_table_info where schema = 'sparkify' and \"table\" = "
        )
        assert rows(connection, f"{design} 'songplays'") == [["KEY(start_time)", "start_time", 1]]
        assert rows(connection, f"{design} 'user_level_history'") == [["ALL", "user_id", 2]]
