"""Athena, Redshift, S3, Glue and STS together: `with LocalAws():`."""

import contextlib
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import boto3

from dbt_local_aws.athena.endpoint import LocalAthena
from dbt_local_aws.environment import forget_keys, no_proxy, own_environment
from dbt_local_aws.redshift.endpoint import LocalRedshift

BUCKET = "lake"
_REGION: Final = "us-west-2"


class LocalAws:
    """All endpoints, one S3 for all of them, and in it an empty bucket.

    For as long as the block lasts, this process and those that it starts know no other AWS: what led to one (profiles,
    keys, endpoints, proxies) is taken out of the environment, and put back at the end. One at a time in a process: moto
    keeps its state there.
    """

    def __init__(
        self,
        port: int = 0,
        redshift_port: int = 0,
        only: str | None = None,
        exports: Mapping[str, str] | None = None,
    ) -> None:
        """Takes the ports on the loopback interface, 0 for a free one, and the one engine that is wanted, if it is one.

        Args:
            port: Where Athena, S3, Glue and STS listen.
            redshift_port: Where Redshift listens.
            only: `athena` or `redshift`: the other engine is not started, and what it needs need not be there.
            exports: Variables of the caller's own that are set beside the endpoints', such as a place in the bucket.
        """
        self._athena = LocalAthena(port, _REGION, has_engine=only != "redshift")
        self._only = only
        self._redshift_port = redshift_port
        self._exports = dict(exports or {})
        self._settings: dict[str, str] = {}
        self._running = contextlib.ExitStack()

    def environment(self) -> dict[str, str]:
        """The variables with which AWS clients, libpq and dbt's profiles reach the endpoints: README.md lists them."""
        return dict(self._settings)

    def __enter__(self) -> Self:
        """Starts the endpoints and points the environment to them."""
        direct = no_proxy()
        with contextlib.ExitStack() as stack:
            stack.enter_context(own_environment(direct))
            athena = stack.enter_context(self._athena)
            os.environ.update(athena.environment())
            forget_keys()
            boto3.session.Session().client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": _REGION}
            )
            redshift: dict[str, str] = {}
            if self._only != "athena":
                started = stack.enter_context(LocalRedshift(athena.endpoint_url, self._redshift_port, athena.keys))
                redshift = started.environment()
            self._settings = {
                **athena.environment(),
                **redshift,
                "ATHENA_S3_STAGING_DIR": f"s3://{BUCKET}/results/",
                "ATHENA_S3_DATA_DIR": f"s3://{BUCKET}/lake",
                **direct,
                **self._exports,
            }
            os.environ.update(self._settings)
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the endpoints and restores the environment."""
        self._settings = {}
        self._running.close()
