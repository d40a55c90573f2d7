"""What an export needs of a store, and how it keeps at it until the store has taken everything."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol, TypeVar

from lakehouse.serving.tables import Row, ServedTable, ServingError

T = TypeVar("T")
MOST_TRIES = 10
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 20.0


class Store(Protocol):
    """A place that tables are exported to. Rows have the columns of `ServedTable.columns_key_first`."""

    @property
    def where(self) -> str:
        """What and where it is, in words for a person."""

    def make(self, tables: Sequence[ServedTable]) -> list[str]:
        """Makes the tables that are missing, waits until they can be used, and gives their names.

        Raises:
            ServingError: A table is there, and is another one; or the store cannot be reached.
        """

    def cannot_hold(self, table: ServedTable, row: Row) -> str | None:
        """Why a row has no place in the store, whatever is done; None if it has."""

    def rows(self, table: ServedTable) -> Iterator[Row]:
        """Everything that the store holds of a table, as of the last write that it has confirmed."""

    def write(self, table: ServedTable, rows: Sequence[Row]) -> None:
        """Writes rows, each in the place of one with the same key; has done so when it comes back."""

    def delete(self, table: ServedTable, keys: Sequence[Row]) -> None:
        """Deletes the rows of keys; has done so when it comes back."""

    def close(self) -> None:
        """Ends the connection."""


def batches(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def until_taken(items: Sequence[T], send: Callable[[Sequence[T]], Sequence[T]]) -> None:
    """Sends items until none is handed back: a store that is asked too much of takes a part, and the rest later.

    Between two tries it waits, up to twice as long each time and by chance, so that several writers do not come back
    together.

    Args:
        items: What to send.
        send: Sends some, and gives those that were not taken.

    Raises:
        ServingError: The store took nothing, many times in a row.
    """
    left, tries = items, 0
    while left := send(items := left):
        tries = 0 if len(left) < len(items) else tries + 1
        if tries == MOST_TRIES:
            raise ServingError(
                f"the store took none of {len(left):,} rows in {MOST_TRIES} tries: it is asked too much of. "
                "What it took stays: run it again, or raise the table's capacity"
            )
        pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**tries)
        time.sleep(random.uniform(0, pause))  # noqa: S311 - nobody gains from guessing it
