"""Window functions that ignore nulls, percentiles and lists of partitions, and TRY_CAST, which has no window."""

# ruff: noqa: E501, S608 - a case is a line; the statements are put together here

from collections.abc import Iterator
from decimal import Decimal

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

Rows = list[list[object]]
WHOLE = "rows between unbounded preceding and unbounded following"


@pytest.fixture(scope="module")
def winsales(connect: Connect) -> Iterator[Connection]:
    """The sample table of c_Window_functions, and rows of the VENUE table that r_WF_first_value shows."""
    connection = connect()
    run(
        connection,
        "create schema window_features",
        "set search_path to window_features",
        "create table winsales (salesid int, dateid date, sellerid int, buyerid char(10), qty int, qty_shipped int)",
        """insert into winsales values
            (30001, '8/2/2003', 3, 'b', 10, 10), (10001, '12/24/2003', 1, 'c', 10, 10), (10005, '12/24/2003', 1, 'a', 30, null),
            (40001, '1/9/2004', 4, 'a', 40, null), (10006, '1/18/2004', 1, 'c', 10, null), (20001, '2/12/2004', 2, 'b', 20, 20),
            (40005, '2/12/2004', 4, 'a', 10, 10), (20002, '2/16/2004', 2, 'c', 20, 20), (30003, '4/18/2004', 3, 'b', 15, null),
            (30004, '4/18/2004', 3, 'b', 20, null), (30007, '9/7/2004', 3, 'c', 30, null)""",
        "create table venue (venueid int, venuename varchar(100), venuecity varchar(30), venuestate char(2), venueseats int)",
        """insert into venue values (1, 'Qualcomm Stadium', 'San Diego', 'CA', 70561), (2, 'Monster Park', 'San Francisco', 'CA', 69843),
            (3, 'McAfee Coliseum', 'Oakland', 'CA', 63026), (4, 'Shoreline Amphitheatre', 'Mountain View', 'CA', 22000),
            (5, 'INVESCO Field', 'Denver', 'CO', 76125), (2000, null, 'Stanford', 'CA', 90000)""",
        "create table t (a int, b varchar(5), f float, d timestamp)",
        """insert into t values (1, 'x', 1.5, '2020-01-01'), (2, null, 2.5, '2020-01-02'), (3, 'y', null, null), (4, null, 10, '2020-01-04'), (5, 'z', 0, null)""",
    )
    yield connection
    run(connection, "drop schema window_features cascade")
    connection.close()


def names(connection: Connection, query: str) -> list[str]:
    found = [column[0] for column in run(connection, query).description]
    return [name.decode() if isinstance(name, bytes) else name for name in found]


