"""Airflow: what is done once, and again after a change of the project: is the engine there, is the project valid?"""

from airflow.sdk import DAG, chain

from product import BEGINNING, DEFAULTS, TARGET, command

with DAG(
    dag_id="set_up",
    description="Ask the engine, parse the project, load what is expected of known data",
    schedule=None,
    start_date=BEGINNING,
    catchup=False,
    default_args=DEFAULTS,
    tags=["lakehouse"],
) as set_up:
    chain(
        command("ask_the_engine", f"dbt debug --target {TARGET}"),
        command("parse_the_project", f"dbt parse --target {TARGET}"),
        command("load_expected_results", f"dbt seed --target {TARGET}"),
    )
