"""The whole way of the data in one command: land, register, build, test, draw. `make run` calls it."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

import typer

from lakehouse.commands import (
    BudgetBytes,
    BudgetRpuSeconds,
    DatasetName,
    Full,
    LandOnly,
    MaxRejects,
    Scale,
    Source,
    Sources,
    Target,
)
from lakehouse.commands.site import draw
from lakehouse.console import ConsoleReporter, counted
from lakehouse.ending import stops_in_one_line
from lakehouse.environment import in_environment
from lakehouse.errors import BuildError, DbtError, ExitCode, LandingError
from lakehouse.landing.days import Days
from lakehouse.landing.outcome import LandingReport
from lakehouse.pipeline.build_plan import BuildPlan, note_builds, noted_builds, plan_build
from lakehouse.pipeline.copy_region import tell_copy_the_region
from lakehouse.pipeline.databases import Database, open_database
from lakehouse.pipeline.dataset import Dataset, separated
from lakehouse.pipeline.dbt_session import RUN_VARIABLE, DbtSession
from lakehouse.pipeline.growth import growing_since, growth_of
from lakehouse.pipeline.project import find_project, go_to, seen_from, with_logs_named
from lakehouse.pipeline.run_record import compare_rows, record_run
from lakehouse.pipeline.run_report import step
from lakehouse.pipeline.run_watch import RunWatch, code_of, watched
from lakehouse.pipeline.spending import Budget
from lakehouse.pipeline.targets import check_target
from lakehouse.site.pages import take_down_report, write_start_page
from lakehouse.site.runs import recorded_runs
from lakehouse.storage.owner_only import protect
from lakehouse.storage.zone import NO_ZONE_YET

EXAMPLES = (
    "run",
    "run --source ../shared/data/udacity --max-rejects 100",
    "run --source s3://udacity-dend --source s3://cd0030bucket --dataset mine",
)


@stops_in_one_line("What has landed stays. The same command goes on from there.")
def main(  # noqa: PLR0913 - one parameter an option
    *,
    source: Source = None,
    sources: Sources = "",
    dataset: DatasetName = None,
    target: Target = "duckdb",
    scale: Scale = 1.0,
    max_rejects: MaxRejects = None,
    forget_vanished: Annotated[
        bool, typer.Option("--forget-vanished", help="Remove the records of files gone from their source.")
    ] = False,
    land_only: LandOnly = False,
    full: Full = False,
    budget_bytes: BudgetBytes = None,
    budget_rpu_seconds: BudgetRpuSeconds = None,
) -> None:
    """Land raw JSON, register it, build and test every model, and draw the site.

    What is made of the same code and the same records as in its last build is neither built nor tested again.
    What happened is in logs/runs, a line of JSON an event; docs/operations.md tells how to have it sent to you.
    """
    reporter = ConsoleReporter()
    data = open_dataset([*(source or []), *separated(sources)], dataset, scale, target, reporter)
    load, budget = Load(max_rejects, forget_vanished, anew=full), Budget(budget_bytes, budget_rpu_seconds)
    with (
        start_page_afterwards(data.project_dir, reporter),
        watched(data.project_dir, data.name, target, budget, reporter) as watch,
    ):
        run(data, watch, reporter, load, land_only=land_only, is_full=full)


@contextmanager
def start_page_afterwards(project_dir: Path, reporter: ConsoleReporter) -> Iterator[None]:
    """Writes the site's start page and run history when the run has ended, be it with a failure, which they tell."""
    try:
        yield
    finally:
        reporter.say(f"{'site:':18}{write_start_page(project_dir, recorded_runs(project_dir))}")


@dataclass(frozen=True)
class Load:
    """How the data is landed.

    Attributes:
        max_rejects: How many refused records are allowed before a load stops; None for any number.
        forget_vanished: Whether the records of files that are gone from a source are removed.
        days: The days whose files are landed, one after the other; all files at once without it.
        anew: Whether what was worked out from older records is worked out from them again.
    """

    max_rejects: int | None = None
    forget_vanished: bool = False
    days: Days | None = None
    anew: bool = False


def open_dataset(
    sources: Sequence[str], name: str | None, scale: float, target: str, reporter: ConsoleReporter
) -> Dataset:
    """Finds project, data and landing zone, and checks all that can be checked before what takes minutes.

    Raises:
        SettingsError: A setting is missing or wrong.
        LandingError: There is nothing to land, or no key for pseudonyms.
    """
    project = find_project()
    data = Dataset.named(project, seen_from(project, sources), name, scale)
    os.environ["LANDING_ZONE"] = data.zone  # dbt reads it, too
    go_to(project)
    protect(project, data.zone, reporter)
    check_target(project, target)
    tell_copy_the_region(target, data.zone, reporter.say)
    data.check()
    return data


