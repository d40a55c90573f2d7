"""dbt's public suite for adapters (`dbt-tests-adapter`), through the unmodified dbt-redshift, on the local endpoint.

A slice of it runs by default. `REDSHIFT_ADAPTER_SUITE=all pytest …` runs every class that applies to Redshift. Where it
leaves open what an adapter expects, or dbt-redshift's own tests expect otherwise, the classes at the end of this module
say so. Left out, because they are not about Redshift:

- Python and JavaScript models and functions, clones, two databases, and what dbt-core 1.11 has not (`seed --empty`);
- hooks that assert that the database is called `dbt` and its type `postgres`; SQL compared with such names in it;
- seeds and snapshots whose tests send several statements as one prepared one, which Redshift refuses, too;
- BasePersistDocsQuotedDescriptionNotAppliedOnMismatch: needs `enable_case_sensitive_identifier` as the default.
"""

import importlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
from dbt.adapters.base.relation import BaseRelation
from dbt.tests.adapter.basic.files import seeds_added_csv, seeds_base_csv, seeds_newcolumns_csv
from dbt.tests.adapter.basic.test_base import BaseSimpleMaterializations
from dbt.tests.adapter.basic.test_snapshot_check_cols import BaseSnapshotCheckCols
from dbt.tests.adapter.basic.test_snapshot_timestamp import BaseSnapshotTimestamp
from dbt.tests.adapter.functions.files import MY_UDF_YML
from dbt.tests.adapter.functions.test_udfs import DeterministicUDF, NonDeterministicUDF, StableUDF, UDFsBasic
from dbt.tests.adapter.grants.test_model_grants import BaseModelGrants
from dbt.tests.adapter.materialized_view import files
from dbt.tests.adapter.materialized_view.basic import MaterializedViewBasic
from dbt.tests.adapter.materialized_view.changes import (
    MaterializedViewChanges,
    MaterializedViewChangesApplyMixin,
    MaterializedViewChangesContinueMixin,
    MaterializedViewChangesFailMixin,
)
from dbt.tests.adapter.persist_docs.test_persist_docs import BasePersistDocs
from dbt.tests.adapter.utils.data_types.test_type_string import BaseTypeString
from dbt.tests.fixtures.project import *  # noqa: F403 - the suite's fixtures, which pytest finds by their names here
from dbt.tests.util import get_model_file, set_model_file

from local_aws.redshift import LocalRedshift
from local_aws.redshift.testing import Connect

