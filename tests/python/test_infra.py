"""infra/: the template is what CloudFormation takes, keeps the project's rules, and its roles may do what is needed."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudformation import decided, template
from dbt_project import DbtProject
from iam import missing, rights_for, rights_of
from lakehouse.deployment.leftovers import RETAINED
from lakehouse.deployment.template import TEMPLATE, Template
from lakehouse.sample import generate
from landing_helpers import land_all
from real_data import PROJECT_DIR
from s3_server import FaultyS3, s3_of_a_test, s3_server

TEXT = (PROJECT_DIR / TEMPLATE).read_text()
RESOURCES: dict[str, dict[str, Any]] = template()["Resources"]
UNTAGGED = {
    "AWS::EC2::Route",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::Glue::Database",
    "AWS::IAM::ManagedPolicy",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
}
"""Types that take no tags in CloudFormation."""
ROLES = ("LoaderRole", "TransformerRole", "EraserRole", "ReaderRole")


# ----------------------------------------------------------------------------------------------------- the template
@pytest.mark.quick
def test_cloudformation_takes_it() -> None:
    """By cfn-lint, which knows every type, property and value offline; its size is what a request may have."""
    line = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", "us-east-1", "us-west-2", "--", TEMPLATE]
    done = subprocess.run(line, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert len(TEXT.encode()) < 51_200, "AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"


@pytest.mark.quick
@pytest.mark.parametrize("name", RESOURCES)
def test_every_resource_is_tagged(name: str) -> None:
    properties = RESOURCES[name].get("Properties", {})
    tags = properties.get("Tags", properties.get("ResourceTags"))
    if RESOURCES[name]["Type"] in UNTAGGED:
        assert tags is None
    else:
        assert tags == [{"Key": "lakehouse", "Value": {"Ref": "AWS::StackName"}}]


@pytest.mark.quick
def test_data_outlives_the_stack_and_nothing_else_does() -> None:
    """And what outlives it is what `down --delete-data` knows how to remove."""
    kept = {name: one for name, one in RESOURCES.items() if one.get("DeletionPolicy", "Delete") != "Delete"}
    assert {one["Type"] for one in kept.values()} == RETAINED.keys()
    for name, one in kept.items():
        policies = (one["DeletionPolicy"], one["UpdateReplacePolicy"])
        wanted = ("Snapshot", "Snapshot") if name == "Cluster" else ("RetainExceptOnCreate", "Retain")
        assert policies == wanted, name


@pytest.mark.quick
def test_every_parameter_has_a_default_and_says_what_it_is() -> None:
    shown = {
        name
        for group in template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        for name in group["Parameters"]
    }
    declared = template()["Parameters"]
    assert shown == declared.keys() == Template.read(PROJECT_DIR).defaults.keys()
    for name, parameter in declared.items():
        assert "Default" in parameter, name
        assert parameter["Description"], name


@pytest.mark.quick
def test_redshift_is_reached_from_outside_only_by_whom_it_is_opened_to() -> None:
    for warehouse, name in (("serverless", "Workgroup"), ("provisioned", "Cluster")):
        for opened in ("", "203.0.113.7/32"):
            resources = decided({"Warehouse": warehouse, "OpenTo": opened})["Resources"]
            assert resources[name]["Properties"]["PubliclyAccessible"] is bool(opened)
            assert ("InternetGateway" in resources) is bool(opened)
            rules = resources["RedshiftSecurityGroup"]["Properties"]["SecurityGroupIngress"]
            assert [rule["CidrIp"] for rule in rules] == [
                {"Fn::GetAtt": ["Vpc", "CidrBlock"]},
                *([{"Ref": "OpenTo"}] if opened else []),
            ]
            assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(5439, 5439)}


@pytest.mark.quick
def test_only_one_branch_takes_the_ci_role_and_without_a_repository_there_is_none() -> None:
    assert "CiRole" not in decided({})["Resources"]
    resources = decided({"GitHubRepository": "ada/lake", "GitHubOidcProvider": "arn:provider"})["Resources"]
    assert "GitHubProvider" not in resources
    (statement,) = resources["CiRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    equals = statement["Condition"]["StringEquals"]
    assert equals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    assert (
        equals["token.actions.githubusercontent.com:sub"]["Fn::Sub"]
        == "repo:${GitHubRepository}:ref:refs/heads/${GitHubBranch}"
    )


@pytest.mark.quick
@pytest.mark.parametrize("role", [*ROLES, "CiRole", "CopyRole"])
@pytest.mark.parametrize("warehouse", ["serverless", "provisioned"])
def test_no_role_may_do_everything(role: str, warehouse: str) -> None:
    for actions, resources in rights_of(role, Warehouse=warehouse, GitHubRepository="ada/lake").statements:
        assert not [action for action in actions if "*" in action]
        assert "*" not in resources


def test_the_databases_are_dbts_schemas(built_project: Callable[[str], DbtProject]) -> None:
    manifest = json.loads((built_project("sample").folder / "target/manifest.json").read_text())
    schemas = {
        node["schema"] for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed", "snapshot")
    }
    schemas |= {source["schema"] for source in manifest["sources"].values()}
    named = {
        one["Properties"]["DatabaseInput"]["Name"]["Fn::Sub"].removeprefix("${SchemaPrefix}")
        for one in RESOURCES.values()
        if one["Type"] == "AWS::Glue::Database"
    }
    assert named == schemas


# ------------------------------------------------------------------------------------------------------- the loader
@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    with s3_server() as server, s3_of_a_test(server, monkeypatch) as s3:
        yield s3


NOT_SEEN_IN_THE_LOADER = {
    "secretsmanager:GetSecretValue": "the person or the schedule that starts the loader fetches PSEUDONYM_KEY by it",
}


def test_the_loader_may_do_what_it_does_and_nothing_else(s3: FaultyS3, tmp_path: Path) -> None:
    """Landing twice, with a file that changed and one that is gone, so that objects are read, replaced and deleted."""
    generate(tmp_path / "source", 0.01)
    zone = s3.place("landing").location
    land_all([tmp_path / "source"], zone)
    first, second = sorted((tmp_path / "source").rglob("*.json"))[:2]
    first.unlink()
    second.write_bytes(second.read_bytes() + second.read_bytes())
    land_all([tmp_path / "source"], zone, forget_vanished=True)
    asked = {("s3", request.operation, "landing") for request in s3.requests}
    rights = rights_of("LoaderRole")
    assert missing(rights, asked) == []
    used = {action for service, operation, _ in asked for action in rights_for(service, operation)}
    assert rights.actions - used == NOT_SEEN_IN_THE_LOADER.keys()


@pytest.mark.quick
def test_copy_may_do_what_redshift_asks_for() -> None:
    """LIST on the bucket, GET on its objects, its location, and the key of what is encrypted.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-access-permissions.html
    """
    rights = rights_of("CopyRole", Warehouse="serverless")
    assert rights.actions == {"s3:GetBucketLocation", "s3:ListBucket", "s3:GetObject", "kms:Decrypt"}
    assert missing(rights, [("s3", "GetObject", "landing"), ("s3", "ListObjectsV2", "landing")]) == []
    assert missing(rights, [("s3", "GetObject", "lake"), ("s3", "PutObject", "landing")]) != []


@pytest.mark.quick
def test_readers_read_what_is_published_and_no_more() -> None:
    rights = rights_of("ReaderRole")
    published = ("lake/sparkify/marts/songplays", "lake/step_trainer/curated/machine_learning_curated_v3")
    assert missing(rights, [("s3", "GetObject", place) for place in published]) == []
    kept = (
        "landing/customer",
        "lake/customer/trusted/customer_trusted",
        "lake/step_trainer/curated/machine_learning_curated_v2",
        "results",
    )
    for place in kept:
        assert missing(rights, [("s3", "GetObject", place)]), place
    assert not [action for action in rights.actions if re.match(r"glue:(Create|Update|Delete)|s3:Delete", action)]
