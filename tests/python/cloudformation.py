"""The template of infra/ as tests look at it: with its conditions decided, and as far as moto's CloudFormation goes."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]
from moto.cloudformation import parsing  # noqa: F401 - imports every service that CloudFormation makes something of
from moto.core.common_models import CloudFormationModel

from lakehouse.deployment.template import TEMPLATE, Template
from real_data import PROJECT_DIR

Node = dict[str, Any]
_NOTHING = object()
_OPEN = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}]}


def template() -> Node:
    """The template with its functions in the long form, as JSON has it."""
    return dict(json.loads(_as_json()))


@cache
def _as_json() -> str:
    return json.dumps(load(str(PROJECT_DIR / TEMPLATE)))


def decided(parameters: Mapping[str, str]) -> Node:
    """The template with what its conditions leave of it, for some parameters beside the defaults."""
    found = template()
    values = {name: str(parameter["Default"]) for name, parameter in found["Parameters"].items()} | dict(parameters)
    conditions = found["Conditions"]

    def holds(condition: object) -> bool:
        if isinstance(condition, str):
            return holds(conditions[condition])
        assert isinstance(condition, dict)
        ((function, arguments),) = condition.items()
        match function:
            case "Condition":
                return holds(arguments)
            case "Fn::Not":
                return not holds(arguments[0])
            case "Fn::And":
                return all(map(holds, arguments))
            case "Fn::Or":
                return any(map(holds, arguments))
        assert function == "Fn::Equals"
        left, right = (values[_reference(side)] if isinstance(side, dict) else side for side in arguments)
        return bool(left == right)

    def choose(node: object) -> object:
        if isinstance(node, dict):
            if node.keys() == {"Fn::If"}:
                condition, then, otherwise = node["Fn::If"]
                return choose(then if holds(condition) else otherwise)
            if node == {"Ref": "AWS::NoValue"}:
                return _NOTHING
            chosen = {key: choose(value) for key, value in node.items()}
            return {key: value for key, value in chosen.items() if value is not _NOTHING}
        if isinstance(node, list):
            return [value for value in map(choose, node) if value is not _NOTHING]
        return node

    for section in ("Resources", "Outputs"):
        found[section] = {
            name: choose({key: value for key, value in part.items() if key != "Condition"})
            for name, part in found[section].items()
            if holds(part.get("Condition", {"Fn::Equals": ["", ""]}))
        }
    return found


def unknown_to_moto() -> set[str]:
    """The types of the template's resources of which moto makes nothing."""
    known = {kind.cloudformation_type() for kind in _below(CloudFormationModel)}
    return {resource["Type"] for resource in template()["Resources"].values()} - known


def for_moto(**parameters: str) -> Template:
    """The template that moto takes, for some parameters: what it does not know is a name, in lower case."""
    found, unknown_types = decided(parameters), unknown_to_moto()
    unknown = {name for name, resource in found["Resources"].items() if resource["Type"] in unknown_types}
    found["Resources"] = {
        name: _as_moto_takes_it(resource) for name, resource in found["Resources"].items() if name not in unknown
    }
    del found["Rules"], found["Conditions"], found["Metadata"]
    defaults = {name: str(parameter["Default"]) for name, parameter in found["Parameters"].items()}
    return Template(json.dumps(_without(found, unknown)), defaults)


def _as_moto_takes_it(resource: Node) -> Node:
    if resource["Type"] == "AWS::KMS::Key":
        del resource["Properties"]["Tags"]  # moto looks for keys of another name in them
        resource["Properties"]["KeyPolicy"] = json.dumps(_OPEN)  # it keeps a policy as it is, and takes it for text
    if resource["Type"] == "AWS::S3::Bucket":
        resource["Properties"]["BucketName"] = "lake-of-moto"  # it cannot update one without
    if resource.get("DeletionPolicy") == "RetainExceptOnCreate":
        resource["DeletionPolicy"] = "Retain"  # moto knows this one only
    return resource


def _without(node: object, names: set[str]) -> object:
    if isinstance(node, dict):
        if node.keys() == {"Ref"} and node["Ref"] in names:
            return f"arn:aws:none:::{node['Ref'].lower()}"
        if node.keys() == {"Fn::GetAtt"} and node["Fn::GetAtt"][0] in names:
            return f"arn:aws:none:::{'.'.join(node['Fn::GetAtt']).lower()}"
        return {key: _without(value, names) for key, value in node.items() if key != "DependsOn"}
    if isinstance(node, list):
        return [_without(value, names) for value in node]
    if isinstance(node, str):
        return re.sub(r"\$\{(\w+)(\.[\w.]+)?\}", lambda it: it[1].lower() if it[1] in names else it[0], node)
    return node


def _reference(node: Node) -> str:
    """The parameter that a condition compares: by itself, or a list that is joined."""
    return str(node["Ref"] if "Ref" in node else node["Fn::Join"][1]["Ref"])


def _below(kind: type) -> Iterator[Any]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)
