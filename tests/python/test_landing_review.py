"""What the loader gets wrong today, one test a mistake."""

import gzip
import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
import typer
from typer.testing import CliRunner

import land
from dbt_project import DbtProject
from lakehouse import fetching, packing, planning, reading
from lakehouse.checking import RecordChecker
from lakehouse.errors import LandingError
from lakehouse.landing import land as land_sources
from lakehouse.ledger import QuarantinedRecord
from lakehouse.local_folder import LocalFolder
from lakehouse.packing import PartPress, is_part, name_load
from lakehouse.reading import BYTE_ORDER_MARK, Run, read_records
from lakehouse.sources import load_tables
from lakehouse.storage import Claim, Say
from landing_helpers import READINGS, TABLES, landed, load, put, rows
from s3_server import DENIED, FaultyS3, Forward, ledger_of, refused, s3_of_a_test, s3_server
from s3_server import load as load_places

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from s3_server import Answer, Request

CHECKER = RecordChecker(READINGS)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    return tmp_path / "zone"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyS3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    with s3_of_a_test(server, monkeypatch) as s3:
        yield s3


# --- records lost


def _damaged_early(size: int) -> bytes:
    noise = random.Random(1)  # noqa: S311 - no secret
    begun = gzip.compress(
        b"".join(b'{"id":%d,"text":"%s"}\n' % (i, noise.randbytes(50).hex().encode()) for i in range(9))
    )
    return begun[:300] + b"\xff" * 100 + noise.randbytes(size)


def test_what_is_left_of_a_damaged_file_is_not_taken_for_the_next_file(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "BLOCK_BYTES", 4096)
    put(source, "readings/a/1.json.gz", _damaged_early(6000))
    put(source, "readings/a/2.json", [{"id": 1000 + number} for number in range(500)])
    load(source, zone)
    assert {json.loads(record)["id"] for record in landed(zone)} >= set(range(1000, 1500))


def test_a_damaged_file_does_not_stop_the_load_of_the_next(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "BLOCK_BYTES", 4096)
    put(source, "readings/a/1.json.gz", _damaged_early(6000))
    put(source, "readings/a/2.json", [{"id": 1}])
    load(source, zone)
    assert landed(zone) == [b'{"id": 1}']


