"""Privileges on columns.

Source: "Granting column-level permissions for tables" of GRANT (r_GRANT), in the Amazon Redshift Database Developer
Guide.
"""

from collections.abc import Iterator

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

pytestmark = pytest.mark.documented("r_GRANT", "as documented")


@pytest.fixture
def people(connection: Connection) -> Iterator[Connection]:
    run(
        connection,
        "create user reader password 'Reader123'",
        "create group readers",
        "create table t (id int, name varchar(5), secret varchar(5))",
        "insert into t values (1, 'x', 'y')",
        "grant usage on schema case_schema to reader",
    )
    yield connection
    run(connection, "drop table t cascade", "revoke usage on schema case_schema from reader")
    run(connection, "drop group readers", "drop user reader")


def test_who_reads_what(people: Connection, connect: Connect) -> None:
    run(
        people, "grant select (id, name), update (name) on t to reader", "grant select (id) on table t to group readers"
    )
    with connect(user="reader", password="Reader123") as reader:  # noqa: S106 - made for this test
        assert rows(reader, "select id, name from case_schema.t") == [[1, "x"]]
        assert rows(reader, "select count(*), avg(id / 2.0) from case_schema.t")[0][0] == 1
        run(reader, "update case_schema.t set name = 'z' where id = 1")
        for statement in (
            "select secret from case_schema.t",
            "select * from case_schema.t",
            "update case_schema.t set id = 2",
        ):
            with pytest.raises(ProgrammingError, match="permission denied"):
                run(reader, statement)
    query = (
        "select column_name, privilege_type, identity_name, identity_type from svv_column_privileges "
        "where relation_name = 't' order by 1, 2, 3"
    )
    assert rows(people, query) == [
        ["id", "SELECT", "reader", "user"],
        ["id", "SELECT", "readers", "group"],
        ["name", "SELECT", "reader", "user"],
        ["name", "UPDATE", "reader", "user"],
    ]
    run(people, "revoke select (id), update (name) on t from reader", "revoke all (id) on t from group readers")
    assert rows(people, query) == [["name", "SELECT", "reader", "user"]]
    run(people, "revoke select (name) on t from reader")


@pytest.mark.documented("r_GRANT", "refused as documented")
@pytest.mark.parametrize("privilege", ["insert (id)", "delete (id)", "references (id)", "(id)"])
def test_privileges_that_columns_have_not(people: Connection, privilege: str) -> None:
    with pytest.raises(ProgrammingError, match="syntax error"):
        run(people, f"grant {privilege} on t to reader")
