"""Blocking work in a thread of its own, whose results come one at a time and only as fast as they are taken.

The thread is a daemon: where it waits for a store that does not answer, it keeps neither a request to cancel nor the
end of the endpoint waiting.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable

_MOST_WAITING = 8

Emit = Callable[[bytes], None]


class AbandonedError(Exception):
    """Nobody takes what the work gives any more."""


class Feed:
    """The chunks that some work gives, for as long as nobody asks to cancel."""

    def __init__(self, work: Callable[[Emit], None], check: Callable[[], None], interrupted: asyncio.Event) -> None:
        """Takes the work, what raises where it is to end, and what says that it may have to."""
        self._work = work
        self._check = check
        self._interrupted = interrupted
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(_MOST_WAITING)
        self._abandoned = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """The chunks; raises what the work raises."""
        threading.Thread(target=self._run, name="redshift-copy", daemon=True).start()
        try:
            while (chunk := await self._next()) is not None:
                if isinstance(chunk, BaseException):
                    raise chunk
                yield chunk
        finally:
            self._abandoned = True
            while not self._waiting.empty():  # who waits for room goes on, and sees it
                self._waiting.get_nowait()

    async def _next(self) -> bytes | BaseException | None:
        taken = asyncio.ensure_future(self._waiting.get())
        interrupted = asyncio.ensure_future(self._interrupted.wait())
        try:
            await asyncio.wait({taken, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            self._check()
            return await taken
        finally:
            taken.cancel()
            interrupted.cancel()

    def _run(self) -> None:
        end: Exception | None = None
        with contextlib.suppress(AbandonedError):
            try:
                self._work(self._put)
            except AbandonedError:
                raise
            except Exception as error:
                end = error
            self._put(end)

    def _put(self, item: bytes | BaseException | None) -> None:
        if self._abandoned:
            raise AbandonedError
        try:
            asyncio.run_coroutine_threadsafe(self._waiting.put(item), self._loop).result()
        except RuntimeError as ended:  # the loop is closed
            raise AbandonedError from ended
