"""What answers requests at the endpoint's one address: Athena's this package, those of S3, Glue and STS moto."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from dbt_local_aws.athena import glue_front
from dbt_local_aws.athena.api import AthenaApi
from dbt_local_aws.athena.errors import InvalidRequestError
from dbt_local_aws.athena.keys import known_keys
from dbt_local_aws.athena.recording import Recorder
from dbt_local_aws.moto_services import MotoServices
from dbt_local_aws.signatures import Keys, refusal, signature_of

_TARGET_PREFIX = "AmazonAthena."
_JSON = "application/x-amz-json-1.1"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class QuietHandler(MotoRequestHandler):
    """Answers without a line in the terminal for every request."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is werkzeug's
        """Say nothing."""


class Application:
    """Sends Athena's requests to this package and all others to moto, one at a time; asks everybody for the keys."""

    def __init__(self, api: AthenaApi, keys: Keys, region: str) -> None:
        self._api = api
        self._keys = keys
        self._region = region
        self._recorder = Recorder()
        self._moto = MotoServices()
        # moto's S3 lists its keys while another thread may be adding one, and then fails.
        self._moto_lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request, as WSGI has it."""
        target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
        # Read before the lock: a slow client must not keep the others waiting.
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        signature = signature_of(environ)
        if reason := refusal(environ, body, known_keys(self._keys)):
            return _refuse(reason, signature.service if signature else "s3", start_response)
        region = signature.region if signature else self._region
        self._recorder.note(signature.service if signature else "s3", environ, body)
        if target.startswith(_TARGET_PREFIX):
            return self._athena(target.removeprefix(_TARGET_PREFIX), body, region, start_response)
        if target.startswith(glue_front.GLUE_PREFIX) and (request := glue_front.parsed(body)) is not None:
            return self._glue(target.removeprefix(glue_front.GLUE_PREFIX), request, region, environ, start_response)
        environ["wsgi.input"] = io.BytesIO(body)
        with self._moto_lock:
            return list(self._moto(environ, start_response))

    def _athena(self, operation: str, body: bytes, region: str, start_response: StartResponse) -> Iterable[bytes]:
        message = f"this endpoint is in {self._region}: there is no Athena in {region}"
        if region == self._region:
            try:
                return _answer("200 OK", self._api.call(operation, json.loads(body or b"{}")), start_response)
            except InvalidRequestError as error:
                message = str(error)
        answer = {"__type": "InvalidRequestException", "Message": message, "message": message}
        return _answer("400 Bad Request", answer, start_response)

    def _glue(
        self, operation: str, request: dict[str, Any], region: str, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        request = glue_front.as_glue_takes_it(operation, request)
        with self._moto_lock:
            try:
                own = glue_front.own_answer(operation, request, region)
            except glue_front.ConcurrentModificationError:
                message = "Update table failed due to concurrent modifications."
                answer = {"__type": "ConcurrentModificationException", "Message": message, "message": message}
                return _answer("400 Bad Request", answer, start_response)
            if own is not None:
                return _answer("200 OK", own, start_response)
            body = json.dumps(request).encode()
            environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(len(body)), io.BytesIO(body)
            return list(self._moto(environ, start_response))


def _answer(status: str, answer: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    content = json.dumps(answer).encode()
    start_response(status, [("Content-Type", _JSON), ("Content-Length", str(len(content)))])
    return [content]


def _refuse(reason: str, service: str, start_response: StartResponse) -> list[bytes]:
    message = "The request is not signed with the keys that this endpoint printed when it started."
    if service in ("athena", "glue"):
        return _answer("400 Bad Request", {"__type": "UnrecognizedClientException", "message": message}, start_response)
    error = f"<Error><Code>{reason}</Code><Message>{message}</Message></Error>"
    content = (error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>").encode()
    start_response("403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(content)))])
    return [content]
