"""Remembers who ever registered a device, and which steps of a shared device each owner can have made.

A step reading names a device and no person. Of a device with several owners, whoever was walking at that millisecond
can have made the step. If an owner's records are gone, the steps that may be theirs must not pass to the others. So
owners and claims are kept for good, under a token that names nobody.
"""

from collections import defaultdict
from collections.abc import Iterable, Set
from functools import cached_property

import msgspec


class Owner(msgspec.Struct, frozen=True, order=True):
    """Somebody who registered a device; the columns of the declared table device_owners."""

    serial_number: str
    owner_token: str


class Claim(msgspec.Struct, frozen=True, order=True):
    """An owner who can have made the steps of a moment; the columns of the declared table step_claims."""

    serial_number: str
    sensor_reading_time: int
    """Epoch milliseconds."""
    owner_token: str


class DeviceHistory:
    """Owners and claims, of before and of now. First add all owners, then all steps, then all walks."""

    def __init__(self, owners: Iterable[Owner] = (), claims: Iterable[Claim] = ()) -> None:
        """Begins with what was known before."""
        self.owners = set(owners)
        self.claims = set(claims)
        self._owners_of: defaultdict[str, set[str]] = defaultdict(set)
        for owner in self.owners:
            self._owners_of[owner.serial_number].add(owner.owner_token)
        self._devices_at: defaultdict[int, set[str]] = defaultdict(set)

    def add_owner(self, serial_number: str, owner_token: str) -> None:
        """Notes that somebody registered a device."""
        self.owners.add(Owner(serial_number, owner_token))
        self._owners_of[serial_number].add(owner_token)

    @cached_property
    def shared_devices(self) -> frozenset[str]:
        """The devices of several owners, when all owners are known."""
        return frozenset(serial_number for serial_number, owners in self._owners_of.items() if len(owners) > 1)

    def owners_of(self, serial_number: str) -> Set[str]:
        """Who ever registered a device."""
        return self._owners_of[serial_number]

    @cached_property
    def sharers(self) -> frozenset[str]:
        """Who owns one of these, when all owners are known."""
        return frozenset(token for serial_number in self.shared_devices for token in self._owners_of[serial_number])

    def add_step(self, serial_number: str, moment: int) -> None:
        """Notes when a step was read from a device, in epoch milliseconds."""
        if serial_number in self.shared_devices:
            self._devices_at[moment].add(serial_number)

    def add_walk(self, owner_token: str, moment: int) -> None:
        """Notes that somebody's phone was read, in epoch milliseconds: the steps of that moment can be theirs."""
        for serial_number in self._devices_at.get(moment, ()):
            if owner_token in self._owners_of[serial_number]:
                self.claims.add(Claim(serial_number, moment, owner_token))
