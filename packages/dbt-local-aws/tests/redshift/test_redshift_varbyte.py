"""VARBYTE: columns, casts, operators and functions, and how values are printed, loaded and unloaded.

https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html. Where nothing else is said, values are compared by the digits that
they are printed as; redshift_connector reads them as texts in UTF-8.
"""

# ruff: noqa: E501, S608 - a case is a line; the statements are put together here

import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet
import pytest
from copying import (  # type: ignore[import-not-found]  # pytest has this folder on its path
    Put,
    copy,
    last_errors,
    put,
)
from mypy_boto3_s3 import S3Client
from raw_client import RawClient  # type: ignore[import-not-found]

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

__all__ = ["put"]

VARBYTE, VARCHAR, INTEGER, BOOLEAN = 6551, 1043, 23, 16


def case(page: str, expression: str, digits: str) -> object:
    return pytest.param(expression, digits, marks=pytest.mark.documented(page, "as documented"))


@pytest.mark.parametrize(
    ("expression", "digits"),
    [
        case("r_VARBYTE_type", "'abc'::varbyte", "616263"),
        case("r_VARBYTE_type", "cast('abc' as varbinary)", "616263"),
        case("r_VARBYTE_type", "convert(binary varying, 'é')", "c3a9"),
        case("r_VARBYTE_type", "cast('aa' as char(10))::varbyte", "61612020202020202020"),
        case("r_VARBYTE_type", "5::smallint::varbyte", "0005"),
        case("r_VARBYTE_type", "5::int::varbyte", "00000005"),
        case("r_VARBYTE_type", "5::bigint::varbyte", "0000000000000005"),
        case("r_VARBYTE_type", "(-2)::smallint::varbyte", "fffe"),
        case("r_VARBYTE_type", "'abcdef'::varbyte(2)", "6162"),
        case("r_FROM_HEX", "from_hex('6162')", "6162"),
        case("r_TO_VARBYTE", "to_varbyte('6162', 'hex')", "6162"),
        case("r_TO_VARBYTE", "to_varbyte('01001101', 'binary')", "4d"),
        case("r_TO_VARBYTE", "to_varbyte('a', 'utf8')", "61"),
        case("r_TO_VARBYTE", "to_varbyte('é', 'UTF-8') || to_varbyte('a', 'utf_8')", "c3a961"),
        case("r_TO_VARBYTE", "to_varbyte('4', 'hex')", "04"),
        case("r_TO_VARBYTE", "to_varbyte('YWJj', 'base64')", "616263"),
        case("r_VARBYTE_OPERATORS", "'a'::varbyte || 'b'::varbyte", "6162"),
        case("r_VARBYTE_OPERATORS", "'a'::varbyte + 'b'::varbyte", "6162"),
        case("r_VARBYTE_OPERATORS", "~ 'a'::varbyte", "9e"),
        case("r_VARBYTE_OPERATORS", "'a'::varbyte & 'b'::varbyte", "60"),
        case("r_VARBYTE_OPERATORS", "'a'::varbyte | 'b'::varbyte", "63"),
        case("r_VARBYTE_OPERATORS", "'a'::varbyte # 'b'::varbyte", "03"),
        case("r_CONCAT", "concat('abc'::varbyte, 'def'::varbyte)", "616263646566"),
        case("r_SUBSTRING", "substring('abc'::varbyte, -3)", "616263"),
        case("r_SUBSTRING", "substring('abc'::varbyte, 1)", "616263"),
        case("r_SUBSTRING", "substring('abc'::varbyte, 3)", "63"),
        case("r_SUBSTRING", "substring('abc'::varbyte, 2, 10)", "6263"),
        case("r_SUBSTRING", "substring('abc'::varbyte, 2, 1)", "62"),
        case("r_SUBSTRING", "substring('abc'::varbyte from 2 for 1)", "62"),
        case("JSON_SERIALIZE_TO_VARBYTE", """json_serialize_to_varbyte(json_parse('[10001,10002,"abc"]'))""", "5b31303030312c31303030322c22616263225d"),
        case("r_TRY_CAST", "try_cast('abc' as varbyte)", "616263"),
    ],
)  # fmt: skip
def test_values(shared: Connection, expression: str, digits: str) -> None:
    """That a cast to a length shortens, as one to VARCHAR does, is inferred; so are the sign of a number and try_cast()."""
    assert run(shared, f"select {expression} where false").description[0][1] == VARBYTE
    assert rows(shared, f"select to_hex({expression})") == [[digits]]


