"""S3 as the endpoint itself uses it: looks whether a place is empty, lists partitions, and leaves result files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dbt_local_aws.athena.errors import AthenaError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


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
    """Objects by location."""

    def __init__(self, client: S3Client) -> None:
        self._client = client

    def below(self, location: str) -> Iterator[str]:
        """The addresses below a location; hidden names are left out, as Athena does."""
        bucket, prefix = split_uri(as_folder(location))
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                if not any(part[:1] in ("_", ".") for part in item["Key"][len(prefix) :].split("/")):
                    yield f"s3://{bucket}/{item['Key']}"

    def is_empty(self, location: str) -> bool:
        """Whether nothing at all lies below the location.

        Raises:
            AthenaError: There is no such bucket.
        """
        bucket, prefix = split_uri(as_folder(location))
        try:
            answer = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        except self._client.exceptions.NoSuchBucket as error:
            raise AthenaError("HIVE_FILESYSTEM_ERROR", f"The specified bucket does not exist: {bucket}") from error
        return not answer.get("Contents")

    def put(self, uri: str, content: bytes, content_type: str = "application/octet-stream") -> None:
        """Write one object."""
        bucket, key = split_uri(uri)
        self._client.put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)

    def upload(self, uri: str, path: Path, content_type: str) -> None:
        """Write one object from a file."""
        bucket, key = split_uri(uri)
        self._client.upload_file(str(path), bucket, key, ExtraArgs={"ContentType": content_type})
