"""System tables and views: what was run, who there is and what they may, and what is not emulated.

Source: "System tables and views reference" in the Amazon Redshift Database Developer Guide.
"""

# ruff: noqa: E501, S608 - a case is a line, and the names are our own

import pytest

from dbt_local_aws.redshift.functions import NOT_EMULATED_RELATIONS
from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

# The documented columns that are there, of views that are read for their names and types
COLUMNS = {
    "SYS_QUERY_HISTORY": "user_id, query_id, query_label, transaction_id, session_id, database_name, query_type, status, "
    "result_cache_hit, start_time, end_time, elapsed_time, queue_time, execution_time, error_message, returned_rows, "
    "returned_bytes, query_text, redshift_version, usage_limit, compute_type, compile_time, planning_time, lock_wait_time",
    "SYS_QUERY_TEXT": "user_id, query_id, transaction_id, session_id, start_time, sequence, text",
    "r_STL_QUERY": "userid, query, label, xid, pid, database, querytxt, starttime, endtime, aborted, insert_pristine, "
    "concurrency_scaling_status",
    "r_STL_QUERYTEXT": "userid, xid, pid, query, sequence, text",
    "r_SVL_QLOG": "userid, query, xid, pid, starttime, endtime, elapsed, aborted, label, substring, source_query",
    "r_SVL_STATEMENTTEXT": "userid, xid, pid, label, starttime, endtime, sequence, type, text",
    "r_STL_DDLTEXT": "userid, xid, pid, label, starttime, endtime, sequence, text",
    "r_STL_UTILITYTEXT": "userid, xid, pid, label, starttime, endtime, sequence, text",
    "r_SVV_TRANSACTIONS": "txn_owner, txn_db, xid, pid, txn_start, lock_mode, lockable_object_type, relation, granted",
    "r_STV_LOCKS": "table_id, last_commit, last_update, lock_owner, lock_owner_pid, lock_owner_start, lock_status",
    "r_STV_RECENTS": "userid, status, starttime, duration, user_name, db_name, query, pid",
    "r_STV_INFLIGHT": "userid, slice, query, label, xid, pid, starttime, text, suspended, insert_pristine",
    "r_STV_SESSIONS": "starttime, process, user_name, db_name, timeout_sec",
    "SVV_USER_INFO": "user_name, user_id, createdb, superuser, catalog_update, connection_limit, syslog_access, "
    "last_ddl_timestamp, session_timeout, external_user_id",
    "pg_user_info": "usename, usesysid, usecreatedb, usesuper, usecatupd, passwd, valuntil, useconfig",
    "SVV_ROLE_GRANTS": "role_id, role_name, granted_role_id, granted_role_name",
    "SVV_COLUMN_PRIVILEGES": "namespace_name, relation_name, column_name, privilege_type, identity_id, identity_name, "
    "identity_type, admin_option",
    "SVV_SCHEMA_PRIVILEGES": "namespace_name, privilege_type, identity_id, identity_name, identity_type, admin_option",
    "SVV_DATABASE_PRIVILEGES": "database_name, privilege_type, identity_id, identity_name, identity_type, admin_option",
    "SVV_FUNCTION_PRIVILEGES": "namespace_name, function_name, argument_types, privilege_type, identity_id, "
    "identity_name, identity_type, admin_option",
    "SVV_DEFAULT_PRIVILEGES": "schema_name, object_type, owner_id, owner_name, owner_type, privilege_type, grantee_id, "
    "grantee_name, grantee_type, admin_option",
    "SVV_REDSHIFT_DATABASES": "database_name, database_owner, database_type, database_acl, database_options",
    "SVV_REDSHIFT_FUNCTIONS": "database_name, schema_name, function_name, function_type, argument_type, result_type",
}


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.documented(page, "as documented")) for page in COLUMNS]
)
def test_the_columns_of_a_view(shared: Connection, page: str) -> None:
    view = page.lower().removeprefix("r_")
    cursor = run(shared, f"select {COLUMNS[page]} from {view} limit 1")
    assert [field[0] for field in cursor.description] == COLUMNS[page].split(", ")
    run(shared, f"select * from pg_catalog.{view} limit 1")


