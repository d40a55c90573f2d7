"""PIVOT, UNPIVOT, CONNECT BY and the outer join operator (+): what a FROM clause can be on Redshift alone."""

# ruff: noqa: E501, S608 - a case is a line; the statements are put together here

from collections.abc import Iterator
from decimal import Decimal

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

Rows = list[list[object]]


@pytest.fixture(scope="module")
def tables(connect: Connect) -> Iterator[Connection]:
    """The sample data of the pages."""
    connection = connect()
    run(
        connection,
        "create schema from_features",
        "set search_path to from_features",
        "create table part (partname varchar, manufacturer varchar, quality int, price decimal(12, 2))",
        """insert into part values ('prop', 'local parts co', 2, 10.00), ('prop', 'big parts co', null, 9.00),
            ('prop', 'small parts co', 1, 12.00), ('rudder', 'local parts co', 1, 2.50), ('rudder', 'big parts co', 2, 3.75),
            ('rudder', 'small parts co', null, 1.90), ('wing', 'local parts co', null, 7.50), ('wing', 'big parts co', 1, 15.20),
            ('wing', 'small parts co', null, 11.80)""",
        "create table bookings (booking_id int, hotel_code char(8), booking_date date, price decimal(12, 2))",
        """insert into bookings values (1, 'FOREST_L', '02/01/2023', 75.12), (2, 'FOREST_L', '02/02/2023', 75.00),
            (3, 'FOREST_L', '02/04/2023', 85.54), (4, 'FOREST_L', '02/08/2023', 75.00), (5, 'FOREST_L', '02/11/2023', 75.00),
            (6, 'FOREST_L', '02/14/2023', 90.00), (10, 'DESERT_S', '02/01/2023', 98.00), (15, 'DESERT_S', '02/09/2023', 85.00)""",
        "create table count_by_color (quality varchar, red int, green int, blue int)",
        "insert into count_by_color values ('high', 15, 20, 7), ('normal', 35, null, 40), ('low', 10, 23, null)",
        "create table employee (id int, name varchar(20), manager_id int)",
        """insert into employee (id, name, manager_id) values (100, 'Carlos', null), (101, 'John', 100), (102, 'Jorge', 101),
            (103, 'Kwaku', 101), (110, 'Liu', 101), (106, 'Mateo', 102), (110, 'Nikki', 103), (104, 'Paulo', 103),
            (105, 'Richard', 103), (120, 'Saanvi', 104), (200, 'Shirley', 104), (201, 'Sofía', 102), (205, 'Zhang', 104)""",
        "create table category (catid int, catname varchar(10), catgroup varchar(10))",
        "insert into category values (1, 'Jazz', 'Concerts'), (2, 'Pop', 'Concerts'), (3, 'Musicals', 'Shows'), (4, 'Opera', 'Shows')",
        "create table event (eventid int, catid int, venueid int)",
        "insert into event values (796, 3, 1), (797, 1, 2)",
        "create table venue (venueid int, venuename varchar(10))",
        "insert into venue values (1, 'Hall')",
        "create table listing (listid int)",
        "insert into listing values (1), (2), (3), (4), (5), (6)",
        "create table sales (salesid int, listid int, pricepaid decimal(8, 2), commission decimal(8, 2))",
        "insert into sales values (1, 1, 728, 109.20), (2, 4, 76, 11.40), (3, 5, 525, 78.75)",
    )
    yield connection
    run(connection, "drop schema from_features cascade")
    connection.close()


def answer(connection: Connection, query: str) -> tuple[list[str], Rows]:
    cursor = run(connection, query)
    names = [column[0] for column in cursor.description]
    found = [list(row) for row in cursor.fetchall()]
    return [name.decode() if isinstance(name, bytes) else name for name in names], found


def in_any_order(found: tuple[list[str], Rows]) -> tuple[list[str], Rows]:
    return found[0], sorted(found[1], key=str)


PAGE = "r_FROM_clause-pivot-unpivot-examples"
MANUFACTURERS: Rows = [["big parts co", 1, 1, 1], ["local parts co", 1, 1, 1], ["small parts co", 1, 0, 2]]


