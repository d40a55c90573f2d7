"""The product on one engine: built once, whole, by its own command; parity and erasure are then asked of that build."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from contextlib import chdir
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dbt.contracts.graph.manifest import Manifest

from dbt_project import ALL_TESTS, UNTESTED, copy_project
from examples import examples_of, published_models, says_something
from lakehouse.console import ConsoleReporter
from lakehouse.environment import variables
from lakehouse.parity.build import copy_zone
from lakehouse.parity.compare import compare, explain
from lakehouse.parity.dump import dump_relations
from lakehouse.pipeline.dbt_session import TESTS, DbtSession
from lakehouse.storage.s3 import forget_client
from real_data import LAKEHOUSE, PROJECT_DIR

SCALE = 0.05
SNAPSHOT = "stedi_privacy.consent_periods_snapshot"
PERSON = (
    "select email, customer_pseudonym from stedi_staging.stg_stedi__customer_identities where customer_pseudonym in "
    "(select customer_pseudonym from stedi_privacy.consent_periods_snapshot) and email in "
    "(select email from stedi.customer_trusted) order by email limit 1"
)
"""The first one by name: whom the statistics of files would name as a column's lower bound."""
MODELS = ("model", "snapshot")
RUNS = """
    select runs.outcome, count(relations.seconds)
    from loader.runs as runs inner join loader.run_relations as relations on runs.run_id = relations.run_id
    group by runs.run_id, runs.outcome
"""
"""How each run on record ended, and how many relations it built."""
EMPTY = {"stedi_staging.stg_stedi__customer_suspensions"}
"""Of the sample nobody is suspended."""

FILES = [path for folder in ("models", "snapshots") for path in (PROJECT_DIR / folder).rglob("*.sql")]
RELATIONS = sorted(file.stem.removesuffix("_v1") for file in FILES)
"""By the project's files."""

Ask = Callable[[str], list[list[Any]]]


@dataclass(frozen=True)
class WholeRun:
    """What `lakehouse run` made of the sample on an engine.

    Attributes:
        target: The output of profiles.example.yml.
        project: A copy of the project, in which it ran.
        settings: The environment in which it ran, beside the process's own.
        dataset: The sample's name.
        output: What it printed.
    """

    target: str
    project: Path
    settings: Mapping[str, str]
    dataset: str
    output: str

    @property
    def zone(self) -> str:
        """The landing zone."""
        return self.settings["LANDING_ZONE"]

    @property
    def source(self) -> Path:
        """The sample that was landed."""
        return self.project / "sample_data"

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """dbt's, of this run."""
        return dict(json.loads((self.project / "target/manifest.json").read_text()))

    def nodes(self, *kinds: str) -> list[dict[str, Any]]:
        """The models, seeds, tests and so on that are in the graph."""
        every = [*self.manifest["nodes"].values(), *self.manifest["unit_tests"].values()]
        return [node for node in every if node["resource_type"] in kinds]


def run_whole(target: str, folder: Path, settings: Mapping[str, str]) -> WholeRun:
    """Copies the project and runs it: from no data to the docs site."""
    run = WholeRun(target, copy_project(folder / "project"), settings, f"sample_x{SCALE}", "")
    done = command(run, "run", "--target", target, "--scale", str(SCALE))
    assert done.returncode == 0, done.stdout + done.stderr
    return replace(run, output=done.stdout + done.stderr)


