"""The project on an engine that a test may fill, build, ask and break: DuckDB, and what a whole run built."""

import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import duckdb
import redshift_connector
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import cleanup_connections
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from dbt_project import copy_project, remove_unit_tests
from lakehouse.environment import variables
from lakehouse.pipeline.aws_clients import share_descriptions
from lakehouse.storage.s3 import forget_client
from landing_helpers import TABLES, land_all
from whole_run import WholeRun

LANDING_TABLES = {
    name: f"{table.source_name}_landing.{name}" for name, table in TABLES.items() if table.source_name != "loader"
}


@dataclass
class Warehouse:
    """An engine, and the landing zone that it reads.

    Attributes:
        target: The output of profiles.example.yml.
        project: A copy of the project, in which dbt works.
        zone: On S3; for DuckDB a folder.
        source: The folder of what is delivered.
        dataset: The data's name.
        messages: What dbt said.
        statements: What dbt sent to the engine.
    """

    target: str
    project: Path
    zone: str
    source: Path
    dataset: str
    messages: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    _manifest: Manifest | None = None

    def load(self) -> None:
        """Lands what the source holds now."""
        land_all([self.source], self.zone, forget_vanished=True)

    def dbt(self, *command: str) -> bool:
        """Runs a dbt command, keeps what it says, and tells whether it succeeded. The project is parsed once."""
        if self._manifest is None:
            outcome = self._invoke("parse")
            assert isinstance(outcome.result, Manifest), outcome.exception
            self._manifest = outcome.result
        return bool(self._invoke(*command).success)

    def _invoke(self, *command: str) -> dbtRunnerResult:
        outcome = dbtRunner(self._manifest, [self._listen]).invoke(
            list(command),
            project_dir=str(self.project),
            profiles_dir=str(self.project),
            target_path=str(self.target_folder),
            log_path=str(self.project / "logs"),
            log_level="none",
            quiet=True,
            **({} if self.target == "duckdb" else {"target": self.target}),  # without need, it would cost a parse
        )
        cleanup_connections()  # type: ignore[no-untyped-call]
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        return outcome

    def _listen(self, event: Any) -> None:  # noqa: ANN401 - dbt makes an event's fields at run time
        self.messages.append(str(event.info.msg))
        if event.info.name == "SQLQuery":
            self.statements.append(event.data.sql)

    @property
    def target_folder(self) -> Path:
        """What dbt makes."""
        return self.project / "target"

    def register(self) -> bool:
        """Registers the landing zone."""
        return self.dbt("run-operation", "register_landing", "--args", json.dumps({"dataset": self.dataset}))

    def forget_zone(self) -> None:
        """Lets another zone be registered."""
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
def duckdb_warehouse(folder: Path) -> Iterator[Warehouse]:
    """DuckDB with an empty landing zone, to which the environment points meanwhile."""
    zone = str(folder / "it's a zone")
    with variables({"LANDING_ZONE": zone, "DUCKDB_PATH": str(folder / "lakehouse.duckdb")}):
        project = copy_project(folder / "project")
        remove_unit_tests(project)
        yield Warehouse("duckdb", project, zone, folder / "source", "small")


@contextmanager
def warehouse_of(run: WholeRun, zone: str = "", source: Path | None = None) -> Iterator[Warehouse]:
    """The engine of a whole run, to which the environment points meanwhile.

    Args:
        run: The run, whose landing zone and source are meant if nothing is said of others.
        zone: Another landing zone, which the run's database refuses until it has forgotten its own.
        source: What is landed there.
    """
    if run.target == "athena":
        share_descriptions()
    with variables({**run.settings, "LANDING_ZONE": zone or run.zone}):
        forget_client()
        boto3.setup_default_session()  # the one before has another endpoint's keys
        yield Warehouse(run.target, run.project, zone or run.zone, source or run.source, run.dataset)
    forget_client()


def ask_duckdb(sql: str) -> list[list[Any]]:
    with duckdb.connect(os.environ["DUCKDB_PATH"]) as connection:
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
