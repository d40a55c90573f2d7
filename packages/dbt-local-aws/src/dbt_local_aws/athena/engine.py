"""Decides whose a statement is: Trino's as it is, Trino's in other words, or Hive's, which goes to Glue."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from dbt_local_aws.athena import creating, maintaining, refusals
from dbt_local_aws.athena.errors import AthenaError, syntax_error
from dbt_local_aws.athena.hive.grammar import HiveParser
from dbt_local_aws.athena.hive.statements import execute as execute_by_hive
from dbt_local_aws.athena.names import CATALOG
from dbt_local_aws.athena.reading import Reader
from dbt_local_aws.athena.results import Result, text_result
from dbt_local_aws.athena.statement import Statement

_QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "(")
_CHANGES = ("INSERT", "MERGE", "UPDATE", "DELETE")
_HIVE = ("ALTER", "MSCK", "SHOW", "DESCRIBE", "DESC", "CREATE", "DROP")
_STARTS_A_QUERY = ("SELECT", "WITH", "VALUES", "TABLE", "(")


def first_words(sql: str, count: int = 3) -> list[str]:
    """The first words in upper case."""
    return [word.upper() for word in re.findall(r"[A-Za-z_]+|\S", sql[:500])[:count]]


def statement_type(sql: str) -> str:
    """DML, UTILITY or DDL, which is known before the statement has run."""
    word = (first_words(sql, 1) or [""])[0]
    if word in (*_QUERIES, *_CHANGES, "EXPLAIN", "UNLOAD", "EXECUTE"):
        return "DML"
    return "UTILITY" if word in ("SHOW", "DESCRIBE", "DESC") else "DDL"


def execute(statement: Statement) -> Result:
    """Run a statement: what Trino has to do happens when the result's rows are read.

    Raises:
        AthenaError: It is refused, or it fails.
    """
    words = [*first_words(statement.sql), "", "", ""]
    if words[0] in _QUERIES:
        return _query(statement)
    refusals.check_statement(statement.sql)
    if handler := _OTHERS.get(words[0]):
        return handler(statement)
    if words[:2] in (["CREATE", "VIEW"], ["CREATE", "OR"]):
        return creating.create_view(statement)
    if words[:2] == ["CREATE", "TABLE"] and _has_query(statement.sql):
        return creating.create_table_as(statement)
    if words[:2] == ["DROP", "VIEW"]:
        return _drop_view(statement)
    if words[0] in _HIVE:
        return execute_by_hive(statement)
    raise syntax_error(f"line 1:1: mismatched input '{words[0].lower()}'. Expecting: a statement")


def _query(statement: Statement) -> Result:
    refusals.check_statement(statement.sql)
    refusals.check_query(statement.sql)
    sql = Reader(statement.sql).rest
    return Result("DML", "SELECT", statement.ask(sql), has_header=True, is_text=False)


def _change(statement: Statement) -> Result:
    refusals.check_query(statement.sql)
    reader = Reader(statement.sql)
    sent, word = reader.rest, reader.peek()
    if reader.take("INSERT", "INTO"):
        refusals.check_insert(statement.catalog.table(*statement.full(reader.table())))
    return Result("DML", word, statement.ask(sent), update_count=0, is_text=False)


def _has_query(sql: str) -> bool:
    """Whether it is CREATE TABLE … AS: AS, and then a query."""
    try:
        words = Reader(sql).words()
    except AthenaError:
        return False  # backticks and Hive's strings are not Trino's
    return any(word == "AS" and following in _STARTS_A_QUERY for word, following in pairwise(words))


def _drop_view(statement: Statement) -> Result:
    parser = HiveParser(statement.sql.replace('"', "`"))
    parser.expect("DROP", "VIEW")
    if_exists = parser.take("IF", "EXISTS")
    schema, name = parser.table_name()
    parser.end()
    schema = schema or statement.schema
    table = statement.catalog.table(schema, name)
    if table and table.is_view:
        statement.catalog.drop_table(schema, name)
    elif table or not if_exists:
        raise AthenaError("TABLE_NOT_FOUND", f"line 1:1: View '{CATALOG}.{schema}.{name}' does not exist")
    return Result("DDL", "DROP_VIEW")


def _explain(statement: Statement) -> Result:
    """EXPLAIN and EXPLAIN ANALYZE are Trino's; Athena gives a line of the plan a row."""
    refusals.check_query(statement.sql)
    query = statement.ask(Reader(statement.sql).rest)
    lines = [line for rows in query.batches() for row in rows for line in str(row[0]).splitlines()]
    return replace(text_result("EXPLAIN", lines, "Query Plan"), statement_type="DML")


# -------------------- prepared statements: https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html


def _prepare(statement: Statement) -> Result:
    reader = Reader(statement.sql)
    reader.expect("PREPARE")
    name = reader.identifier()
    reader.expect("FROM")
    statement.prepared[name] = reader.rest
    return Result("DDL", "PREPARE")


def _execute(statement: Statement) -> Result:
    reader = Reader(statement.sql)
    reader.expect("EXECUTE")
    name = reader.identifier()
    if name not in statement.prepared:
        raise AthenaError("NOT_FOUND", f"PreparedStatement {name} was not found")
    if not reader.at_end:
        reader.expect("USING")
    parameters = reader.rest
    return execute(replace(statement, sql=statement.prepared[name], parameters=parameters))


def _deallocate(statement: Statement) -> Result:
    reader = Reader(statement.sql)
    reader.expect("DEALLOCATE", "PREPARE")
    name = reader.identifier()
    if statement.prepared.pop(name, None) is None:
        raise AthenaError("NOT_FOUND", f"PreparedStatement {name} was not found")
    return Result("DDL", "DEALLOCATE")


_OTHERS: dict[str, Callable[[Statement], Result]] = {
    **dict.fromkeys(_CHANGES, _change),
    "EXPLAIN": _explain,
    "OPTIMIZE": maintaining.optimize,
    "VACUUM": maintaining.vacuum,
    "UNLOAD": creating.unload,
    "PREPARE": _prepare,
    "EXECUTE": _execute,
    "DEALLOCATE": _deallocate,
}
