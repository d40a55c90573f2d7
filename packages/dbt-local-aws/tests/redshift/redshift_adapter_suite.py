"""How dbt's public suite for adapters (`dbt-tests-adapter`) is set up for Redshift: class by class, none left out.

`UNCHANGED` are the classes that run as they are; those below it leave something to the adapter, or say what another
database would do, and are set up here as dbt-redshift's own public tests set them up, or as Redshift's manual has it.
`LEFT_OUT` are those that Redshift or this version of dbt cannot pass, each with the reason.
"""

# mypy: allow-untyped-calls, no-warn-return-any
# (the suite has no types)

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dbt.tests.adapter
import pytest
from dbt.adapters.base.relation import BaseRelation
from dbt.tests.adapter.aliases.test_aliases import BaseSameAliasDifferentDatabases
from dbt.tests.adapter.basic.expected_catalog import base_expected_catalog, expected_references_catalog, no_stats
from dbt.tests.adapter.basic.files import seeds_added_csv, seeds_base_csv, seeds_newcolumns_csv
from dbt.tests.adapter.basic.test_base import BaseSimpleMaterializations
from dbt.tests.adapter.basic.test_docs_generate import BaseDocsGenerate, BaseDocsGenReferences
from dbt.tests.adapter.basic.test_snapshot_check_cols import BaseSnapshotCheckCols
from dbt.tests.adapter.basic.test_snapshot_timestamp import BaseSnapshotTimestamp
from dbt.tests.adapter.catalog.relation_types import CatalogRelationTypes as SuitesCatalogRelationTypes
from dbt.tests.adapter.column_types.test_column_types import BasePostgresColumnTypes
from dbt.tests.adapter.constraints.test_constraints import (
    BaseConstraintQuotedColumn,
    BaseConstraintsRollback,
    BaseConstraintsRuntimeDdlEnforcement,
    BaseIncrementalConstraintsColumnsEqual,
    BaseIncrementalConstraintsRollback,
    BaseIncrementalConstraintsRuntimeDdlEnforcement,
    BaseModelConstraintsRuntimeEnforcement,
    BaseTableConstraintsColumnsEqual,
    BaseViewConstraintsColumnsEqual,
)
from dbt.tests.adapter.dbt_show.test_dbt_show import BaseShowSqlHeader
from dbt.tests.adapter.ephemeral.test_ephemeral import BaseEphemeralMulti, BaseEphemeralNested
from dbt.tests.adapter.functions.files import MY_UDF_WITH_DEFAULT_ARG_YML, MY_UDF_YML
from dbt.tests.adapter.functions.test_udfs import (
    CanFindScalarFunctionRelation as SuitesCanFindScalarFunctionRelation,
)
from dbt.tests.adapter.functions.test_udfs import DeterministicUDF as SuitesDeterministicUDF
from dbt.tests.adapter.functions.test_udfs import NonDeterministicUDF as SuitesNonDeterministicUDF
from dbt.tests.adapter.functions.test_udfs import SqlUDFDefaultArgSupport as SuitesSqlUDFDefaultArgSupport
from dbt.tests.adapter.functions.test_udfs import StableUDF as SuitesStableUDF
from dbt.tests.adapter.functions.test_udfs import UDFsBasic as SuitesUDFsBasic
from dbt.tests.adapter.grants.test_incremental_grants import BaseIncrementalGrants
from dbt.tests.adapter.grants.test_model_grants import BaseModelGrants
from dbt.tests.adapter.grants.test_seed_grants import BaseSeedGrants
from dbt.tests.adapter.grants.test_snapshot_grants import BaseSnapshotGrants
from dbt.tests.adapter.hooks.test_model_hooks import (
    BaseHookRefs,
    BasePrePostModelHooks,
    BasePrePostModelHooksInConfig,
    BasePrePostModelHooksInConfigKwargs,
    BasePrePostModelHooksInConfigWithCount,
    TestPrePostModelHooksUnderscores,
)
from dbt.tests.adapter.hooks.test_run_hooks import BasePrePostRunHooks
from dbt.tests.adapter.materialized_view import files
from dbt.tests.adapter.materialized_view.basic import MaterializedViewBasic as SuitesMaterializedViewBasic
from dbt.tests.adapter.materialized_view.changes import (
    MaterializedViewChanges,
    MaterializedViewChangesApplyMixin,
    MaterializedViewChangesContinueMixin,
    MaterializedViewChangesFailMixin,
)
from dbt.tests.adapter.persist_docs.test_persist_docs import (
    BasePersistDocs,
    BasePersistDocsQuotedDescriptionNotAppliedOnMismatch,
)
from dbt.tests.adapter.simple_copy.test_copy_uppercase import BaseSimpleCopyUppercase
from dbt.tests.adapter.simple_seed.seeds import seeds__expected_sql
from dbt.tests.adapter.simple_seed.test_seed import BaseSimpleSeedWithBOM
from dbt.tests.adapter.simple_seed.test_seed_type_override import BaseSimpleSeedColumnOverride
from dbt.tests.adapter.unit_testing.test_types import BaseUnitTestingTypes
from dbt.tests.adapter.utils.data_types.test_type_string import BaseTypeString
from dbt.tests.adapter.utils.test_timestamps import BaseCurrentTimestamps
from dbt.tests.util import AnyInteger, AnyString, AnyStringWith, copy_file, get_model_file, set_model_file

