"""What a run tells of itself: the log, who is told, what it cost, and the budget that stops it."""

import json
import logging
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from dbt_project import copy_parts
from lakehouse import ending
from lakehouse.console import ConsoleReporter
from lakehouse.deployment.costs import list_prices
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import BuildError, ExitCode, SettingsError
from lakehouse.pipeline.notify import TOPIC_VARIABLE, WEBHOOK_VARIABLE, channels
from lakehouse.pipeline.run_report import step
from lakehouse.pipeline.run_watch import RunWatch, watched
from lakehouse.pipeline.spending import Budget, OverBudgetError, Spending
from lakehouse.storage.s3_session import session
from real_data import PROJECT_DIR

PRICES = list_prices(PROJECT_DIR)

pytestmark = pytest.mark.quick
SECRET = "token-that-nobody-may-see"  # noqa: S105 - made up


class Hook(HTTPServer):
    """A webhook on this machine."""

    def __init__(self, answer: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.received = answer, list[dict[str, Any]]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{SECRET}"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        self.server.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.answer)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    monkeypatch.delenv(TOPIC_VARIABLE, raising=False)
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        monkeypatch.setenv(WEBHOOK_VARIABLE, server.url)
        yield server
        server.shutdown()
        thread.join()


def watch_run(
    folder: Path, work: Callable[[RunWatch], object], target: str = "duckdb", budget: Budget | None = None
) -> list[dict[str, Any]]:
    """Watches some work as a run, and gives what the log says; what the work raises is raised after that."""
    try:
        with watched(folder, "mine", target, budget or Budget(), ConsoleReporter()) as watch:
            work(watch)
    finally:
        last = max((folder / "logs/runs").glob("*.jsonl"), key=lambda file: file.stat().st_mtime_ns)
        events[:] = [json.loads(line) for line in last.read_text().splitlines()]
    return list(events)


events: list[dict[str, Any]] = []
"""Of the run that was watched last."""


def fail(error: BaseException) -> Callable[[RunWatch], object]:
    def work(_watch: RunWatch) -> None:
        raise error

    return work


def test_what_happened_is_written_line_by_line_and_sent(tmp_path: Path, hook: Hook) -> None:
    def work(watch: RunWatch) -> None:
        with step(watch.tell, "land"):
            watch.tell("table_landed", table="staging_events", records_new=3, records_landed=5, records_quarantined=1)
            watch.tell("people_suspended", people=2)
        watch.tell("source_aged", source="sparkify_landing.staging_events", status="warn", last_landed_at="2026-01-01")
        watch.tell("node_finished", name="songplays", kind="model", status="success", seconds=1.0)
        watch.tell("node_finished", name="unique_songplays", kind="test", status="pass", seconds=1.0)
        watch.tell("rows_counted", relation="sparkify.songplays", rows=5, expected=6)
        watch.tell("rows_counted", relation="sparkify.users", rows=2, expected=None)

    told = watch_run(tmp_path, work)
    assert [event["event"] for event in told][:3] == ["run_started", "step_started", "table_landed"]
    assert all({"time", "run_id"} <= event.keys() for event in told)
    (sent,) = hook.received
    assert sent == {"text": "run of mine on duckdb: done, 0 s, 2 people suspended"} | {
        name: value for name, value in told[-1].items() if name not in ("time", "event")
    }
    assert {name: sent[name] for name in ("outcome", "exit_code", "rows", "unexpected_rows", "records_landed")} == {
        "outcome": "done",
        "exit_code": 0,
        "rows": {"sparkify.songplays": 5, "sparkify.users": 2},
        "unexpected_rows": {"sparkify.songplays": 6},
        "records_landed": {"staging_events": 3},
    }
    assert (sent["quarantine"], sent["suspended_people"]) == ({"staging_events": 1}, 2)
    assert sent["freshness"] == {"sparkify_landing.staging_events": "warn"}
    assert (sent["relations_built"], sent["tests_passed"], sent["failures"]) == (1, 1, {})
    assert (sent["bytes_scanned"], sent["cost_usd"]) == (None, None)
    assert sent["steps"].keys() == {"land"}
    (log,) = (tmp_path / "logs/runs").glob("*.jsonl")
    assert SECRET not in log.read_text()


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (BuildError("bob@test.com is not unique", {}, ()), "failed", 1),
        (SettingsError("no"), "refused", 2),
        (ValueError("bob@test.com"), "fault", 4),
        (KeyboardInterrupt(), "stopped", 130),
    ],
)
def test_a_run_that_fails_tells_it_too_and_names_nobody(
    tmp_path: Path, hook: Hook, error: BaseException, outcome: str, code: int
) -> None:
    with pytest.raises(type(error)):
        watch_run(tmp_path, fail(error))
    (sent,) = hook.received
    assert (sent["outcome"], sent["exit_code"], sent["error"]) == (outcome, code, type(error).__name__)
    assert "bob" not in json.dumps([sent, events])


