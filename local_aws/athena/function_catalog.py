"""Trino's scalar functions, aggregates and window functions: https://trino.io/docs/current/functions.html.

Lambdas (`transform`, `filter` …), `try`, `coalesce` and other special forms are in `expressions.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from local_aws.athena import regexps, types
from local_aws.athena.casts import cast, round_time, timestamp_text, wall_clock
from local_aws.athena.date_formats import joda_to_strftime, mysql_to_strftime
from local_aws.athena.errors import AthenaError, NotEmulatedError
from local_aws.athena.functions import Registry, Value, failure, literal_of, quote
from local_aws.athena.types import SqlType

SCALARS, AGGREGATES, WINDOWS = Registry(), Registry(), Registry()

_scalar = SCALARS.add
_aggregate = AGGREGATES.add
_window = WINDOWS.add

# -------------------- text

for _name in ("lower", "upper", "reverse"):
    _scalar(_name, "varchar", "$0", f"{_name}({{0}})")
_scalar("length", "varchar", "bigint", "length({0})")
_scalar("length", "varbinary", "bigint", "octet_length({0})")
# All that Java calls white space; DuckDB would take blanks only.
_WHITE = "".join(map(chr, [*range(9, 14), *range(28, 33), 0x1680, *range(0x2000, 0x2007), *range(0x2008, 0x200B)]))
_WHITE += "\u2028\u2029\u205f\u3000"
for _name in ("trim", "ltrim", "rtrim"):
    _scalar(_name, "varchar", "$0", f"{_name}({{0}}, '{_WHITE}')")
    _scalar(_name, "varchar varchar", "$0", f"{_name}({{0}}, {{1}})")
_scalar("substr substring", "varchar bigint", "$0", "trino_substr({0}, {1})")
_scalar("substr substring", "varchar bigint bigint", "$0", "trino_substr_of({0}, {1}, {2})")


def _replaced_type(args: Sequence[Value]) -> SqlType:
    if not args[0].type.args or not args[2].type.args:
        return types.VARCHAR
    size, new = args[0].type.args[0], args[2].type.args[0]
    longest = size + new * (size + 1)
    return types.varchar(longest) if longest < 2**31 - 1 else types.VARCHAR


_scalar("replace", "varchar varchar", "$0", "replace({0}, {1}, '')")
_scalar("replace", "varchar varchar varchar", _replaced_type, "trino_replace({0}, {1}, {2})")
_scalar("concat", "varchar varchar …", "varchar", lambda a: "(" + " || ".join(v.sql for v in a) + ")")
_scalar("concat", "array(T) array(T) …", "array(T)", lambda a: "(" + " || ".join(v.sql for v in a) + ")")
_scalar("concat", "varbinary varbinary …", "varbinary", lambda a: "(" + " || ".join(v.sql for v in a) + ")")
_scalar("concat_ws", "varchar varchar …", "varchar", "concat_ws({args})")
_scalar("concat_ws", "varchar array(T)", "varchar", "array_to_string(list_filter({1}, lambda x: x is not null), {0})")
_scalar("split", "varchar varchar", lambda a: types.array(a[0].type), "trino_split({0}, {1})")
_scalar("split_part", "varchar varchar bigint", "$0", "trino_split_part({0}, {1}, {2})")
_scalar("strpos", "varchar varchar", "bigint", "cast(strpos({0}, {1}) as bigint)")
_scalar("starts_with", "varchar varchar", "boolean", "starts_with({0}, {1})")
_scalar("ends_with", "varchar varchar", "boolean", "ends_with({0}, {1})")
for _name in ("lpad", "rpad"):
    _scalar(_name, "varchar bigint varchar", "varchar", f"trino_{_name}({{0}}, {{1}}, {{2}})")
_scalar("chr", "bigint", lambda _: types.varchar(1), "chr(cast({0} as integer))")


def _one_character(args: Sequence[Value]) -> SqlType:
    if args[0].type.args != (1,):
        raise AthenaError(
            "FUNCTION_NOT_FOUND",
            f"line 1:1: Unexpected parameters ({args[0].type}) for function codepoint. Expected: codepoint(varchar(1))",
        )
    return types.INTEGER


_scalar("codepoint", "varchar", _one_character, "unicode({0})")
_scalar("translate", "varchar varchar varchar", "varchar", "translate({0}, {1}, {2})")
_scalar("levenshtein_distance", "varchar varchar", "bigint", "cast(levenshtein({0}, {1}) as bigint)")
_scalar("hamming_distance", "varchar varchar", "bigint", "cast(hamming({0}, {1}) as bigint)")
_scalar("normalize", "varchar", "varchar", "nfc_normalize({0})")
_scalar("url_encode", "varchar", "varchar", "replace(url_encode({0}), '%20', '+')")
_scalar("url_decode", "varchar", "varchar", "url_decode(replace({0}, '+', '%20'))")

# -------------------- regular expressions


def _with_pattern(template: str) -> Callable[[Sequence[Value]], str]:
    return lambda args: template.format(args[0].sql, regexps.pattern_sql(args[1]))


def _array_of_first(args: Sequence[Value]) -> SqlType:
    return types.array(args[0].type)


_scalar("regexp_like", "varchar varchar", "boolean", _with_pattern("regexp_matches({0}, {1})"))
_scalar("regexp_extract", "varchar varchar", "$0", _with_pattern("trino_regexp_extract({0}, {1}, 0)"))
_scalar("regexp_extract", "varchar varchar bigint", "$0", regexps.extract)
_scalar("regexp_extract_all", "varchar varchar", _array_of_first, _with_pattern("regexp_extract_all({0}, {1})"))
_scalar("regexp_extract_all", "varchar varchar bigint", _array_of_first, regexps.extract_all)
_scalar("regexp_replace", "varchar varchar", "$0", _with_pattern("regexp_replace({0}, {1}, '', 'g')"))
_scalar("regexp_replace", "varchar varchar varchar", regexps.replaced_type, regexps.replace)
_scalar("regexp_count", "varchar varchar", "bigint", _with_pattern("cast(len(regexp_extract_all({0}, {1})) as bigint)"))
_scalar("regexp_split", "varchar varchar", _array_of_first, _with_pattern("string_split_regex({0}, {1})"))

# -------------------- binary

_scalar("to_utf8", "varchar", "varbinary", "encode({0})")
_scalar("from_utf8", "varbinary", "varchar", "decode({0})")
_scalar("to_hex", "varbinary", "varchar", "hex({0})")
_scalar("from_hex", "varchar", "varbinary", "unhex({0})")
_scalar("to_base64", "varbinary", "varchar", "to_base64({0})")
_scalar("from_base64", "varchar", "varbinary", "from_base64({0})")
_scalar("md5", "varbinary", "varbinary", "unhex(md5({0}))")
_scalar("sha1", "varbinary", "varbinary", "unhex(sha1({0}))")
_scalar("sha256", "varbinary", "varbinary", "unhex(sha256({0}))")

# -------------------- numbers


def _rounded(args: Sequence[Value]) -> SqlType:
    kind = args[0].type
    if kind.base != "decimal":
        return kind
    precision, scale = kind.args
    return types.decimal(min(38, precision - scale + min(1, scale)), 0)


def _rounded_to(args: Sequence[Value]) -> SqlType:
    kind = args[0].type
    return types.decimal(min(38, kind.args[0] + 1), kind.args[1]) if kind.base == "decimal" else kind


def _as_result(sql: str, result: SqlType) -> str:
    return f"cast({sql} as {types.to_duckdb(result)})"


def _modulus(args: Sequence[Value]) -> str:
    zero = "cast(trino_fail('DIVISION_BY_ZERO: Division by zero') as bigint)"
    remainder = f"({args[0].sql} % {args[1].sql})"
    if args[0].type.base in ("real", "double"):
        return remainder
    return _as_result(f"case when {args[1].sql} = 0 then {zero} else {remainder} end", args[0].type)


_scalar("abs", "number", "$0", "abs({0})")
_scalar("sign", "number", "$0", lambda a: _as_result(f"sign({a[0].sql})", a[0].type))
for _name in ("ceil", "ceiling"):
    _scalar(_name, "number", _rounded, lambda a: _as_result(f"ceil({a[0].sql})", _rounded(a)))
_scalar("floor", "number", _rounded, lambda a: _as_result(f"floor({a[0].sql})", _rounded(a)))
_scalar("round", "number", _rounded, lambda a: _as_result(f"round({a[0].sql})", _rounded(a)))
_scalar(
    "round",
    "number integer",
    _rounded_to,
    lambda a: _as_result(f"round({a[0].sql}, {literal_of(a[1], 'the digits of round')})", _rounded_to(a)),
)
_scalar("truncate", "number", _rounded, lambda a: _as_result(f"trunc({a[0].sql})", _rounded(a)))
_scalar("mod", "N N", "N", _modulus)
for _name in ("exp", "degrees", "radians", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh"):
    _scalar(_name, "double", "double", f"{_name}({{0}})")
# Java's mathematics have no errors: NaN and infinities, where DuckDB fails.
_scalar("sqrt", "double", "double", "case when {0} < 0 then cast('NaN' as double) else sqrt({0}) end")
_scalar("cbrt", "double", "double", "trino_cbrt({0})")
for _name in ("ln", "log2", "log10"):
    _scalar(_name, "double", "double", f"trino_log({{0}}, {_name}(greatest({{0}}, 1e-323)))")
for _name in ("asin", "acos"):
    _scalar(
        _name,
        "double",
        "double",
        f"case when abs({{0}}) > 1 then cast('NaN' as double) else {_name}(greatest(-1, least(1, {{0}}))) end",
    )
_scalar("atan2", "double double", "double", "atan2({0}, {1})")
_scalar(
    "log",
    "double double",
    "double",
    "(trino_log({1}, ln(greatest({1}, 1e-323))) / trino_log({0}, ln(greatest({0}, 1e-323))))",
)
_scalar("power pow", "double double", "double", "pow({0}, {1})")
_scalar("pi", "", "double", "pi()")
_scalar("e", "", "double", "exp(cast(1 as double))")
_scalar("infinity", "", "double", "cast('Infinity' as double)")
_scalar("nan", "", "double", "cast('NaN' as double)")
_scalar("is_nan", "double", "boolean", "isnan({0})")
_scalar("is_finite", "double", "boolean", "isfinite({0})")
_scalar("is_infinite", "double", "boolean", "isinf({0})")
_scalar("rand random", "", "double", "random()")
_scalar("bitwise_and", "bigint bigint", "bigint", "({0} & {1})")
_scalar("bitwise_or", "bigint bigint", "bigint", "({0} | {1})")
_scalar("bitwise_xor", "bigint bigint", "bigint", "xor({0}, {1})")
_scalar("bitwise_not", "bigint", "bigint", "(~{0})")
_scalar(
    "bit_count",
    "bigint bigint",
    "bigint",
    "cast(bit_count({0} & ((cast(1 as hugeint) << {1}::integer) - 1)) as bigint)",
)
for _name, _sign in (("greatest", ">="), ("least", "<=")):
    _scalar(
        _name,
        "T …",
        "T",
        lambda a, name=_name: (  # type: ignore[misc]
            f"case when {' or '.join(f'{v.sql} is null' for v in a)} then null "
            f"else {name}({', '.join(v.sql for v in a)}) end"
        ),
    )

# -------------------- dates and times

UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")


def _unit(value: Value, function: str) -> str:
    unit = literal_of(value, f"the unit of {function}").lower()
    if unit not in UNITS:
        raise AthenaError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid field")
    return unit


def _date_only_unit(value: Value, kind: SqlType, function: str) -> str:
    unit = _unit(value, function)
    if kind.base == "date" and unit in UNITS[:4]:
        raise AthenaError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid DATE field")
    return unit


def _in_zone(value: Value, compute: Callable[[str], str]) -> str:
    """What `compute` makes of a time's wall clock; where the time has a zone, it gets that back."""
    result = compute(wall_clock(value))
    if value.type.base == "timestamp with time zone":
        return f"timezone({quote(value.type.zone)}, {result})"
    return _as_result(result, value.type)


