"""A folder of this machine."""

import errno
import fcntl
import io
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self, TextIO

from lakehouse.errors import LandingError
from lakehouse.storage.folder import Claim, Fetched, FileChangedError, Folder, Say, StoredFile

_OWNERS_FILE, _OWNERS_FOLDER = 0o600, 0o700  # whatever the umask is: a landing zone is full of people's data
TEMPORARY_SUFFIX = ".tmp"  # no reader's glob (*.json, *.json.gz) matches it
LOCK_KEY = "loader/.lock"
_LEFTOVER = re.compile(
    r"(?:.+/)?\.(?:[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}-[0-9]{5,}|empty)\.json\.gz\.tmp"  # a part
    r"|loader/(?:.+/)?\.[^/]+\.json\.tmp"  # a ledger, a receipt
)


class LocalFolder:
    """A folder of this machine."""

    fetch_threads = 2  # the disk's queue is short: one block is checked while the next is read

    def __init__(self, path: Path) -> None:
        """Takes the folder's path, which need not exist yet."""
        self.path = path.resolve()

    @classmethod
    def parse(cls, location: str | Path) -> Self:
        """The folder at a path that a person typed.

        Raises:
            LandingError: It is no path.
        """
        scheme, separator, _ = str(location).partition("://")
        if separator:
            raise LandingError(f"{location} cannot be used: {scheme}:// is not known, name a folder or s3://bucket/…")
        folder = cls(Path(location))
        try:
            folder.location.encode()
        except UnicodeEncodeError as error:
            raise LandingError(f"the folder name {folder.location!r} is not UTF-8: rename the folder") from error
        return folder

    @property
    def location(self) -> str:
        """The folder's absolute path."""
        return self.path.as_posix()

    def check_source(self) -> None:
        """Checks that the folder exists."""
        if not self.path.exists():
            raise LandingError(f"source folder {self.path} does not exist: check the path, or make sample data first")
        if not self.path.is_dir():
            raise LandingError(f"source {self.path} is a file: name the folder that holds it")

    def check_zone(self) -> None:
        """Checks that the path is not a file's."""
        if self.path.exists() and not self.path.is_dir():
            raise LandingError(f"landing zone {self.path} is a file: name a folder")

    def list(self, prefix: str = "", *, hidden: bool = False) -> Iterator[StoredFile]:
        """Yields the files below a prefix, by key."""
        top = self.path / prefix
        if top.is_dir():
            yield from sorted(self._walk(top, frozenset(), hidden=hidden))

    def _walk(self, folder: Path, ancestors: frozenset[Path], *, hidden: bool) -> Iterator[StoredFile]:
        real = folder.resolve()
        if real in ancestors:  # a symbolic link that leads back up
            return
        for entry in os.scandir(folder):
            if entry.name.startswith(".") and not hidden:
                continue
            path = Path(entry.path)
            key = path.relative_to(self.path).as_posix()
            if entry.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(self.path):
                yield StoredFile(key, 0, is_regular=False, leads_out=path.exists())
            elif entry.is_dir():
                yield from self._walk(path, ancestors | {real}, hidden=hidden)
            elif entry.is_file():
                status = entry.stat()
                yield StoredFile(key, status.st_size, _version(status))
            else:
                yield StoredFile(key, 0, is_regular=False)

    def fetch(self, key: str, start: int = 0, length: int | None = None, version: str | None = None) -> Fetched:
        """Reads a stretch of a file, of which nobody writes to the file meanwhile."""
        with (self.path / key).open("rb") as file:
            before = os.fstat(file.fileno())
            if version is not None and _version(before) != version:
                raise FileChangedError(key)
            file.seek(start)
            content = file.read(-1 if length is None else length)
            if _version(os.fstat(file.fileno())) != _version(before):
                raise FileChangedError(key)
        return Fetched(content, before.st_size, _version(before))

    def write(self, key: str, content: BinaryIO) -> None:
        """Writes a neighbour of the file, makes it durable, and moves it into place in one step."""
        target = self._own(key)
        _make_folder(target.parent)
        temporary = target.with_name(f".{target.name}{TEMPORARY_SUFFIX}")
        temporary.unlink(missing_ok=True)  # a killed load's; or a link, through which another file would be written
        with open(temporary, "xb", opener=_owners_file) as out:
            shutil.copyfileobj(content, out, 1 << 20)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)
        _make_durable(target.parent)

    def replace(self, key: str, content: bytes, version: str | None) -> str:
        """Replaces a file; the lock that `exclusive` holds keeps everybody from doing so between look and step."""
        target = self._own(key)
        if (_version(target.lstat()) if target.exists() else None) != version:
            raise FileChangedError(key)
        self.write(key, io.BytesIO(content))
        return _version(target.stat())

    def delete(self, keys: Iterable[str]) -> None:
        """Removes files, and the folders that are empty without them."""
        for key in keys:
            target = self._own(key)
            target.unlink(missing_ok=True)
            for parent in target.parents:
                if parent == self.path or not parent.is_dir() or any(parent.iterdir()):
                    break
                parent.rmdir()

    def _own(self, key: str) -> Path:
        """The path of a file to write, to which no link leads: what somebody planted must not be written through.

        Raises:
            LandingError: A link is on the way.
        """
        target = self.path / key
        for path in (target, *target.parents):
            if path == self.path:
                break
            if path.is_symlink():
                raise LandingError(
                    f"{path} is a link, and nothing is written through links: remove it, or see who made it"
                )
        return target

    def copy(self, origin: Folder, key: str, version: str, to: str) -> bool:
        """Copies nothing: on one machine, bytes that were read are as quickly written."""
        return False

    @contextmanager
    def exclusive(self, say: Say) -> Iterator[Claim]:
        """Holds a lock that the system gives back when this process ends, however it ends."""
        lock = self._own(LOCK_KEY)
        _make_folder(lock.parent)
        with _opened_lock(lock) as held:
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
                is_own = is_half_written(leftover.relative_to(self.path).as_posix())
                if is_own and leftover.is_file() and not leftover.is_symlink():
                    leftover.unlink()
            yield _held


def _opened_lock(lock: Path) -> TextIO:
    """Opens the lock, or makes it; whatever else is there is not written to.

    Raises:
        LandingError: Something else is there.
    """
    try:
        held = open(lock, "a+", encoding="ascii", errors="replace", opener=_owners_file)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO, None):  # a link, made just now; a socket; a pipe
            raise
        raise LandingError(f"{lock} is no lock of a load: remove it, or see who made it") from error
    status = os.fstat(held.fileno())
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:  # of two names, one may be somebody's file
        held.close()
        raise LandingError(f"{lock} is no lock of a load: remove it, or see who made it")
    return held


def _owners_file(path: str, flags: int) -> int:
    """Opens a file that is its owner's only if it is made now; neither follows a link nor waits at a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, _OWNERS_FILE)


def is_half_written(key: str) -> bool:
    """Whether a file's name is one that `LocalFolder.write` gives to what it has not finished."""
    return _LEFTOVER.fullmatch(key) is not None


def _version(status: os.stat_result) -> str:
    """The time of the last change of the inode cannot be set by a program, unlike that of the content."""
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_ctime_ns:x}"


def _held() -> None:
    """Finds the lock held: it goes with the process only."""


def _make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, so that a power cut takes none of them away."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=_OWNERS_FOLDER, exist_ok=True)
        _make_durable(folder.parent)


def _make_durable(folder: Path) -> None:
    """Makes a rename in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
