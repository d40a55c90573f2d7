"""Features in the bodies of procedures, which are handed to PostgreSQL as they are: not emulated there."""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import not_emulated
from dbt_local_aws.redshift.features.block import is_clause
from dbt_local_aws.redshift.tokens import Token, starts_with, word_at


def check_absent(tokens: Sequence[Token]) -> None:
    """Raises for the first feature that stands here."""
    for at in range(len(tokens)):
        if _begins_feature(tokens, at):
            raise not_emulated(f"{_NAMES[tokens[at].word]} in the body of a procedure")


_NAMES = {
    "qualify": "QUALIFY",
    "group": "GROUP BY ALL",
    "exclude": "SELECT * EXCLUDE",
    "pivot": "PIVOT",
    "unpivot": "UNPIVOT",
    "connect": "CONNECT BY",
    "(": "the outer join operator (+)",
}


def _begins_feature(tokens: Sequence[Token], at: int) -> bool:
    match tokens[at].word:
        case "qualify":
            found = is_clause(tokens, at)
        case "exclude":
            found = word_at(tokens, at - 1) == "*"
        case "pivot" | "unpivot":
            found = at > 0 and starts_with(tokens, "(|include|exclude", at=at + 1)
        case "group" | "connect" | "(" as word:
            words = {"group": ("by", "all"), "connect": ("by",), "(": ("+", ")")}[word]
            found = starts_with(tokens, *words, at=at + 1)
        case _:
            found = False
    return found
