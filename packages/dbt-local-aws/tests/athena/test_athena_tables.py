"""What Athena does with tables: external ones, CTAS, views, Iceberg, and which statements it refuses.

Sources: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html and the pages that the groups name.
"""
# ruff: noqa: E501, S608 - a case a line; the statements are the tests' own

from __future__ import annotations

import gzip
import json
import tempfile

import duckdb
import pytest

from dbt_local_aws.testing.athena import Client, QueryFailedError

OPENX = "row format serde 'org.openx.data.jsonserde.JsonSerDe'"


def refused(client: Client, sql: str, error: str) -> None:
    with pytest.raises(QueryFailedError, match=error):
        client.execute(sql)


# https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html


def json_table(client: Client, name: str, columns: str, *lines: str, properties: str = "", ending: str = "") -> str:
    location = client.location()
    key = location.removeprefix(f"s3://{client.bucket}/")
    client.put(f"{key}part=1/a.json", "\n".join(lines))
    client.execute(f"create external table {name} ({columns}) {OPENX} {properties} location '{location}' {ending}")
    return location


@pytest.mark.documented("openx-json-serde", "as documented")
def test_json_keys_match_in_any_case_and_numbers_become_text(client: Client) -> None:
    json_table(
        client,
        "t",
        "userid bigint, artist string, w double, ok boolean",
        '{"userId": 1, "artist": 311, "w": 2}',
        '{"USERID": "7", "ok": true}',
    )
    assert client.rows("select * from t order by userid") == [("1", "311", "2.0", None), ("7", None, None, "true")]


@pytest.mark.documented("openx-json-serde", "as documented")
def test_json_mapping_and_case_sensitivity(client: Client) -> None:
    properties = (
        "with serdeproperties ('case.insensitive' = 'false', 'mapping.upper_url' = 'URL', 'mapping.url' = 'Url')"
    )
    json_table(client, "t", "upper_url string, url string", '{"URL": "a", "Url": "b"}', properties=properties)
    assert client.rows("select * from t") == [("a", "b")]


@pytest.mark.documented("openx-json-serde", "as documented")
def test_json_malformed(client: Client) -> None:
    json_table(client, "t", "a int", '{"a": 1}', "{oops")
    refused(client, "select a from t", "HIVE_CURSOR_ERROR")
    json_table(
        client, "u", "a int", '{"a": 1}', "{oops", properties="with serdeproperties ('ignore.malformed.json' = 'true')"
    )
    assert sorted(client.rows("select a from u"), key=str) == [("1",), (None,)]


@pytest.mark.documented("openx-json-serde", "as documented")
def test_json_nested(client: Client) -> None:
    json_table(
        client,
        "t",
        "tags array<string>, at struct<lat:double,lon:double>",
        '{"tags": ["x"], "at": {"lat": 1, "lon": 2}}',
    )
    assert client.rows("select tags[1], at.lon, at from t") == [("x", "2.0", "{lat=1.0, lon=2.0}")]


# https://docs.aws.amazon.com/athena/latest/ug/hive-json-serde.html: its example has lower-case columns, over data whose keys are
# requestBeginTime, adId and so on (https://aws.amazon.com/articles/2854)
HIVE_JSON = "row format serde 'org.apache.hive.hcatalog.data.JsonSerDe'"


def hive_json_table(client: Client, columns: str, *lines: str) -> None:
    location = client.location()
    client.put(f"{location.removeprefix(f's3://{client.bucket}/')}part=1/a.json", "\n".join(lines))
    client.execute(f"create external table t ({columns}) {HIVE_JSON} location '{location}'")


@pytest.mark.documented("hive-json-serde", "as documented")
def test_hives_json_serde_reads_values_as_they_are_written(client: Client) -> None:
    hive_json_table(
        client,
        "`user` string, `timestamp` bigint, sharesince string, x double, ok boolean",
        '{"user": "a", "timestamp": 9007199254740993, "shareSince": 1691348231425, "x": 1540919166796.0, "ok": true}',
        '  {"USER":"b\\u00e9 \\ud83d\\ude00 \\"\\\\ 😀","timestamp":-1,"sharesince":"1e3","x":5,"unknown":{"user":"z","a":[1]}}',
        '{"user": "c", "timestamp": null, "shareSince": false}',
        '{"user": "d", "shareSince": "", "x": 1e-7}',
        '{"user": "e", "shareSince": 2, "_col1": 7, "more": {"shareSince": 3, "_col0": 4}}',
    )
    assert client.rows('select "user", "timestamp", sharesince, x, ok from t order by "user"') == [
        ("a", "9007199254740993", "1691348231425", "1.540919166796E12", "true"),
        ('bé 😀 "\\ 😀', "-1", "1e3", "5.0", None),
        ("c", None, "false", None, None),
        ("d", None, "", "1.0E-7", None),
        ("e", "7", "2", None, None),  # a key that Hive takes for the second column; keys within others count for none
    ]


