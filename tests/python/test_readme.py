"""What README.md draws is what the project is."""

import json
import re
from collections.abc import Callable
from itertools import pairwise, product

import pytest

from dbt_project import DbtProject
from real_data import PROJECT_DIR

PICTURE = re.compile(r"^```mermaid\nflowchart LR\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LANDING = re.compile(r"\(\[\w+\]\)")  # how the picture marks a landing table
PUBLISHED = {"sparkify", "stedi"}
NOT_DRAWN = {"sensor_pairs_curated", "age_bands_curated"}  # what v2 is made of


def arrows_drawn() -> set[tuple[str, str]]:
    """The picture's arrows, from and to; `a & b --> c` is two of them."""
    [picture] = PICTURE.findall((PROJECT_DIR / "README.md").read_text(encoding="utf-8"))
    lines = [LANDING.sub("", line) for line in picture.splitlines() if line.strip()]
    steps = [[step.split("&") for step in line.split("-->")] for line in lines]
    between = [pair for line in steps for pair in pairwise(line)]
    return {(a.strip(), b.strip()) for from_, to in between for a, b in product(from_, to)}


@pytest.mark.quick
def test_the_lineage_drawn_is_the_lineage_there_is(built_project: Callable[[str], DbtProject]) -> None:
    manifest = json.loads((built_project("sample").folder / "target/manifest.json").read_text())
    models = {id_: node for id_, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    name_of = {id_: node["name"] + (f"_v{node['version']}" if node["version"] else "") for id_, node in models.items()}
    name_of |= {id_: source["name"] for id_, source in manifest["sources"].items()}
    above: dict[str, set[str]] = {}  # all that a relation is made of, however far up

    def ancestors(id_: str) -> set[str]:
        if name_of[id_] not in above:
            parents = [parent for parent in manifest["parent_map"][id_] if parent in name_of]
            above[name_of[id_]] = {name_of[parent] for parent in parents}.union(*map(ancestors, parents))
        return above[name_of[id_]]

    for id_ in name_of:
        ancestors(id_)
    drawn = arrows_drawn()
    assert {(a, b) for a, b in drawn if a not in above.get(b, set())} == set()
    published = {name_of[id_] for id_, node in models.items() if node["schema"] in PUBLISHED} - NOT_DRAWN
    assert {b for _, b in drawn} == published
