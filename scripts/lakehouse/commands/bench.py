"""Measures the loader beside what people use instead, in one run on one machine. `make bench` calls it.

Everything talks to a local S3 endpoint (moto, a process of its own), so the numbers tell of the programs and not of a
network. What counts are the ratios: the seconds are this machine's.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid

from lakehouse.ending import stops_in_one_line
from lakehouse.errors import LakehouseError
from lakehouse.pipeline.project import find_project
from lakehouse.sample import generate

BIN = Path(sys.executable).parent
LAND = [str(BIN / "lakehouse"), "land"]
MAKE_SAMPLE = [str(BIN / "lakehouse"), "sample"]  # a process of its own: a child's peak begins at its parent's
PASSES = {
    "read": "for line in file: pass",
    "msgspec": "for line in file: msgspec.json.decode(line)",
    "orjson": "for line in file: orjson.loads(line)",
}
EVENT_BYTES = 1 << 30
EVENT_FILES = 32  # moto reads an object whole for each range of it that is asked for: none may be very large
EXAMPLES = ("bench", "bench --data ../shared/data/udacity --work .bench")
BUCKETS = ("raw", "copy", "zones", "big")  # moto sorts a whole bucket for each page of a listing


class BenchError(LakehouseError):
    """Something that is measured does not run."""


@dataclass
class Measured:
    """What a command took."""

    seconds: float
    peak_mb: float


@stops_in_one_line("What was made stays in the folder of --work. The same command goes on from there.")
def main(
    data: Annotated[Path, typer.Option(help="Real data; without it, the sample's songs and events are taken.")] = Path(
        "../shared/data/udacity"
    ),
    work: Annotated[Path, typer.Option(help="Folder for what is made and measured, kept for the next run.")] = Path(
        ".bench"
    ),
) -> None:
    """Measure the loader on many small files, on large ones, and its memory at three sizes.

    It compares with `aws s3 cp` and with a bare pass over the bytes, which `make bench` installs. It takes minutes, and
    5 GB of disk.
    """
    find_project()  # the loader, which is measured, needs one
    console = Console()
    work.mkdir(exist_ok=True)
    if not data.is_dir():
        console.print(f"no real data in {data}: the sample's songs and events are taken")
        data = generate(work / "sample").to
    songs, song_count = one_file_a_song(data, work / "songs")
    events, event_count = large_events(data, work / "events")
    with local_s3() as environment:
        small_files(console, songs, song_count, environment)
        large_files(console, events, event_count, environment)
    memory(console, work)


def small_files(console: Console, songs: Path, count: int, environment: dict[str, str]) -> None:
    """Compares loads of one-object files: to S3, and from S3 to S3."""
    aws = [str(BIN / "aws"), "s3", "cp", "--recursive", "--only-show-errors"]
    up = run([*aws, str(songs), "s3://raw/"], environment)
    check = run(json_pass("msgspec", songs), environment)
    land_up = run([*LAND, "--source", str(songs), "--to", "s3://zones/from-folder"], environment)
    across = run([*aws, "s3://raw/", "s3://copy/"], environment)
    land_across = run([*LAND, "--source", "s3://raw", "--to", "s3://zones/from-s3"], environment)
    again = run([*LAND, "--source", "s3://raw", "--to", "s3://zones/from-s3"], environment)
    grid = heading(console, f"{count:,} one-object songs", "records/s", "times as fast as aws s3 cp")
    both = up.seconds + check.seconds
    for name, seconds, base in (
        ("folder to S3: aws s3 cp and a JSON check", both, both),
        ("folder to S3: lakehouse land", land_up.seconds, both),
        ("S3 to S3: aws s3 cp and a JSON check", across.seconds + check.seconds, across.seconds + check.seconds),
        ("S3 to S3: lakehouse land", land_across.seconds, across.seconds + check.seconds),
        ("S3 to S3: lakehouse land again, nothing to do", again.seconds, across.seconds + check.seconds),
    ):
        grid.add_row(name, f"{seconds:.1f}", f"{count / seconds:,.0f}", f"{base / seconds:.1f}")
    console.print(grid)


def large_files(console: Console, events: Path, count: int, environment: dict[str, str]) -> None:
    """Compares loads of large files with a bare pass over their lines."""
    size = sum(file.stat().st_size for file in events.rglob("*.json")) / 1e6
    passes = {name: run(json_pass(name, events), environment).seconds for name in PASSES}
    aws = run(
        [str(BIN / "aws"), "s3", "cp", "--recursive", "--only-show-errors", str(events), "s3://big/"], environment
    )
    land = run([*LAND, "--source", str(events), "--to", "s3://zones/big-from-folder"], environment)
    across = run([*LAND, "--source", "s3://big", "--to", "s3://zones/big-from-s3"], environment)
    grid = heading(console, f"{count:,} events, {size:,.0f} MB", "records/s", "times a bare msgspec pass")
    for name, seconds in (
        ("merely reading the lines", passes["read"]),
        ("bare msgspec pass", passes["msgspec"]),
        ("bare orjson pass", passes["orjson"]),
        ("folder to S3: aws s3 cp and a msgspec pass", aws.seconds + passes["msgspec"]),
        ("folder to S3: lakehouse land", land.seconds),
        ("S3 to S3: lakehouse land", across.seconds),
    ):
        grid.add_row(name, f"{seconds:.1f}", f"{count / seconds:,.0f}", f"{seconds / passes['msgspec']:.2f}")
    console.print(grid)


def memory(console: Console, work: Path) -> None:
    """Shows the loader's peak memory on 1, 10 and 100 times the sample."""
    grid = heading(console, "memory: sample data, folder to folder", "MB of data", "peak MB of the largest process")
    for scale in (1, 10, 100):
        made = work / f"sample_x{scale}"
        run([*MAKE_SAMPLE, "--to", str(made), "--scale", str(scale)], {})
        zone = work / "zone"
        shutil.rmtree(zone, ignore_errors=True)
        land = run([*LAND, "--source", str(made), "--to", str(zone)], {})
        size = sum(file.stat().st_size for file in made.rglob("*.json*")) / 1e6
        grid.add_row(f"{scale} times", f"{land.seconds:.1f}", f"{size:,.0f}", f"{land.peak_mb:,.0f}")
    console.print(grid)


