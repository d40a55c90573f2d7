"""What a run builds again: by what nodes are made of, and were made of when they were built last."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest
from rich.console import Console

from dbt_project import DbtProject, copy_project
from lakehouse.environment import variables
from lakehouse.errors import DbtError
from lakehouse.landing.contents import Contents, contents_of
from lakehouse.pipeline.build_plan import BuildPlan, plan_build
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.fingerprints import Fingerprint, fingerprints, settings_of, tables_read_in_ledgers
from lakehouse.storage import open_folder
from landing_helpers import TABLES, land_all

pytestmark = pytest.mark.quick

CONTENTS = {name: Contents("records", "entries") for name, table in TABLES.items() if table.source_name != "loader"}


def parsed(project: Path) -> Manifest:
    session = DbtSession(project, "duckdb", "mine", Console(quiet=True))
    with variables({"LANDING_ZONE": str(project / "zone"), "DUCKDB_PATH": None}):
        session.parse()
    return session.manifest


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return parsed(copy_project(tmp_path_factory.mktemp("plan") / "project"))


def made_of(
    manifest: Manifest, settings: str = "settings", built_from: str = "mine", **contents: Contents
) -> dict[str, Fingerprint]:
    return fingerprints(manifest, settings, {**CONTENTS, **contents}, built_from)


def planned(manifest: Manifest, now: dict[str, Fingerprint], noted: dict[str, Fingerprint]) -> BuildPlan:
    plan = plan_build(manifest, now, noted)
    nodes = {*manifest.nodes, *manifest.unit_tests}
    assert plan.todo | plan.kept == now.keys() & nodes
    assert not plan.todo & plan.kept
    return plan


def models(keys: frozenset[str]) -> set[str]:
    return {key.split(".", 2)[2] for key in keys if key.startswith("model.")}


def test_at_first_everything_is_built_and_afterwards_nothing(manifest: Manifest) -> None:
    now = made_of(manifest)
    first = planned(manifest, now, {})
    assert first.is_whole
    assert first.reasons == ()
    assert len(models(first.todo)) == sum(key.startswith("model.") for key in manifest.nodes)
    again = planned(manifest, made_of(manifest), now)
    assert (again.todo, again.reasons) == (frozenset(), ())
    relations, tests = again.kept_of(manifest)
    assert relations == sum(not key.startswith(("test", "unit_test")) for key in first.todo)
    assert relations + tests == len(first.todo)


def test_new_events_build_what_reads_them_and_nothing_of_the_other_product(manifest: Manifest) -> None:
    plan = planned(manifest, made_of(manifest, staging_events=Contents("more", "more")), made_of(manifest))
    built = models(plan.todo)
    assert {"stg_sparkify__events", "songplays", "users", "sparkify_figures"} <= built
    assert {manifest.nodes[f"model.lakehouse.{name}"].fqn[1] for name in built} == {"sparkify"}
    assert not built & {"stg_sparkify__songs", "songs", "artists"}
    assert "test.lakehouse.assert_ledger_balances" in plan.todo
    of_ledger = {key.split(".")[2] for key in plan.todo if "agrees_with_ledger" in key}
    assert of_ledger == {"source_agrees_with_ledger_sparkify_staging_events_"}
    assert plan.reasons == ("other records than in the last build: sparkify.staging_events",)


def test_a_customers_record_builds_all_that_tells_of_people(manifest: Manifest) -> None:
    """Whatever the order in which consent comes to a table, no relation with people in it stays."""
    plan = planned(manifest, made_of(manifest, customer_landing=Contents("less", "less")), made_of(manifest))
    with_people = {
        node.unique_id.split(".", 2)[2]
        for node in manifest.nodes.values()
        if node.resource_type is NodeType.Model and any("person" in column.meta for column in node.columns.values())
    }
    assert len(with_people) > 5
    assert with_people <= models(plan.todo)


def test_entries_of_the_ledger_alone_test_the_ledger_and_move_the_clock(manifest: Manifest) -> None:
    """A file without records was landed: no record is another one, and the time of the last landing is."""
    plan = planned(manifest, made_of(manifest, step_trainer_landing=Contents("records", "more")), made_of(manifest))
    assert "stg_stedi__last_landing" in models(plan.todo)
    assert "stg_stedi__step_readings" not in models(plan.todo)
    assert "test.lakehouse.assert_ledger_balances" in plan.todo


def test_other_known_counts_repeat_the_tests_that_read_them(manifest: Manifest) -> None:
    plan = planned(manifest, made_of(manifest, built_from="another"), made_of(manifest))
    assert models(plan.todo) == set()
    assert any("expected_row_count" in key for key in plan.todo)
    assert len(plan.todo) < len(plan.kept)
    assert plan.reasons == ("the data set has another name, or its counts are known now, or are not any more",)


def test_another_model_is_built_with_all_that_reads_it(tmp_path: Path, manifest: Manifest) -> None:
    project = copy_project(tmp_path / "project")
    changed = project / "models/sparkify/marts/users.sql"
    changed.write_text(changed.read_text() + "-- another\n")
    plan = planned(parsed(project), made_of(parsed(project)), made_of(manifest))
    assert models(plan.todo) >= {"users", "users_by_song", "songs_by_user_session"}
    assert models(plan.todo) & {"stg_sparkify__events", "songs", "customer_trusted"} == set()
    assert plan.reasons == ("other code than in the last build: users",)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("models/sparkify/marts/_sparkify_marts__models.yml", "One row per play", "A row per play"),
        ("models/stedi/staging/_stedi__sources.yml", "data_type: varchar(", "data_type: varchar(1"),
        ("seeds/expected_measures.csv", "udacity,", "another,"),
        ("tests/dbt/loader/assert_ledger_balances.sql", "-- ", "-- Another. "),
        ("models/stedi/curated/_stedi_curated__unit_tests.yml", "description: Protects", "description: Guards"),
    ],
)
def test_descriptions_declared_types_seeds_and_tests_are_code(
    file: str, old: str, new: str, tmp_path: Path, manifest: Manifest
) -> None:
    project = copy_project(tmp_path / "project")
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new, 1))
    plan = planned(parsed(project), made_of(parsed(project)), made_of(manifest))
    assert plan.todo
    assert not plan.is_whole
    assert plan.reasons[0].startswith("other code than in the last build: ")


def test_other_settings_build_everything(tmp_path: Path, manifest: Manifest) -> None:
    plan = planned(manifest, made_of(manifest, settings="others"), made_of(manifest))
    assert plan.is_whole
    assert plan.reasons == ("macros, settings or versions are others than in the last build: everything is built",)
    project = copy_project(tmp_path / "project")
    before = settings_of(project, "duckdb", manifest)
    assert settings_of(project, "duckdb", manifest) == before
    assert settings_of(project, "redshift", manifest) != before
    with variables({"READERS": '{"engineers": ["ada"]}'}):
        assert settings_of(project, "duckdb", manifest) != before
    with variables({"LAKEHOUSE_RUN": "another", "LANDING_ZONE": "/elsewhere", "DBT_ENV_SECRET_REDSHIFT_PASSWORD": "x"}):
        assert settings_of(project, "duckdb", manifest) == before
    for of_dbt in ("DBT_EMPTY", "DBT_EXCLUDE_RESOURCE_TYPES", "DBT_SAMPLE"):
        with variables({of_dbt: "1"}):
            assert settings_of(project, "duckdb", manifest) != before
    profiles = project / "profiles.yml"
    profiles.write_text(profiles.read_text() + "# another\n")
    assert settings_of(project, "duckdb", manifest) != before
    macro = project / "macros/ratio.sql"
    macro.write_text(macro.read_text() + "{#- another -#}\n")
    settings = project / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("minimum_group_size: 5", "minimum_group_size: 6"))
    assert settings_of(project, "duckdb", manifest) != before


def test_what_the_last_run_did_not_build_or_pass_is_done_again_with_what_reads_it(manifest: Manifest) -> None:
    now = made_of(manifest)
    lost = dict(now)
    del lost["model.lakehouse.users"]
    plan = planned(manifest, now, lost)
    assert models(plan.todo) >= {"users", "users_by_song"}
    assert "stg_sparkify__events" not in models(plan.todo)
    assert any(key.startswith("test.") and "_users_" in key for key in plan.todo)
    assert plan.reasons == ("not as a run has left it: users",)
    failed = dict(now)
    del failed["test.lakehouse.assert_ledger_balances"]
    assert planned(manifest, now, failed).todo == {"test.lakehouse.assert_ledger_balances"}


def test_parsed_again_from_nothing_a_project_is_made_of_the_same(tmp_path: Path, manifest: Manifest) -> None:
    """In another folder, too, and by a dbt that has nothing to begin with."""
    project = copy_project(tmp_path / "elsewhere")
    (project / "target/partial_parse.msgpack").unlink(missing_ok=True)
    assert made_of(parsed(project)) == made_of(manifest)


def test_where_dbt_is_misled_by_what_it_read_before_it_reads_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update that removed two macros, and their descriptions, made it miss a macro that was described before."""
    run, commands = DbtSession._run, list[list[str]]()

    def misled(session: DbtSession, command: list[str], *options: Any) -> Any:  # noqa: ANN401 - dbt's own
        commands.append(command)
        if "--no-partial-parse" not in command:
            raise DbtError("Found patch for macro which was not found")
        return run(session, command, *options)

    monkeypatch.setattr(DbtSession, "_run", misled)
    assert "macro.lakehouse.register_landing" in parsed(copy_project(tmp_path / "updated")).macros
    assert len(commands) == 2


