"""From the values of a file to the columns of a table, with the errors that Redshift's COPY reports."""

import datetime as dt
import decimal
import re
from collections.abc import Callable

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.json_records import Number, as_text
from dbt_local_aws.redshift.errors import not_emulated

# Error codes of the "Load error reference"
STRING_TOO_LONG = 1204
INVALID_DATE = 1205
INVALID_TIMESTAMP = 1206
INVALID_DIGIT = 1207
OVERFLOW = 1208
MISSING_DATA = 1213
INVALID_JSON = 1216
INVALID_CHARACTER = 1220
INVALID_BOOLEAN = 1210

_INTEGERS = {"smallint": ("Short", 16), "integer": ("Integer", 32), "bigint": ("Long", 64)}
_FLOATS = {"real": "Float", "double precision": "Double"}
_TRUE = {"true", "t", "yes", "y", "1"}
_FALSE = {"false", "f", "no", "n", "0"}
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v"})
_SURROGATE = re.compile("[\ud800-\udfff]")


class ConversionError(Exception):
    """A value that does not fit its column."""

    def __init__(self, code: int, message: str, position: int = 0) -> None:
        self.code = code
        self.message = message
        self.position = position
        super().__init__(message)


Converter = Callable[[object], str | None]


def converter(column: Column, command: CopyCommand) -> Converter:
    """What turns a JSON value into a field of PostgreSQL's COPY; None stands for null."""
    convert = _of_type(column, command)

    def convert_or_null(value: object) -> str | None:
        converted = None if value is None else convert(value)
        if converted is None and column.not_null:
            raise ConversionError(MISSING_DATA, "Missing data for not-null field")
        return converted

    return convert_or_null


def _of_type(column: Column, command: CopyCommand) -> Converter:
    converters: dict[str, Callable[[], Converter]] = {
        "character varying": lambda: _text(column, command),
        "character": lambda: _text(column, command),
        "numeric": lambda: _decimal(column),
        "boolean": lambda: _boolean,
        "date": lambda: _date,
        "timestamp without time zone": lambda: _timestamp(command.time_format),
        "timestamp with time zone": lambda: _timestamp(command.time_format),
        "super": lambda: _super,
        **{name: lambda kind=kind: _integer(*kind) for name, kind in _INTEGERS.items()},  # type: ignore[misc]
        **{name: lambda kind=kind: _float(kind) for name, kind in _FLOATS.items()},  # type: ignore[misc]
    }
    if column.type not in converters:
        raise not_emulated(f"COPY into a column of type {column.type}")
    return converters[column.type]()


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)


def _super(value: object) -> str:
    return _escape(as_text([value])[1:-1])


def _text(column: Column, command: CopyCommand) -> Converter:
    length = column.length or 0

    def convert(value: object) -> str | None:
        text = as_text(value)
        if "\0" in text:
            raise ConversionError(INVALID_CHARACTER, "Invalid null byte - field longer than 1 byte", text.index("\0"))
        if bad := _SURROGATE.search(text):
            byte = ord(bad[0]) - 0xDC00
            raise ConversionError(
                INVALID_CHARACTER,
                "String contains invalid or unsupported UTF8 codepoints. "
                f"Bad UTF8 hex sequence: {byte & 0xFF:02x} (error 3)",
                bad.start(),
            )
        if (command.empty_as_null and not text) or (command.blanks_as_null and text.isspace()):
            return None
        encoded = text.encode()
        if column.type == "character" and len(encoded) != len(text):
            raise ConversionError(
                INVALID_CHARACTER, "Multibyte character not supported for CHAR (Hint: try using VARCHAR)"
            )
        if len(encoded) > length:
            if not command.truncate_columns:
                raise ConversionError(STRING_TOO_LONG, "String length exceeds DDL length")
            text = encoded[:length].decode(errors="ignore")
        return _escape(text)

    return convert


def _scalar(value: object) -> str:
    """A number, or a text that may hold one; a text without anything in it is null."""
    if isinstance(value, (dict, list)):
        raise ConversionError(INVALID_DIGIT, "Invalid value: a nested structure in a column of a plain type")
    return as_text(value).strip()


