"""Names and texts as Trino reads them."""

from __future__ import annotations

from dataclasses import dataclass

CATALOG = "awsdatacatalog"
ICEBERG = "iceberg"
"""Trino's catalogue for Iceberg tables: they are made and altered through it, and read through `awsdatacatalog`."""


def quoted(*parts: str) -> str:
    """A name for Trino."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def literal(text: str) -> str:
    """A text for Trino."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Name:
    """The name of a table, in lower case; the schema is None where it is not written."""

    schema: str | None
    table: str