def run(  # noqa: PLR0913 - what the commands have at hand
    data: Dataset,
    watch: RunWatch,
    reporter: ConsoleReporter,
    load: Load,
    *,
    land_only: bool = False,
    is_full: bool = False,
) -> None:
    """Lands the data, and builds what is made of something else than in its last build, or everything.

    Raises:
        SampleError: The sample cannot be made.
        LandingError: The data cannot be landed, or the database not be written.
        DbtError: Something failed.
    """
    was_erased_from = data.was_erased_from()
    if was_erased_from:
        reporter.say(f"people were erased from {data.zone}: the known counts of {data.name} do not apply to it")
    dbt = DbtSession(
        data.project_dir,
        watch.report.target,
        data.name,
        reporter.console,
        has_known_counts=not was_erased_from,
        tell=watch.tell,
        asking=watch.spending.asking,
        run_id=os.environ.get(RUN_VARIABLE) or watch.report.run_id,
    )
    with with_logs_named(data.project_dir):
        dbt.parse()
        zone_id = data.zone_id() or NO_ZONE_YET
        with open_database(dbt, zone_id) as database:
            dbt.operation("preflight", zone_id=zone_id)
            with recorded_if_it_fails(dbt, database, watch, reporter), or_no_report(data.project_dir):
                with step(dbt.tell, "land"):
                    report = land(data, dbt, database, reporter, load)
                if report.is_partial:
                    dbt.has_known_counts = False
                    reporter.say(f"a part of {data.name} is landed: the known counts of the whole do not apply to it")
                if land_only:
                    reporter.say(f"landed, and not built: {data.zone}")
                    if database.exists:
                        record_run(dbt, watch, ExitCode.DONE, reporter)
                else:
                    build_all(data, dbt, database, watch, reporter, is_whole=not report.is_partial, is_full=is_full)
    if refused := report.records_quarantined:
        reporter.warn(
            f"{counted(refused, 'record')} in quarantine, with the reasons: {in_environment('loader')}.quarantine"
        )


@contextmanager
def recorded_if_it_fails(
    dbt: DbtSession, database: Database, watch: RunWatch, reporter: ConsoleReporter
) -> Iterator[None]:
    """Appends the run to those on record if the block fails; a run that somebody stops is only in its log."""
    try:
        yield
    except Exception as error:
        if database.exists:
            database.reopen()
            record_run(dbt, watch, code_of(error), reporter)
        raise


@contextmanager
def or_no_report(project_dir: Path) -> Iterator[None]:
    """Takes the report down if the block fails: it may show readings of somebody who has withdrawn meanwhile."""
    try:
        yield
    except BaseException:
        take_down_report(project_dir)
        raise


def land(data: Dataset, dbt: DbtSession, database: Database, reporter: ConsoleReporter, load: Load) -> LandingReport:
    """Lands the data.

    If that fails, somebody's withdrawal may have landed before it did: who withdrew is taken out all the same.

    Raises:
        SampleError: The sample cannot be made.
        LandingError: The data cannot be landed.
    """
    try:
        if load.anew:
            data.work_out_anew()
        forget = load.forget_vanished
        return data.land(reporter, load.max_rejects, forget_vanished=forget, days=load.days, tell=dbt.tell)
    except LandingError:
        if database.exists and data.zone_id() is not None:
            try:
                withdraw(data, dbt, reporter)
            except DbtError as error:
                reporter.warn(f"who withdrew may still be published: {error}")
        raise


def withdraw(data: Dataset, dbt: DbtSession, reporter: ConsoleReporter) -> None:
    """Registers the landing zone, and takes whoever does not consent out of what is published.

    Raises:
        DbtError: Something failed.
    """
    register(data, dbt, reporter)
    dbt.operation("withdraw_people")


def register(data: Dataset, dbt: DbtSession, reporter: ConsoleReporter, *, anew: bool = False) -> None:
    """Registers the landing zone; anew, if what an engine has copied is not to be relied on.

    The tables that tell who consents are registered first, so that a table that cannot be registered keeps nobody in
    what is published.

    Raises:
        DbtError: Something failed.
    """
    reporter.heading(f"register on {dbt.target}")
    try:
        dbt.register(data.zone_id() or "", anew=anew)
    except DbtError:
        dbt.operation("print_load_errors")
        dbt.operation("withdraw_people")
        raise


