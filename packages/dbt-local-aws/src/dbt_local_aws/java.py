"""Finds the Java that an engine needs, and Maven, which fetches the engine."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

_USUAL_PLACES = (
    "/usr/lib/jvm/*",
    "/usr/local/openjdk-*",
    "/opt/java/*",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
)
_HOW_TO_GET_JAVA = (
    "on Debian: apt-get install openjdk-{0}-jdk-headless (or temurin-{0}-jdk); on macOS: brew install openjdk@{0}; "
    "in a GitHub workflow: actions/setup-java with java-version {0}"
)
_HOW_TO_GET_MAVEN = (
    "on Debian: apt-get install maven; on macOS: brew install maven; in a GitHub workflow it is there already"
)


class UnavailableError(Exception):
    """An engine cannot be had or does not run; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Java:
    """A Java development kit.

    Attributes:
        home: Its folder.
        build: What it says of itself; a class archive serves exactly one.
    """

    home: Path
    build: str

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return str(self.home / "bin" / name)


def find_java(who: str, version: int, modules: Set[str]) -> Java:
    """The first Java of a version in JAVA_HOME, on the path and in the usual folders.

    Args:
        who: Who needs it, to begin a sentence with.
        version: The one version that will do.
        modules: What it must have; a mere runtime lacks the compiler.

    Raises:
        UnavailableError: There is none; the message says what was found instead and how to get it.
    """
    others = []
    for home in _homes(version):
        settings = _release(home)
        found = settings.get("JAVA_VERSION", "")
        if found.split(".")[0] == str(version) and set(settings.get("MODULES", "").split()) >= modules:
            return Java(home, " ".join((found, settings.get("IMPLEMENTOR", ""), settings.get("OS_ARCH", ""))))
        if found:
            others.append(f"{found} in {home}")
    instead = f"only {', '.join(others)} was found" if others else "no Java was found"
    raise UnavailableError(
        f"{who} needs a development kit of Java {version}, and {instead} ({_HOW_TO_GET_JAVA.format(version)})."
    )


def find_maven(name: str) -> str:
    """Maven's path.

    Args:
        name: What it is to fetch.

    Raises:
        UnavailableError: It is not on the path.
    """
    if program := shutil.which("mvn"):
        return program
    raise UnavailableError(f"Maven, which fetches {name}, is not on the path ({_HOW_TO_GET_MAVEN}).")


def _homes(version: int) -> Iterator[Path]:
    """Where a Java may be, the caller's choice first."""
    seen = set()
    for home in _candidates(version):
        resolved = home.resolve()
        if resolved not in seen and (resolved / "bin" / "java").exists():
            seen.add(resolved)
            yield resolved


def _candidates(version: int) -> Iterator[Path]:
    for name in ("JAVA_HOME", f"JAVA_HOME_{version}_X64", f"JAVA_HOME_{version}_ARM64"):
        if value := os.environ.get(name):
            yield Path(value)
    if program := shutil.which("java"):
        yield Path(program).resolve().parents[1]
    for place in (*_USUAL_PLACES, str(Path.home() / ".sdkman/candidates/java/*"), str(Path.home() / ".jdks/*")):
        yield from sorted(Path("/").glob(place.lstrip("/")))


def _release(home: Path) -> dict[str, str]:
    """The file in which every Java tells what it is."""
    try:
        text = (home / "release").read_text()
    except OSError:
        return {}
    return dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))


def cache_folder() -> Path:
    """Where what is fetched once is kept: LOCAL_AWS_CACHE, or the user's cache folder."""
    if given := os.environ.get("LOCAL_AWS_CACHE"):
        return Path(given)
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "local-aws"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "local-aws"
