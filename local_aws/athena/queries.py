"""Compiles queries: names are resolved and types checked against Glue, and the result is one SQL text for DuckDB."""
# ruff: noqa: S608 - what is written here is SQL; names and literals are quoted

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from sqlglot import exp

from local_aws.athena import grammar, types
from local_aws.athena.casts import coerce
from local_aws.athena.errors import AthenaError, NotEmulatedError, syntax_error, table_not_found, type_mismatch
from local_aws.athena.expressions import Expressions, Output, Query, direction, refuse_unknown_parts
from local_aws.athena.functions import Value
from local_aws.athena.scope import Field, Scope
from local_aws.athena.types import SqlType

CATALOG = "awsdatacatalog"


@dataclass(frozen=True)
class SourceColumn:
    """A column that a table can be asked for; pseudo-columns such as `"$path"` are hidden from `*`."""

    name: str
    type: SqlType
    is_partition: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class ViewDefinition:
    """A view as Glue stores it."""

    sql: str
    schema: str
    columns: tuple[tuple[str, str], ...]


class Source(Protocol):
    """Where the names in FROM are looked up."""

    def view(self, schema: str, name: str) -> ViewDefinition | None:
        """The view of that name, if it is one."""

    def columns(self, schema: str, name: str) -> list[SourceColumn] | None:
        """The columns of the table of that name, if it is one."""


@dataclass
class Scan:
    """One mention of a table in FROM: what has to be bound to `relation` before the query runs."""

    schema: str
    name: str
    relation: str
    alias: str
    fields: list[Field]
    predicates: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Relation:
    sql: str
    fields: list[Field]


@dataclass(frozen=True)
class _Cte:
    relation: str
    outputs: tuple[Output, ...]


_Ctes = dict[str, _Cte]
_SELECT_PARTS = (
    "with_", "expressions", "distinct", "from_", "joins", "where", "group", "having", "windows", "order", "limit",
    "offset",
)  # fmt: skip
_JOINS = {("", ""): "inner", ("", "INNER"): "inner", ("", "CROSS"): "cross"}
_JOINS |= {(side, kind): side.lower() for side in ("LEFT", "RIGHT", "FULL") for kind in ("", "OUTER")}


