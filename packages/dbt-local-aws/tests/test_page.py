"""A project, made of README.md and run as that says: what the page shows is what works."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dbt_local_aws.java import cache_folder

PAGE = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {name: text for _, name, text in BLOCK.findall(PAGE) if name}
COMMANDS = [line for language, _, text in BLOCK.findall(PAGE) if language == "bash" for line in text.splitlines()]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def test_the_page_has_a_project_and_commands() -> None:
    assert {"dbt_project.yml", "profiles.yml", "models/greetings.sql", "test_project.py"} <= set(FILES)
    assert len(COMMANDS) == 4


@pytest.mark.needs_trino
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_works(project: Path, command: str) -> None:
    settings = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUTF8": "1",
        "LOCAL_AWS_CACHE": str(cache_folder()),
        "AWS_PROFILE": "production",
    }
    done = subprocess.run(
        ["bash", "-euc", command], cwd=project, env=settings, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Completed successfully" in done.stdout or "3 passed" in done.stdout, done.stdout