@pytest.mark.documented("r_VARBYTE_type", "as documented")
def test_values_are_printed_as_hexadecimal_digits(redshift: LocalRedshift) -> None:
    client = RawClient(redshift).log_in()
    client.query("select from_hex('6162'), 'k'::varbyte")
    (row,) = [body for kind, body in client.read_until(b"Z") if kind == b"D"]
    client.close()
    assert row.endswith(b"\0\0\0\x046162\0\0\0\x026b")


@pytest.mark.parametrize(
    ("expression", "oid", "value"),
    [
        ("to_varbyte('6162', 'hex')::varchar", VARCHAR, "ab"),
        ("'abc'::varbyte::char(5)", 1042, "abc  "),
        ("from_hex('fffe')::smallint", 21, -2),
        ("from_hex('05')::int", INTEGER, 5),
        ("from_hex('0000000000000005')::bigint", 20, 5),
        pytest.param("from_varbyte('ab', 'hex')", VARCHAR, "6162", marks=pytest.mark.documented("r_FROM_VARBYTE", "as documented")),
        pytest.param("from_varbyte(from_hex('4d'), 'binary')", VARCHAR, "01001101", marks=pytest.mark.documented("r_FROM_VARBYTE", "as documented")),
        pytest.param("from_varbyte('é'::varbyte, 'UTF8')", VARCHAR, "é", marks=pytest.mark.documented("r_FROM_VARBYTE", "as documented")),
        pytest.param("from_varbyte('abc'::varbyte, 'base64')", VARCHAR, "YWJj", marks=pytest.mark.documented("r_FROM_VARBYTE", "as documented")),
        pytest.param("to_hex('abc'::varbyte)", VARCHAR, "616263", marks=pytest.mark.documented("r_TO_HEX", "as documented")),
        pytest.param("to_hex(2147676847)", VARCHAR, "8002f2af", marks=pytest.mark.documented("r_TO_HEX", "as documented")),
        pytest.param("len('aaa'::varbyte)", INTEGER, 3, marks=pytest.mark.documented("r_LEN", "as documented")),
        pytest.param("length('é'::varbyte)", INTEGER, 2, marks=pytest.mark.documented("r_LENGTH", "as documented")),
        pytest.param("octet_length('é'::varbyte)", INTEGER, 2, marks=pytest.mark.documented("r_OCTET_LENGTH", "as documented")),
        pytest.param("'a'::varbyte < 'b'::varbyte", BOOLEAN, True, marks=pytest.mark.documented("r_VARBYTE_OPERATORS", "as documented")),
        pytest.param("'a'::varbyte = 'b'::varbyte", BOOLEAN, False, marks=pytest.mark.documented("r_VARBYTE_OPERATORS", "as documented")),
        pytest.param("'a'::varbyte != 'b'::varbyte", BOOLEAN, True, marks=pytest.mark.documented("r_VARBYTE_OPERATORS", "as documented")),
        pytest.param("'a'::varbyte || null::varbyte", VARBYTE, None, marks=pytest.mark.documented("r_VARBYTE_OPERATORS", "as documented")),
        pytest.param("crc32('Amazon Redshift')", VARCHAR, "f2726906", marks=pytest.mark.documented("crc32-function", "as documented")),
    ],
)  # fmt: skip
def test_what_is_made_of_values(shared: Connection, expression: str, oid: int, value: object) -> None:
    """The pages of MD5, the SHAs and CRC32 take texts only. That a number's sign is its first bit is inferred."""
    cursor = run(shared, f"select {expression}")
    assert cursor.description[0][1] == oid
    assert cursor.fetchall() == ([value],)


@pytest.mark.documented("r_GETBIT", "as documented")
def test_bits_are_counted_from_the_right(shared: Connection) -> None:
    query = "select " + ", ".join(f"getbit(from_hex('4d'), {place})" for place in (7, 6, 5, 4, 3, 2, 1, 0))
    assert rows(shared, query) == [[0, 1, 0, 0, 1, 1, 0, 1]]
    assert rows(shared, "select getbit(from_hex('0100'), 8), getbit(from_hex('0100'), 0)") == [[1, 0]]


