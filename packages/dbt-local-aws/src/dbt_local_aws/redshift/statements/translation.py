"""From a Redshift statement to what is done for it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from dbt_local_aws.redshift.statements import settings
from dbt_local_aws.redshift.backend import literal
from dbt_local_aws.redshift.copy.command import parse_copy
from dbt_local_aws.redshift.datatypes import read_type
from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_TABLE_DEFINITION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.statements.identities import translate_alter_identity, translate_create_identity, translate_grant
from dbt_local_aws.redshift.statements.late_binding import LateViews, check_qualified, without_schema_binding
from dbt_local_aws.redshift.statements.plans import Forward, Load, Plan, Script
from dbt_local_aws.redshift.statements.refusals import check, check_syntax, relations
from dbt_local_aws.redshift.statements.rewriting import rewrite_expressions, text_of
from dbt_local_aws.redshift.statements.show import translate_show
from dbt_local_aws.redshift.statements.table_design import (
    TableDesign,
    column_definition,
    parse_create_table,
    read_attributes,
    table_constraint,
)
from dbt_local_aws.redshift.tokens import (
    Kind,
    QualifiedName,
    Token,
    closing,
    find_top_level,
    fold_names,
    qualified_name,
    render,
    split,
    starts_with,
    tokenize,
    word_at,
)

_LONGEST_NAME = 63  # bytes, of PostgreSQL's names; Redshift's have up to 127
# Columns that only Redshift's catalogue has, with the tables that have them
_CATALOGUE_COLUMNS = {
    "attisdistkey": "pg_attribute",
    "attsortkeyord": "pg_attribute",
    "attencodingtype": "pg_attribute",
    "reldiststyle": "pg_class",
    "releffectivediststyle": "pg_class",
}


@dataclass(frozen=True)
class Context:
    """What a translation has to know of the session and its database."""

    database: str
    case_sensitive_names: bool = False
    late_views: LateViews = field(default_factory=LateViews)
    functions: frozenset[str] = frozenset()  # the users' own
    views: frozenset[tuple[str, ...]] = (
        frozenset()
    )  # by name and schema, and by name alone where the search path finds it
    materialized_views: frozenset[tuple[str, ...]] = frozenset()  # of these views

    def is_view(self, parts: tuple[str, ...]) -> bool:
        """Whether a name of one, two or three parts means a view, of whatever kind."""
        return parts[-2:] in self.views


def translate(tokens: Sequence[Token], context: Context) -> Plan:
    """What to do for one statement; raises RedshiftError where Redshift, or this endpoint, would not do it."""
    tokens = tokens if context.case_sensitive_names else fold_names(tokens)
    if not tokens:
        return Forward("")
    if tokens[0].word in ("create", "alter") and word_at(tokens, 1) not in ("temp", "temporary"):
        _check_names(tokens)
    handler = _HANDLERS.get(tokens[0].word)
    if handler is None:
        raise syntax_error(tokens[0].text)
    return handler(tokens, context)


def _check_names(tokens: Sequence[Token]) -> None:
    """Raises for a name that PostgreSQL would cut off, so that the catalogue would show another one.

    A temporary table's is let through: it is cut off wherever it is written, and nobody looks it up in the catalogue.
    """
    for token in tokens:
        if token.is_identifier and len(token.name.encode()) > _LONGEST_NAME:
            raise not_emulated(f"a name of more than {_LONGEST_NAME} bytes ({token.name})")


def _with(tokens: Sequence[Token], context: Context) -> Plan:
    """WITH before SELECT, UPDATE or DELETE."""
    at = find_top_level(tokens, "select", "update", "delete", "merge", "insert")
    if word_at(tokens, at) in ("merge", "insert"):
        raise syntax_error(tokens[at].text)
    if word_at(tokens, at) in ("update", "delete"):
        return _query([*tokens[:at], *_changed(tokens[at:], context)], context)
    return _select(tokens, context)


def _select(tokens: Sequence[Token], context: Context) -> Plan:
    into = find_top_level(tokens, "into")
    if into < 0:
        return _query(tokens, context)
    return _select_into(tokens, into, context)


def _select_into(tokens: Sequence[Token], into: int, context: Context) -> Script:
    """SELECT … INTO [TEMP] [TABLE] name FROM …: another way to say CREATE TABLE AS."""
    at = into + 1
    temporary = word_at(tokens, at) in ("temp", "temporary")
    at += temporary
    at += word_at(tokens, at) == "table"
    name, at = qualified_name(tokens, at)
    head = tokenize(f"create {'temporary ' if temporary else ''}table {name.sql} as ")
    return replace(_create_table([*head, *tokens[:into], *tokens[at:]], 0, context), tag="SELECT")


def _insert(tokens: Sequence[Token], context: Context) -> Forward:
    if word_at(tokens, 1) != "into":
        raise syntax_error(tokens[1].text if len(tokens) > 1 else "")
    table, at = qualified_name(tokens, 2)
    if word_at(tokens, at) == "as":
        raise syntax_error("as")  # an alias
    _check_is_no_view(table, "insert into", context)
    return _query(tokens, context)


def _change(tokens: Sequence[Token], context: Context) -> Forward:
    return _query(_changed(tokens, context), context)


def _changed(tokens: Sequence[Token], context: Context) -> Sequence[Token]:
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


def _query(tokens: Sequence[Token], context: Context) -> Forward:
    check(tokens, context.functions.__contains__)
    expanded, late_bound = context.late_views.expand(tokens)
    late_bound = late_bound or any(token.word == "pg_get_late_binding_view_cols" for token in tokens)
    return Forward(render(rewrite_expressions(_with_redshift_catalogue(expanded))), late_bound)


def query_of_view(text: str, context: Context) -> str:
    """The query of a late-binding view as PostgreSQL runs it."""
    return _query(tokenize(text), context).sql


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


def _unchanged(tokens: Sequence[Token], _: Context) -> Forward:
    return Forward(render(tokens))


def _merge(tokens: Sequence[Token], context: Context) -> Forward:
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
        raise not_emulated("MERGE … REMOVE DUPLICATES")
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
    return _query(tokens, context)


def _is_merge_clause(tokens: Sequence[Token], at: int) -> bool:
    return starts_with(tokens, "matched", at=at + 1) or starts_with(tokens, "not", "matched", at=at + 1)


def _explain(tokens: Sequence[Token], context: Context) -> Forward:
    at = 2 if word_at(tokens, 1) == "verbose" else 1
    if word_at(tokens, at) not in ("select", "with", "insert", "update", "delete", "create"):
        raise syntax_error(tokens[at].text if at < len(tokens) else "")
    return _query(tokens, context)


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


def _create_table(tokens: Sequence[Token], _: int, context: Context) -> Script:
    start = find_top_level(tokens, "as")
    if start >= 0:
        check(tokens[start:], context.functions.__contains__, creates=True)
        expanded, _ = context.late_views.expand(tokens[start:])
        tokens = [*tokens[:start], *expanded]
    table = parse_create_table(tokens)
    record = f"select redshift_internal.record_table({literal(table.name.sql)}, {literal(table.design.as_json())})"
    settle = f"select redshift_internal.settle_types({literal(table.name.sql)})"
    return Script((table.sql, record, *((settle,) if table.is_query else ())))


def _create_view(tokens: Sequence[Token], at: int, context: Context) -> Plan:
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
        plan = _query(tokens, context)
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


def _create_materialized_view(tokens: Sequence[Token], _: int, context: Context) -> Script:
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
    expanded, _ = context.late_views.expand(query)
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
        if context.is_view(parts) and parts[-2:] not in context.materialized_views:
            raise not_supported(f"a materialized view of a view ({parts[-1]})")
    for at, token in enumerate(query):
        if word_at(query, at + 1) == "(" and token.name in context.functions:
            raise not_supported(f"a user-defined function in a materialized view ({token.name})")


def _create_schema(tokens: Sequence[Token], at: int, context: Context) -> Forward:
    absent = starts_with(tokens, "if", "not", "exists", at=at + 1)
    tokens = _in_own_database(tokens, at + 1 + 3 * absent, context)
    quota = find_top_level(tokens, "quota")
    if quota >= 0:
        raise not_emulated("CREATE SCHEMA … QUOTA")
    if find_top_level(tokens, "create", "grant", start=1) >= 0:
        raise not_emulated("CREATE SCHEMA with what it contains")
    return Forward(render(tokens))


def _in_own_database(tokens: Sequence[Token], at: int, context: Context) -> Sequence[Token]:
    """The tokens without the database before a schema's name, which must be the session's."""
    if word_at(tokens, at + 1) != ".":
        return tokens
    if tokens[at].name != context.database:
        raise not_emulated("a schema in another database than the session's")
    return [*tokens[:at], replace(tokens[at + 2], before=" "), *tokens[at + 3 :]]


def _create_database(tokens: Sequence[Token], _: int, __: Context) -> Forward:
    name, at = qualified_name(tokens, 2)
    if at != len(tokens):
        raise not_emulated(f"CREATE DATABASE … {tokens[at].text.upper()}")
    return Forward(f"create database {name.sql}")


def _create_function(tokens: Sequence[Token], at: int, _: Context) -> Forward:
    """A scalar SQL function, or a procedure in PL/pgSQL: their bodies are Redshift's SQL, too."""
    kind = tokens[at].word
    language_at = find_top_level(tokens, "language")
    language = tokens[language_at + 1].name if 0 < language_at < len(tokens) - 1 else ""
    if language not in (("sql",) if kind == "function" else ("plpgsql",)):
        raise not_emulated(f"CREATE {kind.upper()} … LANGUAGE {language or '?'}")
    if any(token.word == "nonatomic" for token in tokens):
        raise not_emulated("NONATOMIC procedures")
    name, after = qualified_name(tokens, at + 1)
    end = closing(tokens, after)
    parts = split(tokens[after + 1 : end])
    rest = tokens[end + 1 :]
    head = render(tokens[: at + 1])
    if kind == "procedure":
        arguments = [_procedure_argument(part) for part in parts]
        return Forward(f"{head} {name.sql} ({', '.join(arguments)}){render(_with_body(rest, _check_procedure_body))}")
    types = [_function_argument(part) for part in parts]
    if word_at(rest, 0) != "returns":
        raise syntax_error(rest[0].text if rest else "")
    data_type, behind = read_type(rest, 1)
    attributes = _with_body(rest[behind:], _check_function_body)
    _check_function_attributes(attributes)
    return Forward(f"{head} {name.sql} ({', '.join(types)}) returns {data_type.name}{render(attributes)}")


