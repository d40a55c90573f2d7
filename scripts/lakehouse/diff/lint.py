"""What the linters that `make lint` runs say of the files that changed."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LINTED_SQL = ("models/", "snapshots/", "analyses/", "tests/dbt/loader/", "tests/dbt/sparkify/", "tests/dbt/stedi/")


@dataclass(frozen=True)
class Linted:
    """What a linter says.

    Attributes:
        tool: Its name.
        files: How many files it looked at.
        findings: Its lines; none where all is well.
        is_installed: Whether it could be asked.
    """

    tool: str
    files: int
    findings: tuple[str, ...] = ()
    is_installed: bool = True


def lint(project: Path, files: Sequence[str]) -> list[Linted]:
    """Asks each linter about the changed files that are its own."""
    python = [file for file in files if file.endswith(".py")]
    sql = [file for file in files if file.endswith(".sql") and file.startswith(_LINTED_SQL)]
    return [
        _asked(project, "ruff", ["check", "--quiet", "--output-format=concise"], python),
        _asked(project, "sqlfluff", ["lint", "--disable-progress-bar", "--format=github-annotation-native"], sql),
    ]


def _asked(project: Path, tool: str, options: list[str], files: list[str]) -> Linted:
    if not files:
        return Linted(tool, 0)
    if importlib.util.find_spec(tool) is None:
        return Linted(tool, len(files), is_installed=False)
    command = [sys.executable, "-m", tool, *options, "--", *files]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603 - files of ours
    if done.returncode == 0:
        return Linted(tool, len(files))
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return Linted(tool, len(files), tuple(lines) or (f"{tool} ended with {done.returncode}",))
