"""Operators: those that Redshift has, and no other."""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import UNDEFINED_FUNCTION, RedshiftError
from dbt_local_aws.redshift.tokens import Kind, Token

# Operators that Redshift has ("Mathematical operator symbols", "Comparison condition", "POSIX operators"). PostgreSQL
# reads as one operator what stands without a blank between.
KNOWN_OPERATORS = {
    "+", "-", "*", "/", "%", "^", "|/", "||/", "@", "&", "|", "#", "~", "<<", ">>", "||", "=", "<>", "!=", "<", ">",
    "<=", ">=", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*", "",
}  # fmt: skip
_CHARACTERS = frozenset("+-*/<>=~!@#%^&|`?")

_MAY_END_IN_SIGN = frozenset("~!@#%^&|`?")  # an operator with one of these


def check_operator(tokens: Sequence[Token], at: int) -> None:
    """Raises for an operator of PostgreSQL's alone, which begins at this token and goes on without a blank."""
    if at > 0 and not tokens[at].before and is_operator(tokens[at - 1]):
        return  # it began before
    end = at + 1
    while end < len(tokens) and not tokens[end].before and is_operator(tokens[end]):
        end += 1
    run = "".join(token.text for token in tokens[at:end])
    if without_signs(run) not in KNOWN_OPERATORS:
        raise RedshiftError(UNDEFINED_FUNCTION, f"operator does not exist: {run}")


def without_signs(run: str) -> str:
    """The operator alone, of characters that stand side by side: signs of what follows may be glued to it.

    Source: "Operators" in the lexical structure of PostgreSQL, as it was in 8.0.
    """
    return run if _MAY_END_IN_SIGN.intersection(run) else run[0] + run[1:].rstrip("+-")


def is_operator(token: Token) -> bool:
    """Whether a token is an operator, or a part of one."""
    return token.kind is Kind.OPERATOR and set(token.text) <= _CHARACTERS
