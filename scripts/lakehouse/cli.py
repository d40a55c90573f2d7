"""The entry point of the command `lakehouse`. It imports next to nothing, so that it can be interrupted at once."""

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Runs the command that was typed, and ends with its exit code."""
    signal.signal(signal.SIGTERM, _end_at_once)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as shells have it in the background
        signal.signal(signal.SIGINT, _end_at_once)
    from lakehouse.commands import run_command  # noqa: PLC0415 - what takes time to import may be interrupted, too

    run_command(sys.argv[1:])


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """Ends while Python imports: nothing was begun, and an exception would go through code that may swallow it."""
    os.write(2, b"\nstopped. Nothing was begun.\n")
    os._exit(128 + signal.SIGINT)  # ExitCode.STOPPED, which is not imported yet


if __name__ == "__main__":
    main()
