"""`lakehouse aws up`, `status` and `down`, on moto: as far as its CloudFormation knows the template's types."""

import os
import re
import shlex
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends

from cloudformation import for_moto
from lakehouse.commands import run_command
from lakehouse.deployment import leftovers, settings, stack
from lakehouse.deployment.account import Account
from lakehouse.deployment.costs import HOURS_A_MONTH, Prices
from lakehouse.deployment.template import Template
from lakehouse.deployment.usage_limit import limit_usage
from real_data import PROJECT_DIR

REGION, NAME = "us-west-2", "lake-test"

pytestmark = pytest.mark.filterwarnings("ignore:.*does not match an error shape:UserWarning")  # of moto's own


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account of moto's, the template that it takes, and no waiting."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)  # the commands set it, and it is to be as it was
    monkeypatch.setattr(Template, "read", lambda _project: for_moto())
    monkeypatch.setattr("lakehouse.deployment.stack.time.sleep", lambda _seconds: None)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before, umask = [signal.getsignal(number) for number in numbers], os.umask(0o022)
    with mock_aws():
        yield
    os.umask(umask)
    for number, action in zip(numbers, before, strict=True):
        signal.signal(number, action)


@pytest.fixture
def lakehouse(
    aws: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Runs `lakehouse aws …` on the test's stack: the exit code, and what was said."""
    monkeypatch.chdir(PROJECT_DIR)

    def run(command: str, *options: str) -> tuple[int, str]:
        capsys.readouterr()
        write = ("--write", str(tmp_path / "aws.env")) if command == "up" else ()
        with pytest.raises(SystemExit) as ended:
            run_command(["aws", command, "--stack", NAME, *write, *options])
        return int(ended.value.code or 0), "".join(capsys.readouterr())

    return run


def in_state(status: str) -> None:
    """What CloudFormation says of the stack from now on."""
    backend = cloudformation_backends["123456789012"][REGION]
    (found,) = (one for one in backend.stacks.values() if one.name == NAME)
    found.status = status


def status() -> str:
    return str(boto3.client("cloudformation", REGION).describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"])


def buckets() -> list[str]:
    return [bucket["Name"] for bucket in boto3.client("s3", REGION).list_buckets()["Buckets"]]


# --------------------------------------------------------------------------------------------------------------- up
def test_up_says_what_it_costs_makes_the_stack_and_then_changes_nothing(
    lakehouse: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, said = lakehouse("up", "--yes")
    assert code == 0, said
    assert re.search(r"together +\$0\.0019 +\$1\.40", said)
    assert said.index("together") < said.index(f"created: {NAME} in {REGION}")
    assert "checked never: look whether they are yours" in said
    file = tmp_path / "aws.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = file.read_text()
    code, said = lakehouse("up", "--yes")
    assert (code, f"unchanged: {NAME}" in said) == (0, True), said
    assert file.read_text() == first
    assert list(tmp_path.glob(".*")) == []


def test_up_keeps_what_the_stack_has(lakehouse: Callable[..., tuple[int, str]]) -> None:
    assert lakehouse("up", "--yes", "--set", "MonthlyBudget=30", "--environment", "ada")[0] == 0
    code, said = lakehouse("up", "--yes", "--set", "LogDays=7")
    assert (code, f"updated: {NAME}" in said) == (0, True), said
    parameters = boto3.client("cloudformation", REGION).describe_stacks(StackName=NAME)["Stacks"][0]["Parameters"]
    values = {one["ParameterKey"]: one["ParameterValue"] for one in parameters}
    assert (values["MonthlyBudget"], values["SchemaPrefix"], values["LogDays"]) == ("30", "ada_", "7")


def test_up_makes_nothing_where_nobody_can_be_asked(lakehouse: Callable[..., tuple[int, str]]) -> None:
    code, said = lakehouse("up")
    assert (code, "give --yes" in said) == (2, True)
    assert boto3.client("cloudformation", REGION).list_stacks()["StackSummaries"] == []


@pytest.mark.parametrize("left", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "REVIEW_IN_PROGRESS"])
def test_up_makes_anew_what_was_never_made(lakehouse: Callable[..., tuple[int, str]], left: str) -> None:
    assert lakehouse("up", "--yes")[0] == 0
    in_state(left)
    boto3.client("s3", REGION).delete_bucket(
        Bucket=buckets()[0]
    )  # as RetainExceptOnCreate has it, which moto knows not
    code, said = lakehouse("up", "--yes")
    assert code == 0, said
    assert f"never finished ({left})" in said
    assert f"created: {NAME}" in said


def test_up_waits_for_what_a_killed_one_began(
    lakehouse: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lakehouse("up", "--yes")[0] == 0
    in_state("CREATE_IN_PROGRESS")
    monkeypatch.setattr("lakehouse.deployment.stack.time.sleep", lambda _seconds: in_state("CREATE_COMPLETE"))
    code, said = lakehouse("up", "--yes")
    assert code == 0, said
    assert "CREATE_IN_PROGRESS: waiting for its end" in said
    assert f"unchanged: {NAME}" in said


def test_up_does_not_build_on_a_stack_that_is_half_deleted(lakehouse: Callable[..., tuple[int, str]]) -> None:
    assert lakehouse("up", "--yes")[0] == 0
    in_state("DELETE_FAILED")
    code, said = lakehouse("up", "--yes")
    assert (code, "finish that with `lakehouse aws down`" in said) == (2, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--set", "NoSuch=1"), "--set NoSuch=1: write NAME=VALUE, with a NAME of AlarmEmail, "),
        (("--set", "MonthlyBudget"), "--set MonthlyBudget: write NAME=VALUE"),
        (("--warehouse", "huge"), "--warehouse huge: there are none, serverless and provisioned"),
        (("--region", "us-moon-1"), "us-moon-1 is no region of AWS: there are "),
        (("--stack", "Lake!"), "'Lake!' is no name for a stack"),
    ],
)
def test_wrong_use_of_up_is_told_in_a_line(
    lakehouse: Callable[..., tuple[int, str]], options: tuple[str, ...], told: str
) -> None:
    code, said = lakehouse("up", "--yes", *options)
    assert (code, f"error: {told}" in said) == (2, True), said
    assert buckets() == []


def test_why_a_stack_was_not_made_is_told(
    monkeypatch: pytest.MonkeyPatch, lakehouse: Callable[..., tuple[int, str]]
) -> None:
    """Of several resources that failed, the first reason: the others were cancelled for it."""
    events = [
        ("Bucket", "CREATE_FAILED", "lake already exists"),
        ("LoaderRole", "CREATE_FAILED", "Resource creation cancelled"),
    ]

    def new_events(work: stack.Stack, stack_id: str) -> list[dict[str, Any]]:
        in_state("ROLLBACK_COMPLETE")
        common = {"StackId": stack_id, "PhysicalResourceId": "x", "ResourceType": "AWS::S3::Bucket"}
        return [
            {**common, "LogicalResourceId": name, "ResourceStatus": status, "ResourceStatusReason": why}
            for name, status, why in events
        ]

    look = stack.Stack._describe
    monkeypatch.setattr(stack.Stack, "_new_events", new_events)
    monkeypatch.setattr(
        stack.Stack,
        "_describe",
        lambda self, name: replace(found, status="ROLLBACK_COMPLETE") if (found := look(self, name)) else None,
    )
    code, said = lakehouse("up", "--yes")
    assert code == 2
    assert f"{NAME} was not made: Bucket (AWS::S3::Bucket): lake already exists. The name is in use" in said
    assert "LoaderRole (" not in said


# ------------------------------------------------------------------------------------------------ what AWS refuses
@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        (
            "AccessDenied",
            "User: arn:aws:iam::1:user/ada is not authorized to perform: cloudformation:CreateStack on resource: x",
            "the AWS identity in use lacks cloudformation:CreateStack: ",
        ),
        ("ExpiredToken", "old", "the AWS credentials are not accepted (ExpiredToken): renew them"),
        ("OptInRequired", "no", "this account may not use the service here (OptInRequired)"),
        ("Throttling", "slow", "AWS refused CreateStack (Throttling: slow)"),
    ],
)
def test_what_aws_refuses_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, lakehouse: Callable[..., tuple[int, str]], code: str, message: str, told: str
) -> None:
    refuse(monkeypatch, "CreateStack", code, message)
    ended, said = lakehouse("up", "--yes")
    assert (ended, f"error: {told}" in said) == (2, True), said


