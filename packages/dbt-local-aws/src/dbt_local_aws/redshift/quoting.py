"""Texts and names in the SQL that PostgreSQL is sent."""


def literal(text: str | None) -> str:
    """A text as an SQL literal that reads the same whether backslashes escape or not."""
    if text is None:
        return "null"
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
