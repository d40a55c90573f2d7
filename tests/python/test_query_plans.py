"""No model and no test compares every row of one table with every row of another, whatever the tables hold.

DuckDB joins by hashing where there is an equality, and each condition beside it is a comparison. One `or … is null`
beside the equality of a left join, and it compares each row with each: nothing on a sample, hours at a hundred times.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from dbt_project import DbtProject

pytestmark = pytest.mark.quick

EACH_WITH_EACH = {"BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN", "PIECEWISE_MERGE_JOIN", "IE_JOIN", "CROSS_PRODUCT"}
"""What DuckDB calls the joins that hash nothing."""
KEEPS_ONE_ROW = {"PROJECTION", "FILTER", "STREAMING_LIMIT"}
BOUNDED = {
    "consent_hourly": "with the one row that tells of the last landing",
    "dates": "the days of 100 years are made of two digits",
    "assert_no_known_value_is_published": "a text has 64 words at most, and a phrase four",
}
"""What does so, and why it is no more than rows times a number."""


def operators(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan["children"]:
        yield from operators(child)


def is_one_row(plan: dict[str, Any]) -> bool:
    """Whether a part of a plan gives one row: a sum or a count of everything."""
    while plan["name"].strip() in KEEPS_ONE_ROW:
        [plan] = plan["children"]
    return plan["name"].strip() in {"UNGROUPED_AGGREGATE", "DUMMY_SCAN"}


def joins_each_with_each(plan: dict[str, Any]) -> list[str]:
    return [
        operator["name"]
        for operator in operators(plan)
        if operator["name"].strip() in EACH_WITH_EACH and not any(map(is_one_row, operator["children"]))
    ]


@pytest.fixture(scope="module")
def queries(built_project: Callable[[str], DbtProject]) -> tuple[DbtProject, dict[str, str]]:
    project = built_project("sample")
    nodes = json.loads((project.folder / "target/manifest.json").read_text())["nodes"].values()
    return project, {node["name"]: node["compiled_code"] for node in nodes if node.get("compiled_code")}


def explained(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    [(_, plan)] = connection.execute(f"explain (format json) {sql}").fetchall()
    [whole] = json.loads(plan)
    return dict(whole)


def test_no_query_compares_each_row_with_each(queries: tuple[DbtProject, dict[str, str]]) -> None:
    project, compiled = queries
    assert len(compiled) > 300
    with duckdb.connect(str(project.database), read_only=True) as connection:
        found = {name: joins_each_with_each(explained(connection, sql)) for name, sql in compiled.items()}
    assert {name: joins for name, joins in found.items() if joins and name not in BOUNDED} == {}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("until > moment", []),
        ("(until is null or until > moment)", ["BLOCKWISE_NL_JOIN"]),
        ("coalesce(until, timestamp '9999-12-31') > moment", []),
    ],
)
def test_an_open_end_is_what_does_it(condition: str, expected: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table readings as select 'a' as who, now()::timestamp as moment from range(10)")
        connection.execute("create table periods as select 'a' as who, now()::timestamp as until from range(10)")
        sql = f"select * from readings left join periods on readings.who = periods.who and {condition}"  # noqa: S608
        assert joins_each_with_each(explained(connection, sql)) == expected