@pytest.mark.documented("SYS_QUERY_HISTORY", "as documented")
def test_statements_are_written_down(connection: Connection) -> None:
    run(
        connection,
        "/* a comment */ create table written_down (a int)",
        "insert into written_down values (1)",
        "create table as_query as select a from written_down",
        "with w as (select a from written_down) select a from w",
    )
    with pytest.raises(ProgrammingError, match="division by zero"):
        run(connection, "select a / 0 from written_down")
    query = """
        select trim(query_type), trim(status), error_message, trim(database_name), session_id = pg_backend_pid(),
            end_time >= start_time, elapsed_time = execution_time
        from sys_query_history
        where query_text like '%written_down%' and query_text not like '%sys_query_history%' and session_id = pg_backend_pid()
        order by query_id
    """
    assert rows(connection, query) == [
        ["DDL", "success", None, "dev", True, True, True],
        ["INSERT", "success", None, "dev", True, True, True],
        ["CTAS", "success", None, "dev", True, True, True],
        ["SELECT", "success", None, "dev", True, True, True],
        ["SELECT", "failed", "division by zero", "dev", True, True, True],
    ]
    query = "select aborted from stl_query where querytxt like 'select a / 0%' and pid = pg_backend_pid()"
    assert rows(connection, query) == [[1]]


@pytest.mark.documented("SYS_QUERY_HISTORY", "as documented")
def test_a_statement_is_running_while_it_runs(shared: Connection) -> None:
    query = (
        "select trim(status), end_time from sys_query_history where session_id = pg_backend_pid() "
        "order by query_id desc limit 1"
    )
    ((status, ended),) = rows(shared, query)
    assert status in ("running", "success")
    assert (ended is None) == (status == "running")


@pytest.mark.documented("r_STL_QUERYTEXT", "as documented")
def test_long_statements_have_several_rows(shared: Connection) -> None:
    run(shared, "select 'long_statement" + "x" * 500 + "'")
    query = (
        "select t.sequence, len(t.text) from stl_querytext t join stl_query q using (query) "
        "where q.querytxt like 'select \\'long_statement%' and q.pid = pg_backend_pid() order by 1"
    )
    assert rows(shared, query) == [[0, 200], [1, 200], [2, 123]]


@pytest.mark.documented("cm_chap_system-tables", "as documented")
def test_users_see_their_own_statements(connect: Connect, connection: Connection) -> None:
    """Visibility of data in system tables and views: "Superusers can see all rows; regular users can see only their own"."""
    run(connection, "select 'somebody_elses'", "create user watcher password 'Watcher123'")
    try:
        with connect(user="watcher", password="Watcher123") as other:  # noqa: S106 - made for this test
            run(other, "select 'mine'")
            query = "select distinct trim(user_name) from stv_recents"
            assert rows(other, query) == [["watcher"]]
            assert rows(other, "select count(*) from stl_query where querytxt like '%somebody_elses%'") == [[0]]
        query = "select count(*) > 0 from stv_recents where user_name = 'watcher' and query like '%mine%'"
        assert rows(connection, query) == [[True]]
    finally:
        run(connection, "drop user watcher")


@pytest.mark.documented("r_SVL_STATEMENTTEXT", "as documented")
def test_texts_by_their_type(connection: Connection) -> None:
    run(connection, "create table by_type (a int)", "analyze by_type", "select a from by_type")
    query = "select type, text from svl_statementtext where pid = pg_backend_pid() and text like '%by_type' order by starttime"
    assert rows(connection, query) == [["UTILITY", "analyze by_type"], ["QUERY", "select a from by_type"]]
    query = "select count(*) from {} where pid = pg_backend_pid() and text like '%by_type%'"
    assert rows(connection, query.format("stl_ddltext")) == [[1]]
    assert rows(connection, query.format("stl_utilitytext")) == [[1]]


