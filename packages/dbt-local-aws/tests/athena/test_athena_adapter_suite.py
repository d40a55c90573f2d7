"""dbt's public suite for adapters, all of it, run against the endpoint by the unmodified dbt-athena with four threads.

By default a few classes run, which between them take most ways through the adapter; `ALL=1` runs
every one. What does not apply to Athena is listed in `NOT_APPLICABLE`, and nothing is neither run nor listed.
"""
# ruff: noqa: E501, S608 - a model a line; the statements are the tests' own
# The suite has no types, and its fixtures replace each other by name.
# mypy: disable-error-code="attr-defined, no-redef, no-untyped-call"

from __future__ import annotations

import inspect
import os
import re
import uuid
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import dbt.tests.adapter
import pytest
import sqlglot
import yaml
from dbt.adapters.base import BaseAdapter
from dbt.adapters.sql import SQLAdapter
from dbt.contracts.results import CatalogArtifact
from dbt.tests.adapter.aliases import test_aliases as aliases
from dbt.tests.adapter.basic import test_docs_generate as docs_generate
from dbt.tests.adapter.basic import test_incremental as basic_incremental
from dbt.tests.adapter.basic import test_snapshot_check_cols as snapshot_check_cols
from dbt.tests.adapter.basic import test_snapshot_timestamp as snapshot_timestamp
from dbt.tests.adapter.basic.expected_catalog import base_expected_catalog, expected_references_catalog, no_stats
from dbt.tests.adapter.catalog import files as catalog_files
from dbt.tests.adapter.catalog import relation_types
from dbt.tests.adapter.column_types import test_column_types as column_types
from dbt.tests.adapter.constraints import test_constraints as constraints
from dbt.tests.adapter.dbt_show import test_dbt_show as dbt_show
from dbt.tests.adapter.empty import test_empty as empty
from dbt.tests.adapter.ephemeral import test_ephemeral as ephemeral
from dbt.tests.adapter.hooks import test_model_hooks as model_hooks
from dbt.tests.adapter.hooks import test_run_hooks as run_hooks
from dbt.tests.adapter.incremental import test_incremental_merge_exclude_columns as merge_exclude_columns
from dbt.tests.adapter.incremental import test_incremental_microbatch as microbatch
from dbt.tests.adapter.incremental import test_incremental_predicates as predicates
from dbt.tests.adapter.incremental import test_incremental_unique_id as unique_id
from dbt.tests.adapter.persist_docs import test_persist_docs as persist_docs
from dbt.tests.adapter.query_comment import test_query_comment as query_comment
from dbt.tests.adapter.sample_mode import test_sample_mode as sample_mode
from dbt.tests.adapter.simple_copy import test_copy_uppercase as copy_uppercase
from dbt.tests.adapter.simple_copy import test_simple_copy as simple_copy
from dbt.tests.adapter.simple_seed import seeds as seed_files
from dbt.tests.adapter.simple_seed import test_seed as simple_seed
from dbt.tests.adapter.simple_seed import test_seed_type_override as seed_type_override
from dbt.tests.adapter.simple_snapshot import new_record_check_mode, new_record_timestamp_mode, test_various_configs
from dbt.tests.adapter.simple_snapshot import test_ephemeral_snapshot_hard_deletes as ephemeral_snapshots
from dbt.tests.adapter.simple_snapshot import test_snapshot as simple_snapshot
from dbt.tests.adapter.unit_testing import test_types as unit_test_types
from dbt.tests.adapter.utils import (
    test_array_concat,
    test_date_spine,
    test_datediff,
    test_get_intervals_between,
    test_null_compare,
)
from dbt.tests.adapter.utils.data_types import test_type_numeric
from dbt.tests.adapter.utils.test_hash import BaseHash
from dbt.tests.adapter.utils.test_split_part import BaseSplitPart
from dbt.tests.fixtures.project import *  # noqa: F403 - its fixtures; as a plugin it would have to come before the suite
from dbt.tests.fixtures.project import TestProjInfo
from dbt.tests.util import TestProcessingException, check_relations_equal, run_dbt
from dbt_common.exceptions import DbtRuntimeError
from sqlglot import exp

from dbt_local_aws.testing import EVERYTHING
from dbt_local_aws.testing.athena import Client

pytestmark = pytest.mark.filterwarnings("ignore")  # those of dbt, its adapter and its suite

PREFIX = "dbt.tests.adapter."
TestProcessingException.__test__ = False


# -------------------- the suite


