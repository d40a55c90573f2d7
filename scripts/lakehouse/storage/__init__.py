"""Where files are kept: a folder of this machine, or a prefix of a bucket. `open_folder` opens either."""

from pathlib import Path

from lakehouse.errors import LandingError
from lakehouse.storage.folder import Folder, is_s3
from lakehouse.storage.local import LocalFolder


def open_folder(location: str | Path) -> Folder:
    """The folder at a location that a person typed: a path, or `s3://bucket/prefix`.

    Raises:
        LandingError: The location is of a kind that cannot be used.
    """
    if location == "":  # a variable of a shell that is not set; a path would be the current folder
        raise LandingError("a location is empty: name a folder or s3://bucket/prefix")
    if is_s3(location):
        from lakehouse.storage.s3 import S3Prefix  # noqa: PLC0415 - boto3 costs a laptop's load half a second

        return S3Prefix.parse(str(location))
    return LocalFolder.parse(location)