def refuse(monkeypatch: pytest.MonkeyPatch, operation: str, code: str, message: str) -> None:
    """Has AWS refuse an operation."""
    make = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]  # not in its types

    def call(client: Any, name: str, arguments: Any) -> Any:  # noqa: ANN401 - boto3's own
        if name == operation:
            raise ClientError({"Error": {"Code": code, "Message": message}}, name)
        return make(client, name, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)


def test_without_credentials_it_is_told_how_to_give_them(
    monkeypatch: pytest.MonkeyPatch, lakehouse: Callable[..., tuple[int, str]]
) -> None:
    with monkeypatch.context() as patched:  # moto wants its own back
        for name in [name for name in os.environ if name.startswith("AWS_") and "REGION" not in name]:
            patched.delenv(name)
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patched.setenv("AWS_CONFIG_FILE", "/nowhere")
        patched.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        for command in ("up", "status", "down"):
            code, said = lakehouse(command)
            assert (code, "error: no AWS credentials. Set AWS_PROFILE, or " in said) == (2, True), said
        patched.delenv("AWS_REGION")
        patched.delenv("AWS_DEFAULT_REGION")  # the commands set it to the other one
        assert "error: no region is given: set AWS_REGION" in lakehouse("status")[1]


# ------------------------------------------------------------------------------------------------------------- down
def land(bucket: str, count: int = 3) -> None:
    """Objects, each overwritten once and deleted once, so that versions and markers are all that there is of one."""
    s3 = boto3.client("s3", REGION)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})  # moto does not, by a stack
    for number in range(count):
        for content in (b"old", b"new"):
            s3.put_object(Bucket=bucket, Key=f"landing/{number}", Body=content)
    s3.delete_object(Bucket=bucket, Key="landing/0")
    s3.create_multipart_upload(Bucket=bucket, Key="landing/unfinished")


