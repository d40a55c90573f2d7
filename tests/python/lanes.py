"""The lanes of the Makefile: which tests run in which, and how much of what could be tried."""

import os

import pytest

EVERYTHING = os.environ.get("ALL", "0") not in ("", "0")
"""Whether a test tries all that there is to try. Without it a test of many alike cases takes a stated part of them."""

on_engines = pytest.mark.engines
"""Marks what needs Athena's or Redshift's endpoint: `make test-engines` runs it, `make test` does not."""
