"""All that the working tree changes: what differs is built on the base's database, and tested and compared."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

from lakehouse.console import ConsoleReporter, counted
from lakehouse.diff.coverage import Coverage, coverage_of
from lakehouse.diff.lint import Linted, lint
from lakehouse.diff.nodes import Changes, compare_projects, kind_of, label, with_dependents
from lakehouse.diff.personal import Mask, TagChange, known_values, tag_changes, tagged_columns
from lakehouse.diff.revision import changed_files
from lakehouse.diff.rows import RelationChange, compare_relation
from lakehouse.diff.sides import Base, Head, Side, built_nodes, dump_each
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.fingerprints import BUILT, TESTS
from lakehouse.pipeline.run_report import GOOD

UNTESTED = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
NOT_BUILT = ("error", "skipped", "fail")


@dataclass(frozen=True)
class Verdict:
    """What became of what was built and tested.

    Attributes:
        built: The status of each relation that was built, by unique id.
        tested: The status of each test, by unique id.
    """

    built: Mapping[str, str]
    tested: Mapping[str, str]

    @property
    def failures(self) -> dict[str, str]:
        """What is not as it should be, by unique id."""
        return {name: status for name, status in {**self.built, **self.tested}.items() if status not in GOOD}


@dataclass(frozen=True)
class Difference:
    """All that the working tree changes.

    Attributes:
        commit: The base.
        dataset: The name of the data that both were built of.
        base: The base's project.
        head: The working tree's.
        changes: The nodes that differ.
        reached: What was built and tested: all that differs and what depends on it, by unique id.
        verdict: What became of it.
        relations: The relations that were compared and differ.
        not_compared: Relations whose rows cannot be compared, with the reason.
        tags: Tags of personal data that differ.
        coverage: What is tested and described, in the base and now.
        linted: What linters say of the files that differ.
        mask: Says how a value may be shown.
    """

    commit: str
    dataset: str
    base: Manifest
    head: Manifest
    changes: Changes
    reached: frozenset[str]
    verdict: Verdict
    relations: tuple[RelationChange, ...]
    not_compared: Mapping[str, str]
    tags: tuple[TagChange, ...]
    coverage: tuple[Coverage, Coverage]
    linted: tuple[Linted, ...]
    mask: Mask


def find_difference(base: Base, head: Head, commit: str, *, full: bool, reporter: ConsoleReporter) -> Difference:
    """Builds both sides, the working tree's as far as it differs, and compares them.

    Raises:
        DbtError: The base cannot be built, or the working tree not be parsed or compiled.
        LandingError: The data cannot be landed.
    """
    was = base.built()
    reporter.heading("the working tree")
    with head.prepared():
        head.dbt.parse()
        manifest = head.dbt.manifest
        head.land()
        now = Side(manifest, head.compiled(), head.rows)
        changes = compare_projects(was.manifest, manifest, was.compiled, now.compiled)
        sources = sources_to_compare(manifest, changes, is_landed_alike=head.has_landed_alike())
        not_compared = dump_each(manifest, sources, now.rows, reporter)
        landed = compare_all(was, now, [*sources, *_removed(was, now, NodeType.Source)], base.folder)
        touched = {node.unique_id for node in changes.nodes if node.may_change_rows}
        touched |= _of_relations(manifest, landed)
        reached = with_dependents(manifest, touched)
        if full or changes.for_all:
            reached = {*manifest.nodes, *manifest.unit_tests}
        verdict = build_and_test(head.dbt, reached, reporter)
        built = [name for name in built_nodes(manifest) if verdict.built.get(name) in GOOD]
        not_compared |= dump_each(manifest, built, now.rows, reporter)
    removed = [*_removed(was, now, NodeType.Model), *_removed(was, now, NodeType.Snapshot)]
    compared = compare_all(was, now, [*built, *removed], base.folder)
    known = set().union(
        *(known_values(tagged_columns(side.manifest, "identifier"), side.rows.iterdir()) for side in (was, now))
    )
    return Difference(
        commit=commit,
        dataset=head.dbt.dataset,
        base=was.manifest,
        head=manifest,
        changes=changes,
        reached=frozenset(reached),
        verdict=verdict,
        relations=(*landed, *compared),
        not_compared=not_compared,
        tags=tuple(tag_changes(was.manifest, manifest)),
        coverage=(coverage_of(was.manifest), coverage_of(manifest)),
        linted=tuple(lint(head.dbt.project_dir, changed_files(head.dbt.project_dir, commit))),
        mask=Mask(was.manifest, manifest, known),
    )


def sources_to_compare(manifest: Manifest, changes: Changes, *, is_landed_alike: bool) -> list[str]:
    """The sources whose rows may be other ones: those declared otherwise; all, if what has landed is another."""
    sources = [name for name in built_nodes(manifest) if kind_of(name) is NodeType.Source]
    if changes.for_all or not is_landed_alike:
        return sources
    modified = {change.unique_id for change in changes.nodes}
    return [name for name in sources if name in modified]


def build_and_test(dbt: DbtSession, reached: Collection[str], reporter: ConsoleReporter) -> Verdict:
    """Builds relations, all of them before the first test, so that no failing test hides what comes after it."""
    relations = sorted(name for name in reached if kind_of(name) in BUILT)
    tests = sorted(name for name in reached if kind_of(name) in TESTS)
    reporter.heading(f"build {counted(len(relations), 'relation')}, test by {counted(len(tests), 'test')}")
    built = (
        dbt.attempt("build", *UNTESTED, "--full-refresh", "--select", *_selectors(dbt, relations)) if relations else {}
    )
    tested = dbt.attempt("test", "--indirect-selection", "empty", "--select", *_selectors(dbt, tests)) if tests else {}
    return Verdict(built, tested)


def compare_all(was: Side, now: Side, unique_ids: Sequence[str], work: Path) -> list[RelationChange]:
    """The relations that differ, of those that were written down."""
    found = []
    for unique_id in unique_ids:
        name = relation_name(now.manifest if _has(now.manifest, unique_id) else was.manifest, unique_id)
        if was.dump_of(name).exists() or now.dump_of(name).exists():
            change = compare_relation(was.dump_of(name), now.dump_of(name), work)
            found += [] if change.is_same else [change]
    return found


def relation_name(manifest: Manifest, unique_id: str) -> str:
    """Schema and name of a relation."""
    if unique_id in manifest.sources:
        source = manifest.sources[unique_id]
        return f"{source.schema}.{source.identifier}"
    node = manifest.nodes[unique_id]
    return f"{node.schema}.{node.alias}"


def _selectors(dbt: DbtSession, unique_ids: Sequence[str]) -> list[str]:
    return [label(dbt.manifest, unique_id) for unique_id in unique_ids]


def _removed(was: Side, now: Side, kind: NodeType) -> list[str]:
    return [name for name in built_nodes(was.manifest) if kind_of(name) is kind and not _has(now.manifest, name)]


def _has(manifest: Manifest, unique_id: str) -> bool:
    return unique_id in manifest.nodes or unique_id in manifest.sources


def _of_relations(manifest: Manifest, changes: Sequence[RelationChange]) -> set[str]:
    names = {change.name for change in changes}
    return {name for name in manifest.sources if relation_name(manifest, name) in names}
