"""SHOW and DESCRIBE, from Glue."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence

from dbt_local_aws.athena.errors import AthenaError, failed
from dbt_local_aws.athena.glue_table import Column, Table, decode_view
from dbt_local_aws.athena.hive.grammar import HiveParser
from dbt_local_aws.athena.names import ICEBERG, quoted
from dbt_local_aws.athena.results import Result, text_result
from dbt_local_aws.athena.statement import Statement


def _pattern(parser: HiveParser) -> Callable[[str], bool]:
    """SHOW's patterns: `*` for anything and `|` for alternatives."""
    parser.take("LIKE")
    if parser.at_end:
        return lambda name: True
    patterns = parser.text().lower().split("|")
    return lambda name: any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def show_databases(statement: Statement, parser: HiveParser) -> Result:
    """SHOW DATABASES, after these words."""
    fits = _pattern(parser)
    return text_result(
        "SHOW_DATABASES", (name for name in statement.catalog.databases() if fits(name)), "database_name"
    )


def _show_relations(statement: Statement, parser: HiveParser, views_only: bool) -> Iterable[str]:
    schema = parser.name() if parser.take("IN") or parser.take("FROM") else statement.schema
    fits = _pattern(parser)
    parser.end()
    if not statement.catalog.has_database(schema):
        raise failed(f"SemanticException [Error 10072]: Database does not exist: {schema}")
    tables = statement.catalog.tables(schema)
    return [table.name for table in tables if fits(table.name) and (table.is_view or not views_only)]


def show_tables(statement: Statement, parser: HiveParser) -> Result:
    """SHOW TABLES: tables and views."""
    return text_result("SHOW_TABLES", _show_relations(statement, parser, views_only=False), "tab_name")


def show_views(statement: Statement, parser: HiveParser) -> Result:
    """SHOW VIEWS, after these words."""
    return text_result("SHOW_VIEWS", _show_relations(statement, parser, views_only=True), "views")


def _named_table(statement: Statement, parser: HiveParser) -> Table:
    schema, name = parser.table_name()
    schema = schema or statement.schema
    if parser.take("IN") or parser.take("FROM"):
        schema = parser.name()
    parser.end()
    return statement.table(schema, name)


def show_columns(statement: Statement, parser: HiveParser) -> Result:
    """SHOW COLUMNS IN table."""
    if not (parser.take("IN") or parser.take("FROM")):
        raise parser.fail("IN")
    table = _named_table(statement, parser)
    return text_result("SHOW_COLUMNS", (column.name for column in table.columns + table.partition_keys), "field")


def show_partitions(statement: Statement, parser: HiveParser) -> Result:
    """SHOW PARTITIONS: those that Glue has; projected ones are in no list."""
    table = _named_table(statement, parser)
    if not table.partition_keys:
        raise failed(f"SemanticException: Table {table.name} is not a partitioned table")
    keys = [key.name for key in table.partition_keys]
    lines = (
        "/".join(f"{key}={value}" for key, value in zip(keys, partition.values, strict=True))
        for partition in statement.catalog.partitions(table)
    )
    return text_result("SHOW_PARTITIONS", sorted(lines), "partition")


def show_properties(statement: Statement, parser: HiveParser) -> Result:
    """SHOW TBLPROPERTIES: all of them, or one."""
    schema, name = parser.table_name()
    schema = schema or statement.schema
    table = statement.table(schema, name)
    if parser.take("("):
        wanted = parser.text()
        parser.expect(")")
        lines = [table.parameters.get(wanted, f"Table {schema}.{name} does not have property: {wanted}")]
    else:
        lines = [f"{key}\t{value}" for key, value in sorted(table.parameters.items())]
    return text_result("SHOW_TBLPROPERTIES", lines, "prpt_name")


def _quoted_pairs(pairs: dict[str, str]) -> list[str]:
    lines = [f"  '{key}'='{value}'" for key, value in sorted(pairs.items())]
    return [f"{line}{', ' if at < len(lines) else ')'}" for at, line in enumerate(lines, 1)]


