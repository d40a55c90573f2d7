"""The notation in which the vendor's pages say what a statement looks like, as the files in names/syntax/ use it.

`KEYWORD` is a word, `rule` another rule or a kind of token, `[ … ]` may be left out, `{ … | … }` is a choice,
`x [, ...]` a list with commas and `x ...` one or more of the same; other characters stand for themselves, in quotes
where the notation has a meaning for them. Alternatives are tried in their order, and what one has taken it does not
give back.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dbt_local_aws.redshift.tokens import Token

FAILED = -1
_SYMBOL = re.compile(r"'[^']+'|\[, \.\.\.\]|\.\.\.|::|[A-Z][A-Z0-9_]*|[a-z][a-z0-9_]*|[\[\]{}|(),.*+]")
_OPENING = {"[": "]", "{": "}"}


@dataclass(slots=True)
class Reading:
    """A statement while it is read: its tokens, and how far any alternative came."""

    tokens: Sequence[Token]
    words: Sequence[str]  # each token's word, and nothing behind the last
    rule: str  # that of the whole
    farthest: int = 0
    known: dict[tuple[str, int], int] = field(default_factory=dict)

    def fail(self, at: int) -> int:
        """Notes that what stands here fits nothing that was tried."""
        self.farthest = max(self.farthest, at)
        return FAILED


# From a position to the position behind what was read, or FAILED
Reader = Callable[[Reading, int], int]


def _word(expected: str) -> Reader:
    def read(reading: Reading, at: int) -> int:
        return at + 1 if reading.words[at] == expected else reading.fail(at)

    return read


def _sequence(parts: Sequence[Reader]) -> Reader:
    if len(parts) == 1:
        return parts[0]

    def read(reading: Reading, at: int) -> int:
        for part in parts:
            at = part(reading, at)
            if at == FAILED:
                return FAILED
        return at

    return read


def _choice(alternatives: Sequence[Reader]) -> Reader:
    if len(alternatives) == 1:
        return alternatives[0]

    def read(reading: Reading, at: int) -> int:
        for alternative in alternatives:
            after = alternative(reading, at)
            if after != FAILED:
                return after
        return FAILED

    return read


def _optional(part: Reader) -> Reader:
    def read(reading: Reading, at: int) -> int:
        after = part(reading, at)
        return at if after == FAILED else after

    return read


def _repeated(part: Reader) -> Reader:
    def read(reading: Reading, at: int) -> int:
        after = part(reading, at)
        if after == FAILED:
            return FAILED
        while after != FAILED:
            at, after = after, part(reading, after)
        return at

    return read


def _listed(part: Reader) -> Reader:
    further = _sequence([_word(","), part])

    def read(reading: Reading, at: int) -> int:
        after = part(reading, at)
        if after == FAILED:
            return FAILED
        while after != FAILED:
            at, after = after, further(reading, after)
        return at

    return read


class Grammar:
    """Rules by their names."""

    def __init__(self, texts: Sequence[str], kinds: Mapping[str, Reader]) -> None:
        """Rules in the notation, and the kinds of tokens that they name."""
        self._readers: dict[str, Reader] = dict(kinds)
        self._named: set[str] = set()
        for text in texts:
            for name, definition in _definitions(text):
                if name in self._readers:
                    raise ValueError(f"{name} is defined twice")
                self._readers[name] = _Definition(definition, self._rule).read()
        self._check_names()

    def read(self, rule: str, tokens: Sequence[Token]) -> int | None:
        """Where the statement leaves the grammar, as the position of a token; None where it does not."""
        reading = Reading(tokens, [*(token.word for token in tokens), ""], rule)
        after = self._readers[rule](reading, 0)
        if after == len(tokens):
            return None
        return reading.farthest if after == FAILED else max(reading.farthest, after)

    def _rule(self, name: str) -> Reader:
        """A rule that may be defined further down; what it made of a position is known from then on."""
        self._named.add(name)

        def read(reading: Reading, at: int) -> int:
            key = (name, at)
            after = reading.known.get(key)
            if after is None:
                after = reading.known[key] = self._readers[name](reading, at)
            return after

        return read

    def _check_names(self) -> None:
        if missing := self._named - set(self._readers):
            raise ValueError(f"no rule is called {', '.join(sorted(missing))}")


def _definitions(text: str) -> Iterator[tuple[str, list[str]]]:
    """The rules of a file: each begins a line with its name, and goes on in the indented ones."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.split(r"\n(?=\S)", "\n".join(lines))
    for rule in joined:
        name, _, definition = rule.partition("=")
        symbols = _SYMBOL.findall(definition)
        if len("".join(symbols)) != len("".join(definition.split())) + 1 * symbols.count("[, ...]"):
            raise ValueError(f"what the rule {name.strip()} says cannot be read")
        yield name.strip(), symbols


class _Definition:
    """What one rule says, made into a reader."""

    def __init__(self, symbols: Sequence[str], rule: Callable[[str], Reader]) -> None:
        self._symbols = symbols
        self._at = 0
        self._rule = rule

    def read(self) -> Reader:
        """The reader of the whole."""
        reader = self._alternatives()
        if self._at < len(self._symbols):
            raise ValueError(f"{self._symbols[self._at]} has no counterpart")
        return reader

    def _next(self) -> str:
        return self._symbols[self._at] if self._at < len(self._symbols) else ""

    def _alternatives(self) -> Reader:
        alternatives = [self._parts()]
        while self._next() == "|":
            self._at += 1
            alternatives.append(self._parts())
        return _choice(alternatives)

    def _parts(self) -> Reader:
        parts = []
        while self._next() not in ("", "|", "]", "}"):
            part = self._part()
            if self._next() in ("[, ...]", "..."):
                part = _listed(part) if self._next() == "[, ...]" else _repeated(part)
                self._at += 1
            parts.append(part)
        return _sequence(parts)

    def _part(self) -> Reader:
        symbol = self._next()
        self._at += 1
        if symbol in _OPENING:
            inside = self._alternatives()
            if self._next() != _OPENING[symbol]:
                raise ValueError(f"{symbol} is not closed")
            self._at += 1
            return _optional(inside) if symbol == "[" else inside
        if symbol[0].islower():
            return self._rule(symbol)
        return _word(symbol.strip("'").lower())
