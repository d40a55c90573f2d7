"""SELECT * EXCLUDE: columns that the list gives and the result has not.

Source: "EXCLUDE column_list" (r_EXCLUDE_list): it stands at the end of the list, with or without parentheses, and has
names only. That it is of the list as a whole is how sqlglot's dialect reads it, too.
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import UNDEFINED_COLUMN, RedshiftError, syntax_error
from dbt_local_aws.redshift.features.block import Block, Item, ends_value
from dbt_local_aws.redshift.features.columns import Scope, quoted
from dbt_local_aws.redshift.tokens import Token, closing, find_top_level, split, sql, word_at


def spell_out(block: Block, scope: Scope) -> None:
    """Puts the columns in the place of every star, without those that are excluded."""
    excluded = take_excluded(block)
    items: list[Item] = []
    for item in block.items:
        if item.is_star:
            names = scope.names([*sql("select"), *item.expression, *block.clauses.get("from", [])])
            items += [Item([*item.expression[:-1], *_name(item, name)]) for name in names]
        else:
            items.append(item)
    _check_known(excluded, [name for item in items if (name := _output_name(item))])
    block.items = [item for item in items if _output_name(item) not in excluded]


def _name(item: Item, name: str) -> list[Token]:
    token = sql(quoted(name))[0]
    return [token] if len(item.expression) == 1 else [Token(token.kind, token.text)]


def _output_name(item: Item) -> str:
    last = item.alias or item.expression[-1]
    return last.name if last.is_identifier else ""


def take_excluded(block: Block) -> list[str]:
    """The names behind EXCLUDE, which are taken out of the list."""
    for position, item in enumerate(block.items):
        at = find_top_level(item.expression, "exclude")
        if at > 0 and (word_at(item.expression, at - 1) == "*" or ends_value(item.expression, at - 1)):
            listed = [*item.tokens[at + 1 :], *_rest(block.items[position + 1 :])]
            block.items = [*block.items[:position], _without(item, at)]
            return _names(listed)
    return []


def _without(item: Item, at: int) -> Item:
    tokens = item.expression[:at]
    block = Block.parse([*sql("select"), *tokens])
    return block.items[0]


def _rest(items: Sequence[Item]) -> list[Token]:
    output: list[Token] = []
    for item in items:
        output += [*sql(","), *item.tokens]
    return output


def _names(tokens: Sequence[Token]) -> list[str]:
    if word_at(tokens, 0) == "(":
        end = closing(tokens, 0)
        if end + 1 < len(tokens):
            raise syntax_error(tokens[end + 1].text)
        tokens = tokens[1:end]
    parts = split(tokens)
    for part in parts:
        if len(part) != 1 or not part[0].is_identifier:
            raise syntax_error(part[1 if len(part) > 1 and part[0].is_identifier else 0].text if part else ",")
    if not parts:
        raise syntax_error(")")
    return [part[0].name for part in parts]


def _check_known(excluded: Sequence[str], names: Sequence[str]) -> None:
    unknown = next((name for name in excluded if name not in names), None)
    if unknown is not None:
        raise RedshiftError(UNDEFINED_COLUMN, f'column "{unknown}" does not exist')
