"""This project, from raw files to its last test, by the loader and the unmodified adapter on the local endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from mypy_boto3_s3 import S3Client

from dbt_project import DbtProject, environment
from lakehouse.s3_prefix import forget_client
from lakehouse.sample import generate
from landing_helpers import land_all
from local_aws.redshift import LocalRedshift
from local_aws.redshift.testing import Connect, Connection, rows, run

pytestmark = pytest.mark.filterwarnings("ignore:ssl\\..*:DeprecationWarning")

SCALE = 0.1
DATASET = f"sample_x{SCALE}"
STORED = ("table", "incremental", "snapshot", "seed")


@dataclass(frozen=True)
class Built:
    """What came of a build."""

    outcome: RunExecutionResult
    manifest: Manifest


@pytest.fixture(scope="module")
def built(
    s3: S3Client, s3_endpoint_url: str, redshift: LocalRedshift, tmp_path_factory: pytest.TempPathFactory
) -> Built:
    folder = tmp_path_factory.mktemp("redshift_project")
    zone = "s3://lake/zone"
    settings = redshift.environment() | {
        "LANDING_ZONE": zone,
        "AWS_ENDPOINT_URL": s3_endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-west-2",
    }
    with environment(settings):
        forget_client()
        land_all([generate(folder / "raw", SCALE).to], zone)
        forget_client()
        project = DbtProject.copy(folder / "project", folder, DATASET)
        assert dbtRunner().invoke(["run-operation", "register_landing"], **options_of(project)).success
        runner = dbtRunner()
        outcome = runner.invoke(["build"], **options_of(project))
        parsed = runner.invoke(["parse"], **options_of(project)).result

    assert outcome.exception is None
    assert isinstance(outcome.result, RunExecutionResult)
    assert isinstance(parsed, Manifest)
    return Built(outcome.result, parsed)


def options_of(project: DbtProject) -> dict[str, Any]:
    return {
        "project_dir": str(project.folder),
        "profiles_dir": str(project.folder),
        "target": "redshift",
        "log_path": str(project.folder / "logs"),
        "quiet": True,
        "log_level": "none",
        "vars": {"dataset": DATASET},
    }


def test_every_model_and_every_test_of_the_project_passes(built: Built) -> None:
    failures = {r.node.name: r.message for r in built.outcome.results if r.status not in ("success", "pass")}
    assert not failures
    assert built.outcome.results


# The physical design --------------------------------------------------------------------------------------------------


def wanted_design(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the project says of a table: its distribution and its sort key. Nothing said, Redshift chooses."""
    dist, sort = config.get("dist") or "auto", config.get("sort") or []
    styles = {"all": "ALL", "even": "EVEN", "auto": "AUTO"}
    return {
        "style": styles.get(dist, f"KEY({dist})"),
        "distribution key": [] if dist in styles else [dist],
        "sort key": [sort] if isinstance(sort, str) else list(sort),
        "interleaved": config.get("sort_type") == "interleaved",
    }


@pytest.fixture(scope="module")
def wanted(built: Built) -> dict[str, dict[str, Any]]:
    """The design of every table of the project, by schema and name: models, seeds, and the landing tables."""
    manifest = built.manifest
    relations = [node for node in manifest.nodes.values() if node.resource_type is not NodeType.Operation]
    stored = [node for node in relations if node.config.materialized in STORED]
    designs = {
        f"{node.schema}.{node.alias}": wanted_design({**node.config._extra, **vars(node.config)}) for node in stored
    }
    # docs/landing.md: landing tables lie evenly, the list of what was copied on every node
    for source in manifest.sources.values():
        if source.name == "built_from":  # a view of constants
            continue
        is_list = (source.source_name, source.name) == ("loader", "objects")
        designs[f"{source.schema}.{source.identifier}"] = wanted_design({"dist": "all" if is_list else "even"})
    return designs


@pytest.fixture(scope="module")
def found(built: Built, connect: Connect, wanted: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The design of every table that there is. SVV_TABLE_INFO leaves the empty ones out, SHOW TABLES does not."""
    designs = {}
    with connect() as connection:
        for schema in sorted({name.split(".")[0] for name in wanted}):
            for table in records(connection, f"show tables from schema {schema}"):
                if table["table_type"] == "VIEW":
                    continue
                columns = records(connection, f"show columns from table {schema}.{table['table_name']}")
                sort_key = sorted((abs(c["sort_key_order"]), c["column_name"]) for c in columns if c["sort_key_order"])
                designs[f"{schema}.{table['table_name']}"] = {
                    "style": table["dist_style"].split("(ALL)")[0],
                    "distribution key": [column["column_name"] for column in columns if column["is_dist_key"]],
                    "sort key": [name for _, name in sort_key],
                    "interleaved": any(column["sort_key_order"] < 0 for column in columns),
                }
    return designs


def records(connection: Connection, statement: str) -> list[dict[str, Any]]:
    """The rows that a statement gives, by the names of its columns."""
    cursor = run(connection, statement)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_every_table_has_the_design_that_the_project_gives_it(
    wanted: Mapping[str, dict[str, Any]], found: Mapping[str, dict[str, Any]]
) -> None:
    assert found == wanted
    assert {design["style"] for design in wanted.values()} >= {"ALL", "EVEN", "AUTO", "KEY(start_time)"}


# "Compression encodings": what Redshift gives a column of a table for which the project names no encoding
AZ64 = ("smallint", "integer", "bigint", "numeric", "date", "timestamp", "time")
LZO = ("character",)


def test_every_column_has_the_encoding_that_redshift_gives_it(
    connect: Connect, wanted: Mapping[str, dict[str, Any]]
) -> None:
    query = "select schema_name, table_name, column_name, data_type, encoding from svv_redshift_columns"
    with connect() as connection:
        found = {(f"{schema}.{table}", column): told for schema, table, column, *told in rows(connection, query)}
    assert {table for table, _ in found} >= set(wanted)
    for (table, column), (data_type, encoding) in found.items():
        if table in wanted:
            is_raw = column in wanted[table]["sort key"]
            kinds = {"az64": AZ64, "lzo": LZO}
            of_type = [name for name, types in kinds.items() if str(data_type).startswith(types)]
            assert [encoding] == (["none"] if is_raw or not of_type else of_type), (table, column)


def test_what_is_shown_of_tables_with_rows_agrees(connect: Connect, wanted: Mapping[str, dict[str, Any]]) -> None:
    """SVV_TABLE_INFO, which is what most people look at."""
    with connect() as connection:
        shown = records(connection, "select * from svv_table_info")
    told = [table for table in shown if f"{table['schema']}.{table['table']}" in wanted]
    assert told
    for table in told:
        design = wanted[f"{table['schema']}.{table['table']}"]
        assert table["diststyle"].split("(ALL)")[0] == design["style"]
        assert table["sortkey_num"] == len(design["sort key"])
        assert table["sortkey1"] == (design["sort key"] or ["AUTO(SORTKEY)"])[0]
        assert table["encoded"] == "Y, AUTO(ENCODE)"
        assert table["stats_off"] == 0
