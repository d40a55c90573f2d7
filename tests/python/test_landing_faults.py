"""Faults: the loader survives them by trying again, or ends with one clear sentence; and the next load completes."""

import gzip
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
import urllib3
from botocore.response import StreamingBody

from lakehouse.errors import LandingError
from lakehouse.landing import ledger
from lakehouse.landing.load import land
from lakehouse.storage import s3 as s3_prefix
from lakehouse.storage import s3_lock
from landing_helpers import (
    PATIENCE_SECONDS,
    TABLES,
    FolderPlace,
    Place,
    assert_books_balance,
    content_of,
    ids,
    ledger_of,
    load,
    quarantined,
    read_as_a_reader,
    state_of,
)
from real_data import PROJECT_DIR
from s3_server import (
    DENIED,
    ELSEWHERE,
    INTERNAL_ERROR,
    REGION,
    SKEWED,
    SLOW_DOWN,
    Answer,
    Fault,
    FaultyS3,
    Forward,
    Request,
    S3Place,
    answer_lost,
    answer_lost_as_busy,
    cut_in_the_middle,
    cut_off,
    refused,
    s3_of_a_test,
    s3_server,
    with_other_etag,
    with_time_outs,
)

LEDGER = "zone/loader/ledger/readings.json"
LOCK = "zone/loader/lock.json"
PARTS = "zone/readings/landing/part=*"
SOURCE = "raw/readings/a/1.json"


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyS3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    monkeypatch.setattr(ledger, "now_ms", lambda: 1)
    with s3_of_a_test(server, monkeypatch) as s3:
        yield s3


@pytest.fixture
def source(s3: FaultyS3) -> S3Place:
    """A source that was landed twice, so that there is something to delete, and that has changed since."""
    source, zone = s3.place("raw"), s3.place("zone")
    source.put("readings/a/1.json", [{"id": 1}])
    source.put("readings/a/2.json", [{"id": 2}])
    source.put("readings/b/1.json", [{"id": 3}])
    load(source, zone)
    source.put("readings/a/1.json", [{"id": 10}])
    load(source, zone)
    source.put("readings/a/1.json", '{"id": 20}\nbroken\n')
    s3.requests.clear()
    return source


@pytest.fixture
def zone(s3: FaultyS3) -> S3Place:
    return s3.place("zone")


BEFORE, AFTER = [2, 3, 10], [2, 3, 20]

REQUESTS: dict[str, tuple[str, str]] = {
    "listing": ("ListObjectsV2", "*"),
    "taking the lock": ("PutObject", LOCK),
    "reading the ledger": ("GetObject", LEDGER),
    "deleting parts": ("DeleteObjects", "*"),
    "reading a source": ("GetObject", SOURCE),
    "writing a part": ("PutObject", PARTS),
    "writing the ledger": ("PutObject", LEDGER),
}


# --- what is survived


@pytest.mark.parametrize("fault", [SLOW_DOWN, INTERNAL_ERROR, cut_off, answer_lost, answer_lost_as_busy])
def test_what_fails_twice_is_done_at_the_third_attempt(
    s3: FaultyS3, source: S3Place, zone: S3Place, fault: Fault
) -> None:
    rules = [s3.on(operation, fault, key, times=2) for operation, key in REQUESTS.values()]
    load(source, zone)
    assert [rule.hits for rule in rules] == [2] * len(REQUESTS)
    assert ids(zone) == AFTER
    assert_books_balance(zone)
    s3.requests.clear()
    assert not load(source, zone).changed


@pytest.mark.parametrize("fault", [SLOW_DOWN, INTERNAL_ERROR, cut_off])
def test_failed_lock_releases_are_tried_again(s3: FaultyS3, source: S3Place, zone: S3Place, fault: Fault) -> None:
    rule = s3.on("DeleteObject", fault, LOCK, times=2)
    load(source, zone)
    assert rule.hits == 2
    assert_books_balance(zone)


