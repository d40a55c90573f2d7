"""A target that cannot be asked is told of in one sentence, before anything is begun."""

import re
import subprocess
from pathlib import Path

import pytest

from dbt_project import copy_project
from lakehouse.errors import SettingsError
from lakehouse.pipeline.targets import check_target
from real_data import LAKEHOUSE, PROJECT_DIR

SETTINGS = {
    "redshift": {"REDSHIFT_HOST": "warehouse.example"},
    "athena": {"ATHENA_S3_DATA_DIR": "s3://lake/data"},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "profiles.yml").write_text((PROJECT_DIR / "profiles.example.yml").read_text())
    return tmp_path


@pytest.mark.parametrize("target", ["redshift", "athena"])
def test_every_setting_that_is_missing_is_named_at_once(
    project: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    for name in SETTINGS[target]:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match=f"^{target} needs {' and '.join(SETTINGS[target])} in the environment"):
        check_target(project, target)
    for name, value in SETTINGS[target].items():
        monkeypatch.setenv(name, value)
    check_target(project, target)


def test_an_empty_setting_is_missing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDSHIFT_HOST", "")
    with pytest.raises(SettingsError, match="needs REDSHIFT_HOST"):
        check_target(project, "redshift")


@pytest.mark.parametrize("data", ["s3://lake/results/data", "s3://lake/results", "s3://lake/results/"])
def test_no_table_lies_among_results_of_queries(project: Path, monkeypatch: pytest.MonkeyPatch, data: str) -> None:
    monkeypatch.setenv("ATHENA_S3_DATA_DIR", data)
    for without in ("", "s3://lake/result", "s3://lake/results/data/below"):
        monkeypatch.setenv("ATHENA_S3_STAGING_DIR", without)
        check_target(project, "athena")
    monkeypatch.setenv("ATHENA_S3_STAGING_DIR", "s3://lake/results/")
    with pytest.raises(SettingsError, match="lies in ATHENA_S3_STAGING_DIR"):
        check_target(project, "athena")


def test_duckdb_needs_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUCKDB_PATH", raising=False)
    check_target(project, "duckdb")


def test_a_target_that_there_is_not_is_told_with_those_that_there_are(project: Path) -> None:
    with pytest.raises(SettingsError, match=r"^snowflake is no target: .*profiles.yml has duckdb, redshift, athena$"):
        check_target(project, "snowflake")


def test_profiles_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is missing: `make run` makes it, or copy profiles"):
        check_target(tmp_path, "duckdb")


@pytest.mark.parametrize("command", [["run"], ["erase", "--zone", "zone", "--email", "a@x.com", "--yes"], ["release"]])
def test_every_command_says_it_in_one_line(tmp_path: Path, command: list[str]) -> None:
    project = copy_project(tmp_path / "project")
    asked = [LAKEHOUSE, *command, "--target", "snowflake"]
    told = subprocess.run(asked, cwd=project, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert re.fullmatch(
        r"error: (nothing was released: )?snowflake is no target: .*\n",
        told.stderr,
    )