def _column_lines(columns: Sequence[Column]) -> list[str]:
    lines = [f"  `{c.name}` {c.type}" + (f" COMMENT '{c.comment}'" if c.comment else "") for c in columns]
    return [f"{line}{', ' if at < len(lines) else ')'}" for at, line in enumerate(lines, 1)]


def _transforms(statement: Statement, table: Table) -> list[str]:
    """How an Iceberg table is divided, from Trino, which reads the table's own metadata."""
    rows = statement.run(f"SHOW CREATE TABLE {quoted(ICEBERG, table.schema, table.name)}")
    found = re.search(r"partitioning = ARRAY\[([^\]]*)\]", str(rows[0][0]))
    return re.findall(r"'((?:[^']|'')*)'", found[1]) if found else []


def show_create_table(statement: Statement, parser: HiveParser) -> Result:
    """SHOW CREATE TABLE, in the words that would make it again."""
    table = _named_table(statement, parser)
    if table.is_view:
        raise failed(f"SemanticException: {table.name} is a view: use SHOW CREATE VIEW")
    kind = "TABLE" if table.is_iceberg else "EXTERNAL TABLE"
    lines = [f"CREATE {kind} `{table.schema}.{table.name}`(", *_column_lines(table.columns)]
    if table.is_iceberg:
        if transforms := _transforms(statement, table):
            lines.append(f"PARTITIONED BY ({', '.join(transforms)})")
    else:
        if table.partition_keys:
            lines += ["PARTITIONED BY ( ", *_column_lines(table.partition_keys)]
        lines += ["ROW FORMAT SERDE ", f"  '{table.serde}' "]
        if table.serde_parameters:
            lines += ["WITH SERDEPROPERTIES ( ", *_quoted_pairs(table.serde_parameters)]
        lines += ["STORED AS INPUTFORMAT ", f"  '{table.descriptor.get('InputFormat')}' "]
        lines += ["OUTPUTFORMAT ", f"  '{table.descriptor.get('OutputFormat')}'"]
    lines += ["LOCATION", f"  '{table.location}'", "TBLPROPERTIES (", *_quoted_pairs(table.parameters)]
    return text_result("SHOW_CREATE_TABLE", lines, "createtab_stmt")


def show_create_view(statement: Statement, parser: HiveParser) -> Result:
    """SHOW CREATE VIEW: the query as it was written."""
    table = _named_table(statement, parser)
    if not table.is_view:
        raise AthenaError(
            "NOT_SUPPORTED", f"line 1:1: Relation 'awsdatacatalog.{table.schema}.{table.name}' is a table, not a view"
        )
    query = str(decode_view(table.raw["ViewOriginalText"])["originalSql"])
    return text_result(
        "SHOW_CREATE_VIEW", [f"CREATE VIEW {table.schema}.{table.name} AS", *query.splitlines()], "Create View"
    )


def describe(statement: Statement, parser: HiveParser) -> Result:
    """DESCRIBE: a line a column, then the partition keys again."""
    if parser.take("EXTENDED") or parser.take("FORMATTED"):
        raise AthenaError("NOT_SUPPORTED", "DESCRIBE EXTENDED and DESCRIBE FORMATTED are not there locally")
    parser.take("TABLE")
    table = _named_table(statement, parser)

    def line(column: Column) -> str:
        return f"{column.name:<20}\t{column.type:<20}\t{column.comment:<20}"

    lines = [line(column) for column in table.columns + table.partition_keys]
    if table.partition_keys:
        heading = f"{'# col_name':<20}\t{'data_type':<20}\t{'comment':<20}"
        lines += [
            " \t \t ",
            "# Partition Information\t \t ",
            heading,
            " \t \t ",
            *(line(key) for key in table.partition_keys),
        ]
    return text_result("DESCRIBE_TABLE", lines, "col_name")
