"""What a verification works in: a copy of the project, and places and relations that are nobody else's."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from dbt.contracts.graph.nodes import ModelNode, SnapshotNode

from lakehouse.console import ConsoleReporter
from lakehouse.declaration import Table, load_tables
from lakehouse.errors import SettingsError
from lakehouse.parity.dump import dump_relations
from lakehouse.pipeline.dataset import SAMPLE_FOLDER, Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Folder, is_s3
from lakehouse.verify.answered import Answered

WORK_FOLDER = ".verify"
NAME = "verify"
"""What says whose something is: the end of the environment's name, and of the prefixes on S3."""
PARTS = (
    "models", "macros", "seeds", "snapshots", "analyses", "tests/dbt", "dbt_project.yml", "profiles.yml",
)  # fmt: skip
"""What dbt reads of a project."""


@dataclass
class World:
    """What the steps of a verification work in.

    Attributes:
        project: The project, in which the evidence is written.
        places: The prefixes of S3 below which everything lies that is made there, the landing zone's first.
        work: The folder of this machine below which everything else lies.
        data: What is landed, in a copy of the project.
        dbt: Builds it on the engine that is verified.
        answered: Who answers.
        reporter: Is told what happens.
        began_at: When the verification began; UTC.
        started: The commands that it started.
    """

    project: Path
    places: tuple[str, ...]
    work: Path
    data: Dataset
    dbt: DbtSession
    answered: Answered
    reporter: ConsoleReporter
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: "list[Running]" = field(default_factory=list)

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The declared tables, by name."""
        return load_tables(self.data.project_dir)

    @property
    def landed_tables(self) -> list[Table]:
        """Those that hold records of source files."""
        return [table for table in self.tables.values() if table.source_files]

    @property
    def zone(self) -> Folder:
        """The landing zone."""
        return open_folder(self.data.zone)

    @property
    def sources(self) -> list[str]:
        """What is landed from."""
        return self.data.sources or [str(self.data.project_dir / SAMPLE_FOLDER)]

    def start(self, name: str, *arguments: str, **settings: str) -> "Running":
        """Starts a command of the project as a person does, with a log and a target folder of its own."""
        self.started.append(Running(self, name, arguments, settings))
        return self.started[-1]

    def end_commands(self) -> None:
        """Ends the commands that still run: a verification that is stopped leaves none behind."""
        for command in self.started:
            command.end()

    def dump(self, name: str, dbt: DbtSession | None = None) -> Path:
        """Writes down every row of every relation and landing table, as the engine that was asked last has them."""
        session, folder = dbt or self.dbt, self.work / "dumps" / name
        shutil.rmtree(folder, ignore_errors=True)
        built = [id_ for id_, node in session.manifest.nodes.items() if isinstance(node, ModelNode | SnapshotNode)]
        landed = [id_ for id_, source in session.manifest.sources.items() if source.source_name != "loader"]
        dump_relations(session.manifest, session.target, [*built, *landed], folder)
        return folder


class Running:
    """A command that was started."""

    def __init__(self, world: World, name: str, arguments: tuple[str, ...], settings: Mapping[str, str]) -> None:
        """Starts it."""
        self.name = name
        self._folder = world.work / "commands" / f"{name}_{datetime.now(UTC):%H%M%S%f}"
        (self._folder / "target").mkdir(parents=True)
        parsed = world.data.project_dir / "target/partial_parse.msgpack"
        if parsed.exists():  # spares dbt the parse
            shutil.copy(parsed, self._folder / "target")
        own = {"DBT_TARGET_PATH": str(self._folder / "target"), "DBT_LOG_PATH": str(self._folder)}
        with (self._folder / "said").open("w") as said:
            self._process = subprocess.Popen(  # noqa: S603 - the project's own command
                [sys.executable, "-m", "lakehouse.cli", name, *arguments],
                cwd=world.data.project_dir,
                env={**os.environ, **own, **settings},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> int:
        """Waits for its end, and gives its exit code; of a killed one, the negative number of the signal."""
        return self._process.wait()

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ends it as make does, unless it has ended."""
        if self.is_running():
            self._process.terminate()
            self._process.wait()

    def kill(self) -> None:
        """Ends it as a power cut does."""
        self._process.kill()

    def said(self) -> str:
        """What it printed until now."""
        return (self._folder / "said").read_text(encoding="utf-8")

    def logged(self) -> str:
        """What dbt logged of it until now."""
        log = self._folder / "dbt.log"
        return log.read_text(encoding="utf-8") if log.exists() else ""


def last_lines(commands: Sequence[Running]) -> str:
    """What commands said last."""
    return " | ".join(command.said().strip().rpartition("\n")[2] for command in commands)


@contextmanager
def work_in(project: Path, target: str) -> Iterator[Path]:
    """The folder that a verification of a target works in, empty and for its owner only; it is gone afterwards.

    Raises:
        SettingsError: Another verification works in it.
    """
    work = project / WORK_FOLDER / target
    work.parent.mkdir(mode=0o700, exist_ok=True)
    with (work.parent / f"{target}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(f"another verification of {target} is at work in {work}: wait for its end") from error
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def copy_project(project: Path, to: Path) -> Path:
    """Copies what dbt reads of the project: what the steps log, build and find in the copy is a verification's own."""
    for part in PARTS:
        origin, copy = project / part, to / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, copy)
        else:
            shutil.copy(origin, copy)
    return to


def own_environment() -> str:
    """The name of a verification's environment: one that only relations of verifications are in.

    It begins with that of the stack, whose roles may do nothing elsewhere (infra/lakehouse.yaml, SchemaPrefix).
    """
    return "_".join(filter(None, (os.environ.get("ENVIRONMENT"), NAME)))


def own_places(target: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Where on S3 a verification lies, and the settings that lead there: below the places that the environment names.

    Raises:
        SettingsError: There is no landing zone on S3.
    """
    zone = os.environ.get("LANDING_ZONE", "")
    if not is_s3(zone):
        raise SettingsError(
            f"LANDING_ZONE is {zone or 'not set'}: it must be on S3. `lakehouse aws up` writes a file that sets it. "
            f"On this machine: make verify TARGET={target} LOCAL=1"
        )
    own = {
        name: f"{os.environ[name].rstrip('/')}/{NAME}/{target}"
        for name in ("LANDING_ZONE", "ATHENA_S3_DATA_DIR", "ATHENA_S3_STAGING_DIR")
        if os.environ.get(name)
    }
    settings = {**own, "LANDING_ZONE": f"{own['LANDING_ZONE']}/zone", "ENVIRONMENT": own_environment()}
    return tuple(own.values()), settings


def other_schemas(dbt: DbtSession) -> list[str]:
    """The schemas that would be built in, and do not begin with the name of the verification's environment."""
    nodes = [*dbt.manifest.nodes.values(), *dbt.manifest.sources.values()]
    return sorted({node.schema for node in nodes if not node.schema.startswith(f"{os.environ['ENVIRONMENT']}_")})


def check_own_schemas(dbt: DbtSession, answered: Answered) -> None:
    """Checks that no relation would be built where those of production, or of anybody else, are.

    Raises:
        SettingsError: One would be, and it is not in an account that ends with the command.
    """
    if (others := other_schemas(dbt)) and not answered.is_local:
        raise SettingsError(
            f"a verification would build in {', '.join(others)}, where others may be: nothing was begun"
        )


def drop_relations(dbt: DbtSession) -> None:
    """Drops what an engine has of the verification's environment.

    Raises:
        DbtError: The engine refuses.
    """
    if not other_schemas(dbt):  # otherwise they are on local endpoints, and end with these
        dbt.operation("drop_environment")
