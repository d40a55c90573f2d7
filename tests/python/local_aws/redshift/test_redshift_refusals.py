"""What Redshift refuses and PostgreSQL would do, case by case: each with a part of the message.

Sources: "Unsupported PostgreSQL features", "Unsupported PostgreSQL data types", "Unsupported PostgreSQL functions"
and "Leader node-only functions" in the Amazon Redshift Database Developer Guide, and the syntax of the statement in
question there.
"""

# ruff: noqa: E501 - a case is a line

from collections.abc import Iterator

import pytest

from local_aws.redshift.testing import Connect, Connection, ProgrammingError, rows, run

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
        ("select unnest(b) from t", "does not exist"),
        ("select width_bucket(1, 0, 10, 5)", "does not exist"),
        ("select no_such_function(1)", "no_such_function() does not exist"),
        ("select date_part('isodow', timestamp '2020-01-01')", "not supported"),
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
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
    "views": [
        ("create view v as select a from t with no schema binding", "should be qualified"),
        ("create view v as select a from missing_table", "does not exist"),
    ],
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
    "users": [
        ("create user weak password 'short1A'", "8 to 64"),
        ("create user weak password 'nodigitsHere'", "8 to 64"),
        ("create user weak password 'nouppercase1'", "8 to 64"),
    ],
    # Redshift has it and this endpoint has not: it says so
    "what is not emulated": [
        ("select a from t qualify row_number() over (order by a) = 1", "not emulated"),
        ("select hll(a) from t", "not emulated"),
        (f"create table {'n' * 64} (a int)", "not emulated"),
        ("unload ('select 1') to 's3://lake/x' iam_role default", "not emulated"),
        ("create external schema x from data catalog database 'd' iam_role default", "not emulated"),
        ("create table n (a geometry)", "not emulated"),
        ("create function f(a int) returns int stable as $$ return a $$ language plpythonu", "not emulated"),
        ("copy t from 's3://lake/x' iam_role default parquet", "not emulated"),
        ("use another_database", "not emulated"),
        ("alter table t append from s", "not emulated"),
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
    )
    yield connection
    run(connection, "drop schema refusals cascade")
    connection.close()


@pytest.mark.parametrize(
    ("statement", "message"),
    [pytest.param(*case, id=f"{group}: {case[0]}") for group, cases in REFUSED.items() for case in cases],
)
def test_refused(tables: Connection, statement: str, message: str) -> None:
    with pytest.raises(ProgrammingError) as refusal:
        run(tables, statement)
    assert message in refusal.value.args[0]["M"]


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


def test_a_refused_statement_fails_its_transaction(tables: Connection) -> None:
    run(tables, "begin")
    with pytest.raises(ProgrammingError, match="DISTINCT ON"):
        run(tables, "select distinct on (a) a from t")
    with pytest.raises(ProgrammingError, match="current transaction is aborted"):
        run(tables, "select 1")
    run(tables, "rollback")
    assert rows(tables, "select 1") == [[1]]