def test_down_refuses_where_data_would_be_lost_and_removes_all_of_it_when_told(
    lakehouse: Callable[..., tuple[int, str]],
) -> None:
    lakehouse("up", "--yes")
    (bucket,) = buckets()
    land(bucket)
    code, said = lakehouse("down", "--yes")
    assert (code, f"data: bucket {bucket}: 6 versions of objects" in said) == (2, True), said
    assert (status(), buckets()) == ("CREATE_COMPLETE", [bucket])
    code, said = lakehouse("down", "--delete-data")
    assert (code, "give --yes" in said, buckets()) == (2, True, [bucket])
    code, said = lakehouse("down", "--delete-data", "--yes")
    assert (code, f"removed: nothing of {NAME} is left in {REGION}" in said) == (0, True), said
    assert buckets() == []
    (key,) = boto3.client("kms", REGION).list_keys()["Keys"]
    assert boto3.client("kms", REGION).describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
    code, said = lakehouse("down")
    assert (code, f"nothing of {NAME} is in {REGION}" in said) == (0, True)


def test_down_removes_an_empty_stack_without_more_words(lakehouse: Callable[..., tuple[int, str]]) -> None:
    lakehouse("up", "--yes")
    assert lakehouse("down", "--yes")[0] == 0
    assert buckets() == []


