"""INSERT, and MERGE, UPDATE and DELETE on Iceberg tables."""
# ruff: noqa: S608 - what is written here is SQL; names and literals are quoted

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from local_aws.athena import iceberg
from local_aws.athena.casts import store
from local_aws.athena.catalog import Table
from local_aws.athena.errors import AthenaError, NotEmulatedError, syntax_error, type_mismatch
from local_aws.athena.expressions import Query, refuse_unknown_parts
from local_aws.athena.functions import Value
from local_aws.athena.queries import CATALOG, QueryCompiler, quoted
from local_aws.athena.readers import HIVE_JSON, LAZY_SIMPLE, PARQUET
from local_aws.athena.results import Result
from local_aws.athena.scope import Field, Scope
from local_aws.athena.statement import Statement
from local_aws.athena.types import SqlType, to_duckdb
from local_aws.athena.writing import Layout, Staged, write_hive, write_iceberg

_WRITABLE = {PARQUET: "parquet", HIVE_JSON[0]: "json", LAZY_SIMPLE: "textfile"}


def _target_columns(table: Table) -> dict[str, SqlType]:
    return {column.name: table.type_of(column) for column in [*table.columns, *table.partition_keys]}


# -------------------- INSERT


def insert(statement: Statement, node: exp.Insert) -> Result:
    """INSERT INTO table [(columns)] query."""
    refuse_unknown_parts(node, "this", "expression", "is_function", "stored")
    if not isinstance(node.expression, exp.Expr):
        raise syntax_error("line 1:1: mismatched input. Expecting: a query")
    schema, name = statement.names(node.this)
    table = statement.table(schema, name)
    if table.is_view:
        raise AthenaError("NOT_SUPPORTED", "line 1:1: Inserting into views is not supported")
    kinds = _target_columns(table)
    names = (
        [column.name.lower() for column in node.this.expressions] if isinstance(node.this, exp.Schema) else list(kinds)
    )
    for column in names:
        if column not in kinds:
            raise AthenaError(
                "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {column}"
            )
        if names.count(column) > 1:
            raise AthenaError(
                "DUPLICATE_COLUMN_NAME", f"line 1:1: Insert column name is specified more than once: {column}"
            )
    query = statement.query(node.expression)
    if len(query.outputs) != len(names):
        raise type_mismatch(
            f"line 1:1: Insert query has {len(query.outputs)} expression(s) but expected {len(names)} target column(s)."
            f"Mismatch at column {min(len(query.outputs), len(names)) + 1}"
        )
    staged = _stage_insert(statement, query, names, kinds)
    rows = _append_iceberg(statement, table, staged) if table.is_iceberg else _append_hive(statement, table, staged)
    return Result("DML", "INSERT", update_count=rows)


def _stage_insert(statement: Statement, query: Query, names: Sequence[str], kinds: dict[str, SqlType]) -> Staged:
    values = {
        name: store(Value(quoted(output.column), output.type), kinds[name], name).sql
        for name, output in zip(names, query.outputs, strict=True)
    }
    items = ", ".join(
        f"cast({values.get(name, 'null')} as {to_duckdb(kind)}) as {quoted(name)}" for name, kind in kinds.items()
    )
    statement.connection.execute(f"create or replace temp table staged as select {items} from ({query.sql})")
    return Staged("staged", tuple(kinds))


def _append_hive(statement: Statement, table: Table, staged: Staged) -> int:
    if table.serde not in _WRITABLE:
        raise AthenaError("NOT_SUPPORTED", f"Inserting into tables with the SerDe {table.serde} is not supported")
    parameters = table.serde_parameters
    layout = Layout(
        format=_WRITABLE[table.serde],
        partitioned_by=tuple(key.name for key in table.partition_keys),
        bucketed_by=tuple(table.descriptor.get("BucketColumns") or ()),
        bucket_count=max(int(table.descriptor.get("NumberOfBuckets") or 0), 0),
        delimiter=parameters.get("field.delim", "\x01"),
        null=parameters.get("serialization.null.format", "\\N"),
    )
    written = write_hive(statement, staged, layout, table.location)
    for partition in written.partitions:
        statement.catalog.add_partition(table, partition)
    return written.rows


