"""Asks PostgreSQL what a query means: its tree after analysis, without running it."""

import struct
from dataclasses import dataclass

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.backend import Backend, BackendError
from dbt_local_aws.redshift.decimals.typing import FUNCTIONS
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.wire import Message

NO_PARAMETERS = struct.pack("!H", 0)
_TREE = "parse tree:"


@dataclass(frozen=True)
class Analysed:
    """A query as PostgreSQL understands it, with the columns that it gives."""

    tree: str
    fields: list[wire.Field]


class Analyst:
    """Analyses queries over one connection."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._functions: dict[str, str] = {}

    async def functions(self) -> dict[str, str]:
        """The names of the functions that the rules know, by their numbers."""
        if not self._functions:
            names = ", ".join(map(literal, sorted(FUNCTIONS)))
            query = (
                "select oid, proname from pg_catalog.pg_proc "  # noqa: S608 - literals of our own
                f"where pronamespace = 'pg_catalog'::regnamespace and proname in ({names})"
            )
            rows = (await self._backend.query(query)).rows
            self._functions = {row[0] or "": row[1] or "" for row in rows}
        return self._functions

    async def analyse(self, sql: str, parameter_types: bytes = NO_PARAMETERS) -> Analysed:
        """The meaning of a query; raises BackendError where it has none."""
        on_notice, self._backend.on_notice = self._backend.on_notice, lambda _: None
        try:
            await self._show_trees("on", "log")
            try:
                return await self._analyse(sql, parameter_types)
            finally:
                # a failure in a transaction has taken the settings back with it
                if self._backend.status != wire.FAILED:
                    await self._show_trees("off", "notice")
        finally:
            self._backend.on_notice = on_notice

    async def _show_trees(self, shown: str, level: str) -> None:
        settings = {"debug_pretty_print": "off", "client_min_messages": level, "debug_print_parse": shown}
        changes = (f"set_config('{name}', '{value}', false)" for name, value in settings.items())
        await self._backend.query(f"select {', '.join(changes)}")

    async def _analyse(self, sql: str, parameter_types: bytes) -> Analysed:
        tree = ""
        fields: list[wire.Field] = []
        error: Message | None = None
        parse = Message(wire.PARSE, b"\0" + wire.cstring(sql) + parameter_types)
        for message in (parse, Message(wire.DESCRIBE, b"S\0"), Message(wire.SYNC, b"")):
            if error is not None and message.kind != wire.SYNC:
                continue
            async for answer in self._backend.exchange(message):
                if not isinstance(answer, Message):
                    continue
                if answer.kind == wire.ERROR:
                    error = answer
                elif answer.kind == wire.ROW_DESCRIPTION:
                    fields = wire.row_fields(answer.body)
                elif answer.kind == wire.NOTICE:
                    said = wire.message_fields(answer.body)
                    tree = said.get("D", "") if said.get("M") == _TREE else tree
        if error is not None:
            raise BackendError(error)
        return Analysed(tree, fields)
