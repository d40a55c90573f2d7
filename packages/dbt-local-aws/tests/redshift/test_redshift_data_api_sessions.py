"""Sessions of the Redshift Data API, asked by boto3.

https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling-cli-list-sessions.html, and the API reference.
"""

import time
import uuid
from typing import Any

import pytest
from data_api_client import (  # type: ignore[import-not-found]  # pytest has this folder on its path
    CLUSTER,
    data,
    described,
    execute,
    refused,
    result,
)

__all__ = ["data"]

WORKGROUP = {"WorkgroupName": "sessions", "Database": "dev"}


@pytest.mark.documented("API_ExecuteStatement", "as documented")
def test_sessions(data: Any) -> None:  # noqa: ANN401
    first = execute(data, "create temp table kept (a int)", SessionKeepAliveSeconds=60)
    session = first["SessionId"]
    assert execute(data, "insert into kept values (5)", SessionId=session)["Status"] == "FINISHED"
    assert result(data, "select a from kept", SessionId=session)["Records"] == [[{"longValue": 5}]]
    assert execute(data, "select a from kept")["Status"] == "FAILED"
    assert (
        refused(data.execute_statement, Sql="select 1", SessionId=str(uuid.uuid4()))[0] == "ResourceNotFoundException"
    )


@pytest.mark.documented("API_ExecuteStatement", "as documented")
def test_sessions_end(data: Any) -> None:  # noqa: ANN401
    session = execute(data, "select 1", SessionKeepAliveSeconds=1)["SessionId"]
    time.sleep(1.2)
    assert refused(data.execute_statement, Sql="select 1", SessionId=session)[0] == "ResourceNotFoundException"


@pytest.fixture
def listing(data: Any) -> Any:  # noqa: ANN401 - boto3's client has no types here
    """A client that can list sessions."""
    if not hasattr(data, "list_sessions"):
        pytest.skip("NOT TESTED: this botocore knows no ListSessions")
    return data


@pytest.mark.documented("API_ListSessions", "as documented")
def test_listing_sessions(listing: Any) -> None:  # noqa: ANN401
    """That a busy session has no end yet is inferred; so is the order, the newest first."""
    here = {**CLUSTER, "ClusterIdentifier": f"listed-{uuid.uuid4()}"}
    first, second = (execute(listing, "select 1", SessionKeepAliveSeconds=60, **here)["SessionId"] for _ in range(2))
    listed = listing.list_sessions(ClusterIdentifier=here["ClusterIdentifier"])["Sessions"]
    assert [session["SessionId"] for session in listed] == [second, first]
    (one,) = listing.list_sessions(SessionId=first)["Sessions"]
    assert {name: one[name] for name in (*here, "Status", "SessionAliveSeconds")} == {
        **here,
        "Status": "AVAILABLE",
        "SessionAliveSeconds": 60,
    }
    assert (one["SessionTtl"] - one["UpdatedAt"]).total_seconds() == pytest.approx(60, abs=0.01)
    assert "CurrentStatementId" not in one


@pytest.mark.documented("API_ListSessions", "as documented")
def test_a_session_is_busy_or_closed(listing: Any) -> None:  # noqa: ANN401
    sent = listing.execute_statement(Sql="select 1", SessionKeepAliveSeconds=1, **WORKGROUP)
    session = described(listing, sent["Id"])["SessionId"]
    slow = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000000) select max(i) from n"
    running = listing.execute_statement(Sql=slow, SessionId=session)["Id"]
    (busy,) = listing.list_sessions(SessionId=session)["Sessions"]
    assert (busy["Status"], busy["CurrentStatementId"], busy["WorkgroupName"]) == ("BUSY", running, "sessions")
    assert "ClusterIdentifier" not in busy
    while listing.describe_statement(Id=running)["Status"] != "STARTED":
        time.sleep(0.02)
    time.sleep(0.3)
    listing.cancel_statement(Id=running)
    described(listing, running)
    time.sleep(1.5)
    assert session not in [one["SessionId"] for one in listing.list_sessions()["Sessions"]]
    (closed,) = [one for one in listing.list_sessions(Status="CLOSED")["Sessions"] if one["SessionId"] == session]
    assert listing.list_sessions(SessionId=session)["Sessions"] == [closed]


@pytest.mark.documented("API_ListSessions", "as documented")
def test_sessions_are_listed_in_pages(listing: Any) -> None:  # noqa: ANN401
    here = {**CLUSTER, "ClusterIdentifier": f"paged-{uuid.uuid4()}"}
    for _ in range(3):
        execute(listing, "select 1", SessionKeepAliveSeconds=60, **here)
    pages = listing.get_paginator("list_sessions").paginate(
        ClusterIdentifier=here["ClusterIdentifier"], PaginationConfig={"PageSize": 2}
    )
    assert [len(page["Sessions"]) for page in pages] == [2, 1]


@pytest.mark.documented("API_ListSessions", "refused as documented")
@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"SessionId": "0", "Status": "BUSY"}, "ValidationException"),
        ({"SessionId": "0", "Database": "dev"}, "ValidationException"),
        ({"SessionId": "0", "ClusterIdentifier": "any"}, "ValidationException"),
        ({"ClusterIdentifier": "any", "WorkgroupName": "any"}, "ValidationException"),
        ({"SessionId": str(uuid.uuid4())}, "ResourceNotFoundException"),
    ],
)
def test_lists_of_sessions_that_are_refused(listing: Any, request_: dict[str, str], code: str) -> None:  # noqa: ANN401
    """That a session which is not there is refused, and not left out, is inferred."""
    assert refused(listing.list_sessions, **request_)[0] == code


def test_a_session_without_a_connection_is_closed(listing: Any) -> None:  # noqa: ANN401
    """Inferred: no statement can run in it."""
    failed = execute(listing, "select 1", SessionKeepAliveSeconds=60, **{**CLUSTER, "Database": "missing"})
    assert failed["Status"] == "FAILED"
    (session,) = listing.list_sessions(SessionId=failed["SessionId"])["Sessions"]
    assert session["Status"] == "CLOSED"
