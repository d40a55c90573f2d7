"""Finds a person's address, or the number of a device or a phone, in bytes, however it is spelt or escaped there."""

import codecs
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address

_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\[nrtbf\"/\\]|(?:%[0-9a-fA-F]{2})+")
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_LATIN = "as_latin_1"
_ADDRESS = re.compile(r"""(?:"[^"]+"|[^@\s"<>,;:]+)@[^@\s"'<>,;:]+""")
"""What a list of addresses has around or between them is in none: it would be looked for in vain, and nobody told."""


def checked_addresses(addresses: Iterable[str], file: Path | None = None) -> list[str]:
    """The addresses that a person named, and those of a file, one a line.

    Raises:
        LandingError: One is no address, or there is none.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines() if file is not None else []
    except (OSError, UnicodeDecodeError) as error:
        raise LandingError(f"{file} cannot be read: {error}") from error
    given = [("--email", address) for address in addresses]
    listed = [(f"line {number} of {file}", line) for number, line in enumerate(lines, 1)]
    named = {text.strip(): where for where, text in (*given, *listed) if text.strip()}
    if not named:
        raise LandingError("nobody is named: give an address with --email, or a file of them with --file")
    for address, where in named.items():
        if not _ADDRESS.fullmatch(address):  # which is not shown: the message may end in a log
            raise LandingError(f"{where} is no e-mail address: give one, and nothing else")
    return sorted(named)


class Needles:
    """Addresses, and numbers of devices and phones, to find in bytes of UTF-8, UTF-16 or Latin-1, escaped or not."""

    def __init__(self, addresses: Iterable[str], numbers: Iterable[str] = ()) -> None:
        """Takes addresses, of which the case does not matter, and numbers, of which it does."""
        self._addresses = sorted({canonical_address(address) for address in addresses})
        self._numbers = sorted(set(numbers))
        any_address = _any_of(self._addresses)
        own = rf"(?<![\w.+-])(?:(?<!\w')|(?=(?:{any_address})'))(?:{any_address})(?![\w-]|\.\w)"  # o'ann@ is not ann@
        self._address, self._address_in_noise = re.compile(own), re.compile(own, re.ASCII)
        self._number = re.compile(rf"(?<![\w-])(?:{_any_of(self._numbers)})(?![\w-])", re.ASCII)

    def name_address(self, content: bytes) -> bool:
        """Whether an address stands there on its own, not as a piece of a longer one."""
        return any(
            _holds(text, self._addresses) and self._own(content).search(text) is not None
            for text in map(_folded, texts_in(content))
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
        return any(_holds(_folded(text), self._addresses) for text in texts_in(content))

    def are_pieces_of(self, others: Collection[str]) -> bool:
        """Whether an address is a piece of somebody else's, which `are_anywhere_in` would find, too."""
        foreign = {canonical_address(other) for other in others}.difference(self._addresses)
        return any(_holds(other, self._addresses) for other in foreign)


def _any_of(texts: list[str]) -> str:
    return "|".join(map(re.escape, texts)) if texts else "(?!)"


def _holds(text: str, pieces: list[str]) -> bool:
    return any(piece in text for piece in pieces)


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()  # the first is quicker


def texts_in(content: bytes) -> Iterator[str]:
    """Yields the text that bytes are, and the text that they are when their escapes are undone."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield content.decode("utf-16", "replace")
    text = content.replace(b"\0", b"").decode("utf-8", _LATIN)  # UTF-16 has zeros between the letters of ASCII
    yield text
    if "\\" in text or "%" in text:
        yield _ESCAPE.sub(_undo_escape, text)


def _undo_escape(found: re.Match[str]) -> str:
    escape = found[0]
    if escape.startswith("\\u"):
        return bytes.fromhex(escape.replace("\\u", "")).decode("utf-16-be", "replace")
    if escape.startswith("\\"):
        return _SIMPLE_ESCAPES.get(escape[1], escape[1])
    return bytes.fromhex(escape.replace("%", "")).decode("utf-8", _LATIN)


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    """Reads the bytes that are no UTF-8 as Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_LATIN, _as_latin_1)
