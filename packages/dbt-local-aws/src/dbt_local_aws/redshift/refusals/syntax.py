"""What Redshift's grammar has not, whatever the names in a statement mean, and what is not emulated."""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    UNDEFINED_COLUMN,
    UNDEFINED_FUNCTION,
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.refusals.relations import relations
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

# Words that PostgreSQL's grammar takes before these, and Redshift's does not
_WRONG_BEFORE = {
    "filter": ("(", "where"),
    "on": ("conflict",),
    "tablesample": ("bernoulli|system",),
    "fetch": ("first|next",),
    "between": ("symmetric",),
    "overriding": ("system|user", "value"),
    "order": ("by", "using"),
}
# The same, where one of these words stands behind another one
_WRONG_BEHIND = {
    "only": {"from", "update", "join", "into"},
    "values": {"(", "union", "all", "except", "intersect", "as"},
    "materialized": {"as"},
    "unlogged": {"into"},
}
# Behind SELECT, one of these would mean a list without anything in it
_ENDS_SELECT_LIST = {"", ")", "from", "where", "group", "order", "limit", "union", "intersect", "except", "minus"}
# Operators that Redshift has ("Mathematical operator symbols", "Comparison condition", "POSIX operators"). PostgreSQL
# reads as one operator what stands without a blank between.
_OPERATORS = {
    "+", "-", "*", "/", "%", "^", "|/", "||/", "@", "&", "|", "#", "~", "<<", ">>", "||", "=", "<>", "!=", "<", ">",
    "<=", ">=", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*", "=>", "",
}  # fmt: skip
_OPERATOR_CHARACTERS = frozenset("+-*/<>=~!@#%^&|`?")
_LATER_THAN_REDSHIFT = {"current_role", "current_catalog", "current_schema"}  # without parentheses
_SET_OPERATIONS = {"union", "intersect", "except", "minus"}


def check_syntax(tokens: Sequence[Token]) -> None:
    """Raises for the first thing that Redshift's grammar has not, whatever the names in it mean."""
    for at, token in enumerate(tokens):
        if token.kind is Kind.NUMBER and at + 1 < len(tokens) and _is_glued(tokens, at + 1):
            raise syntax_error(tokens[at + 1].text)  # 1_000, 0xff
        if token.kind in (Kind.WORD, Kind.OPERATOR) and word_at(tokens, at - 1) != ".":
            _check_syntax(tokens, at)
        if _is_operator(token):
            _check_operator(tokens, at)
    _check_common_table_expressions(tokens)
    check_sorted_aggregates(tokens)


def _is_glued(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].kind is Kind.WORD and not tokens[at].before


def _check_operator(tokens: Sequence[Token], at: int) -> None:
    """Raises for an operator of PostgreSQL's alone, which begins at this token and goes on without a blank."""
    if at > 0 and not tokens[at].before and _is_operator(tokens[at - 1]):
        return  # it began before
    end = at + 1
    while end < len(tokens) and not tokens[end].before and _is_operator(tokens[end]):
        end += 1
    run = "".join(token.text for token in tokens[at:end])
    # what is glued to it may be a sign, or the star of count(*)
    if run not in _OPERATORS and run.rstrip("+-") not in _OPERATORS:
        raise RedshiftError(UNDEFINED_FUNCTION, f"operator does not exist: {run}")


def _is_operator(token: Token) -> bool:
    return token.kind is Kind.OPERATOR and set(token.text) <= _OPERATOR_CHARACTERS


def _check_common_table_expressions(tokens: Sequence[Token]) -> None:
    """Raises where one changes data, or is recursive by UNION: Redshift wants UNION ALL."""
    for at in range(len(tokens)):
        if not starts_with(tokens, "as", "(", at=at):
            continue
        if word_at(tokens, at + 2) in ("insert", "update", "delete", "merge"):
            raise syntax_error(tokens[at + 2].text)
        if word_at(tokens, 0) == "with" and word_at(tokens, 1) == "recursive":
            body = tokens[at + 2 : closing(tokens, at + 1)]
            union = find_top_level(body, "union")
            name = _name_of_common_table_expression(tokens, at)
            if union >= 0 and word_at(body, union + 1) != "all" and (name,) in relations(body):
                raise not_supported("UNION in a recursive common table expression, which wants UNION ALL,")


def _name_of_common_table_expression(tokens: Sequence[Token], at: int) -> str:
    before = at - 1
    if word_at(tokens, before) == ")":
        while before > 0 and word_at(tokens, before) != "(":
            before -= 1
        before -= 1
    return tokens[before].name if before >= 0 and tokens[before].is_identifier else ""


def _check_syntax(tokens: Sequence[Token], at: int) -> None:
    """Raises where a word begins what Redshift's grammar has not, or what is not emulated."""
    word, before = tokens[at].word, word_at(tokens, at - 1)
    if word in _WRONG_BEFORE and starts_with(tokens, *_WRONG_BEFORE[word], at=at + 1):
        raise syntax_error(tokens[at].text)
    if before in _WRONG_BEHIND.get(word, ()) and (word == "only" or word_at(tokens, at + 1) == "("):
        raise syntax_error(tokens[at].text)
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
        case "offset" if word_at(tokens, at + 2) in ("row", "rows"):
            raise syntax_error(tokens[at + 2].text)
        case "table" if at > 0 and before not in ("create", "temp", "temporary", "local", "into"):
            raise syntax_error("table")
        case "with" if _is_with_data(tokens, at) or word_at(tokens, at + 1) == "ordinality":
            raise syntax_error("with")
        case "returning" if first in ("insert", "update", "delete", "merge", "with"):
            raise syntax_error("returning")
        case "lateral" if before in ("join", "from", ",", "cross"):
            raise syntax_error("lateral")
        case "all" if before in _SET_OPERATIONS - {"union"}:
            raise not_supported(f"{before.upper()} ALL")
        case "(" if word_at(tokens, at + 1) in ("select", "with"):
            _check_input_to_set_operation(tokens, at)
        case "window" if starts_with(tokens, "as", "(", at=at + 2):
            raise syntax_error("window")


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


def _is_with_data(tokens: Sequence[Token], at: int) -> bool:
    """CREATE TABLE AS … WITH [NO] DATA, and not a common table expression called `data`."""
    behind = at + 2 + (word_at(tokens, at + 1) == "no")
    return word_at(tokens, behind - 1) == "data" and word_at(tokens, behind) not in ("as", "(")


def _check_expression(tokens: Sequence[Token], at: int) -> None:
    """Raises where an expression begins that Redshift has not."""
    word, after = tokens[at].word, word_at(tokens, at + 1)
    if word in _LATER_THAN_REDSHIFT and after not in ("(", ".") and word_at(tokens, at - 1) != "as":
        raise RedshiftError(UNDEFINED_COLUMN, f'column "{word}" does not exist')
    match word:
        case "b" | "x" if is_value(tokens, at + 1) and tokens[at + 1].kind is Kind.STRING and not tokens[at + 1].before:
            raise not_supported("a bit string")
        case "using" if at + 1 < len(tokens) and _is_operator(tokens[at + 1]):
            raise syntax_error("using")  # ORDER BY … USING <
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
