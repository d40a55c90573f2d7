"""Where files are read from and written to: an interface, and a local folder that fulfils it."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from lakehouse.errors import LandingError

TEMPORARY_SUFFIX = ".tmp"  # no reader's glob (*.json, *.json.gz) matches it
LOCK_KEY = "loader/.lock"
_LEFTOVER = re.compile(
    r"(?:.+/)?\.[0-9a-f]{64}\.(?:json\.gz|next)\.tmp"  # a part, or a quarantine that is pending
    r"|loader/(?:ledger|quarantine)/\.[^/]+\.json\.tmp"
)


class StoredFile(NamedTuple):
    """A file of a folder: its path below the folder, with forward slashes, and its size in bytes."""

    key: str
    size: int
    is_regular: bool = True
    """Whether it is a file that can be read, and not a link to nowhere, a pipe, a socket or a device."""


class Folder(Protocol):
    """A place that holds files under keys. Nothing outside this module knows what kind of place it is."""

    @property
    def location(self) -> str:
        """Where the folder is, in the form that a person would type."""

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """Yields the files below a prefix (whole path components), in the order of their keys."""

    def exists(self, key: str) -> bool:
        """Whether there is a file under the key."""

    def open(self, key: str) -> BinaryIO:
        """Opens a file for reading."""

    def write(self, key: str, content: BinaryIO) -> None:
        """Puts a file under the key, all of it or nothing, in place of what was there."""

    def delete(self, key: str) -> None:
        """Removes the file under the key; there need not be one."""

    def exclusive(self) -> AbstractContextManager[None]:
        """Keeps every other loader out of the folder, and removes what a killed one left half-written."""


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        """Takes the folder's path, which need not exist yet."""
        self.path = path.resolve()

    @property
    def location(self) -> str:
        """The folder's absolute path."""
        return self.path.as_posix()

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """Yields the files below a prefix, by key. Names that begin with a dot are hidden: neither data nor listed."""
        top = self.path / prefix
        if top.is_dir():
            yield from sorted(self._walk(top, frozenset()))

    def _walk(self, folder: Path, ancestors: frozenset[Path]) -> Iterator[StoredFile]:
        real = folder.resolve()
        if real in ancestors:  # a symbolic link that leads back up
            return
        for entry in os.scandir(folder):
            if entry.name.startswith("."):
                continue
            path = Path(entry.path)
            if entry.is_dir():
                yield from self._walk(path, ancestors | {real})
            elif entry.is_file():
                yield StoredFile(path.relative_to(self.path).as_posix(), entry.stat().st_size)
            else:
                yield StoredFile(path.relative_to(self.path).as_posix(), 0, is_regular=False)

    def exists(self, key: str) -> bool:
        """Whether there is a file under the key."""
        return (self.path / key).is_file()

    def open(self, key: str) -> BinaryIO:
        """Opens a file for reading."""
        return (self.path / key).open("rb")

    def write(self, key: str, content: BinaryIO) -> None:
        """Writes a neighbour of the file, makes it durable, and moves it into place in one step."""
        target = self.path / key
        _make_folder(target.parent)
        temporary = target.with_name(f".{target.name}{TEMPORARY_SUFFIX}")
        with temporary.open("wb") as out:
            shutil.copyfileobj(content, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)
        _make_durable(target.parent)

    def delete(self, key: str) -> None:
        """Removes the file under the key, and the folders that are empty without it."""
        target = self.path / key
        target.unlink(missing_ok=True)
        for parent in target.parents:
            if parent == self.path or not parent.is_dir() or any(parent.iterdir()):
                break
            parent.rmdir()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Holds a lock that the system gives back when this process ends, however it ends."""
        lock = self.path / LOCK_KEY
        _make_folder(lock.parent)
        with lock.open("a+", encoding="ascii") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                held.seek(0)
                owner = held.read().strip() or "unknown"
                raise LandingError(
                    f"another load (process {owner}) is writing to {self.location}: "
                    "wait until it is done, then try again"
                ) from error
            held.truncate(0)
            held.write(f"{os.getpid()}\n")
            held.flush()
            for leftover in self.path.rglob(f".*{TEMPORARY_SUFFIX}"):
                is_own = _LEFTOVER.fullmatch(leftover.relative_to(self.path).as_posix()) is not None
                if is_own and leftover.is_file() and not leftover.is_symlink():
                    leftover.unlink()
            yield


class DryRunFolder:
    """Another folder, of which nothing is changed: it reads like the real one and forgets what is written."""

    def __init__(self, folder: Folder) -> None:
        """Takes the folder to protect."""
        self._folder = folder

    @property
    def location(self) -> str:
        """Where the protected folder is."""
        return self._folder.location

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        """Yields the protected folder's files."""
        return self._folder.list(prefix)

    def exists(self, key: str) -> bool:
        """Whether the protected folder has the file."""
        return self._folder.exists(key)

    def open(self, key: str) -> BinaryIO:
        """Opens a file of the protected folder."""
        return self._folder.open(key)

    def write(self, key: str, content: BinaryIO) -> None:
        """Does nothing."""

    def delete(self, key: str) -> None:
        """Does nothing."""

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Locks nobody out, since nothing is written."""
        yield


def open_folder(location: str | Path) -> LocalFolder:
    """The folder at a location that a person typed.

    Raises:
        LandingError: The location is of a kind that cannot be used.
    """
    scheme, separator, _ = str(location).partition("://")
    if separator:
        raise LandingError(
            f"{location} cannot be used: {scheme}:// is not supported yet, name a folder of this machine"
        )
    folder = LocalFolder(Path(location))
    try:
        folder.location.encode()
    except UnicodeEncodeError as error:
        raise LandingError(f"the folder name {folder.location!r} is not UTF-8: rename the folder") from error
    return folder


def _make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, so that a power cut takes none of them away."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _make_durable(folder.parent)


def _make_durable(folder: Path) -> None:
    """Makes a rename in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
