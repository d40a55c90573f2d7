"""Lists the customer records that cannot be read and suspend somebody, and dismisses those that were looked at."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.console import counted
from lakehouse.declaration import load_tables
from lakehouse.derived.people import dismiss, lasting_suspicions, open_suspicions, reference, shown
from lakehouse.ending import stops_in_one_line
from lakehouse.pipeline.project import find_project
from lakehouse.storage.folder import is_s3

SHOWN_BYTES = 400  # of a record
EXAMPLES = (
    "suspensions --zone landing/mine",
    "suspensions --zone landing/mine --dismiss stedi/customer/landing/1.json:7 --note 'a test'",
)


@stops_in_one_line("A dismissal is kept whole or not at all.")
def main(
    *,
    zone: Annotated[str, typer.Option(help="Landing zone, a folder or s3:// prefix.")],
    record: Annotated[str, typer.Option("--dismiss", help="Record to dismiss, as it is listed: file:line.")] = "",
    note: Annotated[str, typer.Option(help="Why the record is no reason to stop using the person's data.")] = "",
) -> None:
    """List the customer records that cannot be read, with what they hold; or dismiss one of them.

    A person whom such a record names is suspended: the record may be a withdrawal. Mend the file at its source and land
    it again, or dismiss the record with a note. Either takes effect at the next `make run`.
    """
    zone = zone if is_s3(zone) else str(Path(zone).absolute())
    tables = load_tables(find_project())
    if record:
        dismiss(zone, tables, record, note)
        typer.echo(f"dismissed {shown(record)}; at the next run it suspends nobody")
        return
    found = open_suspicions(zone)
    gone = lasting_suspicions(zone, tables)
    for row in found:
        typer.echo(f"{shown(reference(row))}  {shown(row.reason)}")
        typer.echo(f"    {shown(row.kept[:SHOWN_BYTES].decode('utf-8', 'backslashreplace'))}")
    for name, people in gone.items():
        typer.echo(f"{shown(name)}  is gone from its file; {counted(people, 'person')} suspended since")
    typer.echo(f"{counted(len(found) + len(gone), 'customer record')} that nobody could read, or has dismissed")
