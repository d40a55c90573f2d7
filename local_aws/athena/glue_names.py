"""Glue's names: the service folds those of databases, tables and columns to lower case, and moto keeps them as written.

https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html
"""

from __future__ import annotations

import json
from typing import Any

GLUE_PREFIX = "AWSGlue."

# The requests whose `Name` is a database's or a table's.
_NAMED = frozenset(
    f"{verb}{thing}" for verb in ("Get", "Delete", "Update") for thing in ("Database", "Table")
)  # fmt: skip
_INPUTS = ("DatabaseInput", "TableInput", "PartitionInput")


def _fold(holder: dict[str, Any], key: str) -> None:
    if isinstance(holder.get(key), str):
        holder[key] = holder[key].lower()


def _fold_columns(columns: object) -> None:
    for column in columns if isinstance(columns, list) else []:
        _fold(column, "Name")


def _fold_input(given: dict[str, Any]) -> None:
    _fold(given, "Name")
    _fold_columns(given.get("PartitionKeys"))
    _fold_columns((given.get("StorageDescriptor") or {}).get("Columns"))


def fold_names(operation: str, body: bytes) -> bytes:
    """The body of a request to Glue with its names as the service takes them."""
    try:
        request = json.loads(body)
    except ValueError:
        return body
    if not isinstance(request, dict):
        return body
    for key in ("DatabaseName", "TableName", *(["Name"] if operation in _NAMED else [])):
        _fold(request, key)
    for key in _INPUTS:
        if isinstance(request.get(key), dict):
            _fold_input(request[key])
    for given in request.get("PartitionInputList") or []:
        _fold_input(given)
    if isinstance(names := request.get("TablesToDelete"), list):
        request["TablesToDelete"] = [str(name).lower() for name in names]
    return json.dumps(request).encode()