def _date_add(args: Sequence[Value]) -> str:
    unit = _date_only_unit(args[0], args[2].type, "date_add")
    step = {"quarter": "interval '3' month", "week": "interval '7' day"}.get(unit, f"interval '1' {unit}")
    if unit in UNITS[:4]:
        # The length of an hour is the same whatever the zone's clocks do.
        moved = Value(_as_result(f"({args[2].sql} + {args[1].sql} * {step})", args[2].type), args[2].type)
        return round_time(moved)
    return _in_zone(args[2], lambda clock: f"({clock} + {args[1].sql} * {step})")


def _date_diff(args: Sequence[Value]) -> str:
    # Trino counts whole units that have passed, with a sign; that is DuckDB's date_sub.
    unit = _date_only_unit(args[0], args[1].type, "date_diff")
    ends = [value.sql if unit in UNITS[:4] else wall_clock(value, args[1].type.zone) for value in args[1:]]
    return f"cast(date_sub({quote(unit)}, {ends[0]}, {ends[1]}) as bigint)"


def _date_diff_of_two_kinds(args: Sequence[Value]) -> str:
    if args[1].type.base not in ("date", "timestamp", "timestamp with time zone"):
        raise AthenaError(
            "FUNCTION_NOT_FOUND",
            f"line 1:1: Unexpected parameters ({', '.join(str(arg.type) for arg in args)}) for function date_diff",
        )
    return _date_diff(args)


