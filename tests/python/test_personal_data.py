"""Personal data stays where it may be: by the lineage of every column, and by the values themselves."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dbt_project import DbtProject
from personal_data import (
    Column,
    LineageError,
    Origin,
    Relation,
    column_lineage,
    faults,
    relations_of,
    treated_columns,
)

BuiltProject = Callable[[str], DbtProject]

TREATED = {
    "customer_pseudonyms.customer_pseudonym",
    "int_stedi__customer_profiles.age_band",
    "consent_periods_snapshot.consent_period_id",
    "consent_periods_snapshot.consented_from",
    "consent_periods_snapshot.consented_until",
    "published_anonymity.customers",
}
"""Where a personal value is made fit to leave the relations that hold personal data. One more is a decision."""

CUSTOMERS, STEPS = ("d", "s", "customers"), ("d", "s", "steps")
TABLES = {CUSTOMERS: ("email", "name", "updated"), STEPS: ("serial", "distance")}


# ------------------------------------------------------------------------------------------------------ this project
def test_every_tag_tells_the_truth(built_project: BuiltProject) -> None:
    assert faults(relations_of(manifest_of(built_project("sample")))) == []


def test_nothing_is_treated_that_was_not_decided(built_project: BuiltProject) -> None:
    assert treated_columns(relations_of(manifest_of(built_project("sample")))) == TREATED


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
JOINED = """
    select steps.distance_from_object from {{ ref('step_trainer_trusted') }} as steps
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
    (folder / "silent.sql").write_text("{{ config(contract={'enforced': false}) }}\nselect 1 as one")
    project.dbt("compile", "--no-introspect", "--no-populate-cache")
    found = faults(relations_of(manifest_of(project)))
    for name, (_sql, column) in LEAKS.items():
        assert [f for f in found if f.startswith(f"{name}.{column} holds ")], (name, found)
        assert [f for f in found if f.startswith(f"{name}.{column} derives from ")], (name, found)
    assert not [f for f in found if f.startswith("joined")]
    assert "silent does not say whether it holds personal data" in found


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
