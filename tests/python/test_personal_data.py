"""Personal data stays where it may be: by the lineage of every column, and by the values themselves."""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dbt_project import DbtProject
from lakehouse.site.column_lineage import LineageError, Origin, column_lineage
from personal_data import (
    Column,
    Relation,
    faults,
    relations_of,
    treated_columns,
)
from real_data import needs_real_data

BuiltProject = Callable[[str], DbtProject]

TREATED = {
    "customer_identities.customer_pseudonym",
    "device_owners.owner_token",
    "step_claims.owner_token",
    "int_stedi__customer_profiles.age_band",
    "consent_funnel.outcome",
    "consent_hourly.consent_hour",
    "stedi_event_days.first_on",
    "stedi_event_days.last_on",
    "stedi_event_days.days_with",
    "stedi_event_days.days_without",
    "consent_hourly.in_force",
    "consent_periods_snapshot.consent_period_id",
    "funnel_step_readings.outcome",
    "listeners_daily.sessions",
    "plays_by_level.gender",
    "plays_by_level.listeners",
    "published_anonymity.customers",
    "reidentification_risk.singled_out_by_any",
    "reidentification_risk.singled_out_by_some",
    "release_pseudonyms.customer_pseudonym",
    "release_pseudonyms.release_pseudonym",
    "sparkify_figures.figure_value",
    "stedi_figures.figure_value",
    "top_artists.listeners",
    "top_artists.place",
    "top_songs_weekly.listeners",
    "top_songs_weekly.place",
}
"""Where a personal value is made fit to leave the relations that hold personal data. One more is a decision."""

NOT_PERSONAL = {
    "customer_landing": "landed_at",
    "accelerometer_landing": "landed_at",
    "step_trainer_landing": "landed_at",
    "customer_suspensions": "source source_file line",
    "staging_events": "artist auth iteminsession landed_at length level method page song status ts",
    "expected_answers": "dataset question position session_id item_in_session artist_name song_title length_s",
    "quarantine": "table_name source source_file line byte_offset record_bytes",
}
"""What is loaded beside personal data and has no tag. One more is a decision: nothing is followed that has none."""

CUSTOMERS, STEPS = ("d", "s", "customers"), ("d", "s", "steps")
TABLES = {CUSTOMERS: ("email", "name", "updated"), STEPS: ("serial", "distance")}


# ------------------------------------------------------------------------------------------------------ this project
@pytest.mark.quick
def test_every_tag_tells_the_truth(built_project: BuiltProject) -> None:
    assert faults(relations_of(manifest_of(built_project("sample")))) == []


@pytest.mark.quick
def test_nothing_is_treated_that_was_not_decided(built_project: BuiltProject) -> None:
    assert treated_columns(relations_of(manifest_of(built_project("sample")))) == TREATED


@pytest.mark.quick
def test_what_is_loaded_is_tagged_or_was_decided(built_project: BuiltProject) -> None:
    loaded = {
        relation.table[2]: {name for name, column in relation.columns.items() if column.personal is None}
        for relation in relations_of(manifest_of(built_project("sample")))
        if relation.sql is None and relation.holds_personal_data is not False
    }
    assert {name: columns for name, columns in loaded.items() if columns} == {
        name: {*columns.split()} for name, columns in NOT_PERSONAL.items()
    }


@pytest.mark.quick
def test_what_narrows_down_is_measured(built_project: BuiltProject) -> None:
    """One more in the published data, and the figures would take people for alike who are not."""
    relations = {relation.table[2]: relation for relation in relations_of(manifest_of(built_project("sample")))}
    v2, v3 = (
        {name for name, column in relations[table].columns.items() if column.personal == "quasi_identifier"}
        for table in ("machine_learning_curated_v2", "machine_learning_curated_v3")
    )
    # whoever knows the distance, too, has readings of the step trainer: the figures are of who has the phone's
    assert v2 == {"age_band", "reading_time", "x", "y", "z", "distance_from_object"}
    assert v3 == {"age_band", "session_number", "session_time_ms", "x", "y", "z", "distance_from_object"}
    measured = relations["reidentification_risk"].sql or ""
    assert {name for name in v2 | v3 if not re.search(rf"\b{name}\b", measured)} == {"distance_from_object"}


