"""QUALIFY, aliases used again, GROUP BY ALL and EXCLUDE: what a select list and its rows can have on Redshift alone."""

# ruff: noqa: E501, S608 - a case is a line; the statements are put together here

from collections.abc import Iterator

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

Rows = list[list[object]]


@pytest.fixture(scope="module")
def sales(connect: Connect) -> Iterator[Connection]:
    """The sample data of r_QUALIFY_clause, and a table with numbers."""
    connection = connect()
    run(
        connection,
        "create schema select_features",
        "set search_path to select_features",
        "create table store_sales (ss_sold_date date, ss_sold_time time, ss_item text, ss_sales_price float)",
        """insert into store_sales values ('2022-01-01', '09:00:00', 'Product 1', 100.0),
            ('2022-01-01', '11:00:00', 'Product 2', 500.0), ('2022-01-01', '15:00:00', 'Product 3', 20.0),
            ('2022-01-01', '17:00:00', 'Product 4', 1000.0), ('2022-01-01', '18:00:00', 'Product 5', 30.0),
            ('2022-01-02', '10:00:00', 'Product 6', 5000.0), ('2022-01-02', '16:00:00', 'Product 7', 5.0)""",
        "create table t (a int, b varchar(10), c int)",
        "insert into t values (1, 'x', 10), (2, 'x', 20), (3, 'y', 30), (null, null, null)",
        "create table raw_data (clicks float, impressions float)",
        "insert into raw_data values (1, 8), (1, 3)",
        "create table empty_table (a int, b int)",
    )
    yield connection
    run(connection, "drop schema select_features cascade")
    connection.close()


def answer(connection: Connection, query: str) -> tuple[list[str], Rows]:
    """The names and the rows that a query gives."""
    cursor = run(connection, query)
    names = [column[0] for column in cursor.description]
    return [name.decode() if isinstance(name, bytes) else name for name in names], [
        list(row) for row in cursor.fetchall()
    ]


LAST_ITEM = (
    "last_value(ss_item) over (partition by ss_sold_date order by ss_sold_time asc "
    "rows between unbounded preceding and unbounded following) = ss_item"
)


