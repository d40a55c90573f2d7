"""Where an API of AWS's listens on the loopback interface: a thread, a port, and one answer to each request."""

import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

_POLL_SECONDS = 0.05  # how long its end may take
# What is wrong with a signature, as services that speak JSON call it
JSON_ERRORS = {
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "InvalidAccessKeyId": "UnrecognizedClientException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
}


class ApiFront(ABC):
    """Answers on a port of its own."""

    http_version: ClassVar[str] = "HTTP/1.0"

    def __init__(self, thread_name: str) -> None:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = front.http_version

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status, content_type, answer = front.answer(self._environ(), body)
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def _environ(self) -> dict[str, Any]:
                """The request, as WSGI has it."""
                headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
                return {
                    **headers,
                    "REQUEST_METHOD": self.command,
                    "REQUEST_URI": self.path,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
                }

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server has
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(_POLL_SECONDS,), name=thread_name, daemon=True)

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

    @abstractmethod
    def answer(self, environ: dict[str, Any], body: bytes) -> tuple[int, str, bytes]:
        """The answer to one request: status, content type and body."""