@pytest.mark.documented("r_WF_first_value", "as documented")
class TestFirstAndLastValue:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_WF_first_value.html."""

    VENUES = f"""select venuename, first_value(venuename {{}}) over (partition by venuestate order by venueseats desc {WHOLE})
        from (select * from venue where venuestate = 'CA') order by venueseats desc"""

    def test_the_page_s_example(self, winsales: Connection) -> None:
        ignoring = self.VENUES.format("ignore nulls")
        assert rows(winsales, ignoring)[:2] == [[None, "Qualcomm Stadium"], ["Qualcomm Stadium", "Qualcomm Stadium"]]
        assert names(winsales, ignoring) == ["venuename", "first_value"]
        for respecting in (self.VENUES.format(""), self.VENUES.format("RESPECT NULLS")):
            assert rows(winsales, respecting)[:2] == [[None, None], ["Qualcomm Stadium", None]]

    @pytest.mark.parametrize(
        ("call", "expected"),
        [
            (f"first_value(b ignore nulls) over (order by a desc {WHOLE})", ["z", "z", "z", "z", "z"]),
            ("first_value(b ignore nulls) over (order by a rows between current row and unbounded following)", ["x", "y", "y", "z", "z"]),
            ("last_value(b ignore nulls) over (order by a rows unbounded preceding)", ["x", "x", "y", "y", "z"]),
            ("last_value(b IGNORE NULLS) over (order by a rows between 1 preceding and current row)", ["x", "x", "y", "y", "z"]),
            ("last_value(b respect nulls) over (order by a rows unbounded preceding)", ["x", None, "y", None, "z"]),
            ("first_value(nullif(b, 'x') ignore nulls) over (order by a rows between unbounded preceding and current row)", [None, None, "y", "y", "y"]),
            ("first_value(null::int ignore nulls) over (order by a rows unbounded preceding)", [None] * 5),
            ("last_value(coalesce(b, 'n') /* x */ ignore -- y\n nulls) over (order by a rows unbounded preceding)", ["x", "n", "y", "n", "z"]),
            ("first_value(upper(b) ignore nulls) over (partition by a % 2 order by a rows unbounded preceding)", ["X", None, "X", None, "X"]),
        ],
    )  # fmt: skip
    def test_calls(self, winsales: Connection, call: str, expected: list[object]) -> None:
        assert [row[0] for row in rows(winsales, f"select {call} from t order by a")] == expected

    def test_without_an_order(self, winsales: Connection) -> None:
        assert rows(
            winsales, "select distinct last_value(d ignore nulls) over (partition by b) is null from t where b = 'y'"
        ) == [[True]]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param(f"nth_value(b, 2) ignore nulls over (order by a {WHOLE})", ["y"] * 5, marks=pytest.mark.documented("r_WF_NTH", "as documented")),
        pytest.param(f"nth_value(b, 2) respect nulls over (order by a {WHOLE})", [None] * 5, marks=pytest.mark.documented("r_WF_NTH", "as documented")),
        pytest.param(f"nth_value(b, 9) ignore nulls over (order by a {WHOLE})", [None] * 5, marks=pytest.mark.documented("r_WF_NTH", "as documented")),
        pytest.param(f"nth_value(b, 1 + 1) ignore nulls over (partition by a > 3 order by a {WHOLE})", ["y", "y", "y", None, None], marks=pytest.mark.documented("r_WF_NTH", "as documented")),
        pytest.param("lag(b) ignore nulls over (order by a)", [None, "x", "x", "y", "y"], marks=pytest.mark.documented("r_WF_LAG", "as documented")),
        pytest.param("lag(b, 1) ignore nulls over (order by a)", [None, "x", "x", "y", "y"], marks=pytest.mark.documented("r_WF_LAG", "as documented")),
        pytest.param("lag(b, 2) ignore nulls over (order by a)", [None, None, None, "x", "x"], marks=pytest.mark.documented("r_WF_LAG", "as documented")),
        pytest.param("lag(b, 0) ignore nulls over (order by a)", ["x", None, "y", None, "z"], marks=pytest.mark.documented("r_WF_LAG", "as documented")),
        pytest.param("lag(b) respect nulls over (order by a)", [None, "x", None, "y", None], marks=pytest.mark.documented("r_WF_LAG", "as documented")),
        pytest.param("LAG(b) IGNORE NULLS OVER (PARTITION BY a % 2 ORDER BY a DESC)", ["y", None, "z", None, None], marks=pytest.mark.documented("r_WF_LAG", "as documented")),
        pytest.param("nvl(lag(b) ignore nulls over (order by a), 'none')", ["none", "x", "x", "y", "y"], marks=pytest.mark.documented("r_WF_LAG", "as documented")),
        pytest.param("lead(b) ignore nulls over (order by a)", ["y", "y", "z", "z", None], marks=pytest.mark.documented("r_WF_LEAD", "as documented")),
        pytest.param("lead(b, 2) ignore nulls over (order by a)", ["z", "z", None, None, None], marks=pytest.mark.documented("r_WF_LEAD", "as documented")),
        pytest.param("lead(b, 1) respect nulls over (order by a)", [None, "y", None, "z", None], marks=pytest.mark.documented("r_WF_LEAD", "as documented")),
        pytest.param("lead(b) ignore nulls over (order by dateadd(day, a, date '2020-01-01'))", ["y", "y", "z", "z", None], marks=pytest.mark.documented("r_WF_LEAD", "as documented")),
    ],
)  # fmt: skip
def test_neighbours(winsales: Connection, call: str, expected: list[object]) -> None:
    assert [row[0] for row in rows(winsales, f"select {call} from t order by a")] == expected
    assert rows(winsales, f"select count(*) from (select a from t x qualify {call} is null)") == [
        [expected.count(None)]
    ]


@pytest.mark.documented("r_WF_LAG", "refused as documented")
@pytest.mark.parametrize(
    "call",
    [
        "lag(b ignore nulls) over (order by a)",
        "first_value(b) ignore nulls over (order by a rows unbounded preceding)",
        "lag(b) ignore nulls over (order by a rows unbounded preceding)",
        "lag(b) ignore nulls over (partition by b)",
        "nth_value(b, 2) ignore nulls over (order by a)",
        "lag(b, 1, 'x') ignore nulls over (order by a)",
    ],
)
def test_null_treatment_is_refused(winsales: Connection, call: str) -> None:
    with pytest.raises(ProgrammingError):
        run(winsales, f"select {call} from t")


CONT, DISC, MEDIAN, LISTAGG = (
    pytest.mark.documented(page, "as documented")
    for page in ("r_WF_PERCENTILE_CONT", "r_WF_PERCENTILE_DISC", "r_WF_MEDIAN", "r_WF_LISTAGG")
)
BY_SELLER = {1: 10.0, 2: 20.0, 3: 17.5, 4: 25.0}


def by_seller(found: Rows) -> dict[object, object]:
    return {row[0]: row[2] for row in found}


class TestPercentiles:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_WF_PERCENTILE_CONT.html, r_WF_PERCENTILE_DISC and r_WF_MEDIAN."""

    @CONT
    def test_cont(self, winsales: Connection) -> None:
        query = (
            "select sellerid, qty, percentile_cont(0.5) within group (order by qty) over({}) as median from winsales"
        )
        assert {row[2] for row in rows(winsales, query.format(""))} == {20}
        assert by_seller(rows(winsales, query.format("partition by sellerid"))) == BY_SELLER

    @DISC
    def test_disc(self, winsales: Connection) -> None:
        query = (
            "select sellerid, qty, percentile_disc(0.5) within group (order by qty) over({}) as median from winsales"
        )
        assert {row[2] for row in rows(winsales, query.format(""))} == {20}
        assert by_seller(rows(winsales, query.format("partition by sellerid"))) == {
            1: 10,
            2: 20,
            3: 15,
            4: 10,
        }

    @MEDIAN
    def test_median(self, winsales: Connection) -> None:
        query = "select sellerid, qty, median(qty) over (partition by sellerid) from winsales order by sellerid"
        assert by_seller(rows(winsales, query)) == BY_SELLER

    @pytest.mark.parametrize(
        ("call", "expected"),
        [
            pytest.param("percentile_cont(0.25) within group (order by a) over ()", Decimal(2), marks=CONT),
            pytest.param("percentile_cont(0.25) within group (order by a desc) over ()", Decimal(4), marks=CONT),
            pytest.param("percentile_cont(0.1) within group (order by a desc) over ()", Decimal("4.6"), marks=CONT),
            pytest.param("percentile_cont(0.5) within group (order by f) over ()", 2.0, marks=CONT),
            pytest.param("percentile_cont(0) within group (order by f) over ()", 0.0, marks=CONT),
            pytest.param("percentile_cont(1) within group (order by f) over ()", 10.0, marks=CONT),
            pytest.param("percentile_cont(0.5) within group (order by null::int) over ()", None, marks=CONT),
            pytest.param("percentile_cont(0.5) within group (order by d) over ()::varchar", "2020-01-02 00:00:00", marks=CONT),
            pytest.param("percentile_cont(0.25) within group (order by d) over ()::varchar", "2020-01-01 12:00:00", marks=CONT),
            pytest.param("percentile_cont(0.6) within group (order by sum(a)) over ()", Decimal(15), marks=CONT),
            pytest.param("percentile_disc(0.25) within group (order by a) over ()", 2, marks=DISC),
            pytest.param("percentile_disc(0.25) within group (order by a desc) over ()", 4, marks=DISC),
            pytest.param("percentile_disc(0) within group (order by a desc) over ()", 5, marks=DISC),
            pytest.param("percentile_disc(1) within group (order by a) over ()", 5, marks=DISC),
            pytest.param("percentile_disc(0.5) within group (order by b) over ()", "y", marks=DISC),
            pytest.param("percentile_disc(0.5) within group (order by f) over ()", 1.5, marks=DISC),
            pytest.param("median(f) over ()", 2.0, marks=MEDIAN),
        ],
    )  # fmt: skip
    def test_calls(self, winsales: Connection, call: str, expected: object) -> None:
        found = rows(winsales, f"select {call} from t limit 1")
        assert found == [[expected]]

    @CONT
    def test_names_and_types(self, winsales: Connection, connection: Connection) -> None:
        query = "select percentile_cont(0.5) within group (order by a) over (), percentile_disc(0.5) within group (order by a) over () from t"
        assert names(winsales, query) == ["percentile_cont", "percentile_disc"]
        run(connection, "create table t as select 1 as a, 1.5::float as f", f"create table made as {query}")
        types = (
            "select data_type from svv_columns where table_name = 'made' and table_schema = 'case_schema' order by 1"
        )
        assert rows(connection, types) == [["integer"], ["numeric"]]

    @pytest.mark.parametrize(
        "call",
        [
            "percentile_cont(0.5) within group (order by a) over (order by a)",
            "percentile_cont(1.5) within group (order by a) over ()",
            "percentile_disc(0.5) within group (order by a) over (order by a rows unbounded preceding)",
            "percentile_cont(0.5) over ()",
        ],
    )
    @pytest.mark.documented("r_WF_PERCENTILE_CONT", "refused as documented")
    def test_refused(self, winsales: Connection, call: str) -> None:
        with pytest.raises(ProgrammingError):
            run(winsales, f"select {call} from t")


