"""TRUNCATE, VACUUM, ANALYZE and LOCK."""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import (
    not_emulated,
    syntax_error,
)
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.plans import Forward, Script
from dbt_local_aws.redshift.tokens import (
    Token,
    qualified_name,
    render,
    split,
    starts_with,
    word_at,
)


def truncate(tokens: Sequence[Token], _: Context) -> Script:
    """TRUNCATE, which commits."""
    table, at = qualified_name(tokens, 2 if word_at(tokens, 1) == "table" else 1)
    if at != len(tokens):
        raise syntax_error(tokens[at].text)
    return Script((f"truncate table {table.sql}",), commits=True)


def vacuum(tokens: Sequence[Token], _: Context) -> Script:
    """VACUUM of one table or of all, in every mode that Redshift has."""
    at = 1
    modes = ("full", "sort", "delete", "reindex", "recluster", "only")
    while word_at(tokens, at) in modes:
        at += 1
    step = "vacuum"
    if at < len(tokens):
        table, at = qualified_name(tokens, at)
        step = f"vacuum {table.sql}"
    if starts_with(tokens, "to", at=at):
        at += 3
    at += word_at(tokens, at) == "boost"
    if at < len(tokens):
        raise syntax_error(tokens[at].text)
    return Script((step,), alone="VACUUM")


def analyze(tokens: Sequence[Token], _: Context) -> Forward:
    """ANALYZE, with or without its columns."""
    if word_at(tokens, 1) == "compression":
        raise not_emulated("ANALYZE COMPRESSION")
    end = len(tokens) - 2 if starts_with(tokens[-2:], "predicate|all", "columns") else len(tokens)
    return Forward(render(tokens[:end]))


def lock(tokens: Sequence[Token], context: Context) -> Forward:
    """LOCK, which has one mode."""
    for part in split(tokens[1 + (word_at(tokens, 1) == "table") :]):
        _, end = qualified_name(part, 0)
        if end != len(part):
            raise syntax_error(part[end].text)  # Redshift has one mode
    return Forward(render(tokens))
