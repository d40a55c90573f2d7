"""Finds whom the customer records are about that cannot be read: until somebody has looked, their data is not used.

Such a record may be a withdrawal of consent. So whoever's address can be made out in its bytes is suspended.
"""

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product, takewhile

import msgspec

from lakehouse.identity import canonical_address, folded
from lakehouse.landing.ledger import QuarantinedRecord
from lakehouse.records.needles import ADDRESS_COLUMNS, texts_in, unescaped
from lakehouse.records.read import KEPT_BYTES

_MOST_LETTERS = 255  # before an @, and after it
_LEAST_LETTERS = 5  # of an address that is cut off, with its @
_BLANK_OR_AT = re.compile(r"[\s@]")
_AT = re.compile(r"(?<=[^\s@])@")
_NOT_OF_A_DOMAIN = re.compile(r"[\"'<>(){}\[\],;:\\|]")
_PUNCTUATION = "._%+'-!?"  # at either end it may belong to the sentence
_QUOTES = ('"', "'", "“", "\u2018", "„", "«")
_REST_OF_ESCAPE = re.compile(r"(?:\\[ux]?[0-9a-fA-F]{0,3}|%[0-9a-fA-F]?|&[#\w]{0,8})?")
_KEYS = "|".join(ADDRESS_COLUMNS)
_KEYED_VALUE = re.compile(
    rf"(?<!\w)(?:{_KEYS})[\"'”\u2019\\]*\s*[:=]\s*\[?\s*"
    r"(?:\"([^\"]*)|'([^']*)|“([^”]*)|([^\s\"'“,;&}\]][^,;&}\]\r\n]*))",
    re.IGNORECASE,
)
_BETWEEN_FIELDS = re.compile(r"[\r\n\t,;|]")
_TEXT = re.compile(r""""(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$)""", re.DOTALL)
_ADDRESS = re.compile(r"\S*@\S*")
_NUMBER = re.compile(r"-?[0-9][0-9.,]*")
_OTHER_LETTERS = ("cp1252", "cp437")  # of text that is no UTF-8


@dataclass(frozen=True)
class _Alphabet:
    """Which letters an address may be of."""

    not_plain: re.Pattern[str]
    """What ends the part before the @."""
    domain: re.Pattern[str]

    @classmethod
    def of(cls, flags: re.RegexFlag) -> "_Alphabet":
        return cls(re.compile(r"[^\w.%+'-]", flags), re.compile(r"[\w.-]*", flags))


_ANY_LETTERS, _ASCII_LETTERS = _Alphabet.of(re.UNICODE), _Alphabet.of(re.ASCII)


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
    """Of people who are known, and of strangers, who may become known."""
    known: set[str]
    """Those of them who are known."""
    reasons: Mapping[str, int]
    """The number of records that name somebody who is known, by what is wrong with them."""
    naming_nobody: int
    """The number of records that were looked through whole and name nobody who is known."""
    too_large: int
    """The number of records of which only the beginning is kept: whoever is named behind it is not found."""


def suspensions_of(records: Iterable[QuarantinedRecord], known: Collection[str]) -> FoundSuspensions:
    """Finds the people whom records name.

    Args:
        records: Customer records that cannot be read.
        known: The canonical addresses of everybody who is landed. Who looks like an address is named, known or not.
    """
    people = _People(known)
    found: set[Suspension] = set()
    all_named: set[str] = set()
    reasons: Counter[str] = Counter()
    naming_nobody = too_large = 0
    for record in records:
        named, strangers = people.named_in(record.kept)
        found.update(Suspension(person, record.source, record.source_file, record.line) for person in named | strangers)
        all_named |= named
        is_too_large = record.record_bytes > KEPT_BYTES
        too_large += is_too_large
        if named:
            reasons[kind_of(record.reason)] += 1
        elif not is_too_large:
            naming_nobody += 1
    return FoundSuspensions(found, all_named, dict(reasons.most_common()), naming_nobody, too_large)


def addresses_in(content: bytes, known: Collection[str]) -> set[str]:
    """The canonical addresses that bytes hold, however they are encoded and escaped there.

    In doubt a known person is named: whatever is glued to an address, and be it cut off at the end. What looks like an
    address of nobody who is known counts, too. A known address without @ counts where an address is to stand.
    """
    named, strangers = _People(known).named_in(content)
    return named | strangers