@pytest.mark.documented(PAGE, "as documented")
class TestPivot:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html."""

    def test_averages(self, tables: Connection) -> None:
        names, found = answer(
            tables,
            "SELECT * FROM (SELECT partname, price FROM part) PIVOT (AVG(price) FOR partname IN ('prop', 'rudder', 'wing'))",
        )
        assert names == ["prop", "rudder", "wing"]
        assert [[round(Decimal(str(value)), 1) for value in row] for row in found] == [
            [Decimal("10.3"), Decimal("2.7"), Decimal("11.5")]
        ]

    @pytest.mark.parametrize(
        ("query", "names", "expected"),
        [
            ("SELECT * FROM (SELECT quality, manufacturer FROM part) PIVOT (count(*) FOR quality IN (1, 2, NULL))", ["manufacturer", "1", "2", "null"], MANUFACTURERS),
            (
                "SELECT * FROM (SELECT quality, manufacturer FROM part) PIVOT (count(*) AS count FOR quality IN (1 AS high, 2 AS low, NULL AS na))",
                ["manufacturer", "high_count", "low_count", "na_count"],
                MANUFACTURERS,
            ),
            (
                """SELECT * FROM (SELECT booking_id, (date_trunc('week', booking_date::date) + '5 days'::interval)::date as enddate, hotel_code AS "hotel code" FROM bookings)
                   PIVOT (count(booking_id) FOR enddate IN ('2023-02-04','2023-02-11','2023-02-18'))""",
                ["hotel code", "2023-02-04", "2023-02-11", "2023-02-18"],
                [["DESERT_S", 1, 1, 0], ["FOREST_L", 3, 2, 1]],
            ),
            # what is not in the list has no column; what has no row is null, but a count is 0
            ("select * from (select partname, quality from part) pivot (sum(quality) for partname in ('prop', 'none'))", ["prop", "none"], [[3, None]]),
            ("select * from (select partname, quality from part) pivot (count(distinct quality) as n for partname in ('prop' p, 'none' q))", ["p_n", "q_n"], [[2, 0]]),
            ("select m, prop from (select manufacturer as m, partname, price from part) pivot (max(price) for partname in ('prop')) where m = 'big parts co'", ["m", "prop"], [["big parts co", Decimal("9.00")]]),
            ("select p.prop from (select partname, quality from part) pivot (min(quality) for partname in ('prop')) as p", ["prop"], [[1]]),
            ("select sum(wing) from (select partname, quality from part) pivot (min(quality + 1) for partname in ('wing')) p", ["sum"], [[2]]),
            ("with v as (select partname, quality from part) select * from v pivot (count(*) for partname in ('wing'))", ["quality", "wing"], [[1, 1], [2, 0], [None, 2]]),
            ("select * from (select quality from part) pivot (count(*) for quality in (1 + 1))", ["?column?"], [[2]]),
            ("select * from part pivot (count(*) for partname in ('prop')) where 1 = 0", ["manufacturer", "quality", "price", "prop"], []),
            ("select p.prop, c.red from (select partname from part) pivot (count(*) for partname in ('prop')) as p, count_by_color c where c.red = 10", ["prop", "red"], [[3, 10]]),
        ],
    )  # fmt: skip
    def test_queries(self, tables: Connection, query: str, names: list[str], expected: Rows) -> None:
        assert in_any_order(answer(tables, query)) == (names, expected)

    def test_in_what_is_made_of_queries(self, connection: Connection) -> None:
        query = "select * from (select a, b from case_schema.t) pivot (count(*) as n for b in ('x' as x, 'y' as y))"
        run(
            connection,
            "create table t (a int, b varchar(5))",
            "insert into t values (1, 'x'), (1, 'x'), (2, 'y')",
            f"create table copied as {query}",
            f"create view plain as {query}",
            f"create view late as {query} with no schema binding",
        )
        for relation in ("copied", "plain", "late"):
            assert rows(connection, f"select a, x_n, y_n from {relation} order by a") == [[1, 2, 0], [2, 0, 1]]
        run(connection, "create view base as select a, b from case_schema.t with no schema binding")
        assert rows(connection, "select * from base pivot (count(*) for b in ('x')) order by a") == [[1, 2], [2, 0]]

    def test_with_parameters(self, tables: Connection) -> None:
        cursor = tables.cursor()
        cursor.execute(
            "select * from (select partname from part where quality = %s) pivot (count(*) for partname in ('prop'))",
            (2,),
        )
        assert [list(row) for row in cursor.fetchall()] == [[1]]

    @pytest.mark.documented(PAGE, "refused as documented")
    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("select * from part p join part q on true pivot (count(*) for partname in ('prop'))", "PIVOT of a join"),
            ("select * from (select partname, quality from part) pivot (stddev(quality) for partname in ('prop'))", "STDDEV in PIVOT"),
            ("select * from (select partname, quality from part) pivot (sum(quality) + 1 for partname in ('prop'))", "not supported"),
            ("select * from (select partname, quality from part) pivot (sum(quality) for partname in (quality))", "a column in the IN list"),
            ("select * from (select partname, quality from part) pivot (sum(quality) for partname in ((select 'prop')))", "a subquery in the IN list"),
            ("select * from (select partname, quality from part) pivot (count(*) for partname in ('prop')) pivot (count(*) for quality in (1))", "syntax error"),
            ("select * from (select partname, quality from part) pivot (count(*) for missing_column in ('prop'))", "does not exist"),
            ("select * from (select partname from part) pivot (count(*) for partname)", "syntax error"),
        ],
    )  # fmt: skip
    def test_refused(self, tables: Connection, query: str, message: str) -> None:
        with pytest.raises(ProgrammingError) as refusal:
            run(tables, query)
        assert message in refusal.value.args[0]["M"]


COLORS: Rows = [["red", 15], ["red", 35], ["red", 10], ["green", 20], ["green", 23], ["blue", 7], ["blue", 40]]


@pytest.mark.documented(PAGE, "as documented")
class TestUnpivot:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html."""

    @pytest.mark.parametrize(
        ("query", "names", "expected"),
        [
            ("SELECT * FROM (SELECT red, green, blue FROM count_by_color) UNPIVOT (cnt FOR color IN (red, green, blue))", ["color", "cnt"], COLORS),
            ("SELECT * FROM (SELECT red, green, blue FROM count_by_color) UNPIVOT EXCLUDE NULLS (cnt FOR color IN (red, green, blue))", ["color", "cnt"], COLORS),
            (
                "SELECT * FROM (SELECT red, green, blue FROM count_by_color) UNPIVOT INCLUDE NULLS (cnt FOR color IN (red, green, blue))",
                ["color", "cnt"],
                [*COLORS[:4], ["green", None], COLORS[4], *COLORS[5:], ["blue", None]],
            ),
            (
                "SELECT * FROM count_by_color UNPIVOT (cnt FOR color IN (red, green, blue))",
                ["quality", "color", "cnt"],
                [["high", "red", 15], ["normal", "red", 35], ["low", "red", 10], ["high", "green", 20], ["low", "green", 23], ["high", "blue", 7], ["normal", "blue", 40]],
            ),
            (
                "SELECT * FROM count_by_color UNPIVOT (cnt FOR color IN (red AS r, green AS g, blue AS b)) WHERE cnt > 30",
                ["quality", "color", "cnt"],
                [["normal", "r", 35], ["normal", "b", 40]],
            ),
            ("select u.color, sum(u.cnt) as s from count_by_color unpivot (cnt for color in (red, blue)) as u group by u.color order by s", ["color", "s"], [["blue", 47], ["red", 60]]),
            ("with c as (select * from count_by_color where quality = 'low') select * from c unpivot (n for k in (red))", ["quality", "green", "blue", "k", "n"], [["low", 23, None, "red", 10]]),
            ("select count(*) from (select red, 1.5 as half from count_by_color) unpivot (n for k in (red, half)) where n = 1.5", ["count"], [[3]]),
            ('select "K" from from_features.count_by_color unpivot (n for "K" in ("RED")) u limit 1', ["k"], [["red"]]),
        ],
    )  # fmt: skip
    def test_queries(self, tables: Connection, query: str, names: list[str], expected: Rows) -> None:
        assert answer(tables, query) == (names, expected)

    @pytest.mark.documented(PAGE, "refused as documented")
    @pytest.mark.parametrize(
        ("query", "message"),
        [
            (
                "select * from count_by_color a join count_by_color b on true unpivot (n for k in (red))",
                "UNPIVOT of a join",
            ),
            ("select * from count_by_color unpivot (n for k in (red + 1))", "syntax error"),
            (
                "select * from count_by_color unpivot (n for k in (red)) unpivot (m for l in (blue))",
                "UNPIVOT of a UNPIVOT",
            ),
            ("select * from count_by_color unpivot (n for k in (red, quality))", "cannot be matched"),
            ("select * from count_by_color unpivot (n for k in (missing_column))", "does not exist"),
        ],
    )
    def test_refused(self, tables: Connection, query: str, message: str) -> None:
        with pytest.raises(ProgrammingError) as refusal:
            run(tables, query)
        assert message in refusal.value.args[0]["M"]


