"""Redshift's expressions, case by case: each gives this value and this type.

Sources: "SQL functions reference", "Data types" and "Expressions" in the Amazon Redshift Database Developer Guide;
where a case is an example of theirs, value and type are the guide's.
"""

# ruff: noqa: DTZ001, E501, S608 - timestamps have no zone here, a case is a line, and the SQL is our own

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from redshift_connector.utils.oids import get_datatype_name

from dbt_local_aws.testing.redshift import Connect, Connection, run

CASES: dict[str, list[tuple[str, Any, str]]] = {
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DATEADD_function.html
    "dateadd": [
        ("dateadd(month, 18, date '2008-02-28')", dt.datetime(2009, 8, 28), "TIMESTAMP"),
        ("dateadd(day, 30, '2008-11-01')", dt.datetime(2008, 12, 1), "TIMESTAMP"),
        ("dateadd('minute', 30, timestamp '2008-11-01 00:00:00')", dt.datetime(2008, 11, 1, 0, 30), "TIMESTAMP"),
        ("dateadd(qtr, 1, '2020-01-31')", dt.datetime(2020, 4, 30), "TIMESTAMP"),
        ("dateadd(ms, 1500, timestamp '2020-01-01 00:00:00')", dt.datetime(2020, 1, 1, 0, 0, 1, 500000), "TIMESTAMP"),
        ("dateadd(week, -1, timestamp '2020-01-08 01:00:00')", dt.datetime(2020, 1, 1, 1), "TIMESTAMP"),
        ("dateadd(month, 12, '2016-02-29')", dt.datetime(2017, 2, 28), "TIMESTAMP"),
        ("dateadd(year, 1, '2016-02-29')", dt.datetime(2017, 3, 1), "TIMESTAMP"),
        ("dateadd(year, -1, date '2016-02-29')", dt.datetime(2015, 3, 1), "TIMESTAMP"),
        ("dateadd(year, 4, date '2016-02-29')", dt.datetime(2020, 2, 29), "TIMESTAMP"),
        ("dateadd(month, 1, '2008-04-30')", dt.datetime(2008, 5, 30), "TIMESTAMP"),
        ("dateadd(hour, null, timestamp '2020-01-08 01:00:00')", None, "TIMESTAMP"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html
    "datediff": [
        ("datediff(week, '2009-01-01', '2009-12-31')", 52, "BIGINT"),
        ("datediff(qtr, '1998-07-01', '2023-01-15 12:00:00')", 98, "BIGINT"),
        ("datediff(year, '2008-12-31', '2009-01-01')", 1, "BIGINT"),
        ("datediff(day, timestamp '2020-01-02 00:00:00', timestamp '2020-01-01 23:59:59')", -1, "BIGINT"),
        ("datediff(hour, '2020-01-01 00:59:59', '2020-01-01 01:00:00')", 1, "BIGINT"),
        ("datediff(ms, '2020-01-01 00:00:00', '2020-01-01 00:00:01.25')", 1250, "BIGINT"),
        ("datediff(milliseconds, timestamp '2020-01-01', timestamp '2020-01-02')", 86_400_000, "BIGINT"),
        ("datediff(us, timestamp '2020-01-01 00:00:00', timestamp '2020-01-01 00:00:00.000007')", 7, "BIGINT"),
        ("datediff(month, date '2020-01-31', date '2020-02-01')", 1, "BIGINT"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_DATE_TRUNC.html
    "date_trunc": [
        ("date_trunc('month', date '2008-09-18')", dt.datetime(2008, 9, 1), "TIMESTAMP"),
        ("date_trunc('week', timestamp '2022-05-20 12:13:14')", dt.datetime(2022, 5, 16), "TIMESTAMP"),
        ("date_trunc('hour', timestamp '2020-04-28 22:59:28')", dt.datetime(2020, 4, 28, 22), "TIMESTAMP"),
        ("trunc(timestamp '2011-07-21 10:32:38.248109')", dt.date(2011, 7, 21), "DATE"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_EXTRACT_function.html and r_DATE_PART_function.html
    "date parts": [
        ("extract(dow from timestamp '2008-01-06 10:00:00')", 0, "INTEGER"),
        ("extract(week from date '2021-01-03')", 53, "INTEGER"),
        ("extract(day from timestamp '2009-09-09 12:08:43.101')", 9, "INTEGER"),
        ("extract(ms from timestamp '2009-09-09 12:08:43.101')", 101, "INTEGER"),
        ("extract(epoch from timestamp '2019-08-15 22:11:07.9')", 1565907067, "BIGINT"),
        ("date_part(dow, timestamp '2008-01-06 10:00:00')", 0.0, "FLOAT"),
        ("date_part(minute, timestamp '2008-01-01 02:05:06.001')", 5.0, "FLOAT"),
        ("date_part(w, timestamp '2008-06-17 09:44:54')", 25.0, "FLOAT"),
        ("date_part_year(date '2022-02-22')", 2022, "INTEGER"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/Date_functions_header.html
    "dates": [
        ("last_day(date '2004-02-15')", dt.date(2004, 2, 29), "DATE"),
        ("add_months(date '2008-02-29', 12)", dt.datetime(2009, 2, 28), "TIMESTAMP"),
        ("add_months(date '2008-03-31', -1)", dt.datetime(2008, 2, 29), "TIMESTAMP"),
        ("add_months(date '2009-02-28', 1)", dt.datetime(2009, 3, 31), "TIMESTAMP"),
        ("months_between(date '1969-01-18', date '1969-03-18')", -2.0, "FLOAT"),
        ("months_between(date '2009-03-31', date '2009-02-28')", 1.0, "FLOAT"),
        ("next_day(date '2014-08-20', 'Tuesday')", dt.date(2014, 8, 26), "DATE"),
        ("next_day(date '2014-08-26', 'tue')", dt.date(2014, 9, 2), "DATE"),
        (
            "convert_timezone('EST', 'PST8PDT', timestamp '2013-02-01 11:00:00')",
            dt.datetime(2013, 2, 1, 8),
            "TIMESTAMP",
        ),
        ("convert_timezone('US/Pacific', timestamp '2008-03-05 09:00:00')", dt.datetime(2008, 3, 5, 1), "TIMESTAMP"),
        ("date '2020-03-01' - date '2020-02-01'", 29, "INTEGER"),
        ("date '2020-03-01' + 1", dt.date(2020, 3, 2), "DATE"),
        ("date '2020-03-01' + interval '1 hour'", dt.datetime(2020, 3, 1, 1), "TIMESTAMP"),
        (
            "to_char(timestamp '2009-12-31 23:15:59', 'MONTH-DY-DD-YYYY HH12:MIPM')",
            "DECEMBER -THU-31-2009 11:15PM",
            "STRING",
        ),
        ("to_date('02 Oct 2001', 'DD Mon YYYY')", dt.date(2001, 10, 2), "DATE"),
        ("to_date('20010631', 'YYYYMMDD', false)", dt.date(2001, 7, 1), "DATE"),
        ("to_date('2021-02-31', 'YYYY-MM-DD')", dt.date(2021, 3, 3), "DATE"),
        ("to_date('31/04/2021', 'DD/MM/YYYY')", dt.date(2021, 5, 1), "DATE"),
        ("to_date('20010630', 'YYYYMMDD', true)", dt.date(2001, 6, 30), "DATE"),
        ("getdate() = date_trunc('second', getdate())", True, "BOOLEAN"),
        ("sysdate between dateadd(hour, -1, getdate()) and dateadd(hour, 1, getdate())", True, "BOOLEAN"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html
    "texts": [
        ("len('français')", 8, "INTEGER"),
        ("octet_length('français')", 9, "INTEGER"),
        ("len(cast('cat' as char(10)))", 3, "INTEGER"),
        ("charindex('fish', 'dogfish')", 4, "INTEGER"),
        ("position('z' in 'abc')", 0, "INTEGER"),
        ("concat('December 25, ', '2008')", "December 25, 2008", "STRING"),
        ("concat('a', null)", None, "STRING"),
        ("split_part('abc$def$ghi', '$', 2)", "def", "STRING"),
        ("split_part('abc$def$ghi', '$', 4)", "", "STRING"),
        ("upper('größe')", "GRÖßE", "STRING"),
        ("initcap('nibh.enim@egestas.ca')", "Nibh.Enim@Egestas.Ca", "STRING"),
        ("left('cherry', 2) || right('cherry', 2)", "chry", "STRING"),
        ("strtol('abcd1234', 16)", 2882343476, "BIGINT"),
        ("strtol('110101', 2)", 53, "BIGINT"),
        ("replicate('ab', 2)", "abab", "STRING"),
        ("translate('mint tea', 'inea', 'osin')", "most tin", "STRING"),
        ("trim('  a ') || '|'", "a|", "STRING"),
        ("trim(both 'x' from 'xax')", "a", "STRING"),
        ("substring('caterpillar', 6, 4)", "pill", "STRING"),
        ("reverse('abc')", "cba", "STRING"),
        ("'a\\tb'", "a\tb", "STRING"),
        ("'it\\'s'", "it's", "STRING"),
        ("'a' || 'b'::text", "ab", "STRING"),
        ("'a' || 1 || 2.5 || date '2020-01-01'", "a12.52020-01-01", "STRING"),
        ("1::bigint || 'a'::varchar(3)", "1a", "STRING"),
        ("'B' < 'a'", True, "BOOLEAN"),
        ("nvl(null, 'second')", "second", "STRING"),
        ("nvl2(null, 'there', 'not')", "not", "STRING"),
        ("nvl2('x', 'there', 'not')", "there", "STRING"),
        ("isnull(null, 3)", 3, "INTEGER"),
        ("decode(2, 1, 'one', 2, 'two', 'many')", "two", "STRING"),
        ("decode(3, 1, 'one', 2, 'two')", None, "STRING"),
        ("decode(null, null, 'nothing', 'something')", "nothing", "STRING"),
        ("greatest('a', null, 'c')", "c", "STRING"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/REGEXP_SUBSTR.html, REGEXP_REPLACE.html, REGEXP_COUNT.html, REGEXP_INSTR.html
    "regular expressions": [
        ("regexp_substr('Suspendisse@semper.com', '@[^.]*')", "@semper", "STRING"),
        ("regexp_substr('abc', '[0-9]+')", "", "STRING"),
        ("regexp_substr('a1b22', '[0-9]+', 1, 2)", "22", "STRING"),
        ("regexp_count('abcdefghijklmnopqrstuvwxyz', '[a-z]{3}')", 8, "INTEGER"),
        ("regexp_instr('The home of the fox', 'o', 1, 2)", 10, "INTEGER"),
        ("regexp_replace('DonecFri@semperpretiumneque.com', '@.*\\\\.(org|gov|com)$')", "DonecFri", "STRING"),
        ("regexp_replace('a-b-c', '-', '+')", "a+b+c", "STRING"),
        ("regexp_replace('the fox', '([a-z])([a-z]+)', '$1.')", "t. f.", "STRING"),
        ("regexp_replace('the fox', 'FOX', 'quick brown fox', 1, 'i')", "the quick brown fox", "STRING"),
        (
            "regexp_replace('passwd7 plain A1234 a1234', '(?=[^ ]*[a-z])(?=[^ ]*[0-9])[^ ]+', '[hidden]', 1, 'p')",
            "[hidden] plain A1234 [hidden]",
            "STRING",
        ),
        ("regexp_substr('the fox', 'FOX', 1, 1, 'i')", "fox", "STRING"),
        (
            "regexp_substr('passwd7 plain A1234 a1234', '(?=[^ ]*[a-z])(?=[^ ]*[0-9])[^ ]+', 1, 2, 'ip')",
            "A1234",
            "STRING",
        ),
        ("regexp_substr('name=value', '=([a-z]+)', 1, 1, 'e')", "value", "STRING"),
        ("regexp_substr('name=value', '=[a-z]+', 1, 1, 'e')", "=value", "STRING"),
        ("regexp_count('the fox', 'FOX', 1, 'i')", 1, "INTEGER"),
        ("regexp_count('passwd7 plain A1234 a1234', '(?=[^ ]*[a-z])(?=[^ ]*[0-9])[^ ]+', 1, 'p')", 2, "INTEGER"),
        ("regexp_instr('the fox', 'FOX', 1, 1, 0, 'i')", 5, "INTEGER"),
        ("'abc' similar to '%(b|d)%'", True, "BOOLEAN"),
        ("'abc' ~ '^a'", True, "BOOLEAN"),
        ("'start_end' like '%start\\\\_%'", True, "BOOLEAN"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html: a number beside a text becomes one, but for
    # a DECIMAL; r_DATE_TRUNC.html has LIKE of what is no text
    "numbers and times as texts": [
        ("1 = '1'::varchar(5)", True, "BOOLEAN"),
        ("'10'::varchar < 9::bigint", True, "BOOLEAN"),
        ("1.50 = '1.5'::varchar", True, "BOOLEAN"),
        ("'10'::varchar > 9.5", True, "BOOLEAN"),
        ("timestamp '2008-09-03 10:00:00' like '2008-09%'", True, "BOOLEAN"),
        ("12 like '1%'", True, "BOOLEAN"),
        ("date '2020-01-01' = '2020-01-01'", True, "BOOLEAN"),
        ("1.5 = 1 or 1 = 1::float or 2::smallint = 1::numeric", True, "BOOLEAN"),
        ("1 in ('1', '2')", True, "BOOLEAN"),
        ("'x' in (1::varchar, 2::varchar)", False, "BOOLEAN"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/hash-functions.html
    "hashes": [
        ("md5('Amazon Redshift')", "f7415e33f972c03abd4f3fed36748f7a", "STRING"),
        ("func_sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d", "STRING"),
        ("sha2('abc', 256)", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "STRING"),
        ("len(sha2('abc', 512))", 128, "INTEGER"),
        ("sha2('abc', 0) = sha2('abc', 256)", True, "BOOLEAN"),
        ("sha2('abc', 7)", None, "STRING"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/Math_functions.html
    "numbers": [
        ("7 / 2", 3, "INTEGER"),
        ("-7 / 2", -3, "INTEGER"),
        ("mod(10, 4)", 2, "INTEGER"),
        ("round(28.05, 1)", Decimal("28.1"), "NUMERIC"),
        ("round(1.005e0::float8, 1)", 1.0, "FLOAT"),
        ("trunc(-43.8)", Decimal(-43), "NUMERIC"),
        ("ceil(1.2)", Decimal(2), "NUMERIC"),
        ("1.9::numeric", Decimal(2), "NUMERIC"),
        ("cast('1.9' as decimal)", Decimal(2), "NUMERIC"),
        ("cast(1.25 as numeric(10,1))", Decimal("1.3"), "NUMERIC"),
        ("cast(1.5 as integer)", 2, "INTEGER"),
        ("convert(integer, '7')", 7, "INTEGER"),
        ("to_hex(255)", "ff", "STRING"),
        ("sign(-3)", -1.0, "FLOAT"),
        ("dexp(0::float8)", 1.0, "FLOAT"),
        ("bool_and(true)", True, "BOOLEAN"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/json-functions.html
    "JSON": [
        ("is_valid_json('{\"a\": 1}')", True, "BOOLEAN"),
        ("is_valid_json('{a: 1}')", False, "BOOLEAN"),
        ("is_valid_json_array('[1, 2]')", True, "BOOLEAN"),
        ("json_extract_path_text('{\"f4\": {\"f6\": \"star\"}}', 'f4', 'f6')", "star", "STRING"),
        ("json_extract_path_text('{\"a\": 1}', 'b')", "", "STRING"),
        ("json_extract_path_text('no json', 'b', true)", None, "STRING"),
        ("json_extract_array_element_text('[111, 112, 113]', 2)", "113", "STRING"),
        ("json_array_length('[11, 12, {\"a\": 1}]')", 3, "INTEGER"),
        ("json_serialize(json_parse('[10001, 10002, \"abc\"]'))", '[10001,10002,"abc"]', "STRING"),
        ("get_array_length(array(1, 2, 3))", 3, "BIGINT"),
        ("json_serialize(array_concat(array(1), array(2)))", "[1,2]", "STRING"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    "types": [
        ("cast('abcdef' as varchar(3))", "abc", "STRING"),
        ("cast('éé' as varchar(3))", "é", "STRING"),
        ("'abc'::char(5) || '|'", "abc|", "STRING"),
        ("len('abc  '::char(10))", 3, "INTEGER"),
        ("'x'::text", "x", "STRING"),
        ("cast('2020-01-01' as datetime)", dt.datetime(2020, 1, 1), "TIMESTAMP"),
        ("cast(1 as boolean)", True, "BOOLEAN"),
        ("null::float", None, "FLOAT"),
    ],
}


# The page of each group
PAGES = {
    "dateadd": "r_DATEADD_function",
    "datediff": "r_DATEDIFF_function",
    "date_trunc": "r_DATE_TRUNC",
    "date parts": "r_DATE_PART_function",
    "dates": "Date_functions_header",
    "texts": "String_functions_header",
    "regular expressions": "REGEXP_REPLACE",
    "numbers and times as texts": "r_TO_CHAR",
    "hashes": "hash-functions",
    "numbers": "Math_functions",
    "JSON": "json-functions",
    "types": "c_Supported_data_types",
}


@pytest.mark.parametrize(
    ("expression", "value", "type_name"),
    [
        pytest.param(*case, id=f"{group}: {case[0]}", marks=pytest.mark.documented(PAGES[group], "as documented"))
        for group, cases in CASES.items()
        for case in cases
    ],
)
def test_expression(shared: Connection, expression: str, value: object, type_name: str) -> None:
    cursor = run(shared, f"select {expression}")
    ((got,),) = cursor.fetchall()

    assert got == value
    assert type(got) is type(value)
    assert get_datatype_name(cursor.description[0][1]) == type_name


# Queries over rows: (rows, query over them, what it gives) ------------------------------------------------------------

# of a table: LISTAGG, MEDIAN and PERCENTILE_CONT run over nothing else
ROWS = "case_rows as t"


@pytest.fixture(scope="module", autouse=True)
def case_rows(connect: Connect) -> Iterator[None]:
    with connect() as connection:
        run(
            connection,
            "create table case_rows (k varchar(1), n int)",
            "insert into case_rows values ('a', 1), ('a', 2), ('b', 4)",
        )
    yield
    with connect() as connection:
        run(connection, "drop table case_rows")


QUERIES: list[tuple[str, Any]] = [
    # https://docs.aws.amazon.com/redshift/latest/dg/r_AVG.html: of integers, it is an integer
    (f"select avg(n) from {ROWS}", [[2]]),
    (f"select avg(n::float8) from {ROWS}", [[7 / 3]]),
    (f"select sum(n) from {ROWS}", [[7]]),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_MEDIAN.html and r_PERCENTILE_CONT.html: DECIMAL of integers and decimals
    (f"select median(n) from {ROWS}", [[Decimal(2)]]),
    (f"select k, median(n) from {ROWS} group by k order by k", [["a", Decimal("1.5")], ["b", Decimal(4)]]),
    (
        f"select distinct k, median(n) over (partition by k) from {ROWS} order by k",
        [["a", Decimal("1.5")], ["b", Decimal(4)]],
    ),
    (f"select median(n::numeric(5,2)) from {ROWS}", [[Decimal(2)]]),
    (f"select median(n::float) from {ROWS}", [[2.0]]),
    (f"select median(date '2020-01-01' + n) from {ROWS}", [[dt.date(2020, 1, 3)]]),
    (f"select median(dateadd(day, n, '2020-01-01')) from {ROWS} where k = 'a'", [[dt.datetime(2020, 1, 2, 12)]]),
    (f"select percentile_cont(0.5) within group (order by n) from {ROWS}", [[Decimal(2)]]),
    (f"select percentile_cont(0.25) within group (order by n) from {ROWS}", [[Decimal("1.5")]]),
    (f"select percentile_cont(0.5) within group (order by n::float) from {ROWS}", [[2.0]]),
    (f"select median(n) from {ROWS} where n > 9", [[None]]),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_STDDEV_functions.html and r_VARIANCE_functions.html: "regardless of the data type"
    (
        f"select stddev_pop(n), var_pop(n::numeric(5,2)), variance(n::bigint), stddev(n) from {ROWS} where k = 'a'",
        [[0.5, 0.25, 0.5, 0.5**0.5]],
    ),
    (f"select stddev(n) from {ROWS} where k = 'b'", [[None]]),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html
    (f"select listagg(n, ', ') within group (order by n desc) from {ROWS}", [["4, 2, 1"]]),
    (f"select listagg(distinct k, '|') within group (order by k) from {ROWS}", [["a|b"]]),
    (f"select k, listagg(n) within group (order by n) from {ROWS} group by k order by k", [["a", "12"], ["b", "4"]]),
    (
        f"select k, listagg(n, ',') within group (order by n) over (partition by k) from {ROWS} order by 1, 2",
        [["a", "1,2"], ["a", "1,2"], ["b", "4"]],
    ),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_WF_RATIO_TO_REPORT.html
    (f"select ratio_to_report(n) over (partition by k) from {ROWS} order by 1", [[1 / 3], [2 / 3], [1.0]]),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_COUNT.html
    (f"select approximate count(distinct k) from {ROWS}", [[2]]),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
    (f"select top 2 n from {ROWS} order by n desc", [[4], [2]]),
    (f"select count(*) from (select top 1 n from {ROWS}) as top_one", [[1]]),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html
    ("select 1 as a minus select 2", [[1]]),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_ORDER_BY_clause.html: nulls come last, and first in descending order
    ("select * from (select 1 as a union all select null) as t order by a", [[1], [None]]),
    ("select * from (select 1 as a union all select null) as t order by a desc", [[None], [1]]),
    # a table or a value with a limit is no input to the UNION behind it: `dbt run --empty` writes such tables
    ("select * from (select 1 as a limit 1) union all select * from (select 1 limit 0)", [[1]]),
    ("select 1 as a where 1 in (select 1 limit 1) union all select 2 order by 1", [[1], [2]]),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_names.html: quoted names lose their case, too
    ('select "N" from (select 1 as "n") as t', [[1]]),
    (f"select any_value(k) from {ROWS} where k = 'b'", [["b"]]),
    ("select count(*) from (select 1)", [[1]]),
    ("select current_database(), current_user", [["dev", "dbt"]]),
]


@pytest.mark.documented("c_SQL_functions", "as documented")
@pytest.mark.parametrize(("query", "rows"), QUERIES, ids=[query for query, _ in QUERIES])
def test_query(shared: Connection, query: str, rows: list[list[object]]) -> None:
    got = [list(row) for row in run(shared, query).fetchall()]

    assert got == rows
    assert [[type(value) for value in row] for row in got] == [[type(value) for value in row] for row in rows]


@pytest.mark.documented("r_names", "as documented")
def test_names_are_lower_case(shared: Connection) -> None:
    assert run(shared, 'select 1 as "MixedCase"').description[0][0] == "mixedcase"


@pytest.mark.documented("r_enable_case_sensitive_identifier", "as documented")
def test_names_keep_their_case_when_told_so(connect: Connect) -> None:
    with connect() as connection:
        run(connection, "set enable_case_sensitive_identifier to true")
        assert run(connection, 'select 1 as "MixedCase"').description[0][0] == "MixedCase"
        run(connection, "reset enable_case_sensitive_identifier")
        assert run(connection, 'select 2 as "MixedCase"').description[0][0] == "mixedcase"
