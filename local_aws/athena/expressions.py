"""Types expressions as Trino does and writes them for DuckDB. A node that is not listed here is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from sqlglot import exp

from local_aws.athena import types
from local_aws.athena.casts import cast, coerce, round_time, wall_clock
from local_aws.athena.errors import AthenaError, NotEmulatedError, syntax_error, type_mismatch
from local_aws.athena.function_catalog import AGGREGATES, SCALARS, WINDOWS
from local_aws.athena.functions import Match, Registry, Value, failure, find, literal_of, quote
from local_aws.athena.grammar import RESERVED_IN_SELECT
from local_aws.athena.lambdas import LAMBDA_FUNCTIONS
from local_aws.athena.other_functions import not_found
from local_aws.athena.scope import Scope
from local_aws.athena.types import SqlType, to_duckdb


@dataclass(frozen=True)
class Output:
    """A column of a query's result: the name that the user sees (if any), and the one it has inside DuckDB."""

    name: str | None
    type: SqlType
    column: str


@dataclass(frozen=True)
class Query:
    """A compiled query."""

    sql: str
    outputs: tuple[Output, ...]


Subqueries = Callable[[exp.Expr, Scope], Query]

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.NullSafeEQ: "is not distinct from",
    exp.NullSafeNEQ: "is distinct from",
}
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_EXTRACT_FIELDS = frozenset(
    """year quarter month week day day_of_month day_of_week dow day_of_year doy year_of_week yow hour minute second
    timezone_hour timezone_minute""".split()  # noqa: SIM905 - a list of words
)
_TRIMS = {None: "trim", "BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}
_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86400}
_MONTHS = {"MONTH": 1, "YEAR": 12}


def refuse_unknown_parts(node: exp.Expr, *known: str) -> None:
    """Refuse syntax that sqlglot reads and Trino does not have."""
    if node.args.get("sample"):
        raise NotEmulatedError("TABLESAMPLE")
    for name, value in node.args.items():
        if name not in known and value not in (None, False, [], "OVER"):
            raise syntax_error(f"line 1:1: mismatched input '{name.strip('_')}' in {type(node).__name__.upper()}")


