"""The lanes of the Makefile: which tests run in which, on which worker, and how much of what could be tried."""

import re

import pytest
from xdist.scheduler import LoadScopeScheduling

from dbt_local_aws.testing import EVERYTHING

__all__ = ["EVERYTHING", "arrange", "by_group", "on_athena_alone", "on_engines", "on_redshift_alone"]

on_engines = pytest.mark.engines
"""Marks what needs Athena's or Redshift's endpoint: `make test-engines` runs it, `make test` does not."""
on_athena_alone = pytest.mark.parametrize("whole_run", ["athena"], indirect=True)
"""Marks a test of both engines' fixtures that is about Athena."""
on_redshift_alone = pytest.mark.parametrize("whole_run", ["redshift"], indirect=True)
"""The same of Redshift."""
FIRST = ("athena", "redshift")
"""The groups that take longest: a lane that began with something else would end by waiting for them."""
_OF_AN_ENGINE = re.compile(r"local_aws/(?P<folder>athena|redshift)/|_engines\.py::.*\[(?P<run>athena|redshift)[\]-]")


def by_group(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Gives one worker all that goes on from an engine's whole run, one after the other; else a file's tests.

    xdist has `--dist loadgroup` for it, which looks for a test's group in its name, where pytest 9.2 keeps none.
    """
    scheduling = LoadScopeScheduling(config, log)
    scheduling._split_scope = group_of
    return scheduling


def group_of(nodeid: str) -> str:
    """The group of a test: an engine, or its file."""
    found = _OF_AN_ENGINE.search(nodeid)
    return str(found["folder"] or found["run"]) if found else nodeid.partition("::")[0]


def arrange(items: list[pytest.Item]) -> None:
    """Puts the longest groups first."""
    items.sort(key=lambda item: _place(group_of(item.nodeid)))


def _place(group: str) -> int:
    return FIRST.index(group) if group in FIRST else len(FIRST)
