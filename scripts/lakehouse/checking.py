"""Checks a raw record against its table's declaration, so that DuckDB, Athena and Redshift all read what is landed.

A record passes at once where a typed decoder built from the declaration accepts it: that decoder is stricter than the
declaration, never laxer. What it refuses is looked at key by key, which decides, and finds the words for what is wrong.
"""

import json
import math
import re
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import date
from typing import Annotated, Any, NamedTuple, NoReturn

import msgspec

from lakehouse.sources import Column, Table

MAX_RECORD_BYTES = 4 << 20  # the longest row that Redshift's COPY takes; DuckDB takes 16 MB, Athena 32
MAX_EPOCH_MS = 253_402_300_800_000  # 10000-01-01
SHOWN_CHARACTERS = 60

_LIMITS: dict[str, int] = {"integer": 1 << 31, "bigint": 1 << 63}
_KINDS: dict[type, str] = {type(None): "null", bool: "boolean", str: "string", list: "array", dict: "object"}
_DIGITS = re.compile(r"[0-9]{0,9}")
_DATE = re.compile(r"([0-9]{3,4})-([0-9]{2})-([0-9]{2})")
_ALWAYS_A_DATE = r"^(?!0+-)[0-9]{3,4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])\Z"
_SURROGATE = re.compile("[\ud800-\udfff]")


class Verdict(NamedTuple):
    """What the check of a record found: the first fault, or None; and keys that are not declared."""

    fault: str | None = None
    unknown_keys: tuple[str, ...] = ()


PASSED = Verdict()


class RecordChecker:
    """Checks the records of one table."""

    def __init__(self, table: Table) -> None:
        """Builds the table's decoders."""
        self._columns = table.columns
        self._by_lower_name = {column.name.lower(): column for column in table.columns}
        self._ascii_decoder = _strict_decoder(table, bytes_per_character=1)
        self._text_decoder = _strict_decoder(table, bytes_per_character=4)
        self._complete_ascii_decoder = _strict_decoder(table, bytes_per_character=1, complete=True)
        self._complete_text_decoder = _strict_decoder(table, bytes_per_character=4, complete=True)

    def check(self, raw: bytes) -> Verdict:
        """Says whether bytes are one record of the table, and if not, what the first fault is."""
        return PASSED if self._passes(raw) else self._explain(raw)

    def count_good(self, lines: bytes) -> int | None:
        """How many records whole lines hold, if each line holds one that is good beyond doubt; None otherwise."""
        count = lines.count(b"\n") + (not lines.endswith(b"\n"))
        # The decoder minds no line breaks. Strict records hold no objects, so these three bytes stand between two only.
        one_a_line = lines.count(b"}\n{") == count - 1 and lines.startswith(b"{") and lines.endswith((b"}\n", b"}"))
        if not one_a_line or len(lines) > MAX_RECORD_BYTES or b"\r" in lines:
            return None
        escaped = b"\\u" in lines
        if escaped and b"\\u0000" in lines:
            return None
        is_text = escaped or not lines.isascii()
        keys = _count_keys(lines)
        if keys == count * len(self._columns):
            complete = self._complete_text_decoder if is_text else self._complete_ascii_decoder
            if len(_decode_lines(complete, lines)) == count:
                return count
        records = _decode_lines(self._text_decoder if is_text else self._ascii_decoder, lines)
        absent = sum(msgspec.structs.astuple(record).count(msgspec.UNSET) for record in records)
        return count if len(records) == count and keys == count * len(self._columns) - absent else None

    @property
    def checks_elsewhere(self) -> bool:
        """Whether several counts at a time are quicker than one after the other."""
        return False

    def begin_count(self, lines: bytes) -> Future[int | None]:
        """Counts good records, at once."""
        counted: Future[int | None] = Future()
        counted.set_result(self.count_good(lines))
        return counted

    def _passes(self, raw: bytes) -> bool:
        """Whether a record is good beyond doubt."""
        if len(raw) > MAX_RECORD_BYTES:
            return False
        escaped = b"\\u" in raw
        if escaped and b"\\u0000" in raw:
            return False
        try:
            record = (self._text_decoder if escaped or not raw.isascii() else self._ascii_decoder).decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        values = msgspec.structs.astuple(record)
        return _count_keys(raw) == len(values) - values.count(msgspec.UNSET)

    def _explain(self, raw: bytes) -> Verdict:
        if len(raw) > MAX_RECORD_BYTES:
            return Verdict(
                f"the record has {len(raw):,} bytes, {MAX_RECORD_BYTES:,} is the most that every engine reads"
            )
        try:
            return self._judge(_decode(raw.decode("utf-8")))
        except UnicodeDecodeError as error:
            return Verdict(f"not UTF-8: byte 0x{raw[error.start]:02x} at byte {error.start + 1} of the record")
        except json.JSONDecodeError as error:
            return Verdict(f"not JSON: {error.msg} at character {error.pos + 1} of the record")
        except _RefusedError as error:
            return Verdict(str(error))
        except RecursionError:
            return Verdict("arrays or objects are nested too deeply")

    def _judge(self, record: object) -> Verdict:
        if not isinstance(record, dict):
            return Verdict(f"a JSON {kind_of(record)}, not an object: write one object per line")
        fault = next(self._faults(record), None)
        declared = {column.name for column in self._columns}
        return Verdict(fault, tuple(key for key in record if key not in declared) if fault is None else ())

    def _faults(self, record: dict[str, Any]) -> Iterator[str]:
        for key in record:
            column = self._by_lower_name.get(key.lower())
            if column is not None and column.name != key:
                yield f"key {show(key)} differs from the declared {column.name} in upper and lower case only"
        for column in self._columns:
            if column.name not in record:
                if column.required:
                    yield f"key {column.name} is missing"
                continue
            value = record[column.name]
            if column.required and value in (None, ""):
                yield f"column {column.name} is {'null' if value is None else 'empty'}, a value is required"
            problem = None if value is None else _problem(column, value)
            if problem:
                yield f"column {column.name}: {problem}"
        yield from _bad_texts(record)


