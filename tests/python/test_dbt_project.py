"""The project as a whole: it builds on every data set, keeps its own rules, and is valid SQL on every engine."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dbt_project import DbtProject, copy_dbt_files, locked
from landing_helpers import land_all
from real_data import PROJECT_DIR, SMALL_FILES, UDACITY, needs_real_data

BIN = Path(sys.executable).parent
CONFIG_KEYS = {
    "dbt": {"materialized", "schema", "contract", "alias", "column_types", "docs", "grants", "meta", "post-hook"},
    "dbt's governance": {"access", "group", "persist_docs"},
    "dbt's increments": {"on_schema_change", "unique_key"},
    "dbt's snapshots": {"strategy", "check_cols", "hard_deletes"},
    "redshift": {"dist", "sort"},
    "athena": {"table_type", "format", "s3_data_naming", "s3_data_dir"},
}

BuiltProject = Callable[[str], DbtProject]


def manifest_of(project: DbtProject) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project.folder / "target" / "manifest.json").read_text())
    return content


def call(*command: str | Path, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs one of the tools with no more environment than it needs."""
    settings = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(cwd), "COLUMNS": "200", **environment}
    return subprocess.run([*map(str, command)], cwd=cwd, env=settings, capture_output=True, text=True, check=False)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Runs a tool that must succeed, and gives what it printed."""
    done = call(*command, cwd=cwd, **environment)
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def refused(*command: str | Path, cwd: Path) -> str:
    """Runs a tool that must not succeed, and gives what it printed."""
    done = call(*command, cwd=cwd)
    assert done.returncode != 0, f"{command[0]} succeeded:\n{done.stdout}"
    return done.stdout + done.stderr


# ---------------------------------------------------------------------------------------------------- it builds
@pytest.mark.parametrize("dataset", ["sample", pytest.param("udacity", marks=needs_real_data)])
def test_the_key_of_a_play_stays_what_it_was(built_project: BuiltProject, dataset: str) -> None:
    """Others may have kept it: the MD5 of session and item, with a bar between them."""
    plays = built_project(dataset).query("select songplay_id, session_id, item_in_session from sparkify.songplays")
    assert plays
    for key, session, item in plays:
        assert key == hashlib.md5(f"{session}|{item}".encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("dataset", ["sample", pytest.param("udacity", marks=needs_real_data)])
def test_everything_is_built_and_passes(built_project: BuiltProject, dataset: str) -> None:
    """The fixture checks the statuses; here, that the counts were asserted at all."""
    project = built_project(dataset)
    results = json.loads((project.folder / "target" / "run_results.json").read_text())["results"]
    names = [node["name"] for node in manifest_of(project)["nodes"].values()]
    counted = [name for name in names if "expected_row_count_" in name]
    assert len(counted) == 5 + 20
    assert results


@needs_real_data
def test_a_song_that_two_sources_give_counts_once(tmp_path: Path) -> None:
    project = landed_project(tmp_path, [UDACITY, SMALL_FILES], "both")
    statuses = project.dbt("build", "--select", "+songs +artists", "--indirect-selection", "cautious")
    assert set(statuses.values()) <= {"success", "pass"}
    assert project.rows("sparkify_landing.staging_songs") == 14_896 + 1_944
    assert project.rows("sparkify.songs") == 14_896
    assert project.rows("sparkify.artists") == 9_553


@needs_real_data
def test_songs_alone_are_enough(tmp_path: Path) -> None:
    """A source that has nothing for a table leaves it empty, and everything still builds."""
    project = landed_project(tmp_path, [SMALL_FILES], "small_files")
    statuses = project.dbt("build", "--exclude", "test_type:unit")
    assert set(statuses.values()) <= {"success", "pass"}
    assert project.rows("sparkify.songs") == 1_944
    assert project.rows("stedi.machine_learning_curated") == 0


COUNTING = ("test_name:expected_row_count", "test_name:answers_its_question", "assert_expected_measures")


def test_counts_are_asserted_by_the_name_that_the_database_knows(built_project: BuiltProject, tmp_path: Path) -> None:
    """Whoever calls dbt: of data with another name nothing is asserted, nor of data of which people were erased."""
    built = built_project("sample")
    project = DbtProject(tmp_path / "project", built.zone, "mine")
    shutil.copytree(built.folder, project.folder)
    with duckdb.connect(str(project.database)) as connection:
        connection.execute("update expectations.expected_row_counts set rows = rows + 1")
        connection.execute("update expectations.expected_measures set expected = expected + 1")
        connection.execute("update expectations.expected_answers set artist_name = 'x', user_name = 'x'")

    def counted() -> set[str]:
        statuses = project.dbt("test", "--select", *COUNTING)
        assert len(statuses) > 20
        return set(statuses.values())

    assert counted() == {"fail"}
    for told in ({"dataset": "mine"}, {"dataset": "sample", "has_known_counts": False}):
        assert project.dbt("run-operation", "register_landing", "--args", json.dumps(told)) == {}
        assert counted() == {"pass"}
    assert project.register() == {}
    assert project.dbt("run-operation", "register_landing", "--args", json.dumps({"dataset": "sample"})) == {}
    assert project.dbt("run-operation", "register_landing") == {}  # by hand: it stays what it was
    assert counted() == {"fail"}


def landed_project(folder: Path, sources: list[Path], dataset: str) -> DbtProject:
    zone = folder / "zone"
    land_all(sources, zone)
    project = DbtProject.copy(folder / "project", zone, dataset)
    project.register()
    return project


# ------------------------------------------------------------------------------------------- what the reader sees
def test_leftovers_of_a_killed_load_are_not_read(tmp_path: Path) -> None:
    source = tmp_path / "source" / "stedi/customer/landing"
    source.mkdir(parents=True)
    record = {
        "email": "a@test.com",
        "serialNumber": "D1",
        "registrationDate": 1_655_564_400_000,
        "lastUpdateDate": 1_655_564_400_000,
    }
    (source / "customers.json").write_text(json.dumps(record))
    project = landed_project(tmp_path, [tmp_path / "source"], "sample")
    landed = next((project.zone / "customer/landing").glob("*.json.gz"))
    shutil.copy(landed, landed.with_name("leftover.json.gz"))
    assert project.rows("stedi_landing.customer_landing") == 1


@pytest.mark.quick
def test_consent_is_read_in_three_models_and_the_record_that_decides_chosen_in_one(built_project: BuiltProject) -> None:
    nodes = manifest_of(built_project("sample"))["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model"]
    readers = {
        node["name"] for node in models if re.search(r"share_with_research_as_of_date (is |<=)", node["raw_code"])
    }
    assert readers == {"int_stedi__customer_records", "int_stedi__consent_periods", "customer_trusted"}
    landed = readers_of(models, "source.lakehouse.stedi.customer_landing")
    assert landed == {"stg_stedi__customers", "stg_stedi__check_decided", "stg_stedi__check_consenting"}
    # what the tests compare with is read by no model but their own
    assert readers_of(models, "model.lakehouse.stg_stedi__check_decided") == {"int_stedi__check_lapses"}
    assert readers_of(models, "model.lakehouse.stg_stedi__check_consenting") == set()
    assert readers_of(models, "model.lakehouse.int_stedi__check_lapses") == set()
    [lapses] = [model for model in models if model["name"] == "int_stedi__check_lapses"]
    assert lapses["depends_on"]["nodes"] == ["model.lakehouse.stg_stedi__check_decided"]
    # of the records of a moment one decides, for who consents and for when
    assert readers_of(models, "model.lakehouse.stg_stedi__customers") == {"int_stedi__customer_records"}


def readers_of(models: Iterable[dict[str, Any]], node: str) -> set[str]:
    return {model["name"] for model in models if node in model["depends_on"]["nodes"]}


@pytest.mark.quick
def test_v2_and_v3_name_nobody(built_project: BuiltProject) -> None:
    project = built_project("sample")
    columns = {column for (column, *_) in project.query("describe stedi.machine_learning_curated_v2")}
    assert columns == {"customer_pseudonym", "age_band", "reading_time", "distance_from_object", "x", "y", "z"}
    columns = {column for (column, *_) in project.query("describe stedi.machine_learning_curated_v3")}
    assert columns == {
        "release_pseudonym", "age_band", "session_number", "session_time_ms", "distance_from_object", "x", "y", "z",
    }  # fmt: skip
    personal = project.query("""
        with known as (
            select unnest([email, customername, phone, birthday, serialnumber]) as value
            from stedi_landing.customer_landing
        )
        select * from stedi.machine_learning_curated_v2
        where customer_pseudonym in (select value from known)
    """)
    assert personal == []


# --------------------------------------------------------------------------------------------- its own rules
@pytest.mark.quick
def test_layer_rules_hold(built_project: BuiltProject) -> None:
    project = built_project("sample")
    report = run("dbt-bouncer", "run", "--config-file", bouncer_config(project), cwd=project.folder)
    assert "All checks passed" in report


def test_layer_rules_are_enforced(built_project: BuiltProject, tmp_path: Path) -> None:
    """A mart that reads raw data, and one of the other domain, is refused."""
    project = DbtProject.copy(tmp_path / "project", built_project("sample").zone, "sample")
    mart = project.folder / "models/sparkify/marts/songs.sql"
    mart.write_text(
        "select * from {{ source('sparkify', 'staging_songs') }} inner join {{ ref('customer_trusted') }} on true"
    )
    project.dbt("parse")
    shutil.copy(built_project("sample").folder / "target/catalog.json", project.folder / "target")
    report = refused("dbt-bouncer", "run", "--config-file", bouncer_config(project), cwd=project.folder)
    assert "check_lineage_source_cannot_be_used" in report
    assert "check_lineage_permitted_upstream" in report


def bouncer_config(project: DbtProject) -> Path:
    config = project.folder / "dbt-bouncer.yml"
    shutil.copyfile(PROJECT_DIR / "dbt-bouncer.yml", config)
    return config


def test_every_column_is_documented(built_project: BuiltProject, tmp_path: Path) -> None:
    project = built_project("sample")
    report = run(
        "dbt-coverage",
        "compute",
        "doc",
        "--cov-fail-under",
        "1.0",
        "--cov-report",
        tmp_path / "coverage.json",
        cwd=project.folder,
    )
    assert "100.0%" in report


@pytest.mark.quick
def test_everything_is_described(built_project: BuiltProject) -> None:
    manifest = manifest_of(built_project("sample"))
    own = [macro for macro in manifest["macros"].values() if macro["package_name"] == "lakehouse"]
    nodes = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] in {"model", "seed"} or node["name"].startswith("assert_")
    ]
    described = [*own, *nodes, *manifest["sources"].values(), *manifest["unit_tests"].values()]
    assert [thing["unique_id"] for thing in described if not thing["description"].strip()] == []


def test_no_config_key_is_misspelt(built_project: BuiltProject) -> None:
    """Stands for dbt's own check, which takes Athena's keys for misspelt ones on Redshift (see dbt_project.yml)."""
    known = set().union(*CONFIG_KEYS.values())
    for node in manifest_of(built_project("sample"))["nodes"].values():
        if node["resource_type"] in {"model", "seed", "snapshot"}:
            assert set(node["unrendered_config"]) <= known, node["unique_id"]


@pytest.mark.quick
def test_seeds_name_every_published_relation(built_project: BuiltProject) -> None:
    published = {
        node["alias"]
        for node in manifest_of(built_project("sample"))["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["contract"]["enforced"]
        if node["schema"] != "stedi_privacy"  # what is told of the relations that are counted
        if node["alias"] not in {"sensor_pairs_curated", "age_bands_curated"}  # what v2 and v3 are made of
        if not node["alias"].endswith(("_figures", "_event_days"))  # a row a metric, and a row a kind of record
        if node["alias"] != "consent_hourly"  # of hours in which something changed; the last landing decides on which
    } | {"consent_periods_snapshot"}
    rows = (PROJECT_DIR / "seeds/expected_row_counts.csv").read_text().splitlines()[1:]
    for dataset in ("sample", "udacity"):
        counted = {row.split(",")[1] for row in rows if row.startswith(f"{dataset},")}
        assert counted >= published


# -------------------------------------------------------------------------------------------- on the other engines
@pytest.fixture(scope="session")
def compiled_for(shared_folder: Path) -> Callable[[str], Path]:
    """Gives the project as dbt compiled it for an engine, without one and without credentials; once for all workers."""

    def compiled(target: str) -> Path:
        folder = shared_folder / f"compiled_for_{target}"
        with locked(folder.with_suffix(".lock")):
            if not (folder / "printed.txt").exists():
                shutil.rmtree(folder, ignore_errors=True)
                copy_dbt_files(folder)
                offline = ("--project-dir", folder, "--profiles-dir", folder, "--target", target)
                printed = run("dbt", "compile", "--no-introspect", "--no-populate-cache", *offline, cwd=folder)
                (folder / "printed.txt").write_text(printed)
        return folder

    return compiled


@pytest.mark.quick
@pytest.mark.parametrize("target", ["redshift", "athena"])
def test_models_parse_and_compile_offline(compiled_for: Callable[[str], Path], target: str) -> None:
    """With what profiles.example.yml gives and no credentials."""
    folder = compiled_for(target)
    assert "deprecat" not in (folder / "printed.txt").read_text().lower()
    assert len(compiled_models(folder)) == len(list((PROJECT_DIR / "models").rglob("*.sql")))


def compiled_models(folder: Path) -> list[Path]:
    """The models' SQL, without that of their tests."""
    models = folder / "target/compiled/lakehouse/models"
    return [path for path in models.rglob("*.sql") if not path.parent.name.endswith(".yml")]


