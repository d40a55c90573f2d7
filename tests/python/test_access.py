"""What the project asks of the engines that know rights: nothing unless it is told to, and then by layer."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from dbt_project import DbtProject, environment

if TYPE_CHECKING:
    from mypy_boto3_lakeformation.type_defs import ResourceTypeDef

pytestmark = [  # dbt-athena's
    pytest.mark.filterwarnings("ignore:dbt-athena-community:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning"),
]

READERS = {
    "data_scientists": ["group:data_scientists"],
    "engineers": ["role:engineers"],
    "privacy_officers": ["officer"],
    "sparkify_analysts": ["analyst"],
    "study_team": ["group:study_team"],
}
RELATIONS = ("model", "seed", "snapshot")


def configs(folder: Path, target: str, **settings: str) -> dict[str, dict[str, Any]]:
    """The configuration of every relation for a target, by the relation's name."""
    project = DbtProject.copy(folder, folder / "no_zone", "sample")
    with environment(settings):
        project.dbt("parse", "--target", target)
    nodes = json.loads((folder / "target/manifest.json").read_text())["nodes"].values()
    return {node["alias"]: node["config"] for node in nodes if node["resource_type"] in RELATIONS}


@pytest.mark.parametrize("target", ["duckdb", "redshift", "athena"])
def test_nothing_is_granted_or_tagged_by_default(target: str, tmp_path: Path) -> None:
    found = configs(tmp_path, target)
    assert len(found) > 30
    assert [name for name, config in found.items() if config["grants"]] == []
    assert [name for name, config in found.items() if config["lf_tags_config"]["enabled"] is not False] == []


@pytest.mark.parametrize("target", ["duckdb", "athena"])
def test_engines_without_grants_are_asked_for_none(target: str, tmp_path: Path) -> None:
    """dbt-duckdb would warn of them."""
    found = configs(tmp_path, target, READERS=json.dumps(READERS))
    assert [name for name, config in found.items() if config["grants"]] == []


def test_athenas_tables_are_tagged_by_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the adapter's own code, in moto's Lake Formation."""
    from dbt.adapters.athena.lakeformation import LfTagsConfig, LfTagsManager  # noqa: PLC0415 - warns, see above
    from dbt.adapters.athena.relation import AthenaRelation  # noqa: PLC0415

    found = configs(tmp_path, "athena", LAKE_FORMATION_TAGS="true")
    layers = {name: config["lf_tags_config"]["tags"]["layer"] for name, config in found.items()}
    assert {name for name, layer in layers.items() if layer == "published"} == {
        "machine_learning_curated_v3",
        "machine_learning_dictionary",
    }
    assert {name for name, layer in layers.items() if layer == "study"} == {"machine_learning_curated_v2"}
    assert layers["machine_learning_curated"] == layers["customer_curated"] == "curated"
    assert layers["consent_periods_snapshot"] == "snapshots"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with mock_aws():
        client = boto3.client("lakeformation", region_name="us-west-2")
        client.create_lf_tag(TagKey="layer", TagValues=sorted(set(layers.values())))
        for name, config in found.items():
            table: ResourceTypeDef = {"Table": {"DatabaseName": config["schema"], "Name": name}}
            # as if it had been in another layer: of a table that was never tagged, moto knows nothing at all
            client.add_lf_tags_to_resource(Resource=table, LFTags=[{"TagKey": "layer", "TagValues": ["staging"]}])
            relation = AthenaRelation.create(schema=config["schema"], identifier=name)
            LfTagsManager(client, relation, LfTagsConfig(**config["lf_tags_config"])).process_lf_tags()
            tags = client.get_resource_lf_tags(Resource=table)["LFTagsOnTable"]
            assert [(tag["TagKey"], tag["TagValues"]) for tag in tags] == [("layer", [layers[name]])]