@pytest.mark.quick
def test_what_is_published_is_called_what_it_is(built_project: BuiltProject) -> None:
    relations = {relation.table[2]: relation for relation in relations_of(manifest_of(built_project("sample")))}
    pseudonymised = {name for name, relation in relations.items() if relation.names_nobody}
    assert pseudonymised == {
        "machine_learning_curated_v2",
        "machine_learning_curated_v3",
        "consent_history",
        "consent_periods_snapshot",
        "sample_trace",
    }
    assert all(relations[name].holds_personal_data is True for name in pseudonymised)


@pytest.mark.quick
def test_tags_are_in_the_docs(built_project: BuiltProject) -> None:
    """The docs site shows a column's `meta`; dbt copies it there from `config`."""
    nodes = manifest_of(built_project("sample"))["nodes"]
    shown = nodes["model.lakehouse.customer_trusted"]["columns"]["birth_day"]["meta"]
    assert shown == {"personal": "quasi_identifier"}


def manifest_of(project: DbtProject) -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads((project.folder / "target" / "manifest.json").read_text())
    return content


LEAKS = {
    "renamed": ("select email as contact from {{ ref('customer_trusted') }}", "contact"),
    "in_capitals": ("select upper(email) as x from {{ ref('customer_trusted') }}", "x"),
    "hashed_without_key": ("select sha256(email) as h from {{ ref('stg_stedi__customers') }}", "h"),
    "from_landing": ("select \"user\" as u from {{ source('stedi', 'accelerometer_landing') }}", "u"),
    "through_a_star": ("with c as (select * from {{ ref('customer_curated') }}) select * from c", "phone"),
}
OFFLINE = ("--no-introspect", "--no-populate-cache")
JOINED = """
    select count(*) as steps from {{ ref('step_trainer_trusted') }} as steps
    inner join {{ ref('customer_trusted') }} as customers on steps.serial_number = customers.serial_number
"""


def test_a_leak_into_the_project_is_found(tmp_path: Path) -> None:
    """Models that somebody adds without a tag, and with the claim that they hold nothing personal."""
    project = DbtProject.copy(tmp_path, tmp_path / "no_zone", "sample")
    folder = project.folder / "models/stedi/curated"
    claim = "{{ config(meta={'holds_personal_data': false}, contract={'enforced': false}) }}\n"
    for name, (sql, _column) in LEAKS.items():
        (folder / f"{name}.sql").write_text(claim + sql)
    (folder / "joined.sql").write_text(claim + JOINED)
    (folder / "named.sql").write_text(
        "{{ config(meta={'holds_personal_data': true, 'names_nobody': true}, contract={'enforced': false}) }}\n"
        "select email, x from {{ ref('accelerometer_trusted') }}"
    )
    (folder / "silent.sql").write_text("{{ config(contract={'enforced': false}) }}\nselect 1 as one")
    project.dbt("compile", *OFFLINE, "--select", "path:models", "path:snapshots", "--indirect-selection", "empty")
    found = faults(relations_of(manifest_of(project)))
    for name, (_sql, column) in LEAKS.items():
        assert [f for f in found if f.startswith(f"{name}.{column} holds ")], (name, found)
        assert [f for f in found if f.startswith(f"{name}.{column} derives from ")], (name, found)
    assert not [f for f in found if f.startswith("joined")]
    assert [f for f in found if "may name nobody" in f] == [
        "named.email holds accelerometer_landing.user, and named may name nobody"
    ]
    assert "silent does not say whether it holds personal data" in found


