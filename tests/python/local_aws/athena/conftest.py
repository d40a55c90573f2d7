"""The endpoint that all tests of a session share, and clients of it."""

from __future__ import annotations

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
