"""The locks on a table that a transaction holds until its end when it changes the table's rows.

"The second transaction does not obtain its snapshot of data until after the first transaction has released its lock":
https://docs.aws.amazon.com/redshift/latest/dg/c_write_readwrite.html. So they are asked for before the statement is.
PostgreSQL would lock the rows alone.
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.tokens import Token, find_top_level, qualified_name, starts_with, word_at

_CHANGES = ("update", "delete", "merge")
_LOADS = ("insert", "copy")


def write_locks(tokens: Sequence[Token], *, serializable: bool) -> list[str]:
    """The statements that lock the table of an INSERT, a COPY, an UPDATE, a DELETE or a MERGE; none for any other.

    Under snapshot isolation those that load rows share a lock before they wait for each other, so that one of them
    that goes on to delete ends as a deadlock (c_write_readwrite).
    """
    at = find_top_level(tokens, "update", "delete") if word_at(tokens, 0) == "with" else 0
    word = word_at(tokens, at) if at >= 0 else ""
    if word not in (*_CHANGES, *_LOADS):
        return []
    table = at + 1 + (starts_with(tokens, "from|into", at=at + 1))
    if table >= len(tokens) or not tokens[table].is_identifier:
        return []  # PostgreSQL says what is wrong with it
    name, _ = qualified_name(tokens, table)
    if word in _CHANGES:
        return [f"lock table {name.sql} in share row exclusive mode"]
    alone = f"lock table {name.sql} in share update exclusive mode"
    return [alone] if serializable else [f"lock table {name.sql} in row exclusive mode", alone]


def loads_rows(tokens: Sequence[Token]) -> bool:
    """Whether a statement adds rows, and reads none of those that are there."""
    return word_at(tokens, 0) in _LOADS
