"""Registering on Redshift, by the unmodified adapter: one transaction a table, whatever happens meanwhile.

The tests of this module go on from each other: each ends with the rows that the ledger says.
"""

# ruff: noqa: S608 - the names in queries are the module's own

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
import redshift_connector
from mypy_boto3_s3 import S3Client

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing.redshift import Connect, Connection, rows, run
from dbt_project import copy_project
from lakehouse.environment import variables
from lakehouse.storage.s3 import forget_client
from landing_helpers import put
from lanes import on_engines
from warehouses import Warehouse

pytestmark = [
    on_engines,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the driver's own way of making a TLS context
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # connections that the driver leaves
]

STEPS = "stedi_landing.step_trainer_landing"
WHEN = 1_655_564_376_361
SOURCE: Mapping[str, Sequence[dict[str, object]]] = {
    "stedi/customer/landing/customers.json": [
        {
            "customerName": "Ada Lovelace",
            "email": "ada@test.com",
            "phone": "8015551212",
            "birthDay": "1964-02-29",
            "serialNumber": "9e0ec5bf-8a0b",
            "registrationDate": WHEN,
            "lastUpdateDate": WHEN,
            "shareWithResearchAsOfDate": WHEN,
        }
    ],
    "stedi/accelerometer/landing/readings.json": [
        {"user": "ada@test.com", "timestamp": WHEN + 1, "x": 0.0, "y": 1.0, "z": -1.0}
    ],
    "stedi/step_trainer/landing/some.json": [
        {"serialNumber": "9e0ec5bf-8a0b", "sensorReadingTime": WHEN + n, "distanceFromObject": 0} for n in range(9)
    ],
    "stedi/step_trainer/landing/others.json": [
        {"serialNumber": "9e0ec5bf-8a0b", "sensorReadingTime": WHEN + 9 + n, "distanceFromObject": 0} for n in range(9)
    ],
}
OBJECTS_OF_STEPS = "select object_key from loader.objects where table_name = 'step_trainer_landing' order by 1"
QUERY_GROUP = "it's nightly"
PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def connect(s3_endpoint_url: str) -> Iterator[Connect]:
    """Connects to an endpoint of the module's own, whose settings are the environment meanwhile."""
    with LocalRedshift(s3_endpoint_url) as endpoint, variables(endpoint.environment()):

        def connected() -> Connection:
            connection = redshift_connector.connect(
                host=endpoint.host,
                port=endpoint.port,
                database=os.environ["REDSHIFT_DATABASE"],
                user=os.environ["REDSHIFT_USER"],
                password=os.environ["DBT_ENV_SECRET_REDSHIFT_PASSWORD"],
                sslmode=os.environ["REDSHIFT_SSLMODE"],
            )
            connection.autocommit = True
            return connection

        yield connected


