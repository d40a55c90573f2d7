"""From the rows of PostgreSQL to the lines of a file."""

import json
import re
from collections.abc import Callable, Sequence

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.unload.command import UnloadCommand

Row = Sequence[str | None]

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
_NUMBERS = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}
_TEXTS = {"character varying", "character", "text"}
_NOT_JSON = {"NaN", "Infinity", "-Infinity"}


def row_of(line: bytes) -> list[str | None]:
    """The values of a line of PostgreSQL's COPY."""
    return [_value(field) for field in line.decode().removesuffix("\n").split("\t")]


def _value(field: str) -> str | None:
    if "\\" not in field:
        return field
    return None if field == "\\N" else _ESCAPED.sub(lambda match: _CONTROL.get(match[1], match[1]), field)


def line_writer(command: UnloadCommand, columns: Sequence[Column]) -> Callable[[Row], str]:
    """What makes a line of a row."""
    if command.format == "json":
        return _json(columns)
    if command.format == "csv":
        return lambda row: command.separator.join(_csv(value, command) for value in row) + "\n"
    # "For CHAR and VARCHAR columns in delimited unload files, an escape character is placed before …"
    escaped = [command.escape and column.type in _TEXTS for column in columns]

    def write(row: Row) -> str:
        fields = [_text(value, command, escape) for value, escape in zip(row, escaped, strict=True)]
        return command.separator.join(fields) + "\n"

    return write


def header(command: UnloadCommand, columns: Sequence[Column]) -> str:
    """The line with the columns' names, to which the options apply as well."""
    if command.format == "csv":
        return command.separator.join(_csv(column.name, command) for column in columns) + "\n"
    return command.separator.join(_text(column.name, command, command.escape) for column in columns) + "\n"


def _csv(value: str | None, command: UnloadCommand) -> str:
    if value is None:
        return command.null_string
    if any(character in value for character in (command.separator, '"', "\n", "\r")):
        return '"' + value.replace('"', '""') + '"'
    return value


def _text(value: str | None, command: UnloadCommand, escape: bool) -> str:
    if value is None:
        text = command.null_string
    elif escape:
        quotes = "\"'" if command.add_quotes else ""
        text = re.sub(f"[\n\r\\\\{re.escape(command.separator + quotes)}]", lambda match: f"\\{match[0]}", value)
    else:
        text = value
    return f'"{text}"' if command.add_quotes else text


def _json(columns: Sequence[Column]) -> Callable[[Row], str]:
    """An object of each row. Booleans are `t` or `f`: that these are texts is inferred, for they are no JSON."""
    names = [json.dumps(column.name, ensure_ascii=False) for column in columns]

    def write(row: Row) -> str:
        fields = zip(names, columns, row, strict=True)
        return "{" + ",".join(f"{name}:{_json_value(column, value)}" for name, column, value in fields) + "}\n"

    return write


def _json_value(column: Column, value: str | None) -> str:
    if value is None:
        return "null"
    if column.type == "super" or (column.type in _NUMBERS and value not in _NOT_JSON):
        return value
    return json.dumps(value, ensure_ascii=False)
