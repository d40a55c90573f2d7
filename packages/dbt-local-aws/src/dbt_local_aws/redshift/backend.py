"""A connection to the PostgreSQL server: the endpoint's own questions, and those that it passes on."""

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.errors import QUERY_CANCELED, RedshiftError
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.wire import DataRows, FrameReader, Message

Row = list[str | None]
Answer = Message | DataRows
_LAST_WORDS = ("FATAL", "PANIC")


class BackendError(Exception):
    """PostgreSQL answered with an error."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.fields = wire.message_fields(message.body)
        super().__init__(self.fields.get("M", ""))


class BackendGoneError(Exception):
    """PostgreSQL has ended the connection, and said why."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(wire.message_fields(message.body).get("M", ""))


def said(error: RedshiftError) -> BackendError:
    """An error as PostgreSQL would say it, of a transaction that has failed already."""
    return BackendError(wire.error_message(error.sqlstate, error.message, detail=error.detail, hint=error.hint))


@dataclass
class Result:
    """What a statement gave: rows of text, and its command tag."""

    rows: list[Row]
    tag: str


# What ends PostgreSQL's answer to one message of the extended protocol
_LAST_ANSWER = {
    wire.PARSE: (wire.PARSE_COMPLETE,),
    wire.BIND: (wire.BIND_COMPLETE,),
    wire.DESCRIBE: (wire.ROW_DESCRIPTION, wire.NO_DATA),
    wire.EXECUTE: (wire.COMMAND_COMPLETE, wire.EMPTY_QUERY, wire.PORTAL_SUSPENDED),
    wire.CLOSE: (wire.CLOSE_COMPLETE,),
    wire.SYNC: (wire.READY_FOR_QUERY,),
}