@pytest.mark.parametrize("target", ["redshift", "athena"])
def test_what_is_compiled_is_the_engines_sql(compiled_for: Callable[[str], Path], target: str, tmp_path: Path) -> None:
    """By sqlfluff's grammar of the engine."""
    folder = compiled_for(target)
    config = tmp_path / "engine.sqlfluff"
    config.write_text(f"[sqlfluff]\ndialect = {target}\ntemplater = raw\nlarge_file_skip_byte_limit = 0\n")
    run(
        "sqlfluff",
        "lint",
        "--ignore-local-config",
        "--config",
        config,
        "--exclude-rules",
        # rendered macros are not laid out, dbt writes in upper case, one test joins only to count, and not every engine
        # has UNION DISTINCT; see .sqlfluff
        "layout,capitalisation,structure.unused_join,structure.column_order,references.keywords,references.quoting,"
        "ambiguous.union",
        *compiled_models(folder),
        folder / "target/compiled/lakehouse/tests/dbt",
        cwd=tmp_path,
    )


@pytest.mark.quick
def test_no_text_is_cut_on_redshift(compiled_for: Callable[[str], Path]) -> None:
    """TEXT and VARCHAR have 256 bytes there: docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html."""
    short = re.compile(r"(\bas\s+|::\s*)(text|(n?varchar|character varying)(?!\s*\())\b", re.IGNORECASE)
    compiled = [
        *compiled_models(compiled_for("redshift")),
        *(compiled_for("redshift") / "target/compiled/lakehouse/tests/dbt").rglob("*.sql"),
    ]
    assert compiled
    assert short.search("cast(x as TEXT)")
    assert short.search("cast(x as varchar)")
    assert not short.search("cast(x as varchar(65535))")
    assert [path.name for path in compiled if short.search(path.read_text())] == []


@pytest.mark.parametrize("target", ["redshift", "athena"])
def test_every_dialect_is_written(target: str) -> None:
    """Each dispatching macro has an implementation for each engine, and a default that raises."""
    files = (PROJECT_DIR / "macros/cross_db").glob("*.sql")
    macros = re.findall(r"macro (\w+)\(", "".join(path.read_text() for path in files))
    dispatched = [name for name in macros if f"default__{name}" in macros]
    assert dispatched
    not_yet = {"register_landing_table"}  # its dialects come with the loaders of these engines
    missing = [name for name in dispatched if f"{target}__{name}" not in macros and name not in not_yet]
    assert missing == []


@pytest.mark.quick
def test_profile_takes_everything_from_the_environment() -> None:
    outputs = yaml.safe_load((PROJECT_DIR / "profiles.example.yml").read_text())["lakehouse"]["outputs"]
    for name in ("redshift", "athena"):
        secret = {
            key: value for key, value in outputs[name].items() if key in {"password", "user", "host", "s3_data_dir"}
        }
        assert all("env_var(" in value for value in secret.values())