class Expressions:
    """Compiles one statement's expressions. Subqueries are handed to `subqueries`."""

    def __init__(self, subqueries: Subqueries) -> None:
        self._subqueries = subqueries
        self._numbers = count()
        self._handlers: dict[type[exp.Expr], Callable[..., Value]] = {
            exp.Literal: self._literal,
            exp.Null: lambda node, scope: Value("null", types.UNKNOWN),
            exp.Boolean: lambda node, scope: Value(str(node.this).lower(), types.BOOLEAN, str(node.this).lower()),
            exp.HexString: lambda node, scope: Value(f"unhex({quote(node.name)})", types.VARBINARY),
            exp.Column: self._column,
            exp.Identifier: self._identifier,
            exp.Dot: self._dot,
            exp.Paren: self._paren,
            exp.Neg: self._negative,
            exp.Not: self._not,
            exp.And: self._logical,
            exp.Or: self._logical,
            exp.Between: self._between,
            exp.In: self._in,
            exp.Is: self._is,
            exp.Like: self._like,
            exp.Escape: self._like,
            exp.DPipe: self._concatenate,
            exp.Case: self._case,
            exp.If: self._if,
            exp.Cast: self._cast,
            exp.TryCast: self._cast,
            exp.Interval: self._interval,
            exp.AtTimeZone: self._at_time_zone,
            exp.Extract: self._extract,
            exp.Substring: self._substring,
            exp.Trim: self._trim,
            exp.StrPosition: self._position,
            exp.GroupConcat: self._listagg,
            exp.WithinGroup: self._listagg,
            exp.CurrentTimestamp: self._current_timestamp,
            exp.CurrentDate: lambda node, scope: Value("cast(timezone('UTC', now()) as date)", types.DATE),
            exp.Localtimestamp: lambda node, scope: Value(
                "date_trunc('millisecond', timezone('UTC', now()))", types.timestamp()
            ),
            **dict.fromkeys((exp.CurrentTime, exp.Localtime, exp.CurrentUser), _not_emulated),
            exp.Subquery: self._subquery,
            exp.Select: self._subquery,
            exp.Exists: self._exists,
            exp.Array: self._array,
            exp.Bracket: self._bracket,
            exp.Anonymous: self._function,
            exp.Window: self._window,
            exp.Filter: self._aggregate_call,
            exp.Tuple: self._tuple,
            exp.ParseJSON: lambda node, scope: Value(f"trino_json_parse({quote(node.name)})", types.JSON),
            **dict.fromkeys(_COMPARISONS, self._comparison),
            **dict.fromkeys(_ARITHMETIC, self._arithmetic),
        }

    def compile(self, node: exp.Expr, scope: Scope) -> Value:
        """The typed value of a node."""
        handler = self._handlers.get(type(node))
        if handler is None:
            raise syntax_error(f"line 1:1: mismatched input near '{node.sql('trino')}'")
        return handler(node, scope)

    def condition(self, node: exp.Expr, scope: Scope, clause: str) -> str:
        """A predicate, which has to be boolean."""
        value = self.compile(node, scope)
        if value.type.base not in ("boolean", "unknown"):
            raise type_mismatch(f"line 1:1: {clause} must evaluate to a boolean: actual type {value.type}")
        return value.sql

    # -------------------- names and literals

    def _literal(self, node: exp.Literal, scope: Scope) -> Value:
        text = node.name
        if node.is_string:
            return Value(quote(text), types.varchar(len(text)), text)
        if text.isdigit():
            return _whole_literal(text)
        if "e" in text.lower():
            return Value(f"cast({text} as double)", types.DOUBLE, text)
        return _decimal_literal(text)

    def _column(self, node: exp.Column, scope: Scope) -> Value:
        if isinstance(node.this, exp.Star):
            raise syntax_error("line 1:1: mismatched input '*'. Expecting: <expression>")
        refuse_unknown_parts(node, "this", "table", "db", "catalog")
        parts = [part.name.lower() for part in node.parts]
        if len(parts) == 1 and parts[0] in scope.lambdas:
            return scope.lambdas[parts[0]]
        if parts[0] in scope.lambdas:
            return self._dereference(scope.lambdas[parts[0]], parts[1:])
        # The longest qualifier wins: `t.x` is column x of t before it is field x of a row column t.
        for size in range(len(parts), 0, -1):
            if column := scope.find(parts[size - 1], parts[: size - 1]):
                return self._dereference(Value(column.sql, column.type), parts[size:])
        raise AthenaError("COLUMN_NOT_FOUND", f"line 1:1: Column '{'.'.join(parts)}' cannot be resolved")

    def _identifier(self, node: exp.Identifier, scope: Scope) -> Value:
        # In a lambda's body sqlglot leaves the parameters as bare identifiers.
        return self._column(exp.Column(this=node.copy()), scope)

    def _dereference(self, value: Value, names: Sequence[str]) -> Value:
        for name in names:
            if value.type.base != "row" or name not in value.type.names:
                raise AthenaError("COLUMN_NOT_FOUND", f"line 1:1: Column '{name}' cannot be resolved")
            at = value.type.names.index(name)
            value = Value(f"struct_extract({value.sql}, {quote(name)})", value.type.items[at])
        return value

    def _dot(self, node: exp.Dot, scope: Scope) -> Value:
        return self._dereference(self.compile(node.this, scope), [node.expression.name.lower()])

    def _paren(self, node: exp.Paren, scope: Scope) -> Value:
        value = self.compile(node.this, scope)
        return Value(f"({value.sql})", value.type, value.literal)

    # -------------------- operators

    def unify(self, values: Sequence[Value], what: str) -> list[Value]:
        """The values as their common type."""
        kind = types.UNKNOWN
        for value in values:
            common = types.common_type(kind, value.type)
            if common is None:
                raise type_mismatch(f"line 1:1: {what}: {kind}, {value.type}")
            kind = common
        return [coerce(value, kind) for value in values]

    def _logical(self, node: exp.Connector, scope: Scope) -> Value:
        word = "and" if isinstance(node, exp.And) else "or"
        # Flattened: a long chain would exhaust the stack.
        parts = [self.condition(part, scope, f"Logical expression term of {word.upper()}") for part in node.flatten()]
        return Value("(" + f" {word} ".join(parts) + ")", types.BOOLEAN)

    def _not(self, node: exp.Not, scope: Scope) -> Value:
        return Value(f"(not {self.condition(node.this, scope, 'Value of logical NOT expression')})", types.BOOLEAN)

    def _compare(self, operator: str, left: Value, right: Value) -> Value:
        if types.common_type(left.type, right.type) is None:
            raise type_mismatch(f"line 1:1: Cannot apply operator: {left.type} {operator} {right.type}")
        left, right = self.unify([left, right], "Cannot compare")
        usable = (
            left.type.is_comparable if operator in ("=", "<>") or "distinct" in operator else left.type.is_orderable
        )
        if not usable and left.type.base != "unknown":
            raise type_mismatch(f"line 1:1: Cannot apply operator: {left.type} {operator} {right.type}")
        return Value(f"({left.sql} {operator} {right.sql})", types.BOOLEAN)

    def _comparison(self, node: exp.Binary, scope: Scope) -> Value:
        operator, left = _COMPARISONS[type(node)], self.compile(node.left, scope)
        if isinstance(node.right, (exp.All, exp.Any)):
            query = self._subqueries(node.right.this, scope)
            self._compare(operator, left, Value("null", query.outputs[0].type))
            word = "all" if isinstance(node.right, exp.All) else "any"
            return Value(f"({left.sql} {operator} {word} ({query.sql}))", types.BOOLEAN)
        return self._compare(operator, left, self.compile(node.right, scope))

    def _between(self, node: exp.Between, scope: Scope) -> Value:
        refuse_unknown_parts(node, "this", "low", "high")
        value, low, high = (self.compile(node.args[part], scope) for part in ("this", "low", "high"))
        self._compare(">=", value, low)
        self._compare("<=", value, high)
        value, low, high = self.unify([value, low, high], "Cannot check if value is BETWEEN")
        return Value(f"({value.sql} between {low.sql} and {high.sql})", types.BOOLEAN)

    def _in(self, node: exp.In, scope: Scope) -> Value:
        refuse_unknown_parts(node, "this", "expressions", "query")
        value = self.compile(node.this, scope)
        if query_node := node.args.get("query"):
            query = self._subqueries(query_node, scope)
            wanted = value.type.items if isinstance(node.this, exp.Tuple) else (value.type,)
            given = tuple(output.type for output in query.outputs)
            if len(wanted) != len(given) or any(
                types.common_type(a, b) is None for a, b in zip(wanted, given, strict=True)
            ):
                raise type_mismatch(
                    f"line 1:1: Value expression and result of subquery must be of the same type: {value.type} vs "
                    f"{given[0] if len(given) == 1 else types.row(given)}"
                )
            return Value(f"({value.sql} in ({query.sql}))", types.BOOLEAN)
        items = [self.compile(item, scope) for item in node.expressions]
        for item in items:
            if types.common_type(value.type, item.type) is None:
                raise type_mismatch(
                    f"line 1:1: IN value and list items must be the same type: {value.type}, {item.type}"
                )
        value, *items = self.unify([value, *items], "IN value and list items must be the same type")
        return Value(f"({value.sql} in ({', '.join(item.sql for item in items)}))", types.BOOLEAN)

    def _is(self, node: exp.Is, scope: Scope) -> Value:
        if not isinstance(node.expression, exp.Null):
            raise syntax_error(
                f"line 1:1: mismatched input '{node.expression.sql('trino')}'. Expecting: 'DISTINCT', 'NULL'"
            )
        return Value(f"({self.compile(node.this, scope).sql} is null)", types.BOOLEAN)

    def _like(self, node: exp.Like | exp.Escape, scope: Scope) -> Value:
        escape = ""
        if isinstance(node, exp.Escape):
            escape = f" escape {self.compile(node.expression, scope).sql}"
            node = node.this
        refuse_unknown_parts(node, "this", "expression", "negate")
        left, right = self.compile(node.this, scope), self.compile(node.expression, scope)
        for value in (left, right):
            if not value.type.is_text and value.type.base != "unknown":
                raise type_mismatch(
                    f"line 1:1: Left side of LIKE expression must evaluate to a varchar (actual: {value.type})"
                )
        return Value(f"({left.sql} {'not ' if node.args.get('negate') else ''}like {right.sql}{escape})", types.BOOLEAN)

    def _concatenate(self, node: exp.DPipe, scope: Scope) -> Value:
        left, right = self.compile(node.left, scope), self.compile(node.right, scope)
        if right.type.base == "array" and left.type.base not in ("array", "unknown"):
            item = self.unify([Value("null", right.type.items[0]), left], "Cannot prepend to the array")[0].type
            return self.call("concat", [Value(f"[{coerce(left, item).sql}]", types.array(item)), right])
        if left.type.base == "array" and right.type.base != "array":
            item = self.unify([Value("null", left.type.items[0]), right], "Cannot append to the array")[0].type
            return self.call("concat", [left, Value(f"[{coerce(right, item).sql}]", types.array(item))])
        return self.call("concat", [left, right])

    def _negative(self, node: exp.Neg, scope: Scope) -> Value:
        if isinstance(node.this, exp.Literal) and not node.this.is_string and node.this.name.isdigit():
            # The sign belongs to the number: the least one has no positive counterpart.
            return _whole_literal(f"-{node.this.name}")
        value = self.compile(node.this, scope)
        if not value.type.is_numeric and not value.type.is_interval:
            raise type_mismatch(f"line 1:1: Cannot negate {value.type}")
        return Value(f"(-{value.sql})", value.type, f"-{value.literal}" if value.literal else None)

    def _arithmetic(self, node: exp.Binary, scope: Scope) -> Value:
        operator = _ARITHMETIC[type(node)]
        return self.arithmetic(operator, self.compile(node.left, scope), self.compile(node.right, scope))

    def arithmetic(self, operator: str, left: Value, right: Value) -> Value:
        """`left operator right`, of numbers, dates and intervals."""
        kinds = (left.type, right.type)
        if all(kind.is_numeric or kind.base == "unknown" for kind in kinds):
            return _number_arithmetic(operator, *self._as_numbers(left, right))
        result = _time_result(operator, *kinds)
        if result is None:
            raise type_mismatch(f"line 1:1: Cannot apply operator: {left.type} {operator} {right.type}")
        if operator == "-" and kinds[0].base == kinds[1].base and not kinds[0].is_interval:
            ends = [
                f"cast({value.sql} as timestamp)" if value.type.base == "date" else value.sql for value in (left, right)
            ]
            # Microseconds, so that a difference is a plain duration and not so many months and days.
            return Value(f"to_microseconds(epoch_us({ends[0]}) - epoch_us({ends[1]}))", result)
        if result.base in _POINTS:
            return _move_time(operator, left, right, result)
        return Value(f"cast(({left.sql} {operator} {right.sql}) as {to_duckdb(result)})", result)

    def _as_numbers(self, left: Value, right: Value) -> tuple[Value, Value]:
        if left.type.base == "decimal" and right.type.is_integer:
            right = coerce(right, types.common_decimal(types.decimal(1, 0), right.type))
        if right.type.base == "decimal" and left.type.is_integer:
            left = coerce(left, types.common_decimal(types.decimal(1, 0), left.type))
        if left.type.base == right.type.base == "decimal":
            return left, right
        unified = self.unify([left, right], "Cannot apply arithmetic")
        return unified[0], unified[1]

    # -------------------- special forms

    def _case(self, node: exp.Case, scope: Scope) -> Value:
        subject = self.compile(node.this, scope) if node.this else None
        whens, results = [], []
        for branch in node.args["ifs"]:
            if subject is None:
                whens.append(self.condition(branch.this, scope, "CASE WHEN clause"))
            else:
                whens.append(self._compare("=", subject, self.compile(branch.this, scope)).sql)
            results.append(self.compile(branch.args["true"], scope))
        default = node.args.get("default")
        results.append(self.compile(default, scope) if default else Value("null", types.UNKNOWN))
        *results, last = self.unify(results, "All CASE results must be the same type")
        branches = " ".join(f"when {when} then {result.sql}" for when, result in zip(whens, results, strict=True))
        return Value(f"case {branches} else {last.sql} end", last.type)

    def _if(self, node: exp.If, scope: Scope) -> Value:
        condition = self.condition(node.this, scope, "IF condition")
        otherwise = node.args.get("false")
        then, other = self.unify(
            [
                self.compile(node.args["true"], scope),
                self.compile(otherwise, scope) if otherwise else Value("null", types.UNKNOWN),
            ],
            "Result types for IF must be the same",
        )
        return Value(f"case when {condition} then {then.sql} else {other.sql} end", then.type)

    def _cast(self, node: exp.Cast, scope: Scope) -> Value:
        refuse_unknown_parts(node, "this", "to", "safe")
        target = types.from_ast(node.args["to"])
        value = self.compile(node.this, scope)
        if not node.meta.get("is_call"):
            return self._typed_literal(value, target)
        result = cast(value, target)
        return Value(f"try({result.sql})", result.type) if isinstance(node, exp.TryCast) else result

    def _typed_literal(self, value: Value, target: SqlType) -> Value:
        """`date '2020-01-01'` and its like, which are checked when they are read."""
        text = literal_of(value, "a typed literal")
        if target.base == "decimal":
            return _decimal_literal(text)
        if target.base == "timestamp with time zone":
            return _zoned_literal(text)
        return Value(cast(value, target).sql, target, text)

    def _interval(self, node: exp.Interval, scope: Scope) -> Value:
        unit = node.args.get("unit")
        if not isinstance(unit, exp.Var) or not isinstance(node.this, exp.Literal):
            raise NotEmulatedError(f"the interval {node.sql('trino')}")
        name, text = unit.name.upper(), node.this.name
        if not re.fullmatch(r"[+-]?\d+(\.\d{1,3})?" if name == "SECOND" else r"[+-]?\d+", text):
            raise AthenaError("INVALID_LITERAL", f"line 1:1: '{text}' is not a valid INTERVAL literal")
        if name in _MONTHS:
            return Value(f"to_months({int(text) * _MONTHS[name]})", types.YEAR_TO_MONTH)
        if name not in _SECONDS:
            raise syntax_error(f"line 1:1: mismatched input '{name}'. Expecting: an interval field")
        return Value(f"to_microseconds({round(float(text) * _SECONDS[name] * 1_000_000)})", types.DAY_TO_SECOND)

    def _at_time_zone(self, node: exp.AtTimeZone, scope: Scope) -> Value:
        value, zone = self.compile(node.this, scope), self.compile(node.args["zone"], scope)
        name = literal_of(zone, "a time zone")
        if value.type.base == "timestamp":
            value = coerce(value, types.timestamp_tz(value.type.args[0]))
        if value.type.base != "timestamp with time zone":
            raise type_mismatch(
                f"line 1:1: Type of value must be a time or timestamp with or without time zone (actual {value.type})"
            )
        return Value(value.sql, types.timestamp_tz(value.type.args[0], name))

    def _current_timestamp(self, node: exp.CurrentTimestamp, scope: Scope) -> Value:
        return self.call("now", [])

    def _extract(self, node: exp.Extract, scope: Scope) -> Value:
        name = node.this.name.lower()
        if name not in _EXTRACT_FIELDS or not isinstance(node.this, (exp.Var, exp.Identifier)):
            raise syntax_error(f"line 1:1: Invalid EXTRACT field: {node.this.sql('trino')}")
        return self.call(name, [self.compile(node.expression, scope)])

    def _substring(self, node: exp.Substring, scope: Scope) -> Value:
        parts = [node.args[name] for name in ("this", "start", "length") if node.args.get(name) is not None]
        return self.call("substr", [self.compile(part, scope) for part in parts])

    def _trim(self, node: exp.Trim, scope: Scope) -> Value:
        parts = [node.this] + ([node.expression] if node.args.get("expression") else [])
        return self.call(_TRIMS[node.args.get("position")], [self.compile(part, scope) for part in parts])

    def _position(self, node: exp.StrPosition, scope: Scope) -> Value:
        return self.call("strpos", [self.compile(node.this, scope), self.compile(node.args["substr"], scope)])

    def _subquery(self, node: exp.Expr, scope: Scope) -> Value:
        query = self._subqueries(node, scope)
        if len(query.outputs) != 1:
            raise syntax_error(
                f"line 1:1: Multiple columns returned by subquery are not yet supported. Found {len(query.outputs)}"
            )
        return Value(f"({query.sql})", query.outputs[0].type)

    def _exists(self, node: exp.Exists, scope: Scope) -> Value:
        return Value(f"exists ({self._subqueries(node.this, scope).sql})", types.BOOLEAN)

    def _tuple(self, node: exp.Tuple, scope: Scope) -> Value:
        return self._row([self.compile(item, scope) for item in node.expressions])

    def _row(self, values: Sequence[Value]) -> Value:
        kind = types.row(tuple(value.type for value in values))
        fields = (f"{name} := {value.sql}" for name, value in zip(types.field_names(kind), values, strict=True))
        return Value(f"struct_pack({', '.join(fields)})", kind)

    def _array(self, node: exp.Array, scope: Scope) -> Value:
        values = self.unify(
            [self.compile(item, scope) for item in node.expressions], "All ARRAY elements must be the same type"
        )
        item = values[0].type if values else types.UNKNOWN
        return Value(
            f"cast([{', '.join(value.sql for value in values)}] as {to_duckdb(types.array(item))})", types.array(item)
        )

    def _bracket(self, node: exp.Bracket, scope: Scope) -> Value:
        refuse_unknown_parts(node, "this", "expressions", "offset")
        value, index = self.compile(node.this, scope), self.compile(node.expressions[0], scope)
        if value.type.base == "map":
            found = self.call("element_at", [value, index])
            failed = "cast(trino_fail('INVALID_FUNCTION_ARGUMENT: Key not present in map') as varchar)"
            check = f"list_contains(map_keys({value.sql}), {index.sql})"
        elif value.type.base == "array":
            found = self.call("element_at", [value, index])
            failed = "cast(trino_fail('INVALID_FUNCTION_ARGUMENT: Array subscript out of bounds') as varchar)"
            check = f"{index.sql} between 1 and len({value.sql})"
        elif value.type.base == "row":
            return _field_at(value, index)
        else:
            raise type_mismatch(f"line 1:1: Cannot apply operator: {value.type}[{index.type}]")
        failing = f"cast({failed} as {to_duckdb(found.type)})"
        return Value(f"case when {value.sql} is null or {check} then {found.sql} else {failing} end", found.type)

    # -------------------- functions

    def call(self, name: str, args: Sequence[Value], registry: Registry = SCALARS) -> Value:
        """A call by name of a function whose arguments are compiled."""
        match, coerced = self._matched(registry, name, args)
        return Value(match.sql(coerced), match.result(coerced))

    def _matched(self, registry: Registry, name: str, args: Sequence[Value]) -> tuple[Match, list[Value]]:
        if name not in registry.overloads:
            raise not_found(name)
        match = find(registry, name, [arg.type for arg in args])
        coerced = [
            arg
            if kind is None or (kind.base == arg.type.base and not kind.items and kind.base == "varchar")
            else coerce(arg, kind)
            for arg, kind in zip(args, match.targets, strict=True)
        ]
        return match, coerced

    def _function(self, node: exp.Anonymous, scope: Scope) -> Value:
        name = node.name.lower()
        special = getattr(self, f"_special_{name}", None)
        if name.upper() in RESERVED_IN_SELECT and not special and not name.startswith(("json_", "normalize")):
            raise syntax_error(f"line 1:1: mismatched input '{name}'. Expecting: <expression>")
        if name in AGGREGATES.overloads:
            return self._aggregate_call(node, scope)
        if name in WINDOWS.overloads:
            raise AthenaError("MISSING_OVER", f"line 1:1: Window function {name} requires an OVER clause")
        if special:
            value: Value = special(node.expressions, scope)
            return value
        if name in LAMBDA_FUNCTIONS:
            return LAMBDA_FUNCTIONS[name](self, node.expressions, scope)
        if any(isinstance(arg, exp.Lambda) for arg in node.expressions):
            raise NotEmulatedError(f"{name} with a lambda") if name in SCALARS.overloads else not_found(name)
        return self.call(name, [self.compile(arg, scope) for arg in node.expressions])

    def fresh(self) -> str:
        """A name that nothing else in the statement has."""
        return f"v{next(self._numbers)}"

    def lambda_body(self, node: exp.Expr, parameters: Sequence[Value], scope: Scope) -> Value:
        """A lambda's body, with its parameters standing for the values given."""
        if not isinstance(node, exp.Lambda) or len(node.expressions) != len(parameters):
            raise type_mismatch(f"line 1:1: Unexpected parameters: expected a lambda of {len(parameters)} arguments")
        names = (parameter.name.lower() for parameter in node.expressions)
        return self.compile(node.this, scope.with_lambdas(dict(zip(names, parameters, strict=True))))

    def _special_coalesce(self, args: Sequence[exp.Expr], scope: Scope) -> Value:
        if len(args) < 2:
            raise AthenaError("INVALID_ARGUMENTS", "line 1:1: The 'coalesce' function must have at least two arguments")
        values = self.unify([self.compile(arg, scope) for arg in args], "All COALESCE operands must be the same type")
        return Value(f"coalesce({', '.join(value.sql for value in values)})", values[0].type)

    def _special_nullif(self, args: Sequence[exp.Expr], scope: Scope) -> Value:
        if len(args) != 2:
            raise AthenaError("INVALID_ARGUMENTS", "line 1:1: Invalid number of arguments for 'nullif' function")
        first, second = (self.compile(arg, scope) for arg in args)
        if types.common_type(first.type, second.type) is None:
            raise type_mismatch(f"line 1:1: Types are not comparable with NULLIF: {first.type} vs {second.type}")
        left, right = self.unify([first, second], "Types are not comparable with NULLIF")
        return Value(f"case when {left.sql} = {right.sql} then null else {first.sql} end", first.type)

    def _special_try(self, args: Sequence[exp.Expr], scope: Scope) -> Value:
        value = self.compile(args[0], scope)
        return Value(f"try({value.sql})", value.type)

    def _special_typeof(self, args: Sequence[exp.Expr], scope: Scope) -> Value:
        text = str(self.compile(args[0], scope).type)
        return Value(quote(text), types.VARCHAR, text)

    def _special_row(self, args: Sequence[exp.Expr], scope: Scope) -> Value:
        return self._row([self.compile(arg, scope) for arg in args])

    def _special_current_timestamp(self, args: Sequence[exp.Expr], scope: Scope) -> Value:
        kind = types.timestamp_tz(_precision_of(args))
        return Value(round_time(Value("now()", kind)), kind)

    def _special_localtimestamp(self, args: Sequence[exp.Expr], scope: Scope) -> Value:
        kind = types.timestamp(_precision_of(args))
        return Value(round_time(Value("timezone('UTC', now())", kind)), kind)

    def _special_grouping(self, args: Sequence[exp.Expr], scope: Scope) -> Value:
        return Value(
            f"cast(grouping({', '.join(self.compile(arg, scope).sql for arg in args)}) as bigint)", types.BIGINT
        )

    # -------------------- aggregates and windows

    def order_items(self, order: exp.Order | None, scope: Scope) -> str:
        """The keys of an ORDER BY inside a call or a window; nulls come last unless said otherwise."""
        if order is None:
            return ""
        items = (f"{self.compile(item.this, scope).sql}{direction(item)}" for item in order.expressions)
        return f"order by {', '.join(items)}"

    def _aggregate_call(self, node: exp.Expr, scope: Scope, over: str = "") -> Value:
        _refuse_aggregate(scope)
        condition = ""
        inner = scope if over else scope.within("An aggregation")
        if isinstance(node, exp.Filter):
            condition = f" filter (where {self.condition(node.expression.this, inner, 'Filter expression')})"
            node = node.this
        if not isinstance(node, exp.Anonymous) or node.name.lower() not in AGGREGATES.overloads:
            raise syntax_error(f"line 1:1: mismatched input near '{node.sql('trino')}'")
        name, args = node.name.lower(), list(node.expressions)
        if name == "count" and (not args or isinstance(args[0], exp.Star)):
            return Value(f"count(*){condition}{over}", types.BIGINT)
        distinct, order = "", ""
        if args and isinstance(args[-1], exp.Order):
            order = " " + self.order_items(args[-1], inner)
            args[-1] = args[-1].this
        if args and isinstance(args[0], exp.Distinct):
            args, distinct = [*args[0].expressions, *args[1:]], "distinct "
        values = [self.compile(arg, inner) for arg in args]
        match, coerced = self._matched(AGGREGATES, name, values)
        if name == "avg" and coerced[0].type.base == "decimal":
            return _average(coerced[0], distinct, f"{condition}{over}")
        call = match.sql(coerced)
        head, _, tail = call.partition("(")
        if (distinct or order) and (not tail.endswith(")") or "(" in head):
            raise NotEmulatedError(f"{name} with DISTINCT or ORDER BY")
        if distinct or order:
            call = f"{head}({distinct}{tail[:-1]}{order})"
        result = match.result(coerced)
        sql = match.signature.wrap.format(f"{call}{condition}{over}")
        return Value(f"cast({sql} as {to_duckdb(result)})" if result.base in ("decimal", "real") else sql, result)

    def _listagg(self, node: exp.Expr, scope: Scope) -> Value:
        _refuse_aggregate(scope)
        if isinstance(node, exp.WithinGroup):
            order: exp.Order | None = node.expression
            node = node.this
        else:
            order = node.this if isinstance(node.this, exp.Order) else None
        if order is None:
            raise syntax_error("line 1:1: mismatched input after LISTAGG(…). Expecting: 'WITHIN'")
        if node.args.get("on_overflow"):
            raise NotEmulatedError("LISTAGG … ON OVERFLOW")
        refuse_unknown_parts(node, "this", "separator")
        item = node.this.this if isinstance(node.this, exp.Order) else node.this
        distinct = ""
        if isinstance(item, exp.Distinct):
            distinct, item = "distinct ", item.expressions[0]
        inner = scope.within("An aggregation")
        value = self.compile(item, inner)
        if not value.type.is_text:
            raise AthenaError(
                "FUNCTION_NOT_FOUND", f"line 1:1: Unexpected parameters ({value.type}) for function listagg"
            )
        separator = node.args.get("separator")
        mark = self.compile(separator, inner).sql if separator else "''"
        return Value(f"string_agg({distinct}{value.sql}, {mark} {self.order_items(order, inner)})", types.VARCHAR)

    def _window(self, node: exp.Window, scope: Scope) -> Value:
        _refuse_aggregate(scope)
        refuse_unknown_parts(node, "this", "partition_by", "order", "spec", "over", "alias")
        definition = node
        if alias := node.args.get("alias"):
            if alias.name.lower() not in scope.windows:
                raise AthenaError("INVALID_WINDOW_REFERENCE", f"line 1:1: Cannot resolve WINDOW name {alias.name}")
            definition = scope.windows[alias.name.lower()]
        over = f" over ({self._window_definition(definition, scope)})"
        function, nulls = node.this, ""
        if isinstance(function, (exp.IgnoreNulls, exp.RespectNulls)):
            nulls = " ignore nulls" if isinstance(function, exp.IgnoreNulls) else ""
            function = function.this
        if isinstance(function, exp.Filter) or function.name.lower() in AGGREGATES.overloads:
            return self._aggregate_call(function, scope, over)
        if function.name.lower() not in WINDOWS.overloads:
            raise AthenaError("FUNCTION_NOT_WINDOW", f"line 1:1: Not a window function: {function.name}")
        values = [self.compile(arg, scope) for arg in function.expressions]
        match, coerced = self._matched(WINDOWS, function.name.lower(), values)
        return Value(f"{match.sql(coerced)[:-1]}{nulls}){over}", match.result(coerced))

    def _window_definition(self, node: exp.Window, scope: Scope) -> str:
        parts = []
        if keys := node.args.get("partition_by"):
            parts.append("partition by " + ", ".join(self.compile(key, scope).sql for key in keys))
        if order := node.args.get("order"):
            parts.append(self.order_items(order, scope))
        if spec := node.args.get("spec"):
            refuse_unknown_parts(spec, "kind", "start", "start_side", "end", "end_side")
            start, end = (self._frame_bound(spec, side, scope) for side in ("start", "end"))
            parts.append(f"{spec.args['kind']} " + (f"between {start} and {end}" if end else start))
        return " ".join(parts)

    def _frame_bound(self, spec: exp.WindowSpec, side: str, scope: Scope) -> str:
        bound = spec.args.get(side)
        if bound is None:
            return ""
        text = self.compile(bound, scope).sql if isinstance(bound, exp.Expr) else str(bound)
        return f"{text} {spec.args.get(f'{side}_side') or ''}".strip()