# ------------------------------------------------------------------------------------------------ the values themselves
@pytest.mark.parametrize("dataset", ["sample", pytest.param("udacity", marks=needs_real_data)])
def test_no_known_value_is_published(built_project: BuiltProject, dataset: str) -> None:
    project = built_project(dataset)
    texts = published_texts(project)
    assert {place for place, _text in texts} >= {
        "stedi.machine_learning_curated_v2.customer_pseudonym",
        "stedi.machine_learning_curated_v2.age_band",
        "stedi.machine_learning_curated_v3.release_pseudonym",
        "stedi_privacy.consent_history.customer_pseudonym",
        "stedi_privacy.consent_periods_snapshot.customer_pseudonym",
    }
    known = known_values(project)
    assert len(known) > 100
    assert places_of(known, texts) == set()


def test_a_published_value_is_found(built_project: BuiltProject, tmp_path: Path) -> None:
    """By the search here, and by the data test that every engine runs."""
    built = built_project("sample")
    project = DbtProject.copy(tmp_path, built.zone, "sample")
    shutil.copy(built.database, project.database)
    name = "assert_no_known_value_is_published"
    assert project.dbt("test", "--select", name)[name] == "pass"
    with duckdb.connect(str(project.database)) as connection:
        for statement in LEAKED_VALUES:
            connection.execute(statement)
    assert project.dbt("test", "--select", name, "--store-failures")[name] == "fail"
    found = project.query(f"select place from dbt_test__audit.{name}")  # noqa: S608 - the test's own name
    expected = {
        "machine_learning_curated_v2.customer_pseudonym",
        "machine_learning_curated_v3.age_band",
        "consent_history.customer_pseudonym",
        "consent_periods_snapshot.consent_period_id",
    }
    assert {place for (place,) in found} == expected
    schemas = {place.partition(".")[2] for place in places_of(known_values(project), published_texts(built, project))}
    assert schemas == expected


LEAKED_VALUES = (
    "update stedi.machine_learning_curated_v2 set customer_pseudonym ="
    " (select upper(email) from stedi_staging.stg_stedi__customers limit 1)",
    "update stedi.machine_learning_curated_v3 set age_band = 'Ask '"
    " || (select customer_name from stedi_staging.stg_stedi__customers where length(customer_name) > 8 limit 1)",
    "update stedi_privacy.consent_history set customer_pseudonym = 'x ' || customer_pseudonym || ' '"
    " || (select serial_number from stedi_staging.stg_stedi__customers limit 1)",
    "update stedi_privacy.consent_periods_snapshot set consent_period_id ="
    " (select phone from stedi_staging.stg_stedi__customers limit 1)",
)


@pytest.mark.quick
def test_short_values_are_looked_for_whole() -> None:
    texts = [("a", "lee"), ("b", "leeward"), ("c", "may"), ("d", ""), ("e", "ask neeraj lee"), ("f", "leea")]
    assert places_of({"leea", "neeraj lee", "may", ""}, texts) == {"e", "f"}


def known_values(project: DbtProject) -> set[str]:
    """Addresses, names, phones and serial numbers of all customers, in small letters."""
    rows = project.query(
        "select distinct unnest([email, customer_name, phone, serial_number]) from stedi_staging.stg_stedi__customers"
    )
    return {str(value).lower() for (value,) in rows if value is not None}


def published_texts(built: DbtProject, project: DbtProject | None = None) -> list[tuple[str, str]]:
    """Every text of STEDI's relations that may name nobody, in small letters, with where it stands.

    Sparkify's are left out: another domain, where an artist may bear the name of a customer. So are descriptions.
    """
    texts = []
    project = project or built
    for relation in relations_of(manifest_of(built)):
        _database, schema, table = relation.table
        names_nobody = relation.names_nobody or relation.holds_personal_data is False
        if not names_nobody or not schema.startswith("stedi") or table == "machine_learning_dictionary":
            continue
        for name, kind, *_rest in project.query(f"describe {schema}.{table}"):
            if kind not in NO_TEXT:
                query = f"select distinct cast({name} as varchar) from {schema}.{table} where {name} is not null"  # noqa: S608
                texts += [(f"{schema}.{table}.{name}", str(text).lower()) for (text,) in project.query(query)]
    return texts


