"""Athena's API: paging, states, work groups, results in S3. https://docs.aws.amazon.com/athena/latest/APIReference/."""
# ruff: noqa: E501, S608 - the statements are the tests' own

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from dbt_local_aws.athena.executions import RUNNING_AT_ONCE
from dbt_local_aws.testing.athena import Client, QueryFailedError

if TYPE_CHECKING:
    from mypy_boto3_athena.type_defs import ResultConfigurationTypeDef


@pytest.mark.documented("API_GetQueryResults", "as documented")
def test_results_come_in_pages(clients: Client) -> None:
    identifier = clients.execute("select n from unnest(sequence(1, 2500)) as t(n) order by n")["QueryExecutionId"]
    first = clients.athena.get_query_results(QueryExecutionId=identifier)
    assert len(first["ResultSet"]["Rows"]) == 1000
    assert first["ResultSet"]["Rows"][0]["Data"][0]["VarCharValue"] == "n"
    assert len(clients.rows("select n from unnest(sequence(1, 2500)) as t(n)")) == 2500
    with pytest.raises(ClientError, match="MaxResults"):
        clients.athena.get_query_results(QueryExecutionId=identifier, MaxResults=1001)


@pytest.mark.documented("querying", "as documented")
def test_result_files_lie_in_s3(clients: Client) -> None:
    execution = clients.execute("select 'a \"b\"' as x, null as y")
    location = execution["ResultConfiguration"]["OutputLocation"]
    key = location.removeprefix(f"s3://{clients.bucket}/")
    assert clients.s3.get_object(Bucket=clients.bucket, Key=key)["Body"].read() == b'"x","y"\n"a ""b""",\n'
    assert clients.s3.head_object(Bucket=clients.bucket, Key=f"{key}.metadata")["ContentLength"] > 0
    assert clients.execute("show databases")["ResultConfiguration"]["OutputLocation"].endswith(".txt")


@pytest.mark.documented("API_GetQueryExecution", "as documented")
def test_failed_query_tells_why_and_has_no_result(clients: Client) -> None:
    identifier = clients.athena.start_query_execution(
        QueryString="select nosuch", ResultConfiguration={"OutputLocation": f"s3://{clients.bucket}/r/"}
    )["QueryExecutionId"]
    status = clients.wait(identifier)["Status"]
    assert status["State"] == "FAILED"
    assert status["AthenaError"]["ErrorMessage"].startswith("COLUMN_NOT_FOUND: ")
    with pytest.raises(ClientError, match="Query did not finish successfully"):
        clients.athena.get_query_results(QueryExecutionId=identifier)


@pytest.mark.documented("API_QueryExecution", "as documented")
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
    execution = clients.wait(identifier)
    assert (execution["Status"]["State"], execution["StatementType"]) == ("FAILED", kind)


