"""UNLOAD to S3, and what it leaves in the system tables.

Sources: UNLOAD, "UNLOAD examples", STL_UNLOAD_LOG and SYS_UNLOAD_HISTORY in the Amazon Redshift Database Developer Guide.
"""

# ruff: noqa: DTZ001, E501, S106, S608 - timestamps have no zone here, and a case is a line

import bz2
import datetime as dt
import gzip
import io
import json
from collections.abc import Callable
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
from mypy_boto3_s3 import S3Client

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

__all__ = ["put"]

ROLE = "iam_role 'arn:aws:iam::0123456789012:role/MyRedshiftRole'"

VENUES = """
create table venue (venueid int, venuename varchar(30), venuecity varchar(30), venuestate varchar(2), venueseats int);
insert into venue values
    (1, 'Pinewood Racetrack', 'Akron', 'OH', 0),
    (2, 'Columbus "Crew" Stadium', 'Columbus', 'OH', 0),
    (4, 'Community, Ballpark, Arena', 'Kansas City', 'KS', 0)
"""

Unload = Callable[..., dict[str, bytes]]


@pytest.fixture
def unload(connection: Connection, put: Put, s3: S3Client) -> Unload:
    """Unloads a query, and gives the files that lie there then by their names."""
    place = put("", "").rstrip("/")
    s3.delete_object(Bucket="lake", Key=place.removeprefix("s3://lake/") + "/")

    def unload_query(query: str, options: str = "", prefix: str = "out/") -> dict[str, bytes]:
        quoted = query.replace("'", "''")
        run(connection, f"unload ('{quoted}') to '{place}/{prefix}' {ROLE} {options}")
        folder = f"{place.removeprefix('s3://lake/')}/"
        listed = s3.list_objects_v2(Bucket="lake", Prefix=folder).get("Contents", [])
        return {
            item["Key"].removeprefix(folder): s3.get_object(Bucket="lake", Key=item["Key"])["Body"].read()
            for item in listed
        }

    return unload_query


@pytest.fixture
def venue(connection: Connection) -> None:
    run(connection, *VENUES.split(";"))


def lines(files: dict[str, bytes]) -> list[str]:
    return sorted(line for content in files.values() for line in content.decode().splitlines())


# The examples of the page -----------------------------------------------------------------------------------------------

EXAMPLES = [
    ("", ["1|Pinewood Racetrack|Akron|OH|0", '2|Columbus "Crew" Stadium|Columbus|OH|0', "4|Community, Ballpark, Arena|Kansas City|KS|0"]),
    ("csv", ["1,Pinewood Racetrack,Akron,OH,0", '2,"Columbus ""Crew"" Stadium",Columbus,OH,0', '4,"Community, Ballpark, Arena",Kansas City,KS,0']),
    ("format as csv delimiter as '|'", ["1|Pinewood Racetrack|Akron|OH|0", '2|"Columbus ""Crew"" Stadium"|Columbus|OH|0', "4|Community, Ballpark, Arena|Kansas City|KS|0"]),
    ("delimiter as '\\t'", ["1\tPinewood Racetrack\tAkron\tOH\t0", '2\tColumbus "Crew" Stadium\tColumbus\tOH\t0', "4\tCommunity, Ballpark, Arena\tKansas City\tKS\t0"]),
    ("json", [
        '{"venueid":1,"venuename":"Pinewood Racetrack","venuecity":"Akron","venuestate":"OH","venueseats":0}',
        '{"venueid":2,"venuename":"Columbus \\"Crew\\" Stadium","venuecity":"Columbus","venuestate":"OH","venueseats":0}',
        '{"venueid":4,"venuename":"Community, Ballpark, Arena","venuecity":"Kansas City","venuestate":"KS","venueseats":0}',
    ]),
]  # fmt: skip


@pytest.mark.documented("r_UNLOAD_command_examples", "as documented")
@pytest.mark.usefixtures("venue")
@pytest.mark.parametrize(("options", "expected"), EXAMPLES)
def test_examples(unload: Unload, options: str, expected: list[str]) -> None:
    files = unload("select * from venue", options)
    assert list(files) == ["out/0000_part_00", "out/0001_part_00"]
    assert lines(files) == expected


