"""Makes or updates the stack that holds what the project needs on AWS."""

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.commands import Yes
from lakehouse.commands.aws import Region, StackName, check_name, confirm
from lakehouse.console import ConsoleReporter
from lakehouse.deployment.account import DeploymentError, open_account
from lakehouse.deployment.costs import Prices, table_of
from lakehouse.deployment.settings import write_settings
from lakehouse.deployment.stack import Stack
from lakehouse.deployment.template import Template
from lakehouse.deployment.usage_limit import limit_usage
from lakehouse.ending import stops_in_one_line
from lakehouse.pipeline.project import find_project

EXAMPLES = (
    "aws up --warehouse none --set AlarmEmail=ada@example.com",
    "aws up --stack lakehouse-ada --environment ada --warehouse serverless --yes",
)


@stops_in_one_line("CloudFormation goes on by itself. The same command waits for it, and goes on from there.")
def main(  # noqa: PLR0913 - one parameter an option
    *,
    stack: StackName = "lakehouse",
    warehouse: Annotated[
        str, typer.Option(help="none (Athena alone), serverless or provisioned; by default as it is, at first none.")
    ] = "",
    environment: Annotated[
        str | None, typer.Option(help="ENVIRONMENT, which schemas' names begin with; production has none.")
    ] = None,
    rpu_hours: Annotated[
        int, typer.Option(min=1, help="RPU hours a month after which Redshift Serverless takes no more queries.")
    ] = 50,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of another parameter of infra/lakehouse.yaml.")
    ] = None,
    write: Annotated[Path, typer.Option(help="File to write the environment to, for `source`.")] = Path("aws.env"),
    region: Region = "",
    yes: Yes = False,
) -> None:
    """Make or update the stack, after saying what it costs.

    Options that are not given keep what the stack has. It waits until all is there, and writes the environment that
    leads dbt and the loader to it, without any secret. docs/aws.md is the afternoon as a checklist.
    """
    reporter = ConsoleReporter()
    project = find_project()
    check_name(stack)
    template, prices = Template.read(project), Prices.read(project)
    given = template.checked(settings or [])
    if warehouse:
        given["Warehouse"] = warehouse
    if environment is not None:
        given["SchemaPrefix"] = f"{environment}_" if environment else ""
    account = open_account(region)
    reporter.say(f"account {account.number}, {account.region}, as {account.identity}")
    work = Stack(account, stack, reporter.say)
    found = work.settle()
    parameters = {**template.defaults, **(found.parameters if found else {}), **given}
    if parameters["Warehouse"] not in ("none", "serverless", "provisioned"):
        raise DeploymentError(f"--warehouse {parameters['Warehouse']}: there are none, serverless and provisioned")
    for line in (*table_of(prices.standing(parameters)), "when it is used"):
        reporter.say(line)
    for sentence in prices.in_use(parameters, rpu_hours):
        reporter.say(f"  {sentence}")
    reporter.say(f"prices from {prices.origin}: look whether they are yours")
    if not yes:
        confirm(f"{'Update' if found else 'Make'} {stack} in {account.region}?", stack)
    done = work.make(template, given)
    made = work.look()
    if made is None:
        raise DeploymentError(f"{stack} was deleted meanwhile")
    if workgroup := made.outputs.get("ServerlessWorkgroupArn"):
        limit_usage(account, workgroup, rpu_hours)
    write_settings(write, made, stack, account.region)
    reporter.say(f"{done}: {stack} in {account.region}")
    reporter.say(f"the environment that leads there: source {write}")
