"""The Redshift Data API, asked by boto3.

Sources: "Using the Amazon Redshift Data API" in the Amazon Redshift Management Guide, and the API reference.
"""

# ruff: noqa: E501, S608 - a case is a line

import time
import uuid
from typing import Any

import boto3
import botocore.exceptions
import pytest
from data_api_client import (  # type: ignore[import-not-found]  # pytest has this folder on its path
    CLUSTER,
    data,
    described,
    execute,
    refused,
    result,
)

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connection, rows, run

__all__ = ["data"]


@pytest.fixture
def schema(connection: Connection) -> str:
    """A schema whose tables are there for other connections as well."""
    del connection  # which makes it, and drops it
    return "case_schema"


# One statement ----------------------------------------------------------------------------------------------------------

FIELDS: list[tuple[str, dict[str, Any], str]] = [
    ("1::smallint", {"longValue": 1}, "int2"),
    ("1", {"longValue": 1}, "int4"),
    ("9999999999", {"longValue": 9999999999}, "int8"),
    ("0.5::real", {"doubleValue": 0.5}, "float4"),
    ("0.1::float8", {"doubleValue": 0.1}, "float8"),
    ("1.50::decimal(8,2)", {"stringValue": "1.50"}, "numeric"),
    ("true", {"booleanValue": True}, "bool"),
    ("false", {"booleanValue": False}, "bool"),
    ("'é'::varchar(9)", {"stringValue": "é"}, "varchar"),
    ("''::varchar(9)", {"stringValue": ""}, "varchar"),
    ("'ab'::char(3)", {"stringValue": "ab "}, "bpchar"),
    ("date '2020-02-29'", {"stringValue": "2020-02-29"}, "date"),
    ("timestamp '2020-02-29 01:02:03'", {"stringValue": "2020-02-29 01:02:03"}, "timestamp"),
    ("timestamptz '2020-02-29 01:02:03+00'", {"stringValue": "2020-02-29 01:02:03+00"}, "timestamptz"),
    ("null::int", {"isNull": True}, "int4"),
    ("null::varchar(9)", {"isNull": True}, "varchar"),
]


@pytest.mark.documented("API_GetStatementResult", "as documented")
@pytest.mark.parametrize(("expression", "field", "type_name"), FIELDS)
def test_fields(data: Any, expression: str, field: dict[str, Any], type_name: str) -> None:  # noqa: ANN401
    answer = result(data, f"select {expression} as a")
    assert answer["Records"] == [[field]]
    assert (answer["ColumnMetadata"][0]["typeName"], answer["ColumnMetadata"][0]["name"]) == (type_name, "a")
    assert answer["TotalNumRows"] == 1


@pytest.mark.documented("API_DescribeStatement", "as documented")
def test_describing(data: Any, schema: str) -> None:  # noqa: ANN401
    sent = data.execute_statement(Sql="select 1 as a union all select 2", StatementName="numbers", **CLUSTER)
    assert {name: sent[name] for name in CLUSTER} == CLUSTER
    description = described(data, sent["Id"])
    assert (description["HasResultSet"], description["ResultRows"], description["ResultSize"]) == (True, 2, 2)
    assert description["QueryString"] == "select 1 as a union all select 2"
    assert description["Duration"] > 0
    assert description["RedshiftPid"] > 0
    created = execute(data, f"create table {schema}.t (a int)")
    assert (created["HasResultSet"], created["ResultRows"], created["ResultSize"]) == (False, -1, -1)
    assert execute(data, f"insert into {schema}.t values (1), (2), (3)")["ResultRows"] == 3
    assert execute(data, f"update {schema}.t set a = 0 where a > 1")["ResultRows"] == 2


@pytest.mark.documented("API_DescribeStatement", "as documented")
@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("select * from missing", 'ERROR: relation "missing" does not exist'),
        ("selekt 1", 'ERROR: syntax error at or near "selekt"'),
        ("select distinct on (1) 1", "ERROR: "),
        ("select 1; select 2", "ERROR: cannot insert multiple commands into a prepared statement"),
    ],
)
def test_what_fails_says_why(data: Any, sql: str, error: str) -> None:  # noqa: ANN401
    description = execute(data, sql)
    assert description["Status"] == "FAILED"
    assert description["Error"].startswith(error)
    code, message = refused(data.get_statement_result, Id=description["Id"])
    assert (code, message) == (
        "ResourceNotFoundException",
        "Query does not have result. Please check query status with DescribeStatement.",
    )


