"""The DAG of a product: from raw files to a tested, published asset. Its tasks call the project's commands, and dbt.

What `make` takes is read from the environment of Airflow: SOURCE, DATASET, TARGET, LANDING_ZONE, DUCKDB_PATH,
MAX_REJECTS, and whatever the target needs. Every task is in the pool `lakehouse`: a landing zone has one loader at a
time, and so has a DuckDB file one writer.
"""

import json
import os
import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import (
    DAG,
    Asset,
    AsyncCallback,
    CronPartitionTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    PartitionedAssetTimetable,
    chain,
)
from cosmos import ProfileConfig
from cosmos.constants import InvocationMode
from cosmos.operators.local import DbtBuildLocalOperator

from alerts import tell_failure, tell_late
from layers import steps_of

PROJECT = Path(__file__).resolve().parents[1]
BIN = PROJECT / ".venv/bin"
MANIFEST = PROJECT / "target/manifest.json"
TARGET = os.environ.get("TARGET") or "duckdb"
PLACES = shlex.split(os.environ.get("SOURCE", ""))
DATASET = os.environ.get("DATASET") or (Path(PLACES[0]).resolve().name if PLACES else "sample")
ZONE = os.environ.get("LANDING_ZONE") or str(PROJECT / "landing" / DATASET)
ENVIRONMENT = {"LANDING_ZONE": ZONE}
OF_DBT = {**ENVIRONMENT, "DUCKDB_PATH": os.environ.get("DUCKDB_PATH") or str(PROJECT / "lakehouse.duckdb")}
"""Cosmos calls dbt in a folder of its own, where the file would be another one."""
BEGINNING = datetime.fromisoformat(os.environ.get("BEGINNING", "2018-11-01T00:00:00+00:00"))
"""The first day of which there may be files: of `catchup`, and of backfills."""
_END = os.environ.get("END") or ("" if PLACES else "2018-12-01T00:00:00+00:00")
END = datetime.fromisoformat(_END) if _END else None
"""The first day of which there are none any more, if there is such a day: the sample has files of one month."""
NIGHT = "Etc/GMT+3"
"""A zone in which it is midnight at 3 o'clock UTC, when a day's last files are there. With a cron at 3, partitions
would have that time, and `airflow backfill create` would leave out the last day that is given to it."""
DAY = "{{ dag_run.partition_key or params.get('day') or '' }}"
"""A run that an asset triggers has no logical date; its partition is the day."""
DEFAULTS: dict[str, Any] = {
    "owner": "lakehouse",
    "pool": "lakehouse",
    "retries": int(os.environ.get("TASK_RETRIES", "2")),
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "execution_timeout": timedelta(hours=2),
    "on_failure_callback": tell_failure,
}


def given(*options: str) -> str:
    """Options of a command that lands: where from, and how much may be refused."""
    limit = os.environ.get("MAX_REJECTS")
    return shlex.join([*options, *(("--max-rejects", limit) if limit else ())])


SAMPLE = "sample_data"
SOURCES = [word for place in PLACES for word in ("--source", place)]
RUN = given(*SOURCES, "--dataset", DATASET, "--target", TARGET) if PLACES else given("--target", TARGET)
LAND = given(*(SOURCES or ["--source", SAMPLE]), "--to", ZONE)
MAKE_SAMPLE = "" if PLACES else f"lakehouse sample --to {SAMPLE} && "
"""Where no data is given, it is made: unless it is there already."""


def command(task_id: str, line: str, **settings: Any) -> BashOperator:  # noqa: ANN401 - the operator's own
    """A task that runs a line of shell in the project's folder; what differs between runs comes by the environment."""
    variables = {**ENVIRONMENT, "PATH": f"{BIN}:{os.environ['PATH']}", "DAY": DAY, **settings.pop("env", {})}
    return BashOperator(
        task_id=task_id,
        bash_command=f"set -euo pipefail; {line}",
        cwd=str(PROJECT),
        env=variables,
        append_env=True,
        **settings,
    )


