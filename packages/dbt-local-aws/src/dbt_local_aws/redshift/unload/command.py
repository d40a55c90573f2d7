"""UNLOAD as it is written: its query, where the files go and how they are to look.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dbt_local_aws.redshift.copy.options import OptionReader
from dbt_local_aws.redshift.errors import SYNTAX_ERROR, RedshiftError, not_emulated, syntax_error
from dbt_local_aws.redshift.tokens import Kind, Token, find_top_level, statements, tokenize, word_at

_MEGABYTE = 1 << 20
_SMALLEST_FILE, _LARGEST_FILE = 5 * _MEGABYTE, int(6.2 * 1024 * _MEGABYTE)
_NOT_EMULATED = frozenset({"fixedwidth", "encrypted", "kms_key_id", "master_symmetric_key"})
_OF_TEXT = ("delimiter", "fixedwidth", "addquotes", "escape", "null", "header", "gzip", "bzip2", "zstd")
_OF_DELIMITED = ("delimiter", "header", "fixedwidth", "addquotes", "escape", "null")
# "You can't use PARQUET with …", "You can't use JSON with …", "You can't specify the CLEANPATH option if …"
_NEVER_TOGETHER = (
    *(("parquet", word) for word in _OF_TEXT),
    *(("json", word) for word in _OF_DELIMITED),
    ("csv", "fixedwidth"),
    ("csv", "addquotes"),
    ("fixedwidth", "delimiter"),
    ("fixedwidth", "header"),
    ("cleanpath", "allowoverwrite"),
)


@dataclass
class UnloadCommand:
    """An UNLOAD ('select …') TO 's3://…'."""

    query: list[Token]
    target: str  # the beginning of every file's name
    text: str  # the whole statement, for the system tables
    format: str = "text"  # or csv, json, parquet
    partition_by: tuple[str, ...] = ()
    includes_partitions: bool = False
    manifest: bool = False
    verbose: bool = False
    header: bool = False
    delimiter: str | None = None
    compression: str | None = None  # gzip, bzip2 or zstd
    extension: str | None = None
    add_quotes: bool = False
    null_string: str = ""
    escape: bool = False
    allow_overwrite: bool = False
    clean_path: bool = False
    parallel: bool = True
    max_file_size: int = _LARGEST_FILE
    region: str | None = None

    @property
    def separator(self) -> str:
        """What stands between two fields."""
        return self.delimiter or ("," if self.format == "csv" else "|")

    @property
    def prefix(self) -> str:
        """The beginning of the files' names: with PARTITION BY, a folder."""
        is_folder = not self.partition_by or self.target.endswith("/")
        return self.target if is_folder else f"{self.target}/"


def parse_unload(tokens: Sequence[Token], text: str) -> UnloadCommand:
    """Reads an UNLOAD statement; raises where it is wrong, or asks for what is not emulated."""
    if word_at(tokens, 1) != "(" or len(tokens) < 6 or tokens[2].kind is not Kind.STRING or word_at(tokens, 3) != ")":
        raise syntax_error(tokens[1].text if len(tokens) > 1 else "")
    if word_at(tokens, 4) != "to" or tokens[5].kind is not Kind.STRING:
        raise syntax_error(tokens[4].text)
    target = tokens[5].value
    if not target.startswith("s3://"):
        raise RedshiftError(
            SYNTAX_ERROR, f"UNLOAD destination is not supported: {target}", hint="It begins with s3://."
        )
    command = UnloadCommand(_query(tokens[2].value), target, text)
    options = _Options(command, tokens, 6)
    options.read(options.readers(), _NOT_EMULATED)
    _check(options.given, command)
    return command