@LISTAGG
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select listagg(sellerid) within group (order by sellerid) over() from winsales", [["11122333344"]] * 11),
        ("select listagg(sellerid) within group (order by dateid) over () as seller from winsales where buyerid = 'b'", [["3233"]] * 4),
        ("select listagg(dateid,',') within group (order by sellerid desc,salesid asc) over () as dates from winsales where buyerid = 'b'", [["2003-08-02,2004-04-18,2004-04-18,2004-02-12"]] * 4),
        ("select listagg(distinct dateid,',') within group (order by sellerid desc,salesid asc) over () as dates from winsales where buyerid = 'b'", [["2003-08-02,2004-04-18,2004-02-12"]] * 4),
        ("select distinct listagg(salesid,',') within group (order by salesid) over (partition by buyerid) from winsales where buyerid = 'a'", [["10005,40001,40005"]]),
        ("select listagg(nullif(b, 'y'), ',') within group (order by a) over () from t limit 1", [["x,z"]]),
        ("select listagg(distinct b, ',') over () from t where b = 'x'", [["x"]]),
        ("select listagg(nvl(b, ''), ',') within group (order by a) from t", [["x,y,z"]]),
        ("select listagg(b, ',') within group (order by a) over () from t where b is null", [[None], [None]]),
    ],
)  # fmt: skip
def test_listagg(winsales: Connection, query: str, expected: Rows) -> None:
    assert rows(winsales, query) == expected


