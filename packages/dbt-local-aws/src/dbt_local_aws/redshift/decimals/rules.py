"""Which precision and scale a computation of decimals has.

Source: "Computations with numeric values" (r_numeric_computations201), AVG (r_AVG) and SUM (r_SUM) in the Amazon
Redshift Database Developer Guide.
"""

from typing import NamedTuple

_MOST_DIGITS = 38
_LARGEST_SCALE = 37
_MOST_DIGITS_OF_UNION = 19
_SMALLEST_SCALE_OF_DIVISION = 4


class Decimal(NamedTuple):
    """The type DECIMAL(precision, scale)."""

    precision: int
    scale: int

    @property
    def whole(self) -> int:
        """How many digits stand before the point."""
        return self.precision - self.scale

    @property
    def sql(self) -> str:
        """The type as SQL."""
        return f"numeric({self.precision},{self.scale})"


# "Numeric calculations with INTEGER and DECIMAL types"
INTEGERS = {"21": Decimal(5, 0), "23": Decimal(10, 0), "20": Decimal(19, 0)}  # by PostgreSQL's numbers of the types


def _within_limits(precision: int, scale: int) -> Decimal:
    return Decimal(min(precision, _MOST_DIGITS), min(scale, _LARGEST_SCALE))


def added(first: Decimal, second: Decimal) -> Decimal:
    """The type of a sum or a difference of two."""
    scale = max(first.scale, second.scale)
    return _within_limits(max(first.whole, second.whole) + 1 + scale, scale)


def multiplied(first: Decimal, second: Decimal) -> Decimal:
    """The type of a product."""
    return _within_limits(first.precision + second.precision + 1, first.scale + second.scale)


def divided(first: Decimal, second: Decimal) -> Decimal:
    """The type of a quotient: what exceeds the largest precision is taken from the scale, which keeps four digits."""
    scale = max(_SMALLEST_SCALE_OF_DIVISION, first.scale + second.precision - second.scale + 1)
    precision = first.whole + second.scale + scale
    if precision > _MOST_DIGITS:
        scale = max(_MOST_DIGITS + scale - precision, _SMALLEST_SCALE_OF_DIVISION)
    return _within_limits(precision, scale)


def united(first: Decimal, second: Decimal) -> Decimal:
    """The type of set operations, COALESCE, DECODE and, as is inferred, CASE, GREATEST and LEAST.

    The page has 19 digits at most, whatever the operands: a DECIMAL(38,19) beside an integer would have no digit before
    the point. The limit is inferred to be one of operands that keep it themselves.
    """
    scale = max(first.scale, second.scale)
    widest = max(first.precision, second.precision)
    most = _MOST_DIGITS if widest > _MOST_DIGITS_OF_UNION else _MOST_DIGITS_OF_UNION
    return _within_limits(min(max(first.whole, second.whole) + scale, most), scale)


def aggregated(value: Decimal) -> Decimal:
    """The type of SUM and AVG."""
    return Decimal(_MOST_DIGITS, value.scale)