@pytest.mark.documented("API_QueryRuntimeStatistics", "as documented")
def test_runtime_statistics_tell_what_was_read(client: Client) -> None:
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryRuntimeStatistics.html."""
    location = client.location()
    client.put(f"{location.removeprefix(f's3://{client.bucket}/')}a.csv", "1\n2\n3\n")
    client.execute(f"create external table t (a int) location '{location}'")
    read = client.execute("select a from t where a > 0")
    assert read["Statistics"]["DataScannedInBytes"] == len("1\n2\n3\n")
    answer = client.athena.get_query_runtime_statistics(QueryExecutionId=read["QueryExecutionId"])
    statistics = answer["QueryRuntimeStatistics"]
    assert (statistics["Rows"]["InputBytes"], statistics["Rows"]["OutputRows"]) == (6, 3)
    assert statistics["Timeline"]["TotalExecutionTimeInMillis"] == read["Statistics"]["TotalExecutionTimeInMillis"]
    nothing = client.execute("select 1")
    assert nothing["Statistics"]["DataScannedInBytes"] == 0


def start(client: Client, sql: str, work_group: str = "primary") -> str:
    return client.athena.start_query_execution(
        QueryString=sql,
        WorkGroup=work_group,
        QueryExecutionContext={"Database": client.database},
        ResultConfiguration={"OutputLocation": f"s3://{client.bucket}/r/"},
    )["QueryExecutionId"]


@pytest.fixture
def work_group(clients: Client) -> Iterator[str]:
    """A work group that no other test uses."""
    name = f"group_{uuid.uuid4().hex[:12]}"
    clients.athena.create_work_group(Name=name)
    yield name
    clients.athena.delete_work_group(WorkGroup=name)


@pytest.mark.documented("API_ListQueryExecutions", "as documented")
def test_lists_come_in_pages(clients: Client, work_group: str) -> None:
    started = [start(clients, f"select {number}", work_group) for number in range(3)]
    first = clients.athena.list_query_executions(MaxResults=2, WorkGroup=work_group)
    assert first["QueryExecutionIds"] == started[:0:-1]
    second = clients.athena.list_query_executions(MaxResults=1, NextToken=first["NextToken"], WorkGroup=work_group)
    assert second["QueryExecutionIds"] == started[:1]
    with pytest.raises(ClientError, match="MaxResults"):
        clients.athena.list_query_executions(MaxResults=51)
    with pytest.raises(ClientError, match="NextToken"):
        clients.athena.list_query_executions(NextToken="nonsense")


ENDLESS = (
    "select count(*) as n from unnest(sequence(1, 10000)) as a(n), unnest(sequence(1, 10000)) as b(m), "
    "unnest(sequence(1, 10000)) as c(o) where n < m and m < o"
)


def states_in_trino(client: Client, text: str) -> set[str]:
    """The states of the queries that Trino itself knows by a text in them."""
    pattern = f"%{text}%"
    found = client.rows(
        f"select state from system.runtime.queries where query like '{pattern}' and query not like '%runtime%'"
    )
    return {str(row[0]) for row in found}


def await_running(client: Client, identifier: str, text: str) -> None:
    """Until Trino works on it: only then is there something to stop."""
    while states_in_trino(client, text) != {"RUNNING"}:
        execution = client.athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
        assert execution["Status"]["State"] in ("QUEUED", "RUNNING"), execution["Status"]


@pytest.mark.documented("API_StopQueryExecution", "as documented")
def test_a_stopped_query_ends_in_trino_and_commits_nothing(client: Client) -> None:
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_StopQueryExecution.html."""
    properties = f"table_type = 'ICEBERG', is_external = false, location = '{client.location()}'"
    client.execute(f"create table kept with ({properties}) as select bigint '1' as n")
    location = client.location().rstrip("/")
    properties = f"table_type = 'ICEBERG', is_external = false, location = '{location}'"
    for sql, text in (
        (f"create table endless with ({properties}) as {ENDLESS}", location),
        (f"insert into kept {ENDLESS} and '{client.database}' <> ''", f"{client.database}'' <> ''"),
    ):
        identifier = start(client, sql)
        await_running(client, identifier, text)
        client.athena.stop_query_execution(QueryExecutionId=identifier)
        execution = client.wait(identifier)
        assert (execution["Status"]["State"], execution["Status"]["StateChangeReason"]) == (
            "CANCELLED",
            "Query cancelled by user",
        )
        assert states_in_trino(client, text) == {"FAILED"}
    assert client.rows("show tables") == [("kept",)]
    assert client.rows("select n from kept") == [("1",)]
    client.execute("drop table kept")


