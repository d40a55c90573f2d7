"""What a transaction sees of the others under snapshot isolation, which is the default, and when it begins to see it.

https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html says what takes the snapshot, and that the
catalogue has none;
https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
says what is answered for a table that is not in it.

How it would break: a transaction sees what was committed after its first SELECT, COPY, CREATE or DROP; it does not see
what was committed before it; LOCK, SET, a query of the catalogue or of nothing takes the snapshot, or what the endpoint
itself asks does; one that waited for a lock sees the rows from before its wait; the catalogue is frozen with the data,
or does not show a transaction's own tables; two updates of one row are both committed, or two of different rows are
not; a table that is younger than the snapshot is read as empty.
"""

from collections.abc import Iterator

import pytest
from concurrency import Pair, Waiting, two_transactions  # type: ignore[import-not-found]
from copying import Put, copy, put  # type: ignore[import-not-found]
from raw_client import RawClient  # type: ignore[import-not-found]

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

__all__ = ["put"]

PAGE = "c_serial_isolation"
TROUBLE = "c_serial_isolation-serializable-isolation-troubleshooting"


@pytest.fixture
def two(connection: Connection, connect: Connect) -> Iterator[Pair]:
    run(
        connection,
        "create table numbers (digits int)",
        "insert into numbers values (0), (1)",
        "create table other (a int)",
    )
    with two_transactions(connect) as pair:
        yield pair


def digits(client: Connection) -> list[object]:
    return [row[0] for row in rows(client, "select digits from numbers order by 1")]


TAKES_SNAPSHOT = {
    "select": "select * from other",
    "with": "with v as (select * from other) select * from v",
    "insert": "insert into other values (1)",
    "update": "update other set a = 1",
    "delete": "delete from other",
    "create table": "create table made (a int)",
    "create table as": "create table made as select * from other",
    "select into": "select * into made from other",
    "drop table": "drop table other",
    "add a column": "alter table other add column b int",
    "drop a column": "alter table other drop column a",
}


@pytest.mark.documented(PAGE, "as documented")
@pytest.mark.parametrize("statement", TAKES_SNAPSHOT.values(), ids=TAKES_SNAPSHOT.keys())
def test_the_first_of_these_takes_the_snapshot(connection: Connection, two: Pair, statement: str) -> None:
    first, _ = two
    run(connection, "insert into numbers values (2)")  # the transaction has begun, and seen nothing yet
    run(first, statement)
    run(connection, "insert into numbers values (3)")
    assert digits(first) == [0, 1, 2]
    run(first, "commit", "begin")
    assert digits(first) == [0, 1, 2, 3]


TAKES_NONE = {
    "lock": "lock table other",
    "lock of two": "lock other, numbers",
    "set": "set query_group to 'nightly'",
    "set the search path": "set search_path to case_schema, public",
    "show": "show search_path",
    "nothing": "select 1 as one",
    "pg": "select tablename from pg_tables where schemaname = 'case_schema'",
    "pg joined": "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'x'",
    "svv": "select * from svv_redshift_columns where schema_name = 'case_schema'",
    "svv tables": "select * from svv_tables where table_schema = 'case_schema'",
    "information_schema": "select table_name from information_schema.tables where table_schema = 'case_schema'",
    "show tables": "show tables from schema dev.case_schema",
    "late-binding views": "select * from pg_get_late_binding_view_cols() c(a name, b name, c name, d varchar, e int)",
    "logs": "select count(*) from sys_query_history",
}


@pytest.mark.documented(PAGE, "as documented")
def test_so_does_copy(connection: Connection, two: Pair, put: Put) -> None:
    first, _ = two
    run(first, copy(put("1.csv", "1\n"), "csv", "other"))
    run(connection, "insert into numbers values (3)")
    assert digits(first) == [0, 1]


@pytest.mark.documented("r_Serializable_isolation_example", "as documented")
def test_a_copy_that_waited_sees_what_was_waited_for(connection: Connection, two: Pair, put: Put) -> None:
    """ "Its COUNT query will return the count based on the load it has completed"."""
    first, second = two
    run(first, copy(put("1.csv", "7\n"), "csv", "numbers"))
    waiting = Waiting(connection, second, copy(put("2.csv", "8\n"), "csv", "numbers"))
    run(first, "commit")
    waiting.goes_on()
    assert digits(second) == [0, 1, 7, 8]


