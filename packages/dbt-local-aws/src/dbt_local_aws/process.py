"""The endpoints in a process of their own, which does not outlive whoever started it, and a command beside them."""

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

SAID_LAST = "Ctrl-C "
"""How the line begins that follows the settings."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SUPERVISED = "DBT_LOCAL_AWS_SUPERVISED"
"""The variable that tells a process to end when its standard input does."""


class NotStartedError(Exception):
    """The endpoints have ended before they had started. What they said of it went to the standard error."""


def start(*arguments: str) -> tuple["subprocess.Popen[str]", dict[str, str]]:
    """Starts endpoints, and waits until they have told their settings.

    Args:
        arguments: A module of this package that serves, and its options.

    Returns:
        The process, which the caller ends, and the settings.

    Raises:
        NotStartedError: The process has ended.
    """
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", *arguments],
        env={**os.environ, _SUPERVISED: "1"},
        stdin=subprocess.PIPE,  # the system closes it when this process is gone, however it went
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101 - as asked for above
    settings: dict[str, str] = {}
    for line in process.stdout:
        if line.startswith("export "):
            name, _, value = shlex.split(line)[1].partition("=")
            settings[name] = value
        elif line.startswith(SAID_LAST):
            return process, settings
    process.communicate()
    raise NotStartedError(f"the endpoint did not start: it ended with code {process.returncode}")


def end_with_parent() -> None:
    """Ends this process as SIGTERM does, when whoever started it with `start` is gone."""
    if os.environ.pop(_SUPERVISED, None):  # not for what this process starts
        when_input_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))


def when_input_ends(end: Callable[[], None]) -> None:
    """Calls a function when the standard input ends: at the parent's word, and at its death, however it came."""

    def watch() -> None:
        while os.read(0, 4096):  # by the descriptor: a reader of sys.stdin would hold its lock when the process ends
            pass
        end()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


@contextmanager
def running(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """Endpoints for as long as the block lasts, which may also end them itself: their process, and their settings."""
    process, settings = start(*arguments)
    try:
        yield process, settings
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate()


@contextmanager
def interrupted_by_signals(received: list[int]) -> Iterator[None]:
    """Makes Ctrl-C of every signal that asks to end, so that whatever was started by then is stopped."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Lets nothing cut short what ends now."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def run(command: Sequence[str]) -> int:
    """Runs the command to its end, which the endpoints outlive, and gives its exit code as a shell would."""
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if process is None:
            early.append(number)
        elif number != signal.SIGINT or not os.isatty(0):  # a terminal sends Ctrl-C to the command as well
            process.send_signal(number)

    for number in _SIGNALS:
        signal.signal(number, pass_on)
    try:
        process = subprocess.Popen(command)  # noqa: S603 - the caller's own command
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    for missed in early:
        process.send_signal(missed)
    code = process.wait()
    return code if code >= 0 else 128 - code
