"""Consent over several builds, on Athena and Redshift. The last of their tests: they forget the whole run's zone."""

from pathlib import Path

import pytest

from lanes import on_engines
from warehouses import warehouse_of
from website import (
    Website,
    assert_a_withdrawal_takes_effect_everywhere_and_what_was_known_before_stays_known,
    elsewhere,
)
from whole_run import WholeRun

pytestmark = [  # of dbt, the adapters and the driver: Python's own advice to them, and what they leave open
    on_engines,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def test_a_withdrawal_takes_effect_everywhere_and_what_was_known_before_it_stays_known(
    whole_run: WholeRun, tmp_path: Path
) -> None:
    with warehouse_of(whole_run, f"s3://lake/{tmp_path.name}", tmp_path / "source") as warehouse, elsewhere(warehouse):
        warehouse.forget_zone()
        assert_a_withdrawal_takes_effect_everywhere_and_what_was_known_before_stays_known(Website(warehouse))
