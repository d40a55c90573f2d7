"""The statements that Athena gives to Hive: databases, external tables, ALTER, DROP, MSCK, SHOW and DESCRIBE."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dbt_local_aws.athena.errors import failed
from dbt_local_aws.athena.glue_table import RECORDED, Column, Table
from dbt_local_aws.athena.hive import show as showing
from dbt_local_aws.athena.hive.alter_table import alter_table, repair
from dbt_local_aws.athena.hive.grammar import HiveParser, TableDefinition
from dbt_local_aws.athena.hive.serdes import serde_and_classes
from dbt_local_aws.athena.iceberg import (
    check_iceberg_column,
    check_iceberg_properties,
    iceberg_properties,
    partitioning,
)
from dbt_local_aws.athena.names import ICEBERG, literal, quoted
from dbt_local_aws.athena.results import Result
from dbt_local_aws.athena.statement import Statement
from dbt_local_aws.athena.types import from_hive


def execute(statement: Statement) -> Result:
    """Run one of Hive's statements."""
    parser = HiveParser(statement.sql)
    for words, handler in _STATEMENTS.items():
        if parser.take(*words):
            result = handler(statement, parser)
            parser.end()
            return result
    raise parser.fail("a statement")


def _names(statement: Statement, parser: HiveParser) -> tuple[str, str]:
    schema, name = parser.table_name()
    return schema or statement.schema, name


# -------------------- databases


def _create_database(statement: Statement, parser: HiveParser) -> Result:
    if_not_exists = parser.take("IF", "NOT", "EXISTS")
    name = parser.table_name()[1]
    comment = parser.text() if parser.take("COMMENT") else ""
    location = parser.text() if parser.take("LOCATION") else ""
    properties = parser.properties() if parser.take("WITH", "DBPROPERTIES") else {}
    parser.end()
    if statement.catalog.has_database(name):
        if not if_not_exists:
            raise failed(f"Execution Error, return code 1. Database {name} already exists")
    else:
        statement.catalog.create_database(name, comment, location, properties)
    return Result("DDL", "CREATE_DATABASE")


def _drop_database(statement: Statement, parser: HiveParser) -> Result:
    if_exists = parser.take("IF", "EXISTS")
    name = parser.table_name()[1]
    cascade = parser.take("CASCADE")
    if not cascade:
        parser.take("RESTRICT")
    parser.end()
    if not statement.catalog.has_database(name):
        if if_exists:
            return Result("DDL", "DROP_DATABASE")
        raise failed(f"SemanticException [Error 10072]: Database does not exist: {name}")
    tables = statement.catalog.tables(name)
    if tables and not cascade:
        raise failed(
            f"Execution Error, return code 1. InvalidOperationException: Database {name} is not empty. "
            "One or more tables exist."
        )
    for table in tables:
        _drop(statement, table)
    statement.catalog.drop_database(name)
    return Result("DDL", "DROP_DATABASE")


# -------------------- CREATE and DROP TABLE


def _create_table(statement: Statement, parser: HiveParser) -> Result:
    definition = parser.create_table()
    schema = definition.schema or statement.schema
    statement.catalog.require_database(schema)
    if statement.catalog.table(schema, definition.name):
        if definition.if_not_exists:
            return Result("DDL", "CREATE_TABLE")
        raise failed(
            f"Execution Error, return code 1. AlreadyExistsException(message:Table {definition.name} already exists.)"
        )
    _check_definition(definition)
    is_iceberg = definition.properties.get("table_type", "").upper() == "ICEBERG"
    if is_iceberg:
        _create_iceberg(statement, schema, definition)
        return Result("DDL", "CREATE_TABLE")
    content = _hive_content(definition)
    if definition.comment:
        content["Description"] = definition.comment
        content["Parameters"]["comment"] = definition.comment
    statement.catalog.create_table(schema, content)
    return Result("DDL", "CREATE_TABLE")


def _check_definition(definition: TableDefinition) -> None:
    names = [column.name for column in definition.columns + definition.partition_keys]
    for name in names:
        if names.count(name) > 1:
            raise failed(f"SemanticException [Error 10036]: Duplicate column name: {name}")
    if not definition.location:
        raise failed("SemanticException: No location is given for an external table")
    if not re.fullmatch(r"s3a?://[^/]+(/.*)?", definition.location):
        raise failed(f"SemanticException: The location {definition.location} is not in S3")


