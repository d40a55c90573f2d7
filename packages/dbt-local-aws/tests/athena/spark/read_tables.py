"""Reads Iceberg tables with Spark, which finds them in Glue, and prints their rows as JSON. Adds a row to the first.

`python read_tables.py JARS TABLE…`, with the endpoint's settings in the environment.
"""

import json
import os
import sys

from pyspark.sql import SparkSession

CATALOG = "spark.sql.catalog.lake"


def session(jars: str) -> SparkSession:
    """A Spark on this machine that knows the endpoint's Glue and S3."""
    settings = {
        "spark.jars": jars,
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        # Trino encodes texts as DELTA_LENGTH_BYTE_ARRAY, which Iceberg 1.10 reads row by row only
        "spark.sql.iceberg.vectorization.enabled": "false",
        CATALOG: "org.apache.iceberg.spark.SparkCatalog",
        f"{CATALOG}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        f"{CATALOG}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{CATALOG}.glue.endpoint": os.environ["AWS_ENDPOINT_URL"],
        f"{CATALOG}.s3.endpoint": os.environ["AWS_ENDPOINT_URL"],
        f"{CATALOG}.s3.path-style-access": "true",
        f"{CATALOG}.warehouse": "s3://lake/spark",
        f"{CATALOG}.client.region": os.environ["AWS_REGION"],
    }
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def main(jars: str, *tables: str) -> None:
    """Prints a line of JSON: the rows of every table, in their order, as texts."""
    spark = session(jars)
    found = {}
    for table in tables:
        rows = spark.sql(f"select * from lake.{table} order by 1").collect()  # noqa: S608 - the test's own names
        found[table] = [[None if value is None else str(value) for value in row] for row in rows]
    spark.sql(f"insert into lake.{tables[0]} select * from lake.{tables[0]} order by 1 limit 1")  # noqa: S608
    print(json.dumps(found))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
