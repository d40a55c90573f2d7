"""PostgreSQL's own lists of keywords, functions, operators and types: what Redshift does not document is refused.

The lists are asked of the server itself, so that what a newer PostgreSQL brings is refused as well.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from importlib import resources

import pytest

from dbt_local_aws.redshift import functions
from dbt_local_aws.redshift.datatypes import read_type
from dbt_local_aws.redshift.errors import RedshiftError
from dbt_local_aws.redshift.postgres import PROGRAMS, SUPERUSER, PostgresServer
from dbt_local_aws.redshift.refusals.operators import KNOWN_OPERATORS
from dbt_local_aws.redshift.statements.context import Context
from dbt_local_aws.redshift.statements.translation import translate
from dbt_local_aws.redshift.tokens import tokenize

Ask = Callable[[str], list[str]]

DOCUMENTED_FUNCTIONS = (
    functions.REDSHIFT_FUNCTIONS
    | functions.NOT_EMULATED_FUNCTIONS
    | functions.LEADER_NODE_FUNCTIONS
    | functions.COMPUTE_NODE_FUNCTIONS
)
COMMANDS = """
    abort alter analyse analyze begin call cancel close comment commit copy create deallocate declare delete drop end
    execute explain fetch grant insert lock merge prepare refresh reset revoke rollback select set show start truncate
    unload update use vacuum with
"""
# Statements that have no reading in which a name stands for {}
WITHOUT_A_NAME = (
    "select a from t where a {} a",
    "select a from t where {} a",
    "select a is {} from t",
    "select a is not {} from t",
    "select a from t where a not {} a",
    "select a from t join s {} t",
    "select a from t limit 1 {}",
    "select a from t order by a {}",
    "select a from t group by {} a",
    "select sum(a {} b) from t",
    "select sum(a) over (order by a {} unbounded preceding) from t",
    "select sum(a) over (order by a rows unbounded preceding {} a) from t",
    "select cast(a as int {}) from t",
    "select a from t union {} select a from s",
    "with v as {} (select 1) select * from v",
    "insert into t {} values (1)",
    "insert into t values (1) {} a",
    "update t set a = 1 where a = 1 {} a",
    "delete from t where a = 1 {} a",
    "merge into t using s on t.a = s.a {} when matched then delete when not matched then insert values (1)",
    "create {} table x (a int)",
    "create table x (a int {} a)",
    "create table x (a int) {} a",
    "create table x as select 1 as a with {} data",
    "create {} view x as select 1 as a",
    "create view x as select 1 as a with {} check option",
    "create {} x",
    "alter {} x",
    "drop {} x",
    "drop table x {} x",
    "explain {} select 1",
    "comment on {} x is 'x'",
)


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """What a PostgreSQL that nobody has changed says."""
    with PostgresServer() as server:

        def answer(query: str) -> list[str]:
            where = ["--host", str(server.folder), "--port", str(server.port), "--username", SUPERUSER]
            command = [str(PROGRAMS / "psql"), *where, "--dbname", "postgres", "-Atc", query]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

        yield answer


def _documented_words() -> set[str]:
    """The words of the grammar and of other parsers' statements."""
    folder = resources.files("dbt_local_aws.redshift").joinpath("names", "syntax")
    text = " ".join(file.read_text(encoding="utf-8") for file in folder.iterdir())
    rules = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return {word.lower() for word in re.findall(r"[A-Z][A-Z0-9_]*", rules)}


def _accepted(statements: list[str]) -> list[str]:
    return [statement for statement in statements if _is_accepted(statement)]


def _is_accepted(statement: str) -> bool:
    try:
        translate(tokenize(statement), Context("dev"))
    except RedshiftError:
        return False
    return True


@pytest.mark.documented("c_unsupported-postgresql-functions", "refused as documented")
def test_functions_that_only_postgresql_has(ask: Ask) -> None:
    names = ask("select distinct proname from pg_proc where proname ~ '^[a-z_][a-z0-9_]*$'")
    foreign = [name for name in names if name not in DOCUMENTED_FUNCTIONS]
    assert len(foreign) > 2000
    for call in ("select {}(a) from t", 'select "{}"(a) from t', "select pg_catalog.{}(a)", "select * from {}(1)"):
        assert _accepted([call.format(name) for name in foreign]) == []


@pytest.mark.documented("r_OPERATOR_SYMBOLS", "refused as documented")
def test_operators_that_only_postgresql_has(ask: Ask) -> None:
    foreign = [name for name in ask("select distinct oprname from pg_operator") if name not in KNOWN_OPERATORS]
    assert len(foreign) > 40
    for use in ("select a {} b from t", "select a{} b from t", "select a from t where a {} 'x'"):
        assert _accepted([use.format(name) for name in foreign]) == []


@pytest.mark.documented("c_unsupported-postgresql-datatypes", "refused as documented")
def test_types_that_only_postgresql_has(ask: Ask) -> None:
    names = ask("select typname from pg_type where typtype in ('b', 'r', 'm', 'p') and typname ~ '^[a-z][a-z0-9]*$'")
    foreign = [name for name in names if not _is_type(name)]
    assert len(foreign) > 50
    for use in ("select a::{} from t", "select cast(a as {}) from t", "select {} 'x'", "create table x (a {})"):
        assert _accepted([use.format(name) for name in foreign]) == []


def _is_type(name: str) -> bool:
    try:
        read_type(tokenize(name), 0)
    except RedshiftError as error:
        return "not emulated" in error.message
    return True


@pytest.mark.documented("r_pg_keywords", "refused as documented")
@pytest.mark.parametrize("statement", WITHOUT_A_NAME)
def test_keywords_that_only_postgresql_has(ask: Ask, statement: str) -> None:
    words = ask("select word from pg_get_keywords()")
    foreign = [word for word in words if word not in _documented_words()]
    assert len(foreign) > 200
    assert _accepted([statement.format(word) for word in foreign]) == []


@pytest.mark.documented("c_SQL_commands", "refused as documented")
def test_statements_that_only_postgresql_has(ask: Ask) -> None:
    foreign = [word for word in ask("select word from pg_get_keywords()") if word not in COMMANDS.split()]
    assert _accepted([f"{word} t" for word in foreign] + [f"{word} on t to x" for word in foreign]) == []
