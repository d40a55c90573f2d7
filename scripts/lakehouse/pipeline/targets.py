"""Whether an engine can be asked at all: told in one sentence, before dbt fails at it in several."""

import os
import re
from pathlib import Path

import yaml

from lakehouse.environment import environment_name
from lakehouse.errors import SettingsError

PROFILE = "lakehouse"
_NEEDED = re.compile(r"env_var\('(\w+)', '[^']*\bset-\1\b")
"""A variable whose default is a reminder to set it."""
_READ = re.compile(r"env_var\('(\w+)'")


def check_target(project_dir: Path, target: str) -> None:
    """Checks that profiles.yml has the target, and the environment a good name and what the target cannot do without.

    Raises:
        SettingsError: One of them has not.
    """
    environment_name()
    profiles = project_dir / "profiles.yml"
    if not profiles.is_file():
        raise SettingsError(f"{profiles} is missing: `make run` makes it, or copy profiles.example.yml")
    outputs = yaml.safe_load(profiles.read_text(encoding="utf-8"))[PROFILE]["outputs"]
    if target not in outputs:
        raise SettingsError(f"{target} is no target: {profiles} has {', '.join(outputs)}")
    settings = "\n".join(str(setting) for setting in outputs[target].values())
    missing = [name for name in dict.fromkeys(_NEEDED.findall(settings)) if not os.environ.get(name)]
    if missing:
        others = [name for name in dict.fromkeys(_READ.findall(settings)) if name not in missing]
        raise SettingsError(
            f"{target} needs {' and '.join(missing)} in the environment. Look at {', '.join(others)}, too; "
            f"{profiles} says what each is. Without an AWS account: make run TARGET={target} LOCAL=1"
        )
    data, results = (os.environ.get(name, "").rstrip("/") for name in ("ATHENA_S3_DATA_DIR", "ATHENA_S3_STAGING_DIR"))
    if target == "athena" and results and f"{data}/".startswith(f"{results}/"):
        raise SettingsError(
            f"ATHENA_S3_DATA_DIR ({data}) lies in ATHENA_S3_STAGING_DIR, where results of queries are removed after a "
            "while: name another place for one of the two"
        )
