"""What DuckDB reads for the objects of a table: one SELECT for each file format that Athena reads and DuckDB can."""
# ruff: noqa: S608 - what is written here is SQL; names and literals are quoted

from __future__ import annotations

import csv
import gzip
import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb

from local_aws.athena import types
from local_aws.athena.catalog import Table
from local_aws.athena.errors import AthenaError, NotEmulatedError
from local_aws.athena.functions import quote
from local_aws.athena.queries import quoted
from local_aws.athena.types import SqlType, to_duckdb

OPENX_JSON = "org.openx.data.jsonserde.JsonSerDe"
HIVE_JSON = ("org.apache.hive.hcatalog.data.JsonSerDe", "org.apache.hadoop.hive.serde2.JsonSerDe")
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"

FILENAME = "local file"

_Rows = Callable[[Path, Table], Iterator[Sequence[str | None]]]


@dataclass(frozen=True)
class Wanted:
    """A column that a query needs, with its type in Trino."""

    name: str
    type: SqlType


Reader = Callable[[duckdb.DuckDBPyConnection, Table, Sequence[Path], Sequence[Wanted]], str]


def nothing(columns: Iterable[Wanted]) -> str:
    """No rows, of the right columns."""
    items = [f"cast(null as {to_duckdb(column.type)}) as {quoted(column.name)}" for column in columns]
    return f"select {', '.join([*items, f'cast(null as varchar) as {quoted(FILENAME)}'])} where false"


def file_list(paths: Iterable[Path]) -> str:
    """A DuckDB list of file names."""
    return "[" + ", ".join(quote(str(path)) for path in paths) + "]"


def _is_set(table: Table, name: str, default: bool) -> bool:
    return table.serde_parameters.get(name, str(default)).lower() == "true"


# -------------------- JSON


class _KeyCache:
    """Which keys the objects in a file have. Files are versions of S3 objects, and never change."""

    def __init__(self) -> None:
        self._keys: dict[Path, frozenset[str]] = {}
        self._lock = threading.Lock()

    def of(self, connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], options: str) -> set[str]:
        """The keys in any of the files."""
        with self._lock:
            missing = [path for path in paths if path not in self._keys]
        if missing:
            rows = connection.execute(
                f"select filename, list(distinct key) from (select filename, unnest(json_keys(json)) as key "
                f"from read_ndjson_objects({file_list(missing)}, filename = true{options})) group by filename"
            ).fetchall()
            found = {Path(name): frozenset(keys) for name, keys in rows}
            with self._lock:
                self._keys.update({path: found.get(path, frozenset()) for path in missing})
        with self._lock:
            return set[str]().union(*(self._keys[path] for path in paths))


_keys = _KeyCache()


def _json_value(json_sql: str, column: Wanted) -> str:
    """A JSON value as the column's type. What does not fit fails, as Athena's own message says."""
    text, kind = f"json_extract_string({json_sql}, '$')", column.type
    bad = f"'HIVE_BAD_DATA: Error parsing field value for field {column.name}: For input string: \"' || {text} || '\"'"
    failed = f"cast(cast(trino_fail({bad}) as varchar) as {to_duckdb(kind)})"
    if kind.is_text:
        return text
    if kind.is_integer:
        return (
            f"case when {text} is null then null when regexp_full_match({text}, '[+-]?[0-9]+') "
            f"and try_cast({text} as {to_duckdb(kind)}) is not null then cast({text} as {to_duckdb(kind)}) "
            f"else {failed} end"
        )
    if kind.base in ("double", "real", "decimal"):
        return f"case when {text} is null then null else coalesce(try_cast({text} as {to_duckdb(kind)}), {failed}) end"
    if kind.base == "boolean":
        return f"lower({text}) = 'true'"
    if kind.base in ("date", "timestamp"):
        return f"try_cast({text} as {to_duckdb(kind)})"
    if kind.items:
        return f"from_json({json_sql}, {quote(_json_structure(kind))})"
    raise NotEmulatedError(f"{kind} in a JSON table")


def _json_structure(kind: SqlType) -> str:
    if kind.base == "array":
        return f"[{_json_structure(kind.items[0])}]"
    if kind.base == "row":
        fields = (f'"{n}": {_json_structure(i)}' for n, i in zip(types.field_names(kind), kind.items, strict=True))
        return "{" + ", ".join(fields) + "}"
    return json.dumps(to_duckdb(kind))


