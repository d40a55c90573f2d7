"""A SELECT in a subquery, so that more can be asked of its rows than a SELECT can say itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dbt_local_aws.redshift.errors import UNDEFINED_COLUMN, RedshiftError
from dbt_local_aws.redshift.features import exclude, qualify
from dbt_local_aws.redshift.features.block import Block, Item
from dbt_local_aws.redshift.features.columns import Scope, quoted
from dbt_local_aws.redshift.tokens import Kind, Token, find_top_level, spaced, split, sql

_OUTSIDE = ("order", "limit", "offset")


@dataclass
class _Order:
    """What orders the rows outside of the subquery, and what has to be computed inside it for that."""

    outside: list[Token] = field(default_factory=list)
    hidden: list[list[Token]] = field(default_factory=list)


def rewrite(block: Block, scope: Scope) -> bool:
    """Puts a SELECT with QUALIFY or EXCLUDE in a subquery, and reads the rows and the columns that are wanted."""
    excluded, condition = exclude.take_excluded(block), qualify.condition(block)
    if excluded or condition:
        wrap(block, scope, condition, excluded)
    return bool(excluded or condition)


def wrap(block: Block, scope: Scope, condition: Sequence[Token], excluded: Sequence[str]) -> None:
    """Makes the block a SELECT from itself: of the rows for which the condition holds, without some columns."""
    # what a condition says of a query around this one would be unknown, and has no part in the names
    names = scope.names(block.tokens("where", "having", "qualify", *_OUTSIDE))
    unknown = next((name for name in excluded if name not in names), None)
    if unknown is not None:
        raise RedshiftError(UNDEFINED_COLUMN, f'column "{unknown}" does not exist')
    kept = [place for place, name in enumerate(names) if name not in excluded]
    order = _order(block, [names[place] for place in kept], kept)
    inner = Block([block.head[0]], [*block.items, *map(Item, order.hidden)], dict(block.clauses))
    columns = [f"c{place}" for place in range(len(names))] + [f"o{place}" for place in range(len(order.hidden))]
    if condition:
        inner.items.append(Item([*sql("("), *spaced(condition), *sql(")")]))
        columns.append("qualified")
    rows = [*sql("("), *spaced(inner.tokens("qualify", *_OUTSIDE)), *sql(f") as selected ({', '.join(columns)})")]
    block.items = [Item(sql(f"selected.c{place}"), sql(quoted(names[place]))[0]) for place in kept]
    tail = {clause: block.clauses[clause] for clause in ("limit", "offset") if clause in block.clauses}
    block.clauses = {}
    block.put("from", rows)
    if condition:
        block.put("where", sql("selected.qualified"))
    if order.outside:
        block.put("order", order.outside)
    block.clauses |= tail


def _order(block: Block, names: Sequence[str], kept: Sequence[int]) -> _Order:
    order = _Order()
    for part in split(block.body("order")):
        end = find_top_level(part, "asc", "desc", "nulls")
        end = end if end >= 0 else len(part)
        expression, direction = part[:end], part[end:]
        if len(expression) == 1 and expression[0].kind is Kind.NUMBER:
            key = list(expression)
        elif len(expression) == 1 and expression[0].is_identifier and expression[0].name in names:
            key = sql(f"selected.c{kept[names.index(expression[0].name)]}")
        else:
            key = sql(f"selected.o{len(order.hidden)}")
            order.hidden.append(list(expression))
        order.outside += [*(sql(",") if order.outside else []), *spaced(key), *spaced(direction)]
    return order
