"""Where people may be on S3 beyond the objects of a landing zone: unfinished uploads, old versions, Athena's files.

Every place may be one that the AWS identity in use may not look into. That is said, and nothing is taken for granted.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lakehouse.errors import LandingError
from lakehouse.landing.parts import is_part
from lakehouse.privacy.proof import search_results
from lakehouse.privacy.reach import Reached
from lakehouse.records.needles import Needles
from lakehouse.storage.s3 import S3Prefix
from lakehouse.storage.s3_errors import explained
from lakehouse.storage.s3_session import session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AT_WORK = timedelta(hours=1)
"""For how long a file that no table names may be one that a build is writing just now."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_RESULT = re.compile(rf"(?:.*/)?{_UUID}\.(?:csv|txt)(?:\.metadata)?")
"""What Athena calls the result of a query: https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html"""


def prefix_of(url: str) -> tuple[str, str]:
    """The bucket, and the prefix with its slash, of s3://bucket/prefix."""
    bucket, _, prefix = url.removeprefix("s3://").strip("/").partition("/")
    return bucket, f"{prefix}/" if prefix else ""


def look_at_uploads(zone: str, *, remove: bool) -> Reached:
    """Looks for uploads to a landing zone that were begun and never finished: no listing shows what they hold.

    Those of parts are given up, if they are to be removed; others are somebody else's, and are told.
    """
    reached, (bucket, prefix) = Reached(), prefix_of(zone)
    strangers = 0
    with _or_say_so(reached, f"unfinished uploads below {zone}"), explained(zone):
        client = _client()
        pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
        for upload in [upload for page in pages for upload in page.get("Uploads", ())]:
            if not is_part(upload["Key"]):
                strangers += 1
            elif remove:
                client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
                reached.removed.append(f"an unfinished upload to s3://{bucket}/{upload['Key']}")
            else:
                reached.unknown.append(f"would be removed: an unfinished upload to s3://{bucket}/{upload['Key']}")
    if strangers:
        reached.elsewhere[f"{strangers:,} unfinished uploads below {zone}, which nobody can look into"] = (
            f"aws s3api list-multipart-uploads --bucket {bucket} --prefix {prefix}, abort-multipart-upload"
        )
    return reached


def look_at_old_versions(places: Collection[str]) -> Reached:
    """Counts the old versions of objects that versioned buckets keep: deleting an object makes one."""
    reached = Reached()
    for place in sorted(set(places)):
        bucket, prefix = prefix_of(place)
        with _or_say_so(reached, f"old versions of objects below {place}"), explained(place):
            pages = _client().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
            count = sum(not version["IsLatest"] for page in pages for version in page.get("Versions", ()))
            if count:
                reached.unknown.append(
                    f"the bucket keeps {count:,} old versions of objects below {place}, which may hold them: "
                    "delete these (aws s3api list-object-versions, delete-object --version-id), or let a lifecycle rule"
                )
    return reached


@dataclass(frozen=True)
class AthenaFiles:
    """The files that Athena keeps on S3.

    Attributes:
        lake: Where dbt puts the tables, s3://bucket/prefix.
        results: Where Athena puts the results of queries.
        zone: The landing zone, which may lie below either and is looked into by itself.
        relations: The names of everything that the project builds.
    """

    lake: str
    results: str
    zone: str
    relations: frozenset[str]

    def look_at_orphans(self, *, remove: bool, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Reached:
        """Looks for files below the lake that no table in Glue names any more: killed builds left them.

        Those of the project's own relations are deleted if they are to be removed, unless a build may be writing them.
        """
        reached, (bucket, root) = Reached(), prefix_of(self.lake)
        with _or_say_so(reached, f"files below {self.lake} that no table names"), explained(self.lake):
            used = tuple(self._used_prefixes())
            orphans = [
                stored
                for page in _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=root)
                for stored in page.get("Contents", ())
                if not f"s3://{bucket}/{stored['Key']}".startswith(used)
            ]
            old = [stored["Key"] for stored in orphans if stored["LastModified"] < now() - AT_WORK]
            own = [key for key in old if self._is_of_a_relation(key)]
            what = f"{len(own):,} files below {self.lake} that no table names"
            if own and remove:
                S3Prefix(bucket).delete(own)
                reached.removed.append(what)
            elif own:
                reached.unknown.append(f"would be removed: {what}")
            if young := len(orphans) - len(old):
                reached.unknown.append(
                    f"{young:,} files below {self.lake} that no table names are less than an hour old: a build may be "
                    "writing them. Erase again in an hour"
                )
            if strangers := len(old) - len(own):
                reached.unknown.append(
                    f"{strangers:,} files below {self.lake} that no table names are not where this project puts any: "
                    f"look at them (aws s3 ls --recursive {self.lake}), and delete what nobody needs"
                )
        return reached

    def look_at_results(self, needles: Needles, *, remove: bool) -> Reached:
        """Looks into the results of queries, and deletes those that name the people, if they are to be removed.

        Pseudonyms and devices are among the needles' numbers: many a table has these only, and so has what it answers.
        """
        reached, (bucket, root) = Reached(), prefix_of(self.results)
        with _or_say_so(reached, f"results of queries below {self.results}"):
            folder = S3Prefix(bucket, root.rstrip("/"))
            found = [place.removeprefix(f"{folder.location}/") for place in search_results(folder, needles)]
            own = [key for key in found if _RESULT.fullmatch(key)]
            what = f"{len(own):,} results of queries below {self.results}"
            if own and remove:
                metadata = [f"{key}.metadata" for key in own if not key.endswith(".metadata")]
                folder.delete([*own, *metadata])
                reached.removed.append(what)
            elif own:
                reached.unknown.append(f"would be removed: {what}")
            for key in sorted(set(found).difference(own)):
                reached.elsewhere[f"{folder.location}/{key}"] = "delete it, unless somebody needs it"
        return reached

    def _used_prefixes(self) -> Iterator[str]:
        """Below what every file is somebody's: where tables are, the landing zone, the results."""
        for place in (self.zone, self.results):
            yield f"{place.rstrip('/')}/"
        glue = session().client("glue")
        for databases in glue.get_paginator("get_databases").paginate():
            for database in databases["DatabaseList"]:
                for page in glue.get_paginator("get_tables").paginate(DatabaseName=database["Name"]):
                    for table in page["TableList"]:
                        yield from _places_of(table)

    def _is_of_a_relation(self, key: str) -> bool:
        """Whether a file is where dbt-athena puts those of a relation (s3_data_naming: table_unique)."""
        folders = key.split("/")[:-1]
        return any(
            re.fullmatch(_UUID, unique) and self._is_named_after_a_relation(name) for name, unique in pairwise(folders)
        )

    def _is_named_after_a_relation(self, name: str) -> bool:
        """Whether it is a relation's name, or that of what dbt-athena makes beside it: name__ha, name__dbt_tmp."""
        return any(name == relation or name.startswith(f"{relation}__") for relation in self.relations)


def _places_of(table: Mapping[str, Any]) -> Iterator[str]:
    location = table.get("StorageDescriptor", {}).get("Location", "")
    metadata = table.get("Parameters", {}).get("metadata_location", "").rpartition("/metadata/")[0]
    for place in (location, metadata):
        if place:
            yield f"{place.rstrip('/')}/"


def _client() -> "S3Client":
    return session().client("s3")


@contextmanager
def _or_say_so(reached: Reached, what: str) -> Iterator[None]:
    """Goes on where a place cannot be looked into, and notes that it was not."""
    try:
        yield
    except LandingError as error:
        reached.unknown.append(f"could not tell whether there are {what}: {error}")