@pytest.mark.documented("r_QUALIFY_clause", "as documented")
class TestQualify:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_QUALIFY_clause.html."""

    def test_the_two_most_expensive_items_after_noon(self, sales: Connection) -> None:
        names, found = answer(
            sales,
            """SELECT * FROM store_sales ss WHERE ss_sold_time > time '12:00:00'
               QUALIFY row_number() OVER (PARTITION BY ss_sold_date ORDER BY ss_sales_price DESC) <= 2""",
        )
        assert names == ["ss_sold_date", "ss_sold_time", "ss_item", "ss_sales_price"]
        assert sorted((row[2], row[3]) for row in found) == [
            ("Product 4", 1000.0),
            ("Product 5", 30.0),
            ("Product 7", 5.0),
        ]

    @pytest.mark.parametrize("source", ["store_sales ss", "store_sales as ss", "(select * from store_sales) as ss"])
    def test_the_last_item_of_each_day(self, sales: Connection, source: str) -> None:
        found = rows(sales, f"select ss_item from {source} qualify {LAST_ITEM} order by 1")
        assert found == [["Product 5"], ["Product 7"]]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("select a, row_number() over (order by a) as rn from t where a > 0 qualify rn = 2", [[2, 2]]),
            ("select b, sum(c) as s from t where true group by b having b is not null qualify rank() over (order by sum(c) desc, b) = 1", [["x", 30]]),
            ("select b, sum(c) as s from t where b > '' group by b qualify row_number() over (order by s, b) = 2", [["y", 30]]),
            ("select distinct b from t where true qualify count(*) over (partition by b) > 1", [["x"]]),
            ("select top 1 a from t where true qualify row_number() over (order by a) > 1 order by a", [[2]]),
            ("select b from t where true qualify row_number() over (order by a) <= 3 order by a desc limit 2", [["y"], ["x"]]),
            ("select a as b, b as a from t where true qualify row_number() over (order by t.a) < 3 order by 2, 1", [[1, "x"], [2, "x"]]),
            ("select a, a from t where true qualify row_number() over (order by a) = 1", [[1, 1]]),
            ("select a from t where a is null qualify row_number() over (order by a) = 1", [[None]]),
            ("select a from t where true qualify lag(a) over (order by a) = 1 and a = 2 or false", [[2]]),
            ("select a /* qualify */ from t -- qualify\nwhere true QUALIFY row_number() /* x */ over (order by a) = 1 -- end", [[1]]),
            ('select "A", t.B from t as t qualify ROW_NUMBER() OVER (ORDER BY "a" desc nulls last) = 1', [[3, "y"]]),
            ("with ranked as (select a, b from t x qualify row_number() over (partition by b order by a) = 1) select a from ranked where b is not null order by a", [[1], [3]]),
            ("with one as (select * from t), two as (select * from one o qualify row_number() over (order by a) = 1) select a from two", [[1]]),
            ("select a from t x where a in (select a from t y qualify row_number() over (partition by b order by a desc) = 1) order by 1", [[2], [3]]),
            ("select a from t x where a = 1 union all select a from t y qualify row_number() over (order by a desc nulls last) = 1 order by a desc", [[3], [1]]),
            ("(select a from t x qualify row_number() over (order by a) = 1) union all (select 7)", [[1], [7]]),
            ("select x.a from t x join t y on x.a = y.a qualify row_number() over (order by x.a desc) = 1", [[3]]),
            ("select x.a from t x join t y using (a) qualify row_number() over (order by a desc) = 1", [[3]]),
            ("select * from empty_table e qualify row_number() over (order by a) = 1", []),
            ("select qualify from (select 1 as qualify) as q", [[1]]),
            ("select q.qualify from (select 1 as qualify) q where q.qualify = 1", [[1]]),
        ],
    )  # fmt: skip
    def test_queries(self, sales: Connection, query: str, expected: Rows) -> None:
        assert rows(sales, query) == expected

    def test_in_what_is_made_of_queries(self, connection: Connection) -> None:
        query = "select a, b from case_schema.t x qualify row_number() over (partition by b order by a) = 1"
        run(connection, "create table t (a int, b varchar(10))", "insert into t values (1, 'x'), (2, 'x'), (3, 'y')")
        run(
            connection,
            f"create table copied distkey (a) as ({query})",
            f"create view plain as {query}",
            f"create view late as {query} with no schema binding",
            f"create materialized view stored as {query}",
            "create table inserted (a int, b varchar(10))",
            f"insert into inserted (a, b) {query}",
            f"create temp table brief as /* dbt */ {query}",
        )
        for relation in ("copied", "plain", "late", "stored", "inserted", "brief"):
            assert rows(connection, f"select a, b from {relation} order by a") == [[1, "x"], [3, "y"]], relation
        run(connection, f"delete from t where a in (select a from ({query}) as first)")
        assert rows(connection, "select a from t") == [[2]]
        columns = "select column_name, data_type, character_maximum_length from svv_columns where table_name = 'copied' order by 1"
        assert rows(connection, columns) == [["a", "integer", None], ["b", "character varying", 10]]

    def test_with_parameters(self, sales: Connection) -> None:
        cursor = sales.cursor()
        query = "select a from t where a < %s qualify row_number() over (order by a desc) <= %s order by a"
        cursor.execute(query, (3, 1))
        assert [list(row) for row in cursor.fetchall()] == [[2]]

    def test_a_prepared_statement_sees_the_columns_of_the_moment(self, connection: Connection) -> None:
        query = "select * from t x qualify row_number() over (order by a) = 1"
        run(connection, "create table t (a int)", "insert into t values (1), (2)")
        assert rows(connection, query) == [[1]]
        run(connection, "alter table t add column b int default 7")
        assert rows(connection, query) == [[1, 7]]

    def test_of_a_table_made_in_the_same_transaction(self, connection: Connection) -> None:
        connection.autocommit = False
        run(connection, "create table made (a int)", "insert into made values (1), (2)")
        assert rows(connection, "select a from made m qualify row_number() over (order by a desc) = 1") == [[2]]
        connection.rollback()


@pytest.mark.documented("r_QUALIFY_clause", "refused as documented")
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select a from t qualify row_number() over (order by a) = 1", 'syntax error at or near "row_number"'),
        ("select a from (select a from t) qualify row_number() over (order by a) = 1", 'syntax error at or near "row_number"'),
        ("select x.a from t x, t qualify row_number() over (order by x.a) = 1", 'syntax error at or near "row_number"'),
        ("select a from missing_table m qualify row_number() over (order by a) = 1", "does not exist"),
        ("select a from t x qualify row_number() over (order by missing_column) = 1", "does not exist"),
    ],
)  # fmt: skip
def test_qualify_is_refused(sales: Connection, query: str, message: str) -> None:
    with pytest.raises(ProgrammingError) as refusal:
        run(sales, query)
    assert message in refusal.value.args[0]["M"]


@pytest.mark.documented("r_SELECT_list", "as documented")
class TestAliases:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html."""

    def test_the_page_s_example(self, sales: Connection) -> None:
        query = "select clicks / impressions as probability, round(100 * probability, 1) as percentage from raw_data order by 1"
        assert answer(sales, query) == (["probability", "percentage"], [[0.125, 12.5], [1 / 3, 33.3]])

    @pytest.mark.parametrize(
        ("query", "names", "expected"),
        [
            ("select a + 1 as more, more * 2 as most, most + more from t where a = 1", ["more", "most", "?column?"], [[2, 4, 6]]),
            # the table's column wins
            ("select a + 1 as a, a * 10 as b from t where t.a = 1", ["a", "b"], [[2, 10]]),
            ("select a + 1 as c, c as d from t where t.a = 1", ["c", "d"], [[2, 10]]),
            ("select 1 as one, one + 1 as two", ["one", "two"], [[1, 2]]),
            ("select 1 one, one + 1 two, two", ["one", "two", "two"], [[1, 2, 2]]),
            ("select a as x, x, x::varchar from t where a = 2", ["x", "x", "x"], [[2, 2, "2"]]),
            ('select a as "More", "more" + 1 as next from t where a = 2', ["more", "next"], [[2, 3]]),
            ("select sum(a) as total, count(a) as n, total / n as mean from t", ["total", "n", "mean"], [[6, 3, 2]]),
            ("select b, sum(c) as total, total * 2 as double from t where a > 0 group by b order by double", ["b", "total", "double"], [["x", 30, 60], ["y", 30, 60]]),
            ("select a * 2 as twice, twice + 1 as odd, count(*) as n from t where a > 0 group by twice, odd order by odd", ["twice", "odd", "n"], [[2, 3, 1], [4, 5, 1], [6, 7, 1]]),
            ("select a % 2 as part, sum(c) over (partition by part) as s from t where a > 0 order by a", ["part", "s"], [[1, 40], [0, 20], [1, 40]]),
            ("select row_number() over (order by a) as rn, case when rn = 1 then 'first' else 'other' end as which from t where a < 3 order by rn", ["rn", "which"], [[1, "first"], [2, "other"]]),
            ("select date '2020-02-03' as day, dateadd(day, 1, day) as next, datediff(day, day, next) as days", ["day", "next", "days"], None),
            ("select cast('2020-01-01' as date) as date, date '2021-01-01' - date as days", ["date", "days"], None),
            ("select q.more from (select a + 1 as more, more + 1 as most from t) q where q.most = 3", ["more"], [[2]]),
            ("select (select max(a) as more from t) as more, more + 1 as most", ["more", "most"], [[3, 4]]),
            ("with v as (select a as x, x + 1 as y from t) select y from v where x = 1", ["y"], [[2]]),
            ("select a as x from t union select a as x from t where false order by x limit 1", ["x"], [[1]]),
            ("select null as nothing, nothing is null as b", ["nothing", "b"], [[None, True]]),
            ("select 1.5::double precision f, f * 2 as g, current_date d, d - current_date as h", ["f", "g", "d", "h"], None),
            ("with recursive r (n) as (select 1 union all select n + 1 as m from r where n < 3) select n, n * 2 as twice, twice + 1 as odd from r order by n desc limit 1", ["n", "twice", "odd"], [[3, 6, 7]]),
            ("select a as x, * from t where t.a = 1", ["x", "a", "b", "c"], [[1, 1, "x", 10]]),
        ],
    )  # fmt: skip
    def test_queries(self, sales: Connection, query: str, names: list[str], expected: Rows | None) -> None:
        found_names, found = answer(sales, query)
        assert found_names == names
        if expected is not None:
            assert found == expected

    def test_date_parts_are_no_aliases(self, sales: Connection) -> None:
        (found,) = rows(
            sales, "select date '2020-02-03' as day, dateadd(day, 1, day)::date as next, datediff(day, day, next)"
        )
        assert [str(found[0]), str(found[1]), found[2]] == ["2020-02-03", "2020-02-04", 1]
        (found,) = rows(sales, "select 5 as month, extract(month from timestamp '2020-01-01') + month as sum")
        assert found == [5, 6]

    def test_in_what_is_made_of_queries(self, connection: Connection) -> None:
        query = "select a + 1 as more, more * 2 as most from case_schema.t"
        run(
            connection,
            "create table t (a int)",
            "insert into t values (1)",
            f"create table copied as {query}",
            f"create view plain as {query}",
            f"create view late as {query} with no schema binding",
            f"create materialized view stored as {query}",
            "create table inserted (more int, most int)",
            f"insert into inserted {query}",
        )
        for relation in ("copied", "plain", "late", "stored", "inserted"):
            assert rows(connection, f"select * from {relation}") == [[2, 4]], relation

    def test_a_late_binding_view_of_a_late_binding_view(self, connection: Connection) -> None:
        run(
            connection,
            "create table t (a int)",
            "insert into t values (1), (2)",
            "create view v as select a as x, x + 1 as y from case_schema.t with no schema binding",
            "create view w as select y as z, z + 1 as u from case_schema.v q qualify row_number() over (order by z) = 1 with no schema binding",
        )
        assert rows(connection, "select * from w") == [[2, 3]]
        columns = "select column_name from pg_get_late_binding_view_cols() cols(view_schema name, view_name name, column_name name, column_type varchar, column_number int) where view_name = 'w' order by column_number"
        assert rows(connection, columns) == [["z"], ["u"]]