Project = Any  # the suite's, which has no types
SUITE_FOLDER = Path(next(iter(dbt.tests.adapter.__path__)))

# module below dbt.tests.adapter: its classes
UNCHANGED = {
    "aliases.test_aliases": "BaseAliases BaseAliasErrors BaseSameAliasDifferentSchemas",
    "basic.test_adapter_methods": "BaseAdapterMethod",
    "basic.test_base": "BaseSimpleMaterializations",
    "basic.test_empty": "BaseEmpty",
    "basic.test_ephemeral": "BaseEphemeral",
    "basic.test_generic_tests": "BaseGenericTests",
    "basic.test_incremental": "BaseIncremental BaseIncrementalNotSchemaChange BaseIncrementalBadStrategy",
    "basic.test_singular_tests": "BaseSingularTests",
    "basic.test_singular_tests_ephemeral": "BaseSingularTestsEphemeral",
    "basic.test_table_materialization": "BaseTableMaterialization",
    "basic.test_validate_connection": "BaseValidateConnection",
    "caching.test_caching": (
        "BaseCachingLowercaseModel BaseCachingUppercaseModel BaseCachingSelectedSchemaOnly BaseNoPopulateCache"
    ),
    "concurrency.test_concurrency": "BaseConcurrency",
    "constraints.test_constraints": (
        "BaseTableContractSqlHeader BaseIncrementalContractSqlHeader BaseIncrementalForeignKeyConstraint"
    ),
    "dbt_clone.test_dbt_clone": "TestPostgresCloneNotPossible BaseCloneNotPossible BaseCloneSameTargetAndState",
    "dbt_debug.test_dbt_debug": "BaseDebugPostgres BaseDebugInvalidProjectPostgres",
    "dbt_show.test_dbt_show": "BaseShowLimit BaseShowDoesNotHandleDoubleLimit",
    "empty.test_empty": "BaseTestEmpty BaseTestEmptyInlineSourceRef MetadataWithEmptyFlag",
    "ephemeral.test_ephemeral": "BaseEphemeralErrorHandling",
    "functions.test_udfs": (
        "ErrorForUnsupportedType PythonUDFNotSupported PythonUDFRuntimeVersionRequired PythonUDFEntryPointRequired"
    ),
    "grants.test_incremental_grants": "BaseIncrementalGrants",
    "grants.test_invalid_grants": "BaseInvalidGrants",
    "grants.test_model_grants": "BaseModelGrants",
    "grants.test_seed_grants": "BaseSeedGrants",
    "grants.test_snapshot_grants": "BaseSnapshotGrants",
    "hooks.test_model_hooks": (
        "BasePrePostModelHooksOnSeeds BaseHooksRefsOnSeeds BasePrePostModelHooksOnSeedsPlusPrefixed "
        "BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace BasePrePostModelHooksOnSnapshots "
        "BasePrePostSnapshotHooksInConfigKwargs BaseDuplicateHooksInConfigs"
    ),
    "hooks.test_run_hooks": "BaseAfterRunHooks",
    "incremental.test_incremental_merge_exclude_columns": "BaseMergeExcludeColumns",
    "incremental.test_incremental_microbatch": "BaseMicrobatch",
    "incremental.test_incremental_on_schema_change": "BaseIncrementalOnSchemaChange",
    "incremental.test_incremental_predicates": "BaseIncrementalPredicates TestPredicatesDeleteInsert",
    "incremental.test_incremental_unique_id": "BaseIncrementalUniqueKey",
    "persist_docs.test_persist_docs": (
        "BasePersistDocs BasePersistDocsColumnMissing BasePersistDocsAllColumnsMissing "
        "BasePersistDocsQuotedColumnCaseSensitive BasePersistDocsCommentOnQuotedColumn"
    ),
    "query_comment.test_query_comment": (
        "BaseQueryComments BaseMacroQueryComments BaseMacroArgsQueryComments BaseMacroInvalidQueryComments "
        "BaseNullQueryComments BaseEmptyQueryComments"
    ),
    "relations.test_changing_relation_type": "BaseChangeRelationTypeValidator",
    "relations.test_dropping_schema_named": "BaseDropSchemaNamed",
    "sample_mode.test_sample_mode": "BaseSampleModeTest",
    "simple_copy.test_simple_copy": "SimpleCopyBase EmptyModelsArentRunBase",
    "simple_seed.test_seed": (
        "BaseBasicSeedTests BaseSeedConfigFullRefreshOn BaseSeedConfigFullRefreshOff BaseSeedCustomSchema "
        "BaseSeedWithUniqueDelimiter BaseSeedWithWrongDelimiter BaseSeedWithEmptyDelimiter "
        "BaseSimpleSeedEnabledViaConfig BaseSeedParsing BaseSeedSpecificFormats BaseTestEmptySeed"
    ),
    "simple_snapshot.new_record_check_mode": "BaseSnapshotNewRecordCheckMode",
    "simple_snapshot.new_record_dbt_valid_to_current": "BaseSnapshotNewRecordDbtValidToCurrent",
    "simple_snapshot.new_record_timestamp_mode": "BaseSnapshotNewRecordTimestampMode",
    "simple_snapshot.test_ephemeral_snapshot_hard_deletes": (
        "BaseSnapshotEphemeralHardDeletes BaseSnapshotNewColumnTimestampStrategy "
        "BaseSnapshotNewColumnSpecificCheckCols BaseSnapshotNewColumnWithDeletes"
    ),
    "simple_snapshot.test_snapshot": "BaseSimpleSnapshot BaseSnapshotCheck",
    "simple_snapshot.test_various_configs": (
        "BaseSnapshotColumnNames BaseSnapshotColumnNamesFromDbtProject BaseSnapshotInvalidColumnNames "
        "BaseSnapshotDbtValidToCurrent BaseSnapshotMultiUniqueKey"
    ),
    "store_test_failures_tests.basic": (
        "StoreTestFailuresAsInteractions StoreTestFailuresAsProjectLevelOff StoreTestFailuresAsProjectLevelView "
        "StoreTestFailuresAsProjectLevelEphemeral StoreTestFailuresAsGeneric StoreTestFailuresAsExceptions"
    ),
    "store_test_failures_tests.test_store_test_failures": "BaseStoreTestFailures BaseStoreTestFailuresLimit",
    "unit_testing.test_case_insensitivity": "BaseUnitTestCaseInsensivity",
    "unit_testing.test_invalid_input": "BaseUnitTestInvalidInput",
    "unit_testing.test_quoted_reserved_word_column_names": "BaseUnitTestQuotedReservedWordColumnNames",
    "unit_testing.test_types": "BaseUnitTestingVarcharFixtureNoTruncation",
    "utils.data_types.test_type_bigint": "BaseTypeBigInt",
    "utils.data_types.test_type_boolean": "BaseTypeBoolean",
    "utils.data_types.test_type_float": "BaseTypeFloat",
    "utils.data_types.test_type_int": "BaseTypeInt",
    "utils.data_types.test_type_numeric": "BaseTypeNumeric",
    "utils.data_types.test_type_timestamp": "BaseTypeTimestamp",
    "utils.test_any_value": "BaseAnyValue",
    "utils.test_array_append": "BaseArrayAppend",
    "utils.test_array_concat": "BaseArrayConcat",
    "utils.test_array_construct": "BaseArrayConstruct",
    "utils.test_bool_or": "BaseBoolOr",
    "utils.test_cast": "BaseCast",
    "utils.test_cast_bool_to_text": "BaseCastBoolToText",
    "utils.test_concat": "BaseConcat",
    "utils.test_current_timestamp": "BaseCurrentTimestampNaive",
    "utils.test_date": "BaseDate",
    "utils.test_date_spine": "BaseDateSpine",
    "utils.test_date_trunc": "BaseDateTrunc",
    "utils.test_dateadd": "BaseDateAdd",
    "utils.test_datediff": "BaseDateDiff",
    "utils.test_equals": "BaseEquals",
    "utils.test_escape_single_quotes": "BaseEscapeSingleQuotesBackslash BaseEscapeSingleQuotesQuote",
    "utils.test_except": "BaseExcept",
    "utils.test_generate_series": "BaseGenerateSeries",
    "utils.test_get_intervals_between": "BaseGetIntervalsBetween",
    "utils.test_get_powers_of_two": "BaseGetPowersOfTwo",
    "utils.test_hash": "BaseHash",
    "utils.test_intersect": "BaseIntersect",
    "utils.test_last_day": "BaseLastDay",
    "utils.test_length": "BaseLength",
    "utils.test_listagg": "BaseListagg",
    "utils.test_null_compare": "BaseMixedNullCompare BaseNullCompare",
    "utils.test_position": "BasePosition",
    "utils.test_replace": "BaseReplace",
    "utils.test_right": "BaseRight",
    "utils.test_safe_cast": "BaseSafeCast",
    "utils.test_source_freshness_custom_info": "BaseCalculateFreshnessMethod",
    "utils.test_split_part": "BaseSplitPart",
    "utils.test_string_literal": "BaseStringLiteral",
    "utils.test_validate_sql": "BaseValidateSqlMethod",
}