def _with_body(tokens: Sequence[Token], check_body: Callable[[Sequence[Token]], None]) -> list[Token]:
    """What stands behind the arguments, with the body in PostgreSQL's words."""
    output = []
    for position, token in enumerate(tokens):
        if token.kind is Kind.STRING and word_at(tokens, position - 1) == "as":
            body = tokenize(token.value)
            check_body(body)
            output.append(replace(token, text=f"$redshift${text_of(body)}$redshift$", before=" "))
        else:
            output.append(replace(token, before=token.before or " "))
    return output


def _check_procedure_body(body: Sequence[Token]) -> None:
    for token in body:
        if token.word == "[":
            raise not_supported("an array")
    check_syntax(body)


def _check_function_body(body: Sequence[Token]) -> None:
    """A scalar function's is a SELECT of one expression, without any clause behind it."""
    if word_at(body, 0) != "select":
        raise syntax_error(body[0].text if body else "")
    clause = find_top_level(body, "from", "into", "where", "group", "order", "limit")
    if clause >= 0:
        raise not_supported(f"{body[clause].text.upper()} in a scalar SQL function")


def _check_function_attributes(tokens: Sequence[Token]) -> None:
    """Its volatility, which Redshift wants to be told, its body and its language: nothing else."""
    volatile = False
    at = 0
    while at < len(tokens):
        word = tokens[at].word
        if word in ("volatile", "stable", "immutable"):
            volatile = True
            at += 1
        elif word == "language" or (word == "as" and at + 1 < len(tokens) and tokens[at + 1].kind is Kind.STRING):
            at += 2
        else:
            raise syntax_error(tokens[at].text)
    if not volatile:
        raise syntax_error("as")


