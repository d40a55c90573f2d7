"""The site's pages: drawn from whatever rows there are, and written from whatever runs are on record."""

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakehouse.pipeline.run_report import RunReport
from lakehouse.site import pages
from lakehouse.site.pages import take_down_report, write_report, write_start_page
from lakehouse.site.report import FIGURES, KEY_FIGURE_COLUMNS, KEY_FIGURES, ROWS_SHOWN, Drawn, drawn
from lakehouse.site.runs import Change, History, recorded_runs
from lakehouse.site.tables import Table, plain_value, table
from site_pages import Page

pytestmark = pytest.mark.quick

HOSTILE = '<script>alert(1)</script> "of" & \'role="x"\' \u202e日本 ' + "long " * 200
WORDS = {"song_title", "artist_name", "level", "gender", "population", "layer", "outcome", "age_band", "figure"}
FIGURE = {figure.model: figure for figure in FIGURES}
RUN = RunReport("20181101T000000Z-1", "sample", "duckdb", "2018-11-01T00:00:00Z")


def one_row(columns: Sequence[str], word: str = "a word") -> dict[str, object]:
    """A row as Athena's driver gives one: decimals, and dates."""
    row: dict[str, object] = {column: word if column in WORDS else Decimal(1) for column in columns}
    return row | {column: dt.date(2018, 11, 1) for column in columns if column in ("date_day", "consent_hour")}


def tables_of(rows: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, Table]:
    tables = {}
    for model, content in rows.items():
        columns = [*pages.WANTED[model]]
        tables[model] = table(f"report.{model}", columns, [[row[column] for column in columns] for row in content])
    return tables


def every_model(row: Mapping[str, object] | None = None, **changed: object) -> dict[str, Table]:
    return tables_of({model: [row or one_row([*columns]) | changed] for model, columns in pages.WANTED.items()})


def assert_is_safe(page: Page) -> None:
    """No script, no handler, nothing from elsewhere; and no id twice."""
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "iframe", "object", "embed", "form", "base", "style"})
    assert [name for _tag, attributes in page.tags for name in attributes if name.startswith("on")] == []
    places = page.all("href") + page.all("src") + page.all("xlink:href")
    assert [place for place in places if not re.fullmatch(r"[a-z_]+\.(html|css)|data:,|#[\w-]+", place)] == []
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    styles = " ".join(value for _tag, attributes in page.tags for value in attributes.values())
    assert re.findall(r"url\((?!#chart\d+-)", styles) == []


# --------------------------------------------------------------------------------------------------------- the report
def test_whatever_the_rows_hold_is_drawn_and_nothing_of_it_is_run(tmp_path: Path) -> None:
    """One row of each relation, with texts that would be tags, and are too long for a chart."""
    rows = {model: [one_row([*columns], HOSTILE)] for model, columns in pages.WANTED.items()}
    page = Page(write_report(tmp_path, RUN, tables_of(rows)))
    assert_is_safe(page)
    assert len(page.named("figure")) == len(FIGURES)
    assert len(page.named("svg")) >= len(FIGURES)
    assert "<script>alert(1)</script>" in page.words  # as a text
    assert len(page.named("table")) == len(FIGURES)


def test_a_row_of_nulls_is_drawn(tmp_path: Path) -> None:
    rows = {model: [dict.fromkeys(columns)] for model, columns in pages.WANTED.items()}
    page = Page(write_report(tmp_path, RUN, tables_of(rows)))
    assert len(page.named("table")) == len(FIGURES)


def test_what_is_empty_not_built_or_of_another_shape_says_so(tmp_path: Path) -> None:
    empty = {model: table(f"report.{model}", [*columns], []) for model, columns in pages.WANTED.items()}
    other = {model: table(f"report.{model}", ["nothing_known"], [[1]]) for model in pages.WANTED}
    for tables, told in ((empty, "is empty"), ({}, "Not built"), (other, "has no column")):
        page = Page(write_report(tmp_path, None, tables))
        assert page.words.count(told) == len(FIGURES)
        assert page.named("svg") == []
        assert_is_safe(page)


def test_a_large_relation_is_cut_in_the_table_and_the_page_says_so() -> None:
    columns = [*FIGURE["sample_trace"].headings]
    many = table("report.sample_trace", columns, [[n, 1, 1.5, float("nan"), None] for n in range(ROWS_SHOWN + 1)])
    figure = drawn(FIGURE["sample_trace"], many)
    assert (len(figure.rows), figure.row_count) == (ROWS_SHOWN, ROWS_SHOWN + 1)


