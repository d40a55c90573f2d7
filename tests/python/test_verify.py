"""A verification: what goes wrong is told as a failure and keeps no step back, and the evidence says who answered."""

import gzip
import json
import socket
import stat
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import boto3
import duckdb
import msgspec
import pytest

from lakehouse.commands.aws.verify import main
from lakehouse.console import ConsoleReporter
from lakehouse.errors import BuildError, LandingError, SettingsError
from lakehouse.parity.dump import CATALOGUE, Column, Relation, rows_file
from lakehouse.pipeline.dataset import Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.sample import generate
from lakehouse.verify.answered import Answered, where_is
from lakehouse.verify.building import compared
from lakehouse.verify.evidence import Evidence, commit_of, page_of, write_evidence
from lakehouse.verify.forgetting import choose_somebody, relations_that_hold
from lakehouse.verify.landing import counted_records, land_again
from lakehouse.verify.left import Left, Unpacker, Version, keep_versions, look_at_everything, remove_everything
from lakehouse.verify.run import DoesNotApplyError, Facts, NotKeptError, Outcome, Result, Step, run_steps
from lakehouse.verify.usage import Query, dollars
from lakehouse.verify.world import World, own_places, work_in
from landing_helpers import TABLES, FolderPlace, land_all
from real_data import PROJECT_DIR
from s3_server import FaultyS3, s3_of_a_test
from s3_server import s3_server as serving

LOCAL = Answered(
    "local endpoints", "…9012", "us-west-2", {"s3": "http://127.0.0.1:1"}, "Werkzeug", {"version()": "483"}
)
NOW = datetime(2026, 11, 29, 18, 0, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------------------ the run
def raising(error: Exception) -> Any:  # noqa: ANN401 - a check
    def check(_: object) -> Facts:
        raise error

    return check


def outcomes(*steps: Step[Any]) -> list[Result]:
    notes: list[int] = []
    results = run_steps(steps, None, ConsoleReporter(), lambda so_far: notes.append(len(so_far)))
    assert notes == list(range(1, len(steps) + 1))
    return results


@pytest.mark.quick
def test_a_step_that_fails_keeps_none_back_but_those_that_need_it() -> None:
    results = outcomes(
        Step("first", "it holds", raising(NotKeptError("3 rows are missing"))),
        Step("second", "it needs the first", lambda _: {"rows": 1}, needs=("first",)),
        Step("third", "it needs the second", lambda _: {"rows": 1}, needs=("second",)),
        Step("fourth", "it does not apply", raising(DoesNotApplyError("there is no such thing here"))),
        Step("fifth", "it holds, too", lambda _: {"rows": 2}),
    )
    assert [(result.name, result.outcome, result.reason) for result in results] == [
        ("first", Outcome.FAILED, "3 rows are missing"),
        ("second", Outcome.SKIPPED, "without first it could say nothing"),
        ("third", Outcome.SKIPPED, "without second it could say nothing"),
        ("fourth", Outcome.SKIPPED, "there is no such thing here"),
        ("fifth", Outcome.PASSED, ""),
    ]
    assert results[-1].facts == {"rows": 2}


@pytest.mark.quick
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(
            BuildError("it failed", {"model.a": "error", "test.b": "fail"}, ()), "model.a (error)", id="a build"
        ),
        pytest.param(OSError(28, "No space left on device"), "No space left on device", id="the machine"),
        pytest.param(ValueError("ann@x.com is odd"), "a fault of this program: ValueError", id="a fault"),
        pytest.param(KeyError(), "a fault of this program: KeyError", id="a fault without words"),
    ],
)
def test_every_error_is_a_failure_and_a_fault_quotes_no_row(error: Exception, reason: str) -> None:
    (result,) = outcomes(Step("one", "it holds", raising(error)))
    assert result.outcome is Outcome.FAILED
    assert reason in result.reason
    assert "ann@x.com" not in result.reason


@pytest.mark.quick
def test_what_a_step_saw_before_it_failed_is_kept() -> None:
    (result,) = outcomes(Step("one", "it holds", raising(NotKeptError("2 objects hold them", {"objects": 9}))))
    assert (result.outcome, result.facts) == (Outcome.FAILED, {"objects": 9})


