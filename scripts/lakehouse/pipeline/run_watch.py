"""A run that is watched: what it does is written down as it goes on, and told to whoever wants to know when it ends."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.console import ConsoleReporter
from lakehouse.deployment.costs import list_prices
from lakehouse.errors import ExitCode, LakehouseError
from lakehouse.landing.parts import name_load
from lakehouse.pipeline.notify import Channel, NotToldError, channels
from lakehouse.pipeline.run_log import FINISHED, RunLog
from lakehouse.pipeline.run_report import RunReport
from lakehouse.pipeline.spending import Budget, OverBudgetError, Spending


class RunWatch:
    """What the steps of a run report to."""

    def __init__(self, report: RunReport, log: RunLog, spending: Spending) -> None:
        """Takes what it writes to."""
        self.report, self.spending, self._log = report, spending, log
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the run has taken."""
        return time.monotonic() - self._started

    def tell(self, event: str, **fields: Any) -> None:  # noqa: ANN401 - an event's own
        """Writes an event down."""
        self._log.write(event, fields)
        self.report.note(event, fields)


@contextmanager
def watched(
    project_dir: Path, dataset: str, target: str, budget: Budget, reporter: ConsoleReporter
) -> Iterator[RunWatch]:
    """Watches the block, which is a run, and tells how it ended; what it raises is raised.

    Who cannot be told makes no run fail: that is said on the terminal and in the log.

    Raises:
        SettingsError: Who is to be told, or the budget, makes no sense; nothing was begun.
        OverBudgetError: The run was stopped, since it cost too much.
    """
    to_tell = channels(os.environ)
    spending = Spending(target, budget, os.environ, list_prices(project_dir))
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    report = RunReport(name_load(), dataset, target, now)
    log = RunLog(project_dir, report.run_id)
    watch = RunWatch(report, log, spending)
    code, error = ExitCode.DONE, ""
    try:
        report.killed_before = log.killed_before
        if log.killed_before:
            reporter.warn(f"the run before was killed; as far as it came: {log.killed_before}")
        watch.tell("run_started", dataset=dataset, target=target, killed_before=log.killed_before)
        with spending.counting():
            yield watch
    except BaseException as raised:
        over = OverBudgetError(f"stopped: {spending.over}. What is built stays") if spending.over else None
        code, error = code_of(over or raised), type(over or raised).__name__
        if over is not None:
            raise over from raised
        raise
    finally:
        report.queries, report.bytes_scanned = spending.queries, spending.bytes_scanned
        report.rpu_seconds, report.cost_usd = spending.rpu_seconds, spending.cost_usd
        report.end(code, watch.seconds, error)
        _tell_all(to_tell, report, watch, reporter)
        watch.tell(FINISHED, **{name: value for name, value in report.as_fields().items() if name != "run_id"})
        log.close()
        reporter.say(f"{'report:':18}{log.path}{_cost(report)}")


def code_of(raised: BaseException) -> ExitCode:
    """What the shell sees of a run that ended so."""
    if isinstance(raised, LakehouseError):
        return raised.exit_code
    return ExitCode.STOPPED if isinstance(raised, KeyboardInterrupt) else ExitCode.FAULT


def _tell_all(to_tell: list[Channel], report: RunReport, watch: RunWatch, reporter: ConsoleReporter) -> None:
    for channel in to_tell:
        try:
            channel.send(report)
        except NotToldError as error:
            reporter.warn(f"{channel.name} was not told how the run ended: {error}")
            watch.tell("not_told", channel=channel.name)
        else:
            watch.tell("told", channel=channel.name)


def _cost(report: RunReport) -> str:
    dollars = "" if report.cost_usd is None else f", ${report.cost_usd:,.4f}"
    if report.bytes_scanned is not None:
        return f" ({report.bytes_scanned / 1e6:,.1f} MB scanned by {report.queries:,} queries{dollars})"
    if report.rpu_seconds is not None:
        return f" (at most {report.rpu_seconds:,.0f} RPU seconds{dollars})"
    return ""
