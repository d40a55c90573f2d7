"""Trino as a process of this machine's, or one that runs elsewhere (TRINO_URL)."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import urllib3

from dbt_local_aws.athena.errors import AthenaError
from dbt_local_aws.athena.trino.client import Session, TrinoQuery
from dbt_local_aws.athena.trino.installation import HERE, TRINO
from dbt_local_aws.jars import Installation, install, locked, say
from dbt_local_aws.java import UnavailableError

HEAP = "2g"
"""Trino's heap at most; the whole process takes some 0.6 GB beside what of it is used."""
_HOST = "127.0.0.1"
_OPTIONS = (
    f"-Xmx{HEAP}",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--add-modules=jdk.incubator.vector",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
_START_SECONDS, _POLL_SECONDS = 180, 0.1
_TAIL_LINES = 15
_COLOURS = re.compile(r"\x1b\[\d*m")


class Trino:
    """The engine behind the endpoint. `start` comes back at once; whoever asks first waits until it answers."""

    def __init__(self, *, has_engine: bool = True) -> None:
        self._has_engine = has_engine
        self._pool = urllib3.PoolManager(maxsize=64, timeout=urllib3.Timeout(connect=10, read=120), retries=False)
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._folder = Path()
        self._ready = threading.Lock()
        self._is_ready = False
        self.url = os.environ.get("TRINO_URL", "").rstrip("/")

    def start(self, installation: Installation | None, folder: Path, environment: Mapping[str, str]) -> None:
        """Start the process, with its data in a folder of its own; nothing if TRINO_URL names one that runs.

        Args:
            installation: What to start, None for one that runs elsewhere.
            folder: Where its data and its log go; it is removed when the process ends.
            environment: AWS's variables, with which it reaches S3 and Glue.
        """
        if installation is None:
            return
        self._folder = folder
        self._process, self._log, self.url = launch(installation, folder, environment, HERE / "catalog")

    def stop(self) -> None:
        """End the process and remove its folder."""
        if self._process is not None:
            close(self._process)
            self._process = None
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._log is not None:
            self._log.close()
            self._log = None
        self._pool.clear()

    def query(self, sql: str, session: Session) -> TrinoQuery:
        """A statement that is about to be sent; waits until Trino has started."""
        self.wait()
        return TrinoQuery(self._pool, self.url, sql, session, self.failure)

    def wait(self) -> None:
        """Wait until Trino answers.

        Raises:
            AthenaError: It has ended, or does not answer in time; the message has the tail of its log.
        """
        if not self._has_engine:
            raise AthenaError("GENERIC_INTERNAL_ERROR", "This endpoint was started without Athena's engine")
        with self._ready:
            if not self._is_ready:
                try:
                    await_answer(self._pool, self.url, self._process, self._folder / "trino.log")
                except UnavailableError as error:
                    raise AthenaError("GENERIC_INTERNAL_ERROR", str(error)) from error
                self._is_ready = True

    def failure(self) -> str | None:
        """Why it does not answer, if its process has ended."""
        if self._process is None:
            return None
        try:
            self._process.wait(1)  # a connection breaks before its process is gone
        except subprocess.TimeoutExpired:
            return None
        return _ended(self._process, self._folder / "trino.log")


def launch(  # noqa: PLR0913 - what a start is told
    installation: Installation,
    folder: Path,
    environment: Mapping[str, str],
    catalogs: Path,
    *,
    port: int = 0,
    writes_archive: bool = False,
) -> tuple[subprocess.Popen[bytes], IO[bytes], str]:
    """Start Trino on a port of the loopback interface, 0 for a free one; gives the process, its log and its address."""
    (folder / "plugins").mkdir(parents=True)
    port = port or _free_port()
    places = {"TRINO_PORT": str(port), "TRINO_PLUGINS": str(folder / "plugins"), "TRINO_CATALOGS": str(catalogs)}
    if writes_archive:
        archive = [f"-XX:ArchiveClassesAtExit={installation.archive}.new", "-Dlocal.archive=true"]
    else:
        archive = [f"-XX:SharedArchiveFile={installation.archive}"] if installation.archive.exists() else []
    command = [
        installation.java.program("java"), *_OPTIONS, *archive, f"-Dlocal.version={TRINO.version}",
        f"-Dlocal.folder={folder}",
        f"-Dconfig={HERE / 'config.properties'}", f"-Djava.io.tmpdir={folder}", "-cp", installation.class_path,
        "io.trino.server.Launcher",
    ]  # fmt: skip
    log = (folder / "trino.log").open("wb")
    process = subprocess.Popen(  # noqa: S603 - Java with files of ours
        command,
        cwd=folder,
        env={**os.environ, **environment, **places},
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C of a terminal is for its parent, which then ends it
    )
    return process, log, f"http://{_HOST}:{port}"


def close(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """Close the process's input, upon which it ends; kill it if it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def await_answer(pool: urllib3.PoolManager, url: str, process: subprocess.Popen[bytes] | None, log: Path) -> None:
    """Wait until Trino says that it has started.

    Raises:
        UnavailableError: It has ended, or does not answer in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise UnavailableError(_ended(process, log))
        try:
            answer = pool.request("GET", f"{url}/v1/info", timeout=5)
            if answer.status == 200 and not answer.json()["starting"]:
                return
        except urllib3.exceptions.HTTPError:
            pass  # it does not listen yet
        time.sleep(_POLL_SECONDS)
    told = f" The end of its log:\n{_tail(log)}" if process is not None else ""
    raise UnavailableError(f"Trino at {url} did not answer within {_START_SECONDS} seconds.{told}")


def _ended(process: subprocess.Popen[bytes], log: Path) -> str:
    return f"Trino ended with code {process.returncode}. The end of its log:\n{_tail(log)}"


def _tail(log: Path) -> str:
    with log.open(errors="replace") as lines:
        return _COLOURS.sub("", "".join(deque(lines, _TAIL_LINES)))


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((_HOST, 0))
        return int(taken.getsockname()[1])


def installed() -> Installation | None:
    """Trino in the cache, with its class archive; None if TRINO_URL names one that runs elsewhere."""
    if os.environ.get("TRINO_URL"):
        return None
    installation = install(TRINO)
    if not installation.archive.exists():
        with locked(installation.archive.with_suffix(".lock")):
            if not installation.archive.exists():
                _write_archive(installation)
    return installation


# What loads most of the classes that the work of a data lake needs, on a folder of this machine.
_TRAINING = (
    "create schema training.s",
    "create table training.s.t with (partitioning = array['b']) as select n as a, cast(n % 3 as varchar) as b, "
    "cast(from_unixtime(n) as timestamp(6)) as c from unnest(sequence(1, 1000)) as t(n)",
    "insert into training.s.t select a + 1, b, c from training.s.t where a < 10",
    "merge into training.s.t using (values (1, 'x')) s(a, b) on t.a = s.a when matched then update set b = s.b "
    "when not matched then insert (a, b) values (s.a, s.b)",
    "delete from training.s.t where a = 2",
    "create view training.s.v security invoker as select b, count(*) as n from training.s.t group by b",
    "with x as (select a, b, row_number() over (partition by b order by c desc) as n from training.s.t) "
    "select x.b, count(distinct x.a), max(v.n), array_agg(x.a order by x.n) filter (where x.n < 3), "
    "json_extract_scalar('{\"a\": 1}', '$.a'), regexp_replace(x.b, '\\d', '-'), date_format(now(), '%Y') "
    "from x left join training.s.v as v on v.b = x.b where lower(x.b) <> 'nosuch' group by x.b union all "
    "select 'y', 1, 2, null, null, null, null order by 1",
    "alter table training.s.t execute optimize",
    "select count(*) from training.information_schema.columns",
    "drop view training.s.v",
    "drop table training.s.t",
)
_TRAINING_CATALOG = """\
connector.name=iceberg
iceberg.catalog.type=TESTING_FILE_METASTORE
hive.metastore.catalog.dir=local:///
fs.local.enabled=true
local.location={folder}
"""


def _write_archive(installation: Installation) -> None:
    """Start Trino once, let it work, and keep the classes that it loaded: every later start is faster by a third."""
    say("writing Trino's class archive (once)")
    folder = installation.folder / f"training-{os.getpid()}"
    catalogs = folder / "catalogs"
    nowhere = {
        "AWS_ENDPOINT_URL": f"http://{_HOST}:9", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }  # fmt: skip
    try:
        (folder / "lake").mkdir(parents=True)
        shutil.copytree(HERE / "catalog", catalogs)
        (catalogs / "training.properties").write_text(_TRAINING_CATALOG.format(folder=folder / "lake"))
        process, log, url = launch(installation, folder / "data", nowhere, catalogs, writes_archive=True)
        pool = urllib3.PoolManager(timeout=120, retries=False)
        try:
            await_answer(pool, url, process, folder / "data" / "trino.log")
            for sql in _TRAINING:
                for _ in TrinoQuery(pool, url, sql, Session("default")).batches():
                    pass
        finally:
            close(process, seconds=180)
            log.close()
        Path(f"{installation.archive}.new").replace(installation.archive)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
