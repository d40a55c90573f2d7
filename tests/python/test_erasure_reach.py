"""An erasure looks further than its landing zone and database: leftovers go, and where else the person is, is told."""

import fcntl
import gzip
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import duckdb
import pytest

from lakehouse.console import ConsoleReporter
from lakehouse.derived.people import land_people
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.privacy.erase import Erasing
from lakehouse.privacy.leftovers import abandoned_work_folders, remove_abandoned_work_folders, work_folder
from lakehouse.privacy.proof import rewrite_duckdb, search_files, search_zone
from lakehouse.privacy.reach import Machine
from lakehouse.privacy.s3 import AthenaFiles, look_at_old_versions, look_at_uploads
from lakehouse.privacy.tokens import SECRET_KEY
from lakehouse.records.needles import Needles
from lakehouse.storage import open_folder
from landing_helpers import TABLES, FolderPlace, as_bytes, landed
from s3_server import DENIED, FaultyS3, S3Place, s3_of_a_test
from s3_server import s3_server as serving
from test_erasure import CUSTOMERS, KEY, READINGS, customer, reading
from test_erasure_people import WITH_MEMORY

PERSON = "ann@x.com"
PART = "customer/landing/.20200101T000000Z-0123456789ab-00001.json.gz.tmp"
UUID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture
def source(tmp_path: Path) -> FolderPlace:
    place = FolderPlace(tmp_path / "raw")
    place.put(f"{CUSTOMERS}/1.json", [customer(PERSON, "D1"), customer("bob@x.com", "D2")])
    place.put(f"{READINGS}/1.json", [reading(PERSON, 1), reading("bob@x.com", 1)])
    return place


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, and a temporary folder of the test's own."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.delenv("DUCKDB_PATH", raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def zone(project: Path, source: FolderPlace) -> FolderPlace:
    return landed_in(FolderPlace(project / "landing/mine"), source)


def landed_in(zone: FolderPlace, source: FolderPlace) -> FolderPlace:
    land([source.location], zone.location, TABLES)
    land_people(zone.location, TABLES, KEY, print)
    return zone


def erasing(project: Path, zone: FolderPlace, *addresses: str) -> Erasing:
    reporter = ConsoleReporter()
    dbt = DbtSession(project, "duckdb", "mine", reporter.console)
    return Erasing(zone.location, TABLES, addresses or [PERSON], dbt, reporter)


def machine(project: Path, zone: FolderPlace, *, database: bool = True) -> Machine:
    file = project / "lakehouse.duckdb" if database else None
    return Machine(project, zone.location, file, TABLES, Needles([PERSON]), frozenset([PERSON]))


def cut_off(records: bytes) -> bytes:
    """What a killed load had written of a part."""
    return gzip.compress(records + os.urandom(1 << 16))[: -(1 << 10)]


# ------------------------------------------------------------------------------------------------ the landing zone
def test_a_killed_loads_hidden_files_are_seen_and_go(project: Path, zone: FolderPlace) -> None:
    zone.put(PART, cut_off(as_bytes([customer(PERSON, "D1")])))
    zone.put("loader/erasures/.20200101T000000Z-0123456789ab.json.tmp", f'{{"source_files": ["{PERSON}"]}}')
    folder = open_folder(zone.location)
    found = search_zone(folder, TABLES, Needles([PERSON]))
    assert {f"{zone.location}/{PART}"} < found.keys()
    assert erasing(project, zone).run()
    assert search_zone(folder, TABLES, Needles([PERSON])) == {}
    assert not [key for key in zone.keys() if key.endswith(".tmp")]  # noqa: SIM118 - no dict


def test_leftovers_go_even_where_nothing_else_is_left(project: Path, zone: FolderPlace) -> None:
    assert erasing(project, zone).run()
    zone.put(PART, cut_off(as_bytes([customer(PERSON, "D1")])))
    assert erasing(project, zone).run()
    assert zone.get(PART) is None


