"""COPY of Parquet from S3.

Source: "COPY from columnar data formats" in the Amazon Redshift Database Developer Guide. Which types fit no page says:
redshift/copy/parquet.py names where that is from.
"""

# ruff: noqa: DTZ001 - timestamps have no zone here

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from copying import (  # type: ignore[import-not-found]  # pytest has this folder on its path
    Put,
    copy,
    put,
)

from dbt_local_aws.redshift.copy.pyarrow import pyarrow as optional
from dbt_local_aws.redshift.errors import RedshiftError
from dbt_local_aws.testing.redshift import Connection, ProgrammingError, rows, run

__all__ = ["put"]

PAGE = "copy-usage_notes-copy-from-columnar"


def parquet(**columns: Any) -> bytes:  # noqa: ANN401 - pyarrow has no types
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), written)
    return written.getvalue()


LOADED: list[tuple[str, Any, list[object]]] = [
    ("smallint", pyarrow.array([1, None], "int16"), [1, None]),
    ("integer", pyarrow.array([-1, None], "int32"), [-1, None]),
    ("bigint", pyarrow.array([1 << 40, None], "int64"), [1 << 40, None]),
    ("real", pyarrow.array([0.5, None], "float32"), [0.5, None]),
    ("double precision", pyarrow.array([0.1, None], "float64"), [0.1, None]),
    ("boolean", pyarrow.array([True, False]), [True, False]),
    ("varchar(9)", pyarrow.array(["é|,\t\\N\n", ""]), ["é|,\t\\N\n", ""]),
    ("varchar(9)", pyarrow.array([b"x", None], "binary"), ["x", None]),
    ("char(3)", pyarrow.array(["ab", None]), ["ab ", None]),
    ("date", pyarrow.array([dt.date(2020, 2, 29), None]), [dt.date(2020, 2, 29), None]),
    (
        "timestamp",
        pyarrow.array([dt.datetime(2020, 2, 29, 1, 2, 3, 4), None], "timestamp[us]"),
        [dt.datetime(2020, 2, 29, 1, 2, 3, 4), None],
    ),
    (
        "timestamp",
        pyarrow.array([dt.datetime(2020, 2, 29, 1, 2, 3), None], "timestamp[ms]"),
        [dt.datetime(2020, 2, 29, 1, 2, 3), None],
    ),
    (
        "decimal(10, 2)",
        pyarrow.array([Decimal("12.34"), None], pyarrow.decimal128(10, 2)),
        [Decimal("12.34"), None],
    ),
]


@pytest.mark.documented(PAGE, "as documented")
@pytest.mark.parametrize(("column", "array", "expected"), LOADED)
def test_value_is_loaded(connection: Connection, put: Put, column: str, array: Any, expected: list[object]) -> None:  # noqa: ANN401
    numbers = pyarrow.array([1, 2], "int32")
    url = put("one.parquet", parquet(number=numbers, other_name=array))
    run(connection, f"create table t (n int, a {column})", copy(url, "format as parquet"))
    assert [row[0] for row in rows(connection, "select a from t order by n")] == expected
    assert rows(connection, "select pg_last_copy_count()") == [[2]]


NOT_LOADED: list[tuple[str, Any, str]] = [
    ("integer", pyarrow.array([1], "int64"), "incompatible Parquet schema for column"),
    ("bigint", pyarrow.array([1], "int32"), "Column type: BIGINT, Parquet schema: optional int32 a"),
    ("varchar(9)", pyarrow.array([1], "int32"), "Column type: VARCHAR(9), Parquet schema: optional int32 a"),
    ("date", pyarrow.array(["2020-01-01"]), "Column type: DATE"),
    ("timestamp", pyarrow.array(["2020-01-01 00:00:00"]), "Column type: TIMESTAMP"),
    ("double precision", pyarrow.array([1.5], "float32"), "Column type: DOUBLE"),
    ("decimal(10, 2)", pyarrow.array([Decimal("1.234")], pyarrow.decimal128(10, 3)), "Column type: DECIMAL(10, 2)"),
    ("decimal(10, 2)", pyarrow.array([1.5], "float64"), "Column type: DECIMAL(10, 2)"),
    ("varchar(2)", pyarrow.array(["abc"]), "is longer than the length defined in the table. Table: 2, Data: 3"),
    ("integer not null", pyarrow.array([None], "int32"), "NULL is not allowed in column a"),
]


