"""LISTAGG, MEDIAN and PERCENTILE_CONT, which sort their input: what Redshift does not let a query combine with them.

Sources: the usage notes of LISTAGG, MEDIAN and PERCENTILE_CONT in the Amazon Redshift Database Developer Guide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from dbt_local_aws.redshift.errors import FEATURE_NOT_SUPPORTED, RedshiftError, not_supported
from dbt_local_aws.redshift.tokens import Token, closing, starts_with, word_at

_SORTED = {"listagg", "median", "percentile_cont"}
_DISTINCT = {"count", "sum", "avg", "min", "max"}


@dataclass
class _Query:
    """The aggregates of one query: how the sorted ones are sorted, and whether another one is of distinct values."""

    orders: set[str] = field(default_factory=set)
    is_sorted: bool = False
    of_distinct: bool = False


def check_sorted_aggregates(tokens: Sequence[Token]) -> None:
    """Raises where a query has sorted aggregates that differ in their order, or that stand beside distinct ones."""
    queries: dict[int, _Query] = {}
    for number, at in _positions(tokens):
        word = tokens[at].word
        if word_at(tokens, at + 1) != "(" or word_at(tokens, at - 1) == ".":
            continue
        query = queries.setdefault(number, _Query())
        if word == "percentile_disc":
            _check_percentile(tokens, at)
        elif word in _SORTED:
            _add(query, tokens, at)
        elif word in _DISTINCT and word_at(tokens, at + 2) == "distinct":
            query.of_distinct |= word_at(tokens, at - 1) != "approximate" and not _is_over(tokens, at)
    for query in queries.values():
        if len(query.orders) > 1:
            raise RedshiftError(
                FEATURE_NOT_SUPPORTED, "within group ORDER BY clauses for aggregate functions must be the same"
            )
        if query.is_sorted and query.of_distinct:
            raise RedshiftError(
                FEATURE_NOT_SUPPORTED,
                "Using LISTAGG/PERCENTILE_CONT/MEDIAN aggregate functions with other distinct aggregate function "
                "not supported",
            )


def _positions(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Every position, with the number of the innermost query that it belongs to."""
    numbers = count(1)
    within = [0]
    for at, token in enumerate(tokens):
        match token.word:
            case "(":
                within.append(within[-1])
            case ")" if len(within) > 1:
                within.pop()
            case "select":
                within[-1] = next(numbers)
        yield within[-1], at


def _is_over(tokens: Sequence[Token], at: int) -> bool:
    """Whether the function called here is one of a window."""
    return starts_with(tokens, "over", "(", at=_end_of_group(tokens, at) + 1)


def _end_of_group(tokens: Sequence[Token], at: int) -> int:
    """Where the call that begins here ends, with its WITHIN GROUP."""
    end = closing(tokens, at + 1)
    return closing(tokens, end + 3) if starts_with(tokens, "within", "group", "(", at=end + 1) else end


def _check_percentile(tokens: Sequence[Token], at: int) -> None:
    if word_at(tokens, at - 1) != "approximate" and not _is_over(tokens, at):
        raise not_supported("PERCENTILE_DISC as an aggregate without APPROXIMATE")


def _add(query: _Query, tokens: Sequence[Token], at: int) -> None:
    if _is_over(tokens, at):
        return
    query.is_sorted = True
    end = closing(tokens, at + 1)
    if tokens[at].word == "median":
        query.orders.add(_said(tokens[at + 2 : end]))  # it sorts by its argument
    elif starts_with(tokens, "within", "group", "(", "order", "by", at=end + 1):
        query.orders.add(_said(tokens[end + 6 : closing(tokens, end + 3)]))


def _said(tokens: Sequence[Token]) -> str:
    """An expression in one way of writing: without the tables before its columns."""
    kept = [
        token.name if token.is_identifier else token.text
        for at, token in enumerate(tokens)
        if word_at(tokens, at) != "." and word_at(tokens, at + 1) != "."
    ]
    return " ".join(word for word in kept if word != "asc")
