"""COPY is told in which region the landing zone is, before anything lands there."""

import os
from collections.abc import Iterator

import pytest

from lakehouse.errors import LandingError
from lakehouse.pipeline.copy_region import REGION_VARIABLE, tell_copy_the_region
from s3_server import DENIED, Answer, FaultyS3, Forward, Request, refused, s3_of_a_test, s3_server

FRANKFURT = "eu-central-1"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyS3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    monkeypatch.setenv(REGION_VARIABLE, "")  # so that what a test sets is taken back
    monkeypatch.setenv("REDSHIFT_HOST", "")
    with s3_of_a_test(server, monkeypatch) as s3:
        yield s3


def told(target: str, zone: str) -> tuple[str, list[str]]:
    """The region that dbt is given, and what the person is told."""
    said: list[str] = []
    tell_copy_the_region(target, zone, said.append)
    return os.environ[REGION_VARIABLE], said


@pytest.fixture
def frankfurt(s3: FaultyS3) -> str:
    """A zone in another region."""
    s3.backend.create_bucket("frankfurt", FRANKFURT)
    return "s3://frankfurt/zone"


@pytest.mark.parametrize(
    ("host", "cluster"),
    [
        ("lake.abc123.us-west-2.redshift.amazonaws.com", "us-west-2"),
        ("group.111122223333.us-gov-west-1.redshift-serverless.amazonaws.com", "us-gov-west-1"),
        ("lake.abc123.cn-north-1.redshift.amazonaws.com.cn", "cn-north-1"),
    ],
)
def test_a_zone_elsewhere_is_told_of_and_copied_from_there(
    frankfurt: str, monkeypatch: pytest.MonkeyPatch, host: str, cluster: str
) -> None:
    monkeypatch.setenv("REDSHIFT_HOST", host)
    region, said = told("redshift", frankfurt)
    assert region == FRANKFURT
    (sentence,) = said
    assert sentence.startswith(f"{frankfurt} is in {FRANKFURT}, the cluster in {cluster}: ")


@pytest.mark.parametrize("host", ["lake.abc123.eu-central-1.redshift.amazonaws.com", "warehouse.example", "127.0.0.1"])
def test_nothing_is_said_where_both_are_together_or_nobody_knows(
    frankfurt: str, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("REDSHIFT_HOST", host)
    assert told("redshift", frankfurt) == (FRANKFURT, [])


def test_what_a_person_has_set_is_not_asked_for(s3: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REGION_VARIABLE, "eu-north-1")
    assert told("redshift", s3.place("zone").location) == ("eu-north-1", [])
    assert s3.requests == []


@pytest.mark.parametrize(
    ("target", "zone"), [("athena", "s3://bucket/zone"), ("duckdb", "/zone"), ("redshift", "/zone")]
)
def test_nothing_is_asked_for_where_nothing_is_copied(s3: FaultyS3, target: str, zone: str) -> None:
    assert told(target, zone) == ("", [])
    assert s3.requests == []


def test_a_bucket_that_there_is_not_is_told(s3: FaultyS3) -> None:
    message = "^s3://no-such-bucket/zone: there is no bucket no-such-bucket: check the name, or create it$"
    with pytest.raises(LandingError, match=message):
        told("redshift", "s3://no-such-bucket/zone")


def test_who_may_list_below_a_prefix_only_is_told_the_region_all_the_same(s3: FaultyS3) -> None:
    s3.on("HeadBucket", refused(403, "AccessDenied", x_amz_bucket_region=FRANKFURT))
    assert told("redshift", s3.place("zone").location) == (FRANKFURT, [])


def test_a_store_that_does_not_say_where_it_is_leaves_it_to_redshift(s3: FaultyS3) -> None:
    def without_region(request: Request, forward: Forward) -> Answer | None:
        answer = forward()
        return Answer(answer.status, tuple(field for field in answer.headers if "region" not in field[0].lower()))

    for fault in (without_region, DENIED):
        s3.rules.clear()
        s3.on("HeadBucket", fault)
        assert told("redshift", s3.place("zone").location) == ("", [])
