"""Works out who is who in the landed records: canonical addresses, pseudonyms, suspensions, owners of devices."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.errors import LandingError
from lakehouse.people import land_people, tell_of_suspensions
from lakehouse.pseudonyms import key_for, public_datasets
from lakehouse.reporting import ConsoleReporter
from lakehouse.sources import load_tables

PROJECT_DIR = Path(__file__).resolve().parents[1]


def main(
    *,
    zone: Annotated[str, typer.Option(help="Landing zone, a folder or s3:// prefix.")],
    dataset: Annotated[str, typer.Option(help="Name of the data; what is public needs no key.")] = "",
    new_key: Annotated[bool, typer.Option(help="Give everybody a new pseudonym, by another key.")] = False,
) -> None:
    """Give every landed customer a pseudonym: a hash of the canonical address, keyed with PSEUDONYM_KEY."""
    reporter = ConsoleReporter()
    try:
        key = key_for(dataset, public_datasets(PROJECT_DIR))
        report = land_people(zone, load_tables(PROJECT_DIR), key, reporter.say, new_key=new_key)
    except LandingError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    news = "landed in customer_identities" if report.changed else "which customer_identities has already"
    typer.echo(f"{report.customers:,} customers with a pseudonym, {news}")
    tell_of_suspensions(report, reporter)


if __name__ == "__main__":
    typer.run(main)
