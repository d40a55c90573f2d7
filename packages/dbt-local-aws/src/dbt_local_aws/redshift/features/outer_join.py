"""The outer join operator (+) of WHERE.

Source: "Oracle-style outer joins in the WHERE clause" (r_WHERE_oracle_outer).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dbt_local_aws.redshift.errors import FEATURE_NOT_SUPPORTED, RedshiftError, syntax_error
from dbt_local_aws.redshift.features.block import Block, Item
from dbt_local_aws.redshift.features.columns import Scope, quoted
from dbt_local_aws.redshift.features.sources import Source, sources
from dbt_local_aws.redshift.tokens import Kind, Token, find_top_level, spaced, sql, starts_with, word_at


@dataclass
class _Joined:
    """A relation whose rows may be missing: on which conditions it is joined, and to which other relations."""

    conditions: list[list[Token]] = field(default_factory=list)
    others: set[str] = field(default_factory=set)


def rewrite(block: Block, scope: Scope) -> bool:
    """Says LEFT JOIN where (+) stands."""
    where = block.body("where")
    if not any(_is_operator(where, at) for at in range(len(where))):
        return False
    listed = sources(block.body("from"))
    if any(source.join for source in listed):
        raise RedshiftError(
            FEATURE_NOT_SUPPORTED, "Outer join operator (+) cannot be used with FROM clause join syntax"
        )
    joined, filters = _take_apart(where, _Columns(listed, scope))
    _put_from(block, listed, joined)
    if filters:
        block.put("where", _and(filters))
    else:
        del block.clauses["where"]
    return True


def _is_operator(tokens: Sequence[Token], at: int) -> bool:
    return starts_with(tokens, "(", "+", ")", at=at)


class _Columns:
    """Which relation a column is of."""

    def __init__(self, listed: Sequence[Source], scope: Scope) -> None:
        self.listed = {source.name: source for source in listed}
        self._scope = scope

    def relations(self, tokens: Sequence[Token]) -> set[str]:
        """The relations whose columns stand in an expression."""
        found = set()
        for at, token in enumerate(tokens):
            if not token.is_identifier or word_at(tokens, at - 1) in (".", "as", "::"):
                continue
            if word_at(tokens, at + 1) == ".":
                found |= {token.name} & self.listed.keys()
            elif word_at(tokens, at + 1) != "(" or _is_operator(tokens, at + 1):
                found |= self.of_column(token)
        return found

    def of_column(self, token: Token) -> set[str]:
        """The relations that have a column of this name."""
        if token.kind is Kind.WORD and token.word in (
            "and",
            "or",
            "not",
            "is",
            "null",
            "between",
            "like",
            "in",
            "true",
        ):
            return set()
        return {
            name
            for name, source in self.listed.items()
            if token.name in self._scope.names_of([*source.tokens, *sql(f"as {quoted(name)}"), *source.columns])
        }


def _take_apart(where: Sequence[Token], columns: _Columns) -> tuple[dict[str, _Joined], list[list[Token]]]:
    """The conditions of every outer join, and those of the rows."""
    joined: dict[str, _Joined] = {}
    plain: list[list[Token]] = []
    constant: list[tuple[str, list[Token]]] = []
    for condition in _conjuncts(where):
        marked = _marked(condition, columns)
        bare = [
            token for at, token in enumerate(condition) if not any(_is_operator(condition, at - n) for n in range(3))
        ]
        if not marked:
            plain.append(condition)
            continue
        if any(token.word in ("or", "in") for token in condition):
            raise RedshiftError(FEATURE_NOT_SUPPORTED, "Outer join operator (+) not allowed in operand of OR or IN.")
        others = columns.relations(bare) - marked
        if len(marked) > 1:
            raise RedshiftError(FEATURE_NOT_SUPPORTED, "A predicate may reference only one outer-joined table.")
        (name,) = marked
        if not others:
            constant.append((name, bare))
            continue
        relation = joined.setdefault(name, _Joined())
        relation.conditions.append(bare)
        relation.others |= others
    _check(joined)
    for name, condition in constant:
        # beside no join condition the operator means nothing
        (joined[name].conditions if name in joined else plain).append(condition)
    return _without_mixed(joined, plain, columns)


def _conjuncts(where: Sequence[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    between = False
    for token in where:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1, "case": 1, "end": -1}.get(token.word, 0)
        if token.word == "and" and depth == 0 and not between:
            parts.append([])
            continue
        between = (between or token.word == "between") and not (token.word == "and" and depth == 0)
        parts[-1].append(token)
    if any(find_top_level(part, "or") >= 0 for part in parts):
        return [list(where)]
    return parts


def _marked(condition: Sequence[Token], columns: _Columns) -> set[str]:
    """The relations whose columns have the operator."""
    found: set[str] = set()
    for at in range(len(condition)):
        if not _is_operator(condition, at):
            continue
        if at == 0 or not condition[at - 1].is_identifier:
            raise syntax_error("(")  # it is of columns, not of expressions
        if word_at(condition, at - 2) == ".":
            found.add(condition[at - 3].name)
        else:
            found |= columns.of_column(condition[at - 1])
    return found


def _check(joined: dict[str, _Joined]) -> None:
    if any(len(relation.others) > 1 for relation in joined.values()):
        raise RedshiftError(FEATURE_NOT_SUPPORTED, "A table may be outer joined to at most one other table.")


def _without_mixed(
    joined: dict[str, _Joined], plain: list[list[Token]], columns: _Columns
) -> tuple[dict[str, _Joined], list[list[Token]]]:
    """Where another condition joins the same tables without the operator, it is an inner join."""
    for condition in list(plain):
        related = columns.relations(condition)
        for name in [name for name, other in joined.items() if related == {name, *other.others}]:
            plain += joined.pop(name).conditions
    return joined, plain


def _put_from(block: Block, listed: Sequence[Source], joined: dict[str, _Joined]) -> None:
    """The relations that have all their rows, and behind them the others, each behind what it is joined to."""
    output: list[Token] = []
    placed: list[str] = []
    for source in listed:
        if source.name not in joined:
            output += [*(sql("cross join") if placed else []), *_written(source)]
            placed.append(source.name)
    waiting = [source for source in listed if source.name in joined]
    while waiting:
        behind = next((one for one in waiting if joined[one.name].others <= set(placed)), None)
        if behind is None:
            raise RedshiftError(FEATURE_NOT_SUPPORTED, "two tables cannot be outer joined to each other")
        output += [*sql("left join"), *_written(behind), *sql("on"), *_and(joined[behind.name].conditions)]
        placed.append(behind.name)
        waiting.remove(behind)
    if placed != [source.name for source in listed]:
        block.items = [star for item in block.items for star in _stars(item, listed)]
    block.put("from", output)


def _written(source: Source) -> list[Token]:
    alias = [*sql("as"), *spaced([source.alias]), *source.columns] if source.alias is not None else []
    return [*spaced(source.tokens), *alias]


def _stars(item: Item, listed: Sequence[Source]) -> list[Item]:
    """A star keeps the order in which the relations stand in the statement."""
    if len(item.expression) != 1 or not item.is_star:
        return [item]
    return [Item(sql(f"{quoted(source.name)}.*")) for source in listed]


def _and(conditions: Sequence[Sequence[Token]]) -> list[Token]:
    output: list[Token] = []
    for place, condition in enumerate(conditions):
        output += [*(sql("and") if place else []), *sql("("), *spaced(condition), *sql(")")]
    return output
