"""PIVOT and UNPIVOT in a FROM clause.

Source: "FROM clause" (r_FROM_clause30) and "PIVOT and UNPIVOT examples" (r_FROM_clause-pivot-unpivot-examples), whose
usage notes say what they can be applied to, and how the columns are called.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dbt_local_aws.redshift.errors import not_supported, syntax_error
from dbt_local_aws.redshift.features.block import Block
from dbt_local_aws.redshift.features.columns import Scope, quoted
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    closing,
    find_top_level,
    qualified_name,
    spaced,
    split,
    sql,
    starts_with,
    top_level,
    word_at,
)

_AGGREGATES = {"count", "sum", "min", "max", "avg"}


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of PIVOT's IN list, or a column of UNPIVOT's: as it is written, and what it is called."""

    tokens: list[Token]
    name: str


def rewrite(block: Block, scope: Scope) -> bool:
    """Puts a subquery in the place of every relation that is turned."""
    source = block.body("from")
    changed = False
    while (at := _find(source)) >= 0:
        begin = _begin(source, at)
        opening = next(place for place in range(at, len(source)) if source[place].word == "(")
        turned = _pivot if source[at].word == "pivot" else _unpivot
        query = turned(source[begin:at], source[at + 1 : closing(source, opening) + 1], scope)
        end = closing(source, opening) + 1
        if word_at(source, end) in ("pivot", "unpivot"):
            raise not_supported(f"{source[end].text.upper()} of a {source[at].text.upper()}")
        alias = [] if _has_alias(source, end) else sql("as turned")
        source = [*source[:begin], *sql("("), *spaced(query), *sql(")"), *alias, *source[end:]]
        changed = True
    if changed:
        block.put("from", source)
    return changed


def _find(source: Sequence[Token]) -> int:
    for at, token in top_level(source):
        is_pivot = token.word == "pivot" and word_at(source, at + 1) == "("
        behind = at + 1 + 2 * starts_with(source, "include|exclude", "nulls", at=at + 1)
        if is_pivot or (token.word == "unpivot" and word_at(source, behind) == "("):
            return at
    return -1


def _begin(source: Sequence[Token], at: int) -> int:
    """Where the relation begins that is turned: no join can be."""
    begin = 0
    for place, token in top_level(source):
        if place < at and token.word in (",", "join"):
            begin = place + 1
        if place < at and token.word in ("on", "using"):
            raise not_supported(f"{source[at].text.upper()} of a join")
    return begin


def _has_alias(source: Sequence[Token], at: int) -> bool:
    if at >= len(source):
        return False
    joins = ("join", "inner", "left", "right", "full", "cross", "natural", "on", "using")
    return source[at].is_identifier and source[at].word not in joins


def _values(tokens: Sequence[Token]) -> list[_Value]:
    values = []
    for part in split(tokens):
        alias = find_top_level(part, "as")
        named = len(part) > 1 and part[-1].is_identifier and part[-1].word not in ("null", "true", "false")
        if alias > 0:
            values.append(_Value(list(part[:alias]), part[-1].name))
        elif named and part[-2].kind is not Kind.OPERATOR:
            values.append(_Value(list(part[:-1]), part[-1].name))
        else:
            values.append(_Value(list(part), _default_name(part)))
    return values


def _default_name(part: Sequence[Token]) -> str:
    """A constant is its own name; what is more complex has none."""
    if len(part) != 1:
        return "?column?"
    if part[0].kind is Kind.STRING:
        return part[0].value
    return part[0].name if part[0].is_identifier else part[0].text


def _turning(tokens: Sequence[Token]) -> tuple[list[Token], Token, list[_Value]]:
    """What stands before FOR, the column behind it, and the values of the IN list, in the parentheses."""
    opening = next(at for at, token in enumerate(tokens) if token.word == "(")
    inside = tokens[opening + 1 : -1]
    at = find_top_level(inside, "for")
    if at <= 0 or not starts_with(inside, "in", "(", at=at + 2):
        raise syntax_error(inside[0].text if inside else ")")
    end = closing(inside, at + 3)
    if end + 1 < len(inside):
        raise syntax_error(inside[end + 1].text)
    return list(inside[:at]), inside[at + 1], _values(inside[at + 4 : end])


