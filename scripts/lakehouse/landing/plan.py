"""Decides what a load has to do for a table, from what its sources hold now and what its ledger says."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lakehouse.declaration import Table
from lakehouse.errors import LandingError
from lakehouse.landing.days import Days
from lakehouse.landing.ledger import BY_THIS_LOAD, LandedFile, TableLedger
from lakehouse.landing.parts import MAX_PART_BYTES, load_of
from lakehouse.storage.source_files import FileKey, SourceFile

MIN_OWN_PART_BYTES = 1 << 20  # a gzip file from this size on makes a part of its own, which S3 may be able to copy


class Status(StrEnum):
    """How a file stands to the ledger."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    VANISHED = "vanished"  # landed once, and no longer in its source
    NOT_NAMED = "not named"  # landed once, from a source that this load does not look at
    OTHER_DAY = "of another day"  # landed once, of a day that this load does not look at


_NOT_THERE = (Status.VANISHED, Status.NOT_NAMED, Status.OTHER_DAY)


@dataclass(frozen=True)
class PlannedFile:
    """A file whose records belong into the landing zone, unless it is a copy of another."""

    file: SourceFile
    status: Status
    copy_of: FileKey | None = None
    carried: LandedFile | None = None
    """The file of the same content whose records are in the landing zone, so that they need not be read again."""
    landed_at: int = BY_THIS_LOAD
    """When the landing zone got this content, epoch milliseconds."""


@dataclass(frozen=True)
class Pack:
    """The files of one source, group and time of landing whose records make one part, in the order of their paths."""

    group: str
    files: tuple[PlannedFile, ...]


@dataclass(frozen=True)
class Plan:
    """What a load does for a table."""

    files: tuple[PlannedFile, ...]
    kept: tuple[LandedFile, ...]
    """Files that stay as they are, with their parts."""
    packs: tuple[Pack, ...]
    """Packs whose part is written anew."""
    forgotten: tuple[LandedFile, ...]

    @property
    def copies(self) -> tuple[PlannedFile, ...]:
        """The files that are copies of others."""
        return tuple(planned for planned in self.files if planned.copy_of)


@dataclass(frozen=True)
class Situation:
    """What a load of a table finds."""

    table_ledger: TableLedger
    """What the landing zone's ledger says about it."""
    found: Sequence[SourceFile]
    """The files that the named sources hold for it, in the order of sources and paths."""
    sources: Collection[str]
    """The named sources' locations."""
    parts: frozenset[str]
    """The keys of the parts in the landing zone."""
    staged: Mapping[FileKey, LandedFile]
    """What this load has written already, and no ledger names yet."""
    reopened: Collection[FileKey] = ()
    """The files of which quarantined records are good by now."""
    days: Days | None = None
    """The days that are looked at; all without them."""

    def landed(self) -> dict[FileKey, LandedFile]:
        """What was landed before or by this load."""
        return {**self.table_ledger.files, **self.staged}

    def held(self) -> dict[FileKey, LandedFile]:
        """The files of which the landing zone holds every record."""
        return {
            key: landed
            for key, landed in self.landed().items()
            if landed.copy_of is None and landed.object_keys | landed.quarantine_keys <= self.parts
        }


def make_plan(table: Table, situation: Situation, *, forget_vanished: bool) -> Plan:
    """Plans the load of a table; to be made again when everything it reads is staged, for what that told.

    A file that nobody has read yet may turn out to be a copy. Once it was staged, its fingerprint is known.

    Args:
        table: The table's declaration.
        situation: What there is.
        forget_vanished: Whether the records of files that are gone from a named source go too.

    Raises:
        LandingError: Records that are to stay are neither in the landing zone nor in a named source.
    """
    held = situation.held()
    files, forgotten = _compare(table, situation, forget_vanished=forget_vanished)
    files = list(_with_times(_with_carried(_with_copies(files, situation, held), held), situation.table_ledger))
    files_of_part = _files_of_part(situation.landed().values())
    kept: list[LandedFile] = []
    packs: list[Pack] = []
    for pack in _packs(table, files):
        if _is_in_place(table, pack, files_of_part) and not any(
            file.file.key in situation.reopened for file in pack.files
        ):
            kept += [
                replace(planned.carried, file=planned.file, landed_at=planned.landed_at)
                for planned in pack.files
                if planned.carried
            ]
        else:
            packs.append(pack)
    for pack in packs:
        for planned in pack.files:
            if planned.carried is None and planned.status in _NOT_THERE:
                raise LandingError(
                    f"the records of {planned.file.path} are gone from the landing zone: "
                    "land its source too, with all its days, if it still has the file; "
                    "if not, --forget-vanished gives the records up"
                )
    return Plan(tuple(files), tuple(kept), tuple(packs), tuple(forgotten))


def _is_in_place(table: Table, pack: Pack, files_of_part: Mapping[str, set[FileKey]]) -> bool:
    """Whether the parts in the landing zone are those that the pack would be written into."""
    members = {planned.file.key for planned in pack.files}
    carried = [planned.carried for planned in pack.files if planned.carried is not None]
    if [landed.key for landed in carried] != [planned.file.key for planned in pack.files]:
        return False
    objects = {key for landed in carried for key in landed.object_keys}
    quarantined = {key for landed in carried for key in landed.quarantine_keys}
    return (
        all(files_of_part[key] <= members for key in objects | quarantined)
        and all(key.rpartition("/")[0] == table.part_folder(pack.group) for key in objects)
        and len({load_of(key) for key in objects | quarantined}) <= 1  # a pack may fill several parts, in one go
    )


