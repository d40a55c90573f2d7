"""Precision and scale of what is computed of decimals: in results, in tables and in views that are made of them.

Sources: "Computations with numeric values", AVG and SUM in the Amazon Redshift Database Developer Guide.
"""

# ruff: noqa: E501, S608 - a case is a line, and the table is our own

from collections.abc import Iterator
from decimal import Decimal

import pytest

from dbt_local_aws.redshift.decimals.rules import Decimal as Type
from dbt_local_aws.redshift.decimals.rules import added, divided, multiplied, united
from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

pytestmark = pytest.mark.documented("r_numeric_computations201", "as documented")

COLUMNS = "p decimal(8,2), c decimal(8,2), q smallint, n int, b bigint, f float, k varchar(5), w decimal(19,2)"
RELATION = "decimals.s"

# (an expression over RELATION, the type that a table has which is made of it)
TYPES: list[tuple[str, str]] = [
    # the page's examples
    ("p / c", "numeric(17,9)"),
    ("c * q", "numeric(14,2)"),
    # INTEGER, SMALLINT and BIGINT are DECIMAL(10,0), (5,0) and (19,0)
    ("p / q", "numeric(14,8)"),
    ("n / p", "numeric(19,7)"),
    ("p / b", "numeric(28,22)"),
    ("p + n", "numeric(13,2)"),
    ("p - q", "numeric(9,2)"),
    ("n / q", "integer"),
    ("p + c", "numeric(9,2)"),
    ("p * c", "numeric(17,4)"),
    ("p * c * c * c", "numeric(35,8)"),
    ("w * w", "numeric(38,4)"),
    ("-p", "numeric(8,2)"),
    ("p / f", "double precision"),
    # more digits than there may be are taken from the scale, of which four stay
    ("sum(p) / count(*)", "numeric(38,4)"),
    ("cast(w as decimal(19,0)) / cast(b as decimal(19,0))", "numeric(38,19)"),
    ("w / (cast(n as decimal(19,0)) / cast(b as decimal(19,0)))", "numeric(38,4)"),
    ("w * (cast(n as decimal(19,0)) / cast(b as decimal(19,0)))", "numeric(38,21)"),
    # literals
    ("1.5", "numeric(2,1)"),
    ("p * 1.25", "numeric(12,4)"),
    ("1.0 / 3", "numeric(13,12)"),
    ("12345678901234567890", "numeric(20,0)"),
    # casts, and functions with the type of their argument
    ("p::decimal(10,4) / 2", "numeric(21,15)"),
    ("cast(p / q as decimal(12,3))", "numeric(12,3)"),
    ("round(p / q, 2)", "numeric(14,8)"),
    ("abs(p)", "numeric(8,2)"),
    ("max(p)", "numeric(8,2)"),
    ("lag(p) over (order by n)", "numeric(8,2)"),
    ("nullif(p, 0)", "numeric(8,2)"),
    # COALESCE, DECODE, CASE
    ("coalesce(p, 1.234)", "numeric(9,3)"),
    ("nvl(p, 0)", "numeric(12,2)"),
    ("decode(n, 1, p, w)", "numeric(19,2)"),
    ("case when n = 1 then p when n = 2 then null else 1.234 end", "numeric(9,3)"),
    ("case when n = 1 then p end", "numeric(8,2)"),
    # subqueries
    (f"(select max(p / q) from {RELATION})", "numeric(14,8)"),
]


@pytest.fixture(scope="module")
def decimals(connect: Connect) -> Iterator[Connection]:
    """A connection, and a table of numbers."""
    with connect() as opened:
        run(
            opened,
            "create schema decimals",
            f"create table {RELATION} ({COLUMNS})",
            f"insert into {RELATION} values (100, 3, 3, 7, 9, 1.5, 'x', 1), (50, 7, 2, 3, 1, 2.5, 'y', 2), (20.01, 7, 2, 3, 1, 2.5, 'y', 3)",
        )
        yield opened
        opened.rollback()
        run(opened, "drop schema decimals cascade")


def types_of(connection: Connection, table: str) -> list[object]:
    """The types of a table's columns."""
    cursor = run(connection, "set search_path to decimals, public")
    cursor.execute(f"select type from pg_table_def where tablename = '{table}'")
    return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize(("expression", "expected"), TYPES, ids=[expression for expression, _ in TYPES])
def test_the_type_of_what_is_made_of_an_expression(decimals: Connection, expression: str, expected: str) -> None:
    run(decimals, "begin", f"create table decimals.made as select {expression} as x from {RELATION}")
    try:
        assert types_of(decimals, "made") == [expected]
    finally:
        run(decimals, "rollback")