@pytest.mark.documented("API_ExecuteStatement", "as documented")
def test_parameters(data: Any, schema: str) -> None:  # noqa: ANN401
    parameters = [{"name": "number", "value": "7"}, {"name": "text", "value": "it's :number"}]
    execute(data, f"create table {schema}.t (a int, b varchar(30))")
    insert = f"insert into {schema}.t values (:number, :text), (:number + 1, ':text')"
    assert execute(data, insert, Parameters=parameters)["Status"] == "FINISHED"
    query = f"select b, a::varchar from {schema}.t where a >= :number -- :text\n order by a"
    answer = result(data, query, Parameters=parameters[:1])
    assert answer["Records"] == [
        [{"stringValue": "it's :number"}, {"stringValue": "7"}],
        [{"stringValue": ":text"}, {"stringValue": "8"}],
    ]


@pytest.mark.documented("API_ColumnMetadata", "as documented")
def test_column_metadata(data: Any, schema: str) -> None:  # noqa: ANN401
    execute(data, f"create table {schema}.t (a int not null, b varchar(30) default 'x', c decimal(8,2))")
    numbers, texts, decimals, computed = result(data, f"select a, b as other, c, a + 1 as d from {schema}.t")[
        "ColumnMetadata"
    ]
    assert numbers == {
        "name": "a", "label": "a", "typeName": "int4", "precision": 10, "scale": 0, "length": 0, "nullable": 0,
        "isCaseSensitive": False, "isCurrency": False, "isSigned": True, "schemaName": "case_schema", "tableName": "t",
    }  # fmt: skip
    assert (texts["label"], texts["precision"], texts["isCaseSensitive"], texts["nullable"]) == ("other", 30, True, 1)
    assert (decimals["typeName"], decimals["precision"], decimals["scale"]) == ("numeric", 8, 2)
    assert (computed["schemaName"], computed["tableName"]) == ("", "")


@pytest.mark.documented("API_GetStatementResult", "as documented")
def test_pages(data: Any) -> None:  # noqa: ANN401
    query = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500) select i from n order by i"
    description = execute(data, query)
    pages = data.get_paginator("get_statement_result").paginate(Id=description["Id"])
    lengths, numbers = zip(
        *((len(page["Records"]), [row[0]["longValue"] for row in page["Records"]]) for page in pages), strict=True
    )
    assert lengths == (1000, 1000, 500)
    assert [number for page in numbers for number in page] == list(range(1, 2501))


@pytest.mark.documented("API_GetStatementResultV2", "as documented")
def test_csv(data: Any) -> None:  # noqa: ANN401
    description = execute(data, "select 1 as a, 'x,\"y'::varchar as b, null::int as c", ResultFormat="CSV")
    assert description["ResultFormat"] == "CSV"
    answer = data.get_statement_result_v2(Id=description["Id"])
    assert answer["Records"] == [{"CSVRecords": 'a,b,c\r\n1,"x,""y",\r\n'}]
    assert answer["ResultFormat"] == "CSV"
    assert refused(data.get_statement_result, Id=description["Id"])[0] == "ValidationException"


@pytest.mark.documented("API_ExecuteStatement", "as documented")
def test_a_client_token_runs_a_statement_once(data: Any, connection: Connection) -> None:  # noqa: ANN401
    run(connection, "create table t (a int)")
    request = {"Sql": "insert into case_schema.t values (1)", "ClientToken": str(uuid.uuid4()), **CLUSTER}
    first, second = data.execute_statement(**request)["Id"], data.execute_statement(**request)["Id"]
    assert first == second
    assert described(data, first)["Status"] == "FINISHED"
    assert rows(connection, "select count(*) from t") == [[1]]


