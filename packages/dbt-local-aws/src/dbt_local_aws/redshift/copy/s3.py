"""The S3 that COPY reads from and UNLOAD writes to: its files, manifests and JSONPaths."""

import io
import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import IO, Any

import boto3
import boto3.exceptions
import botocore.exceptions
import urllib3.exceptions

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.json_records import JsonPath, parse_path
from dbt_local_aws.redshift.errors import (
    INTERNAL_ERROR,
    RedshiftError,
)


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
        """The bytes of an object."""
        with closing(self.open(url)) as file:
            return b"".join(iter(lambda: file.read(1 << 18), b""))

    def open(self, url: str) -> "S3File":
        """An object, to be read from its beginning to its end."""
        bucket, key = self._split(url)
        with _as_redshift_says_it(key):
            answer = self._client.get_object(Bucket=bucket, Key=key)
        return S3File(key, answer["Body"], int(answer["ContentLength"]))

    def put(self, url: str, content: IO[bytes]) -> None:
        """Writes an object."""
        bucket, key = self._split(url)
        with _as_redshift_says_it(key):
            self._client.upload_fileobj(content, bucket, key)

    def delete(self, urls: Iterable[str]) -> None:
        """Removes objects."""
        for url in urls:
            bucket, key = self._split(url)
            with _as_redshift_says_it(key):
                self._client.delete_object(Bucket=bucket, Key=key)

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


class S3File(io.RawIOBase):
    """An object that is read in pieces."""

    def __init__(self, key: str, body: Any, length: int) -> None:  # noqa: ANN401 - botocore's body has no types
        super().__init__()
        self._key = key
        self._body = body
        self.length = length

    def readable(self) -> bool:
        """It can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Reads on."""
        with _as_redshift_says_it(self._key):
            content: bytes = self._body.read(None if size < 0 else size)
        return content

    def close(self) -> None:
        """Ends the connection."""
        self._body.close()
        super().close()


@contextmanager
def _as_redshift_says_it(key: str) -> Iterator[None]:
    try:
        yield
    except (botocore.exceptions.BotoCoreError, boto3.exceptions.Boto3Error, urllib3.exceptions.HTTPError) as error:
        raise RedshiftError(INTERNAL_ERROR, f"S3ServiceException: {error}", detail=f"key: {key}") from error
    except botocore.exceptions.ClientError as error:
        details: Any = error.response.get("Error", {})
        raise RedshiftError(
            INTERNAL_ERROR,
            f"S3ServiceException:{details.get('Message')}",
            detail=f"error: {details.get('Code')}, key: {key}",
        ) from error


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


def files_of(command: CopyCommand, bucket: S3, *, needs_length: bool = False) -> list[str]:
    """The files that a command names: those below a prefix, or a manifest's.

    A manifest of columnar files has their lengths ("loading-data-files-using-manifest"); what is said where it has not
    is from https://github.com/awslabs/aws-lambda-redshift-loader/pull/221.
    """
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
        if needs_length and "meta" not in entry:
            raise RedshiftError(INTERNAL_ERROR, "File entry does not have 'meta' key.", detail=f"code: 15003, {url}")
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