def _write(
    statement: Statement, staged: Staged, table: Table, metadata: iceberg.Metadata
) -> tuple[iceberg.DataFile, ...]:
    compression = table.parameters.get("write_compression", iceberg.DEFAULT_COMPRESSION)
    return write_iceberg(statement, staged, metadata, table.location, compression)


def _append_iceberg(statement: Statement, table: Table, staged: Staged) -> int:
    metadata = iceberg.load(statement.store, table)
    files = tuple(file for file in _write(statement, staged, table, metadata) if file.rows)
    # No base: appending does not depend on what else was committed meanwhile.
    iceberg.commit(
        statement.catalog, statement.store, table, lambda newest: newest.with_snapshot("append", newest.files + files)
    )
    return sum(file.rows for file in files)


# -------------------- rows of Iceberg tables


@dataclass
class _Target:
    """An Iceberg table whose rows are at hand as the DuckDB table `target`, numbered in the column `row number`."""

    table: Table
    base: str
    metadata: iceberg.Metadata
    kinds: dict[str, SqlType]
    scope_fields: list[Field]

    @property
    def columns(self) -> str:
        return ", ".join(quoted(name) for name in self.kinds)


_NUMBER = quoted("row number")


def _load_target(statement: Statement, node: exp.Expr) -> _Target:
    if not isinstance(node, exp.Table):
        raise syntax_error(f"line 1:1: mismatched input '{node.sql('trino')}'. Expecting: a table name")
    schema, name = statement.names(node)
    table = statement.table(schema, name)
    if not table.is_iceberg:
        raise AthenaError("NOT_SUPPORTED", "Modifying Hive table rows is only supported for transactional tables")
    base = table.parameters["metadata_location"]
    compiler = QueryCompiler(statement.source, statement.schema)
    query = compiler.compile(exp.select("*").from_(exp.table_(name, db=schema, quoted=True)))
    statement.binder.bind(compiler.scans, query.sql)
    statement.connection.execute(
        f"create or replace temp table target as select *, row_number() over () as {_NUMBER} from ({query.sql})"
    )
    for scan in compiler.scans:
        statement.connection.execute(f"drop view {scan.relation}")
    kinds = _target_columns(table)
    owner = (node.alias.lower(),) if node.alias else (CATALOG, schema, name)
    fields = [Field(column, kind, f"target.{quoted(column)}", owner) for column, kind in kinds.items()]
    return _Target(table, base, iceberg.load(statement.store, table), kinds, fields)


def _replace_rows(statement: Statement, target: _Target, select: str, operation: str) -> None:
    statement.connection.execute(f"create or replace temp table staged as {select}")
    staged = Staged("staged", tuple(target.kinds))
    files = _write(statement, staged, target.table, target.metadata)
    files = tuple(file for file in files if file.rows)
    iceberg.commit(
        statement.catalog,
        statement.store,
        target.table,
        lambda newest: newest.with_snapshot(operation, files),
        base=target.base,
    )


def _assigned(
    target: _Target, compiler: QueryCompiler, scope: Scope, assignments: Sequence[exp.Expr]
) -> dict[str, str]:
    """`column = value, …` as SQL by column."""
    found: dict[str, str] = {}
    for assignment in assignments:
        if not isinstance(assignment, exp.EQ) or not isinstance(assignment.left, exp.Column):
            raise syntax_error(f"line 1:1: mismatched input near '{assignment.sql('trino')}'")
        name = assignment.left.name.lower()
        if assignment.left.table:
            raise syntax_error(
                f"line 1:1: mismatched input '.'. SET takes plain column names, not {assignment.left.sql('trino')}"
            )
        if name not in target.kinds:
            raise AthenaError("COLUMN_NOT_FOUND", f"line 1:1: The UPDATE SET target column {name} doesn't exist")
        if name in found:
            raise syntax_error(f"line 1:1: Multiple assignments to the same column: {name}")
        value = compiler.expressions.compile(assignment.right, scope)
        found[name] = store(value, target.kinds[name], name).sql
    return found


