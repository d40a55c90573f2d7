"""Builds the same landing zone on one engine after the other, and writes down what each says of it."""

from io import BytesIO
from pathlib import Path

from lakehouse.console import ConsoleReporter
from lakehouse.parity.dump import dump_relations
from lakehouse.pipeline.dataset import Dataset
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.storage import open_folder


def copy_zone(zone: str, to: Path) -> None:
    """Copies a landing zone to a folder."""
    origin, target = open_folder(zone), open_folder(to)
    for stored in origin.list():
        target.write(stored.key, BytesIO(origin.fetch(stored.key, version=stored.version).content))


def build_and_dump(data: Dataset, engine: str, work: Path, select: list[str], reporter: ConsoleReporter) -> None:
    """Registers the landing zone on an engine, builds the models, and writes down what the engine says of them.

    Raises:
        DbtError: Something cannot be built.
        DumpError: Something cannot be written down.
    """
    dbt = DbtSession(data.project_dir, engine, data.name, reporter.console, work)
    dbt.parse()
    dbt.register()
    built = dbt.run_models(select)
    dump_relations(dbt.manifest, engine, built, work / "rows")
    reporter.say(f"{len(built)} relations")
