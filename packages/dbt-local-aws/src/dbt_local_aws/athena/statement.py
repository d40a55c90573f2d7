"""What one statement works with: Trino, Glue, S3, and where its results may go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

from dbt_local_aws.athena.catalog import Catalog
from dbt_local_aws.athena.errors import table_not_found
from dbt_local_aws.athena.glue_table import Table
from dbt_local_aws.athena.names import Name
from dbt_local_aws.athena.objects import ObjectStore
from dbt_local_aws.athena.trino.client import PREPARED, Session, TrinoQuery
from dbt_local_aws.athena.trino.server import Trino


@dataclass(frozen=True)
class DefaultLocation:
    """Where CTAS writes if the statement does not say, and whether the work group lets it say."""

    uri: str = ""
    is_enforced: bool = False


@dataclass(frozen=True)
class Statement:
    """One statement while it runs.

    Attributes:
        sql: Its text, from its first word on.
        schema: The database it runs in.
        parameters: What its question marks stand for, as SQL with commas between.
        started: Is told every query before it is sent to Trino, to be able to stop it.
        prepared: The prepared statements of the work group, by name.
    """

    sql: str
    schema: str
    trino: Trino
    catalog: Catalog
    store: ObjectStore
    started: Callable[[TrinoQuery], None]
    default_location: DefaultLocation = DefaultLocation()
    parameters: str = ""
    prepared: MutableMapping[str, str] = field(default_factory=dict)

    def at(self, location: DefaultLocation, parameters: str, prepared: MutableMapping[str, str]) -> Statement:
        """The same statement with what its execution says."""
        return replace(self, default_location=location, parameters=parameters, prepared=prepared)

    def ask(self, sql: str, properties: Mapping[str, str] | None = None) -> TrinoQuery:
        """A query that is sent when its rows are read, with the statement's parameters."""
        if self.parameters:
            session = Session(self.schema, properties or {}, sql)
            query = self.trino.query(f"EXECUTE {PREPARED} USING {self.parameters}", session)
        else:
            query = self.trino.query(sql, Session(self.schema, properties or {}))
        self.started(query)
        return query

    def run(self, sql: str) -> list[list[Any]]:
        """Run a statement of the endpoint's own to its end, and give its rows."""
        query = self.trino.query(sql, Session(self.schema))
        self.started(query)
        return [row for rows in query.batches() for row in rows]

    def output_types(self, query: str) -> list[tuple[str, str]]:
        """The columns of a query with Trino's types, without running it."""
        asked = self.trino.query(f"DESCRIBE OUTPUT {PREPARED}", Session(self.schema, prepared=query))
        self.started(asked)
        return [(str(row[0]), str(row[4])) for rows in asked.batches() for row in rows]

    def full(self, name: Name) -> tuple[str, str]:
        """Schema and name of a table."""
        return name.schema or self.schema, name.table

    def table(self, schema: str, name: str) -> Table:
        """A table or view that has to exist."""
        table = self.catalog.table(schema, name)
        if table is None:
            raise table_not_found(schema, name)
        return table
