"""The S3 settings that this process finds: AWS's in the environment, in files, or where it runs; and our own."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session

from lakehouse.errors import LandingError

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client

HOW_TO_GIVE_CREDENTIALS = (
    "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if temporary), "
    "or run where a role is attached"
)
USER_AGENT = "lakehouse"
PAYER_VARIABLE = "S3_REQUEST_PAYER"
ENCRYPTION_VARIABLE = "S3_ENCRYPTION"
KEY_VARIABLE = "S3_ENCRYPTION_KEY"
ENCRYPTIONS = ("AES256", "aws:kms", "aws:kms:dsse")


@cache
def session() -> boto3.session.Session:
    """The session; making one takes long. CloudTrail and S3's logs tell its requests from dbt's by the name."""
    core = botocore.session.Session()
    core.user_agent_extra = USER_AGENT
    return boto3.session.Session(botocore_session=core)


def has_credentials() -> bool:
    """Whether there are any credentials; without them, only what is public can be read."""
    return session().get_credentials() is not None


def add_request_settings(client: "S3Client") -> None:
    """Makes a client send with each request who pays for it, and how objects are to be encrypted, where that is set.

    Raises:
        LandingError: A setting makes no sense.
    """
    settings = _request_settings()

    def add(params: dict[str, Any], model: "OperationModel", **_: object) -> dict[str, Any]:
        known = model.input_shape.members if model.input_shape else ()
        return {name: value for name, value in settings.items() if name in known} | params

    if settings:
        client.meta.events.register("provide-client-params.s3", add)  # type: ignore[arg-type]  # what it gives is used


def _request_settings() -> dict[str, str]:
    """Parameters of S3's requests, by name."""
    payer, encryption, key = (
        os.environ.get(name, "").strip() for name in (PAYER_VARIABLE, ENCRYPTION_VARIABLE, KEY_VARIABLE)
    )
    if payer not in ("", "requester"):
        raise LandingError(f"{PAYER_VARIABLE} is {payer!r}: set it to requester, or not at all")
    if encryption not in ("", *ENCRYPTIONS):
        raise LandingError(
            f"{ENCRYPTION_VARIABLE} is {encryption!r}: set it to {' or '.join(ENCRYPTIONS)}, or not at all"
        )
    if key and not encryption.startswith("aws:kms"):
        raise LandingError(f"{KEY_VARIABLE} names a key of KMS: set {ENCRYPTION_VARIABLE} to aws:kms, too")
    settings = {"RequestPayer": payer, "ServerSideEncryption": encryption, "SSEKMSKeyId": key}
    return {name: value for name, value in settings.items() if value}
