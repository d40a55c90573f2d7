"""The endpoint: one address for S3, Glue and STS, which moto serves, and for Athena, which this package serves."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from moto.backends import get_backend
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from dbt_local_aws.athena import glue_front
from dbt_local_aws.athena.api import AthenaApi
from dbt_local_aws.athena.catalog import Catalog
from dbt_local_aws.athena.errors import InvalidRequestError
from dbt_local_aws.athena.executions import Executions
from dbt_local_aws.athena.keys import Keys, new_keys, refusal, signature_of
from dbt_local_aws.athena.objects import ObjectStore
from dbt_local_aws.athena.statement import Statement
from dbt_local_aws.athena.trino.client import TrinoQuery
from dbt_local_aws.athena.trino.server import Trino, installed

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_s3.client import S3Client

HOST = "127.0.0.1"
DEFAULT_REGION = "us-east-1"
_TARGET_PREFIX = "AmazonAthena."
_JSON = "application/x-amz-json-1.1"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class _QuietHandler(MotoRequestHandler):
    """Answers without a line in the terminal for every request."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is werkzeug's
        """Say nothing."""


class _Application:
    """Sends Athena's requests to this package and all others to moto, one at a time; asks everybody for the keys."""

    def __init__(self, api: AthenaApi, keys: Keys, region: str) -> None:
        self._api = api
        self._keys = keys
        self._region = region
        self._moto = DomainDispatcherApplication(create_backend_app)
        # moto's S3 lists its keys while another thread may be adding one, and then fails.
        self._moto_lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        # Read before the lock: a slow client must not keep the others waiting.
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        signature = signature_of(environ)
        if reason := refusal(environ, body, self._keys):
            return _refuse(reason, signature.service if signature else "s3", start_response)
        region = signature.region if signature else self._region
        if target.startswith(_TARGET_PREFIX):
            return self._athena(target.removeprefix(_TARGET_PREFIX), body, region, start_response)
        if target.startswith(glue_front.GLUE_PREFIX) and (request := glue_front.parsed(body)) is not None:
            return self._glue(target.removeprefix(glue_front.GLUE_PREFIX), request, region, environ, start_response)
        environ["wsgi.input"] = io.BytesIO(body)
        with self._moto_lock:
            return list(self._moto(environ, start_response))

    def _athena(self, operation: str, body: bytes, region: str, start_response: StartResponse) -> Iterable[bytes]:
        message = f"this endpoint is in {self._region}: there is no Athena in {region}"
        if region == self._region:
            try:
                return _answer("200 OK", self._api.call(operation, json.loads(body or b"{}")), start_response)
            except InvalidRequestError as error:
                message = str(error)
        answer = {"__type": "InvalidRequestException", "Message": message, "message": message}
        return _answer("400 Bad Request", answer, start_response)

    def _glue(
        self, operation: str, request: dict[str, Any], region: str, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        request = glue_front.as_glue_takes_it(operation, request)
        with self._moto_lock:
            try:
                own = glue_front.own_answer(operation, request, region)
            except glue_front.ConcurrentModificationError:
                message = "Update table failed due to concurrent modifications."
                answer = {"__type": "ConcurrentModificationException", "Message": message, "message": message}
                return _answer("400 Bad Request", answer, start_response)
            if own is not None:
                return _answer("200 OK", own, start_response)
            body = json.dumps(request).encode()
            environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(len(body)), io.BytesIO(body)
            return list(self._moto(environ, start_response))


def _answer(status: str, answer: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    content = json.dumps(answer).encode()
    start_response(status, [("Content-Type", _JSON), ("Content-Length", str(len(content)))])
    return [content]


def _refuse(reason: str, service: str, start_response: StartResponse) -> list[bytes]:
    message = "The request is not signed with the keys that this endpoint printed when it started."
    if service in ("athena", "glue"):
        return _answer("400 Bad Request", {"__type": "UnrecognizedClientException", "message": message}, start_response)
    error = f"<Error><Code>{reason}</Code><Message>{message}</Message></Error>"
    content = (error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>").encode()
    start_response("403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(content)))])
    return [content]


class LocalAthena:
    """A local endpoint for Athena, Glue, S3 and STS, on the loopback interface only, with a Trino behind it.

    Use it as a context manager, or call `start` and `stop`. moto keeps its state in the process: run one at a time.
    """

    _running = threading.Lock()

    def __init__(self, port: int = 0, region: str = DEFAULT_REGION, *, has_engine: bool = True) -> None:
        """Takes the port, 0 for a free one. Without an engine no query runs: S3, Glue and STS need no Java."""
        self._port = port
        self._region = region
        self._has_engine = has_engine
        self._keys = new_keys()
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._executions: Executions | None = None
        self._trino: Trino | None = None
        self._directory = Path()

    @property
    def endpoint_url(self) -> str:
        """The address of all four services."""
        if self._server is None:
            raise RuntimeError("the endpoint is not running")
        return f"http://{HOST}:{self._server.port}"

    def environment(self) -> dict[str, str]:
        """What to export so that AWS clients and dbt talk to this endpoint, and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self._keys.access_key,
            "AWS_SECRET_ACCESS_KEY": self._keys.secret_key,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_CONFIG_FILE": str(self._directory / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._directory / "aws-credentials"),
            "ATHENA_POLL_INTERVAL": "0.3",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> Self:
        """Serve until `stop`; Trino starts meanwhile, and the first query waits for it.

        Raises:
            TrinoUnavailableError: Java or Maven is missing, or Trino cannot be fetched.
        """
        if not self._running.acquire(blocking=False):
            raise RuntimeError("another LocalAthena runs in this process; moto's state is the process's")
        try:
            installation = installed() if self._has_engine else None
            self._directory = Path(tempfile.mkdtemp(prefix="local-athena-"))
            for name in ("aws-config", "aws-credentials"):
                (self._directory / name).touch()
            (self._directory / "results").mkdir()
            self._trino = Trino(has_engine=self._has_engine)
            self._serve(self._trino)
            self._trino.start(installation, self._directory / "trino", self.environment())
        except BaseException:
            self._running.release()
            raise
        return self

    def _serve(self, trino: Trino) -> None:
        # moto makes the server's socket known before the first request comes: the clients need its address
        holder: list[_Application] = []

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            return holder[0](environ, start_response)

        self._server = make_server(HOST, self._port, application, threaded=True, request_handler=_QuietHandler)
        session = boto3.session.Session(
            aws_access_key_id=self._keys.access_key,
            aws_secret_access_key=self._keys.secret_key,
            region_name=self._region,
        )
        config = Config(retries={"max_attempts": 1}, max_pool_connections=32, s3={"addressing_style": "path"})
        glue: GlueClient = session.client("glue", endpoint_url=self.endpoint_url, config=config)
        s3: S3Client = session.client("s3", endpoint_url=self.endpoint_url, config=config)
        store = ObjectStore(s3)

        def statement(sql: str, schema: str, started: Callable[[TrinoQuery], None]) -> Statement:
            return Statement(sql, schema, trino, Catalog(glue), store, started)

        self._executions = Executions(statement, store, self._directory / "results")
        holder.append(_Application(AthenaApi(self._executions, lambda: Catalog(glue)), self._keys, self._region))
        self._thread = threading.Thread(target=self._server.serve_forever, name="local-athena", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the server and forget everything."""
        if self._server is None or self._thread is None or self._executions is None or self._trino is None:
            return
        self._executions.stop_all()
        self._trino.stop()
        self._executions.close()
        self._reset()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = self._executions = self._trino = None
        shutil.rmtree(self._directory, ignore_errors=True)
        self._running.release()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _reset(self) -> None:
        """Empty moto's stores, which outlive the server."""
        for service in ("s3", "glue", "sts"):
            get_backend(service).reset()
        reset_model_data()