@pytest.fixture(scope="module")
def warehouse(
    connect: Connect, s3: S3Client, s3_endpoint_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """Some landed records that no registration has seen."""
    folder = tmp_path_factory.mktemp("registering")
    settings = {
        "AWS_ENDPOINT_URL": s3_endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-west-2",
        "REDSHIFT_QUERY_GROUP": QUERY_GROUP,
        "LANDING_ZONE": f"s3://lake/{folder.name}/it's a zone",
    }
    for path, records in SOURCE.items():
        put(folder / "source", path, records)
    with variables(settings):
        forget_client()
        boto3.setup_default_session()  # the one before has another endpoint's keys
        project = copy_project(folder / "project")
        opened = Warehouse("redshift", project, settings["LANDING_ZONE"], folder / "source", "small")
        opened.load()
        yield opened
    forget_client()


def sent(warehouse: Warehouse) -> list[str]:
    """What dbt has sent, less its comments, in small letters."""
    return [re.sub(r"/\*.*?\*/", "", sql, flags=re.DOTALL).strip().lower() for sql in warehouse.statements]


def transactions(statements: Sequence[str]) -> list[list[str]]:
    """The statements in groups, as they take effect together; one outside of a transaction is a group of its own."""
    groups: list[list[str]] = []
    is_open = False
    for statement in statements:
        first = statement.split()[0]
        if first == "begin":
            assert not is_open, f"a transaction in a transaction: {statements}"
            is_open = True
            groups.append([])
        elif first in ("commit", "rollback"):
            assert is_open, f"the end of no transaction: {statements}"
            is_open = False
        elif is_open:
            groups[-1].append(statement)
        else:
            groups.append([statement])
    assert not is_open
    return groups


def begin_registering(warehouse: Warehouse, name: str) -> subprocess.Popen[str]:
    """Registers in a process of its own."""
    target = warehouse.project.parent / name
    shutil.copytree(warehouse.target_folder, target, dirs_exist_ok=True)  # where the project is parsed
    command: list[str | Path] = [Path(sys.executable).with_name("dbt"), "run-operation", "register_landing"]
    command += ["--args", json.dumps({"dataset": warehouse.dataset}), "--target", "redshift"]
    command += ["--project-dir", warehouse.project, "--profiles-dir", warehouse.project]
    command += ["--target-path", target, "--log-path", target / "logs"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def change_steps(warehouse: Warehouse, distance: int) -> None:
    """Delivers a file anew, so that the part with its records no longer counts, and lands it."""
    path = "stedi/step_trainer/landing/some.json"
    put(warehouse.source, path, [{**record, "distanceFromObject": distance} for record in SOURCE[path]])
    warehouse.load()


@contextmanager
def held_up_at_the_steps(connect: Connect) -> Iterator[Callable[[int], list[int]]]:
    """Lets a registration come as far as writing the steps, where it has the lock and has run COPY, and no further.

    The block gets a function that waits until as many sessions are held up, and gives them: those that wait for the
    lock of another registration come last.
    """
    query = "select pid from pg_locks where not granted order by mode = 'AccessExclusiveLock'"

    with connect() as writer, connect() as watcher:
        # who inserts, too, waits for the end of this transaction, be it of no row
        run(writer, "begin", f"insert into {STEPS} select * from {STEPS} where 1 = 0")

        def waiting(count: int) -> list[int]:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while len(found := [int(str(pid)) for (pid,) in rows(watcher, query)]) < count:
                assert time.monotonic() < deadline, f"{len(found)} of {count} registrations came to the lock"
                time.sleep(0.1)
            return found

        try:
            yield waiting
        finally:
            run(writer, "rollback")


# When nothing goes wrong ----------------------------------------------------------------------------------------------


def test_each_table_is_locked_first_in_a_transaction_of_its_own(warehouse: Warehouse) -> None:
    """Nothing before LOCK fixes what it sees: docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html."""
    assert warehouse.register(), "\n".join(warehouse.messages)
    groups = transactions(sent(warehouse))
    locked = [group for group in groups if any(statement.startswith("lock") for statement in group)]
    tables = [message for message in warehouse.messages if message.startswith("registered ")]
    assert len(locked) == len(tables) > 5
    for group in locked:
        assert re.fullmatch(r'lock table "?\w+"?\."?loader"?\."?objects"?', group[0]), group[0]
    (steps,) = (group for group in locked if any("step_trainer_landing__copied" in statement for statement in group))
    kinds = [statement.split()[0] for statement in steps]
    assert kinds.index("delete") < kinds.index("copy") < kinds.index("insert")
    others = [statement for group in groups if group not in locked for statement in group]
    made = [
        statement for statement in others if re.match(r"create table|copy|insert|delete|update|drop table", statement)
    ]
    assert made
    assert all(re.match(r'create table if not exists "?\w+"?\."?loader"?\."?objects"?', each) for each in made), made
    assert warehouse.rows() == warehouse.ledger()


def test_a_second_run_copies_nothing(warehouse: Warehouse) -> None:
    warehouse.statements.clear()
    assert warehouse.register()
    copied = [statement for statement in sent(warehouse) if statement.startswith("copy")]
    assert len(copied) == 1
    assert "/loader/ledger/" in copied[0]
    assert warehouse.rows() == warehouse.ledger()


# Two at once, and what is cut off -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_killed", [False, True], ids=["both end", "the first is killed"])
def test_two_at_once_copy_what_is_new_once(warehouse: Warehouse, connect: Connect, *, is_killed: bool) -> None:
    """The second waits for the lock while the first copies, and must see what the first has left."""
    change_steps(warehouse, 1 + is_killed)
    with held_up_at_the_steps(connect) as waiting:
        first = begin_registering(warehouse, "first")
        waiting(1)
        second = begin_registering(warehouse, "second")
        waiting(2)
        if is_killed:
            first.kill()
            first.wait()
    said = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in (first, second)]
    assert (first.returncode == 0) is not is_killed, said[0]
    assert second.returncode == 0, said[1]
    assert warehouse.rows() == warehouse.ledger()


def test_what_loses_its_connection_has_changed_nothing_of_the_table(warehouse: Warehouse, connect: Connect) -> None:
    change_steps(warehouse, 3)
    steps = f"select distancefromobject, count(*) from {STEPS} group by 1 order by 1"
    before = [warehouse.query(OBJECTS_OF_STEPS), warehouse.query(steps)]
    with held_up_at_the_steps(connect) as waiting:

        def cut_off() -> None:
            (pid,) = waiting(1)
            with connect() as killer:
                run(killer, f"select pg_terminate_backend({pid})")

        killer = threading.Thread(target=cut_off)
        killer.start()
        assert not warehouse.register()
        killer.join()
    assert [warehouse.query(OBJECTS_OF_STEPS), warehouse.query(steps)] == before
    assert warehouse.register(), "\n".join(warehouse.messages)
    assert warehouse.rows() == warehouse.ledger()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(f"insert into {STEPS} select * from {STEPS} limit 3", id="rows were copied twice"),
        pytest.param(f"drop table {STEPS}", id="the table is lost"),
    ],
)
def test_a_table_that_has_other_rows_than_the_ledger_says_is_copied_anew(warehouse: Warehouse, change: str) -> None:
    warehouse.query(change)
    assert warehouse.register(), "\n".join(warehouse.messages)
    assert warehouse.rows() == warehouse.ledger()