def _date_trunc(args: Sequence[Value]) -> str:
    unit = _date_only_unit(args[0], args[1].type, "date_trunc")
    return _in_zone(args[1], lambda clock: f"date_trunc({quote(unit)}, {clock})")


for _kind in ("date", "timestamp", "timestamp_tz"):
    _scalar("date_add", f"varchar bigint {_kind}", "$2", _date_add)
    _scalar("date_diff", f"varchar {_kind} {_kind}", "bigint", _date_diff)
    _scalar("date_trunc", f"varchar {_kind}", "$1", _date_trunc)
_scalar("date_diff", "varchar T T", "bigint", _date_diff_of_two_kinds)

PARTS = {
    "year": "year",
    "quarter": "quarter",
    "month": "month",
    "week": "week",
    "week_of_year": "week",
    "day": "day",
    "day_of_month": "day",
    "day_of_week": "isodow",
    "dow": "isodow",
    "day_of_year": "doy",
    "doy": "doy",
    "year_of_week": "isoyear",
    "yow": "isoyear",
}
TIME_PARTS = {"hour": "hour", "minute": "minute"}


def _part_of(template: str) -> Callable[[Sequence[Value]], str]:
    """A part of the time that the clocks of its zone show."""
    return lambda args: template.format(wall_clock(args[0]))


