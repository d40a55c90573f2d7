"""What an erasure asks of Redshift and Athena, through the unmodified adapters on local endpoints."""

from pathlib import Path

import boto3
import pytest

from lakehouse.privacy.proof import forget_pseudonyms, search_engine
from lakehouse.privacy.s3 import prefix_of
from lakehouse.privacy.zone import erase_from_zone
from landing_helpers import TABLES
from lanes import on_athena_alone, on_engines
from warehouses import Warehouse
from whole_run import PERSON, SNAPSHOT, WholeRun, dbt_session

pytestmark = [  # warnings are of the adapters and the driver
    on_engines,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
STORED = "unique_int_stedi__customer_profiles_canonical_email"
ROWS = "select count(*), count(distinct dbt_scd_id) from stedi_privacy.consent_periods_snapshot"


def test_people_are_found_and_forgotten(warehouse: Warehouse, whole_run: WholeRun) -> None:
    dbt = dbt_session(whole_run)
    dbt.parse()
    ((email, pseudonym),) = warehouse.query(PERSON)
    rows = warehouse.query(ROWS)
    warehouse.query("create table stedi_privacy.of_a_former_model as select 'x' as a, 'A@b.cd' as b")
    assert search_engine(dbt, {"a@B.cd"}) == {"stedi_privacy.of_a_former_model.b": 1}
    found = search_engine(dbt, {email.upper(), pseudonym})
    assert found["stedi_landing.customer_landing.email"] >= 1
    assert found["stedi_landing.customer_identities.customer_pseudonym"] == 1
    assert found[f"{SNAPSHOT}.customer_pseudonym"] >= 1
    assert search_engine(dbt, {"nobody@example.com"}) == {}

    assert warehouse.dbt("test", "--select", STORED, "--store-failures")
    assert warehouse.query(f"select count(*) from dbt_test__audit.{STORED}")  # noqa: S608 - the test's own name
    dbt.operation("drop_stored_failures")
    with pytest.raises(Exception, match="dbt_test__audit"):
        warehouse.query(f"select count(*) from dbt_test__audit.{STORED}")  # noqa: S608 - the test's own name

    forget_pseudonyms(dbt, {pseudonym})
    after = search_engine(dbt, {email, pseudonym})
    assert f"{SNAPSHOT}.customer_pseudonym" not in after
    assert warehouse.query(ROWS) == rows
    assert {place: count for place, count in found.items() if not place.startswith(SNAPSHOT)} == after

    erase_from_zone(warehouse.zone, TABLES, [email], print)
    dbt.register()
    assert not [place for place in search_engine(dbt, {email, pseudonym}) if place.startswith("stedi_landing.")]
    assert warehouse.agrees(), "\n".join(warehouse.messages)


@on_athena_alone
def test_on_athena_a_killed_swap_of_the_snapshot_is_mended(
    warehouse: Warehouse, whole_run: WholeRun, tmp_path: Path
) -> None:
    """It is written anew beside itself. Killed at any step, at least one of the two is whole. The run's own is gone."""
    dbt = dbt_session(whole_run)
    dbt.parse()
    ann, bob = "a" * 64, "b" * 64
    columns = "consent_period_id, customer_pseudonym, dbt_scd_id"
    values = f"(values ('k1', '{ann}', 's1'), ('k2', '{bob}', 's2')) as t ({columns})"
    make = "create table {} with (table_type = 'iceberg', is_external = false, location = '{}/') as select * from {}"
    place = f"s3://lake/{tmp_path.name}"
    warehouse.query(f"drop table {SNAPSHOT}")
    warehouse.query(make.format(SNAPSHOT, f"{place}/0", values))

    def pseudonyms() -> set[str]:
        rows = warehouse.query(f"select customer_pseudonym, consent_period_id, dbt_scd_id from {SNAPSHOT}")  # noqa: S608
        assert [row[1:] for row in rows if row[0] == bob] == [["k2", "s2"]]
        return {name for name, *_ in rows}

    forget_pseudonyms(dbt, {ann})
    (new,) = pseudonyms() - {bob}
    assert new != ann
    assert files_below(f"{place}/0") == 0
    name = "`stedi_privacy`.`consent_periods_snapshot"
    rename = f"alter table {name}` rename to {name}__with`"
    for number, steps in enumerate(
        (
            [make.format(f"{SNAPSHOT}__without", f"{place}/1", SNAPSHOT)],  # killed before the swap
            [make.format(f"{SNAPSHOT}__without", f"{place}/2", SNAPSHOT), rename],  # in the middle
            [make.format(f"{SNAPSHOT}__with", f"{place}/3", values)],  # after it: the old one is still there
        ),
        start=1,
    ):
        for step in steps:
            warehouse.query(step)
        forget_pseudonyms(dbt, {"nobody's"})
        assert pseudonyms() == {new, bob}
        assert files_below(f"{place}/{number}") == 0
    for left in ("__without", "__with"):
        with pytest.raises(AssertionError, match="FAILED"):
            warehouse.query(f"select count(*) from {SNAPSHOT}{left}")  # noqa: S608 - the test's own name


def files_below(place: str) -> int:
    """The number of objects below a place."""
    bucket, prefix = prefix_of(f"{place}/")
    return int(boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"])
