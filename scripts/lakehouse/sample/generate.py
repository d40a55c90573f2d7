"""Writes the sample: DuckDB makes every line, this module says which lines go to which file.

The data is a function of scale and seed alone. Every random choice is a hash of the seed and the row's number, and
every file is written in an explicit order, so the bytes do not depend on the machine, the number of threads or the run.
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import duckdb

from lakehouse.errors import LakehouseError

GENERATOR_VERSION = 1
MANIFEST = "sample.json"
SQL = Path(__file__).parent / "sql"

Progress = Callable[[str], None]

MODEL = ("macros", "vocabulary", "catalogue", "listening", "sensors")
DAYS = range(1, 31)
# fmt: off
EVENT_FIELDS = (
    "artist", "auth", "firstName", "gender", "itemInSession", "lastName", "length", "level", "location", "method",
    "page", "registration", "sessionId", "song", "status", "ts", "userAgent", "userId",
)
# A song that arrives as a file of its own was written by another program: other order of keys, other spacing, no `\/`.
SINGLE_SONG_FIELDS = (
    "song_id", "num_songs", "title", "artist_name", "artist_latitude", "year", "duration", "artist_id",
    "artist_longitude", "artist_location",
)
# fmt: on
# Every so many single files there is one that was delivered again under another name, byte for byte.
SINGLE_SONGS_PER_COPY = 200
MAX_SCALE = 1000.0


class SampleError(LakehouseError):
    """The sample cannot be made as asked; the message says why."""


@dataclass(frozen=True)
class Report:
    """What a call of `generate` did."""

    to: Path
    scale: float
    seed: int
    files: int
    megabytes: float
    seconds: float
    was_up_to_date: bool


def generate(
    to: Path,
    scale: float = 1.0,
    seed: int = 42,
    *,
    threads: int | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Makes the sample in a folder, unless the folder holds this very sample already.

    Everything is written to a hidden folder beside the target, which takes the target's place at the very end.

    Args:
        to: The folder to make. It must not exist, be empty, or be an earlier sample.
        scale: The size in times the real data's (8,056 events, 14,896 songs, 81,273 readings).
        seed: The same seed and scale give the same bytes.
        threads: How many threads DuckDB uses; as many as there are cores if None.
        progress: Is told what is being done, a line each time.

    Raises:
        SampleError: The scale makes no sense, or the folder holds something else than a sample.
    """
    started = time.monotonic()
    to = to.resolve()
    manifest = _manifest(scale, seed)
    if _is_up_to_date(to, manifest):
        return _report(to, scale, seed, started, was_up_to_date=True)

    work = to.with_name(f".{to.name}.partial")
    shutil.rmtree(work, ignore_errors=True)
    (work / "data").mkdir(parents=True)
    try:
        with _engine(work, scale, seed, threads) as connection:
            _write_all(connection, work / "data", scale, progress)
        text = json.dumps(manifest | {"people_files": _people_files(work / "data")}) + "\n"
        (work / "data" / MANIFEST).write_text(text, encoding="utf-8")
        _replace(to, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return _report(to, scale, seed, started, was_up_to_date=False)


def _manifest(scale: float, seed: int) -> dict[str, object]:
    """What says which sample a folder holds."""
    if not (math.isfinite(scale) and 0 < scale <= MAX_SCALE):
        raise SampleError(f"scale is {scale:g}, but must be greater than 0 and at most {MAX_SCALE:g}")
    return {"generator": GENERATOR_VERSION, "seed": seed, "scale": float(scale)}


def _people_files(root: Path) -> dict[str, int]:
    """The fingerprints and sizes of the files about people: what else lies in the folder one day was not made here."""
    files = sorted(path for path in (root / "stedi").rglob("*") if path.is_file())
    return {sha256(path.read_bytes()).hexdigest(): path.stat().st_size for path in files}


def _is_up_to_date(to: Path, manifest: dict[str, object]) -> bool:
    """Whether the folder holds the sample of this manifest already.

    Raises:
        SampleError: The folder holds something that this module did not make.
    """
    if not to.exists():
        return False
    if not to.is_dir():
        raise SampleError(f"{to} is a file; name a folder for the sample data")
    if (to / MANIFEST).is_file():
        found = json.loads((to / MANIFEST).read_text(encoding="utf-8"))
        return "people_files" in found and {**found, **manifest} == found
    if any(to.iterdir()):
        raise SampleError(
            f"{to} holds data that is no sample (it has no {MANIFEST}); it was left alone, name another folder"
        )
    return False


def _engine(work: Path, scale: float, seed: int, threads: int | None) -> duckdb.DuckDBPyConnection:
    """A DuckDB on disk, so that memory stays bounded at any scale, in which the data is modelled."""
    connection = duckdb.connect(str(work / "model.duckdb"))
    connection.execute("set memory_limit = '1GB'")
    if threads is not None:
        connection.execute("set threads = $threads", {"threads": threads})
    connection.execute("set variable scale = $scale::double", {"scale": scale})
    connection.execute("set variable seed = $seed::bigint", {"seed": seed})
    return connection


def _write_all(connection: duckdb.DuckDBPyConnection, root: Path, scale: float, progress: Progress) -> None:
    """Models both domains and writes every raw file."""
    progress("inventing people, songs and sessions")
    for name in MODEL:
        connection.execute(_sql(name))
    progress("writing sparkify/song_data")
    _write_songs(connection, root / "sparkify" / "song_data")
    progress("writing sparkify/log_data")
    _write_events(connection, root / "sparkify")
    progress("writing stedi/customer")
    _write_customers(connection, root / "stedi" / "customer" / "landing")
    for entity, parts in (("step_trainer", 3), ("accelerometer", 9)):
        progress(f"writing stedi/{entity}")
        _write_readings(connection, root / "stedi" / entity / "landing", entity, parts, scale)


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that a query gives."""
    row = connection.execute(query).fetchone()
    if row is None:
        raise SampleError(f"no row from: {query}")
    return int(row[0])


def _write_songs(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Writes the songs: most in one file of lines, some as a file each, a few of these twice."""
    folder.mkdir(parents=True)
    first = _number(connection, "select min(song_no) from song_file where not also_in_lines")
    connection.execute(_sql("write_songs"), {"first_in_files_only": first, "path": str(folder / "songs.jsonl")})
    for number, (letters, line) in enumerate(connection.execute(_sql("single_songs")).fetchall()):
        song = json.loads(line)
        text = json.dumps({field: song[field] for field in SINGLE_SONG_FIELDS})
        _write_single(folder, letters, text)
        if number % SINGLE_SONGS_PER_COPY == 0:
            _write_single(folder, letters[::-1], text)


def _write_single(folder: Path, letters: str, text: str) -> None:
    """Writes one song without a line end, three folders deep as the public bucket has it."""
    path = folder / letters[0] / letters[1] / letters[2] / f"TR{letters}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _write_events(connection: duckdb.DuckDBPyConnection, sparkify: Path) -> None:
    """Writes a file a day, none of which ends in a line end, and the JSONPaths file for COPY."""
    folder = sparkify / "log_data" / "2018" / "11"
    folder.mkdir(parents=True)
    for day in DAYS:
        path = folder / f"2018-11-{day:02}-events.json"
        connection.execute(_sql("write_events"), {"day": day, "path": str(path)})
        _drop_last_line_end(path)
    paths = ",\n".join(f"        \"$['{field}']\"" for field in EVENT_FIELDS)
    (sparkify / "log_json_path.json").write_text(f'{{\n    "jsonpaths": [\n{paths}\n    ]\n}}', encoding="utf-8")


def _drop_last_line_end(path: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(max(0, path.stat().st_size - 1))


def _write_customers(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Writes the first extract of the customers, and a second one with the records that came later."""
    folder.mkdir(parents=True)
    for extract_no, milliseconds in ((1, 1655600000000), (2, 1655700000000)):
        path = folder / f"customer-{milliseconds}.json"
        connection.execute(_sql("write_customers"), {"extract_no": extract_no, "path": str(path)})


def _write_readings(
    connection: duckdb.DuckDBPyConnection, folder: Path, entity: str, parts_at_full_size: int, scale: float
) -> None:
    """Writes the readings of a device, to more and larger files as the scale grows."""
    folder.mkdir(parents=True)
    root = math.sqrt(scale)
    parts = min(parts_at_full_size, max(2, round(parts_at_full_size * root)))
    people = _number(connection, "select max(person_no) from person")
    file_no = 0
    for first, last in _groups(people, max(1, round(root))):
        for part in range(parts):
            path = folder / f"{entity}-{1655600000000 + 1000 * file_no}.json"
            file_no += 1
            connection.execute(
                _sql(f"write_{entity}"),
                {"first_person": first, "last_person": last, "parts": parts, "part": part, "path": str(path)},
            )


def _groups(people: int, groups: int) -> Iterator[tuple[int, int]]:
    """Splits the people's numbers, which begin at 1, into ranges of about the same size."""
    bounds = [people * group // groups for group in range(groups + 1)]
    for first, last in pairwise(bounds):
        yield first + 1, last


def _replace(to: Path, work: Path) -> None:
    """Puts the finished data in the target's place; an earlier sample is removed with the work folder."""
    if to.exists():
        to.rename(work / "earlier")
    (work / "data").rename(to)


def _report(to: Path, scale: float, seed: int, started: float, *, was_up_to_date: bool) -> Report:
    sizes = [path.stat().st_size for path in to.rglob("*") if path.is_file()]
    return Report(to, scale, seed, len(sizes), sum(sizes) / 1e6, time.monotonic() - started, was_up_to_date)
