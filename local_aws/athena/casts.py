"""CAST and the coercions that Trino makes by itself, value for value."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from local_aws.athena import types
from local_aws.athena.errors import NotEmulatedError, type_mismatch
from local_aws.athena.functions import Value, quote
from local_aws.athena.types import SqlType, field_names, to_duckdb

_variables = count()

_FROM_TEXT = {
    "boolean": "trino_text_to_boolean({0})",
    "double": "trino_text_to_double({0})",
    "real": "trino_text_to_double({0})",
    "date": "trino_text_to_date({0})",
    "timestamp": "trino_text_to_timestamp({0})",
    "decimal": "{0}",
    "time": "{0}",
    "timestamp with time zone": "trino_text_to_zoned({0})",
    "uuid": "{0}",
    "varbinary": "encode({0})",
}
_SCALARS = frozenset(
    (*types.INTEGERS, "decimal", "real", "double", "boolean", "varchar", "char", "date", "time", "timestamp",
     "timestamp with time zone", "json", "uuid")
)  # fmt: skip
_NUMBERS = frozenset((*types.INTEGERS, "decimal", "real", "double"))

# What each type can be cast to: https://trino.io/docs/current/functions/conversion.html and the casts of Trino's types.
_CASTS: dict[str, frozenset[str]] = {
    **dict.fromkeys(_NUMBERS, _NUMBERS | {"boolean", "varchar", "char", "json"}),
    "boolean": _NUMBERS | {"boolean", "varchar", "char", "json"},
    "varchar": _SCALARS | {"varbinary"},
    "char": frozenset({"varchar", "char"}),
    "date": frozenset({"date", "timestamp", "timestamp with time zone", "varchar", "char", "json"}),
    "time": frozenset({"time", "varchar", "char", "timestamp"}),
    "timestamp": frozenset({"timestamp", "date", "time", "timestamp with time zone", "varchar", "char", "json"}),
    "timestamp with time zone": frozenset({"timestamp with time zone", "timestamp", "date", "time", "varchar", "char"}),
    "json": frozenset((*_NUMBERS, "boolean", "varchar", "json", "array", "map", "row")),
    "uuid": frozenset({"uuid", "varchar"}),
    "varbinary": frozenset({"varbinary"}),
    "interval day to second": frozenset({"interval day to second", "varchar"}),
    "interval year to month": frozenset({"interval year to month", "varchar"}),
    "array": frozenset({"array", "json"}),
    "map": frozenset({"map", "json"}),
    "row": frozenset({"row", "json"}),
}


def _plain(sql: str, target: SqlType) -> str:
    return f"cast({sql} as {to_duckdb(target)})"


def timestamp_text(sql: str, precision: int) -> str:
    """A timestamp as text, with as many digits after the point."""
    if precision == 0:
        return f"strftime({sql}, '%Y-%m-%d %H:%M:%S')"
    return f"left(strftime({sql}, '%Y-%m-%d %H:%M:%S.%f'), {20 + precision})"


def wall_clock(value: Value, zone: str | None = None) -> str:
    """What the clocks show at a time: in its own zone or another; a value without a zone is a wall clock already."""
    if value.type.base != "timestamp with time zone":
        return value.sql
    return f"timezone({quote(zone or value.type.zone)}, {value.sql})"


def round_time(value: Value) -> str:
    """A timestamp to the digits of its type: DuckDB keeps microseconds, whatever the type."""
    kind = value.type
    if not kind.base.startswith("timestamp") or kind.args == (6,):
        return value.sql
    step = 10 ** (6 - kind.args[0])
    make = "make_timestamp" if kind.base == "timestamp" else "make_timestamptz"
    return f"{make}(cast(round(epoch_us({value.sql}) / {step}.0) as bigint) * {step})"


def _to_text(value: Value, target: SqlType) -> str:
    source = value.type
    if source.base in ("real", "double"):
        text = f"trino_double_to_text({value.sql})"
    elif source.base == "timestamp":
        text = timestamp_text(value.sql, source.args[0])
    elif source.base == "timestamp with time zone":
        text = f"({timestamp_text(wall_clock(value), source.args[0])} || ' ' || {quote(source.zone)})"
    elif source.base == "decimal":
        text = f"trino_decimal_to_text({value.sql})"
    elif source.is_interval:
        raise NotEmulatedError(f"the text of an {source}")
    else:
        text = f"cast({value.sql} as varchar)"
    if not target.args:
        return text
    if source.is_text:
        return text if source.args and source.args <= target.args else f"left({text}, {target.args[0]})"
    message = f"'INVALID_CAST_ARGUMENT: Value ' || {text} || ' cannot be represented as {target}'"
    return f"case when length({text}) <= {target.args[0]} then {text} else cast(trino_fail({message}) as varchar) end"


def _to_timestamp(value: Value, target: SqlType) -> str:
    source = value.type
    if source.base == "timestamp with time zone":
        local = Value(wall_clock(value), types.timestamp(source.args[0]))
        return _to_timestamp(local, target) if target.base == "timestamp" else _plain(local.sql, target)
    if source.base == "timestamp" and source.args > target.args:
        return round_time(Value(value.sql, target))
    if source.base == "time":
        raise NotEmulatedError("a cast from time to timestamp")
    return _plain(value.sql, target)


def _lambda(body: Callable[[str], str]) -> str:
    name = f"e{next(_variables)}"
    return f"lambda {name}: {body(name)}"


def _to_nested(value: Value, target: SqlType) -> str:
    source = value.type
    if source.base != target.base or len(source.items) != len(target.items):
        raise type_mismatch(f"line 1:1: Cannot cast {source} to {target}")
    if to_duckdb(source) == to_duckdb(target) and source.base != "row":
        return value.sql
    if target.base == "array":
        item = _lambda(lambda e: cast(Value(e, source.items[0]), target.items[0]).sql)
        return f"list_transform({value.sql}, {item})"
    if target.base == "map":
        entry = _lambda(
            lambda e: (
                f"row({cast(Value(f'{e}.key', source.items[0]), target.items[0]).sql}, "
                f"{cast(Value(f'{e}.value', source.items[1]), target.items[1]).sql})"
            )
        )
        return f"map_from_entries(list_transform(map_entries({value.sql}), {entry}))"
    names = zip(field_names(source), field_names(target), source.items, target.items, strict=True)
    fields = (
        f'"{new}" := {cast(Value(f"struct_extract({value.sql}, {quote(old)})", old_type), new_type).sql}'
        for old, new, old_type, new_type in names
    )
    return f"case when {value.sql} is not null then struct_pack({', '.join(fields)}) end"


def _to_json(value: Value) -> str:
    if value.type.base == "row" and None in value.type.names:
        raise NotEmulatedError("JSON of a row whose fields have no names")
    if value.type.base in ("timestamp", "date"):
        return f"to_json({_to_text(value, types.VARCHAR)})"
    # A varchar becomes a JSON string, not what the text would parse to.
    return f"to_json({value.sql})"


def _from_json(value: Value, target: SqlType) -> str:
    """A scalar of a JSON text, number or boolean: https://trino.io/docs/current/functions/json.html#cast-from-json."""
    kind, text = f"json_type({value.sql})", f"json_extract_string({value.sql}, '$')"
    number = Value(f"cast({text} as double)", types.DOUBLE)
    truth = Value(f"cast({text} as boolean)", types.BOOLEAN)
    nested = f"cast(trino_no_cast({value.sql}, '{target}') as {to_duckdb(target)})"
    branches = [(f"{kind} in ('OBJECT', 'ARRAY')", nested)]
    if target.base != "decimal":
        branches.append((f"{kind} = 'DOUBLE'", cast(number, target).sql))
    if not target.is_text:
        branches.append((f"{kind} = 'BOOLEAN'", cast(truth, target).sql))
    plain = cast(Value(text, types.VARCHAR), target).sql
    return f"case {' '.join(f'when {when} then {then}' for when, then in branches)} else {plain} end"


