"""What one statement works with: its own DuckDB connection and catalogue, and the store that all share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import duckdb
from sqlglot import exp

from local_aws.athena.binding import Binder
from local_aws.athena.catalog import Catalog, Table
from local_aws.athena.errors import AthenaError, table_not_found
from local_aws.athena.expressions import Query
from local_aws.athena.information_schema import VirtualSource
from local_aws.athena.objects import ObjectStore
from local_aws.athena.queries import CATALOG, QueryCompiler


@dataclass(frozen=True)
class DefaultLocation:
    """Where CTAS writes if the statement does not say, and whether the work group lets it say."""

    uri: str = ""
    is_enforced: bool = False


@dataclass
class Statement:
    """One statement while it runs."""

    sql: str
    schema: str
    connection: duckdb.DuckDBPyConnection
    catalog: Catalog
    store: ObjectStore
    default_location: DefaultLocation = DefaultLocation()
    binder: Binder = field(init=False)
    source: VirtualSource = field(init=False)

    def __post_init__(self) -> None:
        """Make what the rest is made of."""
        self.source = VirtualSource(self.catalog)
        self.binder = Binder(self.connection, self.catalog, self.store, self.source.rows)

    def compiler(self) -> QueryCompiler:
        """A compiler of queries that sees what this statement sees."""
        return QueryCompiler(self.source, self.schema)

    def query(self, node: exp.Expr) -> Query:
        """Compile a query and bind its tables: what it gives can be run."""
        compiler = self.compiler()
        query = compiler.compile(node)
        self.binder.bind(compiler.scans, query.sql)
        return query

    def names(self, node: exp.Expr) -> tuple[str, str]:
        """Schema and name of a table that a statement of Trino's names."""
        table = node.find(exp.Table) if not isinstance(node, exp.Table) else node
        if table is None:
            raise AthenaError("SYNTAX_ERROR", "line 1:1: Expecting: a table name")
        if table.catalog and table.catalog.lower() != CATALOG:
            raise AthenaError("CATALOG_NOT_FOUND", f"line 1:1: Catalog '{table.catalog}' not found")
        return (table.db or self.schema).lower(), table.name.lower()

    def table(self, schema: str, name: str) -> Table:
        """A table or view that has to exist."""
        table = self.catalog.table(schema, name)
        if table is None:
            raise table_not_found(schema, name)
        return table

    def scalar(self, sql: str) -> Any:  # noqa: ANN401 - what DuckDB gives
        """The only value of a query."""
        row = self.connection.execute(sql).fetchone()
        return row[0] if row else None