@pytest.mark.documented("hive-json-serde", "as documented")
@pytest.mark.parametrize(
    "line",
    ['{"a": 1,}', "", "null", "[1]", "{oops", '{"a": "7"}', '{"a": 9223372036854775808}', '{"a": {"b": 1}}', '{"s": {"b": 1}}',
     '{"a": 1, "a": 1}', '{"s": 1, "S": 1}', '{"a": 1, "_col0": 1}', '{"_col2": 1}', f'{{"{"k" * 50_001}": 1}}'],
    ids=lambda line: line[:30],
)  # fmt: skip
def test_hives_json_serde_stops_at_what_it_cannot_read(client: Client, line: str) -> None:
    hive_json_table(client, "a bigint, s string", '{"a": 1}', line, '{"a": 2}')
    refused(client, "select a, s from t", "HIVE_CURSOR_ERROR|HIVE_BAD_DATA")


def test_sub_folders_are_read_gzip_too_and_hidden_objects_are_not(client: Client) -> None:
    location = json_table(client, "t", "a int", '{"a": 1}')
    key = location.removeprefix(f"s3://{client.bucket}/")
    client.put(f"{key}part=2/deeper/b.json.gz", gzip.compress(b'{"a": 2}\n'))
    client.put(f"{key}_hidden/c.json", '{"a": 3}')
    client.put(f"{key}.d.json", '{"a": 4}')
    assert client.rows('select a, "$path" from t order by a') == [
        ("1", f"{location}part=1/a.json"),
        ("2", f"{location}part=2/deeper/b.json.gz"),
    ]
    assert client.rows('select count(*) from t where "$file_size" > 0') == [("2",)]


def test_view_over_objects_that_a_ledger_names(client: Client) -> None:
    location = json_table(client, "objects", "a int", '{"a": 1}')
    client.put(location.removeprefix(f"s3://{client.bucket}/") + "part=1/leftover.json", '{"a": 2}')
    json_table(client, "ledger", "object_key string", json.dumps({"object_key": "part=1/a.json"}))
    client.execute(
        f"""create view v as select a from objects where "$path" in (select '{location}' || object_key from ledger)"""
    )
    assert client.rows("select * from v") == [("1",)]
    # the leftover is left out before it is read, if the ledger is read first
    assert 8 + 31 <= client.execute("select * from v")["Statistics"]["DataScannedInBytes"] <= 8 + 8 + 31


# https://docs.aws.amazon.com/athena/latest/ug/create-table.html, …/reserved-words.html, …/data-types.html

