"""`lakehouse aws verify` as a person runs it on the local endpoints: every step, and one that is broken on purpose."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dbt_local_aws.java import cache_folder
from dbt_project import UNTESTED, copy_project
from lakehouse.verify.steps import STEPS
from lanes import EVERYTHING, on_engines
from leftovers import FOUND
from real_data import LAKEHOUSE, PROJECT_DIR

pytestmark = [
    on_engines,
    pytest.mark.skipif(not EVERYTHING, reason="minutes of CPU, for what the project's own tests prove, too: ALL=1"),
]

SCALE = "0.02"
LEFTOVERS = [sys.executable, str(PROJECT_DIR / "tests/python/leftovers.py")]
LOCAL_AWS = str(Path(sys.executable).with_name("dbt-local-aws"))


def verify(project: Path, target: str) -> tuple["subprocess.CompletedProcess[str]", dict[str, Any], str]:
    """Runs the command; gives how it ended, and the evidence for machines and for people."""
    endpoints = [LOCAL_AWS, "--only", target, "--export", "LANDING_ZONE=s3://lake/landing"]
    # unit tests say nothing that a verification could find, and have passed in the project's own build
    spared = {UNTESTED: "unit_test"}
    settings = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1", "LOCAL_AWS_CACHE": str(cache_folder()), **spared}
    done = subprocess.run(
        [*LEFTOVERS, *endpoints, "--", LAKEHOUSE, "aws", "verify", "--target", target, "--scale", SCALE],
        cwd=project,
        env={**settings, "AWS_PROFILE": "production"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    said = done.stdout + done.stderr
    assert FOUND not in said
    pages = list((project / "evidence").glob("*.md"))
    assert len(pages) == 1, said
    return done, json.loads(pages[0].with_suffix(".json").read_text()), pages[0].read_text()


def assert_it_is_evidence(told: dict[str, Any], page: str, target: str) -> None:
    """It says who answered, by which versions, what was seen of the erased person, and that nothing is left."""
    assert told["answered"]["where"] == "local endpoints"
    assert told["answered"]["account"] == "…9012"
    assert told["answered"]["engine"]["version()"]
    assert told["ended_at"]
    assert "AWS itself was not asked" in page
    assert f"# Verification on {target}: local endpoints" in page
    assert {"dbt-core", "duckdb", "boto3", "msgspec"} <= told["packages"].keys()
    steps = {step["name"]: step for step in told["results"]}
    assert list(steps) == [step.name for step in STEPS]
    before, after = steps["erase"]["facts"]["before"], steps["erase"]["facts"]["after"]
    assert before["objects"] > 0
    assert after["holding"] != []  # the bucket keeps old versions, and the search finds the person in them
    assert not any(version["is_latest"] for version in after["holding"])
    assert after["old_versions_expire_after_days"] == 1
    assert steps["erase"]["facts"]["relations that held them"] > 5
    assert steps["erase"]["facts"]["relations that hold them"] == 0
    assert steps["two_loaders"]["facts"]["landed"] == steps["land"]["facts"]["landed"]
    assert "@" not in page + json.dumps(told)  # nobody's address


def outcomes(told: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["outcome"] for step in told["results"]}


def test_on_redshift_a_relation_that_differs_fails_its_step_and_no_other(tmp_path: Path) -> None:
    """DuckDB counts the days of the week from 0 here: a well-known mistake, which only the comparison can see."""
    project = copy_project(tmp_path / "project", "analyses")
    macro = project / "macros/cross_db/iso_weekday.sql"
    macro.write_text(macro.read_text().replace("extract(isodow from", "extract(dow from"))
    done, told, page = verify(project, "redshift")
    assert done.returncode == 1, done.stdout + done.stderr
    expected = {step.name: "passed" for step in STEPS} | {"parity": "failed", "usage": "skipped"}
    assert outcomes(told) == expected, page
    reasons = {step["name"]: step["reason"] for step in told["results"]}
    assert re.match(r"1 of \d\d relations differ: \w*sparkify\.time \(only duckdb has ", reasons["parity"])
    assert "no Redshift Serverless" in reasons["usage"]
    assert_it_is_evidence(told, page, "redshift")
    assert not list((project / ".verify").glob("*/*"))


@pytest.mark.needs_trino
def test_on_athena_every_step_passes(tmp_path: Path) -> None:
    done, told, page = verify(copy_project(tmp_path / "project", "analyses"), "athena")
    assert outcomes(told) == {step.name: "passed" for step in STEPS}, page
    assert done.returncode == 0, done.stdout + done.stderr
    assert_it_is_evidence(told, page, "athena")
    used = {step["name"]: step["facts"] for step in told["results"]}["usage"]
    assert used["bytes scanned"] > 0
    assert used["queries"] > 100
