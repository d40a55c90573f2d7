"""CREATE FUNCTION and CREATE PROCEDURE, whose bodies are Redshift's SQL, too."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from dbt_local_aws.redshift.datatypes import read_type
from dbt_local_aws.redshift.errors import (
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.features.absent import check_absent
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.refusals.calls import unknown_functions
from dbt_local_aws.redshift.refusals.check import check
from dbt_local_aws.redshift.refusals.grammar import check_rule
from dbt_local_aws.redshift.refusals.syntax import check_syntax
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.plans import Forward, Plan, Script
from dbt_local_aws.redshift.statements.rewriting import text_of
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    closing,
    find_top_level,
    qualified_name,
    render,
    split,
    sql,
    starts_with,
    tokenize,
    word_at,
)

# udf-creating-a-scalar-sql-udf
_NO_CLAUSES_OF_FUNCTIONS = (
    "from", "into", "where", "group", "order", "limit", "union", "intersect", "except", "minus",
)  # fmt: skip

# What begins the names of types that only Redshift has, where a variable is declared
_TYPES_OF_REDSHIFT = {"binary", "datetime", "number", "nvarchar", "varbinary"}


def create_function(tokens: Sequence[Token], at: int, context: Context) -> Plan:
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
        arguments = ", ".join(_procedure_argument(part) for part in parts)
        _check_procedure_attributes(rest)
        bodies: list[Sequence[Token]] = []
        attributes = _with_body(rest, lambda body: bodies.append(_checked_procedure_body(body)))
        steps = (f"{head} {name.sql} ({arguments}){render(attributes)}", *map(_check_of_calls, bodies))
        return Script(steps, tag="CREATE PROCEDURE")
    types = [_function_argument(part) for part in parts]
    if word_at(rest, 0) != "returns":
        raise syntax_error(rest[0].text if rest else "")
    data_type, behind = read_type(rest, 1)
    attributes = _with_body(rest[behind:], lambda body: _check_function_body(body, context))
    _check_function_attributes(attributes)
    return Forward(f"{head} {name.sql} ({', '.join(types)}) returns {data_type.name}{render(attributes)}")


def _with_body(tokens: Sequence[Token], check_body: Callable[[Sequence[Token]], None]) -> list[Token]:
    """What stands behind the arguments, with the body in PostgreSQL's words."""
    output = []
    for position, token in enumerate(tokens):
        if token.kind is Kind.STRING and word_at(tokens, position - 1) == "as":
            body = tokenize(token.value)
            check_body(body)
            output.append(replace(token, text=f"$redshift${text_of(_with_known_types(body))}$redshift$", before=" "))
        else:
            output.append(replace(token, before=token.before or " "))
    return output


def _with_known_types(body: Sequence[Token]) -> list[Token]:
    """The body with variables of the types that PostgreSQL knows by no such name."""
    output: list[Token] = []
    declares = False
    at = 0
    while at < len(body):
        declares = body[at].word == "declare" or (declares and body[at].word != "begin")
        output.append(body[at])
        at += 1
        behind_name = word_at(body, at - 2) in ("declare", ";") or word_at(body, at - 1) == "constant"
        if declares and behind_name and word_at(body, at) in _TYPES_OF_REDSHIFT:
            data_type, at = read_type(body, at)
            output += sql(data_type.sql)
    return output


def _checked_procedure_body(body: Sequence[Token]) -> Sequence[Token]:
    for token in body:
        if token.word == "[":
            raise not_supported("an array")
    check_syntax(body)
    check_absent(body)
    check_rule("body", body)
    return body


def _check_of_calls(body: Sequence[Token]) -> str:
    """Fails for a function of PostgreSQL's alone. One that nobody has yet may be made before the call."""
    names = ", ".join(map(literal, unknown_functions(body))) or "null"
    fail = "redshift_internal.fail('42883', 'function ' || proname || '() does not exist', '', '')"
    source = "from pg_catalog.pg_proc where oid < 16384"
    return f"select {fail} {source} and proname in ({names}) limit 1"


def _check_procedure_attributes(tokens: Sequence[Token]) -> None:
    """Its body, its language, its security and one parameter: nothing else (r_CREATE_PROCEDURE)."""
    at = 0
    while at < len(tokens):
        word = tokens[at].word
        if word in ("as", "language") or starts_with(tokens, "security", "invoker|definer", at=at):
            at += 2
        elif word == "set":
            while at < len(tokens) and tokens[at].word not in ("as", "language", "security"):
                at += 1
        else:
            raise syntax_error(tokens[at].text)


def _check_function_body(body: Sequence[Token], context: Context) -> None:
    """A scalar function's is a SELECT of one expression, without any clause behind it."""
    if word_at(body, 0) != "select":
        raise syntax_error(body[0].text if body else "")
    check(body, context.functions.__contains__)
    check_rule("query", body)
    clause = find_top_level(body, *_NO_CLAUSES_OF_FUNCTIONS)
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


def _function_argument(part: Sequence[Token]) -> str:
    """The type of a scalar SQL function's argument, which has no name on Redshift: its body says $1."""
    try:
        data_type, end = read_type(part, 0)
    except RedshiftError as error:
        raise (syntax_error(part[1].text) if len(part) > 1 else error) from error
    if end != len(part):
        raise syntax_error(part[end].text)
    return data_type.name


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
