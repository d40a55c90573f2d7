"""Finds a person's address, or the number of a device or a phone, in bytes, however it is spelt or escaped there.

Whatever stands in a column of addresses is somebody's: a list of addresses, a name before one in brackets, or no
address at all. What looks like an address (it has an @) is looked for everywhere. Anything else is a word like others,
and is looked for only where it is the whole of an address column's value: `customer` is in every description.
"""

import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address

ADDRESS_COLUMNS = ("email", "user", "canonical_email")
"""The columns of the raw records, and of what is worked out from them, that hold a person's address."""

_ESCAPE = re.compile(
    r"(?:\\u[0-9a-fA-F]{4})+|(?:\\x[0-9a-fA-F]{2})+|\\[nrtbf\"/\\]|(?:%[0-9a-fA-F]{2})+"
    r"|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});"
)
_MOST_ESCAPES = 8  # one in the other, as of JSON in JSON
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_LATIN = "as_latin_1"
_LIKE_AN_ADDRESS = re.compile(r"[^\s@]@[^\s@]")
_ADDRESS_WITHIN = re.compile(r"[^\s\"'<>(){}\[\],;:]+@[^\s\"'<>(){}\[\],;:@]+")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_LEAST_LETTERS = 3  # of a name that is looked for within longer words; a shorter one must be a word


@dataclass(frozen=True)
class People:
    """Who is meant: addresses as somebody gave them, and whether each stands for itself alone.

    Attributes:
        addresses: As they were given.
        exact: Whether only these very letters are meant; otherwise every spelling of the same canonical address is.
    """

    addresses: frozenset[str]
    exact: bool = False

    @cached_property
    def canonical(self) -> frozenset[str]:
        """By what the people are known."""
        return frozenset(map(canonical_address, self.addresses))

    def include(self, address: str) -> bool:
        """Whether an address that was landed is one of theirs."""
        return address in self.addresses if self.exact else canonical_address(address) in self.canonical


def checked_addresses(addresses: Iterable[str], file: Path | None = None, *, exact: bool = False) -> list[str]:
    """The addresses that a person named, and those of a file, one a line: whatever can be landed as one.

    Args:
        addresses: From the command line.
        file: A list, one a line.
        exact: Whether blanks around an address, and an address of nothing but blanks, are meant so.

    Raises:
        LandingError: The file cannot be read, or nobody is named.
    """
    try:
        content = file.read_text(encoding="utf-8-sig") if file is not None else ""
    except (OSError, UnicodeDecodeError) as error:
        raise LandingError(f"{file} cannot be read: {error}") from error
    lines = [line.removesuffix("\r") for line in content.split("\n")]  # splitlines would break at rarer characters
    listed = [line for line in lines if line]
    given = {*addresses, *listed} if exact else {text.strip() for text in (*addresses, *listed)} - {""}
    if not given:
        raise LandingError("nobody is named: give an address with --email, or a file of them with --file")
    return sorted(given)


def looks_like_an_address(value: str) -> bool:
    """Whether a value can be told from an ordinary word wherever it stands."""
    return _LIKE_AN_ADDRESS.search(value) is not None


def addresses_within(value: str) -> set[str]:
    """The canonical addresses that stand in a longer value, as in `Ann <ann@x.com>`; also without a dot at the end."""
    found = _ADDRESS_WITHIN.findall(value)
    return {canonical_address(address) for piece in found for address in (piece, piece.rstrip("."))}


class Needles:
    """Addresses, and numbers of devices and phones, to find in bytes of UTF-8, UTF-16 or Latin-1, escaped or not."""

    def __init__(
        self,
        addresses: Iterable[str],
        numbers: Iterable[str] = (),
        *,
        exact: bool = False,
        columns: Iterable[str] = ADDRESS_COLUMNS,
    ) -> None:
        """Takes what to find.

        Args:
            addresses: Whatever identifies people.
            numbers: Of devices and phones; upper and lower case differ.
            exact: Whether an address is found in these very letters only.
            columns: The keys of records that have an address as value.
        """
        self._form: Callable[[str], str] = str if exact else _folded
        values = {
            form
            for address in addresses
            for form in ((address,) if exact else (canonical_address(address), _folded(address).strip()))
        }
        self._addresses = sorted(filter(looks_like_an_address, values))
        self._words = sorted(values.difference(self._addresses))
        self._numbers = sorted(set(numbers))
        any_address = _any_of(self._addresses)
        own = rf"(?<![\w.+-])(?:(?<!\w')|(?=(?:{any_address})'))(?:{any_address})(?![\w-]|\.\w)"  # o'ann@ is not ann@
        self._address, self._address_in_noise = re.compile(own), re.compile(own, re.ASCII)
        blanks = "" if exact else r"\s*"
        keys = "|".join(map(re.escape, sorted(map(self._form, columns))))
        word = _any_of(self._words)
        self._word = re.compile(rf'"(?:{keys})"\s*:\s*(?:"{blanks}(?:{word}){blanks}"|(?:{word})(?=\s*[,}}]))')
        self._number = re.compile(rf"(?<![\w-])(?:{_any_of(self._numbers)})(?![\w-])", re.ASCII)

    @property
    def words(self) -> Collection[str]:
        """Those of the addresses that can be told from ordinary words only in a column of addresses."""
        return self._words

    def name_address(self, content: bytes) -> bool:
        """Whether an address stands there on its own, not as a piece of a longer one."""
        return any(
            (_holds(text, self._addresses) and self._own(content).search(text) is not None)
            or (bool(self._words) and self._word.search(text) is not None)
            for text in map(self._form, texts_in(content))
        )

    def _own(self, content: bytes) -> re.Pattern[str]:
        """What finds an address on its own; of bytes that are no text, a letter before it may be none."""
        try:
            content.decode()
        except UnicodeDecodeError:
            return self._address_in_noise
        return self._address

    def name_number(self, content: bytes) -> bool:
        """Whether a number stands there on its own."""
        return any(_holds(text, self._numbers) and self._number.search(text) is not None for text in texts_in(content))

    def are_anywhere_in(self, content: bytes) -> bool:
        """Whether the letters of an address stand there, be it within other letters, as they may in a binary file."""
        return any(_holds(self._form(text), self._addresses) for text in texts_in(content))

    def are_pieces_of(self, others: Collection[str]) -> bool:
        """Whether an address is a piece of somebody else's, which `are_anywhere_in` would find, too."""
        foreign = {self._form(other.strip()) for other in others}.difference(self._addresses)
        return any(_holds(other, self._addresses) for other in foreign)


