import json
import subprocess
import sys
from pathlib import Path

import pytest

from landing_helpers import put
from real_data import PROJECT_DIR

GOOD = '{"sensorReadingTime":1655564437436,"serialNumber":"s","distanceFromObject":201}\n'


def run(command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    script = PROJECT_DIR / "scripts" / command
    return subprocess.run([sys.executable, script, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    put(tmp_path / "source", "step_trainer/[1].json", GOOD + "broken\n" * 12)
    return tmp_path / "source"


def test_land_ends_with_numbers_and_reasons(source: Path, tmp_path: Path) -> None:
    put(source, "step_trainer/[2].json", "{}\n" * 12)
    done = run("land.py", "--source", source, "--to", tmp_path / "zone")
    assert done.returncode == 0
    assert "staging_events: no file matches sparkify/log_data/**/*.json or log_data/**/*.json" in done.stdout
    assert "step_trainer_landing" in done.stdout
    assert "step_trainer/[2].json:1: key sensorReadingTime is missing" in done.stdout
    assert f"and 3 more, in {tmp_path}/zone/loader/quarantine" in done.stdout
    assert "nothing to do" in run("land.py", "--source", source, "--to", tmp_path / "zone").stdout


def test_land_prints_json(source: Path, tmp_path: Path) -> None:
    done = run("land.py", "--source", source, "--to", tmp_path / "zone", "--json")
    assert json.loads(done.stdout)["tables"]["step_trainer_landing"]["records_landed"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--source", "missing", "--to", "zone"], 2, "/missing does not exist: check the path"),
        (["--source", "source", "--to", "zone", "--max-rejects", "0"], 1, "error: more than 0 records were refused"),
        (["--to", "zone"], 2, "--source"),
    ],
)
def test_land_says_what_stops_it(
    source: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, message: str
) -> None:
    monkeypatch.chdir(source.parent)
    done = run("land.py", *arguments)
    assert (done.returncode, message in done.stderr) == (code, True)


def test_repair_text(source: Path, tmp_path: Path) -> None:
    run("land.py", "--source", source, "--to", tmp_path / "zone")
    done = run("repair_text.py", "--zone", tmp_path / "zone")
    assert (done.returncode, done.stdout) == (0, "0 garbled values, 0 distinct repairs, landed in text_repairs\n")
    assert run("repair_text.py", "--zone", tmp_path / "missing").returncode == 2
