"""dbt for the tests: a copy of the project that a test may change, with a landing zone and a database of its own."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.run import RunExecutionResult, RunResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.nodes import ResultNode, UnitTestNode
from dbt_common.events.base_types import EventMsg

from lakehouse.environment import variables
from real_data import PROJECT_DIR

PARTS = ("models", "macros", "seeds", "snapshots", "tests/dbt", "dbt_project.yml", "infra/prices.yml")


class ParsedProject:
    """The project as dbt parsed it for DuckDB, once for all copies: of a copy it reads only what is otherwise there."""

    folder: Path | None = None
    """Where it is parsed when the first copy is made; without one, every copy is parsed by itself."""

    @classmethod
    def give_to(cls, project: Path) -> None:
        """Lets a copy begin with it."""
        if cls.folder is None:
            return
        file = cls.folder / "target/partial_parse.msgpack"
        with locked(cls.folder.with_suffix(".lock")):
            if not file.exists():
                copy_dbt_files(cls.folder)
                DbtProject(cls.folder, cls.folder / "zone", "nobody's").dbt("parse")
        copy = project / "target" / file.name
        copy.parent.mkdir(mode=0o700)
        shutil.copyfile(file, copy)
        copy.chmod(0o600)


def copy_project(folder: Path, *more: str) -> Path:
    """Copies the project's dbt files and a profile into a folder, and more of its parts; gives the folder."""
    copy_dbt_files(folder)
    copy_parts(folder, *more)
    ParsedProject.give_to(folder)
    return folder


def copy_dbt_files(folder: Path) -> None:
    """Copies the project's dbt files and a profile into a folder."""
    copy_parts(folder, *PARTS)
    shutil.copy(PROJECT_DIR / "profiles.example.yml", folder / "profiles.yml")


def copy_parts(folder: Path, *parts: str) -> None:
    """Copies files and folders of the project to where they are in a copy of it."""
    for part in parts:
        origin, copy = PROJECT_DIR / part, folder / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, copy)
        else:
            shutil.copy(origin, copy)


UNTESTED = "DBT_EXCLUDE_RESOURCE_TYPES"
"""Of a command's environment. Unit tests say the same whatever is built, so most commands are spared them."""
ALL_TESTS = "test unit_test"
"""As its value: a command builds without tests, where they pass before or after it."""


def remove_unit_tests(project: Path) -> None:
    """Makes the builds of a copied project quicker, where unit tests have nothing to say."""
    for unit_tests in (project / "models").rglob("*__unit_tests.yml"):
        unit_tests.unlink()


@dataclass(frozen=True)
class DbtProject:
    """A copy of the project on DuckDB.

    Attributes:
        folder: Where the copy is.
        zone: The landing zone that it reads.
        dataset: The name of the data in it.
    """

    folder: Path
    zone: Path
    dataset: str

    @classmethod
    def copy(cls, folder: Path, zone: Path, dataset: str) -> "DbtProject":
        """Copies the project's dbt files into a folder."""
        return cls(copy_project(folder), zone, dataset)

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / "lakehouse.duckdb"

    def dbt(self, *command: str, hear: Callable[[EventMsg], None] | None = None) -> dict[str, str]:
        """Runs a dbt command, quietly, and gives the status of every node that it ran, by name.

        A data test's name is dbt's, a unit test's is its own. Hooks are named only if they fail. `hear` is told every
        event.

        Raises:
            RuntimeError: dbt could not run the command at all; a test or a model that fails is not that.
        """
        # the database's path as the profile has it: with another one, dbt would parse everything anew
        with chdir(self.folder), variables({"LANDING_ZONE": str(self.zone), "DUCKDB_PATH": None}):
            outcome = dbtRunner(callbacks=[event for event in (hear,) if event]).invoke(
                list(command),
                project_dir=str(self.folder),
                profiles_dir=str(self.folder),
                log_path=str(self.folder / "logs"),
                quiet=True,
                log_level="none",
            )
            # dbt-duckdb would keep the file open for the next command; a test may put another file in its place
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        if outcome.exception is not None:
            raise RuntimeError(f"dbt {' '.join(command)}: {outcome.exception}") from outcome.exception
        results = outcome.result.results if isinstance(outcome.result, RunExecutionResult) else []
        return {
            name_of(result.node): str(result.status)
            for result in results
            if isinstance(result, RunResult)
            if result.node.resource_type is not NodeType.Operation or result.status != "success"
            if result.status != "no-op"  # exposures
        }

    def register(self, *, anew: bool = False) -> dict[str, str]:
        """Registers the landing zone under the data set's name; gives what `dbt` gives."""
        told = json.dumps({"dataset": self.dataset, "anew": anew})
        return self.dbt("run-operation", "register_landing", "--args", told)

    def refusal_to_register(self) -> str:
        """What is said where the landing zone cannot be registered."""
        said: list[str] = []
        self.dbt("run-operation", "register_landing", hear=lambda event: said.append(str(event.info)))
        return "\n".join(said)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        """Asks the database."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def rows(self, relation: str) -> int:
        """Counts a relation's rows."""
        return int(str(self.query(f"select count(*) from {relation}")[0][0]))  # noqa: S608 - the tests' own names


def name_of(node: ResultNode) -> str:
    """A node's name as it is selected by; dbt adds the version of the model to a unit test's."""
    return re.sub(r"_v\d+$", "", node.name) if isinstance(node, UnitTestNode) else str(node.name)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock that only one worker can have."""
    with path.open("w") as file:
        flock(file, LOCK_EX)
        try:
            yield
        finally:
            flock(file, LOCK_UN)
