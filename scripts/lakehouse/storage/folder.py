"""Where files are read from and written to: what a load needs of a folder or an S3 prefix, and how to open one."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

BLOCK_BYTES = 4 << 20  # of a file, fetched at a time
Say = Callable[[str], None]
"""Tells a person something."""
Claim = Callable[[], None]
"""Says whether a folder is still one's own: raises LandingError where another load has taken it over."""


class StoredFile(NamedTuple):
    """A file of a folder, as the folder describes it without reading it."""

    key: str
    """Its path below the folder, with forward slashes."""
    size: int
    """In bytes."""
    version: str = ""
    """Differs whenever the content does: S3's ETag; of a local file its inode and the times of its last changes."""
    is_regular: bool = True
    """Whether it can be read, and is not a link to nowhere, a pipe, a socket or a device."""
    leads_out: bool = False
    """Whether it is a link, to a file or a folder, that leads out of the folder; what is there is not listed."""


class Fetched(NamedTuple):
    """Bytes of a file, and what the file was like when they were read."""

    content: bytes
    size: int
    """Of the whole file, in bytes."""
    version: str


class FileChangedError(Exception):
    """A file is not, or no longer, the version that was asked for."""


class Folder(Protocol):
    """A place that holds files under keys. Nothing outside its own module knows what kind of place it is."""

    @property
    def location(self) -> str:
        """Where the folder is, in the form that a person would type."""

    @property
    def fetch_threads(self) -> int:
        """How many fetches at a time are worth it."""

    def check_source(self) -> None:
        """Checks that there is something to read.

        Raises:
            LandingError: There is not; the message says why and what to do.
        """

    def check_zone(self) -> None:
        """Checks that files can be kept here, as far as that can be told without writing one.

        Raises:
            LandingError: They cannot.
        """

    def list(self, prefix: str = "", *, hidden: bool = False) -> Iterator[StoredFile]:
        """Yields the files below a prefix (whole path components), in the order of their keys.

        Names that begin with a dot are hidden: no data, and listed only for whoever must know of all that is there.
        """

    def fetch(self, key: str, start: int = 0, length: int | None = None, version: str | None = None) -> Fetched:
        """Reads a stretch of a file, to its end where no length is given; fewer bytes only where the file ends.

        Raises:
            FileNotFoundError: There is no such file.
            FileChangedError: The file is another version than the given one.
        """

    def write(self, key: str, content: BinaryIO) -> None:
        """Puts a file under a key, all of it or nothing."""

    def replace(self, key: str, content: bytes, version: str | None) -> str:
        """Puts a file in the place of the given version, or of nothing where that is None, in one step.

        Returns:
            The new version.

        Raises:
            FileChangedError: Something else is there.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Removes files; there need not be any."""

    def copy(self, origin: "Folder", key: str, version: str, to: str) -> bool:
        """Copies a version of another folder's file without its bytes passing here; False where that cannot be."""

    def exclusive(self, say: Say) -> AbstractContextManager[Claim]:
        """Keeps every other load out of the folder, and removes what a killed one left half-written.

        Raises:
            LandingError: Another load is at work here.
        """


class DryRunFolder:
    """Another folder, of which nothing is changed: it reads like the real one and forgets what is written."""

    def __init__(self, folder: Folder) -> None:
        """Takes the folder to protect."""
        self._folder = folder

    @property
    def location(self) -> str:
        """Where the protected folder is."""
        return self._folder.location

    @property
    def fetch_threads(self) -> int:
        """How many fetches at a time are worth it."""
        return self._folder.fetch_threads

    def check_source(self) -> None:
        """Checks the protected folder."""
        self._folder.check_source()

    def check_zone(self) -> None:
        """Checks the protected folder."""
        self._folder.check_zone()

    def list(self, prefix: str = "", *, hidden: bool = False) -> Iterator[StoredFile]:
        """Yields the protected folder's files."""
        return self._folder.list(prefix, hidden=hidden)

    def fetch(self, key: str, start: int = 0, length: int | None = None, version: str | None = None) -> Fetched:
        """Reads from the protected folder."""
        return self._folder.fetch(key, start, length, version)

    def write(self, key: str, content: BinaryIO) -> None:
        """Does nothing."""

    def replace(self, key: str, content: bytes, version: str | None) -> str:
        """Does nothing."""
        return ""

    def delete(self, keys: Iterable[str]) -> None:
        """Does nothing."""

    def copy(self, origin: Folder, key: str, version: str, to: str) -> bool:
        """Does nothing, and says that there was nothing more to do."""
        return True

    @contextmanager
    def exclusive(self, say: Say) -> Iterator[Claim]:
        """Locks nobody out, since nothing is written."""
        yield _always


def is_one_in_the_other(one: Folder, other: Folder) -> bool:
    """Whether one of two folders lies in the other, or they are the same."""
    first, second = (f"{folder.location.rstrip('/')}/" for folder in (one, other))  # of "/", the slash is all
    return first.startswith(second) or second.startswith(first)


def is_s3(location: str | Path) -> bool:
    """Whether a location is on S3."""
    return str(location).startswith("s3://")


def _always() -> None:
    """Finds that nobody has taken the folder over."""
