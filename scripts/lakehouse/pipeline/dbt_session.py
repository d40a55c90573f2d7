"""Several dbt commands in one process: dbt's start costs seconds, which a pipeline need not pay at every step."""

import json
import logging
import os
import secrets
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.freshness import FreshnessResult, SourceFreshnessResult
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lakehouse.ending import is_stopping
from lakehouse.environment import variables
from lakehouse.errors import BuildError, DbtError
from lakehouse.pipeline.aws_clients import share_descriptions
from lakehouse.pipeline.run_report import GOOD, Tell, nobody

Listener = Callable[[Any], None]
"""Is told each of dbt's events, whose fields dbt makes at run time."""

log = logging.getLogger(__name__)
ANSWER = "answer: "
DATASET_VARIABLE = "LAKEHOUSE_DATASET"
RUN_VARIABLE = "LAKEHOUSE_RUN"
GROWING_VARIABLE = "LAKEHOUSE_GROWING"
TESTS = ("test", "unit_test")
NO_JSON = "--no-write-json"
"""Of a command whose manifest nobody reads: a build writes it, and writing takes a second."""
NO_OP = "no-op"
"""The status of what dbt lists and does not run: exposures."""


@dataclass
class DbtSession:
    """Runs dbt commands one after the other for one target and one data set.

    Only what goes wrong is printed; everything is in dbt's log.
    """

    project_dir: Path
    target: str
    dataset: str
    console: Console
    work_dir: Path | None = None
    """Where dbt keeps its log and what it makes; the project's folder by default."""
    has_known_counts: bool = True
    """Whether the known counts and answers of the data set still hold: not once people were erased from it."""
    run_id: str = field(default_factory=lambda: os.environ.get(RUN_VARIABLE) or secrets.token_hex(8))
    """What all that dbt does here has in common in the engine's records of its queries: macros/query_comment.sql."""
    tell: Tell = nobody
    """Who is told what was built, and how fresh the sources are."""
    asking: Callable[[], AbstractContextManager[None]] = nullcontext
    """Holds for as long as dbt may ask the engine."""
    _manifest: Manifest | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Prepares what dbt's adapters share."""
        if self.target == "athena":
            share_descriptions()

    def parse(self) -> None:
        """Reads the project, once for all the commands that follow.

        dbt begins with what it read the last time. Where a macro and its description have gone since, it misses the
        macro that is described: so what cannot be read is read again from nothing, before that is said.

        Raises:
            DbtError: The project is not valid.
        """
        failure = "the project cannot be parsed"
        try:
            outcome = self._invoke(["parse", NO_JSON, "--log-level=none"], failure)
        except DbtError:
            outcome = self._invoke(["parse", NO_JSON, "--no-partial-parse"], failure)
        if not isinstance(outcome, Manifest):
            raise DbtError(f"dbt parse gave {type(outcome).__name__}, not a manifest")
        self._manifest = outcome

    @property
    def manifest(self) -> Manifest:
        """The project as `parse` read it.

        Raises:
            DbtError: It has not been parsed.
        """
        if self._manifest is None:
            raise DbtError("the project has not been parsed")
        return self._manifest

    def operation(self, macro: str, **arguments: object) -> None:
        """Runs a macro of the project as an operation; what the macro prints is printed.

        Raises:
            DbtError: The macro failed.
        """
        options = ["--args", json.dumps(arguments), NO_JSON]
        self._invoke(["run-operation", macro, *options], f"the operation {macro} failed")

    def register(self, zone_id: str = "", *, anew: bool = False) -> None:
        """Makes the landing zone that LANDING_ZONE names visible to the engine, under the data set's name.

        Args:
            zone_id: The zone's own; without it zones are told apart by their places.
            anew: Whether to copy again what the engine has copied before, where it copies.

        Raises:
            DbtError: It is not the zone that the database was built from, or a table cannot be registered.
        """
        self.operation(
            "register_landing",
            zone_id=zone_id,
            dataset=self.dataset,
            has_known_counts=self.has_known_counts,
            anew=anew,
        )

    def working_in(self, work_dir: Path) -> "DbtSession":
        """The same session with another working folder; the project is not parsed again."""
        session = replace(self, work_dir=work_dir)
        session._manifest = self._manifest
        return session

    def ask(self, macro: str, **arguments: object) -> list[object]:
        """Runs a macro of the project that answers by `log('answer: ' ~ tojson(…))`, and gives its answers.

        Raises:
            DbtError: The macro failed.
        """
        answers: list[object] = []

        def listen(event: Any) -> None:  # noqa: ANN401 - see Listener
            if event.info.name == "JinjaLogDebug" and event.data.msg.startswith(ANSWER):
                answers.append(json.loads(event.data.msg.removeprefix(ANSWER)))

        options = ["--args", json.dumps(arguments), NO_JSON]
        self._invoke(["run-operation", macro, *options], f"the operation {macro} failed", listen)
        return answers

    def freshness(self) -> None:
        """Tells of every source to which nothing new came for longer than it declares.

        Raises:
            DbtError: A source is too old to build on (`error_after`), or its age cannot be found out.
        """
        outcome = self._run(["source", "freshness", NO_JSON], "the sources' age cannot be found out")
        found: Sequence[object] = outcome.result.results if isinstance(outcome.result, FreshnessResult) else ()
        aged = [result for result in found if isinstance(result, SourceFreshnessResult)]  # there are hooks among them
        for result in aged:
            source, last_landed_at = f"{result.node.source_name}.{result.node.name}", result.max_loaded_at.isoformat()
            self.tell("source_aged", source=source, status=str(result.status), last_landed_at=last_landed_at)
        stale = [result for result in aged if result.status != "pass"]
        for result in stale:
            name = f"{result.node.source_name}.{result.node.name}"
            when = result.max_loaded_at
            last = f"nothing new came since {when:%Y-%m-%d %H:%M} UTC" if when.year > 1 else "nothing ever came"
            self.console.print(f"{result.status}: {name} is stale: {last}", highlight=False, soft_wrap=True)
        self.console.print(f"{len(aged) - len(stale)} of {len(aged)} sources are fresh", highlight=False)
        if not outcome.success:
            raise DbtError("a source is older than it may be; nothing was built on it")

    def run_models(self, select: Sequence[str] = ()) -> list[str]:
        """Builds models and snapshots without testing them; gives their unique ids.

        Args:
            select: dbt's selection; everything without one.

        Raises:
            DbtError: A model failed; dbt's own message has been printed.
        """
        selection = ["--select", *select] if select else []
        kinds = ["--resource-type", "model", "--resource-type", "snapshot"]
        failure = "the models cannot be built; what failed, and why, is said above"
        outcome = self._invoke(["build", *kinds, *selection], failure)
        results = outcome.results if isinstance(outcome, RunExecutionResult) else []
        return [r.node.unique_id for r in results if r.node.resource_type in (NodeType.Model, NodeType.Snapshot)]

    def build(
        self, only: Collection[str] | None = None, kept: str = "", growing: Mapping[str, int] | None = None
    ) -> frozenset[str]:
        """Builds and tests, with a bar on a terminal and a line a relation elsewhere.

        Args:
            only: The unique ids of what is built and tested; everything without it.
            kept: What is said of the rest.
            growing: What takes in new records alone: since which load, epoch milliseconds, by unique id.

        Returns:
            The unique ids of what was built, and of the tests that passed.

        Raises:
            BuildError: A model or a test failed; dbt's own message has been printed.
        """
        started = time.monotonic()
        done: dict[str, str] = {}
        unfinished: dict[str, str] = {}
        with self._progress(None if only is None else len(only)) as show:

            def listen(event: Any) -> None:  # noqa: ANN401 - see Listener
                if event.info.name == "NodeFinished" and event.data.node_info.node_status != NO_OP:
                    node = event.data.node_info
                    show(node)
                    self._tell_of(event.data)
                    if node.node_status in GOOD:
                        done[node.unique_id] = "tests" if node.resource_type in TESTS else "relations"
                    else:
                        unfinished[node.unique_id] = node.node_status

            try:
                selection = [] if only is None else self._selection(only)
                failure = "the build failed; what failed, and why, is said above"
                with variables({GROWING_VARIABLE: json.dumps(growing or {})}):  # read in macros/increments
                    self._invoke(["build", *selection], failure, listen)
            except DbtError as error:
                # what failed without a node was a hook, of which nobody knows what it was to do for which node
                raise BuildError(str(error), unfinished, frozenset(done if unfinished else ())) from error
        seconds, number = time.monotonic() - started, Counter(done.values())
        summary = f"{number['relations']} relations built, {number['tests']} tests passed, {seconds:.1f} s{kept}"
        self.console.print(summary, highlight=False, soft_wrap=True)
        return frozenset(done)

    def _selection(self, only: Collection[str]) -> list[str]:
        """Has dbt select these nodes alone; unit tests of a version are selected without it."""
        nodes: dict[str, Any] = {**self.manifest.nodes, **self.manifest.unit_tests}
        names = sorted(
            nodes[key].name + (f".v{nodes[key].version}" if _has_version(nodes[key]) else "") for key in only
        )
        return ["--indirect-selection", "empty", "--select", *names]

    def test(self, *select: str) -> dict[str, str]:
        """Runs tests, and gives the status of each by its unique id.

        Args:
            select: dbt's selection.

        Raises:
            DbtError: They cannot be run; one that fails is not that.
        """
        outcome = self._run(["test", "--select", *select], "the tests cannot be run")
        results = outcome.result.results if isinstance(outcome.result, RunExecutionResult) else []
        return {r.node.unique_id: str(r.status) for r in results if r.node.resource_type is NodeType.Test}

    def compile(self, *select: str) -> dict[str, str]:
        """Compiles models and tests, and gives the SQL of each by its unique id.

        Args:
            select: dbt's selection; everything without one.

        Raises:
            DbtError: Something cannot be compiled.
        """
        selection = ["--select", *select] if select else []
        outcome = self._invoke(["compile", *selection], "the project cannot be compiled")
        results = outcome.results if isinstance(outcome, RunExecutionResult) else []
        return {r.node.unique_id: r.node.compiled_code or "" for r in results if hasattr(r.node, "compiled_code")}

    def attempt(self, command: str, *options: str) -> dict[str, str]:
        """Runs `build` or `test`, shows what is finished, and gives the status of each node by its unique id.

        Args:
            command: The command's name.
            options: Its options: a selection, kinds of nodes.

        Raises:
            DbtError: It cannot be run at all; a node that fails is not that.
        """
        statuses: dict[str, str] = {}
        with self._progress() as show:

            def listen(event: Any) -> None:  # noqa: ANN401 - see Listener
                if event.info.name == "NodeFinished" and event.data.node_info.node_status != NO_OP:
                    show(event.data.node_info)

            outcome = self._run([command, *options], f"dbt cannot {command}", listen)
        if not isinstance(outcome.result, RunExecutionResult):
            raise DbtError(f"dbt cannot {command}; why is said above")
        for result in outcome.result.results:
            if result.status == NO_OP:
                continue
            if result.node.resource_type is not NodeType.Operation:
                statuses[result.node.unique_id] = str(result.status)
            elif result.status not in GOOD:
                raise DbtError(f"the hook {result.node.name} failed; why is said above")
        return statuses

    def docs(self, *, is_built: bool = False) -> Path:
        """Builds the docs and lineage site as one page, and gives its path.

        Args:
            is_built: Whether this session has built everything, and so compiled all but analyses: that takes seconds.

        Raises:
            DbtError: The site cannot be built.
        """
        with warnings.catch_warnings():
            # dbt-adapters names it to agate on every engine, and dbt-athena's catalogue has no such column
            warnings.filterwarnings("ignore", '"table_owner" does not match the name', RuntimeWarning)
            if is_built and any(node.resource_type is NodeType.Analysis for node in self.manifest.nodes.values()):
                self._invoke(["compile", "--select", "resource_type:analysis"], "an analysis cannot be compiled")
            options = ["--no-compile"] if is_built else []
            self._invoke(["docs", "generate", "--static", *options], "the docs site cannot be built")
        return self.project_dir / "target" / "static_index.html"

    def _tell_of(self, finished: Any) -> None:  # noqa: ANN401 - see Listener
        node, result = finished.node_info, finished.run_result
        self.tell(
            "node_finished",
            name=node.node_name,
            relation=f"{node.node_relation.schema}.{node.node_relation.alias}",
            kind=node.resource_type,
            status=node.node_status,
            seconds=round(result.execution_time, 3),
        )

    @contextmanager
    def _progress(self, total: int | None = None) -> Iterator[Listener]:
        """Shows each node that is finished; the block calls what it gets with dbt's description of it."""
        if not self.console.is_terminal:
            yield self._print_relation
            return
        columns = (TextColumn("dbt build"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task("build", total=self._node_count() if total is None else total)
            yield lambda _node: bar.advance(task)

    def _print_relation(self, node: Any) -> None:  # noqa: ANN401 - see Listener
        if node.resource_type not in TESTS:
            what = "built" if node.node_status in GOOD else node.node_status
            self.console.print(f"  {what} {node.node_relation.schema}.{node.node_relation.alias}", highlight=False)

    def _node_count(self) -> int | None:
        if self._manifest is None:
            return None
        nodes = [node for node in self._manifest.nodes.values() if node.resource_type is not NodeType.Operation]
        return len(nodes) + len(self._manifest.unit_tests)

    def _invoke(self, command: list[str], failure: str, listener: Listener | None = None) -> object:
        outcome = self._run(command, failure, listener)
        if not outcome.success:
            raise DbtError(failure)
        return outcome.result

    def _run(self, command: list[str], failure: str, listener: Listener | None = None) -> dbtRunnerResult:
        """Runs a command, and gives its outcome, which may be that something failed."""
        settings: dict[str, object] = {
            "project_dir": str(self.project_dir),
            "profiles_dir": str(self.project_dir),
            "quiet": True,
            "use_colors": self.console.is_terminal,
        }
        if self.target != os.environ.get(
            "DBT_TARGET", "duckdb"
        ):  # named without need, it would cost a parse of everything
            settings["target"] = self.target
        if self.work_dir is not None:
            settings |= {"target_path": str(self.work_dir / "target"), "log_path": str(self.work_dir / "logs")}
        started = time.monotonic()
        with variables({DATASET_VARIABLE: self.dataset, RUN_VARIABLE: self.run_id}), self.asking():  # dbt reads them
            outcome = dbtRunner(self._manifest, [listener] if listener else []).invoke(command, **settings)
        what = " ".join(command[:2])  # not its arguments, which may be an address
        log.debug("dbt %s on %s: %.1f s, success %s", what, self.target, time.monotonic() - started, outcome.success)
        if is_stopping():  # some of dbt's commands make an ordinary failure of it
            raise KeyboardInterrupt
        if isinstance(outcome.exception, Exception):
            raise DbtError(f"{failure}; why is said above") from outcome.exception
        if outcome.exception is not None:  # dbt hands Ctrl-C back as a result
            raise outcome.exception
        return outcome


def _has_version(node: Any) -> bool:  # noqa: ANN401 - dbt has a class for each kind
    return node.resource_type is NodeType.Model and node.version is not None
