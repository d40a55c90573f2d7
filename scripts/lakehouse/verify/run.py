"""Runs the steps of a verification: each passes, fails or is skipped, with a reason; none keeps others back."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from lakehouse.console import ConsoleReporter
from lakehouse.errors import BuildError, ExitCode, LakehouseError

log = logging.getLogger(__name__)
W = TypeVar("W")
"""What the steps work in."""
Facts = dict[str, Any]
"""What a step saw, for the evidence: names and numbers, and nothing about a person."""


class Outcome(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class NotKeptError(LakehouseError):
    """A promise is not kept; the message says which, and what was seen instead."""

    exit_code = ExitCode.FAILED


class DoesNotApplyError(LakehouseError):
    """A step cannot say anything here; the message says why."""


@dataclass(frozen=True)
class Step(Generic[W]):
    """A step of a verification.

    Attributes:
        name: One word, or several with underscores.
        promise: What holds if it passes, in a sentence for a person.
        check: Finds out, and gives what it saw.
        needs: The steps without whose success it could say nothing.
    """

    name: str
    promise: str
    check: Callable[[W], Facts]
    needs: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True):
    """How a step went."""

    name: str
    promise: str
    outcome: Outcome
    reason: str
    """Why it failed or was skipped; empty where it passed."""
    began_at: datetime
    """UTC."""
    seconds: float
    facts: Facts


def run_steps(
    steps: Sequence[Step[W]], world: W, reporter: ConsoleReporter, note: Callable[[Sequence[Result]], None]
) -> list[Result]:
    """Runs all steps, whatever becomes of any of them.

    Args:
        steps: The steps, in their order.
        world: What they work in.
        reporter: Who is told of each.
        note: Is given the results so far after each step, so that a killed verification leaves these.
    """
    results: list[Result] = []
    for step in steps:
        reporter.heading(f"{len(results) + 1} of {len(steps)}: {step.promise}")
        passed = {result.name for result in results if result.outcome is Outcome.PASSED}
        result = _run(step, world, [name for name in step.needs if name not in passed])
        told = f": {result.reason}" if result.reason else ""
        (reporter.warn if result.outcome is Outcome.FAILED else reporter.say)(
            f"{result.outcome}: {step.name}, {result.seconds:.1f} s{told}"
        )
        results.append(result)
        note(results)
    return results


def _run(step: Step[W], world: W, missing: Sequence[str]) -> Result:
    began_at, started = datetime.now(UTC), time.monotonic()
    outcome, reason, facts = Outcome.PASSED, "", Facts()
    if missing:
        outcome, reason = Outcome.SKIPPED, f"without {' and '.join(missing)} it could say nothing"
    else:
        try:
            facts = step.check(world)
        except DoesNotApplyError as error:
            outcome, reason = Outcome.SKIPPED, str(error)
        except Exception as error:  # what goes wrong in one step must not keep the others from being run
            log.debug("the step %s ended with an error", step.name, exc_info=error)
            outcome, reason = Outcome.FAILED, reason_of(error)
    return Result(step.name, step.promise, outcome, reason, began_at, round(time.monotonic() - started, 1), facts)


def reason_of(error: Exception) -> str:
    """What is told of an error: its own words where they are made for people; of others, which may quote rows, less."""
    if isinstance(error, BuildError) and error.unfinished:
        return f"{error}: {', '.join(f'{node} ({status})' for node, status in sorted(error.unfinished.items()))}"
    if isinstance(error, LakehouseError | OSError | ClientError | BotoCoreError):
        return str(error) or type(error).__name__
    return f"a fault of this program: {type(error).__name__}; --verbose tells where"
