"""Works out who is who in the landed records: canonical addresses, pseudonyms, suspensions, owners of devices."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.console import ConsoleReporter, counted
from lakehouse.declaration import load_tables
from lakehouse.derived.people import land_people, tell_of_suspensions
from lakehouse.derived.table import landed_zone
from lakehouse.errors import LandingError
from lakehouse.landing.pseudonym_key import key_of_landed, public_fingerprints
from lakehouse.landing.suppression import seal_anew
from lakehouse.storage.owner_only import keep_private, protect

PROJECT_DIR = Path(__file__).resolve().parents[1]


def main(
    *,
    zone: Annotated[str, typer.Option(help="Landing zone, a folder or s3:// prefix.")],
    new_key: Annotated[bool, typer.Option(help="Give everybody a new pseudonym, by another key.")] = False,
) -> None:
    """Give every landed customer a pseudonym: a hash of the canonical address, keyed with PSEUDONYM_KEY."""
    keep_private()
    reporter = ConsoleReporter()
    try:
        protect(PROJECT_DIR, zone, reporter)
        tables = load_tables(PROJECT_DIR)
        key = key_of_landed(zone, tables, public_fingerprints(PROJECT_DIR))
        if new_key:
            with landed_zone(zone, reporter.say) as held:
                seal_anew(held.folder, key)
        report = land_people(zone, tables, key, reporter.say, new_key=new_key)
    except LandingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    news = "landed in customer_identities" if report.changed else "which customer_identities has already"
    typer.echo(f"{counted(report.customers, 'customer')} with a pseudonym, {news}")
    tell_of_suspensions(report, reporter)


if __name__ == "__main__":
    typer.run(main)
