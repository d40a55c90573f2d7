"""The formats that ledgers have had, and how a row of an older one becomes one of the newer.

A landing zone outlives many versions of this project. Nobody has to land it anew, since that would bring back who was
erased from it, and lose who vanished from the sources.

1. as it was first.
2. `ledger_format` was added; all files of a part have one `landed_at`, that of the load that brought them.
3. `checksums` was added; the next load works out those of older parts.
"""

import calendar
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lakehouse.landing.parts import load_of

LEDGER_FORMAT = 3

_Rows = Sequence[dict[str, Any]]


def upgraded(rows: _Rows, written_in: int) -> _Rows:
    """The rows of a ledger that was written in an older format, in the latest one.

    Raises:
        ValueError, TypeError or KeyError: They are not of that format.
    """
    for number in range(written_in, LEDGER_FORMAT):
        rows = _UPGRADES[number](rows)
    return rows


def _with_times_of_loads(rows: _Rows) -> _Rows:
    """Gives all files of one load one time, since format 1 noted for each file when it had been packed.

    When loads began, the names of their parts tell, as far as these parts are still there. What was packed between two
    such moments gets the latest of its times: so what was landed later stays later.
    """
    begun = sorted({_began_ms(row[name]) for row in rows for name in ("object_key", "quarantine_key") if row[name]})
    times: dict[int, int] = {}
    for row in rows:
        load = bisect_right(begun, row["landed_at"])
        times[load] = max(row["landed_at"], times.get(load, 0))
    return [row | {"landed_at": times[bisect_right(begun, row["landed_at"])], "ledger_format": 2} for row in rows]


def _without_checksums(rows: _Rows) -> _Rows:
    return [row | {"ledger_format": 3} for row in rows]


def _began_ms(key: str) -> int:
    """When the load began that wrote a part, epoch milliseconds, to the second."""
    return calendar.timegm(time.strptime(load_of(key).partition("-")[0], "%Y%m%dT%H%M%SZ")) * 1000


_UPGRADES: Mapping[int, Callable[[_Rows], _Rows]] = {1: _with_times_of_loads, 2: _without_checksums}
