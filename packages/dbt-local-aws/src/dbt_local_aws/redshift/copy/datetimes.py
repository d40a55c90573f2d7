"""Dates and times as COPY reads them: by a format string, or by recognising them.

https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html
https://docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html
"""

import datetime as dt
import re
from collections.abc import Callable

from dbt_local_aws.redshift.errors import INVALID_PARAMETER_VALUE, RedshiftError

# A moment as PostgreSQL takes it; None where the text has another form. Raises ValueError for a day that there is not.
Reader = Callable[[str], str | None]

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905 - one line of twelve
# The longest first, for they are tried in this order. In COPY, HH is HH24.
_PARTS = {
    "HH24": r"(?P<hour>\d{1,2})",
    "HH12": r"(?P<hour>\d{1,2})",
    "YYYY": r"(?P<year>\d{4})",
    "MON": r"(?P<name>[A-Za-z]{3,9})",
    "YY": r"(?P<year>\d{2})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "MI": r"(?P<minute>\d{1,2})",
    "SS": r"(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6})\d*)?",
    "AM": r"(?P<half>[AaPp][Mm])",
    "PM": r"(?P<half>[AaPp][Mm])",
}
_PART = re.compile("|".join(_PARTS), re.IGNORECASE)
_DIGITS = {"YYYY": 4, "YY": 2, "MM": 2, "DD": 2, "HH": 2, "HH24": 2, "HH12": 2, "MI": 2, "SS": 2}
_ZONE = r"(?P<zone>\s?(?:[Zz]|[+-]\d{1,2}(?::?\d{2})?|[A-Z]{3,4}))?"
_DATES = (
    r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})",
    r"(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[-/.](?P<year>\d{4})",
    r"(?P<name>[A-Za-z]{3,9})[- ](?P<day>\d{1,2})[- ,]+(?P<year>\d{4}|\d{2})",
    r"(?P<day>\d{1,2})[- ](?P<name>[A-Za-z]{3,9})[- ](?P<year>\d{4}|\d{2})",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    r"(?P<year>\d{2})(?P<month>\d{2})(?P<day>\d{2})",
    r"(?P<year>\d{4})\.(?P<ordinal>\d{3})",
    r"J(?P<julian>\d+)",
)
_TIME = (
    r"(?:[ T](?P<hour>\d{1,2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6})\d*)?)?"
    r"\s?(?P<half>[AaPp][Mm])?" + _ZONE + ")?"
)
_UNIX = r"(?P<day>\d{1,2}) (?P<name>[A-Za-z]{3}) (?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2}) (?P<year>\d{4})"
_RECOGNISED = [re.compile(form + _TIME) for form in _DATES] + [re.compile(_UNIX + _ZONE)]
_JULIAN_DAY_ZERO = 1721425  # of the first day that Python counts


def date_reader(text: str) -> Reader:
    """Reads dates: in a format, or in any ('auto'). What they have of a time is cut off."""
    read = time_reader(text)
    return lambda value: (moment := read(value)) and moment[:10]


def time_reader(text: str) -> Reader:
    """Reads moments: in a format, or in any ('auto')."""
    return _recognise if text == "auto" else _by(_compiled(text))


def _compiled(text: str) -> re.Pattern[str]:
    if re.search(r"\b(TZ|OF)\b|SSOF", text, re.IGNORECASE):
        raise RedshiftError(INVALID_PARAMETER_VALUE, f"Invalid date format '{text}': it cannot have a time zone")
    pieces: list[str] = []
    seen: set[str] = set()
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None and text[at].isalpha() and text[at] not in "Tt":
            raise RedshiftError(INVALID_PARAMETER_VALUE, f"Invalid date format '{text}'")
        name = part[0].upper() if part else ""
        if name and name in seen:
            raise RedshiftError(INVALID_PARAMETER_VALUE, f"Invalid date format '{text}': {name} twice")
        seen.add(name)
        pieces.append(_piece(name, text, part.end()) if part else re.escape(text[at]))
        at = part.end() if part else at + 1
    return re.compile("".join(pieces))


def _piece(name: str, text: str, end: int) -> str:
    """A part; without a separator before the next one it has all of its digits."""
    pattern = _PARTS[name]
    follows = end < len(text) and _PART.match(text, end) is not None
    return pattern.replace(r"\d{1,2}", r"\d{2}") if follows and name in _DIGITS else pattern


def _by(pattern: re.Pattern[str]) -> Reader:
    def read(text: str) -> str | None:
        match = pattern.fullmatch(text)
        return _moment(match) if match else None

    return read


def _recognise(text: str) -> str | None:
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _RECOGNISED)), None)
    return _moment(match) if match else None


def _moment(match: re.Match[str]) -> str:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    day = _day(found)
    hour = int(found.get("hour", 0))
    if half := found.get("half", "").lower():
        hour = hour % 12 + (12 if half == "pm" else 0)
    moment = dt.datetime(  # noqa: DTZ001 - its zone, if it has one, is left to PostgreSQL
        day.year, day.month, day.day, hour, int(found.get("minute", 0)), int(found.get("second", 0)),
        int(found.get("fraction", "0").ljust(6, "0")),
    )  # fmt: skip
    return moment.isoformat(" ") + found.get("zone", "")


def _day(found: dict[str, str]) -> dt.date:
    if "julian" in found:
        return dt.date.fromordinal(int(found["julian"]) - _JULIAN_DAY_ZERO)
    year = int(found["year"]) if "year" in found else 1
    if len(found.get("year", "")) == 2:
        year += 2000 if year < 70 else 1900
    if "ordinal" in found:
        return dt.date(year, 1, 1) + dt.timedelta(days=int(found["ordinal"]) - 1)
    month = int(found.get("month", 1))
    if "name" in found:
        month = _MONTHS.index(found["name"][:3].lower()) + 1  # ValueError: no month
    return dt.date(year, month, int(found.get("day", 1)))
