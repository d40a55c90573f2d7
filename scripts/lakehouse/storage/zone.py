"""What a landing zone says of itself: a random id, by which a database knows it wherever it was moved to, and whether
people were erased from it.
"""

import secrets
from contextlib import suppress

import msgspec

from lakehouse.errors import LandingError
from lakehouse.storage.folder import FileChangedError, Folder, Say

IDENTITY_KEY = "loader/zone.json"
RECEIPTS_FOLDER = "loader/erasures"
"""What an erasure leaves behind: a receipt each."""
NO_ZONE_YET = "none yet"
"""For the id of a zone that gets one when something lands there: no database was built from it."""


class _Identity(msgspec.Struct):
    zone_id: str


def zone_id(zone: Folder) -> str | None:
    """The id of a landing zone; None where nothing was landed there yet.

    Raises:
        LandingError: The file that holds it cannot be read.
    """
    try:
        return msgspec.json.decode(zone.fetch(IDENTITY_KEY).content, type=_Identity).zone_id
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LandingError(f"{error.filename or zone.location}: {error.strerror or error}") from error
    except msgspec.MsgspecError as error:
        raise LandingError(
            f"{zone.location}/{IDENTITY_KEY} is broken ({error}): put back the file of a backup, or delete it; "
            "without it, the zone is another one for every database that was built from it"
        ) from error


def give_zone_id(zone: Folder, say: Say) -> str:
    """Gives a landing zone its id, unless it has one, and says which it is.

    Raises:
        LandingError: The zone is in use by another load, or the file that holds the id cannot be read.
    """
    known = zone_id(zone)
    if known is not None:
        return known
    new = _Identity(secrets.token_hex(8))
    with zone.exclusive(say), suppress(FileChangedError):  # another load was quicker
        zone.replace(IDENTITY_KEY, msgspec.json.encode(new) + b"\n", None)
    return zone_id(zone) or new.zone_id


def was_erased_from(zone: Folder) -> bool:
    """Whether somebody was ever erased from a landing zone: what is known to be in its data is no longer all there."""
    return next(zone.list(RECEIPTS_FOLDER), None) is not None
