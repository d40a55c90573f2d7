import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lakehouse.declaration import Column, Table, load_tables
from lakehouse.errors import LandingError
from lakehouse.records.check import MAX_RECORD_BYTES, PASSED, RecordChecker
from landing_helpers import TABLES, put

pytestmark = pytest.mark.quick

TABLE = Table(
    name="checked",
    source_name="test",
    folder="checked/landing",
    columns=(
        Column("id", "integer", required=True),
        Column("big", "bigint"),
        Column("ts", "bigint", format="epoch_ms"),
        Column("seen", "double precision", format="epoch_ms"),
        Column("score", "double precision"),
        Column("name", "varchar(8)"),
        Column("title", "varchar(64)", required=True),
        Column("userId", "varchar(16)", format="digits"),
        Column("day", "varchar(10)", format="date"),
        Column("flag", "boolean"),
        Column("since", "varchar(64)", format="epoch_ms_or_none"),
    ),
)
GOOD = {"id": 1, "title": "t"}
CHECKER = RecordChecker(TABLE)


def fault(**values: Any) -> str | None:  # noqa: ANN401
    return CHECKER.check(json.dumps(GOOD | values).encode()).fault


def fault_of(members: str) -> str | None:
    return CHECKER.check(('{"id":1,"title":"t",' + members + "}").encode("utf-8", "surrogatepass")).fault


