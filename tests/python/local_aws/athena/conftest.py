"""The endpoint, once for all tests of this folder, and clients of it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from local_aws.athena import LocalAthena
from local_aws.athena.client import Client


@pytest.fixture(scope="session")
def endpoint() -> Iterator[LocalAthena]:
    """The endpoint, with the environment pointing at it."""
    before = dict(os.environ)
    with LocalAthena() as athena:
        os.environ.update(athena.environment())
        yield athena
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session")
def clients(endpoint: LocalAthena) -> Client:
    """The clients, made once: making them is what takes time."""
    return Client.connect(endpoint, "lake")


@pytest.fixture
def client(clients: Client) -> Iterator[Client]:
    """A client with a database of its own."""
    database = f"db_{uuid.uuid4().hex[:12]}"
    clients.glue.create_database(DatabaseInput={"Name": database})
    yield clients.within(database)
    clients.glue.delete_database(Name=database)
