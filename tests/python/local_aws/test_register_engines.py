"""The landing zone on S3 becomes visible to Redshift and Athena, by the unmodified adapters on local endpoints."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from lakehouse.environment import variables
from landing_helpers import put
from lanes import on_athena_alone, on_engines, on_redshift_alone
from other_values import assert_other_values_are_found
from warehouses import LANDING_TABLES, Warehouse

pytestmark = [
    on_engines,
    # of the adapters and the driver: Python's own advice to them, and connections that they leave open
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


def test_every_landed_record_is_a_row_and_a_second_run_adds_none(warehouse: Warehouse) -> None:
    rows = warehouse.rows()
    assert rows == warehouse.ledger()
    assert [name for name, count in rows.items() if not count] == ["customer_suspensions"]
    objects = warehouse.query("select table_name, object_key, row_count from loader.objects order by 1, 2")
    assert warehouse.register()
    assert warehouse.rows() == rows
    assert warehouse.query("select table_name, object_key, row_count from loader.objects order by 1, 2") == objects
    assert warehouse.agrees(), "\n".join(warehouse.messages)


def test_other_values_than_were_landed_are_found_with_table_and_column(warehouse: Warehouse) -> None:
    """Before others land what has fewer dates of consent to exchange."""
    assert_other_values_are_found(warehouse)


@on_athena_alone
def test_a_reader_that_finds_nothing_is_found_and_the_next_registration_chooses_the_right_one(
    warehouse: Warehouse,
) -> None:
    """Older versions registered with partitions and OpenX's reader, which can be told to mind the case of keys."""
    columns = "email string, lastupdatedate bigint, sharewithresearchasofdate string"
    others = "customername string, phone string, birthday string, serialnumber string, registrationdate bigint"
    more = "sharewithpublicasofdate string, sharewithfriendsasofdate string"
    name = "stedi_landing.customer_landing__files"
    warehouse.query(f"drop table {name}")
    warehouse.query(
        f"create external table {name} ({columns}, {others}, {more}) partitioned by (part string) "
        "row format serde 'org.openx.data.jsonserde.JsonSerDe' with serdeproperties ('case.insensitive' = 'false') "
        f"location '{warehouse.zone}/customer/' tblproperties ('projection.enabled' = 'true', "
        "'projection.part.type' = 'enum', 'projection.part.values' = 'landing', "
        f"'storage.location.template' = '{warehouse.zone}/customer/${{part}}/')"
    )
    (told,) = warehouse.differences("customer_landing")
    assert told.startswith("customerName: ")
    assert "shareWithResearchAsOfDate: " in told
    assert "0 in the table" in told
    assert warehouse.register()
    assert warehouse.differences("customer_landing") == []