def _field_at(value: Value, index: Value) -> Value:
    """A field of a row by its number, which has to be a literal."""
    number = int(index.literal) if index.type.is_integer and index.literal else 0
    if not 1 <= number <= len(value.type.items):
        raise AthenaError("INVALID_FUNCTION_ARGUMENT", f"line 1:1: ROW subscript index out of bounds: {number}")
    name = types.field_names(value.type)[number - 1]
    return Value(f"struct_extract({value.sql}, {quote(name)})", value.type.items[number - 1])


def _not_emulated(node: exp.Expr, scope: Scope) -> Value:
    raise NotEmulatedError(node.sql("trino"))


def _precision_of(args: Sequence[exp.Expr]) -> int:
    """The only argument of `current_timestamp(p)` and its like: a literal number."""
    if len(args) != 1 or not isinstance(args[0], exp.Literal) or not args[0].name.isdigit():
        raise syntax_error("line 1:1: mismatched input ')'. Expecting: <integer>")
    precision = int(args[0].name)
    if precision > 6:
        raise NotEmulatedError(f"times of precision {precision}: precisions above 6")
    return precision


def _refuse_aggregate(scope: Scope) -> None:
    if scope.refuses_aggregates:
        raise AthenaError(
            "EXPRESSION_NOT_SCALAR",
            f"line 1:1: {scope.refuses_aggregates} cannot contain aggregations, window functions or grouping "
            "operations",
        )