@pytest.mark.documented("r_SVV_TRANSACTIONS", "as documented")
def test_locks(connection: Connection, connect: Connect) -> None:
    run(connection, "create table locked (a int)", "begin", "insert into locked values (1)")
    with connect() as other:
        query = (
            "select distinct txn_owner, txn_db, granted from svv_transactions t join pg_class c on c.oid = t.relation "
            "where c.relname = 'locked'"
        )
        assert rows(other, query) == [["dbt", "dev", True]]
        query = (
            "select trim(lock_status) from stv_locks l join pg_class c on c.oid = l.table_id where c.relname = 'locked'"
        )
        assert ["Holding write lock"] in rows(other, query)
    run(connection, "commit")


@pytest.mark.documented("SVV_DEFAULT_PRIVILEGES", "as documented")
def test_privileges(connection: Connection) -> None:
    run(
        connection,
        "create user grantee password 'Grantee123'",
        "create role chief",
        "create role helper",
        "grant role helper to role chief",
        "grant usage on schema case_schema to grantee",
        "alter default privileges in schema case_schema grant select on tables to grantee",
    )
    try:
        query = "select privilege_type, identity_type from svv_schema_privileges where namespace_name = 'case_schema' and identity_name = 'grantee'"
        assert rows(connection, query) == [["USAGE", "user"]]
        query = "select object_type, privilege_type, grantee_name from svv_default_privileges where schema_name = 'case_schema'"
        assert rows(connection, query) == [["RELATION", "SELECT", "grantee"]]
        query = "select role_name, granted_role_name from svv_role_grants where role_name = 'chief'"
        assert rows(connection, query) == [["chief", "helper"]]
        query = "select superuser, syslog_access from svv_user_info where user_name in ('grantee', 'dbt') order by user_name"
        assert rows(connection, query) == [[True, "UNRESTRICTED"], [False, "RESTRICTED"]]
        assert rows(connection, "select count(*) from svv_user_info where user_name = 'chief'") == [[0]]
    finally:
        run(
            connection,
            "alter default privileges in schema case_schema revoke select on tables from grantee",
            "revoke usage on schema case_schema from grantee",
            "drop user grantee",
            "drop role chief",
            "drop role helper",
        )


@pytest.mark.documented("cm_chap_system-tables", "not emulated")
@pytest.mark.parametrize("name", sorted(NOT_EMULATED_RELATIONS))
def test_what_is_not_emulated_says_so(shared: Connection, name: str) -> None:
    with pytest.raises(ProgrammingError, match=f"{name} is not emulated"):
        run(shared, f"select * from {name}")


@pytest.mark.documented("cm_chap_system-tables", "not emulated")
@pytest.mark.parametrize(
    "query",
    [
        "select * from pg_catalog.stl_wlm_query",
        "SELECT * FROM STL_WLM_QUERY",
        'select * from "stl_wlm_query" as q',
        "select 1 from (select 1) as t join stl_wlm_query using (query)",
        "with q as (select * from stl_wlm_query) select * from q",
        "select 1 where exists (select 1 from stl_wlm_query)",
        "create view case_of_view as select * from stl_wlm_query",
        "create table case_of_table as select * from stl_wlm_query",
    ],
)
def test_wherever_it_stands(shared: Connection, query: str) -> None:
    with pytest.raises(ProgrammingError, match="stl_wlm_query is not emulated"):
        run(shared, query)


@pytest.mark.documented("cm_chap_system-tables", "as documented")
def test_what_is_called_so_and_is_something_else(connection: Connection) -> None:
    run(connection, "create table case_schema.stl_wlm_query (a int)")
    assert rows(connection, "select count(*) from case_schema.stl_wlm_query") == [[0]]
    assert rows(connection, "with stl_wlm_query as (select 1 as a) select a from stl_wlm_query") == [[1]]


def test_none_of_the_missing_is_there(shared: Connection) -> None:
    names = ", ".join(f"'{name}'" for name in NOT_EMULATED_RELATIONS)
    query = f"select relname from pg_class where relname in ({names})"
    assert rows(shared, query) == []
