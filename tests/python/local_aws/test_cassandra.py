"""The export to a real Cassandra, over TLS and with a password, and the questions that it answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from dbt_local_aws.cassandra.endpoint import CASSANDRA
from dbt_local_aws.process import running
from dbt_local_aws.pytest_plugin import why_there_is_no
from dbt_project import DbtProject
from lakehouse.console import ConsoleReporter
from lakehouse.errors import SettingsError
from lakehouse.serving.cassandra import Cassandra, Settings
from lakehouse.serving.export import Changes, export
from lakehouse.serving.questions import question
from lakehouse.serving.tables import Column, Row, ServedTable, ServingError
from lanes import on_engines
from real_data import UDACITY
from serving_questions import HERE, PLAYS, ROWS, TITLES, answer, counts, known, rows_of, tables_of

pytestmark = on_engines


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    """A Cassandra for the tests of this module. Without Java 17 or Maven they are skipped, and say so."""
    if reason := why_there_is_no(CASSANDRA):
        pytest.skip(f"NOT TESTED: {reason}")
    with running("dbt_local_aws.cassandra") as (_, told):
        yield Settings.read(told)


@pytest.fixture(scope="module")
def cassandra(settings: Settings) -> Iterator[Cassandra]:
    store = Cassandra(settings)
    yield store
    store.close()


def exported(store: Cassandra, rows: Sequence[Row], table: ServedTable) -> Changes:
    (changes,) = export([table], lambda _: rows, store, HERE, ConsoleReporter(), replace=False)
    return changes


def test_what_changed_is_written_what_is_gone_is_deleted(cassandra: Cassandra) -> None:
    assert counts(exported(cassandra, ROWS, PLAYS)) == (3, 0)
    assert sorted(cassandra.rows(PLAYS)) == sorted(ROWS)
    assert counts(exported(cassandra, ROWS, PLAYS)) == (0, 0)
    renamed = [(*row[:4], "Sylvia") if row[0] == 10 else (*row[:3], None, row[4]) for row in ROWS]
    assert counts(exported(cassandra, renamed, PLAYS)) == (3, 0)
    assert sorted(cassandra.rows(PLAYS)) == sorted(renamed)
    assert counts(exported(cassandra, renamed[2:], PLAYS)) == (0, 2)
    assert list(cassandra.rows(PLAYS)) == renamed[2:]


def test_what_a_killed_export_left_is_mended_by_the_next(cassandra: Cassandra, monkeypatch: pytest.MonkeyPatch) -> None:
    table = replace(PLAYS, name="killed")
    many: list[Row] = [(user, 1, item, 1.5, "name") for user in range(4) for item in range(600)]
    exported(cassandra, many, table)
    wanted: list[Row] = [(*row[:4], "new") for row in many if row[0] != 0]
    write = cassandra.write

    def killed(of: ServedTable, rows: Sequence[Row]) -> None:
        if of is table:
            write(of, rows[:500])
            raise KeyboardInterrupt
        write(of, rows)

    with monkeypatch.context() as patched:
        patched.setattr(cassandra, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            exported(cassandra, wanted, table)
    left = list(cassandra.rows(table))
    assert len(left) == len(wanted)  # deletions were first
    assert sum(row[4] == "new" for row in left) == 500
    assert counts(exported(cassandra, wanted, table)) == (len(wanted) - 500, 0)
    assert sorted(cassandra.rows(table)) == sorted(wanted)


def test_keys_that_cassandra_cannot_hold_are_left_out(cassandra: Cassandra, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[Row] = [("", 1), ("x" * 65_535, 1), ("x" * 65_536, 1), ("it's # “a” title\n", 2)]
    assert counts(exported(cassandra, rows, TITLES)) == (2, 0)
    said = " ".join(capsys.readouterr().out.split())
    assert "1 row left out, since title is empty" in said
    assert "1 row left out, since title has more than 65,535 bytes" in said
    assert counts(exported(cassandra, rows, TITLES)) == (0, 0)


def test_a_table_of_another_kind_is_refused(cassandra: Cassandra) -> None:
    cassandra.make([replace(PLAYS, name="of_another_kind")])
    with pytest.raises(ServingError, match=r"of_another_kind with other columns or another key.*drop it"):
        cassandra.make([replace(TITLES, name="of_another_kind")])
    more = (*PLAYS.columns, Column("city", "text"))
    with pytest.raises(ServingError, match="city text"):
        cassandra.make([replace(PLAYS, name="of_another_kind", columns=more)])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "wrong"}, "Provided username cassandra and/or password are incorrect"),
        ({"user": ""}, "requires authentication"),
        ({"ca_file": None}, "certificate verify failed"),
        ({"port": 1}, "Connection refused"),
    ],
)
def test_who_is_not_let_in_is_told_why(settings: Settings, change: Mapping[str, object], says: str) -> None:
    with pytest.raises(ServingError, match=says) as error:
        Cassandra(replace(settings, **change))  # type: ignore[arg-type]
    assert settings.password not in str(error.value)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(SettingsError, match="set CASSANDRA_HOST"):
        Settings.read({})
    with pytest.raises(SettingsError, match="CASSANDRA_PORT is 'x'"):
        Settings.read({"CASSANDRA_HOST": "h", "CASSANDRA_PORT": "x"})
    keyspaces = {"CASSANDRA_HOST": "cassandra.eu-west-1.amazonaws.com"}
    assert (Settings.read(keyspaces).port, Settings.read(keyspaces).is_keyspaces) == (9142, True)
    with pytest.raises(SettingsError, match="CASSANDRA_TLS"):
        Settings.read(keyspaces | {"CASSANDRA_TLS": "off"})


def test_the_questions_of_the_seeds_are_answered_by_one_partition_each(
    cassandra: Cassandra, built_project: Callable[[str], DbtProject]
) -> None:
    dataset = "udacity" if UDACITY.is_dir() else "sample"
    project = built_project(dataset)
    tables = tables_of(project)
    rows = {table: rows_of(project, table) for table in tables}
    export(tables, lambda table: rows[table], cassandra, HERE, ConsoleReporter(), replace=False)
    for table in tables:
        asked = known(table, dataset)
        cql = question(table, asked).replace("select *", f"select {', '.join(c.name for c in table.columns_key_first)}")
        answers = [tuple(row) for row in cassandra._session.execute(cql)]  # it refuses what needs more than a partition
        assert answers
        assert answers == answer(rows[table], asked)
        assert sorted(cassandra.rows(table), key=str) == sorted(rows[table], key=str)
