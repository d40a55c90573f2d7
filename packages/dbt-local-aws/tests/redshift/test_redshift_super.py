"""SUPER: how values are made, printed, compared and cast, and how queries go into them."""

# ruff: noqa: E501, S608 - a case is a line; the statements are put together here

from collections.abc import Iterator
from decimal import Decimal

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

Rows = list[list[object]]


@pytest.fixture(scope="module")
def orders(connect: Connect) -> Iterator[Connection]:
    """A few rows with the shape of r_SUPER_sample_dataset's."""
    connection = connect()
    run(
        connection,
        "create schema super_values",
        "set search_path to super_values",
        "create table customer_orders_lineitem (c_custkey bigint, c_name varchar, c_orders super)",
        """insert into customer_orders_lineitem values
            (1, 'Customer#1', json_parse('[{"o_orderkey": 3020007, "o_orderstatus": "P", "o_orderdate": "2001-09-08", "o_totalprice": 10.5,
                "o_lineitems": [{"l_partkey": 1}, {"l_partkey": "A55"}]}, {"o_orderkey": 8}]')),
            (2, 'Customer#2', json_parse('[{"o_orderkey": 4043971, "o_orderstatus": 7, "o_lineitems": [], "o_comment": null}]')),
            (3, 'Customer#3', null)""",
        """create table bar as select json_parse('{"scalar_array": [1, 2.3, 45000000]}') as data""",
        "create table foo as select json_parse('[[1.1, 1.2], [2.1, 2.2], [3.1, 3.2]]') as multi_level_array",
        "create table region_nations (r_regionkey smallint, r_name varchar, r_comment varchar, r_nations super)",
        """INSERT INTO region_nations VALUES (100,'name1','comment1','AWS'), (200,'name2','comment2',1),
            (300,'name3','comment3',ARRAY(1, 'abc', null)), (400,'name4','comment4',-2.5), (500,'name5','comment5','Amazon')""",
    )
    yield connection
    run(connection, "drop schema super_values cascade")
    connection.close()


def names(connection: Connection, query: str) -> list[str]:
    found = [column[0] for column in run(connection, query).description]
    return [name.decode() if isinstance(name, bytes) else name for name in found]


