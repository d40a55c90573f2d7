"""Who is who: the one form of an e-mail address by which a person is known, however it was written."""

import html
import re
import unicodedata
from urllib.parse import unquote

_PLAIN = re.compile(r"[a-z0-9_+~][a-z0-9_%+'~.-]*@[a-z0-9.-]*[a-z0-9]")
_INVISIBLE = ("Cc", "Cf")  # Unicode's categories of control and format characters, which come with copied text
_INVISIBLE_MARKS = {0x034F, *range(0x180B, 0x180E), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_WIDE |= {0x3000: " ", 0x3002: ".", 0xFF61: ".", 0xFE6B: "@"}
"""The wide forms of ASCII, which keyboards of East Asia give: no mail program takes an address with them."""

_NAMED = re.compile(r"[^<>]*<([^<>@]+@[^<>@]+)>[^<>@]*")  # RFC 5322, 3.4: a name, and the address in angle brackets
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?://)?", re.IGNORECASE)  # as in mailto:, RFC 6068
_COMMENT = re.compile(r"\([^()@]*\)")  # RFC 5322, 3.2.2
_QUOTED_LOCAL = re.compile(r'"([^"\\\s@]+)"')  # RFC 5322, 3.4.1: the quotes are no part of the address
_BEFORE = "*([{<\"'\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019\u2039\u203a`:;,!?/\\ \t\r\n"
_BEHIND = "*)]}>\"'\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019\u2039\u203a`:;,!?/\\. \t\r\n"


def canonical_address(address: str) -> str:
    """The address by which a person is known: case folded, in Unicode's form NFC, and nothing around it.

    Around it can stand blanks, a name as in `Ann Lee <ann@x.com>`, `mailto:`, quotes, brackets, and the dot of a
    sentence. Characters that nobody sees, such as a zero-width space, are left out. Wide letters are ASCII's, escapes
    are undone, and a domain is in letters, not in Punycode (RFC 3492). A list of addresses is nobody's address, and
    what has no @ is somebody's name as it stands.
    """
    trimmed = address.strip()
    if trimmed.isascii() and "xn--" not in (lower := trimmed.lower()) and _PLAIN.fullmatch(lower):
        return lower  # the same, and quicker
    bare = _seen(address)
    while (less := _seen(_unwrapped(bare))) != bare:
        bare = less
    return folded(bare).strip()


def folded(text: str) -> str:
    """A text without what case and Unicode's forms make different."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _seen(text: str) -> str:
    """What somebody sees of a text."""
    seen = (
        letter
        for letter in text.translate(_WIDE)
        if unicodedata.category(letter) not in _INVISIBLE and ord(letter) not in _INVISIBLE_MARKS
    )
    return unicodedata.normalize("NFC", "".join(seen)).strip()


def _unwrapped(text: str) -> str:
    """A text without one layer of what stands around an address; as it is, if it holds none, or several."""
    if named := _NAMED.fullmatch(text):
        return named[1]
    if "@" not in text:
        escaped = unquote(html.unescape(text))
        return escaped if "@" in escaped else text
    before, _, behind = text.partition("@")
    if "@" in behind:
        return text
    if scheme := _SCHEME.match(before):
        before, behind = unquote(before[scheme.end() :]), unquote(behind)
    if quoted := _QUOTED_LOCAL.fullmatch(before):
        before = quoted[1]
    if not before.startswith('"'):
        before = _COMMENT.sub("", before)
    local = before.rstrip("\\ \t\r\n").lstrip(_BEFORE)
    domain = _in_letters(re.split(r"[/?#\\]", _COMMENT.sub("", behind).strip(), maxsplit=1)[0].rstrip(_BEHIND))
    return f"{local}@{domain}" if local and domain else text


def _in_letters(domain: str) -> str:
    """A domain whose names are not in Punycode."""
    return ".".join(map(_label_in_letters, domain.split(".")))


def _label_in_letters(label: str) -> str:
    if not label.lower().startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
