"""Notes what is asked of the endpoint, and by which program: so a project learns which rights it needs on AWS.

`DBT_LOCAL_AWS_REQUESTS=requests.jsonl dbt-local-aws -- COMMAND …` writes a line of JSON for each kind of request, once.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

VARIABLE = "DBT_LOCAL_AWS_REQUESTS"
_FOLDERS = 2  # of a key that are noted
_BY_TARGET = re.compile(r"\w+\.(\w+)")
_LISTED_KEY = re.compile(rb"<Key>([^<]*)</Key>")
_S3_OF_A_BUCKET = {
    "GET": {
        "versions": "ListObjectVersions",
        "uploads": "ListMultipartUploads",
        "location": "GetBucketLocation",
        "list-type": "ListObjectsV2",
        "": "ListObjects",
    },
    "HEAD": {"": "HeadBucket"},
    "PUT": {"": "CreateBucket"},
    "POST": {"delete": "DeleteObjects"},
    "DELETE": {"": "DeleteBucket"},
}
_S3_OF_AN_OBJECT = {
    "GET": {"uploadId": "ListParts", "": "GetObject"},
    "HEAD": {"": "HeadObject"},
    "PUT": {"partNumber": "UploadPart", "": "PutObject"},
    "POST": {"uploads": "CreateMultipartUpload", "uploadId": "CompleteMultipartUpload"},
    "DELETE": {"uploadId": "AbortMultipartUpload", "": "DeleteObject"},
}
"""S3's operations by method and by the parameter that tells them apart: AmazonS3/latest/API/API_Operations.html."""


@dataclass(frozen=True)
class Asked:
    """A kind of request.

    Attributes:
        service: As requests are signed for it.
        operation: Its name in the service's API.
        resource: Bucket and the first folders of a key; the database of Glue; "" of other services.
        agent: What the client says of itself.
    """

    service: str
    operation: str
    resource: str
    agent: str


class Recorder:
    """Appends what is new to a file; without one it does nothing."""

    def __init__(self, path: str = "") -> None:
        """Takes the file, by default the one that the environment names."""
        self._path = path or os.environ.get(VARIABLE, "")
        self._known: set[Asked] = set()
        self._lock = threading.Lock()

    def note(self, service: str, environ: Mapping[str, Any], body: bytes) -> None:
        """Notes a request, as WSGI has it."""
        if not self._path:
            return
        asked = _asked(service, environ, body)
        with self._lock:
            if asked not in self._known:
                self._known.add(asked)
                with open(self._path, "a", encoding="utf-8") as file:  # noqa: PTH123 - appends
                    file.write(json.dumps(asdict(asked)) + "\n")


def _asked(service: str, environ: Mapping[str, Any], body: bytes) -> Asked:
    agent = str(environ.get("HTTP_USER_AGENT", ""))
    if service == "s3":
        return Asked(service, *_of_s3(environ, body), agent)
    if target := _BY_TARGET.fullmatch(str(environ.get("HTTP_X_AMZ_TARGET", ""))):
        request = json.loads(body or b"{}")
        database = str(request.get("DatabaseName") or request.get("Name") or "") if service == "glue" else ""
        return Asked(service, target[1], database, agent)
    return Asked(service, parse_qs(body.decode()).get("Action", [""])[0], "", agent)


def _of_s3(environ: Mapping[str, Any], body: bytes) -> tuple[str, str]:
    """The operation, and what it is about; the method and parameters of one that is not known here."""
    method = str(environ["REQUEST_METHOD"])
    query = parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    bucket, _, key = unquote(str(environ["PATH_INFO"])).lstrip("/").partition("/")
    by_parameter = (_S3_OF_AN_OBJECT if key else _S3_OF_A_BUCKET).get(method, {})
    operation = next((name for parameter, name in by_parameter.items() if not parameter or parameter in query), None)
    operation = operation or f"{method} {' '.join(sorted(query))}"
    if "HTTP_X_AMZ_COPY_SOURCE" in environ:
        operation = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}.get(operation, operation)
    listed = _LISTED_KEY.search(body) if operation == "DeleteObjects" else None  # the first stands for all
    place = listed[1].decode() if listed else key or query.get("prefix", [""])[0]
    return operation, "/".join([bucket, *place.split("/")[:-1][:_FOLDERS]])
