"""The package is installed without its dependencies: the project's pins must be what it asks for."""

import re
from importlib.metadata import distribution, version

import pytest
from packaging.requirements import Requirement

from real_data import PROJECT_DIR

pytestmark = pytest.mark.quick

PINS = dict(
    re.findall(
        r"^([\w.-]+)==([^ ;]+)",
        "".join((PROJECT_DIR / "requirements" / name).read_text() for name in ("local_aws.txt", "serving.txt")),
        re.MULTILINE,
    )
)


@pytest.mark.parametrize("extra", ["", "athena", "redshift", "cassandra"])
def test_the_pins_of_a_local_run_are_what_the_package_asks_for(extra: str) -> None:
    asked = [Requirement(text) for text in distribution("dbt-local-aws").requires or []]
    of_extra = [one for one in asked if (one.marker is None) == (not extra)]
    of_extra = [one for one in of_extra if one.marker is None or one.marker.evaluate({"extra": extra})]
    assert of_extra
    assert {one.name: PINS.get(one.name) for one in of_extra if PINS.get(one.name, "0") not in one.specifier} == {}


def test_what_is_installed_is_this_checkout() -> None:
    told = re.search(
        r'^version = "(.+)"$', (PROJECT_DIR / "packages/dbt-local-aws/pyproject.toml").read_text(), re.MULTILINE
    )
    assert told
    assert version("dbt-local-aws") == told[1]
