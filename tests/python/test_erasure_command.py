"""`erase` on Redshift and on Athena, whole, as a person types it: the real adapters on local endpoints."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse.sample import generate
from real_data import PROJECT_DIR
from test_erasure import copied_project


@pytest.mark.parametrize("target", ["redshift", "athena"])
def test_a_person_is_erased_from_an_engine_by_the_command(tmp_path: Path, target: str) -> None:
    project = copied_project(tmp_path)
    source = generate(tmp_path / "sample", scale=0.02).to
    script = PROJECT_DIR / "tests/python/erase_on_engine.py"
    command = [sys.executable, "-m", "local_aws", "--", sys.executable, script, target, project, source]
    settings = {
        "PATH": os.environ["PATH"],
        "PYTHONUTF8": "1",
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(map(str, (PROJECT_DIR, PROJECT_DIR / "scripts", script.parent))),
    }
    ran = subprocess.run(list(map(str, command)), env=settings, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    told, done, again = found["said"]
    assert found["codes"] == [0, 0, 0], "\n".join(found["said"])
    assert "nothing was changed" in told
    assert "stedi_privacy.consent_periods_snapshot.customer_pseudonym" in told
    assert "nothing is left" in done
    assert "nothing of them is in the landing zone or in the database" in again
    for said in found["said"]:
        assert found["email"].lower() not in said.lower()
        assert "not looked into, since no command can reach it:" in said
        assert ("STL_LOAD_ERRORS" in said) == (target == "redshift")
    before, after = found["rows"]
    assert before == after > 0
    assert found["left"] == [0, 0, 0]
    if target == "athena":
        old, new = found["places"]
        assert old != new
        assert found["files"][0] == 0 < found["files"][1]
        assert "results of queries below s3://" not in again