class Backend:
    """One connection to PostgreSQL, used by one session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._frames = FrameReader(reader)
        self._writer = writer
        self.status = wire.IDLE
        self.is_busy = False  # it was asked something, and has not answered to the end
        self.greeting: list[Message] = []
        self.key = b""  # its process, and the secret by which it is asked to cancel
        self.on_notice: Callable[[Message], None] = lambda _: None

    @classmethod
    async def connect(cls, socket: Path, **parameters: str) -> Self:
        """Connects as `user` to `database`; raises BackendError where PostgreSQL refuses."""
        backend = cls(*await asyncio.open_unix_connection(str(socket)))
        backend._writer.write(wire.startup_packet(parameters))
        try:
            while True:
                message = await backend._read()
                if message.kind == wire.READY_FOR_QUERY:
                    return backend
                if message.kind == wire.BACKEND_KEY_DATA and isinstance(message, Message):
                    backend.key = message.body
                if isinstance(message, Message):
                    backend.greeting.append(message)
        except BackendGoneError as gone:
            await backend.close()
            raise BackendError(gone.message) from gone

    @property
    def process_id(self) -> int:
        """The number of PostgreSQL's process, by which the catalogue knows the session."""
        return int.from_bytes(self.key[:4])

    async def close(self) -> None:
        """Ends the connection."""
        if not self._writer.is_closing():
            self._writer.write(Message(wire.TERMINATE, b"").encode())
            self._writer.close()

    def _ask(self, *messages: Message) -> None:
        self.is_busy = True
        self._writer.write(b"".join(message.encode() for message in messages))

    async def _read(self) -> Answer:
        answer = await self._frames.read()
        if isinstance(answer, Message):
            if answer.kind == wire.READY_FOR_QUERY:
                self.status = answer.body
            elif answer.kind == wire.ERROR and wire.message_fields(answer.body).get("V") in _LAST_WORDS:
                raise BackendGoneError(answer)
        return answer

    async def exchange(self, message: Message) -> AsyncIterator[Answer]:
        """Sends one message of the extended protocol and gives the answers to it; an error is the last of them."""
        flush = () if message.kind == wire.SYNC else (Message(wire.FLUSH, b""),)
        self._ask(message, *flush)
        last = _LAST_ANSWER[message.kind]
        while True:
            answer = await self._read()
            if answer.kind in last or (answer.kind == wire.ERROR and message.kind != wire.SYNC):
                self.is_busy = False
                yield answer
                return
            yield answer

    async def simple_query(self, sql: str) -> AsyncIterator[Answer]:
        """Sends a query string and gives the answers to it; the sign of readiness is the last of them."""
        self._ask(Message(wire.QUERY, wire.cstring(sql)))
        while True:
            answer = await self._read()
            if answer.kind == wire.READY_FOR_QUERY:
                self.is_busy = False
                yield answer
                return
            yield answer

    async def script(self, steps: Sequence[str]) -> list[str]:
        """Runs several statements as one string, which is all of them or none; gives their command tags.

        Nothing happens between them that PostgreSQL does not see: a request to cancel ends them all.
        """
        tags: list[str] = []
        error: Message | None = None
        async for answer in self.simple_query(";\n".join(steps)):
            if not isinstance(answer, Message):
                continue
            if answer.kind == wire.COMMAND_COMPLETE:
                tags.append(wire.take_cstring(answer.body)[0])
            elif answer.kind == wire.ERROR:
                error = answer
            elif answer.kind == wire.NOTICE:
                self.on_notice(answer)
        if error is not None:
            raise BackendError(error)
        return tags

    async def query(self, sql: str) -> Result:
        """Runs one statement on the endpoint's own account."""
        rows: list[Row] = []
        tag = ""
        error: Message | None = None
        async for answer in self.simple_query(sql):
            if isinstance(answer, DataRows):
                rows += answer.values()
            elif answer.kind == wire.COMMAND_COMPLETE:
                tag, _ = wire.take_cstring(answer.body)
            elif answer.kind == wire.ERROR:
                error = answer
            elif answer.kind == wire.NOTICE:
                self.on_notice(answer)
        if error is not None:
            raise BackendError(error)
        return Result(rows, tag)

    async def roll_back(self) -> None:
        """Ends the transaction, also where a request to cancel, which came late, meets this."""
        while self.status != wire.IDLE:
            try:
                await self.query("rollback")
            except BackendError as error:
                if error.fields.get("C") != QUERY_CANCELED:
                    raise

    async def fail(self, error: RedshiftError) -> BackendError:
        """Makes PostgreSQL raise an error that was found outside it, so that the transaction fails as well."""
        arguments = ", ".join(literal(text) for text in (error.sqlstate, error.message, error.detail, error.hint))
        try:
            await self.query(f"select redshift_internal.fail({arguments})")
        except BackendError as failure:
            return failure
        raise AssertionError("redshift_internal.fail() did not fail")

    async def columns_of(self, sql: str) -> list[wire.Field]:
        """The columns that a query would give, without running it."""
        parse = Message(wire.PARSE, b"\0" + wire.cstring(sql) + struct.pack("!H", 0))
        fields: list[wire.Field] = []
        error: Message | None = None
        for message in (parse, Message(wire.DESCRIBE, b"S\0"), Message(wire.SYNC, b"")):
            if error is not None and message.kind != wire.SYNC:
                continue
            async for answer in self.exchange(message):
                if isinstance(answer, DataRows):
                    continue
                if answer.kind == wire.ERROR:
                    error = answer
                elif answer.kind == wire.ROW_DESCRIPTION:
                    fields = wire.row_fields(answer.body)
        if error is not None:
            raise BackendError(error)
        return fields

    async def copy_in(self, statement: str, chunks: AsyncIterator[bytes]) -> Result:
        """Runs a COPY … FROM STDIN with this data, as it comes; where it fails, so does the COPY."""
        self._ask(Message(wire.QUERY, wire.cstring(statement)))
        tag = ""
        error: Message | None = None
        failure: RedshiftError | None = None
        while True:
            answer = await self._read()
            if isinstance(answer, DataRows):
                continue
            if answer.kind == wire.COPY_IN_RESPONSE:
                try:
                    async for chunk in chunks:
                        self._writer.write(Message(wire.COPY_DATA, chunk).encode())
                        await self._writer.drain()
                    self._writer.write(Message(wire.COPY_DONE, b"").encode())
                except RedshiftError as raised:
                    failure = raised
                    self._writer.write(Message(wire.COPY_FAIL, wire.cstring("the data has ended early")).encode())
            elif answer.kind == wire.COMMAND_COMPLETE:
                tag, _ = wire.take_cstring(answer.body)
            elif answer.kind == wire.ERROR:
                error = answer
            elif answer.kind == wire.READY_FOR_QUERY:
                self.is_busy = False
                if failure is not None:
                    raise failure
                if error is not None:
                    raise BackendError(error)
                return Result([], tag)

    async def copy_out(self, statement: str) -> AsyncGenerator[bytes, None]:
        """Runs a COPY … TO STDOUT; gives its lines. It goes on to its end where who reads them stops before."""
        self._ask(Message(wire.QUERY, wire.cstring(statement)))
        error: Message | None = None
        try:
            while (answer := await self._read()).kind != wire.READY_FOR_QUERY:
                if isinstance(answer, Message) and answer.kind == wire.COPY_DATA:
                    yield answer.body
                elif isinstance(answer, Message) and answer.kind == wire.ERROR:
                    error = answer
            self.is_busy = False
        finally:
            while self.is_busy:
                self.is_busy = (await self._read()).kind != wire.READY_FOR_QUERY
        if error is not None:
            raise BackendError(error)
