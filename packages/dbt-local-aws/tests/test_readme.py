"""Another project, made of docs/local_aws.md and run as it says: what the page shows is what works."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from athena_server import needs_trino

from dbt_local_aws.athena.trino.java import cache_folder
from real_data import PROJECT_DIR

PAGE = (PROJECT_DIR / "docs/local_aws.md").read_text(encoding="utf-8")
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
    assert {"dbt_project.yml", "profiles.yml", "models/greetings.sql", "conftest.py", "test_project.py"} <= set(FILES)
    assert len(COMMANDS) == 4


@needs_trino
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_works(project: Path, command: str) -> None:
    settings = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT_DIR),
        "PYTHONUTF8": "1",
        "LOCAL_AWS_CACHE": str(cache_folder()),
        "AWS_PROFILE": "production",
    }
    done = subprocess.run(
        ["bash", "-euc", command], cwd=project, env=settings, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Completed successfully" in done.stdout or "3 passed" in done.stdout, done.stdout
