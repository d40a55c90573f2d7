"""The steps in which a product is built: its layers, in the order that dbt's manifest asks for, with their tests."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAYERS = ("staging", "intermediate", "snapshot", "trusted", "marts", "curated", "privacy", "funnel", "report")
"""In the order in which they are tried; what may really come first, the manifest says."""
BUILT = ("model", "snapshot", "seed")
TESTS = ("test", "unit_test")
LANDING = "landing"
EXPECTED_RESULTS = "expected_results"

Nodes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Step:
    """A task: nodes that dbt builds and tests in one call.

    Attributes:
        name: The layer, with a number where it takes two turns; LANDING or EXPECTED_RESULTS.
        select: The nodes as dbt's `--select` names them.
    """

    name: str
    select: tuple[str, ...]


def steps_of(manifest: Path, product: str) -> list[Step]:
    """Plans the build of a product: the tests of what has landed, layer by layer, then the expected results.

    Every test is in the first step in which all that it reads is built, and every node is in one step.

    Raises:
        ValueError: A layer is not in LAYERS.
    """
    content = json.loads(manifest.read_text(encoding="utf-8"))
    every: Nodes = {**content["nodes"], **content["unit_tests"]}
    ours = {key: node for key, node in every.items() if product in _products(key, every, content["sources"])}
    seeds = {key for key, node in ours.items() if node["resource_type"] == "seed"}
    models = {key: node for key, node in ours.items() if node["resource_type"] in BUILT and key not in seeds}
    turns = list(_turns(models))
    tests: dict[int, list[str]] = {}
    for key, node in ours.items():
        if node["resource_type"] in TESTS:
            read = set(_parents(node))
            last = max((number for number, (_, keys) in enumerate(turns) if read & keys), default=-1)
            tests.setdefault(len(turns) if read & seeds else last, []).append(key)
    named = [(LANDING, frozenset()), *turns, (EXPECTED_RESULTS, seeds)]
    return [
        Step(name, tuple(sorted(_selector(ours[key]) for key in (*keys, *tests.get(number, [])))))
        for number, (name, keys) in enumerate(_numbered(named), -1)
        if keys or number in tests
    ]


def _turns(models: Nodes) -> Iterable[tuple[str, frozenset[str]]]:
    """Takes layer after layer: one that can be built whole, or else what can be built of the first that can begin."""
    layers = {layer: {key for key, node in models.items() if _layer(node) == layer} for layer in LAYERS}
    if unknown := models.keys() - set().union(*layers.values()):
        raise ValueError(f"{sorted(unknown)} are of no layer of dags/layers.py: {', '.join(LAYERS)}")
    done: set[str] = set()
    while done < models.keys():
        ready = {layer: _ready(keys - done, models, done) for layer, keys in layers.items() if keys - done}
        whole = [layer for layer, keys in ready.items() if keys == layers[layer] - done]
        layer = next(iter(whole or [layer for layer, keys in ready.items() if keys]))  # dbt has refused any circle
        done |= ready[layer]
        yield layer, frozenset(ready[layer])


def _ready(keys: set[str], models: Nodes, done: set[str]) -> set[str]:
    """Those of a layer that can be built now, be it after others of the layer."""
    ready = set(keys)
    while blocked := {key for key in ready if {*_parents(models[key])} & models.keys() - done - ready}:
        ready -= blocked
    return ready


def _numbered(turns: Iterable[tuple[str, Iterable[str]]]) -> Iterable[tuple[str, Iterable[str]]]:
    seen: dict[str, int] = {}
    for name, keys in turns:
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}_{seen[name]}"), keys


def _products(key: str, every: Nodes, sources: Nodes) -> set[str]:
    """The products that a node belongs to; both, where it is about what both share."""
    node = every[key]
    if node["resource_type"] == "model":
        return {node["fqn"][1]}
    if node["resource_type"] == "seed":
        return _both(sources)
    found: set[str] = set()
    for parent in _parents(node):
        if parent in sources:
            found |= {sources[parent]["source_name"]} & _both(sources)
        elif every[parent]["resource_type"] != "seed":
            found |= _products(parent, every, sources)
    return found or _both(sources)


def _both(sources: Nodes) -> set[str]:
    return {source["source_name"] for source in sources.values()} - {"loader"}


def _layer(node: Mapping[str, Any]) -> str:
    return str(node["fqn"][2] if node["resource_type"] == "model" else node["resource_type"])


def _parents(node: Mapping[str, Any]) -> list[str]:
    return list(node["depends_on"].get("nodes", []))


def _selector(node: Mapping[str, Any]) -> str:
    """A node's name as dbt selects it; a unit test of a version has the version, too, and is selected without it."""
    version = node.get("version") if node["resource_type"] == "model" else None
    return f"{node['name']}.v{version}" if version else str(node["name"])
