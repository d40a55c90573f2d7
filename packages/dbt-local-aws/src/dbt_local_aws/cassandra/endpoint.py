"""The endpoint for Python programs and tests: `with LocalCassandra() as cassandra:`."""

from __future__ import annotations

import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections import deque
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Final, Self

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, NoHostAvailable

from dbt_local_aws.certificates import Certificates, make_certificates
from dbt_local_aws.jars import Engine, Installation, install
from dbt_local_aws.java import UnavailableError

HOST: Final = "127.0.0.1"
NAME: Final = "localhost"
"""What its certificate is made out to."""
HERE = Path(__file__).parent
CASSANDRA = Engine(
    name="Cassandra",
    whose="Cassandra",
    version="5.0.6",
    java_version=17,  # the newest that 5.0 runs on: https://cassandra.apache.org/doc/latest/cassandra/reference/java17.html
    java_modules=frozenset(),
    recipe=HERE,
    megabytes=66,
)
_OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Dcassandra-foreground=yes",
    "-Dcassandra.ring_delay_ms=0",
    "-Dcassandra.skip_wait_for_gossip_to_settle=0",
    "-Dcassandra.superuser_setup_delay_ms=0",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in ("sun.nio.ch", "jdk.internal.ref", "java.io", "java.nio")
    ),
)
_START_SECONDS, _POLL_SECONDS, _TAIL_LINES = 180, 0.5, 15
_FIRST = PlainTextAuthProvider("cassandra", "cassandra")  # what Cassandra makes of itself at its first start
_USER = "cassandra"


class LocalCassandra:
    """One node of Cassandra, on the loopback interface only, with a password and a certificate of its own.

    Use it as a context manager. What it holds goes when it ends.
    """

    def __init__(self, port: int = 0) -> None:
        """Takes the port, 0 for a free one."""
        self._port = port
        self._password = secrets.token_urlsafe(16)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = Path()
        self._certificates: Certificates | None = None

    def environment(self) -> dict[str, str]:
        """What to export so that clients find it, and trust it."""
        assert self._certificates is not None  # noqa: S101 - it runs
        return {
            "CASSANDRA_HOST": NAME,
            "CASSANDRA_PORT": str(self._port),
            "CASSANDRA_USER": _USER,
            "CASSANDRA_PASSWORD": self._password,
            "CASSANDRA_CA_FILE": str(self._certificates.authority),
        }

    def __enter__(self) -> Self:
        """Starts it, and comes back when it answers: some fifteen seconds.

        Raises:
            UnavailableError: Java or Maven is missing, it cannot be fetched, or it does not start.
        """
        installation = install(CASSANDRA)
        self._folder = Path(tempfile.mkdtemp(prefix="local-cassandra-"))
        try:
            self._port = self._port or _free_port()
            self._certificates = make_certificates(self._folder, keeps_key=True)
            self._process = self._launch(installation, self._certificates.chain)
            self._take_over(self._process, self._certificates.authority)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it, and removes what it held."""
        self._stop()

    def _launch(self, installation: Installation, keystore: Path) -> subprocess.Popen[bytes]:
        settings = Template((HERE / "cassandra.yaml").read_text()).substitute(
            port=self._port, storage_port=_free_port(), keystore=keystore
        )
        (self._folder / "cassandra.yaml").write_text(settings)
        command = [
            installation.java.program("java"), *_OPTIONS, f"-Dcassandra.config=file://{self._folder}/cassandra.yaml",
            f"-Dcassandra.storagedir={self._folder}/data", f"-Dlogback.configurationFile={HERE / 'logback.xml'}",
            f"-Dlocal.folder={self._folder}", f"-Djava.io.tmpdir={self._folder}",
            "-cp", installation.class_path, "Launcher",
        ]  # fmt: skip
        with (self._folder / "cassandra.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - Java with files of ours
                command,
                cwd=self._folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C of a terminal is for its parent, which then ends it
            )

    def _take_over(self, process: subprocess.Popen[bytes], authority: Path) -> None:
        """Waits until it lets somebody in by the password that every Cassandra begins with, and changes that.

        Raises:
            UnavailableError: It has ended, or does not answer in time; the message has the tail of its log.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise UnavailableError(f"Cassandra ended with code {process.returncode}. {self._log()}")
            if _listens(self._port):
                cluster = Cluster(
                    [HOST],
                    port=self._port,
                    protocol_version=5,
                    auth_provider=_FIRST,
                    ssl_context=ssl.create_default_context(cafile=str(authority)),
                    ssl_options={"server_hostname": NAME},
                )
                try:
                    cluster.connect().execute(f"alter role {_USER} with password = '{self._password}'")
                except NoHostAvailable:
                    pass  # it has not made its first role yet
                else:
                    return
                finally:
                    cluster.shutdown()
            time.sleep(_POLL_SECONDS)
        raise UnavailableError(f"Cassandra did not answer within {_START_SECONDS} seconds. {self._log()}")

    def _log(self) -> str:
        with (self._folder / "cassandra.log").open(errors="replace") as lines:
            return f"The end of its log:\n{''.join(deque(lines, _TAIL_LINES))}"

    def _stop(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None  # noqa: S101 - as asked for above
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((HOST, port)) == 0
