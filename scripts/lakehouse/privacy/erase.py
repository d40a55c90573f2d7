"""Erases people everywhere: from the landing zone, then from the engine, and then looks for them in both."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dbt.artifacts.resources.types import NodeType

from lakehouse.console import ConsoleReporter, counted
from lakehouse.declaration import Table
from lakehouse.derived.part_facts import forget_notes
from lakehouse.derived.pseudonyms import check_key
from lakehouse.environment import environment_name
from lakehouse.errors import BuildError, LandingError
from lakehouse.identity import canonical_address
from lakehouse.landing.pseudonym_key import KEY_VARIABLE, PseudonymKey
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.environments import other_environments
from lakehouse.privacy.guard import Guard
from lakehouse.privacy.proof import (
    Places,
    forget_pseudonyms,
    rewrite_duckdb,
    search_engine,
    search_files,
    search_zone,
)
from lakehouse.privacy.reach import Machine, Reached
from lakehouse.privacy.receipts import begin_receipt, finish_receipts, unfinished_receipts
from lakehouse.privacy.s3 import AthenaFiles, look_at_old_versions, look_at_uploads
from lakehouse.privacy.tokens import SECRET_KEY
from lakehouse.privacy.zone import ZoneErasure, erase_from_zone
from lakehouse.records.needles import Needles, looks_like_an_address
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Folder, is_s3
from lakehouse.storage.local import is_half_written
from lakehouse.storage.zone import zone_id


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
    exact: bool = False
    """Whether an address is meant in these very letters only, and not in every spelling."""
    guard: Guard | None = None
    """Asks and warns before anything is erased, and keeps the people out afterwards."""

    def dry_run(self) -> None:
        """Says what there is of the people, and changes nothing.

        Raises:
            LandingError: The landing zone cannot be read.
            DbtError: The engine cannot be asked.
        """
        with self._explained():
            there = self._look()
            in_engine = self._in_engine(there)
            self._tell(there, in_engine)
            self._tell_of_the_rest(there, self._reach(there, remove=False))
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
        with self._explained():
            folder = open_folder(self.zone)
            there = self._look()
            in_engine = self._in_engine(there)
            self._tell(there, in_engine)
            if self.guard is not None:
                self.guard.confirm(there, in_engine, self._search)
            forget_notes(folder)  # whatever they say
            if there.lines or in_engine:
                if there.pseudonyms and self._has_engine:  # first: a killed run must not lose what leads to them
                    forget_pseudonyms(self.dbt, there.pseudonyms)
                begin_receipt(folder, len(self.addresses), there, in_engine)
            if there.lines or there.leftovers or self._half_written(folder):
                self._erase_from_zone()
            is_built = self._rebuild() if self._has_engine and any(unfinished_receipts(folder)) else True
            reached = self._reach(there, remove=True)
            is_gone = self._prove(folder, there) and is_built
            if is_gone:
                finish_receipts(folder)
            self._tell_of_the_rest(there, reached)
        return is_gone and not reached.elsewhere

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Tells a person what the operating system refused."""
        try:
            yield
        except OSError as error:
            raise LandingError(f"{error.filename or self.zone}: {error.strerror or error}") from error

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
        return erase_from_zone(
            self.zone,
            self.tables,
            self.addresses,
            self.reporter.say,
            exact=self.exact,
            pseudonym_of=self.key.pseudonym if self.key is not None else None,
            dry_run=dry_run,
        )

    def _half_written(self, folder: Folder) -> bool:
        """Whether a killed load or erasure left something that the next erasure removes."""
        return any(is_half_written(stored.key) or stored.key == SECRET_KEY for stored in folder.list(hidden=True))

    def _needles(self, there: ZoneErasure, numbers: Collection[str]) -> Needles:
        addresses = {*self.addresses, *there.spellings}
        return Needles(addresses, numbers, exact=self.exact, columns=self._address_columns)

    @property
    def _address_columns(self) -> frozenset[str]:
        """The columns that hold addresses, by the names that records and relations have for them."""
        declared = (column for table in self.tables.values() for column in table.columns)
        return frozenset(column.name.lower() for column in declared if column.person == "email") | {"canonical_email"}

    def _values(self, there: ZoneErasure) -> tuple[set[str], set[str]]:
        """What stands for the people wherever it is the whole of a value, and what does so as an address only."""
        values = {*self.addresses, *there.spellings}
        words = {value for value in values if not looks_like_an_address(value)}
        return (values - words) | there.numbers | set(there.pseudonyms), words

    def _in_engine(self, there: ZoneErasure) -> Places:
        """Where the engine holds them; everything is looked for at once, since each search reads every relation."""
        return self._search({*self.addresses, *there.spellings}, there.numbers.union(there.pseudonyms))

    def _search(self, addresses: Collection[str], others: Collection[str] = ()) -> Places:
        """Looks for addresses and other values; an address that is a single word only where addresses stand."""
        if not self._has_engine:
            return {}
        words = {address for address in addresses if not looks_like_an_address(address)}
        whole = set(addresses).difference(words).union(others)
        found = search_engine(self.dbt, whole, exact=self.exact)
        return found | search_engine(self.dbt, words, exact=self.exact, only_columns=self._address_columns)

    def _tell(self, there: ZoneErasure, in_engine: Places) -> None:
        """Says what there is of the people."""
        say = self.reporter.say
        if there.spellings:
            # what is not written to a terminal may be a log, which is not to name them
            is_seen = self.reporter.console.is_terminal
            say(
                f"written as {', '.join(there.spellings)}"
                if is_seen
                else f"written in {counted(len(there.spellings), 'way')}"
            )
        if there.neighbours:
            shown = ": " + ", ".join(there.neighbours) if self.reporter.console.is_terminal else ""
            self.reporter.warn(
                f"{len(there.neighbours):,} other values that were landed as addresses hold one of these, or stand in "
                f"one{shown}. They stay, and may be found below. If they are the person's: erase with --exact, "
                "each as it is written"
            )
        for name, table in there.tables.items():
            renamed = f", {table.renamed:,} stay without a name" if table.renamed else ""
            say(f"{name}: {counted(table.records, 'record')}, {table.quarantined:,} in quarantine{renamed}")
        if there.serial_numbers or there.shared_devices:
            say(
                f"devices of theirs alone: {len(there.serial_numbers):,}, whose readings go; "
                f"shared with others: {there.shared_devices:,}, whose readings stay"
            )
        for place, rows in in_engine.items():
            say(f"{place}: {counted(rows, 'row')}")
        if not self._has_engine:
            say("there is no database of this landing zone: this is about the landing zone alone")
        if not there.lines and not in_engine:
            say("nothing of them is in the landing zone or in the database")
        if there.closed:
            self.reporter.warn(f"{there.closed:,} quarantined records are archives, which cannot be looked into")

    def _rebuild(self) -> bool:
        """Builds every relation of what is landed by now, and says whether that went well."""
        self.dbt.register(zone_id(open_folder(self.zone)) or "")
        self.dbt.operation("withdraw_people")  # at once, whatever becomes of the build
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

    def _reach(self, there: ZoneErasure, *, remove: bool) -> Reached:
        """Looks wherever else the people may be, and removes what of it is ours and unfinished."""
        reached, needles = Reached(), self._needles(there, there.numbers)
        machine = self._machine(there, needles)
        if remove:
            reached.add(machine.remove_unfinished())
        else:
            reached.unknown += [
                f"would be removed, since it was left unfinished: {path}" for path in machine.unfinished()
            ]
        reached.add(machine.look_elsewhere())
        places = []
        if is_s3(self.zone):
            places.append(self.zone)
            reached.add(look_at_uploads(self.zone, remove=remove))
        if self.dbt.target == "athena":
            lake, results = os.environ.get("ATHENA_S3_DATA_DIR", ""), os.environ.get("ATHENA_S3_STAGING_DIR", "")
            places += filter(None, [lake, results])
            files = AthenaFiles(lake, results, self.zone, self._relations())
            if lake:
                reached.add(files.look_at_orphans(remove=remove))
            else:
                reached.unknown.append("Athena's files: ATHENA_S3_DATA_DIR does not say where they are")
            if results:
                in_results = self._needles(there, there.telling_numbers.union(there.pseudonyms))
                reached.add(files.look_at_results(in_results, remove=remove))
            else:
                reached.unknown.append(
                    # https://docs.aws.amazon.com/athena/latest/ug/managed-results.html
                    "results of queries: ATHENA_S3_STAGING_DIR does not say where they are, the work group does. Those "
                    "that Athena manages are gone after 24 hours"
                )
        if self._has_engine and (others := other_environments(self.dbt, environment_name())):
            reached.unknown.append(
                f"other environments in the database: {', '.join(other or 'production' for other in others)}. "
                "Erase there, too (ENVIRONMENT=…), or drop them: lakehouse drop-environment"
            )
        reached.add(look_at_old_versions(places))
        if folders := machine.endpoints_folders():
            listed = ", ".join(map(str, folders))
            reached.unknown.append(
                f"databases of local endpoints: {listed}. Those of an endpoint that was killed can be deleted"
            )
        if (bench := self.dbt.project_dir / ".bench").exists():
            reached.unknown.append(f"{bench}: it holds copies of the data that `make bench` measured. Delete it")
        if releases := machine.releases():
            reached.unknown.append(
                f"{counted(releases, 'release')} of training data in "
                f"{self.dbt.project_dir / 'releases'}: they keep the rows of "
                "everybody who was in them. Delete them, and ask whoever was given one to do the same"
            )
        return reached

    def _machine(self, there: ZoneErasure, needles: Needles) -> Machine:
        values, words = self._values(there)
        return Machine(
            self.dbt.project_dir,
            self.zone,
            self._database,
            self.tables,
            needles,
            frozenset(values | words) - there.numbers,
            self._address_columns,
        )

    def _relations(self) -> frozenset[str]:
        """The names of what the project builds."""
        kinds = (NodeType.Model, NodeType.Snapshot, NodeType.Seed)
        return frozenset(node.alias for node in self.dbt.manifest.nodes.values() if node.resource_type in kinds)

    def _prove(self, folder: Folder, there: ZoneErasure) -> bool:
        """Looks for the people everywhere, says what is found, and whether that is nothing."""
        needles = self._needles(there, there.numbers)
        found = {**search_zone(folder, self.tables, needles), **self._in_engine(there)}
        found |= search_files([self.dbt.project_dir / "target", self.dbt.project_dir / "logs"], needles)
        if self._database is not None and self._has_engine:
            if there.is_piece_of_another:
                self.reporter.say(
                    f"{self._database}: its bytes hold a longer address of somebody else, and prove nothing"
                )
            else:
                files = (self._database, self._database.with_name(f"{self._database.name}.wal"))
                found |= search_files(files, needles)
        for place, count in found.items():
            self.reporter.warn(f"still found: {place} ({count:,})")
        if not found:
            self.reporter.say("looked for them in landing zone, database and dbt's files: nothing is left")
        return not found

    def _tell_of_the_rest(self, there: ZoneErasure, reached: Reached) -> None:
        """Says what was removed besides, where else the people are found, and what could not be reached."""
        say, warn = self.reporter.say, self.reporter.warn
        for place in reached.removed:
            say(f"removed, since it was left unfinished: {place}")
        for place, advice in reached.elsewhere.items():
            warn(f"also found: {place}: {advice}")
        if there.source_files:
            self._tell_of_sources(there)
        for place in reached.unknown:
            warn(place)
        say("not looked into, since no command can reach it:")
        for place in out_of_reach(self.dbt.target, self.zone):
            say(f"  {place}")

    def _tell_of_sources(self, there: ZoneErasure) -> None:
        """Names the source files, but in a log none of which the name may tell who was meant."""
        self.reporter.warn(
            "they are still in these source files; a change of one, or a new landing zone, would bring them back:"
        )
        names = there.file_names
        shown = [file for file in there.source_files if self.reporter.console.is_terminal or not names.may_tell(file)]
        for file in shown:
            self.reporter.say(f"  {file}")
        if hidden := len(there.source_files) - len(shown):
            self.reporter.say(f"  and {hidden:,} whose names may tell of whom; on a terminal, they are shown")


def out_of_reach(target: str, zone: str) -> list[str]:
    """What an erasure cannot look into: docs/privacy.md says the same."""
    places = [
        "backups, copies that somebody made, and releases of training data that were given away",
        "what was exported to DynamoDB, Cassandra or Keyspaces: `lakehouse export` takes out whoever is gone",
        "the number of a device or a phone, and names, outside this landing zone and its database",
    ]
    if is_s3(zone):
        places.append("other landing zones on S3: erase in each of them")
    if target != "duckdb":
        places.append("the engine's history of queries: it holds hashes behind a random text, and no address")
    if target == "redshift":
        places.append("STL_LOAD_ERRORS: it keeps the raw lines that COPY refused, for some days")
        places.append("rows that were deleted and are not overwritten yet: VACUUM does it, by itself now and then")
    return places
