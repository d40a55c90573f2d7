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

from lakehouse.declaration import Column, Table
from lakehouse.records.checksums import Checksums, ColumnChecksums, added

MAX_RECORD_BYTES = 4 << 20  # the longest row that Redshift's COPY takes; DuckDB takes 16 MB, Athena 32
MAX_KEY_BYTES = 50_000  # Trino reads JSON with Jackson, which takes names of so many characters (StreamReadConstraints)
MIN_EPOCH_MS = 100_000_000_000  # 1973-03-03; as seconds, it lies in the year 5138
MAX_EPOCH_MS = 253_402_300_800_000  # 10000-01-01; as microseconds, it lies in the year 1978
MIN_EPOCH_NS = 100_000_000_000_000_000  # 1973-03-03 in nanoseconds; as microseconds, it lies in the year 5138
BYTES_OF_A_CHARACTER = 4  # at most, in UTF-8
WIDE_BYTES = 256  # of a text column in which few texts are near its length
FEW_LINES = 8  # of which each is looked at by itself
SHOWN_CHARACTERS = 60

_LIMITS: dict[str, int] = {"integer": 1 << 31, "bigint": 1 << 63}
_KINDS: dict[type, str] = {type(None): "null", bool: "boolean", str: "string", list: "array", dict: "object"}
_PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_PLAIN_TIME = re.compile(r"-?[1-9][0-9]{0,19}")
_DIGITS = re.compile(r"[0-9]{0,9}")
_DATE = re.compile(r"([0-9]{3,4})-([0-9]{2})-([0-9]{2})")
_BLANKS_BEFORE_COLON = re.compile(rb'"[ \t\r\n]+:')
_STRICT_FORMATS = {  # of texts with a line break behind each
    "digits": re.compile(r"(?:[0-9]{0,9}\n)*+"),
    "date": re.compile(r"(?:(?:(?!0+-)[0-9]{3,4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8]))?\n)*+"),
    "epoch_ms_or_none": re.compile(r"(?:(?:0|[1-9][0-9]{11,13})?\n)*+"),
}
_DECODED_BYTES = 1 << 15  # at a time: the objects made of more than that do not fit a core's cache
_NOT_ZERO = re.compile(r"-?[0.]*[1-9]")
_TINY = (re.compile(rb"0{200}"), re.compile(rb"e-[0-9]{3}"), re.compile(rb"E-[0-9]{3}"))  # one is in what doubles lose
_HIVE_NAME = re.compile(r"_col[0-9]+")  # by which Hive's JSON SerDe, and Trino's, find a column by its number
_SURROGATE = re.compile("[\ud800-\udfff]")


class Verdict(NamedTuple):
    """What the check of a record found: the first fault, or None; and keys that are not declared."""

    fault: str | None = None
    unknown_keys: tuple[str, ...] = ()


PASSED = Verdict()


class Stretch(NamedTuple):
    """Whole lines that follow one another."""

    size: int
    """Number of their bytes."""
    records: int | None
    """How many there are if each line is a good record beyond doubt; None where the lines are to be looked at."""
    checksums: Checksums = ()
    """Those of the columns, if there are records."""


