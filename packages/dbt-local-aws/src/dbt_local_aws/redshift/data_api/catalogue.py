"""What the Data API lists: databases, schemas, tables and their columns."""

from typing import Any

from dbt_local_aws.redshift.data_api.connection import Connection
from dbt_local_aws.redshift.data_api.errors import invalid
from dbt_local_aws.redshift.data_api.results import Origin, column_metadata
from dbt_local_aws.redshift.data_api.statements import like
from dbt_local_aws.redshift.wire import Field

_MOST = 1000
_KINDS = {"r": "TABLE", "v": "VIEW", "m": "VIEW", "p": "TABLE"}


def page(items: list[Any], request: dict[str, Any], size: int = _MOST) -> tuple[list[Any], str | None]:
    """The part of a list that a request asks for, and the token of the next one."""
    token = request.get("NextToken") or "0"
    wanted = int(request.get("MaxResults") or size)
    if not token.isdigit():
        raise invalid("Invalid NextToken")
    start, end = int(token), int(token) + max(1, min(wanted, size))
    return items[start:end], str(end) if end < len(items) else None


def databases(connection: Connection) -> list[str]:
    """The databases that somebody may connect to."""
    query = "select datname from pg_catalog.pg_database where datallowconn and not datistemplate order by 1"
    return [row[0] or "" for row in connection.execute(query).rows if row[0] != "postgres"]


def schemas(connection: Connection, pattern: str | None) -> list[str]:
    """The schemas of the database."""
    hidden = "nspname <> 'redshift_internal' and nspname !~ '^pg_(toast|temp)'"
    query = f"select nspname from pg_catalog.pg_namespace where {hidden}{like('nspname', pattern)} order by 1"  # noqa: S608 - a literal
    return [row[0] or "" for row in connection.execute(query).rows]


def tables(connection: Connection, schema: str | None, table: str | None) -> list[dict[str, str]]:
    """The tables and views of the database."""
    query = f"""
        select c.relname, n.nspname, c.relkind
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'v', 'm', 'p') and n.nspname <> 'redshift_internal'
        {like("n.nspname", schema)}{like("c.relname", table)}
        order by 2, 1
    """  # noqa: S608 - literals
    rows = connection.execute(query).rows
    return [{"name": name or "", "schema": schema or "", "type": _kind(schema, kind)} for name, schema, kind in rows]


def _kind(schema: str | None, kind: str | None) -> str:
    is_system = schema in ("pg_catalog", "information_schema")
    return f"SYSTEM {_KINDS[kind or 'r']}" if is_system else _KINDS[kind or "r"]


def columns(connection: Connection, schema: str | None, table: str | None) -> list[dict[str, Any]]:
    """The columns of the tables that are named so."""
    query = f"""
        select n.nspname, c.relname, a.attname, a.atttypid, a.atttypmod, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_class c on c.oid = a.attrelid
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v', 'm', 'p')
        and n.nspname <> 'redshift_internal'
        {like("n.nspname", schema)}{like("c.relname", table)}
        order by 1, 2, a.attnum
    """  # noqa: S608 - literals
    found = []
    for row in connection.execute(query).rows:
        field = Field(row[2] or "", b"\0" * 6, int(row[3] or 0), 0, int(row[4] or -1), 0)
        described = column_metadata(field, Origin(row[0] or "", row[1] or "", row[5] == "t", row[6] or ""))
        # the one place where the page of the API shows a length
        is_text = described["typeName"] in ("varchar", "bpchar")
        found.append({**described, "length": described["precision"] if is_text else 0})
    return found
