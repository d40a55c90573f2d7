"""Lands raw JSON in a landing zone: every record once, or in the quarantine with the reason."""

import sys
import traceback
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from lakehouse.console import ConsoleReporter
from lakehouse.declaration import load_tables
from lakehouse.errors import LandingError, RejectLimitError
from lakehouse.landing.load import land
from lakehouse.landing.report import print_summary
from lakehouse.storage.owner_only import keep_private, protect

PROJECT_DIR = Path(__file__).resolve().parents[1]
EPILOG = """
Run it again at any time: what is landed is not moved again, and after a kill the next run makes the zone whole.

Exit codes: 0 done (the quarantine may have grown); 1 stopped by --max-rejects; 2 could not be done; 3 a fault of this
program; 130 stopped by Ctrl-C. Nothing that was landed before is lost by any of them.

Credentials, region and endpoint of S3 come from the usual AWS settings; a public bucket can be read without any.

land.py --source ../shared/data/udacity --to landing/udacity

land.py --source s3://udacity-dend --source s3://cd0030bucket --to s3://my-lake/raw --dry-run
"""


def main(  # noqa: PLR0913 - the options of the command
    *,
    source: Annotated[
        list[str] | None, typer.Option(help="Folder or s3:// prefix to land from; needed, may be given several times.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Landing zone, a folder or an s3:// prefix; needed.")] = None,
    max_rejects: Annotated[
        int | None, typer.Option(min=0, help="How many records may be refused before the load stops.")
    ] = None,
    forget_vanished: Annotated[
        bool, typer.Option("--forget-vanished", help="Remove the records of files gone from their source.")
    ] = False,
    replay_quarantine: Annotated[
        bool,
        typer.Option(
            "--replay-quarantine",
            help="Look at quarantined records again, and land those that the declaration takes by now.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, everything else to stderr.")] = False,
) -> None:
    """Lands raw JSON from folders and S3 prefixes in a landing zone, every record once.

    What belongs to which table, and what a good record is, stands in models/**/_*__sources.yml.
    """
    keep_private()
    console = ConsoleReporter(stderr=json)
    if not source or to is None:  # typer itself would name one of them only
        missing = " and ".join(name for name, given in (("--source", source), ("--to", to)) if not given)
        typer.echo(f"error: {missing} must be given, see --help", err=True)
        raise typer.Exit(2)
    try:
        protect(PROJECT_DIR, to, console)
        report = land(
            source,
            to,
            load_tables(PROJECT_DIR),
            forget_vanished=forget_vanished,
            max_rejects=max_rejects,
            replay=replay_quarantine,
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
    app = typer.Typer(add_completion=False)
    app.command(epilog=EPILOG)(main)
    try:
        app()
    except Exception:  # Python would exit with 1, which means something else here
        traceback.print_exc()
        sys.exit(3)
