"""The lanes of the Makefile: which tests run in which, and how much of what could be tried."""

import pytest

from dbt_local_aws.testing import EVERYTHING
from real_data import PROJECT_DIR

__all__ = ["EVERYTHING", "arrange", "on_athena", "on_athena_alone", "on_engines", "on_redshift", "on_redshift_alone"]

on_engines = pytest.mark.engines
"""Marks what needs Athena's or Redshift's endpoint: `make test-engines` runs it, `make test` does not."""
on_athena = pytest.mark.xdist_group("athena")
"""Marks what goes on from the whole run on Athena: all of it runs on one worker, one after the other."""
on_redshift = pytest.mark.xdist_group("redshift")
"""The same of Redshift."""
on_athena_alone = pytest.mark.parametrize("whole_run", [pytest.param("athena", marks=on_athena)], indirect=True)
"""Marks a test of both engines' fixtures that is about Athena."""
on_redshift_alone = pytest.mark.parametrize("whole_run", [pytest.param("redshift", marks=on_redshift)], indirect=True)
"""The same of Redshift."""
PACKAGE = PROJECT_DIR / "packages"
"""All of whose tests are of the engines."""
FIRST = ("athena", "redshift")
"""The groups that take longest: a lane that began with something else would end by waiting for them."""


def arrange(items: list[pytest.Item]) -> None:
    """Arranges tests for `--dist loadgroup`: the longest groups first, and a module's tests on one worker."""
    for item in items:
        if PACKAGE in item.path.parents:
            item.add_marker(on_engines)
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    return FIRST.index(group.args[0]) if group and group.args[0] in FIRST else len(FIRST)
