"""CREATE TABLE … AS, CREATE VIEW and DROP VIEW."""
# ruff: noqa: S608 - what is written here is SQL; names and literals are quoted

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from local_aws.athena import grammar, iceberg
from local_aws.athena.catalog import Column, encode_view
from local_aws.athena.errors import AthenaError, NotEmulatedError, syntax_error
from local_aws.athena.expressions import Output, Query, refuse_unknown_parts
from local_aws.athena.formats import storage_descriptor
from local_aws.athena.objects import as_folder
from local_aws.athena.queries import ViewDefinition
from local_aws.athena.results import Result
from local_aws.athena.statement import Statement
from local_aws.athena.types import SqlType, to_duckdb, to_hive
from local_aws.athena.writing import Layout, Staged, write_hive, write_iceberg

# https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html#ctas-table-properties
_KNOWN_PROPERTIES = frozenset(
    """table_type external_location location is_external format partitioned_by partitioning bucketed_by bucket_count
    write_compression field_delimiter orc_compression parquet_compression compression_level
    vacuum_max_snapshot_age_seconds vacuum_min_snapshots_to_keep vacuum_max_metadata_files_to_keep
    optimize_rewrite_data_file_threshold optimize_rewrite_delete_file_threshold
    write_target_data_file_size_bytes""".split()  # noqa: SIM905 - a list of words
)
_RECORDED = ("vacuum_", "optimize_", "write_target_", "write_compression", "compression_level")
_LISTS = ("partitioned_by", "partitioning", "bucketed_by")


@dataclass
class CtasProperties:
    """WITH (…) of a CTAS."""

    iceberg: bool = False
    location: str = ""
    format: str = "parquet"
    partitioning: tuple[str, ...] = ()
    bucketed_by: tuple[str, ...] = ()
    bucket_count: int = 0
    compression: str = ""
    field_delimiter: str = "\x01"
    recorded: dict[str, str] = field(default_factory=dict)


def _property_value(node: exp.Expr) -> str | tuple[str, ...]:
    if isinstance(node, exp.Array):
        return tuple(item.name for item in node.expressions)
    if isinstance(node, exp.Boolean):
        return str(node.this).lower()
    if isinstance(node, (exp.Tuple, exp.Schema)):
        return tuple(item.name for item in node.expressions)
    return node.name


def _raw_properties(create: exp.Create) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in (create.args.get("properties") or exp.Properties()).expressions:
        if isinstance(item, exp.WithDataProperty):
            continue
        if isinstance(item, exp.PartitionedByProperty):
            name, node = "partitioned_by", item.this
        elif isinstance(item, exp.LocationProperty):
            name, node = "location", item.this
        elif isinstance(item, exp.FileFormatProperty):
            name, node = "format", item.this
        elif type(item) is exp.Property:
            name, node = item.name.lower(), item.args["value"]
        else:
            raise syntax_error(f"line 1:1: mismatched input '{item.sql('trino')}'")
        if name not in _KNOWN_PROPERTIES:
            raise AthenaError(
                "INVALID_TABLE_PROPERTY", f"line 1:1: Catalog 'awsdatacatalog' table property '{name}' does not exist"
            )
        found[name] = _property_value(node)
        if (name in _LISTS) != isinstance(found[name], tuple):
            kind = "array(varchar)" if name in _LISTS else "varchar"
            raise AthenaError(
                "INVALID_TABLE_PROPERTY",
                f"line 1:1: Invalid value for catalog 'awsdatacatalog' table property '{name}': Cannot convert "
                f"{node.sql('trino')} to {kind}",
            )
    return found


