"""Reads source files ahead of whoever looks at them: the next blocks are on their way while one is checked."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self

from lakehouse.console import Advance
from lakehouse.errors import LandingError
from lakehouse.storage.folder import BLOCK_BYTES, Fetched, FileChangedError, Folder
from lakehouse.storage.source_files import SourceFile

AHEAD_BYTES = 64 << 20  # of blocks that were asked for and not taken yet: what bounds the memory, whatever the files
AHEAD_REQUESTS = 256


class _Request(NamedTuple):
    file: SourceFile
    start: int
    version: str | None
    """None where whatever version is there will do: of a file that is fetched at once."""

    @property
    def size(self) -> int:
        """Number of bytes, as listed."""
        return min(BLOCK_BYTES, self.file.size - self.start)


class FileContent:
    """The blocks of a file, once; after the last of them, what the file was like."""

    def __init__(self, blocks: Iterator[Fetched], advance: Advance) -> None:
        """Takes the blocks in order, at least one."""
        self.size = 0
        self.version = ""
        self._blocks = blocks
        self._advance = advance
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        """Yields the file's bytes."""
        for block in self._blocks:
            self.size, self.version = block.size, block.version
            self._digest.update(block.content)
            self._advance(len(block.content))
            yield block.content

    @property
    def sha256(self) -> str:
        """The fingerprint of the bytes that were read so far."""
        return self._digest.hexdigest()


class ReadAhead:
    """Fetches the blocks of files in the order in which they will be wanted, several at a time."""

    def __init__(self, folders: Mapping[str, Folder], files: Iterable[SourceFile], advance: Advance) -> None:
        """Takes the sources by location, and the files in the order in which `content` will be asked for them."""
        self._folders = folders
        self._advance = advance
        self._requests = _requests(files)
        self._ahead: deque[tuple[_Request, Future[Fetched]]] = deque()
        self._ahead_bytes = 0
        threads = max((folder.fetch_threads for folder in folders.values()), default=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="fetch")

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives up what was not fetched yet."""
        self._pool.shutdown(cancel_futures=True)

    def content(self, file: SourceFile) -> FileContent:
        """The content of the next file; the one before it must have been read to its end."""
        return FileContent(self._blocks(file), self._advance)

    def _blocks(self, file: SourceFile) -> Iterator[Fetched]:
        try:
            first = self._next(file)
            yield first
            for start in range(BLOCK_BYTES, first.size, BLOCK_BYTES):
                if file.size > BLOCK_BYTES:
                    yield self._next(file)
                else:  # it has grown since it was listed
                    yield self._fetch(_Request(file, start, first.version))
        except FileChangedError as error:
            raise LandingError(
                f"{file.source}/{file.source_file} changed while it was read: land again when nobody writes to it"
            ) from error
        except FileNotFoundError as error:
            raise LandingError(
                f"{file.source}/{file.source_file} went away while the load was at work: land again"
            ) from error

    def _next(self, file: SourceFile) -> Fetched:
        self._ask()
        request, fetching = self._ahead.popleft()
        if request.file != file:  # or else one file's bytes would be landed as another's
            raise RuntimeError(f"{file.path} was asked for, {request.file.path} is next")
        self._ahead_bytes -= request.size
        return fetching.result()

    def _ask(self) -> None:
        """Asks for as many blocks as may be under way."""
        while len(self._ahead) < AHEAD_REQUESTS and self._ahead_bytes < AHEAD_BYTES:
            request = next(self._requests, None)
            if request is None:
                return
            self._ahead.append((request, self._pool.submit(self._fetch, request)))
            self._ahead_bytes += request.size

    def _fetch(self, request: _Request) -> Fetched:
        folder = self._folders[request.file.source]
        return folder.fetch(request.file.source_file, request.start, BLOCK_BYTES, request.version)


def _requests(files: Iterable[SourceFile]) -> Iterator[_Request]:
    for file in files:
        yield _Request(file, 0, file.version if file.size > BLOCK_BYTES else None)
        for start in range(BLOCK_BYTES, file.size, BLOCK_BYTES):
            yield _Request(file, start, file.version)
