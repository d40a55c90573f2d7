"""`lakehouse diff` as a person types it, in a repository of its own: killed, gone on with, and read."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dbt_project import copy_project
from lakehouse.diff.revision import changed_files, export, find_base
from lakehouse.diff.sides import alone_in, check_data, data_key, remove_old
from lakehouse.errors import SettingsError
from lakehouse.pipeline.dataset import Dataset
from lakehouse.storage.zone import RECEIPTS_FOLDER
from landing_helpers import PATIENCE_SECONDS
from real_data import LAKEHOUSE

SCALE = "0.02"
PLAYS = "models/sparkify/intermediate/int_sparkify__song_plays.sql"
SONGS = "models/sparkify/staging/stg_sparkify__songs.sql"
MARTS = "models/sparkify/marts/_sparkify_marts__models.yml"
LAST_NAME = "description: \"{{ doc('last_name') }}\"\n        config: {meta: {personal: identifier}}\n"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def diff(project: Path, *options: str) -> "subprocess.Popen[str]":
    """The command, in a process group of its own."""
    with (project / "said").open("w") as said:
        return subprocess.Popen(
            [LAKEHOUSE, "diff", "--scale", SCALE, *options],
            cwd=project,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONUTF8": "1",
                "DUCKDB_PATH": "/nowhere/x.duckdb",
                "ENVIRONMENT": "ada",
            },
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )


def finished(project: Path, code: int, *options: str) -> str:
    """What a command that ends as it should has printed."""
    running = diff(project, *options)
    printed, _ = running.communicate(timeout=900)
    assert running.returncode == code, (project / "said").read_text()[-5_000:]
    return printed


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path} holds {old!r} {text.count(old)} times"
    path.write_text(text.replace(old, new))


def wait_until(is_so: Callable[[], bool], running: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 3 * PATIENCE_SECONDS
    while not is_so():
        assert running.poll() is None, "it ended too early"
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with the project on its branch main."""
    folder = copy_project(tmp_path / "project", "scripts", "profiles.example.yml", ".gitignore", ".sqlfluff")
    with (folder / ".gitignore").open("a") as file:
        file.write("/said\n/*.md\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it is")
    return folder


