"""Trino as a tenant of this machine: found, started, ended with whoever started it, and missed in one sentence."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from dbt_local_aws import jars, java
from dbt_local_aws.athena.endpoint import LocalAthena
from dbt_local_aws.athena.trino import server
from dbt_local_aws.athena.trino.installation import TRINO
from dbt_local_aws.java import Java, UnavailableError
from dbt_local_aws.process import running
from dbt_local_aws.testing.athena import Client, QueryFailedError
from dbt_local_aws.testing.processes import await_end, is_running

ATHENA = "dbt_local_aws.athena"


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def folder_of(settings: dict[str, str]) -> Path:
    return Path(settings["AWS_CONFIG_FILE"]).parent


@pytest.mark.needs_trino
def test_trino_ends_with_the_endpoint_and_with_its_sudden_end() -> None:
    """And its folder with it: nobody but its owner could read that."""
    with running(ATHENA) as (process, settings):
        [trino] = children(process.pid)
        folder = folder_of(settings)
        assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IRWXU
        process.send_signal(signal.SIGKILL)
        process.wait()
        await_end(trino)
        assert not (folder / "trino").exists()


@pytest.mark.needs_trino
def test_a_query_tells_the_end_of_the_log_when_trino_is_gone_and_the_endpoint_ends_all_the_same() -> None:
    with running(ATHENA) as (process, settings):
        client = Client.connect(settings, "lake")
        [trino] = children(process.pid)
        assert client.rows("select 1") == [("1",)]
        os.kill(trino, signal.SIGKILL)
        with pytest.raises(QueryFailedError, match=r"(?s)Trino ended with code -9\. The end of its log:\n2.*INFO"):
            client.rows("select 1")
        identity = boto3.session.Session(
            settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"], region_name="eu-west-1"
        ).client("sts", endpoint_url=settings["AWS_ENDPOINT_URL"])
        assert identity.get_caller_identity()["Account"] == "123456789012"
        process.send_signal(signal.SIGINT)
        process.wait()
        assert process.returncode == 0
        assert not folder_of(settings).exists()


@pytest.mark.needs_trino
def test_an_endpoint_that_is_ended_while_a_query_waits_for_trino_does_not_wait() -> None:
    with running(ATHENA) as (process, settings):
        client = Client.connect(settings, "lake")
        client.athena.start_query_execution(
            QueryString="select 1", ResultConfiguration={"OutputLocation": "s3://lake/r/"}
        )
        [trino] = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
        assert not is_running(trino)
        assert not folder_of(settings).exists()


@pytest.mark.needs_trino
def test_a_trino_that_runs_elsewhere_is_used_and_outlives_the_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is started as trino/compose.yml does, after the endpoint and with what that printed."""
    there = server.installed()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setenv("TRINO_URL", f"http://127.0.0.1:{port}")
    with running(ATHENA) as (process, settings):
        assert children(process.pid) == []
        assert there is not None
        trino, log, url = server.launch(there, tmp_path / "trino", settings, TRINO.recipe / "catalog", port=port)
        try:
            assert url == os.environ["TRINO_URL"]
            client = Client.connect(settings, "lake")
            client.glue.create_database(DatabaseInput={"Name": "d"})
            kind = "table_type = 'ICEBERG', is_external = false, location = 's3://lake/t/'"
            client.execute(f"create table d.t with ({kind}) as select 1 as n")
            assert client.rows("select n from d.t") == [("1",)]
            process.terminate()
            process.wait()
            assert trino.poll() is None
        finally:
            server.close(trino)
            log.close()


# -------------------- without Trino


