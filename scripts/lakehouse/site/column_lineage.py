"""What the columns of a query are worked out of, as sqlglot reads the SQL that dbt compiled.

A column's lineage is the set of columns whose values its value is worked out of. What only selects or groups rows is
not lineage: join conditions, filters, `group by`, and the partitions of a window. The order of a window is: a rank
tells something of what is ranked.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.lineage import Node, lineage
from sqlglot.schema import MappingSchema

TableName = tuple[str, str, str]
"""Database, schema and table, in small letters."""


class LineageError(Exception):
    """A query's columns cannot be followed."""


class Origin(NamedTuple):
    """A column of a table."""

    table: TableName
    column: str

    def __str__(self) -> str:
        """Table and column, as a person says it."""
        return f"{self.table[2]}.{self.column}"


def column_lineage(
    sql: str, tables: Mapping[TableName, Iterable[str]], dialect: str = "duckdb"
) -> dict[str, frozenset[Origin]]:
    """Gives for each column of a query, in small letters, the columns of tables that its values are worked out of.

    Args:
        sql: A query.
        tables: The columns of each table that it can read.
        dialect: Whose SQL it is: duckdb, athena, redshift.

    Raises:
        LineageError: The query reads something that is not among the tables, or a column cannot be followed to them.
    """
    known = {table: frozenset(column.lower() for column in columns) for table, columns in tables.items()}
    schema = MappingSchema(dialect=dialect)
    for (database, schema_name, table), columns in known.items():
        named = exp.table_(table, db=schema_name, catalog=database, quoted=True)
        schema.add_table(named, dict.fromkeys(columns, "unknown"), dialect=dialect, match_depth=False)
    try:
        query = sqlglot.parse_one(sql, dialect=dialect)
        _refuse_what_is_misread(query)
        for window in query.find_all(exp.Window):
            window.set("partition_by", None)
        outputs = lineage(None, query, schema, dialect=dialect, validate_qualify_columns=True, trim_selects=False)
        return {name.lower(): _origins(node, known, dialect) for name, node in outputs.items()}
    except Exception as error:  # sqlglot's own, and whatever it stumbles over in SQL that it takes for something else
        raise LineageError(f"{error}, in:\n{sql}") from error


def snapshot_columns(config: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The columns that dbt adds to a snapshot, each with the columns of the query that it is worked out of.

    Its key is a hash of the snapshot's key and of the time of the update.
    """
    keys = [config["unique_key"]] if isinstance(config["unique_key"], str) else config["unique_key"]
    updated = [config["updated_at"]] if config.get("updated_at") else []
    renamed = config.get("snapshot_meta_column_names") or {}
    added = {
        "dbt_scd_id": (*keys, *updated),
        "dbt_updated_at": tuple(updated),
        "dbt_valid_from": tuple(updated),
        "dbt_valid_to": tuple(updated),
    }
    if config.get("hard_deletes") == "new_record":
        added["dbt_is_deleted"] = ()
    return {(renamed.get(column) or column).lower(): parents for column, parents in added.items()}


def _refuse_what_is_misread(query: exp.Expr) -> None:
    """Refuses what sqlglot follows to another column than the engine does, or to none."""
    for select in query.find_all(exp.Select):
        if select.args.get("windows"):
            raise LineageError("the order of a named window cannot be followed: write it where it is used")
    for union in query.find_all(exp.SetOperation):
        if union.args.get("by_name"):
            raise LineageError("a union by name cannot be followed: write its columns in one order")


def _origins(output: Node, known: Mapping[TableName, frozenset[str]], dialect: str) -> frozenset[Origin]:
    origins = set()
    for node in output.walk():
        if node.downstream:
            unread = node.expression.find(exp.TableColumn, exp.Columns)
        elif isinstance(node.expression, exp.Table):
            origins.add(_origin(node, node.expression, known, dialect))
            continue
        else:  # a constant, or something that sqlglot could not follow
            unread = node.expression.find(exp.Placeholder, exp.Column, exp.TableColumn, exp.Columns, exp.Select)
        if unread is not None:
            raise LineageError(f"{node.name or unread.sql()} cannot be followed")
    return frozenset(origins)


def _origin(node: Node, table: exp.Table, known: Mapping[TableName, frozenset[str]], dialect: str) -> Origin:
    name = (table.catalog.lower(), table.db.lower(), table.name.lower())
    column = exp.to_column(node.name, dialect=dialect).name.lower()
    if column not in known.get(name, ()):
        raise LineageError(f"{'.'.join(name)} has no column {column} that is known")
    return Origin(name, column)
