"""The statements that Athena gives to Hive: databases, external tables, ALTER, DROP, MSCK, SHOW and DESCRIBE."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import unquote

from local_aws.athena import iceberg, projection
from local_aws.athena.catalog import Column, Partition, Table
from local_aws.athena.errors import AthenaError, NotEmulatedError
from local_aws.athena.formats import check_serde, default_serde, input_and_output
from local_aws.athena.hive_grammar import HiveParser, TableDefinition
from local_aws.athena.objects import as_folder
from local_aws.athena.readers import PARQUET
from local_aws.athena.results import Result, text_result
from local_aws.athena.statement import Statement
from local_aws.athena.types import from_hive
from local_aws.athena.writing import partition_expression


def _failed(message: str) -> AthenaError:
    return AthenaError("FAILED", message)


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
            raise _failed(f"Execution Error, return code 1. Database {name} already exists")
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
        raise _failed(f"SemanticException [Error 10072]: Database does not exist: {name}")
    tables = statement.catalog.tables(name)
    if tables and not cascade:
        raise _failed(
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
        raise _failed(
            f"Execution Error, return code 1. AlreadyExistsException(message:Table {definition.name} already exists.)"
        )
    _check_definition(definition)
    is_iceberg = definition.properties.get("table_type", "").upper() == "ICEBERG"
    content = _iceberg_content(statement, definition) if is_iceberg else _hive_content(definition)
    if definition.comment:
        content["Description"] = definition.comment
        content["Parameters"]["comment"] = definition.comment
    statement.catalog.create_table(schema, content)
    return Result("DDL", "CREATE_TABLE")


def _check_definition(definition: TableDefinition) -> None:
    names = [column.name for column in definition.columns + definition.partition_keys]
    for name in names:
        if names.count(name) > 1:
            raise _failed(f"SemanticException [Error 10036]: Duplicate column name: {name}")
    if not definition.location:
        raise _failed("SemanticException: No location is given for an external table")
    if not re.fullmatch(r"s3a?://[^/]+(/.*)?", definition.location):
        raise _failed(f"SemanticException: The location {definition.location} is not in S3")


def _iceberg_content(statement: Statement, definition: TableDefinition) -> dict[str, Any]:
    if definition.external:
        raise _failed("SemanticException: External keyword not supported for table type ICEBERG")
    if definition.serde or definition.stored_as or definition.input_format or definition.serde_parameters:
        raise _failed("SemanticException: ROW FORMAT and STORED AS are not supported for table type ICEBERG")
    if definition.bucketed_by:
        raise _failed("SemanticException: CLUSTERED BY is not supported for table type ICEBERG")
    _check_iceberg_properties(definition.properties)
    types = {column.name: column.type for column in definition.columns}
    for transform in definition.partition_transforms:
        partition_expression(transform, types)
    if definition.partition_keys:
        raise _failed("SemanticException: PARTITIONED BY of an Iceberg table names its columns, without types")
    for column in definition.columns:
        if column.type in ("tinyint", "smallint") or column.type.startswith(("char", "varchar")):
            raise _failed(f"SemanticException: Type not supported for Iceberg: {column.type} [column {column.name}]")
    metadata = iceberg.new_metadata(definition.columns, tuple(definition.partition_transforms))
    written = iceberg.write(statement.store, definition.location, metadata, 0)
    rest = {key: value for key, value in definition.properties.items() if key != "table_type"}
    return {
        "Name": definition.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {**iceberg.parameters(written), **rest},
        "StorageDescriptor": {
            "Columns": [column.to_glue() for column in definition.columns],
            "Location": definition.location.rstrip("/"),
        },
    }


# https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html: a predefined list
_ICEBERG_PROPERTIES = frozenset(
    """table_type format write_compression compression_level optimize_rewrite_data_file_threshold
    optimize_rewrite_delete_file_threshold vacuum_min_snapshots_to_keep vacuum_max_snapshot_age_seconds
    vacuum_max_metadata_files_to_keep write_target_data_file_size_bytes""".split()  # noqa: SIM905 - a list of words
)


def _check_iceberg_properties(properties: dict[str, str]) -> None:
    if unknown := [key for key in properties if key.lower() not in _ICEBERG_PROPERTIES]:
        raise _failed(f"SemanticException: Unsupported table property key: {unknown[0]}")
    if properties.get("format", "parquet").lower() != "parquet":
        raise NotEmulatedError(f"Iceberg tables of {properties['format'].upper()}")


def _hive_content(definition: TableDefinition) -> dict[str, Any]:
    if not definition.external:
        raise _failed(
            "SemanticException: CREATE TABLE without EXTERNAL is for Iceberg tables only (table_type = 'ICEBERG')"
        )
    if definition.partition_transforms:
        raise _failed("SemanticException: the partition keys of a Hive table need types")
    serde = definition.serde or default_serde(definition.stored_as)
    check_serde(serde)
    classes = (
        {"InputFormat": definition.input_format, "OutputFormat": definition.output_format}
        if definition.input_format
        else input_and_output(serde == PARQUET)
    )
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
        statement.store.delete(table.location)
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
        raise _failed(f"SemanticException [Error 10001]: Table not found {schema}.{name}")
    if table.is_view:
        raise _failed("SemanticException Cannot drop a view with DROP TABLE")
    _drop(statement, table)
    return Result("DDL", "DROP_TABLE")


# -------------------- ALTER


def _alter_database(statement: Statement, parser: HiveParser) -> Result:
    raise NotEmulatedError("ALTER DATABASE")


def _alter_table(statement: Statement, parser: HiveParser) -> Result:
    schema, name = _names(statement, parser)
    table = statement.catalog.table(schema, name)
    if table is None:
        raise _failed(f"SemanticException [Error 10001]: Table not found {schema}.{name}")
    if table.is_view:
        raise _failed(f"SemanticException: {schema}.{name} is a view")
    for words, action in _ALTERATIONS.items():
        if parser.take(*words):
            action(statement, parser, table)
            return Result("DDL", "ALTER_TABLE")
    raise parser.fail("an ALTER TABLE clause")


def _update(statement: Statement, table: Table, **changes: object) -> None:
    statement.catalog.update_table(table.schema, {**table.table_input(), **changes})


def _set_columns(statement: Statement, table: Table, columns: list[tuple[str | None, Column]]) -> None:
    """Give the table these columns, each an old one by its name, or new."""
    new = [column for _, column in columns]
    names = [column.name for column in new + table.partition_keys]
    if duplicate := next((name for name in names if names.count(name) > 1), None):
        raise _failed(f"SemanticException [Error 10036]: Duplicate column name: {duplicate}")
    if table.is_iceberg:
        iceberg.commit(
            statement.catalog, statement.store, table, lambda newest: newest.with_columns(columns), columns=new
        )
    else:
        descriptor = {**table.descriptor, "Columns": [column.to_glue() for column in new]}
        _update(statement, table, StorageDescriptor=descriptor)


def _kept(table: Table) -> list[tuple[str | None, Column]]:
    return [(column.name, column) for column in table.columns]


def _add_columns(statement: Statement, parser: HiveParser, table: Table) -> None:
    columns = parser.columns()
    parser.end()
    for column in columns:
        if table.is_iceberg and (column.type in ("tinyint", "smallint") or column.type.startswith("char")):
            raise _failed(f"SemanticException: Type not supported for Iceberg: {column.type}")
    _set_columns(statement, table, [*_kept(table), *((None, column) for column in columns)])


def _replace_columns(statement: Statement, parser: HiveParser, table: Table) -> None:
    columns = parser.columns()
    parser.end()
    if table.is_iceberg:
        raise _failed("SemanticException: REPLACE COLUMNS is not supported for Iceberg tables")
    _set_columns(statement, table, [(None, column) for column in columns])


def _drop_column(statement: Statement, parser: HiveParser, table: Table) -> None:
    name = parser.name()
    parser.end()
    if not table.is_iceberg:
        raise _failed("ParseException: DROP COLUMN is for Iceberg tables only")
    if name not in [column.name for column in table.columns]:
        raise _failed(f"SemanticException [Error 10002]: Invalid column reference {name}")
    if name in " ".join(iceberg.load(statement.store, table).partitioning):
        raise _failed(f"SemanticException: Cannot drop the partition column {name}")
    _set_columns(statement, table, [(old, column) for old, column in _kept(table) if old != name])


_PROMOTIONS = {("int", "bigint"), ("float", "double")}


def _change_column(statement: Statement, parser: HiveParser, table: Table) -> None:
    old = parser.name()
    new = parser.column()
    if parser.peek() in ("FIRST", "AFTER"):
        raise NotEmulatedError("ALTER TABLE … CHANGE COLUMN … FIRST or AFTER")
    parser.end()
    current = next((column for column in table.columns if column.name == old), None)
    if current is None:
        raise _failed(f"SemanticException [Error 10002]: Invalid column reference {old}")
    if table.is_iceberg:
        promotes = (
            current.type == new.type
            or (current.type, new.type) in _PROMOTIONS
            or (current.type.startswith("decimal") and new.type.startswith("decimal"))
        )
        if not promotes:
            raise _failed(f"SemanticException: Cannot change column type: {old}: {current.type} -> {new.type}")
    from_hive(new.type)
    _set_columns(statement, table, [(name, new if name == old else column) for name, column in _kept(table)])


def _set_properties(statement: Statement, parser: HiveParser, table: Table) -> None:
    properties = parser.properties()
    parser.end()
    if table.is_iceberg:
        _check_iceberg_properties(properties)
    _update(statement, table, Parameters={**table.parameters, **properties})


def _unset_properties(statement: Statement, parser: HiveParser, table: Table) -> None:
    parser.expect("(")
    names = [parser.text()]
    while parser.take(","):
        names.append(parser.text())
    parser.expect(")")
    _update(statement, table, Parameters={key: value for key, value in table.parameters.items() if key not in names})


def _set_location(statement: Statement, parser: HiveParser, table: Table) -> None:
    location = parser.text()
    parser.end()
    if table.is_iceberg:
        raise _failed("SemanticException: SET LOCATION is not supported for Iceberg tables")
    _update(statement, table, StorageDescriptor={**table.descriptor, "Location": location})


def _rename(statement: Statement, parser: HiveParser, table: Table) -> None:
    schema, name = parser.table_name()
    parser.end()
    if not table.is_iceberg:
        raise _failed("SemanticException: RENAME TO is for Iceberg tables only")
    target = schema or table.schema
    if statement.catalog.table(target, name):
        raise _failed(f"SemanticException: Table already exists: {target}.{name}")
    statement.catalog.create_table(target, {**table.table_input(), "Name": name})
    statement.catalog.drop_table(table.schema, table.name)


def _partition_values(table: Table, spec: dict[str, str]) -> tuple[str, ...]:
    keys = [key.name for key in table.partition_keys]
    if sorted(spec) != sorted(keys):
        raise _failed(f"SemanticException: partition spec {spec} doesn't contain all partition columns {keys}")
    return tuple(spec[key] for key in keys)


def _default_partition_location(table: Table, values: Sequence[str]) -> str:
    parts = (f"{key.name}={value}" for key, value in zip(table.partition_keys, values, strict=True))
    return as_folder(table.location) + "/".join(parts) + "/"


def _add_partition(statement: Statement, parser: HiveParser, table: Table) -> None:
    if_not_exists = parser.take("IF", "NOT", "EXISTS")
    if parser.peek() != "PARTITION":
        raise parser.fail("COLUMNS or PARTITION")
    if not table.partition_keys:
        raise _failed(f"SemanticException: table {table.name} is not partitioned but partition spec exists")
    while parser.take("PARTITION"):
        values = _partition_values(table, parser.partition_spec())
        location = parser.text() if parser.take("LOCATION") else _default_partition_location(table, values)
        added = statement.catalog.add_partition(table, Partition(values, location))
        if not added and not if_not_exists:
            raise _failed(
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
            raise _failed(f"SemanticException [Error 10006]: Partition not found {list(values)}")
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


def _repair(statement: Statement, parser: HiveParser) -> Result:
    schema, name = _names(statement, parser)
    parser.end()
    table = statement.table(schema, name)
    keys = [key.name for key in table.partition_keys]
    if not keys:
        raise _failed(f"Execution Error, return code 1. Table {name} is not partitioned")
    known = {partition.values for partition in statement.catalog.partitions(table)}
    added = []
    folder = as_folder(table.location)
    for item in statement.store.below(table.location):
        parts = item.uri[len(folder) :].split("/")[: len(keys)]
        pairs = [part.partition("=") for part in parts]
        if len(pairs) == len(keys) and all(pair[0].lower() == key for pair, key in zip(pairs, keys, strict=True)):
            values = tuple(unquote(pair[2]) for pair in pairs)
            if values not in known:
                known.add(values)
                statement.catalog.add_partition(table, Partition(values, f"{folder}{'/'.join(parts)}/"))
                added.append(f"Repair: Added partition to metastore {name}:{'/'.join(parts)}")
    return Result("DDL", "MSCK_REPAIR_TABLE", rows=[(line,) for line in added])


# -------------------- SHOW and DESCRIBE


def _pattern(parser: HiveParser) -> Callable[[str], bool]:
    """SHOW's patterns: `*` for anything and `|` for alternatives."""
    parser.take("LIKE")
    if parser.at_end:
        return lambda name: True
    patterns = parser.text().lower().split("|")
    return lambda name: any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _show_databases(statement: Statement, parser: HiveParser) -> Result:
    fits = _pattern(parser)
    return text_result(
        "SHOW_DATABASES", (name for name in statement.catalog.databases() if fits(name)), "database_name"
    )


