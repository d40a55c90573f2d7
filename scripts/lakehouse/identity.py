"""Who is who: the one form of an e-mail address by which a person is known, however it was written."""

import unicodedata

_INVISIBLE = ("Cc", "Cf")  # Unicode's categories of control and format characters, which come with copied text


def canonical_address(address: str) -> str:
    """The address by which a person is known: blanks around it trimmed, case folded, in Unicode's form NFC.

    Characters that nobody sees, such as a zero-width space, are left out. Mail programs take what differs in these
    alone for the same address, and nobody can tell by looking at them.
    """
    trimmed = address.strip()
    if trimmed.isascii() and trimmed.isprintable():
        return trimmed.lower()  # the same, and quicker
    seen = "".join(letter for letter in address if unicodedata.category(letter) not in _INVISIBLE)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", seen).casefold()).strip()
