"""Tables: their physical design, their keys, their columns, and what alters them.

Sources: CREATE TABLE, CREATE TABLE AS, ALTER TABLE, MERGE, TRUNCATE, VACUUM, SVV_TABLE_INFO and PG_TABLE_DEF in the
Amazon Redshift Database Developer Guide.
"""

# ruff: noqa: E501 - a statement is a line

from decimal import Decimal

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

DESIGN = "select diststyle, sortkey1, sortkey_num, encoded, tbl_rows from svv_table_info where \"table\" = 't'"

DESIGNS = {
    "(a int, b varchar(5)) diststyle even": ("EVEN", "AUTO(SORTKEY)", 0, "Y, AUTO(ENCODE)"),
    "(a int, b varchar(5)) diststyle all sortkey (a)": ("ALL", "a", 1, "Y, AUTO(ENCODE)"),
    "(a int, b varchar(5)) diststyle key distkey (a) compound sortkey (b, a)": ("KEY(a)", "b", 2, "Y, AUTO(ENCODE)"),
    "(a int, b varchar(5)) distkey (b)": ("KEY(b)", "AUTO(SORTKEY)", 0, "Y, AUTO(ENCODE)"),
    "(a int distkey sortkey, b varchar(5) encode zstd)": ("KEY(a)", "a", 1, "Y"),
    "(a int, b varchar(5)) interleaved sortkey (a, b)": ("AUTO(ALL)", "INTERLEAVED", 2, "Y, AUTO(ENCODE)"),
    "(a int, b varchar(5)) backup no diststyle auto sortkey auto": ("AUTO(ALL)", "AUTO(SORTKEY)", 0, "Y, AUTO(ENCODE)"),
    "backup no diststyle key distkey (a) sortkey (a) as select 1 as a, 'x' as b": ("KEY(a)", "a", 1, "Y, AUTO(ENCODE)"),
}


@pytest.mark.documented("r_SVV_TABLE_INFO", "as documented")
@pytest.mark.parametrize("definition", DESIGNS)
def test_the_physical_design_is_shown(connection: Connection, definition: str) -> None:
    run(connection, f"create table t {definition}", "insert into t values (2, 'y')")
    ((style, sort_key, sort_keys, encoded, _),) = rows(connection, DESIGN)
    assert (style, sort_key, sort_keys, encoded) == DESIGNS[definition]


@pytest.mark.documented("r_SVV_TABLE_INFO", "as documented")
def test_an_empty_table_has_no_table_info(connection: Connection) -> None:
    run(connection, "create table t (a int)")
    assert rows(connection, DESIGN) == []
    run(connection, "insert into t values (1), (2)")
    assert rows(connection, DESIGN)[0][-1] == Decimal(2)


@pytest.mark.documented("r_ALTER_TABLE", "as documented")
def test_the_design_is_changed_and_survives_a_rename(connection: Connection) -> None:
    run(
        connection,
        "create table earlier (a int, b int) diststyle even",
        "insert into earlier values (1, 1)",
        "alter table earlier alter diststyle key distkey b",
        "alter table earlier alter sortkey (b, a)",
        "alter table earlier rename to t",
    )
    assert rows(connection, DESIGN)[0][:3] == ["KEY(b)", "b", 2]
    run(connection, "alter table t alter diststyle all", "alter table t alter sortkey none")
    assert rows(connection, DESIGN)[0][:3] == ["ALL", "AUTO(SORTKEY)", 0]


