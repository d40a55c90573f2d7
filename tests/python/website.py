"""A website of five customers, of whom one withdraws, one vanishes and one stumbles: landed and built on any engine."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import duckdb

from lakehouse.derived.people import dismiss
from lakehouse.environment import variables
from landing_helpers import TABLES, put
from warehouses import Warehouse

DAY_MS = 24 * 60 * 60 * 1000
JANUARY_MS = 1_640_995_200_000  # 2022-01-01
HISTORY = """
    select
        cast(consented_from as date),
        cast(consented_until as date),
        case when known_until is null then 'known' else 'was known' end
    from stedi_privacy.consent_history
    where customer_pseudonym = '{pseudonym}'
    order by known_from, consented_from
"""
ON_DAY = """
    select count(*)
    from stedi_privacy.consent_history
    where
        customer_pseudonym = '{pseudonym}'
        and consented_from <= timestamp '{day}' and (consented_until > timestamp '{day}' or consented_until is null)
        and known_from <= timestamp '{known}' and (known_until > timestamp '{known}' or known_until is null)
"""
TEXT_COLUMNS = """
    select table_name, column_name
    from information_schema.columns
    where
        table_schema = 'stedi'
        and (lower(data_type) like 'varchar%' or lower(data_type) like 'character varying%')
"""
PEOPLE = ("stays", "leaves", "vanishes", "stumbles", "shares")
Row = tuple[str | None, ...]


def day(number: int) -> str:
    return str(datetime.fromtimestamp((JANUARY_MS + number * DAY_MS) / 1000, UTC).date())


def customer(email: str, updated: int, consented: int | None) -> dict[str, Any]:
    record = {
        "customerName": f"name of {email}",
        "email": email,
        "phone": "8015551212",
        "birthDay": "1964-02-29",
        "serialNumber": f"device of {email}",
        "registrationDate": JANUARY_MS,
        "lastUpdateDate": JANUARY_MS + updated * DAY_MS,
    }
    return record if consented is None else record | {"shareWithResearchAsOfDate": JANUARY_MS + consented * DAY_MS}


class Website:
    """Delivers customers, and has everything built of what it delivered."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse, self.source = warehouse, warehouse.source
        for email in (f"{name}@test.com" for name in PEOPLE):
            self.deliver(f"first/{email}", customer(email, 0, 0))
            moments = [JANUARY_MS + number * DAY_MS for number in (1, 40, 70)]
            readings = [{"user": email, "timestamp": moment, "x": 0.0, "y": 0.0, "z": 0.0} for moment in moments]
            put(self.source, f"accelerometer/landing/{email}.json", readings)
            steps = [
                {"sensorReadingTime": moment, "serialNumber": f"device of {email}", "distanceFromObject": 201}
                for moment in moments
            ]
            put(self.source, f"step_trainer/landing/{email}.json", steps)
        self.deliver(
            "first/shared", customer("shares@test.com", 0, 0) | {"serialNumber": "device of vanishes@test.com"}
        )

    def deliver(self, name: str, record: dict[str, Any]) -> None:
        put(self.source, f"customer/landing/{name}.json", [record])

    def land(self) -> None:
        self.warehouse.load()
        assert self.warehouse.register(), "\n".join(self.warehouse.messages)

    def withdraw(self) -> None:
        assert self.warehouse.dbt("run-operation", "withdraw_people"), "\n".join(self.warehouse.messages)

    def build(self, *, is_tested: bool = True) -> None:
        self.land()
        # the data tests of the same models pass on all engines elsewhere
        has_tests = is_tested and self.warehouse.target == "duckdb"
        kinds = () if has_tests else ("--resource-type", "model", "--resource-type", "snapshot")
        stedi = ("--indirect-selection", "buildable", "--select", "path:seeds", "path:models/stedi", "path:snapshots")
        # they tell of nobody, and Athena takes minutes over what can be found again
        left_out = ("--exclude", "reidentification_risk", "published_anonymity", "*stedi__check_*")
        built = self.warehouse.dbt("build", *stedi, *kinds, *(left_out if kinds else ()))
        assert built, "\n".join(self.warehouse.messages)

    def query(self, sql: str) -> list[Row]:
        return [tuple(None if value is None else str(value) for value in row) for row in self.warehouse.query(sql)]

    def pseudonym(self, email: str) -> str:
        sql = f"select customer_pseudonym from stedi_landing.customer_identities where email = '{email}'"  # noqa: S608
        return str(self.query(sql)[0][0])

    def history(self, pseudonym: str) -> list[Row]:
        return self.query(HISTORY.format(pseudonym=pseudonym))

    def consented_on(self, pseudonym: str, number: int, known: str | None = None) -> bool:
        """Whether somebody consented on a day, as is known now, or as was known then."""
        known = known or str(datetime.now(UTC).replace(tzinfo=None))
        return self.query(ON_DAY.format(pseudonym=pseudonym, day=day(number), known=known)) == [("1",)]

    def days(self, relation: str, **of: str) -> list[str | None]:
        """The days of a relation's readings."""
        condition = " and ".join(f"{name} = '{value}'" for name, value in of.items())
        sql = f"select cast(reading_time as date) from {relation} where {condition} order by 1"  # noqa: S608
        return [moment for (moment,) in self.query(sql)]

    def published_rows(self) -> dict[str, int]:
        """The rows of every relation that tells of people."""
        tables = {str(table) for table, _ in self.query(TEXT_COLUMNS)}
        counts = [f"select '{table}', count(*) from stedi.{table}" for table in tables]  # noqa: S608
        return {str(table): int(str(rows)) for table, rows in self.query(" union all ".join(counts))}

    def people(self) -> set[str]:
        """Of whom the trusted and curated relations hold anything that is text."""
        columns = self.query(TEXT_COLUMNS)
        every = [f"select cast({column} as varchar(500)) from stedi.{table}" for table, column in columns]  # noqa: S608
        texts = self.query(" union ".join(every))
        return {name for (text,) in texts for name in PEOPLE if f"{name}@test.com" in (text or "")}


