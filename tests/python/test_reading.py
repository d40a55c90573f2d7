import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from lakehouse.declaration import Column, Table
from lakehouse.records import check
from lakehouse.records import read as reading
from lakehouse.records.check import RecordChecker, Verdict
from lakehouse.records.read import Record, Run, Text, read_in_turn, read_records
from lakehouse.storage.folder import BLOCK_BYTES

pytestmark = pytest.mark.quick

ANYTHING = RecordChecker(Table("anything", "test", "anything", columns=()))  # every key is unknown: no runs
WITH_A = RecordChecker(Table("with_a", "test", "with_a", columns=(Column("a", "integer", required=True),)))


class ForeseeingChecker(RecordChecker):
    """Is asked about lines before it is their turn."""

    @property
    def bytes_ahead(self) -> int:
        return 100


AHEAD = ForeseeingChecker(Table("with_a", "test", "with_a", columns=(Column("a", "integer", required=True),)))


def blocks_of(content: bytes, size: int) -> Iterator[bytes]:
    yield content[:size]
    for start in range(size, len(content), size):
        yield content[start : start + size]


def read(content: bytes, block: int = BLOCK_BYTES, checker: RecordChecker = ANYTHING) -> list[Record]:
    """Every record by itself, those of a run included."""
    return singly(content, read_records(Text(blocks_of(content, block)), checker))


def singly(content: bytes, runs: Iterable[Run | Record]) -> list[Record]:
    records: list[Record] = []
    offset = 0
    for found in runs:
        if isinstance(found, Run):
            lines = found.lines.splitlines(keepends=True)
            assert len(lines) == found.records
            for line in lines:
                raw = line.rstrip(b"\n")
                offset = content.index(raw, offset)
                records.append(Record(content.count(b"\n", 0, offset) + 1, offset, len(raw), raw))
                offset += len(raw)
        else:
            records.append(found)
            offset = found.offset + found.size
    return records


def good(content: bytes) -> list[bytes]:
    return [record.raw for record in read(content) if record.verdict.fault is None]


def bad(content: bytes) -> list[Record]:
    return [record for record in read(content) if record.verdict.fault is not None]


