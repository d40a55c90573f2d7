"""The report: Markdown that a pull request shows. Nothing in it is live that a value, a name or a finding says."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from lakehouse.console import counted
from lakehouse.diff.coverage import Coverage
from lakehouse.diff.difference import Difference, relation_name
from lakehouse.diff.nodes import NodeChange, kind_of, label, with_dependents
from lakehouse.diff.rows import KINDS, RelationChange, SampledRow
from lakehouse.pipeline.fingerprints import BUILT, TESTS

MOST_CHARACTERS = 60_000
"""Of the report: GitHub takes 65,536 of a comment, https://docs.github.com/en/rest/issues/comments."""
MARK = "<!-- lakehouse diff -->"
NOTHING = "-"
_MOST_LINES, _MOST_VALUE, _MOST_COLUMNS, _MOST_NAMES = 40, 40, 12, 12
_CUT = "\n\n…cut here: the whole is told by `lakehouse diff` in a shell.\n"


def summary(found: Difference) -> str:
    """What changes, in a line."""
    kinds = Counter(change.kind for change in found.changes.nodes if kind_of(change.unique_id) in BUILT)
    tested = Counter("passed" if status == "pass" else "failed" for status in found.verdict.tested.values())
    relations = {name for name in found.head.nodes if kind_of(name) in BUILT}
    built = len(found.reached & relations)
    models = " and ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "no model changed"
    return ", ".join(
        [
            f"against {found.commit[:12]}: {models}",
            f"{counted(len(found.relations), 'relation')} with other rows or columns",
            f"{built} of {len(relations)} built",
            f"{counted(tested['passed'], 'test')} passed",
            f"{len(found.verdict.failures)} failed",
        ]
    )


def render(found: Difference) -> str:
    """The report."""
    sections = [
        _failures(found),
        _personal(found),
        _models(found),
        _rows(found),
        _tests(found),
        _lint(found),
    ]
    text = "\n".join(
        [MARK, "## What this changes", "", f"{summary(found)[0].upper()}{summary(found)[1:]}. {_how(found)}", "", ""]
    )
    text += "\n".join("\n".join(lines) + "\n" for lines in map(list, sections) if lines)
    return text if len(text) <= MOST_CHARACTERS else _close(text[: MOST_CHARACTERS - 200])


def _how(found: Difference) -> str:
    how = f"Built on DuckDB of the data set {code(found.dataset)}."
    if found.changes.for_all:
        how += f" Everything was built, since this may change any node: {_names(found.changes.for_all)}."
    return how


# ------------------------------------------------------------------------------------------------------------- sections
def _failures(found: Difference) -> Iterator[str]:
    if found.verdict.failures:
        yield "### Fails"
        yield ""
        lines = [
            f"- {_labelled(found, name)}: {code(status)}" for name, status in sorted(found.verdict.failures.items())
        ]
        yield from _cut(lines)


def _personal(found: Difference) -> Iterator[str]:
    if found.tags:
        yield "### Tags of personal data"
        yield ""
        yield from _table(
            ("where", "tag", "base", "now"),
            [
                (code(t.place), code(t.tag), _said(t.before), "*gone with it*" if t.is_gone else _said(t.after))
                for t in found.tags
            ],
        )


def _models(found: Difference) -> Iterator[str]:
    changes = [change for change in found.changes.nodes if kind_of(change.unique_id) not in TESTS]
    if changes:
        yield "### Models, sources, seeds and snapshots"
        yield ""
        rows = [
            (_labelled(found, c.unique_id), c.kind, code(", ".join(c.parts)), _dependents(found, c)) for c in changes
        ]
        yield from _table(("what", "is", "part", "what depends on it"), rows)


def _rows(found: Difference) -> Iterator[str]:
    if not found.relations and not found.not_compared:
        return
    yield "### Rows and columns"
    yield ""
    rows = [
        (
            code(c.name),
            _number(c.rows_before),
            _number(c.rows_after),
            *(_number(c.counts.get(kind, 0)) if c.counts else NOTHING for kind in KINDS),
            "<br>".join([*_schema(c), *_columns(c)]),
        )
        for c in found.relations
    ]
    yield from _table(("relation", "base", "now", *KINDS, "columns"), rows)
    yield from (f"- {code(name)} is not compared: {reason}" for name, reason in sorted(found.not_compared.items()))
    for change in found.relations:
        yield from _sample(found, change)


def _tests(found: Difference) -> Iterator[str]:
    was, now = found.coverage
    changes = [change for change in found.changes.nodes if kind_of(change.unique_id) in TESTS]
    gaps = sorted(now.gaps - was.gaps)
    if was == now and not changes:
        return
    yield "### Tests and descriptions"
    yield ""
    yield from _table(
        ("", "base", "now"), [(what, old, new) for what, old, new in _coverage_lines(was, now) if old != new]
    )
    yield from _cut([f"- {code(gap)}" for gap in gaps])
    yield from _cut([f"- {_labelled(found, c.unique_id)} {c.kind}{_in_brackets(c.parts)}" for c in changes], 20)


def _lint(found: Difference) -> Iterator[str]:
    asked = [linted for linted in found.linted if linted.files]
    if asked:
        yield "### Lint"
        yield ""
    for linted in asked:
        files = counted(linted.files, "changed file")
        if not linted.is_installed:
            yield f"- {linted.tool}: not installed here, so {files} not looked at (`make .venv/test.installed`)"
        else:
            findings = counted(len(linted.findings), "finding") if linted.findings else "clean"
            yield f"- {linted.tool}: {files}, {findings}"
        yield from _cut([f"  - {code(finding, 200)}" for finding in linted.findings], 20)


