"""The questions of analyses/ have the answers that plain Python works out from the raw files."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

import oracle
from dbt_project import DbtProject
from oracle import Sparkify, Stedi
from real_data import PROJECT_DIR, UDACITY, needs_real_data

Answer = list[tuple[Any, ...]]
DATASETS = ["sample", pytest.param("udacity", marks=needs_real_data)]


def answers(source: Path) -> dict[str, Answer]:
    """Every question's answer, in the order of the question."""
    sparkify, rows = Sparkify.read(source), oracle.stedi_rows(Stedi.read(source))
    plays = oracle.plays_of(sparkify.events)
    rows |= oracle.sparkify_rows(sparkify)
    by_name = oracle.songs_by_name(sparkify.songs)
    matches = [song for play in plays if (song := oracle.matched_song(play, by_name))]
    artist_plays = Counter(str(song["artist_id"]) for song in matches)
    levels, hours = defaultdict(list), defaultdict(list)
    for play in plays:
        levels[play["level"]].append(play)
        hours[datetime.fromtimestamp(play["ts"] / 1000, UTC).hour].append(play)
    user_plays = Counter(int(play["userId"]) for play in plays)
    return {
        "busiest_hours": ranked(
            (hour, len(some), len({play["userId"] for play in some})) for hour, some in hours.items()
        ),
        "listening_by_level": ranked(
            (level, len(some), len({play["userId"] for play in some}), len({play["sessionId"] for play in some}))
            for level, some in levels.items()
        ),
        "most_played_artists": ranked(artist_plays.items()),
        "top_listeners": ranked(user_plays.items()),
        "rows_by_table": [(name, rows[name.removesuffix("_v1")]) for name in TABLES],
        "top_songs": [(len(matches),)],
        "customers_left": [(len(oracle.deciding_records(Stedi.read(source).customers)),)],
    }


def ranked(rows: Any) -> Answer:  # noqa: ANN401 - tuples of any width
    """The most first, then by the key."""
    return sorted(rows, key=lambda row: (-row[1], row[0]))


TABLES = [
    "songplays",
    "users",
    "songs",
    "artists",
    "time",
    "customer_trusted",
    "accelerometer_trusted",
    "step_trainer_trusted",
    "customer_curated",
    "machine_learning_curated_v1",
    "machine_learning_curated_v2",
    "machine_learning_curated_v3",
]
COMPARED = {
    "busiest_hours": "select hour, plays, listeners from answer",
    "listening_by_level": "select level, plays, listeners, sessions from answer",
    "most_played_artists": "select artist_id, plays from answer",
    "top_listeners": "select user_id, plays from answer",
    "rows_by_table": "select relation, row_count from answer",
    "top_songs": "select sum(plays)::bigint from answer",
    "customers_left": "select customers from answer where step = 1",
}


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_question_has_the_answer_of_the_raw_files(
    dataset: str, built_project: Callable[[str], DbtProject], tmp_path: Path, shared_folder: Path
) -> None:
    built = built_project(dataset)
    project = DbtProject.copy(tmp_path / "project", built.zone, dataset)
    (project.folder / "lakehouse.duckdb").symlink_to(built.database)
    questions = {path.stem: path for path in (PROJECT_DIR / "analyses").glob("*.sql")}
    assert questions.keys() == COMPARED.keys()
    for path in questions.values():
        (project.folder / "analyses").mkdir(exist_ok=True)
        (project.folder / "analyses" / path.name).write_text(path.read_text())
    project.dbt("compile", "--select", "resource_type:analysis")
    expected = answers(UDACITY if dataset == "udacity" else shared_folder / "sample")
    compiled = project.folder / "target/compiled/lakehouse/analyses"
    with duckdb.connect(str(built.database), read_only=True) as database:
        for name, compared in COMPARED.items():
            database.execute(f"create or replace temp table answer as {(compiled / f'{name}.sql').read_text()}")
            assert database.execute(compared).fetchall() == expected[name], name