def test_the_fingerprint_of_a_damaged_file_is_that_of_all_its_bytes(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else files that differ behind the damage are taken for copies."""
    monkeypatch.setattr(fetching, "BLOCK_BYTES", 4096)
    damaged = _damaged_early(6000)
    put(source, "readings/a/1.json.gz", damaged)
    load(source, zone)
    assert [row["sha256"] for row in rows(zone, "ledger")] == [hashlib.sha256(damaged).hexdigest()]


def test_a_broken_line_takes_no_indented_neighbours_into_the_quarantine() -> None:
    """They are good records; and of what is refused as one, only the first 49,149 bytes are kept."""
    text = b' {"id":1}\n broken\n' + b' {"id":2}\n' * 10_000
    found = list(read_records([text], CHECKER))
    assert (
        sum(record.records if isinstance(record, Run) else record.verdict.fault is None for record in found) == 10_001
    )


@pytest.mark.parametrize("kind", ["first member", "first block"])
def test_a_byte_order_mark_may_come_alone(kind: str) -> None:
    blocks = {
        "first member": [BYTE_ORDER_MARK[:1], BYTE_ORDER_MARK[1:]],
        "first block": [BYTE_ORDER_MARK[:2], BYTE_ORDER_MARK[2:]],
    }
    found = list(read_records([*blocks[kind], b'{"id":1}\n'], CHECKER))
    assert [record.verdict.fault for record in found if not isinstance(record, Run)] == []


# --- what the gate passes and an engine refuses


@pytest.mark.parametrize("raw", [b'{"id":1,"id"  :2}', b'{"id":1,"id"\n :2}'])
def test_a_key_twice_is_found_however_many_blanks_stand_before_its_colon(raw: bytes, tmp_path: Path) -> None:
    file = put(tmp_path, "x.json", raw.replace(b"\n", b" ") + b"\n")
    with pytest.raises(duckdb.InvalidInputException, match="duplicate key"):
        duckdb.sql(
            f"select id from read_json('{file}', format='newline_delimited', columns={{id: 'integer'}})"  # noqa: S608
        ).fetchall()
    assert "stands twice" in (CHECKER.check(raw).fault or "")
    assert CHECKER.count_good(raw.replace(b"\n", b" ") + b"\n") is None


@pytest.mark.parametrize("raw", [b'{"id":1,"URL":"a","Url":"b"}', b'{"id":1,"tags":{"Name":"a","name":"b"}}'])
def test_keys_that_differ_in_case_only_are_one_key_to_athena(raw: bytes) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html: JSONException: Duplicate key."""
    assert CHECKER.check(raw).fault is not None


@pytest.mark.parametrize("number", ["1.50", "1e2", "-0", "0.10"])
def test_a_number_in_a_text_column_reads_as_it_was_written_or_is_refused(number: str, tmp_path: Path) -> None:
    raw = f'{{"id":1,"name":{number}}}'
    file = put(tmp_path, "x.json", raw + "\n")
    columns = "{id: 'integer', name: 'varchar'}"
    sql = f"select name from read_json('{file}', format='newline_delimited', columns={columns})"  # noqa: S608
    (read,) = duckdb.sql(sql).fetchall()[0]
    assert read == number or CHECKER.check(raw.encode()).fault is not None


@pytest.mark.parametrize("number", ["1e-400", "-2E-9999", "0." + "0" * 400 + "1"])
def test_a_number_that_no_double_tells_from_zero_is_refused(number: str) -> None:
    """PostgreSQL, which is behind the local Redshift, says that it is out of range."""
    raw = f'{{"id":1,"level":{number}}}'.encode()
    assert CHECKER.check(raw).fault is not None
    assert CHECKER.count_good(raw + b"\n") is None


# --- nothing new, nothing written


@pytest.mark.parametrize("record", ['{"id":100}', '{"id":"100"}\n'], ids=["no last line break", "quarantine"])
def test_a_pack_that_does_not_fit_into_one_part_is_not_written_by_every_load(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch, record: str
) -> None:
    for module in (packing, planning):
        monkeypatch.setattr(module, "MAX_PART_BYTES", 1000)
    for number in range(100):
        put(source, f"readings/a/{number}.json", record.replace("100", str(100 + number)))
    load(source, zone)
    keys = {(row["object_key"], row["quarantine_key"]) for row in rows(zone, "ledger")}
    assert not load(source, zone).changed
    assert {(row["object_key"], row["quarantine_key"]) for row in rows(zone, "ledger")} == keys


# --- time and memory that grow with more than the data


@pytest.mark.parametrize(
    "record", [b'{"id":1,"level":}\n', b'{\n  "id": 1,\n  "level": 1.5\n}\n'], ids=["broken lines", "indented objects"]
)
def test_the_work_of_looking_closer_grows_with_the_text_only(record: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    rest = reading._Reader._rest

    def counted(reader: reading._Reader) -> str:
        nonlocal looked_at
        text = rest(reader)
        looked_at += len(text)
        return text

    monkeypatch.setattr(reading._Reader, "_rest", counted)
    text = record * 5000
    assert len(list(read_records([text], CHECKER))) == 5000
    assert looked_at < 50 * len(text)


def test_the_rows_of_a_quarantine_are_looked_through_once(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file of a part that is written anew looks through all of them: 4,000 files take 7 s, 8,000 take 30 s."""
    files = 200
    for number in range(files):
        put(source, f"readings/a/{number}.json", [{"id": number}, {"id": str(number)}])
    load(source, zone)
    put(source, "readings/a/one-more.json", [{"id": -1}])
    compared = 0

    def key(row: QuarantinedRecord) -> tuple[str, str]:
        nonlocal compared
        compared += 1
        return row.source, row.source_file

    monkeypatch.setattr(QuarantinedRecord, "key", property(key))
    load(source, zone)
    assert len(landed(zone)) == files + 1
    assert compared <= 10 * files


def test_drift_is_bounded_however_many_keys_there_are(source: Path, zone: Path) -> None:
    put(source, "readings/a/1.json", [{"id": number, f"user {number}": 1} for number in range(5000)])
    report = load(source, zone)
    assert len(report.tables["readings"].drift) <= 1000
    outcome = CliRunner().invoke(_command(), ["--source", str(_songs(source)), "--to", str(zone.parent / "songs")])
    assert outcome.exit_code == 0, outcome.output
    assert outcome.output.count("is not declared") <= 100


# --- readers


def _song(number: int) -> dict[str, object]:
    return {"artist_id": f"A{number}", "artist_name": "n", "duration": 1.5, "song_id": f"S{number}", "title": "t"}


def _songs(folder: Path) -> Path:
    put(folder, "song_data/A/1.json", [_song(number) | {f"key {number}": 1} for number in range(500)])
    return folder


@pytest.mark.parametrize("loads_before", [1, 2])
def test_a_query_of_duckdb_sees_the_old_or_the_new_state(
    source: Path, zone: Path, tmp_path: Path, loads_before: int
) -> None:
    """The files are listed when the query is planned, the ledger is read when it runs; a load may lie between."""

    def fill(version: int) -> None:
        for number, group in enumerate("ABCD"):
            put(source, f"song_data/{group}/1.json", [_song(10 * version + number)])

    for version in range(loads_before):
        fill(version)
        land_sources([source], zone, TABLES)
    project = DbtProject.copy(tmp_path / "project", zone, "mine")
    project.dbt("run-operation", "register_landing")
    long_list = ",".join(f"'{number}'" for number in range(40_000))  # takes a while to plan
    songs = "select song_id from sparkify_landing.staging_songs"
    sql = f"{songs} where song_id not in ({long_list}) order by 1"
    states = [[(f"S{10 * version + number}",) for number in range(4)] for version in range(loads_before + 5)]
    with duckdb.connect(str(project.database), read_only=True) as connection:
        began = time.monotonic()
        connection.execute(sql)
        takes = time.monotonic() - began
        for version, fraction in enumerate((0.5, 0.4, 0.6, 0.3, 0.7), start=loads_before):
            fill(version)
            loader = threading.Timer(takes * fraction, land_sources, ([source], zone, TABLES))
            loader.start()
            try:
                seen = connection.execute(sql).fetchall()
            finally:
                loader.join()
            assert seen in states[version - 1 : version + 1]


def test_a_zone_whose_name_has_two_slashes_is_no_empty_zone(source: Path, tmp_path: Path) -> None:
    put(source, "song_data/A/1.json", [_song(1)])
    land_sources([source], tmp_path / "lake/zone", TABLES)
    (tmp_path / "project").mkdir()
    project = DbtProject.copy(tmp_path / "project", Path("unused"), "mine")
    named = DbtProject(project.folder, _AsTyped(f"{tmp_path}/lake//zone"), "mine")  # type: ignore[arg-type]
    named.dbt("run-operation", "register_landing")
    assert named.rows("sparkify_landing.staging_songs") == 1


class _AsTyped(str):
    """A path as a person typed it, which pathlib would put right."""

    __slots__ = ()


# --- two loads


def test_a_load_that_wakes_up_while_it_writes_a_manifest_leaves_no_wrong_one(
    s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redshift copies what the manifest lists, and notes what the ledger says."""
    monkeypatch.setattr("lakehouse.s3_lock.LEASE_SECONDS", 1.0)
    monkeypatch.setattr("lakehouse.s3_lock.S3Lock._keep", lambda lock: None)
    source, other, zone = s3.place("raw"), s3.place("other"), s3.place("zone")
    source.put("readings/a/1.json", [{"id": 1}])
    other.put("readings/b/1.json", [{"id": 2}])
    load_places([source, other], zone)
    first_load = ledger_of(zone)[0]["object_key"].rpartition("/")[2].rsplit("-", 1)[0]
    source.put("readings/a/1.json", [{"id": 11}])
    other.put("readings/b/1.json", [{"id": 12}])

    def while_it_sleeps(request: "Request", forward: Forward) -> "Answer | None":
        load_places(other, zone)
        return forward()

    manifest = f"loader/copy/readings/records/{first_load}-1.json"
    asleep = s3.on("PutObject", while_it_sleeps, key=f"zone/{manifest}", times=1)
    with pytest.raises(LandingError, match="changed by another load"):
        load_places(source, zone)
    assert asleep.hits == 1
    listed = json.loads(zone.get(manifest) or b"{}")["entries"]
    still_there = {row["object_key"] for row in ledger_of(zone) if first_load in row["object_key"]}
    assert {entry["url"] for entry in listed} == {f"{zone.location}/{key}" for key in still_there}


def test_a_file_that_another_load_landed_meanwhile_has_not_vanished(
    source: Path, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the source must be looked up when nobody else can land from it any more."""
    put(source, "readings/a/1.json", [{"id": 1}])
    load(source, zone)
    exclusive = LocalFolder.exclusive

    def after_another_load(folder: LocalFolder, say: Say) -> "AbstractContextManager[Claim]":
        monkeypatch.setattr(LocalFolder, "exclusive", exclusive)
        put(source, "readings/a/2.json", [{"id": 2}])
        load(source, zone)
        return exclusive(folder, say)

    monkeypatch.setattr(LocalFolder, "exclusive", after_another_load)
    load(source, zone, forget_vanished=True)
    assert landed(zone) == [b'{"id": 1}', b'{"id": 2}']


def test_the_hundred_thousandth_part_of_a_load_is_a_part(tmp_path: Path) -> None:
    with PartPress(LocalFolder(tmp_path), name_load()) as press:
        press.written.extend(["another"] * 99_999)
        assert is_part(press.begin("readings/landing").key)


# --- the command


def _command() -> typer.Typer:
    app = typer.Typer()
    app.command()(land.main)
    return app


def test_json_is_printed_whatever_the_files_are_called(source: Path, zone: Path) -> None:
    _songs(source)
    (source / "not-utf8-\udcff.txt").write_text("x")
    outcome = CliRunner().invoke(_command(), ["--source", str(source), "--to", str(zone), "--json"])
    assert outcome.exit_code == 0, outcome.exception


def test_an_endpoint_without_a_scheme_is_told_in_a_sentence(
    zone: Path, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.set(monkeypatch, AWS_ENDPOINT_URL="localhost:9000")
    outcome = CliRunner().invoke(_command(), ["--source", "s3://bucket/x", "--to", str(zone)])
    s3.renew_client()
    assert outcome.exit_code == 2, outcome.exception
    assert "AWS_ENDPOINT_URL" in outcome.output


def test_what_s3_says_of_a_right_that_is_lacking_is_passed_on(s3: FaultyS3, zone: Path) -> None:
    """The right may be one that the operation's name does not tell, like that to a KMS key."""
    said = "User: arn:aws:iam::1:user/a is not authorized to perform: kms:Decrypt on the resource associated"
    source = s3.place("raw")
    source.put("readings/a/1.json", [{"id": 1}])
    s3.on("GetObject", refused(403, "AccessDenied", said))
    with pytest.raises(LandingError, match="kms:Decrypt"):
        land_sources([source.location], zone, {READINGS.name: READINGS})


def test_without_credentials_nobody_is_told_of_an_identity_in_use(
    s3: FaultyS3, zone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.set(monkeypatch, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    s3.on("ListObjectsV2", DENIED)
    with pytest.raises(LandingError, match=r"AWS_ACCESS_KEY_ID"):
        land_sources([s3.place("raw").location], zone, {READINGS.name: READINGS})


def test_a_dry_run_puts_nothing_in_quarantine_and_says_so(source: Path, zone: Path) -> None:
    put(source, "song_data/A/1.json", "broken\n")
    outcome = CliRunner().invoke(_command(), ["--source", str(source), "--to", str(zone), "--dry-run"])
    assert "1 records in quarantine" not in outcome.output


def test_an_empty_location_is_not_the_current_folder(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a variable of a shell that is not set."""
    put(source, "song_data/A/1.json", [_song(1)])
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    outcome = CliRunner().invoke(_command(), ["--source", str(source), "--to", ""])
    assert outcome.exit_code == 2
    assert list(here.iterdir()) == []


def test_every_missing_option_is_named() -> None:
    outcome = CliRunner().invoke(_command(), [])
    assert "--source" in outcome.output
    assert "--to" in outcome.output


@pytest.mark.parametrize(
    "declared",
    [
        "version: 2\n",
        "sources: [\n",
        "sources:\n- name: s\n  tables:\n  - name: t\n    config: {meta: {landing_folder: t, source_files: '*'}}\n",
        "sources:\n- name: s\n  tables:\n  - name: t\n    config: {meta: {landing_folder: t}}\n"
        "    columns: [{name: c, data_type: varchar(65536)}]\n",
    ],
    ids=["no sources", "no YAML", "a glob that is no list", "longer than Redshift's longest text"],
)
def test_a_declaration_that_makes_no_sense_is_told_in_a_sentence(tmp_path: Path, declared: str) -> None:
    put(tmp_path, "models/x/_x__sources.yml", declared)
    with pytest.raises(LandingError):
        load_tables(tmp_path)
