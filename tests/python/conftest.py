"""What several test modules need and takes long to make: data that has landed, and projects that are built."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from dbt_local_aws.athena.recording import VARIABLE as REQUESTS
from dbt_project import DbtProject, ParsedProject, locked
from lakehouse.environment import variables
from lakehouse.sample import generate
from landing_helpers import land_all
from lanes import arrange, by_group
from real_data import UDACITY

# Shells have SIGINT ignored in the background, and what a test starts would inherit that: it could not be interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile(
    "fresh", max_examples=2_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))  # before the tests: their own settings build on it


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Arranges the session's tests for its workers."""
    arrange(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling | None:
    """What `--dist loadgroup` does here."""
    return by_group(config, log) if config.getvalue("dist") == "loadgroup" else None


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all of xdist's workers share for this session."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session", autouse=True)
def parsed_project(shared_folder: Path) -> None:
    """Has the project parsed once for all workers, when the first of them needs it."""
    ParsedProject.folder = shared_folder / "parsed"


@pytest.fixture(scope="session")
def built_project(shared_folder: Path) -> Callable[[str], DbtProject]:
    """Gives the project of a data set, built and tested; made once for all workers, and not to be changed."""

    def build(dataset: str) -> DbtProject:
        folder = shared_folder / f"built_{dataset}"
        zone = shared_folder / f"zone_{dataset}"
        with locked(shared_folder / f"{dataset}.lock"):
            if not folder.exists():
                land_dataset(dataset, shared_folder, zone)
                unfinished = shared_folder / f"unfinished_{dataset}"
                shutil.rmtree(unfinished, ignore_errors=True)
                project = DbtProject.copy(unfinished, zone, dataset)
                project.register()
                unit_tests_once = () if dataset == "sample" else ("--exclude-resource-type", "unit_test")
                statuses = project.dbt("build", *unit_tests_once)
                failures = {name: status for name, status in statuses.items() if status not in {"success", "pass"}}
                assert not failures, f"on {dataset}: {failures}"
                project.dbt("docs", "generate", "--static")
                unfinished.rename(folder)
        return DbtProject(folder, zone, dataset)

    return build


def land_dataset(dataset: str, folder: Path, zone: Path) -> None:
    """Lands a data set, and what is worked out from it."""
    source = UDACITY
    if dataset == "sample":
        source = folder / "sample"
        generate(source)
    land_all([source], zone)


@pytest.fixture(scope="session", autouse=True)
def recorded_requests(shared_folder: Path) -> Iterator[Path]:
    """The file in which the endpoints of this session note what is asked of them: `test_athena_project.py` reads it."""
    file = shared_folder / "requests.jsonl"
    with variables({REQUESTS: str(file)}):
        yield file
