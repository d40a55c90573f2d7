"""The part of AWS's API that clients ask for temporary passwords: Redshift's own and that of Redshift Serverless."""

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from dbt_local_aws.redshift.credentials import TemporaryLogins

_NAMESPACE = "http://redshift.amazonaws.com/doc/2012-12-01/"
_SHORTEST, _LONGEST = 900, 3600
_DEFAULT_SECONDS = 900


class ApiError(Exception):
    """A request that is refused, with AWS's name for the reason."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class CredentialsApi:
    """Answers GetClusterCredentials, DescribeClusters, GetCredentials and GetWorkgroup on a port of its own."""

    def __init__(self, logins: TemporaryLogins, user: str, database: str, redshift_port: int) -> None:
        self._logins = logins
        self._user = user
        self._database = database
        self._redshift_port = redshift_port
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                body = self.rfile.read(length).decode()
                target = self.headers.get("X-Amz-Target", "")
                status, content_type, answer = api.answer(target, body)
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server has
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="redshift-credentials-api", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Begins to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Ends."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, target: str, body: str) -> tuple[int, str, bytes]:
        """The answer to one request: status, content type and body."""
        if target:
            try:
                answer = self._serverless(target.rpartition(".")[2], json.loads(body or "{}"))
            except ApiError as error:
                refusal = {"__type": error.code, "message": error.message}
                return HTTPStatus.BAD_REQUEST, "application/x-amz-json-1.1", json.dumps(refusal).encode()
            return HTTPStatus.OK, "application/x-amz-json-1.1", json.dumps(answer).encode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        action = form.get("Action", "")
        try:
            result = self._cluster(action, form)
        except ApiError as error:
            refusal_xml = (
                f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{error.code}</Code>'
                f"<Message>{escape(error.message)}</Message></Error></ErrorResponse>"
            )
            return HTTPStatus.BAD_REQUEST, "text/xml", refusal_xml.encode()
        answer_xml = (
            f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{result}</{action}Result></{action}Response>'
        )
        return HTTPStatus.OK, "text/xml", answer_xml.encode()

    def _cluster(self, action: str, form: dict[str, str]) -> str:
        if action == "DescribeClusters":
            name = form.get("ClusterIdentifier", "local")
            return (
                f"<Clusters><Cluster><ClusterIdentifier>{escape(name)}</ClusterIdentifier><ClusterStatus>available</ClusterStatus>"
                f"<DBName>{escape(self._database)}</DBName><MasterUsername>{escape(self._user)}</MasterUsername>"
                f"<Endpoint><Address>localhost</Address><Port>{self._redshift_port}</Port></Endpoint></Cluster></Clusters>"
            )
        if action != "GetClusterCredentials":
            raise ApiError("InvalidAction", f"{action} is not emulated by the local Redshift endpoint")
        if any(name.startswith("DbGroups") for name in form):
            raise ApiError("InvalidParameterValue", "DbGroups is not emulated by the local Redshift endpoint")
        given = self._logins.issue(
            form.get("DbUser", ""),
            self._seconds(form.get("DurationSeconds")),
            creates_user=form.get("AutoCreate", "false").lower() == "true",
        )
        return (
            f"<DbUser>{escape(given.login)}</DbUser><DbPassword>{escape(given.password)}</DbPassword>"
            f"<Expiration>{given.expires.strftime('%Y-%m-%dT%H:%M:%SZ')}</Expiration>"
        )

    def _serverless(self, action: str, request: dict[str, Any]) -> dict[str, Any]:
        if action == "GetWorkgroup":
            endpoint = {"address": "localhost", "port": self._redshift_port}
            return {
                "workgroup": {
                    "workgroupName": request.get("workgroupName"),
                    "endpoint": endpoint,
                    "status": "AVAILABLE",
                }
            }
        if action != "GetCredentials":
            raise ApiError("UnknownOperationException", f"{action} is not emulated by the local Redshift endpoint")
        # the IAM identity says who logs in, and there is none here: the endpoint's own user does
        given = self._logins.issue(self._user, self._seconds(request.get("durationSeconds")))
        return {"dbUser": given.login, "dbPassword": given.password, "expiration": given.expires.timestamp()}

    @staticmethod
    def _seconds(asked: str | int | None) -> int:
        seconds = int(asked) if asked is not None else _DEFAULT_SECONDS
        if not _SHORTEST <= seconds <= _LONGEST:
            raise ApiError(
                "InvalidParameterValue", f"Token duration must be between {_SHORTEST} and {_LONGEST} seconds"
            )
        return seconds
