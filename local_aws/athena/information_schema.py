"""Tables that are not in Glue: information_schema and `"table$partitions"`, filled from Glue when asked for."""
# ruff: noqa: S608 - what is written here is SQL; names and literals are quoted

from __future__ import annotations

from collections.abc import Iterable, Sequence

from local_aws.athena import projection, types
from local_aws.athena.catalog import Catalog, decode_view
from local_aws.athena.errors import NotEmulatedError
from local_aws.athena.functions import quote
from local_aws.athena.queries import CATALOG, SourceColumn, ViewDefinition, quoted
from local_aws.athena.types import VARCHAR, to_duckdb

_TABLES = {
    "schemata": ("catalog_name", "schema_name"),
    "tables": ("table_catalog", "table_schema", "table_name", "table_type"),
    "views": ("table_catalog", "table_schema", "table_name", "view_definition"),
    "columns": (
        "table_catalog", "table_schema", "table_name", "column_name", "ordinal_position", "column_default",
        "is_nullable", "data_type", "comment", "extra_info",
    ),
}  # fmt: skip
_PARTITIONS = "$partitions"
_ICEBERG_METADATA = ("files", "manifests", "history", "partitions", "snapshots", "refs")
_Row = tuple[str | int | None, ...]


def _values(columns: Sequence[SourceColumn], rows: Iterable[_Row]) -> str:
    def item(value: str | int | None, column: SourceColumn) -> str:
        text = "null" if value is None else quote(str(value))
        return f"cast({text} as {to_duckdb(column.type)})"

    texts = [f"({', '.join(item(value, column) for value, column in zip(row, columns, strict=True))})" for row in rows]
    names = ", ".join(quoted(column.name) for column in columns)
    if not texts:
        nulls = ", ".join(item(None, column) for column in columns)
        return f"select * from (values ({nulls})) as v({names}) where false"
    return f"select * from (values {', '.join(texts)}) as v({names})"


class VirtualSource:
    """Glue's tables and views, and the made-up ones before them."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def view(self, schema: str, name: str) -> ViewDefinition | None:
        """The view of that name, if it is one."""
        return None if self.columns_of_virtual(schema, name) else self._catalog.view(schema, name)

    def columns(self, schema: str, name: str) -> list[SourceColumn] | None:
        """The columns of the table of that name, if it is one."""
        return self.columns_of_virtual(schema, name) or self._catalog.columns(schema, name)

    def columns_of_virtual(self, schema: str, name: str) -> list[SourceColumn] | None:
        """The columns of a made-up table."""
        if schema == "information_schema" and name in _TABLES:
            return [
                SourceColumn(column, types.BIGINT if column == "ordinal_position" else VARCHAR)
                for column in _TABLES[name]
            ]
        base, _, suffix = name.partition("$")
        if suffix in _ICEBERG_METADATA and (owner := self._catalog.table(schema, base)) and owner.is_iceberg:
            raise NotEmulatedError(f"Iceberg's metadata table {name}")
        if name.endswith(_PARTITIONS):
            table = self._catalog.table(schema, name.removesuffix(_PARTITIONS))
            if table is not None and table.partition_keys:
                return [SourceColumn(key.name, table.type_of(key)) for key in table.partition_keys]
        return None

    def rows(self, schema: str, name: str) -> str | None:
        """The rows of a made-up table, as SQL."""
        columns = self.columns_of_virtual(schema, name)
        if columns is None:
            return None
        if schema == "information_schema":
            return _values(columns, getattr(self, f"_{name}")())
        table = self._catalog.table(schema, name.removesuffix(_PARTITIONS))
        if table is None:
            return None
        found = projection.partitions(table, {}) if projection.is_projected(table) else self._catalog.partitions(table)
        null = "__HIVE_DEFAULT_PARTITION__"
        return _values(
            columns, (tuple(None if text == null else text for text in partition.values) for partition in found)
        )

    def _schemata(self) -> Iterable[_Row]:
        for database in [*self._catalog.databases(), "information_schema"]:
            yield CATALOG, database

    def _tables(self) -> Iterable[_Row]:
        for database in self._catalog.databases():
            for table in self._catalog.tables(database):
                yield CATALOG, database, table.name, "VIEW" if table.is_view else "BASE TABLE"
        for name in _TABLES:
            yield CATALOG, "information_schema", name, "BASE TABLE"

    def _views(self) -> Iterable[_Row]:
        for database in self._catalog.databases():
            for table in self._catalog.tables(database):
                if table.is_view:
                    yield CATALOG, database, table.name, decode_view(table.raw["ViewOriginalText"]).sql

    def _columns(self) -> Iterable[_Row]:
        for database in self._catalog.databases():
            for table in self._catalog.tables(database):
                keys = {key.name for key in table.partition_keys}
                for at, column in enumerate([*table.columns, *table.partition_keys], 1):
                    extra = "partition key" if column.name in keys else None
                    kind = str(table.type_of(column))
                    yield (
                        CATALOG,
                        database,
                        table.name,
                        column.name,
                        at,
                        None,
                        "YES",
                        kind,
                        column.comment or None,
                        extra,
                    )