for _name, _part in PARTS.items():
    for _kind in ("date", "timestamp", "timestamp_tz"):
        _scalar(_name, _kind, "bigint", _part_of(f"extract({_part} from {{0}})"))
for _kind in ("timestamp", "timestamp_tz", "time"):
    for _name, _part in TIME_PARTS.items():
        _scalar(_name, _kind, "bigint", _part_of(f"extract({_part} from {{0}})"))
    _scalar("second", _kind, "bigint", _part_of("cast(floor(extract(second from {0})) as bigint)"))
    _scalar("millisecond", _kind, "bigint", _part_of("cast(extract(millisecond from {0}) % 1000 as bigint)"))
# https://trino.io/docs/current/functions/datetime.html: the parts of intervals
for _name, _step in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1000)):
    _modulo = "" if _name == "day" else " % 24" if _name == "hour" else " % 60"
    _scalar(_name, "day_to_second", "bigint", f"cast(trunc(epoch_ms({{0}}) / {_step}){_modulo} as bigint)")
_scalar("year", "year_to_month", "bigint", "extract(year from {0})")
_scalar("month", "year_to_month", "bigint", "extract(month from {0})")
_scalar("millisecond", "day_to_second", "bigint", "cast(epoch_ms({0}) % 1000 as bigint)")
_scalar("to_milliseconds", "day_to_second", "bigint", "cast(epoch_ms({0}) as bigint)")
_scalar("date", "varchar", "date", "trino_text_to_date({0})")
_scalar("date", "timestamp", "date", "cast({0} as date)")
_scalar("date", "timestamp_tz", "date", lambda a: f"cast({wall_clock(a[0])} as date)")
_scalar("last_day_of_month", "date", "date", "last_day({0})")
_scalar("last_day_of_month", "timestamp", "date", "last_day({0})")
_scalar("last_day_of_month", "timestamp_tz", "date", lambda a: f"last_day({wall_clock(a[0])})")
_scalar("now", "", "timestamp_tz", "cast(date_trunc('millisecond', now()) as timestamptz)")
_scalar("current_timezone", "", "varchar", "'UTC'")
_scalar("from_unixtime", "double", "timestamp_tz", "make_timestamptz(cast(round({0} * 1000) as bigint) * 1000)")
_scalar(
    "from_unixtime",
    "double varchar",
    lambda a: types.timestamp_tz(3, literal_of(a[1], "the zone of from_unixtime")),
    "make_timestamptz(cast(round({0} * 1000) as bigint) * 1000)",
)
_scalar("to_unixtime", "timestamp", "double", "(epoch_us({0}) / cast(1000000 as double))")
_scalar("to_unixtime", "timestamp_tz", "double", "(epoch_us({0}) / cast(1000000 as double))")
_scalar(
    "at_timezone",
    "timestamp_tz varchar",
    lambda a: types.timestamp_tz(a[0].type.args[0], literal_of(a[1], "the zone of at_timezone")),
    "{0}",
)
_scalar(
    "with_timezone",
    "timestamp varchar",
    lambda a: types.timestamp_tz(a[0].type.args[0], literal_of(a[1], "the zone of with_timezone")),
    "timezone({1}, {0})",
)
_scalar("from_iso8601_timestamp", "varchar", "timestamp_tz", "trino_iso8601_to_zoned({0})")
_scalar("from_iso8601_date", "varchar", "date", "trino_text_to_date({0})")
_scalar("to_iso8601", "date", "varchar", "strftime({0}, '%Y-%m-%d')")


