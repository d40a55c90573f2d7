"""Nobody else on the machine: a superuser of Redshift's has everything in the database and nothing outside of it.

How it would break: a program runs or a file is read by COPY, by a function, by an extension, by a library; a role or an
attribute of PostgreSQL's is given or taken; another one's identity is put on, or logged in with through IAM; the
endpoint's own functions are called, given away, or made to find other functions and operators than they mean; a view
whose functions run with the rights of whoever counts its rows. And the reverse: what Redshift's superuser may do fails.
"""

# ruff: noqa: E501 - a case is a line

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, Connection, InterfaceError, ProgrammingError, rows, run

pytestmark = [
    # the driver leaves its socket open where it is refused
    pytest.mark.filterwarnings("ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("sockets_closed"),
]

MALLORY = {"user": "mallory", "password": "Mallory12"}
WRITTEN = Path("/tmp/redshift_was_here")  # noqa: S108 - what must not be written

# bodies of procedures, whose statements no translation has looked at
ATTACKS = [
    ("execute 'copy (select 1) to program ''touch /tmp/redshift_was_here'''", "permission denied"),
    ("execute 'copy (select 1) to ''/tmp/redshift_was_here'''", "permission denied"),
    ("execute 'create table x (a varchar)'; execute 'copy x from ''/etc/passwd'''", "permission denied"),
    ("execute 'create table x (a varchar)'; execute 'copy x from program ''id'''", "permission denied"),
    ("execute 'select pg_read_file(''/etc/passwd'')'", "permission denied"),
    ("execute 'select pg_read_binary_file(''/etc/passwd'')'", "permission denied"),
    ("execute 'select pg_ls_dir(''/'')'", "permission denied"),
    ("execute 'select pg_stat_file(''/etc/passwd'')'", "permission denied"),
    ("execute 'select lo_import(''/etc/passwd'')'", "permission denied"),
    ("execute 'select lo_export(lo_from_bytea(0, ''x''), ''/tmp/redshift_was_here'')'", "permission denied"),
    ("execute 'create extension hstore'", "not supported"),
    ("execute 'set role rdsdb'", "permission denied"),
    ("execute 'select set_config(''role'', ''rdsdb'', false)'", "permission denied"),
    ("execute 'set session authorization rdsdb'", "permission denied"),
    ("execute 'alter user rdsdb password ''x'''", "permission denied"),
    ("execute 'alter user rdsdb rename to other'", "permission denied"),
    ("execute 'alter user current_user superuser'", "permission denied"),
    ("execute 'create user pwn superuser'", "permission denied"),
    ("execute 'create user pwn replication'", "permission denied"),
    ("execute 'alter user current_user bypassrls'", "permission denied"),
    ("execute 'grant pg_execute_server_program to ' || current_user", "permission denied"),
    ("execute 'grant pg_read_server_files to ' || current_user", "permission denied"),
    ("execute 'grant rdsdb to ' || current_user", "permission denied"),
    ("execute 'grant rds_superuser to mallory'", "permission denied"),
    ("execute 'drop role rds_superuser'", "permission denied"),
    ("execute 'alter role rds_superuser login password ''abc'''", "permission denied"),
    ("execute 'load ''/tmp/evil.so'''", "not allowed"),
    ("execute 'create function cf() returns int language c as ''/tmp/evil'', ''f'''", "permission denied"),
    ("execute 'create function cf() returns int language internal as ''pg_reload_conf'''", "permission denied"),
    ("execute 'set session_preload_libraries = x'", "permission denied"),
    ("execute 'alter database dev set session_preload_libraries = x'", "permission denied|must be owner"),
    ("execute 'set allow_system_table_mods = on'", "permission denied"),
    ("execute 'set session_replication_role = replica'", "permission denied"),
    ("execute 'update pg_catalog.pg_authid set rolsuper = true'", "permission denied"),
    ("execute 'select rolpassword from pg_catalog.pg_authid'", "permission denied"),
    ("execute 'delete from redshift_internal.table_design'", "permission denied"),
    ("execute 'insert into redshift_internal.late_view values (1, ''x'', ''x'')'", "permission denied"),
    ("execute 'create function redshift_internal.f() returns int language sql as ''select 1'''", "permission denied"),
    ("execute 'create or replace function pg_catalog.f() returns int language sql as ''select 1'''", "permission denied"),
    ("execute 'alter function redshift_internal.note_insert() owner to ' || current_user", "must be owner"),
    ("execute 'create event trigger e on ddl_command_end execute function redshift_internal.note_insert()'", "permission denied"),
    ("execute 'select redshift_internal.change_owner(''pg_proc'', ''redshift_internal.note_insert()''::regprocedure, current_user)'", "must be"),
    ("execute 'create function own() returns int language sql security definer as ''select 1'''; execute 'select redshift_internal.set_owner(''function'', ''own()'', ''rdsdb'')'", "must be"),
    ("execute 'select redshift_internal.set_superuser(''rdsdb'', false)'", "permission denied"),
    ("execute 'select redshift_internal.record_identity(''rdsdb'', ''user'')'", "permission denied"),
    ("execute 'select redshift_internal.settle_types(''pg_catalog.pg_class'')'", "must be owner"),
    ("execute 'select redshift_internal.record_table(''pg_catalog.pg_class'', ''{}'')'", "must be owner"),
    ("execute 'select pg_reload_conf()'", "permission denied"),
    ("execute 'show data_directory'", "permission denied"),
    ("execute 'create server s foreign data wrapper f'", "does not exist|permission denied"),
    ("execute 'alter table pg_catalog.pg_class owner to dbt'", "must be owner"),
]  # fmt: skip


@pytest.fixture(scope="module", params=["superuser", "user"])
def attacker(request: pytest.FixtureRequest, connect: Connect) -> Iterator[Connection]:
    """The endpoint's own user, and one who has a schema."""
    WRITTEN.unlink(missing_ok=True)
    with connect() as admin:
        run(admin, "create user mallory password 'Mallory12'", "create schema lair")
        run(admin, "grant all on schema lair to mallory")
        with connect(**(MALLORY if request.param == "user" else {})) as connection:
            run(connection, "set search_path to lair")
            yield connection
        run(admin, "drop schema lair cascade", "drop user mallory")


@pytest.mark.parametrize(("body", "reason"), ATTACKS)
def test_nobody_leaves_the_database(attacker: Connection, body: str, reason: str) -> None:
    run(attacker, f"create or replace procedure attack() as $$ begin {body}; end; $$ language plpgsql")
    with pytest.raises(ProgrammingError, match=reason):
        run(attacker, "call attack()")
    assert not WRITTEN.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "set role rdsdb",
        "set session authorization rdsdb",
        "set local session authorization 'rdsdb'",
        "alter system set work_mem = '1MB'",
        "create extension hstore",
        "load '/tmp/evil.so'",
        "copy t from '/etc/passwd'",
        "copy t to program 'id'",
        "do $$ begin perform 1; end $$",
        "create tablespace t location '/tmp'",
        "select pg_read_file('/etc/passwd')",
        "grant role rdsdb to mallory",
        "grant role rds_superuser to mallory",
        "alter user rdsdb password 'Aa345678'",
        "alter user rdsdb nocreateuser",
        "drop user rdsdb",
        "alter database template1 owner to mallory",
    ],
)
def test_nor_does_anybody_without_a_procedure(attacker: Connection, statement: str) -> None:
    with pytest.raises(ProgrammingError):
        run(attacker, statement)
    assert rows(attacker, "select current_user") in ([["dbt"]], [["mallory"]])


