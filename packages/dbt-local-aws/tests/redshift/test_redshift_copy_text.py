"""COPY of text with delimiters and of CSV from S3.

Sources: COPY, "Data format parameters", "Data conversion parameters", "Column mapping options", "COPY examples",
"DATEFORMAT and TIMEFORMAT strings", "Using automatic recognition" in the Amazon Redshift Database Developer Guide.
"""

# ruff: noqa: DTZ001, E501, PLR0913, PLR0917 - timestamps have no zone here, and a case is a line

import bz2
import datetime as dt
import gzip
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pyarrow
import pytest
from copying import (  # type: ignore[import-not-found]  # pytest has this folder on its path
    FAILED,
    Put,
    copy,
    last_errors,
    put,
)

from dbt_local_aws.testing.redshift import Connection, ProgrammingError, rows, run

__all__ = ["put"]

FORMATS = pytest.mark.documented("copy-parameters-data-format", "as documented")
CONVERSIONS = pytest.mark.documented("copy-parameters-data-conversion", "as documented")
EXAMPLES = pytest.mark.documented("r_COPY_command_examples", "as documented")


def marked(mark: pytest.MarkDecorator, cases: Iterable[tuple[Any, ...]]) -> list[Any]:
    return [pytest.param(*case, marks=mark) for case in cases]


# What is loaded: (columns, file, options, rows) ------------------------------------------------------------------------