@pytest.fixture(scope="module")
def stored(connect: Connect) -> Iterator[Connection]:
    """A table with the type's three names."""
    connection = connect()
    run(
        connection,
        "create schema varbytes",
        "set search_path to varbytes",
        "create table t (id int, a varbyte, b varbinary(3), c binary varying (16777216) encode lzo)",
        "insert into t values (1, 'abc', 'abc', 'x'), (2, 'abc'::varbyte, from_hex('ff'), null), (3, 'zz', 'a', 'xyz')",
    )
    yield connection
    run(connection, "drop schema varbytes cascade")
    connection.close()


@pytest.mark.documented("r_VARBYTE_type", "as documented")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select id, to_hex(a), to_hex(b), to_hex(c) from t order by a desc, id", [[3, "7a7a", "61", "78797a"], [1, "616263", "616263", "78"], [2, "616263", "ff", None]]),
        ("select x.id, y.id from t x join t y on x.a = y.a and x.id < y.id", [[1, 2]]),
        ("select a::varchar, count(*), to_hex(min(b)), to_hex(max(b)) from t group by a order by a", [["abc", 2, "616263", "ff"], ["zz", 1, "61", "61"]]),
        ("select count(distinct a), count(c) from t", [[2, 2]]),
        ("select id from t where a = 'zz'::varbyte", [[3]]),
        ('select type, encoding from pg_table_def where tablename = \'t\'', [["integer", "az64"], ["binary varying(64000)", "lzo"], ["binary varying(3)", "lzo"], ["binary varying(16777216)", "lzo"]]),
        ("select data_type from svv_columns where table_schema = 'varbytes' and column_name = 'a'", [["binary varying"]]),
    ],
)  # fmt: skip
def test_columns(stored: Connection, query: str, expected: list[list[object]]) -> None:
    """r_MAX and r_MIN list VARBYTE, r_CREATE_TABLE_NEW its encoding. The catalogue's name is inferred from redshift_connector's."""
    assert rows(stored, query) == expected


def test_statements_around_columns(connection: Connection) -> None:
    """Views, functions, CREATE TABLE AS and parameters: no page says that they do otherwise than with other types."""
    run(
        connection,
        "create table t as select 'abc'::varbyte as a",
        "create materialized view m as select a from t",
        "create function f(varbyte) returns varbyte immutable as $$ select $1 || 'x'::varbyte $$ language sql",
        "update t set a = f(a)",
    )
    assert rows(connection, "select t.a::varchar, m.a::varchar from t, m") == [["abcx", "abc"]]
    run(connection, "create table s (a varbyte(2))")
    connection.cursor().execute("insert into s values (%s)", (b"\xff\x00",))
    assert rows(connection, "select to_hex(a) from s") == [["ff00"]]


@pytest.mark.documented("c_PLpgSQL-structure", "as documented")
@pytest.mark.parametrize(
    ("declared", "value", "shown"),
    [
        ("varbyte", "'abc'::varbyte", "abc"),
        ("varbinary (3)", "'abc'::varbyte", "abc"),
        ("constant binary varying", "'abc'::varbyte", "abc"),
        ("nvarchar (3)", "'abc'", "abc"),
        ("number (5, 2)", "1.5", "1.50"),
        ("datetime", "'2020-01-01'", "2020-01-01 00:00:00"),
    ],
)
def test_variables_of_types_that_only_redshift_has(
    connection: Connection, declared: str, value: str, shown: str
) -> None:
    """The page's variables have "any valid Amazon Redshift data type"."""
    variable = f"number int; x {declared} := {value};"
    run(
        connection,
        "create table t (a varchar(30))",
        f"create procedure p() as $$ declare {variable} begin insert into t values (x::varchar); end $$ language plpgsql",
        "call p()",
    )
    assert rows(connection, "select a from t") == [[shown]]


