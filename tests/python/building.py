"""Builds by the steps of `lakehouse run`, in this process, for tests that build often."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from dbt.contracts.graph.manifest import Manifest
from rich.console import Console

from dbt_project import copy_project, remove_unit_tests
from lakehouse.commands import run
from lakehouse.console import ConsoleReporter
from lakehouse.environment import variables
from lakehouse.pipeline.databases import open_database
from lakehouse.pipeline.dataset import Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.run_report import RunReport, Tell
from lakehouse.pipeline.run_watch import RunWatch


def quiet_console() -> Console:
    return Console(file=io.StringIO())


def run_once(session: DbtSession, data: Dataset, *, is_full: bool = False) -> RunReport:
    """Registers and builds what is landed; gives the report of it."""
    with open_database(session, data.zone_id() or "") as database:
        report = RunReport("1", session.dataset, session.target, "2018-12-01T00:00:00Z")
        watch = cast("RunWatch", SimpleNamespace(report=report, seconds=1.0))
        session.tell = report_to(report)
        run.build_all(data, session, database, watch, ConsoleReporter(), is_whole=True, is_full=is_full)
    return report


def report_to(report: RunReport) -> Tell:
    def tell(event: str, **fields: object) -> None:
        report.note(event, fields)

    return tell


class WithoutReports(DbtSession):
    """Leaves out what changes nothing and takes half of the time: the age of the sources, the counts of rows."""

    def freshness(self) -> None:
        pass

    def operation(self, macro: str, **arguments: object) -> None:
        if not macro.startswith("print_"):
            super().operation(macro, **arguments)


def without_dates(project: Path) -> None:
    """Takes a date out of a copied project that `copied` cannot copy."""
    curated = project / "models/stedi/curated/_stedi_curated__models.yml"
    lines = curated.read_text().splitlines(keepends=True)
    curated.write_text("".join(line for line in lines if "deprecation_date" not in line))


def copied(manifest: Manifest) -> Manifest:
    """A copy as dbt makes one between two commands; its own `deepcopy` does not take every manifest."""
    return Manifest.from_msgpack(manifest.to_msgpack())


def with_manifest(session: DbtSession, manifest: Manifest, kind: type[DbtSession] = DbtSession) -> DbtSession:
    other = kind(session.project_dir, session.target, session.dataset, quiet_console())
    other._manifest = manifest
    return other


@contextmanager
def parsed_copy(folder: Path) -> Iterator[DbtSession]:
    """A session of a copied project, which draws no site and has no unit tests; its zone is in the same folder."""
    project = copy_project(folder / "project")
    remove_unit_tests(project)
    without_dates(project)
    session = DbtSession(project, "duckdb", "mine", quiet_console())
    with (
        variables({"LANDING_ZONE": str(folder / "zone"), "DUCKDB_PATH": None}),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(run, "draw", lambda *_args, **_options: None)
        session.parse()
        yield session