def people_in_files(layers: set[str]) -> set[str]:
    """Of whom some object of the lake's layers tells, whether a table still knows the object or not."""
    client = boto3.client("s3")
    bucket, _, lake = os.environ["ATHENA_S3_DATA_DIR"].removeprefix("s3://").partition("/")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{lake}/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    found = set()
    for key in keys:
        _domain, layer, *_ = key.removeprefix(f"{lake}/").split("/")
        if layer in layers:
            content = client.get_object(Bucket=bucket, Key=key)["Body"].read()
            texts = content + parquet_texts(content)
            found |= {name for name in PEOPLE if f"{name}@test.com".encode() in texts}
    return found


def parquet_texts(content: bytes) -> bytes:
    """The rows of a Parquet file, which is compressed; of another file nothing."""
    if not content.startswith(b"PAR1"):
        return b""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(content)
        file.flush()
        return str(duckdb.read_parquet(file.name).fetchall()).encode()


@contextmanager
def elsewhere(warehouse: Warehouse) -> Iterator[None]:
    """Has the machine, and where it can be told to the engine, in another time zone than UTC."""
    with variables({"TZ": "America/New_York"}):
        time.tzset()
        if warehouse.target == "duckdb":
            profiles = warehouse.project / "profiles.yml"
            in_new_york = "type: duckdb\n      settings: {TimeZone: America/New_York}"
            profiles.write_text(profiles.read_text().replace("type: duckdb", in_new_york))
        yield
    time.tzset()


def assert_two_of_five_are_left(before: dict[str, int], after: dict[str, int]) -> None:
    """By the rows of each relation that tells of people."""
    per_person = {"customer_trusted": 1, "customer_curated": 1, "accelerometer_trusted": 3, "step_trainer_trusted": 3}
    assert {name: before[name] for name in per_person} == {name: 5 * rows for name, rows in per_person.items()}
    assert {name: after[name] for name in per_person} == {name: 2 * rows for name, rows in per_person.items()}
    # v1 pairs everybody with everybody, v2 leaves out a step that two people can have made
    pairs = ("machine_learning_curated", "machine_learning_curated_v2")
    assert ([before[name] for name in pairs], [after[name] for name in pairs]) == ([75, 12], [12, 6])