def test_contents_are_those_of_the_records(tmp_path: Path) -> None:
    """A file that is touched, and landed no second time, changes nothing; another record does."""
    source, zone = tmp_path / "source", tmp_path / "zone"
    file = source / "sparkify/log_data/2018/11/2018-11-01-events.json"
    file.parent.mkdir(parents=True)
    event = {"artist": None, "auth": "Logged In", "itemInSession": 0, "level": "free", "method": "GET", "page": "Home",
             "registration": 1.5e12, "sessionId": 1, "status": 200, "ts": 1541105830796, "userId": "1"}  # fmt: skip
    file.write_text(json.dumps(event) + "\n")
    land_all([source], str(zone))
    first = contents_of(open_folder(str(zone)), TABLES)
    file.touch()
    land_all([source], str(zone))
    assert contents_of(open_folder(str(zone)), TABLES) == first
    file.write_text(json.dumps({**event, "page": "NextSong"}) + "\n")
    land_all([source], str(zone))
    after = contents_of(open_folder(str(zone)), TABLES)
    assert {name for name in after if after[name] != first[name]} == {"staging_events"}


def test_of_the_ledger_a_node_reads_the_rows_that_its_fingerprint_knows(
    built_project: Callable[[str], DbtProject], manifest: Manifest
) -> None:
    """What fingerprints count on: a node of a product that reads the ledger says of which tables, each time."""
    compiled: dict[str, Any] = json.loads((built_project("sample").folder / "target/manifest.json").read_text())
    products = {source["source_name"] for source in compiled["sources"].values()} - {"loader"}
    read = 0
    for node in compiled["nodes"].values():
        if node["fqn"][1] not in products or not node.get("compiled_code"):
            continue
        code = node["compiled_code"]
        for found in re.finditer(r'"loader"\."(?:ledger|objects)"(?: as ledger)?\s+(?=(.{0,400}))', code, re.DOTALL):
            read += 1
            tables = re.match(r"where\s+(?:ledger\.)?table_name (?:=|in) (.*)", found[1], re.DOTALL)
            assert tables, f"{node['unique_id']} reads all of the ledger: {found[0]}"
            listed = tables[1].partition(")")[0] if tables[1].startswith("(") else tables[1].split()[0]
            assert set(re.findall(r"'(\w+)'", listed)) <= tables_read_in_ledgers(
                manifest.nodes[node["unique_id"]], manifest
            )
    assert read > 20


def test_a_fingerprint_of_a_unit_test_knows_no_records(manifest: Manifest) -> None:
    now = made_of(manifest)
    assert {now[key].inputs for key in manifest.unit_tests} == {""}
    assert replace(now[next(iter(manifest.unit_tests))], code="x") != now[next(iter(manifest.unit_tests))]
