"""Transactions that have no order: serializable isolation, and error 1023.

https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html has the timeline of two updates,
https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation-serializable-isolation-troubleshooting.html
the two transactions that read what the other one writes, and the ways out of it. The fields of the error are those of a
client's log: https://github.com/aws/aws-sdk-pandas/issues/665.

How it would break: a circle of transactions is committed; transactions that have an order are refused; who was refused
has changed something, or cannot try again; a statement that commits by itself, a view, a COPY or a prepared statement
is not counted; who was rolled back is; who waited for a table is refused instead of going on; LOCK does not help.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from concurrency import Pair, Waiting, two_transactions  # type: ignore[import-not-found]
from copying import Put, copy, put  # type: ignore[import-not-found]
from raw_client import RawClient, wait_until  # type: ignore[import-not-found]

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.redshift.isolation.graph import Graph, Snapshot
from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

__all__ = ["put"]

PAGE = "c_serial_isolation"
TROUBLE = "c_serial_isolation-serializable-isolation-troubleshooting"


@contextmanager
def refused(pattern: str = r"[\d, ]+") -> Iterator[None]:
    """A statement that would leave the transactions without an order."""
    with pytest.raises(ProgrammingError) as raised:
        yield
    error = raised.value.args[0]
    assert (error["C"], error["M"]) == ("XX000", "1023")
    said = (
        rf"Serializable isolation violation on table - \d+, transactions forming the cycle are: {pattern} \(pid:\d+\)"
    )
    assert re.fullmatch(said, error["D"])


@pytest.fixture(scope="module")
def database(connect: Connect) -> Iterator[str]:
    with connect() as connection:
        run(connection, "create database strict isolation level serializable")
        yield "strict"
        wait_until(lambda: rows(connection, "select count(*) from stv_sessions where db_name = 'strict'") == [[0]])
        run(connection, "drop database strict")


@pytest.fixture
def onlooker(connect: Connect, database: str) -> Iterator[Connection]:
    with connect(database=database) as connection:
        run(
            connection,
            "create schema case_schema",
            "set search_path to case_schema",
            "create table numbers (digits int)",
            "create table tab1 (a int)",
            "create table tab2 (a int)",
            "insert into numbers values (0), (1)",
        )
        yield connection
        run(connection, "drop schema case_schema cascade")


@pytest.fixture
def two(onlooker: Connection, connect: Connect, database: str) -> Iterator[Pair]:
    with two_transactions(connect, database=database) as pair:
        yield pair


def count(client: Connection, table: str) -> object:
    return rows(client, f"select count(*) from {table}")[0][0]  # noqa: S608 - the case's own table


# No order -------------------------------------------------------------------------------------------------------------


@pytest.mark.documented(PAGE, "refused as documented")
def test_two_updates_of_different_rows(onlooker: Connection, two: Pair) -> None:
    """The page's timeline: "Amazon Redshift terminates user 2 … only user 1 can commit successfully"."""
    first, second = two
    assert count(first, "numbers") == count(second, "numbers") == 2
    run(first, "update numbers set digits = 0 where digits = 1")
    assert rows(first, "select digits from numbers") == [[0], [0]]
    run(first, "commit")
    with refused(r"\d+, \d+"):
        run(second, "update numbers set digits = 1 where digits = 0")
    with pytest.raises(ProgrammingError, match="current transaction is aborted"):
        run(second, "select 1")
    run(second, "rollback")
    assert rows(onlooker, "select digits from numbers") == [[0], [0]]


def cross(first: Connection, second: Connection) -> None:
    run(first, "select * from tab1", "insert into tab2 values (1)")
    run(second, "insert into tab1 values (1)")


@pytest.mark.documented(TROUBLE, "refused as documented")
@pytest.mark.parametrize("ends", ["", "commit"])
def test_the_last_of_two_that_read_what_the_other_writes(onlooker: Connection, two: Pair, ends: str) -> None:
    """ "The last operation that is run results in a serializable isolation error", also behind the other's COMMIT."""
    first, second = two
    cross(first, second)
    if ends:
        run(first, ends)
    with refused(r"\d+, \d+"):
        run(second, "select * from tab2")
    run(second, "rollback")
    run(first, "commit")
    assert (count(onlooker, "tab1"), count(onlooker, "tab2")) == (0, 1)


@pytest.mark.documented(TROUBLE, "refused as documented")
def test_the_table_and_the_transactions_are_told(onlooker: Connection, two: Pair) -> None:
    """Their numbers are those of the catalogue."""
    first, second = two
    cross(first, second)
    found = rows(onlooker, "select oid::int, relname from pg_class where relname in ('tab1', 'tab2')")
    tables = {int(str(number)): name for number, name in found}
    with pytest.raises(ProgrammingError) as raised:
        run(second, "select * from tab2")
    table = re.search(r"table - (\d+),", raised.value.args[0]["D"])
    assert table
    assert tables[int(table[1])] in {"tab1", "tab2"}


