"""COPY of JSON from S3, and what it leaves in the system tables.

Sources: COPY, "COPY from JSON format", "Load error reference", SYS_LOAD_ERROR_DETAIL, SYS_LOAD_DETAIL,
SYS_LOAD_HISTORY and STL_LOAD_ERRORS in the Amazon Redshift Database Developer Guide.
"""

# ruff: noqa: DTZ001, E501, PLR0913, PLR0917 - timestamps have no zone here, and a case is a line

import datetime as dt
import gzip
import json
from decimal import Decimal
from typing import Any

import boto3
import pytest
from copying import (  # type: ignore[import-not-found]  # pytest has this folder on its path
    FAILED,
    Put,
    copy,
    last_errors,
    put,
)
from mypy_boto3_s3 import S3Client

from dbt_local_aws.testing.redshift import Connection, ProgrammingError, rows, run

__all__ = ["put"]

pytestmark = pytest.mark.documented("copy-usage_notes-copy-from-json", "as documented")

# Values: (type of the column, JSON, options, value that is loaded) ----------------------------------------------------

LOADED: list[tuple[str, str, str, Any]] = [
    ("varchar(10)", '"é"', "", "é"),
    ("varchar(10)", "17", "", "17"),
    ("varchar(10)", "1.50", "", "1.50"),
    ("varchar(10)", "true", "", "true"),
    ("varchar(30)", '{"a": [1, 2.0, "x"]}', "", '{"a":[1,2.0,"x"]}'),
    ("varchar(10)", "null", "", None),
    ("varchar(10)", '""', "", ""),
    ("varchar(10)", '""', "emptyasnull", None),
    ("varchar(10)", '"  "', "blanksasnull", None),
    ("varchar(4)", '"ééé"', "truncatecolumns", "éé"),
    ("varchar(20)", '"tab\\t line\\n \\\\"', "", "tab\t line\n \\"),
    ("char(3)", '"ab"', "", "ab "),
    ("bigint", "1540919166796", "", 1540919166796),
    ("bigint", '"42"', "", 42),
    ("bigint", '""', "", None),
    ("double precision", "1540919166796.0", "", 1540919166796.0),
    ("double precision", "1e3", "", 1000.0),
    ("numeric(8,2)", "20.259", "", Decimal("20.25")),
    ("numeric(8,2)", "20.259", "roundec", Decimal("20.26")),
    ("boolean", "true", "", True),
    ("boolean", '"no"', "", False),
    ("date", '"2020-02-29"', "", dt.date(2020, 2, 29)),
    ("timestamp", '"2020-02-29 01:02:03.5"', "", dt.datetime(2020, 2, 29, 1, 2, 3, 500000)),
    ("timestamp", '"2020-02-29T01:02:03Z"', "timeformat 'auto'", dt.datetime(2020, 2, 29, 1, 2, 3)),
    ("timestamp", "1541121934796", "timeformat 'epochmillisecs'", dt.datetime(2018, 11, 2, 1, 25, 34, 796000)),
    ("timestamp", '"1541121934"', "timeformat as 'epochsecs'", dt.datetime(2018, 11, 2, 1, 25, 34)),
]


@pytest.mark.parametrize(("column", "value", "options", "expected"), LOADED)
def test_value_is_loaded(
    connection: Connection, put: Put, column: str, value: str, options: str, expected: object
) -> None:
    run(
        connection, f"create table t (a {column})", copy(put("one.json", f'{{"a": {value}}}'), f"json 'auto' {options}")
    )
    assert rows(connection, "select a from t") == [[expected]]


# Values that do not fit: (type, JSON, column_length, position, error_code, part of error_message) ---------------------

