"""Reads the statements that Athena gives to Trino: sqlglot's grammar, minus what Trino's does not have."""

# ruff: noqa: ANN401 - what is overridden here has no types in sqlglot either

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

from local_aws.athena.errors import AthenaError, InvalidRequestError, syntax_error

# https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html, the list for SELECT
RESERVED_IN_SELECT = frozenset(
    """ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE CURRENT_PATH
    CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE DISTINCT DROP ELSE END
    ESCAPE EXCEPT EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT INTERSECT INTO IS
    JOIN JSON_ARRAY JSON_EXISTS JSON_OBJECT JSON_QUERY JSON_VALUE LEFT LIKE LISTAGG LOCALTIME LOCALTIMESTAMP NATURAL
    NORMALIZE NOT NULL ON OR ORDER OUTER PREPARE RECURSIVE RIGHT ROLLUP SELECT SKIP TABLE THEN TRIM TRUE UESCAPE
    UNION UNNEST USING VALUES WHEN WHERE WITH""".split()  # noqa: SIM905 - a list of words
)

# The names under which Trino knows its types; sqlglot takes those of every dialect.
_TYPE_NAMES = frozenset(
    """BOOLEAN TINYINT SMALLINT INT INTEGER BIGINT REAL DOUBLE DECIMAL DEC NUMERIC VARCHAR CHAR CHARACTER VARBINARY
    JSON DATE TIME TIMESTAMP INTERVAL ARRAY MAP ROW UUID IPADDRESS""".split()  # noqa: SIM905 - a list of words
) | {"DOUBLE PRECISION"}
_SPECIAL_FORMS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "LISTAGG", "SUBSTRING")
_BEFORE_BRACKET = (
    TokenType.VAR,
    TokenType.IDENTIFIER,
    TokenType.R_PAREN,
    TokenType.R_BRACKET,
    TokenType.ARRAY,
    TokenType.STRING,
)
_ENDS_A_LIST = (TokenType.FROM, TokenType.R_PAREN, TokenType.SEMICOLON, TokenType.WHERE)


class _Parser(TrinoParser):
    """Keeps every function call under the name it was written with, so that only Trino's own names are accepted."""

    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {name: TrinoParser.FUNCTION_PARSERS[name] for name in _SPECIAL_FORMS}

    def _parse_types(self, *args: Any, **kwargs: Any) -> Any:
        token = self._curr
        parsed = super()._parse_types(*args, **kwargs)
        if isinstance(parsed, exp.DataType) and token:
            parsed.meta["written"] = token.text
        return parsed

    def _parse_cast(self, *args: Any, **kwargs: Any) -> Any:
        parsed = super()._parse_cast(*args, **kwargs)
        # `decimal '1.5'` and `cast('1.5' as decimal)` become the same node, and are not the same value.
        if isinstance(parsed, exp.Expr):
            parsed.meta["is_call"] = True
        return parsed


class _Dialect(Trino):
    INDEX_OFFSET = 0  # the subscripts stay as they were written
    Parser = _Parser


def _position(token: Token) -> str:
    return f"line {token.line}:{token.col}"


def _refuse(token: Token) -> AthenaError:
    return syntax_error(f"{_position(token)}: mismatched input '{token.text}'")


def _check_pair(token: Token, following: Token | None) -> None:
    """Refuse what two neighbouring tokens show to be of another dialect."""
    kind, after = token.token_type, following.token_type if following else TokenType.SEMICOLON
    if kind == TokenType.DCOLON or (kind == TokenType.EQ and token.text == "==") or kind == TokenType.NULLSAFE_EQ:
        raise _refuse(token)
    if kind == TokenType.COMMA and after in _ENDS_A_LIST:
        raise _refuse(following or token)
    if following is None:
        return
    if after == TokenType.L_BRACKET and kind not in _BEFORE_BRACKET:
        raise _refuse(following)
    if kind == TokenType.INTERVAL and after == TokenType.NUMBER:
        raise _refuse(following)
    if kind == TokenType.NUMBER and after == TokenType.VAR and following.start == token.end + 1:
        raise syntax_error(
            f"{_position(token)}: identifiers must not start with a digit; surround the identifier with double quotes"
        )
    if kind == TokenType.ALIAS and after == TokenType.STRING:
        raise _refuse(following)


def _check_limit_order(tokens: list[Token]) -> None:
    depth, limits = 0, set[int]()
    for token in tokens:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if token.token_type in (TokenType.LIMIT, TokenType.FETCH):
            limits.add(depth)
        elif token.token_type == TokenType.OFFSET and depth in limits:
            raise _refuse(token)
        elif token.token_type in (TokenType.SELECT, TokenType.UNION):
            limits.discard(depth)


def tokenize(sql: str) -> list[Token]:
    """The tokens of one statement, without the semicolon that may end it."""
    try:
        tokens = list(_Dialect().tokenize(sql))
    except SqlglotError as error:
        raise syntax_error(str(error)) from error
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        raise InvalidRequestError("Query string is empty")
    if any(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise InvalidRequestError(f"Only one sql statement is allowed. Got: {sql}")
    return tokens


def _check_identifiers(tree: exp.Expr) -> None:
    for identifier in tree.find_all(exp.Identifier):
        name = identifier.name
        if identifier.args.get("quoted"):
            continue
        if name.upper() in RESERVED_IN_SELECT:
            raise syntax_error(f"line 1:1: mismatched input '{name}'. Expecting: <identifier>")
        if name[:1].isdigit():
            raise syntax_error(
                "line 1:1: identifiers must not start with a digit; surround the identifier with double quotes"
            )
        if "$" in name or "`" in name:
            raise syntax_error(f"line 1:1: mismatched input '{name}'. Expecting: <identifier>")


def _check_types(tree: exp.Expr) -> None:
    for kind in tree.find_all(exp.DataType):
        written = str(kind.meta.get("written", "")).upper()
        if written and written not in _TYPE_NAMES:
            raise AthenaError("TYPE_NOT_FOUND", f"line 1:1: Unknown type: {written.lower()}")


def parse(sql: str) -> exp.Expr:
    """The tree of one statement of Trino's."""
    tokens = tokenize(sql)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        _check_pair(token, following)
    _check_limit_order(tokens)
    try:
        trees = _Dialect().parser().parse(tokens, sql)
    except SqlglotError as error:
        raise syntax_error(str(error).replace("\x1b[4m", "").replace("\x1b[0m", "")) from error
    tree = trees[0] if trees else None
    if not isinstance(tree, exp.Expr) or isinstance(tree, exp.Command):
        raise _refuse(tokens[0])
    _check_identifiers(tree)
    _check_types(tree)
    return tree


def after_keyword_as(sql: str) -> str:
    """The query of `create … as query`, in the words it was written in: views are stored so."""
    tokens = tokenize(sql)
    depth = 0
    for token, following in pairwise(tokens):
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if token.token_type == TokenType.ALIAS and depth == 0:
            return sql[following.start : tokens[-1].end + 1]
    raise syntax_error("line 1:1: mismatched input. Expecting: 'AS'")