def delete(statement: Statement, node: exp.Delete) -> Result:
    """DELETE FROM table [WHERE condition]."""
    refuse_unknown_parts(node, "this", "where")
    _refuse_alias(node.this)
    target = _load_target(statement, node.this)
    condition = _condition(statement, target, node.args.get("where"))
    rows = int(statement.scalar(f"select count(*) from target where {condition}"))
    _replace_rows(statement, target, f"select {target.columns} from target where ({condition}) is not true", "delete")
    return Result("DML", "DELETE", update_count=rows)


def _refuse_alias(node: exp.Expr) -> None:
    # Only MERGE's target may be given another name: https://docs.aws.amazon.com/athena/latest/ug/update-statement.html
    if node.alias:
        raise syntax_error(f"line 1:1: mismatched input '{node.alias}'")


def _condition(statement: Statement, target: _Target, where: exp.Where | None) -> str:
    if where is None:
        return "true"
    compiler = statement.compiler()
    scope = Scope(target.scope_fields).within("WHERE clause")
    condition = compiler.expressions.condition(where.this, scope, "WHERE clause")
    statement.binder.bind(compiler.scans, condition)
    return condition


def update(statement: Statement, node: exp.Update) -> Result:
    """UPDATE table SET column = value, … [WHERE condition]."""
    refuse_unknown_parts(node, "this", "expressions", "where")
    _refuse_alias(node.this)
    target = _load_target(statement, node.this)
    compiler = statement.compiler()
    scope = Scope(target.scope_fields)
    values = _assigned(target, compiler, scope.within("UPDATE SET"), node.expressions)
    where = node.args.get("where")
    condition = (
        compiler.expressions.condition(where.this, scope.within("WHERE clause"), "WHERE clause") if where else "true"
    )
    items = ", ".join(
        f"case when {condition} then {values[name]} else {quoted(name)} end as {quoted(name)}"
        if name in values
        else quoted(name)
        for name in target.kinds
    )
    statement.binder.bind(compiler.scans, f"{items} {condition}")
    rows = int(statement.scalar(f"select count(*) from target where {condition}"))
    _replace_rows(statement, target, f"select {items} from target", "overwrite")
    return Result("DML", "UPDATE", update_count=rows)


# -------------------- MERGE


@dataclass
class _MergeClauses:
    """The clauses of a MERGE as SQL: conditions in order, with what each does."""

    matched: list[tuple[str, dict[str, str] | None]]
    inserts: list[tuple[str, dict[str, str]]]


def merge(statement: Statement, node: exp.Merge) -> Result:
    """MERGE INTO table USING source ON condition WHEN …."""
    refuse_unknown_parts(node, "this", "using", "on", "whens")
    target = _load_target(statement, node.this)
    compiler = statement.compiler()
    source_sql, source_fields = compiler.relation(node.args["using"])
    both = Scope(target.scope_fields + source_fields)
    condition = compiler.expressions.condition(node.args["on"], both.within("MERGE ON clause"), "MERGE ON clause")
    clauses = _merge_clauses(target, compiler, both, Scope(source_fields), node.args["whens"].expressions)
    matched = _matched_sql(target, clauses, source_sql, condition)
    inserted = _inserted_sql(target, clauses, source_sql, condition)
    statement.binder.bind(compiler.scans, f"{matched} {inserted}")
    statement.connection.execute(f"create or replace temp table matched as {matched}")
    if statement.scalar(f"select count(*) > count(distinct {_NUMBER}) from matched where action > 0"):
        raise AthenaError(
            "MERGE_TARGET_ROW_MULTIPLE_MATCHES", "One MERGE target table row matched more than one source row"
        )
    deleting = [str(at) for at, (_, values) in enumerate(clauses.matched, 1) if values is None]
    kept = f"action > 0 and action not in ({', '.join(deleting)})" if deleting else "action > 0"
    untouched = (
        f"select {target.columns} from target where {_NUMBER} not in (select {_NUMBER} from matched where action > 0)"
    )
    changed = f"select {target.columns} from matched where {kept}"
    statement.connection.execute(f"create or replace temp table inserted as {inserted}")
    rows = int(
        statement.scalar("select (select count(*) from matched where action > 0) + (select count(*) from inserted)")
    )
    _replace_rows(statement, target, f"{untouched} union all {changed} union all select * from inserted", "overwrite")
    return Result("DML", "MERGE", update_count=rows)


