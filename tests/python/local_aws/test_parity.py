"""That the comparison of engines would notice if they differed.

That they agree on the sample is asked of whole builds: `test_athena_project.py`, `test_redshift_project.py`.
"""

import datetime as dt
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from dbt_local_aws.java import cache_folder
from dbt_project import copy_project
from lakehouse.parity.compare import TOLERANCE, Comparison, compare, explain
from lakehouse.parity.dump import CATALOGUE, Column, DumpError, Relation, as_text, rows_file
from lanes import on_engines
from real_data import LAKEHOUSE

Row = Sequence[str | None]

COLUMNS = (("id", "integer"), ("words", "text"), ("size", "float"))
ROWS: list[Row] = [
    ["1", "a", "1.5"],
    ["2", None, "nan"],
    ["2", None, "nan"],
    ["3", "", "-0.0"],
    ["4", "Bj\u00f6rk", "2.0"],
]


def dump(folder: Path, rows: Sequence[Row], columns: Sequence[tuple[str, str]] = COLUMNS, name: str = "s.r") -> Path:
    """Writes a dump of one relation by hand."""
    folder.mkdir()
    relation = Relation(name, tuple(Column(*column) for column in columns), ("id",))
    (folder / CATALOGUE).write_bytes(msgspec.json.encode([relation]))
    rows_file(folder, name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def compared(tmp_path: Path, rows: Sequence[Row], columns: Sequence[tuple[str, str]] = COLUMNS) -> Comparison:
    """Compares ROWS with other rows."""
    (found,) = compare(dump(tmp_path / "one", ROWS), dump(tmp_path / "other", rows, columns))
    return found


def changed(place: int, row: Row) -> list[Row]:
    return [*ROWS[:place], row, *ROWS[place + 1 :]]


def test_the_order_of_rows_makes_no_difference(tmp_path: Path) -> None:
    found = compared(tmp_path, ROWS[::-1])
    assert found.is_same
    assert found.rows == len(ROWS)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(changed(0, ["1", "b", "1.5"]), id="a value"),
        pytest.param(changed(0, ["1", "a ", "1.5"]), id="a trailing blank"),
        pytest.param(changed(0, ["1", "A", "1.5"]), id="case"),
        pytest.param(changed(3, ["3", None, "-0.0"]), id="null for an empty text"),
        pytest.param(changed(1, ["2", "", "nan"]), id="an empty text for null"),
        pytest.param(changed(3, ["3", "", "0.0"]), id="the sign of zero"),
        pytest.param(changed(1, ["2", None, None]), id="null for NaN"),
        pytest.param(changed(1, ["2", None, "1.0"]), id="a number for NaN"),
        pytest.param(changed(1, ["2", None, "inf"]), id="infinity for NaN"),
        pytest.param(changed(4, ["4", "Bjo\u0308rk", "2.0"]), id="another Unicode form"),
        pytest.param(changed(0, ["1", "a", repr(1.5 * (1 + 2 * TOLERANCE))]), id="a float outside the tolerance"),
        pytest.param(changed(0, ["1", "a", "-1.5"]), id="the sign of a float"),
        pytest.param([*ROWS[:1], *ROWS[2:]], id="one of two rows that are the same"),
        pytest.param([*ROWS, ROWS[0]], id="a doubled row"),
        pytest.param([*ROWS, ["5", None, None]], id="a row more"),
        pytest.param([], id="no row at all"),
    ],
)
def test_a_difference_in_the_rows_is_noticed_from_both_sides(rows: list[Row], tmp_path: Path) -> None:
    found = compared(tmp_path, rows)
    assert not found.is_same
    (turned,) = compare(tmp_path / "other", tmp_path / "one")
    assert sorted(map(str, turned.only_one)) == sorted(map(str, found.only_other))
    assert sorted(map(str, turned.only_other)) == sorted(map(str, found.only_one))


def test_floats_within_the_tolerance_are_the_same(tmp_path: Path) -> None:
    near = repr(1.5 * (1 + TOLERANCE / 2))
    assert near != "1.5"
    assert compared(tmp_path, changed(0, ["1", "a", near])).is_same


def test_a_float_in_another_row_does_not_count(tmp_path: Path) -> None:
    """Each row has one partner: two near ones do not stand for one near and one far."""
    one = [["1", "a", "1.0"], ["1", "a", "2.0"]]
    other = [["1", "a", "1.0000000000001"], ["1", "a", "1.0000000000002"]]
    (found,) = compare(dump(tmp_path / "one", one), dump(tmp_path / "other", other))
    assert found.only_one == (("1", "a", "2.0"),)
    assert found.only_other == (("1", "a", "1.0000000000002"),)


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param((("id", "bigint"), *COLUMNS[1:]), id="a type"),
        pytest.param((("ID", "integer"), *COLUMNS[1:]), id="a name"),
        pytest.param((COLUMNS[1], COLUMNS[0], COLUMNS[2]), id="the order"),
        pytest.param((*COLUMNS, ("more", "text")), id="a column more"),
    ],
)
def test_a_difference_in_the_columns_is_noticed(columns: tuple[tuple[str, str], ...], tmp_path: Path) -> None:
    found = compared(tmp_path, ROWS, columns)
    assert not found.is_same
    said = list(explain(found, "duckdb", "athena"))
    assert said[0].startswith("duckdb has the columns id integer, words text, size float")
    assert said[1].startswith("athena has the columns ")


