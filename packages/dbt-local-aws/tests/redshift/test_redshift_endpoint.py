"""The endpoint as a server: who may log in, over TLS or not, by which protocol, and what is left when it stops."""

# ruff: noqa: E501 - a statement is a line

import os
import signal
import ssl
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import boto3
import botocore
import botocore.exceptions
import psycopg2  # type: ignore[import-untyped]
import pytest
import redshift_connector
from botocore.config import Config
from dbt.adapters.redshift.connections import RedshiftCredentials, get_connection_method
from dbt_common.helper_types import Port

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.signatures import Keys
from dbt_local_aws.testing.redshift import Connect, Connection, InterfaceError, ProgrammingError, rows, run

pytestmark = [
    # the driver leaves its socket open where it is refused
    pytest.mark.filterwarnings("ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("sockets_closed"),
]


def client_of(redshift: LocalRedshift, service: str = "redshift", **keys: str) -> Any:  # noqa: ANN401 - one of two clients
    environment = redshift.environment()
    options: dict[str, Any] = {
        "endpoint_url": environment[f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"],
        "region_name": "us-west-2",
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
    }
    return boto3.session.Session().client(service, **(options | keys))  # type: ignore[call-overload]


def libpq(redshift: LocalRedshift, **changes: str) -> Any:  # noqa: ANN401 - psycopg2 has no types
    environment = redshift.environment()
    options: dict[str, Any] = {
        "host": "localhost",
        "port": redshift.port,
        "dbname": environment["REDSHIFT_DATABASE"],
        "user": environment["REDSHIFT_USER"],
        "password": environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"],
        "sslmode": "verify-full",
        "sslrootcert": environment["PGSSLROOTCERT"],
    }
    return psycopg2.connect(**(options | changes))


# Logging in ------------------------------------------------------------------------------------------------------------


def test_the_version_is_redshifts(shared: Connection) -> None:
    ((version,),) = rows(shared, "select version()")
    assert str(version).startswith("PostgreSQL 8.0.2 on ")
    assert "Redshift" in str(version)
    assert (b"server_version", b"8.0.2") in shared.parameter_statuses


@pytest.mark.parametrize("user", ["dbt", "nobody_of_this_name"])
def test_a_wrong_password_is_refused(connect: Connect, user: str) -> None:
    with pytest.raises(InterfaceError) as refusal:
        connect(user=user, password="wrong")  # noqa: S106 - that is the point
    assert refusal.value.args[0]["M"] == f'password authentication failed for user "{user}"'
    assert refusal.value.args[0]["C"] == "28000"


def test_a_database_that_is_not_there(connect: Connect) -> None:
    with pytest.raises(ProgrammingError, match='database "missing" does not exist'):
        connect(database="missing")


def test_a_user_logs_in_and_may_do_nothing_ungranted(connect: Connect) -> None:
    with connect() as admin:
        run(admin, "create user reader password 'Reader123'", "create table public.secrets (a int)")
        with connect(user="reader", password="Reader123") as reader:  # noqa: S106 - of this test alone
            assert rows(reader, "select current_user") == [["reader"]]
            with pytest.raises(ProgrammingError, match="permission denied"):
                rows(reader, "select * from public.secrets")
            run(reader, "create table public.own (a text) distkey (a)", "drop table public.own")
        run(admin, "alter user reader password disable")
        with pytest.raises(InterfaceError):
            connect(user="reader", password="Reader123")  # noqa: S106 - of this test alone
        run(admin, "drop user reader", "drop table public.secrets")


def test_tls_is_verified_against_the_endpoints_own_authority(
    redshift: LocalRedshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    with libpq(redshift) as connection:
        assert connection.info.ssl_attribute("library") == "OpenSSL"
    other = ssl.get_default_verify_paths().openssl_cafile
    monkeypatch.setenv("SSL_CERT_FILE", other)
    environment = redshift.environment()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InterfaceError):
            redshift_connector.connect(
                host="localhost", port=redshift.port, database="dev", user="dbt", sslmode="verify-full",
                password=environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"],
            )  # fmt: skip


def test_without_tls(redshift: LocalRedshift) -> None:
    connection = libpq(redshift, sslmode="disable")
    with connection.cursor() as cursor:
        cursor.execute("select len('abc')")
        assert cursor.fetchone() == (3,)
    connection.close()


# Temporary credentials: https://docs.aws.amazon.com/redshift/latest/mgmt/generating-user-credentials.html ----------------


@pytest.mark.documented("generating-user-credentials", "as documented")
def test_cluster_credentials(redshift: LocalRedshift, connect: Connect) -> None:
    client = client_of(redshift)
    given = client.get_cluster_credentials(DbUser="dbt", DbName="dev", ClusterIdentifier="local", DurationSeconds=900)
    assert given["DbUser"] == "IAM:dbt"
    with connect(user=given["DbUser"], password=given["DbPassword"]) as connection:
        assert rows(connection, "select current_user") == [["dbt"]]
    with pytest.raises(InterfaceError, match="password authentication failed"):
        connect(user="IAM:dbt", password="guessed")  # noqa: S106 - that is the point
    with pytest.raises(botocore.exceptions.ClientError, match="between 900 and 3600"):
        client.get_cluster_credentials(DbUser="dbt", ClusterIdentifier="local", DurationSeconds=60)
    with pytest.raises(botocore.exceptions.ClientError, match="not emulated"):
        client.describe_cluster_versions()


@pytest.mark.documented("generating-user-credentials", "as documented")
def test_a_user_is_created_where_that_is_asked_for(redshift: LocalRedshift, connect: Connect) -> None:
    client = client_of(redshift)
    given = client.get_cluster_credentials(DbUser="fresh", ClusterIdentifier="local", AutoCreate=True)
    with connect(user=given["DbUser"], password=given["DbPassword"]) as connection:
        assert rows(connection, "select current_user") == [["fresh"]]
    other = client.get_cluster_credentials(DbUser="absent", ClusterIdentifier="local", AutoCreate=False)
    with pytest.raises((InterfaceError, ProgrammingError)):
        connect(user=other["DbUser"], password=other["DbPassword"])


@pytest.mark.documented("generating-user-credentials", "as documented")
def test_serverless_credentials(redshift: LocalRedshift, connect: Connect) -> None:
    client = client_of(redshift, "redshift-serverless")
    given = client.get_credentials(workgroupName="local", dbName="dev")
    with connect(user=given["dbUser"], password=given["dbPassword"]) as connection:
        assert rows(connection, "select current_user") == [["dbt"]]


@pytest.mark.parametrize(
    ("keys", "cluster_error", "serverless_error"),
    [
        ({"aws_access_key_id": "AKIAOTHER"}, "InvalidClientTokenId", "UnrecognizedClientException"),
        ({"aws_secret_access_key": "guessed"}, "SignatureDoesNotMatch", "InvalidSignatureException"),
        (
            {"config": Config(signature_version=botocore.UNSIGNED)},
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
        ),
    ],
)
def test_other_keys_are_refused(
    redshift: LocalRedshift, keys: dict[str, Any], cluster_error: str, serverless_error: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/CommonErrors.html."""
    refused: list[tuple[str, str, dict[str, str], str, int]] = [
        ("redshift", "get_cluster_credentials", {"DbUser": "dbt", "ClusterIdentifier": "local"}, cluster_error, 403),
        ("redshift", "describe_clusters", {}, cluster_error, 403),
        ("redshift-serverless", "get_credentials", {"workgroupName": "local"}, serverless_error, 400),
        ("redshift-serverless", "get_workgroup", {"workgroupName": "local"}, serverless_error, 400),
    ]
    for service, action, request, error, status in refused:
        with pytest.raises(botocore.exceptions.ClientError) as refusal:
            getattr(client_of(redshift, service, **keys), action)(**request)
        assert refusal.value.response["Error"]["Code"] == error
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_keys_of_ones_own() -> None:
    keys = Keys("AKIAMINE", "mine/and+nobodys=")
    with LocalRedshift(keys=keys) as endpoint:
        assert endpoint.environment()["AWS_ACCESS_KEY_ID"] == "AKIAMINE"
        assert client_of(endpoint).get_cluster_credentials(DbUser="dbt", ClusterIdentifier="x")["DbUser"] == "IAM:dbt"


def test_what_it_writes_is_its_owners_only() -> None:
    before = os.umask(0)
    try:
        with LocalRedshift() as endpoint:
            folder = Path(endpoint.environment()["SSL_CERT_FILE"]).parent
            open_to_others = [path for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & 0o077]
            assert [path for path in open_to_others if not path.is_symlink() and not path.is_socket()] == []
    finally:
        os.umask(before)


@pytest.mark.documented("options-for-providing-iam-credentials", "as documented")
@pytest.mark.parametrize("where", [{"cluster_id": "local"}, {"is_serverless": True, "serverless_work_group": "group"}])
def test_the_adapters_iam_method(
    redshift: LocalRedshift, where: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, redshift.environment()[name])
    credentials = RedshiftCredentials(
        host="localhost", port=Port(redshift.port), user="dbt", database="dev", schema="public", method="iam",
        region="us-west-2", **where,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with get_connection_method(credentials)() as connection:
            assert rows(connection, "select current_user") == [["dbt"]]


# Protocols -------------------------------------------------------------------------------------------------------------


def test_several_statements_in_one_string(redshift: LocalRedshift) -> None:
    connection = libpq(redshift)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "create temp table several (a int); insert into several values (1), (2); select sum(a) from several"
        )
        assert cursor.fetchone() == (3,)
        with pytest.raises(psycopg2.Error, match="does not exist"):
            cursor.execute("insert into several values (3); select no_such_function(1)")
        cursor.execute("select count(*) from several")
        assert cursor.fetchone() == (2,)
    connection.close()


def test_psql(redshift: LocalRedshift) -> None:
    environment = redshift.environment()
    done = subprocess.run(
        ["psql", "-X", "-A", "-t", "-c", "create temp table t (a int) diststyle all", "-c", "select nvl(null, 7)"],
        env=os.environ
        | {
            "PGHOST": "localhost",
            "PGPORT": str(redshift.port),
            "PGUSER": "dbt",
            "PGDATABASE": "dev",
            "PGPASSWORD": environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"],
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": environment["PGSSLROOTCERT"],
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "7"


def test_a_query_is_cancelled(redshift: LocalRedshift) -> None:
    connection = libpq(redshift)
    with connection.cursor() as cursor:
        cursor.execute("set statement_timeout to 200")
        with pytest.raises(psycopg2.Error, match="statement timeout"):
            cursor.execute("select count(*) from generate_series(1, 1000000000)")
    connection.close()


# Its life --------------------------------------------------------------------------------------------------------------


def wait_until_gone(folder: Path) -> bool:
    deadline = time.monotonic() + 30
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not folder.exists()


def test_nothing_is_left_behind() -> None:
    with LocalRedshift() as endpoint:
        folder = Path(endpoint.environment()["SSL_CERT_FILE"]).parent
        assert folder.exists()
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_ends_cleanly_when_interrupted(number: signal.Signals) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, shells have it ignored
    process = subprocess.Popen(
        [sys.executable, "-m", "dbt_local_aws.redshift", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    said = ""
    while not said.endswith("removes its data.\n"):
        said += process.stdout.readline()
    exported = dict(
        line.removeprefix("export ").split("=", 1) for line in said.splitlines() if line.startswith("export ")
    )
    assert exported["REDSHIFT_HOST"] == "localhost"
    process.send_signal(number)
    assert process.wait(30) == 0
    process.stdout.close()
    assert not Path(exported["SSL_CERT_FILE"]).parent.exists()


def test_it_ends_with_the_program_that_started_it() -> None:
    program = """
import time
from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, Connection, InterfaceError, ProgrammingError, rows, run
endpoint = LocalRedshift()
endpoint.start()
print(endpoint.environment()["SSL_CERT_FILE"], flush=True)
time.sleep(99)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip()).parent
    assert folder.exists()
    process.kill()
    process.wait()
    process.stdout.close()
    assert wait_until_gone(folder)


def test_a_port_that_is_taken_is_said(redshift: LocalRedshift) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dbt_local_aws.redshift", "--port", str(redshift.port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "address already in use" in done.stderr
