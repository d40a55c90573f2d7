"""Which functions Trino has, what they take and give, and how DuckDB computes them. What is not listed is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from local_aws.athena import types
from local_aws.athena.errors import NotEmulatedError
from local_aws.athena.other_functions import not_found
from local_aws.athena.types import SqlType


@dataclass(frozen=True)
class Value:
    """A typed expression: the SQL that DuckDB runs for it, and its text where it is a literal."""

    sql: str
    type: SqlType
    literal: str | None = None


Result = str | Callable[[Sequence[Value]], SqlType]
Template = str | Callable[[Sequence[Value]], str]


@dataclass(frozen=True)
class Signature:
    """One overload. Where `variadic` the last parameter repeats; `wrap` encloses an aggregate's whole call."""

    params: tuple[str, ...]
    result: Result
    sql: Template
    variadic: bool = False
    wrap: str = "{0}"


@dataclass
class Registry:
    """Overloads by name, in the order in which they are tried."""

    overloads: dict[str, list[Signature]] = field(default_factory=dict)

    def add(self, names: str, params: str, result: Result, sql: Template, wrap: str = "{0}") -> None:
        """Register under each of the names; `params` are patterns between spaces, and `…` repeats the last."""
        parts = params.split()
        variadic = bool(parts) and parts[-1] == "…"
        signature = Signature(tuple(parts[:-1] if variadic else parts), result, sql, variadic, wrap)
        for name in names.split():
            self.overloads.setdefault(name, []).append(signature)


# -------------------- matching

_NAMED = {
    "varchar": types.VARCHAR,
    "bigint": types.BIGINT,
    "integer": types.INTEGER,
    "double": types.DOUBLE,
    "boolean": types.BOOLEAN,
    "varbinary": types.VARBINARY,
    "date": types.DATE,
    "json": types.JSON,
    "uuid": types.UUID,
    "real": types.REAL,
    "day_to_second": types.DAY_TO_SECOND,
    "year_to_month": types.YEAR_TO_MONTH,
}
_FAMILIES: dict[str, Callable[[SqlType], bool]] = {
    "timestamp": lambda kind: kind.base == "timestamp",
    "timestamp_tz": lambda kind: kind.base == "timestamp with time zone",
    "decimal": lambda kind: kind.base == "decimal",
    "number": lambda kind: kind.is_numeric,
    "whole": lambda kind: kind.is_integer,
    "row": lambda kind: kind.base == "row",
    "time": lambda kind: kind.base == "time",
    "any": lambda kind: True,
    "orderable": lambda kind: kind.is_orderable,
}


class _NoMatchError(Exception):
    """The overload does not take these arguments."""


def _bind_generic(name: str, kind: SqlType, bound: dict[str, SqlType]) -> None:
    common = types.common_type(bound.get(name, types.UNKNOWN), kind)
    if common is None:
        raise _NoMatchError
    bound[name] = common


def _match(pattern: str, kind: SqlType, bound: dict[str, SqlType], exact: bool) -> None:
    """Bind the generic parts of `pattern` to `kind`, or raise."""
    if len(pattern) == 1:
        _bind_generic(pattern, kind, bound)
    elif pattern.startswith(("array(", "map(")):
        base, _, inner = pattern[:-1].partition("(")
        parts = inner.split(",")
        if kind.base == "unknown":
            for part in parts:
                _match(part, kind, bound, exact)
        elif kind.base != base:
            raise _NoMatchError
        else:
            for part, item in zip(parts, kind.items, strict=True):
                _match(part, item, bound, exact)
    elif pattern in _FAMILIES:
        if not _FAMILIES[pattern](kind):
            raise _NoMatchError
    elif exact:
        if kind.base != _NAMED[pattern].base:
            raise _NoMatchError
    elif not types.coerces(kind, _NAMED[pattern]):
        raise _NoMatchError


def resolve_pattern(pattern: str, bound: dict[str, SqlType]) -> SqlType | None:
    """The type that a pattern asks for, or None for a family, which takes the argument as it is."""
    if len(pattern) == 1:
        return bound[pattern]
    if pattern.startswith(("array(", "map(")):
        base, _, inner = pattern[:-1].partition("(")
        items = tuple(resolve_pattern(part, bound) or types.UNKNOWN for part in inner.split(","))
        return SqlType(base, items=items)
    if pattern in _FAMILIES:
        return None
    return _NAMED[pattern]


def _expand(signature: Signature, count: int) -> tuple[str, ...]:
    params = signature.params
    if signature.variadic and count >= len(params):
        params += (params[-1],) * (count - len(params))
    if len(params) != count:
        raise _NoMatchError
    return params


@dataclass(frozen=True)
class Match:
    """An overload with its generics bound; a target of None takes the argument uncoerced."""

    signature: Signature
    targets: tuple[SqlType | None, ...]
    bound: dict[str, SqlType]

    def result(self, args: Sequence[Value]) -> SqlType:
        """The type of the call."""
        result = self.signature.result
        if callable(result):
            return result(args)
        if result.startswith("$"):
            return args[int(result[1:])].type
        if result == "timestamp":
            return types.timestamp(3)
        if result == "timestamp_tz":
            return types.timestamp_tz(3)
        return resolve_pattern(result, self.bound) or types.UNKNOWN

    def sql(self, args: Sequence[Value]) -> str:
        """The call in DuckDB."""
        if callable(self.signature.sql):
            return self.signature.sql(args)
        texts = [arg.sql for arg in args]
        return self.signature.sql.format(*texts, args=", ".join(texts))


def find(registry: Registry, name: str, kinds: Sequence[SqlType]) -> Match:
    """The overload that Trino would choose: one that fits as it is before one that needs coercions."""
    for exact in (True, False):
        for signature in registry.overloads[name]:
            bound: dict[str, SqlType] = {}
            try:
                params = _expand(signature, len(kinds))
                for pattern, kind in zip(params, kinds, strict=True):
                    _match(pattern, kind, bound, exact and kind.base != "unknown")
                return Match(signature, tuple(resolve_pattern(pattern, bound) for pattern in params), bound)
            except _NoMatchError:
                continue
    expected = ", ".join(f"{name}({', '.join(s.params)})" for s in registry.overloads[name])
    raise not_found(
        name,
        f"line 1:1: Unexpected parameters ({', '.join(map(str, kinds))}) for function {name}. Expected: {expected}",
        len(kinds),
    )


def literal_of(value: Value, what: str) -> str:
    """The text of an argument that must be known before the query runs."""
    if value.literal is None:
        raise NotEmulatedError(f"{what} that is not a literal")
    return value.literal


def quote(text: str) -> str:
    """A DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def failure(name: str, message: str, kind: SqlType) -> str:
    """An expression of the type that fails when it is evaluated."""
    return f"cast(cast(trino_fail({quote(f'{name}: {message}')}) as varchar) as {types.to_duckdb(kind)})"
