"""An engine's jars: fetched by Maven once, each compared with what it must be, and kept in the user's cache folder."""

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

from dbt_local_aws.java import Java, UnavailableError, cache_folder, find_java, find_maven

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_TAIL_LINES = 15


@dataclass(frozen=True)
class Engine:
    """An engine that is written in Java.

    Attributes:
        name: Its name.
        whose: What it is to whom, to begin a sentence with.
        version: Its version.
        java_version: The Java that it runs on.
        java_modules: What that Java must have, beside the compiler.
        recipe: The folder with pom.xml, jars.sha256, and java/Launcher.java, which ends the engine with its parent.
        megabytes: How much Maven fetches, about.
    """

    name: str
    whose: str
    version: str
    java_version: int
    java_modules: frozenset[str]
    recipe: Path
    megabytes: int

    @property
    def checksums(self) -> Path:
        """The file with each jar's checksum."""
        return self.recipe / "jars.sha256"

    def find_java(self) -> Java:
        """The Java that it runs on.

        Raises:
            UnavailableError: There is none.
        """
        return find_java(self.whose, self.java_version, {"jdk.compiler", *self.java_modules})

    def check(self) -> None:
        """Checks that it can be had: that there is its Java and, to fetch it, Maven.

        Raises:
            UnavailableError: One of them is missing.
        """
        self.find_java()
        find_maven(self.name)


@dataclass(frozen=True)
class Installation:
    """An engine as it lies in the cache.

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


def install(engine: Engine) -> Installation:
    """An engine, ready to start. The first call fetches it, which takes a minute or two; all others find it.

    Raises:
        UnavailableError: Java or Maven is missing, Maven fails, or a jar is not what it must be.
    """
    java = engine.find_java()
    sources = b"".join(path.read_bytes() for path in (_pom(engine), engine.checksums, _launcher(engine)))
    name = f"{engine.name.lower()}-{engine.version}-{hashlib.sha256(sources).hexdigest()[:12]}"
    folder = cache_folder() / name
    if not folder.exists():
        find_maven(engine.name)
        with locked(cache_folder() / f"{name}.lock"):
            if not folder.exists():
                _make(engine, folder, java)
    return Installation(folder, java)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time: others that install, too, wait and then find it done."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _pom(engine: Engine) -> Path:
    return engine.recipe / "pom.xml"


def _launcher(engine: Engine) -> Path:
    return engine.recipe / "java" / "Launcher.java"


def _make(engine: Engine, folder: Path, java: Java) -> None:
    """Whole or not at all: it gets its name when it is complete."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as temporary:
        new = Path(temporary) / "engine"
        (new / "jars").mkdir(parents=True)
        say(f"fetching {engine.name} {engine.version} with Maven into {folder.parent} ({engine.megabytes} MB, once)")
        _fetch(engine, new / "jars", java)
        verify(engine, new / "jars")
        _compile(engine, new, java)
        new.rename(folder)
    say(f"{engine.name} is there")


def _fetch(engine: Engine, jars: Path, java: Java) -> None:
    maven = find_maven(engine.name)
    command = [maven, "-B", "-f", str(_pom(engine)), _COPY, "-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
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
        raise UnavailableError(f"Maven could not fetch {engine.name}. It said:\n{''.join(lines[-_TAIL_LINES:])}")


def verify(engine: Engine, jars: Path) -> None:
    """Compares every jar with its checksum; none may be missing, and none may be there beside them.

    Raises:
        UnavailableError: One is another.
    """
    lines = (line.split() for line in engine.checksums.read_text().splitlines())
    wanted = {name: checksum for checksum, name in lines}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in jars.glob("*.jar")}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise UnavailableError(
            f"{len(wrong)} of {engine.name}'s jars are not what {engine.checksums} says, the first is {wrong[0]}. "
            "Nothing was kept. Remove it from Maven's repository (~/.m2) and try again."
        )


def _compile(engine: Engine, folder: Path, java: Java) -> None:
    classes = folder / "classes"
    command = [java.program("javac"), "-cp", str(folder / "jars" / "*"), "-d", str(classes), str(_launcher(engine))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own file
    if done.returncode:
        raise UnavailableError(f"{engine.name}'s launcher does not compile:\n{done.stderr}")
    with zipfile.ZipFile(folder / "launcher.jar", "w") as jar:
        for path in sorted(classes.rglob("*.class")):
            jar.write(path, path.relative_to(classes))
    shutil.rmtree(classes)


def say(text: str) -> None:
    """Tell a person who waits what is being done."""
    print(text, file=sys.stderr, flush=True)
