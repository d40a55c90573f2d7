"""Looks for people where they could be after an erasure: in the landing zone, the engine, and dbt's files."""

import base64
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import duckdb
import msgspec
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from lakehouse.declaration import Table
from lakehouse.errors import LandingError
from lakehouse.landing import ledger
from lakehouse.landing.ledger import QuarantinedRecord
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.privacy.leftovers import work_folder
from lakehouse.records.needles import Needles
from lakehouse.records.read import GZIP, DamagedError, Text
from lakehouse.storage.folder import Folder

Places = dict[str, int]
"""Where something was found, and how often: records of an object, rows of a column, or 1 for a file."""

_BLOCK_BYTES = 16 << 20
_OVERLAP_BYTES = 4096  # of two blocks, more than any spelling of an address has


def search_zone(zone: Folder, tables: Mapping[str, Table], needles: Needles) -> Places:
    """Looks into every object of a landing zone: hidden ones, compressed ones and the quarantine's Base64 included.

    Numbers are looked for only where devices stand: elsewhere they may count something.
    """
    with_devices = tuple(
        f"{folder}/"
        for table in tables.values()
        if any(column.person == "serial_number" for column in table.columns)
        for folder in (table.folder, ledger.quarantine_folder(table.name))
    )
    return _search(zone, needles, lambda key: key.startswith(with_devices))


def search_results(results: Folder, needles: Needles) -> Places:
    """Looks into every object below the results of queries, for addresses and for numbers: a result has any column."""
    return _search(results, needles, lambda _key: True)


def _search(zone: Folder, needles: Needles, has_numbers: Callable[[str], bool]) -> Places:
    found: Places = {}
    for stored in zone.list(hidden=True):
        if not stored.is_regular:
            continue
        try:
            content = zone.fetch(stored.key).content
        except FileNotFoundError:  # it went while the others were read
            continue
        with_numbers = has_numbers(stored.key)
        if content.startswith(GZIP):
            texts = _lines_of(stored.key, content)
            hits = sum(needles.name_address(text) or (with_numbers and needles.name_number(text)) for text in texts)
        else:
            hits = int(needles.are_anywhere_in(content) or needles.name_address(content))
            hits += with_numbers and needles.name_number(content)
        hits += needles.are_anywhere_in(stored.key.encode())
        if hits:
            found[f"{zone.location}/{stored.key}"] = hits
    return found


def _lines_of(key: str, content: bytes) -> Iterator[bytes]:
    """The lines of a compressed object, as far as it is whole, and the records that lines of the quarantine hold."""
    for line in _unpacked(content).split(b"\n"):
        yield line
        if key.startswith(f"{ledger.QUARANTINE_FOLDER}/"):
            with suppress(msgspec.MsgspecError, ValueError):  # a line that was cut off
                yield base64.b64decode(msgspec.json.decode(line, type=QuarantinedRecord).record_base64)


def _unpacked(content: bytes) -> bytes:
    texts = []
    try:
        for text in Text(iter([content])):
            texts.append(text)
    except DamagedError:
        pass  # what was read until there counts
    return b"".join(texts)


def search_files(paths: Collection[Path], needles: Needles) -> Places:
    """Looks into files, and into every file below folders."""
    files = sorted(file for path in paths for file in (path, *path.rglob("*")) if file.is_file())
    return {str(file): 1 for file in files if _file_names(file, needles)}


def _file_names(path: Path, needles: Needles) -> bool:
    try:
        with path.open("rb") as file:
            before = b""
            while block := file.read(_BLOCK_BYTES):
                if needles.are_anywhere_in(before + block):
                    return True
                before = block[-_OVERLAP_BYTES:]
    except FileNotFoundError:  # it went while the others were read
        return False
    return needles.are_anywhere_in(str(path).encode())


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
    real = path.resolve()  # of which it may be a symbolic link
    fresh = real.with_name(f".{path.name}.erasing")
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
    fresh.replace(real)


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
