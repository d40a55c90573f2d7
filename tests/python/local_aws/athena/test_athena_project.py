"""This project, from raw files to its last test, by the loader and the unmodified adapter on the local endpoint."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyiceberg.table import StaticTable

from dbt_local_aws.testing.athena import Client
from dbt_local_aws.testing.lake_contents import everything_below
from iam import missing, rights_for, rights_of
from lakehouse.environment import variables
from lanes import on_engines
from warehouses import ask_athena
from whole_run import (
    EMPTY,
    MODELS,
    PERSON,
    RUNS,
    SNAPSHOT,
    WholeRun,
    assert_a_day_of_events_builds_sparkify_alone,
    assert_a_person_is_erased,
    assert_everything_passed,
    assert_examples_have_answers,
    assert_nothing_is_done_again,
    assert_rows_are_those_of_duckdb,
)

BOUND = 16
"""How many characters of a text Iceberg's statistics keep of a bound."""
HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"

# Where each published relation lies below the data's place, as the S3 layout of the two products has it.
LAYOUT = {
    "customer/trusted": {"customer_trusted"},
    "customer/curated": {"customer_curated"},
    "accelerometer/trusted": {"accelerometer_trusted"},
    "step_trainer/trusted": {"step_trainer_trusted"},
    "step_trainer/curated": {
        "sensor_pairs_curated", "age_bands_curated", "machine_learning_curated", "machine_learning_curated_v2",
        "machine_learning_curated_v3",
    },
    "sparkify/marts": {
        "songplays", "users", "songs", "artists", "time", "user_level_history", "songs_by_session_item",
        "songs_by_user_session", "users_by_song", "events", "sessions", "user_activity_daily", "dates",
    },
    "customer/landing": {"customer_landing"},
    "accelerometer/landing": {"accelerometer_landing"},
    "step_trainer/landing": {"step_trainer_landing"},
    "customer/identities": {"customer_identities"},
    "customer/release_pseudonyms": {"release_pseudonyms"},
    "customer/suspensions": {"customer_suspensions"},
    "customer/withdrawals": {"customer_withdrawals"},
    "step_trainer/device_owners": {"device_owners"},
    "step_trainer/step_claims": {"step_claims"},
    "customer/privacy": {
        "consent_history", "published_anonymity", "reidentification_risk", "machine_learning_dictionary",
        "consent_periods_snapshot",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Build:
    """What a run of the project left behind.

    Attributes:
        run: The run.
        data: Where the models' data lie.
        clients: To look at them with.
    """

    run: WholeRun
    data: str
    clients: Client

    def keys(self, location: str) -> list[str]:
        """The objects below a place in S3."""
        bucket, prefix = location.removeprefix("s3://").split("/", 1)
        pages = self.clients.s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix.rstrip("/") + "/"
        )
        return [f"s3://{bucket}/{item['Key']}" for page in pages for item in page.get("Contents", [])]

    def iceberg(self, table: dict[str, Any]) -> StaticTable:
        """An Iceberg table of Glue's as PyIceberg reads it."""
        return StaticTable.from_metadata(
            table["Parameters"]["metadata_location"],
            {
                "s3.endpoint": os.environ["AWS_ENDPOINT_URL"],
                "s3.region": os.environ["AWS_REGION"],
                "s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"],
                "s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"],
            },
        )

    def read(self, uri: str) -> bytes:
        """An object's content."""
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        return self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def objects_that_hold(self, *values: str) -> list[str]:
        """The keys of the lake's objects that hold one of the values, however packed: not the eraser's search."""
        forms = [value.casefold()[:BOUND] for value in values]
        bucket, _, prefix = self.data.removeprefix("s3://").partition("/")
        contents = everything_below(self.clients.s3, bucket, os.environ, prefix.partition("/")[0])
        return [key for key, content in contents if any(form in content.casefold() for form in forms)]


@pytest.fixture(scope="module")
def build(athena_run: WholeRun, clients: Client) -> Build:
    """What the session's run left behind."""
    return Build(athena_run, athena_run.settings["ATHENA_S3_DATA_DIR"], clients)


pytestmark = [on_engines, pytest.mark.filterwarnings("ignore")]  # warnings are of dbt and its adapter


def test_the_whole_way_of_the_data_passes(build: Build) -> None:
    assert_everything_passed(build.run)


def test_the_run_is_on_record(build: Build) -> None:
    assert [[str(value) for value in row] for row in build.clients.rows(RUNS)] == [
        ["done", str(len(build.run.nodes(*MODELS, "seed")))]
    ]


