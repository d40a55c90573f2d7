"""Versions of the training data: what is deprecated says so, and the day on which that falls due breaks nothing."""

import json
import re
from pathlib import Path

import pytest

from dbt_project import DbtProject

CURATED = "models/stedi/curated/_stedi_curated__models.yml"


@pytest.fixture
def project(tmp_path: Path) -> DbtProject:
    return DbtProject.copy(tmp_path, tmp_path / "no_zone", "mine")


def test_the_published_name_is_deprecated_and_says_why(project: DbtProject) -> None:
    project.dbt("parse")
    nodes = json.loads((project.folder / "target/manifest.json").read_text())["nodes"]
    versions = {
        node["version"]: node
        for node in nodes.values()
        if node["name"] == "machine_learning_curated" and "version" in node
    }
    assert sorted(versions) == [1, 2, 3]
    assert versions[1]["alias"] == "machine_learning_curated"
    assert [version for version, node in versions.items() if node["deprecation_date"]] == [1]
    assert "deprecated: it pairs customers who share a millisecond" in versions[1]["description"]
    assert {node["latest_version"] for node in versions.values()} == {3}


def test_a_deprecation_date_that_passes_stops_no_build(project: DbtProject) -> None:
    declared = project.folder / CURATED
    text = declared.read_text()
    assert re.search(r"deprecation_date: \d{4}-\d\d-\d\d", text)
    declared.write_text(re.sub(r"deprecation_date: \S+", "deprecation_date: 2020-01-01", text))
    project.dbt("parse")


def test_no_model_may_be_built_on_the_deprecated_version(project: DbtProject) -> None:
    model = project.folder / "models/stedi/curated/late_curated.sql"
    model.write_text("select * from {{ ref('machine_learning_curated', v=1) }}")
    with pytest.raises(RuntimeError, match="late_curated"):
        project.dbt("parse")