@pytest.mark.parametrize(
    ("content", "records"),
    [
        (b"", []),
        (b"\n\r\n  \n", []),
        (b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
        (b'{"a":1}\n{"a":2}', [b'{"a":1}', b'{"a":2}']),
        (b'{"a":1}\r\n{"a":2}\r\n', [b'{"a":1}', b'{"a":2}']),
        (b'{"a":1}\r{"a":2}\r', [b'{"a":1}', b'{"a":2}']),
        (b'\xef\xbb\xbf{"a":1}\n', [b'{"a":1}']),
        (b'\n\n  {"a":1}  \n\n', [b'{"a":1}']),
        (b"\xef\xbb\xbf", []),
        (b'{"a":1}{"a":2} {"a":3}\n{"a":4}', [b'{"a":1}', b'{"a":2}', b'{"a":3}', b'{"a":4}']),
        (b'{\n  "a": 1\n}\n', [b'{   "a": 1 }']),
        (b'{\r\n  "a": 1\r\n}\r\n{\r\n"a":2}', [b'{    "a": 1  }', b'{  "a":2}']),
        (b'{"a":1,\n"b":2} {"a":3}\n{"a":4}\n', [b'{"a":1, "b":2}', b'{"a":3}', b'{"a":4}']),
        ('{"a":"é\u2028ü"}\n'.encode(), ['{"a":"é\u2028ü"}'.encode()]),
    ],
)
def test_reads_every_layout_of_good_records(content: bytes, records: list[bytes]) -> None:
    assert good(content) == records
    assert not bad(content)


@pytest.mark.parametrize(
    ("content", "line", "offset", "raw", "reason"),
    [
        (b"just a text\nof two lines\n", 1, 0, b"just a text\nof two lines", "not JSON"),
        (b"2018-11-01,7\n3,4\n", 1, 0, b"2018-11-01,7\n3,4", "not JSON"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", 1, 0, b"\x89PNG\r\n\x1a\n\x00\xff", "not JSON"),
        (
            b'[{"a":1},\n{"a":2}]\n',
            1,
            0,
            b'[{"a":1},\n{"a":2}]',
            "a JSON array, not an object: write one object per line",
        ),
        (b"17\n", 1, 0, b"17", "a JSON number, not an object: write one object per line"),
        (b"null\n", 1, 0, b"null", "a JSON null, not an object"),
        (b'"x"\n', 1, 0, b'"x"', "a JSON string, not an object"),
        (b'{"x":1}\n{"a":"\xff"}\n', 2, 8, b'{"a":"\xff"}', "not UTF-8: byte 0xff"),
        (b'{"a":NaN}', 1, 0, b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', 1, 0, b'{"a":-Infinity}', "-Infinity"),
        (b'{"a":"line\nbreak"}\n', 1, 0, b'{"a":"line\nbreak"}', "Invalid control character"),
        (b'{"a":1,\n', 1, 0, b'{"a":1,', "met the end of the file"),
        (b'{\n "a": 1,\n "b":\n{"x":1}\n{"x":2}\n', 1, 0, b'{\n "a": 1,\n "b":', "not JSON: "),
        (b'{"x":1}\n\n{"a":' + b"[" * 100_000 + b"\n", 3, 9, b'{"a":' + b"[" * (49_149 - 5), "nested too deeply"),
    ],
)
def test_says_where_and_why_something_is_no_record(
    content: bytes, line: int, offset: int, raw: bytes, reason: str
) -> None:
    (record,) = bad(content)
    assert (record.line, record.offset, record.raw) == (line, offset, raw)
    assert reason in (record.verdict.fault or "")


def test_each_broken_line_is_one_record_and_its_neighbours_are_read() -> None:
    content = b'{"a":1}\n{"a":\n{"a":2,\n{"a":3}\n'
    assert good(content) == [b'{"a":1}', b'{"a":3}']
    assert [(record.line, record.raw) for record in bad(content)] == [(2, b'{"a":'), (3, b'{"a":2,')]


def test_a_broken_line_leaves_its_indented_neighbours_alone() -> None:
    assert good(b' {"a":1}\n broken\n {"a":2}\n\t{"a":3}\r\n') == [b'{"a":1}', b'{"a":2}', b'{"a":3}']
    (record,) = bad(b'{"a":\n  {"b":1,\n  {"b":2}}\n  {"a":2}\n')  # the lines between are no objects
    assert record.raw == b'{"a":\n  {"b":1,\n  {"b":2}}'


def test_a_comma_between_objects_is_quarantined_and_no_object_is_lost() -> None:
    assert good(b'{"a":1},\n{"a":2}\n') == [b'{"a":1}', b'{"a":2}']
    assert [record.raw for record in bad(b'{"a":1},\n{"a":2}\n')] == [b","]


def test_a_value_beyond_the_limit_is_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "RUN_BYTES", 64)
    monkeypatch.setattr(reading, "MAX_VALUE_BYTES", 256)
    content = b'{"a":"' + b"x" * 2000 + b'"}\n{"a":1}\n'
    assert [record.raw for record in read(content, 64) if record.verdict.fault is None] == [b'{"a":1}']
    (record,) = [record for record in read(content, 64) if record.verdict.fault is not None]
    assert record.size == 2009
    assert "more than 256 bytes" in (record.verdict.fault or "")


def test_what_is_no_json_is_not_kept_beyond_the_quarantine_column() -> None:
    (record,) = read(b"x" * 10_000_000)
    assert (record.size, len(record.raw)) == (10_000_000, reading.KEPT_BYTES)


JSON_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def _has_no_keys_alike(value: object) -> bool:
    """Whether no two keys of an object differ in upper and lower case only."""
    if isinstance(value, list):
        return all(map(_has_no_keys_alike, value))
    if not isinstance(value, dict):
        return True
    return len({key.lower() for key in value}) == len(value) and all(map(_has_no_keys_alike, value.values()))


JSON_OBJECTS = st.dictionaries(
    JSON_TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | JSON_TEXT,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(JSON_TEXT, inner, max_size=3),
        max_leaves=6,
    ).filter(lambda value: "inf" not in repr(value)),
    max_size=4,
).filter(_has_no_keys_alike)


SEPARATORS = st.sampled_from([b"\n", b"\r\n", b"", b" ", b"\n\n \n", b"\t\n", b"\r"])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_byte_order_mark_may_come_byte_by_byte(size: int) -> None:
    (record,) = read(reading.BYTE_ORDER_MARK + b'{"a":1}\n', size)
    assert (record.line, record.offset, record.raw) == (1, 3, b'{"a":1}')


@pytest.mark.parametrize(
    "record",
    [
        b'{"a":1,"b":}\n',
        b'{\n  "a": 1,\n  "b": 1.5\n}\n',
        b'{"a":1} {"a":2}\n',
        b'{"a":1}',
        b' {"a":\n',
        b'{"a":"' + b"x" * 10_000 + b"\n",
    ],
    ids=["broken lines", "indented objects", "two a line", "all on one line", "broken and indented", "long and broken"],
)
def test_the_time_to_look_closer_grows_with_the_text_and_not_faster(record: bytes) -> None:
    """Twelve times the text may take twice twelve times the steps, since it is halved more often; not 144 times."""
    small = steps_to_read(record, 50_000)
    assert 50_000 < small < steps_to_read(record, 600_000) < 24 * small


def test_steps_that_grow_faster_than_the_text_would_be_counted() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "PIECE_BYTES", reading.MAX_VALUE_BYTES)  # all that is left of the text for every value
        line = b'{"a":1} 17 x {"a":2}\n'
        assert steps_to_read(line, 24_000) > 100 * steps_to_read(line, 2_000)


