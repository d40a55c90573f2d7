"""The table that a COPY loads, and its columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from dbt_local_aws.redshift.backend import Backend
from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.errors import (
    INVALID_PARAMETER_VALUE,
    UNDEFINED_COLUMN,
    RedshiftError,
)
from dbt_local_aws.redshift.quoting import literal


@dataclass(frozen=True)
class Target:
    """The table that is loaded, with the columns that are."""

    oid: str
    relation: str
    columns: list[Column]


async def find_target(command: CopyCommand, backend: Backend) -> Target:
    """The table that a command names, with the columns that it loads."""
    query = f"""
        select
            a.attname, pg_catalog.format_type(a.atttypid, null), a.atttypmod, a.attnotnull, a.attidentity,
            c.relname, c.oid
        from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
        where a.attrelid = {literal(command.table.sql)}::regclass and a.attnum > 0 and not a.attisdropped
        order by a.attnum
    """  # noqa: S608 - the name is a literal
    rows = (await backend.query(query)).rows
    known = {row[0] or "": row for row in rows}
    names = command.columns or [name for name, row in known.items() if command.explicit_ids or not row[4]]
    for name in names:
        if name not in known:
            raise RedshiftError(
                UNDEFINED_COLUMN, f'column "{name}" of relation "{command.table.relation}" does not exist'
            )
    _check_identities({name: row[4] or "" for name, row in known.items() if row[4]}, names, command)
    oid, relation = (rows[0][6] or "", rows[0][5] or "") if rows else ("0", command.table.relation)
    return Target(oid, relation, [_column(known[name]) for name in names])


def _check_identities(identities: dict[str, str], names: Sequence[str], command: CopyCommand) -> None:
    """An identity column that is named needs EXPLICIT_IDS, and the other way round; but one BY DEFAULT needs nothing.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-column-mapping.html#copy-column-list
    """
    named = [name for name in names if name in identities]
    if command.explicit_ids and not named:
        raise RedshiftError(
            INVALID_PARAMETER_VALUE, "EXPLICIT_IDS can be specified only where an IDENTITY column is loaded"
        )
    for name in named:
        if identities[name] == "a" and not command.explicit_ids:
            raise RedshiftError(INVALID_PARAMETER_VALUE, f'cannot set an identity column to a value: "{name}"')


def _column(row: Sequence[str | None]) -> Column:
    name, type_name, modifier = row[0] or "", row[1] or "", int(row[2] or -1) - 4
    is_text = type_name in ("character varying", "character")
    if type_name == "binary varying":
        is_text, modifier = True, modifier + 4  # which is the number of bytes
    bounded = type_name == "numeric" and modifier > 0
    return Column(
        name=name,
        type=type_name,
        length=modifier if is_text else None,
        precision=modifier >> 16 if bounded else None,
        scale=modifier & 0xFFFF if bounded else None,
        not_null=row[3] == "t",
    )
