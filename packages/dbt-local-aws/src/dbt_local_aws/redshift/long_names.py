"""Names of up to 127 bytes, of which PostgreSQL keeps 63: a longer one has a short one there, and its own outside.

Source: "Names and identifiers" (r_names) in the Amazon Redshift Database Developer Guide.
"""

import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import replace

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.errors import RedshiftError
from dbt_local_aws.redshift.quoting import identifier, literal
from dbt_local_aws.redshift.refusals.relations import is_system_relation, relations
from dbt_local_aws.redshift.tokens import Kind, Token
from dbt_local_aws.redshift.wire import DataRows, Message

_KEPT_BYTES = 63
_MOST_BYTES = 127
_NAME_TOO_LONG = "42622"
_SHORT = re.compile(rb"~[0-9a-f]{12}")
_SYSTEM_VIEWS = ("svv_", "stv_", "stl_", "svl_", "sys_")
# Short names are made of long ones alone: this remembers which, for all sessions
_LONG: dict[bytes, bytes] = {}


def short_name(name: str) -> str:
    """The name that PostgreSQL is told."""
    encoded = name.encode()
    if len(encoded) <= _KEPT_BYTES:
        return name
    if len(encoded) > _MOST_BYTES:
        raise RedshiftError(_NAME_TOO_LONG, f'identifier "{name}" is longer than {_MOST_BYTES} bytes')
    digest = hashlib.sha256(encoded).hexdigest()[:12]
    short = f"{encoded[:48].decode(errors='ignore')}~{digest}"
    _LONG[short.encode()] = encoded
    return short


def with_short_names(tokens: Sequence[Token]) -> list[Token]:
    """The same statement with short names, also in the texts by which the catalogue is asked for them."""
    output = [_shortened(token) for token in tokens]
    if _LONG and any(_is_catalogue(parts) for parts in relations(output)):
        return [_with_short_text(token) if token.kind is Kind.STRING else token for token in output]
    return output


def _shortened(token: Token) -> Token:
    if not token.is_identifier or len(token.text) <= _KEPT_BYTES // 4 or len(token.name.encode()) <= _KEPT_BYTES:
        return token
    return replace(token, kind=Kind.NAME, text=identifier(short_name(token.name)))


def _is_catalogue(parts: tuple[str, ...]) -> bool:
    return is_system_relation(parts) or parts[-1].startswith(_SYSTEM_VIEWS)


def _with_short_text(token: Token) -> Token:
    text = token.value
    for short, long in _LONG.items():
        text = text.replace(long.decode(), short.decode())
    return token if text == token.value else replace(token, text=literal(text))


def rows_with_long_names(rows: DataRows) -> DataRows:
    """Rows with the names that the client knows."""
    if not _LONG or not _SHORT.search(rows.encoded):
        return rows
    return DataRows(b"".join(_row_with_long_names(row).encode() for row in rows.messages()))


def with_long_names(message: Message) -> Message:
    """An answer with the names that the client knows."""
    if not _LONG or not _SHORT.search(message.body):
        return message
    if message.kind == wire.DATA_ROW:
        return _row_with_long_names(message)
    if message.kind in (wire.ROW_DESCRIPTION, wire.ERROR, wire.NOTICE):
        return Message(message.kind, _lengthened(message.body))
    return message


def _lengthened(value: bytes) -> bytes:
    for short, long in _LONG.items():
        value = value.replace(short, long)
    return value


def _row_with_long_names(message: Message) -> Message:
    body = message.body
    output, at = [body[:2]], 2
    while at < len(body):
        (length,) = struct.unpack_from("!i", body, at)
        value = _lengthened(body[at + 4 : at + 4 + max(length, 0)])
        output += [struct.pack("!i", length if length < 0 else len(value)), value]
        at += 4 + max(length, 0)
    return Message(message.kind, b"".join(output))
