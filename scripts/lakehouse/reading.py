"""Finds the records in a file of JSON, however it is laid out, and where each begins.

Nearly every file has one object per line, and each such line costs one call of the check. Only where a line is not an
object does the reader look closer: at objects over several lines, several objects on a line, and what is not JSON.
A file is read in blocks, so its size does not matter.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import msgspec

from lakehouse.checking import PASSED, Verdict, show

BLOCK_BYTES = 4 << 20
MAX_VALUE_BYTES = 16 << 20  # beyond it, a value is not looked at as a whole
FOREIGN = {
    b"\x1f\x8b": "the file is compressed with gzip: unpack it first",
    b"\xff\xfe": "the file is UTF-16: write it as UTF-8",
    b"\xfe\xff": "the file is UTF-16: write it as UTF-8",
}
"""What a file that is no text in UTF-8 may begin with."""
KEPT_BYTES = 49_149  # of what cannot be landed: as many as fit into varchar(65535) in Base64

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_BLANKS = re.compile(r"[ \t\r\n]*")
_BLANKS_TO_END_OF_LINE = re.compile(r"[ \t\r]*(?:\n|\Z)")
_FINDER = json.JSONDecoder(parse_int=str, parse_float=str)  # lenient: it finds where a value ends, the check judges it
_NEARLY_OVER = 16  # an error this close to the end of what was read may be for want of the rest (\uXXXX, false)


class Stream(Protocol):
    """What can be read block by block."""

    def read(self, size: int, /) -> bytes:
        """Reads as many bytes, or fewer where the file ends."""


class Record(NamedTuple):
    """A record as it was found: an object, or a stretch of bytes that is none."""

    line: int
    """Line on which it begins, from 1."""
    offset: int
    """Offset of its first byte in the file, from 0."""
    size: int
    """Number of its bytes."""
    raw: bytes
    """Its bytes. A good record stands on one line; of what is no JSON only the beginning is kept."""
    verdict: Verdict = PASSED


def read_records(stream: Stream, check: Callable[[bytes], Verdict]) -> Iterator[Record]:
    """Yields every record of a file, in order, with the verdict of `check` on it.

    Args:
        stream: The file, at its beginning.
        check: Says of a record's bytes what is wrong with them.
    """
    return _Reader(stream, check).records()


class _Reader:
    """A window that moves over a file: what lies before it was dealt with, what lies behind it was not read yet."""

    def __init__(self, stream: Stream, check: Callable[[bytes], Verdict]) -> None:
        self._stream = stream
        self._check = check
        self._window = b""
        self._window_offset = 0
        self._position = 0  # in the window
        self._line = 1
        self._ended = False

    def records(self) -> Iterator[Record]:
        """Yields a record for every line that is an object; hands over to `_values` at every other line."""
        self._read_on()
        if self._window.startswith(BYTE_ORDER_MARK):
            self._position = len(BYTE_ORDER_MARK)
        while True:
            end = self._window.find(b"\n", self._position)
            if end < 0:
                if not self._ended and len(self._window) - self._position <= MAX_VALUE_BYTES:
                    self._read_on()
                    continue
                end = len(self._window)
            line = self._window[self._position : end]
            raw = line.strip(b" \t\r")
            if raw:
                verdict = self._check(raw)
                if verdict.fault is not None and not _is_object(raw):
                    yield from self._values()
                    continue
                offset = self._window_offset + self._position + line.find(raw[:1])
                yield _record(self._line, offset, raw, verdict)
            if end == len(self._window):
                return
            self._position = end + 1
            self._line += 1

    def _values(self) -> Iterator[Record]:
        """Yields values that do not stand on a line each, up to one that is the last on its line."""
        text, start = self._rest(), 0
        while True:
            blanks = _BLANKS.match(text, start)
            if blanks:
                self._move(blanks.end() - start)
                start = blanks.end()
            try:
                value, end = _FINDER.raw_decode(text, start)
            except (json.JSONDecodeError, RecursionError) as error:
                if self._is_cut_off(text, error) and len(text) - start <= MAX_VALUE_BYTES:
                    self._read_on()
                    text, start = self._rest(), 0
                    continue
                yield self._unreadable(self._describe(text, start, error))
                return
            over = _BLANKS_TO_END_OF_LINE.match(text, end)
            last_on_line = over is not None
            if over and over.end() == len(text) and not isinstance(value, dict | list) and self._may_go_on(text, start):
                self._read_on()  # a number may have more digits, and a line more than a number
                text, start = self._rest(), 0
                continue
            if not isinstance(value, dict | list) and not last_on_line:
                yield self._unreadable(f"not JSON: an object was expected, met {_excerpt(text, start)}")
                return
            raw = text[start:end].encode("utf-8", "surrogateescape")
            yield _record(self._line, self._window_offset + self._position, raw, self._check(raw))
            self._move(len(raw))
            start = end
            if last_on_line:
                return

    def _unreadable(self, reason: str) -> Record:
        """Takes what is no JSON as one record, which ends before the next line that begins with a brace."""
        line, offset = self._line, self._window_offset + self._position
        size, kept = 0, b""
        while True:
            end = self._window.find(b"\n{", self._position) + 1
            found = end > 0
            if not found:  # a line break at the very end may be the one before the brace
                end = len(self._window) if self._ended else max(self._position, len(self._window) - 1)
            kept += self._window[self._position : min(end, self._position + KEPT_BYTES - len(kept))]
            size += end - self._position
            self._move(end - self._position)
            if found or self._ended:
                return Record(line, offset, size, kept.rstrip(b"\r\n"), Verdict(reason))
            self._read_on()

    def _is_cut_off(self, text: str, error: json.JSONDecodeError | RecursionError) -> bool:
        """Whether a value could not be read because its end lies behind the window."""
        if self._ended or isinstance(error, RecursionError):
            return False
        return len(text) - error.pos <= _NEARLY_OVER or error.msg.startswith("Unterminated string")

    def _may_go_on(self, text: str, start: int) -> bool:
        return not self._ended and len(text) - start <= MAX_VALUE_BYTES

    def _describe(self, text: str, start: int, error: json.JSONDecodeError | RecursionError) -> str:
        if isinstance(error, RecursionError):
            return "arrays or objects are nested too deeply"
        if self._is_cut_off(text, error):
            return f"a value has more than {MAX_VALUE_BYTES:,} bytes, or does not end"
        line = self._line + text.count("\n", start, error.pos)
        beginning = text[start : start + 2].encode("utf-8", "surrogateescape")
        if beginning in FOREIGN:
            return f"not JSON on line {line}: {FOREIGN[beginning]}"
        return f"not JSON: {error.msg} on line {line}, met {_excerpt(text, error.pos)}"

    def _rest(self) -> str:
        """The window from the position on; bytes that are not UTF-8 are kept, for the check to refuse."""
        return self._window[self._position :].decode("utf-8", "surrogateescape")

    def _read_on(self) -> None:
        """Reads a block more, and lets go of what was dealt with."""
        block = self._stream.read(BLOCK_BYTES)
        self._ended = len(block) < BLOCK_BYTES
        self._window = self._window[self._position :] + block
        self._window_offset += self._position
        self._position = 0

    def _move(self, size: int) -> None:
        """Moves over bytes that were dealt with."""
        self._line += self._window.count(b"\n", self._position, self._position + size)
        self._position += size


def _record(line: int, offset: int, raw: bytes, verdict: Verdict) -> Record:
    """A record; a good one loses its line breaks, which JSON allows between tokens only, so that it fits on a line."""
    return Record(line, offset, len(raw), raw if verdict.fault else raw.translate(_ONE_LINE), verdict)


def _is_object(raw: bytes) -> bool:
    """Whether bytes are one whole JSON object, whatever it holds."""
    try:
        return isinstance(msgspec.json.decode(raw), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _excerpt(text: str, start: int) -> str:
    return show(text[start : start + 40]) if start < len(text) else "the end of the file"