LOADED = [
    *marked(
        FORMATS,
        [
            ("a int, b varchar(9)", "1|x\n2|y\n", "", [[1, "x"], [2, "y"]]),
            ("a int, b varchar(9)", "1|x\r\n2|y", "", [[1, "x"], [2, "y"]]),
            ("a int, b varchar(9)", "1,x\n", "delimiter ','", [[1, "x"]]),
            ("a int, b varchar(9)", "1\tx\n", "delimiter as '\\t'", [[1, "x"]]),
            ("a int, b varchar(9)", "1\x01x\n", "delimiter '\\001'", [[1, "x"]]),
            ("a int, b varchar(9)", "1|x|\n", "", [[1, "x"]]),
            ("a int, b varchar(9)", '1|"x"\n', "", [[1, '"x"']]),
            ("a int, b varchar(9)", "1,x\n2, y \n", "csv", [[1, "x"], [2, " y "]]),
            ("a int, b varchar(9)", "1,x\n", "format as csv", [[1, "x"]]),
            ("a int, b varchar(9)", "1,x\n", "format csv", [[1, "x"]]),
            ("a int, b varchar(30)", '1,"A ""quoted"" word"\n', "csv", [[1, 'A "quoted" word']]),
            ("a int, b varchar(30)", '1,  "x, y"  \n', "csv", [[1, "x, y"]]),
            ("a int, b varchar(30)", '1,"two\nlines"\n2,"x\r\ny"\n', "csv", [[1, "two\nlines"], [2, "x\r\ny"]]),
            ("a int, b varchar(30)", '1,%a "b"%\n', "csv quote as '%'", [[1, 'a "b"']]),
            ("a int, b varchar(30)", "1,'it''s'\n", "csv quote ''''", [[1, "it's"]]),
            ("a int, b varchar(30)", '1|"x|y"\n', "csv delimiter '|'", [[1, "x|y"]]),
            ("a int, b varchar(30)", '1\t"x\ty"\t\n', "csv delimiter '\\t'", [[1, "x\ty"]]),
            ("a int, b varchar(9)", '"",""\n', "csv", [[None, ""]]),
            ("a int, b varchar(9)", "\ufeff1,é\n", "csv", [[1, "é"]]),
            ("a int, b varchar(9)", "", "csv", []),
        ],
    ),
    *marked(
        EXAMPLES,
        [
            (
                "catid int, catgroup varchar(10), catname varchar(10), catdesc varchar(50)",
                '12,Shows,Musicals,Musical theatre\n13,Shows,Plays,"All ""non-musical"" theatre"\n14,Shows,Opera,"All opera, light, and ""rock"" opera"\n15,Concerts,Classical,"All symphony, concerto, and choir concerts"\n',
                "csv",
                [
                    [12, "Shows", "Musicals", "Musical theatre"],
                    [13, "Shows", "Plays", 'All "non-musical" theatre'],
                    [14, "Shows", "Opera", 'All opera, light, and "rock" opera'],
                    [15, "Concerts", "Classical", "All symphony, concerto, and choir concerts"],
                ],
            ),
            (
                "infoid int, tableinfo varchar(50)",
                "1|public\\|event\\|dwuser\n2|public\\|sales\\|dwuser\n",
                "delimiter '|' escape",
                [[1, "public|event|dwuser"], [2, "public|sales|dwuser"]],
            ),
            (
                "c1 varchar(200), c2 int",
                "<xml start>\\\n<newline characters provide>\\\n</xml>|1000\n<xml>\\\n</xml>|2000\n",
                "escape delimiter as '|'",
                [["<xml start>\n<newline characters provide>\n</xml>", 1000], ["<xml>\n</xml>", 2000]],
            ),
            (
                "c1 timestamp",
                "2009-01-12 14:15:57.119568\n",
                "timeformat 'YYYY-MM-DD HH:MI:SS'",
                [[dt.datetime(2009, 1, 12, 14, 15, 57, 119568)]],
            ),
        ],
    ),
    *marked(
        CONVERSIONS,
        [
            # ESCAPE
            ("a int, b varchar(30)", "2|A\\\\B\\\\C\n3|A\\|B\n", "escape", [[2, "A\\B\\C"], [3, "A|B"]]),
            ("a int, b varchar(60)", "1|The quick\\\nbrown fox\n", "escape", [[1, "The quick\nbrown fox"]]),
            ("a int, b varchar(60)", "4|'A Midsummer Night\\'s Dream'\n", "escape removequotes", [[4, "A Midsummer Night's Dream"]]),
            ("a int, b varchar(9)", "1|\\012\n", "escape", [[1, "012"]]),
            ("a int, b varchar(9)", "1|\\N\n2|x\n", "escape", [[1, None], [2, "x"]]),
            # REMOVEQUOTES
            ("a int, b varchar(50)", '1|"The delimiter is a pipe (|) character"\n', "removequotes", [[1, "The delimiter is a pipe (|) character"]]),
            ("a int, b varchar(50)", "1|'Black'\n2|\"White\"\n3|Blue'\n", "removequotes", [[1, "Black"], [2, "White"], [3, "Blue'"]]),
            ("a int, b varchar(50)", "1|' '\n2|''\n", "removequotes", [[1, " "], [2, ""]]),
            # NULL AS, EMPTYASNULL, BLANKSASNULL
            ("a int, b varchar(9)", "1|\\N\n\\N|x\n", "", [[1, None], [None, "x"]]),
            ("a int, b varchar(9)", "1|NULL\nNULL|x\n", "null as 'NULL'", [[1, None], [None, "x"]]),
            ("a int, b varchar(9)", "1|\\N\n", "null as 'NULL'", [[1, "\\N"]]),
            ("a int, b varchar(9)", "1|\n|x\n", "", [[1, ""], [None, "x"]]),
            ("a int, b varchar(9)", "1|\n", "null as ''", [[1, None]]),
            ("a int, b varchar(9)", "1|\n", "emptyasnull", [[1, None]]),
            ("a int, b varchar(9)", "1|\x00\n", "null as '\\0'", [[1, None]]),
            ("a int, b varchar(9)", "1|\x00\n", "null as '\\000'", [[1, None]]),
            ("a int, b varchar(9)", "1|   \n2|  x\n", "blanksasnull", [[1, None], [2, "  x"]]),
            ("a int, b varchar(9)", "1|   \n", "", [[1, "   "]]),
            # FILLRECORD
            ("a char(6), b char(6), c char(6), d char(6)", "apple,orange\n", "delimiter ',' fillrecord", [["apple ", "orange", None, None]]),
            ("a int, b varchar(9), c int", "1\n", "fillrecord", [[1, "", None]]),
            ("a int, b varchar(9), c int", "1\n", "csv fillrecord emptyasnull", [[1, None, None]]),
            # IGNOREHEADER, IGNOREBLANKLINES
            ("a int, b varchar(9)", "a|b\n1|x\n", "ignoreheader 1", [[1, "x"]]),
            ("a int, b varchar(9)", '"a\nb",c\nsecond\n1,x\n', "csv ignoreheader as 2", [[1, "x"]]),
            ("a int, b varchar(9)", "1|x\n\n2|y\n\n", "ignoreblanklines", [[1, "x"], [2, "y"]]),
            ("a int", "1\n\n2\n", "", [[1], [None], [2]]),
            # ROUNDEC, TRIMBLANKS, TRUNCATECOLUMNS
            ("a decimal(8,2)", "20.259\n-20.259\n", "", [[Decimal("20.25")], [Decimal("-20.25")]]),
            ("a decimal(8,2)", "20.259\n", "roundec", [[Decimal("20.26")]]),
            ("a varchar(9), b char(3)", " x  |y \n", "trimblanks", [[" x", "y  "]]),
            ("a varchar(3)", "abcdef\n", "truncatecolumns", [["abc"]]),
            # ACCEPTANYDATE, DATEFORMAT, TIMEFORMAT
            ("a date, b timestamp", "00/00/00|00/00/00 00:00:00\n", "acceptanydate dateformat 'MM/DD/YY'", [[None, None]]),
            ("a date", "2020-02-30\n2020-02-29\n", "acceptanydate dateformat 'auto'", [[None], [dt.date(2020, 2, 29)]]),
            ("a date", "12-31-2020\n", "dateformat 'MM-DD-YYYY'", [[dt.date(2020, 12, 31)]]),
            ("a date", "12-31-2020 10:11:12\n", "dateformat as 'MM-DD-YYYY HH:MI:SS'", [[dt.date(2020, 12, 31)]]),
            ("a timestamptz", "2020-02-29 01:02:03-08:00\n", "", [[dt.datetime(2020, 2, 29, 9, 2, 3, tzinfo=dt.UTC)]]),
        ],
    ),
    *marked(
        pytest.mark.documented("r_DATEFORMAT_and_TIMEFORMAT_strings", "as documented"),
        [
            ("a date", "Jan-01-1999\n", "dateformat as 'MON-DD-YYYY'", [[dt.date(1999, 1, 1)]]),
            ("a date", "31.01.03\n", "dateformat 'DD.MM.YY'", [[dt.date(2003, 1, 31)]]),
            ("a date", "20030131\n", "dateformat 'YYYYMMDD'", [[dt.date(2003, 1, 31)]]),
            ("a date", "January 31 2003\n", "dateformat 'MON DD YYYY'", [[dt.date(2003, 1, 31)]]),
            ("a timestamp", "03/31/2003 18:45\n", "timeformat 'MM/DD/YYYY HH24:MI'", [[dt.datetime(2003, 3, 31, 18, 45)]]),
            ("a timestamp", "03/31/2003 18:45:01\n", "timeformat 'MM/DD/YYYY HH:MI:SS'", [[dt.datetime(2003, 3, 31, 18, 45, 1)]]),
            ("a timestamp", "03.31.2003 6:45:01 pm\n", "timeformat 'MM.DD.YYYY HH12:MI:SS PM'", [[dt.datetime(2003, 3, 31, 18, 45, 1)]]),
        ],
    ),
    *marked(
        pytest.mark.documented("automatic-recognition", "as documented"),
        [
            ("a timestamp", f"{text}\n", "timeformat 'auto'", [[moment]])
            for text, moment in {
                "2019-02-11T05:09:12.195Z": dt.datetime(2019, 2, 11, 5, 9, 12, 195000),
                "J2451187": dt.datetime(1999, 1, 8),
                "19960108 040809": dt.datetime(1996, 1, 8, 4, 8, 9),
                "960108 040809": dt.datetime(1996, 1, 8, 4, 8, 9),
                "1996.008": dt.datetime(1996, 1, 8),
                "1996-01-08 04:05:06.789": dt.datetime(1996, 1, 8, 4, 5, 6, 789000),
                "17 Dec 07:37:16 1997 PST": dt.datetime(1997, 12, 17, 7, 37, 16),
                "12/17/1997 07:37:16.00 PST": dt.datetime(1997, 12, 17, 7, 37, 16),
                "1997-12-17 07:37:16-08": dt.datetime(1997, 12, 17, 7, 37, 16),
                "12.17.1997 07:37:16.00 PST": dt.datetime(1997, 12, 17, 7, 37, 16),
                "2020-02-29": dt.datetime(2020, 2, 29),
            }.items()
        ]
        + [("a date", "2020-02-29 10:11:12\n", "dateformat 'auto'", [[dt.date(2020, 2, 29)]])],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "content", "options", "expected"), LOADED)