# why: what
LEFT_OUT = {
    "Redshift has no copy of a table that shares its data (dbt-redshift: can_clone_table() is false)": (
        "BaseClonePossible BaseCloneSameSourceAndTarget"
    ),
    "dbt-redshift does not implement get_catalog_for_single_relation": "BaseGetCatalogForSingleRelation",
    "Redshift has no functions in JavaScript, and dbt-redshift no macro for them": (
        "BasicJSUDF JSUDFMultiLineBody JSUDFDeterministicVolatility JSUDFNonDeterministicVolatility "
        "JSUDFStableVolatilityWarns JSUDFDefaultArgSupport BasicJSAggregateUDF JSAggregateUDFVolatilityIgnored"
    ),
    "Redshift has no CREATE AGGREGATE, and dbt-redshift no macro for one": (
        "UDAFBase BasicPythonUDAF BasicSQLUDAF PythonUDAFDefaultArgSupport"
    ),
    "dbt-redshift makes no functions in Python: PythonUDFNotSupported is the class that says so": (
        "PythonUDFSupported PythonUDFDefaultArgSupport PythonUDFVolatilitySupport PythonUDFWithPackagesSupported"
    ),
    "dbt-redshift has no models in Python": (
        "BasePythonModelTests BasePythonIncrementalTests BasePythonMetaGetTests BasePythonEmptyTests "
        "BasePythonSampleTests BasePySparkTests"
    ),
    "dbt-core 1.11 has no `dbt seed --empty`": "BaseTestEmptySeedFlag",
    "Redshift's current_timestamp() macro is GETDATE(), without a zone: BaseCurrentTimestampNaive is the class": (
        "BaseCurrentTimestampAware"
    ),
}