@pytest.mark.documented("r_SELECT_list", "refused as documented")
@pytest.mark.parametrize(
    "query",
    [
        "select more * 2 as most, a + 1 as more from t",  # it is recognized right after it is defined
        "select a as more from t where more = 1",
        "select x.more, a + 1 as more from t x",
    ],
)
def test_alias_is_unknown(sales: Connection, query: str) -> None:
    with pytest.raises(ProgrammingError) as refusal:
        run(sales, query)
    assert "does not exist" in refusal.value.args[0]["M"]


@pytest.mark.documented("r_GROUP_BY_clause", "as documented")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select b, sum(c) from t group by all order by b", [["x", 30], ["y", 30], [None, None]]),
        ("select b, a % 2 as part, count(*) from t where a > 0 group by all order by 1, 2", [["x", 0, 1], ["x", 1, 1], ["y", 1, 1]]),
        ("select b from t group by all order by b", [["x"], ["y"], [None]]),
        ("select count(*), max(a) from t group by all", [[4, 3]]),
        ("select 'k' as k, b, count(*) from t where b = 'x' group by all", [["k", "x", 2]]),
        ("select t.*, count(*) from t where a = 1 group by all", [[1, "x", 10, 1]]),
        ("select *, count(*) from t where a = 1 group by all", [[1, "x", 10, 1]]),
        ("select b, sum(c) as s from t group by all having sum(c) > 10 order by b limit 1", [["x", 30]]),
        ("select b, listagg(a, ',') within group (order by a) from t where b = 'x' group by all", [["x", "1,2"]]),
        ("select b, approximate count(distinct a) from t where b = 'x' group by all", [["x", 2]]),
        ("select b, sum(c) as s, rank() over (order by s desc) as r from t where c > 10 group by all order by r, b desc", [["y", 30, 1], ["x", 20, 2]]),
        ("select b as k, count(*) as n, n + 1 as m from t where a > 0 group by all order by k", [["x", 2, 3], ["y", 1, 2]]),
        ("select case when a > 1 then 'many' else 'one' end, median(c) from t where a > 0 group by all order by 1", [["many", 25], ["one", 10]]),
        ("select count(*) from (select b, max(a) from t group by all)", [[3]]),
        ("with v as (select b, max(a) as m from t group by all) select m from v where b = 'x'", [[2]]),
        ("select (select max(a) from t), count(*) from t group by all", [[3, 4]]),
        ("select * exclude (a, c) from t group by all order by b", [["x"], ["y"], [None]]),
        ("select b, max(a) from empty_table group by all", []),
    ],
)  # fmt: skip
def test_group_by_all(sales: Connection, query: str, expected: Rows) -> None:
    assert rows(sales, query) == expected


