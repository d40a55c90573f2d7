"""An alias used again further right in its own select list.

Source: "SELECT list" (r_SELECT_list): "The alias is recognized right after it is defined in the target list. … Amazon
Redshift … just inlines the previously defined aliases. If there is a column with the same name defined in the FROM
clause …, the column in the FROM clause takes priority." That QUALIFY sees aliases is not on its page, but in its users'
queries: https://github.com/taozhi8833998/node-sql-parser/issues/1799.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dbt_local_aws.redshift.features.block import Block, Item, outside_subqueries
from dbt_local_aws.redshift.features.columns import Scope
from dbt_local_aws.redshift.tokens import Kind, Token, sql, word_at

# Functions whose first argument is the name of a date part
_DATE_PARTS = {
    "dateadd", "date_add", "datediff", "date_diff", "date_part", "pgdate_part", "extract", "date_trunc",
}  # fmt: skip
_NAME_OF_SOMETHING_ELSE = {".", "as", "::"}


def rewrite(block: Block, scope: Scope) -> bool:
    """Puts the definition of every alias in its place, wherever it is used again."""
    again = _used_again(block)
    if not again:
        return False
    again -= set(scope.names_of(block.body("from"), optional=True))
    if not again:
        return False
    defined: dict[str, list[Token]] = {}
    for position, item in enumerate(block.items):
        block.items[position] = _inlined(item, defined)
        if item.alias is not None and item.alias.name in again:
            defined.setdefault(item.alias.name, block.items[position].expression)
    if "qualify" in block.clauses:
        block.put("qualify", _replace(block.body("qualify"), defined))
    return True


def _used_again(block: Block) -> set[str]:
    """The aliases that stand for something further right."""
    found: set[str] = set()
    defined: set[str] = set()
    for item in block.items:
        found |= {name for _, name in _references(item.expression, defined)}
        if item.alias is not None:
            defined.add(item.alias.name)
    return found | {name for _, name in _references(block.body("qualify"), defined)}


def _references(tokens: Sequence[Token], names: set[str] | Mapping[str, list[Token]]) -> list[tuple[int, str]]:
    """Where these names are columns without a table, in no subquery."""
    return [
        (at, tokens[at].name)
        for at in outside_subqueries(tokens)
        if tokens[at].is_identifier and tokens[at].name in names and _is_column(tokens, at)
    ]


def _is_column(tokens: Sequence[Token], at: int) -> bool:
    if word_at(tokens, at - 1) in _NAME_OF_SOMETHING_ELSE or word_at(tokens, at + 1) in (".", "("):
        return False
    if at + 1 < len(tokens) and tokens[at + 1].kind is Kind.STRING:
        return False  # date '2020-01-01'
    return not (word_at(tokens, at - 1) == "(" and word_at(tokens, at - 2) in _DATE_PARTS)


def _replace(tokens: Sequence[Token], defined: Mapping[str, list[Token]]) -> list[Token]:
    output: list[Token] = []
    done = 0
    for at, name in _references(tokens, defined):
        inlined = [replace(sql("(")[0], before=tokens[at].before), *defined[name], *sql(")")]
        output += [*tokens[done:at], *inlined]
        done = at + 1
    return [*output, *tokens[done:]]


def _inlined(item: Item, defined: Mapping[str, list[Token]]) -> Item:
    """The item with its aliases inlined; it keeps the name that it would have, were they columns."""
    references = _references(item.expression, defined)
    if not references:
        return item
    at, _ = references[0]
    is_column = at == 0 and (len(item.expression) == 1 or word_at(item.expression, 1) == "::")
    alias = item.alias or (item.expression[0] if is_column else None)
    return Item(_replace(item.expression, defined), alias, explicit=item.explicit or item.alias is None)
