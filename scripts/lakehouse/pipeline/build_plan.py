"""Which nodes a run builds and tests: those that are made of something else than when they last were, or passed."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from dbt.contracts.graph.manifest import Manifest

from lakehouse.console import counted
from lakehouse.landing.contents import digest
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.fingerprints import BUILT, BUILT_FROM, TESTS, Fingerprint, parents

NAMED = 3
"""How many nodes an explanation names."""


@dataclass(frozen=True)
class BuildPlan:
    """What to build.

    Attributes:
        todo: The unique ids of the nodes that are built or tested.
        kept: Those of the nodes that stay as they are.
        made_of: What each node is made of now, and each landing table.
        reasons: Why something is built although it was built before, a sentence each.
        growing: Of what is built, what takes in new records alone: since which load, epoch milliseconds, by unique id.
    """

    todo: frozenset[str]
    kept: frozenset[str]
    made_of: Mapping[str, Fingerprint]
    reasons: tuple[str, ...]
    growing: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether everything is built, and from all records."""
        return not self.kept and not self.growing

    @property
    def untouched(self) -> frozenset[str]:
        """The relations that hold nobody who must be taken out: they were built from the same records of people."""
        return self.kept | self.growing.keys()

    @property
    def code(self) -> str:
        """All code and all settings, as a number: of what no records tell, as the lineage."""
        return digest(sorted((key, made_of.settings, made_of.code) for key, made_of in self.made_of.items()))

    @property
    def everything(self) -> str:
        """All code, all settings and all records, as a number: of what every row comes from."""
        return digest(sorted((key, repr(made_of)) for key, made_of in self.made_of.items()))

    def kept_of(self, manifest: Manifest) -> tuple[int, int]:
        """How many relations stay as they are, and how many tests are not repeated."""
        nodes: dict[str, Any] = {**manifest.nodes, **manifest.unit_tests}
        relations = sum(nodes[key].resource_type in BUILT for key in self.kept)
        return relations, len(self.kept) - relations


def plan_build(
    manifest: Manifest,
    made_of: Mapping[str, Fingerprint],
    noted: Mapping[str, Fingerprint],
    growing: Mapping[str, int] | None = None,
) -> BuildPlan:
    """Compares what nodes are made of now with what is noted of their last build.

    What reads a relation that is built is built, too, and tested, whatever is noted of it.

    Args:
        manifest: The project.
        made_of: What nodes and landing tables are made of now.
        noted: What they were made of; nothing, if everything is to be built.
        growing: What needs to take in new records alone, see `growing_since`.
    """
    nodes: dict[str, Any] = {**manifest.nodes, **manifest.unit_tests}
    ours = {key for key in made_of if key in nodes}
    todo = {key for key in ours if noted.get(key) != made_of[key]}
    children: dict[str, set[str]] = {}
    for key in ours:
        for parent in parents(nodes[key]):
            children.setdefault(parent, set()).add(key)
    ready = [key for key in todo if nodes[key].resource_type in BUILT]
    while ready:
        affected = children.get(ready.pop(), set()) & ours - todo
        todo |= affected
        ready += [key for key in affected if nodes[key].resource_type in BUILT]
    grown = {key: since for key, since in (growing or {}).items() if key in todo}
    reasons = tuple(_reasons(nodes, made_of, noted, todo))
    return BuildPlan(frozenset(todo), frozenset(ours - todo), made_of, reasons, grown)


def noted_builds(dbt: DbtSession) -> dict[str, Fingerprint]:
    """What the database knows of the last build of each node, as far as its relation is still there.

    Raises:
        DbtError: It cannot be asked.
    """
    (rows,) = dbt.ask("tell_built_with")
    return {key: Fingerprint(*made_of) for key, *made_of in cast("list[list[str]]", rows)}


def note_builds(dbt: DbtSession, plan: BuildPlan, done: Collection[str]) -> None:
    """Notes what nodes were built with.

    Args:
        dbt: The session.
        plan: The plan of the build.
        done: The unique ids of what was built, or has passed.

    Raises:
        DbtError: It cannot be noted.
    """
    tables = plan.made_of.keys() - plan.todo - plan.kept
    rows = [{"node": key, **asdict(plan.made_of[key])} for key in sorted({*done, *tables}) if key in plan.made_of]
    dbt.operation("record_built_with", rows=rows, others=sorted(plan.todo.difference(done)))


def _reasons(
    nodes: Mapping[str, Any],
    made_of: Mapping[str, Fingerprint],
    noted: Mapping[str, Fingerprint],
    todo: Collection[str],
) -> Iterator[str]:
    known = {key: noted[key] for key in made_of.keys() & noted.keys()}
    if any(made_of[key].settings != was.settings for key, was in known.items()):
        yield "macros, settings or versions are others than in the last build: everything is built"
        return
    recoded = {key for key, was in known.items() if made_of[key].code != was.code}
    changed = [key for key in recoded if not recoded.intersection(parents(nodes[key]) if key in nodes else ())]
    if changed:
        yield f"other code than in the last build: {_named(changed)}"
    fed = {key for key, was in known.items() if key not in nodes and made_of[key].inputs != was.inputs}
    if fed - {BUILT_FROM}:
        yield f"other records than in the last build: {_named(fed - {BUILT_FROM})}"
    if BUILT_FROM in fed:
        yield "the data set has another name, or its counts are known now, or are not any more"
    lost = [key for key in todo if key not in noted and nodes[key].resource_type not in TESTS]
    if known and lost:
        yield f"not as a run has left it: {_named(lost)}"


def _named(keys: Collection[str]) -> str:
    names = sorted(key.split(".", 2)[2] for key in keys)
    rest = f", and {counted(len(names) - NAMED, 'other')}" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
