"""The sample data: the same bytes each time, every trap of the real data, and the answers that the seeds expect."""

import hashlib
import json
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pytest

import oracle
from lakehouse.sample import SampleError, generate
from oracle import Record, Sparkify, Stedi, repaired
from real_data import LAKEHOUSE, UDACITY, needs_real_data

SMALL = 0.05


@dataclass(frozen=True)
class Sample:
    """A sample on disk and its records."""

    folder: Path

    @cached_property
    def sparkify(self) -> Sparkify:
        return Sparkify.read(self.folder)

    @cached_property
    def stedi(self) -> Stedi:
        return Stedi.read(self.folder)

    @property
    def plays(self) -> list[Record]:
        return oracle.plays_of(self.sparkify.events)

    @property
    def songs(self) -> list[Record]:
        """Each song once."""
        return list({song["song_id"]: song for song in self.sparkify.songs}.values())

    @cached_property
    def raw_text(self) -> str:
        """Every byte of the sample, as text; it is all ASCII."""
        return "\n".join(path.read_text(encoding="ascii") for path in sorted(self.folder.rglob("*.json*")))


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Sample]:
    folder = tmp_path_factory.mktemp("samples")
    for scale in (1, SMALL):
        generate(folder / str(scale), scale)
    return {scale: Sample(folder / str(scale)) for scale in (1, SMALL)}


@pytest.fixture(params=[1, SMALL], ids=["scale 1", f"scale {SMALL}"])
def sample(request: pytest.FixtureRequest, samples: Mapping[float, Sample]) -> Sample:
    return samples[request.param]


def group(records: Iterable[Record], *keys: str) -> dict[tuple[object, ...], list[Record]]:
    """The records by the values of some of their keys."""
    groups: dict[tuple[object, ...], list[Record]] = defaultdict(list)
    for record in records:
        groups[tuple(record.get(key) for key in keys)].append(record)
    return groups


def distinct(records: Iterable[Record], *keys: str) -> int:
    return len(group(records, *keys))


