"""The endpoints in a process of their own, started as a person starts them."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SAID_LAST = "Ctrl-C "
"""How the line begins that follows the settings."""


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
    process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own
    assert process.stdout is not None  # noqa: S101 - as asked for above
    settings: dict[str, str] = {}
    for line in process.stdout:
        if line.startswith("export "):
            name, _, value = shlex.split(line)[1].partition("=")
            settings[name] = value
        elif line.startswith(SAID_LAST):
            return process, settings
    process.stdout.close()
    raise NotStartedError(f"the endpoint did not start: it ended with code {process.wait()}")


@contextmanager
def running(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """Endpoints for as long as the block lasts, which may also end them itself: their process, and their settings."""
    process, settings = start(*arguments)
    try:
        yield process, settings
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
