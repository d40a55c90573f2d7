"""CREATE TABLE … AS, UNLOAD and CREATE VIEW: Athena's names for Trino's clauses.

https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html, …/unload.html, …/create-view.html
"""

from __future__ import annotations

import re
import uuid

from dbt_local_aws.athena import refusals
from dbt_local_aws.athena.errors import AthenaError, syntax_error
from dbt_local_aws.athena.glue_table import RECORDED
from dbt_local_aws.athena.iceberg import codec, iceberg_properties, partitioning
from dbt_local_aws.athena.names import CATALOG, ICEBERG, literal, quoted
from dbt_local_aws.athena.objects import as_folder
from dbt_local_aws.athena.reading import Reader, Value, as_written
from dbt_local_aws.athena.results import Result
from dbt_local_aws.athena.statement import Statement
from dbt_local_aws.athena.types import to_hive

_LISTS = ("partitioned_by", "partitioning", "bucketed_by")
_COMMON = ("table_type", "is_external", "format", "write_compression", "compression_level")
_HIVE_ONLY = (
    "external_location", "partitioned_by", "bucketed_by", "bucket_count", "field_delimiter", "parquet_compression",
    "orc_compression",
)  # fmt: skip
_ICEBERG_ONLY = ("location", "partitioning")
_HIVE_FORMATS = ("parquet", "orc", "avro", "json", "textfile")
_WITHOUT_DATA = re.compile(r"\s+with\s+(no\s+)?data\s*\Z", re.IGNORECASE)


def create_table_as(statement: Statement) -> Result:
    """CREATE TABLE [IF NOT EXISTS] name [WITH (…)] AS query [WITH [NO] DATA]."""
    reader = Reader(statement.sql)
    reader.expect("CREATE", "TABLE")
    if_not_exists = reader.take("IF", "NOT", "EXISTS")
    schema, name = statement.full(reader.table())
    properties = reader.properties() if reader.take("WITH") else {}
    reader.expect("AS")
    is_iceberg = _check_properties(properties)
    if statement.catalog.table(schema, name):
        if if_not_exists:
            return Result("DDL", "CREATE_TABLE_AS_SELECT", update_count=0)
        raise AthenaError(
            "TABLE_ALREADY_EXISTS", f"line 1:1: Destination table '{CATALOG}.{schema}.{name}' already exists"
        )
    statement.catalog.require_database(schema)
    make = _iceberg_clauses if is_iceberg else _hive_clauses
    clauses = make(statement, schema, name, properties)
    target = quoted(ICEBERG if is_iceberg else CATALOG, schema, name)
    sent = f"CREATE TABLE {target} WITH ({', '.join(clauses)}) AS {reader.rest}"
    if is_iceberg:
        query = _WITHOUT_DATA.sub("", reader.rest)
        written = statement.sql[: reader.position + len(query)]
        refusals.check_iceberg_types(_types(statement, query, written))
    recorded = {key: str(value) for key, value in properties.items() if key in RECORDED}

    def finish() -> None:
        if recorded:
            table = statement.table(schema, name)
            statement.catalog.update_table(table, Parameters={**table.parameters, **recorded})

    return Result(
        "DDL",
        "CREATE_TABLE_AS_SELECT",
        statement.ask(sent, _session(properties, is_iceberg)),
        update_count=0,
        sent=sent,
        finish=finish,
    )


def _types(statement: Statement, query: str, written: str) -> list[tuple[str, str]]:
    """The types of a query's columns; an error tells the place in what was written."""
    try:
        return statement.output_types(query)
    except AthenaError as error:
        message = str(error).removeprefix(f"{error.name}: ")
        raise AthenaError(error.name, as_written(message, query, written)) from error


def _check_properties(properties: dict[str, Value]) -> bool:
    """Whether the table is to be Iceberg's; refuses properties of the other kind."""
    kind = str(properties.get("table_type", "hive")).lower()
    if kind not in ("hive", "iceberg"):
        raise AthenaError("INVALID_TABLE_PROPERTY", f"Invalid value for table property 'table_type': {kind}")
    is_iceberg = kind == "iceberg"
    known = (*_COMMON, *_ICEBERG_ONLY, *RECORDED) if is_iceberg else (*_COMMON, *_HIVE_ONLY)
    for name, value in properties.items():
        if name not in known:
            raise AthenaError(
                "INVALID_TABLE_PROPERTY",
                f"line 1:1: Catalog '{CATALOG}' table property '{name}' does not exist for {kind.upper()} tables",
            )
        if (name in _LISTS) != isinstance(value, tuple):
            expected = "array(varchar)" if name in _LISTS else "varchar"
            raise AthenaError(
                "INVALID_TABLE_PROPERTY",
                f"line 1:1: Invalid value for catalog '{CATALOG}' table property '{name}': not {expected}",
            )
    if ("bucketed_by" in properties) != ("bucket_count" in properties):
        raise AthenaError("INVALID_TABLE_PROPERTY", "bucketed_by and bucket_count must be specified together")
    if is_iceberg and properties.get("is_external") is not False:
        raise AthenaError(
            "INVALID_TABLE_PROPERTY", "External tables are not supported for Iceberg: set is_external = false"
        )
    if is_iceberg and not properties.get("location"):
        raise AthenaError("INVALID_TABLE_PROPERTY", "Table location can not be null or empty for an Iceberg table")
    return is_iceberg


def _array(values: Value) -> str:
    return f"ARRAY[{', '.join(literal(item.lower()) for item in values)}]" if isinstance(values, tuple) else ""