def ctas_properties(create: exp.Create) -> CtasProperties:
    """The properties, checked: Hive and Iceberg tables have different ones."""
    raw = _raw_properties(create)
    kind = str(raw.get("table_type", "hive")).lower()
    if kind not in ("hive", "iceberg"):
        raise AthenaError("INVALID_TABLE_PROPERTY", f"Invalid value for table property 'table_type': {kind}")
    is_iceberg = kind == "iceberg"
    refused = (
        ("external_location", "partitioned_by", "bucketed_by", "bucket_count")
        if is_iceberg
        else ("location", "partitioning")
    )
    if wrong := [name for name in refused if name in raw]:
        raise AthenaError(
            "INVALID_TABLE_PROPERTY", f"Table property '{wrong[0]}' is not supported for {kind.upper()} tables"
        )
    if ("bucketed_by" in raw) != ("bucket_count" in raw):
        raise AthenaError("INVALID_TABLE_PROPERTY", "bucketed_by and bucket_count must be specified together")
    if is_iceberg and raw.get("is_external") != "false":
        raise AthenaError(
            "INVALID_TABLE_PROPERTY", "External tables are not supported for Iceberg: set is_external = false"
        )
    if is_iceberg and not raw.get("location"):
        raise AthenaError("INVALID_TABLE_PROPERTY", "Table location can not be null or empty for an Iceberg table")
    return CtasProperties(
        iceberg=is_iceberg,
        location=str(raw.get("location" if is_iceberg else "external_location", "")),
        format=str(raw.get("format", "parquet")).lower(),
        partitioning=tuple(item.lower() for item in raw.get("partitioning" if is_iceberg else "partitioned_by", ())),
        bucketed_by=tuple(item.lower() for item in raw.get("bucketed_by", ())),
        bucket_count=int(raw.get("bucket_count", 0)),
        compression=str(
            raw.get("write_compression")
            or raw.get("parquet_compression")
            or (iceberg.DEFAULT_COMPRESSION if is_iceberg else "GZIP")
        ),
        field_delimiter=str(raw.get("field_delimiter", "\x01")),
        recorded={name: str(value) for name, value in raw.items() if name.startswith(_RECORDED)},
    )


# -------------------- types of new tables


def _timestamps(kind: SqlType) -> list[SqlType]:
    found = [kind] if kind.base == "timestamp" else []
    return found + [inner for item in kind.items for inner in _timestamps(item)]


def _check_type(output: Output, is_iceberg: bool) -> None:
    kind, name = output.type, output.column
    if kind.base == "unknown":
        raise AthenaError("COLUMN_TYPE_UNKNOWN", f"line 1:1: Column type is unknown: {name}")
    to_hive(kind)
    for stamp in _timestamps(kind):
        if is_iceberg and stamp.args != (6,):
            raise AthenaError(
                "NOT_SUPPORTED",
                f'Timestamp precision ({stamp.args[0]}) not supported for Iceberg. Use "timestamp(6)" instead. '
                f"[column {name}]",
            )
        if not is_iceberg and stamp.args != (3,):
            raise AthenaError(
                "NOT_SUPPORTED",
                f"Incorrect timestamp precision for {stamp}; the configured precision is MILLISECONDS; "
                f"column name: {name}",
            )
    if is_iceberg and kind.base in ("tinyint", "smallint", "char"):
        raise AthenaError("NOT_SUPPORTED", f"Type not supported for Iceberg: {kind} [column {name}]")


def _iceberg_type(kind: SqlType) -> str:
    # Iceberg has one type for text, whatever its length.
    return "string" if kind.base == "varchar" else to_hive(kind)


def _new_columns(query: Query, is_iceberg: bool) -> list[Column]:
    names = [(output.name or "").lower() for output in query.outputs]
    for at, (name, output) in enumerate(zip(names, query.outputs, strict=True), 1):
        if not name:
            raise AthenaError("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {at}")
        if names.count(name) > 1:
            raise AthenaError("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{name}' specified more than once")
        _check_type(output, is_iceberg)
    return [
        Column(name, _iceberg_type(output.type) if is_iceberg else to_hive(output.type))
        for name, output in zip(names, query.outputs, strict=True)
    ]


