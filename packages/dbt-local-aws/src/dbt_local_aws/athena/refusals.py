"""What Athena refuses although its engine here, a newer Trino, would accept it: each with the page that says so.

What Trino itself refuses is not here. Athena's functions and syntax are those of an older Trino: what Trino added since
has the page of Trino's release.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dbt_local_aws.athena.errors import AthenaError, syntax_error
from dbt_local_aws.athena.glue_table import Table
from dbt_local_aws.athena.reading import Reader

_GUIDE = "https://docs.aws.amazon.com/athena/latest/ug"
_SELECT = f"{_GUIDE}/select.html"
_TRUTHS = ("TRUE", "FALSE", "UNKNOWN")
_BEFORE_A_VALUE = (
    "SELECT",
    "DISTINCT",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "THEN",
    "ELSE",
    "WHEN",
    "BY",
    "ON",
    "VALUES",
    "AS",
)
_RELEASES = "https://trino.io/docs/current/release/release"


@dataclass(frozen=True)
class Refusal:
    """Statements that begin with some words, and the page that says Athena has not got them."""

    beginning: str
    page: str


STATEMENTS = (
    Refusal("ALTER MATERIALIZED VIEW", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("ALTER SCHEMA", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("ALTER VIEW", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("ANALYZE", f"{_GUIDE}/ddl-reference.html"),
    Refusal("CALL", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("COMMENT", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("COMMIT", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("CREATE CATALOG", f"{_GUIDE}/ddl-reference.html"),
    Refusal("CREATE FUNCTION", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("CREATE MATERIALIZED VIEW", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("CREATE OR REPLACE FUNCTION", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("CREATE OR REPLACE MATERIALIZED VIEW", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("CREATE OR REPLACE TABLE", f"{_GUIDE}/create-table.html"),
    Refusal("CREATE ROLE", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("DROP CATALOG", f"{_GUIDE}/ddl-reference.html"),
    Refusal("DROP FUNCTION", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("DROP MATERIALIZED VIEW", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("DROP ROLE", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("EXECUTE IMMEDIATE", f"{_RELEASES}-418.html"),
    Refusal("GRANT", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("REFRESH", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("RESET", f"{_GUIDE}/ddl-reference.html"),
    Refusal("REVOKE", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("ROLLBACK", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("SET", f"{_GUIDE}/ddl-reference.html"),
    Refusal("START", f"{_GUIDE}/unsupported-ddl.html"),
    Refusal("TRUNCATE", f"{_GUIDE}/ddl-reference.html"),
    Refusal("USE", f"{_GUIDE}/ddl-reference.html"),
    Refusal("WITH FUNCTION", f"{_RELEASES}-431.html"),
    Refusal("WITH SESSION", f"{_RELEASES}-470.html"),
)
"""What there is stands in https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html and its neighbours."""

FUNCTIONS = {
    "array_first": f"{_RELEASES}-479.html",
    "array_last": f"{_RELEASES}-479.html",
    "cosine_distance": f"{_RELEASES}-452.html",
    "dot_product": f"{_RELEASES}-452.html",
    "euclidean_distance": f"{_RELEASES}-452.html",
    "t_cdf": f"{_RELEASES}-451.html",
    "t_pdf": f"{_RELEASES}-451.html",
}
"""Functions that Trino has had for a short while: https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html."""

NEW_TYPES = {
    "number": "https://trino.io/docs/current/language/types.html",
    "variant": "https://trino.io/docs/current/language/types.html",
}
"""Types that Athena's list, https://docs.aws.amazon.com/athena/latest/ug/data-types.html, has not got."""


def check_statement(sql: str) -> None:
    """Refuse a statement of a kind that Athena has not got.

    Raises:
        AthenaError: With the words at which it begins, and the page.
    """
    beginning = " ".join(re.findall(r"\w+|\S", sql[:200])[:5]).upper()
    for refusal in STATEMENTS:
        if beginning == refusal.beginning or beginning.startswith(f"{refusal.beginning} "):
            word = refusal.beginning.split()[0].lower()
            raise syntax_error(
                f"line 1:1: mismatched input '{word}': Athena has no {refusal.beginning} ({refusal.page})"
            )


def check_query(sql: str) -> None:
    """Refuse functions and syntax that Athena's engine has not got yet.

    Raises:
        AthenaError: With the name, its place and the page.
    """
    reader = Reader(sql)
    words = ["", *reader.words(), "", ""]
    for at in range(1, len(words) - 2):
        before, word, following, after = words[at - 1 : at + 3]
        name = word.lower()
        if following == "(" and name in FUNCTIONS:
            place = reader.place_of(at - 1)
            raise AthenaError("FUNCTION_NOT_FOUND", f"{place}: Function '{name}' not registered ({FUNCTIONS[name]})")
        if _is_new_syntax(before, word, following, after):
            raise syntax_error(
                f"{reader.place_of(at - 1)}: mismatched input '{name}' ({_SELECT}, and {_RELEASES}.html)"
            )


def _is_new_syntax(before: str, word: str, following: str, after: str) -> bool:
    """Arrays in brackets alone, truth as a predicate, and turned tables: in Trino since Athena's engine was made."""
    if word == "[":
        return not re.match(r"""[\w)\]"']""", before) or before in _BEFORE_A_VALUE
    if word == "IS":
        return following in _TRUTHS or (following == "NOT" and after in _TRUTHS)
    return word in ("PIVOT", "UNPIVOT") and following == "("


def check_iceberg_types(columns: Sequence[tuple[str, str]]) -> None:
    """Refuse types that Trino would store as others: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-supported-data-types.html.

    Raises:
        AthenaError: With the column's name.
    """
    for name, kind in columns:
        if "with time zone" in kind:
            raise AthenaError("NOT_SUPPORTED", f"Unsupported Hive type: {kind} [column {name}]")
        if found := re.search(r"timestamp\((?!6\))(\d+)\)", kind):
            raise AthenaError(
                "NOT_SUPPORTED",
                f"Timestamp precision ({found[1]}) not supported for Iceberg. "
                f'Use "timestamp(6)" instead. [column {name}]',
            )
        if found := re.search(r"\b(tinyint|smallint|char\(\d+\)|json|time\(\d\)|interval [a-z ]+)", kind):
            if found[1].startswith("char") and "varchar" in kind:
                continue
            raise AthenaError("NOT_SUPPORTED", f"Type not supported for Iceberg: {found[1]} [column {name}]")
        if found := re.search(rf"\b({'|'.join(NEW_TYPES)})\b", kind):
            raise AthenaError("NOT_SUPPORTED", f"Unsupported type: {found[1]} [column {name}] ({NEW_TYPES[found[1]]})")


def check_insert(table: Table | None) -> None:
    """Refuse INSERT into bucketed tables: https://docs.aws.amazon.com/athena/latest/ug/insert-into.html.

    Raises:
        AthenaError: The table is bucketed.
    """
    if table and not table.is_iceberg and table.descriptor.get("BucketColumns"):
        raise AthenaError(
            "NOT_SUPPORTED",
            f"INSERT is not supported for bucketed tables: {table.schema}.{table.name} ({_GUIDE}/insert-into.html)",
        )
