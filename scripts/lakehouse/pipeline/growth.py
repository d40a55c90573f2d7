"""Which relations need not be built whole: to take in the records of new loads is enough.

A relation that dbt calls `incremental` has rows under keys (`grows_by`), and those under a key depend on no records
but those of its landing table under the same key, and on whatever else it reads as a whole. So if nothing has changed
but that parts were added to that table, all that can have changed is under the keys of the new records. Whether it is
so, the ledger says: what it named after an earlier load is what the relation was built from, and it names more now.

Beside it, a table that is worked out may have grown whose additions concern new records alone (`is_of_new_records`).

No watermark is asked. If a part is gone, as after a correction, an erasure or a file that vanished, no earlier load
left just what was there, and the relation is built whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

from lakehouse.landing.contents import Contents, digest
from lakehouse.pipeline.fingerprints import Fingerprint, parents

MATERIALIZED = "incremental"
GROWS_WITH = "grows_with"
"""Of a model that reads no landing table: the staging model from which it learns the keys of new records."""
OF_NEW_RECORDS = "is_of_new_records"
"""Of a derived landing table: what is added to it concerns new records alone."""


@dataclass(frozen=True)
class Growth:
    """How the landing tables have grown since the database was built.

    Attributes:
        before: What each landing table held then, as far as it has grown; what it holds now, of all others.
        since: When the last load then took effect, epoch milliseconds, by the unique id of each table that has grown.
    """

    before: Mapping[str, Contents]
    since: Mapping[str, int]


def growth_of(manifest: Manifest, contents: Mapping[str, Contents], noted: Mapping[str, Fingerprint]) -> Growth:
    """How the landing tables from which relations grow have grown since what is noted was built.

    Args:
        manifest: The project.
        contents: What each landing table holds now.
        noted: What nodes and landing tables were made of in the last build.
    """
    before, since = dict(contents), {}
    for table in {_table_of(manifest, node) for node in _growing(manifest)} | _of_new_records(manifest):
        name, was = manifest.sources[table].name, noted.get(table)
        for records, landed_at in contents[name].earlier.items():
            if was is not None and was.inputs == digest([records]):
                before[name], since[table] = replace(contents[name], records=records), landed_at
    return Growth(before, since)


def growing_since(
    manifest: Manifest, growth: Growth, made_before: Mapping[str, Fingerprint], noted: Mapping[str, Fingerprint]
) -> dict[str, int]:
    """Since when each relation has to take in what landed, in epoch milliseconds, by its unique id.

    Args:
        manifest: The project.
        growth: How the landing tables have grown.
        made_before: What nodes would be made of, had the landing tables not grown.
        noted: What they were made of in their last build; of a relation that is gone, nothing.
    """
    return {
        node.unique_id: growth.since[table]
        for node in _growing(manifest)
        if (table := _table_of(manifest, node)) in growth.since
        and noted.get(node.unique_id) == made_before[node.unique_id]
    }


def _growing(manifest: Manifest) -> list[Any]:
    """The models that can take in what is new."""
    models = (node for node in manifest.nodes.values() if node.resource_type is NodeType.Model)
    return [node for node in models if node.config.materialized == MATERIALIZED]


def _of_new_records(manifest: Manifest) -> set[str]:
    """The unique ids of the tables to which nothing is added but for new records of others."""
    return {key for key, source in manifest.sources.items() if source.config.meta.get(OF_NEW_RECORDS)}


def _table_of(manifest: Manifest, node: Any) -> str:  # noqa: ANN401 - dbt has a class for each kind
    """The unique id of the landing table with which a model grows."""
    with_model = node.config.meta.get(GROWS_WITH)
    staging = node if with_model is None else manifest.nodes[f"model.{manifest.metadata.project_name}.{with_model}"]
    (table,) = parents(staging)
    return table
