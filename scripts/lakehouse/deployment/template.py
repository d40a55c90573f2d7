"""The CloudFormation template as text, and what the commands read of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lakehouse.deployment.account import DeploymentError

TEMPLATE = "infra/lakehouse.yaml"


class _Loader(yaml.SafeLoader):
    """Takes CloudFormation's short forms (!Ref, !Sub) for their arguments: nothing here looks into them."""


def _argument(loader: _Loader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    return loader.construct_mapping(node) if isinstance(node, yaml.MappingNode) else None


_Loader.add_multi_constructor("!", _argument)


@dataclass(frozen=True)
class Template:
    """A template of CloudFormation.

    Attributes:
        text: As it is sent.
        defaults: The parameters by name, with their defaults as CloudFormation has them.
    """

    text: str
    defaults: Mapping[str, str]

    @classmethod
    def read(cls, project: Path) -> "Template":
        """The project's."""
        text = (project / TEMPLATE).read_text(encoding="utf-8")
        declared: Mapping[str, Any] = yaml.load(text, Loader=_Loader)["Parameters"]  # noqa: S506 - a SafeLoader
        return cls(text, {name: str(parameter["Default"]) for name, parameter in declared.items()})

    def checked(self, settings: Sequence[str]) -> dict[str, str]:
        """Parameters that a person gave as NAME=VALUE.

        Raises:
            DeploymentError: One is no parameter.
        """
        given: dict[str, str] = {}
        for setting in settings:
            name, equals, value = setting.partition("=")
            if not equals or name not in self.defaults:
                raise DeploymentError(
                    f"--set {setting}: write NAME=VALUE, with a NAME of {', '.join(sorted(self.defaults))}; "
                    f"{TEMPLATE} says what each is"
                )
            given[name] = value
        return given
