"""What Athena lets an Iceberg table be, and its properties in Trino's words."""

from __future__ import annotations

import re

from dbt_local_aws.athena.errors import AthenaError, failed
from dbt_local_aws.athena.glue_table import Column
from dbt_local_aws.athena.names import literal

CODECS = {"uncompressed": "NONE", "none": "NONE", "snappy": "SNAPPY", "gzip": "GZIP", "zlib": "GZIP", "zstd": "ZSTD",
          "lz4": "LZ4", "deflate": "GZIP"}  # fmt: skip
# https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html: a predefined list
_ICEBERG_PROPERTIES = frozenset(
    """table_type format write_compression compression_level optimize_rewrite_data_file_threshold
    optimize_rewrite_delete_file_threshold vacuum_min_snapshots_to_keep vacuum_max_snapshot_age_seconds
    vacuum_max_metadata_files_to_keep write_target_data_file_size_bytes""".split()  # noqa: SIM905 - a list of words
)


def check_iceberg_column(column: Column) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-supported-data-types.html."""
    if column.type in ("tinyint", "smallint") or column.type.startswith(("char", "varchar")):
        raise failed(f"SemanticException: Type not supported for Iceberg: {column.type} [column {column.name}]")


def check_iceberg_properties(properties: dict[str, str]) -> None:
    """Refuse properties that Iceberg tables do not know."""
    if unknown := [key for key in properties if key.lower() not in _ICEBERG_PROPERTIES]:
        raise failed(f"SemanticException: Unsupported table property key: {unknown[0]}")


def partitioning(transforms: tuple[str, ...]) -> tuple[str, ...]:
    """Iceberg's transforms in Trino's order: DDL has `bucket(16, c)` and `truncate(10, c)`, Trino the column first."""
    turned = r"\1(\3, \2)"
    return tuple(
        re.sub(r"(?i)^\s*(bucket|truncate)\(\s*(\d+)\s*,\s*([^)]+?)\s*\)\s*$", turned, item) for item in transforms
    )


def iceberg_properties(properties: dict[str, str]) -> list[str]:
    """Format and compression of an Iceberg table as Trino's table properties."""
    found = []
    if "format" in properties:
        found.append(f"format = {literal(properties['format'].upper())}")
    if "write_compression" in properties:
        found.append(f"compression_codec = {literal(codec(properties['write_compression']))}")
    return found


def codec(name: str) -> str:
    """A compression's name in Trino."""
    if name.lower() not in CODECS:
        raise AthenaError("INVALID_TABLE_PROPERTY", f"Unsupported compression: {name}")
    return CODECS[name.lower()]