@pytest.mark.parametrize(
    "members",
    [
        '"name":null',
        '"name":""',
        '"name":17',
        '"name":0',
        '"name":-17',
        '"name":"éééé"',
        '"name":"\\u00e9\\u00e9"',
        '"name":"\\\\u0000"',
        '"name" : "a :b"',
        '"name":"a\\":b"',
        '"big":9223372036854775807',
        '"big":-9223372036854775808',
        '"id2":{"a":[1,{"b":null}]}',
        '"score":1e300',
        '"score":-0',
        '"score":-0.0e-999',
        '"score":4.9e-324',
        '"score":1E-300',
        '"score":12345678901234567890123',
        '"seen":1540919166796.0',
        '"seen":1.540919166796E12',
        '"ts":0',
        '"userId":""',
        '"userId":"007"',
        '"day":"967-02-28"',
        '"day":"2024-02-29"',
        '"day":"1999-12-31"',
        '"flag":true',
        '"day":""',
        '"ts":100000000000',
        '"ts":253402300799999',
        '"seen":0.0',
        '"since":null',
        '"since":""',
        '"since":false',
        '"since":0',
        '"since":"0"',
        '"since":1691348231425',
        '"since":"1691348231425"',
        '"since":100000000000',
        '"since":"253402300799999"',
    ],
)
def test_accepts(members: str) -> None:
    assert fault_of(members) is None


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ('"ts":"yesterday"', "column ts: 'yesterday' is a string, bigint expected"),
        ('"ts":1.5', "column ts: 1.5 is not written as a whole number, bigint expected"),
        ('"ts":1541105830796.0', "column ts: 1541105830796.0 is not written as a whole number, bigint expected"),
        ('"ts":-1', "column ts: -1 is not a time in epoch milliseconds from 1970 to 9999"),
        ('"ts":253402300800000', "column ts: 253402300800000 is not a time in epoch milliseconds from 1970 to 9999"),
        ('"seen":1.5', "column seen: 1.5 is not a whole number of milliseconds"),
        ('"big":9223372036854775808', "column big: 9223372036854775808 is out of the range of bigint"),
        ('"big":true', "column big: True is a boolean, bigint expected"),
        ('"score":"1"', "column score: '1' is a string, double precision expected"),
        ('"score":1e400', "the number 1e400 is too large for any engine"),
        ('"score":' + "9" * 5000, "the number 99999"),
        ('"other":1e400', "the number 1e400 is too large for any engine"),
        ('"score":1e-400', "the number 1e-400 is too close to zero for double precision"),
        ('"score":-2E-9999', "the number -2E-9999 is too close to zero for double precision"),
        ('"score":0.' + "0" * 400 + "1", "is too close to zero for double precision"),
        ('"score":0.' + "0" * 250 + "1e-99", "is too close to zero for double precision"),
        ('"seen":1e-400', "the number 1e-400 is too close to zero for double precision"),
        ('"other":[1e-400]', "the number 1e-400 is too close to zero for double precision"),
        ('"name":"123456789"', "column name: '123456789' has 9 bytes, varchar(8) holds 8"),
        ('"name":"ééééé"', "column name: 'ééééé' has 10 bytes, varchar(8) holds 8"),
        ('"name":123456789', "column name: 123456789 has 9 bytes, varchar(8) holds 8"),
        ('"name":1.50', "column name: 1.50 is a number that engines write in other ways as text"),
        ('"name":1e2', "column name: 1e2 is a number that engines write in other ways as text"),
        ('"name":-0', "column name: -0 is a number that engines write in other ways as text"),
        ('"name":true', "column name: True is a boolean, varchar(8) expected"),
        ('"name":{"a":1}', "is an object, varchar(8) expected"),
        ('"name":["a"]', "is an array, varchar(8) expected"),
        ('"name":"a\\u0000b"', "holds the character \\u0000, which Redshift cannot store"),
        ('"other":["a\\u0000b"]', "holds the character \\u0000, which Redshift cannot store"),
        ('"name":"\\ud800"', "holds half a surrogate pair"),
        ('"name":"\ud800"', "not UTF-8: byte 0xed"),
        ('"userId":"12a"', "column userId: '12a' is not a whole number"),
        ('"userId":"1234567890"', "is not a whole number of at most 9 digits"),
        ('"userId":"٣"', "is not a whole number"),
        ('"userId":"1\\n2"', "column userId: '1\\n2' is not a whole number"),
        ('"day":"2023-02-29"', "column day: '2023-02-29' is not a calendar date"),
        ('"day":"2023-2-9"', "is not a calendar date"),
        ('"day":"000-01-01"', "is not a calendar date"),
        (
            '"ts":1691348231',
            "column ts: 1691348231 is not a time in epoch milliseconds from 1970 to 9999: it looks like seconds",
        ),
        ('"ts":99999999999', "it looks like seconds"),
        ('"ts":1', "it looks like seconds"),
        ('"ts":1691348231425000', "it looks like microseconds"),
        ('"ts":1691348231425000000', "it looks like nanoseconds"),
        (
            '"seen":1691348231.0',
            "column seen: 1691348231.0 is not a time in epoch milliseconds from 1970 to 9999: it looks like",
        ),
        ('"seen":1691348231425000000000', "it looks like nanoseconds"),
        (
            '"since":"1691348231"',
            "column since: '1691348231' is not a time in epoch milliseconds from 1970 to 9999: it looks like seconds",
        ),
        ('"since":1691348231', "it looks like seconds"),
        ('"since":1691348231425000', "it looks like microseconds"),
        ('"since":"1691348231425000000"', "it looks like nanoseconds"),
        ('"since":-1691348231425', "it is negative"),
        ('"since":1691348231425.0', "column since: 1691348231425.0 is not written as a whole number of milliseconds"),
        ('"since":1.6e12', "column since: 1.6e12 is not written as a whole number of milliseconds"),
        ('"since":0.0', "is not written as a whole number"),
        ('"since":-0', "is not written as a whole number"),
        ('"since":"00"', "is not written as a whole number"),
        ('"since":" 1691348231425"', "is not written as a whole number"),
        ('"since":"+1691348231425"', "is not written as a whole number"),
        ('"since":"٣691348231425"', "is not written as a whole number"),
        ('"since":"1691348231425\\n"', "is not written as a whole number"),
        ('"since":"2023-08-06"', "is not written as a whole number"),
        ('"since":"false"', "column since: 'false' is not written as a whole number"),
        ('"since":"null"', "is not written as a whole number"),
        ('"since":' + "9" * 5000, "the number 99999"),
        ('"since":"' + "9" * 5000 + '"', "is not written as a whole number"),
        ('"since":true', "column since: True is a boolean, a time in epoch milliseconds expected"),
        ('"since":[]', "column since: [] is an array, a time in epoch milliseconds expected"),
        ('"since":{}', "column since: {} is an object, a time in epoch milliseconds expected"),
        ('"flag":1', "column flag: 1 is a number, boolean expected"),
        ('"id":2', "key 'id' stands twice in one object"),
        ('"id" :2', "key 'id' stands twice in one object"),
        ('"id"  :2', "key 'id' stands twice in one object"),
        ('"id"\t :2', "key 'id' stands twice in one object"),
        ('"id"\n:2', "key 'id' stands twice in one object"),
        ('"other":{"a":1,"a":2}', "key 'a' stands twice in one object"),
        ('"URL":1,"Url":2', "keys of one object differ in upper and lower case only, like 'URL' and 'Url'"),
        (
            '"other":{"Name":1,"name":2}',
            "keys of one object differ in upper and lower case only, like 'Name' and 'name'",
        ),
        ('"name":"a","NAME":"b"', "keys of one object differ in upper and lower case only, like 'name' and 'NAME'"),
        ('"\\u0069d":2', "key 'id' stands twice in one object"),
        (f'"{"k" * 50_001}":1', "has 50,001 bytes, 50,000 is the most that every engine reads"),
        (f'"{"é" * 25_001}":1', "has 50,002 bytes"),
        (f'"other":[{{"{"k" * 50_001}":1}}]', "has 50,001 bytes"),
        ('"USERID":"7"', "key 'USERID' differs from the declared userId in upper and lower case only"),
    ],
)
def test_refuses_and_says_why(members: str, expected: str) -> None:
    assert expected in (fault_of(members) or "")


