"""INTERVAL YEAR TO MONTH and INTERVAL DAY TO SECOND: columns, literals, arithmetic, and how they are shown.

https://docs.aws.amazon.com/redshift/latest/dg/r_interval_data_types.html
"""

# ruff: noqa: DTZ001, E501 - a timestamp has no zone; a case is a line

import datetime as dt
from collections.abc import Iterator

import pytest
from raw_client import RawClient  # type: ignore[import-not-found]  # pytest has this folder on its path

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

PAGE = "r_interval_data_types"
Y2M, D2S, INTERVAL, DATE, TIMESTAMP = 1188, 1190, 1186, 1082, 1114  # as redshift_connector knows the types


@pytest.mark.documented(PAGE, "as documented")
@pytest.mark.parametrize(
    ("literal", "text"),
    [
        ("interval '1' year", "1 year"),
        ("interval '13 months' year", "1 year"),
        ("interval '13 months' month", "1 year 1 mon"),
        ("interval '23' month", "1 year 11 mons"),
        ("interval '1-2' month", "1 year 2 mons"),
        ("interval '1-2' year to month", "1 year 2 mons"),
        ("interval '-2' day", "-2 days"),
        ("interval '13 day 1 hour 1 minute 1.123 seconds' second", "13 days 01:01:01.123"),
        ("interval '1 day 1 hour 1 minute 1.123 seconds' minute", "1 day 01:01:00"),
        ("interval '1.234567' second (3)", "00:00:01.235"),
        ("interval '1.23456789' second", "00:00:01.234567"),
        ("interval '2:2' minute to second", "00:02:02"),
        ("interval '2:2' hour to minute", "02:02:00"),
        ("interval '1 2:3:4.5678' day to second", "1 day 02:03:04.5678"),
        ("interval '1 2:3:4.5678' day to second (2)", "1 day 02:03:04.57"),
        ("interval '5s' second", "00:00:05"),
        ("interval '5 HOURS' hour", "05:00:00"),
        ("interval '5 h' hour", "05:00:00"),
        ("'23'::interval month", "1 year 11 mons"),
        ("cast('2:2' as interval hour to minute)", "02:02:00"),
    ],
)  # fmt: skip
def test_literals_are_cut_off_behind_their_smallest_unit(shared: Connection, literal: str, text: str) -> None:
    """That casts of texts take the units of their qualifier is inferred from the literals."""
    assert rows(shared, f"select ({literal})::text") == [[text]]


@pytest.mark.documented(PAGE, "as documented")
@pytest.mark.parametrize(
    ("style", "months", "seconds"),
    [
        ("postgres", "1 year 2 mons", "1 day 02:03:04.5678"),
        ("postgres_verbose", "@ 1 year 2 mons", "@ 1 day 2 hours 3 mins 4.5678 secs"),
        ("sql_standard", "1-2", "1 2:03:04.5678"),
    ],
)
def test_a_text_follows_intervalstyle(connection: Connection, style: str, months: str, seconds: str) -> None:
    """The page prints 4.56 seconds where it has postgres_verbose, which is taken for a slip."""
    run(connection, f"set intervalstyle to '{style}'")
    query = "select interval '1-2' year to month::text, interval '1 2:3:4.5678' day to second::text"
    assert rows(connection, query) == [[months, seconds]]


@pytest.mark.documented(PAGE, "different")
def test_what_is_no_text_is_printed_so_too(redshift: LocalRedshift) -> None:
    """The page prints literals as `1 years 0 mons` and columns as `2 years`; here both are in IntervalStyle's form."""
    client = RawClient(redshift).log_in()
    client.query("select interval '1' year, interval '5s' second")
    (row,) = [body for kind, body in client.read_until(b"Z") if kind == b"D"]
    client.close()
    assert b"1 year" in row
    assert b"00:00:05" in row


@pytest.mark.documented(PAGE, "as documented")
def test_columns(connection: Connection) -> None:
    """The page's own example."""
    run(
        connection,
        "create table sample_intervals (y2m interval month, h2m interval hour to minute)",
        "insert into sample_intervals values (interval '20' month, interval '2 days 1:1:1.123456' day to second)",
    )
    shown = "select y2m::text, h2m::text from sample_intervals"
    assert rows(connection, shown) == [["1 year 8 mons", "2 days 01:01:00"]]
    run(connection, "update sample_intervals set y2m = interval '2' year where y2m = interval '1-8' year to month")
    assert rows(connection, shown) == [["2 years", "2 days 01:01:00"]]
    run(connection, "delete from sample_intervals where h2m = interval '2 1:1:0' day to second")
    assert rows(connection, shown) == []