def test_text_is_loaded(
    connection: Connection, put: Put, columns: str, content: str, options: str, expected: list[list[object]]
) -> None:
    run(connection, f"create table t ({columns})", copy(put("data", content), options))
    assert sorted(rows(connection, "select * from t"), key=repr) == sorted(expected, key=repr)


# What is not: (columns, file, options, column, code, message) ----------------------------------------------------------

NOT_LOADED = [
    *marked(
        pytest.mark.documented("r_Load_Error_Reference", "as documented"),
        [
            ("a int, b int", "1|2|3\n", "", None, 1202, "Extra column(s) found"),
            ("a int, b int", "1\n", "", None, 1214, "Delimiter not found"),
            ("a int, b int", "\n", "", None, 1214, "Delimiter not found"),
            ("a int, b int", "1,2,3\n", "csv", None, 1202, "Extra column(s) found"),
            ("a int, b int", "1\n", "csv", None, 1214, "Delimiter not found"),
            ("a int, b varchar(9)", '1,x"y\n', "csv", None, 1214, "Invalid quote formatting for CSV"),
            ("a int, b varchar(9)", "1|'Blue\n", "removequotes", None, 1214, "Delimited value missing end quote"),
            ("a int, b varchar(9)", '1|"Blue\n', "removequotes", None, 1214, "Delimited value missing end quote"),
            ("a int", "x\n", "", "a", 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"),
            ("a varchar(2)", "abc\n", "", "a", 1204, "String length exceeds DDL length"),
            ("a date", "2020-02-30\n", "", "a", 1205, "Invalid Date Format"),
            ("a date", "2020-02-28\n", "dateformat 'MM-DD-YYYY'", "a", 1205, "Invalid Date Format"),
            ("a int, b int not null", "1|\n", "", "b", 1213, "Missing data for not-null field"),
            ("a int, b int not null", "1\n", "fillrecord", "b", 1213, "Missing data for not-null field"),
            ("a date not null", "nothing\n", "acceptanydate dateformat 'auto'", "a", 1213, "Missing data for not-null field"),
        ],
    )
]  # fmt: skip


@pytest.mark.parametrize(("columns", "content", "options", "column", "code", "message"), NOT_LOADED)
def test_text_is_not_loaded(
    connection: Connection,
    put: Put,
    columns: str,
    content: str,
    options: str,
    column: str | None,
    code: int,
    message: str,
) -> None:
    run(connection, f"create table t ({columns})")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy(put("data", content), options))
    assert failure.value.args[0]["M"] == FAILED
    ((name, _, _, line, _, error_code, said),) = last_errors(connection)
    assert (name, line, error_code) == (column, 1, code)
    assert message in str(said)
    assert rows(connection, "select count(*) from t") == [[0]]


