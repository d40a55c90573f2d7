"""The environment that a command works in: whose schemas, and whose places on S3. Production has no name."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lakehouse.errors import SettingsError

VARIABLE = "ENVIRONMENT"
MAX_LENGTH = 32
"""Of a name: behind it, the longest schema must fit what engines take."""
_RESERVED = re.compile(r"(pg|dbt)(_.*)?|production|prod")
"""Redshift keeps pg_… for itself (https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_SCHEMA.html), and
dbt_test__audit is production's. macros/environments/generate_schema_name.sql has the same rules, for dbt by hand."""


def checked_environment(name: str) -> str:
    """A name that an environment can have.

    Raises:
        SettingsError: It cannot be one.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > MAX_LENGTH or _RESERVED.fullmatch(name):
        raise SettingsError(
            f"{name!r} cannot name an environment: lower case letters and digits, single underscores between them, "
            f"at most {MAX_LENGTH}; not pg_… nor dbt_…. Production has no name: leave {VARIABLE} empty"
        )
    return name


def environment_name() -> str:
    """The name that ENVIRONMENT gives; "" in production.

    Raises:
        SettingsError: It cannot be one.
    """
    name = os.environ.get(VARIABLE, "")
    return checked_environment(name) if name else ""


def in_environment(schema: str) -> str:
    """A schema's name in the environment, for who is told to look there."""
    name = environment_name()
    return f"{name}_{schema}" if name else schema


@contextmanager
def variables(settings: Mapping[str, str | None]) -> Iterator[None]:
    """Sets environment variables for as long as the block lasts; what is to be None is unset."""
    before = {name: os.environ.get(name) for name in settings}
    _set(settings)
    try:
        yield
    finally:
        _set(before)


def _set(settings: Mapping[str, str | None]) -> None:
    for name, value in settings.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
