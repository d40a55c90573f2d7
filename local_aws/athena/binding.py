"""Binds the tables that a query mentions to their objects in S3: one DuckDB view for each mention."""
# ruff: noqa: S608 - what is written here is SQL; names and literals are quoted

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from local_aws.athena import iceberg, projection
from local_aws.athena.catalog import Catalog, Column, Partition, Table
from local_aws.athena.errors import table_not_found
from local_aws.athena.functions import quote
from local_aws.athena.objects import ObjectStore, S3Object, as_folder
from local_aws.athena.queries import Scan, quoted
from local_aws.athena.readers import FILENAME, Wanted, file_list, nothing, parquet_select, reader_of
from local_aws.athena.types import to_duckdb

_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_LISTED_ONE_BY_ONE = 8

# Tables that are made up when they are asked for, such as information_schema's: their rows as SQL.
VirtualTables = Callable[[str, str], str | None]


@dataclass
class Binder:
    """Binds the scans of one statement, and counts what they read."""

    connection: duckdb.DuckDBPyConnection
    catalog: Catalog
    store: ObjectStore
    virtual: VirtualTables
    bytes_scanned: int = 0
    _read: set[str] = field(default_factory=set)

    def bind(self, scans: Sequence[Scan], sql: str) -> None:
        """Make a view for each scan, with the columns that `sql` asks of it."""
        for scan in scans:
            select = self.virtual(scan.schema, scan.name) or self._select(scan, sql)
            self.connection.execute(f"create or replace temp view {scan.relation} as {select}")

    def _select(self, scan: Scan, sql: str) -> str:
        table = self.catalog.table(scan.schema, scan.name)
        if table is None:
            raise table_not_found(scan.schema, scan.name)
        # A column is mentioned under the scan's own alias, which nothing else in the statement has.
        mentioned = {column.sql.partition(".")[2] for column in scan.fields if column.sql in sql}
        keys = {key.name for key in table.partition_keys}
        wanted = [
            Wanted(column.name, table.type_of(column)) for column in table.columns if quoted(column.name) in mentioned
        ]
        hidden = [name for name in ("$path", "$file_size", "$file_modified_time") if quoted(name) in mentioned]
        if table.is_iceberg:
            objects, data = self._iceberg(table, wanted)
        elif keys:
            objects, data = self._partitioned(table, scan, wanted)
        else:
            objects = self.store.below(table.location)
            data = self._read_objects(table, objects, wanted)
        self._count(objects)
        return self._with_hidden(data, wanted, table.partition_keys, objects, hidden)

    def _count(self, objects: Sequence[S3Object]) -> None:
        for item in objects:
            if item.uri not in self._read:
                self._read.add(item.uri)
                self.bytes_scanned += item.size

    def _read_objects(self, table: Table, objects: Sequence[S3Object], wanted: Sequence[Wanted]) -> str:
        reader = reader_of(table)
        return reader(self.connection, table, self.store.fetch(objects), wanted) if objects else nothing(wanted)

    # -------------------- pseudo-columns

    def _with_hidden(
        self,
        data: str,
        wanted: Sequence[Wanted],
        keys: Sequence[Column],
        objects: Sequence[S3Object],
        hidden: Sequence[str],
    ) -> str:
        names = [quoted(column.name) for column in wanted] + [quoted(key.name) for key in keys]
        if "$path" in hidden:
            start = self.store.path_prefix_length + 1
            names.append(f"'s3://' || url_decode(substr({quoted(FILENAME)}, {start})) as {quoted('$path')}")
        if not {"$file_size", "$file_modified_time"} & set(hidden):
            return f"select {', '.join(names) or '1 as present'} from ({data})"
        paths = file_list(self.store.local_path(item) for item in objects)
        sizes = ", ".join(str(item.size) for item in objects)
        times = ", ".join(f"timestamptz {quote(item.modified.isoformat())}" for item in objects)
        files = (
            f"select unnest({paths}) as file, unnest([{sizes}]::bigint[]) as {quoted('$file_size')}, "
            f"unnest([{times}]::timestamptz[]) as {quoted('$file_modified_time')}"
        )
        names += [quoted("$file_size"), quoted("$file_modified_time")]
        return f"select {', '.join(names)} from ({data}) as d join ({files}) as f on f.file = d.{quoted(FILENAME)}"

    # -------------------- Iceberg

    def _iceberg(self, table: Table, wanted: Sequence[Wanted]) -> tuple[list[S3Object], str]:
        metadata = iceberg.load(self.store, table)
        ids = {item.name: str(item.id) for item in metadata.fields}
        groups: dict[tuple[tuple[str, str], ...], list[S3Object]] = {}
        for file in metadata.files:
            groups.setdefault(tuple(sorted(file.columns.items())), []).append(file.as_object())
        selects = []
        for stored, objects in groups.items():
            names = dict(stored)
            # A column that is not in these files has a name that no file can have.
            columns = [(names.get(ids[column.name], "\0"), column) for column in wanted]
            selects.append(parquet_select(self.connection, self.store.fetch(objects), columns))
        everything = [item for objects in groups.values() for item in objects]
        return everything, " union all ".join(selects) if selects else nothing(wanted)

    # -------------------- partitions

    def _partitioned(self, table: Table, scan: Scan, wanted: Sequence[Wanted]) -> tuple[list[S3Object], str]:
        keys = [Wanted(key.name, table.type_of(key)) for key in table.partition_keys]
        partitions = self._pruned(self._partitions(table, scan), keys, scan)
        placed = self._place(partitions)
        objects = [item for item, _ in placed]
        if not objects:
            return [], nothing([*wanted, *keys])
        paths: list[Path] = [self.store.local_path(item) for item in objects]
        lists = [f"unnest({file_list(paths)}) as file"]
        for at, key in enumerate(keys):
            values = ", ".join(_partition_value(partition.values[at]) for _, partition in placed)
            lists.append(f"cast(unnest([{values}]::varchar[]) as {to_duckdb(key.type)}) as {quoted(key.name)}")
        data = self._read_objects(table, objects, wanted)
        names = ", ".join(f"k.{quoted(key.name)}" for key in keys)
        return (
            objects,
            f"select d.*, {names} from ({data}) as d "
            f"join (select {', '.join(lists)}) as k on k.file = d.{quoted(FILENAME)}",
        )

    def _partitions(self, table: Table, scan: Scan) -> list[Partition]:
        if not projection.is_projected(table):
            return self.catalog.partitions(table)
        return projection.partitions(table, _equalities(scan))

    def _pruned(self, partitions: list[Partition], keys: Sequence[Wanted], scan: Scan) -> list[Partition]:
        """The partitions that the query's own conditions leave."""
        if not scan.predicates or not partitions:
            return partitions
        lists = [f"unnest(range({len(partitions)})) as number"]
        for at, key in enumerate(keys):
            values = ", ".join(_partition_value(partition.values[at]) for partition in partitions)
            lists.append(f"cast(unnest([{values}]::varchar[]) as {to_duckdb(key.type)}) as {quoted(key.name)}")
        condition = " and ".join(scan.predicates)
        rows = self.connection.execute(
            f"select number from (select {', '.join(lists)}) as {scan.alias} where {condition} order by number"
        ).fetchall()
        return [partitions[number] for (number,) in rows]

    def _place(self, partitions: Sequence[Partition]) -> list[tuple[S3Object, Partition]]:
        """The objects of the partitions. Many partitions are listed by what their locations share, not one by one."""
        if len(partitions) <= _LISTED_ONE_BY_ONE:
            return [(item, partition) for partition in partitions for item in self.store.below(partition.location)]
        folders = {as_folder(partition.location): partition for partition in partitions}
        found = []
        for item in self.store.below(_common_folder(list(folders))):
            folder = item.uri
            while "/" in folder[5:]:
                folder = folder.rstrip("/").rsplit("/", 1)[0] + "/"
                if folder in folders:
                    found.append((item, folders[folder]))
                    break
                folder = folder.rstrip("/")
        return found


def _common_folder(folders: list[str]) -> str:
    first, last = min(folders), max(folders)
    size = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:size].rpartition("/")[0]


def _partition_value(text: str) -> str:
    return "null" if text == _NULL_PARTITION else quote(text)


def _equalities(scan: Scan) -> dict[str, set[str]]:
    """The values that the query's conditions name for each partition column."""
    wanted: dict[str, set[str]] = {}
    literal = r"'((?:[^']|'')*)'"
    for column in scan.fields:
        if not column.is_partition or column.name is None:
            continue
        for predicate in scan.predicates:
            name = re.escape(column.sql)
            if re.fullmatch(
                rf"\({name} = {literal}\)|\({literal} = {name}\)|\({name} in \({literal}(, {literal})*\)\)", predicate
            ):
                wanted.setdefault(column.name, set()).update(
                    found.replace("''", "'") for found in re.findall(literal, predicate.replace(column.sql, ""))
                )
    return wanted
