"""The group `lakehouse aws`: what the project needs on AWS is made, looked at, and removed."""

import re
from typing import Annotated

import typer

from lakehouse.commands import asked, check_that_somebody_is_there
from lakehouse.deployment.account import DeploymentError

_NAME = re.compile(r"[a-z][a-z0-9-]{2,39}")

StackName = Annotated[str, typer.Option("--stack", help="Name of the stack: lower case letters, digits and hyphens.")]
Region = Annotated[str, typer.Option(help="AWS region, by default AWS_REGION's or the profile's.")]


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
        DeploymentError: They type another one.
        SettingsError: Nobody can be asked.
        KeyboardInterrupt: They end the command instead.
    """
    check_that_somebody_is_there()
    typed = asked(lambda: str(typer.prompt(f"{question} Type {answer}")))
    if typed is None or typed.strip() != answer:
        raise DeploymentError("nothing was changed")