@pytest.mark.parametrize("operation", ["GetObject", "ListObjectsV2"])
def test_a_body_that_breaks_off_is_fetched_again(s3: FaultyS3, source: S3Place, zone: S3Place, operation: str) -> None:
    keys = ["*"] if operation == "ListObjectsV2" else [LEDGER, SOURCE]
    rules = [s3.on(operation, cut_in_the_middle, key, times=2) for key in keys]
    load(source, zone)
    assert [rule.hits for rule in rules] == [2] * len(keys)
    assert ids(zone) == AFTER
    assert_books_balance(zone)


@pytest.mark.parametrize("fault", [ssl.SSLError(1, "bad record mac"), urllib3.exceptions.SSLError("decryption failed")])
def test_a_body_in_which_tls_fails_is_fetched_again(
    source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    failures = failing_bodies(monkeypatch, fault, 2)
    load(source, zone)
    assert [failure for _, failure in failures] == [fault, fault]
    assert ids(zone) == AFTER
    assert_books_balance(zone)


def test_tls_that_always_fails_is_told_in_a_sentence(
    source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_prefix, "ATTEMPTS", 2)
    failures = failing_bodies(monkeypatch, ssl.SSLError(1, "bad record mac"), 1000)
    with pytest.raises(LandingError, match=r"S3 cannot be reached, at every attempt .*bad record mac"):
        load(source, zone)
    assert failures
    assert all(body._raw_stream.closed for body, _ in failures)  # type: ignore[attr-defined]  # the stubs leave it out


def failing_bodies(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, times: int
) -> list[tuple[StreamingBody, Exception]]:
    """Has TLS fail while bodies are read, some times; gives bodies and failures as they happen."""
    read, failures = StreamingBody.read, list[tuple[StreamingBody, Exception]]()

    def fail(body: StreamingBody, amt: int | None = None) -> bytes:
        if len(failures) < times:
            failures.append((body, fault))
            raise fault
        return read(body, amt)

    monkeypatch.setattr(StreamingBody, "read", fail)
    return failures


@pytest.mark.parametrize("ignored", ["if-none-match", "if-match"])
def test_a_store_that_ignores_the_conditions_of_a_write_is_refused_before_anything_is_landed(
    s3: FaultyS3, source: S3Place, zone: S3Place, ignored: str
) -> None:
    before = content_of(zone)
    s3.ignored_header = ignored
    with pytest.raises(LandingError, match=r"takes a write whose condition .* does not hold"):
        load(source, zone)
    assert content_of(zone) == before


def test_who_pays_and_how_objects_are_encrypted_goes_with_every_request(
    s3: FaultyS3, source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    s3.set(monkeypatch, S3_REQUEST_PAYER="requester", S3_ENCRYPTION="aws:kms", S3_ENCRYPTION_KEY=key)
    s3.requests.clear()
    load(source, zone)
    load(source, zone, forget_vanished=True)
    assert {request.headers.get("x-amz-request-payer") for request in s3.requests} == {"requester"}
    writes = [request for request in s3.requests if request.operation in ("PutObject", "CopyObject")]
    assert writes
    for request in writes:
        assert request.headers.get("x-amz-server-side-encryption") == "aws:kms"
        assert request.headers.get("x-amz-server-side-encryption-aws-kms-key-id") == key
    assert ids(zone) == AFTER
    assert_books_balance(zone)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("S3_REQUEST_PAYER=me", "S3_REQUEST_PAYER is 'me': set it to requester, or not at all"),
        ("S3_ENCRYPTION=rot13", "S3_ENCRYPTION is 'rot13': set it to AES256 or aws:kms or aws:kms:dsse"),
        ("S3_ENCRYPTION_KEY=k", "S3_ENCRYPTION_KEY names a key of KMS: set S3_ENCRYPTION to aws:kms, too"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    s3: FaultyS3, zone: S3Place, monkeypatch: pytest.MonkeyPatch, setting: str, message: str
) -> None:
    name, _, value = setting.partition("=")
    s3.set(monkeypatch, **{name: value})
    with pytest.raises(LandingError, match=message):
        load(s3.place("raw"), zone)


def test_an_answer_that_does_not_come_is_asked_for_again(
    s3: FaultyS3, source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_time_outs(s3, monkeypatch, 1.5)
    keys = {"GetObject": SOURCE, "PutObject": LEDGER, "ListObjectsV2": "*"}
    rules = [s3.on(operation, s3.stalled, key, times=1) for operation, key in keys.items()]
    load(source, zone)
    assert [rule.hits for rule in rules] == [1, 1, 1]
    assert ids(zone) == AFTER
    assert_books_balance(zone)


def test_a_body_that_stalls_is_fetched_again(
    s3: FaultyS3, source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_time_outs(s3, monkeypatch, 1.5)

    def stall(request: Request, forward: Forward) -> Answer | None:
        answer = forward()
        return Answer(answer.status, answer.headers, answer.body, stall_at=3)

    rule = s3.on("GetObject", stall, SOURCE, times=1)
    load(source, zone)
    assert rule.hits == 1
    assert ids(zone) == AFTER


def test_an_outage_that_many_requests_meet_at_once_is_survived(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    s3.renew_client()
    for number in range(60):
        source.put(f"events/{number:02d}.json", [{"id": number}])
    rules = [s3.on("GetObject", INTERNAL_ERROR, f"raw/events/{number:02d}.json", times=3) for number in range(60)]
    load(source, zone)
    assert {rule.hits for rule in rules} == {3}
    assert ids(zone, "events") == list(range(60))


def test_a_throttled_prefix_is_read_in_the_end(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    s3.renew_client()
    for number in range(150):
        source.put(f"events/{number:03d}.json", [{"id": number}])
    rules = [s3.on("GetObject", SLOW_DOWN, f"raw/events/{number:03d}.json", times=2) for number in range(150)]
    load(source, zone)
    assert {rule.hits for rule in rules} == {2}
    assert ids(zone, "events") == list(range(150))


def test_a_wrong_etag_of_a_source_is_put_right_by_the_next_load(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    rule = s3.on("GetObject", with_other_etag, SOURCE, times=1)
    load(source, zone)
    assert rule.hits == 1
    assert ids(zone) == AFTER
    s3.requests.clear()
    assert not load(source, zone).changed
    assert s3.count("GetObject", key=SOURCE) == 1
    s3.requests.clear()
    assert not load(source, zone).changed
    assert s3.count("GetObject", key=SOURCE) == 0


def test_a_part_that_s3_received_otherwise_is_sent_again(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    rule = s3.on("PutObject", with_other_etag, PARTS, times=1)
    load(source, zone)
    assert rule.hits == 1
    assert ids(zone) == AFTER


def test_a_bucket_of_another_region_is_found_by_itself(s3: FaultyS3, source: S3Place, zone: S3Place) -> None:
    s3.renew_client()

    def other_region(request: Request, forward: Forward) -> Answer | None:
        if f"/{REGION}/s3/" in request.headers.get("authorization", ""):
            return ELSEWHERE(request, forward)
        return forward()

    rules = [s3.on(operation, other_region) for operation in ("ListObjectsV2", "GetObject", "PutObject")]
    load(source, zone)
    assert rules[0].hits > 1
    assert ids(zone) == AFTER


# --- what ends the load with a sentence, and is mended by the next

BUSY = r"S3 is too busy or failing \({}\), at every attempt: land again later$"
OUT_OF_REACH = r"S3 cannot be reached, at every attempt \(.*\): check the network and AWS_ENDPOINT_URL, land again$"
LACKS = r"access denied: the AWS identity in use lacks {} \(S3 says: Access Denied\)$"
RIGHTS = {
    "listing": "s3:ListBucket",
    "taking the lock": "s3:PutObject",
    "reading the ledger": "s3:GetObject",
    "deleting parts": "s3:DeleteObject",
    "reading a source": "s3:GetObject",
    "writing a part": "s3:PutObject",
    "writing the ledger": "s3:PutObject",
}
EXPIRED = refused(400, "ExpiredToken", "The provided token has expired.")
TOO_LARGE = refused(400, "EntityTooLarge", "too large")
ARCHIVED = refused(403, "InvalidObjectState", "The operation is not valid for the object's storage class")

FATAL: list[tuple[str, Fault, str]] = [
    *((request, SLOW_DOWN, BUSY.format("SlowDown")) for request in REQUESTS),
    *((request, DENIED, LACKS.format(right)) for request, right in RIGHTS.items()),
    *((request, cut_off, OUT_OF_REACH) for request in REQUESTS),
    ("reading a source", INTERNAL_ERROR, BUSY.format("InternalError")),
    ("reading a source", cut_in_the_middle, OUT_OF_REACH),
    ("reading the ledger", cut_in_the_middle, OUT_OF_REACH),
    ("listing", cut_in_the_middle, BUSY.format("500")),
    ("writing a part", with_other_etag, r"S3 received other bytes than were sent, twice: land again$"),
    ("listing", SKEWED, r"this machine's clock is wrong, S3's says Thu, 01 Jan 1970 00:00:00 GMT: set it right$"),
    ("listing", ELSEWHERE, r"bucket bucket-\S+ is in eu-central-1: set AWS_DEFAULT_REGION to it$"),
    ("taking the lock", ELSEWHERE, r"bucket bucket-\S+ is in eu-central-1: set AWS_DEFAULT_REGION to it$"),
    ("taking the lock", EXPIRED, r"the AWS credentials are not accepted \(ExpiredToken\): renew them$"),
    ("reading a source", ARCHIVED, r"the object is in an archive: restore it first$"),
    ("writing a part", TOO_LARGE, r"S3 refused PutObject \(EntityTooLarge: too large\)$"),
]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("case", FATAL, ids=[f"{request}-{message[:24]}" for request, _, message in FATAL])
def test_a_fault_that_lasts_is_told_in_a_sentence_and_the_next_load_completes(
    s3: FaultyS3, source: S3Place, zone: S3Place, case: tuple[str, Fault, str]
) -> None:
    request, fault, message = case
    if fault is ELSEWHERE:
        s3.renew_client()
    before = state_of(zone)
    operation, key = REQUESTS[request]
    rule = s3.on(operation, fault, key)
    with pytest.raises(LandingError, match=message) as raised:
        load(source, zone)
    assert rule.hits
    assert "\n" not in str(raised.value)
    assert re.match(rf"s3://{s3.bucket}\S*: ", str(raised.value))
    assert state_of(zone) == before
    s3.rules.clear()
    load(source, zone)
    assert ids(zone) == AFTER
    assert_books_balance(zone)


class _Clock:
    """A clock on which nothing takes time but sleep."""

    CLOCK_BOOTTIME = CLOCK_MONOTONIC = 0

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def clock_gettime(self, clock: int) -> float:
        return self._now + clock

    def sleep(self, seconds: float) -> None:
        self._now += 5 * seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a lock that was left lapse as soon as somebody watches it."""
    monkeypatch.setattr(s3_lock, "time", _Clock())


def test_a_stall_that_lasts_is_told_in_a_sentence(
    s3: FaultyS3, source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_time_outs(s3, monkeypatch, 1.0)
    monkeypatch.setattr("lakehouse.storage.s3.ATTEMPTS", 2)
    rule = s3.on("GetObject", s3.stalled, SOURCE)
    with pytest.raises(LandingError, match=rf"{SOURCE}: S3 cannot be reached, at every attempt \(Read timeout"):
        load(source, zone)
    assert rule.hits
    s3.rules.clear()
    load(source, zone)
    assert ids(zone) == AFTER


def test_nobody_at_the_endpoint_is_told_in_a_sentence(
    s3: FaultyS3, source: S3Place, zone: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.set(monkeypatch, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    with pytest.raises(LandingError, match=r"^s3://\S+: S3 cannot be reached, at every attempt \(.*127\.0\.0\.1:9/"):
        load(source, zone)


@pytest.mark.parametrize("kind", ["S3", "folder"])
def test_a_truncated_gzip_file_is_landed_as_far_as_it_goes_and_replaced_by_the_whole_one(
    s3: FaultyS3, tmp_path: Path, kind: str
) -> None:
    source: Place = s3.place("raw") if kind == "S3" else FolderPlace(tmp_path / "raw")
    zone = s3.place("zone")
    lines = b"".join(b'{"id": %d, "level": %d.5}\n' % (number, number * 7919 % 1000) for number in range(5_000))
    whole = gzip.compress(lines, mtime=0)
    source.put("readings/a/1.json.gz", whole[: len(whole) // 2])
    source.put("readings/a/2.json", [{"id": -1}])
    load(source, zone)
    *_, reject = rejects = quarantined(zone)
    assert len(rejects) <= 2  # a record may be cut in two
    assert reject["reason"] == "the gzip file ends early: what follows cannot be read"
    found = ids(zone)
    assert found == list(range(-1, len(found) - 1))
    assert 1_000 < len(found) < 5_000
    assert reject["line"] == len(found)
    assert_books_balance(zone)
    source.put("readings/a/1.json.gz", whole)
    load(source, zone)
    assert (ids(zone), quarantined(zone)) == (list(range(-1, 5_000)), [])
    assert_books_balance(zone)


def test_a_damaged_gzip_file_is_told_and_nothing_after_the_damage_is_trusted(s3: FaultyS3, zone: S3Place) -> None:
    source = s3.place("raw")
    whole = bytearray(gzip.compress(b"".join(b'{"id": %d}\n' % number for number in range(500)), mtime=0))
    whole[-6] ^= 1  # the checksum
    source.put("readings/a/1.json.gz", bytes(whole))
    load(source, zone)
    (reject,) = quarantined(zone)
    assert reject["reason"].startswith("the gzip file is damaged (Error -3")
    assert_books_balance(zone)


# --- full disks

FULL_DISK = """
import json, os, resource, signal, sys, tempfile
from pathlib import Path
from lakehouse.landing import parts
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from landing_helpers import SMALL, landed, put
kind, source, zone, disk = sys.argv[1:]
if zone.startswith("s3:"):
    parts._IN_MEMORY_BYTES = 1 << 10
ballast = Path(disk) / "ballast"
if kind == "size":
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
else:
    ballast.write_bytes(bytes(900_000))
try:
    land([source], zone, SMALL)
except LandingError as error:
    print(error)
else:
    print("was not full")
if kind == "size":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
else:
    ballast.unlink()
print(land([source], zone, SMALL).tables["readings"].records_landed)
if not zone.startswith("s3:"):
    print(len(landed(Path(zone))), [path.name for path in Path(zone).rglob("*.tmp")])
"""


def _random_records(count: int) -> bytes:
    return b"".join(
        b'{"id": %d, "name": "%s", "level": %d.5}\n' % (number, os.urandom(4).hex().encode(), number * 7919 % 99_991)
        for number in range(count)
    )


@pytest.mark.parametrize("kind", ["size", "space"])
@pytest.mark.parametrize("what", ["the zone", "the temporary folder"])
def test_a_full_disk_is_told_with_the_name_of_the_folder(s3: FaultyS3, tmp_path: Path, kind: str, what: str) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    source = FolderPlace(tmp_path / "raw")
    source.put("readings/a/1.json", _random_records(20_000))
    is_spool = what == "the temporary folder"
    zone = s3.place("zone").location if is_spool else str(disk / "zone")
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", FULL_DISK, kind, source.location, zone, str(disk)]
    if kind == "space":
        mount = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'
        private = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
        if subprocess.run([*private, mount, disk, "true"], capture_output=True, check=False).returncode:
            pytest.skip("this system lets nobody mount a file system of their own")
        command = [*private, mount, str(disk), *command]
    spool = disk if is_spool else tmp_path
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": _TESTS, "TMPDIR": str(spool)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    said = "No space left on device" if kind == "space" else "File too large"
    named = spool if is_spool else zone
    expected = [f"{named}: {said}; nothing that was landed before is lost", "20000"]
    assert (done.stdout.splitlines(), done.stderr) == (expected + ([] if is_spool else ["20000 []"]), "")
    if is_spool:
        assert ids(s3.place("zone")) == list(range(20_000))
        assert_books_balance(s3.place("zone"))


_TESTS = str(PROJECT_DIR / "tests/python")


# --- size


def test_a_line_of_a_hundred_megabytes_is_quarantined_and_its_neighbours_are_landed(tmp_path: Path) -> None:
    source, zone = FolderPlace(tmp_path / "raw"), FolderPlace(tmp_path / "zone")
    line = b'{"id": 2, "name": "' + b"x" * 100_000_000 + b'"}'
    source.put("readings/a/1.json", b'{"id": 1}\n' + line + b'\n{"id": 3}\n')
    load(source, zone)
    (reject,) = quarantined(zone)
    assert (reject["line"], reject["byte_offset"], reject["record_bytes"]) == (2, 10, pytest.approx(len(line), abs=1))
    assert reject["reason"].startswith("a value has more than 16,777,216 bytes, or does not end (the first 49,149 of ")
    assert ids(zone) == [1, 3]
    assert_books_balance(zone)
    assert not load(source, zone).changed


RECORDS = 10_000_000
MEASURED = """
import json, resource, sys
from lakehouse.records import fetch
from lakehouse.landing.load import land
from landing_helpers import SMALL
fetch.AHEAD_BYTES = 8 << 20
report = land([sys.argv[1]], sys.argv[2], SMALL)
peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) * 1024
print(json.dumps([report.tables["events"].records_landed, peak]))
"""


def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path) -> None:
    texts = [os.urandom(24).hex().encode() for _ in range(10_000)]
    block = b"".join(b'{"id": %d, "text": "%s"}\n' % pair for pair in enumerate(texts))
    peaks = []
    for count in (RECORDS * 3 // 10, RECORDS):
        source, zone = tmp_path / f"raw{count}", tmp_path / f"zone{count}"
        (source / "events").mkdir(parents=True)
        with (source / "events/1.json").open("wb") as file:
            for _ in range(count // 10_000):
                file.write(block)
        done = subprocess.run(
            [
                "sh",
                "-c",
                '"$@"',
                "sh",
                sys.executable,
                "-c",
                MEASURED,
                source,
                zone,
            ],
            env={**os.environ, "PYTHONPATH": _TESTS},
            capture_output=True,
            text=True,
            check=True,
        )
        found, peak = json.loads(done.stdout)
        assert found == count
        assert sum(row["records_landed"] for row in ledger_of(FolderPlace(zone), "events")) == count
        peaks.append(peak)
        shutil.rmtree(source)
    assert peaks[1] < peaks[0] + 48_000_000


# --- kills

ZYGOTE = """
import json, os, signal, sys
import lakehouse.commands.land, lakehouse.storage.s3
from lakehouse.cli import main

def kill_at(moment, folder, count_to):
    calls = 0
    def watch(event, arguments):
        nonlocal calls
        if event == "open":
            if not (arguments[2] & (os.O_WRONLY | os.O_RDWR) if isinstance(arguments[2], int) else False):
                return
        elif event not in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "fcntl.flock"):
            return
        if event != "fcntl.flock" and not os.fspath(arguments[0]).startswith(folder):
            return
        calls += 1
        if count_to:
            os.write(count_to, b".")
        if calls == moment:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)

for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        nothing, log = os.open(os.devnull, os.O_RDWR), os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(nothing, 0), os.dup2(log, 1), os.dup2(log, 2)
        if order["folder"]:
            count_to = os.open(order["count_to"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if order["count_to"] else None
            kill_at(order["moment"], order["folder"], count_to)
        sys.argv = ["lakehouse", "land", *order["arguments"]]
        code = 1
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Lander:
    """Runs `lakehouse land`, each time in a process of its own, which has its imports behind it already."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._log = folder / "log"
        self._count = folder / "count"

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def moments(self) -> int:
        """How many changes the last load made that was counted."""
        return self._count.stat().st_size

    def start(self, source: Place, zone: Place, moment: int = 0, *, count: bool = False) -> int:
        """Starts a load, and gives its process; in a folder it is killed at its n-th change of it."""
        folder = zone.location if isinstance(zone, FolderPlace) else ""
        order = {
            "arguments": ["--source", source.location, "--to", zone.location, "--forget-vanished"],
            "log": str(self._log),
            "count_to": str(self._count) if count else "",
            "moment": moment,
            "folder": folder,
        }
        self._to.write(json.dumps(order) + "\n")
        self._to.flush()
        return int(self._from.readline())

    def wait(self) -> int:
        """Waits for the load's end; negative is the signal that killed it."""
        return os.waitstatus_to_exitcode(int(self._from.readline()))

    @property
    def _to(self) -> IO[str]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _from(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout


@pytest.fixture
def lander(s3: FaultyS3, tmp_path: Path) -> Iterator[Lander]:
    with _lander(tmp_path) as lander:
        yield lander


@contextmanager
def _lander(folder: Path) -> Iterator[Lander]:
    with subprocess.Popen(
        [sys.executable, "-c", ZYGOTE],
        env={**os.environ, "TMPDIR": str(folder)},
        cwd=PROJECT_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Lander(process, folder)


KILLED_TABLES = ("staging_songs", "customer_landing", "step_trainer_landing")


def _fill_first(source: Place) -> None:
    source.put("step_trainer/1.json", [_step(1), _step(2)])
    source.put("step_trainer/2.json", [_step(3)])
    source.put(
        "customers/1.json",
        '{"email": "a@b", "serialNumber": "s", "lastUpdateDate": 1655564400000}',
    )
    source.put("song_data/A/1.json", [_song(1)])
    source.put("song_data/B/1.json", [_song(2)])


def _fill_second(source: Place) -> None:
    source.put("step_trainer/1.json", [_step(11), _step(12), _step(13)])
    source.delete("step_trainer/2.json")
    source.put("customers/1.json", "broken\n")
    source.put("song_data/A/1.json", [_song(3)])
    source.put("song_data/C/1.json", [_song(4)])
    source.put("song_data/C/copy.json", [_song(4)])


def _step(number: int) -> dict[str, Any]:
    return {"sensorReadingTime": 1655564437436 + number, "serialNumber": "s", "distanceFromObject": number}


def _song(number: int) -> dict[str, Any]:
    return {"artist_id": f"A{number}", "artist_name": "n", "duration": 1.5, "song_id": f"S{number}", "title": "t"}


def _seen(zone: Place) -> dict[str, list[bytes]]:
    return {table: read_as_a_reader(zone, table) for table in KILLED_TABLES}


def _assert_a_load_outlives_kills(
    source: Place, zones: Callable[[int], Place], kill: Callable[[int, Place], bool], moments: int
) -> None:
    """Kills a load at moments spread over it: each table is as before or after; the next load completes."""
    before, after = zones(-2), zones(-1)
    _fill_first(source)
    _land(source, before)
    old = _seen(before)
    _fill_second(source)
    _clone(before, after)
    _land(source, after)
    clean = state_of(after, KILLED_TABLES, but=("source", "landed_at"))
    new = _seen(after)
    seen_kinds = set()
    for number in range(moments):
        zone = zones(number)
        _clone(before, zone)
        assert kill(number, zone), f"not killed at {number}"
        for table, records in _seen(zone).items():
            assert records in (old[table], new[table]), f"{table}, killed at {number}"
            seen_kinds.add(records == new[table])
        _land(source, zone)
        assert state_of(zone, KILLED_TABLES, but=("source", "landed_at")) == clean, f"killed at {number}"
        assert_books_balance(zone, KILLED_TABLES)
    assert seen_kinds == {True, False}


def _land(source: Place, zone: Place) -> None:
    tables = {name: TABLES[name] for name in KILLED_TABLES}
    land([source.location], zone.location, tables, forget_vanished=True)


def _clone(zone: Place, to: Place) -> None:
    for key in zone.keys():  # noqa: SIM118 - no dict
        to.put(key, zone.get(key) or b"")


@pytest.mark.usefixtures("clock")
def test_a_load_to_s3_that_is_killed_is_all_or_nothing_and_the_next_one_repairs_it(
    s3: FaultyS3, lander: Lander
) -> None:
    source = s3.place("raw")
    _fill_first(source)
    _land(source, s3.place("counted"))
    _fill_second(source)
    s3.requests.clear()
    lander.start(source, s3.place("counted"))
    assert lander.wait() == 0, lander.log
    total = len(s3.requests)
    moments = 16
    for key in ("song_data/C/1.json", "song_data/C/copy.json"):
        source.delete(key)

    def kill(number: int, zone: Place) -> bool:
        at = 2 + number * (total - 3) // (moments - 1)
        victims: list[int] = []
        started = threading.Event()
        seen = iter(range(1, 10_000))

        def watch(request: Request, forward: Forward) -> Answer | None:
            if next(seen) != at:
                return forward()
            assert started.wait(PATIENCE_SECONDS)
            answer = forward() if number % 2 else None
            os.kill(victims[0], signal.SIGKILL)
            return answer

        for operation in ("ListObjectsV2", "GetObject", "PutObject", "DeleteObjects", "DeleteObject"):
            s3.on(operation, watch)
        victims.append(lander.start(source, zone))
        started.set()
        code = lander.wait()
        s3.rules.clear()
        return code == -signal.SIGKILL

    _assert_a_load_outlives_kills(source, lambda number: s3.place(f"zone{number}"), kill, moments)


@pytest.mark.usefixtures("clock")
def test_a_load_to_a_folder_that_is_killed_is_all_or_nothing_and_the_next_one_repairs_it(
    lander: Lander, tmp_path: Path
) -> None:
    source = FolderPlace(tmp_path / "raw")
    _fill_first(source)
    _land(source, FolderPlace(tmp_path / "counted"))
    _fill_second(source)
    lander.start(source, FolderPlace(tmp_path / "counted"), count=True)
    assert lander.wait() == 0, lander.log
    total = lander.moments
    assert total > 15
    for key in ("song_data/C/1.json", "song_data/C/copy.json"):
        source.delete(key)

    def kill(number: int, zone: Place) -> bool:
        lander.start(source, zone, 1 + number * (total - 1) // 15)
        return lander.wait() == -signal.SIGKILL

    _assert_a_load_outlives_kills(source, lambda number: FolderPlace(tmp_path / f"zone{number}"), kill, 16)


# --- readers


@pytest.mark.parametrize("kind", ["S3", "folder"])
def test_a_reader_sees_one_whole_state_after_the_other_while_loads_are_at_work(
    s3: FaultyS3, tmp_path: Path, kind: str
) -> None:
    source: Place = s3.place("raw") if kind == "S3" else FolderPlace(tmp_path / "raw")
    zone: Place = s3.place("zone") if kind == "S3" else FolderPlace(tmp_path / "zone")
    versions = 8
    states = [
        sorted(json.dumps({"id": version * 10 + number}).encode() for number in range(4)) for version in range(versions)
    ]
    seen: list[int] = []
    pass_done, over = threading.Event(), threading.Event()
    wrong: list[object] = []

    def read() -> None:
        while not over.is_set():
            try:
                records = read_as_a_reader(zone, "readings")
                seen.append(states.index(records) if records else -1)
            except Exception as error:
                wrong.append(error)
                pass_done.set()
                return
            pass_done.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for version in range(versions):
            for number in range(4):
                source.put(f"readings/{'abcd'[number]}/1.json", [{"id": version * 10 + number}])
            load(source, zone)
            for _ in range(2):  # the pass that is under way may have begun before
                pass_done.clear()
                assert wrong == []
                assert pass_done.wait(PATIENCE_SECONDS)
    finally:
        over.set()
        reader.join()
    assert wrong == []
    assert seen == sorted(seen)
    assert set(range(versions)) <= set(seen)
    assert_books_balance(zone)