@pytest.mark.quick
def test_a_verification_that_is_stopped_ends_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        outcomes(Step("one", "it holds", raising(cast("Exception", KeyboardInterrupt()))))


# ----------------------------------------------------------------------------------------------------------- evidence
def evidence_of(*results: Result, ended: bool = True, answered: Answered = LOCAL) -> Evidence:
    packages = {"dbt-core": "1.11.16", "some-other": "1"}
    end = NOW + timedelta(minutes=3) if ended else None
    return Evidence("redshift", "sample", NOW, end, "abc", answered, "3.11 on Linux", packages, results)


def result(outcome: Outcome, reason: str = "", **facts: object) -> Result:
    return Result("one", "it | holds", outcome, reason, NOW, 1.5, facts)


@pytest.mark.quick
def test_the_evidence_is_its_owners_and_says_what_came_out(tmp_path: Path) -> None:
    found = evidence_of(
        result(Outcome.PASSED, landed={"songs": 1200, "events": 3}, codes=[0, 2]),
        result(Outcome.FAILED, "two\nlines | and a bar"),
        result(Outcome.SKIPPED, "no RPUs"),
    )
    page = write_evidence(found, tmp_path)
    assert page.name == "2026-11-29T180000Z-redshift-local.md"
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in page.parent.iterdir()} == {0o600}
    text = page.read_text()
    assert "# Verification on redshift: local endpoints, 2026-11-29 18:00 UTC" in text
    assert "**1 passed, 1 failed, 1 skipped.**" in text
    assert "AWS itself was not asked" in text
    assert "| it &#124; holds | **passed** | 1.5 | landed: songs 1,200, events 3; codes: 0, 2 |" in text
    assert "| **failed** | 1.5 | two lines &#124; and a bar |" in text
    assert "dbt-core 1.11.16" in text
    told = json.loads(page.with_suffix(".json").read_text())
    assert told["packages"]["some-other"] == "1"
    assert [one["outcome"] for one in told["results"]] == ["passed", "failed", "skipped"]
    assert msgspec.convert(told, type=Evidence, strict=False).verdict == found.verdict


@pytest.mark.quick
def test_every_byte_that_is_left_is_in_the_evidence(tmp_path: Path) -> None:
    versions = [Version(f"s3://lake/part-{number}", f"v{number}", 1000, is_latest=False) for number in range(25)]
    before, after = Left(["s3://lake"], objects=9), Left(["s3://lake"], old_versions=25, holding=versions)
    facts: Facts = {
        "relations that held them": 12,
        "before": before,
        "after": after,
        "the eraser said": ["done", "all of it"],
    }
    page = write_evidence(evidence_of(result(Outcome.PASSED, **facts)), tmp_path)
    text = page.read_text()
    assert "| it &#124; holds | **passed** | 1.5 | relations that held them: 12 |" in text
    assert "| objects | 9 | 0 |" in text
    assert "Old versions that still hold something of them: 25, 25,000 bytes." in text
    assert "| s3://lake/part-0 | v0 | 1,000 |" in text
    assert "And 5 more" in text
    assert "done\nall of it" in text
    told = json.loads(page.with_suffix(".json").read_text())["results"][0]["facts"]["after"]["holding"]
    assert len(told) == 25


@pytest.mark.quick
def test_what_a_killed_verification_wrote_says_that_it_is_unfinished(tmp_path: Path) -> None:
    page = write_evidence(evidence_of(result(Outcome.PASSED), ended=False), tmp_path)
    assert "**unfinished: 1 passed, 0 failed, 0 skipped" in page.read_text()
    assert write_evidence(evidence_of(result(Outcome.PASSED)), tmp_path) == page
    assert "unfinished" not in page.read_text()


@pytest.mark.quick
def test_evidence_of_aws_does_not_say_that_it_was_not_asked() -> None:
    text = page_of(evidence_of(answered=msgspec.structs.replace(LOCAL, where="AWS")))
    assert "AWS itself was not asked" not in text
    assert "redshift: AWS, 2026" in text


