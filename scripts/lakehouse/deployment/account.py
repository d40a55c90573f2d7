"""The AWS account that is asked, and what AWS refuses, in sentences that say what to do about it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from lakehouse.errors import LakehouseError
from lakehouse.storage.s3_session import HOW_TO_GIVE_CREDENTIALS

_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403")
_BAD_CREDENTIALS = (
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_NOT_SUBSCRIBED = ("OptInRequired", "SubscriptionRequiredException")
_NAMED_RIGHT = re.compile(r"not authorized to perform: (\S+)")


class DeploymentError(LakehouseError):
    """AWS refuses something, or it was not confirmed; the message says what to do about it."""


@dataclass(frozen=True)
class Account:
    """An account and region, and who asks there.

    Attributes:
        number: The account's twelve digits.
        identity: ARN of the user or role that asks.
        region: Where stacks are.
    """

    number: str
    identity: str
    region: str
    _session: boto3.session.Session = field(repr=False)

    def client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - boto3 makes them at run time
        """A client of a service, in the account's region or another one."""
        config = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=10, read_timeout=60)
        make: Any = self._session.client  # its types know no service whose name is a variable
        return make(service, region_name=region or self.region, config=config)


def open_account(region: str = "") -> Account:
    """The account that the usual AWS settings lead to.

    Args:
        region: Its name; by default that of AWS_REGION, AWS_DEFAULT_REGION or the profile.

    Raises:
        DeploymentError: There are no credentials, they are not accepted, or there is no such region.
    """
    with explained():
        # botocore itself does not read AWS_REGION
        wanted = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None
        session = boto3.session.Session(region_name=wanted)
        here = session.region_name
        if not here:
            raise DeploymentError("no region is given: set AWS_REGION, or give --region, as us-west-2")
        known = session.get_available_regions("cloudformation")
        if here not in known:
            raise DeploymentError(f"{here} is no region of AWS: there are {', '.join(known)}")
        caller = session.client("sts", region_name=here).get_caller_identity()
    return Account(caller["Account"], caller["Arn"], here, session)


@contextmanager
def explained() -> Iterator[None]:
    """Turns what botocore raises into a DeploymentError."""
    try:
        yield
    except ClientError as error:
        raise DeploymentError(_refusal(error)) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise DeploymentError(f"no AWS credentials. {HOW_TO_GIVE_CREDENTIALS}") from error
    except ProfileNotFound as error:
        raise DeploymentError(f"{error}: set AWS_PROFILE to one of ~/.aws/config") from error
    except (NoConnectionError, HTTPClientError) as error:
        raise DeploymentError(f"AWS cannot be reached ({error}): check the network and AWS_ENDPOINT_URL") from error
    except BotoCoreError as error:
        raise DeploymentError(str(error)) from error


def code_of(error: ClientError) -> str:
    """AWS's name for the reason of a refusal."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def is_denied(error: ClientError) -> bool:
    """Whether it is refused for want of a right."""
    return code_of(error) in _DENIED


def _refusal(error: ClientError) -> str:
    code, said = code_of(error), str(error.response.get("Error", {}).get("Message", ""))
    if is_denied(error):
        named = _NAMED_RIGHT.search(said)
        return f"the AWS identity in use lacks {named[1] if named else error.operation_name}: {said}"
    if code in _BAD_CREDENTIALS:
        return f"the AWS credentials are not accepted ({code}): renew them"
    if code in _NOT_SUBSCRIBED:
        return f"this account may not use the service here ({code}): switch on the region or the service in the console"
    return f"AWS refused {error.operation_name} ({code}: {said})"
