"""The fixture `local_aws` in a session of somebody else's."""

import json

import pytest

from dbt_local_aws import pytest_plugin
from dbt_local_aws.jars import Engine
from dbt_local_aws.java import UnavailableError
from dbt_local_aws.process import NotStartedError

pytest_plugins = ["pytester"]

ASKS_FOR_ATHENA = """
    def test_athena(local_aws):
        assert local_aws.athena["AWS_ENDPOINT_URL"]
"""
MARKED = """
    import pytest

    @pytest.mark.needs_trino
    def test_marked():
        pass
"""


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(_engine: Engine) -> None:
        raise UnavailableError("Java 25 is not here")

    monkeypatch.setattr(Engine, "check", check)
    for name in ("CI", "TRINO_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_java")
def test_without_java_a_test_that_needs_athena_is_skipped_and_says_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_fixture=ASKS_FOR_ATHENA, test_mark=MARKED)
    result = pytester.inline_run("--strict-markers")
    assert result.countoutcomes() == [0, 2, 0]
    said = [str(report.longrepr) for report in result.getreports("pytest_runtest_logreport") if report.skipped]
    assert len([text for text in said if "NOT TESTED: Java 25 is not here" in text]) == 2


@pytest.mark.usefixtures("no_java")
def test_in_ci_it_is_not_skipped(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile(test_mark=MARKED)
    assert pytester.inline_run().countoutcomes() == [1, 0, 0]


def test_in_ci_an_athena_that_does_not_start_fails_the_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: str) -> None:
        raise NotStartedError("the endpoint did not start: it ended with code 1")

    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(pytest_plugin, "start", start)
    pytester.makepyfile(test_fixture=ASKS_FOR_ATHENA)
    assert pytester.inline_run().countoutcomes() == [0, 0, 1]


def test_redshift_starts_without_java_and_only_when_it_is_asked_for(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    pytester.makepyfile("""
        import os
        import boto3
        import redshift_connector

        def test_nothing_has_started(local_aws):
            assert "redshift" not in vars(local_aws)

        def test_it_answers(local_aws):
            with local_aws.using("redshift") as settings:
                assert "AWS_PROFILE" not in os.environ
                assert boto3.client("s3").list_buckets()["Buckets"][0]["Name"] == "lake"
                with redshift_connector.connect(
                    host=settings["REDSHIFT_HOST"], port=int(settings["REDSHIFT_PORT"]),
                    database=settings["REDSHIFT_DATABASE"], user=settings["REDSHIFT_USER"],
                    password=settings["DBT_ENV_SECRET_REDSHIFT_PASSWORD"], sslmode=settings["REDSHIFT_SSLMODE"],
                ) as connection:
                    assert connection.cursor().execute("select 1").fetchone() == [1]
            assert os.environ["AWS_PROFILE"] == "production"
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2)


@pytest.mark.needs_trino
def test_all_workers_of_a_session_share_one_trino_which_ends_with_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import json, os, time, pathlib, pytest, boto3

        @pytest.mark.parametrize("number", range(2))
        def test_athena(local_aws, number):
            with local_aws.using("athena") as settings:
                client = boto3.client("athena")
                started = client.start_query_execution(
                    QueryString="select 1", ResultConfiguration={"OutputLocation": os.environ["ATHENA_S3_STAGING_DIR"]}
                )["QueryExecutionId"]
                state = "QUEUED"
                while state in ("QUEUED", "RUNNING"):
                    time.sleep(0.1)
                    execution = client.get_query_execution(QueryExecutionId=started)["QueryExecution"]
                    state = execution["Status"]["State"]
                assert state == "SUCCEEDED"
            told = {"worker": os.environ["PYTEST_XDIST_WORKER"], "folder": settings["AWS_CONFIG_FILE"]}
            pathlib.Path(f"told-{number}.json").write_text(json.dumps(told))
    """)  # fmt: skip
    result = pytester.runpytest_subprocess("-n2", timeout=300)
    result.assert_outcomes(passed=2)
    told = [json.loads((pytester.path / f"told-{number}.json").read_text()) for number in range(2)]
    assert {one["worker"] for one in told} == {"gw0", "gw1"}
    [folder] = {one["folder"] for one in told}
    assert not pytester.path.joinpath(folder).exists()
