"""What only a real Trino can answer: formats, UNLOAD, parameters, time travel, metadata tables, plans, and PyIceberg.

Sources: https://docs.aws.amazon.com/athena/latest/ug/ and the pages that the groups name.
"""
# ruff: noqa: S608 - the statements are the tests' own

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from pyiceberg.table import StaticTable

from dbt_local_aws.athena import refusals
from dbt_local_aws.testing.athena import Client, QueryFailedError
from dbt_local_aws.testing.lake_contents import everything_below

if TYPE_CHECKING:
    from mypy_boto3_athena.type_defs import QueryExecutionTypeDef

ROWS = "select * from (values (1, 'a', date '2020-01-02'), (2, null, null)) as v(n, t, d)"


def key_of(client: Client, location: str) -> str:
    return location.removeprefix(f"s3://{client.bucket}/")


def iceberg(client: Client, name: str, query: str, properties: str = "") -> str:
    location = client.location()
    kind = "table_type = 'ICEBERG', is_external = false"
    client.execute(f"create table {name} with ({kind}, location = '{location}'{properties}) as {query}")
    return location


# -------------------- https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html, …/supported-serdes.html


@pytest.mark.documented("create-table-as", "as documented")
@pytest.mark.parametrize("form", ["PARQUET", "ORC", "AVRO", "JSON", "TEXTFILE"])
def test_hive_tables_of_every_format_are_written_and_read(client: Client, form: str) -> None:
    properties = f"external_location = '{client.location()}', format = '{form}'"
    client.execute(f"create table t with ({properties}) as {ROWS}")
    client.execute("insert into t values (3, 'c', date '2020-03-04')")
    assert client.rows("select n, t, d from t order by n") == [
        ("1", "a", "2020-01-02"),
        ("2", None, None),
        ("3", "c", "2020-03-04"),
    ]
    client.execute("drop table t")


@pytest.mark.documented("create-table-as", "as documented")
@pytest.mark.parametrize(("form", "magic"), [("PARQUET", b"PAR1"), ("ORC", b"ORC"), ("AVRO", b"Obj\x01")])
def test_iceberg_tables_of_every_format_are_written_and_read(client: Client, form: str, magic: bytes) -> None:
    location = iceberg(client, "t", ROWS, f", format = '{form}'")
    client.execute("insert into t values (3, 'c', date '2020-03-04')")
    assert client.rows("select count(*), max(d) from t") == [("3", "2020-03-04")]
    listed = client.s3.list_objects_v2(Bucket=client.bucket, Prefix=f"{key_of(client, location)}data/")["Contents"]
    for item in listed:
        content = client.s3.get_object(Bucket=client.bucket, Key=item["Key"])["Body"].read()
        assert content.startswith(magic), item["Key"]
    client.execute("drop table t")


@pytest.mark.documented("supported-serdes", "as documented")
@pytest.mark.parametrize("stored_as", ["orc", "avro", "parquet"])
def test_external_tables_are_stored_as_they_say(client: Client, stored_as: str) -> None:
    location = client.location()
    client.execute(f"create external table t (n int, t string) stored as {stored_as} location '{location}'")
    client.execute("insert into t values (1, 'a')")
    assert client.rows("select * from t") == [("1", "a")]
    client.execute("drop table t")


# -------------------- https://docs.aws.amazon.com/athena/latest/ug/unload.html


@pytest.mark.documented("unload", "as documented")
def test_unload_writes_files_and_no_table(client: Client) -> None:
    location = client.location()
    client.execute(
        f"unload ({ROWS}) to '{location}' with (format = 'TEXTFILE', field_delimiter = ',', compression = 'none')"
    )
    assert client.rows("show tables") == []
    delimited = "row format delimited fields terminated by ','"
    client.execute(f"create external table t (n int, t string, d date) {delimited} location '{location}'")
    assert client.rows("select * from t order by n") == [("1", "a", "2020-01-02"), ("2", None, None)]
    with pytest.raises(QueryFailedError, match="HIVE_PATH_ALREADY_EXISTS"):
        client.execute(f"unload ({ROWS}) to '{location}' with (format = 'ORC')")
    with pytest.raises(QueryFailedError, match=r"SYNTAX_ERROR.*format"):
        client.execute(f"unload ({ROWS}) to '{client.location()}' with (compression = 'none')")
    client.execute("drop table t")