def _iso8601(args: Sequence[Value]) -> str:
    value = args[0]
    text = f"replace({timestamp_text(wall_clock(value), value.type.args[0])}, ' ', 'T')"
    if value.type.base == "timestamp":
        return text
    if value.type.zone != "UTC":
        raise NotEmulatedError(f"to_iso8601 of a time in the zone {value.type.zone}")
    return f"({text} || 'Z')"


for _kind in ("timestamp", "timestamp_tz"):
    _scalar("to_iso8601", _kind, "varchar", _iso8601)


def _date_format(args: Sequence[Value]) -> str:
    pattern = mysql_to_strftime(literal_of(args[1], "the format of date_format"))
    return f"strftime({wall_clock(args[0])}, {quote(pattern)})"


def _date_parse(args: Sequence[Value]) -> str:
    pattern = mysql_to_strftime(literal_of(args[1], "the format of date_parse"))
    return f"trino_date_parse({args[0].sql}, {quote(pattern)})"


def _format_datetime(args: Sequence[Value]) -> str:
    pattern = joda_to_strftime(literal_of(args[1], "the format of format_datetime"))
    return f"strftime({wall_clock(args[0])}, {quote(pattern)})"


def _parse_datetime(args: Sequence[Value]) -> str:
    pattern = joda_to_strftime(literal_of(args[1], "the format of parse_datetime"))
    return f"timezone('UTC', trino_date_parse({args[0].sql}, {quote(pattern)}))"


for _kind in ("timestamp", "timestamp_tz", "date"):
    _scalar("date_format", f"{_kind} varchar", "varchar", _date_format)
    _scalar("format_datetime", f"{_kind} varchar", "varchar", _format_datetime)
_scalar("date_parse", "varchar varchar", "timestamp", _date_parse)
_scalar("parse_datetime", "varchar varchar", "timestamp_tz", _parse_datetime)

# -------------------- arrays and maps

_scalar("cardinality", "array(T)", "bigint", "len({0})")
_scalar("cardinality", "map(K,V)", "bigint", "cast(cardinality({0}) as bigint)")
_scalar("contains", "array(T) T", "boolean", "trino_contains({0}, {1})")


