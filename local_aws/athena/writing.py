"""Writes rows to S3 as Athena lays them out: formats, compressions, partitions, buckets."""
# ruff: noqa: S608 - what is written here is SQL; names and literals are quoted

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote as url_quote

from local_aws.athena.catalog import Partition
from local_aws.athena.errors import AthenaError, NotEmulatedError, type_mismatch
from local_aws.athena.functions import quote
from local_aws.athena.iceberg import DataFile, Metadata
from local_aws.athena.objects import as_folder
from local_aws.athena.queries import quoted
from local_aws.athena.statement import Statement

MAX_OPEN_WRITERS = 100
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_PARQUET_CODECS = {
    "SNAPPY": "snappy",
    "GZIP": "gzip",
    "ZSTD": "zstd",
    "LZ4": "lz4_raw",
    "NONE": "uncompressed",
    "UNCOMPRESSED": "uncompressed",
}
_TRANSFORM = re.compile(r"(?P<name>\w+)\s*\((?P<arguments>[^)]*)\)")


@dataclass(frozen=True)
class Layout:
    """How a table's files look."""

    format: str = "parquet"
    compression: str = "GZIP"
    partitioned_by: tuple[str, ...] = ()
    bucketed_by: tuple[str, ...] = ()
    bucket_count: int = 0
    delimiter: str = "\x01"
    null: str = "\\N"


@dataclass(frozen=True)
class Staged:
    """Rows that are computed and not written yet: a DuckDB table and its columns."""

    relation: str
    columns: tuple[str, ...]

    def selected(self, without: Sequence[str] = ()) -> str:
        """The columns of the files."""
        return ", ".join(quoted(column) for column in self.columns if column not in without)


@dataclass
class Written:
    """What was written."""

    rows: int
    partitions: list[Partition] = field(default_factory=list)


def _copy_options(layout: Layout) -> tuple[str, str]:
    """DuckDB's options for a format, and the ending of the files' names."""
    if layout.format == "parquet":
        codec = _PARQUET_CODECS.get(layout.compression.upper())
        if codec is None:
            raise NotEmulatedError(f"Parquet compressed with {layout.compression}")
        return f"format parquet, compression {codec}", ".parquet"
    zipped = layout.compression.upper() == "GZIP"
    if not zipped and layout.compression.upper() not in ("NONE", "UNCOMPRESSED"):
        raise NotEmulatedError(f"text compressed with {layout.compression}")
    codec, ending = ("gzip", ".gz") if zipped else ("uncompressed", ".txt")
    if layout.format == "json":
        return f"format json, array false, compression {codec}", ending
    if layout.format == "textfile":
        # No quoting at all: LazySimpleSerDe knows none.
        return (
            f"format csv, header false, delimiter {quote(layout.delimiter)}, nullstr {quote(layout.null)}, "
            f"quote '', escape '', compression {codec}"
        ), ending
    raise NotEmulatedError(f"writing {layout.format.upper()}")


def _bucket(layout: Layout) -> str:
    columns = ", ".join(quoted(column) for column in layout.bucketed_by)
    return f"cast(hash({columns}) % {layout.bucket_count} as integer)" if layout.bucketed_by else "0"


def _check_open_writers(count: int, error: str) -> None:
    if count > MAX_OPEN_WRITERS:
        raise AthenaError(error, f"Exceeded limit of {MAX_OPEN_WRITERS} open writers for partitions/buckets")


def _path_part(name: str, value: str | None) -> str:
    text = _NULL_PARTITION if value is None else value
    return f"{name}={url_quote(text, safe=' -_.,~!()+@$')}"


def write_hive(statement: Statement, staged: Staged, layout: Layout, location: str) -> Written:
    """Write the rows of a Hive table: one object for each partition and bucket."""
    keys = layout.partitioned_by
    chosen = ", ".join([*(f"cast({quoted(key)} as varchar)" for key in keys), _bucket(layout)])
    groups = statement.connection.execute(f"select distinct {chosen} from {staged.relation} order by all").fetchall()
    _check_open_writers(len(groups), "HIVE_TOO_MANY_OPEN_PARTITIONS")
    rows = int(statement.scalar(f"select count(*) from {staged.relation}"))
    options, ending = _copy_options(layout)
    partitions: dict[tuple[str, ...], Partition] = {}
    for *values, bucket in groups:
        path = "/".join(_path_part(key, value) for key, value in zip(keys, values, strict=True))
        folder = as_folder(as_folder(location) + path)
        conditions = [
            f"cast({quoted(key)} as varchar) is not distinct from {'null' if value is None else quote(value)}"
            for key, value in zip(keys, values, strict=True)
        ] + [f"{_bucket(layout)} = {bucket}"]
        _put(
            statement,
            f"select {staged.selected(keys)} from {staged.relation} where {' and '.join(conditions)}",
            options,
            folder,
            ending,
        )
        texts = tuple(_NULL_PARTITION if value is None else value for value in values)
        partitions[texts] = Partition(texts, folder)
    return Written(rows, list(partitions.values()) if keys else [])


