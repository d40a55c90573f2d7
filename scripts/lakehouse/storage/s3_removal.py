"""Removes all that lies on S3 below a prefix, whatever S3 keeps of it: versions, delete markers, unfinished uploads."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lakehouse.storage.folder import Say

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_REPORTED = 10_000


def remove_all_versions(client: "S3Client", bucket: str, prefix: str, say: Say) -> int:
    """Removes every version, delete marker and unfinished upload; gives how many there were.

    The first page is asked for again and again: the place after a page that is gone need not be known any more.

    Raises:
        botocore.exceptions.ClientError: Something may not be removed.
    """
    removed = 0
    for uploads in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        for upload in uploads.get("Uploads", ()):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
            removed += 1
    while True:
        page = client.list_object_versions(Bucket=bucket, Prefix=prefix)
        every = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if not every:
            return removed
        named: list[ObjectIdentifierTypeDef] = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in every]
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": named, "Quiet": True})
        for error in answer.get("Errors", ()):
            raise ClientError(
                {"Error": {"Code": error.get("Code", ""), "Message": error.get("Message", "")}}, "DeleteObjects"
            )
        if removed // _REPORTED < (removed + len(named)) // _REPORTED:
            say(f"  {removed + len(named):,} versions removed so far")
        removed += len(named)