def direction(item: exp.Expr) -> str:
    """How one key of an ORDER BY sorts."""
    if not isinstance(item, exp.Ordered):
        return " asc nulls last"
    refuse_unknown_parts(item, "this", "desc", "nulls_first")
    return f"{' desc' if item.args.get('desc') else ' asc'} nulls {'first' if item.args.get('nulls_first') else 'last'}"


# https://trino.io/docs/current/language/types.html: the zone may follow the time at once
_ZONED = re.compile(
    r"(?P<stamp>\d+-\d+-\d+( \d+:\d+(:\d+(\.(?P<fraction>\d+))?)?)?)\s*(?P<zone>[+-][\d:]+|[A-Za-z][\w/+-]*)"
)


def _zoned_literal(text: str) -> Value:
    found = _ZONED.fullmatch(text.strip())
    if not found:
        raise syntax_error(f"line 1:1: '{text}' is not a valid TIMESTAMP literal")
    zone = "UTC" if re.fullmatch(r"[+-]0?0(:?00)?|Z", found["zone"]) else found["zone"]
    if zone[0] in "+-":
        raise NotEmulatedError(f"the time zone {zone}: only zones with names, and none off UTC")
    fraction = len(found["fraction"] or "")
    if fraction > 6:
        raise NotEmulatedError(f"{text}: precisions above 6")
    return Value(
        f"timezone({quote(zone)}, cast({quote(found['stamp'])} as timestamp))", types.timestamp_tz(fraction, zone)
    )