# Where the bucket is --------------------------------------------------------------------------------------------------


def test_copy_looks_in_the_region_that_it_is_told(warehouse: Warehouse) -> None:
    warehouse.statements.clear()
    with variables({"LANDING_ZONE_REGION": "eu-central-1"}):
        assert not warehouse.register()
    (copied,) = (statement for statement in sent(warehouse) if statement.startswith("copy"))
    assert "region 'eu-central-1'" in copied
    assert "must be addressed using the specified endpoint" in "\n".join(warehouse.messages)
    assert warehouse.rows() == warehouse.ledger()
    assert warehouse.agrees(), "\n".join(warehouse.messages)


# What a query is called, and what a key is made of --------------------------------------------------------------------


def test_queries_have_a_group_and_say_their_data_set_and_run_and_keys_are_made_of_all_of_a_text(
    warehouse: Warehouse,
) -> None:
    """One question for three promises, each of which would cost a run of dbt."""
    ends = {end: json.dumps(f"cast(repeat('a', 2000) || '{end}' as varchar(4000))") for end in "bc"}
    keys = "".join(f", {{{{ surrogate_key([{text}]) }}}} as key_{end}" for end, text in ends.items())
    query = f"select current_setting('query_group') as label {keys}"
    warehouse.messages.clear()
    warehouse.statements.clear()
    with variables({"LAKEHOUSE_DATASET": "mine", "LAKEHOUSE_RUN": "7"}):
        assert warehouse.dbt("show", "--inline", query, "--output", "json"), "\n".join(warehouse.messages)
    answer = "\n".join(warehouse.messages)
    assert f'"label": "{QUERY_GROUP}"' in answer
    said = [re.match(r"/\* (\{.*?\}) \*/", sql) for sql in warehouse.statements if "select" in sql]
    told = [json.loads(found[1]) if found else {} for found in said]
    assert told
    assert [(comment.get("dataset"), comment.get("run")) for comment in told] == [("mine", "7")] * len(told)
    texts = {end: "a" * 2000 + end for end in ends}
    wanted = {end: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for end, text in texts.items()}
    assert dict(re.findall(r'"key_(\w)": "(\w{32})"', answer)) == wanted


# What the adapter must not repeat; the last one, since another profile has the project parsed anew --------------------


def test_a_profile_that_repeats_statements_is_refused_before_anything_is_sent(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    project = copy_project(tmp_path / "project")
    profile = (project / "profiles.yml").read_text()
    assert profile.count("      retries: 0 ") == 1
    (project / "profiles.yml").write_text(profile.replace("      retries: 0 ", "      retries: 1 "))
    other = Warehouse("redshift", project, warehouse.zone, warehouse.source, warehouse.dataset)
    assert not other.register()
    assert "Set retries: 0, as profiles.example.yml has it" in "\n".join(other.messages)
    assert set(other.statements) <= {"BEGIN", "COMMIT"}  # dbt's own, around what it asks nothing in