def command(run: WholeRun, name: str, *options: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Runs one of the project's commands as a person does."""
    return subprocess.run(
        [LAKEHOUSE, name, *options],
        cwd=run.project,
        env={**os.environ, **run.settings, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_everything_passed(run: WholeRun) -> None:
    """Every relation was built and every test passed, without a warning; the sources are fresh, and the site stands."""
    told = re.search(r"^(\d+) relations built, (\d+) tests passed", run.output, re.MULTILINE)
    assert told, run.output
    in_graph = [len(run.nodes(*MODELS, "seed")), len(run.nodes(*TESTS))]
    assert [int(number) for number in told.groups()] == in_graph
    assert min(in_graph) > 0
    assert re.search(r"\b([1-9]\d*) of \1 sources are fresh", run.output)
    assert re.search(r"^sparkify\.songplays +[1-9]", run.output, re.MULTILINE)
    assert re.search(r"^stedi\.machine_learning_curated_v2 +[1-9]", run.output, re.MULTILINE)
    report = json.loads(max((run.project / "logs/runs").glob("*.jsonl")).read_text().splitlines()[-1])
    assert (report["outcome"], report["failures"], report["exit_code"]) == ("done", {}, 0)
    assert [report["relations_built"], report["tests_passed"]] == in_graph
    if run.target == "athena":  # more queries than relations: hooks and what the adapter asks count, too
        assert report["queries"] > report["relations_built"] + report["tests_passed"]
        assert report["bytes_scanned"] > 0
        assert report["cost_usd"] > 0
    assert "Warning" not in run.output, run.output  # of Python's and of dbt's
    for page in ("index.html", "report.html", "runs.html", "lineage.html", "static_index.html"):
        assert (run.project / "target/site" / page).is_file()
    assert "cannot be followed" not in (run.project / "target/site/lineage.html").read_text()  # the engine's own SQL


def assert_rows_are_those_of_duckdb(run: WholeRun, folder: Path) -> None:
    """Every model and the snapshot has the same rows as on DuckDB, which reads a copy of the same landing zone."""
    forget_client()  # it keeps the endpoint and the keys of whoever asked first
    with variables(run.settings):
        copy_zone(run.zone, folder / "landing")
        dumped(dbt_session(run), folder)
    forget_client()
    project = copy_project(folder / "project")
    # the database's path as the profile has it: with another one, dbt would parse everything anew
    with chdir(project), variables({"LANDING_ZONE": str(folder / "landing"), "DUCKDB_PATH": None}):
        dumped(replace(dbt_session(run), project_dir=project, target="duckdb"), folder)
    comparisons = compare(folder / "duckdb/rows", folder / run.target / "rows")
    found = {comparison.relation: comparison for comparison in comparisons}
    differing = {name: list(explain(one, "duckdb", run.target)) for name, one in found.items() if not one.is_same}
    assert differing == {}
    assert found.keys() == {f"{node['schema']}.{node['alias']}" for node in run.nodes(*MODELS)}
    assert sorted(name.partition(".")[2] for name in found) == RELATIONS
    assert {name for name, comparison in found.items() if not comparison.rows} == EMPTY


def assert_examples_have_answers(run: WholeRun, ask: Ask) -> None:
    """The query in each published model's description runs as it stands. The caller's environment is the run's."""
    examples = examples_of(run.manifest)
    assert examples.keys() == published_models(run.manifest).keys()
    for sql in examples.values():
        assert says_something(ask(sql)), sql


def run_again(run: WholeRun) -> str:
    """Runs the command once more, on what the sample's folder holds now; gives what it printed."""
    done = command(run, "run", "--target", run.target, "--scale", str(SCALE))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_nothing_is_done_again(run: WholeRun) -> None:
    """A second run of the same builds nothing, and leaves the report as it is. Everything must be built."""
    page = run.project / "target/site/report.html"
    before = page.read_bytes()
    assert "nothing has changed since the last build; kept as they were: " in run_again(run)
    assert page.read_bytes() == before


def assert_a_day_of_events_builds_sparkify_alone(run: WholeRun, ask: Ask) -> None:
    """A second run builds what new records touch, and keeps the rest. The caller's environment is the run's.

    Everything must be built when it begins, and nothing by hand since. With the day come corrections: plays that are
    none any more.
    """
    day = run.source / "sparkify/log_data/2018/11/2018-11-02-events.json"
    records = [json.loads(line) for line in day.read_text().splitlines()]
    moved = [{**record, "sessionId": 9_000_000, "itemInSession": item} for item, record in enumerate(records)]
    played = [record for record in records if record["page"] == "NextSong"]
    corrected = [{**record, "page": "Home", "song": None, "artist": None, "length": None} for record in played[:3]]
    delivered = "".join(json.dumps(record) + "\n" for record in [*moved, *corrected])
    day.with_name("2018-12-23-events.json").write_text(delivered)
    plays = len(played) - len(corrected)
    assert plays > 0
    counts = "select (select count(*) from sparkify.songplays), (select count(*) from stedi.customer_trusted)"
    (before,) = ask(counts)
    report = (run.project / "target/site/report.html").read_bytes()
    said = run_again(run)
    assert (run.project / "target/site/report.html").read_bytes() != report
    (after,) = ask(counts)
    assert "other records than in the last build: sparkify.staging_events" in said
    built = re.findall(r"^  built (\w+)\.\w+$", said, re.MULTILINE)
    assert {schema.partition("_")[0] for schema in built} == {"sparkify", "report"}
    assert "built report.consent_funnel" not in said
    assert re.search(r"tests passed, [\d.]+ s; kept as they were: \d+ relations and \d+ tests", said)
    assert (int(after[0]) - int(before[0]), after[1]) == (plays, before[1])
    assert "6 relations take in what is new alone" in said
    assert_rows_are_those_of_a_whole_build(run, ask)


def assert_rows_are_those_of_a_whole_build(run: WholeRun, ask: Ask) -> None:
    """The relations that took in what is new have the rows that their query gives, and no others."""
    dbt = dbt_session(run)
    dbt.parse()
    compiled = dbt.compile("config.materialized:incremental")
    queries = {key: query for key, query in compiled.items() if key.startswith("model.")}
    assert len(queries) == 6
    for key, query in queries.items():
        node = dbt.manifest.nodes[key]
        has, whole = f"{node.schema}.{node.alias}", f"({query}) as whole"
        for one, other in ((has, whole), (whole, has)):
            differing = f"select count(*) from (select * from {one} except select * from {other}) as differing"  # noqa: S608 - the project's own
            assert [[int(rows) for rows in row] for row in ask(differing)] == [[0]], (key, one[:30])


def dbt_session(run: WholeRun) -> DbtSession:
    """The run's dbt, which finds the project parsed; the caller's environment is the run's."""
    return DbtSession(run.project, run.target, run.dataset, ConsoleReporter().console)


def dumped(dbt: DbtSession, folder: Path) -> None:
    """Writes down what an engine says of every relation; DuckDB builds them first."""
    dbt.parse()
    if dbt.target == "duckdb":
        dbt.register()
        dbt.run_models()
    dump_relations(dbt.manifest, dbt.target, built_nodes(dbt.manifest), folder / dbt.target / "rows")


def built_nodes(manifest: Manifest) -> list[str]:
    """The unique ids of the models and snapshots."""
    return [name for name, node in manifest.nodes.items() if node.resource_type.value in MODELS]


def assert_a_person_is_erased(run: WholeRun, ask: Ask, email: str, pseudonym: str) -> None:
    """Erases somebody by the command, who is then in none of the tables where they were; the snapshot keeps its rows.

    The caller's environment is the run's. The erasure builds everything anew, without the tests of data and the unit
    tests: they have passed on this engine before, and pass after an erasure in test_erasure.py.
    """
    rows = ask(f"select count(*) from {SNAPSHOT}")  # noqa: S608 - a name of ours
    whom = ("--zone", run.zone, "--target", run.target, "--dataset", run.dataset, "--email", email.upper())
    done, again = (command(run, "erase", *whom, "--yes", **{UNTESTED: ALL_TESTS}) for _ in range(2))
    for ran in (done, again):
        said = ran.stdout + ran.stderr
        assert ran.returncode == 0, said
        assert email.lower() not in said.lower()
        assert "not looked into, since no command can reach it:" in said
        assert ("STL_LOAD_ERRORS" in said) == (run.target == "redshift")
    assert f"{SNAPSHOT}.customer_pseudonym" in done.stdout
    assert "nothing is left" in done.stdout
    assert "nothing of them is in the landing zone or in the database" in again.stdout
    assert "results of queries below s3://" not in again.stdout
    assert ask(f"select count(*) from {SNAPSHOT}") == rows  # noqa: S608 - a name of ours
    assert int(rows[0][0]) > 0
    for relation, column in (
        (SNAPSHOT, "customer_pseudonym"),
        ("stedi.customer_curated", "email"),
        ("stedi_landing.customer_landing", "email"),
    ):
        held = ask(f"select count(*) from {relation} where {column} in ('{email}', '{pseudonym}')")  # noqa: S608
        assert int(held[0][0]) == 0, relation
