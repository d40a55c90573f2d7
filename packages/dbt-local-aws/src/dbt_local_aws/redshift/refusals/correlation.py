"""Correlated subqueries that Redshift cannot decorrelate.

Source: r_correlated_subqueries in the Amazon Redshift Database Developer Guide; the code and the words of the error:
https://github.com/SQLMesh/sqlmesh/issues/5342. Only a column that is named with its table tells whose it is: what is
correlated by the bare name of a column is let through.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dbt_local_aws.redshift.errors import INTERNAL_ERROR, RedshiftError
from dbt_local_aws.redshift.functions import RESERVED_WORDS
from dbt_local_aws.redshift.refusals.relations import relation_references
from dbt_local_aws.redshift.tokens import Kind, Token, closing, find_top_level, split, starts_with, word_at

_AGGREGATES = {"sum", "count", "avg", "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop"}
_CLAUSES = {"from", "where", "on", "group", "having", "order", "limit", "select"}


@dataclass
class _Block:
    """A query block: where it begins and ends, in which one it lies, and what its FROM clause names."""

    start: int
    outer: "_Block | None"
    end: int = 0
    names: set[str] = field(default_factory=set)
    correlated: bool = False

    def distance_to(self, name: str) -> int:
        """How many blocks out a table is named so; -1 where none is."""
        block: _Block | None = self
        distance = 0
        while block is not None:
            if name in block.names:
                return distance
            block, distance = block.outer, distance + 1
        return -1


def check_correlations(tokens: Sequence[Token]) -> None:
    """Raises where a subquery refers to a query around it in a way that Redshift does not support."""
    if sum(token.word == "select" for token in tokens) < 2:
        return
    blocks = _blocks(tokens)
    _name_tables(tokens, blocks)
    for at, name in _qualifiers(tokens):
        block = blocks[at]
        distance = block.distance_to(name)
        if distance > 1:
            raise _unsupported()  # it skips a block
        block.correlated |= distance == 1
    for block in {id(block): block for block in blocks}.values():
        if block.correlated and _is_unsupported(tokens, block):
            raise _unsupported()
        _check_grouping(tokens, block, blocks)


def _unsupported() -> RedshiftError:
    return RedshiftError(
        INTERNAL_ERROR, "This type of correlated subquery pattern is not supported due to internal error"
    )


def _blocks(tokens: Sequence[Token]) -> list[_Block]:
    """The innermost block that each token belongs to."""
    found = []
    outers: list[_Block | None] = [None]  # of each open parenthesis
    blocks = [_Block(0, None, len(tokens))]
    for at, token in enumerate(tokens):
        if token.word == "(":
            outers.append(blocks[-1])
            blocks.append(blocks[-1])
        elif token.word == ")" and len(blocks) > 1:
            _end(blocks.pop(), outers.pop(), at)
        elif token.word == "select":
            _end(blocks[-1], outers[-1], at)  # the one before it in a UNION
            blocks[-1] = _Block(at, outers[-1], len(tokens))
        found.append(blocks[-1])
    return found


def _end(block: _Block, outer: _Block | None, at: int) -> None:
    """Ends a block here, unless it is the one that goes on around a parenthesis."""
    if block is not outer:
        block.end = at


def _name_tables(tokens: Sequence[Token], blocks: Sequence[_Block]) -> None:
    """Writes down what the tables of each block are called in it."""
    for parts, begin, end in relation_references(tokens):
        blocks[begin].names.add(_alias(tokens, end) or parts[-1])
    for at, token in enumerate(tokens):
        if token.word == "(" and word_at(tokens, at - 1) in ("from", "join", ","):
            alias = _alias(tokens, closing(tokens, at) + 1)
            if alias:
                blocks[at - 1].names.add(alias)
    first = word_at(tokens, 0)
    if first in ("update", "delete"):
        at = 1 + (word_at(tokens, 1) == "from")
        while word_at(tokens, at + 1) == ".":
            at += 2
        blocks[0].names.add(_alias(tokens, at + 1) or tokens[at].name)


def _alias(tokens: Sequence[Token], at: int) -> str:
    """The alias that stands at this position, with or without AS; empty where there is none."""
    at += word_at(tokens, at) == "as"
    if at >= len(tokens) or not tokens[at].is_identifier or tokens[at].word in RESERVED_WORDS | {"set", "values"}:
        return ""
    return tokens[at].name


def _qualifiers(tokens: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """The tables that columns are named with: each with where the column stands."""
    relations = {begin for _, begin, _ in relation_references(tokens)}
    at = 0
    while at < len(tokens):
        start = at
        while tokens[at].is_identifier and word_at(tokens, at + 1) == "." and at + 2 < len(tokens):
            at += 2
        called = word_at(tokens, at + 1) == "("
        if at > start and start not in relations and not called and tokens[at].kind is not Kind.OPERATOR:
            yield start, tokens[at - 2].name
        at += 1


def _is_unsupported(tokens: Sequence[Token], block: _Block) -> bool:
    """Whether a correlated block has what keeps it from being decorrelated."""
    inside = tokens[block.start : block.end]
    if any(starts_with(inside, "over", "(", at=at) for at in range(len(inside))):
        return True  # a window function
    opening = _opening(tokens, block.start)
    if _is_on_of_outer_join(tokens, opening):
        return True
    in_list = word_at(tokens, opening - 1) == "in"
    grouped = find_top_level(inside, "group") >= 0
    aggregated = any(token.word in _AGGREGATES and word_at(inside, at + 1) == "(" for at, token in enumerate(inside))
    return in_list and grouped and aggregated


def _opening(tokens: Sequence[Token], at: int) -> int:
    """The parenthesis that is open here; -1 where none is."""
    depth = 0
    for position in range(at - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[position].word, 0)
        if depth < 0:
            return position
    return -1


def _is_on_of_outer_join(tokens: Sequence[Token], opening: int) -> bool:
    """Whether a subquery in these parentheses is part of the ON clause of an outer join."""
    depth = 0
    on = False
    for position in range(opening - 1, -1, -1):
        word = tokens[position].word
        depth += {")": 1, "(": -1}.get(word, 0)
        if depth > 0:
            continue
        if word == "on":
            on = True
        elif on and word == "join":
            return bool({word_at(tokens, position - 1), word_at(tokens, position - 2)} & {"left", "right", "full"})
        elif word in _CLAUSES:
            return False
    return False


def _check_grouping(tokens: Sequence[Token], block: _Block, blocks: Sequence[_Block]) -> None:
    """Raises where a block is grouped by what a correlated subquery gave."""
    inside = tokens[block.start : block.end]
    group = find_top_level(inside, "group")
    source = find_top_level(inside, "from")
    if group < 0 or source < 0:
        return
    end = find_top_level(inside, "having", "qualify", "order", "limit", "union", "intersect", "except", start=group)
    keys = {
        part[0].name if part[0].is_identifier else part[0].text
        for part in split(inside[group + 2 : end if end >= 0 else len(inside)])
        if len(part) == 1
    }
    at = block.start + 1
    for place, item in enumerate(split(inside[1:source]), start=1):
        subqueries = [b for b in blocks[at : at + len(item)] if b is not block and b.outer is block]
        named = item[-1].name if item and item[-1].is_identifier else ""
        if any(b.correlated for b in subqueries) and keys & {named, str(place)}:
            raise _unsupported()
        at += len(item) + 1