class FileNames:
    """Tells of names of files whether they may name a person: by address, by what stands before its @, or by name."""

    def __init__(self, addresses: Iterable[str], names: Iterable[str] = ()) -> None:
        """Takes the people's addresses and, as they were landed, their names and numbers."""
        own = set(addresses)
        all_of_them = own | {address for value in own for address in addresses_within(value)}
        self._addresses = _words_of_each(filter(looks_like_an_address, all_of_them))
        self._words = _words_of_each(own)
        self._names = self._words | _words_of_each({address.partition("@")[0] for address in all_of_them} | set(names))

    def hold_address(self, path: str) -> bool:
        """Whether an address stands there, with whatever for @, dots and blanks; one without @ as a whole name only."""
        names = [_words_of(name) for name in path.split("/")]
        whole = _words_of(path.rpartition("/")[2].partition(".")[0])
        return whole in self._words or any(_stand_in(address, name) for address in self._addresses for name in names)

    def may_tell(self, path: str) -> bool:
        """Whether a reader could guess who is meant; it says so of some files that name somebody else."""
        words = _words_of(path)
        letters = "".join(words)
        return any(
            _stand_in(name, words) or (len("".join(name)) >= _LEAST_LETTERS and "".join(name) in letters)
            for name in self._addresses | self._names
        )


def _words_of_each(texts: Iterable[str]) -> set[tuple[str, ...]]:
    return {words for words in map(_words_of, texts) if words}


def _words_of(text: str) -> tuple[str, ...]:
    """The words of a text, without accents, case or what stands between them, and with the escapes of URLs undone."""
    while (plain := _ESCAPE.sub(_undo_escape, text)) != text:  # a name may have been escaped more than once
        text = plain
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return tuple(filter(None, _NOT_ALPHANUMERIC.split(bare)))


def _stand_in(some: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(words[start : start + len(some)] == some for start in range(len(words) - len(some) + 1))


def _any_of(texts: list[str]) -> str:
    return "|".join(map(re.escape, texts)) if texts else "(?!)"


def _holds(text: str, pieces: list[str]) -> bool:
    return any(piece in text for piece in pieces)


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()  # the same, and quicker
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def texts_in(content: bytes) -> Iterator[str]:
    """Yields the text that bytes are, and the texts that they are when their escapes are undone, the plainest last."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from unescaped(content.decode("utf-16", "replace"))
    # UTF-16 has zeros between the letters of ASCII
    yield from unescaped(content.replace(b"\0", b"").decode("utf-8", _LATIN))


def unescaped(text: str) -> Iterator[str]:
    """Yields a text, and what it is when the escapes of JSON, URLs and HTML are undone, once and again."""
    yield text
    for _ in range(_MOST_ESCAPES):
        if not any(mark in text for mark in "\\%&"):
            return
        plainer = _ESCAPE.sub(_undo_escape, text)
        if plainer == text:
            return
        text = plainer
        yield text


def _undo_escape(found: re.Match[str]) -> str:
    escape = found[0]
    if escape.startswith("&"):
        return html.unescape(escape)
    if escape.startswith("\\u"):
        return bytes.fromhex(escape.replace("\\u", "")).decode("utf-16-be", "replace")
    if escape.startswith(("\\x", "%")):
        return bytes.fromhex(escape.replace("\\x", "").replace("%", "")).decode("utf-8", _LATIN)
    return _SIMPLE_ESCAPES.get(escape[1], escape[1])


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    """Reads the bytes that are no UTF-8 as Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_LATIN, _as_latin_1)
