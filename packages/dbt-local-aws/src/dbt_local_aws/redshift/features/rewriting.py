"""Finds the queries of a statement, from the innermost to the outermost, and puts their features into other words."""

from collections.abc import Callable, Sequence

from dbt_local_aws.redshift.features import (
    aliases,
    connect_by,
    group_by_all,
    inserts,
    outer_join,
    pivot,
    super_values,
    wrapping,
)
from dbt_local_aws.redshift.features.block import Block, is_clause
from dbt_local_aws.redshift.features.columns import Expression, Scope
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.tokens import Token, closing, find_top_level, spaced, sql, starts_with, top_level, word_at

_SET_OPERATIONS = ("union", "intersect", "except", "minus")

# What is done to one SELECT, in this order; each says whether it has changed anything
_FEATURES: tuple[Callable[[Block, Scope], bool], ...] = (
    super_values.rewrite,
    outer_join.rewrite,
    pivot.rewrite,
    connect_by.rewrite,
    aliases.rewrite,
    group_by_all.rewrite,
    wrapping.rewrite,
)


def expand(tokens: Sequence[Token], context: Context) -> tuple[list[Token], bool]:
    """A statement with its late-binding views and its features in other words.

    Also whether it had any: then its text depends on tables that may change before it runs again.
    """
    expanded, late_bound = context.late_views.expand(tokens)
    scope = Scope(context.columns)
    rewritten = _level(inserts.rewrite(expanded, scope), scope)
    return rewritten, late_bound or rewritten != expanded


def _level(tokens: Sequence[Token], scope: Scope) -> list[Token]:
    """The tokens between two parentheses, or of a whole statement."""
    begin = find_top_level(tokens, "with")
    if begin >= 0 and _begins_expressions(tokens, begin):
        defined, end, scope = _expressions(tokens, begin, scope)
        return [*_inner(tokens[:begin], scope), *defined, *_query(_inner(tokens[end:], scope), scope)]
    return _query(_inner(tokens, scope), scope)


def _begins_expressions(tokens: Sequence[Token], at: int) -> bool:
    name = at + 1 + (word_at(tokens, at + 1) == "recursive")
    if name >= len(tokens) or not tokens[name].is_identifier:
        return False
    behind = closing(tokens, name + 1) + 1 if word_at(tokens, name + 1) == "(" else name + 1
    return starts_with(tokens, "as", "(", at=behind)


def _expressions(tokens: Sequence[Token], begin: int, scope: Scope) -> tuple[list[Token], int, Scope]:
    """The common table expressions of a WITH clause, where they end, and what can be seen behind them."""
    recursive = word_at(tokens, begin + 1) == "recursive"
    at = begin + 1 + recursive
    output = list(tokens[begin:at])
    while True:
        opening = find_top_level(tokens[at:], "as") + at + 1
        end = closing(tokens, opening)
        name, body = list(tokens[at:opening]), tokens[opening + 1 : end]
        inside = scope
        union = find_top_level(body, "union")
        if recursive and union >= 0:  # its first part says which columns it has
            first = _level(body[:union], scope)
            inside = scope.with_expression(Expression(name[0].name, [*name, *sql("("), *first, *sql(")")]))
        definition = [*name, tokens[opening], *_level(body, inside), tokens[end]]
        scope = inside if inside is not scope else scope.with_expression(Expression(name[0].name, definition))
        output += definition
        at = end + 1
        if word_at(tokens, at) != ",":
            return output, at, scope
        output.append(tokens[at])
        at += 1


def _inner(tokens: Sequence[Token], scope: Scope) -> list[Token]:
    """The same tokens with everything in parentheses rewritten."""
    output: list[Token] = []
    at = 0
    while at < len(tokens):
        output.append(tokens[at])
        if tokens[at].word == "(":
            end = closing(tokens, at)
            output += [*_level(tokens[at + 1 : end], scope), tokens[end]]
            at = end
        at += 1
    return output


def _query(tokens: Sequence[Token], scope: Scope) -> list[Token]:
    """One SELECT, or several in set operations, whose subqueries are rewritten already."""
    begin = find_top_level(tokens, "select")
    if begin < 0:
        return list(tokens)
    operations = [at for at, token in top_level(tokens) if at > begin and token.word in _SET_OPERATIONS]
    end = len(tokens)
    if operations:  # what orders and limits the whole belongs to no part of it
        tail = (at for at, token in top_level(tokens) if at > operations[-1] and _is_tail(tokens, at))
        end = next(tail, end)
    output = list(tokens[:begin])
    for start, stop in zip([begin, *operations], [*operations, end], strict=True):
        select = find_top_level(tokens[start:stop], "select")
        if select < 0:
            output += tokens[start:stop]
        else:
            output += [*tokens[start : start + select], *_select(tokens[start + select : stop], scope)]
    return [*output, *tokens[end:]]


def _is_tail(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].word in ("order", "limit", "offset") and is_clause(tokens, at)


def _select(tokens: Sequence[Token], scope: Scope) -> list[Token]:
    block = Block.parse(tokens)
    changed = [rewrite(block, scope) for rewrite in _FEATURES]
    return spaced(block.tokens()) if any(changed) else list(tokens)
