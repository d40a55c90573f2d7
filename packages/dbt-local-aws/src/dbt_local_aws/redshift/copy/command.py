"""COPY as it is written: its table, its columns, where the data lies and how it is to be read.

https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dbt_local_aws.redshift.copy.combinations import check
from dbt_local_aws.redshift.copy.datetimes import Reader, date_reader, time_reader
from dbt_local_aws.redshift.copy.options import OptionReader
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

_NOT_EMULATED = frozenset({
    "avro", "orc", "shapefile", "encrypted", "master_symmetric_key", "lzop", "ssh", "readratio", "simplify",
})  # fmt: skip
_LONGEST_ERROR_LIST = 100_000
_WIDTH = re.compile(r"[^:]+:\s*0*([1-9][0-9]*)\s*")


@dataclass
class CopyCommand:
    """A COPY … FROM 's3://…'."""

    table: QualifiedName
    columns: tuple[str, ...] | None
    source: str
    text: str  # the whole statement, for the system tables
    format: str = "text"  # or csv, fixedwidth, json, parquet
    widths: tuple[int, ...] = ()  # of fixedwidth, in characters
    json: str = ""  # 'auto', 'auto ignorecase' or where the JSONPaths lie
    delimiter: str | None = None
    quote: str = '"'
    escape: bool = False
    remove_quotes: bool = False
    header_lines: int = 0
    ignore_blank_lines: bool = False
    fill_record: bool = False
    null_string: str | None = None
    compression: str | None = None  # gzip, bzip2 or zstd
    manifest: bool = False
    region: str | None = None
    date_reader: Reader | None = None
    time_reader: Reader | None = None
    epoch_units: int | None = None  # in a second, where the times are counted
    accept_any_date: bool = False
    max_errors: int = 0
    ignore_all_errors: bool = False
    explicit_ids: bool = False
    no_load: bool = False  # the files are read, and nothing is loaded
    serialize_to_json: bool = False
    truncate_columns: bool = False
    trim_blanks: bool = False
    round_decimals: bool = False
    blanks_as_null: bool = False
    empty_as_null: bool = False
    replacement: str | None = None  # for characters that are not valid UTF-8, with ACCEPTINVCHARS

    @property
    def separator(self) -> str:
        """What stands between two fields."""
        return self.delimiter or ("," if self.format == "csv" else "|")

    def has_failed(self, errors: int) -> bool:
        """Whether there are as many errors as the load may not have."""
        return not self.ignore_all_errors and errors >= max(self.max_errors, 1)


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
    options.read(options.readers(), _NOT_EMULATED)
    check(command.format, options.given)
    return command


class _Options(OptionReader):
    """Reads the options behind the source."""

    def __init__(self, command: CopyCommand, tokens: Sequence[Token], at: int) -> None:
        super().__init__("COPY", tokens, at)
        self._command = command

    def readers(self) -> dict[str, Callable[[], Any]]:
        """What reads each option."""
        return {
            "format": self._format,
            "json": self._json,
            "csv": lambda: self._set("format", "csv"),
            "parquet": lambda: self._set("format", "parquet"),
            "fixedwidth": self._fixed_width,
            "quote": lambda: self._set("quote", self.character("QUOTE")),
            "delimiter": lambda: self._set("delimiter", self.character("DELIMITER")),
            "null": lambda: self._set("null_string", self.text()),
            "ignoreheader": lambda: self._set("header_lines", self.number()),
            "region": lambda: self._set("region", self.text()),
            "dateformat": lambda: self._set("date_reader", date_reader(self.text())),
            "timeformat": self._time_format,
            "maxerror": self._max_errors,
            "acceptinvchars": lambda: self._set("replacement", self.text() if self.text_follows() else "?"),
            "encoding": self._encoding,
            "compupdate": lambda: self.skip("on", "off", "true", "false", "preset"),
            "statupdate": lambda: self.skip("on", "off", "true", "false"),
            "comprows": self.number,
            **{word: partial(self._set, "compression", word) for word in ("gzip", "bzip2", "zstd")},
            **{word: partial(self._set, name, True) for word, name in _FLAGS.items()},
        }

    def _set(self, name: str, value: object) -> None:
        setattr(self._command, name, value)

    def _format(self) -> None:
        self.skip("as")
        word = self.word()
        if word in ("csv", "parquet"):
            self._at += 1
            self.given.add(word)
            self._set("format", word)
        elif self.skip("fixedwidth"):
            self.given.add("fixedwidth")
            self._fixed_width()
        elif self.skip("json"):
            self.given.add("json")
            self._json()
        else:
            raise not_emulated(f"COPY … FORMAT {word.upper()}") if word in _NOT_EMULATED else self.error()

    def _json(self) -> None:
        option = self.text() if self.text_follows() else "auto"
        if option not in ("auto", "auto ignorecase") and not option.startswith("s3://"):
            if option == "noshred":
                raise not_emulated("COPY … JSON 'noshred'")
            raise RedshiftError(SYNTAX_ERROR, f"Invalid JSONPath file: {option}", hint="It begins with s3://.")
        self._set("format", "json")
        self._set("json", option)

    def _fixed_width(self) -> None:
        """`'label:width, …'`: the labels mean nothing."""
        specified = [_WIDTH.fullmatch(part) for part in self.text().split(",")]
        widths = tuple(int(width[1]) for width in specified if width is not None)
        if len(widths) < len(specified):
            raise RedshiftError(SYNTAX_ERROR, "Invalid fixed width specification", hint="It is 'label:width,…'.")
        self._set("format", "fixedwidth")
        self._set("widths", widths)

    def _time_format(self) -> None:
        option = self.text()
        if option in ("epochsecs", "epochmillisecs"):
            self._set("epoch_units", 1000 if option == "epochmillisecs" else 1)
        else:
            self._set("time_reader", time_reader(option))

    def _max_errors(self) -> None:
        count = self.number()
        if count > _LONGEST_ERROR_LIST:
            raise RedshiftError(SYNTAX_ERROR, f"MAXERROR must be between 0 and {_LONGEST_ERROR_LIST}")
        self._set("max_errors", count)

    def _encoding(self) -> None:
        self.skip("as")
        name = self.text() if self.text_follows() else self.word()
        self.skip(name)
        if name.lower() not in ("utf8", "auto"):
            raise not_emulated(f"COPY … ENCODING {name.upper()}")


_FLAGS = {
    "manifest": "manifest",
    "truncatecolumns": "truncate_columns",
    "trimblanks": "trim_blanks",
    "roundec": "round_decimals",
    "blanksasnull": "blanks_as_null",
    "emptyasnull": "empty_as_null",
    "acceptanydate": "accept_any_date",
    "ignoreblanklines": "ignore_blank_lines",
    "ignoreallerrors": "ignore_all_errors",
    "fillrecord": "fill_record",
    "explicit_ids": "explicit_ids",
    "noload": "no_load",
    "escape": "escape",
    "serializetojson": "serialize_to_json",
    "removequotes": "remove_quotes",
}


def _syntax_error(tokens: Sequence[Token], at: int) -> RedshiftError:
    return syntax_error(tokens[at].text if at < len(tokens) else "")
