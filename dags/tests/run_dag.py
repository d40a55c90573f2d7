"""Runs a DAG from its first task to its last in this process, and prints how each task ended, as JSON.

dags/start.sh python dags/tests/run_dag.py DAG '{"mode": "full"}'
"""

import json
import sys
import warnings

warnings.simplefilter("error")
warnings.filterwarnings("default", module="(?!product|layers|alerts|sparkify|stedi|set_up)")  # others' own

from airflow.dag_processing.dagbag import DagBag  # noqa: E402 - warnings first

bag = DagBag("dags")
assert not bag.import_errors, bag.import_errors
assert not bag.captured_warnings, bag.captured_warnings
if sys.argv[1:]:
    dag = bag.dags[sys.argv[1]]
    dag.deadline = (
        None  # of Airflow 3.3.2: `dag.test` takes the alert itself for the id that a scheduler gives it, and fails
    )
    run = dag.test(run_conf=json.loads(sys.argv[2]))
    ended = {task.task_id: task.state for task in run.get_task_instances()}
    print("ended:", json.dumps({"run": run.state, "tasks": ended}))
else:
    print("ended:", json.dumps({name: dag.task_ids for name, dag in bag.dags.items()}))
