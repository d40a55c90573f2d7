"""Parts: the gzip objects of the landing zone, each with the records of one or more source files, one record a line.

No two loads ever give a part the same name. So a part never changes, and one that was deleted never comes back.
"""

import gzip
import io
import os
import re
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import BinaryIO, Self, cast

from isal import isal_zlib

from lakehouse.errors import LandingError
from lakehouse.records.checksums import Checksums, ColumnChecksums, added
from lakehouse.records.read import GZIP, DamagedError, Text
from lakehouse.storage.folder import BLOCK_BYTES, Folder

MAX_PART_BYTES = (
    64 << 20
)  # of records: some 8 MB compressed, of which a Redshift slice or an Athena worker takes several
PART_SUFFIX = ".json.gz"
EMPTY_PART = f"empty{PART_SUFFIX}"  # stands in every folder that a reader globs, since one without a file is an error
_LINES_BYTES = 1 << 20
_COMPRESSION_LEVEL = 1  # of isal's: smaller than zlib's first by a twentieth, four times as fast
_IN_MEMORY_BYTES = 16 << 20
_WAITING_LINES = 16
_WAITING_PARTS = 4
_PART_NAME = re.compile(r"(?:.*/)?([0-9]{8}T[0-9]{6}Z-[0-9a-f]{12})-[0-9]{5,}\.json\.gz")


Copy = Callable[[str], bool]
"""Copies something that there is already to a key of the landing zone; says whether it could be done."""


class Part:
    """A part that is being filled."""

    def __init__(self, key: str) -> None:
        """Takes its name in the landing zone."""
        self.key = key
        self.size = 0
        """Of its lines, in bytes."""
        self._compressor = isal_zlib.compressobj(_COMPRESSION_LEVEL, isal_zlib.DEFLATED, 31)
        self._spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - closed by `close`

    def compress(self, lines: bytes) -> None:
        """Takes more of its content."""
        self._store(self._compressor.compress(lines))

    def compressed(self) -> BinaryIO:
        """The whole of it as a file."""
        self._store(self._compressor.flush())
        self._spool.seek(0)
        return cast(BinaryIO, self._spool)  # it is one in all but name

    def close(self) -> None:
        """Lets go of the content."""
        self._spool.close()

    def _store(self, content: bytes) -> None:
        try:
            self._spool.write(content)
        except OSError as error:  # the name of the folder is what a person can act on
            raise OSError(error.errno, error.strerror, tempfile.gettempdir()) from error


