"""Views: plain, late-binding and materialized ones."""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import (
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.features.rewriting import expand
from dbt_local_aws.redshift.functions import LEADER_NODE_FUNCTIONS
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.refusals.check import check, check_compute_nodes
from dbt_local_aws.redshift.refusals.relations import SYSTEM_TABLES, is_system_relation, relations
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.late_binding import check_qualified, without_schema_binding
from dbt_local_aws.redshift.statements.plans import Forward, Plan, Script
from dbt_local_aws.redshift.statements.queries import translate_query
from dbt_local_aws.redshift.statements.rewriting import text_of
from dbt_local_aws.redshift.statements.table_design import (
    TableDesign,
    read_attributes,
)
from dbt_local_aws.redshift.tokens import (
    QualifiedName,
    Token,
    closing,
    find_top_level,
    qualified_name,
    render,
    starts_with,
    word_at,
)

_MUTABLE = {"getdate", "sysdate", "current_date", "random", "timeofday"}


def create_view(tokens: Sequence[Token], at: int, context: Context) -> Plan:
    """CREATE VIEW: plain, or WITH NO SCHEMA BINDING."""
    tokens, late = without_schema_binding(tokens)
    name, at = qualified_name(tokens, at + 1)
    columns: Sequence[Token] = ()
    if word_at(tokens, at) == "(":
        end = closing(tokens, at)
        columns, at = tokens[at : end + 1], end + 1
    if word_at(tokens, at) != "as":
        raise syntax_error(tokens[at].text if at < len(tokens) else "")
    if not late:
        _check_no_check_option(tokens)
        plan = translate_query(tokens, context)
        return _replace_view(name, plan) if word_at(tokens, 1) == "or" else plan
    query = tokens[at + 1 :]
    check(query, context.functions.__contains__, creates=True)
    check_qualified(query)
    text = render(query).strip()
    if columns:
        text = f"select * from ({text}) as late_bound{render(columns)}"  # noqa: S608 - the statement itself
    statement = render(tokens).strip() + " with no schema binding"
    record = ", ".join(map(literal, (name.sql, text, statement)))
    replacing = "or replace " if word_at(tokens, 1) == "or" else ""
    return Script(
        (
            f"create {replacing}view {name.sql} as select",
            f"select redshift_internal.record_late_view({record})",
        )
    )


def _replace_view(name: QualifiedName, plan: Forward) -> Script:
    """A view is replaced by one with the same columns only; PostgreSQL would take more of them."""
    width = f"redshift_internal.columns_of_view({literal(name.sql)})"
    return Script(
        (
            f"select set_config('redshift.replaced_view', {width}::text, false)",
            plan.sql,
            f"select redshift_internal.settle_replaced_view({literal(name.sql)})",
        ),
        tag="CREATE VIEW",
    )


def _check_no_check_option(tokens: Sequence[Token]) -> None:
    with_at = find_top_level(tokens, "with", start=len(tokens) - 4)
    if with_at >= 0 and starts_with(tokens[-2:], "check", "option"):
        raise syntax_error("with")


def create_materialized_view(tokens: Sequence[Token], _: int, context: Context) -> Script:
    """CREATE MATERIALIZED VIEW: a table, and a view of it."""
    if word_at(tokens, 2) != "view":
        raise syntax_error(tokens[2].text if len(tokens) > 2 else "")
    name, at = qualified_name(tokens, 3)
    design = TableDesign()
    at = read_attributes(tokens, at, design)
    if word_at(tokens, at) != "as":
        raise syntax_error(tokens[at].text if at < len(tokens) else "")
    query = tokens[at + 1 :]
    check(query, context.functions.__contains__, creates=True)
    _check_materialized_query(query, context)
    if design.auto_refresh:
        _check_immutable(query)
    expanded, _ = expand(query, context)
    check_compute_nodes(expanded)
    select = text_of(expanded)
    design.distribution = design.distribution or ("key" if design.distribution_key else "even")
    design.check(name.relation)
    storage = name.sibling(f"mv_tbl__{name.relation}__0")
    record = ", ".join(literal(text) for text in (name.sql, storage.sql, render(tokens).strip() + ";", select))
    return Script(
        (
            f"create table {storage.sql} as {select}",
            f"select redshift_internal.settle_types({literal(storage.sql)})",
            f"select redshift_internal.record_table({literal(storage.sql)}, {literal(design.as_json())})",
            f"create view {name.sql} as select * from {storage.sql}",  # noqa: S608 - quoted names
            f"select redshift_internal.record_materialized_view({record}, {str(design.auto_refresh).lower()})",
        ),
        tag="CREATE MATERIALIZED VIEW",
    )


def _check_materialized_query(query: Sequence[Token], context: Context) -> None:
    """Raises for what a materialized view cannot be made of."""
    clause = find_top_level(query, "order", "limit", "offset")
    if clause >= 0:
        raise not_supported(f"{query[clause].text.upper()} in a materialized view")
    for parts in relations(query):
        if is_system_relation(parts) or parts[-1].startswith(SYSTEM_TABLES):
            raise not_supported(f"a materialized view of a system table ({parts[-1]})")
        if context.is_view(parts) and parts[-2:] not in context.materialized_views:
            raise not_supported(f"a materialized view of a view ({parts[-1]})")
    for at, token in enumerate(query):
        if word_at(query, at + 1) == "(" and token.name in context.functions:
            raise not_supported(f"a user-defined function in a materialized view ({token.name})")
        if word_at(query, at + 1) == "(" and token.word in LEADER_NODE_FUNCTIONS:
            raise not_supported(f"a function of the leader node in a materialized view ({token.name})")


def _check_immutable(query: Sequence[Token]) -> None:
    """Raises for a function that gives another value each time, where the view is refreshed by itself.

    Source: materialized-view-create-sql-command, "Limitations".
    """
    for token in query:
        if token.word in _MUTABLE:
            raise not_supported(f"AUTO REFRESH YES of a materialized view with a mutable function ({token.word})")


def alter_materialized_view(tokens: Sequence[Token]) -> Script:
    """ALTER MATERIALIZED VIEW … AUTO REFRESH."""
    name, at = qualified_name(tokens, 3)
    if not (starts_with(tokens, "auto", "refresh", "yes|no", at=at) and at + 3 == len(tokens)):
        raise not_emulated("ALTER MATERIALIZED VIEW of anything but AUTO REFRESH")
    refreshes = str(tokens[-1].word == "yes").lower()
    return Script(
        (f"select redshift_internal.alter_materialized_view({literal(name.sql)}, {refreshes})",),
        tag="ALTER MATERIALIZED VIEW",
    )


def refresh(tokens: Sequence[Token], __: Context) -> Script:
    """REFRESH MATERIALIZED VIEW."""
    if not starts_with(tokens, "materialized", "view", at=1):
        raise syntax_error(tokens[1].text if len(tokens) > 1 else "")
    name, at = qualified_name(tokens, 3)
    at += word_at(tokens, at) in ("restrict", "cascade")
    if at < len(tokens):
        raise syntax_error(tokens[at].text)
    return Script((f"select redshift_internal.refresh_materialized_view({literal(name.sql)})",), tag="REFRESH")


def drop_materialized_view(tokens: Sequence[Token]) -> Script:
    """DROP MATERIALIZED VIEW."""
    present = starts_with(tokens, "if", "exists", at=3)
    name, at = qualified_name(tokens, 3 + 2 * present)
    arguments = f"{literal(name.sql)}, {str(present).lower()}, {str(word_at(tokens, at) == 'cascade').lower()}"
    return Script((f"select redshift_internal.drop_materialized_view({arguments})",), tag="DROP MATERIALIZED VIEW")
