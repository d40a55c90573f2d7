"""The runs that are on record: each as its log tells it, whether it ended by itself or was killed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from lakehouse.pipeline.run_log import FINISHED, FOLDER
from lakehouse.pipeline.run_report import RunReport

_FIELDS = {field.name for field in fields(RunReport)}


@dataclass(frozen=True)
class Change:
    """How many rows a relation has, and how many it had in the run before.

    Attributes:
        relation: Schema and name.
        before: None if the run before does not have it.
        after: None if the last run does not have it.
        expected: What is known of the data set, where that is another number.
        is_unusual: Whether the run warned of it.
    """

    relation: str
    before: int | None
    after: int | None
    expected: int | None = None
    is_unusual: bool = False

    @property
    def difference(self) -> int:
        """By how many rows it grew."""
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True)
class History:
    """The runs that are on record.

    Attributes:
        runs: All of them, the last one first.
        dataset: The data set that the site is of; None for that of the last run that left everything built.
        target: The engine that it is of; None for any.
    """

    runs: Sequence[RunReport]
    dataset: str | None = None
    target: str | None = None

    @property
    def last(self) -> RunReport | None:
        """The run that began last."""
        return self.runs[0] if self.runs else None

    @property
    def published(self) -> RunReport | None:
        """The run whose relations and report are to be seen: the last one that left everything built."""
        return next((run for run in self.runs if is_published(run) and self._is_of_the_site(run)), None)

    @property
    def before(self) -> RunReport | None:
        """The one before it that left everything built from the same data set on the same engine."""
        published = self.published
        same = [run for run in self.runs if is_published(run) and published and _place(run) == _place(published)]
        return same[1] if len(same) > 1 else None

    def _is_of_the_site(self, run: RunReport) -> bool:
        return self.dataset in (None, run.dataset) and self.target in (None, run.target)

    @property
    def rows_before(self) -> Mapping[str, int]:
        """The rows of each relation before the published run: as it found them on record, or as a log tells."""
        if self.published and self.published.rows_before:
            return self.published.rows_before
        return self.before.rows if self.before else {}

    def changes(self) -> list[Change]:
        """Every relation of the published run, and of the one before."""
        published, before = self.published, self.rows_before
        after, expected, unusual = (
            (published.rows, published.unexpected_rows, published.unusual_rows) if published else ({}, {}, {})
        )
        return [
            Change(name, before.get(name), after.get(name), expected.get(name), is_unusual=name in unusual)
            for name in {**after, **before}
        ]


def is_published(run: RunReport) -> bool:
    """Whether a run built what there was to build: not one that only landed, and none that failed."""
    return run.outcome == "done" and run.relations_built + run.relations_kept > 0


def recorded_runs(project_dir: Path, dataset: str | None = None, target: str | None = None) -> History:
    """Reads the logs of the runs, each as far as it came, for a site of a data set on an engine."""
    logs = sorted((project_dir / FOLDER).glob("*.jsonl"), reverse=True)
    return History([run for log in logs if (run := _run_of(log)) is not None], dataset, target)


def _run_of(log: Path) -> RunReport | None:
    """What a log tells of a run; None if it does not even tell of which data."""
    events = list(_events(log))
    if not events or events[0].get("event") != "run_started":
        return None
    first, last = events[0], events[-1]
    if last["event"] == FINISHED:
        return RunReport(**{name: value for name, value in last.items() if name in _FIELDS})
    run = RunReport(first["run_id"], first["dataset"], first["target"], first["time"])
    for event in events:
        run.note(event["event"], event)
    return run


def _events(log: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log; the last one may be half a line, if the run was killed while it wrote."""
    for line in log.read_bytes().splitlines():
        try:
            yield msgspec.json.decode(line, type=dict)
        except msgspec.DecodeError:
            return


def _place(run: RunReport) -> tuple[str, str]:
    return run.dataset, run.target
