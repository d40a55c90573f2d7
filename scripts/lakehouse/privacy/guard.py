"""What stands between looking for people and erasing them: is anybody meant, is it meant so, and can they come back?"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from lakehouse.console import Reporter, counted
from lakehouse.declaration import Table
from lakehouse.derived.pseudonyms import check_key
from lakehouse.derived.table import landed_zone
from lakehouse.errors import ExitCode, LakehouseError, LandingError
from lakehouse.identity import canonical_address
from lakehouse.landing.pseudonym_key import KEY_VARIABLE, PseudonymKey
from lakehouse.landing.suppression import Number, SuppressionList, numbers_of, read_suppressions, suppress
from lakehouse.privacy.proof import Places
from lakehouse.privacy.receipts import unfinished_receipts
from lakehouse.privacy.zone import ZoneErasure, erase_from_zone
from lakehouse.storage import open_folder

Search = Callable[[Collection[str]], Places]
"""Looks for values in the engine, if there is one."""


class NobodyFoundError(LakehouseError):
    """No address that was asked for was found anywhere."""

    exit_code = ExitCode.NOBODY_FOUND


class NotConfirmedError(LakehouseError):
    """The person who was asked said no."""

    prefix = ""


@dataclass
class Guard:
    """Asks and warns before people are erased, and then puts them on the list of those who are not to come back."""

    zone: str
    tables: Mapping[str, Table]
    addresses: Sequence[str]
    reporter: Reporter
    key: PseudonymKey | None
    is_sure: Callable[[str], bool]
    """Asks a person; what is asked stands in the question."""
    exact: bool = False
    """Whether an address stands for these very letters only."""
    not_found: Sequence[str] = ()
    """The addresses of which nothing was found, while there was something of others."""

    def check_spelling(self, there: ZoneErasure, in_engine: Places, search: Search) -> None:
        """Checks that there is, or was, something of everybody.

        Raises:
            NobodyFoundError: There is nothing of anybody, and no trace of an erasure.
        """
        unknown = self._unknown(there)
        if unknown and (there.lines or in_engine):
            alone = erase_from_zone(
                self.zone,
                self.tables,
                unknown,
                self.reporter.say,
                exact=self.exact,
                pseudonym_of=self.key.pseudonym if self.key is not None else None,
                dry_run=True,
            )
            unknown = [] if alone.lines or (in_engine and search(self._values_of(unknown))) else unknown
        elif len(unknown) < len(self.addresses) or any(unfinished_receipts(open_folder(self.zone))):
            pass  # somebody was erased before
        elif unknown:
            before = "" if self._listed() is not None else ", or they were erased before, which nothing here can tell"
            raise NobodyFoundError(f"nobody is found by {counted(len(unknown), 'address')}: check the spelling{before}")
        self.not_found = unknown
        if unknown:
            self.reporter.warn(f"nothing is found of {counted(len(unknown), 'address')}: check the spelling")

    def confirm(self, there: ZoneErasure, in_engine: Places, search: Search) -> None:
        """Asks whether all this is to be erased, and sees to it that no load brings it back.

        Raises:
            NobodyFoundError: There is nothing of anybody, and no trace of an erasure.
            NotConfirmedError: The person said no.
            LandingError: The list of those who are kept out cannot be written.
        """
        self.check_spelling(there, in_engine, search)
        landed = sum(table.records for table in there.tables.values())
        question = (
            f"erase {counted(len(self.addresses), 'address')}: {counted(landed, 'landed record')}, "
            f"{counted(there.lines - landed, 'quarantined record')}, {counted(len(there.serial_numbers), 'device')}, "
            f"{counted(sum(in_engine.values()), 'value')} in the database; "
            f"from {self.zone}, and for good?"
        )
        if (there.lines or in_engine) and not self.is_sure(question):
            raise NotConfirmedError("nothing was erased")
        self._keep_out(there)

    def _unknown(self, there: ZoneErasure) -> list[str]:
        """The addresses that are neither in the zone as somebody's nor on the list."""
        form: Callable[[str], str] = str if self.exact else canonical_address
        found = set(map(form, there.spellings))
        listed = self._listed()
        return [
            address
            for address in self.addresses
            if form(address) not in found and (listed is None or address not in listed)
        ]

    def _values_of(self, addresses: Sequence[str]) -> set[str]:
        """What the engine may hold of addresses: these, and their pseudonyms."""
        spellings = {form for one in addresses for form in (one, one.lower(), canonical_address(one))}
        return spellings | ({self.key.pseudonym(spelling) for spelling in spellings} if self.key else set())

    def _listed(self) -> SuppressionList | None:
        try:
            return read_suppressions(open_folder(self.zone), [self.key] if self.key else [])
        except LandingError:
            return None

    def _keep_out(self, there: ZoneErasure) -> None:
        """Puts the people on the list, if there is the key for it."""
        key, why = self.key, f"{KEY_VARIABLE} is not set"
        if key is not None:
            try:
                check_key(self.zone, self.tables, key)
            except LandingError:
                key, why = None, f"{KEY_VARIABLE} is another one than this landing zone's"
        if key is None:
            self.reporter.warn(
                f"{why}: they cannot be put on the list of those who are kept out, and the next file that names them "
                "brings them back. Erase again with the key"
            )
            return
        numbers: list[Number] = [("serial_number", number) for number in there.serial_numbers]
        numbers += [("phone", number) for number in there.phones]
        with landed_zone(self.zone, self.reporter.say) as held:
            found = [address for address in self.addresses if address not in self.not_found]
            if self.exact:
                whose: Mapping[str, set[Number]] = {address: set(numbers) for address in found}
            else:
                whose = numbers_of(held.folder, self.tables, found, numbers)
            if suppress(held.folder, whose, key, exact=self.exact):
                self.reporter.say(
                    "from now on every load leaves them out; lakehouse erase --allow-again lets them come back"
                )