def _iceberg_clauses(statement: Statement, schema: str, name: str, properties: dict[str, Value]) -> list[str]:
    location = str(properties["location"])
    if not statement.store.is_empty(location):
        raise AthenaError(
            "ICEBERG_FILESYSTEM_ERROR",
            f"Cannot create a table on a non-empty location: {location}, for {schema}.{name}",
        )
    texts = {key: str(value) for key, value in properties.items() if isinstance(value, str)}
    clauses = [f"location = {literal(location.rstrip('/'))}", *iceberg_properties(texts)]
    if columns := properties.get("partitioning"):
        clauses.append(f"partitioning = {_array(partitioning(tuple(columns)) if isinstance(columns, tuple) else ())}")
    return clauses


def _hive_clauses(statement: Statement, schema: str, name: str, properties: dict[str, Value]) -> list[str]:
    location = str(properties.get("external_location", ""))
    if location and statement.default_location.is_enforced:
        # https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html
        raise AthenaError(
            "INVALID_TABLE_PROPERTY",
            "The Create Table As Select query has an 'external_location' property, and its work group enforces a "
            "centralized output location",
        )
    location = location or as_folder(statement.default_location.uri)
    if not statement.store.is_empty(location):
        raise AthenaError(
            "HIVE_PATH_ALREADY_EXISTS", f"Target directory for table '{schema}.{name}' already exists: {location}"
        )
    return _hive_properties(location, properties)


def _hive_properties(location: str, properties: dict[str, Value]) -> list[str]:
    form = str(properties.get("format", "parquet")).lower()
    if form not in _HIVE_FORMATS:
        raise AthenaError("INVALID_TABLE_PROPERTY", f"Unsupported format: {form.upper()}")
    clauses = [f"external_location = {literal(location)}", f"format = {literal(form.upper())}"]
    clauses += [f"{key} = {_array(properties[key])}" for key in ("partitioned_by", "bucketed_by") if key in properties]
    if "bucket_count" in properties:
        clauses.append(f"bucket_count = {properties['bucket_count']}")
    if form == "textfile" and "field_delimiter" in properties:
        clauses.append(f"textfile_field_separator = {literal(str(properties['field_delimiter']))}")
    return clauses


def _session(properties: dict[str, Value], is_iceberg: bool) -> dict[str, str]:
    """GZIP, unless a Hive table says otherwise: https://docs.aws.amazon.com/athena/latest/ug/compression-formats.html."""
    if is_iceberg:
        return {}
    named = ("write_compression", "parquet_compression", "orc_compression", "compression")
    chosen = next((str(properties[name]) for name in named if name in properties), "gzip")
    return {f"{CATALOG}.compression_codec": codec(chosen)}


# -------------------- UNLOAD

_UNLOAD_PROPERTIES = ("format", "partitioned_by", "compression", "field_delimiter")


def unload(statement: Statement) -> Result:
    """UNLOAD (query) TO 'location' WITH (…): the files of a table that is forgotten at once."""
    reader = Reader(statement.sql)
    reader.expect("UNLOAD")
    query = reader.bracketed()
    reader.expect("TO")
    location = reader.text()
    reader.expect("WITH")
    properties = reader.properties()
    reader.end()
    if unknown := [name for name in properties if name not in _UNLOAD_PROPERTIES]:
        raise AthenaError("INVALID_TABLE_PROPERTY", f"UNLOAD has no property {unknown[0]}")
    if "format" not in properties:
        raise syntax_error("line 1:1: UNLOAD needs the property 'format'")
    if not statement.store.is_empty(location):
        raise AthenaError("HIVE_PATH_ALREADY_EXISTS", f"Target directory already exists: {location}")
    name = f"unload_{uuid.uuid4().hex}"
    clauses = _hive_properties(as_folder(location), properties)
    target = quoted(CATALOG, statement.schema, name)
    sent = f"CREATE TABLE {target} WITH ({', '.join(clauses)}) AS {query}"
    return Result(
        "DML",
        "UNLOAD",
        statement.ask(sent, _session(properties, is_iceberg=False)),
        update_count=0,
        finish=lambda: statement.catalog.drop_table(statement.schema, name),
    )


# -------------------- views


def create_view(statement: Statement) -> Result:
    """CREATE [OR REPLACE] VIEW name AS query. Whoever reads it needs no owner: it runs with the reader's rights."""
    reader = Reader(statement.sql)
    reader.expect("CREATE")
    replace = " OR REPLACE" if reader.take("OR", "REPLACE") else ""
    reader.expect("VIEW")
    schema, name = statement.full(reader.table())
    reader.expect("AS")
    statement.catalog.require_database(schema)
    existing = statement.catalog.table(schema, name)
    if existing and not (replace and existing.is_view):
        kind = "View" if existing.is_view else "Table"
        raise AthenaError("TABLE_ALREADY_EXISTS", f"line 1:1: {kind} already exists: '{CATALOG}.{schema}.{name}'")
    columns = _types(statement, reader.rest, statement.sql[: reader.position + len(reader.rest)])
    names = [column.lower() for column, _ in columns]
    for column, kind in columns:
        if names.count(column.lower()) > 1:
            raise AthenaError("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{column}' specified more than once")
        to_hive(kind)
    sent = f"CREATE{replace} VIEW {quoted(CATALOG, schema, name)} SECURITY INVOKER AS {reader.rest}"
    return Result("DDL", "CREATE_VIEW", statement.ask(sent), sent=sent)