_NOT_ALTERED = ("quota", "connection", "collate", "isolation", "integration")


def _function_argument(part: Sequence[Token]) -> str:
    """The type of a scalar SQL function's argument, which has no name on Redshift: its body says $1."""
    try:
        data_type, end = read_type(part, 0)
    except RedshiftError as error:
        raise (syntax_error(part[1].text) if len(part) > 1 else error) from error
    if end != len(part):
        raise syntax_error(part[end].text)
    return data_type.name


def _create_identity(tokens: Sequence[Token], _: int, __: Context) -> Script:
    return translate_create_identity(tokens)


_CREATED: dict[str, Callable[[Sequence[Token], int, Context], Plan]] = {
    "table": _create_table,
    "temp": _create_table,
    "temporary": _create_table,
    "local": _create_table,
    "view": _create_view,
    "materialized": _create_materialized_view,
    "schema": _create_schema,
    "database": _create_database,
    "user": _create_identity,
    "group": _create_identity,
    "role": _create_identity,
    "function": _create_function,
    "procedure": _create_function,
}
_NOT_CREATED = {
    "sequence", "type", "domain", "trigger", "rule", "operator", "aggregate", "extension", "unlogged", "cast",
}  # fmt: skip


def _procedure_argument(part: Sequence[Token]) -> str:
    """An argument's type, behind its mode and name where it has them."""
    for start in range(len(part)):
        try:
            data_type, end = read_type(part, start)
        except RedshiftError:
            continue
        if end == len(part):
            return f"{render(part[:start]).strip()} {data_type.name}".strip()
    raise syntax_error(part[-1].text if part else ")")