# What others are made of: without models, or without the methods that their tests call
ABSTRACT = {
    "BaseArrayUtils", "BaseCachingTest", "BaseConstraintsColumnsEqual", "BaseContractSqlHeader", "BaseCurrentTimestamp",
    "BaseDataTypeMacro", "BaseUtils",
}  # fmt: skip


# Materialized views: how they are looked at is left to the adapter ----------------------------------------------------

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


class MaterializedViewBasic(RedshiftMaterializedViews, SuitesMaterializedViewBasic):
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


class MaterializedViewChangesApply(RedshiftMaterializedViewChanges, MaterializedViewChangesApplyMixin):
    pass


class MaterializedViewChangesContinue(RedshiftMaterializedViewChanges, MaterializedViewChangesContinueMixin):
    pass


class MaterializedViewChangesFail(RedshiftMaterializedViewChanges, MaterializedViewChangesFailMixin):
    pass


# The catalogue --------------------------------------------------------------------------------------------------------


def stat(name: str, label: str, value: object, description: str, *, include: bool = True) -> dict[str, object]:
    return {"id": name, "label": label, "value": value, "description": description, "include": include}


# SVV_TABLE_INFO's, as dbt-redshift words them; how much of a disk a table uses is not known here
TABLE_STATS = {
    item["id"]: item
    for item in (
        stat("has_stats", "Has Stats?", True, "Indicates whether there are statistics for this table", include=False),
        stat(
            "encoded",
            "Encoded",
            AnyStringWith("Y"),
            "Indicates whether any column in the table has compression encoding defined.",
        ),
        stat(
            "diststyle",
            "Dist Style",
            AnyStringWith("AUTO"),
            "Distribution style or distribution key column, if key distribution is defined.",
        ),
        stat("max_varchar", "Max Varchar", AnyInteger(), "Size of the largest column that uses a VARCHAR data type."),
        stat(
            "size",
            "Approximate Size",
            AnyInteger(),
            "Approximate size of the table, calculated from a count of 1MB blocks",
        ),
        stat("sortkey1", "Sort Key 1", AnyString(), "First column in the sort key."),
        stat("pct_used", "Disk Utilization", None, "Percent of available space that is used by the table."),
        stat(
            "stats_off",
            "Stats Off",
            0.0,
            "Number that indicates how stale the table statistics are; 0 is current, 100 is out of date.",
        ),
        stat(
            "rows",
            "Approximate Row Count",
            1.0,
            "Approximate number of rows in the table. This value includes rows marked for deletion, but not yet "
            "vacuumed.",
        ),
    )
}
CATALOGUE_TYPES = {
    "id_type": "integer",
    "text_type": AnyStringWith("character varying"),
    "time_type": "timestamp without time zone",
    "view_type": "VIEW",
    "table_type": "BASE TABLE",
}


