"""The part of AWS's API that clients ask for temporary passwords: Redshift's own and that of Redshift Serverless.

A password is given to who has signed the request with the keys that the endpoint printed:
https://docs.aws.amazon.com/redshift/latest/APIReference/CommonErrors.html
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from dbt_local_aws.redshift.api_front import JSON_ERRORS, ApiFront
from dbt_local_aws.redshift.credentials import TemporaryLogins
from dbt_local_aws.signatures import Keys, refusal

_NAMESPACE = "http://redshift.amazonaws.com/doc/2012-12-01/"
_SHORTEST, _LONGEST = 900, 3600
_DEFAULT_SECONDS = 900
_ACCESS_KEY, _SECRET_KEY = "LOCAL_REDSHIFT_ACCESS_KEY_ID", "LOCAL_REDSHIFT_SECRET_ACCESS_KEY"
_XML_ERRORS = {
    "MissingAuthenticationToken": "MissingAuthenticationToken",
    "InvalidAccessKeyId": "InvalidClientTokenId",
    "SignatureDoesNotMatch": "SignatureDoesNotMatch",
}
_MESSAGES = {
    "MissingAuthenticationToken": "Request is missing Authentication Token",
    "InvalidAccessKeyId": "The security token included in the request is invalid.",
    "SignatureDoesNotMatch": "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method.",
}


def keys_variables(keys: Keys) -> dict[str, str]:
    """The variables by which a process is told which keys to ask for."""
    return {_ACCESS_KEY: keys.access_key, _SECRET_KEY: keys.secret_key}


def keys_given(environment: Mapping[str, str]) -> Keys | None:
    """The keys that this process was told to ask for, if it was."""
    if _ACCESS_KEY not in environment or _SECRET_KEY not in environment:
        return None
    return Keys(environment[_ACCESS_KEY], environment[_SECRET_KEY])


class ApiError(Exception):
    """A request that is refused, with AWS's name for the reason."""

    def __init__(self, code: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(message)


def _check_signed(reason: str | None, codes: Mapping[str, str], status: HTTPStatus) -> None:
    if reason is not None:
        raise ApiError(codes[reason], _MESSAGES[reason], status)


class CredentialsApi(ApiFront):
    """Answers GetClusterCredentials, DescribeClusters, GetCredentials and GetWorkgroup on a port of its own."""

    def __init__(self, logins: TemporaryLogins, user: str, database: str, redshift_port: int, keys: Keys) -> None:
        self._keys = keys
        self._logins = logins
        self._user = user
        self._database = database
        self._redshift_port = redshift_port
        super().__init__("redshift-credentials-api")

    def answer(self, environ: dict[str, Any], body: bytes) -> tuple[int, str, bytes]:
        """The answer to one request: status, content type and body."""
        reason = refusal(environ, body, (self._keys,))
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        if target:
            return self._answer_json(target.rpartition(".")[2], body, reason)
        return self._answer_xml({name: values[0] for name, values in parse_qs(body.decode()).items()}, reason)

    def _answer_json(self, action: str, body: bytes, reason: str | None) -> tuple[int, str, bytes]:
        status = HTTPStatus.OK
        try:
            _check_signed(reason, JSON_ERRORS, HTTPStatus.BAD_REQUEST)
            answer = self._serverless(action, json.loads(body or b"{}"))
        except ApiError as error:
            status, answer = error.status, {"__type": error.code, "message": error.message}
        return status, "application/x-amz-json-1.1", json.dumps(answer).encode()

    def _answer_xml(self, form: dict[str, str], reason: str | None) -> tuple[int, str, bytes]:
        action = form.get("Action", "")
        status = HTTPStatus.OK
        try:
            _check_signed(reason, _XML_ERRORS, HTTPStatus.FORBIDDEN)
            result = self._cluster(action, form)
            answer = (
                f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{result}</{action}Result></{action}Response>'
            )
        except ApiError as error:
            status = error.status
            answer = (
                f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{error.code}</Code>'
                f"<Message>{escape(error.message)}</Message></Error></ErrorResponse>"
            )
        return status, "text/xml", answer.encode()

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
