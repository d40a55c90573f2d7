"""Trino's types: how they are written, what coerces into what, and what they are in Hive and in DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from local_aws.athena.errors import AthenaError, NotEmulatedError, syntax_error

MAX_DECIMAL = 38
INTEGERS = ("tinyint", "smallint", "integer", "bigint")
_INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_APPROXIMATE = ("real", "double")


@dataclass(frozen=True)
class SqlType:
    """A Trino type. `zone` is where a timestamp with time zone is shown, which its values do not carry here."""

    base: str
    args: tuple[int, ...] = ()
    items: tuple[SqlType, ...] = ()
    names: tuple[str | None, ...] = ()
    zone: str = "UTC"

    def __str__(self) -> str:
        """As Trino writes it."""
        if self.base == "row":
            fields = (
                f"{name} {item}" if name else str(item) for name, item in zip(self.names, self.items, strict=True)
            )
            return f"row({', '.join(fields)})"
        if self.items:
            return f"{self.base}({', '.join(map(str, self.items))})"
        if self.base == "timestamp with time zone":
            return f"timestamp({self.args[0]}) with time zone"
        return f"{self.base}({','.join(map(str, self.args))})" if self.args else self.base

    @property
    def is_integer(self) -> bool:
        """Whether it is one of the whole number types."""
        return self.base in INTEGERS

    @property
    def is_numeric(self) -> bool:
        """Whether arithmetic takes it."""
        return self.is_integer or self.base in ("decimal", "real", "double")

    @property
    def is_text(self) -> bool:
        """Whether it is varchar or char."""
        return self.base in ("varchar", "char")

    @property
    def is_interval(self) -> bool:
        """Whether it is one of the two kinds of interval."""
        return self.base.startswith("interval")

    @property
    def is_orderable(self) -> bool:
        """Whether its values can be sorted and compared with `<`."""
        return self.base not in ("map", "json", "unknown") and all(item.is_orderable for item in self.items)

    @property
    def is_comparable(self) -> bool:
        """Whether its values can be compared with `=`, grouped and made distinct."""
        return all(item.is_comparable for item in self.items)


BOOLEAN = SqlType("boolean")
TINYINT = SqlType("tinyint")
SMALLINT = SqlType("smallint")
INTEGER = SqlType("integer")
BIGINT = SqlType("bigint")
REAL = SqlType("real")
DOUBLE = SqlType("double")
VARCHAR = SqlType("varchar")
VARBINARY = SqlType("varbinary")
DATE = SqlType("date")
TIME = SqlType("time", (3,))
JSON = SqlType("json")
UUID = SqlType("uuid")
UNKNOWN = SqlType("unknown")
DAY_TO_SECOND = SqlType("interval day to second")
YEAR_TO_MONTH = SqlType("interval year to month")


def varchar(length: int) -> SqlType:
    """Make the type varchar of (length)."""
    return SqlType("varchar", (length,))


def decimal(precision: int, scale: int) -> SqlType:
    """Make the type decimal of (precision, scale)."""
    return SqlType("decimal", (precision, scale))


def timestamp(precision: int = 3) -> SqlType:
    """Make the type timestamp of (precision)."""
    return SqlType("timestamp", (precision,))


def timestamp_tz(precision: int = 3, zone: str = "UTC") -> SqlType:
    """Make the type timestamp of (precision) with time zone."""
    return SqlType("timestamp with time zone", (precision,), zone=zone)


def array(item: SqlType) -> SqlType:
    """Make the type array of (item)."""
    return SqlType("array", items=(item,))


def map_of(key: SqlType, value: SqlType) -> SqlType:
    """Make the type map of (key, value)."""
    return SqlType("map", items=(key, value))


def row(items: tuple[SqlType, ...], names: tuple[str | None, ...] | None = None) -> SqlType:
    """Make a row type; a field without a name is written without one."""
    return SqlType("row", items=items, names=names or (None,) * len(items))


# -------------------- coercion


def _as_decimal(kind: SqlType) -> SqlType:
    return decimal(_INTEGER_DIGITS[kind.base], 0) if kind.is_integer else kind


def common_decimal(left: SqlType, right: SqlType) -> SqlType:
    """The decimal that holds both, cut to 38 digits as Trino cuts it."""
    (p1, s1), (p2, s2) = _as_decimal(left).args, _as_decimal(right).args
    scale = max(s1, s2)
    return decimal(min(MAX_DECIMAL, max(p1 - s1, p2 - s2) + scale), scale)


def _common_number(left: SqlType, right: SqlType) -> SqlType:
    if "double" in (left.base, right.base):
        return DOUBLE
    if "real" in (left.base, right.base):
        return REAL
    if "decimal" in (left.base, right.base):
        return common_decimal(left, right)
    return left if INTEGERS.index(left.base) >= INTEGERS.index(right.base) else right


def _common_time(left: SqlType, right: SqlType) -> SqlType | None:
    ranks = ("date", "timestamp", "timestamp with time zone")
    if left.base not in ranks or right.base not in ranks:
        return None
    higher = max(left, right, key=lambda kind: ranks.index(kind.base))
    precision = max(left.args + right.args, default=0)
    if higher.base == "date":
        return higher
    if higher.base == left.base == right.base and left.zone != right.zone:
        raise NotEmulatedError("values of several time zones in one expression; bring them to one with AT TIME ZONE")
    return replace(higher, args=(precision,))


def common_type(left: SqlType, right: SqlType) -> SqlType | None:  # noqa: PLR0911 - one for each family
    """The type both coerce to without a cast, or None where Trino has none."""
    if left == right or right.base == "unknown":
        return left
    if left.base == "unknown":
        return right
    if left.is_numeric and right.is_numeric:
        return _common_number(left, right)
    if left.is_text and right.is_text:
        if left.args and right.args:
            return varchar(max(left.args[0], right.args[0]))
        return VARCHAR
    if left.base == right.base and left.items and len(left.items) == len(right.items):
        items = tuple(common_type(a, b) for a, b in zip(left.items, right.items, strict=True))
        if any(item is None for item in items):
            return None
        names = tuple(a if a == b else None for a, b in zip(left.names, right.names, strict=True))
        return replace(left, items=tuple(item for item in items if item), names=names)
    if left.base == right.base == "time":
        return SqlType("time", (max(left.args + right.args),))
    return _common_time(left, right)


def _unnamed(kind: SqlType) -> SqlType:
    """The type without the names of its fields, which do not matter to coercions."""
    return replace(kind, names=(None,) * len(kind.names), items=tuple(_unnamed(item) for item in kind.items))


def coerces(source: SqlType, target: SqlType) -> bool:
    """Whether Trino turns `source` into `target` without being asked."""
    if target.base == "timestamp" and source.base == "timestamp":
        return source.args <= target.args
    if source.base == "char" and target.base == "varchar":
        return not target.args or source.args <= target.args
    common = common_type(source, target)
    return common is not None and _unnamed(common) == _unnamed(target)


# -------------------- reading

_SIMPLE = {
    exp.DataType.Type.BOOLEAN: BOOLEAN,
    exp.DataType.Type.TINYINT: TINYINT,
    exp.DataType.Type.SMALLINT: SMALLINT,
    exp.DataType.Type.INT: INTEGER,
    exp.DataType.Type.BIGINT: BIGINT,
    exp.DataType.Type.DOUBLE: DOUBLE,
    exp.DataType.Type.FLOAT: REAL,
    exp.DataType.Type.VARBINARY: VARBINARY,
    exp.DataType.Type.DATE: DATE,
    exp.DataType.Type.JSON: JSON,
    exp.DataType.Type.UUID: UUID,
}
_TIMES = {
    exp.DataType.Type.TIMESTAMP: "timestamp",
    exp.DataType.Type.TIMESTAMPTZ: "timestamp with time zone",
    exp.DataType.Type.TIME: "time",
}


def _sizes(node: exp.DataType) -> tuple[int, ...]:
    sizes = [part.name or part.this.name for part in node.expressions]
    if not all(size.isdigit() for size in sizes):
        raise AthenaError("TYPE_NOT_FOUND", f"line 1:1: Unknown type: {node.sql('trino').lower()}")
    return tuple(map(int, sizes))


def _row_field(node: exp.Expr) -> tuple[str | None, SqlType]:
    if isinstance(node, exp.ColumnDef) and isinstance(node.args.get("kind"), exp.DataType):
        return node.name.lower(), from_ast(node.args["kind"])
    if isinstance(node, exp.DataType):
        return None, from_ast(node)
    raise NotEmulatedError(f"the row field {node.sql('trino')}")


def from_ast(node: exp.DataType) -> SqlType:  # noqa: PLR0911 - one for each kind of type
    """The type that a CAST names."""
    kind = node.this
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind in (exp.DataType.Type.VARCHAR, exp.DataType.Type.CHAR):
        default: tuple[int, ...] = (1,) if kind == exp.DataType.Type.CHAR else ()
        return SqlType(kind.value.lower(), _sizes(node) or default)
    if kind == exp.DataType.Type.DECIMAL:
        sizes = _sizes(node) or (MAX_DECIMAL, 0)
        return decimal(sizes[0], sizes[1] if len(sizes) > 1 else 0)
    if kind in _TIMES:
        precision = _sizes(node) or (3,)
        if precision[0] > 6:
            raise NotEmulatedError(f"{_TIMES[kind]}({precision[0]}): precisions above 6")
        return SqlType(_TIMES[kind], precision)
    if kind == exp.DataType.Type.ARRAY:
        return array(from_ast(node.expressions[0]))
    if kind == exp.DataType.Type.MAP:
        return map_of(from_ast(node.expressions[0]), from_ast(node.expressions[1]))
    if kind == exp.DataType.Type.STRUCT:
        fields = [_row_field(field) for field in node.expressions]
        return row(tuple(item for _, item in fields), tuple(name for name, _ in fields))
    raise AthenaError("TYPE_NOT_FOUND", f"line 1:1: Unknown type: {node.sql('trino').lower()}")


_HIVE = {
    "boolean": BOOLEAN,
    "tinyint": TINYINT,
    "smallint": SMALLINT,
    "int": INTEGER,
    "bigint": BIGINT,
    "float": REAL,
    "double": DOUBLE,
    "string": VARCHAR,
    "binary": VARBINARY,
    "date": DATE,
}


def split_outside(text: str, separator: str = ",") -> Iterator[str]:
    """Split a type's inner part at the separators that are in no bracket."""
    depth, start = 0, 0
    for at, char in enumerate(text):
        depth += (char in "<(") - (char in ">)")
        if char == separator and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    yield text[start:].strip()


