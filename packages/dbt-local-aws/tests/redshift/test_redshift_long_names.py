"""Names of up to 127 bytes.

Source: "Names and identifiers" (r_names) in the Amazon Redshift Database Developer Guide.
"""

# ruff: noqa: S608 - a case is a line, and the names are our own

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

pytestmark = pytest.mark.documented("r_names", "as documented")

TABLE = "a_test_of_a_model_that_has_a_rather_long_name_and_many_columns_" + "x" * 64  # 127 bytes
OTHER = TABLE[:-1] + "y"
COLUMN = "accepted_values_" + "c" * 100


def test_tables_and_columns(connection: Connection) -> None:
    run(
        connection,
        f"create table {TABLE} ({COLUMN} int, b varchar(5)) distkey ({COLUMN}) sortkey ({COLUMN})",
        f"create table {OTHER.upper()} (a int)",
        f"insert into {TABLE} ({COLUMN}, b) values (1, 'x')",
        f"update \"{TABLE}\" set {COLUMN} = {COLUMN} + 1 where {TABLE}.b = 'x'",
        f"alter table {TABLE} add column {OTHER} int",
        f"create view {TABLE}_v as select {COLUMN} from {TABLE}".replace("_xx", "_", 1),
    )
    cursor = run(connection, f"select {COLUMN}, t.b, {COLUMN} / 2.5 as {OTHER} from case_schema.{TABLE} as t")
    assert [column[0] for column in cursor.description] == [COLUMN, "b", OTHER]
    assert [list(map(str, row)) for row in cursor.fetchall()] == [["2", "x", "0.8000"]]
    assert rows(connection, f"select count(*) from {OTHER}") == [[0]]


def test_the_catalogue(connection: Connection) -> None:
    run(
        connection,
        f"create table {TABLE} ({COLUMN} int primary key)",
        f"insert into {TABLE} values (1)",
        f"create view v as select {COLUMN} from {TABLE}",
        f"create view late as select {COLUMN} from case_schema.{TABLE} with no schema binding",
    )
    for query, expected in (
        (f"select table_name from svv_tables where table_name = '{TABLE}'", TABLE),
        (f'select "table" from svv_table_info where "table" = \'{TABLE}\'', TABLE),
        (f"select tablename from pg_tables where tablename = '{TABLE}' and schemaname = 'case_schema'", TABLE),
        (f"select column_name from information_schema.columns where table_name = '{TABLE}'", COLUMN),
        (f"select \"column\" from pg_table_def where tablename = '{TABLE}'", COLUMN),
        (
            f"select constraint_name from information_schema.table_constraints where table_name = '{TABLE}'",
            f"{TABLE}_pkey",
        ),
    ):
        assert rows(connection, query) == [[expected]], query
    assert TABLE in [row[2] for row in rows(connection, "show tables from schema dev.case_schema")]
    ((shown,),) = rows(connection, f"show table {TABLE}")
    assert f"CREATE TABLE case_schema.{TABLE} (\n{COLUMN} integer NOT NULL" in str(shown).replace('"', "")
    ((view,),) = rows(connection, "show view late")
    assert TABLE in str(view)
    assert rows(connection, "select * from late") == [[1]]


def test_other_sessions_know_it(connection: Connection, connect: Connect) -> None:
    run(connection, f"create table {TABLE} (a int)")
    with connect() as other:
        assert rows(other, f"select count(*) from case_schema.{TABLE}") == [[0]]


def test_other_objects(connection: Connection) -> None:
    run(
        connection,
        f"create temp table {OTHER} as (select 1 as a)",
        f"create schema {TABLE}",
        f"create table {TABLE}.t as select a from {OTHER}",
        f"create materialized view {OTHER[:100]} as select a from {TABLE}.t",
        f"refresh materialized view {OTHER[:100]}",
    )
    assert rows(connection, f"select a from {TABLE}.t") == [[1]]
    assert rows(connection, f"with {OTHER[:90]} as (select a from {OTHER[:100]}) select * from {OTHER[:90]}") == [[1]]
    assert rows(connection, f"select schema_name from svv_redshift_schemas where schema_name = '{TABLE}'") == [[TABLE]]
    run(connection, f"drop schema {TABLE} cascade")


def test_errors_name_it(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match=f"{TABLE}.* does not exist"):
        run(connection, f"select * from {TABLE}")


@pytest.mark.documented("r_names", "refused as documented")
def test_longer_names(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match="longer than 127 bytes"):
        run(connection, f"create table {TABLE}x (a int)")
    run(connection, "create table short (a int)")
    with pytest.raises(ProgrammingError, match="longer than 127 bytes"):
        run(connection, f"select a as {TABLE}x from short")
