"""This project, from raw files to its last test, by the loader and the unmodified adapter on the local endpoint."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, rows, run
from lakehouse.environment import variables
from lanes import on_engines
from warehouses import ask_redshift
from whole_run import (
    MODELS,
    PERSON,
    RUNS,
    WholeRun,
    assert_a_day_of_events_builds_sparkify_alone,
    assert_a_person_is_erased,
    assert_everything_passed,
    assert_examples_have_answers,
    assert_rows_are_those_of_duckdb,
    run_again,
)

pytestmark = [
    on_engines,
    pytest.mark.filterwarnings("ignore:ssl\\..*:DeprecationWarning"),
]

STORED = ("table", "incremental", "snapshot", "seed")


def test_the_whole_way_of_the_data_passes(redshift_run: WholeRun) -> None:
    assert_everything_passed(redshift_run)


def test_the_run_is_on_record(redshift_run: WholeRun, connect: Connect) -> None:
    with connect() as connection:
        assert rows(connection, RUNS) == [["done", len(redshift_run.nodes(*MODELS, "seed"))]]


@pytest.mark.usefixtures("sockets_closed")
def test_rows_are_those_of_duckdb(redshift_run: WholeRun, tmp_path: Path) -> None:
    assert_rows_are_those_of_duckdb(redshift_run, tmp_path)


@pytest.mark.usefixtures("sockets_closed")
def test_the_examples_in_the_descriptions_have_answers(redshift_run: WholeRun) -> None:
    with variables(redshift_run.settings):
        assert_examples_have_answers(redshift_run, ask_redshift)


# The physical design --------------------------------------------------------------------------------------------------


def wanted_design(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the project says of a table: its distribution and its sort key. Nothing said, Redshift chooses."""
    dist, sort = config.get("dist") or "auto", config.get("sort") or []
    styles = {"all": "ALL", "even": "EVEN", "auto": "AUTO"}
    return {
        "style": styles.get(dist, f"KEY({dist})"),
        "distribution key": [] if dist in styles else [dist],
        "sort key": [sort] if isinstance(sort, str) else list(sort),
        "interleaved": config.get("sort_type") == "interleaved",
    }


@pytest.fixture(scope="module")
def wanted(redshift_run: WholeRun) -> dict[str, dict[str, Any]]:
    """The design of every table of the project, by schema and name: models, seeds, and the landing tables."""
    stored = [
        node for node in redshift_run.nodes("model", "snapshot", "seed") if node["config"]["materialized"] in STORED
    ]
    designs = {f"{node['schema']}.{node['alias']}": wanted_design(node["config"]) for node in stored}
    # docs/landing.md: landing tables lie evenly, the list of what was copied on every node
    for source in redshift_run.manifest["sources"].values():
        if source["name"] == "built_from":  # a view of constants
            continue
        is_list = (source["source_name"], source["name"]) == ("loader", "objects")
        designs[f"{source['schema']}.{source['identifier']}"] = wanted_design({"dist": "all" if is_list else "even"})
    return designs