@pytest.mark.documented("r_EXCLUDE_list", "as documented")
class TestExclude:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_EXCLUDE_list.html."""

    @pytest.mark.parametrize(
        ("query", "names", "expected"),
        [
            ("select * exclude b from t where a = 1", ["a", "c"], [[1, 10]]),
            ("select * exclude b, c from t where a = 1", ["a"], [[1]]),
            ("select * exclude (b, c) from t where a = 1", ["a"], [[1]]),
            ('SELECT * EXCLUDE ("B") FROM t WHERE a = 1', ["a", "c"], [[1, 10]]),
            ("select *, a + 1 as more exclude (a, b) from t where a = 1", ["c", "more"], [[10, 2]]),
            ("select a, b, c exclude c from t where a = 1", ["a", "b"], [[1, "x"]]),
            ("select x.a as id, y.* exclude (b, c) from t x join t y on x.a = y.a where x.a = 1", ["id", "a"], [[1, 1]]),
            ("select * exclude a from t x, t y where x.a = y.a and y.a = 1", ["b", "c", "b", "c"], [["x", 10, "x", 10]]),
            ("select * exclude (c) from t where a > 0 order by c desc limit 1", ["a", "b"], [[3, "y"]]),
            ("select * exclude (a) from (select a, b from t) where b = 'y'", ["b"], [["y"]]),
            ("with v as (select * exclude a from t) select * from v where c = 10", ["b", "c"], [["x", 10]]),
            ("select distinct * exclude (a, c) from t where b is not null order by b", ["b"], [["x"], ["y"]]),
            ("select * exclude (b) from t x qualify row_number() over (order by b desc nulls last) = 1", ["a", "c"], [[3, 30]]),
            ("select * exclude c from t where a = 1 union all select 9, 'z' order by a", ["a", "b"], [[1, "x"], [9, "z"]]),
            ("select exclude from (select 1 as exclude)", ["exclude"], [[1]]),
            ("select * exclude b from empty_table", ["a"], []),
        ],
    )  # fmt: skip
    def test_queries(self, sales: Connection, query: str, names: list[str], expected: Rows) -> None:
        assert answer(sales, query) == (names, expected)

    def test_a_view(self, connection: Connection) -> None:
        """The page's: a view of a table without one of its columns."""
        run(
            connection,
            "create table t (a int, b int, c int)",
            "insert into t values (1, 2, 3)",
            "create view without_c as select * exclude c from t",
            "create view late as select * exclude c from case_schema.t with no schema binding",
            "create table copied as select * exclude (a) from without_c",
        )
        assert rows(connection, "select * from without_c") == [[1, 2]]
        assert rows(connection, "select * from copied") == [[2]]
        run(connection, "alter table t add column d int default 4")
        assert rows(connection, "select * from without_c") == [[1, 2]]
        assert rows(connection, "select * from late") == [[1, 2, 4]]

    @pytest.mark.documented("r_EXCLUDE_list", "refused as documented")
    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("select * exclude (upper(b)) from t", "syntax error"),
            ("select * exclude (*) from t", "syntax error"),
            ("select * exclude () from t", "syntax error"),
            ("select * exclude (t.a) from t", "syntax error"),
            ("select * exclude (missing_column) from t", 'column "missing_column" does not exist'),
            ("select * exclude (a) from missing_table", "does not exist"),
        ],
    )
    def test_refused(self, sales: Connection, query: str, message: str) -> None:
        with pytest.raises(ProgrammingError) as refusal:
            run(sales, query)
        assert message in refusal.value.args[0]["M"]
