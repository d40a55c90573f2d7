"""What PostgreSQL would accept and Redshift does not: found in the tokens of a statement before it is rewritten.

Sources: "Unsupported PostgreSQL features", "Unsupported PostgreSQL functions" and "Leader node-only functions" in the
Amazon Redshift Database Developer Guide.
"""

from collections.abc import Callable, Sequence

from dbt_local_aws.redshift.datatypes import CATALOGUE_TYPES
from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    INTERNAL_ERROR,
    UNDEFINED_COLUMN,
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.functions import COMPUTE_NODE_FUNCTIONS, NOT_EMULATED_RELATIONS
from dbt_local_aws.redshift.refusals.calls import check_calls
from dbt_local_aws.redshift.refusals.correlation import check_correlations
from dbt_local_aws.redshift.refusals.relations import is_on_compute_nodes, is_system_relation, relations
from dbt_local_aws.redshift.refusals.syntax import check_syntax, is_value
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    starts_with,
    word_at,
)

_LEADER_NODE_ONLY = "Specified types or functions (one per INFO message) not supported on Redshift tables."
_COMPUTE_NODE_ONLY = (
    "One or more of the used functions must be applied on at least one user created tables. "
    "Examples of user table only functions are LISTAGG, MEDIAN, PERCENTILE_CONT, etc"
)
_SYSTEM_COLUMNS = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}


def check(tokens: Sequence[Token], is_user_function: Callable[[str], bool], *, creates: bool = False) -> None:
    """Raises for the first thing in a statement, or in the query of what it creates, that Redshift refuses."""
    check_syntax(tokens)
    leader_only = check_calls(tokens, is_user_function)
    named = relations(tokens)
    _check_emulated(named)
    reads_tables = any(not is_system_relation(parts) for parts in named)
    if reads_tables:
        _check_read_of_tables(tokens)
        check_correlations(tokens)
    # what needs no table runs on the leader node even where a table is made of it; a set of rows cannot leave it
    made_of_rows = leader_only == "generate_series" and (creates or starts_with(tokens, "create"))
    if leader_only and (made_of_rows or reads_tables):
        raise RedshiftError(
            FEATURE_NOT_SUPPORTED, _LEADER_NODE_ONLY, detail=f'Function "{leader_only}" runs on the leader node only.'
        )


def _check_emulated(named: Sequence[tuple[str, ...]]) -> None:
    """Raises for a system table or view that the endpoint has not: the catalogue comes first in every search path."""
    for parts in named:
        if parts[-1] in NOT_EMULATED_RELATIONS and parts[-2:-1] in ((), ("pg_catalog",)):
            raise not_emulated(f"system table or view {parts[-1]}")


def check_compute_nodes(tokens: Sequence[Token]) -> None:
    """Raises where a function of the compute nodes is called, and nothing is read that lies on them.

    Common table expressions and subqueries without a table are nothing, as the given rows of dbt's unit tests.
    Sources: c_SQL_functions_compute_node_only; the code and the words: https://stackoverflow.com/questions/54910777.
    """
    called = any(
        token.word in COMPUTE_NODE_FUNCTIONS and word_at(tokens, at + 1) == "(" and word_at(tokens, at - 1) != "."
        for at, token in enumerate(tokens)
    )
    if called and not any(is_on_compute_nodes(parts) for parts in relations(tokens)):
        raise RedshiftError(INTERNAL_ERROR, _COMPUTE_NODE_ONLY)


def _is_cast(tokens: Sequence[Token], at: int) -> bool:
    """Whether a type stands behind this position: x::type, or cast(x as type)."""
    if tokens[at].word == "::":
        return True
    if tokens[at].word != "as" or word_at(tokens, at + 2) != ")":
        return False
    depth = 0
    for position in range(at - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[position].word, 0)
        if depth < 0:
            return word_at(tokens, position - 1) == "cast"
    return False


def _check_read_of_tables(tokens: Sequence[Token]) -> None:
    """Raises for what the leader node may do with its own catalogue, and no node with a table."""
    for at, token in enumerate(tokens):
        if token.word == "operator" and word_at(tokens, at + 1) == "(":
            raise syntax_error(token.text)
        if token.word in _SYSTEM_COLUMNS:
            raise RedshiftError(UNDEFINED_COLUMN, f'column "{token.word}" does not exist')
        if at > 0 and _is_cast(tokens, at - 1) and token.name in CATALOGUE_TYPES:
            raise RedshiftError(
                FEATURE_NOT_SUPPORTED, _LEADER_NODE_ONLY, detail=f'Type "{token.name}" is of the leader node only.'
            )
        of_value = word_at(tokens, at + 1) == "(" and is_value(tokens, at + 2)
        if token.word in ("any", "some", "all") and of_value and tokens[at + 2].kind is Kind.STRING:
            raise not_supported(f"{token.text.upper()} of an array")
