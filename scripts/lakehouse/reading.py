"""Finds the records in a file of JSON, however it is laid out, and where each begins.

Nearly every file has one good object per line. Hundreds of such lines are checked by one call and landed as they are.
Only where one of them is no good does the reader look closer: at fewer lines, at a line, at objects over several lines,
several objects on a line, and what is not JSON. A file is read block by block, so its size does not matter.
"""

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from itertools import chain
from typing import NamedTuple, Protocol

import msgspec

from lakehouse.checking import PASSED, Verdict, show

RUN_BYTES = 2 << 20  # of lines that are checked by one call
RUNS_AHEAD = 8
FEW_LINES = 8  # of which each is looked at by itself
MAX_VALUE_BYTES = 16 << 20  # beyond it, a value is not looked at as a whole
UNZIPPED_BYTES = 4 << 20
GZIP = b"\x1f\x8b"
FOREIGN = {
    b"\xff\xfe": "the file is UTF-16: write it as UTF-8",
    b"\xfe\xff": "the file is UTF-16: write it as UTF-8",
    b"PK": "the file is a zip archive: unpack it first",
    b"BZ": "the file is compressed with bzip2: unpack it, or use gzip",
}
"""What a file that is no text in UTF-8 may begin with."""
KEPT_BYTES = 49_149  # of what cannot be landed: as many as fit into varchar(65535) in Base64

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_BLANKS = re.compile(r"[ \t\r\n]*")
_BLANKS_TO_END_OF_LINE = re.compile(r"[ \t\r]*(?:\n|\Z)")
_FINDER = json.JSONDecoder(parse_int=str, parse_float=str)  # lenient: it finds where a value ends, the check judges it
_NEARLY_OVER = 16  # an error this close to the end of what was read may be for want of the rest (\uXXXX, false)


class Checker(Protocol):
    """What the reader needs of whoever knows what a good record is."""

    def check(self, raw: bytes) -> Verdict:
        """Says of a record's bytes what is wrong with them."""

    def count_good(self, lines: bytes) -> int | None:
        """How many records whole lines hold, if each holds one that is good beyond doubt; None otherwise."""

    @property
    def checks_elsewhere(self) -> bool:
        """Whether several counts at a time are quicker than one after the other."""

    def begin_count(self, lines: bytes) -> Future[int | None]:
        """Counts good records like `count_good`, while the caller does something else."""


class _Foreseen(NamedTuple):
    """A run that is being checked before it is its turn."""

    stop: int
    lines: bytes
    is_as_found: bool
    counted: Future[int | None]


class Run(NamedTuple):
    """Good records, one a line, each with its line break."""

    lines: bytes
    records: int
    is_as_found: bool
    """Whether the file has the very same bytes there."""


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


class DamagedError(Exception):
    """What follows in a compressed file cannot be read."""


def read_records(blocks: Iterable[bytes], checker: Checker) -> Iterator[Run | Record]:
    """Yields all records of a file in order: runs of good ones, and single ones with the verdict on them.

    Args:
        blocks: The file's text; if they raise `DamagedError`, what is left is one record that cannot be read.
        checker: Says which records are good.
    """
    return _Reader(iter(blocks), checker).records()


class Text:
    """The text of a file that may be compressed with gzip; once it was read, what the file was like."""

    def __init__(self, content: Iterable[bytes]) -> None:
        """Takes the file's blocks. Of a compressed file there may be several members one after the other."""
        self.size = 0
        """Of the text, in bytes."""
        self.is_one_gzip_member = False
        """Whether the file is compressed, and nothing else: no second member, no padding."""
        self._blocks = iter(content)

    def __iter__(self) -> Iterator[bytes]:
        """Yields the text.

        Raises:
            DamagedError: The compressed file ends before its end, or is not what its checksum says.
        """
        first = next(self._blocks, b"")
        for text in self._unzipped(first) if first.startswith(GZIP) else chain([first], self._blocks):
            self.size += len(text)
            yield text

    def _unzipped(self, zipped: bytes) -> Iterator[bytes]:
        decompressor = zlib.decompressobj(31)
        members = 1
        try:
            while True:
                text = decompressor.decompress(zipped, UNZIPPED_BYTES)
                if text:
                    yield text
                zipped = decompressor.unconsumed_tail
                if decompressor.eof:
                    rest = decompressor.unused_data or next(self._blocks, b"")
                    if not rest:
                        self.is_one_gzip_member = members == 1
                        return
                    members += 1
                    while not (zipped := rest.lstrip(b"\0")):
                        rest = next(self._blocks, b"")
                        if not rest:
                            return
                    decompressor = zlib.decompressobj(31)
                elif not zipped and not text:
                    zipped = next(self._blocks, b"")
                    if not zipped:
                        raise DamagedError("the gzip file ends early")
        except zlib.error as error:
            raise DamagedError(f"the gzip file is damaged ({error})") from error