def quoted(name: str) -> str:
    """A DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def name_outputs(columns: Sequence[tuple[str | None, SqlType]]) -> tuple[Output, ...]:
    """Give every column a name of its own inside DuckDB; Trino lets several have the same, or none."""
    taken, outputs = set[str](), []
    for at, (name, kind) in enumerate(columns):
        column = base = (name or f"_col{at}").lower()
        for number in count(2):
            if column not in taken:
                break
            column = f"{base}:{number}"
        taken.add(column)
        outputs.append(Output(name, kind, column))
    return tuple(outputs)


class QueryCompiler:
    """Compiles the queries of one statement, and collects the tables they read in `scans`."""

    def __init__(self, source: Source, schema: str) -> None:
        self._source = source
        self._schema = schema
        self._ctes: _Ctes = {}
        self._numbers = count()
        self._views: tuple[tuple[str, str], ...] = ()
        self.scans: list[Scan] = []
        self.expressions = Expressions(self.compile)

    def compile(self, node: exp.Expr, parent: Scope | None = None) -> Query:
        """A query of any form: SELECT, set operation, VALUES, or one in parentheses."""
        before = self._ctes
        try:
            head = self._with(node, parent)
            body = self._body(node, parent)
        finally:
            self._ctes = before
        return replace(body, sql=f"{head}{body.sql}")

    def _body(self, node: exp.Expr, parent: Scope | None) -> Query:
        if isinstance(node, exp.Select):
            return self._select(node, parent)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, parent)
        if isinstance(node, exp.Values):
            return self._values(node, parent)
        if isinstance(node, exp.Subquery):
            refuse_unknown_parts(node, "this", "with_", "order", "limit", "offset", "alias")
            inner = self.compile(node.this, parent)
            return self._ordered(node, inner, parent)
        raise syntax_error(f"line 1:1: mismatched input near '{node.sql('trino')[:60]}'")

    # -------------------- WITH

    def _with(self, node: exp.Expr, parent: Scope | None) -> str:
        clause = node.args.get("with_")
        if clause is None:
            return ""
        refuse_unknown_parts(clause, "expressions", "recursive")
        parts = []
        names_of = [cte.alias.lower() for cte in clause.expressions]
        for cte in clause.expressions:
            refuse_unknown_parts(cte, "this", "alias")
            name = cte.alias.lower()
            if names_of.count(name) > 1:
                raise AthenaError(
                    "DUPLICATE_NAMED_QUERY", f"line 1:1: WITH query name '{name}' specified more than once"
                )
            columns = [column.name for column in cte.args["alias"].args.get("columns") or []]
            relation = f"cte{next(self._numbers)}_{name}"
            if clause.args.get("recursive") and _mentions(cte.this, name):
                query = self._recursive(cte.this, parent, name, relation, columns)
            else:
                query = self.compile(cte.this, parent)
                outputs = self._renamed(query.outputs, columns, name)
                self._ctes = {**self._ctes, name: _Cte(relation, outputs)}
            names = ", ".join(quoted(output.column) for output in self._ctes[name].outputs)
            parts.append(f"{quoted(relation)}({names}) as ({query.sql})")
        return f"with {'recursive ' if clause.args.get('recursive') else ''}{', '.join(parts)} "

    def _renamed(self, outputs: Sequence[Output], columns: Sequence[str], name: str) -> tuple[Output, ...]:
        if columns and len(columns) != len(outputs):
            raise AthenaError(
                "MISMATCHED_COLUMN_ALIASES",
                f"line 1:1: Column alias list has {len(columns)} entries but '{name}' has {len(outputs)} columns",
            )
        names: Sequence[str | None] = columns or [output.name for output in outputs]
        return name_outputs([(new, output.type) for new, output in zip(names, outputs, strict=True)])

    def _recursive(
        self, node: exp.Expr, parent: Scope | None, name: str, relation: str, columns: Sequence[str]
    ) -> Query:
        if not isinstance(node, exp.Union) or not columns:
            raise NotEmulatedError("a recursive WITH that is not `name (columns) AS (start UNION ALL step)`")
        anchor = self.compile(node.left, parent)
        self._ctes = {**self._ctes, name: _Cte(relation, self._renamed(anchor.outputs, columns, name))}
        step = self._as_types(self.compile(node.right, parent), [output.type for output in anchor.outputs])
        word = "union" if node.args.get("distinct") else "union all"
        return Query(f"({anchor.sql}) {word} ({step.sql})", anchor.outputs)

    # -------------------- set operations, VALUES

    def _as_types(self, query: Query, kinds: Sequence[SqlType]) -> Query:
        if [output.type for output in query.outputs] == list(kinds):
            return query
        items = ", ".join(
            f"{coerce(Value(quoted(output.column), output.type), kind).sql} as {quoted(output.column)}"
            for output, kind in zip(query.outputs, kinds, strict=True)
        )
        outputs = tuple(replace(output, type=kind) for output, kind in zip(query.outputs, kinds, strict=True))
        return Query(f"select {items} from ({query.sql})", outputs)

    def _set_operation(self, node: exp.SetOperation, parent: Scope | None) -> Query:
        refuse_unknown_parts(node, "this", "expression", "distinct", "with_", "order", "limit", "offset")
        word = type(node).__name__.lower()
        left, right = self.compile(node.left, parent), self.compile(node.right, parent)
        if len(left.outputs) != len(right.outputs):
            raise type_mismatch(
                f"line 1:1: {word.upper()} query has different number of fields: "
                f"{len(left.outputs)}, {len(right.outputs)}"
            )
        kinds = []
        for at, (a, b) in enumerate(zip(left.outputs, right.outputs, strict=True), 1):
            common = types.common_type(a.type, b.type)
            if common is None:
                raise type_mismatch(
                    f"line 1:1: column {at} in {word.upper()} query has incompatible types: {a.type}, {b.type}"
                )
            kinds.append(common)
        left, right = self._as_types(left, kinds), self._as_types(right, kinds)
        every = "" if node.args.get("distinct") else " all"
        return self._ordered(node, Query(f"({left.sql}) {word}{every} ({right.sql})", left.outputs), parent)

    def _values(self, node: exp.Values, parent: Scope | None) -> Query:
        scope = Scope(parent=parent)
        rows = [
            [
                self.expressions.compile(item, scope)
                for item in (row.expressions if isinstance(row, exp.Tuple) else [row])
            ]
            for row in node.expressions
        ]
        if len({len(row) for row in rows}) != 1:
            raise syntax_error("line 1:1: Values rows have mismatched types: the rows differ in length")
        columns = [
            self.expressions.unify(column, "Values rows have mismatched types") for column in zip(*rows, strict=True)
        ]
        outputs = name_outputs([(None, column[0].type) for column in columns])
        texts = (f"({', '.join(value.sql for value in row)})" for row in zip(*columns, strict=True))
        names = ", ".join(quoted(output.column) for output in outputs)
        return self._ordered(node, Query(f"select * from (values {', '.join(texts)}) as v({names})", outputs), parent)

    # -------------------- SELECT

    def _select(self, node: exp.Select, parent: Scope | None) -> Query:
        refuse_unknown_parts(node, *_SELECT_PARTS)
        relation, scope = self._from(node, parent)
        scope.windows = {window.name.lower(): window for window in node.args.get("windows") or []}
        where = self._where(node, scope)
        items = self._items(node.expressions, scope)
        group = self._group(node.args.get("group"), items, scope)
        having = node.args.get("having")
        filtered = f" having {self.expressions.condition(having.this, scope, 'HAVING clause')}" if having else ""
        outputs = name_outputs([(name, value.type) for name, value in items])
        columns = ", ".join(
            f"{value.sql} as {quoted(output.column)}" for (_, value), output in zip(items, outputs, strict=True)
        )
        distinct = self._distinct(node, outputs)
        order = self._order(node.args.get("order"), items, outputs, scope, bool(distinct))
        limit = self._limit(node)
        return Query(f"select {distinct}{columns}{relation}{where}{group}{filtered}{order}{limit}", outputs)

    def _distinct(self, node: exp.Select, outputs: Sequence[Output]) -> str:
        distinct = node.args.get("distinct")
        if not distinct:
            return ""
        refuse_unknown_parts(distinct)
        for output in outputs:
            if not output.type.is_comparable:
                raise type_mismatch(
                    f"line 1:1: DISTINCT can only be applied to comparable types (actual: {output.type})"
                )
        return "distinct "

    def _from(self, node: exp.Select, parent: Scope | None) -> tuple[str, Scope]:
        start = node.args.get("from_")
        if start is None:
            return "", Scope(parent=parent)
        relation = self._relation(start.this, Scope(parent=parent))
        for join in node.args.get("joins") or []:
            relation = self._join(relation, join, parent)
        return f" from {relation.sql}", Scope(relation.fields, parent)

    def _where(self, node: exp.Select, scope: Scope) -> str:
        where = node.args.get("where")
        if where is None:
            return ""
        inner = scope.within("WHERE clause")
        parts = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
        return f" where {' and '.join(self._predicate(part, inner, 'WHERE clause') for part in parts)}"

    def _predicate(self, node: exp.Expr, scope: Scope, clause: str) -> str:
        """A condition; one on partition columns of one table alone also tells which partitions need not be read."""
        scope.used = []
        sql = self.expressions.condition(node, scope, clause)
        scans = {column.scan for column in scope.used}
        # As many columns as were found here: none of them belongs to a query around this one.
        plain = len(list(node.find_all(exp.Column))) == len(scope.used)
        if plain and len(scans) == 1 and all(column.is_partition for column in scope.used):
            number = scans.pop()
            if number is not None:
                self.scans[number].predicates.append(sql)
        return sql

    def _items(self, nodes: Sequence[exp.Expr], scope: Scope) -> list[tuple[str | None, Value]]:
        items: list[tuple[str | None, Value]] = []
        for node in nodes:
            if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
                items += self._star(node, scope)
            elif isinstance(node, exp.Alias):
                items.append((node.alias, self.expressions.compile(node.this, scope)))
            else:
                items.append((_implied_name(node), self.expressions.compile(node, scope)))
        return items

    def _star(self, node: exp.Expr, scope: Scope) -> list[tuple[str | None, Value]]:
        refuse_unknown_parts(node.this if isinstance(node, exp.Column) else node)
        qualifier = [part.name.lower() for part in node.parts[:-1]] if isinstance(node, exp.Column) else []
        chosen = [
            column
            for column in scope.fields
            if not column.hidden and (not qualifier or tuple(qualifier) == column.owner[-len(qualifier) :])
        ]
        if not chosen:
            if qualifier:
                raise AthenaError("TABLE_NOT_FOUND", f"line 1:1: Unable to resolve reference {'.'.join(qualifier)}")
            raise AthenaError("COLUMN_NOT_FOUND", "line 1:1: SELECT * not allowed from relation that has no columns")
        for column in chosen:
            scope.used.append(column)
        return [(column.name, Value(column.sql, column.type)) for column in chosen]

    def _group(self, group: exp.Group | None, items: Sequence[tuple[str | None, Value]], scope: Scope) -> str:
        if group is None:
            return ""
        refuse_unknown_parts(group, "expressions", "grouping_sets", "cube", "rollup")
        inner = scope.within("GROUP BY clause")
        parts = [self._group_item(item, items, inner) for item in group.expressions]
        for name in ("grouping_sets", "cube", "rollup"):
            parts += [self._group_item(item, items, inner) for item in group.args.get(name) or []]
        return f" group by {', '.join(parts)}"

    def _group_item(self, node: exp.Expr, items: Sequence[tuple[str | None, Value]], scope: Scope) -> str:
        for kind, word in ((exp.GroupingSets, "grouping sets "), (exp.Cube, "cube "), (exp.Rollup, "rollup ")):
            if isinstance(node, kind):
                return f"{word}({', '.join(self._group_item(item, items, scope) for item in node.expressions)})"
        if isinstance(node, exp.Tuple):
            return f"({', '.join(self._group_item(item, items, scope) for item in node.expressions)})"
        if isinstance(node, exp.Paren):
            return f"({self._group_item(node.this, items, scope)})"
        if isinstance(node, exp.Literal) and not node.is_string:
            return str(self._ordinal(node, len(items), "GROUP BY"))
        value = self.expressions.compile(node, scope)
        if not value.type.is_comparable:
            raise type_mismatch(f"line 1:1: {value.type} is not comparable, and therefore cannot be used in GROUP BY")
        return value.sql

    @staticmethod
    def _ordinal(node: exp.Literal, size: int, clause: str) -> int:
        if not node.name.isdigit() or not 1 <= int(node.name) <= size:
            raise AthenaError(
                "INVALID_COLUMN_REFERENCE", f"line 1:1: {clause} position {node.name} is not in select list"
            )
        return int(node.name)

    def _order(
        self,
        order: exp.Order | None,
        items: Sequence[tuple[str | None, Value]],
        outputs: Sequence[Output],
        scope: Scope,
        distinct: bool,
    ) -> str:
        if order is None:
            return ""
        # An output's name stands for its expression, before any column of FROM.
        aliases = [Field(name, value.type, value.sql) for name, value in items if name is not None]
        unique = {column.name.lower(): column for column in aliases if column.name}
        named = Scope(list(unique.values()), scope, windows=scope.windows)
        known = {value.sql: at for at, (_, value) in enumerate(items, 1)}
        keys = []
        for item in order.expressions:
            target = item.this if isinstance(item, exp.Ordered) else item
            if isinstance(target, exp.Literal) and not target.is_string:
                at, kind = self._ordinal(target, len(outputs), "ORDER BY"), None
                kind = outputs[at - 1].type
                sql = str(at)
            else:
                value = self.expressions.compile(target, named)
                kind = value.type
                if value.sql not in known and distinct:
                    raise AthenaError(
                        "EXPRESSION_NOT_IN_DISTINCT",
                        "line 1:1: For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    )
                sql = str(known.get(value.sql, value.sql))
            if not kind.is_orderable and kind.base != "unknown":
                raise type_mismatch(f"line 1:1: Type {kind} is not orderable, and therefore cannot be used in ORDER BY")
            keys.append(f"{sql}{direction(item)}")
        return f" order by {', '.join(keys)}"

    def _limit(self, node: exp.Expr) -> str:
        parts = []
        limit = node.args.get("limit")
        if isinstance(limit, exp.Fetch):
            options = limit.args.get("limit_options")
            if options is not None and options.args.get("percent"):
                raise syntax_error("line 1:1: mismatched input 'percent'. Expecting: 'ROW', 'ROWS'")
            if options is not None and options.args.get("with_ties"):
                raise NotEmulatedError("FETCH FIRST … WITH TIES")
            parts.append(f" limit {self._number(limit.args.get('count'))}")
        elif limit is not None:
            refuse_unknown_parts(limit, "expression")
            if limit.expression.name.upper() != "ALL":
                parts.append(f" limit {self._number(limit.expression)}")
        if offset := node.args.get("offset"):
            refuse_unknown_parts(offset, "expression")
            parts.append(f" offset {self._number(offset.expression)}")
        return "".join(parts)

    @staticmethod
    def _number(node: exp.Expr | None) -> int:
        if node is None:
            return 1
        if not isinstance(node, exp.Literal) or not node.name.isdigit():
            raise syntax_error(f"line 1:1: mismatched input '{node.sql('trino')}'. Expecting: <integer>")
        return int(node.name)

    def _ordered(self, node: exp.Expr, query: Query, parent: Scope | None) -> Query:
        """ORDER BY and LIMIT of a whole set operation or a query in parentheses: they see the result's columns only."""
        if not (node.args.get("order") or node.args.get("limit") or node.args.get("offset")):
            return query
        items = [(output.name, Value(quoted(output.column), output.type)) for output in query.outputs]
        order = self._order(node.args.get("order"), items, query.outputs, Scope(parent=parent), False)
        return Query(f"select * from ({query.sql}){order}{self._limit(node)}", query.outputs)

    # -------------------- FROM

    def relation(self, node: exp.Expr) -> tuple[str, list[Field]]:
        """What can stand in FROM, on its own: the source of a MERGE."""
        relation = self._relation(node, Scope())
        return relation.sql, relation.fields

    def _alias(self) -> str:
        return f"r{next(self._numbers)}"

    def _relation(self, node: exp.Expr, scope: Scope) -> _Relation:
        if isinstance(node, exp.Table):
            return self._with_inner_joins(node, self._named(node, scope), scope)
        if isinstance(node, exp.Subquery):
            refuse_unknown_parts(node, "this", "alias", "order", "limit", "offset", "with_", "joins")
            if isinstance(node.this, exp.Table):
                return self._relation(node.this, scope)
            inner = node.copy()
            inner.set("joins", None)
            inner.set("alias", None)
            relation = self._derived(self.compile(inner, scope.parent), node.args.get("alias"))
            return self._with_inner_joins(node, relation, scope)
        if isinstance(node, exp.Values):
            refuse_unknown_parts(node, "expressions", "alias", "joins")
            return self._derived(self._values(node, scope.parent), _without_made_up_alias(node))
        if isinstance(node, exp.Unnest):
            return self._unnest(node, scope)
        if isinstance(node, exp.Lateral):
            refuse_unknown_parts(node, "this", "alias")
            return self._derived(self.compile(node.this, scope), node.args.get("alias"), lateral=True)
        raise NotEmulatedError(f"{node.sql('trino')[:60]} in FROM")

    def _with_inner_joins(self, node: exp.Expr, relation: _Relation, scope: Scope) -> _Relation:
        for join in node.args.get("joins") or []:
            relation = self._join(relation, join, scope.parent)
        return relation

    def _derived(self, query: Query, alias: exp.TableAlias | None, lateral: bool = False) -> _Relation:
        name = alias.name.lower() if alias else None
        columns = [column.name for column in (alias.args.get("columns") or [])] if alias else []
        outputs = self._renamed(query.outputs, columns, name or "subquery")
        relation = self._alias()
        names = ", ".join(quoted(output.column) for output in outputs)
        owner = (name,) if name else ()
        fields = [Field(output.name, output.type, f"{relation}.{quoted(output.column)}", owner) for output in outputs]
        return _Relation(f"{'lateral ' if lateral else ''}({query.sql}) as {relation}({names})", fields)

    def _named(self, node: exp.Table, scope: Scope) -> _Relation:
        refuse_unknown_parts(node, "this", "db", "catalog", "alias", "joins", "version", "sample")
        if node.args.get("version") or node.args.get("sample"):
            raise NotEmulatedError("time travel and TABLESAMPLE")
        if not isinstance(node.this, exp.Identifier):
            raise NotEmulatedError(f"the table function {node.sql('trino')[:60]}")
        name, schema = node.name.lower(), (node.db or self._schema).lower()
        alias = node.args.get("alias")
        if not node.db and name in self._ctes:
            return self._cte(self._ctes[name], alias, name)
        if node.catalog and node.catalog.lower() != CATALOG:
            raise AthenaError("CATALOG_NOT_FOUND", f"line 1:1: Catalog '{node.catalog}' not found")
        view = self._source.view(schema, name)
        if view is not None:
            return self._view(schema, name, view, alias)
        columns = self._source.columns(schema, name)
        if columns is None:
            raise table_not_found(schema, name)
        return self._scan(schema, name, columns, alias)

    def _cte(self, cte: _Cte, alias: exp.TableAlias | None, name: str) -> _Relation:
        columns = [column.name for column in (alias.args.get("columns") or [])] if alias else []
        outputs = self._renamed(cte.outputs, columns, name)
        relation, owner = self._alias(), (alias.name.lower() if alias and alias.name else name,)
        fields = [
            Field(new.name, new.type, f"{relation}.{quoted(old.column)}", owner)
            for new, old in zip(outputs, cte.outputs, strict=True)
        ]
        return _Relation(f"{quoted(cte.relation)} as {relation}", fields)

    def _view(self, schema: str, name: str, view: ViewDefinition, alias: exp.TableAlias | None) -> _Relation:
        if (schema, name) in self._views:
            raise AthenaError("VIEW_IS_RECURSIVE", f"line 1:1: View '{CATALOG}.{schema}.{name}' is recursive")
        before = self._ctes, self._schema, self._views
        self._ctes, self._schema, self._views = {}, view.schema, (*self._views, (schema, name))
        try:
            query = self.compile(grammar.parse(view.sql))
        except AthenaError as error:
            raise AthenaError(
                "INVALID_VIEW", f"line 1:1: Failed analyzing stored view '{CATALOG}.{schema}.{name}': {error}"
            ) from error
        finally:
            self._ctes, self._schema, self._views = before
        now = [((output.name or output.column).lower(), str(output.type)) for output in query.outputs]
        if now != list(view.columns):
            raise AthenaError(
                "VIEW_IS_STALE",
                f"line 1:1: View '{CATALOG}.{schema}.{name}' is stale or in invalid state: it was made with "
                f"{list(view.columns)}, and its query now gives {now}",
            )
        relation = self._derived(query, alias)
        owner = (alias.name.lower(),) if alias and alias.name else (CATALOG, schema, name)
        return replace(relation, fields=[replace(column, owner=owner) for column in relation.fields])

    def _scan(self, schema: str, name: str, columns: Sequence[SourceColumn], alias: exp.TableAlias | None) -> _Relation:
        number, short = len(self.scans), self._alias()
        relation = f"scan{number}"
        owner = (alias.name.lower(),) if alias and alias.name else (CATALOG, schema, name)
        renamed = [column.name for column in (alias.args.get("columns") or [])] if alias else []
        shown = [column.name for column in columns if not column.hidden]
        if renamed and len(renamed) != len(shown):
            raise AthenaError(
                "MISMATCHED_COLUMN_ALIASES",
                f"line 1:1: Column alias list has {len(renamed)} entries but '{name}' has {len(shown)} columns",
            )
        new_names = dict(zip(shown, renamed or shown, strict=True))
        fields = [
            Field(
                new_names.get(column.name, column.name), column.type, f"{short}.{quoted(column.name)}", owner,
                hidden=column.hidden, scan=number, is_partition=column.is_partition,
            )
            for column in columns
        ]  # fmt: skip
        self.scans.append(Scan(schema, name, relation, short, fields))
        return _Relation(f"{relation} as {short}", fields)

    def _unnest(self, node: exp.Unnest, scope: Scope) -> _Relation:
        refuse_unknown_parts(node, "expressions", "alias", "offset")
        items: list[tuple[str, SqlType]] = []
        lists = []
        for argument in node.expressions:
            value = self.expressions.compile(argument, scope)
            items += _unnested(value)
            lists.append(value.sql)
        alias = node.args.get("alias")
        names = [column.name for column in (alias.args.get("columns") or [])] if alias else []
        offset = node.args.get("offset")
        if offset:
            sizes = ", ".join(f"coalesce(len({items_sql}), 0)" for items_sql, _ in items)
            items.append((f"range(1, greatest({sizes}, 0) + 1)", types.BIGINT))
            if isinstance(offset, exp.Identifier):
                names.append(offset.name)
        columns = name_outputs([(None, kind) for _, kind in items])
        selected = ", ".join(
            f"unnest({sql}) as {quoted(column.column)}" for (sql, _), column in zip(items, columns, strict=True)
        )
        plain = exp.TableAlias(this=alias.this, columns=[exp.to_identifier(name) for name in names]) if alias else None
        return self._derived(Query(f"select {selected}", columns), plain, lateral=True)

    def _join(self, left: _Relation, join: exp.Join, parent: Scope | None) -> _Relation:
        refuse_unknown_parts(join, "this", "on", "using", "side", "kind", "method")
        if join.args.get("method"):
            raise AthenaError("NOT_SUPPORTED", "line 1:1: Natural join not supported")
        key = (join.side.upper(), join.kind.upper())
        if key not in _JOINS:
            raise syntax_error(f"line 1:1: mismatched input '{join.side} {join.kind}'")
        is_lateral = isinstance(join.this, (exp.Unnest, exp.Lateral))
        outer = Scope(left.fields, parent)
        right = self._relation(join.this, outer if is_lateral else Scope(parent=parent))
        using, condition = join.args.get("using"), join.args.get("on")
        left, right = _forget_partitions(left, right, _JOINS[key])
        if using:
            return self._join_using(left, right, _JOINS[key], [column.name.lower() for column in using])
        fields = left.fields + right.fields
        if condition is None:
            if key[0] or key[1] == "INNER":
                raise syntax_error("line 1:1: mismatched input. Expecting: 'ON', 'USING'")
            # Without a condition it is a comma, a CROSS JOIN, or a JOIN that lacks one.
            return _Relation(f"{left.sql} cross join {right.sql}", fields)
        if _JOINS[key] == "cross":
            raise syntax_error("line 1:1: mismatched input 'ON'")
        scope = Scope(fields, parent).within("JOIN clause")
        sql = self.expressions.condition(condition, scope, "JOIN ON clause")
        return _Relation(f"{left.sql} {_JOINS[key]} join {right.sql} on {sql}", fields)

    def _join_using(self, left: _Relation, right: _Relation, kind: str, names: Sequence[str]) -> _Relation:
        conditions, merged = [], []
        for name in names:
            sides = [Scope(side.fields).find(name, ()) for side in (left, right)]
            if sides[0] is None or sides[1] is None:
                raise AthenaError("COLUMN_NOT_FOUND", f"line 1:1: Column '{name}' is missing from a side of join")
            values = [Value(side.sql, side.type) for side in sides if side]
            a, b = self.expressions.unify(values, "Cannot join on columns of different types")
            conditions.append(f"{a.sql} = {b.sql}")
            merged.append(Field(name, a.type, f"coalesce({a.sql}, {b.sql})"))
        rest = [column for side in (left, right) for column in side.fields if (column.name or "").lower() not in names]
        return _Relation(f"{left.sql} {kind} join {right.sql} on {' and '.join(conditions)}", merged + rest)


