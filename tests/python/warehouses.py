"""The project on an engine that a test may fill, build, ask and break: DuckDB, and the adapters' local endpoints."""

import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import duckdb
import pytest
import redshift_connector
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import cleanup_connections
from dbt.cli.main import dbtRunner

from dbt_local_aws.process import running
from dbt_local_aws.pytest_plugin import why_there_is_no_trino
from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_project import environment
from lakehouse.pipeline.aws_clients import share_descriptions
from lakehouse.storage.s3 import forget_client
from landing_helpers import TABLES, land_all
from real_data import PROJECT_DIR

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LANDING_TABLES = {
    name: f"{table.source_name}_landing.{name}" for name, table in TABLES.items() if table.source_name != "loader"
}


@dataclass
class Warehouse:
    """An engine, and the landing zone that it reads.

    Attributes:
        target: The output of profiles.example.yml.
        zone: On S3; for DuckDB a folder.
        folder: Of the test's own.
        target_folder: Of dbt; tests that share one have the project parsed once.
        messages: What dbt said.
    """

    target: str
    zone: str
    folder: Path
    target_folder: Path
    messages: list[str] = field(default_factory=list)

    @property
    def source(self) -> Path:
        """The folder of what is delivered."""
        return self.folder / "source"

    def load(self) -> None:
        """Lands what the source holds now."""
        land_all([self.source], self.zone, forget_vanished=True)

    def dbt(self, *command: str) -> bool:
        """Runs a dbt command, keeps what it says, and tells whether it succeeded."""
        outcome = dbtRunner(
            callbacks=[lambda event: self.messages.append(str(event.info.msg))]  # type: ignore[attr-defined]  # made at run time
        ).invoke(
            list(command),
            project_dir=str(PROJECT_DIR),
            profiles_dir=str(self.folder),
            target=self.target,
            target_path=str(self.target_folder),
            log_path=str(self.folder / "logs"),
            log_level="none",
            quiet=True,
        )
        cleanup_connections()  # type: ignore[no-untyped-call]
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        return bool(outcome.success)

    def register(self) -> bool:
        """Registers the landing zone."""
        return self.dbt("run-operation", "register_landing", "--args", json.dumps({"dataset": "small"}))

    def forget_zone(self) -> None:
        """Lets another zone be registered: all tests of a module share the endpoints' one database."""
        assert self.dbt("run-operation", "forget_landing_zone"), "\n".join(self.messages)

    def agrees(self) -> bool:
        """Whether every landing table holds what the ledger says, object by object."""
        return self.dbt("test", "--select", "test_name:agrees_with_ledger", "path:tests/dbt/loader")

    def differences(self, table: str) -> list[str]:
        """What the test of a landing table says now, by the query that `agrees` has compiled."""
        (file,) = (self.target_folder / "compiled").rglob(f"source_agrees_with_ledger_*_{table}_.sql")
        return [difference for _, difference in self.query(file.read_text())]

    def query(self, sql: str) -> list[list[Any]]:
        """Asks the engine."""
        return {"duckdb": ask_duckdb, "redshift": ask_redshift, "athena": ask_athena}[self.target](sql)

    def rows(self) -> dict[str, int]:
        """Counts the rows of every landing table."""
        return {
            name: int(self.query(f"select count(*) from {relation}")[0][0])  # noqa: S608 - the tests' own names
            for name, relation in LANDING_TABLES.items()
        }

    def ledger(self) -> dict[str, int]:
        """The rows of every landing table, as its ledger says."""
        return {name: sum(row["records_landed"] for row in self.entries(name)) for name in LANDING_TABLES}

    def entries(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table's ledger."""
        return [json.loads(line) for line in self.read(f"loader/ledger/{table}.json").splitlines()]

    def read(self, key: str) -> bytes:
        """Reads an object of the zone."""
        if self.target == "duckdb":
            return Path(self.zone, key).read_bytes()
        bucket, _, prefix = self.zone.removeprefix("s3://").partition("/")
        return boto3.client("s3").get_object(Bucket=bucket, Key=f"{prefix}/{key}")["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        """Writes an object of the zone behind the loader's back."""
        if self.target == "duckdb":
            Path(self.zone, key).write_bytes(content)
            return
        bucket, _, prefix = self.zone.removeprefix("s3://").partition("/")
        boto3.client("s3").put_object(Bucket=bucket, Key=f"{prefix}/{key}", Body=io.BytesIO(content))


@contextmanager
def open_warehouse(target: str, folder: Path, target_folder: Path) -> Iterator[Warehouse]:
    """An engine with an empty landing zone, to which the environment points meanwhile; `endpoints` must be running."""
    name = "a zone" if target == "athena" else "it's a zone"  # Athena takes no quote
    zone = str(folder / name) if target == "duckdb" else f"s3://lake/{folder.name}/{name}"
    (folder / "profiles.yml").write_text((PROJECT_DIR / "profiles.example.yml").read_text())
    if target == "athena":
        share_descriptions()
    with environment({"LANDING_ZONE": zone, "DUCKDB_PATH": str(folder / "lakehouse.duckdb")}):
        yield Warehouse(target, zone, folder, target_folder)


def ask_duckdb(sql: str) -> list[list[Any]]:
    with duckdb.connect(os.environ["DUCKDB_PATH"], read_only=True) as connection:
        return [list(row) for row in connection.execute(sql).fetchall()]


def ask_redshift(sql: str) -> list[list[Any]]:
    with (
        redshift_connector.connect(
            host=os.environ["REDSHIFT_HOST"],
            port=int(os.environ["REDSHIFT_PORT"]),
            database=os.environ["REDSHIFT_DATABASE"],
            user=os.environ["REDSHIFT_USER"],
            password=os.environ["DBT_ENV_SECRET_REDSHIFT_PASSWORD"],
            sslmode=os.environ["REDSHIFT_SSLMODE"],
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
        rows = [list(row) for row in cursor.fetchall()] if cursor.description else []
        connection.commit()
    return rows


def ask_athena(sql: str) -> list[list[Any]]:
    client = boto3.client("athena")
    started = client.start_query_execution(
        QueryString=sql,
        ResultConfiguration={"OutputLocation": os.environ["ATHENA_S3_STAGING_DIR"]},
        WorkGroup="primary",
    )["QueryExecutionId"]
    while True:
        execution = client.get_query_execution(QueryExecutionId=started)["QueryExecution"]
        if execution["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            break
        time.sleep(0.05)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    rows = client.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
    return [[value.get("VarCharValue") for value in row["Data"]] for row in rows[1:]]


@contextmanager
def local_athena() -> Iterator[dict[str, str]]:
    """The endpoint in a process of its own, as a person starts it, and the settings that it prints."""
    if reason := why_there_is_no_trino():
        pytest.skip(f"NOT TESTED: {reason}")
    with running("dbt_local_aws.athena") as (_, settings):
        yield settings


@pytest.fixture(scope="module")
def endpoints() -> Iterator["S3Client"]:
    """Both endpoints over one S3, with their settings in the environment."""
    with ExitStack() as stack:
        athena = stack.enter_context(local_athena())
        stack.enter_context(environment(athena))  # Redshift's endpoint reads S3 with these keys
        redshift = stack.enter_context(LocalRedshift(athena["AWS_ENDPOINT_URL"]))
        places = {"ATHENA_S3_STAGING_DIR": "s3://lake/results/", "ATHENA_S3_DATA_DIR": "s3://lake/lake"}
        stack.enter_context(environment(redshift.environment() | places))
        stack.callback(forget_client)
        forget_client()
        boto3.setup_default_session()  # the one before has the keys of an endpoint that has ended
        client = boto3.client("s3")
        client.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        yield client