# Options that cannot stand together, and files that cannot be read ------------------------------------------------------

REFUSED = [
    *marked(
        pytest.mark.documented("copy-parameters-data-format", "refused as documented"),
        [
            ("csv removequotes", "not compatible"),
            ("csv escape", "not compatible"),
            ("quote '%'", "QUOTE can be used only with the CSV parameter"),
            ("delimiter '||'", "single ASCII character"),
            ("delimiter 'é'", "single ASCII character"),
            ("csv parquet", "conflicting or redundant options"),
            ("csv json 'auto'", "conflicting or redundant options"),
        ],
    ),
    *marked(
        pytest.mark.documented("copy-parameters-data-load", "refused as documented"),
        [("maxerror 2 ignoreallerrors", "not compatible"), ("maxerror 100001", "between 0 and 100000")],
    ),
    *marked(
        pytest.mark.documented("r_DATEFORMAT_and_TIMEFORMAT_strings", "refused as documented"),
        [("timeformat 'YYYY-MM-DD HH:MI:SSOF'", "time zone"), ("dateformat 'YYYY-QQ'", "Invalid date format")],
    ),
    *marked(
        pytest.mark.documented("copy-parameters-file-compression", "refused as documented"),
        [
            ("gzip", "The GZIP file"),
            ("bzip2", "The BZIP2 file"),
            ("zstd", "The ZSTD file"),
            ("gzip zstd", "conflicting or redundant"),
        ],
    ),
    *marked(pytest.mark.documented("copy-parameters-file-compression", "not emulated"), [("lzop", "not emulated")]),
    *marked(
        pytest.mark.documented("copy-parameters-data-format", "not emulated"),
        [("orc", "not emulated"), ("avro 'auto'", "not emulated")],
    ),
    *marked(
        pytest.mark.documented("copy-parameters-data-conversion", "not emulated"),
        [("encoding as utf16", "not emulated")],
    ),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_copy_refuses(connection: Connection, put: Put, options: str, message: str) -> None:
    run(connection, "create table t (a int)")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy(put("data", "1\n"), options))
    assert message in failure.value.args[0]["M"]
    assert rows(connection, "select count(*) from t") == [[0]]


