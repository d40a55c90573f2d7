"""Gives quotients and averages of decimals their scale, in the text of a query."""

from collections.abc import Iterator, Sequence

from dbt_local_aws.redshift.decimals.rules import Decimal
from dbt_local_aws.redshift.decimals.tree import Node
from dbt_local_aws.redshift.decimals.typing import NUMERIC, Scope, Typing
from dbt_local_aws.redshift.tokens import Token, closing, render, tokenize, word_at

# Where several stand at one place: what ends there comes before what begins there
_ENDS, _STANDS_BETWEEN, _BEGINS = 0, 1, 2


class QueryText:
    """A query's text and its tokens, which PostgreSQL's tree names by their bytes."""

    def __init__(self, sql: str) -> None:
        self.tokens = tokenize(sql)
        self._sql = sql
        self._numbers: dict[int, int] = {}
        at = 0
        for number, token in enumerate(self.tokens):
            at += len(token.before)
            self._numbers[at] = number
            at += len(token.text)
        self._encoded = None if sql.isascii() else sql.encode()

    def token_at(self, location: int) -> int:
        """The number of the token at a byte; -1 where none begins."""
        if self._encoded is not None:
            location = len(self._encoded[:location].decode(errors="ignore"))
        return self._numbers.get(location, -1)


def scaled(text: QueryText, query: Node, typing: Typing) -> str | None:
    """The query in which quotients and averages have their scale; none where nothing is to be changed."""
    divisions: dict[int, int | None] = {}
    averages: dict[int, int | None] = {}
    for kind, location, scale in _located(query, typing):
        found = divisions if kind == "/" else averages
        found[text.token_at(location)] = scale
    tokens = text.tokens
    written = [at for at, token in enumerate(tokens) if token.word == "/"]
    if not _copy_to_repeated(tokens, divisions, written):
        return None
    edits = [
        (at + 1, _STANDS_BETWEEN, f" null::redshift_internal.scale_{scale} /")
        for at, scale in divisions.items()
        if at >= 0 and scale is not None
    ]
    for at, scale in averages.items():
        if at >= 0 and scale is not None:
            edits += [(at, _BEGINS, " redshift_internal.avg("), (_end_of_call(tokens, at), _ENDS, f", {scale})")]
    return _edited(tokens, edits) if edits else None


def _located(query: Node, typing: Typing) -> Iterator[tuple[str, int, int | None]]:
    """The divisions and averages in a query: which of them, where, and the scale of a decimal."""
    waiting: list[tuple[Node, Scope]] = [(query, ())]
    while waiting:
        node, scope = waiting.pop()
        if node.kind == "QUERY":
            scope = (*scope, node)
        waiting += [(child, scope) for child in node.children()]
        location = node.number("location") if node.kind in ("OPEXPR", "AGGREF", "WINDOWFUNC") else -1
        if location >= 0:
            name = typing.function(node)
            if node.kind == "OPEXPR":
                yield "/", location, _scale(typing.of(node, scope) if name == "numeric_div" else None)
            elif name == "avg":
                numeric = NUMERIC in (node.text("aggtype"), node.text("wintype"))
                yield "avg", location, _scale(typing.of(node, scope) if numeric else None)


def _scale(found: Decimal | None) -> int | None:
    return found.scale if found is not None else None


def _copy_to_repeated(tokens: Sequence[Token], divisions: dict[int, int | None], written: Sequence[int]) -> bool:
    """Finds the scale of divisions that PostgreSQL has merged: those of GROUP BY with those of the list of columns.

    Tells whether it is known for all, as far as any has one.
    """
    known: dict[str, set[int | None]] = {}
    for at in written:
        if at in divisions:
            known.setdefault(_operands(tokens, at), set()).add(divisions[at])
    for at in written:
        if at in divisions:
            continue
        found = known.get(_operands(tokens, at), set())
        if len(found) == 1:
            (divisions[at],) = found
        elif any(scale is not None for scale in divisions.values()):
            return False
    return True


def _operands(tokens: Sequence[Token], at: int) -> str:
    """The text of what stands right before and right behind an operator."""
    return render(tokens[_start_of_operand(tokens, at) : _end_of_operand(tokens, at)]).strip().lower()


def _start_of_operand(tokens: Sequence[Token], at: int) -> int:
    start = at - 1
    while start > 0:
        if word_at(tokens, start) == ")":
            start = _opening(tokens, start)
            start -= start > 0 and tokens[start - 1].is_identifier
        if word_at(tokens, start - 1) not in (".", "::"):
            break
        start -= 2
    return max(start, 0)


def _opening(tokens: Sequence[Token], at: int) -> int:
    depth = 0
    for start in range(at, 0, -1):
        depth += {")": 1, "(": -1}.get(tokens[start].word, 0)
        if depth == 0:
            return start
    return 0


def _end_of_operand(tokens: Sequence[Token], at: int) -> int:
    end = at + 1
    while end < len(tokens):
        if word_at(tokens, end) == "(":
            end = closing(tokens, end) + 1
        elif end == at + 1 or word_at(tokens, end) in (".", "::") or word_at(tokens, end - 1) in (".", "::"):
            end += 1
        else:
            break
    return end


def _end_of_call(tokens: Sequence[Token], at: int) -> int:
    """Where what follows a call begins: its name may be qualified, and a window may stand behind it."""
    while word_at(tokens, at) != "(":
        at += 1
    end = closing(tokens, at) + 1
    if word_at(tokens, end) == "over":
        return closing(tokens, end + 1) + 1 if word_at(tokens, end + 1) == "(" else end + 2
    return end


def _edited(tokens: Sequence[Token], edits: Sequence[tuple[int, int, str]]) -> str:
    inserted: dict[int, list[tuple[int, str]]] = {}
    for at, order, text in edits:
        inserted.setdefault(at, []).append((order, text))
    parts = []
    for at in range(len(tokens) + 1):
        parts += [text for _, text in sorted(inserted.get(at, []), key=lambda edit: edit[0])]
        if at < len(tokens):
            parts += [tokens[at].before, tokens[at].text]
    return "".join(parts)
