"""What Athena answers to an expression, and with which error it refuses one: value, type, or name of the error.

Sources: https://trino.io/docs/current/language/types.html, https://trino.io/docs/current/functions.html and
https://docs.aws.amazon.com/athena/latest/ug/functions.html; each group names its page.
"""
# ruff: noqa: E501 - a case a line

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from dbt_local_aws.testing.athena import Client, QueryFailedError


def of(page: str, treatment: str, cases: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Cases of what one page says."""
    return [pytest.param(*case, id=str(case[0]), marks=pytest.mark.documented(page, treatment)) for case in cases]


# (expression, value, type); None is null
VALUES = [
    # https://trino.io/docs/current/functions/math.html: integer division truncates
    *of("https://trino.io/docs/current/functions/math.html", "as documented", [
    ("7 / 2", "3", "integer"),
    ("-7 / 2", "-3", "integer"),
    ("7 % 3", "1", "integer"),
    ("-7 % 3", "-1", "integer"),
    ("mod(7, 3)", "1", "integer"),
    ("2147483647 + bigint '1'", "2147483648", "bigint"),
    ("7 / 2e0", "3.5", "double"),
    ("1e0 / 0e0", "Infinity", "double"),
    ("1e10", "1.0E10", "double"),
    ("1e-4", "1.0E-4", "double"),
    ("123456.5e0", "123456.5", "double"),
    ("real '1.1'", "1.1", "float"),
    ("abs(-3)", "3", "integer"),
    ("ceil(1.2)", "2", "decimal"),
    ("floor(-1.2e0)", "-2.0", "double"),
    ("round(2.5e0)", "3.0", "double"),
    ("round(-2.5e0)", "-3.0", "double"),
    ("round(1.2345, 2)", "1.2300", "decimal"),
    ("power(2, 3)", "8.0", "double"),
    ("sqrt(9)", "3.0", "double"),
    ("greatest(1, 2, null)", None, "integer"),
    ("least(3, 2)", "2", "integer"),
    ("cast(2.5e0 as integer)", "3", "integer"),
    ("cast(-2.5e0 as integer)", "-3", "integer"),
    ]),
    # https://trino.io/docs/current/functions/decimal.html
    *of("https://trino.io/docs/current/functions/decimal.html", "as documented", [
    ("1.5 + 2.25", "3.75", "decimal"),
    ("1.10 * 2.5", "2.750", "decimal"),
    ("1.0 / 3.0", "0.3", "decimal"),
    ("10.00 / 3", "3.33", "decimal"),
    ("-1.00 / 3", "-0.33", "decimal"),
    ("decimal '1.50'", "1.50", "decimal"),
    ("cast('1.005' as decimal(10,2))", "1.01", "decimal"),
    ("cast(1.5 as varchar)", "1.5", "varchar"),
    ]),
    # https://github.com/trinodb/trino/pull/10657: doubles become text in scientific notation
    *of("https://github.com/trinodb/trino/pull/10657", "as documented", [
    ("cast(1.5e0 as varchar)", "1.5E0", "varchar"),
    ("cast(1e0 as varchar)", "1.0E0", "varchar"),
    ("cast(-123.25e0 as varchar)", "-1.2325E2", "varchar"),
    ("cast(1e-7 as varchar)", "1.0E-7", "varchar"),
    ("cast(0e0 as varchar)", "0E0", "varchar"),
    ]),
    # https://trino.io/docs/current/functions/conversion.html
    *of("https://trino.io/docs/current/functions/conversion.html", "as documented", [
    ("cast(1 as varchar)", "1", "varchar"),
    ("cast(true as varchar)", "true", "varchar"),
    ("cast('abc' as varchar(2))", "ab", "varchar"),
    ("cast('12' as bigint)", "12", "bigint"),
    ("try_cast('1.5' as integer)", None, "integer"),
    ("try_cast('x' as double)", None, "double"),
    ("try(1 / 0)", None, "integer"),
    ("cast('t' as boolean)", "true", "boolean"),
    ("cast('2020-01-02' as date)", "2020-01-02", "date"),
    ("cast(null as varchar)", None, "varchar"),
    ("null", None, "unknown"),
    ]),
    # https://trino.io/docs/current/functions/comparison.html and …/conditional.html
    *of("https://trino.io/docs/current/functions/comparison.html", "as documented", [
    ("1 = 1e0", "true", "boolean"),
    ("null is not distinct from null", "true", "boolean"),
    ("1 between 0 and 2", "true", "boolean"),
    ("'a' in ('a', 'b')", "true", "boolean"),
    ("null in (1)", None, "boolean"),
    ("'100%' like '100!%' escape '!'", "true", "boolean"),
    ("coalesce(null, 2)", "2", "integer"),
    ("nullif(1, 1)", None, "integer"),
    ("if(1 > 2, 'a')", None, "varchar"),
    ("case 1 when 1 then 'x' else 'longer' end", "x", "varchar"),
    ]),
    # https://trino.io/docs/current/functions/string.html
    *of("https://trino.io/docs/current/functions/string.html", "as documented", [
    ("'a' || 'b'", "ab", "varchar"),
    ("concat('a', 'b', 'c')", "abc", "varchar"),
    ("length('häa')", "3", "bigint"),
    ("substr('abc', -2)", "bc", "varchar"),
    ("substr('abc', 0)", "", "varchar"),
    ("substr('abc', 5)", "", "varchar"),
    ("substring('abc' from 2 for 1)", "b", "varchar"),
    ("lpad('794-01-02', 10, '0')", "0794-01-02", "varchar"),
    ("split_part('a|b', '|', 3)", None, "varchar"),
    ("split('a,b', ',')", "[a, b]", "array"),
    ("strpos('abc', 'z')", "0", "bigint"),
    ("position('b' in 'abc')", "2", "bigint"),
    ("replace('aXb', 'X')", "ab", "varchar"),
    ("trim('  a ')", "a", "varchar"),
    ("trim(leading 'x' from 'xxa')", "a", "varchar"),
    ("upper('ä')", "Ä", "varchar"),
    ("reverse('abc')", "cba", "varchar"),
    ]),
    # https://trino.io/docs/current/functions/regexp.html
    *of("https://trino.io/docs/current/functions/regexp.html", "as documented", [
    ("regexp_like('1a 2b', '\\d+b')", "true", "boolean"),
    ("regexp_extract('1a 2b', '(\\d+)([a-z])', 2)", "a", "varchar"),
    ("regexp_extract('x', '\\d')", None, "varchar"),
    ("regexp_replace('fun 1', '(\\w+) (\\d)', '$2 $1')", "1 fun", "varchar"),
    ]),
    # https://trino.io/docs/current/functions/binary.html
    *of("https://trino.io/docs/current/functions/binary.html", "as documented", [
    ("lower(to_hex(md5(to_utf8('a'))))", "0cc175b9c0f1b6a831c399e269772661", "varchar"),
    ("to_hex(sha256(to_utf8('')))", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "varchar"),
    ("to_utf8('ab')", "61 62", "varbinary"),
    ("from_utf8(from_hex('6162'))", "ab", "varchar"),
    ]),
    # https://trino.io/docs/current/functions/datetime.html
    *of("https://trino.io/docs/current/functions/datetime.html", "as documented", [
    ("from_unixtime(1541105830.796)", "2018-11-01 20:57:10.796 UTC", "timestamp with time zone"),
    (
        "cast(from_unixtime(1541105830.796) at time zone 'UTC' as timestamp(6))",
        "2018-11-01 20:57:10.796000",
        "timestamp",
    ),
    (
        "from_unixtime(0) at time zone 'America/New_York'",
        "1969-12-31 19:00:00.000 America/New_York",
        "timestamp with time zone",
    ),
    ("cast(from_unixtime(0) at time zone 'Asia/Tokyo' as timestamp)", "1970-01-01 09:00:00.000", "timestamp"),
    ("timestamp '2020-01-02 03:04:05'", "2020-01-02 03:04:05", "timestamp"),
    ("timestamp '2020-01-02 03:04:05+00:00'", "2020-01-02 03:04:05 UTC", "timestamp with time zone"),
    (
        "timestamp '2020-01-02 03:04:05.123 Asia/Tokyo'",
        "2020-01-02 03:04:05.123 Asia/Tokyo",
        "timestamp with time zone",
    ),
    ("timestamp '2020-01-02 03:04:05' < timestamp'2020-01-02 03:04:06+00:00'", "true", "boolean"),
    ("timestamp '2020-01-02 03:04:05.123456'", "2020-01-02 03:04:05.123456", "timestamp"),
    ("cast(timestamp '2020-01-02 03:04:05.123567' as timestamp(3))", "2020-01-02 03:04:05.124", "timestamp"),
    ("cast(timestamp '2020-01-02 03:04:05' as varchar)", "2020-01-02 03:04:05", "varchar"),
    ("cast(cast('2020-01-02' as timestamp) as varchar)", "2020-01-02 00:00:00.000", "varchar"),
    ("date '2020-01-31' + interval '1' month", "2020-02-29", "date"),
    ("date '2020-01-02' - date '2020-01-01'", "1 00:00:00.000", "interval day to second"),
    ("interval '14' month", "1-2", "interval year to month"),
    ("to_milliseconds(date '2020-01-02' - date '2020-01-01')", "86400000", "bigint"),
    ("date_add('day', 1, date '2020-02-28')", "2020-02-29", "date"),
    ("date_diff('hour', timestamp '2020-01-01 00:59:00', timestamp '2020-01-01 02:00:00')", "1", "bigint"),
    ("date_trunc('week', date '2020-01-02')", "2019-12-30", "date"),
    ("date_trunc('hour', timestamp '2020-01-02 03:04:05.000')", "2020-01-02 03:00:00.000", "timestamp"),
    ("day_of_week(date '2020-01-05')", "7", "bigint"),
    ("week(date '2021-01-01')", "53", "bigint"),
    ("extract(year from date '2021-01-01')", "2021", "bigint"),
    ("second(timestamp '2020-01-01 00:00:59.900')", "59", "bigint"),
    ("date_format(timestamp '2020-01-02 03:04:05', '%Y/%m/%d %H:%i')", "2020/01/02 03:04", "varchar"),
    ("date_parse('2020-01-02', '%Y-%m-%d')", "2020-01-02 00:00:00.000", "timestamp"),
    ("to_unixtime(timestamp '1970-01-01 00:00:01.500')", "1.5", "double"),
    ("from_iso8601_timestamp('2020-01-02T03:04:05Z')", "2020-01-02 03:04:05.000 UTC", "timestamp with time zone"),
    ]),
    # https://trino.io/docs/current/functions/array.html and …/map.html, …/lambda.html
    *of("https://trino.io/docs/current/functions/array.html", "as documented", [
    ("array[1, 2][1]", "1", "integer"),
    ("array[1, null]", "[1, null]", "array"),
    ("element_at(array[1], 5)", None, "integer"),
    ("cardinality(array[1, 2])", "2", "bigint"),
    ("contains(array['a'], 'a')", "true", "boolean"),
    ("array_join(array['a', null, 'b'], '-')", "a-b", "varchar"),
    ("array[1] || 2", "[1, 2]", "array"),
    ("sequence(1, 3)", "[1, 2, 3]", "array"),
    ("transform(array[1, 2], x -> x * 10)", "[10, 20]", "array"),
    ("filter(array[1, 2, 3], x -> x > 1)", "[2, 3]", "array"),
    ("reduce(array[1, 2], 0, (s, x) -> s + x, s -> s * 2)", "6", "integer"),
    ("map(array['a'], array[1])['a']", "1", "integer"),
    ("map(array['a'], array[1])", "{a=1}", "map"),
    ("row(1, 'x')", "{field0=1, field1=x}", "row"),
    ("cast(row(1, 'x') as row(a integer, b varchar)).b", "x", "varchar"),
    ]),
    # https://trino.io/docs/current/functions/json.html
    *of("https://trino.io/docs/current/functions/json.html", "as documented", [
    ("json_extract_scalar('{\"a\": {\"b\": 1}}', '$.a.b')", "1", "varchar"),
    ("json_extract_scalar('{\"a\": [1]}', '$.a')", None, "varchar"),
    ]),
    # https://trino.io/docs/current/functions/datetime.html: what the clocks of the value's zone show, not UTC's
    *of("https://trino.io/docs/current/functions/datetime.html", "as documented", [
    ("hour(from_unixtime(0) at time zone 'America/New_York')", "19", "bigint"),
    ("day(from_unixtime(0) at time zone 'America/New_York')", "31", "bigint"),
    ("date(from_unixtime(0) at time zone 'America/New_York')", "1969-12-31", "date"),
    (
        "date_trunc('day', timestamp '2020-01-02 03:04:05 America/New_York')",
        "2020-01-02 00:00:00 America/New_York",
        "timestamp with time zone",
    ),
    ("date_format(from_unixtime(0) at time zone 'America/New_York', '%H')", "19", "varchar"),
    ("format_datetime(from_unixtime(0) at time zone 'America/New_York', 'HH')", "19", "varchar"),
    ("last_day_of_month(from_unixtime(0) at time zone 'America/New_York')", "1969-12-31", "date"),
    (
        "date_add('day', 1, timestamp '2020-03-07 12:00:00 America/New_York')",
        "2020-03-08 12:00:00 America/New_York",
        "timestamp with time zone",
    ),
    (
        "date_add('hour', 24, timestamp '2020-03-07 12:00:00 America/New_York')",
        "2020-03-08 13:00:00 America/New_York",
        "timestamp with time zone",
    ),
    (
        "timestamp '2020-03-07 12:00:00 America/New_York' + interval '1' month",
        "2020-04-07 12:00:00 America/New_York",
        "timestamp with time zone",
    ),
    (
        "date_diff('day', timestamp '2020-03-07 12:00:00 America/New_York', timestamp '2020-03-08 12:00:00 America/New_York')",
        "1",
        "bigint",
    ),
    ("to_iso8601(timestamp '2020-01-02 03:04:05')", "2020-01-02T03:04:05", "varchar"),
    ("to_iso8601(timestamp '2020-01-02 03:04:05.123456')", "2020-01-02T03:04:05.123456", "varchar"),
    # https://github.com/trinodb/trino, TimestampOperators: a duration has milliseconds, and so has the sum
    ("typeof(timestamp '2020-01-02 03:04:05' + interval '1' day)", "timestamp(3)", "varchar"),
    ("typeof(timestamp '2020-01-02 03:04:05' - interval '1' month)", "timestamp(0)", "varchar"),
    (
        "date_add('millisecond', 1, timestamp '2020-01-02 03:04:05') = timestamp '2020-01-02 03:04:05'",
        "true",
        "boolean",
    ),
    ("date '2020-01-02' + interval '24' hour", "2020-01-03", "date"),
    ("hour(interval '36' hour)", "12", "bigint"),
    ("extract(year from interval '14' month)", "1", "bigint"),
    ]),
    # https://trino.io/docs/current/language/types.html: decimals are written with a digit before the point
    *of("https://trino.io/docs/current/language/types.html", "as documented", [
    ("cast(0.5 as varchar)", "0.5", "varchar"),
    ("cast(-0.05 as varchar)", "-0.05", "varchar"),
    # https://github.com/trinodb/trino, VarcharToTimestampCast: fractions are rounded, a zone is read over
    ("cast('2020-01-02 03:04:05.123956' as timestamp(3))", "2020-01-02 03:04:05.124", "timestamp"),
    ("cast('2020-01-02 03:04:05.1239' as timestamp) = timestamp '2020-01-02 03:04:05.124'", "true", "boolean"),
    ("cast('2020-01-02 03:04:05 UTC' as timestamp)", "2020-01-02 03:04:05.000", "timestamp"),
    ("cast('2020-01-02 03:04:05+02:00' as timestamp)", "2020-01-02 03:04:05.000", "timestamp"),
    (
        "cast('2020-01-02 03:04:05 UTC' as timestamp with time zone)",
        "2020-01-02 03:04:05.000 UTC",
        "timestamp with time zone",
    ),
    ("try(date_parse('x', '%Y'))", None, "timestamp"),
    ]),
    # https://trino.io/docs/current/functions/string.html: an empty search, white space that is not blank, arrays; and lengths of types
    *of("https://trino.io/docs/current/functions/string.html", "as documented", [
    ("replace('aaa', '', 'x')", "xaxaxax", "varchar"),
    ("trim(chr(9) || 'a' || chr(10))", "a", "varchar"),
    ("concat_ws(',', array['a', null, 'b'])", "a,b", "varchar"),
    ("split_part('a|b|c', '|', 3)", "c", "varchar"),
    ("typeof(replace('abc', 'b', 'xx'))", "varchar(11)", "varchar"),
    ("typeof(replace('abc', 'b'))", "varchar(3)", "varchar"),
    ("typeof(split_part('abc', 'b', 1))", "varchar(3)", "varchar"),
    ("typeof(regexp_extract('abc', 'b'))", "varchar(3)", "varchar"),
    ("typeof(regexp_replace('abc', 'b', 'xx'))", "varchar(15)", "varchar"),
    ("typeof(regexp_split('abc', 'b'))", "array(varchar(3))", "varchar"),
    ]),
    # https://trino.io/docs/current/functions/regexp.html: Java's groups and replacements
    *of("https://trino.io/docs/current/functions/regexp.html", "as documented", [
    ("regexp_extract('abc', '(?<x>b)', 1)", "b", "varchar"),
    ("regexp_extract('abc', '(x)?c', 1)", None, "varchar"),
    ("regexp_extract('ab', 'b(.*)', 1)", "", "varchar"),
    ("regexp_extract_all('1a 2b', '(\\d)([a-z])', 2)", "[a, b]", "array"),
    ("regexp_replace('abc', '(b)', '\\$1')", "a$1c", "varchar"),
    ("regexp_replace('abc', '(?<x>b)', '[${x}]')", "a[b]c", "varchar"),
    ("regexp_replace('abc', '(b)', '$12')", "ab2c", "varchar"),
    ]),
    # https://trino.io/docs/current/functions/array.html: order and nulls are kept; null where a null leaves it open
    *of("https://trino.io/docs/current/functions/array.html", "as documented", [
    ("array_distinct(array[2, 1, 1, null, null])", "[2, 1, null]", "array"),
    ("array_union(array[1, null], array[1, 2])", "[1, null, 2]", "array"),
    ("array_except(array[1, 2, null], array[2])", "[1, null]", "array"),
    ("arrays_overlap(array[1, null], array[2])", None, "boolean"),
    ("arrays_overlap(array[1], array[2])", "false", "boolean"),
    ("contains(array[1, null], 2)", None, "boolean"),
    ("array_join(array[1.5e0, null], ',')", "1.5E0", "varchar"),
    ("slice(array[1, 2, 3], -2, 5)", "[2, 3]", "array"),
    ("any_match(array[1, null], x -> x > 1)", None, "boolean"),
    ("all_match(array[1, null], x -> x > 0)", None, "boolean"),
    ("none_match(array[1, null], x -> x > 1)", None, "boolean"),
    ("zip_with(array[1, 2], array['a'], (x, y) -> y)", "[a, null]", "array"),
    ("map_entries(map(array['a'], array[1]))", "[{field0=a, field1=1}]", "array"),
    ("0 || array[1]", "[0, 1]", "array"),
    ("row(1, 'x')[2]", "x", "varchar"),
    ("sequence(3, 1)", "[3, 2, 1]", "array"),
    ("sequence(date '2020-01-03', date '2020-01-01')", "[2020-01-03, 2020-01-02, 2020-01-01]", "array"),
    (
        "sequence(date '2020-01-31', date '2020-04-30', interval '1' month)",
        "[2020-01-31, 2020-02-29, 2020-03-31, 2020-04-30]",
        "array",
    ),
    ("cardinality(sequence(1, 10000))", "10000", "bigint"),
    ]),
    # https://trino.io/docs/current/functions/json.html and JsonExtract, JsonPathTokenizer of https://github.com/trinodb/trino: what is no JSON is null
    *of("https://trino.io/docs/current/functions/json.html", "as documented", [
    ("json_extract_scalar('not json', '$.b')", None, "varchar"),
    ("json_extract('not json', '$.b')", None, "json"),
    ("json_array_length('{}')", None, "bigint"),
    ("json_size('{\"a\": [1, 2]}', '$.a')", "2", "bigint"),
    ('json_extract_scalar(\'{"a": [1, {"c-d": 5}]}\', \'$.a[1]["c-d"]\')', "5", "varchar"),
    ("typeof(json_extract_scalar('{}', '$.a'))", "varchar(2)", "varchar"),
    ("json_parse('{\"a\":  1}')", '{"a":1}', "json"),
    ]),
    # https://trino.io/docs/current/functions/json.html#cast-from-json
    *of("https://trino.io/docs/current/functions/json.html", "as documented", [
    ("cast(json_parse('[1, \"2\", null, 1.5, true]') as array(bigint))", "[1, 2, null, 2, 1]", "array"),
    ('cast(json_parse(\'{"a": 1, "b": null}\') as map(varchar, integer))', "{a=1, b=null}", "map"),
    (
        'cast(json_parse(\'[{"A": [1, 2]}, {"a": null}]\') as array(row(a array(integer))))',
        "[{a=[1, 2]}, {a=null}]",
        "array",
    ),
    ("cast(json_parse('1.5') as varchar)", "1.5E0", "varchar"),
    ("try_cast(json_parse('{\"a\": 1}') as varchar)", None, "varchar"),
    ("cast(timestamp '2020-01-02 03:04:05.120' as json)", '"2020-01-02 03:04:05.120"', "json"),
    ]),
    # https://trino.io/docs/current/functions/math.html: no errors but NaN and infinities; a number's sign is part of it
    *of("https://trino.io/docs/current/functions/math.html", "as documented", [
    ("-9223372036854775808", "-9223372036854775808", "bigint"),
    ("-2147483648", "-2147483648", "integer"),
    ("sqrt(-1e0)", "NaN", "double"),
    ("ln(0)", "-Infinity", "double"),
    ("log10(-1)", "NaN", "double"),
    ("acos(2)", "NaN", "double"),
    ("cbrt(27)", "3.0", "double"),
    ("cbrt(2)", "1.2599210498948732", "double"),
    ]),
    # https://trino.io/docs/current/functions/aggregate.html: reals stay reals; several percentiles at once
    *of("https://trino.io/docs/current/functions/aggregate.html", "as documented", [
    ("sum(real '1.5')", "1.5", "float"),
    ("avg(real '1.5')", "1.5", "float"),
    ("approx_percentile(5, array[0.5, 0.9])", "[5, 5]", "array"),
    ]),
    # https://trino.io/docs/current/functions/datetime.html: words that are reserved, and functions all the same
    *of("https://trino.io/docs/current/functions/datetime.html", "as documented", [
    ("typeof(current_timestamp(6))", "timestamp(6) with time zone", "varchar"),
    ("typeof(localtimestamp(6))", "timestamp(6)", "varchar"),
    ("normalize('a')", "a", "varchar"),
    ("try_cast('9999999999' as integer)", None, "integer"),
    ("cast('-128' as tinyint)", "-128", "tinyint"),
    ("typeof(1.5)", "decimal(2,1)", "varchar"),
    ("typeof(cast(null as timestamp))", "timestamp(3)", "varchar"),
    ]),
    # https://trino.io/docs/current/functions/list.html: what the translation into another engine's words had not
    *of("https://trino.io/docs/current/functions/list.html", "as documented", [
    ("to_iso8601(from_unixtime(0) at time zone 'America/New_York')", "1969-12-31T19:00:00.000-05:00", "varchar"),
    (
        "from_iso8601_timestamp('2020-01-02T03:04:05+02:00')",
        "2020-01-02 03:04:05.000 +02:00",
        "timestamp with time zone",
    ),
    (
        "cast('2020-01-02 03:04:05 Europe/Berlin' as timestamp with time zone)",
        "2020-01-02 03:04:05.000 Europe/Berlin",
        "timestamp with time zone",
    ),
    ("regexp_extract('xc', '(x*)|c', 1)", "x", "varchar"),
    ("cast(row(1, 2) as json)", '{"":1,"":2}', "json"),
    ("format('%s', 1)", "1", "varchar"),
    ("url_extract_host('http://a/')", "a", "varchar"),
    ("json_value('{\"a\": 5}', 'lax $.a')", "5", "varchar"),
    ("max_by(1, 2, 3)", "[1]", "array"),
    ("array_sort(array[1, 2], (x, y) -> if(x < y, 1, -1))", "[2, 1]", "array"),
    ("regexp_replace('ab', '(b)', x -> upper(x[1]))", "aB", "varchar"),
    ("cast('a' as char(3))", "a  ", "char"),
    ("0x1F", "31", "integer"),
    ("timestamp '2020-01-02 03:04:05+02:00'", "2020-01-02 03:04:05 +02:00", "timestamp with time zone"),
    ]),
]  # fmt: skip

REFUSED = [
    # https://trino.io/docs/current/language/types.html: no coercions between text and anything else
    *of("https://trino.io/docs/current/language/types.html", "refused as documented", [
    ("select 1 = '1'", "TYPE_MISMATCH"),
    ("select date '2020-01-01' = '2020-01-01'", "TYPE_MISMATCH"),
    ("select 'a' || 1", "FUNCTION_NOT_FOUND"),
    ("select 1 + '1'", "TYPE_MISMATCH"),
    ("select 1 in ('1')", "TYPE_MISMATCH"),
    ("select coalesce(1, 'a')", "TYPE_MISMATCH"),
    ("select case when true then 1 else 'a' end", "TYPE_MISMATCH"),
    ("select 1 union all select 'a'", "TYPE_MISMATCH"),
    ("select 1 union all select 1, 2", "TYPE_MISMATCH"),
    ("select 1 where 1", "TYPE_MISMATCH"),
    ("select not 1", "TYPE_MISMATCH"),
    ("select cast(1 as date)", "TYPE_MISMATCH"),
    ("select cast(1 as timestamp)", "TYPE_MISMATCH"),
    ("select array[1, 'a']", "TYPE_MISMATCH"),
    ("select date '2020-01-01' + 1", "TYPE_MISMATCH"),
    ("select md5('a')", "FUNCTION_NOT_FOUND"),
    ("select year('2020-01-01')", "FUNCTION_NOT_FOUND"),
    ]),
    # https://docs.aws.amazon.com/athena/latest/ug/functions.html: names of other engines
    *of("functions", "refused as documented", [
    ("select ifnull(1, 2)", "FUNCTION_NOT_FOUND"),
    ("select nvl(1, 2)", "FUNCTION_NOT_FOUND"),
    ("select getdate()", "FUNCTION_NOT_FOUND"),
    ("select string_agg('a', ',')", "FUNCTION_NOT_FOUND"),
    ("select epoch_ms(1)", "FUNCTION_NOT_FOUND"),
    ("select dateadd('day', 1, now())", "FUNCTION_NOT_FOUND"),
    ("select left('abc', 1)", "SYNTAX_ERROR"),
    ("select list_sum(array[1])", "FUNCTION_NOT_FOUND"),
    ("select to_timestamp(1)", "FUNCTION_NOT_FOUND"),
    ]),
    # https://trino.io/docs/current/sql/select.html: what its grammar lacks
    *of("https://trino.io/docs/current/sql/select.html", "refused as documented", [
    ("select 1::varchar", "SYNTAX_ERROR"),
    ("select * exclude (a) from (values 1) t(a)", "SYNTAX_ERROR"),
    ("select a, count(*) from (values 1) t(a) group by all", "COLUMN_NOT_FOUND"),
    ("select a from (values 1) t(a) qualify row_number() over () = 1", "SYNTAX_ERROR"),
    ("select distinct on (a) a from (values 1) t(a)", "SYNTAX_ERROR"),
    ("select 1 limit 1 offset 1", "SYNTAX_ERROR"),
    ("select 1,", "SYNTAX_ERROR"),
    ("select 'a' ilike 'A'", "SYNTAX_ERROR"),
    ("select [1, 2]", "SYNTAX_ERROR"),
    ("select interval 1 day", "SYNTAX_ERROR"),
    ("select 1 == 1", "SYNTAX_ERROR"),
    ("select 1 as 'a'", "SYNTAX_ERROR"),
    ("select `a` from (values 1) t(a)", "SYNTAX_ERROR"),
    ("select 1 as order", "SYNTAX_ERROR"),
    ("select 1a", "SYNTAX_ERROR"),
    ("selec 1", "SYNTAX_ERROR"),
    ("select 1 is true", "SYNTAX_ERROR"),
    ]),
    # https://github.com/trinodb/trino/blob/master/core/trino-grammar/src/main/antlr4/io/trino/grammar/sql/SqlBase.g4
    *of("https://github.com/trinodb/trino/blob/master/core/trino-grammar/src/main/antlr4/io/trino/grammar/sql/SqlBase.g4", "refused as documented", [
    ("select interval '1' week", "TYPE_NOT_FOUND"),
    ("select interval '1' quarter", "TYPE_NOT_FOUND"),
    ("select interval '1 day'", "TYPE_NOT_FOUND"),
    ("select interval '1.5' day", "INVALID_LITERAL"),
    ("select timestamp with time zone '2020-01-02'", "SYNTAX_ERROR"),
    ("select * from (values 1) t(a) join (values 2) u(b)", "SYNTAX_ERROR"),
    ("select * from (values 1) t(a) join (values 2) u(b) where a = b", "SYNTAX_ERROR"),
    ("select * from (select * from (values 1) t(a) left join (values 2) u(b)) v", "SYNTAX_ERROR"),
    ("select * from (values 1) t(a) join (values 2) u(b) join (values 3) v(c) on a = c", "SYNTAX_ERROR"),
    ("select * from (from (values 1) t(a))", "SYNTAX_ERROR"),
    ("with x as (from (values 1) t(a)) select * from x", "SYNTAX_ERROR"),
    ("select 1 union all from (values 1) t(a)", "SYNTAX_ERROR"),
    ("select 1 limit 0, 1", "SYNTAX_ERROR"),
    ("select 1 limit '1'", "SYNTAX_ERROR"),
    ("select 1 fetch first 5 percent rows only", "SYNTAX_ERROR"),
    ("select a:b from (values 1) t(a)", "SYNTAX_ERROR"),
    ("select position('a', 'b')", "FUNCTION_NOT_FOUND"),
    ]),
    # https://trino.io/docs/current/functions/regexp.html: a group that the pattern does not have
    *of("https://trino.io/docs/current/functions/regexp.html", "refused as documented", [
    ("select regexp_extract('a', '\\(a[(]', 1)", "INVALID_FUNCTION_ARGUMENT"),
    ]),
    # https://docs.aws.amazon.com/athena/latest/ug/data-types.html: queries know integer and varchar, not string
    *of("data-types", "refused as documented", [
    ("select cast(1 as string)", "TYPE_MISMATCH: line 1:8: Unknown type"),
    ("select cast(1 as float)", "TYPE_MISMATCH: line 1:8: Unknown type"),
    ("select cast(1 as text)", "TYPE_MISMATCH: line 1:8: Unknown type"),
    ]),
    # https://trino.io/docs/current/functions/datetime.html: dates have no hours, and texts are no dates
    *of("https://trino.io/docs/current/functions/datetime.html", "refused as documented", [
    ("select date '2020-01-02' + interval '1' hour", "INVALID_FUNCTION_ARGUMENT"),
    ("select date_diff('day', '2020-01-02', '2020-01-03')", "FUNCTION_NOT_FOUND"),
    ]),
    # https://trino.io/docs/current/functions/datetime.html: what cannot be read; a zone off UTC would be lost here
    *of("https://trino.io/docs/current/functions/datetime.html", "refused as documented", [
    ("select date_parse('x', '%Y')", "INVALID_FUNCTION_ARGUMENT: Invalid format"),
    ("select from_iso8601_timestamp('2020-01-02 03:04:05')", "INVALID_FUNCTION_ARGUMENT"),
    ("select cast('abc' as boolean)", "INVALID_CAST_ARGUMENT: Cannot cast 'abc' to BOOLEAN"),
    ]),
    # https://trino.io/docs/current/functions/string.html
    *of("https://trino.io/docs/current/functions/string.html", "refused as documented", [
    ("select split_part('a|b|c', '|', 0)", "INVALID_FUNCTION_ARGUMENT: Index must be greater than zero"),
    ("select split('a,b', '')", "INVALID_FUNCTION_ARGUMENT"),
    ("select lpad('abc', 5, '')", "INVALID_FUNCTION_ARGUMENT: Padding string"),
    ("select rpad('abc', -1, 'x')", "INVALID_FUNCTION_ARGUMENT: Target length"),
    ("select codepoint('ab')", "FUNCTION_NOT_FOUND"),
    ("select regexp_replace('abc', '(b)', '$2')", "INVALID_FUNCTION_ARGUMENT"),
    ("select regexp_replace('abc', 'b', '$')", "INVALID_FUNCTION_ARGUMENT"),
    ]),
    # https://trino.io/docs/current/functions/array.html; the limit of sequence: SequenceFunction of https://github.com/trinodb/trino
    *of("https://trino.io/docs/current/functions/array.html", "refused as documented", [
    ("select element_at(array[1, 2], 0)", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
    ("select slice(array[1, 2], 0, 2)", "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1"),
    (
        "select sequence(0, 10000)",
        "INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries",
    ),
    ("select sequence(10, 1, 4)", "INVALID_FUNCTION_ARGUMENT: sequence stop value"),
    ("select sequence(1, 10, 0)", "INVALID_FUNCTION_ARGUMENT: step must not be zero"),
    (
        "select sequence(date '2020-01-01', date '2020-01-10', interval '1' hour)",
        "INVALID_FUNCTION_ARGUMENT: sequence step must be a day interval",
    ),
    ]),
    # https://trino.io/docs/current/functions/json.html: paths have few forms, and an object is no text
    *of("https://trino.io/docs/current/functions/json.html", "refused as documented", [
    ("select json_extract_scalar('{\"a\": 1}', 'a')", "INVALID_FUNCTION_ARGUMENT: Invalid JSON path"),
    ("select json_extract_scalar('{\"a\": [1]}', '$.a[*]')", "INVALID_FUNCTION_ARGUMENT: Invalid JSON path"),
    ("select json_extract_scalar('{\"a-b\": 1}', '$.a-b')", "INVALID_FUNCTION_ARGUMENT: Invalid JSON path"),
    ("select json_parse('x')", "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON"),
    ("select cast(json_parse('{\"a\": 1}') as varchar)", "INVALID_CAST_ARGUMENT"),
    ("select cast(json_parse('{\"a\": 1}') as array(integer))", "INVALID_CAST_ARGUMENT"),
    ]),
    # https://github.com/trinodb/trino/blob/master/core/trino-grammar/src/main/antlr4/io/trino/grammar/sql/SqlBase.g4: other dialects'
    *of("https://github.com/trinodb/trino/blob/master/core/trino-grammar/src/main/antlr4/io/trino/grammar/sql/SqlBase.g4", "refused as documented", [
    ("select current_timestamp()", "SYNTAX_ERROR"),
    ("select extract(length from 'abc')", "SYNTAX_ERROR: line 1:8: Invalid EXTRACT field"),
    ("select extract('year' from current_date)", "SYNTAX_ERROR"),
    ("select a is unknown from (values true) t(a)", "SYNTAX_ERROR"),
    ("select !true, '!'", "SYNTAX_ERROR"),
    ("select * from values (1) as t(a)", "SYNTAX_ERROR"),
    ("select * from unnest(array[1]) with offset as o", "SYNTAX_ERROR"),
    ("select * from (values 1) t(a) pivot (sum(a) for a in (1))", "SYNTAX_ERROR"),
    ("select listagg(a, ',') from (values 'b') t(a)", "SYNTAX_ERROR"),
    ("select 1 from (values 'b') t(a) where listagg(a, ',') within group (order by a) = 'b'", "EXPRESSION_NOT_SCALAR"),
    ("with x as (select 1 as a), X as (select 2 as a) select * from x", "DUPLICATE_NAMED_QUERY"),
    ("select cast('a' as varchar(max))", "TYPE_MISMATCH: line 1:8: Unknown type"),
    ("select abs(-2147483648)", "NUMERIC_VALUE_OUT_OF_RANGE"),
    # VarcharOperators of https://github.com/trinodb/trino: what is too large is no number of the type
    ("select cast('9999999999' as integer)", "INVALID_CAST_ARGUMENT: Cannot cast '9999999999' to INT"),
    ("select cast('128' as tinyint)", "INVALID_CAST_ARGUMENT"),
    ("select cast('' as integer)", "INVALID_CAST_ARGUMENT"),
    # names
    ("select nosuch", "COLUMN_NOT_FOUND"),
    ("select nosuch from (values 1) t(a)", "COLUMN_NOT_FOUND"),
    ("select x.a from (values 1) t(a)", "COLUMN_NOT_FOUND"),
    ("select a from (values 1) t(a), (values 1) u(a)", "AMBIGUOUS_NAME"),
    ("select * from nosuch", "SCHEMA_NOT_FOUND"),
    ("select * from nosuch.t", "SCHEMA_NOT_FOUND"),
    ("select * from nosuch.d.t", "CATALOG_NOT_FOUND"),
    ("select a as b from (values 1) t(a) where b = 1", "COLUMN_NOT_FOUND"),
    ("select a + 1 as b from (values 1) t(a) group by b", "COLUMN_NOT_FOUND"),
    # aggregation: https://trino.io/docs/current/functions/aggregate.html
    ("select a, count(*) from (values 1) t(a)", "EXPRESSION_NOT_AGGREGATE"),
    ("select 1 from (values 1) t(a) where count(*) > 1", "EXPRESSION_NOT_SCALAR"),
    ("select row_number()", "MISSING_OVER"),
    ("select distinct a from (values (1, 2)) t(a, b) order by b", "EXPRESSION_NOT_IN_DISTINCT"),
    ("select a from (values 1) t(a) order by 2", "INVALID_COLUMN_REFERENCE"),
    # when the query runs
    ("select 1 / 0", "DIVISION_BY_ZERO"),
    ("select cast('x' as integer)", "INVALID_CAST_ARGUMENT"),
    ("select cast('1.5' as integer)", "INVALID_CAST_ARGUMENT"),
    ("select cast('2020-01-01T00:00:00' as timestamp)", "INVALID_CAST_ARGUMENT"),
    ("select 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("select (select a from (values 1, 2) t(a))", "SUBQUERY_MULTIPLE_ROWS"),
    ("select array[1][2]", "INVALID_FUNCTION_ARGUMENT"),
    ]),
]  # fmt: skip

QUERIES = [
    # https://trino.io/docs/current/sql/select.html
    *of("https://trino.io/docs/current/sql/select.html", "as documented", [
    ("select 1, 2 as b", [("_col0", "integer"), ("b", "integer")], [("1", "2")]),
    ("values (1, 'a'), (2, null)", [("_col0", "integer"), ("_col1", "varchar")], [("1", "a"), ("2", None)]),
    ("with t(a) as (values 1, 2) select sum(a) as s from t", [("s", "bigint")], [("3",)]),
    ("select * from (values 2, null, 1) t(a) order by a", [("a", "integer")], [("1",), ("2",), (None,)]),
    ("select * from (values 2, null, 1) t(a) order by a desc", [("a", "integer")], [("2",), ("1",), (None,)]),
    ("select * from (values 2, null, 1) t(a) order by 1 nulls first limit 1", [("a", "integer")], [(None,)]),
    ("select a from (values 1, 2, 3) t(a) order by a offset 1 limit 1", [("a", "integer")], [("2",)]),
    ("select avg(a), count(distinct a) from (values 1, 2, 2) t(a)", [("_col0", "double"), ("_col1", "bigint")],
     [("1.6666666666666667", "2")]),
    ("select avg(a) from (values 1.5, 2.0) t(a)", [("_col0", "decimal")], [("1.8",)]),
    ("select array_agg(a order by a desc) filter (where a > 1) from (values 1, 2, 3) t(a)", [("_col0", "array")], [("[3, 2]",)]),
    ("select listagg(a, ',') within group (order by a) from (values 'b', 'a') t(a)", [("_col0", "varchar")], [("a,b",)]),
    ("select max_by(a, b), bool_or(b > 1) from (values ('x', 1), ('y', 2)) t(a, b)",
     [("_col0", "varchar"), ("_col1", "boolean")], [("y", "true")]),
    ("select a, lag(a) over (order by a) from (values 1, 2) t(a) order by 1", [("a", "integer"), ("_col1", "integer")],
     [("1", None), ("2", "1")]),
    ("select sum(a) over (order by a rows between unbounded preceding and current row) s from (values 1, 2) t(a) order by 1",
     [("s", "bigint")], [("1",), ("3",)]),
    ("select sum(count(*)) over () from (values 1, 1) t(a) group by a", [("_col0", "bigint")], [("2",)]),
    ("select a, count(*) from (values 1, 1, 2) t(a) group by 1 having count(*) > 1", [("a", "integer"), ("_col1", "bigint")],
     [("1", "2")]),
    ("select a, b, count(*) n from (values (1, 2)) t(a, b) group by grouping sets ((a), (b)) order by a",
     [("a", "integer"), ("b", "integer"), ("n", "bigint")], [("1", None, "1"), (None, "2", "1")]),
    ("select t.a, u.b from (values 1, 2) t(a) left join (values (1, 'x')) u(a, b) on t.a = u.a order by 1",
     [("a", "integer"), ("b", "varchar")], [("1", "x"), ("2", None)]),
    ("select * from (values (1, 'l')) t(a, b) join (values (1, 'r')) u(a, c) using (a)",
     [("a", "integer"), ("b", "varchar"), ("c", "varchar")], [("1", "l", "r")]),
    ("select x, n from (values 1) t(a) cross join unnest(array['p', 'q']) with ordinality as u(x, n) order by n",
     [("x", "varchar"), ("n", "bigint")], [("p", "1"), ("q", "2")]),
    ("select k, v from unnest(map(array['a'], array[1])) as t(k, v)", [("k", "varchar"), ("v", "integer")], [("a", "1")]),
    ("select a from (values 1, 2) t(a) where exists (select 1 from (values 2) u(b) where b = a)", [("a", "integer")], [("2",)]),
    ("select a from (values 1, 2) t(a) where a in (select b from (values 2) u(b))", [("a", "integer")], [("2",)]),
    ("select a from (values 1, 2) t(a) where a > all (select b from (values 1) u(b))", [("a", "integer")], [("2",)]),
    ("select 1 as x union select 1 order by x", [("x", "integer")], [("1",)]),
    ("select 1 as x except select 1", [("x", "integer")], []),
    ("select 1 as x union all select 2.5 order by x", [("x", "decimal")], [("1.0",), ("2.5",)]),
    ("select t.* from (values (1, 2)) t(a, b)", [("a", "integer"), ("b", "integer")], [("1", "2")]),
    ("select a as A1, a from (values 1) t(a)", [("A1", "integer"), ("a", "integer")], [("1", "1")]),
    ("select x.a from (select 1 as a, 2 as a2) x, (select 3 as a) y", [("a", "integer")], [("1",)]),
    ("with recursive t(n) as (select 1 union all select n + 1 from t where n < 3) select sum(n) from t",
     [("_col0", "bigint")], [("6",)]),
    ("select a, b, c from (values 1) t(a) join (values 1) u(b) on a = b cross join (values 3) v(c), (values 4) w(d) limit all",
     [("a", "integer"), ("b", "integer"), ("c", "integer")], [("1", "1", "3")]),
    ("select position('a' in concat('b', 'a')), trim(both from ' a '), interval '1.5' second",
     [("_col0", "bigint"), ("_col1", "varchar"), ("_col2", "interval day to second")], [("2", "a", "0 00:00:01.500")]),
    ("select user, timestamp from (values (1, 2)) t(user, timestamp)", [("user", "integer"), ("timestamp", "integer")],
     [("1", "2")]),
    ]),
    # https://trino.io/docs/current/functions/aggregate.html: exact averages, durations, maps
    *of("https://trino.io/docs/current/functions/aggregate.html", "as documented", [
    ("select avg(a) from (values decimal '12345678901234567890.12', decimal '12345678901234567890.14') t(a)",
     [("_col0", "decimal")], [("12345678901234567890.13",)]),
    ("select a, avg(b) from (values (1, 0.5), (1, 0.4)) t(a, b) group by a", [("a", "integer"), ("_col1", "decimal")],
     [("1", "0.5")]),
    ("select avg(a) over (order by a), max(a) over () from (values 1.5, 2.0) t(a) order by 1",
     [("_col0", "decimal"), ("_col1", "decimal")], [("1.5", "2.0"), ("1.8", "2.0")]),
    ("select sum(a), avg(a) from (values interval '1' day, interval '2' day) t(a)",
     [("_col0", "interval day to second"), ("_col1", "interval day to second")], [("3 00:00:00.000", "1 12:00:00.000")]),
    ("select map_agg(a, b) filter (where b > 1) from (values ('x', 1), ('y', 2)) t(a, b)", [("_col0", "map")], [("{y=2}",)]),
    ]),
    # https://trino.io/docs/current/sql/select.html#grouping-operation and …/functions/aggregate.html#listagg
    *of("https://trino.io/docs/current/sql/select.html", "as documented", [
    ("select a, grouping(a) from (values 1) t(a) group by rollup(a) order by a", [("a", "integer"), ("_col1", "integer")],
     [("1", "0"), (None, "1")]),
    ("select listagg(distinct a, ',') within group (order by a) from (values 'b', 'a', 'a') t(a)", [("_col0", "varchar")],
     [("a,b",)]),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "value", "kind"), VALUES)
def test_expression_has_value_and_type(clients: Client, expression: str, value: str | None, kind: str) -> None:
    columns, rows = clients.table(f"select {expression}")
    assert rows == [(value,)]
    assert columns[0][1] == kind


@pytest.mark.parametrize(("sql", "error"), REFUSED)
def test_statement_is_refused(clients: Client, sql: str, error: str) -> None:
    with pytest.raises(QueryFailedError, match=f"^{error}"):
        clients.execute(sql)


@pytest.mark.parametrize(("sql", "columns", "rows"), QUERIES)
def test_query_gives(
    clients: Client, sql: str, columns: list[tuple[str, str]], rows: list[tuple[str | None, ...]]
) -> None:
    assert clients.table(sql) == (columns, rows)
