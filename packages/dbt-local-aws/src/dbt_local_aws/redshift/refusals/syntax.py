"""What Redshift's grammar has not, whatever the names in a statement mean, and what is not emulated."""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.refusals.operators import check_operator, is_operator
from dbt_local_aws.redshift.refusals.recursion import check_common_table_expressions
from dbt_local_aws.redshift.refusals.sorted_aggregates import check_sorted_aggregates
from dbt_local_aws.redshift.refusals.windows import check_window, check_within_group
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    closing,
    find_top_level,
    starts_with,
    word_at,
)

# Behind SELECT, one of these would mean a list without anything in it
_ENDS_SELECT_LIST = {"", ")", "from", "where", "group", "order", "limit", "union", "intersect", "except", "minus"}
_SET_OPERATIONS = {"union", "intersect", "except", "minus"}


def check_syntax(tokens: Sequence[Token]) -> None:
    """Raises for the first thing that Redshift's grammar has not, whatever the names in it mean."""
    for at, token in enumerate(tokens):
        if token.kind is Kind.NUMBER and at + 1 < len(tokens) and _is_glued(tokens, at + 1):
            raise syntax_error(tokens[at + 1].text)  # 1_000, 0xff
        if token.kind in (Kind.WORD, Kind.OPERATOR) and word_at(tokens, at - 1) != ".":
            _check_syntax(tokens, at)
        if is_operator(token):
            check_operator(tokens, at)
    check_common_table_expressions(tokens)
    check_sorted_aggregates(tokens)


def _is_glued(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].kind is Kind.WORD and not tokens[at].before


def _check_syntax(tokens: Sequence[Token], at: int) -> None:
    """Raises where a word begins what Redshift's grammar has not, or what is not emulated."""
    _check_query(tokens, at)
    _check_expression(tokens, at)
    _check_emulated(tokens, at)


def _check_query(tokens: Sequence[Token], at: int) -> None:
    """Raises where a clause begins that Redshift has not."""
    before, first = word_at(tokens, at - 1), word_at(tokens, 0)
    match tokens[at].word:
        case "select" if word_at(tokens, at + 1) in _ENDS_SELECT_LIST and not is_value(tokens, at + 1):
            raise syntax_error(tokens[at + 1].text if at + 1 < len(tokens) else "")
        case "distinct" if starts_with(tokens, "on", "(", at=at + 1) and before == "select":
            raise not_supported("SELECT DISTINCT ON")
        case "for" if starts_with(tokens, "update|share|no|key", at=at + 1) and first in ("select", "with"):
            raise not_supported("SELECT FOR UPDATE/SHARE")
        case "all" if before in _SET_OPERATIONS - {"union"}:
            raise not_supported(f"{before.upper()} ALL")
        case "(" if word_at(tokens, at + 1) in ("select", "with"):
            _check_input_to_set_operation(tokens, at)


def _check_input_to_set_operation(tokens: Sequence[Token], at: int) -> None:
    """Raises where a query in parentheses is one side of a UNION, or of its like, and limits its rows."""
    end = closing(tokens, at)
    before = at - 1 - (word_at(tokens, at - 1) in ("all", "distinct"))
    # and is no value or table of the query before it
    begins_query = at == 0 or word_at(tokens, at - 1) in ("(", ")", "as")
    if word_at(tokens, before) in _SET_OPERATIONS or (begins_query and word_at(tokens, end + 1) in _SET_OPERATIONS):
        limit = find_top_level(tokens[at + 1 : end], "limit", "offset")
        if limit >= 0:
            raise RedshiftError(FEATURE_NOT_SUPPORTED, "LIMIT may not be used within input to set operations.")


def _check_expression(tokens: Sequence[Token], at: int) -> None:
    """Raises where an expression begins that Redshift has not."""
    word, after = tokens[at].word, word_at(tokens, at + 1)
    match word:
        case "b" | "x" if is_value(tokens, at + 1) and tokens[at + 1].kind is Kind.STRING and not tokens[at + 1].before:
            raise not_supported("a bit string")
        case "distinct" if after == "from" and "is" in (word_at(tokens, at - 1), word_at(tokens, at - 2)):
            raise not_supported("IS DISTINCT FROM")
        case "array" if after == "[":
            raise not_supported("the array constructor ARRAY[…]")
        case "over" if after == "(":
            check_window(tokens, at)
        case "within" if starts_with(tokens, "group", "(", at=at + 1):
            check_within_group(tokens, at)


def is_value(tokens: Sequence[Token], at: int) -> bool:
    """Whether what stands here is no word of the grammar: a quoted name, a literal, a number or a parameter."""
    return at < len(tokens) and tokens[at].kind not in (Kind.WORD, Kind.OPERATOR)


def _check_emulated(tokens: Sequence[Token], at: int) -> None:
    match tokens[at].word:
        case "collate":
            raise not_emulated("COLLATE")
