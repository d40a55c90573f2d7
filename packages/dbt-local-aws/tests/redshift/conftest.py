"""A connection to the endpoint, for tests that change something and for those that do not."""

from collections.abc import Iterator

import pytest

from dbt_local_aws.testing.redshift import (
    Connect,
    Connection,
    connect,
    redshift,
    run,
    s3,
    s3_endpoint_url,
    sockets_closed,
)

__all__ = ["connect", "redshift", "s3", "s3_endpoint_url", "sockets_closed"]


@pytest.fixture
def connection(connect: Connect) -> Iterator[Connection]:
    """A connection for one test, with a schema of its own."""
    opened = connect()
    cursor = opened.cursor()
    cursor.execute("create schema case_schema")
    cursor.execute("set search_path to case_schema, public")
    yield opened
    opened.rollback()
    with connect() as cleaner:
        cleaner.cursor().execute("drop schema case_schema cascade")
    opened.close()


@pytest.fixture(scope="session")
def shared(connect: Connect) -> Iterator[Connection]:
    """A connection for tests that change nothing."""
    with connect() as opened:
        yield opened


@pytest.fixture(scope="module")
def grammar(connect: Connect) -> Iterator[Connection]:
    """A connection in a schema with tables to read and to change, for what the grammar takes and what it does not."""
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
        "create table sales (salesid int, listid int, eventid int, qtysold int, pricepaid decimal(8, 2), "
        "salestime timestamp)",
        "create view w as select a, b from t",
        "create view late_without_table as select listagg(a) as a from (select 1 as a) with no schema binding",
        "create view late as select a from grammar.t with no schema binding",
        "create function plus_one (int) returns int immutable as $$ select $1 + 1 $$ language sql",
    )
    yield connection
    run(connection, "drop schema grammar cascade", "drop group grammar_group")
    connection.close()
