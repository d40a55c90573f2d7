"""What a run tells of itself: its events, one after the other, and what they come to.

Both name relations, tests, files and numbers. No event holds a value of the data, so that none names a person: of a
failure it is the name of the test, and not the message of the engine, which may quote a row.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from lakehouse.errors import ExitCode

GOOD = ("success", "pass")

FEWEST_ROWS = 100
"""Of a relation that has fewer, before and after, it is not told whether its rows moved unusually."""


class Tell(Protocol):
    """Takes an event: its name, and its fields, which JSON can hold."""

    def __call__(self, event: str, **fields: Any) -> None:  # noqa: ANN401 - an event's own
        """Takes it."""


def nobody(event: str, **fields: Any) -> None:  # noqa: ANN401 - see above
    """Tells nobody."""


@contextmanager
def step(tell: Tell, name: str) -> Iterator[None]:
    """Times a step, and tells it, however it ends."""
    started = time.monotonic()
    tell("step_started", step=name)
    try:
        yield
    finally:
        tell("step_finished", step=name, seconds=round(time.monotonic() - started, 3))


def is_unusual(before: int, after: int) -> bool:
    """Whether a relation has fewer than nine tenths of the rows that it had, or more than twice as many."""
    return max(before, after) >= FEWEST_ROWS and not 0.9 * before <= after <= 2 * before


@dataclass
class RunReport:
    """A run, as far as it has come. The names of the fields are those of the JSON that is sent, and stay.

    Attributes:
        run_id: Its own; runs that began later have a greater one.
        dataset: The name of the data.
        target: The engine: an output of profiles.yml.
        started_at: UTC.
        seconds: How long it took.
        exit_code: What the shell sees, see `lakehouse --help`; None while it runs.
        outcome: The name of the exit code, in lower case: done, failed, refused, fault, over_budget, stopped.
        error: The kind of error that ended it.
        steps: Seconds of each step: land, register, freshness, build, site.
        rows: The rows of each landed and published relation.
        unexpected_rows: The relations whose rows are known, and others, with what was expected.
        rows_before: The rows of each relation in the last run that left everything built.
        unusual_rows: The relations whose rows moved unusually, with what they were.
        relation_seconds: How long the build of each relation took.
        records_landed: New records of each landing table.
        quarantine: Records in quarantine, by landing table.
        suspended_people: How many people are suspended; nobody is named.
        relations_built: How many.
        relations_grown: How many of them took in new records alone.
        tests_passed: How many.
        relations_kept: How many were not built, being made of the same as in their last build.
        tests_kept: How many were not repeated, for the same reason.
        failures: Models and tests that failed or were skipped, each with its status.
        freshness: Of each source, whether it is fresh: pass, warn or error.
        event_days: Of each kind of record, `first_on`, `last_on` and `days_without`, by the records' own time.
        queries: How many queries Athena ran.
        bytes_scanned: What they scanned; None on other engines.
        rpu_seconds: The most that Redshift Serverless can have charged; None elsewhere, and without REDSHIFT_RPUS.
        cost_usd: An estimate in US dollars; None where nothing is known.
        killed_before: The log of the run before, if that ended without a word.
    """

    run_id: str
    dataset: str
    target: str
    started_at: str
    seconds: float = 0.0
    exit_code: int | None = None
    outcome: str = ""
    error: str = ""
    steps: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    unexpected_rows: dict[str, int] = field(default_factory=dict)
    rows_before: dict[str, int] = field(default_factory=dict)
    unusual_rows: dict[str, int] = field(default_factory=dict)
    relation_seconds: dict[str, float] = field(default_factory=dict)
    records_landed: dict[str, int] = field(default_factory=dict)
    quarantine: dict[str, int] = field(default_factory=dict)
    suspended_people: int = 0
    relations_built: int = 0
    relations_grown: int = 0
    tests_passed: int = 0
    relations_kept: int = 0
    tests_kept: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    freshness: dict[str, str] = field(default_factory=dict)
    event_days: dict[str, dict[str, Any]] = field(default_factory=dict)
    queries: int = 0
    bytes_scanned: int | None = None
    rpu_seconds: float | None = None
    cost_usd: float | None = None
    killed_before: str = ""

    def note(self, event: str, fields: dict[str, Any]) -> None:
        """Takes what an event adds."""
        match event:
            case "step_finished":
                self.steps[fields["step"]] = fields["seconds"]
            case "table_landed":
                self.records_landed[fields["table"]] = fields["records_new"]
                self.quarantine[fields["table"]] = fields["records_quarantined"]
            case "people_suspended":
                self.suspended_people = fields["people"]
            case "source_aged":
                self.freshness[fields["source"]] = fields["status"]
            case "node_finished" if fields["status"] not in GOOD:
                self.failures[fields["name"]] = fields["status"]
            case "node_finished" if fields["kind"] in ("test", "unit_test"):
                self.tests_passed += 1
            case "node_finished":
                self.relations_built += 1
                self.relation_seconds[fields.get("relation", fields["name"])] = fields["seconds"]
            case "build_planned":
                self.relations_kept, self.tests_kept = fields["relations_kept"], fields["tests_kept"]
                self.relations_grown = fields["relations_grown"]
            case "rows_counted":
                self.rows[fields["relation"]] = fields["rows"]
                if fields["expected"] not in (None, fields["rows"]):
                    self.unexpected_rows[fields["relation"]] = fields["expected"]
            case "events_dated":
                self.event_days[fields["records_of"]] = {
                    name: fields[name] for name in ("first_on", "last_on", "days_without")
                }
            case "rows_compared":
                self.rows_before, self.unusual_rows = fields["before"], fields["unusual"]

    def end(self, code: ExitCode, seconds: float, error: str) -> None:
        """Takes how it ended."""
        self.exit_code, self.outcome, self.seconds, self.error = int(code), code.name.lower(), round(seconds, 3), error

    def summary(self) -> str:
        """A line for a person."""
        line = f"run of {self.dataset} on {self.target}: {self.outcome.replace('_', ' ')}, {self.seconds:,.0f} s"
        if self.failures:
            line += f", {len(self.failures):,} failures"
        if self.suspended_people:
            line += f", {self.suspended_people:,} people suspended"
        return line

    def as_fields(self) -> dict[str, Any]:
        """All fields, as JSON has them."""
        return asdict(self)