@pytest.mark.parametrize("answer", [500, 302, None])
def test_who_cannot_be_told_fails_no_run_and_that_is_said(
    tmp_path: Path, hook: Hook, answer: int | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer is None:
        monkeypatch.setenv(WEBHOOK_VARIABLE, f"http://127.0.0.1:1/{SECRET}")
    else:
        hook.answer = answer
    told = watch_run(tmp_path, lambda _: None)
    assert told[-2]["event"] == "not_told"
    said = capsys.readouterr().out
    assert "warning: the webhook was not told how the run ended: it " in said
    assert (f"it answered {answer}" in said) == (answer is not None)
    assert SECRET not in said + json.dumps(told)


@pytest.mark.parametrize(
    "url", [f"http://example.org/{SECRET}", f"https://a b/{SECRET}", f"ftp://x/{SECRET}", f"https://[/{SECRET}", SECRET]
)
def test_an_address_that_is_not_safe_is_refused_before_the_run_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError, match="is no https:// address") as error:
        channels({WEBHOOK_VARIABLE: url})
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("arn", ["mine", "arn:aws:sqs:eu-west-1:1:x", "arn:aws:sns::1:x"])
def test_what_is_no_topic_is_refused(arn: str) -> None:
    with pytest.raises(SettingsError, match="set it to arn:aws:sns:<region>"):
        channels({TOPIC_VARIABLE: arn})


