"""The functions that take lambdas: https://trino.io/docs/current/functions/array.html and …/map.html."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from local_aws.athena import types
from local_aws.athena.casts import coerce
from local_aws.athena.errors import AthenaError, type_mismatch
from local_aws.athena.functions import Value
from local_aws.athena.scope import Scope
from local_aws.athena.types import SqlType

if TYPE_CHECKING:
    from local_aws.athena.expressions import Expressions

LambdaFunction = Callable[["Expressions", Sequence[exp.Expr], Scope], Value]


_SIZES = {"reduce": 4, "map_zip_with": 3, "zip_with": 3}


def _collection(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope, name: str) -> Value:
    """The first argument: a map for the functions of maps, and else an array."""
    size = _SIZES.get(name, 2)
    if len(args) != size:
        raise AthenaError("FUNCTION_NOT_FOUND", f"line 1:1: Unexpected parameters for function {name}: expected {size}")
    value = compiler.compile(args[0], scope)
    if value.type.base != ("map" if name.startswith(("map_", "transform_")) else "array"):
        raise AthenaError(
            "FUNCTION_NOT_FOUND", f"line 1:1: Unexpected parameters ({value.type}, …) for function {name}"
        )
    return value


def _predicate(body: Value, name: str) -> str:
    if body.type.base not in ("boolean", "unknown"):
        raise type_mismatch(f"line 1:1: The lambda of {name} must give a boolean, not {body.type}")
    return body.sql


def _transform(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope) -> Value:
    value, item = _collection(compiler, args, scope, "transform"), compiler.fresh()
    body = compiler.lambda_body(args[1], [Value(item, value.type.items[0])], scope)
    return Value(f"list_transform({value.sql}, lambda {item}: {body.sql})", types.array(body.type))


def _filter(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope) -> Value:
    value, item = _collection(compiler, args, scope, "filter"), compiler.fresh()
    body = compiler.lambda_body(args[1], [Value(item, value.type.items[0])], scope)
    return Value(f"list_filter({value.sql}, lambda {item}: {_predicate(body, 'filter')})", value.type)


def _match(name: str, combine: str) -> LambdaFunction:
    def call(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope) -> Value:
        value, item = _collection(compiler, args, scope, name), compiler.fresh()
        body = compiler.lambda_body(args[1], [Value(item, value.type.items[0])], scope)
        checks = f"list_transform({value.sql}, lambda {item}: {_predicate(body, name)})"
        return Value(combine.format(checks), types.BOOLEAN)

    return call


def _reduce(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope) -> Value:
    value = _collection(compiler, args, scope, "reduce")
    start, item_type = compiler.compile(args[1], scope), value.type.items[0]
    left, right, last = compiler.fresh(), compiler.fresh(), compiler.fresh()

    def step_from(state: SqlType) -> Value:
        parameters = [Value(f"{left}.state", state), Value(f"{right}.item", item_type)]
        return compiler.lambda_body(args[2], parameters, scope)

    state = types.common_type(start.type, step_from(start.type).type)
    if state is None or (step := step_from(state)).type != state:
        raise type_mismatch("line 1:1: The lambda of reduce must give the type of the state")
    result = compiler.lambda_body(args[3], [Value(last, state)], scope)
    # DuckDB's list_reduce has one type for state and elements: each travels as a field of the same struct.
    kind = types.to_duckdb(state)
    items = f"list_transform({value.sql}, lambda x: struct_pack(state := cast(null as {kind}), item := x))"
    first = f"struct_pack(state := {coerce(start, state).sql}, item := cast(null as {types.to_duckdb(item_type)}))"
    body = f"struct_pack(state := cast({step.sql} as {kind}), item := {right}.item)"
    final = f"struct_extract(list_reduce({items}, lambda {left}, {right}: {body}, {first}), 'state')"
    return Value(f"list_transform([{final}], lambda {last}: {result.sql})[1]", result.type)


def _zip_with(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope) -> Value:
    left, pair = _collection(compiler, args, scope, "zip_with"), compiler.fresh()
    right = compiler.compile(args[1], scope)
    if right.type.base != "array":
        raise AthenaError("FUNCTION_NOT_FOUND", f"line 1:1: Unexpected parameters ({right.type}) for function zip_with")
    parameters = [Value(f"{pair}[1]", left.type.items[0]), Value(f"{pair}[2]", right.type.items[0])]
    body = compiler.lambda_body(args[2], parameters, scope)
    return Value(
        f"list_transform(list_zip({left.sql}, {right.sql}), lambda {pair}: {body.sql})", types.array(body.type)
    )


def _map_lambda(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope, name: str) -> tuple[Value, str, Value]:
    """The map, the name of an entry, and the lambda of key and value as one of that entry."""
    value, entry = _collection(compiler, args, scope, name), compiler.fresh()
    key, item = value.type.items
    return (
        value,
        entry,
        compiler.lambda_body(args[1], [Value(f"{entry}.key", key), Value(f"{entry}.value", item)], scope),
    )


def _map_filter(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope) -> Value:
    value, entry, body = _map_lambda(compiler, args, scope, "map_filter")
    kept = f"list_filter(map_entries({value.sql}), lambda {entry}: {_predicate(body, 'map_filter')})"
    return Value(f"map_from_entries({kept})", value.type)


def _transform_values(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope) -> Value:
    value, entry, body = _map_lambda(compiler, args, scope, "transform_values")
    changed = f"list_transform(map_entries({value.sql}), lambda {entry}: row({entry}.key, {body.sql}))"
    return Value(f"map_from_entries({changed})", types.map_of(value.type.items[0], body.type))


def _transform_keys(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope) -> Value:
    value, entry, body = _map_lambda(compiler, args, scope, "transform_keys")
    changed = f"list_transform(map_entries({value.sql}), lambda {entry}: row({body.sql}, {entry}.value))"
    return Value(f"map_from_entries({changed})", types.map_of(body.type, value.type.items[1]))


def _map_zip_with(compiler: Expressions, args: Sequence[exp.Expr], scope: Scope) -> Value:
    left = _collection(compiler, args, scope, "map_zip_with")
    left, right = compiler.unify([left, compiler.compile(args[1], scope)], "The maps of map_zip_with differ in type")
    key, item = left.type.items
    name = compiler.fresh()
    parameters = [Value(name, key), Value(f"({left.sql})[{name}]", item), Value(f"({right.sql})[{name}]", item)]
    body = compiler.lambda_body(args[2], parameters, scope)
    keys = f"list_distinct(map_keys({left.sql}) || map_keys({right.sql}))"
    entries = f"list_transform({keys}, lambda {name}: row({name}, {body.sql}))"
    return Value(f"map_from_entries({entries})", types.map_of(key, body.type))


LAMBDA_FUNCTIONS: dict[str, LambdaFunction] = {
    "transform": _transform,
    "filter": _filter,
    "reduce": _reduce,
    "any_match": _match("any_match", "trino_any({0})"),
    "all_match": _match("all_match", "trino_all({0})"),
    "none_match": _match("none_match", "(not trino_any({0}))"),
    "zip_with": _zip_with,
    "map_filter": _map_filter,
    "transform_values": _transform_values,
    "transform_keys": _transform_keys,
    "map_zip_with": _map_zip_with,
}