@pytest.mark.documented(PAGE, "as documented")
def test_the_driver_reads_months_and_microseconds(connection: Connection) -> None:
    """The page names the columns of literals intervaly2m and intervald2s; the driver's numbers of the types are its own."""
    cursor = run(
        connection, "select interval '1-2' year to month, interval '1 0:0:1.5' day to second, interval '1 day'"
    )
    assert [(name, kind) for name, kind, *_ in cursor.description] == [
        ("intervaly2m", Y2M),
        ("intervald2s", D2S),
        ("interval", INTERVAL),
    ]
    ((months, seconds, _),) = cursor.fetchall()
    assert months.months == 14
    assert seconds.microseconds == 86_401_500_000


@pytest.fixture(scope="module")
def spans(connect: Connect) -> Iterator[Connection]:
    """A table of each type, with a qualifier, a precision, a default and a key."""
    connection = connect()
    run(
        connection,
        "create schema spans",
        "set search_path to spans",
        "create table t (id int, m interval year to month not null sortkey, s interval second (3) default interval '1.2345' second)",
        "insert into t (id, m) values (1, '3 years 2 months 4 days'), (2, interval '1' month), (3, interval '1' month)",
    )
    yield connection
    run(connection, "drop schema spans cascade")
    connection.close()


@pytest.mark.documented(PAGE, "as documented")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select id, m::text, s::text from t order by m desc, id limit 1", [[1, "3 years 2 mons", "00:00:01.235"]]),
        ("select m::text, count(*) from t group by m order by m", [["1 mon", 2], ["3 years 2 mons", 1]]),
        ("select count(distinct m), sum(m)::text, min(m)::text, max(m)::text from t", [[2, "3 years 4 mons", "1 mon", "3 years 2 mons"]]),
        ("select x.id, y.id from t x join t y on x.m = y.m and x.id < y.id", [[2, 3]]),
        ("select id from t where m > interval '1' year", [[1]]),
        ("select id from t where m between interval '2' year and interval '4' year", [[1]]),
        ("select date_part('year', m), extract(month from m) from t where id = 1", [[3.0, 2]]),
        ("select (case when id = 1 then m end)::text, coalesce(m, interval '1' year)::text from t where id = 2", [[None, "1 mon"]]),
    ],
)  # fmt: skip
def test_queries_of_columns(spans: Connection, query: str, expected: list[list[object]]) -> None:
    """That a column's type cuts off what it has no place for, as a literal's does, is inferred."""
    assert rows(spans, query) == expected


@pytest.mark.documented(PAGE, "as documented")
@pytest.mark.parametrize(
    ("expression", "oid", "value"),
    [
        ("interval '1' year + interval '2' month", Y2M, "1 year 2 mons"),
        ("interval '1' year - interval '2' month", Y2M, "10 mons"),
        ("interval '1' day + interval '2' hour", D2S, "1 day 02:00:00"),
        ("interval '1' day - interval '2' hour", D2S, "1 day -02:00:00"),
        ("interval '3' month * 2", Y2M, "6 mons"),
        ("interval '3' month / 2", Y2M, "1 mon"),
        ("interval '1' day * 1.5", D2S, "1 day 12:00:00"),
        ("- interval '1' day", D2S, "-1 days"),
        ("date '2020-01-31' + interval '1' month", DATE, "2020-02-29"),
        ("date '2020-01-31' - interval '1' year", DATE, "2019-01-31"),
        ("interval '1' month + date '2020-01-31'", DATE, "2020-02-29"),
        ("date '2020-01-31' + interval '1' hour", TIMESTAMP, "2020-01-31 01:00:00"),
        ("interval '1' day + date '2020-01-31'", TIMESTAMP, "2020-02-01 00:00:00"),
        ("date '2020-01-31' - interval '1' day", TIMESTAMP, "2020-01-30 00:00:00"),
        ("timestamp '2020-01-31 10:00:00' + interval '1' month", TIMESTAMP, "2020-02-29 10:00:00"),
        ("timestamp '2020-01-31 10:00:00' - interval '90' minute", TIMESTAMP, "2020-01-31 08:30:00"),
        ("interval '90' minute + timestamp '2020-01-31 10:00:00'", TIMESTAMP, "2020-01-31 11:30:00"),
    ],
)  # fmt: skip
def test_arithmetic(shared: Connection, expression: str, oid: int, value: str) -> None:
    """What a division leaves below a month is cut off: inferred from what literals lose."""
    cursor = run(shared, f"select {expression} as a, ({expression})::varchar")
    assert cursor.description[0][1] == oid
    assert cursor.fetchall()[0][1] == value