def suite_tests() -> dict[tuple[str, str], type]:
    """Every test method of the installed suite, with the class that has it.

    The names are `module.Class`, without the suite's own. Classes that only run another one on PostgreSQL are left out:
    they are called Test…, and define nothing.
    """
    root = Path(next(iter(dbt.tests.adapter.__path__)))
    found = {}
    for path in sorted(root.rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        if path.stem == "__init__":
            continue
        for cls in vars(import_module(PREFIX + name)).values():
            if not inspect.isclass(cls) or cls.__module__ != PREFIX + name or cls.__name__.startswith("Test"):
                continue
            for method in methods_of(cls):
                found[f"{name}.{cls.__name__}", method] = cls
    return found


def methods_of(cls: type) -> list[str]:
    """The names of the tests that pytest would find in a class."""
    return [name for name in dir(cls) if name.startswith("test_") and inspect.isfunction(getattr(cls, name))]


def runs(own: type, cls: type, method: str) -> bool:
    """Whether a class of ours runs a test of the suite's class: as it is there, or as we have rewritten it."""
    if not issubclass(own, cls) or method not in methods_of(own):
        return False
    definer = next(base for base in own.__mro__ if method in vars(base))
    return not definer.__module__.startswith(PREFIX) or getattr(own, method) is getattr(cls, method)


# -------------------- PostgreSQL in Athena's words

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?")


def _hive_type(kind: exp.DataType) -> str:
    """A column's type in an Iceberg table's definition, which knows texts of any length only."""
    return "string" if kind.is_type(*exp.DataType.TEXT_TYPES) else kind.sql("hive").lower()


def _columns(definitions: list[exp.ColumnDef]) -> str:
    return ", ".join(f"`{column.name.lower()}` {_hive_type(column.kind)}" for column in definitions if column.kind)


def _target(statement: exp.Expr) -> str:
    """Schema and name of the table that a statement is about, as Hive's grammar wants them."""
    table = statement.find(exp.Table)
    assert table
    return ".".join(f"`{part.name}`" for part in table.parts[-2:])


def in_athenas_words(sql: str, folder: str) -> list[str]:
    """What a user of Athena would write for the statements that a test of the suite prepares its data with.

    One statement a request; tables become Iceberg's, which can be changed; a table's place is named, and no catalogue;
    texts are not taken for timestamps. Queries stay as they are.
    """
    return [
        _in_athenas_words(tree, f"{folder}{uuid.uuid4()}/") or sql for tree in sqlglot.parse(sql, "postgres") if tree
    ]


def _in_athenas_words(tree: exp.Expr, location: str) -> str:
    kind = str(tree.args.get("kind") or "")
    if isinstance(tree, exp.Create) and kind == "TABLE" and isinstance(tree.this, exp.Schema):
        properties = "tblproperties ('table_type' = 'ICEBERG')"
        return f"create table {_target(tree)} ({_columns(tree.this.expressions)}) location '{location}' {properties}"
    if isinstance(tree, exp.Create) and kind == "TABLE":
        properties = f"table_type = 'ICEBERG', is_external = false, location = '{location}'"
        return f"create table {tree.this.sql('trino')} with ({properties}) as {tree.expression.sql('trino')}"
    if isinstance(tree, exp.Alter):
        added = [action for action in tree.args["actions"] if isinstance(action, exp.ColumnDef)]
        return f"alter table {_target(tree)} add columns ({_columns(added)})"
    if isinstance(tree, exp.Drop):
        return f"drop {kind} if exists {_target(tree)}{' cascade' if kind == 'SCHEMA' else ''}"
    if isinstance(tree, (exp.Insert, exp.Update)):
        for text in tree.find_all(exp.Literal):
            if text.is_string and _TIMESTAMP.fullmatch(text.name):
                text.replace(sqlglot.parse_one(f"timestamp '{text.name}'", read="trino"))
        return tree.sql("trino")
    return ""


def merge(into: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Both settings; where they differ, those of `more`."""
    both = {
        key: merge(into[key], value) if isinstance(value, dict) and isinstance(into.get(key), dict) else value
        for key, value in more.items()
    }
    return {**into, **both}


def without(*methods: str) -> Callable[[type], type]:
    """A class of the suite without these of its tests; `NOT_APPLICABLE` has the reasons."""

    def leave_out(cls: type) -> type:
        for method in methods:
            setattr(cls, method, None)
        return cls

    return leave_out


class InAthenasWords:
    """To be put before a class of the suite that is written for PostgreSQL.

    Attributes:
        words: What to write in the project's files (regular expression: replacement).
        settings: What to add to dbt_project.yml.
        statements: What to write in the statements that the test itself sends, before they are put into Athena's words.
    """

    words: ClassVar[dict[str, str]] = {}
    settings: ClassVar[dict[str, Any]] = {}
    statements: ClassVar[dict[str, str]] = {}

    @pytest.fixture(scope="class")
    def project(self, project: TestProjInfo, clients: Client) -> Iterator[TestProjInfo]:
        """The project with its files rewritten."""
        for path in Path(project.project_root).rglob("*"):
            if path.suffix in (".sql", ".yml", ".csv") and path.name != "profiles.yml":
                path.write_text(_rewritten(path.read_text(), self.words))
        main = Path(project.project_root) / "dbt_project.yml"
        main.write_text(yaml.safe_dump(merge(yaml.safe_load(main.read_text()), self.settings)))
        folder = f"s3://{clients.bucket}/suite/"
        plain = SQLAdapter.run_sql_for_tests

        def run(adapter: SQLAdapter, sql: str, fetch: str | None, connection: object) -> object:
            answer = None
            for statement in in_athenas_words(_rewritten(sql, self.statements), folder):
                answer = plain(adapter, statement, fetch, connection)
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SQLAdapter, "run_sql_for_tests", run)
            yield project


def _rewritten(text: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        text = re.sub(old, new, text)
    return text


# Hive's tables cannot be changed, Iceberg's can.
ICEBERG: dict[str, Any] = {
    kind: {"+table_type": "iceberg", "+s3_data_naming": "schema_table_unique"}
    for kind in ("models", "seeds", "snapshots")
}


def profile(clients: Client) -> dict[str, Any]:
    return {
        "type": "athena",
        "s3_staging_dir": f"s3://{clients.bucket}/results/",
        "s3_data_dir": f"s3://{clients.bucket}/data/",
        "region_name": os.environ["AWS_REGION"],
        "database": "awsdatacatalog",
        "threads": 4,
        "num_retries": 0,
        "poll_interval": 0.2,
    }


@pytest.fixture(scope="class")
def dbt_profile_target(clients: Client) -> dict[str, Any]:
    return profile(clients)


# -------------------- as they are

_AS_THEY_ARE = {
    "aliases.test_aliases": "BaseAliasErrors",
    "basic.test_adapter_methods": "BaseAdapterMethod",
    "basic.test_base": "BaseSimpleMaterializations",
    "basic.test_empty": "BaseEmpty",
    "basic.test_ephemeral": "BaseEphemeral",
    "basic.test_generic_tests": "BaseGenericTests",
    "basic.test_incremental": "BaseIncremental",
    "basic.test_singular_tests": "BaseSingularTests",
    "basic.test_singular_tests_ephemeral": "BaseSingularTestsEphemeral",
    "basic.test_table_materialization": "BaseTableMaterialization",
    "basic.test_validate_connection": "BaseValidateConnection",
    "caching.test_caching": "BaseCachingLowercaseModel BaseCachingUppercaseModel BaseCachingSelectedSchemaOnly BaseNoPopulateCache",
    "concurrency.test_concurrency": "BaseConcurrency",
    "constraints.test_constraints": "BaseIncrementalForeignKeyConstraint",
    "dbt_clone.test_dbt_clone": "BaseCloneNotPossible BaseCloneSameTargetAndState",
    "dbt_debug.test_dbt_debug": "BaseDebugPostgres BaseDebugInvalidProjectPostgres",
    "dbt_show.test_dbt_show": "BaseShowLimit BaseShowSqlHeader",
    "empty.test_empty": "BaseTestEmpty BaseTestEmptyInlineSourceRef",
    "ephemeral.test_ephemeral": "BaseEphemeralErrorHandling",
    "functions.test_udfs": "ErrorForUnsupportedType PythonUDFNotSupported",
    "hooks.test_model_hooks": "BaseHooksRefsOnSeeds BaseDuplicateHooksInConfigs",
    "incremental.test_incremental_on_schema_change": "BaseIncrementalOnSchemaChange",
    "persist_docs.test_persist_docs": "BasePersistDocsColumnMissing BasePersistDocsAllColumnsMissing BasePersistDocsQuotedColumnCaseSensitive BasePersistDocsCommentOnQuotedColumn",
    "query_comment.test_query_comment": "BaseMacroArgsQueryComments BaseMacroInvalidQueryComments BaseNullQueryComments BaseEmptyQueryComments",
    "relations.test_changing_relation_type": "BaseChangeRelationTypeValidator",
    "relations.test_dropping_schema_named": "BaseDropSchemaNamed",
    "simple_seed.test_seed": "BaseTestEmptySeed",
    "store_test_failures_tests.basic": "StoreTestFailuresAsInteractions StoreTestFailuresAsProjectLevelOff StoreTestFailuresAsProjectLevelView StoreTestFailuresAsProjectLevelEphemeral StoreTestFailuresAsGeneric StoreTestFailuresAsExceptions",
    "store_test_failures_tests.test_store_test_failures": "BaseStoreTestFailures BaseStoreTestFailuresLimit",
    "unit_testing.test_case_insensitivity": "BaseUnitTestCaseInsensivity",
    "unit_testing.test_invalid_input": "BaseUnitTestInvalidInput",
    "unit_testing.test_quoted_reserved_word_column_names": "BaseUnitTestQuotedReservedWordColumnNames",
    "utils.data_types.test_type_bigint": "BaseTypeBigInt",
    "utils.data_types.test_type_boolean": "BaseTypeBoolean",
    "utils.data_types.test_type_float": "BaseTypeFloat",
    "utils.data_types.test_type_int": "BaseTypeInt",
    "utils.data_types.test_type_string": "BaseTypeString",
    "utils.data_types.test_type_timestamp": "BaseTypeTimestamp",
    "utils.test_any_value": "BaseAnyValue",
    "utils.test_array_append": "BaseArrayAppend",
    "utils.test_array_construct": "BaseArrayConstruct",
    "utils.test_bool_or": "BaseBoolOr",
    "utils.test_cast": "BaseCast",
    "utils.test_cast_bool_to_text": "BaseCastBoolToText",
    "utils.test_concat": "BaseConcat",
    "utils.test_current_timestamp": "BaseCurrentTimestampNaive",
    "utils.test_date_trunc": "BaseDateTrunc",
    "utils.test_dateadd": "BaseDateAdd",
    "utils.test_equals": "BaseEquals",
    "utils.test_escape_single_quotes": "BaseEscapeSingleQuotesQuote",
    "utils.test_except": "BaseExcept",
    "utils.test_generate_series": "BaseGenerateSeries",
    "utils.test_get_powers_of_two": "BaseGetPowersOfTwo",
    "utils.test_hash": "BaseHash",
    "utils.test_intersect": "BaseIntersect",
    "utils.test_last_day": "BaseLastDay",
    "utils.test_length": "BaseLength",
    "utils.test_listagg": "BaseListagg",
    "utils.test_position": "BasePosition",
    "utils.test_replace": "BaseReplace",
    "utils.test_right": "BaseRight",
    "utils.test_safe_cast": "BaseSafeCast",
    "utils.test_source_freshness_custom_info": "BaseCalculateFreshnessMethod",
    "utils.test_string_literal": "BaseStringLiteral",
    "utils.test_validate_sql": "BaseValidateSqlMethod",
}

for _path, _names in _AS_THEY_ARE.items():
    for _name in _names.split():
        _base = getattr(import_module(PREFIX + _path), _name)
        globals()[f"Test{_name.removeprefix('Base')}"] = type(
            f"Test{_name.removeprefix('Base')}", (_base,), {"__module__": __name__}
        )


class TestHashWithPyAthena(BaseHash):
    """The adapter's other connection manager."""

    @pytest.fixture(scope="class")
    def dbt_profile_target(self, clients: Client) -> dict[str, Any]:
        return {**profile(clients), "connection_manager": "pyathena"}


class TestSplitPart(InAthenasWords, BaseSplitPart):
    """dbt-athena has no macro of its own, and Athena does not count parts from the end."""

    words: ClassVar = {r"'split_on', -1\)": "'split_on', 3)"}


# -------------------- names and catalogue


class _Aliases(InAthenasWords):
    words: ClassVar = {r"'\{\{ s \}\}'::text": "cast('{{ s }}' as varchar)"}


class TestAliases(_Aliases, aliases.BaseAliases):
    pass


class TestSameAliasDifferentSchemas(_Aliases, aliases.BaseSameAliasDifferentSchemas):
    pass


class TestSameAliasDifferentDatabases(_Aliases, aliases.BaseSameAliasDifferentDatabases):
    pass


def _as_athena_has_it(catalog: dict[str, Any]) -> dict[str, Any]:
    """Athena leaves a comment of its own with every view in Glue, and dbt-athena counts columns from 0."""
    for node in [*catalog["nodes"].values(), *catalog["sources"].values()]:
        if node["metadata"]["type"] == "view":
            node["metadata"]["comment"] = "Presto View"
        # Copies: nodes share their columns.
        node["columns"] = {
            name: {**column, "index": column["index"] - 1} if isinstance(column["index"], int) else column
            for name, column in node["columns"].items()
        }
    return catalog


# Athena tells neither owners nor statistics, and calls types as Glue does.
def _catalog(project: TestProjInfo) -> dict[str, Any]:
    return {
        "project": project,
        "role": None,
        "id_type": "int",
        "text_type": "string",
        "time_type": "timestamp",
        "view_type": "view",
        "table_type": "table",
        "model_stats": no_stats(),
    }


class TestDocsGenerate(docs_generate.BaseDocsGenerate):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project: TestProjInfo) -> dict[str, Any]:
        return _as_athena_has_it(base_expected_catalog(**_catalog(project)))


class TestDocsGenReferences(docs_generate.BaseDocsGenReferences):
    @pytest.fixture(scope="class")
    def expected_catalog(self, project: TestProjInfo) -> dict[str, Any]:
        settings = _catalog(project)
        settings |= {"bigint_type": "bigint", "view_summary_stats": no_stats()}
        return _as_athena_has_it(expected_references_catalog(**settings))


class TestCatalogRelationTypes(relation_types.CatalogRelationTypes):
    @pytest.fixture(scope="class", autouse=True)
    def models(self) -> dict[str, str]:
        return {"my_table.sql": catalog_files.MY_TABLE, "my_view.sql": catalog_files.MY_VIEW}

    @pytest.mark.parametrize(
        ("node_name", "relation_type"),
        [("seed.test.my_seed", "table"), ("model.test.my_table", "table"), ("model.test.my_view", "view")],
    )
    def test_relation_types_populate_correctly(self, docs: CatalogArtifact, node_name: str, relation_type: str) -> None:
        super().test_relation_types_populate_correctly(docs, node_name, relation_type)


class TestColumnTypes(InAthenasWords, column_types.BasePostgresColumnTypes):
    """dbt-athena asks Glue's names, of which dbt knows neither `int` nor any with a length."""

    words: ClassVar = {
        r"('?[\d.]+'?)::([a-z ]+(\(\d+\))?) as": r"cast(\1 as \2) as",
        r"as text\)": "as varchar)",
        r"as numeric\)": "as decimal(10, 2))",
        r"(?m)^( +)int_col: .*": r"\1int_col: ['not integer']",
        r"(?m)^( +)numeric_col: .*": r"\1numeric_col: ['not numeric']",
        r"(?m)^( +)varchar_col: .*": r"\1varchar_col: ['not string']",
    }


class TestShowDoesNotHandleDoubleLimit(dbt_show.BaseShowDoesNotHandleDoubleLimit):
    DATABASE_ERROR_MESSAGE = "mismatched input 'limit'"


@without(
    "test_seed_empty_creates_table_with_zero_rows",
    "test_seed_empty_preserves_column_types",
    "test_build_empty_with_seed",
)
class TestEmptySeedFlag(empty.BaseTestEmptySeedFlag):
    pass


class TestMetadataWithEmptyFlag(empty.MetadataWithEmptyFlag):
    @pytest.mark.parametrize(
        "model", ["control", "get_columns_in_relation", "alter_relation_comment", "alter_column_comment"]
    )
    def test_run(self, project: TestProjInfo, model: str) -> None:
        super().test_run(project, model)


# -------------------- contracts


class _ColumnsEqual(InAthenasWords):
    words: ClassVar = {"data_type: text": "data_type: varchar"}

    @pytest.fixture
    def string_type(self) -> str:
        return "varchar"

    @pytest.fixture
    def int_type(self) -> str:
        return "integer"

    @pytest.fixture
    def data_types(self) -> list[list[str]]:
        types = ["boolean", "date", "timestamp", "double", "real", "decimal(10,2)", "bigint", "varbinary"]
        told = {"real": "float", "decimal(10,2)": "decimal"}  # what the API calls them
        values = {"date": "'2013-11-03'", "timestamp": "'2013-11-03 00:00:00'", "boolean": "'true'"}
        return [
            ["1", "integer", "integer"],
            ["'1'", "varchar", "varchar"],
            *([f"cast({values.get(kind, 'null')} as {kind})", kind, told.get(kind, kind)] for kind in types),
            ["array['a', 'b']", "array(varchar)", "array"],
        ]


class TestTableConstraintsColumnsEqual(_ColumnsEqual, constraints.BaseTableConstraintsColumnsEqual):
    pass


class TestViewConstraintsColumnsEqual(_ColumnsEqual, constraints.BaseViewConstraintsColumnsEqual):
    pass


class TestIncrementalConstraintsColumnsEqual(_ColumnsEqual, constraints.BaseIncrementalConstraintsColumnsEqual):
    pass


# -------------------- ephemeral models


def _written(model: str) -> str:
    return "".join(Path(f"target/run/test/models/{model}.sql").read_text().split())


class TestEphemeralMulti(ephemeral.BaseEphemeralMulti):
    def test_ephemeral_multi(self, project: TestProjInfo) -> None:
        """As the suite's, whose text of the view is PostgreSQL's."""
        run_dbt(["seed"])
        assert len(run_dbt(["run"])) == 3
        check_relations_equal(project.adapter, ["seed", "dependent", "double_dependent", "super_dependent"])
        expected = f"""
            create or replace view "awsdatacatalog"."{project.test_schema}"."double_dependent" as
            with __dbt__cte__base as (select * from {project.test_schema}.seed),
            __dbt__cte__base_copy as (select * from __dbt__cte__base)
            -- base_copy just pulls from base. Make sure the listed
            -- graph of CTEs all share the same dbt_cte__base cte
            select * from __dbt__cte__base where gender = 'Male'
            union all select * from __dbt__cte__base_copy where gender = 'Female'
        """
        assert _written("double_dependent") == "".join(expected.split())


class TestEphemeralNested(InAthenasWords, ephemeral.BaseEphemeralNested):
    words: ClassVar = {"null as id": "cast(null as integer) as id"}

    def test_ephemeral_nested(self, project: TestProjInfo) -> None:
        """As the suite's, whose text of the view is PostgreSQL's."""
        assert len(run_dbt(["run"])) == 2
        schema = f'"awsdatacatalog"."{project.test_schema}"'
        expected = f"""
            create or replace view {schema}."root_view" as
            with __dbt__cte__ephemeral_level_two as (select * from {schema}."source_table"),
            __dbt__cte__ephemeral as (select * from __dbt__cte__ephemeral_level_two)
            select * from __dbt__cte__ephemeral
        """
        assert _written("root_view") == "".join(expected.split())


# -------------------- hooks: their tables and what they change are Iceberg's


def _hook_table(name: str) -> str:
    texts = "test_state target_dbname target_host target_name target_schema target_type target_user target_pass"
    columns = [f"{column} text" for column in texts.split()]
    columns += ["target_threads int", "run_started_at text", "invocation_id text", "thread_id text"]
    return f"create table {{schema}}.{name} ({', '.join(columns)})"


class _Hooks(InAthenasWords):
    hook_table: ClassVar[str] = "on_model_hook"

    @pytest.fixture(scope="class", autouse=True)
    def setUp(self, project: TestProjInfo) -> None:
        project.run_sql(_hook_table(self.hook_table))

    def check_hooks(self, state: str, project: TestProjInfo, host: str | None, count: int = 1) -> None:
        """As the suite's, without what only PostgreSQL's profile has."""
        query = (
            "select target_name, target_schema, target_type, target_threads, run_started_at, invocation_id, thread_id "
            f"from {project.test_schema}.{self.hook_table} where test_state = '{state}'"
        )
        rows = project.run_sql(query, fetch="all")
        assert len(rows) == count
        for row in rows:
            assert row[:4] == ("default", project.test_schema, "athena", 4)
            assert row[4]
            assert row[5]
            assert row[6].startswith("Thread-") or row[6] == "MainThread"


class TestPrePostModelHooks(_Hooks, model_hooks.BasePrePostModelHooks):
    pass


class TestPrePostModelHooksUnderscores(_Hooks, model_hooks.TestPrePostModelHooksUnderscores):
    pass


class TestHookRefs(_Hooks, model_hooks.BaseHookRefs):
    pass


class TestPrePostModelHooksInConfig(_Hooks, model_hooks.BasePrePostModelHooksInConfig):
    pass


class TestPrePostModelHooksInConfigWithCount(_Hooks, model_hooks.BasePrePostModelHooksInConfigWithCount):
    pass


class TestPrePostModelHooksInConfigKwargs(_Hooks, model_hooks.BasePrePostModelHooksInConfigKwargs):
    pass


class _ChangingHooks(InAthenasWords):
    settings: ClassVar = ICEBERG
    words: ClassVar = {
        r"alter table \{\{ this \}\} add column (\w+) int": r"alter table {{ this.render_hive() }} add columns (\1 int)",
        r"null::(\{\{ dbt.type_int\(\) \}\})": r"cast(null as \1)",
    }


class TestPrePostModelHooksOnSeeds(_ChangingHooks, model_hooks.BasePrePostModelHooksOnSeeds):
    pass


class TestPrePostModelHooksOnSeedsPlusPrefixed(_ChangingHooks, model_hooks.BasePrePostModelHooksOnSeedsPlusPrefixed):
    pass


class TestPrePostModelHooksOnSeedsPlusPrefixedWhitespace(
    _ChangingHooks, model_hooks.BasePrePostModelHooksOnSeedsPlusPrefixedWhitespace
):
    pass


class TestPrePostModelHooksOnSnapshots(_ChangingHooks, model_hooks.BasePrePostModelHooksOnSnapshots):
    pass


class TestPrePostSnapshotHooksInConfigKwargs(_ChangingHooks, model_hooks.BasePrePostSnapshotHooksInConfigKwargs):
    pass


class TestPrePostRunHooks(_Hooks, run_hooks.BasePrePostRunHooks):
    hook_table: ClassVar = "on_run_hook"
    words: ClassVar = {
        r"create table (\{\{ target.schema \}\}.(\w+)) \(([^)]*)\)": (
            r"create table \1 (\3) location 's3://lake/{{ target.schema }}_\2_{{ invocation_id }}/' "
            "tblproperties (''table_type'' = ''ICEBERG'')"
        ).replace("''", "'"),
        r"\b(schema|db) text": r"\1 string",
    }

    @pytest.fixture
    def setUp(self, project: TestProjInfo, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        project.run_sql(_hook_table(self.hook_table))
        monkeypatch.setenv("TERM_TEST", "TESTING")
        yield
        for table in (self.hook_table, "schemas", "db_schemas"):
            project.run_sql(f"drop table if exists {project.test_schema}.{table}")


class TestAfterRunHooks(run_hooks.BaseAfterRunHooks):
    def test_missing_column_pre_hook(self, project: TestProjInfo) -> None:
        """As the suite's; dbt-athena's error is no DbtDatabaseError."""
        with pytest.raises(DbtRuntimeError, match="TABLE_NOT_FOUND"):
            run_dbt(["run"], expect_pass=False)


# -------------------- incremental models


class TestIncrementalNotSchemaChange(InAthenasWords, basic_incremental.BaseIncrementalNotSchemaChange):
    settings: ClassVar = {"models": {**ICEBERG["models"], "+incremental_strategy": "merge"}}
    words: ClassVar = {r"1 \|\| '-' \|\| current_timestamp": "'1-' || cast(current_timestamp as varchar)"}


class _Merging(InAthenasWords):
    settings: ClassVar = {"models": {**ICEBERG["models"], "+incremental_strategy": "merge"}}


class TestMergeExcludeColumns(_Merging, merge_exclude_columns.BaseMergeExcludeColumns):
    pass


class TestIncrementalPredicates(_Merging, predicates.BaseIncrementalPredicates):
    settings: ClassVar = {
        "models": {**_Merging.settings["models"], "+incremental_predicates": ["src.id <> 3", "target.id <> 2"]}
    }

    @pytest.fixture(scope="class")
    def seeds(self) -> dict[str, str]:
        rows = "id,msg,color\n3,anyway,purple\n1,hey,blue\n2,goodbye,red\n2,yo,green\n"
        return {"expected_delete_insert_incremental_predicates.csv": rows}


@without("test__no_unique_keys", "test__empty_str_unique_key", "test__empty_unique_key_list")
class TestIncrementalUniqueKey(_Merging, unique_id.BaseIncrementalUniqueKey):
    words: ClassVar = {r"'(\d{4}-\d\d-\d\d)'": r"cast('\1' as date)"}


@without(
    "test__bad_unique_key",
    "test__bad_unique_key_list",
    "test__one_unique_key",
    "test__unary_unique_key_list",
    "test__duplicated_unary_unique_key_list",
    "test__trinary_unique_key_list",
    "test__trinary_unique_key_list_no_update",
)
class TestHiveIncrementalWithoutUniqueKey(InAthenasWords, unique_id.BaseIncrementalUniqueKey):
    words: ClassVar = {r"'(\d{4}-\d\d-\d\d)'": r"cast('\1' as date)"}
    settings: ClassVar = {"models": {"+incremental_strategy": "append"}}


class _Microbatch(InAthenasWords):
    settings: ClassVar = ICEBERG
    words: ClassVar = {r"(?i)timestamp '([\d-]+ [\d:]+)-0'": r"cast(timestamp '\1' as timestamp(6))"}
    statements: ClassVar = words


class TestMicrobatch(_Microbatch, microbatch.BaseMicrobatch):
    pass


class TestSampleMode(_Microbatch, sample_mode.BaseSampleModeTest):
    pass


# -------------------- comments


class TestPersistDocs(persist_docs.BasePersistDocs):
    def _assert_common_comments(self, *comments: str) -> None:
        """As the suite's; dbt-athena writes a comment in one line, and 255 characters of a column's: Glue's limit."""
        for comment in comments:
            assert len(comment) <= 255 or comment == comments[0]
            for text in (
                '"with double quotes"',
                "'''abc123'''",
                "Some $lbl$ labeled $lbl$ and $$ unlabeled $$ dollar-quoting",
                "/* comment */",
                " -- ",
            ):
                assert text in comment or (len(comment) == 255 and text.startswith("Some $lbl$"))
            assert "\n" not in comment


class _CommentInOneLine:
    """dbt-athena writes a query's comment in one line."""

    expected: ClassVar[str]

    def test_matches_comment(self, project: TestProjInfo) -> None:
        logs: str = self.run_get_json()
        assert rf"-- /* {self.expected} */\n" in logs


class TestQueryComments(_CommentInOneLine, query_comment.BaseQueryComments):
    expected: ClassVar = "dbt rules!"


class TestMacroQueryComments(_CommentInOneLine, query_comment.BaseMacroQueryComments):
    expected: ClassVar = "dbt macros are pretty cool"


# -------------------- copies and seeds


@without("test_simple_copy_with_materialized_views")
class TestSimpleCopy(simple_copy.SimpleCopyBase):
    pass


class TestSimpleCopyUppercase(copy_uppercase.BaseSimpleCopyUppercase):
    @pytest.fixture(scope="class")
    def dbt_profile_target(self, clients: Client) -> dict[str, Any]:
        return profile(clients)


class TestEmptyModelsArentRun(InAthenasWords, simple_copy.EmptyModelsArentRunBase):
    statements: ClassVar = {"ilike": "like"}


class TestBasicSeeds(InAthenasWords, simple_seed.BaseBasicSeedTests):
    def test_simple_seed_full_refresh_flag(self, project: TestProjInfo) -> None:
        """As the suite's; nothing cascades in Glue: what reads the seed stays."""
        self._build_relations_for_test(project)
        self._check_relation_end_state(run_result=run_dbt(["seed", "--full-refresh"]), project=project, exists=True)


class TestSeedConfigFullRefreshOn(InAthenasWords, simple_seed.BaseSeedConfigFullRefreshOn):
    def test_simple_seed_full_refresh_config(self, project: TestProjInfo) -> None:
        """As the suite's; nothing cascades in Glue: what reads the seed stays."""
        self._build_relations_for_test(project)
        self._check_relation_end_state(run_result=run_dbt(["seed"]), project=project, exists=True)


class TestSeedConfigFullRefreshOff(InAthenasWords, simple_seed.BaseSeedConfigFullRefreshOff):
    pass


class TestSeedCustomSchema(InAthenasWords, simple_seed.BaseSeedCustomSchema):
    pass


class TestSeedWithUniqueDelimiter(InAthenasWords, simple_seed.BaseSeedWithUniqueDelimiter):
    pass


class TestSeedWithWrongDelimiter(InAthenasWords, simple_seed.BaseSeedWithWrongDelimiter):
    def test_seed_with_wrong_delimiter(self, project: TestProjInfo) -> None:
        """As the suite's; Hive calls a syntax error a ParseException."""
        assert "ParseException" in run_dbt(["seed"], expect_pass=False).results[0].message


class TestSeedWithEmptyDelimiter(InAthenasWords, simple_seed.BaseSeedWithEmptyDelimiter):
    pass


class TestSimpleSeedEnabledViaConfig(InAthenasWords, simple_seed.BaseSimpleSeedEnabledViaConfig):
    pass


class TestSeedParsing(InAthenasWords, simple_seed.BaseSeedParsing):
    pass


class TestSimpleSeedWithBOM(InAthenasWords, simple_seed.BaseSimpleSeedWithBOM):
    @pytest.fixture(scope="class", autouse=True)
    def setUp(self, project: TestProjInfo) -> None:
        project.run_sql(seed_files.seeds__expected_sql)
        seed = Path(project.project_root) / "seeds/seed_bom.csv"
        seed.parent.mkdir(exist_ok=True)
        seed.write_text(seed_files.seed__actual_csv, encoding="utf-8-sig")


class TestSeedSpecificFormats(simple_seed.BaseSeedSpecificFormats):
    @pytest.fixture(scope="class")
    def test_data_dir(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("seeds") / "data"


class TestSimpleSeedColumnOverride(InAthenasWords, seed_type_override.BaseSimpleSeedColumnOverride):
    words: ClassVar = {
        "type: text": "type: varchar",
        "type: integer": "type: int",
        "type: (timestamp without time zone|date)": "type: timestamp",
    }

    @staticmethod
    def seed_enabled_types() -> dict[str, str]:
        # Not a date: the seed's values have a time, which Athena would not cast away.
        return {"seed_id": "varchar", "birthday": "timestamp"}

    @staticmethod
    def seed_tricky_types() -> dict[str, str]:
        return {"seed_id_str": "varchar", "looks_like_a_bool": "varchar", "looks_like_a_date": "varchar"}


# -------------------- snapshots, of and into Iceberg tables


class _Snapshots(InAthenasWords):
    settings: ClassVar = ICEBERG


class _SnapshotsOfDates(InAthenasWords):
    settings: ClassVar = merge(ICEBERG, {"seeds": {"+column_types": {"some_date": "timestamp(6)"}}})
    words: ClassVar = {r"(\d)T(\d\d:\d\d:\d\d)": r"\1 \2"}

    @pytest.fixture(scope="class", autouse=True)
    def intervals(self) -> Iterator[None]:
        """Nothing but tests asks the adapter for an interval, and it answers with PostgreSQL's."""

        def add(_: BaseAdapter, add_to: str, number: int = 1, interval: str = "hour") -> str:
            return f"{add_to} + interval '{number}' {interval}"

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BaseAdapter, "timestamp_add_sql", add)
            yield


class TestSnapshotCheckCols(_SnapshotsOfDates, snapshot_check_cols.BaseSnapshotCheckCols):
    pass


class TestSnapshotTimestamp(_SnapshotsOfDates, snapshot_timestamp.BaseSnapshotTimestamp):
    pass


class _SnapshotsOfFacts(InAthenasWords):
    settings: ClassVar = merge(ICEBERG, {"seeds": {"+column_types": {"updated_at": "timestamp(6)"}}})


class TestSimpleSnapshot(_SnapshotsOfFacts, simple_snapshot.BaseSimpleSnapshot):
    pass


class TestSnapshotCheck(_SnapshotsOfFacts, simple_snapshot.BaseSnapshotCheck):
    pass


class TestSnapshotEphemeralHardDeletes(_Snapshots, ephemeral_snapshots.BaseSnapshotEphemeralHardDeletes):
    pass


class TestSnapshotNewColumnTimestampStrategy(_Snapshots, ephemeral_snapshots.BaseSnapshotNewColumnTimestampStrategy):
    pass


class TestSnapshotNewColumnSpecificCheckCols(_Snapshots, ephemeral_snapshots.BaseSnapshotNewColumnSpecificCheckCols):
    pass


class TestSnapshotNewColumnWithDeletes(_Snapshots, ephemeral_snapshots.BaseSnapshotNewColumnWithDeletes):
    pass


class TestSnapshotNewRecordTimestampMode(_Snapshots, new_record_timestamp_mode.BaseSnapshotNewRecordTimestampMode):
    words: ClassVar = {r"'id \|\| '": "'cast(id as varchar) || '"}


class TestSnapshotNewRecordCheckMode(_Snapshots, new_record_check_mode.BaseSnapshotNewRecordCheckMode):
    words: ClassVar = {r"'id \|\| '": "'cast(id as varchar) || '"}


class TestSnapshotInvalidColumnNames(_Snapshots, test_various_configs.BaseSnapshotInvalidColumnNames):
    words: ClassVar = {r"'id \|\| '": "'cast(id as varchar) || '"}


# -------------------- unit tests


class TestUnitTestingTypes(unit_test_types.BaseUnitTestingTypes):
    @pytest.fixture
    def data_types(self) -> list[list[str]]:
        return [
            ["1", "1"],
            ["bigint '1'", "1"],
            ["'1'", "1"],
            ["true", "true"],
            ["date '2020-01-02'", "2020-01-02"],
            ["timestamp '2013-11-03 00:00:00.000'", "2013-11-03 00:00:00.000"],
            ["cast(1 as decimal(10, 2))", "1"],
            ["1.5e0", "1.5"],
        ]


# -------------------- functions


class TestArrayConcat(test_array_concat.BaseArrayConcat):
    @pytest.fixture(scope="class")
    def models(self) -> dict[str, str]:
        """Without an empty array, whose items would be of no type."""
        return {
            "actual.sql": "select 1 as id, {{ array_concat(array_construct([1, 2, 3]), array_construct([4, 5, 6])) }} as array_col",
            "expected.sql": "select 1 as id, {{ array_construct([1, 2, 3, 4, 5, 6]) }} as array_col",
        }


class TestDateSpine(InAthenasWords, test_date_spine.BaseDateSpine):
    words: ClassVar = {r"'(\d{4}-\d\d-\d\d)'": r"date '\1'"}


class TestDateDiff(InAthenasWords, test_datediff.BaseDateDiff):
    """To the millisecond, which is what dbt-athena's macro reckons with."""

    settings: ClassVar = {"seeds": {"+column_types": {"first_date": "timestamp", "second_date": "timestamp"}}}
    words: ClassVar = {r"union all select .*microsecond.*\n": "", r"59\.999999": "59.999", r"00\.000000": "00.000"}


class TestGetIntervalsBetween(InAthenasWords, test_get_intervals_between.BaseGetIntervalsBetween):
    words: ClassVar = {r"\"'(\d\d)/(\d\d)/(\d{4})'\"": "\"date '\\3-\\1-\\2'\""}


class _Nulls(InAthenasWords):
    words: ClassVar = {r"null as (\w+)": r"cast(null as integer) as \1"}


class TestMixedNullCompare(_Nulls, test_null_compare.BaseMixedNullCompare):
    pass


class TestNullCompare(_Nulls, test_null_compare.BaseNullCompare):
    pass


class TestTypeNumeric(test_type_numeric.BaseTypeNumeric):
    def numeric_fixture_type(self) -> str:
        return "decimal(38, 6)"


# -------------------- nothing is left out

# The reason, and the classes or tests that it holds for.
_REASONS = {
    "Athena's CREATE TABLE takes no constraints (https://docs.aws.amazon.com/athena/latest/ug/create-table.html) and "
    "enforces none; dbt-athena declares all of them NOT_SUPPORTED and writes none": (
        "constraints.test_constraints.BaseConstraintsRuntimeDdlEnforcement",
        "constraints.test_constraints.BaseIncrementalConstraintsRuntimeDdlEnforcement",
        "constraints.test_constraints.BaseModelConstraintsRuntimeEnforcement",
        "constraints.test_constraints.BaseConstraintQuotedColumn",
        "constraints.test_constraints.BaseConstraintsRollback",
        "constraints.test_constraints.BaseIncrementalConstraintsRollback",
    ),
    "Athena runs one statement a request and has no SET SESSION; dbt-athena's CREATE TABLE AS writes no SQL header": (
        "constraints.test_constraints.BaseContractSqlHeader",
        "constraints.test_constraints.BaseTableContractSqlHeader",
        "constraints.test_constraints.BaseIncrementalContractSqlHeader",
    ),
    "Athena clones no tables: dbt-athena leaves can_clone_table at false, and `dbt clone` makes views": (
        "dbt_clone.test_dbt_clone.BaseClonePossible",
        "dbt_clone.test_dbt_clone.BaseCloneSameSourceAndTarget",
    ),
    "Athena SQL has no CREATE FUNCTION: functions of one's own are Lambdas, named in the query itself; dbt-athena has no "
    "macros for them": (
        "functions.test_js_udfs.BasicJSUDF",
        "functions.test_js_udfs.JSUDFMultiLineBody",
        "functions.test_js_udfs.JSUDFDeterministicVolatility",
        "functions.test_js_udfs.JSUDFNonDeterministicVolatility",
        "functions.test_js_udfs.JSUDFStableVolatilityWarns",
        "functions.test_js_udfs.JSUDFDefaultArgSupport",
        "functions.test_js_udfs.BasicJSAggregateUDF",
        "functions.test_js_udfs.JSAggregateUDFVolatilityIgnored",
        "functions.test_udafs.UDAFBase",
        "functions.test_udafs.BasicPythonUDAF",
        "functions.test_udafs.BasicSQLUDAF",
        "functions.test_udafs.PythonUDAFDefaultArgSupport",
        "functions.test_udfs.UDFsBasic",
        "functions.test_udfs.DeterministicUDF",
        "functions.test_udfs.StableUDF",
        "functions.test_udfs.NonDeterministicUDF",
        "functions.test_udfs.PythonUDFSupported",
        "functions.test_udfs.PythonUDFRuntimeVersionRequired",
        "functions.test_udfs.PythonUDFEntryPointRequired",
        "functions.test_udfs.SqlUDFDefaultArgSupport",
        "functions.test_udfs.PythonUDFDefaultArgSupport",
        "functions.test_udfs.PythonUDFVolatilitySupport",
        "functions.test_udfs.CanFindScalarFunctionRelation",
        "functions.test_udfs.PythonUDFWithPackagesSupported",
    ),
    "Athena has no GRANT: rights are IAM's and Lake Formation's, which dbt-athena sets by lf_grants": (
        "grants.test_incremental_grants.BaseIncrementalGrants",
        "grants.test_invalid_grants.BaseInvalidGrants",
        "grants.test_model_grants.BaseModelGrants",
        "grants.test_seed_grants.BaseSeedGrants",
        "grants.test_snapshot_grants.BaseSnapshotGrants",
    ),
    "dbt-athena has no materialization of materialized views": (
        "materialized_view.basic.MaterializedViewBasic",
        "materialized_view.changes.MaterializedViewChanges",
        "materialized_view.changes.MaterializedViewChangesApplyMixin",
        "materialized_view.changes.MaterializedViewChangesContinueMixin",
        "materialized_view.changes.MaterializedViewChangesFailMixin",
        "simple_copy.test_simple_copy.SimpleCopyBase.test_simple_copy_with_materialized_views",
    ),
    "Python models run on Athena for Apache Spark, another engine behind another API, which is not emulated; dbt-athena's "
    "own tests leave them out, too": (
        "python_model.test_python_model.BasePythonModelTests",
        "python_model.test_python_model.BasePythonIncrementalTests",
        "python_model.test_python_model.BasePythonMetaGetTests",
        "python_model.test_python_model.BasePythonEmptyTests",
        "python_model.test_python_model.BasePythonSampleTests",
        "python_model.test_spark.BasePySparkTests",
    ),
    "dbt-athena does not implement get_catalog_for_single_relation": (
        "basic.test_get_catalog_for_single_relation.BaseGetCatalogForSingleRelation",
    ),
    "dbt-athena refuses an unknown strategy itself, in other words than dbt": (
        "basic.test_incremental.BaseIncrementalBadStrategy",
    ),
    "dbt-core 1.11 has no `seed --empty`": (
        "empty.test_empty.BaseTestEmptySeedFlag.test_seed_empty_creates_table_with_zero_rows",
        "empty.test_empty.BaseTestEmptySeedFlag.test_seed_empty_preserves_column_types",
        "empty.test_empty.BaseTestEmptySeedFlag.test_build_empty_with_seed",
    ),
    "Glue keeps names in lower case: there are no two columns that differ in it": (
        "persist_docs.test_persist_docs.BasePersistDocsQuotedDescriptionNotAppliedOnMismatch",
    ),
    "dbt-athena's snapshots know dbt_scd_id and dbt_valid_to by these names only, and a current row by its null": (
        "simple_snapshot.new_record_dbt_valid_to_current.BaseSnapshotNewRecordDbtValidToCurrent",
        "simple_snapshot.test_various_configs.BaseSnapshotColumnNames",
        "simple_snapshot.test_various_configs.BaseSnapshotColumnNamesFromDbtProject",
        "simple_snapshot.test_various_configs.BaseSnapshotDbtValidToCurrent",
        "simple_snapshot.test_various_configs.BaseSnapshotMultiUniqueKey",
    ),
    "dbt-athena has no macro `date`, and dbt's own writes to_date, which Athena lacks": ("utils.test_date.BaseDate",),
    "dbt-athena has no macros current_timestamp_…_backcompat, and dbt's own write `::`, which Athena lacks": (
        "utils.test_timestamps.BaseCurrentTimestamps",
    ),
    "dbt-core takes the length off types with `varying` in their name; Athena's is varchar(5), and its cast truncates": (
        "unit_testing.test_types.BaseUnitTestingVarcharFixtureNoTruncation",
    ),
    "dbt-athena's current_timestamp has no time zone: Athena's tables know none": (
        "utils.test_current_timestamp.BaseCurrentTimestampAware",
    ),
    "Athena doubles quotes in a text, and knows no backslashes": (
        "utils.test_escape_single_quotes.BaseEscapeSingleQuotesBackslash",
    ),
}
NOT_APPLICABLE = {name: reason for reason, names in _REASONS.items() for name in names}

# What runs without ALL=1.
_ALWAYS = {"TestSimpleMaterializations", "TestIncremental", "TestHashWithPyAthena"}

_OURS = {name: value for name, value in globals().items() if name.startswith("Test") and isinstance(value, type)}
_OURS = {name: value for name, value in _OURS.items() if value.__module__ == __name__}
if not EVERYTHING:
    for _name in _OURS.keys() - _ALWAYS:
        _OURS[_name].__test__ = False


def test_nothing_of_the_suite_is_left_out() -> None:
    left_out, both, known = [], [], set()
    for (name, method), cls in suite_tests().items():
        is_run = any(runs(own, cls, method) for own in _OURS.values())
        reasons = {name, f"{name}.{method}"} & NOT_APPLICABLE.keys()
        known |= reasons
        if not is_run and not reasons:
            left_out.append(f"{name}.{method}")
        if is_run and reasons:
            both.append(f"{name}.{method}")
    assert left_out == []
    assert both == []
    assert NOT_APPLICABLE.keys() == known