def digest(folder: Path) -> dict[str, str]:
    """The hash of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# --- Expectations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["sample", pytest.param("udacity", marks=needs_real_data)])
def test_seeds_expect_what_the_oracle_finds(dataset: str, samples: Mapping[float, Sample]) -> None:
    source = samples[1].folder if dataset == "sample" else UDACITY
    differences = []
    for name, rows in oracle.answers_of(source, dataset).seed_rows(dataset).items():
        found = [",".join(row.values()) for row in rows]
        expected = [",".join(row.values()) for row in oracle.read_seed(name) if row["dataset"] == dataset]
        differences += [f"seeds/{name}.csv expects, but is not so:  {row}" for row in expected if row not in found]
        differences += [f"seeds/{name}.csv does not have, but is so: {row}" for row in found if row not in expected]
        assert len(expected) == len(set(expected)), f"seeds/{name}.csv has a row twice"
    how = f"if the data is right, write the seeds again: python tests/python/oracle.py SOURCE {dataset}"
    assert not differences, "\n".join([*differences, how])


# --- The same bytes, and nothing half-made ----------------------------------------------------------------------------


def test_bytes_depend_on_scale_and_seed_alone(tmp_path: Path, samples: Mapping[float, Sample]) -> None:
    generate(tmp_path / "one thread", SMALL, threads=1)
    generate(tmp_path / "three threads", SMALL, threads=3)
    generate(tmp_path / "other seed", SMALL, seed=7)
    expected = digest(samples[SMALL].folder)
    assert digest(tmp_path / "one thread") == expected
    assert digest(tmp_path / "three threads") == expected
    assert digest(tmp_path / "other seed") != expected


def test_full_size_does_not_depend_on_threads(tmp_path: Path, samples: Mapping[float, Sample]) -> None:
    generate(tmp_path / "again", 1, threads=1)
    assert digest(tmp_path / "again") == digest(samples[1].folder)


def test_the_same_call_does_nothing_and_another_replaces(tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    assert not generate(folder, SMALL).was_up_to_date
    before = digest(folder)
    made = (folder / "sample.json").stat().st_mtime_ns
    assert generate(folder, SMALL).was_up_to_date
    assert (folder / "sample.json").stat().st_mtime_ns == made

    assert not generate(folder, SMALL, seed=7).was_up_to_date
    assert digest(folder) != before
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]


def test_a_killed_run_leaves_the_target_alone(tmp_path: Path) -> None:
    folder = tmp_path / "sample"

    def die_while_writing(what: str) -> None:
        if "accelerometer" in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(folder, SMALL, progress=die_while_writing)
    assert list(tmp_path.iterdir()) == []

    (tmp_path / ".sample.partial" / "data").mkdir(parents=True)  # what a power cut leaves
    generate(folder, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["sample"]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_a_scale_that_makes_no_sense_is_refused(tmp_path: Path, scale: float) -> None:
    with pytest.raises(SampleError, match=r"scale is .*, but must be greater than 0"):
        generate(tmp_path / "sample", scale)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(SampleError, match="holds data that is no sample"):
        generate(tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_command_says_what_it_did(tmp_path: Path) -> None:
    def run(scale: float) -> "subprocess.CompletedProcess[str]":
        command = [LAKEHOUSE, "sample", "--to", str(tmp_path / "sample_data"), "--scale", str(scale)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "wrote " in run(SMALL).stdout
    assert "sample data is up to date" in run(SMALL).stdout
    refused = run(0)
    assert refused.returncode == 2
    assert "error: scale is 0" in refused.stderr


# --- Traps: files and bytes -------------------------------------------------------------------------------------------


def test_files_lie_where_the_real_ones_lie(sample: Sample) -> None:
    folder = sample.folder
    days = sorted(path.name for path in folder.glob("sparkify/log_data/2018/11/*"))
    assert days == [f"2018-11-{day:02}-events.json" for day in range(1, 31)]
    assert len(list(folder.glob("sparkify/song_data/?/?/?/TR*.json"))) >= 60
    assert len(json.loads((folder / "sparkify/log_json_path.json").read_text())["jsonpaths"]) == 18
    for entity in ("customer", "accelerometer", "step_trainer"):
        assert len(list(folder.glob(f"stedi/{entity}/landing/*.json"))) >= 2


def test_last_line_ends_as_in_the_real_files(sample: Sample) -> None:
    unended = [*sample.folder.glob("sparkify/log_data/**/*.json"), *sample.folder.glob("sparkify/song_data/**/*.json")]
    ended = [*sample.folder.glob("stedi/**/*.json"), sample.folder / "sparkify/song_data/songs.jsonl"]
    assert not any(path.read_bytes().endswith(b"\n") for path in unended)
    assert all(path.read_bytes().endswith(b"}\n") for path in ended)


def test_every_event_is_in_the_file_of_its_day(sample: Sample) -> None:
    for path in sample.folder.glob("sparkify/log_data/**/*.json"):
        for event in oracle.records_of(path.parent, path.name):
            assert f"{datetime.fromtimestamp(event['ts'] / 1000, UTC):%F}-events.json" == path.name
    times = {event["ts"] for event in sample.sparkify.events}
    assert min(times) // 1000 == datetime(2018, 11, 1, tzinfo=UTC).timestamp()
    assert max(times) // 1000 == datetime(2018, 12, 1, tzinfo=UTC).timestamp() - 1


@pytest.mark.parametrize(
    "text",
    [
        r'"userAgent":"\"Mozilla\/5.0',  # embedded quotes
        r"\u00c3\u0083\u00c2\u00b8",  # encoded twice
        r"\u00c9\u00ae",
        r"\u0001",
        r"\t",
        r'"artist_location":"<a href=\"http:\/\/',
        '"artist_name":411,',
        '"artist_name": 411,',
        '"artist_location":108,',
        '"artist_location":"",',
        '"registration":15',
        '"userId":""',
        '"birthDay": "999-01-01"',
        '"birthDay": "967-01-01"',
        '"x":-1.0,',
    ],
)
def test_raw_text_is_written_as_the_real_one(sample: Sample, text: str) -> None:
    assert text in sample.raw_text


def test_songs_are_delivered_twice_in_other_bytes_and_whole_files_twice_in_the_same(sample: Sample) -> None:
    lines = oracle.records_of(sample.folder, "sparkify/song_data/songs.jsonl")
    single = oracle.records_of(sample.folder, "sparkify/song_data/**/*.json")
    ids_in_lines = {song["song_id"] for song in lines}
    repeated = [song for song in single if song["song_id"] in ids_in_lines]
    assert 0 < len(repeated) < len(single)
    assert list(single[0]) != list(lines[0])
    assert len(single) < len(list(sample.folder.glob("sparkify/song_data/**/*.json")))


# --- Traps: Sparkify --------------------------------------------------------------------------------------------------


def test_null_only_where_the_real_events_are_null(sample: Sample) -> None:
    of_the_user = ("firstName", "lastName", "gender", "location", "registration", "userAgent")
    for event in sample.sparkify.events:
        assert all((event[key] is None) == (event["auth"] == "Logged Out") for key in of_the_user)
        assert (event["userId"] == "") == (event["auth"] == "Logged Out")
        assert all((event[key] is None) == (event["page"] != "NextSong") for key in ("artist", "song", "length"))
    assert {event["auth"] for event in sample.sparkify.events} == {"Logged In", "Logged Out"}


def test_times_tie_and_items_do_not(sample: Sample) -> None:
    events = sample.sparkify.events
    assert distinct(events, "sessionId", "itemInSession") == len(events)
    assert distinct(events, "ts") < distinct(events, "ts", "userId") < len(events)
    assert distinct(sample.plays, "ts") < len(sample.plays)


def test_users_change_their_level(sample: Sample) -> None:
    users = oracle.events_in_order(sample.sparkify.events)
    runs = {user: oracle.level_runs(events) for user, events in users.items()}
    assert runs["2"] == ["paid", "free", "paid"]
    assert sum(len(levels) > 1 for levels in runs.values()) >= 3
    levels_of_session = group(sample.sparkify.events, "sessionId")
    assert sum(len({event["level"] for event in session}) > 1 for session in levels_of_session.values()) >= 3
    tied = group(users["2"], "ts").values()
    assert any(len({event["level"] for event in events}) > 1 for events in tied)


def test_one_user_never_plays_and_two_have_one_name(sample: Sample) -> None:
    users = oracle.events_in_order(sample.sparkify.events)
    assert users.keys() - {play["userId"] for play in sample.plays} >= {"4"}
    assert oracle.user_name(users["5"][0]) == oracle.user_name(users["6"][0])


def test_some_text_is_encoded_twice_and_some_only_looks_like_it(sample: Sample) -> None:
    texts = {play[key] for play in sample.plays for key in ("song", "artist")}
    garbled = {text for text in texts if repaired(text) != text}
    clean = {text for text in texts if not text.isascii()} - garbled
    assert {"Où dort la lune", "Gråspurv", "Ósýnilegt Lag"} <= {repaired(text) for text in garbled}
    assert {"CANÇÃO DO CAIS", "CAFÉ®", "夜汽車の窓", "Тихий причал", "ضوء القمر"} <= clean
    assert "CAFÉ®".encode("latin-1").decode() != "CAFÉ®"

    titles = {str(song["title"]) for song in sample.songs}
    assert "Ósýnilegt Lag" not in titles
    measures = oracle.sparkify_measures(sample.sparkify)
    assert measures["plays_matched_before_repair"] < measures["plays_matched"] < 0.12 * len(sample.plays)


def test_catalogue_repeats_names_and_titles(sample: Sample) -> None:
    artists = group(sample.songs, "artist_id").values()
    for keys in (("artist_name",), ("artist_location",), ("artist_latitude", "artist_longitude")):
        assert any(distinct(songs, *keys) > 1 for songs in artists)
    assert max(len(songs) for songs in artists) >= 12
    assert any(distinct(songs, "artist_id") > 1 for songs in group(sample.songs, "artist_name").values())
    assert any(distinct(songs, "artist_name") > 1 for songs in group(sample.songs, "title").values())


def test_catalogue_has_the_real_share_of_unknowns(sample: Sample) -> None:
    songs = sample.songs
    assert sum(song["artist_location"] == "" for song in songs) / len(songs) == pytest.approx(0.45, abs=0.06)
    assert sum(song["artist_latitude"] is None for song in songs) / len(songs) == pytest.approx(0.65, abs=0.06)
    assert sum(song["year"] == 0 for song in songs) / len(songs) == pytest.approx(0.32, abs=0.06)
    assert all((song["artist_latitude"] is None) == (song["artist_longitude"] is None) for song in songs)
    longest = max(len(str(value).encode()) for song in songs for value in song.values())
    assert 170 <= longest <= 177


def test_played_pairs_of_songs_are_told_apart_by_duration(sample: Sample) -> None:
    by_name = oracle.songs_by_name(sample.songs)
    pairs = {name: songs for name, songs in by_name.items() if distinct(songs.values(), "duration") > 1}
    played = [
        (play, pairs[play["song"], play["artist"]]) for play in sample.plays if (play["song"], play["artist"]) in pairs
    ]
    distances = [sorted(abs(song["duration"] - play["length"]) for song in songs.values()) for play, songs in played]
    assert any(nearest < 1 < next_one for nearest, next_one, *_ in distances)
    assert any(nearest == next_one > 0 for nearest, next_one, *_ in distances)


def test_a_match_may_have_another_length(sample: Sample) -> None:
    by_name = oracle.songs_by_name(sample.songs)
    matches = [(play, oracle.matched_song(play, by_name)) for play in sample.plays]
    assert any(song and abs(song["duration"] - play["length"]) > 1 for play, song in matches)


# --- Traps: STEDI -----------------------------------------------------------------------------------------------------

RESEARCH = "shareWithResearchAsOfDate"


def test_about_half_consent_and_some_late(sample: Sample) -> None:
    customers = sample.stedi.customers
    for consent in (RESEARCH, "shareWithPublicAsOfDate", "shareWithFriendsAsOfDate"):
        assert sum(consent in customer for customer in customers) / len(customers) == pytest.approx(0.5, abs=0.13)
    assert all(value is not None for customer in customers for value in customer.values())
    assert any(customer["lastUpdateDate"] > customer["registrationDate"] for customer in customers)
    consent_of = {c["email"]: c[RESEARCH] for c in customers if c.get(RESEARCH, 0) > c["registrationDate"]}
    assert any(reading["timestamp"] < consent_of.get(reading["user"], 0) for reading in sample.stedi.readings)
    assert any(reading["timestamp"] == consent_of.get(reading["user"]) for reading in sample.stedi.readings)


def test_consent_is_withdrawn_given_and_contradicted(sample: Sample) -> None:
    records = group(sample.stedi.customers, "email")
    deciding = oracle.deciding_records(sample.stedi.customers)

    def had(email: str) -> bool:
        return any(RESEARCH in record for record in records[email,])

    assert had("Agnes.Withdrawn@example.com")
    assert RESEARCH not in deciding[oracle.person("Agnes.Withdrawn@example.com")]
    assert any(RESEARCH not in record for record in records["Boris.Newlygiven@example.com",])
    assert RESEARCH in deciding[oracle.person("Boris.Newlygiven@example.com")]
    undecided = records["Carla.Undecided@example.com",]
    assert [RESEARCH in record for record in undecided] == [True, False]
    assert distinct(undecided, "lastUpdateDate", "registrationDate") == 1
    first, again = records["Pablo.Repeated@example.com",]
    assert first == again


def test_serial_numbers_are_shared_and_change(sample: Sample) -> None:
    stedi = sample.stedi
    consents = {email for email, record in oracle.deciding_records(stedi.customers).items() if RESEARCH in record}
    readings = oracle.users_at(stedi.readings)
    owners = oracle.owners_of_serials(stedi.customers)
    outcomes = Counter(
        (len(found), len(found & consents), len(owners[step["serialNumber"]] & consents))
        for step in stedi.steps
        if len(owners.get(step["serialNumber"], ())) == 2
        for found in [oracle.candidates_of(step, owners, readings)]
    )
    # (candidates, consenting candidates, consenting owners)
    assert {(1, 1, 2), (2, 2, 2), (1, 1, 1), (1, 0, 1), (2, 1, 1), (0, 0, 2)} <= outcomes.keys()

    jorges = {c["serialNumber"] for c in stedi.customers if c["email"] == "Jorge.Renewed@example.com"}
    assert len(jorges) == 2
    assert jorges <= {step["serialNumber"] for step in stedi.steps}


def test_readings_without_customers_and_customers_without_readings(sample: Sample) -> None:
    stedi = sample.stedi
    emails = {customer["email"] for customer in stedi.customers}
    users = {reading["user"] for reading in stedi.readings}
    assert "Klara.Unread@example.com" in emails - users
    assert RESEARCH in oracle.deciding_records(stedi.customers)[oracle.person("Klara.Unread@example.com")]
    assert "Lothar.Nobody@example.com" in users - emails
    assert {step["serialNumber"] for step in stedi.steps} - {c["serialNumber"] for c in stedi.customers}


def test_readings_tie_but_never_repeat(sample: Sample) -> None:
    stedi = sample.stedi
    readings = len(stedi.readings)
    assert distinct(stedi.readings, "user", "timestamp", "x", "y", "z") == readings
    assert readings / distinct(stedi.readings, "user", "timestamp") == pytest.approx(2.84, abs=0.05)
    assert distinct(stedi.readings, "timestamp") < distinct(stedi.readings, "user", "timestamp")
    assert distinct(stedi.steps, "sensorReadingTime", "serialNumber", "distanceFromObject") == len(stedi.steps)
    assert all(201 <= step["distanceFromObject"] <= 300 for step in stedi.steps)


def test_each_person_has_an_email(samples: Mapping[float, Sample]) -> None:
    customers = samples[1].stedi.customers
    assert distinct(customers, "email") == distinct(customers, "email", "customerName", "phone", "birthDay")
    assert distinct(customers, "email") > 940


# --- The well-known wrong answers are wrong here, too -----------------------------------------------------------------


def test_sparkify_shortcuts_give_other_numbers(sample: Sample) -> None:
    events, plays, songs = sample.sparkify.events, sample.plays, sample.songs
    rows = oracle.answers_of(sample.folder, "").rows
    matched = oracle.sparkify_measures(sample.sparkify)["plays_matched"]
    titles = Counter(str(song["title"]) for song in songs)
    names = Counter(str(song["artist_name"]) for song in songs)
    artist_columns = ("artist_id", "artist_name", "artist_location", "artist_latitude", "artist_longitude")

    assert sum(titles[play["song"]] for play in plays) > 1.5 * matched  # title only
    assert sum(names[play["artist"]] for play in plays) > 3 * matched  # artist name only
    assert distinct(songs, *artist_columns) > rows["artists"]  # artists not reduced to one row
    assert distinct((e for e in events if e["userId"]), "userId", "level") > rows["users"]  # users neither
    assert distinct(events, "ts") > rows["time"]  # time of all events
    assert len(sample.sparkify.songs) > rows["songs"]  # songs delivered twice


def test_stedi_shortcuts_give_other_numbers(sample: Sample) -> None:
    stedi = sample.stedi
    rows = oracle.stedi_rows(stedi)
    deciding = oracle.deciding_records(stedi.customers)
    any_at = oracle.users_at(stedi.readings)
    consenting_ever = {customer["email"] for customer in stedi.customers if RESEARCH in customer}
    trusted_at = oracle.users_at(r for r in stedi.readings if RESEARCH in deciding.get(oracle.person(r["user"]), {}))
    unfiltered = sum(len(trusted_at.get(step["sensorReadingTime"], [])) for step in stedi.steps)
    landing = sum(len(any_at.get(step["sensorReadingTime"], [])) for step in stedi.steps)

    assert rows["machine_learning_curated_v2"] < rows["machine_learning_curated"]  # the timestamp alone
    assert rows["machine_learning_curated"] < unfiltered < landing  # steps unfiltered; nothing filtered
    assert len(consenting_ever) > rows["customer_trusted"]  # consent of any record
    assert rows["customer_curated"] < rows["customer_trusted"]
    assert len(stedi.customers) > len(deciding)