class RecordChecker:
    """Checks the records of one table."""

    def __init__(self, table: Table) -> None:
        """Builds the table's decoders."""
        self._columns = table.record_columns
        self._names = {column.name for column in table.record_columns}
        self._by_lower_name = {column.name.lower(): column for column in table.record_columns}
        self._any_keys = _StrictDecoders(table)
        self._all_keys = _StrictDecoders(table, complete=True)
        self._and_unknown_keys = _StrictDecoders(table, and_unknown_keys=True)

    def check(self, raw: bytes) -> Verdict:
        """Says whether bytes are one record of the table, and if not, what the first fault is."""
        if self._passes(raw):
            return PASSED
        unknown_keys = self._passes_with(raw)
        return Verdict(None, unknown_keys) if unknown_keys else self._explain(raw)

    def cut(self, lines: bytes) -> list[Stretch]:
        """Cuts whole lines into stretches of good records, and of few lines of which some may not be good."""
        good = self.count_good(with_plain_breaks(lines))
        if good is not None:
            return [Stretch(len(lines), good.records, good.checksums)]
        if lines.count(b"\n") <= FEW_LINES:
            return [Stretch(len(lines), None)]
        half = len(lines) // 2
        middle = lines.rfind(b"\n", 0, half) + 1 or lines.find(b"\n", half) + 1
        if middle == len(lines):
            middle = lines.rfind(b"\n", 0, -1) + 1
        return self.cut(lines[:middle]) + self.cut(lines[middle:])

    @property
    def bytes_ahead(self) -> int:
        """How many bytes of lines to ask about before the answers are needed; none where that is no quicker."""
        return 0

    def begin_cut(self, lines: bytes) -> Future[list[Stretch]]:
        """Cuts lines, at once."""
        cut: Future[list[Stretch]] = Future()
        cut.set_result(self.cut(lines))
        return cut

    def count_good(self, lines: bytes) -> "Counted | None":
        """Counts the records of whole lines, if each line holds one that is good beyond doubt; None otherwise."""
        count = lines.count(b"\n") + (not lines.endswith(b"\n"))
        # The decoder minds no line breaks. Strict records hold no objects, so these three bytes stand between two only.
        one_a_line = lines.count(b"}\n{") == count - 1 and lines.startswith(b"{") and lines.endswith((b"}\n", b"}"))
        if not one_a_line or len(lines) > MAX_RECORD_BYTES or b"\r" in lines:
            return None
        keys = _count_keys(lines)
        if keys == count * len(self._columns):
            found = self._all_keys.count(lines)
            if found.records == count:
                return found
        found = self._any_keys.count(lines)
        return found if found.records == count and found.keys == keys else None

    def _passes(self, raw: bytes) -> bool:
        """Whether a record is good beyond doubt."""
        if len(raw) > MAX_RECORD_BYTES:
            return False
        found = self._any_keys.count(raw)
        return found.records == 1 and found.keys == _count_keys(raw, may_break=True)

    def _passes_with(self, raw: bytes) -> tuple[str, ...]:
        """The undeclared keys of a record that is good beyond doubt although it has some; none where that is uncertain.

        What is said of `_count_keys` holds here, too; and keys that differ in case only are taken for one.
        """
        if len(raw) > MAX_RECORD_BYTES or self._and_unknown_keys.count(raw).records != 1:
            return ()
        try:
            record: dict[str, object] = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ()
        if len({key.lower() for key in record}) != _count_keys(raw, may_break=True):
            return ()
        unknown = {key: value for key, value in record.items() if key not in self._names}
        are_plain = all(
            _is_plain(value)
            and key.lower() not in self._by_lower_name
            and not _HIVE_NAME.fullmatch(key)
            and len(key.encode()) <= MAX_KEY_BYTES
            for key, value in unknown.items()
        )
        return tuple(unknown) if are_plain else ()

    def _explain(self, raw: bytes) -> Verdict:
        if len(raw) > MAX_RECORD_BYTES:
            return Verdict(
                f"the record has {len(raw):,} bytes, {MAX_RECORD_BYTES:,} is the most that every engine reads"
            )
        try:
            return self._judge(_PARSER.decode(raw.decode("utf-8")))
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
        return Verdict(fault, tuple(key for key in record if key not in self._names) if fault is None else ())

    def _faults(self, record: dict[str, Any]) -> Iterator[str]:
        for key in record:
            column = self._by_lower_name.get(key.lower())
            if column is not None and column.name != key:
                yield f"key {show(key)} differs from the declared {column.name} in upper and lower case only"
            if column is None and _HIVE_NAME.fullmatch(key):
                yield f"key {show(key)} is what Athena's reader calls a column of that number: use another one"
        for column in self._columns:
            if column.name not in record:
                if column.required:
                    yield f"key {column.name} is missing"
                continue
            value = record[column.name]
            if column.required and value in (None, ""):
                yield f"column {column.name} is {'null' if value is None else 'empty'}, a value is required"
            if column.required and column.format == "epoch_ms" and isinstance(value, _Number) and not float(value):
                yield f"column {column.name} is {value}, a time is required"
            problem = None if value is None else _problem(column, value)
            if problem:
                yield f"column {column.name}: {problem}"
        yield from _bad_texts(record)


def with_plain_breaks(lines: bytes) -> bytes:
    """Lines without carriage returns before their breaks; a line break cannot stand within a text."""
    return lines.replace(b"\r\n", b"\n") if b"\r" in lines else lines


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


class Counted(NamedTuple):
    """What strict decoders accepted."""

    records: int
    keys: int
    checksums: Checksums
    """Those of the columns."""


_NOTHING = Counted(0, 0, ())