def assert_a_withdrawal_takes_effect_everywhere_and_what_was_known_before_stays_known(website: Website) -> None:
    """In the steps of a run: who withdrew is out before anything is built anew, by the landing tables alone."""
    begun = datetime.now(UTC)
    website.build(is_tested=False)
    website.withdraw()
    rows = website.published_rows()
    for known in website.query("select distinct known_from from stedi_privacy.consent_history"):
        assert begun <= datetime.fromisoformat(str(known[0])).replace(tzinfo=UTC) <= datetime.now(UTC)
    stays, leaves, vanishes = map(website.pseudonym, ("stays@test.com", "leaves@test.com", "vanishes@test.com"))
    consents = (day(0), None, "known")
    assert website.history(stays) == website.history(leaves) == website.history(vanishes) == [consents]
    v2 = "stedi.machine_learning_curated_v2"
    assert website.days(v2, customer_pseudonym=leaves) == [day(1), day(40), day(70)]
    assert website.people() == set(PEOPLE)
    shared = "select count(*) from stedi.step_trainer_trusted where serial_number = 'device of vanishes@test.com'"
    assert website.query(shared) == [("3",)]

    # one withdraws, in capitals and without the device; the record of another is gone, who shared a device; a third
    # has a record that nobody can read
    withdrawal = {
        "email": "LEAVES@test.com ",
        "lastUpdateDate": JANUARY_MS + 30 * DAY_MS,
        "shareWithResearchAsOfDate": "",
    }
    website.deliver("second/leaves", withdrawal)
    (website.source / "customer/landing/first/vanishes@test.com.json").unlink()
    website.deliver("second/stumbles", customer("Stumbles@test.com", 30, None) | {"lastUpdateDate": JANUARY_MS // 1000})
    website.land()
    website.withdraw()
    assert website.people() == {"stays", "shares"}
    assert_two_of_five_are_left(rows, website.published_rows())
    website.build()
    assert website.query(shared) == [("0",)], "they may be of whoever is gone"
    assert website.history(leaves) == [(day(0), None, "was known"), (day(0), day(30), "known")]
    assert website.history(vanishes) == [(day(0), None, "was known")]
    assert website.history(stays) == [consents]
    assert website.people() == {"stays", "shares"}
    shares = website.pseudonym("shares@test.com")
    assert {*website.query(f"select distinct customer_pseudonym from {v2}")} == {(stays,), (shares,)}  # noqa: S608
    if website.warehouse.target == "athena":
        assert people_in_files({"trusted", "curated"}) == {"stays", "shares"}
        assert "leaves" in people_in_files({"staging"}), "nothing is found at all"

    # as is known today, and as was known before the change
    ((first_build,),) = website.query("select min(known_from) from stedi_privacy.consent_history")
    assert website.consented_on(leaves, 10)
    assert not website.consented_on(leaves, 35)
    assert website.consented_on(leaves, 35, known=first_build)
    assert not website.consented_on(vanishes, 10)
    assert website.consented_on(vanishes, 10, known=first_build)

    # who consents again counts from the new date; what was read in between never comes in. And somebody has looked at
    # the record that could not be read
    website.deliver("third/leaves", customer("leaves@test.com", 60, 60))
    dismiss(website.warehouse.zone, TABLES, "customer/landing/second/stumbles.json:1", "a test of the website")
    website.build()
    assert website.people() == {"stays", "shares", "leaves", "stumbles"}
    assert website.history(leaves)[1:] == [(day(0), day(30), "known"), (day(60), None, "known")]
    assert website.days("stedi.accelerometer_trusted", email="leaves@test.com") == [day(1), day(70)]
    assert website.days(v2, customer_pseudonym=leaves) == [day(1), day(70)]
