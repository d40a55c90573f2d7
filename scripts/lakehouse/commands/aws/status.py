"""Tells what runs on AWS, and what it has cost."""

from collections import Counter
from datetime import UTC, datetime

from lakehouse.commands.aws import Region, StackName, check_name
from lakehouse.console import ConsoleReporter
from lakehouse.deployment.account import open_account
from lakehouse.deployment.costs import Prices, spent, table_of
from lakehouse.deployment.leftovers import Leftovers
from lakehouse.deployment.stack import Stack
from lakehouse.deployment.template import Template
from lakehouse.ending import stops_in_one_line
from lakehouse.pipeline.project import find_project

EXAMPLES = ("aws status", "aws status --stack lakehouse-ada")


@stops_in_one_line("Nothing was changed.")
def main(*, stack: StackName = "lakehouse", region: Region = "") -> None:
    """Tell what a stack is made of, what it costs by the hour, and what it has cost this month.

    Cost Explorer is asked for the latter, which costs a cent and needs ce:GetCostAndUsage.
    """
    reporter = ConsoleReporter()
    project = find_project()
    check_name(stack)
    account = open_account(region)
    reporter.say(f"account {account.number}, {account.region}, as {account.identity}")
    work = Stack(account, stack, reporter.say)
    found = work.look()
    if found is None:
        reporter.say(f"there is no stack {stack} in {account.region}")
        left = Leftovers(account, work, reporter.say).find()
        for one in left:
            reporter.warn(f"an earlier one left its {one}")
        if left:
            reporter.say(f"`lakehouse aws down --stack {stack} --delete-data` removes it")
        return
    reporter.say(f"{stack}: {found.status}")
    made = {(kind, name) for kind, name in work.resources()}
    for kind, count in sorted(Counter(kind for kind, _ in made).items()):
        reporter.say(f"  {count:3} {kind}")
    parameters = {**Template.read(project).defaults, **found.parameters}
    for line in table_of(Prices.read(project).standing(parameters)):
        reporter.say(line)
    reporter.say("what it has cost this month")
    for sentence in spent(account, stack, datetime.now(UTC).date()):
        reporter.say(f"  {sentence}")