def stage(statement: Statement, query: Query, columns: list[str]) -> Staged:
    """Compute a query's rows under the names that the files will have."""
    items = ", ".join(
        f'cast("{output.column}" as {to_duckdb(output.type)}) as "{name}"'
        for output, name in zip(query.outputs, columns, strict=True)
    )
    statement.connection.execute(f"create or replace temp table staged as select {items} from ({query.sql})")
    return Staged("staged", tuple(columns))


# -------------------- CTAS


def create_table_as(statement: Statement, create: exp.Create) -> Result:
    """CREATE TABLE … WITH (…) AS query."""
    refuse_unknown_parts(create, "this", "kind", "expression", "exists", "properties", "no_schema_binding")
    schema, name = statement.names(create.this)
    if isinstance(create.this, exp.Schema):
        raise syntax_error("line 1:1: mismatched input '('. Column definitions are not allowed in CREATE TABLE AS here")
    properties = ctas_properties(create)
    if statement.catalog.table(schema, name):
        if create.args.get("exists"):
            return Result("DDL", "CREATE_TABLE_AS_SELECT", update_count=0)
        raise AthenaError(
            "TABLE_ALREADY_EXISTS", f"line 1:1: Destination table 'awsdatacatalog.{schema}.{name}' already exists"
        )
    statement.catalog.require_database(schema)
    if properties.location and not properties.iceberg and statement.default_location.is_enforced:
        # https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html
        raise AthenaError(
            "INVALID_TABLE_PROPERTY",
            "The Create Table As Select query has an 'external_location' property, and its work group enforces a "
            "centralized output location",
        )
    location = properties.location or as_folder(statement.default_location.uri)
    query = statement.query(create.expression)
    columns = _new_columns(query, properties.iceberg)
    if not statement.store.is_empty(location):
        error = "ICEBERG_FILESYSTEM_ERROR" if properties.iceberg else "HIVE_PATH_ALREADY_EXISTS"
        raise AthenaError(error, f"Target directory for table '{schema}.{name}' already exists: {location}")
    if (with_data := create.find(exp.WithDataProperty)) and with_data.args.get("no"):
        query = replace(query, sql=f"select * from ({query.sql}) limit 0")
    staged = stage(statement, query, [column.name for column in columns])
    new = _NewTable(schema, name, columns, location, staged)
    rows = (_create_iceberg if properties.iceberg else _create_hive)(statement, new, properties)
    return Result("DDL", "CREATE_TABLE_AS_SELECT", update_count=rows)


@dataclass(frozen=True)
class _NewTable:
    """A table that is about to be: its rows are computed, and nothing is written."""

    schema: str
    name: str
    columns: list[Column]
    location: str
    staged: Staged


def _create_iceberg(statement: Statement, new: _NewTable, properties: CtasProperties) -> int:
    if properties.format != "parquet":
        raise NotEmulatedError(f"Iceberg tables of {properties.format.upper()}")
    metadata = iceberg.new_metadata(new.columns, properties.partitioning)
    files = write_iceberg(statement, new.staged, metadata, new.location, properties.compression)
    files = tuple(file for file in files if file.rows)
    written = iceberg.write(statement.store, new.location, metadata.with_snapshot("append", files), 0)
    content = {
        "Name": new.name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {**iceberg.parameters(written), **properties.recorded},
        "StorageDescriptor": {
            "Columns": [column.to_glue() for column in new.columns],
            "Location": new.location.rstrip("/"),
        },
    }
    statement.catalog.create_table(new.schema, content)
    return sum(file.rows for file in files)


def _check_partition_columns(keys: tuple[str, ...], names: list[str]) -> None:
    if missing := [key for key in keys if key not in names]:
        raise AthenaError("INVALID_TABLE_PROPERTY", f"Partition columns {missing} not present in schema")
    if keys and tuple(names[-len(keys) :]) != keys:
        raise AthenaError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the table properties: "
            f"[{', '.join(keys)}]",
        )
    if len(keys) == len(names):
        raise AthenaError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")