def checked(report: str) -> dict[str, bool]:
    """Reads what a load would do after the load: nothing, of records that are all accounted for.

    Raises:
        ValueError: Something is not landed, or is neither landed nor in quarantine nor left out.
    """
    tables = json.loads(report)["tables"].values()
    unfinished = [table["name"] for table in tables if table["changed"]]
    kinds = ("records_landed", "records_quarantined", "records_suppressed")
    lost = [table["name"] for table in tables if table["records_found"] != sum(table[kind] for kind in kinds)]
    if unfinished or lost:
        raise ValueError(f"not landed whole: {unfinished}; records found and not accounted for: {lost}")
    return {"is_partial": any(table["left_out"] for table in tables)}


def product_dag(product: str, mode: str) -> DAG:
    """Makes the DAG that an asset of raw files triggers, and that publishes the product's asset.

    Args:
        product: A domain of the dbt project.
        mode: What a run lands unless it is told: `append` the files of its day, `full` all files.
    """
    raw, published = Asset(f"{product}_raw"), Asset(product)
    with DAG(
        dag_id=product,
        description=f"Land, register, build and test {product}, layer by layer",
        schedule=PartitionedAssetTimetable(assets=raw),
        start_date=BEGINNING,
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        tags=["lakehouse"],
        params={
            "mode": Param(mode, enum=["append", "full"], description="append: the files of a day; full: all files"),
            "day": Param(None, type=["null", "string"], format="date", description="for append, without a partition"),
        },
        deadline=DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(hours=float(os.environ.get("DEADLINE_HOURS", "3"))),
            callback=AsyncCallback(tell_late, kwargs={"dag": product}),
        ),
    ) as dag:
        by_mode = {"env": {"MODE": "{{ params.mode }}"}}
        discover = command(
            "discover",
            f'{MAKE_SAMPLE}if [ "$MODE" = full ]; then lakehouse land {LAND} --dry-run; '
            f'else lakehouse backfill "$DAY" "$DAY" {RUN} --dry-run; fi',
            **by_mode,
        )
        land = command(
            "land",
            f'if [ "$MODE" = full ]; then lakehouse run {RUN} --land-only; '
            f'else lakehouse backfill "$DAY" "$DAY" {RUN} --land-only; fi',
            **by_mode,
        )
        check = command(
            "check_ledger",
            f'[ "$MODE" = full ] || days="--from-day=$DAY --to-day=$DAY"; '
            f"lakehouse land {LAND} ${{days:-}} --dry-run --json | tr -d '\\n'",
            output_processor=checked,
            **by_mode,
        )
        register = command(
            "register",
            f"lakehouse register --dataset={shlex.quote(DATASET)} --target={shlex.quote(TARGET)} $PART",
            env={"PART": "{{ '--part' if ti.xcom_pull('check_ledger').is_partial else '' }}"},
        )
        steps = [
            DbtBuildLocalOperator(
                task_id=step.name,
                project_dir=str(PROJECT),
                profile_config=ProfileConfig(
                    profile_name="lakehouse", target_name=TARGET, profiles_yml_filepath=PROJECT / "profiles.yml"
                ),
                dbt_executable_path=str(BIN / "dbt"),
                invocation_mode=InvocationMode.SUBPROCESS,
                select=" ".join(step.select),
                indirect_selection="empty",  # the step names its tests
                env=OF_DBT,
                append_env=True,
                cache_dir=Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "dbt",  # or each parses anew
                install_deps=False,
                emit_datasets=False,
                should_store_compiled_sql=False,
            )
            for step in steps_of(MANIFEST, product)
        ]
        publish = EmptyOperator(task_id="publish", outlets=[published])
        chain(discover, land, check, register, *steps, publish)
    return dag


def arrivals_dag(product: str, *, catchup: bool) -> DAG:
    """Makes the DAG that says every night that a day is over; it is the one to backfill.

    Its run of a night has the day before as its partition, and triggers the product's run of that day.
    """
    with DAG(
        dag_id=f"{product}_arrivals",
        description=f"Every night: the raw files of {product} of the day before are there",
        schedule=CronPartitionTimetable("0 0 * * *", timezone=NIGHT, run_offset=-1, key_format="%Y-%m-%d"),
        start_date=BEGINNING,
        end_date=END,
        catchup=catchup,
        default_args={**DEFAULTS, "pool": "default_pool"},
        tags=["lakehouse"],
    ) as dag:
        EmptyOperator(task_id="publish", outlets=[Asset(f"{product}_raw")])
    return dag