def show(value: object) -> str:
    """A value as it may stand in a message: quoted where it is text, and shortened."""
    text = str(value) if isinstance(value, _Number) else repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def kind_of(value: object) -> str:
    """What kind of JSON value this is."""
    return _KINDS.get(type(value), "number")


class _Number(str):
    """A JSON number as it stands in the record."""

    __slots__ = ()


class _Integer(_Number):
    __slots__ = ()


class _Decimal(_Number):
    __slots__ = ()


class _RefusedError(Exception):
    """Something that Python's JSON reader takes and an engine's does not."""


def _decode_lines(decoder: msgspec.json.Decoder[msgspec.Struct], lines: bytes) -> list[msgspec.Struct]:
    """The records, or none of them if one is not good."""
    try:
        return decoder.decode_lines(lines)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _strict_decoder(
    table: Table, bytes_per_character: int, *, complete: bool = False
) -> msgspec.json.Decoder[msgspec.Struct]:
    """A decoder that accepts only records that are good for every engine; if asked, only those that have every key.

    A key's own name need not be a Python identifier, so fields are numbered and renamed. Numbers in text columns, dates
    late in a month and texts near a column's length are left to the slow way.
    """
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for position, column in enumerate(table.columns):
        field = f"column_{position}"
        names[field] = column.name
        kind = _strict_type(column, bytes_per_character)
        if column.required:
            fields.append((field, kind))
        elif complete:
            fields.append((field, kind | None))
        else:
            fields.append((field, kind | None | msgspec.UnsetType, msgspec.UNSET))
    record = msgspec.defstruct(
        table.name, fields, rename=names, forbid_unknown_fields=True, kw_only=True, gc=False, frozen=True
    )
    return msgspec.json.Decoder(record)