@pytest.mark.documented("r_VARBYTE_type", "refused as documented")
@pytest.mark.parametrize(
    ("statement", "sqlstate", "message"),
    [
        ("create table n (a varbyte(0))", "22023", "length for type varbyte"),
        ("create table n (a varbyte(16777217))", "22023", "length for type varbyte cannot exceed 16777216"),
        ("create table n (a varbyte encode az64)", "42611", "invalid encoding type"),
        ("insert into t (b) values ('abcd')", "22001", "value too long for type binary varying(3)"),
        ("insert into t (b) select 'abcd'::varbyte", "22001", "value too long for type binary varying(3)"),
        ("select a = 'abc'::varchar from t", "42883", "operator does not exist"),
        ("insert into t (id) select 'a'::varbyte", "42804", "is of type integer but expression is of type varbyte"),
        ("select 'a'::varbyte || 'b'::varchar", "42883", "operator does not exist"),
        ("select a::boolean from t", "42846", "cannot cast type varbyte to boolean"),
        ("select a::float from t", "42846", "cannot cast type varbyte to double precision"),
        ("select 1.5::varbyte", "42846", "cannot cast type numeric to varbyte"),
        ("select from_hex('010203')::smallint", "22003", "out of range"),
        ("select md5(a) from t", "42883", "md5"),
        ("select to_varbyte('a', 'ascii')", "22023", "invalid format"),
        ("select from_hex('xy')", "22023", "invalid hexadecimal digit"),
        ("select 'a'::varbyte & 'ab'::varbyte", "22026", "different sizes"),
    ],
)  # fmt: skip
def test_refused(stored: Connection, statement: str, sqlstate: str, message: str) -> None:
    """The page lists the types to cast from and to, and the lengths; c_Supported_data_types has no implicit conversion of it.

    Codes and messages are inferred, and that values of different lengths have no common bits.
    """
    with pytest.raises(ProgrammingError) as refusal:
        run(stored, statement)
    assert refusal.value.args[0]["C"] == sqlstate
    assert message in refusal.value.args[0]["M"]


@pytest.mark.documented("r_VARBYTE_type", "different")
def test_a_literal_without_a_cast_is_read_as_hexadecimal_digits(stored: Connection) -> None:
    """But in VALUES. What Redshift makes of it beside a column no page says; a text would be in UTF-8."""
    assert rows(stored, "select id from t where b = '61'") == [[3]]


@pytest.mark.documented("copy-usage-varbyte", "as documented")
def test_csv_has_hexadecimal_digits(connection: Connection, put: Put) -> None:
    """The codes of what cannot be read are inferred from those of numbers and texts."""
    run(connection, "create table t (id int, a varbyte(3))")
    url = put("a.csv", "1,616263\n2,FF\n3,\n4,6x\n5,61626364\n")
    run(connection, copy(url, "csv maxerror 3"))
    assert rows(connection, "select id, to_hex(a) from t order by id") == [[1, "616263"], [2, "ff"], [3, ""]]
    assert [error[3:6] for error in last_errors(connection)] == [[4, 1, 1207], [5, 0, 1204]]


@pytest.mark.documented("copy-usage-varbyte", "as documented")
def test_parquet_has_bytes(connection: Connection, put: Put) -> None:
    written = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": [b"abc", b"\xff\x00", None]}), written)
    run(connection, "create table t (a varbyte)", copy(put("a.parquet", written.getvalue()), "parquet"))
    assert rows(connection, "select to_hex(a) from t order by a") == [["616263"], ["ff00"], [None]]


@pytest.mark.documented("copy-usage-varbyte", "refused as documented")
@pytest.mark.parametrize("options", ["delimiter '|'", "json 'auto'", "fixedwidth 'a:2'"])
def test_other_formats_have_none(connection: Connection, put: Put, options: str) -> None:
    """The page lists CSV, Parquet and ORC, and refuses FIXEDWIDTH; the message is inferred."""
    run(connection, "create table t (a varbyte)")
    with pytest.raises(ProgrammingError) as refusal:
        run(connection, copy(put("a", "61\n"), options))
    assert "can be loaded from CSV, Parquet and ORC only" in refusal.value.args[0]["M"]


@pytest.mark.documented("r_UNLOAD", "as documented")
@pytest.mark.parametrize("options", ["", "csv"])
def test_unload_writes_hexadecimal_digits(stored: Connection, s3: S3Client, options: str) -> None:
    place = f"unload/varbyte/{options or 'text'}/"
    query = "select a from t where id = 3"
    run(stored, f"unload ('{query}') to 's3://lake/{place}' iam_role default parallel off allowoverwrite {options}")
    (found,) = s3.list_objects_v2(Bucket="lake", Prefix=place)["Contents"]
    assert s3.get_object(Bucket="lake", Key=found["Key"])["Body"].read() == b"7a7a\n"


@pytest.mark.documented("r_UNLOAD", "refused as documented")
@pytest.mark.parametrize("options", ["json", "parquet", "partition by (a)"])
def test_unload_to_other_formats_and_by_partitions_is_refused(stored: Connection, options: str) -> None:
    """The messages are inferred."""
    with pytest.raises(ProgrammingError) as refusal:
        run(stored, f"unload ('select id, a from t') to 's3://lake/unload/none/' iam_role default {options}")
    assert refusal.value.args[0]["C"] == "0A000"
