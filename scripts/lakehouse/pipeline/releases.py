"""Releases of the training data: a Parquet file with a card that says what it is, and a record in the landing zone."""

import csv
import io
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import duckdb
import msgspec
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode

from lakehouse.errors import LandingError
from lakehouse.landing.parts import name_load
from lakehouse.parity.dump import as_text
from lakehouse.pipeline.data_card import data_card
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.relation_rows import rows_of
from lakehouse.storage.folder import Claim, Folder

RELEASES_FOLDER = "loader/releases"
RELEASED_MODEL = "model.lakehouse.machine_learning_curated.v3"
ROWS_FILE = "machine_learning_curated_v3.parquet"
CARD_FILE = "README.md"
ORDER = "release_pseudonym, session_number, session_time_ms, distance_from_object, x, y, z"
"""Of the released rows: by a random pseudonym, so that it tells nothing of the order in which customers were landed."""
_UNFINISHED = ".unfinished"


class Risk(msgspec.Struct, frozen=True):
    """A row of reidentification_risk; the model describes the columns."""

    known_readings: int
    people: int
    singled_out_by_some: int
    singled_out_by_any: int


class AgeBand(msgspec.Struct, frozen=True):
    """How many people, with how many rows, share a published age band."""

    age_band: str
    people: int
    rows: int


class Figures(msgspec.Struct, frozen=True):
    """What is told of a release."""

    people: int
    sessions: int
    rows: int
    age_bands: list[AgeBand]
    risks: list[Risk]


class Release(msgspec.Struct, frozen=True):
    """The record of a release; it names nobody, and holds no pseudonym."""

    release_id: str
    released_at: str
    """UTC."""
    dataset: str
    target: str
    figures: Figures


def zone_state(zone: Folder) -> Mapping[str, str]:
    """The version of each ledger: what is the same as long as nothing is landed or erased."""
    return {stored.key: stored.version for stored in zone.list("loader/ledger")}


def figures_of(dbt: DbtSession) -> Figures:
    """What the engine says of the training data that it holds.

    Raises:
        DbtError: The relations are not there.
        LandingError: There is nobody in them.
    """
    (answer,) = dbt.ask("release_figures")
    figures = msgspec.convert(answer, type=Figures)
    if not figures.people:
        raise LandingError("there is nobody whose data may be released: nobody consents, or nobody was read since")
    return figures


def write_release(dbt: DbtSession, zone: Folder, to: Path, check: Claim) -> tuple[Release, Path]:
    """Writes what the engine holds into a new folder, and notes the release in the landing zone.

    The record is written before the folder gets its name: a killed release may be on record and not handed out, never
    the reverse.

    Args:
        dbt: The session that has built the training data.
        zone: The landing zone that it was built of.
        to: The folder that holds a folder for each release.
        check: Raises LandingError where what was built is no longer what is landed.

    Returns:
        The record, and the release's folder, whose files are their owner's only.

    Raises:
        DbtError: The relations are not there.
        LandingError: There is nobody to release, or rows or records changed meanwhile.
    """
    figures = figures_of(dbt)
    release = Release(name_load(), _now(), dbt.dataset, dbt.target, figures)
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for leftover in to.glob(f".*{_UNFINISHED}"):
        shutil.rmtree(leftover)
    work = to / f".{release.release_id}{_UNFINISHED}"
    work.mkdir(mode=0o700)
    try:
        model = released_model(dbt.manifest)
        rows = _write_rows(dbt, model, work / ROWS_FILE)
        if rows != figures.rows:
            raise LandingError(f"{rows:,} rows were read, {figures.rows:,} counted: somebody else builds: try again")
        _write(work / CARD_FILE, data_card(release, model).encode())
        check()
        record = msgspec.json.format(msgspec.json.encode(release)) + b"\n"
        zone.write(f"{RELEASES_FOLDER}/{release.release_id}.json", io.BytesIO(record))
        finished = to / release.release_id
        work.rename(finished)
    finally:
        shutil.rmtree(work, ignore_errors=True)  # after the renaming there is none
    return release, finished


def recorded_releases(zone: Folder) -> list[Release]:
    """The releases that a landing zone has on record, first to last."""
    return [
        msgspec.json.decode(zone.fetch(stored.key).content, type=Release)
        for stored in sorted(zone.list(RELEASES_FOLDER), key=lambda stored: stored.key)
    ]


def released_model(manifest: Manifest) -> ModelNode:
    """The version of the training data that is released, as the project declares it."""
    model = manifest.nodes[RELEASED_MODEL]
    assert isinstance(model, ModelNode)  # noqa: S101 - its id says so
    return model


def _write_rows(dbt: DbtSession, model: ModelNode, file: Path) -> int:
    """Writes a relation's rows as Parquet, and gives their number; any engine's rows go the same way."""
    columns = {column.name: str(column.data_type) for column in model.columns.values()}
    texts = file.with_suffix(".csv")
    count = 0
    with _private(texts) as out:
        writer = csv.writer(io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True))
        for row in rows_of(dbt, model, list(columns)):
            writer.writerow([as_text(value) for value in row])
            count += 1
    with duckdb.connect() as connection:
        rows = connection.read_csv(str(texts), header=False, names=list(columns), dtype=columns)
        rows.order(ORDER).write_parquet(str(file), compression="zstd")
    file.chmod(0o600)  # until now, the folder's rights kept others out
    texts.unlink()
    return count


def _private(file: Path) -> io.FileIO:
    """A new file that nobody but its owner reads."""
    return io.FileIO(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")


def _write(file: Path, content: bytes) -> None:
    with _private(file) as out:
        out.write(content)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
