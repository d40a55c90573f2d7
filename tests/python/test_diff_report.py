"""What a change's report is made of: rows of two dumps, hashes for what may be a person's, Markdown that is inert."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from dbt.contracts.graph.manifest import Manifest

from lakehouse.diff.coverage import Coverage
from lakehouse.diff.difference import Difference, Verdict
from lakehouse.diff.lint import Linted, lint
from lakehouse.diff.markdown import MOST_CHARACTERS, code, render
from lakehouse.diff.nodes import Changes, NodeChange
from lakehouse.diff.personal import Mask, TagChange, known_values, tag_changes
from lakehouse.diff.rows import RelationChange, SampledRow, compare_relation
from lakehouse.parity.dump import CATALOGUE, Column, Relation, rows_file

pytestmark = pytest.mark.quick

NAME = "s.people"
COLUMNS = (("id", "integer"), ("words", "text"), ("size", "float"))
Row = Sequence[str | None]
ROWS: list[Row] = [["1", "a", "1.5"], ["2", None, "nan"], ["3", "", "-0.0"]]


def dump(folder: Path, rows: Sequence[Row], columns: Sequence[tuple[str, str]] = COLUMNS, key: str = "id") -> Path:
    folder.mkdir(parents=True)
    relation = Relation(NAME, tuple(Column(*column) for column in columns), (key,) if key else ())
    (folder / CATALOGUE).write_bytes(msgspec.json.encode([relation]))
    rows_file(folder, NAME).write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    return folder


def compared(tmp_path: Path, rows: Sequence[Row], columns: Sequence[tuple[str, str]] = COLUMNS) -> RelationChange:
    return compare_relation(dump(tmp_path / "base", ROWS), dump(tmp_path / "head", rows, columns), tmp_path)


# --------------------------------------------------------------------------------------------------------------- rows
def test_the_same_rows_in_another_order_are_the_same(tmp_path: Path) -> None:
    found = compared(tmp_path, ROWS[::-1])
    assert found.is_same
    assert (found.rows_before, found.rows_after, found.sample) == (3, 3, ())


def test_rows_are_added_removed_and_changed_by_their_key(tmp_path: Path) -> None:
    found = compared(tmp_path, [["1", "b", "1.5"], ["2", None, "nan"], ["4", "", "0.0"], ["5", None, None]])
    assert found.counts == {"added": 2, "removed": 1, "changed": 1}
    assert found.columns == {"words": 1}
    assert found.key == ("id",)
    assert found.sample == (
        SampledRow("added", None, ("4", "", "0.0")),
        SampledRow("added", None, ("5", None, None)),
        SampledRow("changed", ("1", "a", "1.5"), ("1", "b", "1.5")),
        SampledRow("removed", ("3", "", "-0.0"), None),
    )


def test_null_and_nothing_are_two_values(tmp_path: Path) -> None:
    found = compared(tmp_path, [ROWS[0], ["2", "", "nan"], ROWS[2]])
    assert (found.counts["changed"], found.columns) == (1, {"words": 1})


def test_a_row_that_is_doubled_is_added(tmp_path: Path) -> None:
    """A key that is none any more pairs nothing twice: a thousand of one key stay a thousand."""
    found = compared(tmp_path, [*ROWS, *[["1", "a", "1.5"]] * 1_000])
    assert found.counts == {"added": 1_000, "removed": 0, "changed": 0}


def test_without_a_key_nothing_is_a_pair(tmp_path: Path) -> None:
    base = dump(tmp_path / "base", ROWS, key="")
    found = compare_relation(base, dump(tmp_path / "head", [["1", "b", "1.5"], *ROWS[1:]], key=""), tmp_path)
    assert found.counts == {"added": 1, "removed": 1, "changed": 0}


def test_what_columns_are_shared_is_compared_where_others_came_and_went(tmp_path: Path) -> None:
    rows = [["x", "1.5", "1"], ["y", "nan", "2"], ["z", "7.0", "3"]]
    found = compared(tmp_path, rows, (("new", "text"), ("size", "float"), ("id", "integer")))
    assert found.schema == {"words": ("text", None), "new": (None, "text")}
    assert (found.counts, found.columns) == ({"added": 0, "removed": 0, "changed": 1}, {"size": 1})
    assert set(found.compared) == {"size", "id"}


def test_another_type_is_told_and_its_values_are_compared_by_the_letter(tmp_path: Path) -> None:
    found = compared(tmp_path, ROWS, (("id", "bigint"), *COLUMNS[1:]))
    assert found.schema == {"id": ("integer", "bigint")}
    assert not any(found.counts.values())
    assert not found.is_same


def test_no_row_and_no_relation_are_told_apart(tmp_path: Path) -> None:
    found = compared(tmp_path, [])
    assert (found.rows_after, found.counts["removed"]) == (0, 3)
    gone = compare_relation(tmp_path / "base", tmp_path / "nowhere", tmp_path)
    assert (gone.rows_before, gone.rows_after, gone.is_same) == (3, None, False)


def test_columns_that_are_all_new_leave_the_rows_alone(tmp_path: Path) -> None:
    found = compared(tmp_path, [["x"]] * 3, (("other", "text"),))
    assert len(found.schema) == 4
    assert (found.rows_before, found.rows_after) == (3, 3)


# ---------------------------------------------------------------------------------------------------- personal data
def project(**tags: str | None) -> Manifest:
    """A project with one relation, whose columns have these tags."""
    columns = {
        name: SimpleNamespace(name=name, config=SimpleNamespace(meta={"personal": tag} if tag else {}))
        for name, tag in tags.items()
    }
    config = SimpleNamespace(meta={"holds_personal_data": any(tags.values())})
    node = SimpleNamespace(schema="s", alias="people", columns=columns, config=config)
    return cast("Manifest", SimpleNamespace(nodes={"model.lakehouse.people": node}, sources={}))


TAGGED, PLAIN = project(id=None, words="identifier", size=None), project(id=None, words=None, size=None)


@pytest.mark.parametrize(("base", "head"), [(TAGGED, TAGGED), (TAGGED, PLAIN), (PLAIN, TAGGED)])
def test_a_column_that_either_side_tags_is_hashed(base: Manifest, head: Manifest) -> None:
    mask = Mask(base, head, [])
    hashed = mask.shown(NAME, "words", "ask@example.com")
    assert re.fullmatch(r"#[0-9a-f]{8}", str(hashed))
    assert mask.shown(NAME, "words", "ask@example.com") == hashed
    assert mask.shown(NAME, "words", "other@example.com") != hashed
    assert mask.shown(NAME, "size", "1.5") == "1.5"
    assert mask.shown(NAME, "words", None) is None


def test_a_hash_cannot_be_found_out_by_trying_addresses() -> None:
    assert len({Mask(TAGGED, TAGGED, []).shown(NAME, "words", "ask@example.com") for _ in range(5)}) == 5


def test_what_the_base_does_not_hold_is_hashed() -> None:
    """Nobody has looked yet whether its tags are true."""
    mask = Mask(project(id=None), project(id=None, note=None), [])
    assert str(mask.shown(NAME, "note", "harmless")).startswith("#")
    assert str(mask.shown("s.new", "id", "7")).startswith("#")
    assert mask.shown(NAME, "id", "7") == "7"


def test_a_known_value_is_hashed_wherever_it_stands() -> None:
    mask = Mask(PLAIN, PLAIN, ["ask@example.com", "lee", "leah"])
    for told in ("ask@example.com", "ASK@Example.com", "mailto:ask@example.com!", "Leah"):
        assert str(mask.shown(NAME, "words", told)).startswith("#"), told
    for told in ("leeward", "leahy", "ask"):
        assert mask.shown(NAME, "words", told) == told


def test_known_values_are_those_of_tagged_texts_that_are_long_enough(tmp_path: Path) -> None:
    folder = dump(tmp_path / "base", [["1000000", "Leah", "1.5"], ["2", "L", "2.5"], ["3", None, "9.5"]])
    assert known_values({NAME: {"words", "id"}}, [folder]) == {"leah"}
    assert known_values({}, [folder]) == set()


def test_tags_that_vanish_are_told_from_columns_that_do() -> None:
    assert tag_changes(TAGGED, PLAIN) == [
        TagChange(NAME, "holds_personal_data", True, False),
        TagChange(f"{NAME}.words", "personal", "identifier", None),
    ]
    (_relation, column) = tag_changes(TAGGED, project(id=None))
    assert (column.place, column.is_gone) == (f"{NAME}.words", True)
    assert tag_changes(TAGGED, TAGGED) == []


# --------------------------------------------------------------------------------------------------------- Markdown
def difference(**changed: Any) -> Difference:  # noqa: ANN401 - fields of a dataclass
    """A change, of which a test says what matters to it."""
    coverage = Coverage(1, 1, 0, 3, 3, 4, 0, frozenset())
    fields: dict[str, Any] = {
        "commit": "0123456789abcdef",
        "dataset": "sample",
        "base": TAGGED,
        "head": TAGGED,
        "changes": Changes(()),
        "reached": frozenset(),
        "verdict": Verdict({}, {}),
        "relations": (),
        "not_compared": {},
        "tags": (),
        "coverage": (coverage, coverage),
        "linted": (),
        "mask": Mask(TAGGED, TAGGED, ["ask@example.com"]),
    }
    return Difference(**{**fields, **changed})


def change_of(rows: Sequence[SampledRow], **more: Any) -> RelationChange:  # noqa: ANN401 - see above
    names = tuple(name for name, _type in COLUMNS)
    counts = {"added": 1, "removed": 0, "changed": len(rows)}
    return RelationChange(NAME, 3, 4, counts=counts, key=("id",), compared=names, sample=tuple(rows), **more)


def test_nothing_is_said_at_length_of_what_changes_nothing() -> None:
    text = render(difference())
    assert "no model changed" in text
    assert "###" not in text


def test_a_sample_shows_no_value_of_a_person() -> None:
    rows = [
        SampledRow("changed", ("1", "bob@example.com", "1.5"), ("1", "eve@example.com", "2.5")),
        SampledRow("added", None, ("4", "zoe@example.com", "ask@example.com")),
    ]
    text = render(difference(relations=(change_of(rows),)))
    assert "example.com" not in text
    assert re.search(r'- changed: `id` `"1"`, `words` `"#\w{8}"` → `"#\w{8}"`, `size` `"1.5"` → `"2.5"`', text)
    assert re.search(r'- added: `id` `"4"`, `words` `"#\w{8}"`, `size` `"#\w{8}"`', text)


HOSTILE = [
    "| a | b |",
    "`` ` ```",
    "`",
    "@everybody",
    "![](https://example.org/x.png)",
    "<script>alert(1)</script>",
    "a\n## heading\n",
    "\u202egnirts",
    "-->",
    "</details>",
    " padded ",
    "\x1b[31m",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_is_code_whatever_it_holds(text: str) -> None:
    """One span, on one line, closed by as many backticks as opened it, which stand nowhere inside."""
    told = code(text)
    found = re.fullmatch(r"(`+)(.*[^`])\1", told)
    assert found is not None
    assert found[1] not in re.findall("`+", found[2])
    assert told.isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_row_of_a_table_stays_one(text: str) -> None:
    tags = (TagChange(text, "personal", None, text),)
    (line,) = [line for line in render(difference(tags=tags)).splitlines() if line.startswith("| `")]
    assert len(re.findall(r"(?<!\\)\|", line)) == 5


def test_a_long_report_is_cut_and_closed() -> None:
    rows = [SampledRow("changed", ("1", None, "1.5"), ("1", None, "2" * 40))] * 5_000
    text = render(difference(relations=(change_of(rows),)))
    assert MOST_CHARACTERS - 1_000 < len(text) <= MOST_CHARACTERS
    assert text.count("<details>") == text.count("</details>")
    assert "…cut here" in text


def test_many_lines_are_counted() -> None:
    linted = (
        Linted("ruff", 3, tuple(f"a.py:{n}: wrong" for n in range(100))),
        Linted("sqlfluff", 2, is_installed=False),
    )
    text = render(difference(linted=linted))
    assert "ruff: 3 changed files, 100 findings" in text
    assert "…and 80 more" in text
    assert "sqlfluff: not installed here" in text


def test_a_schema_is_told(tmp_path: Path) -> None:
    schema: Mapping[str, tuple[str | None, str | None]] = {"a": (None, "text"), "b": ("text", None), "c": ("a", "b")}
    text = render(difference(relations=(change_of([], schema=schema),)))
    assert "`a` is new (text)<br>`b` is gone<br>`c` is b, was a" in text


@pytest.mark.parametrize(
    ("kind", "parts", "may"),
    [
        ("added", (), True),
        ("removed", (), False),
        ("modified", ("body",), True),
        ("modified", ("description", "tags"), False),
        ("modified", ("description", "contract"), True),
    ],
)
def test_what_may_change_rows_is_built(kind: str, parts: tuple[str, ...], may: bool) -> None:
    assert NodeChange("model.lakehouse.m", kind, parts).may_change_rows is may


def test_linters_look_at_what_changed_alone(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    (tmp_path / "b.py").write_text("import os\n")
    ruff, sqlfluff = lint(tmp_path, ["a.py", "notes.md", "tests/dbt/generic/x.sql"])
    assert (ruff.files, len(ruff.findings), sqlfluff.files) == (1, 1, 0)
    assert ruff.findings[0].startswith("a.py:1:8: F401")
