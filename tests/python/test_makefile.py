"""What somebody writes behind `make NAME=` is data: neither make nor a shell runs anything of it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from lakehouse.errors import LandingError
from lakehouse.pipeline.dataset import separated
from real_data import PROJECT_DIR

pytestmark = pytest.mark.quick

RUN = {
    "SOURCE": "--sources=",
    "DATASET": "--dataset=",
    "TARGET": "--target=",
    "SCALE": "--scale=",
    "MAX_REJECTS": "--max-rejects=",
}
ERASE = {"LANDING_ZONE": "--zone=", "DATASET": "--dataset=", "TARGET": "--target=", "PEOPLE": "--file="}
PARITY = {"SOURCE": "--sources=", "DATASET": "--dataset=", "SCALE": "--scale=", "SELECT": "--select="}
HOSTILE = [
    "$(shell touch owned)",
    "$(touch owned)",
    "${shell touch owned}",
    "$(error stopped)",
    "$(eval X := $(shell touch owned))",
    "`touch owned`",
    "x; touch owned",
    "x' ; touch owned ; '",
    'x" ; touch owned ; "',
    "x\ntouch owned\n",
    "a\n\tb",
    "$HOME $$HOME ${HOME} $",
    'it\'s "quoted" and \\escaped\\',
    "# no comment",
    "~/* ? [a] {b,c} & | < > !",
    "--help",
    "% $@ $< $^",
    "Zoë's data",
]
COMMANDS = "$(shell touch owned)$(touch owned)`touch owned`' ; touch owned ; '\" ; touch owned ; \"\ntouch owned\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Makefile beside an environment that is set up, whose programs write down what they are called with."""
    folder = tmp_path_factory.mktemp("a project")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(PROJECT_DIR / name, folder)
    shutil.copytree(PROJECT_DIR / "requirements", folder / "requirements")
    (folder / "profiles.example.yml").touch()
    (folder / "profiles.yml").touch()
    (folder / "target/site").mkdir(parents=True)
    (folder / "target/site/index.html").touch()
    (folder / ".venv/bin").mkdir(parents=True)
    for name in ("python", "lakehouse", "dbt-local-aws"):
        program = folder / ".venv/bin" / name
        program.write_text(
            f"#!{sys.executable}\nimport json, os, sys\n"
            "json.dump([sys.argv[1:], dict(os.environ)], open('called.json', 'w'))\n"
        )
        program.chmod(0o700)
    package = folder / "packages/dbt-local-aws/pyproject.toml"
    package.parent.mkdir(parents=True)
    package.touch()
    for name in ("uv", "lakehouse", "run", "dbt-local-aws", "local_aws", "test", "bench"):
        (folder / f".venv/{name}.installed").touch()
    return folder


