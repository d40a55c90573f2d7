"""CREATE SCHEMA and CREATE DATABASE, isolation levels, and schemas named with their database."""

from collections.abc import Sequence
from dataclasses import replace

from dbt_local_aws.redshift.errors import not_emulated, syntax_error
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.plans import Forward, Plan, Script
from dbt_local_aws.redshift.tokens import (
    Token,
    find_top_level,
    qualified_name,
    render,
    starts_with,
    word_at,
)

# As STV_DB_ISOLATION_LEVEL calls them
_ISOLATION_LEVELS = {"snapshot": "Snapshot Isolation", "serializable": "Serializable"}


def create_schema(tokens: Sequence[Token], at: int, context: Context) -> Forward:
    """CREATE SCHEMA, of this database and without what it contains."""
    absent = starts_with(tokens, "if", "not", "exists", at=at + 1)
    tokens = in_own_database(tokens, at + 1 + 3 * absent, context)
    quota = find_top_level(tokens, "quota")
    if quota >= 0:
        raise not_emulated("CREATE SCHEMA … QUOTA")
    if find_top_level(tokens, "create", "grant", start=1) >= 0:
        raise not_emulated("CREATE SCHEMA with what it contains")
    return Forward(render(tokens))


def in_own_database(tokens: Sequence[Token], at: int, context: Context) -> Sequence[Token]:
    """The tokens without the database before a schema's name, which must be the session's."""
    if word_at(tokens, at + 1) != ".":
        return tokens
    if tokens[at].name != context.database:
        raise not_emulated("a schema in another database than the session's")
    return [*tokens[:at], replace(tokens[at + 2], before=" "), *tokens[at + 3 :]]


def create_database(tokens: Sequence[Token], _: int, __: Context) -> Plan:
    """CREATE DATABASE by its name, and with an isolation level."""
    name, at = qualified_name(tokens, 2)
    create = f"create database {name.sql}"
    at += word_at(tokens, at) == "with"
    if at == len(tokens):
        return Forward(create)
    level, end = _isolation_level(tokens, at)
    if level is None:
        raise not_emulated(f"CREATE DATABASE … {tokens[at].text.upper()}")
    if end < len(tokens):
        raise syntax_error(tokens[end].text)
    return Script((create, _set_level(name.relation, level)), apart=True, alone="CREATE DATABASE")


def alter_isolation_level(tokens: Sequence[Token]) -> Script | None:
    """ALTER DATABASE … ISOLATION LEVEL; none where it is something else that is altered."""
    name, at = qualified_name(tokens, 2)
    level, end = _isolation_level(tokens, at)
    if level is None:
        return None
    if end < len(tokens):
        raise syntax_error(tokens[end].text)
    steps = (f"select redshift_internal.check_can_set_isolation_level({literal(name.relation)})",)
    return Script(
        (*steps, _set_level(name.relation, level)), tag="ALTER DATABASE", alone="ALTER DATABASE … ISOLATION LEVEL"
    )


def _isolation_level(tokens: Sequence[Token], at: int) -> tuple[str | None, int]:
    if word_at(tokens, at) != "isolation":
        return None, at
    if word_at(tokens, at + 1) != "level":
        raise syntax_error(tokens[at + 1].text if at + 1 < len(tokens) else "")
    said = word_at(tokens, at + 2)
    if said not in _ISOLATION_LEVELS:
        raise syntax_error(tokens[at + 2].text if at + 2 < len(tokens) else "")
    return _ISOLATION_LEVELS[said], at + 3


def _set_level(database: str, level: str) -> str:
    return f"select redshift_internal.set_isolation_level({literal(database)}, {literal(level)})"
