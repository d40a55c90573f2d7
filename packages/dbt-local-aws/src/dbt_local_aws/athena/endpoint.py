"""The endpoint for Python programs and tests: `with LocalAthena() as athena:`."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config
from moto.backends import get_backend
from moto.core.model_instances import reset_model_data
from werkzeug.serving import BaseWSGIServer, make_server

from dbt_local_aws.athena.api import AthenaApi
from dbt_local_aws.athena.catalog import Catalog
from dbt_local_aws.athena.executions import Executions
from dbt_local_aws.athena.objects import ObjectStore
from dbt_local_aws.athena.server import Application, Environ, QuietHandler, StartResponse
from dbt_local_aws.athena.statement import Statement
from dbt_local_aws.athena.trino.client import TrinoQuery
from dbt_local_aws.athena.trino.server import Trino, installed
from dbt_local_aws.signatures import Keys, new_keys

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_s3.client import S3Client

HOST = "127.0.0.1"
DEFAULT_REGION = "us-east-1"


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

    @property
    def keys(self) -> Keys:
        """The keys that it asks for."""
        return self._keys

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
            UnavailableError: Java or Maven is missing, or Trino cannot be fetched.
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
        holder: list[Application] = []

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            return holder[0](environ, start_response)

        self._server = make_server(HOST, self._port, application, threaded=True, request_handler=QuietHandler)
        session = boto3.session.Session(
            aws_access_key_id=self._keys.access_key,
            aws_secret_access_key=self._keys.secret_key,
            region_name=self._region,
        )
        config = Config(
            retries={"max_attempts": 1},
            max_pool_connections=32,
            s3={"addressing_style": "path"},
            user_agent_extra="local-athena",  # what Athena itself does, by the rights of whoever asks
        )
        glue: GlueClient = session.client("glue", endpoint_url=self.endpoint_url, config=config)
        s3: S3Client = session.client("s3", endpoint_url=self.endpoint_url, config=config)
        store = ObjectStore(s3)

        def statement(sql: str, schema: str, started: Callable[[TrinoQuery], None]) -> Statement:
            return Statement(sql, schema, trino, Catalog(glue), store, started)

        self._executions = Executions(statement, store, self._directory / "results")
        holder.append(Application(AthenaApi(self._executions, lambda: Catalog(glue)), self._keys, self._region))
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