def test_another_zone_is_refused_before_anything_of_it_is_registered(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = warehouse.rows()
    with variables({"LANDING_ZONE": f"s3://lake/{tmp_path.name}/another"}):
        assert not warehouse.register()
    assert "not from s3://lake/" in "\n".join(warehouse.messages)
    assert "forget_landing_zone" in "\n".join(warehouse.messages)
    assert warehouse.rows() == rows
    assert warehouse.query("select zone, dataset from loader.built_from") == [[warehouse.zone, warehouse.dataset]]


def test_values_arrive_as_they_were_written(warehouse: Warehouse) -> None:
    file = next((warehouse.source / "sparkify/song_data").rglob("*.json*"))
    song = json.loads(file.read_bytes().splitlines()[0]) | {
        "song_id": "SOTEST0000000001",
        "artist_name": 112,
        "title": 'quote " \\ slash é 😀',
        "artist_latitude": None,
        "year": 2001,
        "duration": 1e-7,
    }
    (file.parent / "one.json").write_text(json.dumps(song))
    forms = {"number": 1691348231425, "text": "1691348231425", "empty": "", "false": False, "0": 0, "null": None}
    customers = [
        {"email": f"{name}@forms.test", "lastUpdateDate": 1691348231425, "shareWithResearchAsOfDate": form}
        for name, form in forms.items()
    ]
    put(warehouse.source, "stedi/customer/landing/forms.json", customers)
    warehouse.load()
    assert warehouse.register()
    (row,) = warehouse.query(
        "select title, artist_name, artist_latitude, year, duration from sparkify_landing.staging_songs "
        "where song_id = 'SOTEST0000000001'"
    )
    title, artist, latitude, year, duration = row
    assert (title, artist, latitude, int(year), float(duration)) == (song["title"], "112", None, 2001, 1e-7)
    told = warehouse.query(
        "select email, sharewithresearchasofdate from stedi_landing.customer_landing where email like '%@forms.test'"
    )
    assert dict(told) == {
        "number@forms.test": "1691348231425",
        "text@forms.test": "1691348231425",
        "empty@forms.test": "",
        "false@forms.test": "false",
        "0@forms.test": "0",
        "null@forms.test": None,
    }


def test_changed_new_and_vanished_files_show_after_the_next_run(warehouse: Warehouse) -> None:
    events = sorted((warehouse.source / "sparkify/log_data").rglob("*.json"))
    events[0].write_bytes(events[0].read_bytes().splitlines()[0])
    events[1].unlink()
    new_day = events[2].with_name("2018-12-24-events.json")
    new_day.write_bytes(events[2].read_bytes().replace(b'"sessionId":', b'"sessionId":9'))
    before, time_before = warehouse.rows(), warehouse.entries("staging_events")[0]["landed_at"]
    warehouse.load()
    assert warehouse.register()
    assert warehouse.rows() == warehouse.ledger() != before
    assert warehouse.agrees(), "\n".join(warehouse.messages)
    told = warehouse.query(
        "select landed_at, substring(cast(ts as varchar(13)), 1, 8) as days, count(*) "
        "from sparkify_landing.staging_events group by 1, 2"
    )
    assert {(int(landed_at), days): int(count) for landed_at, days, count in told} == landed_by_time(warehouse)
    assert min(int(landed_at) for landed_at, *_ in told) == time_before < max(int(landed_at) for landed_at, *_ in told)


def landed_by_time(warehouse: Warehouse) -> Counter[tuple[int, str]]:
    """How many events the parts hold, by when the ledger says that they were landed, and by when they happened."""
    times = {row["object_key"]: row["landed_at"] for row in warehouse.entries("staging_events") if row["object_key"]}
    return Counter(
        (landed_at, str(json.loads(line)["ts"])[:8])
        for key, landed_at in times.items()
        for line in gzip.decompress(warehouse.read(key)).splitlines()
    )


def test_refused_records_are_in_the_quarantine_table(warehouse: Warehouse) -> None:
    file = next((warehouse.source / "stedi/customer").rglob("*.json"))
    file.write_bytes(file.read_bytes() + b'\n{"email": 7}\nbroken \xff\n')
    warehouse.load()
    assert warehouse.register()
    refused = warehouse.query(
        "select reason from loader.quarantine where table_name = 'customer_landing' order by line"
    )
    assert len(refused) == 2
    assert "customerName" in refused[0][0] or "email" in refused[0][0] or "missing" in refused[0][0]
    assert warehouse.agrees(), "\n".join(warehouse.messages)


def test_freshness_is_the_ledgers(warehouse: Warehouse) -> None:
    assert warehouse.dbt("source", "freshness")
    sources = json.loads((warehouse.target_folder / "sources.json").read_text())["results"]
    assert {result["status"] for result in sources} == {"pass"}
    assert len(sources) == len(LANDING_TABLES)


def last_written(warehouse: Warehouse, table: str) -> str:
    """The object of a table that the last load wrote."""
    return str(max(warehouse.entries(table), key=lambda row: (row["landed_at"], row["object_key"]))["object_key"])


def test_a_part_that_is_lost_is_found_missing(warehouse: Warehouse) -> None:
    assert warehouse.agrees()
    key = last_written(warehouse, "customer_landing")
    part = warehouse.read(key)
    if warehouse.target == "redshift":
        warehouse.query(
            "create table loader.kept as select * from loader.objects where table_name = 'customer_landing'"
        )
        warehouse.query("delete from loader.objects where table_name = 'customer_landing'")
    else:
        warehouse.write(key, gzip.compress(b""))
    assert not warehouse.agrees()
    assert any("agrees_with_ledger_stedi_customer_landing" in message for message in warehouse.messages)
    if warehouse.target == "redshift":
        warehouse.query("insert into loader.objects select * from loader.kept")
        warehouse.query("drop table loader.kept")
    else:
        warehouse.write(key, part)
    assert warehouse.agrees()


@on_redshift_alone
def test_a_copy_that_takes_another_number_of_rows_than_was_landed_changes_nothing(warehouse: Warehouse) -> None:
    before = warehouse.rows()
    file = next((warehouse.source / "stedi/customer").rglob("*.json"))
    file.write_bytes(b"\n".join(file.read_bytes().splitlines()[:3]))
    warehouse.load()
    key = last_written(warehouse, "customer_landing")
    whole = warehouse.read(key)
    lines = gzip.decompress(whole).splitlines(keepends=True)
    count = len(lines)
    warehouse.write(key, gzip.compress(b"".join(lines[:-1])))
    assert not warehouse.register()
    told = f"COPY took {count - 1} rows of loader/copy/customer_landing/records/"
    assert [m for m in warehouse.messages if told in m and f"the ledger says {count}." in m], warehouse.messages
    assert warehouse.rows()["customer_landing"] == before["customer_landing"]
    warehouse.write(key, whole)
    assert warehouse.register()
    assert warehouse.rows() == warehouse.ledger()
    assert warehouse.agrees()


@on_redshift_alone
def test_what_copy_refuses_comes_back_with_object_line_column_and_reason(warehouse: Warehouse) -> None:
    before = warehouse.rows()
    file = next((warehouse.source / "stedi/customer").rglob("*.json"))
    file.write_bytes(b"\n".join(file.read_bytes().splitlines()[:2]))
    warehouse.load()
    key = last_written(warehouse, "customer_landing")
    *good, last = gzip.decompress(warehouse.read(key)).splitlines(keepends=True)
    bad = json.loads(last) | {"registrationDate": "yesterday"}
    warehouse.write(key, gzip.compress(b"".join(good) + json.dumps(bad).encode() + b"\n"))
    assert not warehouse.register()
    assert warehouse.rows()["customer_landing"] == before["customer_landing"]
    assert warehouse.dbt("run-operation", "print_load_errors")
    (told,) = {message for message in warehouse.messages if message.startswith("COPY refused")}
    assert f"{warehouse.zone}/{key}, line {len(good) + 1}, column registrationdate: " in told
    warehouse.write(key, gzip.compress(b"".join([*good, last])))
    assert warehouse.register()
