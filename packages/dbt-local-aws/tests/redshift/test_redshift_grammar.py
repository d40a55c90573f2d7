"""What Redshift's pages do not have in a query is refused, page by page.

The rules are those of `names/syntax/` and of the modules of `refusals/`; statements and what is accepted have files of
their own.
"""

# ruff: noqa: E501, S608 - a case is a line, and the SQL is our own

import pytest

from dbt_local_aws.testing.redshift import Connection, ProgrammingError, rows, run

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
