"""Makes synthetic raw data for both domains, with the shape, the size and the traps of the real one."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.console import counted
from lakehouse.ending import stops_in_one_line
from lakehouse.sample import generate

EXAMPLES = (
    "sample --to sample_data",
    "sample --to small_sample --scale 0.05",
)


@stops_in_one_line("A sample is there whole or not at all. The same command begins anew.")
def main(
    to: Annotated[Path, typer.Option(help="Folder to make. Anything but an earlier sample is left alone.")],
    scale: Annotated[float, typer.Option(help="Size, in times the real data's; 0.05 and 100 work, too.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed and scale give the same bytes.")] = 42,
) -> None:
    """Make the sample data, unless it is there already."""
    report = generate(to, scale, seed, progress=typer.echo)
    if report.was_up_to_date:
        typer.echo(f"sample data is up to date: {report.to} (scale {scale:g}, seed {seed})")
    else:
        typer.echo(
            f"wrote {counted(report.files, 'file')}, {report.megabytes:,.1f} MB, in {report.seconds:.1f} s to "
            f"{report.to}"
        )
