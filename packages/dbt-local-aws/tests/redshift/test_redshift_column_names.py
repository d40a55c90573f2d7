"""Default names of result columns.

Sources: the examples of each function's page in the Amazon Redshift Database Developer Guide; `?column?`, a cast's and
a CASE's are those of the PostgreSQL 8.0 that Redshift was made of, and of its pages.
"""

# ruff: noqa: E501, S608 - a case is a line, and the queries are our own

from collections.abc import Iterator

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, rows, run

NAMES = {
    "r_COUNT": [("count(*)", "count"), ("count(distinct n)", "count"), ("approximate count(distinct n)", "count")],
    "r_CAST_function": [
        ("cast(n as bigint)", "n"),
        ("n::varchar", "n"),
        ("convert(bigint, n)", "n"),
        ("'1'::int", "int4"),
    ],
    "r_CASE_function": [("case when n = 1 then 2 end", "case"), ("case n when 1 then 2 else n end", "n")],
    "r_NVL_function": [("nvl(n, 1)", "coalesce"), ("coalesce(n, 1)", "coalesce")],
    "r_DECODE_expression": [("decode(n, 1, 'x')", "case")],
    "r_DATEADD_function": [("dateadd(day, 1, d)", "date_add"), ("DATE_ADD('day', 1, d)", "date_add")],
    "r_DATEDIFF_function": [("datediff(day, d, d)", "date_diff"), ("date_diff('day', d, d)", "date_diff")],
    "r_EXTRACT_function": [("extract(year from d)", "date_part"), ("extract /* - */ (epoch from d)", "date_part")],
    "r_DATE_PART_function": [("date_part(year, d)", "pgdate_part")],
    "r_DATE_TRUNC": [("date_trunc('year', d)", "date_trunc")],
    "r_LISTAGG": [
        ("listagg(k, ',')", "listagg"),
        ("listagg(distinct k, ',') within group (order by k)", "listagg"),
        ("listagg(k) within group (order by k) over (partition by n)", "listagg"),
    ],
    "r_WF_RATIO_TO_REPORT": [("ratio_to_report(n) over (partition by k)", "ratio_to_report")],
    "r_AVG": [("avg(n)", "avg"), ("avg(n * 1.5)", "avg"), ("avg(n * 1.5) over ()", "avg")],
    "r_LEN": [("len(k)", "len"), ("octet_length(k)", "octet_length")],
    "r_TRIM": [("trim(k)", "btrim")],
    "JSON_EXTRACT_PATH_TEXT": [("json_extract_path_text('{}', 'a')", "json_extract_path_text")],
    "r_SELECT_list": [
        ("1", "?column?"),
        ("n + 1", "?column?"),
        ("n / 2.5", "?column?"),
        ("-n", "?column?"),
        ("'x'", "?column?"),
        ("datediff(day, d, d) + 1", "?column?"),
        ("extract(year from d) as y", "y"),
        ("extract(year from d) y", "y"),
        ("t.n", "n"),
        ("(select extract(year from d) from t limit 1)", "date_part"),
    ],
}


@pytest.fixture(scope="module")
def named(connect: Connect) -> Iterator[Connection]:
    """A table of one row."""
    with connect() as opened:
        run(opened, "create temp table t (n int, d date, k varchar(9))", "insert into t values (1, '2020-01-01', 'x')")
        yield opened


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        pytest.param(*case, marks=pytest.mark.documented(page, "as documented"), id=case[0])
        for page, cases in NAMES.items()
        for case in cases
    ],
)
def test_the_name_of_a_column(named: Connection, expression: str, name: str) -> None:
    assert run(named, f"select {expression} from t").description[0][0] == name


@pytest.mark.documented("r_CREATE_TABLE_AS", "as documented")
def test_names_of_what_is_made_of_a_query(connection: Connection) -> None:
    run(
        connection,
        "create table t as select date '2020-01-01' as d",
        "create table made as select extract(year from d), dateadd(day, 1, d), datediff(day, d, d) from t",
        "create view v as with s as (select date_part(year, d), listagg(d) from t group by d) select pgdate_part, listagg from s",
    )
    query = (
        "select column_name from svv_columns where table_name in ('made', 'v') order by table_name, ordinal_position"
    )
    assert [name for (name,) in rows(connection, query)] == [
        "date_part", "date_add", "date_diff", "pgdate_part", "listagg",
    ]  # fmt: skip


@pytest.mark.documented("r_SELECT_list", "as documented")
def test_names_in_queries(shared: Connection) -> None:
    for query in (
        "select distinct extract(year from date '2020-01-01') from (select 1) as t order by 1",
        "select top 1 extract(year from date '2020-01-01') from (select 1) as t",
        "select * from (select extract(year from date '2020-01-01')) as t",
        "select extract(year from date '2020-01-01') union select 1",
    ):
        assert run(shared, query).description[0][0] == "date_part"