def _alter(tokens: Sequence[Token], context: Context) -> Plan:
    match word_at(tokens, 1):
        case "table":
            return _alter_table(tokens)
        case "materialized" if word_at(tokens, 2) == "view":
            return _alter_materialized_view(tokens)
        case "user" | "group" | "role":
            return translate_alter_identity(tokens)
        case "schema" | "database" | "function" | "procedure":
            return _alter_object(tokens, context)
        case "default":
            return translate_grant(tokens)
        case "datashare" | "external" | "identity" | "masking" | "model" | "rls" | "system" as what:
            raise not_emulated(f"ALTER {what.upper()}")
    raise syntax_error(tokens[1].text if len(tokens) > 1 else "")


def _alter_object(tokens: Sequence[Token], context: Context) -> Forward:
    """A new name or owner; what else Redshift can alter in these is not emulated, and what it cannot is wrong."""
    action = next((token.word for token in tokens[3:] if token.word in ("rename", "owner", *_NOT_ALTERED)), "")
    if action in _NOT_ALTERED:
        raise not_emulated(f"ALTER {tokens[1].text.upper()} … {action.upper()}")
    if not action:
        raise syntax_error(tokens[3].text if len(tokens) > 3 else "")
    return _unchanged(tokens, context)


def _alter_table(tokens: Sequence[Token]) -> Plan:
    if starts_with(tokens, "if", "exists", at=2):
        raise syntax_error("exists")
    table, at = qualified_name(tokens, 2)
    actions = split(tokens[at:])
    if len(actions) > 1:
        return _alter_at_once(table, actions)
    return _alter_table_once(tokens, table, tokens[at:])


def _alter_at_once(table: QualifiedName, actions: Sequence[Sequence[Token]]) -> Script:
    """The few actions that one statement may combine: a sort key with a distribution, and encodings."""
    clauses = [action[2:] if starts_with(action, "alter", "column") else action[1:] for action in actions]
    if all(word_at(clause, 1) == "encode" for clause in clauses):
        plans = [_alter_column(table, clause) for clause in clauses]
    elif sorted("sort" if starts_with(clause, "sortkey|compound") else "dist" for clause in clauses) == [
        "dist",
        "sort",
    ]:
        plans = [_alter_design(table, clause) for clause in clauses]
    else:
        raise syntax_error(",")  # one action a statement
    return Script(tuple(step for plan in plans for step in plan.steps), tag="ALTER TABLE")


