"""One client's session: its statements are translated, run by PostgreSQL, and answered as Redshift would."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from dbt_local_aws.redshift import history, wire
from dbt_local_aws.redshift.answers import as_redshift
from dbt_local_aws.redshift.backend import Answer, Backend, BackendError, BackendGoneError
from dbt_local_aws.redshift.cancelling import Cancellation
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.decimals.analysis import NO_PARAMETERS
from dbt_local_aws.redshift.errors import INTERNAL_ERROR, RedshiftError
from dbt_local_aws.redshift.isolation.aside import Aside
from dbt_local_aws.redshift.isolation.graph import Graph
from dbt_local_aws.redshift.isolation.kinds import is_counted, rolls_back
from dbt_local_aws.redshift.isolation.serializing import Serializing
from dbt_local_aws.redshift.isolation.snapshots import Snapshots
from dbt_local_aws.redshift.long_names import rows_with_long_names
from dbt_local_aws.redshift.performing import Performer
from dbt_local_aws.redshift.statements import settings
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.plans import Forward, Plan
from dbt_local_aws.redshift.tokens import Token, statements, tokenize
from dbt_local_aws.redshift.translating import Places, Translator
from dbt_local_aws.redshift.wire import Message

_TRANSACTION_CONTROL = {"begin", "start", "commit", "end", "rollback", "abort", "vacuum"}


@dataclass(frozen=True)
class Client:
    """Who is at the other end, as whom and where."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    user: str
    database: str
    application: str = ""  # the program, as it names itself


@dataclass(frozen=True)
class Shared:
    """What the sessions of a server have in common."""

    queries: history.QueryHistory = field(default_factory=history.QueryHistory)
    transactions: Graph = field(default_factory=Graph)


@dataclass
class Prepared:
    """A statement of the extended protocol."""

    tokens: list[Token]
    head: bytes  # its name, as Parse has it
    tail: bytes  # the types of its parameters, as Parse has them
    plan: Plan
    backend: Backend  # where PostgreSQL has prepared it


