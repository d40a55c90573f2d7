"""The questions of the seeds, and what the warehouse answers: the two stores' tests ask the same."""

from collections.abc import Iterable, Iterator
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from dbt_project import DbtProject
from lakehouse.console import ConsoleReporter
from lakehouse.environment import variables
from lakehouse.pipeline.databases import close_connections
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.serving.export import Changes, Origin
from lakehouse.serving.questions import known_question
from lakehouse.serving.tables import Column, Row, ServedTable, served_tables
from real_data import PROJECT_DIR

HERE = Origin("a zone", "small")
PLAYS = ServedTable(
    "sparkify",
    "plays",
    tuple(
        Column(*one)
        for one in {
            "user_id": "integer", "session_id": "bigint", "item": "integer", "length_s": "double", "first_name": "text",
        }.items()
    ),
    ("user_id", "session_id"),
    "item",
)  # fmt: skip
TITLES = ServedTable(
    "sparkify", "titles", tuple(Column(*one) for one in {"title": "text", "user_id": "integer"}.items()), ("title",),
    "user_id", ("title",),
)  # fmt: skip
ROWS: list[Row] = [(10, 182, 0, 236.09424, "Sylvie"), (10, 182, 1, None, "Sylvie"), (7, 2**40, 0, 0.1, "Jude")]


def tables_of(project: DbtProject) -> list[ServedTable]:
    """What the project serves; parsed elsewhere, since every test reads the manifest that the project's build left."""
    session = DbtSession(project.folder, "duckdb", project.dataset, ConsoleReporter().console)
    place = {"LANDING_ZONE": str(project.zone), "DUCKDB_PATH": None}
    with TemporaryDirectory() as elsewhere, chdir(project.folder), variables(place):
        session = session.working_in(Path(elsewhere))
        session.parse()
        close_connections()
    return served_tables(session.manifest)


def rows_of(project: DbtProject, table: ServedTable) -> list[Row]:
    """All rows of the warehouse's table."""
    names = ", ".join(column.name for column in table.columns_key_first)
    return [tuple(row) for row in project.query(f"select {names} from {table.full_name}")]  # type: ignore[arg-type]  # noqa: S608


def known(table: ServedTable, dataset: str) -> Row:
    """What the seed asks of a table."""
    asked = known_question(PROJECT_DIR, table, dataset)
    assert asked is not None, f"nothing is asked of {table.name} on {dataset}"
    return asked


def answer(rows: Iterable[Row], asked: Row) -> list[Row]:
    """The rows that answer a question, in their order."""
    return sorted(row for row in rows if row[: len(asked)] == asked)


def part_of(rows: Iterable[Row], asked: Row, most: int = 200) -> Iterator[Row]:
    """Some rows, among them those that answer the question: a test need not export all."""
    for position, row in enumerate(rows):
        if position < most or row[: len(asked)] == asked:
            yield row


def counts(changes: Changes) -> tuple[int, int]:
    """How many rows are to be written, and how many deleted."""
    return len(changes.writes), len(changes.deletes)
