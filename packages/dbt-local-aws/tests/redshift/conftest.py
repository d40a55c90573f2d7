"""A connection to the endpoint, for tests that change something and for those that do not."""

from collections.abc import Iterator

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, connect, redshift, s3, s3_endpoint_url, sockets_closed

__all__ = ["connect", "redshift", "s3", "s3_endpoint_url", "sockets_closed"]


@pytest.fixture
def connection(connect: Connect) -> Iterator[Connection]:
    """A connection for one test, with a schema of its own."""
    opened = connect()
    cursor = opened.cursor()
    cursor.execute("create schema case_schema")
    cursor.execute("set search_path to case_schema, public")
    yield opened
    opened.rollback()
    with connect() as cleaner:
        cleaner.cursor().execute("drop schema case_schema cascade")
    opened.close()


@pytest.fixture(scope="session")
def shared(connect: Connect) -> Iterator[Connection]:
    """A connection for tests that change nothing."""
    with connect() as opened:
        yield opened
