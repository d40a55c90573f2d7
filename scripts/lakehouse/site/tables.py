"""The report's tables: the rows of dbt models, as every engine gives them, in types that can be drawn."""

import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dbt.adapters.factory import get_adapter_by_type
from dbt.contracts.graph.nodes import ModelNode

from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.relation_rows import rows_of

Value = str | int | float | bool | None
"""What a table holds; a day, or a time, is a text in ISO 8601."""
Row = dict[str, Value]


@dataclass(frozen=True)
class Table:
    """A relation's rows.

    Attributes:
        relation: Schema and name, as a query has them.
        columns: The names of the columns, in their order.
        rows: Each by the names of its columns, in the order of the first columns' values.
    """

    relation: str
    columns: Sequence[str]
    rows: list[Row]


def read_tables(dbt: DbtSession, wanted: Mapping[str, Collection[str]]) -> dict[str, Table]:
    """Reads models' relations through dbt's own adapter: those that are built, and of them the columns that are there.

    Args:
        dbt: The session, which has parsed the project.
        wanted: The columns to read, by the models' names.
    """
    adapter = get_adapter_by_type(dbt.target)  # type: ignore[no-untyped-call]
    models = {node.name: node for node in dbt.manifest.nodes.values() if isinstance(node, ModelNode)}
    tables = {}
    for name in wanted.keys() & models.keys():
        model = models[name]
        with adapter.connection_named("site"):
            relation = adapter.get_relation(model.database, model.schema, model.alias)
            there = adapter.get_columns_in_relation(relation) if relation else ()
        names = {column.name.lower() for column in there}
        if columns := [column for column in wanted[name] if column in names]:
            tables[name] = table(f"{model.schema}.{model.alias}", columns, rows_of(dbt, model, columns))
    adapter.cleanup_connections()  # DuckDB's file is closed only when nobody holds one
    return tables


def table(relation: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of rows as a driver gives them, which may be in any order."""
    plain = [tuple(plain_value(value) for value in row) for row in rows]
    plain.sort(key=lambda row: [(value is None, isinstance(value, str), value) for value in row])
    return Table(relation, columns, [dict(zip(columns, row, strict=True)) for row in plain])


def plain_value(value: object) -> Value:
    """A driver's value as one that JSON has, so that it can be drawn, whichever engine gave it."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return plain_value(int(value) if value.is_finite() and value == int(value) else float(value))
        case float():
            return value if math.isfinite(value) else None
        case dt.datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case dt.date():
            return value.isoformat()
    return str(value)