NOT_LOADED: list[tuple[str, str, str, int, int, str]] = [
    ("varchar(3)", '"éé"', "3", 0, 1204, "String length exceeds DDL length"),
    ("bigint", "1540919166796.0", "", 13, 1207, "Invalid digit, Value '.', Pos 13, Type: Long"),
    ("integer", '"x"', "", 0, 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"),
    ("smallint", "40000", "", 0, 1208, "Overflow"),
    ("double precision", '"x"', "", 0, 1207, "Type: Double"),
    ("numeric(3,1)", "100", "3, 1", 0, 1208, "Numeric overflow"),
    ("date", '"29.02.2020"', "", 0, 1205, "Invalid Date Format"),
    ("timestamp", '"yesterday"', "", 0, 1206, "Invalid timestamp format or value"),
    ("boolean", '"maybe"', "", 0, 1210, "Unknown boolean format"),
    ("varchar(9)", '"a\\u0000b"', "9", 1, 1220, "Invalid null byte"),
    ("char(3)", '"é"', "3", 0, 1220, "Multibyte character not supported for CHAR"),
    ("integer not null", "null", "", 0, 1213, "Missing data for not-null field"),
]


@pytest.mark.parametrize(("column", "value", "length", "position", "code", "message"), NOT_LOADED)
def test_value_is_not_loaded(
    connection: Connection, put: Put, column: str, value: str, length: str, position: int, code: int, message: str
) -> None:
    run(connection, f"create table t (a {column})")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy(put("one.json", f'{{"a": {value}}}')))
    assert failure.value.args[0]["M"] == FAILED
    ((name, type_name, length_shown, line, where, error_code, said),) = last_errors(connection)
    assert (name, length_shown, line) == ("a", length, 1)
    assert str(type_name)[:4] == column.replace("varchar", "char")[:4]
    assert (where, error_code) == (position, code)
    assert message in str(said)


# Options --------------------------------------------------------------------------------------------------------------


def test_auto_minds_the_case_of_keys(connection: Connection, put: Put) -> None:
    url = put("one.json", {"firstName": "A", "lastname": "B"})
    run(connection, "create table t (firstname varchar(5), lastname varchar(5))", copy(url))
    run(connection, copy(url, "json 'auto ignorecase'"))
    assert rows(connection, "select * from t order by 1") == [["A", "B"], [None, "B"]]


def test_jsonpaths(connection: Connection, put: Put) -> None:
    paths = put("paths", {"jsonpaths": ["$['firstName']", "$.place[1].name", "$['missing']"]})
    url = put("data.json", {"firstName": "A", "place": [{}, {"name": "B"}]})
    run(connection, "create table t (x varchar(5), y varchar(5), z int)", copy(url, f"format json as '{paths}'"))
    assert rows(connection, "select * from t") == [["A", "B", None]]
    with pytest.raises(ProgrammingError, match="JSONPath size: 3, Number of columns"):
        run(connection, copy(url, f"json '{paths}'", "t (x, y)"))


def test_a_column_list_leaves_the_rest_to_defaults(connection: Connection, put: Put) -> None:
    url = put("data.json", {"name": "A", "other": "ignored"})
    table = "create table t (id int identity(1, 1), name varchar(5), other varchar(9) default 'given')"
    run(connection, table, copy(url, target="t (name)"))
    run(connection, copy(url))
    assert rows(connection, "select * from t order by id") == [[1, "A", "given"], [2, "A", "ignored"]]
    with pytest.raises(ProgrammingError, match='column "missing" of relation "t" does not exist'):
        run(connection, copy(url, target="t (missing)"))


