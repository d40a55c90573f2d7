"""The lineage page: of projects that nobody would make on purpose, and of this one, against what is known by hand."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dbt_project import DbtProject
from lakehouse.site.lineage import LAYERS, Column, Relation, read_lineage
from lakehouse.site.lineage_graph import BOX, STAGES, domains_of
from lakehouse.site.pages import write_lineage
from site_pages import Page
from test_personal_data import BuiltProject, manifest_of
from test_site import assert_is_safe

pytestmark = pytest.mark.quick

Node = dict[str, Any]
UNREAD = "Its columns cannot be followed:"


# ----------------------------------------------------------------------------------------------- projects made up here
def node(name: str, sql: str | None, *reads: str, folders: Sequence[str] = ("shop", "marts"), **told: Any) -> Node:  # noqa: ANN401
    """A model as dbt's manifest has it, which reads others by their names: `source.…` if they are loaded."""
    made: Node = {
        "resource_type": "model", "package_name": "p", "fqn": ["p", *folders, name], "database": "d", "schema": "s",
        "alias": name, "compiled_code": sql, "columns": {}, "config": {"meta": {}}, "description": "",
        "depends_on": {"nodes": [read if read.startswith("source.") else f"model.{read}" for read in reads]},
    }  # fmt: skip
    return made | told


def source(name: str, *columns: str, of: str = "shop") -> Node:
    declared = {column: {"name": column, "config": {}} for column in columns}
    return {
        "resource_type": "source", "fqn": ["p", of, name], "source_name": of, "identifier": name,
        "database": "d", "schema": "s", "columns": declared, "config": {"meta": {}}, "description": "",
    }  # fmt: skip


def manifest(*nodes: Node) -> Node:
    loaded = {f"source.{each['identifier']}": each for each in nodes if each["resource_type"] == "source"}
    made = {f"model.{each['alias']}": each for each in nodes if each["resource_type"] == "model"}
    return {"metadata": {"adapter_type": "duckdb"}, "sources": loaded, "nodes": made, "exposures": {}}


def drawn(folder: Path, project: Mapping[str, Any]) -> Page:
    (folder / "manifest.json").write_text(json.dumps(project))
    page = Page(write_lineage(folder, folder / "manifest.json"))
    assert_is_safe(page)
    places = {place[1:] for place in page.all("href") if place.startswith("#")}
    assert places <= {*page.all("id")}
    return page


def relations(project: Mapping[str, Any]) -> dict[str, Relation]:
    return {relation.link.name: relation for relation in read_lineage(project)}


def columns(project: Mapping[str, Any]) -> dict[str, Column]:
    return {column.link.name: column for relation in read_lineage(project) for column in relation.columns}


def names(links: Sequence[Any]) -> list[str]:
    return sorted(link.name for link in links)


def test_a_column_is_followed_to_the_raw_data_and_to_what_reads_it() -> None:
    project = manifest(
        source("raw", "Id", "Size"),
        node(
            "a",
            'with r as (select * from d.s.raw) select "Id" as id, "Size" * 2 as area, 1 as one from r',
            "source.raw",
        ),
        node("b", "select sum(area) as total, count(*) as n from d.s.a group by id having max(id) > 1", "a"),
    )
    of = columns(project)
    assert (names(of["a.id"].made_of), names(of["a.id"].read_by)) == (["raw.Id"], [])
    assert names(of["b.total"].made_of) == ["a.area"]
    assert names(of["b.total"].begins_in) == ["raw.Size"]
    assert names(of["raw.Size"].read_by) == ["a.area"]
    assert (of["a.one"].made_of, of["b.n"].made_of, of["b.n"].begins_in) == ([], [], [])