def test_a_key_may_be_as_long_as_every_engine_reads_it() -> None:
    assert fault_of(f'"{"é" * 25_000}":1') is None
    assert fault_of(f'"other":{{"{"k" * 50_000}":1}}') is None


def test_a_required_key_is_there_and_not_empty() -> None:
    assert CHECKER.check(b'{"title":"t"}').fault == "key id is missing"
    assert fault(id=None) == "column id is null, a value is required"
    assert fault(title="") == "column title is empty, a value is required"
    assert (
        CHECKER.check(b'{"id":2147483648,"title":"t"}').fault == "column id: 2147483648 is out of the range of integer"
    )


@pytest.mark.parametrize("nothing", ["0", "0.0", "null"])
def test_a_time_that_is_required_is_not_0(nothing: str) -> None:
    kind = "double precision" if "." in nothing else "bigint"
    column = Column("at", kind, required=True, format="epoch_ms")
    verdict = RecordChecker(replace(TABLE, columns=(column,))).check(f'{{"at":{nothing}}}'.encode())
    assert verdict.fault == f"column at is {nothing}, a {'value' if nothing == 'null' else 'time'} is required"


@pytest.mark.parametrize("since", ["1691348231425", '"1691348231425"', '""', '"0"'])
def test_a_customer_is_good_with_an_address_and_a_time_of_update_and_checked_quickly(since: str) -> None:
    checker = RecordChecker(TABLES["customer_landing"])
    raw = f'{{"email":"a@x.com","lastUpdateDate":1691348231425,"shareWithResearchAsOfDate":{since}}}'.encode()
    assert checker.check(raw) == PASSED
    good = checker.count_good(raw)
    assert good is not None
    assert good.records == 1
    for key in (b"email", b"lastUpdateDate"):
        assert checker.check(raw.replace(key, b"other")).fault == f"key {key.decode()} is missing"


def test_a_key_that_is_not_declared_is_drift_and_no_fault() -> None:
    verdict = CHECKER.check(b'{"id":1,"title":"t","new":1,"other":2}')
    assert (verdict.fault, verdict.unknown_keys) == (None, ("new", "other"))


def test_a_record_longer_than_any_engine_takes_is_refused() -> None:
    assert "bytes, 4,194,304 is the most" in (fault(other="x" * MAX_RECORD_BYTES) or "")


def test_messages_shorten_long_values() -> None:
    assert len(fault(userId="x" * 16) or "") < 200
    assert len(fault(score="x" * 1000) or "") < 200


