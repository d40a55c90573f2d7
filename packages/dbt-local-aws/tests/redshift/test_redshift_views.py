"""Views that bind, that bind late, and that are materialized.

Sources: CREATE VIEW, CREATE MATERIALIZED VIEW, REFRESH MATERIALIZED VIEW and PG_GET_LATE_BINDING_VIEW_COLS in the
Amazon Redshift Database Developer Guide.
"""

from typing import Any

import pytest
from raw_client import RawClient  # type: ignore[import-not-found]  # pytest has this folder on its path

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connection, ProgrammingError, rows, run


@pytest.mark.documented("r_CREATE_VIEW", "as documented")
def test_a_view_binds(connection: Connection) -> None:
    run(connection, "create table t as select 1 as a", "create view v as select a from t")
    with pytest.raises(ProgrammingError, match="other objects depend on it"):
        run(connection, "drop table t")
    run(connection, "drop table t cascade")
    with pytest.raises(ProgrammingError, match="does not exist"):
        rows(connection, "select * from v")


@pytest.mark.documented("r_CREATE_VIEW", "as documented")
def test_a_late_binding_view_survives_its_table(connection: Connection) -> None:
    run(
        connection,
        "create table case_schema.t as select 1 as a",
        "create view v as select a from case_schema.t with no schema binding",
    )
    assert rows(connection, "select a from v where a = 1") == [[1]]
    run(connection, "drop table t")
    with pytest.raises(ProgrammingError, match=r'relation "case_schema\.t" does not exist'):
        rows(connection, "select * from v")
    run(connection, "create table t as select 'now a text' as a, 2 as b")
    assert rows(connection, "select * from v") == [["now a text"]]
    run(connection, "drop table t cascade", "create table t as select 3 as a")
    assert rows(connection, "select * from v") == [[3]]


@pytest.mark.documented("r_CREATE_VIEW", "as documented")
def test_a_view_that_binds_takes_the_place_of_one_that_binds_late(connection: Connection) -> None:
    run(
        connection,
        "create table t as select 1 as a",
        "create view v as select a from case_schema.t with no schema binding",
        "create or replace view v as select a + 1 as b from t",
    )
    assert rows(connection, "select * from v") == [[2]]
    run(connection, "create or replace view v as select a + 2 as b from t")
    assert rows(connection, "select b from v") == [[3]]


@pytest.mark.documented("r_CREATE_VIEW", "as documented")
def test_a_late_binding_view_may_come_before_its_table(connection: Connection) -> None:
    run(connection, "create view v as select * from case_schema.later with no schema binding")
    run(connection, "create table later as select 5 as n")
    assert rows(connection, "select v.n, other.n from v join case_schema.v as other on v.n = other.n") == [[5, 5]]


def test_a_prepared_statement_reads_the_view_as_it_is(connection: Connection) -> None:
    """The driver prepares a statement once, and runs it again by its name."""
    cursor = run(
        connection, "create table t (a int)", "create view v as select a from case_schema.t with no schema binding"
    )
    assert rows(connection, "select * from v") == []
    run(connection, "insert into t values (1)")
    assert rows(connection, "select * from v") == [[1]]
    cursor.execute("select count(*) from dev.case_schema.v where a = %s", (1,))
    assert cursor.fetchall() == ([1],)


@pytest.mark.parametrize("binding", ["", " with no schema binding"])
def test_a_prepared_statement_reads_the_view_that_took_its_place(
    redshift: LocalRedshift, connection: Connection, binding: str
) -> None:
    """What was worked out for the former one, as the columns that are left, does not count."""
    view = f"create view v as select {{}} from case_schema.t{binding}"  # noqa: S608 - the test's own words
    run(connection, "create table t as select 1 as a, 2 as b", view.format("a, b"))
    client = RawClient(redshift).log_in()
    for replacement, value in (
        ((), b"1"),
        (("drop view v", view.format("b, a + 4 as c")), b"5"),
        (("drop view v", "create table v as select 3 as b, 7 as d"), b"7"),
    ):
        client.parse("select * exclude b from case_schema.v", value)
        client.send(b"S")
        client.read_until(b"Z")
        run(connection, *replacement)
        client.execute(value)
        assert [body[6:] for kind, body in client.read_until(b"Z") if kind == b"D"] == [value]
    client.close()


@pytest.mark.documented("r_CREATE_VIEW", "as documented")
def test_late_binding_views_upon_each_other(connection: Connection) -> None:
    run(
        connection,
        "create table t as select 1 as a",
        "create view one as select a from case_schema.t with no schema binding",
        "create view two (renamed) as select a + 1 from case_schema.one with no schema binding",
        "create view bound as select renamed from two",
        "create table made as with two as (select 7 as renamed) select renamed from two",
    )
    assert rows(connection, "select renamed from two union all select renamed from bound") == [[2], [2]]
    assert rows(connection, "select renamed from made") == [[7]]


@pytest.mark.documented("r_CREATE_VIEW", "as documented")
def test_a_late_binding_view_is_replaced_and_renamed(connection: Connection) -> None:
    run(
        connection,
        "create table t as select 1 as a",
        "create view v as select a from case_schema.t with no schema binding",
        "create or replace view v as select a + 1 as b from case_schema.t with no schema binding",
        "alter table v rename to w",
    )
    assert rows(connection, "select b from w") == [[2]]
    run(connection, "drop view w")
    with pytest.raises(ProgrammingError, match="does not exist"):
        rows(connection, "select b from w")