REFUSED_DDL = [
    ("create external table t (a integer) location 's3://lake/x/'", "FAILED: ParseException"),
    ("create external table t (a varchar) location 's3://lake/x/'", "FAILED: ParseException"),
    ("create external table t (a double precision) location 's3://lake/x/'", "FAILED: ParseException"),
    ("create external table t (a text) location 's3://lake/x/'", "FAILED: ParseException"),
    ("create external table t (user string) location 's3://lake/x/'", "FAILED: ParseException"),
    ("create external table t (timestamp bigint) location 's3://lake/x/'", "FAILED: ParseException"),
    ("create external table t (\"user\" string) location 's3://lake/x/'", "FAILED: ParseException"),
    ("create external table t (a int)", "FAILED: SemanticException"),
    ("create external table t (a int, a int) location 's3://lake/x/'", "FAILED: SemanticException"),
    ("create external table t (a int) location 'http://x/'", "FAILED: SemanticException"),
    ("create external table t (a int) location 's3://lake/x/' nonsense", "FAILED: ParseException"),
    ("create table t (a int) location 's3://lake/x/'", "FAILED: SemanticException"),
    ("create external table nosuch.t (a int) location 's3://lake/x/'", "SCHEMA_NOT_FOUND"),
    (
        "create table t (a tinyint) location 's3://lake/x/' tblproperties ('table_type'='iceberg')",
        "FAILED: SemanticException",
    ),
    # https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html
    (
        "create external table t (a int) location 's3://lake/x/' tblproperties ('table_type'='iceberg')",
        "FAILED: SemanticException: External keyword not supported",
    ),
    (
        "create table t (a int) stored as parquet location 's3://lake/x/' tblproperties ('table_type'='iceberg')",
        "FAILED: SemanticException",
    ),
    (
        "create table t (a int not null) location 's3://lake/x/' tblproperties ('table_type'='iceberg')",
        "FAILED: ParseException",
    ),
    (
        "create table t (a int) location 's3://lake/x/' tblproperties ('table_type'='iceberg', 'nonsense'='x')",
        "FAILED: SemanticException: Unsupported table property key",
    ),
    (
        "create table t (a int) partitioned by (nosuch) location 's3://lake/x/' tblproperties ('table_type'='iceberg')",
        "INVALID_TABLE_PROPERTY",
    ),
    (
        "create table t (a int) partitioned by (nosuch(a)) location 's3://lake/x/' tblproperties ('table_type'='iceberg')",
        "INVALID_TABLE_PROPERTY",
    ),
    (
        "create table t (a int) partitioned by (year(a)) location 's3://lake/x/' tblproperties ('table_type'='iceberg')",
        "INVALID_TABLE_PROPERTY",
    ),
    (
        "create table t (a date) partitioned by (hour(a)) location 's3://lake/x/' tblproperties ('table_type'='iceberg')",
        "INVALID_TABLE_PROPERTY",
    ),
    # https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
    (
        "create external table t (a int) row format serde 'nosuch' location 's3://lake/x/'",
        "FAILED: SemanticException: Cannot validate serde",
    ),
    (
        "create external table t (a int) row format serde 'com.amazonaws.glue.serde.GrokSerDe' location 's3://lake/x/'",
        "NOT_SUPPORTED: The SerDe",
    ),
    ("create external table t (a decimal(39, 0)) location 's3://lake/x/'", "SYNTAX_ERROR"),
    # https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html: digits and underscores in front
    ("create external table t (_a int) location 's3://lake/x/'", "FAILED: ParseException"),
    ("create external table 1t (a int) location 's3://lake/x/'", "FAILED: ParseException"),
    (
        "create external table t (a int) stored as nosuch location 's3://lake/x/'",
        "FAILED: SemanticException: Unrecognized",
    ),
    ("create table t like u", "FAILED: ParseException"),
    ("drop table nosuch", "FAILED: SemanticException"),
    ("drop view nosuch", "TABLE_NOT_FOUND"),
    ("drop schema nosuch", "FAILED: SemanticException"),
    ("alter table nosuch add columns (a int)", "FAILED: SemanticException"),
    ("show tables in nosuch", "FAILED: SemanticException"),
    ("describe nosuch", "TABLE_NOT_FOUND"),
    ("create view v as select 1", "MISSING_COLUMN_NAME"),
    ("create view v as select now() as at", "NOT_SUPPORTED: Unsupported Hive type"),
    ("create view v as select a from nosuch", "TABLE_NOT_FOUND"),
    ("create view v as select 1 as a, 2 as A", "DUPLICATE_COLUMN_NAME"),
    ("optimize nosuch rewrite data using bin_pack", "TABLE_NOT_FOUND"),
    ("insert into nosuch values (1)", "TABLE_NOT_FOUND"),
]


@pytest.mark.documented("ddl-reference", "refused as documented")
@pytest.mark.parametrize(("sql", "error"), REFUSED_DDL, ids=[case[0] for case in REFUSED_DDL])
def test_ddl_is_refused(client: Client, sql: str, error: str) -> None:
    refused(client, sql, f"^{error}")


@pytest.mark.documented("reserved-words", "as documented")
def test_reserved_words_and_comments_in_backticks(client: Client) -> None:
    json_table(
        client,
        "t",
        "`user` string comment 'who', `timestamp` bigint",
        '{"user": "u", "timestamp": 5}',
        ending="tblproperties ('classification' = 'json')",
    )
    assert client.rows('select "user", "timestamp" from t') == [("u", "5")]
    assert client.rows("describe t")[0] == (f"{'user':<20}\t{'string':<20}\t{'who':<20}",)
    assert client.rows("show columns in t") == [("user",), ("timestamp",)]
    assert client.rows("show tables '*t*'") == [("t",)]


def test_table_is_there_already(client: Client) -> None:
    json_table(client, "t", "a int", '{"a": 1}')
    refused(client, f"create external table t (a int) location '{client.location()}'", "FAILED.*already exists")
    client.execute(f"create external table if not exists t (b int) location '{client.location()}'")
    assert client.rows("show columns in t") == [("a",)]
    refused(client, "drop view t", "TABLE_NOT_FOUND")
    client.execute("drop table t")
    client.execute("drop table if exists t")


def test_text_tables(client: Client) -> None:
    location = client.location()
    client.put(location.removeprefix(f"s3://{client.bucket}/") + "a.csv", 'id,name\n1,"a ""quoted"" name"\n2,\n')
    client.execute(
        f"create external table c (id int, name string) row format serde 'org.apache.hadoop.hive.serde2.OpenCSVSerde' location '{location}' "
        "tblproperties ('skip.header.line.count'='1')"
    )
    assert client.rows("select * from c order by id") == [("1", 'a "quoted" name'), ("2", "")]
    client.execute(
        f"create external table d (id int, name string) row format delimited fields terminated by ',' location '{client.location()}'"
    )
    client.execute("insert into d values (1, 'x'), (2, null)")
    assert client.rows("select * from d order by id") == [("1", "x"), ("2", None)]


