"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dbt_local_aws.athena.errors import InvalidRequestError

Request = dict[str, Any]
Response = dict[str, Any]


def window(length: int, request: Request, most: int) -> tuple[int, int, str | None]:
    """Where the page that is asked for begins, how long it is, and what to ask for the next one with."""
    token, size = request.get("NextToken"), int(request.get("MaxResults") or most)
    if not 1 <= size <= most:
        raise InvalidRequestError(f"MaxResults is more than maximum allowed length {most}")
    if token is not None and not str(token).isdigit():
        raise InvalidRequestError("Invalid NextToken")
    at = int(token or 0)
    return at, size, str(at + size) if at + size < length else None


def page(items: Sequence[Any], request: Request, most: int) -> tuple[list[Any], str | None]:
    """The items of a page, and the next page's token."""
    at, size, token = window(len(items), request, most)
    return list(items[at : at + size]), token


def with_token(response: Response, token: str | None) -> Response:
    """The response with the next page's token, if there is one."""
    return {**response, "NextToken": token} if token else response
