"""Checksums of a table's columns, by which one sees whether an engine has the values that were landed.

Of each column there are two numbers: how many records have a value, and the sum of what the values measure. So those of
two lots of records add up to those of both. A text measures its characters (code points), a number itself, and true 1.
Sums of double precision depend a little on the order, so they are compared with a tolerance. Numbers of 10^15 and more,
which would hide the others, are counted, but not summed.

Such sums do not see that two records have exchanged their values. Where these decide about people, the table declares
as `checksum_key` what tells its records apart, and a value measures 60 bits of the MD5 of the key and the value.

The engines work out the same, by macros/landing/column_checksums.sql: what changes here changes there, too.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import add
from typing import Any

import msgspec

from lakehouse.declaration import Kind, Table
from lakehouse.records.raw import as_text, is_null, raw_decoder

Checksums = tuple[int | float, ...]
"""Of each column the number of its values, and the sum of what they measure; a float of double precision only."""

LARGEST_SUMMED = 1e15  # of double precision: sums of such numbers do not overflow, nor do they hide what is small
_MEASURES: dict[Kind, str] = {
    "varchar": "characters",
    "integer": "sum",
    "bigint": "sum",
    "double precision": "sum of doubles",
    "boolean": "true",
}
_HASH_DIGITS = 15  # hexadecimal ones, as many as a bigint holds
_LINES_AT_A_TIME = 4096


class ColumnChecksums:
    """Works out the checksums of a table's columns."""

    def __init__(self, table: Table) -> None:
        """Takes the table, of which the columns count that stand in its records."""
        columns = table.record_columns
        position = {column.name: position for position, column in enumerate(columns)}
        keyed = f"md5 with {', '.join(table.checksum_key)}" if table.checksum_key else None
        self.none: Checksums = (0,) * (2 * len(columns))
        """Those of no record."""
        self._names = [f"{column.name} {keyed or _MEASURES[column.kind]}" for column in columns]
        self._columns = [(column.required, _SUMS[column.kind]) for column in columns]
        self._key = [position[name] for name in table.checksum_key]
        self._decoder = raw_decoder(columns)
        self._values = [_VALUES[column.kind] for column in columns]

    def of(self, columns: Sequence[Sequence[object]]) -> Checksums:
        """Those of records that are given as columns, of values of the declared kinds.

        None is no value. A whole number in a text column stands for the text that it is written as.
        """
        if self._key:
            return self._with_key(columns)
        found: list[int | float] = []
        for (is_required, total), column in zip(self._columns, columns, strict=True):
            values = column if is_required else [one for one in column if one is not None]
            found += (len(values), total(values))
        return tuple(found)

    def of_lines(self, lines: Iterable[bytes]) -> Checksums | None:
        """Those of records, one a line; None where one has a value that is none of its column's kind.

        Such records can have been landed when another kind was declared.
        """
        found, rest = self.none, iter(lines)
        while some := list(islice(rest, _LINES_AT_A_TIME)):
            records = self._decoder.decode_lines(b"".join(some))
            raw = zip(*map(msgspec.structs.astuple, records), strict=True)
            try:
                columns = [
                    [None if is_null(one) else value(one) for one in map(bytes, column)]
                    for value, column in zip(self._values, raw, strict=True)
                ]
            except ValueError:
                return None
            found = added(found, self.of(columns))
        return found

    def text(self, checksums: Checksums) -> str:
        """How a ledger writes them: `;column measure=number:sum` for each column, and a semicolon."""
        found = zip(self._names, checksums[::2], checksums[1::2], strict=True)
        return "".join(f";{name}={number}:{total}" for name, number, total in found) + ";"

    def are_of(self, text: str | None) -> bool:
        """Whether a ledger's text is of the columns as they are declared now, and measured like that."""
        return text is not None and [one.rpartition("=")[0] for one in text[1:-1].split(";")] == self._names

    def _with_key(self, columns: Sequence[Sequence[object]]) -> Checksums:
        keys = ["|".join(map(str, key)) for key in zip(*(columns[position] for position in self._key), strict=True)]
        found: list[int | float] = []
        for column in columns:
            pairs = zip(keys, column, strict=True)
            measured = [_hash(f"{key}|{value}") for key, value in pairs if value is not None]
            found += (len(measured), sum(measured))
        return tuple(found)


def added(one: Checksums, other: Checksums) -> Checksums:
    """Those of two lots of records together."""
    return tuple(map(add, one, other))


def _hash(text: str) -> int:
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:_HASH_DIGITS], 16)


def _characters(texts: Sequence[str]) -> int:
    try:
        return len("".join(texts))
    except TypeError:  # one of them is a number
        return len("".join(map(str, texts)))


def _sum_of_doubles(numbers: Sequence[float]) -> float:
    if math.hypot(*numbers) >= LARGEST_SUMMED:  # which is not less than any of them
        numbers = [number for number in numbers if abs(number) < LARGEST_SUMMED]
    return sum(numbers)


_SUMS: dict[Kind, Callable[[Sequence[Any]], int | float]] = {
    "varchar": _characters,
    "integer": sum,
    "bigint": sum,
    "double precision": _sum_of_doubles,
    "boolean": sum,
}
_VALUES: dict[Kind, Callable[[bytes], object]] = {
    "varchar": as_text,
    "integer": int,
    "bigint": int,
    "double precision": float,
    "boolean": b"true".__eq__,
}
