"""The endpoint, once for all tests of a session, and clients of it; tests are kept apart by database and place."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from athena_server import shared_athena, why_there_is_no_trino
from dbt_project import environment
from dbt_local_aws.testing.athena import Client


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of the endpoint, which are the session's environment."""
    if reason := why_there_is_no_trino():
        pytest.skip(f"NOT TESTED: {reason}")
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    with shared_athena(root) as settings, environment(settings):
        yield settings


@pytest.fixture(scope="session")
def clients(endpoint: dict[str, str]) -> Client:
    """The clients, made once: making them is what takes time."""
    return Client.connect(endpoint, "lake")


@pytest.fixture
def client(clients: Client) -> Iterator[Client]:
    """A client with a database of its own."""
    database = f"db_{uuid.uuid4().hex[:12]}"
    clients.glue.create_database(DatabaseInput={"Name": database})
    yield clients.within(database)
    clients.glue.delete_database(Name=database)
