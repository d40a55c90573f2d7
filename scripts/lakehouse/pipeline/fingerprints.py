"""What each node of the project is made of, as numbers: one with the numbers of its last build need not be built again.

A node is made of its own code, of what it reads, and of what all nodes share: macros, settings, versions. A landing
table holds the parts that its ledger names, and parts never change: so nothing is read but ledgers and code.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

from lakehouse.declaration import LOADER
from lakehouse.landing.contents import Contents, digest

BUILT = (NodeType.Model, NodeType.Seed, NodeType.Snapshot)
"""What a build makes relations of."""
TESTS = (NodeType.Test, NodeType.Unit)
SAYS_NOTHING = frozenset({
    "build_path", "compiled", "compiled_code", "compiled_path", "config_call_dict", "created_at", "doc_blocks",
    "extra_ctes", "extra_ctes_injected", "original_file_path", "patch_path", "path", "relation_name", "root_path",
    "unrendered_config", "unrendered_config_call_dict", "_event_status", "_pre_injected_sql",
})  # fmt: skip
"""Of a node in dbt's manifest: when and where it was read, and what a build adds. All else is its code."""
OF_A_RUN = frozenset({
    "LAKEHOUSE_DATASET", "LAKEHOUSE_GROWING", "LAKEHOUSE_RUN", "LANDING_ZONE", "LANDING_ZONE_REGION",
    "REDSHIFT_COPY_IAM_ROLE",
})  # fmt: skip
"""Variables of the environment that no table depends on: of comments in queries, of the registration, and of what a
relation takes in, which has the rows in the end that a whole build gives it."""
OF_DBT = "DBT_"
"""How the variables begin that dbt takes for options: DBT_EMPTY makes every relation without rows."""
SAYS_NO_MORE = ("DBT_ENV_SECRET_", "DBT_LOG_", "DBT_TARGET")
"""Of those: passwords, what is logged, and the target, which is known by its name."""
LEDGERS = ("ledger", "objects")
"""The loader's tables of which nodes read some landing tables' rows alone, see `tables_read_in_ledgers`."""
BUILT_FROM = "source.lakehouse.loader.built_from"
_VARIABLE = re.compile(r"env_var\(\s*'(\w+)'")
_OF_BUILDS = re.compile(r"(dbt|duckdb)\b")


@dataclass(frozen=True)
class Fingerprint:
    """What a node is made of.

    Attributes:
        settings: What all nodes share.
        code: Its code, and that of all that it reads, directly or not.
        inputs: What the landing tables hold that it reads, directly or not; of a unit test, which reads none, nothing.
    """

    settings: str
    code: str
    inputs: str


def fingerprints(
    manifest: Manifest, settings: str, contents: Mapping[str, Contents], built_from: str
) -> dict[str, Fingerprint]:
    """The fingerprint of all that a build makes or runs, of every landing table, and of BUILT_FROM, by unique id.

    Args:
        manifest: The project.
        settings: What all nodes share, see `settings_of`.
        contents: What each landing table holds.
        built_from: What the database knows of its landing zone: the data set's name, and whether its counts are known.
    """
    nodes: dict[str, Any] = {**manifest.nodes, **manifest.unit_tests, **manifest.sources}

    @cache
    def code(key: str) -> str:
        return digest([own_code(nodes[key]), *sorted(map(code, parents(nodes[key])))])

    @cache
    def inputs(key: str, of_ledgers: frozenset[str] | None) -> str:
        node = nodes[key]
        if node.resource_type is NodeType.Source:
            return digest(_held(node, of_ledgers, manifest, contents, built_from))
        if node.resource_type is NodeType.Unit:
            return ""
        tables = tables_read_in_ledgers(node, manifest)
        return digest(sorted(inputs(parent, tables) for parent in parents(node)))

    made = [
        key
        for key, node in nodes.items()
        if node.resource_type in (*BUILT, *TESTS)
        or (node.resource_type is NodeType.Source and (node.source_name != LOADER or key == BUILT_FROM))
    ]
    return {key: Fingerprint(settings, code(key), inputs(key, None)) for key in made}


def own_code(node: Any) -> str:  # noqa: ANN401 - dbt has a class for each kind
    """The code and the settings of a node alone."""
    fields = node.to_dict(omit_none=True)
    return digest(sorted((name, _ordered(value)) for name, value in fields.items() if name not in SAYS_NOTHING))


def parents(node: Any) -> list[str]:  # noqa: ANN401 - as above
    """The unique ids of what a node reads: a source and a seed read nothing."""
    return [] if node.resource_type in (NodeType.Source, NodeType.Seed) else list(node.depends_on.nodes)


def tables_read_in_ledgers(node: Any, manifest: Manifest) -> frozenset[str]:  # noqa: ANN401 - as above
    """The landing tables of which a node reads the rows in the loader's ledgers, where it reads ledgers.

    A test of one landing table reads that table's, another node of a product the product's, what belongs to no product
    all. A test says that the nodes do.
    """
    read = [manifest.sources.get(key) for key in parents(node)]
    landing = {source.name for source in read if source is not None and source.source_name != LOADER}
    if node.resource_type is NodeType.Test and None not in read and len(landing) == 1:
        return frozenset(landing)
    tables = [table for table in manifest.sources.values() if table.source_name != LOADER]
    return frozenset(table.name for table in tables if table.source_name == node.fqn[1]) or frozenset(
        table.name for table in tables
    )


def settings_of(project_dir: Path, target: str, manifest: Manifest) -> str:
    """What all nodes share: every macro, the project's settings, the environment that macros and dbt read, versions."""
    macros = sorted((key, macro.macro_sql) for key, macro in manifest.macros.items())
    variables = {name for _, sql in macros for name in _VARIABLE.findall(sql)} - OF_A_RUN
    variables |= {name for name in os.environ if name.startswith(OF_DBT) and not name.startswith(SAYS_NO_MORE)}
    environment = [(name, os.environ.get(name)) for name in sorted(variables)]
    versions = sorted({(d.name, d.version) for d in distributions() if _OF_BUILDS.match(d.name)})
    files = [(project_dir / name).read_text(encoding="utf-8") for name in ("dbt_project.yml", "profiles.yml")]
    return digest([target, *files, *macros, *environment, *versions])


def _held(
    source: Any,  # noqa: ANN401 - as above
    of_ledgers: frozenset[str] | None,
    manifest: Manifest,
    contents: Mapping[str, Contents],
    built_from: str,
) -> Iterable[object]:
    """What a declared table holds, as a node reads it that reads some tables' rows in the loader's ledgers."""
    if source.source_name != LOADER:
        return [contents[source.name].records]
    if source.name == "built_from":
        return [built_from]
    tables = [table for table in manifest.sources.values() if table.source_name != LOADER]
    if source.name in LEDGERS and of_ledgers is not None:
        tables = [table for table in tables if table.name in of_ledgers]
    return sorted((table.name, contents[table.name].entries) for table in tables)


def _ordered(value: Any) -> Any:  # noqa: ANN401 - any of JSON's values
    """A value whose text is the same whatever the order of its keys."""
    if isinstance(value, Mapping):
        return sorted((name, _ordered(inner)) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return [_ordered(inner) for inner in value]
    return value.value if isinstance(value, Enum) else value
