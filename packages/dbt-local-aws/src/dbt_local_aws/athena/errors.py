"""The errors a query can end with, named as Athena names them."""

from __future__ import annotations

import re


class AthenaError(Exception):
    """A query that fails, with the name that Athena puts before the message (`TYPE_MISMATCH: …`)."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class InvalidRequestError(Exception):
    """A request that Athena refuses before any query runs."""


class QueryCancelledError(Exception):
    """A query that was stopped by its user."""


def syntax_error(message: str) -> AthenaError:
    """The statement is not in Athena's grammar."""
    return AthenaError("SYNTAX_ERROR", message)


def table_not_found(schema: str, name: str) -> AthenaError:
    """Neither a table nor a view of that name is in Glue."""
    return AthenaError("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{schema}.{name}' does not exist")


def athenas(error: AthenaError) -> AthenaError:
    """An error of Trino's under the name that Athena documents for it.

    https://docs.aws.amazon.com/athena/latest/ug/partition-projection-dynamic-id-partitioning.html
    """
    if error.name == "TABLE_REDIRECTION_ERROR" and (found := re.search(r"Table '(.*?)' redirected", str(error))):
        return AthenaError("TABLE_NOT_FOUND", f"line 1:1: Table '{found[1]}' does not exist")
    if "Injected projection requires" in str(error):
        return AthenaError("CONSTRAINT_VIOLATION", str(error))
    return error


def failed(message: str) -> AthenaError:
    """An error of Hive's."""
    return AthenaError("FAILED", message)
