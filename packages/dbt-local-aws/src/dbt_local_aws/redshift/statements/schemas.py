"""CREATE SCHEMA and CREATE DATABASE, and schemas named with their database."""

from collections.abc import Sequence
from dataclasses import replace

from dbt_local_aws.redshift.errors import (
    not_emulated,
)
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.plans import Forward
from dbt_local_aws.redshift.tokens import (
    Token,
    find_top_level,
    qualified_name,
    render,
    starts_with,
    word_at,
)


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


def create_database(tokens: Sequence[Token], _: int, __: Context) -> Forward:
    """CREATE DATABASE by its name alone."""
    name, at = qualified_name(tokens, 2)
    if at != len(tokens):
        raise not_emulated(f"CREATE DATABASE … {tokens[at].text.upper()}")
    return Forward(f"create database {name.sql}")
