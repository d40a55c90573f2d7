"""How a command ends when it is told to: by Ctrl-C, or by the SIGTERM of make, timeout or an orchestrator."""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

from lakehouse.errors import ExitCode

_AGAIN_SECONDS = 20.0
_told = Event()


@contextmanager
def stops_in_one_line(what_stays: str) -> Iterator[None]:
    """Ends a command by KeyboardInterrupt: dbt cancels its queries, pools end their processes. A decorator, too.

    Args:
        what_stays: What a person should know then: what was kept, and how to go on.
    """
    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as shells have it in the background
        signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGALRM, _stop_again)
    try:
        yield
    except KeyboardInterrupt:
        print(f"\nstopped. {what_stays}", file=sys.stderr)
        raise SystemExit(ExitCode.STOPPED) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def is_stopping() -> bool:
    """Whether the command was told to end, and is about to."""
    return _told.is_set()


def _stop(_number: int, _frame: FrameType | None) -> None:
    # make, timeout and a wrapper may each send one: the second would cut short what the first begins
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _told.set()
    logging.disable(logging.CRITICAL)  # dbt takes it for a fault of its own, and prints a hundred lines of stack
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS, _AGAIN_SECONDS)
    raise KeyboardInterrupt


def _stop_again(_number: int, _frame: FrameType | None) -> None:
    """An interrupt is lost where it falls into a callback that swallows what is raised; so it is repeated."""
    raise KeyboardInterrupt
