"""Which rights the template's roles give, and which rights calls of AWS's APIs need."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from cloudformation import decided

BUCKET, KEY = "arn:aws:s3:::bucket", "arn:aws:kms:region:account:key/key"
_NAMES = {
    "${AWS::Partition}": "aws",
    "${AWS::Region}": "region",
    "${AWS::AccountId}": "account",
    "${SchemaPrefix}": "ada_",
    "${Bucket.Arn}": BUCKET,
    "${WorkGroup}": "lakehouse",
    "${ReadersWorkGroup}": "lakehouse-readers",
    "${SparkifyDatabase}": "ada_sparkify",
    "${StediDatabase}": "ada_stedi",
    "${StediPrivacyDatabase}": "ada_stedi_privacy",
    "${Cluster}": "lakehouse",
}
_ENCRYPTED_READ, _ENCRYPTED_WRITE = ("kms:Decrypt",), ("kms:GenerateDataKey",)

# What an operation of S3 needs, and what its encryption by a key of KMS adds:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html (parts are decrypted, too)
S3_RIGHTS: Mapping[str, tuple[str, ...]] = {
    "AbortMultipartUpload": ("s3:AbortMultipartUpload",),
    "CompleteMultipartUpload": ("s3:PutObject", *_ENCRYPTED_READ, *_ENCRYPTED_WRITE),
    "CopyObject": ("s3:GetObject", "s3:PutObject", *_ENCRYPTED_READ, *_ENCRYPTED_WRITE),
    "CreateMultipartUpload": ("s3:PutObject", *_ENCRYPTED_WRITE),
    "DeleteObject": ("s3:DeleteObject",),
    "DeleteObjects": ("s3:DeleteObject",),
    "GetBucketLocation": ("s3:GetBucketLocation",),
    "GetObject": ("s3:GetObject", *_ENCRYPTED_READ),
    "HeadBucket": ("s3:ListBucket",),
    "HeadObject": ("s3:GetObject",),
    "ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
    "ListObjectVersions": ("s3:ListBucketVersions",),
    "ListObjects": ("s3:ListBucket",),
    "ListObjectsV2": ("s3:ListBucket",),
    "ListParts": ("s3:ListMultipartUploadParts",),
    "PutObject": ("s3:PutObject", *_ENCRYPTED_WRITE),
    "UploadPart": ("s3:PutObject", *_ENCRYPTED_READ, *_ENCRYPTED_WRITE),
}


def rights_for(service: str, operation: str) -> tuple[str, ...]:
    """The IAM actions that an operation needs; none where everybody may.

    Athena's, Glue's and Redshift's actions are called as their operations:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html, list_awsglue.html,
    list_amazonredshift.html, list_amazonredshiftserverless.html
    """
    if service == "sts":
        assert operation == "GetCallerIdentity", "it needs no right: STS/latest/APIReference/API_GetCallerIdentity.html"
        return ()
    return S3_RIGHTS[operation] if service == "s3" else (f"{service}:{operation}",)


@dataclass(frozen=True)
class Rights:
    """What policies of the template allow.

    Attributes:
        statements: Actions and the resources that they are allowed on.
    """

    statements: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    @property
    def actions(self) -> set[str]:
        """All of them."""
        return {action for actions, _ in self.statements for action in actions}

    def allow(self, action: str, resource: str) -> bool:
        """Whether an action is allowed on a resource."""
        return any(
            action in actions and any(fnmatchcase(resource, pattern) for pattern in patterns)
            for actions, patterns in self.statements
        )


def rights_of(role: str, **parameters: str) -> Rights:
    """The rights of a role of the template, for some parameters."""
    resources = decided(parameters)["Resources"]
    properties = resources[role]["Properties"]
    documents = [
        resources[policy["Ref"]]["Properties"]["PolicyDocument"] for policy in properties.get("ManagedPolicyArns", ())
    ]
    documents += [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
    return Rights(tuple(_statement(statement) for document in documents for statement in document["Statement"]))


def resource_of(action: str, place: str) -> str:
    """The resource of an action on the stack's bucket: the bucket itself, an object of a folder, or the key."""
    if action.startswith("kms:"):
        return KEY
    is_about_the_bucket = action.startswith(("s3:ListBucket", "s3:GetBucket"))
    return BUCKET if is_about_the_bucket else f"{BUCKET}/{place}/object"


def missing(rights: Rights, asked: Iterable[tuple[str, str, str]]) -> list[str]:
    """What was asked for and is not allowed.

    Args:
        rights: What is.
        asked: Service, operation, and, of S3, the folder of the bucket.
    """
    return sorted(
        {
            f"{service}:{operation} in {place!r} needs {action}"
            for service, operation, place in asked
            for action in rights_for(service, operation)
            if not (rights.allow(action, resource_of(action, place)) if service == "s3" else action in rights.actions)
        }
    )


def _statement(statement: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    assert statement["Effect"] == "Allow"
    return tuple(_texts(statement["Action"])), tuple(_texts(statement["Resource"]))


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _texts(one)
    elif isinstance(node, str):
        yield node
    elif isinstance(node, dict) and "Fn::Sub" in node:
        text = node["Fn::Sub"]
        for name, value in _NAMES.items():
            text = text.replace(name, value)
        assert "${" not in text, text
        yield text
    else:
        yield {"Key": KEY, "Bucket": BUCKET}.get(_named(node), f"arn of {_named(node)}")


def _named(node: object) -> str:
    assert isinstance(node, dict)
    return str(node["Ref"] if "Ref" in node else node["Fn::GetAtt"][0])
