"""What a second delivery corrects is corrected in what is published: the whole way, from raw files of two days."""

from pathlib import Path
from typing import Any

import pytest

from dbt_project import DbtProject
from landing_helpers import land_all, put

SONG = {
    "song_id": "S1",
    "title": "A typo",
    "artist_id": "A1",
    "artist_name": "Reef",
    "artist_location": "Oslo",
    "artist_latitude": 59.91,
    "artist_longitude": 10.74,
    "duration": 200.5,
    "num_songs": 1,
    "year": 2001,
}
PLAY: dict[str, Any] = {
    "sessionId": 1,
    "itemInSession": 0,
    "ts": 1541105830796,
    "userId": "9",
    "firstName": "Lili",
    "lastName": "Koch",
    "gender": "F",
    "level": "free",
    "page": "NextSong",
    "song": "Tide",
    "artist": "Reef",
    "length": 200.5,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> DbtProject:
    """Two days, each a source of its own, landed one after the other, and built once."""
    folder = tmp_path_factory.mktemp("second_day")
    monday, tuesday, zone = folder / "monday", folder / "tuesday", folder / "zone"
    home = {
        **PLAY,
        "itemInSession": 1,
        "ts": PLAY["ts"] + 1,
        "page": "Home",
        "song": None,
        "artist": None,
        "length": None,
    }
    land_day(monday, [SONG], [PLAY, home, {**PLAY, "itemInSession": 2, "ts": PLAY["ts"] + 1}], zone)
    corrected = [
        {**SONG, "title": "Tide", "year": 0, "artist_location": ""},
        {**SONG, "song_id": "S2", "title": "Ebb"},
    ]
    later = {"sessionId": 1, "itemInSession": 3, "ts": PLAY["ts"] + 2, "userId": "9", "page": "Logout"}
    land_day(
        tuesday,
        corrected,
        [{**PLAY, "firstName": "Lily", "level": "paid"}, {**home, "itemInSession": 2}, {**later, "firstName": ""}],
        zone,
    )
    copy = DbtProject.copy(folder / "project", zone, "two_days")
    copy.register()
    sparkify = ("path:seeds", "path:models/sparkify", "path:tests/dbt/sparkify", "path:tests/dbt/loader")
    statuses = copy.dbt("build", "--indirect-selection", "buildable", "--select", *sparkify)
    assert {name: status for name, status in statuses.items() if status not in {"success", "pass"}} == {}
    return copy


def land_day(source: Path, songs: list[dict[str, Any]], events: list[dict[str, Any]], zone: Path) -> None:
    put(source, f"sparkify/song_data/{source.name}.jsonl", songs)
    put(source, "sparkify/log_data/2018/11/2018-11-01-events.json", events)
    put(source, "stedi/customer/landing/1.json", [{"email": "a@x.com", "lastUpdateDate": 1541105830796}])
    land_all([source], zone)


def test_a_corrected_song_is_the_one_that_is_published_and_matched(project: DbtProject) -> None:
    assert project.query("select song_id, title, year from sparkify.songs order by 1") == [
        ("S1", "Tide", None),
        ("S2", "Ebb", 2001),
    ]
    assert project.query("select item_in_session, song_id from sparkify.songplays") == [(0, "S1")]


def test_a_corrected_event_is_the_one_that_is_published(project: DbtProject) -> None:
    events = "select item_in_session, page, level from sparkify_staging.stg_sparkify__events order by 1"
    assert project.query(events) == [
        (0, "NextSong", "paid"),
        (1, "Home", "free"),
        (2, "Home", "free"),  # no play any more
        (3, "Logout", None),
    ]


def test_a_user_keeps_what_the_latest_event_does_not_know(project: DbtProject) -> None:
    assert project.query("select * from sparkify.users") == [(9, "Lili", "Koch", "F", "free", None)]
    levels = project.query("select level, valid_to is null from sparkify.user_level_history order by valid_from")
    assert levels == [("paid", False), ("free", True)]
