"""CREATE TABLE … LIKE: what the new table inherits.

Source: CREATE TABLE (r_CREATE_TABLE_NEW) in the Amazon Redshift Database Developer Guide.
"""

# ruff: noqa: S608 - the names are our own

import pytest

from dbt_local_aws.testing.redshift import Connection, ProgrammingError, rows, run

pytestmark = pytest.mark.documented("r_CREATE_TABLE_NEW", "as documented")

PARENT = (
    "create table parent (gone int, a int not null encode zstd, b varchar(7) default 'x', c int, primary key (a)) "
    "diststyle key distkey (b) interleaved sortkey (c, a)"
)
DESIGN = (
    'select "column", type, encoding, distkey, sortkey, "notnull" from pg_table_def where tablename = \'{}\' '
    "and schemaname = 'case_schema'"
)


def test_distribution_sort_keys_and_encodings_are_inherited(connection: Connection) -> None:
    run(connection, PARENT, "alter table parent drop column gone", "create table child (like parent)")
    expected = [
        ["a", "integer", "zstd", False, -2, True],
        ["b", "character varying(7)", "lzo", True, 0, False],
        ["c", "integer", "none", False, 1, False],
    ]
    assert rows(connection, DESIGN.format("parent")) == expected
    assert rows(connection, DESIGN.format("child")) == expected


def test_a_distribution_style_is_inherited(connection: Connection) -> None:
    run(
        connection,
        "create table parent (a int) diststyle all backup no",
        "create table child (like parent, b int)",
        "insert into child values (1, 2)",
    )
    assert rows(connection, "select diststyle from svv_table_info where \"table\" = 'child'") == [["ALL"]]


def test_defaults_are_inherited_where_they_are_included(connection: Connection) -> None:
    run(
        connection,
        PARENT,
        "create table plain (like parent)",
        "create table excluded (like parent excluding defaults)",
        "create table included (like parent including defaults)",
    )
    for table, value in (("plain", None), ("excluded", None), ("included", "x")):
        run(connection, f"insert into {table} (a) values (1)")
        assert rows(connection, f"select b from {table}") == [[value]]


def test_keys_are_not_inherited_and_not_null_is(connection: Connection) -> None:
    run(connection, PARENT, "create table child (like parent)")
    query = "select count(*) from information_schema.table_constraints where table_name = 'child'"
    assert rows(connection, query) == [[0]]
    with pytest.raises(ProgrammingError, match="Cannot insert a NULL value into column a"):
        run(connection, "insert into child (b) values ('y')")


def test_the_tables_are_decoupled(connection: Connection) -> None:
    run(
        connection,
        PARENT,
        "create temp table child (like case_schema.parent)",
        "create table if not exists child (like parent)",
        "alter table parent alter diststyle even",
        "drop table parent",
    )
    assert [row[0] for row in rows(connection, "select * from child limit 0")] == []


@pytest.mark.documented("r_CREATE_TABLE_NEW", "refused as documented")
@pytest.mark.parametrize("attribute", ["diststyle even", "distkey (a)", "sortkey (a)", "backup no", "diststyle auto"])
def test_attributes_beside_like_are_refused(connection: Connection, attribute: str) -> None:
    run(connection, "create table parent (a int)")
    with pytest.raises(ProgrammingError, match="LIKE"):
        run(connection, f"create table child (like parent) {attribute}")
