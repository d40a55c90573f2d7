"""What an erasure asks of Redshift and Athena, through the unmodified adapters on local endpoints."""

from typing import TYPE_CHECKING, Any

import pytest

from dbt_project import DbtProject
from lakehouse.dbt_session import DbtSession
from lakehouse.erasure import erase_from_zone
from lakehouse.erasure_proof import forget_pseudonyms, search_engine
from lakehouse.reporting import ConsoleReporter
from landing_helpers import TABLES
from test_register import small_sample, warehouse  # noqa: F401 - fixtures
from warehouses import Warehouse, endpoints  # noqa: F401 - one is a fixture

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [  # of the adapters and the driver
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
SNAPSHOT = "stedi_privacy.consent_periods_snapshot"
STORED = "unique_int_stedi__customer_profiles_email"
ROWS = "select count(*), count(distinct dbt_scd_id) from stedi_privacy.consent_periods_snapshot"


def test_people_are_found_and_forgotten(warehouse: Warehouse, tmp_path: "Path") -> None:  # noqa: F811 - the fixture
    project = DbtProject.copy(tmp_path / "project", tmp_path, "small")
    dbt = DbtSession(project.folder, warehouse.target, "small", ConsoleReporter().console, work_dir=tmp_path / "work")
    dbt.parse()
    dbt.run_models(["+int_stedi__customer_profiles", "+int_stedi__consent_periods"])
    assert warehouse.dbt("snapshot")
    ((email, pseudonym),) = warehouse.query(
        "select email, customer_pseudonym from stedi_staging.int_stedi__customer_profiles "
        "where customer_pseudonym in (select customer_pseudonym from stedi_privacy.consent_periods_snapshot) "
        "order by email limit 1"
    )
    rows = warehouse.query(ROWS)
    warehouse.query("create table stedi_privacy.of_a_former_model as select 'x' as a, 'A@b.cd' as b")
    assert search_engine(dbt, {"a@B.cd"}) == {"stedi_privacy.of_a_former_model.b": 1}
    found = search_engine(dbt, {email.upper(), pseudonym})
    assert found["stedi_landing.customer_landing.email"] >= 1
    assert found["stedi_landing.customer_pseudonyms.customer_pseudonym"] == 1
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

    if warehouse.target == "athena":
        check_that_a_killed_swap_is_mended(warehouse, dbt, rows)

    erase_from_zone(warehouse.zone, TABLES, [email], print)
    dbt.operation("register_landing")
    assert not [place for place in search_engine(dbt, {email, pseudonym}) if place.startswith("stedi_landing.")]
    assert warehouse.agrees(), "\n".join(warehouse.messages)


def check_that_a_killed_swap_is_mended(warehouse: Warehouse, dbt: DbtSession, rows: list[list[Any]]) -> None:  # noqa: F811 - the fixture
    """On Athena, the snapshot is written anew beside itself: killed at any step, at least one of the two is whole."""
    rename = "alter table `stedi_privacy`.`{}` rename to `stedi_privacy`.`{}`"
    name, without, with_them = "consent_periods_snapshot", f"{SNAPSHOT}__without", f"{SNAPSHOT}__with"
    copy = "create table {} with (table_type = 'iceberg', is_external = false, location = '{}') as select * from {}"
    place = f"s3://lake/{warehouse.folder.name}/half"
    warehouse.query(copy.format(without, f"{place}1/", SNAPSHOT))  # before the swap
    forget_pseudonyms(dbt, {"nobody's"})
    assert warehouse.query(ROWS) == rows
    warehouse.query(copy.format(without, f"{place}2/", SNAPSHOT))  # in the middle of it
    warehouse.query(rename.format(name, f"{name}__with"))
    forget_pseudonyms(dbt, {"nobody's"})
    assert warehouse.query(ROWS) == rows
    warehouse.query(copy.format(with_them, f"{place}3/", SNAPSHOT))  # after it
    forget_pseudonyms(dbt, {"nobody's"})
    assert warehouse.query(ROWS) == rows
    relations = warehouse.query("show tables in stedi_privacy 'consent_periods_snapshot*'")
    assert [value for row in relations for value in row] in ([name], [])
    for left in (without, with_them):
        with pytest.raises(Exception, match=left.rpartition(".")[2]):
            warehouse.query(f"select count(*) from {left}")  # noqa: S608 - the test's own name
