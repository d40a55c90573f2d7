"""The site of the sample as `lakehouse site` draws it, for the tests that look at its pages; and what is on a page."""

import shutil
from contextlib import chdir
from html.parser import HTMLParser
from pathlib import Path

from dbt_project import DbtProject
from lakehouse.console import ConsoleReporter
from lakehouse.environment import variables
from lakehouse.pipeline.databases import close_connections
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.run_report import RunReport
from lakehouse.site.pages import FOLDER, WANTED, publish_docs, write_lineage, write_report, write_start_page
from lakehouse.site.runs import History
from lakehouse.site.tables import read_tables

PAGES = ("index.html", "report.html", "runs.html", "lineage.html")
"""Those that are written here; dbt makes static_index.html."""


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self.texts.append(text)

    @property
    def words(self) -> str:
        """All that a person reads."""
        return " ".join(self.texts)

    def named(self, tag: str) -> list[dict[str, str]]:
        """The attributes of each tag of a name."""
        return [attributes for name, attributes in self.tags if name == tag]

    def all(self, name: str) -> list[str]:
        """The values of an attribute, wherever it stands."""
        return [attributes[name] for _tag, attributes in self.tags if name in attributes]


def draw_site(project: DbtProject, folder: Path) -> Path:
    """Draws the site of a project that is built, elsewhere than there, and gives the folder of its pages."""
    (folder / "target").mkdir(parents=True)
    shutil.copy(project.folder / "target/partial_parse.msgpack", folder / "target")
    with chdir(project.folder), variables({"LANDING_ZONE": str(project.zone), "DUCKDB_PATH": None}):
        dbt = DbtSession(project.folder, "duckdb", project.dataset, ConsoleReporter().console, work_dir=folder)
        dbt.parse()
        tables = read_tables(dbt, WANTED)
        close_connections()
    assert tables.keys() == WANTED.keys()
    rows = {tables[name].relation: len(tables[name].rows) for name in sorted(tables)}
    run = RunReport("1", project.dataset, "duckdb", "2018-12-01T00:00:00Z", 61.5, 0, "done", relations_built=60)
    run.rows, run.freshness, run.quarantine = rows, {"sparkify.staging_events": "warn"}, {"staging_events": 1}
    before = RunReport("0", project.dataset, "duckdb", "2018-11-30T00:00:00Z", 61.5, 0, "done", relations_built=60)
    failed = RunReport(
        "2", project.dataset, "duckdb", "2018-12-02T00:00:00Z", 61.5, 1, "failed", failures={"a": "fail"}
    )
    write_report(folder, run, tables)
    publish_docs(folder, project.folder / "target/static_index.html")
    write_lineage(folder, project.folder / "target/manifest.json")
    write_start_page(folder, History([failed, run, before]))
    return folder / FOLDER
