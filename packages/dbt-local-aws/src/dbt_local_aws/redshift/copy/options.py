"""The options of COPY and UNLOAD as they are written: words, texts and numbers, in any order."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dbt_local_aws.redshift.errors import SYNTAX_ERROR, RedshiftError, not_emulated, syntax_error
from dbt_local_aws.redshift.tokens import Kind, Token, word_at

Readers = Mapping[str, Callable[[], Any]]

_ESCAPE = re.compile(r"\\(\\|[0-7]{1,3}|[tnrfb])")
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "b": "\b", "\\": "\\"}


def option_text(token: Token) -> str:
    r"""What an option's literal says: \t and octal \ddd stand for characters, \N for itself.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html (DELIMITER) and
    copy-parameters-data-conversion.html (NULL AS).
    """
    if token.text.startswith("$"):
        return token.value
    body = token.text[token.text.index("'") + 1 : -1].replace("''", "'")
    return _ESCAPE.sub(lambda match: _CONTROL.get(match[1]) or chr(int(match[1], 8)), body)


class OptionReader:
    """Reads options one after the other; who inherits says which there are."""

    def __init__(self, statement: str, tokens: Sequence[Token], at: int) -> None:
        self._statement = statement
        self._tokens = tokens
        self._at = at
        self.authorised = False
        self.given: set[str] = set()  # the words with which options began

    def read(self, readers: Readers, not_known: frozenset[str]) -> None:
        """Reads all that follows; raises for what is no option, and for those that are not emulated."""
        readers = {**self._authorisation(), **readers}
        while self._at < len(self._tokens):
            word = self._tokens[self._at].word
            reader = readers.get(word)
            if reader is None:
                raise (not_emulated(f"{self._statement} … {word.upper()}") if word in not_known else self.error())
            self._at += 1
            self.given.add(word)
            reader()
        if not self.authorised:
            raise RedshiftError(
                SYNTAX_ERROR,
                f"{self._statement} {'to' if self._statement == 'UNLOAD' else 'from'} S3 requires credentials",
                hint="Name a role with IAM_ROLE, or use IAM_ROLE default.",
            )

    def _authorisation(self) -> dict[str, Callable[[], Any]]:
        return {
            "with": lambda: None,
            "iam_role": self._role,
            "credentials": self._credentials,
            "access_key_id": self._credentials,
            "secret_access_key": self._credentials,
            "session_token": self._credentials,
        }

    def word(self) -> str:
        """The word that comes next."""
        return word_at(self._tokens, self._at)

    def skip(self, *words: str) -> bool:
        """Goes over one of these words, where it comes next."""
        found = self.word() in words
        self._at += found
        return found

    def text_follows(self) -> bool:
        """Whether a literal comes next, with AS before it or without."""
        at = self._at + (self.word() == "as")
        return at < len(self._tokens) and self._tokens[at].kind is Kind.STRING

    def text(self) -> str:
        """The literal that comes next."""
        if not self.text_follows():
            raise self.error()
        self.skip("as")
        self._at += 1
        return option_text(self._tokens[self._at - 1])

    def character(self, name: str) -> str:
        """The single ASCII character that comes next."""
        text = self.text()
        if len(text) != 1 or not text.isascii():
            raise RedshiftError(SYNTAX_ERROR, f"{name} must be a single ASCII character")
        return text

    def number(self) -> int:
        """The integer that comes next."""
        self.skip("as")
        if not (self._at < len(self._tokens) and self._tokens[self._at].text.isdigit()):
            raise self.error()
        self._at += 1
        return int(self._tokens[self._at - 1].text)

    def decimal(self) -> float:
        """The number that comes next."""
        self.skip("as")
        if not (self._at < len(self._tokens) and self._tokens[self._at].kind is Kind.NUMBER):
            raise self.error()
        self._at += 1
        return float(self._tokens[self._at - 1].text)

    def names(self) -> list[str]:
        """The names in parentheses that come next."""
        names: list[str] = []
        if not self.skip("("):
            raise self.error()
        while True:
            if not (self._at < len(self._tokens) and self._tokens[self._at].is_identifier):
                raise self.error()
            names.append(self._tokens[self._at].name)
            self._at += 1
            if self.skip(")"):
                return names
            if not self.skip(","):
                raise self.error()

    def error(self) -> RedshiftError:
        """What is said of the token that comes next."""
        return syntax_error(self._tokens[self._at].text if self._at < len(self._tokens) else "")

    def _role(self) -> None:
        if not self.skip("default"):
            self.text()
        self.authorised = True

    def _credentials(self) -> None:
        self.skip("as")
        self.text()
        self.authorised = True
