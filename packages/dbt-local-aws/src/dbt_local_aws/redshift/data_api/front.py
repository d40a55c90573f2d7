"""Where the Data API listens: AWS's JSON protocol on the loopback interface, for requests that are signed."""

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dbt_local_aws.redshift.data_api.api import DataApi
from dbt_local_aws.redshift.data_api.errors import DataApiError
from dbt_local_aws.signatures import Keys, refusal

_CONTENT_TYPE = "application/x-amz-json-1.1"
_POLL_SECONDS = 0.05  # how long its end may take
# What is wrong with a signature, as services that speak JSON call it
_ERRORS = {
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "InvalidAccessKeyId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
}


class DataApiFront:
    """Answers on a port of its own."""

    def __init__(self, api: DataApi, keys: Keys) -> None:
        self._api = api
        self._keys = keys
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
                request = {
                    **headers,
                    "REQUEST_METHOD": self.command,
                    "REQUEST_URI": self.path,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
                }
                status, answer = front.answer(request, body)
                self.send_response(status)
                self.send_header("Content-Type", _CONTENT_TYPE)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server has
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="redshift-data-api", daemon=True
        )

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
        self._api.stop()

    def answer(self, request: dict[str, Any], body: bytes) -> tuple[int, bytes]:
        """The answer to one request: status and body."""
        reason = refusal(request, body, (self._keys,))
        if reason is not None:
            error = DataApiError(_ERRORS[reason], "The request is not signed with the keys that this endpoint printed.")
            return HTTPStatus.BAD_REQUEST, json.dumps(error.answer()).encode()
        operation = str(request.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
        try:
            return HTTPStatus.OK, json.dumps(self._api.answer(operation, json.loads(body or b"{}"))).encode()
        except DataApiError as refused:
            return HTTPStatus.BAD_REQUEST, json.dumps(refused.answer()).encode()
