"""Environments: whose schemas are whose, what can be a name, and how one is dropped. On DuckDB."""

import os
import re
import secrets
import subprocess
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import boto3
import duckdb
import pytest
import yaml
from jinja2 import Environment as Jinja
from moto import mock_aws

from dbt_project import DbtProject
from lakehouse.commands import _share_region, drop_environment
from lakehouse.environment import checked_environment, in_environment, variables
from lakehouse.errors import LandingError, SettingsError
from lakehouse.landing.load import land
from lakehouse.pipeline.dataset import Dataset
from lakehouse.sample import generate
from lakehouse.storage.s3 import forget_client
from landing_helpers import TABLES, land_all, put
from real_data import LAKEHOUSE, PROJECT_DIR

if TYPE_CHECKING:
    from mypy_boto3_glue.type_defs import StorageDescriptorTypeDef, TableInputTypeDef

GOOD = ["a", "ada", "pr_12", "x1_y2_z3", "dbta", "pgadmin", "a" * 32]
HOSTILE = [
    "Ada", "ädä", "1a", "a-b", "a b", "a.b", "a'b", 'a"b', "a;drop schema sparkify", "../a", "a/b", "a\n", "\n", " ",
    "_", "_a", "a_", "a__b", "pg", "pg_a", "dbt", "dbt_test", "production", "prod", "a" * 33, "٣", "%61", "${HOME}",
    "{{ 1 }}",
]  # fmt: skip


class RefusedError(Exception):
    """What the macro raises."""


def prefix_by_macro(name: str) -> str:
    """The prefix as dbt renders it."""

    def refuse(message: str) -> None:
        raise RefusedError(message)

    macros = (PROJECT_DIR / "macros/environments/generate_schema_name.sql").read_text()
    return (
        Jinja()  # noqa: S701 - no HTML
        .from_string(f"{macros}{{{{ environment_prefix() }}}}")
        .render(
            env_var=lambda _, default: name or default,
            modules=SimpleNamespace(re=re),
            exceptions=SimpleNamespace(raise_compiler_error=refuse),
            target=SimpleNamespace(type="duckdb"),
            tojson=repr,
            **{"return": lambda value: value},
        )
        .strip()
    )


@pytest.mark.quick
@pytest.mark.parametrize("name", GOOD)
def test_a_name_begins_every_schema(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", name)
    assert checked_environment(name) == name
    assert prefix_by_macro(name) == f"{name}_"
    assert in_environment("loader") == f"{name}_loader"


@pytest.mark.quick
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_name_is_refused_by_command_and_by_dbt(name: str) -> None:
    with pytest.raises(SettingsError, match="cannot name an environment"):
        checked_environment(name)
    with pytest.raises(RefusedError, match="Production has no name"):
        prefix_by_macro(name)


@pytest.mark.quick
def test_production_has_no_name_and_its_schemas_are_the_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "")
    assert prefix_by_macro("") == ""
    assert in_environment("loader") == "loader"
    with pytest.raises(SettingsError):
        checked_environment("")


@pytest.mark.quick
def test_no_schema_of_an_environment_is_another_ones() -> None:
    """They would be, if behind an underscore of one schema's name another one's began: a_b of c, and b of c_a."""
    schemas = {"dbt_test__audit", *re.findall(r"\+schema: (\w+)", (PROJECT_DIR / "dbt_project.yml").read_text())}
    for file in (PROJECT_DIR / "models").rglob("*sources.yml"):
        for source in yaml.safe_load(file.read_text())["sources"]:
            found = re.fullmatch(
                r"\{\{ \(env_var\('ENVIRONMENT', ''\) ~ '_(\w+)'\)\.lstrip\('_'\) \}\}", source["schema"]
            )
            assert found, f"{file}: {source['schema']}"
            schemas.add(found[1])
    assert {"sparkify", "stedi_landing", "loader", "expectations"} < schemas
    assert [(one, other) for one in schemas for other in schemas if one.endswith(f"_{other}")] == []
    assert (
        max(map(len, schemas)) + 33 <= 63
    )  # PostgreSQL's, which the local endpoint has; Redshift's and Glue's are longer


@pytest.mark.quick
@pytest.mark.parametrize(
    ("given", "both"),
    [
        ({"AWS_REGION": "eu-west-1"}, ("eu-west-1", "eu-west-1")),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": ""}, ("eu-west-1", "eu-west-1")),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}, ("eu-west-1", "us-east-1")),
        ({}, (None, None)),
    ],
)
def test_either_name_of_the_region_does(given: dict[str, str], both: tuple[str | None, str | None]) -> None:
    names = ("AWS_REGION", "AWS_DEFAULT_REGION")
    with variables(dict.fromkeys(names) | given):
        _share_region()
        assert tuple(os.environ.get(name) for name in names) == both


@pytest.fixture(scope="module")
def small_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up data, in the folder that has its name."""
    return generate(tmp_path_factory.mktemp("small") / "sample_data", scale=0.01).to


@pytest.fixture(scope="module")
def zone(small_sample: Path) -> Path:
    """The landing zone of it."""
    land_all([small_sample], small_sample.parent / "zone")
    return small_sample.parent / "zone"


def test_sample_and_real_data_are_never_landed_in_one_zone(
    small_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever exported LANDING_ZONE for one of them and forgot it."""
    monkeypatch.setenv("PSEUDONYM_KEY", secrets.token_hex(32))
    put(tmp_path / "real", "stedi/customer/landing/customers.json", [{"email": "a@test.com"}])
    real = Dataset.named(PROJECT_DIR, [str(tmp_path / "real")], "mine", 1)
    sample = Dataset.named(PROJECT_DIR, [], None, 1)

    made_up = replace(sample, zone=str(tmp_path / "made_up"))
    land([small_sample], made_up.zone, TABLES)
    made_up.check()
    with pytest.raises(LandingError, match=r"holds made-up data from .*/sample_data: .* Give another LANDING_ZONE$"):
        replace(real, zone=made_up.zone).check()

    given = replace(real, zone=str(tmp_path / "given"))
    land([tmp_path / "real"], given.zone, TABLES)
    given.check()
    with pytest.raises(LandingError, match=r"holds data from .*/real: made-up data is not landed beside it"):
        replace(sample, zone=given.zone).check()


