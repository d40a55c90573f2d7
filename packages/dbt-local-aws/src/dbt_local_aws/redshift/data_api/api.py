"""The operations of the Redshift Data API.

https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_Operations.html
"""

import datetime as dt
import json
import threading
from collections.abc import Callable
from typing import Any

from dbt_local_aws.redshift.credentials import TemporaryLogins
from dbt_local_aws.redshift.data_api import catalogue, results
from dbt_local_aws.redshift.data_api.connection import Connection, StatementError
from dbt_local_aws.redshift.data_api.errors import DataApiError, invalid, not_found
from dbt_local_aws.redshift.data_api.sessions import AVAILABLE, BUSY, Session, Sessions
from dbt_local_aws.redshift.data_api.statements import FINISHED, Part, Request, Statement

_LOGIN_SECONDS = 900
_MOST_STATEMENTS = 40
_LONGEST_WAIT = 30
_MOST_LISTED = 100
_WHERE = ("ClusterIdentifier", "WorkgroupName", "Database", "DbUser", "SecretArn")

Answer = dict[str, Any]


class DataApi:
    """Runs statements, and answers what became of them. It may be asked by several threads at once."""

    def __init__(self, logins: TemporaryLogins, user: str, redshift_port: int) -> None:
        self._logins = logins
        self._user = user
        self._port = redshift_port
        self._sessions = Sessions()
        self._lock = threading.Lock()
        self._statements: dict[str, Statement] = {}
        self._by_token: dict[str, tuple[str, Statement]] = {}
        self._operations: dict[str, Callable[[Answer], Answer]] = {
            "ExecuteStatement": self._execute,
            "BatchExecuteStatement": self._execute_batch,
            "DescribeStatement": self._describe,
            "GetStatementResult": self._result,
            "GetStatementResultV2": self._result_v2,
            "CancelStatement": self._cancel,
            "ListStatements": self._list,
            "ListSessions": self._list_sessions,
            "ListDatabases": self._list_databases,
            "ListSchemas": self._list_schemas,
            "ListTables": self._list_tables,
            "DescribeTable": self._describe_table,
        }

    def answer(self, operation: str, request: Answer) -> Answer:
        """The answer to a request; raises DataApiError."""
        handler = self._operations.get(operation)
        if handler is None:
            message = f"{operation} is not emulated by the local Redshift endpoint"
            raise DataApiError("UnknownOperationException", message)
        return handler(request)

    def stop(self) -> None:
        """Ends the sessions that are open."""
        self._sessions.close()

    # Running ---------------------------------------------------------------------------------------------

    def _execute(self, request: Answer) -> Answer:
        return self._submit(request, [_needed(request, "Sql")], is_batch=False)

    def _execute_batch(self, request: Answer) -> Answer:
        sqls = _needed(request, "Sqls")
        if not 0 < len(sqls) <= _MOST_STATEMENTS:
            raise invalid(f"Sqls must have between 1 and {_MOST_STATEMENTS} statements")
        return self._submit(request, sqls, is_batch=True)

    def _submit(self, request: Answer, sqls: list[str], *, is_batch: bool) -> Answer:
        asked = Request(
            sqls=sqls,
            parameters={item["name"]: item["value"] for item in request.get("Parameters", [])},
            is_batch=is_batch,
            in_transaction=request.get("ExecutionMode", "TRANSACTION") == "TRANSACTION",
            members={name: request[name] for name in _WHERE if name in request},
            name=request.get("StatementName"),
            result_format=request.get("ResultFormat", "JSON"),
        )
        statement = self._known(request, sqls) or self._start(asked, request)
        if wait := request.get("WaitTimeSeconds"):
            statement.has_ended.wait(min(int(wait), _LONGEST_WAIT))
        answer = {"Id": statement.id, "CreatedAt": _seconds(statement.created), **statement.request.members}
        if wait:
            answer |= {"Status": statement.status, "HasResultSet": _has_result(statement)}
        return answer

    def _known(self, request: Answer, sqls: list[str]) -> Statement | None:
        """The statement that was sent with the same ClientToken, which is not run again."""
        token = request.get("ClientToken")
        with self._lock:
            if token is None or token not in self._by_token:
                return None
            fingerprint, statement = self._by_token[token]
        if fingerprint != json.dumps([sqls, request.get("Parameters")]):
            raise invalid("ClientToken was used with other parameters before")
        return statement

    def _start(self, asked: Request, request: Answer) -> Statement:
        session, connect = self._connecting(asked, request)
        statement = Statement(asked)
        with self._lock:
            self._statements[statement.id] = statement
            if token := request.get("ClientToken"):
                self._by_token[token] = json.dumps([list(asked.sqls), request.get("Parameters")]), statement
        if session is None:
            statement.start(connect, lambda connection: connection.close())
        else:
            session.statement = statement.id
            statement.start(
                lambda: self._connect_session(session, connect),
                lambda connection: self._sessions.give_back(session, connection),
            )
        return statement

    def _connect_session(self, session: Session, connect: Callable[[], Connection]) -> Connection:
        try:
            return connect()
        except (StatementError, OSError):
            self._sessions.end(session)
            raise

    def _connecting(self, asked: Request, request: Answer) -> tuple[Session | None, Callable[[], Connection]]:
        """What gives the connection that a statement runs on, and the session whose it is."""
        keep_alive = request.get("SessionKeepAliveSeconds")
        if session_id := request.get("SessionId"):
            if wrong := next((name for name in _WHERE if name in request), None):
                raise invalid(f"{wrong} must not be specified with SessionId")
            session = self._sessions.take(session_id, keep_alive)
            asked.members = {**session.members, "SessionId": session.id}
            return session, lambda: session.connection or self._connect(session.members)
        _check_where(request)
        members = dict(asked.members)
        if not keep_alive:
            return None, lambda: self._connect(members)
        session = self._sessions.begin(members, int(keep_alive))
        asked.members = {**members, "SessionId": session.id}
        return session, lambda: self._connect(members)

    def _connect(self, members: Answer) -> Connection:
        """Logs in: as DbUser, or else as the endpoint's own user, whom a secret or an IAM identity stands for."""
        login = self._logins.issue(members.get("DbUser") or self._user, _LOGIN_SECONDS)
        return Connection(self._port, login.login, login.password, members["Database"])

    # What became of it ---------------------------------------------------------------------------------------------

    def _find(self, request: Answer) -> tuple[Statement, Part | None]:
        part_id = _needed(request, "Id")
        with self._lock:
            statement = self._statements.get(part_id.partition(":")[0])
        part = statement.part(part_id) if statement else None
        if statement is None or (":" in part_id and part is None):
            raise not_found("Query does not exist.", part_id)
        return statement, part

    def _describe(self, request: Answer) -> Answer:
        statement, part = self._find(request)
        asked = statement.request
        one = part or statement.parts[0]
        answer = {
            "Id": request["Id"],
            **asked.members,
            "Status": part.status if part else statement.status,
            "CreatedAt": _seconds(statement.created),
            "UpdatedAt": _seconds(statement.updated),
            "Duration": sum(each.duration for each in statement.parts),
            "RedshiftPid": statement.process_id,
            "RedshiftQueryId": 0,
            "QueryString": one.sql,
            "HasResultSet": _has_result(statement),
            "ResultRows": one.result_rows,
            "ResultSize": one.result_size,
            "ResultFormat": asked.result_format,
            "QueryParameters": [{"name": name, "value": value} for name, value in asked.parameters.items()],
        }
        if error := (part.error if part else statement.error):
            answer["Error"] = error
        if asked.is_batch and part is None:
            del answer["QueryString"]
            answer["SubStatements"] = [_sub_statement(each) for each in statement.parts]
            answer["ExecutionMode"] = "TRANSACTION" if asked.in_transaction else "AUTO_COMMIT"
        return {name: value for name, value in answer.items() if value != []}

    def _finished(self, request: Answer) -> tuple[Statement, Part, list[list[str | None]], str | None]:
        statement, part = self._find(request)
        if part is None or part.status != FINISHED or not part.outcome.has_result:
            message = "Query does not have result. Please check query status with DescribeStatement."
            raise not_found(message, request["Id"])
        rows, token = catalogue.page(part.outcome.rows, request, results.PAGE_ROWS)
        return statement, part, rows, token

    def _result(self, request: Answer) -> Answer:
        statement, part, rows, token = self._finished(request)
        if statement.request.result_format == "CSV":
            raise invalid("The result is CSV: ask for it with GetStatementResultV2")
        return _with_token({
            "Records": results.records(part.columns, rows),
            "ColumnMetadata": part.columns,
            "TotalNumRows": len(part.outcome.rows),
        }, token)  # fmt: skip

    def _result_v2(self, request: Answer) -> Answer:
        statement, part, rows, token = self._finished(request)
        if statement.request.result_format != "CSV":
            raise invalid("The result is JSON: ask for it with GetStatementResult")
        return _with_token({
            "Records": results.csv_records(part.columns, rows, header=not request.get("NextToken")),
            "ColumnMetadata": part.columns,
            "TotalNumRows": len(part.outcome.rows),
            "ResultFormat": "CSV",
        }, token)  # fmt: skip

    def _cancel(self, request: Answer) -> Answer:
        statement, _ = self._find(request)
        if not statement.cancel():
            raise invalid(f"Could not cancel a query that is already in {statement.status} state.")
        return {"Status": True}

    def _list(self, request: Answer) -> Answer:
        """By default those that have finished, the newest first."""
        status, prefix = request.get("Status", FINISHED), request.get("StatementName", "")
        with self._lock:
            known = list(self._statements.values())
        kept = [
            statement
            for statement in reversed(known)
            if status in ("ALL", statement.status) and (statement.request.name or "").startswith(prefix)
            and all(request.get(name) in (None, statement.request.members.get(name)) for name in _WHERE[:3])
        ]  # fmt: skip
        shown, token = catalogue.page(kept, request, _MOST_LISTED)
        return _with_token({"Statements": [_listed(statement) for statement in shown]}, token)

    def _list_sessions(self, request: Answer) -> Answer:
        """By default those that are open, the newest first; or one, whatever its status is."""
        if session_id := request.get("SessionId"):
            if wrong := next((name for name in ("Status", *_WHERE[:3]) if name in request), None):
                raise invalid(f"{wrong} must not be specified with SessionId")
            kept = [session for session in self._sessions.listed() if session.id == session_id]
            if not kept:
                raise not_found(f"Session {session_id} does not exist", session_id)
        else:
            if all(request.get(name) for name in _WHERE[:2]):
                raise invalid("Only one of ClusterIdentifier and WorkgroupName can be specified")
            wanted = (request["Status"],) if request.get("Status") else (AVAILABLE, BUSY)
            kept = [
                session
                for session in self._sessions.listed()
                if session.status in wanted
                and all(request.get(name) in (None, session.members.get(name)) for name in _WHERE[:3])
            ]
        shown, token = catalogue.page(kept, request, _MOST_LISTED)
        return _with_token({"Sessions": [_listed_session(session, self._user) for session in shown]}, token)

    # The catalogue ---------------------------------------------------------------------------------------------

    def _look_up(self, request: Answer, ask: Callable[[Connection], list[Any]]) -> list[Any]:
        _check_where(request)
        database = request.get("ConnectedDatabase") or request["Database"]
        try:
            connection = self._connect({**request, "Database": database})
            try:
                return ask(connection)
            finally:
                connection.close()
        except StatementError as error:
            raise invalid(str(error)) from error

    def _list_databases(self, request: Answer) -> Answer:
        found, token = catalogue.page(self._look_up(request, catalogue.databases), request)
        return _with_token({"Databases": found}, token)

    def _list_schemas(self, request: Answer) -> Answer:
        found = self._look_up(request, lambda it: catalogue.schemas(it, request.get("SchemaPattern")))
        shown, token = catalogue.page(found, request)
        return _with_token({"Schemas": shown}, token)

    def _list_tables(self, request: Answer) -> Answer:
        patterns = request.get("SchemaPattern"), request.get("TablePattern")
        shown, token = catalogue.page(self._look_up(request, lambda it: catalogue.tables(it, *patterns)), request)
        return _with_token({"Tables": shown}, token)

    def _describe_table(self, request: Answer) -> Answer:
        names = request.get("Schema"), request.get("Table")
        shown, token = catalogue.page(self._look_up(request, lambda it: catalogue.columns(it, *names)), request)
        return _with_token({"ColumnList": shown, "TableName": request.get("Table", "")}, token)


