"""The lanes of the Makefile: which tests run in which, and how much of what could be tried."""

import pytest

from dbt_local_aws.testing import EVERYTHING

__all__ = ["EVERYTHING", "on_engines"]

on_engines = pytest.mark.engines
"""Marks what needs Athena's or Redshift's endpoint: `make test-engines` runs it, `make test` does not."""