@pytest.mark.documented("API_StopQueryExecution", "as documented")
def test_stopped_queries_are_listed(clients: Client, work_group: str) -> None:
    identifier = start(clients, ENDLESS, work_group)
    clients.athena.stop_query_execution(QueryExecutionId=identifier)
    assert clients.wait(identifier)["Status"]["State"] == "CANCELLED"
    assert clients.athena.list_query_executions(WorkGroup=work_group)["QueryExecutionIds"] == [identifier]
    answer = clients.athena.batch_get_query_execution(QueryExecutionIds=[identifier, "nosuch"])
    assert [found["QueryExecutionId"] for found in answer["QueryExecutions"]] == [identifier]
    assert answer["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "nosuch"


@pytest.mark.documented("API_StopQueryExecution", "as documented")
def test_a_query_that_has_ended_stays_as_it_is_when_it_is_stopped(clients: Client) -> None:
    identifier = clients.execute("select 1")["QueryExecutionId"]
    clients.athena.stop_query_execution(QueryExecutionId=identifier)
    assert clients.wait(identifier)["Status"]["State"] == "SUCCEEDED"


@pytest.mark.documented("service-limits", "as documented")
def test_more_queries_than_run_at_once_wait_and_are_answered_meanwhile(clients: Client, work_group: str) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/service-limits.html: queries beyond the quota are queued."""
    started = [start(clients, ENDLESS, work_group) for _ in range(RUNNING_AT_ONCE + 2)]
    last = clients.athena.get_query_execution(QueryExecutionId=started[-1])["QueryExecution"]
    assert last["Status"]["State"] == "QUEUED"
    for identifier in reversed(started):
        clients.athena.stop_query_execution(QueryExecutionId=identifier)
    assert {clients.wait(identifier)["Status"]["State"] for identifier in started} == {"CANCELLED"}


@pytest.mark.documented("workgroups-setting-control-limits-cloudwatch", "as documented")
def test_a_query_that_reads_more_than_its_work_group_allows_is_cancelled(client: Client, work_group: str) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/workgroups-setting-control-limits-cloudwatch.html."""
    location = client.location()
    for part in range(20):
        client.put(f"{location.removeprefix(f's3://{client.bucket}/')}{part}.csv", "1234567\n" * 100_000)
    client.execute(f"create external table t (a int) location '{location}'")
    client.athena.update_work_group(
        WorkGroup=work_group, ConfigurationUpdates={"BytesScannedCutoffPerQuery": 10_000_000}
    )
    assert (
        client.wait(start(client, "select count(*) from t where a > 1", work_group))["Status"]["State"] == "CANCELLED"
    )
    assert client.wait(start(client, "select 1", work_group))["Status"]["State"] == "SUCCEEDED"
    client.execute("drop table t")


@pytest.mark.documented("IAM/latest/UserGuide/reference_sigv-create-signed-request", "refused as documented")
@pytest.mark.parametrize("service", ["s3", "glue", "athena", "sts"])
def test_every_service_asks_for_the_keys_that_were_printed(
    endpoint: dict[str, str], service: Literal["s3", "glue", "athena", "sts"]
) -> None:
    calls = {"s3": "list_buckets", "glue": "get_databases", "athena": "list_work_groups", "sts": "get_caller_identity"}
    url, region, known = endpoint["AWS_ENDPOINT_URL"], endpoint["AWS_REGION"], endpoint["AWS_ACCESS_KEY_ID"]
    for access_key, secret_key in (("local", "local"), (known, "guessed")):
        session = boto3.session.Session(access_key, secret_key, region_name=region)
        with pytest.raises(ClientError, match=r"UnrecognizedClient|InvalidAccessKeyId|SignatureDoesNotMatch"):
            getattr(session.client(service, endpoint_url=url), calls[service])()
    session = boto3.session.Session(known, endpoint["AWS_SECRET_ACCESS_KEY"], region_name=region)
    getattr(session.client(service, endpoint_url=url), calls[service])()


def test_an_address_that_was_signed_beforehand_opens_one_object(clients: Client, endpoint: dict[str, str]) -> None:
    clients.put("signed/a b+c.txt", "content")
    s3 = boto3.client("s3", endpoint_url=endpoint["AWS_ENDPOINT_URL"], config=Config(signature_version="s3v4"))
    url = s3.generate_presigned_url("get_object", {"Bucket": clients.bucket, "Key": "signed/a b+c.txt"})
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - the endpoint's own
        assert answer.read() == b"content"
    for other in (url.replace("signed/", "other/"), url.partition("?")[0]):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(other)  # noqa: S310 - the endpoint's own


@pytest.mark.documented("API_StartQueryExecution", "refused as documented")
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


@pytest.mark.documented("create-table-as", "refused as documented")
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
    execution = client.wait(identifier)
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{client.bucket}/enforced/")
    # https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html: external_location
    properties = f"external_location = 's3://{client.bucket}/elsewhere/'"
    identifier = client.athena.start_query_execution(
        QueryString=f"create table refused with ({properties}) as select 1 as a",
        WorkGroup="strict",
        QueryExecutionContext={"Database": client.database},
    )["QueryExecutionId"]
    status = client.wait(identifier)["Status"]
    assert "enforces a centralized output location" in status["StateChangeReason"]
    assert {g["Name"] for g in client.athena.list_work_groups()["WorkGroups"]} >= {"primary", "strict"}
    client.athena.delete_work_group(WorkGroup="strict")


@pytest.mark.documented("API_StartQueryExecution", "as documented")
def test_the_same_token_starts_a_query_once(clients: Client) -> None:
    """https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html: ClientRequestToken."""

    def again(sql: str = "select 1") -> str:
        return clients.athena.start_query_execution(
            QueryString=sql,
            ClientRequestToken="a token of thirty-two characters!",
            ResultConfiguration={"OutputLocation": f"s3://{clients.bucket}/r/"},
        )["QueryExecutionId"]

    assert again() == again()
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        again("select 2")


@pytest.mark.documented("glue/latest/webapi/API_TableInput", "as documented")
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

    def count() -> int:
        return clients.s3.list_objects_v2(Bucket=clients.bucket, Prefix="many/")["KeyCount"]

    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(write, number) for number in range(100)]
        counts = [count() for _ in range(30)]
        for done in writes:
            done.result()
    assert counts == sorted(counts)
    assert count() == 100


def test_concurrent_appends_are_all_kept(client: Client) -> None:
    client.execute(
        f"create table t with (table_type='ICEBERG', is_external=false, location='{client.location()}') as select 0 as a"
    )
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: client.execute(f"insert into t values ({number})"), range(1, 9)))
    assert client.rows("select count(*), sum(a) from t") == [("9", "36")]


def test_only_the_loopback_interface(endpoint: dict[str, str]) -> None:
    assert endpoint["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
