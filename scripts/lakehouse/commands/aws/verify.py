"""Verifies what the project promises on the AWS that answers: a real account, or this machine's endpoints."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from lakehouse.commands import DatasetName, Scale, Source, Sources
from lakehouse.console import ConsoleReporter
from lakehouse.ending import stops_in_one_line
from lakehouse.environment import variables
from lakehouse.errors import ExitCode, SettingsError
from lakehouse.pipeline.dataset import Dataset, separated
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.project import find_project, go_to, seen_from
from lakehouse.pipeline.targets import check_target
from lakehouse.privacy.s3 import prefix_of
from lakehouse.verify.answered import Answered, ask_who_answers
from lakehouse.verify.evidence import (
    Evidence,
    commit_of,
    installed_packages,
    python_version,
    write_evidence,
)
from lakehouse.verify.left import keep_versions, remove_everything
from lakehouse.verify.run import Outcome, Result, run_steps
from lakehouse.verify.steps import STEPS
from lakehouse.verify.world import World, check_own_schemas, copy_project, drop_relations, own_places, work_in

TARGETS = ("redshift", "athena")
EXAMPLES = ("aws verify --target redshift", "aws verify --target athena --scale 0.05")


@stops_in_one_line(
    "What it had seen is in evidence/. The next verification begins anew, and removes what this one made."
)
def main(
    *,
    target: Annotated[str, typer.Option(help="Output of profiles.yml: redshift or athena.")] = "redshift",
    source: Source = None,
    sources: Sources = "",
    dataset: DatasetName = None,
    scale: Scale = 1.0,
) -> None:
    """Verify on the AWS that answers what the project promises, and write the evidence.

    Lands, builds, erases and compares in an environment of its own, whose name ends with `verify`, and below prefixes
    of its own in the places that the environment names. Nothing of it is left afterwards; what a killed verification
    made, the next one removes.

    All steps are run, whatever becomes of any of them. The evidence, in evidence/, says whether AWS or local endpoints
    answered: by what was asked, not by an option. Exit code 0 says that no step failed.
    """
    if target not in TARGETS:
        raise SettingsError(f"{target} is not on AWS: give --target redshift or --target athena")
    reporter, project = ConsoleReporter(), find_project()
    places = seen_from(project, [*(source or []), *separated(sources)])
    own, settings = own_places(target)
    check_target(project, target)
    with work_in(project, target) as work, variables(settings):
        data = Dataset.named(copy_project(project, work / "project"), places, dataset, scale)
        go_to(data.project_dir)
        try:
            answered, dbt = begin(data, target, own, reporter)
            evidence = verify(World(project, own, work, data, dbt, answered, reporter))
        finally:
            os.chdir(project)
    reporter.say(f"\n{evidence.answered.where}: {evidence.verdict}\nevidence: {write_evidence(evidence, project)}")
    if evidence.count(Outcome.FAILED):
        raise typer.Exit(ExitCode.FAILED)


def begin(data: Dataset, target: str, own: tuple[str, ...], reporter: ConsoleReporter) -> tuple[Answered, DbtSession]:
    """Finds out who answers, and removes what a killed verification left.

    Raises:
        SettingsError: It would build where others do.
        LandingError: AWS cannot be asked.
        DbtError: The project cannot be parsed.
    """
    data.check()
    dbt = DbtSession(data.project_dir, target, data.name, reporter.console)
    dbt.parse()
    bucket, _ = prefix_of(own[0])
    answered = ask_who_answers(dbt, bucket)
    check_own_schemas(dbt, answered)
    reporter.say(f"{answered.where}: account {answered.account}, {answered.region}")
    if answered.is_local:  # its bucket is nobody else's
        keep_versions(bucket)
    drop_relations(dbt)
    remove_everything(own)
    return answered, dbt


def verify(world: World) -> Evidence:
    """Runs the steps, and writes the evidence so far after each; gives the whole of it."""
    commit, packages = commit_of(world.project), installed_packages()

    def evidence(results: Sequence[Result], ended_at: datetime | None = None) -> Evidence:
        return Evidence(
            target=world.dbt.target,
            dataset=world.data.name,
            began_at=world.began_at,
            ended_at=ended_at,
            commit=commit,
            answered=world.answered,
            python=python_version(),
            packages=packages,
            results=results,
        )

    def note(results: Sequence[Result]) -> None:
        write_evidence(evidence(results), world.project)

    try:
        return evidence(run_steps(STEPS, world, world.reporter, note), datetime.now(UTC))
    finally:
        world.end_commands()