class DocsGenerate(BaseDocsGenerate):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project: Project, profile_user: str) -> dict[str, Any]:
        return base_expected_catalog(
            project, role=profile_user, model_stats=no_stats(), seed_stats=TABLE_STATS, **CATALOGUE_TYPES
        )


class DocsGenReferences(BaseDocsGenReferences):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project: Project, profile_user: str) -> dict[str, Any]:
        return expected_references_catalog(
            project,
            role=profile_user,
            bigint_type="bigint",
            model_stats=TABLE_STATS,
            seed_stats=TABLE_STATS,
            view_summary_stats=no_stats(),
            **CATALOGUE_TYPES,
        )


class CatalogRelationTypes(SuitesCatalogRelationTypes):
    pass


# Columns and their types ----------------------------------------------------------------------------------------------


class ColumnTypes(BasePostgresColumnTypes):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        """Every name of a type that Redshift has and the suite's macro knows."""
        kinds = {
            "['integer', 'number']": "smallint int bigint int2 int4 int8 integer",
            "['float', 'number']": "real float4 float8 float double",
            "['numeric', 'number']": "numeric decimal",
            "['string', 'not number']": "varchar text char",
        }
        columns = [(name, kind) for kind, names in kinds.items() for name in names.split()]
        casts = ",".join(f"1::{'double precision' if name == 'double' else name} as {name}_col" for name, _ in columns)
        expected = "".join(f"            {name}_col: {kind}\n" for name, kind in columns)
        tests = f"models:\n  - name: model\n    data_tests:\n      - is_type:\n          column_map:\n{expected}"
        return {"model.sql": f"select {casts}", "schema.yml": tests}


class TypeString(BaseTypeString):
    def assert_columns_equal(self, project: Project, expected_cols: Any, actual_cols: Any) -> None:  # noqa: ANN401
        """A seed's texts are as long as its longest one, a query's are not."""
        assert [column[:-1] for column in expected_cols] == [column[:-1] for column in actual_cols]


class UnitTestingTypes(BaseUnitTestingTypes):
    @pytest.fixture
    def data_types(self) -> list[list[str]]:
        """Those of dbt-redshift's own tests: SUPER where the suite has JSON."""
        document = '{"bar": "baz", "balance": 7.77, "active": false}'
        return [
            ["1", "1"],
            ["1.0", "1.0"],
            ["'1'", "1"],
            ["'1'::numeric", "1"],
            ["'string'", "string"],
            ["true", "true"],
            ["DATE '2020-01-02'", "2020-01-02"],
            ["TIMESTAMP '2013-11-03 00:00:00-0'", "2013-11-03 00:00:00-0"],
            ["TIMESTAMPTZ '2013-11-03 00:00:00-0'", "2013-11-03 00:00:00-0"],
            [f"JSON_PARSE('{document}')", f"'{document}'"],
        ]


class CurrentTimestamps(BaseCurrentTimestamps):
    @pytest.fixture(scope="class")
    def expected_schema(self) -> dict[str, str]:
        without_zone = "timestamp without time zone"
        return {
            "current_timestamp": without_zone,
            "current_timestamp_in_utc_backcompat": without_zone,
            "current_timestamp_backcompat": without_zone,
        }

    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return """
            select getdate() as current_timestamp,
                getdate() as current_timestamp_in_utc_backcompat,
                getdate() as current_timestamp_backcompat
        """


class RedshiftColumnsEqual:
    @pytest.fixture
    def data_types(self, schema_int_type: str, int_type: str, string_type: str) -> list[list[str]]:
        """The suite's, without arrays and JSON."""
        return [
            ["1", schema_int_type, int_type],
            ["'1'", string_type, string_type],
            ["cast('2019-01-01' as date)", "date", "DATE"],
            ["true", "bool", "BOOL"],
            ["'2013-11-03 00:00:00-07'::timestamptz", "timestamptz", "TIMESTAMPTZ"],
            ["'2013-11-03 00:00:00-07'::timestamp", "timestamp", "TIMESTAMP"],
            ["'1'::numeric", "numeric", "NUMERIC"],
        ]


