"""What is made of what: the relations of the project and their columns, out of dbt's manifest of a compiled project.

Tests are left out. Columns are followed through the compiled SQL, so nothing is asked of a database.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from lakehouse.site.column_lineage import LineageError, Origin, TableName, column_lineage, snapshot_columns

LAYERS = {
    "landing": "raw records, as they came",
    "seeds": "what is known beforehand",
    "staging": "one row a record, with our names, types and times",
    "intermediate": "what several models need",
    "snapshots": "what was so, and when",
    "trusted": "published: who consents, and their readings",
    "marts": "published: the star, events and sessions",
    "curated": "published: joined for use",
    "funnel": "where each record ends, and why",
    "privacy": "who consented when, and who can be found again",
    "report": "what the report draws",
}
"""The layers in the order of the data's way, each with what it holds. One that is not named here comes last."""
_LOADED = ("source", "seed")
_RESERVED = {"content"}
_LONGEST_REASON = 160


@dataclass(frozen=True)
class Link:
    """A name that leads to a place on the page; to none if the place is empty."""

    name: str
    place: str = ""


@dataclass
class Column:
    """A column as the page has it.

    Attributes:
        name: Its own.
        link: Its relation's name and its own, and its place on the page.
        type: As the YAML declares it; may be empty.
        description: In Markdown; may be empty.
        personal: Which kind of personal data it holds, or is worked out of; may be empty.
        made_of: The columns that its values are worked out of; none if it is loaded, or a constant.
        begins_in: The columns where that ends: of what is loaded, or of what cannot be followed. Itself if it is one.
        read_by: The columns that are worked out of it.
    """

    name: str
    link: Link
    type: str = ""
    description: str = ""
    personal: str = ""
    made_of: list[Link] = field(default_factory=list)
    begins_in: list[Link] = field(default_factory=list)
    read_by: list[Link] = field(default_factory=list)


@dataclass
class Relation:
    """A source's table, seed, model or snapshot as the page has it.

    Attributes:
        link: Its name, and its place on the page.
        label: Its name, without what its layer says already.
        domain: Whose data it is.
        layer: One of `LAYERS`, or another folder's name.
        table: Schema and name, as a query has them.
        description: In Markdown; may be empty.
        is_loaded: Whether it is loaded, and not made of others.
        holds_personal_data: Whether its `meta` says so.
        owner: Whose group it belongs to; may be empty.
        made_of: The relations that it reads.
        read_by: The relations that read it, and the exposures with their owners.
        columns: In their order.
        unread: Why its columns cannot be followed; empty if they are.
    """

    link: Link
    label: str
    domain: str
    layer: str
    table: str
    description: str
    is_loaded: bool
    holds_personal_data: bool
    owner: str = ""
    made_of: list[Link] = field(default_factory=list)
    read_by: list[Link] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    unread: str = ""


def read_lineage(manifest: Mapping[str, Any]) -> list[Relation]:
    """Reads the relations of a compiled project, by domain, layer and name. Sources that no model reads are left out.

    Args:
        manifest: dbt's manifest, as JSON has it.
    """
    nodes = _nodes_in_order(manifest)
    places, layers = _Places(), [*LAYERS]
    relations: dict[str, Relation] = {}
    for key, node in nodes.items():
        relations[key] = relation = _relation(node, [relations[parent] for parent in _parents(node, nodes)], places)
        for parent in _parents(node, nodes):
            relations[parent].read_by.append(relation.link)
    for exposure in manifest.get("exposures", {}).values():
        name = f"{exposure.get('label') or exposure['name']} ({exposure['owner'].get('name') or exposure['type']})"
        for parent in _parents(exposure, nodes):
            relations[parent].read_by.append(Link(name))
    _adopt_sources(relations)
    _follow_columns(nodes, relations, manifest["metadata"]["adapter_type"], places)
    owners = {group["name"]: group["owner"].get("name") or "" for group in manifest.get("groups", {}).values()}
    for key, relation in relations.items():
        relation.owner = owners.get(nodes[key].get("group") or "", "")

    def place(relation: Relation) -> tuple[str, int, str, str]:
        position = layers.index(relation.layer) if relation.layer in layers else len(layers)
        return relation.domain, position, relation.layer, relation.label

    return sorted(relations.values(), key=place)