def build_all(  # noqa: PLR0913 - what a run has at hand
    data: Dataset,
    dbt: DbtSession,
    database: Database,
    watch: RunWatch,
    reporter: ConsoleReporter,
    *,
    is_whole: bool,
    is_full: bool = False,
) -> None:
    """Registers the landing zone, builds and tests the models, and draws the site.

    People who do not consent are taken out first of what is built anew: no build that fails keeps them in. The sources'
    age is told before the build, which does not begin on one that is too old. The row counts are printed whether or
    not a test failed: they show where to look.

    Raises:
        LandingError: The database cannot be written.
        DbtError: Something failed.
    """
    contents = data.contents()  # before the zone is registered: what another load brings meanwhile is built next time
    with step(dbt.tell, "register"):
        register(data, dbt, reporter, anew=is_full)
        made_of, noted = data.made_of(dbt, contents), noted_builds(dbt)
        growth = growth_of(dbt.manifest, contents, noted)
        made_before = data.made_of(dbt, growth.before) if growth.since else made_of
        growing = growing_since(dbt.manifest, growth, made_before, noted)
        plan = plan_build(dbt.manifest, made_of, noted, growing)
        dbt.operation("withdraw_people", kept=sorted(plan.untouched))
        if is_full:
            plan = plan_build(dbt.manifest, made_of, {})
    reporter.heading(f"build on {dbt.target}")
    with (
        built_whole_after_a_failure(plan, dbt, database),
        database.building(reporter.say, is_needed=bool(plan.todo)) as attempt,
    ):
        with step(dbt.tell, "freshness"):
            dbt.freshness()
        try:
            with step(dbt.tell, "build"):
                build(dbt, plan, reporter, is_settled=lambda: data.still_holds(contents))
        except BuildError as failed:
            count_rows(dbt, not_built=sorted(failed.unfinished))
            raise
        attempt.has_passed = True
        count_rows(dbt)
        compare_rows(dbt, watch.report, reporter, is_whole=is_whole)
        for dated in dbt.ask("print_event_days"):
            dbt.tell("events_dated", **cast("dict[str, object]", dated))
        dbt.operation("print_reidentification_risk")
        with step(dbt.tell, "site"):
            rows_of = "" if is_full else f"{dbt.target} {database.where} {plan.everything}"
            draw(dbt, watch.report, is_built=plan.is_whole, made_of=plan.code, rows_of=rows_of)
        record_run(dbt, watch, ExitCode.DONE, reporter)
    reporter.say(f"\n{'database:':18}{database.where}")


@contextmanager
def built_whole_after_a_failure(plan: BuildPlan, dbt: DbtSession, database: Database) -> Iterator[None]:
    """If the build fails, forgets what is noted of the relations that took in new records alone.

    What was wrong with them, as a row that somebody changed by hand, a whole build may mend, and they would take in
    new records for ever.
    """
    try:
        yield
    except BuildError:
        if plan.growing:
            database.reopen()
            dbt.operation("record_built_with", rows=[], others=sorted(plan.growing))
        raise


def build(dbt: DbtSession, plan: BuildPlan, reporter: ConsoleReporter, is_settled: Callable[[], bool]) -> None:
    """Builds and tests what a plan says, and notes what it was built with.

    Args:
        dbt: The session.
        plan: What is to be built.
        reporter: Says why, and what is kept.
        is_settled: Whether the landing tables still hold what the plan knows: if not, nobody knows what was built.

    Raises:
        BuildError: A model or a test failed.
        DbtError: It cannot be noted.
    """
    for reason in plan.reasons:
        reporter.say(reason)
    relations, tests = plan.kept_of(dbt.manifest)
    dbt.tell("build_planned", relations_kept=relations, relations_grown=len(plan.growing), tests_kept=tests)
    kept = f"{counted(relations, 'relation')} and {counted(tests, 'test')}"
    if not plan.todo:
        reporter.say(f"nothing has changed since the last build; kept as they were: {kept}")
        return
    if plan.growing:
        reporter.say(f"{counted(len(plan.growing), 'relation')} take in what is new alone")
    try:
        done = dbt.build() if plan.is_whole else dbt.build(plan.todo, f"; kept as they were: {kept}", plan.growing)
    except BuildError as failed:
        note_builds(dbt, plan, failed.done if is_settled() else ())
        raise
    if not is_settled():
        reporter.say("another load has landed something meanwhile: the next run builds all this again")
        done = frozenset()
    note_builds(dbt, plan, done)


def count_rows(dbt: DbtSession, **not_built: object) -> None:
    """Prints the rows of what has landed and what is published, and reports them.

    Raises:
        DbtError: They cannot be counted.
    """
    for counted_rows in dbt.ask("print_row_counts", **not_built):
        dbt.tell("rows_counted", **cast("dict[str, object]", counted_rows))