# -------------------- https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html


def with_parameters(client: Client, sql: str, *parameters: str) -> QueryExecutionTypeDef:
    identifier = client.athena.start_query_execution(
        QueryString=sql,
        ExecutionParameters=list(parameters),
        QueryExecutionContext={"Database": client.database},
        ResultConfiguration={"OutputLocation": f"s3://{client.bucket}/r/"},
    )["QueryExecutionId"]
    return client.wait(identifier)


@pytest.mark.documented("querying-with-prepared-statements", "as documented")
def test_parameters_stand_for_question_marks(client: Client) -> None:
    execution = with_parameters(client, "select ? as a, ? || '!' as b", "1", "'it''s, so'")
    assert execution["Status"]["State"] == "SUCCEEDED"
    answer = client.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]
    assert [cell["VarCharValue"] for cell in answer[1]["Data"]] == ["1", "it's, so!"]
    assert execution["ExecutionParameters"] == ["1", "'it''s, so'"]
    failed = with_parameters(client, "select ?", "1", "2")
    assert failed["Status"]["StateChangeReason"].startswith("INVALID_PARAMETER_USAGE")


@pytest.mark.documented("querying-with-prepared-statements", "as documented")
def test_prepared_statements(client: Client) -> None:
    name = f"q_{client.database}"
    client.execute(f"prepare {name} from select n from ({ROWS}) where n > ?")
    assert client.rows(f"execute {name} using 1") == [("2",)]
    found = client.athena.get_prepared_statement(StatementName=name, WorkGroup="primary")["PreparedStatement"]
    assert found["QueryStatement"].startswith("select n from")
    client.execute(f"deallocate prepare {name}")
    with pytest.raises(QueryFailedError, match="was not found"):
        client.execute(f"execute {name} using 1")


@pytest.mark.documented("querying-with-prepared-statements", "as documented")
def test_a_table_is_made_with_parameters(client: Client) -> None:
    properties = f"external_location = '{client.location()}'"
    execution = with_parameters(client, f"create table t with ({properties}) as select ? as a", "5")
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    assert client.rows("select a from t") == [("5",)]
    client.execute("drop table t")


# -------------------- https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-time-travel-and-version-travel-queries.html


@pytest.mark.documented("querying-iceberg-time-travel-and-version-travel-queries", "as documented")
def test_time_travel_and_metadata_tables(client: Client) -> None:
    iceberg(client, "t", "select 1 as n", ", partitioning = array['n']")
    client.execute("insert into t values 2")
    client.execute("delete from t where n = 1")
    snapshots = client.rows('select snapshot_id, committed_at, operation from "t$snapshots" order by committed_at')
    assert [row[2] for row in snapshots] == ["append", "append", "delete"]
    assert client.rows(f"select n from t for version as of {snapshots[0][0]}") == [("1",)]
    second = f"timestamp '{snapshots[1][1]}'"
    assert client.rows(f"select count(*) from t for timestamp as of {second}") == [("2",)]
    assert client.rows("select n from t") == [("2",)]
    assert [row[0] for row in client.rows('select snapshot_id from "t$history" order by made_current_at')] == [
        row[0] for row in snapshots
    ]
    [(path, records)] = client.rows('select file_path, record_count from "t$files"')
    assert path is not None
    assert ("/data/n=2/" in path, records) == (True, "1")
    assert client.rows('select partition, record_count from "t$partitions"') == [("{n=2}", "1")]
    for name in ("manifests", "refs"):
        assert client.rows(f'select count(*) > 0 from "t${name}"') == [("true",)]
    client.execute("drop table t")