def _alter_table_once(tokens: Sequence[Token], table: QualifiedName, action: Sequence[Token]) -> Plan:
    if not action:
        raise syntax_error("")
    name = literal(table.sql)
    match (action[0].word, word_at(action, 1)):
        case ("add", "constraint" | "primary" | "unique" | "foreign" | "check"):
            design = TableDesign()
            not_null = table_constraint(action[1:], design)
            steps = [f"select redshift_internal.check_not_null({name}, {literal(column)})" for column in not_null]
            return Script(
                (
                    *steps,
                    f"select redshift_internal.add_constraints({name}, {literal(json.dumps(design.constraints))})",
                ),
                tag="ALTER TABLE",
            )
        case ("add", second):
            return _add_column(table, action[2:] if second == "column" else action[1:])
        case ("drop", _):
            return _drop_from_table(tokens, table, action)
        case ("alter", "distkey" | "diststyle" | "sortkey" | "compound" | "encode"):
            return _alter_design(table, action[1:])
        case ("alter", _):
            return _alter_column(table, action[2:] if word_at(action, 1) == "column" else action[1:])
        case ("append", _) | ("row", _) | ("set", "location" | "file" | "table"):
            raise not_emulated(f"ALTER TABLE … {action[0].text.upper()}")
        case ("rename" | "owner", _):
            return Forward(render(tokens))
    raise syntax_error(action[0].text)


def _drop_from_table(tokens: Sequence[Token], table: QualifiedName, action: Sequence[Token]) -> Script:
    """DROP CONSTRAINT, which is written down here, and DROP [COLUMN] of what is no key."""
    at = 2 if word_at(action, 1) in ("column", "constraint") else 1
    if starts_with(action, "if", "exists", at=at):
        raise syntax_error("exists")
    dropped, _ = qualified_name(action, at)
    arguments = f"{literal(table.sql)}, {literal(dropped.relation)}"
    if word_at(action, 1) == "constraint":
        return Script((f"select redshift_internal.drop_constraint({arguments})",), tag="ALTER TABLE")
    return Script((f"select redshift_internal.check_is_no_key({arguments})", render(tokens)), tag="ALTER TABLE")


def _add_column(table: QualifiedName, definition: Sequence[Token]) -> Script:
    if starts_with(definition, "if", "not", "exists"):
        raise syntax_error("not")
    if any(token.word == "collate" for token in definition):
        raise syntax_error("collate")
    design = TableDesign()
    column = column_definition(definition, design)
    if design.distribution_key or design.sort_keys or design.constraints or "as identity" in column:
        raise not_supported("ALTER TABLE ADD COLUMN with a key or an identity")
    if column.endswith(" not null") and " default " not in column:
        raise RedshiftError(
            FEATURE_NOT_SUPPORTED, "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression"
        )
    record = f"select redshift_internal.record_encodings({literal(table.sql)}, {literal(json.dumps(design.encodings))})"
    return Script((f"alter table {table.sql} add column {column}", record))


def _alter_design(table: QualifiedName, action: Sequence[Token]) -> Script:
    """ALTER DISTSTYLE, DISTKEY and SORTKEY: a distribution key stands without parentheses."""
    tokens = list(action)
    if starts_with(tokens, "diststyle", "key", "distkey"):
        tokens = tokens[2:]
    if tokens[0].word == "distkey" and word_at(tokens, 1) != "(":
        tokens = [tokens[0], *tokenize("("), *tokens[1:], *tokenize(")")]
    design = TableDesign()
    if read_attributes(tokens, 0, design) != len(tokens):
        raise syntax_error(tokens[-1].text)
    changes = {
        "distribution": "key" if design.distribution_key else design.distribution,
        "distribution_key": design.distribution_key,
        "sort_keys": design.sort_keys,
        "sorts": any(token.word == "sortkey" for token in tokens),
    }
    return Script(
        (f"select redshift_internal.alter_design({literal(table.sql)}, {literal(json.dumps(changes))})",),
        tag="ALTER TABLE",
    )


