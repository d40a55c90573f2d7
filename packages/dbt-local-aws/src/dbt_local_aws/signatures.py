"""Who may ask: requests to the endpoints are signed with the keys that they printed when they started.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\S+?),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True)
class Keys:
    """An access key and its secret."""

    access_key: str
    secret_key: str


def new_keys() -> Keys:
    """Keys that nobody guesses."""
    return Keys(f"AKIALOCAL{secrets.token_hex(6).upper()}", secrets.token_urlsafe(30))


@dataclass(frozen=True)
class Signature:
    """What a request says of its signature."""

    access_key: str
    scope: str
    headers: str
    signature: str
    date: str
    is_in_query: bool

    @property
    def service(self) -> str:
        """The service that it was signed for."""
        return self.scope.split("/")[2] if self.scope.count("/") == 3 else "s3"

    @property
    def region(self) -> str:
        """The region that it was signed for."""
        return self.scope.split("/")[1]


def signature_of(environ: dict[str, Any]) -> Signature | None:
    """The signature in a request's headers or, if its address was signed beforehand, in its query."""
    if found := _AUTHORIZATION.match(str(environ.get("HTTP_AUTHORIZATION", ""))):
        return Signature(found[1], found[2], found[3], found[4], str(environ.get("HTTP_X_AMZ_DATE", "")), False)
    query = {name: values[0] for name, values in parse_qs(str(environ.get("QUERY_STRING", ""))).items()}
    if "X-Amz-Credential" not in query:
        return None
    access_key, _, scope = query["X-Amz-Credential"].partition("/")
    return Signature(
        access_key, scope, query.get("X-Amz-SignedHeaders", ""), query.get("X-Amz-Signature", ""),
        query.get("X-Amz-Date", ""), True,
    )  # fmt: skip


def refusal(environ: dict[str, Any], body: bytes, known: Iterable[Keys]) -> str | None:
    """The name of the error with which a request is refused; None if it is signed as it should be.

    Args:
        environ: The request, as WSGI has it.
        body: What it says.
        known: The keys that it may be signed with.
    """
    signature = signature_of(environ)
    if signature is None or signature.scope.count("/") != 3:
        return "MissingAuthenticationToken"
    secret = next((keys.secret_key for keys in known if keys.access_key == signature.access_key), None)
    if secret is None:
        return "InvalidAccessKeyId"
    expected = _expected(environ, body, signature, secret)
    return None if hmac.compare_digest(expected, signature.signature) else "SignatureDoesNotMatch"


def _expected(environ: dict[str, Any], body: bytes, signature: Signature, secret: str) -> str:
    path, _, query = str(environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")
    names = signature.headers.split(";")
    headers = "".join(f"{name}:{_header(environ, name)}\n" for name in names)
    if signature.is_in_query:
        content = "UNSIGNED-PAYLOAD"
    else:
        content = str(environ.get("HTTP_X_AMZ_CONTENT_SHA256") or hashlib.sha256(body).hexdigest())
    lines = (
        environ["REQUEST_METHOD"],
        quote(unquote(path), safe="/-_.~"),
        _query(query),
        headers,
        signature.headers,
        content,
    )
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    to_sign = "\n".join(("AWS4-HMAC-SHA256", signature.date, signature.scope, request))
    key = f"AWS4{secret}".encode()
    for part in signature.scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def _header(environ: dict[str, Any], name: str) -> str:
    key = name.upper().replace("-", "_")
    value = environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}", "")
    return " ".join(str(value).split())


def _query(query: str) -> str:
    pairs = []
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name != "X-Amz-Signature":
            pairs.append((quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~")))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