class PartUploader:
    """Compresses parts and puts them into the landing zone, in threads beside the one that fills them.

    What waits for either is bounded. Nothing is sure to be in the zone before `wait` has returned.
    """

    def __init__(self, zone: Folder, load: str) -> None:
        """Takes the landing zone, and the name of the load."""
        self._zone = zone
        self._load = load
        self.written: list[str] = []
        """The keys of all parts, finished or not."""
        self.checksums: dict[str, str] = {}
        """Of the columns in each part of records that is full."""
        self._unfinished: set[Part] = set()
        self._compressing = ThreadPoolExecutor(1, thread_name_prefix="compress")
        self._storing = ThreadPoolExecutor(2, thread_name_prefix="store")
        self._lines: deque[Future[None]] = deque()
        self._stored: deque[Future[Future[None]]] = deque()

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives up what is not stored yet."""
        self._compressing.shutdown(cancel_futures=True)
        self._storing.shutdown(cancel_futures=True)
        for part in self._unfinished:
            part.close()

    def begin(self, folder: str) -> Part:
        """An empty part, of a name that no part ever had."""
        part = Part(f"{folder}/{self._load}-{len(self.written) + 1:05d}{PART_SUFFIX}")
        self.written.append(part.key)
        self._unfinished.add(part)
        return part

    def compress(self, part: Part, lines: bytes) -> None:
        """Adds lines to a part."""
        self._lines.append(self._compressing.submit(part.compress, lines))
        while len(self._lines) > _WAITING_LINES:
            self._lines.popleft().result()

    def store(self, part: Part, copy: Copy | None = None) -> None:
        """Puts a part that is full into the zone, or tries first to have it made there as a copy."""
        self._stored.append(self._compressing.submit(self._hand_over, part, copy))
        self._wait_for_all_but(_WAITING_PARTS)

    def wait(self) -> None:
        """Waits until every part is in the zone."""
        while self._lines:
            self._lines.popleft().result()
        self._wait_for_all_but(0)

    def _wait_for_all_but(self, count: int) -> None:
        while len(self._stored) > count:
            self._stored.popleft().result().result()

    def _hand_over(self, part: Part, copy: Copy | None) -> Future[None]:
        content = part.compressed()
        return self._storing.submit(self._store, part, content, copy)

    def _store(self, part: Part, content: BinaryIO, copy: Copy | None) -> None:
        try:
            if copy is None or not copy(part.key):
                self._zone.write(part.key, content)
        finally:
            part.close()
            self._unfinished.discard(part)


class PartWriter:
    """Fills parts with lines, one after the other, of a size that suits the engines."""

    def __init__(self, uploader: PartUploader, folder: str, columns: ColumnChecksums | None = None) -> None:
        """Takes who compresses and stores them, the folder that they go into, and the columns if they hold records."""
        self._uploader = uploader
        self._folder = folder
        self._columns = columns
        self._checksums: Checksums | None = ()
        """Of the part that is being filled; None where they cannot be worked out."""
        self._unsummed: list[bytes] = []
        self._part: Part | None = None
        self._lines: list[bytes] = []
        self._waiting = 0
        self.parts = 0

    def add(self, lines: bytes, checksums: Checksums | None = None) -> str:
        """Adds whole lines, whose checksums may be known, and gives the key of the part that holds them."""
        if self._part is not None and self._part.size + len(lines) > MAX_PART_BYTES:
            self.finish()
        if self._part is None:
            self._part = self._uploader.begin(self._folder)
            self._checksums = self._columns.none if self._columns else ()
            self.parts += 1
        if checksums is None:
            self._unsummed.append(lines)
        elif self._checksums is not None:
            self._checksums = added(self._checksums, checksums)
        self._lines.append(lines)
        self._waiting += len(lines)
        self._part.size += len(lines)
        if self._waiting > _LINES_BYTES:
            self._compress(self._part)
        return self._part.key

    def finish(self, copy: Copy | None = None) -> None:
        """Sends off the part that is being filled, if there is one; as a copy if that holds all that was added."""
        if self._part is not None:
            self._compress(self._part)
            if self._columns and self._checksums is not None:
                self._uploader.checksums[self._part.key] = self._columns.text(self._checksums)
            self._uploader.store(self._part, copy if self.parts == 1 else None)
            self._part = None

    def _compress(self, part: Part) -> None:
        if self._columns and self._checksums is not None:
            more = self._columns.of_lines(self._unsummed)
            self._checksums = None if more is None else added(self._checksums, more)
        self._unsummed.clear()
        self._uploader.compress(part, b"".join(self._lines))
        self._lines.clear()
        self._waiting = 0


class PartReader:
    """Reads slices of parts; quickest where they are asked for in the order in which they stand."""

    def __init__(self, zone: Folder) -> None:
        """Takes the landing zone that holds the parts."""
        self._zone = zone
        self._key = ""
        self._lines: Iterator[bytes] = iter(())
        self._next = 0

    def slice(self, key: str, start: int, count: int) -> Iterator[bytes]:
        """Yields `count` lines of a part, from number `start` (from 0) on, each with its line break.

        Raises:
            LandingError: The part is damaged or has fewer lines.
        """
        if key != self._key or start < self._next:
            self._key, self._lines, self._next = key, read_part(self._zone, key), 0
        for _ in range(self._next, start + count):
            line = next(self._lines, None)
            if line is None:
                raise LandingError(
                    f"{self._zone.location}/{key} has fewer records than the ledger says: delete it, land again"
                )
            self._next += 1
            if self._next > start:
                yield line


def read_part(zone: Folder, key: str) -> Iterator[bytes]:
    """Yields the lines of a part, each with its line break.

    Raises:
        LandingError: The part is damaged.
    """
    rest = b""
    try:
        for text in Text(_blocks(zone, key)):
            *lines, rest = (rest + text).split(b"\n")
            for line in lines:
                yield line + b"\n"
    except DamagedError as error:
        raise LandingError(f"{zone.location}/{key} is damaged ({error}): delete it, land again") from error


def _blocks(zone: Folder, key: str) -> Iterator[bytes]:
    start, size = 0, 1
    while start < size:
        block = zone.fetch(key, start, BLOCK_BYTES)
        if not start and not block.content.startswith(GZIP):
            raise DamagedError("it is not compressed")
        start, size = start + len(block.content), block.size
        yield block.content


def is_part(key: str) -> bool:
    """Whether a file's name is one that a `PartUploader` gives; other programs' files are left alone."""
    return _PART_NAME.fullmatch(key) is not None


def name_load() -> str:
    """A name that no other load has."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(6).hex()}"


def load_of(key: str) -> str:
    """The name of the load that wrote a part."""
    found = _PART_NAME.fullmatch(key)
    if not found:
        raise ValueError(f"{key} is no part")
    return found[1]


def write_empty_part(zone: Folder, folder: str) -> None:
    """Gives a folder a part without a line."""
    zone.write(f"{folder}/{EMPTY_PART}", io.BytesIO(gzip.compress(b"", mtime=0)))
