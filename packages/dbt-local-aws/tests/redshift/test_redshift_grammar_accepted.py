"""What Redshift's pages have is in the grammar, page by page: the examples that are easily refused by mistake."""

# ruff: noqa: E501, S608 - a case is a line, and the SQL is our own

import pytest

from dbt_local_aws.testing.redshift import Connection, run

GIVEN = "with given as (select 1 as a, 'x' as b union all select 2, 'y')"

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