@pytest.mark.parametrize(
    ("model", "rows", "sentence"),
    [
        (
            "plays_by_hour",
            [(1, 0, 3, 9.5), (7, 23, 5, None)],
            "The stronger the colour, the more plays began in that hour. Most did on Sunday from 23:00 on: 5.",
        ),
        (
            "plays_by_level",
            [("free", "F", 1, 1), ("paid", "M", 3, 1)],
            "75% of all plays are of users who paid when they played.",
        ),
        (
            "top_songs_weekly",
            [(2018, 52, 1, "Old", "A", 9, 9), (2019, 1, 2, "B side", "B", 1, 1), (2019, 1, 1, "New", "B", 2, 1)],
            "In week 1 of 2019, the last one, “New” by B came first: plays 2, listeners 1. "
            "The table has the ten first of every week.",
        ),
        (
            "consent_funnel",
            [("step readings", 1, "trusted", "kept", 5, 5), ("customers", 1, "trusted", "no consent", 3, 4),
             ("customers", 1, "trusted", "kept", 1, 4), ("customers", 2, "study", "no reading", 1, 1)],
            "Of 4 customers, 0 reach the layer “study”. Each bar says what a layer dropped, and why, or kept; "
            "what it kept is what the next one gets.",
        ),
    ],
)  # fmt: skip
def test_a_sentence_says_what_the_rows_say(model: str, rows: Sequence[Sequence[object]], sentence: str) -> None:
    figure = figure_of(model, rows)
    assert figure.sentence == sentence
    assert len(figure.rows) == len(rows)


def test_the_tables_are_in_an_order_that_a_person_expects() -> None:
    songs = figure_of(
        "top_songs_weekly",
        [(2018, 52, 1, "a", "", 1, 1), (2019, 1, 10, "b", "", 1, 1), (2019, 1, 2, "c", "", 1, 1)],
    )
    assert [row[3] for row in songs.rows] == ["c", "b", "a"]
    bands = figure_of("session_lengths", [(51, None, 1, 0), (0, 0, 1, 0), (None, None, 1, 0), (6, 10, 1, 0)])
    assert [row[0] for row in bands.rows] == [0, 6, 51, None]


def figure_of(model: str, rows: Sequence[Sequence[object]]) -> Drawn:
    return drawn(FIGURE[model], table(f"report.{model}", [*FIGURE[model].headings], rows))


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Decimal("12"), 12),
        (Decimal("1.5"), 1.5),
        (Decimal("NaN"), None),
        (float("inf"), None),
        (dt.date(2018, 11, 1), "2018-11-01"),
        (dt.datetime(2018, 11, 1, 2, 3, 4, 5), "2018-11-01 02:03:04"),  # noqa: DTZ001 - the engines' have no zone
        (True, True),
        (b"x", "b'x'"),
        (None, None),
    ],
)
def test_every_engines_values_can_be_drawn(value: object, plain: object) -> None:
    assert plain_value(value) == plain
    json.dumps(plain_value(value), allow_nan=False)


def test_key_figures_are_written_with_their_units(tmp_path: Path) -> None:
    rows = [
        (1, "match_rate", 0.0553),
        (2, "plays", Decimal("6876.0")),
        (3, "plays_per_session", None),
        (4, "new_one", 2.0),
    ]
    figures = {KEY_FIGURES[0]: table("report.sparkify_figures", KEY_FIGURE_COLUMNS, rows)}
    words = Page(write_report(tmp_path, RUN, figures)).words
    assert "Plays of songs in the catalogue 5.5% Plays 6,876 Plays in a session - new one 2" in words


# ------------------------------------------------------------------------------------------ the start page and the runs
def log_run(folder: Path, number: int, *events: Mapping[str, object], tail: str = "", **fields: Any) -> None:  # noqa: ANN401
    """Writes a run's log: what it began with, events, and, if there are fields, its end."""
    run_id = f"20181101T00000{number}Z-a"
    begun = {"event": "run_started", "time": f"2018-11-0{number}T00:00:00.000Z", "dataset": "mine", "target": "athena"}
    lines: list[dict[str, Any]] = [begun, *map(dict, events)]
    if fields:
        ended = {"started_at": begun["time"], "dataset": "mine", "target": "athena", "a_field_to_come": 1}
        lines.append({"event": "run_finished", "time": begun["time"], **ended, **fields})
    logs = folder / "logs/runs"
    logs.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps({"run_id": run_id, **line}) + "\n" for line in lines)
    (logs / f"{run_id}.jsonl").write_text(text + tail)


DONE: dict[str, Any] = {"outcome": "done", "exit_code": 0, "relations_built": 2, "tests_passed": 7, "seconds": 61.0}


def start_page(folder: Path, *place: str) -> Page:
    page = Page(write_start_page(folder, recorded_runs(folder, *place)))
    assert_is_safe(page)
    assert_is_safe(Page(folder / "target/site/runs.html"))
    return page


