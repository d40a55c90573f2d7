"""The two sides of a comparison: the base revision, built by its own command, and the working tree, on a copy of that.

.diff/<commit>-<data>/tree      what the commit holds; landing zone, database and sample are in it, as `run` puts them
.diff/<commit>-<data>/rows      a dump of each of its relations
.diff/<commit>-<data>/finished  is there when all of that is whole
.diff/head                      copies of the base's landing zone and database, and what the working tree makes of them
"""

import fcntl
import filecmp
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dbt.contracts.graph.manifest import Manifest

from lakehouse.console import ConsoleReporter
from lakehouse.declaration import LOADER
from lakehouse.diff.nodes import Compiled
from lakehouse.diff.revision import export
from lakehouse.environment import variables
from lakehouse.errors import DbtError, SettingsError
from lakehouse.parity.dump import DumpError, dump_relations
from lakehouse.pipeline.databases import DEFAULT_NAME, close_connections
from lakehouse.pipeline.dataset import Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.storage import open_folder

WORK_FOLDER = ".diff"
_BASES_KEPT = 3
_UNTESTED = "test unit_test"
"""As DBT_EXCLUDE_RESOURCE_TYPES: the base was tested when it became the base."""


@dataclass(frozen=True)
class Side:
    """A project, as it was parsed, compiled and built.

    Attributes:
        manifest: The project.
        compiled: What its models and tests compile to.
        rows: The folder of dumps, a folder each relation.
    """

    manifest: Manifest
    compiled: Compiled
    rows: Path

    def dump_of(self, relation: str) -> Path:
        """Where the dump of a relation is, if there is one."""
        return self.rows / relation