@pytest.mark.documented(PAGE, "as documented")
@pytest.mark.parametrize("statement", TAKES_NONE.values(), ids=TAKES_NONE.keys())
def test_these_take_none(connection: Connection, two: Pair, statement: str) -> None:
    """LOCK and SET are not among what the page lists, and the catalogue is isolated by other rules.

    "SELECT queries that do not reference any table" took none by an earlier text of the page (2020).
    """
    first, _ = two
    run(first, statement, statement)
    if statement.startswith("lock"):
        run(first, "rollback", "begin", "lock other")
    run(connection, "insert into numbers values (2)")
    assert digits(first) == [0, 1, 2]


@pytest.mark.documented(PAGE, "as documented")
def test_a_prepared_query_of_the_catalogue_takes_none_either(connection: Connection, two: Pair) -> None:
    """The driver prepares it once, for transactions and for what commits by itself."""
    first, _ = two
    run(first, "commit")
    query = "select tablename from pg_tables where schemaname = %s order by 1"

    def tables() -> list[object]:
        cursor = first.cursor()
        cursor.execute(query, ("case_schema",))
        return [row[0] for row in cursor.fetchall()]

    assert tables() == ["numbers", "other"]
    run(first, "begin")
    assert tables() == ["numbers", "other"]
    run(connection, "insert into numbers values (2)")
    assert digits(first) == [0, 1, 2]
    run(first, "create table own (a int)")
    assert tables() == ["numbers", "other", "own"]
    run(first, "rollback", "begin")
    assert tables() == ["numbers", "other"]
    run(first, "commit")
    assert tables() == ["numbers", "other"]


@pytest.mark.documented(PAGE, "as documented")
def test_reads_are_repeatable(connection: Connection, two: Pair) -> None:
    """Neither what others change, nor what they delete or add, is seen."""
    first, second = two
    assert digits(first) == [0, 1]
    run(second, "update numbers set digits = 7 where digits = 1", "insert into numbers values (8)", "commit")
    run(connection, "delete from numbers where digits = 0")
    assert digits(first) == [0, 1]
    assert digits(connection) == [7, 8]
    run(first, "insert into numbers values (9)")
    assert digits(first) == [0, 1, 9]


@pytest.mark.documented(PAGE, "as documented")
def test_dirty_reads_are_prevented(two: Pair) -> None:
    first, second = two
    run(first, "update numbers set digits = 7")
    assert digits(second) == [0, 1]


@pytest.mark.documented(PAGE, "as documented")
def test_updates_of_different_rows_are_both_committed(connection: Connection, two: Pair) -> None:
    """The page's own timeline: a write skew."""
    first, second = two
    assert digits(first) == digits(second) == [0, 1]
    run(first, "update numbers set digits = 0 where digits = 1")
    assert digits(first) == [0, 0]
    run(first, "commit")
    run(second, "update numbers set digits = 1 where digits = 0")
    assert digits(second) == [1, 1]
    run(second, "commit")
    assert digits(connection) == [0, 1]


CONFLICTS = ["update numbers set digits = 5 where digits = 1", "delete from numbers where digits = 1"]


@pytest.mark.documented("r_CREATE_DATABASE", "as documented")
@pytest.mark.parametrize("later", CONFLICTS)
@pytest.mark.parametrize("earlier", CONFLICTS)
def test_changes_of_the_same_row_conflict(connection: Connection, two: Pair, earlier: str, later: str) -> None:
    """ "Protection against update and delete conflicts". No page has the error; Redshift's clients have:
    https://github.com/aws/amazon-redshift-jdbc-driver/issues/147, https://github.com/dbt-labs/dbt-adapters/pull/2064.
    Its SQLSTATE, XX000, is told by one of them, too.
    """
    first, second = two
    assert digits(second) == [0, 1]
    run(first, earlier, "commit")
    with pytest.raises(ProgrammingError) as raised:
        run(second, later)
    error = raised.value.args[0]
    assert (error["C"], error["M"]) == ("XX000", "could not complete because of conflict with concurrent transaction")
    with pytest.raises(ProgrammingError, match="current transaction is aborted"):
        run(second, "select 1")
    run(second, "rollback")
    run(connection, later)  # again, and by itself


