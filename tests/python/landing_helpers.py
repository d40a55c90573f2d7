"""What the tests of the loader share: small tables; and places, which are folders or prefixes, as readers see them."""

import gzip
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lakehouse.declaration import Column, Table, load_tables
from lakehouse.derived.people import land_people
from lakehouse.derived.release_pseudonyms import land_release_pseudonyms
from lakehouse.derived.text_repair import repair_text
from lakehouse.landing import ledger
from lakehouse.landing.load import land
from lakehouse.landing.outcome import LandingReport
from lakehouse.landing.parts import is_part
from lakehouse.landing.pseudonym_key import PUBLIC_KEY, PseudonymKey
from lakehouse.records.checksums import ColumnChecksums
from real_data import PROJECT_DIR

TABLES = load_tables(PROJECT_DIR)

READINGS = Table(
    name="readings",
    source_name="test",
    folder="readings/landing",
    columns=(
        Column("id", "integer", required=True),
        Column("name", "varchar(8)"),
        Column("at", "bigint", format="epoch_ms"),
        Column("level", "double precision"),
    ),
    source_files=("readings/**/*.json",),
    part_by="readings/([a-z])/",
)
EVENTS = Table(
    name="events",
    source_name="test",
    folder="events/landing",
    columns=(Column("id", "integer", required=True), Column("text", "varchar(64)", repair_text=True)),
    source_files=("events/**/*.json",),
)
REPAIRS = Table(
    name="text_repairs",
    source_name="test",
    folder="repairs/landing",
    columns=(Column("garbled_text", "varchar(64)"), Column("repaired_text", "varchar(64)")),
)
SMALL = {table.name: table for table in (READINGS, EVENTS, REPAIRS)}

PATIENCE_SECONDS = 100
"""How long one thread or process waits for another before the test fails: long, as the machine may be busy."""

NAMES = ("object_key", "quarantine_key")
"""The ledger's columns that name parts."""


class Place(Protocol):
    """Somewhere to land from or in."""

    @property
    def location(self) -> str:
        """What a person types."""

    def put(self, key: str, content: bytes | str | Sequence[dict[str, Any]]) -> None:
        """Writes a file: bytes, text, or records one a line."""

    def delete(self, key: str) -> None:
        """Deletes a file."""

    def get(self, key: str) -> bytes | None:
        """A file's content; None where there is none."""

    def keys(self) -> list[str]:
        """The keys of all files."""


@dataclass(frozen=True)
class FolderPlace:
    """A folder of this machine."""

    path: Path

    @property
    def location(self) -> str:
        """Its path."""
        return str(self.path)

    def put(self, key: str, content: bytes | str | Sequence[dict[str, Any]]) -> None:
        """Writes a file."""
        file = self.path / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(as_bytes(content))

    def delete(self, key: str) -> None:
        """Deletes a file."""
        (self.path / key).unlink()

    def get(self, key: str) -> bytes | None:
        """A file's content."""
        try:
            return (self.path / key).read_bytes()
        except FileNotFoundError:
            return None

    def keys(self) -> list[str]:
        """The paths of the files."""
        return sorted(path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file())


def as_bytes(content: bytes | str | Sequence[dict[str, Any]]) -> bytes:
    """A file's content."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str):
        return content.encode()
    return b"".join(json.dumps(record).encode() + b"\n" for record in content)


def place_of(place: Place | Path) -> Place:
    """A place, for which a path may stand."""
    return FolderPlace(place) if isinstance(place, Path) else place


def put(folder: Path, path: str, content: bytes | str | Sequence[dict[str, Any]]) -> Path:
    """Writes a source file: bytes, text, or records one a line."""
    FolderPlace(folder).put(path, content)
    return folder / path


def load(source: Place | Path | Sequence[Place | Path], zone: Place | Path, **options: Any) -> LandingReport:  # noqa: ANN401
    """Lands with the small declaration."""
    sources = source if isinstance(source, Sequence) else [source]
    return land([place_of(one).location for one in sources], place_of(zone).location, SMALL, **options)


def land_all(sources: Sequence[Path], zone: str | Path, **options: Any) -> LandingReport:  # noqa: ANN401
    """Lands with the project's declaration, and everything that is worked out from what is landed."""
    report = land(sources, zone, TABLES, **options)
    repair_text(zone, TABLES, print)
    land_people(zone, TABLES, PseudonymKey(PUBLIC_KEY.encode()), print)
    land_release_pseudonyms(zone, TABLES, print)
    return report


