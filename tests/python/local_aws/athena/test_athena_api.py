"""Athena's API: paging, states, work groups, results in S3. https://docs.aws.amazon.com/athena/latest/APIReference/."""
# ruff: noqa: E501, S608 - the statements are the tests' own

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from local_aws.athena import LocalAthena
from local_aws.athena.client import Client, QueryFailedError
from real_data import PROJECT_DIR

if TYPE_CHECKING:
    from mypy_boto3_athena.type_defs import ResultConfigurationTypeDef


def test_results_come_in_pages(clients: Client) -> None:
    identifier = clients.execute("select n from unnest(sequence(1, 2500)) as t(n) order by n")["QueryExecutionId"]
    first = clients.athena.get_query_results(QueryExecutionId=identifier)
    assert len(first["ResultSet"]["Rows"]) == 1000
    assert first["ResultSet"]["Rows"][0]["Data"][0]["VarCharValue"] == "n"
    assert len(clients.rows("select n from unnest(sequence(1, 2500)) as t(n)")) == 2500
    with pytest.raises(ClientError, match="MaxResults"):
        clients.athena.get_query_results(QueryExecutionId=identifier, MaxResults=1001)


def test_result_files_lie_in_s3(clients: Client) -> None:
    execution = clients.execute("select 'a \"b\"' as x, null as y")
    location = execution["ResultConfiguration"]["OutputLocation"]
    key = location.removeprefix(f"s3://{clients.bucket}/")
    assert clients.s3.get_object(Bucket=clients.bucket, Key=key)["Body"].read() == b'"x","y"\n"a ""b""",\n'
    assert clients.s3.head_object(Bucket=clients.bucket, Key=f"{key}.metadata")["ContentLength"] > 0
    assert clients.execute("show databases")["ResultConfiguration"]["OutputLocation"].endswith(".txt")


def test_failed_query_tells_why_and_has_no_result(clients: Client) -> None:
    identifier = clients.athena.start_query_execution(
        QueryString="select nosuch", ResultConfiguration={"OutputLocation": f"s3://{clients.bucket}/r/"}
    )["QueryExecutionId"]
    status = clients.athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]
    assert status["State"] == "FAILED"
    assert status["AthenaError"]["ErrorMessage"].startswith("COLUMN_NOT_FOUND: ")
    with pytest.raises(ClientError, match="Query did not finish successfully"):
        clients.athena.get_query_results(QueryExecutionId=identifier)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("select nosuch", "DML"),
        ("/* a comment */ -- another\n with t as (select nosuch) select * from t", "DML"),
        ("insert into nosuch values (1)", "DML"),
        ("create table t as select nosuch", "DDL"),
        ("drop table nosuch", "DDL"),
        ("describe nosuch", "UTILITY"),
    ],
)
def test_type_of_a_statement_is_known_though_it_fails(clients: Client, sql: str, kind: str) -> None:
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecution.html: StatementType."""
    identifier = clients.athena.start_query_execution(
        QueryString=sql, ResultConfiguration={"OutputLocation": f"s3://{clients.bucket}/r/"}
    )["QueryExecutionId"]
    execution = clients.athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
    assert (execution["Status"]["State"], execution["StatementType"]) == ("FAILED", kind)


def test_runtime_statistics_tell_what_was_read(client: Client) -> None:
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryRuntimeStatistics.html."""
    location = client.location()
    client.put(f"{location.removeprefix(f's3://{client.bucket}/')}a.csv", "1\n2\n3\n")
    client.execute(f"create external table t (a int) location '{location}'")
    read = client.execute("select a from t where a > 1 union all select a from t where a = 1")
    assert read["Statistics"]["DataScannedInBytes"] == len("1\n2\n3\n")
    answer = client.athena.get_query_runtime_statistics(QueryExecutionId=read["QueryExecutionId"])
    statistics = answer["QueryRuntimeStatistics"]
    assert (statistics["Rows"]["InputBytes"], statistics["Rows"]["OutputRows"]) == (6, 3)
    assert statistics["Timeline"]["TotalExecutionTimeInMillis"] == read["Statistics"]["TotalExecutionTimeInMillis"]
    nothing = client.execute("select 1")
    assert nothing["Statistics"]["DataScannedInBytes"] == 0