class TableConstraintsColumnsEqual(RedshiftColumnsEqual, BaseTableConstraintsColumnsEqual):
    pass


class ViewConstraintsColumnsEqual(RedshiftColumnsEqual, BaseViewConstraintsColumnsEqual):
    pass


class IncrementalConstraintsColumnsEqual(RedshiftColumnsEqual, BaseIncrementalConstraintsColumnsEqual):
    pass


# Constraints: Redshift has no CHECK -----------------------------------------------------------------------------------


class RedshiftRollback:
    @pytest.fixture(scope="class")
    def expected_error_messages(self) -> list[str]:
        return ["Cannot insert a NULL value into column id"]


class ConstraintsRollback(RedshiftRollback, BaseConstraintsRollback):
    pass


class IncrementalConstraintsRollback(RedshiftRollback, BaseIncrementalConstraintsRollback):
    pass


def created_and_filled(columns: str, names: str, values: str, comment: str = "") -> str:
    """What dbt-redshift makes of a model with a contract."""
    return f"""
        create table <model_identifier> ({columns});
        insert into <model_identifier> (select {names} from ({comment} select {values}) as model_subq);
    """  # noqa: S608 - compared, not run


DEPENDS_ON = "-- depends_on: <foreign_key_model_identifier>"
VALUES = "'blue' as color, 1 as id, '2019-01-01' as date_day"


class RedshiftDdl:
    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return created_and_filled(
            "id integer not null primary key references <foreign_key_model_identifier> (id) unique, "
            "color text, date_day text",
            "id, color, date_day",
            VALUES,
            DEPENDS_ON,
        )


class ConstraintsRuntimeDdlEnforcement(RedshiftDdl, BaseConstraintsRuntimeDdlEnforcement):
    pass


class IncrementalConstraintsRuntimeDdlEnforcement(RedshiftDdl, BaseIncrementalConstraintsRuntimeDdlEnforcement):
    pass


class ModelConstraintsRuntimeEnforcement(BaseModelConstraintsRuntimeEnforcement):
    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return created_and_filled(
            "id integer not null, color text, date_day text, primary key (id), "
            "constraint strange_uniqueness_requirement unique (color, date_day), "
            "foreign key (id) references <foreign_key_model_identifier> (id)",
            "id, color, date_day",
            VALUES,
            DEPENDS_ON,
        )


class ConstraintQuotedColumn(BaseConstraintQuotedColumn):
    @pytest.fixture(scope="class")
    def expected_sql(self) -> str:
        return created_and_filled(
            'id integer not null, "from" text not null, date_day text',
            'id, "from", date_day',
            "'blue' as \"from\", 1 as id, '2019-01-01' as date_day",
        )


# Seeds and snapshots: texts are as long as a seed's longest one, unless a type is given -------------------------------

ADDED_SEED = """
seeds:
  - name: added
    config:
      column_types: {name: varchar(64)}
"""


class SnapshotCheckCols(BaseSnapshotCheckCols):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {"base.csv": seeds_base_csv, "added.csv": seeds_added_csv, "seeds.yml": ADDED_SEED}


class SnapshotTimestamp(BaseSnapshotTimestamp):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        return {
            "base.csv": seeds_base_csv,
            "added.csv": seeds_added_csv,
            "newcolumns.csv": seeds_newcolumns_csv,
            "seeds.yml": ADDED_SEED,
        }


class SimpleSeedColumnOverride(BaseSimpleSeedColumnOverride):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        types = {
            "seed_enabled": {"birthday": "date", "seed_id": "character varying(256)"},
            "seed_tricky": {
                "seed_id": "integer",
                "seed_id_str": "character varying(256)",
                "a_bool": "boolean",
                "looks_like_a_bool": "character varying(256)",
                "a_date": "timestamp without time zone",
                "looks_like_a_date": "character varying(256)",
                "relative": "character varying(9)",
                "weekday": "character varying(8)",
            },
        }
        properties = "seeds:\n"
        for seed, columns in types.items():
            properties += f"  - name: {seed}\n    columns:\n"
            for column, data_type in columns.items():
                properties += (
                    f"      - name: {column}\n        data_tests: [{{column_type: {{type: '{data_type}'}}}}]\n"
                )
        return {"schema.yml": properties}


class SimpleSeedWithBOM(BaseSimpleSeedWithBOM):
    @pytest.fixture(scope="class", autouse=True)
    def setUp(self, project: Project) -> None:
        """The seed lies beside the suite's module, not beside this one."""
        project.run_sql(seeds__expected_sql)
        copy_file(SUITE_FOLDER / "simple_seed", "seed_bom.csv", Path(project.project_root, "seeds", "seed_bom.csv"), "")


