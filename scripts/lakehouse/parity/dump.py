"""What an engine says of a relation, written down in a form that is the same for all engines."""

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from dbt.adapters.factory import get_adapter_by_type
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode, ModelNode, SnapshotNode, SourceDefinition

from lakehouse.errors import LakehouseError

CATALOGUE = "relations.json"
BUILD_TIME = "tells_build_time"  # meta of a column that tells when a build ran, and no two engines build at once
_ROWS_AT_ONCE = 10_000
_FAMILIES = {
    "text": {"varchar", "string", "text", "character varying"},
    "integer": {"integer", "int"},
    "bigint": {"bigint"},
    "float": {"double", "double precision"},
    "decimal": {"decimal", "numeric"},
    "boolean": {"boolean"},
    "date": {"date"},
    "timestamp": {"timestamp", "timestamp without time zone"},
}
_FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names}


class DumpError(LakehouseError):
    """A relation cannot be written down; the message says what stands in the way."""


class Column(msgspec.Struct, frozen=True):
    """A column, by its name and what the engines call its type in common."""

    name: str
    type: str


class Relation(msgspec.Struct, frozen=True):
    """A relation that was dumped.

    Attributes:
        name: Schema and name.
        columns: Its columns, in their order.
        key: The columns by which its tests tell rows apart; none where no test does.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


def dump_relations(manifest: Manifest, target: str, selected: Sequence[str], folder: Path) -> None:
    """Writes what the adapter that dbt used last says of its relations into a folder.

    Args:
        manifest: The project, as parsed for the target.
        target: The adapter's type.
        selected: The unique ids of models, snapshots and sources.
        folder: Where to write: the catalogue, and a file of rows for each.

    Raises:
        DumpError: A type or a value is of a kind that the comparison does not know.
    """
    folder.mkdir(parents=True)
    adapter = get_adapter_by_type(target)  # type: ignore[no-untyped-call]
    relations = []
    with adapter.connection_named("parity"):
        for unique_id in sorted(selected):
            model = manifest.nodes.get(unique_id) or manifest.sources[unique_id]
            assert isinstance(model, ModelNode | SnapshotNode | SourceDefinition)  # noqa: S101 - that is what has rows
            identifier = model.identifier if isinstance(model, SourceDefinition) else model.alias
            relation = adapter.Relation.create(model.database, model.schema, identifier)
            left_out = {name for name, column in model.columns.items() if column.config.meta.get(BUILD_TIME)}
            columns = tuple(
                Column(column.name.lower(), _type_of(column))  # raw names keep their case on DuckDB alone
                for column in adapter.get_columns_in_relation(relation)
                if column.name not in left_out
            )
            key = tuple(name for name in _key_of(model, manifest) if name not in left_out)
            described = Relation(f"{model.schema}.{identifier}", columns, key)
            relations.append(described)
            _, cursor = adapter.connections.add_query(f"select * from {relation}")  # noqa: S608 - of the project's own
            _write_rows(cursor, described, left_out, rows_file(folder, described.name))
    (folder / CATALOGUE).write_bytes(msgspec.json.format(msgspec.json.encode(relations)))


def read_catalogue(folder: Path) -> dict[str, Relation]:
    """The relations that were dumped into a folder, by name."""
    relations = msgspec.json.decode((folder / CATALOGUE).read_bytes(), type=list[Relation])
    return {relation.name: relation for relation in relations}


def rows_file(folder: Path, relation: str) -> Path:
    """The file that holds a relation's rows: a JSON list of texts and nulls on each line."""
    return folder / f"{relation}.jsonl"


def as_text(value: object) -> str | None:
    """A value as text, from which nothing that tells it from another is left out.

    Raises:
        DumpError: The value is of a type that the comparison does not know.
    """
    match value:
        case None | str():
            return value
        case float():
            return repr(value)  # the shortest text that is this very number; knows -0.0 and nan
        case bool() | int() | Decimal() | dt.date():  # a datetime is a date
            return str(value)
    raise DumpError(f"{value!r} is a {type(value).__name__}, which cannot be compared")


def _write_rows(cursor: Any, relation: Relation, left_out: set[str], file: Path) -> None:  # noqa: ANN401 - a driver's
    named = [description[0].lower() for description in cursor.description]
    positions = [position for position, name in enumerate(named) if name not in left_out]
    if [named[position] for position in positions] != [column.name for column in relation.columns]:
        raise DumpError(f"{relation.name}: the catalogue and the rows do not have the same columns: {named}")
    encoder = msgspec.json.Encoder()
    with file.open("wb") as lines:
        for row in _rows(cursor):
            lines.write(encoder.encode([as_text(row[position]) for position in positions]) + b"\n")


def _rows(cursor: Any) -> Iterator[Sequence[object]]:  # noqa: ANN401 - see above
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        yield from rows


def _type_of(column: Any) -> str:  # noqa: ANN401 - each adapter has a class of its own
    name = str(column.dtype).lower().partition("(")[0].strip()
    if name not in _FAMILY_OF:
        raise DumpError(f"column {column.name}: the type {column.dtype} cannot be compared")
    family = _FAMILY_OF[name]
    return f"decimal({column.numeric_precision},{column.numeric_scale})" if family == "decimal" else family


def _key_of(model: ModelNode | SnapshotNode | SourceDefinition, manifest: Manifest) -> tuple[str, ...]:
    """The columns that a test of the model says are unique; the shortest of several such lists."""
    keys: list[list[str]] = []
    for node in manifest.nodes.values():
        if isinstance(node, GenericTestNode) and node.attached_node == model.unique_id:
            if node.test_metadata.name == "unique" and node.column_name:
                keys.append([node.column_name])
            elif node.test_metadata.name == "unique_combination":
                keys.append(node.test_metadata.kwargs["columns"])
    keys.sort(key=len)
    return tuple(keys[0]) if keys else ()
