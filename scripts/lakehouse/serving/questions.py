"""The question that each served table answers, with values that there are, for a person to ask."""

import csv
from collections.abc import Sequence
from pathlib import Path

from lakehouse.console import ConsoleReporter
from lakehouse.serving.export import Changes
from lakehouse.serving.tables import Column, Row, ServedTable

KNOWN_ANSWERS = "seeds/expected_answers.csv"


def print_questions(project_dir: Path, dataset: str, done: Sequence[Changes], reporter: ConsoleReporter) -> None:
    """Prints a question for each table: one whose answer is known, or else one that there is a row for."""
    questions = []
    for changes in done:
        asked = known_question(project_dir, changes.table, dataset)
        if asked is None and changes.first is not None:
            asked = asked_of(changes.table, changes.first)
        if asked is not None:
            questions.append(question(changes.table, asked))
    if questions:
        reporter.say("to ask, each a read of one partition:")
    for cql in questions:
        reporter.say(f"  {cql}")


def question(table: ServedTable, asked: Row) -> str:
    """The CQL that answers it by reading one partition."""
    where = " and ".join(
        f"{column.name} = {_literal(value)}" for column, value in zip(_asked(table), asked, strict=True)
    )
    return f"select * from {table.full_name} where {where};"  # noqa: S608 - printed, not run


def known_question(project_dir: Path, table: ServedTable, dataset: str) -> Row | None:
    """What is asked of the table in the seed of known answers; None if the data set has none."""
    with (project_dir / KNOWN_ANSWERS).open(encoding="utf-8", newline="") as lines:
        for answer in csv.DictReader(lines):
            if (answer["dataset"], answer["question"]) == (dataset, table.name):
                return tuple(column.value(answer[column.name]) for column in _asked(table))
    return None


def asked_of(table: ServedTable, row: Row) -> Row:
    """What would be asked to find a row."""
    return row[: len(_asked(table))]


def _asked(table: ServedTable) -> Sequence[Column]:
    """The key's columns that the question gives, which are its first ones."""
    return [column for column in table.key_columns if column.name in (table.asked or table.partition_by)]


def _literal(value: object) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)
