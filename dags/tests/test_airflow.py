"""The DAGs in a real Airflow: imported, run from raw files to tables on DuckDB, broken, repaired, and backfilled."""

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any

import duckdb
import pytest

from lakehouse.sample import generate

PROJECT = Path(__file__).resolve().parents[2]
START = PROJECT / "dags/start.sh"
DAYS = ("2018-11-01", "2018-11-02", "2018-11-03")
KEY = "3f9ac17be2d04856a8b7c6e95d20f1643ba7d5ce"  # nobody's
PATIENCE_SECONDS = 3600


@dataclass
class Airflow:
    """An Airflow of its own, with the landing zone and the database that its DAGs write."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        own = {
            "AIRFLOW_HOME": f"{self.folder}/home",
            "LANDING_ZONE": f"{self.folder}/zone",
            "DUCKDB_PATH": f"{self.folder}/lakehouse.duckdb",
            "PSEUDONYM_KEY": KEY,
            "TASK_RETRIES": "0",
        }
        return {**os.environ, **own, **self.settings}

    def call(self, *command: str) -> str:
        done = subprocess.run(
            [START, *command], cwd=PROJECT, env=self.environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def prepare(self) -> None:
        self.call("airflow", "db", "migrate")
        self.call("airflow", "pools", "set", "lakehouse", "1", "one at a time")

    def run_dag(self, name: str, **params: str) -> dict[str, Any]:
        """Runs a DAG; gives the states of the run and of its tasks."""
        return ended(self.call("python", "dags/tests/run_dag.py", name, json.dumps(params)))

    def rows(self) -> dict[str, list[Any]]:
        """Every row of what is published of Sparkify."""
        with duckdb.connect(f"{self.folder}/lakehouse.duckdb", read_only=True) as database:
            names = database.execute("select table_name from duckdb_tables() where schema_name = 'sparkify'").fetchall()
            return {name: database.execute(f"from sparkify.{name} order by all").fetchall() for (name,) in names}


def ended(output: str) -> dict[str, Any]:
    (line,) = (line for line in output.splitlines() if line.startswith("ended: "))
    return dict(json.loads(line.removeprefix("ended: ")))


@pytest.fixture(scope="module", autouse=True)
def _manifest() -> None:
    subprocess.run([PROJECT / ".venv/bin/dbt", "--quiet", "parse"], cwd=PROJECT, check=True)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("small") / "source", 0.02).to


def test_every_dag_is_imported_without_error_or_warning(tmp_path: Path) -> None:
    airflow = Airflow(tmp_path)
    airflow.prepare()
    found = ended(airflow.call("python", "dags/tests/run_dag.py"))
    assert found.keys() == {"set_up", "sparkify", "sparkify_arrivals", "stedi", "stedi_arrivals"}
    assert found["sparkify"][:5] == ["discover", "land", "check_ledger", "register", "landing"]
    assert found["sparkify"][-2:] == ["expected_results", "publish"]


def test_from_raw_files_to_the_expected_numbers(tmp_path: Path) -> None:
    """Both products, on the sample, whose numbers are known."""
    airflow = Airflow(tmp_path, {"SOURCE": "", "DATASET": "", "PSEUDONYM_KEY": ""})
    airflow.prepare()
    for product in ("sparkify", "stedi"):
        done = airflow.run_dag(product, mode="full")
        assert done["run"] == "success", done
        assert set(done["tasks"].values()) == {"success"}
    with (PROJECT / "seeds/expected_row_counts.csv").open() as seed:
        expected = {row["relation"]: int(row["rows"]) for row in csv.DictReader(seed) if row["dataset"] == "sample"}
    with duckdb.connect(f"{tmp_path}/lakehouse.duckdb", read_only=True) as database:
        for schema, name in (("sparkify", "songplays"), ("sparkify", "artists"), ("stedi", "machine_learning_curated")):
            assert database.execute(f"select count(*) from {schema}.{name}").fetchone() == (expected[name],)  # noqa: S608


def test_a_task_that_fails_stops_what_follows_and_the_repaired_run_goes_through(tmp_path: Path, small: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(small, source)
    (events,) = source.rglob("2018-11-02-events.json")
    good = events.read_text()
    airflow = Airflow(tmp_path, {"SOURCE": str(source), "DATASET": "mine", "MAX_REJECTS": "0"})
    airflow.prepare()
    events.write_text(good + '\n{"page": "broken"}\n')
    done = airflow.run_dag("sparkify", mode="append", day="2018-11-02")
    assert done["run"] == "failed"
    assert done["tasks"]["discover"] == "success"
    assert done["tasks"]["land"] == "failed"
    assert {state for name, state in done["tasks"].items() if name not in ("discover", "land")} == {"upstream_failed"}
    assert not (tmp_path / "lakehouse.duckdb").exists()
    events.write_text(good)
    assert airflow.run_dag("sparkify", mode="append", day="2018-11-02")["run"] == "success"
    missing = airflow.run_dag("sparkify", mode="append", day="2018-12-24")
    assert missing["tasks"]["discover"] == "failed", "a day without files"


@pytest.fixture
def running(tmp_path: Path, small: Path) -> Iterator[Airflow]:
    """Airflow with its scheduler, as `make airflow` starts it."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    airflow = Airflow(
        tmp_path, {"SOURCE": str(small), "DATASET": "mine", "PORT": port, "END": "2018-12-01T00:00:00+00:00"}
    )
    with (tmp_path / "airflow.log").open("w") as log:
        process = subprocess.Popen(
            [START], cwd=PROJECT, env=airflow.environment(), stdout=log, stderr=log, start_new_session=True
        )
        try:
            while "when it has started" not in (tmp_path / "airflow.log").read_text():
                assert process.poll() is None, (tmp_path / "airflow.log").read_text()
                time.sleep(1)
            yield airflow
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    assert not in_session(process.pid), "a process is left behind"


