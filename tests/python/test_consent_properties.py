"""Random histories of consent, against an oracle that knows no SQL: who may be seen where, at every single moment.

The models are compiled once. Histories are then run through what was compiled, several at a time, in memory, on DuckDB.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dbt_project import DbtProject
from lakehouse.sources import load_tables
from real_data import PROJECT_DIR

EPOCH_MS = 1_600_000_000_000  # the histories' own time begins here and counts milliseconds
MOMENTS = range(14)
GROUP_SIZE = 2  # so that small histories have age bands of either kind


@dataclass(frozen=True)
class CustomerRecord:
    """What the website wrote of a customer at a moment."""

    email: str
    updated: int
    registered: int
    consented: int | None
    serial_number: str
    birth_year: int | None


@dataclass(frozen=True)
class Reading:
    """What the phone measured."""

    email: str
    moment: int
    x: float


@dataclass(frozen=True)
class Step:
    """What the step trainer measured."""

    serial_number: str
    moment: int
    distance: int


@dataclass(frozen=True)
class History:
    """Everything that was landed, and what must become of it. Nothing here shares a line with the models."""

    records: Sequence[CustomerRecord]
    readings: Sequence[Reading]
    steps: Sequence[Step]

    @cached_property
    def deciding(self) -> Mapping[str, list[CustomerRecord]]:
        """Of each customer, the record that counts of every moment of update, first to last."""
        by_moment: dict[tuple[str, int], list[CustomerRecord]] = defaultdict(list)
        for record in self.records:
            by_moment[record.email, record.updated].append(record)
        histories: dict[str, list[CustomerRecord]] = defaultdict(list)
        for (email, _), rivals in sorted(by_moment.items()):
            last = max(record.registered for record in rivals)
            finalists = [record for record in rivals if record.registered == last]
            refusing = [record for record in finalists if record.consented is None]
            newest = max(record.consented or 0 for record in finalists)
            deciding = refusing or [record for record in finalists if record.consented == newest]
            histories[email].append(min(deciding, key=lambda record: record.serial_number))
        return histories

    def in_force(self, email: str, moment: int) -> bool:
        """Whether the customer's consent was in force at a moment, as far as all records together tell."""
        history = self.deciding.get(email, [])
        return any(
            self._begins(history, position) <= moment < self._ends(history, position)
            for position, record in enumerate(history)
            if record.consented is not None
        )

    @staticmethod
    def _begins(history: Sequence[CustomerRecord], position: int) -> int:
        record = history[position]
        assert record.consented is not None
        denials = [earlier.updated for earlier in history[:position] if earlier.consented is None]
        return record.updated if any(denied >= record.consented for denied in denials) else record.consented

    @staticmethod
    def _ends(history: Sequence[CustomerRecord], position: int) -> float:
        for before, record in zip(history[position:], history[position + 1 :], strict=False):
            if record.consented is None:
                return record.updated
            assert before.consented is not None
            if record.consented > before.consented:
                return before.updated
        return float("inf")

    def has_lapsed(self, email: str, moment: int) -> bool:
        """Whether the moment lies between two periods of consent."""
        was_ever = any(self.in_force(email, earlier) for earlier in range(moment))
        return was_ever and not self.in_force(email, moment)

    @cached_property
    def trusted_customers(self) -> set[str]:
        return {email for email, history in self.deciding.items() if history[-1].consented is not None}

    @cached_property
    def trusted_readings(self) -> set[Reading]:
        return {
            reading
            for reading in self.readings
            if reading.email in self.trusted_customers and not self.has_lapsed(reading.email, reading.moment)
        }

    @cached_property
    def curated_customers(self) -> set[str]:
        return {reading.email for reading in self.trusted_readings}

    def possible_owners(self, step: Step) -> set[str]:
        owners = {record.email for record in self.records if record.serial_number == step.serial_number}
        walking = {reading.email for reading in self.readings if reading.moment == step.moment}
        return owners if len(owners) == 1 else owners & walking

    @cached_property
    def trusted_steps(self) -> set[Step]:
        def consents(email: str, moment: int) -> bool:
            return email in self.curated_customers and not self.has_lapsed(email, moment)

        return {
            step
            for step in self.steps
            if (owners := self.possible_owners(step)) and all(consents(owner, step.moment) for owner in owners)
        }

    @cached_property
    def published_pairs(self) -> Counter[tuple[Step, Reading]]:
        return Counter(
            (step, reading)
            for step in self.trusted_steps
            for reading in self.trusted_readings
            if step.moment == reading.moment
        )

    @cached_property
    def right_pairs(self) -> Counter[tuple[str, int, int, float]]:
        return Counter(
            (pseudonym(reading.email), reading.moment, step.distance, reading.x)
            for step, reading in self.published_pairs
            if self.possible_owners(step) == {reading.email} and self.in_force(reading.email, reading.moment)
        )


def pseudonym(email: str) -> str:
    return email.removesuffix("@test.com")[::-1]