def _needed(request: Answer, name: str) -> Any:  # noqa: ANN401 - as JSON has it
    if not request.get(name):
        raise invalid(f"{name} is required")
    return request[name]


def _check_where(request: Answer) -> None:
    """Raises where it is not said which cluster, or work group, and database is meant."""
    places = [name for name in _WHERE[:2] if request.get(name)]
    if len(places) != 1:
        raise invalid("Exactly one of ClusterIdentifier and WorkgroupName must be specified")
    if places == ["WorkgroupName"] and request.get("DbUser"):
        raise invalid("DbUser cannot be specified with WorkgroupName")
    if request.get("DbUser") and request.get("SecretArn"):
        raise invalid("Only one of DbUser and SecretArn can be specified")
    _needed(request, "Database")


def _seconds(moment: dt.datetime) -> float:
    return moment.timestamp()


def _has_result(statement: Statement) -> bool:
    return any(part.outcome.has_result for part in statement.parts)


def _with_token(answer: Answer, token: str | None) -> Answer:
    return answer if token is None else {**answer, "NextToken": token}


def _sub_statement(part: Part) -> Answer:
    answer = {
        "Id": part.id,
        "QueryString": part.sql,
        "Status": part.status,
        "CreatedAt": _seconds(part.created),
        "UpdatedAt": _seconds(part.updated),
        "Duration": part.duration,
        "HasResultSet": part.outcome.has_result,
        "ResultRows": part.result_rows,
        "ResultSize": part.result_size,
        "RedshiftQueryId": 0,
    }
    return {**answer, "Error": part.error} if part.error else answer


