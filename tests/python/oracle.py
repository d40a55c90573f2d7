"""The answers, worked out the slow and plain way: what every relation must hold, straight from the raw files.

An independent second opinion on the project: nothing but Python's json, dicts and sets, no SQL, and not a line shared
with the loader, the models or the sample generator. Run as a command it writes the expectations of a data set into the
seeds:

    python tests/python/oracle.py SOURCE DATASET
"""

import argparse
import csv
import json
import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Record = dict[str, Any]
Row = dict[str, str]

SEEDS = Path(__file__).parents[2] / "seeds"
SEED_HEADERS = {
    "expected_row_counts": ["dataset", "relation", "rows"],
    "expected_measures": ["dataset", "measure", "expected"],
    "expected_answers": [
        "dataset",
        "question",
        "position",
        "session_id",
        "item_in_session",
        "user_id",
        "user_name",
        "artist_name",
        "song_title",
        "length_s",
    ],
}


SESSION_GAP_MS = 30 * 60 * 1000  # a longer pause between two readings of a person begins a session


@dataclass(frozen=True)
class Questions:
    """Keys of the three query-first questions: an item of a session, a session of a user, the users of a song."""

    session_id: int
    item_in_session: int
    user_id: str
    user_session_id: int
    song_title: str


QUESTIONS = {
    "udacity": Questions(338, 4, "10", 182, "All Hands Against His Own"),
    "sample": Questions(1, 2, "7", 6, "Où dort la lune"),
}


@dataclass(frozen=True)
class Answers:
    """What a source must give: rows of each relation, measures, and answers where the data set has questions."""

    rows: dict[str, int]
    measures: dict[str, int]
    answers: list[Row]

    def seed_rows(self, dataset: str) -> dict[str, list[Row]]:
        """The rows of each seed for this data set."""
        return {
            "expected_row_counts": [{"dataset": dataset, "relation": k, "rows": str(n)} for k, n in self.rows.items()],
            "expected_measures": [
                {"dataset": dataset, "measure": k, "expected": str(n)} for k, n in self.measures.items()
            ],
            "expected_answers": [{"dataset": dataset, **row} for row in self.answers],
        }


# --- Reading --------------------------------------------------------------------------------------------------------


def files_of(source: Path, *patterns: str) -> list[Path]:
    """The files of a landing table. A file that is byte for byte the copy of another one counts once."""
    paths = sorted({path for pattern in patterns for path in source.glob(pattern) if path.is_file()})
    first_of_content: dict[bytes, Path] = {}
    for path in paths:
        first_of_content.setdefault(path.read_bytes(), path)
    return list(first_of_content.values())


def records_of(source: Path, *patterns: str) -> list[Record]:
    """The records of a landing table, in the order of files and lines."""
    return [
        json.loads(line)
        for path in files_of(source, *patterns)
        for line in path.read_text(encoding="utf-8").split("\n")
        if line.strip()
    ]


@dataclass(frozen=True)
class Sparkify:
    """Sparkify's raw records."""

    events: list[Record]
    songs: list[Record]

    @classmethod
    def read(cls, source: Path) -> "Sparkify":
        """Reads `sparkify/` of a source, or the layout of the public bucket."""
        return cls(
            records_of(source, "sparkify/log_data/**/*.json", "log_data/**/*.json"),
            records_of(source, "sparkify/song_data/**/*.json*", "song_data/**/*.json*"),
        )


@dataclass(frozen=True)
class Stedi:
    """STEDI's raw records."""

    customers: list[Record]
    readings: list[Record]
    steps: list[Record]

    @classmethod
    def read(cls, source: Path) -> "Stedi":
        """Reads `stedi/` of a source, or the layout of the public bucket."""
        return cls(
            records_of(source, "stedi/customer/landing/**/*.json", "customers/**/*.json", "customer/landing/**/*.json"),
            records_of(source, "stedi/accelerometer/landing/**/*.json", "accelerometer/**/*.json"),
            records_of(source, "stedi/step_trainer/landing/**/*.json", "step_trainer/**/*.json"),
        )


# --- Sparkify -------------------------------------------------------------------------------------------------------


def repaired(text: str) -> str:
    """Undoes two readings of UTF-8 as Latin-1; any text to which that did not happen comes back as it is."""
    try:
        return text.encode("latin-1").decode().encode("latin-1").decode()
    except UnicodeError:
        return text


def plays_of(events: Iterable[Record]) -> list[Record]:
    """The events that are plays."""
    return [event for event in events if event["page"] == "NextSong"]