@pytest.mark.documented("copy-parameters-file-compression", "as documented")
@pytest.mark.parametrize("kind", ["gzip", "gzip of several members", "bzip2", "zstd"])
def test_compressed_files(connection: Connection, put: Put, kind: str) -> None:
    content = {
        "gzip": gzip.compress(b"1|x\n2|y\n"),
        "gzip of several members": gzip.compress(b"1|x\n") + gzip.compress(b"2|y\n"),
        "bzip2": bz2.compress(b"1|x\n2|y\n"),
        "zstd": pyarrow.compress(b"1|x\n2|y\n", codec="zstd", asbytes=True),
    }[kind]
    run(connection, "create table t (a int, b varchar(3))", copy(put("data", content), kind.split(" ", maxsplit=1)[0]))
    assert rows(connection, "select * from t order by a") == [[1, "x"], [2, "y"]]


# Columns and identities -------------------------------------------------------------------------------------------------


@pytest.mark.documented("copy-parameters-column-mapping", "as documented")
def test_a_column_list_says_the_order_of_the_fields(connection: Connection, put: Put) -> None:
    run(connection, "create table t (a int, b varchar(9) default 'given', c int)")
    run(connection, copy(put("data", "1,2\n"), "csv", "t (c, a)"))
    assert rows(connection, "select * from t") == [[2, "given", 1]]


IDENTITIES = [
    ("identity(1, 1)", "", "t", "x\ny\n", [[1, "x"], [2, "y"]]),
    ("identity(1, 1)", "explicit_ids", "t", "7|x\n7|y\n", [[7, "x"], [7, "y"]]),
    ("identity(1, 1)", "explicit_ids", "t (b, a)", "x|7\n", [[7, "x"]]),
    ("generated by default as identity(1, 1)", "", "t (a, b)", "7|x\n", [[7, "x"]]),
    ("generated by default as identity(1, 1)", "", "t (b)", "x\n", [[1, "x"]]),
]


@pytest.mark.documented("copy-parameters-column-mapping", "as documented")
@pytest.mark.parametrize(("identity", "options", "target", "content", "expected"), IDENTITIES)
def test_identities(
    connection: Connection,
    put: Put,
    identity: str,
    options: str,
    target: str,
    content: str,
    expected: list[list[object]],
) -> None:
    run(connection, f"create table t (a bigint {identity}, b varchar(9))")
    run(connection, copy(put("data", content), options, target))
    assert rows(connection, "select * from t order by 1, 2") == expected