@pytest.mark.documented("r_UNLOAD_command_examples", "as documented")
@pytest.mark.usefixtures("venue")
def test_a_header_and_one_file(unload: Unload) -> None:
    files = unload("select * from venue where venuestate = 'OH' order by venueid desc", "header parallel off", "v_")
    assert files == {
        "v_000": b'venueid|venuename|venuecity|venuestate|venueseats\n2|Columbus "Crew" Stadium|Columbus|OH|0\n1|Pinewood Racetrack|Akron|OH|0\n'
    }


@pytest.mark.documented("r_UNLOAD_command_examples", "as documented")
@pytest.mark.usefixtures("venue")
def test_a_manifest_is_what_copy_reads(connection: Connection, unload: Unload, s3: S3Client) -> None:
    files = unload("select * from venue", "manifest", "venue_pipe_")
    assert list(files) == ["venue_pipe_0000_part_00", "venue_pipe_0001_part_00", "venue_pipe_manifest"]
    entries = json.loads(files["venue_pipe_manifest"])["entries"]
    assert [entry["url"].rpartition("/")[2] for entry in entries] == list(files)[:2]
    manifest = entries[0]["url"].removesuffix("0000_part_00") + "manifest"
    run(connection, "create table loadvenue (like venue)", copy(manifest, "manifest", "loadvenue"))
    assert rows(connection, "select * from loadvenue except select * from venue") == []
    assert rows(connection, "select count(*), pg_last_unload_count() from loadvenue") == [[3, 3]]


@pytest.mark.documented("r_UNLOAD_command_examples", "as documented")
@pytest.mark.usefixtures("venue")
def test_a_verbose_manifest(unload: Unload) -> None:
    files = unload("select venueid, venuename, 1.50::decimal(8,2) as price from venue", "header manifest verbose")
    manifest = json.loads(files["out/manifest"])
    contents = [files["out/0000_part_00"], files["out/0001_part_00"]]
    assert [entry["meta"] for entry in manifest["entries"]] == [
        {"content_length": len(content), "record_count": content.count(b"\n")} for content in contents
    ]
    assert manifest["meta"] == {"content_length": sum(map(len, contents)), "record_count": 5}
    assert manifest["schema"] == {
        "elements": [
            {"name": "venueid", "type": {"base": "integer"}},
            {"name": "venuename", "type": {"base": "character varying", "max_length": 30}},
            {"name": "price", "type": {"base": "numeric", "precision": 8, "scale": 2}},
        ]
    }
    assert manifest["author"]["name"] == "Amazon Redshift"


# Values and options -----------------------------------------------------------------------------------------------------

WRITTEN = [
    ("select null::int, ''::varchar, null::varchar", "", "||"),
    ("select null::int, ''::varchar", "null as 'NULL'", "NULL|"),
    ("select true, false, null::boolean", "", "t|f|"),
    ("select date '2020-02-29', timestamp '2020-02-29 01:02:03.5'", "", "2020-02-29|2020-02-29 01:02:03.5"),
    ("select 1.50::decimal(8,2), 0.5::float8, 7::smallint", "", "1.50|0.5|7"),
    ("select 'a|b\\\\\\\\c'::varchar, 1", "escape", "a\\|b\\\\c|1"),
    ("select 'Hello, World'::varchar, 1", "delimiter ',' addquotes", '"Hello, World","1"'),
    ("select 'a\"b'::varchar", "addquotes escape", '"a\\"b"'),
    ("select 'a\"b,c'::varchar, 'd'::varchar", "csv", '"a""b,c",d'),
    ("select json_parse('{\"a\": [1, null]}')", "null as 'x'", '{"a":[1,null]}'),
    ("select true as b, null::int as i, 1.5::decimal(3,1) as n, 'x'::varchar as t", "json", '{"b":"t","i":null,"n":1.5,"t":"x"}'),
    ("select json_parse('{\"a\": [1, null]}') as s, 'é'::varchar as t", "json", '{"s":{"a":[1,null]},"t":"é"}'),
    ("with q as (select 1 as a) select * from q", "", "1"),
    ("select a from (select 1 as a limit 1)", "", "1"),
    ("select 1 -- a comment", "", "1"),
]  # fmt: skip


@pytest.mark.documented("r_UNLOAD", "as documented")
@pytest.mark.parametrize(("query", "options", "expected"), WRITTEN)
def test_values(unload: Unload, query: str, options: str, expected: str) -> None:
    assert unload(query, f"{options} parallel off") == {"out/000": f"{expected}\n".encode()}


