"""Which models are served, and by which keys: `meta.serving` of a model says so.

    serving: {partition_by: [user_id, session_id], order_by: item_in_session}

The question gives the columns of `partition_by`; its answer is one partition, in the order of `order_by`.
"""

import math
from dataclasses import dataclass, field

from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode, ModelNode

from lakehouse.errors import LakehouseError

Value = str | int | float | None
Row = tuple[Value, ...]

_KINDS = {"integer": "integer", "bigint": "bigint", "double precision": "double", "varchar": "text"}
"""What a model's type is to a store."""


class ServingError(LakehouseError):
    """Something cannot be exported; the message says why and what to do about it."""


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        kind: text, integer, bigint or double.
    """

    name: str
    kind: str

    def value(self, found: object) -> Value:
        """What an engine's driver gave, as a value of the one Python type that all stores take for this kind.

        Raises:
            ServingError: No store has such a number.
        """
        if found is None:
            return None
        if self.kind == "text":
            return str(found)
        if self.kind != "double":
            return int(found)  # type: ignore[call-overload,no-any-return]  # a driver's number
        number = float(found)  # type: ignore[arg-type]  # see above
        if not math.isfinite(number):
            raise ServingError(f"{self.name} is {number} in some row: no store can serve that")
        return number


@dataclass(frozen=True)
class ServedTable:
    """A table as it is served.

    Attributes:
        schema: That of the model, with the prefix of the environment.
        name: The model's name.
        columns: All columns, in the model's order.
        partition_by: What the question gives.
        order_by: What tells the rows of a partition apart, and orders them; None where a partition has one row.
        asked: The columns that the question gives; more than the partition's where it asks for one row of it.
        model: What it is a table of; None for a table of the export's own.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...]
    order_by: str | None = None
    asked: tuple[str, ...] = ()
    model: ModelNode | None = field(default=None, compare=False)  # it cannot be hashed

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns that tell rows apart: the partition's first."""
        names = (*self.partition_by, *((self.order_by,) if self.order_by else ()))
        return tuple(next(column for column in self.columns if column.name == name) for name in names)

    @property
    def columns_key_first(self) -> tuple[Column, ...]:
        """All columns, in the order in which rows are handed to stores."""
        return (*self.key_columns, *(column for column in self.columns if column not in self.key_columns))

    def key(self, row: Row) -> Row:
        """What tells a row from all others."""
        return row[: len(self.key_columns)]


def served_tables(manifest: Manifest) -> list[ServedTable]:
    """The models that say how they are served.

    Raises:
        ServingError: A model says it of a column that it does not have, or has a type that no store knows.
    """
    models = [node for node in manifest.nodes.values() if isinstance(node, ModelNode) and _serving(node)]
    return [_served(model, manifest) for model in sorted(models, key=lambda model: model.name)]


def _serving(model: ModelNode) -> dict[str, object]:
    return dict(model.config.meta.get("serving") or {})


def _served(model: ModelNode, manifest: Manifest) -> ServedTable:
    columns = tuple(Column(column.name, _kind(model, column.data_type)) for column in model.columns.values())
    declared = _serving(model)
    partition_by, order_by = declared.get("partition_by"), declared.get("order_by")
    names = {column.name for column in columns}
    if not isinstance(partition_by, list) or not partition_by or not {*partition_by, order_by} <= names:
        raise ServingError(
            f"{model.original_file_path}: meta.serving of {model.name} must be "
            "{partition_by: [columns], order_by: column}, with columns that the model has"
        )
    return ServedTable(
        model.schema, model.alias, columns, tuple(partition_by), str(order_by), _asked(model, manifest), model
    )


def _kind(model: ModelNode, data_type: str | None) -> str:
    plain = str(data_type).lower().partition("(")[0].strip()
    if plain not in _KINDS:
        raise ServingError(f"{model.name} has a column of type {data_type}: only {', '.join(_KINDS)} can be served")
    return _KINDS[plain]


def _asked(model: ModelNode, manifest: Manifest) -> tuple[str, ...]:
    """What the question gives, as the model's own test has it."""
    tests = [node for node in manifest.nodes.values() if isinstance(node, GenericTestNode)]
    for test in tests:
        if test.attached_node == model.unique_id and test.test_metadata.name == "answers_its_question":
            return tuple(test.test_metadata.kwargs["asked"])
    return ()
