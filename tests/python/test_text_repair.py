import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.derived.text_repair import repair_text, undo_double_encoding
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from landing_helpers import SMALL, TABLES, content_of, ledger_of, load, put
from real_data import UDACITY, needs_real_data

pytestmark = pytest.mark.quick

LATIN = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0xFF))
ANY_SCRIPT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
CLEAN = [
    "Björk", "CAFÉ®", "CORAÇÃO", "SÃO JOÃO", "NÃO É VOCÊ", "Ã©", "Â©", "Ã£Â£", "PAIXÃO À VISTA", "naïve “quoted”", "Ÿ",
    "Sigur Rós", "Motörhead", "Mötley Crüe", "Þórr ÆÐ", "Œuvre", "Žižek", "Łódź", "Ζορμπάς", "Чайка", "שלום", "مرحبا",
    "日本語", "中文", "한국어", "हिन्दी", "ไทย", "🎵🎶", "e\u0301", "½ ¾ ¿ ¡", "", "plain", "100 °C", "ÀÉÎÕÜ ÂÃÄÅ",
]  # fmt: skip


def garble(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")


@given(LATIN | ANY_SCRIPT | st.sampled_from(CLEAN))
def test_undoes_what_was_done_twice(text: str) -> None:
    expected = None if text.isascii() else text
    assert undo_double_encoding(garble(garble(text))) == expected


@pytest.mark.parametrize("text", CLEAN)
def test_leaves_clean_and_once_encoded_text_alone(text: str) -> None:
    assert undo_double_encoding(text) is None
    if undo_double_encoding(garble(text)) is not None:
        assert text in ("CAFÉ®", "Ã©", "Â©", "Ã£Â£")  # these look themselves as if they were encoded once


def test_undoes_two_rounds_of_three_and_no_more() -> None:
    assert undo_double_encoding(garble(garble(garble("é")))) == garble("é")


def test_lands_the_repairs_beside_the_records(tmp_path: Path) -> None:
    source, zone = tmp_path / "source", tmp_path / "zone"
    garbled = garble(garble("Björk"))
    escaped = json.dumps({"id": 2, "text": garble(garble("Zoë"))})
    put(
        source,
        "events/1.json",
        f'{{"id":1,"text":"{garbled}"}}\n{escaped}\n{{"id":3,"text":"CAFÉ®"}}\n{{"id":4,"text":7}}\n',
    )
    put(source, "events/2.json", [{"id": 5, "text": garbled}, {"id": 6}, {"id": 7, "text": None}])
    load(source, zone)
    report = repair_text(zone, SMALL, print)
    assert (report.values, report.changed) == (3, True)
    assert report.repairs == 2
    (entry,) = ledger_of(zone, "text_repairs")
    lines = gzip.decompress((zone / entry["object_key"]).read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"garbled_text": garbled, "repaired_text": "Björk"},
        {"garbled_text": garble(garble("Zoë")), "repaired_text": "Zoë"},
    ]
    before = content_of(zone)
    assert not repair_text(zone, SMALL, print).changed
    assert content_of(zone) == before


def test_lands_an_empty_part_where_nothing_is_garbled(tmp_path: Path) -> None:
    put(tmp_path / "source", "events/1.json", [{"id": 1, "text": garble(garble("é"))}])
    load(tmp_path / "source", tmp_path / "zone")
    repair_text(tmp_path / "zone", SMALL, print)
    put(tmp_path / "source", "events/1.json", [{"id": 1, "text": "é"}])
    load(tmp_path / "source", tmp_path / "zone")
    assert repair_text(tmp_path / "zone", SMALL, print).changed
    (entry,) = ledger_of(tmp_path / "zone", "text_repairs")
    assert (entry["object_key"], entry["records_landed"]) == (None, 0)
    assert gzip.decompress((tmp_path / "zone/repairs/landing/empty.json.gz").read_bytes()) == b""


def test_a_zone_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="is empty: land something first"):
        repair_text(tmp_path / "zone", SMALL, print)


def test_a_project_without_the_table_of_repairs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="no table text_repairs is declared"):
        repair_text(tmp_path, {}, print)


@needs_real_data
def test_the_real_events_are_repaired_and_the_songs_are_clean(tmp_path: Path) -> None:
    land([UDACITY], tmp_path, TABLES)
    report = repair_text(tmp_path, TABLES, print)
    assert (report.values, report.repairs) == (153 + 193, 195)
    (entry,) = ledger_of(tmp_path, "text_repairs")
    lines = gzip.decompress((tmp_path / entry["object_key"]).read_bytes()).splitlines()
    garbled = {json.loads(line)["garbled_text"] for line in lines}
    files = (UDACITY).rglob("2018-*.json")
    events = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
    for column, values, distinct in (("song", 153, 113), ("artist", 193, 82)):
        found = [event[column] for event in events if event[column] in garbled]
        assert (len(found), len(set(found))) == (values, distinct)
    songs = (UDACITY / "sparkify/song_data/songs.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [str(json.loads(song)[key]) for song in songs for key in ("title", "artist_name", "artist_location")]
    assert len(texts) == 3 * 14_896
    assert not [text for text in texts if undo_double_encoding(text)]
