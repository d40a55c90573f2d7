"""The project that a command works in: the folder that has dbt_project.yml, at or above the working directory."""

import logging
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from lakehouse.errors import DbtError, SettingsError, with_hint
from lakehouse.storage.folder import is_s3

log = logging.getLogger(__name__)
PROJECT_FILE = "dbt_project.yml"


def find_project() -> Path:
    """The nearest folder that is a project, from the working directory upward, as dbt looks for it.

    Raises:
        SettingsError: There is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            log.debug("the project is %s", folder)
            return folder
    raise SettingsError(f"neither {here} nor a folder above it has a {PROJECT_FILE}: go to the project's folder")


def seen_from(project: Path, places: Iterable[str]) -> list[str]:
    """Folders and S3 prefixes as they are called from the project's folder, where the working directory is another."""
    here = Path.cwd()
    return [place if here == project or is_s3(place) else str(here / place) for place in places]


def with_logs_named(project: Path) -> AbstractContextManager[None]:
    """Adds to an error of dbt's where its log and the SQL that it ran are."""
    return with_hint(f"dbt's log, and what it ran: {project}/logs/dbt.log, {project}/target/run", DbtError)


def go_to(project: Path) -> None:
    """Makes the project's folder the working directory: dbt opens, or makes, the database where it is called."""
    if os.environ.get("DUCKDB_PATH"):
        os.environ["DUCKDB_PATH"] = str(Path(os.environ["DUCKDB_PATH"]).absolute())
    os.chdir(project)
