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


class _Text:
    """A text that comes in pieces, of which what was read is let go."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self.line = 1  # of what stands at `at`
        self.at = 0
        self.text = ""

    def read_on(self) -> bool:
        """Takes another piece; gives whether there was one."""
        piece = next((piece for piece in self._pieces if piece), None)
        if piece is None:
            return False
        self.text = self.text[self.at :] + piece
        self.at = 0
        return True

    def skip_to(self, end: int) -> str:
        """What stands before this place, behind which reading goes on."""
        skipped = self.text[self.at : end]
        self.line += skipped.count("\n")
        self.at = end
        return skipped

    def skip_blanks(self) -> bool:
        """Goes on to what is no blank; gives whether there is something."""
        while (found := _NOT_BLANK.search(self.text, self.at)) is None:
            self.skip_to(len(self.text))
            if not self.read_on():
                return False
        self.skip_to(found.start())
        return True

    def end_of_line(self) -> int:
        """Where the line ends."""
        while (end := self.text.find("\n", self.at)) < 0:
            if not self.read_on():
                return len(self.text)
        return end


def read_records(pieces: Iterator[str]) -> Iterator[Record]:
    """The JSON values of a file. After what is none, reading goes on with the next line."""
    source = _Text(pieces)
    while source.skip_blanks():
        value, end, fault = _decode(source)
        if fault:
            line = source.line
            yield Record(line, source.skip_to(source.end_of_line()), fault=fault)
            continue
        raw = source.skip_to(end)
        if len(raw) > MAX_ROW_BYTES or (
            len(raw) * 4 > MAX_ROW_BYTES and len(raw.encode("utf-8", "surrogateescape")) > MAX_ROW_BYTES
        ):
            yield Record(source.line, raw, fault=f"JSON row exceeds the maximum size of {MAX_ROW_BYTES} bytes")
        else:
            yield Record(source.line, raw, value)


def _decode(source: _Text) -> tuple[object, int, str]:
    """The value that begins here, where it ends, and what is wrong with it, once as much has come as it takes."""
    while True:
        fault = ""
        value: object = None
        end = len(source.text)
        try:
            value, end = _DECODER.raw_decode(source.text, source.at)
        except json.JSONDecodeError as error:
            fault = f"Invalid JSON: {error.msg}"
            # a row that is as wrong as it is long is wrong without the rest
            if len(source.text) - source.at > MAX_ROW_BYTES:
                return None, end, fault
        # a number, or what is no value yet, may go on in the next piece
        is_whole = not fault and end < len(source.text)
        if is_whole or not source.read_on():
            return value, end, fault


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