def test_what_a_killed_erasure_made_tokens_with_goes(project: Path, zone: FolderPlace) -> None:
    """It was killed between the last table and the end: there is nobody left to erase."""
    zone.put(SECRET_KEY, '{"secret": "0"}')
    one = erasing(project, zone, "nobody@x.com")
    one.tables = WITH_MEMORY
    assert one.run()
    assert zone.get(SECRET_KEY) is None


def test_a_hidden_file_that_is_not_the_loaders_is_found_and_stays(
    project: Path, zone: FolderPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    zone.put("customer/landing/.notes.swp", f"write to {PERSON}")
    zone.put(".old/customer.json.gz", gzip.compress(as_bytes([customer(PERSON, "D1")])))
    assert not erasing(project, zone).run()
    said = capsys.readouterr().out
    assert f"still found: {zone.location}/customer/landing/.notes.swp (1)" in said
    assert f"still found: {zone.location}/.old/customer.json.gz (1)" in said
    assert zone.get("customer/landing/.notes.swp")


# ---------------------------------------------------------------------------------------------------- this machine
def killed_in_a_work_folder() -> Path:
    code = (
        "import os, signal; from lakehouse.privacy.leftovers import work_folder\n"
        "with work_folder() as folder:\n"
        "    (folder / 'secret').write_text('s')\n"
        "    print(folder, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    settings = {**os.environ, "TMPDIR": tempfile.gettempdir()}
    ran = subprocess.run([sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=False)
    return Path(ran.stdout.strip())


def test_what_a_killed_command_worked_in_goes_and_what_a_running_one_does_stays(project: Path) -> None:
    left = killed_in_a_work_folder()
    assert (left / "secret").exists()
    (project.parent / "temporary/lakehouse_erasing_notes").mkdir()  # somebody's own
    with work_folder() as own:
        assert stat.S_IMODE(own.stat().st_mode) == 0o700
        assert abandoned_work_folders() == [left]
        assert remove_abandoned_work_folders() == 1
        assert own.exists()
    assert not own.exists()
    assert not left.exists()
    assert (project.parent / "temporary/lakehouse_erasing_notes").exists()


def test_an_erasure_removes_what_was_left_unfinished(
    project: Path, zone: FolderPlace, source: FolderPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    left = killed_in_a_work_folder()
    landed_in(FolderPlace(project / ".parity/landing"), source)
    landed_in(FolderPlace(project / ".diff/0123456789ab-mine/tree/landing/mine"), source)
    for name in ("lakehouse.duckdb.failed", "lakehouse.duckdb.unfinished"):
        (project / name).mkdir()
        database_with(project / name / "lakehouse.duckdb", PERSON)
    (project / ".lakehouse.duckdb.erasing").write_text("x")
    assert not erasing(project, zone).dry_run()  # type: ignore[func-returns-value]
    said = capsys.readouterr().out
    unfinished = [
        left,
        *(project / name for name in ("lakehouse.duckdb.failed", "lakehouse.duckdb.unfinished", ".parity", ".diff")),
    ]
    for path in (*unfinished, project / ".lakehouse.duckdb.erasing"):
        assert f"would be removed, since it was left unfinished: {path}" in said
        assert path.exists()
    assert erasing(project, zone).run()
    said = capsys.readouterr().out
    for path in (*unfinished, project / ".lakehouse.duckdb.erasing"):
        assert f"removed, since it was left unfinished: {path}" in said
        assert not path.exists()
    landed_in(FolderPlace(project / ".parity/landing"), source)
    assert erasing(project, zone, "nobody@x.com").run()
    assert (project / ".parity").exists()  # nobody in it was asked for


def test_a_build_that_is_at_work_is_left_alone(project: Path, zone: FolderPlace) -> None:
    (project / "lakehouse.duckdb.unfinished").mkdir()
    with (project / "lakehouse.duckdb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reached = machine(project, zone).remove_unfinished()
        assert reached.removed == []
        assert reached.unknown == [
            f"{project}/lakehouse.duckdb.unfinished: a build is at work there; erase again when it is done"
        ]
    assert machine(project, zone).remove_unfinished().removed == [f"{project}/lakehouse.duckdb.unfinished"]


def database_with(path: Path, *values: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute('create schema "it\'s"')
        connection.execute(
            'create table "it\'s"."a ""table""" as select unnest($1) as "e mail", 1 as x', [list(values)]
        )
        connection.execute("create view nobodys as select 'ann@x.com' as email")
    return path


def test_other_landing_zones_and_databases_are_looked_into_and_told(
    project: Path, zone: FolderPlace, source: FolderPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    yours = landed_in(FolderPlace(project / "landing/yours"), source)
    (project / "landing/empty").mkdir()
    with_them = [
        database_with(project / "lakehouse_yours.duckdb", "Ann@X.com "),
        database_with(project / "lakehouse.duckdb.aside/yours-1/lakehouse.duckdb", PERSON),
    ]
    without = database_with(project / "lakehouse_theirs.duckdb", "bob@x.com", "joann@x.com")
    (project / "lakehouse_broken.duckdb").write_text("no database")
    assert not erasing(project, zone).run()
    said = capsys.readouterr().out
    assert "nothing is left" in said  # here
    assert f"also found: {yours.location} (" in said
    assert f"erase there, too: .venv/bin/lakehouse erase --zone {yours.location} …" in said
    for file in with_them:
        assert f"also found: {file} (1): delete it, or erase there, too: DUCKDB_PATH={file} " in said
        assert file.exists()
    assert str(without) not in said
    assert f"warning: {project}/lakehouse_broken.duckdb: " in said
    assert len(landed(yours, "customer_landing")) == 2


def test_a_zone_elsewhere_is_looked_for_beside_it(project: Path, tmp_path: Path, source: FolderPlace) -> None:
    zone = landed_in(FolderPlace(tmp_path / "zones/mine"), source)
    landed_in(FolderPlace(tmp_path / "zones/yours"), source)
    (tmp_path / "zones/notes").mkdir()
    (tmp_path / "zones/notes/1.txt").write_text(PERSON)  # no landing zone
    found = machine(project, zone, database=False).look_elsewhere().elsewhere
    assert [place.partition(" ")[0] for place in found] == [str(tmp_path / "zones/yours")]


def test_a_word_is_somebody_in_columns_of_addresses_of_other_databases_only(project: Path, zone: FolderPlace) -> None:
    with duckdb.connect(str(project / "lakehouse_yours.duckdb")) as connection:
        connection.execute("create table t as select 'Customer' as name, 'customer' as email")
    looking = Machine(project, zone.location, None, TABLES, Needles(["customer"]), frozenset(["customer"]))
    (place,) = looking.look_elsewhere().elsewhere
    assert place == f"{project}/lakehouse_yours.duckdb (1)"


def test_releases_and_endpoints_are_told(project: Path, zone: FolderPlace, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "releases/1").mkdir(parents=True)
    (project / ".bench").mkdir()
    endpoint = Path(tempfile.gettempdir()) / "local_redshift_1"
    endpoint.mkdir()
    assert erasing(project, zone).run()
    said = capsys.readouterr().out
    assert f"1 release of training data in {project}/releases: they keep the rows" in said
    assert f"{project}/.bench: it holds copies" in said
    assert str(endpoint) in said
    assert endpoint.exists()
    assert said.index("not looked into, since no command can reach it:") > said.index("nothing is left")
    assert said.splitlines()[-1].startswith("  ")


# ------------------------------------------------------------------------------------------- what goes wrong is said
def test_what_cannot_be_read_or_written_is_a_sentence(
    project: Path, zone: FolderPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "somewhere/dbt.log")

    for step in ("begin_receipt", "search_zone", "search_files"):
        with monkeypatch.context() as patch:
            patch.setattr(f"lakehouse.privacy.erase.{step}", refused)
            with pytest.raises(LandingError, match=r"^somewhere/dbt\.log: Permission denied$"):
                erasing(project, zone).run()
    assert erasing(project, zone).run()


@pytest.mark.parametrize("verbose", [[], ["--verbose"]])
def test_a_fault_of_the_program_has_an_exit_code_of_its_own_and_shows_no_address(
    zone: FolderPlace, verbose: list[str]
) -> None:
    """1 would say that something is still found; and a traceback that shows variables would name the person."""
    code = (
        "import sys\n"
        "from lakehouse.cli import main\n"
        "from lakehouse.pipeline.dbt_session import DbtSession\n"
        "def fails(*_): raise ValueError('a fault')\n"
        "DbtSession.parse = fails\n"
        f"sys.argv[1:] = {[*verbose, 'erase', '--zone', zone.location, '--yes', '--email', PERSON]!r}\n"
        "main()\n"
    )
    settings = {"PATH": os.environ["PATH"]}
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=settings, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 4, ran.stderr
    assert "error: a fault of this program: ValueError: a fault\n" in ran.stderr
    assert ("Traceback" in ran.stderr) == bool(verbose)
    assert PERSON not in ran.stdout + ran.stderr


def test_a_file_that_goes_meanwhile_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.log").write_text(PERSON)
    (tmp_path / "b.log").write_text(PERSON)
    is_file = Path.is_file

    def gone_afterwards(self: Path) -> bool:
        there = is_file(self)
        if self.name == "a.log":
            self.unlink(missing_ok=True)
        return there

    monkeypatch.setattr(Path, "is_file", gone_afterwards)
    assert search_files([tmp_path], Needles([PERSON])) == {str(tmp_path / "b.log"): 1}


def test_source_files_are_named_in_a_log_only_if_that_tells_nobody(
    project: Path, zone: FolderPlace, source: FolderPlace, capsys: pytest.CaptureFixture[str]
) -> None:
    source.put(f"{CUSTOMERS}/N.%20N.json", [customer(PERSON, "D1", 5)])
    landed_in(zone, source)
    assert erasing(project, zone).run()
    said = capsys.readouterr().out
    assert "N.%20N" not in said
    assert f"{source.location}/{CUSTOMERS}/1.json" in said
    assert "and 1 whose names may tell of whom" in said


# -------------------------------------------------------------------------------------------------------------- S3
@pytest.fixture(scope="module")
def server() -> Iterator[FaultyS3]:
    with serving() as started:
        yield started


@pytest.fixture
def s3(server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    with s3_of_a_test(server, monkeypatch) as of_this_test:
        yield of_this_test


def test_unfinished_uploads_of_parts_are_given_up_and_others_told(s3: FaultyS3) -> None:
    client = boto3.client("s3")
    names = ("zone/customer/landing/20200101T000000Z-0123456789ab-00001.json.gz", "zone/by_hand.json", "other/x")
    for name in names:
        client.create_multipart_upload(Bucket=s3.bucket, Key=name)
    zone = f"s3://{s3.bucket}/zone"
    told = look_at_uploads(zone, remove=False)
    assert told.removed == []
    assert told.unknown == [f"would be removed: an unfinished upload to s3://{s3.bucket}/{names[0]}"]
    done = look_at_uploads(zone, remove=True)
    assert done.removed == [f"an unfinished upload to s3://{s3.bucket}/{names[0]}"]
    assert [place.partition(" below")[0] for place in done.elsewhere] == ["1 unfinished uploads"]
    left = {upload["Key"] for upload in client.list_multipart_uploads(Bucket=s3.bucket)["Uploads"]}
    assert left == set(names[1:])


def test_where_a_right_is_missing_it_could_not_be_told(s3: FaultyS3) -> None:
    s3.on("ListObjectsV2", DENIED)  # the front calls every listing of a bucket so
    zone = f"s3://{s3.bucket}/zone"
    said = [
        *look_at_uploads(zone, remove=True).unknown,
        *look_at_old_versions([zone]).unknown,
        *files_of(s3).look_at_orphans(remove=True).unknown,
        *files_of(s3).look_at_results(Needles([PERSON]), remove=True).unknown,
    ]
    assert [text.partition(" below")[0] for text in said] == [
        "could not tell whether there are unfinished uploads",
        "could not tell whether there are old versions of objects",
        "could not tell whether there are files",
        "could not tell whether there are results of queries",
    ]
    assert all("access denied" in text for text in said)


def test_old_versions_are_counted_in_every_bucket(s3: FaultyS3) -> None:
    places = [s3.place("", s3.make_bucket()) for _ in range(3)]
    for place in places:
        s3.backend.put_bucket_versioning(place.bucket, "Enabled")
        place.put("a", "1")
        place.put("a", "2")
        place.put("b", "1")
    told = look_at_old_versions([place.location for place in places]).unknown
    assert len(told) == len(places)
    assert all("keeps 1 old versions of objects" in text for text in told)


def files_of(s3: FaultyS3) -> AthenaFiles:
    root = f"s3://{s3.bucket}"
    relations = frozenset({"customer_trusted", "stg_stedi__customers"})
    return AthenaFiles(f"{root}/lake", f"{root}/lake/results/", f"{root}/lake/zone", relations)


def in_glue(s3: FaultyS3, name: str, location: str, **parameters: str) -> None:
    glue = boto3.client("glue")
    if "stedi" not in [database["Name"] for database in glue.get_databases()["DatabaseList"]]:
        glue.create_database(DatabaseInput={"Name": "stedi"})
    table = {"Name": name, "StorageDescriptor": {"Location": location}, "Parameters": parameters}
    glue.create_table(DatabaseName="stedi", TableInput=table)  # type: ignore[arg-type]


def test_files_that_no_table_names_go_if_the_project_put_them_there(s3: FaultyS3) -> None:
    lake, other = s3.place("lake"), UUID.replace("0", "f")
    live = f"customer/trusted/customer_trusted/{UUID}"
    in_glue(s3, f"t{s3.bucket[-6:].strip('-')}", f"{lake.location}/{live}/")
    in_glue(
        s3, "m", "", metadata_location=f"{lake.location}/customer/trusted/customer_trusted/{UUID[::-1]}/metadata/1.json"
    )
    kept = [
        f"{live}/data/1.parquet",
        f"customer/trusted/customer_trusted/{UUID[::-1]}/data/1",
        "zone/1",
        "results/1.csv",
    ]
    orphans = [
        f"customer/trusted/customer_trusted/{other}/data/1.parquet",
        f"customer/trusted/customer_trusted__dbt_tmp/{other}/metadata/1.json",
        f"customer/staging/stg_stedi__customers__ha/{other}/data/1.parquet",
        f"customer/trusted/customer_trusted/{UUID}x/1",
    ]
    theirs = [f"customer/staging/stg_stedi/{other}/1", "customer_trusted/1.parquet"]
    for key in (*kept, *orphans, *theirs):
        lake.put(key, "x")
    files, later = files_of(s3), lambda: datetime.now(UTC) + timedelta(hours=2)
    young = files.look_at_orphans(remove=True)
    assert young.removed == []
    assert [text.partition(" files")[0] for text in young.unknown] == ["6"]
    assert "less than an hour old" in young.unknown[0]
    told = files.look_at_orphans(remove=False, now=later)
    assert (told.removed, told.unknown[0]) == (
        [],
        f"would be removed: 3 files below {lake.location} that no table names",
    )
    done = files.look_at_orphans(remove=True, now=later)
    assert done.removed == [f"3 files below {lake.location} that no table names"]
    assert [text.partition(" files")[0] for text in done.unknown] == ["3"]
    assert lake.keys() == sorted([*kept, *theirs, orphans[-1]])


def test_results_of_queries_that_name_the_person_go(s3: FaultyS3) -> None:
    results = s3.place("lake/results")
    results.put(f"{UUID}.csv", f'"email"\n"{PERSON.upper()}"\n')
    results.put(f"{UUID}.csv.metadata", "x")
    results.put(f"a/{UUID.replace('0', 'f')}.csv", '"email"\n"joan@x.com"\n')
    results.put("notes.txt", PERSON)
    pseudonym, device = "a1" * 32, "e2c4a1b7-device"
    results.put(f"b/{UUID}.csv", f'"customer_pseudonym","x"\n"{pseudonym}","1"\n')
    results.put(f"c/{UUID}.csv", f'"serial_number"\n"{device}"\n"{device}-of another"\n')
    results.put(f"d/{UUID}.csv", f'"serial_number"\n"{device}-of another"\n')
    needles = Needles([PERSON], [pseudonym, device])
    told = files_of(s3).look_at_results(needles, remove=False)
    assert (told.removed, told.unknown) == ([], [f"would be removed: 3 results of queries below {results.location}/"])
    done = files_of(s3).look_at_results(needles, remove=True)
    assert done.removed == [f"3 results of queries below {results.location}/"]
    assert list(done.elsewhere) == [f"{results.location}/notes.txt"]
    assert results.keys() == [f"a/{UUID.replace('0', 'f')}.csv", f"d/{UUID}.csv", "notes.txt"]


def test_what_was_left_half_written_is_looked_for_on_s3_too(s3: FaultyS3, source: FolderPlace) -> None:
    """Nothing of ours is ever half-written there; another program's hidden object is seen all the same."""
    zone = S3Place(s3, s3.bucket, "zone")
    land([source.location], zone.location, TABLES)
    zone.put("customer/landing/.by_hand.tmp", PERSON)
    device = "e2c4a1b7-device"
    zone.put("step_trainer/landing/.by_hand.tmp", device)
    zone.put("loader/.by_hand.tmp", device)
    found = search_zone(open_folder(zone.location), TABLES, Needles([PERSON], [device]))
    assert f"{zone.location}/customer/landing/.by_hand.tmp" in found
    assert f"{zone.location}/step_trainer/landing/.by_hand.tmp" in found
    assert f"{zone.location}/loader/.by_hand.tmp" not in found


# -------------------------------------------------------------------------------- a database that is reached by a link
@pytest.fixture
def linked(project: Path) -> Path:
    """A database with a deleted person, which is elsewhere and has another name."""
    real = project.parent / "elsewhere/data.duckdb"
    real.parent.mkdir()
    link = project / "lakehouse.duckdb"
    link.symlink_to(real)
    with duckdb.connect(str(link)) as connection:
        connection.execute(f"create table people as select '{PERSON}' as email, range from range(5000)")  # noqa: S608
        connection.execute("force checkpoint")
        connection.execute("delete from people")
        connection.execute("insert into people values ('who stays', 1)")
    return link


def test_a_database_is_rewritten_where_it_is(linked: Path) -> None:
    real = linked.resolve()
    rewrite_duckdb(linked)
    assert linked.is_symlink()
    assert linked.resolve() == real
    assert PERSON.encode() not in real.read_bytes()
    with duckdb.connect(str(linked), read_only=True) as connection:
        assert connection.execute("from people").fetchall() == [("who stays", 1)]


def test_what_commands_left_beside_it_goes(linked: Path, project: Path, zone: FolderPlace) -> None:
    left = [linked.resolve().with_name(f"lakehouse.duckdb.{what}") for what in ("unfinished", "failed", "tmp")]
    for folder in left:
        folder.mkdir()
        (folder / "lakehouse.duckdb").write_text(PERSON)
    found = machine(project, zone)
    assert {str(folder) for folder in left} <= set(found.remove_unfinished().removed)
    assert not any(folder.exists() for folder in left)
    assert found.look_elsewhere().elsewhere == {}
