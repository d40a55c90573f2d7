"""Who may read what, after dbt has built this project on the endpoint with its own grants.

Everybody logs in as themselves and tries every relation there is: what is not meant for them must be denied.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from mypy_boto3_s3 import S3Client

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, ProgrammingError, rows, run
from dbt_project import DbtProject, environment
from lakehouse.storage.s3 import forget_client
from landing_helpers import land_all, put
from lanes import on_engines

pytestmark = [on_engines, pytest.mark.filterwarnings("ignore:ssl\\..*:DeprecationWarning")]

PASSWORD = "Reads-1-thing-only"  # noqa: S105 - of an endpoint that ends with the test
READERS = {
    "data_scientists": ["group:data_scientists"],
    "engineers": ["role:engineers"],
    "privacy_officers": ["officer"],
    "sparkify_analysts": ["user:analyst"],
    "study_team": ["researcher"],
}
PEOPLE = ("scientist", "researcher", "engineer", "officer", "analyst", "stranger")
V2, V3 = "stedi.machine_learning_curated_v2", "stedi.machine_learning_curated_v3"
DICTIONARY = "stedi_privacy.machine_learning_dictionary"
MAY_READ: Mapping[str, set[str]] = {
    "scientist": {V3, DICTIONARY},
    "researcher": {V2, DICTIONARY},
    "officer": {
        "stedi_privacy.consent_history",
        "stedi_privacy.published_anonymity",
        "stedi_privacy.reidentification_risk",
        DICTIONARY,
    },
    "analyst": {"sparkify.users"},
    "stranger": set(),
}
WHEN = 1_655_564_376_361
SOURCE: Mapping[str, Sequence[dict[str, object]]] = {
    "stedi/customer/landing/customers.json": [
        {
            "customerName": "Ada Lovelace",
            "email": "ada@test.com",
            "phone": "8015551212",
            "birthDay": "1964-02-29",
            "serialNumber": "9e0ec5bf-8a0b",
            "registrationDate": WHEN,
            "lastUpdateDate": WHEN,
            "shareWithResearchAsOfDate": WHEN,
        }
    ],
    "stedi/accelerometer/landing/readings.json": [
        {"user": "ada@test.com", "timestamp": WHEN + 1, "x": 0.0, "y": 1.0, "z": -1.0}
    ],
    "stedi/step_trainer/landing/readings.json": [
        {"serialNumber": "9e0ec5bf-8a0b", "sensorReadingTime": WHEN + 1, "distanceFromObject": 201}
    ],
}


@dataclass(frozen=True)
class Warehouse:
    """The project on the endpoint.

    Attributes:
        statements: What dbt has sent to it.
    """

    project: DbtProject
    settings: Mapping[str, str]
    connect: Connect
    statements: list[str] = field(default_factory=list)

    def dbt(self, *command: str, readers: Mapping[str, Sequence[str]] | None = None) -> dict[str, str]:
        """Runs dbt with READERS as given, or without; gives the message of everything that failed, by name.

        Raises:
            RuntimeError: dbt could not run the command at all.
        """
        asked = {} if readers is None else {"READERS": json.dumps(readers)}
        with environment({**self.settings, **asked}):
            outcome = dbtRunner(callbacks=[self._listen]).invoke(
                list(command),
                project_dir=str(self.project.folder),
                profiles_dir=str(self.project.folder),
                target="redshift",
                log_path=str(self.project.folder / "logs"),
                quiet=True,
                log_level="none",
            )
        if outcome.exception is not None:
            raise RuntimeError(str(outcome.exception))
        results = outcome.result.results if isinstance(outcome.result, RunExecutionResult) else []
        return {result.node.name: str(result.message) for result in results if result.status != "success"}

    def _listen(self, event: Any) -> None:  # noqa: ANN401 - dbt makes an event's fields at run time
        if event.info.name == "SQLQuery":
            self.statements.append(event.data.sql.lower())

    def build(self, *selected: str, readers: Mapping[str, Sequence[str]] | None = None) -> dict[str, str]:
        """Builds relations, without their tests."""
        no_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
        return self.dbt("build", "--select", *selected, *no_tests, readers=readers)

    def relations(self) -> set[str]:
        """Every relation that is there, as `schema.name`."""
        with self.connect() as owner:
            listed = rows(owner, "select table_schema, table_name from svv_tables")
        return {f"{schema}.{name}" for schema, name in listed if schema in SCHEMAS}

    def readable(self, user: str) -> set[str]:
        """The relations that a user can select from; any refusal but that of a right is an error."""
        found = set()
        with self.connect(user=user, password=PASSWORD) as connection:
            for relation in self.relations():
                try:
                    rows(connection, f"select * from {relation} limit 1")  # noqa: S608 - the test's own names
                    found.add(relation)
                except ProgrammingError as error:
                    if "permission denied" not in str(error):
                        raise
        return found


SCHEMAS = (
    "loader",
    "sparkify_landing",
    "sparkify_staging",
    "sparkify",
    "stedi_landing",
    "stedi_staging",
    "stedi",
    "stedi_privacy",
)


@pytest.fixture(scope="module")
def people(connect: Connect) -> Iterator[Connect]:
    """Users of every kind that can be given rights: by a group, by a role, by name, and one who is given none."""
    with connect() as owner:
        run(owner, *(f"create user {person} password '{PASSWORD}'" for person in PEOPLE))
        run(
            owner,
            "create group data_scientists with user scientist",
            "create role engineers",
            "grant role engineers to engineer",
            "create schema notes authorization scientist",
        )
    yield connect
    with connect() as owner:
        run(owner, *(f"drop schema if exists {schema} cascade" for schema in (*SCHEMAS, "notes")))
        run(owner, "drop group data_scientists", "drop role engineers")
        run(owner, *(f"drop user {person}" for person in PEOPLE))


@pytest.fixture(scope="module")
def warehouse(
    people: Connect,
    s3: S3Client,
    s3_endpoint_url: str,
    redshift: LocalRedshift,
    tmp_path_factory: pytest.TempPathFactory,
) -> Warehouse:
    """One consenting customer's data, landed and built with grants."""
    folder = tmp_path_factory.mktemp("access")
    settings = redshift.environment() | {
        "LANDING_ZONE": "s3://lake/access",
        "AWS_ENDPOINT_URL": s3_endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-west-2",
    }
    for path, records in SOURCE.items():
        put(folder / "source", path, records)
    with environment(settings):
        forget_client()
        land_all([folder / "source"], settings["LANDING_ZONE"])
        forget_client()
    built = Warehouse(DbtProject.copy(folder / "project", folder, "sample_x0.1"), settings, people)
    assert built.dbt("run-operation", "register_landing") == {}
    assert built.build("path:models/stedi", "path:snapshots", "+users", readers=READERS) == {}
    return built


