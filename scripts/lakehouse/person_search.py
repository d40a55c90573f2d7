"""Finds a person's address, or a device's serial number, in bytes, however it is spelt or escaped there."""

import codecs
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from lakehouse.errors import LandingError

_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\[nrtbf\"/\\]|(?:%[0-9a-fA-F]{2})+")
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_LATIN = "as_latin_1"


def canonical(address: str) -> str:
    """The address without what mail programs take for the same: case, blanks around it, the composition of accents."""
    return _folded(address.strip())


def checked_addresses(addresses: Iterable[str], file: Path | None = None) -> list[str]:
    """The addresses that a person named, and those of a file, one a line.

    Raises:
        LandingError: One is no address, or there is none.
    """
    try:
        listed = file.read_text(encoding="utf-8-sig").splitlines() if file is not None else []
    except (OSError, UnicodeDecodeError) as error:
        raise LandingError(f"{file} cannot be read: {error}") from error
    named = sorted({address.strip() for address in (*addresses, *listed)} - {""})
    if not named:
        raise LandingError("nobody is named: give an address with --email, or a file of them with --file")
    for address in named:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            raise LandingError(f"{address!r} is no e-mail address")
    return named


class Needles:
    """Addresses and serial numbers to find in bytes: in UTF-8, UTF-16 or Latin-1, plain or as JSON and URLs escape."""

    def __init__(self, addresses: Iterable[str], serial_numbers: Iterable[str] = ()) -> None:
        """Takes addresses, of which the case does not matter, and serial numbers, of which it does."""
        self._addresses = sorted({canonical(address) for address in addresses})
        self._serials = sorted(set(serial_numbers))
        self._address = re.compile(rf"(?<![\w.+-])(?:{_any_of(self._addresses)})(?![\w-]|\.\w)", re.ASCII)
        self._serial = re.compile(rf"(?<![\w-])(?:{_any_of(self._serials)})(?![\w-])", re.ASCII)

    def name_address(self, content: bytes) -> bool:
        """Whether an address stands there on its own, not as a piece of a longer one."""
        return any(
            _holds(text, self._addresses) and self._address.search(text) is not None
            for text in map(_folded, _readings(content))
        )

    def name_serial_number(self, content: bytes) -> bool:
        """Whether a serial number stands there on its own."""
        return any(_holds(text, self._serials) and self._serial.search(text) is not None for text in _readings(content))

    def are_anywhere_in(self, content: bytes) -> bool:
        """Whether the letters of an address stand there, be it within other letters, as they may in a binary file."""
        return any(_holds(_folded(text), self._addresses) for text in _readings(content))

    def are_pieces_of(self, others: Collection[str]) -> bool:
        """Whether an address is a piece of somebody else's, which `are_anywhere_in` would find, too."""
        foreign = {canonical(other) for other in others}.difference(self._addresses)
        return any(_holds(other, self._addresses) for other in foreign)


def _any_of(texts: list[str]) -> str:
    return "|".join(map(re.escape, texts)) if texts else "(?!)"


def _holds(text: str, pieces: list[str]) -> bool:
    return any(piece in text for piece in pieces)


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()  # the first is quicker


def _readings(content: bytes) -> Iterator[str]:
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
