"""This project, from raw files to its last test, by the loader and the unmodified adapter on the local endpoint."""

from pathlib import Path

import pytest
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from mypy_boto3_s3 import S3Client

from dbt_project import DbtProject, environment
from lakehouse.s3_prefix import forget_client
from lakehouse.sample import generate
from landing_helpers import land_all
from local_aws.redshift import LocalRedshift
from local_aws.redshift.testing import Connect, rows

pytestmark = pytest.mark.filterwarnings("ignore:ssl\\..*:DeprecationWarning")

SCALE = 0.1
DATASET = f"sample_x{SCALE}"


def test_every_model_and_every_test_of_the_project_passes(
    s3: S3Client, s3_endpoint_url: str, redshift: LocalRedshift, connect: Connect, tmp_path: Path
) -> None:
    zone = "s3://lake/zone"
    settings = redshift.environment() | {
        "LANDING_ZONE": zone,
        "AWS_ENDPOINT_URL": s3_endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-west-2",
    }
    with environment(settings):
        forget_client()
        land_all([generate(tmp_path / "raw", SCALE).to], zone)
        forget_client()
        project = DbtProject.copy(tmp_path / "project", tmp_path, DATASET)
        options = {
            "project_dir": str(project.folder),
            "profiles_dir": str(project.folder),
            "target": "redshift",
            "log_path": str(project.folder / "logs"),
            "quiet": True,
            "log_level": "none",
            "vars": {"dataset": DATASET},
        }
        assert dbtRunner().invoke(["run-operation", "register_landing"], **options).success
        outcome = dbtRunner().invoke(["build"], **options)

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
