"""Where the Data API listens: AWS's JSON protocol on the loopback interface, for requests that are signed."""

import json
from http import HTTPStatus
from typing import Any

from dbt_local_aws.redshift.api_front import JSON_ERRORS, ApiFront
from dbt_local_aws.redshift.data_api.api import DataApi
from dbt_local_aws.redshift.data_api.errors import DataApiError
from dbt_local_aws.signatures import Keys, refusal

_CONTENT_TYPE = "application/x-amz-json-1.1"


class DataApiFront(ApiFront):
    """Answers on a port of its own."""

    http_version = "HTTP/1.1"

    def __init__(self, api: DataApi, keys: Keys) -> None:
        self._api = api
        self._keys = keys
        super().__init__("redshift-data-api")

    def stop(self) -> None:
        """Ends, and the statements that run with it."""
        super().stop()
        self._api.stop()

    def answer(self, environ: dict[str, Any], body: bytes) -> tuple[int, str, bytes]:
        """The answer to one request: status, content type and body."""
        try:
            status, answer = HTTPStatus.OK, self._answered(environ, body)
        except DataApiError as refused:
            status, answer = HTTPStatus.BAD_REQUEST, refused.answer()
        return status, _CONTENT_TYPE, json.dumps(answer).encode()

    def _answered(self, environ: dict[str, Any], body: bytes) -> dict[str, Any]:
        reason = refusal(environ, body, (self._keys,))
        if reason is not None:
            message = "The request is not signed with the keys that this endpoint printed."
            raise DataApiError(JSON_ERRORS[reason], message)
        operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
        return self._api.answer(operation, json.loads(body or b"{}"))
