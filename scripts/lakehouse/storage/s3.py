"""A prefix of an S3 bucket, as a folder."""

import hashlib
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import botocore
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from lakehouse.errors import LandingError
from lakehouse.storage.folder import Claim, Fetched, FileChangedError, Folder, Say, StoredFile
from lakehouse.storage.s3_errors import GONE, OTHER_VERSION, explained, read_body
from lakehouse.storage.s3_lock import LOCK_KEY, S3Lock
from lakehouse.storage.s3_session import HOW_TO_GIVE_CREDENTIALS, add_request_settings, has_credentials, session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

ATTEMPTS = 6  # of each request, and of each body that breaks off
MAX_DELETED_OBJECTS = 1000  # of a DeleteObjects
_LOCATION = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
_BROKEN_BODY = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError, ConnectionError)


class S3Prefix:
    """A prefix of an S3 bucket.

    S3 replaces an object in one step and shows it at once, so nothing is ever half-written. Requests that fail on the
    way are tried again by botocore (time-outs, throttling, 5xx); bodies that break off, by this class.
    """

    fetch_threads = 16  # a request waits for S3 some twenty times longer than it keeps a core busy

    def __init__(self, bucket: str, prefix: str = "") -> None:
        """Takes the bucket's name and the prefix below it."""
        self._bucket = bucket
        self._root = f"{prefix}/" if prefix else ""

    @classmethod
    def parse(cls, location: str) -> Self:
        """The prefix at a location that a person typed.

        Raises:
            LandingError: It is no `s3://bucket/prefix`.
        """
        found = _LOCATION.fullmatch(location)
        if not found:
            raise LandingError(f"{location} is no S3 location: write s3://bucket or s3://bucket/prefix")
        return cls(found[1], (found[2] or "").strip("/"))

    @property
    def location(self) -> str:
        """The bucket and the prefix as a URL."""
        return f"s3://{self._bucket}/{self._root}".rstrip("/")

    def check_source(self) -> None:
        """Checks nothing: a prefix exists as far as it has objects, which the listing tells."""

    def check_zone(self) -> None:
        """Checks that there are credentials; without any, only what is public can be read."""
        with explained(self.location):
            if not has_credentials():
                raise LandingError(f"landing zone {self.location}: no AWS credentials. {HOW_TO_GIVE_CREDENTIALS}")

    def region(self) -> str | None:
        """The region of the bucket; None where the store does not say (AmazonS3/latest/API/API_HeadBucket.html).

        Whoever may only list below a prefix is denied, and told the region all the same.

        Raises:
            LandingError: There is no such bucket, or S3 cannot be reached.
        """
        with explained(self.location):
            try:
                return self._client.head_bucket(Bucket=self._bucket).get("BucketRegion")
            except ClientError as error:
                if error.response["Error"]["Code"] != "403":
                    raise
                return error.response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")

    def list(self, prefix: str = "", *, hidden: bool = False) -> Iterator[StoredFile]:
        """Yields the objects below a prefix, by key; markers of folders are none."""
        root = f"{self._root}{prefix}/" if prefix else self._root
        with explained(f"s3://{self._bucket}/{root}"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=root):
                for stored in page.get("Contents", ()):
                    key = stored["Key"].removeprefix(self._root)
                    if key and not key.endswith("/") and (hidden or not _is_hidden(key)):
                        yield StoredFile(key, stored["Size"], stored["ETag"].strip('"'))

    def fetch(self, key: str, start: int = 0, length: int | None = None, version: str | None = None) -> Fetched:
        """Reads a stretch of an object."""
        request: dict[str, Any] = {"Bucket": self._bucket, "Key": self._root + key}
        if version is not None:
            request["IfMatch"] = f'"{version}"'
        if start or length is not None:
            request["Range"] = f"bytes={start}-{'' if length is None else start + length - 1}"
        fetched = self._again(key, lambda: self._get(request, key))
        if version not in (None, fetched.version):
            raise FileChangedError(key)
        return fetched

    def write(self, key: str, content: BinaryIO) -> None:
        """Puts an object, and compares what S3 says it received with what was sent."""
        digest = hashlib.file_digest(content, partial(hashlib.md5, usedforsecurity=False)).hexdigest()  # type: ignore[arg-type]  # it has readinto

        def put() -> bool:
            content.seek(0)
            answer = self._client.put_object(Bucket=self._bucket, Key=self._root + key, Body=content)
            # The ETag is the MD5, but for keys of KMS or of the client: AmazonS3/latest/API/API_Object.html
            return answer["ETag"].strip('"') == digest or answer.get("ServerSideEncryption", "").startswith("aws:kms")

        with explained(self._url(key)):
            if not put() and not put():
                raise LandingError(f"{self._url(key)}: S3 received other bytes than were sent, twice: land again")

    def replace(self, key: str, content: bytes, version: str | None) -> str:
        """Puts an object if nobody did meanwhile; S3 decides that in the same step (a conditional write)."""
        condition = {"IfNoneMatch": "*"} if version is None else {"IfMatch": f'"{version}"'}
        try:
            answer = self._client.put_object(Bucket=self._bucket, Key=self._root + key, Body=content, **condition)  # type: ignore[arg-type]
        except ClientError as error:
            if error.response["Error"]["Code"] not in (*OTHER_VERSION, *GONE):
                with explained(self._url(key)):
                    raise
            there = self._find(key)
            if there is not None and there.content == content:
                return there.version  # an attempt whose answer was lost had succeeded
            raise FileChangedError(key) from error
        except BotoCoreError:
            with explained(self._url(key)):
                raise
        return answer["ETag"].strip('"')

    def delete(self, keys: Iterable[str]) -> None:
        """Removes objects, a thousand a request."""
        with explained(self.location):
            objects: list[ObjectIdentifierTypeDef] = [{"Key": self._root + key} for key in keys]
            for first in range(0, len(objects), MAX_DELETED_OBJECTS):
                some = objects[first : first + MAX_DELETED_OBJECTS]
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": some, "Quiet": True})
                for error in answer.get("Errors", ()):
                    raise ClientError({"Error": {"Code": error["Code"], "Message": error["Message"]}}, "DeleteObjects")

    def copy(self, origin: Folder, key: str, version: str, to: str) -> bool:
        """Lets S3 copy an object of another prefix; what it refuses (it changed, a right is lacking) can be put."""
        if not isinstance(origin, S3Prefix):
            return False
        with explained(self._url(to)):
            try:
                self._client.copy_object(
                    Bucket=self._bucket,
                    Key=self._root + to,
                    CopySource={"Bucket": origin._bucket, "Key": origin._root + key},
                    CopySourceIfMatch=f'"{version}"',
                )
            except ClientError:
                return False
        return True

    @contextmanager
    def exclusive(self, say: Say) -> Iterator[Claim]:
        """Holds a lock that lapses when this process no longer renews it."""
        lock = S3Lock(self._client, self._bucket, self._root)
        with explained(self._url(LOCK_KEY)):
            lock.acquire(say)
        try:
            yield lock.check
        finally:
            lock.release()

    @property
    def _client(self) -> "S3Client":
        with explained(self.location):
            return _client()

    def _url(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._root}{key}"

    def _get(self, request: dict[str, Any], key: str) -> Fetched:
        try:
            answer = self._client.get_object(**request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in GONE:
                raise FileNotFoundError(self._url(key)) from error
            if code in OTHER_VERSION:
                raise FileChangedError(key) from error
            if code == "InvalidRange" and request.get("Range", "").startswith("bytes=0-"):  # an empty object has none
                return self._get({name: value for name, value in request.items() if name != "Range"}, key)
            raise
        content = read_body(answer)
        if len(content) != answer["ContentLength"]:
            raise IncompleteReadError(actual_bytes=len(content), expected_bytes=answer["ContentLength"])
        size = int(answer["ContentRange"].rpartition("/")[2]) if "ContentRange" in answer else len(content)
        return Fetched(content, size, answer["ETag"].strip('"'))

    def _again(self, key: str, get: Callable[[], Fetched]) -> Fetched:
        """Tries again where a body broke off, a little later each time."""
        for attempt in range(1, ATTEMPTS):
            try:
                with explained(self._url(key), but=_BROKEN_BODY):
                    return get()
            except _BROKEN_BODY:
                time.sleep(random.uniform(0.5, 1) * 0.1 * 2**attempt)  # noqa: S311 - spreads retries, keeps no secret
        with explained(self._url(key)):
            return get()

    def _find(self, key: str) -> Fetched | None:
        try:
            return self.fetch(key)
        except FileNotFoundError:
            return None


def _is_hidden(key: str) -> bool:
    """Whether a name in a key begins with a dot; `..` is no hidden name, and S3 knows no way up."""
    return any(name.startswith(".") and name != ".." for name in key.split("/"))


@cache
def _client() -> "S3Client":
    """One client for all threads: making one costs as much as a hundred requests."""
    anonymous = {} if has_credentials() else {"signature_version": botocore.UNSIGNED}  # enough for a public bucket
    config = Config(
        # "standard" would share a quota of some forty retries among all threads, and give up within two seconds
        retries={"mode": "legacy", "total_max_attempts": ATTEMPTS},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=2 * S3Prefix.fetch_threads,
        **anonymous,
    )
    try:
        client = session().client("s3", config=config)
    except BotoCoreError:
        raise
    except ValueError as error:  # botocore's word for an endpoint that is no URL
        raise LandingError(f"{error}: AWS_ENDPOINT_URL must be a URL like http://localhost:9000") from error
    add_request_settings(client)
    return client


def forget_client() -> None:
    """Lets the next request take its settings from the environment anew."""
    _client.cache_clear()
    session.cache_clear()
