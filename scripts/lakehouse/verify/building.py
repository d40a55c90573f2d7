"""The steps that build: registrations that meet or are killed, two builds, and the same on DuckDB."""

import shutil
import time
from collections import Counter
from pathlib import Path

from lakehouse.environment import variables
from lakehouse.errors import ExitCode
from lakehouse.parity.build import copy_zone
from lakehouse.parity.compare import compare, explain
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.verify.run import Facts, NotKeptError
from lakehouse.verify.world import World, last_lines

REGISTERED = "registered "
"""How the line of dbt's log ends that tells of a table that is registered."""
COUNTS = ("test_name:agrees_with_ledger", "path:tests/dbt/loader")
"""The tests that hold the engine's landing tables against the ledger, object by object."""


def registrations(world: World) -> Facts:
    """Kills a registration half-way, then has two register at once: the counts are the ledger's, object by object."""
    options = ("--dataset", world.data.name, "--target", world.dbt.target)
    killed = world.start("register", *options)
    while REGISTERED not in killed.logged() and killed.is_running():
        time.sleep(0.02)
    killed.kill()
    if (code := killed.wait()) >= 0:
        raise NotKeptError(f"the first registration ended with {code} before it was killed: {last_lines([killed])}")
    done = sum(REGISTERED in line for line in killed.logged().splitlines())
    both = [world.start("register", *options) for _ in range(2)]
    codes = [one.wait() for one in both]
    if ExitCode.DONE not in codes:
        raise NotKeptError(f"of two registrations at once none succeeded: {codes}: {last_lines(both)}")
    told = f"exit codes {codes}" + ("" if codes == [0, 0] else f": {last_lines(both)}")
    return {"tables registered before the kill": done, "two at once": told, "tests passed": passed(world, *COUNTS)}


def passed(world: World, *select: str) -> dict[str, int]:
    """Runs tests on the engine, and says how many passed, by their kind.

    Raises:
        NotKeptError: One did not pass, or there is none.
    """
    statuses = world.dbt.test(*select)
    if bad := sorted(f"{name} ({status})" for name, status in statuses.items() if status != "pass"):
        raise NotKeptError(f"{len(bad):,} of {len(statuses):,} tests did not pass: {', '.join(bad)}")
    if not statuses:
        raise NotKeptError(f"there is no test in {' '.join(select)}")
    nodes = [world.dbt.manifest.nodes[name] for name in statuses]
    metadata = [getattr(node, "test_metadata", None) for node in nodes]
    return dict(Counter(known.name if known else node.name for known, node in zip(metadata, nodes, strict=True)))


def build(world: World) -> Facts:
    """Registers the landing zone, builds every model, and runs every test, unit tests included."""
    world.dbt.register(world.data.zone_id() or "")
    world.dbt.operation("withdraw_people")
    world.dbt.build()
    dumped = world.dump("first")
    return {"relations": len(list(dumped.glob("*.jsonl")))}


def build_again(world: World) -> Facts:
    """Builds every model a second time: no row is another one."""
    world.dbt.run_models()
    return compared(world.work / "dumps/first", world.dump("second"), "the first build", "the second build")


def compared(one: Path, other: Path, name: str, other_name: str) -> Facts:
    """Compares dumps, and says how many relations and rows there are.

    Raises:
        NotKeptError: A relation differs. Its values are not told: they may be somebody's.
    """
    relations = rows = 0
    differing = []
    for found in compare(one, other):
        relations, rows = relations + 1, rows + found.rows
        if not found.is_same:
            differing.append(f"{found.relation} ({next(explain(found, name, other_name))})")
    if differing:
        raise NotKeptError(f"{len(differing):,} of {relations:,} relations differ: {'; '.join(differing)}")
    return {"relations": relations, "rows": rows}


def parity(world: World) -> Facts:
    """Builds the same landing zone on DuckDB, and compares every row of every relation and landing table."""
    copy = world.work / "landing"
    shutil.rmtree(copy, ignore_errors=True)
    copy_zone(world.data.zone, copy)
    with variables({"LANDING_ZONE": str(copy), "DUCKDB_PATH": str(world.work / "lakehouse.duckdb")}):
        on_duckdb = DbtSession(
            world.data.project_dir, "duckdb", world.data.name, world.reporter.console, world.work / "duckdb"
        )
        on_duckdb.parse()
        on_duckdb.register()
        on_duckdb.run_models()
        dumped = world.dump("duckdb", on_duckdb)
    return compared(dumped, world.work / "dumps/second", "duckdb", world.dbt.target)


def landing_tests(world: World) -> Facts:
    """Runs the tests of the landing tables: each column's checksum, and each object's count, are the loader's own."""
    return {"tests passed": passed(world, "source:*,test_type:generic")}