@pytest.mark.documented("API_ExecuteStatement", "as documented")
@pytest.mark.parametrize(
    "where",
    [
        {"ClusterIdentifier": "any", "Database": "dev", "DbUser": "dbt"},
        {"ClusterIdentifier": "any", "Database": "dev"},
        {"ClusterIdentifier": "any", "Database": "dev", "SecretArn": "arn:aws:secretsmanager:us-west-2:1:secret:x"},
        {"WorkgroupName": "any", "Database": "dev", "WithEvent": True},
    ],
)
def test_ways_to_connect(data: Any, where: dict[str, Any]) -> None:  # noqa: ANN401
    description = described(data, data.execute_statement(Sql="select current_user", **where)["Id"])
    assert data.get_statement_result(Id=description["Id"])["Records"] == [[{"stringValue": "dbt"}]]


@pytest.mark.documented("API_ExecuteStatement", "refused as documented")
@pytest.mark.parametrize(
    "request_",
    [
        {"Sql": "select 1"},
        {"Sql": "select 1", "Database": "dev"},
        {"Sql": "select 1", "ClusterIdentifier": "any"},
        {"Sql": "select 1", "ClusterIdentifier": "any", "WorkgroupName": "any", "Database": "dev"},
        {"Sql": "select 1", "SessionId": str(uuid.uuid4()), "Database": "dev"},
    ],
)
def test_what_must_be_said(data: Any, request_: dict[str, Any]) -> None:  # noqa: ANN401
    assert refused(data.execute_statement, **request_)[0] == "ValidationException"


@pytest.mark.documented("API_ExecuteStatement", "as documented")
def test_another_user(data: Any, connection: Connection) -> None:  # noqa: ANN401
    run(connection, "create user data_reader password 'Abcd1234'")
    try:
        description = execute(data, "select current_user", DbUser="data_reader")
        assert data.get_statement_result(Id=description["Id"])["Records"] == [[{"stringValue": "data_reader"}]]
        assert "permission denied" in execute(data, "create schema other", DbUser="data_reader")["Error"]
    finally:
        run(connection, "drop user data_reader")
    assert execute(data, "select 1", DbUser="nobody_there")["Status"] == "FAILED"
    assert execute(data, "select 1", Database="nowhere")["Status"] == "FAILED"


# Several statements -----------------------------------------------------------------------------------------------------


def execute_batch(data: Any, *sqls: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    sent = data.batch_execute_statement(Sqls=list(sqls), **CLUSTER, **options)
    description: dict[str, Any] = described(data, sent["Id"])
    return description


@pytest.mark.documented("API_BatchExecuteStatement", "as documented")
def test_a_batch(data: Any, schema: str) -> None:  # noqa: ANN401
    description = execute_batch(
        data, f"create table {schema}.t (a int)", f"insert into {schema}.t values (1), (2)", f"select * from {schema}.t"
    )
    assert description["Status"] == "FINISHED"
    parts = description["SubStatements"]
    assert [part["Id"] for part in parts] == [f"{description['Id']}:{number}" for number in (1, 2, 3)]
    assert [(part["HasResultSet"], part["ResultRows"]) for part in parts] == [(False, -1), (False, 2), (True, 2)]
    records = data.get_statement_result(Id=parts[2]["Id"])["Records"]
    assert sorted(row[0]["longValue"] for row in records) == [1, 2]
    assert refused(data.get_statement_result, Id=parts[0]["Id"])[0] == "ResourceNotFoundException"


@pytest.mark.documented("API_BatchExecuteStatement", "as documented")
@pytest.mark.parametrize(("mode", "kept"), [("TRANSACTION", 0), ("AUTO_COMMIT", 2)])
def test_a_batch_that_fails(data: Any, connection: Connection, mode: str, kept: int) -> None:  # noqa: ANN401
    run(connection, "create table t (a int)")
    insert = "insert into case_schema.t values (1)"
    try:
        sent = data.batch_execute_statement(
            Sqls=[insert, "select * from missing", insert], ExecutionMode=mode, **CLUSTER
        )
    except botocore.exceptions.ParamValidationError:
        if mode == "AUTO_COMMIT":
            pytest.skip("NOT TESTED: this botocore knows no ExecutionMode")
        sent = data.batch_execute_statement(Sqls=[insert, "select * from missing", insert], **CLUSTER)
    description = described(data, sent["Id"])
    assert description["Status"] == "FAILED"
    assert description["Error"].startswith('ERROR: relation "missing" does not exist')
    last = "FINISHED" if mode == "AUTO_COMMIT" else "ABORTED"
    assert [part["Status"] for part in description["SubStatements"]] == ["FINISHED", "FAILED", last]
    assert rows(connection, "select count(*) from t") == [[kept]]


# Cancelling ---------------------------------------------------------------------------------------------------

SLOW = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000000) select max(i) from n"