# --------------------------------------------------------------------------------------------------------------- pieces
def _sample(found: Difference, change: RelationChange) -> Iterator[str]:
    """A few rows of each kind. A row that changed shows its key and what changed of it, before → after."""
    if not change.sample:
        return
    yield ""
    yield f"<details><summary>some rows of {change.name}</summary>"
    yield ""
    for row in change.sample:
        yield f"- {row.kind}: {', '.join(_row_values(found, change, row))}"
    yield ""
    yield "</details>"


def _row_values(found: Difference, change: RelationChange, row: SampledRow) -> Iterator[str]:
    def shown(name: str, value: str | None) -> str:
        return code(_told(found.mask.shown(change.name, name, value)))

    before, after = row.before or row.after or (), row.after or row.before or ()
    values = list(zip(change.compared, before, after, strict=True))
    first = [value for value in values if value[0] in change.key]
    rest = [
        (name, old, new)
        for name, old, new in values
        if name not in change.key and (row.kind != "changed" or old != new)
    ]
    for name, old, new in [*first, *rest][:_MOST_COLUMNS]:
        is_other = row.kind == "changed" and old != new
        yield f"{code(name)} {shown(name, old)}{f' → {shown(name, new)}' if is_other else ''}"
    if len(first) + len(rest) > _MOST_COLUMNS:
        yield "…"


def _schema(change: RelationChange) -> Iterator[str]:
    for name, (before, after) in change.schema.items():
        if before is None:
            yield f"{code(name)} is new ({after})"
        elif after is None:
            yield f"{code(name)} is gone"
        else:
            yield f"{code(name)} is {after}, was {before}"


def _columns(change: RelationChange) -> Iterator[str]:
    most = sorted(change.columns.items(), key=lambda item: (-item[1], item[0]))
    if most:
        yield "changed: " + ", ".join(f"{code(name)} ({rows:,})" for name, rows in most[:_MOST_COLUMNS])


def _dependents(found: Difference, change: NodeChange) -> str:
    """What depends on a node, with the columns of it that have other values now, and who uses what depends on it."""
    project = found.base if change.kind == "removed" else found.head
    names = sorted(with_dependents(project, [change.unique_id]) - {change.unique_id})
    columns = {relation.name: [*relation.columns, *relation.schema] for relation in found.relations}
    told = []
    for unique_id in filter(_is_relation, names):
        changed = columns.get(relation_name(project, unique_id), [])
        told.append(
            code(label(project, unique_id)) + (f" ({', '.join(map(code, changed[:_MOST_COLUMNS]))})" if changed else "")
        )
    relations = ", ".join(told[:_MOST_NAMES]) + (
        f" and {len(told) - _MOST_NAMES} more" if len(told) > _MOST_NAMES else ""
    )
    uses = [code(project.exposures[name].name) for name in names if name in project.exposures]
    return (relations or "nothing") + (f"; used by {', '.join(uses)}" if uses else "")


def _is_relation(unique_id: str) -> bool:
    """Exposures, metrics and tests depend on models, too."""
    return unique_id.partition(".")[0] in {kind.value for kind in BUILT}


def _labelled(found: Difference, unique_id: str) -> str:
    try:
        return code(label(found.head, unique_id))
    except KeyError:
        return code(label(found.base, unique_id))


def _coverage_lines(was: Coverage, now: Coverage) -> list[tuple[str, str, str]]:
    def line(what: str, told: Callable[[Coverage], str]) -> tuple[str, str, str]:
        return what, told(was), told(now)

    return [
        line("models with a test of their key", lambda side: f"{side.with_key:,} of {side.models:,}"),
        line("models with a unit test", lambda side: f"{side.with_unit_test:,} of {side.models:,}"),
        line("columns with a description", lambda side: f"{side.described:,} of {side.columns:,}"),
        line("tests of data", lambda side: f"{side.data_tests:,}"),
        line("unit tests", lambda side: f"{side.unit_tests:,}"),
    ]


# -------------------------------------------------------------------------------------------------------------- writing
def code(text: str, most: int = 120) -> str:
    """A text as code, in which nothing is Markdown, a link, a mention or a control character; "" as nothing."""
    if not text:
        return ""
    short = text if len(text) <= most else text[: most - 1] + "…"
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence, gap = "`" * (longest + 1), " " if longest or plain != plain.strip() else ""
    return f"{fence}{gap}{plain}{gap}{fence}"


def _told(value: str | None) -> str:
    return (
        "null"
        if value is None
        else json.dumps(value[:_MOST_VALUE] + "…" * (len(value) > _MOST_VALUE), ensure_ascii=False)
    )


def _said(value: object) -> str:
    return NOTHING if value is None else code(str(value))


def _number(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(map(code, names[:_MOST_NAMES])) + more


def _in_brackets(parts: Sequence[str]) -> str:
    return f" ({code(', '.join(parts))})" if parts else ""


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table. A pipe would end its cell, in code, too: https://github.github.com/gfm/#example-200."""
    if rows:
        yield f"| {' | '.join(header)} |"
        yield "|---" * len(header) + "|"
        yield from _cut([f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows])
        yield ""


def _cut(lines: Sequence[str], most: int = _MOST_LINES) -> Iterable[str]:
    more = len(lines) - most
    return lines if more <= 0 else [*lines[:most], "", f"…and {more:,} more", ""]


def _close(text: str) -> str:
    """Ends a report that is too long at a line's end, with what is open closed."""
    whole = text.rpartition("\n")[0]
    is_open = whole.count("<details>") > whole.count("</details>")
    return whole + ("\n\n</details>" if is_open else "") + _CUT
