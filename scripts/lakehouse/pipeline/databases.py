"""The database that a run builds. On DuckDB, a new file takes the old one's place when it has passed its tests.

Readers open one file. A build works on a copy of it in a folder beside it, under the same name: DuckDB's views call the
database by the name of its file. On Redshift and Athena, readers see each relation as soon as it is built.

    lakehouse.duckdb                              what readers open
    lakehouse.duckdb.unfinished/lakehouse.duckdb  what is being built; after a killed run, the next one removes it
    lakehouse.duckdb.failed/lakehouse.duckdb      what failed its tests, until the next run
    lakehouse.duckdb.aside/<name>-<id>/…          the databases of other landing zones, each until a run of its own
    lakehouse.duckdb.lock                         held by the run or the erasure that is at work
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from lakehouse.errors import BuildError, LandingError
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.storage.folder import Say

VARIABLE = "DUCKDB_PATH"
DEFAULT_NAME = "lakehouse.duckdb"


class Database:
    """A database whose readers see what a build makes while it makes it."""

    def __init__(self, dbt: DbtSession) -> None:
        """Takes the session that builds it."""
        self._dbt = dbt

    @property
    def exists(self) -> bool:
        """Whether something may have been published in it."""
        return True

    @property
    def where(self) -> str:
        """Where it is, in words for a person."""
        return f"the {self._dbt.target} output of {self._dbt.project_dir / 'profiles.yml'}"

    @contextmanager
    def building(self, say: Say, *, is_needed: bool = True) -> "Iterator[Attempt]":
        """Holds for as long as a build takes.

        Args:
            say: Tells where what is built is found.
            is_needed: Whether there is anything to build.
        """
        yield Attempt()

    def reopen(self) -> None:
        """Has dbt open what readers open, where a build that failed left it another file."""


@dataclass
class Attempt:
    """A build under way; what has passed is published, whatever happens afterwards."""

    has_passed: bool = False


@dataclass(frozen=True)
class DuckDBFiles:
    """A DuckDB file, and those beside it."""

    path: Path

    @property
    def real(self) -> Path:
        """The file itself, of which `path` may be a symbolic link."""
        return self.path.resolve()

    @property
    def unfinished(self) -> Path:
        """The file that is being built."""
        return self._beside("unfinished") / self.path.name

    @property
    def failed(self) -> Path:
        """The file that failed its tests."""
        return self._beside("failed") / self.path.name

    @property
    def lock(self) -> Path:
        """What the command that is at work has locked."""
        return self._beside("lock")

    def set_aside(self, zone_id: str) -> Path | None:
        """The file of another landing zone that was set aside; None where there is none."""
        files = self._beside("aside").glob(f"*-{zone_id}/{self.path.name}")
        return next(files, None)

    def all(self) -> list[Path]:
        """The file that readers open, and those that were set aside, as far as there are such."""
        there = [self.path] if self.path.exists() else []
        return there + sorted(self._beside("aside").glob(f"*/{self.path.name}"))

    def place_aside(self, known: Mapping[str, Any]) -> Path:
        """Where the file goes when another landing zone's takes its place, by what it knows of its own."""
        return self._beside("aside") / f"{known['dataset']}-{known['zone_id'] or 'by_hand'}" / self.path.name

    def _beside(self, what: str) -> Path:
        return self.real.with_name(f"{self.path.name}.{what}")


@contextmanager
def open_database(dbt: DbtSession, zone_id: str, *, tidy: bool = True) -> Iterator[Database]:
    """The database that a landing zone is to be built in, for the block alone; dbt opens it meanwhile.

    Unless DUCKDB_PATH names one, each landing zone has a DuckDB file of its own, of which the one that was built last
    is `lakehouse.duckdb`.

    Args:
        dbt: The session that builds it, which has parsed the project: another DUCKDB_PATH would have it parsed anew.
        zone_id: The zone's id, or NO_ZONE_YET.
        tidy: Whether to remove what killed and failed runs left.

    Raises:
        LandingError: Another program has the DuckDB file open, or it cannot be written.
        DbtError: The database cannot be asked.
    """
    if dbt.target != "duckdb":
        yield Database(dbt)
        return
    files = DuckDBFiles(named_path(dbt.project_dir))
    before = os.environ.get(VARIABLE)
    with only_command(files):
        try:
            check_that_nobody_has_it_open(files)
            if tidy:
                remove_leftovers(files)
            database = choose(files, dbt, zone_id, is_named=bool(before))
            if tidy:
                database.prepare()
            yield database
        except OSError as error:
            raise LandingError(f"{error.filename or files.path}: {error.strerror or error}") from error
        finally:
            _set_path(before)
            if tidy:
                shutil.rmtree(files.unfinished.parent, ignore_errors=True)


