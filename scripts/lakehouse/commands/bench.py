"""Measures loader and builds beside what people use instead, in one run on one machine. `make bench` calls it.

What counts are the ratios: the seconds are this machine's.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lakehouse.bench.loader import large_events, large_files, local_s3, memory, one_file_a_song, small_files
from lakehouse.bench.spark import beside_spark
from lakehouse.bench.whole_run import whole_runs
from lakehouse.ending import stops_in_one_line
from lakehouse.pipeline.project import find_project
from lakehouse.sample import generate

SCALES = (1, 10, 100)
PARTS = ("loader", "runs", "spark")
EXAMPLES = ("bench", "bench --data ../shared/data/udacity --work .bench", "bench --only runs --largest 10")


@stops_in_one_line("What was made stays in the folder of --work. The same command goes on from there.")
def main(
    data: Annotated[Path, typer.Option(help="Real data; without it, the sample's songs and events are taken.")] = Path(
        "../shared/data/udacity"
    ),
    work: Annotated[Path, typer.Option(help="Folder for what is made and measured, kept for the next run.")] = Path(
        ".bench"
    ),
    only: Annotated[str, typer.Option(help="loader, runs or spark; all without it.")] = "",
    largest: Annotated[int, typer.Option(help="The largest size of the sample, in times the real data's.")] = 100,
) -> None:
    """Measure the loader beside `aws s3 cp`, and whole runs beside a bare script and Spark.

    The loader: many small files, large ones, its memory. Whole runs: everything, a day more, nothing new, beside the
    same tables made by DuckDB alone. Spark: STEDI's five tables, in one session and in five processes, as Glue's jobs.
    It takes an hour, and 20 GB of disk.
    """
    if only not in ("", *PARTS):
        message = f"{only!r} is not measured: {', '.join(PARTS)}, or all without it"
        raise typer.BadParameter(message, param_hint="--only")
    project = find_project()
    console = Console()
    work = work.absolute()
    work.mkdir(exist_ok=True)
    scales = tuple(scale for scale in SCALES if scale <= largest)
    if only in ("", "loader"):
        measure_loader(console, data, work, scales)
    if only in ("", "runs"):
        whole_runs(console, project, work, scales)
    if only in ("", "spark"):
        beside_spark(console, project, work, scales)


def measure_loader(console: Console, data: Path, work: Path, scales: tuple[int, ...]) -> None:
    """Measures the loader alone."""
    if not data.is_dir():
        console.print(f"no real data in {data}: the sample's songs and events are taken")
        data = generate(work / "sample").to
    songs, song_count = one_file_a_song(data, work / "songs")
    events, event_count = large_events(data, work / "events")
    with local_s3() as environment:
        small_files(console, songs, song_count, environment)
        large_files(console, events, event_count, environment)
    memory(console, work, scales)
