"""Finds the records in a file of JSON, however it is laid out, and where each begins.

Nearly every file has one good object per line. Thousands of such lines are checked by one call and landed as they are.
Only where some are no good does the reader look closer: at a line, at objects over several lines, several objects on a
line, and what is not JSON. A file is read block by block, so its size does not matter.
"""

import json
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import chain
from typing import NamedTuple, Protocol, TypeVar, cast

import msgspec

from lakehouse.records.check import PASSED, Stretch, Verdict, show, with_plain_breaks
from lakehouse.records.checksums import Checksums

RUN_BYTES = 2 << 20  # of lines that are checked by one call
FILES_AHEAD = 64  # that may be open at a time
MAX_VALUE_BYTES = 16 << 20  # beyond it, a value is not looked at as a whole
PIECE_BYTES = 4 << 10  # of text in which the end of a value is looked for first; then in four times as many, and so on
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
_LINE_WITH_BRACE = re.compile(rb"\n[ \t\r]*\{")
_BLANKS_TO_END_OF_LINE = re.compile(r"[ \t\r]*(?:\n|\Z)")
_FINDER = json.JSONDecoder(parse_int=str, parse_float=str)  # lenient: it finds where a value ends, the check judges it
_EXCERPT = 40  # characters; an error closer than that to the end of a piece may be for want of the rest (\uXXXX, false)


class Checker(Protocol):
    """What the reader needs of whoever knows what a good record is."""

    def check(self, raw: bytes) -> Verdict:
        """Says of a record's bytes what is wrong with them."""

    def cut(self, lines: bytes) -> list[Stretch]:
        """Cuts whole lines into stretches of good records, and stretches to be looked at line by line."""

    @property
    def bytes_ahead(self) -> int:
        """How many bytes of lines to ask about before the answers are needed; none where that is no quicker."""

    def begin_cut(self, lines: bytes) -> Future[list[Stretch]]:
        """Cuts lines like `cut`, while the caller does something else."""


class _Foreseen(NamedTuple):
    """A run that is being checked before it is its turn."""

    size: int
    stretches: Future[list[Stretch]]


class Run(NamedTuple):
    """Good records, one a line, each with its line break."""

    lines: bytes
    records: int
    is_as_found: bool
    """Whether the file has the very same bytes there."""
    checksums: Checksums | None = None
    """Those of the table's columns, if they are known."""


class Record(NamedTuple):
    """A record as it was found: an object, or a stretch of bytes that is none."""

    line: int
    """Line on which it begins, from 1."""
    offset: int
    """Offset of its first byte in the file, from 0."""
    size: int
    """Number of its bytes."""
    raw: bytes
    """Its bytes. A good record is one line. Of a record that is not JSON, only the beginning is kept."""
    verdict: Verdict = PASSED


class DamagedError(Exception):
    """What follows in a compressed file cannot be read."""


_File = TypeVar("_File")


def read_records(blocks: Iterable[bytes], checker: Checker) -> Iterator[Run | Record]:
    """Yields all records of a file in order: runs of good ones, and single ones with the verdict on them.

    Args:
        blocks: The file's text; if they raise `DamagedError`, what is left is one record that cannot be read.
        checker: Says which records are good.
    """
    for _, records in read_in_turn([(None, blocks)], checker):
        yield from records


def read_in_turn(
    files: Iterable[tuple[_File, Iterable[bytes]]], checker: Checker
) -> Iterator[tuple[_File, Iterator[Run | Record]]]:
    """Yields each file with its records, which are to be taken before the next one is asked for.

    What comes next is read and checked meanwhile, also of the next files, as far as the checker wants it.

    Args:
        files: Whatever stands for a file, and its text, as of `read_records`. The texts are read in order, too.
        checker: Says which records are good.
    """
    unopened = iter(files)
    opened: deque[tuple[_File, _Reader]] = deque()

    def open_next() -> bool:
        file, blocks = next(unopened, (None, None))
        if blocks is None:
            return False
        opened.append((cast(_File, file), _Reader(iter(blocks), checker, look_ahead)))
        return True

    def look_ahead() -> None:
        ahead = sum(reader.bytes_foreseen for _, reader in opened)
        while ahead < checker.bytes_ahead:
            foreseen = opened[-1][1].foresee()
            if not foreseen and (len(opened) == FILES_AHEAD or not open_next()):
                return
            ahead += foreseen

    while opened or open_next():
        yield opened[0][0], opened[0][1].records()
        opened.popleft()


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
            for _ in self._blocks:  # the next file's blocks come behind them
                pass
            raise DamagedError(f"the gzip file is damaged ({error})") from error