def _show_relations(statement: Statement, parser: HiveParser, views_only: bool) -> Iterable[str]:
    schema = parser.name() if parser.take("IN") or parser.take("FROM") else statement.schema
    fits = _pattern(parser)
    parser.end()
    if not statement.catalog.has_database(schema):
        raise _failed(f"SemanticException [Error 10072]: Database does not exist: {schema}")
    tables = statement.catalog.tables(schema)
    return [table.name for table in tables if fits(table.name) and (table.is_view or not views_only)]


def _show_tables(statement: Statement, parser: HiveParser) -> Result:
    return text_result("SHOW_TABLES", _show_relations(statement, parser, views_only=False), "tab_name")


def _show_views(statement: Statement, parser: HiveParser) -> Result:
    return text_result("SHOW_VIEWS", _show_relations(statement, parser, views_only=True), "views")


def _named_table(statement: Statement, parser: HiveParser) -> Table:
    schema, name = _names(statement, parser)
    if parser.take("IN") or parser.take("FROM"):
        schema = parser.name()
    parser.end()
    return statement.table(schema, name)


def _show_columns(statement: Statement, parser: HiveParser) -> Result:
    if not (parser.take("IN") or parser.take("FROM")):
        raise parser.fail("IN")
    table = _named_table(statement, parser)
    return text_result("SHOW_COLUMNS", (column.name for column in table.columns + table.partition_keys), "field")


