"""S3 for the tests: moto's server behind a front that counts requests and does what S3 and networks do on bad days."""

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from socket import SHUT_RDWR, socket
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

import pytest
from botocore.config import Config
from moto.s3.models import S3Backend, get_canned_acl, s3_backends

from dbt_local_aws.moto_services import MotoServices
from lakehouse.storage import s3 as s3_prefix
from landing_helpers import as_bytes

ACCOUNT = "123456789012"  # moto's, whatever the access key
REGION = "us-east-1"
_OPERATIONS = {
    ("GET", False): "ListObjectsV2",
    ("GET", True): "GetObject",
    ("PUT", True): "PutObject",
    ("POST", False): "DeleteObjects",
    ("DELETE", True): "DeleteObject",
    ("HEAD", False): "HeadBucket",
    ("HEAD", True): "HeadObject",
}
WRITES = ("PutObject", "CopyObject", "DeleteObject", "DeleteObjects")


@dataclass(frozen=True)
class Request:
    """A request as it reached the front."""

    method: str
    path: str
    """As it was sent: percent-encoded, with the query."""
    headers: Mapping[str, str]
    """By name in lower case."""

    @property
    def bucket(self) -> str:
        """The bucket that it is about."""
        return unquote(self.path.partition("?")[0]).lstrip("/").partition("/")[0]

    @property
    def key(self) -> str:
        """The object that it is about; "" where it is about the bucket."""
        return unquote(self.path.partition("?")[0]).lstrip("/").partition("/")[2]

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters."""
        return dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True))

    @property
    def operation(self) -> str:
        """Its name in S3's API."""
        if self.method == "PUT" and "x-amz-copy-source" in self.headers:
            return "CopyObject"
        return _OPERATIONS[self.method, bool(self.key)]


@dataclass(frozen=True)
class Answer:
    """What the front sends back."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cut_at: int | None = None
    """After how many bytes of the body the connection is cut; None for never."""
    stall_at: int | None = None
    """After how many bytes of the body nothing more comes; None for never."""


Forward = Callable[[], Answer]
"""Lets moto answer."""
Fault = Callable[[Request, Forward], Answer | None]
"""Answers instead of moto; with None, the connection is cut."""


@dataclass
class Rule:
    """Which requests a fault befalls."""

    operation: str
    key: str
    fault: Fault
    times: int | None
    skip: int
    hits: int = 0

    def wants(self, request: Request) -> bool:
        """Says whether a request is one of them, and counts it."""
        if self.times == 0 or request.operation != self.operation or not fnmatchcase(request.key, self.key):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        return True


def refused(status: int, code: str, message: str = "no", **headers: str) -> Fault:
    """S3 says no."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>'
    )
    fields = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    answer = Answer(status, (("Content-Type", "application/xml"), *fields), body.encode())
    return lambda request, forward: answer


SLOW_DOWN = refused(503, "SlowDown", "Please reduce your request rate.")
INTERNAL_ERROR = refused(500, "InternalError", "We encountered an internal error. Please try again.")
DENIED = refused(403, "AccessDenied", "Access Denied")
SKEWED = refused(403, "RequestTimeTooSkewed", "The difference is too large.", Date=formatdate(0, usegmt=True))
ELSEWHERE = refused(301, "PermanentRedirect", "Use the other endpoint.", x_amz_bucket_region="eu-central-1")


def cut_off(request: Request, forward: Forward) -> Answer | None:
    """The connection breaks before S3 has seen the request."""
    return None


def answer_lost(request: Request, forward: Forward) -> Answer | None:
    """The connection breaks when S3 has done what was asked."""
    forward()
    return None


def answer_lost_as_busy(request: Request, forward: Forward) -> Answer | None:
    """S3 has done what was asked, and says that it failed."""
    forward()
    return INTERNAL_ERROR(request, forward)