def events_in_order(events: Iterable[Record]) -> dict[str, list[Record]]:
    """The events of each user, first to last. Logged-out events have no user."""
    by_user: dict[str, list[Record]] = defaultdict(list)
    for event in sorted(events, key=lambda e: (e["ts"], e["sessionId"], e["itemInSession"])):
        if event["userId"]:
            by_user[event["userId"]].append(event)
    return by_user


def level_runs(events: Iterable[Record]) -> list[str]:
    """The levels of one user's ordered events, one for each unbroken run; the last event of a millisecond counts.

    An event that does not know the level changes none.
    """
    level_at = {event["ts"]: event["level"] for event in events if event.get("level")}
    runs: list[str] = []
    for level in level_at.values():
        if not runs or runs[-1] != level:
            runs.append(level)
    return runs


def songs_by_name(songs: Iterable[Record]) -> dict[tuple[str, str], dict[str, Record]]:
    """Songs by title and artist name, each of them once. A name may be a JSON number."""
    by_name: dict[tuple[str, str], dict[str, Record]] = defaultdict(dict)
    for song in songs:
        by_name[str(song["title"]), str(song["artist_name"])][song["song_id"]] = song
    return by_name


def matched_song(
    play: Record, by_name: Mapping[tuple[str, str], dict[str, Record]], *, repair: bool = True
) -> Record | None:
    """The song that was played: same title and artist; of several the closest duration, then the smallest id."""
    name = (repaired(play["song"]), repaired(play["artist"])) if repair else (play["song"], play["artist"])
    candidates = by_name.get(name, {}).values()
    return min(candidates, key=lambda song: (abs(song["duration"] - play["length"]), song["song_id"]), default=None)


def sparkify_rows(data: Sparkify) -> dict[str, int]:
    """Rows of Sparkify's relations."""
    plays = plays_of(data.events)
    by_user = events_in_order(data.events)
    return {
        "staging_events": len(data.events),
        "staging_songs": len(data.songs),
        "songplays": len(plays),
        "users": len(by_user),
        "user_level_history": sum(len(level_runs(events)) for events in by_user.values()),
        "songs": len({song["song_id"] for song in data.songs}),
        "artists": len({song["artist_id"] for song in data.songs}),
        "time": len({play["ts"] for play in plays}),
        "songs_by_session_item": len({(p["sessionId"], p["itemInSession"]) for p in plays}),
        "songs_by_user_session": len({(p["userId"], p["sessionId"], p["itemInSession"]) for p in plays}),
        "users_by_song": len({(repaired(p["song"]), p["userId"]) for p in plays}),
        "events": len({(event["sessionId"], event["itemInSession"]) for event in data.events}),
        "sessions": len({event["sessionId"] for event in data.events}),
        "user_activity_daily": len({(e["userId"], day_of(e)) for e in data.events if e["userId"]}),
        "dates": days_between(data.events),
        **sparkify_report_rows(data.events, plays),
    }


def sparkify_report_rows(events: Sequence[Record], plays: Sequence[Record]) -> dict[str, int]:
    """Rows of what the report draws."""
    moments = [datetime.fromtimestamp(play["ts"] / 1000, UTC) for play in plays]
    songs_of_week: dict[tuple[int, int], set[tuple[str, str]]] = defaultdict(set)
    for play, moment in zip(plays, moments, strict=True):
        songs_of_week[moment.isocalendar()[:2]].add((repaired(play["song"]), repaired(play["artist"])))
    plays_of_session = Counter({event["sessionId"]: 0 for event in events})
    plays_of_session.update(play["sessionId"] for play in plays)
    return {
        "plays_by_hour": len({(moment.isoweekday(), moment.hour) for moment in moments}),
        "plays_by_level": len({(play["level"], play["gender"]) for play in plays}),
        "top_songs_weekly": sum(min(len(songs), 10) for songs in songs_of_week.values()),
        "top_artists": min(len({repaired(play["artist"]) for play in plays}), 20),
        "listeners_daily": days_between(events),
        "levels_daily": days_between(events),
        "session_lengths": len({bisect_left((0, 1, 5, 10, 20, 50), n) for n in plays_of_session.values()}),
    }


def days_between(events: Iterable[Record]) -> int:
    """The days from the first event to the last."""
    days = {day_of(event) for event in events}
    return max(days) - min(days) + 1 if days else 0


def day_of(event: Record) -> int:
    """The day of an event, UTC, in days since 1970."""
    return int(event["ts"]) // (24 * 60 * 60 * 1000)