@pytest.mark.quick
def test_the_commit_is_told_with_changes_and_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", "of-ci")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) == "of-ci"
    who = ("-c", "user.name=a", "-c", "user.email=a@b.cd")
    for command in (("init", "-q"), (*who, "commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    head = commit_of(tmp_path)
    assert len(head) == 40
    (tmp_path / "new").touch()
    assert commit_of(tmp_path) == f"{head}, with changes that are not committed"


# ------------------------------------------------------------------------------------------------------- who answered
ADDRESSES = {"127.0.0.1": "127.0.0.1", "localhost": "::1", "s3.us-west-2.amazonaws.com": "52.92.0.1"}
AWS = "https://s3.us-west-2.amazonaws.com"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("urls", "led", "where"),
    [
        ([AWS], {}, "AWS"),
        (["http://127.0.0.1:5000", "postgres://localhost:5439"], {}, "local endpoints"),
        ([AWS, "postgres://localhost:5439"], {}, "neither AWS nor local endpoints alone"),
        ([AWS], {"s3.us-west-2.amazonaws.com": "127.0.0.1"}, "local endpoints"),
        (["http://s3.example.com"], {"s3.example.com": "10.0.0.1"}, "neither AWS nor local endpoints alone"),
        (["https://amazonaws.com.x"], {"amazonaws.com.x": "10.0.0.1"}, "neither AWS nor local endpoints alone"),
        (["https://gone.amazonaws.com"], {}, "neither AWS nor local endpoints alone"),
    ],
)  # fmt: skip
def test_who_answered_is_told_by_where_the_names_lead(
    monkeypatch: pytest.MonkeyPatch, urls: Sequence[str], led: dict[str, str], where: str
) -> None:
    def resolved(host: str, _port: object) -> list[Any]:
        address = (ADDRESSES | led).get(host)
        if address is None:
            raise socket.gaierror(-2, "Name or service not known")
        return [(None, None, None, None, (address, 0))]

    monkeypatch.setattr("socket.getaddrinfo", resolved)
    assert where_is({str(number): url for number, url in enumerate(urls)}) == where


@pytest.mark.quick
def test_a_verification_lies_below_the_places_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDING_ZONE", "s3://b/landing/")
    monkeypatch.setenv("ATHENA_S3_DATA_DIR", "s3://b/lake")
    monkeypatch.delenv("ATHENA_S3_STAGING_DIR", raising=False)
    monkeypatch.setenv("ENVIRONMENT", "ada")
    places, settings = own_places("athena")
    assert places == ("s3://b/landing/verify/athena", "s3://b/lake/verify/athena")
    assert settings == {
        "LANDING_ZONE": "s3://b/landing/verify/athena/zone",
        "ATHENA_S3_DATA_DIR": "s3://b/lake/verify/athena",
        "ENVIRONMENT": "ada_verify",
    }
    for zone in ("", "landing/sample"):
        monkeypatch.setenv("LANDING_ZONE", zone)
        with pytest.raises(SettingsError, match="must be on S3"):
            own_places("athena")


@pytest.mark.quick
@pytest.mark.parametrize(("target", "told"), [("duckdb", "duckdb is not on AWS"), ("redshift", "must be on S3")])
def test_what_cannot_be_verified_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, told: str
) -> None:
    (tmp_path / "dbt_project.yml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LANDING_ZONE", raising=False)
    with pytest.raises(SettingsError, match=told):
        main.__wrapped__(target=target)  # type: ignore[attr-defined]  # without what it does to signals
    assert [path.name for path in tmp_path.iterdir()] == ["dbt_project.yml"]


@pytest.mark.quick
def test_two_verifications_of_a_target_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with work_in(tmp_path, "athena") as work:
        (work / "rows").touch()
        assert stat.S_IMODE(work.stat().st_mode) == 0o700
        with pytest.raises(SettingsError, match="another verification of athena"), work_in(tmp_path, "athena"):
            pass
        with work_in(tmp_path, "redshift"):
            pass
        assert (work / "rows").exists()
    assert not work.exists()


