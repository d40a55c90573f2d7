"""S3 as the query engine uses it: lists, downloads once, writes and deletes objects."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from local_aws.athena.errors import AthenaError, NotEmulatedError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_DOWNLOADS = 4
_DIGEST_LENGTH = 40


@dataclass(frozen=True)
class S3Object:
    """One version of one object."""

    bucket: str
    key: str
    size: int
    etag: str
    modified: datetime

    @property
    def uri(self) -> str:
        """Its `s3://` address."""
        return f"s3://{self.bucket}/{self.key}"


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` address."""
    found = re.fullmatch(r"s3a?://([^/]+)/?(.*)", uri, re.DOTALL)
    if not found:
        raise AthenaError("INVALID_TABLE_PROPERTY", f"Not an S3 location: {uri}")
    return found[1], found[2]


def as_folder(uri: str) -> str:
    """The location with exactly one slash at its end."""
    return uri.rstrip("/") + "/"


class ObjectStore:
    """Objects by location. What was downloaded is kept under its version, so no statement reads a stale copy."""

    def __init__(self, client: S3Client, cache: Path) -> None:
        self._client = client
        self._cache = cache

    def below(self, location: str) -> list[S3Object]:
        """The objects below a location that hold data: hidden names and empty objects are left out, as Athena does."""
        bucket, prefix = split_uri(as_folder(location))
        found = []
        try:
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    hidden = any(part[:1] in ("_", ".") for part in item["Key"][len(prefix) :].split("/"))
                    if not hidden and item["Size"]:
                        found.append(S3Object(bucket, item["Key"], item["Size"], item["ETag"], item["LastModified"]))
        except self._client.exceptions.NoSuchBucket as error:
            raise AthenaError("HIVE_FILESYSTEM_ERROR", f"The specified bucket does not exist: {bucket}") from error
        return found

    def is_empty(self, location: str) -> bool:
        """Whether nothing at all lies below the location."""
        bucket, prefix = split_uri(as_folder(location))
        try:
            answer = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        except self._client.exceptions.NoSuchBucket as error:
            raise AthenaError("HIVE_FILESYSTEM_ERROR", f"The specified bucket does not exist: {bucket}") from error
        return not answer.get("Contents")

    def head(self, uri: str) -> S3Object:
        """One object that is known to exist."""
        bucket, key = split_uri(uri)
        answer = self._client.head_object(Bucket=bucket, Key=key)
        return S3Object(bucket, key, answer["ContentLength"], answer["ETag"], answer["LastModified"])

    def read(self, uri: str) -> bytes:
        """The bytes of one object."""
        bucket, key = split_uri(uri)
        return self._client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def local_path(self, item: S3Object) -> Path:
        """Where the object's copy lies. The path ends with bucket and key, after `path_prefix_length` characters."""
        if any(part in ("", ".", "..") for part in item.key.split("/")):
            raise NotEmulatedError(f"the object key {item.key!r}, which is not a path")
        version = hashlib.sha1(f"{item.etag} {item.size} {item.modified}".encode(), usedforsecurity=False).hexdigest()
        return self._cache / version / item.bucket / quote(item.key)

    @property
    def path_prefix_length(self) -> int:
        """How many characters of a local path come before `bucket/key`."""
        return len(str(self._cache)) + 1 + _DIGEST_LENGTH + 1

    def fetch(self, items: Iterable[S3Object]) -> list[Path]:
        """Local copies of the objects, downloaded where they are not there yet."""
        pairs = [(item, self.local_path(item)) for item in items]
        missing = [(item, path) for item, path in pairs if not path.exists()]
        if len(missing) > _DOWNLOADS:
            with ThreadPoolExecutor(_DOWNLOADS) as pool:
                list(pool.map(lambda pair: self._download(*pair), missing))
        else:
            for item, path in missing:
                self._download(item, path)
        return [path for _, path in pairs]

    def _download(self, item: S3Object, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        body = self._client.get_object(Bucket=item.bucket, Key=item.key)["Body"]
        with tempfile.NamedTemporaryFile(dir=self._cache, delete=False) as file:
            shutil.copyfileobj(body, file)
        # Whole or not at all: another statement may be fetching the same object.
        Path(file.name).replace(path)

    def upload(self, path: Path, location: str, name: str) -> str:
        """Put a local file below a location and tell its address."""
        uri = as_folder(location) + name
        bucket, key = split_uri(uri)
        with path.open("rb") as file:
            self._client.put_object(Bucket=bucket, Key=key, Body=file)
        return uri

    def put(self, uri: str, content: bytes, content_type: str = "application/octet-stream") -> None:
        """Write one object."""
        bucket, key = split_uri(uri)
        self._client.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)

    def delete(self, location: str) -> None:
        """Delete everything below a location."""
        bucket, prefix = split_uri(as_folder(location))
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            if keys := [item["Key"] for item in page.get("Contents", [])]:
                self._client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})

    def temporary_file(self, suffix: str) -> Path:
        """A path of its own for something that is about to be uploaded."""
        return self._cache / f"{uuid.uuid4().hex}{suffix}"
