"""Parts: the gzip objects of the landing zone, each with the records of one or more source files, one record a line."""

import gzip
import hashlib
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from lakehouse.errors import LandingError
from lakehouse.storage import Folder

MAX_PART_BYTES = 64 << 20  # of the source files in it; one that is larger has a part to itself
PART_SUFFIX = ".json.gz"
COMPRESSION_LEVEL = 4
_BUFFER_BYTES = 1 << 20
_PART_NAME = re.compile(r"(?:.*/)?[0-9a-f]{64}\.json\.gz")
_IN_MEMORY_BYTES = 64 << 20


class PartWriter:
    """Packs records into a part, and gives it a name that its content decides.

    The source files' fingerprints go into the name too: files that differ in nothing but blanks do not share one.
    """

    def __init__(self) -> None:
        """Begins an empty part."""
        self._spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - closed by __exit__
        self._gzip = gzip.GzipFile(
            fileobj=self._spool, mode="wb", filename="", mtime=0, compresslevel=COMPRESSION_LEVEL
        )
        self._digest = hashlib.sha256()
        self._fingerprint = b""
        self._buffer: list[bytes] = []
        self._buffered = 0

    def __enter__(self) -> Self:
        """Returns the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets go of what was packed."""
        self._gzip.close()
        self._spool.close()

    def begin_file(self, fingerprint: str) -> None:
        """Says which source file the records that follow are from."""
        self._flush()
        self._fingerprint = fingerprint.encode("ascii")

    def add(self, record: bytes) -> None:
        """Adds a record, which holds no line break."""
        self._buffer.append(record)
        self._buffered += len(record)
        if self._buffered > _BUFFER_BYTES:
            self._flush()

    def publish(self, zone: Folder, folder: str) -> str:
        """Puts the part into a folder of the landing zone, unless it is there, and returns its key."""
        self._flush()
        self._gzip.close()
        key = f"{folder}/{self._digest.hexdigest()}{PART_SUFFIX}"
        if not zone.exists(key):
            self._spool.seek(0)
            zone.write(key, self._spool)  # type: ignore[arg-type]  # a SpooledTemporaryFile is a BinaryIO in all but name
        return key

    def _flush(self) -> None:
        if self._buffer:
            content = b"\n".join(self._buffer) + b"\n"
            self._digest.update(self._fingerprint)  # once a file, and only of a file that has records
            self._fingerprint = b""
            self._digest.update(content)
            self._gzip.write(content)
            self._buffer.clear()
            self._buffered = 0


class PartReader:
    """Reads slices of parts; quickest where they are asked for in the order in which they stand."""

    def __init__(self, zone: Folder) -> None:
        """Takes the landing zone that holds the parts."""
        self._zone = zone
        self._key = ""
        self._records: Iterator[bytes] = iter(())
        self._next = 0

    def slice(self, key: str, start: int, count: int) -> Iterator[bytes]:
        """Yields `count` records of a part, from number `start` (from 0) on.

        Raises:
            LandingError: The part is damaged or has fewer records.
        """
        if key != self._key or start < self._next:
            self._key, self._records, self._next = key, read_part(self._zone, key), 0
        for _ in range(self._next, start + count):
            record = next(self._records, None)
            if record is None:
                raise LandingError(
                    f"{self._zone.location}/{key} has fewer records than the ledger says: delete it, land again"
                )
            self._next += 1
            if self._next > start:
                yield record


def read_part(zone: Folder, key: str) -> Iterator[bytes]:
    """Yields the records of a part, without line breaks.

    Raises:
        LandingError: The part is damaged.
    """
    try:
        with zone.open(key) as stream, gzip.GzipFile(fileobj=stream) as lines:
            for line in lines:
                yield line[:-1]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise LandingError(f"{zone.location}/{key} is damaged ({error}): delete it, land again") from error


def is_part(key: str) -> bool:
    """Whether a file's name is one that a `PartWriter` gives; other programs' files are left alone."""
    return _PART_NAME.fullmatch(key) is not None


def empty_part_key(folder: str) -> str:
    """The part without a record, which stands in the folder of a table that has none, for readers to find a file."""
    return f"{folder}/{hashlib.sha256().hexdigest()}{PART_SUFFIX}"


def sweep(zone: Folder, folder: str, named: Iterable[str]) -> None:
    """Deletes the parts of a table that its ledger does not name."""
    keep = set(named) or {empty_part_key(folder)}
    for stored in list(zone.list(folder)):
        if is_part(stored.key) and stored.key not in keep:
            zone.delete(stored.key)


def ensure_a_part(zone: Folder, folder: str) -> None:
    """Writes the part without a record."""
    with PartWriter() as part:
        part.publish(zone, folder)
