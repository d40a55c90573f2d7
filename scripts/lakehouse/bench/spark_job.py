"""Makes tables by Spark, as a job of Glue does: what the plan says, of raw JSON and of what earlier jobs wrote.

`spark-submit` runs it; it knows nothing of the rest of the package.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as sql


def main(plan_file: str, *names: str) -> None:
    """Writes some of the plan's tables as Parquet.

    Args:
        plan_file: The plan, of `lakehouse.bench.spark`.
        names: The tables to write, in their order. Others that they read are there already.
    """
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    spark = (
        SparkSession.builder.appName("bench")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", 8)  # the default of 200 is for clusters
        .getOrCreate()
    )
    job = _Job(spark, plan, set(names))
    for name in names:
        job.write(name)
    spark.stop()


class _Job:
    def __init__(self, spark: SparkSession, plan: dict[str, Any], ours: set[str]) -> None:
        self._spark = spark
        self._plan = plan
        self._ours = ours
        self._known: set[str] = set()

    def write(self, name: str) -> None:
        model = self._plan["models"][name]
        for read in model["reads"]:
            self._make_known(read)
        path = f"{self._plan['tables']}/{name}"
        self._spark.sql(model["sql"]).write.mode("overwrite").parquet(path)
        self._spark.read.parquet(path).createOrReplaceTempView(name)
        self._known.add(name)

    def _make_known(self, name: str) -> None:
        """Gives a relation its name: raw data, a table of an earlier job, or a query."""
        if name in self._known:
            return
        self._known.add(name)
        if name in self._plan["sources"]:
            self._read_raw(name, self._plan["sources"][name])
        elif self._plan["models"][name]["is_table"]:
            self._spark.read.parquet(f"{self._plan['tables']}/{name}").createOrReplaceTempView(name)
        else:
            for read in self._plan["models"][name]["reads"]:
                self._make_known(read)
            self._spark.sql(self._plan["models"][name]["sql"]).createOrReplaceTempView(name)

    def _read_raw(self, name: str, source: dict[str, Any]) -> None:
        records = self._spark.read.schema(source["schema"]).json(source["files"])
        if source["landed_at"]:
            landed_at = self._spark.createDataFrame(source["landed_at"], "file string, landed_at bigint")
            with_file = records.withColumn("file", sql.col("_metadata.file_name"))
            records = with_file.join(sql.broadcast(landed_at), "file").drop("file")
        records.createOrReplaceTempView(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
