"""What goes wrong for reasons that the person at the keyboard can change, and the exit code that a command has then."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """How a command ended; every command ends with one of these."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "ExitCode":
        """Takes the number that a shell sees, and what it says."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    DONE = 0, "done; the quarantine may have grown"
    FAILED = 1, "dbt or a data test failed, too many rejects, or erase left something"
    REFUSED = 2, "wrong use, or it cannot be done: a sentence says why"
    NOBODY_FOUND = 3, "erase: of an address, nothing was found anywhere"
    FAULT = 4, "a fault of this program"
    OVER_BUDGET = 5, "stopped: it cost more than its budget allows"
    STOPPED = 130, "stopped by Ctrl-C or SIGTERM: the same command can be run again"


class LakehouseError(Exception):
    """A command cannot go on; the message says why and what to do about it.

    Attributes:
        exit_code: That of the command which it ends.
        prefix: What stands before the message when it is printed.
    """

    exit_code: ExitCode = ExitCode.REFUSED
    prefix: ClassVar[str] = "error: "


class LandingError(LakehouseError):
    """The load cannot go on; the message says why and what to do about it."""


class SettingsError(LandingError):
    """A setting is missing or wrong; nothing was begun."""


class RejectLimitError(LandingError):
    """More records were refused than the caller allows; the landing zone is as it was before."""

    exit_code = ExitCode.FAILED


class DbtError(LakehouseError):
    """A dbt command failed; dbt has printed why."""

    exit_code = ExitCode.FAILED


class BuildError(DbtError):
    """A build failed.

    Attributes:
        unfinished: The nodes that failed or were skipped, by unique id, with their status.
        done: The unique ids of what was built, or has passed, before and besides.
    """

    def __init__(self, message: str, unfinished: dict[str, str], done: Collection[str]) -> None:
        """Takes the message for the person, the nodes that were not finished, and those that were."""
        super().__init__(message)
        self.unfinished, self.done = unfinished, done


@contextmanager
def with_hint(hint: str, *kinds: type[LakehouseError]) -> Iterator[None]:
    """Adds to errors of some kinds a line that tells how to go on."""
    try:
        yield
    except kinds as error:
        error.add_note(hint)
        raise
