"""Where people may be beyond the landing zone and the database that an erasure is about, on this machine.

What commands of ours left unfinished is removed. What belongs to another landing zone or database is only looked into:
it says where the people are found, and how to erase them there.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from lakehouse.declaration import Table
from lakehouse.errors import LandingError
from lakehouse.landing import ledger
from lakehouse.privacy.leftovers import abandoned_work_folders
from lakehouse.privacy.proof import Places, search_files, search_zone
from lakehouse.records.needles import ADDRESS_COLUMNS, Needles
from lakehouse.storage.local import LocalFolder

ENDPOINTS_FOLDERS = ("local_redshift_*", "local-athena-*", "local_athena_*", "local-aws-*", "local_aws_*")
"""What the endpoints of a local run call the folders that hold their databases."""
# of builds, of an erasure, and of DuckDB where it had not enough memory
_UNFINISHED = ("{}.unfinished", "{}.failed", ".{}.erasing", "{}.tmp")


@dataclass
class Reached:
    """What was found beyond an erasure's own landing zone and database."""

    removed: list[str] = field(default_factory=list)
    """What commands of ours had left unfinished, and is gone now."""
    elsewhere: dict[str, str] = field(default_factory=dict)
    """Where the people are found, and what to do about it."""
    unknown: list[str] = field(default_factory=list)
    """Of which places it could not be told, and why; and what else somebody should look at."""

    def add(self, other: "Reached") -> None:
        """Takes what was found in other places, too."""
        self.removed += other.removed
        self.elsewhere |= other.elsewhere
        self.unknown += other.unknown