def _json_names(table: Table, keys: set[str], columns: Sequence[Wanted]) -> dict[str, list[str]]:
    """The keys that each column is read from."""
    insensitive = _is_set(table, "case.insensitive", True)
    mapping = {
        name.lower().removeprefix("mapping."): key
        for name, key in table.serde_parameters.items()
        if name.lower().startswith("mapping.")
    }
    names = {}
    for column in columns:
        wanted = mapping.get(column.name, column.name)
        if _is_set(table, "dots.in.keys", False):
            raise NotEmulatedError("dots.in.keys")
        names[column.name] = sorted(
            key for key in keys if key == wanted or (insensitive and key.lower() == wanted.lower())
        )
    return names


def read_json(
    connection: duckdb.DuckDBPyConnection, table: Table, paths: Sequence[Path], columns: Sequence[Wanted]
) -> str:
    """One JSON object a line."""
    lenient = _is_set(table, "ignore.malformed.json", False)
    options = ", ignore_errors = true" if lenient else ""
    names = _json_names(table, _keys.of(connection, paths, options), columns)
    wanted = sorted({key for found in names.values() for key in found})
    if lenient or len({key.lower() for key in wanted}) != len(wanted):
        # Slower, but it keeps the lines that are no JSON, and keys that differ in case alone.
        source = f"read_ndjson_objects({file_list(paths)}, filename = {quote(FILENAME)}{options})"
        values = {
            name: [f"json_extract(json, {quote(_json_path(key))})" for key in found] for name, found in names.items()
        }
    else:
        spec = ", ".join(f"{quote(key)}: 'JSON'" for key in wanted) or "'no such key': 'JSON'"
        source = (
            f"read_json({file_list(paths)}, format = 'newline_delimited', columns = {{{spec}}}, "
            f"filename = {quote(FILENAME)}, hive_partitioning = false)"
        )
        values = {name: [quoted(key) for key in found] for name, found in names.items()}
    items = [f"{_json_column(values[column.name], column)} as {quoted(column.name)}" for column in columns]
    return f"select {', '.join([*items, quoted(FILENAME)])} from {source}"


def _json_column(texts: Sequence[str], column: Wanted) -> str:
    """A column from the keys that it may stand under; it is null where no object has any of them."""
    if not texts:
        return f"cast(null as {to_duckdb(column.type)})"
    return _json_value(texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})", column)


def _json_path(key: str) -> str:
    return '$."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


# -------------------- Parquet

_COMPATIBLE = {
    "BIGINT": {"TINYINT", "SMALLINT", "INTEGER", "BIGINT"},
    "INTEGER": {"TINYINT", "SMALLINT", "INTEGER"},
    "SMALLINT": {"TINYINT", "SMALLINT", "INTEGER"},
    "TINYINT": {"TINYINT", "SMALLINT", "INTEGER"},
    "DOUBLE": {"FLOAT", "DOUBLE"},
    "VARCHAR": {"VARCHAR", "JSON", "UUID"},
    "TIMESTAMP": {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP_S"},
}


def _check_parquet_type(column: Wanted, actual: str, path: Path) -> None:
    wanted = to_duckdb(column.type)
    if column.type.items or wanted.startswith("DECIMAL") or actual in _COMPATIBLE.get(wanted, {wanted}):
        return
    raise AthenaError(
        "HIVE_BAD_DATA",
        f"Field {column.name}'s type {actual} in parquet file {path.name} is incompatible with type {column.type} "
        "defined in table schema",
    )


def parquet_select(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], columns: Sequence[tuple[str, Wanted]]
) -> str:
    """The columns by the names they have in the files; what a file lacks is null."""
    options = f"union_by_name = true, hive_partitioning = false, filename = {quote(FILENAME)}"
    source = f"read_parquet({file_list(paths)}, {options})"
    found = {
        name.lower(): (name, kind)
        for name, kind, *_ in connection.execute(f"describe select * from {source}").fetchall()
    }
    items = []
    for stored, column in columns:
        if stored.lower() in found:
            name, kind = found[stored.lower()]
            _check_parquet_type(column, kind, paths[0])
            items.append(f"cast({quoted(name)} as {to_duckdb(column.type)}) as {quoted(column.name)}")
        else:
            items.append(f"cast(null as {to_duckdb(column.type)}) as {quoted(column.name)}")
    return f"select {', '.join([*items, quoted(FILENAME)])} from {source}"


