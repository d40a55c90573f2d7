"""What tests against the endpoint need again and again."""

from collections.abc import Callable

from redshift_connector.core import Connection
from redshift_connector.cursor import Cursor
from redshift_connector.error import InterfaceError, ProgrammingError

__all__ = ["Connect", "Connection", "Cursor", "InterfaceError", "ProgrammingError", "rows", "run"]

Connect = Callable[..., Connection]


def run(connection: Connection, *statements: str) -> Cursor:
    """Runs statements on one cursor, and gives it."""
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor


def rows(connection: Connection, query: str) -> list[list[object]]:
    """What a query gives."""
    return [list(row) for row in run(connection, query).fetchall()]
