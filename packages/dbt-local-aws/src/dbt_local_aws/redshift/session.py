"""One client's session: its statements are translated, run by PostgreSQL, and answered as Redshift would."""

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TypeVar

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.answers import as_redshift
from dbt_local_aws.redshift.backend import Backend, BackendError
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.load import load
from dbt_local_aws.redshift.errors import ACTIVE_SQL_TRANSACTION, RedshiftError
from dbt_local_aws.redshift.features.columns import ColumnsWanted
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.statements import settings
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.late_binding import LateView, LateViews
from dbt_local_aws.redshift.statements.plans import Forward, Load, Plan, Script
from dbt_local_aws.redshift.statements.queries import query_of_view
from dbt_local_aws.redshift.statements.translation import translate
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


@dataclass
class Prepared:
    """A statement of the extended protocol."""

    tokens: list[Token]
    head: bytes  # its name, as Parse has it
    tail: bytes  # the types of its parameters, as Parse has them
    plan: Plan


class Session:
    """Speaks with one client from its first statement to its last."""

    def __init__(self, backend: Backend, client: Client, load_environment: LoadEnvironment) -> None:
        self._load_environment = load_environment
        self._backend = backend
        self._client = client
        self._case_sensitive_names = False
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Prepared] = {}
        self._savepoints = count()
        self._failed = False  # what follows is skipped until the client sends Sync
        backend.on_notice = self._send

    async def run(self) -> None:
        """Answers the client until it leaves."""
        # ALTER USER … SET may have said so
        said = await self._backend.query("select redshift_internal.parameter('enable_case_sensitive_identifier')")
        self._case_sensitive_names = settings.is_true(said.rows[0][0] or "")
        handlers = {
            wire.PARSE: self._parse,
            wire.BIND: self._bind,
            wire.DESCRIBE: self._describe,
            wire.EXECUTE: self._execute,
            wire.CLOSE: self._close,
        }
        while True:
            message = await wire.read_message(self._client.reader)
            if message.kind == wire.TERMINATE:
                return
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
            await self._client.writer.drain()

    def _send(self, message: Message) -> None:
        self._client.writer.write(as_redshift(message).encode())

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
                await self._run_simply(await self._translate(part))
            if together and self._backend.status == wire.IN_TRANSACTION:
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
            await self._backend.query("rollback")

    async def _run_simply(self, plan: Plan) -> None:
        if not isinstance(plan, Forward):
            await self._perform(plan)
            return
        error: Message | None = None
        async for answer in self._backend.simple_query(plan.sql):
            if answer.kind == wire.ERROR:
                error = answer
            elif answer.kind != wire.READY_FOR_QUERY:
                self._send(answer)
        if error is not None:
            raise BackendError(error)
        self._note(plan)

    # The extended protocol --------------------------------------------------------------------------------------------

    async def _parse(self, message: Message) -> None:
        name, at = wire.take_cstring(message.body)
        text, tail = wire.take_cstring(message.body, at)
        parts = statements(tokenize(text))
        if len(parts) > 1:
            raise RedshiftError("42601", "cannot insert multiple commands into a prepared statement")
        tokens = parts[0] if parts else []
        prepared = Prepared(tokens, wire.cstring(name), message.body[tail:], await self._translate(tokens))
        if isinstance(prepared.plan, Forward):
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
            await self._pass_on(message)
        else:
            self._send(Message(wire.BIND_COMPLETE, b""))
        self._portals[portal] = prepared

    async def _prepare_again(self, prepared: Prepared) -> None:
        """A late-binding view may have another definition, or other tables, since the statement was prepared."""
        plan = await self._translate(prepared.tokens)
        if not isinstance(plan, Forward):
            raise TypeError("a query has become something else")
        prepared.plan = plan
        for message in (Message(wire.CLOSE, b"S" + prepared.head), _parse_message(prepared, plan)):
            async for answer in self._backend.exchange(message):
                if answer.kind == wire.ERROR:
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
        if prepared is None or isinstance(prepared.plan, Forward):
            await self._pass_on(message)
            if prepared is not None and isinstance(prepared.plan, Forward):
                self._note(prepared.plan)
        else:
            await self._perform(prepared.plan)

    async def _close(self, message: Message) -> None:
        known = self._prepared if message.body[:1] == b"S" else self._portals
        known.pop(wire.take_cstring(message.body, 1)[0], None)
        await self._pass_on(message)

    async def _sync(self) -> None:
        self._failed = False
        await self._pass_on(Message(wire.SYNC, b""))

    async def _pass_on(self, message: Message) -> None:
        """Lets PostgreSQL answer."""
        error: Message | None = None
        async for answer in self._backend.exchange(message):
            if answer.kind == wire.ERROR:
                error = answer
            else:
                self._send(answer)
        if error is not None:
            raise BackendError(error)

    # What both have in common -----------------------------------------------------------------------------------------

    async def _translate(self, tokens: list[Token]) -> Plan:
        context = Context(self._client.database, self._case_sensitive_names)
        if self._backend.status != wire.FAILED:
            context = await self._with_names(context)
            if any(token.word == _LATE_BINDING_COLUMNS for token in tokens):
                await self._leave_late_binding_columns(context)
        return await self._with_columns(lambda known: translate(tokens, known), context)

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
        setting = literal(json.dumps(columns))
        await self._backend.query(f"select set_config('redshift.late_binding_columns', {setting}, false)")

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
        except (BackendError, RedshiftError):
            fields = []
            if guarded:
                await self._backend.query(f"rollback to savepoint {savepoint}")
        if guarded:
            await self._backend.query(f"release savepoint {savepoint}")
        return fields

    def _note(self, plan: Forward) -> None:
        if plan.case_sensitive_names is not None:
            self._case_sensitive_names = plan.case_sensitive_names

    async def _perform(self, plan: Script | Load) -> None:
        if isinstance(plan, Load):
            await self._load(plan)
        else:
            await self._run_script(plan)

    async def _load(self, plan: Load) -> None:
        alone = self._backend.status == wire.IDLE
        if alone:
            await self._backend.query("begin")
        try:
            loaded = await load(plan.command, self._backend, self._load_environment)
        except RedshiftError as error:
            failure = await self._backend.fail(error)
            if alone:
                await self._backend.query("rollback")
            raise failure from error
        except BackendError:
            if alone:
                await self._backend.query("rollback")
            raise
        if alone:
            await self._backend.query("commit")
        for notice in loaded:
            self._send(notice)
        self._send(wire.command_complete("COPY"))

    async def _run_script(self, plan: Script) -> None:
        if plan.alone and self._backend.status != wire.IDLE:
            raise RedshiftError(ACTIVE_SQL_TRANSACTION, f"{plan.alone} cannot run inside a transaction block")
        together = len(plan.steps) > 1 and self._backend.status == wire.IDLE
        if together:
            await self._backend.query("begin")
        try:
            tags = [(await self._backend.query(step)).tag for step in plan.steps]
        except BackendError:
            if together:
                await self._backend.query("rollback")
            raise
        if together or (plan.commits and self._backend.status == wire.IN_TRANSACTION):
            await self._backend.query("commit")
        self._send(wire.command_complete(plan.tag or tags[0]))


def _parse_message(prepared: Prepared, plan: Forward) -> Message:
    return Message(wire.PARSE, prepared.head + wire.cstring(plan.sql) + prepared.tail)


def _named(rows: Iterable[Sequence[str | None]]) -> frozenset[tuple[str, ...]]:
    """Relations by schema and name, and by name alone where the search path finds them."""
    listed = list(rows)
    qualified = {(row[1] or "", row[2] or "") for row in listed}
    return frozenset(qualified | {(row[2] or "",) for row in listed if row[4] == "t"})
