"""The command line, without an engine that takes long to start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("dbt-local-aws"))


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_a_command_gets_what_is_to_be_exported_beside_the_endpoints() -> None:
    said = run("--only", "redshift", "--export", "RAW=s3://lake/raw?a=b", "--export=EMPTY=", "--", "env")
    assert said.returncode == 0, said.stderr
    settings = dict(line.split("=", 1) for line in said.stdout.splitlines() if "=" in line)
    assert (settings["RAW"], settings["EMPTY"]) == ("s3://lake/raw?a=b", "")
    assert settings["REDSHIFT_HOST"] == "localhost"


def test_it_sets_nothing_that_the_page_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command sees beside what its caller has. Another test may have given this process some of it."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "ATHENA_", "REDSHIFT_"))]:
        monkeypatch.delenv(name)
    program = "import os; print(*sorted(os.environ))"
    page = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    told = page[page.index("## The settings") : page.index("## To look around")]
    plain = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    said = run("--only", "redshift", "--", sys.executable, "-c", program)
    added = [name for name in said.stdout.split() if name not in plain]
    assert "AWS_ENDPOINT_URL" in added
    assert [
        name for name in added if f"`{name}`" not in told and f"`_{name.removeprefix('REDSHIFT_')}`" not in told
    ] == []


@pytest.mark.parametrize("wrong", ["RAW", "=x", "2=x", "a-b=x"])
def test_what_is_no_setting_is_refused(wrong: str) -> None:
    said = run("--export", wrong, "--", "true")
    assert said.returncode == 2
    assert f"not NAME=VALUE: {wrong}" in said.stderr
