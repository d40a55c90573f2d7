"""The commands, one module each: what a person types, and in which order the rooms below are called.

A module is imported only when its command is asked for: dbt alone takes seconds. It has a function `main`, whose
parameters are the command's options, and `EXAMPLES` for its help, without the program's name. A command of a group,
like `aws up`, is a module in the group's folder.
"""

import inspect
import logging
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from itertools import permutations
from types import ModuleType
from typing import Annotated, NoReturn, TypeVar

import typer

from lakehouse.ending import is_stopping
from lakehouse.errors import ExitCode, LakehouseError, SettingsError
from lakehouse.storage.owner_only import keep_private

PROGRAM = "lakehouse"
COMMANDS = {
    "run": "Land raw JSON, register it, build and test every model, and draw the site.",
    "backfill": "Land the files of some days, day by day, and build everything once.",
    "land": "Land raw JSON from folders and S3 prefixes in a landing zone, every record once.",
    "register": "Make a landing zone visible to an engine, and take out of what is published whoever does not consent.",
    "erase": "Erase people from the landing zone and the database, and look for them afterwards.",
    "drop-environment": "Drop all that an engine holds of an environment: its schemas and, on Athena, its files on S3.",
    "release": "Release the training data (machine_learning_curated v3) with a data card, under new pseudonyms.",
    "export": "Export the tables that answer one question each to DynamoDB, Cassandra or Keyspaces.",
    "repair-text": "Find text of the landed records that was encoded twice, and land what it said before.",
    "pseudonymise": "Give every landed customer a pseudonym: a hash of the address, keyed with PSEUDONYM_KEY.",
    "suspensions": "List the customer records that cannot be read, with what they hold; or dismiss one of them.",
    "site": "Draw the site anew from what is built: start page, report, run history, lineage and docs.",
    "sample": "Make the sample data, unless it is there already.",
    "diff": "Tell in Markdown what the working tree changes: models, rows, tags of personal data, tests.",
    "parity": "Build every model on DuckDB, Athena and Redshift from the same parts, and compare every row.",
    "aws up": "Make or update the stack, after saying what it costs.",
    "aws status": "Tell what a stack is made of, what it costs by the hour, and what it has cost this month.",
    "aws verify": "Verify on the AWS that answers what the project promises, and write the evidence.",
    "aws down": "Remove the stack and what outlives it, and look whether anything is left.",
    "bench": "Measure the loader beside `aws s3 cp`, and whole runs beside a bare script and Spark.",
}
"""The first line of each command's help, by its name: one word, or a group's and its own."""
GROUPS = {"aws": "Make what the project needs on AWS, look at it, and remove it."}
"""What the commands of a group are for."""
EXAMPLES = ("run", "run --source ../shared/data/udacity", "--verbose land --source sample_data --to landing/mine")
log = logging.getLogger(PROGRAM)
T = TypeVar("T")

# options that several commands have
Source = Annotated[list[str] | None, typer.Option(help="Folder or s3:// prefix; without one, sample data is made.")]
Sources = Annotated[
    str, typer.Option(help="Several of them in one text, as make has them: one with a blank stands in quotes.")
]
DatasetName = Annotated[str | None, typer.Option(help="Name of the data, by default the first folder's.")]
Scale = Annotated[float, typer.Option(help="Size of the sample data, in times the real data's.")]
MaxRejects = Annotated[
    int | None, typer.Option(min=0, help="How many refused records are allowed before a load stops.")
]
LandOnly = Annotated[
    bool, typer.Option("--land-only", help="End when everything is landed, for a scheduler that builds by itself.")
]
Full = Annotated[
    bool, typer.Option("--full", help="Build and test everything, also what is made of the same as in its last build.")
]
BudgetBytes = Annotated[
    int | None,
    typer.Option(min=1, envvar="BUDGET_BYTES", help="Athena: stop when its queries have scanned more than that."),
]
BudgetRpuSeconds = Annotated[
    float | None,
    typer.Option(min=1, envvar="BUDGET_RPU_SECONDS", help="Redshift Serverless: stop when it may have charged that."),
]
Target = Annotated[str, typer.Option(help="Output of profiles.yml: duckdb, redshift or athena.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: for where nobody can be.")]


