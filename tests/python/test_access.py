"""What the project asks of the engines that know rights: nothing unless it is told to, and then by folder."""

import json
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_lakeformation.type_defs import ResourceTypeDef

from dbt_project import DbtProject
from lakehouse.environment import variables

pytestmark = [  # dbt-athena's
    pytest.mark.filterwarnings("ignore:dbt-athena-community:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning"),
]

READERS = '{engineers: ["role:engineers"], study_team: researcher}'
ROLES = {
    "sparkify_staging": {"engineers"},
    "sparkify": {"engineers", "sparkify_analysts"},
    "stedi_staging": {"engineers"},
    "stedi": {"engineers"},
    "stedi_privacy": {"privacy_officers"},
    "machine_learning_curated_v2": {"engineers", "study_team"},
    "machine_learning_curated_v3": {"engineers", "data_scientists"},
    "machine_learning_dictionary": {"privacy_officers", "data_scientists", "study_team"},
    "consent_periods_snapshot": set(),
    "expectations": set(),
    "report": {"engineers", "sparkify_analysts"},
    "consent_funnel": {"engineers", "privacy_officers"},
    "consent_hourly": {"engineers", "privacy_officers"},
    "readings_per_customer": {"engineers", "privacy_officers"},
    "sample_trace": {"engineers", "privacy_officers"},
    "stedi_figures": {"engineers", "privacy_officers"},
    "stedi_event_days": {"engineers", "privacy_officers"},
}
"""Who reads a relation: what stands here for its name, or else for its schema."""
LAYERS = {
    "machine_learning_curated_v2": "study",
    "machine_learning_curated_v3": "published",
    "machine_learning_dictionary": "dictionary",
    "consent_periods_snapshot": "snapshots",
    "expected_answers": "expectations",
    "expected_measures": "expectations",
    "expected_row_counts": "expectations",
}
"""The tags of relations that have another one than the name of their folder."""
GRANT = "{{ apply_grants(api.Relation.create(schema='stedi', identifier='users'), {'select': ['engineers']}, true) }}"
TAG = """
{%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed', 'snapshot') %}
    {{- tag_layer(api.Relation.create(schema=node.schema, identifier=node.alias), node) }}
{%- endfor %}
"""
COMPILED = ("compile", "--no-populate-cache", "--select", "asked")


def relations(project: DbtProject) -> dict[str, dict[str, object]]:
    """What dbt knows of every relation, by its name."""
    nodes = json.loads((project.folder / "target/manifest.json").read_text())["nodes"].values()
    return {node["alias"]: node for node in nodes if node["resource_type"] in {"model", "seed", "snapshot"}}


def project_that_asks(folder: Path, jinja: str) -> DbtProject:
    """A copy of the project with an analysis that renders something."""
    project = DbtProject.copy(folder, folder / "no_zone", "sample")
    (folder / "analyses").mkdir()
    (folder / "analyses/asked.sql").write_text(f"rendered: {jinja}")
    return project


def rendered(project: DbtProject) -> str:
    """What the analysis rendered."""
    compiled = (project.folder / "target/compiled/lakehouse/analyses/asked.sql").read_text()
    return compiled.removeprefix("rendered:").strip()


def test_each_relation_is_its_readers(tmp_path: Path) -> None:
    project = DbtProject.copy(tmp_path, tmp_path / "no_zone", "sample")
    project.dbt("parse")
    found = relations(project)
    assert len(found) > 40
    for name, node in found.items():
        expected = ROLES.get(name, ROLES[str(node["schema"])])
        assert set(node["config"]["grants"].get("select", [])) == expected, name  # type: ignore[index]


@pytest.mark.parametrize(("target", "readers"), [("duckdb", READERS), ("athena", READERS), ("redshift", None)], ids=str)
def test_nothing_is_granted_without_readers_nor_where_nothing_can_be(
    target: str, readers: str | None, tmp_path: Path
) -> None:
    """dbt-duckdb would warn of a grant, the others would ask the engine, which is not there."""
    project = project_that_asks(tmp_path, GRANT)
    with variables({"READERS": readers}):
        project.dbt(*COMPILED, "--target", target)
    assert rendered(project) == ""


def test_a_role_is_whom_readers_names(tmp_path: Path) -> None:
    """One name or several, none for a role that is not there, and each once."""
    project = project_that_asks(
        tmp_path, "{{ readers_in(['study_team', 'engineers', 'study_team', 'privacy_officers']) }}"
    )
    with variables({"READERS": READERS}):
        project.dbt(*COMPILED)
    assert rendered(project) == "['researcher', 'role:engineers']"


def test_athenas_tables_are_tagged_by_layer(tmp_path: Path) -> None:
    """By the adapter's own code, in moto's Lake Formation; and nothing is, where it is not asked for."""
    project = project_that_asks(tmp_path, TAG)
    account = {
        "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-west-2", "AWS_PROFILE": None,
        "ATHENA_S3_STAGING_DIR": "s3://lake/results/", "LAKE_FORMATION_TAGS": None,
    }  # fmt: skip
    with mock_aws(), variables(account):
        project.dbt("parse", "--target", "athena")
        found = relations(project)
        expected = {name: LAYERS.get(name) or node["fqn"][2] for name, node in found.items()}  # type: ignore[index]
        assert {*expected.values()} == {
            "staging", "intermediate", "marts", "trusted", "curated", "study", "published", "dictionary", "privacy",
            "snapshots", "expectations", "funnel", "report",
        }  # fmt: skip
        client = boto3.client("lakeformation", region_name="us-west-2")
        client.create_lf_tag(TagKey="layer", TagValues=["none", *sorted(set(expected.values()))])
        tables: dict[str, ResourceTypeDef] = {
            name: {"Table": {"DatabaseName": str(node["schema"]), "Name": name}} for name, node in found.items()
        }
        for table in tables.values():  # of a table that was never tagged, moto knows nothing at all
            client.add_lf_tags_to_resource(Resource=table, LFTags=[{"TagKey": "layer", "TagValues": ["none"]}])

        def tags() -> dict[str, list[tuple[str, list[str]]]]:
            return {
                name: [
                    (tag["TagKey"], tag["TagValues"])
                    for tag in client.get_resource_lf_tags(Resource=table)["LFTagsOnTable"]
                ]
                for name, table in tables.items()
            }

        project.dbt(*COMPILED, "--target", "athena")
        assert tags() == {name: [("layer", ["none"])] for name in found}
        with variables({"LAKE_FORMATION_TAGS": "true"}):
            project.dbt(*COMPILED, "--target", "athena")
        assert tags() == {name: [("layer", [layer])] for name, layer in expected.items()}


def test_every_relation_is_tagged_when_it_is_built(tmp_path: Path) -> None:
    project = DbtProject.copy(tmp_path, tmp_path / "no_zone", "sample")
    project.dbt("parse")
    for name, node in relations(project).items():
        hooks = [hook["sql"] for hook in node["config"]["post-hook"]]  # type: ignore[index]
        assert hooks == ["{{ tag_layer(this, model) }}"], name
