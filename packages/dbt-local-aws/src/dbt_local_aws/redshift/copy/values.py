"""From the values of a file to the columns of a table, with the errors that Redshift's COPY reports.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
"""

import datetime as dt
import decimal
import re
from collections.abc import Callable

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.json_records import Number, as_text
from dbt_local_aws.redshift.copy.record import (
    INVALID_BOOLEAN,
    INVALID_CHARACTER,
    INVALID_DATE,
    INVALID_DIGIT,
    INVALID_TIMESTAMP,
    MISSING_DATA,
    OVERFLOW,
    STRING_TOO_LONG,
)
from dbt_local_aws.redshift.errors import FEATURE_NOT_SUPPORTED, RedshiftError, not_emulated

_INTEGERS = {"smallint": ("Short", 16), "integer": ("Integer", 32), "bigint": ("Long", 64)}
_FLOATS = {"real": "Float", "double precision": "Double"}
_TRUE = {"true", "t", "yes", "y", "1"}
_FALSE = {"false", "f", "no", "n", "0"}
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?")
_TIMESTAMP_WITH_ZONE = re.compile(_TIMESTAMP.pattern + r"([+-]\d{2}(:?\d{2})?)?")
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v"})
_NO_HEXADECIMAL = re.compile("[^0-9a-f]")
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
        converted = None if value is None or value == command.null_string else convert(value)
        if converted is None and column.not_null:
            raise ConversionError(MISSING_DATA, "Missing data for not-null field")
        return converted

    return convert_or_null


def _of_type(column: Column, command: CopyCommand) -> Converter:
    converters: dict[str, Callable[[], Converter]] = {
        "character varying": lambda: _text(column, command),
        "character": lambda: _text(column, command),
        "numeric": lambda: _decimal(column, command),
        "boolean": lambda: _boolean,
        "date": lambda: _moment(command, _date(command)),
        "timestamp without time zone": lambda: _moment(command, _timestamp(command, _TIMESTAMP)),
        "timestamp with time zone": lambda: _moment(command, _timestamp(command, _TIMESTAMP_WITH_ZONE)),
        "super": lambda: _super,
        "binary varying": lambda: _bytes(column, command),
        **{name: lambda kind=kind: _integer(*kind) for name, kind in _INTEGERS.items()},  # type: ignore[misc]
        **{name: lambda kind=kind: _float(kind) for name, kind in _FLOATS.items()},  # type: ignore[misc]
    }
    if column.type not in converters:
        raise not_emulated(f"COPY into a column of type {column.type}")
    return converters[column.type]()


def escape(text: str) -> str:
    """A text as a field of PostgreSQL's COPY."""
    return text.translate(_ESCAPES)


def _super(value: object) -> str:
    return escape(as_text([value])[1:-1])


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
        if command.trim_blanks and column.type == "character varying":
            text = text.rstrip()
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
        return escape(text)

    return convert


def _bytes(column: Column, command: CopyCommand) -> Converter:
    """Hexadecimal digits. The errors are inferred.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-usage-varbyte.html
    """
    if command.format != "csv":
        raise RedshiftError(FEATURE_NOT_SUPPORTED, "VARBYTE columns can be loaded from CSV, Parquet and ORC only")

    def convert(value: object) -> str:
        digits = as_text(value).strip().lower()
        if wrong := _NO_HEXADECIMAL.search(digits):
            raise ConversionError(
                INVALID_DIGIT, f"Invalid digit, Value '{wrong[0]}', Pos {wrong.start()}, Type: Varbyte", wrong.start()
            )
        digits = "0" * (len(digits) % 2) + digits
        if column.length and len(digits) > 2 * column.length:
            raise ConversionError(STRING_TOO_LONG, "String length exceeds DDL length")
        return digits

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


def _decimal(column: Column, command: CopyCommand) -> Converter:
    """What a column's scale has no place for is cut off, or with ROUNDEC rounded."""
    rounding = decimal.ROUND_HALF_UP if command.round_decimals else decimal.ROUND_DOWN
    precision, scale = column.precision or 18, column.scale or 0
    exponent = decimal.Decimal(1).scaleb(-scale)

    def convert(value: object) -> str | None:
        text = _scalar(value)
        if not text:
            return None
        try:
            number = decimal.Decimal(text).quantize(exponent, rounding, decimal.Context(prec=76))
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


def _moment(command: CopyCommand, convert: Converter) -> Converter:
    """What cannot be read is null with ACCEPTANYDATE."""

    def convert_or_null(value: object) -> str | None:
        try:
            return convert(value) if _scalar(value) else None
        except ConversionError:
            if command.accept_any_date:
                return None
            raise

    return convert_or_null


def _date(command: CopyCommand) -> Converter:
    read = command.date_reader or _iso_date

    def convert(value: object) -> str:
        try:
            date = read(_scalar(value))
        except (ValueError, OverflowError):
            date = None
        if date is None:
            raise ConversionError(INVALID_DATE, "Invalid Date Format - length must be 10 or more")
        return date

    return convert


def _iso_date(text: str) -> str | None:
    return dt.date.fromisoformat(text).isoformat() if len(text) == len("YYYY-MM-DD") else None


def _timestamp(command: CopyCommand, default: re.Pattern[str]) -> Converter:
    if command.epoch_units is not None:
        return _epoch(command.epoch_units)

    def read_default(text: str) -> str | None:
        return dt.datetime.fromisoformat(text).isoformat(" ") if default.fullmatch(text) else None

    read = command.time_reader or read_default

    def convert(value: object) -> str:
        try:
            moment = None if isinstance(value, Number) else read(_scalar(value))
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise ConversionError(INVALID_TIMESTAMP, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]")
        return moment

    return convert


def _epoch(units: int) -> Converter:
    origin = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a timestamp without time zone

    def convert(value: object) -> str:
        try:
            microseconds = int(_scalar(value)) * (1_000_000 // units)
            return (origin + dt.timedelta(microseconds=microseconds)).isoformat(" ")
        except (ValueError, OverflowError):
            name = "epochmillisecs" if units > 1 else "epochsecs"
            raise ConversionError(INVALID_TIMESTAMP, f"Invalid timestamp format or value [{name}]") from None

    return convert
