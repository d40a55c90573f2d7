"""Isolation levels of databases: how they are given, altered and listed.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html, r_ALTER_DATABASE.html and
r_STV_DB_ISOLATION_LEVEL.html have them.

How it would break: a database has another level than it was given; a level is altered where the page says that it is
not, or by whom it is not; another word is taken for a level.
"""

import pytest
from raw_client import wait_until  # type: ignore[import-not-found]

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

LEVEL = "select trim(isolation_level) from stv_db_isolation_level where db_name = '{}'"


@pytest.mark.documented("r_CREATE_DATABASE", "as documented")
@pytest.mark.parametrize(
    ("clause", "level"),
    [
        ("", "Snapshot Isolation"),
        ("isolation level snapshot", "Snapshot Isolation"),
        ("isolation level serializable", "Serializable"),
        ("with isolation level serializable", "Serializable"),
    ],
)
def test_a_database_is_made_with_a_level(connection: Connection, clause: str, level: str) -> None:
    run(connection, f"create database sampledb {clause}")
    assert rows(connection, LEVEL.format("sampledb")) == [[level]]
    listed = "select database_isolation_level from svv_redshift_databases where database_name = 'sampledb'"
    assert rows(connection, listed) == [[level]]
    run(connection, "drop database sampledb")


@pytest.mark.documented("r_STV_DB_ISOLATION_LEVEL", "as documented")
def test_the_levels_are_listed(connection: Connection) -> None:
    run(connection, "create database listed isolation level serializable")
    cursor = run(connection, "select * from stv_db_isolation_level order by 1")
    assert [column[0] for column in cursor.description] == ["db_name", "isolation_level"]
    found = {str(name).strip(): str(level).strip() for name, level in cursor.fetchall()}
    assert found.items() >= {"dev": "Snapshot Isolation", "listed": "Serializable"}.items()
    run(connection, "drop database listed")


@pytest.mark.documented("r_ALTER_DATABASE", "as documented")
def test_a_level_is_altered(connection: Connection) -> None:
    run(connection, "create database sampledb")
    for clause, level in (("serializable", "Serializable"), ("snapshot", "Snapshot Isolation")):
        run(connection, f"alter database sampledb isolation level {clause}")
        assert rows(connection, LEVEL.format("sampledb")) == [[level]]
    run(connection, "drop database sampledb")


@pytest.mark.documented("r_ALTER_DATABASE", "refused as documented")
def test_what_speaks_against_another_level(connection: Connection, connect: Connect) -> None:
    """The page has these conditions, and not the messages."""
    run(connection, "create database sampledb", "create user passerby password 'Passerby1'")
    alter = "alter database sampledb isolation level serializable"
    with pytest.raises(ProgrammingError, match="dev"):
        run(connection, "alter database dev isolation level serializable")
    run(connection, "begin")
    with pytest.raises(ProgrammingError, match="cannot run inside a transaction block"):
        run(connection, alter)
    run(connection, "rollback")
    with connect(database="sampledb"), pytest.raises(ProgrammingError, match="is being accessed by other users"):
        run(connection, alter)
    wait_until(lambda: rows(connection, "select count(*) from stv_sessions where db_name = 'sampledb'") == [[0]])
    with (
        connect(user="passerby", password="Passerby1") as passerby,  # noqa: S106 - of this test alone
        pytest.raises(ProgrammingError, match="permission denied for database"),
    ):
        run(passerby, alter)
    run(connection, alter, "drop database sampledb", "drop user passerby")


@pytest.mark.documented("r_CREATE_DATABASE", "refused as documented")
@pytest.mark.parametrize(
    "statement",
    [
        "create database sampledb isolation level",
        "create database sampledb isolation level repeatable read",
        "create database sampledb isolation level snapshot, serializable",
        "alter database sampledb isolation level read committed",
        "alter database sampledb isolation serializable",
    ],
)
def test_there_are_two_levels(connection: Connection, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="syntax error"):
        run(connection, statement)
