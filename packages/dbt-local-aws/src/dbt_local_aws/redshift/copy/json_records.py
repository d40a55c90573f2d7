"""JSON as COPY reads it: values one after the other, with the line on which each of them ends."""

import json
import re
from collections.abc import Iterator

from dbt_local_aws.redshift.copy.record import MAX_ROW_BYTES, Record, is_too_long

_LONGEST_WORD = len("-Infinity")  # that JSON has, as Python reads it: beside \\u and four digits
_NOT_BLANK = re.compile(r"\S")
_PATH_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^']+)'\]|\[\"([^\"]+)\"\]|\[(\d+)\]")

JsonPath = tuple[str | int, ...]


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


# Numbers keep their text: 1.10 goes into a text column as it stands, and 1.0 is no integer
_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, strict=False)


class _Window:
    """The part of a text that is looked at: it grows at its end, and what was read is cut off at its beginning."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self.text = ""
        self.at = 0
        self.line = 1
        self.has_ended = False

    def grow(self) -> None:
        """Takes as much more as there is already, so that a long record is looked at a few times only."""
        parts = [self.text[self.at :]]
        wanted = max(len(parts[0]), 1)
        while wanted > 0:
            piece = next(self._pieces, None)
            if piece is None:
                self.has_ended = True
                break
            parts.append(piece)
            wanted -= len(piece)
        self.text, self.at = "".join(parts), 0

    def skip_blanks(self) -> bool:
        """Goes to what is no blank; says whether there is anything."""
        while True:
            found = _NOT_BLANK.search(self.text, self.at)
            self.go_to(found.start() if found else len(self.text))
            if found or self.has_ended:
                return found is not None
            self.grow()

    def go_to(self, end: int) -> str:
        """Goes on to a place; gives what lies before it."""
        passed = self.text[self.at : end]
        self.line += passed.count("\n")
        self.at = end
        return passed


def read_records(pieces: Iterator[str]) -> Iterator[Record]:
    """The JSON values of a file. After what is none, reading goes on with the next line."""
    window = _Window(pieces)
    while window.skip_blanks():
        try:
            value, end = _DECODER.raw_decode(window.text, window.at)
        except json.JSONDecodeError as error:
            if not window.has_ended and _is_cut_off(error, window):
                window.grow()
                continue
            yield _not_json(window, error.msg)
            continue
        if end == len(window.text) and not window.has_ended:
            window.grow()  # a number may go on
            continue
        text = window.go_to(end)
        if is_too_long(text):
            yield Record(window.line, text, fault=f"JSON row exceeds the maximum size of {MAX_ROW_BYTES} bytes")
        else:
            yield Record(window.line, text, value)


def _is_cut_off(error: json.JSONDecodeError, window: _Window) -> bool:
    """Whether the text may be wrong only because it goes on."""
    is_at_end = error.msg.startswith("Unterminated string") or error.pos > len(window.text) - _LONGEST_WORD
    return is_at_end and len(window.text) - window.at <= 2 * MAX_ROW_BYTES


def _not_json(window: _Window, message: str) -> Record:
    line = window.line
    while (end := window.text.find("\n", window.at)) < 0 and not window.has_ended:
        window.grow()
    return Record(line, window.go_to(end if end >= 0 else len(window.text)), fault=f"Invalid JSON: {message}")


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


def without_blanks(text: str) -> str:
    """JSON text without what stands between its values, and its numbers as they were written."""
    return _compact(_DECODER.decode(text))


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
