"""Who withdrew, or is gone, is in nothing that is published at the end of a run, whatever fails in it."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode

from building import WithoutReports, copied, quiet_console, run_once, with_manifest, without_dates
from dbt_project import PARTS, copy_parts, remove_unit_tests
from lakehouse.commands import run
from lakehouse.console import ConsoleReporter
from lakehouse.environment import variables
from lakehouse.errors import BuildError, DbtError, LandingError
from lakehouse.pipeline.databases import open_database
from lakehouse.pipeline.dataset import Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from landing_helpers import land_all, put
from lanes import EVERYTHING
from real_data import PROJECT_DIR

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # of dbt's threads, which a failed build leaves

DAY_MS = 24 * 60 * 60 * 1000
JANUARY_MS = 1_640_995_200_000  # 2022-01-01
PEOPLE = ("stays", "leaves", "vanishes")
SHARED = "device of both"
PUBLISHED = {
    "customer_trusted": "email",
    "accelerometer_trusted": "email",
    "step_trainer_trusted": "serial_number",
    "customer_curated": "email",
    "machine_learning_curated": "email",
    "machine_learning_curated_v2": "customer_pseudonym",
}
MODELS = {
    path.stem: {
        f"{name}_v{version}" if version else name
        for name, version in re.findall(r"ref\('(\w+)'(?:, v=(\d+))?\)", path.read_text())
    }
    for path in sorted((PROJECT_DIR / "models/stedi").rglob("*.sql"))
    if path.parent.name in ("staging", "intermediate", "trusted", "curated")
}
"""With the models that each reads."""


def depth(model: str) -> int:
    """How many models there are before this one, on the longest way."""
    return 1 + max((depth(parent) for parent in MODELS[model] & MODELS.keys()), default=-1)


def broken_together() -> list[list[str]]:
    """Models of which none reads another one, so that each is run and fails; with `ALL=1` each is alone."""
    if EVERYTHING:
        return [[model] for model in MODELS]
    depths = sorted({depth(model) for model in MODELS})
    return [[model for model in MODELS if depth(model) == at] for at in depths]


def customer(name: str, device: str, updated: int, consented: int | None) -> dict[str, Any]:
    record = {
        "email": f"{name}@test.com",
        "customerName": name,
        "phone": "8015551212",
        "birthDay": "1964-02-29",
        "serialNumber": device,
        "registrationDate": JANUARY_MS,
        "lastUpdateDate": JANUARY_MS + updated * DAY_MS,
    }
    return record if consented is None else record | {"shareWithResearchAsOfDate": JANUARY_MS + consented * DAY_MS}


def deliver_first(source: Path) -> None:
    """Three people who consent, one of them with a device that another one of them registered, too."""
    for number, name in enumerate(PEOPLE):
        put(source, f"customer/landing/{name}.json", [customer(name, f"device of {name}", 0, 0)])
        moment = JANUARY_MS + DAY_MS + number
        reading = {"user": f"{name}@test.com", "timestamp": moment, "x": 0.0, "y": 0.0, "z": 0.0}
        put(source, f"accelerometer/landing/{name}.json", [reading])
        step = {"sensorReadingTime": moment, "serialNumber": f"device of {name}", "distanceFromObject": 201}
        shared = {"sensorReadingTime": moment, "serialNumber": SHARED, "distanceFromObject": 202}
        put(source, f"step_trainer/landing/{name}.json", [step, shared] if name == "stays" else [step])
    both = [customer("stays", SHARED, 1, 0), customer("leaves", SHARED, 1, 0)]
    put(source, "customer/landing/both.json", both)


def deliver_second(source: Path) -> None:
    """One withdraws, the record of another one is gone."""
    put(source, "customer/landing/leaves_again.json", [customer("leaves", "device of leaves", 30, None)])
    (source / "customer/landing/vanishes.json").unlink()


@dataclass
class Built:
    """A database in which three people are published, and a zone in which two of them are not to be any more."""

    session: DbtSession
    data: Dataset
    database: Path

    @property
    def manifest(self) -> Manifest:
        return self.session.manifest


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("withdrawal")
    project, source, zone = folder / "project", folder / "source", folder / "zone"
    copy_parts(project, *(part for part in PARTS if part != "tests/dbt"), "tests/dbt/generic")
    remove_unit_tests(project)
    without_dates(project)
    shutil.copy(PROJECT_DIR / "profiles.example.yml", project / "profiles.yml")
    deliver_first(source)
    land_all([source], zone)
    database = folder / "lakehouse.duckdb"
    with variables({"LANDING_ZONE": str(zone), "DUCKDB_PATH": str(database)}):
        session = DbtSession(project, "duckdb", "small", quiet_console())
        session.parse()
        leave_out_sparkify(session.manifest)
        data = Dataset(project, "small", [str(source)], 1.0, str(zone))
        run_once(session, data)
        assert people_in(database) == everywhere(set(PEOPLE))
        deliver_second(source)
        land_all([source], zone, forget_vanished=True)
        yield Built(session, data, database)


def leave_out_sparkify(manifest: Manifest) -> None:
    """The other domain, which costs time and tells nothing here."""
    gone = {key for key, node in manifest.nodes.items() if "sparkify" in node.path}
    for key in gone | {key for key, node in manifest.nodes.items() if gone.intersection(node.depends_on_nodes)}:
        del manifest.nodes[key]
    for of_both in (manifest.exposures, manifest.metrics, manifest.semantic_models):
        of_both.clear()


@pytest.fixture
def copy(built: Built, tmp_path: Path) -> Iterator[Path]:
    """A copy of the database, which a run finds in its place."""
    path = tmp_path / built.database.name
    shutil.copy(built.database, path)
    with variables({"LANDING_ZONE": built.data.zone, "DUCKDB_PATH": str(path)}):
        yield path


def broken(session: DbtSession, names: list[str]) -> DbtSession:
    """The session of a project in which models are broken; the data tests are left out, for time's sake."""
    manifest = copied(session.manifest)
    nodes = [node for node in manifest.nodes.values() if isinstance(node, ModelNode) and file_of(node) in names]
    assert len(nodes) == len(names)
    for node in nodes:
        node.raw_code = "select * from a_table_that_nobody_made"
    for key in [key for key in manifest.nodes if key.startswith("test.")]:
        del manifest.nodes[key]
    return with_manifest(session, manifest, WithoutReports)