# ----------------------------------------------------------------------------------------------------- what it looks at
def world_of(project: Path, zone: str, *sources: Path) -> World:
    data = Dataset(project, "small", [*map(str, sources)], 1, zone)
    dbt = DbtSession(PROJECT_DIR, "redshift", "small", ConsoleReporter().console)
    return World(PROJECT_DIR, (zone,), project, data, dbt, LOCAL, ConsoleReporter())


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("small") / "sample", scale=0.02).to


@pytest.fixture
def landed_world(sample: Path, tmp_path: Path) -> World:
    """A zone on this machine, which holds the sample."""
    (tmp_path / "models").symlink_to(PROJECT_DIR / "models")
    (tmp_path / "dbt_project.yml").symlink_to(PROJECT_DIR / "dbt_project.yml")
    land_all([sample], tmp_path / "zone")
    return world_of(tmp_path, str(tmp_path / "zone"), sample)


def test_records_that_are_lost_doubled_or_left_over_are_noticed(landed_world: World) -> None:
    zone = FolderPlace(Path(landed_world.data.zone))
    counts = counted_records(landed_world, landed_world.zone)
    assert counts.keys() == {table.name for table in TABLES.values() if table.source_files}
    assert min(counts.values()) > 0
    part = next(
        key
        for key in FolderPlace.keys(zone)
        if key.startswith("customer/landing/") and key.endswith(".gz") and zone.get(key)
    )
    whole = zone.get(part)
    assert whole is not None
    lines = gzip.decompress(whole).splitlines(keepends=True)
    for other in (lines[:-1], [*lines, lines[0]]):
        zone.put(part, gzip.compress(b"".join(other)))
        with pytest.raises(NotKeptError, match=r"customer_landing: .* records lie in the zone, the ledger says"):
            counted_records(landed_world, landed_world.zone)
    zone.put(part, whole)
    zone.put(part.replace("-00", "-77"), whole)
    with pytest.raises(NotKeptError, match="1 objects lie in the zone that the ledger does not name"):
        counted_records(landed_world, landed_world.zone)


def test_a_zone_without_a_record_proves_nothing(tmp_path: Path, landed_world: World) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(NotKeptError, match="nothing was landed"):
        counted_records(landed_world, world_of(tmp_path, str(tmp_path / "nothing")).zone)


def test_a_second_landing_that_changes_an_object_is_noticed(
    landed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dataset, "land", lambda *_: None)
    assert land_again(landed_world)["objects"] > 0
    zone = FolderPlace(Path(landed_world.data.zone))
    monkeypatch.setattr(Dataset, "land", lambda *_: zone.put("customer/landing/new.json", "x"))
    with pytest.raises(NotKeptError, match="1 objects are others after a second landing: customer/landing/new"):
        land_again(landed_world)


def test_somebody_is_chosen_who_consents_walks_and_is_like_nobody_else(landed_world: World) -> None:
    somebody = choose_somebody(landed_world)
    assert somebody.address in somebody.values
    assert len(somebody.values) >= 3  # a pseudonym, a device or a phone besides
    zone = FolderPlace(Path(landed_world.data.zone))
    parts = [gzip.decompress(zone.get(key) or b"") for key in FolderPlace.keys(zone) if key.endswith(".gz")]
    addresses = {json.loads(line).get("email", "").casefold() for part in parts for line in part.splitlines()}
    assert sum(somebody.address[:16] in address for address in addresses) == 1


def test_a_person_is_found_in_dumped_rows_whatever_the_case(tmp_path: Path, landed_world: World) -> None:
    somebody = choose_somebody(landed_world)
    (tmp_path / "s.with.jsonl").write_text(json.dumps(["1", somebody.address.upper()]) + "\n")
    (tmp_path / "s.without.jsonl").write_text(json.dumps(["1", "bob@x.com"]) + "\n")
    assert relations_that_hold(tmp_path, somebody) == ["s.with"]