def test_listagg_gives_its_name(winsales: Connection) -> None:
    assert names(winsales, "select listagg(b) from t") == ["listagg"]
    assert names(winsales, "select listagg(distinct b) within group (order by b) over () from t") == ["listagg"]


@pytest.mark.documented("r_TRY_CAST", "as documented")
class TestTryCast:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html."""

    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            ("try_cast('123' as int)", 123),
            ("try_cast('foo' as int)", None),
            ("try_cast(null as int)", None),
            ("try_cast('1.5' as decimal(5, 2))", Decimal("1.50")),
            ("try_cast('12345.6' as decimal(5, 2))", None),
            ("try_cast('99999' as smallint)", None),
            ("try_cast(99999 as smallint)", None),
            ("try_cast(1 as boolean)", True),
            ("try_cast(true as int)", 1),
            ("try_cast('2020-02-30' as date)::varchar", None),
            ("try_cast('2020-02-28' as date)::varchar", "2020-02-28"),
            ("try_cast('x' || 'y' as timestamp)::varchar", None),
            ("try_cast(12.7 as int)", 13),
            ("try_cast(5 as varchar)", "5"),
            ("try_cast('abcdef' as varchar(3))", "abc"),
            ("try_cast('1e3' as float)", 1000.0),
            ("TRY_CAST(try_cast('7' as int) + 1 AS BIGINT)", 8),
            ("try_cast(dateadd(day, 1, '2020-01-01') as date)::varchar", "2020-01-02"),
        ],
    )
    def test_expressions(self, shared: Connection, expression: str, expected: object) -> None:
        assert rows(shared, f"select {expression}") == [[expected]]

    def test_over_tables(self, connection: Connection) -> None:
        run(
            connection,
            "create table t (a varchar(10))",
            "insert into t values ('1'), ('x'), (null)",
            "create table made as select try_cast(a as decimal(6, 1)) as n, try_cast(a as varchar(4)) as s from t",
            "create view v as select try_cast(a as int) as n from t",
        )
        assert rows(connection, "select n from made order by n") == [[Decimal("1.0")], [None], [None]]
        assert rows(connection, "select sum(n) from v") == [[1]]
        types = "select data_type, character_maximum_length, numeric_scale from svv_columns where table_name = 'made' order by column_name"
        assert rows(connection, types) == [["numeric", None, 1], ["character varying", 4, None]]

    @pytest.mark.documented("r_TRY_CAST", "refused as documented")
    @pytest.mark.parametrize(
        "expression",
        [
            "try_cast(true as timestamp)",
            "try_cast(1 as date)",
            "try_cast(true as varchar)",
            "try_cast(1 as uuid)",
            "try_cast(1)",
        ],
    )
    def test_conversions_that_are_not_permitted(self, shared: Connection, expression: str) -> None:
        with pytest.raises(ProgrammingError):
            run(shared, f"select {expression}")
