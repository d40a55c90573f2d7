"""A connection to the PostgreSQL server: the endpoint's own questions, and those that it passes on."""

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.errors import RedshiftError
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.wire import Message

Row = list[str | None]


class BackendError(Exception):
    """PostgreSQL answered with an error."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.fields = wire.message_fields(message.body)
        super().__init__(self.fields.get("M", ""))


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
        self._reader = reader
        self._writer = writer
        self.status = wire.IDLE
        self.greeting: list[Message] = []
        self.on_notice: Callable[[Message], None] = lambda _: None

    @classmethod
    async def connect(cls, socket: Path, **parameters: str) -> Self:
        """Connects as `user` to `database`; raises BackendError where PostgreSQL refuses."""
        backend = cls(*await asyncio.open_unix_connection(str(socket)))
        backend._writer.write(wire.startup_packet(parameters))
        while True:
            message = await backend._read()
            if message.kind == wire.ERROR:
                await backend.close()
                raise BackendError(message)
            if message.kind == wire.READY_FOR_QUERY:
                return backend
            backend.greeting.append(message)

    async def close(self) -> None:
        """Ends the connection."""
        if not self._writer.is_closing():
            self._writer.write(Message(wire.TERMINATE, b"").encode())
            self._writer.close()

    async def _read(self) -> Message:
        message = await wire.read_message(self._reader)
        if message.kind == wire.READY_FOR_QUERY:
            self.status = message.body
        return message

    async def exchange(self, message: Message) -> AsyncIterator[Message]:
        """Sends one message of the extended protocol and gives the answers to it; an error is the last of them."""
        self._writer.write(message.encode())
        if message.kind != wire.SYNC:
            self._writer.write(Message(wire.FLUSH, b"").encode())
        last = _LAST_ANSWER[message.kind]
        while True:
            answer = await self._read()
            yield answer
            if answer.kind in last or (answer.kind == wire.ERROR and message.kind != wire.SYNC):
                return

    async def simple_query(self, sql: str) -> AsyncIterator[Message]:
        """Sends a query string and gives the answers to it; the sign of readiness is the last of them."""
        self._writer.write(Message(wire.QUERY, wire.cstring(sql)).encode())
        while True:
            answer = await self._read()
            yield answer
            if answer.kind == wire.READY_FOR_QUERY:
                return

    async def query(self, sql: str) -> Result:
        """Runs one statement on the endpoint's own account."""
        rows: list[Row] = []
        tag = ""
        error: Message | None = None
        async for answer in self.simple_query(sql):
            if answer.kind == wire.DATA_ROW:
                rows.append(wire.data_row_values(answer.body))
            elif answer.kind == wire.COMMAND_COMPLETE:
                tag, _ = wire.take_cstring(answer.body)
            elif answer.kind == wire.ERROR:
                error = answer
            elif answer.kind == wire.NOTICE:
                self.on_notice(answer)
        if error is not None:
            raise BackendError(error)
        return Result(rows, tag)

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
                if answer.kind == wire.ERROR:
                    error = answer
                elif answer.kind == wire.ROW_DESCRIPTION:
                    fields = wire.row_fields(answer.body)
        if error is not None:
            raise BackendError(error)
        return fields

    async def copy_in(self, statement: str, chunks: AsyncIterator[bytes]) -> Result:
        """Runs a COPY … FROM STDIN with this data. Where the data ends with an error, nothing is copied."""
        self._writer.write(Message(wire.QUERY, wire.cstring(statement)).encode())
        tag = ""
        error: Message | None = None
        broken: Exception | None = None
        answer = await self._read()
        while answer.kind != wire.READY_FOR_QUERY:
            if answer.kind == wire.COPY_IN_RESPONSE:
                answer, broken = await self._feed(chunks)
                continue
            if answer.kind == wire.COMMAND_COMPLETE:
                tag, _ = wire.take_cstring(answer.body)
            elif answer.kind == wire.ERROR:
                error = answer
            answer = await self._read()
        if broken is not None:
            raise broken
        if error is not None:
            raise BackendError(error)
        return Result([], tag)

    async def _feed(self, chunks: AsyncIterator[bytes]) -> tuple[Message, Exception | None]:
        """Sends data until it ends, or until PostgreSQL answers: before the end, it does so with an error only."""
        answer = asyncio.ensure_future(self._read())
        broken: Exception | None = None
        try:
            async for chunk in chunks:
                if answer.done():
                    return await answer, None
                self._writer.write(Message(wire.COPY_DATA, chunk).encode())
                await self._writer.drain()
            self._writer.write(Message(wire.COPY_DONE, b"").encode())
        except asyncio.CancelledError:
            answer.cancel()
            raise
        except Exception as error:
            broken = error
            self._writer.write(Message(wire.COPY_FAIL, wire.cstring("the data cannot be read")).encode())
        return await answer, broken

    async def copy_out(self, statement: str) -> AsyncGenerator[bytes, None]:
        """Runs a COPY … TO STDOUT; gives its lines."""
        self._writer.write(Message(wire.QUERY, wire.cstring(statement)).encode())
        error: Message | None = None
        answer = await self._read()
        try:
            while answer.kind != wire.READY_FOR_QUERY:
                if answer.kind == wire.COPY_DATA:
                    yield answer.body
                elif answer.kind == wire.ERROR:
                    error = answer
                answer = await self._read()
        finally:
            while answer.kind != wire.READY_FOR_QUERY:  # whoever read it stopped before its end
                answer = await self._read()
        if error is not None:
            raise BackendError(error)
