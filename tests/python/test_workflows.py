"""The workflows: pinned, with no more rights than they need; and the steps that are more than a command, run for real.

GitHub itself is not asked: `gh` is a script that answers as its API does, and writes down what it is called with.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from real_data import PROJECT_DIR

pytestmark = pytest.mark.quick

GITHUB = PROJECT_DIR / ".github"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (GITHUB / "workflows").glob("*.yml")}
MARK = "<!-- lakehouse diff -->"
HEAD = "a" * 40


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{name}.{job}", content) for name, flow in WORKFLOWS.items() for job, content in flow["jobs"].items()]


def step(workflow: str, job: str, **having: str) -> dict[str, Any]:
    """The step of a job that has these values."""
    steps: list[dict[str, Any]] = WORKFLOWS[workflow]["jobs"][job]["steps"]
    (found,) = [step for step in steps if having.items() <= step.items()]
    return found


def run(script: str, folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """A step's script, as GitHub runs it where no shell is named."""
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env={"PATH": f"{folder}/bin:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", **settings},
        capture_output=True,
        text=True,
        check=False,
    )


# --------------------------------------------------------------------------------------------------- what all have
@pytest.mark.parametrize("path", sorted(GITHUB.rglob("*.yml")), ids=lambda path: path.stem)
def test_an_action_is_pinned_by_its_commit(path: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    for action, comment in used:
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


@pytest.mark.parametrize(("name", "job"), jobs(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_job_ends_some_time_and_keeps_no_credentials(name: str, job: dict[str, Any]) -> None:
    assert job["timeout-minutes"] <= 360
    for one in job["steps"]:
        if "checkout" in one.get("uses", ""):
            assert one["with"]["persist-credentials"] is False


def test_who_may_write_runs_no_code_of_a_pull_request() -> None:
    """And pull_request_target, which would give a fork's code the repository's rights, is used nowhere."""
    for name, flow in WORKFLOWS.items():
        triggers = flow[True]  # what YAML makes of `on`
        assert "pull_request_target" not in triggers, name
        rights = [flow["permissions"], *(job.get("permissions", {}) for job in flow["jobs"].values())]
        if "pull_request" in triggers:
            assert rights == [{"contents": "read"}] + [{}] * len(flow["jobs"]), name
            assert "secrets." not in json.dumps(flow), name
        if "workflow_run" in triggers:
            assert not [
                one for _, job in jobs() if job in flow["jobs"].values() for one in job["steps"] if "uses" in one
            ]
            assert {right for job in flow["jobs"].values() for right in job["permissions"].items()} == {
                ("actions", "read"),
                ("pull-requests", "write"),
            }
        assert "concurrency" in flow, name


def test_no_script_has_what_others_wrote_put_into_it() -> None:
    """What comes from an event reaches a script through its environment, where it is no code."""
    for name, job in jobs():
        for one in job["steps"]:
            told = set(re.findall(r"\$\{\{(.*?)\}\}", one.get("run", ""))) - {" matrix.command "}
            assert told == set(), name


def test_the_second_workflow_waits_for_the_first() -> None:
    assert WORKFLOWS["comment"][True]["workflow_run"]["workflows"] == [WORKFLOWS["diff"]["name"]]
    upload = next(one for one in WORKFLOWS["diff"]["jobs"]["diff"]["steps"] if "upload-artifact" in one.get("uses", ""))
    script = step("comment", "comment", name="comment")["run"]
    assert f"--name {upload['with']['name']} " in script
    assert f"downloaded/{upload['with']['path']}" in script
    assert MARK in script


def test_what_people_fill_in_is_a_form() -> None:
    for name in ("bug", "endpoint", "feature"):
        form = yaml.safe_load((GITHUB / f"ISSUE_TEMPLATE/{name}.yml").read_text())
        assert {"name", "description", "body"} <= form.keys()
        asked = [field for field in form["body"] if field["type"] != "markdown"]
        assert len({field["id"] for field in asked}) == len(asked)
        assert all(field["attributes"].get("label") for field in asked)


def test_who_owns_something_owns_what_is_there() -> None:
    for line in (GITHUB / "CODEOWNERS").read_text().splitlines():
        if line and not line.startswith(("#", "*")):
            path, owner = line.split()
            assert (PROJECT_DIR / path.lstrip("/")).exists(), path
            assert owner.startswith("@")


# ------------------------------------------------------------------------------------------------------- the comment
GH = f"""#!{sys.executable}
import json, pathlib, re, shutil, subprocess, sys
here = pathlib.Path(__file__).parent.parent
arguments = sys.argv[1:]
with (here / "asked.jsonl").open("a") as asked:
    asked.write(json.dumps(arguments) + "\\n")
if arguments[:2] == ["run", "download"]:
    if not (here / "artifact").exists():
        sys.exit("no artifact")
    shutil.copytree(here / "artifact", arguments[arguments.index("--dir") + 1], symlinks=True)
elif "PATCH" not in arguments and "POST" not in arguments:
    which = "pulls" if any(argument.endswith("/pulls") for argument in arguments) else "comments"
    found = json.loads((here / (which + ".json")).read_text())
    if which == "pulls":
        found = [pull for pull in found if "head=" + pull["label"] in arguments and "state=open" in arguments]
        found = [pull["number"] for pull in found if pull["sha"] == __import__("os").environ["HEAD_SHA"]][:1]
    else:
        mark = re.search(r'startswith\\("(.*?)"\\)', arguments[-1])[1]
        found = [one["id"] for one in found if one["by"] == "github-actions[bot]" and one["body"].startswith(mark)]
    print("\\n".join(map(str, found)))
"""
PULL = {"label": "ada:change", "sha": HEAD, "number": 7}


def commented(
    folder: Path, report: bytes | None, pulls: object = (PULL,), comments: object = ()
) -> tuple["subprocess.CompletedProcess[str]", list[list[str]]]:
    """What the step says, and what it asked GitHub to change."""
    (folder / "bin").mkdir()
    (folder / "bin/gh").write_text(GH)
    (folder / "bin/gh").chmod(0o700)
    (folder / "pulls.json").write_text(json.dumps(pulls))
    (folder / "comments.json").write_text(json.dumps(comments))
    if report is not None:
        (folder / "artifact").mkdir(exist_ok=True)
        (folder / "artifact/diff.md").write_bytes(report)
    settings = {"GH_REPO": "o/r", "RUN_ID": "1", "RUN_URL": "https://github.com/o/r/actions/runs/1", "HEAD_SHA": HEAD}
    script = step("comment", "comment", name="comment")["run"]
    done = run(script, folder, **settings, HEAD_OWNER="ada", HEAD_BRANCH="change")
    asked = [json.loads(line) for line in (folder / "asked.jsonl").read_text().splitlines()]
    return done, [arguments for arguments in asked if {"PATCH", "POST"} & {*arguments}]


def test_the_first_report_is_a_new_comment(tmp_path: Path) -> None:
    somebody = [{"id": 1, "by": "ada", "body": f"{MARK} mine"}, {"id": 2, "by": "github-actions[bot]", "body": "other"}]
    done, changed = commented(tmp_path, f"{MARK}\n## What this changes\n".encode(), comments=somebody)
    assert done.returncode == 0, done.stderr
    assert [(arguments[2], arguments[3]) for arguments in changed] == [("POST", "repos/o/r/issues/7/comments")]
    body = (tmp_path / "comment.md").read_text()
    assert body.startswith(f"{MARK}\n_What the code of {HEAD} says of itself")
    assert "## What this changes" in body


def test_the_next_one_takes_its_place(tmp_path: Path) -> None:
    before = [{"id": id_, "by": "github-actions[bot]", "body": f"{MARK}\nold"} for id_ in (41, 42)]
    done, changed = commented(tmp_path, b"new", comments=before)
    assert done.returncode == 0, done.stderr
    assert [(arguments[2], arguments[3]) for arguments in changed] == [("PATCH", "repos/o/r/issues/comments/41")]


@pytest.mark.parametrize(
    "pulls",
    [
        pytest.param([], id="none"),
        pytest.param([{**PULL, "sha": "b" * 40}], id="a newer commit"),
        pytest.param([{**PULL, "label": "eve:change"}], id="somebody else's branch"),
    ],
)
def test_without_a_pull_request_of_that_commit_nothing_is_written(tmp_path: Path, pulls: object) -> None:
    done, changed = commented(tmp_path, b"7", pulls=pulls)
    assert (done.returncode, changed) == (0, [])
    assert "nothing to comment on" in done.stdout


def test_without_a_report_nothing_is_written(tmp_path: Path) -> None:
    done, changed = commented(tmp_path, None)
    assert (done.returncode, changed) == (0, [])


def test_a_link_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "artifact").mkdir()
    (tmp_path / "artifact/diff.md").symlink_to(tmp_path / "secret")
    done, changed = commented(tmp_path, None)
    assert (done.returncode, changed) == (1, [])


def test_a_report_can_be_long_and_hostile(tmp_path: Path) -> None:
    """It fits into a comment, calls nobody, hides nothing, and breaks off at a whole character."""
    hostile = b"@everybody <!-- hidden --> $(touch owned) `touch owned`\n" + b"\xff\xfe\n" + "ø".encode() * 100_000
    done, changed = commented(tmp_path, hostile)
    assert done.returncode == 0, done.stderr
    assert len(changed) == 1
    body = (tmp_path / "comment.md").read_text()
    assert len(body.encode()) < 62_000
    assert "@everybody" not in body
    assert body.count("<!--") == 1
    assert not (tmp_path / "owned").exists()
    assert body.rstrip().endswith("ø")


# ------------------------------------------------------------------------------------------ whether engines are touched
@pytest.mark.parametrize(
    ("event", "files", "engines"),
    [
        ("pull_request", ["models/a.sql"], "true"),
        ("pull_request", ["docs/a.md", "scripts/lakehouse/cli.py"], "true"),
        ("pull_request", ["packages/dbt-local-aws/README.md"], "true"),
        ("pull_request", ["Makefile"], "true"),
        ("pull_request", ["docs/a.md", "README.md", "LICENSE", ".github/CODEOWNERS", "dags/a.py"], "false"),
        ("push", ["docs/a.md"], "true"),
    ],
)
def test_engines_are_tested_where_they_can_notice(tmp_path: Path, event: str, files: list[str], engines: str) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "base")
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    git("add", "--all", "--force")
    git("commit", "--quiet", "--message", "change")
    done = run(step("ci", "touched", id="look")["run"], tmp_path, EVENT=event, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output").read_text() == f"engines={engines}\n"
