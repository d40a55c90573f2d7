"""What was found in each part of a landing zone: the loader never changes a part, so each is read once for a question.

A part that is not there any more, or that somebody has changed, is read, as if nothing were noted of it. What is noted
of parts that a work does not ask for any more is forgotten with the next note.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from lakehouse.declaration import Table
from lakehouse.derived.table import HeldZone
from lakehouse.derived.worked_out import CODE, NOTES_KEY, UNREADABLE
from lakehouse.landing.contents import digest
from lakehouse.landing.landed import part_versions
from lakehouse.storage.folder import FileChangedError, Folder

FACTS_FOLDER = "loader/facts"

Fact = TypeVar("Fact")


class _Noted(msgspec.Struct, frozen=True):
    """The facts of one work."""

    made_with: str
    facts: dict[str, tuple[str, msgspec.Raw]]
    """By the key of the part: its version, and what was found in it."""


class PartFacts(Generic[Fact]):
    """The facts of one work. They count as long as the code is the same, and what else they are made with."""

    def __init__(self, folder: Folder, work: str, tables: Sequence[Table], made_with: str, fact: type[Fact]) -> None:
        """Reads what is noted; what cannot be read says nothing.

        Args:
            folder: The landing zone.
            work: The work's name.
            tables: Those whose parts it reads.
            made_with: What else decides the facts.
            fact: What a fact is.
        """
        self._key = f"{FACTS_FOLDER}/{work}.json"
        self._made_with = digest([CODE, made_with, *map(repr, tables)])
        self._versions = {part: version for table in tables for part, version in part_versions(folder, table).items()}
        self._noted: dict[str, Fact] = {}
        self._used: dict[str, Fact] = {}
        self._version: str | None = None
        try:
            fetched = folder.fetch(self._key)
        except FileNotFoundError:
            return
        self._version = fetched.version
        try:
            noted = msgspec.json.decode(fetched.content, type=_Noted)
            if noted.made_with == self._made_with:
                self._noted = {
                    part: msgspec.json.decode(raw, type=fact)
                    for part, (version, raw) in noted.facts.items()
                    if self._versions.get(part) == version
                }
        except UNREADABLE:
            return

    def get(self, part: str) -> Fact | None:
        """What is known of a part."""
        if part in self._noted and part not in self._used:
            self._used[part] = self._noted[part]
        return self._used.get(part)

    def __getitem__(self, part: str) -> Fact:
        """The same of a part that was read."""
        return self._used[part]

    def add(self, part: str, fact: Fact) -> None:
        """Takes what was found in a part."""
        self._used[part] = fact

    def note(self, held: HeldZone) -> None:
        """Notes what was asked for and found. Another load that does so at the same time wins."""
        if self._used == self._noted:
            return
        facts = {
            part: (self._versions.get(part, ""), msgspec.Raw(msgspec.json.encode(fact)))
            for part, fact in sorted(self._used.items())
        }
        held.still_ours()
        try:
            held.folder.replace(self._key, msgspec.json.encode(_Noted(self._made_with, facts)), self._version)
        except FileChangedError:
            return


def forget_notes(folder: Folder) -> None:
    """Forgets what is noted of all work and of all parts: everything is read and worked out again."""
    folder.delete([NOTES_KEY, *(stored.key for stored in folder.list(FACTS_FOLDER))])