@pytest.mark.documented("r_AVG", "as documented")
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("avg(p)", "numeric(38,2)"),
        ("avg(p * c)", "numeric(38,4)"),
        ("avg(distinct p) + 1", "numeric(38,2)"),
        ("avg(p) over (partition by k)", "numeric(38,2)"),
        ("avg(n)", "bigint"),
        ("avg(f)", "double precision"),
    ],
)
def test_the_type_of_an_average(decimals: Connection, expression: str, expected: str) -> None:
    run(
        decimals, "begin", f"create table decimals.made as select {expression} as x from {RELATION} group by p, k, n, c"
    )
    try:
        assert types_of(decimals, "made") == [expected]
    finally:
        run(decimals, "rollback")


@pytest.mark.documented("r_FROM_clause-pivot-unpivot-examples", "as documented")
def test_an_average_is_cut_off(connection: Connection) -> None:
    """The page's table and its averages: 8.15 / 3 is 2.71."""
    run(
        connection,
        "create table part (partname varchar, price decimal(12, 2))",
        "insert into part values ('prop', 10.00), ('prop', 9.00), ('prop', 12.00), ('rudder', 2.50), ('rudder', 3.75), "
        "('rudder', 1.90), ('wing', 7.50), ('wing', 15.20), ('wing', 11.80)",
    )
    query = "select partname, avg(price) from (select partname, price from part) where partname in ('prop', 'rudder', 'wing') group by partname order by 1"
    assert [[str(value) for value in row] for row in rows(connection, query)] == [
        ["prop", "10.33"],
        ["rudder", "2.71"],
        ["wing", "11.50"],
    ]
    run(connection, "insert into part values ('below', -2.50), ('below', -3.75), ('below', -1.90)")
    assert rows(connection, "select avg(price) from part where partname = 'below'") == [[Decimal("-2.71")]]


@pytest.mark.documented("r_SUM", "as documented")
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(p)", "numeric(38,2)"),
        ("sum(p * c)", "numeric(38,4)"),
        ("sum(n)", "bigint"),
        ("sum(f)", "double precision"),
    ],
)
def test_the_type_of_a_sum(decimals: Connection, expression: str, expected: str) -> None:
    run(decimals, "begin", f"create table decimals.made as select {expression} as x from {RELATION}")
    try:
        assert types_of(decimals, "made") == [expected]
    finally:
        run(decimals, "rollback")


SET_OPERATIONS = [
    ("select c1 from decimals.dec1 union select c1 from decimals.dec2", "numeric(15,3)"),  # the page's example
    ("select c1 from decimals.dec1 union all select c1 from decimals.dec1", "numeric(7,2)"),
    ("select c1 from decimals.dec1 union all select 1", "numeric(12,2)"),
    ("select 1 union all select c1 from decimals.dec2 union all select 1.23456", "numeric(17,5)"),
    ("select c1 from decimals.dec1 intersect select c1 from decimals.dec2", "numeric(15,3)"),
    ("select c1 / 3 from decimals.dec1 except select c1 from decimals.dec2", "numeric(19,13)"),
]


@pytest.mark.parametrize(("query", "expected"), SET_OPERATIONS, ids=[query for query, _ in SET_OPERATIONS])
def test_the_type_of_a_set_operation(decimals: Connection, query: str, expected: str) -> None:
    run(
        decimals,
        "begin",
        "create table decimals.dec1 (c1 decimal(7,2))",
        "create table decimals.dec2 (c1 decimal(15,3))",
        f"create table decimals.dec3 as {query}",
    )
    try:
        assert types_of(decimals, "dec3") == [expected]
    finally:
        run(decimals, "rollback")


# (a query, its texts: a decimal that equals another one may have another scale)
RESULTS: list[tuple[str, list[list[str]]]] = [
    (f"select p / c from {RELATION} order by 1", [["2.858571428"], ["7.142857142"], ["33.333333333"]]),
    (f"select avg(p), avg(p / q) from {RELATION}", [["56.67", "22.77944444"]]),
    (f"select p/c/* a / b */::decimal(5,2) from {RELATION} where n = 7", [["33.333333"]]),
    (f"select -p/-c, (p + c)/(q+1), p/c*2, p / c / q from {RELATION} where n = 7", [["33.333333333", "25.7500000000000", "66.666666666", "11.111111111000000"]]),
    (f"select '/', k || '/', p/q as \"a/b\" from {RELATION} where n = 7", [["/", "x/", "33.33333333"]]),
    (f"select 'é', p/q from {RELATION} where k <> 'ü' and p/q > 33", [["é", "33.33333333"]]),
    # what PostgreSQL merges: the expressions of GROUP BY, ORDER BY and PARTITION BY
    (f"select p/q, count(*) from {RELATION} group by p/q order by p/q desc limit 1", [["33.33333333", "1"]]),
    (f"select p / q, count(*) from {RELATION} group by 1 order by 1 limit 1", [["10.00500000", "1"]]),
    (f"select distinct p/q from {RELATION} order by p/q limit 1", [["10.00500000"]]),
    (f"select k, avg(p) from {RELATION} group by k having avg(p) > 40 order by avg(p)", [["x", "100.00"]]),
    (f"select rank() over (partition by p/q order by p/q) from {RELATION} limit 1", [["1"]]),
    (f"with s as (select p/q as r from {RELATION}), t as (select avg(r) as a from s) select s.r / t.a from s, t order by 1 limit 1", [["0.439211765078498990820866"]]),
    (f"select (select avg(p) from {RELATION}) / 7", [["8.0957"]]),
    (f"select x.r from (select p/q as r from {RELATION}) as x join (select 100/3.0 as r) as y on trunc(x.r, 4) = y.r", [["33.33333333"]]),
    ("select 2.0/3, 7/2, 7/2::float", [["0.666666666666", "3", "3.5"]]),
]  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), RESULTS, ids=[query for query, _ in RESULTS])
def test_quotients_and_averages(decimals: Connection, query: str, expected: list[list[str]]) -> None:
    """That what does not fit is cut off is inferred from averages: the page does not say."""
    assert [[str(value) for value in row] for row in rows(decimals, query)] == expected


