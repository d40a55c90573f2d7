"""Erases people everywhere: from the landing zone, then from the engine, and then looks for them in both."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lakehouse.dbt_session import DbtSession
from lakehouse.erasing_guard import Guard
from lakehouse.erasure import ZoneErasure, erase_from_zone
from lakehouse.erasure_proof import (
    Places,
    forget_pseudonyms,
    old_versions,
    rewrite_duckdb,
    search_engine,
    search_files,
    search_zone,
)
from lakehouse.erasure_receipts import begin_receipt, finish_receipts, unfinished_receipts
from lakehouse.errors import BuildError, LandingError
from lakehouse.identity import canonical_address
from lakehouse.person_search import Needles
from lakehouse.pseudonym_key import KEY_VARIABLE, PseudonymKey
from lakehouse.pseudonyms import check_key
from lakehouse.reporting import ConsoleReporter
from lakehouse.sources import Table
from lakehouse.storage import Folder, is_s3, open_folder
from lakehouse.zone_identity import zone_id


@dataclass
class Erasing:
    """The erasure of some people."""

    zone: str
    tables: Mapping[str, Table]
    addresses: Sequence[str]
    dbt: DbtSession
    reporter: ConsoleReporter
    key: PseudonymKey | None = None
    """Leads to the pseudonyms of people of whom the landing zone knows nothing any more."""
    guard: Guard | None = None
    """Asks and warns before anything is erased, and keeps the people out afterwards."""

    def dry_run(self) -> None:
        """Says what there is of the people, and changes nothing.

        Raises:
            LandingError: The landing zone cannot be read.
            DbtError: The engine cannot be asked.
        """
        there = self._look()
        in_engine = self._in_engine(there)
        self._tell(there, in_engine)
        self.reporter.say("nothing was changed: this was a dry run")
        if self.guard is not None:
            self.guard.check_spelling(there, in_engine, self._search)

    def run(self) -> bool:
        """Erases the people, and says whether nothing of them is left.

        What a killed run left undone, the next one does: as long as it may be needed, the landing zone still tells who
        the people are; and after that, the receipt that lies there says that the engine is to be built anew.

        Raises:
            LandingError: The landing zone cannot be read or written.
            DbtError: The engine cannot be asked.
        """
        folder = open_folder(self.zone)
        there = self._look()
        in_engine = self._in_engine(there)
        self._tell(there, in_engine)
        if self.guard is not None:
            self.guard.confirm(there, in_engine, self._search)
        if there.lines or in_engine:
            if there.pseudonyms and self._has_engine:  # first: a killed run must not lose what leads to them
                forget_pseudonyms(self.dbt, there.pseudonyms)
            begin_receipt(folder, len(self.addresses), there, in_engine)
        if there.lines or there.leftovers:
            self._erase_from_zone()
        is_built = self._rebuild() if self._has_engine and any(unfinished_receipts(folder)) else True
        is_gone = self._prove(folder, there) and is_built
        if is_gone:
            finish_receipts(folder)
        return is_gone

    @property
    def _database(self) -> Path | None:
        """The DuckDB file; None on the other engines."""
        name = os.environ.get("DUCKDB_PATH") or "lakehouse.duckdb"
        return self.dbt.project_dir / name if self.dbt.target == "duckdb" else None

    @property
    def _has_engine(self) -> bool:
        """Whether there is anything but the landing zone; only of DuckDB, that can be told."""
        return self._database is None or self._database.exists()

    def _look(self) -> ZoneErasure:
        """What there is of the people in the landing zone, and what the key tells of those who are not there.

        Whose record was taken back, or whose erasure was cut off and followed by a build, still has a pseudonym in the
        snapshots that nothing but the key leads to.
        """
        there = self._erase_from_zone(dry_run=True)
        if self._has_engine and self.key is not None:
            spellings = {*self.addresses, *map(str.lower, self.addresses), *there.spellings}
            there.pseudonyms = sorted({*there.pseudonyms, *map(self.key.pseudonym, spellings)})
        self._warn_of_the_key(there)
        return there

    def _warn_of_the_key(self, there: ZoneErasure) -> None:
        """Says what cannot be found for want of the right key."""
        wanted, found = ({*map(canonical_address, some)} for some in (self.addresses, there.spellings))
        if not self._has_engine or wanted <= found:
            return
        which = f"{KEY_VARIABLE} is not set"
        if self.key is not None:
            try:
                check_key(self.zone, self.tables, self.key)
            except LandingError:
                which = f"{KEY_VARIABLE} is another one than this landing zone's"
            else:
                return
        self.reporter.warn(
            f"of some addresses the landing zone has no record, and {which}: "
            "whether consent's history still holds their pseudonyms cannot be told"
        )

    def _erase_from_zone(self, *, dry_run: bool = False) -> ZoneErasure:
        return erase_from_zone(self.zone, self.tables, self.addresses, self.reporter.say, dry_run=dry_run)

    def _in_engine(self, there: ZoneErasure) -> Places:
        return self._search({*self.addresses, *there.spellings, *there.numbers, *there.pseudonyms})

    def _search(self, values: Collection[str]) -> Places:
        return search_engine(self.dbt, values) if self._has_engine else {}

    def _tell(self, there: ZoneErasure, in_engine: Places) -> None:
        """Says what there is of the people."""
        say = self.reporter.say
        if there.spellings:
            # what is not written to a terminal may be a log, which is not to name them
            is_seen = self.reporter.console.is_terminal
            say(f"written as {', '.join(there.spellings)}" if is_seen else f"written in {len(there.spellings):,} ways")
        for name, table in there.tables.items():
            say(f"{name}: {table.records:,} records, {table.quarantined:,} in quarantine")
        if there.serial_numbers or there.shared_devices:
            say(
                f"devices of theirs alone: {len(there.serial_numbers):,}, whose readings go; "
                f"shared with others: {there.shared_devices:,}, whose readings stay"
            )
        for place, rows in in_engine.items():
            say(f"{place}: {rows:,} rows")
        if not self._has_engine:
            say("there is no database of this landing zone: this is about the landing zone alone")
        if not there.lines and not in_engine:
            say("nothing of them is in the landing zone or in the database")
        if there.closed:
            self.reporter.warn(f"{there.closed:,} quarantined records are archives, which cannot be looked into")

    def _rebuild(self) -> bool:
        """Builds every relation of what is landed by now, and says whether that went well."""
        self.dbt.operation("register_landing", zone_id=zone_id(open_folder(self.zone)) or "")
        self.dbt.operation("withdraw_people")
        self.dbt.operation("drop_stored_failures")
        try:
            self.dbt.build()
        except BuildError as error:
            self.reporter.warn(str(error))
            return False
        finally:
            if self._database is not None:
                rewrite_duckdb(self._database)
        return True

    def _prove(self, folder: Folder, there: ZoneErasure) -> bool:
        """Looks for the people everywhere, says what is found, and whether that is nothing."""
        needles = Needles({*self.addresses, *there.spellings}, there.numbers)
        found = {**search_zone(folder, self.tables, needles), **self._in_engine(there)}
        found |= search_files([self.dbt.project_dir / "target", self.dbt.project_dir / "logs"], needles)
        if self._database is not None and self._has_engine:
            if there.is_piece_of_another:
                self.reporter.say(
                    f"{self._database}: its bytes hold a longer address of somebody else, and prove nothing"
                )
            else:
                found |= search_files(sorted(self._database.parent.glob(f"*{self._database.name}*")), needles)
        for place, count in found.items():
            self.reporter.warn(f"still found: {place} ({count:,})")
        if not found:
            self.reporter.say("looked for them in landing zone, database and dbt's files: nothing is left")
        versions = old_versions(self.zone) if is_s3(self.zone) else 0
        if versions:
            self.reporter.warn(
                f"the bucket keeps {versions:,} old versions of objects below {self.zone}, which may hold them: "
                "delete these (aws s3api list-object-versions, delete-object --version-id), or let a lifecycle rule"
            )
        if there.source_files:
            self.reporter.warn(
                "they are still in these source files; a change of one, or a new landing zone, would bring them back:"
            )
            for file in there.source_files:
                self.reporter.say(f"  {file}")
        return not found
