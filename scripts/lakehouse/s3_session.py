"""The AWS settings that this process finds: in the environment, in the user's files, or where it runs."""

from functools import cache

import boto3

HOW_TO_GIVE_CREDENTIALS = (
    "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if temporary), "
    "or run where a role is attached"
)


@cache
def session() -> boto3.session.Session:
    """The session, which is dear to make."""
    return boto3.session.Session()


def has_credentials() -> bool:
    """Whether there are any credentials; without them, only what is public can be read."""
    return session().get_credentials() is not None
