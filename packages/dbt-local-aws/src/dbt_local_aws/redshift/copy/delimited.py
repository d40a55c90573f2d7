"""Text with delimiters, CSV and fields of fixed widths as COPY reads them.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
"""

import re
from collections.abc import Callable, Iterator
from itertools import accumulate

from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.record import (
    DELIMITER_NOT_FOUND,
    EXTRA_COLUMNS,
    MAX_ROW_BYTES,
    Record,
    is_too_long,
)

_QUOTES = ("'", '"')


class FormatError(Exception):
    """A line that cannot be cut into fields."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


def read_records(pieces: Iterator[str], command: CopyCommand, columns: int) -> Iterator[Record]:
    """The records of a file, each with a field for every column."""
    cut = {"csv": _csv, "fixedwidth": _fixed}.get(command.format, _text)(command)
    header = command.header_lines
    for line, text in _rows(pieces, command):
        if header:
            header -= 1
        elif is_too_long(text):
            yield Record(line, text, fault=f"Row exceeds the maximum size of {MAX_ROW_BYTES} bytes")
        elif text or not command.ignore_blank_lines:
            try:
                yield Record(line, text, _fitted(cut(text), command, columns))
            except FormatError as error:
                yield Record(line, text, fault=error.message, code=error.code)


def _fitted(fields: list[str | None], command: CopyCommand, columns: int) -> list[str | None]:
    """As many fields as there are columns. A delimiter may stand behind the last one ("Preparing your input data")."""
    if len(fields) == columns + 1 and fields[-1] == "":
        fields.pop()
    if len(fields) > columns:
        raise FormatError(EXTRA_COLUMNS, "Extra column(s) found")
    if len(fields) < columns:
        if not command.fill_record:
            raise FormatError(DELIMITER_NOT_FOUND, "Delimiter not found")
        return fields + [MISSING] * (columns - len(fields))
    return fields


class _Missing(str):
    """A field that FILLRECORD fills: an empty text, or null."""

    __slots__ = ()


MISSING = _Missing()


def _rows(pieces: Iterator[str], command: CopyCommand) -> Iterator[tuple[int, str]]:
    """Lines, with the number of the last one where a quoted or an escaped end of line makes one row of several."""
    goes_on = _goes_on(command)
    begun: list[str] = []
    length = number = 0
    is_open = False
    for line in _lines(pieces):
        number += 1
        begun.append(line)
        length += len(line)
        is_open = goes_on(line, is_open)
        if is_open and length <= MAX_ROW_BYTES:
            continue
        yield number, _without_return("\n".join(begun))
        begun, length, is_open = [], 0, False
    if begun:
        yield number, _without_return("\n".join(begun))


def _lines(pieces: Iterator[str]) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        lines = (rest + piece).split("\n") if rest else piece.split("\n")
        rest = lines.pop()
        yield from lines
    if rest:
        yield rest


def _without_return(text: str) -> str:
    return text.removesuffix("\r")


def _goes_on(command: CopyCommand) -> Callable[[str, bool], bool]:
    """Whether the end of a line belongs to a field; takes the line, and whether it began within one."""
    if command.format == "csv":
        return lambda line, is_open: is_open != (line.count(command.quote) % 2 == 1)
    if command.escape:
        return lambda line, _: (len(line) - len(line.rstrip("\\"))) % 2 == 1
    return lambda _, __: False


def _nullable(command: CopyCommand) -> Callable[[str], str | None]:
    null = "\\N" if command.null_string is None else command.null_string
    return lambda field: None if field == null else field


def _csv(command: CopyCommand) -> Callable[[str], list[str | None]]:
    """Fields that may be quoted, with blanks around the quotation marks; a mark within is doubled."""
    quote, separator = re.escape(command.quote), re.escape(command.separator)
    blank = "" if command.separator.isspace() else "[ \t]*"
    quoted = rf"{blank}{quote}(?P<quoted>(?:[^{quote}]|{quote}{quote})*){quote}{blank}"
    field = re.compile(rf"(?:{quoted}|(?P<plain>[^{separator}{quote}]*))(?P<end>{separator}|\Z)")
    nullable = _nullable(command)

    def cut(text: str) -> list[str | None]:
        if command.quote not in text:
            return [nullable(part) for part in text.split(command.separator)]
        fields: list[str | None] = []
        at = 0
        while match := field.match(text, at):
            content = match["quoted"]
            content = match["plain"] if content is None else content.replace(command.quote * 2, command.quote)
            fields.append(nullable(content))
            at = match.end()
            if not match["end"]:
                return fields
        raise FormatError(DELIMITER_NOT_FOUND, "Invalid quote formatting for CSV")

    return cut


def _fixed(command: CopyCommand) -> Callable[[str], list[str | None]]:
    """Fields of so many characters each; the last one may be shorter. The blanks of a text belong to it: TRIMBLANKS.

    "The field widths are based on the number of characters, not the number of bytes." That more than blanks behind the
    last field is an error, and that a null may have blanks behind it, is inferred.
    """
    ends = list(accumulate(command.widths))
    null = "\\N" if command.null_string is None else command.null_string

    def cut(text: str) -> list[str | None]:
        if text[ends[-1] :].strip():
            raise FormatError(EXTRA_COLUMNS, "Extra column(s) found")
        starts = (0, *ends[:-1])
        found = [text[start:end] for start, end in zip(starts, ends, strict=True) if start < len(text)]
        return [None if field.rstrip() == null else field for field in found]

    return cut


def _text(command: CopyCommand) -> Callable[[str], list[str | None]]:
    nullable = _nullable(command)
    if not command.escape and not command.remove_quotes:
        return lambda text: [nullable(part) for part in text.split(command.separator)]
    return lambda text: [nullable(part) for part in _walk(text, command)]


def _walk(text: str, command: CopyCommand) -> Iterator[str]:
    r"""Fields in which a backslash escapes, or which quotation marks enclose. \N stays as it is, for it is a null."""
    at = 0
    while True:
        field, at = _field(text, at, command)
        yield field
        if at >= len(text):
            return
        at += 1
        if at == len(text):
            yield ""
            return


def _field(text: str, at: int, command: CopyCommand) -> tuple[str, int]:
    start = at
    enclosing = text[at] if command.remove_quotes and text[at : at + 1] in _QUOTES and at < len(text) else ""
    characters: list[str] = []
    at += bool(enclosing)
    while at < len(text):
        character = text[at]
        if command.escape and character == "\\" and at + 1 < len(text):
            if text.startswith("\\N", start) and at == start and text[at + 2 : at + 3] in ("", command.separator):
                characters.append("\\")
            characters.append(text[at + 1])
            at += 2
        elif enclosing and character == enclosing and text[at + 1 : at + 2] in ("", command.separator):
            return "".join(characters), at + 1
        elif not enclosing and character == command.separator:
            break
        else:
            characters.append(character)
            at += 1
    if enclosing:
        raise FormatError(DELIMITER_NOT_FOUND, "Delimited value missing end quote")
    return "".join(characters), at
