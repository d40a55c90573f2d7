"""Late-binding views: `create view … with no schema binding`.

PostgreSQL knows them as empty views that depend on nothing, so that their tables may be dropped, made anew, or be
missing from the start. Their definitions are written down, and put in the place of their names whenever a statement
reads them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dbt_local_aws.redshift.errors import INVALID_TABLE_DEFINITION, SYNTAX_ERROR, RedshiftError
from dbt_local_aws.redshift.refusals.relations import common_table_expressions, is_system_relation, relation_references
from dbt_local_aws.redshift.tokens import Kind, Token, find_top_level, spaced, sql, tokenize, word_at

_DEEPEST = 32
_BEHIND_A_RELATION = {
    "where", "group", "having", "order", "limit", "offset", "union", "intersect", "except", "minus", "join", "inner",
    "left", "right", "full", "cross", "natural", "on", "using", "window", "qualify", "when", "set", "with", "for",
    "pivot", "unpivot", "connect", "start",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LateView:
    """A late-binding view: its name, its query, and whether the search path finds it without its schema."""

    schema: str
    name: str
    query: str
    visible: bool


class LateViews:
    """The late-binding views of a database."""

    def __init__(self, views: Iterable[LateView] = ()) -> None:
        self._views = {(view.schema, view.name): view for view in views}

    def views(self) -> Iterable[LateView]:
        """All of them."""
        return self._views.values()

    def find(self, parts: tuple[str, ...]) -> LateView | None:
        """The view that a name of one, two or three parts means, if it is a late-binding one."""
        if len(parts) > 1:
            return self._views.get((parts[-2], parts[-1]))
        return next((view for view in self._views.values() if view.visible and view.name == parts[0]), None)

    def expand(self, tokens: Sequence[Token], depth: int = 0) -> tuple[list[Token], bool]:
        """The tokens with every late-binding view replaced by its query, and whether there was one."""
        if not self._views:
            return list(tokens), False
        if depth > _DEEPEST:
            raise RedshiftError(INVALID_TABLE_DEFINITION, "infinite recursion in a view WITH NO SCHEMA BINDING")
        defined = common_table_expressions(tokens)
        output: list[Token] = []
        done = 0
        for parts, begin, end in relation_references(tokens):
            view = None if len(parts) == 1 and parts[0] in defined else self.find(parts)
            if view is None:
                continue
            query, _ = self.expand(tokenize(view.query), depth + 1)
            alias = [] if _has_alias(tokens, end) else sql(f'as "{view.name}"')
            output += [*tokens[done:begin], *sql("("), *spaced(query), *sql(")"), *alias]
            done = end
        return [*output, *tokens[done:]], done > 0


def _has_alias(tokens: Sequence[Token], at: int) -> bool:
    if at >= len(tokens):
        return False
    token = tokens[at]
    return (
        token.word == "as"
        or token.kind is Kind.NAME
        or (token.kind is Kind.WORD and token.word not in _BEHIND_A_RELATION)
    )


def check_qualified(query: Sequence[Token]) -> None:
    """Raises where a late-binding view names a relation without its schema."""
    defined = common_table_expressions(query)
    for parts, _, _ in relation_references(query):
        if len(parts) == 1 and parts[0] not in defined and not is_system_relation(parts):
            raise RedshiftError(
                SYNTAX_ERROR,
                "All the relation names inside should be qualified when creating VIEW WITH NO SCHEMA BINDING.",
            )


def without_schema_binding(tokens: Sequence[Token]) -> tuple[Sequence[Token], bool]:
    """The statement without a WITH NO SCHEMA BINDING at its end, and whether there was one."""
    start = len(tokens) - 4
    if start > 0 and find_top_level(tokens, "with", start=start) == start and word_at(tokens, start + 1) == "no":
        words = [word_at(tokens, start + offset) for offset in (2, 3)]
        if words == ["schema", "binding"]:
            return tokens[:start], True
    return tokens, False
