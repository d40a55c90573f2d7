"""JSON as COPY reads it: values one after the other, with the line on which each of them ends."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_ROW_BYTES = 4 * 1024 * 1024

_NOT_BLANK = re.compile(r"\S")
_PATH_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^']+)'\]|\[\"([^\"]+)\"\]|\[(\d+)\]")

JsonPath = tuple[str | int, ...]


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


# Numbers keep their text: 1.10 goes into a text column as it stands, and 1.0 is no integer
_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, strict=False)


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value, or what was found instead of one."""

    line: int  # the last one of the value
    text: str
    value: object = None
    fault: str = ""


def _after_blanks(text: str, at: int) -> int:
    found = _NOT_BLANK.search(text, at)
    return found.start() if found else len(text)


def read_records(text: str) -> Iterator[Record]:
    """The JSON values of a file. After what is none, reading goes on with the next line."""
    line = 1
    at = 0
    while True:
        start = _after_blanks(text, at)
        line += text.count("\n", at, start)
        if start >= len(text):
            return
        try:
            value, at = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            at = text.find("\n", start)
            at = len(text) if at < 0 else at
            yield Record(line, text[start:at], fault=f"Invalid JSON: {error.msg}")
            continue
        line += text.count("\n", start, at)
        raw = text[start:at]
        if len(raw) > MAX_ROW_BYTES or (
            len(raw) * 4 > MAX_ROW_BYTES and len(raw.encode("utf-8", "surrogateescape")) > MAX_ROW_BYTES
        ):
            yield Record(line, raw, fault=f"JSON row exceeds the maximum size of {MAX_ROW_BYTES} bytes")
        else:
            yield Record(line, raw, value)


def parse_path(expression: str) -> JsonPath | None:
    """The steps of a JSONPath expression; none where it is not one that COPY takes."""
    steps: list[str | int] = []
    at = 1
    while at < len(expression):
        match = _PATH_STEP.match(expression, at)
        if match is None:
            return None
        steps.append(int(match[4]) if match[4] else match[1] or match[2] or match[3])
        at = match.end()
    return tuple(steps) if expression.startswith("$") and steps else None


def at_path(value: object, path: JsonPath) -> object:
    """What stands at this place of a value; None where nothing does."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def as_text(value: object) -> str:
    """A value as it goes into a text column."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _compact(value)


def _compact(value: object) -> str:
    """A nested value as JSON text, its numbers as they were written."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_compact(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
