"""What the contracts promise and no adapter checks."""

import json
from collections.abc import Callable

import duckdb
import pytest

from dbt_project import DbtProject

pytestmark = pytest.mark.quick


def test_models_give_their_columns_in_the_order_of_their_contracts(built_project: Callable[[str], DbtProject]) -> None:
    """On DuckDB and Redshift dbt writes a contract's order into the table; on Athena a table has its query's."""
    project = built_project("sample")
    nodes = json.loads((project.folder / "target/manifest.json").read_text())["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model" and node["contract"]["enforced"]]
    assert len(models) == 41
    with duckdb.connect(str(project.database), read_only=True) as connection:
        for model in models:
            described = connection.execute(f"describe {model['compiled_code']}").fetchall()
            assert [column[0] for column in described] == list(model["columns"]), model["name"]
