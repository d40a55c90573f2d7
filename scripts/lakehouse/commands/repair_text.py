"""Finds text of the landed records that was encoded twice, and lands what it said before."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.console import ConsoleReporter, counted
from lakehouse.declaration import load_tables
from lakehouse.derived.text_repair import repair_text
from lakehouse.errors import LandingError
from lakehouse.storage.owner_only import keep_private, protect

PROJECT_DIR = Path(__file__).resolve().parents[1]


def main(zone: Annotated[str, typer.Option(help="Landing zone, a folder or an s3:// prefix.")]) -> None:
    """Finds text of the landed records that was encoded twice, and lands what it said before."""
    keep_private()
    try:
        protect(PROJECT_DIR, zone, ConsoleReporter())
        report = repair_text(zone, load_tables(PROJECT_DIR), ConsoleReporter().say)
    except LandingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    news = "landed in text_repairs" if report.changed else "which text_repairs has already"
    typer.echo(f"{counted(report.values, 'garbled value')}, {counted(len(report.repairs), 'distinct repair')}, {news}")


if __name__ == "__main__":
    typer.run(main)
