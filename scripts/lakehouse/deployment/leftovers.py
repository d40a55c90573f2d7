"""What outlives a stack, since people's data depends on it: found, counted and removed, however it was left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lakehouse.console import counted
from lakehouse.deployment.account import Account, code_of, explained
from lakehouse.deployment.stack import Stack
from lakehouse.storage.folder import Say
from lakehouse.storage.s3_removal import remove_all_versions

WAITING_DAYS = 7  # before KMS and Secrets Manager delete: the least that they allow; until then it can be taken back
_GONE = (
    "404",
    "ClusterSnapshotNotFound",
    "EntityNotFoundException",
    "NoSuchBucket",
    "NotFoundException",
    "ResourceNotFoundException",
)


@dataclass(frozen=True)
class Leftover:
    """A resource that a stack made, and that is still there.

    Attributes:
        kind: Its type, as CloudFormation calls it.
        name: Its name or ARN there.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        """What it is, for a person."""
        return f"{RETAINED[self.kind]} {self.name}"


class Leftovers:
    """The resources of a name's stacks, of deleted ones, too, that no deletion of a stack removes."""

    def __init__(self, account: Account, stack: Stack, say: Say) -> None:
        """Takes whose they are."""
        self._account, self._stack, self._say = account, stack, say

    def find(self) -> list[Leftover]:
        """Those that are there, in the order in which they can be removed: a key goes last."""
        made = {Leftover(kind, name) for kind, name in self._stack.resources() if kind in RETAINED}
        in_order = sorted(made, key=lambda one: (list(RETAINED).index(one.kind), one.name))
        with explained():
            return [one for one in in_order if self._is_there(one)]

    def holding_data(self) -> list[str]:
        """Those in which data lies, each with how much; an empty bucket is none."""
        found = []
        for one in self.find():
            if one.kind == "AWS::S3::Bucket":
                with explained():
                    pages = self._account.client("s3").get_paginator("list_object_versions").paginate(Bucket=one.name)
                    versions = sum(len(page.get("Versions", ())) for page in pages)
                if versions:
                    found.append(f"{one}: {counted(versions, 'version')} of objects")
            elif one.kind in ("AWS::RedshiftServerless::Namespace", "AWS::Redshift::Cluster"):
                found.append(f"{one}: its databases")
        return found

    def remove(self) -> None:
        """Removes them; what is killed half-way is taken up by the next one."""
        for one in self.find():
            self._say(f"  removing {one}")
            with explained():
                self._removal_of(one)()

    def _is_there(self, one: Leftover) -> bool:
        try:
            return bool(self._look_of(one)())
        except ClientError as error:
            if code_of(error) in _GONE:
                return False
            raise

    def _look_of(self, one: Leftover) -> Callable[[], object]:
        client = self._account.client
        looks: Mapping[str, Callable[[], object]] = {
            "AWS::S3::Bucket": lambda: client("s3").head_bucket(Bucket=one.name),
            "AWS::Glue::Database": lambda: client("glue").get_database(Name=one.name),
            "AWS::SecretsManager::Secret": lambda: (
                "DeletedDate" not in client("secretsmanager").describe_secret(SecretId=one.name)
            ),
            "AWS::RedshiftServerless::Namespace": lambda: client("redshift-serverless").get_namespace(
                namespaceName=one.name
            ),
            "AWS::Redshift::Cluster": lambda: self._snapshots(one.name),
            "AWS::KMS::Key": lambda: (
                client("kms").describe_key(KeyId=one.name)["KeyMetadata"]["KeyState"] != "PendingDeletion"
            ),
        }
        return looks[one.kind]

    def _removal_of(self, one: Leftover) -> Callable[[], object]:
        client = self._account.client
        removals: Mapping[str, Callable[[], object]] = {
            "AWS::S3::Bucket": lambda: self._remove_bucket(one.name),
            "AWS::Glue::Database": lambda: client("glue").delete_database(Name=one.name),
            "AWS::SecretsManager::Secret": lambda: client("secretsmanager").delete_secret(
                SecretId=one.name, RecoveryWindowInDays=WAITING_DAYS
            ),
            "AWS::RedshiftServerless::Namespace": lambda: self._remove_namespace(one.name),
            "AWS::Redshift::Cluster": lambda: self._remove_snapshots(one.name),
            "AWS::KMS::Key": lambda: client("kms").schedule_key_deletion(
                KeyId=one.name, PendingWindowInDays=WAITING_DAYS
            ),
        }
        return removals[one.kind]

    def _remove_bucket(self, bucket: str) -> None:
        """Empties it of all versions, markers and unfinished uploads, and deletes it."""
        s3 = self._account.client("s3")
        remove_all_versions(s3, bucket, "", self._say)
        s3.delete_bucket(Bucket=bucket)

    def _remove_namespace(self, name: str) -> None:
        """Deletes a namespace, whose workgroup the stack has deleted; Redshift does it in its own time."""
        client: Any = self._account.client("redshift-serverless")
        if client.get_namespace(namespaceName=name)["namespace"]["status"] != "DELETING":
            client.delete_namespace(namespaceName=name)

    def _snapshots(self, cluster: str) -> list[str]:
        """The snapshots of a cluster, of which CloudFormation makes one when it deletes it."""
        pages = self._account.client("redshift").get_paginator("describe_cluster_snapshots")
        return [
            snapshot["SnapshotIdentifier"]
            for page in pages.paginate(ClusterIdentifier=cluster, SnapshotType="manual")
            for snapshot in page["Snapshots"]
        ]

    def _remove_snapshots(self, cluster: str) -> None:
        for snapshot in self._snapshots(cluster):
            self._account.client("redshift").delete_cluster_snapshot(SnapshotIdentifier=snapshot)


RETAINED: Mapping[str, str] = {
    "AWS::S3::Bucket": "bucket",
    "AWS::Glue::Database": "Glue database",
    "AWS::SecretsManager::Secret": "secret",
    "AWS::RedshiftServerless::Namespace": "Redshift namespace",
    "AWS::Redshift::Cluster": "snapshots of the Redshift cluster",
    "AWS::KMS::Key": "key",
}
"""What a stack retains, in the order in which it can be removed."""