def read_parquet(
    connection: duckdb.DuckDBPyConnection, table: Table, paths: Sequence[Path], columns: Sequence[Wanted]
) -> str:
    """Parquet, by column names."""
    return parquet_select(connection, paths, [(column.name, column) for column in columns])


# -------------------- text


def _open_text(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")


def _lines(path: Path, table: Table) -> Iterator[str]:
    skipped = int(table.parameters.get("skip.header.line.count", 0))
    with _open_text(path) as file:
        for number, line in enumerate(file):
            if number >= skipped and line.rstrip("\r\n"):
                yield line.rstrip("\r\n")


def _open_csv_rows(path: Path, table: Table) -> Iterator[Sequence[str | None]]:
    parameters = table.serde_parameters
    # Line by line: to Hive a line end inside quotes ends the record.
    for line in _lines(path, table):
        yield next(
            csv.reader(
                [line],
                delimiter=parameters.get("separatorChar", ","),
                quotechar=parameters.get("quoteChar", '"'),
                escapechar=parameters.get("escapeChar", "\\"),
            )
        )


def _lazy_rows(path: Path, table: Table) -> Iterator[Sequence[str | None]]:
    delimiter = table.serde_parameters.get("field.delim", "\x01")
    null = table.serde_parameters.get("serialization.null.format", "\\N")
    for line in _lines(path, table):
        yield [None if value == null else value for value in line.split(delimiter)]


def _text_select(
    table: Table, paths: Sequence[Path], columns: Sequence[Wanted], rows: _Rows, strict: bool
) -> str:  # fmt: skip
    # The settings are part of the name: two tables may read the same object in different ways.
    settings = abs(
        hash((table.serde, *sorted(table.serde_parameters.items()), table.parameters.get("skip.header.line.count")))
    )
    parsed = []
    for path in paths:
        target = path.with_name(f"{path.name}.{settings}.rows")
        if not target.exists():
            partial = target.with_name(f"{target.name}.{threading.get_ident()}")
            with partial.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps({"values": row, "file": str(path)}) + "\n" for row in rows(path, table))
            partial.replace(target)
        parsed.append(target)
    positions = {column.name: at for at, column in enumerate(table.columns, 1)}
    items = [
        f"{_text_value(f'values[{positions[column.name]}]', column, strict)} as {quoted(column.name)}"
        for column in columns
    ]
    source = (
        f"read_json({file_list(parsed)}, format = 'newline_delimited', "
        "columns = {'values': 'VARCHAR[]', 'file': 'VARCHAR'}, hive_partitioning = false)"
    )
    return f"select {', '.join([*items, f'file as {quoted(FILENAME)}'])} from {source}"


def _text_value(text: str, column: Wanted, strict: bool) -> str:
    if column.type.is_text:
        return text
    if column.type.items:
        raise NotEmulatedError(f"{column.type} in a text table")
    value = f"try_cast({text} as {to_duckdb(column.type)})"
    if not strict:
        return value
    bad = f"'HIVE_BAD_DATA: Error Parsing a column in the table: {column.name}: ' || {text}"
    failed = f"cast(cast(trino_fail({bad}) as varchar) as {to_duckdb(column.type)})"
    return f"case when {text} is null then null else coalesce({value}, {failed}) end"


def _read_open_csv(
    connection: duckdb.DuckDBPyConnection, table: Table, paths: Sequence[Path], columns: Sequence[Wanted]
) -> str:
    return _text_select(table, paths, columns, _open_csv_rows, strict=True)


def _read_lazy_simple(
    connection: duckdb.DuckDBPyConnection, table: Table, paths: Sequence[Path], columns: Sequence[Wanted]
) -> str:
    return _text_select(table, paths, columns, _lazy_rows, strict=False)


READERS: dict[str, Reader] = {
    OPENX_JSON: read_json,
    **dict.fromkeys(HIVE_JSON, read_json),
    PARQUET: read_parquet,
    OPEN_CSV: _read_open_csv,
    LAZY_SIMPLE: _read_lazy_simple,
}


def reader_of(table: Table) -> Reader:
    """The reader for a table's format."""
    for library, reader in READERS.items():
        if library.lower() == table.serde.lower():
            return reader
    raise NotEmulatedError(f"the format of {table.schema}.{table.name}: {table.serde or 'none'}")