def from_hive(text: str, timestamp_precision: int = 3) -> SqlType:
    """Read a Glue column's type; Hive tables hold milliseconds, Iceberg tables microseconds."""
    text = text.strip().lower()
    if text in _HIVE:
        return _HIVE[text]
    if text == "timestamp":
        return timestamp(timestamp_precision)
    if found := re.fullmatch(r"(varchar|char)\s*\(\s*(\d+)\s*\)", text):
        return SqlType(found[1], (int(found[2]),))
    if found := re.fullmatch(r"decimal(?:\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", text):
        precision, scale = int(found[1] or 10), int(found[2] or 0)
        if not 1 <= precision <= 38 or scale > precision:
            raise syntax_error(f"line 1:1: Decimal precision out of allowed range [1,38], or its scale: {text}")
        return decimal(precision, scale)
    if found := re.fullmatch(r"(array|map|struct)\s*<(.*)>", text, re.DOTALL):
        parts = list(split_outside(found[2]))
        if found[1] == "struct":
            fields = [part.split(":", 1) for part in parts]
            if any(len(field) != 2 for field in fields):
                raise syntax_error(f"line 1:1: mismatched input in type {text}")
            return row(
                tuple(from_hive(kind, timestamp_precision) for _, kind in fields),
                tuple(name.strip().strip("`") for name, _ in fields),
            )
        items = [from_hive(part, timestamp_precision) for part in parts]
        if len(items) == (1 if found[1] == "array" else 2):
            return array(items[0]) if found[1] == "array" else map_of(items[0], items[1])
    raise syntax_error(f"line 1:1: mismatched input '{text}'. Expecting a Hive type")


