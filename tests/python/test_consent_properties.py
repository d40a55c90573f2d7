"""Random histories of consent, against an oracle that knows no SQL: who may be seen where, at every single moment.

Histories are delivered as the world delivers them: in several loads, with addresses spelt in many ways, records without
a device, records that cannot be read, clocks that are ahead, and people who leave. They are landed for real. The models
are compiled once, and run in memory, on DuckDB.
"""

import json
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dbt_project import DbtProject
from lakehouse.declaration import Table
from lakehouse.derived.people import land_people
from lakehouse.derived.release_pseudonyms import land_release_pseudonyms
from lakehouse.derived.text_repair import repair_text
from lakehouse.landing import ledger
from lakehouse.landing.load import land
from lakehouse.landing.pseudonym_key import PseudonymKey
from lakehouse.privacy.zone import erase_from_zone
from landing_helpers import TABLES

EPOCH_MS = 1_600_000_000_000  # the histories' own time begins here and counts milliseconds
MOMENTS = range(14)
GROUP_SIZE = 2  # so that small histories have age bands of either kind
BELOW_GROUP_SIZE = re.compile(r"(\bcustomers(?:_in_\w+)? <) 5\b")
KEY = PseudonymKey(b"a key for the tests, of 32 letters")
SPELLINGS = {  # of each person, by the address that identifies them; {} is the number of the history
    "{}ann@test.com": ("{}ann@test.com", "{}ANN@Test.com", " {}ann@test.com", "Ann Lee <{}ann@test.com>"),
    "{}zo\u00eb@test.com": (
        "{}zo\u00eb@test.com",
        "{}ZOE\u0308@TEST.COM",
        "{}Zo\u00eb@test.com \t",
        "mailto:{}zo\u00eb@test.com",
    ),
    "{}strasse": ("{}stra\u00dfe", "{}STRASSE", "\u00a0{}Strasse", "{}strasse "),
}
PEOPLE = tuple(SPELLINGS)
DEVICES = ["D1", "D2", "D3"]

Person = tuple[int, str]
"""The number of a history, and who it is."""
Leaving = Literal["records", "everything"]
"""What of somebody is gone from the source."""


@dataclass(frozen=True)
class CustomerRecord:
    """What the website wrote of a customer at a moment."""

    who: str
    updated: int
    consented: int | None
    serial_number: str | None = "D1"
    registered: int | None = 0
    birth_year: int | None = 1950
    spelling: int = 0
    no_consent_is: object = None
    """How it is written that there is none."""
    broken: str | None = None
    """In which way the record cannot be read."""

    def line(self, history: int, delivery: int) -> str:
        """The record as it is delivered."""
        record: dict[str, object] = {
            "email": spelt(history, self.who, self.spelling),
            "lastUpdateDate": EPOCH_MS + self.updated,
            "customerName": f"of delivery {delivery}",
            "shareWithResearchAsOfDate": self.no_consent_is if self.consented is None else EPOCH_MS + self.consented,
            "serialNumber": self.serial_number and f"{history}.{self.serial_number}",
            "registrationDate": None if self.registered is None else EPOCH_MS + self.registered,
            "birthDay": None if self.birth_year is None else f"{self.birth_year}-05-05",
        }
        return BROKEN[self.broken](record) if self.broken else json.dumps(record)


