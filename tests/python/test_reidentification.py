"""How many people are found again by who knows some of their readings: the model's figures, and the attack itself."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiled import CompiledQueries
from dbt_project import DbtProject
from query_work import rows_handled
from real_data import PROJECT_DIR, needs_real_data

MODEL = "reidentification_risk"
KNOWN = (1, 2, 3, 4, 5, 6, 10)
BEGUN = datetime(2022, 6, 18, 10)  # noqa: DTZ001 - as the tables have it, UTC without zone
V2 = "customer_pseudonym varchar, age_band varchar, reading_time timestamp, x double, y double, z double"
V3 = (
    "release_pseudonym varchar, age_band varchar, session_number integer, session_time_ms bigint,"
    " x double, y double, z double"
)


class Reading(NamedTuple):
    """What a version has of a reading: v2 has one session, whose time is the calendar's."""

    person: str
    age_band: str
    session: int
    time_ms: int
    x: float


readings = st.builds(
    Reading,
    st.sampled_from("abcd"),
    st.just("18 to 34"),
    st.sampled_from([1, 2]),
    st.integers(0, 5),
    st.sampled_from([0.0, 1.0]),
)


def oracle(published: Sequence[Reading], known: int, *, tells_calendar: bool) -> tuple[int, int, int]:
    """People, and how many of them some, and any, run of so many readings singles out: the slow and plain way."""
    runs_of: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    holders: dict[tuple[object, ...], set[str]] = defaultdict(set)
    sessions: dict[tuple[str, int], set[Reading]] = defaultdict(set)
    for reading in published:
        sessions[reading.person, reading.session].add(reading)
    for (person, _), session in sessions.items():
        for run in runs_in(sorted(session, key=lambda one: (one.time_ms, one.x)), known):
            first = run[0]
            signature = (
                first.age_band,
                first.time_ms if tells_calendar else None,
                *((one.time_ms - first.time_ms, one.x) for one in run),
            )
            runs_of[person].append(signature)
            holders[signature].add(person)
    alone = {person: [len(holders[run]) == 1 for run in runs] for person, runs in runs_of.items()}
    return len(alone), sum(map(any, alone.values())), sum(map(all, alone.values()))


def runs_in(session: Sequence[Reading], known: int) -> Iterator[Sequence[Reading]]:
    """The runs of so many readings; of a shorter session, the whole of it."""
    for first in range(max(1, len(session) - known + 1)):
        yield session[first : first + known]


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> CompiledQueries:
    return CompiledQueries(tmp_path_factory.mktemp("risk"), MODEL)


@given(st.lists(readings, min_size=1, max_size=30))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_the_figures_are_those_of_a_search_by_hand(queries: CompiledQueries, published: list[Reading]) -> None:
    one_session = [reading._replace(session=1) for reading in published]
    queries.put(
        "stedi.machine_learning_curated_v2",
        V2,
        ((r.person, r.age_band, BEGUN + timedelta(milliseconds=r.time_ms), r.x, 0.0, 0.0) for r in one_session),
    )
    queries.put(
        "stedi.machine_learning_curated_v3",
        V3,
        ((r.person, r.age_band, r.session, r.time_ms, r.x, 0.0, 0.0) for r in published),
    )
    found = queries.connection.execute(queries.sql[MODEL]).fetchall()
    expected = [(2, known, *oracle(one_session, known, tells_calendar=True)) for known in KNOWN]
    expected += [(3, known, *oracle(published, known, tells_calendar=False)) for known in KNOWN]
    assert sorted(found) == expected


def test_who_is_alone_in_an_age_band_is_singled_out(queries: CompiledQueries) -> None:
    """Two people alike but for the age, and the hour, which v3 does not tell."""
    people = [("a", "18 to 34", 0), ("b", "18 to 34", 1), ("c", "35 to 54", 2)]
    queries.put(
        "stedi.machine_learning_curated_v2",
        V2,
        ((person, band, BEGUN + timedelta(hours=hour), 0.0, 0.0, 0.0) for person, band, hour in people),
    )
    queries.put("stedi.machine_learning_curated_v3", V3, ((p, band, 1, 0, 0.0, 0.0, 0.0) for p, band, _ in people))
    found = set(queries.connection.execute(queries.sql[MODEL]).fetchall())
    assert found == {(2, known, 3, 3, 3) for known in KNOWN} | {(3, known, 3, 1, 1) for known in KNOWN}


