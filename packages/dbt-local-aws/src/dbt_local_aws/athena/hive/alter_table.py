"""ALTER TABLE and MSCK REPAIR TABLE: of Hive tables in Glue, of Iceberg tables in Trino's words.

https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html, …/querying-iceberg-evolving-table-schema.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import unquote

from dbt_local_aws.athena.errors import AthenaError, failed
from dbt_local_aws.athena.glue_table import Column, Partition, Table
from dbt_local_aws.athena.hive.grammar import HiveParser
from dbt_local_aws.athena.iceberg import check_iceberg_column, check_iceberg_properties, iceberg_properties
from dbt_local_aws.athena.names import ICEBERG, literal, quoted
from dbt_local_aws.athena.objects import as_folder
from dbt_local_aws.athena.results import Result
from dbt_local_aws.athena.statement import Statement
from dbt_local_aws.athena.trino.client import Column as Output
from dbt_local_aws.athena.types import from_hive


def alter_table(statement: Statement, parser: HiveParser) -> Result:
    """ALTER TABLE, after these words."""
    schema, name = parser.table_name()
    schema = schema or statement.schema
    table = statement.catalog.table(schema, name)
    if table is None:
        raise failed(f"SemanticException [Error 10001]: Table not found {schema}.{name}")
    if table.is_view:
        raise failed(f"SemanticException: {schema}.{name} is a view")
    for words, action in _ALTERATIONS.items():
        if parser.take(*words):
            action(statement, parser, table)
            return Result("DDL", "ALTER_TABLE")
    raise parser.fail("an ALTER TABLE clause")


def _alter_iceberg(statement: Statement, table: Table, clause: str) -> None:
    try:
        statement.run(f"ALTER TABLE {quoted(ICEBERG, table.schema, table.name)} {clause}")
    except AthenaError as error:
        raise failed(f"SemanticException: {error}") from error


def _check_names(table: Table, columns: Sequence[Column]) -> None:
    names = [column.name for column in [*columns, *table.partition_keys]]
    if duplicate := next((name for name in names if names.count(name) > 1), None):
        raise failed(f"SemanticException [Error 10036]: Duplicate column name: {duplicate}")


def _set_columns(statement: Statement, table: Table, columns: list[Column]) -> None:
    _check_names(table, columns)
    descriptor = {**table.descriptor, "Columns": [column.to_glue() for column in columns]}
    statement.catalog.update_table(table, StorageDescriptor=descriptor)


def _add_columns(statement: Statement, parser: HiveParser, table: Table) -> None:
    columns = parser.columns()
    parser.end()
    if not table.is_iceberg:
        _set_columns(statement, table, [*table.columns, *columns])
        return
    _check_names(table, [*table.columns, *columns])
    for column in columns:
        check_iceberg_column(column)
        comment = f" COMMENT {literal(column.comment)}" if column.comment else ""
        _alter_iceberg(statement, table, f"ADD COLUMN {quoted(column.name)} {from_hive(column.type)}{comment}")


def _replace_columns(statement: Statement, parser: HiveParser, table: Table) -> None:
    columns = parser.columns()
    parser.end()
    if table.is_iceberg:
        raise failed("SemanticException: REPLACE COLUMNS is not supported for Iceberg tables")
    _set_columns(statement, table, columns)


def _drop_column(statement: Statement, parser: HiveParser, table: Table) -> None:
    name = parser.name()
    parser.end()
    if not table.is_iceberg:
        raise failed("ParseException: DROP COLUMN is for Iceberg tables only")
    _alter_iceberg(statement, table, f"DROP COLUMN {quoted(name)}")


def _change_column(statement: Statement, parser: HiveParser, table: Table) -> None:
    old = parser.name()
    new = parser.column()
    place = ""
    if parser.take("FIRST"):
        place = "FIRST"
    elif parser.take("AFTER"):
        place = f"AFTER {quoted(parser.name())}"
    parser.end()
    current = next((column for column in table.columns if column.name == old), None)
    if current is None:
        raise failed(f"SemanticException [Error 10002]: Invalid column reference {old}")
    from_hive(new.type)
    if not table.is_iceberg:
        if place:
            raise failed("SemanticException: FIRST and AFTER are for Iceberg tables only")
        _set_columns(statement, table, [new if column.name == old else column for column in table.columns])
        return
    # the type first: if it cannot be changed, nothing else has been
    if current.type != new.type:
        _alter_iceberg(statement, table, f"ALTER COLUMN {quoted(old)} SET DATA TYPE {from_hive(new.type)}")
    if old != new.name:
        _alter_iceberg(statement, table, f"RENAME COLUMN {quoted(old)} TO {quoted(new.name)}")
    if new.comment != current.comment:
        column = quoted(ICEBERG, table.schema, table.name, new.name)
        statement.run(f"COMMENT ON COLUMN {column} IS {literal(new.comment)}")
    if place:
        raise failed("SemanticException: the local engine, Trino, does not move a column")


def _set_properties(statement: Statement, parser: HiveParser, table: Table) -> None:
    properties = parser.properties()
    parser.end()
    if table.is_iceberg:
        check_iceberg_properties(properties)
        if settings := iceberg_properties(properties):
            _alter_iceberg(statement, table, f"SET PROPERTIES {', '.join(settings)}")
            table = statement.catalog.again(table)
    statement.catalog.update_table(table, Parameters={**table.parameters, **properties})


def _unset_properties(statement: Statement, parser: HiveParser, table: Table) -> None:
    parser.expect("(")
    names = [parser.text()]
    while parser.take(","):
        names.append(parser.text())
    parser.expect(")")
    parser.end()
    kept = {key: value for key, value in table.parameters.items() if key not in names}
    statement.catalog.update_table(table, Parameters=kept)


def _set_location(statement: Statement, parser: HiveParser, table: Table) -> None:
    location = parser.text()
    parser.end()
    if table.is_iceberg:
        raise failed("SemanticException: SET LOCATION is not supported for Iceberg tables")
    statement.catalog.update_table(table, StorageDescriptor={**table.descriptor, "Location": location})


def _rename(statement: Statement, parser: HiveParser, table: Table) -> None:
    schema, name = parser.table_name()
    parser.end()
    if not table.is_iceberg:
        raise failed("SemanticException: RENAME TO is for Iceberg tables only")
    target = schema or table.schema
    if statement.catalog.table(target, name):
        raise failed(f"SemanticException: Table already exists: {target}.{name}")
    _alter_iceberg(statement, table, f"RENAME TO {quoted(ICEBERG, target, name)}")


def _partition_values(table: Table, spec: dict[str, str]) -> tuple[str, ...]:
    keys = [key.name for key in table.partition_keys]
    if sorted(spec) != sorted(keys):
        raise failed(f"SemanticException: partition spec {spec} doesn't contain all partition columns {keys}")
    return tuple(spec[key] for key in keys)


def _default_partition_location(table: Table, values: Sequence[str]) -> str:
    parts = (f"{key.name}={value}" for key, value in zip(table.partition_keys, values, strict=True))
    return as_folder(table.location) + "/".join(parts) + "/"


def _add_partition(statement: Statement, parser: HiveParser, table: Table) -> None:
    if_not_exists = parser.take("IF", "NOT", "EXISTS")
    if parser.peek() != "PARTITION":
        raise parser.fail("COLUMNS or PARTITION")
    if not table.partition_keys:
        raise failed(f"SemanticException: table {table.name} is not partitioned but partition spec exists")
    while parser.take("PARTITION"):
        values = _partition_values(table, parser.partition_spec())
        location = parser.text() if parser.take("LOCATION") else _default_partition_location(table, values)
        added = statement.catalog.add_partition(table, Partition(values, location))
        if not added and not if_not_exists:
            raise failed(
                f"Execution Error, return code 1. AlreadyExistsException: Partition already exists: {list(values)}"
            )
        parser.take(",")


def _drop_partition(statement: Statement, parser: HiveParser, table: Table) -> None:
    if_exists = parser.take("IF", "EXISTS")
    known = {partition.values: partition for partition in statement.catalog.partitions(table)}
    while parser.take("PARTITION"):
        values = _partition_values(table, parser.partition_spec())
        if values in known:
            statement.catalog.drop_partition(table, known[values])
        elif not if_exists:
            raise failed(f"SemanticException [Error 10006]: Partition not found {list(values)}")
        parser.take(",")


_Alteration = Callable[[Statement, HiveParser, Table], None]
_ALTERATIONS: dict[tuple[str, ...], _Alteration] = {
    ("ADD", "COLUMNS"): _add_columns,
    ("REPLACE", "COLUMNS"): _replace_columns,
    ("DROP", "COLUMN"): _drop_column,
    ("CHANGE", "COLUMN"): _change_column,
    ("CHANGE",): _change_column,
    ("SET", "TBLPROPERTIES"): _set_properties,
    ("UNSET", "TBLPROPERTIES"): _unset_properties,
    ("SET", "LOCATION"): _set_location,
    ("RENAME", "TO"): _rename,
    ("ADD",): _add_partition,
    ("DROP",): _drop_partition,
}


def repair(statement: Statement, parser: HiveParser) -> Result:
    """MSCK REPAIR TABLE, after these words: partitions that S3 has and Glue has not."""
    schema, name = parser.table_name()
    parser.end()
    table = statement.table(schema or statement.schema, name)
    keys = [key.name for key in table.partition_keys]
    if not keys:
        raise failed(f"Execution Error, return code 1. Table {name} is not partitioned")
    known = {partition.values for partition in statement.catalog.partitions(table)}
    added = []
    folder = as_folder(table.location)
    for uri in statement.store.below(table.location):
        parts = uri[len(folder) :].split("/")[: len(keys)]
        pairs = [part.partition("=") for part in parts]
        if len(pairs) == len(keys) and all(pair[0].lower() == key for pair, key in zip(pairs, keys, strict=True)):
            values = tuple(unquote(pair[2]) for pair in pairs)
            if values not in known:
                known.add(values)
                statement.catalog.add_partition(table, Partition(values, f"{folder}{'/'.join(parts)}/"))
                added.append(f"Repair: Added partition to metastore {name}:{'/'.join(parts)}")
    return Result("DDL", "MSCK_REPAIR_TABLE", rows=[(line,) for line in added], columns=[Output("", "varchar", {})])
