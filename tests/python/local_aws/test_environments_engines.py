"""An environment beside production on Redshift and Athena, by the unmodified adapters on local endpoints."""

import os
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from dbt_project import copy_project
from lakehouse.environment import variables
from lanes import on_engines
from warehouses import Warehouse, warehouse_of
from whole_run import WholeRun, command

pytestmark = [
    on_engines,
    # of the adapters and the driver: Python's own advice to them, and connections that they leave open
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
STRANGER = {
    "redshift": "create table ada_stedi.customer_trusted (email varchar(64))",
    "athena": "create external table ada_stedi.customer_trusted (email string) location '{zone}/customer/'",
}
"""A table of somebody else's; on Athena its files are production's, which must outlive it."""
MODEL = ("run", "--select", "stg_sparkify__songs")
SONGS = "sparkify_staging.stg_sparkify__songs"


def schemas(warehouse: Warehouse) -> set[str]:
    """The schemas that there are."""
    if warehouse.target == "athena":
        pages = boto3.client("glue").get_paginator("get_databases").paginate()
        return {database["Name"] for page in pages for database in page["DatabaseList"]}
    found = {name for (name,) in warehouse.query("select nspname from pg_namespace")}
    return {name for name in found if not name.startswith("pg_")}  # connections make their own


def files(bucket: str) -> dict[str, str]:
    """The objects of a bucket, each with its ETag; results of queries are nobody's."""
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    objects = {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", ())}
    return {key: etag for key, etag in objects.items() if "/results/" not in f"/{key}"}


def test_what_is_nobodys_is_not_replaced_and_an_environment_that_is_dropped_takes_nothing_along(
    whole_run: WholeRun, tmp_path: Path
) -> None:
    run = replace(whole_run, project=copy_project(tmp_path / "project"))  # dbt parses it for the environment
    drop = ("drop-environment", "ada", "--target", run.target, "--yes")
    bucket = run.zone.removeprefix("s3://").partition("/")[0]
    with warehouse_of(run) as warehouse, variables({"ENVIRONMENT": "ada"}):
        before = schemas(warehouse), files(bucket)
        songs = warehouse.query(f"select count(*) from {SONGS}")  # noqa: S608 - a name of ours

        warehouse.query("create schema ada_stedi")
        warehouse.query(STRANGER[run.target].format(zone=run.zone))
        assert not warehouse.register()
        said = "\n".join(warehouse.messages)
        assert "there is ada_stedi.customer_trusted already, and nothing tells from which landing zone" in said
        assert "name an environment of your own with ENVIRONMENT" in said
        assert schemas(warehouse) - before[0] == {"ada_stedi"}
        dropped = command(run, *drop)
        assert dropped.returncode == 0, dropped.stdout + dropped.stderr
        assert "dropped ada_stedi, with 1 relation\n" in dropped.stdout
        assert (schemas(warehouse), files(bucket)) == before

        assert warehouse.register(), "\n".join(warehouse.messages)
        assert warehouse.dbt(*MODEL), "\n".join(warehouse.messages)
        assert warehouse.query(f"select count(*) from ada_{SONGS}") == songs  # noqa: S608 - a name of ours
        warehouse.query("create schema ada_b_sparkify")
        if run.target == "athena":
            theirs = f"{os.environ['ATHENA_S3_DATA_DIR'].removeprefix(f's3://{bucket}/')}/environments/ada_b/file"
            boto3.client("s3").put_object(Bucket=bucket, Key=theirs, Body=b"ada_b's")
            before[1].update({theirs: files(bucket)[theirs]})
            assert files(bucket).keys() - before[1].keys()
        dropped = command(run, *drop)
        assert dropped.returncode == 0, dropped.stdout + dropped.stderr
        assert "dropped ada_sparkify_staging, with 1 relation\n" in dropped.stdout
        assert f"nothing of ada is left on {run.target}" in dropped.stdout
        assert schemas(warehouse) - before[0] == {"ada_b_sparkify"}
        assert files(bucket) == before[1]
        assert warehouse.query(f"select count(*) from {SONGS}") == songs  # noqa: S608 - a name of ours

        again = command(run, *drop)
        assert (again.returncode, again.stdout) == (0, f"{run.target} has nothing of an environment ada\n")
        warehouse.query("drop schema ada_b_sparkify")
