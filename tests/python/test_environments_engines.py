"""Environments on Redshift and Athena, by the unmodified adapters on local endpoints."""

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from dbt_project import copy_project, environment
from lakehouse.sample import generate
from lanes import on_engines
from real_data import LAKEHOUSE
from warehouses import Warehouse, endpoints, open_warehouse  # noqa: F401 - one is a fixture

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [
    on_engines,
    # of the adapters and the driver: Python's own advice to them, and connections that they leave open
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
STRANGER = {
    "redshift": "create table stedi.customer_trusted (email varchar(64))",
    "athena": "create external table stedi.customer_trusted (email string) location 's3://lake/somebody/'",
}
MODEL = ("run", "--select", "stg_sparkify__songs")
SONGS = "sparkify_staging.stg_sparkify__songs"


def schemas(warehouse: Warehouse) -> set[str]:
    """The schemas that there are."""
    if warehouse.target == "athena":
        return {database["Name"] for database in boto3.client("glue").get_databases()["DatabaseList"]}
    return {name for (name,) in warehouse.query("select nspname from pg_namespace")}


def files(client: "S3Client", prefix: str) -> dict[str, str]:
    """The objects below a prefix of the lake, each with its ETag."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
    return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", ())}


@pytest.mark.parametrize("target", ["redshift", "athena"])
def test_environments_keep_apart_and_one_is_dropped(
    target: str,
    endpoints: "S3Client",  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    """What is nobody's is not replaced; another environment builds beside it; dropping it leaves the rest alone."""
    generate(tmp_path / "source", scale=0.01)
    with open_warehouse(target, tmp_path, tmp_path / "target") as warehouse:
        warehouse.load()
        warehouse.query("create schema stedi")
        warehouse.query(STRANGER[target])
        before = schemas(warehouse)
        assert not warehouse.register()
        said = "\n".join(warehouse.messages)
        assert "there is stedi.customer_trusted already, and nothing tells from which landing zone" in said
        assert "name an environment of your own with ENVIRONMENT" in said
        assert schemas(warehouse) == before

        with environment({"ENVIRONMENT": "ada"}):
            assert warehouse.register(), "\n".join(warehouse.messages)
            assert warehouse.dbt(*MODEL), "\n".join(warehouse.messages)
            assert not schemas(warehouse).intersection({"loader", "sparkify_staging"})
        warehouse.forget_zone()
        assert warehouse.register(), "\n".join(warehouse.messages)
        assert warehouse.dbt(*MODEL), "\n".join(warehouse.messages)
        songs = warehouse.query(f"select count(*) from {SONGS}")  # noqa: S608 - a name of ours
        assert warehouse.query(f"select count(*) from ada_{SONGS}") == songs  # noqa: S608 - the same
        warehouse.query("create schema ada_b_sparkify")
        theirs = files(endpoints, "lake/environments/")
        assert bool(theirs) == (target == "athena")
        assert all(key.startswith("lake/environments/ada/sparkify/staging/") for key in theirs)
        endpoints.put_object(Bucket="lake", Key="lake/environments/ada_b/file", Body=b"ada_b's")
        rest = files(endpoints, "").items() - theirs.items()

        done = subprocess.run(
            [LAKEHOUSE, "drop-environment", "ada", "--target", target, "--yes"],
            cwd=copy_project(tmp_path / "project"),
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "dropped ada_sparkify_staging, with 1 relation\n" in done.stdout
        assert f"nothing of ada is left on {target}" in done.stdout
        assert [name for name in schemas(warehouse) if name.startswith("ada_")] == ["ada_b_sparkify"]
        results = {item for item in files(endpoints, "results/").items() if item not in rest}
        assert files(endpoints, "").items() - results == rest
        assert warehouse.query(f"select count(*) from {SONGS}") == songs  # noqa: S608 - a name of ours