class _StrictDecoders:
    """Accept only records that are good for every engine; if asked, only those that have every key.

    Or also those that have more keys than are declared, at which they do not look.
    """

    def __init__(self, table: Table, *, complete: bool = False, and_unknown_keys: bool = False) -> None:
        self._decoder = _strict_decoder(table, complete=complete, and_unknown_keys=and_unknown_keys)
        self._may_lack_keys = not complete
        self._keys = len(table.record_columns)
        self._checksums = ColumnChecksums(table)
        # One match for the texts of many records: the decoder's own patterns take longer than all else that it does.
        self._formats = [
            (position, _STRICT_FORMATS[column.format])
            for position, column in enumerate(table.record_columns)
            if column.format in _STRICT_FORMATS
        ]
        self._doubles = [
            position for position, column in enumerate(table.record_columns) if column.kind == "double precision"
        ]
        self._narrow = [
            (position, column.max_bytes)
            for position, column in enumerate(table.record_columns)
            if column.kind == "varchar" and column.max_bytes < WIDE_BYTES and column.format not in _STRICT_FORMATS
        ]

    def count(self, lines: bytes) -> Counted:
        """Counts records and their distinct keys; nothing is counted if one of them is not good beyond doubt."""
        escaped = b"\\u" in lines
        if escaped and b"\\u0000" in lines:
            return _NOTHING
        is_text = escaped or not lines.isascii()
        count = absent = 0
        checksums = self._checksums.none
        try:
            for piece in _pieces(lines):
                records = self._decoder.decode_lines(piece)
                columns = list(zip(*map(msgspec.structs.astuple, records), strict=True))
                if not all(_have_format(_texts(columns[at]), strict) for at, strict in self._formats):
                    return _NOTHING
                if is_text and not all(_fit(_texts(columns[at]), size) for at, size in self._narrow):
                    return _NOTHING
                if any(0.0 in columns[at] for at in self._doubles) and _may_be_tiny(piece):
                    return _NOTHING
                count += len(records)
                if self._may_lack_keys and (missing := sum(column.count(msgspec.UNSET) for column in columns)):
                    absent += missing
                    columns = [tuple(None if one is msgspec.UNSET else one for one in column) for column in columns]
                checksums = added(checksums, self._checksums.of(columns))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _NOTHING
        return Counted(count, count * self._keys - absent, checksums)


def _is_plain(value: object) -> bool:
    """Whether any engine takes a value that no column is declared for; zero may have been a number too close to it."""
    if isinstance(value, float):
        return math.isfinite(value) and value != 0
    if isinstance(value, int):
        return abs(value) < _LIMITS["bigint"]
    return value is None or isinstance(value, str)


def _texts(column: tuple[object, ...]) -> list[str]:
    """A column's texts, as far as there are any."""
    return [text for text in column if isinstance(text, str)]


def _have_format(texts: list[str], strict: re.Pattern[str]) -> bool:
    together = "\n".join([*texts, ""])
    return strict.fullmatch(together) is not None and together.count("\n") == len(texts)


def _fit(texts: list[str], max_bytes: int) -> bool:
    """Whether texts have no more bytes than a column; of characters they are known to have no more."""
    return "".join(texts).isascii() or all(len(text.encode()) <= max_bytes for text in texts)


def _may_be_tiny(lines: bytes | memoryview) -> bool:
    """Whether a zero may be a number that is too close to it for a double."""
    return any(tiny.search(lines) for tiny in _TINY)


def _pieces(lines: bytes) -> Iterator[bytes | memoryview]:
    """Cuts lines into pieces that are decoded quickest."""
    if len(lines) <= _DECODED_BYTES:
        yield lines
        return
    view, start = memoryview(lines), 0
    while start < len(lines):
        end = lines.find(b"\n", start + _DECODED_BYTES) + 1 or len(lines)
        yield view[start:end]
        start = end


def _field(position: int) -> str:
    """What a decoder calls a column: the name of its key need not be a Python identifier."""
    return f"column_{position}"


def _strict_decoder(table: Table, *, complete: bool, and_unknown_keys: bool) -> msgspec.json.Decoder[msgspec.Struct]:
    """A decoder of records that are good if their texts have the columns' formats, and fit if they are narrow.

    Numbers in text columns, dates late in a month and texts near a wide column's length are left to the slow way.
    """
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for position, column in enumerate(table.record_columns):
        field = _field(position)
        names[field] = column.name
        kind = _strict_type(column)
        if column.required:
            fields.append((field, kind))
        elif complete:
            fields.append((field, kind | None))
        else:
            fields.append((field, kind | None | msgspec.UnsetType, msgspec.UNSET))
    record = msgspec.defstruct(
        table.name,
        fields,
        rename=names,
        forbid_unknown_fields=not and_unknown_keys,
        kw_only=True,
        gc=False,
        frozen=True,
    )
    return msgspec.json.Decoder(record)


def _strict_type(column: Column) -> Any:  # noqa: ANN401 - a type, made at run time
    is_time = column.format in ("epoch_ms", "epoch_ms_or_none")
    time = Annotated[int, msgspec.Meta(ge=MIN_EPOCH_MS, lt=MAX_EPOCH_MS)]
    if column.kind in _LIMITS:
        limit = _LIMITS[column.kind]
        return time if is_time else Annotated[int, msgspec.Meta(ge=-limit, le=limit - 1)]
    if column.kind == "double precision":
        return Annotated[float, msgspec.Meta(ge=MIN_EPOCH_MS, lt=MAX_EPOCH_MS, multiple_of=1)] if is_time else float
    if column.kind == "varchar":
        length = column.max_bytes if column.max_bytes < WIDE_BYTES else column.max_bytes // BYTES_OF_A_CHARACTER
        text = Annotated[str, msgspec.Meta(min_length=1 if column.required else 0, max_length=length)]
        return time | text if is_time else text
    return bool


