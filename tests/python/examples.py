"""The example queries: one at the end of each published model's description."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_AT_THE_END = re.compile(r"^```sql\n((?:(?!```).*\n)+)```\s*\Z", re.MULTILINE)


def published_models(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The models whose columns a contract promises, by the names of their relations: `sparkify.songplays`."""
    return {
        f"{node['schema']}.{node['alias']}": node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["contract"]["enforced"]
    }


def examples_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Each published relation's query; whoever has none is missing."""
    described = {relation: node["description"] for relation, node in published_models(manifest).items()}
    return {relation: found[1] for relation, text in described.items() if (found := _AT_THE_END.search(text))}


def says_something(rows: Iterable[Sequence[object]]) -> bool:
    """Whether an answer has a row with a value that is neither null nor nought."""
    return any(value not in (None, "", 0, "0") for row in rows for value in row)
