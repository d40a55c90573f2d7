"""The lock on a table that a transaction holds until its end when it changes or deletes rows.

"The second transaction does not obtain its snapshot of data until after the first transaction has released its lock":
https://docs.aws.amazon.com/redshift/latest/dg/c_write_readwrite.html. PostgreSQL would lock the rows alone. Who inserts
waits for the others when the table is analysed, behind the rows (sql/1_internal.sql).
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.tokens import Token, find_top_level, fold_names, qualified_name, starts_with, word_at


def write_lock(tokens: Sequence[Token], *, case_sensitive_names: bool) -> str | None:
    """The statement that locks the table of an UPDATE, a DELETE or a MERGE; None for any other statement."""
    tokens = tokens if case_sensitive_names else fold_names(tokens)
    at = find_top_level(tokens, "update", "delete") if word_at(tokens, 0) == "with" else 0
    if at < 0 or word_at(tokens, at) not in ("update", "delete", "merge"):
        return None
    table = at + 1 + (starts_with(tokens, "from|into", at=at + 1))
    if table >= len(tokens) or not tokens[table].is_identifier:
        return None  # PostgreSQL says what is wrong with it
    name, _ = qualified_name(tokens, table)
    return f"lock table {name.sql} in share row exclusive mode"