@pytest.fixture(scope="module")
def found(redshift_run: WholeRun, connect: Connect, wanted: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The design of every table that there is. SVV_TABLE_INFO leaves the empty ones out, SHOW TABLES does not."""
    designs = {}
    with connect() as connection:
        for schema in sorted({name.split(".")[0] for name in wanted}):
            for table in records(connection, f"show tables from schema {schema}"):
                if table["table_type"] == "VIEW":
                    continue
                columns = records(connection, f"show columns from table {schema}.{table['table_name']}")
                sort_key = sorted((abs(c["sort_key_order"]), c["column_name"]) for c in columns if c["sort_key_order"])
                designs[f"{schema}.{table['table_name']}"] = {
                    "style": table["dist_style"].split("(ALL)")[0],
                    "distribution key": [column["column_name"] for column in columns if column["is_dist_key"]],
                    "sort key": [name for _, name in sort_key],
                    "interleaved": any(column["sort_key_order"] < 0 for column in columns),
                }
    return designs


def records(connection: Connection, statement: str) -> list[dict[str, Any]]:
    """The rows that a statement gives, by the names of its columns."""
    cursor = run(connection, statement)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_every_table_has_the_design_that_the_project_gives_it(
    wanted: Mapping[str, dict[str, Any]], found: Mapping[str, dict[str, Any]]
) -> None:
    assert found == wanted
    assert {design["style"] for design in wanted.values()} >= {"ALL", "EVEN", "AUTO", "KEY(start_time)"}


PRIMARY_KEYS = {
    "sparkify.songplays": "songplay_id",
    "sparkify.users": "user_id",
    "sparkify.user_level_history": "user_level_id",
    "sparkify.events": "event_id",
    "sparkify.sessions": "session_id",
    "sparkify.dates": "date_day",
    "sparkify.songs": "song_id",
    "sparkify.artists": "artist_id",
    "sparkify.time": "start_time",
    "stedi.customer_trusted": "email",
    "stedi.customer_curated": "email",
}
FOREIGN_KEYS = {
    "sparkify.songplays": {"user_id", "song_id", "artist_id", "start_time"},
    "sparkify.songs": {"artist_id"},
    "sparkify.events": {"user_id", "event_date"},
    "sparkify.sessions": {"user_id"},
    "sparkify.user_activity_daily": {"user_id", "date_day"},
    "sparkify.user_level_history": {"user_id"},
    "sparkify.songs_by_user_session": {"user_id"},
    "sparkify.users_by_song": {"user_id"},
    "stedi.customer_curated": {"email"},
}


def test_redshift_knows_the_keys_that_the_tests_have_proven(redshift_run: WholeRun, connect: Connect) -> None:
    """And no others: its planner believes them."""
    assert_keys_are_known(redshift_run, connect)


def assert_keys_are_known(redshift_run: WholeRun, connect: Connect) -> None:
    query = """
        select tables.table_schema || '.' || tables.table_name, tables.constraint_type, columns.column_name
        from information_schema.table_constraints as tables
        inner join information_schema.key_column_usage as columns
            on tables.constraint_schema = columns.constraint_schema and tables.constraint_name = columns.constraint_name
            and tables.table_name = columns.table_name
        where tables.constraint_type in ('PRIMARY KEY', 'FOREIGN KEY')
    """
    schemas = {node["schema"] for node in redshift_run.nodes("model")}
    primary, foreign = {}, defaultdict[str, set[str]](set)
    with connect() as connection:
        for table, kind, column in rows(connection, query):
            if str(table).partition(".")[0] in schemas and kind == "PRIMARY KEY":
                primary[table] = column
            elif str(table).partition(".")[0] in schemas:
                foreign[str(table)].add(str(column))
    assert primary == PRIMARY_KEYS
    assert foreign == FOREIGN_KEYS


# "Compression encodings": what Redshift gives a column of a table for which the project names no encoding
AZ64 = ("smallint", "integer", "bigint", "numeric", "date", "timestamp", "time")
LZO = ("character",)


def test_every_column_has_the_encoding_that_redshift_gives_it(
    connect: Connect, wanted: Mapping[str, dict[str, Any]]
) -> None:
    query = "select schema_name, table_name, column_name, data_type, encoding from svv_redshift_columns"
    with connect() as connection:
        found = {(f"{schema}.{table}", column): told for schema, table, column, *told in rows(connection, query)}
    assert {table for table, _ in found} >= set(wanted)
    for (table, column), (data_type, encoding) in found.items():
        if table in wanted:
            is_raw = column in wanted[table]["sort key"]
            kinds = {"az64": AZ64, "lzo": LZO}
            of_type = [name for name, types in kinds.items() if str(data_type).startswith(types)]
            assert [encoding] == (["none"] if is_raw or not of_type else of_type), (table, column)


def test_what_is_shown_of_tables_with_rows_agrees(connect: Connect, wanted: Mapping[str, dict[str, Any]]) -> None:
    """SVV_TABLE_INFO, which is what most people look at."""
    with connect() as connection:
        shown = records(connection, "select * from svv_table_info")
    told = [table for table in shown if f"{table['schema']}.{table['table']}" in wanted]
    assert told
    for table in told:
        design = wanted[f"{table['schema']}.{table['table']}"]
        assert table["diststyle"].split("(ALL)")[0] == design["style"]
        assert table["sortkey_num"] == len(design["sort key"])
        assert table["sortkey1"] == (design["sort key"] or ["AUTO(SORTKEY)"])[0]
        assert table["encoded"] == "Y, AUTO(ENCODE)"
        # what is noted of builds changes with every command, and is analysed by Redshift in its own time
        assert table["stats_off"] == 0 or (table["schema"], table["table"]) == ("loader", "built_with")


@pytest.mark.usefixtures("sockets_closed")
def test_a_day_of_events_builds_nothing_of_stedi_and_costs_no_key(redshift_run: WholeRun, connect: Connect) -> None:
    """Also where a relation was kept that refers to one which was built, and so lost what refers to it."""
    run_again(redshift_run)  # readers' tests have built by hand
    with variables(redshift_run.settings):
        assert_a_day_of_events_builds_sparkify_alone(redshift_run, ask_redshift)
    assert_keys_are_known(redshift_run, connect)


@pytest.mark.usefixtures("sockets_closed")
def test_a_person_is_erased(redshift_run: WholeRun) -> None:
    """The last of these tests."""
    with variables(redshift_run.settings):
        ((email, pseudonym),) = ask_redshift(PERSON)
        assert_a_person_is_erased(redshift_run, ask_redshift, email, pseudonym)
