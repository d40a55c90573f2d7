"""Reading what has landed: records, those in quarantine, and columns of a record as the engines read them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import msgspec

from lakehouse.declaration import Column, Table
from lakehouse.landing import ledger
from lakehouse.landing.ledger import QuarantinedRecord, TableLedger
from lakehouse.landing.parts import read_part
from lakehouse.records.raw import as_text, raw_decoder
from lakehouse.storage.folder import Folder


def landed_parts(zone: Folder, table: Table) -> list[str]:
    """The keys of the parts that hold a table's landed records.

    Raises:
        LandingError: The ledger cannot be read.
    """
    files = ledger.read_ledger(zone, table.name).files.values()
    return sorted({key for landed in files for key in landed.object_keys})


def part_versions(zone: Folder, table: Table) -> dict[str, str]:
    """The parts that hold a table's landed records and are there, each with its version in the landing zone.

    Raises:
        LandingError: The ledger cannot be read.
    """
    named = set(landed_parts(zone, table))
    return {stored.key: stored.version for stored in zone.list(table.folder) if stored.key in named}


def landed_lines(zone: Folder, table: Table) -> Iterator[bytes]:
    """Yields the landed records of a table, each with its line break.

    Raises:
        LandingError: A part is damaged.
    """
    return chain.from_iterable(read_part(zone, key) for key in landed_parts(zone, table))


def dated_lines(zone: Folder, table: Table) -> Iterator[tuple[bytes, int]]:
    """Yields the landed records of a table, each with when it was landed, in epoch milliseconds.

    Raises:
        LandingError: A part is damaged.
    """
    files = ledger.read_ledger(zone, table.name).files.values()
    loads = {key: landed.landed_at for landed in files for key in landed.object_keys}  # one for all files of a part
    for key in sorted(loads):
        for line in read_part(zone, key):
            yield line, loads[key]


def quarantined_rows(zone: Folder, table_ledger: TableLedger) -> Iterator[QuarantinedRecord]:
    """Yields what a table's ledger says is in quarantine.

    Raises:
        LandingError: A part is damaged.
    """
    decoder = msgspec.json.Decoder(QuarantinedRecord)
    for key in sorted({key for landed in table_ledger.files.values() for key in landed.quarantine_keys}):
        yield from map(decoder.decode, read_part(zone, key))


def column_reader(table: Table, columns: Sequence[Column]) -> Callable[[bytes], tuple[str | None, ...]]:
    """Makes a function that reads columns of a record, as the engines read text: a JSON number as it is written."""
    decoder = raw_decoder(columns)

    def read(line: bytes) -> tuple[str | None, ...]:
        return tuple(as_text(bytes(raw)) for raw in msgspec.structs.astuple(decoder.decode(line)))

    return read


def named_reader(table: Table, *names: str) -> Callable[[bytes], tuple[str | None, ...]]:
    """The same for columns that are given by their names."""
    return column_reader(table, _named(table, names))


def part_values(zone: Folder, part: str, table: Table, *names: str) -> Iterator[tuple[msgspec.Raw, ...]]:
    """Yields columns of the records of a part, as they are written there: of many millions.

    Raises:
        LandingError: The part is damaged.
    """
    decode = raw_decoder(_named(table, names)).decode
    return map(msgspec.structs.astuple, map(decode, read_part(zone, part)))


def _named(table: Table, names: Sequence[str]) -> list[Column]:
    declared = {column.name: column for column in table.columns}
    return [declared[name] for name in names]