@pytest.mark.documented("vacuum-statement", "as documented")
def test_optimize_and_vacuum_leave_nothing_of_what_was_deleted(client: Client, endpoint: dict[str, str]) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/vacuum-statement.html.

    Neither in a data file nor in the bounds that manifests and footers hold, and every one of them is read: with
    PyArrow and PyIceberg, not with Trino. Once is not enough: the snapshot that OPTIMIZE makes lists the files that it
    replaced, as deleted and with their bounds, and only the next commit leaves that list out
    (https://iceberg.apache.org/spec/#manifests: status 2).
    """
    rows = "select 'zz-erased' as name union all select 'kept'"
    location = iceberg(client, "t", rows, ", vacuum_max_snapshot_age_seconds = 0")
    client.execute("delete from t where name = 'zz-erased'")

    def holding(word: str) -> set[str]:
        below = everything_below(client.s3, client.bucket, endpoint, key_of(client, location))
        return {key.removeprefix(key_of(client, location)).partition("/")[0] for key, text in below if word in text}

    assert holding("zz-erased") == {"data", "metadata"}, "a deletion alone leaves the value where it was"
    client.execute("optimize t rewrite data using bin_pack")
    client.execute("vacuum t")
    assert client.rows('select count(*) from "t$snapshots"') == [("1",)]
    assert client.rows("select name from t") == [("kept",)]
    assert holding("zz-erased") == {"metadata"}
    client.execute("insert into t values 'another'")
    client.execute("vacuum t")
    assert client.rows("select name from t order by name") == [("another",), ("kept",)]
    assert holding("zz-erased") == set()
    assert holding("kept") == {"data", "metadata"}
    client.execute("drop table t")


# -------------------- https://docs.aws.amazon.com/athena/latest/ug/athena-explain-statement.html


@pytest.mark.documented("athena-explain-statement", "as documented")
def test_plans_are_trinos(client: Client) -> None:
    plan = [str(row[0]) for row in client.rows("explain select count(*) from (values 1, 2) t(a) where a > 1")]
    assert any("Fragment 0" in line for line in plan)
    distributed = client.rows("explain (format json) select 1")
    assert str(distributed[0][0]).startswith("{")
    analyzed = "\n".join(str(row[0]) for row in client.rows("explain analyze select count(*) from (values 1, 2) t(a)"))
    assert "CPU:" in analyzed


def test_samples(client: Client) -> None:
    assert client.rows("select count(*) from (values 1, 2, 3) t(a) tablesample bernoulli (100)") == [("3",)]


# -------------------- https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html: VersionId


@pytest.mark.documented("glue/latest/webapi/API_UpdateTable", "refused as documented")
def test_an_update_of_a_table_that_was_changed_meanwhile_is_refused(client: Client) -> None:
    client.execute(f"create external table t (a int) location '{client.location()}'")
    table = client.glue.get_table(DatabaseName=client.database, Name="t")["Table"]

    def change() -> None:
        client.glue.update_table(
            DatabaseName=client.database,
            TableInput={"Name": "t", "Parameters": {"a": "b"}},
            VersionId=table["VersionId"],
        )

    change()
    with pytest.raises(client.glue.exceptions.ConcurrentModificationException):
        change()
    client.execute("drop table t")


def test_two_writers_of_an_iceberg_table_lose_nothing(client: Client) -> None:
    iceberg(client, "t", "select 0 as n, 0 as writer")

    def write(writer: int) -> int:
        """How many rows were committed; one that another commit came before says so."""
        done = 0
        for number in range(3):
            with suppress(QueryFailedError):
                client.execute(f"insert into t values ({number}, {writer})")
                done += 1
        return done

    with ThreadPoolExecutor(2) as pool:
        done = sum(pool.map(write, (1, 2)))
    assert client.rows("select count(*) from t where writer > 0") == [(str(done),)]
    assert done >= 3
    client.execute("drop table t")


# -------------------- views


@pytest.mark.documented("views", "as documented")
def test_glue_has_the_columns_of_a_view(client: Client) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/views.html: readers of Glue, dbt's among them, find them there."""
    columns = "1 as A, cast('x' as varchar) as b, array[1.5] as c, cast(row(1) as row(x integer)) as d"
    client.execute(f"create view v as select {columns}, cast(now() as timestamp) as e")
    found = client.glue.get_table(DatabaseName=client.database, Name="v")["Table"]["StorageDescriptor"]["Columns"]
    assert [(column["Name"], column["Type"]) for column in found] == [
        ("a", "int"),
        ("b", "string"),
        ("c", "array<decimal(2,1)>"),
        ("d", "struct<x:int>"),
        ("e", "timestamp"),
    ]
    client.execute("drop view v")


# -------------------- what Athena refuses and this Trino would not


@pytest.mark.parametrize("refusal", refusals.STATEMENTS, ids=lambda refusal: str(refusal.beginning))
def test_statements_that_athena_has_not_got_are_refused_with_their_page(
    client: Client, refusal: refusals.Refusal
) -> None:
    with pytest.raises(QueryFailedError, match=r"^SYNTAX_ERROR") as error:
        client.execute(f"{refusal.beginning} x")
    assert refusal.page in str(error.value)


@pytest.mark.parametrize("name", sorted(refusals.FUNCTIONS))
def test_functions_that_athena_has_not_got_are_refused_with_their_page(client: Client, name: str) -> None:
    with pytest.raises(QueryFailedError, match=rf"^FUNCTION_NOT_FOUND: line 1:8: Function '{name}'.*release"):
        client.execute(f"select {name}(array[1.0e0])")
    assert client.rows(f'select "{name}" from (values 1) t({name})') == [("1",)]


def test_insert_into_a_bucketed_table_is_refused(client: Client) -> None:
    properties = f"external_location = '{client.location()}', bucketed_by = array['n'], bucket_count = 2"
    client.execute(f"create table t with ({properties}) as select 1 as n")
    with pytest.raises(QueryFailedError, match=r"NOT_SUPPORTED: INSERT is not supported for bucketed tables"):
        client.execute("insert into t values 2")
    client.execute("drop table t")


def test_an_error_names_the_place_in_the_statement_as_it_was_written(client: Client) -> None:
    hive = f"create table t with (external_location = '{client.location()}')"
    table = f"create table t with (table_type = 'ICEBERG', is_external = false, location = '{client.location()}')"
    for sql, place in (
        (f"{hive} as\nselect a,\n  nosuch from (values 1) t(a)", "line 3:3"),
        ("-- a comment\ncreate or replace view v as select nosuch", "line 1:36"),
        (f"{table} as select\nnosuch", "line 2:1"),
    ):
        with pytest.raises(QueryFailedError, match=f"^COLUMN_NOT_FOUND: {place}"):
            client.execute(sql)


# -------------------- other readers


def test_pyiceberg_reads_what_trino_wrote(client: Client, endpoint: dict[str, str]) -> None:
    """https://py.iceberg.apache.org/api/#static-table. PyArrow cannot read the deletions that Trino writes."""
    iceberg(client, "t", "select 1 as n, 'a' as t union all select 2, 'b' union all select 3, 'c'")
    client.execute("update t set t = 'changed' where n = 1")
    client.execute("delete from t where n = 2")
    client.execute("optimize t rewrite data using bin_pack")
    record = client.glue.get_table(DatabaseName=client.database, Name="t")["Table"]
    table = StaticTable.from_metadata(
        record["Parameters"]["metadata_location"],
        {
            "s3.endpoint": endpoint["AWS_ENDPOINT_URL"],
            "s3.region": endpoint["AWS_REGION"],
            "s3.access-key-id": endpoint["AWS_ACCESS_KEY_ID"],
            "s3.secret-access-key": endpoint["AWS_SECRET_ACCESS_KEY"],
        },
    )
    rows = table.scan().to_arrow().sort_by("n").to_pylist()
    assert rows == [{"n": 1, "t": "changed"}, {"n": 3, "t": "c"}]
    client.execute("drop table t")
