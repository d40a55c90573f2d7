"""The rows of a model, as the engine gives them that dbt has asked last."""

from collections.abc import Iterator, Sequence

from dbt.adapters.factory import get_adapter_by_type
from dbt.contracts.graph.nodes import ModelNode

from lakehouse.pipeline.dbt_session import DbtSession

_ROWS_AT_ONCE = 10_000


def rows_of(dbt: DbtSession, model: ModelNode, columns: Sequence[str]) -> Iterator[Sequence[object]]:
    """Reads columns of a model's relation through dbt's own adapter, in whichever order the engine gives the rows."""
    adapter = get_adapter_by_type(dbt.target)  # type: ignore[no-untyped-call]
    relation = adapter.Relation.create(model.database, model.schema, model.alias)
    with adapter.connection_named("rows"):
        _, cursor = adapter.connections.add_query(f"select {', '.join(columns)} from {relation}")  # noqa: S608 - our names
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield from rows
