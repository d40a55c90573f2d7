"""Types: Trino's as text, Hive's as Glue has them, and what a result says of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbt_local_aws.athena.errors import AthenaError, syntax_error

_TO_HIVE = {
    "boolean": "boolean", "tinyint": "tinyint", "smallint": "smallint", "integer": "int", "bigint": "bigint",
    "real": "float", "double": "double", "varchar": "string", "varbinary": "binary", "date": "date",
}  # fmt: skip
_FROM_HIVE = {hive: trino for trino, hive in _TO_HIVE.items()}
_NESTED = re.compile(r"(array|map|row|struct)\s*[(<](.*)[)>]", re.DOTALL)


def split_outside(text: str, separator: str = ",") -> Iterator[str]:
    """Split a type's inner part at the separators that are in no bracket and no quotes."""
    depth, start, is_quoted = 0, 0, False
    for at, char in enumerate(text):
        is_quoted ^= char == '"'
        if not is_quoted:
            depth += (char in "<(") - (char in ">)")
            if char == separator and depth == 0:
                yield text[start:at].strip()
                start = at + 1
    yield text[start:].strip()


def to_hive(kind: str) -> str:
    """A Trino type's name in Glue.

    Raises:
        AthenaError: Hive has no such type: times with a zone, intervals, rows whose fields have no names.
    """
    if kind in _TO_HIVE:
        return _TO_HIVE[kind]
    if re.fullmatch(r"(varchar|char|decimal)\([\d, ]+\)", kind):
        return kind.replace(" ", "")
    if re.fullmatch(r"timestamp\(\d+\)", kind):
        return "timestamp"
    if found := _NESTED.fullmatch(kind):
        parts = list(split_outside(found[2]))
        if found[1] == "row":
            return f"struct<{','.join(_field(part, kind) for part in parts)}>"
        return f"{found[1]}<{','.join(map(to_hive, parts))}>"
    raise AthenaError(
        "NOT_SUPPORTED", f"Unsupported Hive type: {kind}. You can use the CAST function to convert the data type"
    )


def _field(part: str, kind: str) -> str:
    found = re.fullmatch(r'(?:"((?:[^"]|"")+)"|(\w+)) (.+)', part, re.DOTALL)
    if not found:
        raise AthenaError("NOT_SUPPORTED", f"Anonymous row type is not supported in Hive: {kind}")
    return f"{found[1] or found[2]}:{to_hive(found[3])}"


def from_hive(text: str) -> str:
    """A Glue column's type in Trino's words, for an Iceberg table: microseconds, and one type for all texts.

    Raises:
        AthenaError: It is no type of Hive's.
    """
    text = text.strip().lower()
    if text in _FROM_HIVE:
        return _FROM_HIVE[text]
    if text == "timestamp":
        return "timestamp(6)"
    if re.fullmatch(r"(varchar|char)\s*\(\s*\d+\s*\)", text):
        return text
    if found := re.fullmatch(r"decimal(?:\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", text):
        precision, scale = int(found[1] or 10), int(found[2] or 0)
        if not 1 <= precision <= 38 or scale > precision:
            raise syntax_error(f"line 1:1: Decimal precision out of allowed range [1,38], or its scale: {text}")
        return f"decimal({precision},{scale})"
    if found := _NESTED.fullmatch(text):
        parts = list(split_outside(found[2]))
        if found[1] == "struct":
            fields = [part.split(":", 1) for part in parts]
            if all(len(field) == 2 for field in fields):
                return f"row({', '.join(f'{name.strip()} {from_hive(kind)}' for name, kind in fields)})"
        elif len(parts) == (1 if found[1] == "array" else 2):
            return f"{found[1]}({', '.join(map(from_hive, parts))})"
    raise syntax_error(f"line 1:1: mismatched input '{text}'. Expecting a Hive type")


_PRECISIONS = {
    "tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "real": 17, "double": 17, "timestamp": 3,
    "varchar": 2**31 - 1,
}  # fmt: skip
_ARGUMENTS = re.compile(r"\([^)]*\)")


def result_type(kind: str) -> tuple[str, int, int]:
    """How a result's column information has a type: its name without parameters, precision and scale."""
    base = kind.partition("(")[0] if "(" in kind and _NESTED.fullmatch(kind) else _ARGUMENTS.sub("", kind)
    arguments = (
        [int(number) for number in re.findall(r"\d+", kind.partition("(")[2])] if base == kind.partition("(")[0] else []
    )
    precision, scale = _PRECISIONS.get(base, 0), 0
    if base == "decimal":
        precision, scale = arguments
    elif base in ("varchar", "char") and arguments:
        precision = arguments[0]
    return {"real": "float"}.get(base, base.lower()), precision, scale
