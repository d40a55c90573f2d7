"""COPY as it is written: its table, its columns, where the data lies and how it is to be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbt_local_aws.redshift.errors import SYNTAX_ERROR, RedshiftError, not_emulated, syntax_error
from dbt_local_aws.redshift.tokens import (
    Kind,
    QualifiedName,
    Token,
    closing,
    qualified_name,
    split,
    word_at,
)

_NOT_EMULATED = {
    "csv", "delimiter", "fixedwidth", "avro", "parquet", "orc", "shapefile", "encrypted", "lzop", "zstd", "bzip2",
    "escape", "removequotes", "ignoreheader", "fillrecord", "ignoreblanklines", "null", "quote", "explicit_ids", "ssh",
    "readratio", "noload", "acceptanydate",
    "trimblanks", "roundec", "comprows", "ignoreallerrors", "dateformat", "simplify", "encoding",
}  # fmt: skip


@dataclass
class CopyCommand:
    """A COPY … FROM 's3://…' of JSON."""

    table: QualifiedName
    columns: tuple[str, ...] | None
    source: str
    text: str  # the whole statement, for the system tables
    json: str = ""  # 'auto', 'auto ignorecase' or where the JSONPaths lie
    manifest: bool = False
    gzip: bool = False
    region: str | None = None
    time_format: str | None = None
    max_errors: int = 0
    truncate_columns: bool = False
    blanks_as_null: bool = False
    empty_as_null: bool = False
    replacement: str | None = None  # for characters that are not valid UTF-8, with ACCEPTINVCHARS
    authorised: bool = field(default=False, repr=False)


def parse_copy(tokens: Sequence[Token], text: str) -> CopyCommand:
    """Reads a COPY statement; raises where it is wrong, or asks for what is not emulated."""
    table, at = qualified_name(tokens, 1)
    columns: tuple[str, ...] | None = None
    if word_at(tokens, at) == "(":
        end = closing(tokens, at)
        columns = tuple(part[0].name for part in split(tokens[at + 1 : end]))
        at = end + 1
    if word_at(tokens, at) != "from" or at + 1 >= len(tokens):
        raise _syntax_error(tokens, at)
    source = tokens[at + 1]
    if source.kind is not Kind.STRING:
        raise not_emulated("COPY FROM STDIN") if source.word == "stdin" else _syntax_error(tokens, at + 1)
    if not source.value.startswith("s3://"):
        raise not_emulated(f"COPY from '{source.value.split(':')[0]}:'")
    command = CopyCommand(table, columns, source.value, text)
    options = _Options(command, tokens, at + 2)
    options.read()
    if not command.authorised:
        raise RedshiftError(
            SYNTAX_ERROR,
            "COPY from S3 requires credentials",
            hint="Name a role with IAM_ROLE, or use IAM_ROLE default.",
        )
    if not command.json:
        raise not_emulated("COPY of anything but JSON (FORMAT AS JSON)")
    return command


class _Options:
    """Reads the options behind the source, which may stand in any order."""

    def __init__(self, command: CopyCommand, tokens: Sequence[Token], at: int) -> None:
        self._command = command
        self._tokens = tokens
        self._at = at

    def read(self) -> None:
        while self._at < len(self._tokens):
            word = self._tokens[self._at].word
            reader = self._readers().get(word)
            if reader is None:
                raise not_emulated(f"COPY … {word.upper()}") if word in _NOT_EMULATED else self._error()
            self._at += 1
            reader()

    def _readers(self) -> dict[str, Callable[[], Any]]:
        return {
            "iam_role": self._role,
            "with": lambda: None,
            "credentials": self._credentials,
            "access_key_id": self._credentials,
            "secret_access_key": self._credentials,
            "session_token": self._credentials,
            "format": self._format,
            "json": self._json,
            "manifest": lambda: self._set("manifest", value=True),
            "gzip": lambda: self._set("gzip", value=True),
            "region": lambda: self._set("region", self._string()),
            "timeformat": lambda: self._set("time_format", self._string()),
            "maxerror": lambda: self._set("max_errors", self._number()),
            "truncatecolumns": lambda: self._set("truncate_columns", value=True),
            "blanksasnull": lambda: self._set("blanks_as_null", value=True),
            "emptyasnull": lambda: self._set("empty_as_null", value=True),
            "acceptinvchars": lambda: self._set("replacement", self._string() if self._string_follows() else "?"),
            "compupdate": lambda: self._skip("on", "off", "true", "false", "preset"),
            "statupdate": lambda: self._skip("on", "off", "true", "false"),
        }

    def _set(self, name: str, value: str | int | bool) -> None:
        setattr(self._command, name, value)

    def _word(self) -> str:
        return word_at(self._tokens, self._at)

    def _skip(self, *words: str) -> bool:
        found = self._word() in words
        self._at += found
        return found

    def _string_follows(self) -> bool:
        at = self._at + (self._word() == "as")
        return at < len(self._tokens) and self._tokens[at].kind is Kind.STRING

    def _string(self) -> str:
        if not self._string_follows():
            raise self._error()
        self._skip("as")
        self._at += 1
        return self._tokens[self._at - 1].value

    def _number(self) -> int:
        self._skip("as")
        if self._at >= len(self._tokens) or not self._tokens[self._at].text.isdigit():
            raise self._error()
        self._at += 1
        return int(self._tokens[self._at - 1].text)

    def _role(self) -> None:
        if not self._skip("default"):
            self._string()
        self._command.authorised = True

    def _credentials(self) -> None:
        self._string()
        self._command.authorised = True

    def _format(self) -> None:
        self._skip("as")
        if not self._skip("json"):
            raise not_emulated(f"COPY … FORMAT {self._word().upper()}")
        self._json()

    def _json(self) -> None:
        option = self._string() if self._string_follows() else "auto"
        if option not in ("auto", "auto ignorecase") and not option.startswith("s3://"):
            if option == "noshred":
                raise not_emulated("COPY … JSON 'noshred'")
            raise RedshiftError(SYNTAX_ERROR, f"Invalid JSONPath file: {option}", hint="It begins with s3://.")
        self._command.json = option

    def _error(self) -> RedshiftError:
        return _syntax_error(self._tokens, self._at)


def _syntax_error(tokens: Sequence[Token], at: int) -> RedshiftError:
    return syntax_error(tokens[at].text if at < len(tokens) else "")