@contextmanager
def alone_in(work: Path) -> Iterator[None]:
    """Keeps a second comparison out of the work folder; the system gives the lock back when this process ends.

    Raises:
        SettingsError: Another comparison is at work.
    """
    work.mkdir(mode=0o700, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(f"another `lakehouse diff` is at work in {work}: wait until it is done") from error
        yield


def data_key(data: Dataset) -> str:
    """A name for the data as it is now: of the sample, its size; else it changes with any file of the sources."""
    if not data.sources:
        return data.name
    digest = hashlib.sha256()
    for source in data.sources:
        digest.update(f"{source}\0".encode())
        for file in open_folder(source).list():
            digest.update(f"{file.key}\0{file.size}\0{file.version}\0".encode())
    return f"{data.name}-{digest.hexdigest()[:12]}"


def check_data(data: Dataset) -> None:
    """Checks that nobody who was erased would be landed again, in a landing zone that knows nothing of it.

    Raises:
        SettingsError: Somebody would.
        LandingError: The data's own landing zone cannot be read.
    """
    if data.sources and data.was_erased_from():
        raise SettingsError(
            f"people were erased from {data.zone}, and a comparison would land {', '.join(data.sources)} with them: "
            "compare on the sample, or take them out of the source and give the data another name with --dataset"
        )


class Base:
    """The base revision in a folder of its own."""

    def __init__(self, work: Path, commit: str, data: Dataset, reporter: ConsoleReporter) -> None:
        """Takes where all bases are, the commit, and the data to build it of."""
        self.folder = work / f"{commit[:12]}-{data_key(data)}"
        self.tree, self._rows, self._finished = self.folder / "tree", self.folder / "rows", self.folder / "finished"
        self._commit, self._data, self._reporter = commit, data, reporter

    @property
    def zone(self) -> Path:
        """Its landing zone."""
        return self.tree / "landing" / self._data.name

    @property
    def database(self) -> Path:
        """Its database."""
        return self.tree / DEFAULT_NAME

    def built(self) -> Side:
        """The base, built unless it is there already.

        Raises:
            DbtError: It cannot be built.
        """
        is_there = self._finished.exists()
        self._reporter.heading(f"base {self._commit[:12]}: {'built before' if is_there else 'build it, once'}")
        if not is_there:
            self._build()
        os.utime(self.folder)
        with chdir(self.tree), variables(_settings(self.zone) | {"DUCKDB_PATH": None}):
            dbt = DbtSession(self.tree, "duckdb", self._data.name, self._reporter.console)
            dbt.parse()
            compiled = _compiled(dbt)
            if not is_there:
                shutil.rmtree(self._rows, ignore_errors=True)
                self._reporter.say("write down its rows")
                dump_each(dbt.manifest, built_nodes(dbt.manifest), self._rows, self._reporter)
                self._finished.touch()
            close_connections()
        return Side(dbt.manifest, compiled, self._rows)

    def _build(self) -> None:
        """Exports the commit, and has its own command build the data; what a killed run made is gone on with."""
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_old(self.folder.parent, keep=self.folder)
        if not self.tree.exists():
            export(self._data.project_dir, self._commit, self.tree)
        shutil.copy(self.tree / "profiles.example.yml", self.tree / "profiles.yml")
        options = [option for source in self._data.sources for option in ("--source", source)]
        options += ["--dataset", self._data.name] if self._data.sources else ["--scale", f"{self._data.scale:g}"]
        kept = {name: value for name, value in os.environ.items() if name not in _settings(self.zone)}
        environment = {**kept, "PYTHONPATH": str(self.tree / "scripts"), "DBT_EXCLUDE_RESOURCE_TYPES": _UNTESTED}
        environment["PYTHONUNBUFFERED"] = "1"  # what it says is seen as it says it
        environment.pop("DUCKDB_PATH", None)
        command = [sys.executable, "-m", "lakehouse.cli", "run", *options]
        done = subprocess.run(command, cwd=self.tree, env=environment, stdout=sys.stderr, check=False)  # noqa: S603 - its own command
        if done.returncode:
            raise DbtError(
                f"the base {self._commit[:12]} cannot be built by its own command, `lakehouse run`: it ended with "
                f"{done.returncode}. What it said is above, and its log in {self.tree}/logs"
            )


class Head:
    """The working tree, on copies of the base's landing zone and database."""

    def __init__(self, work: Path, base: Base, data: Dataset, reporter: ConsoleReporter) -> None:
        """Takes what it goes on from."""
        self._work, self._base, self._reporter = work / "head", base, reporter
        self._data = data
        self.zone, self.database = self._work / "landing", self._work / DEFAULT_NAME
        self.rows = self._work / "rows"
        self.dbt = DbtSession(data.project_dir, "duckdb", data.name, reporter.console, self._work)

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """Copies what the base made, and holds while dbt works on the copies; those of an earlier run are removed."""
        for old in (self.zone, self.rows):
            shutil.rmtree(old, ignore_errors=True)
        self.rows.mkdir(mode=0o700, parents=True)
        shutil.copytree(self._base.zone, self.zone)
        self.database.with_name(f"{DEFAULT_NAME}.wal").unlink(missing_ok=True)
        shutil.copyfile(self._base.database, self.database)
        with variables(_settings(self.zone) | {"DUCKDB_PATH": str(self.database), "LANDING_ZONE": str(self.zone)}):
            yield
            close_connections()

    def land(self) -> None:
        """Lands what the working tree's loader would land more, and works out anew what is derived.

        What has landed is not read again: a change of what the loader refuses shows in new records alone.

        Raises:
            LandingError: It cannot be landed.
        """
        data = replace(self._data, zone=str(self.zone), sample_dir=self._base.tree)
        data.land(self._reporter)
        self.dbt.register(data.zone_id() or "")

    def has_landed_alike(self) -> bool:
        """Whether the landing zone is, to the byte, what the base's is: a part of another load has another name."""
        base, head = (
            {p.relative_to(zone) for p in zone.rglob("*") if p.is_file()} for zone in (self._base.zone, self.zone)
        )
        shared = [str(path) for path in base if path.name != ".lock"]
        return base == head and filecmp.cmpfiles(self._base.zone, self.zone, shared)[1:] == ([], [])

    def compiled(self) -> Compiled:
        """What the working tree's nodes compile to."""
        return _compiled(self.dbt)


def _compiled(dbt: DbtSession) -> dict[str, str]:
    """What the nodes compile to, without the landing zone's place, which is another one on each side."""
    zone = os.environ["LANDING_ZONE"]
    return {unique_id: sql.replace(zone, "") for unique_id, sql in dbt.compile().items()}


def dump_each(manifest: Manifest, unique_ids: Iterable[str], folder: Path, reporter: ConsoleReporter) -> dict[str, str]:
    """Writes down each relation in a folder of its own; gives those that cannot be, with the reason."""
    failed = {}
    for unique_id in unique_ids:
        node = manifest.nodes.get(unique_id) or manifest.sources[unique_id]
        name = f"{node.schema}.{getattr(node, 'alias', None) or node.identifier}"
        shutil.rmtree(folder / name, ignore_errors=True)
        try:
            dump_relations(manifest, "duckdb", [unique_id], folder / name)
        except DumpError as error:
            shutil.rmtree(folder / name, ignore_errors=True)
            reporter.warn(f"{name} is not compared: {error}")
            failed[name] = "it has a type that cannot be compared"  # of the error itself, a value may be a part
    return failed


def built_nodes(manifest: Manifest) -> list[str]:
    """The relations whose rows are compared: models, snapshots, and sources but the loader's own records."""
    nodes = [name for name, node in manifest.nodes.items() if node.resource_type.value in ("model", "snapshot")]
    return nodes + [name for name, source in manifest.sources.items() if source.source_name != LOADER]


def remove_old(work: Path, keep: Path) -> None:
    """Removes the bases that were used longest ago, so that only a few are kept."""
    bases = [path for path in work.glob("*-*") if path.is_dir() and path != keep]
    for old in sorted(bases, key=lambda path: path.stat().st_mtime, reverse=True)[_BASES_KEPT - 1 :]:
        shutil.rmtree(old)


def _settings(zone: Path) -> dict[str, str | None]:
    """What of the environment must be the same on both sides."""
    return {"LANDING_ZONE": str(zone), "DBT_TARGET": None, "ENVIRONMENT": None, "READERS": None}
