"""Who is who: the one form of an e-mail address by which a person is known, however it was written."""

import unicodedata


def canonical_address(address: str) -> str:
    """The address by which a person is known: blanks around it trimmed, case folded, in Unicode's form NFC.

    Mail programs take what differs in these alone for the same address. Nobody can tell by looking at them.
    """
    trimmed = address.strip()
    if trimmed.isascii():
        return trimmed.lower()  # the same, and quicker
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", trimmed).casefold())
