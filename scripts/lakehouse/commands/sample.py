"""Makes synthetic raw data for both domains, with the shape, the size and the traps of the real one."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.console import counted
from lakehouse.sample import SampleError, generate
from lakehouse.storage.owner_only import keep_private


def main(
    to: Annotated[Path, typer.Option(help="Folder to make. Anything but an earlier sample is left alone.")],
    scale: Annotated[float, typer.Option(help="Size, in times the real data's; 0.05 and 100 work, too.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed and scale give the same bytes.")] = 42,
) -> None:
    """Make the sample data, unless it is there already."""
    keep_private()
    try:
        report = generate(to, scale, seed, progress=typer.echo)
    except SampleError as error:
        typer.echo(f"make_sample: {error}", err=True)
        raise typer.Exit(code=2) from error
    if report.was_up_to_date:
        typer.echo(f"sample data is up to date: {report.to} (scale {scale:g}, seed {seed})")
    else:
        typer.echo(
            f"wrote {counted(report.files, 'file')}, {report.megabytes:,.1f} MB, in {report.seconds:.1f} s to "
            f"{report.to}"
        )


if __name__ == "__main__":
    typer.run(main)