def test_one_endpoint_at_a_time_runs_in_a_process_and_without_its_engine_only_queries_fail() -> None:
    with LocalAthena(has_engine=False) as athena:
        with pytest.raises(RuntimeError, match="another LocalAthena runs in this process"):
            LocalAthena(has_engine=False).start()
        client = Client.connect(athena.environment(), "lake")
        client.glue.create_database(DatabaseInput={"Name": "d"})
        assert client.rows("show databases") == [("d",)]
        with pytest.raises(QueryFailedError, match="started without Athena's engine"):
            client.rows("select 1")
    with LocalAthena(has_engine=False) as athena:
        assert Client.connect(athena.environment(), "lake").rows("show databases") == []


def fake_java(folder: Path, version: str, modules: str = "java.base jdk.compiler jdk.incubator.vector") -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").touch(mode=0o755)
    (folder / "release").write_text(f'JAVA_VERSION="{version}"\nIMPLEMENTOR="somebody"\nMODULES="{modules}"\n')
    return folder


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that has no Java; gives a folder in which one may be put that is looked into."""
    for name in ("JAVA_HOME", "JAVA_HOME_25_X64", "JAVA_HOME_25_ARM64"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(java, "_USUAL_PLACES", (f"{tmp_path}/jvm/*",))
    return tmp_path / "jvm"


def test_java_is_found_where_it_usually_is(nowhere: Path) -> None:
    fake_java(nowhere / "jdk-17", "17.0.1")
    wanted = fake_java(nowhere / "temurin-25", "25.0.3")
    fake_java(nowhere / "zulu-26", "26")
    assert TRINO.find_java().home == wanted


def test_the_callers_choice_comes_first(nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(nowhere / "temurin-25", "25.0.3")
    monkeypatch.setenv("JAVA_HOME", str(fake_java(tmp_path / "mine", "25.0.1")))
    assert TRINO.find_java() == Java(tmp_path / "mine", "25.0.1 somebody ")


@pytest.mark.parametrize(
    ("version", "modules", "found"),
    [
        ("17.0.1", "java.base jdk.compiler jdk.incubator.vector", "only 17.0.1 in"),
        ("25.0.3", "java.base", "only 25.0.3 in"),  # a runtime without the compiler
        ("", "", "no Java was found"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(nowhere: Path, version: str, modules: str, found: str) -> None:
    if version:
        fake_java(nowhere / "java", version, modules)
    with pytest.raises(UnavailableError, match=f"Java 25, and {found}.*apt-get.*brew.*setup-java") as error:
        TRINO.find_java()
    assert "\n" not in str(error.value)


def test_a_command_says_at_once_that_java_is_missing(tmp_path: Path) -> None:
    program = (
        "import sys; from dbt_local_aws import java; java._USUAL_PLACES = (); "
        "from dbt_local_aws.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--only", "athena", "--", "true"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        "the endpoints cannot start: Athena's engine, Trino, needs a development kit of Java 25"
    )
    assert done.stderr.count("\n") == 1


def test_maven_is_asked_for_only_where_trino_is_not_there_yet(
    nowhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_java(nowhere / "temurin-25", "25.0.3")
    monkeypatch.setenv("LOCAL_AWS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UnavailableError, match=r"Maven.*apt-get install maven.*brew install maven"):
        jars.install(TRINO)
    assert not list((tmp_path / "cache").glob("trino-*"))


@pytest.mark.parametrize("change", ["another", "missing", "more"])
def test_a_jar_that_is_not_what_it_must_be_is_refused(tmp_path: Path, change: str) -> None:
    checksums = tmp_path / "jars.sha256"
    # of "content"
    checksums.write_text("ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73  a.jar\n")
    engine, folder = replace(TRINO, recipe=tmp_path), tmp_path / "jars"
    folder.mkdir()
    (folder / "a.jar").write_text("content")
    jars.verify(engine, folder)
    if change == "another":
        (folder / "a.jar").write_text("other content")
    elif change == "missing":
        (folder / "a.jar").unlink()
    else:
        (folder / "b.jar").write_text("content")
    with pytest.raises(
        UnavailableError, match=f"1 of Trino's jars .* the first is {'b' if change == 'more' else 'a'}.jar"
    ):
        jars.verify(engine, folder)
