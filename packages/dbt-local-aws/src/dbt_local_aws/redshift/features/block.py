"""One SELECT, taken apart into its list and its clauses, and put together again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from dbt_local_aws.redshift.tokens import Kind, Token, closing, spaced, split, sql, top_level, word_at

# Clauses in the order in which they stand; START WITH and CONNECT BY may change places
CLAUSES = {
    "from": "", "where": "", "start": "with", "connect": "by", "group": "by", "having": "", "qualify": "",
    "order": "by", "limit": "", "offset": "",
}  # fmt: skip
_NO_CLAUSE_BEHIND = {".", "as", ",", "select", "(", "distinct"}
# Behind an item of the list, these are no name for it
_NO_ALIAS = {
    "null", "true", "false", "end", "and", "or", "not", "is", "in", "like", "ilike", "between", "then", "else", "when",
    "case", "day", "month", "year", "hour", "minute", "second", "precision", "varying", "zone", "sysdate",
    "current_date", "current_timestamp", "current_user", "user", "isnull", "notnull", "all", "distinct", "similar",
    "to", "escape", "collate", "over", "within", "nulls", "from", "at", "time", "using", "prior",
}  # fmt: skip


@dataclass
class Item:
    """An item of a select list: an expression, and the name that the statement gives it."""

    expression: list[Token]
    alias: Token | None = None
    explicit: bool = True  # whether AS stands before the name

    @property
    def tokens(self) -> list[Token]:
        """The item as it is written."""
        if self.alias is None:
            return self.expression
        return [*self.expression, *(sql("as") if self.explicit else []), *spaced([self.alias])]

    @property
    def is_star(self) -> bool:
        """Whether it is `*`, or `t.*`."""
        return word_at(self.expression, len(self.expression) - 1) == "*" and (
            len(self.expression) == 1 or word_at(self.expression, len(self.expression) - 2) == "."
        )


@dataclass
class Block:
    """One SELECT: `select [top n] [all | distinct]`, its list, and its clauses, each with the words that begin it."""

    head: list[Token]
    items: list[Item]
    clauses: dict[str, list[Token]] = field(default_factory=dict)

    @classmethod
    def parse(cls, tokens: Sequence[Token]) -> Self:
        """Takes the tokens of one SELECT apart."""
        starts = _clause_starts(tokens)
        bounds = [*(at for at, _ in starts), len(tokens)]
        begin = 1
        if word_at(tokens, begin) == "top" and begin + 1 < len(tokens) and tokens[begin + 1].kind is Kind.NUMBER:
            begin += 2
        begin += word_at(tokens, begin) in ("all", "distinct")
        clauses = {name: list(tokens[at:end]) for (at, name), end in zip(starts, bounds[1:], strict=True)}
        return cls(list(tokens[:begin]), [_item(part) for part in split(tokens[begin : bounds[0]])], clauses)

    def body(self, clause: str) -> list[Token]:
        """What stands in a clause, behind the words that begin it; empty where there is no such clause."""
        return self.clauses.get(clause, [])[1 + bool(CLAUSES[clause]) :]

    def put(self, clause: str, body: Sequence[Token]) -> None:
        """Gives the block a clause, or another one in its place."""
        self.clauses[clause] = [*sql(f"{clause} {CLAUSES[clause]}".strip()), *spaced(body)]

    @property
    def listed(self) -> list[Token]:
        """The select list."""
        output: list[Token] = []
        for position, item in enumerate(self.items):
            output += [*(sql(",") if position else []), *spaced(item.tokens)]
        return output

    @property
    def is_distinct(self) -> bool:
        """Whether it gives every row once."""
        return self.head[-1].word == "distinct"

    def tokens(self, *without: str) -> list[Token]:
        """The SELECT, without some of its clauses."""
        output = [*self.head, *self.listed]
        for clause in CLAUSES:
            if clause not in without:
                output += spaced(self.clauses.get(clause, []))
        return output


def _clause_starts(tokens: Sequence[Token]) -> list[tuple[int, str]]:
    found: dict[str, int] = {}
    for at, token in top_level(tokens):
        word = token.word
        if word in CLAUSES and word not in found and is_clause(tokens, at) and ("from" in found or word in _TAIL):
            found[word] = at
    return sorted((at, word) for word, at in found.items())


_TAIL = {"from", "where", "group", "having", "order", "limit", "offset", "qualify"}


def is_clause(tokens: Sequence[Token], at: int) -> bool:
    """Whether the word at this position begins a clause, and is not a name."""
    word, second = tokens[at].word, CLAUSES.get(tokens[at].word)
    if second is None or word_at(tokens, at - 1) in _NO_CLAUSE_BEHIND:
        return False
    if second:
        return word_at(tokens, at + 1) == second
    if word == "qualify":
        return at + 1 < len(tokens) and word_at(tokens, at + 1) not in (
            *(",", ")", ".", "=", "<", ">", "+", "-", "*", "/", "||", "::"),
            *CLAUSES,
            *("join", "inner", "left", "right", "full", "cross", "natural", "on", "using", "as", "and", "or"),
        )
    return True


def _item(tokens: Sequence[Token]) -> Item:
    last = len(tokens) - 1
    if last > 1 and tokens[last].is_identifier and word_at(tokens, last - 1) == "as":
        return Item(list(tokens[: last - 1]), tokens[last])
    if last > 0 and tokens[last].is_identifier and tokens[last].word not in _NO_ALIAS and ends_value(tokens, last - 1):
        return Item(list(tokens[:last]), tokens[last], explicit=False)
    return Item(list(tokens))


def ends_value(tokens: Sequence[Token], at: int) -> bool:
    """Whether a value may end at this token, so that a word behind it is its name."""
    token = tokens[at]
    if token.kind in (Kind.STRING, Kind.NUMBER, Kind.NAME, Kind.PARAMETER):
        return True
    if token.kind is Kind.OPERATOR:
        return token.word in (")", "]")
    return token.word in _VALUES or token.word not in _NO_ALIAS | _BEFORE_NAMES


# Words of the grammar that end a value, or its type
_VALUES = {
    "end", "null", "true", "false", "sysdate", "current_date", "current_timestamp", "current_user", "user", "isnull",
    "notnull", "precision", "varying", "zone",
}  # fmt: skip
_BEFORE_NAMES = {"date", "timestamp", "interval", "double", "character", "with", "without"}


def outside_subqueries(tokens: Sequence[Token]) -> list[int]:
    """The positions that are in no subquery."""
    positions: list[int] = []
    at = 0
    while at < len(tokens):
        if tokens[at].word == "(" and word_at(tokens, at + 1) in ("select", "with"):
            at = closing(tokens, at) + 1
            continue
        positions.append(at)
        at += 1
    return positions
