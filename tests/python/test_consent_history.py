"""Consent over several builds, on DuckDB: what a withdrawal does, and what is still known of before.

On the other engines: `test_withdrawal_engines.py`.
"""

from pathlib import Path

import pytest

from warehouses import duckdb_warehouse
from website import (
    Website,
    assert_a_withdrawal_takes_effect_everywhere_and_what_was_known_before_stays_known,
    elsewhere,
)

pytestmark = [  # of dbt, the adapters and the driver: Python's own advice to them, and what they leave open
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def test_a_withdrawal_takes_effect_everywhere_and_what_was_known_before_it_stays_known(tmp_path: Path) -> None:
    with duckdb_warehouse(tmp_path) as warehouse, elsewhere(warehouse):
        assert_a_withdrawal_takes_effect_everywhere_and_what_was_known_before_stays_known(Website(warehouse))
