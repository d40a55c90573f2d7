r"""psql's own commands: \d, \dt and their like, as psql of today words them for a server of version 8.0.

Source: "Connect to your cluster by using the psql tool" (connecting-from-psql) in the Amazon Redshift Management Guide.
"""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from dbt_local_aws.redshift.endpoint import LocalRedshift
from dbt_local_aws.redshift.postgres import PROGRAMS
from dbt_local_aws.testing.redshift import Connect, run

pytestmark = pytest.mark.documented("connecting-from-psql", "as documented")

# A command, and what its answer has
COMMANDS: list[tuple[str, list[str]]] = [
    (r"\d psql_case.*", ['Table "psql_case.t"', 'View "psql_case.v"']),
    (r"\d psql_case.t", ["a | integer | | not null | 3", "b | character varying(10)", "c | numeric(8,2)", "d | super"]),
    (r"\d+ psql_case.t", ["a | integer | | not null | 3"]),
    (r"\d psql_case.v", ['View "psql_case.v"', "a | integer"]),
    (r"\d+ psql_case.v", ["View definition:", "SELECT a"]),
    (r"\d psql_case.missing", ["Did not find any relation"]),
    (r"\dt psql_case.*", ["psql_case | t | table | dbt"]),
    (r"\dt+ psql_case.*", ["psql_case | t | table | dbt"]),
    (r"\dv psql_case.*", ["psql_case | late | view | dbt", "psql_case | v | view | dbt"]),
    (r"\dn", ["public | ", "psql_case | dbt"]),
    (r"\dn+", ["psql_case | dbt"]),
    (r"\du", ["dbt | Superuser"]),
    (r"\dg", ["dbt | Superuser"]),
    (r"\df psql_case.*", ["psql_case | f | integer | integer"]),
    (r"\l", ["dev | dbt | UTF8"]),
    (r"\l+", ["dev | dbt | UTF8"]),
    (r"\dp psql_case.*", ["psql_case | t | table"]),
    (r"\z psql_case.*", ["psql_case | t | table"]),
    (r"\ddp", ["Default access privileges"]),
    (r"\di psql_case.*", ["Did not find any"]),
    (r"\ds psql_case.*", ["Did not find any"]),
    (r"\dT psql_case.*", ["(0 rows)"]),
    (r"\sv psql_case.v", ["VIEW psql_case.v", "SELECT a"]),
    (r"\conninfo", ["dev"]),
    ("select 1 as one", ["one"]),
]


@pytest.fixture(scope="module")
def schema(connect: Connect) -> Iterator[None]:
    """A schema with something of everything."""
    with connect() as opened:
        run(
            opened,
            "create schema psql_case",
            "create table psql_case.t (a int not null default 3, b varchar(10), c numeric(8,2), d super)",
            "create view psql_case.v as select a from psql_case.t",
            "create view psql_case.late as select a from psql_case.t with no schema binding",
            "create function psql_case.f(int) returns int immutable as $$ select $1 $$ language sql",
        )
        yield
        run(opened, "drop schema psql_case cascade")


def psql(endpoint: LocalRedshift, *commands: str) -> tuple[str, str]:
    """What psql says, with one blank where it has several, and its errors."""
    environment = endpoint.environment()
    done = subprocess.run(
        [
            *(
                PROGRAMS / "psql",
                "-X",
                "-h",
                endpoint.host,
                "-p",
                str(endpoint.port),
                "-U",
                environment["REDSHIFT_USER"],
            ),
            *(part for command in commands for part in ("-c", command)),
            environment["REDSHIFT_DATABASE"],
        ],
        # the wheel's psql was built without TLS
        env={"PATH": os.environ["PATH"], "PGPASSWORD": environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"]},
        capture_output=True,
        text=True,
        check=False,
    )
    return re.sub(r"[ \t]+", " ", done.stdout), done.stderr


@pytest.mark.usefixtures("schema")
@pytest.mark.parametrize(("command", "expected"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_command(redshift: LocalRedshift, command: str, expected: list[str]) -> None:
    said, errors = psql(redshift, command)
    said += errors if "Did not find" in errors else ""
    assert "ERROR" not in errors
    assert "redshift_internal" not in said
    assert [part for part in expected if part not in said] == []


@pytest.mark.usefixtures("schema")
def test_what_the_search_path_shows(redshift: LocalRedshift) -> None:
    said, errors = psql(redshift, "set search_path to psql_case", r"\d", r"\dt", r"\dv", r"\d t")
    assert not errors
    assert said.count("psql_case | t | table | dbt") == 2
    assert 'Table "psql_case.t"' in said


def test_other_statements_are_refused_in_psql_as_everywhere(redshift: LocalRedshift) -> None:
    _, errors = psql(redshift, "select array_length(a, 1) from (select 1 as a) as t")
    assert "function array_length() does not exist" in errors


def test_other_programs_have_no_such_questions(connect: Connect) -> None:
    with connect() as opened, pytest.raises(Exception, match="does not exist"):
        run(opened, "select pg_catalog.array_length(d.datacl, 1) from pg_catalog.pg_database d")
