"""Reads the beginning of a statement that goes to Trino: enough to tell what it is, and to say a part of it otherwise.

The words are found by sqlglot's tokenizer for Trino; the grammar itself is Trino's, which reads the whole statement.
"""

from __future__ import annotations

import re
from typing import ClassVar

from sqlglot.dialects.trino import Trino
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from dbt_local_aws.athena.errors import AthenaError, syntax_error
from dbt_local_aws.athena.names import Name

_LEADING = re.compile(r"\A(\s+|--[^\n]*(\n|\Z)|/\*.*?\*/)+", re.DOTALL)
_NAMES = (TokenType.IDENTIFIER, TokenType.VAR)

Value = str | int | bool | tuple[str, ...]


def without_leading_comments(sql: str) -> str:
    """The statement from its first word on."""
    return _LEADING.sub("", sql)


class _Words(Trino):
    """Trino's words; sqlglot would take the rest of a PREPARE or an OPTIMIZE for one text."""

    class Tokenizer(Trino.Tokenizer):
        """Reads every statement word by word."""

        COMMANDS: ClassVar[set[TokenType]] = set()


class Reader:
    """A cursor over the words of one statement."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        try:
            self._tokens: list[Token] = list(_Words().tokenize(sql))
        except TokenError as error:
            raise syntax_error(f"line 1:1: {error}") from error
        while self._tokens and self._tokens[-1].token_type == TokenType.SEMICOLON:
            self._tokens.pop()
        if any(token.token_type == TokenType.SEMICOLON for token in self._tokens):
            raise syntax_error("line 1:1: Only one sql statement is allowed")
        self._at = 0

    @property
    def at_end(self) -> bool:
        """Whether every word has been read."""
        return self._at >= len(self._tokens)

    @property
    def rest(self) -> str:
        """The text from the next word on, without a semicolon at its end."""
        return "" if self.at_end else self.sql[self._tokens[self._at].start : self._tokens[-1].end + 1]

    @property
    def position(self) -> int:
        """Where in the text the next word begins."""
        return len(self.sql) if self.at_end else int(self._tokens[self._at].start)

    def words(self) -> list[str]:
        """Every word in upper case; a name in quotes is `"`, a text `'`."""
        marks = {TokenType.IDENTIFIER: '"', TokenType.STRING: "'"}
        return [marks.get(token.token_type, token.text.upper()) for token in self._tokens]

    def place_of(self, word: int) -> str:
        """Where a word stands, as Trino writes it."""
        return position(self.sql, int(self._tokens[word].start))

    def peek(self) -> str:
        """The next word in upper case; nothing at the end and for names in quotes and texts."""
        if self.at_end or self._tokens[self._at].token_type in (TokenType.IDENTIFIER, TokenType.STRING):
            return ""
        return self._tokens[self._at].text.upper()

    def take(self, *words: str) -> bool:
        """Read these words if they come next. sqlglot makes one word of some pairs, such as PARTITION BY."""
        before, wanted = self._at, " ".join(words)
        read = ""
        while len(read) < len(wanted) and self.peek():
            read = f"{read} {self.peek()}".strip()
            self._at += 1
        if read == wanted:
            return True
        self._at = before
        return False

    def expect(self, *words: str) -> None:
        """Read these words, which have to come next."""
        if not self.take(*words):
            raise self.fail(f"'{' '.join(words)}'")

    def fail(self, expected: str) -> AthenaError:
        """That something else should stand here."""
        if self.at_end:
            return syntax_error(f"{position(self.sql, len(self.sql))}: mismatched input '<EOF>'. Expecting: {expected}")
        text = self._tokens[self._at].text
        return syntax_error(f"{position(self.sql, self.position)}: mismatched input '{text}'. Expecting: {expected}")

    def end(self) -> None:
        """Nothing may follow."""
        if not self.at_end:
            raise self.fail("<EOF>")

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def identifier(self) -> str:
        """A name in lower case."""
        if self.at_end or self._tokens[self._at].token_type == TokenType.STRING:
            raise self.fail("<identifier>")
        token = self._tokens[self._at]
        if token.token_type not in _NAMES and not re.fullmatch(r"[A-Za-z_]\w*", token.text):
            raise self.fail("<identifier>")
        return self._next().text.lower()

    def table(self) -> Name:
        """The name of a table; the catalogue may be written before schema and name."""
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        if len(parts) == 3:
            if parts[0] != "awsdatacatalog":
                raise AthenaError(
                    "CATALOG_NOT_FOUND", f"{position(self.sql, self.position)}: Catalog '{parts[0]}' not found"
                )
            parts = parts[1:]
        if len(parts) > 2:
            raise syntax_error(f"{position(self.sql, self.position)}: Too many dots in table name")
        return Name(parts[0] if len(parts) == 2 else None, parts[-1])

    def text(self) -> str:
        """A text in single quotes."""
        if self.at_end or self._tokens[self._at].token_type != TokenType.STRING:
            raise self.fail("<string>")
        return self._next().text

    def bracketed(self) -> str:
        """What stands between two brackets, as it was written."""
        start = self.position + 1
        self.expect("(")
        depth = 1
        while not self.at_end:
            end = self.position
            depth += {"(": 1, ")": -1}.get(self.peek(), 0)
            self._next()
            if depth == 0:
                return self.sql[start:end]
        raise self.fail("')'")

    def properties(self) -> dict[str, Value]:
        """`(name = value, …)`: texts, numbers, true and false, and arrays of texts."""
        self.expect("(")
        found: dict[str, Value] = {}
        while True:
            name = self.identifier()
            self.expect("=")
            found[name] = self._value()
            if not self.take(","):
                break
        self.expect(")")
        return found

    def _value(self) -> Value:
        if self.take("ARRAY"):
            self.expect("[")
            items = []
            while not self.take("]"):
                items.append(self.text())
                self.take(",")
            return tuple(items)
        if self.peek() in ("TRUE", "FALSE"):
            return self._next().text.upper() == "TRUE"
        if not self.at_end and self._tokens[self._at].token_type == TokenType.NUMBER:
            return int(self._next().text)
        return self.text()


def position(sql: str, at: int) -> str:
    """A place in a text as Trino writes it."""
    line = sql.count("\n", 0, at) + 1
    return f"line {line}:{at - (sql.rfind(chr(10), 0, at) + 1) + 1}"


_POSITION = re.compile(r"\bline (\d+):(\d+)")


def as_written(message: str, sent: str, written: str) -> str:
    """An error's message with the place in the statement that its author wrote; what was sent has the same end."""

    def moved(found: re.Match[str]) -> str:
        lines = sent.split("\n")
        line, column = int(found[1]), int(found[2])
        if line > len(lines):
            return found[0]
        at = sum(len(text) + 1 for text in lines[: line - 1]) + column - 1
        return position(written, max(0, min(len(written), at + len(written) - len(sent))))

    return message if sent == written else _POSITION.sub(moved, message)
