"""Transactions that write at the same time, by the examples of the vendor's pages.

How it would break: two that insert do not wait for each other; two that delete other rows of one table do not; one does
not see what the other one has committed meanwhile, or sees it before; a deadlock is not found; a statement that commits
by itself does not wait; a rollback does not let the others go on; a reader waits; another table's writer waits; who
waits cannot be cancelled; a lock is asked for by who may not write.
"""

from collections.abc import Iterator

import pytest
from concurrency import (  # type: ignore[import-not-found]  # pytest has this folder on its path
    WAITING,
    Pair,
    Waiting,
    two_transactions,
)
from raw_client import RawClient, cancel, wait_until  # type: ignore[import-not-found]

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run


@pytest.fixture
def two(connection: Connection, connect: Connect) -> Iterator[Pair]:
    """Two transactions that have begun, beside a connection that looks on."""
    run(
        connection,
        "create table listing (a int)",
        "create table users (a int)",
        "insert into listing values (1), (2)",
        "insert into users values (1), (2)",
    )
    with two_transactions(connect) as pair:
        yield pair


WRITES = {
    "insert": "insert into listing values (3)",
    "update": "update listing set a = a where a = 1",
    "delete": "delete from listing where a = 1",
    "with": "with v as (select 1 as b) delete from listing where a in (select b from v)",
    "merge": "merge into listing using users on listing.a = users.a when matched then update set a = users.a "
    "when not matched then insert values (users.a)",
    "quoted": 'delete from "CASE_SCHEMA"."Listing" where a = 1',
    "whole name": "delete from dev.case_schema.listing where a = 1",
    "commented": "/* dbt */ delete /* from */ from -- it\n listing where a = 1",
}


@pytest.mark.documented("r_Serializable_isolation_example", "as documented")
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_who_writes_waits_for_the_other(connection: Connection, two: Pair, write: str, ends: str) -> None:
    first, second = two
    run(first, write)
    waiting = Waiting(connection, second, "delete from listing where a = 2")
    assert rows(connection, "select a from listing order by 1") == [[1], [2]]  # who reads does not wait
    run(connection, "delete from users where a = 2")  # nor who writes to another table
    run(first, ends)
    waiting.goes_on()
    run(second, "commit")
    assert [2] not in rows(connection, "select a from listing")


@pytest.mark.documented("r_Serializable_isolation_example", "as documented")
@pytest.mark.parametrize("write", ["insert", "delete", "update", "merge"])
def test_so_does_a_statement_that_commits_by_itself(connection: Connection, two: Pair, write: str) -> None:
    first, second = two
    run(second, "commit")
    run(first, "delete from listing", "insert into listing values (7)")
    waiting = Waiting(connection, second, WRITES[write].replace("a = 1", "a = 7"))
    run(first, "commit")
    waiting.goes_on()
    expected = {"insert": [[3], [7]], "delete": [], "update": [[7]], "merge": [[1], [2], [7]]}[write]
    assert rows(connection, "select a from listing order by 1") == expected


@pytest.mark.documented("c_write_readwrite", "as documented")
def test_what_was_waited_for_is_not_stale(connection: Connection, two: Pair) -> None:
    """Also what the first transaction has put there: the second one's snapshot is younger than its lock."""
    first, second = two
    run(first, "delete from listing where a = 1", "insert into listing values (10), (11)")
    waiting = Waiting(connection, second, "update listing set a = a + 100")
    run(first, "commit")
    waiting.goes_on()
    run(second, "commit")
    assert rows(connection, "select a from listing order by 1") == [[102], [110], [111]]


@pytest.mark.documented("r_Serializable_isolation_example", "as documented")
def test_a_mixture_of_read_and_write_operations(connection: Connection, two: Pair) -> None:
    first, second = two
    run(first, "delete from users where a = 1", "insert into users values (3), (4)")
    assert rows(first, "select count(*) from users") == [[3]]
    run(first, "analyze users")
    waiting = Waiting(connection, second, "insert into users values (5)")
    run(first, "commit")
    waiting.goes_on()
    assert rows(second, "select count(*) from users") == [[4]]
    run(second, "commit")