def _merge_clauses(
    target: _Target, compiler: QueryCompiler, both: Scope, source: Scope, whens: Sequence[exp.When]
) -> _MergeClauses:
    clauses = _MergeClauses([], [])
    for when in whens:
        refuse_unknown_parts(when, "matched", "condition", "then")
        is_matched, then = bool(when.args.get("matched")), when.args["then"]
        scope = both if is_matched else source
        given = when.args.get("condition")
        condition = (
            compiler.expressions.condition(given, scope.within("WHEN clause"), "WHEN clause") if given else "true"
        )
        if is_matched and isinstance(then, exp.Update):
            clauses.matched.append((condition, _assigned(target, compiler, scope.within("SET"), then.expressions)))
        elif is_matched and isinstance(then, exp.Var) and then.name.upper() == "DELETE":
            clauses.matched.append((condition, None))
        elif not is_matched and isinstance(then, exp.Insert):
            clauses.inserts.append((condition, _insert_values(target, compiler, scope, then)))
        else:
            raise syntax_error(f"line 1:1: mismatched input near '{when.sql('trino')[:60]}'")
    return clauses


def _insert_values(target: _Target, compiler: QueryCompiler, scope: Scope, node: exp.Insert) -> dict[str, str]:
    if not isinstance(node.expression, exp.Tuple):
        raise NotEmulatedError(f"{node.sql('trino')[:60]} in MERGE")
    names = [column.name.lower() for column in node.this.expressions] if node.this else list(target.kinds)
    if len(names) != len(node.expression.expressions):
        raise syntax_error("line 1:1: Insert column list and VALUES differ in length")
    found = {}
    for name, item in zip(names, node.expression.expressions, strict=True):
        if name not in target.kinds:
            raise AthenaError(
                "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {name}"
            )
        found[name] = store(compiler.expressions.compile(item, scope.within("INSERT")), target.kinds[name], name).sql
    return found


def _case(branches: Sequence[tuple[str, str]], otherwise: str) -> str:
    if not branches:
        return otherwise
    return f"case {' '.join(f'when {condition} then {value}' for condition, value in branches)} else {otherwise} end"


def _matched_sql(target: _Target, clauses: _MergeClauses, source: str, condition: str) -> str:
    action = _case([(when, str(at)) for at, (when, _) in enumerate(clauses.matched, 1)], "0")
    items = []
    for name, kind in target.kinds.items():
        old = f"target.{quoted(name)}"
        branches = [(when, (values or {}).get(name, old)) for when, values in clauses.matched]
        items.append(f"cast({_case(branches, old)} as {to_duckdb(kind)}) as {quoted(name)}")
    columns = ", ".join([f"target.{_NUMBER}", f"{action} as action", *items])
    return f"select {columns} from target inner join {source} on {condition}"


def _inserted_sql(target: _Target, clauses: _MergeClauses, source: str, condition: str) -> str:
    action = _case([(when, str(at)) for at, (when, _) in enumerate(clauses.inserts, 1)], "0")
    items = []
    for name, kind in target.kinds.items():
        branches = [(when, values.get(name, "null")) for when, values in clauses.inserts]
        items.append(f"cast({_case(branches, 'null')} as {to_duckdb(kind)}) as {quoted(name)}")
    unmatched = f"not exists (select 1 from target where {condition})"
    return f"select {', '.join(items)} from {source} where {unmatched} and {action} > 0"
