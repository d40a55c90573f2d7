"""How much of a project is tested and described."""

from dataclasses import dataclass

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode, ModelNode

KEY_TESTS = ("unique", "unique_combination")


@dataclass(frozen=True)
class Coverage:
    """What of a project's models is tested and described.

    Attributes:
        models: How many there are.
        with_key: How many have a test of their key.
        with_unit_test: How many have a unit test.
        columns: How many columns the YAML names.
        described: How many of them have a description.
        data_tests: How many tests of data there are.
        unit_tests: How many unit tests.
        gaps: What lacks a test of its key or a description, in words.
    """

    models: int
    with_key: int
    with_unit_test: int
    columns: int
    described: int
    data_tests: int
    unit_tests: int
    gaps: frozenset[str]


def coverage_of(manifest: Manifest) -> Coverage:
    """Counts what is tested and described."""
    models = {unique_id: node for unique_id, node in manifest.nodes.items() if isinstance(node, ModelNode)}
    keyed = {
        node.attached_node
        for node in manifest.nodes.values()
        if isinstance(node, GenericTestNode) and node.test_metadata.name in KEY_TESTS
    }
    unit_tested = {parent for test in manifest.unit_tests.values() for parent in test.depends_on.nodes}
    columns = [(node.alias, column) for node in models.values() for column in node.columns.values()]
    gaps = {f"{node.alias} has no test of its key" for unique_id, node in models.items() if unique_id not in keyed}
    gaps |= {f"{node.alias} is not described" for node in models.values() if not node.description}
    gaps |= {f"{relation}.{column.name} is not described" for relation, column in columns if not column.description}
    return Coverage(
        models=len(models),
        with_key=len(models.keys() & keyed),
        with_unit_test=len(models.keys() & unit_tested),
        columns=len(columns),
        described=sum(bool(column.description) for _relation, column in columns),
        data_tests=sum(node.resource_type is NodeType.Test for node in manifest.nodes.values()),
        unit_tests=len(manifest.unit_tests),
        gaps=frozenset(gaps),
    )