@pytest.mark.quick
def test_relations_that_differ_are_named_and_their_values_are_not(tmp_path: Path) -> None:
    for name, value in (("one", "ann@x.com"), ("same", "ann@x.com"), ("other", "bob@x.com")):
        folder = tmp_path / name
        folder.mkdir()
        relation = Relation("s.r", (Column("email", "text"),), ("email",))
        (folder / CATALOGUE).write_bytes(msgspec.json.encode([relation]))
        rows_file(folder, "s.r").write_text(json.dumps([value]) + "\n")
    assert compared(tmp_path / "one", tmp_path / "same", "duckdb", "athena") == {"relations": 1, "rows": 1}
    with pytest.raises(NotKeptError, match=r"1 of 1 relations differ: s.r \(only duckdb has 1 rows") as told:
        compared(tmp_path / "one", tmp_path / "other", "duckdb", "athena")
    assert "x.com" not in str(told.value)


# ------------------------------------------------------------------------------------------------------ what is left
@pytest.fixture(scope="module")
def server() -> Iterator[FaultyS3]:
    with serving() as started:
        yield started


@pytest.fixture
def s3(server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    with s3_of_a_test(server, monkeypatch) as of_this_test:
        yield of_this_test


PERSON = "ann.ambrose@example.com"


def avro(codec: bytes, text: bytes) -> bytes:
    """An Avro file of one block."""

    def long(value: int) -> bytes:
        return bytes([value << 1]) if value < 64 else bytes([(value << 1) & 0x7F | 0x80, value >> 6])

    def text_of(value: bytes) -> bytes:
        return long(len(value)) + value

    packer = zlib.compressobj(wbits=-15)
    block = packer.compress(text) + packer.flush() if codec == b"deflate" else text
    sync = b"s" * 16
    return (
        b"Obj\x01"
        + long(1)
        + text_of(b"avro.codec")
        + text_of(codec)
        + long(0)
        + sync
        + long(1)
        + text_of(block)
        + sync
    )


def parquet(folder: Path, text: str) -> bytes:
    file = folder / "rows.parquet"
    with duckdb.connect() as connection:
        connection.sql("select $1 as email", params=[text]).write_parquet(str(file), compression="zstd")
    return file.read_bytes()


@pytest.mark.parametrize("packed", ["plain", "gzip", "two members", "deflated avro", "avro", "parquet", "only its key"])
def test_a_person_is_found_however_an_object_is_packed(s3: FaultyS3, tmp_path: Path, packed: str) -> None:
    text = f"x {PERSON.upper()} y".encode()
    content = {
        "plain": text,
        "gzip": gzip.compress(text),
        "two members": gzip.compress(b"nobody\n") + gzip.compress(text),
        "deflated avro": avro(b"deflate", text),
        "avro": avro(b"null", text),
        "parquet": parquet(tmp_path, "X" * 5000 + PERSON),
        "only its key": b"nobody",
    }[packed]
    place = s3.place("lake")
    place.put(f"{PERSON}.json" if packed == "only its key" else "an-object", content)
    place.put("another", gzip.compress(b"bob@example.com"))
    s3.place("lake_of_others").put("an-object", text)
    left = look_at_everything([place.location], [PERSON], tmp_path)
    assert [version.is_latest for version in left.holding] == [True]
    assert left.holding_bytes(latest=True) == len(content)
    assert left.objects == 2
    assert list(tmp_path.glob("unpacked*")) == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(avro(b"snappy", b"x"), id="unknown packing"),
        pytest.param(avro(b"deflate", b"x" * 40)[:-20], id="avro that breaks off"),
        pytest.param(gzip.compress(b"nobody" * 99)[:20] + b"\0" * 20, id="damaged gzip"),
        pytest.param(b"PAR1 and no more", id="damaged parquet"),
    ],
)
def test_what_cannot_be_unpacked_is_not_taken_for_empty(s3: FaultyS3, tmp_path: Path, content: bytes) -> None:
    place = s3.place("lake")
    place.put("an-object", content)
    with pytest.raises(LandingError, match="an-object cannot be looked into"):
        look_at_everything([place.location], [PERSON], tmp_path)