def _alter_column(table: QualifiedName, action: Sequence[Token]) -> Script:
    column = QualifiedName((action[0].name,)).sql
    match word_at(action, 1):
        case "type":
            data_type, end = read_type(action, 2)
            if end != len(action):
                raise syntax_error(action[end].text)
            if data_type.name != "varchar":
                raise RedshiftError(
                    FEATURE_NOT_SUPPORTED,
                    f'target data type "{data_type.sql}" is not supported: '
                    "ALTER COLUMN TYPE changes the size of VARCHAR columns only",
                )
            check_type = f"select redshift_internal.check_can_resize({literal(table.sql)}, {literal(action[0].name)})"
            return Script(
                (check_type, f"alter table {table.sql} alter column {column} type {data_type.of_column().sql}"),
                tag="ALTER TABLE",
                alone="ALTER TABLE ALTER COLUMN",
            )
        case "encode":
            encodings = json.dumps({action[0].name: action[2].name if len(action) > 2 else ""})
            return Script(
                (f"select redshift_internal.record_encodings({literal(table.sql)}, {literal(encodings)})",),
                tag="ALTER TABLE",
            )
    raise syntax_error(action[1].text if len(action) > 1 else "")


def _alter_materialized_view(tokens: Sequence[Token]) -> Script:
    name, at = qualified_name(tokens, 3)
    if not (starts_with(tokens, "auto", "refresh", "yes|no", at=at) and at + 3 == len(tokens)):
        raise not_emulated("ALTER MATERIALIZED VIEW of anything but AUTO REFRESH")
    refreshes = str(tokens[-1].word == "yes").lower()
    return Script(
        (f"select redshift_internal.alter_materialized_view({literal(name.sql)}, {refreshes})",),
        tag="ALTER MATERIALIZED VIEW",
    )


def _refresh(tokens: Sequence[Token], __: Context) -> Script:
    if not starts_with(tokens, "materialized", "view", at=1):
        raise syntax_error(tokens[1].text if len(tokens) > 1 else "")
    name, at = qualified_name(tokens, 3)
    at += word_at(tokens, at) in ("restrict", "cascade")
    if at < len(tokens):
        raise syntax_error(tokens[at].text)
    return Script((f"select redshift_internal.refresh_materialized_view({literal(name.sql)})",), tag="REFRESH")


def _drop(tokens: Sequence[Token], context: Context) -> Plan:
    match word_at(tokens, 1):
        case "materialized":
            present = starts_with(tokens, "if", "exists", at=3)
            name, at = qualified_name(tokens, 3 + 2 * present)
            arguments = f"{literal(name.sql)}, {str(present).lower()}, {str(word_at(tokens, at) == 'cascade').lower()}"
            return Script(
                (f"select redshift_internal.drop_materialized_view({arguments})",), tag="DROP MATERIALIZED VIEW"
            )
        case "schema":
            present = starts_with(tokens, "if", "exists", at=2)
            return _unchanged(_in_own_database(tokens, 2 + 2 * present, context), context)
        case "table" | "view" | "user" | "group" | "database" | "function" | "procedure" | "role":
            return _unchanged(tokens, context)
        case "datashare" | "external" | "identity" | "library" | "masking" | "model" | "rls" as what:
            raise not_emulated(f"DROP {what.upper()}")
    raise syntax_error(tokens[1].text if len(tokens) > 1 else "")


def _truncate(tokens: Sequence[Token], _: Context) -> Script:
    table, at = qualified_name(tokens, 2 if word_at(tokens, 1) == "table" else 1)
    if at != len(tokens):
        raise syntax_error(tokens[at].text)
    return Script((f"truncate table {table.sql}",), commits=True)


def _vacuum(tokens: Sequence[Token], _: Context) -> Script:
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


def _analyze(tokens: Sequence[Token], _: Context) -> Forward:
    if word_at(tokens, 1) == "compression":
        raise not_emulated("ANALYZE COMPRESSION")
    end = len(tokens) - 2 if starts_with(tokens[-2:], "predicate|all", "columns") else len(tokens)
    return Forward(render(tokens[:end]))


def _copy(tokens: Sequence[Token], _: Context) -> Load:
    return Load(parse_copy(tokens, render(tokens).strip()))


def _unload(_: Sequence[Token], __: Context) -> Plan:
    raise not_emulated("UNLOAD")


