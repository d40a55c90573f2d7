"""SHOW: of tables, columns, schemas, databases and grants, and of configuration parameters."""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import FEATURE_NOT_SUPPORTED, RedshiftError, not_emulated, syntax_error
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.statements.plans import Forward
from dbt_local_aws.redshift.statements.settings import translate_show_parameter
from dbt_local_aws.redshift.tokens import Kind, QualifiedName, Token, qualified_name, starts_with, word_at


def translate_show(tokens: Sequence[Token], database: str) -> Forward:
    """What a SHOW statement reads: the catalogue, or a configuration parameter."""
    match (word_at(tokens, 1), word_at(tokens, 2)):
        case ("databases", _) | ("schemas" | "tables" | "columns", "from"):
            return _show_list(tokens, database)
        case ("grants", "on"):
            table, at = _qualified(tokens, 3, database, "table")
            if at != len(tokens):
                raise not_emulated("SHOW GRANTS … FOR")
            return Forward(f"select * from redshift_internal.show_grants({literal(table.sql)})")  # noqa: S608 - a literal
        case ("grants", _):
            raise not_emulated("SHOW GRANTS of anything but a table")
        case ("table" | "view" as kind, _) if len(tokens) > 2:
            relation, at = _qualified(tokens, 2, database, kind)
            if at != len(tokens):
                raise syntax_error(tokens[at].text)
            return Forward(f"select * from redshift_internal.show_{kind}({literal(relation.sql)})")  # noqa: S608 - a literal
        case ("external" | "procedure" | "model" | "datashares" | "constraints", _):
            raise not_emulated(f"SHOW {tokens[1].text.upper()}")
    if len(tokens) != 2 or not tokens[1].is_identifier:
        raise syntax_error(tokens[2].text if len(tokens) > 2 else "")
    return translate_show_parameter(tokens[1].name)


def _show_list(tokens: Sequence[Token], database: str) -> Forward:
    """SHOW of databases, and of schemas, tables and columns FROM what they are in."""
    match word_at(tokens, 1):
        case "databases":
            return _read("show_databases()", "database_name", tokens, 2)
        case "schemas":
            name, at = qualified_name(tokens, 4 if word_at(tokens, 3) == "database" else 3)
            _check_database(name.relation, database)
            return _read("show_schemas()", "schema_name", tokens, at)
        case "tables":
            schema, at = _qualified(tokens, 3, database, "schema")
            return _read(f"show_tables({literal(schema.relation)})", "table_name", tokens, at)
    table, at = _qualified(tokens, 3, database, "table")
    return _read(f"show_columns({literal(table.sql)})", "column_name", tokens, at)


def _qualified(tokens: Sequence[Token], at: int, database: str, kind: str) -> tuple[QualifiedName, int]:
    if word_at(tokens, at) == kind:
        at += 1
    name, at = qualified_name(tokens, at)
    longest = 2 if kind == "schema" else 3
    if len(name.parts) > longest:
        raise syntax_error(".")
    if len(name.parts) == longest:
        _check_database(name.parts[0], database)
    return name, at


def _check_database(name: str, database: str) -> None:
    if name != database:
        raise RedshiftError(
            FEATURE_NOT_SUPPORTED,
            f'database "{name}" is not the session\'s: the local endpoint emulates no access across databases',
        )


def _read(function: str, filtered: str, tokens: Sequence[Token], at: int) -> Forward:
    """A reading of the catalogue with what may stand behind it: LIKE 'pattern' and LIMIT n."""
    statement = f"select * from redshift_internal.{function}"  # noqa: S608 - names of our own, and literals
    if word_at(tokens, at) == "like" and at + 1 < len(tokens) and tokens[at + 1].kind is Kind.STRING:
        statement += f" where {filtered} like {literal(tokens[at + 1].value)}"
        at += 2
    if starts_with(tokens, "limit", at=at) and at + 1 < len(tokens):
        statement += f" limit {int(tokens[at + 1].text)}"
        at += 2
    if at != len(tokens):
        raise syntax_error(tokens[at].text)
    return Forward(statement)
