"""The evidence of a verification: who answered, what was seen at each step, and with which versions of everything."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import msgspec

from lakehouse.verify.answered import Answered
from lakehouse.verify.run import Outcome, Result

FOLDER = "evidence"
SHOWN_PACKAGES = (
    "dbt-core",
    "dbt-adapters",
    "dbt-athena",
    "dbt-redshift",
    "dbt-duckdb",
    "duckdb",
    "boto3",
    "lakehouse",
)
"""Those that the page for people names; the other file has all."""
SHOWN_VERSIONS = 20


class Evidence(msgspec.Struct, frozen=True):
    """What a verification found, for machines."""

    target: str
    dataset: str
    began_at: datetime
    """UTC."""
    ended_at: datetime | None
    """None of a verification that is under way, or was stopped."""
    commit: str
    answered: Answered
    python: str
    packages: Mapping[str, str]
    results: Sequence[Result]

    def count(self, outcome: Outcome) -> int:
        """How many steps ended so."""
        return sum(result.outcome is outcome for result in self.results)

    @property
    def verdict(self) -> str:
        """What came out, in a line."""
        counts = ", ".join(f"{self.count(outcome)} {outcome}" for outcome in Outcome)
        return counts if self.ended_at else f"unfinished: {counts} until it was stopped, or until now"


def commit_of(project: Path) -> str:
    """The commit that is checked out, and whether files differ from it; what CI says where there is no git."""
    git = ["git", "-C", str(project)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("GITHUB_SHA", "unknown")
    return f"{head}, with changes that are not committed" if changed else head


def installed_packages() -> dict[str, str]:
    """The version of every package of this Python."""
    return dict(sorted((package.name.lower(), package.version) for package in distributions()))


def python_version() -> str:
    """This Python, and the system that it runs on."""
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


def write_evidence(evidence: Evidence, project: Path) -> Path:
    """Writes both files, in the place of those of the same verification; only their owner can read them.

    Returns:
        The page for people; the file for machines is beside it.
    """
    folder = project / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    where = "aws" if evidence.answered.where == "AWS" else "local" if evidence.answered.is_local else "mixed"
    page = folder / f"{evidence.began_at:%Y-%m-%dT%H%M%SZ}-{evidence.target}-{where}.md"
    _replace(page.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(evidence)) + b"\n")
    _replace(page, page_of(evidence).encode())
    return page


def _replace(file: Path, content: bytes) -> None:
    """Writes a file whole: a killed verification leaves the last whole one."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
    fresh.replace(file)


def page_of(evidence: Evidence) -> str:
    """The page for people, in Markdown."""
    return "\n".join(_lines(evidence)) + "\n"


def _lines(evidence: Evidence) -> Iterator[str]:
    answered = evidence.answered
    yield f"# Verification on {evidence.target}: {answered.where}, {evidence.began_at:%Y-%m-%d %H:%M} UTC"
    yield ""
    yield f"**{evidence.verdict}.**"
    if answered.where != "AWS":
        yield ""
        yield "AWS itself was not asked: this says nothing about the real services but what the endpoints imitate."
    yield ""
    took = "" if evidence.ended_at is None else f"{(evidence.ended_at - evidence.began_at).total_seconds():,.0f} s"
    about = {
        "answered": answered.where,
        "asked": ", ".join(f"{name} at {url}" for name, url in answered.endpoints.items()),
        "S3 calls itself": answered.s3_server,
        "account": answered.account,
        "region": answered.region,
        "engine": "; ".join(f"{what}: {version}" for what, version in answered.engine.items()),
        "data": evidence.dataset,
        "took": took or "it has not ended",
        "commit": evidence.commit,
        "Python": evidence.python,
        "packages": ", ".join(f"{name} {evidence.packages.get(name, '—')}" for name in SHOWN_PACKAGES),
    }
    yield from _table(("", ""), about.items())
    yield ""
    yield "## Steps"
    yield ""
    steps = (
        (result.promise, f"**{result.outcome}**", f"{result.seconds:.1f}", _seen(result)) for result in evidence.results
    )
    yield from _table(("promise", "outcome", "seconds", "seen"), steps)
    for result in evidence.results:
        yield from _details(result)


def _seen(result: Result) -> str:
    """The reason, or the facts that fit into a line."""
    if result.reason:
        return result.reason
    facts = msgspec.to_builtins(result.facts)
    return "; ".join(f"{name}: {_short(value)}" for name, value in facts.items() if _short(value))


def _short(value: object) -> str:
    match value:
        case dict():
            parts = [f"{name} {_short(part)}" for name, part in value.items()]
            return ", ".join(parts) if all(not isinstance(part, dict | list) for part in value.values()) else ""
        case list():
            return ", ".join(map(str, value)) if all(isinstance(part, int) for part in value) else ""
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return f"{value:,}"
    return str(value)


def _details(result: Result) -> Iterator[str]:
    """What a step saw that needs more room than a line: what is left of an erased person."""
    facts: dict[str, Any] = msgspec.to_builtins(result.facts)
    if "after" not in facts:
        return
    yield from ("", "## What is left of the person who was erased", "")
    names = [name for name in facts["before"] if name not in ("places", "holding")]
    yield from _table(
        ("", "before", "after"),
        ((n.replace("_", " "), *(_short(facts[w][n]) for w in ("before", "after"))) for n in names),
    )
    holding = facts["after"]["holding"]
    size = sum(version["bytes"] for version in holding)
    yield from ("", f"Old versions that still hold something of them: {len(holding):,}, {size:,} bytes.")
    if holding:
        yield ""
        yield from _table(
            ("object", "version", "bytes"),
            ((v["key"], v["version_id"], f"{v['bytes']:,}") for v in holding[:SHOWN_VERSIONS]),
        )
        if len(holding) > SHOWN_VERSIONS:
            yield from ("", f"And {len(holding) - SHOWN_VERSIONS:,} more: the JSON file beside this one has all.")
    yield from ("", "What `lakehouse erase` said:", "", "```", *facts["the eraser said"], "```")


def _table(header: Sequence[str], rows: Any) -> Iterator[str]:  # noqa: ANN401
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '&#124;').replace(chr(10), ' ') for cell in row)} |"
