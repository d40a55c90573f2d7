"""A small client for tests and scripts: runs statements as any client of Athena's does, and gives plain Python."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import boto3

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_athena.type_defs import QueryExecutionTypeDef
    from mypy_boto3_glue.client import GlueClient
    from mypy_boto3_s3.client import S3Client

Rows = list[tuple[str | None, ...]]


class QueryFailedError(Exception):
    """A query that ended otherwise than by success, with Athena's message."""


@dataclass(frozen=True)
class Client:
    """Clients of all the services, a bucket, and the database that statements run in."""

    athena: AthenaClient
    s3: S3Client
    glue: GlueClient
    bucket: str
    database: str = "default"

    @classmethod
    def connect(cls, settings: Mapping[str, str], bucket: str) -> Self:
        """Clients of a running endpoint, by its environment, and a bucket on it, which is made if it is not there."""
        session = boto3.session.Session(
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            region_name=settings["AWS_REGION"],
        )
        url = settings["AWS_ENDPOINT_URL"]
        s3 = session.client("s3", endpoint_url=url)
        if bucket not in {known["Name"] for known in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=bucket)
        return cls(session.client("athena", endpoint_url=url), s3, session.client("glue", endpoint_url=url), bucket)

    def within(self, database: str) -> Self:
        """The same clients, with another database."""
        return replace(self, database=database)

    def execute(self, sql: str) -> QueryExecutionTypeDef:
        """Run a statement to its end."""
        identifier = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.database},
            ResultConfiguration={"OutputLocation": f"s3://{self.bucket}/results/"},
        )["QueryExecutionId"]
        execution = self.wait(identifier)
        if execution["Status"]["State"] != "SUCCEEDED":
            raise QueryFailedError(execution["Status"]["StateChangeReason"])
        return execution

    def wait(self, identifier: str) -> QueryExecutionTypeDef:
        """A query that has ended, however it ended."""
        pause = 0.01
        while True:
            execution = self.athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return execution
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)

    def table(self, sql: str) -> tuple[list[tuple[str, str]], Rows]:
        """A query's columns with their types, and its rows as text."""
        execution = self.execute(sql)
        has_header = execution.get("SubstatementType") == "SELECT"
        rows: Rows = []
        columns: list[tuple[str, str]] = []
        for page in self.athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=execution["QueryExecutionId"]
        ):
            answer = page["ResultSet"]
            columns = [(column["Name"], column["Type"]) for column in answer["ResultSetMetadata"]["ColumnInfo"]]
            rows += [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in answer["Rows"]]
        return columns, rows[1:] if has_header else rows

    def rows(self, sql: str) -> Rows:
        """A query's rows as text."""
        return self.table(sql)[1]

    def put(self, key: str, body: str | bytes) -> str:
        """Write an object and tell its address."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.encode() if isinstance(body, str) else body)
        return f"s3://{self.bucket}/{key}"

    def location(self) -> str:
        """A place in S3 that nothing else uses."""
        return f"s3://{self.bucket}/tables/{uuid.uuid4()}/"