def _array_element(args: Sequence[Value]) -> str:
    failed = failure("INVALID_FUNCTION_ARGUMENT", "SQL array indices start at 1", args[0].type.items[0])
    return f"case when {args[1].sql} = 0 then {failed} else ({args[0].sql})[{args[1].sql}] end"


_scalar("element_at", "array(T) bigint", "T", _array_element)
_scalar("element_at", "map(K,V) K", "V", "({0})[{1}]")
_scalar("array_distinct", "array(T)", "array(T)", "trino_distinct({0})")


def _array_join(args: Sequence[Value]) -> str:
    """Elements become text by Trino's casts; nulls are left out, or written as the third argument says."""
    text = cast(Value("x", args[0].type.items[0]), types.VARCHAR).sql
    if len(args) == 3:
        return (
            f"array_to_string(list_transform({args[0].sql}, lambda x: coalesce({text}, {args[2].sql})), {args[1].sql})"
        )
    texts = f"list_transform(list_filter({args[0].sql}, lambda x: x is not null), lambda x: {text})"
    return f"array_to_string({texts}, {args[1].sql})"


_scalar("array_join", "array(T) varchar", "varchar", _array_join)
_scalar("array_join", "array(T) varchar varchar", "varchar", _array_join)
_scalar(
    "array_max",
    "array(T)",
    "T",
    "case when list_contains(list_transform({0}, lambda x: x is null), true) then null else list_max({0}) end",
)
_scalar(
    "array_min",
    "array(T)",
    "T",
    "case when list_contains(list_transform({0}, lambda x: x is null), true) then null else list_min({0}) end",
)
_scalar(
    "array_position",
    "array(T) T",
    "bigint",
    "case when {0} is not null and {1} is not null then coalesce(cast(list_position({0}, {1}) as bigint), 0) end",
)
_scalar("array_remove", "array(T) T", "array(T)", "list_filter({0}, lambda x: x is distinct from {1})")
_scalar("array_sort", "array(T)", "array(T)", "list_sort({0}, 'asc', 'nulls last')")
_scalar("array_union", "array(T) array(T)", "array(T)", "trino_distinct({0} || {1})")
for _name, _sign in (("array_intersect", ">"), ("array_except", "=")):
    _scalar(
        _name,
        "array(T) array(T)",
        "array(T)",
        f"case when {{1}} is not null then list_filter(trino_distinct({{0}}), "
        f"lambda x: coalesce(list_position({{1}}, x), 0) {_sign} 0) end",
    )
_scalar("arrays_overlap", "array(T) array(T)", "boolean", "trino_overlap({0}, {1})")


def _slice(args: Sequence[Value]) -> str:
    items, start, size = (arg.sql for arg in args)
    begin = f"trino_slice({items}, {start}, {size})[1]"
    return f"case when {begin} = 0 then {items}[:0] else list_slice({items}, {begin}, {begin} + {size} - 1) end"


_scalar("slice", "array(T) bigint bigint", "array(T)", _slice)
_scalar("reverse", "array(T)", "array(T)", "list_reverse({0})")
_scalar("repeat", "T bigint", "array(T)", "list_transform(range(0, {1}), lambda x: {0})")
_scalar(
    "sequence",
    "bigint bigint",
    lambda _: types.array(types.BIGINT),
    "trino_sequence({0}, {1}, case when {1} >= {0} then 1 else -1 end)",
)
_scalar("sequence", "bigint bigint bigint", lambda _: types.array(types.BIGINT), "trino_sequence({0}, {1}, {2})")
_scalar(
    "sequence",
    "date date",
    lambda _: types.array(types.DATE),
    "trino_date_sequence({0}, {1}, case when {1} >= {0} then 1 else -1 end)",
)
_scalar(
    "sequence",
    "date date day_to_second",
    lambda _: types.array(types.DATE),
    "trino_date_sequence({0}, {1}, trino_whole_days({2}))",
)
_scalar(
    "sequence",
    "timestamp timestamp day_to_second",
    lambda a: types.array(a[0].type),
    "trino_time_sequence({0}, {1}, {2})",
)
for _kind in ("date", "timestamp"):
    _scalar(
        "sequence",
        f"{_kind} {_kind} year_to_month",
        lambda a: types.array(a[0].type),
        lambda a: _as_result(f"trino_month_sequence({a[0].sql}, {a[1].sql}, {a[2].sql})", types.array(a[0].type)),
    )