def _compare(
    table: Table, situation: Situation, *, forget_vanished: bool
) -> tuple[list[PlannedFile], list[LandedFile]]:
    """Compares the files with the ledger: the files that are to be landed, and those to forget."""
    files = []
    for file in situation.found:
        landed = situation.table_ledger.files.get(file.key)
        if landed is None:
            status = Status.NEW
        else:
            status = Status.UNCHANGED if landed.file.sha256 == file.sha256 else Status.CHANGED
        files.append(PlannedFile(file, status))
    forgotten = []
    keys = {file.key for file in situation.found}
    for key, landed in sorted(situation.table_ledger.files.items()):
        if key in keys:
            continue
        if landed.file.source not in situation.sources:
            files.append(PlannedFile(landed.file, Status.NOT_NAMED))
        elif situation.days is not None and not situation.days.take(table, landed.file.source_file):
            files.append(PlannedFile(landed.file, Status.OTHER_DAY))
        elif forget_vanished:
            forgotten.append(landed)
        else:
            files.append(PlannedFile(landed.file, Status.VANISHED))
    return files, forgotten


def _with_copies(
    files: Sequence[PlannedFile], situation: Situation, held: Mapping[FileKey, LandedFile]
) -> Iterator[PlannedFile]:
    """Marks the files whose content another has.

    One of them is the original, the rest are copies of it. The original is, in this order: the file whose records are
    in the landing zone; a file that can be read; a file that was landed; the first.
    """

    def rank(planned: PlannedFile) -> tuple[bool, bool, bool]:
        landed = situation.table_ledger.files.get(planned.file.key)
        was_landed = landed is not None and landed.copy_of is None and landed.file.sha256 == planned.file.sha256
        is_gone = planned.status in _NOT_THERE
        return not (was_landed and planned.file.key in held), is_gone, not was_landed

    originals: dict[str, FileKey] = {}
    for planned in sorted(files, key=rank):
        if planned.file.size and planned.file.sha256 is not None:
            originals.setdefault(planned.file.sha256, planned.file.key)
    for planned in files:
        original = originals.get(planned.file.sha256 or "", planned.file.key)
        is_copy = original != planned.file.key
        yield replace(planned, copy_of=original if is_copy else None)


def _with_carried(files: Iterable[PlannedFile], held: Mapping[FileKey, LandedFile]) -> Iterator[PlannedFile]:
    """Finds the content of files in the landing zone: a file's own, or that of a file that it was a copy of."""
    by_content = {landed.file.sha256: landed for _, landed in sorted(held.items())}
    for planned in files:
        own = held.get(planned.file.key)
        if planned.copy_of or planned.file.sha256 is None:
            carried = None
        elif own and own.file.sha256 == planned.file.sha256:
            carried = own
        else:
            carried = by_content.get(planned.file.sha256)
        yield replace(planned, carried=carried)


def _with_times(files: Iterable[PlannedFile], table_ledger: TableLedger) -> Iterator[PlannedFile]:
    """Finds out when the content of files was landed first, under whatever name.

    Of an empty file there is nothing to be landed first, and of a copy no record.
    """
    times: dict[str | None, int] = {}
    for landed in table_ledger.files.values():
        times[landed.file.sha256] = min(landed.landed_at, times.get(landed.file.sha256, landed.landed_at))
    for planned in files:
        file, own = planned.file, table_ledger.files.get(planned.file.key)
        if file.sha256 is None:
            landed_at = BY_THIS_LOAD
        elif file.size and planned.copy_of is None:
            landed_at = times.get(file.sha256, BY_THIS_LOAD)
        else:
            landed_at = own.landed_at if own and own.file.sha256 == file.sha256 else BY_THIS_LOAD
        yield replace(planned, landed_at=landed_at)


def _files_of_part(files: Iterable[LandedFile]) -> Mapping[str, set[FileKey]]:
    """The files whose records each part holds."""
    keys: dict[str, set[FileKey]] = defaultdict(set)
    for landed in files:
        for part in landed.object_keys | landed.quarantine_keys:
            keys[part].add(landed.key)
    return keys


def _packs(table: Table, files: Sequence[PlannedFile]) -> Iterator[Pack]:
    """Packs the files of each source and group that were landed at one time, by path, up to the size of a part."""
    members: dict[tuple[str, str, int], list[PlannedFile]] = defaultdict(list)
    for planned in files:
        if planned.copy_of is None:
            group_name = table.group_of(planned.file.source_file)
            members[planned.file.source, group_name, planned.landed_at].append(planned)
    for (_, name, _), group in sorted(members.items()):
        pack: list[PlannedFile] = []
        size = 0
        for planned in sorted(group, key=lambda planned: planned.file.key):
            is_a_part = planned.file.source_file.endswith(".gz") and planned.file.size >= MIN_OWN_PART_BYTES
            if is_a_part:
                yield Pack(name, (planned,))
                continue
            if pack and size + planned.file.size > MAX_PART_BYTES:
                yield Pack(name, tuple(pack))
                pack, size = [], 0
            pack.append(planned)
            size += planned.file.size
        if pack:
            yield Pack(name, tuple(pack))