def test_statements_around_columns(connection: Connection) -> None:
    """Views, procedures, functions, CREATE TABLE AS and LIKE: no page says that they do otherwise than with other types."""
    run(
        connection,
        "create table t as select interval '1' day as a, interval '2' month as b",
        "alter table t add column c interval hour",
        "create table like_t (like t)",
        "create view v as select a, interval '1' year as y from t",
        "create view late as select b, interval '1' hour as h from case_schema.t with no schema binding",
        "create materialized view m as select b, interval '1' minute as h from t",
        "create procedure p() as $$ declare x interval day to second; begin x := interval '1.5' second (1); insert into t (a) values (x); end $$ language plpgsql",
        "create function f(interval day to second) returns interval day to second immutable as $$ select $1 + interval '1' day $$ language sql",
        "call p()",
    )
    assert rows(connection, "select a::text, f(a)::text from t order by a") == [
        ["00:00:01.5", "1 day 00:00:01.5"],
        ["1 day", "2 days"],
    ]
    query = (
        "select v.y::text, late.h::text, m.h::text from v, late, m where m.b is not null and late.b is not null limit 1"
    )
    assert rows(connection, query) == [["1 year", "01:00:00", "00:01:00"]]


def test_names_in_the_catalogue(connection: Connection) -> None:
    """Inferred: redshift_connector reads the names `interval year to month` and `interval day` where columns are shown."""
    run(connection, "create table named (a interval year, b interval year to month, c interval day to second (3))")
    query = "select data_type from svv_columns where table_name = 'named' order by ordinal_position"
    assert rows(connection, query) == [
        ["interval year to month"],
        ["interval year to month"],
        ["interval day to second"],
    ]
    query = "select type from pg_table_def where tablename = 'named'"
    assert rows(connection, query) == [["interval year"], ["interval year to month"], ["interval day to second(3)"]]
    query = "select typname from pg_type where oid in (1188, 1190) order by oid"
    assert rows(connection, query) == [["intervaly2m"], ["intervald2s"]]


@pytest.mark.documented("r_interval_forbid_composite_literals", "as documented")
def test_a_literal_of_both_kinds_keeps_its_own(connection: Connection) -> None:
    query = "select interval '1 year 1 day' day to second::text, interval '1 year 1 day' year to month::text"
    assert rows(connection, query) == [["1 day", "1 year"]]


@pytest.mark.documented("r_interval_forbid_composite_literals", "refused as documented")
@pytest.mark.parametrize(
    ("literal", "kind", "parts"),
    [
        ("interval '1 year 1 day' day to second", "Day To Second", "year-month"),
        ("interval '1-1 2:00' hour to minute", "Day To Second", "year-month"),
        ("interval '1 year 1 day' month", "Year To Month", "day-second"),
    ],
)
def test_a_literal_of_both_kinds_can_be_forbidden(connection: Connection, literal: str, kind: str, parts: str) -> None:
    """The page has the first message; the other one is inferred from it."""
    run(connection, "set interval_forbid_composite_literals to true")
    with pytest.raises(ProgrammingError) as refusal:
        run(connection, f"select {literal}")
    assert refusal.value.args[0]["M"] == (
        f"Interval {kind} literal cannot contain {parts} parts. Disable the GUC interval_forbid_composite_literals "
        f"to suppress this error and silently discard the {parts} part."
    )
    assert rows(connection, "select interval '1 day 2:03' day to second::text") == [["1 day 02:03:00"]]


@pytest.mark.documented(PAGE, "refused as documented")
@pytest.mark.parametrize(
    ("query", "sqlstate"),
    [
        ("select interval '1' year to day", "42601"),
        ("select interval '1' month to year", "42601"),
        ("select interval '1' year to year", "42601"),
        ("select interval '1' day (3)", "42601"),
        ("select interval '1' day to minute (3)", "42601"),
        ("create table refused (a interval month to day)", "42601"),
        ("create table refused (a interval day (3))", "42601"),
        ("select interval '1' second (7)", "22023"),
        ("create table refused (a interval second (7))", "22023"),
        ("create table refused (a interval)", "0A000"),
        ("select interval '1' day - date '2020-01-01'", "42883"),
        ("select interval '1' day - timestamp '2020-01-01'", "42883"),
        ("select interval '1' day * interval '1' day", "42883"),
        ("select date '2020-01-01' + date '2020-01-01'", "42883"),
    ],
)
def test_refused(connection: Connection, query: str, sqlstate: str) -> None:
    """The codes are inferred; so is the refusal of a column without a qualifier, which the syntax does not have."""
    with pytest.raises(ProgrammingError) as refusal:
        run(connection, query)
    assert refusal.value.args[0]["C"] == sqlstate


def test_dates_keep_their_type_beside_a_literal_without_a_qualifier(shared: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_interval_literals.html: a date and `4 months` are a timestamp."""
    assert rows(shared, "select date '2023-03-31' - interval '4 months'") == [[dt.datetime(2022, 11, 30)]]