def _integer(kind: str, bits: int) -> Converter:
    limit = 1 << (bits - 1)

    def convert(value: object) -> str | None:
        text = _scalar(value)
        if not text:
            return None
        digits = text[1:] if text[0] in "+-" else text
        if not (digits.isascii() and digits.isdigit()):
            wrong = next(
                (at for at, c in enumerate(text) if not (c in "0123456789" or (at == 0 and c in "+-"))), len(text) - 1
            )
            raise ConversionError(
                INVALID_DIGIT, f"Invalid digit, Value '{text[wrong]}', Pos {wrong}, Type: {kind}", wrong
            )
        if not -limit <= int(text) < limit:
            raise ConversionError(OVERFLOW, f"Overflow for value {text} (Type: {kind}, {-limit} to {limit - 1})")
        return text

    return convert


def _float(kind: str) -> Converter:
    def convert(value: object) -> str | None:
        text = _scalar(value)
        if not text:
            return None
        try:
            float(text)
        except ValueError:
            raise ConversionError(INVALID_DIGIT, f"Invalid digit, Value '{text[0]}', Pos 0, Type: {kind}") from None
        return text

    return convert


def _decimal(column: Column) -> Converter:
    precision, scale = column.precision or 18, column.scale or 0
    exponent = decimal.Decimal(1).scaleb(-scale)

    def convert(value: object) -> str | None:
        text = _scalar(value)
        if not text:
            return None
        try:
            number = decimal.Decimal(text).quantize(exponent, decimal.ROUND_HALF_UP, decimal.Context(prec=76))
        except decimal.InvalidOperation:
            raise ConversionError(INVALID_DIGIT, f"Invalid digit, Value '{text[0]}', Pos 0, Type: Decimal") from None
        if abs(number) >= decimal.Decimal(10) ** (precision - scale):
            raise ConversionError(OVERFLOW, f"Numeric overflow, NUMERIC({precision},{scale})")
        return str(number)

    return convert


def _boolean(value: object) -> str | None:
    text = _scalar(value).lower()
    if not text:
        return None
    if text in _TRUE or text in _FALSE:
        return "t" if text in _TRUE else "f"
    raise ConversionError(INVALID_BOOLEAN, "Unknown boolean format")


def _date(value: object) -> str | None:
    text = _scalar(value)
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text).isoformat() if len(text) == len("YYYY-MM-DD") else _no_date()
    except ValueError:
        return _no_date()


def _no_date() -> str:
    raise ConversionError(INVALID_DATE, "Invalid Date Format - length must be 10 or more")


def _timestamp(time_format: str | None) -> Converter:
    if time_format in ("epochsecs", "epochmillisecs"):
        return _epoch(1000 if time_format == "epochmillisecs" else 1)
    if time_format not in (None, "auto", "YYYY-MM-DD HH:MI:SS", "YYYY-MM-DD HH24:MI:SS"):
        raise not_emulated(f"TIMEFORMAT '{time_format}'")

    def convert(value: object) -> str | None:
        text = _scalar(value)
        if not text:
            return None
        try:
            if isinstance(value, Number) or not (time_format == "auto" or _TIMESTAMP.fullmatch(text)):
                raise ValueError  # noqa: TRY301 - the one message for all of it
            return dt.datetime.fromisoformat(text).isoformat(" ")
        except ValueError:
            raise ConversionError(
                INVALID_TIMESTAMP, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"
            ) from None

    return convert


def _epoch(units: int) -> Converter:
    origin = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a timestamp without time zone

    def convert(value: object) -> str | None:
        text = _scalar(value)
        if not text:
            return None
        try:
            microseconds = int(text) * (1_000_000 // units)
            return (origin + dt.timedelta(microseconds=microseconds)).isoformat(" ")
        except (ValueError, OverflowError):
            name = "epochmillisecs" if units > 1 else "epochsecs"
            raise ConversionError(INVALID_TIMESTAMP, f"Invalid timestamp format or value [{name}]") from None

    return convert