def test_what_a_killed_down_leaves_is_told_and_removed_by_the_next_one(
    lakehouse: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lakehouse("up", "--yes")
    (bucket,) = buckets()
    land(bucket)

    def killed(_leftovers: leftovers.Leftovers) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(leftovers.Leftovers, "remove", killed)
        code, said = lakehouse("down", "--delete-data", "--yes")
    assert (code, "The same command goes on from there." in said) == (130, True)
    code, said = lakehouse("status")
    assert f"there is no stack {NAME}" in said
    assert f"an earlier one left its bucket {bucket}" in said
    assert (lakehouse("down", "--yes")[0], buckets()) == (2, [bucket])
    assert (lakehouse("down", "--delete-data", "--yes")[0], buckets()) == (0, [])


@pytest.mark.parametrize(
    "left", ["ROLLBACK_COMPLETE", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE"]
)
def test_down_removes_half_made_stacks(lakehouse: Callable[..., tuple[int, str]], left: str) -> None:
    lakehouse("up", "--yes")
    in_state(left)
    assert lakehouse("down", "--yes")[0] == 0
    assert buckets() == []


def test_a_stack_that_cannot_be_deleted_is_told_with_the_reason(
    lakehouse: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lakehouse("up", "--yes")
    monkeypatch.setattr(stack.Stack, "_follow", lambda self, stack_id: self._describe(NAME) and failed(self))

    def failed(work: stack.Stack) -> stack.Description:
        work._reasons[:] = ["Vpc (AWS::EC2::VPC): it has dependencies and cannot be deleted"]
        return stack.Description("id", "DELETE_FAILED", {}, {})

    deletions = []
    real = Account.client

    def client(self: Account, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - boto3's own
        found = real(self, service, region)
        if service == "cloudformation":
            found.delete_stack = lambda **_: deletions.append(1)
        return found

    monkeypatch.setattr(Account, "client", client)
    code, said = lakehouse("down", "--yes")
    assert (code, len(deletions)) == (2, stack.DELETIONS)
    assert f"{NAME} cannot be deleted: Vpc (AWS::EC2::VPC): it has dependencies" in said


def test_down_removes_what_moto_makes_no_stack_of(
    lakehouse: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    glue, secrets = boto3.client("glue", REGION), boto3.client("secretsmanager", REGION)
    lakehouse("up", "--yes")
    for name in ("ada_stedi", "theirs"):
        glue.create_database(DatabaseInput={"Name": name})
    secret = secrets.create_secret(Name="key", SecretString="s")["ARN"]
    made, real = (
        [
            ("AWS::Glue::Database", "ada_stedi"),
            ("AWS::Glue::Database", "gone"),
            ("AWS::SecretsManager::Secret", secret),
        ],
        stack.Stack.resources,
    )
    monkeypatch.setattr(stack.Stack, "resources", lambda self: [*made, *real(self)])
    code, said = lakehouse("down", "--yes")
    assert code == 0, said
    assert [database["Name"] for database in glue.get_databases()["DatabaseList"]] == ["theirs"]
    assert "DeletedDate" in secrets.describe_secret(SecretId=secret)


class Redshift:
    """Redshift Serverless, of which moto knows nothing: a namespace that takes its time, and limits."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.namespace: str | None = "AVAILABLE"
        self.limits: list[dict[str, Any]] = []

    def get_namespace(self, **arguments: object) -> dict[str, Any]:
        if self.namespace is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "GetNamespace")
        return {"namespace": {"status": self.namespace}}

    def delete_namespace(self, **arguments: object) -> None:
        self.asked.append(("delete_namespace", arguments))
        self.namespace = "DELETING"

    def list_usage_limits(self, **arguments: object) -> dict[str, Any]:
        return {"usageLimits": self.limits}

    def create_usage_limit(self, **arguments: object) -> None:
        self.asked.append(("create_usage_limit", arguments))
        self.limits.append({"usageLimitId": "an-id", **arguments})

    def update_usage_limit(self, **arguments: object) -> None:
        self.asked.append(("update_usage_limit", arguments))
        self.limits[0] |= arguments


def test_a_namespace_counts_as_data_and_is_waited_for(
    lakehouse: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    redshift, real_client, real_resources = Redshift(), Account.client, stack.Stack.resources
    lakehouse("up", "--yes")
    monkeypatch.setattr(
        Account,
        "client",
        lambda self, service, region=None: (
            redshift if service == "redshift-serverless" else real_client(self, service, region)
        ),
    )
    made = [("AWS::RedshiftServerless::Namespace", NAME)]
    monkeypatch.setattr(stack.Stack, "resources", lambda self: [*made, *real_resources(self)])
    assert f"data: Redshift namespace {NAME}: its databases" in lakehouse("down", "--yes")[1]
    code, said = lakehouse("down", "--yes", "--delete-data")
    assert (code, f"still there: Redshift namespace {NAME}" in said) == (1, True), said
    assert lakehouse("down", "--yes", "--delete-data")[0] == 1
    assert redshift.asked == [("delete_namespace", {"namespaceName": NAME})]
    redshift.namespace = None
    assert lakehouse("down", "--yes", "--delete-data")[0] == 0


@pytest.mark.quick
def test_the_limit_on_rpu_hours_is_set_once_and_changed_when_it_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    redshift = Redshift()
    account = Account("1", "arn", REGION, boto3.session.Session())
    monkeypatch.setattr(Account, "client", lambda _self, _service: redshift)
    for hours in (50, 50, 60):
        limit_usage(account, "arn:workgroup", hours)
    assert [name for name, _ in redshift.asked] == ["create_usage_limit", "update_usage_limit"]
    assert redshift.limits[0]["breachAction"] == "deactivate"
    assert (redshift.limits[0]["amount"], redshift.limits[0]["period"]) == (60, "monthly")


# ----------------------------------------------------------------------------------------------- status, and what for
def test_status_tells_what_there_is_and_that_costs_are_not_known(
    lakehouse: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"there is no stack {NAME} in {REGION}" in lakehouse("status")[1]
    lakehouse("up", "--yes")
    code, said = lakehouse("status")
    assert code == 0
    assert f"{NAME}: CREATE_COMPLETE" in said
    assert re.search(r"^ +4 AWS::IAM::Role$", said, re.MULTILINE)
    assert "nothing known: Cost Explorer is a day behind" in said
    refuse(monkeypatch, "GetCostAndUsage", "AccessDeniedException", "not authorized to perform: ce:GetCostAndUsage")
    code, said = lakehouse("status")
    assert (code, "not known: the AWS identity in use lacks ce:GetCostAndUsage" in said) == (0, True)


@pytest.mark.quick
def test_costs_follow_the_parameters() -> None:
    prices, defaults = Prices.read(PROJECT_DIR), Template.read(PROJECT_DIR).defaults

    def month(**parameters: str) -> float:
        return round(sum(cost.hour for cost in prices.standing({**defaults, **parameters})) * HOURS_A_MONTH, 2)

    assert month() == 1.40
    assert month(Warehouse="serverless") == 1.80
    assert month(Warehouse="serverless", OpenTo="203.0.113.7/32") == 1.80 + 3 * 3.65
    assert month(Warehouse="provisioned") == round(1.80 + 0.543 * HOURS_A_MONTH, 2)
    assert month(Warehouse="provisioned", NodeType="ra3.xlplus") == round(1.80 + 1.086 * HOURS_A_MONTH, 2)
    told = " ".join(prices.in_use({**defaults, "Warehouse": "serverless"}, 50))
    assert "$1.50 to $3.00 an hour while queries run" in told
    assert "50 RPU hours a month, which is $18.75" in told
    assert "a query stops at 10 GB, which is $0.05" in told


@pytest.mark.quick
@pytest.mark.parametrize("warehouse", ["none", "serverless", "provisioned"])
def test_the_environment_is_what_the_profile_reads(tmp_path: Path, warehouse: str) -> None:
    outputs = {"Bucket": "b", "SchemaPrefix": "ada_", "WorkGroup": "w", "PseudonymKey": "arn:of:a secret"}
    outputs |= {"LoaderRole": "arn:loader"}
    if warehouse != "none":
        outputs |= {"CopyRole": "arn:copy"}
    if warehouse == "serverless":
        outputs |= {"ServerlessWorkgroup": "g", "ServerlessHost": "h"}
    if warehouse == "provisioned":
        outputs |= {"Cluster": "c", "ClusterHost": "h"}
    made = stack.Description("id", "CREATE_COMPLETE", {}, outputs)
    settings.write_settings(tmp_path / "aws.env", made, NAME, REGION)
    script = f"set -e; source {shlex.quote(str(tmp_path / 'aws.env'))}; env"
    done = subprocess.run(
        ["bash", "-c", script], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True
    )
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    wanted = settings.settings_of(made, REGION)
    assert wanted.items() <= found.items()
    assert (found["ENVIRONMENT"], found["LANDING_ZONE"]) == ("ada", "s3://b/landing")
    assert ("REDSHIFT_HOST" in found) == (warehouse != "none")
    read = set(re.findall(r"env_var\('(\w+)'", (PROJECT_DIR / "profiles.example.yml").read_text()))
    others = {"AWS_DEFAULT_REGION", "ENVIRONMENT", "LANDING_ZONE", "REDSHIFT_COPY_IAM_ROLE"}
    assert wanted.keys() - others <= read
    assert "SECRET" not in "".join(wanted)