# https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html


def projected(client: Client, properties: str, keys: str = "part string", template: str = "part=${part}") -> str:
    location = client.location()
    client.execute(
        f"create external table p (a int) partitioned by ({keys}) {OPENX} location '{location}' tblproperties "
        f"('projection.enabled'='true', 'storage.location.template'='{location}{template}', {properties})"
    )
    return location.removeprefix(f"s3://{client.bucket}/")


@pytest.mark.documented("partition-projection", "as documented")
def test_date_projection_reads_only_what_is_asked_for(client: Client) -> None:
    key = projected(
        client,
        "'projection.part.type'='date', 'projection.part.range'='2018-11-01,NOW', 'projection.part.format'='yyyy-MM-dd'",
    )
    client.put(f"{key}part=2018-11-01/a.json", '{"a": 1}')
    client.put(f"{key}part=2018-11-02/a.json", '{"a": 22}')
    client.put(f"{key}part=2018-10-31/a.json", '{"a": 333}')
    assert client.rows("select a, part from p order by a") == [("1", "2018-11-01"), ("22", "2018-11-02")]
    one = client.execute("select a from p where part = '2018-11-02'")
    assert one["Statistics"]["DataScannedInBytes"] == len('{"a": 22}')


@pytest.mark.documented("partition-projection", "as documented")
def test_enum_and_integer_projection(client: Client) -> None:
    properties = (
        "'projection.kind.type'='enum', 'projection.kind.values'='x,y', 'projection.hour.type'='integer', "
        "'projection.hour.range'='0,23', 'projection.hour.digits'='2'"
    )
    key = projected(client, properties, "kind string, hour int", "${kind}/${hour}/")
    client.put(f"{key}x/07/a.json", '{"a": 1}')
    client.put(f"{key}z/07/a.json", '{"a": 2}')
    assert client.rows("select a, kind, hour from p") == [("1", "x", "7")]


@pytest.mark.documented("partition-projection", "as documented")
def test_injected_projection_needs_a_static_condition(client: Client) -> None:
    key = projected(client, "'projection.part.type'='injected'")
    client.put(f"{key}part=k/a.json", '{"a": 1}')
    assert client.rows("select a from p where part = 'k'") == [("1",)]
    refused(client, "select a from p", "CONSTRAINT_VIOLATION")


@pytest.mark.documented("alter-table-add-partition", "as documented")
def test_partitions_are_added_repaired_and_dropped(client: Client) -> None:
    location = client.location()
    key = location.removeprefix(f"s3://{client.bucket}/")
    client.put(f"{key}day=1/a.json", '{"a": 1}')
    client.put(f"{key}elsewhere/a.json", '{"a": 2}')
    client.execute(f"create external table t (a int) partitioned by (day int) {OPENX} location '{location}'")
    assert client.rows("select * from t") == []
    client.execute("msck repair table t")
    client.execute(f"alter table t add partition (day = '2') location '{location}elsewhere/'")
    assert client.rows("select a, day from t order by a") == [("1", "1"), ("2", "2")]
    assert client.rows("show partitions t") == [("day=1",), ("day=2",)]
    assert client.rows('select * from "t$partitions" order by 1') == [("1",), ("2",)]
    refused(client, "alter table t add partition (day = '1')", "FAILED.*already exists")
    client.execute("alter table t drop partition (day = '1')")
    assert client.rows("select a from t where day > 1") == [("2",)]


# https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html, …/ctas-considerations-limitations.html


def ctas(client: Client, name: str, query: str, properties: str = "") -> str:
    location = client.location()
    client.execute(
        f"create table {name} with (external_location = '{location}', format = 'PARQUET'{properties}) as {query}"
    )
    return location


@pytest.mark.documented("create-table-as", "as documented")
def test_hive_ctas(client: Client) -> None:
    location = ctas(client, "t", "select 1 as a, 'x' as p union all select 2, null", ", partitioned_by = array['p']")
    assert client.rows("select * from t order by a") == [("1", "x"), ("2", None)]
    assert {row[0] for row in client.rows("show partitions t")} == {"p=x", "p=__HIVE_DEFAULT_PARTITION__"}
    refused(
        client,
        f"create table t with (external_location = '{client.location()}') as select 1 as a",
        "TABLE_ALREADY_EXISTS",
    )
    refused(
        client, f"create table u with (external_location = '{location}') as select 1 as a", "HIVE_PATH_ALREADY_EXISTS"
    )
    client.execute("drop table t")
    refused(
        client, f"create table t with (external_location = '{location}') as select 1 as a", "HIVE_PATH_ALREADY_EXISTS"
    )