def test_a_topic_gets_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEBHOOK_VARIABLE, raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    session.cache_clear()
    with mock_aws():
        sns, sqs = boto3.client("sns", region_name="eu-west-1"), boto3.client("sqs", region_name="eu-west-1")
        arn, queue = sns.create_topic(Name="runs")["TopicArn"], sqs.create_queue(QueueName="runs")["QueueUrl"]
        target = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=target)
        monkeypatch.setenv(TOPIC_VARIABLE, arn)
        watch_run(tmp_path, lambda _: None)
        (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
        monkeypatch.setenv(TOPIC_VARIABLE, arn + "-that-is-not-there")
        assert watch_run(tmp_path, lambda _: None)[-2] == {**events[-2], "event": "not_told", "channel": "SNS"}
    session.cache_clear()
    body = json.loads(message["Body"])
    assert body["Subject"] == "run of mine on duckdb: done, 0 s"
    assert json.loads(body["Message"])["outcome"] == "done"


def test_sigterm_ends_a_run_that_then_tells(tmp_path: Path, hook: Hook) -> None:
    program = (
        "import sys, time; from pathlib import Path; from lakehouse.console import ConsoleReporter; "
        "from lakehouse.ending import stops_in_one_line; from lakehouse.pipeline.run_watch import watched; "
        "from lakehouse.pipeline.spending import Budget\n"
        "with stops_in_one_line('x'), watched(Path(sys.argv[1]), 'mine', 'duckdb', Budget(), ConsoleReporter()):\n"
        "    print('begun', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begun\n"
        run.send_signal(signal.SIGTERM)
        run.stdout.read()
    assert run.returncode == ExitCode.STOPPED
    (sent,) = hook.received
    assert (sent["outcome"], sent["exit_code"]) == ("stopped", 130)


def test_a_run_that_was_killed_is_told_by_the_next(tmp_path: Path, hook: Hook) -> None:
    """SIGKILL leaves no time to tell; a run that is under way was not killed."""
    program = (
        "import sys, time; from pathlib import Path; from lakehouse.pipeline.run_log import RunLog; "
        "log = RunLog(Path(sys.argv[1]), '2020'); log.write('run_started', {}); "
        "print('begun', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begun\n"
        under_way = watch_run(tmp_path, lambda _: None)
        max((tmp_path / "logs/runs").glob("2*.jsonl")).unlink()
        run.kill()
    told = watch_run(tmp_path, lambda _: None)
    assert under_way[-1]["killed_before"] == ""
    assert told[-1]["killed_before"] == str(tmp_path / "logs/runs/2020.jsonl")
    assert hook.received[-1]["killed_before"] == told[-1]["killed_before"]
    assert watch_run(tmp_path, lambda _: None)[-1]["killed_before"] == ""


def test_the_log_is_its_owners_only_and_a_hundred_are_kept(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        folder = tmp_path / "logs/runs"
        folder.mkdir(parents=True)
        for number in range(105):
            (folder / f"1{number:03}.jsonl").write_text('{"event":"run_finished"}\n')
        watch_run(tmp_path, lambda _: None)
    finally:
        os.umask(before)
    kept = sorted(file.name for file in folder.glob("*.jsonl"))
    assert (len(kept), kept[0]) == (100, "1006.jsonl")
    assert stat.S_IMODE((folder / kept[-1]).stat().st_mode) == 0o600


def query(name: str, scanned: int, kind: str = "DML", state: str = "SUCCEEDED") -> dict[str, Any]:
    """What Athena says of a query."""
    statistics = {"DataScannedInBytes": scanned}
    return {
        "QueryExecution": {
            "QueryExecutionId": name, "StatementType": kind, "Status": {"State": state}, "Statistics": statistics,
        }
    }  # fmt: skip


def test_what_athena_scanned_counts_each_query_once_and_at_least_ten_megabytes() -> None:
    spending = Spending("athena", Budget(), {}, PRICES)
    spending.hear(query("a", 1_000_000, state="RUNNING"))
    spending.hear(query("a", 4_000_000))
    spending.hear(query("b", 10**12))
    spending.hear(query("c", 0, kind="DDL"))
    spending.hear(query("d", 5_000_000, state="FAILED"))
    spending.hear({"QueryExecution": {"QueryExecutionId": "e", "Status": {"State": "QUEUED"}}})
    assert (spending.queries, spending.bytes_scanned) == (4, 10**12 + 9_000_000)
    assert spending.cost_usd == pytest.approx(5.00005)
    cheaper = Spending("athena", Budget(), {"ATHENA_USD_PER_TB": "2"}, PRICES)
    cheaper.hear(query("b", 10**12))
    assert cheaper.cost_usd == pytest.approx(2)


@pytest.mark.parametrize(
    ("target", "budget", "settings", "needs"),
    [
        ("duckdb", Budget(bytes=1), {}, "--budget-bytes is for Athena"),
        ("redshift", Budget(rpu_seconds=1), {}, "needs REDSHIFT_RPUS"),
        ("redshift", Budget(), {"REDSHIFT_RPUS": "many"}, "REDSHIFT_RPUS is 'many'"),
        ("athena", Budget(), {"ATHENA_USD_PER_TB": "-1"}, "set it to a number greater than 0"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(
    target: str, budget: Budget, settings: dict[str, str], needs: str
) -> None:
    with pytest.raises(SettingsError, match=needs):
        Spending(target, budget, settings, PRICES)


def stopped_by_its_budget(folder: Path, work: Callable[[RunWatch], object], target: str, budget: Budget) -> str:
    copy_parts(folder, "infra/prices.yml")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    try:
        with pytest.raises(OverBudgetError) as error, stops_in_one_line("What is built stays."):
            watch_run(folder, work, target, budget)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        forget_the_end()
    return str(error.value)


def forget_the_end() -> None:
    """The process of a test goes on."""
    ending._told.clear()
    logging.disable(logging.NOTSET)


def ask_athena(queries: int) -> None:
    """Asks about queries that scanned 40 bytes each, through a new client."""
    client: Any = boto3.session.Session().client(
        "athena",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106 - nobody's
    )
    with Stubber(client) as athena:
        for number in range(queries):
            athena.add_response("get_query_execution", query(str(number), 40))
        for number in range(queries):
            client.get_query_execution(QueryExecutionId=str(number))


def test_a_run_that_scans_more_than_it_may_is_stopped(tmp_path: Path, hook: Hook) -> None:
    """By a thread of dbt's, which asks Athena through a client that it makes itself."""

    def work(_watch: RunWatch) -> None:
        threading.Thread(target=ask_athena, args=(4,)).start()
        time.sleep(20)

    why = stopped_by_its_budget(tmp_path, work, "athena", Budget(bytes=100))
    assert why == "stopped: Athena has scanned 120 bytes in 3 queries, --budget-bytes is 100. What is built stays"
    (sent,) = hook.received
    assert (sent["outcome"], sent["exit_code"]) == ("over_budget", ExitCode.OVER_BUDGET)
    assert sent["bytes_scanned"] >= 120


def test_redshifts_time_is_counted_and_stopped_at_the_budget(
    tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDSHIFT_RPUS", "8")

    def work(watch: RunWatch) -> None:
        for _ in range(2):
            with watch.spending.asking():
                time.sleep(0.15)
        assert watch.spending.rpu_seconds == 8 * 60  # what is charged at least
        with watch.spending.asking():
            time.sleep(60)

    why = stopped_by_its_budget(tmp_path, work, "redshift", Budget(rpu_seconds=8))
    assert why == "stopped: Redshift may have charged 8 RPU seconds (8 RPUs), which is the budget. What is built stays"
    assert hook.received[0]["cost_usd"] == pytest.approx(8 * 60 / 3600 * 0.375)
