"""Statements that read or change rows: SELECT, INSERT, UPDATE, DELETE, MERGE, EXPLAIN and cursors."""

from collections.abc import Sequence
from dataclasses import replace

from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    RedshiftError,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.features.rewriting import expand
from dbt_local_aws.redshift.refusals.check import check, check_compute_nodes
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.plans import Forward, Plan
from dbt_local_aws.redshift.statements.remove_duplicates import remove_duplicates
from dbt_local_aws.redshift.statements.rewriting import rewrite_expressions
from dbt_local_aws.redshift.tokens import (
    QualifiedName,
    Token,
    find_top_level,
    qualified_name,
    render,
    starts_with,
    tokenize,
    word_at,
)

# Columns that only Redshift's catalogue has, with the tables that have them
_CATALOGUE_COLUMNS = {
    "attisdistkey": "pg_attribute",
    "attsortkeyord": "pg_attribute",
    "attencodingtype": "pg_attribute",
    "reldiststyle": "pg_class",
    "releffectivediststyle": "pg_class",
}


def insert(tokens: Sequence[Token], context: Context) -> Forward:
    """INSERT: not into a view, nor under an alias."""
    if word_at(tokens, 1) != "into":
        raise syntax_error(tokens[1].text if len(tokens) > 1 else "")
    table, at = qualified_name(tokens, 2)
    if word_at(tokens, at) == "as":
        raise syntax_error("as")  # an alias
    _check_is_no_view(table, "insert into", context)
    _check_rows(tokens)
    return translate_query(tokens, context)


def _check_rows(tokens: Sequence[Token]) -> None:
    """Raises for a subquery in one of several rows: r_INSERT_30."""
    values = find_top_level(tokens, "values")
    if values >= 0 and word_at(tokens, values + 1) == "(":
        several = find_top_level(tokens, ",", start=values) >= 0
        if several and any(token.word == "select" for token in tokens[values:]):
            raise not_supported("a subquery in an INSERT of several rows")


def change(tokens: Sequence[Token], context: Context) -> Forward:
    """UPDATE and DELETE."""
    return translate_query(changed(tokens, context), context)


def changed(tokens: Sequence[Token], context: Context) -> Sequence[Token]:
    """An UPDATE or a DELETE, in which FROM is optional on Redshift; raises for what only PostgreSQL can change."""
    if tokens[0].word == "delete" and word_at(tokens, 1) != "from":
        tokens = [tokens[0], *tokenize(" from"), *tokens[1:]]
    table, at = qualified_name(tokens, 2 if tokens[0].word == "delete" else 1)
    if table.parts == ("only",):
        raise syntax_error("only")
    _check_is_no_view(table, "update" if tokens[0].word == "update" else "delete from", context)
    start = find_top_level(tokens, "set", start=at)
    if tokens[0].word == "update" and start >= 0 and word_at(tokens, start + 1) == "(":
        raise syntax_error("(")  # several columns at once
    joined = find_top_level(tokens, "left", "right", "full", start=find_top_level(tokens, "from", start=at))
    if tokens[0].word == "update" and joined >= 0 and starts_with(tokens, "join|outer", at=joined + 1):
        raise RedshiftError(FEATURE_NOT_SUPPORTED, "Target table must be part of an equijoin predicate")
    return tokens


def _check_is_no_view(table: QualifiedName, action: str, context: Context) -> None:
    """PostgreSQL passes changes of a simple view on to its table."""
    if context.is_view(table.parts):
        raise RedshiftError(OBJECT_NOT_IN_PREREQUISITE_STATE, f"cannot {action} a view")


def translate_query(tokens: Sequence[Token], context: Context) -> Forward:
    """A query, checked and put into PostgreSQL's words."""
    check(tokens, context.functions.__contains__)
    expanded, late_bound = expand(tokens, context)
    # a view is made, and fails when it is read; what is changed is a table
    if tokens[0].word not in ("create", "update", "delete", "merge"):
        check_compute_nodes(expanded)
    late_bound = late_bound or any(token.word == "pg_get_late_binding_view_cols" for token in tokens)
    return Forward(render(rewrite_expressions(_with_redshift_catalogue(expanded))), late_bound)


