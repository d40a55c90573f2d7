"""What stands before moto's Glue, where moto differs from the service.

- Names of databases, tables and columns are folded to lower case:
  https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html
- An update that names a version fails if the table has another one by then, and so commits of Iceberg's notice each
  other: https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html
- A commit of Trino's leaves alone what only Athena's own statements look at, such as how long VACUUM keeps snapshots.
- Column statistics, which moto lacks, are empty.
- A view has its real columns, as Athena writes them; Trino writes a single one that is called `dummy`.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.glue.exceptions import GlueClientError
from moto.glue.models import glue_backends

from dbt_local_aws.athena.glue_table import RECORDED, VIEW_PREFIX, decode_view
from dbt_local_aws.athena.types import to_hive

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


# https://docs.aws.amazon.com/glue/latest/webapi/API_GetColumnStatisticsForTable.html and its siblings
_ANSWERS: dict[str, dict[str, Any]] = {
    "Get": {"ColumnStatisticsList": [], "Errors": []},
    "Update": {"Errors": []},
    "Delete": {},
}
_STATISTICS = {
    f"{verb}ColumnStatisticsFor{what}": answer for verb, answer in _ANSWERS.items() for what in ("Table", "Partition")
}


class ConcurrentModificationError(Exception):
    """The table was changed since its version was read."""


def own_answer(operation: str, request: dict[str, Any], region: str) -> dict[str, Any] | None:
    """The answer to a request that moto cannot answer; None for all others.

    Raises:
        ConcurrentModificationError: An update names a version that is not the table's any more.
    """
    if operation in _STATISTICS:
        return _STATISTICS[operation]
    if operation == "UpdateTable":
        _check_update(request, region)
    return None


def _check_update(request: dict[str, Any], region: str) -> None:
    given = request["TableInput"]
    try:
        table = glue_backends[DEFAULT_ACCOUNT_ID][region].get_table(request["DatabaseName"], given["Name"]).as_dict()
    except GlueClientError:
        return  # moto says so itself
    if request.get("VersionId", table["VersionId"]) != table["VersionId"]:
        raise ConcurrentModificationError
    before, after = table.get("Parameters") or {}, given.get("Parameters") or {}
    if before.get("metadata_location") != after.get("metadata_location"):
        kept = {key: value for key, value in before.items() if key in RECORDED}
        given["Parameters"] = {**kept, **after}


def as_glue_takes_it(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """A request with its names in lower case, and with a view's columns."""
    for key in ("DatabaseName", "TableName", *(["Name"] if operation in _NAMED else [])):
        _fold(request, key)
    for key in _INPUTS:
        if isinstance(request.get(key), dict):
            _fold_input(request[key])
    for given in request.get("PartitionInputList") or []:
        _fold_input(given)
    if isinstance(names := request.get("TablesToDelete"), list):
        request["TablesToDelete"] = [str(name).lower() for name in names]
    if isinstance(table := request.get("TableInput"), dict):
        _describe_view(table)
    return request


def _describe_view(table: dict[str, Any]) -> None:
    text = table.get("ViewOriginalText") or ""
    if table.get("TableType") == "VIRTUAL_VIEW" and text.startswith(VIEW_PREFIX):
        stored = table.get("StorageDescriptor") or {}
        given = {column["Name"]: column for column in stored.get("Columns") or []}  # with their comments
        named = {column["name"].lower(): to_hive(column["type"]) for column in decode_view(text)["columns"]}
        columns = [{**given.get(name, {}), "Name": name, "Type": kind} for name, kind in named.items()]
        table["StorageDescriptor"] = {**stored, "Columns": columns}


def parsed(body: bytes) -> dict[str, Any] | None:
    """A request's body, if it is what Glue's clients send."""
    try:
        request = json.loads(body)
    except ValueError:
        return None
    return request if isinstance(request, dict) else None
