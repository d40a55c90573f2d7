"""Translates a session's statements, with what the translation has to know of the database."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import TypeVar

from dbt_local_aws.redshift import history, wire
from dbt_local_aws.redshift.backend import Backend, BackendError
from dbt_local_aws.redshift.decimals.refine import DecimalTypes
from dbt_local_aws.redshift.errors import QUERY_CANCELED, RedshiftError
from dbt_local_aws.redshift.features.columns import ColumnsWanted
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.late_binding import LateView, LateViews
from dbt_local_aws.redshift.statements.plans import Plan
from dbt_local_aws.redshift.statements.queries import query_of_view
from dbt_local_aws.redshift.statements.translation import translate
from dbt_local_aws.redshift.tokens import Token

_LATE_BINDING_COLUMNS = "pg_get_late_binding_view_cols"
Translated = TypeVar("Translated")


@dataclass(frozen=True, slots=True)
class Places:
    """The connections that a statement wants."""

    runs: Backend  # where it runs, and where PostgreSQL is asked what it means
    names: Backend  # where the endpoint asks for the names that it has to know


@dataclass(frozen=True, slots=True)
class _Names:
    """What the database has names for, as it was asked for them, and as a translation knows them."""

    rows: list[list[str | None]]
    late_views: LateViews
    functions: frozenset[str]
    views: frozenset[tuple[str, ...]]
    materialized_views: frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _LastPlan:
    """A translation, and all that it was made of."""

    tokens: list[Token]
    context: Context
    columns: Mapping[str, Sequence[wire.Field]]
    plan: Plan


class Translator:
    """Translates the statements of one session."""

    def __init__(self, queries: history.QueryHistory) -> None:
        self._queries = queries
        self._names: _Names | None = None
        self._last: _LastPlan | None = None
        self._decimals: dict[Backend, DecimalTypes] = {}
        self._savepoints = count()

    async def translate(self, tokens: list[Token], context: Context, places: Places, parameter_types: bytes) -> Plan:
        """What to do for one statement."""
        runs = places.runs
        if places.names.status != wire.FAILED:
            context = await self._with_names(context, places.names)
            if any(token.word in history.VIEWS for token in tokens):
                await self._leave("history", self._queries.as_json(), runs)
            if any(token.word == _LATE_BINDING_COLUMNS for token in tokens):
                await self._leave_late_binding_columns(context, runs)
        plan = await self._plan(tokens, context, runs)
        return await self._decimals.setdefault(runs, DecimalTypes(runs)).refine(plan, parameter_types)

    async def _plan(self, tokens: list[Token], context: Context, asked: Backend) -> Plan:
        """The plan of a statement: the last one, if the statement is to run elsewhere, and means the same there."""
        last = self._last
        if last is not None and last.tokens is tokens and last.context == context:
            for query, columns in last.columns.items():
                if await self._or_none(partial(asked.columns_of, query), asked) != columns:
                    break
            else:
                return last.plan
        plan, known = await self._with_columns(lambda known: translate(tokens, known), context, asked)
        self._last = _LastPlan(tokens, context, known.columns, plan)
        return plan

    async def _with_columns(
        self, translation: Callable[[Context], Translated], context: Context, asked: Backend
    ) -> tuple[Translated, Context]:
        """Translates again and again, until every column is known that the translation asks for; says what is known."""
        while True:
            try:
                return translation(context), context
            except ColumnsWanted as wanted:
                columns = await self._columns(wanted, asked)
                context = replace(context, columns={**context.columns, wanted.query: columns})

    async def _columns(self, wanted: ColumnsWanted, asked: Backend) -> list[wire.Field]:
        if wanted.optional:
            return await self._or_none(lambda: asked.columns_of(wanted.query), asked)
        return await asked.columns_of(wanted.query)

    async def _with_names(self, context: Context, asked: Backend) -> Context:
        rows = (await asked.query("select * from redshift_internal.names()")).rows
        if self._names is None or self._names.rows != rows:
            self._names = _names_of(rows)
        names = self._names
        return replace(
            context,
            late_views=names.late_views,
            functions=names.functions,
            views=names.views,
            materialized_views=names.materialized_views,
        )

    async def _leave_late_binding_columns(self, context: Context, asked: Backend) -> None:
        """The columns of the late-binding views as they are now, where pg_get_late_binding_view_cols() finds them."""
        columns: list[dict[str, str | int | None]] = []
        for view in context.late_views.views():
            for position, field in enumerate(await self._columns_of(view, context, asked), start=1):
                type_name = f"select pg_catalog.format_type({field.type_oid}, {field.modifier})"
                column_type = (await asked.query(type_name)).rows[0][0]
                columns.append(
                    {
                        "schema_name": view.schema,
                        "view_name": view.name,
                        "column_name": field.name,
                        "column_type": column_type,
                        "position": position,
                    }
                )
        await self._leave("late_binding_columns", json.dumps(columns), asked)

    async def _leave(self, name: str, value: str, asked: Backend) -> None:
        """Leaves what the endpoint knows where a view or a function of its own finds it."""
        await asked.query(f"select set_config('redshift.{name}', {literal(value)}, false)")

    async def _columns_of(self, view: LateView, context: Context, asked: Backend) -> list[wire.Field]:
        """The columns of a late-binding view; none where its relations are missing, as on Redshift."""

        async def of_view() -> list[wire.Field]:
            query, _ = await self._with_columns(lambda known: query_of_view(view.query, known), context, asked)
            return await asked.columns_of(query)

        return await self._or_none(of_view, asked)

    async def _or_none(self, ask: Callable[[], Awaitable[list[wire.Field]]], asked: Backend) -> list[wire.Field]:
        """What is asked for; nothing where that is wrong, and then the transaction goes on."""
        guarded = asked.status == wire.IN_TRANSACTION
        savepoint = f"redshift_columns_{next(self._savepoints)}"  # one question may lead to another
        try:
            if guarded:
                await asked.query(f"savepoint {savepoint}")
            fields = await ask()
        except (BackendError, RedshiftError) as error:
            if isinstance(error, BackendError) and error.fields.get("C") == QUERY_CANCELED:
                raise
            fields = []
            if guarded:
                await asked.query(f"rollback to savepoint {savepoint}")
        if guarded:
            await asked.query(f"release savepoint {savepoint}")
        return fields


def _names_of(rows: list[list[str | None]]) -> _Names:
    materialized = _named(row for row in rows if row[0] == "materialized view")
    return _Names(
        rows,
        LateViews(LateView(row[1] or "", row[2] or "", row[3], row[4] == "t") for row in rows if row[3] is not None),
        frozenset(row[2] or "" for row in rows if row[0] == "function"),
        _named(row for row in rows if row[0] == "view") | materialized,
        materialized,
    )


def _named(rows: Iterable[Sequence[str | None]]) -> frozenset[tuple[str, ...]]:
    """Relations by schema and name, and by name alone where the search path finds them."""
    listed = list(rows)
    qualified = {(row[1] or "", row[2] or "") for row in listed}
    return frozenset(qualified | {(row[2] or "",) for row in listed if row[4] == "t"})