def test_old_versions_markers_and_uploads_are_listed_and_removed(s3: FaultyS3, tmp_path: Path) -> None:
    keep_versions(s3.bucket, days=7)
    place, others = s3.place("lake"), s3.place("lake2")
    place.put("rewritten", PERSON)
    place.put("rewritten", "nobody")
    place.put("deleted", f"and {PERSON}")
    others.put("theirs", PERSON)
    client = boto3.client("s3")
    client.delete_object(Bucket=s3.bucket, Key="lake/deleted")
    client.create_multipart_upload(Bucket=s3.bucket, Key="lake/begun")
    left = look_at_everything([place.location], [PERSON], tmp_path)
    found = (left.objects, left.old_versions, left.delete_markers, left.unfinished_uploads)
    assert found == (1, 2, 1, 1)
    assert sorted(version.key.rpartition("/")[2] for version in left.holding) == ["deleted", "rewritten"]
    assert left.holding_bytes(latest=True) == 0
    assert left.holding_bytes(latest=False) == 2 * len(PERSON) + 4
    assert left.old_versions_expire_after_days == 7
    assert remove_everything([place.location]) == 5
    assert look_at_everything([place.location], [PERSON], tmp_path).is_nothing
    assert others.get("theirs") == PERSON.encode()


def test_more_versions_than_s3_lists_at_once_are_removed(s3: FaultyS3, tmp_path: Path) -> None:
    place = s3.place("lake")
    for number in range(1_005):
        place.put(f"{number}", "")
    assert remove_everything([place.location]) == 1_005
    assert look_at_everything([place.location], [], tmp_path).is_nothing


def test_a_bucket_without_a_rule_for_a_place_keeps_old_versions_for_good(s3: FaultyS3, tmp_path: Path) -> None:
    place = s3.place("lake")
    assert look_at_everything([place.location], [], tmp_path).old_versions_expire_after_days is None
    rule: Any = {"ID": "x", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 3}}
    for scope, days in (
        ({"Prefix": "results/"}, None),
        ({"Tag": {"Key": "a", "Value": "b"}}, None),
        ({"Prefix": "lake"}, 3),
    ):
        boto3.client("s3").put_bucket_lifecycle_configuration(
            Bucket=s3.bucket, LifecycleConfiguration={"Rules": [rule | {"Filter": scope}]}
        )
        assert look_at_everything([place.location], [], tmp_path).old_versions_expire_after_days == days


def test_avro_numbers_are_read_as_avro_writes_them(tmp_path: Path) -> None:
    text = b"a" * 3000
    with Unpacker(tmp_path) as unpacker:
        assert list(unpacker.unpacked(avro(b"null", text)))[1:] == [text]


# -------------------------------------------------------------------------------------------------------------- usage
@pytest.mark.quick
@pytest.mark.parametrize(
    ("state", "kind", "scanned", "billed"),
    [
        ("SUCCEEDED", "DML", 1, 10_000_000),
        ("SUCCEEDED", "DML", 10_000_001, 11_000_000),
        ("CANCELLED", "DML", 20_000_000, 20_000_000),
        ("FAILED", "DML", 20_000_000, 0),
        ("SUCCEEDED", "DDL", 0, 0),
    ],
)
def test_athena_bills_by_the_megabyte(state: str, kind: str, scanned: int, billed: int) -> None:
    assert Query(NOW, state, kind, scanned, 1.0).billed_bytes == billed


@pytest.mark.quick
def test_dollars_are_by_the_projects_prices_or_not_known(tmp_path: Path) -> None:
    world = world_of(tmp_path, "s3://b/z")
    world.project = tmp_path
    assert dollars(world, "athena_terabyte", 2).startswith("not known")
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra/prices.yml").write_text("prices:\n  athena_terabyte: {usd: 5.00, source: a page}\n")
    assert dollars(world, "athena_terabyte", 0.5).startswith("2.5000, what the endpoints' work would cost")
    assert dollars(world, "redshift_rpu_hour", 1).startswith("not known")
