"""Who answers for what, who may build on it, who uses it, and that every engine's catalogue says what it is."""

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from dbt_project import DbtProject
from lakehouse.site.pages import WANTED
from lakehouse.site.report import FIGURE_NAMES
from test_personal_data import manifest_of

pytestmark = pytest.mark.quick

BuiltProject = Callable[[str], DbtProject]


@pytest.fixture
def manifest(built_project: BuiltProject) -> dict[str, Any]:
    return dict(manifest_of(built_project("sample")))


def test_every_model_has_an_owner(manifest: dict[str, Any]) -> None:
    owned = [node for node in manifest["nodes"].values() if node["resource_type"] in {"model", "snapshot"}]
    groups = {group["name"]: group for group in manifest["groups"].values()}
    for node in owned:
        owner = groups[node["config"]["group"]]["owner"]
        assert owner["name"]
        assert "@" in owner["email"]
        assert node["config"]["group"] == next(iter(set(node["fqn"]) & groups.keys()), "stedi"), node["unique_id"]


def test_what_has_a_contract_is_public_and_all_else_private(manifest: dict[str, Any]) -> None:
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    for model in models:
        expected = "public" if model["config"]["contract"]["enforced"] else "private"
        assert model["access"] == expected, model["unique_id"]


def test_whoever_uses_something_is_named_with_an_owner(manifest: dict[str, Any]) -> None:
    exposures = {exposure["name"]: exposure for exposure in manifest["exposures"].values()}
    for name, exposure in exposures.items():
        assert exposure["owner"]["name"], name
        assert exposure["description"], name
    models = {unique_id: node for unique_id, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    used = {name: {models[node]["name"] for node in told["depends_on"]["nodes"]} for name, told in exposures.items()}
    assert used["report"] == set(WANTED)
    served = {node["name"] for node in models.values() if "serving" in node["config"]["meta"]}
    services = [tuple(names) for name, names in used.items() if exposures[name]["type"] == "application"]
    assert sorted(services) == sorted((name,) for name in served)
    assert "machine_learning_curated" in used["training_set"]


def test_the_catalogue_says_what_a_relation_and_its_columns_hold(
    built_project: BuiltProject, manifest: dict[str, Any]
) -> None:
    with duckdb.connect(str(built_project("sample").database), read_only=True) as database:
        query = "select schema_name || '.' || table_name, comment from duckdb_tables()"
        of_relations = dict(database.execute(query).fetchall())
        query = "select schema_name || '.' || table_name, column_name, comment from duckdb_columns()"
        of_columns = {(relation, column): comment for relation, column, comment in database.execute(query).fetchall()}
    told = [node for node in manifest["nodes"].values() if node["resource_type"] in {"model", "snapshot", "seed"}]
    assert len(told) > 60
    for node in told:
        relation = f"{node['schema']}.{node['alias']}"
        assert of_relations[relation] == node["description"]
        for name, column in node["columns"].items():
            assert of_columns[relation, name] == column["description"], (relation, name)


def test_the_report_calls_a_figure_as_its_metric_is_called(manifest: dict[str, Any]) -> None:
    labels = {metric["name"]: metric["label"] for metric in manifest["metrics"].values()}
    shown = {
        name: label for name, (label, _written) in FIGURE_NAMES.items() if name not in {"consent_rate", "coverage"}
    }
    assert shown == {name: labels[name] for name in shown}
