"""The domains of the lineage, and where each relation stands in its domain's drawing: layers from left to right."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from lakehouse.site.lineage import LAYERS, Relation

STAGES = (
    {"landing", "seeds"},
    {"staging"},
    {"intermediate", "snapshots"},
    {"marts", "trusted"},
    {"curated"},
    {"funnel", "privacy"},
    {"report"},
)
"""The layers that share a column of the drawing. One that is not named here gets a column of its own, at the right."""
BOX, ROW, HEADING, GAP, MARGIN = 26, 34, 30, 32, 6
"""In the units of the drawing, which are CSS pixels where there is room: a box's height, from one box to the next, a
layer's heading, from one column to the next, and around it all."""
_LETTER, _PADDING, _DOT = 6.6, 20, 8
_SWEEPS = 8


@dataclass
class Box:
    """A relation in the drawing.

    Attributes:
        relation: What it stands for.
        number: Its own, on the page.
        x: Of its left edge.
        y: Of its upper edge.
        width: How broad it is.
        lineage: In whose lineage it is: `u3` if box 3 is made of it, `d3` if it is made of box 3.
    """

    relation: Relation
    number: int
    x: float = 0
    y: float = 0
    width: float = 0
    lineage: str = ""


@dataclass(frozen=True)
class Edge:
    """A line from what is read to what reads it.

    Attributes:
        path: As SVG has it.
        lineage: As a box has it.
    """

    path: str
    lineage: str


@dataclass(frozen=True)
class Heading:
    """A layer's name, above its boxes."""

    layer: str
    x: float
    y: float


@dataclass(frozen=True)
class Graph:
    """A domain's drawing.

    Attributes:
        boxes: In the order of the columns, from top to bottom.
        edges: Each relation's to what reads it.
        headings: The layers'.
        width: Of it all.
        height: Of it all.
    """

    boxes: Sequence[Box]
    edges: Sequence[Edge]
    headings: Sequence[Heading]
    width: float
    height: float


@dataclass(frozen=True)
class Domain:
    """Whose data it is.

    Attributes:
        name: Its own, as its folder has it.
        place: On the page; it has a hyphen, which no relation's has.
        layers: Each with what it holds, and its relations.
        graph: Its drawing, with what it reads of other domains.
    """

    name: str
    place: str
    layers: Sequence[tuple[str, str, Sequence[Relation]]]
    graph: Graph


def domains_of(lineage: Sequence[Relation]) -> list[Domain]:
    """Draws each domain of a lineage, whose relations come by domain and layer."""
    by_place = {relation.link.place: relation for relation in lineage}
    domains: list[Domain] = []
    number = 0
    for name, group in groupby(lineage, key=lambda relation: relation.domain):
        own = [*group]
        layers = [(layer, LAYERS.get(layer, ""), [*of_it]) for layer, of_it in groupby(own, key=lambda it: it.layer)]
        shown = {relation.link.place: relation for relation in own}
        for relation in own:
            shown |= {parent.place: by_place[parent.place] for parent in relation.made_of}
        graph = draw_graph([*shown.values()], number)
        domains.append(Domain(name, f"domain-{len(domains) + 1}", layers, graph))
        number += len(shown)
    return domains


def highlights(domains: Sequence[Domain]) -> str:
    """The style sheet that shows the lineage of a box at which somebody points: without a script."""
    numbers = [box.number for domain in domains for box in domain.graph.boxes]
    return "".join(
        f".graph:has(#g{n}:hover,#g{n}:focus-visible) .{side}{n}{{--seen:1;--edge:var(--{colour})}}\n"
        for n in numbers
        for side, colour in (("u", "chart-1"), ("d", "chart-2"))
    )


