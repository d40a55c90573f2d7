"""Trino's jars: fetched by Maven once, each compared with what it must be, and kept in the user's cache folder."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dbt_local_aws.athena.trino.java import Java, TrinoUnavailableError, cache_folder, find_java, find_maven

VERSION = "483"
HERE = Path(__file__).parent
_POM, _CHECKSUMS, _LAUNCHER = HERE / "pom.xml", HERE / "jars.sha256", HERE / "java" / "Launcher.java"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_TAIL_LINES = 15


@dataclass(frozen=True)
class Installation:
    """Trino as it lies in the cache.

    Attributes:
        folder: Its folder.
        java: What runs it.
    """

    folder: Path
    java: Java

    @property
    def class_path(self) -> str:
        """The launcher and all jars, always in the same order: a class archive serves one class path only."""
        jars = sorted((self.folder / "jars").glob("*.jar"))
        return os.pathsep.join(map(str, (self.folder / "launcher.jar", *jars)))

    @property
    def archive(self) -> Path:
        """The class archive of this Java; it may not be there."""
        build = hashlib.sha256(self.java.build.encode()).hexdigest()[:12]
        return self.folder / f"classes-{build}.jsa"


def install() -> Installation:
    """Trino, ready to start. The first call fetches it, which takes a minute or two; all others find it.

    Raises:
        TrinoUnavailableError: Java or Maven is missing, Maven fails, or a jar is not what it must be.
    """
    java = find_java()
    sources = b"".join(path.read_bytes() for path in (_POM, _CHECKSUMS, _LAUNCHER))
    folder = cache_folder() / f"trino-{VERSION}-{hashlib.sha256(sources).hexdigest()[:12]}"
    if not folder.exists():
        find_maven()
        with locked(folder.with_suffix(".lock")):
            if not folder.exists():
                _make(folder, java)
    return Installation(folder, java)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time: others that install, too, wait and then find it done."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(folder: Path, java: Java) -> None:
    """Whole or not at all: it gets its name when it is complete."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as temporary:
        new = Path(temporary) / "trino"
        (new / "jars").mkdir(parents=True)
        say(f"fetching Trino {VERSION} with Maven into {folder.parent} (200 MB, once)")
        _fetch(new / "jars", java)
        _verify(new / "jars")
        _compile(new, java)
        new.rename(folder)
    say("Trino is there")


def _fetch(jars: Path, java: Java) -> None:
    command = [find_maven(), "-B", "-f", str(_POM), _COPY, "-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
    environment = {**os.environ, "JAVA_HOME": str(java.home)}
    fetched, lines = 0, []
    with subprocess.Popen(  # noqa: S603 - Maven with a file of ours
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - as asked for above
        for line in process.stdout:
            if "Downloaded " in line:
                fetched += 1
                if fetched % 100 == 0:
                    say(f"  {fetched} files")
            elif "Downloading " not in line:
                lines.append(line)
    if process.returncode:
        raise TrinoUnavailableError(f"Maven could not fetch Trino. It said:\n{''.join(lines[-_TAIL_LINES:])}")


def _verify(jars: Path) -> None:
    """Compare every jar with its checksum; none may be missing, and none may be there beside them."""
    lines = (line.split() for line in _CHECKSUMS.read_text().splitlines())
    wanted = {name: checksum for checksum, name in lines}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in jars.glob("*.jar")}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise TrinoUnavailableError(
            f"{len(wrong)} of Trino's jars are not what {_CHECKSUMS} says, the first is {wrong[0]}. "
            "Nothing was kept. Remove it from Maven's repository (~/.m2) and try again."
        )


def _compile(folder: Path, java: Java) -> None:
    classes = folder / "classes"
    command = [java.program("javac"), "-cp", str(folder / "jars" / "*"), "-d", str(classes), str(_LAUNCHER)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own file
    if done.returncode:
        raise TrinoUnavailableError(f"Trino's launcher does not compile:\n{done.stderr}")
    with zipfile.ZipFile(folder / "launcher.jar", "w") as jar:
        for path in sorted(classes.rglob("*.class")):
            jar.write(path, path.relative_to(classes))
    shutil.rmtree(classes)


def say(text: str) -> None:
    """Tell a person who waits what is being done."""
    print(text, file=sys.stderr, flush=True)
