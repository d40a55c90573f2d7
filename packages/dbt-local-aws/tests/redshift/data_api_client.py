"""What tests of the Data API need: a client of boto3's, and a statement that has ended."""

import time
from typing import Any

import boto3
import botocore.exceptions
import pytest

from dbt_local_aws.redshift.endpoint import LocalRedshift

CLUSTER = {"ClusterIdentifier": "any", "Database": "dev", "DbUser": "dbt"}
ENDED = ("FINISHED", "FAILED", "ABORTED")


@pytest.fixture(scope="module")
def data(redshift: LocalRedshift) -> Any:  # noqa: ANN401 - boto3's client has no types here
    environment = redshift.environment()
    return boto3.client(
        "redshift-data",
        endpoint_url=environment["AWS_ENDPOINT_URL_REDSHIFT_DATA"],
        region_name="us-west-2",
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def described(data: Any, statement_id: str) -> dict[str, Any]:  # noqa: ANN401
    """The description of a statement once it has ended."""
    for _ in range(400):
        description: dict[str, Any] = data.describe_statement(Id=statement_id)
        if description["Status"] in ENDED:
            return description
        time.sleep(0.05)
    raise AssertionError("the statement does not end")


def execute(data: Any, sql: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """Runs a statement, and describes it."""
    where = {} if "SessionId" in options else CLUSTER
    return described(data, data.execute_statement(Sql=sql, **(where | options))["Id"])


def result(data: Any, sql: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    """What a query gives."""
    description = execute(data, sql, **options)
    assert description["Status"] == "FINISHED", description.get("Error")
    answer: dict[str, Any] = data.get_statement_result(Id=description["Id"])
    return answer


def refused(call: Any, **request: Any) -> tuple[str, str]:  # noqa: ANN401
    """The name and the message of the error with which a request is refused."""
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        call(**request)
    error = failure.value.response["Error"]
    return error["Code"], error["Message"]