def _grant(tokens: Sequence[Token], _: Context) -> Plan:
    return translate_grant(tokens)


def _set(tokens: Sequence[Token], _: Context) -> Forward:
    return settings.translate_set(tokens)


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


def _lock(tokens: Sequence[Token], context: Context) -> Forward:
    for part in split(tokens[1 + (word_at(tokens, 1) == "table") :]):
        _, end = qualified_name(part, 0)
        if end != len(part):
            raise syntax_error(part[end].text)  # Redshift has one mode
    return _unchanged(tokens, context)


def _declare(tokens: Sequence[Token], context: Context) -> Forward:
    if not starts_with(tokens, "cursor", "for", at=2):
        raise syntax_error(tokens[2].text if len(tokens) > 2 else "")
    return _query(tokens, context)


def _fetch(tokens: Sequence[Token], context: Context) -> Forward:
    """Cursors go forward only."""
    if word_at(tokens, 1) in ("backward", "prior", "first", "last", "absolute", "relative"):
        raise syntax_error(tokens[1].text)
    return _unchanged(tokens, context)


def _no_savepoints(tokens: Sequence[Token], _: Context) -> Plan:
    raise not_supported(f"{tokens[0].text.upper()}")


_ISOLATION_LEVELS = ("serializable", "read committed", "read uncommitted", "repeatable read")


def _begin(tokens: Sequence[Token], _: Context) -> Forward:
    """Every isolation level that Redshift takes means its one level; READ ONLY means what it says."""
    at = 1 + (word_at(tokens, 1) in ("work", "transaction"))
    if tokens[0].word == "start" and at == 1:
        raise syntax_error(tokens[1].text if len(tokens) > 1 else "")
    said = " ".join(token.word for token in tokens[at:])
    for level in _ISOLATION_LEVELS:
        said = said.removeprefix(f"isolation level {level}").strip()
    if said not in ("", "read only", "read write"):
        raise syntax_error(tokens[at].text)
    return Forward("begin read only" if said == "read only" else "begin")


def _commit(tokens: Sequence[Token], context: Context) -> Forward:
    at = 1 + (word_at(tokens, 1) in ("work", "transaction"))
    if at < len(tokens):
        raise syntax_error(tokens[at].text)
    return _unchanged(tokens, context)


def _rollback(tokens: Sequence[Token], context: Context) -> Plan:
    if any(token.word == "to" for token in tokens):
        return _no_savepoints(tokens, context)
    return _commit(tokens, context)


def _comment(tokens: Sequence[Token], context: Context) -> Forward:
    if word_at(tokens, 2) not in ("table", "column", "view", "schema", "database", "constraint", "function"):
        raise RedshiftError(
            INVALID_TABLE_DEFINITION, f"COMMENT ON {tokens[2].text.upper() if len(tokens) > 2 else ''} is not supported"
        )
    return _unchanged(tokens, context)


_HANDLERS: dict[str, Callable[[Sequence[Token], Context], Plan]] = {
    "select": _select,
    "with": _with,
    "(": _query,
    "insert": _insert,
    "update": _change,
    "delete": _change,
    "merge": _merge,
    "explain": _explain,
    "declare": _declare,
    "fetch": _fetch,
    "close": _unchanged,
    "prepare": _query,
    "execute": _query,
    "deallocate": _unchanged,
    "call": _query,
    "create": _create,
    "alter": _alter,
    "drop": _drop,
    "refresh": _refresh,
    "truncate": _truncate,
    "vacuum": _vacuum,
    "analyze": _analyze,
    "analyse": _analyze,
    "copy": _copy,
    "unload": _unload,
    "grant": _grant,
    "revoke": _grant,
    "set": _set,
    "reset": _reset,
    "show": _show,
    "use": _use,
    "lock": _lock,
    "comment": _comment,
    "begin": _begin,
    "start": _begin,
    "commit": _commit,
    "end": _commit,
    "rollback": _rollback,
    "abort": _rollback,
    "savepoint": _no_savepoints,
    "release": _no_savepoints,
    "cancel": lambda tokens, _: Forward(f"select pg_catalog.pg_cancel_backend({render(tokens[1:2])})"),
}