@pytest.mark.documented("r_UNLOAD", "as documented")
def test_lines_within_values(unload: Unload) -> None:
    query = "select 'a' || chr(10) || 'b'::varchar as t"
    assert unload(query, "csv header parallel off") == {"out/000": b't\n"a\nb"\n'}
    assert unload(query, "escape parallel off allowoverwrite") == {"out/000": b"a\\\nb\n"}


@pytest.mark.documented("r_UNLOAD", "as documented")
@pytest.mark.parametrize(
    ("options", "name", "read"),
    [
        ("gzip", "000.gz", gzip.decompress),
        ("bzip2", "000.bz2", bz2.decompress),
        ("zstd", "000.zst", lambda content: pyarrow.CompressedInputStream(io.BytesIO(content), "zstd").read()),
        ("extension 'txt'", "000.txt", bytes),
        ("gzip extension 'csv.gz'", "000.csv.gz", gzip.decompress),
    ],
)
def test_compression(unload: Unload, options: str, name: str, read: Callable[[bytes], bytes]) -> None:
    ((found, content),) = unload("select 1 union all select 2 order by 1", f"{options} parallel off").items()
    assert (found, read(content)) == (f"out/{name}", b"1\n2\n")


@pytest.mark.documented("r_UNLOAD", "as documented")
def test_parquet(connection: Connection, unload: Unload) -> None:
    columns = "a smallint, b int, c bigint, d real, e float8, f boolean, g date, h timestamp, i timestamptz, j varchar(9), k char(3), l decimal(10,2), m super"
    run(
        connection,
        f"create table t ({columns})",
        "insert into t values (1, 2, 3, 0.5, 0.1, true, '2020-02-29', '2020-02-29 01:02:03', '2020-02-29 01:02:03+01', 'é', 'ab', 1.5, json_parse('[1]'))",
        "insert into t (a) values (null)",
    )
    files = unload("select * from t order by a", "parquet parallel off manifest")
    file = pyarrow.parquet.ParquetFile(io.BytesIO(files["out/000.parquet"]))
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
    first, second = file.read().to_pylist()
    assert list(first.values()) == [
        1, 2, 3, 0.5, 0.1, True, dt.date(2020, 2, 29), dt.datetime(2020, 2, 29, 1, 2, 3), dt.datetime(2020, 2, 29, 0, 2, 3),
        "é", "ab ", Decimal("1.50"), "[1]",
    ]  # fmt: skip
    assert set(second.values()) == {None}
    (entry,) = json.loads(files["out/manifest"])["entries"]
    assert entry["meta"] == {"content_length": len(files["out/000.parquet"])}
    manifest = entry["url"].removesuffix("000.parquet") + "manifest"
    run(connection, "create table u (like t)", "alter table u drop column m", "alter table u add column m varchar(99)")
    run(connection, copy(manifest, "parquet manifest", "u"))
    assert rows(connection, "select a, l, m from u order by a") == [[1, Decimal("1.50"), "[1]"], [None, None, None]]


@pytest.mark.documented("r_UNLOAD", "as documented")
@pytest.mark.parametrize("include", ["", "include"])
def test_partitions(unload: Unload, include: str) -> None:
    query = "select 1 as a, date '1992-01-02' as d, 'x/y'::varchar as p union all select 2, '1992-01-03', null union all select 3, '1992-01-03', null"
    files = unload(query, f"csv partition by (d, p) {include} parallel off", "lineitem")
    kept = (",1992-01-02,x/y", ",1992-01-03,") if include else ("", "")
    assert {name: sorted(content.decode().split()) for name, content in files.items()} == {
        "lineitem/d=1992-01-02/p=x%2Fy/000": [f"1{kept[0]}"],
        "lineitem/d=1992-01-03/p=__HIVE_DEFAULT_PARTITION__/000": [f"2{kept[1]}", f"3{kept[1]}"],
    }


@pytest.mark.documented("r_UNLOAD", "as documented")
def test_partitions_of_parquet(unload: Unload) -> None:
    files = unload(
        "select 1 as a, 2019 as year, 'September'::varchar as month", "parquet partition by (year, month)", "p/"
    )
    assert list(files) == ["p/year=2019/month=September/0000_part_00.parquet"]


# What lies there already ------------------------------------------------------------------------------------------------


