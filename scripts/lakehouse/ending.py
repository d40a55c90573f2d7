"""How a command ends when it is told to."""

import signal
from types import FrameType


def end_on_sigterm() -> None:
    """Makes SIGTERM end the command as Ctrl-C does: dbt cancels its queries, pools end their processes."""
    signal.signal(signal.SIGTERM, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    # make, timeout and a wrapper may each send one: the second would cut short what the first begins
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
