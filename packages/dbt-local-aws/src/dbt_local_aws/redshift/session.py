"""One client's session: its statements are translated, run by PostgreSQL, and answered as Redshift would."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import count
from typing import TypeVar

from dbt_local_aws.redshift import history, wire
from dbt_local_aws.redshift.answers import as_redshift
from dbt_local_aws.redshift.backend import Answer, Backend, BackendError, BackendGoneError
from dbt_local_aws.redshift.cancelling import Cancellation
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.decimals.analysis import NO_PARAMETERS
from dbt_local_aws.redshift.decimals.refine import DecimalTypes
from dbt_local_aws.redshift.errors import QUERY_CANCELED, RedshiftError
from dbt_local_aws.redshift.features.columns import ColumnsWanted
from dbt_local_aws.redshift.long_names import rows_with_long_names
from dbt_local_aws.redshift.performing import Performer
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.statements import settings
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.late_binding import LateView, LateViews
from dbt_local_aws.redshift.statements.plans import Forward, Plan
from dbt_local_aws.redshift.statements.queries import query_of_view
from dbt_local_aws.redshift.statements.translation import translate
from dbt_local_aws.redshift.statements.write_locks import write_lock
from dbt_local_aws.redshift.tokens import Token, statements, tokenize
from dbt_local_aws.redshift.wire import Message

_TRANSACTION_CONTROL = {"begin", "start", "commit", "end", "rollback", "abort", "vacuum"}
_LATE_BINDING_COLUMNS = "pg_get_late_binding_view_cols"
Translated = TypeVar("Translated")


@dataclass(frozen=True)
class Client:
    """Who is at the other end, as whom and where."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    user: str
    database: str
    application: str = ""  # the program, as it names itself


@dataclass
class Prepared:
    """A statement of the extended protocol."""

    tokens: list[Token]
    head: bytes  # its name, as Parse has it
    tail: bytes  # the types of its parameters, as Parse has them
    plan: Plan