class _Reader:
    """A window that moves over a file: what lies before it was dealt with, what lies behind it was not read yet."""

    def __init__(self, blocks: Iterator[bytes], checker: Checker, look_ahead: Callable[[], None]) -> None:
        self._blocks = blocks
        self._checker = checker
        self._look_ahead = look_ahead
        self._window = bytearray()
        self._window_offset = 0
        self._position = 0  # in the window
        self._line = 1
        self._ended = False
        self._damage = ""
        self._foreseen: dict[int, _Foreseen] = {}  # by the offset in the file
        self._foreseen_to = 0
        self.bytes_foreseen = 0

    def records(self) -> Iterator[Run | Record]:
        """Yields what is in the runs of lines, one run after the other."""
        while True:
            self._begin()
            self._look_ahead()
            foreseen = self._foreseen.pop(self._here(), None)
            if foreseen:
                self.bytes_foreseen -= foreseen.size
                yield from self._stretches(foreseen.stretches.result())
                continue
            self._forget_foreseen()
            end = self._end_of_run(self._position)
            if end is None:
                self._read_on()
            elif end == self._position:
                break
            else:
                yield from self._stretches(self._checker.cut(self._bytes(self._position, end)))
        if self._damage:
            yield Record(self._line, self._here(), 0, b"", Verdict(f"{self._damage}: what follows cannot be read"))

    def foresee(self) -> int:
        """Has one more run checked, and gives its size, which is nothing where all are."""
        self._begin()
        while True:
            start = max(self._foreseen_to, self._here()) - self._window_offset
            end = self._end_of_run(start)
            if end is not None:
                break
            self._read_on()
        if end > start:
            checked = self._checker.begin_cut(self._bytes(start, end))
            self._foreseen[self._window_offset + start] = _Foreseen(end - start, checked)
            self._foreseen_to = self._window_offset + end
            self.bytes_foreseen += end - start
        return end - start

    def _begin(self) -> None:
        """Reads enough to know whether there is a byte order mark, unless that was done."""
        while not self._window_offset and len(self._window) < len(BYTE_ORDER_MARK) and not self._ended:
            self._read_on()
        if not self._here() and self._window.startswith(BYTE_ORDER_MARK):
            self._position = len(BYTE_ORDER_MARK)

    def _forget_foreseen(self) -> None:
        """Lets go of runs that do not begin where the last record ended."""
        for foreseen in self._foreseen.values():
            foreseen.stretches.cancel()
        self._foreseen.clear()
        self._foreseen_to = self.bytes_foreseen = 0

    def _end_of_run(self, start: int) -> int | None:
        """Where whole lines end that start in the window; None where more must be read to know."""
        limit = start + RUN_BYTES
        end = self._window.rfind(b"\n", start, limit) + 1
        if end:
            return end
        if len(self._window) < limit:
            return len(self._window) if self._ended else None
        return self._window.find(b"\n", limit) + 1 or limit

    def _stretches(self, stretches: list[Stretch]) -> Iterator[Run | Record]:
        """Yields what is in stretches that begin here."""
        start = self._here()
        for size, records, checksums in stretches:
            stop = start + size
            if self._here() < stop:
                if records is None:
                    yield from self._lines(stop)
                elif self._here() == start:
                    yield self._run(size, records, checksums)
                else:  # a value reached over the end of the last stretch
                    rest = self._bytes(self._position, stop - self._window_offset)
                    yield from self._stretches(self._checker.cut(rest))
            start = stop

    def _run(self, size: int, records: int, checksums: Checksums) -> Run:
        """Takes good records, one a line."""
        found = self._bytes(self._position, self._position + size)
        lines = with_plain_breaks(found)
        is_whole = lines.endswith(b"\n")
        self._position += size
        self._line += records if is_whole else records - 1
        return Run(lines if is_whole else lines + b"\n", records, is_whole and lines is found, checksums)

    def _bytes(self, start: int, end: int) -> bytes:
        """Bytes of the window."""
        with memoryview(self._window) as window:
            return bytes(window[start:end])

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
            line = self._bytes(self._position, end)
            raw = line.strip(b" \t\r")
            if raw:
                is_whole = raw.startswith(b"{") and raw.endswith(b"}")
                verdict = self._checker.check(raw) if is_whole else None
                if verdict is None or (verdict.fault is not None and not _is_object(raw)):
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
        size = min(PIECE_BYTES, MAX_VALUE_BYTES)
        text, is_all = self._piece(size)
        start = 0
        found_one = False
        while True:
            blanks = _BLANKS.match(text, start)
            if blanks:
                self._move(blanks.end() - start)
                start = blanks.end()
                if (found_one and "\n" in blanks[0]) or (is_all and start == len(text)):
                    return  # the last value was the last on its line, which could not be seen where its piece ended
            try:
                value, end = _FINDER.raw_decode(text, start)
            except (json.JSONDecodeError, RecursionError) as error:
                is_cut_off = not is_all and _is_cut_off(text, error)
                if is_cut_off and (start or size < MAX_VALUE_BYTES):
                    size, start = _next_size(size, start), 0
                    text, is_all = self._piece(size)
                    continue
                yield self._unreadable(self._describe(text, start, error, is_cut_off=is_cut_off))
                return
            over = _BLANKS_TO_END_OF_LINE.match(text, end)
            is_open = over is not None and over[0][-1:] != "\n" and not is_all
            last_on_line = over is not None and not is_open
            if is_open and not isinstance(value, dict | list) and (start or size < MAX_VALUE_BYTES):
                size, start = _next_size(size, start), 0  # a number may have more digits
                text, is_all = self._piece(size)
                continue
            if not isinstance(value, dict | list) and not last_on_line:
                yield self._unreadable(f"not JSON: an object was expected, met {_excerpt(text, start)}")
                return
            raw = text[start:end].encode("utf-8", "surrogateescape")
            yield _record(self._line, self._here(), raw, self._checker.check(raw))
            self._move(len(raw))
            start, found_one = end, True
            if last_on_line:
                return

    def _unreadable(self, reason: str) -> Record:
        """Takes what is no JSON as one record, which ends where the next one may begin."""
        line, offset = self._line, self._here()
        size, kept = 0, b""
        while True:
            end, found = self._next_object()
            kept += self._bytes(self._position, min(end, self._position + KEPT_BYTES - len(kept)))
            size += end - self._position
            self._move(end - self._position)
            if found or self._ended:
                return Record(line, offset, size, kept.rstrip(b"\r\n"), Verdict(reason))
            self._read_on()

    def _next_object(self) -> tuple[int, bool]:
        """The next line of the window that begins with a brace, or is an object with blanks before it.

        Returns:
            Where it begins, and that it was found; or how far there is none for sure.
        """
        for found in _LINE_WITH_BRACE.finditer(self._window, self._position):
            start = found.start() + 1
            if found.end() == start + 1:
                return start, True
            end = self._window.find(b"\n", start)
            if end < 0:
                if not self._ended and len(self._window) - start <= MAX_VALUE_BYTES:
                    return found.start(), False
                end = len(self._window)
            if _is_object(self._bytes(start, end).strip(b" \t\r")):
                return start, True
        last = self._window.rfind(b"\n", self._position)  # a brace may follow on it
        may_go_on = not self._ended and last >= 0 and len(self._window) - last <= MAX_VALUE_BYTES
        return last if may_go_on and not self._window[last:].strip() else len(self._window), False

    def _describe(
        self, text: str, start: int, error: json.JSONDecodeError | RecursionError, *, is_cut_off: bool
    ) -> str:
        if isinstance(error, RecursionError):
            return "arrays or objects are nested too deeply"
        if is_cut_off:
            return f"a value has more than {MAX_VALUE_BYTES:,} bytes, or does not end"
        line = self._line + text.count("\n", start, error.pos)
        beginning = text[start : start + 2].encode("utf-8", "surrogateescape")
        if beginning in FOREIGN:
            return f"not JSON on line {line}: {FOREIGN[beginning]}"
        return f"not JSON: {error.msg} on line {line}, met {_excerpt(text, error.pos)}"

    def _piece(self, size: int) -> tuple[str, bool]:
        """So many bytes from the position on, and whether they are all that is left of the file.

        Bytes that are not UTF-8 are kept, for the check to refuse.
        """
        while len(self._window) - self._position < size and not self._ended:
            self._read_on()
        end = self._position + size
        text = self._bytes(self._position, end).decode("utf-8", "surrogateescape")
        return text, self._ended and end >= len(self._window)

    def _read_on(self) -> None:
        """Reads a block more, and lets go of what was dealt with."""
        try:
            block = next(self._blocks, None)
        except DamagedError as error:
            block, self._damage = None, str(error)
        self._ended = block is None
        del self._window[: self._position]
        self._window += block or b""
        self._window_offset += self._position
        self._position = 0

    def _move(self, size: int) -> None:
        """Moves over bytes that were dealt with."""
        self._line += self._window.count(b"\n", self._position, self._position + size)
        self._position += size


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


def _is_cut_off(text: str, error: json.JSONDecodeError | RecursionError) -> bool:
    """Whether a value may be unreadable only because its end lies behind the text."""
    if isinstance(error, RecursionError):
        return False
    return len(text) - error.pos <= _EXCERPT or error.msg.startswith("Unterminated string")


def _next_size(size: int, start: int) -> int:
    """The size of the next piece: a small one from the position on, or a larger one if the last began there, too."""
    return min(PIECE_BYTES if start else 4 * size, MAX_VALUE_BYTES)


def _excerpt(text: str, start: int) -> str:
    return show(text[start : start + _EXCERPT]) if start < len(text) else "the end of the file"