def _nodes_in_order(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What is shown, by its unique id, each after those that it reads."""
    loaded = {key: node for key, node in {**manifest["sources"], **manifest["nodes"]}.items() if _kind(node) in _LOADED}
    made = {key: node for key, node in manifest["nodes"].items() if _kind(node) in ("model", "snapshot")}
    read = {parent for node in made.values() for parent in node["depends_on"]["nodes"]}
    nodes = {**{key: node for key, node in loaded.items() if key in read}, **made}
    order = TopologicalSorter({key: _parents(node, nodes) for key, node in sorted(nodes.items())}).static_order()
    return {key: nodes[key] for key in order}


def _parents(node: Mapping[str, Any], nodes: Mapping[str, object]) -> list[str]:
    return [parent for parent in node.get("depends_on", {}).get("nodes", ()) if parent in nodes]


def _kind(node: Mapping[str, Any]) -> str:
    return str(node["resource_type"])


class _Places:
    """Gives every relation and column a place of its own on the page, whatever its name is."""

    def __init__(self) -> None:
        self._taken = set(_RESERVED)

    def of(self, *names: str) -> str:
        wanted = place = "__".join(re.sub(r"\W", "_", name) for name in names) or "unnamed"
        number = 2
        while place in self._taken:
            place, number = f"{wanted}_{number}", number + 1
        self._taken.add(place)
        return place


def _relation(node: Mapping[str, Any], parents: Sequence[Relation], places: _Places) -> Relation:
    is_loaded, name = _kind(node) in _LOADED, _name(node)
    domain, layer = _domain_and_layer(node, parents)
    return Relation(
        link=Link(name, places.of(name)),
        label=re.sub(rf"^(stg|int)_{re.escape(domain)}__", "", name),
        domain=domain,
        layer=layer,
        table=f"{node['schema']}.{name}",
        description=node.get("description") or "",
        is_loaded=is_loaded,
        holds_personal_data=node["config"].get("meta", {}).get("holds_personal_data") is True,
        made_of=[parent.link for parent in parents],
    )


def _name(node: Mapping[str, Any]) -> str:
    return str(node["identifier"] if _kind(node) == "source" else node["alias"])


def _domain_and_layer(node: Mapping[str, Any], parents: Sequence[Relation]) -> tuple[str, str]:
    """A model lies in the folders of its domain and layer; a snapshot belongs to what it is made of."""
    folders = node["fqn"][1:-1]
    match _kind(node):
        case "source":
            return node["source_name"], "landing"
        case "model" if len(folders) > 1:
            return folders[0], folders[1]
        case "model":
            return (folders or [node["package_name"]])[0], "models"
        case kind:
            return parents[0].domain if parents else node["package_name"], f"{kind}s"


def _adopt_sources(relations: Mapping[str, Relation]) -> None:
    """Counts what is loaded into no domain that has models to that of the first model that reads it."""
    by_place = {relation.link.place: relation for relation in relations.values()}
    domains = {relation.domain for relation in relations.values() if not relation.is_loaded}
    for relation in relations.values():
        if relation.domain not in domains:
            relation.domain = by_place[relation.read_by[0].place].domain


def _follow_columns(
    nodes: Mapping[str, Mapping[str, Any]], relations: Mapping[str, Relation], dialect: str, places: _Places
) -> None:
    """Gives the relations their columns; the nodes come each after those that it reads."""
    known: dict[TableName, dict[str, Column]] = {}
    for key, node in nodes.items():
        relation = relations[key]
        read = _tables_read(node, nodes)
        try:
            origins = _origins(node, {table: known[table] for table in read}, dialect)
        except LineageError as error:
            relation.unread = _reason(error)
            origins = {name.lower(): frozenset[Origin]() for name in node["columns"]}
        known[_table(node)] = own = {}
        for name, column in _columns(node, origins, places):
            parents = [known[origin.table][origin.column] for origin in sorted(origins[name]) if origin.table in known]
            column.made_of = [parent.link for parent in parents]
            ends = [column.link] if relation.is_loaded or relation.unread else []
            column.begins_in = ends or [*dict.fromkeys(end for parent in parents for end in parent.begins_in)]
            for parent in parents:
                parent.read_by.append(column.link)
            own[name] = column
        relation.columns = [*own.values()]


def _tables_read(node: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[TableName]:
    """The tables in a node's SQL: what an ephemeral model reads stands in the SQL of what reads that model."""
    for parent in _parents(node, nodes):
        yield _table(nodes[parent])
        if nodes[parent]["config"].get("materialized") == "ephemeral":
            yield from _tables_read(nodes[parent], nodes)


def _table(node: Mapping[str, Any]) -> TableName:
    return str(node["database"]).lower(), str(node["schema"]).lower(), _name(node).lower()


def _origins(
    node: Mapping[str, Any], read: Mapping[TableName, Iterable[str]], dialect: str
) -> dict[str, frozenset[Origin]]:
    """The columns that each column of a relation is worked out of, by its name in small letters.

    Raises:
        LineageError: They cannot be followed.
    """
    if _kind(node) in _LOADED:
        return {name.lower(): frozenset() for name in node["columns"]}
    if not node.get("compiled_code"):
        raise LineageError("it is not compiled")
    origins = column_lineage(node["compiled_code"], read, dialect)
    if _kind(node) == "snapshot":
        for column, keys in snapshot_columns(node["config"]).items():
            origins[column] = frozenset().union(*(origins.get(key.lower(), frozenset()) for key in keys))
    return origins


def _columns(node: Mapping[str, Any], names: Iterable[str], places: _Places) -> Iterable[tuple[str, Column]]:
    """The columns of a relation, with what the YAML says of them, by their names in small letters."""
    declared = {name.lower(): column for name, column in node["columns"].items()}
    for name in names:
        told = declared.get(name, {})
        shown = told.get("name", name)
        yield (
            name,
            Column(
                name=shown,
                link=Link(f"{_name(node)}.{shown}", places.of(_name(node), shown)),
                type=told.get("data_type") or "",
                description=told.get("description") or "",
                personal=told.get("config", {}).get("meta", {}).get("personal") or "",
            ),
        )


def _reason(error: LineageError) -> str:
    """An error's first line, without the colours and the SQL that sqlglot puts behind it."""
    first = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0]
    return first.removesuffix(", in:")[:_LONGEST_REASON]
