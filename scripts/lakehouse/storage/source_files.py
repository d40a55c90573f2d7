"""The files of a source, and which of them belong to which table."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakehouse.declaration import Table
from lakehouse.errors import LandingError
from lakehouse.storage.folder import Folder, StoredFile

FileKey = tuple[str, str]
"""What tells source files apart: the source and the path below it."""

_WILDCARDS = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True)
class SourceFile:
    """A file of a source, as it was when somebody last looked."""

    source: str
    source_file: str
    size: int
    version: str
    sha256: str | None = None
    """Its fingerprint; None as long as nobody has read this version."""

    @property
    def key(self) -> FileKey:
        """What tells it apart from all other files."""
        return self.source, self.source_file

    @property
    def path(self) -> str:
        """Where it is, for a person."""
        return f"{self.source}/{self.source_file}"


@dataclass(frozen=True)
class Source:
    """A folder to land from, and what was found in it."""

    folder: Folder
    files: Mapping[str, Sequence[SourceFile]]
    """The files that belong to each table, by its name, in the order of their paths."""
    unclaimed: Mapping[str, str | None]
    """The files that belong to no table, each with the table among whose files it lies: perhaps it should."""
    leading_out: Sequence[str] = ()
    """The links that lead out of the folder and were not followed: what is there, nobody said to land."""


def look_into(folder: Folder, tables: Sequence[Table]) -> Source:
    """Lists a source, and sorts its files by table. A file may be compressed with gzip: `*.json` is `*.json.gz`, too.

    Raises:
        LandingError: No file belongs to any table, or one cannot be read: its name is no text, it is no regular file.
    """
    listed = list(folder.list())
    stored = [file for file in listed if not file.leads_out]
    leading_out = [_shown(folder, file) for file in listed if file.leads_out]
    files: dict[str, list[SourceFile]] = {}
    claimed: set[str] = set()
    for table in tables:
        belongs = [_matcher(pattern) for pattern in table.source_files]
        found = [file for file in stored if any(matches.fullmatch(file.key) for matches in belongs)]
        for file in found:
            _check(folder, file)
        claimed |= {file.key for file in found}
        files[table.name] = [
            SourceFile(folder.location, file.key, file.size, file.version)
            for file in sorted(found, key=lambda file: file.key)
        ]
    if not claimed:
        patterns = "\n  ".join(pattern for table in tables for pattern in table.source_files)
        links = f"\n{len(leading_out):,} links lead out of it and are not followed" if leading_out else ""
        raise LandingError(f"nothing to land in {folder.location}: no file matches any of\n  {patterns}{links}")
    unclaimed = {_shown(folder, file): _table_beside(file.key, tables) for file in stored if file.key not in claimed}
    return Source(folder, files, unclaimed, leading_out)


def _table_beside(key: str, tables: Sequence[Table]) -> str | None:
    """The table whose files lie around a file; none for a file that programs hide or keep for themselves."""
    if key.rpartition("/")[2].startswith((".", "_")):
        return None
    around = (
        table.name for table in tables for pattern in table.source_files if key.startswith(pattern.partition("*")[0])
    )
    return next(around, None)


def _matcher(pattern: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*\*/|\*|\?)", pattern)
    return re.compile("".join(_WILDCARDS.get(piece, re.escape(piece)) for piece in pieces) + r"(?:\.gz)?")


def _shown(folder: Folder, file: StoredFile) -> str:
    """A file's name for a person; of names that are no text, the odd bytes are shown."""
    return f"{folder.location}/{file.key}".encode(errors="backslashreplace").decode()


def _check(folder: Folder, file: StoredFile) -> None:
    try:
        file.key.encode()
    except UnicodeEncodeError as error:
        raise LandingError(f"the file name {file.key!r} in {folder.location} is not UTF-8: rename the file") from error
    if not file.is_regular:
        raise LandingError(
            f"{folder.location}/{file.key} is no regular file (a link to nowhere, a pipe, …): repair or remove it"
        )
