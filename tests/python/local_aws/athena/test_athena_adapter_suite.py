"""dbt's public suite for adapters, run against the endpoint by the unmodified dbt-athena.

By default a few classes run, which between them take most ways through the adapter. `ATHENA_ADAPTER_SUITE=all` runs
more of what applies to Athena. What does not, and why, stands in local_aws/athena/README.md.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import pytest
from dbt.tests.adapter.basic.test_base import BaseSimpleMaterializations
from dbt.tests.adapter.basic.test_incremental import BaseIncremental
from dbt.tests.adapter.utils.test_hash import BaseHash

from local_aws.athena.client import Client

pytest_plugins = ("dbt.tests.fixtures.project",)
pytestmark = pytest.mark.filterwarnings("ignore")  # those of dbt, its adapter and its suite

_ALL = {
    "basic.test_empty": ["BaseEmpty"],
    "basic.test_ephemeral": ["BaseEphemeral"],
    "basic.test_generic_tests": ["BaseGenericTests"],
    "basic.test_singular_tests": ["BaseSingularTests"],
    "basic.test_singular_tests_ephemeral": ["BaseSingularTestsEphemeral"],
    "basic.test_table_materialization": ["BaseTableMaterialization"],
    "basic.test_validate_connection": ["BaseValidateConnection"],
    "concurrency.test_concurrency": ["BaseConcurrency"],
    "dbt_show.test_dbt_show": ["BaseShowLimit", "BaseShowSqlHeader"],
    "empty.test_empty": ["BaseTestEmpty", "BaseTestEmptyInlineSourceRef"],
    "ephemeral.test_ephemeral": ["BaseEphemeralErrorHandling"],
    "incremental.test_incremental_on_schema_change": ["BaseIncrementalOnSchemaChange"],
    "utils.test_any_value": ["BaseAnyValue"],
    "utils.test_array_append": ["BaseArrayAppend"],
    "utils.test_array_construct": ["BaseArrayConstruct"],
    "utils.test_bool_or": ["BaseBoolOr"],
    "utils.test_cast": ["BaseCast"],
    "utils.test_cast_bool_to_text": ["BaseCastBoolToText"],
    "utils.test_concat": ["BaseConcat"],
    "utils.test_current_timestamp": ["BaseCurrentTimestampNaive"],
    "utils.test_date_trunc": ["BaseDateTrunc"],
    "utils.test_dateadd": ["BaseDateAdd"],
    "utils.test_equals": ["BaseEquals"],
    "utils.test_escape_single_quotes": ["BaseEscapeSingleQuotesQuote"],
    "utils.test_except": ["BaseExcept"],
    "utils.test_generate_series": ["BaseGenerateSeries"],
    "utils.test_get_powers_of_two": ["BaseGetPowersOfTwo"],
    "utils.test_intersect": ["BaseIntersect"],
    "utils.test_last_day": ["BaseLastDay"],
    "utils.test_length": ["BaseLength"],
    "utils.test_listagg": ["BaseListagg"],
    "utils.test_position": ["BasePosition"],
    "utils.test_replace": ["BaseReplace"],
    "utils.test_right": ["BaseRight"],
    "utils.test_safe_cast": ["BaseSafeCast"],
    "utils.test_split_part": ["BaseSplitPart"],
    "utils.test_string_literal": ["BaseStringLiteral"],
    "utils.test_validate_sql": ["BaseValidateSqlMethod"],
}


def profile(clients: Client) -> dict[str, Any]:
    return {
        "type": "athena",
        "s3_staging_dir": f"s3://{clients.bucket}/results/",
        "s3_data_dir": f"s3://{clients.bucket}/data/",
        "region_name": "us-east-1",
        "database": "awsdatacatalog",
        "threads": 4,
        "num_retries": 0,
        "poll_interval": 0.2,
    }


@pytest.fixture(scope="class")
def dbt_profile_target(clients: Client) -> dict[str, Any]:
    return profile(clients)


class TestSimpleMaterializations(BaseSimpleMaterializations):
    pass


class TestIncremental(BaseIncremental):
    pass


class TestHashWithPyAthena(BaseHash):
    """The adapter's other connection manager."""

    @pytest.fixture(scope="class")
    def dbt_profile_target(self, clients: Client) -> dict[str, Any]:
        return {**profile(clients), "connection_manager": "pyathena"}


if os.environ.get("ATHENA_ADAPTER_SUITE") == "all":
    for _module, _names in _ALL.items():
        for _name in _names:
            _base = getattr(import_module(f"dbt.tests.adapter.{_module}"), _name)
            globals()[f"Test{_name}"] = type(f"Test{_name}", (_base,), {"__module__": __name__})
