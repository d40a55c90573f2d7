"""Puts random tokens in the place of those that stand for the people who are erased, in tables that outlive them.

Some derived tables remember for good that a device was shared, and which of its steps somebody can have made. Their
rows stay, so that nobody else's data grows because somebody left. Such a column is declared with
`meta: {person: owner_token}`.

A token is replaced by the same random one in all tables. A killed erasure has replaced it in some of them, so what the
new ones are made with stays in the landing zone until all are written, and the next erasure goes on with it.
"""

import hmac
import io
import secrets
from collections.abc import Callable, Collection

import msgspec

from lakehouse.declaration import Column, Table
from lakehouse.storage.folder import Folder

SECRET_KEY = "loader/erasing.json"  # noqa: S105 - the name of a file


def token_column(table: Table) -> Column | None:
    """The column of a table that is replaced when the person is erased."""
    return next((column for column in table.columns if column.person == "owner_token"), None)


class _Unfinished(msgspec.Struct, frozen=True):
    """What an erasure leaves in the landing zone as long as it is not finished."""

    secret: str


def begin_replacing(zone: Folder) -> bytes:
    """What the new tokens are made with: random, or what a killed erasure left."""
    try:
        left = msgspec.json.decode(zone.fetch(SECRET_KEY).content, type=_Unfinished)
    except FileNotFoundError:
        left = _Unfinished(secrets.token_hex(32))
        zone.write(SECRET_KEY, io.BytesIO(msgspec.json.encode(left)))
    return left.secret.encode()


def end_replacing(zone: Folder) -> None:
    """Forgets what the new tokens were made with: from now on, nothing leads from the old ones to them."""
    zone.delete([SECRET_KEY])


def token_replacer(column: Column, tokens: Collection[str], secret: bytes) -> Callable[[bytes], bytes]:
    """Makes a function that gives a record another token if it has one of some, and otherwise as it is.

    Args:
        column: The column that holds the token.
        tokens: Those that are to go.
        secret: What the new ones are made with.
    """
    new = {token: hmac.digest(secret, token.encode(), "sha256").hex() for token in tokens}

    def replaced(line: bytes) -> bytes:
        record = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        value = record.get(column.name)
        token = msgspec.json.decode(value) if value is not None else None
        if token not in new:
            return line
        record[column.name] = msgspec.Raw(msgspec.json.encode(new[token]))
        return msgspec.json.encode(record) + b"\n"

    return replaced