def places_of(known: Iterable[str], texts: Iterable[tuple[str, str]]) -> set[str]:
    """Where known values stand: of 4 characters and more as a whole text, of 8 and more also inside of one.

    Shorter ones stand inside of words and hashes by chance, and an empty name is nobody's.
    """
    whole = {value for value in known if len(value) >= 4}
    long = [value for value in whole if len(value) >= 8]
    return {place for place, text in texts if text in whole or any(value in text for value in long)}


NO_TEXT = {"INTEGER", "BIGINT", "DOUBLE", "TIMESTAMP", "DATE", "BOOLEAN"}


# --------------------------------------------------------------------------------------------- the lineage of a query
@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("select email as contact from d.s.customers", "contact"),
        ("select Email from D.S.Customers", "email"),
        ("select upper(trim(email)) as x from d.s.customers", "x"),
        ("select sha256('salt' || email) as x from d.s.customers", "x"),
        ("select * from d.s.customers", "email"),
        ("select c.* from d.s.customers as c", "email"),
        ("select * exclude (name) from d.s.customers", "email"),
        ("select 'nobody' as x union all select email from d.s.customers", "x"),
        ("select distance as x from d.s.steps union select length(email) from d.s.customers", "x"),
        ("select first_value(email) over (order by updated) as x from d.s.customers", "x"),
        ("select max(email) over (partition by name) as x from d.s.customers", "x"),
        ("select dense_rank() over (order by email) as x from d.s.customers", "x"),
        ("select case when email like 'a%' then 1 else 0 end as x from d.s.customers", "x"),
        ("select email is not null as x from d.s.customers", "x"),
        ("select {'who': email, 'when': updated} as x from d.s.customers", "x"),
        ("with s as (select {'who': email} as t from d.s.customers) select t.who as x from s", "x"),
        ("select [email, name] as x from d.s.customers", "x"),
        ("select unnest([email]) as x from d.s.customers", "x"),
        ("select u.v as x from d.s.customers as c, unnest([c.email]) as u (v)", "x"),
        ("select to_json({'e': email}) as x from d.s.customers", "x"),
        ("with a as (select * from d.s.customers), b as (select email as e from a) select * from b", "e"),
        ("select distance, (select max(email) from d.s.customers) as x from d.s.steps", "x"),
        ("select x from (select email as x from d.s.customers) as t", "x"),
        ("select string_agg(name order by email) as x from d.s.customers", "x"),
        ("select count(email) as x from d.s.customers", "x"),
        ("select max(name) filter (where email = 'a') as x from d.s.customers", "x"),
        ("select c.updated, coalesce(s.serial, c.email) as x from d.s.customers c full join d.s.steps s on true", "x"),
        ("select name in (select email from d.s.customers) as x from d.s.customers", "x"),
    ],
)  # fmt: skip
def test_a_value_is_followed(sql: str, column: str) -> None:
    assert Origin(CUSTOMERS, "email") in column_lineage(sql, TABLES)[column]


@pytest.mark.parametrize(
    "sql",
    [
        "select s.distance from d.s.steps as s inner join d.s.customers as c on s.serial = c.email",
        "select distance from d.s.steps where serial in (select email from d.s.customers)",
        "select count(*) as distance from d.s.customers where email is not null group by email having min(email) > 'a'",
        "select row_number() over (partition by email order by updated) as distance from d.s.customers",
        "with c as (select * from d.s.customers) select updated as distance from c order by email",
        "select email, distance from d.s.steps cross join (select 1 as email) as t",
    ],
)
def test_what_selects_rows_is_no_lineage(sql: str) -> None:
    assert Origin(CUSTOMERS, "email") not in column_lineage(sql, TABLES)["distance"]