def together(histories: Sequence[History]) -> History:
    """Histories of different people with different devices, as one."""
    return History(
        [
            replace(record, email=f"{number}.{record.email}", serial_number=f"{number}.{record.serial_number}")
            for number, history in enumerate(histories)
            for record in history.records
        ],
        [replace(r, email=f"{number}.{r.email}") for number, history in enumerate(histories) for r in history.readings],
        [
            replace(step, serial_number=f"{number}.{step.serial_number}")
            for number, history in enumerate(histories)
            for step in history.steps
        ],
    )


EMAILS = ["a@test.com", "b@test.com", "c@test.com"]
DEVICES = ["D1", "D2", "D3"]
moments = st.sampled_from(MOMENTS)
customer_records = st.builds(
    CustomerRecord,
    st.sampled_from(EMAILS),
    moments,
    st.sampled_from([0, 1]),
    st.none() | moments,
    st.sampled_from(DEVICES),
    st.sampled_from([None, 1950, 1985, 1999]),
)
readings = st.builds(Reading, st.sampled_from([*EMAILS, "stranger@test.com"]), moments, st.sampled_from([0.0, 1.0]))
steps = st.builds(Step, st.sampled_from([*DEVICES, "nobody's"]), moments, st.sampled_from([201, 202]))
histories = st.builds(
    History,
    st.lists(customer_records, max_size=9),
    st.lists(readings, max_size=25),
    st.lists(steps, max_size=12),
)


class CompiledModels:
    """STEDI's models as dbt compiled them, on a database in memory."""

    def __init__(self, folder: Path) -> None:
        project = DbtProject.copy(folder, folder / "zone", "sample")
        config = folder / "dbt_project.yml"
        text = config.read_text()
        assert "minimum_group_size: 5" in text
        config.write_text(text.replace("minimum_group_size: 5", f"minimum_group_size: {GROUP_SIZE}"))
        project.dbt("compile", "--select", "path:models/stedi")
        manifest = json.loads((folder / "target/manifest.json").read_text())
        compiled = {key: node for key, node in manifest["nodes"].items() if node.get("compiled_code")}
        order = TopologicalSorter({key: node["depends_on"]["nodes"] for key, node in compiled.items()}).static_order()
        self.statements = [
            f"create or replace table {node['relation_name']} as {node['compiled_code']}"
            for key in order
            if (node := compiled.get(key)) and node["resource_type"] == "model" and "privacy" not in node["path"]
        ]
        assert len(self.statements) >= 12
        schemas = {node["schema"] for node in compiled.values()}
        self.landing = {
            table.name: table for table in load_tables(PROJECT_DIR).values() if table.source_name == "stedi"
        }
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("attach ':memory:' as lakehouse")
        for schema in schemas | {"stedi_landing"}:
            self.connection.execute(f'create schema lakehouse."{schema}"')
        for table in self.landing.values():
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            self.connection.execute(f"create table lakehouse.stedi_landing.{table.name} ({columns})")

    def run(self, history: History) -> None:
        """Lands a history and builds every model of it."""
        self.connection.execute("begin")
        self._land("customer_landing", map(landed_customer, history.records))
        self._land(
            "accelerometer_landing",
            ((reading.email, EPOCH_MS + reading.moment, reading.x, 0.0, 0.0) for reading in history.readings),
        )
        self._land(
            "step_trainer_landing",
            ((EPOCH_MS + step.moment, step.serial_number, step.distance) for step in history.steps),
        )
        self._land("customer_pseudonyms", ((email, pseudonym(email)) for email in history.deciding))
        self._land(
            "release_pseudonyms", ((email, pseudonym(email), f"of {pseudonym(email)}") for email in history.deciding)
        )
        for statement in self.statements:
            self.connection.execute(statement)
        self.connection.execute("commit")

    def _land(self, table: str, rows: Iterable[Collection[object]]) -> None:
        self.connection.execute(f"delete from lakehouse.stedi_landing.{table}")  # noqa: S608 - our own names
        values = [tuple(row) for row in rows]
        if values:
            marks = ", ".join("?" for _ in values[0])
            self.connection.executemany(f"insert into lakehouse.stedi_landing.{table} values ({marks})", values)  # noqa: S608

    def rows(self, columns: str, relation: str) -> list[tuple[Any, ...]]:
        """A relation's rows, with times as moments of the history."""
        return self.connection.execute(f"select {columns} from lakehouse.{relation}").fetchall()  # noqa: S608


def landed_customer(record: CustomerRecord) -> tuple[object, ...]:
    birth_day = None if record.birth_year is None else f"{record.birth_year}-05-05"
    consented = None if record.consented is None else EPOCH_MS + record.consented
    times = (EPOCH_MS + record.registered, EPOCH_MS + record.updated, consented, None, None)
    return "Name", record.email, "555", birth_day, record.serial_number, *times


def moment(column: str) -> str:
    return f"cast(epoch_ms({column}) - {EPOCH_MS} as integer)"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> CompiledModels:
    return CompiledModels(tmp_path_factory.mktemp("compiled"))


