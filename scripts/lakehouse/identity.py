"""Who is who: the one form of an e-mail address by which a person is known, however it was written."""

import re
import unicodedata
from urllib.parse import unquote

_INVISIBLE = ("Cc", "Cf")  # Unicode's categories of control and format characters, which come with copied text
_PLAIN = re.compile(r"[a-z0-9_%+'~.-]*[a-z0-9_+]@[a-z0-9.-]*[a-z0-9]")
_NAMED = re.compile(r"[^<>]*<([^<>@]+@[^<>@]+)>[^<>@]*")  # RFC 5322, 3.4: a name, and the address in angle brackets
_MAILTO = re.compile(r"mailto:(?://)?([^?#]*)", re.IGNORECASE)  # RFC 6068
_QUOTES = ("'", '"')
_END_OF_SENTENCE = ".,;"


def canonical_address(address: str) -> str:
    """The address by which a person is known: case folded, in Unicode's form NFC, and nothing around it.

    Around it can stand blanks, a name as in `Ann Lee <ann@x.com>`, `mailto:`, quotes, and the dot of a sentence.
    Characters that nobody sees, such as a zero-width space, are left out. Mail programs take what differs in these
    alone for the same address, and nobody can tell by looking at them. A list of addresses is nobody's address.
    """
    trimmed = address.strip()
    if trimmed.isascii() and _PLAIN.fullmatch(trimmed.lower()):
        return trimmed.lower()  # the same, and quicker
    seen = "".join(letter for letter in address if unicodedata.category(letter) not in _INVISIBLE)
    bare = unicodedata.normalize("NFC", seen).strip()
    while (less := _unwrapped(bare)) != bare:
        bare = unicodedata.normalize("NFC", less).strip()
    return folded(bare).strip()


def folded(text: str) -> str:
    """A text without what case and Unicode's forms make different."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _unwrapped(text: str) -> str:
    """A text without one layer of what stands around an address."""
    if named := _NAMED.fullmatch(text):
        return named[1]
    if (link := _MAILTO.match(text)) and "@" in (less := unquote(link[1])):
        return less
    if text.startswith(_QUOTES) and text.endswith(text[0]) and "@" in (less := text[1:-1]) and text[0] not in less:
        return less
    less = text.rstrip(_END_OF_SENTENCE)
    return less if "@" in less else text
