"""A tokenizer for Redshift's SQL, and what the rewriting needs to walk over tokens.

Statements are rewritten token by token, never by patterns over raw text, which find words in literals and comments.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from dbt_local_aws.redshift.errors import SYNTAX_ERROR, RedshiftError


class Kind(Enum):
    """What a token is."""

    WORD = auto()  # a keyword or an unquoted name
    NAME = auto()  # a quoted name
    STRING = auto()
    NUMBER = auto()
    PARAMETER = auto()  # $1
    OPERATOR = auto()  # one operator, or one of ( ) [ ] , ; .


@dataclass(frozen=True, slots=True)
class Token:
    """A token, with the blanks and comments before it."""

    kind: Kind
    text: str
    before: str = ""
    word: str = field(init=False, repr=False, compare=False)
    """The lower-case text of a word or an operator; empty for a quoted name, a literal or a number."""

    def __post_init__(self) -> None:
        """Works out the word once: a translation asks for each token's thousands of times."""
        has_word = self.kind is Kind.WORD or self.kind is Kind.OPERATOR
        object.__setattr__(self, "word", self.text.lower() if has_word else "")

    @property
    def is_identifier(self) -> bool:
        """Whether it can be a name."""
        return self.kind in (Kind.WORD, Kind.NAME)

    @property
    def name(self) -> str:
        """The name that it stands for, folded to lower case as Redshift folds even quoted names."""
        if self.kind is Kind.NAME:
            return self.text[1:-1].replace('""', '"')
        return self.text.lower()

    @property
    def value(self) -> str:
        """What a plain literal says."""
        if self.text.startswith("$"):
            return self.text.split("$", 2)[2].rsplit("$", 2)[0]
        body = self.text[self.text.index("'") + 1 : -1]
        return _ESCAPE.sub(_unescape, body.replace("''", "'"))


