"""Which parts of a landing zone are read while something is worked out from it."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from lakehouse.derived import identification, text_repair
from lakehouse.landing.landed import part_values
from lakehouse.landing.parts import read_part
from landing_helpers import TABLES


def note_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Gives the parts of readings, steps, events and songs that are read from now on, as they are read."""
    read: list[str] = []

    def noting(reader: Callable[..., object]) -> Callable[..., object]:
        def noted(zone: object, part: str, *more: object) -> object:
            read.append(part)
            return reader(zone, part, *more)

        return noted

    monkeypatch.setattr(identification, "part_values", noting(part_values))
    monkeypatch.setattr(text_repair, "read_part", noting(read_part))
    return read


def tables_of(parts: Iterable[str]) -> Counter[str]:
    """How often a part of each table was read."""
    folders = {name: f"{table.folder}/" for name, table in TABLES.items()}
    return Counter(name for part in parts for name, folder in folders.items() if part.startswith(folder))