@pytest.mark.documented("ctas-insert-into", "refused as documented")
def test_more_than_100_partitions(client: Client) -> None:
    query = "select n as a, n as p from unnest(sequence(1, {0})) as t(n)"
    ctas(client, "t", query.format(100), ", partitioned_by = array['p']")
    assert client.rows("select count(*) from t where p <= 50") == [("50",)]
    for properties in (
        "external_location = '{0}', partitioned_by = array['p']",
        "table_type = 'ICEBERG', is_external = false, location = '{0}', partitioning = array['p']",
    ):
        refused(
            client,
            f"create table u with ({properties.format(client.location())}) as {query.format(101)}",
            "TOO_MANY_OPEN_PARTITIONS",
        )
    client.execute(f"insert into t {query.format(100)}")
    refused(client, f"insert into t {query.format(101)}", "HIVE_TOO_MANY_OPEN_PARTITIONS")


REFUSED_CTAS = [
    ("external_location = '{0}'", "select now() as a", "NOT_SUPPORTED: Unsupported Hive type"),
    ("external_location = '{0}'", "select cast(now() as timestamp(6)) as a", "NOT_SUPPORTED: Incorrect timestamp precision"),
    ("external_location = '{0}'", "select null as a", "COLUMN_TYPE_UNKNOWN"),
    ("external_location = '{0}'", "select 1", "MISSING_COLUMN_NAME"),
    ("external_location = '{0}'", "select interval '1' day as a", "NOT_SUPPORTED: Unsupported Hive type"),
    ("external_location = '{0}', partitioned_by = array['a']", "select 1 as a, 2 as b", "HIVE_COLUMN_ORDER_MISMATCH"),
    ("external_location = '{0}', nonsense = 1", "select 1 as a", "INVALID_TABLE_PROPERTY"),
    ("external_location = '{0}', format = 'CSV'", "select 1 as a", "INVALID_TABLE_PROPERTY"),
    ("table_type = 'ICEBERG', is_external = false, location = '{0}'", "select cast(now() as timestamp(3)) as a", "NOT_SUPPORTED: Timestamp precision"),
    ("table_type = 'ICEBERG', is_external = false, location = '{0}'", "select smallint '1' as a", "NOT_SUPPORTED: Type not supported"),
    ("table_type = 'ICEBERG', is_external = false, location = '{0}'", "select now() as a", "NOT_SUPPORTED"),
    ("table_type = 'ICEBERG', is_external = false, external_location = '{0}'", "select 1 as a", "INVALID_TABLE_PROPERTY"),
    ("table_type = 'ICEBERG', is_external = false", "select 1 as a", "INVALID_TABLE_PROPERTY"),
    ("table_type = 'ICEBERG', is_external = false, location = '{0}', partitioning = array['nosuch']", "select 1 as a", "INVALID_TABLE_PROPERTY"),
    ("table_type = 'ICEBERG', is_external = false, location = '{0}', partitioning = array['month(a)']", "select 1 as a", "INVALID_TABLE_PROPERTY"),
    ("external_location = '{0}', partitioned_by = 'b'", "select 1 as a, 2 as b", "INVALID_TABLE_PROPERTY"),
    ("external_location = '{0}', bucketed_by = array['a']", "select 1 as a", "INVALID_TABLE_PROPERTY"),
    ("external_location = '{0}', bucket_count = 2", "select 1 as a", "INVALID_TABLE_PROPERTY"),
    ("external_location = '{0}', bucketed_by = array['nosuch'], bucket_count = 2", "select 1 as a", "INVALID_TABLE_PROPERTY"),
    ("external_location = 's3://nosuch-bucket/x/'", "select 1 as a", "HIVE_FILESYSTEM_ERROR"),
]  # fmt: skip


@pytest.mark.documented("create-table-as", "refused as documented")
@pytest.mark.parametrize(
    ("properties", "query", "error"), REFUSED_CTAS, ids=[f"{case[0]} {case[1]}" for case in REFUSED_CTAS]
)
def test_ctas_is_refused(client: Client, properties: str, query: str, error: str) -> None:
    refused(client, f"create table t with ({properties.format(client.location())}) as {query}", f"^{error}")
    assert client.rows("show tables") == []


def test_partitions_of_null_are_null(client: Client) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog-listing-partitions.html."""
    ctas(client, "t", "select * from (values ('a', 1), ('b', null)) v(a, p)", ", partitioned_by = array['p']")
    assert client.rows('select p from "t$partitions" order by p') == [("1",), (None,)]


@pytest.mark.documented("create-table-as", "as documented")
def test_ctas_without_data(client: Client) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html: WITH [NO] DATA."""
    client.execute(f"create table t with (external_location = '{client.location()}') as select 1 as a with no data")
    client.execute(f"create table u with (external_location = '{client.location()}') as select 1 as a with data")
    assert client.rows("select (select count(*) from t), (select count(*) from u)") == [("0", "1")]


