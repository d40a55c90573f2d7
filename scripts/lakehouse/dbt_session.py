"""Several dbt commands in one process: dbt's start costs seconds, which a pipeline need not pay at every step."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lakehouse.errors import BuildError, DbtError

Listener = Callable[[Any], None]
"""Is told each of dbt's events, whose fields dbt makes at run time."""

TESTS = ("test", "unit_test")
GOOD = ("success", "pass")


@dataclass
class DbtSession:
    """Runs dbt commands one after the other for one target and one data set.

    Only what goes wrong is printed; everything is in dbt's log.
    """

    project_dir: Path
    target: str
    dataset: str
    console: Console
    _manifest: Manifest | None = field(default=None, init=False)

    def parse(self) -> None:
        """Reads the project, once for all the commands that follow.

        Raises:
            DbtError: The project is not valid.
        """
        outcome = self._invoke(["parse"], "the project cannot be parsed")
        if not isinstance(outcome, Manifest):
            raise DbtError(f"dbt parse gave {type(outcome).__name__}, not a manifest")
        self._manifest = outcome

    def operation(self, macro: str, **arguments: object) -> None:
        """Runs a macro of the project as an operation; what the macro prints is printed.

        Raises:
            DbtError: The macro failed.
        """
        options = ["--args", json.dumps(arguments)]
        self._invoke(["run-operation", macro, *options], f"the operation {macro} failed")

    def build(self) -> None:
        """Builds and tests everything, with a bar on a terminal and a line a relation elsewhere.

        Raises:
            BuildError: A model or a test failed; dbt's own message has been printed.
        """
        started = time.monotonic()
        done: Counter[str] = Counter()
        unfinished: dict[str, str] = {}
        with self._progress() as show:

            def listen(event: Any) -> None:  # noqa: ANN401 - see Listener
                if event.info.name == "NodeFinished":
                    node = event.data.node_info
                    show(node)
                    if node.node_status in GOOD:
                        done["tests" if node.resource_type in TESTS else "relations"] += 1
                    else:
                        unfinished[node.unique_id] = node.node_status

            try:
                self._invoke(["build"], "the build failed; what failed, and why, is said above", listen)
            except DbtError as error:
                raise BuildError(str(error), unfinished) from error
        seconds = time.monotonic() - started
        summary = f"{done['relations']} relations built, {done['tests']} tests passed, {seconds:.1f} s"
        self.console.print(summary, highlight=False)

    def docs(self) -> Path:
        """Builds the docs and lineage site as one page, and gives its path.

        Raises:
            DbtError: The site cannot be built.
        """
        self._invoke(["docs", "generate", "--static"], "the docs site cannot be built")
        return self.project_dir / "target" / "static_index.html"

    @contextmanager
    def _progress(self) -> Iterator[Listener]:
        """Shows each node that is finished; the block calls what it gets with dbt's description of it."""
        if not self.console.is_terminal:
            yield self._print_relation
            return
        columns = (TextColumn("dbt build"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task("build", total=self._node_count())
            yield lambda _node: bar.advance(task)

    def _print_relation(self, node: Any) -> None:  # noqa: ANN401 - see Listener
        if node.resource_type not in TESTS:
            what = "built" if node.node_status in GOOD else node.node_status
            self.console.print(f"  {what} {node.node_relation.schema}.{node.node_relation.alias}", highlight=False)

    def _node_count(self) -> int | None:
        return None if self._manifest is None else len(self._manifest.nodes) + len(self._manifest.unit_tests)

    def _invoke(self, command: list[str], failure: str, listener: Listener | None = None) -> object:
        settings = {
            "project_dir": str(self.project_dir),
            "profiles_dir": str(self.project_dir),
            "target": self.target,
            "quiet": True,
            "use_colors": self.console.is_terminal,
            "vars": {"dataset": self.dataset},
        }
        outcome = dbtRunner(self._manifest, [listener] if listener else []).invoke(command, **settings)
        if isinstance(outcome.exception, Exception):
            raise DbtError(f"{failure}: {outcome.exception}") from outcome.exception
        if outcome.exception is not None:  # dbt hands Ctrl-C back as a result
            raise outcome.exception
        if not outcome.success:
            raise DbtError(failure)
        return outcome.result
