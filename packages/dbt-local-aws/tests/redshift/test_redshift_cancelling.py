"""A statement that was cancelled leaves nothing, whenever the request comes; nor does one whose client has gone.

How it would break: the request comes while PostgreSQL runs the first step of several, or between two of them, or while
the endpoint itself works (at S3, at a late-binding view); while the rows are sent; before a statement, and meets the one
that follows; after it; within a transaction; with another one's key; over TLS and without; from a client that reads
nothing; by CANCEL and by pg_terminate_backend(). Or nobody asks, and the client is simply gone.
"""

# ruff: noqa: E501, S608 - a statement is a line, and is made here

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from raw_client import RawClient, cancel, wait_until  # type: ignore[import-not-found]  # pytest has this folder on its path

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.redshift.postgres import PROGRAMS
from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [
    pytest.mark.filterwarnings("ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("sockets_closed"),
]

CANCELLED = "57014"
# a minute's work, which nothing of Redshift's makes short
SLOW = "(select count(*) from numbers a, numbers b, numbers c where a.n + b.n > c.n)"


@pytest.fixture(scope="module")
def admin(connect: Connect) -> Iterator[Connection]:
    with connect() as connection:
        run(
            connection,
            "create schema cancelling",
            "set search_path to cancelling",
            "create table numbers (n bigint)",
            "insert into numbers values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12)",
            *["insert into numbers select n + (select max(n) from numbers) from numbers"] * 8,
            "create table t (a bigint)",
            "create table kept (a bigint)",
            "insert into kept values (1)",
        )
        yield connection
        run(connection, "drop schema cancelling cascade")


@pytest.fixture
def client(redshift: LocalRedshift, admin: Connection) -> Iterator[RawClient]:
    client = RawClient(redshift).log_in()
    assert client.run("set search_path to cancelling") == "I"
    yield client
    client.close()
    run(admin, "truncate t")


def is_at_work(admin: Connection, client: RawClient) -> bool:
    pid = int.from_bytes(client.key[:4], "big")
    return rows(admin, f"select state from pg_stat_activity where pid = {pid}") == [["active"]]


def is_gone(admin: Connection, client: RawClient) -> bool:
    return not rows(admin, f"select 1 from pg_stat_activity where pid = {int.from_bytes(client.key[:4], 'big')}")


STATEMENTS = {
    "select": f"select {SLOW}",
    "insert": f"insert into t select n + {SLOW} from numbers",
    "update": f"update kept set a = {SLOW}",
    "delete": f"delete from kept where a < {SLOW}",
    "ctas": f"create table made as select n, {SLOW} as many from numbers",
    "select into": f"select n, {SLOW} as many into made from numbers",
    "materialized view": f"create materialized view made as select n, {SLOW} as many from numbers",
    "merge": f"merge into t using numbers on t.a = numbers.n when matched then update set a = {SLOW} when not matched then insert values ({SLOW})",
    "several": f"create table made (a int); insert into t values (1); select {SLOW}",
}


def assert_nothing_is_left(admin: Connection) -> None:
    assert rows(admin, "select a from t") == []
    assert rows(admin, "select a from kept") == [[1]]
    tables = rows(admin, "select table_name from svv_tables where table_schema = 'cancelling' order by 1")
    assert tables == [["kept"], ["numbers"], ["t"]]


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_a_cancelled_statement_leaves_nothing(
    redshift: LocalRedshift, admin: Connection, client: RawClient, statement: str, tls: bool
) -> None:
    client.query(statement)
    wait_until(lambda: is_at_work(admin, client))
    cancel(redshift, client.key, tls=tls)
    assert client.outcome() == f"{CANCELLED} I"
    assert_nothing_is_left(admin)
    assert client.run("select 1") == "I"


@pytest.mark.parametrize("statement", ["select", "insert", "ctas", "merge"])
def test_by_the_extended_protocol(
    redshift: LocalRedshift, admin: Connection, client: RawClient, statement: str
) -> None:
    client.prepare(STATEMENTS[statement])
    wait_until(lambda: is_at_work(admin, client))
    cancel(redshift, client.key)
    assert client.outcome() == f"{CANCELLED} I"
    assert_nothing_is_left(admin)
    assert client.run("select 1") == "I"


@pytest.mark.parametrize("statement", ["select", "insert", "ctas"])
def test_within_a_transaction_it_fails(
    redshift: LocalRedshift, admin: Connection, client: RawClient, statement: str
) -> None:
    assert client.run("begin") == "T"
    assert client.run("insert into t values (1)") == "T"
    client.query(STATEMENTS[statement])
    wait_until(lambda: is_at_work(admin, client))
    cancel(redshift, client.key)
    assert client.outcome() == f"{CANCELLED} E"
    assert client.run("select 1") == "25P02 E"
    assert client.run("commit") == "I"
    assert_nothing_is_left(admin)


def test_the_message_is_redshifts(redshift: LocalRedshift, admin: Connection, client: RawClient) -> None:
    client.query(STATEMENTS["select"])
    wait_until(lambda: is_at_work(admin, client))
    cancel(redshift, client.key)
    (error,) = [body for kind, body in client.read_until(b"Z") if kind == b"E"]
    assert b"cancelled on user's request" in error


def test_at_any_moment_the_answer_is_true(redshift: LocalRedshift, admin: Connection, client: RawClient) -> None:
    """What was said to be cancelled is not there, and what was said to be done is."""
    outcomes = set()
    for attempt in range(60):
        client.query("create table made as select n from numbers where n < 40; insert into t select n from made")
        time.sleep(0.0008 * attempt)
        cancel(redshift, client.key, tls=False)
        outcome = client.outcome()
        outcomes.add(outcome)
        made = rows(admin, "select count(*) from svv_tables where table_name = 'made'") == [[1]]
        inserted = rows(admin, "select count(*) from t") == [[39]]
        assert (made, inserted) == ((True, True) if outcome == "I" else (False, False))
        if made:
            run(admin, "drop table made", "truncate t")
    assert outcomes <= {"I", f"{CANCELLED} I"}
    assert f"{CANCELLED} I" in outcomes


def test_a_request_that_is_late_meets_no_other_statement(redshift: LocalRedshift, client: RawClient) -> None:
    for _ in range(30):
        client.query("select 1")
        threading.Thread(target=cancel, args=(redshift, client.key), kwargs={"tls": False}).start()
        client.outcome()
    wait_until(
        lambda: threading.active_count() == 1 or not any("cancel" in thread.name for thread in threading.enumerate())
    )
    assert [client.run("select 1") for _ in range(5)] == ["I"] * 5


def test_an_idle_session_is_not_cancelled(redshift: LocalRedshift, client: RawClient) -> None:
    assert client.run("begin") == "T"
    cancel(redshift, client.key)
    assert client.run("select 1") == "T"


@pytest.mark.parametrize("wrong", ["secret", "process", "short", "empty"])
def test_a_wrong_key_does_nothing(redshift: LocalRedshift, admin: Connection, client: RawClient, wrong: str) -> None:
    right = client.key
    keys = {
        "secret": right[:4] + bytes(byte ^ 0xFF for byte in right[4:]),
        "process": bytes(byte ^ 0xFF for byte in right[:4]) + right[4:],
        "short": right[:4],
        "empty": b"",
    }
    client.query(STATEMENTS["select"])
    wait_until(lambda: is_at_work(admin, client))
    cancel(redshift, keys[wrong])
    time.sleep(0.3)
    assert is_at_work(admin, client)
    cancel(redshift, right)
    assert client.outcome() == f"{CANCELLED} I"


def test_copy_is_cancelled_while_it_waits_for_s3(admin: Connection) -> None:
    """An S3 that takes the request and never answers."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        LocalRedshift(s3_endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}") as redshift,
    ):
        client = RawClient(redshift).log_in()
        assert client.run("create table t (a int)") == "I"
        client.query("copy t from 's3://lake/x' iam_role default format json 'auto'")
        connection, _ = silent.accept()
        cancel(redshift, client.key)
        assert client.outcome() == f"{CANCELLED} I"
        assert client.run("drop table t") == "I"
        # and within a transaction
        assert client.run("begin") == "T"
        assert client.run("create table t (a int)") == "T"
        client.query("copy t from 's3://lake/x' iam_role default format json 'auto'")
        other, _ = silent.accept()
        cancel(redshift, client.key)
        assert client.outcome() == f"{CANCELLED} E"
        # the end does not wait for the store either
        began = time.monotonic()
        redshift.stop()
        assert time.monotonic() - began < 10
        for opened in (connection, other):
            opened.close()
        client.close()


def test_copy_is_cancelled_while_rows_come(
    redshift: LocalRedshift, s3: "S3Client", admin: Connection, client: RawClient
) -> None:
    body = b"\n".join(b'{"a": %d}' % number for number in range(100_000))
    for part in range(10):
        s3.put_object(Bucket="lake", Key=f"cancelling/{part}.json", Body=body)
    outcomes = set()
    for wait in (0.05, 0.5, 1.0):
        client.query("copy t from 's3://lake/cancelling/' iam_role default format json 'auto'")
        time.sleep(wait)
        cancel(redshift, client.key)
        outcomes.add(client.outcome())
        assert rows(admin, "select count(*) from t") == [[0]]
    assert outcomes == {f"{CANCELLED} I"}


def test_psql_is_interrupted(redshift: LocalRedshift, admin: Connection) -> None:
    environment = redshift.environment()
    process = subprocess.Popen(
        [PROGRAMS / "psql", "-X", "-c", "set search_path to cancelling", "-c", STATEMENTS["ctas"]],
        env=os.environ
        | {
            "PGHOST": "localhost",
            "PGPORT": str(redshift.port),
            "PGUSER": "dbt",
            "PGDATABASE": "dev",
            "PGPASSWORD": environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"],
            "PGSSLMODE": "disable",  # the wheel's psql knows no TLS
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - not left ignored
    )
    at_work = (
        "select 1 from pg_stat_activity where state = 'active' and query like '%made%' and pid <> pg_backend_pid()"
    )
    wait_until(lambda: bool(rows(admin, at_work)))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert "cancelled on user's request" in said
    assert process.returncode != 0
    assert_nothing_is_left(admin)


@pytest.mark.documented("r_CANCEL", "as documented")
def test_by_the_command_cancel(admin: Connection, client: RawClient) -> None:
    client.query(STATEMENTS["ctas"])
    wait_until(lambda: is_at_work(admin, client))
    run(admin, f"cancel {int.from_bytes(client.key[:4], 'big')}")
    assert client.outcome() == f"{CANCELLED} I"
    assert_nothing_is_left(admin)


@pytest.mark.documented("PG_TERMINATE_BACKEND", "as documented")
def test_a_terminated_session_is_told(admin: Connection, client: RawClient) -> None:
    """What dbt does to its statements when it is interrupted."""
    client.query(STATEMENTS["insert"])
    wait_until(lambda: is_at_work(admin, client))
    run(admin, f"select pg_terminate_backend({int.from_bytes(client.key[:4], 'big')})")
    assert client.read_until(b"E")[-1][1].count(b"57P01") == 1
    with pytest.raises(ConnectionError):
        client.read()
    assert_nothing_is_left(admin)


# A client that is gone -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("statement", ["select", "insert", "ctas", "merge", "several"])
def test_what_a_vanished_client_asked_for_ends(
    redshift: LocalRedshift, admin: Connection, statement: str, tls: bool
) -> None:
    client = RawClient(redshift, tls=tls).log_in()
    assert client.run("set search_path to cancelling") == "I"
    client.query(STATEMENTS[statement])
    wait_until(lambda: is_at_work(admin, client))
    client.close()
    wait_until(lambda: is_gone(admin, client))
    assert_nothing_is_left(admin)


def test_a_client_that_vanishes_at_once(redshift: LocalRedshift, admin: Connection) -> None:
    """The statement may not even have reached PostgreSQL, which would run it and commit."""
    for attempt in range(20):
        client = RawClient(redshift, tls=False).log_in()
        client.query(
            f"insert into cancelling.t select n + {SLOW.replace('numbers', 'cancelling.numbers')} from cancelling.numbers"
        )
        time.sleep(0.001 * attempt)
        client.close()
        wait_until(lambda: is_gone(admin, client))  # noqa: B023 - called at once
    assert_nothing_is_left(admin)


def test_a_vanished_client_within_a_transaction(redshift: LocalRedshift, admin: Connection) -> None:
    client = RawClient(redshift).log_in()
    assert client.run("begin; insert into cancelling.t values (1)") == "T"
    client.close()
    wait_until(lambda: is_gone(admin, client))
    assert_nothing_is_left(admin)


def test_a_client_that_says_goodbye_is_no_vanished_one(redshift: LocalRedshift, admin: Connection) -> None:
    client = RawClient(redshift).log_in()
    assert client.run("insert into cancelling.t values (1)") == "I"
    client.send(b"X")
    client.close()
    wait_until(lambda: is_gone(admin, client))
    assert rows(admin, "select a from t") == [[1]]
    run(admin, "truncate t")


def test_cancelling_is_refused_to_who_may_not(admin: Connection, connect: Connect, client: RawClient) -> None:
    run(admin, "create user meddler password 'Meddler12'")
    with connect(user="meddler", password="Meddler12") as meddler:  # noqa: S106 - of this test alone
        client.query(STATEMENTS["select"])
        wait_until(lambda: is_at_work(admin, client))
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(meddler, f"cancel {int.from_bytes(client.key[:4], 'big')}")
    run(admin, f"cancel {int.from_bytes(client.key[:4], 'big')}", "drop user meddler")
    assert client.outcome() == f"{CANCELLED} I"
