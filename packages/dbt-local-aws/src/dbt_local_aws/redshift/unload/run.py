"""Runs an UNLOAD: asks PostgreSQL for the rows, and writes them to S3 as they come."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from contextlib import aclosing

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.backend import Backend
from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.s3 import S3
from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_COLUMN_DEFINITION,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    RedshiftError,
)
from dbt_local_aws.redshift.unload.command import UnloadCommand
from dbt_local_aws.redshift.unload.files import Files
from dbt_local_aws.redshift.unload.history import Run, write_down
from dbt_local_aws.redshift.unload.rows import row_of
from dbt_local_aws.redshift.wire import Message

_BATCH_BYTES = 1 << 18
# "The column data types that you can use as the partition key are …"
_PARTITION_TYPES = {
    "smallint", "integer", "bigint", "numeric", "real", "boolean", "character", "character varying", "date",
    "timestamp without time zone",
}  # fmt: skip
_LONGEST_TEXT = 65535
_NAMES = {"text": "character varying", "jsonb": "super"}


async def unload(command: UnloadCommand, sql: str, backend: Backend, environment: LoadEnvironment) -> list[Message]:
    """Runs an UNLOAD of this query; gives the notices to send."""
    started = dt.datetime.now(dt.UTC)
    columns = await _columns(sql, backend)
    _check(command, columns)
    files = Files(command, columns, S3(environment, command.region))
    await asyncio.to_thread(files.prepare)
    async with aclosing(backend.copy_out(f"copy ({sql}\n) to stdout")) as lines:
        batch: list[Sequence[str | None]] = []
        size = 0
        async for line in lines:
            batch.append(row_of(line))
            size += len(line)
            if size >= _BATCH_BYTES:
                environment.cancellation.check()
                await asyncio.to_thread(files.write, batch)
                batch, size = [], 0
    await asyncio.to_thread(files.write, batch)
    await asyncio.to_thread(files.finish)
    rows = sum(file.rows for file in files.written)
    query_id = await write_down(Run(command, environment, started), files.written, backend)
    await backend.query(
        f"select set_config('redshift.last_unload_id', '{query_id}', false), "
        f"set_config('redshift.last_unload_count', '{rows}', false)"
    )
    said = f"UNLOAD completed, {rows} record(s) unloaded successfully."
    return [wire.fields_message(wire.NOTICE, {"S": "INFO", "C": "00000", "M": said})]


async def _columns(sql: str, backend: Backend) -> list[Column]:
    columns = []
    for field in await backend.columns_of(sql):
        query = f"select pg_catalog.format_type({field.type_oid}, null)"
        ((type_name,),) = (await backend.query(query)).rows
        columns.append(_column(field, type_name or ""))
    return columns


def _column(field: wire.Field, type_name: str) -> Column:
    modifier = field.modifier - 4
    is_text = type_name in ("character varying", "character", "text")
    bounded = type_name == "numeric" and modifier > 0
    return Column(
        name=field.name,
        type=_NAMES.get(type_name, type_name),
        length=(modifier if modifier > 0 else _LONGEST_TEXT) if is_text else None,
        precision=modifier >> 16 if bounded else None,
        scale=modifier & 0xFFFF if bounded else None,
        not_null=False,
    )


def _check(command: UnloadCommand, columns: Sequence[Column]) -> None:
    """Raises where a column cannot be unloaded, or no folder can be made of it."""
    types = {column.name: column.type for column in columns}
    if command.format == "json" and len(types) < len(columns):
        raise RedshiftError(INVALID_COLUMN_DEFINITION, "UNLOAD JSON: the name of each column must be unique")
    if command.format in ("json", "parquet") and "binary varying" in types.values():
        raise RedshiftError(FEATURE_NOT_SUPPORTED, "VARBYTE columns can be unloaded to text and CSV only")
    for name in command.partition_by:
        if name not in types:
            raise RedshiftError(UNDEFINED_COLUMN, f'Partition column "{name}" is not in the query result')
        if types[name] not in _PARTITION_TYPES:
            raise RedshiftError(
                FEATURE_NOT_SUPPORTED, f'Partition column "{name}" has an unsupported type: {types[name]}'
            )
    if command.partition_by and not command.includes_partitions and len(command.partition_by) >= len(columns):
        raise RedshiftError(SYNTAX_ERROR, "At least one column must not be a partition column")