def _count_keys(raw: bytes, *, may_break: bool = False) -> int:
    """Counts the keys of flat records, or more; -1 where blanks before a colon make that uncertain.

    The decoder does not see that a key stands twice. But a colon follows every key's closing quote, so no record has
    more keys than such pairs, and where there are as many pairs as distinct keys, no record has a key twice.

    Args:
        raw: The records.
        may_break: Whether there can be line breaks within a record.
    """
    may_have_blanks = b" :" in raw or b"\t" in raw or b"\r" in raw or (may_break and b"\n" in raw)
    if may_have_blanks and _BLANKS_BEFORE_COLON.search(raw):
        return -1
    return raw.count(b'":')


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _RefusedError(f"key {show(twice)} stands twice in one object")
    if len({key.lower() for key in record}) < len(record):
        lower = [key.lower() for key in record]
        first, second, *_ = [key for key in record if lower.count(key.lower()) > 1]
        raise _RefusedError(
            f"keys of one object differ in upper and lower case only, like {show(first)} and {show(second)}"
        )
    return record


def _integer(digits: str) -> _Integer:
    _decimal(digits)
    return _Integer(digits)


def _decimal(digits: str) -> _Decimal:
    number = float(digits)
    if math.isinf(number):
        raise _RefusedError(f"the number {show(_Number(digits))} is too large for any engine")
    if not number and _NOT_ZERO.match(digits):
        raise _RefusedError(f"the number {show(_Number(digits))} is too close to zero for double precision")
    return _Decimal(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise _RefusedError(f"not JSON: {name} is not a JSON value")


_PARSER = json.JSONDecoder(
    object_pairs_hook=_without_duplicates,
    parse_int=_integer,
    parse_float=_decimal,
    parse_constant=_refuse_constant,
)


def _problem(column: Column, value: object) -> str | None:
    """What is wrong with a value that is not null."""
    if column.format == "epoch_ms_or_none":
        return _time_or_none_problem(value)
    if not isinstance(value, {"varchar": str, "boolean": bool}.get(column.kind, _Number)):
        kind = kind_of(value)
        return f"{show(value)} is {'an' if kind[0] in 'ao' else 'a'} {kind}, {column.type} expected"
    if isinstance(value, str) and column.kind == "varchar":
        if isinstance(value, _Number) and not _PLAIN_INTEGER.fullmatch(value):
            return f"{show(value)} is a number that engines write in other ways as text: write it in quotes"
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
        return _time_problem(value) if number else None
    return None


def _time_or_none_problem(value: object) -> str | None:
    """What is wrong with a time in a text column: a number, digits, or one of the ways to say that there is none.

    Every engine reads these into text as they are written, a number and false without quotes. DuckDB does, as tests
    show, and Athena's SerDe (Hive's), which gives the text of whatever value there is. Redshift's COPY converts "the
    strings in the source data"
    (https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html); it was not tried on AWS.
    """
    if value is False or value in ("", "0"):
        return None
    if not isinstance(value, str):
        kind = kind_of(value)
        return f"{show(value)} is {'an' if kind[0] in 'ao' else 'a'} {kind}, a time in epoch milliseconds expected"
    if not _PLAIN_TIME.fullmatch(value):
        return f"{show(value)} is not written as a whole number of milliseconds"
    return _time_problem(value)


def _time_problem(value: str) -> str | None:
    """What is wrong with a whole number that is to be a time, and is not 0."""
    number = float(value)
    if MIN_EPOCH_MS <= number < MAX_EPOCH_MS:
        return None
    if 0 < number < MIN_EPOCH_MS:
        unit = "it looks like seconds"
    elif number >= MIN_EPOCH_NS:
        unit = "it looks like nanoseconds"
    elif number > 0:
        unit = "it looks like microseconds"
    else:
        unit = "it is negative"
    return f"{show(value)} is not a time in epoch milliseconds from 1970 to 9999: {unit}"


def _text_problem(column: Column, value: str) -> str | None:
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > column.max_bytes:
        return f"{show(value)} has {size:,} bytes, {column.type} holds {column.max_bytes:,}"
    if column.format == "digits" and not _DIGITS.fullmatch(value):
        return f"{show(value)} is not a whole number of at most 9 digits"
    if column.format == "date" and value and not _is_date(value):
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
            if (size := len(key.encode("utf-8", "surrogatepass"))) > MAX_KEY_BYTES:
                yield f"key {show(key)} has {size:,} bytes, {MAX_KEY_BYTES:,} is the most that every engine reads"
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
