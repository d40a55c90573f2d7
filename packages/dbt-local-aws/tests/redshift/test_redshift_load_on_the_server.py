"""The endpoint under clients that are slow, many or in the way of its end.

How it would break: a client asks for millions of rows and reads none; it does so by either protocol; a large object
in S3 is read into memory as a whole; the endpoint is stopped in the middle of a query, of a COPY, of the rows, of a
transaction, or while a client has only just connected; a row is larger than what is read at once, or arrives in parts.
"""

import gzip
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from raw_client import RawClient, endpoint_folder, wait_until  # type: ignore[import-not-found]  # on pytest's path

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, Connection, rows, run

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [
    pytest.mark.filterwarnings("ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("sockets_closed"),
]

# 100 MB: as much as a client would ask for by mistake
MANY = "select n, repeat('x', 1000) from many"


@pytest.fixture(scope="module")
def many(connect: Connect) -> Iterator[Connection]:
    """A table of 98,304 rows."""
    with connect() as connection:
        run(
            connection,
            "create table public.many (n bigint)",
            "insert into public.many values (1), (2), (3)",
            *["insert into public.many select n from public.many"] * 15,
        )
        yield connection
        run(connection, "drop table public.many")


def memory_of(process: int) -> int:
    """How many bytes a process holds."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def process_of(redshift: LocalRedshift) -> int:
    """The endpoint's own process, which is PostgreSQL's parent no more: it is this one's child."""
    assert redshift._process is not None
    return redshift._process.pid


@pytest.mark.parametrize("protocol", ["simple", "extended"])
@pytest.mark.parametrize("tls", [True, False])
def test_rows_wait_for_a_slow_client(redshift: LocalRedshift, many: Connection, protocol: str, tls: bool) -> None:
    before = memory_of(process_of(redshift))
    client = RawClient(redshift, tls=tls, buffer=4096).log_in()
    (client.query if protocol == "simple" else client.prepare)(MANY)
    pid = int.from_bytes(client.key[:4], "big")
    waits = f"select 1 from pg_stat_activity where pid = {pid} and wait_event = 'ClientWrite'"  # noqa: S608 - a number
    wait_until(lambda: bool(rows(many, waits)))
    time.sleep(0.5)
    assert memory_of(process_of(redshift)) - before < 30 << 20
    count = sum(kind == b"D" for kind, _ in client.read_until(b"Z"))
    assert count == 3 << 15
    assert memory_of(process_of(redshift)) - before < 30 << 20
    client.close()


@pytest.mark.parametrize("size", [1, 65_530, 65_535, 1_000_000, 5_000_000])
def test_rows_of_any_size(redshift: LocalRedshift, size: int) -> None:
    """Rows that fill what is read at once, and those that take many times as much."""
    client = RawClient(redshift).log_in()
    text = f"repeat('x', {min(size, 65_535)})"
    repeated = " || ".join([text] * max(size // 65_535, 1))
    client.query(f"select {repeated} as a union all select 'short'")
    bodies = [body for kind, body in client.read_until(b"Z") if kind == b"D"]
    assert sorted(len(body) for body in bodies) == sorted(
        [2 + 4 + len("short"), 2 + 4 + size // 65_535 * 65_535 if size > 65_535 else 6 + size]
    )
    client.close()


def test_copy_holds_a_part_of_its_data(redshift: LocalRedshift, s3: "S3Client", connection: Connection) -> None:
    lines = "\n".join(json.dumps({"a": number, "b": "x" * 400}) for number in range(200_000))
    s3.put_object(Bucket="lake", Key="large/plain.json", Body=lines.encode())
    s3.put_object(Bucket="lake", Key="large/zipped.json.gz", Body=gzip.compress(lines.encode(), 1))
    del lines
    run(connection, "create table t (a int, b varchar(400))")
    before = memory_of(process_of(redshift))
    most = before
    client = RawClient(redshift).log_in()
    for name, options in (("plain.json", ""), ("zipped.json.gz", "gzip")):
        client.query(f"copy case_schema.t from 's3://lake/large/{name}' iam_role default json 'auto' {options}")
        client.socket.setblocking(False)
        while True:
            most = max(most, memory_of(process_of(redshift)))
            try:
                client.socket.recv(1 << 16)
            except (BlockingIOError, OSError):
                time.sleep(0.05)
            else:
                break
        client.socket.setblocking(True)
        client.run("select 1")
        client.run("select 1")
    assert rows(connection, "select count(*) from t") == [[400_000]]
    assert most - before < 50 << 20  # one of the files has 80 MB
    client.close()


# Its end --------------------------------------------------------------------------------------------------------------


def test_it_stops_whatever_its_clients_do() -> None:
    redshift = LocalRedshift()
    redshift.start()
    folder = endpoint_folder(redshift)
    prepare = RawClient(redshift).log_in()
    assert prepare.run("create table n (n int); insert into n values (1), (2), (3), (4), (5), (6), (7)") == "I"
    for _ in range(8):
        assert prepare.run("insert into n select a.n from n a") == "I"
    clients = [RawClient(redshift, buffer=4096).log_in() for _ in range(12)]
    for number, client in enumerate(clients):
        if number % 3 == 0:
            client.query("select count(*) from n a, n b, n c, n d where a.n + b.n > c.n")
        elif number % 3 == 1:
            client.query("select a.n, 'a text of some length' from n a, n b, n c")
        else:
            assert client.run("begin; create table of_one (a int)" if number == 2 else "begin; select 1") == "T"
    silent = RawClient(redshift, tls=False)
    began = time.monotonic()
    redshift.stop()
    took = time.monotonic() - began
    assert not folder.exists()
    assert took < 15  # on a machine with nothing else to do, a second
    for client in (*clients, prepare, silent):
        client.close()


def test_nothing_of_postgresql_is_left_when_it_stops() -> None:
    redshift = LocalRedshift()
    redshift.start()
    folder = endpoint_folder(redshift)
    client = RawClient(redshift).log_in()
    client.query("select count(*) from pg_class a, pg_class b, pg_class c, pg_class d")
    redshift.stop()
    left = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False)
    assert left.stdout == ""
    client.close()


def test_it_says_nothing_when_it_stops() -> None:
    """No task is lost, and nothing is raised that nobody takes."""
    program = """
import sys
from dbt_local_aws.redshift.endpoint import LocalRedshift
with LocalRedshift() as redshift:
    sys.path.insert(0, sys.argv[1])
    from raw_client import RawClient
    client = RawClient(redshift).log_in()
    client.query("select count(*) from pg_class a, pg_class b, pg_class c, pg_class d")
    gone = RawClient(redshift).log_in()
    gone.query("select 1")
    gone.close()
client.close()
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-c", program, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