TIMES = [
    "0",
    "1691348231",
    "99999999999",
    "100000000000",
    "1691348231425",
    "253402300799999",
    "253402300800000",
    "1691348231425000",
]
TEXTS = [*TIMES, "x", "", "1", "éé", "\\u00e9", "2001-02-30", "2001-01-02", "123456789", "é23456789012345678"]
NUMBERS = [
    *TIMES,
    "1691348231425.0",
    "1",
    "-1",
    "-0",
    "1.0",
    "1.50",
    "1e3",
    "99999999999",
    "9" * 30,
    "0.0",
    "1e-400",
    "1E-400",
    f"0.{'0' * 400}1",
]
VALUES = st.sampled_from([*(f'"{text}"' for text in TEXTS), *NUMBERS, "null", "true", "false", "[]", "{}"])


GOOD_VALUES = {
    "big": ["7", "-1"],
    "ts": ["0", "99999999999", "1691348231425"],
    "seen": ["0", "1691348231425.0", "1e12"],
    "score": ["1", "-1.5", "1e300"],
    "name": ['"x"', '""', '"éé"', '"\\u00e9"', "17"],
    "userId": ['""', '"007"'],
    "day": ['"2001-01-02"', '"2024-02-29"', '"967-02-28"'],
    "flag": ["true", "false"],
    "since": ["1691348231425", '"1691348231425"', '""', '"0"', "0", "false"],
    "new": ['"x"', "1", "0.5", "true"],
    "more": ['"é"', "0", "-1e3"],
}
MEMBERS = st.sampled_from(sorted(GOOD_VALUES)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from([*GOOD_VALUES[name], "null"]) | VALUES)
) | st.tuples(st.sampled_from(["NEW", "NAME", "\\u006eew", 'n\\"ew']), VALUES)
DUCKDB_TYPES = json.dumps({column.name: column.type.replace("double precision", "double") for column in TABLE.columns})


def test_the_quick_way_passes_nothing_that_the_slow_way_refuses_and_duckdb_reads_what_is_good() -> None:
    seen: Counter[str] = Counter()

    @given(st.lists(MEMBERS, max_size=4))
    @example([("name", "17")])
    @example([("new", '"x"'), ("more", "0.5")])
    @example([("name", '"x"'), ("flag", "true")])
    @example([("name", '"éé"'), ("day", '"967-02-28"'), ("seen", "1e12"), ("since", "1691348231425")])
    @example([("since", "false")])
    @example([("since", '"0"'), ("ts", "0")])
    def check(members: list[tuple[str, str]]) -> None:
        pairs = [("id", "1"), ("title", '"t"'), *members]
        raw = ("{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}").encode()
        is_quick, verdict = CHECKER._passes(raw), CHECKER._explain(raw)
        assert verdict == PASSED or not is_quick
        assert CHECKER.check(raw) == verdict
        is_quick_enough = bool(CHECKER._passes_with(raw)) and not is_quick
        seen["refused" if verdict.fault else "quick" if is_quick else "with more" if is_quick_enough else "slow"] += 1
        if verdict.fault is None:
            keys = [key.lower() for key, _ in pairs]
            assert len(set(keys)) == len(keys)
            (row,) = duckdb.execute("select from_json(?, ?)", [raw.decode(), DUCKDB_TYPES]).fetchall()[0]
            for key, value in json.loads(raw).items():
                if key not in row:
                    continue
                assert (row[key] is None) == (value is None)
                if key in ("name", "since") and isinstance(value, int | float):
                    assert f'"{key}":{row[key]}' in raw.decode()  # as it was written

    check()
    assert all(seen[outcome] for outcome in ("quick", "with more", "slow", "refused")), seen