def _pivot(source: Sequence[Token], tokens: Sequence[Token], scope: Scope) -> list[Token]:
    call, column, values = _turning(tokens)
    if call[0].word not in _AGGREGATES or word_at(call, 1) != "(":
        raise not_supported(f"{call[0].text.upper()} in PIVOT")
    end = closing(call, 1)
    alias = call[-1].name if end + 1 < len(call) else ""
    if len(call) - end > 1 + bool(alias) + (word_at(call, end + 1) == "as"):
        raise not_supported("an expression of an aggregate in PIVOT")
    columns = scope.names_of(source)
    argument = call[2:end]
    used = {token.name for token in argument if token.is_identifier} | {column.name}
    implicit = [quoted(name) for name in columns if name not in used]
    output = sql("select " + "".join(f"{name}, " for name in implicit))
    for place, value in enumerate(values):
        _check_value(value, columns)
        name = f"{value.name}_{alias}" if alias else value.name
        output += [*(sql(",") if place else []), *_aggregate(call[0], argument, column, value)]
        output += sql(f"as {quoted(name)}")
    groups = ", ".join(str(place) for place in range(1, len(implicit) + 1))
    return [*output, *sql("from"), *spaced(source), *(sql(f"group by {groups}") if groups else [])]


def _check_value(value: _Value, columns: Sequence[str]) -> None:
    for at, token in enumerate(value.tokens):
        if token.word == "select":
            raise not_supported("a subquery in the IN list of PIVOT")
        is_type = word_at(value.tokens, at - 1) == "::" or word_at(value.tokens, at + 1) == "("
        if token.is_identifier and token.name in columns and not is_type:
            raise not_supported("a column in the IN list of PIVOT")


def _aggregate(function: Token, argument: Sequence[Token], column: Token, value: _Value) -> list[Token]:
    """The aggregate of the rows that have this value."""
    quantifier = list(argument[:1]) if word_at(argument, 0) in ("distinct", "all") else []
    counted = sql("1") if word_at(argument, 0) == "*" else spaced(argument[len(quantifier) :])
    is_null = [token.word for token in value.tokens] == ["null"]
    equals = sql("is null") if is_null else [*sql("="), *spaced(value.tokens)]
    case = [*sql("case when"), *spaced([column]), *equals, *sql("then"), *counted, *sql("end")]
    return [*spaced([function]), *sql("("), *spaced(quantifier), *case, *sql(")")]


def _unpivot(source: Sequence[Token], tokens: Sequence[Token], scope: Scope) -> list[Token]:
    value, name, columns = _turning(tokens)
    if len(value) != 1 or not value[0].is_identifier:
        raise syntax_error(value[0].text)
    known = scope.names_of(source)
    for column in columns:
        if len(column.tokens) != 1 or not column.tokens[0].is_identifier:
            raise not_supported("anything but a column in the IN list of UNPIVOT")
    turned = {column.tokens[0].name for column in columns}
    implicit = "".join(f"{quoted(column)}, " for column in known if column not in turned)
    nulls = word_at(tokens, 0) == "include"
    parts = []
    for column in columns:
        written = quoted(column.tokens[0].name)
        filtered = "" if nulls else f" where {written} is not null"
        named = f"cast({literal(column.name)} as varchar) as {quoted(name.name)}"
        parts.append(f"select {implicit}{named}, {written} as {quoted(value[0].name)} from unpivoted{filtered}")  # noqa: S608 - quoted names
    _, end = qualified_name(source, 0) if source[0].is_identifier else ((), len(source))
    relation = source[: max(end, 1)] if source[0].is_identifier else source
    rows = [*sql("with unpivoted as (select * from"), *spaced(relation), *sql(")")]
    return [*rows, *sql(" union all ".join(parts))]