def _whole_literal(text: str) -> Value:
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise syntax_error(f"line 1:1: Invalid numeric literal: {text}")
    kind = types.INTEGER if -(2**31) <= number < 2**31 else types.BIGINT
    plain = text if number > -(2**31) else f"'{text}'"
    return Value(f"cast({plain} as {to_duckdb(kind)})" if plain != text or kind == types.BIGINT else text, kind, text)


def _decimal_literal(text: str) -> Value:
    whole, _, fraction = text.partition(".")
    digits = len(whole.lstrip("+-0")) + len(fraction)
    kind = types.decimal(max(digits, 1), len(fraction))
    return Value(f"cast({quote(text)} as {to_duckdb(kind)})", kind, text)


def _number_arithmetic(operator: str, left: Value, right: Value) -> Value:
    kind = left.type
    if kind.base == "decimal":
        return _decimal_arithmetic(operator, left, right)
    if kind.base == "unknown":
        return Value("null", kind)
    if operator in "/%" and kind.is_integer:
        zero = f"cast(trino_fail('DIVISION_BY_ZERO: Division by zero') as {to_duckdb(kind)})"
        sign = "//" if operator == "/" else "%"
        return Value(
            f"case when {right.sql} = 0 then {zero} else cast({left.sql} {sign} {right.sql} as {to_duckdb(kind)}) end",
            kind,
        )
    return Value(f"({left.sql} {operator} {right.sql})", kind)