def file_of(node: ModelNode) -> str:
    return Path(node.path).stem


def people_in(database: Path) -> dict[str, set[str]]:
    """Whom each published relation tells of."""
    found: dict[str, set[str]] = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        pseudonyms = {
            pseudonym: email.partition("@")[0]
            for email, pseudonym in connection.execute(
                "select email, customer_pseudonym from stedi_staging.stg_stedi__customer_identities"
            ).fetchall()
        }
        for relation, column in PUBLISHED.items():
            values = connection.execute(f"select distinct {column} from stedi.{relation}").fetchall()  # noqa: S608
            names = {pseudonyms.get(value, value) for (value,) in values}
            found[relation] = {name for name in PEOPLE if any(name in text for text in names)}
    return found


def everywhere(people: set[str]) -> dict[str, set[str]]:
    """These people, in every published relation."""
    return dict.fromkeys(PUBLISHED, people)


def shared_steps(database: Path) -> int:
    """How many steps of the device of two people are trusted."""
    with duckdb.connect(str(database), read_only=True) as connection:
        sql = "select * from stedi.step_trainer_trusted where serial_number = ?"
        return len(connection.execute(sql, [SHARED]).fetchall())


@pytest.mark.parametrize("models", broken_together(), ids=" ".join)
def test_whatever_model_fails_who_withdrew_and_who_is_gone_are_out(built: Built, copy: Path, models: list[str]) -> None:
    with pytest.raises(BuildError) as refused:
        run_once(broken(built.session, models), built.data)
    errors = {key for key, status in refused.value.unfinished.items() if status == "error"}
    assert len(errors) == len(models)
    assert people_in(copy) == everywhere({"stays"})
    assert shared_steps(copy) == 0, "whose they are is left to the build"
    failed = copy.with_name(f"{copy.name}.failed") / copy.name
    assert failed.is_file()
    assert failed.parent.stat().st_mode & 0o077 == 0
    assert not copy.with_name(f"{copy.name}.unfinished").exists()


