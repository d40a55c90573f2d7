"""The oracle's rules on records small enough to check by eye, and its answers on the real data."""

from pathlib import Path
from typing import Any

import pytest

import oracle
from oracle import Record, Stedi
from real_data import UDACITY, needs_real_data

PUBLISHED_ROWS = {
    "staging_events": 8056,
    "staging_songs": 14896,
    "songplays": 6820,
    "users": 97,
    "user_level_history": 106,
    "songs": 14896,
    "artists": 9553,
    "time": 6813,
    "songs_by_session_item": 6820,
    "songs_by_user_session": 6820,
    "users_by_song": 6618,
    "events": 8056,
    "sessions": 941,
    "user_activity_daily": 707,
    "dates": 30,
    "plays_by_hour": 168,
    "plays_by_level": 4,
    "top_songs_weekly": 50,
    "top_artists": 20,
    "listeners_daily": 30,
    "levels_daily": 30,
    "session_lengths": 7,
    "customer_landing": 956,
    "accelerometer_landing": 81273,
    "step_trainer_landing": 28680,
    "customer_trusted": 482,
    "accelerometer_trusted": 40981,
    "step_trainer_trusted": 14460,
    "customer_curated": 482,
    "machine_learning_curated": 43681,
    "machine_learning_curated_v2": 32025,
    "machine_learning_curated_v3": 32025,
    "consent_funnel": 13,
    "readings_per_customer": 3,
    "sample_trace": 90,
    "consent_periods_snapshot": 482,
}
PUBLISHED_MEASURES = {
    "plays_matched": 341,
    "plays_matched_before_repair": 333,
    "songs_played": 225,
    "artists_played": 208,
    "paid_users": 22,
    "free_users": 75,
    "level_changes": 9,
    "users_who_never_play": 1,
    "funnel/customers/trusted/kept": 482,
    "funnel/customers/trusted/no consent": 474,
    "funnel/customers/curated/kept": 482,
    "funnel/customers/study/before consent": 18,
    "funnel/customers/study/kept": 464,
    "funnel/accelerometer readings/trusted/kept": 40981,
    "funnel/accelerometer readings/trusted/no consent": 40292,
    "funnel/accelerometer readings/study/before consent": 8956,
    "funnel/accelerometer readings/study/kept": 32025,
    "funnel/step readings/trusted/kept": 14460,
    "funnel/step readings/trusted/no consent": 14220,
    "funnel/step readings/study/before consent": 3163,
    "funnel/step readings/study/kept": 11297,
}


@needs_real_data
def test_real_data_gives_the_published_numbers() -> None:
    real = oracle.answers_of(UDACITY, "udacity")
    assert real.rows == PUBLISHED_ROWS
    assert real.measures == PUBLISHED_MEASURES


@pytest.mark.parametrize(
    "text", ["Björk", "CANÇÃO DO CAIS", "CAFÉ®", "灯台守", "Тихий причал", "نهر الليل", "ab\x01c", "plain"]
)
def test_repair_undoes_two_readings_as_latin_1_and_nothing_else(text: str) -> None:
    garbled = text.encode().decode("latin-1").encode().decode("latin-1")
    assert oracle.repaired(garbled) == text
    assert oracle.repaired(text) == text


def event(ts: int, level: str, session: int = 1, item: int = 0, user: str = "1") -> Record:
    return {"ts": ts, "level": level, "sessionId": session, "itemInSession": item, "userId": user, "page": "Home"}


def test_levels_come_in_runs_and_the_last_event_of_a_millisecond_counts() -> None:
    events = [event(3, "paid", item=3), event(1, "paid"), event(2, "paid", item=1), event(2, "free", item=2)]
    assert oracle.level_runs(oracle.events_in_order(events)["1"]) == ["paid", "free", "paid"]


def test_logged_out_events_belong_to_nobody() -> None:
    assert oracle.events_in_order([event(1, "paid", user="")]) == {}


def song(song_id: str, duration: float, name: str | int = "Band") -> Record:
    return {"song_id": song_id, "title": "Title", "artist_name": name, "duration": duration}


@pytest.mark.parametrize(
    ("length", "expected"),
    [(181.0, "SO2"), (199.0, "SO1"), (190.0, "SO1")],
    ids=["closest is the shorter", "closest is the longer", "between the two: smallest id"],
)
def test_of_several_songs_the_closest_duration_matches(length: float, expected: str) -> None:
    by_name = oracle.songs_by_name([song("SO2", 180.0), song("SO1", 200.0), song("SO1", 200.0)])
    match = oracle.matched_song({"song": "Title", "artist": "Band", "length": length}, by_name)
    assert match is not None
    assert match["song_id"] == expected


