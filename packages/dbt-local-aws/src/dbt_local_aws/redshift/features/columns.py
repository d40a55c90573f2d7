"""Which columns a query gives: PostgreSQL is asked, who alone knows the tables.

A translation cannot wait for an answer. It says what it wants to know, and is begun anew when that is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dbt_local_aws.redshift.statements.rewriting import rewrite_expressions
from dbt_local_aws.redshift.tokens import Kind, Token, render, spaced, sql
from dbt_local_aws.redshift.wire import Field

SUPER, VARBYTE = 4000, 6551  # the types' numbers, on Redshift as here
KnownColumns = Mapping[str, Sequence[Field]]


class ColumnsWanted(Exception):  # noqa: N818 - a question
    """A translation has to know which columns a query gives; or would like to, where none will do as well.

    What refers to a query around it cannot be asked for by itself.
    """

    def __init__(self, query: str, *, optional: bool) -> None:
        self.query = query
        self.optional = optional
        super().__init__(query)


@dataclass(frozen=True, slots=True)
class Expression:
    """A common table expression: its name, and its definition, from the name to the closing parenthesis."""

    name: str
    tokens: Sequence[Token]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a query can see: the common table expressions around it, and what is known of the columns of others."""

    known: KnownColumns
    expressions: tuple[Expression, ...] = ()

    def with_expression(self, expression: Expression) -> "Scope":
        """The same with one more common table expression."""
        others = (other for other in self.expressions if other.name != expression.name)
        return replace(self, expressions=(*others, expression))

    def columns(self, query: Sequence[Token], *, optional: bool = False) -> Sequence[Field]:
        """The columns of a query; raises ColumnsWanted where they are not known yet."""
        text = render(rewrite_expressions([*self._definitions(), *map(_without_parameter, spaced(query))])).strip()
        if text not in self.known:
            raise ColumnsWanted(text, optional=optional)
        return self.known[text]

    def names(self, query: Sequence[Token], *, optional: bool = False) -> list[str]:
        """The names of these columns."""
        return [column.name for column in self.columns(query, optional=optional)]

    def is_super(self, source: Sequence[Token], name: str) -> bool:
        """Whether what stands in a FROM clause has a SUPER column of this name."""
        columns = self.columns([*sql("select * from"), *spaced(source)], optional=True) if source else []
        return any(column.name == name and column.type_oid == SUPER for column in columns)

    def names_of(self, source: Sequence[Token], *, optional: bool = False) -> list[str]:
        """The names of the columns of what stands in a FROM clause."""
        return self.names([*sql("select * from"), *spaced(source)], optional=optional) if source else []

    def _definitions(self) -> list[Token]:
        output: list[Token] = []
        for position, expression in enumerate(self.expressions):
            output += [*sql("," if position else "with"), *map(_without_parameter, spaced(expression.tokens))]
        return output


def _without_parameter(token: Token) -> Token:
    """A null in a parameter's place: its type may depend on what is left out of the question."""
    return replace(token, kind=Kind.WORD, text="null") if token.kind is Kind.PARAMETER else token


def quoted(name: str) -> str:
    """A name as quoted SQL."""
    return '"' + name.replace('"', '""') + '"'