def _put(statement: Statement, select: str, options: str, folder: str, ending: str) -> str:
    path = statement.store.temporary_file(ending)
    try:
        statement.connection.execute(f"copy ({select}) to {quote(str(path))} ({options})")
        return statement.store.upload(path, folder, f"{uuid.uuid4()}{ending}")
    finally:
        path.unlink(missing_ok=True)


# -------------------- Iceberg


# https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html: what each transform takes
_NUMBERS = ("int", "integer", "bigint", "decimal")
_TRANSFORMED = {
    "year": ("date", "timestamp"),
    "month": ("date", "timestamp"),
    "day": ("date", "timestamp"),
    "hour": ("timestamp",),
    "bucket": (*_NUMBERS, "date", "timestamp", "string", "varchar", "binary", "varbinary"),
    "truncate": (*_NUMBERS, "string", "varchar"),
}


def partition_expression(transform: str, columns: Mapping[str, str]) -> tuple[str, str]:
    """A partition transform as the name of its folder and an expression.

    It is a column, year(c), month(c), day(c), hour(c), bucket(c, n) or truncate(c, n), with the last two's arguments in
    either order, as CTAS and DDL have them. `columns` are the table's, with their types.
    """
    found = _TRANSFORM.fullmatch(transform.strip())
    if not found:
        name = transform.strip().strip('"').lower()
        _require(name, columns)
        return name, f"cast({quoted(name)} as varchar)"
    kind = found["name"].lower()
    arguments = [argument.strip().strip('"').lower() for argument in found["arguments"].split(",")]
    column = next((argument for argument in arguments if not argument.isdigit()), "")
    number = next((argument for argument in arguments if argument.isdigit()), "")
    _require(column, columns)
    base = columns[column].partition("(")[0]
    if kind in _TRANSFORMED and base not in _TRANSFORMED[kind]:
        raise AthenaError(
            "INVALID_TABLE_PROPERTY",
            f"Unable to parse partitioning value: Invalid source type {columns[column]} for transform: {kind}",
        )
    formats = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d", "hour": "%Y-%m-%d-%H"}
    if kind in formats and not number:
        return f"{column}_{kind}", f"strftime({quoted(column)}, '{formats[kind]}')"
    if kind == "bucket" and number:
        return f"{column}_bucket", f"cast(hash({quoted(column)}) % {number} as varchar)"
    if kind == "truncate" and number:
        if base in _NUMBERS:
            # Towards minus infinity, unlike DuckDB's %.
            rest = f"(({quoted(column)} % {number}) + {number}) % {number}"
            return f"{column}_trunc", f"cast({quoted(column)} - {rest} as varchar)"
        return f"{column}_trunc", f"left({quoted(column)}, {number})"
    raise AthenaError(
        "INVALID_TABLE_PROPERTY",
        f"Unable to parse partitioning value: Invalid partition field declaration: {transform}",
    )


def _require(name: str, columns: Mapping[str, str]) -> None:
    if name not in columns:
        raise AthenaError(
            "INVALID_TABLE_PROPERTY", f"Unable to parse partitioning value: Cannot find source column: {name}"
        )


def write_iceberg(
    statement: Statement, staged: Staged, metadata: Metadata, location: str, compression: str
) -> tuple[DataFile, ...]:
    """Write the rows of an Iceberg table: one Parquet file for each partition."""
    types = {item.name: item.type for item in metadata.fields}
    transforms = [partition_expression(item, types) for item in metadata.partitioning]
    chosen = ", ".join(sql for _, sql in transforms) or "1"
    groups = statement.connection.execute(f"select distinct {chosen} from {staged.relation} order by all").fetchall()
    _check_open_writers(len(groups), "ICEBERG_TOO_MANY_OPEN_PARTITIONS")
    ids = {item.name: str(item.id) for item in metadata.fields}
    if set(ids) != set(staged.columns):
        raise type_mismatch(f"columns {sorted(staged.columns)} do not fit the table's {sorted(ids)}")
    options, ending = _copy_options(Layout(compression=compression))
    files = []
    for group in groups:
        values = group if transforms else ()
        path = "/".join(_path_part(name, value) for (name, _), value in zip(transforms, values, strict=True))
        conditions = [
            f"{sql} is not distinct from {'null' if value is None else quote(str(value))}"
            for (_, sql), value in zip(transforms, values, strict=True)
        ] or ["true"]
        rows = f"from {staged.relation} where {' and '.join(conditions)}"
        folder = as_folder(f"{as_folder(location)}data/{path}")
        uri = _put(statement, f"select {staged.selected()} {rows}", options, folder, ending)
        item = statement.store.head(uri)
        size = int(statement.scalar(f"select count(*) {rows}"))
        columns = {ids[column]: column for column in staged.columns}
        files.append(DataFile(uri, size, item.size, item.etag, item.modified.isoformat(), columns))
    return tuple(files)
