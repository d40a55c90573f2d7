"""Where a COPY reads from, and how it writes down what outlives its transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from dbt_local_aws.redshift.backend import Backend
from dbt_local_aws.redshift.cancelling import Cancellation


@dataclass(frozen=True)
class LoadEnvironment:
    """Where a load reads from, and how it writes down what outlives its transaction."""

    user: str
    database: str
    endpoint_url: str | None
    region: str
    connect: Callable[[], Awaitable[Backend]]
    cancellation: Cancellation