pytestmark = [
    pytest.mark.filterwarnings("default"),  # dbt's suite is not written for warnings that are errors
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

Project = Any  # the suite's, which has no types
EVERYTHING = os.environ.get("REDSHIFT_ADAPTER_SUITE") == "all"
GRANTEES = ("grantee_one", "grantee_two", "grantee_three")

# module below dbt.tests.adapter: its classes that run by default, and those that run with everything
SUITE: dict[str, tuple[str, str]] = {
    "aliases.test_aliases": ("", "BaseAliases BaseAliasErrors BaseSameAliasDifferentSchemas"),
    "basic.test_adapter_methods": ("BaseAdapterMethod", ""),
    "basic.test_base": ("BaseSimpleMaterializations", ""),
    "basic.test_empty": ("", "BaseEmpty"),
    "basic.test_ephemeral": ("", "BaseEphemeral"),
    "basic.test_generic_tests": ("", "BaseGenericTests"),
    "basic.test_incremental": ("BaseIncremental", "BaseIncrementalNotSchemaChange BaseIncrementalBadStrategy"),
    "basic.test_singular_tests": ("", "BaseSingularTests"),
    "basic.test_singular_tests_ephemeral": ("", "BaseSingularTestsEphemeral"),
    "basic.test_table_materialization": ("", "BaseTableMaterialization"),
    "basic.test_validate_connection": ("", "BaseValidateConnection"),
    "caching.test_caching": (
        "",
        "BaseCachingLowercaseModel BaseCachingUppercaseModel BaseCachingSelectedSchemaOnly BaseNoPopulateCache",
    ),
    "concurrency.test_concurrency": ("BaseConcurrency", ""),
    "constraints.test_constraints": ("", "BaseTableContractSqlHeader BaseIncrementalContractSqlHeader"),
    "dbt_clone.test_dbt_clone": ("", "BaseCloneNotPossible BaseCloneSameTargetAndState"),
    "dbt_debug.test_dbt_debug": ("", "BaseDebugProfileVariable"),
    "dbt_show.test_dbt_show": ("", "BaseShowLimit BaseShowSqlHeader BaseShowDoesNotHandleDoubleLimit"),
    "empty.test_empty": ("", "BaseTestEmpty BaseTestEmptyInlineSourceRef"),
    "ephemeral.test_ephemeral": ("", "BaseEphemeralErrorHandling"),
    "functions.test_udfs": ("", "ErrorForUnsupportedType"),
    "grants.test_incremental_grants": ("", "BaseIncrementalGrants"),
    "grants.test_model_grants": ("BaseModelGrants", ""),
    "grants.test_seed_grants": ("", "BaseSeedGrants"),
    "grants.test_snapshot_grants": ("", "BaseSnapshotGrants"),
    # the other classes of hooks assert that the adapter is dbt-postgres
    "hooks.test_model_hooks": (
        "",
        "BasePrePostModelHooksOnSeeds BaseHooksRefsOnSeeds BasePrePostModelHooksOnSeedsPlusPrefixed "
        "BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace BasePrePostModelHooksOnSnapshots "
        "BasePrePostSnapshotHooksInConfigKwargs BaseDuplicateHooksInConfigs",
    ),
    "hooks.test_run_hooks": ("", "BaseAfterRunHooks"),
    "incremental.test_incremental_merge_exclude_columns": ("BaseMergeExcludeColumns", ""),
    "incremental.test_incremental_microbatch": ("", "BaseMicrobatch"),
    "incremental.test_incremental_on_schema_change": ("", "BaseIncrementalOnSchemaChange"),
    "incremental.test_incremental_predicates": ("", "BaseIncrementalPredicates"),
    "incremental.test_incremental_unique_id": ("", "BaseIncrementalUniqueKey"),
    "persist_docs.test_persist_docs": (
        "BasePersistDocs",
        "BasePersistDocsColumnMissing BasePersistDocsAllColumnsMissing BasePersistDocsQuotedColumnCaseSensitive "
        "BasePersistDocsCommentOnQuotedColumn",
    ),
    "query_comment.test_query_comment": (
        "",
        "BaseQueryComments BaseMacroQueryComments BaseMacroArgsQueryComments BaseMacroInvalidQueryComments "
        "BaseNullQueryComments BaseEmptyQueryComments",
    ),
    "relations.test_changing_relation_type": ("", "BaseChangeRelationTypeValidator"),
    "relations.test_dropping_schema_named": ("", "BaseDropSchemaNamed"),
    "sample_mode.test_sample_mode": ("", "BaseSampleModeTest"),
    "simple_copy.test_simple_copy": ("", "SimpleCopyBase EmptyModelsArentRunBase"),
    "simple_seed.test_seed": (
        "",
        "BaseSimpleSeedEnabledViaConfig BaseSeedSpecificFormats BaseTestEmptySeed",
    ),
    "simple_snapshot.test_ephemeral_snapshot_hard_deletes": (
        "",
        "BaseSnapshotEphemeralHardDeletes BaseSnapshotNewColumnTimestampStrategy "
        "BaseSnapshotNewColumnSpecificCheckCols BaseSnapshotNewColumnWithDeletes",
    ),
    "simple_snapshot.test_snapshot": ("", "BaseSimpleSnapshot BaseSnapshotCheck"),
    "store_test_failures_tests.test_store_test_failures": ("", "BaseStoreTestFailures BaseStoreTestFailuresLimit"),
    "unit_testing.test_case_insensitivity": ("", "BaseUnitTestCaseInsensivity"),
    "unit_testing.test_invalid_input": ("", "BaseUnitTestInvalidInput"),
    "unit_testing.test_quoted_reserved_word_column_names": ("", "BaseUnitTestQuotedReservedWordColumnNames"),
    "unit_testing.test_types": ("", "BaseUnitTestingVarcharFixtureNoTruncation"),
    "utils.data_types.test_type_bigint": ("", "BaseTypeBigInt"),
    "utils.data_types.test_type_boolean": ("", "BaseTypeBoolean"),
    "utils.data_types.test_type_float": ("", "BaseTypeFloat"),
    "utils.data_types.test_type_int": ("", "BaseTypeInt"),
    "utils.data_types.test_type_numeric": ("", "BaseTypeNumeric"),
    "utils.data_types.test_type_timestamp": ("", "BaseTypeTimestamp"),
    "utils.test_any_value": ("", "BaseAnyValue"),
    "utils.test_array_append": ("", "BaseArrayAppend"),
    "utils.test_array_concat": ("", "BaseArrayConcat"),
    "utils.test_array_construct": ("", "BaseArrayConstruct"),
    "utils.test_bool_or": ("", "BaseBoolOr"),
    "utils.test_cast": ("", "BaseCast"),
    "utils.test_cast_bool_to_text": ("", "BaseCastBoolToText"),
    "utils.test_concat": ("", "BaseConcat"),
    "utils.test_current_timestamp": ("", "BaseCurrentTimestampNaive"),
    "utils.test_date": ("", "BaseDate"),
    "utils.test_date_spine": ("", "BaseDateSpine"),
    "utils.test_date_trunc": ("", "BaseDateTrunc"),
    "utils.test_dateadd": ("", "BaseDateAdd"),
    "utils.test_datediff": ("", "BaseDateDiff"),
    "utils.test_equals": ("", "BaseEquals"),
    "utils.test_escape_single_quotes": ("", "BaseEscapeSingleQuotesBackslash"),
    "utils.test_except": ("", "BaseExcept"),
    "utils.test_generate_series": ("", "BaseGenerateSeries"),
    "utils.test_get_intervals_between": ("", "BaseGetIntervalsBetween"),
    "utils.test_get_powers_of_two": ("", "BaseGetPowersOfTwo"),
    "utils.test_hash": ("", "BaseHash"),
    "utils.test_intersect": ("", "BaseIntersect"),
    "utils.test_last_day": ("", "BaseLastDay"),
    "utils.test_length": ("", "BaseLength"),
    "utils.test_listagg": ("", "BaseListagg"),
    "utils.test_null_compare": ("", "BaseMixedNullCompare BaseNullCompare"),
    "utils.test_position": ("", "BasePosition"),
    "utils.test_replace": ("", "BaseReplace"),
    "utils.test_right": ("", "BaseRight"),
    "utils.test_safe_cast": ("", "BaseSafeCast"),
    "utils.test_split_part": ("", "BaseSplitPart"),
    "utils.test_string_literal": ("", "BaseStringLiteral"),
    "utils.test_validate_sql": ("", "BaseValidateSqlMethod"),
}


def chosen_classes() -> Iterator[type]:
    for module, (by_default, more) in SUITE.items():
        names = [*by_default.split(), *(more.split() if EVERYTHING else ())]
        if names:
            loaded = importlib.import_module(f"dbt.tests.adapter.{module}")
            yield from (getattr(loaded, name) for name in names)


del TestProcessingException, TestProjInfo  # type: ignore[name-defined]  # noqa: F821 - they came with the star, and are no tests

for base in chosen_classes():
    suffix = "ephemeral" if base.__module__.endswith("ephemeral.test_ephemeral") else ""
    globals()[f"Test{base.__name__.removeprefix('Base')}{suffix}"] = type(f"Test{base.__name__}", (base,), {})
del base


@pytest.fixture(scope="class")  # type: ignore[no-redef]
def dbt_profile_target(redshift: LocalRedshift) -> dict[str, Any]:
    environment = redshift.environment()
    return {
        "type": "redshift",
        "host": environment["REDSHIFT_HOST"],
        "port": int(environment["REDSHIFT_PORT"]),
        "user": environment["REDSHIFT_USER"],
        "password": environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"],
        "dbname": environment["REDSHIFT_DATABASE"],
        "sslmode": environment["REDSHIFT_SSLMODE"],
        "ra3_node": True,
        "threads": 4,
    }


@pytest.fixture(scope="class")  # type: ignore[no-redef]
def unique_schema(prefix: str) -> str:
    """Short, since names have 63 bytes here: dbt appends to it."""
    return f"{prefix}_redshift"


@pytest.fixture(scope="session", autouse=True)
def grantees(connect: Connect) -> None:
    cursor = connect().cursor()
    for number, name in enumerate(GRANTEES, start=1):
        cursor.execute(f"create user {name} password 'Grantee123'")
        os.environ[f"DBT_TEST_USER_{number}"] = name


# Materialized views, whose classes leave to the adapter how they are looked at ----------------------------------------
MY_MATERIALIZED_VIEW = """
{{ config(materialized='materialized_view', sort_type='compound', sort=['id'], dist='id') }}
select * from {{ ref('my_seed') }}
"""


class RedshiftMaterializedViews:
    @pytest.fixture(scope="class", autouse=True)
    def models(self) -> dict[str, str]:
        return {
            "my_table.sql": files.MY_TABLE,
            "my_view.sql": files.MY_VIEW,
            "my_materialized_view.sql": MY_MATERIALIZED_VIEW,
        }

    @staticmethod
    def query_relation_type(project: Project, relation: BaseRelation) -> str | None:
        sql = f"""
            select case when definition ilike '%create materialized view%' then 'materialized_view' else 'view' end
            from pg_views where schemaname = '{relation.schema}' and viewname = '{relation.identifier}'
            union all
            select 'table' from pg_tables where schemaname = '{relation.schema}' and tablename = '{relation.identifier}'
        """  # noqa: S608 - the test's own names
        found = project.run_sql(sql, fetch="one")
        return found[0] if found else None


class TestMaterializedViews(RedshiftMaterializedViews, MaterializedViewBasic):
    @staticmethod
    def insert_record(project: Project, table: BaseRelation, record: tuple[int, int]) -> None:
        project.run_sql(f"insert into {table} (id, value) values ({record[0]}, {record[1]})")  # noqa: S608

    @staticmethod
    def refresh_materialized_view(project: Project, materialized_view: BaseRelation) -> None:
        project.run_sql(f"refresh materialized view {materialized_view}")

    @staticmethod
    def query_row_count(project: Project, relation: BaseRelation) -> int:
        return int(project.run_sql(f"select count(*) from {relation}", fetch="one")[0])  # noqa: S608


class RedshiftMaterializedViewChanges(RedshiftMaterializedViews, MaterializedViewChanges):
    @staticmethod
    def state(project: Project, view: BaseRelation) -> tuple[object, ...]:
        design = project.run_sql(
            f"""
            select tb.diststyle, tb.sortkey1, mv.autorefresh
            from svv_table_info tb
            join svv_mv_info mv on mv.schema_name = tb.schema and mv.name = tb.table
            where tb.schema = '{view.schema}' and tb.table = '{view.identifier}'
            """,  # noqa: S608 - the test's own names
            fetch="one",
        )
        return tuple(design)

    @classmethod
    def check_start_state(cls, project: Project, materialized_view: BaseRelation) -> None:
        assert cls.state(project, materialized_view) == ("KEY(id)", "id", "f")

    @staticmethod
    def change_config_via_alter(project: Project, materialized_view: BaseRelation) -> None:
        model = get_model_file(project, materialized_view)
        set_model_file(project, materialized_view, model.replace("dist='id'", "dist='id', auto_refresh=True"))

    @classmethod
    def check_state_alter_change_is_applied(cls, project: Project, materialized_view: BaseRelation) -> None:
        assert cls.state(project, materialized_view)[2] == "t"

    @staticmethod
    def change_config_via_replace(project: Project, materialized_view: BaseRelation) -> None:
        model = get_model_file(project, materialized_view)
        changed = model.replace(", dist='id'", "").replace("sort=['id']", "sort=['value']")
        set_model_file(project, materialized_view, changed)

    @classmethod
    def check_state_replace_change_is_applied(cls, project: Project, materialized_view: BaseRelation) -> None:
        assert cls.state(project, materialized_view)[:2] == ("EVEN", "value")


class TestMaterializedViewChangesApply(RedshiftMaterializedViewChanges, MaterializedViewChangesApplyMixin):
    pass


class TestMaterializedViewChangesContinue(RedshiftMaterializedViewChanges, MaterializedViewChangesContinueMixin):
    pass


class TestMaterializedViewChangesFail(RedshiftMaterializedViewChanges, MaterializedViewChangesFailMixin):
    pass


# With `datasharing`, the adapter reads the catalogue by SHOW ------------------------------------------------------


class WithDatasharing:
    @pytest.fixture(scope="class")
    def dbt_profile_target(self, dbt_profile_target: dict[str, Any]) -> dict[str, Any]:
        return dbt_profile_target | {"datasharing": True}


class TestSimpleMaterializationsWithDatasharing(WithDatasharing, BaseSimpleMaterializations):
    pass


class TestModelGrantsWithDatasharing(WithDatasharing, BaseModelGrants):
    pass


class TestPersistDocsWithDatasharing(WithDatasharing, BasePersistDocs):
    pass


# What dbt-redshift's own tests of the suite set otherwise -------------------------------------------------------------

ADDED_SEED = """
seeds:
  - name: added
    config:
      column_types: {name: varchar(64)}
"""


class TestSnapshotCheckCols(BaseSnapshotCheckCols):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"base.csv": seeds_base_csv, "added.csv": seeds_added_csv, "seeds.yml": ADDED_SEED}


