"""COPY of fields with fixed widths.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html#copy-fixedwidth and t_loading_fixed_width_data.html.
"""

# ruff: noqa: E501 - a case is a line

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

VENUES = """\
1  Toyota Park               Bridgeview  IL0
2  Columbus Crew Stadium     Columbus    OH0
5  Gillette Stadium          Foxborough  MA68756
"""


@pytest.mark.documented("t_loading_fixed_width_data", "as documented")
@pytest.mark.parametrize(
    "specification",
    ["0:3,1:26,2:12,3:2,4:6", "venueid:3, venuename:26, venuecity:12, venuestate:2, venueseats:6"],
)
@pytest.mark.parametrize("form", ["fixedwidth '{}'", "fixedwidth as '{}'", "format as fixedwidth '{}'"])
def test_the_labels_mean_nothing(connection: Connection, put: Put, specification: str, form: str) -> None:
    """The page's example, whose widths are one short of its lines."""
    run(
        connection,
        "create table t (id smallint, name varchar(100), city varchar(30), state char(2), seats integer)",
        copy(put("venue_fw.txt", VENUES), f"{form.format(specification)} trimblanks"),
    )
    assert rows(connection, "select * from t order by id") == [
        [1, "Toyota Park", "Bridgeview", "IL", 0],
        [2, "Columbus Crew Stadium", "Columbus", "OH", 0],
        [5, "Gillette Stadium", "Foxborough", "MA", 68756],
    ]


@pytest.mark.documented("copy-parameters-data-conversion", "as documented")
def test_widths_are_of_characters(connection: Connection, put: Put) -> None:
    run(
        connection,
        "create table t (a varchar(6), b int)",
        copy(put("data", "äöü001\nabc002\n"), "fixedwidth 'a:3,b:3'"),
    )
    assert rows(connection, "select * from t order by b") == [["äöü", 1], ["abc", 2]]


@pytest.mark.documented("copy-parameters-data-conversion", "as documented")
@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("a  1\n", "", [["a  ", 1]]),
        ("a  1\n", "trimblanks", [["a", 1]]),
        ("   1\n", "blanksasnull", [[None, 1]]),
        ("\\N 1\n", "", [[None, 1]]),
        ("xx 1\n", "null as 'xx'", [[None, 1]]),
        ("abc \n", "", [["abc", None]]),
        ("abc\n", "fillrecord", [["abc", None]]),
        ("head\nabc7   \n", "ignoreheader 1", [["abc", 7]]),
        ("\nabc7\r\n\n", "ignoreblanklines", [["abc", 7]]),
        ("abcdef\n1  1\n", "maxerror 2", [["1  ", 1]]),
    ],
)
def test_options(connection: Connection, put: Put, content: str, options: str, expected: list[list[object]]) -> None:
    """That a text keeps the blanks behind it, and that a null may have some, is inferred."""
    run(
        connection,
        "create table t (a varchar(3), b int)",
        copy(put("data", content), f"fixedwidth 'a:3,b:2' {options}"),
    )
    assert rows(connection, "select * from t") == expected


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("abc", [1214, "Delimiter not found"]),
        ("abc12x", [1202, "Extra column(s) found"]),
        ("abcx1", [1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"]),
    ],
)
def test_lines_that_do_not_fit(connection: Connection, put: Put, content: str, error: list[object]) -> None:
    """The errors are inferred from those of lines with delimiters."""
    run(connection, "create table t (a varchar(3), b int)")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy(put("data", f"{content}\n"), "fixedwidth 'a:3,b:2'"))
    assert failure.value.args[0]["M"] == FAILED
    assert [line[5:] for line in last_errors(connection)] == [error]


FORMATS = pytest.mark.documented("copy-parameters-data-format", "refused as documented")
CONVERSIONS = pytest.mark.documented("copy-parameters-data-conversion", "refused as documented")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param("fixedwidth 'a:3,b:2' csv", "conflicting or redundant options", marks=FORMATS),
        pytest.param("fixedwidth 'a:3,b:2' delimiter '|'", "FIXEDWIDTH is not compatible with DELIMITER", marks=FORMATS),
        pytest.param("fixedwidth 'a:3,b:2' escape", "FIXEDWIDTH is not compatible with ESCAPE", marks=CONVERSIONS),
        pytest.param("fixedwidth 'a:3,b:2' json 'auto'", "conflicting or redundant options", marks=FORMATS),
        pytest.param("fixedwidth 'a:3'", "1 fixed widths for 2 columns", marks=FORMATS),
        pytest.param("fixedwidth 'a:3,b'", "Invalid fixed width specification", marks=FORMATS),
        pytest.param("fixedwidth 'a:3,b:0'", "Invalid fixed width specification", marks=FORMATS),
        pytest.param("fixedwidth", "syntax error", marks=FORMATS),
        pytest.param("fixedwidth 'a:3,b:2' removequotes", "not emulated", marks=pytest.mark.documented("copy-parameters-data-conversion", "not emulated")),
    ],
)  # fmt: skip
def test_refused(connection: Connection, put: Put, options: str, message: str) -> None:
    """The page's rules; the messages are inferred."""
    run(connection, "create table t (a varchar(3), b int)")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy(put("data", "abc 1\n"), options))
    assert message in failure.value.args[0]["M"]


@pytest.mark.documented("copy-parameters-data-format", "as documented")
def test_a_column_list_says_the_order_of_the_fields(connection: Connection, put: Put) -> None:
    run(connection, "create table t (a varchar(3), b int, c int default 5)")
    run(connection, copy(put("data", "12abc\n"), "fixedwidth '1:2,2:3'", "t (b, a)"))
    assert rows(connection, "select * from t") == [["abc", 12, 5]]