@pytest.mark.documented("c_write_readwrite", "as documented")
@pytest.mark.parametrize(
    "statement", ["update numbers set digits = digits + 10", "insert into numbers select digits + 10 from numbers"]
)
def test_who_waited_sees_what_was_waited_for(connection: Connection, two: Pair, statement: str) -> None:
    """ "The second transaction does not obtain its snapshot of data until after the first has released its lock"."""
    first, second = two
    run(first, "delete from numbers where digits = 0", "insert into numbers values (4)")
    waiting = Waiting(connection, second, statement)
    run(first, "commit")
    waiting.goes_on()
    expected = [11, 14] if statement.startswith("update") else [1, 4, 11, 14]
    assert digits(second) == expected


@pytest.mark.documented("r_LOCK", "as documented")
def test_lock_first_and_the_snapshot_is_younger_than_the_wait(connection: Connection, two: Pair) -> None:
    """As two that register what they have copied: the second one knows what the first one has."""
    first, second = two
    for client in two:
        assert rows(client, "select count(*) from pg_tables where tablename = 'numbers'") == [[1]]
    run(first, "lock table numbers")
    waiting = Waiting(connection, second, "lock table numbers")
    run(first, "insert into numbers values (2)", "commit")
    waiting.goes_on()
    assert digits(second) == [0, 1, 2]


@pytest.mark.documented("r_LOCK", "as documented")
def test_a_lock_that_comes_too_late_does_not_make_the_snapshot_younger(connection: Connection, two: Pair) -> None:
    """ "Lock all tables at the beginning of the transaction, before performing any operations"."""
    first, second = two
    assert rows(second, "select count(*) from other") == [[0]]
    run(first, "lock table numbers")
    waiting = Waiting(connection, second, "lock table numbers")
    run(first, "insert into numbers values (2)", "commit")
    waiting.goes_on()
    assert digits(second) == [0, 1]


LOOKS_INTO_TABLES = {
    "their rows": "select \"table\" from svv_table_info where schema = 'case_schema'",
    "texts of views": "select definition from pg_views where schemaname = 'case_schema'",
    "a text": "select pg_get_viewdef(oid) from pg_class where relname = 'seen'",
    "columns": "select * from information_schema.columns where table_schema = 'case_schema'",
    "show": "show view case_schema.seen",
    "names": "select tablename from pg_tables where schemaname = 'case_schema'",
    "columns of Redshift's": "select * from svv_redshift_columns where schema_name = 'case_schema'",
}


@pytest.mark.parametrize("query", LOOKS_INTO_TABLES.values(), ids=LOOKS_INTO_TABLES.keys())
def test_what_the_catalogue_looks_into_may_be_locked_by_the_transaction(
    connection: Connection, two: Pair, query: str
) -> None:
    """The second connection must not wait for the first."""
    run(connection, "create view seen as select digits from numbers")
    first, _ = two
    run(first, "lock numbers")
    assert rows(first, query)


def test_rows_that_the_transaction_has_added_are_counted(two: Pair) -> None:
    first, _ = two
    run(first, "insert into numbers values (2)")
    assert rows(first, "select tbl_rows from svv_table_info where \"table\" = 'numbers'") == [[3]]


@pytest.mark.documented(PAGE, "as documented")
def test_the_catalogue_is_not_frozen(connection: Connection, two: Pair) -> None:
    """The page's own example: a dropped table is no longer listed, and does not exist."""
    _, second = two
    listing = "select tablename from pg_tables where schemaname = 'case_schema' order by 1"
    assert rows(second, listing) == [["numbers"], ["other"]]
    assert digits(second) == [0, 1]
    run(connection, "drop table other", "create table later (a int)")
    assert rows(second, listing) == [["later"], ["numbers"]]
    with pytest.raises(ProgrammingError, match='relation "other" does not exist'):
        run(second, "select * from other")


@pytest.mark.documented(PAGE, "as documented")
def test_truncate_is_visible_at_once(connection: Connection, two: Pair) -> None:
    """ "Changes … that arise from DDL and TRUNCATE operations are visible on commit to any concurrent transactions"."""
    _, second = two
    assert rows(second, "select count(*) from other") == [[0]]
    run(connection, "truncate numbers")
    assert digits(second) == []


@pytest.mark.documented(PAGE, "different")
def test_behind_definitions_of_its_own_a_transaction_sees_the_catalogue_as_of_its_snapshot(
    connection: Connection, two: Pair
) -> None:
    """And its own definitions, which no other connection sees."""
    _, second = two
    run(second, "create table own (a int)")
    run(connection, "create table later (a int)")
    listing = "select tablename from pg_tables where schemaname = 'case_schema' order by 1"
    assert rows(second, listing) == [["numbers"], ["other"], ["own"]]