@pytest.mark.documented(PAGE, "refused as documented")
@pytest.mark.parametrize(("column", "array", "detail"), NOT_LOADED)
def test_value_is_not_loaded(connection: Connection, put: Put, column: str, array: Any, detail: str) -> None:  # noqa: ANN401
    run(connection, f"create table t (a {column})")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy(put("one.parquet", parquet(a=array)), "parquet"))
    assert failure.value.args[0]["M"] == "Spectrum Scan Error"
    assert detail in failure.value.args[0]["D"]
    assert rows(connection, "select count(*) from t") == [[0]]


@pytest.mark.documented(PAGE, "as documented")
def test_columns_are_loaded_by_their_places(connection: Connection, put: Put) -> None:
    numbers, texts = pyarrow.array([1], "int32"), pyarrow.array(["x"])
    run(connection, "create table t (a int, b varchar(9), c int default 7)")
    run(connection, copy(put("one.parquet", parquet(b=numbers, a=texts)), "parquet", "t (a, b)"))
    assert rows(connection, "select * from t") == [[1, "x", 7]]


@pytest.mark.documented(PAGE, "refused as documented")
@pytest.mark.parametrize("columns", ["a int", "a int, b int, c int"])
def test_as_many_columns_as_the_table_has(connection: Connection, put: Put, columns: str) -> None:
    number = pyarrow.array([1], "int32")
    url = put("one.parquet", parquet(a=number, b=number))
    run(connection, f"create table t ({columns})")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy(url, "parquet"))
    said = f"Table columns: {columns.count(',') + 1}, Data columns: 2"
    assert f"Unmatched number of columns between table and file. {said}" in failure.value.args[0]["D"]


@pytest.mark.documented("copy-parameters-data-conversion", "as documented")
def test_fillrecord_makes_nulls_of_missing_columns(connection: Connection, put: Put) -> None:
    url = put("one.parquet", parquet(a=pyarrow.array([1], "int32")))
    run(connection, "create table t (a int, b varchar(9), c int)", copy(url, "parquet fillrecord"))
    assert rows(connection, "select * from t") == [[1, None, None]]


@pytest.mark.documented(PAGE, "refused as documented")
@pytest.mark.parametrize(
    "option",
    ["maxerror 2", "acceptanydate", "region 'us-west-2'", "gzip", "delimiter ','", "truncatecolumns", "null as 'x'"],
)
def test_few_options_are_supported(connection: Connection, put: Put, option: str) -> None:
    url = put("one.parquet", parquet(a=pyarrow.array([1], "int32")))
    run(connection, "create table t (a int)")
    with pytest.raises(ProgrammingError, match="argument is not supported for PARQUET based COPY"):
        run(connection, copy(url, f"format as parquet {option}"))


@pytest.mark.documented(PAGE, "as documented")
def test_what_is_supported(connection: Connection, put: Put) -> None:
    content = parquet(a=pyarrow.array([5], "int64"), b=pyarrow.array(["x"]))
    url = put("one.parquet", content)
    entry = {"url": url, "mandatory": True, "meta": {"content_length": len(content)}}
    manifest = put("manifest", {"entries": [entry]})
    run(connection, "create table t (a bigint identity(1, 1), b varchar(9))")
    run(connection, copy(manifest, "format as parquet manifest explicit_ids statupdate on"))
    assert rows(connection, "select * from t") == [[5, "x"]]


@pytest.mark.documented("loading-data-files-using-manifest", "refused as documented")
def test_a_manifest_has_the_lengths(connection: Connection, put: Put) -> None:
    url = put("one.parquet", parquet(a=pyarrow.array([5], "int32")))
    run(connection, "create table t (a int)")
    with pytest.raises(ProgrammingError, match="File entry does not have 'meta' key"):
        run(connection, copy(put("manifest", {"entries": [{"url": url}]}), "parquet manifest"))


@pytest.mark.documented("ingest-super", "as documented")
def test_nested_values_become_super(connection: Connection, put: Put) -> None:
    url = put("one.parquet", parquet(a=pyarrow.array([{"b": [1, None], "c": "x"}])))
    run(connection, "create table t (a super)", copy(url, "parquet serializetojson"))
    assert rows(connection, "select json_serialize(a) from t") == [['{"b":[1,null],"c":"x"}']]


def test_what_is_no_parquet(connection: Connection, put: Put) -> None:
    run(connection, "create table t (a int)")
    with pytest.raises(ProgrammingError, match="Spectrum Scan Error"):
        run(connection, copy(put("one.parquet", "1|2|3\n" * 10), "parquet"))


def test_what_is_said_without_pyarrow() -> None:
    with pytest.raises(
        RedshiftError, match="reads and writes Parquet files with pyarrow, which is not installed"
    ) as said:
        optional("Parquet files", "a_module_that_is_not_there")
    assert "dbt-local-aws[parquet]" in said.value.hint