class Session:
    """Speaks with one client from its first statement to its last."""

    def __init__(
        self,
        aside: Aside,
        client: Client,
        load_environment: LoadEnvironment,
        cancellation: Cancellation,
        shared: Shared,
    ) -> None:
        self._queries = shared.queries
        self._backend = backend = aside.main
        self._aside = aside
        self._serializing = Serializing(aside, shared.transactions, client.database)
        self._snapshots = Snapshots(aside, self._serializing)
        self._translator = Translator(shared.queries)
        self._client = client
        self._cancellation = cancellation
        self._performer = Performer(backend, load_environment, cancellation)
        self._case_sensitive_names = False
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Prepared] = {}
        self._executed: list[Token] = []  # the latest statement
        self._was_aside = False  # the second connection wants the client's next Sync, too
        self._is_alone = False  # the transaction is that of one statement, which commits by itself
        self._failed = False  # what follows is skipped until the client sends Sync
        backend.on_notice = self._send

    async def run(self) -> None:
        """Answers the client until it leaves, or PostgreSQL does."""
        # ALTER USER … SET may have said so
        said = await self._backend.query(
            "select redshift_internal.parameter('enable_case_sensitive_identifier'), "
            "redshift_internal.isolation_level(current_database()) = 'Serializable'"
        )
        self._case_sensitive_names = settings.is_true(said.rows[0][0] or "")
        self._snapshots.is_serializable = said.rows[0][1] == "t"
        try:
            await self._answer_all()
        finally:
            self._serializing.settle(committed=False)

    async def _answer_all(self) -> None:
        while (message := await wire.read_message(self._client.reader)).kind != wire.TERMINATE:
            async with self._cancellation.message():
                try:
                    await self._answer(message)
                except BackendGoneError as gone:
                    self._send(gone.message)
                    return
                finally:
                    if message.kind in (wire.QUERY, wire.SYNC):
                        self._cancellation.forget()
                await self._client.writer.drain()

    async def _answer(self, message: Message) -> None:
        handlers = {
            wire.PARSE: self._parse,
            wire.BIND: self._bind,
            wire.DESCRIBE: self._describe,
            wire.EXECUTE: self._execute,
            wire.CLOSE: self._close,
        }
        if message.kind == wire.QUERY:
            await self._simple_query(message)
        elif message.kind == wire.SYNC:
            await self._sync()
        elif message.kind == wire.FLUSH:
            pass  # answers do not wait here
        elif message.kind not in handlers:
            raise wire.ProtocolError(f"unexpected message {message.kind!r}")
        elif not self._failed:
            try:
                await handlers[message.kind](message)
            except RedshiftError as error:
                self._fail(await self._backend.fail(error))
            except BackendError as error:
                self._fail(error)

    def _send(self, answer: Answer) -> None:
        if isinstance(answer, Message):
            answer = as_redshift(answer, self._backend.process_id)
        else:
            answer = rows_with_long_names(answer)
        self._client.writer.write(answer.encode())

    async def _pass(self, answers: AsyncIterator[Answer], backend: Backend, *, ready: bool) -> None:
        """Sends the client what PostgreSQL answers, as fast as it reads; raises where that is an error."""
        error: Message | None = None
        async for answer in answers:
            if answer.kind == wire.ERROR and isinstance(answer, Message):
                error = answer
            elif ready or answer.kind != wire.READY_FOR_QUERY:
                self._send(answer)
                await self._client.writer.drain()
        if error is not None:
            raise self._failure(BackendError(error), backend)

    def _failure(self, error: BackendError, backend: Backend) -> BackendError | RedshiftError:
        """What a connection has said is wrong: the transaction, which is on the session's own, fails as well."""
        if backend is self._backend:
            return error
        fields = (error.fields.get(name, "") for name in "MDH")
        return RedshiftError(error.fields.get("C", INTERNAL_ERROR), *fields)

    def _asked(self, error: BackendError, backend: Backend) -> BackendError | RedshiftError:
        """The same where the endpoint has asked for names: a transaction that goes on was not what has failed."""
        went_on = self._backend.status == wire.IN_TRANSACTION
        return self._failure(error, self._aside.backend if went_on and self._aside.backend else backend)

    def _fail(self, error: BackendError) -> None:
        self._send(error.message)
        self._failed = True

    # The simple protocol ----------------------------------------------------------------------------------------------

    async def _simple_query(self, message: Message) -> None:
        text, _ = wire.take_cstring(message.body)
        together = False
        try:
            parts = statements(tokenize(text))
            if not parts:
                self._send(Message(wire.EMPTY_QUERY, b""))
            together = self._is_one_transaction(parts)
            if together and self._backend.status == wire.IDLE:
                await self._snapshots.begin()
            for part in parts:
                await self._answer_simply(part)
            if together and self._backend.status == wire.IN_TRANSACTION:
                self._cancellation.check()
                await self._commit()
        except RedshiftError as error:
            self._send((await self._backend.fail(error)).message)
            await self._end_failed(together=together)
        except BackendError as error:
            self._send(error.message)
            await self._end_failed(together=together)
        self._send(wire.ready(self._backend.status))

    def _is_one_transaction(self, parts: list[list[Token]]) -> bool:
        """Several statements in one string are one transaction, unless they say otherwise."""
        if self._backend.status != wire.IDLE or any(part[0].word in _TRANSACTION_CONTROL for part in parts):
            return False
        return len(parts) > 1 or (len(parts) == 1 and self._is_transaction(parts[0]))

    def _is_transaction(self, tokens: list[Token]) -> bool:
        """Whether a statement that commits by itself has to have an order among the others."""
        return self._snapshots.is_serializable and self._backend.status == wire.IDLE and is_counted(tokens)

    async def _answer_simply(self, tokens: list[Token]) -> None:
        with self._written_down(tokens):
            places = await self._places(tokens)
            plan = await self._translate(tokens, places)
            if isinstance(plan, Forward) and self._snapshots.is_watched(tokens, places):
                await places.runs.columns_of(plan.sql)  # PostgreSQL locks what it analyses
            if not rolls_back(tokens):
                await self._serializing.check()
            await self._run_simply(plan, places.runs)
            self._settle(tokens)

    async def _commit(self) -> None:
        """Commits a transaction that the client has not begun."""
        await self._serializing.check()
        await self._backend.query("commit")
        self._serializing.settle(committed=True)

    def _settle(self, tokens: list[Token]) -> None:
        """The transaction may have ended with a statement."""
        if self._backend.status != wire.IN_TRANSACTION:
            committed = self._backend.status == wire.IDLE and not rolls_back(tokens)
            self._serializing.settle(committed=committed)

    async def _end_failed(self, *, together: bool) -> None:
        self._serializing.settle(committed=False)
        if together and self._backend.status == wire.FAILED:
            await self._backend.roll_back()

    async def _run_simply(self, plan: Plan, backend: Backend) -> None:
        self._cancellation.check()
        if isinstance(plan, Forward):
            await self._pass(backend.simple_query(plan.sql), backend, ready=False)
            self._note(plan)
        else:
            await self._performer.perform(plan, self._send)

    # The extended protocol --------------------------------------------------------------------------------------------

    async def _parse(self, message: Message) -> None:
        name, at = wire.take_cstring(message.body)
        text, tail = wire.take_cstring(message.body, at)
        parts = statements(tokenize(text))
        if len(parts) > 1:
            raise RedshiftError("42601", "cannot insert multiple commands into a prepared statement")
        tokens = parts[0] if parts else []
        types = message.body[tail:]
        await self._begin_alone(tokens)
        places = await self._places(tokens)
        plan = await self._translate(tokens, places, types)
        prepared = Prepared(tokens, wire.cstring(name), types, plan, places.runs)
        if isinstance(prepared.plan, Forward):
            await self._pass_on(_parse_message(prepared, prepared.plan), places.runs)
        else:
            self._send(Message(wire.PARSE_COMPLETE, b""))
        self._prepared[name] = prepared

    async def _bind(self, message: Message) -> None:
        portal, at = wire.take_cstring(message.body)
        name, _ = wire.take_cstring(message.body, at)
        prepared = self._prepared.get(name)
        if prepared is None:
            raise RedshiftError("26000", f'prepared statement "{name}" does not exist')
        if isinstance(prepared.plan, Forward):
            begins = await self._begin_alone(prepared.tokens)
            if name or begins:  # a statement without a name has just been prepared
                places = await self._places(prepared.tokens)
                if prepared.plan.late_bound or begins or places.runs is not prepared.backend:
                    await self._prepare_again(prepared, places)
            await self._pass_on(message, prepared.backend)
        else:
            self._send(Message(wire.BIND_COMPLETE, b""))
        self._portals[portal] = prepared

    async def _begin_alone(self, tokens: list[Token]) -> bool:
        """Begins the transaction of a statement that commits by itself, and has to have an order among the others."""
        if not self._is_transaction(tokens):
            return False
        await self._snapshots.begin()
        self._is_alone = True
        return True

    async def _end_alone(self) -> None:
        """Commits the transaction of a statement that commits by itself."""
        self._is_alone = False
        try:
            if self._backend.status == wire.IN_TRANSACTION:
                await self._commit()
        except RedshiftError as error:
            self._send((await self._backend.fail(error)).message)
        except BackendError as error:
            self._send(error.message)
        await self._end_failed(together=True)

    async def _prepare_again(self, prepared: Prepared, places: Places) -> None:
        """A late-binding view may have another definition, or other tables, since the statement was prepared."""
        plan = await self._translate(prepared.tokens, places, prepared.tail)
        if not isinstance(plan, Forward):
            raise TypeError("a query has become something else")
        prepared.plan, prepared.backend = plan, places.runs
        for message in (Message(wire.CLOSE, b"S" + prepared.head), _parse_message(prepared, plan)):
            async for answer in places.runs.exchange(message):
                if answer.kind == wire.ERROR and isinstance(answer, Message):
                    raise self._failure(BackendError(answer), places.runs)

    async def _describe(self, message: Message) -> None:
        kind = message.body[:1]
        name, _ = wire.take_cstring(message.body, 1)
        prepared = (self._prepared if kind == b"S" else self._portals).get(name)
        if prepared is not None and not isinstance(prepared.plan, Forward):
            if kind == b"S":
                self._send(Message(wire.PARAMETER_DESCRIPTION, struct.pack("!H", 0)))
            self._send(Message(wire.NO_DATA, b""))
        else:
            await self._pass_on(message, self._backend if prepared is None else prepared.backend)

    async def _execute(self, message: Message) -> None:
        portal, _ = wire.take_cstring(message.body)
        prepared = self._portals.get(portal)
        self._executed = prepared.tokens if prepared is not None else []
        with self._written_down(self._executed):
            if not rolls_back(self._executed):
                await self._serializing.check()
            await self._execute_portal(message, prepared)

    async def _execute_portal(self, message: Message, prepared: Prepared | None) -> None:
        self._cancellation.check()
        if prepared is None or isinstance(prepared.plan, Forward):
            await self._pass_on(message, self._backend if prepared is None else prepared.backend)
            if prepared is not None and isinstance(prepared.plan, Forward):
                self._note(prepared.plan)
        else:
            await self._performer.perform(prepared.plan, self._send)

    async def _close(self, message: Message) -> None:
        known = self._prepared if message.body[:1] == b"S" else self._portals
        known.pop(wire.take_cstring(message.body, 1)[0], None)
        await self._tell_aside(message)
        await self._pass_on(message, self._backend)

    async def _sync(self) -> None:
        self._failed = False
        if self._was_aside:
            await self._tell_aside(Message(wire.SYNC, b""))
            self._was_aside = False
        await self._pass(self._backend.exchange(Message(wire.SYNC, b"")), self._backend, ready=False)
        if self._is_alone:
            await self._end_alone()
        else:
            self._settle(self._executed)
        self._send(wire.ready(self._backend.status))

    async def _tell_aside(self, message: Message) -> None:
        """What is for both connections is answered by the session's own."""
        if self._aside.backend is not None:
            async for _ in self._aside.backend.exchange(message):
                pass

    async def _pass_on(self, message: Message, backend: Backend) -> None:
        """Lets PostgreSQL answer."""
        await self._pass(backend.exchange(message), backend, ready=True)

    def _written_down(self, tokens: list[Token]) -> AbstractContextManager[None]:
        return self._queries.running(tokens, self._client.user, self._client.database, self._backend.process_id)

    # What both have in common -----------------------------------------------------------------------------------------

    async def _places(self, tokens: list[Token]) -> Places:
        """Where a statement runs; when this returns, its transaction may take its snapshot."""
        try:
            places = await self._snapshots.places(tokens)
        except BackendError as error:
            raise self._asked(error, self._backend) from error
        self._was_aside = self._was_aside or places.runs is not self._backend
        await self._snapshots.prepare(tokens, places, case_sensitive_names=self._case_sensitive_names)
        return places

    async def _translate(self, tokens: list[Token], places: Places, parameter_types: bytes = NO_PARAMETERS) -> Plan:
        context = Context(self._client.database, self._case_sensitive_names, self._client.application)
        try:
            return await self._translator.translate(tokens, context, places, parameter_types)
        except BackendError as error:
            raise self._asked(error, places.runs) from error

    def _note(self, plan: Forward) -> None:
        if plan.case_sensitive_names is not None:
            self._case_sensitive_names = plan.case_sensitive_names


def _parse_message(prepared: Prepared, plan: Forward) -> Message:
    return Message(wire.PARSE, prepared.head + wire.cstring(plan.sql) + prepared.tail)
