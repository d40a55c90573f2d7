"""How much work a query is, counted in rows and pairs of rows, so that its growth can be told without a clock."""

import json
from collections.abc import Mapping
from typing import Any

import duckdb

PAIRWISE = ("NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN", "CROSS_PRODUCT", "PIECEWISE_MERGE_JOIN", "IE_JOIN")
"""DuckDB's joins that may compare each row of one side with each of the other; a hash join looks each row up."""


def rows_handled(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """Runs a query, and gives the number of rows that its steps produced and of pairs that its joins compared."""
    ((_, plan),) = connection.execute(f"explain (analyze, format json) {sql}").fetchall()
    return _work(json.loads(plan))


def _work(step: Mapping[str, Any]) -> int:
    children = step.get("children", [])
    produced = int(step.get("operator_cardinality", 0))
    if step.get("operator_name", "").strip() in PAIRWISE:
        left, right = (int(child["operator_cardinality"]) for child in children)
        produced += left * right
    return produced + sum(map(_work, children))
