"""CONNECT BY: the rows of a hierarchy.

Source: "CONNECT BY clause" (r_CONNECT_BY_clause): "1. If the FROM clause has a join, it is processed first. 2. The
CONNECT BY clause is evaluated. 3. The WHERE clause is evaluated." LEVEL is 1 for a root; PRIOR is of the parent row.
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import RedshiftError, not_emulated, syntax_error
from dbt_local_aws.redshift.features.block import Block, Item, outside_subqueries
from dbt_local_aws.redshift.features.columns import Scope, quoted
from dbt_local_aws.redshift.features.sources import Source, sources
from dbt_local_aws.redshift.tokens import Kind, Token, closing, spaced, sql, word_at

_PARENT = "connected"


def rewrite(block: Block, scope: Scope) -> bool:
    """Reads the rows from a recursive query in the place of the table."""
    if "connect" not in block.clauses:
        if "start" in block.clauses:
            raise syntax_error("start")
        return False
    listed = sources(block.body("from"))
    if len(listed) != 1:
        raise not_emulated("CONNECT BY of a join")
    condition = block.body("connect")
    if word_at(condition, 0) == "nocycle":
        raise syntax_error(condition[1].text if len(condition) > 1 else "")  # which is not in the vendor's syntax
    if not any(token.word == "prior" for token in condition):
        raise RedshiftError("42601", "CONNECT BY clause must have at least one PRIOR condition")
    (source,) = listed
    names = scope.names_of(block.body("from"))
    hierarchy = _hierarchy(source, names, block.body("start"), condition)
    for clause in ("start", "connect"):
        block.clauses.pop(clause, None)
    alias = quoted(source.name or "hierarchy")
    block.items = [made for item in block.items for made in _items(item, alias, names)]
    for clause in ("where", "group", "having", "qualify", "order"):
        if clause in block.clauses:
            block.put(clause, _outside(block.body(clause), alias, names))
    columns = ", ".join(
        [*map(quoted, names), '"level of hierarchy"', *(f'"prior {place}"' for place in range(len(names)))]
    )
    block.put("from", [*sql("("), *hierarchy, *sql(f") as {alias} ({columns})")])
    return True


def _hierarchy(source: Source, names: Sequence[str], start: Sequence[Token], condition: Sequence[Token]) -> list[Token]:
    """Every row with its level and its parent's columns."""
    alias = quoted(source.name or "hierarchy")
    own = [f"{alias}.{quoted(name)}" for name in names]
    table = [*spaced(source.tokens), *sql(f"as {alias}"), *source.columns]
    columns = [f"c{place}" for place in range(len(names))]
    parent = [f"{_PARENT}.{column}" for column in columns]
    described = ", ".join([*columns, "depth", *(f"p{place}" for place in range(len(names)))])
    head = f"with recursive {_PARENT} ({described}) as ("
    # a null of the right type
    absent = [f"nullif({column}, {column})" for column in own]
    roots = [*sql(f"select {', '.join([*own, '1', *absent])} from"), *table]
    if start:
        roots += [*sql("where"), *_outside(start, alias, names, level="1")]
    of_child = ", ".join([*own, f"{_PARENT}.depth + 1", *parent])
    children = [*sql(f"select {of_child} from {_PARENT} cross join"), *table]  # noqa: S608 - quoted names
    connected = _connected(condition, names, alias)
    return [
        *sql(head),
        *roots,
        *sql("union all"),
        *children,
        *sql("where"),
        *connected,
        *sql(f") select * from {_PARENT}"),  # noqa: S608 - a name of our own
    ]


def _operand(tokens: Sequence[Token], at: int) -> int:
    """Where what PRIOR is of ends."""
    if word_at(tokens, at) == "(":
        return closing(tokens, at) + 1
    if at >= len(tokens) or not tokens[at].is_identifier:
        raise syntax_error(tokens[at].text if at < len(tokens) else "")
    at += 1
    while word_at(tokens, at) == ".":
        at += 2
    return closing(tokens, at) + 1 if word_at(tokens, at) == "(" else at


def _connected(condition: Sequence[Token], names: Sequence[str], alias: str) -> list[Token]:
    """The condition between a parent, whose columns have other names, and its child."""
    output: list[Token] = []
    at = 0
    while at < len(condition):
        if condition[at].word == "prior":
            end = _operand(condition, at + 1)
            output += _of_parent(condition[at + 1 : end], names, _PARENT, "c")
            at = end
        elif condition[at].word == "level" and word_at(condition, at - 1) != ".":
            output += sql(f"({_PARENT}.depth + 1)")
            at += 1
        else:
            output += _own(condition, at, names, alias)
            at += 1
    return spaced(output)


def _own(tokens: Sequence[Token], at: int, names: Sequence[str], alias: str) -> list[Token]:
    """A column of the row itself, with its table."""
    token = tokens[at]
    bare = word_at(tokens, at - 1) != "." and word_at(tokens, at + 1) not in (".", "(")
    return sql(f"{alias}.{quoted(token.name)}") if token.is_identifier and bare and token.name in names else [token]


def _of_parent(operand: Sequence[Token], names: Sequence[str], relation: str, prefix: str) -> list[Token]:
    """The operand of PRIOR, of which every column is the parent's."""
    output: list[Token] = []
    for at, token in enumerate(operand):
        if word_at(operand, at + 1) == ".":
            continue
        if word_at(operand, at) == ".":
            continue
        if token.is_identifier and token.name in names and word_at(operand, at + 1) != "(":
            output += sql(f'{relation}."{prefix}{names.index(token.name)}"')
        else:
            output += spaced([token])
    return output


def _outside(tokens: Sequence[Token], alias: str, names: Sequence[str], level: str = "") -> list[Token]:
    """An expression over the hierarchy: with LEVEL, and with what PRIOR is of."""
    output: list[Token] = []
    allowed = set(outside_subqueries(tokens))
    at = 0
    while at < len(tokens):
        word = tokens[at].word if at in allowed and tokens[at].kind is Kind.WORD else ""
        if word == "prior":
            end = _operand(tokens, at + 1)
            output += _of_parent(tokens[at + 1 : end], names, alias, "prior ")
            at = end
            continue
        is_level = word == "level" and word_at(tokens, at - 1) not in (".", "as") and "level" not in names
        output += sql(level or f'{alias}."level of hierarchy"') if is_level else [tokens[at]]
        at += 1
    return spaced(output)


def _items(item: Item, alias: str, names: Sequence[str]) -> list[Item]:
    if item.is_star:
        return [Item(sql(f"{alias}.{quoted(name)}")) for name in names]
    first = item.expression[0]
    name = item.alias
    if name is None and first.word == "level" and len(item.expression) == 1 and "level" not in names:
        name = first
    last = item.expression[-1]
    if (
        name is None
        and first.word == "prior"
        and last.is_identifier
        and _operand(item.expression, 1) == len(item.expression)
    ):
        name = last
    return [Item(_outside(item.expression, alias, names), name)]