def test_every_declared_table_of_the_project_is_understood() -> None:
    assert {"staging_events", "staging_songs", "customer_landing", "text_repairs", "ledger"} <= set(TABLES)
    events = TABLES["staging_events"]
    assert events.part_folder(events.group_of("log_data/2018/11/2018-11-01-events.json")).endswith("/part=2018-11-01")
    assert [column.name for column in events.repaired_columns] == ["artist", "song"]
    for table in TABLES.values():
        RecordChecker(table)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("{name: a, data_type: text}", "column a: unknown data_type 'text'"),
        ("{name: a, data_type: varchar}", "column a: unknown data_type 'varchar'"),
        ("{name: a, data_type: integer, config: {meta: {format: colour}}}", "column a: unknown format 'colour'"),
        ("{name: a, data_type: integer, config: {meta: {format: date}}}", "format date does not fit data_type integer"),
        ("{name: a, data_type: integer}, {name: A, data_type: integer}", "column a: declared twice"),
        (
            "{name: a, data_type: bigint, config: {meta: {from_ledger: true}}}",
            "column a: from_ledger fits landed_at bigint only",
        ),
        (
            "{name: landed_at, data_type: integer, config: {meta: {from_ledger: true}}}",
            "column landed_at: from_ledger fits landed_at bigint only",
        ),
        ("{name: a, data_type: varchar(65536)}", r"column a: varchar\(65536\) is longer than Redshift's longest"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_named(tmp_path: Any, column: str, expected: str) -> None:  # noqa: ANN401
    file = tmp_path / "models" / "a" / "_a__sources.yml"
    file.parent.mkdir(parents=True)
    file.write_text(
        f"sources: [{{name: s, tables: [{{name: t, config: {{meta: {{landing_folder: t}}}}, columns: [{column}]}}]}}]"
    )
    with pytest.raises(LandingError, match=expected) as raised:
        load_tables(tmp_path)
    assert "_a__sources.yml: table t" in str(raised.value)


@pytest.mark.parametrize("folder", ["t", "/t/", "t/landing", "t/landing/part=a"])
def test_a_landing_folder_that_lies_in_that_of_another_table_is_refused(tmp_path: Path, folder: str) -> None:
    declare(tmp_path, ["t", folder])
    with pytest.raises(LandingError, match=r"landing_folder .* of table t\d lies in that of table t\d"):
        load_tables(tmp_path)
    declare(tmp_path, [folder, "t"])
    with pytest.raises(LandingError, match=r"landing_folder .* of table t\d lies in that of table t\d"):
        load_tables(tmp_path)


def test_landing_folders_side_by_side_are_fine_and_the_whole_zone_is_none(tmp_path: Path) -> None:
    declare(tmp_path, ["t", "t2", "t_/t"])
    assert len(load_tables(tmp_path)) == 3
    declare(tmp_path, ["/"])
    with pytest.raises(LandingError, match=r"table t0 has no meta\.landing_folder"):
        load_tables(tmp_path)


def declare(project: Path, landing_folders: list[str]) -> None:
    tables = [
        {"name": f"t{number}", "config": {"meta": {"landing_folder": folder}}}
        for number, folder in enumerate(landing_folders)
    ]
    file = project / "models" / "_a__sources.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"sources": [{"name": "s", "tables": tables}]}))  # JSON is YAML


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("version: 2\n", "missing required field `sources`"),
        ("", "Expected `object`, got `null`"),
        ("sources: [\n", "is no YAML: while parsing a flow"),
        (b"sources: \xff", "is no YAML: 'utf-8' codec can't decode byte 0xff"),
        (
            "sources: [{name: s, tables: [{columns: []}]}]",
            r"missing required field `name` - at `\$.sources\[0\].tables",
        ),
        ("sources: [{name: s, tables: [{name: t, config: {meta: {source_files: '*'}}}]}]", "source_files"),
    ],
    ids=["no sources", "nothing", "no YAML", "no UTF-8", "no name", "a glob that is no list"],
)
def test_a_file_that_is_no_declaration_is_named(tmp_path: Path, declared: str | bytes, expected: str) -> None:
    file = put(tmp_path, "models/a/_a__sources.yml", declared)
    with pytest.raises(LandingError, match=rf"^{file}.*{expected}"):
        load_tables(tmp_path)


def test_a_project_without_declarations_is_refused(tmp_path: Any) -> None:  # noqa: ANN401
    with pytest.raises(LandingError, match="no table is declared"):
        load_tables(tmp_path)
