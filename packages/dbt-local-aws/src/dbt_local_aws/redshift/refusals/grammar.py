"""Redshift's grammar, statement by statement: what it does not have is refused, whatever PostgreSQL would make of it.

The rules stand in names/syntax/, each beside the pages that it is from.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources

from dbt_local_aws.redshift.datatypes import read_type
from dbt_local_aws.redshift.errors import RedshiftError, syntax_error
from dbt_local_aws.redshift.functions import (
    KEYWORDS_BEFORE_PARENTHESIS,
    LEADER_NODE_FUNCTIONS,
    NOT_EMULATED_FUNCTIONS,
    REDSHIFT_FUNCTIONS,
    RESERVED_WORDS,
)
from dbt_local_aws.redshift.refusals.notation import FAILED, Grammar, Reader, Reading
from dbt_local_aws.redshift.refusals.operators import is_operator, without_signs
from dbt_local_aws.redshift.tokens import Kind, Token, find_top_level, word_at

_DEEPEST = 30_000  # calls of Python, some twenty for a parenthesis in another
# No name of a column or a table without AS before it, although none of them is reserved
_BEGINS_CLAUSE = {"at", "connect", "exclude", "qualify", "set", "start", "values"}
# Reserved words that pages read columns by: r_STL_SCHEMA_QUOTA_VIOLATIONS and t_rls_performance
_READ_WITHOUT_QUOTES = {"oid", "timestamp"}
_PREFIXES = {"+", "-", "|/", "||/", "@", "~"}
_GOES_ON_WITH_TYPE = {"(", "precision", "varying", "with", "without"}  # behind the first word of a type
_PLAIN = {Kind.STRING, Kind.NUMBER, Kind.PARAMETER}
_PLAIN_WORDS = {"null", "true", "false", "default"}
_FUNCTIONS = REDSHIFT_FUNCTIONS | NOT_EMULATED_FUNCTIONS | LEADER_NODE_FUNCTIONS

_NO_FUNCTIONS = RESERVED_WORDS | KEYWORDS_BEFORE_PARENTHESIS


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
    """A column where it is read: https://github.com/sqlfluff/sqlfluff/issues/2558 has DATETIME, which no page has."""
    if reading.words[at] in _READ_WITHOUT_QUOTES:
        return at + 1
    return reading.fail(at) if reading.words[at] == "datetime" else _name(reading, at)


def _alias(reading: Reading, at: int) -> int:
    """A name without AS before it."""
    begins = _BEGINS_CLAUSE if reading.rule != "body" else _BEGINS_CLAUSE | {"loop"}
    return reading.fail(at) if reading.words[at] in begins else _name(reading, at)


def _column_alias(reading: Reading, at: int) -> int:
    """The name of a column in a list, without AS before it."""
    return reading.fail(at) if reading.words[at] == "exclude" else _name(reading, at)


def _function(reading: Reading, at: int) -> int:
    """What is called: some functions have the name of a reserved word or a type, and no other of these is one."""
    fits = word_at(reading.tokens, at + 1) == "(" and reading.tokens[at].is_identifier
    fits = fits and (reading.words[at] not in _NO_FUNCTIONS or reading.words[at] in _FUNCTIONS)
    return at + 1 if fits else reading.fail(at)


def _operator(reading: Reading, at: int) -> int:
    """An operator between two operands; whether Redshift has it, check_operator() says."""
    end = _run(reading, at)
    if end == FAILED:
        return FAILED
    run = "".join(token.text for token in reading.tokens[at:end])
    return end - (len(run) - len(without_signs(run)))  # each sign is a token


def _prefix_operator(reading: Reading, at: int) -> int:
    end = _longest(reading, at, _PREFIXES)
    return end if end > at else reading.fail(at)


def _longest(reading: Reading, at: int, operators: set[str]) -> int:
    """Behind the longest of these operators that begins here; its characters stand side by side."""
    text, longest = "", at
    for position in range(at, _run(reading, at)):
        text += reading.tokens[position].text
        if text in operators:
            longest = position + 1
    return longest


def _run(reading: Reading, at: int) -> int:
    """Behind the characters of operators that stand here side by side."""
    end = at
    while (
        end < len(reading.tokens) and is_operator(reading.tokens[end]) and (end == at or not reading.tokens[end].before)
    ):
        end += 1
    return end if end > at else reading.fail(at)


def _string(reading: Reading, at: int) -> int:
    """A text, which goes on behind a new line."""
    tokens = reading.tokens
    if at >= len(tokens) or tokens[at].kind is not Kind.STRING:
        return reading.fail(at)
    at += 1
    while at < len(tokens) and tokens[at].kind is Kind.STRING and "\n" in tokens[at].before:
        at += 1
    return at


def _anything(reading: Reading, at: int) -> int:
    """What other parsers read, up to the end of a statement within a body."""
    while at < len(reading.tokens) and reading.words[at] != ";":
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
    if at + 1 >= len(tokens) or (_name(reading, at) == FAILED and reading.words[at] != "timestamp"):
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
    return [file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".txt")]


GRAMMAR = Grammar(
    _texts(),
    {
        "name": _name,
        "alias": _alias,
        "anything": _anything,
        "column": _column,
        "column_alias": _column_alias,
        "field": _of_kind(Kind.WORD, Kind.NAME),
        "label": _of_kind(Kind.WORD, Kind.NAME),
        "function": _function,
        "string": _string,
        "number": _of_kind(Kind.NUMBER),
        "parameter": _of_kind(Kind.PARAMETER),
        "operator": _operator,
        "prefix_operator": _prefix_operator,
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
    "vacuum": "vacuum", "truncate": "truncate", "cancel": "cancel", "set": "set", "reset": "reset",
    "grant": "grant", "revoke": "revoke",
}  # fmt: skip
_CREATED = {
    "database": "create_database",
    "group": "create_group",
    "role": "create_role",
    "schema": "create_schema",
    "view": "create_view",
    "materialized": "create_materialized_view",
}

_ALTERED = {"default": "default_rights", "group": "alter_group"}


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
            if created in ("table", "temp", "temporary", "local"):
                return "create_table_as" if find_top_level(tokens, "as") >= 0 else "create_table"
            return _CREATED.get(created, "")
        case "alter" if word_at(tokens, 1) in _ALTERED:
            return _ALTERED[word_at(tokens, 1)]
        case "alter":
            return "alter_name" if find_top_level(tokens, "rename", "owner", "isolation") >= 0 else ""
        case first:
            return _RULES.get(first, "")


def check_rule(rule: str, tokens: Sequence[Token]) -> None:
    """Raises where tokens do not follow a rule of the grammar."""
    wrong = _first_wrong(rule, tuple(tokens))
    if wrong is not None:
        raise syntax_error(tokens[wrong].text if wrong < len(tokens) else "")


@lru_cache(maxsize=64)
def _first_wrong(rule: str, tokens: tuple[Token, ...]) -> int | None:
    """Which token does not fit. A statement is read again with all that becomes known of it, and says the same."""
    with _deep_recursion():
        return GRAMMAR.read(rule, tokens)


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Lets rules call each other as deep as statements go."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