class _Reader:
    """A window that moves over a file: what lies before it was dealt with, what lies behind it was not read yet."""

    def __init__(self, blocks: Iterator[bytes], checker: Checker) -> None:
        self._blocks = blocks
        self._checker = checker
        self._window = b""
        self._window_offset = 0
        self._position = 0  # in the window
        self._line = 1
        self._ended = False
        self._damage = ""
        self._foreseen: dict[int, _Foreseen] = {}  # by the offset in the file
        self._foreseen_to = 0

    def records(self) -> Iterator[Run | Record]:
        """Yields runs of good lines; hands over to `_lines` where lines are not good beyond doubt."""
        self._read_on()
        if self._window.startswith(BYTE_ORDER_MARK):
            self._position = len(BYTE_ORDER_MARK)
        while self._position < len(self._window) or not self._ended:
            self._look_ahead()
            foreseen = self._foreseen.pop(self._here(), None)
            end = self._end_of_run(self._position)
            if foreseen:
                yield from self._halves(foreseen.stop, foreseen)
            elif end is None:
                self._read_on()
            else:
                self._forget_foreseen()
                yield from self._halves(self._window_offset + end)
        if self._damage:
            yield Record(self._line, self._here(), 0, b"", Verdict(f"{self._damage}: what follows cannot be read"))

    def _look_ahead(self) -> None:
        """Has the runs checked that will be wanted next, if the checker does that elsewhere meanwhile."""
        while self._checker.checks_elsewhere and len(self._foreseen) < RUNS_AHEAD:
            start = max(self._foreseen_to, self._here()) - self._window_offset
            end = self._end_of_run(start)
            if end is None:
                self._read_on()
            elif end == start or (not self._foreseen and self._ended and end == len(self._window)):
                return  # there is no next one, or the last one is the next
            else:
                original = self._window[start:end]
                lines = _with_plain_breaks(original)
                self._foreseen_to = self._window_offset + end
                self._foreseen[self._window_offset + start] = _Foreseen(
                    self._foreseen_to, lines, lines is original, self._checker.begin_count(lines)
                )

    def _forget_foreseen(self) -> None:
        """Lets go of runs that do not begin where the last record ended."""
        for foreseen in self._foreseen.values():
            foreseen.counted.cancel()
        self._foreseen.clear()
        self._foreseen_to = 0

    def _end_of_run(self, start: int) -> int | None:
        """Where whole lines end that start in the window; None where more must be read to know."""
        limit = start + RUN_BYTES
        end = self._window.rfind(b"\n", start, limit) + 1
        if end:
            return end
        if len(self._window) < limit:
            return len(self._window) if self._ended else None
        return self._window.find(b"\n", limit) + 1 or limit

    def _halves(self, stop: int, foreseen: "_Foreseen | None" = None) -> Iterator[Run | Record]:
        """Yields what lies before an offset of the file, in runs as long as halving finds them."""
        stops = [stop]
        while stops:
            end = stops[-1] - self._window_offset
            if self._position >= end:
                stops.pop()
                continue
            if foreseen:
                lines, is_as_found, count = foreseen.lines, foreseen.is_as_found, foreseen.counted.result()
                foreseen = None
            else:
                original = self._window[self._position : end]
                lines = _with_plain_breaks(original)
                is_as_found, count = lines is original, self._checker.count_good(lines)
            if count is not None:
                whole = lines.endswith(b"\n")
                yield Run(lines if whole else lines + b"\n", count, is_as_found and whole)
                self._line += count if whole else count - 1
                self._position = end
            elif lines.count(b"\n") <= FEW_LINES:
                yield from self._lines(stops[-1])
            else:
                stops.append(self._window_offset + self._middle(end))

    def _middle(self, end: int) -> int:
        """Where a line ends, about half-way to the end of several lines."""
        half = (self._position + end) // 2
        middle = self._window.rfind(b"\n", self._position, half) + 1 or self._window.find(b"\n", half, end) + 1
        return middle if middle < end else self._window.rfind(b"\n", self._position, end - 1) + 1

    def _here(self) -> int:
        """The position's offset in the file."""
        return self._window_offset + self._position

    def _lines(self, stop: int) -> Iterator[Record]:
        """Yields a record for every line before an offset, hands over to `_values` where it is no object."""
        while self._here() < stop:
            end = self._window.find(b"\n", self._position)
            if end < 0:
                if not self._ended and len(self._window) - self._position <= MAX_VALUE_BYTES:
                    self._read_on()
                    continue
                end = len(self._window)
            line = self._window[self._position : end]
            raw = line.strip(b" \t\r")
            if raw:
                verdict = self._checker.check(raw)
                if verdict.fault is not None and not _is_object(raw):
                    yield from self._values()
                    continue
                offset = self._here() + line.find(raw[:1])
                yield _record(self._line, offset, raw, verdict)
            if end == len(self._window):
                self._position = end
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
            yield _record(self._line, self._here(), raw, self._checker.check(raw))
            self._move(len(raw))
            start = end
            if last_on_line:
                return

    def _unreadable(self, reason: str) -> Record:
        """Takes what is no JSON as one record, which ends before the next line that begins with a brace."""
        line, offset = self._line, self._here()
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
        try:
            block = next(self._blocks, None)
        except DamagedError as error:
            block, self._damage = None, str(error)
        self._ended = block is None
        self._window = self._window[self._position :] + (block or b"")
        self._window_offset += self._position
        self._position = 0

    def _move(self, size: int) -> None:
        """Moves over bytes that were dealt with."""
        self._line += self._window.count(b"\n", self._position, self._position + size)
        self._position += size


def _with_plain_breaks(lines: bytes) -> bytes:
    """Lines without carriage returns before their breaks; a line break cannot stand within a text."""
    return lines.replace(b"\r\n", b"\n") if b"\r" in lines else lines


def on_one_line(raw: bytes) -> bytes:
    """A good record without its line breaks, which JSON allows between tokens only."""
    return raw.translate(_ONE_LINE)


def _record(line: int, offset: int, raw: bytes, verdict: Verdict) -> Record:
    return Record(line, offset, len(raw), raw if verdict.fault else on_one_line(raw), verdict)


def _is_object(raw: bytes) -> bool:
    """Whether bytes are one whole JSON object, whatever it holds."""
    try:
        return isinstance(msgspec.json.decode(raw), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _excerpt(text: str, start: int) -> str:
    return show(text[start : start + 40]) if start < len(text) else "the end of the file"
