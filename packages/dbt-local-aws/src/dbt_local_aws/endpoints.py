"""Athena, Redshift, S3, Glue and STS together: `with LocalAws():`."""

import contextlib
import os
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

import boto3

from dbt_local_aws.athena import LocalAthena
from dbt_local_aws.redshift import LocalRedshift

BUCKET = "lake"
LEADING_ELSEWHERE = ("AWS_", "ATHENA_", "REDSHIFT_")
"""How the names of variables begin that could lead a client to another AWS, or to another account of it."""
_REGION: Final = "us-west-2"
_LOOPBACK = "localhost,127.0.0.1"


class LocalAws:
    """All endpoints, one S3 for all of them, and in it an empty bucket.

    For as long as the block lasts, this process and those that it starts know no other AWS: what led to one (profiles,
    keys, endpoints, proxies) is taken out of the environment, and put back at the end. One at a time in a process: moto
    keeps its state there.
    """

    def __init__(self, port: int = 0, redshift_port: int = 0, only: str | None = None) -> None:
        """Takes the ports on the loopback interface, 0 for a free one, and the one engine that is wanted, if it is one.

        Args:
            port: Where Athena, S3, Glue and STS listen.
            redshift_port: Where Redshift listens.
            only: `athena` or `redshift`: the other engine is not started, and what it needs need not be there.
        """
        self._athena = LocalAthena(port, _REGION, has_engine=only != "redshift")
        self._only = only
        self._redshift_port = redshift_port
        self._settings: dict[str, str] = {}
        self._running = contextlib.ExitStack()

    def environment(self) -> dict[str, str]:
        """The variables with which AWS clients, libpq and the outputs of profiles.example.yml reach the endpoints."""
        return dict(self._settings)

    def __enter__(self) -> Self:
        """Starts the endpoints and points the environment to them."""
        no_proxy = _no_proxy()
        with contextlib.ExitStack() as stack:
            stack.enter_context(_own_environment())
            os.environ.update(no_proxy)
            athena = stack.enter_context(self._athena)
            os.environ.update(athena.environment())
            stack.callback(_forget_keys)
            _forget_keys()
            boto3.session.Session().client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": _REGION}
            )
            redshift: dict[str, str] = {}
            if self._only != "athena":
                started = stack.enter_context(LocalRedshift(athena.endpoint_url, self._redshift_port))
                redshift = started.environment()
            self._settings = {
                **athena.environment(),
                **redshift,
                "ATHENA_S3_STAGING_DIR": f"s3://{BUCKET}/results/",
                "ATHENA_S3_DATA_DIR": f"s3://{BUCKET}/lake",
                "LANDING_ZONE": f"s3://{BUCKET}/landing",
                **no_proxy,
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


def _forget_keys() -> None:
    """boto3's default session keeps the keys that it found first; these are new at every start."""
    boto3.setup_default_session()


def _no_proxy() -> dict[str, str]:
    """Lets no proxy come between clients and the loopback interface; both spellings are read, by different clients."""
    named = {os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")}
    hosts = ",".join([*sorted(filter(None, named)), _LOOPBACK])
    return {"no_proxy": hosts, "NO_PROXY": hosts}


@contextlib.contextmanager
def _own_environment() -> Iterator[None]:
    """Takes away what leads elsewhere, for as long as the block lasts, and undoes all that is changed meanwhile."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(LEADING_ELSEWHERE):
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
