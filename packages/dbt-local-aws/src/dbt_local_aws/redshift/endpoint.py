"""The endpoint for Python programs and tests: `with LocalRedshift(s3_endpoint_url=…) as redshift:`."""

import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Self

from dbt_local_aws.redshift.iam import keys_variables
from dbt_local_aws.signatures import Keys, new_keys

_STOP_SECONDS = 20


class LocalRedshiftError(Exception):
    """The endpoint could not be started."""


class LocalRedshift:
    """A Redshift endpoint in a process of its own, for as long as the block lasts.

    It ends with the block, and also where this process is killed: its data folder and PostgreSQL go with it.
    """

    def __init__(self, s3_endpoint_url: str | None = None, port: int = 0, keys: Keys | None = None) -> None:
        """Takes where COPY reads from, the port, 0 for a free one, and the keys that GetClusterCredentials asks for.

        Without keys it makes its own. Either stand in its environment.
        """
        self._keys = keys or new_keys()
        self._s3_endpoint_url = s3_endpoint_url
        self._wanted_port = port
        self._process: subprocess.Popen[str] | None = None
        self._environment: dict[str, str] = {}

    @property
    def host(self) -> str:
        """The host to connect to."""
        return self.environment()["REDSHIFT_HOST"]

    @property
    def port(self) -> int:
        """The port to connect to."""
        return int(self.environment()["REDSHIFT_PORT"])

    def environment(self) -> dict[str, str]:
        """The environment variables with which dbt's profiles, libpq and boto3 reach the endpoint."""
        if not self._environment:
            raise LocalRedshiftError("the endpoint is not running")
        return dict(self._environment)

    def start(self) -> None:
        """Starts the endpoint; returns once it accepts clients."""
        command = [sys.executable, "-m", "dbt_local_aws.redshift", "--supervised", "--port", str(self._wanted_port)]
        if self._s3_endpoint_url is not None:
            command += ["--s3-endpoint-url", self._s3_endpoint_url]
        self._process = subprocess.Popen(  # noqa: S603 - this package's own command line
            command,
            env={**os.environ, **keys_variables(self._keys)},  # other processes see a command line
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is this process's to handle
        )
        if self._process.stdout is None:
            raise LocalRedshiftError("the endpoint has no standard output")
        said = self._process.stdout.readline()
        if not said:
            self.stop()
            raise LocalRedshiftError("the endpoint did not start: what it said stands above")
        self._environment = json.loads(said)

    def stop(self) -> None:
        """Stops the endpoint."""
        process, self._process, self._environment = self._process, None, {}
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait(_STOP_SECONDS)
        finally:
            if process.stdout is not None:
                process.stdout.close()

    def __enter__(self) -> Self:
        """Starts the endpoint."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops the endpoint."""
        self.stop()