@pytest.mark.parametrize(
    "sql",
    [
        "select frm frm frm (",
        "",
        None,
        "select nothing_known from d.s.raw",
        "select * from d.s.elsewhere",
        "from d.s.raw pivot (sum(\"Id\") for \"Size\" in (1, 2))) x",
        "insert into d.s.raw values (1)",
        "select \"Id\", \"Id\" + 1 from d.s.raw union by name select \"Size\" from d.s.raw",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_sentence_and_the_rest_is_drawn(tmp_path: Path, sql: str | None) -> None:
    """What reads it is followed as far as to it, where the YAML names its columns."""
    declared = {"Kept": {"name": "Kept", "config": {"meta": {}}}}
    project = manifest(
        source("raw", "Id", "Size"),
        node("odd", sql, "source.raw", columns=declared),
        node("silent", sql, "source.raw"),
        node("after", 'select "Kept" as kept from d.s.odd', "odd"),
        node("lost", "select kept from d.s.silent", "silent"),
    )
    page = drawn(tmp_path, project)
    assert page.words.count(UNREAD) == 3  # odd, silent and lost
    assert page.words.count("No column of it is known.") == 2
    assert "\x1b" not in page.words
    followed = columns(project)["after.kept"]
    assert (names(followed.made_of), names(followed.begins_in)) == (["odd.Kept"], ["odd.Kept"])


def test_a_source_without_columns_is_said_to_be_unknown(tmp_path: Path) -> None:
    page = drawn(tmp_path, manifest(source("raw"), node("a", "select * from d.s.raw", "source.raw")))
    assert UNREAD in page.words


def test_what_an_ephemeral_model_reads_is_followed() -> None:
    """Its SQL stands, by dbt, in the SQL of what reads it: the column is said to come from where that SQL takes it."""
    project = manifest(
        source("raw", "x"),
        node("e", "select x from d.s.raw", "source.raw", config={"materialized": "ephemeral"}),
        node("a", "with __dbt__cte__e as (select x from d.s.raw) select x from __dbt__cte__e", "e"),
    )
    assert names(columns(project)["a.x"].made_of) == ["raw.x"]


def test_names_of_any_kind_have_places_of_their_own(tmp_path: Path) -> None:
    odd = ["content", "a b", "a_b", "Größe", "日本", 'x"><script>alert(1)</script>', "", "l" * 300]
    models = [node(name, 'select 1 as "c d", 2 as c_d, "x y" as "Z" from d.s.raw', "source.raw") for name in odd]
    page = drawn(tmp_path, manifest(source("raw", "x y"), *models))
    articles = page.named("article")
    assert len({article["id"] for article in articles}) == len(odd) + 1
    assert UNREAD not in page.words


def test_descriptions_are_markdown_that_does_nothing(tmp_path: Path) -> None:
    told = (
        "# Loud\n\n<script>alert(1)</script> **bold** `code` ![seen](https://example.org/x.png) "
        "[bad](javascript:alert(1)) [docs](#!/model/model.p.a)\n\n```sql\nselect 1\n```"
    )
    (tmp_path / "manifest.json").write_text(json.dumps(manifest(node("a", "select 1 as c", description=told))))
    page = Page(write_lineage(tmp_path, tmp_path / "manifest.json"))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img"})
    assert len(page.named("h1")) == 1
    assert {"strong", "code", "pre"} <= {tag for tag, _ in page.tags}
    assert "static_index.html#!/model/model.p.a" in page.all("href")
    assert not [place for place in page.all("href") if place.startswith("javascript")]


def test_any_folders_and_domains_are_drawn(tmp_path: Path) -> None:
    project = manifest(
        source("raw", "x", of="loader"),
        source("unread", "x", of="shop"),
        node("rootless", "select x from d.s.raw", "source.raw", folders=()),
        node("of_a_new_layer", "select x from d.s.rootless", "rootless", folders=("shop", "gold")),
        node("of_another_domain", "select x from d.s.of_a_new_layer", "of_a_new_layer", folders=("office", "marts")),
        node("alone", "select 1 as x", folders=("office", "marts")),
    )
    of = relations(project)
    assert "unread" not in of
    assert {name: relation.domain for name, relation in of.items()} == {
        "raw": "p", "rootless": "p", "of_a_new_layer": "shop", "of_another_domain": "office", "alone": "office",
    }  # fmt: skip
    shown = {d.name: {box.relation.link.name for box in d.graph.boxes} for d in domains_of(read_lineage(project))}
    assert shown["shop"] == {"rootless", "of_a_new_layer"}
    assert shown["office"] == {"of_a_new_layer", "of_another_domain", "alone"}
    drawn(tmp_path, project)


def test_owners_and_who_reads_it_outside_of_the_project_are_named(tmp_path: Path) -> None:
    project = manifest(node("a", "select 1 as x", group="shop"), node("b", "select x from d.s.a", "a"))
    project["groups"] = {"group.p.shop": {"name": "shop", "owner": {"name": "The shop", "email": "x@example.com"}}}
    owners = ({"name": "Ada"}, {"email": "ada@example.com"})
    project["exposures"] = {
        f"exposure.p.e{i}": {
            "name": f"e{i}",
            "label": label,
            "type": "ml",
            "owner": owner,
            "depends_on": {"nodes": ["model.b"]},
        }
        for i, (label, owner) in enumerate(zip(("The set", None), owners, strict=True))
    }
    words = drawn(tmp_path, project).words
    assert "s.a , owned by The shop" in words
    assert "Read by The set (Ada) e1 (ml)" in words


def test_a_project_without_models_says_so(tmp_path: Path) -> None:
    assert "The project has no models." in drawn(tmp_path, manifest(source("raw", "x"))).words


def test_a_long_chain_and_a_crowd_are_drawn(tmp_path: Path) -> None:
    chain = [node(f"m{i}", f"select x from d.s.m{i - 1}", f"m{i - 1}") for i in range(1, 60)]  # noqa: S608
    project = manifest(source("raw", "x"), node("m0", "select x from d.s.raw", "source.raw"), *chain)
    assert names(columns(project)["m59.x"].begins_in) == ["raw.x"]
    drawn(tmp_path, project)


# ------------------------------------------------------------------------------------------------------ this project
@pytest.fixture(scope="module")
def project(built_project: BuiltProject) -> DbtProject:
    return built_project("sample")


@pytest.fixture(scope="module")
def compiled(project: DbtProject) -> Mapping[str, Any]:
    return manifest_of(project)


@pytest.fixture(scope="module")
def lineage(compiled: Mapping[str, Any]) -> list[Relation]:
    return read_lineage(compiled)


@pytest.mark.parametrize(
    ("column", "raw"),
    [
        ("songplays.user_id", "staging_events.userId"),
        ("songplays.song_id", "staging_songs.song_id"),
        ("songplays.song_title", "staging_events.song text_repairs.repaired_text"),
        ("time.hour", "staging_events.ts"),
        ("users.level", "staging_events.itemInSession staging_events.level staging_events.sessionId staging_events.ts"),
        ("songs.duration", "staging_songs.duration"),
        ("listeners_daily.sessions", "staging_events.sessionId"),
        ("machine_learning_curated_v2.x", "accelerometer_landing.x"),
        ("machine_learning_curated_v2.distance_from_object", "step_trainer_landing.distanceFromObject"),
        ("customer_trusted.birth_day", "customer_landing.birthDay"),
        ("consent_history.customer_pseudonym", "customer_identities.customer_pseudonym"),
        ("consent_history.known_from", ""),
    ],
)
def test_columns_begin_where_one_knows_that_they_do(lineage: Sequence[Relation], column: str, raw: str) -> None:
    (found,) = (own for relation in lineage for own in relation.columns if own.link.name == column)
    assert names(found.begins_in) == raw.split()


def test_every_column_is_followed_and_every_layer_has_its_place(lineage: Sequence[Relation]) -> None:
    assert {relation.link.name: relation.unread for relation in lineage if relation.unread} == {}
    assert {relation.layer for relation in lineage} <= LAYERS.keys()
    assert set[str]().union(*STAGES) == LAYERS.keys()
    assert {relation.domain for relation in lineage} == {"sparkify", "stedi"}
    declared = {(r.link.name, c.name) for r in lineage for c in r.columns if c.type}
    assert len(declared) > 100


def test_boxes_do_not_overlap(lineage: Sequence[Relation]) -> None:
    for domain in domains_of(lineage):
        boxes = domain.graph.boxes
        assert max(box.x + box.width for box in boxes) <= domain.graph.width
        for i, one in enumerate(boxes):
            for other in boxes[i + 1 :]:
                beside = one.x + one.width <= other.x or other.x + other.width <= one.x
                assert beside or abs(one.y - other.y) >= BOX, (one.relation.label, other.relation.label)


def test_every_model_and_every_edge_of_the_manifest_is_on_the_page(
    compiled: Mapping[str, Any], project: DbtProject, tmp_path: Path
) -> None:
    page = Page(write_lineage(tmp_path, project.folder / "target/manifest.json"))
    assert_is_safe(page)
    made = {key: each for key, each in compiled["nodes"].items() if each["resource_type"] in ("model", "snapshot")}
    named = {key: each["alias"] for key, each in made.items()}
    named |= {key: each["identifier"] for key, each in compiled["sources"].items()}
    edges = {
        (named[parent], named[key])
        for key, each in made.items()
        for parent in each["depends_on"]["nodes"]
        if parent in named
    }
    assert len(edges) > 100
    article, found = "", set()
    for tag, attributes in page.tags:
        if tag == "article":
            article = attributes["id"]
        elif attributes.get("class") == "chip" and article:
            found.add((attributes["href"][1:], article) if "href" in attributes else ("", ""))
        elif tag == "h2":
            article = ""
    assert {article["id"] for article in page.named("article")} >= {named[key] for key in made}
    both = edges | {(child, parent) for parent, child in edges}
    assert found - {("", "")} == both
    assert len([path for path in page.named("path") if "edge" in path["class"]]) == len(edges)
    boxes = {box["aria-label"] for box in page.named("a") if "box" in box.get("class", "")}
    assert boxes >= {named[key] for key in made}


def test_personal_columns_are_marked(compiled: Mapping[str, Any], lineage: Sequence[Relation]) -> None:
    kinds = {column.link.name: column.personal for relation in lineage for column in relation.columns}
    assert (kinds["songplays.user_id"], kinds["songplays.level"]) == ("identifier", "")
    tagged = {
        f"{each['alias']}.{name}"
        for each in compiled["nodes"].values() if each["resource_type"] == "model"
        for name, column in each["columns"].items() if column["config"]["meta"].get("personal")
    }  # fmt: skip
    assert len(tagged) > 50
    assert {name for name in tagged if not kinds[name]} == set()


def test_the_docs_begin_with_where_to_begin(compiled: Mapping[str, Any]) -> None:
    """Every link of the docs' first page leads to something, and it fits a screen or two."""
    (text,) = (
        block["block_contents"] for key, block in compiled["docs"].items() if key.endswith("lakehouse.__overview__")
    )
    places = re.findall(r"\(#!/\w+/([\w.]+)\)", text)
    assert len(places) > 10
    assert {place for place in places if place not in compiled["nodes"]} == set()
    assert "(lineage.html)" in text
    assert len(text.splitlines()) < 50
