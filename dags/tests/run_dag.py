"""Runs a DAG from its first task to its last in this process, and prints how each task ended, as JSON.

dags/start.sh python dags/tests/run_dag.py DAG '{"mode": "full"}'
"""

import json
import sys
import warnings

warnings.simplefilter("error")
warnings.filterwarnings("default", module="(?!product|layers|alerts|sparkify|stedi|set_up)")  # others' own

from airflow.dag_processing.dagbag import DagBag  # noqa: E402 - warnings first

bag = DagBag("dags", include_examples=False)
assert not bag.import_errors, bag.import_errors
assert not bag.captured_warnings, bag.captured_warnings
if sys.argv[1:]:
    run = bag.dags[sys.argv[1]].test(run_conf=json.loads(sys.argv[2]))
    ended = {task.task_id: task.state for task in run.get_task_instances()}
    print("ended:", json.dumps({"run": run.state, "tasks": ended}))
else:
    print("ended:", json.dumps({name: dag.task_ids for name, dag in bag.dags.items()}))