@pytest.mark.documented("API_CancelStatement", "as documented")
def test_cancelling(data: Any) -> None:  # noqa: ANN401
    sent = data.execute_statement(Sql=SLOW, **CLUSTER)["Id"]
    while data.describe_statement(Id=sent)["Status"] != "STARTED":
        time.sleep(0.02)
    time.sleep(0.3)
    assert data.cancel_statement(Id=sent)["Status"] is True
    description = described(data, sent)
    assert description["Status"] == "ABORTED"
    code, message = refused(data.cancel_statement, Id=sent)
    assert (code, "already in ABORTED state" in message) == ("ValidationException", True)


# Lists ------------------------------------------------------------------------------------------------------------------


@pytest.mark.documented("API_ListStatements", "as documented")
def test_listing_statements(data: Any) -> None:  # noqa: ANN401
    name = f"listed-{uuid.uuid4()}"
    good = [execute(data, f"select {number}", StatementName=f"{name}-{number}")["Id"] for number in range(3)]
    bad = execute(data, "select * from missing", StatementName=f"{name}-bad")["Id"]
    listed = data.list_statements(StatementName=name)["Statements"]
    assert [statement["Id"] for statement in listed] == good[::-1]
    assert [
        statement["Id"] for statement in data.list_statements(StatementName=name, Status="FAILED")["Statements"]
    ] == [bad]
    assert len(data.list_statements(StatementName=name, Status="ALL")["Statements"]) == 4
    pages = data.get_paginator("list_statements").paginate(
        StatementName=name, Status="ALL", PaginationConfig={"PageSize": 3}
    )
    assert [len(page["Statements"]) for page in pages] == [3, 1]


@pytest.mark.documented("API_ListTables", "as documented")
def test_the_catalogue(data: Any, connection: Connection) -> None:  # noqa: ANN401
    run(connection, "create table first (a int not null, b varchar(9))", "create view second as select 1 as c")
    assert data.list_databases(**CLUSTER)["Databases"] == ["dev"]
    assert data.list_schemas(SchemaPattern="case%", **CLUSTER)["Schemas"] == ["case_schema"]
    assert not [name for name in data.list_schemas(**CLUSTER)["Schemas"] if "internal" in name]
    assert data.list_tables(SchemaPattern="case_schema", **CLUSTER)["Tables"] == [
        {"name": "first", "schema": "case_schema", "type": "TABLE"},
        {"name": "second", "schema": "case_schema", "type": "VIEW"},
    ]
    assert [
        table["name"] for table in data.list_tables(SchemaPattern="case%", TablePattern="s%", **CLUSTER)["Tables"]
    ] == ["second"]
    table = data.describe_table(Schema="case_schema", Table="first", **CLUSTER)
    assert table["TableName"] == "first"
    columns = [
        (column["name"], column["typeName"], column["nullable"], column["length"]) for column in table["ColumnList"]
    ]
    assert columns == [("a", "int4", 0, 0), ("b", "varchar", 1, 9)]


# Who may ask ------------------------------------------------------------------------------------------------------------


@pytest.mark.documented("CommonErrors", "refused as documented")
def test_only_the_printed_keys(redshift: LocalRedshift) -> None:
    environment = redshift.environment()
    for access_key, secret_key, code in (
        ("AKIASOMEBODY", "x", "UnrecognizedClientException"),
        (environment["AWS_ACCESS_KEY_ID"], "x", "InvalidSignatureException"),
    ):
        stranger = boto3.client(
            "redshift-data",
            endpoint_url=environment["AWS_ENDPOINT_URL_REDSHIFT_DATA"],
            region_name="us-west-2",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
        )
        assert refused(stranger.list_databases, **CLUSTER)[0] == code


@pytest.mark.documented("API_DescribeStatement", "refused as documented")
def test_unknown_statements(data: Any) -> None:  # noqa: ANN401
    for call in (data.describe_statement, data.get_statement_result, data.cancel_statement):
        assert refused(call, Id=str(uuid.uuid4()))[0] == "ResourceNotFoundException"
