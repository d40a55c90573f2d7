"""What is left of somebody on S3: every version of every object is read. It shares no code with the eraser's search.

Objects are unpacked as far as this project and its engines pack them: gzip, Parquet, and Avro, as Iceberg's manifests
are. Iceberg keeps the first sixteen characters of a text as a column's bound, so these are what is looked for.
"""

import io
import logging
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

import duckdb
import msgspec

from lakehouse.errors import LandingError
from lakehouse.privacy.s3 import prefix_of
from lakehouse.storage.s3_errors import explained
from lakehouse.storage.s3_removal import remove_all_versions
from lakehouse.storage.s3_session import session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)
BOUND = 16
"""How many characters of a text are in Iceberg's bounds: https://iceberg.apache.org/docs/latest/configuration/."""
_AVRO, _GZIP, _PARQUET = b"Obj\x01", b"\x1f\x8b", b"PAR1"


class Version(msgspec.Struct, frozen=True):
    """A version of an object that holds something of the person."""

    key: str
    version_id: str
    bytes: int
    is_latest: bool


class Left(msgspec.Struct):
    """What is below some places on S3, and what of it holds something of a person."""

    places: list[str]
    objects: int = 0
    object_bytes: int = 0
    old_versions: int = 0
    old_bytes: int = 0
    delete_markers: int = 0
    unfinished_uploads: int = 0
    holding: list[Version] = []
    """Every version that holds something of the person."""
    old_versions_expire_after_days: int | None = 0
    """By the buckets' rules for these places; None where no rule removes them."""

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing at all."""
        return not (self.objects or self.old_versions or self.delete_markers or self.unfinished_uploads)

    def holding_bytes(self, *, latest: bool) -> int:
        """How many bytes of objects, or of old versions, hold something of the person."""
        return sum(version.bytes for version in self.holding if version.is_latest is latest)


def look_at_everything(places: Iterable[str], values: Collection[str], work: Path) -> Left:
    """Reads every version of every object below some places, and looks for values.

    Args:
        places: Prefixes, s3://bucket/prefix, of which none lies in another.
        values: What to look for; upper and lower case are the same, and sixteen characters are enough.
        work: A folder for what is unpacked, for its owner only.

    Raises:
        LandingError: Something may not be read, or is packed in an unknown way.
    """
    forms = [value.casefold()[:BOUND] for value in values]
    left = Left([*places])
    with Unpacker(work) as unpacker:
        for place in left.places:
            with explained(place):
                _look_below(place, forms, unpacker, left)
    return left


def _look_below(place: str, forms: Collection[str], unpacker: "Unpacker", left: Left) -> None:
    client = session().client("s3")
    bucket, prefix = prefix_of(place)
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        left.delete_markers += len(page.get("DeleteMarkers", ()))
        for found in page.get("Versions", ()):
            key, version_id, size = found["Key"], found["VersionId"], found["Size"]
            if found["IsLatest"]:
                left.objects, left.object_bytes = left.objects + 1, left.object_bytes + size
            else:
                left.old_versions, left.old_bytes = left.old_versions + 1, left.old_bytes + size
            if forms:
                body = client.get_object(Bucket=bucket, Key=key, VersionId=version_id)["Body"].read()
                if _holds(unpacker, f"s3://{bucket}/{key}", body, forms):
                    left.holding.append(Version(f"s3://{bucket}/{key}", version_id, size, found["IsLatest"]))
    for uploads in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        left.unfinished_uploads += len(uploads.get("Uploads", ()))
    known, days = left.old_versions_expire_after_days, _days_of_old_versions(client, bucket, prefix)
    left.old_versions_expire_after_days = None if known is None or days is None else max(known, days)


def remove_everything(places: Iterable[str]) -> int:
    """Removes all that is below places: every version, delete markers, unfinished uploads; gives how many there were.

    Raises:
        LandingError: Something may not be removed.
    """
    removed = 0
    for place in places:
        with explained(place):
            removed += remove_all_versions(session().client("s3"), *prefix_of(place), log.debug)
    return removed


def keep_versions(bucket: str, days: int = 1) -> None:
    """Has a bucket of local endpoints keep old versions for some days, as that of the template does."""
    client = session().client("s3")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "old versions",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": days},
                }
            ]
        },
    )


def _days_of_old_versions(client: "S3Client", bucket: str, prefix: str) -> int | None:
    """After how many days a rule of the bucket removes old versions below a prefix."""
    try:
        rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        return None
    days = [
        rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for rule in rules
        if rule["Status"] == "Enabled"
        and "NoncurrentDays" in rule.get("NoncurrentVersionExpiration", {})
        and set(rule.get("Filter", {})) <= {"Prefix"}  # others leave out objects by their tags or sizes
        and prefix.startswith(rule.get("Filter", {}).get("Prefix", rule.get("Prefix", "")))
    ]
    return min(days, default=None)


def _holds(unpacker: "Unpacker", url: str, body: bytes, forms: Collection[str]) -> bool:
    if any(form in url.casefold() for form in forms):
        return True
    try:
        texts = (text.decode(errors="replace").casefold() for text in unpacker.unpacked(body))
        return any(form in text for text in texts for form in forms)
    except (zlib.error, duckdb.Error, ValueError) as error:
        raise LandingError(f"{url} cannot be looked into: {type(error).__name__}: {error}") from error


class Unpacker:
    """Unpacks objects, for as long as the block lasts."""

    def __init__(self, work: Path) -> None:
        """Takes a folder for its owner only: DuckDB reads files."""
        self._file = work / "unpacked.parquet"

    def __enter__(self) -> Self:
        """Begins."""
        # one file after the other has the same name: what DuckDB remembers of the one before is not this one's
        self._reader = duckdb.connect(config={"enable_external_file_cache": False})
        return self

    def __exit__(self, *_: object) -> None:
        """Ends, and leaves nothing."""
        self._reader.close()
        self._file.unlink(missing_ok=True)

    def unpacked(self, body: bytes) -> Iterator[bytes]:
        """An object's bytes as they are, and what is packed in them.

        Raises:
            ValueError: They are packed in an unknown way.
            zlib.error, duckdb.Error: They are damaged.
        """
        yield body
        if body.startswith(_GZIP):
            yield from _gunzipped(body)
        elif body.startswith(_AVRO):
            yield from _avro_blocks(body)
        elif body.startswith(_PARQUET):
            self._file.write_bytes(body)
            yield repr(self._reader.read_parquet(str(self._file)).fetchall()).encode()


def _gunzipped(body: bytes) -> Iterator[bytes]:
    while body:  # a file may have several members
        member = zlib.decompressobj(wbits=31)
        yield member.decompress(body) + member.flush()
        body = member.unused_data


def _avro_blocks(body: bytes) -> Iterator[bytes]:
    """The blocks of an Avro file: https://avro.apache.org/docs/1.11.1/specification/#object-container-files."""
    file = io.BytesIO(body)
    file.seek(len(_AVRO))
    about: dict[bytes, bytes] = {}
    while count := _avro_long(file):
        if count < 0:
            count = -count
            _avro_long(file)  # the size of the block in bytes
        for _ in range(count):
            name = file.read(_avro_long(file))
            about[name] = file.read(_avro_long(file))
    codec = about.get(b"avro.codec", b"null")
    if codec not in (b"null", b"deflate"):
        raise ValueError(f"Avro packed by {codec.decode(errors='replace')}")
    sync = file.read(16)
    while file.tell() < len(body):
        _avro_long(file)  # the number of records
        block = file.read(_avro_long(file))
        if file.read(16) != sync:
            raise ValueError("an Avro file that breaks off")
        yield zlib.decompress(block, wbits=-15) if codec == b"deflate" else block


def _avro_long(file: BinaryIO) -> int:
    """A number as Avro writes it: seven bits a byte, the lowest first, the sign in the lowest bit."""
    value = shift = 0
    while True:
        byte = file.read(1)
        if not byte:
            raise ValueError("an Avro file that breaks off")
        value |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