def in_session(session: int) -> list[str]:
    """The processes of a session that are still there."""
    listed = subprocess.run(["ps", "-o", "pid=,stat=", "-s", str(session)], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if "Z" not in line]


def test_a_backfill_of_three_days_run_twice_is_a_backfill_by_the_command(running: Airflow, tmp_path: Path) -> None:
    once = backfilled(running, runs=3)
    assert backfilled(running, runs=6) == once
    by_hand = Airflow(tmp_path / "by_hand", running.settings)
    by_hand.folder.mkdir()
    places = ("--source", running.settings["SOURCE"], "--dataset", "mine")
    subprocess.run(
        [PROJECT / ".venv/bin/lakehouse", "backfill", DAYS[0], DAYS[-1], *places],
        cwd=PROJECT,
        env=by_hand.environment(),
        check=True,
    )
    assert by_hand.rows() == once
    assert once["songplays"]


def backfilled(airflow: Airflow, runs: int) -> dict[str, list[Any]]:
    """Backfills the three days, waits until Sparkify's runs are through, and gives the rows."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "sparkify_arrivals" not in airflow.call("airflow", "dags", "list", "--output", "json"):
        assert time.monotonic() < deadline
        time.sleep(5)
    for dag in ("sparkify_arrivals", "sparkify"):
        airflow.call("airflow", "dags", "unpause", dag)
    days = ("--from-date", DAYS[0], "--to-date", DAYS[-1])
    airflow.call(
        "airflow", "backfill", "create", "--dag-id", "sparkify_arrivals", *days, "--reprocess-behavior", "completed"
    )
    while True:
        listed = json.loads(
            airflow.call("airflow", "dags", "list-runs", "sparkify", "--output", "json").splitlines()[-1]
        )
        states = [run["state"] for run in listed]
        assert "failed" not in states, listed
        if states.count("success") >= runs:
            return airflow.rows()
        assert time.monotonic() < deadline, listed
        time.sleep(10)