def _show_partitions(statement: Statement, parser: HiveParser) -> Result:
    table = _named_table(statement, parser)
    if not table.partition_keys:
        raise _failed(f"SemanticException: Table {table.name} is not a partitioned table")
    found = projection.partitions(table, {}) if projection.is_projected(table) else statement.catalog.partitions(table)
    keys = [key.name for key in table.partition_keys]
    lines = (
        "/".join(f"{key}={value}" for key, value in zip(keys, partition.values, strict=True)) for partition in found
    )
    return text_result("SHOW_PARTITIONS", sorted(lines), "partition")


def _show_properties(statement: Statement, parser: HiveParser) -> Result:
    schema, name = _names(statement, parser)
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


def _show_create_table(statement: Statement, parser: HiveParser) -> Result:
    table = _named_table(statement, parser)
    if table.is_view:
        raise _failed(f"SemanticException: {table.name} is a view: use SHOW CREATE VIEW")
    kind = "TABLE" if table.is_iceberg else "EXTERNAL TABLE"
    lines = [f"CREATE {kind} `{table.schema}.{table.name}`(", *_column_lines(table.columns)]
    if table.is_iceberg:
        if partitioning := iceberg.load(statement.store, table).partitioning:
            lines.append(f"PARTITIONED BY ({', '.join(partitioning)})")
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


