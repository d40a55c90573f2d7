"""The command `lakehouse`: its help, its exit codes, what it imports when, and where it may be called."""

import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from typer.core import TyperGroup
from typer.main import get_group

from lakehouse import commands
from lakehouse.commands import COMMANDS, GROUPS, module_of, run_command
from lakehouse.commands.release import NotReleasedError
from lakehouse.errors import (
    BuildError,
    DbtError,
    ExitCode,
    LakehouseError,
    LandingError,
    RejectLimitError,
    SettingsError,
    with_hint,
)
from lakehouse.parity.dump import DumpError
from lakehouse.pipeline.project import find_project, go_to, seen_from
from lakehouse.privacy.guard import NobodyFoundError, NotConfirmedError
from lakehouse.sample import SampleError
from real_data import LAKEHOUSE, PROJECT_DIR

pytestmark = pytest.mark.quick

MODULES = {name: module_of(name) for name in COMMANDS}


def lakehouse(*arguments: object, cwd: Path = PROJECT_DIR, **settings: str) -> "subprocess.CompletedProcess[str]":
    line = [LAKEHOUSE, *map(str, arguments)]
    kept = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    return subprocess.run(line, cwd=cwd, env={**kept, **settings}, capture_output=True, text=True, check=False)


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    """Commands that run in this process leave environment, umask, signals and the log as they found them."""
    variables = dict(os.environ)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    umask = os.umask(0o022)
    yield
    os.environ.clear()
    os.environ.update(variables)
    os.umask(umask)
    for number, action in zip(numbers, before, strict=True):
        signal.signal(number, action)
    log = logging.getLogger("lakehouse")
    log.setLevel(logging.NOTSET)
    log.propagate = True
    for handler in list(log.handlers):
        log.removeHandler(handler)


# ------------------------------------------------------------------------------------------------------------- help
def test_the_help_lists_every_command_and_every_exit_code() -> None:
    told = lakehouse("--help").stdout
    for name in {name.partition(" ")[0] for name in COMMANDS}:
        assert re.search(rf"^│ {name} ", told, re.MULTILINE), name
    for group in GROUPS:
        told_of_group = lakehouse(group, "--help").stdout
        for name in (name.partition(" ")[2] for name in COMMANDS if name.startswith(f"{group} ")):
            assert re.search(rf"^│ {name} ", told_of_group, re.MULTILINE), name
    for code in ExitCode:
        assert re.search(rf"^ *{code}  {re.escape(code.meaning)} *$", told, re.MULTILINE), code


def test_every_module_is_a_command_with_the_line_that_is_listed() -> None:
    folder = Path(str(commands.__file__)).parent
    modules = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py") if path.stem != "__init__"]
    assert {" ".join(module.parts).replace("_", "-") for module in modules} == set(COMMANDS)
    for name, module in MODULES.items():
        assert str(module.main.__doc__).partition("\n")[0] == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_can_be_typed_as_it_stands(name: str) -> None:
    group_name, _, own_name = name.rpartition(" ")
    group = get_group(commands._application(name))
    if group_name:
        group = cast("TyperGroup", group.commands[group_name])
    command = group.commands[own_name]
    assert command.epilog is not None
    header, *examples = command.epilog.splitlines()
    assert (header, bool(examples)) == ("Examples:", True)
    for example in examples:
        _program, *asked = shlex.split(example)
        words = name.split()
        assert asked[: len(words)] == words
        assert command.make_context(name, asked[len(words) :]).args == []


def test_examples_name_the_command_as_a_shell_finds_it() -> None:
    path = f"{Path(LAKEHOUSE).parent}:{os.environ['PATH']}"
    assert "  lakehouse run\n" in re.sub(" +\n", "\n", lakehouse("--help", PATH=path).stdout)
    assert f"{LAKEHOUSE} land --source" in lakehouse("land", "--help", PATH="/usr/bin", COLUMNS="200").stdout


@pytest.mark.usefixtures("_as_it_was")
@pytest.mark.parametrize("arguments", [["no-such-command"], ["land", "--no-such-option"], ["sample"], []])
def test_wrong_use_is_told_with_the_help(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_command(arguments)
    assert ended.value.code == 2
    assert "Usage: " in "".join(capsys.readouterr())


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["project"]
    assert lakehouse("--version").stdout == f"lakehouse {project['version']}\n"


# ------------------------------------------------------------------------------------------------------- exit codes
@pytest.mark.usefixtures("_as_it_was")
@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (LandingError("why"), 2, "error: why\n"),
        (SettingsError("why"), 2, "error: why\n"),
        (SampleError("why"), 2, "error: why\n"),
        (DumpError("why"), 2, "error: why\n"),
        (RejectLimitError("why"), 1, "error: why\n"),
        (DbtError("why"), 1, "error: why\n"),
        (BuildError("why", {}, ()), 1, "error: why\n"),
        (NobodyFoundError("why"), 3, "error: why\n"),
        (NotConfirmedError("why"), 2, "why\n"),
        (
            ValueError("why"),
            4,
            "error: a fault of this program: ValueError: why\nto see where: lakehouse --verbose sample …\n",
        ),
        (
            OSError(28, "full"),
            4,
            "error: a fault of this program: OSError: [Errno 28] full\nto see where: lakehouse --verbose sample …\n",
        ),
    ],
)
def test_an_error_has_its_code_and_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int, told: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(MODULES["sample"], "generate", fails)
    with pytest.raises(SystemExit) as ended:
        run_command(["sample", "--to", "never"])
    assert ended.value.code == code
    assert capsys.readouterr() == ("", told)
    with pytest.raises(SystemExit) as ended:
        run_command(["--verbose", "sample", "--to", "never"])
    assert ended.value.code == code
    said = capsys.readouterr().err
    assert said.endswith(told)
    assert "Traceback (most recent call last):" in said
    assert "in fails" in said


