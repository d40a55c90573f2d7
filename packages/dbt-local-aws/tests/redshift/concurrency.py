"""A statement that another transaction keeps waiting, and two transactions that have begun."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from raw_client import wait_until  # type: ignore[import-not-found]  # pytest has this folder on its path

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run

Pair = tuple[Connection, Connection]

WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"


@contextmanager
def two_transactions(connect: Connect, **where: str) -> Iterator[Pair]:
    """Two transactions that have begun, in the schema of the case."""
    with connect(**where) as first, connect(**where) as second:
        for client in (first, second):
            run(client, "set search_path to case_schema", "begin")
        yield first, second
        for client in (first, second):
            run(client, "rollback")


class Waiting:
    """A statement that another transaction keeps waiting."""

    def __init__(self, onlooker: Connection, client: Connection, statement: str) -> None:
        self.error: Exception | None = None

        def work() -> None:
            try:
                run(client, statement)
            except ProgrammingError as error:
                self.error = error

        self._thread = threading.Thread(target=work)
        self._thread.start()
        self.until_one_waits(onlooker)

    @staticmethod
    def until_one_waits(onlooker: Connection) -> None:
        wait_until(lambda: rows(onlooker, WAITING) == [[1]])

    def goes_on(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
