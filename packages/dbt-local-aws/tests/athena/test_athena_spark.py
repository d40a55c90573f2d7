"""Spark reads what the endpoint's Trino wrote, and Trino what Spark wrote: both by Glue, as on AWS.

PySpark 4.0 is no part of the extra `testing`: without it these tests are skipped.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dbt_local_aws.java import find_maven
from dbt_local_aws.testing.athena import Client

SPARK = Path(__file__).parent / "spark"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
QUERY = (
    "select * from (values (1, 'Björk', date '2020-01-02', timestamp '2018-11-01 21:01:46.796000', decimal '1.10'), "
    "(2, '', null, null, null), (3, 'gone', null, null, null)) as v(n, t, d, at, amount)"
)
ROWS = [["1", "Björk", "2020-01-02", "2018-11-01 21:01:46.796000", "1.10"], ["2", "", None, None, None]]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None, reason="NOT TESTED: PySpark is not installed"
)


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Iceberg for Spark, fetched by Maven."""
    folder = tmp_path_factory.mktemp("jars")
    command = [find_maven("Iceberg"), "-q", "-B", "-f", str(SPARK / "pom.xml"), COPY, f"-DoutputDirectory={folder}"]
    subprocess.run(command, check=True)
    found = sorted(map(str, folder.glob("*.jar")))
    assert len(found) == 2
    return ",".join(found)


def test_spark_and_trino_read_each_others_tables(client: Client, jars: str, endpoint: dict[str, str]) -> None:
    for name, partitions in (("plain", ""), ("parted", ", partitioning = array['d']")):
        place = f"location = '{client.location()}'"
        properties = f"table_type = 'ICEBERG', is_external = false, {place}{partitions}"
        client.execute(f"create table {name} with ({properties}) as {QUERY}")
        client.execute(f"delete from {name} where n = 3")  # noqa: S608 - the test's own names
    tables = [f"{client.database}.{name}" for name in ("plain", "parted")]
    done = subprocess.run(
        [sys.executable, str(SPARK / "read_tables.py"), jars, *tables],
        env={**os.environ, **endpoint},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == dict.fromkeys(tables, ROWS)
    assert client.rows("select n, count(*) from plain group by n order by n") == [("1", "2"), ("2", "1")]


def test_jars_are_what_they_were(jars: str) -> None:
    assert {Path(jar).stem for jar in jars.split(",")} == {
        "iceberg-spark-runtime-4.0_2.13-1.10.1", "iceberg-aws-bundle-1.10.1"
    }  # fmt: skip