def _json_field(entries: str, name: str) -> Value:
    """The value of an object's field; names match in any case."""
    found = f"list_filter(map_entries({entries}), {_lambda(lambda e: f'lower({e}.key) = {quote(name)}')})"
    return Value(f"{found}[1].value", types.JSON)


def _from_json_nested(value: Value, target: SqlType) -> str:
    """An array, a map or a row, element by element."""
    if target.base == "array":
        item = _lambda(lambda e: cast(Value(e, types.JSON), target.items[0]).sql)
        return f"list_transform(cast({value.sql} as json[]), {item})"
    entries = f"cast({value.sql} as map(varchar, json))"
    if target.base == "map":
        entry = _lambda(
            lambda e: (
                f"row({cast(Value(f'{e}.key', types.VARCHAR), target.items[0]).sql}, "
                f"{cast(Value(f'{e}.value', types.JSON), target.items[1]).sql})"
            )
        )
        return f"map_from_entries(list_transform(map_entries({entries}), {entry}))"
    if None in target.names:
        raise NotEmulatedError(f"a cast from json to {target}")
    fields = (
        f'"{name}" := {cast(_json_field(entries, name), kind).sql}'
        for name, kind in zip(field_names(target), target.items, strict=True)
    )
    return f"case when {entries} is not null then struct_pack({', '.join(fields)}) end"


