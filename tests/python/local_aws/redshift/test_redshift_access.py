"""Who may read what, after dbt has built this project on the endpoint with its own grants.

Everybody logs in as themselves and tries every relation there is: what is not meant for them must be denied.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner

from dbt_local_aws.testing.redshift import Connect, ProgrammingError, rows, run
from lakehouse.environment import variables
from lanes import on_engines
from readers import PASSWORD, READERS
from real_data import PROJECT_DIR
from whole_run import WholeRun

pytestmark = [
    on_engines,
    pytest.mark.filterwarnings("ignore:ssl\\..*:DeprecationWarning"),
]

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
    "analyst": {f"sparkify.{model.stem}" for model in (PROJECT_DIR / "models/sparkify/marts").glob("*.sql")},
    "stranger": set(),
}


@dataclass(frozen=True)
class Warehouse:
    """The project on the endpoint.

    Attributes:
        run: What built it.
        connect: Logs in as the owner, or as somebody else.
        statements: What dbt has sent to it.
    """

    run: WholeRun
    connect: Connect
    statements: list[str] = field(default_factory=list)

    def dbt(self, *command: str, readers: Mapping[str, Sequence[str]] | None = None) -> dict[str, str]:
        """Runs dbt with READERS as given, or without; gives the message of everything that failed, by name.

        Raises:
            RuntimeError: dbt could not run the command at all.
        """
        asked = None if readers is None else json.dumps(readers)
        with variables({**self.run.settings, "READERS": asked}):
            outcome = dbtRunner(callbacks=[self._listen]).invoke(
                list(command),
                project_dir=str(self.run.project),
                profiles_dir=str(self.run.project),
                target="redshift",
                log_path=str(self.run.project / "logs"),
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
def warehouse(redshift_run: WholeRun, connect: Connect) -> Warehouse:
    """The whole run, which was built with READERS."""
    return Warehouse(redshift_run, connect)


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
        assert rows(connection, f"select release_pseudonym, session_time_ms, distance_from_object, x, y, z from {V3}")  # noqa: S608
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


def test_who_has_default_privileges_reads_what_is_built_only_where_readers_are_not_named(warehouse: Warehouse) -> None:
    """docs/access.md says so. A right on future tables comes with each table that is made anew."""
    default = "alter default privileges in schema stedi_privacy {} select on tables {} stranger"
    with warehouse.connect() as owner:
        run(owner, default.format("grant", "to"), "grant usage on schema stedi_privacy to stranger")
    assert warehouse.build("published_anonymity", readers=READERS) == {}
    assert warehouse.readable("stranger") == set()
    assert warehouse.build("published_anonymity") == {}
    assert warehouse.readable("stranger") == {"stedi_privacy.published_anonymity"}
    with warehouse.connect() as owner:
        run(owner, default.format("revoke", "from"), "revoke usage on schema stedi_privacy from stranger")
    assert warehouse.build("published_anonymity", readers=READERS) == {}
    assert warehouse.readable("officer") == MAY_READ["officer"]


def test_a_build_drops_views_that_are_bound_to_its_tables_and_no_others(warehouse: Warehouse) -> None:
    view = f"create view notes.{{}} as select age_band, count(*) as readings from {V3} group by age_band {{}}"  # noqa: S608
    with warehouse.connect(user="scientist", password=PASSWORD) as scientist:
        run(scientist, view.format("bound", ""), view.format("late", "with no schema binding"))
        assert warehouse.build("machine_learning_curated.v3", readers=READERS) == {}
        assert rows(scientist, "select * from notes.late")
        with pytest.raises(ProgrammingError, match="does not exist"):
            rows(scientist, "select * from notes.bound")
        run(scientist, "drop view notes.late")


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
