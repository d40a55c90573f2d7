"""Runs statements: decides whose they are, as Athena does between Trino and Hive, and hands them on."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from local_aws.athena import changing, creating, ddl, duckdb_session, grammar
from local_aws.athena.catalog import Catalog
from local_aws.athena.errors import AthenaError, NotEmulatedError, syntax_error
from local_aws.athena.hive_grammar import HiveParser
from local_aws.athena.objects import ObjectStore
from local_aws.athena.results import Result, fetch, text_result
from local_aws.athena.statement import DefaultLocation, Statement

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient

_LEADING_COMMENTS = re.compile(r"\A(\s+|--[^\n]*(\n|\Z)|/\*.*?\*/)+", re.DOTALL)
_QUERIES = ("SELECT", "WITH", "VALUES", "TABLE", "(")
_CHANGES = ("INSERT", "MERGE", "UPDATE", "DELETE")
_HIVE = ("ALTER", "MSCK", "SHOW", "DESCRIBE", "DESC", "CREATE", "DROP")
_EXPLAIN = re.compile(
    r"\Aexplain(?P<analyze>\s+analyze)?(\s+verbose)?(?P<options>\s*\([^)]*\))?\s+(?P<rest>.*)\Z", re.I | re.S
)
_OPTIMIZE = re.compile(
    r"\Aoptimize\s+(?P<table>[\w.`\"]+)\s+rewrite\s+data\s+using\s+bin_pack(\s+where\s+.+)?\s*;?\s*\Z", re.I | re.S
)
_VACUUM = re.compile(r"\Avacuum\s+(?P<table>[\w.`\"]+)\s*;?\s*\Z", re.I | re.S)


def _first_words(sql: str, count: int = 3) -> list[str]:
    return [word.upper() for word in re.findall(r"[A-Za-z_]+|\S", sql)[:count]]


def statement_type(sql: str) -> str:
    """DML, UTILITY or DDL, which is known before the statement has run."""
    word = (_first_words(_LEADING_COMMENTS.sub("", sql), 1) or [""])[0]
    if word in (*_QUERIES, *_CHANGES, "EXPLAIN", "UNLOAD", "EXECUTE"):
        return "DML"
    return "UTILITY" if word in ("SHOW", "DESCRIBE", "DESC") else "DDL"


class Engine:
    """Runs statements against one region's Glue and S3. It keeps nothing from one statement to the next."""

    def __init__(self, glue: GlueClient, store: ObjectStore) -> None:
        self._glue = glue
        self._store = store
        self._sessions = duckdb_session.Sessions()

    def close(self) -> None:
        """Give up what the engine holds."""
        self._sessions.close()

    def execute(
        self,
        sql: str,
        schema: str,
        default_location: DefaultLocation,
        started: Callable[[duckdb.DuckDBPyConnection], None],
    ) -> Result:
        """Run one statement, or raise Athena's error. `started` is told the connection, to interrupt it by."""
        text = _LEADING_COMMENTS.sub("", sql)
        connection = self._sessions.open()
        try:
            started(connection)
            statement = Statement(text, schema.lower(), connection, Catalog(self._glue), self._store, default_location)
            result = self._dispatch(statement)
            result.bytes_scanned = statement.binder.bytes_scanned
        except duckdb.Error as error:
            raise duckdb_session.translate(error) from error
        except RecursionError as error:
            raise AthenaError("GENERIC_INTERNAL_ERROR", "The statement is nested too deeply") from error
        finally:
            connection.close()
        return result

    def _dispatch(self, statement: Statement) -> Result:  # noqa: PLR0911 - one for each kind of statement
        words = [*_first_words(statement.sql), "", "", ""]
        if words[0] in _QUERIES:
            return _query(statement)
        if words[0] in _CHANGES:
            return _change(statement)
        if words[0] == "EXPLAIN":
            return _explain(statement)
        if words[0] in ("OPTIMIZE", "VACUUM"):
            return _maintain(statement, words[0])
        if words[:2] in (["CREATE", "VIEW"], ["CREATE", "OR"]):
            return creating.create_view(statement, _created(statement, "VIEW"))
        if words[:2] == ["CREATE", "TABLE"] and _has_query(statement.sql):
            return creating.create_table_as(statement, _created(statement, "TABLE"))
        if words[:2] == ["DROP", "VIEW"]:
            return _drop_view(statement)
        if words[0] in _HIVE:
            return ddl.execute(statement)
        if words[0] in ("UNLOAD", "PREPARE", "EXECUTE", "DEALLOCATE", "REFRESH", "GRANT", "REVOKE", "USE", "SET"):
            raise NotEmulatedError(f"{words[0]} statements")
        raise syntax_error(f"line 1:1: mismatched input '{words[0].lower()}'. Expecting: a statement")


