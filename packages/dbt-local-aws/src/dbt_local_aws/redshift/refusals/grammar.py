"""Redshift's grammar, statement by statement: what it does not have is refused, whatever PostgreSQL would make of it.

The rules stand in names/syntax/, each beside the pages that it is from.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources

from dbt_local_aws.redshift.datatypes import read_type
from dbt_local_aws.redshift.errors import RedshiftError, syntax_error
from dbt_local_aws.redshift.functions import (
    LEADER_NODE_FUNCTIONS,
    NOT_EMULATED_FUNCTIONS,
    REDSHIFT_FUNCTIONS,
    RESERVED_WORDS,
)
from dbt_local_aws.redshift.refusals.notation import FAILED, Grammar, Reader, Reading
from dbt_local_aws.redshift.tokens import Kind, Token, find_top_level, word_at

_DEEPEST = 30_000  # calls of Python, some twenty for a parenthesis in another
# No name of a column or a table without AS before it, although none of them is reserved
_BEGINS_CLAUSE = {"at", "connect", "exclude", "qualify", "set", "start", "values"}
# Reserved words that pages read columns by: r_STL_SCHEMA_QUOTA_VIOLATIONS and t_rls_performance
_READ_WITHOUT_QUOTES = {"oid", "timestamp"}
# "Mathematical operator symbols", "Comparison condition", "POSIX operators"; the others are what views are shown with
_OPERATORS = {
    "+", "-", "*", "/", "%", "^", "&", "|", "#", "<<", ">>", "||", "=", "<>", "!=", "<", ">", "<=", ">=",
    "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*",
}  # fmt: skip
_PREFIXES = {"+", "-", "|/", "||/", "@", "~"}
_GOES_ON_WITH_TYPE = {"(", "precision", "varying", "with", "without"}  # behind the first word of a type
_PLAIN = {Kind.STRING, Kind.NUMBER, Kind.PARAMETER}
_PLAIN_WORDS = {"null", "true", "false", "default"}
_FUNCTIONS = REDSHIFT_FUNCTIONS | NOT_EMULATED_FUNCTIONS | LEADER_NODE_FUNCTIONS


def _of_kind(*kinds: Kind) -> Reader:
    def read(reading: Reading, at: int) -> int:
        fits = at < len(reading.tokens) and reading.tokens[at].kind in kinds
        return at + 1 if fits else reading.fail(at)

    return read


def _name(reading: Reading, at: int) -> int:
    """A name, which is in quotes where its word is reserved."""
    fits = at < len(reading.tokens) and reading.tokens[at].is_identifier and reading.words[at] not in RESERVED_WORDS
    return at + 1 if fits else reading.fail(at)


def _column(reading: Reading, at: int) -> int:
    """A column where it is read."""
    return at + 1 if reading.words[at] in _READ_WITHOUT_QUOTES else _name(reading, at)


def _alias(reading: Reading, at: int) -> int:
    """A name without AS before it."""
    return reading.fail(at) if reading.words[at] in _BEGINS_CLAUSE else _name(reading, at)


def _function(reading: Reading, at: int) -> int:
    """What is called: some functions have the name of a reserved word."""
    fits = word_at(reading.tokens, at + 1) == "(" and reading.tokens[at].is_identifier
    fits = fits and (reading.words[at] not in RESERVED_WORDS or reading.words[at] in _FUNCTIONS)
    return at + 1 if fits else reading.fail(at)


def _one_of(operators: set[str]) -> Reader:
    def read(reading: Reading, at: int) -> int:
        """The longest operator that begins here; its characters stand side by side."""
        text, longest = "", -1
        for position in range(at, min(at + 3, len(reading.tokens))):
            token = reading.tokens[position]
            if token.kind is not Kind.OPERATOR or (position > at and token.before):
                break
            text += token.text
            if text in operators:
                longest = position + 1
        return longest if longest > 0 else reading.fail(at)

    return read


def _string(reading: Reading, at: int) -> int:
    """A text, which goes on behind a new line."""
    tokens = reading.tokens
    if at >= len(tokens) or tokens[at].kind is not Kind.STRING:
        return reading.fail(at)
    at += 1
    while at < len(tokens) and tokens[at].kind is Kind.STRING and "\n" in tokens[at].before:
        at += 1
    return at


def _type(reading: Reading, at: int) -> int:
    """A data type: the name of one that Redshift has not is told from what is no name at all."""
    try:
        return read_type(reading.tokens, at)[1]
    except RedshiftError:
        return reading.fail(at)


def _typed_literal(reading: Reading, at: int) -> int:
    """The name of a type before a text: `date '2020-01-01'`."""
    tokens = reading.tokens
    if at + 1 >= len(tokens) or (_column(reading, at) == FAILED):
        return reading.fail(at)
    if tokens[at + 1].kind is Kind.STRING:
        return read_type(tokens, at)[1] + 1  # a type that Redshift has not is named in its refusal
    if reading.words[at + 1] not in _GOES_ON_WITH_TYPE:
        return reading.fail(at)
    end = _type(reading, at)
    fits = at < end < len(tokens) and tokens[end].kind is Kind.STRING
    return end + 1 if fits else reading.fail(at)


def _plain_row(reading: Reading, at: int) -> int:
    """A row of plain values: INSERT may have many thousands of them."""
    if reading.words[at] != "(":
        return reading.fail(at)
    for position in range(at + 1, len(reading.tokens) - 1, 2):
        plain = reading.tokens[position].kind in _PLAIN or reading.words[position] in _PLAIN_WORDS
        if not plain or reading.words[position + 1] not in (",", ")"):
            return reading.fail(at)
        if reading.words[position + 1] == ")":
            return position + 2
    return reading.fail(at)


def _texts() -> list[str]:
    folder = resources.files("dbt_local_aws.redshift").joinpath("names", "syntax")
    return [file.read_text(encoding="utf-8") for file in folder.iterdir()]


GRAMMAR = Grammar(
    _texts(),
    {
        "name": _name,
        "alias": _alias,
        "column": _column,
        "field": _of_kind(Kind.WORD, Kind.NAME),
        "label": _of_kind(Kind.WORD, Kind.NAME),
        "function": _function,
        "string": _string,
        "number": _of_kind(Kind.NUMBER),
        "parameter": _of_kind(Kind.PARAMETER),
        "operator": _one_of(_OPERATORS),
        "prefix_operator": _one_of(_PREFIXES),
        "plain_row": _plain_row,
        "type": _type,
        "typed_literal": _typed_literal,
    },
)
# The rule that a statement follows, by the words that it begins with
_RULES = {
    "select": "query", "(": "query", "insert": "insert", "update": "update", "delete": "delete", "merge": "merge",
    "explain": "explain", "declare": "declare", "fetch": "fetch", "close": "close", "prepare": "prepare",
    "execute": "execute", "deallocate": "deallocate", "call": "call_procedure", "drop": "drop", "comment": "comment",
    "analyze": "analyze", "analyse": "analyze", "lock": "lock",
}  # fmt: skip
_CREATED = {"schema": "create_schema", "view": "create_view", "materialized": "create_materialized_view"}


def check_grammar(tokens: Sequence[Token]) -> None:
    """Raises where a statement is none of Redshift's. What other parsers read word by word has no rule here."""
    rule = _rule_of(tokens)
    if rule:
        check_rule(rule, tokens)


def _rule_of(tokens: Sequence[Token]) -> str:
    match word_at(tokens, 0):
        case "with":
            at = find_top_level(tokens, "select", "update", "delete")
            return {"update": "update", "delete": "delete"}.get(word_at(tokens, at), "query")
        case "create":
            created = word_at(tokens, 3 if word_at(tokens, 1) == "or" else 1)
            of_query = find_top_level(tokens, "as") >= 0 and created in ("table", "temp", "temporary", "local")
            return "create_table_as" if of_query else _CREATED.get(created, "")
        case "alter":
            return "alter_name" if find_top_level(tokens, "rename", "owner") >= 0 else ""
        case first:
            return _RULES.get(first, "")


def check_rule(rule: str, tokens: Sequence[Token]) -> None:
    """Raises where tokens do not follow a rule of the grammar."""
    with _deep_recursion():
        wrong = GRAMMAR.read(rule, tokens)
    if wrong is not None:
        raise syntax_error(tokens[wrong].text if wrong < len(tokens) else "")


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Lets rules call each other as deep as statements go."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