def test_a_manifest_names_the_files(connection: Connection, put: Put) -> None:
    first = put("first.json.gz", gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    second = put("second.json.gz", gzip.compress(b'{"a": 3}'))
    put("third.json.gz", gzip.compress(b'{"a": 4}'))
    entries: list[dict[str, object]] = [
        {"url": first, "mandatory": True},
        {"url": second, "meta": {"content_length": 28}},
    ]
    manifest = put("manifest", {"entries": [*entries, {"url": f"{second}.missing", "mandatory": False}]})
    run(
        connection,
        "create table t (a int)",
        copy(manifest, "manifest gzip json 'auto' compupdate off statupdate off region 'us-west-2'"),
    )
    assert rows(connection, "select a from t order by 1") == [[1], [2], [3]]
    assert rows(connection, "select pg_last_copy_count()") == [[3]]
    query = "select trim(file_name), lines_scanned from sys_load_detail where query_id = pg_last_copy_id() order by 1"
    assert rows(connection, query) == [[first, 2], [second, 1]]
    query = "select trim(filename), lines_scanned from stl_load_commits where query = pg_last_copy_id() order by 1"
    assert rows(connection, query) == [[first, 2], [second, 1]]
    query = "select trim(status), trim(table_name), loaded_rows, error_count, source_file_count from sys_load_history where query_id = pg_last_copy_id()"
    assert rows(connection, query) == [["completed", "t", 3, 0, 2]]

    broken = put("broken", {"entries": [{"url": f"{second}.missing", "mandatory": True}]})
    with pytest.raises(ProgrammingError, match=r"mandatory file .* does not exist"):
        run(connection, copy(broken, "manifest gzip json 'auto'"))


@pytest.fixture(scope="module")
def frankfurt(s3_endpoint_url: str) -> S3Client:
    """A client of another region, which has the bucket `frankfurt`."""
    client = boto3.client(
        "s3",
        endpoint_url=s3_endpoint_url,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - moto asks for none
    )
    client.create_bucket(Bucket="frankfurt", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return client


@pytest.mark.parametrize("kind", ["prefix", "manifest", "an entry of a manifest", "JSONPaths"])
def test_a_bucket_elsewhere_is_read_only_with_its_region(
    connection: Connection, put: Put, frankfurt: S3Client, kind: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-s3.html#copy-region."""
    files = {
        "one.json": {"a": 1},
        "paths": {"jsonpaths": ["$.a"]},
        "manifest": {"entries": [{"url": "s3://frankfurt/one.json", "mandatory": True}]},
    }
    for name, content in files.items():
        frankfurt.put_object(Bucket="frankfurt", Key=name, Body=json.dumps(content))
    here = put("one.json", {"a": 1})
    manifest_here = put("manifest", files["manifest"])
    command = {
        "prefix": copy("s3://frankfurt/one.json"),
        "manifest": copy("s3://frankfurt/manifest", "manifest json 'auto'"),
        "an entry of a manifest": copy(manifest_here, "manifest json 'auto'"),
        "JSONPaths": copy(here, "json 's3://frankfurt/paths'"),
    }[kind]
    run(connection, "create table t (a int)")
    with pytest.raises(ProgrammingError, match="must be addressed using the specified endpoint") as failure:
        run(connection, command)
    assert failure.value.args[0]["H"].startswith("The bucket is in eu-central-1, COPY looks in us-west-2")
    if kind in ("prefix", "manifest"):
        run(connection, f"{command} region as 'eu-central-1'")
        assert rows(connection, "select a from t") == [[1]]
    else:  # all that COPY reads lies in the one region that it names
        with pytest.raises(ProgrammingError, match="must be addressed using the specified endpoint"):
            run(connection, f"{command} region 'eu-central-1'")


def test_several_values_of_several_lines(connection: Connection, put: Put) -> None:
    url = put("data.json", '{"a": 1}{"a":\n2}\n\n{"a": 3} \n{"a": "x"\n}')
    run(connection, "create table t (a int)", copy(url, "json 'auto' maxerror 5"))
    assert rows(connection, "select a from t order by 1") == [[1], [2], [3]]
    assert last_errors(connection)[0][:6] == ["a", "integer", "", 6, 0, 1207]


def test_maxerror(connection: Connection, put: Put) -> None:
    url = put("data.json", '{"a": 1}\n{"a": "x"}\nno json\n{"a": 2}\n')
    run(connection, "create table t (a int)")
    with pytest.raises(ProgrammingError, match="failed"):
        run(connection, copy(url, "json 'auto' maxerror 2"))
    assert [row[3] for row in last_errors(connection)] == [2, 3]
    run(connection, copy(url, "json 'auto' maxerror as 3"))
    assert rows(connection, "select a from t order by 1") == [[1], [2]]


def test_values_across_the_pieces_that_are_read(connection: Connection, put: Put) -> None:
    values: list[dict[str, Any]] = [{"a": number, "b": "é" * (number % 50)} for number in range(20_000)]
    lines = [json.dumps(value, ensure_ascii=False, indent=number % 2) for number, value in enumerate(values)]
    url = put("data.json", gzip.compress("".join([*lines[:-1], "no json\n", lines[-1], "\n17"]).encode()))
    run(connection, "create table t (a int, b varchar(100))", copy(url, "json 'auto' gzip maxerror 3"))
    expected = [[20_000, sum(value["a"] for value in values), sum(len(str(value["b"])) for value in values)]]
    assert rows(connection, "select count(*), sum(a), sum(length(b)) from t") == expected
    said = [(row[3], str(row[6])) for row in last_errors(connection)]
    ends = 2 + sum(line.count("\n") for line in lines)
    assert said[1] == (ends + 1, "Invalid JSON: an object was expected")
    assert said[0][1].startswith("Invalid JSON: Expecting value")


def test_invalid_characters(connection: Connection, put: Put) -> None:
    url = put("data.json", b'{"a": "x\xffy"}')
    run(connection, "create table t (a varchar(9))")
    with pytest.raises(ProgrammingError, match="failed"):
        run(connection, copy(url))
    assert last_errors(connection)[0][5:] == [
        1220,
        "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: ff (error 3)",
    ]
    run(connection, copy(url, "json 'auto' acceptinvchars as '^'"))
    assert rows(connection, "select a from t") == [["x^y"]]


def test_a_row_is_at_most_4_megabytes(connection: Connection, put: Put) -> None:
    url = put("data.json", json.dumps({"a": "x" * (4 * 1024 * 1024)}))
    run(connection, "create table t (a varchar(max))")
    with pytest.raises(ProgrammingError, match="failed"):
        run(connection, copy(url, "json 'auto' truncatecolumns"))
    assert "exceeds the maximum size" in str(last_errors(connection)[0][6])


# Transactions ---------------------------------------------------------------------------------------------------------


def test_a_load_is_part_of_its_transaction(connection: Connection, put: Put) -> None:
    good, bad = put("good.json", {"a": 1}), put("bad.json", {"a": "x"})
    run(connection, "create table t (a int)", "begin", copy(good))
    assert rows(connection, "select count(*) from t") == [[1]]
    with pytest.raises(ProgrammingError, match="failed"):
        run(connection, copy(bad))
    with pytest.raises(ProgrammingError, match="aborted"):
        run(connection, "select 1")
    run(connection, "rollback")
    assert rows(connection, "select count(*) from t") == [[0]]
    assert last_errors(connection)[0][:2] == ["a", "integer"]
    query = "select trim(colname), trim(type), err_code, trim(raw_field_value), trim(raw_line) from stl_load_errors order by query desc limit 1"
    assert rows(connection, query) == [["a", "integer", 1207, "x", '{"a": "x"}']]


# What cannot be read --------------------------------------------------------------------------------------------------

BROKEN = {
    "copy t from 's3://lake/nothing/here' iam_role default json 'auto'": "The specified S3 prefix 'nothing/here' does not exist",
    "copy t from 's3://no-such-bucket/x' iam_role default json 'auto'": "S3ServiceException",
    "copy t from 's3://lake/nothing' iam_role default json 'auto' manifest": "requires full path of an S3 object",
    "copy t from 's3://lake/x' json 'auto'": "credentials",
    "copy t from 's3://lake/x' iam_role default json 'auto' nonsense": "syntax error",
    "copy t from 's3://lake/x' iam_role default json 'Auto'": "Invalid JSONPath file",
    "copy t from 's3://lake/x' iam_role default json 'noshred'": "not emulated",
    "copy t from 's3://lake/x' iam_role default format orc": "not emulated",
    "copy t from 's3://lake/x' iam_role default avro 'auto'": "not emulated",
    "copy t from 'emr://x' iam_role default json 'auto'": "not emulated",
    "copy missing from 's3://lake/x' iam_role default json 'auto'": "does not exist",
}


@pytest.mark.parametrize("statement", BROKEN)
def test_copy_says_why_not(connection: Connection, statement: str) -> None:
    run(connection, "create table t (a int)")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, statement)
    assert BROKEN[statement] in failure.value.args[0]["M"]
