import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from lakehouse.pipeline.project import PROJECT_FILE
from landing_helpers import put
from real_data import LAKEHOUSE, PROJECT_DIR

pytestmark = pytest.mark.quick

GOOD = '{"sensorReadingTime":1655564437436,"serialNumber":"s","distanceFromObject":201}\n'


def run(*command: object, cwd: Path = PROJECT_DIR, **settings: str) -> subprocess.CompletedProcess[str]:
    line = [LAKEHOUSE, *map(str, command)]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, check=False, env={**os.environ, **settings})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    put(tmp_path / "source", "step_trainer/[1].json", GOOD + "broken\n" * 12)
    return tmp_path / "source"


def test_land_ends_with_numbers_and_reasons(source: Path, tmp_path: Path) -> None:
    put(source, "step_trainer/[2].json", "{}\n" * 12)
    done = run("land", "--source", source, "--to", tmp_path / "zone")
    assert done.returncode == 0
    assert "staging_events: no file matches sparkify/log_data/**/*.json or log_data/**/*.json" in done.stdout
    assert "step_trainer_landing" in done.stdout
    assert "step_trainer/[2].json:1: key sensorReadingTime is missing" in done.stdout
    assert f"and 3 more, in {tmp_path}/zone/loader/quarantine" in done.stdout
    assert "nothing to do" in run("land", "--source", source, "--to", tmp_path / "zone").stdout


def test_land_prints_json(source: Path, tmp_path: Path) -> None:
    done = run("land", "--source", source, "--to", tmp_path / "zone", "--json")
    assert json.loads(done.stdout)["tables"]["step_trainer_landing"]["records_landed"] == 1


def test_land_prints_json_whatever_files_are_called(source: Path, tmp_path: Path) -> None:
    (source / "no-utf8-\udcff.txt").write_text("x")
    done = run("land", "--source", source, "--to", tmp_path / "zone", "--json")
    assert json.loads(done.stdout)["unclaimed"] == {f"{source}/no-utf8-\\udcff.txt": None}
    assert run("land", "--source", source, "--to", tmp_path / "zone").returncode == 0


def test_a_file_among_those_of_a_table_that_is_not_landed_is_a_warning(source: Path, tmp_path: Path) -> None:
    """It may hold a withdrawal. What lies elsewhere, or is a program's own, is a note at most."""
    for name in ("customer/landing/withdrawn.csv", "customer/landing/_SUCCESS", "notes.txt"):
        put(source, name, "x")
    done = run("land", "--source", source, "--to", tmp_path / "zone")
    said = done.stdout.replace("\n", " ")
    assert "withdrawn.csv lies among the files of customer_landing, and is not landed" in said
    assert re.search(r"note: \S*notes\.txt belongs to no table", said)
    assert re.search(r"note: \S*_SUCCESS belongs to no table", said)
    assert said.count("lies among the files of") == 1


def test_a_dry_run_says_what_would_be(source: Path, tmp_path: Path) -> None:
    put(source, "step_trainer/[1].json", "{}\n" * 12)
    done = run("land", "--source", source, "--to", tmp_path / "zone", "--dry-run")
    assert "12 records would be in quarantine" in done.stdout
    assert "and 2 more\n" in done.stdout
    assert "loader/quarantine" not in done.stdout


def test_a_fault_of_the_program_is_not_taken_for_too_many_rejects(source: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import lakehouse.landing.load as landing\nlanding.land = None\n")
    done = run("land", "--source", source, "--to", tmp_path / "zone", PYTHONPATH=str(tmp_path))
    assert done.returncode == 4
    assert done.stderr.startswith("error: a fault of this program: TypeError: 'NoneType' object is not callable\n")


def test_ctrl_c_ends_a_load_with_the_code_that_shells_give_it(source: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import lakehouse.landing.load as landing\n"
        "import signal\n"
        "landing.look_into = lambda folder, tables: signal.raise_signal(signal.SIGINT)\n"
    )
    done = run("land", "--source", source, "--to", tmp_path / "zone", PYTHONPATH=str(tmp_path))
    assert done.returncode == 130
    assert done.stderr == "\nstopped. What has landed stays. The same command goes on from there.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--source", "missing", "--to", "zone"], 2, "/missing does not exist: check the path"),
        (["--source", "source", "--to", "zone", "--max-rejects", "0"], 1, "error: more than 0 records were refused"),
        (["--to", "zone"], 2, "error: --source must be given"),
        ([], 2, "error: --source and --to must be given"),
        (["--source", "source", "--to", ""], 2, "error: a location is empty"),
        (["--source", "", "--to", "zone"], 2, "error: a location is empty"),
    ],
)
def test_land_says_what_stops_it(source: Path, arguments: list[str], code: int, message: str) -> None:
    """Sources and zone are called from the folder in which the command is given."""
    for part in (PROJECT_FILE, "models"):
        (source.parent / part).symlink_to(PROJECT_DIR / part)
    done = run("land", *arguments, cwd=source.parent)
    assert (done.returncode, message in done.stderr) == (code, True)
    assert "Traceback" not in done.stderr


def test_repair_text(source: Path, tmp_path: Path) -> None:
    run("land", "--source", source, "--to", tmp_path / "zone")
    done = run("repair-text", "--zone", tmp_path / "zone")
    assert (done.returncode, done.stdout) == (0, "0 garbled values, 0 distinct repairs, landed in text_repairs\n")
    assert run("repair-text", "--zone", tmp_path / "missing").returncode == 2