def test_a_user_makes_no_superuser(connect: Connect) -> None:
    with connect() as admin:
        run(admin, "create user malvolio password 'Mallory12'")
        with connect(**{"user": "malvolio", "password": "Mallory12"}) as malvolio:
            for statement in (
                "alter user malvolio createuser",
                "alter user malvolio createdb",
                "alter user dbt nocreateuser",
                "create user pwn password 'Aa345678' createuser",
                "create group gang with user malvolio",
                "set session authorization dbt",
                "call missing()",
            ):
                with pytest.raises(ProgrammingError):
                    run(malvolio, statement)
            body = "execute 'select redshift_internal.set_superuser(''malvolio'', true)'"
            run(malvolio, "create procedure public.up() as $$ begin " + body + "; end; $$ language plpgsql")
            with pytest.raises(ProgrammingError, match="must be superuser"):
                run(malvolio, "call public.up()")
            run(malvolio, "drop procedure public.up()")
        assert rows(admin, "select usesuper from pg_user where usename = 'malvolio'") == [[False]]
        run(admin, "drop user malvolio")


# What is the caller's is not run with the rights of the server's own user ---------------------------------------------------

SPY = """
    create or replace procedure prepare() as $$
    begin
        execute 'create table seen (who varchar)';
        execute 'grant all on seen to public';
        {body}
    end; $$ language plpgsql
"""
FUNCTION = "create function %s returns %s language plpgsql volatile as ''begin insert into lair.seen values (current_user); return %s; end''"


@pytest.fixture
def spying(attacker: Connection) -> Iterator[Connection]:
    yield attacker
    run(attacker, "drop table seen")


