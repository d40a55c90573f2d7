"""One endpoint, and one S3 for COPY to read from, for all tests of a session."""

import gc
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import redshift_connector
from moto.server import ThreadedMotoServer
from mypy_boto3_s3 import S3Client

from dbt_local_aws.redshift import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, Connection


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
def s3(s3_endpoint_url: str) -> S3Client:
    """A client of it, with the bucket `lake`."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_endpoint_url,
        region_name="us-west-2",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - moto asks for none
    )
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
