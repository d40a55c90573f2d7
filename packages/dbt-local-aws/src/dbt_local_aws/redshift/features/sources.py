"""What stands in a FROM clause: relations and subqueries, with the names under which their columns are known."""

from collections.abc import Sequence
from dataclasses import dataclass

from dbt_local_aws.redshift.tokens import Token, closing, qualified_name, spaced, split, sql, starts_with, word_at

_BEHIND_A_SOURCE = {
    "join", "inner", "left", "right", "full", "cross", "natural", "on", "using", "pivot", "unpivot", "at", "where",
    "group", "order", "tablesample",
}  # fmt: skip
_BEFORE_A_SOURCE = {"inner", "left", "right", "full", "cross", "natural", "outer", "join", "lateral"}


@dataclass(frozen=True, slots=True)
class Source:
    """A relation or a subquery, as it is written, with its alias, if any."""

    tokens: list[Token]  # without the alias
    alias: Token | None
    columns: list[Token]  # that the alias gives other names: `(a, b)`
    parts: tuple[str, ...]  # the relation's name; empty for a subquery
    join: bool = False  # whether JOIN stands before it, and not a comma

    @property
    def name(self) -> str:
        """Under which its columns are known."""
        return self.alias.name if self.alias is not None else (self.parts[-1] if self.parts else "")


def cross_joined(listed: Sequence[Source]) -> list[Token]:
    """The same sources without conditions, to ask for their columns."""
    output: list[Token] = []
    for place, source in enumerate(listed):
        alias = [*sql("as"), *spaced([source.alias]), *source.columns] if source.alias is not None else []
        is_query = starts_with(source.tokens, "(", "select|with")  # which may go through an array of a table before it
        join = sql("cross join lateral" if is_query else "cross join") if place else []
        output += [*join, *spaced(source.tokens), *alias]
    return output


def sources(tokens: Sequence[Token]) -> list[Source]:
    """What a FROM clause names, from left to right; joins in parentheses count as one."""
    found: list[Source] = []
    for part in split(tokens):
        at, join = 0, False
        while at < len(part):
            while word_at(part, at) in _BEFORE_A_SOURCE:
                join = True
                at += 1
            if at >= len(part):
                break
            source, at = _source(part, at, join)
            found.append(source)
            at = _next_join(part, at)
    return found


def _source(tokens: Sequence[Token], at: int, join: bool) -> tuple[Source, int]:
    begin = at
    parts: tuple[str, ...] = ()
    if word_at(tokens, at) == "(":
        at = closing(tokens, at) + 1
    else:
        name, at = qualified_name(tokens, at)
        parts = name.parts
        if word_at(tokens, at) == "(":  # a function
            parts, at = (), closing(tokens, at) + 1
    end = at
    at += word_at(tokens, at) == "as"
    alias: Token | None = None
    columns: list[Token] = []
    if at < len(tokens) and tokens[at].is_identifier and (at > end or tokens[at].word not in _BEHIND_A_SOURCE):
        alias = tokens[at]
        at += 1
        if word_at(tokens, at) == "(":
            close = closing(tokens, at)
            columns, at = list(tokens[at : close + 1]), close + 1
    return Source(list(tokens[begin:end]), alias, columns, parts, join), at


def _next_join(tokens: Sequence[Token], at: int) -> int:
    """Where the next word that joins stands, outside of parentheses; the end where there is none."""
    while at < len(tokens) and tokens[at].word not in _BEFORE_A_SOURCE:
        at = closing(tokens, at) + 1 if tokens[at].word == "(" else at + 1
    return at