def draw_graph(relations: Sequence[Relation], first_number: int = 0) -> Graph:
    """Places the relations.

    Args:
        relations: What is drawn, each name of a place once, layer by layer.
        first_number: The number of the first box: no two drawings of a page share one.
    """
    boxes = {relation.link.place: Box(relation, first_number + i) for i, relation in enumerate(relations)}
    parents = {
        place: [parent.place for parent in box.relation.made_of if parent.place in boxes]
        for place, box in boxes.items()
    }
    columns = [
        column for stage in _stages(relations) if (column := [b for b in boxes.values() if b.relation.layer in stage])
    ]
    _order(columns, parents)
    headings = _place(columns)
    upstream, downstream = _reach(parents), _reach(_reversed(parents))

    def lineage(start: str, end: str) -> str:
        below = [f"u{number}" for number in sorted(boxes[place].number for place in downstream[end])]
        above = [f"d{number}" for number in sorted(boxes[place].number for place in upstream[start])]
        return " ".join([*below, *above])

    edges = []
    for place, box in boxes.items():
        box.lineage = lineage(place, place)
        edges += [Edge(_curve(boxes[parent], box), lineage(parent, place)) for parent in parents[place]]
    width = max((box.x + box.width for box in boxes.values()), default=0) + MARGIN
    height = max((box.y + BOX for box in boxes.values()), default=0) + MARGIN
    return Graph([box for column in columns for box in column], edges, headings, width, height)


def _stages(relations: Sequence[Relation]) -> list[Collection[str]]:
    named = set[str]().union(*STAGES)
    others = dict.fromkeys(relation.layer for relation in relations if relation.layer not in named)
    return [*STAGES, *({layer} for layer in others)]


def _reversed(parents: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {place: [] for place in parents}
    for place, read in parents.items():
        for parent in read:
            children[parent].append(place)
    return children


def _reach(neighbours: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """Each place with all that it leads to, itself included."""
    reached = {}
    for place in neighbours:
        found, waiting = {place}, [place]
        while waiting:
            new = set(neighbours[waiting.pop()]) - found
            found |= new
            waiting += new
        reached[place] = found
    return reached


def _order(columns: Sequence[list[Box]], parents: Mapping[str, Collection[str]]) -> None:
    """Puts each box at the height of its neighbours, to and fro, so that few lines cross: the barycentre method."""
    children = _reversed(parents)
    neighbours = {place: [*parents[place], *children[place]] for place in parents}
    layers = [*dict.fromkeys(box.relation.layer for column in columns for box in column)]
    height = {box.relation.link.place: row for column in columns for row, box in enumerate(column)}

    def wanted(box: Box) -> tuple[int, float, str]:
        near = [height[place] for place in neighbours[box.relation.link.place]]
        own = height[box.relation.link.place]
        return layers.index(box.relation.layer), sum(near) / len(near) if near else own, box.relation.label

    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            column.sort(key=wanted)
            height |= {box.relation.link.place: row for row, box in enumerate(column)}


def _place(columns: Sequence[Sequence[Box]]) -> list[Heading]:
    """Gives the boxes their places, each column half-way up."""
    headings, x = [], float(MARGIN)
    heights = [HEADING * len({box.relation.layer for box in column}) + ROW * len(column) for column in columns]
    for column, height in zip(columns, heights, strict=True):
        y, width = MARGIN + (max(heights) - height) / 2, max(_width(box) for box in column)
        for layer, boxes in groupby(column, key=lambda box: box.relation.layer):
            headings.append(Heading(layer, x, y + HEADING / 2))
            y += HEADING
            for box in boxes:
                box.x, box.y, box.width = x, y, width
                y += ROW
        x += width + GAP
    return headings


def _width(box: Box) -> float:
    """A box for its text, as far as one can say without a browser: letters of 12 px, not all of them broad."""
    return (
        _PADDING
        + _LETTER * max(len(box.relation.label), len(box.relation.layer))
        + (_DOT if box.relation.holds_personal_data else 0)
    )


def _curve(start: Box, end: Box) -> str:
    """From a box to one further right; to one of the same column, or further left, around their left edges."""
    y, to_y = start.y + BOX / 2, end.y + BOX / 2
    if end.x > start.x:
        x, to_x = start.x + start.width, end.x
        bend = (to_x - x) / 2 if to_x - x <= GAP else GAP
        return f"M{x:g} {y:g}C{x + bend:g} {y:g} {to_x - bend:g} {to_y:g} {to_x:g} {to_y:g}"
    x, to_x = start.x, end.x
    out = min(x, to_x) - GAP / 2
    return f"M{x:g} {y:g}C{out:g} {y:g} {out:g} {to_y:g} {to_x:g} {to_y:g}"
