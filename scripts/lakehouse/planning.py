"""Decides what a load has to do for a table, from what its sources hold now and what its ledger says."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lakehouse.errors import LandingError
from lakehouse.ledger import Books, FileKey, LedgerEntry
from lakehouse.packing import MAX_PART_BYTES
from lakehouse.sources import Table
from lakehouse.storage import Folder, StoredFile

_WILDCARDS = {"**/": "(?:[^/]+/)*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True)
class SourceFile:
    """A file of a source, as its content was when it was looked at."""

    source: str
    source_file: str
    size: int
    sha256: str

    @property
    def key(self) -> FileKey:
        """What tells it apart from all other files."""
        return self.source, self.source_file


class Status(StrEnum):
    """How a file stands to the ledger."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    VANISHED = "vanished"  # landed once, and no longer in its source
    NOT_NAMED = "not named"  # landed once, from a source that this load does not look at


@dataclass(frozen=True)
class PlannedFile:
    """A file whose records belong into the landing zone, unless it is a copy of another."""

    file: SourceFile
    status: Status
    copy_of: FileKey | None = None
    carried: LedgerEntry | None = None
    """The entry of the same content, whose records are still in the landing zone and need not be read again."""


@dataclass(frozen=True)
class Pack:
    """The files of one source and group whose records make one part, in the order of their paths."""

    group: str
    files: tuple[PlannedFile, ...]


@dataclass(frozen=True)
class Plan:
    """What a load does for a table."""

    files: tuple[PlannedFile, ...]
    kept: tuple[LedgerEntry, ...]
    """Entries that stay as they are, with their parts."""
    packs: tuple[Pack, ...]
    """Packs whose part is written anew."""
    forgotten: tuple[LedgerEntry, ...]

    @property
    def copies(self) -> tuple[PlannedFile, ...]:
        """The files that are copies of others."""
        return tuple(planned for planned in self.files if planned.copy_of)


def find_files(source: Folder, table: Table) -> list[StoredFile]:
    """The files of a source that belong to a table, by path.

    Raises:
        LandingError: A file's name is not text, or it is a thing that cannot be read, such as a link to nowhere.
    """
    found: dict[str, StoredFile] = {}
    for pattern in table.source_files:
        matches = re.compile("".join(_WILDCARDS.get(piece, re.escape(piece)) for piece in _split(pattern))).fullmatch
        fixed_folders = re.split(r"[*?]", pattern, maxsplit=1)[0].rpartition("/")[0]
        found |= {stored.key: stored for stored in source.list(fixed_folders) if matches(stored.key)}
    for key, stored in found.items():
        try:
            key.encode()
        except UnicodeEncodeError as error:
            raise LandingError(f"the file name {key!r} in {source.location} is not UTF-8: rename the file") from error
        if not stored.is_regular:
            raise LandingError(
                f"{source.location}/{key} is no regular file (a link to nowhere, a pipe, …): repair or remove it"
            )
    return [found[key] for key in sorted(found)]


def make_plan(  # noqa: PLR0913 - the whole of what a decision rests on, and nothing but data
    table: Table,
    books: Books,
    found: Sequence[SourceFile],
    sources: Sequence[str],
    parts: Collection[str],
    *,
    forget_vanished: bool,
) -> Plan:
    """Plans the load of a table.

    Args:
        table: The table's declaration.
        books: What the landing zone's books say about it.
        found: The files that the named sources hold for it, in the order of sources and paths.
        sources: The named sources' locations.
        parts: The keys of the parts that are in the landing zone.
        forget_vanished: Whether the records of files that are gone from a named source go too.

    Raises:
        LandingError: Records that are to stay are neither in the landing zone nor in a named source.
    """
    intact = {key: entry for key, entry in books.entries.items() if _is_intact(entry, books, parts)}
    files, forgotten = _compare(books, found, sources, forget_vanished=forget_vanished)
    files = list(_with_carried(_with_copies(files, books, intact), intact))
    files_of_part = _files_of_part(books)
    kept: list[LedgerEntry] = []
    packs: list[Pack] = []
    for pack in _packs(table, files):
        entries = [planned.carried for planned in pack.files if planned.carried is not None]
        in_place = [entry.key for entry in entries] == [planned.file.key for planned in pack.files]
        parts_of_pack = {entry.object_key for entry in entries if entry.object_key is not None}
        landed = {entry.key for entry in entries if entry.object_key is not None}
        folder = table.part_folder(pack.group)
        has_its_part = len(parts_of_pack) <= 1 and all(
            files_of_part[key] == landed and key.rpartition("/")[0] == folder for key in parts_of_pack
        )
        if in_place and has_its_part:
            kept += entries
        else:
            packs.append(pack)
    for pack in packs:
        for planned in pack.files:
            if planned.carried is None and planned.status in (Status.VANISHED, Status.NOT_NAMED):
                raise LandingError(
                    f"the records of {planned.file.source}/{planned.file.source_file} are gone from the landing zone: "
                    f"name its source too if it still has the file; if not, --forget-vanished gives the records up"
                )
    return Plan(tuple(files), tuple(kept), tuple(packs), tuple(forgotten))