def assert_deadlock(waiting: Waiting, client: Connection, statement: str) -> None:
    """A statement that waits for who waits: one of the two, and one only, is told so."""
    failures = []
    try:
        run(client, statement)
    except ProgrammingError as error:
        failures.append(error)
        run(client, "rollback")
    try:
        waiting.goes_on()
    except ProgrammingError as error:
        failures.append(error)
    (failure,) = failures
    assert failure.args[0]["M"] == "deadlock detected"


@pytest.mark.documented("c_write_readwrite", "as documented")
def test_a_deadlock_of_two_tables(connection: Connection, two: Pair) -> None:
    first, second = two
    run(first, "delete from listing where a = 1")
    run(second, "delete from users where a = 1")
    waiting = Waiting(connection, first, "delete from users where a = 2")
    assert_deadlock(waiting, second, "delete from listing where a = 2")


@pytest.mark.documented("c_write_readwrite", "as documented")
def test_a_deadlock_of_one_table(connection: Connection, two: Pair) -> None:
    """Two insert, and one of them goes on to delete."""
    first, second = two
    run(first, "insert into listing values (3)")
    waiting = Waiting(connection, second, "insert into listing values (4)")
    assert_deadlock(waiting, first, "delete from listing where a = 3")


@pytest.mark.documented("r_LOCK", "as documented")
def test_lock_keeps_the_others_waiting(connection: Connection, two: Pair) -> None:
    first, second = two
    run(first, "lock listing, users")
    waiting = Waiting(connection, second, "insert into users values (9)")
    run(first, "insert into listing select a from users", "commit")
    waiting.goes_on()
    run(second, "commit")
    assert rows(connection, "select count(*) from listing") == [[4]]


def test_who_waits_can_be_cancelled(redshift: LocalRedshift, connection: Connection, two: Pair) -> None:
    run(two[0], "delete from listing where a = 1")
    client = RawClient(redshift).log_in()
    assert client.run("begin") == "T"
    client.query("delete from case_schema.listing where a = 2")
    wait_until(lambda: rows(connection, WAITING) == [[1]])
    cancel(redshift, client.key)
    assert client.outcome() == "57014 E"
    client.close()


def test_a_prepared_statement_waits_in_every_transaction(connection: Connection, two: Pair) -> None:
    """The driver prepares a statement once, and binds it in the transactions that follow."""
    first, second = two
    for number in (1, 2):
        cursor = first.cursor()
        cursor.execute("delete from listing where a = %s", (number,))
        waiting = Waiting(connection, second, "delete from listing where a = 99")
        run(first, "commit", "begin")
        waiting.goes_on()
        run(second, "commit", "begin")
    assert rows(connection, "select a from listing") == []


def test_who_may_only_read_is_refused_as_ever(connection: Connection, connect: Connect, two: Pair) -> None:
    run(connection, "create user onlooker password 'Onlooker1'", "grant usage on schema case_schema to onlooker")
    run(connection, "grant select on listing to onlooker")
    with connect(user="onlooker", password="Onlooker1") as onlooker:  # noqa: S106 - of this test alone
        for statement in ("delete from case_schema.listing", "update case_schema.listing set a = 1"):
            run(onlooker, "begin")
            with pytest.raises(ProgrammingError, match="permission denied for table listing"):
                run(onlooker, statement)
            run(onlooker, "rollback")
    run(connection, "revoke all on listing from onlooker", "revoke all on schema case_schema from onlooker")
    run(connection, "drop user onlooker")


@pytest.mark.parametrize("statement", ["delete from missing", "update missing set a = 1", "delete from", "update"])
def test_what_is_wrong_is_said_as_ever(two: Pair, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r'"missing" does not exist|syntax error'):
        run(two[0], statement)
