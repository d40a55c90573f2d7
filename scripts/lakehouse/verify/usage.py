"""What a verification used, as the engines count it: bytes that Athena scanned, seconds of Redshift Serverless."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import msgspec

from lakehouse.deployment.costs import PRICES, list_prices
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.pipeline.spending import TERABYTE, billed_bytes
from lakehouse.storage.s3_errors import explained
from lakehouse.storage.s3_session import session
from lakehouse.verify.run import DoesNotApplyError, Facts
from lakehouse.verify.world import World

_AT_ONCE = 50
"""Of BatchGetQueryExecution: https://docs.aws.amazon.com/athena/latest/APIReference/API_BatchGetQueryExecution.html."""


def usage(world: World) -> Facts:
    """Adds up what the engine says of the time since the verification began."""
    if world.dbt.target == "athena":
        queries = athena_queries(os.environ.get("ATHENA_WORK_GROUP", "primary"), world.began_at)
        return {
            "queries": len(queries),
            "queries that failed": sum(query.state == "FAILED" for query in queries),
            "bytes scanned": sum(query.bytes_scanned for query in queries),
            "engine seconds": round(sum(query.engine_seconds for query in queries), 1),
            "dollars": dollars(world, "athena_terabyte", sum(query.billed_bytes for query in queries) / TERABYTE),
        }
    if world.answered.is_local:
        raise DoesNotApplyError("the local endpoint is no Redshift Serverless: it has no RPUs to count")
    if not is_serverless():
        raise DoesNotApplyError("a provisioned cluster costs by the hour, whatever it does")
    used = serverless_usage(world.dbt, world.began_at)
    cost = dollars(world, "redshift_rpu_hour", used.charged / 3600)
    return {"RPU seconds used": used.used, "RPU seconds charged": used.charged, "dollars": cost}


def dollars(world: World, price: str, amount: float) -> str:
    """What an amount costs by the list price that the project has of it: an estimate, and no bill."""
    prices = list_prices(world.project)
    if price not in prices:
        return f"not known: {PRICES} has no {price}"
    what = "what the endpoints' work would cost" if world.answered.is_local else "an estimate"
    return f"{prices[price] * amount:.4f}, {what} by the list price in {PRICES}"


class Query(msgspec.Struct, frozen=True):
    """A query, by Athena's own statistics."""

    submitted_at: datetime
    state: str
    kind: str
    """DML, DDL or UTILITY."""
    bytes_scanned: int
    engine_seconds: float

    @property
    def billed_bytes(self) -> int:
        """What is paid for."""
        return billed_bytes(self.state, self.kind, self.bytes_scanned)


class ServerlessUsage(msgspec.Struct, frozen=True):
    """Seconds of Redshift Serverless, times the RPUs that it had: those that were used, and those that are charged."""

    used: float
    charged: float


def athena_queries(work_group: str, since: datetime) -> list[Query]:
    """The queries of a work group, whoever asked them, since a time; the last one first.

    Raises:
        LandingError: They may not be listed.
    """
    found = []
    with explained(f"the work group {work_group} of Athena"):
        for query in _latest_first(work_group):
            if query.submitted_at < since:
                break
            found.append(query)
    return found


def _latest_first(work_group: str) -> Iterator[Query]:
    client = session().client("athena")
    for page in client.get_paginator("list_query_executions").paginate(
        WorkGroup=work_group, PaginationConfig={"PageSize": _AT_ONCE}
    ):
        ids = page["QueryExecutionIds"]
        if not ids:
            return
        told = client.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
        by_id = {execution["QueryExecutionId"]: execution for execution in told}
        for execution in (by_id[id_] for id_ in ids if id_ in by_id):
            status, statistics = execution["Status"], execution.get("Statistics", {})
            yield Query(
                status["SubmissionDateTime"].astimezone(UTC),
                status["State"],
                execution.get("StatementType", ""),
                statistics.get("DataScannedInBytes", 0),
                statistics.get("EngineExecutionTimeInMillis", 0) / 1000,
            )


def is_serverless() -> bool:
    """Whether the profile asks Redshift Serverless."""
    return bool(os.environ.get("REDSHIFT_SERVERLESS_WORK_GROUP"))


def serverless_usage(dbt: DbtSession, since: datetime) -> ServerlessUsage:
    """What Redshift Serverless says that it used since a time. It has a row a minute, which may come minutes later.

    Raises:
        DbtError: It does not say: sys_serverless_usage is for superusers.
    """
    (answer,) = dbt.ask("tell_serverless_usage", since=f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
    return msgspec.convert(cast("dict[str, float]", answer), type=ServerlessUsage)