def test_rows_are_those_of_duckdb(build: Build, tmp_path: Path) -> None:
    assert_rows_are_those_of_duckdb(build.run, tmp_path)


def test_the_examples_in_the_descriptions_have_answers(build: Build) -> None:
    with variables(build.run.settings):
        assert_examples_have_answers(build.run, ask_athena)


# -------------------- physical design


@dataclass(frozen=True)
class Physical:
    """What a table is, by the catalogue and by its objects.

    Attributes:
        kind: iceberg, hive or view.
        location: Its folder; of one that dbt-athena gives a name of its own, the folder above.
        format: What the files are by their own bytes.
        compression: What they are compressed with.
        partitions: The columns that divide it.
        serde: What reads it, unless that is Iceberg.
    """

    kind: str
    location: str = ""
    format: str = ""
    compression: str = ""
    partitions: tuple[str, ...] = ()
    serde: str = ""


def _glue_tables(clients: Client, schemas: set[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for schema in schemas:
        for page in clients.glue.get_paginator("get_tables").paginate(DatabaseName=schema):
            found |= {f"{schema}.{table['Name']}": dict(table) for table in page["TableList"]}
    return found


def _file_format(contents: list[bytes], folder: Path) -> tuple[str, str]:
    """Format and compression of all files together, from their bytes; neither where there is no file."""
    if not contents:
        return "", ""
    found = set()
    for content in contents:
        if content[:4] == content[-4:] == b"PAR1":
            (folder / "file").write_bytes(content)
            codecs = duckdb.execute("select distinct compression from parquet_metadata(?)", [str(folder / "file")])
            found |= {("parquet", str(codec).lower()) for (codec,) in codecs.fetchall()}
        elif content[:2] == b"\x1f\x8b":
            found.add(("text", "gzip"))
        else:
            found.add(("text", "none"))
    assert len(found) == 1, found
    return found.pop()


def _physical(build: Build, table: dict[str, Any], folder: Path) -> Physical:
    if table["TableType"] == "VIRTUAL_VIEW":
        return Physical("view")
    location = table["StorageDescriptor"]["Location"].rstrip("/")
    parameters = table.get("Parameters", {})
    if parameters.get("table_type") == "ICEBERG":
        metadata = build.iceberg(table)
        files = [task.file.file_path for task in metadata.scan().plan_files()]
        assert sorted(files) == sorted(build.keys(f"{location}/data"))
        assert parameters["metadata_location"].startswith(f"{location}/metadata/")
        partitions = tuple(field.name for field in metadata.spec().fields)
        serde, kind = "", "iceberg"
    else:
        files = build.keys(location)
        partitions = tuple(key["Name"] for key in table.get("PartitionKeys", []))
        serde, kind = table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"], "hive"
    shape = _file_format([build.read(file) for file in files], folder)
    # table_unique, dbt-athena's naming here: a folder for the table, and one of no meaning for this making of it
    unique = re.fullmatch(rf"(.*/{table['Name']})/[0-9a-f-]{{36}}", location)
    return Physical(kind, unique[1] if unique else location, *shape, partitions, serde)


def _expected_of_models(build: Build) -> dict[str, Physical]:
    """By dbt's manifest, which is what dbt_project.yml comes to."""
    found = {}
    for node in build.run.nodes("model", "snapshot", "seed"):
        config = node["config"]
        assert config["materialized"] in ("table", "incremental", "snapshot", "seed")
        assert config["s3_data_naming"] == "table_unique"
        found[f"{node['schema']}.{node['alias']}"] = Physical(
            config["table_type"],
            f"{config['s3_data_dir']}/{node['alias']}",
            config["format"],
            config.get("write_compression", "zstd"),  # Athena's default for Iceberg, gzip for Hive
            tuple(config.get("partitioned_by", ())),
        )
    return found


def _expected_of_sources(build: Build) -> dict[str, Physical]:
    """By the sources' YAML: a table over the loader's objects, and a view before it that the ledger decides."""
    found = {"loader.objects": Physical("view"), "loader.built_from": Physical("view")}
    for name in ("runs", "run_relations", "built_with"):
        found[f"loader.{name}"] = Physical("iceberg", f"{build.data}/loader/{name}", "parquet", "zstd")
    for source in build.run.manifest["sources"].values():
        if f"loader.{source['identifier']}" in found:
            continue
        meta = source["config"]["meta"]
        files = Physical(
            "hive",
            f"{build.run.zone}/{meta['landing_folder']}",
            "text",
            "gzip",
            serde=HIVE_JSON,
        )
        name = f"{source['schema']}.{source['identifier']}"
        if source["identifier"] == "ledger":
            found[name] = replace(files, compression="none")
        else:
            found |= {name: Physical("view"), f"{name}__files": files}
    return found


def test_every_relation_is_what_the_project_says(build: Build, tmp_path: Path) -> None:
    expected = _expected_of_models(build) | _expected_of_sources(build)
    tables = _glue_tables(build.clients, {name.split(".")[0] for name in expected})
    assert tables.keys() == expected.keys()
    made = {name: _physical(build, table, tmp_path) for name, table in tables.items()}
    without_rows = {name for name, physical in made.items() if physical.kind != "view" and not physical.format}
    assert without_rows <= EMPTY
    assert made == {
        name: replace(physical, format="", compression="") if name in without_rows else physical
        for name, physical in expected.items()
    }


def test_pyiceberg_reads_every_iceberg_table(build: Build) -> None:
    """And finds as many rows as Trino: what a build makes is real Iceberg, not this endpoint's idea of it."""
    schemas = {node["schema"] for node in build.run.nodes("model", "snapshot")}
    tables = {
        name: table
        for name, table in _glue_tables(build.clients, schemas).items()
        if table.get("Parameters", {}).get("table_type") == "ICEBERG"
    }
    assert tables
    counted = " union all ".join(f"select '{name}', count(*) from {name}" for name in tables)  # noqa: S608 - names of ours
    in_trino = {name: int(str(count)) for name, count in build.clients.rows(counted)}
    assert {name: build.iceberg(table).scan().to_arrow().num_rows for name, table in tables.items()} == in_trino


def test_relations_lie_where_the_layout_has_them(build: Build) -> None:
    tables = _glue_tables(build.clients, {"stedi", "sparkify", "stedi_landing", "stedi_privacy"})
    locations = {
        name.split(".")[1].removesuffix("__files"): table["StorageDescriptor"]["Location"]
        for name, table in tables.items()
        if table["TableType"] != "VIRTUAL_VIEW"
    }
    found: dict[str, set[str]] = {}
    for name, location in locations.items():
        place = location.removeprefix(f"{build.data}/").removeprefix(f"{build.run.zone}/")
        found.setdefault("/".join(place.split("/")[:2]), set()).add(name)
    assert found == LAYOUT


def test_parts_are_read_in_folders_of_any_name_and_no_catalogue_lists_these(build: Build) -> None:
    tables = _glue_tables(build.clients, {"sparkify_landing", "stedi_landing", "loader"})
    assert not [name for name, table in tables.items() if table.get("PartitionKeys")]
    files = tables["sparkify_landing.staging_events__files"]
    assert any("/part=" in key for key in build.keys(files["StorageDescriptor"]["Location"]))
    assert not [key for key in files.get("Parameters", {}) if key.startswith("projection.")]


def test_landing_tables_have_the_declared_columns(build: Build) -> None:
    types = {"integer": "int", "double precision": "double"}
    tables = _glue_tables(build.clients, {source["schema"] for source in build.run.manifest["sources"].values()})
    for source in build.run.manifest["sources"].values():
        name = f"{source['schema']}.{source['identifier']}"
        declared = {
            column["name"].lower(): "string"
            if column["data_type"].startswith("varchar")
            else types.get(column["data_type"], column["data_type"])
            for column in source["columns"].values()
        }
        assert _columns(tables[name]) == declared, name
        if files := tables.get(f"{name}__files"):
            assert _columns(files) == {column: kind for column, kind in declared.items() if column != "landed_at"}, name


def _columns(table: dict[str, Any]) -> dict[str, str]:
    """A table's columns; texts as views have them."""
    return {
        column["Name"]: "string" if column["Type"].startswith("varchar") else column["Type"]
        for column in table["StorageDescriptor"]["Columns"]
    }


def test_a_second_run_builds_nothing_and_a_day_of_events_nothing_of_stedi(build: Build) -> None:
    assert_nothing_is_done_again(build.run)
    with variables(build.run.settings):
        assert_a_day_of_events_builds_sparkify_alone(build.run, ask_athena)


def test_a_person_is_erased_from_the_whole_lake(build: Build) -> None:
    """The last test of what the build made. Read with PyArrow and PyIceberg: data files of every snapshot, metadata,
    manifests with their bounds, orphans, results of queries, the landing zone.
    """
    with variables(build.run.settings):
        ((email, pseudonym),) = ask_athena(PERSON)
        before = _glue_tables(build.clients, {"stedi_privacy"})[SNAPSHOT]["StorageDescriptor"]["Location"]
        begins = (
            "select count(distinct email) from stedi_landing.customer_landing where starts_with(lower(email), '{}')"
        )
        assert ask_athena(begins.format(email[:BOUND].lower())) == [["1"]], "another one's name begins with the same"
        held = build.objects_that_hold(email, pseudonym)
        assert_a_person_is_erased(build.run, ask_athena, email, pseudonym)
    kinds = {key.split("/")[1] for key in held} | {key.rpartition(".")[2] for key in held}
    assert {"landing", "lake", "results", "parquet", "avro", "csv"} <= kinds
    assert build.objects_that_hold(email, pseudonym) == []
    after = _glue_tables(build.clients, {"stedi_privacy"})[SNAPSHOT]["StorageDescriptor"]["Location"]
    assert build.keys(before) == []
    assert build.keys(after) != []


# -------------------- the roles of infra/lakehouse.yaml, by all that the run and the erasure have asked

TRINO_ALONE = {
    "glue:DeleteColumnStatisticsForPartition",
    "glue:DeleteColumnStatisticsForTable",
    "glue:GetColumnStatisticsForPartition",
    "glue:GetColumnStatisticsForTable",
    "glue:UpdateColumnStatisticsForPartition",
    "glue:UpdateColumnStatisticsForTable",
}
"""Of Trino's statistics; what Athena asks of Glue: athena/latest/ug/fine-grained-access-to-glue-resources.html."""
NOT_SEEN = {
    "athena:GetDataCatalog": "dbt-athena asks it of catalogues of another name than the profile's",
    "athena:StopQueryExecution": "Ctrl-C stops what runs",
    "glue:CreateDatabase": "register_landing makes schemas that are missing",
    "glue:CreateTable": "every model",
    "glue:DeleteTable": "every model replaces one",
    "glue:DeleteTableVersion": "dbt-athena expires versions of tables (versions_to_keep)",
    "glue:GetDatabase": "Athena asks for it before a table is made",
    "glue:GetPartition": "Athena asks for it in partitioned Hive tables",
    "glue:GetPartitions": "Athena asks for it in partitioned Hive tables",
    "glue:GetTableVersions": "dbt-athena expires versions of tables (versions_to_keep)",
    "glue:UpdateTable": "a rename, and every change of an Iceberg table",
    "s3:AbortMultipartUpload": "Athena writes large files in parts, and the eraser gives up unfinished uploads",
    "s3:GetBucketLocation": "Athena asks it of the bucket of results: athena/latest/ug/security-iam-athena.html",
    "s3:ListMultipartUploadParts": "Athena writes large files in parts",
    "secretsmanager:GetSecretValue": "whoever starts it fetches PSEUDONYM_KEY by it",
}
"""Rights that a role has though no run at this size used them, each with its reason."""


def test_the_roles_may_do_what_was_asked_and_nothing_else(build: Build, recorded_requests: Path) -> None:
    """By dbt, by Athena's engine in its name, and by the loader and the eraser, which call themselves lakehouse."""
    asked = [json.loads(line) for line in recorded_requests.read_text().splitlines()]
    place = f"{build.clients.bucket}/project"
    of_dbt: set[tuple[str, str, str]] = set()
    of_lakehouse: set[tuple[str, str, str]] = set()
    for one in asked:
        if one["service"] == "s3" and not one["resource"].startswith(place):
            continue  # of other tests, which share the endpoint
        what = (one["service"], one["operation"], one["resource"].removeprefix(place).strip("/"))
        if "lakehouse" in one["agent"]:
            of_lakehouse.add(what)
        elif any(name in one["agent"] for name in ("dbt-athena", "local-athena", "aws-sdk-java")):
            of_dbt.add(what)
    assert {operation for _, operation, _ in of_lakehouse} >= {"PutObject", "ListObjectVersions", "GetTables"}
    transformer, eraser = rights_of("TransformerRole"), rights_of("EraserRole")
    denied = missing(transformer, of_dbt)
    assert [what for what in denied if what.rpartition(" ")[2] not in TRINO_ALONE] == []
    assert missing(eraser, of_lakehouse) == []
    for rights, of_both in ((transformer, of_dbt), (eraser, of_dbt | of_lakehouse)):
        used = {action for service, operation, _ in of_both for action in rights_for(service, operation)}
        assert rights.actions - used - NOT_SEEN.keys() == set()