def test_lists_come_in_pages(clients: Client) -> None:
    started = [clients.execute(f"select {number}")["QueryExecutionId"] for number in range(3)]
    first = clients.athena.list_query_executions(MaxResults=2)
    assert first["QueryExecutionIds"] == started[:0:-1]
    second = clients.athena.list_query_executions(MaxResults=1, NextToken=first["NextToken"])
    assert second["QueryExecutionIds"] == started[:1]
    with pytest.raises(ClientError, match="MaxResults"):
        clients.athena.list_query_executions(MaxResults=51)
    with pytest.raises(ClientError, match="NextToken"):
        clients.athena.list_query_executions(NextToken="nonsense")


def test_queries_can_be_stopped_and_are_listed(clients: Client) -> None:
    endless = (
        "select count(*) from unnest(sequence(1, 10000)) as a(n), unnest(sequence(1, 10000)) as b(m), "
        "unnest(sequence(1, 10000)) as c(o) where n < m and m < o"
    )
    identifier = clients.athena.start_query_execution(
        QueryString=endless, ResultConfiguration={"OutputLocation": f"s3://{clients.bucket}/r/"}
    )["QueryExecutionId"]
    time.sleep(0.3)
    clients.athena.stop_query_execution(QueryExecutionId=identifier)
    execution = clients.athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
    assert execution["Status"]["State"] == "CANCELLED"
    assert clients.athena.list_query_executions()["QueryExecutionIds"][0] == identifier
    answer = clients.athena.batch_get_query_execution(QueryExecutionIds=[identifier, "nosuch"])
    assert [found["QueryExecutionId"] for found in answer["QueryExecutions"]] == [identifier]
    assert answer["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "nosuch"


def test_requests_that_are_refused(clients: Client) -> None:
    output: ResultConfigurationTypeDef = {"OutputLocation": f"s3://{clients.bucket}/r/"}
    with pytest.raises(ClientError, match="No output location"):
        clients.athena.start_query_execution(QueryString="select 1")
    with pytest.raises(ClientError, match="WorkGroup nosuch is not found"):
        clients.athena.start_query_execution(QueryString="select 1", WorkGroup="nosuch", ResultConfiguration=output)
    with pytest.raises(ClientError, match="was not found"):
        clients.athena.get_query_execution(QueryExecutionId="nosuch")
    with pytest.raises(ClientError, match="not emulated: the operation ListNamedQueries"):
        clients.athena.list_named_queries()
    with pytest.raises(QueryFailedError, match="Only one sql statement is allowed"):
        clients.execute("select 1; select 2")


def test_work_group_enforces_its_output_location(client: Client) -> None:
    configuration = {"ResultConfiguration": {"OutputLocation": f"s3://{client.bucket}/enforced/"}}
    client.athena.create_work_group(Name="strict", Configuration=configuration)  # type: ignore[arg-type]
    group = client.athena.get_work_group(WorkGroup="strict")["WorkGroup"]
    assert group["Configuration"]["EnforceWorkGroupConfiguration"] is True
    identifier = client.athena.start_query_execution(
        QueryString="select 1",
        WorkGroup="strict",
        ResultConfiguration={"OutputLocation": f"s3://{client.bucket}/mine/"},
    )["QueryExecutionId"]
    execution = client.athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{client.bucket}/enforced/")
    # https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html: external_location
    properties = f"external_location = 's3://{client.bucket}/elsewhere/'"
    identifier = client.athena.start_query_execution(
        QueryString=f"create table refused with ({properties}) as select 1 as a",
        WorkGroup="strict",
        QueryExecutionContext={"Database": client.database},
    )["QueryExecutionId"]
    status = client.athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]
    assert "enforces a centralized output location" in status["StateChangeReason"]
    assert {g["Name"] for g in client.athena.list_work_groups()["WorkGroups"]} == {"primary", "strict"}
    client.athena.delete_work_group(WorkGroup="strict")