def test_the_functions_of_a_view_are_not_run_by_who_counts_its_rows(spying: Connection) -> None:
    spy = FUNCTION % ("spy()", "text", "''''x''''")
    body = f"execute '{spy}'; execute 'create view trap as select spy() as a';"
    run(spying, SPY.format(body=body), "call prepare()")
    for called in ("row_count(''lair.trap''::regclass)", "settle_types(''trap'')", "record_table(''trap'', ''{}'')"):
        run(
            spying,
            f"create or replace procedure use() as $$ begin begin execute 'select redshift_internal.{called}'; "
            "exception when others then null; end; end; $$ language plpgsql",
            "call use()",
        )
    assert rows(spying, "select who from seen where who = 'rdsdb'") == []
    run(spying, "drop view trap")
    run(spying, "drop procedure prepare()", "drop procedure use()")
    run(spying, "create or replace procedure clear() as $$ begin execute 'drop function spy()'; end; $$ language plpgsql", "call clear()")  # fmt: skip


def test_functions_and_operators_of_a_users_are_not_found(spying: Connection) -> None:
    """Better matches than PostgreSQL's own, which it would take from any place in the search path."""
    better = [
        FUNCTION % ("format(text, regclass)", "text", "''''select 1''''"),
        FUNCTION % ("json_each_text(json)", "text", "''''x''''"),
        FUNCTION % ("octet_length(varchar)", "integer", "1"),
        FUNCTION % ("same(oid, regclass)", "boolean", "true"),
        "create operator = (function = same, leftarg = oid, rightarg = regclass)",
    ]
    body = "".join(f"execute '{statement}';" for statement in better)
    run(spying, SPY.format(body=body), "call prepare()")
    run(spying, "set search_path to lair, pg_catalog")
    run(
        spying,
        "create table looked (a varchar(10) primary key) diststyle all sortkey (a)",
        "create table also (a varchar(10) references looked (a))",
        "create table copied as select 'x'::varchar as a",
        "insert into looked values ('x')",
        "alter table looked alter sortkey none",
        "create or replace view shown as select a from copied",
        "create or replace view shown as select a from copied",
    )
    assert rows(spying, "select who from seen where who = 'rdsdb'") == []
    run(spying, "set search_path to lair")
    run(spying, "drop view shown", "drop table looked", "drop table also", "drop table copied")
    gone = "execute 'drop operator = (oid, regclass)';" + "".join(
        f"execute 'drop function lair.{name}';"
        for name in ("format(text, regclass)", "json_each_text(json)", "octet_length(varchar)", "same(oid, regclass)")
    )
    run(spying, f"create or replace procedure clear() as $$ begin {gone} end; $$ language plpgsql", "call clear()")


def test_every_function_with_other_rights_has_its_own_search_path(shared: Connection) -> None:
    run(
        shared,
        """create or replace procedure public.listed() as $$ begin
            execute 'create table public.loose as
                select p.proname::varchar as name from pg_catalog.pg_proc p
                where p.prosecdef and (p.proconfig is null or not ''search_path=pg_catalog, pg_temp'' = any (p.proconfig))';
        end; $$ language plpgsql""",
        "call public.listed()",
    )
    assert rows(shared, "select name from public.loose") == []
    run(shared, "drop table public.loose", "drop procedure public.listed()")