def heading(console: Console, title: str, *columns: str) -> Grid:
    """A table with seconds and two more columns."""
    console.print()
    grid = Grid(title=title, title_justify="left")
    grid.add_column("what")
    for column in ("seconds", *columns):
        grid.add_column(column, justify="right")
    return grid


def run(command: list[str], environment: dict[str, str]) -> Measured:
    """Runs a command to its end.

    Raises:
        BenchError: It failed.
    """
    began = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise BenchError(f"{' '.join(command)} failed with exit code {process.returncode}")
    return Measured(time.monotonic() - began, usage.ru_maxrss / 1024)


def json_pass(kind: str, folder: Path) -> list[str]:
    """A command that reads every line below a folder in the simplest way."""
    library = "" if kind == "read" else f"import {kind}\n"
    code = (
        f"{library}import pathlib, sys\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).rglob('*.json')):\n"
        f"    with path.open('rb') as file:\n        {PASSES[kind]}\n"
    )
    return [sys.executable, "-c", code, str(folder)]


def one_file_a_song(data: Path, folder: Path) -> tuple[Path, int]:
    """Makes the songs as the public bucket holds them: an object a file, three folders deep."""

    def make(to: Path) -> None:
        for number, line in enumerate(lines(data, "sparkify/song_data")):
            letters = [chr(ord("A") + number // 26**place % 26) for place in (2, 1, 0)]
            file = to / "song_data" / "A" / letters[1] / letters[2] / f"TR{number:06d}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(line.rstrip(b"\n"))

    once(folder, make)
    return folder, sum(1 for _ in folder.rglob("*.json"))


def large_events(data: Path, folder: Path) -> tuple[Path, int]:
    """Makes a gigabyte of events, by repeating those there are under other sessions."""

    def make(to: Path) -> None:
        month = b"".join(line.rstrip(b"\n") + b"\n" for line in lines(data, "sparkify/log_data"))
        (to / "log_data").mkdir(parents=True)
        times = EVENT_BYTES // len(month) // EVENT_FILES
        for number in range(EVENT_FILES):
            with (to / f"log_data/{2018 + number // 12}-{1 + number % 12:02d}-01-events.json").open("wb") as file:
                for repeat in range(times):
                    file.write(month.replace(b'"sessionId":', b'"sessionId":%d' % (100 * number + repeat + 1)))

    once(folder, make)
    return folder, sum(file.read_bytes().count(b"\n") for file in folder.rglob("*.json"))


def lines(data: Path, below: str) -> Iterator[bytes]:
    """Every line of a source's files."""
    for file in sorted((data / below).rglob("*.json*")):
        yield from file.read_bytes().splitlines(keepends=True)


def once(folder: Path, make: Callable[[Path], None]) -> None:
    """Makes a folder whole or not at all, unless it is there."""
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(unfinished, ignore_errors=True)
        make(unfinished)
        unfinished.rename(folder)


@contextmanager
def local_s3() -> Iterator[dict[str, str]]:
    """Starts the endpoint on a free loopback port, and gives the settings with which programs find it."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-west-2",
        "AWS_DEFAULT_REGION": "us-west-2",
    }
    command = [str(BIN / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:  # noqa: S603 - our own
        try:
            for bucket in BUCKETS:
                make_bucket(bucket, settings)
            yield settings
        finally:
            server.terminate()


def make_bucket(bucket: str, environment: dict[str, str]) -> None:
    """Makes a bucket on an endpoint that may still be starting.

    Raises:
        BenchError: It does not start.
    """
    for _ in range(20):
        done = subprocess.run(  # noqa: S603 - our own
            [str(BIN / "aws"), "s3", "mb", f"s3://{bucket}"],
            env=os.environ | environment,
            capture_output=True,
            check=False,
        )
        if not done.returncode:
            return
    raise BenchError(f"the local S3 endpoint does not start: {done.stderr.decode()}")
