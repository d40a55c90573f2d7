"""Iceberg tables: snapshots of data files, columns with identities of their own, and commits that notice each other.

The metadata are one JSON document a version in the table's `metadata/` folder, to which Glue points as it does for the
real thing. Their form is this package's own: other Iceberg readers cannot read it.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from local_aws.athena.catalog import Catalog, Column, Table
from local_aws.athena.errors import AthenaError, table_not_found
from local_aws.athena.objects import ObjectStore, S3Object, as_folder, split_uri

FORMAT = "local_aws.athena iceberg metadata, version 1"
# https://docs.aws.amazon.com/athena/latest/ug/compression-formats.html: of engine version 3
DEFAULT_COMPRESSION = "ZSTD"
_commits = threading.Lock()


@dataclass(frozen=True)
class IcebergField:
    """A column: its identity stays when its name changes."""

    id: int
    name: str
    type: str


@dataclass(frozen=True)
class DataFile:
    """A Parquet file, with the names that the columns had when it was written."""

    uri: str
    rows: int
    size: int
    etag: str
    modified: str
    columns: dict[str, str]

    def as_object(self) -> S3Object:
        """The object that it is."""
        bucket, key = split_uri(self.uri)
        return S3Object(bucket, key, self.size, self.etag, datetime.fromisoformat(self.modified))


@dataclass(frozen=True)
class Metadata:
    """One version of a table."""

    table_uuid: str
    last_field_id: int
    fields: tuple[IcebergField, ...]
    partitioning: tuple[str, ...]
    files: tuple[DataFile, ...]
    snapshots: tuple[dict[str, Any], ...]

    def with_snapshot(self, operation: str, files: tuple[DataFile, ...]) -> Metadata:
        """The version after a change of the data."""
        snapshot = {
            "snapshot-id": uuid.uuid4().int >> 65,
            "committed-at": datetime.now(UTC).isoformat(),
            "operation": operation,
            "files": len(files),
            "rows": sum(file.rows for file in files),
        }
        return replace(self, files=files, snapshots=(*self.snapshots, snapshot))

    def with_columns(self, columns: list[tuple[str | None, Column]]) -> Metadata:
        """The version with these columns; each is an old one, by its name now, or new (None)."""
        known = {field.name: field for field in self.fields}
        last, fields = self.last_field_id, []
        for old, column in columns:
            if old is None:
                last += 1
                fields.append(IcebergField(last, column.name, column.type))
            else:
                fields.append(IcebergField(known[old].id, column.name, column.type))
        return replace(self, last_field_id=last, fields=tuple(fields))


def new_metadata(columns: list[Column], partitioning: tuple[str, ...]) -> Metadata:
    """An empty table."""
    fields = tuple(IcebergField(number, column.name, column.type) for number, column in enumerate(columns, 1))
    return Metadata(str(uuid.uuid4()), len(fields), fields, partitioning, (), ())


def load(store: ObjectStore, table: Table) -> Metadata:
    """The version that Glue points to."""
    location = table.parameters.get("metadata_location")
    if not location:
        raise AthenaError("ICEBERG_INVALID_METADATA", f"{table.schema}.{table.name} has no metadata_location")
    raw = json.loads(store.read(location))
    if raw.pop("format", None) != FORMAT:
        raise AthenaError("ICEBERG_INVALID_METADATA", f"{location} was not written by this endpoint")
    return Metadata(
        table_uuid=raw["table_uuid"],
        last_field_id=raw["last_field_id"],
        fields=tuple(IcebergField(**field) for field in raw["fields"]),
        partitioning=tuple(raw["partitioning"]),
        files=tuple(DataFile(**file) for file in raw["files"]),
        snapshots=tuple(raw["snapshots"]),
    )


def write(store: ObjectStore, location: str, metadata: Metadata, version: int) -> str:
    """Write a version down and tell where."""
    uri = f"{as_folder(location)}metadata/{version:05d}-{uuid.uuid4()}.metadata.json"
    store.put(uri, json.dumps({"format": FORMAT, **asdict(metadata)}).encode(), "application/json")
    return uri


def parameters(metadata_location: str, previous: str | None = None) -> dict[str, str]:
    """What Glue keeps of an Iceberg table."""
    found = {"table_type": "ICEBERG", "metadata_location": metadata_location}
    return {**found, "previous_metadata_location": previous} if previous else found


def _version(location: str) -> int:
    return int(location.rsplit("/", 1)[1].split("-", 1)[0])


def commit(  # noqa: PLR0913 - two of them are rarely given
    catalog: Catalog,
    store: ObjectStore,
    table: Table,
    change: Callable[[Metadata], Metadata],
    *,
    base: str | None = None,
    columns: list[Column] | None = None,
) -> None:
    """Publish a change of the newest version. With `base`, fail if that is not the newest: somebody else was faster."""
    with _commits:
        current = catalog.fresh_table(table.schema, table.name)
        if current is None:
            raise table_not_found(table.schema, table.name)
        location = current.parameters["metadata_location"]
        if base is not None and location != base:
            raise AthenaError(
                "ICEBERG_COMMIT_ERROR", f"Failed to commit Iceberg update to table: {table.schema}.{table.name}"
            )
        metadata = change(load(store, current))
        written = write(store, current.location, metadata, _version(location) + 1)
        content = current.table_input()
        content["Parameters"] = {**current.parameters, **parameters(written, location)}
        if columns is not None:
            content["StorageDescriptor"] = {**current.descriptor, "Columns": [column.to_glue() for column in columns]}
        catalog.update_table(table.schema, content)
