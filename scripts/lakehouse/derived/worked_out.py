"""What was worked out from a landing zone, and from what: what would come out the same is not worked out again.

Nothing is asked but ledgers: parts never change. The note is written last. So whatever ends the work in between,
changes what it made, erases from it, or comes with a newer version of this project, the work is done anew.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

import lakehouse
from lakehouse.declaration import Table
from lakehouse.derived.dismissals import Dismissals
from lakehouse.derived.table import HeldZone
from lakehouse.landing.contents import code_of, contents_of_table, digest
from lakehouse.landing.ledger import read_ledger
from lakehouse.storage.folder import FileChangedError, Folder

NOTES_KEY = "loader/worked_out.json"

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises of a note that is damaged, or into which somebody wrote."""

_Report = TypeVar("_Report")

CODE = code_of(Path(lakehouse.__file__).parent, "*.py")
"""The package, when it was imported: what is installed later does not do this process's work."""


class _Note(msgspec.Struct, frozen=True):
    """One kind of work."""

    state: str
    """Of everything that it read and wrote."""
    report: msgspec.Raw
    """What was found, in numbers."""


def state_of(folder: Folder, tables: Iterable[Table]) -> str:
    """A number for what a landing zone holds of tables; another one if a part of what is worked out is gone.

    Args:
        folder: The landing zone.
        tables: Those that the work reads and writes.

    Raises:
        LandingError: A ledger cannot be read.
    """
    held: list[object] = [CODE, Dismissals.read(folder).dismissals]
    for table in tables:
        table_ledger = read_ledger(folder, table.name)
        held += [repr(table), contents_of_table(table_ledger)]
        if not table.source_files:
            named = {key for landed in table_ledger.files.values() for key in landed.object_keys}
            held.append(sorted(named - {stored.key for stored in folder.list(table.folder)}))
    return digest(held)


def noted_report(folder: Folder, work: str, state: str, report: type[_Report]) -> _Report | None:
    """What was found when work was done and left just this state; None if it is to be done."""
    note = _notes(folder)[0].get(work)
    if note is None or note.state != state:
        return None
    try:
        return msgspec.json.decode(note.report, type=report)
    except UNREADABLE:
        return None  # somebody wrote into it


def note_report(held: HeldZone, work: str, state: str, report: object) -> None:
    """Notes what was found. Another load that does so at the same time wins: the next one works it out."""
    notes, noted_version = _notes(held.folder)
    notes = {**notes, work: _Note(state, msgspec.Raw(msgspec.json.encode(report)))}
    held.still_ours()
    try:
        held.folder.replace(NOTES_KEY, msgspec.json.encode(notes), noted_version)
    except FileChangedError:
        return


def _notes(folder: Folder) -> tuple[Mapping[str, _Note], str | None]:
    """The notes of a zone, and the version of the object that holds them; what cannot be read says nothing."""
    try:
        fetched = folder.fetch(NOTES_KEY)
    except FileNotFoundError:
        return {}, None
    try:
        return msgspec.json.decode(fetched.content, type=dict[str, _Note]), fetched.version
    except UNREADABLE:
        return {}, fetched.version