def test_files_are_as_the_properties_say(client: Client) -> None:
    location = ctas(
        client,
        "t",
        "select n as a, n % 2 as p from unnest(sequence(1, 50)) as t(n)",
        ", partitioned_by = array['p'], bucketed_by = array['a'], bucket_count = 3",
    )
    keys = [
        item["Key"]
        for item in client.s3.list_objects_v2(
            Bucket=client.bucket, Prefix=location.removeprefix(f"s3://{client.bucket}/")
        )["Contents"]
    ]
    assert len(keys) == 6
    assert all("/p=" in key for key in keys)
    descriptor = client.glue.get_table(DatabaseName=client.database, Name="t")["Table"]["StorageDescriptor"]
    assert (descriptor["BucketColumns"], descriptor["NumberOfBuckets"]) == (["a"], 3)


# https://docs.aws.amazon.com/athena/latest/ug/insert-into.html


@pytest.mark.documented("insert-into", "as documented")
def test_insert_checks_columns_and_types(client: Client) -> None:
    ctas(client, "t", "select bigint '1' as a, cast('x' as varchar) as b")
    client.execute("insert into t (b) values ('only b')")
    client.execute("insert into t select 2, 'y'")
    assert client.rows("select * from t order by a, b") == [("1", "x"), ("2", "y"), (None, "only b")]
    refused(client, "insert into t values ('1', 'x')", "^TYPE_MISMATCH")
    refused(client, "insert into t values (1)", "^TYPE_MISMATCH")
    refused(client, "insert into t (nosuch) values (1)", "^COLUMN_NOT_FOUND")
    for change in ("update t set a = 1", "delete from t where a = 1"):
        refused(client, change, "^NOT_SUPPORTED: Modifying Hive table rows")


def test_a_row_fits_whatever_its_fields_are_called(client: Client) -> None:
    """https://trino.io/docs/current/language/types.html#row: names are no part of what coerces."""
    ctas(client, "t", "select cast(row(1, 'x') as row(a bigint, b varchar)) as r")
    client.execute("insert into t select row(2, 'y')")
    assert client.rows("select r.a, r.b from t order by 1") == [("1", "x"), ("2", "y")]
    refused(client, "insert into t select row('2', 'y')", "^TYPE_MISMATCH")


def test_varchar_of_a_literal_keeps_its_length(client: Client) -> None:
    ctas(client, "t", "select 'ab' as a")
    assert client.rows("describe t") == [(f"{'a':<20}\t{'varchar(2)':<20}\t{'':<20}",)]
    refused(client, "insert into t values ('abc')", "Cannot truncate")


# https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg.html


def iceberg(client: Client, name: str, query: str, properties: str = "") -> str:
    location = client.location()
    client.execute(
        f"create table {name} with (table_type = 'ICEBERG', is_external = false, location = '{location}', format = 'PARQUET'{properties}) as {query}"
    )
    return location


@pytest.mark.documented("querying-iceberg-updating-iceberg-table-data", "as documented")
def test_iceberg_rows_change(client: Client) -> None:
    iceberg(
        client,
        "t",
        "select 1 as id, 'a' as v, cast(date '2020-01-01' as timestamp(6)) as at union all select 2, 'b', null",
    )
    assert client.rows("select id, at from t order by id") == [("1", "2020-01-01 00:00:00.000000"), ("2", None)]
    client.execute("update t set v = v || '!' where id = 1")
    client.execute("delete from t where id = 2")
    client.execute("insert into t values (3, 'c', null)")
    client.execute(
        "merge into t as target using (values (1, 'x'), (3, 'y'), (4, 'z')) as src(id, v) on (target.id = src.id) "
        "when matched and src.id = 3 then delete when matched then update set v = src.v when not matched then insert (id, v) values (src.id, src.v)"
    )
    assert client.rows("select id, v from t order by id") == [("1", "x"), ("4", "z")]
    refused(client, "update t set id = 'x'", "^TYPE_MISMATCH")
    refused(client, "update t set nosuch = 1", "^COLUMN_NOT_FOUND")
    refused(client, "delete from t where nosuch = 1", "^COLUMN_NOT_FOUND")
    refused(
        client,
        "merge into t using (values (1), (1)) as s(id) on t.id = s.id when matched then delete",
        "^MERGE_TARGET_ROW_MULTIPLE_MATCHES",
    )


# https://docs.aws.amazon.com/athena/latest/ug/update-statement.html, …/delete-statement.html, …/merge-into-statement.html