@pytest.mark.documented(TROUBLE, "as documented")
def test_who_was_refused_tries_again(two: Pair) -> None:
    first, second = two
    cross(first, second)
    with refused():
        run(second, "select * from tab2")
    run(second, "rollback")
    run(first, "commit")
    run(second, "begin", "insert into tab1 values (1)")
    assert count(second, "tab2") == 1
    run(second, "commit")


@pytest.mark.documented(TROUBLE, "as documented")
def test_reads_outside_of_the_transactions(onlooker: Connection, two: Pair) -> None:
    """The page's first way out, as it has it."""
    first, second = two
    run(first, "insert into tab1 values (1)", "end", "select * from tab2")
    run(second, "rollback", "select * from tab1", "begin", "insert into tab2 values (1)", "end")
    assert (count(onlooker, "tab1"), count(onlooker, "tab2")) == (1, 1)


@pytest.mark.documented(TROUBLE, "as documented")
def test_locks_at_the_beginning(onlooker: Connection, two: Pair) -> None:
    """The page's second way out: all tables, in the same order, before anything else."""
    first, second = two
    run(first, "lock tab1, tab2", "select * from tab1", "insert into tab2 values (1)")
    waiting = Waiting(onlooker, second, "lock tab1, tab2")
    run(first, "commit")
    waiting.goes_on()
    run(second, "insert into tab1 values (1)")
    assert count(second, "tab2") == 1
    run(second, "commit")


@pytest.mark.documented(TROUBLE, "refused as documented")
def test_a_lock_that_comes_too_late(onlooker: Connection, two: Pair) -> None:
    """As of a client that has learned it: https://github.com/estuary/connectors/pull/5220."""
    first, second = two
    run(second, "select * from tab1")
    run(first, "lock numbers", "update numbers set digits = 5 where digits = 0")
    waiting = Waiting(onlooker, second, "lock numbers")
    run(first, "commit")
    waiting.goes_on()
    with refused():
        run(second, "update numbers set digits = 6 where digits = 1")


@pytest.mark.documented(PAGE, "refused as documented")
def test_a_circle_of_three(onlooker: Connection, two: Pair, connect: Connect, database: str) -> None:
    first, second = two
    with connect(database=database) as third:
        run(third, "set search_path to case_schema", "begin")
        run(first, "select * from tab1", "insert into tab2 values (1)")
        run(second, "select * from tab2", "insert into numbers values (1)")
        run(third, "insert into tab1 values (1)", "commit", "begin", "insert into tab1 values (2)")
        with refused(r"\d+, \d+, \d+"):
            run(third, "select * from numbers")
        run(third, "rollback")
    run(first, "commit")
    run(second, "commit")
    assert count(onlooker, "tab1") == 1


WRITES_TAB1 = {
    "insert": "insert into tab1 select a from tab2",
    "update": "update tab1 set a = 3 from tab2",
    "delete": "delete from tab1 using tab2 where tab1.a = tab2.a",
    "merge": "merge into tab1 using tab2 on tab1.a = tab2.a when matched then delete "
    "when not matched then insert values (1)",
    "view": "insert into tab1 select a from seen",
    "create table as": "create table made as select * from tab2",
}


@pytest.mark.documented(PAGE, "refused as documented")
@pytest.mark.parametrize("statement", WRITES_TAB1.values(), ids=WRITES_TAB1.keys())
def test_a_statement_that_commits_by_itself_counts(onlooker: Connection, two: Pair, statement: str) -> None:
    """It is a transaction, too; that it takes part in a circle is inferred."""
    first, _ = two
    run(onlooker, "create view seen as select a from tab2")
    run(first, "select * from tab1")
    if statement.startswith("create"):
        run(onlooker, statement, "insert into tab1 values (1)")
        run(first, "insert into tab2 values (1)", "commit")  # it reads tab2, and writes nothing that somebody has read
        return
    run(onlooker, statement)
    with refused():
        run(first, "insert into tab2 values (1)")
    run(first, "rollback")
    assert count(onlooker, "tab2") == 0


@pytest.mark.documented(PAGE, "refused as documented")
def test_copy_counts(two: Pair, put: Put) -> None:
    first, second = two
    run(first, "select * from tab1", "insert into tab2 values (1)")
    run(second, "select * from tab2")
    with refused():
        run(second, copy(put("1.csv", "1\n"), "csv", "tab1"))


@pytest.mark.documented(PAGE, "refused as documented")
def test_a_prepared_statement_counts_in_every_transaction(two: Pair) -> None:
    """The driver prepares it once, and binds it in the transactions that follow."""
    first, second = two
    for again in (False, True):
        cursor = second.cursor()
        cursor.execute("insert into tab1 values (%s)", (1,))
        if again:
            run(first, "select * from tab1", "insert into tab2 values (1)")
            with refused():
                run(second, "select * from tab2")
        run(second, "rollback", "begin")


