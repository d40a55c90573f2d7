"""A client that says what a driver would not: requests to cancel, half of a conversation, nothing at all."""

import socket
import ssl
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from dbt_local_aws.redshift.endpoint import LocalRedshift

_CANCEL_REQUEST, _SSL_REQUEST, _PROTOCOL = 80877102, 80877103, 196608


class RawClient:
    """One connection to the endpoint, message by message."""

    def __init__(self, redshift: LocalRedshift, *, tls: bool = True, buffer: int | None = None) -> None:
        """Connects, and says nothing yet. A receive buffer of so many bytes makes it a slow reader."""
        self._redshift = redshift
        plain = socket.socket()
        if buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        plain.connect(("127.0.0.1", redshift.port))
        plain.settimeout(60)
        self.socket: socket.socket = plain
        self.key = b""
        if tls:
            plain.sendall(struct.pack("!II", 8, _SSL_REQUEST))
            assert plain.recv(1) == b"S"
            context = ssl.create_default_context(cafile=redshift.environment()["PGSSLROOTCERT"])
            self.socket = context.wrap_socket(plain, server_hostname="localhost")

    def log_in(self, database: str = "dev") -> Self:
        """Logs in as the superuser."""
        environment = self._redshift.environment()
        said = b"".join(part.encode() + b"\0" for part in ("user", environment["REDSHIFT_USER"], "database", database))
        self.socket.sendall(struct.pack("!II", len(said) + 9, _PROTOCOL) + said + b"\0")
        assert self.read()[0] == b"R"
        self.send(b"p", environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"].encode() + b"\0")
        for kind, body in self.read_until(b"Z"):
            if kind == b"K":
                self.key = body
        return self

    def send(self, kind: bytes, body: bytes = b"") -> None:
        """Sends a message."""
        self.socket.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def query(self, sql: str) -> None:
        """Sends a query string."""
        self.send(b"Q", sql.encode() + b"\0")

    def prepare(self, sql: str) -> None:
        """Sends a statement by the extended protocol."""
        self.parse(sql)
        self.execute()

    def parse(self, sql: str, name: bytes = b"") -> None:
        """Sends a statement to be prepared."""
        self.send(b"P", name + b"\0" + sql.encode() + b"\0" + struct.pack("!H", 0))

    def execute(self, name: bytes = b"") -> None:
        """Sends for a prepared statement to be run."""
        self.send(b"B", b"\0" + name + b"\0" + struct.pack("!HHH", 0, 0, 0))
        self.send(b"E", b"\0" + struct.pack("!I", 0))
        self.send(b"S")

    def _receive(self, size: int) -> bytes:
        received = b""
        while len(received) < size:
            chunk = self.socket.recv(size - len(received))
            if not chunk:
                raise ConnectionError("the endpoint has closed the connection")
            received += chunk
        return received

    def read(self) -> tuple[bytes, bytes]:
        """The next message."""
        head = self._receive(5)
        return head[:1], self._receive(struct.unpack("!I", head[1:])[0] - 4)

    def read_until(self, kind: bytes) -> list[tuple[bytes, bytes]]:
        """The messages up to one of a kind."""
        messages = [self.read()]
        while messages[-1][0] != kind:
            messages.append(self.read())
        return messages

    def outcome(self) -> str:
        """How a statement has ended: its SQLSTATE, or nothing where it succeeded, and the status of the transaction."""
        *messages, (_, status) = self.read_until(b"Z")
        errors = [
            field[1:] for kind, body in messages if kind == b"E" for field in body.split(b"\0") if field[:1] == b"C"
        ]
        return f"{b' '.join(errors).decode()} {status.decode()}".strip()

    def run(self, sql: str) -> str:
        """Runs a query string, and gives its outcome."""
        self.query(sql)
        return self.outcome()

    def close(self) -> None:
        """Closes the socket without a word."""
        self.socket.close()


def cancel(redshift: LocalRedshift, key: bytes, *, tls: bool = True) -> None:
    """Sends a request to cancel, and waits until the endpoint has closed the connection, which says nothing."""
    client = RawClient(redshift, tls=tls)
    client.socket.sendall(struct.pack("!II", len(key) + 8, _CANCEL_REQUEST) + key)
    assert client.socket.recv(1) == b""
    client.close()


def wait_until(happened: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for something to happen."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def endpoint_folder(redshift: LocalRedshift) -> Path:
    """Where an endpoint keeps its files."""
    return Path(redshift.environment()["SSL_CERT_FILE"]).parent