@pytest.mark.usefixtures("_as_it_was")
def test_what_to_do_next_is_told_behind_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        with with_hint("look there", DbtError), with_hint("not this", LandingError):
            raise BuildError("why", {}, ())

    monkeypatch.setattr(MODULES["sample"], "generate", fails)
    with pytest.raises(SystemExit):
        run_command(["sample", "--to", "never"])
    assert capsys.readouterr().err == "error: why\nlook there\n"


def test_a_release_that_fails_has_the_code_and_the_hint_of_what_failed(tmp_path: Path) -> None:
    is_told = MODULES["release"]._nothing_is_released
    for error, code in ((DbtError("why"), 1), (LandingError("why"), 2)):
        with pytest.raises(NotReleasedError) as told, is_told(tmp_path), with_hint("look there", DbtError):
            raise error
        assert str(told.value) == "nothing was released: why"
        assert told.value.exit_code == code
        assert getattr(told.value, "__notes__", []) == (["look there"] if code == 1 else [])
    with pytest.raises(NotReleasedError) as told, is_told(tmp_path):
        raise OSError(28, "No space left", "there")
    assert str(told.value) == "nothing was released: there: No space left"
    assert told.value.exit_code == 2


def test_a_code_means_one_thing_and_every_error_has_one() -> None:
    assert len({code.meaning for code in ExitCode}) == len(ExitCode) == 7
    assert {code.value for code in ExitCode} == {0, 1, 2, 3, 4, 5, 130}
    kinds = {LakehouseError}
    for _ in range(4):
        kinds |= {below for kind in kinds for below in kind.__subclasses__()}
    assert len(kinds) > 10
    assert all(isinstance(kind.exit_code, ExitCode) for kind in kinds)


@pytest.mark.usefixtures("_as_it_was")
def test_verbose_says_everything_once_whoever_else_prints_what_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    everybodys = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(everybodys)
    try:
        with pytest.raises(SystemExit):
            run_command(["--verbose", "land"])
    finally:
        logging.getLogger().removeHandler(everybodys)
    assert capsys.readouterr().err.count("Traceback (most recent call last):") == 1


def test_verbose_tells_what_is_done(tmp_path: Path) -> None:
    (tmp_path / "source/step_trainer").mkdir(parents=True)
    (tmp_path / "source/step_trainer/1.json").touch()
    arguments = ("land", "--source", tmp_path / "source", "--to", tmp_path / "zone")
    assert lakehouse(*arguments).stderr == ""
    said = lakehouse("--verbose", *arguments).stderr
    assert f"lakehouse.pipeline.project: the project is {PROJECT_DIR}" in said
    assert re.search(rf"lakehouse\.landing\.load: listed {tmp_path}/source: \d+\.\d s\n", said)


# ---------------------------------------------------------------------------------------------------------- imports
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["land", "--help"], ["sample", "--help"]])
def test_dbt_is_not_imported_for_those_who_need_it_not(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from lakehouse.cli import main\n"
        "assert not {'typer', 'rich', 'yaml'} & sys.modules.keys()\n"
        f"sys.argv[1:] = {arguments}\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(sorted({'dbt', 'duckdb', 'boto3'} & sys.modules.keys()), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "dbt" not in done.stderr.replace("duckdb", "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("module", ["typer", "lakehouse.commands.run", "dbt.cli.main", "lakehouse.sample.generate"])
def test_ctrl_c_while_python_imports_is_one_line(tmp_path: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import signal, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    done = lakehouse("run", "--scale", "0.02", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\nstopped. Nothing was begun.\n")


# ------------------------------------------------------------------------------------------------------ the project
@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["backfill", "2018-11-01", "2018-11-02"],
        ["land", "--source", "source", "--to", "zone"],
        ["erase", "--zone", "zone", "--dry-run"],
        ["release"],
        ["repair-text", "--zone", "zone"],
        ["pseudonymise", "--zone", "zone"],
        ["suspensions", "--zone", "zone"],
        ["drop-environment", "ada", "--yes"],
        ["parity"],
        ["bench"],
    ],
)
@pytest.mark.usefixtures("_as_it_was")
def test_outside_of_a_project_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["lakehouse", *arguments])
    monkeypatch.setenv("LANDING_ZONE", "")
    with pytest.raises(SystemExit) as ended:
        run_command(arguments)
    assert ended.value.code == 2
    sentence = f"error: neither {tmp_path} nor a folder above it has a dbt_project.yml: go to the project's folder\n"
    assert capsys.readouterr() == ("", sentence)
    assert list(tmp_path.iterdir()) == []


def test_the_project_is_the_nearest_one_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "outer/inner"
    (inner / "models/below").mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "dbt_project.yml").touch()
    for here, project in ((inner / "models/below", inner), (inner, inner), (inner.parent, inner.parent)):
        monkeypatch.chdir(here)
        assert find_project() == project


def test_places_and_the_database_are_called_from_where_the_person_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path)
    assert seen_from(tmp_path, ["raw", "../raw", "s3://raw"]) == ["raw", "../raw", "s3://raw"]
    monkeypatch.chdir(tmp_path / "models")
    monkeypatch.setenv("DUCKDB_PATH", "my.duckdb")
    places = [f"{tmp_path}/models/raw", f"{tmp_path}/models/../raw", "/raw", "s3://raw"]
    assert seen_from(tmp_path, ["raw", "../raw", "/raw", "s3://raw"]) == places
    go_to(tmp_path)
    assert Path.cwd() == tmp_path
    assert os.environ["DUCKDB_PATH"] == f"{tmp_path}/models/my.duckdb"