def named_path(project_dir: Path) -> Path:
    """The file that DUCKDB_PATH names, by default the project's."""
    name = os.environ.get(VARIABLE)
    return Path(name).absolute() if name else project_dir / DEFAULT_NAME


@contextmanager
def only_command(files: DuckDBFiles) -> Iterator[None]:
    """Keeps every other run and erasure away; the system gives the lock back when this process ends, however it ends.

    Raises:
        LandingError: Another one is at work.
    """
    try:
        descriptor = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise LandingError(f"{files.lock}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LandingError(f"another run or erasure is at work on {files.path}: wait until it is done") from error
        yield
    finally:
        os.close(descriptor)


def check_that_nobody_has_it_open(files: DuckDBFiles) -> None:
    """Checks that no SQL client has the file open: people who withdrew could not be taken out of it.

    Raises:
        LandingError: One has.
    """
    if files.real.exists():
        with files.real.open("r+b") as file:
            _lock(file, fcntl.LOCK_EX, files.path)


def _lock(file: BinaryIO, kind: int, path: Path) -> None:
    """Takes a lock as DuckDB does; this process gives it back when it closes any of its handles on the file."""
    try:
        fcntl.lockf(file, kind | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise LandingError(
            f"another run or an open SQL client holds the database {path}: wait until it is done, or close it"
        ) from error


def remove_leftovers(files: DuckDBFiles) -> None:
    """Removes what a killed run left unfinished, and what failed in the last one."""
    for folder in (files.unfinished.parent, files.failed.parent):
        if folder.exists():
            shutil.rmtree(folder)


def choose(files: DuckDBFiles, dbt: DbtSession, zone_id: str, *, is_named: bool) -> "DuckDBDatabase":
    """Finds the file of a landing zone, and has dbt open it.

    Args:
        files: The files.
        dbt: The session that asks.
        zone_id: The zone's id, or NO_ZONE_YET.
        is_named: Whether a person named the file: then it is that one, whatever it was built from.

    Raises:
        DbtError: The file cannot be asked what it was built from.
    """
    known: Mapping[str, Any] | None = None
    if files.path.exists():
        _set_path(str(files.path))
        known = cast("Mapping[str, Any] | None", dbt.ask("tell_built_from", zone_id=zone_id)[0])
    aside = files.set_aside(zone_id)
    if known is None or known["is_this_zone"] or is_named:
        origin = files.path if files.path.exists() else None
        outdated = aside if known is not None and known["is_this_zone"] else None
        database = DuckDBDatabase(dbt, files, origin, stranger=None, outdated=outdated)
    else:
        database = DuckDBDatabase(dbt, files, aside, stranger=known)
    _set_path(database.opened)
    return database


class DuckDBDatabase(Database):
    """A DuckDB file whose readers see a build when it has passed."""

    def __init__(
        self,
        dbt: DbtSession,
        files: DuckDBFiles,
        origin: Path | None,
        *,
        stranger: Mapping[str, Any] | None,
        outdated: Path | None = None,
    ) -> None:
        """Takes what is there.

        Args:
            dbt: The session.
            files: All of them.
            origin: The one to begin with.
            stranger: What the file in the place is of, if it is another zone's.
            outdated: A file that was set aside, of which a killed run brought back a newer one.
        """
        super().__init__(dbt)
        self._files, self._origin, self._stranger, self._outdated = files, origin, stranger, outdated

    @property
    def opened(self) -> str:
        """The path that dbt opens before a build."""
        return str(self._origin or self._files.unfinished)

    def prepare(self) -> None:
        """Makes room for what dbt opens, and removes what is outdated."""
        if self._outdated is not None:
            shutil.rmtree(self._outdated.parent)
        if self._origin is None:
            self._files.unfinished.parent.mkdir(mode=0o700)

    @property
    def exists(self) -> bool:
        """Whether there is a file to begin with."""
        return self._origin is not None

    @property
    def where(self) -> str:
        """The path that readers open."""
        return str(self._files.path)

    @contextmanager
    def building(self, say: Say, *, is_needed: bool = True) -> Iterator[Attempt]:
        """Has dbt work on a new file, a copy of the old one with its history, and publishes it if it has passed.

        Nobody can write to the old file meanwhile, since that would be lost; reading it is open to everybody. Where
        nothing is built, the file stays as it is, unless another zone's is in its place.
        """
        if not is_needed and self._origin is not None and self._stranger is None:
            yield Attempt()
            return
        close_connections()
        files, attempt = self._files, Attempt()
        with ExitStack() as held:
            if self._origin is not None:
                _checkpoint(self._origin)
                self._copy(held.enter_context(_kept_from_writers(self._origin)))
            if self._stranger is not None:
                held.enter_context(_kept_from_writers(files.path))
            _set_path(str(files.unfinished))
            try:
                yield attempt
            except BuildError:
                if not attempt.has_passed:
                    self._keep_failed(say)
                raise
            finally:
                if attempt.has_passed:
                    self._publish(say)

    def reopen(self) -> None:
        """Has dbt open the file that the build began with, which readers still see."""
        _set_path(self.opened)

    def _copy(self, origin: BinaryIO) -> None:
        """Copies the file whose lock is held: opening it a second time would give the lock back."""
        self._files.unfinished.parent.mkdir(mode=0o700)
        with self._files.unfinished.open("xb") as new:
            shutil.copyfileobj(origin, new, 16 << 20)

    def _publish(self, say: Say) -> None:
        """Puts the new file in the place of the old one in one step; a reader of the old one goes on reading that."""
        files = self._files
        close_connections()
        _checkpoint(files.unfinished)
        old = self._origin or (files.real if files.real.exists() else None)
        if old is not None:
            shutil.copymode(old, files.unfinished)
        if self._stranger is not None:
            aside = files.place_aside(self._stranger)
            _put_aside(files.real, aside)
            say(f"set aside, until a run of {self._stranger['dataset']} takes it up again: {aside}")
        _make_durable(files.unfinished)
        _log_of(files.path).unlink(missing_ok=True)  # of no writer, whom the lock keeps out: nothing that counts
        files.unfinished.replace(files.real)
        _make_durable(files.real.parent)
        if self._stranger is not None and self._origin is not None:
            shutil.rmtree(self._origin.parent)

    def _keep_failed(self, say: Say) -> None:
        """Keeps the file that failed its tests for whoever looks into it."""
        close_connections()
        self._files.unfinished.parent.replace(self._files.failed.parent)
        say(f"what failed can be looked into until the next run: {self._files.failed}")
        if self._stranger is not None:
            say(f"{self._files.path} is the database of {self._stranger['dataset']}, as before")
        elif self._origin is not None:
            say(f"readers still see {self._files.path} as it was before, but for people who do not consent")
        else:
            say("nothing was published")


@contextmanager
def _kept_from_writers(path: Path) -> Iterator[BinaryIO]:
    """Holds the lock that DuckDB gives to readers."""
    with path.open("rb") as file:
        _lock(file, fcntl.LOCK_SH, path)
        yield file


def _put_aside(path: Path, aside: Path) -> None:
    """Gives a file another place, in which it stays when another one replaces it here."""
    aside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside.unlink(missing_ok=True)
    try:
        aside.hardlink_to(path)
    except OSError:  # some file systems have no hard links
        shutil.copy2(path, aside)


def close_connections() -> None:
    """Has dbt close the DuckDB file, which it keeps open from one command to the next."""
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _checkpoint(path: Path) -> None:
    """Writes what is in the log of a DuckDB file into the file.

    Raises:
        LandingError: Another program has it open, or there is no room for it.
    """
    try:
        with duckdb.connect(str(path)) as database:
            database.execute("force checkpoint")
    except duckdb.Error as error:
        raise LandingError(f"{path} cannot be written: {error}") from error
    if _log_of(path).exists():
        raise LandingError(
            f"{_log_of(path)} is there although nobody writes to the database: open it once, and run again"
        )


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_path(path: str | None) -> None:
    """Has dbt open another file from its next command on."""
    close_connections()
    if path is None:
        os.environ.pop(VARIABLE, None)
    else:
        os.environ[VARIABLE] = path
