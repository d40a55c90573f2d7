"""The search for known values in what may name nobody: what it finds, what it leaves alone, and how its work grows."""

from collections.abc import Iterable

import pytest

from compiled import CompiledQueries
from query_work import rows_handled

SEARCH = "assert_no_known_value_is_published"
CUSTOMERS = "email varchar, customer_name varchar, phone varchar, serial_number varchar"
V2 = "stedi.machine_learning_curated_v2"
V2_COLUMNS = "customer_pseudonym varchar, age_band varchar"
PUBLISHED = {
    V2: V2_COLUMNS,
    "stedi.machine_learning_curated_v3": "release_pseudonym varchar, age_band varchar",
    "stedi.age_bands_curated": "age_band varchar, published_age_band varchar",
    "stedi_privacy.published_anonymity": "age_band varchar",
    "report.consent_funnel": "population varchar, layer varchar, outcome varchar",
    "report.sample_trace": "release_pseudonym varchar",
    "report.stedi_event_days": "records_of varchar",
    "report.stedi_figures": "figure varchar",
    "stedi_staging.funnel_step_readings": "layer varchar, outcome varchar",
    "stedi_privacy.consent_history": "customer_pseudonym varchar",
    "stedi_privacy.consent_periods_snapshot": (
        "consent_period_id varchar, customer_pseudonym varchar, consented_from timestamp, consented_until timestamp,"
        " dbt_scd_id varchar, dbt_updated_at timestamp, dbt_valid_from timestamp, dbt_valid_to timestamp"
    ),
}
ADA = ("ada@test.com", "Ada Lovelace", "8015551212", "9e0ec5bf-8a0b-4fd3-b1a1-4e0c8d0e2a11")


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> CompiledQueries:
    return CompiledQueries(tmp_path_factory.mktemp("known"), SEARCH)


def found(
    queries: CompiledQueries, customers: Iterable[tuple[str | None, ...]], published: Iterable[tuple[str, str]]
) -> list[tuple[str]]:
    """Where the search finds a known value, if these stand in v2 as pseudonym and age band."""
    queries.put("stedi_staging.stg_stedi__customers", CUSTOMERS, customers)
    for relation, columns in PUBLISHED.items():
        queries.put(relation, columns, published if relation == V2 else [])
    return queries.connection.execute(f"select place from ({queries.sql[SEARCH]}) order by all").fetchall()  # noqa: S608


@pytest.mark.parametrize(
    "text",
    [
        "ada@test.com",
        "ADA@TEST.COM",
        "Ada Lovelace",
        "ada  LOVELACE",
        "8015551212",
        "9e0ec5bf-8a0b-4fd3-b1a1-4e0c8d0e2a11",
        "75 and over (Ada Lovelace)",
        "write to ada@test.com.",
        "write to <ada@test.com>, please",
        "phone: 8015551212",
        "a\tb, ada lovelace",
        "ask\tada@test.com\nor nobody",
        "of 9E0EC5BF-8A0B-4FD3-B1A1-4E0C8D0E2A11 the first",
    ],
)
@pytest.mark.parametrize("column", ["customer_pseudonym", "age_band"])
def test_a_known_value_is_found(queries: CompiledQueries, text: str, column: str) -> None:
    row = (text, "unknown") if column == "customer_pseudonym" else ("f" * 64, text)
    assert found(queries, [ADA], [row]) == [(f"machine_learning_curated_v2.{column}",)]


def test_a_name_of_many_words_is_found_whole(queries: CompiledQueries) -> None:
    name = "Ana Maria da Silva e Souza"
    assert found(queries, [("a@b.com", name, None, None)], [(name.upper(), "unknown")])


@pytest.mark.parametrize("word", ["customer", "unknown", "withheld", "over", "75 and over", "milliseconds", "person"])
def test_a_customer_who_is_called_like_a_word_of_ours_is_no_finding(queries: CompiledQueries, word: str) -> None:
    """Bands are the project's words, which accepted_values holds them to; descriptions are not data."""
    customers = [("a@b.com", word, None, None)]
    assert found(queries, customers, [("f" * 64, band) for band in ("unknown", "withheld", "75 and over")]) == []
    assert found(queries, customers, [(word, "unknown")]) == [("machine_learning_curated_v2.customer_pseudonym",)]


def test_what_tells_nothing_is_not_looked_for(queries: CompiledQueries) -> None:
    customers = [("", "Lee", "555", None), (" ", None, "   ", "D1")]
    assert found(queries, customers, [("lee", "555"), ("", "d1"), (" ", "x")]) == []


def test_a_value_inside_of_a_word_is_none(queries: CompiledQueries) -> None:
    """A pseudonym may hold the digits of a phone by chance."""
    assert found(queries, [ADA], [("a8015551212f", "unknown")]) == []


def work(queries: CompiledQueries, people: int, sql: str) -> int:
    queries.fill(
        "stedi_staging.stg_stedi__customers",
        "select 'p' || i || '@test.com' as email, 'Name ' || i as customer_name, '8015' || i as phone,"  # noqa: S608
        f" sha256('device' || i) as serial_number from range({people}) as t (i)",
    )
    for relation, columns in PUBLISHED.items():
        queries.put(relation, columns, [])
    queries.fill(
        V2,
        "select sha256('person' || i) as customer_pseudonym, 'unknown' as age_band"  # noqa: S608
        f" from range({people}) as t (i)",
    )
    return rows_handled(queries.connection, sql)


def test_the_work_grows_as_the_people_do(queries: CompiledQueries) -> None:
    small, large = (work(queries, people, queries.sql[SEARCH]) for people in (200, 2000))
    assert small > 200
    assert large <= 11 * small


def test_the_count_of_work_knows_pairs(queries: CompiledQueries) -> None:
    """What compares everything with everything, as the search once did, is found to grow with the square."""
    pairwise = f"""
        select count(*) from lakehouse.{V2} as published
        inner join lakehouse.stedi_staging.stg_stedi__customers as customers
            on strpos(published.customer_pseudonym, customers.email) > 0
    """  # noqa: S608 - our own name
    small, large = (work(queries, people, pairwise) for people in (200, 2000))
    assert large > 90 * small
