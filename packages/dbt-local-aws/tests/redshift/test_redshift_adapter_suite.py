"""dbt's public suite for adapters (`dbt-tests-adapter`), through the unmodified dbt-redshift, on the local endpoint.

How each class is set up stands in redshift_adapter_suite.py. A selection runs by default, and every class with
`ALL=1`.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import sqlparse
from dbt.tests.fixtures.project import *  # noqa: F403 - the suite's fixtures, which pytest finds by their names here
from dbt.tests.fixtures.project import TestProjInfo
from redshift_adapter_suite import (  # type: ignore[import-not-found]  # pytest has this folder on its path
    ABSTRACT,
    LEFT_OUT,
    configured_classes,
    covered_by,
    suites_classes,
)

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.testing import EVERYTHING
from dbt_local_aws.testing.redshift import Connect

pytestmark = [
    pytest.mark.filterwarnings("default"),  # dbt's suite is not written for warnings that are errors
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # dbt drops the handlers of its loggers without closing them
    pytest.mark.filterwarnings("ignore:unclosed file .*dbt.log:ResourceWarning"),
]

DATABASE = "dbt"  # what the suite compares the database's name with
GRANTEES = ("grantee_one", "grantee_two", "grantee_three")
BY_DEFAULT = {
    "BaseAdapterMethod", "BaseSimpleMaterializations", "BaseIncremental", "BaseConcurrency", "BaseMergeExcludeColumns",
    "BaseModelGrants", "BasePersistDocs", "ModelConstraintsRuntimeEnforcement", "MaterializedViewChangesApply",
    "SimpleMaterializationsWithDatasharing", "SnapshotCheckCols",
}  # fmt: skip

for name, configured in configured_classes():
    if EVERYTHING or name in BY_DEFAULT:
        globals()[f"Test{name.removeprefix('Base')}"] = type(f"Test{name.removeprefix('Base')}", (configured,), {})
del TestProcessingException, name, configured  # type: ignore[name-defined]  # noqa: F821 - the first is no test


def test_every_class_of_the_installed_suite_runs_or_is_left_out_for_a_reason() -> None:
    classes = suites_classes()
    configured = [member for _, member in configured_classes()]
    covered = set().union(*map(covered_by, configured))
    left_out = [name for names in LEFT_OUT.values() for name in names.split()]

    assert sorted([*covered, *left_out, *ABSTRACT]) == sorted(classes)
    for name in ABSTRACT:
        assert any(issubclass(member, classes[name]) for member in configured), f"nothing is made of {name}"


def test_what_runs_by_default_is_configured() -> None:
    assert {name for name, _ in configured_classes()} >= BY_DEFAULT


@pytest.fixture(scope="session")
def redshift_target(redshift: LocalRedshift) -> dict[str, Any]:
    environment = redshift.environment()
    return {
        "type": "redshift",
        "host": environment["REDSHIFT_HOST"],
        "port": int(environment["REDSHIFT_PORT"]),
        "user": environment["REDSHIFT_USER"],
        "password": environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"],
        "dbname": DATABASE,
        "sslmode": environment["REDSHIFT_SSLMODE"],
        "ra3_node": True,
        "threads": 4,
    }


@pytest.fixture(scope="class")  # type: ignore[no-redef]
def dbt_profile_target(redshift_target: dict[str, Any]) -> dict[str, Any]:
    return dict(redshift_target)


@pytest.fixture(scope="session", autouse=True)
def database(connect: Connect) -> Iterator[None]:
    """A database of the name that the suite expects, and users to grant rights to."""
    with connect() as connection:
        cursor = connection.cursor()
        cursor.execute(f"create database {DATABASE}")
        for number, grantee in enumerate(GRANTEES, start=1):
            cursor.execute(f"create user {grantee} password 'Grantee123'")
            os.environ[f"DBT_TEST_USER_{number}"] = grantee
    yield
    for number in range(1, len(GRANTEES) + 1):
        del os.environ[f"DBT_TEST_USER_{number}"]


@pytest.fixture(scope="session", autouse=True)
def statement_by_statement() -> Iterator[None]:
    """The suite prepares its data by several statements in one string, which the driver would send as one prepared one.

    Redshift refuses that; dbt-redshift cuts the SQL of a model up in the same way.
    """
    run_whole = TestProjInfo.run_sql

    def run_sql(project: Any, sql: str, fetch: str | None = None) -> Any:  # noqa: ANN401 - as the suite has it
        answers = [run_whole(project, statement, fetch) for statement in sqlparse.split(sql)]  # type: ignore[no-untyped-call]
        return answers[-1] if answers else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestProjInfo, "run_sql", run_sql)
        yield