def make(
    project: Path, *arguments: str, check: bool = True, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    settings = {"PATH": os.environ["PATH"], "HOME": "/home/of/somebody", **(environment or {})}
    (project / "called.json").unlink(missing_ok=True)
    return subprocess.run(["make", *arguments], cwd=project, env=settings, capture_output=True, text=True, check=check)


def called(project: Path) -> list[str]:
    """The arguments of the program that was called."""
    arguments: list[str] = json.loads((project / "called.json").read_text())[0]
    return arguments


def test_each_command_is_handed_what_is_set_and_no_more(project: Path) -> None:
    make(project, "run")
    assert called(project) == ["run", "--sources=", "--scale=1", "--target=duckdb"]
    make(
        project,
        "run",
        "SOURCE=one two",
        "DATASET=mine",
        "TARGET=athena",
        "MAX_REJECTS=3",
        "FORGET_VANISHED=1",
        "SCALE=2",
    )
    assert called(project) == [
        *("run", "--sources=one two", "--scale=2", "--dataset=mine", "--target=athena"),
        *("--max-rejects=3", "--forget-vanished"),
    ]
    make(project, "run", "FORGET_VANISHED=0", "LOCAL=0")
    assert called(project) == ["run", "--sources=", "--scale=1", "--target=duckdb"]
    make(project, "run", "LOCAL=1", "TARGET=athena")
    assert called(project)[:4] == [
        *("--export=LANDING_ZONE=s3://lake/landing", "--only=athena", "--", ".venv/bin/lakehouse")
    ]
    make(project, "erase")
    assert called(project) == ["erase", "--zone=landing/sample", "--target=duckdb"]
    make(project, "erase", "DATASET=mine")
    assert called(project)[1:] == ["--zone=landing/mine", "--target=duckdb", "--dataset=mine"]
    make(
        project,
        "erase",
        "DRY_RUN=1",
        "YES=1",
        "ALLOW_AGAIN=1",
        "PEOPLE=list",
        environment={"LANDING_ZONE": "s3://zone"},
    )
    assert called(project)[1:] == [
        *("--zone=s3://zone", "--target=duckdb", "--file=list", "--dry-run", "--yes", "--allow-again")
    ]
    make(project, "parity", "SELECT=songplays+ users")
    assert called(project)[-1] == "--select=songplays+ users"
    make(project, "docs", "PORT=8081")
    assert called(project)[:3] == ["-m", "http.server", "8081"]


@pytest.mark.parametrize(("goal", "options"), [("run", RUN), ("erase", ERASE), ("parity", PARITY)])
def test_values_reach_the_command_as_they_were_written(project: Path, goal: str, options: dict[str, str]) -> None:
    """From the command line and from the environment."""
    for value in HOSTILE:
        make(project, goal, *(f"{name}={value}" for name in options))
        assert [f"{option}{value}" for option in options.values() if f"{option}{value}" not in called(project)] == []
        make(project, goal, environment=dict.fromkeys(options, value))
        assert [f"{option}{value}" for option in options.values() if f"{option}{value}" not in called(project)] == []
        assert not (project / "owned").exists(), value


def test_names_of_programs_ports_and_switches_are_data_too(project: Path) -> None:
    make(project, "docs", f"PORT={COMMANDS}")
    assert called(project)[2] == COMMANDS
    for goal in ("run", "erase"):
        for name in ("LOCAL", "FORGET_VANISHED", "DRY_RUN", "YES", "ALLOW_AGAIN"):
            make(project, goal, f"{name}={COMMANDS}", "TARGET=athena")
    os.utime(project / ".venv/uv.installed", (1, 1))
    assert make(project, ".venv/uv.installed", f"PYTHON={COMMANDS}", check=False).returncode != 0
    for name in ("uv", "lakehouse", "run", "dbt-local-aws", "local_aws", "test", "bench"):
        (project / f".venv/{name}.installed").touch()
    assert not (project / "owned").exists()


def test_an_address_is_not_taken_from_the_command_line(project: Path) -> None:
    refused = make(project, "erase", "EMAIL=$(shell touch owned)", check=False)
    assert refused.returncode == 2
    assert "make erase asks for it, or give PEOPLE=file" in refused.stderr
    assert not (project / "called.json").exists()
    assert not (project / "owned").exists()
    make(project, "erase", environment={"EMAIL": "the.operator@test.com"})
    assert not [argument for argument in called(project) if "@" in argument]


@pytest.mark.parametrize(
    ("sources", "folders"),
    [
        ("", []),
        ("  ", []),
        ("one", ["one"]),
        ("one two  s3://three/four", ["one", "two", "s3://three/four"]),
        ("'with a blank' two", ["with a blank", "two"]),
        ('"with a blank"', ["with a blank"]),
        ("with\\ a\\ blank", ["with a blank"]),
        ("one\ntwo", ["one", "two"]),
        ("$(shell x) `y` $HOME", ["$(shell", "x)", "`y`", "$HOME"]),
    ],
)
def test_sources_are_separated_by_blanks(sources: str, folders: list[str]) -> None:
    assert separated(sources) == folders


def test_a_folder_that_is_there_is_one_whatever_it_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "it's one's data"
    folder.mkdir()
    assert separated(str(folder)) == [str(folder)]
    with pytest.raises(LandingError, match=r"No closing quotation; a folder with a blank or a quote"):
        separated(f"{folder} {tmp_path}/two's")


def test_no_name_of_a_variable_gets_a_command_run(project: Path) -> None:
    names = ("ANY", "BIN", "VENV", "DATA", "IS_LOCAL", "GIVEN", "MISSPELT", "ON_COMMAND_LINE", "as_text")
    for name in (*names, "MAKEFILE_LIST", "MAKECMDGOALS", ".DEFAULT_GOAL", "$(shell touch owned)"):
        assert make(project, "help", f"{name}={COMMANDS}", check=False).returncode in (0, 2), name
        assert not (project / "owned").exists(), name


def test_the_command_is_installed_anew_when_pyproject_changes_and_nothing_else_is(project: Path) -> None:
    stamp = project / ".venv/lakehouse.installed"
    os.utime(stamp, (1, 1))
    planned = make(project, "--dry-run", "run").stdout
    assert "--no-deps --editable ." in planned
    assert "requirements" not in planned
    stamp.touch()
    assert "--editable" not in make(project, "--dry-run", "run").stdout


def test_a_variable_that_there_is_not_is_an_error_and_those_that_there_are_are_told(project: Path) -> None:
    told = make(project, "run", "SOURCES=raw", check=False)
    assert told.returncode == 2
    assert "there is no SOURCES; there are ALL ALLOW_AGAIN DATASET" in told.stderr
    assert not (project / "called.json").exists()


def test_make_run_says_that_it_builds_everything(project: Path) -> None:
    told = make(project, "run", "SELECT=songplays", check=False)
    assert told.returncode == 2
    assert "SELECT is for make parity. make run builds everything" in told.stderr
    assert not (project / "called.json").exists()
