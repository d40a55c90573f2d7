"""Tables, columns and partitions as Glue describes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_INPUT_KEYS = (
    "Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "ViewOriginalText",
    "ViewExpandedText", "TableType", "Parameters", "TargetTable",
)  # fmt: skip
VIEW_PREFIX, _VIEW_SUFFIX = "/* Presto View: ", " */"
RECORDED = (
    "optimize_rewrite_data_file_threshold", "optimize_rewrite_delete_file_threshold", "vacuum_min_snapshots_to_keep",
    "vacuum_max_snapshot_age_seconds", "vacuum_max_metadata_files_to_keep", "write_target_data_file_size_bytes",
)  # fmt: skip
"""Properties of Iceberg tables that only Athena's own statements look at: Glue keeps them."""


@dataclass(frozen=True)
class Column:
    """A column in Glue's words."""

    name: str
    type: str
    comment: str = ""

    def to_glue(self) -> dict[str, str]:
        """As Glue's API takes it."""
        return {"Name": self.name, "Type": self.type, **({"Comment": self.comment} if self.comment else {})}


@dataclass(frozen=True)
class Partition:
    """One partition: its values, as text, and where it lies."""

    values: tuple[str, ...]
    location: str


class Table:
    """A table or view of Glue's."""

    def __init__(self, schema: str, raw: dict[str, Any]) -> None:
        self.schema = schema
        self.raw = raw
        self.name: str = raw["Name"]
        self.parameters: dict[str, str] = raw.get("Parameters") or {}
        self.descriptor: dict[str, Any] = raw.get("StorageDescriptor") or {}
        serde = self.descriptor.get("SerdeInfo") or {}
        self.serde: str = serde.get("SerializationLibrary") or ""
        self.serde_parameters: dict[str, str] = serde.get("Parameters") or {}

    @property
    def is_view(self) -> bool:
        """Whether it is a view."""
        return self.raw.get("TableType") == "VIRTUAL_VIEW"

    @property
    def is_iceberg(self) -> bool:
        """Whether it is an Iceberg table."""
        return self.parameters.get("table_type", "").upper() == "ICEBERG"

    @property
    def location(self) -> str:
        """Where its data lie."""
        return str(self.descriptor.get("Location") or "")

    @property
    def columns(self) -> list[Column]:
        """Its columns without the partition keys."""
        return _columns(self.descriptor.get("Columns"))

    @property
    def partition_keys(self) -> list[Column]:
        """The columns that are in the paths and not in the files."""
        return _columns(self.raw.get("PartitionKeys"))

    def table_input(self) -> dict[str, Any]:
        """What Glue takes back to update the table."""
        return {key: self.raw[key] for key in _INPUT_KEYS if key in self.raw}


def _columns(raw: Iterable[dict[str, Any]] | None) -> list[Column]:
    return [Column(item["Name"], item.get("Type", "string"), item.get("Comment", "")) for item in raw or []]


def decode_view(text: str) -> dict[str, Any]:
    """What is in a view's text: its query, its schema, its columns."""
    content = json.loads(base64.b64decode(text.removeprefix(VIEW_PREFIX).removesuffix(_VIEW_SUFFIX)))
    return dict(content)