def steps_to_read(record: bytes, size: int) -> int:
    """How many bytes of a text of many records are looked at: each as often as it is copied, decoded or checked."""
    text = record * (size // len(record))
    steps = 0

    def counted(look: Callable[..., Any], seen: Callable[..., int]) -> Callable[..., Any]:
        def counting(*arguments: Any) -> Any:  # noqa: ANN401 - any function's
            nonlocal steps
            found = look(*arguments)
            steps += seen(found, *arguments)
            return found

        return counting

    class CountedFinder:
        def raw_decode(self, text: str, start: int) -> tuple[Any, int]:
            nonlocal steps
            try:
                value, end = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode(text, start)
            except json.JSONDecodeError as error:
                steps += len(text) - start if error.msg.startswith("Unterminated") else error.pos - start
                raise
            steps += end - start
            return value, end

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading._Reader, "_bytes", counted(reading._Reader._bytes, lambda found, *_: len(found)))
        patch.setattr(reading, "_FINDER", CountedFinder())
        patch.setattr(RecordChecker, "check", counted(RecordChecker.check, lambda _, __, raw: len(raw)))
        patch.setattr(RecordChecker, "count_good", counted(RecordChecker.count_good, lambda _, __, lines: len(lines)))
        assert sum(1 for _ in read_records([text], WITH_A))
    return steps


@given(
    st.lists(st.tuples(JSON_OBJECTS, st.booleans(), st.sampled_from([None, 1, 2]), SEPARATORS), max_size=12),
    st.booleans(),
    st.integers(4, 80),
)
def test_finds_all_objects_whatever_the_layout_and_the_size_of_blocks(
    laid_out: list[tuple[dict[str, Any], bool, int | None, bytes]], with_mark: bool, block: int
) -> None:
    content = reading.BYTE_ORDER_MARK if with_mark else b""
    expected = []
    for value, escaped, indent, separator in laid_out:
        raw = json.dumps(value, ensure_ascii=escaped, indent=indent).encode()
        expected.append((content.count(b"\n") + 1, len(content), raw.replace(b"\n", b" ")))
        content += raw + separator
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "RUN_BYTES", 2 * block)
        patch.setattr(reading, "PIECE_BYTES", block)
        records = read(content, block)
    assert [(record.line, record.offset, record.raw) for record in records] == expected
    assert all(record.verdict == Verdict(None, record.verdict.unknown_keys) for record in records)


