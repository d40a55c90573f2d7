"""One Athena endpoint, and so one Trino, for all workers of a pytest session."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dbt_local_aws.athena.trino.java import TrinoUnavailableError, find_java, find_maven
from real_data import PROJECT_DIR

LAST_SETTING = "AWS_EC2_METADATA_DISABLED"


def why_there_is_no_trino() -> str | None:
    """What Trino misses on this machine, None if it can run. In CI nothing is missing: the tests run and fail there."""
    if os.environ.get("CI") or os.environ.get("TRINO_URL"):
        return None
    try:
        find_java()
        find_maven()
    except TrinoUnavailableError as error:
        return str(error)
    return None


needs_trino = pytest.mark.skipif(bool(why_there_is_no_trino()), reason=f"NOT TESTED: {why_there_is_no_trino()}")


def start() -> tuple["subprocess.Popen[str]", dict[str, str]]:
    """The endpoint in a process of its own, as a person starts it, and the settings that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dbt_local_aws.athena"], cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    settings: dict[str, str] = {}
    while LAST_SETTING not in settings:
        name, _, value = process.stdout.readline().removeprefix("export ").strip().partition("=")
        if not name:
            pytest.fail(f"the endpoint did not start: it ended with code {process.wait()}")
        settings[name] = value
    return process, settings


@contextmanager
def own_athena() -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """An endpoint of one's own, which a test may also end itself, and the settings that it printed."""
    process, settings = start()
    try:
        yield process, settings
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def shared_athena(root: Path) -> Iterator[dict[str, str]]:
    """The settings of the session's endpoint: the first worker starts it, the last one ends it.

    Args:
        root: A folder that all workers of the session have in common, and no other session.
    """
    told = root / "athena.json"
    started = None
    with _locked(root):
        if told.exists():
            content = json.loads(told.read_text())
        else:
            started, settings = start()
            content = {"pid": started.pid, "settings": settings, "users": 0}
        told.write_text(json.dumps({**content, "users": content["users"] + 1}))
    try:
        yield dict(content["settings"])
    finally:
        with _locked(root):
            content = json.loads(told.read_text())
            content["users"] -= 1
            told.write_text(json.dumps(content))
            if not content["users"]:
                told.unlink()
                os.kill(content["pid"], signal.SIGTERM)
        if started is not None:
            _await_end_of_users(told, content["pid"])
            started.communicate()


def _await_end_of_users(told: Path, pid: int) -> None:
    """The process that started the endpoint outlives its other users, since the endpoint is its child."""
    while told.exists() and json.loads(told.read_text() or "{}").get("pid") == pid:
        time.sleep(0.2)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with (root / "athena.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
