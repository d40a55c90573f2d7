"""The S3 that COPY reads from: its files, manifests and JSONPaths."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.exceptions

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.json_records import JsonPath, parse_path
from dbt_local_aws.redshift.errors import (
    INTERNAL_ERROR,
    RedshiftError,
)

_PIECE_BYTES = 1 << 18


class S3:
    """The S3 of the endpoint URL, and no other: without one, nothing is read.

    Every bucket must be in the region that COPY names, or else in the cluster's:
    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-s3.html#copy-region.
    """

    def __init__(self, environment: LoadEnvironment, region: str | None) -> None:
        if environment.endpoint_url is None:
            raise RedshiftError(
                INTERNAL_ERROR,
                "the local Redshift endpoint was started without an S3 endpoint",
                hint="Give s3_endpoint_url, or --s3-endpoint-url on the command line.",
            )
        credentials = boto3.Session().get_credentials()
        self._client = boto3.client(
            "s3",
            endpoint_url=environment.endpoint_url,
            region_name=environment.region,
            aws_access_key_id=credentials.access_key if credentials else "local",
            aws_secret_access_key=credentials.secret_key if credentials else "local",
            aws_session_token=credentials.token if credentials else None,
        )
        self._region = region or environment.region
        self._known_buckets: set[str] = set()

    def read(self, url: str) -> bytes:
        """The bytes of a small object."""
        return b"".join(self.pieces(url))

    def pieces(self, url: str) -> Iterator[bytes]:
        """The bytes of an object, as they come."""
        bucket, key = self._split(url)
        try:
            yield from self._client.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(_PIECE_BYTES)
        except botocore.exceptions.BotoCoreError as error:
            raise RedshiftError(INTERNAL_ERROR, f"S3ServiceException: {error}", detail=f"key: {key}") from error
        except botocore.exceptions.ClientError as error:
            details: Any = error.response.get("Error", {})
            raise RedshiftError(
                INTERNAL_ERROR,
                f"S3ServiceException:{details.get('Message')}",
                detail=f"error: {details.get('Code')}, key: {key}",
            ) from error

    def exists(self, url: str) -> bool:
        """Whether there is an object."""
        bucket, key = self._split(url)
        try:
            self._client.head_object(Bucket=bucket, Key=key)
        except botocore.exceptions.ClientError:
            return False
        return True

    def list(self, prefix_url: str) -> list[str]:
        """The objects whose names begin like this."""
        bucket, prefix = self._split(prefix_url)
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            found = [item["Key"] for page in pages for item in page.get("Contents", [])]
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise RedshiftError(INTERNAL_ERROR, f"S3ServiceException: {error}") from error
        return [f"s3://{bucket}/{key}" for key in sorted(found)]

    def _split(self, url: str) -> tuple[str, str]:
        """The bucket and the key of a URL; raises where the bucket is in another region."""
        bucket, key = _split(url)
        if bucket not in self._known_buckets:
            self._check_region(bucket)
            self._known_buckets.add(bucket)
        return bucket, key

    def _check_region(self, bucket: str) -> None:
        try:
            region = self._client.head_bucket(Bucket=bucket).get("BucketRegion", self._region)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return  # what is asked of the bucket next fails, and says why
        if region != self._region:
            raise RedshiftError(
                INTERNAL_ERROR,
                "S3ServiceException:The bucket you are attempting to access must be addressed using the specified "
                "endpoint. Please send all future requests to this endpoint.,Status 301,Error PermanentRedirect",
                detail=f"bucket: {bucket}",
                hint=f"The bucket is in {region}, COPY looks in {self._region}: name the bucket's with REGION.",
            )


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def files_of(command: CopyCommand, bucket: S3) -> list[str]:
    """The files that a command names: those below a prefix, or a manifest's."""
    if not command.manifest:
        files = bucket.list(command.source)
        if not files:
            raise RedshiftError(INTERNAL_ERROR, f"The specified S3 prefix '{_split(command.source)[1]}' does not exist")
        return files
    if not bucket.exists(command.source):
        raise RedshiftError(
            INTERNAL_ERROR, "COPY with MANIFEST parameter requires full path of an S3 object.", detail=command.source
        )
    entries = _json_of(bucket, command.source, "entries", "manifest file")
    files = []
    for entry in entries:
        url = entry.get("url") if isinstance(entry, dict) else None
        if not isinstance(url, str) or not url.startswith("s3://"):
            raise RedshiftError(INTERNAL_ERROR, f"Invalid manifest file {command.source}: an entry has no url")
        if bucket.exists(url):
            files.append(url)
        elif entry.get("mandatory", False):
            raise RedshiftError(
                INTERNAL_ERROR,
                f"Problem reading manifest file - S3ServiceException: the mandatory file {url} does not exist",
            )
    return files


def paths_of(command: CopyCommand, columns: list[Column], bucket: S3) -> list[JsonPath] | None:
    """The JSONPaths of a command, one for each column; None where it has none."""
    if not command.json.startswith("s3://"):
        return None
    expressions = _json_of(bucket, command.json, "jsonpaths", "JSONPath file")
    paths = []
    for expression in expressions:
        path = parse_path(expression) if isinstance(expression, str) else None
        if path is None:
            raise RedshiftError(INTERNAL_ERROR, f"Invalid JSONPath format: {expression}")
        paths.append(path)
    if len(paths) != len(columns):
        raise RedshiftError(
            INTERNAL_ERROR,
            "Number of jsonpaths and the number of columns should match. "
            f"JSONPath size: {len(paths)}, Number of columns in table or column list: {len(columns)}",
        )
    return paths


def _json_of(bucket: S3, url: str, key: str, what: str) -> list[Any]:
    try:
        document = json.loads(bucket.read(url))
    except ValueError as error:
        raise RedshiftError(INTERNAL_ERROR, f"Invalid {what} {url}", detail=str(error)) from error
    items = document.get(key) if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise RedshiftError(INTERNAL_ERROR, f'Invalid {what} {url}: there is no list "{key}"')
    return items