def _strict_type(column: Column, bytes_per_character: int) -> Any:  # noqa: ANN401 - a type, made at run time
    if column.kind == "boolean":
        return bool
    if column.kind in _LIMITS:
        limit = _LIMITS[column.kind]
        if column.format == "epoch_ms":
            return Annotated[int, msgspec.Meta(ge=0, lt=MAX_EPOCH_MS)]
        return Annotated[int, msgspec.Meta(ge=-limit, le=limit - 1)]
    if column.kind == "double precision":
        if column.format == "epoch_ms":
            return Annotated[float, msgspec.Meta(ge=0, lt=MAX_EPOCH_MS, multiple_of=1)]
        return float
    pattern = {"digits": r"^[0-9]{0,9}\Z", "date": _ALWAYS_A_DATE, None: None}[column.format]
    length = column.max_bytes // bytes_per_character
    return Annotated[str, msgspec.Meta(min_length=1 if column.required else 0, max_length=length, pattern=pattern)]


def _count_keys(raw: bytes) -> int:
    """Counts the keys of flat records, or more; -1 where blanks before a colon make that uncertain.

    The decoder does not see that a key stands twice. But a colon follows every key's closing quote, so no record has
    more keys than such pairs, and where there are as many pairs as distinct keys, no record has a key twice.
    """
    if b'" :' in raw or b"\t" in raw or b"\n:" in raw or b"\r" in raw:
        return -1
    return raw.count(b'":')


def _decode(text: str) -> object:
    return json.loads(
        text,
        object_pairs_hook=_without_duplicates,
        parse_int=_integer,
        parse_float=_decimal,
        parse_constant=_refuse_constant,
    )


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _RefusedError(f"key {show(twice)} stands twice in one object")
    return record


def _integer(digits: str) -> _Integer:
    _decimal(digits)
    return _Integer(digits)


def _decimal(digits: str) -> _Decimal:
    if math.isinf(float(digits)):
        raise _RefusedError(f"the number {show(_Number(digits))} is too large for any engine")
    return _Decimal(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise _RefusedError(f"not JSON: {name} is not a JSON value")


def _problem(column: Column, value: object) -> str | None:
    """What is wrong with a value that is not null."""
    if not isinstance(value, {"varchar": str, "boolean": bool}.get(column.kind, _Number)):
        kind = kind_of(value)
        return f"{show(value)} is {'an' if kind[0] in 'ao' else 'a'} {kind}, {column.type} expected"
    if isinstance(value, str) and column.kind == "varchar":
        return _text_problem(column, value)
    return _number_problem(column, value) if isinstance(value, _Number) else None


def _number_problem(column: Column, value: _Number) -> str | None:
    if column.kind in _LIMITS:
        limit = _LIMITS[column.kind]
        if not isinstance(value, _Integer):
            return f"{show(value)} is not written as a whole number, {column.type} expected"
        if len(value) > 20 or not -limit <= int(value) < limit:
            return f"{show(value)} is out of the range of {column.type}"
    if column.format == "epoch_ms":
        number = float(value)
        if not number.is_integer():
            return f"{show(value)} is not a whole number of milliseconds"
        if not 0 <= number < MAX_EPOCH_MS:
            return f"{show(value)} is not a time in epoch milliseconds from 1970 to 9999"
    return None


def _text_problem(column: Column, value: str) -> str | None:
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > column.max_bytes:
        return f"{show(value)} has {size:,} bytes, {column.type} holds {column.max_bytes:,}"
    if column.format == "digits" and not _DIGITS.fullmatch(value):
        return f"{show(value)} is not a whole number of at most 9 digits"
    if column.format == "date" and not _is_date(value):
        return f"{show(value)} is not a calendar date, year-month-day expected"
    return None


def _is_date(value: str) -> bool:
    found = _DATE.fullmatch(value)
    if not found:
        return False
    try:
        date(*map(int, found.groups()))
    except ValueError:
        return False
    return True


def _bad_texts(value: object) -> Iterator[str]:
    """Faults of texts anywhere in a record, its keys and undeclared keys' values included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _bad_texts(key)
            yield from _bad_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _bad_texts(inner)
    elif isinstance(value, str):
        if "\0" in value:
            yield f"text {show(value)} holds the character \\u0000, which Redshift cannot store"
        if _SURROGATE.search(value):
            yield f"text {show(value)} holds half a surrogate pair, which is not a character"
