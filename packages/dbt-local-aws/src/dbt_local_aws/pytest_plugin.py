"""For pytest: the session's fixture `local_aws`, and the mark `needs_trino`. README.md shows both."""

import functools
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dbt_local_aws.athena.trino.installation import TRINO
from dbt_local_aws.environment import own_environment
from dbt_local_aws.jars import Engine, locked
from dbt_local_aws.java import UnavailableError
from dbt_local_aws.process import NotStartedError, running, start

_LOCK = "athena.lock"


class SessionEndpoints:
    """The endpoints of a pytest session: each starts when its settings are first asked for, and ends with the session.

    The settings are those that `dbt-local-aws --only=…` prints: an S3 with the bucket `lake`, Glue and STS are among
    them, and of each engine's its own.
    """

    def __init__(self, folder: Path) -> None:
        """Takes a folder that all of xdist's workers have in common in this session, and no other session."""
        self._folder = folder
        self._running = ExitStack()

    @functools.cached_property
    def athena(self) -> Mapping[str, str]:
        """Athena's settings. One Trino serves all workers: tests keep apart by database and place.

        Without Java or Maven the test is skipped, and says so; with `CI` set it is not, and fails.
        """
        if reason := why_there_is_no_trino():
            pytest.skip(f"NOT TESTED: {reason}")
        return self._running.enter_context(_shared_athena(self._folder))

    @functools.cached_property
    def redshift(self) -> Mapping[str, str]:
        """Redshift's settings. Each worker has a Redshift and an S3 of its own."""
        _, settings = self._running.enter_context(running("dbt_local_aws", "--only", "redshift"))
        return settings

    @contextmanager
    def using(self, engine: str) -> Iterator[Mapping[str, str]]:
        """Points this process, and those that it starts, to an engine for as long as the block lasts.

        Args:
            engine: `athena` or `redshift`.
        """
        settings = {"athena": lambda: self.athena, "redshift": lambda: self.redshift}[engine]()
        with own_environment(settings):
            yield settings

    def close(self) -> None:
        """Ends what was started."""
        self._running.close()


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SessionEndpoints]:
    """Athena and Redshift on this machine, for as long as the session lasts."""
    base = tmp_path_factory.getbasetemp()
    endpoints = SessionEndpoints(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
    yield endpoints
    endpoints.close()


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark known."""
    config.addinivalue_line(
        "markers", "needs_trino: skipped, as NOT TESTED, where Athena's engine cannot run; not in CI"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what needs Trino where there is none."""
    if item.get_closest_marker("needs_trino") and (reason := why_there_is_no_trino()):
        pytest.skip(f"NOT TESTED: {reason}")


def why_there_is_no_trino() -> str | None:
    """What Trino misses on this machine, None if it can run. In CI nothing is missing: the tests run and fail there."""
    return None if os.environ.get("TRINO_URL") else why_there_is_no(TRINO)


def why_there_is_no(engine: Engine) -> str | None:
    """What an engine misses on this machine, None if it can run. In CI nothing is missing: the tests run, and fail."""
    if os.environ.get("CI"):
        return None
    try:
        engine.check()
    except UnavailableError as error:
        return str(error)
    return None


@contextmanager
def _shared_athena(root: Path) -> Iterator[dict[str, str]]:
    """The settings of the session's endpoint: the first worker starts it, the last one ends it.

    Args:
        root: A folder that all workers of the session have in common, and no other session.
    """
    told = root / "athena.json"
    started = None
    with locked(root / _LOCK):
        if told.exists():
            content = json.loads(told.read_text())
        else:
            try:
                started, settings = start("dbt_local_aws", "--only", "athena")
            except NotStartedError as error:
                pytest.fail(str(error))
            content = {"pid": started.pid, "settings": settings, "users": 0}
        told.touch(mode=0o600)  # it holds keys
        told.write_text(json.dumps({**content, "users": content["users"] + 1}))
    try:
        yield dict(content["settings"])
    finally:
        with locked(root / _LOCK):
            content = json.loads(told.read_text())
            content["users"] -= 1
            told.write_text(json.dumps(content))
            if not content["users"]:
                told.unlink()
                os.kill(content["pid"], signal.SIGTERM)
        if started is not None:
            _await_end_of_users(root, told, content["pid"])
            started.communicate()


def _await_end_of_users(root: Path, told: Path, pid: int) -> None:
    """The process that started the endpoint outlives its other users, since the endpoint is its child."""
    while True:
        with locked(root / _LOCK):
            if not told.exists() or json.loads(told.read_text())["pid"] != pid:
                return
        time.sleep(0.2)