def cut_in_the_middle(request: Request, forward: Forward) -> Answer | None:
    """The connection breaks in the middle of the body."""
    answer = forward()
    return replace(answer, cut_at=len(answer.body) // 2)


def with_other_etag(request: Request, forward: Forward) -> Answer | None:
    """S3 names another ETag than the object's."""
    answer = forward()
    kept = tuple((name, value) for name, value in answer.headers if name.lower() != "etag")
    return replace(answer, headers=(*kept, ("ETag", f'"{"0" * 32}"')))


class FaultyS3:
    """An S3 server of this process, with faults on demand."""

    def __init__(self) -> None:
        """Takes a free port."""
        self.requests: list[Request] = []
        self.bucket = ""
        """A bucket for one test."""
        self.ignored_header = ""
        """That S3 does not mind, like stores that know no conditional writes."""
        self.rules: list[Rule] = []
        self._moto = MotoServices()
        self._lock = threading.Lock()  # S3 decides on conditions and acts in one step
        self._numbers = count(1)
        self.client_is_odd = True
        """Whether boto's client, which takes long to make, is another than most tests need."""
        self._over = threading.Event()
        self._connections: set[socket] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(), bind_and_activate=True)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="S3", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What programs must have in theirs to find it, and nothing of this machine's settings."""
        nowhere = "/nowhere"
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": nowhere,
            "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    @property
    def backend(self) -> S3Backend:
        """Moto's own view, of which no request tells."""
        return s3_backends[ACCOUNT]["aws"]

    def begin(self) -> None:
        """Gives a test a bucket of its own, no faults, and no requests seen."""
        self._over.clear()
        self.bucket = self.make_bucket()
        self.ignored_header = ""
        self.rules.clear()
        self.requests.clear()

    def end(self) -> None:
        """Lets go of what a test left."""
        self._over.set()
        self.rules.clear()
        for connection in list(self._connections):
            _hang_up(connection)
        with self._lock:
            self.backend.reset()

    def set(self, monkeypatch: pytest.MonkeyPatch, **settings: str | None) -> None:
        """Gives the rest of a test other settings than usual."""
        for name, value in settings.items():
            if value is None:
                monkeypatch.delenv(name)
            else:
                monkeypatch.setenv(name, value)
        self.renew_client()

    def renew_client(self) -> None:
        """Gives the rest of a test a client of its own: none that remembers failures and redirections."""
        s3_prefix.forget_client()
        self.client_is_odd = True

    def stop(self) -> None:
        """Gives the port back."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def make_bucket(self) -> str:
        """A bucket of a new name."""
        name = f"bucket-{os.getpid()}-{next(self._numbers)}"
        self.backend.create_bucket(name, REGION)
        return name

    def place(self, prefix: str, bucket: str | None = None) -> "S3Place":
        """A prefix of the test's bucket, or of another."""
        return S3Place(self, bucket or self.bucket, prefix)

    def on(self, operation: str, fault: Fault, key: str = "*", *, times: int | None = None, skip: int = 0) -> Rule:
        """Lets a fault befall requests from now on: some of them, after some that are spared."""
        rule = Rule(operation, key, fault, times, skip)
        self.rules.append(rule)
        return rule

    def count(self, *operations: str, key: str = "*") -> int:
        """How many requests there were, whatever came of them."""
        return sum(request.operation in operations and fnmatchcase(request.key, key) for request in list(self.requests))

    def stalled(self, request: Request, forward: Forward) -> Answer | None:
        """A fault: S3 has the request, and nothing more is heard of it."""
        self._over.wait()
        return None

    def answer(self, request: Request, body: bytes) -> Answer | None:
        """Answers a request, or has a fault answer it."""
        self.requests.append(request)
        with self._lock:
            rule = next((rule for rule in self.rules if rule.wants(request)), None)

        def forward() -> Answer:
            with self._lock:
                return self._ask_moto(request, body)

        return rule.fault(request, forward) if rule else forward()

    def _ask_moto(self, request: Request, body: bytes) -> Answer:
        wanted = request.headers.get("x-amz-copy-source-if-match")
        if wanted is not None:  # moto does not look at it
            bucket, _, key = unquote(request.headers["x-amz-copy-source"]).lstrip("/").partition("/")
            found = self.backend.get_object(bucket, key)
            if found is not None and found.etag.strip('"') != wanted.strip('"'):
                return refused(412, "PreconditionFailed")(request, Answer) or Answer(412)  # type: ignore[arg-type]
        raw, _, query = request.path.partition("?")
        environ = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(raw, "latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": request.path,
            "RAW_URI": request.path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self._server.server_port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in request.headers.items():
            if name not in ("content-length", "expect", self.ignored_header):
                variable = name.upper().replace("-", "_")
                environ[variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"] = value
        begun: list[tuple[int, tuple[tuple[str, str], ...]]] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
            begun.append((int(status.split(maxsplit=1)[0]), tuple(headers)))
            return io.BytesIO().write

        chunks = self._moto(environ, start)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = begun[-1]
        return Answer(status, headers, content)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                front._connections.add(self.request)
                super().setup()

            def finish(self) -> None:
                front._connections.discard(self.request)
                super().finish()

            def handle(self) -> None:
                with suppress(OSError):  # the client has hung up, as killed ones do
                    super().handle()

            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fields = {name.lower(): value for name, value in self.headers.items()}
                answer = front.answer(Request(self.command, self.path, fields), body)
                if answer is None:
                    self.close_connection = True
                    _hang_up(self.connection)
                    return
                is_head = self.command == "HEAD"
                lines = [f"HTTP/1.1 {answer.status} S3"]
                lines += [f"{name}: {value}" for name, value in answer.headers if name.lower() != "content-length"]
                length = dict(answer.headers).get("Content-Length", "0") if is_head else str(len(answer.body))
                lines += ["" if answer.status == 204 else f"Content-Length: {length}"]
                head = "".join(f"{line}\r\n" for line in lines if line).encode("latin-1")
                sent = b"" if is_head or answer.status == 204 else answer.body[: answer.cut_at][: answer.stall_at]
                self.wfile.write(head + b"\r\n" + sent)
                if answer.stall_at is not None:
                    front._over.wait()
                if answer.cut_at is not None or answer.stall_at is not None:
                    self.close_connection = True
                    _hang_up(self.connection)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Says nothing."""

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve  # noqa: N815 - the base class's names

        return Handler


def _hang_up(connection: socket) -> None:
    with suppress(OSError):  # the other side was quicker
        connection.shutdown(SHUT_RDWR)


@contextmanager
def s3_server() -> Iterator[FaultyS3]:
    """A server for the tests of a module."""
    server = FaultyS3()
    try:
        yield server
    finally:
        server.stop()
        s3_prefix.forget_client()


@contextmanager
def s3_of_a_test(server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    """The server with a bucket for one test, and the loader pointed to it, with retries that do not wait."""
    server.begin()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.endpoint.time", _NoTime)
    monkeypatch.setattr("lakehouse.storage.s3.random.uniform", lambda low, high: 0)
    if server.client_is_odd:
        s3_prefix.forget_client()
    server.client_is_odd = False
    try:
        yield server
    finally:
        server.end()


class _NoTime:
    """A clock that sleeping costs nothing of."""

    @staticmethod
    def sleep(seconds: float) -> None:
        """Does not."""


def with_time_outs(s3: FaultyS3, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Lets the loader wait for S3 no longer than that."""
    monkeypatch.setattr("lakehouse.storage.s3.Config", lambda **options: Config(**{**options, "read_timeout": seconds}))
    s3.renew_client()


@dataclass(frozen=True)
class S3Place:
    """A prefix of a bucket, seen past the front: looking at it makes no request."""

    s3: FaultyS3 = field(repr=False)
    bucket: str
    prefix: str

    @property
    def location(self) -> str:
        """Its URL."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def put(self, key: str, content: bytes | str | Sequence[dict[str, Any]]) -> None:
        """Puts an object."""
        self.s3.backend.put_object(self.bucket, self._root + key, as_bytes(content))

    def make_public(self) -> None:
        """Lets everybody read its objects."""
        for key in self.keys():
            self.s3.backend.put_object_acl(self.bucket, self._root + key, get_canned_acl("public-read"))

    def delete(self, key: str) -> None:
        """Deletes an object."""
        self.s3.backend.delete_object(self.bucket, self._root + key)

    def get(self, key: str) -> bytes | None:
        """An object's content."""
        while (found := self.s3.backend.get_object(self.bucket, self._root + key)) is not None:
            try:
                return found.value
            except ValueError:  # moto closes the content of an object when another takes its place
                if found is self.s3.backend.get_object(self.bucket, self._root + key):
                    raise
        return None

    def etag(self, key: str) -> str:
        """An object's ETag."""
        found = self.s3.backend.get_object(self.bucket, self._root + key)
        assert found is not None
        return found.etag.strip('"')

    def keys(self) -> list[str]:
        """The objects' keys below the prefix."""
        keys = list(self.s3.backend.get_bucket(self.bucket).keys.keys())
        return sorted(key.removeprefix(self._root) for key in keys if key.startswith(self._root))

    @property
    def _root(self) -> str:
        return f"{self.prefix}/" if self.prefix else ""