def _query(statement: Statement) -> Result:
    query = statement.query(grammar.parse(statement.sql))
    columns, rows = fetch(statement.connection, query)
    return Result("DML", "SELECT", columns, rows, has_header=True)


def _change(statement: Statement) -> Result:
    node = grammar.parse(statement.sql)
    if isinstance(node, exp.Insert):
        return changing.insert(statement, node)
    if isinstance(node, exp.Merge):
        return changing.merge(statement, node)
    if isinstance(node, exp.Update):
        return changing.update(statement, node)
    if isinstance(node, exp.Delete):
        return changing.delete(statement, node)
    raise syntax_error("line 1:1: mismatched input. Expecting: a statement")


def _created(statement: Statement, kind: str) -> exp.Create:
    node = grammar.parse(statement.sql)
    if (
        not isinstance(node, exp.Create)
        or str(node.args["kind"]).upper() != kind
        or not isinstance(node.expression, exp.Query)
    ):
        raise syntax_error(f"line 1:1: mismatched input. Expecting: CREATE {kind} … AS query")
    return node


def _has_query(sql: str) -> bool:
    """Whether it is CREATE TABLE … AS: AS, and then a query."""
    starts = (TokenType.SELECT, TokenType.WITH, TokenType.VALUES, TokenType.TABLE, TokenType.L_PAREN)
    try:
        tokens = grammar.tokenize(sql)
    except AthenaError:
        # Backticks and Hive's strings are not Trino's.
        return False
    return any(
        token.token_type == TokenType.ALIAS and following.token_type in starts for token, following in pairwise(tokens)
    )


def _drop_view(statement: Statement) -> Result:
    if "`" in statement.sql:
        parser = HiveParser(statement.sql)
        parser.expect("DROP", "VIEW")
        if_exists = parser.take("IF", "EXISTS")
        schema, name = parser.table_name()
        parser.end()
        return creating.drop_view(statement, schema or statement.schema, name, if_exists)
    node = grammar.parse(statement.sql)
    if not isinstance(node, exp.Drop):
        raise syntax_error("line 1:1: mismatched input. Expecting: DROP VIEW [IF EXISTS] name")
    return creating.drop_view(statement, *statement.names(node), bool(node.args.get("exists")))


def _explain(statement: Statement) -> Result:
    found = _EXPLAIN.match(statement.sql)
    if not found:
        raise syntax_error("line 1:1: mismatched input '<EOF>'. Expecting: a query after EXPLAIN")
    if found["analyze"] or found["options"]:
        raise NotEmulatedError("EXPLAIN ANALYZE and EXPLAIN's options")
    node = grammar.parse(found["rest"])
    if not isinstance(node, exp.Query):
        raise NotEmulatedError("EXPLAIN of anything but a query")
    query = statement.query(node)
    rows = statement.connection.execute(f"explain {query.sql}").fetchall()
    lines = ["The plan of the local engine, which is not Trino:"]
    for _, plan in rows:
        lines += str(plan).splitlines()
    result = text_result("EXPLAIN", lines, "Query Plan")
    result.statement_type = "DML"
    return result


def _maintain(statement: Statement, word: str) -> Result:
    """OPTIMIZE and VACUUM: checked, and then there is nothing to do that a reader would notice."""
    found = (_OPTIMIZE if word == "OPTIMIZE" else _VACUUM).match(statement.sql)
    if not found:
        raise syntax_error(f"line 1:1: mismatched input after {word}")
    parts = [part.strip('`"').lower() for part in found["table"].split(".")]
    schema, name = (statement.schema, parts[0]) if len(parts) == 1 else (parts[-2], parts[-1])
    if not statement.table(schema, name).is_iceberg:
        raise AthenaError("NOT_SUPPORTED", f"{word} is for Iceberg tables only: {schema}.{name}")
    return Result("DDL", word, update_count=0)
