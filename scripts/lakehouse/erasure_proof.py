"""Looks for people where they could be after an erasure: in the landing zone, the engine, and dbt's files."""

import base64
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import duckdb
import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from lakehouse import ledger
from lakehouse.dbt_session import DbtSession
from lakehouse.erasure_leftovers import work_folder
from lakehouse.errors import LandingError
from lakehouse.ledger import QuarantinedRecord
from lakehouse.packing import PART_SUFFIX, read_part
from lakehouse.person_search import Needles
from lakehouse.s3_session import session
from lakehouse.sources import Table
from lakehouse.storage import Folder

Places = dict[str, int]
"""Where something was found, and how often: records of an object, rows of a column, or 1 for a file."""

_BLOCK_BYTES = 16 << 20
_OVERLAP_BYTES = 4096  # of two blocks, more than any spelling of an address has


def search_zone(zone: Folder, tables: Mapping[str, Table], needles: Needles) -> Places:
    """Looks into every object of a landing zone, compressed ones and the quarantine's Base64 included."""
    with_devices = tuple(
        f"{folder}/"
        for table in tables.values()
        if any(column.person == "serial_number" for column in table.columns)
        for folder in (table.folder, ledger.quarantine_folder(table.name))
    )
    found: Places = {}
    for stored in zone.list():
        has_devices = stored.key.startswith(with_devices)
        if stored.key.endswith(PART_SUFFIX):
            texts = (text for line in read_part(zone, stored.key) for text in _texts(stored.key, line))
            hits = sum(needles.name_address(text) or (has_devices and needles.name_number(text)) for text in texts)
        else:
            hits = int(needles.are_anywhere_in(zone.fetch(stored.key).content))
        hits += needles.are_anywhere_in(stored.key.encode())
        if hits:
            found[f"{zone.location}/{stored.key}"] = hits
    return found


def _texts(key: str, line: bytes) -> Iterator[bytes]:
    yield line
    if key.startswith(f"{ledger.QUARANTINE_FOLDER}/"):
        yield base64.b64decode(msgspec.json.decode(line, type=QuarantinedRecord).record_base64)


def search_files(paths: Collection[Path], needles: Needles) -> Places:
    """Looks into files, and into every file below folders."""
    files = sorted(file for path in paths for file in (path, *path.rglob("*")) if file.is_file())
    return {str(file): 1 for file in files if _file_names(file, needles)}


def _file_names(path: Path, needles: Needles) -> bool:
    with path.open("rb") as file:
        before = b""
        while block := file.read(_BLOCK_BYTES):
            if needles.are_anywhere_in(before + block):
                return True
            before = block[-_OVERLAP_BYTES:]
    return False


def search_engine(
    dbt: DbtSession, values: Collection[str], *, exact: bool = False, only_columns: Collection[str] | None = None
) -> Places:
    """Looks into the text columns of every relation in the project's schemas; values are compared whole.

    What is searched for is in no query and in no log: the engine compares hashes behind a random text.

    Args:
        dbt: The engine.
        values: What to look for.
        exact: Whether upper and lower case differ.
        only_columns: Names of the columns to look into; all without it.

    Raises:
        DbtError: The engine cannot be asked.
    """
    if not values:
        return {}
    nonce = secrets.token_hex(32)
    with _without_trace(dbt) as quiet:
        answers = quiet.ask(
            "find_person",
            nonce=nonce,
            digests=_digests(nonce, values if exact else {value.lower() for value in values}),
            max_characters=_longest(values),
            case_matters=exact,
            only_columns=None if only_columns is None else sorted(map(str.lower, only_columns)),
        )
    found = {answer["place"]: answer["rows"] for answer in cast(list[dict[str, Any]], answers) if answer["rows"]}
    others = set() if exact else {value for value in values if not value.isascii()}
    as_written = search_engine(
        dbt, others, exact=True, only_columns=only_columns
    )  # engines lower few letters otherwise
    return found | {place: max(rows, found.get(place, 0)) for place, rows in as_written.items()}


def forget_pseudonyms(dbt: DbtSession, pseudonyms: Collection[str]) -> None:
    """Puts random pseudonyms in the place of some in the snapshots, which no build makes anew.

    Raises:
        DbtError: The engine cannot do it.
    """
    nonce, secret = secrets.token_hex(32), secrets.token_hex(32)
    with _without_trace(dbt) as quiet:
        quiet.operation(
            "forget_pseudonyms",
            nonce=nonce,
            digests=_digests(nonce, {pseudonym.lower() for pseudonym in pseudonyms}),
            secret=secret,
            max_characters=_longest(pseudonyms),
        )


@contextmanager
def _without_trace(dbt: DbtSession) -> Iterator[DbtSession]:
    """The session with a log and a target folder that are gone afterwards: dbt keeps what an operation is given."""
    with work_folder() as folder:
        yield dbt.working_in(folder)


def _digests(nonce: str, values: Collection[str]) -> list[str]:
    return sorted(sha256((nonce + value).encode()).hexdigest() for value in set(values))


def _longest(values: Collection[str]) -> int:
    """How many characters a value has that could be one of some: a letter may be two in the other case."""
    return 2 * max(map(len, values))


def rewrite_duckdb(path: Path) -> None:
    """Copies a DuckDB database into a new file in its place: deleted rows can remain in the free blocks of the old one.

    Raises:
        LandingError: Another program has it open, or there is no room for it.
    """
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    fresh = path.with_name(f".{path.name}.erasing")
    fresh.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(path)) as old:
            old.execute("force checkpoint")
        with duckdb.connect() as both:
            both.execute(f"attach {_literal(path)} as {_identifier(path.stem)} (read_only)")  # as its views call it
            both.execute(f"attach {_literal(fresh)} as {_identifier(fresh.name)}")
            shutil.copymode(path, fresh)  # who could not read the old file must not read the new one
            both.execute(f"copy from database {_identifier(path.stem)} to {_identifier(fresh.name)}")
    except duckdb.Error as error:
        fresh.unlink(missing_ok=True)
        raise LandingError(f"{path} cannot be written anew ({error}): erase again") from error
    fresh.replace(path)


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def old_versions(zone: str) -> int | None:
    """How many old versions of objects a versioned bucket keeps below a landing zone; None where S3 does not tell."""
    bucket, _, prefix = zone.removeprefix("s3://").partition("/")
    client = session().client("s3")
    try:
        pages = client.get_paginator("list_object_versions").paginate(
            Bucket=bucket, Prefix=f"{prefix}/" if prefix else ""
        )
        return sum(not version["IsLatest"] for page in pages for version in page.get("Versions", ()))
    except (BotoCoreError, ClientError):  # the right s3:ListBucketVersions is no right that a landing zone needs
        return None
