"""The metrics as MetricFlow reads them: valid, and what they measure is what the report shows."""

import csv
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dbt_project import DbtProject
from lakehouse.environment import variables
from real_data import LAKEHOUSE

MF = str(Path(LAKEHOUSE).with_name("mf"))


@pytest.fixture(scope="module")
def project(built_project: Callable[[str], DbtProject], tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A copy of the built sample: MetricFlow writes its own reading of the project into target/."""
    built = built_project("sample")
    copy = DbtProject.copy(tmp_path_factory.mktemp("metrics") / "project", built.zone, built.dataset)
    shutil.copy(built.database, copy.database)
    copy.dbt("parse")
    return copy


def metricflow(project: DbtProject, *command: str | Path) -> str:
    with variables({"LANDING_ZONE": str(project.zone), "DUCKDB_PATH": None, "DBT_PROFILES_DIR": str(project.folder)}):
        done = subprocess.run([MF, *map(str, command)], cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_definition_is_valid_and_can_be_asked(project: DbtProject) -> None:
    told = metricflow(project, "validate-configs", "--show-all")
    assert "validated the semantics of built manifest (ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0)" in told
    assert "validated metrics against data warehouse (ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0)" in told


def test_a_metric_is_the_figure_of_its_name(project: DbtProject, tmp_path: Path) -> None:
    figures = {
        str(name): value for name, value in project.query("select figure, figure_value from report.sparkify_figures")
    }
    assert len(figures) == 8
    metricflow(project, "query", "--metrics", ",".join(figures), "--csv", tmp_path / "metrics.csv")
    names, values = csv.reader((tmp_path / "metrics.csv").read_text().splitlines())
    measured = {name: float(value) for name, value in zip(names, values, strict=True)}
    assert measured == {name: pytest.approx(value, rel=1e-9) for name, value in figures.items()}
