"""Drops an environment: what a developer or a pull request had built, on one engine."""

import os
from typing import Annotated

import typer

from lakehouse.commands import Target, Yes, asked, check_that_somebody_is_there
from lakehouse.console import ConsoleReporter
from lakehouse.ending import stops_in_one_line
from lakehouse.environment import VARIABLE, checked_environment
from lakehouse.errors import ExitCode, SettingsError
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.environments import drop_environment, each_database, other_environments, parts_of_environment
from lakehouse.pipeline.project import find_project, go_to, with_logs_named
from lakehouse.pipeline.targets import check_target

EXAMPLES = (
    "drop-environment ada",
    "drop-environment pr_12 --target athena --yes",
)


@stops_in_one_line("What was dropped is gone. The same command goes on from there.")
def main(
    *,
    name: Annotated[str, typer.Argument(help="The environment's name, as ENVIRONMENT had it.")],
    target: Target = "duckdb",
    yes: Yes = False,
) -> None:
    """Drop all that an engine holds of an environment: its schemas and, on Athena, its files on S3.

    Production has no name, and is never dropped. Landing zones stay: they are no environment's. Exit code 0 says that
    nothing of the environment is left, 1 that something is.
    """
    reporter = ConsoleReporter()
    if not yes:
        check_that_somebody_is_there()
    environment, project = checked_environment(name), find_project()
    go_to(project)
    os.environ[VARIABLE] = environment  # dbt reads it, too
    check_target(project, target)
    dbt = DbtSession(project, target, name, reporter.console)
    with with_logs_named(project):
        dbt.parse()
        parts, others = _found(dbt, name)
        if not parts:
            known = f"; there are {', '.join(others)}" if others else ""
            reporter.say(f"{target} has nothing of an environment {name}{known}")
            return
        for part in parts:
            reporter.say(part)
        if not (yes or asked(lambda: typer.confirm(f"Drop all of this on {target}?"))):
            raise SettingsError("nothing was dropped")
        for _ in each_database(dbt):
            drop_environment(dbt, name, reporter.say)
        left, _ = _found(dbt, name)
    if left:
        reporter.warn(f"something of {name} is there again, or still: {'; '.join(left)}. Does a build run? Drop again")
        raise typer.Exit(ExitCode.FAILED)
    reporter.say(f"nothing of {name} is left on {target}. Old versions of files go as the bucket's rules say")


def _found(dbt: DbtSession, name: str) -> tuple[list[str], list[str]]:
    """What there is of the environment, and the names of the others, production left out."""
    parts: list[str] = []
    others: set[str] = set()
    for _ in each_database(dbt):
        parts += parts_of_environment(dbt, name)
        others.update(other for other in other_environments(dbt, name) if other)
    return parts, sorted(others)