TOKENS = [b"{", b"}", b'"a"', b'"', b":", b"1", b"12", b"-", b"1e", b"\n", b"\r\n", b",", b"[", b"]", b" ", b'{"a":1}']
TOKENS += [b"tru", b"true", b"null", b"\\u00", b"\xff", b"\xc3\xa9", b"xyz\n{", b'\n {"a":2}\n']


def bounds(record: Record) -> tuple[int, int, int, bytes, bool]:
    return record.line, record.offset, record.size, record.raw, record.verdict.fault is None


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from(TOKENS), max_size=30).map(b"".join),
    st.integers(4, 80),
)
@example(b'{"a":1} 12 {"a":2}\n12345678\n', 4)
@example(b"{\n}12 x\n{}", 4)
@example(b"17 x\n{}", 4)
@example(b"{}{}\n", 4)  # a piece ends with the last value of a line
@example(b"{} {}\n", 5)
@example(b"{}{}  ", 4)
@example(b"{}{}\r\n", 5)
@example(b"{}{}\n \n {}", 4)
@example(b"{}{}\n \n x{}", 4)
@example(b"{}{}\n17\n{}", 4)
def test_loses_no_byte_of_anything_but_blanks_whatever_the_size_of_blocks(content: bytes, block: int) -> None:
    assume(not content.startswith(reading.GZIP))
    left = bytearray(content.removeprefix(reading.BYTE_ORDER_MARK))
    shift = len(content) - len(left)
    records = read(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "RUN_BYTES", 2 * block)
        patch.setattr(reading, "PIECE_BYTES", block)
        patch.setattr(check, "FEW_LINES", 1)
        in_small_blocks = read(content, block)
        in_runs = read(content, block, WITH_A)
        read_ahead = read(content, block, AHEAD)
    assert [bounds(record) for record in in_small_blocks] == [bounds(record) for record in records]
    assert [bounds(record)[:3] for record in in_runs] == [bounds(record)[:3] for record in records]
    assert [bounds(record) for record in read_ahead] == [bounds(record) for record in in_runs]
    for record in records:
        start = record.offset - shift
        assert left[start : start + 1].strip(b" \t\r\n")
        left[start : start + record.size] = b" " * record.size
    assert not left.strip(b" \t\r\n")


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"BZh91AY&SY\n", "bzip2: unpack it"),
        ('{"a": 1}\n'.encode("utf-16"), "UTF-16: write it as UTF-8"),
    ],
    ids=["bzip2", "UTF-16"],
)
def test_a_file_in_another_encoding_is_told_by_name(content: bytes, advice: str) -> None:
    first = next(iter(read(content)))
    assert advice in str(first.verdict.fault)


LINES = b"".join(b'{"a":%d}\n' % number for number in range(10_000))


def runs_and_records(content: bytes, block: int = BLOCK_BYTES) -> list[Run | Record]:
    return list(read_records(Text(blocks_of(content, block)), WITH_A))


def test_good_lines_are_checked_and_landed_by_the_hundred() -> None:
    found = runs_and_records(LINES)
    assert len(found) < 5
    assert b"".join(run.lines for run in found if isinstance(run, Run)) == LINES


def test_one_bad_line_is_found_and_only_few_around_it_are_taken_singly() -> None:
    content = LINES[: LINES.index(b'{"a":5000}')] + b'{"a":"x"}\n' + LINES[LINES.index(b'{"a":5000}') :]
    found = runs_and_records(content)
    singles = [record for record in found if isinstance(record, Record)]
    assert len(singles) <= check.FEW_LINES
    (bad_one,) = [record for record in singles if record.verdict.fault]
    assert (bad_one.line, bad_one.offset, bad_one.raw) == (5001, content.index(b'{"a":"x"}'), b'{"a":"x"}')
    assert sum(run.records for run in found if isinstance(run, Run)) + len(singles) == 10_001


