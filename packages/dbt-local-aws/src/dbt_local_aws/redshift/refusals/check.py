"""What PostgreSQL would accept and Redshift does not: found in the tokens of a statement before it is rewritten.

Sources: "Unsupported PostgreSQL features", "Unsupported PostgreSQL functions" and "Leader node-only functions" in the
Amazon Redshift Database Developer Guide.
"""

from collections.abc import Callable, Sequence

from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    UNDEFINED_COLUMN,
    RedshiftError,
    not_supported,
)
from dbt_local_aws.redshift.refusals.calls import check_calls
from dbt_local_aws.redshift.refusals.relations import is_system_relation, relations
from dbt_local_aws.redshift.refusals.syntax import check_syntax, is_value
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    starts_with,
    word_at,
)

_LEADER_NODE_ONLY = "Specified types or functions (one per INFO message) not supported on Redshift tables."
_SYSTEM_COLUMNS = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}


def check(tokens: Sequence[Token], is_user_function: Callable[[str], bool], *, creates: bool = False) -> None:
    """Raises for the first thing in a statement, or in the query of what it creates, that Redshift refuses."""
    check_syntax(tokens)
    leader_only = check_calls(tokens, is_user_function)
    reads_tables = any(not is_system_relation(parts) for parts in relations(tokens))
    if reads_tables:
        _check_read_of_tables(tokens)
    # what needs no table runs on the leader node even where a table is made of it; a set of rows cannot leave it
    made_of_rows = leader_only == "generate_series" and (creates or starts_with(tokens, "create"))
    if leader_only and (made_of_rows or reads_tables):
        raise RedshiftError(
            FEATURE_NOT_SUPPORTED, _LEADER_NODE_ONLY, detail=f'Function "{leader_only}" runs on the leader node only.'
        )


def _check_read_of_tables(tokens: Sequence[Token]) -> None:
    """Raises for what the leader node may do with its own catalogue, and no node with a table."""
    for at, token in enumerate(tokens):
        if token.word in _SYSTEM_COLUMNS:
            raise RedshiftError(UNDEFINED_COLUMN, f'column "{token.word}" does not exist')
        of_value = word_at(tokens, at + 1) == "(" and is_value(tokens, at + 2)
        if token.word in ("any", "some", "all") and of_value and tokens[at + 2].kind is Kind.STRING:
            raise not_supported(f"{token.text.upper()} of an array")