def _divided(dividend: str, divisor: str, kind: SqlType) -> Value:
    """A quotient of whole numbers, rounded half up, as the digits of a decimal."""
    quotient = f"trino_divide_unscaled({dividend}, {divisor})"
    exact = f"cast(cast({quotient} as varchar) || 'e-{kind.args[1]}' as decimal(38, {kind.args[1]}))"
    return Value(f"cast({exact} as {to_duckdb(kind)})", kind)


def _average(value: Value, distinct: str, over: str) -> Value:
    """Of decimals: DuckDB would compute it in doubles, and lose digits."""
    total, count_of = (f"{name}({distinct}{value.sql}){over}" for name in ("sum", "count"))
    return _divided(f"trino_unscaled({total})", f"nullif({count_of}, 0)", value.type)


def _decimal_arithmetic(operator: str, left: Value, right: Value) -> Value:
    """The result types of https://trino.io/docs/current/functions/decimal.html."""
    (p1, s1), (p2, s2) = left.type.args, right.type.args
    if operator in "+-":
        scale = max(s1, s2)
        kind = types.decimal(min(38, max(p1 - s1, p2 - s2) + scale + 1), scale)
    elif operator == "*":
        kind = types.decimal(min(38, p1 + p2), s1 + s2)
    elif operator == "/":
        kind = types.decimal(min(38, p1 + s2 + max(0, s2 - s1)), max(s1, s2))
        shift = 10 ** (kind.args[1] - s1 + s2)
        return _divided(f"trino_unscaled({left.sql}) * {shift}", f"trino_unscaled({right.sql})", kind)
    else:
        scale = max(s1, s2)
        kind = types.decimal(min(p1 - s1, p2 - s2) + scale, scale)
        zero = "cast(trino_fail('DIVISION_BY_ZERO: Division by zero') as bigint)"
        remainder = f"case when {right.sql} = 0 then {zero} else {left.sql} % {right.sql} end"
        return Value(f"cast({remainder} as {to_duckdb(kind)})", kind)
    return Value(f"cast({left.sql} {operator} {right.sql} as {to_duckdb(kind)})", kind)