@pytest.mark.documented("r_UNLOAD", "refused as documented")
def test_nothing_is_overwritten(connection: Connection, unload: Unload) -> None:
    unload("select 1", "parallel off")
    with pytest.raises(ProgrammingError, match="destination on S3 is not empty"):
        unload("select 2", "parallel off")
    assert rows(connection, "select 1") == [[1]]
    assert unload("select 3", "parallel off", "other/")["out/000"] == b"1\n"


@pytest.mark.documented("r_UNLOAD", "as documented")
def test_allowoverwrite_and_cleanpath(unload: Unload) -> None:
    unload("select 1", "parallel off")
    assert unload("select 2", "allowoverwrite") == {
        "out/000": b"1\n",
        "out/0000_part_00": b"2\n",
        "out/0001_part_00": b"",
    }
    assert unload("select 3", "cleanpath parallel off") == {"out/000": b"3\n"}


@pytest.mark.documented("r_UNLOAD", "as documented")
def test_cleanpath_of_partitions(unload: Unload) -> None:
    unload("select 1 as a, 1 as p union all select 2, 2", "partition by (p)")
    files = unload("select 3 as a, 2 as p", "partition by (p) cleanpath parallel off")
    (kept,) = (name for name in files if name.startswith("out/p=1/"))
    assert files == {kept: b"1\n", "out/p=2/000": b"3\n"}


# Size -------------------------------------------------------------------------------------------------------------------


@pytest.mark.documented("r_UNLOAD", "as documented")
def test_maxfilesize(unload: Unload) -> None:
    query = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 200) select i, repeat('x', 65000)::varchar(max) from n"
    files = unload(query, "maxfilesize 5 mb parallel off")
    assert list(files) == ["out/000", "out/001", "out/002"]
    assert all(len(content) < 5.5e6 for content in files.values())
    assert sum(content.count(b"\n") for content in files.values()) == 200


# What is refused --------------------------------------------------------------------------------------------------------

REFUSED: dict[tuple[str, str], str] = {
    ("select * from venue limit 10", ""): "Limit clause is not supported",
    ("select top 10 * from venue", ""): "Limit clause is not supported",
    ("select 1; select 2", ""): "takes one SELECT statement",
    ("delete from venue", ""): "takes one SELECT statement",
    ("select * into other from venue", ""): "takes one SELECT statement",
    ("select 1", "cleanpath allowoverwrite"): "not supported",
    ("select 1", "maxfilesize 4 mb"): "between 5 MB and 6.2 GB",
    ("select 1", "maxfilesize 6.3 gb"): "between 5 MB and 6.2 GB",
    ("select 1", "rowgroupsize 32"): "only with PARQUET",
    ("select 1", "parquet rowgroupsize 16 mb"): "between 32 MB and 128 MB",
    ("select 1", "verbose"): "syntax error",
    ("select 1", "csv json"): "conflicting or redundant options",
    ("select 1 as a, 2 as a", "json"): "must be unique",
    ("select 1 as a, 2 as b", "partition by (c)"): "not in the query result",
    ("select 1 as a, 2.5::float8 as b", "partition by (b)"): "unsupported type",
    ("select 1 as a", "partition by (a)"): "At least one column",
    ("select 1 as a", "partition by ('a')"): "syntax error",
    **{("select 1", f"parquet {option}"): "not supported" for option in ("delimiter ','", "addquotes", "escape", "null 'x'", "header", "gzip", "bzip2", "zstd")},
    **{("select 1", f"json {option}"): "not supported" for option in ("delimiter ','", "header", "addquotes", "escape", "null as 'x'")},
}  # fmt: skip
NOT_EMULATED = {
    ("select 1", "fixedwidth as 'a:3'"): "not emulated",
    ("select 1", "encrypted"): "not emulated",
    ("select 1", "kms_key_id 'x' encrypted"): "not emulated",
}


@pytest.mark.usefixtures("venue")
@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        *(
            pytest.param(*case, message, marks=pytest.mark.documented("r_UNLOAD", "refused as documented"))
            for case, message in REFUSED.items()
        ),
        *(
            pytest.param(*case, message, marks=pytest.mark.documented("r_UNLOAD", "not emulated"))
            for case, message in NOT_EMULATED.items()
        ),
    ],
)
def test_refusals(unload: Unload, query: str, options: str, message: str) -> None:
    with pytest.raises(ProgrammingError) as failure:
        unload(query, options)
    assert message in failure.value.args[0]["M"]


