"""The command behind `make run`, as a person uses and misuses it, on a copy of the project."""

import gzip
import hmac
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dbt_project import ALL_TESTS, UNTESTED, copy_project
from lakehouse.console import ConsoleReporter
from lakehouse.pipeline.dataset import Dataset
from landing_helpers import ledger_of
from real_data import LAKEHOUSE, PROJECT_DIR

KEY = 'it\'s a secret of "more" than 32 $characters'
CUSTOMER = {
    "email": "a@test.com",
    "serialNumber": "D1",
    "registrationDate": 1_655_564_400_000,
    "lastUpdateDate": 1_655_564_400_000,
}

PAGES = {"index.html", "report.html", "lineage.html", "runs.html", "static_index.html"}
SITE = {*PAGES, "site.css", "lineage.css"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in a folder whose name has a blank in it."""
    return copy_project(tmp_path_factory.mktemp("a copy") / "project")


def run(project: Path, *options: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return lakehouse(project, "run", *options, **environment)


def lakehouse(project: Path, *command: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    settings = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", UNTESTED: "unit_test", **environment}
    line = [LAKEHOUSE, *map(str, command)]
    return subprocess.run(line, cwd=project, env=settings, capture_output=True, text=True, check=False)


def report_of(project: Path) -> dict[str, Any]:
    """What the last run wrote of itself."""
    last = max((project / "logs/runs").glob("*.jsonl"))
    return dict(json.loads(last.read_text().splitlines()[-1]))


def put(folder: Path, path: str, *records: object) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(record) + "\n" for record in records))


def test_a_small_sample_runs_from_nothing_to_the_site(project: Path) -> None:
    """And an empty LANDING_ZONE is none: it is not the working directory. An exported key does not matter."""
    before = os.umask(0o022)  # as on most machines
    try:
        done = run(project, "--scale", "0.05", LANDING_ZONE="", PSEUDONYM_KEY=KEY)
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b([1-9]\d*) of \1 sources are fresh", done.stdout)
    assert "tests passed" in done.stdout
    assert "sparkify.songplays" in done.stdout
    assert "\x1b[" not in done.stdout
    assert {file.name for file in (project / "target/site").iterdir()} == SITE
    assert (project / "landing/sample_x0.05").is_dir()
    report = report_of(project)
    assert f"{report['relations_built']} relations built, {report['tests_passed']} tests passed" in done.stdout
    assert (report["outcome"], report["failures"], report["suspended_people"]) == ("done", {}, 0)
    assert report["rows"]["sparkify.songplays"] > 0
    assert set(report["freshness"].values()) == {"pass"}
    assert [*report["steps"]] == ["land", "register", "freshness", "build", "site"]
    with duckdb.connect(str(project / "lakehouse.duckdb"), read_only=True) as database:
        on_record = "select run_id, outcome, tests_passed, tests_failed, records_landed from loader.runs"
        landed = sum(report["records_landed"].values())
        assert database.execute(on_record).fetchall() == [(report["run_id"], "done", report["tests_passed"], 0, landed)]
        relations = dict(database.execute("select relation, rows_after from loader.run_relations").fetchall())
        assert {name: rows for name, rows in relations.items() if rows is not None} == report["rows"]
        assert set(relations) == {*report["rows"], *report["relation_seconds"]}
    made = ("landing", "target", "logs", "sample_data", "lakehouse.duckdb")
    files = [path for name in made for path in (project / name, *(project / name).rglob("*"))]
    assert [path for path in files if path.stat().st_mode & 0o077] == []


def test_bad_records_are_named_and_the_rest_is_built(project: Path, tmp_path: Path) -> None:
    """And a zone may have a name that means something to a shell, to SQL and to a glob. What fails is on record."""
    customers = "stedi/customer/landing/customers.json"
    put(tmp_path / "mine", customers, CUSTOMER, {**CUSTOMER, "lastUpdateDate": "soon"})
    put(tmp_path / "mine", "stedi/customer/customers.csv")
    settings = {"PSEUDONYM_KEY": KEY, "LANDING_ZONE": f"{tmp_path}/it's [1]*"}
    done = run(project, "--source", tmp_path / "mine", **settings, **{UNTESTED: ALL_TESTS})
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{customers}:2: column lastUpdateDate" in done.stdout
    assert "customers.csv belongs to no table" in done.stdout
    assert "1 record in quarantine, with the reasons" in done.stdout
    assert "1 person is suspended: 1 customer record about them cannot be read" in done.stdout
    assert "warn: sparkify.staging_events is stale: nothing ever came" in done.stdout
    ((fresh, sources),) = re.findall(r"(\d+) of (\d+) sources are fresh", done.stdout)
    assert 0 < int(fresh) < int(sources)
    with duckdb.connect(str(project / "lakehouse.duckdb"), read_only=True) as database:
        assert database.execute("select line from loader.quarantine").fetchall() == [(2,)]
        assert database.execute("select email from stedi_landing.customer_landing").fetchall() == [("a@test.com",)]
        pseudonym = hmac.digest(KEY.encode(), b"a@test.com", "sha256").hex()
        assert database.execute("from stedi_staging.stg_stedi__customer_identities").fetchall() == [
            ("a@test.com", "a@test.com", pseudonym)
        ]
    assert_nowhere(KEY, project, tmp_path)
    assert KEY not in done.stdout + done.stderr
    put(tmp_path / "mine", customers, CUSTOMER, {**CUSTOMER, "lastUpdateDate": "late"})
    refused = run(project, "--source", tmp_path / "mine", "--max-rejects", "0", **settings)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    with duckdb.connect(str(project / "lakehouse.duckdb"), read_only=True) as database:
        runs = database.execute("select outcome, relations_built > 0 from loader.runs order by run_id").fetchall()
        assert runs == [("done", True), ("failed", False)]


def test_known_counts_do_not_apply_once_people_were_erased(project: Path, tmp_path: Path) -> None:
    """Fewer records than are known of the data set are what an erasure leaves; who erased has a receipt of it."""
    put(tmp_path / "udacity", "stedi/customer/landing/customers.json", CUSTOMER)
    receipt = tmp_path / "zone/loader/erasures/1.json"
    receipt.parent.mkdir(parents=True)
    receipt.write_text('{"begun_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:01Z"}')
    done = run(project, "--source", tmp_path / "udacity", LANDING_ZONE=str(tmp_path / "zone"), PSEUDONYM_KEY=KEY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the known counts of udacity do not apply" in done.stdout
    assert "differs" not in done.stdout


def assert_nowhere(secret: str, *folders: Path) -> None:
    """Checks that no file holds a text, plain or as JSON, Python or SQL would write it, compressed or not."""
    spellings = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], secret.replace("'", "''")}
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert {"dbt.log", "manifest.json", "partial_parse.msgpack", "lakehouse.duckdb"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        content += gzip.decompress(content) if path.suffix == ".gz" else b""
        assert not [spelling for spelling in spellings if spelling.encode() in content], path


def test_what_has_landed_is_registered_without_a_build(project: Path, tmp_path: Path) -> None:
    put(tmp_path / "mine", "stedi/customer/landing/customers.json", CUSTOMER)
    settings = {"LANDING_ZONE": str(tmp_path / "zone"), "DUCKDB_PATH": str(tmp_path / "mine.duckdb")}
    zone = ("--zone", tmp_path / "zone")
    for number, step in enumerate(
        (
            ("land", "--source", tmp_path / "mine", "--to", tmp_path / "zone"),
            ("repair-text", *zone),
            ("pseudonymise", *zone),
        )
    ):
        not_yet = lakehouse(project, "register", "--dataset", "mine", **settings)
        assert not_yet.returncode == 2
        assert ("staging_songs" in not_yet.stderr) == (number == 0)
        assert "customer_identities" in not_yet.stderr
        assert "run `lakehouse land`, `repair-text` and `pseudonymise`" in not_yet.stderr
        done = lakehouse(project, *step, PSEUDONYM_KEY=KEY)
        assert done.returncode == 0, done.stdout + done.stderr
    for _ in range(2):
        done = lakehouse(project, "register", "--dataset", "mine", **settings)
        assert done.returncode == 0, done.stdout + done.stderr
    assert f"registered: {tmp_path}/zone, in " in done.stdout
    with duckdb.connect(settings["DUCKDB_PATH"], read_only=True) as database:
        assert database.execute("select email from stedi_landing.customer_landing").fetchall() == [("a@test.com",)]
        assert database.execute("select dataset from loader.built_from").fetchall() == [("mine",)]


@pytest.mark.parametrize(("told", "left"), [(False, 2), (True, 1)])
def test_what_is_gone_from_the_source_goes_if_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, told: bool, left: int
) -> None:
    monkeypatch.setenv("LANDING_ZONE", str(tmp_path / "zone"))
    monkeypatch.setenv("PSEUDONYM_KEY", KEY)
    for name in ("a", "b"):
        put(tmp_path / "mine", f"stedi/customer/landing/{name}.json", {**CUSTOMER, "email": f"{name}@test.com"})
    data = Dataset.named(PROJECT_DIR, [str(tmp_path / "mine")], None, 1.0)
    data.land(ConsoleReporter())
    (tmp_path / "mine/stedi/customer/landing/a.json").unlink()
    data.land(ConsoleReporter(), forget_vanished=told)
    assert sum(row["records_landed"] for row in ledger_of(tmp_path / "zone", "customer_landing")) == left


def test_nothing_is_built_on_a_source_that_is_too_old(project: Path, tmp_path: Path) -> None:
    strict = tmp_path / "strict"
    shutil.copytree(project, strict, ignore=shutil.ignore_patterns("lakehouse.duckdb*", "target", "logs"))
    sources = strict / "models/stedi/staging/_stedi__sources.yml"
    sources.write_text(
        sources.read_text().replace("warn_after:", "error_after: {count: 7, period: day}\n        warn_after:")
    )
    source, zone = tmp_path / "mine", tmp_path / "zone"
    put(source, "stedi/customer/landing/customers.json", CUSTOMER)
    done = run(strict, "--source", source, LANDING_ZONE=str(zone), PSEUDONYM_KEY=KEY)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "error: stedi.accelerometer_landing is stale: nothing ever came" in done.stdout
    assert "stedi.customer_landing is stale" not in done.stdout
    assert "  built " not in done.stdout
    assert "a source is older than it may be" in done.stderr


def test_a_failed_build_shows_no_old_rows(project: Path, tmp_path: Path) -> None:
    """A level that there is not: staging's test fails, and what depends on it is not called built."""
    event = {"page": "NextSong", "sessionId": 1, "itemInSession": 0, "level": "gold", "userId": "1"}
    put(tmp_path / "mine", "sparkify/log_data/events.json", {**event, "ts": 1_541_000_000_000})
    done = run(project, "--source", tmp_path / "mine", "--dataset", "gold", PSEUDONYM_KEY=KEY)
    assert done.returncode == 1
    assert "skipped sparkify.songplays" in done.stdout
    counts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("sparkify."))
    assert counts["sparkify.songplays"] == "not built"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--source", "no/such/folder", "--dataset", "x"), "no/such/folder does not exist"),
        (("--source", ".", "--dataset", "../escaped"), "cannot name a data set"),
        (("--source", ".", "--dataset", "sample"), "is the name of the data that is made here"),
        (("--source", "macros", "--dataset", "x"), "nothing to land in"),
        (("--scale", "0"), "scale"),
    ],
)
def test_a_wrong_word_is_refused_in_a_sentence(project: Path, options: tuple[str, ...], message: str) -> None:
    """And before a missing key is, which is the next thing to mend."""
    done = run(project, *options)
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--source", "one_customer"), 2, "set PSEUDONYM_KEY to what `openssl rand -hex 32` prints"),
        (("--target", "athena"), 1, "athena reads a landing zone on S3 only"),
        (("--target", "redshift"), 2, "redshift needs REDSHIFT_HOST in the environment"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_lands(
    project: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    put(project / "one_customer", "stedi/customer/landing/customers.json", CUSTOMER)
    athena = {"ATHENA_S3_STAGING_DIR": "s3://lake/results/", "ATHENA_S3_DATA_DIR": "s3://lake/data"}
    done = run(project, *options, **athena)
    assert done.returncode == code
    assert message in done.stdout + done.stderr
    assert "land " not in done.stdout