def case(page: str, query: str, *expected: object) -> object:
    return pytest.param(query, [list(expected)], marks=pytest.mark.documented(page, "as documented"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        case("JSON_PARSE", """select json_parse('[10001,10002,"abc"]'), json_typeof(json_parse('[10001,10002,"abc"]'))""", '[10001,10002,"abc"]', "array"),
        case("JSON_PARSE", """select json_parse(' { "b" : [ 1.50 , "a  b\\\\" c" ] } ')""", '{"b":[1.50,"a  b\\" c"]}'),
        case("JSON_PARSE", "select json_parse(null)", None),
        case("JSON_SERIALIZE", """select json_serialize(json_parse('[10001,10002,"abc"]'))""", '[10001,10002,"abc"]'),
        case("r_json_size", """select json_size(json_parse('[10001,10002,"⬤"]'))""", 19),
        case("r_json_typeof", "select json_typeof(array(1,2))", "array"),
        case("r_json_typeof", """select json_typeof(json_parse('{"name":"Joe"}')), json_typeof(json_parse('null')), json_typeof(true::super), json_typeof(1::super), json_typeof('x'::super)""", "object", "null", "boolean", "number", "string"),
        case("r_array", "select array(1,50,null,100)", "[1,50,null,100]"),
        case("r_array", "select array(1,'abc',true,3.14)", '[1,"abc",true,3.14]'),
        case("r_array", "select array(), array(array(), array('a')), array(1.5::float)", "[]", '[[],["a"]]', "[1.5e+0]"),
        case("r_array_concat", "select array_concat(array(10001,10002),array(10003,10004))", "[10001,10002,10003,10004]"),
        case("array_flatten", "select array_flatten(array(array(1,2,3,4),array(5,6,7,8),array(9,10)))", "[1,2,3,4,5,6,7,8,9,10]"),
        case("array_flatten", "select array_flatten(array(1, array(2, array(3)), array()))", "[1,2,[3]]"),
        case("get_array_length", "select get_array_length(array(1,2,3,4,5,6,7,8,9,10)), get_array_length(array())", 10, 0),
        case("split_to_array", "select split_to_array('12|345|6789', '|'), split_to_array('a,b')", '["12","345","6789"]', '["a","b"]'),
        case("r_subarray", "select subarray(array('a', 'b', 'c', 'd', 'e', 'f'), 2, 3)", '["c","d","e"]'),
        case("r_is_array", "select is_array(json_parse('[1,2]')), is_array(array()), is_array(json_parse('{}')), is_array(null)", True, True, False, False),
        case("r_is_object", """select is_object(json_parse('{"name": "Joe"}')), is_object(json_parse('{}')), is_object(array())""", True, True, False),
        case("r_is_scalar", "select is_scalar(1::super), is_scalar('a'::super), is_scalar(array(1)), is_scalar(null)", True, True, False, False),
        case("r_is_boolean", "select is_boolean(true::super), is_boolean(1::super)", True, False),
        case("r_is_varchar", "select is_varchar('abc'::super), is_varchar('é'::super), is_varchar(1::super)", True, True, False),
        case("r_is_char", "select is_char('t'::super), is_char('é'::super)", True, False),
        case("r_is_decimal", "select is_decimal(1.22::super), is_decimal(5::super), is_decimal(2.22::float::super)", True, True, False),
        case("r_is_float", "select 2.22::float::super, is_float(2.22::float::super), is_float(2.22::super)", "2.22e+0", True, False),
        case("r_is_float", "select 0::float::super, 1250::float::super, 0.00125::float::super, (-3)::real::super", "0e+0", "1.25e+3", "1.25e-3", "-3e+0"),
        case("r_is_smallint", "select is_smallint(5::super), is_smallint(32768::super), is_smallint(5.5::super)", True, False, False),
        case("r_is_integer", "select is_integer(5::super), is_integer(2147483648::super)", True, False),
        case("r_is_bigint", "select is_bigint(5::super), is_bigint(9223372036854775808::super), is_bigint(5.0::super)", True, False, False),
        # "Casting limitations"
        case("limitations-super", "select 5::super::bool, 5.0::super::bool", True, None),
        case("limitations-super", "select array(1)::varchar, json_serialize(array(1))", None, "[1]"),
        case("limitations-super", "select '2001-09-08'::super::date::varchar, 'x'::super::date::varchar", "2001-09-08", None),
        case("query-super", "select 'Good'::super::int, '12'::super::int, 1.5::super::decimal(5, 2), array(1)::int, 99999::super::smallint", None, 12, Decimal("1.50"), None, None),
        case("ingest-super", """select '{"a": 1}'::super, cast('a"b' as super), json_typeof('{"a": 1}'::super)""", '"{\\"a\\": 1}"', '"a\\"b"', "string"),
        case("r_SUPER_type", "select 'abcdef'::super::varchar(3), true::super::varchar, 1.50::super::varchar, null::super", "abc", "true", "1.50", None),
    ],
)  # fmt: skip
def test_values(shared: Connection, query: str, expected: Rows) -> None:
    assert rows(shared, query) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param("select '2019-09-09'::date::super", "cannot cast type date to super", marks=pytest.mark.documented("limitations-super", "refused as documented")),
        pytest.param("select array(date '2019-09-09')", "cannot cast type date to super", marks=pytest.mark.documented("r_array", "refused as documented")),
        pytest.param("select json_parse('[1,')", "Parsing failed", marks=pytest.mark.documented("JSON_PARSE", "refused as documented")),
        pytest.param("""select json_parse('{"a": 1, "a": 2}')""", "Parsing failed", marks=pytest.mark.documented("super-configurations", "refused as documented")),
    ],
)  # fmt: skip
def test_refused(shared: Connection, query: str, message: str) -> None:
    with pytest.raises(ProgrammingError) as refusal:
        run(shared, query)
    assert message in refusal.value.args[0]["M"]


C = "customer_orders_lineitem"