@dataclass(frozen=True)
class Machine:
    """The project's folder, and the temporary one.

    Attributes:
        project_dir: The project's folder.
        zone: The landing zone that the erasure is about; a folder or on S3.
        database: The DuckDB file that it is about, if it is about one.
        tables: The declared tables, by name.
        needles: What to find.
        values: What to compare with whole values in databases: every known spelling, and the pseudonyms.
        address_columns: In which columns alone a word is looked for that is somebody's address.
    """

    project_dir: Path
    zone: str
    database: Path | None
    tables: Mapping[str, Table]
    needles: Needles
    values: frozenset[str]
    address_columns: frozenset[str] = frozenset(ADDRESS_COLUMNS)

    @property
    def _real(self) -> Path | None:
        """The database's file itself, to which its name may be a symbolic link: commands work beside it."""
        return self.database.resolve() if self.database is not None else None

    def unfinished(self) -> list[Path]:
        """What killed or failed commands left beside the database, and what was compared last if it has the people."""
        names = [name.format(self.database.name) for name in _UNFINISHED] if self.database is not None else []
        left = [self._real.with_name(name) for name in names] if self._real is not None else []
        compared = [self.project_dir / name for name in (".parity", ".diff")]
        return [
            *abandoned_work_folders(),
            *(path for path in left if path.exists()),
            *(folder for folder in compared if folder.is_dir() and self._search_zone(folder)),
        ]

    def remove_unfinished(self) -> Reached:
        """Removes it, and says what.

        Raises:
            OSError: It cannot be removed.
        """
        reached = Reached()
        with self._alone() as is_alone:
            for path in self.unfinished():
                if not is_alone and self._real is not None and path.parent == self._real.parent:
                    reached.unknown.append(f"{path}: a build is at work there; erase again when it is done")
                    continue
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                reached.removed.append(str(path))
        return reached

    def look_elsewhere(self) -> Reached:
        """Looks into the other landing zones and databases of this project."""
        reached = Reached()
        for zone in self._other_zones():
            erase = f"erase there, too: .venv/bin/lakehouse erase --zone {zone} …"
            self._look(reached, zone, self._search_zone, erase)
        for file in self._other_databases():
            erase = f"delete it, or erase there, too: DUCKDB_PATH={file} .venv/bin/lakehouse erase --zone ZONE …"
            self._look(reached, file, self._search_database, erase)
        return reached

    def endpoints_folders(self) -> list[Path]:
        """Folders of local endpoints that run, or were killed: nobody can tell which."""
        temporary = {Path(tempfile.gettempdir()), Path("/tmp")}  # noqa: S108 - where the endpoints make theirs
        found = {path for folder in temporary for pattern in ENDPOINTS_FOLDERS for path in folder.glob(pattern)}
        return sorted(path for path in found if path.is_dir() and path.stat().st_uid == os.getuid())

    def releases(self) -> int:
        """How many releases of training data are in the project's folder."""
        folder = self.project_dir / "releases"
        return sum(path.is_dir() for path in folder.iterdir()) if folder.is_dir() else 0

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no build is at work, which would have the database's lock."""
        lock = self._real.with_name(f"{self.database.name}.lock") if self.database and self._real else None
        if lock is None or not lock.exists():
            yield True
            return
        with lock.open("rb") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _other_zones(self) -> list[Path]:
        """The landing zones beside this one, and those of other data sets in the project's folder."""
        beside = [] if self.zone.startswith("s3://") else [Path(self.zone).parent]
        folders = {folder for parent in (self.project_dir / "landing", *beside) for folder in _folders_in(parent)}
        return sorted(
            folder.resolve()
            for folder in folders
            if str(folder.resolve()) != str(Path(self.zone).resolve())
            and (folder.parent == self.project_dir / "landing" or (folder / ledger.LEDGER_FOLDER).is_dir())
        )

    def _other_databases(self) -> list[Path]:
        """DuckDB's files in the project's folder, and beside the database: also those that runs have set aside."""
        parents = {self.project_dir, *(path.parent for path in (self.database, self._real) if path is not None)}
        names = ["lakehouse*.duckdb*"] + ([f"{self.database.name}*"] if self.database is not None else [])
        found = {path for parent in parents for name in names for path in parent.glob(name)}
        files = {file for path in found for file in (path, *path.rglob("*")) if file.is_file()}
        own = (
            {self.database, self._real, self.database.with_name(f"{self.database.name}.wal")}
            if self.database is not None
            else set()
        )
        return sorted(file for file in files if file not in own and file.suffix != ".lock")

    def _look(self, reached: Reached, place: Path, search: Callable[[Path], Places], erase: str) -> None:
        try:
            found = search(place)
        except (OSError, LandingError, duckdb.Error) as error:
            reached.unknown.append(f"{place}: {_in_a_line(error)}")
            return
        if found:
            reached.elsewhere[f"{place} ({sum(found.values()):,})"] = erase

    def _search_zone(self, zone: Path) -> Places:
        return search_zone(LocalFolder(zone), self.tables, self.needles)

    def _search_database(self, file: Path) -> Places:
        """Looks into the text columns of a database that is not this project's now; else into the bytes of the file."""
        if file.suffix != ".duckdb":
            return search_files([file], self.needles)
        forms = {value.strip().lower() for value in self.values}
        telling = forms.difference(map(str.lower, self.needles.words))
        found: Places = {}
        with duckdb.connect(str(file), read_only=True) as database:
            columns = database.execute(
                "select c.schema_name, c.table_name, c.column_name from duckdb_columns() as c "
                "inner join duckdb_tables() as t using (database_name, schema_name, table_name) "
                "where c.data_type = 'VARCHAR' and c.database_name = current_database()"
            ).fetchall()
            for schema, table, column in columns:
                name, relation = _quoted(column), f"{_quoted(schema)}.{_quoted(table)}"
                query = f"select count(*) from {relation} where lower(trim({name})) in (select unnest($1))"  # noqa: S608 - names of its own
                wanted = forms if column.lower() in self.address_columns else telling
                (rows,) = database.execute(query, [sorted(wanted)]).fetchall()[0]
                if rows:
                    found[f"{schema}.{table}.{column}"] = rows
        return found


def _folders_in(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _in_a_line(error: Exception) -> str:
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return text.splitlines()[0] if text else type(error).__name__