def test_only_the_target_of_a_merge_has_another_name(client: Client) -> None:
    iceberg(client, "t", "select 1 as a")
    refused(client, "update t x set a = 2", "^SYNTAX_ERROR")
    refused(client, "update t set t.a = 2", "^SYNTAX_ERROR")
    refused(client, "delete from t x where x.a = 1", "^SYNTAX_ERROR")
    refused(
        client,
        "merge into t x using (values 1) s(a) on x.a = s.a when matched then update set x.a = 2",
        "^SYNTAX_ERROR",
    )
    refused(
        client,
        "merge into t x using (values 1) s(a) on x.a = s.a when not matched by source then delete",
        "^SYNTAX_ERROR",
    )
    client.execute("merge into t as x using (values 1) s(a) on x.a = s.a when matched then update set a = s.a + 1")
    assert client.rows("select a from t") == [("2",)]


# https://docs.aws.amazon.com/athena/latest/ug/compression-support-iceberg.html


def codecs(client: Client, location: str) -> set[str]:
    prefix = location.removeprefix(f"s3://{client.bucket}/") + "data/"
    found = set()
    for item in client.s3.list_objects_v2(Bucket=client.bucket, Prefix=prefix)["Contents"]:
        with tempfile.NamedTemporaryFile() as file:
            client.s3.download_fileobj(client.bucket, item["Key"], file)
            file.flush()
            rows = duckdb.execute("select distinct compression from parquet_metadata(?)", [file.name]).fetchall()
            found |= {str(codec) for (codec,) in rows}
    return found


def test_iceberg_keeps_its_compression(client: Client) -> None:
    zstd, gzip_, snappy = client.location(), client.location(), client.location()
    client.execute(f"create table z (a int) location '{zstd}' tblproperties ('table_type' = 'iceberg')")
    client.execute(
        f"create table s (a int) location '{snappy}' tblproperties ('table_type' = 'iceberg', 'write_compression' = 'snappy')"
    )
    properties = f"table_type = 'ICEBERG', is_external = false, location = '{gzip_}', write_compression = 'GZIP'"
    client.execute(f"create table g with ({properties}) as select 1 as a")
    for table in "zsg":
        client.execute(f"insert into {table} values 1, 2")
        client.execute(f"delete from {table} where a = 2")
    assert [codecs(client, place) for place in (zstd, snappy, gzip_)] == [{"ZSTD"}, {"SNAPPY"}, {"GZIP"}]


@pytest.mark.documented("querying-iceberg-creating-tables", "refused as documented")
def test_iceberg_refuses_properties_it_does_not_know(client: Client) -> None:
    iceberg(client, "t", "select 1 as a")
    refused(client, "alter table t set tblproperties ('classification' = 'parquet')", "Unsupported table property key")
    client.execute("alter table t set tblproperties ('vacuum_max_snapshot_age_seconds' = '1')")
    client.execute("insert into t values 2")  # what Athena alone looks at outlives a commit of Trino's
    assert client.rows("show tblproperties t('vacuum_max_snapshot_age_seconds')") == [("1",)]
    refused(client, 'select * from "t$nosuch"', "^TABLE_NOT_FOUND")


def test_iceberg_truncates_numbers_and_texts(client: Client) -> None:
    location = client.location()
    client.execute(
        f"create table t (a int, b string) partitioned by (truncate(10, a), truncate(b, 1)) location '{location}' "
        "tblproperties ('table_type' = 'iceberg')"
    )
    client.execute("insert into t values (1, 'xy'), (9, 'xz'), (11, 'xy'), (-1, null)")
    prefix = location.removeprefix(f"s3://{client.bucket}/") + "data/"
    keys = [item["Key"] for item in client.s3.list_objects_v2(Bucket=client.bucket, Prefix=prefix)["Contents"]]
    assert sorted(key.removeprefix(prefix).rpartition("/")[0] for key in keys) == [
        "a_trunc=-10/b_trunc=null", "a_trunc=0/b_trunc=x", "a_trunc=10/b_trunc=x",
    ]  # fmt: skip
    assert client.rows("select a from t order by a") == [("-1",), ("1",), ("9",), ("11",)]


@pytest.mark.documented("querying-iceberg-evolving-table-schema", "as documented")
def test_iceberg_schema_evolves_by_identity(client: Client) -> None:
    iceberg(client, "t", "select 1 as a, 2 as b")
    client.execute("alter table t add columns (c string)")
    client.execute("alter table t change column b b bigint")
    client.execute("alter table t drop column a")
    client.execute("alter table t add columns (a int)")
    assert client.rows("select * from t") == [("2", None, None)]
    client.execute("alter table t change column c renamed string")
    client.execute("insert into t values (5, 'x', 6)")
    assert client.rows("select renamed, a, b from t order by b") == [(None, None, "2"), ("x", "6", "5")]
    refused(client, "alter table t change column b b string", "FAILED")
    refused(client, "alter table t replace columns (a int)", "FAILED")


