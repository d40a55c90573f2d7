"""The endpoint, once for all tests of a session, and clients of it; tests are kept apart by database and place."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping

import pytest

from dbt_local_aws.endpoints import BUCKET
from dbt_local_aws.pytest_plugin import SessionEndpoints
from dbt_local_aws.testing.athena import Client


@pytest.fixture(scope="session")
def endpoint(local_aws: SessionEndpoints) -> Iterator[Mapping[str, str]]:
    """The settings of the endpoint, which are the session's environment."""
    with local_aws.using("athena") as settings:
        yield settings


@pytest.fixture(scope="session")
def clients(endpoint: Mapping[str, str]) -> Client:
    """The clients, made once: making them is what takes time."""
    return Client.connect(endpoint, BUCKET)


@pytest.fixture
def client(clients: Client) -> Iterator[Client]:
    """A client with a database of its own."""
    database = f"db_{uuid.uuid4().hex[:12]}"
    clients.glue.create_database(DatabaseInput={"Name": database})
    yield clients.within(database)
    clients.glue.delete_database(Name=database)
