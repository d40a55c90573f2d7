"""A client's wish to end its statement, which reaches it wherever it is: in PostgreSQL, between two steps, at S3.

A client asks on a connection of its own, with the key that it was given when it logged in. PostgreSQL knows the key,
too, and ends what runs there. What it cannot see is the time in which the endpoint itself works for a statement: a
request is remembered, and looked at before the next step is done. Once a statement is answered nothing of the request
is left, so that it never meets the one that follows.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from dbt_local_aws.redshift.errors import QUERY_CANCELED, RedshiftError


class Cancellation:
    """Whether the statement of one session is to end."""

    def __init__(self, tell: Callable[[], Awaitable[None]]) -> None:
        self._tell = tell  # lets PostgreSQL know
        self._telling = asyncio.Lock()
        self._is_running = False
        self.requested = asyncio.Event()

    async def request(self) -> None:
        """Ends the statement that runs, if one does; returns when PostgreSQL knows."""
        if not self._is_running:
            return
        self.requested.set()
        async with self._telling:
            await self._tell()

    @asynccontextmanager
    async def message(self) -> AsyncIterator[None]:
        """The time in which a message of the client's is answered."""
        async with self._telling:  # a request that is late was for what ran before
            self._is_running = True
        try:
            yield
        finally:
            self._is_running = False

    def forget(self) -> None:
        """The statement is done: what was asked for meanwhile came too late."""
        self.requested.clear()

    def check(self) -> None:
        """Raises where the statement is to end."""
        if self.requested.is_set():
            raise cancelled()


def cancelled() -> RedshiftError:
    """What a statement ends with that was cancelled."""
    return RedshiftError(QUERY_CANCELED, "canceling statement due to user request")
