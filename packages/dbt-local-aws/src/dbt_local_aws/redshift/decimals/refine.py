"""Refines what PostgreSQL is told: quotients, averages and the columns that a query makes get Redshift's decimals."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.backend import Backend
from dbt_local_aws.redshift.decimals.analysis import NO_PARAMETERS, Analyst
from dbt_local_aws.redshift.decimals.scaling import QueryText, scaled
from dbt_local_aws.redshift.decimals.tree import Node, parse_tree
from dbt_local_aws.redshift.decimals.typing import Typing
from dbt_local_aws.redshift.quoting import identifier, literal
from dbt_local_aws.redshift.statements.plans import Forward, Plan, Script, Unload
from dbt_local_aws.redshift.tokens import Token, find_top_level, render, tokenize, word_at

_QUERIES = {"select", "with", "insert", "update", "delete", "merge", "("}
_BEFORE_QUERY = {"create": "as", "declare": "for"}
_NUMERIC = 1700
_NO_MODIFIER = -1
_DEEPEST_TREE = 50_000
_MAY_COMPUTE = re.compile(r"/|\bavg\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refined:
    """A statement that was refined, with its query before and after."""

    sql: str
    query: str
    refined_query: str


class DecimalTypes:
    """Redshift's decimal types in one session."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._analyst = Analyst(backend)

    async def refine(self, plan: Plan, parameter_types: bytes = NO_PARAMETERS) -> Plan:
        """The same plan, in which decimals have their scale."""
        if self._backend.status == wire.FAILED:
            return plan
        if isinstance(plan, Forward | Unload):
            refined = await self._refined(plan.sql, parameter_types)
            return plan if refined is None else replace(plan, sql=refined.sql)
        if isinstance(plan, Script):
            return await self._refine_script(plan)
        return plan

    async def _refine_script(self, plan: Script) -> Script:
        """A query is refined where a table or a view is made of it, and where the books of the endpoint hold it."""
        steps = plan.steps
        for at, step in enumerate(steps):
            refined = await self._refined(step, NO_PARAMETERS) if _makes_of_query(step) else None
            if refined is not None:
                before, after = literal(refined.query), literal(refined.refined_query)
                later = [following.replace(before, after) for following in steps[at + 1 :]]
                return replace(plan, steps=(*steps[:at], refined.sql, *later))
            if _makes_of_query(step):
                break  # what follows reads what this makes
        return plan

    async def _refined(self, sql: str, parameter_types: bytes) -> Refined | None:
        if not (sql.startswith("create ") or _MAY_COMPUTE.search(sql)):
            return None  # without a look at every token of a long INSERT
        tokens = tokenize(sql)
        start = _start_of_query(tokens)
        creates = word_at(tokens, 0) == "create"
        if start < 0 or not (creates or _computes(tokens)):
            return None
        query = render(tokens[start:]).strip()
        functions = await self._analyst.functions()
        analysed = await self._analyst.analyse(query, parameter_types)
        with _deep_trees():
            tree = parse_tree(analysed.tree)
            typing = Typing(functions)
            refined = scaled(QueryText(query), tree, typing) or query
            if creates:
                refined = _with_typed_columns(refined, tree, analysed.fields, typing)
        return Refined(f"{render(tokens[:start])} {refined}", query, refined) if refined != query else None


@contextmanager
def _deep_trees() -> Iterator[None]:
    """A chain of a thousand operators or unions is a tree of as many levels."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEEPEST_TREE))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _makes_of_query(step: str) -> bool:
    return step.startswith("create ") and _start_of_query(tokenize(step)) >= 0


def _start_of_query(tokens: Sequence[Token]) -> int:
    """Where the query begins that a statement is, or that it makes something of; -1 where there is none."""
    word = word_at(tokens, 0)
    if word in _QUERIES:
        return 0
    if word == "create" and not {token.word for token in tokens[1:4]} & {"table", "view"}:
        return -1
    at = find_top_level(tokens, _BEFORE_QUERY[word]) if word in _BEFORE_QUERY else -1
    return at + 1 if at > 0 and word_at(tokens, at + 1) in _QUERIES else -1


def _computes(tokens: Sequence[Token]) -> bool:
    """Whether a query may divide decimals, or average them."""
    return any(
        token.word == "/" or (token.word == "avg" and word_at(tokens, at + 1) == "(") for at, token in enumerate(tokens)
    )


def _with_typed_columns(query: str, tree: Node, fields: Sequence[wire.Field], typing: Typing) -> str:
    """The query whose columns have a precision and a scale, as those of the table or view that is made of it."""
    columns = []
    typed = False
    for number, field in enumerate(fields, start=1):
        column = f"made.c{number}"
        if field.type_oid == _NUMERIC and field.modifier == _NO_MODIFIER:
            decimal = typing.column(tree, number, (tree,))
            typed = typed or decimal is not None
            column += f"::{decimal.sql}" if decimal is not None else ""
        columns.append(f"{column} as {identifier(field.name)}")
    if not typed:
        return query
    names = ", ".join(f"c{number}" for number in range(1, len(columns) + 1))
    return f"select {', '.join(columns)} from (\n{query}\n) as made ({names})"  # noqa: S608 - the statement itself