@pytest.mark.documented("r_CONNECT_BY_clause", "as documented")
class TestConnectBy:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_CONNECT_BY_clause.html.

    The page's example shows rows of level 4 for `level < 4`, which its own definition of LEVEL rules out: here it is kept to.
    """

    JOHN = "start with name = 'John' connect by prior id = manager_id"

    def test_the_page_s_example(self, tables: Connection) -> None:
        names, found = answer(tables, f"select id, name, manager_id from employee where level <= 4 {self.JOHN}")
        assert names == ["id", "name", "manager_id"]
        assert [row[1] for row in sorted(found, key=lambda row: str(row[1]))] == [
            "John", "Jorge", "Kwaku", "Liu", "Mateo", "Nikki", "Paulo", "Richard", "Saanvi", "Shirley", "Sofía", "Zhang",
        ]  # fmt: skip
        assert len(rows(tables, f"select id from employee where level < 4 {self.JOHN}")) == 9

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("SELECT COUNT(*) FROM Employee \"start\" CONNECT BY PRIOR id = manager_id START WITH name = 'John'", [[12]]),
            ("SELECT COUNT(*) FROM Employee AS start CONNECT BY PRIOR id = manager_id START WITH name = 'John'", [[12]]),
            (f"select level, count(*) from employee {JOHN} group by level order by level", [[1, 1], [2, 3], [3, 5], [4, 3]]),
            (f"select *, level from employee where id = 104 {JOHN}", [[104, "Paulo", 103, 3]]),
            (f"select e.name, level + 1 as next from employee e where e.id = 200 {JOHN}", [["Shirley", 5]]),
            (f"select name, prior name, prior (id + 1) as more from employee where id = 104 {JOHN}", [["Paulo", "Kwaku", 104]]),
            (f"select prior name from employee where level = 1 {JOHN}", [[None]]),
            ("select name from employee start with manager_id is null connect by manager_id = prior id and level <= 2 order by level", [["Carlos"], ["John"]]),
            ("select name from employee e where level = 2 start with e.name = 'Kwaku' connect by prior e.id = e.manager_id and e.id > 104 order by name", [["Nikki"], ["Richard"]]),
            ("select count(*) from employee connect by prior id = manager_id", [[47]]),
            ("select name from (select * from employee where id <> 103) as e where level = 3 start with name = 'John' connect by prior id = manager_id order by 1", [["Mateo"], ["Sofía"]]),
            (f"with tree as (select name, level as depth from employee {JOHN}) select max(depth) from tree", [[4]]),
            (f"select name from employee where level > 1 {JOHN} order by level desc, name limit 1", [["Saanvi"]]),
            (f"select name from employee e where true {JOHN} qualify row_number() over (partition by level order by name) = 1 order by level", [["John"], ["Jorge"], ["Mateo"], ["Saanvi"]]),
            ("select name from employee start with name = 'Nobody' connect by prior id = manager_id", []),
        ],
    )  # fmt: skip
    def test_queries(self, tables: Connection, query: str, expected: Rows) -> None:
        assert rows(tables, query) == expected

    def test_names(self, tables: Connection) -> None:
        assert answer(tables, f"select *, level, prior name from employee where false {self.JOHN}")[0] == [
            "id",
            "name",
            "manager_id",
            "level",
            "name",
        ]

    def test_in_what_is_made_of_queries(self, connection: Connection) -> None:
        query = "select id, level as depth from case_schema.e start with boss is null connect by prior id = boss"
        run(
            connection,
            "create table e (id int, boss int)",
            "insert into e values (1, null), (2, 1), (3, 2)",
            f"create table copied as {query}",
            f"create view plain as {query}",
            f"create view late as {query} with no schema binding",
        )
        for relation in ("copied", "plain", "late"):
            assert rows(connection, f"select * from {relation} order by id") == [[1, 1], [2, 2], [3, 3]]

    @pytest.mark.documented("r_CONNECT_BY_clause", "refused as documented")
    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("select name from employee connect by id = manager_id", "PRIOR"),
            ("select name from employee connect by nocycle prior id = manager_id", "syntax error"),
            ("select name from employee start with id = 1", "syntax error"),
        ],
    )
    def test_refused(self, tables: Connection, query: str, message: str) -> None:
        with pytest.raises(ProgrammingError) as refusal:
            run(tables, query)
        assert message in refusal.value.args[0]["M"]

    @pytest.mark.documented("r_CONNECT_BY_clause", "not emulated")
    def test_of_a_join(self, tables: Connection) -> None:
        with pytest.raises(ProgrammingError, match="not emulated"):
            run(tables, "select e.name from employee e, event v connect by prior e.id = e.manager_id")


@pytest.mark.documented("r_WHERE_oracle_outer", "as documented")
class TestOuterJoinOperator:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_WHERE_oracle_outer.html."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("select count(*) from sales, listing where sales.listid = listing.listid(+)", [[3]]),
            ("select count(*) from sales, listing where sales.listid(+) = listing.listid", [[6]]),
            (
                """select listing.listid, sum(pricepaid) as price, sum(commission) as comm from listing, sales
                   where sales.listid(+) = listing.listid and listing.listid between 1 and 5 group by 1 order by 1""",
                [[1, Decimal("728.00"), Decimal("109.20")], [2, None, None], [3, None, None], [4, Decimal("76.00"), Decimal("11.40")], [5, Decimal("525.00"), Decimal("78.75")]],
            ),
            (
                "select catname, catgroup, eventid from category, event where category.catid=event.catid(+) and eventid(+)=796 order by 1",
                [["Jazz", "Concerts", None], ["Musicals", "Shows", 796], ["Opera", "Shows", None], ["Pop", "Concerts", None]],
            ),
            ("select catname, catgroup, eventid from category, event where category.catid=event.catid(+) and eventid=796", [["Musicals", "Shows", 796]]),
            ("select count(*) from event, category where event.eventid(+)*10=category.catid", [[4]]),
            ("select count(*) from category a, category b where a.catid(+) > b.catid and a.catgroup(+) = b.catgroup", [[4]]),
            ("select c.catname, e.eventid, v.venuename from venue v, event e, category c where c.catid = e.catid(+) and e.venueid = v.venueid(+) order by 1", [["Jazz", 797, None], ["Musicals", 796, "Hall"], ["Opera", None, None], ["Pop", None, None]]),
            # the columns of a star keep the order of the relations
            ("select * from event, category where event.catid(+) = category.catid and catname in ('Pop', 'Jazz') order by catname", [[797, 1, 2, 1, "Jazz", "Concerts"], [None, None, None, 2, "Pop", "Concerts"]]),
            # mixed conditions are an inner join, without warning
            ("select count(*) from category a, event b where a.catid = b.catid(+) and a.catid = b.venueid", [[0]]),
            # where nothing is joined, the operator is ignored
            ("select count(*) from event where eventid(+) = 796", [[1]]),
            ("select catname from category, (select * from event) e where category.catid = e.catid ( + ) and e.eventid is null order by 1", [["Opera"], ["Pop"]]),
            ("select catname from category c, event e where c.catid = e.catid(+) and (e.eventid is null or e.eventid = 796) order by 1", [["Musicals"], ["Opera"], ["Pop"]]),
            ("with e as (select * from event) select count(*) from category c, e where c.catid = e.catid(+)", [[4]]),
        ],
    )  # fmt: skip
    def test_queries(self, tables: Connection, query: str, expected: Rows) -> None:
        assert rows(tables, query) == expected

    def test_in_what_is_made_of_queries(self, connection: Connection) -> None:
        query = "select a.n, b.n as m from case_schema.a, case_schema.b where a.n = b.n(+)"
        run(
            connection,
            "create table a (n int)",
            "create table b (n int)",
            "insert into a values (1), (2)",
            "insert into b values (2)",
            f"create table copied as {query}",
            f"create view plain as {query}",
            f"create view late as {query} with no schema binding",
        )
        for relation in ("copied", "plain", "late"):
            assert rows(connection, f"select * from {relation} order by 1") == [[1, None], [2, 2]]

    @pytest.mark.documented("r_WHERE_oracle_outer", "refused as documented")
    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("select count(*) from sales, listing where sales.listid(+)=listing.listid or sales.salesid=0", "Outer join operator (+) not allowed in operand of OR or IN."),
            ("select count(*) from sales, listing where sales.listid(+) in (listing.listid)", "Outer join operator (+) not allowed in operand of OR or IN."),
            (
                "select count(*) from sales, listing, event where sales.listid(+)=listing.listid and sales.salesid(+)=event.eventid",
                "A table may be outer joined to at most one other table.",
            ),
            ("select count(*) from event, category where event.eventid*10(+)=category.catid", "syntax error"),
            ("select count(*) from event join category on true, venue where event.venueid = venue.venueid(+)", "FROM clause join syntax"),
        ],
    )  # fmt: skip
    def test_refused(self, tables: Connection, query: str, message: str) -> None:
        with pytest.raises(ProgrammingError) as refusal:
            run(tables, query)
        assert message in refusal.value.args[0]["M"]