def test_a_relation_that_one_engine_lacks_is_noticed(tmp_path: Path) -> None:
    found = list(compare(dump(tmp_path / "one", ROWS), dump(tmp_path / "other", ROWS, name="s.other")))
    assert [comparison.is_same for comparison in found] == [False, False]
    assert list(explain(found[0], "duckdb", "athena")) == ["duckdb has no such relation"]
    assert list(explain(found[1], "duckdb", "athena")) == ["athena has no such relation"]


def test_differences_are_told_with_the_key_first_and_in_its_order(tmp_path: Path) -> None:
    columns = (COLUMNS[1], COLUMNS[0])
    one = dump(tmp_path / "one", [["b", "2"], [None, "1"]], columns)
    (found,) = compare(one, dump(tmp_path / "other", [["b", "2"], ["", "1"], ["c", "0"]], columns))
    assert list(explain(found, "duckdb", "athena")) == [
        "only duckdb has 1 rows, only athena has 2",
        '  only athena: id="0", words="c"',
        '  only duckdb: id="1", words=null',
        '  only athena: id="1", words=""',
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        (True, "True"),
        (1, "1"),
        (-0.0, "-0.0"),
        (float("nan"), "nan"),
        (0.1 + 0.2, "0.30000000000000004"),
        (Decimal("1.10"), "1.10"),
        (dt.date(12, 1, 2), "0012-01-02"),
        (dt.datetime(2018, 11, 1, 21, 1, 46, 796000), "2018-11-01 21:01:46.796000"),  # noqa: DTZ001 - engines' own
        (dt.datetime(2018, 11, 1, tzinfo=dt.UTC), "2018-11-01 00:00:00+00:00"),
    ],
)
def test_values_are_written_down_in_full(value: object, text: str | None) -> None:
    assert as_text(value) == text


def test_a_value_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(DumpError, match="cannot be compared"):
        as_text(["a"])


def parity(project: Path, *options: str | Path) -> "subprocess.CompletedProcess[str]":
    wrapper = [str(Path(sys.executable).with_name("dbt-local-aws")), "--export", "LANDING_ZONE=s3://lake/landing", "--"]
    command = [*wrapper, LAKEHOUSE, "parity", *map(str, options)]
    settings = {
        "PATH": os.environ["PATH"],
        "PYTHONUTF8": "1",
        "LOCAL_AWS_CACHE": str(cache_folder()),
        "AWS_PROFILE": "production",
        "PSEUDONYM_KEY": "a key of thirty-two characters, or more",
    }
    return subprocess.run(command, cwd=project, env=settings, capture_output=True, text=True, check=False, timeout=900)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_project(tmp_path / "project")


@on_engines
@pytest.mark.needs_trino
def test_an_engine_that_differs_is_told_with_the_row(project: Path, tmp_path: Path) -> None:
    """Sunday by Redshift's own count, which starts at 0: a well-known mistake."""
    macro = project / "macros/cross_db/iso_weekday.sql"
    macro.write_text(macro.read_text().replace("when 0 then 7", "when 0 then 0"))
    event = {"page": "NextSong", "sessionId": 1, "itemInSession": 0, "level": "free", "userId": "1"}
    logs = tmp_path / "mine/sparkify/log_data/2018-11-04-events.json"
    logs.parent.mkdir(parents=True)
    logs.write_text(
        json.dumps({**event, "ts": 1541323456789})
        + "\n"
        + json.dumps({**event, "ts": 1541410000000, "itemInSession": 1})
    )
    done = parity(project, "--source", tmp_path / "mine", "--dataset", "sundays", "--select", "+time")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^sparkify\.songplays +2 rows  athena agrees, redshift agrees$", done.stdout, re.MULTILINE)
    assert re.search(r"^sparkify\.time +2 rows  athena agrees, redshift DIFFERS$", done.stdout, re.MULTILINE)
    time = 'start_time="2018-11-04 09:24:16.789000", hour="9", day="4", week="44", month="11", year="2018", weekday='
    assert f'only duckdb: {time}"7"' in done.stdout
    assert f'only redshift: {time}"0"' in done.stdout
    assert "error: engines differ on 1 relations" in done.stderr


def test_a_zone_that_the_engines_cannot_read_is_refused(project: Path) -> None:
    done = subprocess.run(
        [LAKEHOUSE, "parity"],
        cwd=project,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Athena and Redshift read S3 only" in done.stderr