@pytest.mark.documented(PAGE, "refused as documented")
def test_the_simple_protocol(redshift: LocalRedshift, onlooker: Connection, two: Pair) -> None:
    """Nothing of the statement is answered but the error; several statements in one string are one transaction."""
    first, second = two
    del second
    run(first, "select * from case_schema.tab1", "insert into case_schema.tab2 values (1)")
    client = RawClient(redshift).log_in("strict")
    assert client.run("begin") == "T"
    assert client.run("insert into case_schema.tab1 values (1)") == "T"
    client.query("select * from case_schema.tab2")
    kinds = [kind for kind, _ in client.read_until(b"Z")]
    assert kinds == [b"E", b"Z"]
    assert client.run("rollback") == "I"
    assert client.run("insert into case_schema.tab1 values (1); select * from case_schema.tab2") == "XX000 I"
    assert client.run("insert into case_schema.tab1 select a from case_schema.tab2") == "XX000 I"
    run(first, "commit")
    assert client.run("insert into case_schema.tab1 select a from case_schema.tab2") == "I"
    assert count(onlooker, "tab1") == 1
    client.close()


# An order -------------------------------------------------------------------------------------------------------------


@pytest.mark.documented(PAGE, "as documented")
def test_who_only_reads_comes_before(onlooker: Connection, two: Pair) -> None:
    first, second = two
    assert count(first, "tab1") == 0
    run(second, "insert into tab1 values (1)", "insert into tab2 values (1)", "commit")
    run(onlooker, "insert into tab2 values (1)")
    assert (count(first, "tab1"), count(first, "tab2")) == (0, 0)
    run(first, "commit", "begin read only")
    assert count(first, "tab1") == 1
    run(first, "commit")


@pytest.mark.documented(PAGE, "as documented")
def test_who_was_rolled_back_does_not_count(two: Pair) -> None:
    first, second = two
    cross(first, second)
    run(first, "rollback")
    assert count(second, "tab2") == 0
    run(second, "commit")
    run(first, "begin", "select * from tab1", "insert into tab2 values (1)")
    run(second, "begin", "insert into tab1 values (1)")
    with pytest.raises(ProgrammingError, match="does not exist"):
        run(first, "select missing from tab1")
    assert count(second, "tab2") == 0
    run(second, "commit")


@pytest.mark.documented("r_Serializable_isolation_example", "as documented")
@pytest.mark.parametrize(
    "statement", ["insert into numbers values (2)", "delete from numbers", "update numbers set digits = 9"]
)
def test_who_waits_for_the_table_goes_on(onlooker: Connection, two: Pair, statement: str) -> None:
    """ "The second transaction will succeed because it must wait for the first to complete"."""
    first, second = two
    run(first, statement)
    waiting = Waiting(onlooker, second, statement)
    run(first, "commit")
    waiting.goes_on()
    run(second, "commit")


@pytest.mark.documented("r_Serializable_isolation_example", "as documented")
def test_a_mixture_of_reads_and_writes(onlooker: Connection, two: Pair) -> None:
    first, second = two
    run(first, "delete from numbers where digits = 0", "insert into numbers values (2), (3)")
    assert count(first, "numbers") == 3
    run(first, "analyze numbers")
    waiting = Waiting(onlooker, second, "insert into numbers values (4)")
    run(first, "commit")
    waiting.goes_on()
    assert count(second, "numbers") == 4
    run(second, "analyze numbers", "commit")


@pytest.mark.documented("c_write_readwrite", "as documented")
def test_loads_share_no_lock(onlooker: Connection, two: Pair) -> None:
    """That two of them end as a deadlock where one goes on to delete, the page says of snapshot isolation."""
    first, second = two
    run(first, "insert into numbers values (2)")
    waiting = Waiting(onlooker, second, "insert into numbers values (3)")
    run(first, "delete from numbers", "commit")
    waiting.goes_on()
    assert rows(second, "select digits from numbers") == [[3]]


def test_transactions_of_before_are_forgotten() -> None:
    graph = Graph()
    old = graph.begin("strict", 1)
    old.number, old.snapshot, old.writes = 10, Snapshot.of("10:11:"), frozenset({7})
    reader = graph.begin("strict", 2)
    reader.number, reader.snapshot, reader.reads = 11, Snapshot.of("10:12:10"), frozenset({7})
    graph.commit(old)
    old.reads, reader.writes = frozenset({8}), frozenset({8})
    circle = graph.circle(reader)
    assert circle
    assert circle.transactions == [reader, old]
    assert circle.table == 7
    elsewhere = graph.begin("another", 3)
    elsewhere.number, elsewhere.snapshot = 12, Snapshot.of("13:13:")
    elsewhere.reads = elsewhere.writes = frozenset({7, 8})
    assert graph.circle(elsewhere) is None
    graph.forget(reader)
    assert graph == Graph([elsewhere])