def test_without_a_run_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    assert "No run is on record" in start_page(tmp_path).words


def test_what_changed_since_the_last_run_of_the_same_data_on_the_same_engine(tmp_path: Path) -> None:
    log_run(tmp_path, 1, **DONE, rows={"a.one": 5, "a.gone": 1, "a.same": 3})
    log_run(tmp_path, 2, **DONE, rows={"a.one": 999}, dataset="other")
    log_run(tmp_path, 3, **DONE, rows={"a.one": 999}, target="duckdb")
    log_run(tmp_path, 4, outcome="done", exit_code=0)  # it only landed
    quarantine, fresh = {"t": 2}, {"s.t": "pass", "s.u": "warn"}
    rows, other = {"a.one": 8, "a.new": 2, "a.same": 3}, {"a.same": 4}
    log_run(tmp_path, 5, **DONE, rows=rows, unexpected_rows=other, quarantine=quarantine, freshness=fresh)
    history = recorded_runs(tmp_path)
    assert history.changes() == [
        Change("a.one", 5, 8), Change("a.new", None, 2), Change("a.same", 3, 3, 4), Change("a.gone", 1, None),
    ]  # fmt: skip
    words = start_page(tmp_path).words
    assert "Data set mine on Athena All 7 tests passed. Run 2018-11-05 00:00 UTC It took 1 min 1 s" in words
    assert "Fresh sources 1 of 2 Records in quarantine 2 People suspended 0" in words
    assert "3 of 4 relations have other numbers of rows than after the run of 2018-11-01 00:00 UTC" in words
    assert "a.one 5 8 +3 - a.new - 2 +2 - a.gone 1 - -1 -" in words
    assert "Data set other on Athena" in start_page(tmp_path, "other", "athena").words


def test_a_failed_run_is_told_beside_what_still_stands(tmp_path: Path) -> None:
    log_run(tmp_path, 1, **DONE, rows={"a.one": 5})
    log_run(tmp_path, 2, outcome="failed", exit_code=1, failures={"unique_songplays": "fail"}, rows={"a.one": 9})
    words = start_page(tmp_path).words
    assert "The last run failed" in words
    assert "unique_songplays fail" in words
    assert "All 7 tests passed. Run 2018-11-01" in words
    assert "2018-11-02 00:00 UTC mine Athena failed" in Page(tmp_path / "target/site/runs.html").words


def test_a_killed_run_is_told_as_far_as_it_came(tmp_path: Path) -> None:
    built = {"event": "node_finished", "name": "songplays", "kind": "model", "status": "success", "seconds": 1.0}
    log_run(tmp_path, 1, built, tail='{"event": "node_fini')
    log_run(tmp_path, 2, tail="")
    (tmp_path / "logs/runs/20181103T000000Z-a.jsonl").write_text("")  # killed before its first line
    history = recorded_runs(tmp_path)
    assert [(run.relations_built, run.outcome) for run in history.runs] == [(0, ""), (1, "")]
    assert history.published is None
    words = start_page(tmp_path).words
    assert "The last run was killed or is under way" in words
    assert "Nothing is built yet" in words


def test_a_report_that_may_show_somebody_who_left_is_taken_down(tmp_path: Path) -> None:
    take_down_report(tmp_path)
    assert not (tmp_path / "target/site").exists()
    write_report(tmp_path, RUN, tables_of({"sample_trace": [one_row([*pages.WANTED["sample_trace"]])]}), "these rows")
    assert pages.is_report_of(tmp_path, "these rows")
    assert not pages.is_report_of(tmp_path, "other rows")
    take_down_report(tmp_path)
    assert not pages.is_report_of(tmp_path, "these rows")
    page = Page(tmp_path / "target/site/report.html")
    assert "It was taken down" in page.words
    assert page.named("svg") == []


def test_every_colour_of_a_chart_is_in_the_style_sheet_for_both_modes(tmp_path: Path) -> None:
    write_start_page(tmp_path, History([]))
    light, dark = (tmp_path / "target/site/site.css").read_text().split("prefers-color-scheme: dark")
    drawn_with = {name for figure in FIGURES for name in colours(figure.model)}
    assert len(drawn_with) > 5
    for mode in (light, dark):
        assert {name for name in drawn_with if f"{name}:" not in mode} == set()


def colours(model: str) -> set[str]:
    charts = drawn(FIGURE[model], tables_of({model: [one_row([*FIGURE[model].headings])]})[model]).charts
    fixed = {colour for chart in charts for colour in re.findall(r'(?:fill|stroke)="(#\w+|black)"', chart)}
    assert not fixed, f"{model}: {fixed} does not change with the mode"
    return {name for chart in charts for name in re.findall(r"var\((--[\w-]+)\)", chart)}
