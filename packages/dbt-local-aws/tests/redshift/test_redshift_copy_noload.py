"""COPY … NOLOAD: the files are read, and nothing is loaded.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html#copy-noload
https://docs.aws.amazon.com/redshift/latest/dg/t_Validating_input_files.html
"""

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

pytestmark = pytest.mark.documented("copy-parameters-data-load", "as documented")


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("1|x\n2|y\n", ""),
        ("1,x\n2,y\n", "csv"),
        ('{"a": 1, "b": "x"}', "json 'auto'"),
        ("1x\n2y\n", "fixedwidth 'a:1,b:1'"),
    ],
)
def test_nothing_is_loaded(connection: Connection, put: Put, content: str, options: str) -> None:
    """That PG_LAST_COPY_COUNT() is 0, and the notice says so, is inferred: no page has what is said."""
    run(connection, "create table t (a int, b varchar(1))", "insert into t values (7, 'z')")
    run(connection, copy(put("data", content), f"{options} noload"))
    assert rows(connection, "select a, b, pg_last_copy_count() from t") == [[7, "z", 0]]


def test_the_errors_are_those_of_a_load(connection: Connection, put: Put) -> None:
    run(connection, "create table t (a int, b varchar(1))")
    url = put("data", "1|x\nz|y\n3|yy\n")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy(url, "noload"))
    assert failure.value.args[0]["M"] == FAILED
    assert [(line, code) for _, _, _, line, _, code, _ in last_errors(connection)] == [(2, 1207)]
    run(connection, copy(url, "noload maxerror 5"))
    assert [(line, code) for _, _, _, line, _, code, _ in last_errors(connection)] == [(2, 1207), (3, 1204)]
    assert rows(connection, "select count(*) from t") == [[0]]


def test_a_file_that_is_not_there_is_an_error(connection: Connection) -> None:
    run(connection, "create table t (a int)")
    with pytest.raises(ProgrammingError) as failure:
        run(connection, copy("s3://lake/nothing/here", "noload"))
    assert "does not exist" in failure.value.args[0]["M"]


def test_who_may_not_load_may_not_check(connection: Connection, put: Put) -> None:
    """Inferred: "Use NOLOAD with the same COPY commands and options you would use to load the data"."""
    run(
        connection,
        "create table t (a int)",
        "create user noload_reader password 'Secret123'",
        "grant usage on schema case_schema to noload_reader",
        "set session authorization noload_reader",
    )
    try:
        with pytest.raises(ProgrammingError) as failure:
            run(connection, copy(put("data", "1\n"), "noload"))
        assert failure.value.args[0]["C"] == "42501"
    finally:
        connection.rollback()
        run(
            connection,
            "set session authorization default",
            "revoke usage on schema case_schema from noload_reader",
            "drop user noload_reader",
        )
