"""What Redshift's pages do not have in a statement that is no query is refused, page by page."""

# ruff: noqa: E501 - a case is a line

import pytest

from dbt_local_aws.testing.redshift import Connection, ProgrammingError, run

SYNTAX = "syntax error"

# by page: what is refused with a part of the message
REFUSED: dict[str, list[tuple[str, str]]] = {
    "r_INSERT_30": [
        ("insert into t (a) overriding user value values (1)", SYNTAX),
        ("insert into t default values returning a", SYNTAX),
        ("insert into t values (1, 'a') on conflict (a) do update set b = 'x'", SYNTAX),
        ("insert into t (a[1]) values (1)", SYNTAX),
        ("insert into t values (1, 'a'), ((select 2), 'b')", "a subquery in an INSERT of several rows"),
        ("insert t values (1, 'a')", SYNTAX),
        ("insert into t x values (1, 'a')", SYNTAX),
    ],
    "materialized-view-create-sql-command": [
        ("create materialized view made as select relname from pg_class", "of a system table"),
        ("create materialized view made as select schema_name from svv_all_schemas", "of a system table"),
        ("create materialized view made as select current_schema() as a", "a function of the leader node"),
        ("create materialized view made as select plus_one(a) as a from t", "a user-defined function"),
        ("create materialized view made auto refresh yes as select a, getdate() as d from t", "a mutable function"),
        ("create materialized view made auto refresh yes as select a, sysdate as d from t", "a mutable function"),
    ],
    "r_UPDATE": [
        ("update t set t.a = 1", SYNTAX),
        ("update t set a = 1 where current of c", SYNTAX),
        ("update t set a = 1 from s where t.a = s.a returning t.a", SYNTAX),
        ("update t set a = row(1)", "does not exist"),
        ("update t set (a) = (select 1)", SYNTAX),
    ],
    "r_DELETE": [
        ("delete from t where current of c", SYNTAX),
        ("delete from t using s where t.a = s.a returning *", SYNTAX),
        ("delete from t order by a limit 1", SYNTAX),
    ],
    "r_MERGE": [
        ("merge into t using s on t.a = s.a when matched then delete", SYNTAX),
        ("merge into t using s on t.a = s.a when not matched then insert values (1, 'x')", SYNTAX),
        (
            "merge into t using s on t.a = s.a when not matched then insert values (1, 'x') when matched then delete",
            SYNTAX,
        ),
        (
            "merge into t using s on t.a = s.a when matched then delete when not matched then insert default values",
            SYNTAX,
        ),
        (
            "merge into t using s on t.a = s.a when matched then delete when not matched then insert values (1, 'x') returning t.a",
            SYNTAX,
        ),
        (
            "merge into t using s on t.a = s.a when matched then delete when matched then delete when not matched then insert values (1, 'x')",
            SYNTAX,
        ),
        (
            "merge into only t using s on t.a = s.a when matched then delete when not matched then insert values (1, 'x')",
            SYNTAX,
        ),
    ],
    "r_CREATE_TABLE_NEW": [
        ("create table made (like t) distkey (a)", "beside LIKE"),
        ("create table made (like t) sortkey (a)", "beside LIKE"),
        ("create table made (like t) backup no", "beside LIKE"),
        ("create table made (like t) diststyle all", "beside LIKE"),
        ("create table made (like t including all)", SYNTAX),
        ("create table made (a int default (select 1))", "subquery"),
        ("create table made (a int, b int default a)", "column reference"),
        ("create table made (a varchar(40) default gen_random_uuid())", "gen_random_uuid() does not exist"),
        ("create table made (a bigint default nextval('q'))", "nextval() does not exist"),
        ("create table made (a int default plus_one(1))", "plus_one() does not exist"),
        ("create table made (a int default sum(1))", "aggregate"),
        ("alter table t add column c timestamp default clock_timestamp()", "clock_timestamp() does not exist"),
        ("create table made (a int generated always as identity)", SYNTAX),
        ("create table made (a int unique nulls not distinct)", SYNTAX),
        ("create table made (a int primary key deferrable)", SYNTAX),
        ("create table made (a int references t (a) on delete cascade)", SYNTAX),
        ("create table made (a int storage plain)", SYNTAX),
        ("create table made (a int) tablespace pg_default", SYNTAX),
        ("create table made (a int) inherits (t)", SYNTAX),
        ("create table made (a int) on commit drop", SYNTAX),
        ("create table made (a int) using heap", SYNTAX),
        ("create global temporary table made (a int)", SYNTAX),
        ("create foreign table made (a int) server s", SYNTAX),
    ],
    "r_CREATE_TABLE_AS": [
        ("create table made as execute q", SYNTAX),
        ("create table made using heap as select 1 as a", SYNTAX),
        ("create table made as values (1)", SYNTAX),
        ("create table made with (fillfactor = 10) as select 1 as a", SYNTAX),
    ],
    "r_CREATE_VIEW": [
        ("create recursive view made (n) as select 1", SYNTAX),
        ("create view made as select a from t with local check option", SYNTAX),
        ("create or replace temporary view made as select 1 as a", SYNTAX),
        ("create view if not exists made as select 1 as a", SYNTAX),
        ("create view made as values (1)", SYNTAX),
    ],
    "r_DROP_FUNCTION": [
        ("drop function plus_one", SYNTAX),
        ("drop function if exists plus_one(int)", SYNTAX),
        ("drop function plus_one(int), plus_one(bigint)", SYNTAX),
    ],
    "r_DROP_PROCEDURE": [("drop procedure nothing", SYNTAX), ("drop procedure nothing() cascade", SYNTAX)],
    "r_DROP_TABLE": [("drop table t, s cascade restrict", SYNTAX), ("drop table if not exists t", SYNTAX)],
    "r_DROP_SCHEMA": [("drop schema nowhere force", SYNTAX)],
    "r_DROP_DATABASE": [("drop database if exists nowhere", SYNTAX), ("drop database nowhere with (force)", SYNTAX)],
    "r_COMMENT": [
        ("comment on function plus_one(int) is 'x'", SYNTAX),
        ("comment on schema public is 'x'", SYNTAX),
        ("comment on table t is 'x' || 'y'", SYNTAX),
    ],
    "r_EXPLAIN": [
        ("explain analyze select 1", SYNTAX),
        ("explain (format json) select 1", SYNTAX),
        ("explain verbose analyze select 1", SYNTAX),
    ],
    "r_PREPARE": [("prepare q as values (1)", SYNTAX), ("prepare q (uuid) as select $1", SYNTAX)],
    "r_ANALYZE": [("analyze (verbose) t", SYNTAX), ("analyze t, s", SYNTAX)],
    "r_VACUUM_command": [
        ("vacuum (full) t", SYNTAX),
        ("vacuum full verbose t", SYNTAX),
        ("vacuum sort t", SYNTAX),
        ("vacuum t (a)", SYNTAX),
    ],
    "r_TRUNCATE": [("truncate only t", SYNTAX), ("truncate t restart identity", SYNTAX), ("truncate t, s", SYNTAX)],
    "r_SET": [
        ("set search_path = a, b from current", SYNTAX),
        ("set transaction isolation level serializable", SYNTAX),
        ("set constraints all deferred", SYNTAX),
        ("set xml option document", SYNTAX),
        ("set names 'utf8'", SYNTAX),
    ],
    "r_GRANT": [
        ("grant select on t to public granted by dbt", SYNTAX),
        ("grant select on t to public with grant option", SYNTAX),
        ("grant select on all sequences in schema grammar to public", SYNTAX),
        ("grant execute on routine plus_one(int) to public", SYNTAX),
        ("grant all on foreign server x to public", SYNTAX),
        ("grant select on t to current_user", SYNTAX),
        ("grant usage on type x to public", SYNTAX),
        ("grant role x to dbt with inherit option", SYNTAX),
    ],
    "r_REVOKE": [
        ("revoke select on t from public granted by dbt", SYNTAX),
        ("revoke select on t to public", SYNTAX),
        ("revoke admin option for x from dbt", SYNTAX),
    ],
    "r_ALTER_DEFAULT_PRIVILEGES": [
        ("alter default privileges for role dbt grant select on tables to public", SYNTAX),
        ("alter default privileges grant usage on sequences to public", SYNTAX),
        ("alter default privileges grant usage on schemas to public", SYNTAX),
        ("alter default privileges grant all on routines to public", SYNTAX),
    ],
    "r_CREATE_GROUP": [
        ("create group g createdb", SYNTAX),
        ("create group g sysid 5", SYNTAX),
        ("create group g role dbt", SYNTAX),
    ],
    "r_LOCK": [("lock only t", SYNTAX), ("lock t nowait", SYNTAX)],
    "declare": [
        ("declare c binary cursor for select 1", SYNTAX),
        ("declare c cursor for select 1 for update", SYNTAX),
    ],
    "fetch": [("fetch 5 from c", SYNTAX), ("fetch next c", SYNTAX), ("fetch forward 5 in c", SYNTAX)],
    "r_ALTER_TABLE": [
        ("alter table t rename constraint a to b", SYNTAX),
        ("alter table only t rename to u", SYNTAX),
        ("alter table t owner to current_user", SYNTAX),
    ],
    "r_ALTER_SCHEMA": [("alter schema public rename to a.b.c, d", SYNTAX)],
    "r_CREATE_FUNCTION": [
        (
            "create function f (varchar) returns varchar stable as $$ select string_agg($1, ',') $$ language sql",
            "string_agg() does not exist",
        ),
        (
            "create function f (int) returns int stable as $$ select $1 is distinct from 2 $$ language sql",
            "IS DISTINCT FROM",
        ),
        (
            "create function f (int) returns int stable as $$ select greatest($1, 2) union select 3 $$ language sql",
            "UNION in a scalar",
        ),
        ("create function f (varchar) returns boolean stable as $$ select $1 is json $$ language sql", SYNTAX),
        ("create function f (int) returns int stable as $$ select 1; select 2 $$ language sql", SYNTAX),
    ],
    "c_PLpgSQL-statements": [
        ("create procedure f () as $$ begin foreach x in array y loop null; end loop; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin assert 1 = 1; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin return query select 1; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin return next 1; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin execute 'select 1' using 1; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin move next from c; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin raise exception using message = 'x'; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin raise sqlstate '22012'; end $$ language plpgsql", SYNTAX),
        (
            "create procedure f () as $$ declare a int; begin get stacked diagnostics a = message_text; end $$ language plpgsql",
            SYNTAX,
        ),
        (
            "create procedure f () as $$ declare a int; begin for a in 1..10 by 2 loop null; end loop; end $$ language plpgsql",
            SYNTAX,
        ),
        ("create procedure f () as $$ begin do $x$ begin end $x$; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin values (1); end $$ language plpgsql", SYNTAX),
    ],
    "c_PLpgSQL-structure": [
        ("create procedure f () as $$ declare a t.a%type; begin end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ declare a uuid; begin end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ declare c scroll cursor for select 1; begin end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin select 1 into strict x; end $$ language plpgsql", SYNTAX),
    ],
    "stored-procedure-trapping-errors": [
        (
            "create procedure f () as $$ begin null; exception when division_by_zero then null; end $$ language plpgsql",
            SYNTAX,
        ),
        (
            "create procedure f () as $$ begin null; exception when sqlstate '22012' then null; end $$ language plpgsql",
            SYNTAX,
        ),
    ],
    "stored-procedure-constraints": [
        ("create procedure f () as $$ begin vacuum t; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin prepare q as select 1; end $$ language plpgsql", SYNTAX),
        ("create procedure f () as $$ begin savepoint s; end $$ language plpgsql", SYNTAX),
        (
            "create procedure f () as $$ declare a varchar; begin select into a string_agg(b, ',') from t; end $$ language plpgsql",
            "string_agg() does not exist",
        ),
    ],
    "r_CREATE_PROCEDURE": [
        ("create procedure f () language plpgsql cost 5 as $$ begin null; end $$", SYNTAX),
        ("create procedure f () as $$ begin null; end $$ language plpgsql transform for type int", SYNTAX),
    ],
}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        pytest.param(*case, id=f"{page}: {case[0]}", marks=pytest.mark.documented(page, "refused as documented"))
        for page, cases in REFUSED.items()
        for case in cases
    ],
)
def test_refused(grammar: Connection, statement: str, message: str) -> None:
    with pytest.raises(ProgrammingError) as refusal:
        run(grammar, statement)
    assert message in refusal.value.args[0]["M"]