def ledger_of(zone: Place | Path, table: str = "readings") -> list[dict[str, Any]]:
    """The rows of a table's ledger."""
    return _rows(place_of(zone).get(ledger.ledger_key(table)))


def _rows(content: bytes | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (content or b"").splitlines()]


def landed(zone: Place | Path, table: str = "readings") -> list[bytes]:
    """What a reader sees: the records of the parts that the ledger names."""
    return lines_of(zone, ledger_of(zone, table), "object_key")


def quarantined(zone: Place | Path, table: str = "readings") -> list[dict[str, Any]]:
    """The refused records of the parts that the ledger names."""
    return [json.loads(line) for line in lines_of(zone, ledger_of(zone, table), "quarantine_key")]


def lines_of(zone: Place | Path, rows: Sequence[Mapping[str, Any]], column: str) -> list[bytes]:
    """The lines of the parts that a column of a ledger names.

    Raises:
        FileNotFoundError: A part is not there.
    """
    lines: list[bytes] = []
    for key in sorted({row[column] for row in rows if row[column]}):
        part = place_of(zone).get(key)
        if part is None:
            raise FileNotFoundError(key)
        lines += gzip.decompress(part).splitlines()
    return lines


def ids(zone: Place | Path, table: str = "readings") -> list[int]:
    """The ids of a table's records."""
    return sorted(json.loads(record)["id"] for record in landed(zone, table))


def read_as_a_reader(zone: Place, table: str) -> list[bytes]:
    """Reads a table while loads may be at work: where a part is gone, the ledger has moved on, and is read again."""
    name = ledger.ledger_key(table)
    while True:
        content = zone.get(name)
        try:
            return sorted(lines_of(zone, _rows(content), "object_key"))
        except FileNotFoundError as error:
            if zone.get(name) == content:
                raise AssertionError(f"the ledger of {table} names {error}, which is not there") from error


def parts_of(zone: Place | Path) -> list[str]:
    """The keys of all parts, named by a ledger or not."""
    return [key for key in place_of(zone).keys() if is_part(key)]  # noqa: SIM118 - no dict


def named_parts(zone: Place | Path, tables: Sequence[str] = (READINGS.name, EVENTS.name)) -> list[str]:
    """The keys of the parts that the ledgers name."""
    rows = [row for table in tables for row in ledger_of(zone, table)]
    return sorted({row[column] for row in rows for column in NAMES if row[column]})


def state_of(
    zone: Place | Path, tables: Sequence[str] = (READINGS.name, EVENTS.name), but: Collection[str] = ()
) -> dict[str, list[Any]]:
    """What a zone says and holds, but for the names of its parts, which are each load's own, and some columns."""
    own = {"source_version", "written_by", *but}
    state: dict[str, list[Any]] = {}
    for table in tables:
        rows = ledger_of(zone, table)
        state[f"{table} ledger"] = [_without(row, own) for row in rows]
        for column in NAMES:
            parts = {row[column] for row in rows if row[column]}
            state[f"{table} {column}"] = sorted(
                ([key.rpartition("/")[0], *_lines(zone, key, column, own)] for key in parts), key=str
            )
    return state


