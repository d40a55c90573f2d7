"""Slim: only what changed and what depends on it is built and tested, with the verdict that a full build gives.

Shown on the mistakes of test_known_mistakes.py: six of them at once in the lane, and each by itself with ALL=1.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from dbt_project import DbtProject
from lakehouse.console import ConsoleReporter
from lakehouse.diff.difference import Verdict, build_and_test
from lakehouse.diff.nodes import Changes, Compiled, compare_projects, kind_of, label, with_dependents
from lakehouse.environment import variables
from lakehouse.pipeline.databases import close_connections
from lakehouse.pipeline.dbt_session import DbtSession
from lanes import EVERYTHING
from test_known_mistakes import MISTAKES, Mistake

BY_NAME = {mistake.name: mistake for mistake in MISTAKES}
AT_ONCE = (
    "of two recordings, any is taken",
    "a user has the level of the first event",
    "the unknown year 0 is taken for a year",
    "some who consent are lost",
    "v2 teaches a step that two people can have made",
    "age bands are published, however few share them",
)
"""In staging, intermediate, marts, trusted and curated models; some fail data tests, some unit tests, some both."""


@dataclass(frozen=True)
class Before:
    """The built project as it is, before anything is changed.

    Attributes:
        project: The project.
        manifest: What dbt reads of it.
        compiled: What its nodes compile to.
    """

    project: DbtProject
    manifest: Manifest
    compiled: Compiled


@dataclass(frozen=True)
class Compiling:
    """A copy of the project, with dbt at work in it.

    Attributes:
        dbt: The session.
        compiled: What its nodes compile to.
    """

    dbt: DbtSession
    compiled: Compiled


@contextmanager
def at_work(project: DbtProject) -> Iterator[Compiling]:
    """A session of dbt in a copy of the project, parsed and compiled."""
    with chdir(project.folder), variables({"LANDING_ZONE": str(project.zone), "DUCKDB_PATH": None}):
        dbt = DbtSession(project.folder, "duckdb", project.dataset, ConsoleReporter().console)
        dbt.parse()
        yield Compiling(dbt, dbt.compile())
        close_connections()


@pytest.fixture(scope="module")
def right(built_project: Callable[[str], DbtProject], tmp_path_factory: pytest.TempPathFactory) -> Before:
    """A copy, since dbt parses it anew."""
    project = copy_of(built_project("sample"), tmp_path_factory.mktemp("right") / "project", [])
    with at_work(project) as base:
        return Before(project, base.dbt.manifest, base.compiled)


def copy_of(right: DbtProject, folder: Path, mistakes: Sequence[Mistake]) -> DbtProject:
    """The built project with mistakes in it, which are not built yet."""
    project = DbtProject(folder, right.zone, right.dataset)
    shutil.copytree(right.folder, folder)
    for mistake in mistakes:
        mistake.make(project)
    return project


def failures_of(dbt: DbtSession, verdict: Verdict) -> dict[str, str]:
    return {label(dbt.manifest, name): status for name, status in verdict.failures.items()}


def check_both_verdicts(right: Before, tmp_path: Path, mistakes: Sequence[Mistake]) -> None:
    """A full build in place of a slim one finds the same failures, among them all that guard against the mistakes."""
    slim = copy_of(right.project, tmp_path / "slim", mistakes)
    shutil.copytree(slim.folder, tmp_path / "full")
    with at_work(slim) as head:
        changes = compare_projects(right.manifest, head.dbt.manifest, right.compiled, head.compiled)
        assert changes.for_all == ()
        reached = with_dependents(head.dbt.manifest, {c.unique_id for c in changes.nodes if c.may_change_rows})
        of_slim = failures_of(head.dbt, build_and_test(head.dbt, reached, ConsoleReporter()))
        everything = {*head.dbt.manifest.nodes, *head.dbt.manifest.unit_tests}
        assert dbts_own_selection(right.project, slim) <= {c.unique_id for c in changes.nodes}
    with at_work(DbtProject(tmp_path / "full", slim.zone, slim.dataset)) as whole:
        of_full = failures_of(whole.dbt, build_and_test(whole.dbt, everything, ConsoleReporter()))
    assert of_slim == of_full
    assert of_slim.keys() >= {guard for mistake in mistakes for guard in (*mistake.caught_by, *mistake.only_on_sample)}
    assert len(reached) < len(everything)


def dbts_own_selection(right: DbtProject, project: DbtProject) -> set[str]:
    """What dbt takes for modified."""
    state = f"--select state:modified --indirect-selection empty --state {right.folder / 'target'}"
    folders = f"--project-dir {project.folder} --profiles-dir {project.folder}"
    outcome = dbtRunner().invoke(f"ls --output json --output-keys unique_id {state} {folders}".split(), quiet=True)
    assert outcome.success, outcome.exception
    assert isinstance(outcome.result, list)
    return {str(line).split('"')[3] for line in outcome.result}


def test_six_mistakes_at_once_get_the_verdict_of_a_full_build(right: Before, tmp_path: Path) -> None:
    check_both_verdicts(right, tmp_path, [BY_NAME[name] for name in AT_ONCE])


@pytest.mark.skipif(not EVERYTHING, reason="each mistake by itself takes two builds: make test ALL=1")
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_gets_the_verdict_of_a_full_build(right: Before, tmp_path: Path, mistake: Mistake) -> None:
    check_both_verdicts(right, tmp_path, [mistake])


# ------------------------------------------------------------------------------- what dbt's own selection does not see
@pytest.fixture(scope="module")
def base(right: Before, tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """A copy that a test may change and puts back."""
    return copy_of(right.project, tmp_path_factory.mktemp("changed") / "project", [])


def changed_by(right: Before, project: DbtProject, file: str, old: str, new: str) -> tuple[Changes, DbtSession]:
    """What a change of one file is, before it is built."""
    path = project.folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        with at_work(project) as after:
            return compare_projects(right.manifest, after.dbt.manifest, right.compiled, after.compiled), after.dbt
    finally:
        path.write_text(text)


def test_nothing_changed_is_nothing(right: Before, base: DbtProject) -> None:
    changes, _ = changed_by(right, base, "dbt_project.yml", "name: lakehouse", "name: lakehouse")
    assert changes == Changes(())


def test_a_var_is_seen_in_what_compiles_to_something_else(right: Before, base: DbtProject) -> None:
    changes, dbt = changed_by(right, base, "dbt_project.yml", "minimum_group_size: 5", "minimum_group_size: 6")
    assert "age_bands_curated" in {label(dbt.manifest, change.unique_id) for change in changes.nodes}
    assert {change.parts for change in changes.nodes} == {("what it compiles to",)}


def test_a_macro_that_no_node_names_has_everything_built(right: Before, base: DbtProject) -> None:
    changes, _ = changed_by(right, base, "macros/access/apply_grants.sql", "{%- endmacro", "{# other #}{%- endmacro")
    assert changes.for_all
    assert all("grants" in reason for reason in changes.for_all)


def test_a_macro_is_a_part_of_who_calls_it(right: Before, base: DbtProject) -> None:
    changes, dbt = changed_by(right, base, "macros/cross_db/iso_weekday.sql", "{%- endmacro", "{# other #}{%- endmacro")
    assert changes.for_all == ()
    models = {label(dbt.manifest, c.unique_id): c.parts for c in changes.nodes if kind_of(c.unique_id).value == "model"}
    assert models.keys() == {"time", "dates", "plays_by_hour"}


def test_a_contract_that_is_broken_is_told_and_ends_nothing(right: Before, base: DbtProject) -> None:
    """The selection of dbt ends with an error at a column that a contract has lost."""
    changes, dbt = changed_by(
        right, base, "models/sparkify/marts/_sparkify_marts__models.yml", "data_type: integer", "data_type: bigint"
    )
    parts = {label(dbt.manifest, c.unique_id): c.parts for c in changes.nodes if "contract" in c.parts}
    assert len(parts) == 1
