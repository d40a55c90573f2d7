"""What S3 and botocore refuse, in sentences that say what to do about it."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from ssl import SSLError as TlsError
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointResolutionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ResponseStreamingError,
    SSLError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from urllib3.exceptions import HTTPError

from lakehouse.errors import LandingError
from lakehouse.storage.s3_session import HOW_TO_GIVE_CREDENTIALS, has_credentials

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_RIGHTS: Mapping[str, str] = {
    "ListObjectsV2": "s3:ListBucket",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject",
    "CopyObject": "s3:GetObject on the source and s3:PutObject here",
}
"""What an operation needs: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""

GONE = ("NoSuchKey", "404")
OTHER_VERSION = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_DENIED = ("AccessDenied", "403", "AllAccessDisabled", "AccountProblem")
_BAD_CREDENTIALS = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
)
_ELSEWHERE = ("PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "301", "307")
_NAMED_RIGHT = re.compile(r"not authorized to perform: (\S+)")
_SKEWED = ("RequestTimeTooSkewed", "RequestExpired")
_BUSY = ("SlowDown", "503", "500", "502", "504", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling")


@contextmanager
def explained(url: str, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turns what botocore raises about a location into a LandingError, except for some kinds of error."""
    try:
        yield
    except but:
        raise
    except ClientError as error:
        raise LandingError(f"{url}: {_refusal(error, url)}") from error
    except (BotoCoreError, HTTPClientError) as error:
        raise LandingError(f"{url}: {_failure(error)}") from error


def read_body(answer: "GetObjectOutputTypeDef") -> bytes:
    """Reads an object's bytes.

    Raises:
        ResponseStreamingError: TLS failed meanwhile, of which botocore passes on what urllib3 or OpenSSL raised.
    """
    try:
        with closing(answer["Body"]) as body:
            return body.read()
    except (TlsError, HTTPError) as error:
        raise ResponseStreamingError(error=error) from error


def _refusal(error: ClientError, url: str) -> str:
    """What S3 said no to."""
    answer = error.response.get("Error", {})
    code, said = answer.get("Code", "unknown"), answer.get("Message", "")
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    bucket = url.split("/")[2]
    if error.operation_name == "HeadBucket" and code in GONE:  # the answer to a HEAD has no body that says of what
        code = "NoSuchBucket"
    region = headers.get("x-amz-bucket-region") or answer.get("Region") or "another region"
    sentences = {
        _DENIED: _denial(error.operation_name, said),
        ("NoSuchBucket",): f"there is no bucket {bucket}: check the name, or create it",
        _ELSEWHERE: f"bucket {bucket} is in {region}: set AWS_DEFAULT_REGION to it",
        _SKEWED: f"this machine's clock is wrong, S3's says {headers.get('date', 'otherwise')}: set it right",
        _BAD_CREDENTIALS: f"the AWS credentials are not accepted ({code}): renew them",
        ("InvalidObjectState",): "the object is in an archive: restore it first",
        _BUSY: f"S3 is too busy or failing ({code}), at every attempt: land again later",
    }
    found = (sentence for codes, sentence in sentences.items() if code in codes)
    return next(found, f"S3 refused {error.operation_name} ({code}: {said})")


def _denial(operation: str, said: str) -> str:
    """Who lacks which right: the one that S3 names, which may be to a key of KMS, or else the operation's."""
    named = _NAMED_RIGHT.search(said)
    right = named[1] if named else _RIGHTS.get(operation, operation)
    if not has_credentials():
        return f"access denied: not everybody has {right}, and there are no AWS credentials. {HOW_TO_GIVE_CREDENTIALS}"
    return f"access denied: the AWS identity in use lacks {right} (S3 says: {said})"


def _failure(error: Exception) -> str:
    """Why S3 was not reached."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        missing = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") if not os.environ.get(name)]
        return f"the AWS credentials are not complete: set {' and '.join(missing) or 'AWS_PROFILE'}"
    if isinstance(error, ProfileNotFound):
        return f"{error}: set AWS_PROFILE to one of ~/.aws/config"
    if isinstance(error, EndpointResolutionError):
        return f"{error}: check AWS_ENDPOINT_URL"
    if isinstance(error, SSLError):
        return f"the connection is not safe ({error}): check the certificates (AWS_CA_BUNDLE)"
    if isinstance(error, NoConnectionError | HTTPClientError | IncompleteReadError):
        return f"S3 cannot be reached, at every attempt ({error}): check the network and AWS_ENDPOINT_URL, land again"
    return str(error)