def test_a_change_is_told_and_nobody_in_it(project: Path) -> None:
    """Killed while it builds the base, it goes on from there; and what changes nothing is told as that."""
    running = diff(project)
    wait_until(lambda: "built stedi_staging." in (project / "said").read_text(), running)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()

    told = finished(project, 0)
    assert "no model changed, 0 relations with other rows or columns, 0 of " in told
    assert "###" not in told

    # a name where an artist's was, a tag that vanishes, a column and a model that are new
    edit(project / PLAYS, "coalesce(artist_repairs.repaired_text, plays.artist_name) as", "plays.last_name as")
    edit(project / MARTS, LAST_NAME, LAST_NAME.partition("\n")[0] + "\n")
    edit(
        project / SONGS,
        "        duration_s,\n        year\n",
        "        duration_s,\n        year,\n        7 as seven\n",
    )
    new = "select user_id, last_name from {{ ref('users') }}"
    (project / "models/sparkify/intermediate/int_sparkify__names.sql").write_text(new)
    (project / "scripts/lakehouse/extra.py").write_text("import os\n")
    finished(project, 1, "--output", "told.md")
    told = (project / "told.md").read_text()
    said = (project / "said").read_text()
    assert "built before" in said
    assert "the report says what" in said

    assert "| `int_sparkify__song_plays` | modified | `body` |" in told
    assert "| `int_sparkify__names` | added |" in told
    assert re.search(r"\| `users` \| modified \| `(contract, )?tags` \|", told)
    assert "`songs_by_session_item` (`artist_name`" in told  # what depends on the plays, with its columns
    assert re.search(r"\| `sparkify_staging.int_sparkify__song_plays` \| (\d+) \| \1 \| 0 \| 0 \| \d+ \|", told)
    assert "`seven` is new (integer)" in told
    assert "| `sparkify.users.last_name` | `personal` | `identifier` | - |" in told
    assert "- `plays_are_repaired_in_the_open`: `fail`" in told
    assert "int_sparkify__names has no test of its key" in told
    assert "ruff: 1 changed file, 1 finding" in told
    assert re.search(r"- sqlfluff: 3 changed files, \d+ findings?", told)
    assert "scripts/lakehouse/extra.py:1:8: F401" in told
    (base,) = (project / ".diff").glob("*-sample_x0.02")
    with duckdb.connect(str(base / "tree/lakehouse.duckdb"), read_only=True) as database:
        people = database.execute("select unnest([first_name, last_name]) from sparkify.users").fetchall()
    assert len(people) > 1
    assert [name for (name,) in people if f'"{name}"' in told] == []
    assert not [name for name in ("landing", "lakehouse.duckdb", "sample_data") if (project / name).exists()]
    assert git(project, "worktree", "list").count("\n") == 1
    kept = [path for path in (project / ".diff").rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert kept == []


@pytest.mark.quick
def test_who_was_erased_is_not_landed_again_to_compare(tmp_path: Path) -> None:
    data = Dataset(tmp_path, "mine", [str(tmp_path / "source")], 1, str(tmp_path / "landing/mine"))
    check_data(data)
    receipt = tmp_path / "landing/mine" / RECEIPTS_FOLDER / "1.json"
    receipt.parent.mkdir(parents=True)
    receipt.touch()
    with pytest.raises(SettingsError, match="people were erased from"):
        check_data(data)
    check_data(replace(data, sources=[]))


@pytest.mark.quick
def test_a_second_comparison_is_refused_and_old_bases_go(tmp_path: Path) -> None:
    with alone_in(tmp_path / ".diff"), pytest.raises(SettingsError, match="at work"), alone_in(tmp_path / ".diff"):
        pass
    for age, name in enumerate(("a-mine", "b-mine", "c-mine", "d-mine")):
        (tmp_path / ".diff" / name).mkdir()
        os.utime(tmp_path / ".diff" / name, (1_000 - age, 1_000 - age))
    (tmp_path / ".diff/head").mkdir()
    remove_old(tmp_path / ".diff", keep=tmp_path / ".diff/d-mine")
    assert sorted(path.name for path in (tmp_path / ".diff").iterdir()) == [
        "a-mine",
        "b-mine",
        "d-mine",
        "head",
        "lock",
    ]


@pytest.mark.quick
def test_other_data_is_another_base(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/a.json").write_text("1")
    data = Dataset(tmp_path, "mine", [str(tmp_path / "source")], 1, str(tmp_path / "zone"))
    before = data_key(data)
    assert data_key(data) == before
    (tmp_path / "source/a.json").write_text("22")
    assert data_key(data) != before
    assert data_key(replace(data, sources=[], name="sample_x0.5")) == "sample_x0.5"


# ---------------------------------------------------------------------------------------------------------- revisions
@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("a")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    return tmp_path


@pytest.mark.quick
def test_the_base_is_where_the_branch_left_main(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "switch", "--quiet", "--create", "change")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "mine")
    git(repository, "switch", "--quiet", "main")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "theirs")
    git(repository, "switch", "--quiet", "change")
    assert find_base(repository, "main") == first
    assert find_base(repository, "HEAD^1") == first
    git(repository, "update-ref", "refs/remotes/origin/elsewhere", first)
    assert find_base(repository, "elsewhere") == first


@pytest.mark.quick
@pytest.mark.parametrize("revision", ["no-such-branch", "--output=owned", "-n", "", "main:a.txt"])
def test_what_is_no_revision_is_refused(repository: Path, revision: str) -> None:
    with pytest.raises(SettingsError, match="no revision"):
        find_base(repository, revision)
    assert sorted(path.name for path in repository.iterdir()) == [".git", "a.txt"]


@pytest.mark.quick
def test_what_has_no_history_is_refused(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    git(repository, "switch", "--quiet", "--orphan", "stranger")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "other")
    with pytest.raises(SettingsError, match="no commit in common"):
        find_base(repository, "main")
    with pytest.raises(SettingsError, match="not in a git repository"):
        find_base(tmp_path_factory.mktemp("bare"), "main")


@pytest.mark.quick
def test_the_files_that_differ_are_those_of_the_working_tree(repository: Path) -> None:
    base = find_base(repository, "main")
    (repository / "new one.txt").write_text("new")
    (repository / "a.txt").write_text("b")
    (repository / ".gitignore").write_text("ignored\n")
    (repository / "ignored").touch()
    assert changed_files(repository, base) == [".gitignore", "a.txt", "new one.txt"]
    (repository / "a.txt").unlink()
    assert changed_files(repository, base) == [".gitignore", "new one.txt"]


@pytest.mark.quick
def test_an_export_is_what_was_committed_whatever_was_left_of_one(repository: Path, tmp_path: Path) -> None:
    (repository / "a.txt").write_text("not committed")
    left = tmp_path / "tree.partial"
    left.mkdir()
    (left / "half").touch()
    export(repository, find_base(repository, "main"), tmp_path / "tree")
    assert [(path.name, path.read_text()) for path in (tmp_path / "tree").iterdir()] == [("a.txt", "a")]
    assert not left.exists()