_scalar("flatten", "array(T)", lambda a: a[0].type.items[0], "flatten({0})")
_scalar(
    "zip",
    "array(A) array(B)",
    lambda a: types.array(types.row((a[0].type.items[0], a[1].type.items[0]))),
    "list_transform(list_zip({0}, {1}), lambda x: {{'field0': x[1], 'field1': x[2]}})",
)
_scalar("map", "", lambda _: types.map_of(types.UNKNOWN, types.UNKNOWN), "map([]::integer[], []::integer[])")
_scalar("map", "array(K) array(V)", "map(K,V)", "map({0}, {1})")
_scalar(
    "map_entries",
    "map(K,V)",
    lambda a: types.array(types.row(a[0].type.items)),
    "list_transform(map_entries({0}), lambda e: {{'field0': e.key, 'field1': e.value}})",
)
_scalar("map_keys", "map(K,V)", "array(K)", "map_keys({0})")
_scalar("map_values", "map(K,V)", "array(V)", "map_values({0})")
_scalar("map_concat", "map(K,V) map(K,V) …", "map(K,V)", "map_concat({args})")
_scalar(
    "map_from_entries",
    "array(R)",
    lambda a: types.map_of(a[0].type.items[0].items[0], a[0].type.items[0].items[1]),
    "map_from_entries({0})",
)
_scalar(
    "split_to_map",
    "varchar varchar varchar",
    lambda _: types.map_of(types.VARCHAR, types.VARCHAR),
    "map_from_entries(list_transform(string_split({0}, {1}), "
    "lambda x: row(split_part(x, {2}, 1), split_part(x, {2}, 2))))",
)

# -------------------- json and others


_STEP = re.compile(r"\.(?P<name>[\w:]+)|\[(?P<subscript>\w+)\]|\[\"(?P<quoted>(?:[^\"\\]|\\[\"\\])*)\"\]")


def _path(value: Value, function: str) -> str:
    """A path in DuckDB's words; it has the few forms of Trino's JsonPathTokenizer."""
    path = literal_of(value, f"the path of {function}")
    steps, last = [], 1
    for found in _STEP.finditer(path, 1):
        if found.start() != last:
            break
        last = found.end()
        name = found["name"] or found["subscript"] or re.sub(r"\\(.)", r"\1", found["quoted"] or "")
        if name.isdigit() and not found["subscript"]:
            raise NotEmulatedError(f"the JSON path {path}: a number that is not in plain brackets")
        if '"' in name or "*" in name:
            raise NotEmulatedError(f"the JSON path {path}")
        steps.append(f"[{name}]" if name.isdigit() else f'."{name}"')
    if not path.startswith("$") or last != len(path):
        raise AthenaError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{path}'")
    return quote("$" + "".join(steps))


def _text_as_json(value: Value) -> str:
    """What is no JSON is null: the functions of paths fail on nothing."""
    return value.sql if value.type.base == "json" else f"trino_json_or_null({value.sql})"


def _json_extract(args: Sequence[Value]) -> str:
    return f"json_extract({_text_as_json(args[0])}, {_path(args[1], 'json_extract')})"


def _json_extract_scalar(args: Sequence[Value]) -> str:
    where = f"{_text_as_json(args[0])}, {_path(args[1], 'json_extract_scalar')}"
    is_scalar = f"json_type({where}) not in ('OBJECT', 'ARRAY', 'NULL')"
    return f"case when {is_scalar} then json_extract_string({where}) end"


def _json_array_length(args: Sequence[Value]) -> str:
    return f"trino_json_array_length({_text_as_json(args[0])})"


def _json_size(args: Sequence[Value]) -> str:
    return f"trino_json_size(json_extract({_text_as_json(args[0])}, {_path(args[1], 'json_size')}))"


for _kind in ("json", "varchar"):
    _scalar("json_extract", f"{_kind} varchar", "json", _json_extract)
    _scalar("json_extract_scalar", f"{_kind} varchar", "$0" if _kind == "varchar" else "varchar", _json_extract_scalar)
    _scalar("json_array_length", _kind, "bigint", _json_array_length)
    _scalar("json_size", f"{_kind} varchar", "bigint", _json_size)
