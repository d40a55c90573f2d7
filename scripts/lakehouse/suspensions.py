"""Finds whom the customer records are about that cannot be read: until somebody has looked, their data is not used.

Such a record may be a withdrawal of consent. So whoever's address can be made out in its bytes is suspended.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from lakehouse.identity import canonical_address
from lakehouse.ledger import QuarantinedRecord
from lakehouse.person_search import texts_in

_ADDRESS = re.compile(r"[^\s\"'<>(){}\[\],;:\\|]+@[^\s\"'<>(){}\[\],;:\\|@]+")
_ASCII_ADDRESS = re.compile(rb"[A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]*[A-Za-z0-9]")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PIECE = re.compile(r"[^\s\"<>(){}\[\],;:]+")
_PUNCTUATION = ".!?"  # at the end of a sentence, and not part of an address
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*(?:"|$)', re.DOTALL)
_NUMBER = re.compile(r"-?[0-9][0-9.,]*")


class Suspension(msgspec.Struct, frozen=True, order=True):
    """A person whom an unreadable customer record names; the columns of the declared table customer_suspensions."""

    canonical_email: str
    source: str
    source_file: str
    line: int
    """Of the file, from 1."""


@dataclass(frozen=True)
class FoundSuspensions:
    """Whom the unreadable records name."""

    suspensions: set[Suspension]
    reasons: Mapping[str, int]
    """The number of records that name somebody, by what is wrong with them."""
    naming_nobody: int
    """The number of records in which no address can be made out."""


def suspensions_of(records: Iterable[QuarantinedRecord], known: Collection[str]) -> FoundSuspensions:
    """Finds the people whom records name.

    Args:
        records: Customer records that cannot be read.
        known: The canonical addresses of everybody who is landed. Who looks like an address is named, known or not.
    """
    found: set[Suspension] = set()
    reasons: Counter[str] = Counter()
    naming_nobody = 0
    for record in records:
        people = addresses_in(record.kept, known)
        found.update(Suspension(person, record.source, record.source_file, record.line) for person in people)
        if people:
            reasons[kind_of(record.reason)] += 1
        else:
            naming_nobody += 1
    return FoundSuspensions(found, dict(reasons.most_common()), naming_nobody)


def addresses_in(content: bytes, known: Collection[str]) -> set[str]:
    """The canonical addresses that bytes hold, however they are encoded and escaped there.

    What looks like an address counts. So does a whole value or word that is a known person's, which need have no @.
    """
    found = set(map(canonical_address, _in_noise(content)))
    for text in texts_in(content):
        found.update(canonical_address(address.rstrip(_PUNCTUATION)) for address in _ADDRESS.findall(text))
        found.update(value for value in map(canonical_address, _values(text)) if value in known)
    return found


def _in_noise(content: bytes) -> list[str]:
    """What looks like an address of ASCII in bytes that are no text, of which the letters beside it may be none."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return [found.decode() for found in _ASCII_ADDRESS.findall(content)]
    return []


def _values(text: str) -> Iterator[str]:
    yield text
    yield from _QUOTED.findall(text)
    yield from _PIECE.findall(text)


def kind_of(reason: str) -> str:
    """What is wrong with a record, without its values: these may name somebody, and what is said may end in a log."""
    return _NUMBER.sub("…", _TEXT.sub("…", reason))