class _People:
    """Everybody who is known, to be found in records. Nothing is compared with every address."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._ordered = sorted(known)

    def named_in(self, content: bytes) -> tuple[set[str], set[str]]:
        """The known people whom bytes name, and the strangers whom their plainest text names."""
        is_text = _is_text(content)
        alphabets = (_ANY_LETTERS,) if is_text else (_ANY_LETTERS, _ASCII_LETTERS)  # a letter there may be none
        named: set[str] = set()
        strangers: set[str] = set()
        for text in _texts(content, is_text=is_text):
            named.update(value for value in map(canonical_address, _values(text)) if value in self._known)
            strangers.clear()
            for place, alphabet in product(_places_of_at(text), alphabets):
                address = _Surroundings.of(text, place, alphabet)
                people = self._who(address)
                named |= people
                if not people and address.plain:
                    strangers.add(address.plain)
        return named, strangers - named

    def _who(self, address: "_Surroundings") -> set[str]:
        """The known people whom an address can mean, by the first of its readings that means anybody."""
        all_found = ({one for one in some if one in self._known} for some in address.readings())
        people = next(filter(None, all_found), set[str]())
        if address.is_open or (address.is_last and not people):
            people.update(person for start in address.beginnings() for person in self._beginning_with(start))
        return people

    def _beginning_with(self, start: str) -> Iterator[str]:
        first = bisect_left(self._ordered, start)
        rest = (self._ordered[place] for place in range(first, len(self._ordered)))
        return takewhile(lambda person: person.startswith(start), rest)


@dataclass(frozen=True)
class _Surroundings:
    """What stands around an @."""

    befores: tuple[str, ...]
    """What may be the part before the @: all up to a blank, and what follows each sign that is hardly of an address."""
    domain: str
    long_domain: str
    """With signs that are hardly of a domain."""
    is_quoted: bool
    """Whether an apostrophe follows."""
    is_last: bool
    """Whether nothing follows, so that the address may be cut off."""
    is_open: bool
    """Whether it surely is: it began with quotes that nobody closed."""

    @classmethod
    def of(cls, text: str, place: int, alphabet: _Alphabet) -> "_Surroundings":
        """Looks at a place of a text, where an @ is with something before it."""
        window = text[max(0, place - _MOST_LETTERS) : place]
        after = _BLANK_OR_AT.split(text[place + 1 : place + 1 + _MOST_LETTERS], maxsplit=1)[0]
        before = window.rpartition("@")[2]
        before = before.rsplit(maxsplit=1)[-1]
        starts = sorted({0, *(sign.end() for sign in alphabet.not_plain.finditer(before))})
        found = alphabet.domain.match(after)
        domain = found[0] if found else ""
        end = place + 1 + len(domain)
        is_last = len(text) - end < _MOST_LETTERS and _REST_OF_ESCAPE.fullmatch(text, end) is not None
        return cls(
            befores=tuple(before[start:] for start in starts if start < len(before)),
            domain=domain,
            long_domain=_NOT_OF_A_DOMAIN.split(after, maxsplit=1)[0],
            is_quoted=after[len(domain) :].startswith("'"),
            is_last=is_last,
            is_open=is_last and (before[: starts[-1]].endswith(_QUOTES) or before[starts[-1] :].startswith("'")),
        )

    @property
    def plain(self) -> str:
        """The shortest reading; empty where there is no address."""
        before, domain = self._narrow.strip(_PUNCTUATION), self.domain.strip(_PUNCTUATION)
        return canonical_address(f"{before}@{domain}") if before and domain else ""

    @property
    def _narrow(self) -> str:
        return self.befores[-1] if self.befores else ""

    def readings(self) -> Iterator[set[str]]:
        """What the address can be: as it stands, else without signs that can be part of an address, but need not."""
        yield self._with_domain(self.befores)
        yield self._with_domain([self._narrow.lstrip(_PUNCTUATION)])
        if self.is_quoted and self._narrow.count("'") == 1:  # as in b'ann@x.com', and not in o'ann@x.com
            yield self._with_domain([self._narrow.rpartition("'")[2]])

    def beginnings(self) -> Iterator[str]:
        """What the address begins with if it is cut off."""
        some = {folded(f"{before}@{self.domain}") for before in (*self.befores, self._narrow.lstrip("'"))}
        return (start for start in some if len(start) >= _LEAST_LETTERS and not start.startswith("@"))

    def _with_domain(self, befores: Iterable[str]) -> set[str]:
        domains = {self.domain, self.domain.rstrip(_PUNCTUATION), self.long_domain}
        return {canonical_address(f"{before}@{domain}") for before in befores if before for domain in domains}


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _texts(content: bytes, *, is_text: bool) -> Iterator[str]:
    """Yields what bytes can be as text, in Unicode's form NFC; what they are most likely, and plainest, last."""
    for text in _encoded_texts(content, is_text=is_text):
        composed = unicodedata.normalize("NFC", text)
        unseen = {
            ord(letter)
            for letter in set(composed)
            if unicodedata.category(letter) in ("Cc", "Cf") and not letter.isspace()
        }
        if unseen:
            yield composed.translate(dict.fromkeys(unseen, " "))  # it may stand between words, or within one
        yield composed.translate(dict.fromkeys(unseen))


def _encoded_texts(content: bytes, *, is_text: bool) -> Iterator[str]:
    if b"\0" in content:
        yield from texts_in(content.replace(b"\0", b" "))  # it stands between words, unless this is UTF-16
    if not is_text:
        for encoding in _OTHER_LETTERS:
            yield from unescaped(content.replace(b"\0", b"").decode(encoding, "replace"))
        try:
            content.decode()
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":  # cut off within a letter
                yield from texts_in(content[: error.start])
    yield from texts_in(content)


def _places_of_at(text: str) -> Iterator[int]:
    return (found.start() for found in _AT.finditer(text))


def _values(text: str) -> Iterator[str]:
    """Yields what can be an address as a whole, whatever it looks like."""
    yield text
    for found in _KEYED_VALUE.finditer(text):
        yield next(filter(None, found.groups()), "")
    yield from (value for value in text.split('"') if "@" in value)
    if not {"{", "["}.intersection(text):  # in JSON a name can stand on a line of its own
        yield from (field.strip(" \"'“”") for field in _BETWEEN_FIELDS.split(text))


def kind_of(reason: str) -> str:
    """What is wrong with a record, without its values: these may name somebody, and what is said may end in a log."""
    return _NUMBER.sub("…", _ADDRESS.sub("…", _TEXT.sub("…", reason)))
