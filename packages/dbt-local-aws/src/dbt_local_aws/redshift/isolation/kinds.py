"""What a statement is to a transaction's isolation, told by its tokens."""

from collections.abc import Sequence

from dbt_local_aws.redshift.refusals.relations import SYSTEM_TABLES, is_system_relation, relations
from dbt_local_aws.redshift.tokens import Kind, Token, find_top_level, word_at

_WITHOUT_SNAPSHOT = {
    "lock", "set", "reset", "begin", "start", "commit", "end", "rollback", "abort", "show", "use", "cancel",
}  # fmt: skip
_DEFINITIONS = {"create", "alter", "drop", "truncate", "grant", "revoke", "comment", "call", "refresh", "execute"}
_SETTING = {"set", "reset", "begin", "start", "rollback", "abort", "call", "execute"}
_COUNTED = {"select", "with", "(", "insert", "update", "delete", "merge", "copy", "unload"}
_SHOWN = {"tables", "columns", "schemas", "databases", "grants", "table", "view", "procedures", "functions"}
# They tell of the connection that they are asked on, or of what its transaction has changed
_OF_ONE_CONNECTION = {
    "pg_backend_pid", "pg_last_copy_count", "pg_last_copy_id", "pg_last_query_id", "pg_last_unload_count",
    "pg_last_unload_id", "current_setting", "set_config", "sys_query_detail", "current_user", "session_user", "user",
    "current_date", "sysdate", "for", "svv_table_info",
}  # fmt: skip
_CATALOGUE_FUNCTIONS = {"pg_get_late_binding_view_cols", "pg_get_cols", "pg_get_iceberg_tables"}
_PLAIN_CATALOGUE = {
    "pg_class", "pg_namespace", "pg_attribute", "pg_attrdef", "pg_type", "pg_tables", "pg_description", "pg_user",
    "pg_group", "pg_database", "pg_proc",
}  # fmt: skip
_LOGS = ("stl_", "stv_", "svl_", "sys_")  # they are written outside of the transactions that they tell of


def is_counted(tokens: Sequence[Token]) -> bool:
    """Whether a statement that commits by itself is a transaction that reads or writes tables of the users'."""
    word = word_at(tokens, 0)
    makes_table = word == "create" and any(token.word == "table" for token in tokens[1:4])
    return (word in _COUNTED or makes_table) and not reads_catalogue(tokens)


def rolls_back(tokens: Sequence[Token]) -> bool:
    """ROLLBACK and ABORT."""
    return word_at(tokens, 0) in ("rollback", "abort")


def takes_snapshot(tokens: Sequence[Token]) -> bool:
    """Whether a statement fixes what its transaction sees; "most SELECT statements", DML and DDL do."""
    return word_at(tokens, 0) not in _WITHOUT_SNAPSHOT


def defines(tokens: Sequence[Token]) -> bool:
    """Whether a statement may leave definitions that its own connection alone sees until it commits."""
    word = word_at(tokens, 0)
    return word in _DEFINITIONS or (word in ("select", "with") and find_top_level(tokens, "into") >= 0)


def is_temporary(tokens: Sequence[Token]) -> bool:
    """Whether a statement may make a table that its own connection alone sees."""
    return any(token.word in ("temp", "temporary") or token.text.startswith("#") for token in tokens)


def may_change_settings(tokens: Sequence[Token]) -> bool:
    """Whether the session's settings may be others behind a statement; a transaction that fails takes them back."""
    return word_at(tokens, 0) in _SETTING or any(token.word == "set_config" for token in tokens)


def acts_as_another(tokens: Sequence[Token]) -> bool:
    """SET SESSION AUTHORIZATION, after which the connections have no longer the same rights."""
    return word_at(tokens, 0) in ("set", "reset") and any(token.word == "authorization" for token in tokens)


def reads_catalogue(tokens: Sequence[Token]) -> bool:
    """Whether a query reads the catalogue, or the system's views, and nothing else."""
    if word_at(tokens, 0) == "show":
        return word_at(tokens, 1) in _SHOWN
    if not _is_query(tokens):
        return False
    named = relations(tokens)
    of_system = all(is_system_relation(parts) or parts[-1].startswith(SYSTEM_TABLES) for parts in named)
    return of_system and (bool(named) or any(token.word in _CATALOGUE_FUNCTIONS for token in tokens))


def looks_into_relations(tokens: Sequence[Token]) -> bool:
    """Whether a query of the catalogue may want locks on relations: to count their rows, or to show a view's text."""
    is_plain = all(parts[-1] in _PLAIN_CATALOGUE for parts in relations(tokens)) and word_at(tokens, 0) != "show"
    return not is_plain or any(token.word.startswith("pg_get_") or token.word.endswith("_size") for token in tokens)


def reads_logs(tokens: Sequence[Token]) -> bool:
    """Whether a query reads what the system has logged, and nothing else."""
    named = relations(tokens)
    return _is_query(tokens) and bool(named) and all(parts[-1].startswith(_LOGS) for parts in named)


def reads_nothing(tokens: Sequence[Token]) -> bool:
    """Whether a query has constants alone, and names for them."""
    return _is_query(tokens) and all(_is_constant(tokens, at) for at in range(len(tokens)))


def _is_constant(tokens: Sequence[Token], at: int) -> bool:
    return (
        tokens[at].kind in (Kind.STRING, Kind.NUMBER, Kind.OPERATOR)
        or tokens[at].word in ("select", "as", "null", "true", "false")
        or word_at(tokens, at - 1) == "as"
    )


def _is_query(tokens: Sequence[Token]) -> bool:
    return (
        word_at(tokens, 0) in ("select", "with", "(")
        and not defines(tokens)
        and not any(token.word in _OF_ONE_CONNECTION for token in tokens)
    )