def _whole_number(value: Value, target: SqlType) -> str:
    """Of a text: one that is too large is no more a number of the type than one that is none at all."""
    failed = f"'INVALID_CAST_ARGUMENT: Cannot cast ''' || {value.sql} || ''' to {target}'"
    read = f"try_cast(trino_text_to_integer({value.sql}) as {to_duckdb(target)})"
    return f"case when {value.sql} is not null then coalesce({read}, {_plain(f'trino_fail({failed})', target)}) end"


def _cast_sql(value: Value, target: SqlType) -> str:  # noqa: PLR0911 - one for each pair of families
    source = value.type
    if target.base == "char":
        raise NotEmulatedError("char, whose values are padded with spaces; use varchar")
    if target.base == "json":
        return _to_json(value)
    if source.base == "json":
        return _from_json_nested(value, target) if target.items else _from_json(value, target)
    if target.is_text:
        return _to_text(value, target)
    if source.is_text and target.is_integer:
        return _whole_number(value, target)
    if source.is_text:
        read = _plain(_FROM_TEXT[target.base].format(value.sql), target)
        return round_time(Value(read, target)) if target.base == "timestamp" else read
    if target.items:
        return _to_nested(value, target)
    if target.base == "timestamp" or (target.base == "date" and source.base == "timestamp with time zone"):
        return _to_timestamp(value, target)
    if target.is_integer and source.base in ("real", "double", "decimal"):
        # Half away from zero; DuckDB's cast of a double rounds half to even.
        return _plain(f"round({value.sql})", target)
    return _plain(value.sql, target)


def cast(value: Value, target: SqlType) -> Value:
    """The value as `target`, or the error with which Trino refuses the cast."""
    source = value.type
    if source.base == "unknown":
        return Value(_plain("null", target), target)
    if target.base not in _CASTS[source.base]:
        raise type_mismatch(f"line 1:1: Cannot cast {source} to {target}")
    if target.base == source.base == "timestamp with time zone":
        return Value(value.sql, types.timestamp_tz(target.args[0], source.zone))
    if source == target:
        return Value(value.sql, target, value.literal)
    return Value(_cast_sql(value, target), target)


def coerce(value: Value, target: SqlType) -> Value:
    """The value as a type that it coerces to: the caller has made sure that it does."""
    if value.type == target:
        return value
    if value.type.base == target.base and not target.items and target.base != "decimal":
        return Value(value.sql, target, value.literal)
    return Value(cast(value, target).sql, target, value.literal)


def store(value: Value, target: SqlType, column: str) -> Value:
    """The value as INSERT, MERGE and UPDATE put it into a column, which narrows no numbers."""
    source = value.type
    if source.is_text and target.is_text:
        if not target.args or (source.args and source.args <= target.args):
            return Value(value.sql, target)
        message = f"'INVALID_CAST_ARGUMENT: Cannot truncate non-space characters when casting to {target} on INSERT'"
        fits = f"length(rtrim({value.sql})) <= {target.args[0]}"
        return Value(
            f"case when {value.sql} is null or {fits} then {value.sql} else cast(trino_fail({message}) as varchar) end",
            target,
        )
    if source.base == target.base == "timestamp" or types.coerces(source, target):
        return cast(value, target)
    raise type_mismatch(
        f"Insert query has mismatched column types: column {column} is {target}, and the query gives {source}"
    )
