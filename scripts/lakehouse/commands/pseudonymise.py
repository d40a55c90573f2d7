"""Works out who is who in the landed records: canonical addresses, pseudonyms, suspensions, owners of devices."""

from typing import Annotated

import typer

from lakehouse.console import ConsoleReporter, counted
from lakehouse.declaration import load_tables
from lakehouse.derived.people import land_people, tell_of_suspensions
from lakehouse.derived.release_pseudonyms import land_release_pseudonyms
from lakehouse.derived.table import landed_zone
from lakehouse.ending import stops_in_one_line
from lakehouse.landing.pseudonym_key import key_of_landed, public_fingerprints
from lakehouse.landing.suppression import seal_anew
from lakehouse.pipeline.project import find_project
from lakehouse.storage.owner_only import protect

EXAMPLES = (
    "pseudonymise --zone landing/sample",
    "pseudonymise --zone s3://my-lake/raw --new-key",
)


@stops_in_one_line("What has landed stays. The same command begins anew.")
def main(
    *,
    zone: Annotated[str, typer.Option(help="Landing zone, a folder or s3:// prefix.")],
    new_key: Annotated[bool, typer.Option(help="Give everybody a new pseudonym, by another key.")] = False,
) -> None:
    """Give every landed customer a pseudonym: a hash of the address, keyed with PSEUDONYM_KEY."""
    reporter = ConsoleReporter()
    project = find_project()
    protect(project, zone, reporter)
    tables = load_tables(project)
    key = key_of_landed(zone, tables, public_fingerprints(project))
    if new_key:
        with landed_zone(zone, reporter.say) as held:
            seal_anew(held.folder, key)
    report = land_people(zone, tables, key, reporter.say, new_key=new_key)
    land_release_pseudonyms(zone, tables, reporter.say)  # they stand beside the others, which may be new
    news = "landed in customer_identities" if report.changed else "which customer_identities has already"
    typer.echo(f"{counted(report.customers, 'customer')} with a pseudonym, {news}")
    tell_of_suspensions(report, reporter)
