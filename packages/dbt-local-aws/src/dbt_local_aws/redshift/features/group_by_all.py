"""GROUP BY ALL.

Source: "GROUP BY clause" (r_GROUP_BY_clause): "ALL indicates to group by all columns specified in the SELECT list
except those that are aggregated." Columns that EXCLUDE takes away are not grouped by (the same page).
"""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dbt_local_aws.redshift.errors import not_emulated
from dbt_local_aws.redshift.features import exclude
from dbt_local_aws.redshift.features.block import Block, Item
from dbt_local_aws.redshift.features.columns import Scope
from dbt_local_aws.redshift.tokens import Token, render, sql


def rewrite(block: Block, scope: Scope) -> bool:
    """Names the columns that are grouped by, by their places."""
    if [token.word for token in block.body("group")] != ["all"]:
        return False
    exclude.spell_out(block, scope)
    places = [str(place) for place, item in enumerate(block.items, start=1) if not _is_aggregated(item)]
    if places:
        block.put("group", sql(", ".join(places)))
    else:
        del block.clauses["group"]
    return True


def _is_aggregated(item: Item) -> bool:
    """Whether an item is made of groups: an aggregate is in it, or a window function, which sees groups only."""
    expression = _parsed(item.expression)
    return any(node.find_ancestor(exp.Subquery) is None for node in expression.find_all(exp.AggFunc, exp.Window))


def _parsed(expression: list[Token]) -> exp.Expr:
    text = render([token for token in expression if token.word != "approximate"])
    try:
        return sqlglot.parse_one(text, read="redshift")
    except SqlglotError as error:
        raise not_emulated(f"GROUP BY ALL beside the expression {text.strip()}") from error
