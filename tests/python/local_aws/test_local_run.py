"""`make run LOCAL=1` and `make local-aws` as they are typed, whatever account they have. Nothing is left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dbt_local_aws.java import cache_folder
from dbt_project import PARTS, copy_parts
from lanes import on_engines
from leftovers import FOUND
from real_data import PROJECT_DIR

pytestmark = on_engines

SCALE = "0.05"
LEFTOVERS = [sys.executable, str(PROJECT_DIR / "tests/python/leftovers.py")]
VENV = Path(sys.executable).parents[1]
ZONE = "LANDING_ZONE=s3://lake/landing"
LOCAL_AWS = [*LEFTOVERS, str(VENV / "bin/dbt-local-aws"), "--only", "redshift", "--export", ZONE]
# what is installed is there: these tests install nothing
MAKE = ["make", *(f"--old-file=.venv/{name}.installed" for name in ("uv", "lakehouse", "run", "local_aws"))]
# somebody's real account, and a proxy, neither of which may be asked for anything: nothing listens on that port
THEIRS = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "theirs",
    "AWS_SECRET_ACCESS_KEY": "theirs",
    "AWS_SESSION_TOKEN": "theirs",
    "AWS_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_ATHENA": "http://127.0.0.1:9",
    "ATHENA_WORK_GROUP": "theirs",
    "ATHENA_S3_DATA_DIR": "s3://theirs/lake",
    "REDSHIFT_HOST": "127.0.0.2",
    "REDSHIFT_METHOD": "iam",
    "LANDING_ZONE": "s3://theirs/landing",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, as it is cloned."""
    folder = tmp_path_factory.mktemp("a clone") / "project"
    copy_parts(folder, *PARTS, "pyproject.toml", "Makefile", "profiles.example.yml", "requirements")
    (folder / ".venv").symlink_to(VENV)
    return folder


def clean(**settings: str) -> dict[str, str]:
    """An environment with nothing but what is said."""
    kept = {"PATH": os.environ["PATH"], "LOCAL_AWS_CACHE": str(cache_folder())}
    return {**kept, "PYTHONUTF8": "1", "HOME": "/nonexistent", **settings}


def run(project: Path, *command: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*LEFTOVERS, *command],
        cwd=project,
        env=clean(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


@contextmanager
def running(
    project: Path, command: list[str], until: str, **settings: str
) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """A command that runs, with the lines that it has printed until one of them holds a text."""
    with subprocess.Popen(
        command,
        cwd=project,
        env=clean(PYTHONUNBUFFERED="1", **settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        try:
            for line in process.stdout:
                lines.append(line)
                if until in line:
                    break
            else:
                pytest.fail(f"it ended: {''.join(lines)}")
            yield process, lines
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.needs_trino  # both engines are kept running
def test_both_engines_answer_in_another_shell_with_what_local_aws_prints(project: Path) -> None:
    with running(project, [*LEFTOVERS, *MAKE, "local-aws"], "Ctrl-C ends them") as (endpoints, lines):
        exports = "".join(line for line in lines if line.startswith(("unset ", "export ")))
        shutil.copy(project / "profiles.example.yml", project / "profiles.yml")
        dbt = f"{VENV}/bin/dbt --no-use-colors debug --connection --target"
        debug = [f"{dbt} redshift", f"{dbt} athena"]
        done = run(project, "bash", "-euc", "\n".join([exports, *debug]), **THEIRS)
        os.killpg(endpoints.pid, signal.SIGINT)
        assert endpoints.stdout is not None
        said = endpoints.stdout.read()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Connection test: [OK connection ok]") == 2, done.stdout
    assert FOUND not in done.stdout + said


@pytest.mark.parametrize(
    ("target", "sent", "to_all"),
    [("redshift", signal.SIGINT, True), pytest.param("athena", signal.SIGTERM, False, marks=pytest.mark.needs_trino)],
)
def test_a_run_that_is_ended_leaves_nothing_behind(
    project: Path, target: str, sent: signal.Signals, to_all: bool
) -> None:
    """Ctrl-C goes to all processes of the terminal, SIGTERM to make alone. No account is used."""
    command = [*LEFTOVERS, *MAKE, "run", "LOCAL=1", f"TARGET={target}", f"SCALE={SCALE}"]
    with running(project, command, "built sparkify_staging.", **THEIRS) as (process, _):
        if to_all:
            os.killpg(process.pid, sent)
        else:
            process.send_signal(sent)
        assert process.stdout is not None
        said = process.stdout.read()
        assert process.wait() != 0
    assert "tests passed" not in said
    assert FOUND not in said


def test_a_command_gets_the_endpoints_and_nothing_of_the_callers(tmp_path: Path) -> None:
    """And its exit code is the endpoints'; two run side by side."""
    told = tmp_path / "environment"
    program = f"import json, os; json.dump(dict(os.environ), open({str(told)!r}, 'w')); raise SystemExit(7)"
    with running(PROJECT_DIR, [*LOCAL_AWS], "Ctrl-C ends them") as (other, _):
        done = run(PROJECT_DIR, *LOCAL_AWS[len(LEFTOVERS) :], "--", sys.executable, "-c", program, **THEIRS)
        other.send_signal(signal.SIGTERM)
        assert other.wait() == 0
    assert done.returncode == 7, done.stdout + done.stderr
    assert FOUND not in done.stdout
    environment = json.loads(told.read_text())
    assert not [
        name
        for name, value in environment.items()
        if name in THEIRS and value == THEIRS[name] and "PROXY" not in name.upper()
    ]
    assert environment["LANDING_ZONE"] == "s3://lake/landing"
    assert "127.0.0.1" in environment["NO_PROXY"]


def test_a_command_that_does_not_exist_is_named() -> None:
    done = run(PROJECT_DIR, *LOCAL_AWS[len(LEFTOVERS) :], "--", "no-such-command")
    assert done.returncode == 127
    assert "no-such-command: No such file" in done.stderr
    assert FOUND not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("TARGET=duckdb",), "duckdb needs no AWS"),
        (("TARGET=athena", "SOURCE=s3://udacity-dend"), "SOURCE must be a folder"),
    ],
)
def test_what_local_cannot_serve_is_refused_at_once(project: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run(project, *MAKE, "run", "LOCAL=1", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