def _create_iceberg(statement: Statement, schema: str, definition: TableDefinition) -> None:
    if definition.external:
        raise failed("SemanticException: External keyword not supported for table type ICEBERG")
    if definition.serde or definition.stored_as or definition.input_format or definition.serde_parameters:
        raise failed("SemanticException: ROW FORMAT and STORED AS are not supported for table type ICEBERG")
    if definition.bucketed_by:
        raise failed("SemanticException: CLUSTERED BY is not supported for table type ICEBERG")
    check_iceberg_properties(definition.properties)
    if definition.partition_keys:
        raise failed("SemanticException: PARTITIONED BY of an Iceberg table names its columns, without types")
    for column in definition.columns:
        check_iceberg_column(column)
    columns = ", ".join(_iceberg_column(column) for column in definition.columns)
    comment = f" COMMENT {literal(definition.comment)}" if definition.comment else ""
    clauses = [f"location = {literal(definition.location.rstrip('/'))}", *iceberg_properties(definition.properties)]
    if transforms := partitioning(tuple(definition.partition_transforms)):
        clauses.append(f"partitioning = ARRAY[{', '.join(map(literal, transforms))}]")
    target = quoted(ICEBERG, schema, definition.name)
    statement.run(f"CREATE TABLE {target} ({columns}){comment} WITH ({', '.join(clauses)})")
    recorded = {key: value for key, value in definition.properties.items() if key.lower() in RECORDED}
    if recorded:
        table = statement.catalog.again(statement.table(schema, definition.name))
        statement.catalog.update_table(table, Parameters={**table.parameters, **recorded})


def _iceberg_column(column: Column) -> str:
    comment = f" COMMENT {literal(column.comment)}" if column.comment else ""
    return f"{quoted(column.name)} {from_hive(column.type)}{comment}"


def _hive_content(definition: TableDefinition) -> dict[str, Any]:
    if not definition.external:
        raise failed(
            "SemanticException: CREATE TABLE without EXTERNAL is for Iceberg tables only (table_type = 'ICEBERG')"
        )
    if definition.partition_transforms:
        raise failed("SemanticException: the partition keys of a Hive table need types")
    serde, classes = serde_and_classes(definition.serde, definition.stored_as)
    if definition.input_format:
        classes = {"InputFormat": definition.input_format, "OutputFormat": definition.output_format}
    return {
        "Name": definition.name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [column.to_glue() for column in definition.partition_keys],
        "Parameters": {"EXTERNAL": "TRUE", **definition.properties},
        "StorageDescriptor": {
            "Columns": [column.to_glue() for column in definition.columns],
            "Location": definition.location,
            **classes,
            "SerdeInfo": {
                "SerializationLibrary": serde,
                "Parameters": {"serialization.format": "1", **definition.serde_parameters},
            },
            "BucketColumns": definition.bucketed_by,
            "NumberOfBuckets": definition.bucket_count or -1,
        },
    }


def _drop(statement: Statement, table: Table) -> None:
    # Dropping an Iceberg table deletes its data; a Hive table's stay where they are.
    if table.is_iceberg:
        statement.run(f"DROP TABLE {quoted(ICEBERG, table.schema, table.name)}")
    else:
        statement.catalog.drop_table(table.schema, table.name)


def _drop_table(statement: Statement, parser: HiveParser) -> Result:
    if_exists = parser.take("IF", "EXISTS")
    schema, name = _names(statement, parser)
    parser.take("PURGE")
    parser.end()
    table = statement.catalog.table(schema, name)
    if table is None:
        if if_exists:
            return Result("DDL", "DROP_TABLE")
        raise failed(f"SemanticException [Error 10001]: Table not found {schema}.{name}")
    if table.is_view:
        raise failed("SemanticException Cannot drop a view with DROP TABLE")
    _drop(statement, table)
    return Result("DDL", "DROP_TABLE")


_STATEMENTS: dict[tuple[str, ...], Callable[[Statement, HiveParser], Result]] = {
    ("CREATE", "DATABASE"): _create_database,
    ("CREATE", "SCHEMA"): _create_database,
    ("CREATE",): _create_table,
    ("DROP", "DATABASE"): _drop_database,
    ("DROP", "SCHEMA"): _drop_database,
    ("DROP", "TABLE"): _drop_table,
    ("ALTER", "TABLE"): alter_table,
    ("MSCK", "REPAIR", "TABLE"): repair,
    ("SHOW", "DATABASES"): showing.show_databases,
    ("SHOW", "SCHEMAS"): showing.show_databases,
    ("SHOW", "TABLES"): showing.show_tables,
    ("SHOW", "VIEWS"): showing.show_views,
    ("SHOW", "COLUMNS"): showing.show_columns,
    ("SHOW", "PARTITIONS"): showing.show_partitions,
    ("SHOW", "TBLPROPERTIES"): showing.show_properties,
    ("SHOW", "CREATE", "TABLE"): showing.show_create_table,
    ("SHOW", "CREATE", "VIEW"): showing.show_create_view,
    ("DESCRIBE",): showing.describe,
    ("DESC",): showing.describe,
}