def run_command(arguments: Sequence[str]) -> NoReturn:
    """Runs the command that is asked for, and ends with its exit code; what goes wrong is told in a line.

    Raises:
        SystemExit: Always.
    """
    keep_private()
    _share_region()
    code = ExitCode.DONE
    asked = _name_in(arguments)
    try:
        _application(asked)(args=arguments, prog_name=_program())
    except LakehouseError as error:
        log.debug("%s ended with an error", asked, exc_info=error)
        _print_error(f"{error.prefix}{error}", *getattr(error, "__notes__", ()))
        code = error.exit_code
    except Exception as error:  # Python would exit with 1, which says something else here
        log.debug("%s ended with a fault", asked, exc_info=error)
        _print_error(
            f"error: a fault of this program: {type(error).__name__}: {error}",
            f"to see where: {PROGRAM} --verbose {asked} …",
        )
        code = ExitCode.FAULT
    sys.exit(code)


def check_that_somebody_is_there(way_out: str = "--yes") -> None:
    """Checks that a person can be asked whether something is meant.

    Args:
        way_out: The option to give where nobody can be.

    Raises:
        SettingsError: The standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise SettingsError(f"nobody can be asked here whether this is meant: give {way_out}")


def asked(ask: Callable[[], T]) -> T | None:
    """What a person answers; None where they end the input instead.

    Raises:
        KeyboardInterrupt: They end the command instead.
    """
    try:
        return ask()
    except typer.Abort as error:  # typer makes the same of both
        if is_stopping():
            raise KeyboardInterrupt from error
        return None


def _share_region() -> None:
    """Has AWS's two names for the region say the same, where a person gave one of them.

    botocore reads AWS_DEFAULT_REGION alone, other programs AWS_REGION:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
    """
    for given, other in permutations(("AWS_REGION", "AWS_DEFAULT_REGION")):
        if os.environ.get(given) and not os.environ.get(other):
            os.environ[other] = os.environ[given]


def _name_in(arguments: Sequence[str]) -> str:
    """The name of the command that is asked for, "" where none is."""
    words = [argument for argument in arguments if not argument.startswith("-")]
    return " ".join(words[: 2 if words and words[0] in GROUPS else 1])


def _application(asked: str) -> typer.Typer:
    """The application: the command that is asked for is real, the others stand for a line of the help."""
    codes = "\n".join(f"{code:>4}  {code.meaning}" for code in ExitCode)
    application = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # it would print the addresses of people
        epilog=f"Exit codes:\n{codes}\n\n{_examples(*EXAMPLES)}",
    )
    application.callback()(_options)
    groups = {name: typer.Typer(no_args_is_help=True, help=summary) for name, summary in GROUPS.items()}
    for name, group in groups.items():
        application.add_typer(group, name=name)
    for name, summary in COMMANDS.items():
        group_name, _, own_name = name.rpartition(" ")
        place = groups.get(group_name, application)
        if name == asked:
            module = module_of(name)
            command = place.command(own_name, help=_help_of(module.main), epilog=_examples(*module.EXAMPLES))
            command(module.main)
        else:
            place.command(own_name, help=summary)(_not_asked_for)
    return application


def module_of(name: str) -> ModuleType:
    """The module of a command."""
    return import_module(f"{__name__}.{name.replace('-', '_').replace(' ', '.')}")


def _program() -> str:
    """What a person types before the command: its name, or, where a shell does not find it, how it was called now."""
    return PROGRAM if shutil.which(PROGRAM) else sys.argv[0]


def _examples(*lines: str) -> str:
    return "\n".join(["Examples:", *(f"  {_program()} {line}" for line in lines)])


def _help_of(main: Callable[..., None]) -> str:
    """A function's description, whose paragraphs typer would otherwise print in the lines that the source has."""
    paragraphs = (inspect.getdoc(main) or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _print_version(is_asked_for: bool) -> None:
    if is_asked_for:
        typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


def _options(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", help="Tell what is done and how long it takes, and of an error where it happened."),
    ] = False,
) -> None:
    """Raw JSON to tested tables, on DuckDB, Redshift and Athena. The project is the folder at or above this one that
    has dbt_project.yml.
    """
    if verbose:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
        log.propagate = False  # a library that dbt imports prints what comes to the root, too
        log.debug("%s %s, Python %s", PROGRAM, version(PROGRAM), sys.version.split()[0])


def _not_asked_for() -> None:
    """Stands for a command in the list of them."""


def _print_error(*lines: str) -> None:
    for line in lines:
        typer.echo(line, err=True)