@pytest.mark.parametrize(
    "sql",
    [
        "select email from d.s.strangers",
        "select mail from d.s.customers",
        "select customers as whole_row from d.s.customers",
        "select columns('e.*') from d.s.customers",
        "select (select max(c.email || s.serial) from d.s.customers as c) as x from d.s.steps as s",
        "select e from d.s.customers pivot (count(*) for name in ('a'))",
        "select t.x from d.s.steps, lateral (select max(email) as x from d.s.customers) as t",
        "select rank() over w as x from d.s.customers window w as (order by email)",
        "select updated as y, 1 as x from d.s.customers union by name select email as x, name as y from d.s.customers",
        "not a query",
    ],
)
def test_what_cannot_be_followed_is_refused(sql: str) -> None:
    """Nothing counts as free of personal data because it was not understood."""
    with pytest.raises(LineageError):
        column_lineage(sql, TABLES)


# ------------------------------------------------------------------------------------------------- tags and lineage
def landing(**columns: Column) -> Relation:
    return Relation(CUSTOMERS, True, columns)


def made(name: str, sql: str, holds: object = True, **columns: Column) -> Relation:
    return Relation(("d", "s", name), holds, columns, sql)


EMAIL = Column("identifier")
RAW = landing(email=EMAIL, updated=Column())
ALL = "select email, updated from d.s.customers"


@pytest.mark.quick
def test_true_tags_have_no_fault() -> None:
    treated = Column("pseudonym", treatment="keyed hash")
    chain = [
        RAW,
        made("staged", ALL, email=EMAIL),
        made("hashed", "select email, hmac(email) as p from d.s.staged", email=EMAIL, p=treated),
        made("published", "select p as person, 1 as one from d.s.hashed", holds=False, person=Column("pseudonym")),
        made("counted", "select count(*) as n from d.s.hashed", holds=False),
    ]
    assert faults(chain) == []
    assert treated_columns(chain) == {"hashed.p"}


@pytest.mark.parametrize(
    ("relation", "fault"),
    [
        (made("m", ALL), "m.email derives from customers.email, and is not tagged"),
        (made("m", ALL, False, email=EMAIL), "m.email holds customers.email, and m may hold no personal data"),
        (made("m", ALL, email=EMAIL, updated=EMAIL), "m.updated is tagged, and derives from nothing personal"),
        (made("m", ALL, email=Column("secret")), "m.email is tagged 'secret', which is no kind of personal data"),
        (made("m", ALL, None, email=EMAIL), "m does not say whether it holds personal data"),
        (made("m", ALL, "no", email=EMAIL), "m does not say whether it holds personal data"),
        (made("m", "select updated from d.s.customers"), "m says that it holds personal data, and holds none"),
        (made("m", ALL, email=EMAIL, updated=Column(None, "x")), "m.updated is treated, and not tagged"),
    ],
)
def test_a_false_tag_is_found(relation: Relation, fault: str) -> None:
    assert faults([RAW, relation]) == [fault]


def test_a_value_is_followed_through_relations_and_snapshots() -> None:
    staged = made("staged", ALL, email=EMAIL)
    snapshot = replace(
        made("kept", "select * from d.s.staged", email=EMAIL), derived={"dbt_scd_id": ("email", "updated")}
    )
    leak = made("leak", "select dbt_scd_id as key from d.s.kept", holds=False)
    assert faults([RAW, staged, snapshot, leak]) == [
        "kept.dbt_scd_id derives from customers.email, and is not tagged",
        "leak.key derives from customers.email, and is not tagged",
        "leak.key holds customers.email, and leak may hold no personal data",
    ]


def test_a_value_that_was_treated_elsewhere_does_not_excuse_the_raw_one() -> None:
    hashed = made(
        "hashed", "select email, hmac(email) as p from d.s.customers", email=EMAIL, p=Column("pseudonym", "keyed hash")
    )
    both = made("both", "select p || email as x from d.s.hashed", holds=False, x=Column("pseudonym"))
    assert faults([RAW, hashed, both]) == ["both.x holds customers.email, and both may hold no personal data"]