def facts_of(zone: Place | Path, tables: Sequence[str] = (READINGS.name, EVENTS.name)) -> dict[str, list[Any]]:
    """What a zone says and holds, however many loads it took: not when records were landed, nor which share a part.

    A part's checksums stand beside the first of those that share it.
    """
    return {
        name: sorted((fact for _, *facts in rows for fact in facts), key=str) if name.endswith("_key") else rows
        for name, rows in state_of(zone, tables, but={"landed_at", "checksums"}).items()
    }


def _lines(zone: Place | Path, key: str, column: str, own: Collection[str]) -> list[object]:
    lines = lines_of(zone, [{column: key}], column)
    return [_without(json.loads(line), own) for line in lines] if column == "quarantine_key" else list(lines)


def _without(row: Mapping[str, Any], own: Collection[str]) -> dict[str, Any]:
    return {key: bool(value) if key in NAMES else value for key, value in row.items() if key not in own}


def content_of(zone: Place | Path) -> dict[str, bytes | None]:
    """Every object of the zone but the lock, which names the process."""
    return {key: place_of(zone).get(key) for key in place_of(zone).keys() if key != "loader/.lock"}  # noqa: SIM118 - no dict


def assert_books_balance(
    zone: Place | Path,
    tables: Sequence[str] = (READINGS.name, EVENTS.name),
    declared: Mapping[str, Table] = TABLES | SMALL,
) -> None:
    """Checks what holds after every completed load: nothing lost, nothing doubled, nothing left over, nobody's lock."""
    stored = set(place_of(zone).keys())
    for table in tables:
        rows = ledger_of(zone, table)
        for row in rows:
            assert row["records_found"] == sum(
                row[f"records_{fate}"] for fate in ("landed", "quarantined", "suppressed")
            )
        assert sum(row["records_landed"] for row in rows) == len(landed(zone, table))
        assert sum(row["records_quarantined"] for row in rows) == len(quarantined(zone, table))
        times = {(row["object_key"], row["landed_at"]) for row in rows if row["object_key"]}
        assert len(times) == len({key for key, _ in times})  # an engine knows of an object only when it was landed
        contents = [row["sha256"] for row in rows if row["object_key"] and not row["segment"]]
        assert len(contents) == len(set(contents))
        folders = (declared[table].folder, ledger.quarantine_folder(table))
        assert {f"{folder}/empty.json.gz" for folder in folders} <= stored
        assert_checksums_are_of_the_parts(zone, declared[table])
    assert "loader/lock.json" not in stored
    assert not [key for key in stored if key.endswith(".tmp")]


def assert_checksums_are_of_the_parts(zone: Place | Path, table: Table = READINGS) -> None:
    """Checks that the ledger has the checksums of every part that it names, once."""
    columns = ColumnChecksums(table)
    rows = [row for row in ledger_of(zone, table.name) if row["object_key"]]
    found = {row["object_key"]: row["checksums"] for row in rows if row["checksums"]}
    assert len(found) == sum(row["checksums"] is not None for row in rows)
    place = place_of(zone)
    parts = {row["object_key"]: landed_lines(place, row["object_key"]) for row in rows}
    checksums = {key: columns.of_lines(lines) for key, lines in parts.items()}
    expected = {key: columns.text(some) for key, some in checksums.items() if some is not None}
    assert {key: rounded(text) for key, text in found.items()} == {key: rounded(text) for key, text in expected.items()}


def rounded(checksums: str) -> str:
    """A ledger's checksums with sums of doubles as far as they do not depend on the order."""
    return re.sub(r"\d+\.\d+(e[-+]\d+)?", lambda number: f"{float(number[0]):.9g}", checksums)


def landed_lines(place: Place, key: str) -> list[bytes]:
    """The records of a part, each with its line break."""
    return gzip.decompress(place.get(key) or b"").splitlines(keepends=True)


def assert_nothing_is_left_over(zone: Place | Path) -> None:
    """Checks that every part is named by a ledger, as it is after a load that had nothing to do."""
    assert parts_of(zone) == named_parts(zone)
