"""Columns of good records as they are written there, and as the engines read them."""

from collections.abc import Sequence

import msgspec

from lakehouse.declaration import Column


def raw_decoder(columns: Sequence[Column]) -> msgspec.json.Decoder[msgspec.Struct]:
    """A decoder of records that leaves the columns' values as they are written; of a missing one, nothing."""
    fields = [(f"column_{position}", msgspec.Raw, msgspec.Raw()) for position, _ in enumerate(columns)]
    names = {name: column.name for (name, *_), column in zip(fields, columns, strict=True)}
    return msgspec.json.Decoder(msgspec.defstruct("columns", fields, rename=names))


def as_text(raw: bytes) -> str | None:
    """A value as engines read it into a text column: a number or a boolean as it is written."""
    if raw.startswith(b'"'):
        return msgspec.json.decode(raw, type=str)
    return None if is_null(raw) else raw.decode()


def is_null(raw: bytes) -> bool:
    """Whether there is no value, or null."""
    return raw in (b"", b"null")
