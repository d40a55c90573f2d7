"""The format letters of `date_format` (MySQL's) and `format_datetime` (Joda's), as strftime writes them."""

from __future__ import annotations

import re

from local_aws.athena.errors import NotEmulatedError

# https://trino.io/docs/current/functions/datetime.html#mysql-date-functions
_MYSQL = {
    "a": "%a",
    "b": "%b",
    "c": "%-m",
    "d": "%d",
    "e": "%-d",
    "f": "%f",
    "H": "%H",
    "h": "%I",
    "I": "%I",
    "i": "%M",
    "j": "%j",
    "k": "%-H",
    "l": "%-I",
    "M": "%B",
    "m": "%m",
    "p": "%p",
    "r": "%I:%M:%S %p",
    "S": "%S",
    "s": "%S",
    "T": "%H:%M:%S",
    "W": "%A",
    "Y": "%Y",
    "y": "%y",
    "v": "%V",
    "x": "%G",
    "%": "%%",
}
_JODA = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "EEEE": "%A",
    "EEE": "%a",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "SSSSSS": "%f",
    "a": "%p",
    "DDD": "%j",
}


def mysql_to_strftime(pattern: str) -> str:
    """A `date_format` or `date_parse` pattern."""

    def letter(found: re.Match[str]) -> str:
        key = found[1]
        if key not in _MYSQL:
            raise NotEmulatedError(f"%{key} in a date format")
        return _MYSQL[key]

    return re.sub(r"%(.)", letter, pattern)


def joda_to_strftime(pattern: str) -> str:
    """A `format_datetime` pattern."""

    def part(found: re.Match[str]) -> str:
        if found["quoted"] is not None:
            return found["quoted"].replace("%", "%%") or "'"
        if found["letters"] not in _JODA:
            raise NotEmulatedError(f"{found['letters']} in a Joda date format")
        return _JODA[found["letters"]]

    return re.sub(r"'(?P<quoted>[^']*)'|(?P<letters>([A-Za-z])\3*)", part, pattern)
