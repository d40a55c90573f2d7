"""Which nodes of the project are other ones than in the base, in which part, and what depends on them.

The parts are those of dbt's `state:modified`, compared by dbt's own methods. dbt's selector itself ends with an error
at a contract that is broken, which is what a reviewer should read of, and it does not see vars, the graph that a macro
reads, nor tags: so what a node compiles to is compared, too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode, ParsedNode

from lakehouse.pipeline.fingerprints import BUILT, TESTS

DESCRIPTION, TAGS = "description", "tags"
_CHANGE_NO_ROW = {DESCRIPTION, TAGS}
Node = Any
"""A node of dbt's, whose many classes share what is asked of them here, but no type that says so."""
Compiled = Mapping[str, str]
"""The SQL that nodes compile to, by unique id; a landing zone's place is left out of it."""


@dataclass(frozen=True)
class NodeChange:
    """A node that is another one than in the base.

    Attributes:
        unique_id: dbt's.
        kind: "added", "removed" or "modified".
        parts: What of it was modified, in words.
    """

    unique_id: str
    kind: str
    parts: tuple[str, ...] = ()

    @property
    def may_change_rows(self) -> bool:
        """Whether it, and what depends on it, must be built to know its rows."""
        return self.kind == "added" or (self.kind == "modified" and not _CHANGE_NO_ROW.issuperset(self.parts))


@dataclass(frozen=True)
class Changes:
    """What of a project is otherwise than in the base.

    Attributes:
        nodes: The nodes that differ.
        for_all: Why any node may be built otherwise, in words; none where none may.
    """

    nodes: tuple[NodeChange, ...]
    for_all: tuple[str, ...] = ()


def compare_projects(base: Manifest, head: Manifest, was: Compiled, now: Compiled) -> Changes:
    """Compares two projects, as parsed and compiled for the same engine."""
    before_all, now_all, macros = _all_nodes(base), _all_nodes(head), _changed_macros(base, head)
    reached: set[str] = set()
    nodes = [NodeChange(unique_id, "removed") for unique_id in sorted(before_all.keys() - now_all.keys())]
    for unique_id, node in sorted(now_all.items()):
        of_node = _reachable(node, base, head) & macros
        reached |= of_node
        before = before_all.get(unique_id)
        if before is None:
            nodes.append(NodeChange(unique_id, "added"))
            continue
        parts = [*_parts(before, node), *(f"macro {macro.rpartition('.')[2]}" for macro in sorted(of_node))]
        if not {*parts} - _CHANGE_NO_ROW and was.get(unique_id) != now.get(unique_id):
            parts.append("what it compiles to")
        if parts:
            nodes.append(NodeChange(unique_id, "modified", tuple(parts)))
    # materialisations, grants and hooks take part in every build, and are named by no node
    unnamed = sorted(macro.rpartition(".")[2] for macro in macros - reached)
    return Changes(tuple(nodes), tuple(f"macro {name}" for name in unnamed) + _changed_hooks(base, head))


def with_dependents(head: Manifest, unique_ids: Iterable[str]) -> set[str]:
    """Nodes, and all that depends on them, tests included."""
    head.build_parent_and_child_maps()  # type: ignore[no-untyped-call]
    found, next_ones = set[str](), list(unique_ids)
    while next_ones:
        unique_id = next_ones.pop()
        if unique_id not in found:
            found.add(unique_id)
            next_ones += head.child_map.get(unique_id, [])
    return found


def kind_of(unique_id: str) -> NodeType:
    """What a node is."""
    return NodeType(unique_id.partition(".")[0])


def label(manifest: Manifest, unique_id: str) -> str:
    """A node's name as dbt selects it by."""
    node = _all_nodes(manifest)[unique_id]
    if kind_of(unique_id) is NodeType.Source:
        return f"{node.source_name}.{node.name}"
    return f"{node.name}.v{node.version}" if isinstance(node, ModelNode) and node.version else str(node.name)


def _all_nodes(manifest: Manifest) -> dict[str, Node]:
    return {
        unique_id: node
        for unique_id, node in {**manifest.nodes, **manifest.sources, **manifest.unit_tests}.items()
        if kind_of(unique_id) in (*BUILT, *TESTS, NodeType.Source)
    }


def _parts(before: Node, node: Node) -> Iterator[str]:
    """The parts in which two nodes of one id differ."""
    kind = kind_of(node.unique_id)
    if kind is NodeType.Unit:
        if not node.same_contents(before):
            yield "unit test"
        return
    if kind is NodeType.Source:
        if not node.same_contents(before) or node.meta != before.meta or _types(node) != _types(before):
            yield "declaration"
    else:
        yield from _parts_of_parsed(before, node)
    if (node.description, _descriptions(node)) != (before.description, _descriptions(before)):
        yield DESCRIPTION
    if _tags(node) != _tags(before):
        yield TAGS


def _parts_of_parsed(before: ParsedNode, node: ParsedNode) -> Iterator[str]:
    if not node.same_body(before):
        yield "body"
    if not node.same_config(before):
        keys = {*node.unrendered_config, *before.unrendered_config}
        changed = sorted(key for key in keys if node.unrendered_config.get(key) != before.unrendered_config.get(key))
        yield f"config {', '.join(changed)}".strip()
    if not node.same_database_representation(before):
        yield "relation"
    if not node.same_fqn(before):
        yield "folder"
    if isinstance(node, ModelNode) and isinstance(before, ModelNode):
        if (node.contract.enforced, node.contract.checksum) != (before.contract.enforced, before.contract.checksum):
            yield "contract"
        if not node.same_ref_representation(before):
            yield "access or version"


def _descriptions(node: Node) -> dict[str, str]:
    return {name: column.description for name, column in node.columns.items()}


def _tags(node: Node) -> dict[str, object]:
    return {name: (column.config.meta, column.config.tags) for name, column in node.columns.items()}


def _types(node: Node) -> dict[str, object]:
    return {name: column.data_type for name, column in node.columns.items()}


def _changed_macros(base: Manifest, head: Manifest) -> set[str]:
    """The macros of the project that are other ones, appear, or are gone."""
    was = {name: macro.macro_sql for name, macro in base.macros.items()}
    now = {name: macro.macro_sql for name, macro in head.macros.items()}
    return {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}


def _reachable(node: Node, *manifests: Manifest) -> set[str]:
    """The macros that a node calls, and those that they call, in any of the projects."""
    found, next_ones = set[str](), list(getattr(node, "depends_on_macros", None) or [])
    while next_ones:
        name = next_ones.pop()
        if name not in found:
            found.add(name)
            for manifest in manifests:
                if name in manifest.macros:
                    next_ones += manifest.macros[name].depends_on.macros
    return found


def _changed_hooks(base: Manifest, head: Manifest) -> tuple[str, ...]:
    was, now = (
        {node.raw_code for node in m.nodes.values() if node.resource_type is NodeType.Operation} for m in (base, head)
    )
    return tuple(f"hook {code}" for code in sorted(was ^ now))