def schemas_of(database: Path) -> set[str]:
    """Those in which something is."""
    sql = "select schema_name from duckdb_views() where not internal union select schema_name from duckdb_tables()"
    with duckdb.connect(str(database), read_only=True) as connection:
        return {name for (name,) in connection.execute(sql).fetchall()}


def drop(project: DbtProject, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Drops an environment as a person does."""
    return subprocess.run(
        [LAKEHOUSE, "drop-environment", *arguments],
        cwd=project.folder,
        env={**os.environ, "LANDING_ZONE": str(project.zone)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_environments_are_built_side_by_side_and_one_is_dropped(zone: Path, tmp_path: Path) -> None:
    project = DbtProject.copy(tmp_path / "project", zone, "small")
    for name in ("", "ada"):
        with variables({"ENVIRONMENT": name or None}):
            project.register()
            assert project.dbt("run", "--select", "stg_sparkify__songs") == {"stg_sparkify__songs": "success"}
    ours = {"sparkify_landing", "stedi_landing", "loader", "sparkify_staging"}
    assert schemas_of(project.database) == ours | {f"ada_{name}" for name in ours}
    songs = project.rows("ada_sparkify_staging.stg_sparkify__songs")
    assert songs == project.rows("sparkify_staging.stg_sparkify__songs") > 0
    with duckdb.connect(str(project.database)) as connection:
        for relation in ("ada_b_sparkify_staging.theirs", "ada_mine.theirs", "ada_stedi.theirs"):
            connection.execute(f"create schema {relation.split('.')[0]}; create table {relation} as select 1 as one")
    others = {"ada_b_sparkify_staging", "ada_mine"}

    with pytest.raises(SettingsError, match="give --yes"):  # nobody is there
        drop_environment.main(name="ada")
    with pytest.raises(SettingsError, match="Production has no name"):
        drop_environment.main(name="production", yes=True)
    assert schemas_of(project.database) > ours | others
    done = drop(project, "ada", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dropped ada_sparkify_staging, with 1 relation\n" in done.stdout
    assert done.stdout.index("dropped ada_stedi_landing") < done.stdout.index("dropped ada_loader")
    assert "nothing of ada is left on duckdb" in done.stdout
    assert schemas_of(project.database) == ours | others
    assert project.rows("sparkify_staging.stg_sparkify__songs") == songs

    again = drop(project, "ada", "--yes")
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout == "duckdb has nothing of an environment ada\n"
    assert schemas_of(project.database) == ours | others


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the adapter's advice to Python and to its users
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # connections that it leaves open
def test_on_athena_the_catalogue_forgets_and_only_the_environments_own_files_go(tmp_path: Path) -> None:
    """Against moto's Glue and S3. The files of a landing table are the landing zone's, whoever names them."""
    project = DbtProject.copy(tmp_path / "project", tmp_path / "no_zone", "small")
    account = {
        **{
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": "us-west-2",
            "AWS_PROFILE": None,
        },
        **{"AWS_DEFAULT_REGION": "us-west-2", "AWS_ENDPOINT_URL": None, "ATHENA_S3_DATA_DIR": "s3://lake/data/"},
        **{"ATHENA_S3_STAGING_DIR": None, "LANDING_ZONE": "s3://lake/landing", "ENVIRONMENT": None},
    }
    own = {"data/environments/ada/customer/trusted/a/b.parquet", "data/environments/ada/.hidden"}
    others = {
        "data/environments/ada_b/a",
        "data/environments/adam",
        "data/customer/a",
        "landing/customer/landing/a.json.gz",
    }
    tables = {
        "ada_stedi.customer_trusted": "data/environments/ada/customer/trusted/a",
        "ada_stedi_landing.customer_landing__files": "landing/customer/landing",
        "ada_loader.ledger": "landing/loader/ledger",
        "ada_b_stedi.customer_trusted": "data/environments/ada_b",
        "ada_mine.customer_trusted": "data/customer",
        "stedi.customer_trusted": "data/customer",
    }
    with mock_aws(), variables(account), chdir(project.folder):
        forget_client()
        s3, glue = boto3.client("s3"), boto3.client("glue")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        for key in own | others:
            s3.put_object(Bucket="lake", Key=key, Body=b"rows")
        for relation, place in tables.items():
            database, name = relation.split(".")
            glue.create_database(DatabaseInput={"Name": database})
            storage: StorageDescriptorTypeDef = {"Location": f"s3://lake/{place}", "Columns": []}
            table: TableInputTypeDef = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
            glue.create_table(DatabaseName=database, TableInput=table)

        def left() -> tuple[set[str], set[str]]:
            keys = {item["Key"] for item in s3.list_objects_v2(Bucket="lake")["Contents"]}
            return {database["Name"] for database in glue.get_databases()["DatabaseList"]}, keys

        for again in ("", "data/environments/ada/left/by/a/kill.parquet"):
            if again:  # when the catalogue had forgotten the tables already
                s3.put_object(Bucket="lake", Key=again, Body=b"rows")
            drop_environment.main(name="ada", target="athena", yes=True)
            assert left() == ({"ada_b_stedi", "ada_mine", "stedi"}, others)
    forget_client()
