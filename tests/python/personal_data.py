"""Where personal data goes: follows columns through the compiled SQL, and compares with what the YAML says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from lakehouse.site.column_lineage import Origin, TableName, column_lineage, snapshot_columns

KINDS = ("identifier", "quasi_identifier", "pseudonym")
RELATIONS = ("model", "seed", "snapshot", "source")


@dataclass(frozen=True)
class Column:
    """What the YAML says of a column.

    Attributes:
        personal: One of `KINDS`, or None.
        treatment: What is done, here, to a personal value, so that it may leave the relations that hold personal data.
    """

    personal: str | None = None
    treatment: str | None = None


@dataclass(frozen=True)
class Relation:
    """A source's table, seed, model or snapshot.

    Attributes:
        table: Its name in the compiled SQL.
        holds_personal_data: What its `meta` says; anything but a bool is no answer.
        names_nobody: Whether its `meta` says that of the personal data it holds none is an identifier, or made of one.
        columns: What the YAML says of its columns, by their names in small letters.
        sql: The query that makes it; None for what is loaded.
        derived: Columns that dbt adds to a snapshot, each with the columns of the query that it is worked out of.
    """

    table: TableName
    holds_personal_data: object
    columns: Mapping[str, Column]
    sql: str | None = None
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names_nobody: bool = False


# ------------------------------------------------------------------------------------------------------- the project
def relations_of(manifest: Mapping[str, Any]) -> list[Relation]:
    """Reads every relation of a compiled project out of dbt's manifest, each after those that it reads."""
    nodes = {
        key: node
        for key, node in {**manifest["sources"], **manifest["nodes"]}.items()
        if node["resource_type"] in RELATIONS
    }
    graph = {
        key: [parent for parent in node.get("depends_on", {}).get("nodes", ()) if parent in nodes]
        for key, node in nodes.items()
    }
    return [_relation(nodes[key]) for key in TopologicalSorter(graph).static_order()]


def _relation(node: Mapping[str, Any]) -> Relation:
    name = node["identifier"] if node["resource_type"] == "source" else node["alias"]
    metas = {column.lower(): declared["config"]["meta"] for column, declared in node["columns"].items()}
    is_query = node["resource_type"] in ("model", "snapshot")
    return Relation(
        table=(node["database"].lower(), node["schema"].lower(), name.lower()),
        holds_personal_data=node["config"]["meta"].get("holds_personal_data"),
        columns={column: Column(meta.get("personal"), meta.get("treatment")) for column, meta in metas.items()},
        sql=node["compiled_code"] if is_query else None,
        derived=snapshot_columns(node["config"]) if node["resource_type"] == "snapshot" else {},
        names_nobody=node["config"]["meta"].get("names_nobody") is True,
    )


def treated_columns(relations: Iterable[Relation]) -> set[str]:
    """The columns that declare a treatment, as `table.column`."""
    return {
        str(Origin(relation.table, name))
        for relation in relations
        for name, column in relation.columns.items()
        if column.treatment is not None
    }


def faults(relations: Iterable[Relation]) -> list[str]:
    """Says where the tags do not tell the truth, and where personal data is that may not be there.

    Args:
        relations: Each after those that it reads.

    Raises:
        LineageError: A column cannot be followed.
    """
    found: list[str] = []
    tables: dict[TableName, list[str]] = {}
    personal: dict[Origin, frozenset[Origin]] = {}  # of each column, the personal columns that it holds
    treated: set[Origin] = set()
    identifiers: set[Origin] = set()
    for relation in relations:
        untreated = False
        columns = _parents(relation, tables)
        tables[relation.table] = [*columns]
        for name, parents in columns.items():
            here = Origin(relation.table, name)
            column = relation.columns.get(name, Column())
            held = frozenset().union(*(personal[parent] for parent in parents))
            found += _faults_of_tag(here, column, held, is_loaded=relation.sql is None)
            if column.treatment is not None:
                treated.add(here)
            if column.treatment is not None or (relation.sql is None and column.personal is not None):
                held = frozenset({here})  # where personal data begins, or another value takes its place
                if column.personal == "identifier":
                    identifiers.add(here)
            personal[here] = held
            if relation.names_nobody and (naming := (held & identifiers) - treated):
                found.append(f"{here} holds {_listed(naming)}, and {here.table[2]} may name nobody")
            if held - treated:
                untreated = True
                if relation.holds_personal_data is False:
                    found.append(
                        f"{here} holds {_listed(held - treated)}, and {here.table[2]} may hold no personal data"
                    )
        found += _faults_of_flag(relation, untreated=untreated)
    return found


def _parents(relation: Relation, tables: Mapping[TableName, Iterable[str]]) -> dict[str, frozenset[Origin]]:
    """The columns that each column of a relation is worked out of, by name; those that dbt adds come last."""
    if relation.sql is None:
        return {name: frozenset() for name in relation.columns}
    own = {
        name: frozenset(Origin(relation.table, parent.lower()) for parent in parents)
        for name, parents in relation.derived.items()
    }
    return column_lineage(relation.sql, tables) | own


def _faults_of_tag(here: Origin, column: Column, origins: frozenset[Origin], *, is_loaded: bool) -> list[str]:
    if column.personal is None:
        if column.treatment is not None:
            return [f"{here} is treated, and not tagged"]
        return [f"{here} derives from {_listed(origins)}, and is not tagged"] if origins else []
    if column.personal not in KINDS:
        return [f"{here} is tagged {column.personal!r}, which is no kind of personal data"]
    if not origins and not is_loaded:
        return [f"{here} is tagged, and derives from nothing personal"]
    return []


def _faults_of_flag(relation: Relation, *, untreated: bool) -> list[str]:
    name = relation.table[2]
    if not isinstance(relation.holds_personal_data, bool):
        return [f"{name} does not say whether it holds personal data"]
    if relation.holds_personal_data and not untreated:
        return [f"{name} says that it holds personal data, and holds none"]
    return []


def _listed(origins: Iterable[Origin]) -> str:
    return ", ".join(sorted(map(str, origins)))