def consents_again(*consents: int | None) -> History:
    """A customer whose consent was written at every third moment, and who is read all the time."""
    records = [
        CustomerRecord("a@test.com", 3 * position, 0, consented, "D1", 1950)
        for position, consented in enumerate(consents)
    ]
    everywhere = range(len(consents) * 3 + 2)
    return History(
        records,
        [Reading("a@test.com", moment, 0.0) for moment in everywhere],
        [Step("D1", moment, 201) for moment in everywhere],
    )


EXAMPLES = [
    consents_again(0, None, 6),
    consents_again(0, None, 0),
    consents_again(0, 3, None, None, 7, 7),
    consents_again(5, None, 2, 8, 1),
]


@given(st.lists(histories, min_size=1, max_size=10).map(together))
@example(together(EXAMPLES))
@settings(max_examples=60, deadline=None)
def test_everybody_is_seen_where_they_consented_and_nowhere_else(models: CompiledModels, history: History) -> None:
    models.run(history)
    assert_seen_rightly(models, history)


@pytest.mark.parametrize(
    ("model", "right", "wrong"),
    [
        ("customer_trusted", "recency = 1", "recency >= 1"),
        ("accelerometer_trusted", "and consent_periods.email is null", ""),
        ("accelerometer_trusted", ">= consent_periods.in_force_until", "> consent_periods.in_force_until"),
        ("step_trainer_trusted", "case when consent_periods.email is null then customers.email end", "customers.email"),
        ("sensor_pairs_curated", ">= consent_periods.in_force_from", "> consent_periods.in_force_from"),
        ("int_stedi__consent_periods", "> refused_at or refused_at is null", "is not null"),
        ("int_stedi__consent_periods", "least(confirmed_at, next_from)", "next_from"),
        ("int_stedi__consent_periods", "> previous_consent then 1", "<> previous_consent then 1"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_models_is_found(models: CompiledModels, model: str, right: str, wrong: str) -> None:
    position = next(
        i
        for i, statement in enumerate(models.statements)
        if f'."{model}" as' in statement or f'{model}" as' in statement
    )
    statement = models.statements[position]
    assert statement.count(right) == 1
    history = together(EXAMPLES)
    models.statements[position] = statement.replace(right, wrong)
    try:
        models.run(history)
        with pytest.raises(AssertionError):
            assert_seen_rightly(models, history)
    finally:
        models.statements[position] = statement


def assert_seen_rightly(models: CompiledModels, history: History) -> None:
    """Every relation holds what the oracle says, row by row."""
    customers = {email for (email,) in models.rows("email", "stedi.customer_trusted")}
    assert customers == history.trusted_customers
    assert {email for (email,) in models.rows("email", "stedi.customer_curated")} == history.curated_customers
    trusted = models.rows(f"email, {moment('reading_time')}, x", "stedi.accelerometer_trusted")
    assert Counter(trusted) == Counter((r.email, r.moment, r.x) for r in history.trusted_readings)
    steps = models.rows(
        f"serial_number, {moment('sensor_reading_time')}, distance_from_object", "stedi.step_trainer_trusted"
    )
    assert Counter(steps) == Counter((s.serial_number, s.moment, s.distance) for s in history.trusted_steps)
    published = models.rows(
        f"serial_number, email, {moment('reading_time')}, distance_from_object, x", "stedi.machine_learning_curated"
    )
    assert Counter(published) == Counter(
        (step.serial_number, reading.email, reading.moment, step.distance, reading.x)
        for step, reading in history.published_pairs.elements()
    )
    right = models.rows(
        f"customer_pseudonym, {moment('reading_time')}, distance_from_object, x", "stedi.machine_learning_curated_v2"
    )
    assert Counter(right) == history.right_pairs
    released = models.rows("release_pseudonym, distance_from_object, x", "stedi.machine_learning_curated_v3")
    assert Counter(released) == Counter((f"of {person}", distance, x) for person, _, distance, x in right)
    assert_periods_are_right(models, history)
    assert_groups_are_large(models)


def assert_periods_are_right(models: CompiledModels, history: History) -> None:
    """The periods are those moments at which consent was in force, in one piece each."""
    columns = ", ".join(["email", *map(moment, ("in_force_from", "in_force_until", "resumed_at"))])
    periods = sorted(models.rows(columns, "stedi_staging.int_stedi__consent_periods"))
    far = 3 * len(MOMENTS)
    covered = Counter(
        (email, moment) for email, begins, ends, _ in periods for moment in range(begins, far if ends is None else ends)
    )
    expected = {
        (email, moment) for email in history.deciding for moment in range(far) if history.in_force(email, moment)
    }
    assert covered == Counter(expected)
    for (email, _, ends, resumed), (next_email, begins, _, _) in pairwise(periods):
        assert resumed == (begins if next_email == email else None)
        assert next_email != email or ends <= begins


def assert_groups_are_large(models: CompiledModels) -> None:
    """Whatever age band is published, it is shared; and so is that of those whose band is withheld."""
    members = models.rows(
        "age_band, count(distinct customer_pseudonym)", "stedi.machine_learning_curated_v2 group by all"
    )
    everybody = sum(count for _, count in members)
    assert all(count >= GROUP_SIZE for _, count in members) or everybody < GROUP_SIZE