def test_the_work_grows_as_the_readings_do(queries: CompiledQueries) -> None:
    """Counted in rows; a sort, which is what takes n log n, handles each row once here."""
    work = {}
    for people in (50, 500):
        moments = f"range({people}) as p (person), range(40) as t (moment)"
        motion = "hash(person, moment) % 3 as x, hash(moment, person) % 3 as y, 0.0 as z"
        queries.fill(
            "stedi.machine_learning_curated_v2",
            f"select person::varchar as customer_pseudonym, 'unknown' as age_band, {motion},"  # noqa: S608
            f" timestamp '2022-06-18' + to_milliseconds(moment * 2000 + person % 7) as reading_time from {moments}",
        )
        queries.fill(
            "stedi.machine_learning_curated_v3",
            f"select person::varchar as release_pseudonym, 'unknown' as age_band, 1 as session_number, {motion},"  # noqa: S608
            f" moment * 2000 as session_time_ms from {moments}",
        )
        work[people] = rows_handled(queries.connection, queries.sql[MODEL])
    assert work[50] > 50 * 40
    assert work[500] <= 11 * work[50]


# ---------------------------------------------------------------------------------------------------- the attack
MATCHED = """
    with raw as (
        select distinct email, epoch_ms(reading_time) as time_ms, x, y, z
        from stedi_staging.stg_stedi__accelerometer_readings
    ),

    published as (
        select distinct customer_pseudonym, epoch_ms(reading_time) as time_ms, x, y, z
        from stedi.machine_learning_curated_v2
    ),

    scores as (
        select published.customer_pseudonym, raw.email, count(*) as hits
        from published inner join raw using (time_ms, x, y, z)
        group by all
    ),

    best as (
        select customer_pseudonym, max_by(email, hits) as email
        from scores
        group by all
        having count(*) filter (where hits = (select max(s.hits) from scores as s
            where s.customer_pseudonym = scores.customer_pseudonym)) = 1
    )

    select count(*), (select count(distinct customer_pseudonym) from published)
    from best
    inner join stedi_staging.stg_stedi__customer_identities as identities using (customer_pseudonym, email)
"""


@pytest.mark.parametrize("dataset", ["sample", pytest.param("udacity", marks=needs_real_data)])
def test_everybody_in_v2_is_found_again_in_the_raw_readings(
    built_project: Callable[[str], DbtProject], dataset: str
) -> None:
    """Which is why it says that it holds personal data; the model says so, too."""
    project = built_project(dataset)
    ((found, people),) = project.query(MATCHED)
    assert found == people
    of_v2 = f"select known_readings, singled_out_by_some from stedi_privacy.{MODEL} where version = 2"  # noqa: S608
    figures = {row[0]: row[1] for row in project.query(of_v2)}
    assert figures[1] == people
    if dataset == "udacity":
        assert people == 464


@needs_real_data
def test_the_documented_figures_are_the_models(built_project: Callable[[str], DbtProject]) -> None:
    """docs/privacy.md has them."""
    figures_of_both = f"""
        select version, known_readings, singled_out_by_some, singled_out_by_any
        from stedi_privacy.{MODEL}
        order by all
    """  # noqa: S608 - our own name
    rows = built_project("udacity").query(figures_of_both)
    text = (PROJECT_DIR / "docs/privacy.md").read_text(encoding="utf-8")
    by_known: dict[object, list[object]] = defaultdict(list)
    for _version, known, some, every in rows:
        by_known[known] += [some, every]
    for known, figures in by_known.items():
        assert f"| {known} | {' | '.join(map(str, figures))} |" in text
