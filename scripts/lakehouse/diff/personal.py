"""Personal data in what is told of a change: which tags appear or vanish, and which values may be shown.

A report may be published where everybody reads it. So a value is shown only if main already holds its column, neither
side tags that column, and no value that is known to be a person's stands in it. All else is a keyed hash, whose key
ends with the process: equal values look equal, and nobody can find one out by trying addresses.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from dbt.contracts.graph.manifest import Manifest

from lakehouse.diff.nodes import kind_of
from lakehouse.parity.dump import read_catalogue, rows_file
from lakehouse.pipeline.fingerprints import BUILT

RELATION_TAGS = ("holds_personal_data", "names_nobody", "layer")
_WHOLE, _INSIDE = 2, 8
"""How many characters a known value must have to be looked for as a whole text, and inside of one: shorter ones stand
in words and hashes by chance."""
_LIST_OF_TEXTS = msgspec.json.Decoder(list[str | None])


@dataclass(frozen=True)
class TagChange:
    """A tag of personal data that is otherwise than in the base.

    Attributes:
        place: The relation, or the relation and the column.
        tag: Its name.
        before: What it said in the base; None where it was not there.
        after: What it says now; None where it is not there any more.
        is_gone: Whether what it stood at is gone, too.
    """

    place: str
    tag: str
    before: object
    after: object
    is_gone: bool = False


def tag_changes(base: Manifest, head: Manifest) -> list[TagChange]:
    """The tags that appear, vanish or say something else, of relations and of columns."""
    was, now = _tags(base), _tags(head)
    there = {place for place, _tag in now} | _columns(head)
    return [
        TagChange(place, tag, was.get((place, tag)), now.get((place, tag)), is_gone=place not in there)
        for place, tag in sorted(was.keys() | now.keys())
        if was.get((place, tag)) != now.get((place, tag))
    ]


def tagged_columns(manifest: Manifest, *kinds: str) -> dict[str, set[str]]:
    """The columns with a tag of personal data, by relation; of some kinds, where any are given."""
    found: dict[str, set[str]] = {}
    for (place, tag), value in _tags(manifest).items():
        if tag == "personal" and (not kinds or value in kinds):
            relation, _, column = place.rpartition(".")
            found.setdefault(relation, set()).add(column.lower())
    return found


def described_relations(manifest: Manifest) -> dict[str, Any]:
    """The nodes that are relations, by schema and name; sources, too."""
    nodes = {unique_id: node for unique_id, node in manifest.nodes.items() if kind_of(unique_id) in BUILT}
    named = {f"{node.schema}.{node.alias}": node for node in nodes.values()}
    return {**named, **{f"{source.schema}.{source.identifier}": source for source in manifest.sources.values()}}


def known_values(tagged: Mapping[str, Collection[str]], dumps: Iterable[Path]) -> set[str]:
    """The texts of some columns, in small letters, as far as they are long enough to be looked for.

    Args:
        tagged: Columns by relation.
        dumps: Folders of dumps, one relation in each.
    """
    found: set[str] = set()
    for dump in dumps:
        for relation in read_catalogue(dump).values():
            names = [column.name if column.type == "text" else "" for column in relation.columns]
            places = [place for place, name in enumerate(names) if name in tagged.get(relation.name, ())]
            if places:
                with rows_file(dump, relation.name).open("rb") as lines:
                    for line in lines:
                        values = _LIST_OF_TEXTS.decode(line)
                        found.update(text.casefold() for place in places if (text := values[place]) is not None)
    return {value for value in found if len(value) >= _WHOLE}


class Mask:
    """Says how a value may be shown."""

    def __init__(self, base: Manifest, head: Manifest, known: Collection[str]) -> None:
        """Takes the two projects, and the values that are known to be people's, in small letters."""
        self._tagged = [tagged_columns(base), tagged_columns(head)]
        self._reviewed = {name: {c.lower() for c in node.columns} for name, node in described_relations(base).items()}
        self._known, self._long = frozenset(known), [value for value in known if len(value) >= _INSIDE]
        self._key = secrets.token_bytes(32)

    def shown(self, relation: str, column: str, value: str | None) -> str | None:
        """The value, or a hash of it if it may be a person's."""
        if value is None or not value or self._may_be_shown(relation, column, value):
            return value
        return "#" + hmac.new(self._key, value.encode(), hashlib.sha256).hexdigest()[:8]

    def _may_be_shown(self, relation: str, column: str, value: str) -> bool:
        if any(column in tagged.get(relation, ()) for tagged in self._tagged):
            return False
        if column not in self._reviewed.get(relation, ()):
            return False
        text = value.casefold()
        return text not in self._known and not any(known in text for known in self._long)


def _tags(manifest: Manifest) -> dict[tuple[str, str], object]:
    found: dict[tuple[str, str], object] = {}
    for name, node in described_relations(manifest).items():
        found |= {(name, tag): node.config.meta[tag] for tag in RELATION_TAGS if tag in node.config.meta}
        for column in node.columns.values():
            if column.config.meta.get("personal"):
                found[f"{name}.{column.name}", "personal"] = column.config.meta["personal"]
    return found


def _columns(manifest: Manifest) -> set[str]:
    relations = described_relations(manifest)
    return relations.keys() | {f"{name}.{column}" for name, node in relations.items() for column in node.columns}