def test_a_number_as_artist_name_matches_its_text() -> None:
    by_name = oracle.songs_by_name([song("SO1", 180.0, name=411)])
    assert oracle.matched_song({"song": "Title", "artist": "411", "length": 1.0}, by_name)


def customer(email: str, serial: str, updated: int, consent: int | None = None, registered: int = 0) -> Record:
    record: Record = {"email": email, "serialNumber": serial, "registrationDate": registered, "lastUpdateDate": updated}
    return record if consent is None else record | {"shareWithResearchAsOfDate": consent}


@pytest.mark.parametrize(
    ("records", "deciding"),
    [
        ([customer("a", "s", 1, consent=1), customer("a", "s", 2)], 1),
        ([customer("a", "s", 2, consent=2), customer("a", "s", 1)], 0),
        ([customer("a", "s", 2, registered=1), customer("a", "s", 2, registered=2)], 1),
        ([customer("a", "s", 2, consent=2), customer(" A", "s", 2)], 1),
        ([customer("a", "s", 2, consent=2, registered=2), customer("a", "s", 2, registered=1)], 1),
        ([customer("a", "s", 2, consent=1), customer("a", "s", 2, consent=2)], 1),
        ([customer("a", "t", 2), customer("a", "s", 2)], 1),
    ],
    ids=[
        "withdrawn",
        "latest update",
        "latest registration",
        "without consent",
        "without consent, registered before",
        "latest consent",
        "smallest serial number",
    ],
)
def test_one_record_of_a_customer_decides(records: list[Record], deciding: int) -> None:
    assert oracle.deciding_records(records) == {"a": records[deciding]}


def reading(user: str, at: int) -> Record:
    return {"user": user, "timestamp": at, "x": 0.0, "y": 1.0, "z": -1.0}


def step(serial: str, at: int) -> Record:
    return {"serialNumber": serial, "sensorReadingTime": at, "distanceFromObject": 201}


@pytest.mark.parametrize(
    ("other_consents", "at", "expected"),
    [
        (
            False,
            10,
            {
                "step_trainer_trusted": 1,
                "machine_learning_curated": 1,
                "machine_learning_curated_v2": 1,
                "machine_learning_curated_v3": 1,
            },
        ),
        (
            False,
            20,
            {
                "step_trainer_trusted": 0,
                "machine_learning_curated": 0,
                "machine_learning_curated_v2": 0,
                "machine_learning_curated_v3": 0,
            },
        ),
        (
            False,
            30,
            {
                "step_trainer_trusted": 0,
                "machine_learning_curated": 0,
                "machine_learning_curated_v2": 0,
                "machine_learning_curated_v3": 0,
            },
        ),
        (
            True,
            30,
            {
                "step_trainer_trusted": 1,
                "machine_learning_curated": 2,
                "machine_learning_curated_v2": 0,
                "machine_learning_curated_v3": 0,
            },
        ),
        (
            True,
            40,
            {
                "step_trainer_trusted": 0,
                "machine_learning_curated": 0,
                "machine_learning_curated_v2": 0,
                "machine_learning_curated_v3": 0,
            },
        ),
        (
            True,
            5,
            {
                "step_trainer_trusted": 1,
                "machine_learning_curated": 1,
                "machine_learning_curated_v2": 0,
                "machine_learning_curated_v3": 0,
            },
        ),
    ],
    ids=["the consenting one", "the other one", "one of both", "both consent", "nobody", "before consent"],
)
def test_the_accelerometer_tells_whose_step_it_is(other_consents: bool, at: int, expected: dict[str, int]) -> None:
    data = Stedi(
        customers=[customer("a", "s", 9, consent=9), customer("b", "s", 9, consent=9 if other_consents else None)],
        readings=[reading("a", 5), reading("a", 10), reading("b", 20), reading("a", 30), reading("b", 30)],
        steps=[step("s", at)],
    )
    rows = oracle.stedi_rows(data)
    assert {name: rows[name] for name in expected} == expected


def test_a_copy_of_a_file_counts_once(tmp_path: Path) -> None:
    for name, text in {"one.json": '{"a": 1}', "copy.json": '{"a": 1}', "other.json": '{"a":1}'}.items():
        (tmp_path / name).write_text(text)
    assert oracle.records_of(tmp_path, "*.json", "o*.json") == [{"a": 1}, {"a": 1}]


def test_a_seed_keeps_the_rows_of_other_data_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle, "SEEDS", tmp_path)
    rows: list[tuple[str, Any]] = [("sample", "1"), ("udacity", "2"), ("sample", "3")]
    for dataset, count in rows:
        oracle.replace_in_seed(
            "expected_row_counts", dataset, [{"dataset": dataset, "relation": "users", "rows": count}]
        )
    text = (tmp_path / "expected_row_counts.csv").read_text()
    assert text == "dataset,relation,rows\nudacity,users,2\nsample,users,3\n"