@pytest.mark.documented("querying-iceberg-managing-tables", "as documented")
def test_iceberg_ddl_rename_and_drop(client: Client) -> None:
    location = client.location()
    client.execute(
        f"create table t (id int, at timestamp) partitioned by (day(at)) location '{location}' tblproperties ('table_type' = 'iceberg')"
    )
    client.execute("insert into t values (1, timestamp '2020-01-01 00:00:00.000000')")
    client.execute("alter table t rename to renamed")
    assert client.rows("select id from renamed") == [("1",)]
    keys = [
        item["Key"]
        for item in client.s3.list_objects_v2(
            Bucket=client.bucket, Prefix=location.removeprefix(f"s3://{client.bucket}/")
        )["Contents"]
    ]
    assert any("at_day=2020-01-01" in key for key in keys)
    client.execute("optimize renamed rewrite data using bin_pack")
    client.execute("vacuum renamed")
    client.execute("drop table renamed")
    assert (
        client.s3.list_objects_v2(Bucket=client.bucket, Prefix=location.removeprefix(f"s3://{client.bucket}/"))[
            "KeyCount"
        ]
        == 0
    )


@pytest.mark.documented("alter-table-add-columns", "as documented")
def test_hive_columns_are_added_and_replaced(client: Client) -> None:
    ctas(client, "t", "select 1 as a, 2 as b")
    client.execute("alter table t add columns (c string)")
    assert client.rows("select * from t") == [("1", "2", None)]
    client.execute("alter table t replace columns (b int)")
    assert client.rows("select * from t") == [("2",)]
    client.execute("alter table t set tblproperties ('classification' = 'parquet')")
    assert client.rows("show tblproperties t('classification')") == [("parquet",)]
    refused(client, "alter table t drop column b", "FAILED")
    refused(client, "alter table t rename to u", "FAILED")


# https://docs.aws.amazon.com/athena/latest/ug/create-view.html


@pytest.mark.documented("create-view", "as documented")
def test_views(client: Client) -> None:
    ctas(client, "t", "select 1 as a")
    client.execute("create view v as select a, a * 2 as twice from t")
    refused(client, "create view v as select 1 as a", "TABLE_ALREADY_EXISTS")
    refused(client, "create or replace view t as select 1 as a", "TABLE_ALREADY_EXISTS")
    client.execute("create or replace view v as with x as (select * from t) select a + 1 as b from x")
    assert client.rows("select * from v") == [("2",)]
    assert client.rows("show views") == [("v",)]
    # Trino keeps a view as it writes it itself: https://docs.aws.amazon.com/athena/latest/ug/show-create-view.html
    text = " ".join(str(line) for (line,) in client.rows("show create view v")[1:]).lower()
    assert "".join(text.split()) == "withxas(select*fromt)select(a+1)bfromx"
    refused(client, "insert into v values (1)", "NOT_SUPPORTED")
    client.execute("drop table t")
    refused(client, "select * from v", "INVALID_VIEW")
    client.execute("drop view v")


def test_the_comments_of_a_views_columns_stay(client: Client) -> None:
    """As dbt-athena's persist_docs writes them: an update of Glue's table, from what it has read of it."""
    client.execute("create view v as select 1 as a, 'x' as b")
    table = client.glue.get_table(DatabaseName=client.database, Name="v")["Table"]
    columns = table["StorageDescriptor"]["Columns"]
    assert [column["Name"] for column in columns] == ["a", "b"]
    columns[0]["Comment"] = "the first"
    client.glue.update_table(
        DatabaseName=client.database,
        TableInput={
            "Name": "v",
            "TableType": table["TableType"],
            "StorageDescriptor": table["StorageDescriptor"],
            "ViewOriginalText": table["ViewOriginalText"],
            "Parameters": table["Parameters"],
        },
    )
    columns = client.glue.get_table(DatabaseName=client.database, Name="v")["Table"]["StorageDescriptor"]["Columns"]
    assert [column.get("Comment") for column in columns] == ["the first", None]
    assert client.rows("select * from v") == [("1", "x")]
    client.execute("drop view v")


@pytest.mark.documented("create-database", "as documented")
def test_databases_and_information_schema(client: Client) -> None:
    name = f"{client.database}_2"
    client.execute(f"create schema if not exists `{name}`")
    refused(client, f"create database {name}", "FAILED.*already exists")
    client.execute(f"create view {name}.v as select 1 as a, cast('x' as varchar(3)) as b")
    assert client.rows(
        f"select column_name, data_type from information_schema.columns where table_schema = '{name}'"
    ) == [("a", "integer"), ("b", "varchar(3)")]
    assert client.rows(
        f"select table_name, table_type from information_schema.tables where table_schema = '{name}'"
    ) == [("v", "VIEW")]
    refused(client, f"drop database {name}", "FAILED.*not empty")
    client.execute(f"drop schema if exists {name} cascade")
    assert (name,) not in client.rows("show databases")
