"""Lands raw JSON in a landing zone: every record once, or in the quarantine with the reason."""

from typing import Annotated

import msgspec
import typer

from lakehouse.console import ConsoleReporter
from lakehouse.declaration import load_tables
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import SettingsError
from lakehouse.landing.days import Days
from lakehouse.landing.load import land
from lakehouse.landing.report import print_summary
from lakehouse.pipeline.project import find_project
from lakehouse.storage.owner_only import protect

EXAMPLES = (
    "land --source ../shared/data/udacity --to landing/udacity",
    "land --source s3://udacity-dend --to s3://my-lake/raw --dry-run",
    "land --source s3://udacity-dend --to s3://my-lake/raw --from-day 2018-11-01 --to-day 2018-11-03",
)


@stops_in_one_line("What has landed stays. The same command goes on from there.")
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
    from_day: Annotated[
        str, typer.Option(help="Of files that tell their day, land those of this one and later; with --to-day.")
    ] = "",
    to_day: Annotated[str, typer.Option(help="The last day whose files are landed.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, everything else to stderr.")] = False,
) -> None:
    """Land raw JSON from folders and S3 prefixes in a landing zone, every record once.

    What belongs to which table, and what a good record is, stands in models/**/_*__sources.yml. Run it again at any
    time: what is landed is not moved again, and after a kill the next run makes the zone whole.

    Credentials, region and endpoint of S3 come from the usual AWS settings; a public bucket can be read without any.
    """
    console = ConsoleReporter(stderr=json)
    if not source or to is None:  # typer itself would name one of them only
        missing = " and ".join(name for name, given in (("--source", source), ("--to", to)) if not given)
        raise SettingsError(f"{missing} must be given, see --help")
    if bool(from_day) != bool(to_day):
        raise SettingsError("--from-day and --to-day go together: one day is both")
    days = Days.written(from_day, to_day) if from_day else None
    project = find_project()
    protect(project, to, console)
    report = land(
        source,
        to,
        load_tables(project),
        forget_vanished=forget_vanished,
        max_rejects=max_rejects,
        replay=replay_quarantine,
        dry_run=dry_run,
        days=days,
        reporter=console,
    )
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        print_summary(report, console)
