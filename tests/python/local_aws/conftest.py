"""The product on each engine, built once, whole, by its own command: all tests of a session go on from that build.

What goes on from an engine's run does so on one worker (lanes.py), in the order in which pytest finds it: questions
come first, then what changes the landing zone, and last what needs another one.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from dbt_local_aws.endpoints import BUCKET
from dbt_local_aws.pytest_plugin import SessionEndpoints
from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.athena import Client
from dbt_local_aws.testing.redshift import Connect, connect, redshift, run, s3, s3_endpoint_url, sockets_closed
from readers import GROUPS_AND_ROLES, PASSWORD, PEOPLE, READERS
from warehouses import Warehouse, warehouse_of
from whole_run import WholeRun, run_whole

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["connect", "redshift", "s3", "s3_endpoint_url", "sockets_closed"]


@pytest.fixture(scope="session")
def endpoint(local_aws: SessionEndpoints) -> Iterator[Mapping[str, str]]:
    """The settings of Athena's endpoint, which are the session's environment. All workers have the same one."""
    with local_aws.using("athena") as settings:
        yield settings


@pytest.fixture(scope="session")
def clients(endpoint: Mapping[str, str]) -> Client:
    """Clients of it, made once: making them is what takes time."""
    return Client.connect(endpoint, BUCKET)


@pytest.fixture(scope="session")
def athena_run(endpoint: Mapping[str, str], clients: Client, tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """The sample landed, registered, built and tested on Athena, all of it below one prefix of the bucket."""
    place = f"s3://{clients.bucket}/project"
    settings = {
        **endpoint,
        "ATHENA_S3_STAGING_DIR": f"{place}/results/",
        "ATHENA_S3_DATA_DIR": f"{place}/lake",
        "LANDING_ZONE": f"{place}/landing",
    }
    return run_whole("athena", tmp_path_factory.mktemp("athena_project"), settings)


@pytest.fixture(scope="session")
def redshift_run(
    s3: "S3Client",
    s3_endpoint_url: str,
    redshift: LocalRedshift,
    connect: Connect,
    tmp_path_factory: pytest.TempPathFactory,
) -> WholeRun:
    """The same on Redshift, where it grants rights to people of every kind."""
    with connect() as owner:
        run(owner, *(f"create user {person} password '{PASSWORD}'" for person in PEOPLE), *GROUPS_AND_ROLES)
    settings = redshift.environment() | {
        "LANDING_ZONE": "s3://lake/zone",
        "AWS_ENDPOINT_URL": s3_endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-west-2",
        "READERS": json.dumps(READERS),
    }
    return run_whole("redshift", tmp_path_factory.mktemp("redshift_project"), settings)


@pytest.fixture(scope="session", params=["athena", "redshift"])
def whole_run(request: pytest.FixtureRequest) -> WholeRun:
    """The run of an engine: of the one after the other."""
    found: WholeRun = request.getfixturevalue(f"{request.param}_run")
    return found


@pytest.fixture(scope="module")
def warehouse(whole_run: WholeRun) -> Iterator[Warehouse]:
    """That engine, of which a module's tests go on from each other."""
    with warehouse_of(whole_run) as opened:
        yield opened
