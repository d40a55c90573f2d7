"""Tells somebody that a task has failed or that a run is late: in the log, and at ALERT_WEBHOOK if that is set."""

import json
import logging
import os
from typing import Any
from urllib.request import Request, urlopen

log = logging.getLogger(__name__)


def tell(text: str) -> None:
    """Logs a text, and posts it as JSON, `{"text": …}`, which Slack, Teams and most others take."""
    log.error(text)
    address = os.environ.get("ALERT_WEBHOOK", "")
    if address.startswith("https://"):
        body = json.dumps({"text": text}).encode()
        request = Request(address, body, {"Content-Type": "application/json"})  # noqa: S310 - https only, see above
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            answer.read()


def tell_failure(context: Any) -> None:  # noqa: ANN401 - Airflow's, which types it otherwise in each version
    """Tells which task of which run failed, after its last try."""
    task = context["ti"]
    tell(f"{task.dag_id}.{task.task_id} failed in {task.run_id}: {context.get('exception')}")


async def tell_late(**values: Any) -> None:  # noqa: ANN401 - as Airflow calls it
    """Tells that a run is not done by its deadline."""
    tell(f"{values['dag']} is late: it should have been done by now")
