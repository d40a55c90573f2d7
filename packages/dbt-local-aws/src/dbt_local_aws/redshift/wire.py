"""The wire protocol's frames: PostgreSQL's version 3, which Redshift's clients speak."""

import asyncio
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PROTOCOL_3_0 = 196608
CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104

# What a client sends
BIND = b"B"
CLOSE = b"C"
DESCRIBE = b"D"
EXECUTE = b"E"
FLUSH = b"H"
PARSE = b"P"
PASSWORD = b"p"
QUERY = b"Q"
SYNC = b"S"
TERMINATE = b"X"
COPY_DATA = b"d"
COPY_DONE = b"c"
COPY_FAIL = b"f"

# What a server answers
AUTHENTICATION = b"R"
BACKEND_KEY_DATA = b"K"
BIND_COMPLETE = b"2"
CLOSE_COMPLETE = b"3"
COMMAND_COMPLETE = b"C"
COPY_IN_RESPONSE = b"G"
COPY_OUT_RESPONSE = b"H"
DATA_ROW = b"D"
EMPTY_QUERY = b"I"
ERROR = b"E"
NO_DATA = b"n"
NOTICE = b"N"
PARAMETER_DESCRIPTION = b"t"
PARAMETER_STATUS = b"S"
PARSE_COMPLETE = b"1"
PORTAL_SUSPENDED = b"s"
READY_FOR_QUERY = b"Z"
ROW_DESCRIPTION = b"T"

# Transaction status in READY_FOR_QUERY
IDLE = b"I"
IN_TRANSACTION = b"T"
FAILED = b"E"

_MAX_STARTUP = 10_000
_CHUNK_BYTES = 1 << 16
_HEAD = struct.Struct("!cI")


@dataclass(frozen=True, slots=True)
class Message:
    """One frame: its kind, a single byte, and its body."""

    kind: bytes
    body: bytes

    def encode(self) -> bytes:
        """The frame as it goes over the wire."""
        return self.kind + struct.pack("!I", len(self.body) + 4) + self.body


@dataclass(frozen=True, slots=True)
class DataRows:
    """Rows, one after the other, as they came: most of them go to the client untouched."""

    encoded: bytes

    @property
    def kind(self) -> bytes:
        """The kind of each frame."""
        return DATA_ROW

    def encode(self) -> bytes:
        """The frames as they go over the wire."""
        return self.encoded

    def messages(self) -> Iterator[Message]:
        """Each row as a message."""
        at = 0
        while at < len(self.encoded):
            _, length = _HEAD.unpack_from(self.encoded, at)
            yield Message(DATA_ROW, self.encoded[at + 5 : at + 1 + length])
            at += 1 + length

    def values(self) -> Iterator[list[str | None]]:
        """The values of each row, which came as text."""
        return (data_row_values(row.body) for row in self.messages())


class ProtocolError(Exception):
    """The other side does not speak the protocol."""


class FrameReader:
    """Reads the frames of a server's, rows many at a time."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._buffer = bytearray()

    async def read(self) -> Message | DataRows:
        """The next frame, or all rows that have come."""
        while (end := self._end_of_frame(0)) is None:
            chunk = await self._reader.read(_CHUNK_BYTES)
            if not chunk:
                raise asyncio.IncompleteReadError(bytes(self._buffer), None)
            self._buffer += chunk
        kind = bytes(self._buffer[:1])
        if kind != DATA_ROW:
            return Message(kind, self._take(end)[5:])
        while self._buffer[end : end + 1] == DATA_ROW and (next_end := self._end_of_frame(end)) is not None:
            end = next_end
        return DataRows(self._take(end))

    def _end_of_frame(self, at: int) -> int | None:
        """Where the frame that begins here ends; none where it has not come as a whole."""
        if len(self._buffer) < at + 5:
            return None
        _, length = _HEAD.unpack_from(self._buffer, at)
        if length < 4:
            raise ProtocolError(f"a message of {length} bytes")
        end: int = at + 1 + length
        return end if len(self._buffer) >= end else None

    def _take(self, end: int) -> bytes:
        taken = bytes(self._buffer[:end])
        del self._buffer[:end]
        return taken


async def read_message(reader: asyncio.StreamReader) -> Message:
    """Reads one frame."""
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!I", head[1:])
    if length < 4:
        raise ProtocolError(f"a message of {length} bytes")
    return Message(head[:1], await reader.readexactly(length - 4))


async def read_startup(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Reads a start-up packet, which has no kind: gives its code and the rest of its body."""
    (length,) = struct.unpack("!I", await reader.readexactly(4))
    if not 8 <= length <= _MAX_STARTUP:
        raise ProtocolError(f"a start-up packet of {length} bytes")
    body = await reader.readexactly(length - 4)
    (code,) = struct.unpack("!I", body[:4])
    return code, body[4:]