def sparkify_measures(data: Sparkify) -> dict[str, int]:
    """What Sparkify's dashboards would say."""
    plays = plays_of(data.events)
    by_user = events_in_order(data.events)
    by_name = songs_by_name(data.songs)
    matches = [song for play in plays if (song := matched_song(play, by_name))]
    final_levels = Counter(runs[-1] for events in by_user.values() if (runs := level_runs(events)))
    return {
        "plays_matched": len(matches),
        "plays_matched_before_repair": sum(matched_song(play, by_name, repair=False) is not None for play in plays),
        "songs_played": len({song["song_id"] for song in matches}),
        "artists_played": len({song["artist_id"] for song in matches}),
        "paid_users": final_levels["paid"],
        "free_users": final_levels["free"],
        "level_changes": sum(max(len(level_runs(events)) - 1, 0) for events in by_user.values()),
        "users_who_never_play": len(by_user.keys() - {play["userId"] for play in plays}),
    }


def answers_to(questions: Questions, events: Iterable[Record]) -> list[Row]:
    """The answers to the three query-first questions, one row each."""
    plays = plays_of(events)
    of_item = [
        p for p in plays if (p["sessionId"], p["itemInSession"]) == (questions.session_id, questions.item_in_session)
    ]
    of_session = [p for p in plays if (p["userId"], p["sessionId"]) == (questions.user_id, questions.user_session_id)]
    users = {p["userId"]: user_name(p) for p in plays if repaired(p["song"]) == questions.song_title}
    return [
        *(
            answer(
                "songs_by_session_item",
                position,
                session_id=play["sessionId"],
                item_in_session=play["itemInSession"],
                artist_name=repaired(play["artist"]),
                song_title=repaired(play["song"]),
                length_s=play["length"],
            )
            for position, play in enumerate(of_item)
        ),
        *(
            answer(
                "songs_by_user_session",
                position,
                session_id=play["sessionId"],
                item_in_session=play["itemInSession"],
                user_id=play["userId"],
                user_name=user_name(play),
                artist_name=repaired(play["artist"]),
                song_title=repaired(play["song"]),
            )
            for position, play in enumerate(sorted(of_session, key=lambda p: p["itemInSession"]))
        ),
        *(
            answer("users_by_song", position, user_id=user_id, user_name=name, song_title=questions.song_title)
            for position, (user_id, name) in enumerate(sorted(users.items(), key=lambda user: int(user[0])))
        ),
    ]


def user_name(event: Record) -> str:
    """First and last name of the event's user."""
    return f"{event['firstName']} {event['lastName']}"


def answer(question: str, position: int, **columns: str | float) -> Row:
    """A row of the answers; what a question does not ask for is empty."""
    header = SEED_HEADERS["expected_answers"][1:]
    values = {"question": question, "position": position, **columns}
    return {column: str(values.get(column, "")) for column in header}


# --- STEDI ----------------------------------------------------------------------------------------------------------


def person(address: str) -> str:
    """Whose address it is: neither case nor blanks around it matter, nor how an accent is composed."""
    return unicodedata.normalize("NFC", address.strip().casefold())


def consent_of(record: Record) -> int | None:
    """Since when a record consents to research; None where it does not, however that is written."""
    written = record.get("shareWithResearchAsOfDate") or 0
    return int(written) or None


def deciding_records(customers: Iterable[Record]) -> dict[str, Record]:
    """The record of each customer that counts: the latest one, and of equals the one without research consent."""

    def rank(record: Record) -> tuple[int, bool, int, int, str]:
        consent = consent_of(record)
        registered, serial = record.get("registrationDate") or 0, record.get("serialNumber") or ""
        return -record["lastUpdateDate"], consent is not None, -(consent or 0), -registered, serial

    records: dict[str, Record] = {}
    for record in sorted(customers, key=rank):
        records.setdefault(person(record["email"]), record)
    return records


def owners_of_serials(customers: Iterable[Record]) -> dict[str, set[str]]:
    """Everybody who has ever had a serial number, in any record."""
    owners: dict[str, set[str]] = defaultdict(set)
    for record in customers:
        if record.get("serialNumber"):
            owners[record["serialNumber"]].add(person(record["email"]))
    return owners


def candidates_of(step: Record, owners: Mapping[str, set[str]], readings_at: Mapping[int, list[str]]) -> set[str]:
    """Whose step it can be: the only owner's, else the owners with an accelerometer reading in that millisecond."""
    possible = owners.get(step["serialNumber"], set())
    return possible if len(possible) == 1 else possible & set(readings_at.get(step["sensorReadingTime"], []))


def users_at(readings: Iterable[Record]) -> dict[int, list[str]]:
    """The user of each accelerometer reading, by time."""
    users: dict[int, list[str]] = defaultdict(list)
    for reading in readings:
        users[reading["timestamp"]].append(person(reading["user"]))
    return users


