"""What Redshift refuses and PostgreSQL would do, case by case: each with a part of the message.

Sources: "Unsupported PostgreSQL features", "Unsupported PostgreSQL data types", "Unsupported PostgreSQL functions"
and "Leader node-only functions" in the Amazon Redshift Database Developer Guide, and the syntax of the statement in
question there.
"""

# ruff: noqa: E501 - a case is a line

from collections.abc import Iterator

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

LEADER_NODE_ONLY = "not supported on Redshift tables"

REFUSED: dict[str, list[tuple[str, str]]] = {
    # https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
    "queries": [
        ("select distinct on (a) a, b from t", "DISTINCT ON"),
        ("select count(*) filter (where a > 1) from t", "syntax error"),
        ("select * from t, lateral (select t.a) as l", "syntax error"),
        ("select * from t cross join lateral (select t.a) as l", "syntax error"),
        ("select * from (values (1), (2)) as v (a)", "syntax error"),
        ("values (1)", "syntax error"),
        ("select * from t fetch first 1 rows only", "syntax error"),
        ("select * from t for update", "FOR UPDATE"),
        ("select sum(a) over w from t window w as (partition by b)", "syntax error"),
        ("select array(select a from t)", "not supported"),
        ("select '{1}'::int[]", "not supported"),
        ("select '{}'::json", "not supported"),
        ("select '{}'::jsonb", "not supported"),
        ("select '6b0a'::uuid", "not supported"),
        ("select '{}' -> 'a'", "operator does not exist"),
        ("select 1 from t tablesample system (10)", "syntax error"),
        ("table t", "syntax error"),
        ("select array[1, 2]", "ARRAY[…]"),
        ("select a from t where b = any('{x,y}')", "ANY of an array"),
        ("select b'101'", "bit string"),
        ("select x'ff'", "bit string"),
        ("select xmin from t", 'column "xmin" does not exist'),
        ("select ctid, a from t", 'column "ctid" does not exist'),
        ("select a from only t", "syntax error"),
    ],
    # what came to PostgreSQL after the 8.0 that Redshift was made of:
    # https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html and the pages of its clauses
    "queries of a later PostgreSQL": [
        ("select from t", "syntax error"),
        ("select a from t where exists (select from s)", "syntax error"),
        ("select a from t where a in (values (1), (2))", "syntax error"),
        ("with v as (values (1)) select * from v", "syntax error"),
        ("select 1 union values (2)", "syntax error"),
        ("select a from t offset 1 rows", "syntax error"),
        ("select a from t order by a using <", "syntax error"),
        ("select a from t where a between symmetric 3 and 1", "syntax error"),
        ("with v as materialized (select 1) select * from v", "syntax error"),
        ("select 1_000", "syntax error"),
        ("select 0xff", "syntax error"),
        ("select current_role", "does not exist"),
        ("select current_catalog", "does not exist"),
        ("select 'abc' ^@ 'a'", "operator does not exist: ^@"),
        ("select rank(1) within group (order by a) from t", "syntax error"),
        ("select current_setting('work_mem')", "unrecognized configuration parameter"),
        ("select set_config('work_mem', '1GB', false)", "unrecognized configuration parameter"),
        ("set role dbt", "syntax error"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_WITH_clause.html
    "common table expressions": [
        ("with v as (insert into s values (1, 'x')) select 1", "syntax error"),
        ("with v as (delete from s) select 1", "syntax error"),
        ("with recursive v (n) as (select 1 union select n + 1 from v where n < 3) select * from v", "UNION ALL"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_UNION.html
    "set operations": [
        ("select a from t except all select a from s", "EXCEPT ALL"),
        ("select a from t intersect all select a from s", "INTERSECT ALL"),
        ("select a from t minus all select a from s", "MINUS ALL"),
        ("(select a from t limit 10) intersect select a from s", "LIMIT may not be used within input"),
        ("select a from t union all (select a from s order by a limit 1)", "LIMIT may not be used within input"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html
    "comparisons": [
        ("select a from t where a is distinct from 1", "IS DISTINCT FROM"),
        ("select a is not distinct from null from t", "IS DISTINCT FROM"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_LISTAGG.html, r_MEDIAN.html and r_PERCENTILE_CONT.html; that no
    # other aggregate may be of distinct values is https://github.com/data-mie/dbt-profiler/issues/84
    "aggregates that sort": [
        ("select median(a), median(length(b)) from t", "ORDER BY clauses for aggregate functions must be the same"),
        (
            "select percentile_cont(0.6) within group (order by b), round(median(a), 1) from t",
            "ORDER BY clauses for aggregate functions must be the same",
        ),
        (
            "select listagg(a) within group (order by b), listagg(b) within group (order by a) from t",
            "ORDER BY clauses for aggregate functions must be the same",
        ),
        ("select median(a), count(distinct b) from t", "with other distinct aggregate function"),
        ("select sum(a order by b) from t", "syntax error"),
        ("select listagg(b order by a) from t", "syntax error"),
        ("select percentile_disc(0.5) within group (order by a) from t", "without APPROXIMATE"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/c_Window_functions.html: "an explicit frame clause is required";
    # r_WF_first_value.html: "If you specify an ORDER BY clause, you must also specify a frame_clause", as r_WF_NTH.html;
    # r_WF_LAG.html, r_WF_LEAD.html and r_WF_RANK.html, which have no frame, and r_WF_MEDIAN.html, r_WF_LISTAGG.html and
    # r_WF_RATIO_TO_REPORT.html, which have no order either
    "windows": [
        ("select first_value(a) over (order by a) from t", "require a frame clause"),
        ("select nth_value(a, 2) over (order by a) from t", "require a frame clause"),
        ("select sum(a) over (partition by b rows unbounded preceding) from t", "syntax error"),
        ("select rank() over (order by a rows unbounded preceding) from t", "syntax error"),
        ("select lag(a) over (order by a rows unbounded preceding) from t", "syntax error"),
        ("select lag(a) over (partition by b) from t", "requires an ORDER BY"),
        ("select lead(a, 2) over () from t", "requires an ORDER BY"),
        # https://github.com/tidyverse/dbplyr/issues/548 and https://github.com/tidyverse/dplyr/issues/962
        ("select lag(a, 1, 0) over (order by a) from t", "Default parameter not be supported for window function lag"),
        (
            "select lead(a, 1, 0) over (order by a) from t",
            "Default parameter not be supported for window function lead",
        ),
        # https://github.com/metabase/metabase/issues/70888
        (
            "select row_number() over (partition by 1 order by a) from t",
            "constant expressions are not supported in part",
        ),
        (
            "select sum(a) over (partition by b, null::int) from t",
            "constant expressions are not supported in partition by",
        ),
        ("select median(a) over (order by a) from t", "syntax error"),
        ("select median(a) over (partition by b order by a rows unbounded preceding) from t", "syntax error"),
        ("select listagg(b) over (order by a) from t", "syntax error"),
        ("select ratio_to_report(a) over (order by a) from t", "syntax error"),
        ("select sum(a) over (order by a) from t", "require a frame clause"),
        ("select last_value(a) over (partition by b order by a) from t", "require a frame clause"),
        ("select sum(a) over (order by a range unbounded preceding) from t", "syntax error"),
        ("select sum(a) over (order by a groups 1 preceding) from t", "syntax error"),
        ("select sum(a) over (order by a rows 1 preceding exclude current row) from t", "syntax error"),
    ],
    # https://github.com/dbt-labs/dbt-utils/issues/1016 and /294, https://github.com/tuva-health/tuva-core/issues/553;
    # dbt-redshift has cast_bool_to_text() for this reason
    "texts of booleans": [
        ("select cast(true as varchar)", "cannot cast type boolean to character varying"),
        ("select (a > 1)::text from t", "cannot cast type boolean to character varying"),
        ("select a from t where a > 1000 and (a is null)::varchar(5) = 'true'", "cannot cast type boolean"),
        ("create table n as select a > 1 as b, (a > 1)::varchar(10) as c from t", "cannot cast type boolean"),
        ("create view v as select (a > 1)::varchar(10) as c from t", "cannot cast type boolean"),
        ("insert into t select 1, true", "is of type character varying but expression is of type boolean"),
        ("select 'x' || true", "operator does not exist"),
        ("select b || (a is null) from t", "operator does not exist"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/super-overview.html
    "SUPER": [
        ("select v #>> '{a}' from p", "operator does not exist: #>>"),
        ("select v @> '{}' from p", "operator does not exist: @>"),
        ("select v ? 'a' from p", "operator does not exist: ?"),
        ("select v - 'a' from p", "operator does not exist"),
        ("select v || v from p", "operator does not exist"),
        ("create table n (a super) sortkey (a)", "cannot be a DISTKEY or a SORTKEY"),
        ("create table n (a super distkey)", "cannot be a DISTKEY or a SORTKEY"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html
    "functions": [
        ("select string_agg(b, ',') from t", "string_agg() does not exist"),
        ("select array_agg(a) from t", "array_agg() does not exist"),
        ("select to_timestamp(0)", "does not exist"),
        ("select make_date(2020, 1, 1)", "make_date() does not exist"),
        ("select regexp_matches('a', 'a')", "regexp_matches() does not exist"),
        ("select gen_random_uuid()", "does not exist"),
        ("select json_build_object('a', 1)", "does not exist"),
        ("select format('%s', 1)", "does not exist"),
        ("select concat('a', 'b', 'c')", "does not exist"),
        ("select nextval('s')", "does not exist"),
        ("select unnest(b) from t", "syntax error"),
        ("select width_bucket(1, 0, 10, 5)", "does not exist"),
        ("select no_such_function(1)", "no_such_function() does not exist"),
        ("select encode('a', 'hex')", "encode() does not exist"),
        ("select overlay('abc' placing 'z' from 2 for 1)", "syntax error"),
        ("select substring('abc' from 'b.')", "invalid input syntax for type integer"),
        ("select substring('abc' similar 'b' escape '#')", "syntax error"),
        ("select split_part('a,b', ',', -1)", "must be greater than zero"),
        ("select * from generate_series(1, 2) with ordinality", "syntax error"),
        ("select date_part('isodow', timestamp '2020-01-01')", "not supported"),
        ("select to_date('20010631', 'YYYYMMDD', true)", "out of range"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
    "functions of the leader node over tables": [
        ("select now() from t", LEADER_NODE_ONLY),
        ("select current_timestamp from t", LEADER_NODE_ONLY),
        ("select a from t where b = substr('abc', 1, 1)", LEADER_NODE_ONLY),
        ("select a, i from t cross join generate_series(1, 3) as g (i)", LEADER_NODE_ONLY),
        ("create table made as select generate_series(1, 3) as i", LEADER_NODE_ONLY),
        ("select current_schema() from t", LEADER_NODE_ONLY),
        ("with s as (select * from t) select age(timestamp '2020-01-01') from s", LEADER_NODE_ONLY),
    ],
    "statements": [
        ("insert into t values (1, 'a') on conflict do nothing", "syntax error"),
        ("insert into t values (1, 'a') returning a", "syntax error"),
        ("update t set a = 1 returning a", "syntax error"),
        ("delete from t returning a", "syntax error"),
        ("create index on t (a)", "CREATE INDEX"),
        ("create unique index i on t (a)", "CREATE INDEX"),
        ("create sequence s", "CREATE SEQUENCE"),
        ("create type k as enum ('a')", "CREATE TYPE"),
        ("create extension hstore", "CREATE EXTENSION"),
        ("create trigger g after insert on t execute function f()", "CREATE TRIGGER"),
        ("create unlogged table u (a int)", "not supported"),
        ("savepoint s", "SAVEPOINT"),
        ("do $$ begin end $$", "syntax error"),
        ("listen channel", "syntax error"),
        ("set work_mem to '1GB'", "unrecognized configuration parameter"),
        ("copy t from stdin", "COPY FROM STDIN"),
        ("copy t to '/tmp/t'", "syntax error"),
        ("insert into t as i values (1, 'a')", "syntax error"),
        ("insert into t overriding system value values (1, 'a')", "syntax error"),
        ("insert into t table s", "syntax error"),
        ("update t set (a, b) = (1, 'a')", "syntax error"),
        ("update only t set a = 1", "syntax error"),
        ("delete from only t", "syntax error"),
        ("select 1 as a into unlogged u", "syntax error"),
        ("with v as (select 1) insert into s select 1, 'x'", "syntax error"),
        # https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html
        ("update t set a = s.a from s left join p on true where t.a = s.a", "must be part of an equijoin predicate"),
        ("update t set a = s.a from s full outer join p on true", "must be part of an equijoin predicate"),
        ("alter database dev set search_path to refusals", "syntax error"),
        ("drop index i", "syntax error"),
        ("drop owned by dbt", "syntax error"),
        ("commit and chain", "syntax error"),
        ("begin isolation level snapshot", "syntax error"),
        ("lock table t in share mode", "syntax error"),
        ("declare c scroll cursor for select 1", "syntax error"),
        ("declare c cursor with hold for select 1", "syntax error"),
        ("fetch backward 1 from c", "syntax error"),
        ("refresh materialized view t with no data", "syntax error"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    "tables": [
        ("create table n (a int check (a > 0))", "CHECK"),
        ("create table n (a int, check (a > 0))", "CHECK"),
        ("create table n (a uuid)", "not supported"),
        ("create table n (a jsonb)", "not supported"),
        ("create table n (a int[])", "not supported"),
        ("create table n (a serial)", "not supported"),
        ("create table n (a bytea)", "not supported"),
        ("create table n (a varchar(65536))", "cannot exceed 65535"),
        ("create table n (a char(4097))", "cannot exceed 4096"),
        ("create table n (a numeric(39, 0))", "between 1 and 38"),
        ("create table n (a int) distkey (b)", 'column "b" named in key does not exist'),
        ("create table n (a int) sortkey (b)", 'column "b" named in key does not exist'),
        ("create table n (a int) diststyle key", "Must specify DISTKEY"),
        ("create table n (a int) diststyle all distkey (a)", "Cannot specify DISTKEY"),
        ("create table n (a int distkey, b int distkey)", "more than one column"),
        ("create table n (a int encode nonsense)", "invalid encoding"),
        ("create table n (a int primary key, b int primary key)", "multiple primary keys"),
        ("create table n (a int references t (a))", "no unique constraint matching"),
        ("create table n (a int) partition by range (a)", "syntax error"),
        ("create table n (a int) with (fillfactor = 70)", "syntax error"),
        ("create table n (a int generated always as (1) stored)", "syntax error"),
        ("create table n ()", "syntax error"),
        ("create table n (a '|')", "syntax error"),
        ("create table n (a numeric(10, 11))", "scale 11 must be between 0 and 10"),
        ("create table n (a numeric(38, 38))", "scale 38 must be between 0 and 37"),
        ("create table n (a int) diststyle even diststyle all", "syntax error"),
        ("create table n (a int) sortkey (a) sortkey (a)", "syntax error"),
        (
            "create table n (a int, b int, c int, d int, e int, f int, g int, h int, i int) "
            "interleaved sortkey (a, b, c, d, e, f, g, h, i)",
            "more than 8 columns",
        ),
        ("create or replace table n (a int)", "syntax error"),
        ("create temp view n as select 1 as a", "syntax error"),
        ("create table n (a oid)", "not supported"),
        ("create table n (a regclass)", "not supported"),
        ('create table n (a "char")', "not supported"),
        ("create table n (a interval)", "not supported"),
        ("create table n (a smallint identity(1, 1))", "must be of type INT or BIGINT"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_AS.html and c_unsupported-postgresql-datatypes.html
    "tables of queries": [
        ("create table if not exists n as select 1 as a", "syntax error"),
        ("create table n as select 1 as a with no data", "syntax error"),
        ("create table n as table t", "syntax error"),
        ("create table n as select relname from pg_class", 'Column "relname" has unsupported type "name"'),
        ("create table n as select (1, 2) as a", "pseudo-type record"),
        ("create table n as select t from t", 'Column "t" has unsupported type'),
        ("create table n as select interval '1 day' as a", 'Column "a" has unsupported type "interval"'),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/c_Compression_encodings.html
    "encodings": [
        ("create table n (a int encode text255)", 'invalid encoding type specified for column "a"'),
        ("create table n (a varchar(10) encode az64)", 'invalid encoding type specified for column "a"'),
        ("create table n (a boolean encode lzo)", 'invalid encoding type specified for column "a"'),
        ("create table n (a smallint encode mostly16)", 'invalid encoding type specified for column "a"'),
        ("alter table t alter column b encode delta", 'invalid encoding type specified for column "b"'),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
    "reserved words": [
        ("create table n (tag int)", "syntax error"),
        ("create table n (a int, offset int)", "syntax error"),
        ("create table user (a int)", "syntax error"),
        ("create table n (timestamp) as select 1", "syntax error"),
        ("alter table t add column system int", "syntax error"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
    "alter table": [
        ("alter table t add column c int, add column d int", "syntax error"),
        ("alter table t add column c int not null", "must have a non-null default"),
        ("alter table t alter column a type bigint", "size of VARCHAR columns only"),
        ("alter table t alter column a type varchar(20)", "only the size of VARCHAR"),
        ("alter table t alter column b set default 'x'", "syntax error"),
        ("alter table t alter column b set not null", "syntax error"),
        ("alter table t add column c jsonb", "not supported"),
        ("alter table t set schema public", "syntax error"),
        ("alter table if exists t add column c int", "syntax error"),
        ("alter table t add column if not exists c int", "syntax error"),
        ("alter table t drop column if exists b", "syntax error"),
        ("alter table t add column c varchar(3) collate case_sensitive", "syntax error"),
        ("alter table t add primary key (a)", "nullable column"),
        ("alter table t drop column b, drop column a", "syntax error"),
        ("alter table t alter sortkey (a), alter sortkey (b)", "syntax error"),
        ("alter table keyed drop column a", "the distribution key or a sort key"),
        ("alter table keyed drop column b cascade", "the distribution key or a sort key"),
        ("alter table keyed alter column c type varchar(20)", "has a default"),
        ("alter table keyed alter column d type varchar(20)", "UNIQUE, PRIMARY KEY or FOREIGN KEY"),
        ("alter table keyed alter column e type varchar(20)", "its encoding"),
        ("alter view w rename to x", "syntax error"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    "merge": [
        (
            "merge into t as g using s on g.a = s.a when matched then delete when not matched then insert values (1, 'x')",
            "syntax error",
        ),
        (
            "merge into t using (select 1 as a) as s on t.a = s.a when matched then delete when not matched then insert values (1, 'x')",
            "syntax error",
        ),
        (
            "merge into t using s on t.a = s.a when matched and s.a > 1 then delete when not matched then insert values (1, 'x')",
            "syntax error",
        ),
        (
            "merge into t using s on t.a = s.a when matched then do nothing when not matched then insert values (1, 'x')",
            "syntax error",
        ),
        ("merge into t using s on t.a = s.a when not matched by source then delete", "syntax error"),
        ("merge into t using s on t.a = s.a when matched then update set b = 'x'", "syntax error"),
        (
            "merge into t using w on t.a = w.a when matched then delete when not matched then insert values (1, 'x')",
            "from a view",
        ),
        (
            "merge into t using t as s on t.a = s.a when matched then delete when not matched then insert values (1, 'x')",
            "into itself",
        ),
        (
            "with c as (select 1) merge into t using s on t.a = s.a when matched then delete when not matched then insert values (1, 'x')",
            "syntax error",
        ),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
    "views": [
        ("create view v as select a from t with no schema binding", "should be qualified"),
        ("create view v as select a from missing_table", "does not exist"),
        ("create view v with (security_barrier) as select a from t", "syntax error"),
        ("create view v as select a from t with check option", "syntax error"),
        ("create view v as table t", "syntax error"),
        ("insert into w values (1)", "cannot insert into a view"),
        ("update w set a = 1", "cannot update a view"),
        ("delete from refusals.w", "cannot delete from a view"),
        ("delete w", "cannot delete from a view"),
        ("with v as (select 1 as a) update w set a = v.a from v", "cannot update a view"),
        ("insert into late values (1)", "cannot insert into a view"),
        ("create materialized view v as select a from t with no data", "syntax error"),
        ("create or replace view w as select a, b from t", "cannot change number of columns in view"),
        # https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-create-sql-command.html: "Limitations"
        ("create materialized view v as select a from t order by a", "ORDER in a materialized view"),
        ("create materialized view v as select a from t limit 5", "LIMIT in a materialized view"),
        ("create materialized view v as select a from w", "a materialized view of a view"),
        ("create materialized view v as select a from refusals.late", "a materialized view of a view"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_FUNCTION.html
    "functions of the user": [
        ("create function f (a int) returns int stable as $$ select $1 $$ language sql", "syntax error"),
        ("create function f (int) returns int as $$ select $1 $$ language sql", "syntax error"),
        ("create function f (int) returns int stable strict as $$ select $1 $$ language sql", "syntax error"),
        ("create function f (int) returns int stable as $$ select a from t $$ language sql", "FROM in a scalar"),
        ("create function f (int) returns setof int stable as $$ select $1 $$ language sql", "not supported"),
        ("create function f (int) returns int language sql stable return $1", "syntax error"),
        ("create procedure f () as $$ declare a int[]; begin end $$ language plpgsql", "not supported"),
        (
            "create procedure f () as $$ begin insert into t values (1, 'a') on conflict do nothing; end $$ language plpgsql",
            "syntax error",
        ),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html and r_REVOKE.html
    "rights": [
        ("grant trigger on t to dbt", "unrecognized privilege"),
        ("grant maintain on t to dbt", "unrecognized privilege"),
        ("grant connect on database dev to dbt", "unrecognized privilege"),
        ("grant usage on sequence s to dbt", "syntax error"),
        ("grant dbt to rdsdb", "syntax error"),
        ("revoke select on t from dbt cascade", "syntax error"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
    "users": [
        ("create user weak password 'short1A'", "8 to 64"),
        ("create user weak password 'nodigitsHere'", "8 to 64"),
        ("create user weak password 'nouppercase1'", "8 to 64"),
        ("create user more password 'Abcdefg1' superuser", "syntax error"),
        ("create user more password 'Abcdefg1' bypassrls", "syntax error"),
        ("alter user dbt login", "syntax error"),
        ("create role more login", "syntax error"),
        ("alter role more superuser", "syntax error"),
    ],
    # Redshift has it and this endpoint has not: it says so
    "what is not emulated": [
        ("select hll(a) from t", "not emulated"),
        ("unload ('select 1') to 's3://lake/x' iam_role default encrypted", "not emulated"),
        (
            "create procedure f () as $$ begin delete from t where a in (select a from s x qualify row_number() over (order by a) = 1); end $$ language plpgsql",
            "QUALIFY in the body",
        ),
        (
            "create procedure f () as $$ begin insert into t select * exclude (a) from s; end $$ language plpgsql",
            "EXCLUDE in the body",
        ),
        (
            "create procedure f () as $$ begin create table n as select b, count(*) from t group by all; end $$ language plpgsql",
            "GROUP BY ALL in the body",
        ),
        ("create external schema x from data catalog database 'd' iam_role default", "not emulated"),
        ("create table n (a geometry)", "not emulated"),
        ("create function f(a int) returns int stable as $$ return a $$ language plpythonu", "not emulated"),
        ("copy t from 's3://lake/x' iam_role default orc", "not emulated"),
        ("use another_database", "not emulated"),
        ("set app_context.user_id to 123", "not emulated"),
        ("grant role sys:dba to dbt", "not emulated"),
        ("grant create schema, drop schema to role reporting", "not emulated"),
        ("select 'a' collate case_insensitive", "not emulated"),
        ("select to_date('20011301', 'YYYYMMDD')", "not emulated"),
        ("create role more externalid 'x'", "not emulated"),
        ("create schema n create table u (a int)", "not emulated"),
        ("show all", "not emulated"),
    ],
}


@pytest.fixture(scope="module")
def tables(connect: Connect) -> Iterator[Connection]:
    connection = connect()
    run(
        connection,
        "create schema refusals",
        "set search_path to refusals",
        "create table t (a int, b varchar(10))",
        "create table s (a int, b varchar(10))",
        "create table p (v super)",
        "create table keyed (a int distkey, b int sortkey, c varchar(5) default 'x', d varchar(5) unique, e varchar(5) encode text255)",
        "create view w as select a from t",
        "create view late as select a from refusals.t with no schema binding",
    )
    yield connection
    run(connection, "drop schema refusals cascade")
    connection.close()


# The page of each group; what is not emulated is from many
PAGES = {
    "queries": "c_unsupported-postgresql-features",
    "queries of a later PostgreSQL": "c_unsupported-postgresql-features",
    "common table expressions": "r_WITH_clause",
    "set operations": "r_UNION",
    "comparisons": "r_comparison_condition",
    "aggregates that sort": "r_LISTAGG",
    "windows": "c_Window_functions",
    "texts of booleans": "r_Boolean_type",
    "SUPER": "r_SUPER_type",
    "functions": "c_unsupported-postgresql-functions",
    "functions of the leader node over tables": "c_sql-functions-leader-node",
    "statements": "c_unsupported-postgresql-features",
    "tables": "r_CREATE_TABLE_NEW",
    "tables of queries": "r_CREATE_TABLE_AS",
    "encodings": "c_Compression_encodings",
    "reserved words": "r_pg_keywords",
    "alter table": "r_ALTER_TABLE",
    "merge": "r_MERGE",
    "views": "r_CREATE_VIEW",
    "functions of the user": "r_CREATE_FUNCTION",
    "rights": "r_GRANT",
    "users": "r_CREATE_USER",
    "what is not emulated": "c_SQL_commands",
}


def marks(group: str) -> pytest.MarkDecorator:
    treatment = "not emulated" if group == "what is not emulated" else "refused as documented"
    return pytest.mark.documented(PAGES[group], treatment)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        pytest.param(*case, id=f"{group}: {case[0]}", marks=marks(group))
        for group, cases in REFUSED.items()
        for case in cases
    ],
)
def test_refused(tables: Connection, statement: str, message: str) -> None:
    with pytest.raises(ProgrammingError) as refusal:
        run(tables, statement)
    assert message in refusal.value.args[0]["M"]


@pytest.mark.documented("c_sql-functions-leader-node", "as documented")
@pytest.mark.parametrize(
    "query",
    [
        "select now() is not null",
        "select current_timestamp is not null",
        "select count(*) from generate_series(1, 3)",
        "select substr('abc', 1, 2)",
        "select current_schema()",
        "with made as (select 1 || '-' || current_timestamp as a) select a from made",
        "select count(*) from pg_class where age(timestamp '2020-01-01') is not null",
        "select conkey[1] from pg_constraint limit 1",
        "select min(ctid) from pg_class",
    ],
)
def test_functions_of_the_leader_node_run_without_tables(shared: Connection, query: str) -> None:
    assert rows(shared, query)


def test_words_in_literals_and_comments_mean_nothing(shared: Connection) -> None:
    query = """
        select 'distinct on (a) returning string_agg(x) ::json' as a -- on conflict do nothing
        /* create index; lateral /* nested */ values */
    """
    assert rows(shared, query) == [["distinct on (a) returning string_agg(x) ::json"]]


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) - -1, 2*-1, 3>=-1, 4<>+1 from t",
        "with data as (select 1 as a) select a from data",
        "select sum(a) over (partition by b), row_number() over (order by a), lag(a) over (order by a) from t",
        "select sum(a) over (order by a rows unbounded preceding) from t",
        "select |/ 4.0, ||/ 8.0, @ -5, 5 # 3, 1 << 2, 'a' ~* 'A', 'a' !~ 'b' from t",
        'select 1 as tag, 2 as "offset" from t',
        "with recursive v (n) as (select 1 union all select n + 1 from v where n < 3) select * from v",
        "select current_schema() as current_schema",
        "select a from t where a = any (select a from s)",
        "select rank() over (), row_number() over (), ntile(2) over (), median(a) over (partition by b) from t",
        "select first_value(a) over (), sum(a) over (partition by b) from t",
        "select row_number() over (order by 1) from t",
        "select median(t.a), percentile_cont(0.2) within group (order by a asc), listagg(b) from t",
        "select median(a), (select median(length(b)) from t), approximate count(distinct b) from t",
        "(select a from t) union (select a from s) order by a limit 1",
        "select 1 union select a from (select a from s limit 1) as one",
        "select distinct a, listagg(distinct b) within group (order by b) from t group by a",
    ],
)
def test_what_looks_like_it_and_is_redshifts(tables: Connection, query: str) -> None:
    run(tables, query)


def test_a_refused_statement_fails_its_transaction(tables: Connection) -> None:
    run(tables, "begin")
    with pytest.raises(ProgrammingError, match="DISTINCT ON"):
        run(tables, "select distinct on (a) a from t")
    with pytest.raises(ProgrammingError, match="current transaction is aborted"):
        run(tables, "select 1")
    run(tables, "rollback")
    assert rows(tables, "select 1") == [[1]]
