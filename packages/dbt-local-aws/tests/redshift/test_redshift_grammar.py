"""What Redshift's pages do not have in a statement is refused, page by page, and what they have is not.

The rules are those of `names/syntax/` and of the modules of `refusals/`.
"""

# ruff: noqa: E501, S608 - a case is a line, and the SQL is our own

from collections.abc import Iterator

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

SYNTAX = "syntax error"
NO_TABLE = "must be applied on at least one user created tables"
CORRELATED = "This type of correlated subquery pattern is not supported"
LEADER_NODE = "not supported on Redshift tables"
GIVEN = "with given as (select 1 as a, 'x' as b union all select 2, 'y')"

# by page: what is refused with a part of the message
REFUSED: dict[str, list[tuple[str, str]]] = {
    # and https://github.com/dbt-labs/dbt-redshift/issues/807: the given rows of a unit test are no table
    "c_SQL_functions_compute_node_only": [
        ("select listagg(a, ',') from (select 1 as a)", NO_TABLE),
        (f"{GIVEN} select listagg(b, ',') within group (order by a) from given", NO_TABLE),
        (f"{GIVEN} select median(a) from given", NO_TABLE),
        (f"{GIVEN} select a, median(a) over (partition by b) from given", NO_TABLE),
        (f"{GIVEN} select percentile_cont(0.5) within group (order by a) from given", NO_TABLE),
        (f"{GIVEN}, again as (select max(a) as a from given) select median(a) from again", NO_TABLE),
        (f"create temporary table made as ({GIVEN} select listagg(b) as b from given)", NO_TABLE),
        (f"create table made as {GIVEN} select listagg(b) as b from given", NO_TABLE),
        (f"create materialized view made as {GIVEN} select listagg(b) as b from given", NO_TABLE),
        (f"insert into t {GIVEN} select 1, listagg(b) from given", NO_TABLE),
        ("select listagg(relname) from pg_class", NO_TABLE),
        ("select LISTAGG /* of */ (relname) from pg_catalog.pg_class", NO_TABLE),
        ("select median(reltuples) from (select * from pg_class) as c", NO_TABLE),
        ("select listagg(1)", NO_TABLE),
        ("select * from late_without_table", NO_TABLE),
    ],
    "r_pg_keywords": [
        ("with top as (select 1 as a) select a from top", SYNTAX),
        ("with a as (select 1 as x), tag as (select 2 as y) select * from tag", SYNTAX),
        ("select a from t as user", SYNTAX),
        ("select a from t luns", SYNTAX),
        ("select datetime, a from (select 1 as datetime, 2 as a) as s", SYNTAX),
        ("select a system from t", SYNTAX),
        ("select a, tag from (select 1 as a) as s", SYNTAX),
        ("select a from (select 1 as a) as new", SYNTAX),
        ("with c (a, raw) as (select 1, 2) select a from c", SYNTAX),
        ("select a from t as x (open)", SYNTAX),
        ("insert into t (a, default) values (1, 'x')", SYNTAX),
        ("update t set system = 1", SYNTAX),
        ("create view made (a, percent) as select 1, 2", SYNTAX),
        ("create table partition (a int)", SYNTAX),
        ("create table made as select a from t as lun", SYNTAX),
        ("alter table t rename column a to tag", SYNTAX),
        ("alter table t rename to offset", SYNTAX),
        ("drop table user", SYNTAX),
        ("create schema user", SYNTAX),
        ("declare open cursor for select 1", SYNTAX),
    ],
    "r_SELECT_synopsis": [
        ("select a from t order by a for read only", SYNTAX),
        ("select a from t limit 1 with ties", SYNTAX),
        ("select a from t fetch first row only", SYNTAX),
        ("select distinct all a from t", SYNTAX),
        ("select a, from t", SYNTAX),
        ("select a from t where a > 1 returning a", SYNTAX),
        ("select row (1, 2)", "row() does not exist"),
        ("select a into strict made from t", SYNTAX),
        ("select a from t group by distinct a", SYNTAX),
        ("select sum(a) over (partition by b order by a range between current row and 1 following) from t", SYNTAX),
        ("select sum(a) over (t rows unbounded preceding) from t", SYNTAX),
    ],
    "r_FROM_clause30": [
        ("select a from t tablesample bernoulli (10) repeatable (1)", SYNTAX),
        ("select a from t * where a > 1", SYNTAX),
        ("select * from rows from (generate_series(1, 2)) as r", ""),
        ("select * from t join s using (a) as j", SYNTAX),
        ("select * from generate_series(1, 2) with ordinality as g", SYNTAX),
        ("select * from json_table('{}', '$' columns (a int)) as j", SYNTAX),
        ("select * from xmltable('/a' passing '<a/>' columns a int) as j", SYNTAX),
        ("select * from (table t) as x", SYNTAX),
        ("select * from t join s", SYNTAX),
    ],
    "r_WITH_clause": [
        ("with v as not materialized (select 1) select * from v", SYNTAX),
        (
            "with recursive v (n) as (select 1 union all select n + 1 from v where n < 3) search depth first by n set o select * from v",
            SYNTAX,
        ),
        (
            "with recursive v (n) as (select 1 union all select n + 1 from v where n < 3) cycle n set c using p select * from v",
            SYNTAX,
        ),
        (
            "with recursive v as (select 1 as n union all select n + 1 from v where n < 3) select * from v",
            "without a list of columns",
        ),
        (
            "with recursive v (n) as ((select 1) union all select n + 1 from v where n < 3 order by 1) select * from v",
            "ORDER in a recursive",
        ),
        (
            "with recursive v (n) as (select 1 union all select n + 1 from v limit 3) select * from v",
            "LIMIT in a recursive",
        ),
        (
            "select * from (with recursive v (n) as (select 1 union all select n + 1 from v where n < 3) select * from v) as s",
            "WITH RECURSIVE in a subquery",
        ),
        (
            "select a from t where a in (with recursive v (n) as (select 1 union all select n + 1 from v where n < 3) select n from v)",
            "WITH RECURSIVE in a subquery",
        ),
        (
            "with recursive v (n) as (select 1 union all select n + 1 from w where n < 3), w (n) as (select n from v) select * from v",
            "",
        ),
    ],
    # its own examples, and others
    "r_correlated_subqueries": [
        (
            "select event.eventname from event where not exists (select * from listing where not exists (select * from sales where event.eventid = sales.eventid))",
            CORRELATED,
        ),
        (
            "select * from category left join event on category.catid = event.catid and eventid = (select max(eventid) from sales where sales.eventid = event.eventid)",
            CORRELATED,
        ),
        (
            "select listid, qtysold from sales s where qtysold not in (select sum(numtickets) over () from listing l where s.listid = l.listid)",
            CORRELATED,
        ),
        (
            "select listing.listid, (select count(sales.listid) from sales where sales.listid = listing.listid) as list from listing group by list, listing.listid",
            CORRELATED,
        ),
        (
            "select listing.listid, (select count(sales.listid) from sales where sales.listid = listing.listid) as list from listing group by 2, 1",
            CORRELATED,
        ),
        (
            "select * from listing where listid in (select sum(qtysold) from sales where listing.numtickets > 4 group by salesid)",
            CORRELATED,
        ),
        (
            "select * from listing l where 1 = (select 1 from (select max(s.salesid) as m from sales s where s.listid = l.listid) as d)",
            CORRELATED,
        ),
        (
            "create view made as select e.eventid from event e where exists (select 1 from listing x where exists (select 1 from sales y where y.eventid = e.eventid))",
            CORRELATED,
        ),
        (
            "create table made as select e.eventid from event e where exists (select 1 from listing x where exists (select 1 from sales y where y.eventid = e.eventid))",
            CORRELATED,
        ),
        (
            "delete from event where exists (select 1 from listing where exists (select 1 from sales where sales.eventid = event.eventid))",
            CORRELATED,
        ),
        (
            "update \"EVENT\" set eventname = 'x' where exists (select 1 from listing where exists (select 1 from sales where sales.eventid = EVENT.eventid))",
            CORRELATED,
        ),
    ],
    "r_UNION": [
        ("select a from t union distinct select a from s", SYNTAX),
        ("select a from t union corresponding select a from s", SYNTAX),
        ("select a from t minus distinct select a from s", SYNTAX),
    ],
    "r_null_condition": [
        ("select a is json from t", SYNTAX),
        ("select b is not json object from t", SYNTAX),
        ("select b is normalized from t", SYNTAX),
        ("select b is nfc normalized from t", SYNTAX),
        ("select b is document from t", SYNTAX),
        ("select a is of (int) from t", SYNTAX),
    ],
    "r_conditions": [
        ("select (date '2020-01-01', date '2020-01-02') overlaps (date '2020-01-01', date '2020-01-03')", SYNTAX),
        ("select a from t where a not between symmetric 3 and 1", SYNTAX),
        ("select a from t where b like 'x' collate \"C\"", "not emulated"),
        ("select a from t where a operator(pg_catalog.+) 1 = 2", SYNTAX),
        ("select a from t where current of c", SYNTAX),
    ],
    "r_OPERATOR_SYMBOLS": [
        ("select a from t where b ^@ 'x'", "operator does not exist"),
        ("select '[1]' <@ '[1]'", "operator does not exist"),
        ("select 'a' && 'b'", "operator does not exist"),
        ("select 1 !~= 2", "operator does not exist"),
        ("select a <=> 1 from t", "operator does not exist"),
        ("select '{}' #> '{a}'", "operator does not exist"),
        ("select v @? '$' from p", "operator does not exist"),
        ("select a := 1 from t", SYNTAX),
    ],
    "c_unsupported-postgresql-datatypes": [
        ("select uuid '6b0a7a9e-7c1f-4a1e-8f2a-111111111111'", 'type "uuid" is not supported'),
        ("select jsonb '{}'", 'type "jsonb" is not supported'),
        ("select inet '127.0.0.1'", 'type "inet" is not supported'),
        ("select money '1'", 'type "money" is not supported'),
        ("select point '(1,2)'", 'type "point" is not supported'),
        ("select bytea 'a'", 'type "bytea" is not supported'),
        ("select int4range '[1,2)'", 'type "int4range" is not supported'),
        ("select xml '<a/>'", 'type "xml" is not supported'),
        ("select tsvector 'a'", 'type "tsvector" is not supported'),
        ("select macaddr '08:00:2b:01:02:03'", 'type "macaddr" is not supported'),
        ("select a, cidr '10.0.0.0/8' from t", 'type "cidr" is not supported'),
        ("select bit '101'", "not supported"),
        ("select '1'::bit(3)", "not supported"),
        ("select cast('1' as money)", "not supported"),
        ("select convert(inet, '127.0.0.1')", "not supported"),
        ("select b::name from t", LEADER_NODE),
        ("select a::oid from t", LEADER_NODE),
        ("select cast('t' as regclass) from t", LEADER_NODE),
        ("select text(true)", SYNTAX),
        ("select text(a) from t", SYNTAX),
        ("select varchar(b) from t", SYNTAX),
        ("select numeric(a) from t", SYNTAX),
        ('select "text"(true)', "text() does not exist"),
        ('select "int4"(1.5)', "int4() does not exist"),
        ("select row(1, 2) from t", "does not exist"),
    ],
    "c_unsupported-postgresql-functions": [
        ("select \"string_agg\"(b, ',') from t", "string_agg() does not exist"),
        ("select pg_catalog.string_agg(b, ',') from t", "string_agg() does not exist"),
        ('select pg_catalog."array_agg"(a) from t', "array_agg() does not exist"),
        ("select date_trunc('day', current_date, 'UTC')", "does not take 3 arguments"),
        ("select random(1, 10)", "does not take 2 arguments"),
        ("select regexp_replace('a', 'a', 'b', 1, 0, 'i')", "does not take 6 arguments"),
        ("select any_value(a having max b) from t", SYNTAX),
        ("select extract(day from a, b) from t", SYNTAX),
        ("select normalize('a', nfc)", "normalize() does not exist"),
        ("select concat(variadic array['a'])", "not supported"),
        ("select round(a => 1)", "operator does not exist: =>"),
        ("select mode() within group (order by a) from t", SYNTAX),
        ("select system_user from t", 'column "system_user" does not exist'),
        ("select interval(3) '1 second'", SYNTAX),
        ("select current_timestamp(0)", SYNTAX),
        ("select timestamp '2020-01-01' at local", SYNTAX),
        ("select system_user", 'column "system_user" does not exist'),
    ],
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
        ("create table made (like t) distkey (a)", SYNTAX),
        ("create table made (like t) sortkey (a)", SYNTAX),
        ("create table made (like t) backup no", SYNTAX),
        ("create table made (like t) diststyle all", SYNTAX),
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


@pytest.fixture(scope="module")
def grammar(connect: Connect) -> Iterator[Connection]:
    connection = connect()
    run(
        connection,
        "create schema grammar",
        "set search_path to grammar",
        "create group grammar_group",
        "create table t (a int, b varchar(10))",
        "create table s (a int, b varchar(10))",
        "create table keyed (a int primary key)",
        "create table p (v super)",
        "create table category (catid int, catname varchar(10))",
        "create table event (eventid int, catid int, eventname varchar(10), timestamp_of timestamp)",
        "create table listing (listid int, eventid int, numtickets int)",
        "create table sales (salesid int, listid int, eventid int, qtysold int, pricepaid decimal(8, 2), salestime timestamp)",
        "create view w as select a, b from t",
        "create view late_without_table as select listagg(a) as a from (select 1 as a) with no schema binding",
        "create view late as select a from grammar.t with no schema binding",
        "create function plus_one (int) returns int immutable as $$ select $1 + 1 $$ language sql",
    )
    yield connection
    run(connection, "drop schema grammar cascade", "drop group grammar_group")
    connection.close()


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


ACCEPTED: dict[str, list[str]] = {
    "c_SQL_functions_compute_node_only": [
        "select listagg(b, ',') within group (order by a) from t",
        f"{GIVEN} select listagg(given.b) from given join t on t.a = given.a",
        f"{GIVEN} select (select median(a) from t), a from given",
        "update s set a = (select median(a)::int from (select 1 as a) as given)",
        "select median(a) from w",
        "select median(a) from grammar.late",
        "select listagg(schema_name) from svv_all_schemas",
        "select listagg(\"table\") from pg_catalog.svv_table_info",
        f"create view of_given as {GIVEN} select b from given",
    ],
    "r_pg_keywords": [
        'with "top" as (select 1 as "tag") select "tag" from "top"',
        "select a as user, b as tag, 1 as offset from t",
        "select x.tag from (select a as tag from t) as x",
        "select a names, b language, 2 zone, min(a) over () start from t",
        "with backup as (select 1 as gzip, 2 as encode) select gzip, wallet.encode from backup as wallet",
        "select start, connect from (select a as start, b as connect from t) as s",
        "select timestamp from (select a as timestamp from t) as s order by timestamp",
        "select oid from pg_class limit 1",
        "select window.a, rows.b from t as window, s as rows",
        "with ordinality as (select 1 as lateral) select lateral from ordinality",
    ],
    "r_SELECT_synopsis": [
        "select top 2 distinct a from t",
        "select all a from t order by a nulls first limit all offset 0",
        "select t.*, grammar.s.* from t, grammar.s",
        "select a, grouping(a), grouping_id(a) from t group by grouping sets ((a), ()), rollup (a), cube (a)",
        "((select a from t) union all (select a from s)) except select 1 order by 1",
        "select count(*), sum(distinct a), count(all b) from t having count(*) > 0",
        "select sum(a) over (order by a rows between 1 preceding and unbounded following) from t",
        "select a from t where (a, b) in (select a, b from s) and not exists (select 1 from s) or a = any (select a from s)",
    ],
    "r_FROM_clause30": [
        "select * from t natural join s",
        "select * from (t join s using (a)) left outer join p on true",
        "select * from t cross join s left join p on v is null",
        "select x.c from (select a, b from t) x (c, d)",
        "select 1 from t a, s b where a.a = b.a",
    ],
    "r_correlated_subqueries": [
        "select salesid, listid, sum(pricepaid) from sales s where qtysold = (select max(numtickets) from listing l where s.listid = l.listid) group by 1, 2 order by 1, 2 limit 5",
        "select * from listing where listid in (select max(qtysold) from sales where listing.numtickets > 4 group by salesid)",
        "select e.eventid, (select count(*) from sales s where s.eventid = e.eventid) as n from event e",
        "select * from category c left join event e on c.catid = e.catid where e.eventid = (select max(s.eventid) from sales s where s.eventid = e.eventid)",
        "select * from category c join event e on c.catid = e.catid and e.eventid = (select max(s.eventid) from sales s where s.eventid = e.eventid)",
        "with a as (select t.a from t where exists (select 1 from s where s.a = t.a)) select a.a from a where exists (select 1 from t where t.a = a.a)",
        "select t.a from t where exists (select 1 from s where s.a = t.a) union all select s.a from s where exists (select 1 from t where t.a = s.a)",
        "delete from event where eventid in (select s.eventid from sales s where s.eventid = event.eventid)",
        "update event set eventname = 'x' where exists (select 1 from sales where sales.eventid = event.eventid)",
    ],
    "r_WITH_clause": [
        "with recursive v (n) as (select 1 union all select n + 1 from v where n < 3) select * from v order by n limit 2",
        "create table recursively as with recursive v (n) as (select 1 union all select n + 1 from v where n < 3) select * from v",
        "create table in_parentheses as (with recursive v (n) as (select 1 union all select n + 1 from v where n < 3) select * from v)",
        "with v as (with w as (select 1 as a) select a from w) select * from v",
        "with v as (select 1 as a) update t set b = 'x' from v where v.a = t.a",
        "with v as (select 1 as a) delete from t where a in (select a from v)",
    ],
    "r_conditions": [
        "select a from t where b not similar to 'x%' escape '#' and b ilike 'X%' and a not between 1 and 2 and a is not null",
        "select a from t where b like 'x\\\\_%' escape '\\\\' or a isnull or b notnull or not (a > 1 and a < 3)",
        "select (a > 1) is true, (a > 1) is not unknown from t",
        "select a from t where a <> all (select a from s) and a in (1, -2, +3)",
    ],
    "r_OPERATOR_SYMBOLS": [
        "select -a, +a, @ -a, a ^ 2, |/ a, ||/ a, a % 2, ~ a, a & 1, a | 1, a # 1, a << 1, a >> 1 from t",
        "select 2*-1, 3>=-1, 4<>+1, 5--1\n + 1",
    ],
    "c_unsupported-postgresql-datatypes": [
        "select date '2020-01-01', timestamp '2020-01-01 00:00:00', timestamptz '2020-01-01', interval '1 day', varchar(3) 'abc', time '10:00'",
        "select timestamp with time zone '2020-01-01', double precision '1', character varying(5) 'x'",
        "select relname::varchar, oid::regclass::varchar, relname::name from pg_class limit 1",
        "select a::int2, a::float8, cast(b as character varying(3)), convert(decimal(8, 2), a) from t",
        "select timestamp '2020-01-01' at time zone 'UTC'",
    ],
    "String_functions_header": [
        "select trim(both 'x' from b), trim(leading from b), trim(b), substring(b from 1 for 2), substring(b, 1), position('x' in b) from t",
        "select extract(epoch from salestime), extract('year' from salestime), date_part(dow, salestime), dateadd(month, 1, salestime) from sales",
        "select 'one'\n 'two'",
    ],
    "r_INSERT_30": [
        "insert into s values (1, 'a'), (default, null), (1 + 1, 'b' || 'c')",
        "insert into s (a) select a from t",
        "insert into s values ((select max(a) from t), 'x')",
        "insert into s default values",
        "insert into s (select a, b from t)",
        "insert into s with v as (select 1 as a, 'b' as b) select a, b from v",
    ],
    "r_UPDATE": ["update s set a = default, b = x.b from t as x, p where s.a = x.a", "update s as y set a = 1 where y.a = 2"],
    "r_DELETE": ["delete s where a = 5", "delete from s using t, p where s.a = t.a", "delete from grammar.s"],
    "r_MERGE": [
        "merge into s using t as x on s.a = x.a when matched then update set b = x.b when not matched then insert (a, b) values (x.a, x.b)",
        "merge into s using t on s.a = t.a when matched then delete when not matched then insert values (t.a, t.b)",
    ],
    "r_CREATE_TABLE_NEW": [
        "create table like_t (like t including defaults)",
        "create table with_defaults (a int default 1 + 2, b varchar(10) default 'x' || 'y', c timestamp default getdate(), d date default dateadd(day, -1, sysdate), e int default null, f decimal(5, 2) default cast('1.5' as decimal(5, 2)))",
        "create table if not exists with_design (a bigint identity(1, 1) not null encode raw primary key, b int references keyed) diststyle key distkey (b) compound sortkey (a, b)",
    ],
    "r_DROP_FUNCTION": [
        "create function dropped (int, varchar(5)) returns int stable as $$ select $1 $$ language sql",
        "drop function dropped(int, varchar(5)) cascade",
    ],
    "r_COMMENT": [
        "comment on table t is 'x'",
        "comment on column grammar.t.a is null",
        "comment on view w is 'it''s\\n'",
    ],
    "r_GRANT": [
        "grant all privileges on all tables in schema grammar to public",
        "grant select, insert on table t, s to group grammar_group, public",
        "grant select on t to dbt with grant option",
        "grant usage on schema grammar to group grammar_group",
        "grant execute on function plus_one(int) to public",
        "grant temp on database dev to public",
        "revoke grant option for select on t from dbt",
        "alter default privileges for user dbt in schema grammar grant select on tables to group grammar_group",
        "alter default privileges for user dbt in schema grammar revoke select on tables from group grammar_group",
        "revoke all on all tables in schema grammar from group grammar_group restrict",
    ],
    "c_join_PG": ["select c.relname from pg_catalog.pg_class c where c.relname operator(pg_catalog.~) '^(t)$'"],
    "r_VACUUM_command": ["vacuum delete only t to 75 percent boost", "vacuum sort only t", "vacuum reindex t"],
    "r_SET": [
        "set search_path to grammar, public",
        "set timezone = 'UTC'",
        "set time zone 'UTC'",
        "set local statement_timeout to 0",
        "set session query_group to 'x'",
        "set extra_float_digits to -1",
        "set datestyle to iso, mdy",
        "reset query_group",
        "set session authorization dbt",
        "reset session authorization",
    ],
    "materialized-view-create-sql-command": [
        "create materialized view a_view backup no diststyle key distkey (a) sortkey (a) auto refresh no as select a, getdate() as d from t",
        "drop materialized view if exists a_view",
    ],
    "r_PREPARE": ["prepare q (int, varchar(5)) as select $1, $2", "execute q (1, 'x')", "deallocate q"],
    "c_PLpgSQL-statements": [
        """
        create or replace procedure everything (f1 int, f2 inout varchar(256), out_var out int) as $$
        declare
            total integer := 0; rec record; c1 refcursor; c2 cursor for select a from t; limit_of constant int default 3;
        begin
            <<outermost>>
            for i in 1..f1 loop
                total := total + i;
                continue when total = 1;
                exit outermost when total > limit_of;
            end loop;
            for rec in select a from t loop
                raise info 'a = %', rec.a;
            end loop;
            while total > 0 loop
                total = total - 1;
            end loop;
            if f1 is null then null; elsif f1 > 1 then f2 := f2 || 'x'; else perform plus_one(f1); end if;
            case f1 when 1, 2 then null; else raise notice 'other'; end case;
            select into out_var count(*) from t;
            select count(*) into out_var from t where a = f1;
            execute 'select 1' into total;
            insert into s values (f1, 'x');
            update s set b = f2 where a = f1;
            delete from s where a = f1;
            create temp table if not exists made_within (a int);
            drop table if exists made_within;
            open c1 for select a from t; fetch c1 into total; close c1;
            get diagnostics total := row_count;
            declare inner_one int; begin inner_one := fictitious(1); end;
            return;
        exception when others then
            raise info 'error %', sqlerrm;
        end;
        $$ language plpgsql security definer
        """,
        "drop procedure everything(int, varchar(256))",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(statement, id=f"{page}: {statement}", marks=pytest.mark.documented(page, "as documented"))
        for page, statements in ACCEPTED.items()
        for statement in statements
    ],
)
def test_accepted(grammar: Connection, statement: str) -> None:
    run(grammar, statement)


@pytest.mark.documented("r_pg_keywords", "refused as documented")
def test_a_syntax_error_has_its_code_and_names_what_is_wrong(grammar: Connection) -> None:
    with pytest.raises(ProgrammingError) as refusal:
        run(grammar, "select 1 -- is json\n from t is json")
    said = refusal.value.args[0]
    assert (said["C"], said["M"]) == ("42601", 'syntax error at or near "is"')


@pytest.mark.documented("c_SQL_functions_compute_node_only", "refused as documented")
def test_a_missing_table_has_its_code(grammar: Connection) -> None:
    with pytest.raises(ProgrammingError) as refusal:
        run(grammar, '/* {"app": "dbt"} */ select median(a) from (select 1 as a)')
    assert refusal.value.args[0]["C"] == "XX000"


@pytest.mark.documented("r_correlated_subqueries", "refused as documented")
def test_a_prepared_statement_is_checked_as_well(grammar: Connection) -> None:
    cursor = grammar.cursor()
    with pytest.raises(ProgrammingError, match="correlated subquery pattern"):
        cursor.execute(
            "select a from t where b = %s and exists (select 1 from s where exists (select 1 from p where t.a = 1))",
            ("x",),
        )
    with pytest.raises(ProgrammingError, match="syntax error"):
        cursor.execute("select a from t where b = %s is json", ("x",))
    cursor.execute("select a from t where b = %s and a = %s", ("x", 1))


def test_a_statement_as_deep_as_programs_write_them_is_read(grammar: Connection) -> None:
    assert rows(grammar, f"select {'(' * 200}1{')' * 200}") == [[1]]
    assert rows(grammar, f"select {'replace(' * 60}'a'{chr(39).join([', ', 'a', ', ', 'a', ')']) * 60}") == [["a"]]
    queries = "select 1 as a"
    for number in range(40):
        queries = f"select a from ({queries}) as q{number}"
    assert rows(grammar, queries) == [[1]]