@pytest.mark.documented("r_ALTER_TABLE", "as documented")
def test_what_one_statement_may_alter_at_once(connection: Connection) -> None:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html: the combinations of clauses that it lists."""
    run(
        connection,
        "create table t (a int, b int)",
        "insert into t values (1, 1)",
        "alter table t alter sortkey (a), alter distkey b",
    )
    assert rows(connection, DESIGN)[0][:3] == ["KEY(b)", "a", 1]
    run(connection, "alter table t alter diststyle all, alter sortkey (b, a)")
    assert rows(connection, DESIGN)[0][:3] == ["ALL", "b", 2]
    run(connection, "alter table t alter column a encode zstd, alter column b encode lzo")
    query = "select \"column\", encoding from pg_table_def where tablename = 't'"
    assert rows(connection, query) == [["a", "zstd"], ["b", "lzo"]]


@pytest.mark.documented("r_PG_TABLE_DEF", "as documented")
def test_pg_table_def_shows_columns(connection: Connection) -> None:
    run(connection, "create table t (a int not null encode az64, b varchar(7)) distkey (a) interleaved sortkey (a, b)")
    query = 'select "column", type, encoding, distkey, sortkey, "notnull" from pg_table_def where tablename = \'t\''
    assert rows(connection, query) == [
        ["a", "integer", "az64", True, 1, True],
        ["b", "character varying(7)", "none", False, -2, False],
    ]


def test_the_attributes_that_only_redshift_has(connection: Connection) -> None:
    run(connection, "create table t (a int, b int) distkey (b) sortkey (b, a)")
    query = """
        select a.attname, a.attisdistkey, a.attsortkeyord, c.reldiststyle
        from pg_attribute a join pg_class c on a.attrelid = c.oid
        where c.relname = 't' and a.attnum > 0 order by a.attnum
    """
    assert rows(connection, query) == [["a", False, 2, 1], ["b", True, 1, 1]]


# Columns --------------------------------------------------------------------------------------------------------------

TYPES = {
    "text": ("character varying", 256),
    "varchar": ("character varying", 256),
    "varchar(max)": ("character varying", 65535),
    "nvarchar(3)": ("character varying", 3),
    "char": ("character", 1),
    "char(max)": ("character", 4096),
    "bpchar": ("character", 256),
    "int8": ("bigint", None),
    "float": ("double precision", None),
    "real": ("real", None),
    "numeric": ("numeric", None),
    "timestamp": ("timestamp without time zone", None),
    "timestamptz": ("timestamp with time zone", None),
    "bool": ("boolean", None),
    "super": ("super", None),
}


@pytest.mark.documented("c_Supported_data_types", "as documented")
@pytest.mark.parametrize("declared", TYPES)
def test_a_columns_type(connection: Connection, declared: str) -> None:
    run(connection, f"create table t (c {declared})")
    query = "select data_type, character_maximum_length from svv_columns where table_name = 't'"
    assert rows(connection, query) == [list(TYPES[declared])]


@pytest.mark.documented("r_names", "as documented")
def test_a_name_with_a_quotation_mark(connection: Connection) -> None:
    run(connection, 'create table t ("a""b" varchar(5), primary key ("a""b"))', "alter table t drop constraint t_pkey")
    run(connection, 'alter table t alter column "a""b" type varchar(9)')
    assert rows(connection, "select column_name from svv_columns where table_name = 't'") == [['a"b']]


@pytest.mark.documented("r_Numeric_types201", "as documented")
def test_numeric_without_precision_has_no_fraction(connection: Connection) -> None:
    run(connection, "create table t (a numeric)", "insert into t values (6.37342)")
    assert rows(connection, "select a from t") == [[Decimal(6)]]


@pytest.mark.documented("r_Character_types", "as documented")
def test_varchar_counts_bytes(connection: Connection) -> None:
    run(connection, "create table t (a varchar(4))", "insert into t values ('éé'), ('abcd'), ('abc    ')")
    with pytest.raises(ProgrammingError, match="value too long for type character varying\\(4\\)"):
        run(connection, "insert into t values ('ééé')")
    with pytest.raises(ProgrammingError, match="value too long for type character varying\\(4\\)"):
        run(connection, "update t set a = a || 'x' where a = 'abcd'")
    assert rows(connection, "select a from t order by 1") == [["abc "], ["abcd"], ["éé"]]


@pytest.mark.documented("r_Character_types", "as documented")
def test_char_takes_single_bytes_only(connection: Connection) -> None:
    run(connection, "create table t (a char(4))")
    with pytest.raises(ProgrammingError, match="ASCII"):
        run(connection, "insert into t values ('é')")


@pytest.mark.documented("r_Character_types", "as documented")
def test_char_takes_blanks_behind_a_text(connection: Connection) -> None:
    run(connection, "create table t (a char(4))", "insert into t values ('a   '), ('ab        ')")
    assert rows(connection, "select len(a) from t order by 1") == [[1], [2]]


@pytest.mark.documented("r_CREATE_TABLE_AS", "different")
def test_what_a_query_makes_a_varchar(connection: Connection) -> None:
    run(
        connection,
        "create table t as select 'abc' as literal, upper('x') || 'y' as computed, cast('z' as varchar(5)) as sized",
    )
    query = "select column_name, data_type, character_maximum_length from svv_columns where table_name = 't' order by 1"
    assert rows(connection, query) == [
        ["computed", "character varying", 65535],
        ["literal", "character varying", 65535],
        ["sized", "character varying", 5],
    ]


@pytest.mark.documented("r_CREATE_TABLE_NEW", "as documented")
def test_not_null_is_enforced(connection: Connection) -> None:
    run(connection, "create table t (id int not null)")
    with pytest.raises(ProgrammingError, match="Cannot insert a NULL value into column id"):
        run(connection, "insert into t values (null)")


@pytest.mark.documented("t_Defining_constraints", "as documented")
def test_keys_are_written_down_and_not_enforced(connection: Connection) -> None:
    run(
        connection,
        "create table parent (id int primary key, code varchar(5) unique)",
        "create table child (id int, parent_id int not null references parent (id), code varchar(5), constraint pk primary key (id), "
        "foreign key (code) references parent (code))",
        "insert into child values (1, 99, 'x'), (1, 98, 'x')",
        "insert into parent values (1, 'a'), (1, 'a')",
    )
    query = "select constraint_type, constraint_name from information_schema.table_constraints where table_name = 'child' order by 1, 2"
    assert rows(connection, query) == [
        ["FOREIGN KEY", "child_code_fkey"],
        ["FOREIGN KEY", "child_parent_id_fkey"],
        ["PRIMARY KEY", "pk"],
    ]
    with pytest.raises(ProgrammingError, match="Cannot insert a NULL value into column id"):
        run(connection, "insert into child values (null, 1, 'x')")
    run(connection, "alter table child drop constraint pk", "alter table child add primary key (parent_id)")


@pytest.mark.documented("r_CREATE_TABLE_NEW", "as documented")
def test_identity(connection: Connection) -> None:
    run(
        connection,
        "create table t (id bigint identity(10, 5), other int generated by default as identity(0, 1), name varchar(5))",
        "insert into t (name) values ('a'), ('b')",
        "insert into t (other, name) values (77, 'c')",
    )
    assert rows(connection, "select * from t order by id") == [[10, 0, "a"], [15, 1, "b"], [20, 77, "c"]]
    with pytest.raises(ProgrammingError, match="cannot set an identity column to a value"):
        run(connection, "insert into t (id, name) values (1, 'x')")


@pytest.mark.documented("r_ALTER_TABLE", "as documented")
def test_altering_columns(connection: Connection) -> None:
    run(
        connection,
        "create table t (a varchar(3), b int)",
        "alter table t add column c text default 'new' encode lzo",
        "alter table t alter column a type varchar(6)",
        "alter table t drop column b",
        "alter table t rename column a to d",
        "insert into t values ('abcdef', 'x')",
    )
    query = "select \"column\", type, encoding from pg_table_def where tablename = 't' order by 1"
    assert rows(connection, query) == [
        ["c", "character varying(256)", "lzo"],
        ["d", "character varying(6)", "lzo"],
    ]


@pytest.mark.documented("r_ALTER_TABLE", "refused as documented")
def test_altering_a_type_is_no_part_of_a_transaction(connection: Connection) -> None:
    run(connection, "create table t (a varchar(3))", "begin")
    with pytest.raises(ProgrammingError, match="cannot run inside a transaction block"):
        run(connection, "alter table t alter column a type varchar(6)")
    run(connection, "rollback")


# Statements -----------------------------------------------------------------------------------------------------------


@pytest.mark.documented("r_MERGE", "as documented")
def test_merge(connection: Connection) -> None:
    run(
        connection,
        "create table t (id int, name varchar(9))",
        "create table s (id int, name varchar(9))",
        "insert into t values (1, 'old'), (2, 'kept')",
        "insert into s values (1, 'new'), (3, 'added')",
        "merge into t using s as n on t.id = n.id when matched then update set name = n.name "
        "when not matched then insert (id, name) values (n.id, n.name)",
    )
    assert rows(connection, "select * from t order by id") == [[1, "new"], [2, "kept"], [3, "added"]]
    run(connection, "insert into s values (1, 'twice')")
    with pytest.raises(ProgrammingError, match="Found multiple matches to update the same tuple"):
        run(
            connection,
            "merge into t using s on t.id = s.id when matched then update set name = s.name "
            "when not matched then insert values (s.id, s.name)",
        )
    run(connection, "delete s where id = 1", "delete from s")


@pytest.mark.documented("r_TRUNCATE", "as documented")
def test_truncate_commits(connection: Connection) -> None:
    run(
        connection,
        "create table t (a int)",
        "create table other (a int)",
        "insert into t values (1)",
        "begin",
        "insert into other values (1)",
        "truncate t",
        "rollback",
    )
    assert rows(connection, "select (select count(*) from t), (select count(*) from other)") == [[0, 1]]


@pytest.mark.documented("r_DELETE", "as documented")
def test_delete_is_rolled_back(connection: Connection) -> None:
    run(connection, "create table t (a int)", "insert into t values (1)", "begin", "delete from t", "rollback")
    assert rows(connection, "select a from t") == [[1]]


@pytest.mark.documented("r_VACUUM_command", "as documented")
def test_vacuum_and_analyze(connection: Connection) -> None:
    run(
        connection,
        "create table t (a int)",
        "vacuum",
        "vacuum full t to 99 percent boost",
        "vacuum delete only t",
        "analyze t",
        "analyze t predicate columns",
        "begin",
    )
    with pytest.raises(ProgrammingError, match="VACUUM cannot run inside a transaction block"):
        run(connection, "vacuum t")
    run(connection, "rollback")


# https://docs.aws.amazon.com/redshift/latest/dg/t_Analyzing_tables.html: statistics after CREATE TABLE AS, INSERT and COPY
@pytest.mark.documented("t_Analyzing_tables", "as documented")
@pytest.mark.parametrize(
    "statements",
    [
        ("create table t as select 1 as a union all select 2",),
        ("select 1 as a into t union all select 2",),
        ("create table t (a int)", "insert into t values (1), (2)"),
    ],
)
def test_a_table_is_analysed_once_it_is_filled(connection: Connection, statements: tuple[str, ...]) -> None:
    run(connection, "begin", *statements)
    assert rows(connection, "select reltuples from pg_class where relname = 't'") == [[2.0]]
    assert rows(connection, "select stats_off from svv_table_info where \"table\" = 't'") == [[0]]
    run(connection, "delete from t where a = 1")
    assert rows(connection, "select stats_off from svv_table_info where \"table\" = 't'") == [[100]]
    run(connection, "analyze t")
    assert rows(connection, "select stats_off from svv_table_info where \"table\" = 't'") == [[0]]
    run(connection, "rollback")


# https://docs.aws.amazon.com/redshift/latest/dg/r_Serializable_isolation_example.html
@pytest.mark.documented("r_Serializable_isolation_example", "as documented")
def test_who_writes_into_a_table_waits_for_whoever_does(connection: Connection, connect: Connect) -> None:
    run(connection, "create table t (a int)", "begin", "insert into t values (1)")
    with connect() as other:
        run(other, "set statement_timeout to 300")
        with pytest.raises(ProgrammingError, match="statement timeout"):
            run(other, "insert into case_schema.t values (2)")
        run(connection, "commit")
        run(other, "insert into case_schema.t values (2)")
    assert rows(connection, "select a from t order by a") == [[1], [2]]


@pytest.mark.documented("r_CREATE_TABLE_NEW", "as documented")
def test_temporary_tables(connection: Connection) -> None:
    run(
        connection,
        "create temp table tt (a text) diststyle all",
        "insert into tt values ('x')",
        "create table #hash (a int)",
    )
    assert rows(connection, "select a from tt") == [["x"]]


def test_a_temporary_table_may_have_a_long_name(connection: Connection) -> None:
    name = "n" * 100
    run(connection, f"create temporary table {name} as (select 1 as a)")
    assert rows(connection, f"select a from {name}") == [[1]]  # noqa: S608 - the name is our own
    query = f"select column_name from information_schema.columns where table_name = '{name}'"  # noqa: S608
    assert rows(connection, query) == [["a"]]


@pytest.mark.documented("SYS_QUERY_DETAIL", "as documented")
def test_when_a_table_was_written_last(connection: Connection) -> None:
    run(connection, "create table t (a int)", "insert into t values (1)")
    query = """
        select count(*), max(q.start_time) <= sysdate from sys_query_detail q join pg_class c on c.oid = q.table_id
        where c.relname = 't' and q.step_name = 'insert'
    """
    assert rows(connection, query) == [[1, True]]