@pytest.mark.documented(TROUBLE, "refused as documented")
@pytest.mark.parametrize("query", ["select * from later", "insert into other select a from case_schema.later"])
def test_a_table_that_is_younger_than_the_snapshot_is_not_read(connection: Connection, two: Pair, query: str) -> None:
    """The SQLSTATE is inferred from that of 1023."""
    _, second = two
    assert digits(second) == [0, 1]
    run(connection, "create table later (a int)", "insert into later values (1)")
    with pytest.raises(ProgrammingError) as raised:
        run(second, query)
    error = raised.value.args[0]
    assert (error["C"], error["M"], error["D"]) == ("XX000", "1018", "Relation does not exist.")
    run(second, "rollback", "begin")
    assert rows(second, "select * from later") == [[1]]


@pytest.mark.documented(TROUBLE, "as documented")
def test_a_table_of_the_transaction_itself_is_read(connection: Connection, two: Pair) -> None:
    _, second = two
    assert digits(second) == [0, 1]
    run(second, "create table own as select digits from numbers", 'create temp table "#mine" (a int)')
    assert rows(second, "select count(*) from own") == [[2]]
    assert rows(second, 'select count(*) from "#mine"') == [[0]]
    run(second, "drop table own", "create table own (a int)")
    assert rows(second, "select count(*) from own") == [[0]]


def test_a_table_that_somebody_else_has_made_meanwhile_is_not_made_again(connection: Connection, two: Pair) -> None:
    _, second = two
    assert digits(second) == [0, 1]
    run(connection, "create table later (a int) diststyle all", "insert into later values (1)")
    run(second, "create table if not exists later (a int) diststyle even", "commit")
    assert rows(connection, "select diststyle from svv_table_info where \"table\" = 'later'") == [["ALL"]]


def test_an_error_in_a_query_of_the_catalogue_fails_the_transaction(redshift: LocalRedshift, two: Pair) -> None:
    for failing in (
        "select missing from pg_tables",
        "select relname::int from pg_class",
        "select missing from pg_tables qualify row_number() over (order by tablename) = 1",
    ):
        client = RawClient(redshift).log_in()
        assert client.run("begin") == "T"
        client.query(failing)
        assert client.outcome().endswith("E")
        assert client.run("select 1 from pg_tables") == "25P02 E"
        assert client.run("rollback") == "I"
        assert client.run("begin") == "T"
        client.prepare(failing)
        assert client.outcome().endswith("E")
        assert client.run("rollback") == "I"
        client.close()


def test_several_statements_in_one_string_are_one_transaction(
    redshift: LocalRedshift, connection: Connection, two: Pair
) -> None:
    first, _ = two
    run(first, "lock numbers")
    client = RawClient(redshift).log_in()
    client.query("select * from case_schema.other; select * from case_schema.numbers")
    Waiting.until_one_waits(connection)
    run(first, "insert into numbers values (2)", "commit")
    messages = client.read_until(b"Z")
    assert [kind for kind, _ in messages].count(b"D") == 2
    client.close()


def test_the_second_connection_is_nobodys_session(connection: Connection, two: Pair) -> None:
    sessions = rows(connection, "select count(*) from stv_sessions")
    assert rows(two[0], "select count(*) from pg_tables where tablename = 'numbers'") == [[1]]
    assert rows(connection, "select count(*) from stv_sessions") == sessions


def test_the_search_path_of_the_session_holds_for_the_catalogue_as_well(connection: Connection, two: Pair) -> None:
    """PG_TABLE_DEF shows what the search path finds: r_PG_TABLE_DEF."""
    first, _ = two
    query = "select distinct tablename from pg_table_def where schemaname = 'case_schema' order by 1"
    assert rows(first, query) == [["numbers"], ["other"]]
    run(first, "set search_path to public")
    assert rows(first, query) == []


def test_who_acts_as_another_sees_that_ones_catalogue(connection: Connection, connect: Connect, two: Pair) -> None:
    run(connection, "create user onlooker password 'Onlooker1'")
    first, _ = two
    run(first, "set session authorization onlooker")
    assert rows(first, "select count(*) from information_schema.tables where table_schema = 'case_schema'") == [[0]]
    run(first, "rollback", "set session authorization default")
    run(connection, "drop user onlooker")
