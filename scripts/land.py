"""Lands raw JSON from source folders in a landing zone: every record once, or in the quarantine with the reason."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from lakehouse.errors import LandingError, RejectLimitError
from lakehouse.landing import land
from lakehouse.landing_summary import print_summary
from lakehouse.reporting import ConsoleReporter
from lakehouse.sources import load_tables

PROJECT_DIR = Path(__file__).resolve().parents[1]


def main(  # noqa: PLR0913 - the options of the command
    *,
    source: Annotated[list[str], typer.Option(help="Folder to land from; may be given several times.")],
    to: Annotated[str, typer.Option(help="Landing zone, a folder.")],
    max_rejects: Annotated[int | None, typer.Option(min=0, help="Refused records at which the load stops.")] = None,
    forget_vanished: Annotated[bool, typer.Option(help="Remove the records of files gone from their source.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen, change nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Lands raw JSON from source folders in a landing zone."""
    console = ConsoleReporter(stderr=json)
    try:
        report = land(
            source,
            to,
            load_tables(PROJECT_DIR),
            forget_vanished=forget_vanished,
            max_rejects=max_rejects,
            dry_run=dry_run,
            reporter=console,
        )
    except LandingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1 if isinstance(error, RejectLimitError) else 2) from error
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        print_summary(report, console)


if __name__ == "__main__":
    typer.run(main)