@pytest.mark.documented("PG_GET_LATE_BINDING_VIEW_COLS", "as documented")
def test_the_columns_of_late_binding_views(connection: Connection) -> None:
    run(
        connection,
        "create table t (a int, b varchar(7), c numeric(5, 2))",
        "create view v as select * from case_schema.t with no schema binding",
        "create view broken as select * from case_schema.missing with no schema binding",
    )
    query = """
        select col_name, col_type, col_num from pg_get_late_binding_view_cols()
            cols(view_schema name, view_name name, col_name name, col_type varchar, col_num int)
        where view_schema = 'case_schema' order by col_num
    """
    for status in ("rollback", "begin"):
        run(connection, status)
        assert rows(connection, query) == [
            ["a", "integer", 1],
            ["b", "character varying(7)", 2],
            ["c", "numeric(5,2)", 3],
        ]
    run(connection, "rollback")


def test_views_are_shown_with_their_definitions(connection: Connection) -> None:
    run(
        connection,
        "create table t as select 1 as a",
        "create view late as select a from case_schema.t with no schema binding",
        "create materialized view m backup no auto refresh yes as (select a from t)",
    )
    query = "select viewname, definition from pg_views where schemaname = 'case_schema' order by 1"
    late, materialized = rows(connection, query)
    assert late[0] == "late"
    assert "with no schema binding" in str(late[1])
    assert materialized[0] == "m"
    assert str(materialized[1]).startswith("create materialized view m")
    query = "select table_name from information_schema.views where view_definition ilike '%create materialized view%'"
    assert ["m"] in rows(connection, query)


@pytest.mark.documented("materialized-view-refresh-sql-command", "as documented")
def test_a_materialized_view_is_as_it_was_refreshed(connection: Connection) -> None:
    run(
        connection,
        "create table t as select 1 as a",
        "create materialized view m diststyle key distkey (a) sortkey (a) as select a, count(*) as n from t group by a",
        "insert into t values (1), (2)",
    )
    assert rows(connection, "select * from m") == [[1, 1]]
    run(connection, "refresh materialized view m")
    assert rows(connection, "select * from m order by a") == [[1, 2], [2, 1]]
    assert rows(connection, "select diststyle, sortkey1 from svv_table_info where \"table\" = 'm'") == [["KEY(a)", "a"]]
    assert rows(connection, "select autorefresh from svv_mv_info where name = 'm'") == [["f"]]
    run(connection, "alter materialized view m auto refresh yes")
    assert rows(connection, "select autorefresh from svv_mv_info where name = 'm'") == [["t"]]
    run(connection, "drop materialized view m", "drop materialized view if exists m")
    assert rows(connection, "select relname from pg_class where relname like 'mv!_tbl!_!_m!_!_%' escape '!'") == []


@pytest.mark.documented("materialized-view-refresh-sql-command", "refused as documented")
def test_what_is_no_materialized_view_is_not_refreshed(connection: Connection) -> None:
    run(connection, "create table t (a int)")
    with pytest.raises(ProgrammingError, match="is not a materialized view"):
        run(connection, "refresh materialized view t")


def test_a_schema_may_be_named_with_its_database(connection: Connection) -> None:
    run(
        connection,
        'create schema if not exists "dev"."other_schema"',
        'drop schema if exists "dev"."other_schema" cascade',
    )
    with pytest.raises(ProgrammingError, match="another database"):
        run(connection, "create schema elsewhere.other_schema")


@pytest.mark.documented("r_SHOW", "as documented")
def test_show(connection: Connection) -> None:
    run(
        connection,
        "create table t (a varchar(5) not null, b numeric(5, 2)) diststyle all",
        "create view v as select a from t",
        "create view l as select a from case_schema.t with no schema binding",
        "create materialized view m as select a from t",
        "comment on table t is 'what it is'",
    )
    query = "show tables from schema dev.case_schema like '_'"
    cursor = run(connection, query)
    shown: list[dict[str, Any]] = [
        dict(zip([c[0] for c in cursor.description], row, strict=True)) for row in cursor.fetchall()
    ]
    assert [(row["table_name"], row["table_type"], row["table_subtype"], row["remarks"]) for row in shown] == [
        ("l", "VIEW", "LATE BINDING VIEW", None),
        ("m", "VIEW", "MATERIALIZED VIEW", None),
        ("t", "TABLE", "REGULAR TABLE", "what it is"),
        ("v", "VIEW", "REGULAR VIEW", None),
    ]
    columns = rows(connection, 'show columns from table "dev"."case_schema"."t"')
    assert [row[3:10] for row in columns] == [
        ["a", 1, None, "NO", "character varying", 5, None],
        ["b", 2, None, "YES", "numeric", None, 5],
    ]
    assert ["case_schema"] in [row[1:2] for row in rows(connection, "show schemas from database dev like 'case%'")]
    with pytest.raises(ProgrammingError, match='Schema "missing" does not exist'):
        rows(connection, "show tables from schema dev.missing")
