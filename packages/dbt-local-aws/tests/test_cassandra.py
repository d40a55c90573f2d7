"""Cassandra's endpoint, as a process that somebody starts and ends."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbt_local_aws.cassandra.endpoint import CASSANDRA
from dbt_local_aws.process import running
from dbt_local_aws.pytest_plugin import why_there_is_no
from dbt_local_aws.testing.processes import await_end


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary folders go, of this test alone. Without Java 17 or Maven the test is skipped, and says so."""
    if reason := why_there_is_no(CASSANDRA):
        pytest.skip(f"NOT TESTED: {reason}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    tempfile.tempdir = None
    yield tmp_path
    tempfile.tempdir = None


def test_it_does_not_outlive_whoever_started_it(temporary: Path) -> None:
    """However that one ended: SIGKILL lets nobody clean up."""
    with running("dbt_local_aws.cassandra") as (process, settings):
        assert settings["CASSANDRA_HOST"] == "localhost"
        (folder,) = temporary.glob("local-cassandra-*")
        assert [path for path in (folder, folder / "server.pem") if path.stat().st_mode & 0o077] == []
        java = int(subprocess.check_output(["pgrep", "-P", str(process.pid)], text=True))
        os.kill(process.pid, signal.SIGKILL)
        await_end(java)
    assert list(temporary.glob("local-cassandra-*")) == []


def test_it_ends_with_its_command_and_with_the_commands_code(temporary: Path) -> None:
    command = [sys.executable, "-m", "dbt_local_aws.cassandra", "--", "sh", "-c", "test -n $CASSANDRA_PASSWORD; exit 7"]
    assert subprocess.run(command, check=False).returncode == 7
    assert list(temporary.iterdir()) == []
