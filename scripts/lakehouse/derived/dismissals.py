"""Remembers which unreadable customer records somebody has looked at and dismissed, and why."""

from dataclasses import dataclass

import msgspec

from lakehouse.errors import LandingError
from lakehouse.landing import ledger
from lakehouse.landing.ledger import QuarantinedRecord, TableLedger
from lakehouse.storage.folder import FileChangedError, Folder

DISMISSALS_KEY = "loader/dismissals.json"


class Dismissal(msgspec.Struct, frozen=True):
    """One record that needs no further look."""

    source_file: str
    line: int
    file_sha256: str
    """Of the file's bytes: of another content it is another record. Empty if the record was gone from the file."""
    byte_offset: int
    """Of the record's first byte in the file; -1 if the record was gone from it."""
    note: str
    """What the person wrote who looked at it."""
    dismissed_at: int
    """Epoch milliseconds."""


class _Content(msgspec.Struct, frozen=True):
    dismissals: tuple[Dismissal, ...] = ()


@dataclass(frozen=True)
class Dismissals:
    """All dismissals of a landing zone."""

    dismissals: tuple[Dismissal, ...]
    version: str | None
    """Of the object that holds them; None where there is none."""

    @classmethod
    def read(cls, zone: Folder) -> "Dismissals":
        """Reads what was dismissed in a landing zone.

        Raises:
            LandingError: It cannot be read.
        """
        try:
            fetched = zone.fetch(DISMISSALS_KEY)
        except FileNotFoundError:
            return cls((), None)
        try:
            content = msgspec.json.decode(fetched.content, type=_Content)
        except msgspec.DecodeError as error:
            raise LandingError(f"{zone.location}/{DISMISSALS_KEY} is damaged ({error}): restore it") from error
        return cls(content.dismissals, fetched.version)

    def cover(self, record: QuarantinedRecord, table_ledger: TableLedger) -> bool:
        """Whether a quarantined record was dismissed."""
        file_sha256 = table_ledger.files[record.key].file.sha256
        return any(
            (known.file_sha256, known.byte_offset) == (file_sha256, record.byte_offset) for known in self.dismissals
        )

    def cover_gone(self, source_file: str, line: int) -> bool:
        """Whether a record was dismissed after it was gone from its file."""
        return any((one.source_file, one.line, one.file_sha256) == (source_file, line, "") for one in self.dismissals)

    def add_gone(self, zone: Folder, source_file: str, line: int, note: str) -> None:
        """Dismisses a record that is gone from its file, in one step.

        Raises:
            LandingError: Somebody else dismissed another one meanwhile.
        """
        self._add(zone, Dismissal(source_file, line, "", -1, note, ledger.now_ms()))

    def add(self, zone: Folder, record: QuarantinedRecord, table_ledger: TableLedger, note: str) -> None:
        """Dismisses a record, in one step.

        Raises:
            LandingError: Somebody else dismissed another one meanwhile.
        """
        file_sha256 = table_ledger.files[record.key].file.sha256 or ""
        self._add(
            zone, Dismissal(record.source_file, record.line, file_sha256, record.byte_offset, note, ledger.now_ms())
        )

    def _add(self, zone: Folder, added: Dismissal) -> None:
        content = msgspec.json.format(msgspec.json.encode(_Content((*self.dismissals, added))), indent=2) + b"\n"
        try:
            zone.replace(DISMISSALS_KEY, content, self.version)
        except FileChangedError as error:
            raise LandingError("another record was dismissed at the same time: try again") from error