class SimpleCopyUppercase(BaseSimpleCopyUppercase):
    @pytest.fixture(scope="class")
    def dbt_profile_target(self, redshift_target: dict[str, Any]) -> dict[str, Any]:
        return redshift_target


# Names, and SQL that is compared --------------------------------------------------------------------------------------


class SchemaOfEphemeral:
    @pytest.fixture(scope="class")
    def unique_schema(self, prefix: str) -> str:
        """The name that stands in the SQL that is compared."""
        return f"{prefix}_test_ephemeral"


class SameAliasDifferentDatabases(BaseSameAliasDifferentDatabases):
    @pytest.fixture(scope="class")
    def unique_schema(self, prefix: str) -> str:
        """Short: its model's schema is called by it twice."""
        return prefix


class EphemeralMulti(SchemaOfEphemeral, BaseEphemeralMulti):
    pass


class EphemeralNested(SchemaOfEphemeral, BaseEphemeralNested):
    pass


SQL_HEADER = """
{{ config(materialized = "table") }}
{% call set_sql_header(config) %}
create temporary table _variables as (select '89' as my_variable);
{% endcall %}
select my_variable from _variables
"""


class ShowSqlHeader(BaseShowSqlHeader):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        """Redshift has no session variables."""
        return {"sql_header.sql": SQL_HEADER}


# Functions: their arguments have no names on Redshift -----------------------------------------------------------------


class RedshiftFunction:
    @pytest.fixture(scope="class")
    def functions(self) -> dict[str, str]:
        return {"price_for_xlarge.sql": "select $1 * 2", "price_for_xlarge.yml": MY_UDF_YML}


class UDFsBasic(RedshiftFunction, SuitesUDFsBasic):
    def check_function_volatility(self, sql: str) -> None:
        """Redshift's own default, which it wants to be told."""
        assert "VOLATILE" in sql


class DeterministicUDF(RedshiftFunction, SuitesDeterministicUDF):
    pass


class StableUDF(RedshiftFunction, SuitesStableUDF):
    pass


class NonDeterministicUDF(RedshiftFunction, SuitesNonDeterministicUDF):
    pass


class CanFindScalarFunctionRelation(RedshiftFunction, SuitesCanFindScalarFunctionRelation):
    pass


class SqlUDFDefaultArgSupport(SuitesSqlUDFDefaultArgSupport):
    @pytest.fixture(scope="class")
    def functions(self) -> dict[str, str]:
        return {"price_for_xlarge.sql": "select $1 * 2", "price_for_xlarge.yml": MY_UDF_WITH_DEFAULT_ARG_YML}


# Hooks: what they write down of their target --------------------------------------------------------------------------


class RedshiftHooks:
    @pytest.fixture(scope="class")
    def test_data_dir(self) -> Path:
        return SUITE_FOLDER / "hooks" / "data"

    def check_hooks(self, state: str, project: Project, host: str, count: int = 1) -> None:
        contexts = self.contexts(state, project, count)
        for context in contexts:
            expected = {
                "test_state": state,
                "target_dbname": project.database,
                "target_host": host,
                "target_name": "default",
                "target_schema": project.test_schema,
                "target_threads": 4,
                "target_type": "redshift",
                "target_user": "dbt",
                "target_pass": "",
            }
            assert {name: context[name] for name in expected} == expected
            assert context["run_started_at"]
            assert context["invocation_id"]
            assert context["thread_id"].startswith(("Thread-", "MainThread"))

    def contexts(self, state: str, project: Project, count: int) -> list[dict[str, Any]]:
        return list(self.get_ctx_vars(state, count=count, project=project))  # type: ignore[attr-defined]


class PrePostModelHooks(RedshiftHooks, BasePrePostModelHooks):
    pass


class PrePostModelHooksUnderscores(RedshiftHooks, TestPrePostModelHooksUnderscores):
    pass


class HookRefs(RedshiftHooks, BaseHookRefs):
    pass


class PrePostModelHooksInConfig(RedshiftHooks, BasePrePostModelHooksInConfig):
    pass


class PrePostModelHooksInConfigWithCount(RedshiftHooks, BasePrePostModelHooksInConfigWithCount):
    pass


class PrePostModelHooksInConfigKwargs(RedshiftHooks, BasePrePostModelHooksInConfigKwargs):
    pass


class PrePostRunHooks(RedshiftHooks, BasePrePostRunHooks):
    def contexts(self, state: str, project: Project, count: int) -> list[dict[str, Any]]:
        return [self.get_ctx_vars(state, project)]


# Names that keep their case -------------------------------------------------------------------------------------------


