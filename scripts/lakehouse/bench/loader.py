"""The loader beside `aws s3 cp` and a bare pass over the bytes.

Everything talks to a local S3 endpoint (moto, a process of its own), so the numbers tell of the programs and not of a
network.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

from rich.console import Console

from lakehouse.bench.measuring import BIN, LAKEHOUSE, BenchError, heading, run

LAND = [LAKEHOUSE, "land"]
MAKE_SAMPLE = [LAKEHOUSE, "sample"]  # a process of its own: a child's peak begins at its parent's
PASSES = {
    "read": "for line in file: pass",
    "msgspec": "for line in file: msgspec.json.decode(line)",
    "orjson": "for line in file: orjson.loads(line)",
}
EVENT_BYTES = 1 << 30
EVENT_FILES = 32  # moto reads an object whole for each range of it that is asked for: none may be very large
BUCKETS = ("raw", "copy", "zones", "big")  # moto sorts a whole bucket for each page of a listing


def small_files(console: Console, songs: Path, count: int, environment: dict[str, str]) -> None:
    """Compares loads of one-object files: to S3, and from S3 to S3."""
    aws = [str(BIN / "aws"), "s3", "cp", "--recursive", "--only-show-errors"]
    up = run([*aws, str(songs), "s3://raw/"], environment)
    check = run(json_pass("msgspec", songs), environment)
    land_up = run([*LAND, "--source", str(songs), "--to", "s3://zones/from-folder"], environment)
    across = run([*aws, "s3://raw/", "s3://copy/"], environment)
    land_across = run([*LAND, "--source", "s3://raw", "--to", "s3://zones/from-s3"], environment)
    again = run([*LAND, "--source", "s3://raw", "--to", "s3://zones/from-s3"], environment)
    grid = heading(console, f"{count:,} one-object songs", "seconds", "records/s", "times as fast as aws s3 cp")
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
    grid = heading(console, f"{count:,} events, {size:,.0f} MB", "seconds", "records/s", "times a bare msgspec pass")
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


def memory(console: Console, work: Path, scales: tuple[int, ...]) -> None:
    """Shows the loader's peak memory on several sizes of the sample."""
    grid = heading(
        console, "memory: sample data, folder to folder", "seconds", "MB of data", "peak MB of the largest process"
    )
    for scale in scales:
        made = work / f"sample_x{scale}"
        run([*MAKE_SAMPLE, "--to", str(made), "--scale", str(scale)], {})
        zone = work / "zone"
        shutil.rmtree(zone, ignore_errors=True)
        land = run([*LAND, "--source", str(made), "--to", str(zone)], {})
        size = sum(file.stat().st_size for file in made.rglob("*.json*")) / 1e6
        grid.add_row(f"{scale} times", f"{land.seconds:.1f}", f"{size:,.0f}", f"{land.peak_mb:,.0f}")
    console.print(grid)


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
