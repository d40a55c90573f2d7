"""A connection to the endpoint itself, as any other client has one: what is said on it is translated like anyone's."""

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.wire import Message

_CLEARTEXT_PASSWORD = 3
_CONNECT_SECONDS = 30


class StatementError(Exception):
    """A statement, or a login, that failed."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.sqlstate = fields.get("C", "")
        said = [f"{fields.get('S', 'ERROR')}: {fields.get('M', '')}"]
        said += [f"{label}: {fields[key]}" for key, label in (("D", "Detail"), ("H", "Hint")) if fields.get(key)]
        super().__init__("\n  ".join(said))


@dataclass
class Outcome:
    """What a statement gave."""

    fields: list[wire.Field] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    tag: str = ""
    has_result: bool = False


class Connection:
    """One connection, used by one thread at a time; another one may cancel what runs on it."""

    def __init__(self, port: int, user: str, password: str, database: str) -> None:
        """Connects and logs in."""
        self._port = port
        self._socket = socket.create_connection(("127.0.0.1", port), _CONNECT_SECONDS)
        self._socket.settimeout(None)
        self._stream = cast("BinaryIO", self._socket.makefile("rwb"))
        self._key = b""
        try:
            self._log_in(user, password, database)
        except BaseException:
            self.close()
            raise

    @property
    def process_id(self) -> int:
        """The number of the process that runs its statements."""
        return int.from_bytes(self._key[:4])

    def execute(self, sql: str, parameters: Sequence[str] = ()) -> Outcome:
        """Runs a statement, whose parameters are texts; raises StatementError."""
        count = struct.pack("!H", len(parameters))
        values = b"".join(struct.pack("!I", len(value.encode())) + value.encode() for value in parameters)
        self._send(
            Message(wire.PARSE, b"\0" + wire.cstring(sql) + b"\0\0"),
            Message(wire.BIND, b"\0\0\0\0" + count + values + b"\0\0"),
            Message(wire.DESCRIBE, b"P\0"),
            Message(wire.EXECUTE, b"\0" + struct.pack("!I", 0)),
            Message(wire.SYNC, b""),
        )
        outcome = Outcome()
        error: StatementError | None = None
        while (message := self._read()).kind != wire.READY_FOR_QUERY:
            match message.kind:
                case wire.ROW_DESCRIPTION:
                    outcome.fields, outcome.has_result = wire.row_fields(message.body), True
                case wire.DATA_ROW:
                    outcome.rows.append(wire.data_row_values(message.body))
                case wire.COMMAND_COMPLETE:
                    outcome.tag, _ = wire.take_cstring(message.body)
                case wire.ERROR:
                    error = StatementError(wire.message_fields(message.body))
        if error is not None:
            raise error
        return outcome

    def cancel(self) -> None:
        """Asks that what runs be ended."""
        with socket.create_connection(("127.0.0.1", self._port), _CONNECT_SECONDS) as other:
            other.sendall(struct.pack("!II", len(self._key) + 8, wire.CANCEL_REQUEST) + self._key)
            other.recv(1)

    def close(self) -> None:
        """Ends it."""
        self._stream.close()
        self._socket.close()

    def _log_in(self, user: str, password: str, database: str) -> None:
        parameters = {"user": user, "database": database, "application_name": "RedshiftDataAPI"}
        self._stream.write(wire.startup_packet(parameters))
        self._stream.flush()
        while (message := self._read()).kind != wire.READY_FOR_QUERY:
            if message.kind == wire.ERROR:
                raise StatementError(wire.message_fields(message.body))
            if message.kind == wire.BACKEND_KEY_DATA:
                self._key = message.body
            if message.kind == wire.AUTHENTICATION and int.from_bytes(message.body[:4]) == _CLEARTEXT_PASSWORD:
                self._send(Message(wire.PASSWORD, wire.cstring(password)))

    def _send(self, *messages: Message) -> None:
        self._stream.write(b"".join(message.encode() for message in messages))
        self._stream.flush()

    def _read(self) -> Message:
        head = self._stream.read(5)
        if len(head) < 5:
            raise StatementError({"S": "FATAL", "C": "57P01", "M": "the connection has ended"})
        (length,) = struct.unpack("!I", head[1:])
        return Message(head[:1], self._stream.read(length - 4))
