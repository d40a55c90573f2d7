"""The days that a load is asked for, and those that the files of a source are of."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lakehouse.declaration import Table
from lakehouse.errors import SettingsError
from lakehouse.storage.source_files import Source

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """The days from one to another, both among them."""

    first: date
    last: date

    @classmethod
    def written(cls, first: str, last: str) -> "Days":
        """Reads two days as a person types them.

        Raises:
            SettingsError: One is no day, or the last comes before the first.
        """
        days = cls(_day(first), _day(last))
        if days.last < days.first:
            raise SettingsError(f"{last} comes before {first}: the first day stands first")
        return days

    def __iter__(self) -> Iterator[date]:
        """Gives each day, the first one first."""
        return (self.first + number * _DAY for number in range(len(self)))

    def __len__(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def take(self, table: Table, source_file: str) -> bool:
        """Whether a file is to be landed: it is of one of the days, or its path tells no day."""
        day = table.day_of(source_file)
        return day is None or self.first <= day <= self.last

    def without_files(self, there: Collection[date]) -> list[date]:
        """Those of the days of which there is no file."""
        return [day for day in self if day not in there]


def days_of_files(sources: Iterable[Source], tables: Iterable[Table]) -> dict[str, set[date]]:
    """The days of which sources hold files, by the name of the table; without the tables whose files tell no day."""
    there: dict[str, set[date]] = {}
    listed = list(sources)
    for table in tables:
        files = (file for source in listed for file in source.files[table.name])
        if days := {day for file in files if (day := table.day_of(file.source_file)) is not None}:
            there[table.name] = days
    return there


def in_words(days: Sequence[date]) -> str:
    """Days for a person to read, in their order, each run of them as its first and its last one."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == _DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]} to {run[-1]} ({len(run):,} days)" for run in runs)


def _day(written: str) -> date:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", written, re.ASCII):
        try:
            return date.fromisoformat(written)
        except ValueError:
            pass
    raise SettingsError(f"{written} is no day: write it as 2018-11-30")
