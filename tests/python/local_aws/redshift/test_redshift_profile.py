"""profiles.example.yml reaches the endpoint by each method that it has, by its variables alone."""

import shutil
from pathlib import Path
from typing import Any

import botocore.client
import pytest
from dbt.cli.main import dbtRunner
from redshift_connector.iam_helper import IamHelper

from dbt_local_aws.redshift.endpoint import LocalRedshift
from iam import missing, rights_for, rights_of
from lakehouse.environment import variables
from lanes import on_engines
from real_data import PROJECT_DIR

pytestmark = [
    on_engines,
    pytest.mark.filterwarnings("ignore:ssl\\..*:DeprecationWarning"),  # the driver's own way of making a TLS context
    # the driver leaves its socket open where it is refused
    pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("sockets_closed"),
]

OTHER_KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
CLUSTER = {"REDSHIFT_CLUSTER_ID": "a-cluster"}
NO_PASSWORD = {"REDSHIFT_METHOD": "iam", "DBT_ENV_SECRET_REDSHIFT_PASSWORD": ""}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str, str]]:
    """What is asked of AWS's APIs from now on: service, operation, and no place."""
    found: set[tuple[str, str, str]] = set()
    make = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # not in its types

    def call(client: Any, operation: str, arguments: Any) -> Any:  # noqa: ANN401 - boto3's own
        found.add((client.meta.service_model.service_name, operation, ""))
        return make(client, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    monkeypatch.setattr(IamHelper, "credentials_cache", {})  # of the whole process, whatever the keys
    return found


@pytest.mark.parametrize(
    ("settings", "connects"),
    [
        pytest.param({}, True, id="password"),
        pytest.param({"DBT_ENV_SECRET_REDSHIFT_PASSWORD": "Wrong123"}, False, id="wrong password"),
        pytest.param(NO_PASSWORD | CLUSTER, True, id="IAM, cluster"),
        pytest.param(NO_PASSWORD | {"REDSHIFT_SERVERLESS_WORK_GROUP": "a-group"}, True, id="IAM, Serverless"),
        pytest.param(NO_PASSWORD | CLUSTER | OTHER_KEYS, False, id="IAM, other keys"),
        pytest.param(NO_PASSWORD, False, id="IAM, nowhere"),
    ],
)
def test_the_profile_connects(
    redshift: LocalRedshift,
    tmp_path: Path,
    settings: dict[str, str],
    *,
    connects: bool,
    asked: set[tuple[str, str, str]],
) -> None:
    shutil.copy(PROJECT_DIR / "profiles.example.yml", tmp_path / "profiles.yml")
    shutil.copy(PROJECT_DIR / "dbt_project.yml", tmp_path)
    with variables(redshift.environment() | settings):
        outcome = dbtRunner().invoke(
            ["debug"],
            project_dir=str(tmp_path),
            profiles_dir=str(tmp_path),
            target="redshift",
            log_path=str(tmp_path / "logs"),
            quiet=True,
            log_level="none",
            connection=True,
        )
    assert outcome.exception is None
    assert outcome.success is connects
    warehouse = "serverless" if "REDSHIFT_SERVERLESS_WORK_GROUP" in settings else "provisioned"
    rights = rights_of("TransformerRole", Warehouse=warehouse)  # of infra/lakehouse.yaml
    # the driver takes localhost for a domain of one's own; it goes on without an answer (iam_helper.py)
    asked -= {("redshift", "DescribeCustomDomainAssociations", "")}
    assert missing(rights, asked) == []
    if connects and NO_PASSWORD.items() <= settings.items():
        used = {action for service, operation, _ in asked for action in rights_for(service, operation)}
        assert {action for action in rights.actions if action.startswith("redshift")} == used