# -------------------- writing

_TO_HIVE = {str(kind): name for name, kind in _HIVE.items()}


def to_hive(kind: SqlType) -> str:
    """The type's name in Glue, or the error with which Athena refuses to store it."""
    if str(kind) in _TO_HIVE:
        return _TO_HIVE[str(kind)]
    if kind.base in ("varchar", "char", "decimal"):
        return str(kind)
    if kind.base == "timestamp":
        return "timestamp"
    if kind.base == "array":
        return f"array<{to_hive(kind.items[0])}>"
    if kind.base == "map":
        return f"map<{to_hive(kind.items[0])},{to_hive(kind.items[1])}>"
    if kind.base == "row":
        if None in kind.names:
            raise AthenaError("NOT_SUPPORTED", f"Anonymous row type is not supported in Hive: {kind}")
        return f"struct<{','.join(f'{n}:{to_hive(i)}' for n, i in zip(kind.names, kind.items, strict=True))}>"
    raise AthenaError(
        "NOT_SUPPORTED", f"Unsupported Hive type: {kind}. You can use the CAST function to convert the data type"
    )


_TO_DUCKDB = {
    "real": "FLOAT",
    "varbinary": "BLOB",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "json": "JSON",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "time": "TIME",
    "unknown": "INTEGER",
}


def field_names(kind: SqlType) -> list[str]:
    """The names of a row's fields in DuckDB, where every field has one."""
    return [name or f"field{at}" for at, name in enumerate(kind.names)]


def to_duckdb(kind: SqlType) -> str:
    """The DuckDB type that holds the values."""
    if kind.base == "decimal":
        return f"DECIMAL({kind.args[0]},{kind.args[1]})"
    if kind.base == "array":
        return f"{to_duckdb(kind.items[0])}[]"
    if kind.base == "map":
        return f"MAP({to_duckdb(kind.items[0])}, {to_duckdb(kind.items[1])})"
    if kind.base == "row":
        fields = (f'"{n}" {to_duckdb(i)}' for n, i in zip(field_names(kind), kind.items, strict=True))
        return f"STRUCT({', '.join(fields)})"
    if kind.is_interval:
        return "INTERVAL"
    return _TO_DUCKDB.get(kind.base, kind.base.upper())


def result_name(kind: SqlType) -> str:
    """The type's name in the column information of a result, which leaves the parameters out."""
    return {"real": "float"}.get(kind.base, kind.base)
