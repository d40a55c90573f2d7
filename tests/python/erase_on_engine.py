"""Builds what tells of people on an engine, erases one of them by the command, and prints what was there and is left.

`python -m local_aws -- python tests/python/erase_on_engine.py TARGET PROJECT SOURCE`; the endpoints end with it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3

from lakehouse.dbt_session import DbtSession
from lakehouse.erasure_s3 import prefix_of
from lakehouse.reporting import ConsoleReporter
from landing_helpers import TABLES, land_all
from warehouses import ask_athena, ask_redshift

SNAPSHOT = "stedi_privacy.consent_periods_snapshot"
PERSON = (
    "select email, customer_pseudonym from stedi_staging.stg_stedi__customer_identities where customer_pseudonym in "
    "(select customer_pseudonym from stedi_privacy.consent_periods_snapshot) order by email limit 1"
)


def main(target: str, project: Path, source: Path) -> None:
    """Prints a line of JSON."""
    zone = os.environ["LANDING_ZONE"]
    land_all([source], zone)
    console = ConsoleReporter(stderr=True).console
    dbt = DbtSession(project, target, "sample_x0.02", console, work_dir=project / "before")
    dbt.parse()
    dbt.operation("register_landing")
    dbt.run_models(["+consent_periods_snapshot", "+customer_curated"])
    ask = {"athena": ask_athena, "redshift": ask_redshift}[target]
    ((email, pseudonym),) = ask(PERSON)
    found: dict[str, object] = {"rows": [int(ask(f"select count(*) from {SNAPSHOT}")[0][0])]}  # noqa: S608
    places = [snapshot_location()] if target == "athena" else []
    erase: list[str | Path] = [
        sys.executable,
        project / "scripts/erase.py",
        "--zone",
        zone,
        "--target",
        target,
        "--dataset",
        "sample_x0.02",
    ]
    runs = [
        subprocess.run([*erase, "--email", email.upper(), *options], capture_output=True, text=True, check=False)
        for options in (["--dry-run"], ["--yes"], ["--yes"])
    ]
    found["codes"] = [run.returncode for run in runs]
    found["said"] = [run.stdout + run.stderr for run in runs]
    found["rows"] = [*found["rows"], int(ask(f"select count(*) from {SNAPSHOT}")[0][0])]  # type: ignore[misc]  # noqa: S608
    forms = f"'{email}', '{pseudonym}'"
    found["left"] = [
        int(ask(f"select count(*) from {relation} where {column} in ({forms})")[0][0])  # noqa: S608
        for relation, column in (
            (SNAPSHOT, "customer_pseudonym"),
            ("stedi.customer_curated", "email"),
            ("stedi_landing.customer_landing", "email"),
        )
    ]
    found["email"] = email
    if target == "athena":
        places.append(snapshot_location())
        found["places"] = places
        found["files"] = [count_files(place) for place in places]
    print(json.dumps(found))


def snapshot_location() -> str:
    """Where Glue says that the snapshot's files are."""
    schema, _, name = SNAPSHOT.partition(".")
    table = boto3.client("glue").get_table(DatabaseName=schema, Name=name)["Table"]
    return str(table["StorageDescriptor"]["Location"])


def count_files(place: str) -> int:
    """The number of objects below a place."""
    bucket, prefix = prefix_of(place)
    return int(boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"])


if __name__ == "__main__":
    assert TABLES
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