def stedi_rows(data: Stedi) -> dict[str, int]:
    """Rows of STEDI's relations."""
    deciding = deciding_records(data.customers)
    consent = {who: since for who, record in deciding.items() if (since := consent_of(record)) is not None}
    trusted_readings = [reading for reading in data.readings if person(reading["user"]) in consent]
    curated = consent.keys() & {person(reading["user"]) for reading in data.readings}

    owners = owners_of_serials(data.customers)
    any_at, trusted_at = users_at(data.readings), users_at(trusted_readings)
    trusted_readings_at: dict[int, list[Record]] = defaultdict(list)
    for reading in trusted_readings:
        trusted_readings_at[reading["timestamp"]].append(reading)
    candidates = [(step["sensorReadingTime"], candidates_of(step, owners, any_at)) for step in data.steps]
    trusted_steps = [(time, people) for time, people in candidates if people and people <= curated]
    certain_steps = [(time, next(iter(people))) for time, people in trusted_steps if len(people) == 1]
    published = rows_in_sessions(
        [
            (person(r["user"]), r["timestamp"], step["distanceFromObject"], r["x"], r["y"], r["z"])
            for step, (_, people) in zip(data.steps, candidates, strict=True)
            if len(people) == 1 and people <= curated
            for r in trusted_readings_at[step["sensorReadingTime"]]
            if (who := person(r["user"])) in people and r["timestamp"] >= consent[who]
        ]
    )

    return {
        "customer_landing": len(data.customers),
        "accelerometer_landing": len(data.readings),
        "step_trainer_landing": len(data.steps),
        "customer_trusted": len(consent),
        "accelerometer_trusted": len(trusted_readings),
        "step_trainer_trusted": len(trusted_steps),
        "customer_curated": len(curated),
        "machine_learning_curated": sum(len(trusted_at.get(time, [])) for time, _ in trusted_steps),
        "machine_learning_curated_v2": sum(
            trusted_at.get(time, []).count(who) for time, who in certain_steps if time >= consent[who]
        ),
        "machine_learning_curated_v3": len(published),
        "consent_funnel": len(funnel_of(data)),
        "readings_per_customer": len({(n - 1) // 25 for n in Counter(who for who, *_ in published).values()}),
        "sample_trace": max(Counter((who, began) for who, began, *_ in published).values(), default=0),
        "consent_periods_snapshot": len(consents_given(data.customers)),
    }


def consents_given(customers: Sequence[Record]) -> set[tuple[str, int]]:
    """Each consent that a customer ever gave, by its date; of two records of one moment the one without it counts."""
    refused = {(person(r["email"]), r["lastUpdateDate"]) for r in customers if consent_of(r) is None}
    given = [(person(r["email"]), r["lastUpdateDate"], consent_of(r)) for r in customers]
    return {(who, since) for who, at, since in given if since is not None and (who, at) not in refused}


def funnel_of(data: Stedi) -> dict[str, int]:
    """What each of STEDI's layers keeps and drops, and why, in customers and in readings. A reading counts once."""
    deciding = deciding_records(data.customers)
    consent = {who: since for who, record in deciding.items() if (since := consent_of(record)) is not None}
    refused = {(person(r["email"]), r["lastUpdateDate"]) for r in data.customers if consent_of(r) is None}
    written = {(person(r["email"]), r["lastUpdateDate"]) for r in data.customers}
    once_consented = {who for who, _ in written - refused}
    readings = {(r["user"], r["timestamp"], r["x"], r["y"], r["z"]) for r in data.readings}
    steps = {(s["serialNumber"], s["sensorReadingTime"], s["distanceFromObject"]): s for s in data.steps}
    owners, readings_at = owners_of_serials(data.customers), users_at(data.readings)
    candidates = {key: candidates_of(step, owners, readings_at) for key, step in steps.items()}
    walking = consent.keys() & {person(user) for user, *_ in readings}
    certain = {(time, *people) for (_, time, _), people in candidates.items() if len(people) == 1}
    shared = {(time, who) for (_, time, _), people in candidates.items() if len(people) > 1 for who in people}

    def of_customer(who: str) -> str:
        if who in consent:
            return "kept"
        if who not in deciding:
            return "unknown person"
        return "withdrawn" if who in once_consented else "no consent"

    def of_step(key: tuple[str, int, int]) -> str:
        people = candidates[key]
        if people and people <= walking:
            return "kept"
        if not owners.get(key[0]):
            return "unknown device"
        if len(people) != 1:
            return "ambiguous owner"
        outcome = of_customer(*people)
        return "no reading" if outcome == "kept" else outcome

    def of_reading_in_study(who: str, time: int) -> str:
        if time < consent[who]:
            return "before consent"
        if (time, who) in certain:
            return "kept"
        return "ambiguous owner" if (time, who) in shared else "no matching reading"

    def of_step_in_study(people: set[str], time: int) -> str:
        if len(people) > 1:
            return "ambiguous owner"
        (who,) = people
        if who not in readings_at.get(time, []):
            return "no matching reading"
        return "before consent" if time < consent[who] else "kept"

    furthest: dict[str, str] = {}
    in_study: Counter[str] = Counter()
    best_first = ["kept", "ambiguous owner", "no matching reading", "before consent"]
    for user, time, *_ in readings:
        if (who := person(user)) in consent:
            outcome = of_reading_in_study(who, time)
            in_study[outcome] += 1
            furthest[who] = min(furthest.get(who, outcome), outcome, key=best_first.index)
    counts = {
        "customers/trusted": Counter(map(of_customer, deciding)),
        "customers/curated": Counter("kept" if who in walking else "no reading" for who in consent),
        "customers/study": Counter(furthest.values()),
        "accelerometer readings/trusted": Counter(of_customer(person(user)) for user, *_ in readings),
        "accelerometer readings/study": in_study,
        "step readings/trusted": Counter(map(of_step, steps)),
        "step readings/study": Counter(
            of_step_in_study(candidates[key], key[1]) for key in steps if of_step(key) == "kept"
        ),
    }
    return {
        f"funnel/{layer}/{outcome}": count
        for layer, outcomes in counts.items()
        for outcome, count in sorted(outcomes.items())
    }


def rows_in_sessions(moments: Iterable[tuple[str, int, int, float, float, float]]) -> set[tuple[str, int, Any]]:
    """Rows that are told apart by person, session, time since its first reading (ms), distance and acceleration."""
    times_of: dict[str, set[int]] = defaultdict(set)
    moments = list(moments)
    for who, time, *_ in moments:
        times_of[who].add(time)
    beginnings: dict[tuple[str, int], int] = {}
    for who, times in times_of.items():
        ordered = sorted(times)
        for before, time in zip([None, *ordered], ordered, strict=False):
            follows = before is not None and time - before <= SESSION_GAP_MS
            beginnings[who, time] = beginnings[who, before] if before is not None and follows else time
    return {(who, beginnings[who, time], (time - beginnings[who, time], *measured)) for who, time, *measured in moments}


# --- All, and the seeds ---------------------------------------------------------------------------------------------


def answers_of(source: Path, dataset: str) -> Answers:
    """Everything that is expected of a source. Its questions are those of the data set's name, if it has any."""
    sparkify, stedi = Sparkify.read(source), Stedi.read(source)
    questions = QUESTIONS.get(dataset)
    return Answers(
        rows=sparkify_rows(sparkify) | stedi_rows(stedi),
        measures=sparkify_measures(sparkify) | funnel_of(stedi),
        answers=answers_to(questions, sparkify.events) if questions else [],
    )


def read_seed(name: str) -> list[Row]:
    """All rows of a seed; none where there is no such file yet."""
    path = SEEDS / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def replace_in_seed(name: str, dataset: str, rows: list[Row]) -> None:
    """Writes a data set's rows into a seed and leaves the other data sets' rows as they are."""
    others = [row for row in read_seed(name) if row["dataset"] != dataset]
    # the data sets keep an order of their own, so that a changed expectation is all that a diff shows
    merged = sorted([*others, *rows], key=lambda row: row["dataset"] != "udacity")
    with (SEEDS / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, SEED_HEADERS[name], lineterminator="\n")
        writer.writeheader()
        writer.writerows(merged)


def printed(seeds: Mapping[str, list[Row]]) -> Iterator[str]:
    """The rows of the seeds as lines to read."""
    for name, rows in seeds.items():
        yield f"seeds/{name}.csv"
        yield from ("  " + ",".join(row.values()) for row in rows)


def main() -> None:
    """Prints what is expected of a source, and writes it into the seeds unless told not to."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("source", type=Path, help="folder that holds sparkify/ and stedi/")
    parser.add_argument("dataset", help="name of the data set in the seeds, for example sample")
    parser.add_argument("--print-only", action="store_true", help="leave the seeds as they are")
    arguments = parser.parse_args()
    seeds = answers_of(arguments.source, arguments.dataset).seed_rows(arguments.dataset)
    print("\n".join(printed(seeds)))
    if not arguments.print_only:
        for name, rows in seeds.items():
            replace_in_seed(name, arguments.dataset, rows)


if __name__ == "__main__":
    main()