def _split(pattern: str) -> list[str]:
    return re.split(r"(\*\*/|\*|\?)", pattern)


def _is_intact(entry: LedgerEntry, books: Books, parts: Collection[str]) -> bool:
    """Whether the landing zone holds every record of an entry's file."""
    return (
        entry.copy_of is None
        and (entry.object_key is None or entry.object_key in parts)
        and len(books.quarantined.get(entry.key, ())) == entry.records_quarantined
    )


def _compare(
    books: Books, found: Sequence[SourceFile], sources: Sequence[str], *, forget_vanished: bool
) -> tuple[list[PlannedFile], list[LedgerEntry]]:
    """Compares the files with the ledger: the files that are to be landed, and the entries to forget."""
    files = []
    for file in found:
        entry = books.entries.get(file.key)
        if entry is None:
            status = Status.NEW
        else:
            same = (entry.sha256, entry.source_bytes) == (file.sha256, file.size)
            status = Status.UNCHANGED if same else Status.CHANGED
        files.append(PlannedFile(file, status))
    forgotten = []
    keys = {file.key for file in found}
    for key, entry in sorted(books.entries.items()):
        if key in keys:
            continue
        vanished = entry.source in sources
        if vanished and forget_vanished:
            forgotten.append(entry)
        else:
            file = SourceFile(entry.source, entry.source_file, entry.source_bytes, entry.sha256)
            files.append(PlannedFile(file, Status.VANISHED if vanished else Status.NOT_NAMED))
    return files, forgotten


def _with_copies(
    files: Sequence[PlannedFile], books: Books, intact: Mapping[FileKey, LedgerEntry]
) -> Iterator[PlannedFile]:
    """Marks the files whose content another has.

    No copy is the one whose records are in the landing zone; or else one that can be read, before one that is gone; of
    these, the one that was landed; of these, the first.
    """

    def rank(planned: PlannedFile) -> tuple[bool, bool, bool]:
        entry = books.entries.get(planned.file.key)
        was_landed = entry is not None and entry.copy_of is None and entry.sha256 == planned.file.sha256
        is_gone = planned.status in (Status.VANISHED, Status.NOT_NAMED)
        return not (was_landed and planned.file.key in intact), is_gone, not was_landed

    originals: dict[str, FileKey] = {}
    for planned in sorted(files, key=rank):
        if planned.file.size:
            originals.setdefault(planned.file.sha256, planned.file.key)
    for planned in files:
        original = originals.get(planned.file.sha256, planned.file.key)
        is_copy = original != planned.file.key
        yield replace(planned, copy_of=original if is_copy else None)


def _with_carried(files: Iterable[PlannedFile], intact: Mapping[FileKey, LedgerEntry]) -> Iterator[PlannedFile]:
    """Finds the content of files in the landing zone: a file's own, or that of a file that it was a copy of."""
    by_content = {entry.sha256: entry for entry in intact.values()}
    for planned in files:
        own = intact.get(planned.file.key)
        carried = own if own and own.sha256 == planned.file.sha256 else by_content.get(planned.file.sha256)
        yield replace(planned, carried=None if planned.copy_of else carried)


def _files_of_part(books: Books) -> Mapping[str, set[FileKey]]:
    """The files whose records each part holds."""
    files: dict[str, set[FileKey]] = defaultdict(set)
    for key, entry in books.entries.items():
        if entry.object_key is not None:
            files[entry.object_key].add(key)
    return files


def _packs(table: Table, files: Sequence[PlannedFile]) -> Iterator[Pack]:
    """Packs the files of each source and group, by path, up to the size of a part."""
    members: dict[tuple[str, str], list[PlannedFile]] = defaultdict(list)
    for planned in files:
        if planned.copy_of is None:
            members[planned.file.source, table.group_of(planned.file.source_file)].append(planned)
    for (_, name), group in sorted(members.items()):
        pack: list[PlannedFile] = []
        size = 0
        for planned in sorted(group, key=lambda planned: planned.file.key):
            if pack and size + planned.file.size > MAX_PART_BYTES:
                yield Pack(name, tuple(pack))
                pack, size = [], 0
            pack.append(planned)
            size += planned.file.size
        yield Pack(name, tuple(pack))