BROKEN = {
    "an update time in seconds": lambda record: json.dumps(record | {"lastUpdateDate": EPOCH_MS // 1000}),
    "a consent in seconds": lambda record: json.dumps(record | {"shareWithResearchAsOfDate": EPOCH_MS // 1000}),
    "an update time that is a word": lambda record: json.dumps(record | {"lastUpdateDate": "soon"}),
    "no update time": lambda record: json.dumps({**record, "lastUpdateDate": None}),
    "a key twice": lambda record: json.dumps(record)[:-1] + ', "shareWithResearchAsOfDate": null}',
    "a consent that is a word": lambda record: json.dumps(record | {"shareWithResearchAsOfDate": "withdrawn"}),
    "cut off": lambda record: json.dumps(record, ensure_ascii=False)[: -len(json.dumps(record)) // 3],
    "not JSON": lambda record: f"{record['email']};withdrawn",
}


@dataclass(frozen=True)
class Reading:
    """What the phone measured."""

    who: str
    moment: int
    x: float = 0.0
    spelling: int = 0


@dataclass(frozen=True)
class Step:
    """What the step trainer measured."""

    serial_number: str
    moment: int
    distance: int = 201


@dataclass(frozen=True)
class Delivery:
    """What came with one load, and who was gone by then."""

    records: Sequence[CustomerRecord] = ()
    readings: Sequence[Reading] = ()
    steps: Sequence[Step] = ()
    gone: Mapping[str, Leaving] | None = None


@dataclass(frozen=True)
class History:
    """The loads of a history, and what must become of them. Nothing here shares a line with the models."""

    deliveries: Sequence[Delivery]

    @property
    def clock(self) -> int:
        """The moment of the last load."""
        return landed_at(len(self.deliveries) - 1)

    def records(self, last: int | None = None) -> list[tuple[CustomerRecord, int]]:
        """The records that are there after a load, each with the moment when it was landed."""
        return [(record, landed_at(n)) for n, record in self._there("records", last)]

    def readings(self, last: int | None = None) -> set[Reading]:
        return {reading for _, reading in self._there("readings", last)}

    def steps(self, last: int | None = None) -> set[Step]:
        return {step for _, step in self._there("steps", last)}

    def _there(self, what: str, last: int | None) -> list[tuple[int, Any]]:
        there: list[tuple[int, Any]] = []
        for number, delivery in enumerate(self.deliveries[: None if last is None else last + 1]):
            leaving = {who for who, how in (delivery.gone or {}).items() if what == "records" or how == "everything"}
            there = [(n, item) for n, item in there if what == "steps" or item.who not in leaving]
            there += [(number, item) for item in getattr(delivery, what)]
        return there

    @cached_property
    def suspended(self) -> set[str]:
        """Whom a record that cannot be read names, be it gone: in no history does a better one take its place."""
        return {record.who for delivery in self.deliveries for record in delivery.records if record.broken}

    @cached_property
    def remembered(self) -> Mapping[str, int]:
        """When each customer last denied consent, by all records that ever came."""
        moments: dict[str, int] = {}
        for number, delivery in enumerate(self.deliveries):
            for record in delivery.records:
                if record.consented is None and not record.broken:
                    denied = min(record.updated, landed_at(number))
                    moments[record.who] = max(denied, moments.get(record.who, denied))
        return moments

    @cached_property
    def deciding(self) -> Mapping[str, list[CustomerRecord]]:
        """Of each customer, the record that counts of every moment of update, first to last."""
        by_moment: dict[tuple[str, int], list[CustomerRecord]] = defaultdict(list)
        for record, landed in self.records():
            if record.broken:
                continue
            if record.updated <= landed:
                by_moment[record.who, record.updated].append(record)
            elif record.consented is None:
                by_moment[record.who, landed].append(replace(record, updated=landed))
        for who in {who for who, _ in by_moment} & self.remembered.keys():
            by_moment[who, self.remembered[who]].append(CustomerRecord(who, self.remembered[who], None))
        histories: dict[str, list[CustomerRecord]] = defaultdict(list)
        for (who, _), rivals in sorted(by_moment.items()):
            refusing = [record for record in rivals if record.consented is None]
            histories[who].append(refusing[0] if refusing else max(rivals, key=lambda record: record.consented or 0))
        return histories

    def periods(self, who: str) -> list[tuple[int, float]]:
        """From when until when each record's consent was in force; those that ended before they began left out."""
        history = self.deciding.get(who, [])
        periods = []
        for position, record in enumerate(history):
            if record.consented is not None:
                denials = [earlier.updated for earlier in history[:position] if earlier.consented is None]
                begin = record.updated if any(d >= record.consented for d in denials) else record.consented
                end = self._ends(history, position)
                if begin <= end:
                    periods.append((begin, end))
        return periods

    @staticmethod
    def _ends(history: Sequence[CustomerRecord], position: int) -> float:
        for before, record in pairwise(history[position:]):
            if record.consented is None:
                return record.updated
            assert before.consented is not None
            if record.consented > before.consented:
                return before.updated
        return float("inf")

    def in_force(self, who: str, moment: int) -> bool:
        """Whether the customer's consent was in force at a moment, as far as all records together tell."""
        return any(begin <= moment < end for begin, end in self.periods(who))

    def has_lapsed(self, who: str, moment: int) -> bool:
        """Whether a consent had ended by then, be it as it began, and none was in force."""
        return any(end <= moment for _, end in self.periods(who)) and not self.in_force(who, moment)

    @cached_property
    def trusted_customers(self) -> set[str]:
        return {
            who
            for who, history in self.deciding.items()
            if history[-1].consented is not None and history[-1].consented <= self.clock and who not in self.suspended
        }

    @cached_property
    def trusted_readings(self) -> set[Reading]:
        return {r for r in self.readings() if r.who in self.trusted_customers and not self.has_lapsed(r.who, r.moment)}

    @cached_property
    def curated_customers(self) -> set[str]:
        return {reading.who for reading in self.trusted_readings}

    @cached_property
    def owners(self) -> list[Mapping[str, set[str]]]:
        """Who had ever registered each device, load by load."""
        owners: defaultdict[str, set[str]] = defaultdict(set)
        after: list[Mapping[str, set[str]]] = []
        for last in range(len(self.deliveries)):
            for record, _ in self.records(last):
                if not record.broken and record.serial_number is not None:
                    owners[record.serial_number].add(record.who)
            after.append({device: set(who) for device, who in owners.items()})
        return after

    def possible_owners(self, step: Step) -> set[str]:
        """Who can have made a step, by what is known now or was at any load before."""
        ever = self.owners[-1].get(step.serial_number, set())
        if len(ever) == 1:
            return ever
        possible = set()
        for last, owners in enumerate(self.owners):
            known = owners.get(step.serial_number, set())
            if len(known) > 1 and any(
                s.serial_number == step.serial_number and s.moment == step.moment for s in self.steps(last)
            ):
                possible |= known & {reading.who for reading in self.readings(last) if reading.moment == step.moment}
        return possible

    @cached_property
    def trusted_steps(self) -> set[Step]:
        def consents(who: str, moment: int) -> bool:
            return who in self.curated_customers and not self.has_lapsed(who, moment)

        return {
            step
            for step in self.steps()
            if (owners := self.possible_owners(step)) and all(consents(owner, step.moment) for owner in owners)
        }

    @cached_property
    def published_pairs(self) -> set[tuple[Step, Reading]]:
        return {(s, r) for s in self.trusted_steps for r in self.trusted_readings if s.moment == r.moment}

    @cached_property
    def right_pairs(self) -> set[tuple[str, int, int, float]]:
        return {
            (reading.who, reading.moment, step.distance, reading.x)
            for step, reading in self.published_pairs
            if self.possible_owners(step) == {reading.who} and self.in_force(reading.who, reading.moment)
        }


def landed_at(delivery: int) -> int:
    """The moment of a load: some of what it brings is dated ahead of it."""
    return 5 + 4 * delivery


def spelt(history: int, who: str, spelling: int) -> str:
    return SPELLINGS[who][spelling].format(f"{history}.")


def pseudonym(history: int, who: str) -> str:
    return KEY.pseudonym(who.format(f"{history}."))


moments = st.sampled_from(MOMENTS)
people = st.sampled_from(PEOPLE)
customer_records = st.builds(
    CustomerRecord,
    people,
    moments | st.sampled_from([20, 1000]),
    st.none() | moments | st.sampled_from([20, 1000]),
    st.sampled_from([*DEVICES, *DEVICES, None, ""]),
    st.sampled_from([0, 1, None]),
    st.sampled_from([None, 1950, 1985, 1999]),
    st.sampled_from(range(4)),
    st.sampled_from([None, 0, "", False, "0"]),
    st.sampled_from([None] * 15 + list(BROKEN)),
)
readings = st.builds(Reading, people, moments, st.sampled_from([0.0, 1.0]), st.sampled_from(range(4)))
steps = st.builds(Step, st.sampled_from([*DEVICES, "nobody's"]), moments, st.sampled_from([201, 202]))
deliveries = st.builds(
    Delivery,
    st.lists(customer_records, max_size=6),
    st.lists(readings, max_size=15),
    st.lists(steps, max_size=8),
    st.dictionaries(people, st.sampled_from(["records", "everything"]), max_size=1),
)
histories = st.builds(History, st.lists(deliveries, min_size=1, max_size=3))


class Lakehouse:
    """A landing zone, and STEDI's models as dbt compiled them, on a database in memory."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.source, self.zone = folder / "source", folder / "zone"
        self.now = 0
        monkeypatch.setattr(ledger, "now_ms", lambda: EPOCH_MS + self.now)
        self.deliver([History([Delivery([CustomerRecord(PEOPLE[0], 0, 0)], [Reading(PEOPLE[0], 0)], [Step("D1", 0)])])])
        repair_text(self.zone, TABLES, print)  # all tables are registered
        project = DbtProject.copy(folder / "project", self.zone, "sample")
        project.register()
        project.dbt("compile", "--select", "path:models/stedi")
        manifest = json.loads((project.folder / "target/manifest.json").read_text())
        compiled = {key: node for key, node in manifest["nodes"].items() if node.get("compiled_code")}
        order = TopologicalSorter({key: node["depends_on"]["nodes"] for key, node in compiled.items()}).static_order()
        built = {
            key: node
            for key in order
            if (node := compiled.get(key)) and node["resource_type"] == "model" and "privacy" not in node["path"]
        }
        assert len(built) >= 15
        self.models = {
            node["alias"]: f"create or replace table {node['relation_name']} as {node['compiled_code']}"
            for node in built.values()
        }
        needs = {key: {n for n in node["depends_on"]["nodes"] if "source." not in n} for key, node in compiled.items()}
        self.guards = {
            node["name"]: node["compiled_code"]
            for key, node in compiled.items()
            if node["resource_type"] == "test" and node["path"].startswith("stedi/") and needs[key] <= built.keys()
        }
        assert len(self.guards) >= 6
        # not by the var: with another one, dbt would parse everything anew
        bands, places = BELOW_GROUP_SIZE.subn(rf"\1 {GROUP_SIZE}", self.models["age_bands_curated"])
        assert places == 3
        self.models["age_bands_curated"] = bands
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("attach ':memory:' as lakehouse")
        self.connection.execute("use lakehouse")
        copies = project.query("select schema_name, table_name, sql from duckdb_tables()")
        views = project.query("select schema_name, view_name, sql from duckdb_views() where not internal")
        for schema in {node["schema"] for node in compiled.values()} | {schema for schema, *_ in (*copies, *views)}:
            self.connection.execute(f'create schema "{schema}"')
        assert len(views) >= 12
        for *_, sql in (*copies, *views):
            self.connection.execute(str(sql))
        self.copies = {str(name).removesuffix("__rows"): f"{schema}.{name}" for schema, name, _ in copies}

    def deliver(self, histories: Sequence[History]) -> None:
        """Lands histories from their beginning, load by load."""
        for folder in (self.source, self.zone):
            shutil.rmtree(folder, ignore_errors=True)
        for delivery in range(max(len(history.deliveries) for history in histories)):
            for number, history in enumerate(histories):
                if delivery < len(history.deliveries):
                    self._put(number, delivery, history.deliveries[delivery])
            bystander = CustomerRecord(PEOPLE[0], 0, None, "nobody's").line(-1, delivery)
            self._write(
                f"customer/landing/bystander-{delivery}.json", [bystander]
            )  # so that every load lands something
            self.now = landed_at(delivery)
            land([self.source], self.zone, TABLES, forget_vanished=True)
            land_people(self.zone, TABLES, KEY, lambda message: None)
            land_release_pseudonyms(self.zone, TABLES, lambda message: None)

    def _put(self, history: int, number: int, delivery: Delivery) -> None:
        for who, how in (delivery.gone or {}).items():
            for table in ("customer", "accelerometer")[: 1 if how == "records" else 2]:
                for file in (self.source / "stedi" / table).glob(f"landing/{history}-{PEOPLE.index(who)}-*.json"):
                    file.unlink()
        for index, who in enumerate(PEOPLE):
            name = f"landing/{history}-{index}-{number}.json"
            records = [record.line(history, number) for record in delivery.records if record.who == who]
            self._write(f"customer/{name}", records)
            readings = [
                {
                    "user": spelt(history, who, r.spelling),
                    "timestamp": EPOCH_MS + r.moment,
                    "x": r.x,
                    "y": 0.0,
                    "z": 0.0,
                }
                for r in delivery.readings
                if r.who == who
            ]
            self._write(f"accelerometer/{name}", map(json.dumps, readings))
        steps = [
            {
                "sensorReadingTime": EPOCH_MS + step.moment,
                "serialNumber": f"{history}.{step.serial_number}",
                "distanceFromObject": step.distance,
            }
            for step in delivery.steps
        ]
        self._write(f"step_trainer/landing/{history}-{number}.json", map(json.dumps, steps))

    def _write(self, name: str, lines: Iterable[str]) -> None:
        if content := "".join(f"{line}\n" for line in lines):
            path = self.source / "stedi" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def build(self, histories: Sequence[History]) -> None:
        """Lands histories of different people with different devices, and builds every model of them."""
        self.deliver(histories)
        self.make()

    def erase(self, addresses: Sequence[str]) -> None:
        """Erases people from what is landed, as the command does."""
        if addresses:
            erase_from_zone(self.zone, TABLES, addresses, lambda message: None, pseudonym_of=KEY.pseudonym)
            land_people(self.zone, TABLES, KEY, lambda message: None)
            land_release_pseudonyms(self.zone, TABLES, lambda message: None)

    def register(self) -> None:
        """Copies everything that is landed, as the first registration does."""
        ledger_columns = {column.name: column.type for column in TABLES["ledger"].columns}
        self.connection.execute(
            f"create or replace table loader.ledger as from read_json('{self.zone}/loader/ledger/*.json', "
            f"format = 'newline_delimited', columns = {ledger_columns})"
        )
        for name, relation in self.copies.items():
            if name != "ledger":
                self._copy(TABLES[name], relation)

    def _copy(self, table: Table, relation: str) -> None:
        key = "quarantine_key" if table.name == "quarantine" else "object_key"
        times = "" if table.columns == table.record_columns else ", max(landed_at) as landed_at"
        objects = (
            f"select {key} as object_key{times} from loader.ledger where {key} is not null "  # noqa: S608
            f"and (table_name = '{table.name}' or '{table.name}' = 'quarantine') group by {key}"
        )
        files = [f"{self.zone}/{key}" for key, *_ in self.connection.execute(objects).fetchall()]
        self.connection.execute(f"truncate {relation}")
        if files:
            reader = f"columns = { {column.name: column.type for column in table.record_columns} }, filename = 'file'"
            self.connection.execute(
                f"insert into {relation} by name select objects.*, files.* exclude (file) "  # noqa: S608
                f"from read_json(?, format = 'newline_delimited', compression = 'gzip', {reader}) as files "
                f"inner join ({objects}) as objects on files.file = '{self.zone}/' || objects.object_key",
                [files],
            )

    def make(self) -> None:
        """Builds every model of what is landed."""
        self.register()
        for statement in self.models.values():
            self.connection.execute(statement)

    def alarms(self) -> list[str]:
        """The project's own tests that fail on what was built."""
        return [name for name, sql in self.guards.items() if self.connection.execute(sql).fetchall()]

    def rows(self, columns: str, relation: str) -> list[tuple[Any, ...]]:
        """A relation's rows, with times as moments of the history."""
        return self.connection.execute(f"select {columns} from {relation}").fetchall()  # noqa: S608

    def published(self) -> Mapping[str, Counter[tuple[Any, ...]]]:
        """The rows of what is published of people."""
        return {relation: Counter(self.rows(columns, f"stedi.{relation}")) for relation, columns in PUBLISHED.items()}


def moment(column: str) -> str:
    return f"cast(epoch_ms({column}) - {EPOCH_MS} as integer)"


PUBLISHED = {
    "customer_trusted": "email",
    "accelerometer_trusted": f"email, {moment('reading_time')}, x",
    "step_trainer_trusted": f"serial_number, {moment('sensor_reading_time')}, distance_from_object",
    "customer_curated": "email",
    "machine_learning_curated": f"serial_number, email, {moment('reading_time')}, distance_from_object, x",
    "machine_learning_curated_v2": f"customer_pseudonym, {moment('reading_time')}, distance_from_object, x",
}


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Lakehouse]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Lakehouse(tmp_path_factory.mktemp("consent"), monkeypatch)


ANN, ZOE, STRASSE = PEOPLE
EVERYWHERE = [Reading(ANN, moment) for moment in MOMENTS]


def consents(*written: tuple[int, int | None]) -> Delivery:
    """What the website wrote of Ann, who is read all the time: when, and since when she consented."""
    records = [CustomerRecord(ANN, updated, consented) for updated, consented in written]
    return Delivery(records, EVERYWHERE, [Step("D1", moment) for moment in MOMENTS])


def withdraws(moment: int) -> Delivery:
    """What the website wrote of Ann when she withdrew."""
    return Delivery([CustomerRecord(ANN, moment, None)])


def then(delivery: Delivery, record: CustomerRecord) -> History:
    return History([delivery, Delivery([record])])


def shares(who: str, consented: int | None) -> CustomerRecord:
    """Somebody who registered device D1."""
    return CustomerRecord(who, 0, consented)


STEPS = [Step("D1", moment) for moment in MOMENTS]
ZOE_WALKS_TOO = [*EVERYWHERE, *(Reading(ZOE, moment) for moment in (3, 4))]
EXAMPLES = {
    "given, withdrawn, given again": History([consents((0, 0), (3, None), (6, 6))]),
    "the old date after a withdrawal": History([consents((0, 0), (3, None), (6, 0))]),
    "new dates": History([consents((0, 0), (3, 3), (4, None), (5, None))]),
    "dates back and forth": History([consents((0, 5), (3, None), (4, 2), (5, 1))]),
    "renewed, and never confirmed": History([consents((1, 1), (5, 5))]),
    "ended before it began": History([consents((1, 4), (2, None), (5, 5))]),
    "two of one time": History(
        [Delivery([CustomerRecord(ANN, 1, 1, registered=1), CustomerRecord(ANN, 1, None)], EVERYWHERE, STEPS)]
    ),
    "two of one time, spelt otherwise": History(
        [Delivery([CustomerRecord(ANN, 1, 1), CustomerRecord(ANN, 1, None, spelling=1)], EVERYWHERE, STEPS)]
    ),
    "two of one time, spelt the other way round": History(
        [Delivery([CustomerRecord(ANN, 1, 1, spelling=1), CustomerRecord(ANN, 1, None)], EVERYWHERE, STEPS)]
    ),
    "withdrawn in capitals": then(consents((0, 0)), CustomerRecord(ANN, 6, None, spelling=1)),
    "withdrawn with a blank": then(consents((0, 0)), CustomerRecord(ANN, 6, None, spelling=2)),
    "withdrawn with a name": then(consents((0, 0)), CustomerRecord(ANN, 6, None, spelling=3)),
    "withdrawn as a link": History(
        [
            Delivery([CustomerRecord(ZOE, 0, 0)], [Reading(ZOE, 1)], STEPS),
            Delivery([CustomerRecord(ZOE, 6, None, spelling=3)]),
        ]
    ),
    "withdrawn with another accent": History(
        [
            Delivery([CustomerRecord(ZOE, 0, 0)], [Reading(ZOE, 1)], STEPS),
            Delivery([CustomerRecord(ZOE, 6, None, spelling=1)]),
        ]
    ),
    "withdrawn without a device": then(consents((0, 0)), CustomerRecord(ANN, 6, None, None, None, None)),
    "withdrawn, a record of the future before": then(consents((0, 0), (1000, 0)), CustomerRecord(ANN, 6, None)),
    "withdrawn by a record of the future": then(consents((0, 0)), CustomerRecord(ANN, 1000, None)),
    "a consent of the future": History([consents((0, 1000))]),
    "a consent of tomorrow": History([consents((0, 7)), Delivery()]),
    **{
        f"withdrawn as {none!r}": then(consents((0, 0)), CustomerRecord(ANN, 6, None, no_consent_is=none))
        for none in ("", False, 0)
    },
    **{
        f"withdrawn, with {broken}": then(consents((0, 0)), CustomerRecord(ANN, 6, None, broken=broken))
        for broken in BROKEN
    },
    "a withdrawal is overwritten": History(
        [consents((0, 0)), withdraws(6), Delivery([CustomerRecord(ANN, 0, 0)], gone={ANN: "records"})]
    ),
    "a withdrawal is overwritten, and the old consent comes later": History(
        [consents((0, 0)), withdraws(6), Delivery(gone={ANN: "records"}), Delivery([CustomerRecord(ANN, 0, 0)])]
    ),
    "a withdrawal is overwritten by a consent of its moment": History(
        [consents((3, 3)), withdraws(3), Delivery([CustomerRecord(ANN, 3, 3)], gone={ANN: "records"})]
    ),
    "a withdrawal of the future is overwritten": History(
        [consents((0, 0)), withdraws(1000), Delivery([CustomerRecord(ANN, 4, 0, spelling=1)], gone={ANN: "records"})]
    ),
    "a withdrawal is overwritten, and consent given again": History(
        [
            consents((0, 0)),
            withdraws(6),
            Delivery([CustomerRecord(ANN, 0, 0), CustomerRecord(ANN, 8, 8)], gone={ANN: "records"}),
        ]
    ),
    "a withdrawal is overwritten by one before it": History(
        [
            consents((0, 0)),
            withdraws(6),
            Delivery([CustomerRecord(ANN, moment, None) for moment in (2, 4)], gone={ANN: "records"}),
            Delivery([CustomerRecord(ANN, 5, 5), CustomerRecord(ANN, 12, 12)]),
        ]
    ),
    "the readings are spelt otherwise": History(
        [Delivery([shares(ANN, 0)], [Reading(ANN, 1, spelling=1), Reading(ANN, 1, spelling=2)], STEPS)]
    ),
    "a co-owner's record is gone": History(
        [Delivery([shares(ANN, 0), shares(ZOE, None)], ZOE_WALKS_TOO, STEPS), Delivery(gone={ZOE: "records"})]
    ),
    "a co-owner is gone": History(
        [Delivery([shares(ANN, 0), shares(ZOE, None)], ZOE_WALKS_TOO, STEPS), Delivery(gone={ZOE: "everything"})]
    ),
    "a co-owner who never walked is gone": History(
        [Delivery([shares(ANN, 0), shares(ZOE, None)], EVERYWHERE[:4], STEPS), Delivery(gone={ZOE: "everything"})]
    ),
}


def assert_all_seen_rightly(lakehouse: Lakehouse, examples: Mapping[str, tuple[int, History]]) -> None:
    for numbered in examples.values():
        assert_seen_rightly(lakehouse, *numbered)


@pytest.fixture(scope="module")
def examples(lakehouse: Lakehouse) -> Mapping[str, tuple[int, History]]:
    """The examples as they are landed and built, each with its number."""
    histories = padded(list(EXAMPLES.values()))
    lakehouse.build(histories)
    return dict(zip(EXAMPLES, enumerate(histories), strict=True))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_seen_rightly(
    lakehouse: Lakehouse, examples: Mapping[str, tuple[int, History]], name: str
) -> None:
    assert_seen_rightly(lakehouse, *examples[name])


@pytest.mark.parametrize(
    ("model", "right", "wrong"),
    [
        ("customer_trusted", "recency = 1", "recency >= 1"),
        ("customer_trusted", "and canonical_email not in (select suspensions.canonical_email from suspensions)", ""),
        ("customer_trusted", "<= (select last_landing.last_landed_at from last_landing)", "is not null"),
        ("accelerometer_trusted", "where consent_periods.canonical_email is null", ""),
        ("accelerometer_trusted", ">= consent_periods.in_force_until", "> consent_periods.in_force_until"),
        (
            "step_trainer_trusted",
            "case when consent_periods.canonical_email is null then consenting.customer_pseudonym end",
            "consenting.customer_pseudonym",
        ),
        ("sensor_pairs_curated", ">= consent_periods.in_force_from", "> consent_periods.in_force_from"),
        ("int_stedi__consent_periods", "> refused_at or refused_at is null", "is not null"),
        ("int_stedi__consent_periods", "least(confirmed_at, next_from)", "next_from"),
        ("int_stedi__consent_periods", "> previous_consent then 1", "<> previous_consent then 1"),
        ("int_stedi__consent_periods", "in_force_from = in_force_until", "1 = 0"),
        (
            "int_stedi__customer_records",
            "case when share_with_research_as_of_date is null then 0 else 1 end asc",
            "registration_date desc",
        ),
        ("int_stedi__customer_records", "or records.last_update_date <= records.landed_at", "or 1 = 1"),
        (
            "int_stedi__customer_records",
            "partition by canonical_email, last_update_date",
            "partition by email, last_update_date",
        ),
        ("int_stedi__customer_records", "from known", "from identified"),
        ("int_stedi__customer_records", "and identified.last_update_date = withdrawals.withdrawn_at", ""),
        (
            "int_stedi__customer_records",
            "identified.share_with_research_as_of_date is null\n                and identified.last_update_date",
            "identified.last_update_date",
        ),
        (
            "int_stedi__step_reading_owners",
            "counted_owners.owners_of_device = 1",
            "counted_owners.owners_of_device < 3",
        ),
    ],
)
def test_a_mistake_in_the_models_is_found(
    lakehouse: Lakehouse, examples: Mapping[str, tuple[int, History]], model: str, right: str, wrong: str
) -> None:
    statement = lakehouse.models[model]
    assert statement.count(right) == 1
    lakehouse.models[model] = statement.replace(right, wrong)
    try:
        lakehouse.make()
        with pytest.raises(AssertionError):
            assert_all_seen_rightly(lakehouse, examples)
    finally:
        lakehouse.models[model] = statement
        lakehouse.make()


def test_a_withdrawal_that_the_models_forget_is_found_by_the_projects_own_tests(
    lakehouse: Lakehouse, examples: Mapping[str, tuple[int, History]]
) -> None:
    statement = lakehouse.models["int_stedi__customer_records"]
    lakehouse.models["int_stedi__customer_records"] = statement.replace("from known", "from identified")
    try:
        lakehouse.make()
        assert {"assert_customer_trusted_is_who_consents", "assert_accelerometer_trusted_is_of_who_consents"} <= {
            *lakehouse.alarms()
        }
    finally:
        lakehouse.models["int_stedi__customer_records"] = statement
        lakehouse.make()
    assert lakehouse.alarms() == []


@given(st.lists(histories, min_size=1, max_size=10))
@example(list(EXAMPLES.values()))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_everybody_is_seen_where_they_consented_and_nowhere_else(
    lakehouse: Lakehouse, histories: Sequence[History]
) -> None:
    histories = padded(histories)
    lakehouse.build(histories)
    for number, history in enumerate(histories):
        assert_seen_rightly(lakehouse, number, history)
    assert lakehouse.alarms() == []
    assert_groups_are_large(lakehouse)


@given(
    st.lists(
        st.tuples(histories, people, st.sampled_from(["records", "everything", "erased"])), min_size=1, max_size=10
    )
)
@example([(history, who, how) for history in EXAMPLES.values() for who in (ANN, ZOE) for how in ("records", "erased")])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_nobodys_leaving_makes_a_relation_grow(
    lakehouse: Lakehouse, leavers: Sequence[tuple[History, str, Literal["records", "everything", "erased"]]]
) -> None:
    stayed = [History([*history.deliveries, Delivery()]) for history, *_ in leavers]
    left = [
        History([*history.deliveries, Delivery(gone=None if how == "erased" else {who: how})])
        for history, who, how in leavers
    ]
    lakehouse.build(padded(stayed))
    before = lakehouse.published()
    lakehouse.deliver(padded(left))
    erased = [spelt(number, who, 1) for number, (_, who, how) in enumerate(leavers) if how == "erased"]
    lakehouse.erase(erased)
    lakehouse.make()
    for relation, rows in lakehouse.published().items():
        assert not rows - before[relation], f"{relation} has grown"


def padded(histories: Sequence[History]) -> list[History]:
    """The same, all with as many loads, of which the last is everybody's last."""
    loads = max(len(history.deliveries) for history in histories)
    return [
        History([*history.deliveries[:-1], *[Delivery()] * (loads - len(history.deliveries)), history.deliveries[-1]])
        for history in histories
    ]


def assert_seen_rightly(lakehouse: Lakehouse, number: int, history: History) -> None:
    """Every relation holds what the oracle says of a history, row by row."""
    mine, mine_step = f"regexp_matches(email, '(^|[^0-9]){number}[.]')", f"serial_number like '{number}.%'"

    def rows(columns: str, relation: str, condition: str) -> Counter[tuple[Any, ...]]:
        return Counter(lakehouse.rows(columns, f"{relation} where {condition}"))

    def people(relation: str) -> Counter[str]:
        spellings = {spelt(number, who, n): who for who in PEOPLE for n in range(4)}
        return Counter(spellings[email] for (email,) in rows("email", relation, mine))

    assert people("stedi.customer_trusted") == Counter(history.trusted_customers)
    assert people("stedi.customer_curated") == Counter(history.curated_customers)
    assert rows(f"email, {moment('reading_time')}, x", "stedi.accelerometer_trusted", mine) == Counter(
        (spelt(number, r.who, r.spelling), r.moment, r.x) for r in history.trusted_readings
    )
    assert rows(PUBLISHED["step_trainer_trusted"], "stedi.step_trainer_trusted", mine_step) == Counter(
        (f"{number}.{s.serial_number}", s.moment, s.distance) for s in history.trusted_steps
    )
    same = f"{mine_step} and {mine}"  # v1 pairs people of other histories, too
    assert rows(PUBLISHED["machine_learning_curated"], "stedi.machine_learning_curated", same) == Counter(
        (f"{number}.{step.serial_number}", spelt(number, r.who, r.spelling), r.moment, step.distance, r.x)
        for step, r in history.published_pairs
    )
    pseudonyms = ", ".join(f"'{pseudonym(number, who)}'" for who in PEOPLE)
    v2 = "stedi.machine_learning_curated_v2"
    assert rows(PUBLISHED["machine_learning_curated_v2"], v2, f"customer_pseudonym in ({pseudonyms})") == Counter(
        (pseudonym(number, who), *rest) for who, *rest in history.right_pairs
    )
    names = "(select distinct customer_pseudonym, release_pseudonym from stedi_landing.release_pseudonyms)"
    v3 = f"stedi.machine_learning_curated_v3 inner join {names} using (release_pseudonym)"
    released = rows("customer_pseudonym, distance_from_object, x", v3, f"customer_pseudonym in ({pseudonyms})")
    assert released == Counter((pseudonym(number, who), distance, x) for who, _, distance, x in history.right_pairs)
    assert_periods_are_right(lakehouse, number, history)


def assert_periods_are_right(lakehouse: Lakehouse, number: int, history: History) -> None:
    """The periods are those moments at which consent was in force, in one piece each."""
    columns = ", ".join(["canonical_email", *map(moment, ("in_force_from", "in_force_until", "resumed_at"))])
    relation = f"stedi_staging.int_stedi__consent_periods where canonical_email like '{number}.%'"
    periods = sorted(lakehouse.rows(columns, relation))
    far = 1100
    covered = Counter(
        (who, moment) for who, begins, ends, _ in periods for moment in range(begins, far if ends is None else ends)
    )
    expected = {
        (who.format(f"{number}."), moment)
        for who in history.deciding
        for begin, end in history.periods(who)
        for moment in range(begin, int(min(end, far)))
    }
    assert covered == Counter(expected)
    for (who, _, ends, resumed), (next_who, begins, _, _) in pairwise(periods):
        assert resumed == (begins if next_who == who else None)
        assert next_who != who or ends <= begins


def assert_groups_are_large(lakehouse: Lakehouse) -> None:
    """Whatever age band is published, it is shared; and so is that of those whose band is withheld."""
    v2 = "stedi.machine_learning_curated_v2 group by all"
    members = lakehouse.rows("age_band, count(distinct customer_pseudonym)", v2)
    everybody = sum(count for _, count in members)
    assert all(count >= GROUP_SIZE for _, count in members) or everybody < GROUP_SIZE
