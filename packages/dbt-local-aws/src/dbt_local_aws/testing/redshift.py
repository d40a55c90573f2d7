"""What tests against the endpoint need again and again: fixtures for a conftest.py to import, and two functions.

The fixtures are one endpoint, and one S3 for COPY to read from, for all tests of a session.
"""

import gc
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import redshift_connector
from moto.server import ThreadedMotoServer
from redshift_connector.core import Connection
from redshift_connector.cursor import Cursor
from redshift_connector.error import InterfaceError, ProgrammingError

from dbt_local_aws.redshift.endpoint import LocalRedshift

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = [
    "Connect",
    "Connection",
    "Cursor",
    "InterfaceError",
    "ProgrammingError",
    "connect",
    "redshift",
    "rows",
    "run",
    "s3",
    "s3_endpoint_url",
    "sockets_closed",
]

Connect = Callable[..., Connection]


def run(connection: Connection, *statements: str) -> Cursor:
    """Runs statements on one cursor, and gives it."""
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor


def rows(connection: Connection, query: str) -> list[list[object]]:
    """What a query gives."""
    return [list(row) for row in run(connection, query).fetchall()]


@pytest.fixture(scope="session")
def s3_endpoint_url() -> Iterator[str]:
    """An S3 that is empty."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request otherwise
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3(s3_endpoint_url: str) -> "S3Client":
    """A client of it, with the bucket `lake`."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_endpoint_url,
        region_name="us-west-2",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - moto asks for none
    )
    if "lake" not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:  # moto's state is the process's
        client.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    return client


@pytest.fixture(scope="session")
def redshift(s3_endpoint_url: str) -> Iterator[LocalRedshift]:
    """An endpoint that reads from that S3; its environment is the session's."""
    with LocalRedshift(s3_endpoint_url=s3_endpoint_url) as endpoint:
        settings = endpoint.environment()
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        yield endpoint
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


@pytest.fixture(scope="session")
def connect(redshift: LocalRedshift) -> Connect:
    """Connects to the endpoint as its superuser, or as somebody else."""
    environment = redshift.environment()

    def connect_as(**changes: Any) -> Connection:  # noqa: ANN401 - the driver's own options
        options: dict[str, Any] = {
            "host": redshift.host,
            "port": redshift.port,
            "database": environment["REDSHIFT_DATABASE"],
            "user": environment["REDSHIFT_USER"],
            "password": environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"],
            "sslmode": environment["REDSHIFT_SSLMODE"],
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the driver's own way of making a TLS context
            connection = redshift_connector.connect(**(options | changes))
        connection.autocommit = True
        return connection

    return connect_as


@pytest.fixture
def sockets_closed() -> Iterator[None]:
    """What the driver has left open is closed before the next module, which takes warnings for errors."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