def startup_packet(parameters: Mapping[str, str]) -> bytes:
    """A start-up packet with these parameters."""
    body = struct.pack("!I", PROTOCOL_3_0)
    body += b"".join(cstring(name) + cstring(value) for name, value in parameters.items()) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def startup_parameters(body: bytes) -> dict[str, str]:
    """The parameters of a start-up packet's body."""
    fields = [field.decode() for field in body.rstrip(b"\0").split(b"\0")]
    return dict(zip(fields[::2], fields[1::2], strict=False))


def cstring(text: str) -> bytes:
    """A text with the zero byte that ends it on the wire."""
    return text.encode() + b"\0"


def take_cstring(body: bytes, start: int = 0) -> tuple[str, int]:
    """The text that begins at `start`, and where what follows it begins."""
    end = body.index(b"\0", start)
    return body[start:end].decode(), end + 1


def fields_message(kind: bytes, fields: Mapping[str, str]) -> Message:
    """An error or a notice with these fields (S severity, C SQLSTATE, M message, D detail, H hint)."""
    body = b"".join(name.encode() + cstring(value) for name, value in fields.items() if value)
    return Message(kind, body + b"\0")


def error_message(sqlstate: str, message: str, *, severity: str = "ERROR", detail: str = "", hint: str = "") -> Message:
    """An error of the server's."""
    return fields_message(ERROR, {"S": severity, "V": severity, "C": sqlstate, "M": message, "D": detail, "H": hint})


def message_fields(body: bytes) -> dict[str, str]:
    """The fields of an error or a notice."""
    return {field[:1].decode(): field[1:].decode() for field in body.split(b"\0") if field}


def ready(status: bytes) -> Message:
    """The sign that the server waits for the next statement."""
    return Message(READY_FOR_QUERY, status)


def command_complete(tag: str) -> Message:
    """The sign that a statement is done."""
    return Message(COMMAND_COMPLETE, cstring(tag))


def data_row_values(body: bytes) -> list[str | None]:
    """The values of a row that came as text."""
    (count,) = struct.unpack_from("!H", body)
    values: list[str | None] = []
    at = 2
    for _ in range(count):
        (length,) = struct.unpack_from("!i", body, at)
        at += 4
        if length < 0:
            values.append(None)
        else:
            values.append(body[at : at + length].decode())
            at += length
    return values


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a result."""

    name: str
    head: bytes  # table and position in it, untouched
    type_oid: int
    size: int
    modifier: int
    format: int

    def encode(self) -> bytes:
        """The column as it stands in a row description."""
        return (
            cstring(self.name) + self.head + struct.pack("!IhiH", self.type_oid, self.size, self.modifier, self.format)
        )


def row_fields(body: bytes) -> list[Field]:
    """The columns of a row description."""
    (count,) = struct.unpack_from("!H", body)
    fields = []
    at = 2
    for _ in range(count):
        name, at = take_cstring(body, at)
        fields.append(Field(name, body[at : at + 6], *struct.unpack_from("!IhiH", body, at + 6)))
        at += 18
    return fields


def row_description(fields: list[Field]) -> Message:
    """A row description with these columns."""
    return Message(ROW_DESCRIPTION, struct.pack("!H", len(fields)) + b"".join(field.encode() for field in fields))