_TRIVIA = re.compile(r"\s+|--[^\n]*")
_TOKEN = re.compile(
    r"""
      (?P<STRING> [eE]?'(?:[^'\\]|''|\\.)*' | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag) )
    | (?P<NAME> "(?:[^"]|"")*" )
    | (?P<WORD> [^\W\d][\w$]*|\#\w+ )
    | (?P<NUMBER> (?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)? )
    | (?P<PARAMETER> \$\d+ )
    | (?P<OPERATOR> ::|<=|>=|<>|!=|\|\||!~~?\*?|~~?\*?|=>|:=|. )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[1])


def _skip_trivia(sql: str, at: int) -> int:
    while True:
        if match := _TRIVIA.match(sql, at):
            at = match.end()
        elif sql.startswith("/*", at):
            at = _skip_comment(sql, at)
        else:
            return at


def _skip_comment(sql: str, at: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise RedshiftError(SYNTAX_ERROR, f'unterminated /* comment at or near "{sql[at : at + 20]}"')


def tokenize(sql: str) -> list[Token]:
    """Cuts a text into tokens."""
    tokens: list[Token] = []
    at = 0
    while True:
        start = _skip_trivia(sql, at)
        if start >= len(sql):
            return tokens
        match = _TOKEN.match(sql, start)
        kind = match.lastgroup if match else None
        if match is None or match[0] in ("'", '"'):
            raise RedshiftError(SYNTAX_ERROR, f'unterminated quoted string at or near "{sql[start : start + 20]}"')
        tokens.append(Token(Kind[kind] if kind else Kind.OPERATOR, match[0], sql[at:start]))
        at = match.end()


def render(tokens: Sequence[Token]) -> str:
    """The text of these tokens."""
    return "".join(token.before + token.text for token in tokens)


def sql(text: str) -> list[Token]:
    """Tokens to put between others: a blank stands before the first."""
    return tokenize(" " + text)


def spaced(tokens: Sequence[Token]) -> list[Token]:
    """The same tokens, the first of which cannot run into what stands before it."""
    return [replace(tokens[0], before=tokens[0].before or " "), *tokens[1:]] if tokens else []


def closing(tokens: Sequence[Token], opening: int) -> int:
    """Where the parenthesis that opens at `opening` is closed."""
    depth = 0
    for at in range(opening, len(tokens)):
        if tokens[at].word in ("(", "["):
            depth += 1
        elif tokens[at].word in (")", "]"):
            depth -= 1
            if depth == 0:
                return at
    raise RedshiftError(SYNTAX_ERROR, "syntax error at end of input")


def split(tokens: Sequence[Token], separator: str = ",") -> list[list[Token]]:
    """The parts between separators that stand outside of parentheses; no part at all where there is no token."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.word, 0)
        if depth == 0 and token.word == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts if len(parts) > 1 or parts[0] else []


def statements(tokens: Sequence[Token]) -> list[list[Token]]:
    """The statements of a query string, without the semicolons between them."""
    return [part for part in split(tokens, ";") if part]


def word_at(tokens: Sequence[Token], at: int) -> str:
    """The word or operator at this position; empty past the end and for anything else."""
    return tokens[at].word if 0 <= at < len(tokens) else ""


def starts_with(tokens: Sequence[Token], *words: str, at: int = 0) -> bool:
    """Whether these words stand at this position; a word may be several that are divided by a bar."""
    return all(word_at(tokens, at + offset) in word.split("|") for offset, word in enumerate(words))


def top_level(tokens: Sequence[Token]) -> Iterator[tuple[int, Token]]:
    """The tokens outside of parentheses, with their positions; a parenthesis itself is inside."""
    depth = 0
    for at, token in enumerate(tokens):
        if token.word in (")", "]"):
            depth -= 1
        elif token.word in ("(", "["):
            depth += 1
        elif depth == 0:
            yield at, token


def find_top_level(tokens: Sequence[Token], *words: str, start: int = 0) -> int:
    """Where the first of these words stands outside of parentheses, from `start` on; -1 where none does."""
    return next((at for at, token in top_level(tokens) if at >= start and token.word in words), -1)


@dataclass(frozen=True, slots=True)
class QualifiedName:
    """The name of a relation, as it was written: with a schema and a database, or without."""

    parts: tuple[str, ...]

    @property
    def relation(self) -> str:
        """The last part."""
        return self.parts[-1]

    @property
    def schema(self) -> str | None:
        """The part before the last, if any."""
        return self.parts[-2] if len(self.parts) > 1 else None

    @property
    def sql(self) -> str:
        """The name as quoted SQL."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in self.parts)

    def sibling(self, relation: str) -> "QualifiedName":
        """Another relation's name in the same schema."""
        return QualifiedName((*self.parts[:-1], relation))


def qualified_name(tokens: Sequence[Token], at: int) -> tuple[QualifiedName, int]:
    """The name that begins at this position, and where what follows it begins."""
    parts = []
    while True:
        if at >= len(tokens) or not tokens[at].is_identifier:
            raise RedshiftError(
                SYNTAX_ERROR,
                f'syntax error at or near "{tokens[at].text}"' if at < len(tokens) else "syntax error at end of input",
            )
        parts.append(tokens[at].name)
        at += 1
        if word_at(tokens, at) != ".":
            return QualifiedName(tuple(parts)), at
        at += 1


def fold_names(tokens: Sequence[Token]) -> list[Token]:
    """The same tokens with quoted names in lower case, as Redshift takes them unless told to mind their case."""
    return [replace(token, text=token.text.lower()) if token.kind is Kind.NAME else token for token in tokens]


def quote_hash_names(tokens: Sequence[Token]) -> list[Token]:
    """The same tokens with the names of temporary tables that begin with # in quotes: elsewhere # is an operator."""
    output: list[Token] = []
    for token in tokens:
        glued = not token.before and output and (output[-1].is_identifier or output[-1].kind is Kind.NUMBER)
        if token.kind is Kind.WORD and token.text.startswith("#") and not token.text[1].isdigit() and not glued:
            output.append(replace(token, kind=Kind.NAME, text=f'"{token.text.lower()}"'))
        else:
            output.append(token)
    return output
