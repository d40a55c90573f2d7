"""The base revision: which commit it is, what it holds, and which files the working tree has otherwise."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from lakehouse.errors import SettingsError


def find_base(project: Path, revision: str) -> str:
    """The commit that a working tree goes back to, seen from a revision: where the two parted, as on GitHub.

    Raises:
        SettingsError: There is no such revision, or the two have nothing in common.
    """
    named = next((name for name in (revision, f"origin/{revision}") if _commit_of(project, name)), None)
    if named is None:
        raise SettingsError(
            f"{project} has no revision {revision!r}: fetch it (git fetch origin {revision}), or name another"
        )
    try:
        return _git(project, "merge-base", named, "HEAD").decode().strip()
    except subprocess.CalledProcessError as error:
        raise SettingsError(
            f"{named} and the working tree have no commit in common here: a shallow clone needs git fetch --unshallow"
        ) from error


def _commit_of(project: Path, revision: str) -> str | None:
    try:
        found = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except subprocess.CalledProcessError:
        return None
    return found.decode().strip()


def export(project: Path, commit: str, to: Path) -> None:
    """Writes what a commit holds into a folder, all of it or nothing. Git's own records stay as they are.

    `git worktree` would note the folder in .git, where the note stays when somebody deletes the folder.
    """
    partial = to.with_name(f"{to.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(_git(project, "archive", "--format=tar", commit))) as archive:
        archive.extractall(partial, filter="data")
    partial.rename(to)


def changed_files(project: Path, commit: str) -> list[str]:
    """The files that the working tree adds or has otherwise, untracked ones included, by their paths in the project."""
    changed = _git(project, "diff", "--name-only", "--relative", "--diff-filter=d", "-z", commit)
    untracked = _git(project, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({name for name in (changed + untracked).decode().split("\0") if name})


def _git(project: Path, *arguments: str) -> bytes:
    """What git says.

    Raises:
        SettingsError: There is no git, or the project is not in a repository.
        CalledProcessError: Git refuses.
    """
    git = shutil.which("git")
    if git is None:
        raise SettingsError("git is not installed: a base revision cannot be found without it")
    done = subprocess.run([git, *arguments], cwd=project, capture_output=True, check=False)  # noqa: S603 - git alone
    if b"not a git repository" in done.stderr:
        raise SettingsError(f"{project} is not in a git repository: there is no base revision")
    done.check_returncode()
    return done.stdout