_scalar("json_parse", "varchar", "json", "trino_json_parse({0})")
_scalar("json_format", "json", "varchar", "cast({0} as varchar)")
_scalar("uuid", "", "uuid", "gen_random_uuid()")
_scalar("version", "", "varchar", "'Athena engine version 3'")

# -------------------- aggregates

_BIG = "cast({0} as bigint)"
_aggregate("count", "any", "bigint", "count({0})")
_aggregate("count_if", "boolean", "bigint", "count(case when {0} then 1 end)")
_aggregate("sum", "whole", "bigint", "sum({0})", wrap=_BIG)
_aggregate("sum", "decimal", lambda a: types.decimal(38, a[0].type.args[1]), "sum({0})")
_aggregate("sum", "real", "real", "sum({0})")
_aggregate("sum", "double", "double", "sum({0})")
_aggregate("sum", "day_to_second", "$0", "sum(epoch_ms({0}))", wrap="to_milliseconds(cast({0} as bigint))")
_aggregate("avg", "day_to_second", "$0", "avg(epoch_ms({0}))", wrap="to_milliseconds(cast(round({0}) as bigint))")
_aggregate("avg", "whole", "double", "avg({0})")
_aggregate("avg", "decimal", "$0", "avg({0})")
_aggregate("avg", "real", "real", "avg({0})")
_aggregate("avg", "double", "double", "avg({0})")
for _name in ("min", "max"):
    _aggregate(_name, "orderable", "$0", f"{_name}({{0}})")
_aggregate("arbitrary any_value", "any", "$0", "any_value({0})")
_aggregate("array_agg", "T", "array(T)", "list({0})")
_aggregate("bool_and every", "boolean", "boolean", "bool_and({0})")
_aggregate("bool_or", "boolean", "boolean", "bool_or({0})")
_aggregate("max_by", "any orderable", "$0", "arg_max_null({0}, {1})")
_aggregate("min_by", "any orderable", "$0", "arg_min_null({0}, {1})")
_aggregate("approx_distinct", "any", "bigint", "count(distinct {0})")
for _kind in ("bigint", "double"):
    _aggregate("approx_percentile", f"{_kind} double", _kind, "quantile_disc({0}, {1})")
    _aggregate(
        "approx_percentile",
        f"{_kind} array(D)",
        lambda _, kind=_kind: types.array(types.BIGINT if kind == "bigint" else types.DOUBLE),  # type: ignore[misc]
        "quantile_disc({0}, cast({1} as double[]))",
    )
for _name in ("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop", "skewness", "kurtosis"):
    _aggregate(_name, "double", "double", f"{_name}({{0}})")
for _name in ("corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept"):
    _aggregate(_name, "double double", "double", f"{_name}({{0}}, {{1}})")
_aggregate("geometric_mean", "double", "double", "geomean({0})")
_aggregate("bitwise_and_agg", "bigint", "bigint", "bit_and({0})")
_aggregate("bitwise_or_agg", "bigint", "bigint", "bit_or({0})")
_aggregate("map_agg", "K V", "map(K,V)", "list(row({0}, {1}))", wrap="map_from_entries({0})")
_aggregate("histogram", "T", lambda a: types.map_of(a[0].type, types.BIGINT), "histogram({0})")

# -------------------- window functions

for _name in ("row_number", "rank", "dense_rank"):
    _window(_name, "", "bigint", f"{_name}()")
for _name in ("percent_rank", "cume_dist"):
    _window(_name, "", "double", f"{_name}()")
_window("ntile", "bigint", "bigint", "ntile({0})")
for _name in ("first_value", "last_value"):
    _window(_name, "any", "$0", f"{_name}({{0}})")
_window("nth_value", "any bigint", "$0", "nth_value({0}, {1})")
for _name in ("lag", "lead"):
    _window(_name, "any", "$0", f"{_name}({{0}})")
    _window(_name, "any bigint", "$0", f"{_name}({{0}}, {{1}})")
    _window(_name, "T bigint T", "T", f"{_name}({{0}}, {{1}}, {{2}})")
