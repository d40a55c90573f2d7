"""What the commands make of people's data is its owner's only: nobody else on the machine may read it."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from lakehouse.console import Reporter
from lakehouse.declaration import load_tables
from lakehouse.storage.folder import is_s3

_DATABASE_FILES = (("", ""), ("", ".wal"), ("", ".tmp"), (".", ".erasing"))  # what DuckDB, and erasing, put beside it
OWNER_ONLY = 0o077  # as a umask: what is taken from group and others


def keep_private() -> None:
    """Lets nobody but the owner read what this process, and those that it starts, make from now on."""
    os.umask(OWNER_ONLY)


def protect(project_dir: Path, zone: str, reporter: Reporter) -> None:
    """Takes from everybody else the rights to what earlier commands made: landed data, the database, dbt's files.

    Only what these commands make: a landing zone, or a database, may lie in a folder that is other people's, too.
    """
    made = [project_dir / name for name in ("target", "logs", ".parity", ".diff", "sample_data")]
    database = Path(os.environ.get("DUCKDB_PATH") or project_dir / "lakehouse.duckdb")
    made += [database.with_name(f"{before}{database.name}{after}") for before, after in _DATABASE_FILES]
    if not is_s3(zone):
        landed = {"loader", *(table.folder for table in load_tables(project_dir).values())}
        made += [Path(zone, folder) for folder in sorted(landed)]
    still_wide = narrow(path for path in made if path.exists())
    if still_wide:
        reporter.warn(
            f"others may have rights to {len(still_wide):,} files that hold people's data, which somebody else owns: "
            f"{still_wide[0]}{', …' if len(still_wide) > 1 else ''}"
        )


def narrow(paths: Iterable[Path]) -> list[Path]:
    """Takes from everybody else the rights to files and folders that are there, and to all below them.

    Links are left alone, and so is what they lead to.

    Returns:
        Those of which others keep their rights, since somebody else owns them.
    """
    return [path for path in _with_all_below(paths) if not _narrowed(path)]


def _with_all_below(paths: Iterable[Path]) -> Iterator[Path]:
    for top in paths:
        yield top
        if not top.is_symlink():
            for folder, folders, files in os.walk(top):
                yield from (Path(folder, name) for name in (*folders, *files))


def _narrowed(path: Path) -> bool:
    try:
        status = path.lstat()
        if not stat.S_ISLNK(status.st_mode) and status.st_mode & OWNER_ONLY:
            path.chmod(stat.S_IMODE(status.st_mode) & ~OWNER_ONLY)
    except FileNotFoundError:  # it is gone by now
        return True
    except OSError:
        return False
    return True
