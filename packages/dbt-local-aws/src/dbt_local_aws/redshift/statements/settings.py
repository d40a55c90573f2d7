"""SET, RESET and SHOW of configuration parameters: those that Redshift has, and no other."""

from collections.abc import Sequence

from dbt_local_aws.redshift import superuser
from dbt_local_aws.redshift.errors import UNDEFINED_OBJECT, RedshiftError, not_emulated, syntax_error
from dbt_local_aws.redshift.statements.plans import Forward, Script
from dbt_local_aws.redshift.tokens import Kind, Token, render, sql, starts_with, word_at

SERVER_VERSION = "8.0.2"
_CASE_SENSITIVE = "enable_case_sensitive_identifier"
# Redshift's own: kept by PostgreSQL as custom parameters of the same name
_REDSHIFT = {
    "activate_aqua",
    "allow_prompts",
    "analyze_threshold_percent",
    "cast_super_null_on_error",
    "datashare_break_glass_session_var",
    "default_geometry_encoding",
    "describe_field_name_in_uppercase",
    "downcase_delimited_identifier",
    _CASE_SENSITIVE,
    "enable_case_sensitive_super_attribute",
    "enable_numeric_rounding",
    "enable_result_cache_for_session",
    "enable_vacuum_boost",
    "error_on_nondeterministic_update",
    "interval_forbid_composite_literals",
    "json_serialization_enable",
    "json_serialization_parse_nested_strings",
    "max_concurrency_scaling_clusters",
    "max_cursor_result_set_size",
    "mv_enable_aqmv_for_session",
    "navigate_super_null_on_error",
    "parse_super_null_on_error",
    "pg_federation_repeatable_read",
    "query_group",
    "stored_proc_log_min_messages",
    "use_fips_ssl",
    "wlm_query_slot_count",
}
# PostgreSQL's, which Redshift has as well
_SHARED = {
    "application_name",
    "client_encoding",
    "datestyle",
    "extra_float_digits",
    "intervalstyle",
    "search_path",
    "server_version",
    "statement_timeout",
    "timezone",
    "transaction_isolation",
    "transaction_read_only",
}
_TRUE = {"true", "on", "1", "yes", "t"}


def _unknown(name: str) -> RedshiftError:
    return RedshiftError(UNDEFINED_OBJECT, f'unrecognized configuration parameter "{name}"')


def parameter(name: str) -> str:
    """A parameter's name on PostgreSQL."""
    if name in _REDSHIFT:
        return f"redshift.{name}"
    if name in _SHARED:
        return name
    raise _unknown(name)


def called(argument: Sequence[Token]) -> list[Token]:
    """The name that CURRENT_SETTING() or SET_CONFIG() is called with, as PostgreSQL knows the parameter."""
    if len(argument) != 1 or argument[0].kind is not Kind.STRING:
        raise not_emulated("a configuration parameter whose name is computed")
    return sql(f"'{parameter(argument[0].value.lower())}'")


def session_authorization(tokens: Sequence[Token]) -> Script | None:
    """SET [LOCAL] SESSION AUTHORIZATION, by which a superuser tries what another user may do; None if it is not that.

    PostgreSQL's would want a superuser of its own. https://docs.aws.amazon.com/redshift/latest/dg/r_SET_SESSION_AUTHORIZATION.html
    """
    local = word_at(tokens, 1) == "local"
    if not starts_with(tokens, "session", "authorization", at=1 + local):
        return None
    user = tokens[3 + local :]
    if len(user) != 1 or not (user[0].is_identifier or user[0].kind is Kind.STRING):
        raise syntax_error(user[0].text if user else "")
    name = user[0].value if user[0].kind is Kind.STRING else user[0].name
    scope = "local" if local else "session"
    return Script(superuser.act_as(None if user[0].word == "default" else name, scope), tag="SET")


def translate_set(tokens: Sequence[Token]) -> Forward:
    """SET, in its forms for parameters and transactions."""
    at = 2 if word_at(tokens, 1) in ("session", "local") else 1
    if at >= len(tokens):
        raise syntax_error("")
    name = tokens[at].name
    if name in ("transaction", "characteristics"):
        return Forward(render(tokens))
    if starts_with(tokens, "time", "zone", at=at):
        return Forward(render(tokens))
    if word_at(tokens, at + 1) == ".":
        raise not_emulated("a session context variable")
    if word_at(tokens, at + 1) not in ("to", "=") or at + 2 >= len(tokens):
        raise syntax_error(tokens[at + 1].text if at + 1 < len(tokens) else "")
    value = tokens[at + 2 :]
    statement = f"{render(tokens[:at])} {parameter(name)} to {render(value).strip()}"
    if name != _CASE_SENSITIVE:
        return Forward(statement)
    said = value[0].value if value[0].kind is Kind.STRING else value[0].text
    return Forward(statement, case_sensitive_names=is_true(said))


def is_true(said: str) -> bool:
    """Whether a parameter was switched on by this value."""
    return said.lower() in _TRUE


def translate_reset(tokens: Sequence[Token]) -> Forward:
    """RESET of one parameter, or of all."""
    name = tokens[-1].name
    if name == "use":
        return Forward("reset redshift.use")
    if name == "all":
        return Forward(render(tokens), case_sensitive_names=False)
    if name == "authorization":
        return Forward("reset session authorization")
    return Forward(f"reset {parameter(name)}", case_sensitive_names=False if name == _CASE_SENSITIVE else None)


def translate_show_parameter(name: str) -> Forward:
    """SHOW of one parameter."""
    if name == "all":
        raise not_emulated("SHOW ALL")
    if name == "server_version":
        return Forward(f"select '{SERVER_VERSION}'::varchar as server_version")
    if name in _REDSHIFT:
        return Forward(f"select redshift_internal.parameter('{name}') as {name}")
    return Forward(f"show {parameter(name)}")