def _listed(statement: Statement) -> Answer:
    asked = statement.request
    answer = {
        "Id": statement.id,
        "Status": statement.status,
        "CreatedAt": _seconds(statement.created),
        "UpdatedAt": _seconds(statement.updated),
        "IsBatchStatement": asked.is_batch,
        "QueryString": asked.sqls[0],
        "QueryStrings": list(asked.sqls),
        "StatementName": asked.name,
        "QueryParameters": [{"name": name, "value": value} for name, value in asked.parameters.items()],
        "ResultFormat": asked.result_format,
        "SessionId": asked.members.get("SessionId"),
        "SecretArn": asked.members.get("SecretArn"),
    }
    return {name: value for name, value in answer.items() if value not in (None, [])}


def _listed_session(session: Session, user: str) -> Answer:
    answer = {
        "SessionId": session.id,
        "Status": session.status,
        "CreatedAt": _seconds(session.created),
        "UpdatedAt": _seconds(session.updated),
        **{name: session.members.get(name) for name in _WHERE[:3]},
        "DbUser": session.members.get("DbUser", user),
        "SessionAliveSeconds": session.keep_alive,
        "SessionTtl": None if session.status == BUSY else _seconds(session.ends),
        "CurrentStatementId": session.statement if session.status == BUSY else None,
    }
    return {name: value for name, value in answer.items() if value is not None}