@pytest.mark.parametrize("person", MAY_READ)
def test_everybody_reads_what_is_theirs_and_nothing_else(warehouse: Warehouse, person: str) -> None:
    relations = warehouse.relations()
    assert relations >= {
        "loader.quarantine",
        "stedi_landing.customer_landing",
        "stedi_staging.stg_stedi__customers",
        "stedi_privacy.consent_periods_snapshot",
        "stedi.machine_learning_curated",
        "stedi.accelerometer_trusted",
        "stedi.customer_curated",
    }
    assert relations >= MAY_READ[person]
    assert warehouse.readable(person) == MAY_READ[person]


def test_engineers_read_every_model_but_those_of_the_privacy_officers(warehouse: Warehouse) -> None:
    layers = ("sparkify_staging.", "sparkify.", "stedi_staging.", "stedi.")
    models = {relation for relation in warehouse.relations() if relation.startswith(layers)}
    assert len(models) > 10
    assert warehouse.readable("engineer") == models


def test_the_scientist_gets_rows(warehouse: Warehouse) -> None:
    with warehouse.connect(user="scientist", password=PASSWORD) as connection:
        assert rows(connection, f"select age_band, session_time_ms, distance_from_object, x, y, z from {V3}") == [  # noqa: S608
            ["withheld", 0, 201, 0.0, 1.0, -1.0]
        ]
        assert ["release_pseudonym"] in rows(connection, f"select column_name from {DICTIONARY}")  # noqa: S608


@pytest.mark.parametrize("binding", ["", "with no schema binding"])
def test_a_view_is_no_way_round(warehouse: Warehouse, binding: str) -> None:
    view = f"create view notes.copied as select email from stedi.customer_trusted {binding}"  # noqa: S608
    with warehouse.connect(user="scientist", password=PASSWORD) as connection:
        with pytest.raises(ProgrammingError, match="permission denied"):
            run(connection, view, "select * from notes.copied")
        run(connection, "drop view if exists notes.copied")


def test_who_is_no_longer_named_loses_the_right_with_the_next_build(warehouse: Warehouse) -> None:
    assert warehouse.build("machine_learning_curated.v3", readers={**READERS, "data_scientists": []}) == {}
    assert warehouse.readable("scientist") == {DICTIONARY}
    assert V3 in warehouse.readable("engineer")
    assert warehouse.build("machine_learning_curated.v3", readers=READERS) == {}
    assert warehouse.readable("scientist") == {V3, DICTIONARY}


def test_a_misspelt_reader_is_refused_before_anything_is_built(warehouse: Warehouse) -> None:
    begun = len(warehouse.statements)
    with pytest.raises(RuntimeError, match="READERS names data_scientist, of whom this project knows nothing"):
        warehouse.build("published_anonymity", readers={"data_scientist": ["group:data_scientists"]})
    assert not any("published_anonymity" in sql for sql in warehouse.statements[begun:])
    assert warehouse.readable("officer") == MAY_READ["officer"]


def test_without_readers_nothing_is_granted_or_revoked(warehouse: Warehouse) -> None:
    def rights_changed() -> int:
        return sum("grant " in sql or "revoke " in sql for sql in warehouse.statements)

    before, begun = rights_changed(), len(warehouse.statements)
    assert before
    assert warehouse.build("published_anonymity") == {}
    assert any("published_anonymity" in sql for sql in warehouse.statements[begun:])
    assert rights_changed() == before
