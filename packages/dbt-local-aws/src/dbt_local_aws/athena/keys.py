"""The keys that Athena's endpoint takes: those that it printed, and those that its STS or IAM gave out."""

from __future__ import annotations

from collections.abc import Iterator

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from dbt_local_aws.signatures import Keys


def known_keys(printed: Keys) -> Iterator[Keys]:
    """All keys with which a request may be signed."""
    yield printed
    for sts in sts_backends[DEFAULT_ACCOUNT_ID].values():
        for role in sts.assumed_roles:
            yield Keys(role.access_key_id, role.secret_access_key)
    for iam in iam_backends[DEFAULT_ACCOUNT_ID].values():
        for user in iam.users.values():
            for key in user.access_keys:
                yield Keys(key.access_key_id, key.secret_access_key)
