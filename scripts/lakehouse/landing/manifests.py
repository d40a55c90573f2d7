"""What Redshift's COPY needs beside the parts: lists of them (manifests), and where a record's columns are (JSONPaths).

A manifest lists the parts of one load that still count, so a load that was copied is never copied again; of records,
those that were landed at one time, which a load that writes old parts anew keeps. It is named after that load and the
MD5 of the list, so a name never stands for two lists, however late a load writes it; and
macros/landing/register_on_redshift.sql works the name out from the ledger. The format is documented in
https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html.
"""

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from lakehouse.declaration import Table
from lakehouse.landing.ledger import LandedFile
from lakehouse.landing.parts import load_of
from lakehouse.storage.folder import Folder, is_s3

COPY_FOLDER = "loader/copy"
RECORDS = "records"
QUARANTINE = "quarantine"


def write_copy_files(zone: Folder, table: Table, landed: Iterable[LandedFile]) -> None:
    """Writes the manifests for a table's ledger as it shall be, and its JSONPaths; of a zone on S3 only.

    They are there before the ledger is. Those that no ledger asks for any more are deleted by the next load.
    """
    if not is_s3(zone.location):
        return
    files = _copy_files(zone, table, landed)
    there = {stored.key for stored in zone.list(_folder(table))}
    for key, content in files.items():
        if key not in there:
            zone.write(key, io.BytesIO(content))


def stale_copy_files(zone: Folder, table: Table, landed: Iterable[LandedFile]) -> list[str]:
    """The manifests and JSONPaths of a table that its ledger and its declaration do not ask for."""
    files = _copy_files(zone, table, landed)
    return [stored.key for stored in zone.list(_folder(table)) if stored.key not in files]


def _copy_files(zone: Folder, table: Table, landed: Iterable[LandedFile]) -> dict[str, bytes]:
    parts: dict[tuple[str, str, int], set[str]] = defaultdict(set)
    for file in landed:
        for key in file.object_keys:
            parts[RECORDS, load_of(key), file.landed_at].add(key)
        for key in file.quarantine_keys:
            parts[QUARANTINE, load_of(key), 0].add(key)
    files = {
        f"{_folder(table)}/{kind}/{load}-{_digest(sorted(keys))}.json": _manifest(zone, keys)
        for (kind, load, _), keys in parts.items()
    }
    return files | {_json_paths_key(table): _json_paths(table)}


def _json_paths_key(table: Table) -> str:
    return f"{_folder(table)}/jsonpaths-{_digest(column.name for column in table.record_columns)}.json"


def _json_paths(table: Table) -> bytes:
    """The columns in their order; keys are case-sensitive in COPY, and columns are not."""
    return msgspec.json.encode({"jsonpaths": [f"$['{column.name}']" for column in table.record_columns]})


def _digest(names: Iterable[str]) -> str:
    return hashlib.md5(",".join(names).encode(), usedforsecurity=False).hexdigest()


def _folder(table: Table) -> str:
    return f"{COPY_FOLDER}/{table.name}"


def _manifest(zone: Folder, keys: Iterable[str]) -> bytes:
    entries = [{"url": f"{zone.location}/{key}", "mandatory": True} for key in sorted(keys)]
    return msgspec.json.encode({"entries": entries})
