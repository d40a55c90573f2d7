"""What an erasure asks of the engine stays within what the engines take; on DuckDB, whose limits a test can set."""

import os
import secrets
from collections.abc import Iterator

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from dbt_project import DbtProject
from lakehouse.console import ConsoleReporter
from lakehouse.environment import variables
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.privacy import proof
from lakehouse.privacy.proof import forget_pseudonyms, search_engine

REDSHIFTS_LIMIT = 65_535  # docs.aws.amazon.com/redshift/latest/dg/r_enable_large_strings_opt_in.html
ATHENAS_LIMIT = 262_144  # docs.aws.amazon.com/athena/latest/ug/service-limits.html


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DbtSession]:
    folder = tmp_path_factory.mktemp("search")
    project = DbtProject.copy(folder / "project", folder / "zone", "small")
    with variables({"LANDING_ZONE": str(project.zone), "DUCKDB_PATH": str(project.database)}):
        session = DbtSession(project.folder, "duckdb", "small", ConsoleReporter().console, work_dir=folder / "work")
        session.parse()
        yield session
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def execute(*statements: str) -> list[tuple[object, ...]]:
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    with duckdb.connect(os.environ["DUCKDB_PATH"]) as connection:
        return [row for statement in statements for row in connection.execute(statement).fetchall()]


def test_a_value_longer_than_any_that_is_looked_for_is_not_hashed(dbt: DbtSession) -> None:
    """The macro stands for Redshift, which fails where a text function is given too much."""
    execute(
        "create schema if not exists loader",
        "create or replace table loader.quarantine as "
        f"select unnest(['x' || repeat('é', {REDSHIFTS_LIMIT // 2 - 1}), 'Ann@x.com']) as record_base64",
        "create or replace macro main.sha256(given) as case "
        f"when strlen(given) > {REDSHIFTS_LIMIT} then error('string function exceeds the limit') "
        "else system.main.sha256(given) end",
    )
    try:
        with pytest.raises(duckdb.Error, match="exceeds the limit"):
            execute("select sha256(repeat('n', 64) || record_base64) from loader.quarantine")
        assert search_engine(dbt, {"ann@x.com"}) == {"loader.quarantine.record_base64": 1}
    finally:
        execute("drop macro main.sha256", "drop table loader.quarantine")


def test_letters_that_engines_and_python_put_in_lower_case_each_their_own_way_are_found(dbt: DbtSession) -> None:
    execute("create schema if not exists stedi", "create table stedi.t as select 'İİİİİİİİİİİİ@x.com' as email")
    try:
        assert search_engine(dbt, {"İİİİİİİİİİİİ@x.com"}) == {"stedi.t.email": 1}
    finally:
        execute("drop table stedi.t")


def test_many_people_are_looked_for_in_queries_that_athena_takes(
    dbt: DbtSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"person{n}@x.com" for n in range(5000)]
    execute(
        "create schema if not exists stedi",
        f"create table stedi.t as select unnest({people[::-1]}) as email, 'Person7@x.com' as b, 'nobody' as c, 1 as d",
    )
    lengths: list[int] = []
    add_query = DuckDBConnectionManager.add_query

    def measured(self: DuckDBConnectionManager, sql: str, *args: object, **options: object) -> object:
        lengths.append(len(sql.encode()))
        return add_query(self, sql, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(DuckDBConnectionManager, "add_query", measured)
    try:
        assert search_engine(dbt, people) == {"stedi.t.email": 5000, "stedi.t.b": 5000}
        assert max(lengths) < ATHENAS_LIMIT
        assert sum(length > ATHENAS_LIMIT // 2 for length in lengths) > 5  # it took several
    finally:
        execute("drop table stedi.t")


def test_a_word_is_looked_for_in_columns_of_addresses_only(dbt: DbtSession) -> None:
    execute(
        "create schema if not exists stedi",
        "create table stedi.t as select 'customer' as email, 'Customer' as table_name, ' Customer' as user",
    )
    try:
        assert search_engine(dbt, {"customer"}, only_columns=["Email", "user"]) == {"stedi.t.email": 1}
        assert search_engine(dbt, {"customer"}) == {"stedi.t.email": 1, "stedi.t.table_name": 1}
        assert search_engine(dbt, {"customer"}, exact=True) == {"stedi.t.email": 1}
        assert search_engine(dbt, {"Customer"}, exact=True) == {"stedi.t.table_name": 1}
        assert search_engine(dbt, set()) == {}
    finally:
        execute("drop table stedi.t")


def test_many_pseudonyms_are_forgotten(dbt: DbtSession) -> None:
    some = [secrets.token_hex(32) for _ in range(5000)]
    execute(
        "create schema if not exists stedi_privacy",
        "create table stedi_privacy.consent_periods_snapshot as "
        f"select unnest({some}) as customer_pseudonym, 'k' as consent_period_id, 's' as dbt_scd_id",
    )
    try:
        forget_pseudonyms(dbt, some[1:])
        left = execute("select customer_pseudonym from stedi_privacy.consent_periods_snapshot")
        assert {name for (name,) in left} & set(some) == {some[0]}
        assert len(set(left)) == len(some)
        assert proof.search_engine(dbt, {some[0]}) == {"stedi_privacy.consent_periods_snapshot.customer_pseudonym": 1}
    finally:
        execute("drop table stedi_privacy.consent_periods_snapshot")
