"""What the tests of the Redshift endpoint share beside fixtures."""

import redshift_connector


def run(connection: redshift_connector.Connection, *statements: str) -> redshift_connector.Cursor:
    """Runs statements on one cursor, and gives it."""
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    return cursor


def rows(connection: redshift_connector.Connection, query: str) -> list[list[object]]:
    """What a query gives."""
    return [list(row) for row in run(connection, query).fetchall()]
