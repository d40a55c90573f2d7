"""What names mean at one place of a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from local_aws.athena.errors import AthenaError
from local_aws.athena.functions import Value
from local_aws.athena.types import SqlType


@dataclass(frozen=True)
class Field:
    """A column of a relation in FROM. `owner` is the relation's name, with schema and catalog where it has them."""

    name: str | None
    type: SqlType
    sql: str
    owner: tuple[str, ...] = ()
    hidden: bool = False
    scan: int | None = None
    is_partition: bool = False

    def answers_to(self, name: str, qualifier: Sequence[str]) -> bool:
        """Whether `qualifier.name` can mean this column."""
        if self.name is None or self.name.lower() != name:
            return False
        return not qualifier or (bool(self.owner) and tuple(qualifier) == self.owner[-len(qualifier) :])


@dataclass
class Scope:
    """Columns by name, with the scope of the query around it for correlated subqueries."""

    fields: list[Field] = field(default_factory=list)
    parent: Scope | None = None
    lambdas: dict[str, Value] = field(default_factory=dict)
    windows: dict[str, exp.Window] = field(default_factory=dict)
    refuses_aggregates: str | None = None
    used: list[Field] = field(default_factory=list)

    def within(self, clause: str) -> Scope:
        """The same names, in a clause that may hold no aggregates."""
        return replace(self, refuses_aggregates=clause)

    def with_lambdas(self, variables: dict[str, Value]) -> Scope:
        """The same names, and a lambda's parameters before them."""
        return replace(self, lambdas={**self.lambdas, **variables})

    def find(self, name: str, qualifier: Sequence[str]) -> Field | None:
        """The column that the name means here or in a query around, if there is one."""
        found = [column for column in self.fields if column.answers_to(name, qualifier)]
        if len(found) > 1:
            raise AthenaError("AMBIGUOUS_NAME", f"line 1:1: Column '{name}' is ambiguous")
        if found:
            self.used.append(found[0])
            return found[0]
        return self.parent.find(name, qualifier) if self.parent else None