def test_the_same_token_starts_a_query_once(clients: Client) -> None:
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html: ClientRequestToken."""

    def start(sql: str = "select 1") -> str:
        return clients.athena.start_query_execution(
            QueryString=sql,
            ClientRequestToken="a token of thirty-two characters!",
            ResultConfiguration={"OutputLocation": f"s3://{clients.bucket}/r/"},
        )["QueryExecutionId"]

    assert start() == start()
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        start("select 2")


def test_glue_keeps_names_in_lower_case(client: Client) -> None:
    """https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html: names are folded to lower case when stored."""
    location = client.location()
    client.glue.create_table(
        DatabaseName=client.database.upper(),
        TableInput={
            "Name": "Mixed",
            "StorageDescriptor": {"Columns": [{"Name": "UserId", "Type": "int"}], "Location": location},
            "PartitionKeys": [{"Name": "Day", "Type": "string"}],
        },
    )
    table = client.glue.get_table(DatabaseName=client.database.upper(), Name="MIXED")["Table"]
    assert (table["Name"], table["DatabaseName"]) == ("mixed", client.database)
    assert [column["Name"] for column in table["StorageDescriptor"]["Columns"]] == ["userid"]
    assert [column["Name"] for column in table["PartitionKeys"]] == ["day"]
    client.glue.batch_create_partition(
        DatabaseName=client.database,
        TableName="Mixed",
        PartitionInputList=[{"Values": ["A"], "StorageDescriptor": {"Location": f"{location}A/"}}],
    )
    found = client.glue.get_partitions(DatabaseName=client.database, TableName="MiXed")["Partitions"]
    assert [partition["Values"] for partition in found] == [["A"]]
    client.glue.batch_delete_table(DatabaseName=client.database.upper(), TablesToDelete=["MIXED"])
    assert client.glue.get_tables(DatabaseName=client.database)["TableList"] == []


def test_s3_lists_while_others_write(clients: Client) -> None:
    def write(number: int) -> None:
        clients.put(f"many/{number}", "x")

    def count(_: int) -> int:
        return clients.s3.list_objects_v2(Bucket=clients.bucket, Prefix="many/")["KeyCount"]

    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(write, number) for number in range(100)]
        counts = list(pool.map(count, range(50)))
        for done in writes:
            done.result()
    assert sorted(counts) == counts or max(counts) <= 100
    assert count(0) == 100


def test_concurrent_appends_are_all_kept(client: Client) -> None:
    client.execute(
        f"create table t with (table_type='ICEBERG', is_external=false, location='{client.location()}') as select 0 as a"
    )
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: client.execute(f"insert into t values ({number})"), range(1, 9)))
    assert client.rows("select count(*), sum(a) from t") == [("9", "36")]


def test_only_the_loopback_interface_and_one_at_a_time(endpoint: LocalAthena) -> None:
    assert endpoint.endpoint_url.startswith("http://127.0.0.1:")
    with pytest.raises(RuntimeError, match="another LocalAthena"):
        LocalAthena().start()


def test_command_line_serves_and_prints_what_to_export() -> None:
    command = [sys.executable, "-m", "local_aws.athena"]
    with subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            exported = dict(process.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(3))
            session = boto3.session.Session("any", "any", region_name="eu-west-1")
            identity = session.client("sts", endpoint_url=exported["AWS_ENDPOINT_URL"]).get_caller_identity()
            assert identity["Account"] == "123456789012"
        finally:
            process.terminate()
        assert process.wait(10) == 0