def test_the_build_that_follows_brings_back_what_is_right(built: Built, copy: Path) -> None:
    """The shared device's step was taken while the one who consents was walking, and nobody else."""
    run_once(with_manifest(built.session, copied(built.manifest)), built.data)
    assert people_in(copy) == everywhere({"stays"})
    assert shared_steps(copy) == 1
    assert not copy.with_name(f"{copy.name}.failed").exists()


def test_it_is_said_how_many_left_and_nobody_is_named(
    built: Built, copy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    session = with_manifest(built.session, copied(built.manifest))
    session.register(built.data.zone_id() or "")
    capfd.readouterr()
    session.operation("withdraw_people")
    told = capfd.readouterr().out
    assert "taken out of stedi.customer_trusted, for want of consent: 2 rows of 2 people" in told
    assert "taken out of stedi.step_trainer_trusted until it is built, as not everybody" in told
    assert "ever had the device consents: 3 rows of 3 devices" in told
    assert not [name for name in (*PEOPLE, "device of") if name in told]
    session.operation("withdraw_people")
    assert capfd.readouterr().out == ""
    assert copy.exists()


def test_a_landing_table_that_cannot_be_registered_keeps_nobody_in(built: Built, copy: Path) -> None:
    manifest = copied(built.manifest)
    steps = next(source for source in manifest.sources.values() if source.name == "step_trainer_landing")
    steps.columns["distanceFromObject"].data_type = "no_such_type"
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    with pytest.raises(DbtError, match="register_landing"):
        run_once(with_manifest(built.session, manifest), built.data)
    assert people_in(copy) == everywhere({"stays"})


def test_a_load_that_fails_halfway_keeps_nobody_in(built: Built, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The withdrawal is landed, and something that is worked out afterwards is not."""

    def fails(*_: object) -> None:
        raise LandingError("no room for repairs")

    monkeypatch.setattr("lakehouse.pipeline.dataset.repair_text", fails)
    session = with_manifest(built.session, copied(built.manifest))
    with (
        open_database(session, built.data.zone_id() or "") as database,
        pytest.raises(LandingError, match="no room for repairs"),
    ):
        run.land(built.data, session, database, ConsoleReporter(), run.Load())
    assert people_in(copy) == everywhere({"stays"})


def test_readers_do_not_see_what_failed_its_tests(built: Built, copy: Path) -> None:
    """A test that fails behind the last model: what is published stays as it was, but for who does not consent."""
    manifest = copied(built.manifest)
    (node,) = [
        node for node in manifest.nodes.values() if isinstance(node, ModelNode) and node.name == "customer_trusted"
    ]
    node.raw_code = node.raw_code.replace(
        "select * from consenting", "select * from consenting union all from consenting"
    )
    assert "union all" in node.raw_code
    with pytest.raises(BuildError):
        run_once(with_manifest(built.session, manifest), built.data)
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("select email from stedi.customer_trusted").fetchall() == [("stays@test.com",)]
    with duckdb.connect(str(copy.with_name(f"{copy.name}.failed") / copy.name), read_only=True) as connection:
        assert connection.execute("select count(*) from stedi.customer_trusted").fetchall() == [(2,)]
        assert connection.execute("from loader.ledger").fetchall(), "its views do not work"


def test_every_published_relation_of_stedi_says_whose_its_rows_are(built: Built) -> None:
    """Or else a withdrawal would pass it by."""
    published = [
        node for node in built.manifest.nodes.values() if isinstance(node, ModelNode) and node.schema == "stedi"
    ]
    assert len(published) >= len(PUBLISHED)
    nameless = {
        node.name
        for node in published
        if not any(column.meta.get("person") for column in node.columns.values())
        and any(column.meta.get("personal") in ("identifier", "pseudonym") for column in node.columns.values())
    }
    assert nameless == set()
