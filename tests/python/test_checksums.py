"""The checksums of landed columns: the loader's own, and the engine's that reads in place."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.declaration import Column, Table, load_tables
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from lakehouse.privacy.zone import erase_from_zone
from lakehouse.records.check import RecordChecker
from lakehouse.records.checksums import ColumnChecksums, added
from lakehouse.sample import generate
from landing_helpers import (
    READINGS,
    SMALL,
    TABLES,
    assert_checksums_are_of_the_parts,
    land_all,
    ledger_of,
    load,
    put,
    state_of,
)
from other_values import assert_other_values_are_found
from warehouses import duckdb_warehouse

COLUMNS = (
    Column("text", "varchar(64)"),
    Column("number", "bigint", required=True),
    Column("ratio", "double precision"),
    Column("flag", "boolean"),
)
MIXED = Table("mixed", "test", "mixed", COLUMNS)
KEYED = Table("keyed", "test", "keyed", COLUMNS[:2], checksum_key=("number",))

RECORDS = st.lists(
    st.fixed_dictionaries(
        {"number": st.integers(-(2**63), 2**63 - 1)},
        optional={
            "text": st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
            "ratio": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
            "flag": st.none() | st.booleans(),
        },
    ),
    max_size=20,
)


def lines_of(records: Sequence[dict[str, Any]], *, ascii_only: bool = True) -> list[bytes]:
    return [json.dumps(record, ensure_ascii=ascii_only).encode() + b"\n" for record in records]


@given(RECORDS, st.booleans(), st.integers(0, 20))
@pytest.mark.quick
def test_the_quick_check_and_the_slow_reading_find_the_same_and_parts_add_up(
    records: list[dict[str, Any]],
    ascii_only: bool,
    cut: int,
) -> None:
    columns, lines = ColumnChecksums(MIXED), lines_of(records, ascii_only=ascii_only)
    whole = columns.of_lines(lines)
    assert whole is not None
    texts = [record["text"] for record in records if record.get("text") is not None]
    assert whole[:4] == (len(texts), sum(map(len, texts)), len(records), sum(record["number"] for record in records))
    ratios = [record["ratio"] for record in records if record.get("ratio") is not None]
    assert whole[4] == len(ratios)
    small = [ratio for ratio in ratios if abs(ratio) < 1e15]
    assert math.isclose(whole[5], math.fsum(small), abs_tol=1e-9 * math.fsum(map(abs, small)))
    assert whole[6:] == tuple(sum(record.get("flag") in some for record in records) for some in ([True, False], [True]))
    one, other = columns.of_lines(lines[:cut]), columns.of_lines(lines[cut:])
    assert one is not None
    assert other is not None
    assert added(one, other) == pytest.approx(whole, rel=1e-9, abs=1e-3)
    for stretch in RecordChecker(MIXED).cut(b"".join(lines)) if lines else ():
        if stretch.records == len(records):
            assert stretch.checksums == pytest.approx(whole)


@pytest.mark.quick
def test_a_number_or_false_in_a_text_column_counts_as_it_is_written() -> None:
    columns = ColumnChecksums(TABLES["customer_landing"])
    record = {"email": "a@x.com", "lastUpdateDate": 1691348231425}
    forms = [(1691348231425, "1691348231425"), (False, "false"), (0, "0")]
    for form, text in forms:
        one, other = lines_of([record | {"shareWithResearchAsOfDate": value} for value in (form, text)])
        assert columns.of_lines([one]) == columns.of_lines([other])
    checked = RecordChecker(TABLES["customer_landing"]).cut(b"".join(lines_of([record | {"phone": "1"}])))
    assert [stretch.checksums for stretch in checked] == [columns.of_lines(lines_of([record | {"phone": "1"}]))]


@pytest.mark.quick
def test_a_key_shows_that_two_records_have_exchanged_their_values_and_sums_alone_do_not() -> None:
    one, other = ([{"number": 1, "text": a}, {"number": 2, "text": b}] for a, b in (("x", "y"), ("y", "x")))
    assert ColumnChecksums(MIXED).of_lines(lines_of(one)) == ColumnChecksums(MIXED).of_lines(lines_of(other))
    assert ColumnChecksums(KEYED).of_lines(lines_of(one)) != ColumnChecksums(KEYED).of_lines(lines_of(other))


@pytest.mark.quick
@pytest.mark.parametrize(("key", "of"), [("email", "customerName"), ("ratio", "x"), ("email", "x")], ids=str)
def test_a_key_that_cannot_tell_records_apart_is_refused(tmp_path: Path, key: str, of: str) -> None:
    """It must be there in every record, and doubles are written in different ways by the engines."""
    columns = [
        {"name": "email", "data_type": "varchar(9)", "config": {"meta": {"required": of == "x"}}},
        {"name": of, "data_type": "double precision" if of == "x" else "varchar(9)"},
    ]
    meta = {"landing_folder": "t", "checksum_key": [key]}
    declared = {"sources": [{"name": "s", "tables": [{"name": "t", "config": {"meta": meta}, "columns": columns}]}]}
    put(tmp_path, "models/_s__sources.yml", json.dumps(declared))
    with pytest.raises(LandingError, match="checksum_key"):
        load_tables(tmp_path)


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    put(tmp_path / "source", "readings/a/1.json", [{"id": 1, "name": "é"}, {"id": 2, "level": 0.5}])
    put(tmp_path / "source", "readings/a/2.json", [{"id": 3, "name": 12}, {"id": "bad"}])
    load(tmp_path / "source", tmp_path / "zone")
    return tmp_path / "zone"


@pytest.mark.quick
def test_a_zone_of_an_older_version_gets_its_checksums_with_the_next_load_and_no_part_is_written(
    zone: Path, tmp_path: Path
) -> None:
    before = ledger_of(zone)
    assert_checksums_are_of_the_parts(zone)
    put(
        zone,
        "loader/ledger/readings.json",
        [{key: row[key] for key in row if key != "checksums"} | {"ledger_format": 2} for row in before],
    )
    assert load(tmp_path / "source", zone, dry_run=True).tables["readings"].parts_written == 0
    assert load(tmp_path / "source", zone).tables["readings"].parts_written == 0
    after = ledger_of(zone)
    assert [row | {"written_by": ""} for row in after] == [row | {"written_by": ""} for row in before]
    state = state_of(zone)
    load(tmp_path / "source", zone)
    assert state_of(zone) == state


@pytest.mark.quick
def test_checksums_are_those_of_the_columns_that_are_declared_now(zone: Path, tmp_path: Path) -> None:
    more = replace(READINGS, columns=(*READINGS.columns, Column("colour", "varchar(8)")))
    land([tmp_path / "source"], zone, SMALL | {"readings": more})
    assert_checksums_are_of_the_parts(zone, more)
    assert any(";colour characters=0:0;" in (row["checksums"] or "") for row in ledger_of(zone))


@pytest.mark.quick
def test_a_part_that_is_not_as_is_declared_by_now_has_no_checksums(zone: Path, tmp_path: Path) -> None:
    other = replace(READINGS, columns=(READINGS.columns[0], Column("name", "bigint"), *READINGS.columns[2:]))
    land([tmp_path / "source"], zone, SMALL | {"readings": other})
    assert {row["checksums"] for row in ledger_of(zone)} == {None}
    load(tmp_path / "source", zone)
    assert_checksums_are_of_the_parts(zone)


def test_who_is_erased_is_in_no_checksum(tmp_path: Path) -> None:
    people = [{"email": f"{name}@x.com", "lastUpdateDate": 1691348231425, "phone": "1"} for name in "ab"]
    put(tmp_path / "source", "customer/landing/1.json", people)
    land_all([tmp_path / "source"], tmp_path / "zone")
    erase_from_zone(tmp_path / "zone", TABLES, ["a@x.com"], lambda _: None)
    for name in ("customer_landing", "customer_identities"):
        assert_checksums_are_of_the_parts(tmp_path / "zone", TABLES[name])
    (row,) = ledger_of(tmp_path / "zone", "customer_landing")
    columns = ColumnChecksums(TABLES["customer_landing"])
    assert row["checksums"] == columns.text(columns.of_lines(lines_of(people[1:])) or ())


@pytest.fixture(scope="module")
def small_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample of both domains."""
    folder = tmp_path_factory.mktemp("checksums")
    generate(folder / "source", scale=0.02)
    return folder


def test_duckdb_finds_other_values_with_table_and_column(small_sample: Path) -> None:
    with duckdb_warehouse(small_sample) as warehouse:
        warehouse.load()
        assert warehouse.register(), "\n".join(warehouse.messages)
        assert_other_values_are_found(warehouse)
        rows = [row | {"checksums": None} for row in warehouse.entries("customer_landing")]
        warehouse.write("loader/ledger/customer_landing.json", b"".join(lines_of(rows)))
        assert warehouse.register(), "\n".join(warehouse.messages)
        (told,) = warehouse.differences("customer_landing")
        assert told.startswith("customerName: the ledger has no checksum: land again")
