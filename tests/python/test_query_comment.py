"""Every statement says for which data set and in which run of a command it is sent."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from dbt_project import DbtProject
from lakehouse.console import ConsoleReporter
from lakehouse.environment import variables
from lakehouse.pipeline.dbt_session import DATASET_VARIABLE, RUN_VARIABLE, DbtSession


@pytest.fixture
def project(tmp_path: Path) -> DbtProject:
    """The project, with a zone whose name would end a comment, or open a quote."""
    return DbtProject.copy(tmp_path / "project", tmp_path / 'it\'s -- "here" ; *', "mine")


def comments(sent: str) -> list[dict[str, str]]:
    """What statements say of themselves."""
    return [json.loads(comment) for comment in re.findall(r'/\* (\{"app": "dbt".*?\}) \*/', sent)]


def asked_by_hand(project: DbtProject) -> list[dict[str, str]]:
    """What the statements of a dbt that somebody calls by hand say of themselves."""
    sent: list[str] = []

    def listen(event: Any) -> None:  # noqa: ANN401 - dbt makes an event's fields at run time
        if event.info.name == "SQLQuery":
            sent.append(event.data.sql)

    with variables({"LANDING_ZONE": str(project.zone), "DUCKDB_PATH": None}):
        asked = dbtRunner(callbacks=[listen]).invoke(
            ["run-operation", "tell_built_from"],
            project_dir=str(project.folder),
            profiles_dir=str(project.folder),
            quiet=True,
            log_level="none",
        )
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    assert asked.success
    return comments("\n".join(sent))


def test_what_a_command_asks_has_its_data_set_and_one_run(project: DbtProject, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (DATASET_VARIABLE, RUN_VARIABLE):
        monkeypatch.setenv(name, "")  # so that what a session sets is taken back
    monkeypatch.chdir(project.folder)
    session = DbtSession(project.folder, "duckdb", "theirs", ConsoleReporter().console)
    with variables({"LANDING_ZONE": str(project.zone), "DUCKDB_PATH": None}):
        session.parse()
        for _ in range(2):
            session.operation("tell_built_from")
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    said = comments((project.folder / "logs/dbt.log").read_text())
    assert {(comment["dataset"], comment["run"]) for comment in said} == {("theirs", session.run_id)}
    assert re.fullmatch(r"\w{16}", session.run_id)


def test_dbt_by_hand_is_a_run_of_its_own_and_names_the_zones_folder(
    project: DbtProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (DATASET_VARIABLE, RUN_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(project.folder)
    said = asked_by_hand(project) + asked_by_hand(project)
    assert {comment["dataset"] for comment in said} == {"it_s_--__here_____"}
    assert len({comment["run"] for comment in said}) == 2


def test_who_schedules_names_the_run(project: DbtProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN_VARIABLE, "scheduled__2026-11-29")
    assert DbtSession(project.folder, "duckdb", "mine", ConsoleReporter().console).run_id == "scheduled__2026-11-29"
