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

from local_aws.athena.errors import AthenaError, InvalidRequestError, NotEmulatedError, syntax_error

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
# Operators of other dialects that sqlglot reads for all.
_NOT_TRINOS = (
    TokenType.DCOLON, TokenType.NULLSAFE_EQ, TokenType.ISNULL, TokenType.NOTNULL, TokenType.COLON,
)  # fmt: skip
# `from values (1)` lacks brackets, and `with offset` is BigQuery's `with ordinality`.
_NOT_TOGETHER = {
    (TokenType.FROM, TokenType.VALUES), (TokenType.JOIN, TokenType.VALUES), (TokenType.WITH, TokenType.OFFSET),
}  # fmt: skip
_SET_OPERATIONS = (TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT)
_AFTER_JOINS = (
    TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING, TokenType.ORDER_BY, TokenType.LIMIT, TokenType.OFFSET,
    TokenType.FETCH, TokenType.WINDOW, *_SET_OPERATIONS,
)  # fmt: skip
_INTERVAL_FIELDS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")


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
    if kind in _NOT_TRINOS or (kind in (TokenType.EQ, TokenType.NOT) and token.text in ("==", "!")):
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
    if (kind, after) in _NOT_TOGETHER:
        raise _refuse(following)


def _check_limit_order(tokens: list[Token]) -> None:
    depth, limits = 0, set[int]()
    for token in tokens:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if token.token_type == TokenType.R_PAREN:
            limits.discard(depth + 1)
        elif token.token_type in (TokenType.LIMIT, TokenType.FETCH):
            if depth in limits:
                raise _refuse(token)
            limits.add(depth)
        elif token.token_type == TokenType.OFFSET and depth in limits:
            raise _refuse(token)
        elif token.token_type in (TokenType.SELECT, TokenType.UNION):
            limits.discard(depth)


def _check_limits(tokens: list[Token]) -> None:
    """A number of rows is a whole number, and there is one."""
    for at, token in enumerate(tokens):
        if token.token_type not in (TokenType.LIMIT, TokenType.OFFSET) or at + 1 == len(tokens):
            continue
        count = tokens[at + 1]
        is_all = count.token_type == TokenType.ALL and token.token_type == TokenType.LIMIT
        if is_all or (count.token_type == TokenType.NUMBER and count.text.isdigit()):
            if at + 2 < len(tokens) and tokens[at + 2].token_type == TokenType.COMMA and token.text.lower() == "limit":
                raise _refuse(tokens[at + 2])
        elif count.token_type in (TokenType.NUMBER, TokenType.STRING):
            raise _refuse(count)


def _check_intervals(tokens: list[Token]) -> None:
    """`interval 'number' field`, and no other field than Trino's."""
    for at, token in enumerate(tokens[:-1]):
        if token.token_type == TokenType.INTERVAL and tokens[at + 1].token_type == TokenType.STRING:
            unit = tokens[at + 2] if at + 2 < len(tokens) else tokens[at + 1]
            if unit.text.upper() not in _INTERVAL_FIELDS:
                raise syntax_error(
                    f"{_position(unit)}: mismatched input '{unit.text}'. Expecting: 'DAY', 'HOUR', 'MINUTE', 'MONTH', "
                    "'SECOND', 'YEAR'"
                )


def _check_joins(tokens: list[Token]) -> None:
    """Every JOIN has a condition, but for a CROSS JOIN. In the tree, one without looks like a comma."""
    waiting = [0]
    for at, token in enumerate(tokens):
        kind = token.token_type
        if kind == TokenType.L_PAREN:
            waiting.append(0)
        elif kind == TokenType.JOIN and not {item.token_type for item in tokens[max(at - 2, 0) : at]} & {
            TokenType.CROSS,
            TokenType.NATURAL,
        }:
            waiting[-1] += 1
        elif kind in (TokenType.ON, TokenType.USING):
            waiting[-1] = max(waiting[-1] - 1, 0)
        elif waiting[-1] and (kind == TokenType.R_PAREN or kind in _AFTER_JOINS):
            raise _refuse(token)
        if kind == TokenType.R_PAREN and len(waiting) > 1:
            waiting.pop()
    if waiting[-1]:
        raise syntax_error("line 1:1: mismatched input '<EOF>'. Expecting: 'CROSS', 'JOIN', 'ON', 'USING'")


def _check_from_comes_second(tokens: list[Token]) -> None:
    """A query begins with SELECT; sqlglot would put one before a FROM."""
    for at, token in enumerate(tokens):
        if token.token_type != TokenType.FROM:
            continue
        before, earlier = ([None, None, *tokens[:at]])[-1:-3:-1]
        opens = before and before.token_type == TokenType.L_PAREN
        if opens and not (earlier and earlier.text.upper() == "TRIM"):
            raise _refuse(token)
        if before and before.token_type in (*_SET_OPERATIONS, TokenType.ALL):
            raise _refuse(token)


def _check_is(tokens: list[Token]) -> None:
    """IS knows NULL and DISTINCT FROM; sqlglot takes UNKNOWN for NULL."""
    for at, token in enumerate(tokens):
        if token.text.upper() != "UNKNOWN":
            continue
        before = [item.token_type for item in tokens[max(at - 2, 0) : at]]
        if before[-1:] == [TokenType.IS] or before == [TokenType.IS, TokenType.NOT]:
            raise _refuse(token)


def _check_position(tokens: list[Token]) -> None:
    """`position(a in b)`: with a comma it is no function of Trino's."""
    for at, token in enumerate(tokens[:-1]):
        if token.text.upper() != "POSITION" or tokens[at + 1].token_type != TokenType.L_PAREN:
            continue
        depth = 0
        for item in tokens[at + 1 :]:
            depth += (item.token_type == TokenType.L_PAREN) - (item.token_type == TokenType.R_PAREN)
            if depth == 0:
                break
            if depth == 1 and item.token_type == TokenType.COMMA:
                raise _refuse(item)


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
    for token in tokens:
        if token.token_type == TokenType.HEX_STRING and sql[token.start : token.start + 2].lower() == "0x":
            raise NotEmulatedError("numbers that are not decimal")
    for check in (
        _check_limit_order, _check_limits, _check_intervals, _check_joins, _check_from_comes_second, _check_position,
        _check_is,
    ):  # fmt: skip
        check(tokens)
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