@pytest.mark.documented("r_UNLOAD", "refused as documented")
def test_credentials_are_needed(connection: Connection) -> None:
    with pytest.raises(ProgrammingError, match="requires credentials"):
        run(connection, "unload ('select 1') to 's3://lake/x/'")


# Rights, views, transactions, system tables -----------------------------------------------------------------------------


@pytest.mark.documented("r_UNLOAD", "refused as documented")
def test_the_right_to_select_is_needed(connect: Connect, connection: Connection) -> None:
    run(connection, "create table secret (a int)", "create user reader password 'Abcd1234'")
    try:
        with (
            connect(user="reader", password="Abcd1234") as other,
            pytest.raises(ProgrammingError, match="permission denied"),
        ):
            run(other, "unload ('select * from case_schema.secret') to 's3://lake/secret/' iam_role default")
    finally:
        run(connection, "drop user reader")


@pytest.mark.documented("r_UNLOAD", "as documented")
@pytest.mark.usefixtures("venue")
def test_views_of_all_kinds(connection: Connection, unload: Unload) -> None:
    run(
        connection,
        "create view plain as select venueid from venue",
        "create view late as select venueid from case_schema.venue with no schema binding",
        "create materialized view kept as select venueid from venue",
    )
    for name in ("plain", "late", "kept"):
        files = unload(f"select * from {name} order by venueid", "parallel off", f"{name}_")
        assert files[f"{name}_000"] == b"1\n2\n4\n"


@pytest.mark.documented("r_UNLOAD", "as documented")
def test_dollar_quotes_and_transactions(connection: Connection, put: Put) -> None:
    place = put("x", "").removesuffix("x")
    run(connection, "begin", "create table t (a varchar(9))", "insert into t values ('it''s')")
    run(
        connection,
        f"/* a comment */ unload ($$select a from t where a = 'it''s'$$) to '{place}u_' iam_role default -- another",
    )
    run(connection, "rollback", "create table t (a varchar(9))", copy(f"{place}u_", ""))
    assert rows(connection, "select * from t") == [["it's"]]


@pytest.mark.documented("r_STL_UNLOAD_LOG", "as documented")
@pytest.mark.usefixtures("venue")
def test_system_tables(connection: Connection, unload: Unload) -> None:
    files = unload("select * from venue", "gzip", "venue_")
    query = "select substring(path, length(path) - 20), line_count, transfer_size, slice from stl_unload_log where query = pg_last_unload_id() order by path"
    sizes = [len(content) for content in files.values()]
    assert rows(connection, query) == [
        ["venue_0000_part_00.gz", 2, sizes[0], 0],
        ["venue_0001_part_00.gz", 1, sizes[1], 1],
    ]


@pytest.mark.documented("SYS_UNLOAD_HISTORY", "as documented")
@pytest.mark.usefixtures("venue")
def test_history(connection: Connection, unload: Unload) -> None:
    files = unload("select * from venue", "csv header", "venue_")
    query = "select file_format, status, unloaded_rows, unloaded_files_count, unloaded_files_size from sys_unload_history where query_id = pg_last_unload_id()"
    assert rows(connection, query) == [["CSV", "completed", 3, 2, sum(map(len, files.values()))]]
    query = "select count(*), min(file_format) from sys_unload_detail where query_id = pg_last_unload_id()"
    assert rows(connection, query) == [[2, "CSV"]]


@pytest.mark.documented("r_UNLOAD", "as documented")
@pytest.mark.parametrize("options", [("escape", "escape"), ("csv", "csv"), ("json", "json 'auto'"), ("gzip addquotes escape", "gzip removequotes escape"), ("parquet", "parquet")])  # fmt: skip
def test_what_is_unloaded_can_be_loaded(
    connection: Connection, unload: Unload, put: Put, options: tuple[str, str]
) -> None:
    written: Any
    written = [[number, f"a|b,\"c'd\\{number}\n\te"] for number in range(5000)]
    run(connection, "create table t (a int, b varchar(40))", "create table u (a int, b varchar(40))")
    url = put("source", "".join(json.dumps({"a": a, "b": b}) for a, b in written))
    run(connection, copy(url, "json 'auto'"))
    unload("select * from t", options[0])
    run(connection, copy(url.removesuffix("source") + "out/", options[1], "u"))
    assert rows(connection, "select * from u order by a") == written
