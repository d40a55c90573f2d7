"""The endpoint: one address for S3, Glue and STS, which moto serves, and for Athena, which this package serves."""

from __future__ import annotations

import io
import json
import re
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

from local_aws.athena.api import AthenaApi
from local_aws.athena.catalog import Catalog
from local_aws.athena.engine import Engine
from local_aws.athena.errors import InvalidRequestError
from local_aws.athena.executions import Executions
from local_aws.athena.glue_names import GLUE_PREFIX, fold_names
from local_aws.athena.objects import ObjectStore

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_s3.client import S3Client

HOST = "127.0.0.1"
DEFAULT_REGION = "us-east-1"
_TARGET_PREFIX = "AmazonAthena."
_SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/")
# moto checks no signatures; clients want to have something to sign with.
_ACCESS_KEY, _SECRET_KEY = "local", "local"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class _QuietHandler(MotoRequestHandler):
    """Answers without a line in the terminal for every request."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is werkzeug's
        """Say nothing."""


class _Application:
    """Sends Athena's requests to this package and all others to moto, one at a time."""

    def __init__(self, api: AthenaApi) -> None:
        self._api = api
        self._moto = DomainDispatcherApplication(create_backend_app)
        # moto's S3 lists its keys while another thread may be adding one, and then fails.
        self._moto_lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        if target.startswith(_TARGET_PREFIX):
            return self._athena(target.removeprefix(_TARGET_PREFIX), environ, start_response)
        if length := int(environ.get("CONTENT_LENGTH") or 0):
            # Read before the lock: a slow client must not keep the others waiting.
            body = environ["wsgi.input"].read(length)
            if target.startswith(GLUE_PREFIX):
                body = fold_names(target.removeprefix(GLUE_PREFIX), body)
                environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = io.BytesIO(body)
        with self._moto_lock:
            return list(self._moto(environ, start_response))

    def _athena(self, operation: str, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        scope = _SCOPE.search(str(environ.get("HTTP_AUTHORIZATION", "")))
        try:
            answer = self._api.call(operation, json.loads(body or b"{}"), scope["region"] if scope else DEFAULT_REGION)
            status = "200 OK"
        except InvalidRequestError as error:
            answer = {"__type": "InvalidRequestException", "Message": str(error), "message": str(error)}
            status = "400 Bad Request"
        content = json.dumps(answer).encode()
        start_response(status, [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(content)))])
        return [content]


class _Region:
    """The clients with which the engine reaches one region of the endpoint itself."""

    def __init__(self, endpoint: str, name: str, cache: Path) -> None:
        session = boto3.session.Session(
            aws_access_key_id=_ACCESS_KEY, aws_secret_access_key=_SECRET_KEY, region_name=name
        )
        config = Config(retries={"max_attempts": 1}, max_pool_connections=32, s3={"addressing_style": "path"})
        self.glue: GlueClient = session.client("glue", endpoint_url=endpoint, config=config)
        self.s3: S3Client = session.client("s3", endpoint_url=endpoint, config=config)
        self.store = ObjectStore(self.s3, cache)
        self.engine = Engine(self.glue, self.store)


class LocalAthena:
    """A local endpoint for Athena, Glue, S3 and STS, on the loopback interface only.

    Use it as a context manager, or call `start` and `stop`. moto keeps its state in the process: run one at a time.
    """

    _running = threading.Lock()

    def __init__(self, port: int = 0, region: str = DEFAULT_REGION) -> None:
        self._port = port
        self._region = region
        self._regions: dict[str, _Region] = {}
        self._regions_lock = threading.Lock()
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._executions: Executions | None = None
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
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_CONFIG_FILE": str(self._directory / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self._directory / "aws-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> Self:
        """Serve until `stop`."""
        if not self._running.acquire(blocking=False):
            raise RuntimeError("another LocalAthena runs in this process; moto's state is the process's")
        try:
            self._directory = Path(tempfile.mkdtemp(prefix="local-athena-"))
            for name in ("aws-config", "aws-credentials"):
                (self._directory / name).touch()
            (self._directory / "objects").mkdir()
            self._executions = Executions(lambda region: self._in(region).engine, self._put)
            api = AthenaApi(self._executions, lambda region: Catalog(self._in(region).glue))
            self._server = make_server(
                HOST, self._port, _Application(api), threaded=True, request_handler=_QuietHandler
            )
            self._thread = threading.Thread(target=self._server.serve_forever, name="local-athena", daemon=True)
            self._thread.start()
        except BaseException:
            self._running.release()
            raise
        return self

    def stop(self) -> None:
        """End the server and forget everything."""
        if self._server is None or self._thread is None or self._executions is None:
            return
        self._executions.close()
        self._reset()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = self._executions = None
        for region in self._regions.values():
            region.engine.close()
        self._regions.clear()
        shutil.rmtree(self._directory)
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

    def _in(self, name: str) -> _Region:
        with self._regions_lock:
            if name not in self._regions:
                self._regions[name] = _Region(self.endpoint_url, name, self._directory / "objects")
            return self._regions[name]

    def _put(self, region: str, uri: str, content: bytes, content_type: str) -> None:
        self._in(region).store.put(uri, content, content_type)
