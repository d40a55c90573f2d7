"""CREATE TABLE, SELECT INTO and ALTER TABLE."""

import json
from collections.abc import Sequence
from dataclasses import replace

from dbt_local_aws.redshift import superuser
from dbt_local_aws.redshift.datatypes import read_type
from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.features.rewriting import expand
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.refusals.check import check, check_compute_nodes
from dbt_local_aws.redshift.statements.append import append
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.plans import Forward, Plan, Script
from dbt_local_aws.redshift.statements.table_design import (
    TableDesign,
    column_definition,
    parse_create_table,
    read_attributes,
    table_constraint,
)
from dbt_local_aws.redshift.tokens import (
    QualifiedName,
    Token,
    find_top_level,
    qualified_name,
    render,
    split,
    starts_with,
    tokenize,
    word_at,
)


def select_into(tokens: Sequence[Token], into: int, context: Context) -> Script:
    """SELECT … INTO [TEMP] [TABLE] name FROM …: another way to say CREATE TABLE AS."""
    at = into + 1
    temporary = word_at(tokens, at) in ("temp", "temporary")
    at += temporary
    at += word_at(tokens, at) == "table"
    name, at = qualified_name(tokens, at)
    head = tokenize(f"create {'temporary ' if temporary else ''}table {name.sql} as ")
    return replace(create_table([*head, *tokens[:into], *tokens[at:]], 0, context), tag="SELECT")


def create_table(tokens: Sequence[Token], _: int, context: Context) -> Script:
    """CREATE TABLE, with or without a query, whose design is recorded."""
    start = find_top_level(tokens, "as")
    if start >= 0:
        check(tokens[start:], context.functions.__contains__, creates=True)
        expanded, _ = expand(tokens[start + 1 :], context)
        check_compute_nodes(expanded)
        tokens = [*tokens[: start + 1], *expanded]
    table = parse_create_table(tokens)
    record = f"select redshift_internal.record_table({literal(table.name.sql)}, {literal(table.design.as_json())})"
    settle = f"select redshift_internal.settle_types({literal(table.name.sql)})"
    return Script((table.sql, record, *((settle,) if table.is_query else ())))


def alter_table(tokens: Sequence[Token]) -> Plan:
    """ALTER TABLE: one action, or the few that go together."""
    if starts_with(tokens, "if", "exists", at=2):
        raise syntax_error("exists")
    table, at = qualified_name(tokens, 2)
    if starts_with(tokens, "append", "from", at=at):
        return append(table, tokens[at:])
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
        case ("row", _) | ("set", "location" | "file" | "table"):
            raise not_emulated(f"ALTER TABLE … {action[0].text.upper()}")
        case ("rename", _) | ("owner", "to"):
            return Forward(render(tokens)) if action[0].word == "rename" else new_owner(tokens)
    raise syntax_error(action[0].text)


def new_owner(tokens: Sequence[Token]) -> Script:
    """ALTER … OWNER TO."""
    kind = tokens[1].word
    if not (starts_with(tokens[-3:], "owner", "to") and tokens[-1].is_identifier):
        raise syntax_error(tokens[-1].text)
    name = render(tokens[2:-3]).strip()
    return Script((superuser.change_owner(kind, name, tokens[-1].name),), tag=f"ALTER {kind.upper()}")


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
