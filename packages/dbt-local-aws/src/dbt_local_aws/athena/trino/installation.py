"""Which Trino, and what it runs on."""

from __future__ import annotations

from pathlib import Path

from dbt_local_aws.jars import Engine

HERE = Path(__file__).parent
TRINO = Engine(
    name="Trino",
    whose="Athena's engine, Trino,",
    version="483",
    java_version=25,  # https://trino.io/docs/current/installation/deployment.html#java-runtime-environment
    java_modules=frozenset({"jdk.incubator.vector"}),
    recipe=HERE,
    megabytes=200,
)