# Temporary credentials -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["rdsdb", "rds_superuser", "pg_read_all_data"])
@pytest.mark.parametrize("creates", [True, False])
def test_nobody_logs_in_as_postgresqls_own(redshift: LocalRedshift, connect: Connect, user: str, creates: bool) -> None:
    environment = redshift.environment()
    client: Any = boto3.client(
        "redshift",
        endpoint_url=environment["AWS_ENDPOINT_URL_REDSHIFT"],
        region_name="us-west-2",
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    given = client.get_cluster_credentials(DbUser=user, ClusterIdentifier="local", AutoCreate=creates)
    with pytest.raises((InterfaceError, ProgrammingError)):
        connect(user=given["DbUser"], password=given["DbPassword"])


# What Redshift's superuser may do --------------------------------------------------------------------------------------------


@pytest.fixture
def people(connection: Connection) -> Iterator[Connection]:
    run(
        connection,
        "create user owner_one password 'Owner1234'",
        "create user boss password 'Boss12345' createuser",
        "create schema theirs authorization owner_one",
    )
    yield connection
    run(connection, "drop schema if exists theirs cascade", "drop user boss", "drop user owner_one")


@pytest.mark.parametrize("superuser", ["dbt", "boss"])
def test_a_superuser_has_what_others_own(people: Connection, connect: Connect, superuser: str) -> None:
    with connect(user="owner_one", password="Owner1234") as owner:  # noqa: S106 - of this test alone
        run(
            owner,
            "create table theirs.t (a int) diststyle all",
            "insert into theirs.t values (1)",
            "create view theirs.v as select a from theirs.t",
            "create materialized view theirs.m as select a from theirs.t",
            "create procedure theirs.p() as $$ begin null; end; $$ language plpgsql",
        )
    login = {"user": "boss", "password": "Boss12345"} if superuser == "boss" else {}
    with connect(**login) as boss:
        assert rows(boss, "select usesuper from pg_user where usename = current_user") == [[True]]
        assert rows(boss, "select a from theirs.t") == [[1]]
        run(
            boss,
            "insert into theirs.t values (2)",
            "update theirs.t set a = a + 1",
            "delete from theirs.t where a = 2",
            "alter table theirs.t add column b int",
            "alter table theirs.t alter diststyle even",
            "refresh materialized view theirs.m",
            "analyze theirs.t",
            "vacuum theirs.t",
            "vacuum",
            "grant select on theirs.t to public",
            "create table theirs.more (a int)",
            "alter table theirs.more owner to owner_one",
            "alter table theirs.t owner to boss",
            "alter procedure theirs.p() owner to boss",
            "alter schema theirs owner to boss",
            "drop table theirs.more",
            "drop materialized view theirs.m",
            "drop view theirs.v",
            "drop table theirs.t",
            "drop procedure theirs.p()",
            "drop schema theirs",
        )


def test_two_superusers_have_what_the_other_owns(people: Connection, connect: Connect) -> None:
    run(people, "create table case_schema.mine (a int)", "insert into case_schema.mine values (1)")
    with connect(user="boss", password="Boss12345") as boss:  # noqa: S106 - of this test alone
        run(
            boss,
            "create table case_schema.ours (a int)",
            "create database bosses",
            "create user hired password 'Hired1234'",
        )
        assert rows(boss, "select a from case_schema.mine") == [[1]]
        run(boss, "drop table case_schema.mine", "alter user dbt connection limit unlimited")
    run(people, "drop table case_schema.ours", "drop database bosses", "drop user hired")


def test_a_superuser_is_made_and_unmade(people: Connection, connect: Connect) -> None:
    run(people, "create table case_schema.mine (a int)", "alter user boss nocreateuser")
    with connect(user="boss", password="Boss12345") as boss:  # noqa: S106 - of this test alone
        assert rows(boss, "select usesuper from pg_user where usename = 'boss'") == [[False]]
        for statement in (
            "select a from case_schema.mine",
            "create user hired password 'Hired1234'",
            "create database x",
        ):
            with pytest.raises(ProgrammingError, match="permission denied"):
                run(boss, statement)
    run(people, "alter user boss createuser")
    with connect(user="boss", password="Boss12345") as boss:  # noqa: S106 - of this test alone
        assert rows(boss, "select a from case_schema.mine") == []


def test_groups_and_roles_whoever_made_them(people: Connection, connect: Connect) -> None:
    run(people, "create group crew with user owner_one", "create role crew_role", "grant role crew_role to owner_one")
    with connect(user="boss", password="Boss12345") as boss:  # noqa: S106 - of this test alone
        run(
            boss,
            "alter group crew drop user owner_one",
            "alter group crew add user boss",
            "revoke role crew_role from owner_one",
        )
        assert rows(boss, "select count(*) from svv_user_grants") == [[0]]
    run(people, "alter group crew drop user boss", "drop group crew", "drop role crew_role")


@pytest.mark.documented("r_SET_SESSION_AUTHORIZATION", "as documented")
def test_session_authorization(people: Connection) -> None:
    run(people, "create table case_schema.mine (a int)", "set session authorization 'owner_one'")
    assert rows(people, "select current_user") == [["owner_one"]]
    with pytest.raises(ProgrammingError, match="permission denied"):
        run(people, "select a from case_schema.mine")
    run(people, "create table theirs.own (a int) sortkey (a)", "set session authorization default")
    assert rows(people, "select current_user") == [["dbt"]]
    assert rows(people, "select tableowner from pg_tables where tablename = 'own'") == [["owner_one"]]
    run(people, "begin", "set local session authorization owner_one")
    assert rows(people, "select current_user") == [["owner_one"]]
    run(people, "commit")
    assert rows(people, "select current_user") == [["dbt"]]
    with pytest.raises(ProgrammingError, match="does not exist"):
        run(people, "set session authorization missing_user")
