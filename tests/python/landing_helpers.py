"""What the tests of the loader share."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lakehouse.landing import LandingReport, land
from lakehouse.pseudonyms import PUBLIC_KEY, PseudonymKey, land_pseudonyms
from lakehouse.sources import Column, Table, load_tables
from lakehouse.text_repair import repair_text
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


def put(folder: Path, path: str, content: bytes | str | Sequence[dict[str, Any]]) -> Path:
    """Writes a source file: bytes, text, or records one a line."""
    if not isinstance(content, bytes | str):
        content = "".join(json.dumps(record) + "\n" for record in content)
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def load(source: Path | Sequence[Path], zone: Path, **options: Any) -> LandingReport:  # noqa: ANN401
    """Lands with the small declaration."""
    return land([source] if isinstance(source, Path) else source, zone, SMALL, **options)


def land_all(sources: Sequence[Path], zone: str | Path, **options: Any) -> LandingReport:  # noqa: ANN401
    """Lands with the project's declaration, and everything that is worked out from what is landed."""
    report = land(sources, zone, TABLES, **options)
    repair_text(zone, TABLES, print)
    land_pseudonyms(zone, TABLES, PseudonymKey(PUBLIC_KEY.encode()), print)
    return report


def rows(zone: Path, book: str, table: str = "readings") -> list[dict[str, Any]]:
    """The rows of a table's ledger, or those of its quarantine that the ledger names."""
    if book == "ledger":
        file = zone / "loader/ledger" / f"{table}.json"
        return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []
    return [json.loads(line) for line in lines_of(zone, table, "quarantine_key")]


def landed(zone: Path, table: str = "readings") -> list[bytes]:
    """What a reader sees: the records of the parts that the ledger names."""
    return lines_of(zone, table, "object_key")


def lines_of(zone: Path, table: str, column: str) -> list[bytes]:
    """The lines of the parts that a column of the ledger names."""
    keys = sorted({row[column] for row in rows(zone, "ledger", table) if row[column]})
    return [line for key in keys for line in gzip.decompress((zone / key).read_bytes()).splitlines()]


def state_of(zone: Path) -> dict[str, list[Any]]:
    """What a zone says and holds, but for the names of its parts, which are each load's own."""
    state: dict[str, list[Any]] = {}
    for table in (READINGS, EVENTS):
        state[f"{table.name} ledger"] = [_without_names(row) for row in rows(zone, "ledger", table.name)]
        for column in ("object_key", "quarantine_key"):
            keys = {row[column] for row in rows(zone, "ledger", table.name) if row[column]}
            state[f"{table.name} {column}"] = sorted(
                (key.rpartition("/")[0], gzip.decompress((zone / key).read_bytes())) for key in keys
            )
    return state


def _without_names(row: dict[str, Any]) -> dict[str, Any]:
    names = ("object_key", "quarantine_key")
    return {
        key: bool(value) if key in names else value
        for key, value in row.items()
        if key not in ("source_version", "written_by")
    }


def content_of(zone: Path) -> dict[str, bytes]:
    """Every object of the zone, but for the lock."""
    return {
        path.relative_to(zone).as_posix(): path.read_bytes()
        for path in sorted(zone.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def assert_books_balance(zone: Path) -> None:
    """Checks what holds after every completed load: nothing lost, nothing doubled, nothing left over."""
    for table in (READINGS, EVENTS):
        ledger = rows(zone, "ledger", table.name)
        for row in ledger:
            assert row["records_found"] == row["records_landed"] + row["records_quarantined"]
        assert sum(row["records_landed"] for row in ledger) == len(landed(zone, table.name))
        assert sum(row["records_quarantined"] for row in ledger) == len(rows(zone, "quarantine", table.name))
        for column, folder in {"object_key": table.folder, "quarantine_key": f"loader/quarantine/{table.name}"}.items():
            named = {row[column] for row in ledger if row[column]}
            stored = {path.relative_to(zone).as_posix() for path in (zone / folder).rglob("*.json.gz")}
            assert f"{folder}/empty.json.gz" in stored
            assert named <= stored
    assert not list(zone.rglob("*.tmp"))


def assert_nothing_is_left_over(zone: Path) -> None:
    """Checks that every part is named by a ledger, as it is after a load that had nothing to do."""
    named = {
        row[column]
        for table in (READINGS, EVENTS)
        for row in rows(zone, "ledger", table.name)
        for column in ("object_key", "quarantine_key")
    }
    stored = {path.relative_to(zone).as_posix() for path in zone.rglob("*.json.gz") if path.name != "empty.json.gz"}
    assert stored == named - {None}
