"""The steps of Airflow's DAGs build every node of the project once, and none before what it reads.

They are planned without Airflow (dags/layers.py): so a model in a new folder fails here, and not at night.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dbt_project import DbtProject
from layers import BUILT, EXPECTED_RESULTS, LANDING, TESTS, Step, steps_of

pytestmark = pytest.mark.quick

PRODUCTS = ("sparkify", "stedi")
DBT = Path(sys.executable).with_name("dbt")


@pytest.fixture(scope="module")
def manifest(built_project: Callable[[str], DbtProject]) -> Path:
    return built_project("sample").folder / "target/manifest.json"


@pytest.fixture(scope="module")
def steps(manifest: Path) -> dict[str, list[Step]]:
    return {product: steps_of(manifest, product) for product in PRODUCTS}


def nodes(manifest: Path) -> dict[str, dict[str, Any]]:
    content = json.loads(manifest.read_text())
    every = {**content["nodes"], **content["unit_tests"]}
    return {name_of(node): node for node in every.values() if node["resource_type"] in (*BUILT, *TESTS)}


def name_of(node: dict[str, Any]) -> str:
    return (
        f"{node['name']}.v{node['version']}" if node["resource_type"] == "model" and node["version"] else node["name"]
    )


def test_every_node_is_in_a_step_and_in_one_only(manifest: Path, steps: dict[str, list[Step]]) -> None:
    """What both products share (seeds, tests of the ledger) is in a step of each."""
    chosen = [set().union(*(step.select for step in of_product)) for of_product in steps.values()]
    assert chosen[0] | chosen[1] == nodes(manifest).keys()
    for of_product in steps.values():
        names = [name for step in of_product for name in step.select]
        assert len(names) == len(set(names))
    shared = {nodes(manifest)[name]["resource_type"] for name in chosen[0] & chosen[1]}
    assert shared == {"seed", "test"}


def test_dbt_finds_every_node_by_the_name_that_a_step_has_for_it(
    manifest: Path, steps: dict[str, list[Step]], tmp_path: Path
) -> None:
    """It refuses a step that has a name which it does not know."""
    names = {name for of_product in steps.values() for step in of_product for name in step.select}
    project = DbtProject.copy(tmp_path / "project", tmp_path / "zone", "sample")
    kinds = (word for kind in (*BUILT, *TESTS) for word in ("--resource-type", kind))
    chosen = (*kinds, "--indirect-selection", "empty", "--select", *names)
    listed = subprocess.run(
        [DBT, "--quiet", "ls", "--output", "json", "--output-keys", "unique_id", *chosen],
        cwd=project.folder,
        env={**os.environ, "LANDING_ZONE": str(project.zone)},
        check=True,
        capture_output=True,
        text=True,
    )
    found = {json.loads(line)["unique_id"] for line in listed.stdout.splitlines()}
    assert found == {node["unique_id"] for node in nodes(manifest).values()}


def test_a_step_comes_after_all_that_it_reads(manifest: Path, steps: dict[str, list[Step]]) -> None:
    every = nodes(manifest)
    names = {node["unique_id"]: name for name, node in every.items()}
    for of_product in steps.values():
        built: set[str] = set()
        for step in of_product:
            for name in step.select:
                reads = {names[key] for key in every[name]["depends_on"].get("nodes", []) if key in names}
                assert reads <= built | set(step.select), name
            built |= set(step.select)


def test_layers_come_in_their_order(steps: dict[str, list[Step]]) -> None:
    assert [step.name for step in steps["sparkify"]] == [
        LANDING, "staging", "intermediate", "marts", "report", EXPECTED_RESULTS,
    ]  # fmt: skip
    assert [step.name for step in steps["stedi"]] == [
        LANDING, "staging", "intermediate", "snapshot", "trusted", "curated", "trusted_2", "curated_2", "privacy",
        "funnel", "report", EXPECTED_RESULTS,
    ]  # fmt: skip


def test_a_model_of_no_layer_is_told(tmp_path: Path) -> None:
    model = {
        "resource_type": "model",
        "name": "a",
        "fqn": ["lakehouse", "sparkify", "martz", "a"],
        "depends_on": {"nodes": []},
    }
    content = {"nodes": {"model.lakehouse.a": model}, "unit_tests": {}, "sources": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"\['model.lakehouse.a'\] are of no layer of dags/layers.py: staging, "):
        steps_of(tmp_path / "manifest.json", "sparkify")