def _forget_partitions(left: _Relation, right: _Relation, kind: str) -> tuple[_Relation, _Relation]:
    """On the side that a join fills with nulls, a condition in WHERE does not tell what need not be read."""

    def plain(side: _Relation) -> _Relation:
        return replace(side, fields=[replace(column, is_partition=False) for column in side.fields])

    return (
        plain(left) if kind in ("right", "full") else left,
        plain(right) if kind in ("left", "full") else right,
    )


def _mentions(node: exp.Expr, name: str) -> bool:
    return any(table.name.lower() == name and not table.db for table in node.find_all(exp.Table))


def _implied_name(node: exp.Expr) -> str | None:
    """The name of an output that has no alias: that of the column it is, and none for anything else."""
    if isinstance(node, exp.Column):
        return str(node.name)
    if isinstance(node, exp.Dot):
        return str(node.expression.name)
    return None


def _without_made_up_alias(node: exp.Values) -> exp.TableAlias | None:
    alias: exp.TableAlias | None = node.args.get("alias")
    return None if alias is None or alias.name == "_values" else alias


def _unnested(value: Value) -> list[tuple[str, SqlType]]:
    """The lists that UNNEST makes columns of: a map gives two, an array of rows one for each field."""
    kind = value.type
    if kind.base == "map":
        return [(f"map_keys({value.sql})", kind.items[0]), (f"map_values({value.sql})", kind.items[1])]
    if kind.base != "array":
        raise type_mismatch(f"line 1:1: Cannot unnest type: {kind}")
    item = kind.items[0]
    if item.base != "row":
        return [(value.sql, item)]
    return [
        (f"list_transform({value.sql}, lambda r: struct_extract(r, {name!r}))", field_type)
        for name, field_type in zip(types.field_names(item), item.items, strict=True)
    ]