if not EVERYTHING:
    del TestMaterializedViews, TestMaterializedViewChangesContinue, TestMaterializedViewChangesFail
    del TestModelGrantsWithDatasharing, TestPersistDocsWithDatasharing
else:

    class TestTypeString(BaseTypeString):
        def assert_columns_equal(self, project: Any, expected_cols: Any, actual_cols: Any) -> None:  # noqa: ANN401
            """A seed's texts are as long as its longest one, a query's are not."""
            assert [column[:-1] for column in expected_cols] == [column[:-1] for column in actual_cols]

    class TestUdf(UDFsBasic):
        @pytest.fixture(scope="class")
        def functions(self) -> dict[str, str]:
            """Arguments have no names on Redshift."""
            return {"price_for_xlarge.sql": "select $1 * 2", "price_for_xlarge.yml": MY_UDF_YML}

        def check_function_volatility(self, sql: str) -> None:
            """Redshift's own default, which it wants to be told."""
            assert "VOLATILE" in sql

    class TestDeterministicUdf(DeterministicUDF, TestUdf):
        pass

    class TestStableUdf(StableUDF, TestUdf):
        pass

    class TestNonDeterministicUdf(NonDeterministicUDF, TestUdf):
        pass

    class TestSnapshotTimestamp(BaseSnapshotTimestamp):
        @pytest.fixture(scope="class")
        def models(self) -> dict[str, str]:
            return {
                "base.csv": seeds_base_csv,
                "added.csv": seeds_added_csv,
                "newcolumns.csv": seeds_newcolumns_csv,
                "seeds.yml": ADDED_SEED,
            }
