"""Removes what the project has on AWS, and looks whether nothing is left."""

from typing import Annotated

import typer

from lakehouse.commands import Yes
from lakehouse.commands.aws import Region, StackName, check_name, confirm
from lakehouse.console import ConsoleReporter
from lakehouse.deployment.account import DeploymentError, open_account
from lakehouse.deployment.leftovers import WAITING_DAYS, Leftovers
from lakehouse.deployment.stack import Stack
from lakehouse.ending import stops_in_one_line
from lakehouse.errors import ExitCode

EXAMPLES = ("aws down --stack lakehouse-ada", "aws down --stack lakehouse-ada --delete-data --yes")


@stops_in_one_line("What was removed stays removed. The same command goes on from there.")
def main(
    *,
    stack: StackName = "lakehouse",
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Delete what was landed and built, every version, for good.")
    ] = False,
    region: Region = "",
    yes: Yes = False,
) -> None:
    """Remove the stack and what outlives it, and look whether anything is left.

    Where data would be lost, it refuses without --delete-data. The keys wait for some days, in which their deletion can
    be taken back; they cost nothing then. Exit code 0 says that nothing is left; 1, that something is.
    """
    reporter = ConsoleReporter()
    check_name(stack)
    account = open_account(region)
    reporter.say(f"account {account.number}, {account.region}, as {account.identity}")
    work = Stack(account, stack, reporter.say)
    leftovers = Leftovers(account, work, reporter.say)
    found = work.settle()
    if found is None and not leftovers.find():
        reporter.say(f"nothing of {stack} is in {account.region}")
        return
    data = leftovers.holding_data()
    for what in data:
        reporter.say(f"{'to be deleted' if delete_data else 'data'}: {what}")
    if data and not delete_data:
        raise DeploymentError(f"{stack} holds data, and nothing was changed: --delete-data deletes it for good")
    if not yes:
        confirm(
            f"Delete {stack}{' and its data' if data else ''} in {account.region}, account {account.number}?", stack
        )
    work.delete()
    leftovers.remove()
    if left := leftovers.find():
        for one in left:
            reporter.warn(f"still there: {one}")
        reporter.say("what Redshift deletes takes some minutes: run the same command again")
        raise typer.Exit(ExitCode.FAILED)
    reporter.say(f"removed: nothing of {stack} is left in {account.region}")
    reporter.say(
        f"key and secret can be taken back for {WAITING_DAYS} days: aws kms cancel-key-deletion, restore-secret"
    )