_POINTS = ("date", "timestamp", "timestamp with time zone")


def _moved_type(point: SqlType, interval: SqlType) -> SqlType:
    # A duration has milliseconds, and the time that it is added to has them from then on.
    if point.base == "date" or interval == types.YEAR_TO_MONTH:
        return point
    return replace(point, args=(max(3, point.args[0]),))


def _move_time(operator: str, left: Value, right: Value, result: SqlType) -> Value:
    """A date or time, and an interval to add or to subtract."""
    point, interval = (right, left) if left.type.is_interval else (left, right)
    if point.type.base == "timestamp with time zone" and interval.type == types.YEAR_TO_MONTH:
        # Months are counted by the clocks of the zone, durations are not.
        return Value(f"timezone({quote(result.zone)}, {wall_clock(point)} {operator} {interval.sql})", result)
    moved = f"cast(({point.sql} {operator} {interval.sql}) as {to_duckdb(result)})"
    if point.type.base == "date" and interval.type == types.DAY_TO_SECOND:
        failed = failure("INVALID_FUNCTION_ARGUMENT", "Cannot add hour, minutes or seconds to a date", types.DATE)
        moved = f"case when epoch_ms({interval.sql}) % 86400000 = 0 then {moved} else {failed} end"
        moved = f"case when {interval.sql} is null then null else {moved} end"
    return Value(moved, result)


def _time_result(operator: str, left: SqlType, right: SqlType) -> SqlType | None:  # noqa: PLR0911 - a table of cases
    """What adding, subtracting and scaling of dates and intervals gives, or None where Trino has no such operator."""
    if operator == "-" and left.base in _POINTS and right.base in _POINTS:
        return types.DAY_TO_SECOND
    if operator in "+-" and left.base in _POINTS and right.is_interval:
        return _moved_type(left, right)
    if operator == "+" and left.is_interval and right.base in _POINTS:
        return _moved_type(right, left)
    if operator in "+-" and left.is_interval and left == right:
        return left
    if operator in "*/" and left.is_interval and right.is_numeric:
        return left
    if operator == "*" and left.is_numeric and right.is_interval:
        return right
    return None