class Session:
    """Speaks with one client from its first statement to its last."""

    def __init__(
        self,
        backend: Backend,
        client: Client,
        load_environment: LoadEnvironment,
        cancellation: Cancellation,
        queries: history.QueryHistory,
    ) -> None:
        self._queries = queries
        self._backend = backend
        self._decimals = DecimalTypes(backend)
        self._client = client
        self._cancellation = cancellation
        self._performer = Performer(backend, load_environment, cancellation)
        self._case_sensitive_names = False
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Prepared] = {}
        self._savepoints = count()
        self._failed = False  # what follows is skipped until the client sends Sync
        backend.on_notice = self._send

    async def run(self) -> None:
        """Answers the client until it leaves, or PostgreSQL does."""
        # ALTER USER … SET may have said so
        said = await self._backend.query("select redshift_internal.parameter('enable_case_sensitive_identifier')")
        self._case_sensitive_names = settings.is_true(said.rows[0][0] or "")
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

    async def _pass(self, answers: AsyncIterator[Answer], *, ready: bool) -> None:
        """Sends the client what PostgreSQL answers, as fast as it reads; raises where that is an error."""
        error: Message | None = None
        async for answer in answers:
            if answer.kind == wire.ERROR and isinstance(answer, Message):
                error = answer
            elif ready or answer.kind != wire.READY_FOR_QUERY:
                self._send(answer)
                await self._client.writer.drain()
        if error is not None:
            raise BackendError(error)

    def _fail(self, error: BackendError) -> None:
        self._send(error.message)
        self._failed = True

    # The simple protocol ----------------------------------------------------------------------------------------------

    async def _simple_query(self, message: Message) -> None:
        text, _ = wire.take_cstring(message.body)
        try:
            parts = statements(tokenize(text))
            if not parts:
                self._send(Message(wire.EMPTY_QUERY, b""))
            # several statements in one string are one transaction, unless they say otherwise
            together = len(parts) > 1 and self._backend.status == wire.IDLE
            together = together and not any(part[0].word in _TRANSACTION_CONTROL for part in parts)
            if together:
                await self._backend.query("begin")
            for part in parts:
                with self._written_down(part):
                    plan = await self._translate(part)
                    await self._lock(part)
                    await self._run_simply(plan)
            if together and self._backend.status == wire.IN_TRANSACTION:
                self._cancellation.check()
                await self._backend.query("commit")
        except RedshiftError as error:
            self._send((await self._backend.fail(error)).message)
            await self._end_failed(together=self._is_multiple(text))
        except BackendError as error:
            self._send(error.message)
            await self._end_failed(together=self._is_multiple(text))
        self._send(wire.ready(self._backend.status))

    def _is_multiple(self, text: str) -> bool:
        try:
            parts = statements(tokenize(text))
        except RedshiftError:
            return False
        return len(parts) > 1 and not any(part[0].word in _TRANSACTION_CONTROL for part in parts)

    async def _end_failed(self, *, together: bool) -> None:
        if together and self._backend.status == wire.FAILED:
            await self._backend.roll_back()

    async def _run_simply(self, plan: Plan) -> None:
        self._cancellation.check()
        if isinstance(plan, Forward):
            await self._pass(self._backend.simple_query(plan.sql), ready=False)
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
        prepared = Prepared(tokens, wire.cstring(name), types, await self._translate(tokens, types))
        if isinstance(prepared.plan, Forward):
            await self._lock(tokens)
            await self._pass_on(_parse_message(prepared, prepared.plan))
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
            if prepared.plan.late_bound:
                await self._prepare_again(prepared)
            if name:  # a statement without a name would not outlive the question, and has just been prepared
                await self._lock(prepared.tokens)
            await self._pass_on(message)
        else:
            self._send(Message(wire.BIND_COMPLETE, b""))
        self._portals[portal] = prepared

    async def _prepare_again(self, prepared: Prepared) -> None:
        """A late-binding view may have another definition, or other tables, since the statement was prepared."""
        plan = await self._translate(prepared.tokens, prepared.tail)
        if not isinstance(plan, Forward):
            raise TypeError("a query has become something else")
        prepared.plan = plan
        for message in (Message(wire.CLOSE, b"S" + prepared.head), _parse_message(prepared, plan)):
            async for answer in self._backend.exchange(message):
                if answer.kind == wire.ERROR and isinstance(answer, Message):
                    raise BackendError(answer)

    async def _describe(self, message: Message) -> None:
        kind = message.body[:1]
        name, _ = wire.take_cstring(message.body, 1)
        prepared = (self._prepared if kind == b"S" else self._portals).get(name)
        if prepared is not None and not isinstance(prepared.plan, Forward):
            if kind == b"S":
                self._send(Message(wire.PARAMETER_DESCRIPTION, struct.pack("!H", 0)))
            self._send(Message(wire.NO_DATA, b""))
        else:
            await self._pass_on(message)

    async def _execute(self, message: Message) -> None:
        portal, _ = wire.take_cstring(message.body)
        prepared = self._portals.get(portal)
        with self._written_down(prepared.tokens if prepared is not None else []):
            await self._execute_portal(message, prepared)

    async def _execute_portal(self, message: Message, prepared: Prepared | None) -> None:
        self._cancellation.check()
        if prepared is None or isinstance(prepared.plan, Forward):
            await self._pass_on(message)
            if prepared is not None and isinstance(prepared.plan, Forward):
                self._note(prepared.plan)
        else:
            await self._performer.perform(prepared.plan, self._send)

    async def _close(self, message: Message) -> None:
        known = self._prepared if message.body[:1] == b"S" else self._portals
        known.pop(wire.take_cstring(message.body, 1)[0], None)
        await self._pass_on(message)

    async def _sync(self) -> None:
        self._failed = False
        await self._pass_on(Message(wire.SYNC, b""))

    async def _pass_on(self, message: Message) -> None:
        """Lets PostgreSQL answer."""
        await self._pass(self._backend.exchange(message), ready=True)

    def _written_down(self, tokens: list[Token]) -> AbstractContextManager[None]:
        return self._queries.running(tokens, self._client.user, self._client.database, self._backend.process_id)

    # What both have in common -----------------------------------------------------------------------------------------

    async def _translate(self, tokens: list[Token], parameter_types: bytes = NO_PARAMETERS) -> Plan:
        context = Context(self._client.database, self._case_sensitive_names, self._client.application)
        if self._backend.status != wire.FAILED:
            context = await self._with_names(context)
            if any(token.word in history.VIEWS for token in tokens):
                await self._leave("history", self._queries.as_json())
            if any(token.word == _LATE_BINDING_COLUMNS for token in tokens):
                await self._leave_late_binding_columns(context)
        plan = await self._with_columns(lambda known: translate(tokens, known), context)
        return await self._decimals.refine(plan, parameter_types)

    async def _with_columns(self, translation: Callable[[Context], Translated], context: Context) -> Translated:
        """Translates again and again, until every column is known that the translation asks for."""
        while True:
            try:
                return translation(context)
            except ColumnsWanted as wanted:
                ask = self._columns_or_none if wanted.optional else self._backend.columns_of
                columns = await ask(wanted.query)
                context = replace(context, columns={**context.columns, wanted.query: columns})

    async def _with_names(self, context: Context) -> Context:
        names = (await self._backend.query("select * from redshift_internal.names()")).rows
        late = [LateView(row[1] or "", row[2] or "", row[3], row[4] == "t") for row in names if row[3] is not None]
        functions = frozenset(row[2] or "" for row in names if row[0] == "function")
        materialized = _named(row for row in names if row[0] == "materialized view")
        return replace(
            context,
            late_views=LateViews(late),
            functions=functions,
            views=_named(row for row in names if row[0] == "view") | materialized,
            materialized_views=materialized,
        )

    async def _leave_late_binding_columns(self, context: Context) -> None:
        """The columns of the late-binding views as they are now, where pg_get_late_binding_view_cols() finds them."""
        columns: list[dict[str, str | int | None]] = []
        for view in context.late_views.views():
            for position, field in enumerate(await self._columns_of(view, context), start=1):
                type_name = f"select pg_catalog.format_type({field.type_oid}, {field.modifier})"
                column_type = (await self._backend.query(type_name)).rows[0][0]
                columns.append(
                    {
                        "schema_name": view.schema,
                        "view_name": view.name,
                        "column_name": field.name,
                        "column_type": column_type,
                        "position": position,
                    }
                )
        await self._leave("late_binding_columns", json.dumps(columns))

    async def _leave(self, name: str, value: str) -> None:
        """Leaves what the endpoint knows where a view or a function of its own finds it."""
        await self._backend.query(f"select set_config('redshift.{name}', {literal(value)}, false)")

    async def _columns_of(self, view: LateView, context: Context) -> list[wire.Field]:
        """The columns of a late-binding view; none where its relations are missing, as on Redshift."""

        async def of_view() -> list[wire.Field]:
            query = await self._with_columns(lambda known: query_of_view(view.query, known), context)
            return await self._backend.columns_of(query)

        return await self._or_none(of_view)

    async def _columns_or_none(self, query: str) -> list[wire.Field]:
        return await self._or_none(lambda: self._backend.columns_of(query))

    async def _or_none(self, ask: Callable[[], Awaitable[list[wire.Field]]]) -> list[wire.Field]:
        """What is asked for; nothing where that is wrong, and then the transaction goes on."""
        guarded = self._backend.status == wire.IN_TRANSACTION
        savepoint = f"redshift_columns_{next(self._savepoints)}"  # one question may lead to another
        try:
            if guarded:
                await self._backend.query(f"savepoint {savepoint}")
            fields = await ask()
        except (BackendError, RedshiftError) as error:
            if isinstance(error, BackendError) and error.fields.get("C") == QUERY_CANCELED:
                raise
            fields = []
            if guarded:
                await self._backend.query(f"rollback to savepoint {savepoint}")
        if guarded:
            await self._backend.query(f"release savepoint {savepoint}")
        return fields

    async def _lock(self, tokens: Sequence[Token]) -> None:
        """Within a transaction, waits for the others that write to the same table."""
        if self._backend.status == wire.IN_TRANSACTION:
            lock = write_lock(tokens, case_sensitive_names=self._case_sensitive_names)
            if lock is not None:
                await self._backend.query(lock)

    def _note(self, plan: Forward) -> None:
        if plan.case_sensitive_names is not None:
            self._case_sensitive_names = plan.case_sensitive_names


def _parse_message(prepared: Prepared, plan: Forward) -> Message:
    return Message(wire.PARSE, prepared.head + wire.cstring(plan.sql) + prepared.tail)


def _named(rows: Iterable[Sequence[str | None]]) -> frozenset[tuple[str, ...]]:
    """Relations by schema and name, and by name alone where the search path finds them."""
    listed = list(rows)
    qualified = {(row[1] or "", row[2] or "") for row in listed}
    return frozenset(qualified | {(row[2] or "",) for row in listed if row[4] == "t"})