def _query(text: str) -> list[Token]:
    """The query: one, and without a LIMIT of its own."""
    parts = statements(tokenize(text))
    if len(parts) != 1 or parts[0][0].word not in ("select", "with", "("):
        raise RedshiftError(SYNTAX_ERROR, "UNLOAD takes one SELECT statement")
    (query,) = parts
    # TOP is a LIMIT: that it is refused as well is inferred
    # from https://github.com/awsdocs/amazon-redshift-developer-guide/pull/1
    if find_top_level(query, "limit") >= 0 or any(
        token.word == "select" and word_at(query, at + 1) == "top" for at, token in enumerate(query) if at == 0
    ):
        raise RedshiftError(SYNTAX_ERROR, "Limit clause is not supported", hint="Put it into a nested query.")
    return query


def _check(given: set[str], command: UnloadCommand) -> None:
    if len(given & {"csv", "json", "parquet"}) > 1 or len(given & {"gzip", "bzip2", "zstd"}) > 1:
        raise RedshiftError(SYNTAX_ERROR, "conflicting or redundant options")
    for one, other in _NEVER_TOGETHER:
        if one in given and other in given:
            raise RedshiftError(SYNTAX_ERROR, f"UNLOAD {other.upper()} is not supported with {one.upper()}")
    if command.format == "csv" and command.escape:
        raise not_emulated("UNLOAD … CSV ESCAPE")
    if "rowgroupsize" in given and command.format != "parquet":
        raise RedshiftError(SYNTAX_ERROR, "ROWGROUPSIZE is supported only with PARQUET")


class _Options(OptionReader):
    """Reads the options behind the target."""

    def __init__(self, command: UnloadCommand, tokens: Sequence[Token], at: int) -> None:
        super().__init__("UNLOAD", tokens, at)
        self._command = command

    def readers(self) -> dict[str, Callable[[], Any]]:
        """What reads each option."""
        return {
            "format": self._format,
            **{word: partial(self._set, "format", word) for word in ("csv", "json", "parquet")},
            **{word: partial(self._set, "compression", word) for word in ("gzip", "bzip2", "zstd")},
            **{word: partial(self._set, name, True) for word, name in _FLAGS.items()},
            "partition": self._partition,
            "manifest": self._manifest,
            "delimiter": lambda: self._set("delimiter", self.character("DELIMITER")),
            "null": lambda: self._set("null_string", self.text()),
            "extension": lambda: self._set("extension", self.text()),
            "region": lambda: self._set("region", self.text()),
            "parallel": self._parallel,
            "maxfilesize": self._max_file_size,
            "rowgroupsize": self._row_group_size,
        }

    def _set(self, name: str, value: object) -> None:
        setattr(self._command, name, value)

    def _format(self) -> None:
        self.skip("as")
        word = self.word()
        if not self.skip("csv", "json", "parquet"):
            raise self.error()
        self.given.add(word)
        self._set("format", word)

    def _partition(self) -> None:
        if not self.skip("by"):
            raise self.error()
        self._set("partition_by", tuple(self.names()))
        self._set("includes_partitions", self.skip("include"))

    def _manifest(self) -> None:
        self._set("manifest", True)
        self._set("verbose", self.skip("verbose"))

    def _parallel(self) -> None:
        self._set("parallel", not self.skip("off", "false"))
        self.skip("on", "true")

    def _max_file_size(self) -> None:
        size = self.decimal() * (1024 if self.skip("gb") else 1) * _MEGABYTE
        self.skip("mb")
        if not _SMALLEST_FILE <= size <= _LARGEST_FILE:
            raise RedshiftError(SYNTAX_ERROR, "MAXFILESIZE must be between 5 MB and 6.2 GB")
        self._set("max_file_size", int(size))

    def _row_group_size(self) -> None:
        size = self.number() * (1024 if self.skip("gb") else 1)
        self.skip("mb")
        if not 32 <= size <= 128:
            raise RedshiftError(SYNTAX_ERROR, "ROWGROUPSIZE must be between 32 MB and 128 MB")


_FLAGS = {
    "header": "header",
    "addquotes": "add_quotes",
    "escape": "escape",
    "allowoverwrite": "allow_overwrite",
    "cleanpath": "clean_path",
}