@pytest.mark.documented("copy-parameters-column-mapping", "refused as documented")
@pytest.mark.parametrize(
    ("options", "target", "message"),
    [
        ("", "t (a, b)", "cannot set an identity column to a value"),
        ("explicit_ids", "t (b)", "EXPLICIT_IDS can be specified only"),
    ],
)
def test_identities_and_explicit_ids_go_together(
    connection: Connection, put: Put, options: str, target: str, message: str
) -> None:
    run(connection, "create table t (a bigint identity(1, 1), b varchar(9))")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy(put("data", "7|x\n"), options, target))
    assert message in failure.value.args[0]["M"]


# Many lines, and their errors -------------------------------------------------------------------------------------------


@pytest.mark.documented("copy-parameters-data-load", "as documented")
def test_ignoreallerrors(connection: Connection, put: Put) -> None:
    url = put("data", "".join(f"{'x' if number % 3 else number}\n" for number in range(99)))
    run(connection, "create table t (a int)", copy(url, "ignoreallerrors"))
    assert rows(connection, "select count(*), pg_last_copy_count() from t") == [[33, 33]]
    assert len(last_errors(connection)) == 66


@pytest.mark.documented("copy-parameters-data-load", "as documented")
def test_maxerror_loads_what_it_can(connection: Connection, put: Put) -> None:
    url = put("data", '1|"x\n2|y|z\nq|w\n3|v\n')
    run(connection, "create table t (a int, b varchar(3))")
    with pytest.raises(ProgrammingError, match="failed"):
        run(connection, copy(url, "removequotes maxerror 3"))
    assert [row[3] for row in last_errors(connection)] == [1, 2, 3]
    run(connection, copy(url, "removequotes maxerror 4"))
    assert rows(connection, "select * from t") == [[3, "v"]]
    history = "select trim(file_format), loaded_rows, error_count from sys_load_history order by query_id desc limit 1"
    assert rows(connection, history) == [["Text", 1, 3]]


@pytest.mark.documented("r_COPY", "as documented")
def test_lines_across_the_pieces_that_are_read(connection: Connection, put: Put) -> None:
    lines = [f'{number},"{"é" * (number % 90)}\n{number}"' for number in range(30_000)]
    url = put("data", gzip.compress("\n".join(lines).encode()))
    run(connection, "create table t (a int, b varchar(400))", copy(url, "csv gzip"))
    query = "select count(*), min(a), max(a), sum(length(b)), sum(octet_length(b)) from t"
    texts = [f"{'é' * (number % 90)}\n{number}" for number in range(30_000)]
    assert rows(connection, query) == [
        [30_000, 0, 29_999, sum(map(len, texts)), sum(len(text.encode()) for text in texts)]
    ]
    run(connection, "truncate t", copy(put("bad", "\n".join([*lines, "x,y"])), "csv maxerror 2"))
    assert last_errors(connection)[0][3] == 60_001
    assert rows(connection, "select count(*) from t") == [[30_000]]


@pytest.mark.documented("r_COPY", "as documented")
def test_a_row_is_at_most_4_megabytes(connection: Connection, put: Put) -> None:
    run(connection, "create table t (a varchar(max))")
    with pytest.raises(ProgrammingError, match="failed"):
        run(connection, copy(put("data", "x" * (4 * 1024 * 1024 + 1)), "truncatecolumns"))
    assert "exceeds the maximum size" in str(last_errors(connection)[0][6])


@pytest.mark.documented("r_COPY", "as documented")
def test_a_quotation_mark_that_is_not_closed_ends_with_the_longest_row(connection: Connection, put: Put) -> None:
    url = put("data", '1,"open\n' + "2,x\n" * 1_100_000)
    run(connection, "create table t (a int, b varchar(9))", copy(url, "csv maxerror 2"))
    ((_, _, _, line, _, code, said),) = last_errors(connection)
    assert (code, "exceeds the maximum size" in str(said)) == (1216, True)
    assert rows(connection, "select count(*) from t") == [[1_100_001 - int(str(line))]]
