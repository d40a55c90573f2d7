"""Common table expressions: what they may not do, and what recursive ones may not.

Source: r_WITH_clause in the Amazon Redshift Database Developer Guide, "Recursive common table expressions".
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import not_supported, syntax_error
from dbt_local_aws.redshift.refusals.relations import relations
from dbt_local_aws.redshift.tokens import Token, closing, find_top_level, top_level, word_at


def check_common_table_expressions(tokens: Sequence[Token]) -> None:
    """Raises where one changes data, or is recursive in a way that only PostgreSQL has."""
    recursive = False
    for at, token in enumerate(tokens):
        if token.word == "as" and word_at(tokens, at + 1) == "(":
            if word_at(tokens, at + 2) in ("insert", "update", "delete", "merge"):
                raise syntax_error(tokens[at + 2].text)
            if recursive:
                _check_recursive(tokens, at)
        elif token.word == "recursive" and word_at(tokens, at - 1) == "with":
            recursive = True
            if _is_in_subquery(tokens, at):
                raise not_supported("WITH RECURSIVE in a subquery")


def _check_recursive(tokens: Sequence[Token], at: int) -> None:
    """Raises where the common table expression whose AS stands here refers to itself, and not as it has to."""
    name, has_columns = _head(tokens, at)
    body = tokens[at + 2 : closing(tokens, at + 1)]
    if (name,) not in relations(body):
        return
    if not has_columns:
        raise not_supported("a recursive common table expression without a list of columns")
    for position, token in top_level(body):
        if token.word in ("intersect", "except", "minus") or (
            token.word == "union" and word_at(body, position + 1) != "all"
        ):
            raise not_supported(f"{token.text.upper()} in a recursive common table expression, which wants UNION ALL,")
    clause = find_top_level(body, "order", "limit", "offset")
    if clause >= 0:
        raise not_supported(f"{body[clause].text.upper()} in a recursive common table expression")


def _head(tokens: Sequence[Token], at: int) -> tuple[str, bool]:
    """The name of the common table expression whose AS stands here, and whether it lists its columns."""
    before = at - 1
    has_columns = word_at(tokens, before) == ")"
    if has_columns:
        while before > 0 and word_at(tokens, before) != "(":
            before -= 1
        before -= 1
    return tokens[before].name if before >= 0 and tokens[before].is_identifier else "", has_columns


def _is_in_subquery(tokens: Sequence[Token], at: int) -> bool:
    """Whether a query is open around this position."""
    depth = 0
    for position in range(at - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[position].word, 0)
        if depth < 0:
            depth = 0  # out of a parenthesis, into the one around it
        elif depth == 0 and tokens[position].word == "select":
            return True
    return False
