"""Users, groups, roles, and what they are granted.

Sources: GRANT, REVOKE, CREATE USER, CREATE GROUP, CREATE ROLE, SVV_RELATION_PRIVILEGES and HAS_TABLE_PRIVILEGE in the
Amazon Redshift Database Developer Guide.
"""

from collections.abc import Iterator

import pytest

from dbt_local_aws.testing.redshift import Connection, ProgrammingError, rows, run


@pytest.fixture
def people(connection: Connection) -> Iterator[Connection]:
    run(
        connection,
        "create user analyst password 'Analyst123' nocreatedb valid until '2030-01-01'",
        "create group analysts with user analyst",
        "create role reporting",
        "create table t (a int)",
    )
    yield connection
    run(connection, "drop table t", "drop role reporting", "drop group analysts", "drop user analyst")


PRIVILEGES = """
    select identity_type, identity_name, privilege_type, admin_option from svv_relation_privileges
    where relation_name = 't' and identity_name <> current_user order by 1, 2, 3
"""


@pytest.mark.documented("r_SVV_RELATION_PRIVILEGES", "as documented")
def test_grants_to_users_groups_roles_and_everybody(people: Connection) -> None:
    run(
        people,
        "grant select, insert on table t to analyst with grant option",
        "grant select on t to group analysts",
        "grant update, delete on dev.case_schema.t to role reporting",
        "grant references on t to public",
    )
    assert rows(people, PRIVILEGES) == [
        ["group", "analysts", "SELECT", False],
        ["public", "public", "REFERENCES", False],
        ["role", "reporting", "DELETE", False],
        ["role", "reporting", "UPDATE", False],
        ["user", "analyst", "INSERT", True],
        ["user", "analyst", "SELECT", True],
    ]
    run(
        people,
        "revoke all on t from analyst",
        "revoke select on t from group analysts",
        "revoke update on t from role reporting",
        "revoke references on t from public",
    )
    assert rows(people, PRIVILEGES) == [["role", "reporting", "DELETE", False]]
    run(people, "revoke all on all tables in schema case_schema from role reporting")


@pytest.mark.documented("r_SHOW_GRANTS", "as documented")
def test_show_grants(people: Connection) -> None:
    run(people, "grant select on t to group analysts", "grant insert on t to analyst")
    shown = [row[4:8] for row in rows(people, 'show grants on table "dev"."case_schema"."t"') if row[6] != "dbt"]
    assert sorted((row[0], row[2], row[3]) for row in shown) == [
        ("INSERT", "analyst", "user"),
        ("SELECT", "/analysts", "role"),
    ]


@pytest.mark.documented("r_HAS_TABLE_PRIVILEGE", "as documented")
def test_who_may_do_what(people: Connection) -> None:
    run(people, "grant usage on schema case_schema to analyst", "grant select on t to analyst")
    query = """
        select has_table_privilege('analyst', '"dev"."case_schema"."t"', 'select'),
               has_table_privilege('analyst', 't', 'insert'), has_schema_privilege('analyst', 'case_schema', 'usage')
    """
    assert rows(people, query) == [[True, False, True]]
    run(people, "grant insert on t to group analysts")
    assert rows(people, "select has_table_privilege('analyst', 't', 'insert')") == [[True]]
    run(people, "revoke usage on schema case_schema from analyst")


@pytest.mark.documented("r_CREATE_GROUP", "as documented")
def test_membership(people: Connection) -> None:
    run(people, "grant role reporting to analyst", "alter group analysts drop user analyst")
    assert rows(people, "select user_name, role_name from svv_user_grants") == [["analyst", "reporting"]]
    assert rows(people, "select groname from pg_group") == [["analysts"]]
    assert rows(people, "select role_name from svv_roles") == [["reporting"]]
    assert ["analyst"] in rows(people, "select usename from pg_user where not usesuper")
    assert ["analysts"] not in rows(people, "select usename from pg_user")
    run(people, "revoke role reporting from analyst", "alter group analysts add user analyst")


def test_a_user_that_is_not_there(people: Connection) -> None:
    with pytest.raises(ProgrammingError, match='user "nobody_here" does not exist'):
        run(people, "grant select on t to nobody_here")