def _show_create_view(statement: Statement, parser: HiveParser) -> Result:
    table = _named_table(statement, parser)
    view = statement.catalog.view(table.schema, table.name)
    if view is None:
        raise AthenaError(
            "NOT_SUPPORTED", f"line 1:1: Relation 'awsdatacatalog.{table.schema}.{table.name}' is a table, not a view"
        )
    return text_result(
        "SHOW_CREATE_VIEW", [f"CREATE VIEW {table.schema}.{table.name} AS", *view.sql.splitlines()], "Create View"
    )


def _describe(statement: Statement, parser: HiveParser) -> Result:
    if parser.peek() in ("EXTENDED", "FORMATTED"):
        raise NotEmulatedError("DESCRIBE EXTENDED and DESCRIBE FORMATTED")
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


_STATEMENTS: dict[tuple[str, ...], Callable[[Statement, HiveParser], Result]] = {
    ("CREATE", "DATABASE"): _create_database,
    ("CREATE", "SCHEMA"): _create_database,
    ("CREATE",): _create_table,
    ("DROP", "DATABASE"): _drop_database,
    ("DROP", "SCHEMA"): _drop_database,
    ("DROP", "TABLE"): _drop_table,
    ("ALTER", "DATABASE"): _alter_database,
    ("ALTER", "TABLE"): _alter_table,
    ("MSCK", "REPAIR", "TABLE"): _repair,
    ("SHOW", "DATABASES"): _show_databases,
    ("SHOW", "SCHEMAS"): _show_databases,
    ("SHOW", "TABLES"): _show_tables,
    ("SHOW", "VIEWS"): _show_views,
    ("SHOW", "COLUMNS"): _show_columns,
    ("SHOW", "PARTITIONS"): _show_partitions,
    ("SHOW", "TBLPROPERTIES"): _show_properties,
    ("SHOW", "CREATE", "TABLE"): _show_create_table,
    ("SHOW", "CREATE", "VIEW"): _show_create_view,
    ("DESCRIBE",): _describe,
    ("DESC",): _describe,
}