def query_of_view(text: str, context: Context) -> str:
    """The query of a late-binding view as PostgreSQL runs it."""
    return translate_query(tokenize(text), context).sql


def _with_redshift_catalogue(tokens: Sequence[Token]) -> list[Token]:
    """Catalogue tables that have more columns on Redshift, where a statement asks for those."""
    wanted = {_CATALOGUE_COLUMNS[token.word] for token in tokens if token.word in _CATALOGUE_COLUMNS}
    output: list[Token] = []
    for at, token in enumerate(tokens):
        if token.word in wanted and word_at(tokens, at + 1) != ".":
            if word_at(tokens, at - 1) == ".":  # pg_catalog.pg_attribute
                del output[-2:]
            output.append(replace(token, text=f"redshift_internal.{token.text}", before=" "))
        else:
            output.append(token)
    return output


def merge(tokens: Sequence[Token], context: Context) -> Plan:
    """MERGE: what PostgreSQL can do beyond Redshift's form of it is refused."""
    if word_at(tokens, 1) != "into":
        raise syntax_error(tokens[1].text if len(tokens) > 1 else "")
    table, at = qualified_name(tokens, 2)
    if word_at(tokens, at) != "using":
        raise syntax_error(tokens[at].text if at < len(tokens) else "")  # an alias of the target's, for one
    _check_is_no_view(table, "merge into", context)
    if word_at(tokens, at + 1) == "(":
        raise syntax_error("(")  # the source is a table
    source, _ = qualified_name(tokens, at + 1)
    if context.is_view(source.parts):
        raise not_supported("MERGE from a view")
    if source == table:
        raise not_supported("MERGE of a table into itself")
    if starts_with(tokens[-2:], "remove", "duplicates"):
        return remove_duplicates(tokens, table, source, lambda part: translate_query(part, context))
    clauses = [
        tokens[start:] for start, token in enumerate(tokens) if token.word == "when" and _is_merge_clause(tokens, start)
    ]
    for clause in clauses:
        negated = word_at(clause, 1) == "not"
        then = 3 if negated else 2
        if word_at(clause, then) != "then":
            raise syntax_error(clause[then].text if then < len(clause) else "")
        if word_at(clause, then + 1) not in (("insert",) if negated else ("update", "delete")):
            raise syntax_error(clause[then + 1].text if then + 1 < len(clause) else "")
    if [word_at(clause, 1) for clause in clauses] not in (["matched", "not"], ["not"]):
        raise syntax_error("when")
    return translate_query(tokens, context)


def _is_merge_clause(tokens: Sequence[Token], at: int) -> bool:
    return starts_with(tokens, "matched", at=at + 1) or starts_with(tokens, "not", "matched", at=at + 1)


def explain(tokens: Sequence[Token], context: Context) -> Forward:
    """EXPLAIN of what Redshift explains."""
    at = 2 if word_at(tokens, 1) == "verbose" else 1
    if word_at(tokens, at) not in ("select", "with", "insert", "update", "delete", "create"):
        raise syntax_error(tokens[at].text if at < len(tokens) else "")
    return translate_query(tokens, context)


def declare(tokens: Sequence[Token], context: Context) -> Forward:
    """DECLARE name CURSOR FOR query."""
    if not starts_with(tokens, "cursor", "for", at=2):
        raise syntax_error(tokens[2].text if len(tokens) > 2 else "")
    return translate_query(tokens, context)


def fetch(tokens: Sequence[Token], context: Context) -> Forward:
    """Cursors go forward only."""
    if word_at(tokens, 1) in ("backward", "prior", "first", "last", "absolute", "relative"):
        raise syntax_error(tokens[1].text)
    return Forward(render(tokens))
