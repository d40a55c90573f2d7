"""Consent over several builds: what a withdrawal or a vanished record does, and what is still known of before."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dbt_project import DbtProject
from landing_helpers import land_all, put

DAY_MS = 24 * 60 * 60 * 1000
JANUARY_MS = 1_640_995_200_000  # 2022-01-01
HISTORY = """
    select consented_from, consented_until, known_until is null
    from stedi_privacy.consent_history
    where customer_pseudonym = '{pseudonym}'
    order by known_from, consented_from
"""
ON_DAY = """
    select count(*)
    from stedi_privacy.consent_history
    where
        customer_pseudonym = '{pseudonym}'
        and consented_from <= '{day}' and (consented_until > '{day}' or consented_until is null)
        and known_from <= {known} and (known_until > {known} or known_until is null)
"""


def day(number: int) -> datetime:
    return datetime.fromtimestamp((JANUARY_MS + number * DAY_MS) / 1000, UTC).replace(tzinfo=None)


def customer(email: str, updated: int, consented: int | None) -> dict[str, Any]:
    record = {
        "customerName": email.removesuffix("@test.com"),
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

    def __init__(self, folder: Path) -> None:
        self.source, self.zone = folder / "source", folder / "zone"
        for email in ("stays@test.com", "leaves@test.com", "vanishes@test.com"):
            self.deliver(f"first/{email}", customer(email, 0, 0))
            moments = [JANUARY_MS + number * DAY_MS for number in (1, 40, 70)]
            readings = [{"user": email, "timestamp": moment, "x": 0.0, "y": 0.0, "z": 0.0} for moment in moments]
            put(self.source, f"accelerometer/landing/{email}.json", readings)
            steps = [
                {"sensorReadingTime": moment, "serialNumber": f"device of {email}", "distanceFromObject": 201}
                for moment in moments
            ]
            put(self.source, f"step_trainer/landing/{email}.json", steps)
        self.project = DbtProject.copy(folder / "project", self.zone, "mine")

    def deliver(self, name: str, record: dict[str, Any]) -> None:
        put(self.source, f"customer/landing/{name}.json", [record])

    def build(self) -> None:
        land_all([self.source], self.zone, forget_vanished=True)
        self.project.dbt("run-operation", "register_landing")
        statuses = self.project.dbt("build", "--select", "path:models/stedi", "path:snapshots")
        assert set(statuses.values()) <= {"success", "pass"}, statuses

    def pseudonym(self, email: str) -> str:
        return str(
            self.project.query(
                f"select customer_pseudonym from stedi_landing.customer_pseudonyms where email = '{email}'"  # noqa: S608
            )[0][0]
        )

    def history(self, pseudonym: str) -> list[tuple[Any, ...]]:
        return self.project.query(HISTORY.format(pseudonym=pseudonym))

    def consented_on(self, pseudonym: str, number: int, known: str = "timezone('UTC', now())") -> bool:
        query = ON_DAY.format(pseudonym=pseudonym, day=day(number), known=known)
        return self.project.query(query) == [(1,)]

    def moments(self, relation: str, column: str, **of: str) -> list[int]:
        """The days of a relation's rows."""
        condition = " and ".join(f"{name} = '{value}'" for name, value in of.items())
        rows = self.project.query(f"select {column} from {relation} where {condition} order by 1")  # noqa: S608
        return [(moment - day(0)).days for (moment,) in rows]  # type: ignore[operator]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # dbt's own log file
def test_what_was_known_of_a_consent_outlives_its_end(tmp_path: Path) -> None:
    website = Website(tmp_path)
    website.build()
    stays, leaves, vanishes = map(website.pseudonym, ("stays@test.com", "leaves@test.com", "vanishes@test.com"))
    assert website.history(stays) == website.history(leaves) == website.history(vanishes) == [(day(0), None, True)]
    assert website.moments("stedi.machine_learning_curated_v2", "reading_time", customer_pseudonym=leaves) == [
        1,
        40,
        70,
    ]

    # one withdraws, the record of another is gone
    website.deliver("second/leaves", customer("leaves@test.com", 30, None))
    (website.source / "customer/landing/first/vanishes@test.com.json").unlink()
    website.build()
    assert website.history(leaves) == [(day(0), None, False), (day(0), day(30), True)]
    assert website.history(vanishes) == [(day(0), None, False)]
    assert website.history(stays) == [(day(0), None, True)]
    published = website.project.query(
        "select table_name, column_name from duckdb_columns() where schema_name = 'stedi'"
    )
    emails = [(table, column) for table, column in published if column == "email"]
    assert len(emails) >= 4
    for table, column in emails:
        assert website.project.query(f"select distinct {column} from stedi.{table}") == [("stays@test.com",)]  # noqa: S608
    assert website.project.query("select distinct customer_pseudonym from stedi.machine_learning_curated_v2") == [
        (stays,)
    ]
    devices = website.project.query("select distinct serial_number from stedi.step_trainer_trusted")
    assert devices == [("device of stays@test.com",)]

    # as is known today, and as was known before the change
    ((first_build,),) = website.project.query("select min(known_from) from stedi_privacy.consent_history")
    before = f"timestamp '{first_build}'"
    assert website.consented_on(leaves, 10)
    assert not website.consented_on(leaves, 35)
    assert website.consented_on(leaves, 35, known=before)
    assert not website.consented_on(vanishes, 10)
    assert website.consented_on(vanishes, 10, known=before)

    # who consents again counts from the new date; what was read in between never comes in
    website.deliver("third/leaves", customer("leaves@test.com", 60, 60))
    website.build()
    assert website.history(leaves)[1:] == [(day(0), day(30), True), (day(60), None, True)]
    assert website.moments("stedi.accelerometer_trusted", "reading_time", email="leaves@test.com") == [1, 70]
    assert website.moments("stedi.machine_learning_curated_v2", "reading_time", customer_pseudonym=leaves) == [1, 70]
