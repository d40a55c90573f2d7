"""INTERVAL with a qualifier: of what a type or a literal has a place for.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_interval_data_types.html
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dbt_local_aws.redshift.errors import INVALID_PARAMETER_VALUE, RedshiftError, syntax_error
from dbt_local_aws.redshift.tokens import Kind, Token, closing, sql, word_at

# The units, each with the bit that says in PostgreSQL's modifier of the type that there is a place for it
_UNITS = {"year": 1 << 2, "month": 1 << 1, "day": 1 << 3, "hour": 1 << 10, "minute": 1 << 11, "second": 1 << 12}
_MONTHS = ("year", "month")
_ORDER = list(_UNITS)
_MOST_DIGITS = 6
_FURTHER_DIGITS = re.compile(rf"(\.\d{{{_MOST_DIGITS}}})\d+")
_SEVERAL_PARTS = re.compile(r"\d[^\d:.]+\d")


@dataclass(frozen=True, slots=True)
class Qualifier:
    """The units from the largest to the smallest one, and how many digits a second's fraction has."""

    first: str
    last: str
    precision: int | None = None

    @property
    def type(self) -> str:
        """What the type is called that has a place for these units."""
        return "intervaly2m" if self.last in _MONTHS else "intervald2s"

    @property
    def sql(self) -> str:
        """PostgreSQL's interval of these units."""
        units = self.first if self.first == self.last else f"{self.first} to {self.last}"
        return f"interval {units}{self._digits}"

    @property
    def arguments(self) -> tuple[int, ...]:
        """What the type of a column is told."""
        units = _ORDER[_ORDER.index(self.first) : _ORDER.index(self.last) + 1]
        mask = sum(_UNITS[unit] for unit in units)
        return (mask,) if self.precision is None else (mask, self.precision)

    @property
    def _digits(self) -> str:
        return "" if self.precision is None else f"({self.precision})"


def read_qualifier(tokens: Sequence[Token], at: int) -> tuple[Qualifier | None, int]:
    """The qualifier that begins at this position, if one does, and where what follows it begins."""
    first = last = word_at(tokens, at)
    if first not in _UNITS:
        return None, at
    at += 1
    if word_at(tokens, at) == "to":
        last = word_at(tokens, at + 1)
        if not _is_range(first, last):
            raise syntax_error(tokens[at + 1].text if at + 1 < len(tokens) else "")
        at += 2
    if last != "second" or word_at(tokens, at) != "(":
        return Qualifier(first, last), at
    end = closing(tokens, at)
    digits = tokens[at + 1 : end]
    if len(digits) != 1 or not digits[0].text.isdigit():
        raise syntax_error(digits[0].text if digits else ")")
    if int(digits[0].text) > _MOST_DIGITS:
        raise RedshiftError(
            INVALID_PARAMETER_VALUE, f"interval({digits[0].text}) precision must be between 0 and {_MOST_DIGITS}"
        )
    return Qualifier(first, last, int(digits[0].text)), end + 1


def _is_range(first: str, last: str) -> bool:
    """Whether these are units of one kind, and the second one is the smaller."""
    of_one_kind = last in _UNITS and (first in _MONTHS) == (last in _MONTHS)
    return of_one_kind and _ORDER.index(first) < _ORDER.index(last)


def literal(tokens: Sequence[Token], at: int) -> tuple[list[Token], int] | None:
    """An interval literal that has a qualifier, and where what follows it begins; nothing where there is none."""
    after = at + 1
    while after < len(tokens) and tokens[after].kind is Kind.STRING:
        after += 1
    qualifier, end = read_qualifier(tokens, after)
    if after == at + 1 or qualifier is None:
        return None
    said = "".join(token.before + token.text for token in tokens[at + 1 : after])
    kept = _FURTHER_DIGITS.sub(r"\1", said)  # PostgreSQL would round
    value = qualifier.sql.replace("interval", f"interval {kept}", 1)
    if _SEVERAL_PARTS.search(said):  # an operator has no name that the column would have
        value += f" + redshift_internal.nothing_but('{qualifier.type}', interval {kept} second)"
    return sql(f"cast({value} as pg_catalog.{qualifier.type})"), end