class PersistDocsQuotedDescriptionNotAppliedOnMismatch(BasePersistDocsQuotedDescriptionNotAppliedOnMismatch):
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        """Without the parameter, Redshift takes the two names for one."""
        hook = "set enable_case_sensitive_identifier to true"
        return {"models": {"test": {"+persist_docs": {"columns": True}, "+pre-hook": hook}}}


# Grants to groups and roles, too: the adapter's flag, with which it names the kind of each grantee --------------------


class ExtendedGrants:
    @pytest.fixture(scope="class")
    def project_config_update(self) -> dict[str, Any]:
        return {"flags": {"redshift_grants_extended": True}}

    def assert_expected_grants_match_actual(
        self, project: Project, relation_name: str, expected_grants: dict[str, list[str]]
    ) -> None:
        named = {privilege: [f"user:{name}" for name in names] for privilege, names in expected_grants.items()}
        super().assert_expected_grants_match_actual(project, relation_name, named)  # type: ignore[misc]


class ModelGrantsExtended(ExtendedGrants, BaseModelGrants):
    pass


class IncrementalGrantsExtended(ExtendedGrants, BaseIncrementalGrants):
    pass


class SeedGrantsExtended(ExtendedGrants, BaseSeedGrants):
    pass


class SnapshotGrantsExtended(ExtendedGrants, BaseSnapshotGrants):
    pass


# With `datasharing`, the adapter reads the catalogue by SHOW ----------------------------------------------------------


class WithDatasharing:
    @pytest.fixture(scope="class")
    def dbt_profile_target(self, redshift_target: dict[str, Any]) -> dict[str, Any]:
        return redshift_target | {"datasharing": True}


class SimpleMaterializationsWithDatasharing(WithDatasharing, BaseSimpleMaterializations):
    pass


class ModelGrantsWithDatasharing(WithDatasharing, ExtendedGrants, BaseModelGrants):
    pass


class IncrementalGrantsWithDatasharing(WithDatasharing, ExtendedGrants, BaseIncrementalGrants):
    pass


class SeedGrantsWithDatasharing(WithDatasharing, ExtendedGrants, BaseSeedGrants):
    pass


class SnapshotGrantsWithDatasharing(WithDatasharing, ExtendedGrants, BaseSnapshotGrants):
    pass


class PersistDocsWithDatasharing(WithDatasharing, BasePersistDocs):
    pass


class CatalogRelationTypesWithDatasharing(WithDatasharing, SuitesCatalogRelationTypes):
    pass


class UDFsBasicWithDatasharing(WithDatasharing, UDFsBasic):
    pass


# ----------------------------------------------------------------------------------------------------------------------


def suites_classes() -> dict[str, type]:
    """The classes of the installed suite that have tests, by name: all but its own runs of them on another database."""
    found: dict[str, type] = {}
    for file in sorted(SUITE_FOLDER.rglob("*.py")):
        module = ".".join(file.relative_to(SUITE_FOLDER).with_suffix("").parts)
        for name, member in vars(importlib.import_module(f"dbt.tests.adapter.{module}")).items():
            if inspect.isclass(member) and member.__module__ == f"dbt.tests.adapter.{module}" and _has_tests(member):
                if name.lower().startswith("test") and not _has_own_members(member):
                    continue
                assert name not in found, f"two classes are called {name}"
                found[name] = member
    return found


def _has_tests(member: type) -> bool:
    return any(name.startswith("test_") and callable(getattr(member, name)) for name in dir(member))


def _has_own_members(member: type) -> bool:
    return any(not name.startswith("__") for name in vars(member))


def configured_classes() -> Iterator[tuple[str, type]]:
    """Every class that is set up for Redshift, with a name of its own."""
    for module, names in UNCHANGED.items():
        loaded = importlib.import_module(f"dbt.tests.adapter.{module}")
        yield from ((name, getattr(loaded, name)) for name in names.split())
    for name, member in list(globals().items()):
        own = inspect.isclass(member) and member.__module__ == __name__ and not name.startswith("Redshift")
        if own and any(_is_suites(base) for base in _bases(member)):
            yield name, member


def covered_by(member: type) -> set[str]:
    """The suite's class that a configured one is, or is made of."""
    if _is_suites(member):
        return {member.__name__}
    return {base.__name__ for base in _bases(member) if _is_suites(base)}


def _is_suites(member: type) -> bool:
    return member.__module__.startswith("dbt.tests.adapter.")


def _bases(member: type) -> Iterator[type]:
    """What a class is made of, down to the suite's."""
    for base in member.__bases__:
        yield base
        if not _is_suites(base):
            yield from _bases(base)
