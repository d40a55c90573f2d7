"""The group `lakehouse aws`: what the project needs on AWS is made, looked at, and removed."""

import re
import sys
from typing import Annotated

import typer

from lakehouse.deployment.account import DeploymentError
from lakehouse.ending import is_stopping

_NAME = re.compile(r"[a-z][a-z0-9-]{2,39}")

StackName = Annotated[str, typer.Option("--stack", help="Name of the stack: lower case letters, digits and hyphens.")]
Region = Annotated[str, typer.Option(help="AWS region, by default AWS_REGION's or the profile's.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: for where nobody can be.")]


def check_name(stack: str) -> None:
    """Checks a stack's name, which Redshift and Athena get, too.

    Raises:
        DeploymentError: It is none that they take.
    """
    if not _NAME.fullmatch(stack):
        raise DeploymentError(f"{stack!r} is no name for a stack: 3 to 40 lower case letters, digits and hyphens")


def confirm(question: str, answer: str) -> None:
    """Asks a person, who has to type a word.

    Raises:
        DeploymentError: They type another one, or nobody can be asked.
        KeyboardInterrupt: They end the command instead.
    """
    if not sys.stdin.isatty():
        raise DeploymentError("nobody can be asked here whether this is meant: give --yes")
    try:
        typed = str(typer.prompt(f"{question} Type {answer}"))
    except typer.Abort as error:  # typer makes the same of Ctrl-C and of the input's end
        if is_stopping():
            raise KeyboardInterrupt from error
        typed = ""
    if typed.strip() != answer:
        raise DeploymentError("nothing was changed")
