"""Glue as the query engine uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbt_local_aws.athena.errors import AthenaError
from dbt_local_aws.athena.glue_table import Partition, Table

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient


class Catalog:
    """Glue's databases, tables and partitions. Made for one statement: what it has looked up it does not ask again."""

    def __init__(self, client: GlueClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str], Table] = {}

    # -------------------- databases

    def databases(self) -> list[str]:
        """The names of all databases."""
        pages = self._client.get_paginator("get_databases").paginate()
        return sorted(item["Name"] for page in pages for item in page["DatabaseList"])

    def has_database(self, name: str) -> bool:
        """Whether there is such a database."""
        try:
            self._client.get_database(Name=name)
        except self._client.exceptions.EntityNotFoundException:
            return False
        return True

    def require_database(self, name: str) -> None:
        """Fail if there is no such database."""
        if not self.has_database(name):
            raise AthenaError("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{name}' does not exist")

    def create_database(self, name: str, comment: str, location: str, properties: dict[str, str]) -> None:
        """Add a database."""
        content: dict[str, Any] = {"Name": name, "Parameters": properties}
        if comment:
            content["Description"] = comment
        if location:
            content["LocationUri"] = location
        self._client.create_database(DatabaseInput=content)  # type: ignore[arg-type]

    def drop_database(self, name: str) -> None:
        """Remove a database that exists."""
        self._client.delete_database(Name=name)

    # -------------------- tables

    def table(self, schema: str, name: str) -> Table | None:
        """The table or view of that name."""
        key = (schema, name)
        if key not in self._known:
            try:
                answer = self._client.get_table(DatabaseName=schema, Name=name)
            except self._client.exceptions.EntityNotFoundException:
                return None
            self._known[key] = Table(schema, dict(answer["Table"]))
        return self._known[key]

    def again(self, table: Table) -> Table:
        """The table as it is now, whatever this statement saw before."""
        self._known.pop((table.schema, table.name), None)
        newest = self.table(table.schema, table.name)
        if newest is None:
            raise AthenaError("FAILED", f"Execution Error, return code 1. {table.name} was dropped meanwhile")
        return newest

    def tables(self, schema: str) -> list[Table]:
        """All tables and views of a database."""
        pages = self._client.get_paginator("get_tables").paginate(DatabaseName=schema)
        found = (Table(schema, dict(item)) for page in pages for item in page["TableList"])
        return sorted(found, key=lambda table: table.name)

    def create_table(self, schema: str, content: dict[str, Any]) -> None:
        """Add a table or view."""
        self.require_database(schema)
        try:
            self._client.create_table(DatabaseName=schema, TableInput=content)  # type: ignore[arg-type]
        except self._client.exceptions.AlreadyExistsException as error:
            raise AthenaError(
                "TABLE_ALREADY_EXISTS", f"line 1:1: Table 'awsdatacatalog.{schema}.{content['Name']}' already exists"
            ) from error
        self._known.pop((schema, content["Name"]), None)

    def update_table(self, table: Table, **changes: object) -> None:
        """Change parts of a table's description.

        Raises:
            AthenaError: Somebody else has changed it meanwhile.
        """
        content = {**table.table_input(), **changes}
        try:
            self._client.update_table(
                DatabaseName=table.schema,
                TableInput=content,  # type: ignore[arg-type]
                VersionId=table.raw["VersionId"],
            )
        except self._client.exceptions.ConcurrentModificationException as error:
            raise AthenaError(
                "FAILED", f"Execution Error, return code 1. {table.name} was changed meanwhile"
            ) from error
        self._known.pop((table.schema, table.name), None)

    def drop_table(self, schema: str, name: str) -> None:
        """Remove a table or view that exists."""
        self._client.delete_table(DatabaseName=schema, Name=name)
        self._known.pop((schema, name), None)

    # -------------------- partitions

    def partitions(self, table: Table) -> list[Partition]:
        """The registered partitions."""
        pages = self._client.get_paginator("get_partitions").paginate(DatabaseName=table.schema, TableName=table.name)
        return [
            Partition(tuple(item["Values"]), item["StorageDescriptor"]["Location"])
            for page in pages
            for item in page["Partitions"]
        ]

    def add_partition(self, table: Table, partition: Partition) -> bool:
        """Register a partition; False if its values are registered already."""
        descriptor = {**table.descriptor, "Location": partition.location}
        try:
            self._client.create_partition(
                DatabaseName=table.schema,
                TableName=table.name,
                PartitionInput={"Values": list(partition.values), "StorageDescriptor": descriptor},  # type: ignore[typeddict-item]
            )
        except self._client.exceptions.AlreadyExistsException:
            return False
        return True

    def drop_partition(self, table: Table, partition: Partition) -> None:
        """Remove a partition that is registered."""
        self._client.delete_partition(
            DatabaseName=table.schema, TableName=table.name, PartitionValues=list(partition.values)
        )