@pytest.mark.documented("query-super", "as documented")
class TestQueries:
    """https://docs.aws.amazon.com/redshift/latest/dg/query-super.html."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            # Navigation
            (f"SELECT c_orders[0].o_orderkey FROM {C} order by c_custkey", [["3020007"], ["4043971"], [None]]),
            (f"SELECT cust.c_orders[0].o_orderkey FROM {C} AS cust where cust.c_custkey = 1", [["3020007"]]),
            (f"SELECT count(*) FROM {C} WHERE c_orders[0]. o_orderkey IS NOT NULL", [[2]]),
            (
                f"""SELECT c_orders[0].o_orderdate, c_orders[0].o_orderstatus, count(*) FROM {C} WHERE c_orders[0].o_orderkey IS NOT NULL
                    GROUP BY c_orders[0].o_orderstatus, c_orders[0].o_orderdate ORDER BY c_orders[0].o_orderdate""",
                [['"2001-09-08"', '"P"', 1], [None, "7", 1]],
            ),
            (f"select super_values.{C}.c_orders[1].o_orderkey from super_values.{C} where c_custkey = 1", [["8"]]),
            (f"select c_orders[c_custkey].o_orderkey from {C} where c_custkey = 1", [["8"]]),
            (f"select a.c_custkey from {C} a join {C} b on a.c_orders[0].o_orderkey = b.c_orders[0].o_orderkey order by 1", [[1], [2]]),
            (f"with v as (select c_orders[0] as first from {C}) select v.first.o_orderstatus from v where first.o_orderkey = 3020007", [['"P"']]),
            (f"select c_orders[0].o_orderkey::bigint + 1 as next, next + 1 from {C} where c_custkey = 1", [[3020008, 3020009]]),
            (f"select c_custkey from {C} c qualify row_number() over (order by c.c_orders[0].o_orderkey::int desc nulls last) = 1", [[2]]),
            # Lax semantics
            (f"SELECT c.c_orders.something, c.c_orders[1][1], c.c_orders[0].o_orderstatus::integer FROM {C} c where c_custkey = 1", [[None, None, None]]),
            (f"select c.c_orders[9], c.c_orders[-1], c.c_orders[0].o_comment from {C} c where c_custkey = 2", [[None, None, None]]),
            # what is of a query around this one is no path
            (f"select c_custkey from {C} x where exists (select 1 from bar b where x.c_custkey = 1 and b.data.scalar_array[1] = 2.3)", [[1]]),
            # Unnesting
            (f"SELECT c.c_custkey, o.o_orderkey FROM {C} c, c.c_orders o order by 1, o.o_orderkey", [[1, "8"], [1, "3020007"], [2, "4043971"]]),
            (f"SELECT c_name, l FROM {C} c, c.c_orders o, o.o_lineitems l", [["Customer#1", '{"l_partkey":1}'], ["Customer#1", '{"l_partkey":"A55"}']]),
            (f"SELECT c.* FROM {C} c, c.c_orders[0].o_lineitems as l where l.l_partkey = 'A55'", None),
            (
                f"SELECT c_name, orders.o_orderkey AS orderkey, index AS orderkey_index FROM {C} c, c.c_orders AS orders AT index ORDER BY orderkey_index, c_name",
                [["Customer#1", "3020007", 0], ["Customer#2", "4043971", 0], ["Customer#1", "8", 1]],
            ),
            ("SELECT index, element FROM bar AS b, b.data.scalar_array AS element AT index", [[0, "1"], [1, "2.3"], [2, "45000000"]]),
            (
                "SELECT level, element FROM foo AS f, f.multi_level_array AS level, level AS element",
                [["[1.1,1.2]", "1.1"], ["[1.1,1.2]", "1.2"], ["[2.1,2.2]", "2.1"], ["[2.1,2.2]", "2.2"], ["[3.1,3.2]", "3.1"], ["[3.1,3.2]", "3.2"]],
            ),
            (f"select sum(o.o_orderkey::int) from {C} c, c.c_orders o where c.c_custkey = 1", [[3020015]]),
            (f"select count(*) from (select o from {C} c, c.c_orders o) q where q.o.o_orderstatus = 'P'", [[1]]),
            # Object unpivoting
            (
                f"SELECT attr as attribute_name, json_typeof(val) as value_type FROM {C} c, UNPIVOT c.c_orders[0] AS val AT attr WHERE c_custkey = 1 order by 1",
                [["o_lineitems", "array"], ["o_orderdate", "string"], ["o_orderkey", "number"], ["o_orderstatus", "string"], ["o_totalprice", "number"]],
            ),
            (f"SELECT attr as attribute_name, val as object_value FROM {C} c, c.c_orders AS o, UNPIVOT o AS val AT attr WHERE c_custkey = 2 and attr like '%stat%'", [["o_orderstatus", "7"]]),
            # Dynamic typing
            (f"SELECT c_orders[0].o_orderkey FROM {C} WHERE c_orders[0].o_orderstatus = 'P'", [["3020007"]]),
            (f"SELECT c_custkey FROM {C} WHERE c_orders[0].o_orderstatus = 'P  '", [[1]]),
            (f"SELECT c_orders[0].o_orderstatus = 'P', c_orders[0].o_orderstatus <= 'P' FROM {C} where c_custkey = 2", [[False, None]]),
            (f"SELECT c_custkey FROM {C} WHERE c_orders[0].o_orderstatus in ('P', 'Q') or 7 = c_orders[0].o_orderstatus order by 1", [[1], [2]]),
            (f"SELECT c_custkey FROM {C} WHERE c_orders[0].o_totalprice > 10 and c_orders[0].o_totalprice < 10.75 and c_orders[0].o_totalprice <> 3", [[1]]),
            (f"select count(*) from {C} c, c.c_orders o, o.o_lineitems l where l.l_partkey = 1.0", [[1]]),
            (f"SELECT c_custkey FROM {C} WHERE CASE WHEN IS_INTEGER(c_orders[0].o_orderstatus) THEN c_orders[0].o_orderstatus::INTEGER = 7 ELSE false END", [[2]]),
            # Order by; the page has "Amazon" before "AWS", which Redshift's order by bytes does not give
            ("SELECT r_nations FROM region_nations order by r_nations", [["-2.5"], ["1"], ['"AWS"'], ['"Amazon"'], ['[1,"abc",null]']]),
            ("SELECT r_nations, r_nations::varchar, JSON_SERIALIZE(r_nations) FROM region_nations WHERE r_regionkey=300", [['[1,"abc",null]', None, '[1,"abc",null]']]),
            ("select json_parse('{\"a\": [1.0, 2]}') = json_parse('{\"a\":[1,2.00]}'), array(1) = array('1')", [[True, False]]),
            ("select count(distinct r_nations) from region_nations", [[5]]),
        ],
    )  # fmt: skip
    def test_queries(self, orders: Connection, query: str, expected: Rows | None) -> None:
        found = rows(orders, query)
        assert found == expected if expected is not None else len(found) == 1

    def test_stars(self, orders: Connection) -> None:
        unnested = f"select * from {C} c, c.c_orders o{{}} where c_custkey = 2"
        assert names(orders, unnested.format("")) == ["c_custkey", "c_name", "c_orders", "o"]
        assert names(orders, unnested.format(" at k")) == ["c_custkey", "c_name", "c_orders", "o", "k"]

    def test_names(self, orders: Connection) -> None:
        assert names(
            orders,
            f"select c_orders[0].o_orderkey, c.c_orders[0].o_orderstatus::varchar, c_orders[0].o_lineitems[0].l_partkey as x from {C} c",
        ) == ["o_orderkey", "o_orderstatus", "x"]

    def test_correlated_queries_in_a_transaction(self, connection: Connection) -> None:
        connection.autocommit = False
        run(connection, "create table t (a int)", "insert into t values (1)")
        query = "select a from t x where exists (select 1 from t q where q.a = x.a)"
        assert rows(connection, query) == [[1]]
        assert rows(connection, "select count(*) from t") == [[1]]
        connection.rollback()

    def test_in_what_is_made_of_queries(self, connection: Connection) -> None:
        query = "select t.id, i.name::varchar(20) as name, i.n from case_schema.t t, t.items as i"
        run(
            connection,
            "create table t (id int, items super)",
            """insert into t values (1, json_parse('[{"name": "a", "n": 1}, {"name": "b", "n": [2]}]'))""",
            f"create table copied as {query}",
            f"create view plain as {query}",
            f"create view late as {query} with no schema binding",
            f"create materialized view stored as {query}",
            "create view deep as select v from case_schema.t t, t.items i, unpivot i as v at k where k = 'n' with no schema binding",
        )
        assert rows(connection, "select v from deep order by v") == [["1"], ["[2]"]]
        for relation in ("copied", "plain", "late", "stored"):
            assert rows(connection, f"select * from {relation} order by name") == [[1, "a", "1"], [1, "b", "[2]"]], (
                relation
            )
        types = "select column_name, data_type, character_maximum_length from svv_columns where table_name = 'copied' order by 1"
        assert rows(connection, types) == [
            ["id", "integer", None],
            ["n", "super", None],
            ["name", "character varying", 20],
        ]

    def test_with_parameters(self, orders: Connection) -> None:
        cursor = orders.cursor()
        cursor.execute(
            f"select c_custkey from {C} c, c.c_orders o where o.o_orderkey::int > %s and o.o_orderkey::int < %s",
            (4000000, 5000000),
        )
        assert [list(row) for row in cursor.fetchall()] == [[2]]


@pytest.mark.documented("ingest-super", "as documented")
def test_texts_are_inserted_as_strings(connection: Connection) -> None:
    run(
        connection,
        "create table t (a int, s super)",
        """insert into t values (1, '{"a": 1}'), (2, '5'), (3, null)""",
        "insert into t (s, a) values ('x', 4)",
    )
    run(connection, "insert into t select 5, 'y'::varchar", "update t set s = json_parse('[2]') where a = 2")
    cursor = connection.cursor()
    cursor.execute("insert into t values (%s, %s)", (6, "z"))
    assert rows(connection, "select s from t order by a") == [
        ['"{\\"a\\": 1}"'],
        ["[2]"],
        [None],
        ['"x"'],
        ['"y"'],
        ['"z"'],
    ]


@pytest.mark.documented("super-configurations", "as documented")
class TestConfigurations:
    """https://docs.aws.amazon.com/redshift/latest/dg/super-configurations.html."""

    QUERY = """SELECT json_table.data{} FROM (SELECT json_parse('{{"ITEMS":{{"Name":"TV"}}, "price": 345}}') AS data) AS json_table"""

    def test_names_in_upper_case(self, connect: Connect) -> None:
        quoted, bare = (
            self.QUERY.format('."ITEMS"."Name", json_table.data."price"'),
            self.QUERY.format(".ITEMS.Name, json_table.data.price"),
        )
        with connect() as session:
            session.autocommit = True
            assert rows(session, bare) == [[None, "345"]]
            run(session, "SET enable_case_sensitive_super_attribute to TRUE")
            assert rows(session, bare) == [['"TV"', "345"]]
            assert names(session, bare) == ["name", "price"]
            run(session, "RESET enable_case_sensitive_super_attribute", "SET enable_case_sensitive_identifier to TRUE")
            assert rows(session, quoted) == [['"TV"', "345"]]
            assert names(session, quoted) == ["Name", "price"]
        with connect() as session:
            assert rows(session, quoted) == [[None, "345"]]

    def test_strict_modes(self, connect: Connect) -> None:
        with connect() as session:
            session.autocommit = True
            run(session, "create temp table t (s super)", """insert into t values (json_parse('{"a": "x"}'))""")
            assert rows(session, "select s.b, s.a::int, s.a[0] from t") == [[None, None, None]]
            run(session, "SET navigate_super_null_on_error=OFF", "SET cast_super_null_on_error=OFF")
            assert rows(session, "select t.s.a from t") == [['"x"']]
            for wrong in ("select t.s.b from t", "select t.s.a[0] from t", "select t.s.a::int from t"):
                with pytest.raises(ProgrammingError):
                    run(session, wrong)
            run(session, "SET parse_super_null_on_error=ON")
            assert rows(session, "select json_parse('[1,')") == [[None]]