def _create_hive(statement: Statement, new: _NewTable, properties: CtasProperties) -> int:
    keys = properties.partitioning
    names = [column.name for column in new.columns]
    _check_partition_columns(keys, names)
    if missing := [name for name in properties.bucketed_by if name not in names]:
        raise AthenaError("INVALID_TABLE_PROPERTY", f"Bucketing columns {missing} not present in schema")
    layout = Layout(
        properties.format,
        properties.compression,
        keys,
        properties.bucketed_by,
        properties.bucket_count,
        properties.field_delimiter,
    )
    descriptor = storage_descriptor(properties.format, properties.field_delimiter)
    written = write_hive(statement, new.staged, layout, new.location)
    descriptor |= {
        "Columns": [column.to_glue() for column in new.columns if column.name not in keys],
        "Location": new.location,
        "BucketColumns": list(properties.bucketed_by),
        "NumberOfBuckets": properties.bucket_count,
    }
    content = {
        "Name": new.name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [column.to_glue() for column in new.columns if column.name in keys],
        "Parameters": {"EXTERNAL": "TRUE", "numRows": str(written.rows)},
        "StorageDescriptor": descriptor,
    }
    statement.catalog.create_table(new.schema, content)
    table = statement.table(new.schema, new.name)
    for partition in written.partitions:
        statement.catalog.add_partition(table, partition)
    return written.rows


# -------------------- views


def create_view(statement: Statement, create: exp.Create) -> Result:
    """CREATE [OR REPLACE] VIEW: checked now, kept as text, checked again wherever it is read."""
    refuse_unknown_parts(create, "this", "kind", "expression", "replace")
    if isinstance(create.this, exp.Schema):
        raise NotEmulatedError("a view with a list of columns")
    schema, name = statement.names(create.this)
    statement.catalog.require_database(schema)
    compiler = statement.compiler()
    query = compiler.compile(create.expression)
    columns: list[tuple[str, str]] = []
    for at, output in enumerate(query.outputs, 1):
        column = (output.name or "").lower()
        if not column:
            raise AthenaError("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {at}")
        if any(column == known for known, _ in columns):
            raise AthenaError("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{column}' specified more than once")
        to_hive(output.type)
        columns.append((column, str(output.type)))
    definition = ViewDefinition(grammar.after_keyword_as(statement.sql), statement.schema, tuple(columns))
    content = {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": encode_view(definition),
        "ViewExpandedText": "/* Presto View */",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "StorageDescriptor": {
            "Columns": [
                {"Name": column, "Type": to_hive(output.type)}
                for (column, _), output in zip(columns, query.outputs, strict=True)
            ],
            "Location": "",
            "SerdeInfo": {},
        },
    }
    existing = statement.catalog.table(schema, name)
    if existing is None:
        statement.catalog.create_table(schema, content)
    elif not existing.is_view:
        raise AthenaError("TABLE_ALREADY_EXISTS", f"line 1:1: Table already exists: 'awsdatacatalog.{schema}.{name}'")
    elif not create.args.get("replace"):
        raise AthenaError("TABLE_ALREADY_EXISTS", f"line 1:1: View already exists: 'awsdatacatalog.{schema}.{name}'")
    else:
        statement.catalog.update_table(schema, content)
    return Result("DDL", "CREATE_VIEW")


def drop_view(statement: Statement, schema: str, name: str, if_exists: bool) -> Result:
    """DROP VIEW [IF EXISTS]."""
    table = statement.catalog.table(schema, name)
    if table is None:
        if if_exists:
            return Result("DDL", "DROP_VIEW")
        raise AthenaError("TABLE_NOT_FOUND", f"line 1:1: View 'awsdatacatalog.{schema}.{name}' does not exist")
    if not table.is_view:
        raise AthenaError(
            "TABLE_NOT_FOUND", f"line 1:1: View 'awsdatacatalog.{schema}.{name}' does not exist, but a table does"
        )
    statement.catalog.drop_table(schema, name)
    return Result("DDL", "DROP_VIEW")