def test_parameters(decimals: Connection) -> None:
    cursor = decimals.cursor()
    cursor.execute(f"select p / c from {RELATION} where n = %s and p / c > %s", (7, 1.5))
    assert [str(row[0]) for row in cursor.fetchall()] == ["33.333333333"]


def test_cursors(decimals: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/fetch.html: its price per ticket has eight digits."""
    run(decimals, "begin", f"declare c cursor for select p / q as cost from {RELATION} order by n desc")
    assert str(rows(decimals, "fetch next from c")[0][0]) == "33.33333333"
    run(decimals, "commit")


def test_changes(decimals: Connection) -> None:
    run(
        decimals,
        "begin",
        "create table decimals.wide (a decimal(38,20))",
        f"insert into decimals.wide select p / q from {RELATION} where n = 7",
        "update decimals.wide set a = a + 1.0 / 3 where a / 3.0 > 11",
    )
    assert rows(decimals, "select a from decimals.wide") == [[Decimal("33.666666663333")]]
    run(decimals, "rollback")


def test_views(connection: Connection) -> None:
    """A view's columns have their types, and so has what is made of them."""
    run(
        connection,
        "create table s (p decimal(8,2), q smallint)",
        "insert into s values (100, 3), (1, 2)",
        "create view plain as select p / q as r, avg(p) over () as a from s",
        "create or replace view plain as select p / q as r, avg(p) over () as a from s",
        "create view late as select p / q as r from case_schema.s with no schema binding",
        "create materialized view stored as select p / q as r, q from s",
        "create table of_plain as select r / a as x from plain",
        "create table of_late as select r / 7 as x from late",
        "create table of_stored as select sum(r) as x from stored",
    )
    query = "select table_name, numeric_precision, numeric_scale from svv_columns where column_name in ('r', 'x') and table_schema = 'case_schema' order by 1, 2"
    assert [row for row in rows(connection, query) if row[0] != "mv_tbl__stored__0"] == [
        ["of_late", 25, 19],
        ["of_plain", 38, 30],
        ["of_stored", 38, 8],
        ["plain", 14, 8],
        ["stored", 14, 8],
    ]
    run(connection, "refresh materialized view stored")
    assert [str(row[0]) for row in rows(connection, "select r from stored order by q")] == ["0.50000000", "33.33333333"]


def test_what_does_not_fit_is_an_error(connection: Connection) -> None:
    run(connection, "create table s (p decimal(8,2))", "insert into s values (123456.78)")
    with pytest.raises(ProgrammingError, match=r"Numeric data overflow \(result precision\)"):
        run(connection, "select p::decimal(7,3) from s")
    with pytest.raises(ProgrammingError, match="division by zero"):
        run(connection, "select p / 0.0 from s")


def test_an_error_stays_what_it_is(connection: Connection) -> None:
    run(connection, "create table s (p decimal(8,2))", "begin")
    with pytest.raises(ProgrammingError, match='column "x" does not exist'):
        run(connection, "select x / 2.0 from s")
    with pytest.raises(ProgrammingError, match="current transaction is aborted"):
        run(connection, "select 1.0 / 2")
    run(connection, "rollback")
    assert rows(connection, "select count(*) from s") == [[0]]


def test_long_queries(connection: Connection) -> None:
    assert len(rows(connection, "select 1.0/3" + " union all select 1.0/3" * 300)) == 301
    assert rows(connection, "select 1.0/3" + " + 1.0/3" * 600)[0][0] == Decimal("0.333333333333") * 601


def test_rules() -> None:
    assert added(Type(38, 2), Type(10, 5)) == Type(38, 5)
    assert multiplied(Type(38, 30), Type(38, 30)) == Type(38, 37)
    assert divided(Type(38, 37), Type(38, 0)) == Type(38, 37)
    assert divided(Type(8, 2), Type(8, 2)) == Type(17, 9)
    assert united(Type(18, 0), Type(18, 10)) == Type(19, 10)
    assert united(Type(38, 19), Type(10, 0)) == Type(38, 19)
