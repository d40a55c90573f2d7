"""This project, from raw files to its last test, by the loader and the unmodified adapter on the local endpoint."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner

from dbt_project import DbtProject, environment, name_of
from lakehouse.s3_prefix import forget_client
from lakehouse.sample import generate
from landing_helpers import land_all
from local_aws.athena.client import Client


@pytest.mark.filterwarnings("ignore")  # those of dbt and its adapter
def test_project_builds_with_every_test(clients: Client, tmp_path: Path) -> None:
    zone = f"s3://{clients.bucket}/landing"
    settings = {
        "ATHENA_S3_STAGING_DIR": f"s3://{clients.bucket}/results/",
        "ATHENA_S3_DATA_DIR": f"s3://{clients.bucket}/lake",
        "LANDING_ZONE": zone,
    }
    with environment(settings):
        forget_client()
        land_all([generate(tmp_path / "sample").to], zone)
        forget_client()
        project = DbtProject.copy(tmp_path / "project", tmp_path, "sample")
        options = {
            "project_dir": str(project.folder),
            "profiles_dir": str(project.folder),
            "target": "athena",
            "log_path": str(project.folder / "logs"),
            "quiet": True,
            "log_level": "none",
            "vars": {"dataset": "sample"},
        }
        assert dbtRunner().invoke(["run-operation", "register_landing"], **options).success
        # dbt-athena makes a Hive table for a unit test, which refuses an Iceberg model's timestamp(6), here as on
        # AWS: https://github.com/dbt-labs/dbt-adapters/issues/424
        outcome = dbtRunner().invoke(["build", "--exclude-resource-type", "unit_test"], **options)
    assert outcome.exception is None
    assert isinstance(outcome.result, RunExecutionResult)
    failures = {name_of(r.node): r.message for r in outcome.result.results if str(r.status) not in ("success", "pass")}
    assert not failures
