"""What is published says who answers for it, and shows what its readers ask: a query that runs and has an answer."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from dbt_project import DbtProject
from examples import examples_of, published_models, says_something
from real_data import PROJECT_DIR, needs_real_data

DBT_SCORE = Path(sys.executable).with_name("dbt-score")
GLUE_LIMIT = 2048
"""Characters of a table's description, of which dbt-athena cuts the rest. AWS Glue, API reference: TableInput."""

BuiltProject = Callable[[str], DbtProject]


def manifest_file(project: DbtProject) -> Path:
    return project.folder / "target/manifest.json"


def manifest_of(project: DbtProject) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(manifest_file(project).read_text())
    return content


# ----------------------------------------------------------------------------------------------------- dbt-score
def scored(manifest: Path) -> "subprocess.CompletedProcess[str]":
    """What dbt-score says, by the rules of pyproject.toml."""
    command = (DBT_SCORE, "lint", "--manifest", manifest)
    return subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)


@pytest.mark.quick
def test_dbt_score_gives_ten_of_ten(built_project: BuiltProject) -> None:
    """To each and all. A rule that breaks costs no point: it is only told, as ERR."""
    done = scored(manifest_file(built_project("sample")))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERR" not in done.stdout, done.stdout
    assert done.stderr == ""


def test_dbt_score_is_enforced(built_project: BuiltProject, tmp_path: Path) -> None:
    manifest = manifest_of(built_project("sample"))
    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    models["songplays"]["group"] = None
    models["users"]["description"] = "One row per user."
    models["stg_sparkify__songs"]["description"] = ""  # it needs no example, but a description
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    done = scored(tmp_path / "manifest.json")
    assert done.returncode == 1, done.stdout + done.stderr
    assert dict(re.findall(r"Model: (\w+).*\n.* (\S+): ", done.stdout)) == {
        "songplays": "dbt_score_rules.has_owner",
        "users": "dbt_score.rules.generic.has_example_sql",
        "stg_sparkify__songs": "dbt_score.rules.generic.has_description",
    }


# ----------------------------------------------------------------------------------------------- example queries
@pytest.mark.quick
def test_every_published_model_ends_its_description_with_a_query(built_project: BuiltProject) -> None:
    manifest = manifest_of(built_project("sample"))
    published = published_models(manifest)
    assert len(published) == 41
    assert published.keys() - examples_of(manifest).keys() == set()
    assert [name for name, node in published.items() if len(node["description"]) > GLUE_LIMIT] == []


@pytest.mark.parametrize(
    ("description", "query"),
    [
        ("One row.\n\nHow many?\n```sql\nselect 1\n\nfrom a.b\n```\n", "select 1\n\nfrom a.b\n"),
        ("One row.\n\n```sql\nselect 1\n```", "select 1\n"),
        ("One row.\n\n```sql\nselect 1\n```\nAnd more.", None),
        ("One row.\n\n```\nselect 1\n```\n", None),
        ("One row. `select 1`", None),
        ("", None),
    ],
)
@pytest.mark.quick
def test_an_example_is_the_block_at_the_end(description: str, query: str | None) -> None:
    model = {
        "resource_type": "model",
        "schema": "a",
        "alias": "b",
        "config": {"contract": {"enforced": True}},
        "description": description,
    }
    assert examples_of({"nodes": {"model.b": model}}).get("a.b") == query


@pytest.mark.quick
def test_an_example_asks_its_own_relation_and_none_that_is_not_published(built_project: BuiltProject) -> None:
    manifest = manifest_of(built_project("sample"))
    published = published_models(manifest).keys()
    for relation, sql in examples_of(manifest).items():
        asked = relations_in(sql)
        assert relation in asked, sql
        assert asked <= published, sql


def relations_in(sql: str) -> set[str]:
    """The relations that a query names, by schema and name; its own common table expressions are none."""
    query = sqlglot.parse_one(sql, dialect="trino")
    named = {f"{table.db}.{table.name}".removeprefix(".") for table in query.find_all(exp.Table)}
    return named - {cte.alias for cte in query.find_all(exp.CTE)}


@pytest.mark.quick
def test_an_example_is_the_same_query_on_one_line(built_project: BuiltProject) -> None:
    """dbt-athena writes a description into Glue so, where a comment would swallow the rest."""
    for sql in examples_of(manifest_of(built_project("sample"))).values():
        assert sqlglot.parse_one(" ".join(sql.split()), dialect="trino") == sqlglot.parse_one(sql, dialect="trino")


@pytest.mark.parametrize(
    "dataset", [pytest.param("sample", marks=pytest.mark.quick), pytest.param("udacity", marks=needs_real_data)]
)
def test_every_example_has_an_answer(built_project: BuiltProject, dataset: str) -> None:
    project = built_project(dataset)
    for sql in examples_of(manifest_of(project)).values():
        assert says_something(project.query(sql)), sql
