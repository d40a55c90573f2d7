"""From a Redshift statement to what is done for it: whose a statement is."""

from collections.abc import Callable, Sequence

from dbt_local_aws.redshift.copy.command import parse_copy
from dbt_local_aws.redshift.errors import (
    INVALID_TABLE_DEFINITION,
    SYNTAX_ERROR,
    UNDEFINED_FUNCTION,
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.features.columns import ColumnsWanted
from dbt_local_aws.redshift.long_names import with_short_names
from dbt_local_aws.redshift.refusals.grammar import check_grammar
from dbt_local_aws.redshift.statements import psql, settings
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.identities import (
    translate_alter_identity,
    translate_create_identity,
    translate_grant,
)
from dbt_local_aws.redshift.statements.maintenance import analyze, lock, truncate, vacuum
from dbt_local_aws.redshift.statements.plans import Forward, Load, Plan, Script, Unload
from dbt_local_aws.redshift.statements.queries import (
    change,
    changed,
    declare,
    explain,
    fetch,
    insert,
    merge,
    translate_query,
)
from dbt_local_aws.redshift.statements.routines import create_function
from dbt_local_aws.redshift.statements.schemas import (
    alter_isolation_level,
    create_database,
    create_schema,
    in_own_database,
)
from dbt_local_aws.redshift.statements.show import translate_show
from dbt_local_aws.redshift.statements.tables import alter_table, create_table, new_owner, select_into
from dbt_local_aws.redshift.statements.transactions import begin, commit, no_savepoints, rollback
from dbt_local_aws.redshift.statements.views import (
    alter_materialized_view,
    create_materialized_view,
    create_view,
    drop_materialized_view,
    refresh,
)
from dbt_local_aws.redshift.tokens import (
    Token,
    find_top_level,
    fold_names,
    qualified_name,
    quote_hash_names,
    render,
    starts_with,
    word_at,
)
from dbt_local_aws.redshift.unload.command import parse_unload


def translate(tokens: Sequence[Token], context: Context) -> Plan:
    """What to do for one statement; raises RedshiftError where Redshift, or this endpoint, would not do it."""
    tokens = quote_hash_names(tokens if context.case_sensitive_names else fold_names(tokens))
    tokens = with_short_names(tokens)
    if not tokens:
        return Forward("")
    if context.application == psql.APPLICATION and psql.is_catalogue_query(tokens):
        return Forward(psql.translate_catalogue_query(tokens))
    handler = _HANDLERS.get(tokens[0].word)
    if handler is None:
        raise syntax_error(tokens[0].text)
    try:
        plan = handler(tokens, context)
    except ColumnsWanted:
        check_grammar(tokens)  # PostgreSQL is not asked about what cannot be read
        raise
    except RedshiftError as error:
        if error.sqlstate == UNDEFINED_FUNCTION:
            check_grammar(tokens)  # what cannot be read is told before what does not exist
        raise
    check_grammar(tokens)  # last: who knows what is wrong with a statement says it better
    return plan


def _with(tokens: Sequence[Token], context: Context) -> Plan:
    """WITH before SELECT, UPDATE or DELETE."""
    at = find_top_level(tokens, "select", "update", "delete", "merge", "insert")
    if word_at(tokens, at) in ("merge", "insert"):
        raise syntax_error(tokens[at].text)
    if word_at(tokens, at) in ("update", "delete"):
        return translate_query([*tokens[:at], *changed(tokens[at:], context)], context)
    return _select(tokens, context)


def _select(tokens: Sequence[Token], context: Context) -> Plan:
    into = find_top_level(tokens, "into")
    if into < 0:
        return translate_query(tokens, context)
    return select_into(tokens, into, context)


def _unchanged(tokens: Sequence[Token], _: Context) -> Forward:
    return Forward(render(tokens))


def _create(tokens: Sequence[Token], context: Context) -> Plan:
    at = 3 if starts_with(tokens, "or", "replace", at=1) else 1
    what = word_at(tokens, at)
    if at == 3 and what not in ("view", "function", "procedure"):
        raise syntax_error("or")
    if what in _CREATED:
        return _CREATED[what](tokens, at, context)
    if what in ("index", "unique"):
        raise not_supported("CREATE INDEX")
    if what in _NOT_CREATED:
        raise not_supported(f"CREATE {what.upper()}")
    if what in ("external", "datashare", "model", "library", "masking", "rls", "identity"):
        raise not_emulated(f"CREATE {what.upper()}")
    raise syntax_error(tokens[at].text if at < len(tokens) else "")


_NOT_ALTERED = ("quota", "connection", "collate", "integration")


def _create_identity(tokens: Sequence[Token], _: int, __: Context) -> Script:
    return translate_create_identity(tokens)


_CREATED: dict[str, Callable[[Sequence[Token], int, Context], Plan]] = {
    "table": create_table,
    "temp": create_table,
    "temporary": create_table,
    "local": create_table,
    "view": create_view,
    "materialized": create_materialized_view,
    "schema": create_schema,
    "database": create_database,
    "user": _create_identity,
    "group": _create_identity,
    "role": _create_identity,
    "function": create_function,
    "procedure": create_function,
}
_NOT_CREATED = {
    "sequence", "type", "domain", "trigger", "rule", "operator", "aggregate", "extension", "unlogged", "cast",
}  # fmt: skip


def _alter(tokens: Sequence[Token], context: Context) -> Plan:
    match word_at(tokens, 1):
        case "table":
            return alter_table(tokens)
        case "materialized" if word_at(tokens, 2) == "view":
            return alter_materialized_view(tokens)
        case "user" | "group" | "role":
            return translate_alter_identity(tokens)
        case "schema" | "database" | "function" | "procedure":
            return _alter_object(tokens, context)
        case "default":
            return translate_grant(tokens)
        case "datashare" | "external" | "identity" | "masking" | "model" | "rls" | "system" as what:
            raise not_emulated(f"ALTER {what.upper()}")
    raise syntax_error(tokens[1].text if len(tokens) > 1 else "")


def _alter_object(tokens: Sequence[Token], context: Context) -> Plan:
    """A new name or owner; what else Redshift can alter in these is not emulated, and what it cannot is wrong."""
    if tokens[1].word == "database" and (altered := alter_isolation_level(tokens)):
        return altered
    action = next((token.word for token in tokens[3:] if token.word in ("rename", "owner", *_NOT_ALTERED)), "")
    if action in _NOT_ALTERED:
        raise not_emulated(f"ALTER {tokens[1].text.upper()} … {action.upper()}")
    if not action:
        raise syntax_error(tokens[3].text if len(tokens) > 3 else "")
    if action == "owner":
        return new_owner(tokens)
    return _unchanged(tokens, context)


def _drop(tokens: Sequence[Token], context: Context) -> Plan:
    match word_at(tokens, 1):
        case "materialized":
            return drop_materialized_view(tokens)
        case "schema":
            present = starts_with(tokens, "if", "exists", at=2)
            return _unchanged(in_own_database(tokens, 2 + 2 * present, context), context)
        case "table" | "view" | "user" | "group" | "database" | "function" | "procedure" | "role":
            return _unchanged(tokens, context)
        case "datashare" | "external" | "identity" | "library" | "masking" | "model" | "rls" as what:
            raise not_emulated(f"DROP {what.upper()}")
    raise syntax_error(tokens[1].text if len(tokens) > 1 else "")


def _copy(tokens: Sequence[Token], _: Context) -> Load:
    return Load(parse_copy(tokens, render(tokens).strip()))


def _unload(tokens: Sequence[Token], context: Context) -> Unload:
    command = parse_unload(tokens, render(tokens).strip())
    plan = translate(command.query, context)
    if not isinstance(plan, Forward):
        raise RedshiftError(SYNTAX_ERROR, "UNLOAD takes one SELECT statement")
    return Unload(command, plan.sql)


def _grant(tokens: Sequence[Token], _: Context) -> Plan:
    return translate_grant(tokens)


def _set(tokens: Sequence[Token], _: Context) -> Plan:
    return settings.session_authorization(tokens) or settings.translate_set(tokens)


def _reset(tokens: Sequence[Token], _: Context) -> Forward:
    return settings.translate_reset(tokens)


def _show(tokens: Sequence[Token], context: Context) -> Forward:
    return translate_show(tokens, context.database)


def _use(tokens: Sequence[Token], context: Context) -> Script:
    name, at = qualified_name(tokens, 1)
    if at != len(tokens):
        raise syntax_error(tokens[at].text)
    if name.relation != context.database:
        raise not_emulated("USE of another database than the session's")
    return Script(("select 1",), tag="USE")


def _comment(tokens: Sequence[Token], context: Context) -> Forward:
    if word_at(tokens, 2) not in ("table", "column", "view", "schema", "database", "constraint", "function"):
        raise RedshiftError(
            INVALID_TABLE_DEFINITION, f"COMMENT ON {tokens[2].text.upper() if len(tokens) > 2 else ''} is not supported"
        )
    return _unchanged(tokens, context)


_HANDLERS: dict[str, Callable[[Sequence[Token], Context], Plan]] = {
    "select": _select,
    "with": _with,
    "(": translate_query,
    "insert": insert,
    "update": change,
    "delete": change,
    "merge": merge,
    "explain": explain,
    "declare": declare,
    "fetch": fetch,
    "close": _unchanged,
    "prepare": translate_query,
    "execute": translate_query,
    "deallocate": _unchanged,
    "call": translate_query,
    "create": _create,
    "alter": _alter,
    "drop": _drop,
    "refresh": refresh,
    "truncate": truncate,
    "vacuum": vacuum,
    "analyze": analyze,
    "analyse": analyze,
    "copy": _copy,
    "unload": _unload,
    "grant": _grant,
    "revoke": _grant,
    "set": _set,
    "reset": _reset,
    "show": _show,
    "use": _use,
    "lock": lock,
    "comment": _comment,
    "begin": begin,
    "start": begin,
    "commit": commit,
    "end": commit,
    "rollback": rollback,
    "abort": rollback,
    "savepoint": no_savepoints,
    "release": no_savepoints,
    "cancel": lambda tokens, _: Forward(f"select pg_catalog.pg_cancel_backend({render(tokens[1:2])})"),
}