def test_windows_line_breaks_and_a_missing_last_one_do_not_stop_runs() -> None:
    content = LINES.replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    found = runs_and_records(content)
    assert b"".join(run.lines for run in found if isinstance(run, Run)) == LINES


@pytest.mark.parametrize(
    "lines",
    [
        b'{"a":1} {"a":2}\n',
        b'{"a":\n1}\n{"a":2}\n',
        b'{"a":1}{"a":2}\n{"a":\n3}\n',
        b'{"a":1}\n\n{"a":2}\n',
        b'{"a":1,"a":2}\n',
        b'{"a":1}\r{"a":2}\n',
        b'{"a":1,"b":2}\n',
        b"\n",
    ],
)
def test_what_is_not_one_good_record_a_line_is_no_run(lines: bytes) -> None:
    assert WITH_A.count_good(lines) is None


def test_a_key_twice_is_not_made_up_for_by_a_key_that_another_record_lacks() -> None:
    columns = (Column("a", "integer"), Column("b", "integer"))
    checker = RecordChecker(Table("pairs", "test", "pairs", columns=columns))
    assert checker.count_good(b'{"a":1,"b":2}\n{"a":1}\n') == (2, 3, (2, 2, 1, 2))
    assert checker.count_good(b'{"a":1,"b":2,"b":3}\n{"a":1}\n') is None


@pytest.mark.parametrize("block", [7, 1000, BLOCK_BYTES])
def test_gzip_is_unpacked_however_many_members_there_are(block: int) -> None:
    zipped = gzip.compress(LINES[:5000]) + gzip.compress(LINES[5000:]) + bytes(512)
    found = runs_and_records(zipped, block)
    assert b"".join(run.lines for run in found if isinstance(run, Run)) == LINES


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda zipped: zipped[: len(zipped) // 2], "the gzip file ends early"),
        (lambda zipped: zipped[:-4], "the gzip file ends early"),
        (lambda zipped: zipped[:-8] + b"\0" * 8, "the gzip file is damaged"),
        (lambda zipped: zipped + b"garbage", "the gzip file is damaged"),
    ],
    ids=["half", "without its end", "wrong checksum", "garbage behind"],
)
def test_what_can_be_read_of_a_damaged_gzip_file_is_and_the_rest_is_told(
    damage: Callable[[bytes], bytes], reason: str
) -> None:
    *found, last = runs_and_records(damage(gzip.compress(LINES)))
    assert isinstance(last, Record)
    assert reason in (last.verdict.fault or "")
    lines = b"".join(run.lines for run in found if isinstance(run, Run))
    assert LINES.startswith(lines)
    assert lines or "damaged" in reason  # what fails its checksum is not landed


@given(
    st.lists(
        st.lists(st.sampled_from([b'{"a":1}\n', b'{"a":22}\n', b'{"a":\n3}', b"\n", b"x\n", b"{"])).map(b"".join),
        max_size=8,
    ),
    st.integers(4, 40),
    st.integers(1, 3),
)
def test_files_that_are_read_ahead_give_what_each_gives_by_itself(
    contents: list[bytes], block: int, files: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "RUN_BYTES", 2 * block)
        patch.setattr(reading, "FILES_AHEAD", files)
        texts = ((number, Text(blocks_of(content, block))) for number, content in enumerate(contents))
        in_turn = [singly(contents[number], found) for number, found in read_in_turn(texts, AHEAD)]
        by_itself = [read(content, block, WITH_A) for content in contents]
    assert [list(map(bounds, found)) for found in in_turn] == [list(map(bounds, found)) for found in by_itself]


def test_the_next_file_is_checked_before_the_last_is_dealt_with() -> None:
    opened: list[int] = []

    def text(number: int) -> Iterator[bytes]:
        opened.append(number)
        yield b'{"a":1}\n'

    files = read_in_turn(((number, text(number)) for number in range(100)), AHEAD)
    _, records = next(files)
    next(records)
    assert opened == list(range(13))  # one in every eight bytes of a hundred


def test_a_bomb_is_unpacked_block_by_block() -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    longest = max(len(text) for text in Text([bomb]))
    assert longest <= reading.UNZIPPED_BYTES
