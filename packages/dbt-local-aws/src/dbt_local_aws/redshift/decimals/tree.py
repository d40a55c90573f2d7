"""Reads the tree of an analysed query, as PostgreSQL's nodeToString() writes it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# A node is in braces, a list in parentheses; a backslash escapes what would end a name. A field begins with a colon.
_PART = re.compile(r"[(){}]|(?:\\.|[^\s(){}\\])+", re.DOTALL)
# What nobody asks for is most of a tree: fields of one word, and sets of columns
_ASKED_FOR = (
    "location|opfuncid|opresulttype|funcid|funcresulttype|funcformat|aggfnoid|aggtype|winfnoid|wintype|varno|varattno|vartype|"
    "vartypmod|varlevelsup|consttype|consttypmod|constisnull|constvalue|paramtype|paramtypmod|resno|rtekind|rtindex|ctename|"
    "ctelevelsup|subLinkType|resulttype|casetype|coalescetype|minmaxtype"
)
_NOT_ASKED_FOR = re.compile(rf":(?!(?:{_ASKED_FOR})\s)\w+\s+(?:\([bio][^(){{}}]*\)|[^\s:(){{}}\\]+)(?=[\s}}])")
_WRAPPED_BLANK = re.compile(r"\\\n")


@dataclass(slots=True)
class Node:
    """A node with its fields: further nodes, lists of them, and words."""

    kind: str
    fields: dict[str, Any]

    def node(self, field: str) -> "Node | None":
        """The node in a field, if there is one."""
        value = self.fields.get(field)
        return value if isinstance(value, Node) else None

    def nodes(self, field: str) -> list["Node"]:
        """The nodes in a list, which may be empty or missing."""
        value = self.fields.get(field)
        return [item for item in value if isinstance(item, Node)] if isinstance(value, list) else []

    def number(self, field: str) -> int:
        """The number in a field; -1 where there is none."""
        value = self.fields.get(field)
        return int(value) if isinstance(value, str) else -1

    def text(self, field: str) -> str:
        """The word, or the words, in a field."""
        value = self.fields.get(field)
        return value if isinstance(value, str) else ""

    def children(self) -> Iterator["Node"]:
        """The nodes right below."""
        for value in self.fields.values():
            yield from _nodes_in(value)


def _nodes_in(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _nodes_in(item)


def parse_tree(text: str) -> Node:
    """The root of a tree."""
    parts = _PART.findall(_NOT_ASKED_FOR.sub("", _WRAPPED_BLANK.sub(r"\\ ", text)))
    node, _ = _node(parts, 0)
    return node


def _node(parts: list[str], at: int) -> tuple[Node, int]:
    fields: dict[str, Any] = {}
    node = Node(parts[at + 1], fields)
    at += 2
    while parts[at] != "}":
        name = parts[at][1:]
        fields[name], at = _value(parts, at + 1)
    return node, at + 1


def _value(parts: list[str], at: int) -> tuple[Any, int]:
    if parts[at] == "{":
        return _node(parts, at)
    if parts[at] == "(":
        return _list(parts, at)
    start = at
    while parts[at] != "}" and not parts[at].startswith(":"):
        at += 1
    return " ".join(parts[start:at]), at


def _list(parts: list[str], at: int) -> tuple[list[Any], int]:
    items: list[Any] = []
    at += 1
    while parts[at] != ")":
        if parts[at] in ("{", "("):
            item, at = _node(parts, at) if parts[at] == "{" else _list(parts, at)
            items.append(item)
        else:
            items.append(parts[at])
            at += 1
    return items, at + 1
