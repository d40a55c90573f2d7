"""BEGIN, COMMIT, ROLLBACK and their other names."""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import (
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.plans import Forward, Plan
from dbt_local_aws.redshift.tokens import (
    Token,
    render,
    word_at,
)


def no_savepoints(tokens: Sequence[Token], _: Context) -> Plan:
    """SAVEPOINT and its like, which Redshift has not."""
    raise not_supported(f"{tokens[0].text.upper()}")


# PostgreSQL's READ COMMITTED would take a snapshot for each statement
BEGIN = "begin isolation level repeatable read"
_ISOLATION_LEVELS = ("serializable", "read committed", "read uncommitted", "repeatable read")


def begin(tokens: Sequence[Token], _: Context) -> Forward:
    """Every isolation level that Redshift takes means the database's own; READ ONLY means what it says."""
    at = 1 + (word_at(tokens, 1) in ("work", "transaction"))
    if tokens[0].word == "start" and at == 1:
        raise syntax_error(tokens[1].text if len(tokens) > 1 else "")
    said = " ".join(token.word for token in tokens[at:])
    for level in _ISOLATION_LEVELS:
        said = said.removeprefix(f"isolation level {level}").strip()
    if said not in ("", "read only", "read write"):
        raise syntax_error(tokens[at].text)
    return Forward(f"{BEGIN} read only" if said == "read only" else BEGIN)


def commit(tokens: Sequence[Token], context: Context) -> Forward:
    """COMMIT and END."""
    at = 1 + (word_at(tokens, 1) in ("work", "transaction"))
    if at < len(tokens):
        raise syntax_error(tokens[at].text)
    return Forward(render(tokens))


def rollback(tokens: Sequence[Token], context: Context) -> Plan:
    """ROLLBACK and ABORT of the whole transaction."""
    if any(token.word == "to" for token in tokens):
        return no_savepoints(tokens, context)
    return commit(tokens, context)
