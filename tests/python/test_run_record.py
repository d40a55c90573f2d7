"""What counts as unusual between two runs."""

import pytest

from lakehouse.console import ConsoleReporter
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.run_record import compare_rows
from lakehouse.pipeline.run_report import RunReport, is_unusual
from real_data import PROJECT_DIR

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1000, 1000, False), (1000, 900, False), (1000, 899, True), (1000, 2000, False), (1000, 2001, True),
        (100, 0, True), (0, 100, True), (99, 0, False), (0, 99, False), (0, 0, False), (40, 99, False),
    ],
)  # fmt: skip
def test_a_tenth_fewer_and_twice_as_many_are_the_ordinary_limits(before: int, after: int, *, expected: bool) -> None:
    assert is_unusual(before, after) == expected


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_moved_unusually_is_warned_of_unless_a_part_is_landed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, is_whole: bool
) -> None:
    rows = {"a.fell": 500, "a.same": 1000, "a.new": 1000}
    report = RunReport("2", "mine", "duckdb", "2026-11-30T00:00:00Z", rows=rows)
    dbt = DbtSession(PROJECT_DIR, "duckdb", "mine", ConsoleReporter().console)
    dbt.tell = lambda event, **fields: report.note(event, fields)
    on_record = {"a.fell": 1000, "a.same": 1000, "a.gone": 1000}
    monkeypatch.setattr(dbt, "ask", lambda _macro: [list(pair) for pair in on_record.items()])
    compare_rows(dbt, report, ConsoleReporter(), is_whole=is_whole)
    assert report.rows_before == on_record
    assert report.unusual_rows == ({"a.fell": 1000} if is_whole else {})
    told = " ".join(capsys.readouterr().out.split())
    assert ("a.fell has 500 rows, and had 1,000 in the run before" in told) == is_whole
