"""What the tests of the Redshift endpoint share beside fixtures."""

from redshift_connector.core import Connection
from redshift_connector.cursor import Cursor
from redshift_connector.error import ProgrammingError

__all__ = ["Connection", "Cursor", "ProgrammingError", "rows", "run"]


def run(connection: Connection, *statements: str) -> Cursor:
    """Runs statements on one cursor, and gives it."""
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor


def rows(connection: Connection, query: str) -> list[list[object]]:
    """What a query gives."""
    return [list(row) for row in run(connection, query).fetchall()]
